#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::{reached, render, roots};
use crate::formats::kubernetes::testing::{Disk, outcome};
use serde_json::json;

const BASE: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: 1\n  template:\n    spec:\n      containers:\n      - name: app\n        image: nginx:1\n      - name: side\n        image: busybox\n";

#[test]
fn patches_keep_the_way_from_the_base() {
    let disk = Disk::new(&[
        ("base/kustomization.yaml", "resources: [d.yaml]\n"),
        ("base/d.yaml", BASE),
        (
            "prod/kustomization.yaml",
            "resources: [../base]\nnamePrefix: p-\nimages:\n- name: busybox\n  newTag: \"9\"\npatches:\n- patch: |-\n    apiVersion: apps/v1\n    kind: Deployment\n    metadata: {name: web}\n    spec:\n      replicas: 3\n- target: {kind: Deployment}\n  patch: |-\n    - op: replace\n      path: /spec/template/spec/containers/0/image\n      value: nginx:2\n",
        ),
    ]);
    let rendered = disk.render(|f| render("prod", f));
    assert_eq!(rendered.errors, []);
    let body = &rendered.objects[0].body;
    let at = |path: &[&str]| disk.origins(body.at(path).unwrap());
    assert_eq!(at(&["spec", "replicas"]), ["prod/kustomization.yaml:12 3", "base/d.yaml:5 1"]);
    assert_eq!(at(&["metadata", "name"]), ["base/d.yaml:3 web", "prod/kustomization.yaml:2 p-"]);
    let containers = body.at(&["spec", "template", "spec", "containers"]).unwrap().as_list().unwrap();
    assert_eq!(
        disk.origins(containers[0].get("image").unwrap()),
        ["prod/kustomization.yaml:17 nginx:2", "base/d.yaml:10 nginx:1"]
    );
    assert_eq!(
        disk.origins(containers[1].get("image").unwrap()),
        ["prod/kustomization.yaml:5 \"9\"", "base/d.yaml:12 busybox"]
    );
    assert_eq!(containers[1].get("image").unwrap().as_str(), Some("busybox:9"));
}

fn check(kustomization: &str, resources: &str, expected: Result<serde_json::Value, &str>) {
    let disk = Disk::new(&[("k/kustomization.yaml", kustomization), ("k/r.yaml", resources)]);
    let got = outcome(&disk.render(|f| render("k", f)));
    match (got, expected) {
        (Ok(got), Ok(expected)) => assert_eq!(got, expected, "{kustomization}"),
        (Err(got), Err(expected)) => assert!(got.contains(expected), "{kustomization}: {got}"),
        (got, expected) => panic!("{kustomization}: {got:?}, not {expected:?}"),
    }
}

#[test]
fn generators_hash_and_references_follow() {
    check(
        "resources: [r.yaml]\nconfigMapGenerator: [{name: c, literals: [a=1]}]\n",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: x, envFrom: [{configMapRef: {name: c}}]}]}\n",
        Ok(json!([
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c-h29d89cmmt"}, "data": {"a": "1"}},
            {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"},
             "spec": {"containers": [{"name": "x", "envFrom": [{"configMapRef": {"name": "c-h29d89cmmt"}}]}]}},
        ])),
    );
}

#[test]
fn a_generated_object_that_replaces_another_has_its_own_options() {
    let disk = Disk::new(&[
        ("base/kustomization.yaml", "configMapGenerator: [{name: c, literals: [a=1]}]\n"),
        (
            "top/kustomization.yaml",
            "resources: [../base]\nconfigMapGenerator: [{name: c, behavior: merge, literals: [b=2], options: {disableNameSuffixHash: true}}]\n",
        ),
    ]);
    let got = outcome(&disk.render(|f| render("top", f)));
    let expected =
        json!([{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "1", "b": "2"}}]);
    assert_eq!(got, Ok(expected));
}

#[test]
fn lists_without_keys_are_taken_as_they_are() {
    let widget = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\nspec: {l: [{name: a, v: 1}]}\n";
    let patched = |openapi: &str, l: serde_json::Value| {
        check(
            &format!(
                "resources: [r.yaml]\n{openapi}patches:\n- patch: |\n    apiVersion: example.com/v1\n    kind: Widget\n    metadata: {{name: w}}\n    spec: {{l: [{{name: b, n: null}}, {{name: a, $patch: delete}}]}}\n"
            ),
            widget,
            Ok(
                json!([{"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"l": l}}]),
            ),
        );
    };
    patched("", json!([{"name": "b", "n": null}, {"name": "a", "$patch": "delete"}]));
    let disk = Disk::new(&[
        (
            "k/kustomization.yaml",
            "resources: [r.yaml]\nopenapi: {path: s.json}\npatches:\n- patch: |\n    apiVersion: example.com/v1\n    kind: Widget\n    metadata: {name: w}\n    spec: {l: [{name: b, n: null}, {name: a, v: 2}]}\n",
        ),
        ("k/r.yaml", widget),
        (
            "k/s.json",
            r##"{"definitions": {"W": {"properties": {"spec": {"$ref": "#/definitions/S"}},
              "x-kubernetes-group-version-kind": [{"group": "example.com", "version": "v1", "kind": "Widget"}]},
              "S": {"properties": {"l": {"type": "array", "x-kubernetes-patch-merge-key": "name", "x-kubernetes-patch-strategy": "merge"}}}}}"##,
        ),
    ]);
    let got = outcome(&disk.render(|f| render("k", f)));
    let expected = json!([{"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"},
        "spec": {"l": [{"name": "b"}, {"name": "a", "v": 2}]}}]);
    assert_eq!(got, Ok(expected));
}

#[test]
fn a_patch_for_a_target_writes_null_labels_as_texts() {
    let cm = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, labels: {a: x}}\n";
    let patch = "patch: '{apiVersion: v1, kind: ConfigMap, metadata: {name: c, labels: {a: null}}}'";
    let result = |labels: serde_json::Value| Ok(json!([{"apiVersion": "v1", "kind": "ConfigMap", "metadata": labels}]));
    check(&format!("resources: [r.yaml]\npatches:\n- {patch}\n"), cm, result(json!({"name": "c", "labels": {}})));
    check(
        &format!("resources: [r.yaml]\npatches:\n- {patch}\n  target: {{name: c}}\n"),
        cm,
        result(json!({"name": "c", "labels": {"a": "null"}})),
    );
}

#[test]
fn replacements_make_lists_and_keep_types() {
    let rule = |path: &str, from: &str| {
        format!(
            "resources: [r.yaml]\nreplacements:\n- source: {{kind: Widget, fieldPath: {from}}}\n  targets:\n  - select: {{kind: Widget}}\n    fieldPaths: [{path}]\n    options: {{create: true}}\n"
        )
    };
    let widget = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\nspec: {n: 1}\n";
    let result = |spec: serde_json::Value| {
        Ok(json!([{"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": spec}]))
    };
    check(&rule("spec.l.0.x", "metadata.name"), widget, result(json!({"n": 1, "l": [{"x": "w"}]})));
    check(&rule("spec.n", "metadata.name"), widget, Err("cannot decode"));
}

#[test]
fn kustomizes_own_plugins_run_and_others_do_not() {
    let cm = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n";
    let disk = Disk::new(&[
        (
            "k/kustomization.yaml",
            "resources: [r.yaml]\ngenerators:\n- |-\n  apiVersion: builtin\n  kind: ConfigMapGenerator\n  metadata: {name: g, namespace: m}\n  literals: [a=1]\n  options: {disableNameSuffixHash: true}\ntransformers: [t.yaml]\n",
        ),
        ("k/r.yaml", cm),
        (
            "k/t.yaml",
            "apiVersion: builtin\nkind: PrefixTransformer\nmetadata: {name: t}\nprefix: p-\nfieldSpecs: [{path: metadata/name}]\n---\napiVersion: builtin\nkind: NamespaceTransformer\nmetadata: {name: n, namespace: own}\nunsetOnly: true\n---\napiVersion: builtin\nkind: LabelTransformer\nmetadata: {name: l}\nlabels: {a: b}\nfieldSpecs: [{path: metadata/labels, create: true}]\n",
        ),
    ]);
    let got = outcome(&disk.render(|f| render("k", f)));
    let object = |meta: serde_json::Value| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta});
    let mut generated = object(json!({"name": "p-g", "namespace": "m", "labels": {"a": "b"}}));
    generated["data"] = json!({"a": "1"});
    let own = object(json!({"name": "p-c", "namespace": "own", "labels": {"a": "b"}}));
    assert_eq!(got, Ok(json!([generated, own])));
    check(
        "resources: [r.yaml]\ntransformers: ['{apiVersion: example.com/v1, kind: Mine, metadata: {name: m}}']\n",
        cm,
        Err("the plugin Mine is a program"),
    );
}

#[test]
fn what_kustomize_refuses_is_refused() {
    let cm = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n";
    check("resources: [r.yaml]\nnamePrefx: x\n", cm, Err("unknown field"));
    check("resources: [r.yaml]\nnamespace: n\n", cm, Err("namespace"));
    check("resources: [r.yaml, nope.yaml]\n", cm, Err("unable to find one of"));
    check(
        "resources: [r.yaml]\npatches: [{patch: '[{op: replace, path: /x, value: 1}]'}]\n",
        cm,
        Err("must specify a target"),
    );
    check("resources: [r.yaml, 'https://github.com/a/b?ref=v1']\n", cm, Err("is not fetched"));
    check("resources: [../k]\n", cm, Err("cycle"));
    check("{}\n", cm, Err("empty"));
}

#[test]
fn roots_are_what_no_other_uses() {
    let disk = Disk::new(&[
        ("base/kustomization.yaml", "resources: [d.yaml]\n"),
        ("prod/kustomization.yaml", "resources: [../base]\ncomponents: [../comp]\npatches: [{path: p.yaml}]\n"),
        ("comp/kustomization.yaml", "kind: Component\nresources: [e.yaml]\n"),
        ("alone/kustomization.yaml", "kind: Component\nresources: [f.yaml]\n"),
    ]);
    let files: Vec<_> = disk.0.iter().map(|f| (f.path.rsplit_once('/').unwrap().0.to_owned(), f.clone())).collect();
    assert_eq!(roots(&files), ["prod"]);
    let mut all = reached("prod", &files);
    all.sort();
    assert_eq!(
        all,
        [
            "base/d.yaml",
            "base/kustomization.yaml",
            "comp/e.yaml",
            "comp/kustomization.yaml",
            "prod/kustomization.yaml",
            "prod/p.yaml"
        ]
    );
}
