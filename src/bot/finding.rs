//! A finding as the bot needs it: paths from the root of the repository, lines, words; no report, no spans.

use crate::analysis::Report;
use crate::base::{ColumnEncoding, SourceFile, Span};
use crate::diagnostic::{Diagnostic, Edit, Severity};
use serde::Serialize;
use std::ops::RangeInclusive;

/// The most lines that a suggestion replaces: a longer one is no suggestion but another file.
const MOST_SUGGESTED: u32 = 30;
/// A suggestion so near to the finding is shown with the lines between them.
const NEAR: u32 = 8;

/// Lines of a file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Place {
    /// The path from the root of the repository.
    pub path: String,
    /// The first line, from 1.
    pub start: u32,
    /// The last line.
    pub end: u32,
    /// The first column and the one behind the last, from 1, in characters, where the place is in one line.
    pub columns: Option<(u32, u32)>,
}

impl Place {
    /// The lines.
    pub fn lines(&self) -> RangeInclusive<u32> {
        self.start..=self.end
    }
}

/// A place on the way to the finding, with what happens there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// The place.
    pub place: Place,
    /// What is to be seen there; may be empty.
    pub words: String,
}

/// Lines that mend the finding, in place of others.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Suggestion {
    /// What goes. Columns are none.
    pub place: Place,
    /// What comes: whole lines, each with its line break; empty where lines only go.
    pub text: String,
    /// What it does, in the imperative.
    pub title: String,
}

/// A finding.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// What stays the same when lines move; unique among the findings of one run.
    pub fingerprint: String,
    /// The policy's name.
    pub policy: String,
    /// How bad it is.
    pub severity: Severity,
    /// The policy's title.
    pub title: String,
    /// What is wrong here.
    pub message: String,
    /// What goes wrong, for whom, as the policy says in Markdown.
    pub why: String,
    /// What to do about it, as the policy says in Markdown.
    pub remediation: String,
    /// The page of the policy.
    pub url: String,
    /// The smallest place that is wrong.
    pub place: Option<Place>,
    /// Where the value came from, nearest first, then the calls of modules and what else took part.
    pub steps: Vec<Step>,
    /// Further resources of which the same is true.
    pub also: Vec<String>,
    /// A fix that was tried and is good.
    pub suggestion: Option<Suggestion>,
}

/// The findings of a report whose paths start at the root of the repository.
pub fn findings<'a>(report: &Report, of: impl IntoIterator<Item = &'a Diagnostic>) -> Vec<Finding> {
    let mut seen: std::collections::BTreeMap<&str, u32> = std::collections::BTreeMap::new();
    of.into_iter()
        .map(|d| {
            let n = seen.entry(&d.fingerprint).or_default();
            *n += 1;
            let fingerprint = if *n == 1 { d.fingerprint.clone() } else { format!("{}:{n}", d.fingerprint) };
            Finding { fingerprint, ..finding(report, d) }
        })
        .collect()
}

fn finding(report: &Report, d: &Diagnostic) -> Finding {
    let at = |span: Span| place(report, span);
    let primary = at(d.primary.span);
    let mut steps: Vec<Step> = Vec::new();
    let labels = d.trace.iter().map(|l| (l.span, l.message.as_str()));
    let callers = d.callers.iter().rev().map(|s| (*s, "called here"));
    let related = d.related.iter().map(|l| (l.span, l.message.as_str()));
    for (span, words) in labels.chain(callers).chain(related) {
        let Some(place) = at(span) else { continue };
        // A label without words around the primary place says nothing.
        let silent = words.is_empty() && span.contains(d.primary.span);
        if !silent && !steps.iter().any(|s| s.place == place) {
            steps.push(Step { place, words: words.to_owned() });
        }
    }
    let suggestion = d
        .fix
        .as_ref()
        .and_then(|fix| suggestion(report, &fix.edits, &fix.title, primary.as_ref()))
        // The suggestion repeats lines of the file; a secret may stand in them.
        .filter(|s| {
            !d.redacted
                .iter()
                .filter_map(|r| at(*r))
                .any(|r| r.path == s.place.path && r.start <= s.place.end && s.place.start <= r.end)
        });
    Finding {
        fingerprint: d.fingerprint.clone(),
        policy: d.rule.name.clone(),
        severity: d.severity,
        title: d.rule.title.clone(),
        message: d.message.clone(),
        why: d.rule.why.clone(),
        remediation: d.rule.remediation.clone(),
        url: d.rule.url.clone(),
        place: primary,
        steps,
        also: d.occurrences.iter().map(|o| o.address.to_string()).collect(),
        suggestion,
    }
}

/// The place of a span; `None` where it lies in no file of the repository.
pub fn place(report: &Report, span: Span) -> Option<Place> {
    let file = report.files.get(span.file)?;
    let (lines, text) = (file.lines(), &*file.text);
    let start = lines.position(text, span.start, ColumnEncoding::Chars);
    let mut end = lines.position(text, span.end, ColumnEncoding::Chars);
    // What ends with a line break ends on the line before.
    if end.column == 1 && end.line > start.line {
        end.line -= 1;
    }
    // An insertion behind the last line stands in no line that a platform knows.
    let last = last_line(file);
    let columns = (start.line == end.line && start.line <= last).then_some((start.column, end.column));
    Some(Place { path: path_of(file)?, start: start.line.min(last), end: end.line.min(last), columns })
}

/// The last line that holds something: behind a final line break none begins.
fn last_line(file: &SourceFile) -> u32 {
    let count = file.lines().line_count();
    if file.text.ends_with('\n') { count.saturating_sub(1).max(1) } else { count.max(1) }
}

/// The edits of a fix as whole lines. The lines reach to the finding where it is near, so that both are seen together.
fn suggestion(report: &Report, edits: &[Edit], title: &str, finding: Option<&Place>) -> Option<Suggestion> {
    let (first, last) = (edits.first()?, edits.last()?);
    let file = report.files.get(first.span.file)?;
    if edits.iter().any(|e| e.span.file != file.id) {
        return None;
    }
    let lines = file.lines();
    let path = path_of(file)?;
    let mut start = lines.line(first.span.start);
    let mut end = lines.line(last.span.end.max(last.span.start));
    let last_line = last_line(file);
    // An insertion of whole lines before a line is one behind the line above, which is there even at the file's end.
    let inserts = |e: &Edit| {
        e.span.start == e.span.end
            && e.text.ends_with('\n')
            && lines.line_start(lines.line(e.span.start)) == e.span.start
    };
    if edits.len() == 1 && inserts(first) && (start > last_line || start > 1) {
        start -= 1;
        end = start;
    } else if last.span.end > last.span.start && lines.line_start(end) == last.span.end && end > start {
        end -= 1;
    }
    if let Some(f) = finding.filter(|f| f.path == path) {
        let (from, to) = (start.min(f.start), end.max(f.end));
        let gap = f.start.saturating_sub(end).max(start.saturating_sub(f.end));
        if gap <= NEAR && to - from < MOST_SUGGESTED {
            (start, end) = (from, to);
        }
    }
    if end - start >= MOST_SUGGESTED || end > last_line {
        return None;
    }
    let text = replaced(file, start, end, edits)?;
    Some(Suggestion { place: Place { path, start, end, columns: None }, text, title: title.to_owned() })
}

/// A file's path; `None` for one outside of the repository, or in none.
fn path_of(file: &SourceFile) -> Option<String> {
    (!file.path.starts_with('/') && !file.path.starts_with("../")).then(|| file.path.to_string())
}

/// Some lines of a file after edits that lie in them; each has its line break, whatever the file uses.
pub fn replaced(file: &SourceFile, start: u32, end: u32, edits: &[Edit]) -> Option<String> {
    let (lines, text) = (file.lines(), &*file.text);
    let from = lines.line_start(start) as usize;
    let to = if end + 1 > lines.line_count() { text.len() } else { lines.line_start(end + 1) as usize };
    let mut out = String::new();
    let mut at = from;
    for edit in edits {
        let range = edit.span.range();
        if range.start < from || range.end > to {
            return None;
        }
        out.push_str(text.get(at..range.start)?);
        out.push_str(&edit.text);
        at = range.end;
    }
    out.push_str(text.get(at..to)?);
    let mut out = out.replace("\r\n", "\n");
    if !out.is_empty() && !out.ends_with('\n') {
        out.push('\n');
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::FileId;

    fn check(text: &str, edits: &[(u32, u32, &str)], finding: Option<(u32, u32)>, expected: Option<(u32, u32, &str)>) {
        let mut report = Report::default();
        let file: FileId = report.files.set("infra/a.tf", text.into());
        let edits: Vec<Edit> = edits
            .iter()
            .map(|(from, to, text)| Edit {
                span: Span::new(file, *from as usize..*to as usize),
                text: (*text).to_owned(),
            })
            .collect();
        let near = finding.map(|(start, end)| Place { path: "infra/a.tf".into(), start, end, columns: None });
        let made = suggestion(&report, &edits, "mend", near.as_ref());
        let made = made.as_ref().map(|s| (s.place.start, s.place.end, s.text.as_str()));
        assert_eq!(made, expected, "{text:?}");
    }

    #[test]
    fn fixes_become_whole_lines() {
        // Within a line.
        check("a = 1\nb = 2\nc = 3\n", &[(10, 11, "5")], None, Some((2, 2, "b = 5\n")));
        // Lines inserted behind a line, and at the end of the file.
        check("a {\n}\n", &[(4, 4, "  x = 1\n")], None, Some((1, 1, "a {\n  x = 1\n")));
        check("a = 1\n", &[(6, 6, "b = 2\n")], None, Some((1, 1, "a = 1\nb = 2\n")));
        check("a = 1", &[(5, 5, "\nb = 2")], None, Some((1, 1, "a = 1\nb = 2\n")));
        // A line deleted with its line break.
        check("a\nb\nc\n", &[(2, 4, "")], None, Some((2, 2, "")));
        // Two edits, and the lines between them.
        check("a\nb\nc\n", &[(0, 1, "x"), (4, 5, "y")], None, Some((1, 3, "x\nb\ny\n")));
        // Reaching to the finding.
        check("a {\n\n  b = 1\n}\n", &[(5, 5, "  c = 1\n")], Some((1, 1)), Some((1, 2, "a {\n\n  c = 1\n")));
        check("a\r\nb\r\n", &[(3, 4, "x")], None, Some((2, 2, "x\n")));
        check("a = 1\nb = 2\n", &[], None, None);
        let long = "x\n".repeat(100);
        check(&long, &[(0, 1, "y"), (100, 101, "z")], None, None);
    }
}
