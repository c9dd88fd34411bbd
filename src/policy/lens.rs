//! Lenses: the algorithms that make a view's nodes where paths do not do.

use super::document::Documents;
use crate::base::Span;
use crate::graph::{Data, Map, Value};

/// Applies a lens by its name to a document. An unknown document is one unknown node. The compiler of views knows the names.
pub(super) fn apply(name: &str, document: &Value, documents: &Documents<'_>) -> Vec<Value> {
    match name {
        "iam-statements" => iam_statements(document, documents),
        "image-reference" => image_reference(document, documents).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// The statements of an IAM policy: JSON in a text, a value that a function encoded as JSON, or the blocks of Terraform's
/// `aws_iam_policy_document`.
///
/// Each becomes a map with `sid`, `effect` (`Allow` or `Deny`), `actions`, `not_actions`, `resources`,
/// `not_resources`, `principals` and `not_principals` (lists of `{type, id}`), and `conditions` (a list of `{test, variable, values}`), as far as they
/// are there. A value that JSON allows to stand alone is a list of one. (IAM User Guide, "Grammar of the IAM JSON policy language".)
fn iam_statements(document: &Value, documents: &Documents<'_>) -> Vec<Value> {
    let inner = match documents.read(document) {
        Some(inner) => inner,
        None if document.as_unknown().is_some() => return vec![document.clone()],
        None => return Vec::new(),
    };
    if inner.as_unknown().is_some() {
        return vec![(*inner).clone()];
    }
    let statements = match entry(&inner, &["Statement", "statement"]) {
        Some((_, statements)) => statements.clone(),
        None => return Vec::new(),
    };
    match &statements.data {
        Data::List(items) => items.iter().map(statement).collect(),
        Data::Map(_) | Data::Unknown(_) => vec![statement(&statements)],
        _ => Vec::new(),
    }
}

fn statement(value: &Value) -> Value {
    let Data::Map(source) = &value.data else { return value.clone() };
    let mut map = Map::new(source.head);
    let text = |map: &mut Map, name: &str, keys: &[&str]| {
        if let Some((span, found)) = entry(value, keys).filter(|(_, v)| !v.is_null()) {
            map.insert(name, span, found.clone());
        }
    };
    text(&mut map, "sid", &["Sid", "sid"]);
    text(&mut map, "effect", &["Effect", "effect"]);
    if map.get("effect").is_none() {
        // Terraform's data source allows unless it is told to deny.
        map.insert("effect", Span::NONE, Value::string("Allow", Span::NONE));
    }
    for (name, keys) in [
        ("actions", ["Action", "actions"]),
        ("not_actions", ["NotAction", "not_actions"]),
        ("resources", ["Resource", "resources"]),
        ("not_resources", ["NotResource", "not_resources"]),
    ] {
        if let Some((span, found)) = entry(value, &keys).filter(|(_, v)| !v.is_null()) {
            let list = as_list(found);
            // An attribute that is an empty list says nothing.
            if list.as_list().is_none_or(|items| !items.is_empty()) {
                map.insert(name, span, list);
            }
        }
    }
    for (name, keys) in
        [("principals", ["Principal", "principals"]), ("not_principals", ["NotPrincipal", "not_principals"])]
    {
        if let Some((span, found)) = entry(value, &keys).filter(|(_, v)| !v.is_null()) {
            let list = principals(found);
            if list.as_list().is_none_or(|items| !items.is_empty()) {
                map.insert(name, span, list);
            }
        }
    }
    if let Some((span, found)) = entry(value, &["Condition", "condition"]).filter(|(_, v)| !v.is_null()) {
        let list = conditions(found);
        if list.as_list().is_none_or(|items| !items.is_empty()) {
            map.insert("conditions", span, list);
        }
    }
    Value { data: Data::Map(std::sync::Arc::new(map)), origin: value.origin.clone() }
}

/// The entry of one of these names, in the order of the names, with the place of its key. IAM's element names are
/// written in one way only, but are read without regard to case.
fn entry<'v>(value: &'v Value, names: &[&str]) -> Option<(Span, &'v Value)> {
    let map = value.as_map()?;
    names
        .iter()
        .find_map(|name| map.entry(name))
        .or_else(|| map.entries.iter().find(|e| names.iter().any(|name| e.key.eq_ignore_ascii_case(name))))
        .map(|e| (e.key_span, &e.value))
}

fn as_list(value: &Value) -> Value {
    match &value.data {
        Data::List(_) | Data::Unknown(_) => value.clone(),
        _ => Value { data: Data::List(std::sync::Arc::new(vec![value.clone()])), origin: value.origin.clone() },
    }
}

fn list(items: Vec<Value>, like: &Value) -> Value {
    Value { data: Data::List(std::sync::Arc::new(items)), origin: like.origin.clone() }
}

/// `"*"`, `{"AWS": [...]}`, or blocks with `type` and `identifiers`, as a list of `{type, id}`.
fn principals(value: &Value) -> Value {
    let pair = |kind: Value, id: &Value| {
        let mut map = Map::default();
        map.insert("type", kind.span(), kind);
        map.insert("id", id.span(), id.clone());
        Value::map(map, id.span())
    };
    let each = |ids: &Value| -> Vec<Value> {
        match &ids.data {
            Data::List(items) => items.to_vec(),
            _ => vec![ids.clone()],
        }
    };
    let items: Vec<Value> = match &value.data {
        Data::Unknown(_) => return value.clone(),
        Data::List(blocks) => blocks
            .iter()
            .flat_map(|block| match (block.get("type"), block.get("identifiers")) {
                (Some(kind), Some(ids)) => each(ids).iter().map(|id| pair(kind.clone(), id)).collect(),
                _ => vec![block.clone()],
            })
            .collect(),
        Data::Map(map) => map
            .entries
            .iter()
            .flat_map(|e| {
                let kind = Value::string(e.key.clone(), e.key_span);
                each(&e.value).iter().map(|id| pair(kind.clone(), id)).collect::<Vec<_>>()
            })
            .collect(),
        _ => vec![pair(value.clone(), value)],
    };
    list(items, value)
}

/// `{"StringEquals": {"aws:x": "y"}}`, or blocks with `test`, `variable` and `values`, as a list of those three.
fn conditions(value: &Value) -> Value {
    let items: Vec<Value> = match &value.data {
        Data::Unknown(_) => return value.clone(),
        Data::List(_) => return value.clone(),
        Data::Map(tests) => tests
            .entries
            .iter()
            .flat_map(|test| match &test.value.data {
                Data::Map(variables) => variables
                    .entries
                    .iter()
                    .map(|variable| {
                        let mut map = Map::new(Some(test.key_span));
                        map.insert("test", test.key_span, Value::string(test.key.clone(), test.key_span));
                        map.insert(
                            "variable",
                            variable.key_span,
                            Value::string(variable.key.clone(), variable.key_span),
                        );
                        map.insert("values", variable.key_span, as_list(&variable.value));
                        Value::map(map, test.value.span())
                    })
                    .collect(),
                _ => vec![test.value.clone()],
            })
            .collect(),
        _ => Vec::new(),
    };
    list(items, value)
}

/// The parts of an image's name: `text`, `registry`, `repository`, `name`, `tag`, `digest`, each with its own place and
/// only where it is written. (The grammar of `distribution/reference`: the first part is a registry if it has a dot or a
/// colon, or is `localhost`.)
fn image_reference(value: &Value, documents: &Documents<'_>) -> Option<Value> {
    let text = match &value.data {
        Data::Unknown(_) => return Some(value.clone()),
        Data::String(text) => text.clone(),
        _ => return None,
    };
    let part = |range: std::ops::Range<usize>| {
        let mut part = value.clone();
        part.data = Data::String(text.get(range.clone()).unwrap_or("").into());
        part.origin.span = documents.part(value, range);
        part
    };
    let mut map = Map::new(None);
    map.insert("text", value.span(), value.clone());
    let name_end = text.find('@').unwrap_or(text.len());
    if name_end < text.len() {
        map.insert("digest", value.span(), part(name_end + 1..text.len()));
    }
    let named = text.get(..name_end).unwrap_or("");
    let first = named.find('/').unwrap_or(0);
    let host = named.get(..first).unwrap_or("");
    let has_host = host.contains(['.', ':']) || host == "localhost";
    let start = if has_host { first + 1 } else { 0 };
    if has_host {
        map.insert("registry", value.span(), part(0..first));
    }
    let path = named.get(start..).unwrap_or("");
    let path_end = match path.rfind(':') {
        Some(colon) if !path.get(colon..).unwrap_or("").contains('/') => {
            map.insert("tag", value.span(), part(start + colon + 1..name_end));
            start + colon
        }
        _ => name_end,
    };
    map.insert("repository", value.span(), part(start..path_end));
    let last = text.get(start..path_end).unwrap_or("").rfind('/').map_or(start, |i| start + i + 1);
    map.insert("name", value.span(), part(last..path_end));
    Some(Value { data: Data::Map(std::sync::Arc::new(map)), origin: value.origin.clone() })
}
