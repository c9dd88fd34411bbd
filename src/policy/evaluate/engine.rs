//! Conditions, held against a resource and the nodes in scope.
//!
//! The engine is generic over a [`Tracer`]: with [`Off`](super::trace::Off) it answers without a single allocation of its own, and the
//! very same code gathers the evidence of a finding or the proof that `explain` prints.

use super::Reach;
use super::trace::Tracer;
use super::truth::Truth;
use super::walk::{Miss, Node, Visitor};
use crate::base::{FastMap, Span};
use crate::graph::{Cause, Data, ResourceGraph, ResourceId, Value};
use crate::policy::document::Documents;
use crate::policy::model::{Check, Condition, Operand, Path, Quantified, Quantifier, Test};
use crate::policy::set::PolicySet;
use crate::policy::words::glob_matches;
use std::borrow::Cow;
use std::cell::Cell;
use std::ops::ControlFlow;
use std::sync::{Arc, RwLock};

/// Everything that conditions are held against; shared by all policies of a run.
pub(in crate::policy) struct World<'a> {
    pub graph: &'a ResourceGraph,
    pub set: &'a PolicySet,
    pub documents: &'a Documents<'a>,
    /// For a `related` (by its address): the resources whose reference leads to something unknown.
    pub(super) loose: RwLock<FastMap<usize, Arc<Vec<(ResourceId, Arc<Cause>)>>>>,
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
    reach: Cell<Reach>,
}

impl<'a> Engine<'a> {
    pub fn new(world: &'a World<'a>, pool: &'a super::Pool, params: &'a dyn Fn(&str) -> Option<Value>) -> Engine<'a> {
        Engine { world, graph: world.graph, documents: world.documents, pool, params, reach: Cell::default() }
    }

    /// Notes that an answer depends on more than the resource it is about.
    pub(super) fn looked(&self, reach: Reach) {
        self.reach.set(self.reach.get().max(reach));
    }

    /// How far this engine has looked so far.
    pub fn reach(&self) -> Reach {
        self.reach.get()
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
    pub(super) names: Option<&'a Named<'a>>,
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

    pub(super) fn with_resource<'b>(&self, graph: &'b ResourceGraph, id: ResourceId) -> Scope<'b>
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
    /// A name for another resource.
    pub(super) fn resource(name: &'a str, id: ResourceId, outer: Option<&'a Named<'a>>) -> Named<'a> {
        Named { name, target: Target::Resource(id), outer }
    }

    /// A name for a node.
    pub fn node(name: &'a str, node: Node<'a>) -> Named<'a> {
        Named { name, target: Target::Node(node), outer: None }
    }
}

/// Counts what several things answer.
#[derive(Default)]
pub(super) struct Tally {
    pub yes: u32,
    pub unknown: u32,
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
            at = self.graph.parent(id);
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

/// Notes one answer of several; whether the whole is settled.
pub(super) fn settle<T: Tracer>(
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
pub(super) fn verdict(quantified: &Quantified, tally: &Tally, failed: Truth) -> Truth {
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
            let secret = test.checks.iter().any(|c| matches!(c, Check::Secret(..)));
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
