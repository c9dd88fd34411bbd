import assert from "node:assert/strict";
import { test } from "node:test";
import { choose, family, shorten, type Edge, type Graph, type Resource, type Wish } from "../src/graphModel";
import { BOX, picture } from "../src/graphLayout";
import { page } from "../src/graphPage";

function resource(id: number, address: string, kind: string, findings = 0): Resource {
  return { id, address, kind, file: "main.tf", location: null, findings, worst: findings > 0 ? "high" : null };
}

function edge(from: number, to: number, via = "x"): Edge {
  return { from, to, via };
}

const graph: Graph = {
  resources: [
    resource(0, "var.name", "variable"),
    resource(1, "aws_s3_bucket.a", "aws_s3_bucket", 2),
    resource(2, "aws_s3_bucket_policy.a", "aws_s3_bucket_policy"),
    resource(3, "aws_iam_role.r", "aws_iam_role"),
    resource(4, "Service/web", "Service"),
    resource(5, "provider.aws", "provider.aws"),
    resource(6, "web/Dockerfile:1/COPY[0]", "COPY"),
  ],
  edges: [edge(1, 0), edge(2, 1), edge(3, 2), edge(1, 5), edge(2, 1, "y"), edge(3, 3)],
};
const everything: Wish = { words: "", declarations: false, findings: false, focus: undefined };

function ids(wish: Partial<Wish>, most = 100): number[] {
  return choose(graph, { ...everything, ...wish }, most).resources.map((r) => r.id);
}

test("what is declared for others is left out, unless it is asked for", () => {
  assert.deepEqual(ids({}), [1, 2, 3, 4]);
  assert.deepEqual(ids({ declarations: true }), [0, 1, 2, 3, 4, 5, 6]);
});

test("a filter finds by all its words, and shows the neighbours", () => {
  assert.deepEqual(ids({ words: "BUCKET_policy main" }), [1, 2, 3]);
  assert.deepEqual(ids({ words: "service" }), [4]);
  assert.deepEqual(ids({ words: "nothing of the kind" }), []);
});

test("findings and what is joined to them", () => {
  assert.deepEqual(ids({ findings: true }), [1, 2]);
});

test("a focus has its surroundings, and may be a declaration", () => {
  assert.deepEqual(ids({ focus: 3 }), [1, 2, 3]);
  assert.deepEqual(ids({ focus: 0 }), [0, 1, 2]);
  // A focus that is gone after an edit is no focus.
  assert.deepEqual(ids({ focus: 99 }), [1, 2, 3, 4]);
});

test("joints between the same two are one, none leads to itself or out of the picture", () => {
  assert.deepEqual(choose(graph, everything, 100).edges, [edge(2, 1, "x, y"), edge(3, 2)]);
});

test("of too many those with findings and joints stay, and the rest is counted", () => {
  const view = choose(graph, everything, 2);
  assert.deepEqual(
    view.resources.map((r) => r.id),
    [1, 2],
  );
  assert.equal(view.omitted, 2);
});

test("long addresses keep both ends", () => {
  assert.equal(shorten("short", 10), "short");
  assert.equal(shorten("module.network.aws_subnet.private", 12).length, 12);
  assert.match(shorten("module.network.aws_subnet.private", 12), /^modu…private$/);
});

test("kinds have families", () => {
  for (const [kind, expected] of [
    ["data.aws_iam_policy_document", "aws"],
    ["azurerm_subnet", "azure"],
    ["google_sql_database", "google"],
    ["NetworkPolicy", "kubernetes"],
    ["stage", "docker"],
    ["Dockerfile", "docker"],
    ["module", "module"],
    ["random_password", "other"],
  ] as const) {
    assert.equal(family(kind), expected, kind);
  }
});

test("the page runs our script alone and asks for nothing", () => {
  const html = page("https://file+.example/dist/graph.js?a&b", "bm9uY2U=");
  const policy = /Content-Security-Policy" content="([^"]+)"/.exec(html)?.[1] ?? "";
  assert.match(policy, /^default-src 'none'; script-src 'nonce-bm9uY2U='; style-src 'nonce-bm9uY2U='/);
  assert.doesNotMatch(policy, /unsafe|https?:|\*/);
  assert.equal(html.match(/<script/g)?.length, 1);
  assert.doesNotMatch(html, / on[a-z]+=| style=/);
});

test("every box has its place, none lies on another, and all are inside the picture", () => {
  const many = Array.from({ length: 60 }, (_, i) => resource(i, `r.${i}`, "aws_x"));
  // Chains, a star, a circle, and twenty that stand alone.
  const edges = many
    .slice(0, 40)
    .map((r) => edge(r.id, r.id % 10 === 0 ? 0 : r.id < 20 ? r.id - 1 : r.id === 29 ? 20 : r.id + 1));
  const view = choose({ resources: many, edges }, everything, 100);
  for (const panel of [
    { width: 500, height: 700 },
    { width: 1600, height: 300 },
    { width: 0, height: 0 },
  ]) {
    const drawn = picture(view, panel);
    const boxes = [...drawn.boxes.values()];
    assert.equal(boxes.length, 60);
    assert.equal(drawn.lines.length, view.edges.length);
    for (const [i, a] of boxes.entries()) {
      assert.ok(a.x >= 0 && a.y >= 0 && a.x + BOX.width <= drawn.width && a.y + BOX.height <= drawn.height);
      for (const b of boxes.slice(i + 1)) {
        const apart = Math.abs(a.x - b.x) >= BOX.width || Math.abs(a.y - b.y) >= BOX.height;
        assert.ok(apart, `${JSON.stringify(a)} and ${JSON.stringify(b)} overlap`);
      }
    }
  }
});

test("the picture takes the panel's shape", () => {
  const view = choose(
    { resources: Array.from({ length: 30 }, (_, i) => resource(i, `r.${i}`, "x")), edges: [] },
    everything,
    100,
  );
  const wide = picture(view, { width: 1600, height: 400 });
  const tall = picture(view, { width: 400, height: 1600 });
  assert.ok(wide.width / wide.height > 1 && tall.width / tall.height < 1);
});

test("nothing at all is an empty picture", () => {
  const drawn = picture({ resources: [], edges: [], omitted: 0 }, { width: 400, height: 400 });
  assert.equal(drawn.boxes.size, 0);
  assert.ok(Number.isFinite(drawn.width) && Number.isFinite(drawn.height));
});
