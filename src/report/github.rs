//! Workflow commands: annotations on a GitHub Actions run.
//!
//! GitHub shows at most ten annotations of each level of one step and drops the rest in silence. So at most nine are
//! made where there are more than ten, the worst first; the tenth says how many more there are, and the log has them all.

use super::place::{place, rooted};
use super::text::visible;
use super::{RenderOptions, TOOL, count, troubles};
use crate::analysis::Report;
use crate::base::ColumnEncoding;
use crate::diagnostic::{Diagnostic, Severity};
use std::io::{self, Write};

/// Annotations of one level that GitHub shows of a step.
const SHOWN: usize = 10;

/// One annotation before it is written.
struct Annotation {
    level: Level,
    /// `file=…,line=…`, escaped.
    place: String,
    title: String,
    message: String,
    /// The line for the log.
    log: String,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Error,
    Warning,
    Notice,
}

impl Level {
    fn as_str(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Notice => "notice",
        }
    }

    fn of(severity: Severity) -> Level {
        match severity {
            Severity::Critical | Severity::High => Level::Error,
            Severity::Medium => Level::Warning,
            Severity::Low | Severity::Info => Level::Notice,
        }
    }
}

/// The text of a command. `%`, carriage return and line feed are what the runner decodes.
fn data(text: &str) -> String {
    visible(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property, which `:` and `,` would end.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// A line for the log that the runner cannot take for a command: neither `::…::` at its start nor, in the old form,
/// `##[…]` anywhere.
fn log_line(text: &str) -> String {
    let line = super::one_line(text).replace("##[", "## [");
    match line.trim_start().strip_prefix("::") {
        Some(rest) => format!(": : {rest}"),
        None => line,
    }
}

fn annotation(report: &Report, options: &RenderOptions, d: &Diagnostic) -> Annotation {
    let mut at = String::new();
    let mut shown = "-".to_owned();
    if let Some(place) = place(report, d.primary.span, ColumnEncoding::Chars) {
        let path = rooted(&options.repository_prefix, &place.file.path);
        at = format!("file={},line={},endLine={}", property(&path), place.start.line, place.end.line);
        // GitHub takes columns only of a place on one line, and a region of no width for none at all.
        if place.start.line == place.end.line && place.end.column > place.start.column {
            at.push_str(&format!(",col={},endColumn={}", place.start.column, place.end.column));
        }
        shown = format!("{path}:{}:{}", place.start.line, place.start.column);
    }
    let mut message = d.message.clone();
    for step in &d.trace {
        if let Some(p) = place(report, step.span, ColumnEncoding::Chars) {
            message.push_str(&format!("\n← {} ({}:{})", step.message, p.file.path, p.start.line));
        }
    }
    if !d.occurrences.is_empty() {
        let others: Vec<&str> = d.occurrences.iter().map(|o| &*o.address).take(10).collect();
        message.push_str(&format!("\nAlso in {}", others.join(", ")));
    }
    if !d.rule.url.is_empty() {
        message.push_str(&format!("\n{}", d.rule.url));
    }
    Annotation {
        level: Level::of(d.severity),
        place: at,
        title: format!("{} ({})", d.rule.title, d.rule.name),
        message,
        log: format!("{} {shown} {} [{}]", d.severity, d.message, d.rule.name),
    }
}

fn command(a: &Annotation, out: &mut dyn Write) -> io::Result<()> {
    let comma = if a.place.is_empty() { "" } else { "," };
    writeln!(out, "::{} {}{comma}title={}::{}", a.level.as_str(), a.place, property(&a.title), data(&a.message))
}

/// Writes the commands, then what found no room among them.
pub fn render(report: &Report, options: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    let mut order: Vec<&Diagnostic> = report.diagnostics.iter().collect();
    order.sort_by_key(|d| std::cmp::Reverse(d.severity));
    let mut all: Vec<Annotation> = order.iter().map(|d| annotation(report, options, d)).collect();
    for t in troubles(report) {
        let mut at = String::new();
        let mut shown = t.path.unwrap_or("-").to_owned();
        if let Some(path) = t.path {
            at = format!("file={}", property(&rooted(&options.repository_prefix, path)));
        }
        if let Some(p) = t.span.and_then(|s| place(report, s, ColumnEncoding::Chars)) {
            at.push_str(&format!(",line={},endLine={}", p.start.line, p.end.line));
            shown = format!("{shown}:{}:{}", p.start.line, p.start.column);
        }
        let help = t.help.map(|h| format!("\n{h}")).unwrap_or_default();
        all.push(Annotation {
            level: Level::Warning,
            place: at,
            title: "This could not be read, so it was not checked".to_owned(),
            log: format!("unread {shown} {}", t.message),
            message: format!("{}{help}", t.message),
        });
    }

    let mut rest: Vec<&Annotation> = Vec::new();
    for level in [Level::Error, Level::Warning, Level::Notice] {
        let of_level: Vec<&Annotation> = all.iter().filter(|a| a.level == level).collect();
        let room = if of_level.len() > SHOWN { SHOWN - 1 } else { of_level.len() };
        for a in &of_level[..room] {
            command(a, out)?;
        }
        let left = &of_level[room..];
        if !left.is_empty() {
            command(
                &Annotation {
                    level,
                    place: String::new(),
                    title: TOOL.to_owned(),
                    message: format!(
                        "{} more of this level: GitHub shows {SHOWN} annotations of a step. The log has all of them.",
                        left.len()
                    ),
                    log: String::new(),
                },
                out,
            )?;
            rest.extend(left);
        }
    }
    if !rest.is_empty() {
        writeln!(out, "::group::{TOOL}: {}", count(rest.len(), "further finding"))?;
        for a in rest {
            writeln!(out, "{}", log_line(&a.log))?;
        }
        writeln!(out, "::endgroup::")?;
    }
    let total = report.diagnostics.len();
    let parts: Vec<String> = super::by_severity(&report.diagnostics).iter().map(|(s, n)| format!("{n} {s}")).collect();
    let detail = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
    let since = super::since_words(report);
    let since = if since.is_empty() { String::new() } else { format!("; {}", since.join(", ")) };
    writeln!(out, "{}{detail} in {}{since}", count(total, "finding"), count(report.stats.files, "file"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn commands_escape_what_the_runner_decodes() {
        assert_eq!(data("50% of\r\na: b, c"), "50%25 of%0Aa: b, c");
        assert_eq!(property("C:\\a,b%\n"), "C%3A\\a%2Cb%25%0A");
        assert_eq!(log_line(" ::set-env name=X::y"), ": : set-env name=X::y");
        assert_eq!(log_line("a ##[add-path]b"), "a ## [add-path]b");
    }

    #[test]
    fn more_than_ten_of_a_level_end_in_the_log() {
        let mut report = sample::report();
        let one = report.diagnostics[0].clone();
        report.diagnostics = (0..12).map(|_| one.clone()).collect();
        report.errors.clear();
        report.failures.clear();
        report.ledger.files.clear();
        let mut out = Vec::new();
        render(&report, &RenderOptions::default(), &mut out).unwrap_or_default();
        let out = String::from_utf8(out).unwrap_or_default();
        let level = format!("::{} ", Level::of(one.severity).as_str());
        assert_eq!(out.lines().filter(|l| l.starts_with(&level)).count(), 10, "{out}");
        assert!(out.contains("3 more of this level"), "{out}");
        assert!(out.contains("::group::stacklint: 3 further findings"), "{out}");
        assert_eq!(
            out.lines().skip_while(|l| !l.starts_with("::group")).take_while(|l| *l != "::endgroup::").count(),
            4
        );
    }
}
