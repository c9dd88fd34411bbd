//! A report of what a change introduces.

use super::{Comparison, Difference, Hidden};
use crate::analysis::Report;
use crate::base::{FastMap, FastSet};
use crate::diagnostic::Diagnostic;
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
    /// Findings of the base that are not shown any more although nothing says that they were mended.
    pub hidden: Vec<(Diagnostic, Hidden)>,
}

impl Since {
    /// The findings that are mended or taken away. Their spans stand in the files of the base.
    pub fn fixed(&self) -> &[Diagnostic] {
        &self.base.diagnostics
    }
}

impl Comparison {
    /// Whether a finding of the head's report, or an instance of it, is new: for those who work on the report before
    /// [`Comparison::narrow`].
    pub fn introduces(&self, head: &Report) -> impl Fn(&Diagnostic) -> bool + use<> {
        let new: FastSet<(String, crate::base::Span)> = self
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
        base.diagnostics = self.fixed.into_iter().map(|d| d.diagnostic).collect();
        base.fixes.clear();
        let hidden = self.hidden.into_iter().map(|(d, why)| (d.diagnostic, why)).collect();
        head.since = Some(Arc::new(Since { unchanged, base, hidden, ..since }));
    }
}
