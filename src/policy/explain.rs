//! Why a policy says what it says of a resource: every clause with its truth, its place and its value.
//!
//! The proof is made by the evaluator itself, with a tracer that takes note of everything and lets nothing be cut short.

use super::document::Documents;
use super::evaluate::{Engine, Judge, Named, Node, Scope, Truth, World};
use super::evaluate::{Miss, Tracer, short};
use super::model::{Condition, Path, Pool};
use super::phrase;
use super::select::Chosen;
use super::set::PolicySet;
use crate::base::{Files, Span};
use crate::diagnostic::Severity;
use crate::graph::{Cause, ResourceGraph, ResourceId};
use std::ops::ControlFlow;
use std::sync::Arc;

/// What a policy says of one resource, or of one node that its `for_each` selects.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The resource, or the node of a view that was made from it.
    pub resource: ResourceId,
    /// What was judged: the address, and for a node of `for_each` its place.
    pub subject: String,
    /// Where it stands.
    pub span: Span,
    /// `True` is a finding.
    pub truth: Truth,
    /// The policy's `where`; false means that the policy does not apply.
    pub guard: Option<Proof>,
    /// The policy's `deny`; absent where `where` is false already.
    pub deny: Option<Proof>,
}

/// One clause and those inside it.
#[derive(Clone, Debug)]
pub struct Proof {
    /// The clause in words.
    pub clause: String,
    /// Whether it holds.
    pub truth: Truth,
    /// What it looked at.
    pub facts: Vec<Fact>,
    /// The clauses that it is made of.
    pub parts: Vec<Proof>,
}

/// Something that a clause looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fact {
    /// Where it stands.
    pub span: Span,
    /// What is there: the value, `(not set)`, or why it is not known.
    pub text: String,
}

/// A proof shows no more facts of one clause than this.
const MOST_FACTS: usize = 20;

/// What a policy says of the resource at an address, or of the nodes of views made from it. Empty where the policy
/// judges nothing there; `None` where there is no such policy.
pub fn explain(
    graph: &ResourceGraph,
    set: &PolicySet,
    chosen: &Chosen,
    files: &Files,
    policy: &str,
    address: &str,
) -> Option<Vec<Explanation>> {
    let number = u32::try_from(set.position(policy)?).ok()?;
    let compiled = set.get(policy)?;
    let documents = Documents::new(files);
    let world = World::new(graph, set, &documents);
    let judge = Judge { world: &world, compiled, severity: Severity::Info, params: chosen.params.get(&number) };
    let params = |name: &str| judge.param(name);
    let engine = Engine::new(&world, &compiled.pool, &params);
    let mut found = Vec::new();
    for id in graph.ids() {
        let resource = graph.get(id);
        let meant = &*resource.address == address || &*graph.get(engine.root(id)).address == address;
        let judged = compiled.policy.resource.iter().any(|glob| super::views::names_kind(glob, &resource.kind, set));
        if meant && judged {
            one(&engine, &judge, id, &mut found);
        }
    }
    Some(found)
}

fn one(engine: &Engine<'_>, judge: &Judge<'_>, id: ResourceId, found: &mut Vec<Explanation>) {
    let policy = &judge.compiled.policy;
    let resource = engine.graph.get(id);
    let scope = Scope::of(engine.graph, id);
    let guard = policy.guard.as_ref().map(|guard| prove(engine, guard, &scope, &policy.pool));
    let guard_truth = guard.as_ref().map_or(Truth::True, |(truth, _)| *truth);
    let guard = guard.map(|(_, proof)| proof);
    let mut add = |scope: &Scope<'_>, subject: String, span: Span, guard_truth: Truth| {
        let deny = (guard_truth != Truth::False).then(|| prove(engine, &policy.deny, scope, &policy.pool));
        let truth = deny.as_ref().map_or(Truth::False, |(truth, _)| truth.and(guard_truth));
        let deny = deny.map(|(_, proof)| proof);
        found.push(Explanation { resource: id, subject, span, truth, guard: guard.clone(), deny });
    };
    let Some(path) = &policy.for_each else {
        add(&scope, resource.address.to_string(), resource.head, guard_truth);
        return;
    };
    let mut index = 0;
    let _ = engine.walk(path, &scope, &mut |node: Node<'_>| {
        if !node.value.is_null() {
            let guard = if node.maybe.is_some() { guard_truth.and(Truth::Unknown) } else { guard_truth };
            let subject = format!("{} {} [{index}]", resource.address, path.text);
            let named = Named::node(policy.node_name.as_deref().unwrap_or_default(), node);
            add(&scope.with_node(node).with_name(&named), subject, node.value.span(), guard);
            index += 1;
        }
        ControlFlow::Continue(())
    });
}

fn prove(engine: &Engine<'_>, condition: &Condition, scope: &Scope<'_>, pool: &Pool) -> (Truth, Proof) {
    let mut tracer = Proving { pool, open: Vec::new(), done: None };
    let truth = engine.condition(condition, scope, &mut tracer);
    let empty = Proof { clause: String::new(), truth, facts: Vec::new(), parts: Vec::new() };
    (truth, tracer.done.unwrap_or(empty))
}

/// Notes the whole proof.
struct Proving<'a> {
    pool: &'a Pool,
    open: Vec<Proof>,
    done: Option<Proof>,
}

impl Proving<'_> {
    fn fact(&mut self, span: Span, text: String) {
        if let Some(proof) = self.open.last_mut() {
            let fact = Fact { span, text };
            if proof.facts.len() < MOST_FACTS && !proof.facts.contains(&fact) {
                proof.facts.push(fact);
            }
        }
    }
}

impl Tracer for Proving<'_> {
    const ON: bool = true;
    const WHOLE: bool = true;

    fn node(&mut self, _resource: ResourceId, _path: &Path, node: Node<'_>, secret: bool) {
        let span = node.spot();
        let text = match node.value.as_unknown() {
            Some(cause) => format!("(not known: {})", cause.message),
            None => short(node.value, secret).unwrap_or_else(|| "(a larger value)".to_owned()),
        };
        self.fact(span, text);
    }

    fn miss(&mut self, _resource: ResourceId, _path: &Path, miss: Miss<'_>) {
        self.fact(miss.head, "(not set)".to_owned());
    }

    fn cause(&mut self, cause: &Arc<Cause>) {
        self.fact(cause.span, format!("(not known: {})", cause.message));
    }

    fn enter(&mut self, condition: &Condition, _resource: ResourceId) {
        let clause = phrase::condition(condition, self.pool);
        self.open.push(Proof { clause, truth: Truth::Unknown, facts: Vec::new(), parts: Vec::new() });
    }

    fn enter_one(&mut self, what: &dyn Fn() -> (String, Span)) {
        let (clause, span) = what();
        let facts = if span.is_none() { Vec::new() } else { vec![Fact { span, text: String::new() }] };
        self.open.push(Proof { clause, truth: Truth::Unknown, facts, parts: Vec::new() });
    }

    fn leave(&mut self, truth: Truth) {
        let Some(mut proof) = self.open.pop() else { return };
        proof.truth = truth;
        match self.open.last_mut() {
            Some(outer) => outer.parts.push(proof),
            None => self.done = Some(proof),
        }
    }
}
