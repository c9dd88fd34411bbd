//! From arguments and the environment to a review or a server.

use super::args::{BotCommand, CommonArgs, LogFormat, Platform, ReviewArgs, ServeArgs};
use super::forge::{Forge, GitHub, GitHubAddress, GitLab, GitLabAddress};
use super::http::{Client, ForgeError, SystemClock, agent};
use super::log::Log;
use super::plan::{Conclusion, Wishes};
use super::review::{Options, Trouble, exit, review};
use super::secret::Secret;
use super::serve::event::is_repository;
use super::serve::web::Patience;
use super::serve::{self, Setup};
use crate::cli::Problem;
use crate::load::git::{Bounds, FetchError};
use crate::load::{Held, hold_shared, read_text};
use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How long one call waits for a platform's limit to pass: in CI nobody comes back later.
const PATIENCE: Duration = Duration::from_secs(15 * 60);
/// In the server the job goes back to the queue instead.
const PATIENCE_SUPERVISED: Duration = Duration::from_secs(60);
/// How long fetching may take; the server bounds a job by itself.
const FETCH: Duration = Duration::from_secs(30 * 60);
/// The longest file of keys or certificates.
const MOST_PRIVATE: usize = 1024 * 1024;

/// Runs a command and gives the exit code.
///
/// # Errors
/// What is wrong, where the arguments or the environment do not suffice, or it cannot be done.
pub fn run(command: &BotCommand) -> Result<u8, Problem> {
    match command {
        BotCommand::Review(args) => one(args),
        BotCommand::Serve(args) => server(args),
    }
}

/// A variable of the environment that is not empty.
fn env(name: &str) -> Option<String> {
    std::env::var(name).ok().map(|v| v.trim().to_owned()).filter(|v| !v.is_empty())
}

fn log_of(common: &CommonArgs) -> Log {
    Log::stderr(common.log == LogFormat::Json)
}

fn authorities(common: &CommonArgs) -> Result<Option<String>, Problem> {
    common.ca_file.as_deref().map(|file| private_file(file).map(|s| s.expose().to_owned())).transpose()
}

/// A small file; its text is no part of any message.
fn private_file(file: &Path) -> Result<Secret, Problem> {
    let text =
        read_text(file).map_err(|e| Problem::usage(format!("cannot read `{}`: {}", file.display(), e.reason)))?;
    if text.len() > MOST_PRIVATE {
        return Err(Problem::usage(format!("`{}` is too large to be what it should be", file.display())));
    }
    Ok(Secret::new(&*text))
}

/// The GraphQL API that belongs to a REST API.
fn graphql_of(api: &str) -> String {
    let api = api.trim_end_matches('/');
    match api.strip_suffix("/v3") {
        Some(server) => format!("{server}/graphql"),
        None => format!("{api}/graphql"),
    }
}

/// One review.
fn one(args: &ReviewArgs) -> Result<u8, Problem> {
    let log = log_of(&args.common);
    log.take_panics();
    let stop = Arc::new(AtomicBool::new(false));
    let scratch = args.scratch.clone().unwrap_or_else(std::env::temp_dir);
    // The server waits for this before it takes a folder of jobs for abandoned.
    let _held = if args.supervised { Some(supervised(&scratch, &stop)?) } else { None };
    let forge = forge(args, &log)?;
    let options = Options {
        wishes: Wishes { fail_on: args.common.fail_on.0, most_comments: args.common.max_comments },
        bounds: Bounds { bytes: args.common.max_megabytes.saturating_mul(1024 * 1024), time: FETCH },
        scratch,
        authorities: args.common.ca_file.clone(),
        dry_run: args.dry_run,
    };
    let plan = match review(&*forge, &options, &log, &stop) {
        Ok(Some(plan)) => plan,
        Ok(None) => return Ok(exit::CLEAN),
        Err(trouble) => {
            log.error("the review failed", &[("error", &trouble.to_string())]);
            let seconds = match &trouble {
                Trouble::Forge(ForgeError::Busy { wait, .. }) => Some(wait.as_secs()),
                Trouble::Forge(ForgeError::Broken { .. }) | Trouble::Fetch(FetchError::Refused(_)) => Some(30),
                _ => None,
            };
            let Some(seconds) = seconds else {
                return Err(Problem::usage(log.redact(&trouble.to_string())));
            };
            if args.supervised {
                // The last line, which the server looks for.
                let _ = writeln!(std::io::stderr(), "again-in={seconds}");
            }
            return Ok(exit::AGAIN);
        }
    };
    if args.dry_run {
        let mut out = serde_json::to_vec_pretty(&plan)?;
        out.push(b'\n');
        std::io::stdout().write_all(&out)?;
    } else {
        log.info(&plan.title, &[("calls", &plan.calls.len().to_string())]);
    }
    Ok(if plan.conclusion == Conclusion::Failure { exit::FINDINGS } else { exit::CLEAN })
}

/// Ends the process when whoever started it does: its end of standard input closes then.
fn supervised(scratch: &Path, stop: &Arc<AtomicBool>) -> Result<Held, Problem> {
    // The folder of this job lies in the one that the server has for all.
    let held = hold_shared(&serve::lock_file(scratch.parent().unwrap_or(scratch)))
        .map_err(|e| Problem::usage(format!("the server's lock cannot be held: {e}")))?;
    let stop = stop.clone();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        stop.store(true, Ordering::Relaxed);
        // A moment for the fetch to end the program that it started.
        std::thread::sleep(Duration::from_millis(50));
        std::process::exit(i32::from(exit::AGAIN));
    });
    Ok(held)
}

fn forge(args: &ReviewArgs, log: &Log) -> Result<Box<dyn Forge>, Problem> {
    let platform =
        args.forge.unwrap_or_else(|| if env("GITLAB_CI").is_some() { Platform::Gitlab } else { Platform::Github });
    let (variable, in_ci) = match platform {
        Platform::Github => ("GITHUB_TOKEN", env("GITHUB_ACTIONS").is_some()),
        Platform::Gitlab => ("GITLAB_TOKEN", env("GITLAB_CI").is_some()),
    };
    let token = env("STACKLINT_BOT_TOKEN").or_else(|| env(variable)).map(Secret::new).ok_or_else(|| {
        Problem::Usage(
            "there is no token to speak with".to_owned(),
            Some(format!("set `{variable}`; docs/bot.md lists the permissions that it needs")),
        )
    })?;
    log.hide(&token);
    let ci = |name: &str| env(name).filter(|_| in_ci);
    let common = &args.common;
    let agent = agent(authorities(common)?.as_deref()).map_err(Problem::usage)?;
    let patience = if args.supervised { PATIENCE_SUPERVISED } else { PATIENCE };
    let client = |base: &str| Client::new(agent.clone(), base, Arc::new(SystemClock), patience, log.clone());
    let missing = |what: &str, option: &str| {
        Problem::Usage(format!("it is not known which {what} to review"), Some(format!("name it with `{option}`")))
    };
    match platform {
        Platform::Github => {
            let repository =
                args.repo.clone().or_else(|| ci("GITHUB_REPOSITORY")).ok_or_else(|| missing("repository", "--repo"))?;
            if !is_repository(&repository) {
                return Err(Problem::usage(format!("`{repository}` is no repository; write `owner/name`")));
            }
            let number = match args.pr {
                Some(number) => number,
                None => number_of_event(&ci).ok_or_else(|| missing("pull request", "--pr"))?,
            };
            let api = common.api_url.clone().or_else(|| ci("GITHUB_API_URL"));
            let api = api.unwrap_or_else(|| "https://api.github.com".to_owned());
            // The CI's address goes with the CI's API only.
            let graphql = common.graphql_url.clone();
            let graphql = graphql.or_else(|| ci("GITHUB_GRAPHQL_URL").filter(|_| common.api_url.is_none()));
            let graphql = graphql.unwrap_or_else(|| graphql_of(&api));
            let git = common.git_url.clone().or_else(|| ci("GITHUB_SERVER_URL"));
            let git = git.unwrap_or_else(|| "https://github.com".to_owned());
            let address = GitHubAddress { repository, number, api: client(&api), graphql: client(&graphql), git };
            // The token of a workflow speaks for this account and cannot ask for it everywhere.
            let login = args.login.clone();
            Ok(Box::new(GitHub::new(address, &token, login, log.clone())))
        }
        Platform::Gitlab => {
            let project =
                args.repo.clone().or_else(|| ci("CI_PROJECT_PATH")).ok_or_else(|| missing("project", "--repo"))?;
            let is_project = project.contains('/')
                && project.split('/').all(|p| !p.is_empty() && p != "." && p != "..")
                && project.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'/'));
            if !is_project {
                return Err(Problem::usage(format!("`{project}` is no project; write `group/name`")));
            }
            let number = args.pr.or_else(|| ci("CI_MERGE_REQUEST_IID").and_then(|n| n.parse().ok()));
            let number = number.ok_or_else(|| missing("merge request", "--pr"))?;
            let api = common.api_url.clone().or_else(|| ci("CI_API_V4_URL"));
            let api = api.unwrap_or_else(|| "https://gitlab.com/api/v4".to_owned());
            let git = common.git_url.clone().or_else(|| ci("CI_SERVER_URL"));
            let git = git.unwrap_or_else(|| "https://gitlab.com".to_owned());
            let address = GitLabAddress { project, number, api: client(&api), git };
            Ok(Box::new(GitLab::new(address, &token)))
        }
    }
}

/// The pull request of a workflow: of its event, or of the reference that it was started for.
fn number_of_event(ci: &dyn Fn(&str) -> Option<String>) -> Option<u64> {
    let event = ci("GITHUB_EVENT_PATH").and_then(|path| read_text(&PathBuf::from(path)).ok());
    let event: Option<Value> = event.and_then(|text| serde_json::from_str(&text).ok());
    let of_event = event.as_ref().and_then(|e| {
        let pull = e.pointer("/pull_request/number");
        pull.or_else(|| e.get("issue").filter(|i| i.get("pull_request").is_some())?.get("number"))?.as_u64()
    });
    of_event.or_else(|| ci("GITHUB_REF")?.strip_prefix("refs/pull/")?.split('/').next()?.parse().ok())
}

/// The server.
fn server(args: &ServeArgs) -> Result<u8, Problem> {
    let common = &args.common;
    let log = log_of(common);
    let given = |file: Option<&PathBuf>, variable: &str, what: &str| match (file, env(variable)) {
        (Some(file), _) => private_file(file),
        (None, Some(value)) => Ok(Secret::new(value)),
        (None, None) => Err(Problem::usage(format!("there is no {what}: name its file, or set `{variable}`"))),
    };
    let api = common.api_url.clone().unwrap_or_else(|| "https://api.github.com".to_owned());
    let graphql = common.graphql_url.clone().unwrap_or_else(|| graphql_of(&api));
    let git = common.git_url.clone().unwrap_or_else(|| "https://github.com".to_owned());
    let mut platform = vec!["--api-url".to_owned(), api.clone(), "--graphql-url".to_owned(), graphql];
    platform.extend(["--git-url".to_owned(), git, "--fail-on".to_owned(), common.fail_on.word().to_owned()]);
    platform.extend(["--max-comments".to_owned(), common.max_comments.to_string()]);
    platform.extend(["--max-megabytes".to_owned(), common.max_megabytes.to_string()]);
    if let Some(file) = &common.ca_file {
        let full = std::path::absolute(file)?;
        platform.extend(["--ca-file".to_owned(), full.to_string_lossy().into_owned()]);
    }
    let seconds = Duration::from_secs;
    let setup = Setup {
        listen: args.listen.clone(),
        state: std::path::absolute(&args.state)?,
        app_id: args.app_id.clone(),
        private_key: given(args.private_key.as_ref(), "STACKLINT_PRIVATE_KEY", "private key of the App")?,
        webhook_secret: given(args.webhook_secret.as_ref(), "STACKLINT_WEBHOOK_SECRET", "secret of the webhook")?,
        api_url: api,
        platform,
        authorities: authorities(common)?,
        workers: args.workers,
        most_waiting: args.max_waiting,
        time: seconds(args.job_seconds),
        grace: seconds(args.grace_seconds),
        patience: Patience { head: seconds(args.head_seconds), body: seconds(args.body_seconds) },
    };
    serve::run(setup, &log).map_err(|e| Problem::usage(log.redact(&e)))?;
    Ok(exit::CLEAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_graphql_api_belongs_to_the_rest_api() {
        assert_eq!(graphql_of("https://api.github.com"), "https://api.github.com/graphql");
        assert_eq!(graphql_of("https://ghe.example.com/api/v3/"), "https://ghe.example.com/api/graphql");
    }

    #[test]
    fn the_reference_of_a_workflow_names_its_pull_request() {
        let ci = |name: &str| (name == "GITHUB_REF").then(|| "refs/pull/17/merge".to_owned());
        assert_eq!(number_of_event(&ci), Some(17));
        assert_eq!(number_of_event(&|name: &str| (name == "GITHUB_REF").then(|| "refs/heads/x".to_owned())), None);
    }
}
