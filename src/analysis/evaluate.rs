//! Where the policies are asked: views, evaluation, and the shape of their answers for the report.

use super::check::Built;
use super::guard::guard;
use super::{CancelToken, Cancelled, Failure, Settings, UnknownResult};
use crate::base::{Files, Span};
use crate::diagnostic::Diagnostic;
use crate::graph::{CauseKind, ResourceGraph, ResourceId};
use crate::policy::fix::FixRequest;
use crate::policy::{self, views};

/// A finding with what a fix and an ignore need of it.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub diagnostic: Diagnostic,
    pub resource: Option<ResourceId>,
    pub fix: Option<FixRequest>,
}

pub(super) struct Evaluated {
    pub found: Vec<Found>,
    pub unknowns: Vec<UnknownResult>,
    pub failures: Vec<Failure>,
    pub evaluations: usize,
}

/// Adds the nodes of views to a linked graph. Where that breaks, the graph is left as it was.
pub(super) fn derive_views(
    settings: &Settings,
    mut graph: ResourceGraph,
    files: &Files,
    failures: &mut Vec<Failure>,
) -> ResourceGraph {
    // Nothing runs, nothing needs a view.
    if settings.chosen.policies.is_empty() {
        return graph;
    }
    let resources = graph.resources.len();
    if let Err(failure) =
        guard("views", || "the whole graph".to_owned(), || views::derive(&mut graph, &settings.policies, files))
    {
        failures.push(failure);
        let mut without = ResourceGraph::default();
        for resource in graph.resources.iter().take(resources) {
            without.add(resource.clone());
        }
        let inside = |id: ResourceId| (id.0 as usize) < resources;
        for edge in graph.edges.iter().filter(|e| inside(e.from) && inside(e.to)) {
            without.connect(edge.clone());
        }
        return without;
    }
    graph
}

/// Holds the chosen policies against the graph.
pub(super) fn evaluate(settings: &Settings, built: &Built, cancel: &CancelToken) -> Result<Evaluated, Cancelled> {
    cancel.check()?;
    let result = guard(
        "evaluate",
        || "all policies".to_owned(),
        || policy::evaluate(&built.graph, &settings.policies, &settings.chosen, &built.files),
    );
    cancel.check()?;
    let (outcome, mut failures) = match result {
        Ok(outcome) => (outcome, Vec::new()),
        Err(failure) => (policy::Outcome::default(), vec![failure]),
    };
    failures.extend(outcome.broken.iter().map(|broken| Failure {
        step: "evaluate",
        subject: format!("{} on {}", broken.policy, built.graph.get(broken.resource).address),
        message: broken.message.clone(),
    }));
    let found = outcome
        .findings
        .into_iter()
        .map(|f| Found { diagnostic: f.diagnostic, resource: Some(f.resource), fix: f.fix })
        .collect();
    let unknowns = outcome
        .unknowns
        .into_iter()
        .map(|u| {
            let resource = built.graph.get(u.resource);
            let cause = u.causes.first();
            UnknownResult {
                rule: u.rule,
                severity: u.severity,
                address: resource.address.clone(),
                kind: resource.kind.clone(),
                span: resource.head,
                cause: cause.map_or(CauseKind::Unsupported, |c| c.kind),
                message: cause.map(|c| c.message.clone()).unwrap_or_default(),
                cause_span: cause.map_or(Span::NONE, |c| c.span),
            }
        })
        .collect();
    Ok(Evaluated { found, unknowns, failures, evaluations: outcome.evaluations })
}
