//! `jsonencode` and `jsondecode`, as cty does them: keys sorted, numbers with all their digits.

use super::{FnCall, FnError, FnResult, fail};
use crate::formats::golang::push_json;
use crate::formats::terraform::eval::val::{Member, Table};
use crate::formats::terraform::eval::{Datum, Type, Val, nfc};
use crate::graph::{How, Number};
use std::sync::Arc;

/// How deep decoded JSON may nest.
const MAX_DEPTH: usize = 200;

pub fn jsonencode(call: &FnCall<'_, '_>) -> FnResult {
    let val = call.arg(0);
    if !val.is_wholly_known() {
        // What the text begins with is known from the value's type.
        let prefix = match val.ty() {
            Type::Object(_) | Type::Map(_) if val.is_not_null() => Some("{"),
            Type::List(_) | Type::Set(_) | Type::Tuple(_) if val.is_not_null() => Some("["),
            Type::String if val.is_not_null() => Some("\""),
            _ => None,
        };
        let mut unknown = call.unknown(Type::String).not_null().refined(|u| u.prefix = prefix.map(Arc::from));
        unknown.origin.how = How::Encoded(Arc::new(val.to_value()));
        return Ok(unknown);
    }
    if holds_infinity(val) {
        return fail("an infinite number cannot be written as JSON");
    }
    let text = encode(val);
    call.check_length(text.len())?;
    let mut encoded = Val::string(text);
    encoded.origin.how = How::Encoded(Arc::new(val.to_value()));
    Ok(encoded)
}

fn holds_infinity(val: &Val) -> bool {
    val.as_number().is_some_and(Number::is_infinite) || val.children().any(holds_infinity)
}

/// A known value as JSON.
pub fn encode(val: &Val) -> String {
    let mut out = String::new();
    write(val, &mut out);
    out
}

fn write(val: &Val, out: &mut String) {
    match &val.datum {
        Datum::Null(_) | Datum::Unknown(_) => out.push_str("null"),
        Datum::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Datum::Number(n) => out.push_str(&n.to_string()),
        Datum::String(s) => push_json(out, s, true),
        Datum::List(seq) | Datum::Set(seq) => write_items(&seq.items, out),
        Datum::Tuple(items) => write_items(items, out),
        Datum::Map(table) | Datum::Object(table) => {
            out.push('{');
            for (i, m) in table.entries.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                push_json(out, &m.key, true);
                out.push(':');
                write(&m.val, out);
            }
            out.push('}');
        }
    }
}

fn write_items(items: &[Val], out: &mut String) {
    out.push('[');
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        write(item, out);
    }
    out.push(']');
}

pub fn jsondecode(call: &FnCall<'_, '_>) -> FnResult {
    // Text that was encoded from a value decodes to that value's own parts only through the text: types differ.
    let text = call.text(0);
    let mut reader = Reader { text, at: 0, call };
    let val = reader.value(0)?;
    reader.space();
    if reader.at < text.len() {
        return fail(format!("there is more after the JSON value, at byte {}", reader.at));
    }
    Ok(val)
}

struct Reader<'t, 'c, 'a, 's> {
    text: &'t str,
    at: usize,
    call: &'c FnCall<'a, 's>,
}

impl Reader<'_, '_, '_, '_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn wrong<T>(&self) -> Result<T, FnError> {
        match self.text.get(self.at..).and_then(|t| t.chars().next()) {
            Some(c) => fail(format!("the text is no JSON: unexpected {c:?} at byte {}", self.at)),
            None => fail("the text is no JSON: it ends too early"),
        }
    }

    fn value(&mut self, depth: usize) -> FnResult {
        if depth > MAX_DEPTH {
            return Err(FnError {
                arg: Some(0),
                message: format!("the JSON nests more than {MAX_DEPTH} deep"),
                kind: crate::graph::CauseKind::Limit,
            });
        }
        self.call.spend(1)?;
        self.space();
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => Ok(Val::string(self.string()?)),
            Some(b't') => self.word("true", Val::bool(true)),
            Some(b'f') => self.word("false", Val::bool(false)),
            Some(b'n') => self.word("null", Val::null()),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => self.wrong(),
        }
    }

    fn word(&mut self, word: &str, val: Val) -> FnResult {
        if self.text[self.at..].starts_with(word) {
            self.at += word.len();
            return Ok(val);
        }
        self.wrong()
    }

    fn number(&mut self) -> FnResult {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits(),
            _ => return self.wrong(),
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            if !matches!(self.peek(), Some(b'0'..=b'9')) {
                return self.wrong();
            }
            self.digits();
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if !matches!(self.peek(), Some(b'0'..=b'9')) {
                return self.wrong();
            }
            self.digits();
        }
        let text = &self.text[start..self.at];
        match Number::parse(text) {
            Some(n) => Ok(Val::number(n)),
            None => Err(FnError {
                arg: Some(0),
                message: format!("the number {text} is too large or too small"),
                kind: crate::graph::CauseKind::Limit,
            }),
        }
    }

    fn digits(&mut self) {
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
    }

    fn string(&mut self) -> Result<String, FnError> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = &self.text[self.at..];
            let end = rest.find(|c: char| c == '"' || c == '\\' || c < ' ').unwrap_or(rest.len());
            out.push_str(&rest[..end]);
            self.at += end;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => self.escape(&mut out)?,
                _ => return self.wrong(),
            }
        }
    }

    fn escape(&mut self, out: &mut String) -> Result<(), FnError> {
        self.at += 1;
        let c = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                let Some(high) = self.hex() else { return self.wrong() };
                let mut c = char::from_u32(high);
                if (0xd800..0xdc00).contains(&high) && self.text[self.at..].starts_with("\\u") {
                    let here = self.at;
                    self.at += 2;
                    match self.hex() {
                        Some(low) if (0xdc00..0xe000).contains(&low) => {
                            c = char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00));
                        }
                        _ => self.at = here,
                    }
                }
                out.push(c.unwrap_or('\u{fffd}'));
                return Ok(());
            }
            _ => return self.wrong(),
        };
        self.at += 1;
        out.push(c);
        Ok(())
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }

    fn array(&mut self, depth: usize) -> FnResult {
        self.at += 1;
        let mut items = Vec::new();
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Val::tuple(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(Val::tuple(items));
                }
                _ => return self.wrong(),
            }
        }
    }

    fn object(&mut self, depth: usize) -> FnResult {
        self.at += 1;
        let mut entries = Vec::new();
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Val::object(entries));
        }
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return self.wrong();
            }
            let key: Arc<str> = nfc(self.string()?.into());
            self.space();
            if self.peek() != Some(b':') {
                return self.wrong();
            }
            self.at += 1;
            let val = self.value(depth + 1)?;
            entries.push(Member { key, key_span: crate::base::Span::NONE, val });
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(Val::new(Datum::Object(Arc::new(Table::new(Type::Any, entries)))));
                }
                _ => return self.wrong(),
            }
        }
    }
}
