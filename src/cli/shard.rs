//! `stacklint check --shard` over several repositories: each by itself, a share of them in each run.

use super::Ending;
use super::args::Shard;
use super::check::Run;
use super::session::Problem;
use super::terminal::Progress;
use crate::analysis::Settings;
use crate::load::{self, Request};
use crate::report::{self, MERGEABLE};

/// Checks the share of the repositories that belongs to a shard; `None` where there is but one, whose findings are
/// divided instead.
pub fn run(shard: Shard, run: &Run<'_>, settings: &Settings, request: &Request) -> Result<Option<Ending>, Problem> {
    let projects = load::projects(request, settings.formats)?;
    if projects.len() < 2 {
        return Ok(None);
    }
    if !MERGEABLE.contains(&&*run.args.format) {
        return Err(Problem::Usage(
            format!(
                "the reports of {} repositories cannot be joined in the format `{}`",
                projects.len(),
                run.args.format
            ),
            Some(format!("use `--format {}`", MERGEABLE.join("` or `--format "))),
        ));
    }
    let progress = Progress::start("checking");
    let mut reports = Vec::new();
    let mut ending = Ending::Clean;
    // In turns, so that neighbours, which are often alike in size, go to different shards.
    let mine = projects.into_iter().enumerate().filter(|(i, _)| i % shard.count == shard.index - 1);
    for (_, paths) in mine {
        let request = run.request(paths)?;
        let done = run.examine(&request, settings.clone(), None)?;
        run.warn(&done.report);
        ending = ending.max(run.ending(&done.report));
        reports.push(run.render(&done.report)?);
    }
    if reports.is_empty() {
        // A report of nothing, so that every shard leaves one to be joined.
        reports.push(run.render(&Default::default())?);
    }
    let joined = report::merge(reports.iter().map(Vec::as_slice)).map_err(|(_, reason)| Problem::usage(reason))?;
    drop(progress);
    run.write(&joined.text)?;
    Ok(Some(ending))
}
