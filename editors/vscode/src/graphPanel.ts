// "Show Graph": a panel beside the editor. The page is our own script under a strict policy; what it is told is data, never markup.

import { randomBytes } from "node:crypto";
import * as vscode from "vscode";
import type { Graph } from "./graphModel";
import { page } from "./graphPage";
import type { Server } from "./server";

/** What the page says. */
type Message =
  { readonly type: "ready" } | { readonly type: "refresh" } | { readonly type: "open"; readonly id: number };

/** How long after a change of the findings the graph is drawn anew, in milliseconds. */
const PAUSE = 400;

export class GraphPanel {
  private static current: GraphPanel | undefined;
  private readonly disposables: vscode.Disposable[] = [];
  private graph: Graph = { resources: [], edges: [] };
  private sent = "";
  private timer: NodeJS.Timeout | undefined;

  /** Opens the panel, or shows the one that is open. */
  static show(extension: vscode.Uri, server: Server): void {
    if (GraphPanel.current !== undefined) {
      GraphPanel.current.panel.reveal();
      void GraphPanel.current.refresh();
      return;
    }
    const dist = vscode.Uri.joinPath(extension, "dist");
    const panel = vscode.window.createWebviewPanel("stacklint.graph", "Resource Graph", vscode.ViewColumn.Beside, {
      enableScripts: true,
      retainContextWhenHidden: true,
      localResourceRoots: [dist],
    });
    GraphPanel.current = new GraphPanel(panel, dist, server);
  }

  private constructor(
    private readonly panel: vscode.WebviewPanel,
    dist: vscode.Uri,
    private readonly server: Server,
  ) {
    const script = panel.webview.asWebviewUri(vscode.Uri.joinPath(dist, "graph.js")).toString();
    panel.webview.html = page(script, randomBytes(16).toString("base64"));
    this.disposables.push(
      panel.onDidDispose(() => {
        this.dispose();
      }),
      panel.webview.onDidReceiveMessage((message: Message) => this.receive(message)),
      // Findings change when what is read changes; so does the graph.
      vscode.languages.onDidChangeDiagnostics(() => {
        this.timer ??= setTimeout(() => {
          this.timer = undefined;
          if (panel.visible) {
            void this.refresh();
          }
        }, PAUSE);
      }),
    );
  }

  private async receive(message: Message): Promise<void> {
    switch (message.type) {
      case "ready":
        this.sent = "";
        await this.refresh();
        break;
      case "refresh":
        await this.refresh();
        break;
      case "open":
        await this.open(message.id);
        break;
    }
  }

  private async refresh(): Promise<void> {
    const client = this.server.running;
    if (client === undefined) {
      await this.panel.webview.postMessage({ type: "problem", text: "The stacklint server is not running." });
      return;
    }
    try {
      this.graph = (await client.sendRequest<Graph | null>("stacklint/graph")) ?? { resources: [], edges: [] };
    } catch (error) {
      await this.panel.webview.postMessage({ type: "problem", text: `The server gave no graph: ${String(error)}` });
      return;
    }
    const text = JSON.stringify(this.graph);
    if (text !== this.sent) {
      this.sent = text;
      await this.panel.webview.postMessage({ type: "graph", graph: this.graph });
    }
  }

  private async open(id: number): Promise<void> {
    const location = this.graph.resources.find((r) => r.id === id)?.location;
    const client = this.server.running;
    if (location && client !== undefined) {
      const range = client.protocol2CodeConverter.asRange(location.range);
      const uri = client.protocol2CodeConverter.asUri(location.uri);
      await vscode.window.showTextDocument(uri, { selection: range, viewColumn: vscode.ViewColumn.One });
    }
  }

  private dispose(): void {
    clearTimeout(this.timer);
    GraphPanel.current = undefined;
    for (const d of this.disposables) {
      d.dispose();
    }
  }
}
