// "Explain Finding" and "Open Policy Documentation".

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import * as vscode from "vscode";
import { findings, places, policies, type Finding, type Shown } from "./findings";
import type { Server } from "./server";

const SCHEME = "stacklint-explain";
/** How long `stacklint explain` may take, in milliseconds. */
const PATIENCE = 60_000;

/** What was printed, as read-only documents whose places are links. */
export class Explanations implements vscode.TextDocumentContentProvider, vscode.DocumentLinkProvider {
  private readonly texts = new Map<string, { readonly text: string; readonly base: vscode.Uri }>();
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.changed.event;

  constructor(private readonly server: Server) {}

  register(): vscode.Disposable {
    return vscode.Disposable.from(
      this.changed,
      vscode.workspace.registerTextDocumentContentProvider(SCHEME, this),
      vscode.languages.registerDocumentLinkProvider({ scheme: SCHEME }, this),
      vscode.workspace.onDidCloseTextDocument((document) => this.texts.delete(document.uri.toString())),
      vscode.commands.registerCommand("stacklint.explain", () => this.explain()),
      vscode.commands.registerCommand("stacklint.openPolicy", () => this.openPolicy()),
    );
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.texts.get(uri.toString())?.text ?? "";
  }

  provideDocumentLinks(document: vscode.TextDocument): vscode.DocumentLink[] {
    const base = this.texts.get(document.uri.toString())?.base;
    if (base === undefined) {
      return [];
    }
    return places(document.getText()).map((place) => {
      const range = new vscode.Range(document.positionAt(place.start), document.positionAt(place.start + place.length));
      const target = vscode.Uri.joinPath(base, place.file).with({ fragment: `L${place.line},${place.column}` });
      return new vscode.DocumentLink(range, target);
    });
  }

  private async explain(): Promise<void> {
    const editor = vscode.window.activeTextEditor;
    const finding = await this.choose(editor, "Explain which finding?");
    if (editor === undefined || finding === undefined) {
      return;
    }
    const base = baseOf(editor.document.uri);
    const args = ["explain", finding.policy, ...(finding.address === undefined ? [] : [finding.address])];
    const text = await this.run(args, base, `stacklint: explaining ${finding.policy}`);
    if (text === undefined) {
      return;
    }
    const note = vscode.workspace.textDocuments.some((d) => d.isDirty && d.uri.scheme === "file")
      ? "(What is not saved yet is not considered here.)\n\n"
      : "";
    const uri = vscode.Uri.from({
      scheme: SCHEME,
      path: `/${finding.policy}.txt`,
      query: finding.address ?? "",
    });
    this.texts.set(uri.toString(), { text: note + text, base });
    this.changed.fire(uri);
    const document = await vscode.workspace.openTextDocument(uri);
    const shown = await vscode.window.showTextDocument(document, {
      viewColumn: vscode.ViewColumn.Beside,
      preview: true,
    });
    // What the policy says in general comes first; what it says about this very thing is what was asked.
    const first = places(document.getText())[0];
    if (first !== undefined) {
      const line = document.lineAt(document.positionAt(first.start).line).range;
      shown.selection = new vscode.Selection(line.start, line.start);
      shown.revealRange(line, vscode.TextEditorRevealType.AtTop);
    }
  }

  private async openPolicy(): Promise<void> {
    const editor = vscode.window.activeTextEditor;
    const here = this.at(editor).filter((f) => f.contains && f.page !== undefined);
    const finding = here.length > 1 ? await pick(here, "Documentation of which policy?") : here[0];
    const page = finding?.page ?? (here.length > 0 ? undefined : await this.pickPolicy(editor));
    if (page !== undefined) {
      await vscode.env.openExternal(vscode.Uri.parse(page, true));
    }
  }

  private async pickPolicy(editor: vscode.TextEditor | undefined): Promise<string | undefined> {
    const base = baseOf(editor?.document.uri);
    const json = await this.run(["policies", "--format", "json"], base, "stacklint: listing policies");
    if (json === undefined) {
      return undefined;
    }
    const items = policies(json).map((p) => ({ label: p.name, description: p.severity, detail: p.title, page: p.url }));
    const options = { title: "Open Policy Documentation", placeHolder: "A policy", matchOnDetail: true };
    return (await vscode.window.showQuickPick(items, options))?.page;
  }

  private at(editor: vscode.TextEditor | undefined): Finding[] {
    if (editor === undefined) {
      return [];
    }
    const shown = vscode.languages.getDiagnostics(editor.document.uri) as readonly unknown[] as readonly Shown[];
    return findings(shown, editor.selection.active);
  }

  /** The one finding at the cursor, or one of the file's that the user picks. */
  private async choose(editor: vscode.TextEditor | undefined, title: string): Promise<Finding | undefined> {
    const all = this.at(editor);
    const here = all.filter((f) => f.contains);
    if (all.length === 0) {
      void vscode.window.showInformationMessage("stacklint has no findings in this file.");
      return undefined;
    }
    return here.length === 1 ? here[0] : pick(here.length > 1 ? here : all, title);
  }

  /** Runs the program and returns what it printed; says so where it fails. */
  private async run(args: readonly string[], base: vscode.Uri, title: string): Promise<string | undefined> {
    const { lookup, env } = this.server.program();
    if (!lookup.found) {
      void vscode.window.showErrorMessage(lookup.problem);
      return undefined;
    }
    const options = {
      cwd: base.fsPath,
      env: { ...process.env, ...env, NO_COLOR: "1" },
      timeout: PATIENCE,
      maxBuffer: 64 << 20,
    };
    return vscode.window.withProgress({ location: vscode.ProgressLocation.Window, title }, async () => {
      try {
        return (await promisify(execFile)(lookup.path, [...args], options)).stdout;
      } catch (error) {
        const stderr = error instanceof Error && "stderr" in error ? String(error.stderr).trim() : "";
        void vscode.window.showErrorMessage(`stacklint ${args[0] ?? ""}: ${stderr === "" ? String(error) : stderr}`);
        return undefined;
      }
    });
  }
}

function baseOf(uri: vscode.Uri | undefined): vscode.Uri {
  const folder = uri === undefined ? undefined : vscode.workspace.getWorkspaceFolder(uri);
  const first = folder ?? vscode.workspace.workspaceFolders?.[0];
  return first?.uri ?? (uri === undefined ? vscode.Uri.file(process.cwd()) : vscode.Uri.joinPath(uri, ".."));
}

async function pick(found: readonly Finding[], title: string): Promise<Finding | undefined> {
  const items = found.map((finding) => ({
    label: finding.message,
    description: finding.policy,
    detail: `line ${finding.line + 1}`,
    finding,
  }));
  return (await vscode.window.showQuickPick(items, { title, matchOnDescription: true }))?.finding;
}
