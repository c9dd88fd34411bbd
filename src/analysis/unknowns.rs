//! What policies could not decide. A large workspace has tens of thousands of such answers, nearly all of them the same
//! from one keystroke to the next, and an editor shows none of them: they are kept as they were worked out, and are
//! brought in order when somebody reads them.

use super::UnknownResult;
use crate::base::{FastMap, FastSet, FileId, Files};
use crate::diagnostic::Rule;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

/// The unknown answers about one piece of the workspace, remembered with it.
#[derive(Debug, Default)]
pub(super) struct Part {
    results: Vec<Arc<UnknownResult>>,
    /// Every rule among them, once.
    rules: Vec<Arc<Rule>>,
    /// Every file in which one of them stands, once.
    files: Vec<FileId>,
}

impl Part {
    pub fn new(results: Vec<Arc<UnknownResult>>) -> Part {
        let mut part = Part { results, ..Part::default() };
        let (mut rules, mut files) = (FastSet::default(), FastSet::default());
        for result in &part.results {
            if rules.insert(Arc::as_ptr(&result.rule)) {
                part.rules.push(result.rule.clone());
            }
            if files.insert(result.span.file) {
                part.files.push(result.span.file);
            }
        }
        part
    }

    fn is_empty(&self) -> bool {
        self.results.is_empty()
    }
}

/// The unknown answers of a report. As a slice they are sorted by path and place.
#[derive(Clone, Debug, Default)]
pub struct Unknowns {
    parts: Vec<Arc<Part>>,
    /// Files that the report is not about.
    left_out: FastSet<FileId>,
    files: Files,
    sorted: OnceLock<Arc<[Arc<UnknownResult>]>>,
}

impl Unknowns {
    /// Answers as they are, about places in `files`.
    pub fn new(results: Vec<Arc<UnknownResult>>, files: &Files) -> Unknowns {
        Unknowns::of(vec![Arc::new(Part::new(results))], files)
    }

    pub(super) fn of(mut parts: Vec<Arc<Part>>, files: &Files) -> Unknowns {
        parts.retain(|p| !p.is_empty());
        Unknowns { parts, files: files.clone(), ..Unknowns::default() }
    }

    /// Leaves out what stands in files that are not `wanted`.
    pub(super) fn narrow(&mut self, wanted: impl Fn(FileId) -> bool) {
        let mut seen: FastSet<FileId> = FastSet::default();
        for &file in self.parts.iter().flat_map(|p| &p.files) {
            if seen.insert(file) && !wanted(file) {
                self.left_out.insert(file);
            }
        }
        self.sorted = OnceLock::new();
    }

    /// Every answer, in no order: for who searches, which costs less than sorting.
    pub fn unordered(&self) -> impl Iterator<Item = &Arc<UnknownResult>> {
        self.shown().flat_map(move |(part, whole)| {
            part.results.iter().filter(move |u| whole || !self.left_out.contains(&u.span.file))
        })
    }

    /// The rules that could not decide; one may come more than once.
    pub(super) fn rules(&self) -> impl Iterator<Item = &Arc<Rule>> {
        let whole = self.shown().filter(|(_, whole)| *whole).flat_map(|(part, _)| &part.rules);
        let in_part = self.shown().filter(|(_, whole)| !whole).flat_map(|(part, _)| &part.results);
        let in_part = in_part.filter(|u| !self.left_out.contains(&u.span.file)).map(|u| &u.rule);
        whole.chain(in_part)
    }

    /// The parts that are not left out, and whether nothing of them is.
    fn shown(&self) -> impl Iterator<Item = (&Part, bool)> {
        self.parts.iter().filter_map(|part| {
            let out = part.files.iter().filter(|f| self.left_out.contains(f)).count();
            (out < part.files.len()).then_some((&**part, out == 0))
        })
    }

    /// Adds the answers of another report over the same files that are not among these yet.
    pub(super) fn merge(&mut self, other: &Unknowns, files: &Files) {
        type Key<'a> = (&'a str, &'a str, crate::base::Span, crate::base::Span, &'a str);
        fn key(u: &UnknownResult) -> Key<'_> {
            (&u.rule.name, &u.address, u.span, u.cause_span, &u.message)
        }
        let mut seen: FastSet<Key<'_>> = self.unordered().map(|u| key(u)).collect();
        let news: Vec<Arc<UnknownResult>> = other.unordered().filter(|u| seen.insert(key(u))).cloned().collect();
        let all = self.unordered().cloned().chain(news).collect();
        *self = Unknowns::new(all, files);
    }

    fn sort(&self) -> Arc<[Arc<UnknownResult>]> {
        // Numbers in the order of paths, so that paths are compared once for each file and not once for each answer.
        let mut order: Vec<FileId> = self.parts.iter().flat_map(|p| p.files.iter().copied()).collect();
        order.sort_unstable();
        order.dedup();
        order.sort_by_key(|&id| self.files.get(id).map(|f| &*f.path));
        let order: FastMap<FileId, usize> = order.into_iter().enumerate().map(|(i, id)| (id, i)).collect();
        // Place and start side by side with the answer: most comparisons end there and follow no pointer.
        let mut keyed: Vec<(Option<usize>, u32, &Arc<UnknownResult>)> =
            self.unordered().map(|u| (order.get(&u.span.file).copied(), u.span.start, u)).collect();
        keyed.sort_by(|(pa, sa, a), (pb, sb, b)| {
            (pa, sa)
                .cmp(&(pb, sb))
                .then_with(|| (&a.rule.name, &a.address, &a.message).cmp(&(&b.rule.name, &b.address, &b.message)))
        });
        keyed.into_iter().map(|(.., unknown)| unknown.clone()).collect()
    }
}

impl Deref for Unknowns {
    type Target = [Arc<UnknownResult>];

    fn deref(&self) -> &[Arc<UnknownResult>] {
        self.sorted.get_or_init(|| self.sort())
    }
}

impl<'a> IntoIterator for &'a Unknowns {
    type Item = &'a Arc<UnknownResult>;
    type IntoIter = std::slice::Iter<'a, Arc<UnknownResult>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
