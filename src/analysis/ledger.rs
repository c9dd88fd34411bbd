//! What became of every file.

use super::check::Built;
use super::workspace::Member;
use super::{FileEntry, FileState, Ledger, Snapshot};
use crate::base::{FastMap, FastSet, FileId};
use crate::formats::LedgerEntry;
use crate::graph::CauseKind;
use std::sync::Arc;

/// Whether an entry means that a part of the file was not looked at, rather than that a value is not known.
fn is_gap(entry: &LedgerEntry) -> bool {
    matches!(entry.kind, CauseKind::Error | CauseKind::Undeclared | CauseKind::Limit | CauseKind::Unsupported)
}

pub(super) fn ledger(snapshot: &Snapshot, built: &Built) -> Ledger {
    let formats = snapshot.workspace.settings.formats;
    let mut errors: FastMap<FileId, usize> = FastMap::default();
    let mut gaps: FastMap<FileId, usize> = FastMap::default();
    for error in &built.errors {
        *errors.entry(error.span.file).or_default() += 1;
    }
    for entry in built.entries.iter().filter(|e| is_gap(e)) {
        *gaps.entry(entry.span.file).or_default() += 1;
    }
    let mut in_units: FastSet<FileId> = FastSet::default();
    let mut broken: FastMap<FileId, &str> = FastMap::default();
    for unit in built.units() {
        in_units.extend(unit.unit.files.iter().copied());
        in_units.extend(unit.reads.iter().filter_map(|(_, f)| f.as_ref().map(|f| f.id)));
        if unit.failure.is_some() {
            broken
                .extend(unit.unit.files.iter().map(|f| (*f, "the program broke on it while evaluating; see failures")));
        }
    }
    let facts: FastMap<&str, _> = built.facts().iter().map(|f| (&*f.file.path, f)).collect();
    let mut files = Vec::new();
    for (path, member) in snapshot.workspace.members.iter() {
        let facts = facts.get(&**path);
        let (state, reason) = match (member, facts) {
            (Member::Context, _) => continue,
            (Member::Note(state, reason), _) => (*state, reason.clone()),
            (Member::Text, None) => (FileState::Unread, "its text is not there".to_owned()),
            (Member::Text, Some(facts)) => {
                let id = facts.file.id;
                let errors = errors.get(&id).copied().unwrap_or(0);
                let gaps = gaps.get(&id).copied().unwrap_or(0);
                if facts.failure.is_some() {
                    (FileState::Unread, "the program broke on it while parsing; see failures".to_owned())
                } else if facts.format.is_none() {
                    (FileState::Skipped, "no format claims it".to_owned())
                } else if let Some(reason) = broken.get(&id) {
                    (FileState::Unread, (*reason).to_owned())
                } else if errors > 0 {
                    (FileState::Partly, count(errors, "syntax error"))
                } else if gaps > 0 {
                    (FileState::Partly, format!("{} not evaluated", count(gaps, "place")))
                } else if in_units.contains(&id) {
                    (FileState::Checked, String::new())
                } else {
                    (FileState::Skipped, "nothing that is checked uses it".to_owned())
                }
            }
        };
        files.push(FileEntry {
            path: path.clone(),
            file: facts.map(|f| f.file.id),
            format: facts.and_then(|f| Some(formats.get(f.format?)?.name())),
            state,
            reason,
        });
    }
    let path = |entry: &LedgerEntry| built.files.get(entry.span.file).map(|f| f.path.clone());
    let mut entries: Vec<(Option<Arc<str>>, LedgerEntry)> =
        built.entries.iter().map(|e| (path(e), e.clone())).collect();
    entries.sort_by(|(pa, a), (pb, b)| {
        (pa, a.span.start, a.span.end, a.kind, &a.message).cmp(&(pb, b.span.start, b.span.end, b.kind, &b.message))
    });
    // A module that is called often says the same thing of the same place each time.
    entries.dedup();
    Ledger { files, entries: entries.into_iter().map(|(_, e)| e).collect() }
}

/// "1 syntax error", "2 syntax errors".
fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}
