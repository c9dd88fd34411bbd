//! Label selectors, as Kubernetes has them.

use super::{Map, Value};
use crate::base::FastMap;
use std::borrow::Cow;

/// A selector, read from its value.
#[derive(Debug, Default)]
pub struct Selector<'v> {
    equal: Vec<(&'v str, Cow<'v, str>)>,
    expressions: Vec<Expression<'v>>,
    /// Something in it is not known: it may select anything, so it is taken to select nothing.
    unknown: bool,
}

#[derive(Debug)]
struct Expression<'v> {
    key: Cow<'v, str>,
    operator: Operator,
    values: Vec<Cow<'v, str>>,
}

#[derive(Clone, Copy, Debug)]
enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
}

impl<'v> Selector<'v> {
    /// A plain map of labels (`spec.selector` of a Service, of a ReplicationController).
    pub fn of_labels(value: &'v Value) -> Selector<'v> {
        let mut selector = Selector::default();
        match value.as_map() {
            Some(map) => selector.equal_to(map),
            None => selector.unknown = !value.is_null(),
        }
        selector
    }

    /// `{matchLabels, matchExpressions}`.
    pub fn of_label_selector(value: &'v Value) -> Selector<'v> {
        let mut selector = Selector::default();
        let Some(map) = value.as_map() else {
            selector.unknown = !value.is_null();
            return selector;
        };
        match map.get("matchLabels").filter(|v| !v.is_null()).map(|v| v.as_map().ok_or(())) {
            Some(Ok(labels)) => selector.equal_to(labels),
            Some(Err(())) => selector.unknown = true,
            None => {}
        }
        let expressions = map.get("matchExpressions").filter(|v| !v.is_null());
        if let Some(list) = expressions {
            match list.as_list() {
                Some(list) => list.iter().for_each(|item| selector.expression(item)),
                None => selector.unknown = true,
            }
        }
        selector
    }

    /// Either of them: what has `matchLabels` or `matchExpressions`, or nothing at all, is a label selector.
    pub fn of(value: &'v Value) -> Selector<'v> {
        let is_labels = value.as_map().is_some_and(|map| {
            !map.entries.is_empty()
                && !map.entries.iter().all(|e| matches!(&*e.key, "matchLabels" | "matchExpressions"))
        });
        if is_labels { Selector::of_labels(value) } else { Selector::of_label_selector(value) }
    }

    /// Whether a part of it is not known.
    pub fn is_unknown(&self) -> bool {
        self.unknown
    }

    fn equal_to(&mut self, labels: &'v Map) {
        for entry in &labels.entries {
            match entry.value.scalar_text() {
                Some(text) => self.equal.push((&entry.key, text)),
                None => self.unknown = true,
            }
        }
    }

    fn expression(&mut self, item: &'v Value) {
        let key = item.get("key").and_then(Value::scalar_text);
        let operator = match item.get("operator").and_then(Value::as_str) {
            Some("In") => Some(Operator::In),
            Some("NotIn") => Some(Operator::NotIn),
            Some("Exists") => Some(Operator::Exists),
            Some("DoesNotExist") => Some(Operator::DoesNotExist),
            _ => None,
        };
        let values = item.get("values").and_then(Value::as_list).unwrap_or(&[]);
        let texts: Vec<Cow<'v, str>> = values.iter().filter_map(Value::scalar_text).collect();
        match (key, operator) {
            (Some(key), Some(operator)) if texts.len() == values.len() => {
                self.expressions.push(Expression { key, operator, values: texts });
            }
            _ => self.unknown = true,
        }
    }

    /// Whether it demands nothing, which means everything to most that carry one.
    pub fn is_empty(&self) -> bool {
        self.equal.is_empty() && self.expressions.is_empty() && !self.unknown
    }

    /// A label and its value that everything selected must have, to narrow a search.
    pub fn demanded(&self) -> Option<(&str, &str)> {
        self.equal.first().map(|(key, value)| (*key, value.as_ref()))
    }

    /// Whether it selects something with these labels.
    pub fn selects(&self, labels: &Labels<'_>) -> bool {
        !self.unknown
            && self.equal.iter().all(|(key, value)| labels.get(key) == Some(value))
            && self.expressions.iter().all(|expression| {
                let label = labels.get(&expression.key);
                let listed = label.is_some_and(|label| expression.values.iter().any(|v| v == label));
                match expression.operator {
                    Operator::In => listed,
                    Operator::NotIn => !listed,
                    Operator::Exists => label.is_some(),
                    Operator::DoesNotExist => label.is_none(),
                }
            })
    }
}

/// The labels of an object.
#[derive(Debug, Default)]
pub struct Labels<'v>(FastMap<&'v str, Cow<'v, str>>);

impl<'v> Labels<'v> {
    /// The `labels` of a `metadata`; a label whose value is not known is left out.
    pub fn of(metadata: Option<&'v Value>) -> Labels<'v> {
        let map = metadata.and_then(|m| m.get("labels")).and_then(Value::as_map);
        let entries = map.map_or(&[][..], |map| &map.entries);
        Labels(entries.iter().filter_map(|e| Some((&*e.key, e.value.scalar_text()?))).collect())
    }

    /// A plain map of labels; a label whose value is not known is left out.
    pub fn of_map(labels: &'v Value) -> Labels<'v> {
        let entries = labels.as_map().map_or(&[][..], |map| &map.entries);
        Labels(entries.iter().filter_map(|e| Some((&*e.key, e.value.scalar_text()?))).collect())
    }

    /// The value of a label.
    pub fn get(&self, key: &str) -> Option<&Cow<'v, str>> {
        self.0.get(key)
    }

    /// The same labels and one more; it does not replace one that is there.
    #[must_use]
    pub fn with(mut self, key: &'v str, value: &'v str) -> Labels<'v> {
        self.0.entry(key).or_insert(Cow::Borrowed(value));
        self
    }

    /// Every label.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (*key, value.as_ref()))
    }
}
