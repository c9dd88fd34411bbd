//! Text functions. Those that only move text about keep the places of its pieces.

use super::super::exec::{Executed, Failure, MAX_OUTPUT};
use super::super::format::{quote, to_text};
use super::super::origin::{Builder, Place, Text};
use super::super::value::{Data, MapRef, Value};
use super::{Row, argument, number, printed, text};

/// The table of this file.
pub const ROWS: &[Row] = &[
    ("quote", "a*", |_, a| Ok(quoted(a, quote, '"').into())),
    ("squote", "a*", |_, a| Ok(quoted(a, |s| format!("'{s}'"), '\'').into())),
    ("cat", "a*", |_, a| {
        let mut out = Builder::default();
        for (i, value) in a.iter().filter(|v| !v.is_nil()).enumerate() {
            if i > 0 {
                out.push(" ", 0);
            }
            out.push_all(&to_text(value), value.place);
        }
        Ok(out.finish().into())
    }),
    ("indent", "is", |_, a| Ok(indent(a, false)?.into())),
    ("nindent", "is", |_, a| Ok(indent(a, true)?.into())),
    ("replace", "sss", |_, a| replace(a)),
    ("plural", "ssi", |_, a| Ok(argument(a, usize::from(number(a, 2) != 1)))),
    ("trunc", "is", |_, a| {
        let (n, s) = (number(a, 0), text(a, 1));
        let length = i64::try_from(s.len()).unwrap_or(i64::MAX);
        let range = if n < 0 && length + n > 0 {
            to_index(length + n)..s.len()
        } else if n >= 0 && length > n {
            0..to_index(n)
        } else {
            0..s.len()
        };
        cut(a, 1, range)
    }),
    ("substr", "iis", |_, a| {
        let (start, end, length) = (number(a, 0), number(a, 1), text(a, 2).len());
        let range = if start < 0 {
            0..to_index(end)
        } else if end < 0 || to_index(end) > length {
            to_index(start)..length
        } else {
            to_index(start)..to_index(end)
        };
        if range.start > range.end || range.end > length {
            return Err(format!("runtime error: slice bounds out of range [{}:{}]", range.start, range.end).into());
        }
        cut(a, 2, range)
    }),
    ("trim", "s", |_, a| {
        let s = text(a, 0);
        let start = s.len() - s.trim_start().len();
        cut(a, 0, start..start + s.trim().len())
    }),
    ("trimAll", "ss", |_, a| trim_set(a)),
    ("trimall", "ss", |_, a| trim_set(a)),
    ("trimSuffix", "ss", |_, a| {
        let (suffix, s) = (text(a, 0), text(a, 1));
        cut(a, 1, 0..s.strip_suffix(suffix).unwrap_or(s).len())
    }),
    ("trimPrefix", "ss", |_, a| {
        let (prefix, s) = (text(a, 0), text(a, 1));
        cut(a, 1, s.len() - s.strip_prefix(prefix).unwrap_or(s).len()..s.len())
    }),
    ("upper", "s", |_, a| map_text(a, 0, |s| s.chars().map(upper).collect())),
    ("lower", "s", |_, a| map_text(a, 0, |s| s.chars().map(lower).collect())),
    ("title", "s", |_, a| map_text(a, 0, title)),
    ("untitle", "s", |_, a| map_text(a, 0, |s| each_word(s, |c| c.to_lowercase().collect()))),
    ("swapcase", "s", |_, a| map_text(a, 0, swapcase)),
    ("nospace", "s", |_, a| Ok(text(a, 0).split_whitespace().collect::<String>().into())),
    ("initials", "s", |_, a| {
        Ok(text(a, 0).split_whitespace().filter_map(|w| w.chars().next()).collect::<String>().into())
    }),
    ("snakecase", "s", |_, a| Ok(join_words(text(a, 0), '_').into())),
    ("kebabcase", "s", |_, a| Ok(join_words(text(a, 0), '-').into())),
    ("camelcase", "s", |_, a| Ok(camel(text(a, 0)).into())),
    ("repeat", "is", |_, a| {
        let n = usize::try_from(number(a, 0)).map_err(|_| Failure::new("strings: negative Repeat count"))?;
        let s = argument(a, 1);
        if n.saturating_mul(text(a, 1).len()) > MAX_OUTPUT {
            return Err("repeat makes too long a text".into());
        }
        let mut out = Builder::default();
        if let Some(text) = s.as_text() {
            (0..n).for_each(|_| out.push_all(text, s.place));
        }
        Ok(out.finish().into())
    }),
    ("abbrev", "is", |_, a| Ok(abbreviate(text(a, 1), 0, number(a, 0)).into())),
    ("abbrevboth", "iis", |_, a| Ok(abbreviate(text(a, 2), number(a, 0), number(a, 1)).into())),
    ("wrap", "is", |_, a| Ok(wrap(text(a, 1), number(a, 0), "\n", false).into())),
    ("wrapWith", "iss", |_, a| Ok(wrap(text(a, 2), number(a, 0), text(a, 1), true).into())),
    ("contains", "ss", |_, a| Ok(text(a, 1).contains(text(a, 0)).into())),
    ("hasPrefix", "ss", |_, a| Ok(text(a, 1).starts_with(text(a, 0)).into())),
    ("hasSuffix", "ss", |_, a| Ok(text(a, 1).ends_with(text(a, 0)).into())),
    ("toString", "a", |_, a| Ok(Value { place: argument(a, 0).place, ..to_text(&argument(a, 0)).into() })),
    ("toStrings", "a", |_, a| Ok(Value::strings(strings_of(&argument(a, 0))))),
    ("join", "sa", |_, a| {
        let mut out = Builder::default();
        let (separator, list) = (argument(a, 0), argument(a, 1));
        for (i, item) in strings_of(&list).iter().enumerate() {
            if i > 0
                && let Some(text) = separator.as_text()
            {
                out.push_all(text, separator.place);
            }
            if let Some(text) = item.as_text() {
                out.push_all(text, if item.place == 0 { list.place } else { item.place });
            }
        }
        Ok(out.finish().into())
    }),
    ("sortAlpha", "a", |_, a| {
        let mut items = strings_of(&argument(a, 0));
        items.sort_by(|x, y| x.as_str().cmp(&y.as_str()));
        Ok(Value::strings(items))
    }),
    ("splitList", "ss", |_, a| Ok(Value::strings(split(text(a, 1), text(a, 0), -1)))),
    ("split", "ss", |e, a| {
        let place = e.place_of(&argument(a, 1));
        Ok(numbered(split(text(a, 1), text(a, 0), -1), place))
    }),
    ("splitn", "sis", |e, a| {
        let place = e.place_of(&argument(a, 2));
        Ok(numbered(split(text(a, 2), text(a, 0), number(a, 1)), place))
    }),
    ("html", "a*", |_, a| Ok(escape(a, html_escape).into())),
    ("js", "a*", |_, a| Ok(escape(a, js_escape).into())),
];

/// One character stays one: `ß` has no capital of its own.
fn upper(c: char) -> char {
    let mut all = c.to_uppercase();
    all.next().filter(|_| all.next().is_none()).unwrap_or(c)
}

fn lower(c: char) -> char {
    let mut all = c.to_lowercase();
    all.next().filter(|_| all.next().is_none()).unwrap_or(c)
}

fn to_index(n: i64) -> usize {
    usize::try_from(n).unwrap_or(0)
}

/// A part of a string argument with its places. Bytes cut through a character leave the replacement character, as they
/// do once Go's bytes are decoded.
fn cut(arguments: &[Value], i: usize, range: std::ops::Range<usize>) -> Executed<Value> {
    let value = argument(arguments, i);
    let Some(text) = value.as_text() else { return Ok(value) };
    if text.s.is_char_boundary(range.start) && text.s.is_char_boundary(range.end) {
        return Ok(Value { place: value.place, ..text.slice(range).into() });
    }
    let bytes = text.s.as_bytes().get(range).unwrap_or(&[]);
    Ok(Value { place: value.place, ..String::from_utf8_lossy(bytes).into_owned().into() })
}

fn map_text(arguments: &[Value], i: usize, f: impl Fn(&str) -> String) -> Executed<Value> {
    let value = argument(arguments, i);
    let Some(text) = value.as_text() else { return Ok(value) };
    Ok(Value { place: value.place, ..text.with_string(f(&text.s)).into() })
}

/// Quotes every argument that is not nil.
fn quoted(arguments: &[Value], f: impl Fn(&str) -> String, mark: char) -> Text {
    let mut out = Builder::default();
    for (i, value) in arguments.iter().filter(|v| !v.is_nil()).enumerate() {
        if i > 0 {
            out.push(" ", 0);
        }
        let text = to_text(value);
        let encoded = f(&text.s);
        if text.pieces.is_some() && encoded.len() == text.s.len() + 2 {
            let mut buffer = [0; 4];
            let mark: &str = mark.encode_utf8(&mut buffer);
            out.push(mark, value.place);
            out.push_all(&text, value.place);
            out.push(mark, value.place);
        } else {
            let place = text.pieces.as_ref().and_then(|p| p.first()).map_or(value.place, |p| p.place);
            out.push(&encoded, place);
        }
    }
    out.finish()
}

fn indent(arguments: &[Value], newline: bool) -> Executed<Text> {
    let n = usize::try_from(number(arguments, 0)).map_err(|_| Failure::new("strings: negative Repeat count"))?;
    let value = argument(arguments, 1);
    let Some(text) = value.as_text() else { return Ok("".into()) };
    let lines = text.s.bytes().filter(|&b| b == b'\n').count() + 1;
    if n > 10_000 || n.saturating_mul(lines) > MAX_OUTPUT {
        return Err("the indentation is too large".into());
    }
    let pad = " ".repeat(n);
    let mut out = Builder::default();
    let first = first_place(text, value.place);
    if newline {
        out.push("\n", first);
    }
    out.push(&pad, first);
    let mut start = 0;
    for (at, _) in text.s.match_indices('\n') {
        out.push_text(text, start..at + 1, value.place);
        out.push(&pad, value.place);
        start = at + 1;
    }
    out.push_text(text, start..text.s.len(), value.place);
    Ok(out.finish())
}

fn first_place(text: &Text, own: Place) -> Place {
    text.pieces.as_ref().and_then(|p| p.first()).map_or(own, |p| p.place)
}

fn replace(arguments: &[Value]) -> Executed<Value> {
    let (old, new, source) = (text(arguments, 0), argument(arguments, 1), argument(arguments, 2));
    let (Some(new_text), Some(source_text)) = (new.as_text(), source.as_text()) else { return Ok(source) };
    if old.is_empty() {
        return Ok(Value { place: source.place, ..source_text.s.replace(old, &new_text.s).into() });
    }
    let mut out = Builder::default();
    let mut start = 0;
    for (at, _) in source_text.s.match_indices(old) {
        out.push_text(source_text, start..at, source.place);
        out.push_all(new_text, if new.place == 0 { source.place } else { new.place });
        start = at + old.len();
        if out.s.len() > MAX_OUTPUT {
            return Err("replace makes too long a text".into());
        }
    }
    out.push_text(source_text, start..source_text.s.len(), source.place);
    Ok(Value { place: source.place, ..out.finish().into() })
}

fn trim_set(arguments: &[Value]) -> Executed<Value> {
    let (set, s) = (text(arguments, 0), text(arguments, 1));
    let in_set = |c: char| set.contains(c);
    let start = s.len() - s.trim_start_matches(in_set).len();
    let length = s.trim_matches(in_set).len();
    cut(arguments, 1, start.min(s.len() - length)..start.min(s.len() - length) + length)
}

/// The members of a list as strings, nil left out; anything else as one string.
pub fn strings_of(value: &Value) -> Vec<Value> {
    let as_string = |v: &Value| Value { place: v.place, ..to_text(v).into() };
    match &value.data {
        Data::Missing | Data::Nil => Vec::new(),
        Data::List(items, _) => items.iter().filter(|v| !v.is_nil()).map(as_string).collect(),
        _ => vec![as_string(value)],
    }
}

/// Go's `strings.SplitN`.
fn split(s: &str, separator: &str, n: i64) -> Vec<String> {
    if n == 0 {
        return Vec::new();
    }
    let limit = usize::try_from(n).unwrap_or(usize::MAX);
    if separator.is_empty() {
        let mut parts: Vec<String> = s.chars().take(limit.saturating_sub(1)).map(String::from).collect();
        let rest: String = s.chars().skip(parts.len()).collect();
        if !rest.is_empty() {
            parts.push(rest);
        }
        return parts;
    }
    s.splitn(limit, separator).map(str::to_owned).collect()
}

fn numbered(parts: Vec<String>, place: Place) -> Value {
    let map: MapRef =
        parts.into_iter().enumerate().map(|(i, p)| (format!("_{i}").into(), Value::from(p).at(place))).collect();
    map.with_members(super::super::value::Members::Strings).into()
}

/// Upper case for the first letter of each word, as Go's `strings.Title` sees words.
fn title(s: &str) -> String {
    each_word(s, |c| c.to_uppercase().collect())
}

fn each_word(s: &str, f: impl Fn(char) -> String) -> String {
    let mut out = String::with_capacity(s.len());
    let mut previous = ' ';
    for c in s.chars() {
        let separator = if previous.is_ascii() {
            !(previous.is_ascii_alphanumeric() || previous == '_')
        } else {
            previous.is_whitespace()
        };
        if separator {
            out.push_str(&f(c));
        } else {
            out.push(c);
        }
        previous = c;
    }
    out
}

fn swapcase(s: &str) -> String {
    s.chars()
        .flat_map(|c| if c.is_uppercase() { c.to_lowercase().collect::<Vec<_>>() } else { c.to_uppercase().collect() })
        .collect()
}

/// The words of an identifier: cut at separators, before capitals, between runs of capitals and a capitalized word, and
/// around digits where letters follow.
fn join_words(s: &str, mark: char) -> String {
    let chars: Vec<char> = s.chars().collect();
    let mut out = String::new();
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    for (i, &c) in chars.iter().enumerate() {
        if matches!(c, ' ' | '_' | '-') {
            out.push(mark);
            continue;
        }
        let previous = if i > 0 { at(i - 1) } else { '\0' };
        let next = at(i + 1);
        // Digits belong to the word before them, unless a small letter follows: then they begin its word.
        let digits_begin = || {
            let end = chars.get(i..).and_then(|r| r.iter().position(|c| !c.is_ascii_digit()));
            end.is_some_and(|e| at(i + e).is_lowercase())
        };
        let boundary = i > 0
            && !matches!(previous, ' ' | '_' | '-')
            && ((c.is_uppercase() && (previous.is_lowercase() || (previous.is_uppercase() && next.is_lowercase())))
                || (c.is_uppercase() && previous.is_ascii_digit())
                || (c.is_ascii_digit() && previous.is_alphabetic() && digits_begin()));
        if boundary {
            out.push(mark);
        }
        out.extend(c.to_lowercase());
    }
    out
}

/// Words joined with capitals, the first one included.
fn camel(s: &str) -> String {
    let marks = s.len() - s.trim_start_matches(['_', '-', ' ']).len();
    let mut out: String = s.chars().take(marks).collect();
    let mut upper = true;
    for c in s.chars().skip(marks) {
        if matches!(c, ' ' | '_' | '-') {
            upper = true;
        } else if upper {
            out.extend(c.to_uppercase());
            upper = false;
        } else {
            out.push(c);
        }
    }
    out
}

fn abbreviate(s: &str, offset: i64, width: i64) -> String {
    if width < 4 || (offset > 0 && width < 7) {
        return s.to_owned();
    }
    let length = i64::try_from(s.len()).unwrap_or(i64::MAX);
    if length <= width {
        return s.to_owned();
    }
    let part = |a: i64, b: i64| {
        let bytes = s.as_bytes().get(to_index(a)..to_index(b.min(length))).unwrap_or(&[]);
        String::from_utf8_lossy(bytes).into_owned()
    };
    let mut offset = offset.min(length);
    if length - offset < width - 3 {
        offset = length - (width - 3);
    }
    if offset <= 4 {
        return format!("{}...", part(0, width - 3));
    }
    if offset + width - 3 < length {
        return format!("...{}", abbreviate(&part(offset, length), 0, width - 3));
    }
    format!("...{}", part(length - (width - 3), length))
}

/// Breaks lines at spaces, as the library behind sprig does; long words are cut where `cuts` says so.
fn wrap(s: &str, width: i64, newline: &str, cuts: bool) -> String {
    let width = usize::try_from(width).unwrap_or(1).max(1);
    let mut out = String::new();
    let mut rest = s;
    loop {
        if rest.len() <= width {
            out.push_str(rest);
            return out;
        }
        if rest.starts_with(' ') {
            rest = rest.get(1..).unwrap_or("");
            continue;
        }
        let boundary = |mut i: usize| {
            while !rest.is_char_boundary(i) {
                i -= 1;
            }
            i
        };
        let head = rest.get(..boundary((width + 1).min(rest.len()))).unwrap_or(rest);
        if let Some(space) = head.rfind(' ') {
            out.push_str(rest.get(..space).unwrap_or(""));
            out.push_str(newline);
            rest = rest.get(space + 1..).unwrap_or("");
        } else if cuts {
            let at = boundary(width).max(rest.chars().next().map_or(1, char::len_utf8));
            out.push_str(rest.get(..at).unwrap_or(""));
            out.push_str(newline);
            rest = rest.get(at..).unwrap_or("");
        } else if let Some(space) = rest.get(width..).and_then(|r| r.find(' ')).map(|i| i + width) {
            out.push_str(rest.get(..space).unwrap_or(""));
            out.push_str(newline);
            rest = rest.get(space + 1..).unwrap_or("");
        } else {
            out.push_str(rest);
            return out;
        }
    }
}

fn escape(arguments: &[Value], f: fn(&str) -> String) -> String {
    f(&printed(arguments))
}

fn html_escape(s: &str) -> String {
    let mut out = String::new();
    for c in s.chars() {
        match c {
            '\0' => out.push('\u{fffd}'),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c => out.push(c),
        }
    }
    out
}

fn js_escape(s: &str) -> String {
    let mut out = String::new();
    for c in s.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\'' => out.push_str("\\'"),
            '"' => out.push_str("\\\""),
            '<' | '>' | '&' | '=' => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c if u32::from(c) < 0x20 => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}
