//! Terraform's JSON syntax to the same tree as the native one.
//!
//! Strings are templates, objects under the names of blocks are blocks, and a few arguments (`depends_on`, `provider`,
//! a variable's `type`…) hold references or types written as strings. Which of a resource's arguments are blocks only
//! its provider's schema says: those stay attributes here, whose value is an object or a list of objects.

use super::parser::{MAX_DEPTH, Parser, Place};
use super::tree::{Attribute, Block, Body, Expr, ExprKind, File, Ident, Item, ObjectItem, ObjectKey, UnaryOp};
use crate::base::{FileId, Span};
use crate::diagnostic::SyntaxError;

/// What a JSON file is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum JsonFile {
    /// Configuration: `*.tf.json`, `*.tofu.json`.
    Configuration,
    /// Values of variables, `*.tfvars.json`: strings are literal there.
    Variables,
}

/// A JSON value with its place.
struct Node {
    kind: NodeKind,
    span: Span,
}

enum NodeKind {
    Null,
    Bool(bool),
    Number(String),
    String(Cooked),
    Array(Vec<Node>),
    Object(Vec<(Key, Node)>),
}

type Key = (Cooked, Span);

/// A string without its escapes, and where its pieces stand.
struct Cooked {
    text: String,
    pieces: Vec<(u32, u32)>,
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

/// Parses a JSON file; like [`super::parse`], it never fails.
pub fn parse_json(text: &str, file: FileId, what: JsonFile) -> (File, Vec<SyntaxError>) {
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
    let mut lower = Lower { file, errors: std::mem::take(&mut reader.errors) };
    let mut body = Body { items: Vec::new(), span: Some(Span::new(file, 0..text.len())) };
    match what {
        JsonFile::Configuration => {
            for (key, node) in members(root, &mut lower) {
                lower.top(key, node, &mut body.items);
            }
        }
        JsonFile::Variables => {
            for ((name, key_span), node) in members(root, &mut lower) {
                let span = key_span.to(node.span);
                let value = lower.expr(node, Strings::Literal);
                let name = Ident { text: name.text.into(), span: key_span };
                body.items.push(Item::Attribute(Attribute { name, value, span }));
            }
        }
    }
    (File { body, json: true }, lower.errors)
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

/// How the strings of a value are read.
#[derive(Clone, Copy, PartialEq)]
enum Strings {
    Literal,
    Template,
    /// As expressions: references and types.
    Expression,
}

/// What a property of a block's body is.
enum Property {
    Attribute(Strings),
    /// A block with so many labels.
    Block(usize),
}

fn property(block: &str, name: &str) -> Property {
    use Property::{Attribute, Block};
    match (block, name) {
        ("resource" | "data" | "ephemeral" | "module", "depends_on" | "provider" | "providers")
        | ("resource" | "data" | "ephemeral", "replace_triggered_by")
        | ("output", "depends_on")
        | ("variable", "type")
        | ("lifecycle", "ignore_changes" | "replace_triggered_by")
        | ("moved" | "removed", "from" | "to")
        | ("import", "to" | "provider") => Attribute(Strings::Expression),
        // Evaluated without a scope, which makes strings literal.
        ("variable", "default" | "description") | ("module", "source" | "version") => Attribute(Strings::Literal),
        ("resource" | "data" | "ephemeral", "lifecycle" | "connection")
        | ("terraform", "required_providers" | "cloud")
        | ("cloud", "workspaces")
        | ("variable", "validation")
        | ("check", "assert")
        | ("removed", "lifecycle")
        | ("provisioner", "connection")
        | ("lifecycle" | "output", "precondition" | "postcondition") => Block(0),
        ("resource" | "removed", "provisioner")
        | ("resource" | "data" | "ephemeral" | "provider", "dynamic")
        | ("terraform", "backend" | "provider_meta") => Block(1),
        ("check", "data") => Block(2),
        _ => Attribute(Strings::Template),
    }
}

struct Lower {
    file: FileId,
    errors: Vec<SyntaxError>,
}

/// The members of an object, or of every object of a list; comment keys (`//`) are left out.
fn members(node: Node, lower: &mut Lower) -> Vec<(Key, Node)> {
    match node.kind {
        NodeKind::Object(entries) => entries.into_iter().filter(|((key, _), _)| key.text != "//").collect(),
        NodeKind::Array(items) => items.into_iter().flat_map(|item| members(item, lower)).collect(),
        NodeKind::Null => Vec::new(),
        _ => {
            let error =
                SyntaxError::new(node.span, "expected an object").with_help("blocks are written as objects here");
            lower.errors.push(error);
            Vec::new()
        }
    }
}

impl Lower {
    fn top(&mut self, key: Key, node: Node, items: &mut Vec<Item>) {
        let labels = match key.0.text.as_str() {
            "resource" | "data" | "ephemeral" => 2,
            "module" | "variable" | "output" | "provider" | "check" => 1,
            "locals" | "terraform" | "moved" | "import" | "removed" => 0,
            other => {
                let message = format!("`{other}` is no block of Terraform's configuration");
                let help = "known are resource, data, module, variable, output, locals, provider, terraform";
                self.errors.push(SyntaxError::new(key.1, message).with_help(help));
                return;
            }
        };
        self.blocks(key, labels, node, items);
    }

    fn blocks(&mut self, key: Key, labels: usize, node: Node, items: &mut Vec<Item>) {
        let kind = Ident { text: key.0.text.into(), span: key.1 };
        self.labelled(&kind, Vec::new(), labels, node, items);
    }

    fn labelled(&mut self, kind: &Ident, labels: Vec<Ident>, missing: usize, node: Node, items: &mut Vec<Item>) {
        if missing > 0 {
            for ((label, span), inner) in members(node, self) {
                let mut labels = labels.clone();
                labels.push(Ident { text: label.text.into(), span });
                self.labelled(kind, labels, missing - 1, inner, items);
            }
            return;
        }
        if let NodeKind::Array(bodies) = node.kind {
            for body in bodies {
                // A list in a list is no list of blocks; `members` reports it.
                if !matches!(body.kind, NodeKind::Array(_)) {
                    self.labelled(kind, labels.clone(), 0, body, items);
                }
            }
            return;
        }
        let head = labels.last().map_or(kind.span, |l| l.span);
        let span = head.to(node.span);
        let body_span = node.span;
        let mut inner = Vec::new();
        for (key, value) in members(node, self) {
            let block = if &*kind.text == "dynamic" { "" } else { &kind.text };
            if &*kind.text == "dynamic" && key.0.text == "content" {
                self.blocks(key, 0, value, &mut inner);
                continue;
            }
            match property(block, &key.0.text) {
                Property::Block(labels) => self.blocks(key, labels, value, &mut inner),
                Property::Attribute(strings) => {
                    let (cooked, key_span) = key;
                    let span = key_span.to(value.span);
                    let value = self.expr(value, strings);
                    let name = Ident { text: cooked.text.into(), span: key_span };
                    inner.push(Item::Attribute(Attribute { name, value, span }));
                }
            }
        }
        let body = Body { items: inner, span: Some(body_span) };
        items.push(Item::Block(Block { kind: kind.clone(), labels, body, head, span }));
    }

    fn expr(&mut self, node: Node, strings: Strings) -> Expr {
        let span = node.span;
        let kind = match node.kind {
            NodeKind::Null => ExprKind::Null,
            NodeKind::Bool(b) => ExprKind::Bool(b),
            NodeKind::Number(text) => match text.strip_prefix('-') {
                Some(rest) => {
                    let inner = Expr { kind: ExprKind::Number(rest.into()), span };
                    ExprKind::Unary(UnaryOp::Negate, Box::new(inner))
                }
                None => ExprKind::Number(text.into()),
            },
            NodeKind::String(cooked) => self.string(&cooked, strings, span),
            NodeKind::Array(items) => ExprKind::Tuple(items.into_iter().map(|i| self.expr(i, strings)).collect()),
            NodeKind::Object(entries) => ExprKind::Object(
                entries
                    .into_iter()
                    .map(|((key, key_span), value)| {
                        let strings_of_key = if strings == Strings::Template { strings } else { Strings::Literal };
                        let key = Expr { kind: self.string(&key, strings_of_key, key_span), span: key_span };
                        ObjectItem { key: ObjectKey::Expr(key), value: self.expr(value, strings) }
                    })
                    .collect(),
            ),
        };
        Expr { kind, span }
    }

    fn string(&mut self, cooked: &Cooked, strings: Strings, span: Span) -> ExprKind {
        let text = cooked.text.as_str();
        let template = text.contains("${") || text.contains("%{");
        if strings == Strings::Literal || (strings == Strings::Template && !template) {
            return ExprKind::String(text.into());
        }
        let mut parser = Parser::new(text, self.file, Place::Pieces(cooked.pieces.clone()), false);
        // `"${aws_x.y}"` is accepted in place of a bare reference, as Terraform 0.11 had it.
        let parsed = if template { parser.bare_template() } else { parser.whole_expression() };
        self.errors.append(&mut parser.errors);
        match parsed {
            Ok(expr) => expr.kind,
            Err(_) => {
                let reason = self.errors.last().map_or("", |e| e.message.as_str());
                let kind = ExprKind::Error(reason.into());
                debug_assert!(!span.is_none() || self.file == FileId::NONE);
                kind
            }
        }
    }
}
