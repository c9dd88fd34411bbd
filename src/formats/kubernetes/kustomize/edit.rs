//! Reading and changing values in place, by paths.

use crate::base::Span;
use crate::graph::{Data, Entry, How, Map, Origin, Value};
use std::sync::Arc;

/// The map inside a value, for changing it.
pub fn map_mut(value: &mut Value) -> Option<&mut Map> {
    match &mut value.data {
        Data::Map(map) => Some(Arc::make_mut(map)),
        _ => None,
    }
}

/// The list inside a value, for changing it.
pub fn list_mut(value: &mut Value) -> Option<&mut Vec<Value>> {
    match &mut value.data {
        Data::List(items) => Some(Arc::make_mut(items)),
        _ => None,
    }
}

/// The value of a key, for changing it.
pub fn entry_mut<'a>(map: &'a mut Map, key: &str) -> Option<&'a mut Value> {
    map.entries.iter_mut().find(|e| &*e.key == key).map(|e| &mut e.value)
}

/// Removes a key and gives its value.
pub fn remove(map: &mut Map, key: &str) -> Option<Value> {
    let i = map.entries.iter().position(|e| &*e.key == key)?;
    Some(map.entries.remove(i).value)
}

/// An empty map that stands where `at` does.
pub fn empty_map(at: Span) -> Value {
    Value::map(Map::new(Some(at)), at)
}

/// The origin of what replaces a value: the place of the new one, then that of the old one.
pub fn replaced(new: &Origin, old: &Origin) -> Origin {
    if old.span.is_none() || old.span == new.span {
        return new.clone();
    }
    let mut from: Vec<Origin> = new.from.iter().flat_map(|f| f.iter().cloned()).collect();
    if from.len() < 6 {
        from.push(old.clone());
    }
    Origin::derived(new.span, How::Rendered, from)
}

/// The origin of a value that something else changed: its own place, then that of what changed it.
pub fn changed(old: &Origin, by: Span) -> Origin {
    let mut from: Vec<Origin> = vec![Origin::literal(by)];
    from.extend(old.from.iter().flat_map(|f| f.iter().cloned()).take(6));
    if old.span.is_none() {
        return Origin::literal(by);
    }
    Origin::derived(old.span, How::Rendered, from)
}

/// The text of a scalar.
pub fn text(value: &Value) -> Option<Arc<str>> {
    match &value.data {
        Data::String(s) => Some(s.clone()),
        Data::Bool(b) => Some(b.to_string().into()),
        Data::Number(n) => Some(n.to_string().into()),
        _ => None,
    }
}

/// The text at a path of keys.
pub fn text_at(value: &Value, path: &[&str]) -> Option<Arc<str>> {
    text(value.at(path)?)
}

/// Calls `f` with the value at each place that a path of Kustomize's field specifications names. Lists on the way stand
/// for all their elements. With `create`, missing maps on the way are made, and the last one as well.
pub fn visit(value: &mut Value, path: &[&str], create: Option<Span>, f: &mut dyn FnMut(&mut Value)) {
    let Some((segment, rest)) = path.split_first() else {
        f(value);
        return;
    };
    if let Some(items) = list_mut(value) {
        for item in items {
            visit(item, path, create, f);
        }
        return;
    }
    let name = segment.strip_suffix("[]").unwrap_or(segment);
    let must_be_list = name.len() < segment.len();
    let Some(map) = map_mut(value) else { return };
    let missing = map.get(name).is_none_or(Value::is_null);
    if missing {
        let Some(span) = create.filter(|_| !must_be_list) else { return };
        map.insert(name, span, empty_map(span));
    }
    if let Some(next) = entry_mut(map, name) {
        visit(next, rest, create, f);
    }
}

/// Splits a path at slashes; `\/` is a slash inside a name.
pub fn segments(path: &str) -> Vec<String> {
    let mut out = vec![String::new()];
    let mut chars = path.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' if chars.peek() == Some(&'/') => {
                chars.next();
                if let Some(last) = out.last_mut() {
                    last.push('/');
                }
            }
            '/' => out.push(String::new()),
            c => {
                if let Some(last) = out.last_mut() {
                    last.push(c);
                }
            }
        }
    }
    out.retain(|s| !s.is_empty());
    out
}

/// Sets a key of a map, keeping what the value replaces as its origin.
pub fn set(map: &mut Map, key: &str, key_span: Span, mut value: Value) {
    if let Some(old) = map.get(key) {
        value.origin = replaced(&value.origin, &old.origin);
        if let Some(slot) = entry_mut(map, key) {
            *slot = value;
        }
    } else {
        map.entries.push(Entry { key: key.into(), key_span, value });
    }
}
