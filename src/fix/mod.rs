//! Mending what was found: from a policy's wish to edits, tried before they are offered.
//!
//! [`propose`] turns the requests of a report into edits ([`plan`]), [`choose`] takes those that do not stand in each
//! other's way, [`apply`] makes new texts of them, and [`verify()`] checks the new texts in memory: a fix counts only if its
//! finding goes, no other appears, and the files can still be read. [`fix_all`] does this until nothing is left to mend,
//! since one fix may make room for the next; run again, it changes nothing.

mod diff;
mod disk;
mod dockerfile;
mod hcl;
mod ignore;
mod literal;
pub mod plan;
mod source;
#[cfg(test)]
mod tests;
mod verify;
mod yaml;

pub use diff::diff;
pub use disk::write;
pub use ignore::ignore_comment;
pub use verify::{Recheck, verify};

use crate::analysis::{CancelToken, Cancelled, Change, Report, Scope, Snapshot, Workspace};
use crate::base::{FastSet, FileId, Files};
use crate::diagnostic::{Diagnostic, Edit, Fix, Safety};
use plan::Planner;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Rounds of [`fix_all`] before it gives up: more than one finding in a block may need a round each.
const MAX_ROUNDS: usize = 40;

/// A fix that was not tried yet, and the findings (as indexes into the report's) that it is to mend.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The findings: one, or several that one change mends.
    pub findings: Vec<usize>,
    /// The fix.
    pub fix: Fix,
}

/// A file's text before and after.
#[derive(Clone, Debug)]
pub struct Changed {
    /// The path, as the report names it.
    pub path: Arc<str>,
    /// The text that was read.
    pub before: Arc<str>,
    /// The mended text.
    pub after: Arc<str>,
}

/// What [`fix_all`] did.
#[derive(Debug)]
pub struct Outcome {
    /// The files that changed.
    pub changed: Vec<Changed>,
    /// How many findings were mended.
    pub fixed: usize,
    /// How many findings have a fix that was not taken because it is unsafe.
    pub left_unsafe: usize,
    /// The report of the mended texts.
    pub report: Report,
}

/// The edits of every request of a report that can be written down with certainty, and that touch no file but those that
/// were asked for: what lies outside, such as a downloaded module, is somebody else's.
pub fn propose(report: &Report) -> Vec<Candidate> {
    propose_for(report, &|_| true)
}

/// The same for the findings that are `wanted`.
fn propose_for(report: &Report, wanted: &dyn Fn(&Diagnostic) -> bool) -> Vec<Candidate> {
    let ours: FastSet<&str> = report.ledger.files.iter().map(|f| &*f.path).collect();
    let mut planner = Planner::new(&report.files);
    let mut candidates: Vec<Candidate> = Vec::new();
    let mut known: BTreeMap<Vec<(FileId, u32, u32, String)>, usize> = BTreeMap::new();
    for (finding, request) in &report.fixes {
        if !report.diagnostics.get(*finding).is_some_and(wanted) {
            continue;
        }
        let Some(fix) = planner.plan(request) else { continue };
        if !fix.edits.iter().all(|e| ours.contains(report.path(e.span))) {
            continue;
        }
        let key = fix.edits.iter().map(|e| (e.span.file, e.span.start, e.span.end, e.text.clone())).collect();
        match known.get(&key).and_then(|&i| candidates.get_mut(i)) {
            Some(same) => same.findings.push(*finding),
            None => {
                known.insert(key, candidates.len());
                candidates.push(Candidate { findings: vec![*finding], fix });
            }
        }
    }
    candidates
}

/// Whether two edits cannot both be made: they share a byte, or insert at the same place.
fn conflict(a: &Edit, b: &Edit) -> bool {
    a.span.file == b.span.file && a.span.start <= b.span.end && b.span.start <= a.span.end
}

/// The candidates that can be applied together, in order, and the others.
pub fn choose(candidates: Vec<Candidate>) -> (Vec<Candidate>, Vec<Candidate>) {
    let mut taken: BTreeMap<FileId, BTreeMap<u32, Edit>> = BTreeMap::new();
    candidates.into_iter().partition(|candidate| {
        let free = candidate.fix.edits.iter().all(|edit| {
            let Some(edits) = taken.get(&edit.span.file) else { return true };
            // The taken edits do not overlap, so only the neighbours can be in the way.
            let before = edits.range(..=edit.span.end).next_back();
            let behind = edits.range(edit.span.start..).next();
            !before.into_iter().chain(behind).any(|(_, other)| conflict(edit, other))
        });
        if free {
            for edit in &candidate.fix.edits {
                taken.entry(edit.span.file).or_default().insert(edit.span.start, edit.clone());
            }
        }
        free
    })
}

/// The texts that some fixes make. The fixes must not stand in each other's way.
pub fn apply<'a>(files: &Files, fixes: impl IntoIterator<Item = &'a Fix>) -> Vec<Changed> {
    let mut by_file: BTreeMap<FileId, Vec<&Edit>> = BTreeMap::new();
    for edit in fixes.into_iter().flat_map(|f| &f.edits) {
        by_file.entry(edit.span.file).or_default().push(edit);
    }
    let mut changed = Vec::new();
    for (id, mut edits) in by_file {
        let Some(file) = files.get(id) else { continue };
        edits.sort_by_key(|e| (e.span.start, e.span.end));
        let mut text = String::with_capacity(file.text.len() + 64);
        let mut at = 0;
        for edit in edits {
            let range = edit.span.range();
            let Some(kept) = file.text.get(at..range.start) else { continue };
            text.push_str(kept);
            text.push_str(&edit.text);
            at = range.end;
        }
        text.push_str(file.text.get(at..).unwrap_or(""));
        if *text != *file.text {
            changed.push(Changed { path: file.path.clone(), before: file.text.clone(), after: text.into() });
        }
    }
    changed
}

/// Mends all that can be mended: safe fixes, or all of them. The workspace holds the mended texts as overlays
/// afterwards; nothing is written to disk.
///
/// # Errors
/// [`Cancelled`] where `cancel` was triggered before the end.
pub fn fix_all(workspace: &mut Workspace, allow_unsafe: bool, cancel: &CancelToken) -> Result<Outcome, Cancelled> {
    let mut report = workspace.snapshot().check(&Scope::All, cancel)?;
    let mut before: BTreeMap<Arc<str>, Arc<str>> = BTreeMap::new();
    let mut after: BTreeMap<Arc<str>, Arc<str>> = BTreeMap::new();
    // Findings, by fingerprint, whose fix did not stand the trial.
    let mut refused: FastSet<String> = FastSet::default();
    let mut fixed = 0;
    for _ in 0..MAX_ROUNDS {
        let candidates: Vec<Candidate> = propose(&report)
            .into_iter()
            .filter(|c| allow_unsafe || c.fix.safety == Safety::Safe)
            .filter(|c| fingerprints(&report, c).any(|f| !refused.contains(f)))
            .collect();
        if candidates.is_empty() {
            break;
        }
        let (chosen, _) = choose(candidates);
        let mut cancelled = false;
        let (accepted, bad) = {
            let mut recheck = |changed: &[Changed]| {
                let result = trial(workspace, changed, cancel);
                cancelled |= result.is_none();
                result
            };
            verify::first_clean(&report, chosen, &mut recheck)
        };
        if cancelled {
            return Err(Cancelled);
        }
        refused.extend(bad.iter().flat_map(|c| fingerprints(&report, c)).map(str::to_owned));
        if accepted.is_empty() {
            if bad.is_empty() {
                break;
            }
            continue;
        }
        fixed += accepted.iter().map(|c| c.findings.len()).sum::<usize>();
        let changed = apply(&report.files, accepted.iter().map(|c| &c.fix));
        for c in changed {
            before.entry(c.path.clone()).or_insert(c.before);
            after.insert(c.path.clone(), c.after.clone());
        }
        workspace.apply(overlays(&after));
        report = workspace.snapshot().check(&Scope::All, cancel)?;
    }
    let left_unsafe = if allow_unsafe {
        0
    } else {
        propose(&report).iter().filter(|c| c.fix.safety == Safety::Unsafe).map(|c| c.findings.len()).sum()
    };
    let changed = after
        .into_iter()
        .filter_map(|(path, after)| {
            let before = before.get(&path)?.clone();
            (before != after).then_some(Changed { path, before, after })
        })
        .collect();
    Ok(Outcome { changed, fixed, left_unsafe, report })
}

fn fingerprints<'a>(report: &'a Report, candidate: &'a Candidate) -> impl Iterator<Item = &'a str> {
    candidate.findings.iter().filter_map(|&i| report.diagnostics.get(i)).map(|d| d.fingerprint.as_str())
}

fn overlays(texts: &BTreeMap<Arc<str>, Arc<str>>) -> Change {
    Change { overlays: texts.iter().map(|(p, t)| (p.to_string(), Some(t.clone()))).collect(), ..Change::default() }
}

/// Checks a workspace with some texts changed, and puts it back to the texts that were there before.
fn trial(workspace: &mut Workspace, changed: &[Changed], cancel: &CancelToken) -> Option<Report> {
    let texts = |text: fn(&Changed) -> &Arc<str>| Change {
        overlays: changed.iter().map(|c| (c.path.to_string(), Some(text(c).clone()))).collect(),
        ..Change::default()
    };
    workspace.apply(texts(|c| &c.after));
    let report = workspace.snapshot().check(&Scope::All, cancel).ok();
    workspace.apply(texts(|c| &c.before));
    report
}

/// Gives the findings of a snapshot's report that are `wanted` the fixes that stand the trial: those that are offered are
/// proven. A report with many fixes costs a few checks more, each of which does again only what the fixes change; `most`
/// bounds their number, and fixes that were not tried within it are not offered.
pub fn offer_in(
    snapshot: &Snapshot,
    report: &mut Report,
    wanted: &dyn Fn(&Diagnostic) -> bool,
    most: usize,
    cancel: &CancelToken,
) {
    let candidates = propose_for(report, wanted);
    if candidates.is_empty() {
        return;
    }
    let mut workspace = snapshot.fork();
    let mut recheck = |changed: &[Changed]| trial(&mut workspace, changed, cancel);
    for candidate in verify(report, candidates, most, &mut recheck) {
        for i in candidate.findings {
            if let Some(d) = report.diagnostics.get_mut(i) {
                d.fix = Some(candidate.fix.clone());
            }
        }
    }
}
