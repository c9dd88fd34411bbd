// Puts the parts together. All analysis is the server's.

import * as vscode from "vscode";
import { Explanations } from "./explain";
import { GraphPanel } from "./graphPanel";
import { Server } from "./server";
import { Status } from "./status";

let server: Server | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const started = new Server();
  server = started;
  context.subscriptions.push(
    started,
    new Status(started),
    new Explanations(started).register(),
    vscode.commands.registerCommand("stacklint.restart", () => started.restart()),
    vscode.commands.registerCommand("stacklint.showLog", () => {
      started.log.show();
    }),
    vscode.commands.registerCommand("stacklint.showGraph", () => {
      GraphPanel.show(context.extensionUri, started);
    }),
  );
  await started.start();
}

export async function deactivate(): Promise<void> {
  await server?.shutdown();
}
