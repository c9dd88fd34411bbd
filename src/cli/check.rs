//! `stacklint check`.

use super::Ending;
use super::args::{CheckArgs, Shard, TerraformArgs, Unknown};
use super::session::{Problem, Session};
use super::since::Before;
use super::terminal::{Progress, Terminal};
use crate::analysis::{
    Baseline, CancelToken, Change, Part, Report, Scope, Settings, Snapshot, UnknownResult, Workspace,
};
use crate::config::UnknownMode;
use crate::diagnostic::Diagnostic;
use crate::fix;
use crate::load::{self, Paths, Request};
use crate::report::{self, RenderOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many more checks a run may make to try fixes. Fixes are tried together, so one is usually enough; a report that
/// needs more than these shows fewer fixes, and `stacklint fix` still makes them all.
const MOST_TRIALS: usize = 12;

pub fn run(args: &CheckArgs, terminal: &Terminal) -> Result<Ending, Problem> {
    let started = Instant::now();
    let session = Session::new(&args.selection)?;
    let mut settings = session.settings(session.policies(terminal)?, &args.terraform, terminal)?;
    settings.inline_ignores = !args.no_inline_ignores;
    let baseline = args.baseline.as_deref().filter(|_| !args.write_baseline);
    settings.baseline = baseline.map(|path| read_baseline(&session, path)).transpose()?.map(Arc::new);
    let configured = started.elapsed();
    let run = Run { args, session: &session, terminal, started };
    let request = run.request(args.paths.clone())?;
    if let Some(shard) = args.shard
        && let Some(ending) = super::shard::run(shard, &run, &settings, &request)?
    {
        return Ok(ending);
    }

    let progress = Progress::start("checking");
    let done = run.examine(&request, settings, args.shard)?;
    drop(progress);
    let Done { report, .. } = &done;
    if args.write_baseline
        && let Some(path) = &args.baseline
    {
        let accepted = Baseline::of(&report.diagnostics, |d| report.path(d.primary.span));
        write_file(&session.working_directory.join(path), accepted.to_text().as_bytes())?;
        let n = report.diagnostics.len();
        terminal.note(&format!("{n} finding{} written to {}", if n == 1 { "" } else { "s" }, path.display()));
        return Ok(Ending::Clean);
    }
    let rendering = Instant::now();
    run.write(&run.render(report)?)?;
    run.warn(report);
    if args.timings {
        let mut steps = vec![("configure", configured), ("load", done.loaded.saturating_sub(configured))];
        steps.extend(done.steps.iter().copied());
        steps.push(("render", rendering.elapsed()));
        steps.push(("all", started.elapsed()));
        for (step, duration) in steps {
            terminal.note(&format!("{step:>20} {:9.3} ms", duration.as_secs_f64() * 1000.0));
        }
    }
    let ending = run.ending(report);
    // The process ends here; the system takes the memory back faster than one value after the other.
    std::mem::forget(done);
    Ok(ending)
}

/// What holds for everything that one run of the program checks.
pub struct Run<'a> {
    pub args: &'a CheckArgs,
    pub session: &'a Session,
    pub terminal: &'a Terminal,
    pub started: Instant,
}

/// What was checked, ready to be shown.
pub struct Done {
    pub report: Report,
    /// Kept so that a run that ends with this need not take it apart first.
    _workspaces: (Workspace, Snapshot, Option<Workspace>),
    /// When everything was read, counted from the start of the run.
    loaded: Duration,
    /// How long each step behind that took.
    steps: Vec<(&'static str, Duration)>,
}

impl Run<'_> {
    /// What is to be opened for some paths of the command line.
    pub fn request(&self, paths: Vec<PathBuf>) -> Result<Request, Problem> {
        let working_directory = self.session.working_directory.clone();
        Ok(Request { working_directory, paths, exclude: self.session.exclude()? })
    }

    /// Checks what is asked for, holds it against the base where there is one, tries fixes, and leaves in the report what
    /// belongs to the shard.
    pub fn examine(&self, request: &Request, settings: Settings, shard: Option<Shard>) -> Result<Done, Problem> {
        let (args, session, terminal) = (self.args, self.session, self.terminal);
        // git looks for the base while the head is checked.
        let (head, before) = std::thread::scope(|scope| {
            let find = |reference| scope.spawn(move || Before::find(reference, args, session, &request.paths));
            let before = args.since.as_deref().map(find);
            let head = self.open(request, settings);
            (head, before.map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))))
        });
        let (workspace, mut report, loaded) = head?;
        let mut steps = report.timings.steps.clone();
        let snapshot = workspace.snapshot();
        let mut change = match before.transpose()? {
            Some(before) => {
                let check = |session: &Session, workspace: &mut Workspace| check(args, session, workspace);
                Some(before.compare(args, session, request, (&snapshot, &report), check)?)
            }
            None => None,
        };
        let of_base = change.as_mut().and_then(|c| c.workspace.take());
        steps.extend(change.iter().flat_map(|c| &c.timings));
        let part = shard.map(|shard| Part::new(&report, shard.index - 1, shard.count));
        let shown = report::find(&args.format).map_or(0, |r| r.fixes_up_to);
        // A reader waits for the terminal; a program that asked for JSON wants the fixes whatever they cost.
        let hurried = shown < usize::MAX && report.stats.bytes > report::LARGE;
        let found = change.as_ref().map_or(report.diagnostics.len(), |c| c.comparison.introduced.len());
        let offering = Instant::now();
        if !args.no_fixes && !hurried && found <= shown {
            let introduces = change.as_ref().map(|c| c.comparison.introduces(&report));
            let files = report.files.clone();
            let is_mine = |d: &Diagnostic| part.as_ref().is_none_or(|part| part.has(&files, d.primary.span));
            let wanted = |d: &Diagnostic| introduces.as_ref().is_none_or(|is_new| is_new(d)) && is_mine(d);
            fix::offer_in(&snapshot, &mut report, &wanted, MOST_TRIALS, &CancelToken::new());
        }
        steps.push(("try fixes", offering.elapsed()));
        if let Some(change) = change {
            for note in change.notes() {
                terminal.warn(note);
            }
            change.narrow(&mut report);
        }
        if let Some(part) = part {
            report.keep(&part);
        }
        Ok(Done { report, _workspaces: (workspace, snapshot, of_base), loaded, steps })
    }

    /// Reads and checks; with the time at which everything was read.
    fn open(&self, request: &Request, settings: Settings) -> Result<(Workspace, Report, Duration), Problem> {
        let mut workspace = load::open(request, settings)?;
        let loaded = self.started.elapsed();
        let report = check(self.args, self.session, &mut workspace)?;
        Ok((workspace, report, loaded))
    }

    fn unknown_mode(&self) -> UnknownMode {
        match self.args.unknown {
            Some(Unknown::Silent) => UnknownMode::Silent,
            Some(Unknown::Warn) => UnknownMode::Warn,
            Some(Unknown::Fail) => UnknownMode::Fail,
            None => self.session.config.unknown,
        }
    }

    /// Says on standard error what is no finding.
    pub fn warn(&self, report: &Report) {
        if self.unknown_mode() != UnknownMode::Silent {
            for unknown in new_unknowns(report) {
                let line = report.files.get(unknown.span.file).map_or(0, |f| f.lines().line(unknown.span.start));
                self.terminal.warn(&format!(
                    "{}:{line}: `{}` cannot be decided for `{}`: {}",
                    report.path(unknown.span),
                    unknown.rule.name,
                    unknown.address,
                    unknown.message
                ));
            }
        }
        for failure in &report.failures {
            self.terminal.warn(&format!(
                "stacklint broke while it tried to {} `{}`: {}. This is a fault of the program; please report it",
                failure.step, failure.subject, failure.message
            ));
        }
    }

    /// The exit code that a report means.
    pub fn ending(&self, report: &Report) -> Ending {
        if self.args.strict && (!report.ledger.is_complete() || !report.failures.is_empty()) {
            return Ending::Unread;
        }
        let threshold = self.args.fail_on.or(self.session.config.fail_on);
        let fails = match threshold {
            Some(threshold) => report.at_least(threshold) > 0,
            None => !report.diagnostics.is_empty(),
        };
        if fails || (self.unknown_mode() == UnknownMode::Fail && !new_unknowns(report).is_empty()) {
            return Ending::Findings;
        }
        Ending::Clean
    }

    /// The report in the format that is asked for.
    pub fn render(&self, report: &Report) -> Result<Vec<u8>, Problem> {
        let (args, terminal) = (self.args, self.terminal);
        let to_file = args.output.is_some();
        let options = RenderOptions {
            format: report::find(&args.format).map_or("pretty", |r| r.name),
            color: terminal.color && !to_file,
            hyperlinks: terminal.hyperlinks && !to_file,
            unicode: terminal.unicode || to_file,
            width: terminal.width,
            repository_prefix: Paths::new(&self.session.working_directory, &[]).repository_prefix(),
            category: args.category.clone(),
            show_suppressed: args.show_ignored,
            show_unchanged: args.show_unchanged,
            elapsed: Some(self.started.elapsed()),
            ..RenderOptions::default()
        };
        let mut text = Vec::new();
        report::render(report, &options, &mut text)?;
        Ok(text)
    }

    /// Writes a report where it is wanted.
    pub fn write(&self, text: &[u8]) -> Result<(), Problem> {
        write_report(&self.session.working_directory, self.args.output.as_deref(), text)
    }
}

fn check(args: &CheckArgs, session: &Session, workspace: &mut Workspace) -> Result<Report, Problem> {
    if args.matrix { matrix(args, session, workspace) } else { checked(workspace) }
}

fn checked(workspace: &Workspace) -> Result<Report, Problem> {
    let report = workspace.snapshot().check(&Scope::All, &CancelToken::new());
    report.map_err(|cancelled| Problem::usage(cancelled.to_string()))
}

/// One check for each variable file of the command line, over one parse.
fn matrix(args: &CheckArgs, session: &Session, workspace: &mut Workspace) -> Result<Report, Problem> {
    let mut environments = Vec::new();
    // The first comes last, so that the workspace ends in the state that the merged report's graph shows.
    for file in args.terraform.var_file.iter().rev() {
        let terraform = TerraformArgs { var_file: vec![file.clone()], ..args.terraform.clone() };
        let settings = Settings { options: session.options(&terraform)?, ..workspace.settings().clone() };
        workspace.apply(Change { settings: Some(settings), ..Change::default() });
        environments.push((file.display().to_string(), checked(workspace)?));
    }
    environments.reverse();
    Ok(Report::merge(environments))
}

/// The unknown results that this run is about: where it is about a change, those that came with it.
fn new_unknowns(report: &Report) -> Vec<&Arc<UnknownResult>> {
    match &report.since {
        Some(since) => since.new_unknowns(report),
        None => report.unknowns.iter().collect(),
    }
}

/// Writes a report to a file, or to standard output.
pub fn write_report(working_directory: &Path, output: Option<&Path>, text: &[u8]) -> Result<(), Problem> {
    match output {
        Some(path) => write_file(&working_directory.join(path), text),
        None => {
            let mut out = std::io::stdout().lock();
            out.write_all(text)?;
            out.flush()?;
            Ok(())
        }
    }
}

/// Writes a file that the user named.
pub fn write_file(path: &Path, text: &[u8]) -> Result<(), Problem> {
    load::write(path, text).map_err(|e| Problem::usage(format!("cannot write `{}`: {e}", path.display())))
}

fn read_baseline(session: &Session, path: &Path) -> Result<Baseline, Problem> {
    let text = load::read_text(&session.working_directory.join(path)).map_err(|e| {
        Problem::Usage(
            format!("cannot read the baseline `{}`: {}", path.display(), e.reason),
            Some(format!("`stacklint check --baseline {} --write-baseline` makes one", path.display())),
        )
    })?;
    Baseline::parse(&text).map_err(|e| Problem::usage(format!("`{}`: {e}", path.display())))
}
