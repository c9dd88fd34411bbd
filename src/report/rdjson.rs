//! Reviewdog's diagnostic format. Its columns count bytes of UTF-8 from 1, and ranges exclude their end.

use super::place::place;
use super::{HOME, RenderOptions, TOOL, UNPARSED, troubles, wire};
use crate::analysis::Report;
use crate::base::{ColumnEncoding, Span};
use crate::diagnostic::{Diagnostic, Severity};
use serde_json::{Value, json};
use std::io::{self, Write};

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "ERROR",
        Severity::Medium => "WARNING",
        Severity::Low | Severity::Info => "INFO",
    }
}

/// The range of a span. That of an edit ends exactly where the span does, even if that is the start of a line.
fn range(report: &Report, span: Span) -> Option<Value> {
    let file = report.files.get(span.file)?;
    let point = |offset| {
        let p = file.lines().position(&file.text, offset, ColumnEncoding::Utf8);
        json!({ "line": p.line, "column": p.column })
    };
    Some(json!({ "start": point(span.start), "end": point(span.end) }))
}

fn location(report: &Report, span: Span) -> Option<Value> {
    let p = place(report, span, ColumnEncoding::Utf8)?;
    Some(json!({
        "path": &*p.file.path,
        "range": {
            "start": { "line": p.start.line, "column": p.start.column },
            "end": { "line": p.end.line, "column": p.end.column },
        },
    }))
}

fn diagnostic(report: &Report, d: &Diagnostic) -> Value {
    let mut value = json!({
        "message": d.message,
        "location": location(report, d.primary.span).unwrap_or_else(|| json!({ "path": "" })),
        "severity": severity(d.severity),
        "code": { "value": d.rule.name, "url": d.rule.url },
    });
    // A suggestion can only change the file it is shown in, and it is taken or left as a whole.
    if let Some(fix) = &d.fix
        && fix.edits.iter().all(|e| e.span.file == d.primary.span.file)
    {
        let suggestions: Vec<Value> =
            fix.edits.iter().filter_map(|e| Some(json!({ "range": range(report, e.span)?, "text": e.text }))).collect();
        value["suggestions"] = suggestions.into();
    }
    let related: Vec<Value> = d
        .related
        .iter()
        .chain(&d.trace)
        .filter_map(|l| Some(json!({ "message": l.message, "location": location(report, l.span)? })))
        .collect();
    if !related.is_empty() {
        value["relatedLocations"] = related.into();
    }
    value
}

/// Writes the one object.
pub fn render(report: &Report, _: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(b"{\"source\": ")?;
    wire::write(&json!({ "name": TOOL, "url": HOME }), out)?;
    let worst = report.worst().map_or("UNKNOWN_SEVERITY", severity);
    out.write_all(format!(", \"severity\": \"{worst}\",\n\"diagnostics\": ").as_bytes())?;
    let troubles = troubles(report);
    let errors = troubles.iter().map(|t| {
        let help = t.help.map(|h| format!("\n{h}")).unwrap_or_default();
        json!({
            "message": format!("{TOOL} could not read this: {}{help}", t.message),
            "location": t.span.and_then(|s| location(report, s)).unwrap_or_else(|| json!({ "path": t.path.unwrap_or("") })),
            "severity": "WARNING",
            "code": { "value": UNPARSED },
        })
    });
    wire::write_lines(report.diagnostics.iter().map(|d| diagnostic(report, d)).chain(errors), out)?;
    out.write_all(b"}\n")
}
