//! A small builder for the maps that policies see.

use crate::base::Span;
use crate::graph::{Entry, Map, Value};

/// Fields of a map in the making.
pub(super) struct Fields {
    map: Map,
    span: Span,
}

impl Fields {
    /// A map that stands at `span` and is named by `head`.
    pub(super) fn new(span: Span, head: Span) -> Fields {
        Fields { map: Map::new(Some(head)), span }
    }

    /// Any value.
    pub(super) fn set(&mut self, key: &str, value: Value) -> &mut Fields {
        let key_span = value.span();
        self.map.insert(key, key_span, value);
        self
    }

    /// A value of a name that is new, which the caller knows.
    pub(super) fn add(&mut self, key: &str, value: Value) -> &mut Fields {
        let key_span = value.span();
        self.map.entries.push(Entry { key: key.into(), key_span, value });
        self
    }

    /// A value, where there is one.
    pub(super) fn maybe(&mut self, key: &str, value: Option<Value>) -> &mut Fields {
        if let Some(value) = value {
            self.set(key, value);
        }
        self
    }

    /// Text that stands at `span`.
    pub(super) fn text(&mut self, key: &str, text: &str, span: Span) -> &mut Fields {
        self.set(key, Value::string(text, span))
    }

    /// A truth value that follows from the whole: it stands where the map is named.
    pub(super) fn flag(&mut self, key: &str, b: bool) -> &mut Fields {
        let span = self.map.head.unwrap_or(self.span);
        self.set(key, Value::bool(b, span))
    }

    /// A number that follows from the whole.
    pub(super) fn number(&mut self, key: &str, n: usize) -> &mut Fields {
        let span = self.map.head.unwrap_or(self.span);
        self.set(key, Value::int(i64::try_from(n).unwrap_or(i64::MAX), span))
    }

    /// Values in order.
    pub(super) fn list(&mut self, key: &str, items: Vec<Value>) -> &mut Fields {
        let span = items.iter().fold(Span::NONE, |s, v| if s.is_none() { v.span() } else { s.to(v.span()) });
        let span = if span.is_none() { self.map.head.unwrap_or(self.span) } else { span };
        self.set(key, Value::list(items, span))
    }

    /// The map as a value.
    pub(super) fn build(self) -> Value {
        Value::map(self.map, self.span)
    }
}
