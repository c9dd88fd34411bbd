//! Conditions, held against a resource and the nodes in scope.
//!
//! The engine is generic over a [`Tracer`]: with [`Off`](super::trace::Off) it answers without a single allocation of its own, and the
//! very same code gathers the evidence of a finding or the proof that `explain` prints.

use super::trace::Tracer;
use super::truth::Truth;
use super::walk::{Miss, Node, Visitor};
use crate::base::{FastMap, Span};
use crate::graph::{Cause, CauseKind, Data, ResourceGraph, ResourceId, Value};
use crate::policy::document::Documents;
use crate::policy::model::{Check, Condition, Direction, Operand, Path, Quantified, Quantifier, Related, Test};
use crate::policy::set::PolicySet;
use crate::policy::words::glob_matches;
use std::borrow::Cow;
use std::ops::ControlFlow;
use std::sync::{Arc, PoisonError, RwLock};

/// Everything that conditions are held against; shared by all policies of a run.
pub(in crate::policy) struct World<'a> {
    pub graph: &'a ResourceGraph,
    pub set: &'a PolicySet,
    pub documents: &'a Documents<'a>,
    /// For a `related` (by its address): the resources whose reference leads to something unknown.
    loose: RwLock<FastMap<usize, Arc<Vec<(ResourceId, Arc<Cause>)>>>>,
}

impl<'a> World<'a> {
    pub fn new(graph: &'a ResourceGraph, set: &'a PolicySet, documents: &'a Documents<'a>) -> World<'a> {
        World { graph, set, documents, loose: RwLock::default() }
    }
}

/// A world with the values and parameters of one policy.
pub(in crate::policy) struct Engine<'a> {
    pub world: &'a World<'a>,
    pub graph: &'a ResourceGraph,
    pub documents: &'a Documents<'a>,
    pub pool: &'a super::Pool,
    pub params: &'a dyn Fn(&str) -> Option<Value>,
}

impl<'a> Engine<'a> {
    pub fn new(world: &'a World<'a>, pool: &'a super::Pool, params: &'a dyn Fn(&str) -> Option<Value>) -> Engine<'a> {
        Engine { world, graph: world.graph, documents: world.documents, pool, params }
    }
}

/// What paths can start from.
#[derive(Clone, Copy)]
pub(in crate::policy) struct Scope<'a> {
    /// The resource being looked at.
    pub resource: ResourceId,
    /// Its body.
    pub body: &'a Value,
    /// Its head.
    pub head: Span,
    /// The resource that the policy judges.
    pub judged: ResourceId,
    /// The innermost node.
    pub node: Option<Node<'a>>,
    names: Option<&'a Named<'a>>,
}

/// A node or resource with a name.
pub(in crate::policy) struct Named<'a> {
    name: &'a str,
    target: Target<'a>,
    outer: Option<&'a Named<'a>>,
}

enum Target<'a> {
    Node(Node<'a>),
    Resource(ResourceId),
}

impl<'a> Scope<'a> {
    /// A resource by itself.
    pub fn of(graph: &'a ResourceGraph, id: ResourceId) -> Scope<'a> {
        let resource = graph.get(id);
        Scope { resource: id, body: &resource.body, head: resource.head, judged: id, node: None, names: None }
    }

    /// The same with another innermost node.
    pub fn with_node<'b>(&self, node: Node<'b>) -> Scope<'b>
    where
        'a: 'b,
    {
        Scope { node: Some(node), ..*self }
    }

    fn with_resource<'b>(&self, graph: &'b ResourceGraph, id: ResourceId) -> Scope<'b>
    where
        'a: 'b,
    {
        let resource = graph.get(id);
        Scope { resource: id, body: &resource.body, head: resource.head, ..*self }
    }

    pub fn with_name<'b>(&self, named: &'b Named<'b>) -> Scope<'b>
    where
        'a: 'b,
    {
        Scope { names: Some(named), ..*self }
    }

    /// The value of a name and the place that names it.
    pub(super) fn named<'b>(&self, name: &str, graph: &'b ResourceGraph) -> Option<(&'b Value, Span)>
    where
        'a: 'b,
    {
        let mut at = self.names;
        while let Some(named) = at {
            if named.name == name {
                return Some(match &named.target {
                    Target::Node(node) => (node.value, node.key.map_or(node.value.span(), |(_, span)| span)),
                    Target::Resource(id) => {
                        let resource = graph.get(*id);
                        (&resource.body, resource.head)
                    }
                });
            }
            at = named.outer;
        }
        None
    }
}

impl<'a> Named<'a> {
    /// A name for a node.
    pub fn node(name: &'a str, node: Node<'a>) -> Named<'a> {
        Named { name, target: Target::Node(node), outer: None }
    }
}

/// Counts what several things answer.
#[derive(Default)]
struct Tally {
    yes: u32,
    unknown: u32,
}

impl Tally {
    fn add(&mut self, truth: Truth) {
        match truth {
            Truth::True => self.yes = self.yes.saturating_add(1),
            Truth::Unknown => self.unknown = self.unknown.saturating_add(1),
            Truth::False => {}
        }
    }
}

impl Engine<'_> {
    /// Whether a condition holds.
    pub fn condition<T: Tracer>(&self, condition: &Condition, scope: &Scope<'_>, tracer: &mut T) -> Truth {
        tracer.enter(condition, scope.resource);
        let truth = match condition {
            Condition::Constant(b) => Truth::from(*b),
            Condition::All(parts) => self.all(parts, scope, tracer),
            Condition::Any(parts) => self.any(parts, scope, tracer),
            Condition::Not(part) => !self.condition(part, scope, tracer),
            Condition::Test(test) => self.test(test, scope, tracer),
            Condition::Kind(kinds) => Truth::from(self.is_kind(scope.resource, kinds)),
            Condition::ForEach { path, name, quantified } => {
                self.for_each(path, name.as_deref(), quantified, scope, tracer)
            }
            Condition::Related(related) => self.related(related, scope, tracer),
            Condition::Resources { kind, whole_graph, name, quantified } => {
                self.resources(kind, *whole_graph, name.as_deref(), quantified, scope, tracer)
            }
            Condition::PortRange { from, to, ports } => self.port_range(from, to, ports, scope, tracer),
        };
        tracer.leave(truth);
        truth
    }

    fn all<T: Tracer>(&self, parts: &[Condition], scope: &Scope<'_>, tracer: &mut T) -> Truth {
        let start = tracer.mark();
        let mut truth = Truth::True;
        for part in parts {
            let before = tracer.mark();
            let found = self.condition(part, scope, tracer);
            if found == Truth::False && truth != Truth::False {
                // This part alone made it false.
                tracer.forget(start, before);
            }
            truth = truth.and(found);
            if truth == Truth::False && !T::WHOLE {
                break;
            }
        }
        truth
    }

    fn any<T: Tracer>(&self, parts: &[Condition], scope: &Scope<'_>, tracer: &mut T) -> Truth {
        let start = tracer.mark();
        let mut truth = Truth::False;
        for part in parts {
            let before = tracer.mark();
            let found = self.condition(part, scope, tracer);
            if found == Truth::True && truth != Truth::True {
                // This part alone made it true.
                tracer.forget(start, before);
            }
            truth = truth.or(found);
            if truth == Truth::True && !T::WHOLE {
                break;
            }
        }
        truth
    }

    /// Whether a resource, or one that it was derived from, is of one of these kinds.
    pub fn is_kind(&self, id: ResourceId, kinds: &[String]) -> bool {
        let mut at = Some(id);
        for _ in 0..8 {
            let Some(id) = at else { return false };
            let resource = self.graph.get(id);
            if kinds.iter().any(|k| glob_matches(k, &resource.kind)) {
                return true;
            }
            at = resource.parent;
        }
        false
    }

    fn test<T: Tracer>(&self, test: &Test, scope: &Scope<'_>, tracer: &mut T) -> Truth {
        let mut visitor = Testing {
            engine: self,
            test,
            scope,
            start: tracer.mark(),
            tracer,
            truth: Truth::from(test.quantifier != Quantifier::Some),
            certain: 0,
            maybe: 0,
        };
        let _ = self.walk(&test.path, scope, &mut visitor);
        let Testing { truth, certain, maybe, .. } = visitor;
        if certain > 0 {
            return truth;
        }
        let absent = self.absent(test, scope, tracer);
        let absent = if test.quantifier == Quantifier::None { !absent } else { absent };
        if maybe == 0 {
            return absent;
        }
        // There may be nodes, or none: the answer is known only where it is the same either way.
        if absent == truth { truth } else { Truth::Unknown }
    }

    /// What a test says of nothing.
    fn absent<T: Tracer>(&self, test: &Test, scope: &Scope<'_>, tracer: &mut T) -> Truth {
        if let Some(default) = &test.default
            && let Some(value) = self.operand(default, scope)
            && !value.is_null()
        {
            if let Some(cause) = value.as_unknown() {
                tracer.cause(cause);
            }
            let node = Node { value: &value, key: None, container: None, maybe: None };
            return self.checks(test, node, scope);
        }
        let holds = test.checks.iter().all(|check| matches!(check, Check::Exists(false) | Check::Empty(true)));
        Truth::from(holds)
    }

    /// Whether all checks of a test hold of a node.
    fn checks(&self, test: &Test, node: Node<'_>, scope: &Scope<'_>) -> Truth {
        let mut truth = Truth::True;
        for check in &test.checks {
            truth = truth.and(self.check(check, test, node, scope));
            if truth == Truth::False {
                break;
            }
        }
        truth
    }

    fn for_each<T: Tracer>(
        &self,
        path: &Path,
        name: Option<&str>,
        quantified: &Quantified,
        scope: &Scope<'_>,
        tracer: &mut T,
    ) -> Truth {
        let mut each = Each {
            engine: self,
            path,
            name,
            quantified,
            scope,
            start: tracer.mark(),
            tracer,
            tally: Tally::default(),
            failed: Truth::True,
        };
        let _ = self.walk(path, scope, &mut each);
        let Each { tally, failed, .. } = each;
        verdict(quantified, &tally, failed)
    }

    fn related<T: Tracer>(&self, related: &Related, scope: &Scope<'_>, tracer: &mut T) -> Truth {
        let mut tally = Tally::default();
        let mut failed = Truth::True;
        let start = tracer.mark();
        let mut seen: Vec<ResourceId> = Vec::new();
        let mut done = false;
        self.neighbours(scope.resource, related, &mut |id| {
            if done || seen.contains(&id) {
                return;
            }
            seen.push(id);
            let before = tracer.mark();
            let found = self.held_against(id, related.name.as_deref(), quantified_of(related), scope, tracer);
            done = settle(quantified_of(related), found, &mut tally, &mut failed, start, before, tracer);
            if found == Truth::True {
                tracer.related(id);
            }
        });
        let truth = verdict(&related.quantified, &tally, failed);
        // A reference that leads to something unknown may lead here, or there. It matters only where one more
        // neighbour could turn the answer.
        let more = Tally { yes: tally.yes, unknown: tally.unknown.saturating_add(1) };
        let turned = match related.quantified.quantifier {
            Quantifier::Every => failed.and(Truth::Unknown),
            _ => verdict(&related.quantified, &more, failed),
        };
        if turned == truth || truth == Truth::Unknown || related.through.is_empty() {
            return truth;
        }
        let mut loose = false;
        if related.direction != Direction::In
            && let Some(cause) = self.loose_reference(scope.resource, related)
        {
            tracer.cause(&cause);
            loose = true;
        }
        if related.direction != Direction::Out {
            for (id, cause) in self.loose_referrers(related).iter() {
                if self.same_unit(*id, scope.resource) && !seen.contains(id) {
                    // One that could not satisfy the condition anyway decides nothing.
                    let could = self.held_against(
                        *id,
                        related.name.as_deref(),
                        &related.quantified,
                        scope,
                        &mut super::trace::Off,
                    );
                    let matters = match related.quantified.quantifier {
                        Quantifier::Every => could != Truth::True,
                        _ => could != Truth::False,
                    };
                    if matters {
                        tracer.cause(cause);
                        loose = true;
                    }
                }
            }
        }
        if loose { Truth::Unknown } else { truth }
    }

    /// Every resource on the other side of a relation. A view's node has the relations of what it was made from, and
    /// a view on the other side is reached through what it was made from.
    fn neighbours(&self, id: ResourceId, related: &Related, found: &mut dyn FnMut(ResourceId)) {
        let through = |via: &str| related.through.is_empty() || related.through.iter().any(|t| glob_matches(t, via));
        let mut at = Some(id);
        for _ in 0..8 {
            let Some(id) = at else { return };
            if related.direction != Direction::In {
                for edge in self.graph.outgoing(id).filter(|e| through(&e.via)) {
                    self.with_views(edge.to, &related.kind, &edge.via, found, 0);
                }
            }
            if related.direction != Direction::Out {
                for edge in self.graph.incoming(id).filter(|e| through(&e.via)) {
                    self.with_views(edge.from, &related.kind, &edge.via, found, 0);
                }
            }
            at = self.graph.get(id).parent;
        }
    }

    fn with_views(&self, id: ResourceId, kinds: &[String], via: &str, found: &mut dyn FnMut(ResourceId), depth: usize) {
        if kinds.iter().any(|k| glob_matches(k, &self.graph.get(id).kind)) {
            found(id);
        }
        if depth < 4 && via != "part-of" {
            for edge in self.graph.incoming(id).filter(|e| &*e.via == "part-of") {
                self.with_views(edge.from, kinds, "", found, depth + 1);
            }
        }
    }

    /// Why a resource's own reference leads nowhere, where it does.
    fn loose_reference(&self, id: ResourceId, related: &Related) -> Option<Arc<Cause>> {
        let resource = self.graph.get(id);
        related.through.iter().find_map(|through| {
            if self.graph.outgoing(id).any(|e| glob_matches(through, &e.via)) {
                return None;
            }
            unknown_at(&resource.body, through)
        })
    }

    /// The resources of the kinds of a `related` whose reference leads to something unknown.
    fn loose_referrers(&self, related: &Related) -> Arc<Vec<(ResourceId, Arc<Cause>)>> {
        let key = std::ptr::from_ref(related) as usize;
        if let Some(known) = self.world.loose.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return known.clone();
        }
        let mut loose = Vec::new();
        for kind in self.graph.kinds().filter(|kind| related.kind.iter().any(|k| glob_matches(k, kind))) {
            for &id in self.graph.of_kind(kind) {
                // What refers to a resource that is not declared refers to none of those that are.
                if let Some(cause) = self.loose_reference(id, related).filter(|c| c.kind != CauseKind::Undeclared) {
                    loose.push((id, cause));
                }
            }
        }
        let loose = Arc::new(loose);
        self.world.loose.write().unwrap_or_else(PoisonError::into_inner).insert(key, loose.clone());
        loose
    }

    /// Whether two resources were lowered together: a Terraform root module with its modules; everything else is one.
    fn same_unit(&self, a: ResourceId, b: ResourceId) -> bool {
        let (a, b) = (self.root(a), self.root(b));
        let (a, b) = (self.graph.get(a), self.graph.get(b));
        a.unit == b.unit || (!is_terraform(&a.kind) && !is_terraform(&b.kind))
    }

    /// The resource that a view's node was made from in the end.
    pub fn root(&self, id: ResourceId) -> ResourceId {
        let mut at = id;
        for _ in 0..8 {
            match self.graph.get(at).parent {
                Some(parent) => at = parent,
                None => break,
            }
        }
        at
    }

    fn resources<T: Tracer>(
        &self,
        kinds: &[String],
        whole_graph: bool,
        name: Option<&str>,
        quantified: &Quantified,
        scope: &Scope<'_>,
        tracer: &mut T,
    ) -> Truth {
        let mut tally = Tally::default();
        let mut failed = Truth::True;
        let start = tracer.mark();
        let mut ids: Vec<ResourceId> = Vec::new();
        for kind in self.graph.kinds().filter(|kind| kinds.iter().any(|k| glob_matches(k, kind))) {
            ids.extend(self.graph.of_kind(kind).iter().filter(|&&id| whole_graph || self.same_unit(id, scope.judged)));
        }
        ids.sort_unstable();
        for id in ids {
            let before = tracer.mark();
            let found = self.held_against(id, name, quantified, scope, tracer);
            let done = settle(quantified, found, &mut tally, &mut failed, start, before, tracer);
            if found == Truth::True {
                tracer.related(id);
            }
            if done && !T::WHOLE {
                break;
            }
        }
        verdict(quantified, &tally, failed)
    }

    /// A condition with another resource as `$`.
    fn held_against<T: Tracer>(
        &self,
        id: ResourceId,
        name: Option<&str>,
        quantified: &Quantified,
        scope: &Scope<'_>,
        tracer: &mut T,
    ) -> Truth {
        let resource = self.graph.get(id);
        tracer.enter_one(&|| (resource.address.to_string(), resource.head));
        let scope = scope.with_resource(self.graph, id);
        let truth = match name {
            Some(name) => {
                let named = Named { name, target: Target::Resource(id), outer: scope.names };
                self.condition(&quantified.condition, &scope.with_name(&named), tracer)
            }
            None => self.condition(&quantified.condition, &scope, tracer),
        };
        tracer.leave(truth);
        truth
    }

    /// The causes of what is unknown in a condition.
    pub fn causes(&self, condition: &Condition, scope: &Scope<'_>) -> Vec<Arc<Cause>> {
        let mut causes = super::trace::Causes::default();
        self.condition(condition, scope, &mut causes);
        causes.0
    }

    /// The value of an operand. `None` where its path selects nothing.
    pub fn operand<'v>(&'v self, operand: &Operand, scope: &Scope<'_>) -> Option<Cow<'v, Value>> {
        match operand {
            Operand::Literal(index) => self.pool.value(*index).map(Cow::Borrowed),
            Operand::Param(name) => (self.params)(name).map(Cow::Owned),
            Operand::Path(path) => self.first(path, scope).map(Cow::Owned),
            Operand::Data(table, key) => {
                let table = self.world.set.data(table)?;
                match key {
                    Some(key) => table.get(key).map(Cow::Borrowed),
                    None => Some(Cow::Borrowed(table)),
                }
            }
        }
    }
}

fn quantified_of(related: &Related) -> &Quantified {
    &related.quantified
}

/// Whether a kind is Terraform's: `aws_s3_bucket`, `data.x`, `provider.x`, `module`; others begin with a capital.
fn is_terraform(kind: &str) -> bool {
    kind.starts_with(|c: char| c.is_ascii_lowercase())
        && (kind.contains(['_', '.']) || kind == "module" || kind == "terraform")
}

/// The cause at a path of names through maps and lists, where it leads to something unknown.
fn unknown_at(value: &Value, path: &str) -> Option<Arc<Cause>> {
    match &value.data {
        Data::Unknown(cause) => Some(cause.clone()),
        Data::List(items) => items.iter().find_map(|item| unknown_at(item, path)),
        Data::Map(map) if !path.is_empty() => {
            let (name, rest) = path.split_once('.').unwrap_or((path, ""));
            unknown_at(map.get(name)?, rest)
        }
        _ => None,
    }
}

/// Notes one answer of several; whether the whole is settled.
fn settle<T: Tracer>(
    quantified: &Quantified,
    found: Truth,
    tally: &mut Tally,
    failed: &mut Truth,
    start: usize,
    before: usize,
    tracer: &mut T,
) -> bool {
    tally.add(found);
    *failed = failed.and(found);
    let counted = quantified.at_least.is_some() || quantified.at_most.is_some();
    let settled = match quantified.quantifier {
        Quantifier::Every => found == Truth::False,
        Quantifier::Some | Quantifier::None => found == Truth::True && !counted,
    };
    if settled {
        // This one alone decided.
        tracer.forget(start, before);
    }
    settled && !T::WHOLE
}

/// The answer of several. `failed` is the conjunction of all of them.
fn verdict(quantified: &Quantified, tally: &Tally, failed: Truth) -> Truth {
    match quantified.quantifier {
        Quantifier::Every => failed,
        Quantifier::None if tally.yes > 0 => Truth::False,
        Quantifier::None if tally.unknown > 0 => Truth::Unknown,
        Quantifier::None => Truth::True,
        Quantifier::Some => {
            let default = u32::from(quantified.at_most.is_none());
            let (low, high) = (tally.yes, tally.yes.saturating_add(tally.unknown));
            let least = quantified.at_least.unwrap_or(default);
            let enough = if low >= least {
                Truth::True
            } else if high >= least {
                Truth::Unknown
            } else {
                Truth::False
            };
            let few = match quantified.at_most {
                Some(most) if low > most => Truth::False,
                Some(most) if high > most => Truth::Unknown,
                _ => Truth::True,
            };
            enough.and(few)
        }
    }
}

/// Holds a test against the nodes of its path.
struct Testing<'e, 'g, T: Tracer> {
    engine: &'e Engine<'g>,
    test: &'e Test,
    scope: &'e Scope<'e>,
    start: usize,
    tracer: &'e mut T,
    truth: Truth,
    certain: usize,
    maybe: usize,
}

impl<T: Tracer> Visitor for Testing<'_, '_, T> {
    fn node(&mut self, node: Node<'_>) -> ControlFlow<()> {
        if node.value.is_null() {
            if T::ON {
                self.miss(Miss {
                    container: node.value,
                    head: node.key.map_or(node.value.span(), |(_, span)| span),
                    rest: &[],
                });
            }
            return ControlFlow::Continue(());
        }
        let test = self.test;
        let mut truth = self.engine.checks(test, node, self.scope);
        match node.maybe {
            Some(_) => self.maybe += 1,
            None => self.certain += 1,
        }
        if T::ON {
            if let Some(cause) = node.maybe.or(node.value.as_unknown())
                && (truth == Truth::Unknown || node.maybe.is_some())
            {
                self.tracer.cause(cause);
            } else if truth == Truth::Unknown {
                note_causes(node.value, self.tracer, 0);
            }
            let before = self.tracer.mark();
            let secret = test.checks.iter().any(|c| matches!(c, Check::Secret(_)));
            self.tracer.node(self.scope.resource, &test.path, node, secret);
            let decisive = match test.quantifier {
                Quantifier::Some | Quantifier::None => truth == Truth::True,
                Quantifier::Every => truth == Truth::False,
            };
            if decisive && node.maybe.is_none() {
                self.tracer.forget(self.start, before);
            }
        }
        let settled = match test.quantifier {
            Quantifier::Some => {
                if node.maybe.is_some() {
                    truth = truth.and(Truth::Unknown);
                }
                self.truth = self.truth.or(truth);
                self.truth == Truth::True
            }
            Quantifier::None => {
                if node.maybe.is_some() {
                    truth = truth.and(Truth::Unknown);
                }
                self.truth = self.truth.and(!truth);
                self.truth == Truth::False
            }
            Quantifier::Every => {
                if node.maybe.is_some() {
                    truth = truth.or(Truth::Unknown);
                }
                self.truth = self.truth.and(truth);
                self.truth == Truth::False
            }
        };
        if settled && !T::WHOLE { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn miss(&mut self, miss: Miss<'_>) {
        if T::ON {
            self.tracer.miss(self.scope.resource, &self.test.path, miss);
        }
    }
}

/// Notes the unknowns inside a list or map.
fn note_causes<T: Tracer>(value: &Value, tracer: &mut T, depth: usize) {
    match &value.data {
        Data::Unknown(cause) => tracer.cause(cause),
        Data::List(items) if depth < 8 => items.iter().for_each(|v| note_causes(v, tracer, depth + 1)),
        Data::Map(map) if depth < 8 => map.entries.iter().for_each(|e| note_causes(&e.value, tracer, depth + 1)),
        _ => {}
    }
}

/// Holds a condition against each node of a path.
struct Each<'e, 'g, T: Tracer> {
    engine: &'e Engine<'g>,
    path: &'e Path,
    name: Option<&'e str>,
    quantified: &'e Quantified,
    scope: &'e Scope<'e>,
    start: usize,
    tracer: &'e mut T,
    tally: Tally,
    failed: Truth,
}

impl<T: Tracer> Visitor for Each<'_, '_, T> {
    fn node(&mut self, node: Node<'_>) -> ControlFlow<()> {
        if node.value.is_null() {
            return ControlFlow::Continue(());
        }
        let before = self.tracer.mark();
        let text = &self.path.text;
        self.tracer.enter_one(&|| (text.clone(), node.value.span()));
        let scope = self.scope.with_node(node);
        let mut truth = match self.name {
            Some(name) => {
                let named = Named { name, target: Target::Node(node), outer: scope.names };
                self.engine.condition(&self.quantified.condition, &scope.with_name(&named), self.tracer)
            }
            None => self.engine.condition(&self.quantified.condition, &scope, self.tracer),
        };
        self.tracer.leave(truth);
        if T::ON && self.tracer.mark() == before {
            self.tracer.node(self.scope.resource, self.path, node, false);
        }
        if let Some(cause) = node.maybe {
            self.tracer.cause(cause);
            truth = match self.quantified.quantifier {
                Quantifier::Every => truth.or(Truth::Unknown),
                _ => truth.and(Truth::Unknown),
            };
        }
        let settled =
            settle(self.quantified, truth, &mut self.tally, &mut self.failed, self.start, before, self.tracer);
        if settled { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn miss(&mut self, miss: Miss<'_>) {
        if T::ON {
            self.tracer.miss(self.scope.resource, self.path, miss);
        }
    }
}
