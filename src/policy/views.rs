//! Views: derived nodes that give policies one shape for what many kinds say.
//!
//! A view is data ([`View`]): from which kinds, which paths feed which fields. Where a mapping is an algorithm, a
//! `lens` does it. Values keep the places they have in what they come from, so that a finding about a view's
//! node points into the source.

use super::document::Documents;
use super::evaluate::{Engine, Node, Off, Pool, Scope, Truth, World};
use super::lens;
use super::model::{Field, Path, Step, View, ViewSource};
use super::set::PolicySet;
use super::words::glob_matches;
use crate::base::{Files, Span};
use crate::graph::{Cause, Data, Edge, Map, Origin, Resource, ResourceGraph, ResourceId, Value};
use std::ops::ControlFlow;
use std::sync::Arc;

/// Adds the nodes of every view to the graph of one unit, each joined to what it was made from by a `part-of` edge. A view
/// sees no further than its unit, so that what was derived of one stays true whatever happens to others.
/// `files` holds the texts that the graph's spans refer to.
pub fn derive(graph: &mut ResourceGraph, set: &PolicySet, files: &Files) {
    let documents = Documents::new(files);
    for view in &set.library().views {
        for (parent, mut resource) in make(view, graph, set, &documents) {
            let span = resource.head;
            let next = u32::try_from(graph.resources.len()).unwrap_or(u32::MAX);
            resource.parent = Some(next.saturating_sub(parent.0));
            let id = graph.add(Arc::new(resource));
            graph.connect(Edge { from: id, to: parent, via: "part-of".into(), span });
        }
    }
}

/// The nodes of one view with what they are made from, in the order of its sources and of the resources.
fn make(view: &View, graph: &ResourceGraph, set: &PolicySet, documents: &Documents<'_>) -> Vec<(ResourceId, Resource)> {
    let world = World::new(graph, set, documents);
    let kind: Arc<str> = view.name.as_str().into();
    let mut made = Vec::new();
    for source in &view.sources {
        let mut ids: Vec<ResourceId> = graph
            .kinds()
            .filter(|kind| source.resource.iter().any(|glob| names_kind(glob, kind, set)))
            .flat_map(|kind| graph.of_kind(kind).iter().copied())
            .collect();
        if ids.is_empty() {
            continue;
        }
        ids.sort_unstable();
        let pool = Pool::new(&source.pool);
        let engine = Engine::new(&world, &pool, &|_| None);
        let maker = Maker { engine: &engine, source, kind: &kind };
        for id in ids {
            maker.all(id, &mut made);
        }
    }
    made
}

/// Whether a glob means a kind. Views are meant only by their own names: their nodes say again what others say already.
pub(super) fn names_kind(glob: &str, kind: &str, set: &PolicySet) -> bool {
    glob == kind
        || (glob.contains(['*', '?'])
            && glob_matches(glob, kind)
            && !set.library().views.iter().any(|view| view.name == kind))
}

struct Maker<'a> {
    engine: &'a Engine<'a>,
    source: &'a ViewSource,
    kind: &'a Arc<str>,
}

impl Maker<'_> {
    /// The nodes made from one resource.
    fn all(&self, id: ResourceId, made: &mut Vec<(ResourceId, Resource)>) {
        let scope = Scope::of(self.engine.graph, id);
        let Some(path) = &self.source.for_each else {
            self.one(&scope, None, made);
            return;
        };
        let mut index = 0;
        let _ = self.engine.walk(path, &scope, &mut |node: Node<'_>| {
            if !node.value.is_null() {
                self.one(&scope.with_node(node), Some(index), made);
                index += 1;
            }
            ControlFlow::Continue(())
        });
    }

    /// The node, or the nodes of a lens, made from a resource or one of its nodes.
    fn one(&self, scope: &Scope<'_>, index: Option<usize>, made: &mut Vec<(ResourceId, Resource)>) {
        let parent = self.engine.graph.get(scope.resource);
        if let Some(guard) = &self.source.guard {
            match self.engine.condition(guard, scope, &mut Off) {
                Truth::True => {}
                Truth::False => return,
                // Of a kind that the view names it may be such a node; of any kind at all there is no reason to think so.
                Truth::Unknown if self.source.resource.iter().any(|kind| **kind == *parent.kind) => {}
                Truth::Unknown => return,
            }
        }
        let name = self.source.name.as_ref().and_then(|field| self.field(field, scope));
        let node = scope.node;
        let head = match (&name, node) {
            (Some(name), Some(_)) if !name.span().is_none() => name.span(),
            (_, Some(node)) => node.spot(),
            _ => parent.head,
        };
        let span = node.map_or(parent.span, |n| if n.value.span().is_none() { parent.span } else { n.value.span() });
        let label = self.label(name.as_ref(), index);
        let address: Arc<str> = match &label {
            Some(label) => format!("{}#{label}", parent.address).into(),
            None => parent.address.clone(),
        };
        let resource = |body: Value, address: Arc<str>, name: Arc<str>, head: Span, span: Span| Resource {
            kind: self.kind.clone(),
            address,
            name,
            unit: parent.unit.clone(),
            span,
            head,
            body,
            callers: parent.callers.clone(),
            parent: None,
        };
        let text = name.as_ref().and_then(|n| n.scalar_text()).map(|t| Arc::from(&*t));
        let name = text.unwrap_or_else(|| match index {
            Some(_) => label.as_deref().unwrap_or_default().into(),
            None => parent.name.clone(),
        });
        let Some((lens, documents)) = &self.source.lens else {
            if let Some(body) = self.body(scope, head) {
                made.push((scope.resource, resource(body, address, name, head, span)));
            }
            return;
        };
        let mut statement = 0;
        for path in documents {
            let _ = self.engine.walk(path, scope, &mut |node: Node<'_>| {
                if node.value.is_null() {
                    return ControlFlow::Continue(());
                }
                for made_by_lens in lens::apply(lens, node.value, self.engine.documents) {
                    let span = made_by_lens.span();
                    let span = if span.is_none() { node.value.span() } else { span };
                    let body = self.with_fields(made_by_lens, scope, span);
                    let address = format!("{address}#{}[{statement}]", lens_word(path)).into();
                    statement += 1;
                    made.push((scope.resource, resource(body, address, name.clone(), span, span)));
                }
                ControlFlow::Continue(())
            });
        }
    }

    /// What tells the nodes of one resource apart: their name, or the name of the list and their place in it.
    fn label(&self, name: Option<&Value>, index: Option<usize>) -> Option<String> {
        let index = index?;
        if let Some(text) = name.and_then(Value::scalar_text) {
            return Some(text.into_owned());
        }
        let list = self.source.for_each.as_ref().and_then(|path| {
            path.steps.iter().rev().find_map(|step| match step {
                Step::Name(name) => Some(name.as_str()),
                _ => None,
            })
        });
        Some(format!("{}[{index}]", list.unwrap_or_default()))
    }

    /// The body of a node; unknown where what it is spread from is unknown. `None` where there is nothing to spread.
    fn body(&self, scope: &Scope<'_>, head: Span) -> Option<Value> {
        let origin = scope.node.map_or(&scope.body.origin, |n| &n.value.origin).clone();
        if let Some(cause) = scope.node.and_then(|n| n.value.as_unknown()) {
            return Some(unknown(cause, origin));
        }
        let mut map = Map::new(Some(head));
        let mut spread_from: Option<Origin> = None;
        for path in &self.source.spread {
            let Some(value) = self.engine.first(path, scope) else { continue };
            match &value.data {
                Data::Map(inner) => {
                    spread_from.get_or_insert_with(|| value.origin.clone());
                    for entry in &inner.entries {
                        map.insert(entry.key.clone(), entry.key_span, entry.value.clone());
                    }
                }
                Data::Unknown(cause) => return Some(unknown(cause, value.origin.clone())),
                _ => {}
            }
        }
        if !self.source.spread.is_empty() && spread_from.is_none() && self.source.fields.is_empty() {
            return None;
        }
        self.fields(&self.source.fields, scope, &mut map);
        Some(Value { data: Data::Map(Arc::new(map)), origin: spread_from.unwrap_or(origin) })
    }

    /// What a lens made, with the fields of the source beside it.
    fn with_fields(&self, made: Value, scope: &Scope<'_>, head: Span) -> Value {
        let Data::Map(map) = &made.data else { return made };
        let mut map = (**map).clone();
        map.head.get_or_insert(head);
        self.fields(&self.source.fields, scope, &mut map);
        Value { data: Data::Map(Arc::new(map)), origin: made.origin }
    }

    fn fields(&self, fields: &[(String, Field)], scope: &Scope<'_>, map: &mut Map) {
        for (name, field) in fields {
            if let Some(value) = self.field(field, scope) {
                let span = value.span();
                map.insert(name.as_str(), span, value);
            }
        }
    }

    fn field(&self, field: &Field, scope: &Scope<'_>) -> Option<Value> {
        match field {
            Field::Literal(index) => self.engine.pool.value(*index).cloned(),
            Field::First(paths, default) => paths
                .iter()
                .find_map(|path| self.engine.first(path, scope))
                .or_else(|| default.and_then(|index| self.engine.pool.value(index).cloned())),
            Field::List(paths) => self.list(paths, scope),
            Field::Translate(inner, table) => {
                let value = self.field(inner, scope)?;
                let Some(text) = value.scalar_text() else { return Some(value) };
                let found = table.iter().find(|(word, _)| word.eq_ignore_ascii_case(&text));
                match found.and_then(|(_, index)| self.engine.pool.value(*index)) {
                    Some(translated) => Some(Value { data: translated.data.clone(), origin: value.origin.clone() }),
                    None => Some(value),
                }
            }
            Field::Case(cases) => {
                for (condition, field) in cases {
                    match self.engine.condition(condition, scope, &mut Off) {
                        Truth::True => return self.field(field, scope),
                        Truth::False => {}
                        Truth::Unknown => {
                            // Which case it is depends on something unknown, and so does the value.
                            let cause = self.engine.causes(condition, scope).into_iter().next()?;
                            let span = cause.span;
                            return Some(unknown(&cause, Origin::literal(span)));
                        }
                    }
                }
                None
            }
            Field::Range(from, to) => self.range(from, to, scope),
            Field::Map(fields) => {
                // What is absent in it is absent in the node: that is where a finding points.
                let head = scope.node.map_or(scope.head, |node| node.spot());
                let mut map = Map::new(Some(head));
                self.fields(fields, scope, &mut map);
                (!map.entries.is_empty()).then(|| Value::map(map, head))
            }
        }
    }

    fn list(&self, paths: &[Path], scope: &Scope<'_>) -> Option<Value> {
        let mut items: Vec<Value> = Vec::new();
        for path in paths {
            let _ = self.engine.walk(path, scope, &mut |node: Node<'_>| {
                if let Some(cause) = node.maybe {
                    items.push(unknown(cause, node.value.origin.clone()));
                } else if !node.value.is_null() {
                    items.push(node.value.clone());
                }
                ControlFlow::Continue(())
            });
        }
        let span = items.first()?.span();
        Some(Value::list(items, span))
    }

    /// Two numbers as a range of ports.
    fn range(&self, from: &Path, to: &Path, scope: &Scope<'_>) -> Option<Value> {
        let (from, to) = (self.engine.first(from, scope), self.engine.first(to, scope));
        let (Some(low), Some(high)) = (from.as_ref().or(to.as_ref()), to.as_ref().or(from.as_ref())) else {
            return None;
        };
        for end in [low, high] {
            if end.as_unknown().is_some() {
                return Some(end.clone());
            }
        }
        let (from, to) = (low.scalar_text()?, high.scalar_text()?);
        let text = if from == "-1" || to == "-1" {
            "*".to_owned()
        } else if from == to {
            from.into_owned()
        } else {
            format!("{from}-{to}")
        };
        let mut value = low.clone();
        value.data = Data::String(text.into());
        value.origin.span = low.span().to(high.span());
        Some(value)
    }
}

fn unknown(cause: &Arc<Cause>, origin: Origin) -> Value {
    Value { data: Data::Unknown(cause.clone()), origin }
}

/// The last name of a lens's document path: `policy`, `assume_role_policy`.
fn lens_word(path: &Path) -> &str {
    path.steps
        .iter()
        .rev()
        .find_map(|step| match step {
            Step::Name(name) => Some(name.as_str()),
            _ => None,
        })
        .unwrap_or("statement")
}
