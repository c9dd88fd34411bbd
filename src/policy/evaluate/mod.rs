//! Policies held against the graph.

use super::model::{self, ValueType};
use super::select::Chosen;
use super::set::PolicySet;
use crate::base::Files;
use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::graph::{Cause, Data, ResourceGraph, ResourceId, Value};
use std::sync::Arc;

/// What evaluating policies gives.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The findings, in the order of resources, then of policies.
    pub findings: Vec<Finding>,
    /// Where the answer depends on something that is not known.
    pub unknowns: Vec<Unknown>,
    /// How many times a policy was held against a resource.
    pub evaluations: usize,
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
    patterns: Vec<(String, std::sync::OnceLock<Option<regex::Regex>>)>,
}

impl Pool {
    /// Makes the values; a pattern is built when it is first matched.
    pub fn new(pool: &model::Pool) -> Pool {
        Pool {
            values: pool.literals.iter().map(super::set::literal_value).collect(),
            patterns: pool.patterns.iter().map(|p| (p.clone(), std::sync::OnceLock::new())).collect(),
        }
    }
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

/// Holds the chosen policies against a graph that [`views::derive`](super::views::derive) has completed. `files` holds
/// the texts that the graph's spans refer to.
pub fn evaluate(graph: &ResourceGraph, set: &PolicySet, chosen: &Chosen, files: &Files) -> Outcome {
    let _ = (graph, set, chosen, files);
    Outcome::default()
}
