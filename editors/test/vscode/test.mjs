// A user's first minutes with the extension: sees a finding, asks where its value comes from, has it mended, looks at the graph.
// Usage: test.mjs EDITOR CHROMIUM WORKSPACE VSIX STACKLINT SCREENSHOTS

import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { open } from "./editor.mjs";

const [editor, chromium, folder, vsix, program, shots] = process.argv.slice(2);
const PATIENCE = 30_000;

const settings = { "stacklint.path": program, "stacklint.policies": process.env.STACKLINT_POLICIES };
const { page, close } = await open({ editor, chromium, folder, vsix, settings, file: "infra/main.tf" });
page.setDefaultTimeout(PATIENCE);
/** What the browser refuses to do, such as a script against the page's policy. */
const refused = [];
page.on("console", (message) => {
  if (/Content Security Policy/.test(message.text()) && /graph\.js|stacklint/.test(message.text())) refused.push(message.text());
});

let steps = 0;
async function step(name, what) {
  try {
    const got = await what();
    steps += 1;
    console.log(`  ok  ${name}`);
    return got;
  } catch (error) {
    await shot("failed");
    console.log(`  FAILED ${name}`);
    throw error;
  }
}

async function eventually(what) {
  const end = Date.now() + PATIENCE;
  for (;;) {
    try {
      return await what();
    } catch (error) {
      if (Date.now() > end) throw error;
      await page.waitForTimeout(100);
    }
  }
}

/** A screenshot of all, or of the part of the editor where the text is. */
function shot(name, part = false) {
  return page.screenshot({ path: join(shots, `${name}.png`), ...(part && { clip: { x: 52, y: 0, width: 1000, height: 640 } }) });
}

async function command(title) {
  await page.keyboard.press("F1");
  const input = page.locator(".quick-input-widget input");
  await input.waitFor();
  await input.fill(`>${title}`);
  // Not Enter: the first row need not be the one with this very title.
  await page.locator(`.quick-input-list .monaco-list-row .label-name`, { hasText: new RegExp(`^${title.replace(/[/.]/g, "\\$&")}$`) }).first().click();
}

async function closeTab(name) {
  const tab = page.locator(".tab", { hasText: name });
  await tab.click({ button: "middle" });
  await tab.waitFor({ state: "detached" });
}

/** The line of the editor that holds `text`. Blanks are drawn as no-break spaces. */
function line(text) {
  return page.locator(".monaco-editor .view-line", { hasText: text }).first();
}

/** Where a part of a line is on the screen. */
async function spot(text, part) {
  return line(text).evaluate((element, wanted) => {
    const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    const nodes = [];
    let whole = "";
    while (walker.nextNode()) {
      nodes.push([whole.length, walker.currentNode]);
      whole += walker.currentNode.data.replace(/\u00a0/g, " ");
    }
    const at = whole.indexOf(wanted);
    const end = (offset) => {
      const [start, node] = nodes.findLast(([start]) => start <= offset);
      return [node, Math.min(offset - start, node.data.length)];
    };
    const range = document.createRange();
    range.setStart(...end(at));
    range.setEnd(...end(at + wanted.length));
    const { x, y, width, height } = range.getBoundingClientRect();
    return { x, y, width, height };
  }, part);
}

async function squiggles(kind) {
  return page.locator(`.monaco-editor .squiggly-${kind}`).evaluateAll((all) =>
    all.map((s) => s.getBoundingClientRect()).map(({ x, y, width, height }) => ({ x, y, width, height })),
  );
}

/** Whether a squiggle runs under exactly this part of a line. */
async function underlined(kind, text, part) {
  const wanted = await spot(text, part);
  const found = await squiggles(kind);
  const fits = (s) => Math.abs(s.x - wanted.x) < 1.5 && Math.abs(s.width - wanted.width) < 1.5 && Math.abs(s.y + s.height - wanted.y - wanted.height) < 6;
  assert.ok(found.some(fits), `a squiggle under ${part} at ${JSON.stringify(wanted)}; there are ${JSON.stringify(found)}`);
}

try {
  await page.locator(".monaco-editor .view-lines").first().waitFor();
  await step("findings are underlined", () => page.locator(".monaco-editor .squiggly-error").first().waitFor({ state: "attached" }));
  await command("View: Close Primary Side Bar").catch(() => undefined);
  await page.keyboard.press("Escape");

  await step("the status bar counts them", () => page.locator(".statusbar-item", { hasText: /stacklint: \d+/ }).first().waitFor());

  // Bring line 29 and 43 into view.
  await command("Go to Line/Column...");
  await page.locator(".quick-input-widget input").fill(":33");
  await page.keyboard.press("Enter");
  await line("cidr_blocks = [local.admin_cidr]").waitFor();
  await step("the squiggle is under the expression, no more and no less", () =>
    eventually(() => underlined("error", "cidr_blocks = [local.admin_cidr]", "local.admin_cidr")),
  );
  await step("the squiggle is under the value, no more and no less", () =>
    eventually(() => underlined("error", "block_public_policy", "false")),
  );
  await page.mouse.move(5, 5);
  await step("code lenses count findings", () => page.locator(".monaco-editor .codelens-decoration", { hasText: "1 finding, worst high" }).first().waitFor());
  await shot("squiggle", true);

  await step("hover shows the value and the way it came", async () => {
    const hover = page.locator(".monaco-hover:visible", { hasText: "terraform.tfvars:2" }).first();
    // Lines move when code lenses come; then the pointer is no longer where the text is.
    await eventually(async () => {
      const at = await spot("cidr_blocks = [local.admin_cidr]", "local.admin_cidr");
      await page.mouse.move(at.x + at.width / 2 - 20, at.y + at.height / 2);
      await page.mouse.move(at.x + at.width / 2, at.y + at.height / 2, { steps: 4 });
      await hover.waitFor({ timeout: 4000 });
    });
    const text = await hover.innerText();
    for (const part of ['"0.0.0.0/0"', "main.tf:19", "terraform.tfvars:2", "ssh-open-to-internet"]) {
      assert.ok(text.replace(/\u00a0/g, " ").includes(part), `${part} in ${text}`);
    }
    await page.waitForTimeout(300);
    await shot("hover", true);
  });
  await step("its links lead to the place", async () => {
    await page.locator(".monaco-hover:visible a", { hasText: "terraform.tfvars:2" }).first().click();
    await page.locator(".tab.active", { hasText: "terraform.tfvars" }).waitFor();
    await page.keyboard.press("Escape");
    await closeTab("terraform.tfvars");
    await page.locator(".tab.active", { hasText: "main.tf" }).waitFor();
  });

  await step("a quick fix is offered", async () => {
    await eventually(async () => {
      await page.keyboard.press("Escape");
      const at = await spot("block_public_policy", "false");
      await page.mouse.click(at.x + 10, at.y + at.height / 2);
      await page.keyboard.press("Control+.");
      await page.locator(".action-widget .monaco-list-row", { hasText: "Set `block_public_policy` to `true`" }).waitFor({ timeout: 4000 });
    });
    await page.waitForTimeout(300);
    await shot("quick-fix", true);
  });
  await step("it is applied", async () => {
    await page.locator(".action-widget .monaco-list-row", { hasText: "Set `block_public_policy` to `true`" }).click();
    await page.locator(".monaco-editor .view-line", { hasText: /block_public_policy\s+=\s+true/ }).waitFor();
  });
  await step("and the finding goes", () => eventually(async () => assert.equal((await squiggles("error")).length, 1)));

  await step("the Problems panel lists the rest, with policies and places", async () => {
    await page.keyboard.press("Control+Shift+M");
    const row = page.locator(".markers-panel .monaco-list-row", { hasText: "lets anyone reach port 22" });
    await row.waitFor();
    const text = (await row.innerText()).replace(/\s+/g, " ");
    assert.match(text, /stacklint ?\(? ?ssh-open-to-internet/);
    assert.match(text, /Ln 43, Col 20/);
    await page.locator(".markers-panel .monaco-list-row", { hasText: "web.yaml" }).waitFor();
    await shot("problems");
    await page.keyboard.press("Control+Shift+M");
  });

  await step("Explain Finding shows why, with links", async () => {
    const at = await spot("cidr_blocks = [local.admin_cidr]", "local.admin_cidr");
    await page.mouse.click(at.x + 20, at.y + at.height / 2);
    await command("stacklint: Explain Finding");
    await page.locator(".tab.active", { hasText: "ssh-open-to-internet.txt" }).waitFor();
    await eventually(async () => assert.ok((await page.locator(".monaco-editor .detected-link").count()) > 0, "links in the explanation"));
    await shot("explain");
    await closeTab("ssh-open-to-internet.txt");
  });

  await step("Show Graph draws what is joined", async () => {
    await page.mouse.move(5, 5);
    await command("stacklint: Show Graph");
    const frame = page.frameLocator("iframe.webview").frameLocator("iframe");
    await frame.locator(".node", { hasText: "aws_security_group.bastion" }).waitFor({ state: "attached" });
    assert.ok((await frame.locator(".edge").count()) > 3, "edges are drawn");
    await page.waitForTimeout(500);
    await shot("graph");
    await frame.locator("#words").fill("web");
    await frame.locator(".node", { hasText: "aws_security_group.bastion" }).waitFor({ state: "detached" });
    await frame.locator(".node", { hasText: "Service" }).first().click();
    await page.locator(".tab.active", { hasText: "web.yaml" }).waitFor();
    assert.deepEqual(refused, []);
  });

  await step("a change on disk, of a file that is not open, is taken in", async () => {
    const variables = join(folder, "infra/terraform.tfvars");
    writeFileSync(variables, readFileSync(variables, "utf8").replace("0.0.0.0/0", "10.0.0.0/8"));
    await page.keyboard.press("Control+Shift+M");
    await page.locator(".markers-panel .monaco-list-row", { hasText: "web.yaml" }).waitFor();
    await page.locator(".markers-panel .monaco-list-row", { hasText: "lets anyone reach port 22" }).waitFor({ state: "detached" });
  });

  await step("evaluated values are shown beside expressions once the setting is on", async () => {
    await page.locator(".tab", { hasText: "main.tf" }).first().click();
    mkdirSync(join(folder, ".vscode"));
    writeFileSync(join(folder, ".vscode/settings.json"), JSON.stringify({ "stacklint.inlayHints.enable": true }));
    await page.locator(".monaco-editor .view-line", { hasText: "shop-production" }).first().waitFor();
    await shot("inlay-hints");
  });

  await step("Restart Server starts another", async () => {
    await command("stacklint: Restart Server");
    await page.locator(".statusbar-item", { hasText: /stacklint: \d+/ }).first().waitFor();
  });
  console.log(`  ${steps} steps passed`);
} finally {
  await close();
}
