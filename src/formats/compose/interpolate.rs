//! `${VARIABLE}` in a Compose file, and `.env`.

use crate::base::FastMap;
use crate::graph::{CauseKind, Data, Entry, How, Map, Origin, Value};
use std::sync::Arc;

/// The same value with variables filled in.
pub fn value(value: &Value, environment: &FastMap<String, String>) -> Value {
    let data = match &value.data {
        Data::String(text) if text.contains('$') => {
            let span = value.span();
            return match fill(text, environment, 0) {
                Ok(filled) if *filled == **text => value.clone(),
                Ok(filled) => Value {
                    data: scalar(&filled),
                    origin: Origin::derived(span, How::Variable, [value.origin.clone()]),
                },
                Err(Missing(name)) => Value::unknown(
                    CauseKind::Input,
                    format!("the environment variable `{name}` has no value in `.env` and no default"),
                    span,
                ),
            };
        }
        Data::List(items) => Data::List(Arc::new(items.iter().map(|item| self::value(item, environment)).collect())),
        Data::Map(map) => {
            let entry = |e: &Entry| Entry { value: self::value(&e.value, environment), ..e.clone() };
            Data::Map(Arc::new(Map { entries: map.entries.iter().map(entry).collect(), head: map.head }))
        }
        other => other.clone(),
    };
    Value { data, origin: value.origin.clone() }
}

/// A filled-in `true` is a truth value where the field wants one.
fn scalar(text: &str) -> Data {
    match text {
        "true" => Data::Bool(true),
        "false" => Data::Bool(false),
        text => Data::String(text.into()),
    }
}

/// A variable without a value.
struct Missing(String);

/// Fills in `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME-default}`, `${NAME:?error}`, `${NAME:+other}`; `$$` is a dollar sign.
fn fill(text: &str, environment: &FastMap<String, String>, depth: u32) -> Result<String, Missing> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        filled.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            filled.push('$');
            rest = after;
        } else if let Some(body) = rest.strip_prefix('{') {
            let Some(end) = closing(body) else {
                filled.push('$');
                continue;
            };
            let (inner, after) = (&body[..end], &body[end + 1..]);
            filled.push_str(&expansion(inner, environment, depth)?);
            rest = after;
        } else {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
            if end == 0 {
                filled.push('$');
                continue;
            }
            let name = &rest[..end];
            filled.push_str(environment.get(name).ok_or_else(|| Missing(name.into()))?);
            rest = &rest[end..];
        }
    }
    filled.push_str(rest);
    Ok(filled)
}

/// Where the brace that is open closes.
fn closing(body: &str) -> Option<usize> {
    let mut depth = 0_u32;
    for (at, c) in body.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => return Some(at),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

fn expansion(inner: &str, environment: &FastMap<String, String>, depth: u32) -> Result<String, Missing> {
    let end = inner.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(inner.len());
    let (name, operator) = inner.split_at(end);
    let found = environment.get(name);
    let (operator, non_empty) = match operator.strip_prefix(':') {
        Some(rest) => (rest, true),
        None => (operator, false),
    };
    let set = found.filter(|value| !non_empty || !value.is_empty());
    let mut signs = operator.chars();
    let sign = signs.next();
    let word = signs.as_str();
    let nested = |word: &str| if depth < 8 { fill(word, environment, depth + 1) } else { Ok(word.to_owned()) };
    match (sign, set) {
        (Some('+'), Some(_)) => nested(word),
        (Some('+'), None) => Ok(String::new()),
        (_, Some(value)) => Ok(value.clone()),
        (Some('-'), None) => nested(word),
        _ => Err(Missing(name.into())),
    }
}

/// The names and values of a `.env` file.
pub fn dotenv(text: &str) -> FastMap<String, String> {
    let mut values = FastMap::default();
    for line in text.lines() {
        let line = line.trim();
        let line = line.strip_prefix("export ").unwrap_or(line);
        let Some((name, value)) = line.split_once('=').filter(|_| !line.starts_with('#')) else { continue };
        let value = value.trim();
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
        let value = match quote {
            Some(quote) => value[1..].split(quote).next().unwrap_or(""),
            None => value.split(" #").next().unwrap_or("").trim_end(),
        };
        values.insert(name.trim().to_owned(), value.to_owned());
    }
    values
}
