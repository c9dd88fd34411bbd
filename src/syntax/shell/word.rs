//! Words and what is inside them: quotes, variables, substitutions, patterns.

use super::ast::{Part, PartKind, ProblemKind, Script, Variable, Word};
use super::mapped::MappedText;
use super::parser::{EXPRESSION_LIMIT, Parser};
use std::ops::Range;

/// A word that is this text.
pub(super) fn literal_word(text: &str, span: Range<usize>) -> Word {
    Word { parts: vec![Part { kind: PartKind::Literal(text.to_owned()), span: span.clone() }], span }
}

/// Where text without quotes stops being plain.
fn is_plain(b: u8) -> bool {
    !b" \t\r\n;&|()<>'\"\\$`*?[".contains(&b)
}

fn is_name_start(b: u8) -> bool {
    b.is_ascii_alphabetic() || b == b'_'
}

fn is_name(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_'
}

impl Parser<'_> {
    /// The word that stands here; `None` where none does.
    pub(super) fn word(&mut self) -> Option<Word> {
        let start = self.at;
        let mut parts = Vec::new();
        while let Some(b) = self.peek() {
            let from = self.at;
            let kind = match b {
                b' ' | b'\t' | b'\r' | b'\n' | b';' | b'|' | b'&' | b')' => break,
                b'(' => {
                    // `name(` without a space, or an extended pattern; the bracket belongs to no word of its own.
                    let pattern = matches!(parts.last(), Some(Part { kind: PartKind::Glob(_), .. }))
                        || self.bytes.get(self.at.wrapping_sub(1)).is_some_and(|b| b"@!+".contains(b));
                    if parts.is_empty() || !pattern {
                        break;
                    }
                    match self.text.get(self.at..).and_then(|t| t.find([')', '\n'])) {
                        Some(n) if self.peek_at(n) == Some(b')') => {
                            self.at += n + 1;
                            PartKind::Glob(self.text.get(from..self.at).unwrap_or("").to_owned())
                        }
                        _ => break,
                    }
                }
                b'<' | b'>' => {
                    if self.peek_at(1) != Some(b'(') || !self.enter() {
                        break;
                    }
                    self.at += 2;
                    let script = self.substitution(from);
                    self.leave();
                    PartKind::Process(script)
                }
                b'\\' => match self.text.get(self.at + 1..).and_then(|t| t.chars().next()) {
                    Some('\n') => {
                        self.at += 2;
                        continue;
                    }
                    Some(c) => {
                        self.at += 1 + c.len_utf8();
                        PartKind::Escaped(c)
                    }
                    None => {
                        self.at += 1;
                        PartKind::Literal("\\".to_owned())
                    }
                },
                b'\'' => self.single_quoted(),
                b'"' => self.double_quoted(),
                b'`' => self.backticks(false),
                b'$' => self.dollar(false),
                b'*' | b'?' => {
                    self.at += 1;
                    PartKind::Glob(char::from(b).to_string())
                }
                b'[' => self.bracket(),
                _ => {
                    let rest = self.bytes.get(self.at..).unwrap_or(&[]);
                    self.at += rest.iter().position(|&b| !is_plain(b)).unwrap_or(rest.len()).max(1);
                    PartKind::Literal(self.text.get(from..self.at).unwrap_or("").to_owned())
                }
            };
            let span = self.span(from);
            if let PartKind::Literal(text) = &kind
                && let Some(Part { kind: PartKind::Literal(before), span: whole }) = parts.last_mut()
                && whole.end == span.start
            {
                before.push_str(text);
                whole.end = span.end;
                continue;
            }
            parts.push(Part { kind, span });
        }
        (!parts.is_empty()).then(|| Word { parts, span: self.span(start) })
    }

    /// `[abc]` is a pattern, a `[` without its partner in the same word is text.
    fn bracket(&mut self) -> PartKind {
        let rest = self.bytes.get(self.at..).unwrap_or(&[]);
        let skip = rest.get(1).map_or(1, |&b| if b"!^".contains(&b) { 2 } else { 1 });
        let mut i = if rest.get(skip) == Some(&b']') { skip + 1 } else { skip };
        while let Some(&b) = rest.get(i).filter(|_| i < 256) {
            match b {
                b']' if i > 1 => {
                    let text = self.text.get(self.at..=self.at + i).unwrap_or("").to_owned();
                    self.at += i + 1;
                    return PartKind::Glob(text);
                }
                // A character class such as `[:alpha:]`.
                b'[' if rest.get(i + 1) == Some(&b':') => {
                    i += rest.get(i..).and_then(|r| r.windows(2).position(|w| w == b":]")).map_or(1, |n| n + 2);
                }
                b if b.is_ascii_whitespace() || b";&|()<>'\"`$".contains(&b) => break,
                _ => i += 1,
            }
        }
        self.at += 1;
        PartKind::Literal("[".to_owned())
    }

    fn single_quoted(&mut self) -> PartKind {
        let start = self.at;
        self.at += 1;
        let body = self.at;
        let rest = self.bytes.get(body..).unwrap_or(&[]);
        match rest.iter().position(|&b| b == b'\'') {
            Some(n) => self.at = body + n + 1,
            None => {
                self.problem(ProblemKind::SingleQuote, start..start + 1);
                self.at = self.bytes.len();
                return PartKind::SingleQuoted(self.source.slice(body..self.at));
            }
        }
        PartKind::SingleQuoted(self.source.slice(body..self.at - 1))
    }

    /// `$'…'`, in which a backslash escapes.
    fn ansi_quoted(&mut self) -> PartKind {
        let start = self.at;
        self.at += 2;
        let mut body = MappedText::new();
        let mut from = self.at;
        while let Some(b) = self.peek() {
            match b {
                b'\'' => {
                    body.append(&self.source.slice(from..self.at));
                    self.at += 1;
                    return PartKind::SingleQuoted(body);
                }
                b'\\' => {
                    body.append(&self.source.slice(from..self.at));
                    let c = self.text.get(self.at + 1..).and_then(|t| t.chars().next());
                    let decoded = match c {
                        Some('n') => Some('\n'),
                        Some('t') => Some('\t'),
                        Some('r') => Some('\r'),
                        other => other,
                    };
                    if let Some(c) = decoded {
                        body.push(self.source.start(self.at), c.encode_utf8(&mut [0; 4]));
                    }
                    self.at += 1 + c.map_or(0, char::len_utf8);
                    from = self.at;
                }
                _ => self.at += 1,
            }
        }
        self.problem(ProblemKind::SingleQuote, start..start + 2);
        PartKind::SingleQuoted(body)
    }

    fn double_quoted(&mut self) -> PartKind {
        let start = self.at;
        self.at += 1;
        let mut parts = Vec::new();
        loop {
            let from = self.at;
            let kind = match self.peek() {
                None => {
                    self.problem(ProblemKind::DoubleQuote, start..start + 1);
                    break;
                }
                Some(b'"') => {
                    self.at += 1;
                    break;
                }
                Some(b'`') => self.backticks(true),
                Some(b'$') => self.dollar(true),
                Some(b'\\') => match self.text.get(self.at + 1..).and_then(|t| t.chars().next()) {
                    Some('\n') => {
                        self.at += 2;
                        continue;
                    }
                    Some(c @ ('$' | '`' | '"' | '\\')) => {
                        self.at += 2;
                        PartKind::Escaped(c)
                    }
                    _ => {
                        self.at += 1;
                        PartKind::Literal("\\".to_owned())
                    }
                },
                Some(_) => {
                    let rest = self.bytes.get(self.at..).unwrap_or(&[]);
                    self.at += rest.iter().position(|b| b"\"`$\\".contains(b)).unwrap_or(rest.len()).max(1);
                    PartKind::Literal(self.text.get(from..self.at).unwrap_or("").to_owned())
                }
            };
            parts.push(Part { kind, span: self.span(from) });
        }
        PartKind::DoubleQuoted(parts)
    }

    /// `` `…` ``: its text is read once more after the backslashes before `` ` ``, `$` and `\` are gone.
    fn backticks(&mut self, quoted: bool) -> PartKind {
        let start = self.at;
        self.at += 1;
        let mut body = MappedText::new();
        let mut from = self.at;
        let mut closed = false;
        while let Some(b) = self.peek() {
            match b {
                b'`' => {
                    closed = true;
                    break;
                }
                b'\\' if self.peek_at(1).is_some_and(|b| b"`$\\".contains(&b) || (quoted && b == b'"')) => {
                    body.append(&self.source.slice(from..self.at));
                    from = self.at + 1;
                    self.at += 2;
                }
                _ => self.at += 1,
            }
        }
        body.append(&self.source.slice(from..self.at.min(self.bytes.len())));
        if closed {
            self.at += 1;
        } else {
            self.at = self.bytes.len();
            self.problem(ProblemKind::Backtick, start..start + 1);
        }
        let script = if self.enter() {
            let script = Parser::new(&body, self.depth).script();
            self.leave();
            script
        } else {
            Script::default()
        };
        self.problems.extend(script.problems.iter().cloned());
        PartKind::Substitution { script: Script { problems: Vec::new(), ..script }, backticks: true }
    }

    fn dollar(&mut self, quoted: bool) -> PartKind {
        let start = self.at;
        match self.peek_at(1) {
            Some(b'(') if self.peek_at(2) == Some(b'(') && self.arithmetic_end(self.at + 3).is_some() => {
                let end = self.arithmetic_end(self.at + 3).unwrap_or(self.bytes.len());
                let text = self.text.get(self.at + 3..end).unwrap_or("").to_owned();
                self.at = end + 2;
                PartKind::Arithmetic(text)
            }
            Some(b'(') => {
                if !self.enter() {
                    self.at = self.bytes.len();
                    return PartKind::Literal(self.text.get(start..).unwrap_or("").to_owned());
                }
                self.at += 2;
                let script = self.substitution(start);
                self.leave();
                PartKind::Substitution { script, backticks: false }
            }
            Some(b'{') => self.braced_variable(),
            Some(b'\'') if !quoted => self.ansi_quoted(),
            Some(b'"') if !quoted => {
                self.at += 1;
                self.double_quoted()
            }
            Some(b) if is_name_start(b) => {
                let rest = self.bytes.get(start + 1..).unwrap_or(&[]);
                let length = rest.iter().position(|&b| !is_name(b)).unwrap_or(rest.len());
                self.at = start + 1 + length;
                let index = self.peek() == Some(b'[')
                    && self.text.get(self.at..).and_then(|t| t.find(']')).is_some_and(|n| {
                        self.text.get(self.at + 1..self.at + n).is_some_and(|i| {
                            matches!(i, "@" | "*") || (!i.is_empty() && i.bytes().all(|b| b.is_ascii_digit()))
                        })
                    });
                self.variable(start + 1..start + 1 + length, false, index)
            }
            Some(b) if b.is_ascii_digit() || b"?#@*!$-".contains(&b) => {
                self.at = start + 2;
                self.variable(start + 1..start + 2, false, false)
            }
            _ => {
                self.at += 1;
                PartKind::Literal("$".to_owned())
            }
        }
    }

    fn variable(&self, name: Range<usize>, braced: bool, index_without_braces: bool) -> PartKind {
        PartKind::Variable(Variable {
            name: self.text.get(name).unwrap_or("").to_owned(),
            braced,
            operator: String::new(),
            length: false,
            index_without_braces,
        })
    }

    /// `${name}`, `${name:-word}`, `${#name}`, `${!name}`, `${name[@]}`.
    fn braced_variable(&mut self) -> PartKind {
        let start = self.at;
        let mut i = start + 2;
        let length = self.bytes.get(i) == Some(&b'#') && self.bytes.get(i + 1).is_some_and(|&b| b != b'}');
        let indirect = self.bytes.get(i) == Some(&b'!') && self.bytes.get(i + 1).is_some_and(|&b| is_name_start(b));
        if length || indirect {
            i += 1;
        }
        let name = i;
        if self.bytes.get(i).is_some_and(|&b| is_name_start(b)) {
            while self.bytes.get(i).is_some_and(|&b| is_name(b)) {
                i += 1;
            }
        } else if self.bytes.get(i).is_some_and(u8::is_ascii_digit) {
            while self.bytes.get(i).is_some_and(u8::is_ascii_digit) {
                i += 1;
            }
        } else if self.bytes.get(i).is_some_and(|b| b"?#@*!$-".contains(b)) {
            i += 1;
        }
        let after = i;
        // The rest runs to the brace that closes; quotes, escapes and inner braces are stepped over.
        let mut open = 0_u32;
        let mut quote = None;
        let end = loop {
            let Some(&b) = self.bytes.get(i).filter(|_| i - start < EXPRESSION_LIMIT) else { break None };
            match b {
                b'\\' => i += 1,
                b'\'' | b'"' if quote == Some(b) => quote = None,
                b'\'' | b'"' if quote.is_none() => quote = Some(b),
                b'{' if quote != Some(b'\'') => open += 1,
                b'}' if open > 0 && quote != Some(b'\'') => open -= 1,
                b'}' if quote != Some(b'\'') => break Some(i),
                _ => {}
            }
            i += 1;
        };
        let name_text = self.text.get(name..after).unwrap_or("").to_owned();
        let Some(end) = end else {
            self.problem(ProblemKind::Unclosed, start..start + 2);
            self.at = after.max(start + 2).min(self.bytes.len());
            return PartKind::Variable(Variable {
                name: name_text,
                braced: true,
                operator: String::new(),
                length,
                index_without_braces: false,
            });
        };
        let operator = self.text.get(after..end).unwrap_or("").to_owned();
        self.at = end + 1;
        PartKind::Variable(Variable { name: name_text, braced: true, operator, length, index_without_braces: false })
    }
}
