//! The parser against the YAML test suite: valid texts read as the suite says, invalid ones give an error with a place.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::base::FileId;
use serde_json::Value as Json;

static SUITE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/yaml-test-suite/suite.jsonl"));

/// Invalid to the suite for the indentation of continued lines, but accepted by libyaml and by go-yaml, and so by `kubectl`: `]` in
/// the first column is how many people close a list.
const ACCEPTED: [&str; 3] = ["9C9N", "DK95/1", "QB6E"];

/// The suite ends a block scalar with a line feed that is not there; libyaml and go-yaml do not.
const OTHERWISE: [&str; 1] = ["L24T/1"];

fn json(node: Node<'_>) -> Json {
    match node.kind() {
        NodeKind::Missing => panic!("a valid text has nothing missing"),
        NodeKind::Sequence => node.items().map(json).collect(),
        NodeKind::Mapping => {
            let pair = |(k, v): (Node<'_>, Node<'_>)| (k.text().unwrap_or("").to_owned(), json(v));
            Json::Object(node.entries().into_iter().map(pair).collect())
        }
        NodeKind::Scalar => match node.scalar(Schema::Yaml12).unwrap() {
            Scalar::Null => Json::Null,
            Scalar::Bool(b) => b.into(),
            Scalar::Int(n) => n.into(),
            // JSON does not tell 1.0 from 1.
            #[expect(clippy::cast_possible_truncation, reason = "whole and small in the suite")]
            Scalar::Float(n, _) if n.fract() == 0.0 => (n as i64).into(),
            Scalar::Float(n, _) => n.into(),
            Scalar::String(s) => s.into(),
        },
    }
}

#[test]
fn the_suite_reads_as_it_says() {
    let (mut valid, mut invalid) = (0, 0);
    for line in SUITE.lines() {
        let case: Json = serde_json::from_str(line).unwrap();
        let (id, text) = (case["id"].as_str().unwrap(), case["yaml"].as_str().unwrap());
        let tree = parse(FileId(0), text.into());
        if case["fail"] == true {
            assert_eq!(tree.errors.is_empty(), ACCEPTED.contains(&id), "{id} {text:?}");
            assert!(tree.errors.iter().all(|e| text.get(e.span.range()).is_some()), "{id}");
            invalid += 1;
            continue;
        }
        assert_eq!(tree.errors, [], "{id} {text:?}");
        valid += 1;
        if let Some(expected) = case["json"].as_str().filter(|_| !OTHERWISE.contains(&id)) {
            let expected: Vec<Json> =
                serde_json::Deserializer::from_str(expected).into_iter().map(Result::unwrap).collect();
            let found: Vec<Json> = tree.roots().map(json).collect();
            assert_eq!(found, expected, "{id} {text:?}");
        }
    }
    assert_eq!((valid, invalid), (308, 94));
}
