//! `yamldecode` and `yamlencode`, as go-cty-yaml does them.

use super::{FnCall, FnError, FnResult, fail};
use crate::base::FileId;
use crate::formats::terraform::eval::val::{Member, Table};
use crate::formats::terraform::eval::{Datum, Type, Val, convert, nfc};
use crate::graph::{CauseKind, How, Number};
use crate::syntax::yaml::{self, Node, NodeKind, Style};
use std::sync::Arc;

/// How deep decoded YAML may nest.
const MAX_DEPTH: usize = 100;
/// The column after which a long string in quotes goes on in the next line, and the step of indentation.
const WIDTH: usize = 80;
const STEP: usize = 2;

pub fn yamldecode(call: &FnCall<'_, '_>) -> FnResult {
    let text = call.text(0);
    // A tab is no indentation.
    if text.trim_start_matches(['\n', '\r', ' ']).starts_with('\t') {
        return fail("the text is no YAML: a line begins with a tab");
    }
    let tree = yaml::parse(FileId::NONE, text.into());
    if let Some(error) = tree.errors.first() {
        return fail(format!("the text is no YAML: {}", error.message));
    }
    if tree.documents.len() > 1 {
        return fail("only one document is allowed");
    }
    match tree.root() {
        Some(root) => decode(call, root, 0),
        None => fail("there is no content"),
    }
}

fn decode(call: &FnCall<'_, '_>, node: Node<'_>, depth: usize) -> FnResult {
    if depth > MAX_DEPTH {
        return Err(FnError { arg: Some(0), message: "the YAML nests too deep".to_owned(), kind: CauseKind::Limit });
    }
    call.spend(1)?;
    let node = node.target();
    match node.kind() {
        NodeKind::Missing => fail("a part of the YAML cannot be read"),
        NodeKind::Scalar => scalar(node),
        NodeKind::Sequence => {
            collection_tag(node, "seq")?;
            let items: Result<Vec<Val>, FnError> = node.items().map(|item| decode(call, item, depth + 1)).collect();
            items.map(Val::tuple)
        }
        NodeKind::Mapping => {
            collection_tag(node, "map")?;
            let mut entries = Vec::new();
            for (key, val) in node.pairs() {
                if key.is_merge_key() {
                    let merged = decode(call, val, depth + 1)?;
                    let Some(table) = merged.table() else { return fail("only a mapping can be merged with <<") };
                    entries.extend(table.entries.iter().cloned());
                    continue;
                }
                let key = decode(call, key, depth + 1)?;
                let text = match convert(&key, &Type::String) {
                    Ok(Val { datum: Datum::String(text), .. }) => nfc(text),
                    _ => return fail("a key must be a string, number or truth value"),
                };
                let val = decode(call, val, depth + 1)?;
                entries.push(Member { key: text, key_span: crate::base::Span::NONE, val });
            }
            Ok(Val::new(Datum::Object(Arc::new(Table::new(Type::Any, entries)))))
        }
    }
}

/// The last part of a tag of YAML's own, such as `str`; an error for other tags.
fn tag_of(node: Node<'_>) -> Result<Option<&str>, FnError> {
    let Some(tag) = node.tag() else { return Ok(None) };
    let name = tag.strip_prefix("tag:yaml.org,2002:").or_else(|| tag.strip_prefix("!!"));
    match name {
        Some(name @ ("str" | "int" | "float" | "bool" | "null" | "timestamp" | "binary" | "seq" | "map")) => {
            Ok(Some(name))
        }
        _ => fail(format!("the tag {tag:?} is not supported")),
    }
}

fn collection_tag(node: Node<'_>, kind: &str) -> Result<(), FnError> {
    match tag_of(node)? {
        None => Ok(()),
        Some(tag) if tag == kind => Ok(()),
        Some(tag) => fail(format!("the tag !!{tag} does not fit")),
    }
}

fn scalar(node: Node<'_>) -> FnResult {
    let text = node.text().unwrap_or_default();
    let tag = tag_of(node)?;
    match tag {
        Some("null") => return Ok(Val::null()),
        Some("str" | "binary") => return Ok(Val::string(text)),
        Some("seq" | "map") => return fail("a tag does not fit"),
        _ => {}
    }
    if node.style() != Style::Plain {
        return Ok(Val::string(text));
    }
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Val::null(),
        "true" | "True" | "TRUE" | "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Val::bool(true),
        "false" | "False" | "FALSE" | "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Val::bool(false),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" | "-.inf" | "-.Inf" | "-.INF" => {
            Val::number(Number::infinity(text.starts_with('-')))
        }
        ".nan" | ".NaN" | ".NAN" => return fail("NaN is no number"),
        _ => match number(text) {
            Some(n) => Val::number(n?),
            None => match timestamp(text) {
                Some(time) => Val::string(time),
                None => Val::string(text),
            },
        },
    })
}

fn number(text: &str) -> Option<Result<Number, FnError>> {
    let first = *text.as_bytes().first()?;
    if !(first.is_ascii_digit() || matches!(first, b'+' | b'-' | b'.')) {
        return None;
    }
    let based = text.strip_prefix("0x").map(|d| (d, 16)).or_else(|| text.strip_prefix("0o").map(|d| (d, 8)));
    if let Some((digits, base)) = based {
        if digits.is_empty() || !digits.chars().all(|c| c.is_digit(base)) {
            return None;
        }
        let n = u64::from_str_radix(digits, base).ok().and_then(|_| Number::from_digits(digits, base));
        return Some(n.map_or_else(|| fail("a whole number has more than 64 bits"), Ok));
    }
    let digits = text.bytes().any(|b| b.is_ascii_digit());
    let shape = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
    if !digits || !shape {
        return None;
    }
    Number::parse(text).map(Ok)
}

/// A date, or a date and time, as RFC 3339.
fn timestamp(text: &str) -> Option<String> {
    let mut rest = text;
    let mut number = |least: usize, most: usize, end: &[char]| -> Option<(u32, Option<char>)> {
        let length = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        if !(least..=most).contains(&length) {
            return None;
        }
        let n = rest[..length].parse().ok()?;
        rest = &rest[length..];
        match rest.chars().next() {
            None => Some((n, None)),
            Some(c) if end.contains(&c) => {
                rest = &rest[c.len_utf8()..];
                Some((n, Some(c)))
            }
            Some(_) => None,
        }
    };
    let (year, Some(_)) = number(4, 4, &['-'])? else { return None };
    let (month, Some(_)) = number(1, 2, &['-'])? else { return None };
    let (day, after) = number(1, 2, &['T', 't', ' '])?;
    let date = format!("{year:04}-{month:02}-{day:02}");
    if !(1..=12).contains(&month) || day < 1 || day > days(year, month) {
        return None;
    }
    let Some(between) = after else { return Some(format!("{date}T00:00:00Z")) };
    let (hour, Some(_)) = number(1, 2, &[':'])? else { return None };
    let (minute, Some(_)) = number(1, 2, &[':'])? else { return None };
    let (second, after) = number(1, 2, &['.', 'Z', '+', '-'])?;
    let mut zone = after;
    if zone == Some('.') {
        (_, zone) = number(1, 9, &['Z', '+', '-'])?;
    }
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let zone = match (between, zone) {
        // With a space between date and time there is no zone.
        (' ', None) if rest.is_empty() => "Z".to_owned(),
        ('T' | 't', Some('Z')) if rest.is_empty() => "Z".to_owned(),
        ('T' | 't', Some(sign @ ('+' | '-'))) => {
            let fits = rest.len() == 5 && rest.as_bytes()[2] == b':';
            let digits = rest.bytes().enumerate().all(|(i, b)| i == 2 || b.is_ascii_digit());
            if !fits || !digits {
                return None;
            }
            if rest == "00:00" { "Z".to_owned() } else { format!("{sign}{rest}") }
        }
        _ => return None,
    };
    Some(format!("{date}T{hour:02}:{minute:02}:{second:02}{zone}"))
}

fn days(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

pub fn yamlencode(call: &FnCall<'_, '_>) -> FnResult {
    let val = call.arg(0);
    let how = How::Encoded(Arc::new(val.to_value()));
    if !val.is_wholly_known() {
        let mut unknown = call.unknown(Type::String).not_null();
        unknown.origin.how = how;
        return Ok(unknown);
    }
    let mut emitter = Emitter { out: String::new(), column: 0, whitespace: true, indention: true };
    emitter.node(val, None, false, false);
    let plain = matches!(val.datum, Datum::Null(_) | Datum::Bool(_) | Datum::Number(_));
    if emitter.column != 0 {
        emitter.out.push('\n');
    }
    if plain {
        // A bare scalar could go on: an end is set.
        emitter.out.push_str("...\n");
    }
    call.check_length(emitter.out.len())?;
    let mut encoded = Val::string(emitter.out);
    encoded.origin.how = how;
    Ok(encoded)
}

/// Writes YAML as libyaml's emitter does, step by step.
struct Emitter {
    out: String,
    column: usize,
    whitespace: bool,
    indention: bool,
}

impl Emitter {
    fn put(&mut self, c: char) {
        self.out.push(c);
        self.column += 1;
    }

    fn break_line(&mut self) {
        self.out.push('\n');
        self.column = 0;
    }

    fn write_indent(&mut self, indent: Option<usize>) {
        let indent = indent.unwrap_or(0);
        if !self.indention || self.column > indent || (self.column == indent && !self.whitespace) {
            self.break_line();
        }
        while self.column < indent {
            self.put(' ');
        }
        self.whitespace = true;
        self.indention = true;
    }

    fn indicator(&mut self, text: &str, space_before: bool, is_space: bool, is_indention: bool) {
        if space_before && !self.whitespace {
            self.put(' ');
        }
        text.chars().for_each(|c| self.put(c));
        self.whitespace = is_space;
        self.indention = self.indention && is_indention;
    }

    /// A value within something that is indented by `indent` (`None` at the top).
    fn node(&mut self, val: &Val, indent: Option<usize>, in_mapping: bool, simple_key: bool) {
        match &val.datum {
            Datum::Null(_) | Datum::Unknown(_) => self.plain("null"),
            Datum::Bool(b) => self.plain(if *b { "true" } else { "false" }),
            Datum::Number(n) => self.plain(&n.to_string()),
            Datum::String(s) => self.string(s, indent, simple_key),
            Datum::List(seq) | Datum::Set(seq) => self.sequence(&seq.items, indent, in_mapping),
            Datum::Tuple(items) => self.sequence(items, indent, in_mapping),
            Datum::Map(table) | Datum::Object(table) => self.mapping(table, indent),
        }
    }

    fn plain(&mut self, text: &str) {
        if !self.whitespace {
            self.put(' ');
        }
        text.chars().for_each(|c| self.put(c));
        self.whitespace = false;
        self.indention = false;
    }

    fn sequence(&mut self, items: &[Val], indent: Option<usize>, in_mapping: bool) {
        if items.is_empty() {
            self.indicator("[", true, true, false);
            self.indicator("]", false, false, false);
            return;
        }
        // A list that is a mapping's value stands at the mapping's own indentation.
        let indent = match indent {
            None => Some(0),
            Some(n) if in_mapping && !self.indention => Some(n),
            Some(n) => Some(n + STEP),
        };
        for item in items {
            self.write_indent(indent);
            self.indicator("-", true, false, true);
            self.node(item, indent, false, false);
        }
    }

    fn mapping(&mut self, table: &Table, indent: Option<usize>) {
        if table.entries.is_empty() {
            self.indicator("{", true, true, false);
            self.indicator("}", false, false, false);
            return;
        }
        let indent = Some(indent.map_or(0, |n| n + STEP));
        for member in &table.entries {
            self.write_indent(indent);
            let simple = member.key.len() <= 128 && !member.key.contains(is_break);
            if simple {
                self.string(&member.key, indent, true);
                self.indicator(":", false, false, false);
            } else {
                self.indicator("?", true, false, true);
                self.string(&member.key, indent, false);
                self.write_indent(indent);
                self.indicator(":", true, false, true);
            }
            self.node(&member.val, indent, true, false);
        }
    }

    fn string(&mut self, text: &str, indent: Option<usize>, simple_key: bool) {
        let indent = indent.map_or(STEP, |n| n + STEP);
        if text.contains('\n') && !simple_key && allows_block(text) {
            self.literal(text, indent);
        } else {
            self.quoted(text, indent, !simple_key);
        }
    }

    fn literal(&mut self, text: &str, indent: usize) {
        self.indicator("|", true, false, false);
        if text.starts_with(|c| c == ' ' || is_break(c)) {
            self.put('2');
        }
        let mut backwards = text.chars().rev();
        match backwards.next() {
            Some(last) if is_break(last) => {
                if backwards.next().is_none_or(is_break) {
                    self.put('+');
                }
            }
            _ => self.put('-'),
        }
        self.break_line();
        self.indention = true;
        self.whitespace = true;
        let mut at_start = true;
        for c in text.chars() {
            if is_break(c) {
                if c == '\n' {
                    self.break_line();
                } else {
                    self.out.push(c);
                    self.column = 0;
                }
                self.indention = true;
                at_start = true;
            } else {
                if at_start {
                    self.write_indent(Some(indent));
                }
                self.put(c);
                self.indention = false;
                at_start = false;
            }
        }
    }

    fn quoted(&mut self, text: &str, indent: usize, may_break: bool) {
        self.indicator("\"", true, false, false);
        let mut after_space = false;
        let chars: Vec<char> = text.chars().collect();
        let last = text.len().saturating_sub(1);
        let mut offset = 0;
        for (i, &c) in chars.iter().enumerate() {
            if !is_printable(c) || is_break(c) || matches!(c, '"' | '\\') {
                self.escape(c);
                after_space = false;
            } else if c == ' ' {
                if may_break && !after_space && self.column > WIDTH && offset > 0 && offset < last {
                    self.write_indent(Some(indent));
                    if chars.get(i + 1) == Some(&' ') {
                        self.put('\\');
                    }
                } else {
                    self.put(' ');
                }
                after_space = true;
            } else {
                self.put(c);
                after_space = false;
                self.indention = false;
            }
            offset += c.len_utf8();
        }
        self.indicator("\"", false, false, false);
        self.whitespace = false;
        self.indention = false;
    }

    fn escape(&mut self, c: char) {
        let text = match c {
            '\0' => "\\0".to_owned(),
            '\u{7}' => "\\a".to_owned(),
            '\u{8}' => "\\b".to_owned(),
            '\t' => "\\t".to_owned(),
            '\n' => "\\n".to_owned(),
            '\u{b}' => "\\v".to_owned(),
            '\u{c}' => "\\f".to_owned(),
            '\r' => "\\r".to_owned(),
            '\u{1b}' => "\\e".to_owned(),
            '"' => "\\\"".to_owned(),
            '\\' => "\\\\".to_owned(),
            '\u{85}' => "\\N".to_owned(),
            '\u{2028}' => "\\L".to_owned(),
            '\u{2029}' => "\\P".to_owned(),
            c if (c as u32) <= 0xff => format!("\\x{:02X}", c as u32),
            c if (c as u32) <= 0xffff => format!("\\u{:04X}", c as u32),
            c => format!("\\U{:08X}", c as u32),
        };
        text.chars().for_each(|c| self.put(c));
        self.indention = false;
    }
}

fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// What libyaml takes for printable; characters beyond 16 bits are not.
fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}

/// Whether a text can stand as a block with `|`.
fn allows_block(text: &str) -> bool {
    let space_then_break = text.contains(" \n") || text.as_bytes().windows(2).any(|w| w[0] == b' ' && w[1] == b'\r');
    text.chars().all(is_printable) && !text.ends_with(' ') && !space_then_break
}
