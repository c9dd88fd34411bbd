//! Documents inside texts: JSON or YAML in a string, read to values whose places are those in the file.

use crate::base::{FastMap, FileId, Files, Span, content_hash};
use crate::graph::{Data, How, Map, Number, Origin, Value};
use crate::syntax::yaml::{self, Node, Scalar, Schema};
use std::sync::{Arc, Mutex, PoisonError};

/// Reads texts, each once.
#[derive(Debug)]
pub struct Documents<'a> {
    files: &'a Files,
    known: Mutex<FastMap<(u64, Span), Option<Arc<Value>>>>,
}

impl<'a> Documents<'a> {
    /// `files` holds the texts that spans refer to.
    pub fn new(files: &'a Files) -> Documents<'a> {
        Documents { files, known: Mutex::default() }
    }

    /// What a text holds. A value that a function encoded is taken as it was before that; what is a list or map already
    /// is taken as it is. `None` where the text is no document with a structure.
    pub fn read(&self, value: &Value) -> Option<Arc<Value>> {
        match (&value.data, &value.origin.how) {
            (_, How::Encoded(inner)) => return Some(inner.clone()),
            (Data::List(_) | Data::Map(_), _) => return Some(Arc::new(value.clone())),
            _ => {}
        }
        let text = value.as_str()?;
        let key = (content_hash(text.as_bytes()), value.span());
        if let Some(known) = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return known.clone();
        }
        let read = self.parse(text, value).map(Arc::new);
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(key, read.clone());
        read
    }

    fn parse(&self, text: &str, value: &Value) -> Option<Value> {
        let start = text.trim_start();
        let json = start.starts_with(['{', '[']);
        if !json && !start.contains(':') && !start.starts_with("- ") {
            return None;
        }
        let tree = yaml::parse(FileId::NONE, text.into());
        let root = tree.root().filter(|root| !root.is_scalar() && (tree.errors.is_empty() || json))?;
        let places = self.places(value);
        Some(convert(root, &places, &value.origin))
    }

    /// The place of a part of a value's text.
    pub fn part(&self, value: &Value, range: std::ops::Range<usize>) -> Span {
        self.places(value).place(range)
    }

    /// The text that stands at a span.
    pub fn source(&self, span: Span) -> &str {
        self.files.slice(span)
    }

    /// Where the characters of a value's text stand: at its own place, or where the value came from.
    fn places(&self, value: &Value) -> Places {
        let text = value.as_str().unwrap_or("");
        let mut best: Option<Places> = None;
        for origin in std::iter::once(&value.origin).chain(value.origin.chain()) {
            let raw = self.files.slice(origin.span);
            let places = Places { whole: origin.span, offsets: align(raw, text) };
            let aligned = places.offsets.len();
            if aligned > text.len() {
                return places;
            }
            if best.as_ref().is_none_or(|b| b.offsets.len() < aligned) {
                best = Some(places);
            }
        }
        best.unwrap_or(Places { whole: value.span(), offsets: Vec::new() })
    }
}

/// Where the bytes of a text stand in the source.
struct Places {
    whole: Span,
    /// The offset in the source's span of each byte of the text and of its end, as far as they are known.
    offsets: Vec<u32>,
}

impl Places {
    fn place(&self, range: std::ops::Range<usize>) -> Span {
        let (Some(&start), Some(&end)) = (self.offsets.get(range.start), self.offsets.get(range.end)) else {
            return self.whole;
        };
        let start = self.whole.start + start;
        Span { start, end: (self.whole.start + end).max(start), ..self.whole }
    }
}

/// Lines a text up with the source that it was read from: removed indentation, escapes and interpolations are
/// stepped over. Gives as many offsets as could be lined up, at most one more than the text has bytes.
fn align(raw: &str, text: &str) -> Vec<u32> {
    let quoted = raw.starts_with('"');
    let block = raw.starts_with("<<") || raw.starts_with(['|', '>']);
    let mut at = if block { raw.find('\n').map_or(0, |i| i + 1) } else { usize::from(quoted || raw.starts_with('\'')) };
    let mut offsets: Vec<u32> = Vec::with_capacity(text.len() + 1);
    let mut line_start = true;
    let push = |offsets: &mut Vec<u32>, at: usize, bytes: usize| {
        offsets.extend(std::iter::repeat_n(u32::try_from(at).unwrap_or(u32::MAX), bytes));
    };
    let blanks = |t: &str| t.len() - t.trim_start_matches([' ', '\t']).len();
    while let Some(c) = text.get(offsets.len()..).and_then(|t| t.chars().next()) {
        if line_start && !quoted {
            // Indentation that was taken away.
            let kept = blanks(text.get(offsets.len()..).unwrap_or(""));
            at += blanks(raw.get(at..).unwrap_or("")).saturating_sub(kept);
        }
        let rest = raw.get(at..).unwrap_or("");
        let Some(r) = rest.chars().next() else { return offsets };
        if quoted && r == '\\' {
            let (decoded, length) = escape(rest);
            if decoded != Some(c) {
                return offsets;
            }
            push(&mut offsets, at, c.len_utf8());
            at += length;
        } else if (rest.starts_with("$${") || rest.starts_with("%%{")) && c == r {
            push(&mut offsets, at, 1);
            at += 2;
        } else if rest.starts_with("${") || rest.starts_with("%{") {
            let after = at + interpolation(rest);
            let tail = raw.get(after..).unwrap_or("");
            let stop = tail.find(['"', '\\', '$', '%', '\n']).unwrap_or(tail.len()).max(1).min(tail.len());
            let sign = tail.get(..stop).unwrap_or("");
            let remaining = text.get(offsets.len()..).unwrap_or("");
            let skip = if sign.is_empty() { remaining.len() } else { remaining.find(sign).unwrap_or(usize::MAX) };
            if skip == usize::MAX {
                return offsets;
            }
            push(&mut offsets, at, skip);
            at = after;
        } else if r == c {
            push(&mut offsets, at, c.len_utf8());
            at += r.len_utf8();
        } else if r == '\r' {
            at += 1;
            line_start = false;
            continue;
        } else {
            return offsets;
        }
        line_start = c == '\n';
    }
    push(&mut offsets, at, 1);
    offsets
}

/// The character of an escape, and its length in the source.
fn escape(rest: &str) -> (Option<char>, usize) {
    let mut chars = rest.chars();
    chars.next();
    match chars.next() {
        Some('n') => (Some('\n'), 2),
        Some('t') => (Some('\t'), 2),
        Some('r') => (Some('\r'), 2),
        Some('u') => {
            let code = rest.get(2..6).and_then(|h| u32::from_str_radix(h, 16).ok());
            (code.and_then(char::from_u32), 6)
        }
        Some(c) => (Some(c), 1 + c.len_utf8()),
        None => (None, 1),
    }
}

/// The length of an interpolation, from its `${` to behind its brace.
fn interpolation(rest: &str) -> usize {
    let mut depth = 0;
    let mut quoted = false;
    for (i, c) in rest.char_indices() {
        match c {
            '"' => quoted = !quoted,
            _ if quoted => {}
            '{' => depth += 1,
            '}' => {
                depth -= 1;
                if depth == 0 {
                    return i + 1;
                }
            }
            _ => {}
        }
    }
    rest.len()
}

/// A node as a value. Every origin has that of the text as its parent, so that the way of the value stays visible.
fn convert(node: Node<'_>, places: &Places, text: &Origin) -> Value {
    let place = |node: Node<'_>| places.place(node.span().range());
    let origin = Origin { span: place(node), how: How::Literal, sensitive: text.sensitive, from: text.from.clone() };
    let data = if node.is_mapping() {
        let mut map = Map::new(None);
        for (key, value) in node.entries() {
            let Some(name) = key.key_text(Schema::Kubernetes) else { continue };
            let mut value = convert(value, places, text);
            if let Data::Map(inner) = &mut value.data {
                Arc::make_mut(inner).head = Some(place(key));
            }
            map.insert(name.into_owned(), place(key), value);
        }
        Data::Map(Arc::new(map))
    } else if node.is_sequence() {
        Data::List(Arc::new(node.items().map(|item| convert(item, places, text)).collect()))
    } else {
        match node.scalar(Schema::Kubernetes) {
            None | Some(Scalar::Null) => Data::Null,
            Some(Scalar::Bool(b)) => Data::Bool(b),
            Some(Scalar::Int(n)) => Data::Number(Number::from(n)),
            Some(Scalar::Float(f, _)) => Data::Number(Number::from(f)),
            Some(Scalar::String(s)) => Data::String(s.into()),
        }
    };
    Value { data, origin }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    /// Reads the document in `text`, written in the source as `raw`, and gives the source text at the value of `path`.
    fn check(raw: &str, text: &str, path: &[&str]) -> String {
        let mut files = Files::default();
        let source = format!("policy = {raw}\n");
        let file = files.set("main.tf", source.as_str().into());
        let value = Value::string(text, Span::new(file, 9..9 + raw.len()));
        let documents = Documents::new(&files);
        let read = documents.read(&value).unwrap();
        files.slice(read.at(path).unwrap().span()).to_owned()
    }

    #[test]
    fn places_inside_a_text_are_those_of_the_file() {
        assert_eq!(check(r#""{\"a\": {\"b\": \"c\"}}""#, r#"{"a": {"b": "c"}}"#, &["a", "b"]), r#"\"c\""#);
        assert_eq!(check("<<EOF\n{\"a\": [1],\n \"b\": true}\nEOF", "{\"a\": [1],\n \"b\": true}\n", &["b"]), "true");
        assert_eq!(check("<<-EOF\n    {\n      \"b\": true\n    }\n    EOF", "{\n  \"b\": true\n}\n", &["b"]), "true");
        let raw = "<<EOF\n{\"r\": \"arn:${var.x[\"}\"]}/*\", \"b\": 7}\nEOF";
        assert_eq!(check(raw, "{\"r\": \"arn:bucket/*\", \"b\": 7}\n", &["b"]).trim(), "7");
        assert_eq!(check("<<EOF\na:\n  b: x\nEOF", "a:\n  b: x\n", &["a", "b"]), "x");
    }

    #[test]
    fn what_is_no_document() {
        let files = Files::default();
        let documents = Documents::new(&files);
        for text in ["", "hello", "12", "{", "a: b: c"] {
            let read = documents.read(&Value::string(text, Span::NONE));
            assert!(read.is_none() || text == "{", "{text}: {read:?}");
        }
    }
}
