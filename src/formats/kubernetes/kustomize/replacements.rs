//! `replacements`: a field of one object copied into fields of others.

use super::edit::{changed, entry_mut, list_mut, map_mut, text, text_at};
use super::resource::Resource;
use super::select::Selector;
use crate::base::Span;
use crate::graph::{Data, Entry, How, Origin, Value};

/// Splits a field path at dots; `\.` is a dot inside a name, brackets keep theirs.
pub fn split_path(path: &str) -> Vec<String> {
    let mut out = vec![String::new()];
    let mut chars = path.chars().peekable();
    let mut depth = 0;
    while let Some(c) = chars.next() {
        match c {
            '\\' if chars.peek() == Some(&'.') => {
                chars.next();
                if let Some(last) = out.last_mut() {
                    last.push('.');
                }
            }
            '.' if depth == 0 => out.push(String::new()),
            '[' => {
                depth += 1;
                // `ports[0]` is two steps.
                if out.last().is_some_and(|l| !l.is_empty()) {
                    out.push(String::new());
                }
                if let Some(last) = out.last_mut() {
                    last.push(c);
                }
            }
            ']' => {
                depth -= 1;
                if let Some(last) = out.last_mut() {
                    last.push(c);
                }
            }
            c => {
                if let Some(last) = out.last_mut() {
                    last.push(c);
                }
            }
        }
    }
    out.retain(|s| !s.is_empty());
    // `[x]` without a comparison is the name or the index inside.
    for part in &mut out {
        if let Some(inner) = part.strip_prefix('[').and_then(|p| p.strip_suffix(']'))
            && !inner.contains('=')
        {
            *part = inner.to_owned();
        }
    }
    out
}

/// What a piece of a text is replaced by.
struct Piece {
    delimiter: String,
    index: i64,
}

fn piece(options: Option<&Value>) -> Option<Piece> {
    let delimiter = text_at(options?, &["delimiter"])?.to_string();
    let index = text_at(options?, &["index"]).and_then(|t| t.parse().ok()).unwrap_or(0);
    Some(Piece { delimiter, index })
}

/// Runs one replacement.
pub fn run(resources: &mut [Resource], rule: &Value) -> Result<(), (Span, String)> {
    let at = rule.span();
    let value = if let Some(constant) = rule.get("sourceValue") {
        constant.clone()
    } else {
        let Some(source) = rule.get("source") else { return Err((at, "replacements must specify a source".into())) };
        source_value(resources, source).map_err(|m| (source.span(), m))?
    };
    let targets = rule.get("targets").and_then(Value::as_list).unwrap_or(&[]);
    if targets.is_empty() {
        return Err((at, "replacements must specify at least one target".into()));
    }
    for target in targets {
        let Some(select) = target.get("select") else {
            return Err((target.span(), "target must specify resources to select".into()));
        };
        let selector = Selector::parse(select).map_err(|m| (select.span(), m))?;
        let mut rejects = Vec::new();
        for reject in target.get("reject").and_then(Value::as_list).unwrap_or(&[]) {
            rejects.push(Selector::parse(reject).map_err(|m| (reject.span(), m))?);
        }
        let default = [Value::string("metadata.name", target.span())];
        let paths = target.get("fieldPaths").and_then(Value::as_list).filter(|p| !p.is_empty()).unwrap_or(&default);
        let options = target.get("options");
        let create = options.and_then(|o| o.get("create")).and_then(Value::as_bool).unwrap_or(false);
        for resource in resources.iter_mut() {
            if !selector.matches(resource) || rejects.iter().any(|r| r.matches(resource)) {
                continue;
            }
            for path in paths {
                let shown = text(path).unwrap_or("".into());
                let steps = split_path(&shown);
                let mut hits = 0;
                let mut result = Ok(());
                walk(&mut resource.value, &steps, create, path.span(), &mut |slot| {
                    hits += 1;
                    let done = put(slot, &value, options);
                    if result.is_ok() {
                        result = done;
                    }
                });
                result.map_err(|m| (path.span(), m))?;
                if hits == 0 {
                    return Err((path.span(), format!("unable to find field {shown:?} in replacement target")));
                }
            }
        }
    }
    Ok(())
}

fn source_value(resources: &[Resource], source: &Value) -> Result<Value, String> {
    let word = |key: &str| text_at(source, &[key]).filter(|t| !t.is_empty());
    let matches: Vec<&Resource> = resources
        .iter()
        .filter(|r| {
            r.ids().iter().any(|id| {
                let fits = |wanted: Option<std::sync::Arc<str>>, have: &str| wanted.is_none_or(|w| *w == *have);
                fits(word("kind"), &id.kind)
                    && fits(word("name"), &id.name)
                    && fits(word("group"), &id.group)
                    && fits(word("version"), &id.version)
                    && fits(word("namespace"), if id.namespace.is_empty() { "default" } else { &id.namespace })
            })
        })
        .collect();
    let one = match matches.as_slice() {
        [one] => one,
        [] => return Err("nothing selected by the source of a replacement".to_owned()),
        _ => return Err("multiple matches for the source of a replacement".to_owned()),
    };
    let path = text_at(source, &["fieldPath"]).unwrap_or("metadata.name".into());
    let mut found = None;
    let mut copy = one.value.clone();
    walk(&mut copy, &split_path(&path), false, source.span(), &mut |v| {
        if found.is_none() {
            found = Some(v.clone());
        }
    });
    let found = found
        .filter(|v| !v.is_null())
        .ok_or_else(|| format!("fieldPath `{path}` is missing for replacement source"))?;
    let Some(piece) = piece(source.get("options")) else { return Ok(found) };
    let whole = text(&found).ok_or("delimiter option can only be used with scalar nodes")?;
    let parts: Vec<&str> = whole.split(piece.delimiter.as_str()).collect();
    let part = usize::try_from(piece.index).ok().and_then(|i| parts.get(i));
    let part = part.ok_or_else(|| format!("options.index {} is out of bounds for value {whole}", piece.index))?;
    Ok(Value { data: Data::String((*part).into()), origin: found.origin.clone() })
}

fn put(slot: &mut Value, value: &Value, options: Option<&Value>) -> Result<(), String> {
    let mut new = value.clone();
    if let Some(piece) = piece(options) {
        let (Some(old), Some(word)) = (text(slot), text(value)) else {
            return Err("delimiter option can only be used with scalar nodes".to_owned());
        };
        let mut parts: Vec<&str> = old.split(piece.delimiter.as_str()).collect();
        let length = i64::try_from(parts.len()).unwrap_or(i64::MAX);
        if piece.index < 0 {
            parts.insert(0, &word);
        } else if piece.index >= length {
            parts.push(&word);
        } else if let Some(part) = usize::try_from(piece.index).ok().and_then(|i| parts.get_mut(i)) {
            *part = &word;
        }
        new.data = Data::String(parts.join(&piece.delimiter).into());
    }
    // A scalar keeps the type of the one it replaces, where it can.
    match (&slot.data, &new.data) {
        (Data::Number(_), Data::String(word)) => {
            let number = crate::graph::Number::parse(word);
            new.data = Data::Number(number.ok_or_else(|| format!("yaml: cannot decode !!str `{word}` as a number"))?);
        }
        (Data::Bool(_), Data::String(word)) => {
            let known = matches!(&**word, "true" | "false");
            new.data = Data::Bool(
                known
                    .then(|| &**word == "true")
                    .ok_or_else(|| format!("yaml: cannot decode !!str `{word}` as a !!bool"))?,
            );
        }
        (Data::String(_), Data::Number(_) | Data::Bool(_)) => {
            if let Some(word) = text(&new) {
                new.data = Data::String(word);
            }
        }
        _ => {}
    }
    // The value keeps its place at the target; what it was copied from comes next.
    new.origin = if slot.span().is_none() || slot.as_map().is_some_and(|m| m.entries.is_empty()) {
        Origin::derived(value.span(), How::Rendered, [])
    } else {
        changed(&slot.origin, value.span())
    };
    *slot = new;
    Ok(())
}

/// Calls `f` at each place that a path names: `*` for all elements, `[key=value]` for some, numbers for one.
fn walk(value: &mut Value, steps: &[String], create: bool, at: Span, f: &mut dyn FnMut(&mut Value)) {
    let Some((step, rest)) = steps.split_first() else {
        f(value);
        return;
    };
    if value.is_null() && create {
        *value = super::edit::empty_map(at);
    }
    if let Some(items) = list_mut(value) {
        if step == "*" {
            for item in items {
                walk(item, rest, create, at, f);
            }
        } else if let Some((key, wanted)) =
            step.strip_prefix('[').and_then(|s| s.strip_suffix(']')).and_then(|s| s.split_once('='))
        {
            let fits = |v: &Value| if key.is_empty() { text(v) } else { text_at(v, &[key]) }.as_deref() == Some(wanted);
            if !items.iter().any(fits) && create && !key.is_empty() {
                let mut element = super::edit::empty_map(at);
                if let Some(map) = map_mut(&mut element) {
                    map.insert(key, at, Value::string(wanted, at));
                }
                items.push(element);
            }
            for item in items.iter_mut().filter(|v| fits(v)) {
                walk(item, rest, create, at, f);
            }
        } else if step == "-" {
            let mut element = super::edit::empty_map(at);
            walk(&mut element, rest, true, at, f);
            items.push(element);
        } else if let Ok(index) = step.parse::<usize>() {
            if index == items.len() && create {
                items.push(super::edit::empty_map(at));
            }
            if let Some(item) = items.get_mut(index) {
                walk(item, rest, create, at, f);
            }
        }
        return;
    }
    let Some(map) = map_mut(value) else { return };
    if step == "*" {
        for entry in &mut map.entries {
            walk(&mut entry.value, rest, create, at, f);
        }
        return;
    }
    if map.get(step).is_none() && create {
        let is_list = |step: &String| step.starts_with('[') || step == "-" || step.bytes().all(|b| b.is_ascii_digit());
        let made =
            if rest.first().is_some_and(is_list) { Value::list(Vec::new(), at) } else { super::edit::empty_map(at) };
        map.entries.push(Entry { key: step.as_str().into(), key_span: at, value: made });
    }
    if let Some(next) = entry_mut(map, step) {
        walk(next, rest, create, at, f);
    }
}
