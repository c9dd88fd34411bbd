//! TOML, written as the Go library of Helm writes it.

use super::super::format::{float_g, shortest};
use super::super::origin::Place;
use super::super::value::{Data, MapRef, Value};
use crate::formats::golang::{push, push_quoted, push_unicode};

/// A value as TOML; an error in words. What is no dictionary is written as the value of a key would be, but a list of dictionaries has no such form.
pub fn encode(value: &Value) -> Result<String, String> {
    let Some(map) = value.as_map() else {
        if is_tables(value) {
            return Err("toml: top-level values must be Go maps or structs".to_owned());
        }
        return inline(value, 0);
    };
    let mut out = String::new();
    table(&mut out, map, &mut Vec::new(), 0)?;
    Ok(out)
}

fn key(name: &str) -> String {
    if !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')) {
        name.to_owned()
    } else {
        quoted(name)
    }
}

fn quoted(s: &str) -> String {
    let mut out = String::with_capacity(s.len() + 2);
    push_quoted(&mut out, s, |c, out| match c {
        '\u{8}' => push(out, "\\b"),
        '\u{c}' => push(out, "\\f"),
        '\u{0}'..='\u{1f}' | '\u{7f}' => push_unicode(out, c),
        _ => false,
    });
    out
}

fn is_table(value: &Value) -> bool {
    value.as_map().is_some() || is_tables(value)
}

/// A list of dictionaries is an array of tables.
fn is_tables(value: &Value) -> bool {
    value.as_list().is_some_and(|l| !l.is_empty() && l.iter().all(|v| v.as_map().is_some()))
}

fn table(out: &mut String, map: &MapRef, path: &mut Vec<String>, depth: usize) -> Result<(), String> {
    if depth > 100 {
        return Err("toml: nested too deeply".to_owned());
    }
    let indent = "  ".repeat(path.len().saturating_sub(1) + usize::from(!path.is_empty()));
    let entries = map.entries();
    for (name, value) in entries.iter().filter(|(_, v)| !is_table(v) && !v.is_nil()) {
        out.push_str(&format!("{indent}{} = {}\n", key(name), inline(value, depth)?));
    }
    for (name, value) in entries.iter().filter(|(_, v)| is_table(v)) {
        path.push(key(name));
        let indent = "  ".repeat(path.len() - 1);
        if let Some(inner) = value.as_map() {
            if !out.is_empty() && path.len() == 1 {
                out.push('\n');
            }
            out.push_str(&format!("{indent}[{}]\n", path.join(".")));
            table(out, inner, path, depth + 1)?;
        } else {
            for item in value.as_list().into_iter().flat_map(|l| l.iter()) {
                if !out.is_empty() {
                    out.push('\n');
                }
                out.push_str(&format!("{indent}[[{}]]\n", path.join(".")));
                if let Some(inner) = item.as_map() {
                    table(out, inner, path, depth + 1)?;
                }
            }
        }
        path.pop();
    }
    Ok(())
}

fn inline(value: &Value, depth: usize) -> Result<String, String> {
    if depth > 100 {
        return Err("toml: nested too deeply".to_owned());
    }
    Ok(match &value.data {
        Data::Bool(b) => b.to_string(),
        Data::Int(n, _) => n.to_string(),
        Data::Float(f) => float(*f),
        Data::String(text) => quoted(&text.s),
        Data::List(items, _) => {
            let words: Result<Vec<String>, String> = items.iter().map(|v| inline(v, depth + 1)).collect();
            format!("[{}]", words?.join(", "))
        }
        Data::Map(map) => {
            let words: Result<Vec<String>, String> =
                map.entries().iter().map(|(k, v)| Ok(format!("{} = {}", key(k), inline(v, depth + 1)?))).collect();
            format!("{{{}}}", words?.join(", "))
        }
        _ => return Err("toml: cannot encode this value".to_owned()),
    })
}

/// A float always has a point or an exponent.
fn float(f: f64) -> String {
    if !f.is_finite() {
        return if f.is_nan() { "nan".to_owned() } else { float_g(f).to_lowercase() };
    }
    let (_, exponent) = shortest(f);
    let text = if (-4..21).contains(&exponent) { format!("{f}") } else { float_g(f) };
    if text.contains(['.', 'e']) { text } else { format!("{text}.0") }
}

/// TOML to values.
pub fn decode(text: &str, place: Place) -> Result<Value, String> {
    let table: ::toml::Table = text.parse().map_err(|e: ::toml::de::Error| format!("toml: {}", e.message()))?;
    Ok(of_toml(&::toml::Value::Table(table), place))
}

fn of_toml(value: &::toml::Value, place: Place) -> Value {
    let value = match value {
        ::toml::Value::String(s) => Value::from(s.as_str()),
        ::toml::Value::Integer(n) => Value::int64(*n),
        ::toml::Value::Float(f) => Value::from(*f),
        ::toml::Value::Boolean(b) => Value::from(*b),
        ::toml::Value::Datetime(d) => Value::from(d.to_string()),
        ::toml::Value::Array(items) => Value::from(items.iter().map(|v| of_toml(v, place)).collect::<Vec<_>>()),
        ::toml::Value::Table(table) => {
            Value::from(table.iter().map(|(k, v)| (k.as_str().into(), of_toml(v, place))).collect::<MapRef>())
        }
    };
    value.at(place)
}
