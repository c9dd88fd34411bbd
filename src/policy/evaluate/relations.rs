//! Conditions on other resources: the neighbours over edges, and all of a unit or the graph.

use super::Reach;
use super::engine::{Engine, Named, Scope, Tally, settle, verdict};
use super::trace::Tracer;
use super::truth::Truth;
use crate::base::FastSet;
use crate::graph::{Cause, CauseKind, Data, ResourceId, Value};
use crate::policy::model::{Direction, Quantified, Quantifier, Related};
use crate::policy::words::glob_matches;
use std::sync::{Arc, PoisonError};

impl Engine<'_> {
    pub(super) fn related<T: Tracer>(&self, related: &Related, scope: &Scope<'_>, tracer: &mut T) -> Truth {
        self.looked(Reach::Related);
        let mut tally = Tally::default();
        let mut failed = Truth::True;
        let start = tracer.mark();
        let mut seen: FastSet<ResourceId> = FastSet::default();
        let mut done = false;
        self.neighbours(scope.resource, related, &mut |id| {
            if done || !seen.insert(id) {
                return;
            }
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
            at = self.graph.parent(id);
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
            match self.graph.parent(at) {
                Some(parent) => at = parent,
                None => break,
            }
        }
        at
    }

    pub(super) fn resources<T: Tracer>(
        &self,
        kinds: &[String],
        whole_graph: bool,
        name: Option<&str>,
        quantified: &Quantified,
        scope: &Scope<'_>,
        tracer: &mut T,
    ) -> Truth {
        self.looked(if whole_graph { Reach::Everything } else { Reach::Related });
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
                let named = Named::resource(name, id, scope.names);
                self.condition(&quantified.condition, &scope.with_name(&named), tracer)
            }
            None => self.condition(&quantified.condition, &scope, tracer),
        };
        tracer.leave(truth);
        truth
    }
}

fn quantified_of(related: &Related) -> &Quantified {
    &related.quantified
}

/// Whether a kind is Terraform's: `aws_s3_bucket`, `data.x`, `provider.x`, `module`; others begin with a capital. What is
/// not Terraform's may relate to all else that is not ([`Reach::Related`]).
pub fn is_terraform(kind: &str) -> bool {
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
