//! Text and actions to tokens.

use super::{At, ParseError};

/// What a token is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Text,
    Comment,
    /// `{{` with its trim marker.
    Open,
    /// `}}` with its trim marker.
    Close,
    Space,
    /// A name that is no keyword.
    Identifier,
    /// `.name`
    Field,
    /// `$` or `$name`
    Variable,
    /// `.`
    Dot,
    Bool,
    Nil,
    Number,
    Character,
    String,
    Keyword,
    Pipe,
    /// `:=`
    Declare,
    /// `=`
    Assign,
    Comma,
    LeftParen,
    RightParen,
    End,
}

/// A token and its place.
#[derive(Clone, Copy, Debug)]
pub struct Token {
    pub kind: Kind,
    pub at: At,
}

pub struct Lexer<'a> {
    source: &'a str,
    position: usize,
    tokens: Vec<Token>,
}

const KEYWORDS: &[&str] = &["block", "break", "continue", "define", "else", "end", "if", "range", "template", "with"];

fn is_space(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\r' | b'\n')
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// All tokens of a source; the last one is [`Kind::End`].
pub fn lex(source: &str) -> Result<Vec<Token>, ParseError> {
    let mut lexer = Lexer { source, position: 0, tokens: Vec::new() };
    lexer.run()?;
    Ok(lexer.tokens)
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        self.source.get(self.position..).unwrap_or("")
    }

    fn byte(&self, offset: usize) -> u8 {
        self.source.as_bytes().get(self.position + offset).copied().unwrap_or(0)
    }

    fn push(&mut self, kind: Kind, start: usize, end: usize) {
        self.tokens.push(Token { kind, at: At::new(start, end) });
        self.position = end;
    }

    fn error<T>(&self, start: usize, message: impl Into<String>) -> Result<T, ParseError> {
        let end = self.position.max(start + 1).min(self.source.len().max(start));
        Err(ParseError { at: At::new(start, end), message: message.into() })
    }

    fn run(&mut self) -> Result<(), ParseError> {
        let mut trim_left = false;
        loop {
            let start = self.position;
            let open = self.rest().find("{{").map(|i| start + i);
            let mut from = start;
            let mut to = open.unwrap_or(self.source.len());
            if trim_left {
                while from < to && self.source.as_bytes().get(from).copied().is_some_and(is_space) {
                    from += 1;
                }
            }
            let Some(open) = open else {
                if from < to {
                    self.push(Kind::Text, from, to);
                }
                self.push(Kind::End, self.source.len(), self.source.len());
                return Ok(());
            };
            self.position = open + 2;
            let trims = self.byte(0) == b'-' && is_space(self.byte(1));
            if trims {
                while to > from && self.source.as_bytes().get(to - 1).copied().is_some_and(is_space) {
                    to -= 1;
                }
                self.position += 2;
            }
            let inside = self.position;
            if from < to {
                self.push(Kind::Text, from, to);
            }
            self.position = inside;
            if self.rest().starts_with("/*") {
                let Some(length) = self.rest().find("*/") else {
                    return unclosed(open, "unclosed comment");
                };
                self.position += length + 2;
                let closing_trim = is_space(self.byte(0)) && self.byte(1) == b'-';
                if closing_trim {
                    self.position += 2;
                }
                if !self.rest().starts_with("}}") {
                    return self.error(open, "comment ends before closing delimiter");
                }
                self.push(Kind::Comment, open, self.position + 2);
                trim_left = closing_trim;
                continue;
            }
            self.push(Kind::Open, open, inside);
            trim_left = self.action(open)?;
        }
    }

    /// Reads up to and with the closing delimiter; says whether it trims what follows.
    fn action(&mut self, open: usize) -> Result<bool, ParseError> {
        let mut depth = 0usize;
        loop {
            let start = self.position;
            let rest = self.rest();
            let closing_trim =
                is_space(self.byte(0)) && self.byte(1) == b'-' && rest.get(2..).is_some_and(|r| r.starts_with("}}"));
            if closing_trim || rest.starts_with("}}") {
                if depth > 0 {
                    return self.error(start, "unclosed left paren");
                }
                let length = if closing_trim { 4 } else { 2 };
                self.push(Kind::Close, start, start + length);
                return Ok(closing_trim);
            }
            let Some(c) = rest.chars().next() else {
                return unclosed(open, "unclosed action");
            };
            match c {
                ' ' | '\t' | '\r' | '\n' => {
                    let mut length = rest.bytes().take_while(|&b| is_space(b)).count();
                    // The last space belongs to a trim marker that follows.
                    if rest.get(length..).is_some_and(|r| r.starts_with("-}}")) {
                        length -= 1;
                    }
                    self.push(Kind::Space, start, start + length);
                }
                '=' => self.push(Kind::Assign, start, start + 1),
                ':' => {
                    if self.byte(1) != b'=' {
                        return self.error(start, "expected :=");
                    }
                    self.push(Kind::Declare, start, start + 2);
                }
                '|' => self.push(Kind::Pipe, start, start + 1),
                ',' => self.push(Kind::Comma, start, start + 1),
                '"' => self.quoted(start, b'"', Kind::String, "unterminated quoted string")?,
                '\'' => self.quoted(start, b'\'', Kind::Character, "unterminated character constant")?,
                '`' => match rest.get(1..).and_then(|r| r.find('`')) {
                    Some(length) => self.push(Kind::String, start, start + length + 2),
                    None => return self.error(start, "unterminated raw quoted string"),
                },
                '$' => {
                    let length = word_length(rest.get(1..).unwrap_or(""));
                    self.push(Kind::Variable, start, start + 1 + length);
                    self.terminated(start)?;
                }
                '.' if !self.byte(1).is_ascii_digit() => {
                    let length = word_length(rest.get(1..).unwrap_or(""));
                    self.push(if length == 0 { Kind::Dot } else { Kind::Field }, start, start + 1 + length);
                    self.terminated(start)?;
                }
                '(' => {
                    depth += 1;
                    self.push(Kind::LeftParen, start, start + 1);
                }
                ')' => {
                    if depth == 0 {
                        return self.error(start, "unexpected right paren");
                    }
                    depth -= 1;
                    self.push(Kind::RightParen, start, start + 1);
                }
                '+' | '-' | '.' | '0'..='9' => {
                    let length = number_length(rest);
                    if let Some(next) = rest.get(length..).and_then(|r| r.chars().next()).filter(|&c| is_word(c)) {
                        self.position = start + length + next.len_utf8();
                        let text = self.source.get(start..self.position).unwrap_or("").to_owned();
                        return self.error(start, format!("bad number syntax: {text:?}"));
                    }
                    self.push(Kind::Number, start, start + length);
                }
                c if is_word(c) => {
                    let length = word_length(rest);
                    let kind = match rest.get(..length).unwrap_or("") {
                        "true" | "false" => Kind::Bool,
                        "nil" => Kind::Nil,
                        word if KEYWORDS.contains(&word) => Kind::Keyword,
                        _ => Kind::Identifier,
                    };
                    self.push(kind, start, start + length);
                    self.terminated(start)?;
                }
                c => return self.error(start, format!("unexpected {c:?} in an action")),
            }
        }
    }

    fn quoted(&mut self, start: usize, quote: u8, kind: Kind, unclosed: &str) -> Result<(), ParseError> {
        let bytes = self.source.as_bytes();
        let mut i = start + 1;
        loop {
            match bytes.get(i) {
                Some(b'\\') if !matches!(bytes.get(i + 1), None | Some(b'\n')) => i += 2,
                Some(b'\n') | None => return self.error(start, unclosed),
                Some(&b) if b == quote => break,
                Some(_) => i += 1,
            }
        }
        self.push(kind, start, i + 1);
        Ok(())
    }

    /// A name must be followed by something that ends it.
    fn terminated(&mut self, start: usize) -> Result<(), ParseError> {
        let rest = self.rest();
        match rest.chars().next() {
            None | Some(' ' | '\t' | '\r' | '\n' | '.' | ',' | '|' | ':' | ')' | '(') => Ok(()),
            // `$x=1` needs no space before the sign.
            Some('=') => Ok(()),
            Some(_) if rest.starts_with("}}") => Ok(()),
            Some(c) => self.error(start, format!("bad character {c:?}")),
        }
    }
}

/// The delimiter that nothing closes.
fn unclosed<T>(open: usize, message: &str) -> Result<T, ParseError> {
    Err(ParseError { at: At::new(open, open + 2), message: message.into() })
}

fn word_length(text: &str) -> usize {
    text.find(|c| !is_word(c)).unwrap_or(text.len())
}

/// How many bytes of a number literal stand here: the scan of Go's lexer, which accepts more than is valid.
fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let at = |i: usize| bytes.get(i).copied().unwrap_or(0);
    let mut i = usize::from(matches!(at(0), b'+' | b'-'));
    let mut digits: fn(u8) -> bool = |b| b.is_ascii_digit() || b == b'_';
    let mut hex = false;
    if at(i) == b'0' {
        match at(i + 1) {
            b'x' | b'X' => {
                digits = |b| b.is_ascii_hexdigit() || b == b'_';
                hex = true;
                i += 2;
            }
            b'o' | b'O' | b'b' | b'B' => i += 2,
            _ => {}
        }
    }
    while digits(at(i)) {
        i += 1;
    }
    if at(i) == b'.' {
        i += 1;
        while digits(at(i)) {
            i += 1;
        }
    }
    let exponent = if hex { [b'p', b'P'] } else { [b'e', b'E'] };
    if exponent.contains(&at(i)) {
        i += 1;
        if matches!(at(i), b'+' | b'-') {
            i += 1;
        }
        while at(i).is_ascii_digit() || at(i) == b'_' {
            i += 1;
        }
    }
    i.max(1)
}
