//! YAML, JSON and TOML to values and back, as the libraries of Helm do it.

use super::format::float_json;
use super::origin::{Builder, Means, Place, Places, Text};
use super::value::{Data, IntType, MapRef, Members, Object, Value};
use crate::base::{FileId, Span};
use crate::formats::golang::{push, push_json, push_quoted};
use crate::syntax::yaml::{Node, NodeKind, Scalar, Schema, Tree, parse};
use std::rc::Rc;

/// Where the places of parsed values come from.
pub enum Ground<'a> {
    /// A file: every value has its span.
    File,
    /// A text with pieces: every value has the place of its first byte.
    Text(&'a Text, Place),
}

/// The value of a node; every number is a float, as after a journey through JSON.
pub fn value_of(node: Node<'_>, places: &Places, ground: &Ground<'_>) -> Result<Value, String> {
    let span = node.span();
    let place = match ground {
        Ground::File => places.add(span, Means::Value, &[]),
        Ground::Text(text, own) => match &text.pieces {
            None => *own,
            Some(pieces) => pieces.iter().find(|p| p.end > span.start).map_or(*own, |p| p.place),
        },
    };
    let data = match node.kind() {
        NodeKind::Missing => return Err("could not be read".to_owned()),
        NodeKind::Sequence => {
            let items: Result<Vec<Value>, String> = node.items().map(|n| value_of(n, places, ground)).collect();
            Data::List(Rc::new(items?), Members::Any)
        }
        NodeKind::Mapping => {
            let map = MapRef::default();
            for (key, value) in node.entries() {
                let Some(name) = key.key_text(Schema::Kubernetes) else {
                    return Err("a key must be a scalar".to_owned());
                };
                map.set(&*name, value_of(value, places, ground)?);
            }
            Data::Map(map)
        }
        NodeKind::Scalar => match node.scalar(Schema::Kubernetes) {
            None | Some(Scalar::Null) => Data::Nil,
            Some(Scalar::Bool(b)) => Data::Bool(b),
            #[expect(clippy::cast_precision_loss, reason = "JSON numbers are floats to Go")]
            Some(Scalar::Int(n)) => Data::Float(n as f64),
            Some(Scalar::Float(f, _)) => Data::Float(f),
            Some(Scalar::String(s)) => Data::String(s.into()),
        },
    };
    Ok(Value { data, place })
}

/// The first error of a tree, in words.
pub fn first_error(tree: &Tree) -> Option<(Span, String)> {
    tree.errors.first().map(|e| (e.span, e.message.clone()))
}

/// `fromYaml` and its relatives: the first document of a text.
pub fn from_text(text: &Text, own: Place, places: &Places) -> Result<Value, String> {
    let tree = parse(FileId::NONE, (*text.s).into());
    if let Some((_, message)) = first_error(&tree) {
        return Err(format!("error converting YAML to JSON: yaml: {message}"));
    }
    match tree.root() {
        Some(root) => value_of(root, places, &Ground::Text(text, own)),
        None => Ok(Value::nil()),
    }
}

/// Numbers, truth values and the like of a scalar in YAML and JSON; `None` for text and containers.
fn atom(value: &Value) -> Option<String> {
    Some(match &value.data {
        Data::Missing | Data::Nil => "null".to_owned(),
        Data::Bool(b) => b.to_string(),
        Data::Int(n, IntType::Uint64) => n.cast_unsigned().to_string(),
        Data::Int(n, _) => n.to_string(),
        Data::Float(f) => float_json(*f),
        _ => return None,
    })
}

/// What an object looks like once it is encoded.
fn encoded(value: &Value) -> Value {
    match &value.data {
        Data::Object(object) => match &**object {
            Object::Struct { fields, type_name } => {
                let map = MapRef::default();
                for (name, field) in fields {
                    // The tags of Helm's metadata: names begin small, empty fields are left out.
                    let small = match *name {
                        "APIVersion" => "apiVersion".to_owned(),
                        other if *type_name == "chart.Metadata" => {
                            let mut chars = other.chars();
                            chars
                                .next()
                                .map(|c| c.to_lowercase().collect::<String>() + chars.as_str())
                                .unwrap_or_default()
                        }
                        other => other.to_owned(),
                    };
                    if *type_name != "chart.Metadata" || field.truth() {
                        map.set(small.as_str(), field.clone());
                    }
                }
                map.into()
            }
            Object::KubeVersion { version, major, minor } => {
                let map = MapRef::default();
                map.set("Version", Value::from(&**version));
                map.set("Major", Value::from(&**major));
                map.set("Minor", Value::from(&**minor));
                map.into()
            }
            Object::ApiVersions(versions) => versions.iter().map(|v| Value::from(&**v)).collect::<Vec<_>>().into(),
            Object::Files(files) => {
                let map = MapRef::default();
                for (name, file) in files {
                    let text = data_encoding::BASE64.encode(file.text.as_bytes());
                    map.set(name.clone(), Value::from(text).at(file.place));
                }
                map.into()
            }
            Object::Semver { version, .. } => Value::from(version.to_string()),
            Object::Time(time) => Value::from(super::dates::format_time(time, "2006-01-02T15:04:05.999999999Z07:00")),
            Object::Duration(n) => Value::int64(*n),
        },
        Data::List(_, Members::Bytes) => {
            Value::from(data_encoding::BASE64.encode(super::format::bytes_to_string(value).as_bytes()))
        }
        _ => value.clone(),
    }
}

/// JSON text. `html` escapes `<`, `>` and `&`, as Go does by default.
pub fn to_json(value: &Value, html: bool, indent: Option<&str>) -> Option<Text> {
    let mut out = Builder::default();
    write_json(&mut out, value, html, indent, 0)?;
    Some(out.finish())
}

fn write_json(out: &mut Builder, value: &Value, html: bool, indent: Option<&str>, depth: usize) -> Option<()> {
    if depth > 300 {
        return None;
    }
    let value = &encoded(value);
    let place = value.place;
    let newline = |out: &mut Builder, depth: usize| {
        if let Some(indent) = indent {
            out.push("\n", 0);
            for _ in 0..depth {
                out.push(indent, 0);
            }
        }
    };
    if let Data::Float(f) = value.data
        && !f.is_finite()
    {
        return None;
    }
    match &value.data {
        Data::String(text) => {
            let mut escaped = String::new();
            push_json(&mut escaped, &text.s, html);
            push_escaped(out, text, &escaped, place);
        }
        Data::List(items, _) => {
            out.push("[", place);
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(",", place);
                }
                newline(out, depth + 1);
                write_json(out, item, html, indent, depth + 1)?;
            }
            if !items.is_empty() {
                newline(out, depth);
            }
            out.push("]", place);
        }
        Data::Map(map) => {
            out.push("{", place);
            let entries = map.entries();
            for (i, (key, item)) in entries.iter().enumerate() {
                if i > 0 {
                    out.push(",", place);
                }
                newline(out, depth + 1);
                let mut name = String::new();
                push_json(&mut name, key, html);
                name.push_str(if indent.is_some() { ": " } else { ":" });
                out.push(&name, if item.place == 0 { place } else { item.place });
                write_json(out, item, html, indent, depth + 1)?;
            }
            if !entries.is_empty() {
                newline(out, depth);
            }
            out.push("}", place);
        }
        _ => out.push(&atom(value)?, place),
    }
    Some(())
}

/// Adds an encoded string; where encoding changed nothing but the quotes around it, the places of its bytes are kept.
fn push_escaped(out: &mut Builder, text: &Text, encoded: &str, own: Place) {
    let inner = encoded.get(1..encoded.len().saturating_sub(1)).unwrap_or("");
    if text.pieces.is_some() && encoded.len() == text.s.len() + 2 && inner == &*text.s {
        out.push(encoded.get(..1).unwrap_or(""), own);
        out.push_all(text, own);
        out.push(encoded.get(encoded.len() - 1..).unwrap_or(""), own);
    } else if encoded == &*text.s {
        out.push_all(text, own);
    } else {
        let place = text.pieces.as_ref().and_then(|p| p.first()).map_or(own, |p| p.place);
        out.push(encoded, place);
    }
}

/// YAML as `sigs.k8s.io/yaml` marshals it, without the last line break.
pub fn to_yaml(value: &Value) -> Text {
    marshal(value, false)
}

/// The same with sequences indented.
pub fn to_yaml_pretty(value: &Value) -> Text {
    marshal(value, true)
}

fn marshal(value: &Value, sequences_deeper: bool) -> Text {
    let mut out = Builder::default();
    write_yaml(&mut out, value, 0, sequences_deeper, 0);
    let text = out.finish();
    let end = text.s.strip_suffix('\n').map_or(text.s.len(), str::len);
    text.slice(0..end)
}

fn pad(out: &mut Builder, indent: usize, place: Place) {
    for _ in 0..indent {
        out.push(" ", place);
    }
}

/// Writes a value that begins at the current position and ends with a line break.
fn write_yaml(out: &mut Builder, value: &Value, indent: usize, sequences_deeper: bool, depth: usize) {
    let value = &encoded(value);
    let place = value.place;
    if depth > 300 {
        out.push("...\n", place);
        return;
    }
    match &value.data {
        Data::Map(map) if map.is_empty() => out.push("{}\n", place),
        Data::List(items, _) if items.is_empty() => out.push("[]\n", place),
        Data::Map(map) => {
            let mut entries = map.entries();
            entries.sort_by(|(a, _), (b, _)| natural(a, b));
            for (i, (key, item)) in entries.iter().enumerate() {
                let item = &encoded(item);
                let place = if item.place == 0 { place } else { item.place };
                if i > 0 {
                    pad(out, indent, place);
                }
                let mut name = String::new();
                yaml_string(&mut name, key, 0, true);
                out.push(&name, place);
                match &item.data {
                    Data::Map(m) if !m.is_empty() => {
                        out.push(":\n", place);
                        pad(out, indent + 2, place);
                        write_yaml(out, item, indent + 2, sequences_deeper, depth + 1);
                    }
                    Data::List(l, _) if !l.is_empty() => {
                        out.push(":\n", place);
                        let inner = if sequences_deeper { indent + 2 } else { indent };
                        pad(out, inner, place);
                        write_yaml(out, item, inner, sequences_deeper, depth + 1);
                    }
                    _ => {
                        out.push(": ", place);
                        write_yaml(out, item, indent + 2, sequences_deeper, depth + 1);
                    }
                }
            }
        }
        Data::List(items, _) => {
            for (i, item) in items.iter().enumerate() {
                let place = if item.place == 0 { place } else { item.place };
                if i > 0 {
                    pad(out, indent, place);
                }
                out.push("- ", place);
                write_yaml(out, item, indent + 2, sequences_deeper, depth + 1);
            }
        }
        Data::String(text) => {
            let mut encoded = String::new();
            // A block at the root is indented all the same.
            yaml_string(&mut encoded, &text.s, indent.max(2), false);
            let column = out.s.len() - out.s.rfind('\n').map_or(0, |i| i + 1);
            let encoded = if encoded.starts_with('|') { encoded } else { fold(&encoded, column, indent) };
            push_escaped(out, text, &encoded, place);
            out.push("\n", place);
        }
        Data::Float(f) => {
            // It went through JSON: what is whole there stays whole, the rest is written in Go's shortest form.
            let json = float_json(*f);
            let whole = json.parse::<i64>().is_ok() || json.parse::<u64>().is_ok();
            out.push(&if whole { json } else { super::format::float_g(*f) }, place);
            out.push("\n", place);
        }
        _ => {
            out.push(&atom(value).unwrap_or_default(), place);
            out.push("\n", place);
        }
    }
}

/// The order of keys that go-yaml writes: letters before other signs decide, runs of digits count as numbers.
fn natural(a: &str, b: &str) -> std::cmp::Ordering {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut digits = false;
    let at = |v: &[char], i: usize| v.get(i).copied().unwrap_or('\0');
    for i in 0..a.len().min(b.len()) {
        let (x, y) = (at(&a, i), at(&b, i));
        if x == y {
            digits = x.is_ascii_digit();
            continue;
        }
        let (xl, yl) = (x.is_alphabetic(), y.is_alphabetic());
        if xl && yl {
            return x.cmp(&y);
        }
        if xl || yl {
            // After digits a letter comes last, so that "a1" stands before "ab".
            let letter_first = if digits { xl } else { yl };
            return if letter_first { std::cmp::Ordering::Less } else { std::cmp::Ordering::Greater };
        }
        let mut ai = i;
        let mut bi = i;
        if x == '0' || y == '0' {
            let mut j = i;
            while j > 0 && at(&a, j - 1).is_ascii_digit() {
                if at(&a, j - 1) != '0' {
                    return x.cmp(&y);
                }
                j -= 1;
            }
        }
        let (mut an, mut bn) = (0u64, 0u64);
        while at(&a, ai).is_ascii_digit() {
            an = an.saturating_mul(10).saturating_add(u64::from(at(&a, ai).to_digit(10).unwrap_or(0)));
            ai += 1;
        }
        while at(&b, bi).is_ascii_digit() {
            bn = bn.saturating_mul(10).saturating_add(u64::from(at(&b, bi).to_digit(10).unwrap_or(0)));
            bi += 1;
        }
        if an != bn {
            return an.cmp(&bn);
        }
        if ai != bi {
            return ai.cmp(&bi);
        }
        return x.cmp(&y);
    }
    a.len().cmp(&b.len())
}

/// A string as go-yaml writes it: plain where it reads back as itself, else single-quoted, double-quoted or literal.
pub fn yaml_string(out: &mut String, s: &str, indent: usize, key: bool) {
    let special = s.chars().any(|c| {
        !(matches!(c, '\n' | '\u{85}' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}'))
            || c == '\u{feff}'
    });
    let multiline = s.contains(['\n', '\u{85}', '\u{2028}', '\u{2029}']);
    let bytes = s.as_bytes();
    if multiline && !key {
        // A literal block cannot hold trailing spaces before its end or lines that end in special signs.
        let trailing_space = s.ends_with(' ');
        let space_before_break = s.contains(" \n");
        let leading = s.starts_with(' ') || s.starts_with('\n');
        if !special && !trailing_space && !space_before_break {
            out.push('|');
            if leading {
                out.push('2');
            }
            let chomp = if !s.ends_with('\n') {
                "-"
            } else if s.ends_with("\n\n") || s == "\n" {
                "+"
            } else {
                ""
            };
            out.push_str(chomp);
            let body = s.strip_suffix('\n').unwrap_or(s);
            for line in body.split('\n') {
                out.push('\n');
                if !line.is_empty() {
                    out.extend(std::iter::repeat_n(' ', indent));
                    out.push_str(line);
                }
            }
            return;
        }
    }
    let ambiguous = !matches!(crate::syntax::yaml::resolve(s, Schema::Kubernetes), Scalar::String(_))
        || is_base60(s)
        || is_timestamp(s);
    if special || multiline || (ambiguous && !s.is_empty()) || s.is_empty() {
        double_quoted(out, s);
        return;
    }
    let first = bytes.first().copied().unwrap_or(0);
    let second = bytes.get(1).copied().unwrap_or(b' ');
    let indicator = match first {
        b'#' | b',' | b'[' | b']' | b'{' | b'}' | b'&' | b'*' | b'!' | b'|' | b'>' | b'\'' | b'"' | b'%' | b'@'
        | b'`' => true,
        b'-' | b'?' | b':' => second == b' ',
        _ => false,
    };
    let plain = !indicator
        && !s.contains(": ")
        && !s.contains(" #")
        && !s.ends_with(':')
        && !s.starts_with(' ')
        && !s.ends_with(' ')
        && !s.starts_with("---")
        && !s.starts_with("...");
    if plain {
        out.push_str(s);
    } else {
        out.push('\'');
        out.push_str(&s.replace('\'', "''"));
        out.push('\'');
    }
}

/// Breaks a long scalar at spaces, as go-yaml does from the 80th column on.
fn fold(encoded: &str, start: usize, indent: usize) -> String {
    const WIDTH: usize = 80;
    if start + encoded.len() <= WIDTH || !encoded.contains(' ') {
        return encoded.to_owned();
    }
    let double = encoded.starts_with('"');
    let quoted = double || encoded.starts_with('\'');
    let chars: Vec<char> = encoded.chars().collect();
    let mut out = String::with_capacity(encoded.len() + 16);
    let mut column = start;
    let mut spaces = false;
    for (i, &c) in chars.iter().enumerate() {
        let next_is_space = chars.get(i + 1) == Some(&' ');
        let inside = !quoted || (i > 1 && i + 2 < chars.len());
        if c == ' ' && !spaces && column > WIDTH && inside && (double || !next_is_space) {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent));
            column = indent;
            if double && next_is_space {
                out.push('\\');
                column += 1;
            }
            spaces = true;
            continue;
        }
        spaces = c == ' ';
        out.push(c);
        column += 1;
    }
    out
}

fn double_quoted(out: &mut String, s: &str) {
    push_quoted(out, s, |c, out| match c {
        '\0' => push(out, "\\0"),
        '\u{7}' => push(out, "\\a"),
        '\u{8}' => push(out, "\\b"),
        '\u{b}' => push(out, "\\v"),
        '\u{c}' => push(out, "\\f"),
        '\u{1b}' => push(out, "\\e"),
        '\u{85}' => push(out, "\\N"),
        '\u{a0}' => push(out, "\\_"),
        '\u{2028}' => push(out, "\\L"),
        '\u{2029}' => push(out, "\\P"),
        '\u{feff}' => push(out, "\\uFEFF"),
        c if u32::from(c) < 0x20 || c == '\u{7f}' => push(out, &format!("\\x{:02X}", u32::from(c))),
        _ => false,
    });
}

/// Numbers in base 60 of YAML 1.1, which old readers would take for numbers: `12:30`, `1:2:3.5`.
fn is_base60(s: &str) -> bool {
    let body = s.strip_prefix(['-', '+']).unwrap_or(s);
    let mut parts = body.split(':');
    let Some(first) = parts.next() else { return false };
    if first.is_empty() || !first.bytes().all(|b| b.is_ascii_digit() || b == b'_') || !body.contains(':') {
        return false;
    }
    let rest: Vec<&str> = parts.collect();
    rest.iter().enumerate().all(|(i, part)| {
        let (whole, fraction) = part.split_once('.').unwrap_or((part, ""));
        (part.contains('.') <= (i + 1 == rest.len()))
            && fraction.bytes().all(|b| b.is_ascii_digit() || b == b'_')
            && matches!(whole.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9'])
    })
}

/// Dates that go-yaml would read as a time.
fn is_timestamp(s: &str) -> bool {
    let bytes = s.as_bytes();
    let digits = bytes.iter().take_while(|b| b.is_ascii_digit()).count();
    if digits != 4 || bytes.get(4) != Some(&b'-') {
        return false;
    }
    if let Ok(date) = s.parse::<jiff::civil::Date>() {
        let _ = date;
        return bytes.len() == 10;
    }
    s.parse::<jiff::Timestamp>().is_ok()
}
