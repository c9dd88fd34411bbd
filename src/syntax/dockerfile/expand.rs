//! Expansion of variables outside of RUN, as BuildKit does it: `$name`, `${name}`, `${name:-word}` and its kin, quotes and
//! escapes removed. (Dockerfile reference, "Environment replacement".)

use std::ops::Range;

/// How long a value may become: Linux passes no longer one to a process (`MAX_ARG_STRLEN`). A variable that would make it longer
/// is not known.
const LENGTH_LIMIT: usize = 128 << 10;

/// How deep defaults may nest in defaults.
const DEPTH_LIMIT: u32 = 16;

/// What expanding a word gives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expansion {
    /// The text; a variable without a known value is left out.
    pub text: String,
    /// The variables that were asked for and have no known value, without repeats.
    pub unknown: Vec<String>,
    /// The variables that were read, in order.
    pub read: Vec<String>,
}

/// What is known of a variable.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Known;

/// What is known of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// Its value.
    Value(String),
    /// It is not set.
    Unset,
    /// It is set from outside of the file.
    Unknown,
}

/// Expands a word.
pub fn expand(word: &str, escape: char, lookup: Lookup<'_>) -> Expansion {
    let mut out = Expansion::default();
    let chars: Vec<(usize, char)> = word.char_indices().collect();
    Expander { chars: &chars, at: 0, escape, lookup, out: &mut out }.run(None, 0);
    out
}

/// The variables that a word reads, each with the range of its expansion in the word; those in single quotes are text.
pub fn variables(word: &str, escape: char) -> Vec<(String, Range<usize>)> {
    let mut found: Vec<(String, Range<usize>)> = Vec::new();
    // Those of `found` whose brace is open: the innermost is the last.
    let mut open: Vec<usize> = Vec::new();
    let bytes = word.as_bytes();
    let mut single = false;
    let mut double = false;
    let mut i = 0;
    while let Some(&b) = bytes.get(i) {
        match b {
            _ if char::from(b) == escape && !single => i += 1,
            b'\'' if !double => single = !single,
            b'"' if !single => double = !double,
            b'}' if !single => {
                if let Some((_, range)) = open.pop().and_then(|n| found.get_mut(n)) {
                    range.end = i + 1;
                }
            }
            b'$' if !single => {
                let braced = bytes.get(i + 1) == Some(&b'{');
                let start = if braced { i + 2 } else { i + 1 };
                let mut end = start;
                while bytes.get(end).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_') {
                    end += 1;
                }
                if end > start && !bytes.get(start).is_some_and(u8::is_ascii_digit) {
                    if braced {
                        open.push(found.len());
                    }
                    found.push((word.get(start..end).unwrap_or("").to_owned(), i..end));
                    // A default may read further variables: go on behind the name.
                    i = end;
                    continue;
                }
            }
            _ => {}
        }
        i += 1;
    }
    found
}

struct Expander<'a> {
    chars: &'a [(usize, char)],
    at: usize,
    escape: char,
    lookup: Lookup<'a>,
    out: &'a mut Expansion,
}

impl Expander<'_> {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).map(|&(_, c)| c)
    }

    /// Reads until `stop` or the end.
    fn run(&mut self, stop: Option<char>, depth: u32) {
        let mut double = false;
        while let Some(c) = self.peek() {
            if Some(c) == stop && !double {
                return;
            }
            self.at += 1;
            match c {
                '\'' if !double => {
                    while let Some(c) = self.peek() {
                        self.at += 1;
                        if c == '\'' {
                            break;
                        }
                        self.out.text.push(c);
                    }
                }
                '"' => double = !double,
                '$' => self.dollar(depth),
                c if c == self.escape => match self.peek() {
                    // Within double quotes only these lose the escape character.
                    Some(next) if double && !matches!(next, '"' | '$') && next != self.escape => self.out.text.push(c),
                    Some(next) => {
                        self.out.text.push(next);
                        self.at += 1;
                    }
                    None => {}
                },
                c => self.out.text.push(c),
            }
        }
    }

    fn name(&mut self) -> String {
        let mut name = String::new();
        while let Some(c) = self.peek().filter(|c| c.is_ascii_alphanumeric() || *c == '_') {
            if name.is_empty() && c.is_ascii_digit() {
                name.push(c);
                self.at += 1;
                break;
            }
            name.push(c);
            self.at += 1;
        }
        name
    }

    fn dollar(&mut self, depth: u32) {
        let braced = self.peek() == Some('{');
        if braced {
            self.at += 1;
        }
        let name = self.name();
        if name.is_empty() {
            self.out.text.push('$');
            if braced {
                self.out.text.push('{');
            }
            return;
        }
        self.out.read.push(name.clone());
        let known = (self.lookup)(&name);
        if !braced {
            return self.plain(&name, known);
        }
        let colon = self.peek() == Some(':');
        if colon {
            self.at += 1;
        }
        let operator = self.peek();
        if matches!(operator, None | Some('}')) {
            self.at += 1;
            return self.plain(&name, known);
        }
        self.at += 1;
        // The operand is expanded in any case, to find its end; it counts only where it is used.
        let (text, unknown) = (self.out.text.len(), self.out.unknown.len());
        if depth < DEPTH_LIMIT {
            self.run(Some('}'), depth + 1);
        }
        self.at += 1;
        let operand = self.out.text.split_off(text);
        let operand_unknown = self.out.unknown.split_off(unknown);
        let set = match &known {
            Known::Value(value) => Some(!colon || !value.is_empty()),
            Known::Unset => Some(false),
            Known::Unknown => None,
        };
        let use_operand = match (operator, set) {
            (Some('-'), Some(set)) => !set,
            (Some('+'), Some(set)) => set,
            (Some('-' | '+' | '?'), None) => false,
            (Some('?'), _) => return self.plain(&name, known),
            // Patterns (`#`, `%`, `/`) are only computed where they are plain text.
            (Some(sign @ ('#' | '%')), _) => {
                let known = match known {
                    Known::Value(value) => strip_pattern(&value, sign, &operand).map_or(Known::Unknown, Known::Value),
                    other => other,
                };
                return self.plain(&name, known);
            }
            _ => return self.plain(&name, if known == Known::Unset { known } else { Known::Unknown }),
        };
        if use_operand {
            self.out.text.push_str(&operand);
            self.out.unknown.extend(operand_unknown);
        } else if operator == Some('-') || set.is_none() {
            self.plain(&name, known);
        }
    }

    fn plain(&mut self, name: &str, known: Known) {
        match known {
            Known::Value(value) if self.out.text.len() + value.len() <= LENGTH_LIMIT => self.out.text.push_str(&value),
            Known::Unset => {}
            Known::Value(_) | Known::Unknown => {
                if !self.out.unknown.iter().any(|n| n == name) {
                    self.out.unknown.push(name.to_owned());
                }
            }
        }
    }
}

/// `${name#pattern}` and `${name%pattern}` for a pattern without wildcards.
fn strip_pattern(value: &str, sign: char, pattern: &str) -> Option<String> {
    if pattern.contains(['*', '?', '[', '#', '%']) {
        return None;
    }
    let stripped = if sign == '#' { value.strip_prefix(pattern) } else { value.strip_suffix(pattern) };
    Some(stripped.unwrap_or(value).to_owned())
}
