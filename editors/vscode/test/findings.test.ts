import assert from "node:assert/strict";
import { test } from "node:test";
import { findings, places, policies, type Shown } from "../src/findings";

function shown(policy: string, line: number, from: number, to: number, data?: unknown): Shown {
  return {
    source: "stacklint",
    message: `about ${policy}`,
    code: { value: policy, target: `https://example.com/${policy}` },
    range: {
      start: { line },
      contains: (at: { line: number; character: number }) =>
        at.line === line && at.character >= from && at.character <= to,
    },
    data,
  };
}

test("what is under the cursor comes first, then its line, then the rest by line", () => {
  const at = { line: 5, character: 12 };
  const all = [shown("far", 9, 0, 4), shown("near", 2, 0, 4), shown("line", 5, 0, 4), shown("here", 5, 10, 14)];
  assert.deepEqual(
    findings(all, at).map((f) => f.policy),
    ["here", "line", "near", "far"],
  );
});

test("other tools' diagnostics and syntax errors are no findings", () => {
  const other = { ...shown("x", 0, 0, 1), source: "terraform" };
  const syntax = { ...shown("syntax", 0, 0, 1), code: "syntax" };
  const none = { ...shown("y", 0, 0, 1), code: undefined };
  assert.deepEqual(findings([other, syntax, none], { line: 0 }), []);
});

test("the address comes from the server's data, where it is one", () => {
  const read = (data: unknown) => findings([shown("p", 0, 0, 1, data)], { line: 0 })[0]?.address;
  assert.equal(read({ address: "aws_s3_bucket.a", fingerprint: "f" }), "aws_s3_bucket.a");
  assert.equal(read({ address: 7 }), undefined);
  assert.equal(read(undefined), undefined);
  assert.equal(findings([shown("p", 0, 0, 1)], { line: 0 })[0]?.page, "https://example.com/p");
});

test("places in an explanation become links", () => {
  const text =
    "aws_x.a#ingress[0] infra/main.tf:38:3: a finding\n        infra/b-c.tf:43:20 0.0.0.0/0\n  (k8s/web.yaml:1:2)\n";
  assert.deepEqual(
    places(text).map((p) => [text.slice(p.start, p.start + p.length), p.file, p.line, p.column]),
    [
      ["infra/main.tf:38:3", "infra/main.tf", 38, 3],
      ["infra/b-c.tf:43:20", "infra/b-c.tf", 43, 20],
      ["k8s/web.yaml:1:2", "k8s/web.yaml", 1, 2],
    ],
  );
  assert.deepEqual(places("https://a.example/b:1:2 at 10:20:30, checkov:CKV_AWS_24, x:1"), []);
});

test("the list of policies is read with caution", () => {
  const entry = { name: "a", title: "A", severity: "low", url: "https://example.com/a" };
  assert.deepEqual(policies(JSON.stringify([entry, { name: "b" }, null, 3])), [entry]);
  assert.deepEqual(policies(JSON.stringify({ policies: [entry] })), [entry]);
  assert.deepEqual(policies("{}"), []);
});
