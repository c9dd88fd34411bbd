//! Where the policies are asked, and what of their answers is remembered.
//!
//! An answer that looked at nothing but its own resource is kept with the piece for as long as the piece lives; one that
//! looked at related resources as long as its island stays the same; one that looked at the whole graph is asked for
//! again each time. How far an answer looked is noted while it is worked out, so nothing has to be said in advance.

use super::check::{Built, lock, map_all};
use super::guard::guard;
use super::pieces::Piece;
use super::unknowns::Part;
use super::{CancelToken, Cancelled, Failure, Settings, UnknownResult};
use crate::base::Span;
use crate::diagnostic::Diagnostic;
use crate::graph::{CauseKind, ResourceGraph, ResourceId};
use crate::policy::document::Documents;
use crate::policy::fix::FixRequest;
use crate::policy::{Evaluation, Judgement, Reach};
use rayon::prelude::*;
use std::sync::Arc;

/// A finding with what a fix and an ignore need of it.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub diagnostic: Diagnostic,
    pub resource: Option<ResourceId>,
    pub fix: Option<FixRequest>,
}

#[derive(Default)]
pub(super) struct Evaluated {
    pub found: Vec<Found>,
    pub unknowns: Vec<Arc<Part>>,
    pub failures: Vec<Failure>,
    pub evaluations: usize,
}

/// A resource, counted from the first of its piece, and a policy, as its place in the choice.
type Question = (u32, u32);

/// What a policy says of a resource, where it says anything. Ids count from the first of the piece.
struct Answer {
    question: Question,
    found: Vec<Found>,
    unknowns: Vec<Arc<UnknownResult>>,
    failure: Option<Failure>,
}

/// Many answers. Those that are unknown stand apart: there are many of them, and they need not be looked at.
#[derive(Default)]
struct Answers {
    known: Vec<Answer>,
    unknown: Arc<Part>,
}

impl Answers {
    /// The answers that say something.
    fn new(judged: Vec<Judged>) -> Answers {
        let mut known: Vec<Answer> = judged.into_iter().map(|(_, answer)| answer).collect();
        let unknown = known.iter_mut().flat_map(|a| std::mem::take(&mut a.unknowns)).collect();
        known.retain(|a| !a.found.is_empty() || a.failure.is_some());
        Answers { known, unknown: Arc::new(Part::new(unknown)) }
    }
}

/// What the policies say of a piece by itself.
pub(super) struct Own {
    answers: Answers,
    /// What cannot be answered from the piece alone.
    beyond: Vec<Question>,
    evaluations: usize,
}

/// What the policies say of a piece on its island.
pub(super) struct Around {
    /// The island's number.
    island: u64,
    answers: Answers,
    /// What cannot be answered from the island alone.
    beyond: Vec<Question>,
}

/// Below this many questions one thread is done before others have started.
const WORTH_THREADS: usize = 600;

/// Holds the chosen policies against the graph.
pub(super) fn evaluate(settings: &Settings, built: &Built, cancel: &CancelToken) -> Result<Evaluated, Cancelled> {
    cancel.check()?;
    if settings.chosen.policies.is_empty() {
        return Ok(Evaluated::default());
    }
    let documents = Documents::new(&built.files);
    let ready = guard(
        "evaluate",
        || "all policies".to_owned(),
        || Evaluation::new(&built.graph, &settings.policies, &settings.chosen, &documents),
    );
    let evaluation = match ready {
        Ok(evaluation) => evaluation,
        Err(failure) => return Ok(Evaluated { failures: vec![failure], ..Evaluated::default() }),
    };
    let court = Court { evaluation: &evaluation, graph: &built.graph, cancel };
    let places: Vec<Place<'_>> = built.places().collect();
    let new: usize = places.iter().filter(|p| p.piece.own.get().is_none()).map(|p| p.piece.resources.len()).sum();
    let asked = map_all(&places, new > WORTH_THREADS, |place| court.piece(place));
    cancel.check()?;
    let mut all = Evaluated::default();
    for (place, asked) in places.iter().zip(asked) {
        let Some(asked) = asked else { return Err(Cancelled) };
        let Some(own) = place.piece.own.get() else { continue };
        all.evaluations += own.evaluations;
        let parts = [&own.answers, &asked.around.answers, &asked.rest];
        let mut answers: Vec<&Answer> = parts.iter().flat_map(|p| &p.known).collect();
        answers.sort_by_key(|a| a.question);
        for answer in answers {
            all.found.extend(answer.found.iter().map(|found| place.moved(found)));
            all.failures.extend(answer.failure.clone());
        }
        all.unknowns.extend(parts.iter().map(|p| p.unknown.clone()));
    }
    Ok(all)
}

/// A piece where it stands in a graph.
pub(super) struct Place<'a> {
    pub piece: &'a Piece,
    /// The id of its first resource.
    pub base: u32,
    pub island: u64,
}

impl Place<'_> {
    /// A finding with the ids that it has in the graph.
    fn moved(&self, found: &Found) -> Found {
        let moved = |id: ResourceId| ResourceId(self.base.saturating_add(id.0));
        let mut found = found.clone();
        found.resource = found.resource.map(moved);
        if let Some(fix) = &mut found.fix {
            fix.resource = moved(fix.resource);
        }
        found
    }
}

/// What was said of a piece this time, beside what it keeps for itself.
struct Asked {
    around: Arc<Around>,
    rest: Answers,
}

/// Everything that answering takes.
struct Court<'a> {
    evaluation: &'a Evaluation<'a>,
    graph: &'a ResourceGraph,
    cancel: &'a CancelToken,
}

/// An answer with how far it looked.
type Judged = (Reach, Answer);

impl Court<'_> {
    /// Every answer about a piece, remembered or worked out; `None` where the check was called off.
    fn piece(&self, place: &Place<'_>) -> Option<Asked> {
        let mut fresh: Option<Vec<Judged>> = None;
        if place.piece.own.get().is_none() {
            let mut questions: Vec<Question> = Vec::new();
            for (local, resource) in (0u32..).zip(&place.piece.resources) {
                questions.extend(self.evaluation.policies(&resource.kind).iter().map(|&policy| (local, policy)));
            }
            let judged = self.judge(place, &questions)?;
            let (own, beyond): (Vec<Judged>, Vec<Judged>) = judged.into_iter().partition(|(r, _)| *r == Reach::Own);
            let known = Own {
                answers: Answers::new(own),
                beyond: beyond.iter().map(|(_, a)| a.question).collect(),
                evaluations: questions.len(),
            };
            // Another thread that was quicker has the same.
            let _ = place.piece.own.set(known);
            fresh = Some(beyond);
        }
        let own = place.piece.own.get()?;
        let known = lock(&place.piece.around).clone().filter(|a| a.island == place.island);
        let (around, rest) = match known {
            Some(around) => {
                let rest = self.judge(place, &around.beyond)?;
                (around, rest)
            }
            None => {
                let judged = match fresh {
                    Some(fresh) => fresh,
                    None => self.judge(place, &own.beyond)?,
                };
                let (related, rest): (Vec<Judged>, Vec<Judged>) =
                    judged.into_iter().partition(|(r, _)| *r != Reach::Everything);
                let around = Arc::new(Around {
                    island: place.island,
                    answers: Answers::new(related),
                    beyond: rest.iter().map(|(_, a)| a.question).collect(),
                });
                *lock(&place.piece.around) = Some(around.clone());
                (around, rest)
            }
        };
        Some(Asked { around, rest: Answers::new(rest) })
    }

    fn judge(&self, place: &Place<'_>, questions: &[Question]) -> Option<Vec<Judged>> {
        let one = |&question: &Question| self.answer(place, question);
        let judged: Vec<Judged> = if questions.len() > WORTH_THREADS {
            questions.par_iter().with_min_len(64).map(one).collect()
        } else {
            questions.iter().map(one).collect()
        };
        (!self.cancel.is_cancelled()).then_some(judged)
    }

    fn answer(&self, place: &Place<'_>, question: Question) -> Judged {
        let (local, policy) = question;
        if self.cancel.is_cancelled() {
            // Nobody waits for it; the caller sees to it that it is not kept.
            return (Reach::Own, Answer { question, found: Vec::new(), unknowns: Vec::new(), failure: None });
        }
        let id = ResourceId(place.base.saturating_add(local));
        let Judgement { reach, findings, unknowns, broken } = self.evaluation.judge(id, policy);
        let back = |id: ResourceId| ResourceId(id.0.saturating_sub(place.base));
        let found = findings
            .into_iter()
            .map(|f| Found {
                diagnostic: f.diagnostic,
                resource: Some(back(f.resource)),
                fix: f.fix.map(|fix| FixRequest { resource: back(fix.resource), ..fix }),
            })
            .collect();
        let unknowns = unknowns
            .into_iter()
            .map(|u| {
                let resource = self.graph.get(u.resource);
                let cause = u.causes.first();
                Arc::new(UnknownResult {
                    rule: u.rule,
                    severity: u.severity,
                    address: resource.address.clone(),
                    kind: resource.kind.clone(),
                    span: resource.head,
                    cause: cause.map_or(CauseKind::Unsupported, |c| c.kind),
                    message: cause.map(|c| c.message.clone()).unwrap_or_default(),
                    cause_span: cause.map_or(Span::NONE, |c| c.span),
                })
            })
            .collect();
        let failure = broken.map(|message| Failure {
            step: "evaluate",
            subject: format!("{} on {}", self.evaluation.name(policy), self.graph.get(id).address),
            message,
        });
        (reach, Answer { question, found, unknowns, failure })
    }
}
