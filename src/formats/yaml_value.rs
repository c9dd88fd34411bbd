//! From YAML's nodes to the graph's values.

use crate::base::{FastMap, Span};
use crate::graph::{CauseKind, Data, Entry, Map, Number, Value};
use crate::syntax::yaml::{Node, NodeKind, Scalar, Schema};
use std::sync::Arc;

/// Makes values of nodes. Keep one for a whole file: it shares the text of keys and short values.
#[derive(Default)]
pub struct YamlValues {
    schema: Schema,
    texts: FastMap<Box<str>, Arc<str>>,
}

/// Longer texts are seldom repeated.
const SHARED_LENGTH: usize = 32;

impl YamlValues {
    /// A converter that reads plain scalars as `schema` says.
    pub fn new(schema: Schema) -> YamlValues {
        YamlValues { schema, texts: FastMap::default() }
    }

    /// The value of a node with everything in it. `head` is what names it: the span of its key.
    ///
    /// Merge keys are resolved; of a duplicate key the last counts; what could not be read is unknown. The recursion is as deep as the
    /// tree, which the parser bounds.
    pub fn value(&mut self, node: Node<'_>, head: Option<Span>) -> Value {
        let span = node.span();
        match node.kind() {
            NodeKind::Missing => Value::unknown(CauseKind::Error, "this part of the file could not be read", span),
            NodeKind::Scalar => self.scalar(node, span),
            NodeKind::Sequence => {
                let items = node.items().map(|item| self.value(item, item_head(item))).collect();
                Value::list(items, span)
            }
            NodeKind::Mapping => {
                let mut map = Map::new(head.or_else(|| node.pairs().next().map(|(key, _)| key.span())));
                map.entries.reserve(node.pairs().len());
                if node.pairs().any(|(key, _)| key.is_merge_key()) || !node.tree().duplicates.is_empty() {
                    for (key, value) in node.entries() {
                        self.entry(&mut map, key, value);
                    }
                } else {
                    for (key, value) in node.pairs() {
                        self.entry(&mut map, key, value);
                    }
                }
                Value::map(map, span)
            }
        }
    }

    fn entry(&mut self, map: &mut Map, key: Node<'_>, value: Node<'_>) {
        // A collection as a key has no place in JSON: readers refuse it.
        let Some(name) = key.key_text(self.schema) else { return };
        let key_span = key.span();
        let value = self.value(value, Some(key_span));
        map.entries.push(Entry { key: self.text(&name), key_span, value });
    }

    fn scalar(&mut self, node: Node<'_>, span: Span) -> Value {
        let data = match node.scalar(self.schema) {
            None | Some(Scalar::Null) => Data::Null,
            Some(Scalar::Bool(b)) => Data::Bool(b),
            Some(Scalar::Int(n)) => Data::Number(Number::from(n)),
            Some(Scalar::Float(n, text)) if n.is_finite() => {
                let plain = text.replace('_', "");
                Data::Number(Number::parse(plain.trim_start_matches('+')).unwrap_or_else(|| Number::from(n)))
            }
            Some(Scalar::Float(_, text)) => Data::String(self.text(text)),
            Some(Scalar::String(text)) if text.len() <= SHARED_LENGTH => Data::String(self.text(text)),
            Some(Scalar::String(_)) => node.shared_text().map_or(Data::Null, Data::String),
        };
        Value::literal(data, span)
    }

    fn text(&mut self, text: &str) -> Arc<str> {
        if let Some(shared) = self.texts.get(text) {
            return shared.clone();
        }
        let shared: Arc<str> = text.into();
        self.texts.insert(text.into(), shared.clone());
        shared
    }
}

/// What names an element of a list: the value of its `name`, else its first key.
fn item_head(item: Node<'_>) -> Option<Span> {
    let named = item.pairs().find(|(key, value)| key.text() == Some("name") && value.is_scalar());
    named.map(|(_, value)| value.span()).or_else(|| item.pairs().next().map(|(key, _)| key.span()))
}
