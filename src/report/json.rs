//! The JSON contract: `{"version", "findings", "errors", "coverage", …}`. `docs/output-formats.md` documents every
//! field. Lines and columns start at 1, columns count characters, offsets count bytes.

use super::place::{Place, place};
use super::{RenderOptions, VERSION, troubles, wire};
use crate::analysis::{FileState, Report, SuppressionKind, UnknownResult};
use crate::base::{ColumnEncoding, FastMap, Position, Span};
use crate::diagnostic::{Diagnostic, Fix, Label, Severity};
use crate::graph::CauseKind;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// A point: line and column from 1, the column in characters, and the byte offset.
#[derive(Serialize)]
struct Point {
    line: u32,
    column: u32,
    offset: u32,
}

/// A span in a file; `null` throughout where there is none.
#[derive(Serialize)]
struct Where<'a> {
    file: Option<&'a str>,
    start: Option<Point>,
    end: Option<Point>,
}

/// A place with a few words.
#[derive(Serialize)]
struct Note<'a> {
    #[serde(flatten)]
    at: Where<'a>,
    message: &'a str,
}

#[derive(Serialize)]
struct Subject<'a> {
    address: &'a str,
    kind: &'a str,
    #[serde(flatten)]
    at: Where<'a>,
}

#[derive(Serialize)]
struct EditJson<'a> {
    #[serde(flatten)]
    at: Where<'a>,
    text: &'a str,
}

#[derive(Serialize)]
struct FixJson<'a> {
    title: &'a str,
    safety: crate::diagnostic::Safety,
    edits: Vec<EditJson<'a>>,
}

#[derive(Serialize)]
struct OccurrenceJson<'a> {
    address: &'a str,
    trace: Vec<Note<'a>>,
}

/// One finding, as `findings` holds it.
#[derive(Serialize)]
struct Finding<'a> {
    policy: &'a str,
    aliases: &'a [String],
    severity: Severity,
    category: crate::diagnostic::Category,
    title: &'a str,
    message: &'a str,
    #[serde(flatten)]
    at: Where<'a>,
    label: &'a str,
    resource: Option<Subject<'a>>,
    related: Vec<Note<'a>>,
    trace: Vec<Note<'a>>,
    callers: Vec<Where<'a>>,
    occurrences: Vec<OccurrenceJson<'a>>,
    remediation: &'a str,
    fix: Option<FixJson<'a>>,
    fingerprint: &'a str,
    url: &'a str,
}

/// What the report is held against, and how many findings are what.
#[derive(Serialize)]
struct SinceJson<'a> {
    #[serde(rename = "ref")]
    reference: &'a str,
    commit: Option<&'a str>,
    introduced: usize,
    fixed: usize,
    unchanged: usize,
    hidden: BTreeMap<&'static str, usize>,
    notes: &'a [String],
}

#[derive(Serialize)]
struct SuppressedJson<'a> {
    policy: &'a str,
    severity: Severity,
    message: &'a str,
    #[serde(flatten)]
    at: Where<'a>,
    resource: Option<&'a str>,
    fingerprint: &'a str,
    by: &'static str,
    reason: &'a str,
    comment: Option<Where<'a>>,
}

#[derive(Serialize)]
struct ErrorJson<'a> {
    #[serde(flatten)]
    at: Where<'a>,
    message: &'a str,
    help: Option<&'a str>,
    internal: bool,
}

#[derive(Serialize)]
struct Coverage<'a> {
    complete: bool,
    states: BTreeMap<&'static str, usize>,
    resources: usize,
    edges: usize,
    policies: usize,
    evaluations: usize,
    unknown: Unknown<'a>,
    unparsed: Vec<Note<'a>>,
    not_known: Vec<NotKnown<'a>>,
    files: Vec<FileJson<'a>>,
}

#[derive(Serialize)]
struct Unknown<'a> {
    total: usize,
    causes: BTreeMap<&'static str, usize>,
    inputs: Vec<InputJson<'a>>,
}

/// One input that is not known, and the answers it blocks.
#[derive(Serialize)]
struct InputJson<'a> {
    cause: &'static str,
    message: &'a str,
    #[serde(flatten)]
    at: Where<'a>,
    blocks: Vec<Blocked<'a>>,
}

#[derive(Serialize)]
struct Blocked<'a> {
    policy: &'a str,
    severity: Severity,
    resources: Vec<&'a str>,
}

#[derive(Serialize)]
struct NotKnown<'a> {
    #[serde(flatten)]
    at: Where<'a>,
    cause: &'static str,
    message: &'a str,
}

#[derive(Serialize)]
struct FileJson<'a> {
    file: &'a str,
    format: Option<&'a str>,
    state: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    reason: &'a str,
}

/// The word for a kind of cause.
pub fn cause_word(kind: CauseKind) -> &'static str {
    match kind {
        CauseKind::Input => "input",
        CauseKind::Computed => "computed",
        CauseKind::External => "external",
        CauseKind::Missing => "missing",
        CauseKind::Error => "error",
        CauseKind::Undeclared => "undeclared",
        CauseKind::Limit => "limit",
        CauseKind::Unsupported => "unsupported",
    }
}

/// The word for a means that silences a finding.
pub fn suppression_word(kind: SuppressionKind) -> &'static str {
    match kind {
        SuppressionKind::InSource => "in-source",
        SuppressionKind::IgnoreFile => "ignore-file",
        SuppressionKind::Config => "config",
        SuppressionKind::Baseline => "baseline",
        SuppressionKind::Implied => "implied",
    }
}

fn at(report: &Report, span: Span) -> Where<'_> {
    let Some(Place { file, span, start, end }) = place(report, span, ColumnEncoding::Chars) else {
        return Where { file: None, start: None, end: None };
    };
    let point = |p: Position, offset| Some(Point { line: p.line, column: p.column, offset });
    Where { file: Some(&file.path), start: point(start, span.start), end: point(end, span.end) }
}

fn notes<'a>(report: &'a Report, labels: &'a [Label]) -> Vec<Note<'a>> {
    labels.iter().map(|l| Note { at: at(report, l.span), message: &l.message }).collect()
}

fn fix<'a>(report: &'a Report, fix: &'a Fix) -> FixJson<'a> {
    let edits = fix.edits.iter().map(|e| EditJson { at: at(report, e.span), text: &e.text }).collect();
    FixJson { title: &fix.title, safety: fix.safety, edits }
}

fn finding<'a>(report: &'a Report, d: &'a Diagnostic) -> Finding<'a> {
    Finding {
        policy: &d.rule.name,
        aliases: &d.rule.aliases,
        severity: d.severity,
        category: d.rule.category,
        title: &d.rule.title,
        message: &d.message,
        at: at(report, d.primary.span),
        label: &d.primary.message,
        resource: d.subject.as_ref().map(|s| Subject { address: &s.address, kind: &s.kind, at: at(report, s.span) }),
        related: notes(report, &d.related),
        trace: notes(report, &d.trace),
        callers: d.callers.iter().map(|s| at(report, *s)).collect(),
        occurrences: d
            .occurrences
            .iter()
            .map(|o| OccurrenceJson { address: &o.address, trace: notes(report, &o.trace) })
            .collect(),
        remediation: &d.rule.remediation,
        fix: d.fix.as_ref().map(|f| fix(report, f)),
        fingerprint: &d.fingerprint,
        url: &d.rule.url,
    }
}

/// One finding as JSON, in the form of the `findings` array: for shells that send a single one.
pub fn finding_value(report: &Report, diagnostic: &Diagnostic) -> serde_json::Value {
    serde_json::to_value(finding(report, diagnostic)).unwrap_or_default()
}

/// The unknown results by the input that causes them, in the order in which the report first names the inputs.
fn unknown(report: &Report) -> Unknown<'_> {
    let mut causes = BTreeMap::new();
    let mut index: FastMap<(CauseKind, Span, &str), usize> = FastMap::default();
    let mut inputs: Vec<(&UnknownResult, Vec<Blocked<'_>>)> = Vec::new();
    for u in &report.unknowns {
        *causes.entry(cause_word(u.cause)).or_default() += 1;
        let slot = *index.entry((u.cause, u.cause_span, &u.message)).or_insert_with(|| {
            inputs.push((u, Vec::new()));
            inputs.len() - 1
        });
        let Some((_, blocks)) = inputs.get_mut(slot) else { continue };
        match blocks.iter_mut().find(|b| b.policy == u.rule.name) {
            Some(block) => block.resources.push(&u.address),
            None => {
                blocks.push(Blocked { policy: &u.rule.name, severity: u.severity, resources: vec![&u.address] });
            }
        }
    }
    let inputs = inputs
        .into_iter()
        .map(|(u, blocks)| InputJson {
            cause: cause_word(u.cause),
            message: &u.message,
            at: at(report, u.cause_span),
            blocks,
        })
        .collect();
    Unknown { total: report.unknowns.len(), causes, inputs }
}

fn coverage(report: &Report) -> Coverage<'_> {
    let ledger = &report.ledger;
    let states = [FileState::Checked, FileState::Partly, FileState::Unread, FileState::Skipped]
        .map(|state| (state.as_str(), ledger.count(state)))
        .into();
    let (unparsed, not_known): (Vec<_>, Vec<_>) =
        ledger.entries.iter().partition(|e| matches!(e.kind, CauseKind::Error | CauseKind::Undeclared));
    Coverage {
        complete: ledger.is_complete() && report.failures.is_empty(),
        states,
        resources: report.stats.resources,
        edges: report.stats.edges,
        policies: report.stats.policies,
        evaluations: report.stats.evaluations,
        unknown: unknown(report),
        unparsed: unparsed.iter().map(|e| Note { at: at(report, e.span), message: &e.message }).collect(),
        not_known: not_known
            .iter()
            .map(|e| NotKnown { at: at(report, e.span), cause: cause_word(e.kind), message: &e.message })
            .collect(),
        files: ledger
            .files
            .iter()
            .map(|f| FileJson { file: &f.path, format: f.format, state: f.state.as_str(), reason: &f.reason })
            .collect(),
    }
}

/// Writes the report; one finding a line.
pub fn render(report: &Report, options: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(b"{\"version\": ")?;
    wire::write(&VERSION, out)?;
    out.write_all(b",\n\"findings\": ")?;
    wire::write_lines(report.diagnostics.iter().map(|d| finding(report, d)), out)?;
    if let Some(since) = &report.since {
        out.write_all(b",\n\"since\": ")?;
        let hidden = since.hidden_counts().into_iter().map(|(why, n)| (why.as_str(), n)).collect();
        let counts = SinceJson {
            reference: &since.reference,
            commit: since.commit.as_deref(),
            introduced: report.diagnostics.len(),
            fixed: since.fixed().len(),
            unchanged: since.unchanged.len(),
            hidden,
            notes: &since.notes,
        };
        wire::write(&counts, out)?;
        out.write_all(b",\n\"fixed\": ")?;
        wire::write_lines(since.fixed().iter().map(|d| finding(&since.base, d)), out)?;
        if options.show_unchanged {
            out.write_all(b",\n\"unchanged\": ")?;
            wire::write_lines(since.unchanged.iter().map(|d| finding(report, d)), out)?;
        }
    }
    out.write_all(b",\n\"suppressed\": ")?;
    let suppressed = report.suppressed.iter().map(|s| SuppressedJson {
        policy: &s.diagnostic.rule.name,
        severity: s.diagnostic.severity,
        message: &s.diagnostic.message,
        at: at(report, s.diagnostic.primary.span),
        resource: s.diagnostic.subject.as_ref().map(|s| &*s.address),
        fingerprint: &s.diagnostic.fingerprint,
        by: suppression_word(s.by.kind),
        reason: &s.by.reason,
        comment: (!s.by.span.is_none()).then(|| at(report, s.by.span)),
    });
    wire::write_lines(suppressed, out)?;
    out.write_all(b",\n\"errors\": ")?;
    let troubles = troubles(report);
    let errors = troubles.iter().map(|t| ErrorJson {
        at: match t.span {
            Some(span) => at(report, span),
            None => Where { file: t.path, start: None, end: None },
        },
        message: &t.message,
        help: t.help,
        internal: t.internal,
    });
    wire::write_lines(errors, out)?;
    out.write_all(b",\n\"coverage\": ")?;
    wire::write(&coverage(report), out)?;
    out.write_all(b"}\n")
}
