//! A report of what a change introduces.

use super::{Comparison, Difference, Hidden};
use crate::analysis::{Report, UnknownResult};
use crate::base::{FastMap, FastSet, Span};
use crate::diagnostic::Diagnostic;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a report that speaks only of a change says of the rest; see [`Report::since`].
#[derive(Clone, Debug, Default)]
pub struct Since {
    /// The reference that the user named.
    pub reference: String,
    /// The id of the commit that the files were held against; `None` for the emptiness before the first.
    pub commit: Option<String>,
    /// What the user should know about how it was chosen and read.
    pub notes: Vec<String>,
    /// The findings that were there before, as they are now.
    pub unchanged: Vec<Diagnostic>,
    /// The report of the base. Its diagnostics are those that are fixed.
    pub base: Report,
    /// The spans in the base's files that must not be shown, also those that findings know which are not fixed.
    pub secrets_before: Vec<Span>,
    /// Findings of the base that are not shown any more although nothing says that they were mended.
    pub hidden: Vec<(Diagnostic, Hidden)>,
}

impl Since {
    /// The findings that are mended or taken away. Their spans stand in the files of the base.
    pub fn fixed(&self) -> &[Diagnostic] {
        &self.base.diagnostics
    }

    /// How many findings are not shown any more, by the reason; only reasons that occur.
    pub fn hidden_counts(&self) -> BTreeMap<Hidden, usize> {
        let mut counts = BTreeMap::new();
        for (_, why) in &self.hidden {
            *counts.entry(*why).or_default() += 1;
        }
        counts
    }

    /// The unknown results of the head that the base did not have.
    pub fn new_unknowns<'a>(&self, head: &'a Report) -> Vec<&'a Arc<UnknownResult>> {
        let known: FastSet<(&str, &str)> =
            self.base.unknowns.unordered().map(|u| (u.rule.name.as_str(), &*u.address)).collect();
        head.unknowns.iter().filter(|u| !known.contains(&(u.rule.name.as_str(), &*u.address))).collect()
    }
}

impl Comparison {
    /// Whether a finding of the head's report, or an instance of it, is new: for those who work on the report before
    /// [`Comparison::narrow`].
    pub fn introduces(&self, head: &Report) -> impl Fn(&Diagnostic) -> bool + use<> {
        let new: FastSet<(String, Span)> = self
            .introduced
            .iter()
            .filter_map(|d| head.diagnostics.get(d.index))
            .map(|d| (d.fingerprint.clone(), d.primary.span))
            .collect();
        move |d| new.contains(&(d.fingerprint.clone(), d.primary.span))
    }

    /// Leaves in the head's report only what was introduced, and puts the rest under [`Report::since`]. Fixes keep to their
    /// findings. `since` brings the reference, the commit and the notes.
    pub fn narrow(self, mut base: Report, head: &mut Report, since: Since) {
        let unchanged =
            self.unchanged.iter().filter_map(|(_, h)| head.diagnostics.get(*h)).cloned().collect::<Vec<_>>();
        let place: FastMap<usize, usize> = self.introduced.iter().enumerate().map(|(i, d)| (d.index, i)).collect();
        head.fixes.retain_mut(|(index, _)| match place.get(index) {
            Some(&now) => {
                *index = now;
                true
            }
            None => false,
        });
        // A fix that was tried since the comparison was made belongs to the finding in the report.
        let introduced = self.introduced.into_iter().map(|Difference { index, diagnostic }| Diagnostic {
            fix: head.diagnostics.get(index).and_then(|now| now.fix.clone()).or(diagnostic.fix),
            ..diagnostic
        });
        head.diagnostics = introduced.collect();
        let known = base.diagnostics.iter().chain(base.suppressed.iter().map(|s| &s.diagnostic));
        let secrets_before = known.flat_map(|d| &d.redacted).copied().collect();
        base.diagnostics = self.fixed.into_iter().map(|d| d.diagnostic).collect();
        base.fixes.clear();
        let hidden = self.hidden.into_iter().map(|(d, why)| (d.diagnostic, why)).collect();
        head.since = Some(Arc::new(Since { unchanged, base, secrets_before, hidden, ..since }));
    }
}
