//! GitLab's code quality report: a JSON array of issues, told apart by their fingerprints.

use super::place::{place, rooted};
use super::{RenderOptions, TOOL, UNPARSED, troubles, unique_fingerprints, wire};
use crate::analysis::Report;
use crate::base::{ColumnEncoding, FastMap, Span, content_hash};
use crate::diagnostic::{Category, Severity};
use serde_json::{Value, json};
use std::io::{self, Write};

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "blocker",
        Severity::High => "critical",
        Severity::Medium => "major",
        Severity::Low => "minor",
        Severity::Info => "info",
    }
}

/// One of the categories that the report's ancestor, Code Climate's specification, knows.
fn category(category: Category) -> &'static str {
    match category {
        Category::Reliability | Category::Backup => "Bug Risk",
        Category::Hygiene => "Style",
        _ => "Security",
    }
}

fn location(report: &Report, options: &RenderOptions, span: Span, path: Option<&str>) -> Value {
    match place(report, span, ColumnEncoding::Chars) {
        Some(p) => json!({
            "path": rooted(&options.repository_prefix, &p.file.path),
            "lines": { "begin": p.start.line, "end": p.end.line },
        }),
        None => json!({
            "path": path.map_or_else(|| ".".into(), |p| rooted(&options.repository_prefix, p)),
            "lines": { "begin": 1 },
        }),
    }
}

/// Writes the array.
pub fn render(report: &Report, options: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    let findings = report.diagnostics.iter().zip(unique_fingerprints(&report.diagnostics)).map(|(d, fingerprint)| {
        json!({
            "type": "issue",
            "description": super::one_line(&d.message),
            "check_name": d.rule.name,
            "fingerprint": fingerprint,
            "severity": severity(d.severity),
            "categories": [category(d.rule.category)],
            "location": location(report, options, d.primary.span, None),
            "content": { "body": body(d) },
        })
    });
    let troubles = troubles(report);
    // The fingerprint of what could not be read is of its path and words, with a number where both come again.
    let mut seen: FastMap<u64, u32> = FastMap::default();
    let errors = troubles.iter().map(|t| {
        let key = content_hash(format!("{UNPARSED}\0{}\0{}", t.path.unwrap_or(""), t.message).as_bytes());
        let n = seen.entry(key).or_default();
        *n += 1;
        json!({
            "type": "issue",
            "description": format!("{TOOL} could not read this: {}", super::one_line(&t.message)),
            "check_name": UNPARSED,
            "fingerprint": format!("{UNPARSED}-{key:016x}-{n}"),
            "severity": "major",
            "categories": ["Bug Risk"],
            "location": location(report, options, t.span.unwrap_or(Span::NONE), t.path),
        })
    });
    wire::write_lines(findings.chain(errors), out)?;
    out.write_all(b"\n")
}

fn body(d: &crate::diagnostic::Diagnostic) -> String {
    let mut body = format!("{}\n\n{}\n", d.rule.why.trim(), d.rule.remediation.trim());
    if !d.rule.url.is_empty() {
        body.push_str(&format!("\n[{}]({})\n", d.rule.name, d.rule.url));
    }
    body
}
