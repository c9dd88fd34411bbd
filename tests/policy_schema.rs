//! Holds `docs/policy.schema.json`, which editors complete policies by, to what the compiler accepts.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may stop at the first surprise")]

use serde_json::Value as Json;
use stacklint::base::{FileId, Files};
use stacklint::policy::PolicySet;
use stacklint::syntax::yaml::{self, Node, Scalar, Schema};
use std::path::Path;

fn schema() -> Json {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/policy.schema.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn json(node: Node<'_>) -> Json {
    if node.is_mapping() {
        return node
            .entries()
            .into_iter()
            .map(|(k, v)| (k.text().unwrap().to_owned(), json(v)))
            .collect::<serde_json::Map<_, _>>()
            .into();
    }
    if node.is_sequence() {
        return node.items().map(json).collect();
    }
    match node.scalar(Schema::Yaml12) {
        None | Some(Scalar::Null) => Json::Null,
        Some(Scalar::Bool(b)) => b.into(),
        Some(Scalar::Int(n)) => n.into(),
        Some(Scalar::Float(f, _)) => f.into(),
        Some(Scalar::String(s)) => s.into(),
    }
}

fn read(text: &str) -> Json {
    let tree = yaml::parse(FileId(0), text.into());
    assert!(tree.errors.is_empty(), "{:?}", tree.errors);
    json(tree.root().unwrap())
}

/// The keywords of JSON Schema that the file uses; any other one stops the test.
fn valid(root: &Json, schema: &Json, value: &Json, at: &str) -> Result<(), String> {
    if let Json::Bool(b) = schema {
        return if *b { Ok(()) } else { Err(format!("{at}: nothing may stand here")) };
    }
    let fail = |why: String| Err(format!("{at}: {why}"));
    for (keyword, rule) in schema.as_object().unwrap() {
        match keyword.as_str() {
            "$schema" | "title" | "description" | "$defs" => {}
            "$ref" => {
                let target = root.pointer(rule.as_str().unwrap().trim_start_matches('#')).unwrap();
                valid(root, target, value, at)?;
            }
            "type" => {
                let is = |name: &str| match name {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "boolean" => value.is_boolean(),
                    "number" => value.is_number(),
                    "integer" => value.is_i64(),
                    other => panic!("type {other}"),
                };
                let fits = match rule {
                    Json::Array(names) => names.iter().any(|n| is(n.as_str().unwrap())),
                    name => is(name.as_str().unwrap()),
                };
                if !fits {
                    return fail(format!("{value} is no {rule}"));
                }
            }
            "enum" if !rule.as_array().unwrap().contains(value) => return fail(format!("{value} is none of {rule}")),
            "enum" => {}
            "pattern" => {
                if let Some(text) = value.as_str()
                    && !regex::Regex::new(rule.as_str().unwrap()).unwrap().is_match(text)
                {
                    return fail(format!("{text:?} does not match {rule}"));
                }
            }
            "minLength"
                if value.as_str().is_some_and(|s| s.len() < usize::try_from(rule.as_u64().unwrap()).unwrap()) =>
            {
                return fail("too short".to_owned());
            }
            "minItems"
                if value.as_array().is_some_and(|a| a.len() < usize::try_from(rule.as_u64().unwrap()).unwrap()) =>
            {
                return fail("too few".to_owned());
            }
            "minimum" if value.as_i64().is_some_and(|n| n < rule.as_i64().unwrap()) => {
                return fail("too small".to_owned());
            }
            "minProperties" if value.as_object().is_some_and(|o| (o.len() as u64) < rule.as_u64().unwrap()) => {
                return fail("too few entries".to_owned());
            }
            "maxProperties" if value.as_object().is_some_and(|o| (o.len() as u64) > rule.as_u64().unwrap()) => {
                return fail("too many entries".to_owned());
            }
            "minLength" | "minItems" | "minimum" | "minProperties" | "maxProperties" => {}
            "required" => {
                for name in rule.as_array().unwrap() {
                    if value.as_object().is_some_and(|o| !o.contains_key(name.as_str().unwrap())) {
                        return fail(format!("{name} is absent"));
                    }
                }
            }
            "properties" => {
                for (name, inner) in rule.as_object().unwrap() {
                    if let Some(found) = value.get(name) {
                        valid(root, inner, found, &format!("{at}.{name}"))?;
                    }
                }
            }
            "additionalProperties" => {
                for (name, found) in value.as_object().into_iter().flatten() {
                    if schema.get("properties").and_then(|p| p.get(name)).is_none() {
                        valid(root, rule, found, &format!("{at}.{name}"))?;
                    }
                }
            }
            "items" => {
                for (i, found) in value.as_array().into_iter().flatten().enumerate() {
                    valid(root, rule, found, &format!("{at}[{i}]"))?;
                }
            }
            "anyOf" => {
                let errors: Vec<String> =
                    rule.as_array().unwrap().iter().filter_map(|s| valid(root, s, value, at).err()).collect();
                if errors.len() == rule.as_array().unwrap().len() {
                    return fail(errors.join(" / "));
                }
            }
            other => panic!("the test does not know the keyword {other}"),
        }
    }
    Ok(())
}

fn policies(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            policies(&path, found);
        } else if path.extension().is_some_and(|e| e == "yaml") {
            found.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
        }
    }
}

#[test]
fn every_policy_is_valid() {
    let root = schema();
    let mut found = Vec::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !["views", "conditions", "data"].contains(&name.as_str()) {
            policies(&path, &mut found);
        }
    }
    assert!(!found.is_empty());
    let wrong: Vec<String> = found
        .iter()
        .filter_map(|(path, text)| valid(&root, &root, &read(text), "policy").err().map(|e| format!("{path}: {e}")))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const SOUND: &str = "name: p
title: t
severity: low
category: hygiene
resource: thing
deny: {path: $.a, equals: 1}
message: m
why: w
remediation: r
references: [https://example.org]
examples: {bad: [{dockerfile: x}], good: [{dockerfile: x}]}
";

/// Mistakes that both the schema and the compiler refuse: what is replaced in a sound policy, and by what.
#[test]
fn planted_mistakes_are_refused_by_both() {
    let root = schema();
    let accepts = |text: &str| {
        let mut files = Files::default();
        files.set("p.yaml", text.into());
        (valid(&root, &root, &read(text), "policy").is_ok(), PolicySet::from_files(&files, "").1.is_empty())
    };
    assert_eq!(accepts(SOUND), (true, true));
    for (from, to) in [
        ("severity: low", "severity: lo"),
        ("severity: low", "severitty: low"),
        ("category: hygiene", "category: neatness"),
        ("title: t", "title: ''"),
        ("title: t\n", ""),
        ("name: p", "name: P q"),
        ("equals: 1", "equal: 1"),
        ("equals: 1", "in: 1"),
        ("equals: 1", "exists: maybe"),
        ("equals: 1", "cidr: {every: true}"),
        ("equals: 1", "length: {}"),
        ("equals: 1", "at_least: many"),
        ("{path: $.a, equals: 1}", "{}"),
        ("{path: $.a, equals: 1}", "[]"),
        ("{path: $.a, equals: 1}", "7"),
        ("path: $.a", "path: a"),
        ("deny: {path: $.a, equals: 1}", "deny: {related: {through: x}}"),
        ("deny: {path: $.a, equals: 1}", "deny: {related: {kind: x, direction: up}}"),
        ("[https://example.org]", "[]"),
        ("[https://example.org]", "[example]"),
        ("bad: [{dockerfile: x}], ", ""),
        ("bad: [{dockerfile: x}]", "bad: [{docker: x}]"),
        ("message: m", "message: m\naliases: {checkhov: [A]}"),
        ("message: m", "message: m\nparams: {p: {type: text, default: 1, description: d}}"),
        ("message: m", "message: m\nfix: {set: $.a, to: 1, safety: sure}"),
        ("message: m", "message: m\nenabled: maybe"),
    ] {
        let text = SOUND.replace(from, to);
        assert_ne!(text, SOUND);
        assert_eq!(accepts(&text), (false, false), "{from} -> {to}");
    }
}
