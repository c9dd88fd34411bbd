//! Several environments over the same files: what fails in all of them, and what only in some.

use super::{FileState, Report};
use crate::base::{FastMap, Span};
use crate::diagnostic::Diagnostic;
use std::sync::Arc;

type Key = (String, Span, Option<Arc<str>>);

fn key(diagnostic: &Diagnostic) -> Key {
    let address = diagnostic.subject.as_ref().map(|s| s.address.clone());
    (diagnostic.rule.name.clone(), diagnostic.primary.span, address)
}

impl Report {
    /// Makes one report of the checks of several environments, each with its name. They must come from one workspace, so
    /// that their spans mean the same files. A finding that not all environments have says which have it. The graph, and
    /// with it the fixes, are those of the first environment.
    pub fn merge(environments: Vec<(String, Report)>) -> Report {
        let all = environments.len();
        let mut environments = environments.into_iter();
        let Some((first, mut merged)) = environments.next() else { return Report::default() };
        let mut seen: FastMap<Key, usize> = FastMap::default();
        let mut names: Vec<Vec<String>> = Vec::new();
        for (i, diagnostic) in merged.diagnostics.iter().enumerate() {
            seen.entry(key(diagnostic)).or_insert(i);
            names.push(vec![first.clone()]);
        }
        for (name, report) in environments {
            for file in report.files.iter() {
                if merged.files.get(file.id).is_none() {
                    merged.files.adopt(file.clone());
                }
            }
            for diagnostic in report.diagnostics {
                let index = *seen.entry(key(&diagnostic)).or_insert(merged.diagnostics.len());
                match names.get_mut(index) {
                    Some(known) if known.last() != Some(&name) => known.push(name.clone()),
                    Some(_) => {}
                    None => {
                        merged.diagnostics.push(diagnostic);
                        names.push(vec![name.clone()]);
                    }
                }
            }
            append(&mut merged.suppressed, report.suppressed);
            merged.unknowns.merge(&report.unknowns, &merged.files);
            append(&mut merged.errors, report.errors);
            append(&mut merged.failures, report.failures);
            append(&mut merged.ledger.entries, report.ledger.entries);
            for file in report.ledger.files {
                match merged.ledger.files.iter_mut().find(|f| f.path == file.path) {
                    Some(known) if rank(file.state) > rank(known.state) => *known = file,
                    Some(_) => {}
                    None => merged.ledger.files.push(file),
                }
            }
            merged.stats.evaluations += report.stats.evaluations;
            merged.timings.steps.extend(report.timings.steps);
        }
        for (diagnostic, names) in merged.diagnostics.iter_mut().zip(&names) {
            if names.len() < all {
                diagnostic.message.push_str(&format!(" (only with {})", names.join(", ")));
            }
        }
        let before: Vec<Key> = merged.diagnostics.iter().map(key).collect();
        super::verdict::sort_diagnostics(&mut merged);
        let place: FastMap<Key, usize> = merged.diagnostics.iter().enumerate().map(|(i, d)| (key(d), i)).collect();
        for (index, _) in &mut merged.fixes {
            if let Some(&now) = before.get(*index).and_then(|k| place.get(k)) {
                *index = now;
            }
        }
        super::verdict::sort(&mut merged);
        merged
    }
}

/// Adds what is not there yet.
fn append<T: PartialEq>(into: &mut Vec<T>, from: Vec<T>) {
    for item in from {
        if !into.contains(&item) {
            into.push(item);
        }
    }
}

/// How much a state says: what some environment could not read was not read; what some environment uses is no skipped file.
fn rank(state: FileState) -> u8 {
    match state {
        FileState::Skipped => 0,
        FileState::Checked => 1,
        FileState::Partly => 2,
        FileState::Unread => 3,
    }
}
