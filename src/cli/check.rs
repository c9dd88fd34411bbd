//! `stacklint check`.

use super::Ending;
use super::args::{CheckArgs, TerraformArgs, Unknown};
use super::session::{Problem, Session};
use super::since::Before;
use super::terminal::{Progress, Terminal};
use crate::analysis::{Baseline, CancelToken, Change, Report, Scope, Settings, Workspace};
use crate::config::UnknownMode;
use crate::diagnostic::Diagnostic;
use crate::fix;
use crate::load::{self, Paths, Request};
use crate::report::{self, RenderOptions};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

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

    let progress = Progress::start("checking");
    let before = args.since.as_deref().map(|reference| Before::find(reference, args, &session)).transpose()?;
    let request = Request {
        working_directory: session.working_directory.clone(),
        paths: args.paths.clone(),
        exclude: session.exclude()?,
    };
    let mut workspace = load::open(&request, settings)?;
    let loaded = started.elapsed();
    let mut report = check(args, &session, &mut workspace)?;
    let snapshot = workspace.snapshot();
    let change = match before {
        Some(before) => {
            Some(before.compare(args, &session, &request, (&snapshot, &report), |session, workspace| {
                check(args, session, workspace)
            })?)
        }
        None => None,
    };
    let shown = report::find(&args.format).map_or(0, |r| r.fixes_up_to);
    // A reader waits for the terminal; a program that asked for JSON wants the fixes whatever they cost.
    let hurried = shown < usize::MAX && report.stats.bytes > report::LARGE;
    let found = change.as_ref().map_or(report.diagnostics.len(), |c| c.comparison.introduced.len());
    let offering = Instant::now();
    if !args.no_fixes && !hurried && found <= shown {
        let introduces = change.as_ref().map(|c| c.comparison.introduces(&report));
        let wanted = |d: &Diagnostic| introduces.as_ref().is_none_or(|is_new| is_new(d));
        fix::offer_in(&snapshot, &mut report, &wanted, MOST_TRIALS, &CancelToken::new());
    }
    let offered = offering.elapsed();
    drop(progress);
    if let Some(change) = change {
        for note in change.notes() {
            terminal.warn(note);
        }
        change.narrow(&mut report);
    }

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
    write(args, &session, &report, terminal, started)?;
    let unknown = match args.unknown {
        Some(Unknown::Silent) => UnknownMode::Silent,
        Some(Unknown::Warn) => UnknownMode::Warn,
        Some(Unknown::Fail) => UnknownMode::Fail,
        None => session.config.unknown,
    };
    if unknown != UnknownMode::Silent {
        for unknown in &report.unknowns {
            let line = report.files.get(unknown.span.file).map_or(0, |f| f.lines().line(unknown.span.start));
            terminal.warn(&format!(
                "{}:{line}: `{}` cannot be decided for `{}`: {}",
                report.path(unknown.span),
                unknown.rule.name,
                unknown.address,
                unknown.message
            ));
        }
    }
    for failure in &report.failures {
        terminal.warn(&format!(
            "stacklint broke while it tried to {} `{}`: {}. This is a fault of the program; please report it",
            failure.step, failure.subject, failure.message
        ));
    }
    if args.timings {
        let mut steps = vec![("configure", configured), ("load", loaded.saturating_sub(configured))];
        steps.extend(report.timings.steps.iter().copied());
        steps.push(("try fixes", offered));
        steps.push(("render", rendering.elapsed()));
        steps.push(("all", started.elapsed()));
        for (step, duration) in steps {
            terminal.note(&format!("{step:>20} {:9.3} ms", duration.as_secs_f64() * 1000.0));
        }
    }
    let ending = ending(args, &session, &report, unknown);
    // The process ends here; the system takes the memory back faster than one value after the other.
    std::mem::forget((workspace, snapshot, report));
    Ok(ending)
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

fn ending(args: &CheckArgs, session: &Session, report: &Report, unknown: UnknownMode) -> Ending {
    if args.strict && (!report.ledger.is_complete() || !report.failures.is_empty()) {
        return Ending::Unread;
    }
    let threshold = args.fail_on.or(session.config.fail_on);
    let fails = match threshold {
        Some(threshold) => report.at_least(threshold) > 0,
        None => !report.diagnostics.is_empty(),
    };
    if fails || (unknown == UnknownMode::Fail && !report.unknowns.is_empty()) {
        return Ending::Findings;
    }
    Ending::Clean
}

/// Writes the report where it is wanted.
fn write(
    args: &CheckArgs,
    session: &Session,
    report: &Report,
    terminal: &Terminal,
    started: Instant,
) -> Result<(), Problem> {
    let to_file = args.output.is_some();
    let options = RenderOptions {
        format: report::find(&args.format).map_or("pretty", |r| r.name),
        color: terminal.color && !to_file,
        hyperlinks: terminal.hyperlinks && !to_file,
        unicode: terminal.unicode || to_file,
        width: terminal.width,
        repository_prefix: Paths::new(&session.working_directory, &[]).repository_prefix(),
        category: args.category.clone(),
        show_suppressed: args.show_ignored,
        elapsed: Some(started.elapsed()),
        ..RenderOptions::default()
    };
    let mut text = Vec::new();
    report::render(report, &options, &mut text)?;
    match &args.output {
        Some(path) => write_file(&session.working_directory.join(path), &text),
        None => {
            let mut out = std::io::stdout().lock();
            out.write_all(&text)?;
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
