// Where the boxes of the graph stand. Each group of joined resources is laid out by itself, and the groups are packed to the shape of the panel,
// so that a few small groups do not make one long thin picture.

import { layout as dagre, Graph as Diagram } from "@dagrejs/dagre";
import type { Edge, View } from "./graphModel";

/** The size of a box. */
export const BOX = { width: 210, height: 40 };
const GAP = 28;
const MARGIN = 16;

/** A point of the picture. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A drawn joint. */
export interface Line {
  readonly edge: Edge;
  readonly points: readonly Point[];
}

/** A picture: the upper left corners of boxes by resource, the joints, and how large it is. */
export interface Picture {
  readonly boxes: ReadonlyMap<number, Point>;
  readonly lines: readonly Line[];
  readonly width: number;
  readonly height: number;
}

/** Lays a view out for a panel of this size. */
export function picture(view: View, panel: { readonly width: number; readonly height: number }): Picture {
  const ratio = Math.max(0.2, panel.width / Math.max(1, panel.height));
  const groups = components(view);
  const pictures = ["LR", "TB"].flatMap((direction) => {
    const parts = groups
      .map((group) => arrange(group, direction))
      .sort((a, b) => b.height - a.height || b.width - a.width);
    const widest = Math.max(...parts.map((p) => p.width), 0);
    const area = parts.reduce((sum, p) => sum + (p.width + GAP) * (p.height + GAP), 0);
    return [0.8, 1, 1.3, 1.7].map((slack) => pack(parts, Math.max(widest, Math.sqrt(area * ratio) * slack)));
  });
  const scale = (p: Picture) => Math.min(panel.width / p.width, panel.height / p.height);
  return pictures.reduce((best, p) => (scale(p) > scale(best) ? p : best));
}

/** The groups of resources that are joined, directly or through others. */
function components(view: View): View[] {
  const leader = new Map(view.resources.map((r) => [r.id, r.id]));
  const find = (id: number): number => {
    let at = id;
    for (let next = leader.get(at) ?? at; next !== at; next = leader.get(at) ?? at) {
      leader.set(at, leader.get(next) ?? next);
      at = next;
    }
    return at;
  };
  for (const edge of view.edges) {
    leader.set(find(edge.from), find(edge.to));
  }
  const groups = new Map<number, { resources: View["resources"][number][]; edges: Edge[]; omitted: number }>();
  for (const resource of view.resources) {
    const key = find(resource.id);
    const group = groups.get(key) ?? { resources: [], edges: [], omitted: 0 };
    group.resources.push(resource);
    groups.set(key, group);
  }
  for (const edge of view.edges) {
    groups.get(find(edge.from))?.edges.push(edge);
  }
  return [...groups.values()];
}

function arrange(view: View, direction: string): Picture {
  const diagram = new Diagram();
  diagram.setGraph({ rankdir: direction, nodesep: 14, ranksep: direction === "LR" ? 64 : 44, marginx: 0, marginy: 0 });
  diagram.setDefaultEdgeLabel(() => ({}));
  for (const resource of view.resources) {
    diagram.setNode(String(resource.id), { ...BOX });
  }
  for (const edge of view.edges) {
    diagram.setEdge(String(edge.from), String(edge.to), {});
  }
  dagre(diagram);
  const size = diagram.graph() as { readonly width?: number; readonly height?: number };
  const boxes = new Map<number, Point>();
  for (const resource of view.resources) {
    const at = diagram.node(String(resource.id)) as Point;
    boxes.set(resource.id, { x: at.x - BOX.width / 2, y: at.y - BOX.height / 2 });
  }
  const lines = view.edges.map((edge) => {
    const drawn = diagram.edge(String(edge.from), String(edge.to)) as { readonly points?: readonly Point[] };
    return { edge, points: drawn.points ?? [] };
  });
  return { boxes, lines, width: size.width ?? BOX.width, height: size.height ?? BOX.height };
}

/** Puts pictures into rows of about this width. */
function pack(parts: readonly Picture[], width: number): Picture {
  const boxes = new Map<number, Point>();
  const lines: Line[] = [];
  let [x, y, row, right] = [0, 0, 0, 0];
  for (const part of parts) {
    if (x > 0 && x + part.width > width) {
      y += row + GAP;
      [x, row] = [0, 0];
    }
    const [dx, dy] = [x + MARGIN, y + MARGIN];
    for (const [id, at] of part.boxes) {
      boxes.set(id, { x: at.x + dx, y: at.y + dy });
    }
    for (const line of part.lines) {
      lines.push({ edge: line.edge, points: line.points.map((p) => ({ x: p.x + dx, y: p.y + dy })) });
    }
    x += part.width + GAP;
    row = Math.max(row, part.height);
    right = Math.max(right, x - GAP);
  }
  return { boxes, lines, width: right + 2 * MARGIN, height: y + row + 2 * MARGIN };
}
