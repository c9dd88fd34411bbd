//! Values as the languages write them.

use crate::graph::{Data, Value};
use crate::syntax::yaml::{Scalar, Schema, resolve};

/// A string's inside between double quotes, as JSON, HCL and YAML all read it.
pub fn escaped(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted.strip_prefix('"').and_then(|q| q.strip_suffix('"')).unwrap_or(&quoted).to_owned()
}

/// A value as an HCL expression; `None` for what is unknown. A map of more than one entry takes several lines, for which
/// `indent` is the indentation of the line it begins on.
pub fn hcl(value: &Value, indent: &str) -> Option<String> {
    Some(match &value.data {
        Data::Null => "null".into(),
        Data::Bool(b) => b.to_string(),
        Data::Number(n) => n.to_string(),
        // `${` and `%{` would begin a template.
        Data::String(s) => format!("\"{}\"", escaped(s).replace("${", "$${").replace("%{", "%%{")),
        Data::List(items) => {
            let items: Option<Vec<String>> = items.iter().map(|v| hcl(v, indent)).collect();
            format!("[{}]", items?.join(", "))
        }
        Data::Map(map) if map.entries.is_empty() => "{}".into(),
        Data::Map(map) => {
            let inner = format!("{indent}  ");
            let width = map.entries.iter().map(|e| hcl_key(&e.key).chars().count()).max().unwrap_or(0);
            let mut text = "{\n".to_owned();
            for e in &map.entries {
                text.push_str(&format!("{inner}{:width$} = {}\n", hcl_key(&e.key), hcl(&e.value, &inner)?));
            }
            text + indent + "}"
        }
        Data::Unknown(_) => return None,
    })
}

/// The key of an object: bare where it is a name.
pub fn hcl_key(name: &str) -> String {
    let bare = name.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
    if bare { name.to_owned() } else { format!("\"{}\"", escaped(name)) }
}

/// A value as JSON on one line, and as YAML in flow style.
pub fn json(value: &Value) -> Option<String> {
    Some(match &value.data {
        Data::List(items) => {
            let items: Option<Vec<String>> = items.iter().map(json).collect();
            format!("[{}]", items?.join(", "))
        }
        Data::Map(map) => {
            let entries: Option<Vec<String>> = map
                .entries
                .iter()
                .map(|e| Some(format!("{}: {}", serde_json::Value::from(&*e.key), json(&e.value)?)))
                .collect();
            format!("{{{}}}", entries?.join(", "))
        }
        Data::Unknown(_) => return None,
        _ => value.to_json().to_string(),
    })
}

/// A string as a YAML scalar: plain where every reader takes it for this string, else in double quotes.
pub fn yaml_string(text: &str) -> String {
    let odd_start = |c: char| "-?:,[]{}#&*!|>'\"%@`".contains(c);
    let plain = !text.is_empty()
        && text.trim() == text
        && matches!(resolve(text, Schema::Kubernetes), Scalar::String(_))
        && !text.chars().next().is_some_and(odd_start)
        && !text.ends_with(':')
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.contains(|c: char| c.is_control() || ",[]{}".contains(c));
    if plain { text.to_owned() } else { format!("\"{}\"", escaped(text)) }
}

/// A value behind a key (with its space or line break in front) or behind a dash, in block style. `indent` is the column of
/// the key.
pub fn yaml_block(value: &Value, indent: usize) -> Option<String> {
    let pad = " ".repeat(indent + 2);
    Some(match &value.data {
        Data::String(s) => format!(" {}", yaml_string(s)),
        Data::List(items) if !items.is_empty() => {
            let mut text = String::new();
            for item in items.iter() {
                let body = match &item.data {
                    // The first key stands beside the dash, the others below it.
                    Data::Map(map) if !map.entries.is_empty() => yaml_block(item, indent + 2)?.trim_start().to_owned(),
                    _ => yaml_block(item, indent + 2)?.trim_start().to_owned(),
                };
                text.push_str(&format!("\n{pad}- {body}"));
            }
            text
        }
        Data::Map(map) if !map.entries.is_empty() => {
            let mut text = String::new();
            for e in &map.entries {
                text.push_str(&format!("\n{pad}{}:{}", yaml_string(&e.key), yaml_block(&e.value, indent + 2)?));
            }
            text
        }
        _ => format!(" {}", json(value)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Span;

    #[test]
    fn strings_are_quoted_where_a_reader_needs_it() {
        for plain in ["private", "a-b", "10Mi", "Always", "http://x/y", "a#b"] {
            assert_eq!(yaml_string(plain), plain);
        }
        for quoted in ["true", "yes", "12", "", " a", "a: b", "a #b", "*x", "- a", "null", "a,b", "x:"] {
            assert_eq!(yaml_string(quoted), format!("\"{quoted}\""));
        }
    }

    #[test]
    fn hcl_escapes_templates() {
        let value = Value::string("${a}\n\"%{b}\"", Span::NONE);
        assert_eq!(hcl(&value, "").as_deref(), Some(r#""$${a}\n\"%%{b}\"""#));
    }
}
