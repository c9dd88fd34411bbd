//! For people: what is wrong, where, why the value is what it is, and what to do.
//!
//! Excerpts are drawn by miette's graphical handler; everything around them is arranged here, so that many findings
//! stay readable: a policy's help is given with its first finding only, the way of a value is told in one line a step,
//! and where there are many findings the lines around each are left out.

mod excerpt;
mod style;
mod summary;

use super::place::place;
use super::text::{Secrets, one_line, paragraphs, truncate, width, wrap};
use super::{RenderOptions, count, related};
use crate::analysis::Report;
use crate::base::{ColumnEncoding, FastSet, Span};
use crate::diagnostic::{Diagnostic, Label, Safety};
use excerpt::{Excerpt, Layout, Want};
use miette::{GraphicalReportHandler, LabeledSpan, SourceCode};
use rayon::prelude::*;
use std::fmt;
use std::io::{self, Write};
use style::Styles;

/// Beyond this many findings the lines around each are left out, and so are their fixes.
pub const MANY: usize = 60;
/// Above so many bytes of input the terminal does not show fixes with the findings: trying them means to check the
/// modules they touch again, and whoever reads the terminal waits for that.
pub const LARGE: usize = 1 << 20;
/// Related places drawn as excerpts; further ones are named.
const MAX_RELATED: usize = 4;
/// Other occurrences that are named.
const MAX_OCCURRENCES: usize = 5;
/// Steps of a value's way that are told.
const MAX_STEPS: usize = 8;
/// Findings that are named as fixed.
const MAX_FIXED: usize = 20;
/// Errors that are drawn.
const MAX_ERRORS: usize = 40;

/// What every part needs.
struct Cx<'a> {
    report: &'a Report,
    options: &'a RenderOptions,
    secrets: Secrets,
    styles: Styles,
    layout: Layout,
}

/// A message with an excerpt, as miette takes it.
struct Shown {
    message: String,
    level: miette::Severity,
    excerpt: Excerpt,
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Shown {}

impl miette::Diagnostic for Shown {
    fn severity(&self) -> Option<miette::Severity> {
        Some(self.level)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        (!self.excerpt.is_empty()).then_some(&self.excerpt as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.excerpt.labels.iter().cloned()))
    }
}

/// Writes the findings by file, then what could not be read, then the summary.
pub fn render(report: &Report, options: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    let context = u32::from(report.diagnostics.len() <= MANY);
    let columns = options.width.clamp(30, 160);
    let cx = Cx {
        report,
        options,
        secrets: Secrets::of_report(report),
        styles: Styles::new(options),
        layout: Layout { context, columns, unicode: options.unicode },
    };
    let mut seen: FastSet<&str> = FastSet::default();
    let first: Vec<bool> = report.diagnostics.iter().map(|d| seen.insert(&d.rule.name)).collect();
    // Each finding is drawn by itself; a big report uses all cores.
    let texts: Vec<String> = report.diagnostics.par_iter().zip(first).map(|(d, first)| cx.finding(d, first)).collect();

    let mut current = None;
    for (i, (d, text)) in report.diagnostics.iter().zip(&texts).enumerate() {
        let path = report.path(d.primary.span);
        if current != Some(path) {
            current = Some(path);
            let n = report.diagnostics[i..].iter().take_while(|o| report.path(o.primary.span) == path).count();
            cx.file_header(path, n, out)?;
        }
        out.write_all(text.as_bytes())?;
    }
    if options.show_suppressed {
        summary::suppressed(&cx, out)?;
    }
    summary::since(&cx, out)?;
    summary::errors(&cx, out)?;
    summary::last_lines(&cx, out)
}

impl Cx<'_> {
    fn file_header(&self, path: &str, n: usize, out: &mut dyn Write) -> io::Result<()> {
        let s = &self.styles;
        let path = one_line(path);
        let words = format!("{} {}", path, count(n, "finding"));
        let rule = self.layout.columns.min(100).saturating_sub(width(&words) + 4).max(2);
        let bar = if self.options.unicode { "─" } else { "-" };
        writeln!(
            out,
            "{} {} {} {}\n",
            s.dim(&bar.repeat(2)),
            s.bold(&path),
            s.dim(&count(n, "finding")),
            s.dim(&bar.repeat(rule))
        )
    }

    /// One finding, with an empty line behind it.
    fn finding(&self, d: &Diagnostic, first: bool) -> String {
        let s = &self.styles;
        let mut text = format!("{} {}\n", s.severity(d.severity), s.link(&d.rule.name, &d.rule.url));
        let mut wants = vec![Want { span: d.primary.span, message: d.primary.message.clone(), primary: true }];
        wants.extend(related(d).take(MAX_RELATED).map(|l| Want {
            span: l.span,
            message: l.message.clone(),
            primary: false,
        }));
        let excerpt = Excerpt::new(self.report, &self.secrets, &wants, &self.layout);
        let shown = Shown { message: self.message(&d.message), level: style::level(d.severity), excerpt };
        self.draw(&shown, s.theme(d.severity, &shown.excerpt.labels), &mut text);
        for (line, words) in &shown.excerpt.below {
            self.note(&format!("line {line}:"), words, &mut text);
        }
        for label in related(d).skip(MAX_RELATED) {
            let words = if label.message.is_empty() { "takes part" } else { &label.message };
            self.step("see", words, label.span, &mut text);
        }
        self.way(&d.trace, &mut text);
        for call in d.callers.iter().rev() {
            self.step(if self.options.unicode { "↑" } else { "^" }, "through the module call", *call, &mut text);
        }
        self.occurrences(d, &mut text);
        if first {
            self.note("help:", &d.rule.remediation, &mut text);
            if !self.options.hyperlinks && !d.rule.url.is_empty() {
                text.push_str(&format!("  {} {}\n", s.help("docs:"), d.rule.url));
            }
        }
        if let Some(fix) = &d.fix {
            let how = match fix.safety {
                Safety::Safe => "stacklint fix",
                Safety::Unsafe => "stacklint fix --unsafe",
            };
            self.note("fix:", &format!("{} (`{how}`)", fix.title), &mut text);
        }
        text.push('\n');
        text
    }

    /// A message broken into lines that fit. miette itself would break it at hyphens, and so the names in it.
    fn message(&self, text: &str) -> String {
        wrap(&one_line(text), self.layout.columns.min(110).saturating_sub(4)).join("\n")
    }

    /// Message and excerpt, by miette.
    fn draw(&self, shown: &Shown, theme: miette::GraphicalTheme, text: &mut String) {
        // Any number of context lines but zero: the excerpt knows its own.
        let handler = GraphicalReportHandler::new_themed(theme)
            .with_wrap_lines(false)
            .with_context_lines(1)
            .with_urls(false)
            .without_cause_chain()
            .without_syntax_highlighting();
        let before = text.len();
        if handler.render_report(text, shown).is_err() {
            // Writing to a string cannot fail; should miette find fault with an excerpt, the words must not be lost.
            text.truncate(before);
            text.push_str(&format!("  {}\n", shown.message));
        }
    }

    /// Words behind a keyword, wrapped and indented.
    fn note(&self, keyword: &str, words: &str, text: &mut String) {
        let indent = if keyword.is_empty() { 2 } else { keyword.len() + 3 };
        let words = paragraphs(&super::visible(words));
        for (i, line) in wrap(&words, self.layout.columns.min(110).saturating_sub(indent)).iter().enumerate() {
            if i == 0 && !keyword.is_empty() {
                text.push_str(&format!("  {} {line}\n", self.styles.help(keyword)));
            } else if line.trim().is_empty() {
                text.push('\n');
            } else {
                text.push_str(&format!("{:indent$}{line}\n", ""));
            }
        }
    }

    /// The way a value came, nearest first.
    fn way(&self, trace: &[Label], text: &mut String) {
        let arrow = if self.options.unicode { "←" } else { "<-" };
        let skip = trace.len().saturating_sub(MAX_STEPS);
        for (i, label) in trace.iter().enumerate() {
            // The first steps and the last one matter most: the last is where the value is written.
            if skip > 0 && i == MAX_STEPS - 1 {
                text.push_str(&format!("  {arrow} {}\n", self.styles.dim(&format!("{skip} steps left out"))));
            }
            if skip > 0 && i >= MAX_STEPS - 1 && i + 1 < trace.len() {
                continue;
            }
            let words = label.message.trim_start_matches(['←', ' ']);
            self.step(arrow, if words.is_empty() { "from here" } else { words }, label.span, text);
        }
    }

    /// A sign, some words, the place, and what is written there.
    fn step(&self, sign: &str, words: &str, span: Span, text: &mut String) {
        let s = &self.styles;
        let words = one_line(words);
        let Some(at) = place(self.report, span, ColumnEncoding::Chars) else {
            text.push_str(&format!("  {} {words}\n", s.help(sign)));
            return;
        };
        let spot = format!("{}:{}:{}", one_line(&at.file.path), at.start.line, at.start.column);
        let range = at.file.lines().line_range(&at.file.text, at.start.line);
        let source = self.secrets.text(at.file, range);
        let source = one_line(source.trim());
        let columns = self.layout.columns;
        let head = width(sign) + width(&words) + width(&spot) + 6;
        text.push_str(&format!("  {} {words}, {}", s.help(sign), s.place(&spot)));
        let room = columns.saturating_sub(head + 2);
        if source.is_empty() {
            text.push('\n');
        } else if width(&source) <= room || room >= 40 {
            text.push_str(&format!("  {}\n", s.dim(&truncate(&source, room))));
        } else {
            text.push_str(&format!("\n      {}\n", s.dim(&truncate(&source, columns.saturating_sub(6)))));
        }
    }

    fn occurrences(&self, d: &Diagnostic, text: &mut String) {
        if d.occurrences.is_empty() {
            return;
        }
        let named: Vec<String> =
            d.occurrences.iter().take(MAX_OCCURRENCES).map(|o| format!("`{}`", one_line(&o.address))).collect();
        let more = d.occurrences.len().saturating_sub(MAX_OCCURRENCES);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        self.note("also:", &format!("{}{more}", named.join(", ")), text);
    }
}
