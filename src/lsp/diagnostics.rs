//! Findings and syntax errors as the protocol's diagnostics.

use super::convert;
use super::paths::Paths;
use crate::analysis::Report;
use crate::base::{ColumnEncoding, FastMap, FileId, Span};
use crate::diagnostic::{Diagnostic, Label, Severity, SyntaxError};
use lsp_types::{
    CodeDescription, DiagnosticRelatedInformation, DiagnosticSeverity, DiagnosticTag, Location, NumberOrString, Range,
    Uri,
};
use std::str::FromStr;

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
    pub fn range(&self, span: Span) -> Range {
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
    let mut all: FastMap<FileId, Vec<lsp_types::Diagnostic>> = FastMap::default();
    for error in &places.report.errors {
        all.entry(error.span.file).or_default().push(syntax_error(places, error));
    }
    for finding in &places.report.diagnostics {
        all.entry(finding.primary.span.file).or_default().push(diagnostic(places, finding));
    }
    all
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
        range: places.range(finding.primary.span),
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
