//! Checkstyle XML.

use super::place::place;
use super::xml::attribute;
use super::{RenderOptions, TOOL, UNPARSED, troubles};
use crate::analysis::Report;
use crate::base::{ColumnEncoding, Span};
use crate::diagnostic::Severity;
use std::collections::BTreeMap;
use std::io::{self, Write};

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "info",
    }
}

/// Writes the findings by file.
pub fn render(report: &Report, _: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    let troubles = troubles(report);
    let mut files: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut add = |path, span: Option<Span>, severity: &str, message: &str, source: &str| {
        let (line, column) = span
            .and_then(|s| place(report, s, ColumnEncoding::Chars))
            .map_or((1, 1), |p| (p.start.line, p.start.column));
        let message = attribute(&super::one_line(message));
        let source = attribute(&format!("{TOOL}.{source}"));
        files.entry(path).or_default().push(format!(
            "    <error line=\"{line}\" column=\"{column}\" severity=\"{severity}\" message=\"{message}\" source=\"{source}\"/>"
        ));
    };
    for d in &report.diagnostics {
        add(report.path(d.primary.span), Some(d.primary.span), severity(d.severity), &d.message, &d.rule.name);
    }
    for t in &troubles {
        add(t.path.unwrap_or(TOOL), t.span, "warning", &t.message, UNPARSED);
    }
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(out, "<checkstyle version=\"4.3\">")?;
    for (path, errors) in files {
        writeln!(out, "  <file name=\"{}\">", attribute(path))?;
        for error in errors {
            writeln!(out, "{error}")?;
        }
        writeln!(out, "  </file>")?;
    }
    writeln!(out, "</checkstyle>")
}
