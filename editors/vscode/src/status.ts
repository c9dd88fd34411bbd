// The status item: how many findings there are, and whether the server runs.

import * as vscode from "vscode";
import type { Health, Server } from "./server";

/** How long changes are gathered before findings are counted again, in milliseconds. */
const PAUSE = 250;

export class Status implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem("stacklint", vscode.StatusBarAlignment.Left, 0);
  private readonly disposables: { dispose(): unknown }[] = [this.item];
  private health: Health = { state: "starting" };
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly server: Server) {
    this.item.name = "stacklint";
    this.disposables.push(
      server.onDidChangeHealth((health) => {
        this.health = health;
        this.show();
      }),
      vscode.languages.onDidChangeDiagnostics(() => {
        this.timer ??= setTimeout(() => {
          this.timer = undefined;
          this.show();
        }, PAUSE);
      }),
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration("stacklint.statusBar")) {
          this.show();
        }
      }),
    );
    this.show();
  }

  private show(): void {
    if (!vscode.workspace.getConfiguration("stacklint").get<boolean>("statusBar.enable", true)) {
      this.item.hide();
      return;
    }
    const tooltip = new vscode.MarkdownString("", true);
    tooltip.isTrusted = { enabledCommands: ["stacklint.restart", "stacklint.showGraph", "stacklint.showLog"] };
    const links = "[Restart](command:stacklint.restart) · [Show log](command:stacklint.showLog)";
    this.item.backgroundColor = undefined;
    switch (this.health.state) {
      case "starting":
        this.item.text = "$(loading~spin) stacklint";
        this.item.command = "stacklint.showLog";
        tooltip.appendMarkdown(`stacklint is starting\n\n${links}`);
        break;
      case "running": {
        const count = this.count();
        this.item.text = `${count === 0 ? "$(pass)" : "$(shield)"} stacklint${count === 0 ? "" : `: ${count}`}`;
        this.item.command = "workbench.actions.view.problems";
        const found = count === 0 ? "No findings" : count === 1 ? "1 finding" : `${count} findings`;
        tooltip.appendMarkdown(`${found} in this workspace\n\n`);
        tooltip.appendText(`stacklint ${this.health.version}, ${this.health.path}`);
        tooltip.appendMarkdown(`\n\n[Show graph](command:stacklint.showGraph) · ${links}`);
        break;
      }
      case "stopped":
        this.item.text = "$(error) stacklint";
        this.item.command = "stacklint.restart";
        this.item.backgroundColor = new vscode.ThemeColor("statusBarItem.errorBackground");
        tooltip.appendText(this.health.why);
        tooltip.appendMarkdown(`\n\n${links}`);
        break;
    }
    this.item.tooltip = tooltip;
    this.item.show();
  }

  private count(): number {
    let count = 0;
    this.server.running?.diagnostics?.forEach((_, diagnostics) => {
      count += diagnostics.length;
    });
    return count;
  }

  dispose(): void {
    clearTimeout(this.timer);
    for (const d of this.disposables) {
      d.dispose();
    }
  }
}
