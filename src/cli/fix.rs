//! `stacklint fix`.

use super::Ending;
use super::args::FixArgs;
use super::session::{Problem, Session};
use super::terminal::{Progress, Terminal};
use crate::analysis::CancelToken;
use crate::fix;
use crate::load::{self, Request};
use std::io::Write;

/// Mends what can be mended and says what is left. With `--diff` nothing is written, and the exit code is 1 where
/// something would be.
pub fn run(args: &FixArgs, terminal: &Terminal) -> Result<Ending, Problem> {
    let session = Session::new(&args.selection)?;
    let settings = session.settings(session.policies(terminal)?, &args.terraform, terminal)?;
    let progress = Progress::start("mending");
    let request = Request {
        working_directory: session.working_directory.clone(),
        paths: args.paths.clone(),
        exclude: session.exclude()?,
    };
    let mut workspace = load::open(&request, settings)?;
    let outcome = fix::fix_all(&mut workspace, args.unsafe_fixes, &CancelToken::new())
        .map_err(|cancelled| Problem::usage(cancelled.to_string()))?;
    drop(progress);

    let count = |n: usize, one: &str, many: &str| format!("{n} {}", if n == 1 { one } else { many });
    let mut out = std::io::stdout().lock();
    if args.diff {
        for changed in &outcome.changed {
            let text = fix::diff(&changed.path, &changed.before, &changed.after);
            out.write_all(terminal.color_diff(&text).as_bytes())?;
        }
    } else {
        for changed in &outcome.changed {
            fix::write(&session.working_directory, changed)
                .map_err(|e| Problem::usage(format!("cannot write `{}`: {e}", changed.path)))?;
        }
    }
    out.flush()?;
    let files = count(outcome.changed.len(), "file", "files");
    let fixed = count(outcome.fixed, "finding", "findings");
    let left = count(outcome.report.diagnostics.len(), "is left", "are left");
    terminal.note(&match (outcome.changed.is_empty(), args.diff) {
        (true, _) => format!("nothing was mended; {left}"),
        (false, true) => format!("{fixed} would be mended in {files}; {left}"),
        (false, false) => format!("{fixed} mended in {files}; {left}"),
    });
    if outcome.left_unsafe > 0 {
        let n = count(outcome.left_unsafe, "more could be mended", "more could be mended");
        terminal.note(&format!("{n} with --unsafe, which may change behaviour: look at `--unsafe --diff` first"));
    }
    Ok(if args.diff && !outcome.changed.is_empty() { Ending::Findings } else { Ending::Clean })
}
