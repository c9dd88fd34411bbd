//! Following a path through a value.
//!
//! Nodes are handed to a visitor as they are found, so that nothing is collected. Where the way leads through something
//! unknown, the node is that unknown, marked as one that may or may not be there.

use super::engine::{Engine, Scope};
use super::quantity;
use super::trace::Causes;
use super::truth::Truth;
use crate::base::Span;
use crate::graph::{Cause, Data, Value};
use crate::policy::model::{Condition, Path, Root, Step};
use std::ops::ControlFlow;
use std::sync::Arc;

/// What a path found.
#[derive(Clone, Copy)]
pub(in crate::policy) struct Node<'v> {
    pub value: &'v Value,
    /// The name in front of it, where it is an entry of a map.
    pub key: Option<(&'v str, Span)>,
    /// The map or list that it stands in; `None` for where the path starts.
    pub container: Option<&'v Value>,
    /// Why it may not be there at all.
    pub maybe: Option<&'v Arc<Cause>>,
}

/// Where a path ended without finding anything.
#[derive(Clone, Copy)]
pub(in crate::policy) struct Miss<'v> {
    /// The innermost value that is there.
    pub container: &'v Value,
    /// What names it: a block's header, a mapping's key.
    pub head: Span,
    /// The steps that were left.
    pub rest: &'v [Step],
}

/// Takes what a path finds.
pub(in crate::policy) trait Visitor {
    /// A node. `Break` ends the walk.
    fn node(&mut self, node: Node<'_>) -> ControlFlow<()>;
    /// A way that ends without a node.
    fn miss(&mut self, _miss: Miss<'_>) {}
}

impl<F: FnMut(Node<'_>) -> ControlFlow<()>> Visitor for F {
    fn node(&mut self, node: Node<'_>) -> ControlFlow<()> {
        self(node)
    }
}

/// Values nest no deeper than the parsers allow; this guards against anything else.
const DEEPEST: usize = 600;

impl<'a> Engine<'a> {
    /// Follows a path from where it starts in the scope.
    pub(in crate::policy) fn walk(&self, path: &Path, scope: &Scope<'_>, visitor: &mut dyn Visitor) -> ControlFlow<()> {
        let start = match &path.root {
            Root::Resource => Some((scope.body, scope.head)),
            Root::Node => Some(match scope.node {
                Some(node) => (node.value, node.key.map_or(node.value.span(), |(_, span)| span)),
                None => (scope.body, scope.head),
            }),
            Root::Judged => {
                let judged = self.graph.get(scope.judged);
                Some((&judged.body, judged.head))
            }
            Root::Named(name) => scope.named(name, self.graph),
        };
        let Some((value, head)) = start else { return ControlFlow::Continue(()) };
        if path.steps.is_empty() {
            let node = match (&path.root, scope.node) {
                (Root::Node, Some(node)) => node,
                _ => Node { value, key: None, container: None, maybe: None },
            };
            return visitor.node(node);
        }
        let from = Node { value, key: Some(("", head)), container: None, maybe: None };
        self.steps(&path.steps, from, scope, visitor, 0)
    }

    fn steps(
        &self,
        steps: &[Step],
        at: Node<'_>,
        scope: &Scope<'_>,
        visitor: &mut dyn Visitor,
        depth: usize,
    ) -> ControlFlow<()> {
        let Some((step, rest)) = steps.split_first() else { return visitor.node(at) };
        if depth > DEEPEST {
            return ControlFlow::Continue(());
        }
        if let Data::Unknown(cause) = &at.value.data {
            // `json()` of a text that is not known may still know what it encodes.
            if !matches!((step, &at.value.origin.how), (Step::Json, crate::graph::How::Encoded(_))) {
                return visitor.node(Node { maybe: Some(at.maybe.unwrap_or(cause)), ..at });
            }
        }
        let miss = |visitor: &mut dyn Visitor| {
            let named = at.value.as_map().and_then(|m| m.head);
            let head = named.or(at.key.map(|(_, span)| span)).unwrap_or(at.value.span());
            visitor.miss(Miss { container: at.value, head, rest: steps });
            ControlFlow::Continue(())
        };
        match step {
            Step::Name(name) => match &at.value.data {
                Data::Map(map) => match map.entry(name) {
                    Some(entry) => self.steps(rest, at.entry(entry), scope, visitor, depth + 1),
                    None => miss(visitor),
                },
                Data::List(items) if !items.is_empty() => self.each(steps, items, at, scope, visitor, depth),
                _ => miss(visitor),
            },
            Step::Names(names) => match &at.value.data {
                Data::Map(map) => {
                    let mut found = false;
                    for entry in names.iter().filter_map(|name| map.entry(name)) {
                        found = true;
                        self.steps(rest, at.entry(entry), scope, visitor, depth + 1)?;
                    }
                    if found { ControlFlow::Continue(()) } else { miss(visitor) }
                }
                Data::List(items) if !items.is_empty() => self.each(steps, items, at, scope, visitor, depth),
                _ => miss(visitor),
            },
            Step::Index(index) => {
                match at.value.as_list().and_then(|items| items.get(position(*index, items.len())?)) {
                    Some(item) => self.steps(rest, at.item(item), scope, visitor, depth + 1),
                    None => miss(visitor),
                }
            }
            Step::Slice(from, to, by) => {
                let items = at.value.as_list().unwrap_or(&[]);
                let clamp = |i: i64| position(i, items.len()).unwrap_or(if i < 0 { 0 } else { items.len() });
                let (from, to) = (from.map_or(0, clamp), to.map_or(items.len(), clamp).min(items.len()));
                let by = usize::try_from(*by).unwrap_or(1).max(1);
                for item in items.get(from..to.max(from)).unwrap_or(&[]).iter().step_by(by) {
                    self.steps(rest, at.item(item), scope, visitor, depth + 1)?;
                }
                ControlFlow::Continue(())
            }
            Step::All => match &at.value.data {
                Data::List(items) if !items.is_empty() => self.each(rest, items, at, scope, visitor, depth),
                Data::Map(map) if !map.entries.is_empty() => {
                    for entry in &map.entries {
                        self.steps(rest, at.entry(entry), scope, visitor, depth + 1)?;
                    }
                    ControlFlow::Continue(())
                }
                _ => miss(visitor),
            },
            Step::Elements => match &at.value.data {
                Data::List(items) if !items.is_empty() => self.each(rest, items, at, scope, visitor, depth),
                Data::List(_) => miss(visitor),
                _ => self.steps(rest, at, scope, visitor, depth + 1),
            },
            Step::Descend => self.descend(rest, at, scope, visitor, depth + 1),
            Step::Filter(condition) => {
                let mut each = |node: Node<'_>| self.filtered(condition, rest, node, scope, visitor, depth);
                match &at.value.data {
                    Data::List(items) => items.iter().try_for_each(|item| each(at.item(item))),
                    Data::Map(map) => map.entries.iter().try_for_each(|entry| each(at.entry(entry))),
                    _ => miss(visitor),
                }
            }
            Step::Json => {
                if let Data::List(items) = &at.value.data {
                    return self.each(steps, items, at, scope, visitor, depth);
                }
                match self.documents.read(at.value) {
                    Some(inner) => self.steps(rest, Node { value: &inner, ..at }, scope, visitor, depth + 1),
                    None => miss(visitor),
                }
            }
            Step::Keys => match &at.value.data {
                Data::Map(map) => {
                    for entry in &map.entries {
                        let name = Value::string(entry.key.clone(), entry.key_span);
                        let node = Node { value: &name, key: Some((&entry.key, entry.key_span)), ..at };
                        self.steps(rest, node, scope, visitor, depth + 1)?;
                    }
                    ControlFlow::Continue(())
                }
                Data::List(items) => self.each(steps, items, at, scope, visitor, depth),
                _ => miss(visitor),
            },
            Step::Split(separator, wanted) => match &at.value.data {
                Data::String(text) if !separator.is_empty() => {
                    let mut offset = 0;
                    for (place, part) in text.split(separator.as_str()).enumerate() {
                        let trimmed = part.trim();
                        let start = offset + (part.len() - part.trim_start().len());
                        offset += part.len() + separator.len();
                        if trimmed.is_empty() || wanted.is_some_and(|wanted| usize::from(wanted) != place) {
                            continue;
                        }
                        let mut value = at.value.clone();
                        value.data = Data::String(trimmed.into());
                        value.origin.span = self.documents.part(at.value, start..start + trimmed.len());
                        self.steps(rest, Node { value: &value, ..at }, scope, visitor, depth + 1)?;
                    }
                    ControlFlow::Continue(())
                }
                Data::List(items) => self.each(steps, items, at, scope, visitor, depth),
                _ => miss(visitor),
            },
            Step::Quantity => match quantity::number(at.value) {
                Some(number) => {
                    let mut value = at.value.clone();
                    value.data = Data::Number(number);
                    self.steps(rest, Node { value: &value, ..at }, scope, visitor, depth + 1)
                }
                None => miss(visitor),
            },
        }
    }

    /// These steps from every element of a list.
    fn each(
        &self,
        steps: &[Step],
        items: &[Value],
        at: Node<'_>,
        scope: &Scope<'_>,
        visitor: &mut dyn Visitor,
        depth: usize,
    ) -> ControlFlow<()> {
        items.iter().try_for_each(|item| self.steps(steps, at.item(item), scope, visitor, depth + 1))
    }

    /// The node itself and everything inside it, each with the next step. A name is taken from maps alone here: the
    /// elements of a list get their own turn.
    fn descend(
        &self,
        rest: &[Step],
        at: Node<'_>,
        scope: &Scope<'_>,
        visitor: &mut dyn Visitor,
        depth: usize,
    ) -> ControlFlow<()> {
        if depth > DEEPEST {
            return ControlFlow::Continue(());
        }
        let mut quiet = Quiet(visitor);
        match (rest.first(), &at.value.data) {
            (Some(Step::Name(_) | Step::Names(_)), Data::Map(_))
            | (Some(Step::All | Step::Filter(_)), Data::Map(_) | Data::List(_)) => {
                self.steps(rest, at, scope, &mut quiet, depth)?;
            }
            (Some(Step::Index(_) | Step::Slice(..)), Data::List(_))
            | (
                None
                | Some(Step::Json | Step::Keys | Step::Split(..) | Step::Quantity | Step::Descend | Step::Elements),
                _,
            ) => {
                self.steps(rest, at, scope, &mut quiet, depth)?;
            }
            (_, Data::Unknown(_)) => self.steps(rest, at, scope, &mut quiet, depth)?,
            _ => {}
        }
        match &at.value.data {
            Data::List(items) => {
                for item in items.iter() {
                    self.descend(rest, at.item(item), scope, quiet.0, depth + 1)?;
                }
            }
            Data::Map(map) => {
                for entry in &map.entries {
                    self.descend(rest, at.entry(entry), scope, quiet.0, depth + 1)?;
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn filtered(
        &self,
        condition: &Condition,
        rest: &[Step],
        node: Node<'_>,
        scope: &Scope<'_>,
        visitor: &mut dyn Visitor,
        depth: usize,
    ) -> ControlFlow<()> {
        if let Data::Unknown(cause) = &node.value.data {
            return visitor.node(Node { maybe: Some(node.maybe.unwrap_or(cause)), ..node });
        }
        let inner = scope.with_node(node);
        match self.condition(condition, &inner, &mut super::trace::Off) {
            Truth::True => self.steps(rest, node, scope, visitor, depth + 1),
            Truth::False => ControlFlow::Continue(()),
            Truth::Unknown => {
                let mut causes = Causes::default();
                self.condition(condition, &inner, &mut causes);
                let unknown = Arc::new(Cause {
                    kind: crate::graph::CauseKind::Unsupported,
                    message: "the filter cannot be decided".to_owned(),
                    span: node.value.span(),
                });
                let cause = causes.0.first().unwrap_or(&unknown);
                self.steps(rest, Node { maybe: Some(node.maybe.unwrap_or(cause)), ..node }, scope, visitor, depth + 1)
            }
        }
    }

    /// The first node of a path that is there and not null; and whether it is certain to be there.
    pub(in crate::policy) fn first(&self, path: &Path, scope: &Scope<'_>) -> Option<Value> {
        let mut found = None;
        let _ = self.walk(path, scope, &mut |node: Node<'_>| {
            if node.value.is_null() {
                return ControlFlow::Continue(());
            }
            found = Some(match node.maybe {
                Some(cause) => Value { data: Data::Unknown(cause.clone()), origin: node.value.origin.clone() },
                None => node.value.clone(),
            });
            ControlFlow::Break(())
        });
        found
    }
}

impl<'v> Node<'v> {
    /// Where a finding about it points: a scalar itself, of a block or mapping what names it, of repeated blocks the
    /// first one's header.
    pub(in crate::policy) fn spot(&self) -> Span {
        let named = match &self.value.data {
            Data::Map(map) => {
                let element = self.container.is_some_and(|c| c.as_list().is_some());
                map.head.or(self.key.map(|(_, span)| span).filter(|_| !element))
            }
            Data::List(items) => items.first().and_then(|item| item.as_map()?.head),
            _ => None,
        };
        let own = self.value.span();
        match named.filter(|span| !span.is_none()) {
            Some(span) => span,
            None if own.is_none() => self.key.map_or(own, |(_, span)| span),
            None => own,
        }
    }

    fn entry(&self, entry: &'v crate::graph::Entry) -> Node<'v>
    where
        Self: 'v,
    {
        Node {
            value: &entry.value,
            key: Some((&entry.key, entry.key_span)),
            container: Some(self.value),
            maybe: self.maybe,
        }
    }

    /// An element keeps the name of its list: that is what names it.
    fn item(&self, item: &'v Value) -> Node<'v>
    where
        Self: 'v,
    {
        Node { value: item, key: self.key, container: Some(self.value), maybe: self.maybe }
    }
}

/// Hands on nodes and keeps quiet about misses: a descent misses almost everywhere.
struct Quiet<'q>(&'q mut dyn Visitor);

impl Visitor for Quiet<'_> {
    fn node(&mut self, node: Node<'_>) -> ControlFlow<()> {
        self.0.node(node)
    }
}

fn position(index: i64, length: usize) -> Option<usize> {
    if index >= 0 {
        usize::try_from(index).ok()
    } else {
        length.checked_sub(usize::try_from(index.unsigned_abs()).ok()?)
    }
}
