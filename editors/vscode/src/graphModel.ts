// The resource graph as the server gives it, and what of it is drawn. Shared by the extension and the web page; no editor, no page.

/** A resource. */
export interface Resource {
  readonly id: number;
  readonly address: string;
  readonly kind: string;
  readonly file: string;
  readonly location: Location | null;
  readonly findings: number;
  readonly worst: string | null;
}

/** A place in the protocol's terms. */
export interface Location {
  readonly uri: string;
  readonly range: { readonly start: Spot; readonly end: Spot };
}

/** A line and a column, from 0. */
export interface Spot {
  readonly line: number;
  readonly character: number;
}

/** One resource refers to another. */
export interface Edge {
  readonly from: number;
  readonly to: number;
  readonly via: string;
}

/** The answer to `stacklint/graph`. */
export interface Graph {
  readonly resources: readonly Resource[];
  readonly edges: readonly Edge[];
}

/** What is to be drawn. */
export interface Wish {
  /** Words that an address, a kind or a file must all hold; with their neighbours. */
  readonly words: string;
  /** Also variables, locals, outputs, providers: what is declared for others rather than deployed. */
  readonly declarations: boolean;
  /** Only what has findings, and what is joined to it. */
  readonly findings: boolean;
  /** The one resource to look at with its surroundings, by id. */
  readonly focus: number | undefined;
}

/** What is drawn, and how much was left out. */
export interface View {
  readonly resources: readonly Resource[];
  readonly edges: readonly Edge[];
  /** How many resources fit the wish but are more than can be drawn readably. */
  readonly omitted: number;
}

const DECLARATIONS = new Set(["variable", "output", "locals", "terraform", "moved", "import", "removed", "check"]);

/** Whether a resource is declared for others only. */
export function isDeclaration(kind: string): boolean {
  // Instructions of a Dockerfile are resources too, each in capitals; the stage they belong to stands for them.
  return DECLARATIONS.has(kind) || kind === "provider" || kind.startsWith("provider.") || /^[A-Z]+$/.test(kind);
}

/** How far from the focus is drawn. */
const SURROUNDINGS = 2;

/** Chooses at most `most` resources; those with findings and many edges stay when there are too many. */
export function choose(graph: Graph, wish: Wish, most: number): View {
  const admitted = new Map(
    graph.resources
      .filter((r) => wish.declarations || r.id === wish.focus || !isDeclaration(r.kind))
      .map((r) => [r.id, r]),
  );
  const neighbours = new Map<number, number[]>();
  const joined = graph.edges.filter((e) => e.from !== e.to && admitted.has(e.from) && admitted.has(e.to));
  for (const { from, to } of joined) {
    push(neighbours, from, to);
    push(neighbours, to, from);
  }
  let chosen: Set<number>;
  if (wish.focus !== undefined && admitted.has(wish.focus)) {
    chosen = around([wish.focus], neighbours, SURROUNDINGS);
  } else {
    const words = wish.words
      .toLowerCase()
      .split(/\s+/)
      .filter((w) => w !== "");
    const fits = (r: Resource) => {
      const text = `${r.address} ${r.kind} ${r.file}`.toLowerCase();
      return words.every((w) => text.includes(w)) && (!wish.findings || r.findings > 0);
    };
    const hits = [...admitted.values()].filter(fits).map((r) => r.id);
    chosen = words.length > 0 || wish.findings ? around(hits, neighbours, 1) : new Set(hits);
  }
  const weight = (r: Resource) =>
    r.findings * 4 + (neighbours.get(r.id)?.length ?? 0) + (r.id === wish.focus ? 1e9 : 0);
  const all = [...admitted.values()].filter((r) => chosen.has(r.id));
  const kept = all.length > most ? all.sort((a, b) => weight(b) - weight(a) || a.id - b.id).slice(0, most) : all;
  const ids = new Set(kept.map((r) => r.id));
  return {
    resources: kept.sort((a, b) => a.id - b.id),
    edges: unique(joined.filter((e) => ids.has(e.from) && ids.has(e.to))),
    omitted: all.length - kept.length,
  };
}

function push(map: Map<number, number[]>, key: number, value: number): void {
  const list = map.get(key);
  if (list === undefined) {
    map.set(key, [value]);
  } else {
    list.push(value);
  }
}

function around(
  start: readonly number[],
  neighbours: ReadonlyMap<number, readonly number[]>,
  steps: number,
): Set<number> {
  const seen = new Set(start);
  let edge: readonly number[] = start;
  for (let step = 0; step < steps; step++) {
    const next: number[] = [];
    for (const id of edge) {
      for (const other of neighbours.get(id) ?? []) {
        if (!seen.has(other)) {
          seen.add(other);
          next.push(other);
        }
      }
    }
    edge = next;
  }
  return seen;
}

/** Edges between the same two become one that names all the ways. */
function unique(edges: readonly Edge[]): Edge[] {
  const found = new Map<string, Edge>();
  for (const edge of edges) {
    const key = `${edge.from}>${edge.to}`;
    const known = found.get(key);
    if (known === undefined) {
      found.set(key, edge);
    } else if (!known.via.split(", ").includes(edge.via)) {
      found.set(key, { ...known, via: `${known.via}, ${edge.via}` });
    }
  }
  return [...found.values()];
}

/** The part of an address that a box has room for: what tells it from its neighbours stays. */
export function shorten(text: string, most: number): string {
  if (text.length <= most) {
    return text;
  }
  const end = Math.ceil((most - 1) * 0.6);
  return `${text.slice(0, most - 1 - end)}…${text.slice(-end)}`;
}

/** The colour group of a kind. */
export function family(kind: string): "aws" | "azure" | "google" | "kubernetes" | "docker" | "module" | "other" {
  const bare = kind.replace(/^data\./, "");
  if (bare.startsWith("aws_")) return "aws";
  if (/^(azurerm|azuread|azapi)_/.test(bare)) return "azure";
  if (bare.startsWith("google_")) return "google";
  if (bare === "module") return "module";
  if (/^(docker|compose)/i.test(bare) || /^(stage|dockerfile|service)$/.test(bare)) return "docker";
  // Kubernetes kinds alone are written like this: Deployment, NetworkPolicy.
  if (/^[A-Z][A-Za-z]+$/.test(bare)) return "kubernetes";
  return "other";
}
