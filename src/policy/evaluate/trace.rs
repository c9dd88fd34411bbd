//! What an evaluation leaves behind beside its answer: nothing on the fast path, the evidence for a finding, the causes of an
//! unknown, or the whole proof.

use super::truth::Truth;
use super::walk::{Miss, Node};
use crate::base::Span;
use crate::graph::{Cause, ResourceId, Value};
use crate::policy::model::{Condition, Path, Step};
use std::sync::Arc;

/// Takes note of an evaluation.
pub(in crate::policy) trait Tracer {
    /// Whether anything is noted at all.
    const ON: bool;
    /// Whether every part is evaluated, also when the answer is already clear.
    const WHOLE: bool;

    /// How much evidence there is.
    fn mark(&self) -> usize {
        0
    }
    /// Forgets the evidence between two marks: something else decided.
    fn forget(&mut self, _from: usize, _to: usize) {}
    /// A node was tested.
    fn node(&mut self, _resource: ResourceId, _path: &Path, _node: Node<'_>, _secret: bool) {}
    /// A path led to nothing.
    fn miss(&mut self, _resource: ResourceId, _path: &Path, _miss: Miss<'_>) {}
    /// An unknown took part.
    fn cause(&mut self, _cause: &Arc<Cause>) {}
    /// Another resource satisfied a condition.
    fn related(&mut self, _resource: ResourceId) {}
    /// A condition begins; `resource` is what it is held against.
    fn enter(&mut self, _condition: &Condition, _resource: ResourceId) {}
    /// One of several nodes or resources is looked at.
    fn enter_one(&mut self, _what: &dyn Fn() -> (String, Span)) {}
    /// What was entered last ends.
    fn leave(&mut self, _truth: Truth) {}
}

/// Notes nothing.
pub(in crate::policy) struct Off;

impl Tracer for Off {
    const ON: bool = false;
    const WHOLE: bool = false;
}

/// Notes the causes of what is unknown, without repeats.
#[derive(Default)]
pub(super) struct Causes(pub Vec<Arc<Cause>>);

impl Tracer for Causes {
    const ON: bool = true;
    const WHOLE: bool = false;

    fn cause(&mut self, cause: &Arc<Cause>) {
        if self.0.len() < 16 && !self.0.contains(cause) {
            self.0.push(cause.clone());
        }
    }
}

/// Something that took part in making a condition true.
#[derive(Clone, Debug)]
pub(super) struct Evidence {
    /// The resource that it stands in.
    pub resource: ResourceId,
    /// The path that led there, as written in the policy.
    pub path: String,
    /// Where it stands, or where it would stand.
    pub span: Span,
    /// What it is; `None` where it is absent.
    pub value: Option<Value>,
    /// Where it is absent, the names that lead to it from the innermost value that is there.
    pub absent: Option<String>,
    /// Whether it was asked whether it is a credential.
    pub secret: bool,
}

/// The names that steps ask for, as they would be written; `None` where they begin with no name. Of several that would do,
/// the first.
pub(super) fn absent_names(steps: &[Step]) -> Option<String> {
    let name = |step: &Step| match step {
        Step::Name(name) => Some(name.clone()),
        Step::Names(names) => names.first().cloned(),
        _ => None,
    };
    let names: Vec<String> = steps
        .iter()
        .filter(|step| !matches!(step, Step::Index(_) | Step::Slice(..) | Step::All | Step::Elements))
        .map_while(name)
        .collect();
    (!names.is_empty()).then(|| names.join("."))
}

/// Notes the evidence for the answer.
#[derive(Default)]
pub(super) struct Gather {
    pub evidence: Vec<Evidence>,
    pub related: Option<ResourceId>,
}

/// No finding shows more places than this.
const MOST_EVIDENCE: usize = 256;

impl Tracer for Gather {
    const ON: bool = true;
    const WHOLE: bool = false;

    fn mark(&self) -> usize {
        self.evidence.len()
    }

    fn forget(&mut self, from: usize, to: usize) {
        let to = to.min(self.evidence.len());
        self.evidence.drain(from.min(to)..to);
    }

    fn node(&mut self, resource: ResourceId, path: &Path, node: Node<'_>, secret: bool) {
        if self.evidence.len() < MOST_EVIDENCE {
            let span = node.spot();
            let value = Some(node.value.clone());
            self.evidence.push(Evidence { resource, path: path.text.clone(), span, value, absent: None, secret });
        }
    }

    fn miss(&mut self, resource: ResourceId, path: &Path, miss: Miss<'_>) {
        if self.evidence.len() < MOST_EVIDENCE {
            let path = path.text.clone();
            let absent = absent_names(miss.rest);
            self.evidence.push(Evidence { resource, path, span: miss.head, value: None, absent, secret: false });
        }
    }

    fn related(&mut self, resource: ResourceId) {
        self.related.get_or_insert(resource);
    }
}
