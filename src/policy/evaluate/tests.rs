//! The language, test by test: a condition in YAML, a resource in YAML, and what the one says of the other.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at the first surprise")]

use super::*;
use crate::base::{Files, Span};
use crate::graph::{CauseKind, Edge, Ends, How, Map, Resource};
use crate::policy::explain;
use crate::policy::select::Choice;
use crate::syntax::yaml::{self, Scalar, Schema};
use proptest::prelude::*;

/// A value out of YAML; `?` alone is unknown, `a…b` is a text that begins and ends so, `!sensitive x` is sensitive.
fn value(node: yaml::Node<'_>) -> Value {
    let span = node.span();
    if node.is_mapping() {
        let mut map = Map::new(None);
        for (key, v) in node.entries() {
            let mut v = value(v);
            if let Data::Map(inner) = &mut v.data {
                Arc::make_mut(inner).head = Some(key.span());
            }
            map.insert(key.text().unwrap(), key.span(), v);
        }
        return Value::map(map, span);
    }
    if node.is_sequence() {
        return Value::list(node.items().map(value).collect(), span);
    }
    match node.scalar(Schema::Yaml12).unwrap() {
        Scalar::String(s) if s.contains('…') => {
            let mut part = Value::unknown(CauseKind::Input, "nobody says", span);
            let (start, end) = s.split_once('…').unwrap();
            part.origin.how = How::Partial(Arc::new(Ends { start: start.into(), end: end.into() }));
            part
        }
        Scalar::String("?") => Value::unknown(CauseKind::Input, "nobody says", span),
        Scalar::Null => Value::literal(Data::Null, span),
        Scalar::Bool(b) => Value::bool(b, span),
        Scalar::Int(n) => Value::int(n, span),
        Scalar::Float(f, _) => Value::literal(Data::Number(f.into()), span),
        Scalar::String(s) => {
            let mut text = Value::string(s, span);
            text.origin.sensitive = node.tag() == Some("!sensitive");
            text
        }
    }
}

/// A graph out of YAML: `kind.name: {…}` for each resource, and under `edges` a list of `[from, through, to]`.
fn graph(text: &str, files: &mut Files) -> ResourceGraph {
    let file = files.set("graph.yaml", text.into());
    let tree = yaml::parse(file, text.into());
    assert!(tree.errors.is_empty(), "{:?}", tree.errors);
    let mut graph = ResourceGraph::default();
    let root = tree.root().unwrap();
    for (key, body) in root.entries() {
        let address = key.text().unwrap();
        if address == "edges" {
            continue;
        }
        let (kind, name) = address.split_once('.').unwrap();
        let mut body = value(body);
        if let Data::Map(map) = &mut body.data {
            Arc::make_mut(map).head = Some(key.span());
        }
        graph.add(Arc::new(Resource {
            kind: kind.into(),
            address: address.into(),
            name: name.into(),
            unit: "".into(),
            span: key.span().to(body.span()),
            head: key.span(),
            body,
            callers: Arc::new([]),
            parent: None,
        }));
    }
    if let Some(edges) = root.get("edges") {
        for edge in edges.items() {
            let words: Vec<&str> = edge.items().map(|w| w.text().unwrap()).collect();
            let at = |address: &str| graph.at_address(address)[0];
            let edge = Edge { from: at(words[0]), to: at(words[2]), via: words[1].into(), span: Span::NONE };
            graph.connect(edge);
        }
    }
    graph
}

/// What all policies say of all resources.
#[derive(Default)]
struct Outcome {
    findings: Vec<Finding>,
    unknowns: Vec<Unknown>,
}

fn evaluate(graph: &ResourceGraph, set: &PolicySet, chosen: &Chosen, files: &Files) -> Outcome {
    let documents = Documents::new(files);
    let evaluation = Evaluation::new(graph, set, chosen, &documents);
    let mut outcome = Outcome::default();
    for id in graph.ids() {
        for &policy in evaluation.policies(&graph.get(id).kind) {
            let judgement = evaluation.judge(id, policy);
            assert_eq!(judgement.broken, None);
            outcome.findings.extend(judgement.findings);
            outcome.unknowns.extend(judgement.unknowns);
        }
    }
    outcome
}

/// A policy over `thing` with this `deny` (and whatever fields follow it), compiled.
fn policies(deny: &str, more: &str) -> PolicySet {
    let indented = deny.trim_end().replace('\n', "\n  ");
    let text = format!(
        "name: p\ntitle: t\nseverity: low\ncategory: hygiene\nresource: [thing, \"view*\"]\nwhy: w\nremediation: r\n\
         references: [https://example.org]\nexamples: {{bad: [{{dockerfile: x}}], good: [{{dockerfile: x}}]}}\n\
         deny:\n  {indented}\n{more}\n{}",
        if more.contains("message:") { "" } else { "message: m" }
    );
    let mut files = Files::default();
    files.set("p.yaml", text.as_str().into());
    let (set, errors) = PolicySet::from_files(&files, "");
    assert!(errors.is_empty(), "{errors:?}\n{text}");
    set
}

fn run(set: &PolicySet, text: &str) -> (Outcome, Files) {
    let mut files = Files::default();
    let graph = graph(text, &mut files);
    let chosen = set.choose(&Choice::default()).unwrap();
    let outcome = evaluate(&graph, set, &chosen, &files);
    // The proof must say what the evaluation says.
    for id in graph.ids().filter(|id| &*graph.get(*id).kind == "thing") {
        let address = &graph.get(id).address;
        for proof in explain::explain(&graph, set, &chosen, &files, "p", address).unwrap() {
            let found = outcome.findings.iter().filter(|f| f.resource == id).count();
            let unknown = outcome.unknowns.iter().filter(|u| u.resource == id).count();
            match proof.truth {
                Truth::True => assert!(found > 0, "{proof:?}"),
                Truth::Unknown => assert!(unknown > 0, "{proof:?}"),
                Truth::False => {}
            }
            if set.get("p").unwrap().policy.for_each.is_none() {
                assert_eq!(proof.truth == Truth::True, found == 1, "{proof:?}");
                assert_eq!(proof.truth == Truth::Unknown, unknown == 1, "{proof:?}");
            }
        }
    }
    (outcome, files)
}

/// What a condition says of the body of a thing.
fn truth(deny: &str, body: &str) -> Truth {
    let (outcome, _) = run(&policies(deny, ""), &format!("thing.x: {body}"));
    match (outcome.findings.len(), outcome.unknowns.len()) {
        (1, 0) => Truth::True,
        (0, 1) => Truth::Unknown,
        (0, 0) => Truth::False,
        other => panic!("{other:?}"),
    }
}

/// Holds conditions against bodies: `t`, `f` or `u`.
fn check(cases: &[(&str, &str, char)]) {
    for (deny, body, expected) in cases {
        let expected = match expected {
            't' => Truth::True,
            'f' => Truth::False,
            _ => Truth::Unknown,
        };
        assert_eq!(truth(deny, body), expected, "{deny}   of   {body}");
    }
}

#[test]
fn presence() {
    check(&[
        ("{path: $.a, exists: true}", "{a: 1}", 't'),
        ("{path: $.a, exists: true}", "{a: null}", 'f'),
        ("{path: $.a, exists: true}", "{a: '?'}", 't'),
        ("{path: $.a, missing: true}", "{b: 1}", 't'),
        ("{path: $.a, missing: true}", "{a: null}", 't'),
        ("{path: $.a, missing: false}", "{a: 1}", 't'),
        ("{path: $.a.b, missing: true}", "{a: '?'}", 'u'),
        ("{path: $.a.b, exists: true}", "{a: '?'}", 'u'),
        ("{path: $.a, is_empty: true}", "{a: []}", 't'),
        ("{path: $.a, is_empty: true}", "{a: {}}", 't'),
        ("{path: $.a, is_empty: true}", "{b: 1}", 't'),
        ("{path: $.a, is_empty: true}", "{a: x}", 'f'),
        ("{path: $.a, is_empty: false}", "{b: 1}", 'f'),
    ]);
}

#[test]
fn absent_takes_the_default_or_is_false() {
    check(&[
        ("{path: $.a, equals: true}", "{}", 'f'),
        ("{path: $.a, not_equals: true}", "{}", 'f'),
        ("{not: {path: $.a, equals: true}}", "{}", 't'),
        ("{path: $.a, equals: true, default: true}", "{}", 't'),
        ("{path: $.a, equals: true, default: true}", "{a: null}", 't'),
        ("{path: $.a, equals: true, default: true}", "{a: false}", 'f'),
        ("{path: $.a, equals: 1, quantifier: none}", "{}", 't'),
        ("{path: $.a, equals: 1, quantifier: every}", "{}", 'f'),
    ]);
}

#[test]
fn scalars_compare_as_the_formats_convert_them() {
    check(&[
        ("{path: $.a, equals: true}", "{a: 'true'}", 't'),
        ("{path: $.a, equals: 22}", "{a: '22'}", 't'),
        ("{path: $.a, equals: '22'}", "{a: 22}", 't'),
        ("{path: $.a, equals: '22.0'}", "{a: 22}", 't'),
        ("{path: $.a, equals: Abc}", "{a: abc}", 'f'),
        ("{path: $.a, equals: Abc, ignore_case: true}", "{a: abc}", 't'),
        ("{path: $.a, equals: [1, 2]}", "{a: [1, '2']}", 't'),
        ("{path: $.a, equals: {b: 1}}", "{a: {b: 1}}", 't'),
        ("{path: $.a, equals: {b: 1}}", "{a: {b: '?'}}", 'u'),
        ("{path: $.a, equals: {b: 1}}", "{a: {c: '?'}}", 'f'),
        ("{path: $.a, is_true: true}", "{a: 'true'}", 't'),
        ("{path: $.a, is_true: false}", "{a: no idea}", 't'),
        ("{path: $.a, is_false: true}", "{a: false}", 't'),
        ("{path: $.a, in: [x, 1]}", "{a: '1'}", 't'),
        ("{path: $.a, not_in: [x, 1]}", "{a: y}", 't'),
        ("{path: $.a, not_in: [x, 1]}", "{a: '?'}", 'u'),
    ]);
}

#[test]
fn texts_that_are_known_in_part() {
    check(&[
        ("{path: $.a, equals: '*'}", "{a: 'arn:…'}", 'f'),
        ("{path: $.a, equals: 'arn:x'}", "{a: 'arn:…'}", 'u'),
        ("{path: $.a, not_equals: '*'}", "{a: '…/x'}", 't'),
        ("{path: $.a, equals: aba}", "{a: ab…ba}", 'f'),
        ("{path: $.a, equals: 1}", "{a: '1.…'}", 'u'),
        ("{path: $.a, in: ['*', x]}", "{a: '…/x'}", 'f'),
        ("{path: $.a, in: ['*', /x]}", "{a: '…/x'}", 'u'),
        ("{path: $.a, starts_with: 'http:'}", "{a: 'http://…'}", 't'),
        ("{path: $.a, starts_with: 'https:'}", "{a: 'http://…'}", 'f'),
        ("{path: $.a, starts_with: 'http://b'}", "{a: 'http://…'}", 'u'),
        ("{path: $.a, ends_with: ':latest'}", "{a: '…:latest'}", 't'),
        ("{path: $.a, ends_with: ':latest'}", "{a: '…:1'}", 'f'),
        ("{path: $.a, contains: '://'}", "{a: 'http://…'}", 't'),
        ("{path: $.a, not_contains: y}", "{a: 'http://…'}", 'u'),
        ("{path: $.a, is_empty: true}", "{a: 'x…'}", 'f'),
        ("{path: $.a, matches: x}", "{a: 'x…'}", 'u'),
        ("{path: $.a, equals: '*', ignore_case: true}", "{a: 'x…'}", 'u'),
    ]);
}

#[test]
fn texts() {
    check(&[
        ("{path: $.a, matches: '^ab+$'}", "{a: abb}", 't'),
        ("{path: $.a, matches: [x, b]}", "{a: abb}", 't'),
        ("{path: $.a, matches: '^AB', ignore_case: true}", "{a: abb}", 't'),
        ("{path: $.a, not_matches: b}", "{a: abb}", 'f'),
        ("{path: $.a, not_matches: b}", "{a: [x]}", 'f'),
        ("{path: $.a, starts_with: [x, a]}", "{a: abb}", 't'),
        ("{path: $.a, ends_with: B, ignore_case: true}", "{a: abb}", 't'),
        ("{path: $.a, contains: bb}", "{a: abb}", 't'),
        ("{path: $.a, contains: 2}", "{a: [1, '2']}", 't'),
        ("{path: $.a, contains: 2}", "{a: [1, '?']}", 'u'),
        ("{path: $.a, contains: 1}", "{a: [1, '?']}", 't'),
        ("{path: $.a, contains: k}", "{a: {k: 1}}", 't'),
        ("{path: $.a, not_contains: k}", "{a: {j: 1}}", 't'),
        ("{path: $.a, contains_any: [x, b]}", "{a: [b]}", 't'),
        ("{path: $.a, contains_all: [x, b]}", "{a: [b]}", 'f'),
        ("{path: $.a, contains_all: [x, b]}", "{a: [b, '?']}", 'u'),
        ("{path: $.a, subset_of: [x, b]}", "{a: [b, '?']}", 'u'),
        ("{path: $.a, subset_of: [x, b]}", "{a: [c, '?']}", 'f'),
        ("{path: $.a, subset_of: [x, b]}", "{a: b}", 't'),
        ("{path: $.a, superset_of: [x, b]}", "{a: [b, x, y]}", 't'),
        ("{path: $.a, intersects: [x, b]}", "{a: [c, d]}", 'f'),
    ]);
}

#[test]
fn numbers_lengths_versions_and_types() {
    check(&[
        ("{path: $.a, less_than: 7}", "{a: '6.5'}", 't'),
        ("{path: $.a, at_most: 7}", "{a: 7}", 't'),
        ("{path: $.a, greater_than: 7}", "{a: seven}", 'f'),
        ("{path: $.a, at_least: 7, at_most: 9}", "{a: 8}", 't'),
        ("{path: $.a, length: {at_least: 2}}", "{a: [1]}", 'f'),
        ("{path: $.a, length: {at_least: 2}}", "{a: äö}", 't'),
        ("{path: $.a, length: {equals: 1}}", "{a: {b: 1}}", 't'),
        ("{path: $.a, version: '>=1.2, <1.30'}", "{a: '1.9'}", 't'),
        ("{path: $.a, version: ['<1', '=2']}", "{a: '2.0'}", 't'),
        ("{path: $.a, version: '<1'}", "{a: latest}", 'f'),
        ("{path: $.a, type: [list, map]}", "{a: []}", 't'),
        ("{path: $.a, type: string}", "{a: 1}", 'f'),
        ("{path: $.a, type: string}", "{a: '?'}", 'u'),
        ("{path: $..*, is_secret: named}", "{env: [{name: DB_PASS, value: horse7}]}", 't'),
        ("{path: $..*, is_secret: named}", "{env: [{name: DB_HOST, value: horse7}]}", 'f'),
        ("{path: $..*, is_secret: key}", "{env: [{name: DB_PASS, value: horse7}]}", 'f'),
        ("{path: $..*, is_secret: key}", "{url: 'https://me:horse7@example.org/'}", 't'),
        // What is not known is not written.
        ("{path: $..*, is_secret: named}", "{password: '?'}", 'f'),
        ("{path: $..*, is_secret: key}", "{a: {b: '?'}}", 'f'),
        ("{path: $..*, is_secret: key}", "{url: 'https://me:horse7@example.org/…x'}", 't'),
        ("{path: $..*, is_secret: key}", "{url: 'https://…/x'}", 'f'),
        ("{path: $.a, is_written: true}", "{a: 1}", 't'),
    ]);
}

#[test]
fn addresses_and_ports() {
    check(&[
        ("{path: '$.a[*]', cidr: {any: true}}", "{a: [10.0.0.0/8, '::/0']}", 't'),
        ("{path: '$.a[*]', cidr: {any: true}}", "{a: [10.0.0.0/8, '?']}", 'u'),
        ("{path: '$.a[*]', cidr: {any: true}}", "{a: [0.0.0.0/0, '?']}", 't'),
        ("{path: $.a, cidr: {public: true, larger_than: 16}}", "{a: 8.0.0.0/8}", 't'),
        ("{path: $.a, cidr: {within: [10.0.0.0/8, 172.16.0.0/12]}}", "{a: 172.16.4.0/24}", 't'),
        ("{path: $.a, cidr: {contains: 10.0.0.1}}", "{a: 10.0.0.0/30}", 't'),
        ("{path: $.a, cidr: {overlaps: 10.0.0.0/8}}", "{a: 0.0.0.0/0}", 't'),
        ("{path: $.a, cidr: {any: false}}", "{a: sg-123}", 'f'),
        ("{path: $.a, ports: {includes: [22, 3389]}}", "{a: [80, 20-25]}", 't'),
        ("{path: $.a, ports: {includes: 22}}", "{a: ['80', '?']}", 'u'),
        ("{path: $.a, ports: {any: true}}", "{a: '*'}", 't'),
        ("{ports: {from: $.f, to: $.t, includes: [22]}}", "{f: 20, t: 25}", 't'),
        ("{ports: {from: $.f, to: $.t, includes: [22]}}", "{f: 22}", 't'),
        ("{ports: {from: $.f, to: $.t, includes: [22]}}", "{f: 20, t: '?'}", 'u'),
        ("{ports: {from: $.f, to: $.t, includes: [22]}}", "{}", 'f'),
        ("{ports: {from: $.f, to: $.t, any: true}}", "{f: -1, t: -1}", 't'),
        ("{path: $.a, ports: {more_than: 11}}", "{a: [443, 8000-8010]}", 'f'),
        ("{path: $.a, ports: {more_than: 10}}", "{a: [443, 8000-8010]}", 't'),
        ("{path: $.a, ports: {more_than: 10}}", "{a: [443, '?']}", 'u'),
        ("{ports: {from: $.f, to: $.t, more_than: 1}}", "{f: 22}", 'f'),
    ]);
}

#[test]
fn paths() {
    check(&[
        // A name on a list reads every element, at any depth.
        ("{path: $.a.b, equals: 2}", "{a: [{b: 1}, {b: 2}]}", 't'),
        ("{path: $.a.b.c, equals: 2}", "{a: [{b: [{c: 1}, {c: 2}]}]}", 't'),
        ("{path: $.a.b, equals: 2, quantifier: every}", "{a: [{b: 1}, {b: 2}]}", 'f'),
        ("{path: '$.a[0].b', equals: 1}", "{a: [{b: 1}, {b: 2}]}", 't'),
        ("{path: '$.a[-1]', equals: 2}", "{a: [1, 2]}", 't'),
        ("{path: '$.a[1:]', equals: 1}", "{a: [1, 2, 3]}", 'f'),
        ("{path: '$.a[*]', equals: 2}", "{a: {x: 1, y: 2}}", 't'),
        ("{path: \"$['a b','c']\", equals: 2}", "{c: 2}", 't'),
        ("{path: $..b, equals: 2}", "{a: [{b: 1}, {x: {b: 2}}]}", 't'),
        ("{path: $.a.keys(), matches: ^x}", "{a: {xy: 1}}", 't'),
        ("{path: \"$.a.split(',')\", equals: b}", "{a: 'a, b'}", 't'),
        ("{path: \"$.a.split('.', 1)\", equals: 2}", "{a: 1.2.3.4}", 't'),
        ("{path: \"$.a.split('.', 1)\", equals: 3}", "{a: 1.2.3.4}", 'f'),
        ("{path: \"$.a.split('.', 2)\", equals: {path: \"$.b.split('.', 2)\"}}", "{a: 1.2.3.4, b: 4.3.3.1}", 't'),
        ("{path: \"$.a.split('.', 4)\", exists: true}", "{a: 1.2.3.4}", 'f'),
        ("{path: '$.a.json().b[*].c', is_true: true}", "{a: '{\"b\": [{\"c\": true}]}'}", 't'),
        ("{path: $.a.json().b, equals: 1}", "{a: 'b: 1'}", 't'),
        ("{path: $.a.json().b, exists: true}", "{a: text}", 'f'),
        ("{path: $.a.json().b, exists: true}", "{a: '?'}", 'u'),
        ("{path: $.a.quantity(), equals: {path: $.b.quantity()}}", "{a: 1, b: 1000m}", 't'),
        ("{path: $.a.quantity(), equals: {path: $.b.quantity()}}", "{a: 0.25Gi, b: 256Mi}", 't'),
        ("{path: $.a.quantity(), less_than: 2000}", "{a: 2Ki}", 'f'),
        ("{path: $.a.quantity(), exists: true}", "{a: much}", 'f'),
        ("{path: $.a, selects_labels: {path: $.b}}", "{a: {matchLabels: {x: y}}, b: {x: y, z: 1}}", 't'),
        ("{path: $.a, selects_labels: {path: $.b}}", "{a: {matchLabels: {x: y}}, b: {x: z}}", 'f'),
        ("{path: $.a, selects_labels: {path: $.b}}", "{a: {x: y}, b: {x: y}}", 't'),
        ("{path: $.a, selects_labels: {path: $.b}}", "{a: {}, b: {x: y}}", 't'),
        ("{path: $.a, selects_labels: {path: $.b}}", "{a: {x: y}, b: {x: '?'}}", 'u'),
        (
            "{path: $.a, selects_labels: {path: $.b}}",
            "{a: {matchExpressions: [{key: x, operator: NotIn, values: [y]}]}, b: {x: y}}",
            'f',
        ),
    ]);
}

#[test]
fn filters_are_conditions() {
    check(&[
        ("{path: \"$.a[?@.n == 'x'].v\", equals: 1}", "{a: [{n: x, v: 1}, {n: y, v: 2}]}", 't'),
        ("{path: \"$.a[?@.n == 'x' && @.v > 1]\", exists: true}", "{a: [{n: x, v: 1}]}", 'f'),
        ("{path: \"$.a[?!(@.n == 'x')].v\", equals: 2}", "{a: [{n: x, v: 1}, {n: y, v: 2}]}", 't'),
        ("{path: \"$.a[?@.n != 'x'].v\", equals: 2}", "{a: [{n: x, v: 1}, {v: 2}]}", 't'),
        ("{path: '$.a[?@.n].v', equals: 2}", "{a: [{n: x, v: 1}, {v: 2}]}", 'f'),
        ("{path: '$.a[?@.n == 22].v', equals: 1}", "{a: [{n: '22', v: 1}]}", 't'),
        ("{path: '$.a[?22 == @.n].v', equals: 1}", "{a: [{n: '22', v: 1}]}", 't'),
        ("{path: \"$.a[?search(@.n, '^x')].v\", equals: 1}", "{a: [{n: xy, v: 1}]}", 't'),
        ("{path: \"$.a[?match(@.n, 'x')].v\", equals: 1}", "{a: [{n: xy, v: 1}]}", 'f'),
        ("{path: '$.a[?length(@.n) > 1].v', equals: 1}", "{a: [{n: xy, v: 1}]}", 't'),
        ("{path: '$.a[?count(@.n[*]) >= 2].v', equals: 1}", "{a: [{n: [1, 2], v: 1}]}", 't'),
        ("{path: '$.a[?@.n == $.want].v', equals: 1}", "{want: x, a: [{n: x, v: 1}]}", 't'),
        // Whether the element passes is not known: neither is what follows.
        ("{path: \"$.a[?@.n == 'x'].v\", equals: 1}", "{a: [{n: '?', v: 1}]}", 'u'),
        ("{path: \"$.a[?@.n == 'x'].v\", equals: 2}", "{a: [{n: '?', v: 1}]}", 'f'),
        ("{path: \"$.a[?@.n == 'x']\", missing: true}", "{a: [{n: '?', v: 1}]}", 'u'),
    ]);
}

#[test]
fn composition_follows_three_valued_logic() {
    check(&[
        ("{all: [{path: $.a, equals: 1}, {path: $.b, equals: 1}]}", "{a: 1, b: '?'}", 'u'),
        ("{all: [{path: $.a, equals: 1}, {path: $.b, equals: 1}]}", "{a: 2, b: '?'}", 'f'),
        ("{any: [{path: $.a, equals: 1}, {path: $.b, equals: 1}]}", "{a: 1, b: '?'}", 't'),
        ("{any: [{path: $.a, equals: 1}, {path: $.b, equals: 1}]}", "{a: 2, b: '?'}", 'u'),
        ("{not: {path: $.a, equals: 1}}", "{a: '?'}", 'u'),
        ("[{path: $.a, equals: 1}, {kind: thing}]", "{a: 1}", 't'),
        ("{kind: 'th*', path: $.a, equals: 1}", "{a: 1}", 't'),
        ("true", "{}", 't'),
        ("{path: '$.a[*]', equals: 1, quantifier: every}", "{a: [1, '?']}", 'u'),
        ("{path: '$.a[*]', equals: 1, quantifier: every}", "{a: [2, '?']}", 'f'),
        ("{path: '$.a[*]', equals: 1, quantifier: none}", "{a: [2, '?']}", 'u'),
        ("{path: '$.a[*]', equals: 1, quantifier: none}", "{a: [1, '?']}", 'f'),
    ]);
}

#[test]
fn for_each_counts_nodes() {
    check(&[
        ("{for_each: $.r, some: {path: '@.a', equals: 1}}", "{r: [{a: 2}, {a: 1}]}", 't'),
        // A name at the end leads to the elements of a list, as it does within a path; a map stays one node.
        (
            "{for_each: $.r, some: {all: [{path: '@.a', equals: 1}, {path: '@.b', equals: 2}]}}",
            "{r: [{a: 1}, {b: 2}]}",
            'f',
        ),
        ("{for_each: $.r, some: true, at_least: 2}", "{r: [{a: 1}, {b: 2}]}", 't'),
        ("{for_each: $.r, some: true, at_least: 2}", "{r: {a: 1, b: 2}}", 'f'),
        ("{for_each: \"$['r','s']\", some: true, at_least: 3}", "{r: [1, 2], s: [3]}", 't'),
        ("{for_each: $.r, some: true}", "{r: []}", 'f'),
        ("{for_each: $.r, every: {path: '@.a', equals: 1}}", "{r: []}", 't'),
        ("{for_each: '$.r[*]', some: {path: '@.a', equals: 1}}", "{r: [{a: 2}, {a: 1}]}", 't'),
        ("{for_each: '$.r[*]', some: {path: '@.a', equals: 1}}", "{}", 'f'),
        ("{for_each: '$.r[*]', every: {path: '@.a', equals: 1}}", "{}", 't'),
        ("{for_each: '$.r[*]', none: {path: '@.a', equals: 1}}", "{}", 't'),
        ("{for_each: '$.r[*]', every: {path: '@.a', equals: 1}}", "{r: [{a: 1}, {a: '?'}]}", 'u'),
        ("{for_each: '$.r[*]', none: {path: '@.a', equals: 1}}", "{r: '?'}", 'u'),
        ("{for_each: '$.r[*]', some: {path: '@.a', equals: 1}, at_least: 2}", "{r: [{a: 1}, {a: '?'}]}", 'u'),
        ("{for_each: '$.r[*]', some: {path: '@.a', equals: 1}, at_least: 2}", "{r: [{a: 1}, {a: 1}]}", 't'),
        ("{for_each: '$.r[*]', some: true, at_most: 1}", "{r: [{a: 1}, {a: 1}]}", 'f'),
        ("{for_each: '$.r[*]', some: true, at_most: 1}", "{}", 't'),
        // Names reach outward; the operand may be a path.
        (
            "{for_each: '$.r[*]', as: outer, some: {for_each: '$.s[*]', some: {path: '@.a', equals: {path: '@outer.a'}}}}",
            "{r: [{a: 1}, {a: 2}], s: [{a: 2}]}",
            't',
        ),
    ]);
}

/// What a condition says of `thing.x` in a graph.
fn in_graph(deny: &str, text: &str) -> Truth {
    let (outcome, _) = run(&policies(deny, ""), text);
    let x = |id: ResourceId| id == ResourceId(0);
    if outcome.findings.iter().any(|f| x(f.resource)) {
        Truth::True
    } else if outcome.unknowns.iter().any(|u| x(u.resource)) {
        Truth::Unknown
    } else {
        Truth::False
    }
}

#[test]
fn related_hops_over_edges() {
    let two = "thing.x: {n: 1}\nother.a: {ok: true}\nother.b: {ok: false}\nedges: [[other.a, ref, thing.x], [thing.x, to, other.b]]";
    for (deny, expected) in [
        ("related: {kind: other}", Truth::True),
        ("related: {kind: nothing}", Truth::False),
        ("related: {kind: other, direction: in, some: {path: $.ok, is_true: true}}", Truth::True),
        ("related: {kind: other, direction: out, some: {path: $.ok, is_true: true}}", Truth::False),
        ("related: {kind: other, through: to, every: {path: $.ok, is_true: true}}", Truth::False),
        ("related: {kind: other, through: [ref, 't*'], some: true, at_least: 2}", Truth::True),
        ("related: {kind: other, none: {path: '@root.n', equals: 2}}", Truth::True),
        (
            "related: {kind: other, as: o, some: {related: {kind: thing, some: {path: '@o.ok', is_true: true}}}}",
            Truth::True,
        ),
        ("resources: {kind: 'oth*', some: {path: $.ok, is_false: true}}", Truth::True),
        ("resources: {kind: other, some: true, at_least: 3}", Truth::False),
    ] {
        assert_eq!(in_graph(deny, two), expected, "{deny}");
    }
}

#[test]
fn a_reference_that_leads_nowhere_known_makes_the_answer_unknown() {
    let loose = "thing.x: {n: 1}\nother.a: {ref: '?', ok: true}";
    for (deny, expected) in [
        ("related: {kind: other, through: ref, direction: in, none: true}", Truth::Unknown),
        ("related: {kind: other, through: ref, direction: in, some: true}", Truth::Unknown),
        // It could not satisfy the condition wherever it leads.
        ("related: {kind: other, through: ref, direction: in, some: {path: $.ok, is_false: true}}", Truth::False),
        ("related: {kind: other, through: ref, direction: in, none: {path: $.ok, is_false: true}}", Truth::True),
        ("related: {kind: other, through: ref, direction: in, every: {path: $.ok, is_false: true}}", Truth::Unknown),
    ] {
        assert_eq!(in_graph(deny, loose), expected, "{deny}");
    }
    let resolved = "thing.x: {n: 1}\nthing.y: {}\nother.a: {ref: '?'}\nedges: [[other.a, ref, thing.y]]";
    assert_eq!(in_graph("related: {kind: other, through: ref, none: true}", resolved), Truth::True);
    let out = "thing.x: {to: '?'}";
    assert_eq!(in_graph("related: {kind: other, through: to, direction: out, none: true}", out), Truth::Unknown);
}

/// The text at the primary place, the message, and the texts at the related places.
fn finding(deny: &str, more: &str, text: &str) -> (String, String, Vec<String>) {
    let (outcome, files) = run(&policies(deny, more), text);
    assert_eq!(outcome.findings.len(), 1, "{:?}", outcome.findings);
    let diagnostic = &outcome.findings[0].diagnostic;
    (
        files.slice(diagnostic.primary.span).to_owned(),
        diagnostic.message.clone(),
        diagnostic.related.iter().map(|l| format!("{}|{}", files.slice(l.span), l.message)).collect(),
    )
}

#[test]
fn a_finding_points_at_the_smallest_thing_that_is_wrong() {
    let all = "{all: [{path: $.a, equals: 1}, {path: $.b.c, equals: 2}]}";
    let (place, _, related) = finding(all, "", "thing.x: {a: 1, b: {c: 2}}");
    assert_eq!((place.as_str(), related), ("1", vec!["2|`c` is `2`".to_owned()]));
    // The part of `any` that is true, the node of several that it is true of.
    let any = "{any: [{path: $.a, equals: 7}, {path: '$.l[*]', equals: 2}]}";
    assert_eq!(finding(any, "", "thing.x: {a: 1, l: [1, 2]}").0, "2");
    // What is absent: the innermost thing that is there.
    let absent = "{not: {path: $.b.c, equals: 2}}";
    assert_eq!(finding(absent, "", "thing.x: {b: {d: 1}}").0, "b");
    assert_eq!(finding(absent, "", "thing.x: {a: 1}").0, "thing.x");
    // A block or a resource as a whole: what names it.
    assert_eq!(finding("{path: $.b, exists: true}", "", "thing.x: {b: {c: 1}}").0, "b");
    assert_eq!(finding("{path: $.a, exists: true}", "at: $", "thing.x: {a: 1}").0, "thing.x");
    assert_eq!(finding("{path: $.b.c, missing: true}", "at: $.a", "thing.x: {a: 1}").0, "1");
    let inner = "{for_each: '$.s[*]', some: {path: '@.v', equals: {path: '@r.v'}}}";
    assert_eq!(
        finding(inner, "for_each: '$.r[*]'\nas: r\nat: '@'", "thing.x: {r: [{v: 2}, {v: 1}], s: [{v: 1}]}").0,
        "{v: 1}"
    );
    assert_eq!(finding("{path: '@.v', equals: 1}", "for_each: '$.r[*]'", "thing.x: {r: [{v: 2}, {v: 1}]}").0, "1");
}

#[test]
fn messages_are_filled_in_and_hide_secrets() {
    let message = "message: '{resource} {kind} {name} {value} {$.b.c} {$.z} {{x}} {param.p}'\nparams: {p: {type: number, default: 7, description: d}}";
    let (_, text, _) = finding("{path: $.a, equals: 1}", message, "thing.x: {a: 1, b: {c: [1, x]}}");
    assert_eq!(text, "thing.x thing x 1 [1,\"x\"] (not set) {x} 7");
    let value = "message: '{value}'";
    assert_eq!(finding("{path: $.a, exists: true}", value, "thing.x: {a: !sensitive abc}").1, "(sensitive)");
    assert_eq!(finding("{path: $.password, is_secret: true}", value, "thing.x: {password: hunter22}").1, "(sensitive)");
    let (outcome, files) = run(&policies("{path: $.password, is_secret: true}", ""), "thing.x: {password: hunter22}");
    let redacted: Vec<&str> = outcome.findings[0].diagnostic.redacted.iter().map(|s| files.slice(*s)).collect();
    assert_eq!(redacted, ["hunter22"]);
}

#[test]
fn a_fingerprint_survives_moved_lines_and_changed_values() {
    let print = |text: &str| {
        let (outcome, _) = run(&policies("{path: $.a, at_least: 1}", ""), text);
        outcome.findings[0].diagnostic.fingerprint.clone()
    };
    assert_eq!(print("thing.x: {a: 1}"), print("# moved\n\nthing.x: {z: 0, a: 2}"));
    assert_ne!(print("thing.x: {a: 1}"), print("thing.y: {a: 1}"));
}

#[test]
fn unknown_results_name_their_causes() {
    let (outcome, _) =
        run(&policies("{path: $.a, equals: 1}", "where: {path: $.b, equals: 2}"), "thing.x: {a: '?', b: 2}");
    assert_eq!(outcome.unknowns.len(), 1);
    assert_eq!(outcome.unknowns[0].causes[0].message, "nobody says");
    // A policy whose `where` is false says nothing; one whose `where` is unknown may.
    let (outcome, _) =
        run(&policies("{path: $.a, equals: 1}", "where: {path: $.b, equals: 2}"), "thing.x: {a: '?', b: 3}");
    assert_eq!((outcome.findings.len(), outcome.unknowns.len()), (0, 0));
    let (outcome, _) =
        run(&policies("{path: $.a, equals: 1}", "where: {path: $.b, equals: 2}"), "thing.x: {a: 1, b: '?'}");
    assert_eq!((outcome.findings.len(), outcome.unknowns.len()), (0, 1));
}

#[test]
fn parameters_are_set_and_checked() {
    let set =
        policies("{path: $.a, in: {param: allowed}}", "params: {allowed: {type: list, default: [x], description: d}}");
    let mut files = Files::default();
    let graph = graph("thing.x: {a: y}", &mut files);
    let list = Value::list(vec![Value::from("y")], Span::NONE);
    let choice = Choice { params: vec![("p".into(), "allowed".into(), list)], ..Choice::default() };
    assert_eq!(evaluate(&graph, &set, &set.choose(&choice).unwrap(), &files).findings.len(), 1);
    assert_eq!(evaluate(&graph, &set, &set.choose(&Choice::default()).unwrap(), &files).findings.len(), 0);
    let wrong = Choice { params: vec![("p".into(), "allowed".into(), Value::from("y"))], ..Choice::default() };
    assert_eq!(set.choose(&wrong).unwrap().warnings, ["parameter `allowed` of `p` takes a list; its default is used"]);
}

#[test]
fn fixes_carry_their_places() {
    use crate::policy::fix::FixTarget;
    let targets = |deny: &str, fix: &str, text: &str| {
        let (outcome, files) = run(&policies(deny, &format!("fix: {fix}")), text);
        let fix = outcome.findings[0].fix.clone().unwrap();
        let words: Vec<String> = fix
            .actions
            .iter()
            .map(|target| match target {
                FixTarget::SetValue { old, key, new } => {
                    format!("set {:?} {:?} {}", files.slice(old.span()), key.map(|k| files.slice(k)), new.to_json())
                }
                FixTarget::InsertValue { head, names, blocks, new, .. } => {
                    format!("insert {:?} {names:?} {blocks} {}", head.map(|h| files.slice(h)), new.to_json())
                }
                FixTarget::Remove { value, key, .. } => {
                    format!("remove {:?} {:?}", files.slice(value.span()), key.map(|k| files.slice(k)))
                }
                FixTarget::Rewrite { range, text, .. } => format!("rewrite {range:?} {text}"),
                FixTarget::InsertLine { beside, before, text } => {
                    format!("line {:?} {before} {text}", files.slice(*beside))
                }
            })
            .collect();
        (fix.title, words)
    };
    let (title, words) = targets("{path: $.a, equals: 1}", "{set: $.a, to: 2, safety: safe}", "thing.x: {a: 1}");
    assert_eq!((title.as_str(), words), ("Set `a` to `2`", vec!["set \"1\" Some(\"a\") 2".to_owned()]));
    let fix = "{set: $.b.c.d, to: true, block: true, safety: unsafe}";
    let (_, words) = targets("{path: $.b.c.d, missing: true}", fix, "thing.x: {b: {z: 1}}");
    assert_eq!(words, ["insert Some(\"b\") [\"c\", \"d\"] 1 true"]);
    let (_, words) =
        targets("{path: '$.a[*]', equals: 1}", "{remove: '$.a[?@ == 1]', safety: safe}", "thing.x: {a: [1, 2]}");
    assert_eq!(words, ["remove \"1\" None"]);
    let fix = "{replace: $.a, pattern: 'h(t+)p:', with: 'h${1}ps:', safety: safe}";
    let (_, words) = targets("{path: $.a, starts_with: http}", fix, "thing.x: {a: 'http://x'}");
    assert_eq!(words, ["rewrite 0..5 https:"]);
    let (_, words) =
        targets("{path: $.a, equals: 1}", "{insert: 'USER {name}', after: $, safety: unsafe}", "thing.x: {a: 1}");
    assert_eq!(words, ["line \"thing.x: {a: 1}\" false USER x"]);
}

/// Random conditions over `a`, `b` (scalars) and `l` (a list of maps with `v`).
fn conditions() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "{path: $.a, equals: 1}",
        "{path: $.a, not_equals: 1}",
        "{path: $.b, in: [1, 3]}",
        "{path: $.b, exists: true}",
        "{path: $.a, missing: true}",
        "{path: $.b, at_least: 2, default: 5}",
        "{path: $.l.v, equals: 2}",
        "{path: $.l.v, equals: 2, quantifier: every}",
        "{path: $.l.v, equals: 2, quantifier: none}",
        "{path: '$.l[?@.v == 1].v', at_most: 1}",
        "{path: '$.l[?@.v > $.a]', missing: true}",
        "{for_each: '$.l[*]', some: {path: '@.v', equals: {path: $.a}}}",
        "{for_each: '$.l[*]', every: {path: '@.v', less_than: 3}}",
        "{for_each: '$.l[*]', none: {path: '@.v', equals: 3}}",
        "{for_each: '$.l[*]', some: {path: '@.v', equals: 1}, at_least: 2}",
        "{for_each: '$.l[*]', some: {path: '@.v', equals: 1}, at_most: 1}",
        "true",
        "false",
    ])
    .prop_map(str::to_owned);
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| format!("{{all: [{}]}}", parts.join(", "))),
            prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| format!("{{any: [{}]}}", parts.join(", "))),
            inner.prop_map(|part| format!("{{not: {part}}}")),
        ]
    })
}

/// A body with these values; 0 is unknown.
fn body(a: u8, b: u8, l: &[u8]) -> String {
    let word = |v: &u8| if *v == 0 { "'?'".to_owned() } else { v.to_string() };
    let list: Vec<String> = l.iter().map(|v| format!("{{v: {}}}", word(v))).collect();
    format!("{{a: {}, b: {}, l: [{}]}}", word(&a), word(&b), list.join(", "))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// An answer that is given although something is unknown stays the same whatever the unknown turns out to be.
    #[test]
    fn what_is_known_does_not_depend_on_what_is_unknown(
        condition in conditions(),
        a in 0_u8..4,
        b in 0_u8..4,
        l in prop::collection::vec(0_u8..4, 0..3),
        guesses in prop::collection::vec(1_u8..4, 5),
    ) {
        let known = truth(&condition, &body(a, b, &l));
        if known != Truth::Unknown {
            let mut guesses = guesses.into_iter();
            let mut guess = |v: u8| if v == 0 { guesses.next().unwrap_or(1) } else { v };
            let (a, b) = (guess(a), guess(b));
            let l: Vec<u8> = l.into_iter().map(guess).collect();
            prop_assert_eq!(truth(&condition, &body(a, b, &l)), known, "{} of {}", condition, body(a, b, &l));
        }
    }

    /// The laws of three-valued logic: de Morgan's, double negation, and that parts may change places.
    #[test]
    fn composition_obeys_the_laws(
        x in conditions(),
        y in conditions(),
        a in 0_u8..4,
        b in 0_u8..4,
        l in prop::collection::vec(0_u8..4, 0..3),
    ) {
        let body = body(a, b, &l);
        let of = |condition: &str| truth(condition, &body);
        prop_assert_eq!(of(&format!("{{not: {{all: [{x}, {y}]}}}}")), of(&format!("{{any: [{{not: {x}}}, {{not: {y}}}]}}")));
        prop_assert_eq!(of(&format!("{{not: {{not: {x}}}}}")), of(&x));
        prop_assert_eq!(of(&format!("{{all: [{x}, {y}]}}")), of(&x).and(of(&y)));
        prop_assert_eq!(of(&format!("{{any: [{x}, {y}]}}")), of(&y).or(of(&x)));
    }
}

/// On known values, and where no name is read from a list, a path selects what RFC 9535 says it selects.
#[test]
fn paths_agree_with_another_implementation() {
    use crate::policy::model::Condition;
    use jsonpath_rust::query::js_path_vals;
    let text = "{store: {book: [{c: ref, p: 8, t: A}, {c: fic, p: 12, t: B, i: x}, {c: fic, p: 8, t: C, i: y}, {c: ref, p: 22, t: D}], \
                bike: {p: 19, 'odd name': [1, 2, 3]}}, e: [], n: {m: {}}}";
    for path in [
        "$",
        "$.store",
        "$.store.book[*].t",
        "$.store.book[0].t",
        "$.store.book[-1].t",
        "$.store.book[1:3].t",
        "$.store.book[:2].t",
        "$.store.book[::2].t",
        "$.store.book[-2:].t",
        "$.store.book[7].t",
        "$.store.*",
        "$.store.bike.*",
        "$..t",
        "$..p",
        "$..book[1].t",
        "$..*",
        "$.store.bike['odd name'][1]",
        "$['store']['bike','nothing']",
        "$.nothing.at.all",
        "$.e[*]",
        "$.n.m.*",
        "$.store.book[?@.i].t",
        "$.store.book[?!@.i].t",
        "$.store.book[?@.p < 10].t",
        "$.store.book[?@.p >= 12].t",
        "$.store.book[?@.c == 'fic' && @.p == 8].t",
        "$.store.book[?@.c == 'ref' || @.t == 'B'].t",
        "$.store.book[?@.i != 'x'].t",
        "$.store.book[?(@.c == 'fic')].t",
        "$.store.book[?@.p == $.store.bike.p].t",
        "$..book[?@.p > 20].t",
        "$.store.book[?length(@.t) == 1].t",
        "$.store.book[?match(@.c, 'f.c')].t",
        "$.store.book[?search(@.c, 'e')].t",
        "$.store[?@.p == 19].p",
        "$.store.book[?count(@.*) == 4].t",
    ] {
        let mut files = Files::default();
        let graph = graph(&format!("thing.x: {text}"), &mut files);
        let set = policies(&format!("{{path: \"{path}\", exists: true}}"), "");
        let compiled = set.get("p").unwrap();
        let Condition::Test(test) = &compiled.policy.deny else { panic!() };
        let documents = Documents::new(&files);
        let world = World::new(&graph, &set, &documents);
        let engine = Engine::new(&world, &compiled.pool, &|_| None);
        let mut ours: Vec<String> = Vec::new();
        let _ = engine.walk(&test.path, &Scope::of(&graph, ResourceId(0)), &mut |node: Node<'_>| {
            ours.push(node.value.to_json().to_string());
            ControlFlow::Continue(())
        });
        let body = &graph.get(ResourceId(0)).body;
        let mut theirs: Vec<String> =
            js_path_vals(path, body).unwrap().into_iter().map(|v| v.to_json().to_string()).collect();
        // The order of a descent is not prescribed.
        ours.sort();
        theirs.sort();
        assert_eq!(ours, theirs, "{path}");
    }
}
