//! What a change does to the findings: which it introduces, which it mends, which were there before.
//!
//! [`compare`] holds two reports against each other, of a base and of a head. What is compared is an *instance*: one
//! policy on one resource at one place. A finding of several instances (a module that is called twice) is new for
//! those of its resources that are new, and for no others.
//!
//! Two instances are the same one if, in this order,
//! 1. policy and address agree, and the line of the finding is the same line as before, wherever it moved to;
//! 2. their fingerprints agree, which hold neither lines nor values; where several agree, they are counted;
//! 3. the resource was renamed or moved: it is at its address no more, the other was not at its address before, and the
//!    finding's line, the resource's text, or the renamed file says that they are one.
//!
//! So a second block with the same fault is one new finding even where it shifts the index of the first, and a
//! renamed file introduces nothing.

mod outcome;
mod places;
#[cfg(test)]
mod tests;

pub use outcome::Since;

use super::{FileState, Report};
use crate::base::{FastMap, FastSet, Span};
use crate::diagnostic::{Diagnostic, Label};
use crate::graph::Resource;
use places::Places;
use std::hash::Hash;
use std::sync::Arc;

/// What became of the findings between two reports.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    /// What the head has and the base has not. Spans stand in the head's files.
    pub introduced: Vec<Difference>,
    /// What the base has and the head has no more, because it was mended or taken away. Spans stand in the base's files.
    pub fixed: Vec<Difference>,
    /// What the head does not show although nothing says that it was mended. Spans stand in the base's files.
    pub hidden: Vec<(Difference, Hidden)>,
    /// Findings that both have: the index into the base's, and that into the head's. A finding of the head that is new in
    /// only some of its instances stands here and in `introduced`.
    pub unchanged: Vec<(usize, usize)>,
}

/// A finding, or those of its instances, that only one of two reports has.
#[derive(Clone, PartialEq, Debug)]
pub struct Difference {
    /// The index into the diagnostics of its report.
    pub index: usize,
    /// The finding; where only some of its instances differ, with these alone.
    pub diagnostic: Diagnostic,
}

/// Why a finding of the base is not shown at the head although it may be there.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Hidden {
    /// An ignore, the configuration or a baseline silences it.
    Ignored,
    /// It depends on a value that is not known any more.
    Unknown,
    /// Its file could not be read.
    Unread,
    /// Its policy is not selected any more, or its file is left out; see [`Comparison::hide`].
    LeftOut,
}

impl Hidden {
    /// The reason in words, behind a number.
    pub fn as_str(self) -> &'static str {
        match self {
            Hidden::Ignored => "ignored",
            Hidden::Unknown => "not known",
            Hidden::Unread => "not read",
            Hidden::LeftOut => "left out",
        }
    }
}

impl Comparison {
    /// Takes findings out of `fixed` that are not shown for a reason that the reports do not hold, such as a policy that is
    /// not selected any more or a file that is excluded.
    pub fn hide(&mut self, is_left_out: impl Fn(&Difference) -> bool) {
        let (left_out, fixed) = std::mem::take(&mut self.fixed).into_iter().partition(is_left_out);
        self.fixed = fixed;
        self.hidden.extend(Vec::into_iter(left_out).map(|d| (d, Hidden::LeftOut)));
    }
}

/// One policy on one resource at one place.
struct Instance<'a> {
    /// The index into the diagnostics.
    index: usize,
    /// The index into the occurrences; `None` for the finding itself.
    occurrence: Option<usize>,
    diagnostic: &'a Diagnostic,
    fingerprint: &'a str,
    address: &'a str,
}

impl<'a> Instance<'a> {
    fn of(index: usize, diagnostic: &'a Diagnostic) -> impl Iterator<Item = Instance<'a>> {
        let address = diagnostic.subject.as_ref().map_or("", |s| &*s.address);
        let itself = Instance { index, occurrence: None, diagnostic, fingerprint: &diagnostic.fingerprint, address };
        let others = diagnostic.occurrences.iter().enumerate().map(move |(i, o)| Instance {
            index,
            occurrence: Some(i),
            diagnostic,
            fingerprint: &o.fingerprint,
            address: &o.address,
        });
        std::iter::once(itself).chain(others)
    }

    fn rule(&self) -> &'a str {
        &self.diagnostic.rule.name
    }

    fn kind(&self) -> &'a str {
        self.diagnostic.subject.as_ref().map_or("", |s| &*s.kind)
    }

    fn span(&self) -> Span {
        self.diagnostic.primary.span
    }
}

/// Instances of both sides and which belong together.
struct Match<'a> {
    base: Vec<Instance<'a>>,
    head: Vec<Instance<'a>>,
    /// For each instance of the base, that of the head.
    partner: Vec<Option<usize>>,
    taken: Vec<bool>,
}

impl<'a> Match<'a> {
    fn new(base: Vec<Instance<'a>>, head: Vec<Instance<'a>>) -> Match<'a> {
        let (partner, taken) = (vec![None; base.len()], vec![false; head.len()]);
        Match { base, head, partner, taken }
    }

    fn is_done(&self) -> bool {
        self.partner.iter().all(Option::is_some) || self.taken.iter().all(|t| *t)
    }

    /// Joins what has no partner yet and agrees in a key, in order. A side without a key stays alone.
    fn pair<K: Eq + Hash>(
        &mut self,
        of_base: impl Fn(&Instance<'a>) -> Option<K>,
        of_head: impl Fn(&Instance<'a>) -> Option<K>,
    ) {
        let mut free: FastMap<K, std::collections::VecDeque<usize>> = FastMap::default();
        for (i, instance) in self.head.iter().enumerate() {
            if !self.taken[i]
                && let Some(key) = of_head(instance)
            {
                free.entry(key).or_default().push_back(i);
            }
        }
        for (b, instance) in self.base.iter().enumerate() {
            if self.partner[b].is_none()
                && let Some(key) = of_base(instance)
                && let Some(h) = free.get_mut(&key).and_then(std::collections::VecDeque::pop_front)
            {
                self.partner[b] = Some(h);
                self.taken[h] = true;
            }
        }
    }
}

/// Holds a head against a base. Both reports must name files from the same folder, and should come from checks of all
/// findings ([`Scope::All`](super::Scope::All)) by the same program; their spans need not agree.
pub fn compare(base: &Report, head: &Report) -> Comparison {
    let places = Places::new(base, head);
    let mut found = Match::new(instances(base), instances(head));
    same(&mut found, &places);
    moved(&mut found, &places, base, head);
    split(base, head, found, &places)
}

fn instances(report: &Report) -> Vec<Instance<'_>> {
    report.diagnostics.iter().enumerate().flat_map(|(i, d)| Instance::of(i, d)).collect()
}

/// Joins what is at the same address: by place, then by fingerprint.
fn same<'a>(found: &mut Match<'a>, places: &Places<'a>) {
    found.pair(
        |b| Some((b.rule(), b.address, places.of_base(b.span())?)),
        |h| Some((h.rule(), h.address, places.of_head(h.span())?)),
    );
    found.pair(
        |b| Some((b.rule(), b.fingerprint, places.path_of_base(b.span())?)),
        |h| Some((h.rule(), h.fingerprint, places.path_of_head(h.span())?)),
    );
    found.pair(|b| Some((b.rule(), b.fingerprint)), |h| Some((h.rule(), h.fingerprint)));
}

/// Joins what was renamed or moved.
fn moved<'a>(found: &mut Match<'a>, places: &Places<'a>, base: &'a Report, head: &'a Report) {
    if found.is_done() {
        return;
    }
    let (before, after) = (Known::new(base), Known::new(head));
    // What stood in a file that could not be read any more has not left for elsewhere.
    let left = |b: &Instance<'_>| !before.is_in(b, &after) && !places.is_unread_at_head(b.span());
    let came = |h: &Instance<'_>| !after.is_in(h, &before) && !places.is_unread_at_base(h.span());
    // The line is the same one: the file was renamed, or the resource's name alone has changed.
    found.pair(
        |b| left(b).then_some((b.rule(), b.kind(), places.of_base(b.span())?)),
        |h| came(h).then_some((h.rule(), h.kind(), places.of_head(h.span())?)),
    );
    // The text is the same: the resource was moved to another file or into a module.
    found.pair(
        |b| left(b).then_some((b.rule(), b.kind(), body(base, b)?)),
        |h| came(h).then_some((h.rule(), h.kind(), body(head, h)?)),
    );
    // The file was renamed and the line changed too.
    found.pair(
        |b| {
            let path = places.path_of_base(b.span())?;
            left(b).then(|| (b.rule(), b.kind(), places.renamed_address(b.address), path))
        },
        |h| came(h).then_some((h.rule(), h.kind(), h.address.to_owned(), places.path_of_head(h.span())?)),
    );
}

/// The resources of one side, by what fingerprints know of them.
struct Known<'a> {
    all: FastSet<(&'a str, &'a str)>,
    report: &'a Report,
}

impl<'a> Known<'a> {
    fn new(report: &'a Report) -> Known<'a> {
        Known { all: report.graph.resources.iter().map(|r| identity(r)).collect(), report }
    }

    /// Whether the resource of an instance of this side is also in the other; what is about no resource is in neither.
    fn is_in(&self, instance: &Instance<'_>, other: &Known<'_>) -> bool {
        let Some(subject) = &instance.diagnostic.subject else { return false };
        let graph = &self.report.graph;
        let mut candidates = graph.at_address(instance.address).iter().map(|id| graph.get(*id)).peekable();
        if candidates.peek().is_none() {
            return other.all.contains(&("", instance.address));
        }
        let is_here = |r: &&Arc<Resource>| r.span == subject.span;
        match candidates.clone().find(is_here).or_else(|| candidates.next()) {
            Some(resource) => other.all.contains(&identity(resource)),
            None => false,
        }
    }
}

/// Addresses of Terraform are unique in a root module only; the others by themselves.
fn identity(resource: &Resource) -> (&str, &str) {
    let has_unit = resource.kind.starts_with(|c: char| c.is_ascii_lowercase());
    (if has_unit { &resource.unit } else { "" }, &resource.address)
}

/// The resource's text without its name and indentation, and the line of it on which the finding is. `None` where the
/// resource has no text.
fn body(report: &Report, instance: &Instance<'_>) -> Option<(String, u32)> {
    let subject = instance.diagnostic.subject.as_ref()?;
    let text = report.files.slice(subject.span);
    let address = instance.address;
    let without_key =
        if address.ends_with(']') { address.split_once('[').map_or(address, |(a, _)| a) } else { address };
    let name = without_key.rsplit(['.', '/', ':']).next().filter(|n| !n.is_empty())?;
    let mut lines = String::with_capacity(text.len());
    for line in text.lines().map(str::trim).filter(|l| !l.is_empty()) {
        lines.push_str(&replace_name(line, name, "\0"));
        lines.push('\n');
    }
    if lines.is_empty() {
        return None;
    }
    let place = instance.span();
    let line = if subject.span.contains(place) {
        let lines = report.files.get(place.file)?.lines();
        lines.line(place.start) - lines.line(subject.span.start)
    } else {
        0
    };
    Some((lines, line))
}

/// Replaces a name where it stands by itself: `a` does not stand in `acl`.
fn replace_name(text: &str, name: &str, by: &str) -> String {
    let is_of_name = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once(name).filter(|_| !name.is_empty()) {
        out.push_str(before);
        let alone = !out.ends_with(is_of_name) && !behind.starts_with(is_of_name);
        out.push_str(if alone { by } else { name });
        rest = behind;
    }
    out.push_str(rest);
    out
}

/// From pairs of instances to findings.
fn split<'a>(base: &'a Report, head: &'a Report, found: Match<'a>, places: &Places<'a>) -> Comparison {
    let mut comparison = Comparison::default();
    let mut unchanged: FastSet<(usize, usize)> = FastSet::default();
    let mut seen_head: FastSet<usize> = FastSet::default();
    for (b, partner) in found.partner.iter().enumerate() {
        if let Some(h) = partner {
            let (b, h) = (found.base[b].index, found.head[*h].index);
            if seen_head.insert(h) && unchanged.insert((b, h)) {
                comparison.unchanged.push((b, h));
            }
        }
    }
    comparison.unchanged.sort_unstable_by_key(|(_, h)| *h);
    let new = found.head.iter().zip(&found.taken).filter(|(_, taken)| !**taken).map(|(h, _)| h);
    comparison.introduced = regroup(new);
    let gone = found.base.iter().zip(&found.partner).filter(|(_, partner)| partner.is_none()).map(|(b, _)| b);
    let gone: Vec<&Instance<'_>> = gone.collect();
    if gone.is_empty() {
        return comparison;
    }
    let why = Silence::new(head, places);
    let mut by_reason: FastMap<Option<Hidden>, Vec<&Instance<'_>>> = FastMap::default();
    for instance in gone {
        by_reason.entry(why.of(instance)).or_default().push(instance);
    }
    comparison.fixed = regroup(by_reason.remove(&None).unwrap_or_default().into_iter());
    let mut hidden: Vec<(Difference, Hidden)> = by_reason
        .into_iter()
        .filter_map(|(reason, instances)| Some((reason?, instances)))
        .flat_map(|(reason, instances)| regroup(instances.into_iter()).into_iter().map(move |d| (d, reason)))
        .collect();
    hidden.sort_by_key(|(d, reason)| (d.index, *reason));
    comparison.hidden = hidden;
    debug_assert!(base.diagnostics.len() >= comparison.unchanged.iter().map(|(b, _)| b).collect::<FastSet<_>>().len());
    comparison
}

/// Makes findings of instances again. They come in the order of the findings they are from.
fn regroup<'a, 'b: 'a>(instances: impl Iterator<Item = &'a Instance<'b>>) -> Vec<Difference> {
    let mut groups: Vec<(usize, Vec<&Instance<'_>>)> = Vec::new();
    for instance in instances {
        match groups.last_mut() {
            Some((index, group)) if *index == instance.index => group.push(instance),
            _ => groups.push((instance.index, vec![instance])),
        }
    }
    groups.into_iter().map(|(index, group)| Difference { index, diagnostic: of_instances(&group) }).collect()
}

/// The finding with only these of its instances. The first of them becomes its subject.
fn of_instances(group: &[&Instance<'_>]) -> Diagnostic {
    let Some(first) = group.first() else { unreachable!("a group has a member") };
    let whole = first.diagnostic;
    if group.len() == 1 + whole.occurrences.len() {
        return whole.clone();
    }
    let mut diagnostic = whole.clone();
    diagnostic.occurrences =
        group.iter().skip(1).filter_map(|i| whole.occurrences.get(i.occurrence?)).cloned().collect();
    if let Some(occurrence) = first.occurrence.and_then(|i| whole.occurrences.get(i)) {
        diagnostic.fingerprint = occurrence.fingerprint.clone();
        diagnostic.callers = occurrence.callers.clone();
        // An occurrence tells the whole way; a finding has its calls apart.
        let is_call = |l: &&Label| occurrence.callers.contains(&l.span);
        diagnostic.trace = occurrence.trace.iter().skip_while(is_call).cloned().collect();
        if let Some(subject) = &mut diagnostic.subject {
            diagnostic.message = replace_name(&diagnostic.message, &subject.address, &occurrence.address);
            subject.address = occurrence.address.clone();
        }
    }
    diagnostic
}

/// Why findings of the base are not shown at the head.
struct Silence<'a, 'p> {
    ignored: FastSet<(&'a str, &'a str)>,
    unknown: FastSet<(&'a str, &'a str)>,
    unread: FastSet<&'a str>,
    places: &'p Places<'a>,
}

impl<'a, 'p> Silence<'a, 'p> {
    fn new(head: &'a Report, places: &'p Places<'a>) -> Silence<'a, 'p> {
        let instances = head.suppressed.iter().enumerate().flat_map(|(i, s)| Instance::of(i, &s.diagnostic));
        Silence {
            ignored: instances.map(|i| (i.rule(), i.fingerprint)).collect(),
            unknown: head.unknowns.unordered().map(|u| (u.rule.name.as_str(), &*u.address)).collect(),
            unread: head.ledger.files.iter().filter(|f| f.state == FileState::Unread).map(|f| &*f.path).collect(),
            places,
        }
    }

    fn of(&self, instance: &Instance<'_>) -> Option<Hidden> {
        if self.ignored.contains(&(instance.rule(), instance.fingerprint)) {
            return Some(Hidden::Ignored);
        }
        if self.unknown.contains(&(instance.rule(), instance.address)) {
            return Some(Hidden::Unknown);
        }
        let subject = instance.diagnostic.subject.as_ref().map(|s| s.span);
        let is_unread = |span| {
            self.places.is_unread_at_head(span)
                || self.places.path_of_base(span).is_some_and(|p| self.unread.contains(p))
        };
        (is_unread(instance.span()) || subject.is_some_and(is_unread)).then_some(Hidden::Unread)
    }
}
