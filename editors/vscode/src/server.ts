// The server's life: found, started, watched, restarted.

import { constants, accessSync, statSync } from "node:fs";
import { homedir } from "node:os";
import * as vscode from "vscode";
import { LanguageClient, State, type LanguageClientOptions, type ServerOptions } from "vscode-languageclient/node";
import { expand, findServer, type Lookup, type Machine } from "./binary";

/** What the status item shows. */
export type Health =
  | { readonly state: "starting" }
  | { readonly state: "running"; readonly version: string; readonly path: string }
  | { readonly state: "stopped"; readonly why: string };

const machine: Machine = {
  platform: process.platform,
  env: process.env,
  home: homedir(),
  isExecutable(file) {
    try {
      accessSync(file, constants.X_OK);
      return statSync(file).isFile();
    } catch {
      return false;
    }
  },
};

/** By name and not by language alone: without another extension `.tofu` is plain text and `stacklint.toml` too. */
const DOCUMENTS = [
  ...["terraform", "terraform-vars", "opentofu", "opentofu-vars", "yaml", "helm", "dockerfile", "dockercompose"].map(
    (language) => ({ scheme: "file", language }),
  ),
  { scheme: "file", pattern: "**/*.{tf,tofu,tfvars,tf.json,tofu.json,tfvars.json,yaml,yml,tpl}" },
  { scheme: "file", pattern: "**/{Dockerfile,Dockerfile.*,*.Dockerfile,*.dockerfile,Containerfile,Containerfile.*}" },
  { scheme: "file", pattern: "**/stacklint.toml" },
];

/** The settings that only a new server takes in. */
const AT_START = ["stacklint.path", "stacklint.policies", "stacklint.inlayHints"];

export class Server implements vscode.Disposable {
  readonly log = vscode.window.createOutputChannel("stacklint", { log: true });
  private client: LanguageClient | undefined;
  private readonly changed = new vscode.EventEmitter<Health>();
  readonly onDidChangeHealth = this.changed.event;
  private readonly disposables: { dispose(): unknown }[] = [this.log, this.changed];
  // Starts and stops follow one another; two at once would leave a server behind.
  private queue: Promise<void> = Promise.resolve();

  constructor() {
    this.disposables.push(
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (AT_START.some((name) => event.affectsConfiguration(name))) {
          void this.restart();
        }
      }),
    );
  }

  /** The running client. */
  get running(): LanguageClient | undefined {
    return this.client?.state === State.Running ? this.client : undefined;
  }

  /** The program, and the environment it is to be started in. */
  program(): { readonly lookup: Lookup; readonly env: Record<string, string> } {
    const settings = vscode.workspace.getConfiguration("stacklint");
    const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath;
    const policies = expand(settings.get("policies", ""), folder, machine);
    return {
      lookup: findServer(settings.get("path", ""), folder, machine),
      env: policies === "" ? {} : { STACKLINT_POLICIES: policies },
    };
  }

  start(): Promise<void> {
    return this.next(() => this.startNow());
  }

  restart(): Promise<void> {
    return this.next(async () => {
      await this.stopNow();
      await this.startNow();
    });
  }

  private next(step: () => Promise<void>): Promise<void> {
    this.queue = this.queue.then(step, step);
    return this.queue;
  }

  private async startNow(): Promise<void> {
    const { lookup, env } = this.program();
    if (!lookup.found) {
      this.tell({ state: "stopped", why: lookup.problem });
      this.log.error(lookup.problem);
      void this.offerHelp(lookup.problem);
      return;
    }
    this.tell({ state: "starting" });
    this.log.info(`${lookup.path} lsp (from ${lookup.from === "PATH" ? "the PATH" : "the setting stacklint.path"})`);
    const run: ServerOptions = {
      command: lookup.path,
      args: ["lsp"],
      options: { env: { ...process.env, ...env } },
    };
    const options: LanguageClientOptions = {
      documentSelector: DOCUMENTS,
      outputChannel: this.log,
      initializationOptions: {
        inlayHints: vscode.workspace.getConfiguration("stacklint").get<boolean>("inlayHints.enable", false),
      },
    };
    const client = new LanguageClient("stacklint", "stacklint", run, options);
    client.onDidChangeState(({ newState }) => {
      if (client !== this.client) {
        return;
      }
      if (newState === State.Running) {
        this.tell({
          state: "running",
          version: client.initializeResult?.serverInfo?.version ?? "of unknown version",
          path: lookup.path,
        });
      } else {
        this.tell(
          newState === State.Starting ? { state: "starting" } : { state: "stopped", why: "The server has ended." },
        );
      }
    });
    this.client = client;
    try {
      await client.start();
    } catch (error) {
      const why = `${lookup.path} did not start: ${error instanceof Error ? error.message : String(error)}`;
      this.log.error(why);
      this.tell({ state: "stopped", why });
    }
  }

  private async stopNow(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    try {
      await client?.dispose();
    } catch (error) {
      // A server that is gone already cannot be asked to end; that is what was wanted.
      this.log.info(`while stopping: ${String(error)}`);
    }
  }

  private tell(health: Health): void {
    void vscode.commands.executeCommand("setContext", "stacklint.running", health.state === "running");
    this.changed.fire(health);
  }

  private async offerHelp(problem: string): Promise<void> {
    const setting = "Say where it is";
    const help = "How to install it";
    const chosen = await vscode.window.showErrorMessage(`${problem} Install it, or say where it is.`, setting, help);
    if (chosen === setting) {
      await vscode.commands.executeCommand("workbench.action.openSettings", "stacklint.path");
    } else if (chosen === help) {
      await vscode.commands.executeCommand("workbench.action.openWalkthrough", "stacklint.stacklint#start");
    }
  }

  /** Ends the server, for good. */
  async shutdown(): Promise<void> {
    await this.next(() => this.stopNow());
  }

  dispose(): void {
    for (const d of this.disposables) {
      d.dispose();
    }
  }
}
