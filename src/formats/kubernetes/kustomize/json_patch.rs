//! JSON patches (RFC 6902) on values.

use super::edit::{entry_mut, list_mut, map_mut, remove, replaced};
use crate::base::Span;
use crate::graph::{Data, Entry, Value};

/// Applies a list of operations. The error says which operation and why, with its place.
pub fn apply(target: &mut Value, operations: &[Value]) -> Result<(), (Span, String)> {
    for operation in operations {
        one(target, operation).map_err(|message| (operation.span(), message))?;
    }
    Ok(())
}

fn pointer(operation: &Value, key: &str) -> Result<Vec<String>, String> {
    let text =
        operation.get(key).and_then(Value::as_str).ok_or_else(|| format!("a JSON patch operation lacks {key}"))?;
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let Some(body) = text.strip_prefix('/') else {
        return Err(format!("the path {text:?} does not begin with a slash"));
    };
    Ok(body.split('/').map(|s| s.replace("~1", "/").replace("~0", "~")).collect())
}

fn one(target: &mut Value, operation: &Value) -> Result<(), String> {
    let op = operation.get("op").and_then(Value::as_str).unwrap_or("");
    let path = pointer(operation, "path")?;
    let value = || operation.get("value").cloned().ok_or_else(|| format!("a JSON patch operation {op} lacks value"));
    let shown = || format!("/{}", path.join("/"));
    match op {
        "add" => add(target, &path, value()?)
            .map_err(|e| format!("add operation does not apply: doc is missing path: {}: {e}", shown())),
        "remove" => take(target, &path)
            .map(|_| ())
            .map_err(|e| format!("remove operation does not apply: doc is missing path: {}: {e}", shown())),
        "replace" => {
            let new = value()?;
            let slot = at(target, &path).ok_or_else(|| {
                format!("replace operation does not apply: doc is missing path: {}: missing value", shown())
            })?;
            let origin = replaced(&new.origin, &slot.origin);
            *slot = Value { data: new.data, origin };
            Ok(())
        }
        "move" => {
            let from = pointer(operation, "from")?;
            let moved = take(target, &from)
                .map_err(|e| format!("move operation does not apply: doc is missing from path: {e}"))?;
            add(target, &path, moved).map_err(|e| format!("move operation does not apply: {e}"))
        }
        "copy" => {
            let from = pointer(operation, "from")?;
            let copied = at(target, &from).cloned().ok_or_else(|| {
                format!("copy operation does not apply: doc is missing from path: /{}", from.join("/"))
            })?;
            add(target, &path, copied).map_err(|e| format!("copy operation does not apply: {e}"))
        }
        "test" => {
            let wanted = operation.get("value").cloned().unwrap_or_default();
            match at(target, &path) {
                Some(found) if *found == wanted => Ok(()),
                None if wanted.is_null() => Ok(()),
                _ => Err(format!("testing value {} failed: test failed", shown())),
            }
        }
        other => Err(format!("unexpected kind of JSON patch operation: {other:?}")),
    }
}

/// An index of a list; negative ones count from the end.
fn index(text: &str, length: usize) -> Option<usize> {
    let n: i64 = text.parse().ok()?;
    let length = i64::try_from(length).ok()?;
    let n = if n < 0 { n + length } else { n };
    usize::try_from(n).ok()
}

fn at<'a>(mut value: &'a mut Value, path: &[String]) -> Option<&'a mut Value> {
    for part in path {
        value = match value.data {
            Data::Map(_) => entry_mut(map_mut(value)?, part)?,
            Data::List(_) => {
                let items = list_mut(value)?;
                let i = index(part, items.len())?;
                items.get_mut(i)?
            }
            _ => return None,
        };
    }
    Some(value)
}

fn add(target: &mut Value, path: &[String], value: Value) -> Result<(), String> {
    let Some((last, above)) = path.split_last() else {
        *target = value;
        return Ok(());
    };
    let parent = at(target, above).ok_or_else(|| "missing value".to_owned())?;
    match parent.data {
        Data::Map(_) => {
            if let Some(map) = map_mut(parent) {
                let span = value.span();
                match entry_mut(map, last) {
                    Some(slot) => {
                        let origin = replaced(&value.origin, &slot.origin);
                        *slot = Value { data: value.data, origin };
                    }
                    None => map.entries.push(Entry { key: last.as_str().into(), key_span: span, value }),
                }
            }
            Ok(())
        }
        Data::List(_) => {
            let Some(items) = list_mut(parent) else { return Ok(()) };
            if last == "-" {
                items.push(value);
                return Ok(());
            }
            let i = index(last, items.len() + 1)
                .filter(|i| *i <= items.len())
                .ok_or_else(|| format!("unable to access invalid index: {last}"))?;
            items.insert(i, value);
            Ok(())
        }
        _ => Err("missing value".to_owned()),
    }
}

fn take(target: &mut Value, path: &[String]) -> Result<Value, String> {
    let Some((last, above)) = path.split_last() else {
        return Err("the whole document cannot be removed".to_owned());
    };
    let parent = at(target, above).ok_or_else(|| "missing value".to_owned())?;
    match parent.data {
        Data::Map(_) => map_mut(parent)
            .and_then(|m| remove(m, last))
            .ok_or_else(|| format!("unable to remove nonexistent key: {last}")),
        Data::List(_) => {
            let items = list_mut(parent).ok_or("no list")?;
            let i = index(last, items.len())
                .filter(|i| *i < items.len())
                .ok_or_else(|| format!("unable to access invalid index: {last}"))?;
            Ok(items.remove(i))
        }
        _ => Err("missing value".to_owned()),
    }
}
