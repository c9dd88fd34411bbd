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
pub use secret::{is_credential_name, is_secret, known_key};
pub(super) use trace::{Off, Tracer};
pub use truth::Truth;
pub(super) use walk::{Miss, Node};

use super::document::Documents;
use super::model::{self, ValueType};
use super::select::Chosen;
use super::set::{Compiled, PolicySet};
use crate::base::{FastMap, Files};
use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::graph::{Cause, Data, ResourceGraph, ResourceId, Value};
use rayon::prelude::*;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};

/// What evaluating policies gives.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The findings, in the order of resources, then of policies.
    pub findings: Vec<Finding>,
    /// Where the answer depends on something that is not known.
    pub unknowns: Vec<Unknown>,
    /// How many times a policy was held against a resource.
    pub evaluations: usize,
    /// Where evaluating a policy broke. That is a fault of this program; all other policies went on.
    pub broken: Vec<Broken>,
}

/// A policy whose evaluation broke on a resource.
#[derive(Clone, Debug)]
pub struct Broken {
    /// The policy's name.
    pub policy: String,
    /// The resource.
    pub resource: ResourceId,
    /// What the program said.
    pub message: String,
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

/// Below this many resources, one thread is done before others have started.
const WORTH_THREADS: usize = 200;

/// Holds the chosen policies against a graph that [`views::derive`](super::views::derive) has completed. `files` holds
/// the texts that the graph's spans refer to.
pub fn evaluate(graph: &ResourceGraph, set: &PolicySet, chosen: &Chosen, files: &Files) -> Outcome {
    let documents = Documents::new(files);
    let world = World::new(graph, set, &documents);
    let by_kind = index(graph, set, chosen);
    let judge = |id: ResourceId| {
        let mut outcome = Outcome::default();
        for &number in by_kind.get(&graph.get(id).kind).map_or(&[][..], Vec::as_slice) {
            let Some((policy, severity)) = chosen.policies.get(number as usize) else { continue };
            let Some(compiled) = set.entries().get(*policy as usize).and_then(|e| e.policy()) else { continue };
            outcome.evaluations += 1;
            let judge = Judge { world: &world, compiled, severity: *severity, params: chosen.params.get(policy) };
            let (findings, unknowns) = (outcome.findings.len(), outcome.unknowns.len());
            // Nothing that a panic may leave half done is looked at again: what was added is taken back.
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| judge.judge(id, &mut outcome))) {
                outcome.findings.truncate(findings);
                outcome.unknowns.truncate(unknowns);
                let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
                let message = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
                outcome.broken.push(Broken { policy: compiled.rule.name.clone(), resource: id, message });
            }
        }
        outcome
    };
    let ids: Vec<ResourceId> = graph.ids().filter(|&id| by_kind.contains_key(&graph.get(id).kind)).collect();
    let outcomes: Vec<Outcome> = if ids.len() < WORTH_THREADS {
        ids.into_iter().map(judge).collect()
    } else {
        ids.into_par_iter().with_min_len(16).map(judge).collect()
    };
    let mut whole = Outcome::default();
    for outcome in outcomes {
        whole.findings.extend(outcome.findings);
        whole.unknowns.extend(outcome.unknowns);
        whole.evaluations += outcome.evaluations;
        whole.broken.extend(outcome.broken);
    }
    whole
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

    /// Holds the policy against a resource and adds what it finds.
    pub fn judge(&self, id: ResourceId, outcome: &mut Outcome) {
        let params = |name: &str| self.param(name);
        let engine = Engine::new(self.world, &self.compiled.pool, &params);
        let policy = &self.compiled.policy;
        let scope = Scope::of(self.world.graph, id);
        let guard = match &policy.guard {
            Some(guard) => engine.condition(guard, &scope, &mut trace::Off),
            None => Truth::True,
        };
        if guard == Truth::False {
            return;
        }
        let Some(path) = &policy.for_each else {
            self.one(&engine, &scope, guard, 0, outcome);
            return;
        };
        let mut index = 0;
        let _ = engine.walk(path, &scope, &mut |node: Node<'_>| {
            if !node.value.is_null() {
                let guard = if node.maybe.is_some() { Truth::Unknown } else { guard };
                let named = Named::node(policy.node_name.as_deref().unwrap_or_default(), node);
                self.one(&engine, &scope.with_node(node).with_name(&named), guard, index, outcome);
                index += 1;
            }
            ControlFlow::Continue(())
        });
    }

    /// Judges a resource, or one node of it. `guard` says whether the policy applies.
    fn one(&self, engine: &Engine<'_>, scope: &Scope<'_>, guard: Truth, index: usize, outcome: &mut Outcome) {
        let policy = &self.compiled.policy;
        match engine.condition(&policy.deny, scope, &mut trace::Off).and(guard) {
            Truth::False => {}
            Truth::True => outcome.findings.push(self.finding(engine, scope, index)),
            Truth::Unknown => {
                let mut causes = trace::Causes::default();
                if let Some(guard) = &policy.guard {
                    engine.condition(guard, scope, &mut causes);
                }
                if let Some(cause) = scope.node.and_then(|n| n.maybe) {
                    causes.0.push(cause.clone());
                }
                engine.condition(&policy.deny, scope, &mut causes);
                outcome.unknowns.push(Unknown {
                    rule: self.compiled.rule.clone(),
                    severity: self.severity,
                    resource: scope.judged,
                    causes: causes.0,
                });
            }
        }
    }
}
