//! Operands: what a test compares with, and the texts with places to fill in.

use super::Context;
use super::reader::{describe, part};
use crate::policy::model::{Literal, Operand, Piece, Template};
use crate::policy::words::nearest;
use crate::syntax::yaml::Node;

/// What an operand must be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Anything.
    Any,
    /// A list.
    List,
    /// A number.
    Number,
    /// Text, or a list of texts.
    Texts,
}

impl Context<'_, '_> {
    /// A literal, `{param: …}`, `{path: …}`, `{data: …}` or `{value: …}`.
    pub fn operand(&mut self, node: Node<'_>, wanted: Wanted, what: &str) -> Option<Operand> {
        if node.is_mapping() {
            let entries = node.entries();
            if let [(key, value)] = entries.as_slice() {
                match key.text() {
                    Some("param") => return self.param(*value).map(Operand::Param),
                    Some("path") => return self.path(*value, "`path`").map(Operand::Path),
                    Some("data") => return self.data(*value),
                    Some("value") => {
                        let literal = self.literal(*value);
                        return Some(Operand::Literal(self.pooled(literal, value.span())));
                    }
                    _ => {}
                }
            }
        }
        let fits = match wanted {
            Wanted::Any => true,
            Wanted::List => node.is_sequence(),
            Wanted::Texts => node.is_sequence() || (node.is_scalar() && !node.is_null()),
            Wanted::Number => node.text().is_some_and(|t| t.trim().parse::<f64>().is_ok_and(f64::is_finite)),
        };
        if !fits {
            let expected = match wanted {
                Wanted::List => "a list",
                Wanted::Number => "a number",
                _ => "text or a list of texts",
            };
            let help = "or one of {param: …}, {path: …}, {data: …}";
            self.error_with_help(node.span(), format!("{what} takes {expected}, not {}", describe(node)), help);
            return None;
        }
        if node.is_scalar() && node.text().is_some_and(|t| ["$.", "@.", "$[", "@["].iter().any(|p| t.starts_with(p))) {
            let text = node.text().unwrap_or_default();
            let help = format!(
                "to compare with what a path selects write {{path: {text}}}; for the text itself {{value: \"{text}\"}}"
            );
            self.error_with_help(node.span(), "this compares with the text of a path", help);
            return None;
        }
        let literal = self.literal(node);
        Some(Operand::Literal(self.pooled(literal, node.span())))
    }

    /// The name of a parameter that the policy declares.
    fn param(&mut self, node: Node<'_>) -> Option<String> {
        let name = self.words(node, "`param`")?;
        if !self.lenient_names && !self.params.contains(&name) {
            let help = match nearest(&name, self.params.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "declare it under `params`".to_owned(),
            };
            self.error_with_help(node.span(), format!("the policy has no parameter `{name}`"), help);
            return None;
        }
        Some(name)
    }

    /// `table` or `table.key`.
    fn data(&mut self, node: Node<'_>) -> Option<Operand> {
        let text = self.words(node, "`data`")?;
        let (table, key) = match text.split_once('.') {
            Some((table, key)) => (table, Some(key)),
            None => (text.as_str(), None),
        };
        let Some(literal) = self.shared.tables.get(table) else {
            let help = match nearest(table, self.shared.tables.keys().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("it would be the file data/{table}.yaml"),
            };
            self.error_with_help(node.span(), format!("there is no table `{table}`"), help);
            return None;
        };
        if let Some(key) = key {
            let Literal::Map(entries) = literal else {
                self.error(node.span(), format!("the table `{table}` has no keys: it is no mapping"));
                return None;
            };
            if !entries.iter().any(|(name, _)| name == key) {
                let help = nearest(key, entries.iter().map(|(n, _)| n.as_str())).map_or_else(
                    || format!("it has {} entries", entries.len()),
                    |near| format!("did you mean `{near}`?"),
                );
                self.error_with_help(node.span(), format!("the table `{table}` has no entry `{key}`"), help);
                return None;
            }
        }
        Some(Operand::Data(table.to_owned(), key.map(str::to_owned)))
    }

    /// Text with `{…}` to fill in; `{{` and `}}` are the signs themselves.
    pub fn template(&mut self, node: Node<'_>, what: &str) -> Option<Template> {
        let text = self.text(node, what)?;
        if text.trim().is_empty() {
            self.error(node.span(), format!("{what} is empty"));
            return None;
        }
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut at = 0;
        while let Some(c) = text.get(at..).and_then(|t| t.chars().next()) {
            let after = at + c.len_utf8();
            if matches!(c, '{' | '}') && text.get(after..).is_some_and(|t| t.starts_with(c)) {
                plain.push(c);
                at = after + 1;
                continue;
            }
            if c == '}' {
                self.error_with_help(
                    part(node, at..after),
                    "this brace closes nothing",
                    "the sign itself is written }}",
                );
                return None;
            }
            if c != '{' {
                plain.push(c);
                at = after;
                continue;
            }
            let Some(length) = text.get(after..).and_then(|t| t.find('}')) else {
                self.error_with_help(
                    part(node, at..after),
                    "this brace is not closed",
                    "the sign itself is written {{",
                );
                return None;
            };
            let inside = after..after + length;
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            pieces.push(self.piece(node, text.get(inside.clone()).unwrap_or_default(), inside.clone())?);
            at = inside.end + 1;
        }
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Some(Template(pieces))
    }

    fn piece(&mut self, node: Node<'_>, word: &str, range: std::ops::Range<usize>) -> Option<Piece> {
        Some(match word {
            "resource" => Piece::Resource,
            "kind" => Piece::Kind,
            "name" => Piece::Name,
            "value" => Piece::Value,
            "related" => Piece::Related,
            _ if word.starts_with(['$', '@']) => {
                // A name that only some evaluations give is allowed: it prints as not set where it is not given.
                let lenient = std::mem::replace(&mut self.lenient_names, true);
                let start = range.start;
                let path = self.path_text(word, |r| part(node, start + r.start..start + r.end));
                self.lenient_names = lenient;
                Piece::Path(path?)
            }
            _ => match word.strip_prefix("param.") {
                Some(name) if self.params.iter().any(|p| p == name) => Piece::Param(name.to_owned()),
                Some(name) => {
                    self.error(part(node, range), format!("the policy has no parameter `{name}`"));
                    return None;
                }
                None => {
                    let help = "there are {resource}, {kind}, {name}, {value}, {related}, {param.name} and paths such as {$.name}";
                    self.error_with_help(part(node, range), format!("nothing fills in `{{{word}}}`"), help);
                    return None;
                }
            },
        })
    }
}
