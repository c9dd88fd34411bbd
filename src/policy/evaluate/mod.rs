//! Policies held against the graph.
//!
//! The fast path answers true, false or unknown and leaves nothing behind. Only where the answer is true are the conditions
//! evaluated once more to gather the evidence, and only where it is unknown to name the causes.

mod checks;
mod engine;
mod finding;
mod quantity;
mod relations;
mod secret;
mod trace;
mod truth;
mod walk;

#[cfg(test)]
mod tests;

pub(super) use engine::{Engine, Named, Scope, World};
pub(super) use finding::short;
pub use relations::is_terraform;
pub use secret::{is_credential_name, is_secret, known_key};
pub(super) use trace::{Off, Tracer};
pub use truth::Truth;
pub(super) use walk::{Miss, Node};

use super::document::Documents;
use super::model::{self, ValueType};
use super::select::Chosen;
use super::set::{Compiled, PolicySet};
use crate::base::FastMap;
use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::graph::{Cause, Data, ResourceGraph, ResourceId, Value};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};

/// How far an answer looked. What looked no further than its own resource stays true as long as that one does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Reach {
    /// At the resource itself and at what it was made from.
    #[default]
    Own,
    /// At resources that it is joined to, at any distance, and at those that may refer to it: those of its Terraform root
    /// module or, for what is not Terraform's, all that is not Terraform's.
    Related,
    /// At the whole graph.
    Everything,
}

/// What one policy says of one resource.
#[derive(Debug, Default)]
pub struct Judgement {
    /// How far it looked.
    pub reach: Reach,
    /// The findings, in the order of the resource's nodes.
    pub findings: Vec<Finding>,
    /// Where the answer depends on something that is not known.
    pub unknowns: Vec<Unknown>,
    /// What the program said where it broke. That is a fault of ours; all other policies go on.
    pub broken: Option<String>,
}

/// A finding with what a fix needs.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What reporters show; its `fix` is not made yet.
    pub diagnostic: Diagnostic,
    /// The resource (or node of a view) that was judged.
    pub resource: ResourceId,
    /// How to mend it, with the places found in the graph.
    pub fix: Option<super::fix::FixRequest>,
}

/// A policy that can neither say yes nor no of a resource.
#[derive(Clone, Debug)]
pub struct Unknown {
    /// The policy's rule.
    pub rule: Arc<Rule>,
    /// The severity that a finding would have.
    pub severity: Severity,
    /// The resource.
    pub resource: ResourceId,
    /// What blocks the answer, without repeats.
    pub causes: Vec<Arc<Cause>>,
}

/// The values and patterns of a policy, ready for use.
#[derive(Debug, Default)]
pub struct Pool {
    values: Vec<Value>,
    patterns: Vec<Pattern>,
}

/// A regular expression that is built when it is first matched, once for each way of looking at case.
#[derive(Debug)]
struct Pattern {
    text: String,
    exact: OnceLock<Option<regex::Regex>>,
    folded: OnceLock<Option<regex::Regex>>,
}

impl Pool {
    /// Makes the values; a pattern is built when it is first matched.
    pub fn new(pool: &model::Pool) -> Pool {
        Pool {
            values: pool.literals.iter().map(super::set::literal_value).collect(),
            patterns: pool
                .patterns
                .iter()
                .map(|p| Pattern { text: p.clone(), exact: OnceLock::new(), folded: OnceLock::new() })
                .collect(),
        }
    }

    pub(super) fn value(&self, index: u16) -> Option<&Value> {
        self.values.get(usize::from(index))
    }

    pub(super) fn regex(&self, index: u16, fold: bool) -> Option<&regex::Regex> {
        let pattern = self.patterns.get(usize::from(index))?;
        let slot = if fold { &pattern.folded } else { &pattern.exact };
        slot.get_or_init(|| build_regex(&pattern.text, fold)).as_ref()
    }

    fn matches(&self, index: u16, text: &str, fold: bool) -> bool {
        self.regex(index, fold).is_some_and(|regex| regex.is_match(text))
    }
}

fn build_regex(pattern: &str, fold: bool) -> Option<regex::Regex> {
    regex::RegexBuilder::new(pattern).case_insensitive(fold).size_limit(1 << 21).build().ok()
}

/// Whether a pattern that is not written in the policy (a parameter's) matches. One that cannot be read matches nothing.
fn matches_once(pattern: &str, text: &str, fold: bool) -> bool {
    build_regex(pattern, fold).is_some_and(|regex| regex.is_match(text))
}

/// The type of a value; `None` for null and what is unknown.
pub fn type_of(value: &Value) -> Option<ValueType> {
    match &value.data {
        Data::Bool(_) => Some(ValueType::Bool),
        Data::Number(_) => Some(ValueType::Number),
        Data::String(_) => Some(ValueType::String),
        Data::List(_) => Some(ValueType::List),
        Data::Map(_) => Some(ValueType::Map),
        Data::Null | Data::Unknown(_) => None,
    }
}

/// The chosen policies over a graph that [`views::derive`](super::views::derive) has completed.
pub struct Evaluation<'a> {
    world: World<'a>,
    chosen: &'a Chosen,
    by_kind: FastMap<Arc<str>, Vec<u32>>,
}

impl<'a> Evaluation<'a> {
    /// Makes ready. `documents` reads from the texts that the graph's spans refer to.
    pub fn new(
        graph: &'a ResourceGraph,
        set: &'a PolicySet,
        chosen: &'a Chosen,
        documents: &'a Documents<'a>,
    ) -> Evaluation<'a> {
        Evaluation { world: World::new(graph, set, documents), chosen, by_kind: index(graph, set, chosen) }
    }

    /// The policies that judge resources of a kind, as positions in the choice; ascending.
    pub fn policies(&self, kind: &str) -> &[u32] {
        self.by_kind.get(kind).map_or(&[], Vec::as_slice)
    }

    /// The name of a policy of the choice.
    pub fn name(&self, number: u32) -> &str {
        self.compiled(number).map_or("", |(_, compiled, _)| &compiled.rule.name)
    }

    fn compiled(&self, number: u32) -> Option<(u32, &'a Compiled, Severity)> {
        let (policy, severity) = *self.chosen.policies.get(number as usize)?;
        Some((policy, self.world.set.entries().get(policy as usize)?.policy()?, severity))
    }

    /// Holds a policy of the choice against a resource.
    pub fn judge(&self, id: ResourceId, number: u32) -> Judgement {
        let Some((policy, compiled, severity)) = self.compiled(number) else { return Judgement::default() };
        let judge = Judge { world: &self.world, compiled, severity, params: self.chosen.params.get(&policy) };
        catch_unwind(AssertUnwindSafe(|| judge.judge(id))).unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
            let message = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
            // Nobody knows how far it had looked.
            Judgement { reach: Reach::Everything, broken: Some(message), ..Judgement::default() }
        })
    }
}

/// For every kind that occurs in the graph, which of the chosen policies judge it (as positions in `chosen`).
fn index(graph: &ResourceGraph, set: &PolicySet, chosen: &Chosen) -> FastMap<Arc<str>, Vec<u32>> {
    let mut by_kind: FastMap<Arc<str>, Vec<u32>> = FastMap::default();
    let kinds: Vec<&Arc<str>> = graph.kinds().collect();
    for (number, (policy, _)) in chosen.policies.iter().enumerate() {
        let Some(entry) = set.entries().get(*policy as usize) else { continue };
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        for glob in &entry.index.resource {
            let mut add = |kind: &Arc<str>| {
                let list = by_kind.entry(kind.clone()).or_default();
                if list.last() != Some(&number) {
                    list.push(number);
                }
            };
            if glob.contains(['*', '?']) {
                kinds.iter().filter(|kind| super::views::names_kind(glob, kind, set)).for_each(|kind| add(kind));
            } else if let Some(&id) = graph.of_kind(glob).first() {
                add(&graph.get(id).kind);
            }
        }
    }
    by_kind
}

/// One policy held against resources.
pub(super) struct Judge<'a> {
    pub world: &'a World<'a>,
    pub compiled: &'a Compiled,
    pub severity: Severity,
    pub params: Option<&'a FastMap<String, Value>>,
}

impl Judge<'_> {
    /// The value of a parameter: what the configuration sets, or else its default.
    pub fn param(&self, name: &str) -> Option<Value> {
        self.params.and_then(|p| p.get(name)).or_else(|| self.compiled.defaults.get(name)).cloned()
    }

    /// Holds the policy against a resource.
    pub fn judge(&self, id: ResourceId) -> Judgement {
        let params = |name: &str| self.param(name);
        let engine = Engine::new(self.world, &self.compiled.pool, &params);
        let policy = &self.compiled.policy;
        let scope = Scope::of(self.world.graph, id);
        let mut judgement = Judgement::default();
        let guard = match &policy.guard {
            Some(guard) => engine.condition(guard, &scope, &mut trace::Off),
            None => Truth::True,
        };
        let path = match &policy.for_each {
            _ if guard == Truth::False => None,
            None => {
                self.one(&engine, &scope, guard, 0, &mut judgement);
                None
            }
            path => path.as_ref(),
        };
        let Some(path) = path else {
            judgement.reach = engine.reach();
            return judgement;
        };
        let mut index = 0;
        let _ = engine.walk(path, &scope, &mut |node: Node<'_>| {
            if !node.value.is_null() {
                let guard = if node.maybe.is_some() { Truth::Unknown } else { guard };
                let named = Named::node(policy.node_name.as_deref().unwrap_or_default(), node);
                self.one(&engine, &scope.with_node(node).with_name(&named), guard, index, &mut judgement);
                index += 1;
            }
            ControlFlow::Continue(())
        });
        judgement.reach = engine.reach();
        judgement
    }

    /// Judges a resource, or one node of it. `guard` says whether the policy applies.
    fn one(&self, engine: &Engine<'_>, scope: &Scope<'_>, guard: Truth, index: usize, judgement: &mut Judgement) {
        let policy = &self.compiled.policy;
        match engine.condition(&policy.deny, scope, &mut trace::Off).and(guard) {
            Truth::False => {}
            Truth::True => judgement.findings.push(self.finding(engine, scope, index)),
            Truth::Unknown => {
                let mut causes = trace::Causes::default();
                if let Some(guard) = &policy.guard {
                    engine.condition(guard, scope, &mut causes);
                }
                if let Some(cause) = scope.node.and_then(|n| n.maybe) {
                    causes.0.push(cause.clone());
                }
                engine.condition(&policy.deny, scope, &mut causes);
                judgement.unknowns.push(Unknown {
                    rule: self.compiled.rule.clone(),
                    severity: self.severity,
                    resource: scope.judged,
                    causes: causes.0,
                });
            }
        }
    }
}
