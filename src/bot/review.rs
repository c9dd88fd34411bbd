//! One look at a change: fetch, judge, see what was said, and say what is left to say. Done again, it says nothing.

use super::evaluate::{Ignoring, Judged, judge};
use super::finding::Place;
use super::forge::{Change, Forge};
use super::http::ForgeError;
use super::log::Log;
use super::plan::{Answer, Plan, Posted, Wishes, plan};
use super::words;
use crate::load::git::{Bounds, FetchError, Remote, fetch};
use crate::load::{Scratch, make_folder};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// How a review ends, as an exit code.
pub mod exit {
    /// Nothing at or above the threshold was introduced.
    pub const CLEAN: u8 = 0;
    /// Something was.
    pub const FINDINGS: u8 = 1;
    /// The platform asks to come back later, or could not be reached.
    pub const AGAIN: u8 = 75;
}

/// Characters of a reason that are kept.
const MOST_REASON: usize = 200;
/// How often a change is looked at again because it moved on meanwhile, or an answer got lost.
const MOST_ROUNDS: usize = 4;
/// The pause before another look.
const PAUSE: Duration = Duration::from_secs(1);

/// How to review.
pub struct Options {
    /// What the user wants.
    pub wishes: Wishes,
    /// What fetching may cost.
    pub bounds: Bounds,
    /// Where folders are made.
    pub scratch: PathBuf,
    /// Certificates of authorities to trust instead of the system's.
    pub authorities: Option<PathBuf>,
    /// Whether to leave it at the plan.
    pub dry_run: bool,
}

/// What stops a review.
#[derive(Debug)]
pub enum Trouble {
    /// The platform.
    Forge(ForgeError),
    /// The commits.
    Fetch(FetchError),
    /// The system, or commits that cannot be read.
    Other(String),
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Trouble::Forge(error) => error.fmt(f),
            Trouble::Fetch(error) => error.fmt(f),
            Trouble::Other(words) => f.write_str(words),
        }
    }
}

impl From<ForgeError> for Trouble {
    fn from(error: ForgeError) -> Trouble {
        Trouble::Forge(error)
    }
}

impl From<FetchError> for Trouble {
    fn from(error: FetchError) -> Trouble {
        Trouble::Fetch(error)
    }
}

/// Reviews a change. `None` where it is not open.
///
/// # Errors
/// [`Trouble`]
pub fn review(forge: &dyn Forge, options: &Options, log: &Log, stop: &AtomicBool) -> Result<Option<Plan>, Trouble> {
    let mut change = forge.change()?;
    for round in 1..=MOST_ROUNDS {
        if !change.open {
            log.info("the change is not open; nothing is said", &[]);
            return Ok(None);
        }
        let judged = look(forge, &change, options, log, stop)?;
        let now = forge.change()?;
        // What was judged is no longer what people see.
        if now.head != change.head && round < MOST_ROUNDS {
            log.info("the change moved on; looking again", &[("head", &now.head)]);
            change = now;
            continue;
        }
        return say(forge, &change, judged, options, log).map(Some);
    }
    Err(Trouble::Other("the change does not come to rest".to_owned()))
}

/// Fetches the commits into a folder for the time being, and judges.
fn look(
    forge: &dyn Forge,
    change: &Change,
    options: &Options,
    log: &Log,
    stop: &AtomicBool,
) -> Result<Judged, Trouble> {
    let scratch = Scratch::new(&options.scratch)
        .map_err(|e| Trouble::Other(format!("cannot make a folder in `{}`: {e}", options.scratch.display())))?;
    let git_dir = scratch.path().join("git");
    make_folder(&git_dir).map_err(|e| Trouble::Other(format!("cannot make a folder: {e}")))?;
    let source = forge.source();
    log.hide(&source.authorization);
    let remote = Remote {
        url: &source.url,
        authorization: source.authorization.expose(),
        authorities: options.authorities.as_deref().map(Path::new),
    };
    let mut commits = vec![change.head.as_str(), &change.base, &change.target];
    commits.sort_unstable();
    commits.dedup();
    fetch(&git_dir, &remote, &commits, options.bounds, stop)?;
    judge(&git_dir, change).map_err(Trouble::Other)
}

/// Makes the calls that are left. An answer that got lost may mean that the call was carried out, so it is never repeated
/// blindly: what is on the platform by then tells what is left.
fn say(forge: &dyn Forge, change: &Change, mut judged: Judged, options: &Options, log: &Log) -> Result<Plan, Trouble> {
    let diff = forge.diff()?;
    let mut lost = 0;
    loop {
        let posted = forge.posted(change)?;
        judged.news.answers = answers(forge, &posted, &judged)?;
        let plan = plan(&judged.news, &diff, &posted, &options.wishes, &forge.limits());
        if options.dry_run {
            return Ok(plan);
        }
        let done = plan.calls.iter().try_for_each(|call| forge.perform(change, call));
        match done {
            Ok(()) => return Ok(plan),
            Err(error @ ForgeError::Broken { .. }) if lost + 1 < MOST_ROUNDS => {
                lost += 1;
                log.warn("an answer got lost; looking at what was done", &[("error", &error.to_string())]);
                std::thread::sleep(PAUSE);
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Answers to those who wish a finding ignored and were not answered yet.
fn answers(forge: &dyn Forge, posted: &Posted, judged: &Judged) -> Result<Vec<Answer>, ForgeError> {
    let mut answers = Vec::new();
    for reply in &posted.replies {
        let Some(reason) = wish(&reply.body) else { continue };
        if posted.answered.contains(&reply.id) {
            continue;
        }
        let Some(finding) = judged.news.introduced.iter().find(|f| f.fingerprint == reply.fingerprint) else {
            continue;
        };
        let body = if forge.may_write(&reply.author)? {
            let thread = posted.comments.iter().find(|c| c.thread == reply.thread);
            let lines = thread.and_then(|c| {
                let (start, end) = c.lines?;
                Some(Place { path: c.path.clone(), start, end, columns: None })
            });
            match judged.ignoring(finding, &reason, lines.as_ref()) {
                Some(Ignoring::Lines(s)) => words::ignore_lines(&s, forge.limits().flavor),
                Some(Ignoring::Comment(comment, place)) => words::ignore_comment(&comment, &place),
                Some(Ignoring::Configuration(path)) => words::ignore_in_configuration(&finding.policy, &path, &reason),
                None => continue,
            }
        } else {
            words::MAY_NOT_IGNORE.to_owned()
        };
        answers.push(Answer { to: reply.id.clone(), thread: reply.thread.clone(), body });
    }
    Ok(answers)
}

/// The reason of a reply that wishes to ignore a finding: `stacklint ignore: reason`, on a line of its own.
pub fn wish(body: &str) -> Option<String> {
    let reason = body.lines().find_map(|l| l.trim().strip_prefix("stacklint ignore:"))?;
    let reason = words::plain(reason.trim(), MOST_REASON);
    (!reason.is_empty()).then_some(reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_needs_a_reason() {
        assert_eq!(wish("stacklint ignore: a test").as_deref(), Some("a test"));
        assert_eq!(
            wish("> quoted\r\n\r\nstacklint ignore:  it is public\u{1b} \r\n").as_deref(),
            Some("it is public␛")
        );
        for none in ["stacklint ignore:", "please stacklint ignore: x", "> stacklint ignore: x", ""] {
            assert_eq!(wish(none), None, "{none}");
        }
    }
}
