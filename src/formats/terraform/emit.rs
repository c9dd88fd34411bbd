//! From evaluated modules to the graph: resources with their addresses, and the edges between them.

use super::body::{Bodies, EvalBody, EvalItem, Place};
use super::engine::{Engine, Instance};
use super::eval::Val;
use super::expand::Key;
use super::module::{Merged, ResourceDecl};
use super::scope::resource_value;
use crate::base::{FastMap, Span};
use crate::formats::{LocalEdge, Lowered};
use crate::graph::{Map, Resource, Value};
use crate::syntax::hcl::tree::Text;
use std::rc::Rc;
use std::sync::Arc;

/// An edge whose end is an address.
struct Pending {
    from: u32,
    to: Arc<str>,
    via: Arc<str>,
    span: Span,
}

/// Puts the graph together.
pub struct Emitter<'e, 'a> {
    engine: &'e Engine<'a>,
    unit: Arc<str>,
    lowered: Lowered,
    pending: Vec<Pending>,
    /// Resources by their address, and all instances by the address without its last key.
    addresses: FastMap<Arc<str>, Vec<u32>>,
    /// The bodies of variables, by module and index: they are the same for every call.
    variables: FastMap<(usize, usize), Value>,
    vias: FastMap<String, Arc<str>>,
}

/// What is to become a resource.
struct Node<'n> {
    kind: Arc<str>,
    /// The address without path and key.
    base: String,
    key: &'n Key,
    name: Text,
    span: Span,
    head: Span,
    body: Value,
}

impl<'e, 'a> Emitter<'e, 'a> {
    /// The graph of everything that was evaluated.
    pub fn emit(engine: &'e Engine<'a>, unit: Arc<str>) -> Lowered {
        let mut emitter = Emitter {
            engine,
            unit,
            lowered: Lowered::default(),
            pending: Vec::new(),
            addresses: FastMap::default(),
            variables: FastMap::default(),
            vias: FastMap::default(),
        };
        for (index, instance) in engine.instances.iter().enumerate() {
            emitter.instance(index as u32, instance);
        }
        emitter.connect();
        emitter.outputs();
        emitter.lowered.ledger = engine.ledger.take();
        emitter.lowered
    }

    fn bodies(&self) -> Bodies<'e, 'a> {
        Bodies { engine: self.engine }
    }

    fn instance(&mut self, index: u32, instance: &Instance<'a>) {
        let module = &instance.module;
        let single = Key::Single;
        if module.stand_in {
            self.resources(index, instance);
            return;
        }
        for settings in &module.settings {
            let body = self.bodies().body(settings, &self.engine.scope(index), Place::Other);
            self.block(instance, settings, "terraform".into(), "terraform".to_owned(), "terraform".into(), &body);
        }
        for provider in &module.providers {
            let Some(label) = provider.block.label(0) else { continue };
            let body = self.bodies().body(provider, &self.engine.scope(index), Place::Other);
            let alias = provider.value("alias").and_then(|a| a.as_str());
            let base = alias.map_or_else(|| format!("provider.{label}"), |alias| format!("provider.{label}.{alias}"));
            let name = alias.map_or_else(|| label.clone(), Text::from);
            self.block(instance, provider, format!("provider.{label}").into(), base, name, &body);
        }
        for (i, variable) in module.variables.iter().enumerate() {
            let key = (Rc::as_ptr(module) as usize, i);
            let block = variable.body.block;
            let body = match self.variables.get(&key) {
                Some(body) => body.clone(),
                None => {
                    let body =
                        self.bodies().body(&variable.body, &self.engine.scope(index), Place::Variable).to_value();
                    // Validation rules depend on the value, everything else is the same for every call.
                    if variable.body.blocks().next().is_none() {
                        self.variables.insert(key, body.clone());
                    }
                    body
                }
            };
            let base = format!("var.{}", variable.name);
            let name = variable.name.clone();
            let (span, head) = (block.span, block.head);
            self.push(instance, Node { kind: "variable".into(), base, key: &single, name, span, head, body });
        }
        for block in &module.locals_blocks {
            let mut body = EvalBody::new(block.head, block.span);
            for attribute in block.body.attributes() {
                let name = &attribute.name;
                let val = module.local(&name.text).and_then(|i| instance.locals.get(i as usize)?.clone());
                if let Some(val) = val {
                    body.set(name.text.clone(), name.span, val);
                }
            }
            let (span, head) = (block.span, block.head);
            let node = Node {
                kind: "locals".into(),
                base: "locals".to_owned(),
                key: &single,
                name: "locals".into(),
                span,
                head,
                body: body.to_value(),
            };
            let from = self.push(instance, node);
            self.edges_of(from, &body);
        }
        self.resources(index, instance);
        self.calls(index, instance);
        for (i, output) in module.outputs.iter().enumerate() {
            let mut body = EvalBody::new(output.body.block.head, output.body.block.span);
            for item in &output.body.items {
                let crate::syntax::hcl::tree::Item::Attribute(attribute) = item else { continue };
                let name = &attribute.name;
                let val = match &*name.text {
                    "value" => instance.outputs.get(i).cloned().flatten().unwrap_or_else(Val::null),
                    "depends_on" => continue,
                    _ => self.engine.eval(&attribute.value, &self.engine.scope(index)),
                };
                body.set(name.text.clone(), name.span, val);
            }
            let base = format!("output.{}", output.name);
            self.block(instance, &output.body, "output".into(), base, output.name.clone(), &body);
        }
    }

    fn resources(&mut self, index: u32, instance: &Instance<'a>) {
        let place = self.engine.place(index);
        for (declared, resource) in instance.module.resources.iter().zip(&instance.resources) {
            let Some(resource) = resource else { continue };
            let whole = || resource.val.get_or_init(|| resource_value(declared, resource, &instance.path));
            for (at, ((key, each), body)) in resource.expansion.keys.iter().zip(&resource.bodies).enumerate() {
                let scope = self.engine.scope(index).with_each(key, each).with_self(this(whole(), key, at));
                let body = self.bodies().late(&declared.body, body, &scope);
                let (span, head, value) = match &place {
                    Some(place) => (place.span, place.head, place.resource(body.to_value())),
                    None => (body.span, body.head, body.to_value()),
                };
                let node = Node {
                    kind: declared.kind.clone(),
                    base: declared.address.to_string(),
                    key,
                    name: declared.name.clone(),
                    span,
                    head,
                    body: value,
                };
                let from = self.push(instance, node);
                self.edges_of(from, &body);
                self.depends_on(from, instance, &body);
                self.provider_edge(from, index, declared, &body);
            }
        }
    }

    fn calls(&mut self, index: u32, instance: &Instance<'a>) {
        for (call, evaluated) in instance.module.calls.iter().zip(&instance.calls) {
            let Some(evaluated) = evaluated else { continue };
            for (at, (key, each)) in evaluated.expansion.keys.iter().enumerate() {
                let scope = self.engine.scope(index).with_each(key, each);
                let child = evaluated.children.get(at).map(|&c| &self.engine.instances[c as usize]);
                let mut body = EvalBody::new(call.body.block.head, call.body.block.span);
                for item in &call.body.items {
                    let crate::syntax::hcl::tree::Item::Attribute(attribute) = item else { continue };
                    let name = &attribute.name;
                    // Arguments were evaluated for the module already.
                    let given = child.and_then(|c| c.variable(c.module.variable(&name.text)?)?.given.clone());
                    match given {
                        Some(val) => body.set(name.text.clone(), name.span, val),
                        None => self.bodies().member(item, &scope, evaluated.expansion.given.as_ref(), &mut body),
                    }
                }
                let node = Node {
                    kind: "module".into(),
                    base: format!("module.{}", call.name),
                    key,
                    name: call.name.clone(),
                    span: body.span,
                    head: body.head,
                    body: body.to_value(),
                };
                let from = self.push(instance, node);
                self.edges_of(from, &body);
                self.depends_on(from, instance, &body);
            }
        }
    }

    /// A block that stands once.
    fn block(
        &mut self,
        at: &Instance<'_>,
        merged: &Merged<'_>,
        kind: Arc<str>,
        base: String,
        name: Text,
        body: &EvalBody,
    ) {
        let (span, head) = (merged.block.span, merged.block.head);
        let node = Node { kind, base, key: &Key::Single, name, span, head, body: body.to_value() };
        let from = self.push(at, node);
        self.edges_of(from, body);
    }

    fn push(&mut self, at: &Instance<'_>, node: Node<'_>) -> u32 {
        let index = self.lowered.resources.len() as u32;
        let base: Arc<str> = format!("{}{}", at.path, node.base).into();
        let address: Arc<str> = match node.key {
            Key::Single | Key::Any => base.clone(),
            key => format!("{base}{key}").into(),
        };
        if address != base {
            self.addresses.entry(base).or_default().push(index);
        }
        self.addresses.entry(address.clone()).or_default().push(index);
        self.lowered.resources.push(Arc::new(Resource {
            kind: node.kind,
            address,
            name: node.name,
            unit: self.unit.clone(),
            span: node.span,
            head: node.head,
            body: node.body,
            callers: at.callers.clone(),
            parent: None,
        }));
        index
    }

    // --- edges ---

    fn via(&mut self, path: &str) -> Arc<str> {
        match self.vias.get(path) {
            Some(via) => via.clone(),
            None => {
                let via: Arc<str> = path.into();
                self.vias.insert(path.to_owned(), via.clone());
                via
            }
        }
    }

    fn edges_of(&mut self, from: u32, body: &EvalBody) {
        let mut found: Vec<(String, Arc<str>, Span)> = Vec::new();
        body.for_each_attribute(&mut Vec::new(), &mut |path, val| {
            val.for_each_ref(&mut |inner, one| {
                let path: Vec<&str> = path.iter().chain(inner).copied().collect();
                let span = if one.span.is_none() { val.origin.span } else { one.span };
                found.push((path.join("."), one.target.clone(), span));
            });
        });
        for (path, to, span) in found {
            let via = self.via(&path);
            self.pending.push(Pending { from, to, via, span });
        }
    }

    fn depends_on(&mut self, from: u32, at: &Instance<'_>, body: &EvalBody) {
        let Some(EvalItem::Attribute(val)) = body.get("depends_on") else { return };
        let named: Vec<(Arc<str>, Span)> = val
            .items()
            .unwrap_or_default()
            .iter()
            .filter_map(|item| Some((format!("{}{}", at.path, item.as_str()?).into(), item.origin.span)))
            .collect();
        let via = self.via("depends_on");
        self.pending.extend(named.into_iter().map(|(to, span)| Pending { from, to, via: via.clone(), span }));
    }

    /// The edge to the provider configuration that manages a resource.
    fn provider_edge(&mut self, from: u32, instance: u32, declared: &ResourceDecl<'_>, body: &EvalBody) {
        let (name, mut span) = match body.get("provider") {
            Some(EvalItem::Attribute(val)) => match val.as_str() {
                Some(name) => (name.to_owned(), val.origin.span),
                None => return,
            },
            _ => {
                let kind = declared.kind.rsplit('.').next().unwrap_or(&declared.kind);
                (kind.split('_').next().unwrap_or(kind).to_owned(), body.head)
            }
        };
        if let Some(place) = self.engine.place(instance) {
            span = place.head;
        }
        if let Some(to) = self.provider(instance, &name) {
            let via = self.via("provider");
            self.pending.push(Pending { from, to, via, span });
        }
    }

    /// The address of the provider configuration that a name means in a module: its own, the one that its call passes
    /// on, or, for a name without alias, the caller's.
    fn provider(&self, instance: u32, name: &str) -> Option<Arc<str>> {
        let mut instance = &self.engine.instances[instance as usize];
        let mut name = name.to_owned();
        loop {
            let own = instance.module.providers.iter().any(|p| {
                let label = p.block.label(0).map_or("", |l| l);
                match name.split_once('.') {
                    Some((kind, alias)) => label == kind && p.value("alias").and_then(|a| a.as_str()) == Some(alias),
                    None => label == name && p.value("alias").is_none(),
                }
            });
            if own {
                return Some(format!("{}provider.{name}", instance.path).into());
            }
            let site = instance.site.as_ref()?;
            let parent = &self.engine.instances[site.parent as usize];
            let call = &parent.module.calls[site.call as usize];
            let passed = call.body.value("providers").map(|expr| self.bodies().names(expr));
            let passed = passed.as_ref().and_then(|map| map.table()?.get(&name)?.as_str().map(str::to_owned));
            match passed {
                Some(outer) => name = outer,
                None if name.contains('.') => return None,
                None => {}
            }
            instance = parent;
        }
    }

    fn connect(&mut self) {
        for pending in std::mem::take(&mut self.pending) {
            let mut targets = self.addresses.get(&*pending.to);
            if targets.is_none()
                && let Some(bracket) = pending.to.rfind('[')
            {
                targets = pending.to.get(..bracket).and_then(|base| self.addresses.get(base));
            }
            for &to in targets.into_iter().flatten() {
                if to != pending.from {
                    let edge = LocalEdge { from: pending.from, to, via: pending.via.clone(), span: pending.span };
                    self.lowered.edges.push(edge);
                }
            }
        }
    }

    fn outputs(&mut self) {
        let Some(root) = self.engine.instances.first() else { return };
        let mut outputs = Map::new(None);
        for (declared, val) in root.module.outputs.iter().zip(&root.outputs) {
            if let Some(val) = val {
                let (span, value) = (declared.body.block.head, val.to_value());
                outputs.insert(declared.name.clone(), span, value);
            }
        }
        self.lowered.outputs = Some(Arc::new(outputs));
    }
}

/// The value of one instance out of the value of all of them.
fn this(whole: &Val, key: &Key, at: usize) -> Val {
    let found = match key {
        Key::Single | Key::Any => None,
        Key::Index(_) => whole.items().and_then(|items| items.get(at)),
        Key::Name(name) => whole.table().and_then(|table| table.get(name)),
    };
    found.unwrap_or(whole).clone()
}
