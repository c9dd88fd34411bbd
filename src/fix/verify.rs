//! Trying fixes: their texts are checked in memory, and what they do is compared with what they promise.

use super::{Candidate, Changed, apply, choose};
use crate::analysis::{Report, SuppressionKind};
use crate::base::{FastMap, FastSet};

/// Checks the workspace with some texts changed; `None` where the check was cancelled.
pub type Recheck<'a> = dyn FnMut(&[Changed]) -> Option<Report> + 'a;

/// What came of trying some fixes together.
enum Verdict {
    /// Nothing new appeared: those that did their work, and those that did not.
    Clean(Vec<Candidate>, Vec<Candidate>),
    /// Something new appeared. The paths it appeared in.
    Trouble(FastSet<String>),
    /// The check was cancelled.
    Cancelled,
}

/// How often each fingerprint occurs. What another finding implies is there all the same: when that one is mended, it comes
/// to light and is not new.
fn counts(report: &Report) -> FastMap<&str, usize> {
    let mut counts = FastMap::default();
    let implied = report.suppressed.iter().filter(|s| s.by.kind == SuppressionKind::Implied).map(|s| &s.diagnostic);
    for d in report.diagnostics.iter().chain(implied) {
        *counts.entry(d.fingerprint.as_str()).or_default() += 1;
    }
    counts
}

/// How many errors there are in each file, and in none.
fn errors(report: &Report) -> FastMap<&str, usize> {
    let mut counts = FastMap::default();
    for e in &report.errors {
        *counts.entry(report.path(e.span)).or_default() += 1;
    }
    counts
}

/// Tries some fixes that do not stand in each other's way.
fn attempt(before: &Report, candidates: &[Candidate], recheck: &mut Recheck<'_>) -> Verdict {
    let changed = apply(&before.files, candidates.iter().map(|c| &c.fix));
    let Some(after) = recheck(&changed) else { return Verdict::Cancelled };
    let (old, new) = (counts(before), counts(&after));
    let mut trouble: FastSet<String> = FastSet::default();
    for d in &after.diagnostics {
        let more = new.get(d.fingerprint.as_str()) > old.get(d.fingerprint.as_str());
        if more {
            trouble.insert(after.path(d.primary.span).to_owned());
            trouble.extend(d.subject.iter().map(|s| after.path(s.span).to_owned()));
        }
    }
    let known = errors(before);
    for (path, n) in errors(&after) {
        if known.get(path).is_none_or(|k| n > *k) {
            trouble.insert(path.to_owned());
        }
    }
    if after.failures.len() > before.failures.len() {
        trouble.extend(changed.iter().map(|c| c.path.to_string()));
    }
    if !trouble.is_empty() {
        return Verdict::Trouble(trouble);
    }
    // A finding that became unknown is not mended.
    let unknown: FastSet<(&str, &str)> = after.unknowns.iter().map(|u| (u.rule.name.as_str(), &*u.address)).collect();
    let mended = |i: &usize| {
        before.diagnostics.get(*i).is_some_and(|d| {
            let left = new.get(d.fingerprint.as_str()).copied().unwrap_or(0);
            let had = old.get(d.fingerprint.as_str()).copied().unwrap_or(0);
            let address = d.subject.as_ref().map_or("", |s| &*s.address);
            left < had && !unknown.contains(&(d.rule.name.as_str(), address))
        })
    };
    let (good, bad) = candidates.iter().cloned().partition(|c| c.findings.iter().all(mended));
    Verdict::Clean(good, bad)
}

/// Two parts of some candidates of which one is likely to be clean: those that touch no file with trouble, and the others;
/// or two halves.
fn split(before: &Report, candidates: Vec<Candidate>, trouble: &FastSet<String>) -> (Vec<Candidate>, Vec<Candidate>) {
    let touches = |c: &Candidate| {
        c.fix.edits.iter().any(|e| trouble.contains(before.path(e.span)))
            || c.findings
                .iter()
                .filter_map(|&i| before.diagnostics.get(i))
                .any(|d| trouble.contains(before.path(d.primary.span)))
    };
    let (bad, good): (Vec<_>, Vec<_>) = candidates.into_iter().partition(touches);
    match (good.is_empty(), bad.is_empty()) {
        (false, false) => (good, bad),
        _ => {
            let mut all = if good.is_empty() { bad } else { good };
            let half = all.split_off(all.len() / 2);
            (all, half)
        }
    }
}

/// The fixes that stand the trial, each alone or with others; at most `most` checks are made, and what was not tried
/// within them is not among the fixes.
pub fn verify(before: &Report, candidates: Vec<Candidate>, most: usize, recheck: &mut Recheck<'_>) -> Vec<Candidate> {
    let mut proven = Vec::new();
    let mut left = most;
    let mut waiting = candidates;
    while !waiting.is_empty() && left > 0 {
        let (chosen, others) = choose(waiting);
        waiting = others;
        let mut groups = vec![chosen];
        while let Some(group) = groups.pop() {
            if group.is_empty() {
                continue;
            }
            if left == 0 {
                return proven;
            }
            left -= 1;
            match attempt(before, &group, recheck) {
                Verdict::Clean(good, _) => proven.extend(good),
                Verdict::Trouble(paths) if group.len() > 1 => {
                    let (a, b) = split(before, group, &paths);
                    groups.extend([b, a]);
                }
                Verdict::Trouble(_) => {}
                Verdict::Cancelled => return proven,
            }
        }
    }
    proven
}

/// The first group of fixes that stands the trial together, and the fixes that were found to do harm or nothing on the way
/// to it.
pub fn first_clean(
    before: &Report,
    candidates: Vec<Candidate>,
    recheck: &mut Recheck<'_>,
) -> (Vec<Candidate>, Vec<Candidate>) {
    let mut refused = Vec::new();
    let mut groups = vec![candidates];
    while let Some(group) = groups.pop() {
        if group.is_empty() {
            continue;
        }
        match attempt(before, &group, recheck) {
            Verdict::Clean(good, bad) => {
                let useless = !bad.is_empty();
                refused.extend(bad);
                if good.is_empty() {
                    continue;
                }
                // Without those that did nothing, the others have not been tried.
                if useless {
                    groups.push(good);
                    continue;
                }
                return (good, refused);
            }
            Verdict::Trouble(paths) if group.len() > 1 => {
                let (a, b) = split(before, group, &paths);
                groups.extend([b, a]);
            }
            Verdict::Trouble(_) => refused.extend(group),
            Verdict::Cancelled => return (Vec::new(), refused),
        }
    }
    (Vec::new(), refused)
}
