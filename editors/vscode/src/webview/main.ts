// The page of the graph panel: draws what it is told, and says what was clicked.

import { BOX, picture, type Point } from "../graphLayout";
import { choose, family, shorten, type Edge, type Graph, type Resource, type View } from "../graphModel";

declare function acquireVsCodeApi(): {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
};

/** More boxes than this are no picture any more. */
const MOST = 250;
const { width: WIDTH, height: HEIGHT } = BOX;
/** Characters that fit a box. */
const ROOM = 27;
const SVG = "http://www.w3.org/2000/svg";

const editor = acquireVsCodeApi();
const stage = get("stage");
const words = get("words") as HTMLInputElement;
const findings = get("findings") as HTMLInputElement;
const declarations = get("declarations") as HTMLInputElement;
const all = get("all") as HTMLButtonElement;
const status = get("status");

let graph: Graph = { resources: [], edges: [] };
let focus: number | undefined;
let camera = { x: 0, y: 0, scale: 1 };
let scene: SVGGElement | undefined;
let bounds = { width: 1, height: 1 };

function get(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (element === null) {
    throw new Error(`the page has no #${id}`);
  }
  return element;
}

function svg<K extends keyof SVGElementTagNameMap>(
  name: K,
  attributes: Readonly<Record<string, string | number>>,
  ...children: readonly (SVGElement | string)[]
): SVGElementTagNameMap[K] {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) {
    element.setAttribute(key, String(value));
  }
  element.append(...children);
  return element;
}

function draw(keepCamera: boolean): void {
  const wish = { words: words.value, declarations: declarations.checked, findings: findings.checked, focus };
  const view = choose(graph, wish, MOST);
  const focused = graph.resources.find((r) => r.id === focus);
  all.hidden = focused === undefined;
  const count = `${view.resources.length} resource${view.resources.length === 1 ? "" : "s"}, ${view.edges.length} joint${view.edges.length === 1 ? "" : "s"}`;
  const around = focused === undefined ? "" : ` around ${focused.address}`;
  const omitted = view.omitted === 0 ? "" : `; ${view.omitted} more are left out: filter to see them`;
  status.textContent =
    graph.resources.length === 0
      ? "Nothing is declared in this workspace."
      : `${count}${around}${omitted}. Click: open. Shift+click: look around.`;
  const root = svg("svg", { role: "group", "aria-label": "Resource graph" });
  const arrow = svg(
    "marker",
    { id: "arrow", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" },
    svg("path", { d: "M0 0L8 4L0 8z" }),
  );
  root.append(svg("defs", {}, arrow));
  scene = place(view);
  root.append(scene);
  stage.replaceChildren(root);
  attach(root);
  if (keepCamera) {
    move();
  } else {
    fit();
  }
}

function place(view: View): SVGGElement {
  const drawn = picture(view, stage.getBoundingClientRect());
  bounds = drawn;
  const group = svg("g", {});
  for (const { edge, points } of drawn.lines) {
    group.append(line(edge, points));
  }
  for (const resource of view.resources) {
    const at = drawn.boxes.get(resource.id);
    if (at !== undefined) {
      group.append(box(resource, at.x, at.y));
    }
  }
  return group;
}

function line(edge: Edge, points: readonly Point[]): SVGGElement {
  const d = points.map((p, i) => `${i === 0 ? "M" : "L"}${p.x.toFixed(1)} ${p.y.toFixed(1)}`).join("");
  const middle = points[Math.floor(points.length / 2)] ?? { x: 0, y: 0 };
  return svg(
    "g",
    { class: "edge", "data-from": edge.from, "data-to": edge.to },
    svg("path", { d, "marker-end": "url(#arrow)" }),
    svg("text", { x: middle.x, y: middle.y - 4 }, shorten(edge.via, 32)),
  );
}

function box(resource: Resource, x: number, y: number): SVGGElement {
  const found = resource.findings === 0 ? "" : `, ${resource.findings} finding${resource.findings === 1 ? "" : "s"}`;
  const label = `${resource.address} (${resource.kind}) in ${resource.file}${found}`;
  const node = svg(
    "g",
    {
      class: "node",
      transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})`,
      tabindex: 0,
      role: "button",
      "aria-label": label,
    },
    svg("title", {}, label),
    svg("rect", { class: "box", width: WIDTH, height: HEIGHT, rx: 4 }),
    svg("rect", { class: family(resource.kind), width: 4, height: HEIGHT, rx: 2 }),
    svg("text", { class: "name", x: 12, y: 17 }, shorten(resource.address, resource.findings > 0 ? ROOM - 3 : ROOM)),
    svg("text", { class: "kind", x: 12, y: 32 }, shorten(`${resource.kind} · ${resource.file}`, ROOM + 8)),
  );
  if (resource.findings > 0) {
    node.append(
      svg("circle", { class: resource.worst ?? "info", cx: WIDTH - 14, cy: 13, r: 9 }),
      svg(
        "text",
        { class: "count", x: WIDTH - 14, y: 16.5 },
        resource.findings > 99 ? "99+" : String(resource.findings),
      ),
    );
  }
  const act = (shift: boolean) => {
    if (shift) {
      focus = resource.id;
      draw(false);
    } else {
      editor.postMessage({ type: "open", id: resource.id });
    }
  };
  node.addEventListener("click", (event) => {
    act(event.shiftKey);
  });
  node.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      act(event.shiftKey);
    }
  });
  const near = (on: boolean) => {
    for (const edge of stage.querySelectorAll(`.edge[data-from="${resource.id}"], .edge[data-to="${resource.id}"]`)) {
      edge.classList.toggle("near", on);
    }
  };
  for (const [event, on] of [
    ["pointerenter", true],
    ["focus", true],
    ["pointerleave", false],
    ["blur", false],
  ] as const) {
    node.addEventListener(event, () => {
      near(on);
    });
  }
  return node;
}

function fit(): void {
  const { width, height } = stage.getBoundingClientRect();
  // Smaller than this nobody can read it; what does not fit then is reached by dragging.
  const scale = Math.max(0.45, Math.min(1.25, width / bounds.width, height / bounds.height));
  camera = {
    scale,
    x: Math.max(0, (width - bounds.width * scale) / 2),
    y: Math.max(0, (height - bounds.height * scale) / 2),
  };
  move();
}

function move(): void {
  scene?.setAttribute("transform", `translate(${camera.x} ${camera.y}) scale(${camera.scale})`);
}

/** Dragging the ground moves the picture, the wheel zooms at the pointer. */
function attach(root: SVGSVGElement): void {
  let from: { x: number; y: number } | undefined;
  root.addEventListener("pointerdown", (event) => {
    if (event.target === root && event.button === 0) {
      from = { x: event.clientX - camera.x, y: event.clientY - camera.y };
      root.setPointerCapture(event.pointerId);
      root.classList.add("dragging");
    }
  });
  root.addEventListener("pointermove", (event) => {
    if (from !== undefined) {
      camera = { ...camera, x: event.clientX - from.x, y: event.clientY - from.y };
      move();
    }
  });
  root.addEventListener("pointerup", () => {
    from = undefined;
    root.classList.remove("dragging");
  });
  root.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const scale = Math.min(4, Math.max(0.05, camera.scale * Math.exp(-event.deltaY / 400)));
      const box = root.getBoundingClientRect();
      const [x, y] = [event.clientX - box.left, event.clientY - box.top];
      const ratio = scale / camera.scale;
      camera = { scale, x: x - (x - camera.x) * ratio, y: y - (y - camera.y) * ratio };
      move();
    },
    { passive: false },
  );
}

words.addEventListener("input", () => {
  focus = undefined;
  draw(false);
});
for (const choice of [findings, declarations]) {
  choice.addEventListener("change", () => {
    draw(false);
  });
}
all.addEventListener("click", () => {
  focus = undefined;
  draw(false);
});
get("fit").addEventListener("click", fit);

let first = true;
window.addEventListener("message", (event: MessageEvent<{ type: string; graph?: Graph; text?: string }>) => {
  if (event.data.type === "graph" && event.data.graph !== undefined) {
    graph = event.data.graph;
    draw(!first);
    first = false;
  } else if (event.data.type === "problem") {
    status.textContent = event.data.text ?? "";
  }
});
editor.postMessage({ type: "ready" });
