//! JSON in a template some of whose interpolations are not known: what can be said of the document all the same.
//!
//! A policy in a heredoc that names the ARN of a resource is not known before that resource exists; but who may do what is.
//! Each unknown interpolation becomes a hole in the text, the text is read as JSON, and every string with a hole in it is an
//! unknown value of its own. The rest is known, at the places where it is written.

use super::Val;
use crate::base::{FileId, Span};
use crate::graph::{Data, Ends, How, Map, Number, Origin, Value};
use crate::syntax::json::{self, Node, NodeKind};
use std::sync::Arc;

/// How long a document may be, in bytes.
const MAX_LENGTH: usize = 256 << 10;
/// The character that stands for the first hole; the others follow. Unicode leaves this plane to private use.
const FIRST_HOLE: u32 = 0xf_0000;
/// How many holes a document may have.
const MAX_HOLES: usize = 4_096;

/// A document that is being put together from the parts of a template.
pub struct Draft {
    text: String,
    /// The place of each byte of the text, as an offset in the file.
    offsets: Vec<u32>,
    span: Span,
    holes: Vec<Val>,
    /// Whether the end of the text is inside a JSON string, and behind a backslash there.
    quoted: bool,
    escaped: bool,
    failed: bool,
}

impl Draft {
    /// A draft for a template at `span` that begins with `text`, where that may be a JSON document.
    pub fn of(text: &str, span: Span) -> Option<Draft> {
        text.trim_start().starts_with(['{', '[']).then(|| Draft {
            text: String::new(),
            offsets: Vec::new(),
            span,
            holes: Vec::new(),
            quoted: false,
            escaped: false,
            failed: false,
        })
    }

    /// Adds literal text that stands at `span`, where the file has `raw`.
    pub fn literal(&mut self, text: &str, span: Span, raw: Option<&str>) {
        if !self.grow(text) {
            return;
        }
        match raw {
            Some(raw) => align(raw, text, span.start, &mut self.offsets),
            None => self.offsets.extend(std::iter::repeat_n(span.start, text.len())),
        }
    }

    /// Adds the text of an interpolation that is known.
    pub fn known(&mut self, text: &str, span: Span) {
        if self.grow(text) {
            self.offsets.extend(std::iter::repeat_n(span.start, text.len()));
        }
    }

    /// Adds an interpolation that is not known.
    pub fn hole(&mut self, val: &Val, span: Span) {
        let hole = u32::try_from(self.holes.len()).ok().and_then(|n| char::from_u32(FIRST_HOLE + n));
        let Some(hole) = hole.filter(|_| self.holes.len() < MAX_HOLES) else {
            self.failed = true;
            return;
        };
        self.holes.push(val.clone());
        // Outside of a string it stands for a whole value.
        let text = if self.quoted { hole.to_string() } else { format!("\"{hole}\"") };
        self.text.push_str(&text);
        self.offsets.extend(std::iter::repeat_n(span.start, text.len()));
    }

    /// Appends text whose places are still to be added; `false` where the document is given up.
    fn grow(&mut self, text: &str) -> bool {
        self.failed |= self.text.len() + text.len() > MAX_LENGTH || text.chars().any(|c| u32::from(c) >= FIRST_HOLE);
        if self.failed {
            return false;
        }
        for byte in text.bytes() {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' if self.quoted => self.escaped = true,
                b'"' => self.quoted = !self.quoted,
                _ => {}
            }
        }
        self.text.push_str(text);
        true
    }

    /// The document; `None` where the text is no JSON.
    pub fn finish(self) -> Option<Value> {
        if self.failed || self.holes.is_empty() {
            return None;
        }
        let (root, errors) = json::read(&self.text, FileId::NONE);
        errors.is_empty().then(|| self.value(&root, None))
    }

    fn place(&self, span: Span) -> Span {
        let range = span.range();
        let last = range.end.saturating_sub(1).max(range.start);
        match (self.offsets.get(range.start), self.offsets.get(last)) {
            (Some(&start), Some(&end)) => Span { file: self.span.file, start, end: (end + 1).max(start) },
            _ => self.span,
        }
    }

    fn value(&self, node: &Node, head: Option<Span>) -> Value {
        let span = self.place(node.span);
        match &node.kind {
            NodeKind::Null => Value::literal(Data::Null, span),
            NodeKind::Bool(b) => Value::bool(*b, span),
            NodeKind::Number(text) => Value::literal(Number::parse(text).map_or(Data::Null, Data::Number), span),
            NodeKind::String(cooked) => self.string(&cooked.text, span),
            NodeKind::Array(items) => Value::list(items.iter().map(|item| self.value(item, None)).collect(), span),
            NodeKind::Object(entries) => {
                let mut map = Map::new(head);
                for ((key, key_span), value) in entries {
                    let key_span = self.place(*key_span);
                    map.insert(&*self.key(&key.text), key_span, self.value(value, Some(key_span)));
                }
                Value::map(map, span)
            }
        }
    }

    fn string(&self, text: &str, span: Span) -> Value {
        let mut holes = text.chars().filter_map(|c| self.hole_of(c));
        let Some(hole) = holes.next() else { return Value::string(text, span) };
        let value = hole.to_value();
        if text.chars().nth(1).is_none() {
            return match value.origin.how {
                How::Encoded(inner) => (*inner).clone(),
                _ => value,
            };
        }
        let is_hole = |c: char| self.hole_of(c).is_some();
        let part = |text: Option<&str>| text.unwrap_or_default().into();
        let ends = Ends { start: part(text.split(is_hole).next()), end: part(text.rsplit(is_hole).next()) };
        let how = if ends == Ends::default() { How::Function } else { How::Partial(Arc::new(ends)) };
        let origin = Origin::derived(span, how, [value.origin.clone()]);
        Value { data: value.data, origin }
    }

    /// A key in which holes are shown as such.
    fn key(&self, text: &str) -> Arc<str> {
        match text.chars().any(|c| self.hole_of(c).is_some()) {
            true => text
                .chars()
                .map(|c| self.hole_of(c).map_or(c.to_string(), |_| "${…}".to_owned()))
                .collect::<String>()
                .into(),
            false => text.into(),
        }
    }

    fn hole_of(&self, c: char) -> Option<&Val> {
        let index = u32::from(c).checked_sub(FIRST_HOLE)?;
        self.holes.get(index as usize)
    }
}

/// Adds the place of each byte of a text that was read from `raw`, which stands at `start`: indentation that was taken
/// away, carriage returns and escapes are stepped over.
fn align(raw: &str, text: &str, start: u32, offsets: &mut Vec<u32>) {
    let mut at = 0;
    let mut place = |at: usize, bytes: usize| {
        let offset = start.saturating_add(u32::try_from(at).unwrap_or(u32::MAX));
        offsets.extend(std::iter::repeat_n(offset, bytes));
    };
    for c in text.chars() {
        loop {
            match raw.get(at..).and_then(|rest| rest.chars().next()) {
                Some(r) if r == c => {
                    place(at, c.len_utf8());
                    at += r.len_utf8();
                    break;
                }
                Some(' ' | '\t' | '\r' | '$' | '%') => at += 1,
                Some('\\') => {
                    place(at, c.len_utf8());
                    at += match raw.as_bytes().get(at + 1) {
                        Some(b'u') => 6,
                        Some(b'U') => 10,
                        _ => 2,
                    };
                    break;
                }
                _ => {
                    place(at, c.len_utf8());
                    break;
                }
            }
        }
    }
}
