//! The end of the report: what was silenced, what could not be read, and the sum of it all.

use super::excerpt::{Excerpt, Want};
use super::{Cx, LARGE, MANY, MAX_ERRORS, MAX_FIXED, Shown};
use crate::analysis::FileState;
use crate::base::{ColumnEncoding, FastMap};
use crate::diagnostic::{Safety, Severity};
use crate::graph::CauseKind;
use crate::report::place::place;
use crate::report::text::{one_line, width, wrap};
use crate::report::{by_severity, count, json, troubles};
use std::io::{self, Write};

/// What was silenced, one line each.
pub fn suppressed(cx: &Cx<'_>, out: &mut dyn Write) -> io::Result<()> {
    if cx.report.suppressed.is_empty() {
        return Ok(());
    }
    writeln!(out, "{}\n", cx.styles.bold("Ignored"))?;
    for s in &cx.report.suppressed {
        let mut text = String::new();
        let reason = if s.by.reason.is_empty() {
            format!("({})", json::suppression_word(s.by.kind))
        } else {
            format!("({}: {})", json::suppression_word(s.by.kind), s.by.reason)
        };
        let d = &s.diagnostic;
        cx.step(d.severity.as_str(), &format!("{} {reason}", d.rule.name), d.primary.span, &mut text);
        out.write_all(text.as_bytes())?;
    }
    writeln!(out)
}

/// A line across with words in it, and an empty one.
fn heading(cx: &Cx<'_>, words: &str, out: &mut dyn Write) -> io::Result<()> {
    let bar = if cx.options.unicode { "─" } else { "-" };
    let rule = cx.layout.columns.min(100).saturating_sub(width(words) + 4).max(2);
    let s = &cx.styles;
    writeln!(out, "{} {} {}\n", s.dim(&bar.repeat(2)), s.bold(words), s.dim(&bar.repeat(rule)))
}

/// What a change mended, and on request what was there before it, one line each.
pub fn since(cx: &Cx<'_>, out: &mut dyn Write) -> io::Result<()> {
    let Some(since) = &cx.report.since else { return Ok(()) };
    let unchanged = if cx.options.show_unchanged { since.unchanged.as_slice() } else { &[] };
    let sections = [("Fixed", since.fixed(), &since.base), ("Unchanged", unchanged, cx.report)];
    for (words, findings, report) in sections.into_iter().filter(|(_, findings, _)| !findings.is_empty()) {
        heading(cx, words, out)?;
        let shown = if cx.options.show_unchanged { findings.len() } else { MAX_FIXED };
        for d in findings.iter().take(shown) {
            let at = place(report, d.primary.span, ColumnEncoding::Chars)
                .map(|p| format!("{}:{}:{}", one_line(&p.file.path), p.start.line, p.start.column))
                .unwrap_or_default();
            let s = &cx.styles;
            writeln!(out, "  {} {}, {} {}", s.severity(d.severity), d.rule.name, one_line(&d.message), s.place(&at))?;
        }
        if findings.len() > shown {
            writeln!(out, "  and {} more: `--format json` lists all of them", findings.len() - shown)?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// What could not be read, with excerpts.
pub fn errors(cx: &Cx<'_>, out: &mut dyn Write) -> io::Result<()> {
    let troubles = troubles(cx.report);
    if troubles.is_empty() {
        return Ok(());
    }
    heading(cx, "Not read, so not checked", out)?;
    for t in troubles.iter().take(MAX_ERRORS) {
        let wants: Vec<Want> =
            t.span.into_iter().map(|span| Want { span, message: String::new(), primary: true }).collect();
        let excerpt = Excerpt::new(cx.report, &cx.secrets, &wants, &cx.layout);
        let message = match t.path {
            Some(path) if excerpt.is_empty() => format!("{path}: {}", t.message),
            _ => t.message.clone().into_owned(),
        };
        let level = if t.internal { miette::Severity::Error } else { miette::Severity::Warning };
        let shown = Shown { message: cx.message(&message), level, excerpt };
        let severity = if t.internal { Severity::Critical } else { Severity::Medium };
        let mut text = String::new();
        cx.draw(&shown, cx.styles.theme(severity, &shown.excerpt.labels), &mut text);
        if let Some(help) = t.help {
            cx.note("help:", help, &mut text);
        }
        writeln!(out, "{text}")?;
    }
    if troubles.len() > MAX_ERRORS {
        writeln!(out, "  and {} more: `--format json` lists all of them\n", troubles.len() - MAX_ERRORS)?;
    }
    Ok(())
}

/// The sum of it all.
pub fn last_lines(cx: &Cx<'_>, out: &mut dyn Write) -> io::Result<()> {
    let (report, s) = (cx.report, &cx.styles);
    let total = report.diagnostics.len();
    let new = if report.since.is_some() { "new " } else { "" };
    if total == 0 {
        let sign = if cx.options.unicode { "✔ " } else { "" };
        writeln!(out, "{}", s.good(&format!("{sign}No {new}findings")))?;
    } else {
        let parts: Vec<String> = by_severity(&report.diagnostics)
            .iter()
            .map(|(severity, n)| s.of_severity(&format!("{n} {severity}"), *severity))
            .collect();
        let worst = report.worst().unwrap_or(Severity::Info);
        let sign = if cx.options.unicode { "✖ " } else { "" };
        let head = s.of_severity(&format!("{sign}{}", count(total, &format!("{new}finding"))), worst);
        writeln!(out, "{head}: {}", parts.join(", "))?;
    }
    let stats = &report.stats;
    let dot = if cx.options.unicode { " · " } else { ", " };
    if let Some(since) = &report.since {
        let mut facts = crate::report::since_words(report);
        if let Some(first) = facts.first_mut() {
            let commit = since.commit.as_deref().and_then(|c| c.get(..12)).map(|c| format!(" ({c})"));
            *first = format!("since {}{}: {first}", since.reference, commit.unwrap_or_default());
        }
        lines(cx, &facts, dot, out)?;
    }
    let mut facts = vec![
        count(stats.files, "file"),
        count(stats.resources, "resource"),
        if stats.policies == 1 { "1 policy".to_owned() } else { format!("{} policies", stats.policies) },
    ];
    let not_whole = report.ledger.count(FileState::Partly) + report.ledger.count(FileState::Unread);
    if not_whole > 0 {
        facts.push(format!("{} not checked as a whole", count(not_whole, "file")));
    }
    if !report.unknowns.is_empty() {
        facts.push(format!("{} unknown", report.unknowns.len()));
    }
    let ignored = report.ignored();
    if ignored > 0 {
        facts.push(format!("{ignored} ignored"));
    }
    let implied = report.suppressed.len() - ignored;
    if implied > 0 {
        facts.push(format!("{implied} said by another finding"));
    }
    let elapsed = cx.options.elapsed.unwrap_or_else(|| report.timings.total());
    if !elapsed.is_zero() {
        facts.push(format!("{:.2} s", elapsed.as_secs_f64()));
    }
    lines(cx, &facts, dot, out)?;
    if let Some(first) = report.ledger.entries.first() {
        let at = place(report, first.span, ColumnEncoding::Chars)
            .map(|p| format!("{}:{}: ", p.file.path, p.start.line))
            .unwrap_or_default();
        let such = format!("such as {at}{}", one_line(&first.message));
        let words = format!("{} not evaluated, {such}", count(report.ledger.entries.len(), "place"));
        for line in wrap(&words, cx.layout.columns.saturating_sub(2)) {
            writeln!(out, "  {}", cx.styles.dim(&line))?;
        }
    }
    if !report.unknowns.is_empty() {
        unknown(cx, out)?;
    }
    let fixes =
        |safety| report.diagnostics.iter().filter_map(|d| d.fix.as_ref()).filter(|f| f.safety == safety).count();
    let (safe, other) = (fixes(Safety::Safe), fixes(Safety::Unsafe));
    let fixable = match (safe, other) {
        (0, 0) if report.fixes.is_empty() || (total <= MANY && report.stats.bytes <= LARGE) => return Ok(()),
        (0, 0) => format!("{} may be mended by `stacklint fix`; with `--diff` it shows how", report.fixes.len()),
        (n, 0) => format!("{n} can be mended by `stacklint fix`"),
        (0, n) => format!("{n} can be mended by `stacklint fix --unsafe`, which may change behaviour"),
        (n, m) => format!("{n} can be mended by `stacklint fix`, {m} more with `--unsafe`"),
    };
    for line in wrap(&fixable, cx.layout.columns.saturating_sub(2)) {
        writeln!(out, "  {}", cx.styles.dim(&line))?;
    }
    Ok(())
}

/// Facts on as few lines as they need.
fn lines(cx: &Cx<'_>, facts: &[String], separator: &str, out: &mut dyn Write) -> io::Result<()> {
    let mut line = String::new();
    for fact in facts {
        if !line.is_empty() && width(&line) + width(separator) + width(fact) + 2 > cx.layout.columns {
            writeln!(out, "  {}", cx.styles.dim(&line))?;
            line.clear();
        }
        if !line.is_empty() {
            line.push_str(separator);
        }
        line.push_str(fact);
    }
    writeln!(out, "  {}", cx.styles.dim(&line))
}

/// Why answers are unknown, the most frequent reason first.
fn unknown(cx: &Cx<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut counts: FastMap<CauseKind, usize> = FastMap::default();
    for u in &cx.report.unknowns {
        *counts.entry(u.cause).or_default() += 1;
    }
    let mut counts: Vec<(CauseKind, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(cause, n)| (std::cmp::Reverse(*n), *cause));
    let causes: Vec<String> = counts
        .iter()
        .map(|(cause, n)| match cause {
            CauseKind::Input => format!("{n} for a variable without a value"),
            CauseKind::Computed => format!("{n} for what is known only after apply"),
            CauseKind::External => format!("{n} for what is read from outside"),
            CauseKind::Missing => format!("{n} for a module or file that is not here"),
            CauseKind::Error => format!("{n} for an expression that is an error"),
            CauseKind::Undeclared => format!("{n} for a reference to a resource that is not declared"),
            CauseKind::Limit => format!("{n} for a limit that was reached"),
            CauseKind::Unsupported => format!("{n} for what is not evaluated"),
        })
        .collect();
    for line in wrap(&format!("unknown: {}", causes.join(", ")), cx.layout.columns.saturating_sub(2)) {
        writeln!(out, "  {}", cx.styles.dim(&line))?;
    }
    Ok(())
}
