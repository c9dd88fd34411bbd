import assert from "node:assert/strict";
import { test } from "node:test";
import { expand, findServer, type Machine } from "../src/binary";

function machine(files: readonly string[], PATH: string, platform: NodeJS.Platform = "linux"): Machine {
  return {
    platform,
    home: platform === "win32" ? "C:\\home" : "/home/u",
    env: { PATH },
    isExecutable: (f) => files.includes(f),
  };
}

test("the setting goes before the PATH", () => {
  const m = machine(["/opt/stacklint", "/usr/bin/stacklint"], "/usr/bin");
  assert.deepEqual(findServer("/opt/stacklint", undefined, m), {
    found: true,
    path: "/opt/stacklint",
    from: "setting",
  });
  assert.deepEqual(findServer("  ", undefined, m), { found: true, path: "/usr/bin/stacklint", from: "PATH" });
});

test("a setting that names nothing is told, not passed over", () => {
  const found = findServer("/opt/none", undefined, machine(["/usr/bin/stacklint"], "/usr/bin"));
  assert.match("problem" in found ? found.problem : found.path, /stacklint\.path names \/opt\/none/);
});

test("a bare name in the setting is looked up on the PATH", () => {
  const m = machine(["/b/stacklint-next"], "/a:/b");
  assert.deepEqual(findServer("stacklint-next", undefined, m), {
    found: true,
    path: "/b/stacklint-next",
    from: "setting",
  });
});

test("relative settings start at the folder, relative entries of the PATH count for nothing", () => {
  const m = machine(["/project/bin/stacklint", "stacklint", "./stacklint"], ".:");
  assert.equal(findServer("bin/stacklint", "/project", m).found, true);
  assert.equal(findServer("", "/project", m).found, false);
});

test("where cargo installs is looked at last", () => {
  const both = machine(["/usr/bin/stacklint", "/home/u/.cargo/bin/stacklint"], "/usr/bin");
  assert.deepEqual(findServer("", undefined, both), { found: true, path: "/usr/bin/stacklint", from: "PATH" });
  const one = machine(["/home/u/.cargo/bin/stacklint"], "/usr/bin");
  assert.deepEqual(findServer("", undefined, one), { found: true, path: "/home/u/.cargo/bin/stacklint", from: "PATH" });
});

test("Windows has other separators and an ending", () => {
  const m = machine(["C:\\tools\\stacklint.exe"], "C:\\windows;C:\\tools", "win32");
  assert.deepEqual(findServer("", undefined, m), { found: true, path: "C:\\tools\\stacklint.exe", from: "PATH" });
  assert.equal(findServer("C:\\tools\\stacklint", undefined, m).found, true);
});

test("settings are expanded", () => {
  const m = { ...machine([], ""), env: { TOOLS: "/t" } };
  for (const [text, expected] of [
    ["~/bin/x", "/home/u/bin/x"],
    ["~", "/home/u"],
    ["~other/x", "~other/x"],
    ["${workspaceFolder}/x", "/w/x"],
    ["${env:TOOLS}/${env:NONE}x", "/t/x"],
    [" ${userHome} ", "/home/u"],
  ] as const) {
    assert.equal(expand(text, "/w", m), expected, text);
  }
});
