//! JSON with the place of every value. Strict as RFC 8259; after the first error what was read so far is kept.

use crate::base::{FileId, Span};
use crate::diagnostic::SyntaxError;

/// How deep values may nest.
const MAX_DEPTH: u32 = 128;

/// A JSON value with its place.
#[derive(Debug)]
pub struct Node {
    /// What it is.
    pub kind: NodeKind,
    /// The place; a string's includes its quotes.
    pub span: Span,
}

/// The kinds of JSON values.
#[derive(Debug)]
#[expect(missing_docs, reason = "the words explain themselves")]
pub enum NodeKind {
    Null,
    Bool(bool),
    /// As it is written.
    Number(String),
    String(Cooked),
    Array(Vec<Node>),
    Object(Vec<(Key, Node)>),
}

/// A name and its place.
pub type Key = (Cooked, Span);

/// A string without its escapes, and where its pieces stand.
#[derive(Debug)]
pub struct Cooked {
    /// The text.
    pub text: String,
    /// Pairs of an offset in the text and one in the file, from where both advance together.
    pub pieces: Vec<(u32, u32)>,
}

struct Reader<'t> {
    text: &'t str,
    pos: usize,
    depth: u32,
    file: FileId,
    errors: Vec<SyntaxError>,
    /// Set by the first error: what was read so far is kept, the rest is left.
    failed: bool,
}

/// Reads a text; never fails.
pub fn read(text: &str, file: FileId) -> (Node, Vec<SyntaxError>) {
    let mut reader = Reader { text, pos: 0, depth: 0, file, errors: Vec::new(), failed: false };
    if text.starts_with('\u{feff}') {
        reader.pos = 3;
        let error = SyntaxError::new(Span::new(file, 0..3), "a JSON file cannot begin with a byte-order mark");
        reader.errors.push(error.with_help("save it as UTF-8 without a byte-order mark"));
    }
    let root = reader.value();
    reader.space();
    if !reader.failed && reader.pos < text.len() {
        reader.fail("expected the end of the file");
    }
    (root, reader.errors)
}

impl Node {
    /// The member of a name.
    pub fn get(&self, name: &str) -> Option<&Node> {
        self.entries().iter().find(|((key, _), _)| key.text == name).map(|(_, value)| value)
    }

    /// The members of an object; none for anything else.
    pub fn entries(&self) -> &[(Key, Node)] {
        match &self.kind {
            NodeKind::Object(entries) => entries,
            _ => &[],
        }
    }

    /// The members of an array; none for anything else.
    pub fn items(&self) -> &[Node] {
        match &self.kind {
            NodeKind::Array(items) => items,
            _ => &[],
        }
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            NodeKind::String(cooked) => Some(&cooked.text),
            _ => None,
        }
    }

    /// Whether it is `true`.
    pub fn is_true(&self) -> bool {
        matches!(self.kind, NodeKind::Bool(true))
    }
}

impl Reader<'_> {
    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.file, start..end)
    }

    fn peek(&self) -> u8 {
        self.text.as_bytes().get(self.pos).copied().unwrap_or(0)
    }

    fn space(&mut self) {
        while matches!(self.peek(), b' ' | b'\t' | b'\n' | b'\r') {
            self.pos += 1;
        }
    }

    fn fail(&mut self, message: &str) {
        if !self.failed {
            let length = self.text.get(self.pos..).and_then(|r| r.chars().next()).map_or(0, char::len_utf8);
            let error = SyntaxError::new(self.span(self.pos, self.pos + length), message);
            self.errors.push(
                error.with_help("this is JSON: names and text in double quotes, no comments, no commas at the end"),
            );
            self.failed = true;
        }
    }

    fn value(&mut self) -> Node {
        self.space();
        let start = self.pos;
        let kind = match self.peek() {
            b'{' => self.object(),
            b'[' => self.array(),
            b'"' => NodeKind::String(self.string()),
            b'-' | b'0'..=b'9' => self.number(),
            _ => {
                let rest = self.text.get(start..).unwrap_or("");
                let word = ["null", "true", "false"].into_iter().find(|w| rest.starts_with(w));
                match word {
                    Some(word) => {
                        self.pos += word.len();
                        if word == "null" { NodeKind::Null } else { NodeKind::Bool(word == "true") }
                    }
                    None => {
                        self.fail("expected a JSON value");
                        NodeKind::Null
                    }
                }
            }
        };
        Node { kind, span: self.span(start, self.pos) }
    }

    fn nested(&mut self) -> bool {
        if self.depth >= MAX_DEPTH {
            self.fail("this nests too deeply and is left out");
            return false;
        }
        self.depth += 1;
        self.pos += 1;
        true
    }

    fn array(&mut self) -> NodeKind {
        let mut items = Vec::new();
        if !self.nested() {
            return NodeKind::Array(items);
        }
        self.space();
        if self.peek() == b']' {
            self.pos += 1;
        } else {
            while !self.failed {
                let item = self.value();
                if self.failed && matches!(item.kind, NodeKind::Null) {
                    break;
                }
                items.push(item);
                if !self.separator(b']') {
                    break;
                }
            }
        }
        self.depth -= 1;
        NodeKind::Array(items)
    }

    /// After a member: whether another one follows. Consumes the comma or the closing sign.
    fn separator(&mut self, close: u8) -> bool {
        self.space();
        match self.peek() {
            _ if self.failed => false,
            b',' => {
                self.pos += 1;
                true
            }
            c if c == close => {
                self.pos += 1;
                false
            }
            _ => {
                self.fail(if close == b']' { "expected `,` or `]`" } else { "expected `,` or `}`" });
                false
            }
        }
    }

    fn object(&mut self) -> NodeKind {
        let mut entries = Vec::new();
        if !self.nested() {
            return NodeKind::Object(entries);
        }
        self.space();
        if self.peek() == b'}' {
            self.pos += 1;
        } else {
            while !self.failed {
                self.space();
                let start = self.pos;
                if self.peek() != b'"' {
                    self.fail("expected a name in double quotes");
                    break;
                }
                let key = self.string();
                let key_span = self.span(start, self.pos);
                self.space();
                if self.failed || self.peek() != b':' {
                    self.fail("expected `:`");
                    break;
                }
                self.pos += 1;
                let value = self.value();
                if self.failed && matches!(value.kind, NodeKind::Null) {
                    break;
                }
                entries.push(((key, key_span), value));
                if !self.separator(b'}') {
                    break;
                }
            }
        }
        self.depth -= 1;
        NodeKind::Object(entries)
    }

    fn number(&mut self) -> NodeKind {
        let start = self.pos;
        while matches!(self.peek(), b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9') {
            self.pos += 1;
        }
        let text = self.text.get(start..self.pos).unwrap_or("");
        if text.parse::<f64>().is_err() {
            self.pos = start;
            self.fail("this is no number");
        }
        NodeKind::Number(text.to_owned())
    }

    fn string(&mut self) -> Cooked {
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        self.pos += 1;
        let mut cooked = Cooked { text: String::new(), pieces: vec![(0, offset(self.pos))] };
        let mut run = self.pos;
        loop {
            match self.peek() {
                b'"' => {
                    cooked.text.push_str(self.text.get(run..self.pos).unwrap_or(""));
                    self.pos += 1;
                    return cooked;
                }
                b'\\' => {
                    cooked.text.push_str(self.text.get(run..self.pos).unwrap_or(""));
                    match self.escape() {
                        Some(c) => cooked.text.push(c),
                        None => {
                            self.fail("this is no JSON escape");
                            return cooked;
                        }
                    }
                    run = self.pos;
                    cooked.pieces.push((offset(cooked.text.len()), offset(self.pos)));
                }
                c if c < 0x20 => {
                    self.fail("this string is not closed on its line");
                    cooked.text.push_str(self.text.get(run..self.pos).unwrap_or(""));
                    return cooked;
                }
                _ => self.pos += 1,
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        let selector = *self.text.as_bytes().get(self.pos + 1)?;
        let plain = match selector {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let high = self.hex(self.pos + 2)?;
                self.pos += 6;
                if !(0xD800..0xE000).contains(&high) {
                    return char::from_u32(high);
                }
                let paired = self.text.get(self.pos..self.pos + 2) == Some("\\u");
                let low = self.hex(self.pos + 2).filter(|low| paired && (0xDC00..0xE000).contains(low));
                return Some(match low {
                    Some(low) if high < 0xDC00 => {
                        self.pos += 6;
                        char::from_u32(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))?
                    }
                    // Go's decoder, which Terraform uses, replaces a lone surrogate.
                    _ => char::REPLACEMENT_CHARACTER,
                });
            }
            _ => return None,
        };
        self.pos += 2;
        Some(plain)
    }

    fn hex(&self, at: usize) -> Option<u32> {
        let digits = self.text.get(at..at + 4)?;
        digits.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())?
    }
}
