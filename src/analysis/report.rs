//! What a check found: everything that a reporter, an editor or the bot needs, and nothing they would have to ask for.

use super::Unknowns;
use super::since::Since;
use crate::base::{FileId, Files, Span};
use crate::diagnostic::{Diagnostic, Rule, Severity, SyntaxError};
use crate::formats::LedgerEntry;
use crate::graph::{CauseKind, ResourceGraph};
use crate::policy::fix::FixRequest;
use std::sync::Arc;
use std::time::Duration;

/// The result of [`Snapshot::check`](super::Snapshot::check). All lists are sorted by path and place, so that two runs
/// over the same input give the same report however they came to that input.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The findings, by path, place and policy. Those of one policy at one place are one, with occurrences.
    pub diagnostics: Vec<Diagnostic>,
    /// Findings that an ignore comment, an ignore file, the configuration or a baseline silenced.
    pub suppressed: Vec<Suppressed>,
    /// Policies whose answer for a resource depends on a value that is not known.
    pub unknowns: Unknowns,
    /// What could not be read in the files.
    pub errors: Vec<SyntaxError>,
    /// Steps of this program that broke on a file or policy. The rest of the run went on.
    pub failures: Vec<Failure>,
    /// What became of every file, and every block and expression that is not known.
    pub ledger: Ledger,
    /// Every rule that the findings, the silenced findings and the unknowns mention, by name.
    pub rules: Vec<Arc<Rule>>,
    /// How findings can be mended: the index into `diagnostics`, and what the policy asks for.
    pub fixes: Vec<(usize, FixRequest)>,
    /// The graph that the policies were held against.
    pub graph: Arc<ResourceGraph>,
    /// The texts that the spans refer to.
    pub files: Files,
    /// Where the report speaks only of what a change introduces: the change, and what became of the rest.
    pub since: Option<Arc<Since>>,
    /// How much was looked at.
    pub stats: Stats,
    /// How long each step took; the only part that differs from run to run.
    pub timings: Timings,
}

/// A finding that is not shown, and why.
#[derive(Clone, PartialEq, Debug)]
pub struct Suppressed {
    /// The finding.
    pub diagnostic: Diagnostic,
    /// What silenced it.
    pub by: Suppression,
}

/// What silenced a finding.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Suppression {
    /// The kind of means.
    pub kind: SuppressionKind,
    /// Where the comment, annotation or line of an ignore file stands; [`Span::NONE`] for other means.
    pub span: Span,
    /// The reason that was given there; empty where none was.
    pub reason: String,
}

/// The means that silence a finding.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SuppressionKind {
    /// A comment or annotation in the scanned file.
    InSource,
    /// A line of `.trivyignore` or `.trivyignore.yaml`.
    IgnoreFile,
    /// `[[per-path]]` in `stacklint.toml`.
    Config,
    /// The finding stands in the baseline.
    Baseline,
    /// Another finding at the same place says it too, and more: `implied_by` of the policy.
    Implied,
}

/// A policy that can neither say yes nor no of a resource.
#[derive(Clone, PartialEq, Debug)]
pub struct UnknownResult {
    /// The policy's rule.
    pub rule: Arc<Rule>,
    /// The severity that a finding would have.
    pub severity: Severity,
    /// The address of the resource.
    pub address: Arc<str>,
    /// Its kind.
    pub kind: Arc<str>,
    /// The head of the resource.
    pub span: Span,
    /// The kind of reason.
    pub cause: CauseKind,
    /// The input that blocks the answer, in words.
    pub message: String,
    /// Where the unknown entered.
    pub cause_span: Span,
}

/// A step of this program that broke. It is our fault, never the user's, and is shown with a request to report it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// The step: `parse`, `lower`, `link`, `evaluate`.
    pub step: &'static str,
    /// The file, unit or policy it broke on.
    pub subject: String,
    /// What the program said.
    pub message: String,
}

/// The coverage ledger: nothing is dropped in silence.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// Every file that was found or named, by path.
    pub files: Vec<FileEntry>,
    /// Every block and expression that could not be read or evaluated, by path and place.
    pub entries: Vec<LedgerEntry>,
}

impl Ledger {
    /// How many files ended in a state.
    pub fn count(&self, state: FileState) -> usize {
        self.files.iter().filter(|f| f.state == state).count()
    }

    /// Whether every file was read as a whole, or skipped because it is no input.
    pub fn is_complete(&self) -> bool {
        self.files.iter().all(|f| matches!(f.state, FileState::Checked | FileState::Skipped))
    }
}

/// What became of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileEntry {
    /// The path relative to the working directory.
    pub path: Arc<str>,
    /// The file, where its text could be read.
    pub file: Option<FileId>,
    /// The format that claimed it.
    pub format: Option<&'static str>,
    /// The state.
    pub state: FileState,
    /// Why it is not checked as a whole; empty where it is.
    pub reason: String,
}

/// The states in which a file can end.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum FileState {
    /// Read and evaluated as a whole.
    Checked,
    /// A part of it could not be read; the rest was checked.
    Partly,
    /// It should have been checked and was not.
    Unread,
    /// No format claims it, or the configuration leaves it out.
    Skipped,
}

impl FileState {
    /// The word used in output.
    pub fn as_str(self) -> &'static str {
        match self {
            FileState::Checked => "checked",
            FileState::Partly => "partly",
            FileState::Unread => "unread",
            FileState::Skipped => "skipped",
        }
    }
}

/// How much was looked at.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Stats {
    /// Files that were read, wholly or partly.
    pub files: usize,
    /// Their size in bytes.
    pub bytes: usize,
    /// Resources in the graph, without the nodes of views.
    pub resources: usize,
    /// Edges in the graph.
    pub edges: usize,
    /// Policies that were selected.
    pub policies: usize,
    /// Evaluations of a policy on a resource.
    pub evaluations: usize,
    /// Blocks and expressions in the ledger.
    pub not_known: usize,
}

/// How long each step took, wall clock.
#[derive(Clone, Debug, Default)]
pub struct Timings {
    /// The steps in order.
    pub steps: Vec<(&'static str, Duration)>,
}

impl Timings {
    /// The sum over all steps.
    pub fn total(&self) -> Duration {
        self.steps.iter().map(|(_, d)| *d).sum()
    }
}

impl Report {
    /// The worst severity among the findings.
    pub fn worst(&self) -> Option<Severity> {
        self.diagnostics.iter().map(|d| d.severity).max()
    }

    /// How many findings are at least this severe.
    pub fn at_least(&self, severity: Severity) -> usize {
        self.diagnostics.iter().filter(|d| d.severity >= severity).count()
    }

    /// How many findings somebody silenced; those that another one implies are not among them.
    pub fn ignored(&self) -> usize {
        self.suppressed.iter().filter(|s| s.by.kind != SuppressionKind::Implied).count()
    }

    /// The path of the file of a span; `<none>` where it stands in no file.
    pub fn path(&self, span: Span) -> &str {
        self.files.get(span.file).map_or("<none>", |f| &f.path)
    }
}
