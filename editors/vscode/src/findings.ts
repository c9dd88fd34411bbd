// What is read off the diagnostics that the server sent: plain data, so that it can be tested without an editor.

/** A finding as commands need it. */
export interface Finding {
  readonly policy: string;
  readonly message: string;
  readonly page: string | undefined;
  readonly address: string | undefined;
  readonly line: number;
  readonly contains: boolean;
}

/** The part of an editor's diagnostic that is looked at. `data` is the protocol's, kept by the client library. */
export interface Shown {
  readonly source?: string | undefined;
  readonly message: string;
  readonly code?:
    string | number | { readonly value: string | number; readonly target: { toString(): string } } | undefined;
  readonly range: { readonly start: { readonly line: number }; contains(at: never): boolean };
  readonly data?: unknown;
}

/** The code of what could not be read; no policy has it. */
const SYNTAX = "syntax";

/** Our findings among a file's diagnostics: those at the place first, then those of its line, then the rest by line. */
export function findings(diagnostics: readonly Shown[], at: { readonly line: number }): Finding[] {
  const rank = (f: Finding) => (f.contains ? 0 : f.line === at.line ? 1 : 2);
  return diagnostics
    .filter((d) => d.source === "stacklint")
    .map((d) => finding(d, at))
    .filter((f) => f !== undefined)
    .sort((a, b) => rank(a) - rank(b) || a.line - b.line);
}

function finding(shown: Shown, at: { readonly line: number }): Finding | undefined {
  const code = shown.code;
  const policy = typeof code === "object" ? String(code.value) : String(code ?? "");
  if (policy === "" || policy === SYNTAX) {
    return undefined;
  }
  return {
    policy,
    message: shown.message,
    page: typeof code === "object" ? code.target.toString() : undefined,
    address: address(shown.data),
    line: shown.range.start.line,
    contains: shown.range.contains(at as never),
  };
}

function address(data: unknown): string | undefined {
  if (typeof data === "object" && data !== null && "address" in data && typeof data.address === "string") {
    return data.address;
  }
  return undefined;
}

/** A place named in a text, `infra/main.tf:42:19`, and where it stands there. */
export interface Place {
  readonly start: number;
  readonly length: number;
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** The places named in what `stacklint explain` printed, for links. */
export function places(text: string): Place[] {
  const found: Place[] = [];
  for (const match of text.matchAll(/(?<=^|[\s(])(?=[^\s:]*[^\s:\d])([^\s:()]+):(\d+):(\d+)(?=$|[\s:,)])/gm)) {
    const [whole, file, line, column] = match;
    if (file !== undefined && line !== undefined && column !== undefined) {
      found.push({ start: match.index, length: whole.length, file, line: Number(line), column: Number(column) });
    }
  }
  return found;
}

/** One entry of `stacklint policies --format json`. */
export interface Policy {
  readonly name: string;
  readonly title: string;
  readonly severity: string;
  readonly url: string;
}

/** Reads the list of policies; entries that lack a name or page are left out. */
export function policies(json: string): Policy[] {
  const value: unknown = JSON.parse(json);
  const list = Array.isArray(value)
    ? value
    : typeof value === "object" && value !== null && "policies" in value && Array.isArray(value.policies)
      ? value.policies
      : [];
  const word = (entry: Record<string, unknown>, key: string) => {
    const found = entry[key];
    return typeof found === "string" ? found : "";
  };
  return (list as unknown[])
    .filter((entry): entry is Record<string, unknown> => typeof entry === "object" && entry !== null)
    .map((entry) => ({
      name: word(entry, "name"),
      title: word(entry, "title"),
      severity: word(entry, "severity"),
      url: word(entry, "url"),
    }))
    .filter((p) => p.name !== "" && p.url !== "");
}
