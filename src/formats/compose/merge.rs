//! Laying one service over another, as `docker compose` does with several files and with `extends`.

use crate::graph::{Data, Entry, Map, Value};
use std::sync::Arc;

/// Fields that may be written as a list of `NAME=value` or as a mapping.
const PAIRS: [&str; 6] = ["environment", "labels", "annotations", "sysctls", "extra_hosts", "args"];

/// Lists of which the later replaces the earlier; all others are joined.
const REPLACED: [&str; 4] = ["command", "entrypoint", "test", "profiles"];

/// A service with its shorthands written out: lists of pairs as maps, `build: dir` as a map.
pub fn normalized(service: &Value) -> Value {
    let Some(map) = service.as_map() else { return service.clone() };
    let entries = map.entries.iter().map(|entry| {
        let value = match (&*entry.key, &entry.value.data) {
            (name, Data::List(items)) if PAIRS.contains(&name) => pairs(entry, items),
            ("build", Data::String(_)) => {
                let mut build = Map::new(Some(entry.key_span));
                build.insert("context", entry.value.span(), entry.value.clone());
                Value { data: Data::Map(Arc::new(build)), origin: entry.value.origin.clone() }
            }
            ("build", Data::Map(_)) => normalized(&entry.value),
            _ => entry.value.clone(),
        };
        Entry { value, ..entry.clone() }
    });
    let map = Map { entries: entries.collect(), head: map.head };
    Value { data: Data::Map(Arc::new(map)), origin: service.origin.clone() }
}

/// `[A=1, B]` as `{A: 1, B: null}`; each value keeps the place of its part of the text.
fn pairs(entry: &Entry, items: &[Value]) -> Value {
    let mut map = Map::new(Some(entry.key_span));
    for item in items {
        let Some(text) = item.as_str() else { continue };
        // `extra_hosts` may use a colon.
        let separator = if &*entry.key == "extra_hosts" && !text.contains('=') { ':' } else { '=' };
        let span = item.span();
        let (name, value) = match text.split_once(separator) {
            Some((name, value)) => {
                let mut place = span;
                // Where the text stands there as it is, the value's place is its end.
                let quotes = u32::try_from(text.len()).unwrap_or(0) + 2 == span.end - span.start;
                let plain = u32::try_from(text.len()).unwrap_or(0) == span.end - span.start;
                if quotes || plain {
                    place.end -= u32::from(quotes);
                    place.start = place.end - u32::try_from(value.len()).unwrap_or(0);
                }
                let mut origin = item.origin.clone();
                origin.span = place;
                (name, Value { data: Data::String(value.into()), origin })
            }
            None => (text, Value { data: Data::Null, origin: item.origin.clone() }),
        };
        map.insert(name, span, value);
    }
    Value { data: Data::Map(Arc::new(map)), origin: entry.value.origin.clone() }
}

/// `over` laid over `base`: mappings are merged, lists joined, anything else replaced.
pub fn over(base: &Value, over_value: &Value) -> Value {
    merged("", base, over_value, 0)
}

fn merged(name: &str, base: &Value, over: &Value, depth: u32) -> Value {
    match (&base.data, &over.data) {
        (Data::Map(below), Data::Map(above)) if depth < 16 => {
            let mut map = (**below).clone();
            map.head = above.head.or(map.head);
            for entry in &above.entries {
                if &*entry.key == "extends" {
                    continue;
                }
                match map.entries.iter_mut().find(|e| e.key == entry.key) {
                    Some(there) => {
                        let value = merged(&entry.key, &there.value, &entry.value, depth + 1);
                        *there = Entry { value, ..entry.clone() };
                    }
                    None => map.entries.push(entry.clone()),
                }
            }
            Value { data: Data::Map(Arc::new(map)), origin: over.origin.clone() }
        }
        (Data::List(below), Data::List(above)) if !REPLACED.contains(&name) => {
            let mut items: Vec<Value> = below.iter().filter(|item| !above.contains(item)).cloned().collect();
            items.extend(above.iter().cloned());
            Value { data: Data::List(Arc::new(items)), origin: over.origin.clone() }
        }
        _ => over.clone(),
    }
}
