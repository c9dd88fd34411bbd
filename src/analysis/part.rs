//! A part of a report: what one of several runs over the same files says, so that together they say the whole.
//!
//! Each run looks at everything, since a finding may depend on any file. What it says is divided by folder, and so by
//! Terraform root module: every finding, error and file belongs to exactly one part, and the parts joined are the report.

use super::{FileState, Report};
use crate::base::{Files, Span};
use std::sync::Arc;

/// Which folders belong to one part.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part {
    /// Counted from 0.
    index: usize,
    /// The first folder of each part but the first; sorted.
    starts: Vec<String>,
}

impl Part {
    /// One of `count` parts of a report, by its number from 0. The folders are divided in their order, so that the parts
    /// hold about as many bytes each; the same files give the same parts in every run.
    pub fn new(report: &Report, index: usize, count: usize) -> Part {
        let mut folders: Vec<(&str, usize)> = Vec::new();
        for entry in &report.ledger.files {
            let size = entry.file.and_then(|id| report.files.get(id)).map_or(0, |f| f.text.len());
            folders.push((folder(&entry.path), size + 1));
        }
        folders.sort_unstable();
        let all: usize = folders.iter().map(|(_, size)| size).sum();
        let mut starts: Vec<String> = Vec::new();
        let (mut before, mut last) = (0, None);
        for (folder, size) in folders {
            // A folder goes to the part in which its first byte lies; parts that no folder begins in are empty.
            while last != Some(folder) && starts.len() + 1 < count && before * count >= (starts.len() + 1) * all {
                starts.push(folder.to_owned());
            }
            (before, last) = (before + size, Some(folder));
        }
        Part { index, starts }
    }

    /// Whether a place in some files belongs to this part.
    pub fn has(&self, files: &Files, span: Span) -> bool {
        self.owns(files.get(span.file).map(|f| &*f.path))
    }

    /// Whether a file belongs to this part; what stands in no file belongs to the first.
    fn owns(&self, path: Option<&str>) -> bool {
        let owner = path.map_or(0, |path| self.starts.partition_point(|start| start.as_str() <= folder(path)));
        owner == self.index
    }
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

impl Report {
    /// Leaves in the report what belongs to a part of it.
    pub fn keep(&mut self, part: &Part) {
        let files = self.files.clone();
        let owns = |span: Span| part.has(&files, span);
        // Where each finding stands afterwards.
        let mut place = Vec::with_capacity(self.diagnostics.len());
        let mut kept = 0;
        for d in &self.diagnostics {
            let mine = owns(d.primary.span);
            place.push(mine.then_some(kept));
            kept += usize::from(mine);
        }
        self.fixes.retain_mut(|(index, _)| match place.get(*index).copied().flatten() {
            Some(now) => {
                *index = now;
                true
            }
            None => false,
        });
        self.diagnostics.retain(|d| owns(d.primary.span));
        self.suppressed.retain(|s| owns(s.diagnostic.primary.span));
        self.unknowns.narrow(|file| owns(Span::at(file, 0)));
        self.errors.retain(|e| owns(e.span));
        self.failures.retain(|_| part.index == 0);
        self.ledger.files.retain(|f| part.owns(Some(&f.path)));
        self.ledger.entries.retain(|e| owns(e.span));
        if let Some(since) = &mut self.since {
            let since = Arc::make_mut(since);
            let then = since.base.files.clone();
            let owned = |span: Span| part.has(&then, span);
            since.unchanged.retain(|d| owns(d.primary.span));
            since.base.diagnostics.retain(|d| owned(d.primary.span));
            since.hidden.retain(|(d, _)| owned(d.primary.span));
        }
        let graph = &self.graph;
        self.stats.files = self.ledger.count(FileState::Checked) + self.ledger.count(FileState::Partly);
        let read = self.ledger.files.iter().filter(|f| f.format.is_some()).filter_map(|f| files.get(f.file?));
        self.stats.bytes = read.map(|f| f.text.len()).sum();
        // Nodes of views are not counted as resources.
        self.stats.resources = graph.resources.iter().filter(|r| r.parent.is_none() && owns(r.span)).count();
        self.stats.edges = graph.edges.iter().filter(|e| owns(graph.get(e.from).span)).count();
        self.stats.not_known = self.ledger.entries.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::FileEntry;

    fn report(paths: &[&str]) -> Report {
        let mut report = Report::default();
        for path in paths {
            let file = Some(report.files.set(path, "0123456789".into()));
            let (path, state) = ((*path).into(), FileState::Checked);
            report.ledger.files.push(FileEntry { path, file, format: None, state, reason: String::new() });
        }
        report
    }

    #[test]
    fn every_file_belongs_to_exactly_one_part() {
        let all = ["a.tf", "a/1.tf", "a/2.tf", "a/b/3.tf", "b/4.tf", "c/5.tf", "c/d/6.tf", "e/7.tf"];
        for count in 1..12 {
            let whole = report(&all);
            let mut seen: Vec<String> = Vec::new();
            for index in 0..count {
                let mut part = report(&all);
                part.keep(&Part::new(&whole, index, count));
                let mine: Vec<&str> = part.ledger.files.iter().map(|f| folder(&f.path)).collect();
                // A folder is never divided.
                assert!(mine.iter().all(|f| !seen.iter().any(|s| folder(s) == *f)), "{count}: {mine:?}");
                seen.extend(part.ledger.files.iter().map(|f| f.path.to_string()));
            }
            seen.sort();
            let mut expected = all.map(str::to_owned);
            expected.sort();
            assert_eq!(seen, expected, "{count}");
        }
    }

    #[test]
    fn parts_are_about_as_big_as_each_other() {
        let paths: Vec<String> = (0..100).map(|i| format!("{i:03}/main.tf")).collect();
        let whole = report(&paths.iter().map(String::as_str).collect::<Vec<_>>());
        for index in 0..4 {
            let mut part = whole.clone();
            part.keep(&Part::new(&whole, index, 4));
            assert_eq!(part.ledger.files.len(), 25, "{index}");
        }
    }

    #[test]
    fn what_is_in_no_file_of_now_belongs_to_one_part_too() {
        let whole = report(&["a/1.tf", "m/2.tf", "z/3.tf"]);
        for path in [None, Some("gone.tf"), Some("b/gone.tf"), Some("zz/gone.tf")] {
            let owners = (0..3).filter(|&i| Part::new(&whole, i, 3).owns(path)).count();
            assert_eq!(owners, 1, "{path:?}");
        }
    }
}
