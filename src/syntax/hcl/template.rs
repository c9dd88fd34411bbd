//! Templates: quoted strings, heredocs and whole template texts.
//!
//! The literal text of a template is read in pieces as HCL's own scanner cuts them (a heredoc's and a template
//! file's by lines), because strip markers and heredoc indentation apply to pieces: `~}` eats white space only up to
//! the end of its line there.

use super::parser::{Parse, Parser};
use super::tree::{Expr, ExprKind, ForPart, Ident, IfPart, Part, Template};
use crate::base::{FastMap, Span};

/// A flat piece of a template, before directives are paired.
enum Piece {
    Literal(String, (usize, usize)),
    Interpolation(Expr),
    If(Expr, usize),
    For(Option<Ident>, Ident, Expr, usize),
    Else((usize, usize)),
    EndIf((usize, usize)),
    EndFor((usize, usize)),
}

/// How a template's text is delimited, which decides on escapes and pieces.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    Quoted,
    /// The text up to this offset.
    Lines(usize),
}

/// What ends a run of template parts.
#[derive(Clone, Copy, PartialEq)]
enum Until {
    End,
    EndIf,
    EndFor,
}

impl<'t> Parser<'t> {
    /// A quoted string; `self` stands at its quote.
    pub fn quoted(&mut self) -> Parse<Expr> {
        let start = self.pos;
        if let Some(expr) = self.plain_quoted() {
            return Ok(expr);
        }
        self.pos += 1;
        let pieces = self.pieces(Form::Quoted, start)?;
        self.finish(pieces, start, false)
    }

    /// The common case: a quoted string without escapes and interpolations.
    fn plain_quoted(&mut self) -> Option<Expr> {
        let start = self.pos;
        let rest = self.bytes.get(start + 1..)?;
        let length = rest.iter().position(|&b| matches!(b, b'"' | b'\\' | b'$' | b'%' | b'\n'))?;
        if rest.get(length) != Some(&b'"') {
            return None;
        }
        let text = self.text.get(start + 1..start + 1 + length)?;
        self.pos = start + length + 2;
        // Long texts are seldom repeated.
        let text = if length <= 40 { self.intern(text) } else { text.into() };
        Some(Expr { kind: ExprKind::String(text), span: self.span(start, self.pos) })
    }

    /// The marker of a heredoc that opens here, whether it is indented, and where its text begins.
    pub fn heredoc_marker(&self) -> Option<(&str, bool, usize)> {
        if !self.starts_with("<<") {
            return None;
        }
        let indented = self.peek_at(2) == b'-';
        let start = self.pos + 2 + usize::from(indented);
        let end = self.name_end(start);
        let marker = self.text.get(start..end)?;
        let after = self.text.get(end..)?;
        let line = after.find('\n').unwrap_or(after.len());
        let blank = after.get(..line)?.trim().is_empty();
        (!marker.is_empty() && blank).then_some((marker, indented, (end + line + 1).min(self.text.len())))
    }

    /// A heredoc; `self` stands at its `<<`.
    pub fn heredoc(&mut self) -> Parse<Expr> {
        let start = self.pos;
        let Some((marker, indented, body)) = self.heredoc_marker() else {
            let help = "write `<<EOT`, then the text on lines of its own, then `EOT` on a line of its own";
            return self.fail(start, start + 2, "this heredoc has no marker", help);
        };
        // The closing marker must not be looked for inside interpolations, which may hold heredocs of their own: so
        // the lines are read while parsing, and `end_of_heredoc` tests each.
        let marker = marker.to_owned();
        if !self.is_closed(&marker, body) {
            return self.unclosed_heredoc(&marker, start);
        }
        self.pos = body;
        let pieces = self.heredoc_pieces(&marker, start)?;
        let pieces = if indented { dedent(pieces) } else { pieces };
        self.finish(pieces, start, true)
    }

    /// The whole text as a template, as `templatefile` reads a file.
    pub fn bare_template(&mut self) -> Parse<Expr> {
        let pieces = self.pieces(Form::Lines(self.bytes.len()), 0)?;
        self.finish(pieces, 0, false)
    }

    fn unclosed_heredoc<T>(&mut self, marker: &str, start: usize) -> Parse<T> {
        let help = "end it with its marker on a line of its own";
        let shown = start + 2 + usize::from(self.bytes.get(start + 2) == Some(&b'-')) + marker.len();
        self.fail(start, shown, format!("this heredoc has no closing `{marker}`"), help)
    }

    /// Whether a line from `body` on consists of the marker. Every line of the file is looked at once, not for each heredoc.
    pub fn is_closed(&self, marker: &str, body: usize) -> bool {
        let last = self.last_lines.get_or_init(|| {
            let mut last = FastMap::default();
            let mut at = 0;
            for line in self.text.split_inclusive('\n') {
                let word = line.trim();
                if word.len() <= 100 && word.starts_with(super::parser::is_name_start) {
                    last.insert(word, at);
                }
                at += line.len();
            }
            last
        });
        marker.len() > 100 || last.get(marker).is_some_and(|&line| line >= body)
    }

    fn heredoc_pieces(&mut self, marker: &str, start: usize) -> Parse<Vec<Piece>> {
        let mut pieces = Vec::new();
        let mut trim = false;
        loop {
            // Here a line begins.
            let rest = self.text.get(self.pos..).unwrap_or("");
            let line = rest.find('\n').map_or(rest.len(), |i| i + 1);
            let content = rest.get(..line).unwrap_or("");
            if content.trim() == marker {
                self.pos += content.trim_end_matches(['\n', '\r']).len();
                return Ok(pieces);
            }
            if line == 0 {
                return self.unclosed_heredoc(marker, start);
            }
            self.line_pieces(&mut pieces, &mut trim, start)?;
        }
    }

    /// The pieces of one line of a heredoc, with its line break; an interpolation may go on over several lines.
    fn line_pieces(&mut self, pieces: &mut Vec<Piece>, trim: &mut bool, start: usize) -> Parse<()> {
        loop {
            let rest = self.bytes.get(self.pos..).unwrap_or(&[]);
            let end = self.pos + rest.iter().position(|&b| b == b'\n').map_or(rest.len(), |i| i + 1);
            self.literal(Form::Lines(end), pieces, trim, start)?;
            if self.pos >= end {
                return Ok(());
            }
            self.sequence(pieces, trim)?;
        }
    }

    fn at_sequence(&self) -> bool {
        matches!(self.peek(), b'$' | b'%') && self.peek_at(1) == b'{'
    }

    /// All pieces of a quoted string (the closing quote is consumed) or of a whole text.
    fn pieces(&mut self, form: Form, start: usize) -> Parse<Vec<Piece>> {
        let mut pieces = Vec::new();
        let mut trim = false;
        loop {
            match form {
                Form::Quoted => {
                    self.literal(form, &mut pieces, &mut trim, start)?;
                    if self.eat("\"") {
                        return Ok(pieces);
                    }
                }
                Form::Lines(end) => {
                    if self.pos >= end {
                        return Ok(pieces);
                    }
                    let rest = self.bytes.get(self.pos..end).unwrap_or(&[]);
                    let line = rest.iter().position(|&b| b == b'\n').map_or(rest.len(), |i| i + 1);
                    self.literal(Form::Lines(self.pos + line), &mut pieces, &mut trim, start)?;
                }
            }
            self.sequence(&mut pieces, &mut trim)?;
        }
    }

    /// Literal text up to an interpolation, a directive or the end of the form.
    fn literal(&mut self, form: Form, pieces: &mut Vec<Piece>, trim: &mut bool, start: usize) -> Parse<()> {
        let begin = self.pos;
        let mut text = String::new();
        let mut run = self.pos;
        loop {
            let at_limit = match form {
                Form::Quoted => self.at_end(),
                Form::Lines(end) => self.pos >= end,
            };
            if at_limit {
                if form == Form::Quoted {
                    return self.fail(start, start + 1, "this string is never closed", "close it with `\"`");
                }
                break;
            }
            match self.peek() {
                b'"' if form == Form::Quoted => break,
                b'\n' if form == Form::Quoted => {
                    let help = "close it with `\"`; text over several lines is a heredoc (`<<EOT`) or holds `\\n`";
                    return self.fail(start, self.pos, "this string is not closed on its line", help);
                }
                b'\\' if form == Form::Quoted => {
                    text.push_str(self.text.get(run..self.pos).unwrap_or(""));
                    text.push(self.escape()?);
                    run = self.pos;
                }
                sign @ (b'$' | b'%') if self.peek_at(1) == sign && self.peek_at(2) == b'{' => {
                    text.push_str(self.text.get(run..=self.pos).unwrap_or(""));
                    text.push('{');
                    self.pos += 3;
                    run = self.pos;
                }
                b'$' | b'%' if self.peek_at(1) == b'{' => break,
                _ => self.pos += 1,
            }
        }
        text.push_str(self.text.get(run..self.pos).unwrap_or(""));
        if self.pos > begin {
            if std::mem::take(trim) {
                text = text.trim_start().to_owned();
            }
            pieces.push(Piece::Literal(text, (begin, self.pos)));
        }
        Ok(())
    }

    fn escape(&mut self) -> Parse<char> {
        let start = self.pos;
        let digits = match self.peek_at(1) {
            b'n' => return self.escaped('\n'),
            b'r' => return self.escaped('\r'),
            b't' => return self.escaped('\t'),
            b'"' => return self.escaped('"'),
            b'\\' => return self.escaped('\\'),
            b'u' => 4,
            b'U' => 8,
            _ => {
                let end = self.text.get(start + 1..).and_then(|r| r.chars().next()).map_or(1, |c| 1 + c.len_utf8());
                let message = "this is no escape sequence";
                let help = "a backslash itself is written `\\\\`; known are \\n \\r \\t \\\" \\\\ \\uNNNN \\UNNNNNNNN";
                return self.fail(start, start + end, message, help);
            }
        };
        let hex = self.text.get(start + 2..start + 2 + digits).unwrap_or("");
        let all_hex = !hex.is_empty() && hex.bytes().all(|b| b.is_ascii_hexdigit());
        match u32::from_str_radix(hex, 16).ok().filter(|_| all_hex).and_then(char::from_u32) {
            Some(c) => {
                self.pos += 2 + digits;
                Ok(c)
            }
            None => {
                let message = format!("this escape needs {digits} hexadecimal digits of a character");
                self.fail(start, start + 2, message, "write for example `\\u00e9`")
            }
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "it ends the arms of a match over results")]
    fn escaped(&mut self, c: char) -> Parse<char> {
        self.pos += 2;
        Ok(c)
    }

    /// An interpolation or directive, where one stands here.
    fn sequence(&mut self, pieces: &mut Vec<Piece>, trim: &mut bool) -> Parse<()> {
        if !self.at_sequence() {
            return Ok(());
        }
        let opener = self.pos;
        let directive = self.peek() == b'%';
        self.pos += 2;
        if self.peek() == b'~' {
            self.pos += 1;
            if let Some(Piece::Literal(text, _)) = pieces.last_mut() {
                text.truncate(text.trim_end().len());
            }
        }
        *trim = false;
        let newlines = std::mem::replace(&mut self.newlines, false);
        self.deeper(opener)?;
        let piece = if directive { self.directive(opener)? } else { Piece::Interpolation(self.expression()?) };
        self.depth -= 1;
        self.skip();
        *trim = self.peek() == b'~' && self.peek_at(1) == b'}';
        if *trim {
            self.pos += 1;
        }
        if !self.eat("}") {
            let help = if directive {
                "close the directive with `}`"
            } else {
                "close the interpolation with `}`; write `$${` for a literal `${`"
            };
            if self.at_end() {
                return self.fail(opener, opener + 2, "this template sequence is never closed", help);
            }
            return self.expected("`}`", help);
        }
        self.newlines = newlines;
        let end = self.pos;
        pieces.push(match piece {
            Piece::Else((from, _)) => Piece::Else((from, end)),
            Piece::EndIf((from, _)) => Piece::EndIf((from, end)),
            Piece::EndFor((from, _)) => Piece::EndFor((from, end)),
            other => other,
        });
        Ok(())
    }

    fn directive(&mut self, opener: usize) -> Parse<Piece> {
        self.skip();
        let word = self.peek_name();
        let place = (opener, self.pos);
        let known = matches!(word, "if" | "else" | "endif" | "for" | "endfor");
        if !known {
            let help = "a directive begins with if, else, endif, for or endfor; write `%%{` for a literal `%{`";
            return self.expected("a directive", help);
        }
        self.pos += word.len();
        Ok(match word {
            "if" => Piece::If(self.expression()?, opener),
            "else" => Piece::Else(place),
            "endif" => Piece::EndIf(place),
            "endfor" => Piece::EndFor(place),
            _ => {
                let (key, value) = self.for_variables()?;
                Piece::For(key, value, self.expression()?, opener)
            }
        })
    }

    /// Pairs directives and makes the expression.
    fn finish(&mut self, pieces: Vec<Piece>, start: usize, heredoc: bool) -> Parse<Expr> {
        let span = self.span(start, self.pos);
        let passthrough = !heredoc && matches!(pieces.as_slice(), [Piece::Interpolation(_)]);
        let mut pieces = pieces.into_iter();
        let parts = self.parts(&mut pieces, Until::End, (start, start + 1))?.0;
        let kind = match parts.as_slice() {
            [] => ExprKind::String("".into()),
            [Part::Literal(text, _)] => ExprKind::String(text.clone()),
            _ => ExprKind::Template(Box::new(Template { parts, passthrough, heredoc })),
        };
        Ok(Expr { kind, span })
    }

    /// Parts up to the directive that ends them; whether that was an `else`, and the end of the closing marker.
    fn parts(
        &mut self,
        pieces: &mut std::vec::IntoIter<Piece>,
        until: Until,
        opener: (usize, usize),
    ) -> Parse<(Vec<Part>, bool, usize)> {
        self.deeper(opener.0)?;
        let result = self.parts_inside(pieces, until, opener);
        self.depth -= 1;
        result
    }

    fn parts_inside(
        &mut self,
        pieces: &mut std::vec::IntoIter<Piece>,
        until: Until,
        opener: (usize, usize),
    ) -> Parse<(Vec<Part>, bool, usize)> {
        let mut parts: Vec<Part> = Vec::new();
        let mut literal: Option<(String, Span)> = None;
        loop {
            let piece = pieces.next();
            if let Some(Piece::Literal(text, (start, end))) = piece {
                let span = self.span(start, end);
                match &mut literal {
                    Some((all, whole)) => {
                        all.push_str(&text);
                        *whole = whole.to(span);
                    }
                    None => literal = Some((text, span)),
                }
                continue;
            }
            if let Some((text, span)) = literal.take() {
                parts.push(Part::Literal(text.into(), span));
            }
            match piece {
                None if until == Until::End => return Ok((parts, false, self.pos)),
                None => {
                    let word = if until == Until::EndIf { "endif" } else { "endfor" };
                    let message = format!("this directive has no `%{{{word}}}`");
                    return self.fail(opener.0, opener.1, message, "close it inside the same string");
                }
                Some(Piece::Literal(..)) => {}
                Some(Piece::Interpolation(expr)) => parts.push(Part::Interpolation(expr)),
                Some(Piece::If(condition, from)) => {
                    let (then, has_else, mut end) = self.parts(pieces, Until::EndIf, (from, from + 2))?;
                    let mut otherwise = Vec::new();
                    if has_else {
                        let (parts, again, to) = self.parts(pieces, Until::EndIf, (from, from + 2))?;
                        if again {
                            return self.fail(from, from + 2, "this `if` has two `else`", "remove one of them");
                        }
                        (otherwise, end) = (parts, to);
                    }
                    let span = self.span(from, end);
                    parts.push(Part::If(Box::new(IfPart { condition, then, otherwise, span })));
                }
                Some(Piece::For(key, value, collection, from)) => {
                    let (body, _, end) = self.parts(pieces, Until::EndFor, (from, from + 2))?;
                    let span = self.span(from, end);
                    parts.push(Part::For(Box::new(ForPart { key, value, collection, body, span })));
                }
                Some(Piece::Else((_, end))) if until == Until::EndIf => return Ok((parts, true, end)),
                Some(Piece::EndIf((_, end))) if until == Until::EndIf => return Ok((parts, false, end)),
                Some(Piece::EndFor((_, end))) if until == Until::EndFor => return Ok((parts, false, end)),
                Some(Piece::Else((from, to)) | Piece::EndIf((from, to)) | Piece::EndFor((from, to))) => {
                    return self.fail(from, to, "this directive closes nothing", "open it, or remove it");
                }
            }
        }
    }
}

/// Removes from each line of an indented heredoc the indentation of the line that has least. Lines that are blank do
/// not count and stay as they are; a line that begins with a template sequence has none.
fn dedent(mut pieces: Vec<Piece>) -> Vec<Piece> {
    let mut least = usize::MAX;
    let mut leading = Vec::new();
    let mut line_start = true;
    for (index, piece) in pieces.iter().enumerate() {
        if line_start {
            line_start = false;
            match piece {
                Piece::Literal(text, _) => {
                    let body = text.trim_start();
                    if !(body.is_empty() && text.ends_with('\n')) {
                        let indent = text.chars().count() - body.chars().count();
                        least = least.min(indent);
                        leading.push(index);
                    }
                }
                _ => least = 0,
            }
        }
        if let Piece::Literal(text, _) = piece {
            line_start = text.ends_with('\n');
        }
    }
    for index in leading {
        if let Some(Piece::Literal(text, (start, _))) = pieces.get_mut(index) {
            let cut = text.char_indices().nth(least).map_or(text.len(), |(i, _)| i);
            text.drain(..cut);
            *start += cut;
        }
    }
    pieces
}
