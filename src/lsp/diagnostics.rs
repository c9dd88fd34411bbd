//! Findings and syntax errors as the protocol's diagnostics.

use super::convert;
use super::documents::Documents;
use super::paths::Paths;
use crate::analysis::Report;
use crate::base::{ColumnEncoding, FastMap, FastSet, FileId, SourceFile, Span};
use crate::diagnostic::{Diagnostic, Label, Severity, SyntaxError};
use lsp_types::{
    CodeDescription, DiagnosticRelatedInformation, DiagnosticSeverity, DiagnosticTag, Location, NumberOrString,
    PublishDiagnosticsParams, Uri,
};
use std::ops::Range;
use std::str::FromStr;
use std::sync::Arc;

/// The name that editors show as the source of a diagnostic.
pub const SOURCE: &str = "stacklint";
/// The code of what could not be read.
pub const SYNTAX: &str = "syntax";

/// Places as the protocol wants them, for one report.
pub struct Places<'a> {
    /// The texts that spans refer to.
    pub report: &'a Report,
    /// Names of files.
    pub paths: &'a Paths,
    /// What columns count.
    pub encoding: ColumnEncoding,
}

impl Places<'_> {
    /// The range of a span; the file's start where it stands nowhere.
    pub fn range(&self, span: Span) -> lsp_types::Range {
        self.report.files.get(span.file).map(|f| convert::range(f, span, self.encoding)).unwrap_or_default()
    }

    /// Where a span is to be found; `None` where it stands in no file.
    pub fn location(&self, span: Span) -> Option<Location> {
        let file = self.report.files.get(span.file)?;
        Some(Location { uri: self.paths.uri(&file.path)?, range: convert::range(file, span, self.encoding) })
    }

    fn information(&self, label: &Label, otherwise: &str) -> Option<DiagnosticRelatedInformation> {
        let message = if label.message.is_empty() { otherwise } else { &label.message };
        Some(DiagnosticRelatedInformation { location: self.location(label.span)?, message: message.to_owned() })
    }
}

/// All diagnostics of a report by file. A file without any is not in it.
pub fn by_file(places: &Places<'_>) -> FastMap<FileId, Vec<lsp_types::Diagnostic>> {
    let files = Runs::of(places.report);
    files.0.into_iter().map(|(file, run)| (file, run.diagnostics(places))).collect()
}

/// The diagnostics of one file.
pub fn of_file(places: &Places<'_>, file: FileId) -> Vec<lsp_types::Diagnostic> {
    Runs::of(places.report).0.get(&file).map(|run| run.diagnostics(places)).unwrap_or_default()
}

/// Where each file's errors and findings are in a report: they are sorted by path, so each file's stand together.
struct Runs(FastMap<FileId, Run>);

/// The errors and findings of one file.
#[derive(Clone, Default)]
struct Run {
    errors: Range<usize>,
    findings: Range<usize>,
}

impl Runs {
    fn of(report: &Report) -> Runs {
        let mut runs: FastMap<FileId, Run> = FastMap::default();
        let extend = |range: &mut Range<usize>, i: usize| match range.start == range.end {
            true => *range = i..i + 1,
            false => range.end = i + 1,
        };
        for (i, error) in report.errors.iter().enumerate() {
            extend(&mut runs.entry(error.span.file).or_default().errors, i);
        }
        for (i, finding) in report.diagnostics.iter().enumerate() {
            extend(&mut runs.entry(finding.primary.span.file).or_default().findings, i);
        }
        Runs(runs)
    }
}

impl Run {
    fn errors<'r>(&self, report: &'r Report) -> &'r [SyntaxError] {
        report.errors.get(self.errors.clone()).unwrap_or(&[])
    }

    fn findings<'r>(&self, report: &'r Report) -> &'r [Diagnostic] {
        report.diagnostics.get(self.findings.clone()).unwrap_or(&[])
    }

    fn diagnostics(&self, places: &Places<'_>) -> Vec<lsp_types::Diagnostic> {
        let errors = self.errors(places.report).iter().map(|e| syntax_error(places, e));
        errors.chain(self.findings(places.report).iter().map(|f| diagnostic(places, f))).collect()
    }

    /// Whether any of these places stands in one of the files.
    fn mentions(&self, report: &Report, files: &FastSet<FileId>) -> bool {
        let mut spans = self.findings(report).iter().flat_map(|f| {
            let labels = f.trace.iter().chain(&f.related).map(|l| l.span);
            labels.chain(f.callers.iter().copied()).chain([f.primary.span])
        });
        spans.any(|s| files.contains(&s.file)) || self.errors(report).iter().any(|e| files.contains(&e.span.file))
    }
}

/// What the client was told.
#[derive(Default)]
pub struct Published {
    /// The diagnostics of each file that has some, by its path.
    told: FastMap<Arc<str>, Vec<lsp_types::Diagnostic>>,
    /// The report that they come from.
    last: Option<Arc<Report>>,
    /// What is wrong with the configuration and with policies, by the paths of their files.
    mistakes: Vec<(Arc<str>, lsp_types::Diagnostic)>,
}

impl Published {
    /// Notes what is wrong with the configuration and with policies; it is told with the next report.
    pub fn set_mistakes(&mut self, mistakes: Vec<(Arc<str>, lsp_types::Diagnostic)>) {
        self.mistakes = mistakes;
    }

    /// What is wrong with a file that says how to check.
    pub fn mistakes_in(&self, path: &str) -> impl Iterator<Item = &lsp_types::Diagnostic> {
        self.mistakes.iter().filter(move |(p, _)| **p == *path).map(|(_, diagnostic)| diagnostic)
    }

    /// The files with such mistakes.
    pub fn mistaken(&self) -> impl Iterator<Item = &Arc<str>> {
        self.mistakes.iter().map(|(path, _)| path)
    }

    /// What the client does not know yet. An open document is told of each of its versions, also where nothing changed:
    /// so a client knows what is fresh, and need not keep track of where its own edits moved things.
    pub fn update(
        &mut self,
        report: &Arc<Report>,
        paths: &Paths,
        encoding: ColumnEncoding,
        documents: &mut Documents,
    ) -> Vec<PublishDiagnosticsParams> {
        let places = Places { report, paths, encoding };
        let changed: Option<FastSet<FileId>> = self.last.as_ref().map(|last| changed(last, report));
        let before = self.last.as_ref().map(|last| (last, Runs::of(last)));
        // Files whose diagnostics are not what they were; `None` where all of them are gone.
        let mut now: FastMap<Arc<str>, Option<Vec<lsp_types::Diagnostic>>> =
            self.told.keys().map(|path| (path.clone(), None)).collect();
        for (id, run) in Runs::of(report).0 {
            let Some(file) = report.files.get(id) else { continue };
            let same = before.as_ref().zip(changed.as_ref()).is_some_and(|((last, runs), changed)| {
                runs.0.get(&id).is_some_and(|old| {
                    old.errors(last) == run.errors(report)
                        && old.findings(last) == run.findings(report)
                        && !run.mentions(report, changed)
                })
            });
            // What is the same in the analysis is the same on the wire; the conversion is not cheap.
            let known = self.told.get(&file.path).filter(|_| same).cloned();
            now.insert(file.path.clone(), Some(known.unwrap_or_else(|| run.diagnostics(&places))));
        }
        for (path, diagnostic) in &self.mistakes {
            now.entry(path.clone()).or_default().get_or_insert_default().push(diagnostic.clone());
        }
        let mut news: Vec<Arc<str>> = Vec::new();
        // Where one types one waits: open documents go first.
        for (path, version) in documents.unanswered() {
            documents.answered(&path, version);
            now.entry(path.as_str().into()).or_default();
            news.push(path.into());
        }
        let mut others: Vec<Arc<str>> = now
            .iter()
            .filter(|(path, found)| self.told.get(*path) != found.as_ref() && !news.contains(path))
            .map(|(path, _)| path.clone())
            .collect();
        others.sort_unstable();
        news.extend(others);
        self.last = Some(report.clone());
        news.into_iter()
            .filter_map(|path| {
                let found = now.remove(&path)?;
                match &found {
                    Some(found) => self.told.insert(path.clone(), found.clone()),
                    None => self.told.remove(&path),
                };
                let version = documents.get(&path).map(|d| d.version);
                Some(PublishDiagnosticsParams::new(paths.uri(&path)?, found.unwrap_or_default(), version))
            })
            .collect()
    }

    /// Takes everything back that the client was told.
    pub fn withdraw(&mut self, paths: &Paths) -> Vec<PublishDiagnosticsParams> {
        self.last = None;
        let told = std::mem::take(&mut self.told);
        told.into_keys()
            .filter_map(|path| Some(PublishDiagnosticsParams::new(paths.uri(&path)?, Vec::new(), None)))
            .collect()
    }
}

/// The files whose texts are not the same in two reports.
fn changed(last: &Report, report: &Report) -> FastSet<FileId> {
    let same = |file: &Arc<SourceFile>| last.files.get(file.id).is_some_and(|old| Arc::ptr_eq(old, file));
    let mut changed: FastSet<FileId> = report.files.iter().filter(|f| !same(f)).map(|f| f.id).collect();
    changed.extend(last.files.iter().filter(|f| report.files.get(f.id).is_none()).map(|f| f.id));
    changed
}

fn syntax_error(places: &Places<'_>, error: &SyntaxError) -> lsp_types::Diagnostic {
    let help = error.help.as_ref().map(|h| format!("\n{h}")).unwrap_or_default();
    lsp_types::Diagnostic {
        range: places.range(error.span),
        severity: Some(DiagnosticSeverity::ERROR),
        code: Some(NumberOrString::String(SYNTAX.to_owned())),
        source: Some(SOURCE.to_owned()),
        message: format!("{}{help}", error.message),
        ..Default::default()
    }
}

/// What an editor underlines: the finding's place, and in a Dockerfile the words of the instruction that are to blame. There
/// the place is the instruction, by which other tools count and comments ignore; what took part in it is known as well.
pub fn marked(finding: &Diagnostic) -> Span {
    let place = finding.primary.span;
    let Some(subject) = &finding.subject else { return place };
    let instruction = subject.kind.bytes().all(|b| b.is_ascii_uppercase());
    if !instruction || place.start != subject.span.start {
        return place;
    }
    let mut words = finding.related.iter().map(|l| l.span).filter(|s| subject.span.contains(*s) && *s != place);
    let Some(first) = words.next() else { return place };
    // Words that follow each other are one; what stands further off is another part.
    words.fold(first, |all, next| if next.start >= all.start && next.start <= all.end + 1 { all.to(next) } else { all })
}

/// One finding.
pub fn diagnostic(places: &Places<'_>, finding: &Diagnostic) -> lsp_types::Diagnostic {
    let origin = finding.trace.iter().filter_map(|l| places.information(l, "the value comes from here"));
    let related = finding.related.iter().filter_map(|l| places.information(l, "this takes part"));
    let calls = finding
        .callers
        .iter()
        .filter_map(|&span| places.information(&Label::new(span, ""), "through this module call"));
    let related: Vec<_> = origin.chain(related).chain(calls).collect();
    lsp_types::Diagnostic {
        range: places.range(marked(finding)),
        severity: Some(severity(finding.severity)),
        code: Some(NumberOrString::String(finding.rule.name.clone())),
        code_description: Uri::from_str(&finding.rule.url).ok().map(|href| CodeDescription { href }),
        source: Some(SOURCE.to_owned()),
        message: finding.message.clone(),
        related_information: (!related.is_empty()).then_some(related),
        tags: tag(finding).map(|t| vec![t]),
        data: Some(match &finding.subject {
            Some(s) => serde_json::json!({ "fingerprint": finding.fingerprint, "address": &*s.address }),
            None => serde_json::json!({ "fingerprint": finding.fingerprint }),
        }),
    }
}

fn severity(severity: Severity) -> DiagnosticSeverity {
    match severity {
        Severity::Critical | Severity::High => DiagnosticSeverity::ERROR,
        Severity::Medium => DiagnosticSeverity::WARNING,
        Severity::Low => DiagnosticSeverity::INFORMATION,
        Severity::Info => DiagnosticSeverity::HINT,
    }
}

/// Editors grey out what is unnecessary and strike out what is deprecated.
fn tag(finding: &Diagnostic) -> Option<DiagnosticTag> {
    let has = |tag: &str| finding.rule.tags.iter().any(|t| t == tag);
    if has("unnecessary") {
        Some(DiagnosticTag::UNNECESSARY)
    } else if has("deprecated") {
        Some(DiagnosticTag::DEPRECATED)
    } else {
        None
    }
}
