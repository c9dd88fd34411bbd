//! JUnit XML by the schema of Jenkins' xUnit plugin: one test suite a file, one failed test case a finding, one passed test case for a file without findings.

use super::place::{Place, place};
use super::xml::{attribute, content};
use super::{RenderOptions, TOOL, UNPARSED, json, related, troubles};
use crate::analysis::{FileState, Report};
use crate::base::{ColumnEncoding, Span};
use std::collections::BTreeMap;
use std::io::{self, Write};

/// What became of a test case.
enum Outcome {
    Passed,
    Failed { message: String, kind: &'static str, body: String },
    Broken { message: String, body: String },
    Ignored { message: String },
}

struct Case {
    name: String,
    class: String,
    outcome: Outcome,
}

fn at(place: Option<&Place<'_>>) -> String {
    place.map_or_else(String::new, |p| format!("{}:{}:{}", p.file.path, p.start.line, p.start.column))
}

/// Writes the suites, sorted by path.
pub fn render(report: &Report, options: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    let find = |span: Span| place(report, span, ColumnEncoding::Chars);
    let mut suites: BTreeMap<&str, Vec<Case>> = BTreeMap::new();
    let class = |rule: &crate::diagnostic::Rule| format!("{TOOL}.{}", rule.name);
    for d in &report.diagnostics {
        let p = find(d.primary.span);
        let mut body = format!("{}: {}\n{}\n", d.severity, at(p.as_ref()), d.message);
        for step in &d.trace {
            body.push_str(&format!("  ← {} ({})\n", step.message, at(find(step.span).as_ref())));
        }
        for label in related(d) {
            body.push_str(format!("  see {} {}", at(find(label.span).as_ref()), label.message).trim_end());
            body.push('\n');
        }
        for o in &d.occurrences {
            body.push_str(&format!("  also {}\n", o.address));
        }
        body.push_str(&format!("\n{}\n{}\n", d.rule.remediation.trim(), d.rule.url));
        let line = p.map(|p| format!(":{}", p.start.line)).unwrap_or_default();
        let subject = d.subject.as_ref().map_or("", |s| &*s.address);
        suites.entry(report.path(d.primary.span)).or_default().push(Case {
            name: format!("{}{line} {subject}", d.rule.name).trim_end().to_owned(),
            class: class(&d.rule),
            outcome: Outcome::Failed { message: d.message.clone(), kind: d.severity.as_str(), body },
        });
    }
    if options.show_suppressed {
        for s in &report.suppressed {
            let d = &s.diagnostic;
            let reason = if s.by.reason.is_empty() { "no reason given" } else { &s.by.reason };
            suites.entry(report.path(d.primary.span)).or_default().push(Case {
                name: d.rule.name.clone(),
                class: class(&d.rule),
                outcome: Outcome::Ignored {
                    message: format!("ignored ({}): {reason}", json::suppression_word(s.by.kind)),
                },
            });
        }
    }
    let troubles = troubles(report);
    for t in &troubles {
        let p = t.span.and_then(find);
        let line = p.map(|p| format!(":{}", p.start.line)).unwrap_or_default();
        suites.entry(t.path.unwrap_or(TOOL)).or_default().push(Case {
            name: format!("{UNPARSED}{line}"),
            class: format!("{TOOL}.{UNPARSED}"),
            outcome: Outcome::Broken {
                message: t.message.clone().into_owned(),
                body: format!("{}\n{}\n{}\n", at(p.as_ref()), t.message, t.help.unwrap_or("")),
            },
        });
    }
    for file in report.ledger.files.iter().filter(|f| f.state == FileState::Checked) {
        let cases = suites.entry(&file.path).or_default();
        if cases.is_empty() {
            cases.push(Case { name: "no findings".into(), class: TOOL.into(), outcome: Outcome::Passed });
        }
    }

    let sum = |test: fn(&Outcome) -> bool| suites.values().flatten().filter(|c| test(&c.outcome)).count();
    let seconds = options.elapsed.unwrap_or_else(|| report.timings.total()).as_secs_f64();
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(
        out,
        "<testsuites name=\"{TOOL}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" time=\"{seconds:.3}\">",
        sum(|_| true),
        sum(failed),
        sum(broken),
    )?;
    for (path, cases) in &suites {
        let n = |test: fn(&Outcome) -> bool| cases.iter().filter(|c| test(&c.outcome)).count();
        writeln!(
            out,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"0\">",
            attribute(path),
            cases.len(),
            n(failed),
            n(broken),
            n(|o| matches!(o, Outcome::Ignored { .. })),
        )?;
        for case in cases {
            write_case(case, out)?;
        }
        writeln!(out, "  </testsuite>")?;
    }
    writeln!(out, "</testsuites>")
}

fn failed(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Failed { .. })
}

fn broken(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Broken { .. })
}

fn write_case(case: &Case, out: &mut dyn Write) -> io::Result<()> {
    write!(
        out,
        "    <testcase classname=\"{}\" name=\"{}\" time=\"0\"",
        attribute(&case.class),
        attribute(&case.name)
    )?;
    match &case.outcome {
        Outcome::Passed => return writeln!(out, "/>"),
        Outcome::Failed { message, kind, body } => write!(
            out,
            ">\n      <failure type=\"{kind}\" message=\"{}\">{}</failure>",
            attribute(message),
            content(body)
        )?,
        Outcome::Broken { message, body } => write!(
            out,
            ">\n      <error type=\"{UNPARSED}\" message=\"{}\">{}</error>",
            attribute(message),
            content(body)
        )?,
        Outcome::Ignored { message } => write!(out, ">\n      <skipped message=\"{}\"/>", attribute(message))?,
    }
    writeln!(out, "\n    </testcase>")
}
