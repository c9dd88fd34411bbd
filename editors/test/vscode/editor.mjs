// Starts code-server with a folder and an extension, and a browser on it.

import { execFileSync, spawn } from "node:child_process";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** Settings that keep the editor quiet and its files as they are. */
const SETTINGS = {
  "security.workspace.trust.enabled": false,
  "workbench.startupEditor": "none",
  "workbench.colorTheme": "Default Dark Modern",
  "workbench.layoutControl.enabled": false,
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "window.commandCenter": false,
  "remote.autoForwardPorts": false,
  "telemetry.telemetryLevel": "off",
  "update.mode": "none",
  "extensions.autoCheckUpdates": false,
  "extensions.ignoreRecommendations": true,
  "chat.disableAIFeatures": true,
  // In a browser files are saved by themselves, which would leave no time between an edit and its file.
  "files.autoSave": "off",
  "editor.minimap.enabled": false,
  "editor.fontFamily": "DejaVu Sans Mono",
  "editor.fontSize": 14,
  "editor.hover.delay": 100,
  "breadcrumbs.enabled": false,
  "workbench.editor.enablePreview": false,
};

/**
 * @returns the page with the workbench, and a way to end it all
 */
export async function open({ editor, chromium, folder, vsix, settings, file }) {
  const data = join(folder, "..", "data");
  mkdirSync(join(data, "user", "User"), { recursive: true });
  writeFileSync(join(data, "user", "User", "settings.json"), JSON.stringify(SETTINGS));
  // Which program is run is a setting of the machine; on a remote one, as here, the user's settings do not reach it.
  mkdirSync(join(data, "user", "Machine"), { recursive: true });
  writeFileSync(join(data, "user", "Machine", "settings.json"), JSON.stringify(settings));
  colours(editor);
  const entry = join(editor, "node_modules/code-server/out/node/entry.js");
  const where = ["--user-data-dir", join(data, "user"), "--extensions-dir", join(data, "ext"), "--config", join(data, "config.yaml")];
  // No gallery: an editor under test asks nobody for extensions.
  const env = { ...process.env, EXTENSIONS_GALLERY: "{}", XDG_DATA_HOME: data, XDG_CONFIG_HOME: data, XDG_CACHE_HOME: data };
  execFileSync(process.execPath, [entry, ...where, "--install-extension", vsix], { env, stdio: "pipe" });
  const port = await free();
  const quiet = ["--auth", "none", "--disable-telemetry", "--disable-update-check", "--disable-workspace-trust", "--disable-getting-started-override", "--ignore-last-opened"];
  const server = spawn(process.execPath, [entry, "--bind-addr", `127.0.0.1:${port}`, ...quiet, ...where, folder], { env, stdio: "pipe" });
  let said = "";
  server.stdout.on("data", (text) => (said += text));
  server.stderr.on("data", (text) => (said += text));
  const ended = new Promise((resolve) => server.once("exit", resolve));

  const { chromium: driver } = createRequire(join(editor, "x.js"))("playwright-core");
  let browser;
  const close = async () => {
    await browser?.close().catch(() => undefined);
    server.kill("SIGTERM");
    await Promise.race([ended, sleep(8000).then(() => server.kill("SIGKILL"))]);
  };
  try {
    for (let left = 100; ; left--) {
      const up = await fetch(`http://127.0.0.1:${port}/healthz`).then((r) => r.ok, () => false);
      if (up) break;
      if (left === 0 || server.exitCode !== null) throw new Error(`code-server does not answer:\n${said}`);
      await sleep(200);
    }
    browser = await driver.launchPersistentContext(join(data, "browser"), {
      executablePath: chromium,
      headless: true,
      viewport: { width: 1180, height: 720 },
      deviceScaleFactor: 2,
      args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
    });
    const page = browser.pages()[0] ?? (await browser.newPage());
    const payload = JSON.stringify([["openFile", `vscode-remote://127.0.0.1:${port}${join(folder, file)}`]]);
    await page.goto(`http://127.0.0.1:${port}/?folder=${folder}&payload=${encodeURIComponent(payload)}`);
    await page.locator(".monaco-workbench").waitFor({ timeout: 60_000 });
    return { page, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Colours for Terraform, as its users have them from the extension for the language; the editor itself brings none. */
function colours(editor) {
  const to = join(editor, "node_modules/code-server/lib/vscode/extensions/terraform-colours");
  mkdirSync(to, { recursive: true });
  cpSync(join(editor, "node_modules/tm-grammars/grammars/terraform.json"), join(to, "terraform.json"));
  const grammars = ["terraform", "terraform-vars"].map((language) => ({ language, scopeName: "source.hcl.terraform", path: "./terraform.json" }));
  const about = { name: "terraform-colours", publisher: "test", version: "0.0.1", engines: { vscode: "*" }, contributes: { grammars } };
  writeFileSync(join(to, "package.json"), JSON.stringify(about));
}

function free() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
