//! The parser's ground and the structure of bodies: attributes and blocks.
//!
//! A recursive descent over the bytes without a token list. Newlines end an attribute's value except inside
//! parentheses, brackets and interpolations, as HCL has it; `newlines` says which holds at the moment.
//!
//! A file is first parsed strictly. Where that finds an error, it is parsed again in recovery mode, which may also use
//! indentation to tell where something unclosed was meant to end; a valid file is never judged by its indentation.

use super::tree::{Attribute, Block, Body, Expr, ExprKind, Ident, Item, Text};
use crate::base::{FastMap, FastSet, FileId, Span};
use crate::diagnostic::SyntaxError;
use crate::syntax::Comment;
use std::cell::{Cell, OnceCell};

/// How deep blocks, brackets and templates may nest. Terraform itself has no limit; what people write stays below 20.
pub(super) const MAX_DEPTH: u32 = 128;
/// How high an expression's tree may grow, which a long chain of operators does without nesting.
pub(super) const MAX_HEIGHT: u32 = 256;

/// An expression could not be parsed; the error is recorded.
pub(super) struct Failed;
pub(super) type Parse<T> = Result<T, Failed>;

/// Where offsets of the parsed text lie in the file.
pub(super) enum Place {
    /// The text begins at this offset of the file.
    At(u32),
    /// The text is what is left of a JSON string after its escapes: pairs of an offset in the text and one in the
    /// file, from where both advance together.
    Pieces(Vec<(u32, u32)>),
}

pub(super) struct Parser<'t> {
    pub text: &'t str,
    pub bytes: &'t [u8],
    pub pos: usize,
    pub file: FileId,
    pub place: Place,
    pub newlines: bool,
    pub depth: u32,
    pub height: u32,
    pub recovery: bool,
    pub errors: Vec<SyntaxError>,
    pub comments: Vec<Comment>,
    names: FastMap<&'t str, Text>,
    /// The place whose column was asked for last, and where its line begins.
    line: Cell<(usize, usize)>,
    /// Where the last line stands that consists of this text, for lines that may close a heredoc.
    pub last_lines: OnceCell<FastMap<&'t str, usize>>,
}

impl<'t> Parser<'t> {
    pub fn new(text: &'t str, file: FileId, place: Place, recovery: bool) -> Parser<'t> {
        Parser {
            text,
            bytes: text.as_bytes(),
            pos: 0,
            file,
            place,
            newlines: true,
            depth: 0,
            height: 0,
            recovery,
            errors: Vec::new(),
            comments: Vec::new(),
            names: FastMap::default(),
            line: Cell::default(),
            last_lines: OnceCell::new(),
        }
    }

    // --- places and errors ---

    fn offset(&self, at: usize) -> usize {
        match &self.place {
            Place::At(base) => at + *base as usize,
            Place::Pieces(pieces) => {
                let at = u32::try_from(at).unwrap_or(u32::MAX);
                let index = pieces.partition_point(|&(from, _)| from <= at).saturating_sub(1);
                let (from, to) = pieces.get(index).copied().unwrap_or((0, 0));
                (to + at.saturating_sub(from)) as usize
            }
        }
    }

    pub fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.file, self.offset(start)..self.offset(end.max(start)))
    }

    pub fn error(&mut self, start: usize, end: usize, message: impl Into<String>, help: &str) {
        // A place never cuts a character in two.
        let end = (end..self.text.len()).find(|&i| self.text.is_char_boundary(i)).unwrap_or(self.text.len());
        let mut error = SyntaxError::new(self.span(start, end), message);
        if !help.is_empty() {
            error = error.with_help(help);
        }
        self.errors.push(error);
    }

    pub fn fail<T>(&mut self, start: usize, end: usize, message: impl Into<String>, help: &str) -> Parse<T> {
        self.error(start, end, message, help);
        Err(Failed)
    }

    /// Fails at what stands next, saying what was expected there.
    pub fn expected<T>(&mut self, what: &str, help: &str) -> Parse<T> {
        let (end, found) = self.describe_next();
        self.fail(self.pos, end, format!("expected {what}, found {found}"), help)
    }

    /// The end and the name of what stands next, for messages.
    pub fn describe_next(&self) -> (usize, String) {
        let Some(c) = self.text.get(self.pos..).and_then(|rest| rest.chars().next()) else {
            return (self.pos, "the end of the file".to_owned());
        };
        if c == '\n' || c == '\r' {
            return (self.pos, "the end of the line".to_owned());
        }
        let mut end = self.pos + c.len_utf8();
        if is_name_start(c) || c.is_ascii_digit() {
            end = self.name_end(self.pos).max(end);
        }
        (end, format!("`{}`", self.text.get(self.pos..end).unwrap_or("")))
    }

    // --- bytes ---

    pub fn peek(&self) -> u8 {
        self.bytes.get(self.pos).copied().unwrap_or(0)
    }

    pub fn peek_at(&self, ahead: usize) -> u8 {
        self.bytes.get(self.pos + ahead).copied().unwrap_or(0)
    }

    pub fn at_end(&self) -> bool {
        self.pos >= self.bytes.len()
    }

    pub fn starts_with(&self, what: &str) -> bool {
        self.bytes.get(self.pos..).is_some_and(|rest| rest.starts_with(what.as_bytes()))
    }

    pub fn eat(&mut self, what: &str) -> bool {
        let found = self.starts_with(what);
        if found {
            self.pos += what.len();
        }
        found
    }

    /// Skips white space and comments; line breaks too where they mean nothing.
    pub fn skip(&mut self) {
        loop {
            match self.peek() {
                b' ' | b'\t' | b'\r' => self.pos += 1,
                b'\n' if !self.newlines => self.pos += 1,
                b'#' => self.line_comment(),
                b'/' if self.peek_at(1) == b'/' => self.line_comment(),
                b'/' if self.peek_at(1) == b'*' => self.block_comment(),
                0xEF if self.pos == 0 && self.starts_with("\u{feff}") => self.pos += 3,
                _ => break,
            }
        }
    }

    /// Skips white space, comments and line breaks.
    pub fn skip_lines(&mut self) {
        let newlines = std::mem::replace(&mut self.newlines, false);
        self.skip();
        self.newlines = newlines;
    }

    fn line_comment(&mut self) {
        let start = self.pos;
        let rest = self.bytes.get(start..).unwrap_or(&[]);
        let end = start + rest.iter().position(|&b| b == b'\n').unwrap_or(rest.len());
        let trimmed = if self.bytes.get(end.wrapping_sub(1)) == Some(&b'\r') { end - 1 } else { end };
        self.comment(start, trimmed.max(start));
        self.pos = end;
    }

    fn block_comment(&mut self) {
        let start = self.pos;
        match self.text.get(start + 2..).and_then(|rest| rest.find("*/")) {
            Some(length) => {
                self.pos = start + 2 + length + 2;
                self.comment(start, self.pos);
            }
            None => {
                self.error(start, start + 2, "this comment is never closed", "close it with `*/`");
                self.pos = self.bytes.len();
            }
        }
    }

    fn comment(&mut self, start: usize, end: usize) {
        let span = self.span(start, end);
        // Looking ahead and recovering read some comments twice.
        if self.comments.last().is_none_or(|last| last.span.start < span.start) {
            let line = self.text.get(start - self.column(start)..start).unwrap_or("");
            let own_line = line.trim_start_matches('\u{feff}').trim_start().is_empty();
            self.comments.push(Comment { span, own_line });
        }
    }

    // --- names ---

    /// The text shared with equal texts of this file.
    pub fn intern(&mut self, text: &'t str) -> Text {
        self.names.entry(text).or_insert_with(|| text.into()).clone()
    }

    pub fn name_end(&self, start: usize) -> usize {
        let mut at = start;
        while let Some(&b) = self.bytes.get(at) {
            if b.is_ascii_alphanumeric() || b == b'_' || b == b'-' {
                at += 1;
            } else if b.is_ascii() {
                break;
            } else {
                match self.text.get(at..).and_then(|rest| rest.chars().next()) {
                    Some(c) if is_name_part(c) => at += c.len_utf8(),
                    _ => break,
                }
            }
        }
        at
    }

    pub fn at_name(&self) -> bool {
        let b = self.peek();
        if b.is_ascii() {
            b.is_ascii_alphabetic() || b == b'_'
        } else {
            self.text.get(self.pos..).and_then(|rest| rest.chars().next()).is_some_and(is_name_start)
        }
    }

    /// The name that stands here, without moving.
    pub fn peek_name(&self) -> &'t str {
        if !self.at_name() {
            return "";
        }
        self.text.get(self.pos..self.name_end(self.pos)).unwrap_or("")
    }

    pub fn name(&mut self) -> Option<Ident> {
        let text = self.peek_name();
        if text.is_empty() {
            return None;
        }
        let start = self.pos;
        self.pos += text.len();
        Some(Ident { text: self.intern(text), span: self.span(start, self.pos) })
    }

    /// Goes one level deeper; an error where that is too deep. The caller goes back with `self.depth -= 1`.
    pub fn deeper(&mut self, start: usize) -> Parse<()> {
        if self.depth >= MAX_DEPTH {
            return self.fail(
                start,
                start + 1,
                format!("this nests deeper than {MAX_DEPTH} levels and is left out"),
                "split it with locals",
            );
        }
        self.depth += 1;
        Ok(())
    }

    // --- bodies ---

    /// The whole text as a body.
    pub fn file(&mut self) -> Body {
        let mut body = self.body(None);
        while !self.at_end() {
            // Only a stray closing brace ends a top-level body early.
            self.error(
                self.pos,
                self.pos + 1,
                "this brace closes nothing",
                "remove it, or open the block it belongs to",
            );
            self.pos += 1;
            body.items.append(&mut self.body(None).items);
        }
        body.span = Some(self.span(0, self.bytes.len()));
        body
    }

    /// Items up to a closing brace (not consumed) or the end. `open` is the column of the enclosing block's header.
    fn body(&mut self, open: Option<usize>) -> Body {
        let start = self.pos;
        let mut items: Vec<Item> = Vec::new();
        let mut seen: FastSet<Text> = FastSet::default();
        loop {
            self.newlines = true;
            self.skip_lines();
            if self.at_end() || self.peek() == b'}' {
                break;
            }
            if self.recovery && open.is_some_and(|column| self.looks_like_outer_item(column)) {
                break;
            }
            let before = self.pos;
            match self.item() {
                Some(Item::Attribute(attribute)) => {
                    if seen.insert(attribute.name.text.clone()) {
                        items.push(Item::Attribute(attribute));
                    } else {
                        let message = format!("`{}` is already set in this block", attribute.name.text);
                        let error = SyntaxError::new(attribute.name.span, message).with_help("keep one of the two");
                        self.errors.push(error);
                    }
                }
                Some(Item::Block(block)) => items.push(Item::Block(block)),
                None => {}
            }
            if self.pos == before {
                // Whatever this is, it cannot begin an item; it was reported.
                self.pos += self.text.get(self.pos..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8);
            }
        }
        Body { items, span: Some(self.span(start, self.pos)) }
    }

    fn item(&mut self) -> Option<Item> {
        let start = self.pos;
        let Some(name) = self.name() else {
            let (end, found) = self.describe_next();
            let help = if self.peek() == b'"' {
                "names of arguments are not quoted"
            } else {
                "write `name = value` or `name { … }`"
            };
            self.error(start, end, format!("expected an argument or a block, found {found}"), help);
            self.skip_broken(start);
            return None;
        };
        self.skip();
        match self.peek() {
            b'=' if self.peek_at(1) != b'=' => Some(Item::Attribute(self.attribute(name, start))),
            b'{' | b'"' => self.block(name, start),
            _ if self.at_name() => self.block(name, start),
            _ => {
                let message = format!("`{}` is neither an argument nor a block", name.text);
                let end = start + name.text.len();
                self.error(start, end, message, "write `name = value` for an argument or `name { … }` for a block");
                self.skip_broken(start);
                None
            }
        }
    }

    fn attribute(&mut self, name: Ident, start: usize) -> Attribute {
        self.pos += 1;
        self.skip();
        let value_start = self.pos;
        self.height = 0;
        let depth = self.depth;
        let parsed = self.expression().and_then(|value| {
            let end = self.pos;
            self.skip();
            match self.peek() {
                _ if self.at_end() => Ok((value, end)),
                b'\n' | b'}' => Ok((value, end)),
                b',' => {
                    let help = "arguments of a block are separated by line breaks";
                    self.error(self.pos, self.pos + 1, "unexpected comma after an argument", help);
                    self.pos += 1;
                    Ok((value, end))
                }
                _ => {
                    let help = "an argument ends with its line; wrap a longer expression in parentheses";
                    self.expected("the end of the line", help)
                }
            }
        });
        match parsed {
            Ok((value, end)) => Attribute { name, value, span: self.span(start, end) },
            Err(Failed) => {
                self.newlines = true;
                self.depth = depth;
                self.pos = value_start;
                self.skip_broken(start);
                let reason = self.errors.last().map_or("", |e| e.message.as_str()).into();
                let end = value_start + self.text.get(value_start..self.pos).unwrap_or("").trim_end().len();
                let value = Expr { kind: ExprKind::Error(reason), span: self.span(value_start, end) };
                Attribute { name, value, span: self.span(start, end) }
            }
        }
    }

    fn block(&mut self, kind: Ident, start: usize) -> Option<Item> {
        let depth = self.depth;
        let mut labels = Vec::new();
        let mut head_end = start + kind.text.len();
        loop {
            self.skip();
            match self.peek() {
                b'{' => break,
                b'"' => match self.label() {
                    Ok(label) => labels.push(label),
                    Err(Failed) => {
                        self.depth = depth;
                        self.skip_broken(start);
                        return None;
                    }
                },
                _ if self.at_name() => labels.extend(self.name()),
                _ => {
                    let help = "a block's opening brace stands on the line of its header";
                    let _: Parse<()> = self.expected("a label or `{`", help);
                    self.skip_broken(start);
                    return None;
                }
            }
            head_end = self.pos;
        }
        let head = self.span(start, head_end);
        let brace = self.pos;
        if self.deeper(brace).is_err() {
            self.skip_broken(start);
            return None;
        }
        self.pos += 1;
        let column = self.column(start);
        let body = self.body(Some(column));
        self.depth -= 1;
        if self.peek() == b'}' && !(self.recovery && self.closes_outer(brace, column)) {
            self.pos += 1;
            let end = self.pos;
            self.newlines = true;
            self.skip();
            if !self.at_end() && !matches!(self.peek(), b'\n' | b'}') {
                let (next, found) = self.describe_next();
                let message = format!("expected a line break after the block, found {found}");
                self.error(self.pos, next, message, "begin the next argument or block on a line of its own");
            }
            let span = self.span(start, end);
            return Some(Item::Block(Block { kind, labels, body, head, span }));
        }
        let message = format!("the `{}` block that opens here is never closed", kind.text);
        self.error(brace, brace + 1, message, "close it with `}`");
        let end = start + self.text.get(start..self.pos).unwrap_or("").trim_end().len();
        let span = self.span(start, end);
        Some(Item::Block(Block { kind, labels, body, head, span }))
    }

    /// A quoted label: literal text only.
    fn label(&mut self) -> Parse<Ident> {
        let start = self.pos;
        let expr = self.quoted()?;
        match expr.kind {
            ExprKind::String(text) => Ok(Ident { text, span: expr.span }),
            _ => self.fail(start, self.pos, "a label is plain text", "a label cannot hold `${…}` or `%{…}`"),
        }
    }

    // --- recovery ---

    /// The column of a place, counted in bytes from its line's start.
    fn column(&self, at: usize) -> usize {
        // A file may be one line: only what lies between this place and the last one asked for is searched.
        let (asked, line) = self.line.get();
        let from = if at >= asked { asked } else { 0 };
        let start = if at < asked && at >= line {
            line
        } else {
            let between = self.bytes.get(from..at).unwrap_or(&[]);
            between.iter().rposition(|&b| b == b'\n').map_or(if from == 0 { 0 } else { line }, |i| from + i + 1)
        };
        self.line.set((at, start));
        at - start
    }

    /// Whether nothing but white space stands before a place on its line.
    fn begins_line(&self, at: usize) -> bool {
        let column = self.column(at);
        self.bytes.get(at - column..at).is_some_and(|line| line.iter().all(u8::is_ascii_whitespace))
    }

    /// Whether a top-level block's header stands here, at or left of the column of the block we are in: then that
    /// block was not closed.
    fn looks_like_outer_item(&self, column: usize) -> bool {
        const TOP: [&str; 13] = [
            "resource",
            "data",
            "module",
            "variable",
            "output",
            "locals",
            "provider",
            "terraform",
            "moved",
            "import",
            "check",
            "removed",
            "ephemeral",
        ];
        self.begins_line(self.pos)
            && self.column(self.pos) <= column
            && TOP.contains(&self.peek_name())
            && self.text.get(self.pos..).is_some_and(|rest| rest.lines().next().unwrap_or("").contains('{'))
    }

    /// Whether the closing brace here belongs to an outer block by its indentation, so that ours is the unclosed one.
    fn closes_outer(&self, brace: usize, column: usize) -> bool {
        self.begins_line(self.pos)
            && self.column(self.pos) < column
            && self.text.get(brace..self.pos).is_some_and(|body| body.contains('\n'))
    }

    /// Moves to the end of a broken item that began at `start`: the end of the line on which its brackets are
    /// balanced again, or in front of a brace that closes the block around it. In recovery mode a line that looks like
    /// another item, indented no deeper than this one, ends it too.
    fn skip_broken(&mut self, start: usize) {
        let column = self.column(start);
        let mut open: Vec<u8> = Vec::new();
        // Comments inside are read again here and kept; errors of this reading are no news.
        let errors = self.errors.len();
        while !self.at_end() {
            match self.peek() {
                b'\n' => {
                    let line = self.pos + 1;
                    if open.is_empty() || (self.recovery && self.line_begins_item(line, column)) {
                        break;
                    }
                    self.pos = line;
                }
                c @ (b'(' | b'[' | b'{') => {
                    open.push(c);
                    self.pos += 1;
                }
                b'}' if !open.contains(&b'{') => break,
                c @ (b')' | b']' | b'}') => {
                    let opener = match c {
                        b')' => b'(',
                        b']' => b'[',
                        _ => b'{',
                    };
                    // What is open inside the bracket that closes here was never closed.
                    if let Some(at) = open.iter().rposition(|&o| o == opener) {
                        open.truncate(at);
                    }
                    self.pos += 1;
                }
                b'"' => self.skip_quoted(),
                b'<' if self.heredoc_marker().is_some() => self.skip_heredoc(column),
                b'#' => self.line_comment(),
                b'/' if self.peek_at(1) == b'/' => self.line_comment(),
                b'/' if self.peek_at(1) == b'*' => self.block_comment(),
                _ => self.pos += 1,
            }
        }
        self.errors.truncate(errors);
        while !self.text.is_char_boundary(self.pos) {
            self.pos += 1;
        }
    }

    /// Whether the line at `line` begins an item or closes a block, no deeper than `column`.
    fn line_begins_item(&self, line: usize, column: usize) -> bool {
        let rest = self.text.get(line..).unwrap_or("");
        let body = rest.trim_start_matches([' ', '\t']);
        let indent = rest.len() - body.len();
        if indent > column {
            return false;
        }
        if body.starts_with('}') {
            return indent < column;
        }
        let at = line + indent;
        let end = self.name_end(at);
        if end == at || body.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
            return false;
        }
        let after = self.text.get(end..).unwrap_or("").trim_start_matches([' ', '\t']);
        let assigns = after.starts_with('=') && !after.starts_with("==") && !after.starts_with("=>");
        assigns
            || after.starts_with('{')
            || (after.starts_with('"') && after.lines().next().unwrap_or("").contains('{'))
    }

    /// Skips a quoted string without looking at it; to the end of the line where it is not closed.
    fn skip_quoted(&mut self) {
        // What is open: quotes, and the braces of interpolations, which may hold quotes of their own.
        let mut open = vec![b'"'];
        let mut at = self.pos + 1;
        while let (Some(&inner), Some(&b)) = (open.last(), self.bytes.get(at)) {
            match (inner, b) {
                (b'"', b'\n') => break,
                (_, b'\n') if self.recovery => break,
                (b'"', b'\\') => at += 1,
                (b'"', b'"') | (b'{', b'}') => {
                    open.pop();
                }
                (b'"', b'$' | b'%') if self.bytes.get(at + 1) == Some(&b) => at += 1,
                (b'"', b'$' | b'%') if self.bytes.get(at + 1) == Some(&b'{') => {
                    open.push(b'{');
                    at += 1;
                }
                (b'{', b'"' | b'{') => open.push(b),
                _ => {}
            }
            at += 1;
        }
        self.pos = at.min(self.bytes.len());
    }

    fn skip_heredoc(&mut self, column: usize) {
        let Some((marker, _, body)) = self.heredoc_marker() else {
            self.pos += 1;
            return;
        };
        let closed = self.is_closed(marker, body);
        let mut at = body;
        for line in self.text.get(body..).unwrap_or("").split_inclusive('\n').take_while(|_| closed) {
            if line.trim() == marker {
                self.pos = at + line.trim_end_matches(['\n', '\r']).len();
                return;
            }
            at += line.len();
        }
        // Never closed: its text goes up to the next line that looks like an item.
        let mut at = body;
        for line in self.text.get(body..).unwrap_or("").split_inclusive('\n') {
            if self.recovery && self.line_begins_item(at, column) {
                break;
            }
            at += line.len();
        }
        self.pos = at.saturating_sub(1).max(self.pos + 1);
    }
}

pub(super) fn is_name_start(c: char) -> bool {
    c == '_' || c.is_alphabetic()
}

fn is_name_part(c: char) -> bool {
    c == '_' || c == '-' || c.is_alphanumeric()
}
