//! What ARG and ENV make known, stage by stage, and the expansion of words by it.
//! (Dockerfile reference, "Understand how ARG and FROM interact", "Environment replacement".)

use super::image::HOLE;
use crate::base::{FastMap, Span};
use crate::graph::{CauseKind, Data, How, Origin, Value};
use crate::syntax::dockerfile::{Known, Word, expand};
use std::sync::Arc;

/// Build arguments that BuildKit sets by itself, once they are declared.
const PLATFORM_ARGUMENTS: [&str; 10] = [
    "TARGETPLATFORM",
    "TARGETOS",
    "TARGETARCH",
    "TARGETVARIANT",
    "TARGETSTAGE",
    "BUILDPLATFORM",
    "BUILDOS",
    "BUILDARCH",
    "BUILDVARIANT",
    "BUILDKIT_SBOM_SCAN_STAGE",
];

/// A variable in scope.
#[derive(Clone, Debug)]
pub(super) struct Variable {
    /// Its value; `None` where it comes from outside.
    pub(super) value: Option<Arc<str>>,
    /// Whether ENV set it; else ARG did.
    pub(super) env: bool,
    /// Where.
    pub(super) span: Span,
}

/// The variables that an instruction sees.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    pub(super) variables: FastMap<Arc<str>, Variable>,
    /// Whether a base image from outside may set more.
    pub(super) open: bool,
    pub(super) escape: char,
}

impl Scope {
    /// What is known of a variable.
    pub(super) fn known(&self, name: &str) -> Known {
        match self.variables.get(name) {
            Some(Variable { value: Some(value), .. }) => Known::Value(value.to_string()),
            Some(_) => Known::Unknown,
            None if self.open || PLATFORM_ARGUMENTS.contains(&name) => Known::Unknown,
            None => Known::Unset,
        }
    }

    /// A word with its variables filled in, and [`HOLE`] for what is not known.
    pub(super) fn with_holes(&self, word: &str) -> String {
        let lookup = |name: &str| match self.known(name) {
            Known::Unknown => Known::Value(HOLE.to_string()),
            known => known,
        };
        expand(word, self.escape, &lookup).text
    }

    /// A word's value: its text with variables filled in, or unknown where one of them is.
    pub(super) fn value(&self, word: &Word) -> Value {
        self.value_of(&word.text, word.span)
    }

    /// The value of a text that stands at `span`.
    pub(super) fn value_of(&self, text: &str, span: Span) -> Value {
        let expansion = expand(text, self.escape, &|name| self.known(name));
        if let Some(name) = expansion.unknown.first() {
            return self.unknown(name, span);
        }
        let origins: Vec<Origin> = expansion
            .read
            .iter()
            .filter_map(|n| self.variables.get(n.as_str()))
            .map(|v| Origin::literal(v.span))
            .collect();
        let data = Data::String(expansion.text.into());
        if origins.is_empty() {
            Value::literal(data, span)
        } else {
            Value { data, origin: Origin::derived(span, How::Variable, origins) }
        }
    }

    /// The unknown that a variable without a value makes.
    pub(super) fn unknown(&self, name: &str, span: Span) -> Value {
        match self.variables.get(name) {
            Some(variable) => {
                Value::unknown(CauseKind::Input, format!("the build argument `{name}` has no default"), variable.span)
                    .at_span(span)
            }
            None if PLATFORM_ARGUMENTS.contains(&name) => {
                Value::unknown(CauseKind::Input, format!("`{name}` depends on the platform of the build"), span)
            }
            None => Value::unknown(
                CauseKind::External,
                format!("`{name}` is not set in this file; the base image may set it"),
                span,
            ),
        }
    }

    /// A text that may have holes as a value.
    pub(super) fn holed(&self, text: &str, span: Span) -> Value {
        if text.contains(HOLE) {
            Value::unknown(CauseKind::Input, "a build argument without a default stands in it", span)
        } else {
            Value::string(text, span)
        }
    }

    pub(super) fn set(&mut self, name: &str, variable: Variable) {
        // ENV wins over an ARG of the same name, wherever the two stand.
        if !variable.env && self.variables.get(name).is_some_and(|v| v.env) {
            return;
        }
        self.variables.insert(name.into(), variable);
    }
}

/// Moves an unknown to where it is used; its cause keeps the place where it came in.
trait AtSpan {
    fn at_span(self, span: Span) -> Self;
}

impl AtSpan for Value {
    fn at_span(mut self, span: Span) -> Value {
        let from = self.origin.clone();
        self.origin = Origin::derived(span, How::Variable, [from]);
        self
    }
}
