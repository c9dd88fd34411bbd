//! Reading mappings, words and values out of YAML, with errors for whatever is not as it should be.

use super::Context;
use crate::base::Span;
use crate::diagnostic::SyntaxError;
use crate::policy::model::Literal;
use crate::policy::words::nearest;
use crate::syntax::yaml::{Node, Scalar, Schema, Style};

/// A mapping whose keys are taken one by one; what remains was not expected.
pub(super) struct Table<'t> {
    pub node: Node<'t>,
    entries: Vec<(&'t str, Node<'t>, Node<'t>, bool)>,
}

impl<'t> Table<'t> {
    /// Takes the value of a key. An explicit null counts as absent.
    pub fn take(&mut self, key: &str) -> Option<Node<'t>> {
        self.take_with_key(key).map(|(_, value)| value)
    }

    /// Takes a key and its value.
    pub fn take_with_key(&mut self, key: &str) -> Option<(Node<'t>, Node<'t>)> {
        let entry = self.entries.iter_mut().find(|(name, ..)| *name == key)?;
        entry.3 = true;
        (!entry.2.is_null()).then_some((entry.1, entry.2))
    }

    /// Whether there is such a key, taken or not.
    pub fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|(name, ..)| *name == key)
    }

    /// The keys that were not taken yet, with their values.
    pub fn rest(&self) -> impl Iterator<Item = (&'t str, Node<'t>, Node<'t>)> + '_ {
        self.entries.iter().filter(|e| !e.3).map(|(name, key, value, _)| (*name, *key, *value))
    }
}

impl Context<'_, '_> {
    /// The node as a mapping. `what` names it in the error.
    pub fn table<'n>(&mut self, node: Node<'n>, what: &str) -> Option<Table<'n>> {
        if !node.is_mapping() {
            self.error(node.span(), format!("{what} must be a mapping, not {}", describe(node)));
            return None;
        }
        let mut entries = Vec::new();
        for (key, value) in node.entries() {
            match key.text() {
                Some(text) => entries.push((text, key, value, false)),
                None => self.error(key.span(), "a key must be a word"),
            }
        }
        Some(Table { node, entries })
    }

    /// Reports every key that was not taken. `known` are the keys that there are, for the hint.
    pub fn finish(&mut self, table: &Table<'_>, what: &str, known: &[&str]) {
        for (name, key, _) in table.rest() {
            let error = SyntaxError::new(key.span(), format!("{what} has no `{name}`"));
            self.errors.push(match nearest(name, known.iter().copied()) {
                Some(near) => error.with_help(format!("did you mean `{near}`?")),
                None => error.with_help(format!("there are {}", known.join(", "))),
            });
        }
    }

    /// The text of a scalar.
    pub fn text<'n>(&mut self, node: Node<'n>, what: &str) -> Option<&'n str> {
        match node.text() {
            Some(text) if !node.is_null() => Some(text),
            _ => {
                self.error(node.span(), format!("{what} must be text, not {}", describe(node)));
                None
            }
        }
    }

    /// Text that says something: not empty, without white space around it.
    pub fn words(&mut self, node: Node<'_>, what: &str) -> Option<String> {
        let text = self.text(node, what)?.trim();
        if text.is_empty() {
            self.error(node.span(), format!("{what} is empty"));
            return None;
        }
        Some(text.to_owned())
    }

    /// The texts of a list, or the one text that stands in its place.
    pub fn texts(&mut self, node: Node<'_>, what: &str) -> Vec<String> {
        if node.is_sequence() {
            node.items().filter_map(|item| self.words(item, what)).collect()
        } else {
            self.words(node, what).into_iter().collect()
        }
    }

    /// True or false.
    pub fn boolean(&mut self, node: Node<'_>, what: &str) -> Option<bool> {
        match node.scalar(Schema::Yaml12) {
            Some(Scalar::Bool(b)) => Some(b),
            _ => {
                self.error(node.span(), format!("{what} must be true or false, not {}", describe(node)));
                None
            }
        }
    }

    /// A whole number that is not negative.
    pub fn count(&mut self, node: Node<'_>, what: &str) -> Option<u32> {
        match node.scalar(Schema::Yaml12) {
            Some(Scalar::Int(n)) if u32::try_from(n).is_ok() => u32::try_from(n).ok(),
            _ => {
                self.error(node.span(), format!("{what} must be a whole number, not {}", describe(node)));
                None
            }
        }
    }

    /// One of several words.
    pub fn choice<T: Copy>(&mut self, node: Node<'_>, what: &str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(node, what)?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*value);
        }
        let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let help = match nearest(text, all.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are {}", all.join(", ")),
        };
        self.error_with_help(node.span(), format!("`{text}` is no {what}"), help);
        None
    }

    /// A value as written.
    pub fn literal(&mut self, node: Node<'_>) -> Literal {
        if node.is_sequence() {
            return Literal::List(node.items().map(|item| self.literal(item)).collect());
        }
        if node.is_mapping() {
            let entries = node.entries();
            return Literal::Map(
                entries
                    .into_iter()
                    .filter_map(|(key, value)| Some((key.text()?.to_owned(), self.literal(value))))
                    .collect(),
            );
        }
        match node.scalar(Schema::Yaml12) {
            None | Some(Scalar::Null) => Literal::Null,
            Some(Scalar::Bool(b)) => Literal::Bool(b),
            Some(Scalar::Int(n)) => Literal::Int(n),
            Some(Scalar::Float(f, _)) => Literal::Float(f),
            Some(Scalar::String(s)) => Literal::String(s.to_owned()),
        }
    }

    /// Puts a literal into the pool; the same one is kept once.
    pub fn pooled(&mut self, literal: Literal, span: Span) -> u16 {
        let index = self.pool.literals.iter().position(|l| *l == literal).unwrap_or_else(|| {
            self.pool.literals.push(literal);
            self.pool.literals.len() - 1
        });
        u16::try_from(index).unwrap_or_else(|_| {
            self.error(span, "the file holds too many values");
            0
        })
    }

    /// Puts a regular expression into the pool after a check.
    pub fn pattern(&mut self, pattern: &str, span: Span) -> u16 {
        if let Err(error) = regex_syntax::Parser::new().parse(pattern) {
            let reason = match &error {
                regex_syntax::Error::Parse(e) => e.kind().to_string(),
                regex_syntax::Error::Translate(e) => e.kind().to_string(),
                _ => error.to_string(),
            };
            let help = "the syntax is RE2's: no look-around, no back-references";
            self.error_with_help(span, format!("the regular expression `{pattern}` cannot be read: {reason}"), help);
        }
        let index = self.pool.patterns.iter().position(|p| p == pattern).unwrap_or_else(|| {
            self.pool.patterns.push(pattern.to_owned());
            self.pool.patterns.len() - 1
        });
        u16::try_from(index).unwrap_or_else(|_| {
            self.error(span, "the file holds too many patterns");
            0
        })
    }
}

/// What a node is, for an error.
pub(super) fn describe(node: Node<'_>) -> &'static str {
    if node.is_mapping() {
        return "a mapping";
    }
    if node.is_sequence() {
        return "a list";
    }
    match node.scalar(Schema::Yaml12) {
        None | Some(Scalar::Null) => "nothing",
        Some(Scalar::Bool(_)) => "a truth value",
        Some(Scalar::Int(_) | Scalar::Float(..)) => "a number",
        Some(Scalar::String(_)) => "text",
    }
}

/// The place of a part of a scalar's text; the whole scalar where the text does not stand there as it is.
pub(super) fn part(node: Node<'_>, range: std::ops::Range<usize>) -> Span {
    let span = node.span();
    let (Some(text), raw) = (node.text(), node.raw()) else { return span };
    let offset = match node.style() {
        Style::Plain => 0,
        Style::SingleQuoted | Style::DoubleQuoted => 1,
        _ => return span,
    };
    if node.is_alias() || raw.get(offset..offset + text.len()) != Some(text) {
        return span;
    }
    let start = span.start as usize + offset + range.start;
    Span::new(span.file, start..start + range.len().max(1).min(text.len().saturating_sub(range.start)))
}
