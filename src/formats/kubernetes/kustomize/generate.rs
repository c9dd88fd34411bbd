//! ConfigMap and Secret generators, and the hash that is appended to their names.

use super::edit::{map_mut, text, text_at};
use super::resource::{Behavior, Declared, Resource};
use crate::base::{SourceFile, Span};
use crate::formats::golang::push_json;
use crate::graph::{Data, Entry, Map, Origin, Value};
use data_encoding::{BASE64, HEXLOWER};
use sha2::Digest;
use std::sync::Arc;

/// Reads a file beside the kustomization; the error is in words.
pub type Read<'a> = dyn Fn(&str) -> Result<Arc<SourceFile>, String> + 'a;

/// The object that a generator makes.
pub fn generate(
    rule: &Value,
    secret: bool,
    shared: Option<&Value>,
    read: &Read<'_>,
    declared_in: &str,
) -> Result<Resource, (Span, String)> {
    let at = rule.span();
    let kind = if secret { "Secret" } else { "ConfigMap" };
    let Some(name) = rule.get("name").filter(|n| text(n).is_some_and(|t| !t.is_empty())) else {
        return Err((at, format!("a {kind} generator needs a name")));
    };
    let mut data = Map::new(Some(at));
    let mut put = |key: &str, value: &str, span: Span| -> Result<(), (Span, String)> {
        let valid =
            !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
        if !valid && !key.ends_with(' ') {
            return Err((span, format!("{key:?} is not a valid key name for a {kind}")));
        }
        if data.get(key).is_some() {
            return Err((
                span,
                format!(
                    "{} {} illegally repeats the key `{key}`",
                    kind.to_lowercase(),
                    text(name).unwrap_or("".into())
                ),
            ));
        }
        let encoded = if secret { BASE64.encode(value.as_bytes()) } else { value.to_owned() };
        data.entries.push(Entry { key: key.into(), key_span: span, value: Value::string(encoded, span) });
        Ok(())
    };
    let list = |key: &str| rule.get(key).and_then(Value::as_list).unwrap_or(&[]).to_vec();
    let mut envs = list("envs");
    envs.extend(rule.get("env").cloned());
    for env in &envs {
        let path = text(env).unwrap_or("".into());
        let file = read(&path).map_err(|m| (env.span(), m))?;
        let mut offset = 0;
        for line in file.text.trim_start_matches('\u{feff}').split('\n') {
            let span = Span::new(file.id, offset..offset + line.len());
            offset += line.len() + 1;
            let line = line.strip_suffix('\r').unwrap_or(line).trim_start();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            match line.split_once('=') {
                Some((key, value)) => put(key, value, span)?,
                // A bare name takes its value from the environment, which is not read here.
                None => put(line, "", span)?,
            }
        }
    }
    for entry in list("files") {
        let spec = text(&entry).unwrap_or("".into());
        let (key, path) = match spec.split_once('=') {
            Some(("", _)) => return Err((entry.span(), format!("key name for file path {spec:?} missing"))),
            Some((_, path)) if path.contains('=') => {
                return Err((entry.span(), "key names or file paths cannot contain '='".to_owned()));
            }
            Some((key, path)) => (key, path),
            None => (spec.rsplit('/').next().unwrap_or(&spec), &*spec),
        };
        if path.is_empty() {
            return Err((entry.span(), format!("file path for key name {key:?} missing")));
        }
        let file = read(path).map_err(|m| (entry.span(), m))?;
        put(key, &file.text, entry.span())?;
    }
    for literal in list("literals") {
        let pair = text(&literal).unwrap_or("".into());
        let Some((key, value)) = pair.split_once('=').filter(|(k, _)| !k.is_empty()) else {
            return Err((literal.span(), format!("invalid literal source {pair}, expected key=value")));
        };
        let bare = ['"', '\''].iter().find_map(|q| value.strip_prefix(*q)?.strip_suffix(*q)).unwrap_or(value);
        put(key, bare, literal.span())?;
    }
    let mut metadata = Map::new(Some(at));
    metadata.insert(
        "name",
        name.span(),
        Value { data: Data::String(text(name).unwrap_or("".into())), origin: Origin::literal(name.span()) },
    );
    if let Some(namespace) = rule.get("namespace").filter(|n| text(n).is_some()) {
        metadata.insert("namespace", namespace.span(), namespace.clone());
    }
    let own = rule.get("options");
    let option = |key: &str| own.and_then(|o| o.get(key)).or_else(|| shared.and_then(|o| o.get(key)));
    for key in ["labels", "annotations"] {
        let mut merged = Map::new(Some(at));
        for options in [shared, own].into_iter().flatten() {
            for entry in options.get(key).and_then(Value::as_map).map(|m| m.entries.as_slice()).unwrap_or(&[]) {
                merged.insert(entry.key.clone(), entry.key_span, entry.value.clone());
            }
        }
        if !merged.entries.is_empty() {
            metadata.insert(key, at, Value::map(merged, at));
        }
    }
    let mut body = Map::new(Some(at));
    body.insert("apiVersion", at, Value::string("v1", at));
    body.insert("kind", at, Value::string(kind, at));
    body.insert("metadata", at, Value::map(metadata, at));
    // An empty Secret keeps its empty data, an empty ConfigMap does not.
    if secret || !data.entries.is_empty() {
        data.entries.sort_by(|a, b| a.key.cmp(&b.key));
        body.insert("data", at, Value::map(data, at));
    }
    if secret {
        let word = text_at(rule, &["type"]).filter(|t| !t.is_empty()).unwrap_or("Opaque".into());
        body.insert("type", at, Value::string(word, rule.get("type").map_or(at, Value::span)));
    }
    if let Some(immutable) = option("immutable").filter(|v| v.as_bool() == Some(true)) {
        body.insert("immutable", immutable.span(), immutable.clone());
    }
    let generator = if secret { "SecretGenerator" } else { "ConfigMapGenerator" };
    let mut resource = Resource::new(Value::map(body, at), Declared::Generator(declared_in.to_owned(), generator));
    resource.needs_hash = option("disableNameSuffixHash").and_then(Value::as_bool) != Some(true);
    resource.behavior = match text_at(rule, &["behavior"]).as_deref() {
        Some("merge") => Behavior::Merge,
        Some("replace") => Behavior::Replace,
        _ => Behavior::Create,
    };
    Ok(resource)
}

/// Adds a generated object to the others, or changes the one it names.
pub fn absorb(resources: &mut Vec<Resource>, new: Resource) -> Result<(), (Span, String)> {
    let id = new.id();
    let found: Vec<usize> =
        resources.iter().enumerate().filter(|(_, r)| r.ids().iter().any(|i| i.same(&id))).map(|(i, _)| i).collect();
    match (found.as_slice(), new.behavior) {
        ([], Behavior::Create) => resources.push(new),
        ([], _) => {
            return Err((new.span(), format!("id {} does not exist; cannot merge or replace", id.show())));
        }
        ([_], Behavior::Create) => {
            return Err((
                new.span(),
                format!("id {} exists; can not use behavior: 'unspecified' or 'create'", id.show()),
            ));
        }
        ([i], behavior) => {
            let Some(old) = resources.get_mut(*i) else { return Ok(()) };
            let metadata = old.value.get("metadata").cloned();
            let mut value = new.value.clone();
            if behavior == Behavior::Merge {
                value = old.value.clone();
                if let Some(map) = map_mut(&mut value) {
                    for field in ["data", "binaryData"] {
                        let Some(added) = new.value.get(field).and_then(Value::as_map) else { continue };
                        let mut merged = old
                            .value
                            .get(field)
                            .and_then(|v| v.as_map().cloned())
                            .unwrap_or_else(|| Map::new(added.head));
                        for entry in &added.entries {
                            super::edit::set(&mut merged, &entry.key, entry.key_span, entry.value.clone());
                        }
                        merged.entries.sort_by(|a, b| a.key.cmp(&b.key));
                        let span = new.value.span();
                        map.insert(field, span, Value::map(merged, span));
                    }
                    if let Some(word) = new.value.get("type").filter(|w| text(w).as_deref() != Some("Opaque")) {
                        map.insert("type", word.span(), word.clone());
                    }
                }
            }
            // The name, labels and annotations of the old one stay; those of the generator are added.
            if let (Some(map), Some(mut metadata)) = (map_mut(&mut value), metadata) {
                if let Some(own) = map_mut(&mut metadata) {
                    for key in ["labels", "annotations"] {
                        let Some(added) = new.value.at(&["metadata", key]).and_then(Value::as_map) else { continue };
                        let mut merged =
                            own.get(key).and_then(|v| v.as_map().cloned()).unwrap_or_else(|| Map::new(added.head));
                        for entry in &added.entries {
                            super::edit::set(&mut merged, &entry.key, entry.key_span, entry.value.clone());
                        }
                        own.insert(key, new.value.span(), Value::map(merged, new.value.span()));
                    }
                }
                map.insert("metadata", metadata.span(), metadata);
            }
            old.value = value;
            old.needs_hash = new.needs_hash;
        }
        _ => return Err((new.span(), format!("found multiple objects that match {}", id.show()))),
    }
    Ok(())
}

/// Appends the hash of its content to the name of every object that asks for it.
pub fn add_hashes(resources: &mut [Resource]) {
    for resource in resources.iter_mut().filter(|r| r.needs_hash) {
        let hash = content_hash(&resource.value);
        resource.remember();
        let name = resource.meta("name");
        super::edit::visit(&mut resource.value, &["metadata", "name"], None, &mut |value| {
            value.data = Data::String(format!("{name}-{hash}").into());
        });
    }
}

/// The first ten digits of the SHA-256 of the object's kind and data, in letters that spell no word.
fn content_hash(value: &Value) -> String {
    let json = |value: &Value| sorted_json(value);
    let kind = text_at(value, &["kind"]).unwrap_or("".into());
    let secret = &*kind == "Secret";
    let data = value.get("data");
    let mut text = String::from("{");
    if let Some(binary) = value.get("binaryData").filter(|b| b.as_map().is_some_and(|m| !m.entries.is_empty())) {
        text.push_str(&format!("\"binaryData\":{},", json(binary)));
    }
    match data {
        Some(data) => text.push_str(&format!("\"data\":{}", json(data))),
        None if secret => text.push_str("\"data\":{}"),
        None => text.push_str("\"data\":\"\""),
    }
    text.push_str(&format!(",\"kind\":\"{kind}\",\"name\":\"\""));
    if secret {
        if let Some(plain) = value.get("stringData") {
            text.push_str(&format!(",\"stringData\":{}", json(plain)));
        }
        let word = text_at(value, &["type"]).unwrap_or("".into());
        text.push_str(",\"type\":");
        push_json(&mut text, &word, true);
    }
    text.push('}');
    let hex = HEXLOWER.encode(&sha2::Sha256::digest(text.as_bytes()));
    hex.chars()
        .take(10)
        .map(|c| match c {
            '0' => 'g',
            '1' => 'h',
            '3' => 'k',
            'a' => 'm',
            'e' => 't',
            c => c,
        })
        .collect()
}

/// JSON with sorted keys, escaped as Go does.
fn sorted_json(value: &Value) -> String {
    let mut out = String::new();
    match &value.data {
        Data::Map(map) => {
            let mut entries: Vec<&Entry> = map.entries.iter().collect();
            entries.sort_by(|a, b| a.key.cmp(&b.key));
            out.push('{');
            for (i, entry) in entries.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                push_json(&mut out, &entry.key, true);
                out.push(':');
                out.push_str(&sorted_json(&entry.value));
            }
            out.push('}');
        }
        Data::List(items) => {
            let words: Vec<String> = items.iter().map(sorted_json).collect();
            out.push_str(&format!("[{}]", words.join(",")));
        }
        Data::String(s) => push_json(&mut out, s, true),
        _ => out.push_str(&value.to_json().to_string()),
    }
    out
}
