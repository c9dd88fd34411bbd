//! Documents to resources.

use super::kinds;
use crate::base::Span;
use crate::formats::yaml_value::YamlValues;
use crate::formats::{LedgerEntry, Lowered};
use crate::graph::{CauseKind, Data, Map, Resource, Value};
use crate::syntax::yaml::{Schema, Tree};
use std::sync::Arc;

/// How deep `List`s may hold `List`s.
const LIST_DEPTH: u32 = 8;

/// All objects of a file.
pub fn lower_tree(unit: &Arc<str>, tree: &Tree) -> Lowered {
    let mut lowered = Lowered::default();
    let mut values = YamlValues::new(Schema::Kubernetes);
    for document in &tree.documents {
        let Some(root) = tree.root_of(document) else { continue };
        if root.is_null() {
            continue;
        }
        let head = root.get("kind").map(|kind| kind.span());
        let body = values.value(root, head);
        objects(unit, body, LIST_DEPTH, &mut lowered);
    }
    duplicates(unit, tree, &mut lowered);
    lowered
}

/// The objects of a body: itself, or what a `List` holds.
pub fn objects(unit: &Arc<str>, body: Value, depth: u32, lowered: &mut Lowered) {
    let Some(map) = body.as_map() else {
        // A JSON file may hold several objects as an array.
        if let Some(items) = body.as_list().filter(|_| depth > 0) {
            for item in items {
                objects(unit, item.clone(), depth - 1, lowered);
            }
            return;
        }
        ledger(lowered, body.span(), "this document is no Kubernetes object: it is not a mapping");
        return;
    };
    let kind = map.get("kind").and_then(Value::as_str);
    let Some(kind) = kind.filter(|kind| !kind.is_empty()) else {
        ledger(lowered, body.span(), "this document is no Kubernetes object: it has no `kind`");
        return;
    };
    let items = map.get("items").and_then(Value::as_list);
    if let Some(items) = items.filter(|_| kind.ends_with("List")) {
        if depth == 0 {
            ledger(lowered, body.span(), "lists nest too deeply");
            return;
        }
        for item in items {
            objects(unit, typed_item(kind, item, map), depth - 1, lowered);
        }
        return;
    }
    let kind: Arc<str> = kind.into();
    lowered.resources.push(Arc::new(resource(unit, &kind, body)));
}

/// The items of a `PodList` need not repeat what the list says of them.
fn typed_item(list: &str, item: &Value, owner: &Map) -> Value {
    let (Some(map), Some(kind)) = (item.as_map(), list.strip_suffix("List").filter(|k| !k.is_empty())) else {
        return item.clone();
    };
    if map.get("kind").is_some() {
        return item.clone();
    }
    let mut map = map.clone();
    let at = owner.entry("kind").map_or(Span::NONE, |e| e.value.span());
    map.insert("kind", at, Value::string(kind, at));
    if map.get("apiVersion").is_none()
        && let Some(api) = owner.entry("apiVersion")
    {
        map.insert("apiVersion", api.key_span, api.value.clone());
    }
    Value { data: Data::Map(Arc::new(map)), origin: item.origin.clone() }
}

/// An object as a resource.
pub fn resource(unit: &Arc<str>, kind: &Arc<str>, body: Value) -> Resource {
    let span = body.span();
    let name_value = body.at(&["metadata", "name"]).filter(|v| !v.is_null());
    let generated = body.at(&["metadata", "generateName"]);
    let named = name_value.or(generated);
    let name = named.and_then(Value::scalar_text).unwrap_or("(unnamed)".into());
    let head = named.map(Value::span).or_else(|| body.get("kind").map(Value::span)).unwrap_or(span.start_point());
    Resource {
        address: address(kind, namespace(kind, &body).as_deref(), &name),
        name: name.as_ref().into(),
        kind: kind.clone(),
        unit: unit.clone(),
        span,
        head,
        body,
        callers: Arc::from([]),
        parent: None,
    }
}

/// The namespace of an object: `default` where it names none, `None` where its kind has none or it is not known.
pub fn namespace(kind: &str, body: &Value) -> Option<String> {
    if !kinds::is_namespaced(kind) {
        return None;
    }
    match body.at(&["metadata", "namespace"]) {
        None => Some("default".into()),
        Some(value) if value.is_null() || value.as_str() == Some("") => Some("default".into()),
        Some(value) => value.scalar_text().map(Into::into),
    }
}

/// `Kind/namespace/name`, or `Kind/name`.
pub fn address(kind: &str, namespace: Option<&str>, name: &str) -> Arc<str> {
    match namespace {
        Some(namespace) => format!("{kind}/{namespace}/{name}").into(),
        None => format!("{kind}/{name}").into(),
    }
}

fn ledger(lowered: &mut Lowered, span: Span, message: &str) {
    lowered.ledger.push(LedgerEntry { span, kind: CauseKind::Unsupported, message: message.into() });
}

/// A key that stands twice is lost in silence by every reader: it becomes a node of its own kind, for a policy to report.
fn duplicates(unit: &Arc<str>, tree: &Tree, lowered: &mut Lowered) {
    let kind: Arc<str> = "duplicate-key".into();
    for duplicate in &tree.duplicates {
        let mut body = Map::new(Some(duplicate.second));
        body.insert("key", duplicate.second, Value::string(duplicate.key.clone(), duplicate.second));
        body.insert("first", duplicate.first, Value::string(duplicate.key.clone(), duplicate.first));
        lowered.resources.push(Arc::new(Resource {
            kind: kind.clone(),
            address: format!("{unit}:{}", duplicate.key).into(),
            name: duplicate.key.clone(),
            unit: unit.clone(),
            span: duplicate.second,
            head: duplicate.second,
            body: Value::map(body, duplicate.second),
            callers: Arc::from([]),
            parent: None,
        }));
    }
}
