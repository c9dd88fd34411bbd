//! What a check found, written for people and for programs: one file and one row in [`REPORTERS`] a format.
//!
//! A reporter only reads a [`Report`]; it decides nothing. Whatever comes from scanned files passes through
//! `text` on its way out: control characters are escaped in every format, and secrets are never shown.

mod checkstyle;
mod github;
mod gitlab;
mod json;
mod junit;
pub mod markdown;
mod merge;
mod place;
mod pretty;
pub use pretty::LARGE;
mod rdjson;
#[cfg(test)]
mod sample;
mod sarif;
mod text;
mod wire;
mod xml;

use crate::analysis::Report;
use crate::diagnostic::{Diagnostic, Severity};
use std::io::{self, Write};
use std::time::Duration;

pub use json::finding_value;
pub use merge::{Joined, MERGEABLE, merge};
pub use text::{one_line, visible, wrap};

/// One output format.
pub struct Reporter {
    /// The word after `--format`.
    pub name: &'static str,
    /// What it is for, in one line of `--help`.
    pub about: &'static str,
    /// Up to how many findings it shows fixes: only then they need to be tried.
    pub fixes_up_to: usize,
    /// The function behind it.
    render: fn(&Report, &RenderOptions, &mut dyn Write) -> io::Result<()>,
}

/// Every output format, in the order in which `--help` lists them.
pub static REPORTERS: &[Reporter] = &[
    Reporter {
        name: "pretty",
        about: "for people: source excerpts with labels, help and links",
        fixes_up_to: pretty::MANY,
        render: pretty::render,
    },
    Reporter {
        name: "json",
        about: "everything, for scripts; a stable contract",
        fixes_up_to: usize::MAX,
        render: json::render,
    },
    Reporter {
        name: "sarif",
        about: "SARIF 2.1.0 for GitHub code scanning and editors",
        fixes_up_to: usize::MAX,
        render: sarif::render,
    },
    Reporter {
        name: "github",
        about: "workflow commands that annotate a GitHub Actions run",
        fixes_up_to: 0,
        render: github::render,
    },
    Reporter { name: "gitlab", about: "GitLab code quality report", fixes_up_to: 0, render: gitlab::render },
    Reporter { name: "junit", about: "JUnit XML for test views of CI servers", fixes_up_to: 0, render: junit::render },
    Reporter {
        name: "rdjson",
        about: "reviewdog diagnostics with suggestions",
        fixes_up_to: usize::MAX,
        render: rdjson::render,
    },
    Reporter {
        name: "checkstyle",
        about: "Checkstyle XML for Jenkins and many others",
        fixes_up_to: 0,
        render: checkstyle::render,
    },
    Reporter {
        name: "markdown",
        about: "a comment for a pull request or a job summary",
        fixes_up_to: 0,
        render: markdown::render,
    },
];

/// The reporter of a name.
pub fn find(name: &str) -> Option<&'static Reporter> {
    REPORTERS.iter().find(|r| r.name == name)
}

/// How to write; what does not matter to a format is not looked at.
#[derive(Clone, Debug)]
pub struct RenderOptions {
    /// The format's name.
    pub format: &'static str,
    /// Whether `pretty` may use ANSI colours.
    pub color: bool,
    /// Whether `pretty` may write OSC 8 hyperlinks.
    pub hyperlinks: bool,
    /// Whether `pretty` may draw with other characters than ASCII.
    pub unicode: bool,
    /// The columns that `pretty` may fill.
    pub width: usize,
    /// The way from the root of the repository to the working directory, such as `infra/prod`; empty where they are the same.
    /// Formats that a platform reads (`sarif`, `github`, `gitlab`) name files from the root of the repository.
    pub repository_prefix: String,
    /// Sets runs over the same commit apart (SARIF's `automationDetails.id`), such as the name of an environment.
    pub category: Option<String>,
    /// Whether findings that were ignored are written too, as such (`sarif`, `junit`, `pretty`).
    pub show_suppressed: bool,
    /// Whether findings that were there before the change are written too, as such, and those that it mended
    /// (`sarif`, `json`, `pretty`); nothing where the report is not about a change.
    pub show_unchanged: bool,
    /// How long the run took, for the summary; taken from the report's own timings where it is absent.
    pub elapsed: Option<Duration>,
    /// The characters that `markdown` may fill; GitHub refuses a comment of more than 65,536.
    pub markdown_limit: usize,
}

impl Default for RenderOptions {
    fn default() -> RenderOptions {
        RenderOptions {
            format: "pretty",
            color: false,
            hyperlinks: false,
            unicode: true,
            width: 100,
            repository_prefix: String::new(),
            category: None,
            show_suppressed: false,
            show_unchanged: false,
            elapsed: None,
            markdown_limit: 60_000,
        }
    }
}

/// Writes a report in the format of the options.
///
/// # Errors
/// What the writer says; a format that does not exist is an error of kind [`io::ErrorKind::InvalidInput`].
pub fn render(report: &Report, options: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    let reporter = find(options.format).ok_or_else(|| {
        let names: Vec<&str> = REPORTERS.iter().map(|r| r.name).collect();
        io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("there is no format `{}`; these exist: {}", options.format, names.join(", ")),
        )
    })?;
    (reporter.render)(report, options, out)
}

/// The program's name in reports.
const TOOL: &str = "stacklint";
/// Its version in reports.
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Where it lives.
const HOME: &str = "https://stacklint.dev";
/// The rule id under which formats that know only findings show what could not be read.
const UNPARSED: &str = "unparsed";
/// What to do about a failure of ours.
const REPORT_BUG: &str = "This is a fault of stacklint, not yours. Please report it with the file it broke on.";

/// Something that went wrong in reading, however the report came to know it.
struct Trouble<'a> {
    /// The place, where there is one.
    span: Option<crate::base::Span>,
    /// The path, where there is one.
    path: Option<&'a str>,
    /// What is wrong.
    message: std::borrow::Cow<'a, str>,
    /// What to do next.
    help: Option<&'a str>,
    /// Whether it is our fault.
    internal: bool,
}

/// Everything that could not be read: errors in files, files that were not read at all, and steps of ours that broke.
fn troubles(report: &Report) -> Vec<Trouble<'_>> {
    use crate::analysis::FileState;
    let mut all: Vec<Trouble<'_>> = report
        .errors
        .iter()
        .map(|e| Trouble {
            span: (!e.span.is_none()).then_some(e.span),
            path: report.files.get(e.span.file).map(|f| &*f.path),
            message: e.message.as_str().into(),
            help: e.help.as_deref(),
            internal: false,
        })
        .collect();
    let named: std::collections::HashSet<&str> = all.iter().filter_map(|t| t.path).collect();
    let unread: Vec<_> = report
        .ledger
        .files
        .iter()
        .filter(|f| f.state == FileState::Unread && !named.contains(&*f.path))
        .map(|f| Trouble {
            span: None,
            path: Some(&f.path),
            message: f.reason.as_str().into(),
            help: None,
            internal: false,
        })
        .collect();
    all.extend(unread);
    all.extend(report.failures.iter().map(|f| Trouble {
        span: None,
        path: report.files.by_path(&f.subject).map(|file| &*file.path),
        message: format!("the step `{}` broke on {}: {}", f.step, f.subject, f.message).into(),
        help: Some(REPORT_BUG),
        internal: true,
    }));
    all
}

/// The numbers of findings by severity, worst first, without those that do not occur.
fn by_severity(diagnostics: &[Diagnostic]) -> Vec<(Severity, usize)> {
    Severity::ALL
        .into_iter()
        .rev()
        .map(|s| (s, diagnostics.iter().filter(|d| d.severity == s).count()))
        .filter(|(_, n)| *n > 0)
        .collect()
}

/// The places that took part and are worth showing: a label without words around the primary place says nothing.
fn related(d: &Diagnostic) -> impl Iterator<Item = &crate::diagnostic::Label> {
    d.related.iter().filter(|l| !(l.message.is_empty() && l.span.contains(d.primary.span)))
}

/// What became of the findings of before, in words: `2 fixed`, `13 unchanged`, `1 ignored now`. Empty where the report is
/// not about a change.
fn since_words(report: &Report) -> Vec<String> {
    let Some(since) = &report.since else { return Vec::new() };
    let mut words = vec![format!("{} fixed", since.fixed().len()), format!("{} unchanged", since.unchanged.len())];
    words.extend(since.hidden_counts().into_iter().map(|(why, n)| format!("{n} {} now", why.as_str())));
    words
}

/// `1 file`, `2 files`.
fn count(n: usize, one: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") }
}

/// Fingerprints made unique: the second finding with the same one gets `:2`, and so on. Platforms treat findings of
/// one fingerprint as the same.
fn unique_fingerprints(diagnostics: &[Diagnostic]) -> Vec<String> {
    let mut seen: crate::base::FastMap<&str, u32> = crate::base::FastMap::default();
    diagnostics
        .iter()
        .map(|d| {
            let n = seen.entry(&d.fingerprint).or_default();
            *n += 1;
            if *n == 1 { d.fingerprint.clone() } else { format!("{}:{n}", d.fingerprint) }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reporter_has_its_own_name() {
        let mut names: Vec<_> = REPORTERS.iter().map(|r| r.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), REPORTERS.len());
    }

    #[test]
    fn an_unknown_format_is_named_with_those_that_exist() {
        let options = RenderOptions { format: "yaml", ..RenderOptions::default() };
        let error = render(&Report::default(), &options, &mut Vec::new()).map_err(|e| e.to_string());
        assert!(error.is_err_and(|e| e.contains("`yaml`") && e.contains("sarif")));
    }

    fn written(report: &Report, options: &RenderOptions) -> String {
        let mut out = Vec::new();
        assert!(render(report, options, &mut out).is_ok(), "{}", options.format);
        // A release must not change the snapshots.
        String::from_utf8(out).unwrap_or_default().replace(VERSION, "VERSION")
    }

    /// One snapshot a reporter, of the one sample.
    #[test]
    fn every_format_writes_the_sample() {
        for reporter in REPORTERS {
            let options = RenderOptions {
                format: reporter.name,
                width: 80,
                repository_prefix: "shop".into(),
                show_suppressed: true,
                ..RenderOptions::default()
            };
            let text = written(&sample::report(), &options);
            insta::assert_snapshot!(reporter.name, text);
            // Whatever a scanned file holds: no control character reaches the output, and no secret.
            assert!(!text.contains(|c| text::is_control(c) && c != '\n'), "{}", reporter.name);
            assert!(!text.contains("hunter2"), "{}", reporter.name);
        }
    }

    #[test]
    fn a_narrow_terminal_without_unicode_is_kept_to() {
        let options = RenderOptions { width: 50, unicode: false, ..RenderOptions::default() };
        let text = written(&sample::report(), &options);
        insta::assert_snapshot!("pretty-narrow", text);
        // Code, addresses and paths are not broken; all else keeps to the width.
        for line in text.lines().filter(|l| text::width(l) > 50) {
            assert!(line.contains("https://") || line.contains(":1"), "{line}");
        }
    }

    #[test]
    fn a_label_without_words_draws_no_line_beside_one_with_words() {
        let mut report = sample::report();
        report.diagnostics.truncate(1);
        let [finding] = report.diagnostics.as_mut_slice() else { return };
        let file = finding.primary.span.file;
        let label = |range, words| crate::diagnostic::Label::new(crate::base::Span::new(file, range), words);
        finding.primary = label(0..4, "");
        finding.related = vec![label(5..11, "this image"), label(12..14, "")];
        let text = written(&report, &RenderOptions { width: 80, ..RenderOptions::default() });
        assert!(text.contains("╰── here") && text.contains("╰── this image"), "{text}");
        assert_eq!(text.lines().filter(|l| l.contains("╰── ")).count(), 2, "{text}");
    }

    #[test]
    fn colours_and_links_are_written_on_request() {
        let options = RenderOptions { color: true, hyperlinks: true, width: 80, ..RenderOptions::default() };
        let text = written(&sample::report(), &options);
        assert!(text.contains("\u{1b}]8;;https://stacklint.example/policies/aws-s3-bucket-public-acl\u{1b}\\"));
        assert!(text.contains("\u{1b}["));
        let plain = RenderOptions { hyperlinks: true, ..options };
        let colorless = written(&sample::report(), &RenderOptions { color: false, hyperlinks: false, ..plain });
        assert!(!colorless.contains('\u{1b}'));
    }

    #[test]
    fn every_format_writes_an_empty_report() {
        for reporter in REPORTERS {
            let options = RenderOptions { format: reporter.name, ..RenderOptions::default() };
            let mut out = Vec::new();
            assert!(render(&Report::default(), &options, &mut out).is_ok(), "{}", reporter.name);
        }
    }
}
