//! What a change does to the findings: its base and its head, read from git's objects and checked in memory.
//!
//! Both are judged by the configuration, policies and ignore files of the branch that the change is for. The change
//! itself cannot alter what it is judged by; where it tries to, that is said.

use super::finding::{self, Finding, Place, Suggestion};
use super::forge::Change;
use super::plan::{Mended, News};
use super::words;
use crate::analysis::since::{Comparison, Hidden, compare};
use crate::analysis::{self, CancelToken, FileState, Report, Scope, Settings, Snapshot, SuppressionKind};
use crate::cli::{Problem, SelectionArgs, Session, Terminal, TerraformArgs};
use crate::diagnostic::{Diagnostic, Fix, Safety};
use crate::fix;
use crate::load::Request;
use crate::load::git::{self, Commit, GitError, Like, Repository, Tree};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// Fixes that are tried at most.
const MOST_TRIALS: usize = 40;
/// Notes of one kind that are listed before the rest is counted.
const MOST_NOTES: usize = 10;

/// A change that was judged.
pub struct Judged {
    /// What is to be said of it.
    pub news: News,
    head: Snapshot,
    report: Report,
    /// The introduced findings in the order of `news.introduced`.
    introduced: Vec<Diagnostic>,
}

/// How a finding can be ignored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ignoring {
    /// By a comment that was tried: the lines of the thread with it.
    Lines(Suggestion),
    /// By this comment above a line, which does not lie in the thread or could not be tried.
    Comment(String, Place),
    /// By the configuration alone, since the file has no comments.
    Configuration(String),
}

/// Judges a change whose commits are in a bare repository.
///
/// # Errors
/// A sentence, where a commit cannot be read.
pub fn judge(git_dir: &Path, change: &Change) -> Result<Judged, String> {
    // The top folder does not exist, so that nothing of the machine can be taken for a file of the repository.
    let root = git_dir.join("no-work-tree");
    let read = || -> Result<_, GitError> {
        let repository = Repository::bare(git_dir, &root)?;
        let tree = |id: &str| match Commit::parse(id) {
            Some(commit) => repository.tree(Some(&commit)).map(Arc::new),
            None => Err(GitError::BadReference(id.to_owned())),
        };
        Ok((tree(&change.head)?, tree(&change.base)?, tree(&change.target)?))
    };
    let (head, base, target) = read().map_err(|e| e.to_string())?;
    let mut notes = Vec::new();
    let (session, settings) = configuration(&root, &target, &mut notes)?;
    altered(&session, &head, &target, &mut notes);
    let request = Request {
        working_directory: root.clone(),
        paths: Vec::new(),
        exclude: session.exclude().map_err(|p| p.words().0)?,
    };
    let workspace = git::open(&head, &request, Some(settings), None).map_err(|e| e.to_string())?;
    let cancel = CancelToken::new();
    let mut report = workspace.snapshot().check(&Scope::All, &cancel).map_err(|e| e.to_string())?;
    let snapshot = workspace.snapshot();
    let like = Like { head: &snapshot, on_disk: false };
    let past = git::open(&base, &request, None, Some(like)).map_err(|e| e.to_string())?;
    let before = past.snapshot().check(&Scope::All, &cancel).map_err(|e| e.to_string())?;
    let comparison = compare(&before, &report);
    {
        let introduces = comparison.introduces(&report);
        fix::offer_in(&snapshot, &mut report, &introduces, MOST_TRIALS, &cancel);
    }
    silenced(&before, &report, &mut notes);
    unread(&before, &report, &comparison, &mut notes);
    let introduced: Vec<Diagnostic> = comparison
        .introduced
        .iter()
        .map(|d| Diagnostic {
            fix: report.diagnostics.get(d.index).and_then(|now| now.fix.clone()),
            ..d.diagnostic.clone()
        })
        .collect();
    let news = News {
        head: change.head.clone(),
        introduced: finding::findings(&report, &introduced),
        fixed: comparison.fixed.iter().map(|d| mended(&before, &d.diagnostic)).collect(),
        unchanged: comparison.unchanged.len(),
        ignored: report.suppressed.iter().map(|s| s.diagnostic.fingerprint.clone()).collect(),
        notes,
        answers: Vec::new(),
    };
    Ok(Judged { news, head: snapshot, report, introduced })
}

/// The configuration at a commit; the defaults, and a note, where it cannot be used.
fn configuration(root: &Path, tree: &Arc<Tree>, notes: &mut Vec<String>) -> Result<(Session, Settings), String> {
    let quiet = Terminal::quiet();
    let make = |selection: &SelectionArgs| -> Result<(Session, Settings), Problem> {
        let session = Session::in_commit(root.to_path_buf(), selection, tree.clone())?;
        let policies = session.policies(&quiet)?;
        let settings = session.settings(policies, &TerraformArgs::default(), &quiet)?;
        Ok((session, settings))
    };
    let (session, settings) = match make(&SelectionArgs::default()) {
        Ok(made) => made,
        Err(problem) => {
            let reason = relative(root, &problem.words().0);
            notes
                .push(format!("The configuration of the target branch cannot be used, so the defaults hold: {reason}"));
            let defaults = SelectionArgs { no_config: true, ..SelectionArgs::default() };
            make(&defaults).map_err(|p| p.words().0)?
        }
    };
    let is_missing = |folder: &&std::path::PathBuf| !tree.relative(folder).is_some_and(|path| tree.is_folder(&path));
    for folder in session.policy_folders().iter().filter(is_missing) {
        let shown = relative(root, &folder.to_string_lossy());
        notes.push(format!(
            "There is no folder `{shown}` with policies in the target branch, as its configuration says"
        ));
    }
    let missing = session.config.var_files.len().saturating_sub(settings.options.var_files.len());
    if missing > 0 {
        let files = words::count(missing, "variable file");
        notes.push(format!("{files} of the configuration cannot be read in the repository"));
    }
    Ok((session, settings))
}

/// Words without the path of a folder that is nobody's business.
fn relative(root: &Path, words: &str) -> String {
    let root = root.to_string_lossy();
    words.replace(&format!("{root}/"), "").replace(&*root, ".")
}

/// Notes what the change alters of that by which it is judged.
fn altered(session: &Session, head: &Tree, target: &Tree, notes: &mut Vec<String>) {
    let (now, then) = (git::Version::Commit(head), git::Version::Commit(target));
    let mut what: Vec<String> = Vec::new();
    let root = &session.working_directory;
    let config = session.source().map_or_else(|| root.join(crate::config::FILE_NAME), |(path, _)| path.clone());
    if now.read(&config).ok() != then.read(&config).ok() {
        what.push(format!("`{}`", crate::config::FILE_NAME));
    }
    if session.policy_folders().iter().any(|f| now.policy_files(f).ok() != then.policy_files(f).ok()) {
        what.push("policies of your own".to_owned());
    }
    if now.ignore_files(root) != then.ignore_files(root) {
        what.push("ignore files".to_owned());
    }
    if !what.is_empty() {
        notes.push(format!(
            "The change alters {}; it is judged by what the target branch has, which may differ",
            what.join(" and ")
        ));
    }
}

/// Notes findings that the change itself silences.
fn silenced(before: &Report, now: &Report, notes: &mut Vec<String>) {
    let silent = |report: &Report| Report {
        diagnostics: report
            .suppressed
            .iter()
            .filter(|s| s.by.kind == SuppressionKind::InSource)
            .map(|s| s.diagnostic.clone())
            .collect(),
        ..report.clone()
    };
    let (was, is) = (silent(before), silent(now));
    let new = compare(&was, &is).introduced;
    let reason = |d: &Diagnostic| {
        let same = now.suppressed.iter().find(|s| s.diagnostic.fingerprint == d.fingerprint);
        same.map(|s| s.by.reason.as_str()).filter(|r| !r.is_empty()).unwrap_or("no reason given").to_owned()
    };
    let lines = new.iter().map(|d| {
        let d = &d.diagnostic;
        let place = finding::place(now, d.primary.span).map(|p| format!(" at {}:{}", p.path, p.start));
        format!(
            "An ignore of this change silences `{}`{}: {}",
            d.rule.name,
            place.unwrap_or_default(),
            words::plain(&reason(d), 200)
        )
    });
    some(lines, "more findings that an ignore of this change silences", notes);
}

/// Notes what cannot be compared because it could not be read.
fn unread(before: &Report, now: &Report, comparison: &Comparison, notes: &mut Vec<String>) {
    let known: BTreeSet<(&str, &str)> =
        before.errors.iter().map(|e| (before.path(e.span), e.message.as_str())).collect();
    let errors = now.errors.iter().filter(|e| !known.contains(&(now.path(e.span), e.message.as_str())));
    let lines = errors.map(|e| {
        let line = now.files.get(e.span.file).map_or(0, |f| f.lines().line(e.span.start));
        format!("{}:{line} cannot be read: {}", now.path(e.span), words::plain(&e.message, 300))
    });
    some(lines, "more places that cannot be read", notes);
    let unread = |report: &'_ Report| -> BTreeSet<String> {
        let files = report.ledger.files.iter().filter(|f| f.state == FileState::Unread);
        files.map(|f| format!("{} cannot be read: {}", f.path, words::plain(&f.reason, 300))).collect()
    };
    let was = unread(before);
    some(unread(now).into_iter().filter(|f| !was.contains(f)), "more files that cannot be read", notes);
    for why in [Hidden::Unknown, Hidden::Unread] {
        let n = comparison.hidden.iter().filter(|(_, h)| *h == why).count();
        if n > 0 {
            let findings = words::count(n, "finding");
            notes.push(format!("{findings} of the base cannot be decided any more: {}", why.as_str()));
        }
    }
    let broken = now.failures.iter().map(|f| {
        let message = words::plain(&f.message, 300);
        format!("stacklint broke while it tried to {} {}: {message}. This is its own fault", f.step, f.subject)
    });
    some(broken, "more steps that broke", notes);
}

/// The first of some lines, and how many there are beyond.
fn some(lines: impl Iterator<Item = String>, others: &str, notes: &mut Vec<String>) {
    let mut lines = lines.fuse();
    notes.extend(lines.by_ref().take(MOST_NOTES));
    let more = lines.count();
    if more > 0 {
        notes.push(format!("{more} {others}"));
    }
}

fn mended(before: &Report, d: &Diagnostic) -> Mended {
    Mended { policy: d.rule.name.clone(), message: d.message.clone(), place: finding::place(before, d.primary.span) }
}

impl Judged {
    /// How an introduced finding can be ignored. `lines` are those of the thread that asks for it, where it still stands
    /// in lines.
    pub fn ignoring(&self, finding: &Finding, reason: &str, lines: Option<&Place>) -> Option<Ignoring> {
        let index = self.news.introduced.iter().position(|f| f.fingerprint == finding.fingerprint)?;
        let d = self.introduced.get(index)?;
        let file = self.report.files.get(d.primary.span.file)?;
        let place = finding::place(&self.report, d.primary.span)?;
        let reason = reason.replace("stacklint:", "").replace("*/", "");
        let Some(edit) = fix::ignore_comment(&self.report.graph, file, d, reason.trim()) else {
            return Some(Ignoring::Configuration(place.path));
        };
        let comment = Ignoring::Comment(edit.text.trim().to_owned(), place.clone());
        let Some(thread) = lines.filter(|l| l.path == place.path && l.start <= place.start && place.start <= l.end)
        else {
            return Some(comment);
        };
        // A comment in the midst of a text or a command would be part of it: only the trial tells.
        let title = "Ignore the finding".to_owned();
        let accept = Fix { title: title.clone(), safety: Safety::Unsafe, edits: vec![edit.clone()] };
        let after = fix::apply(&self.report.files, [&accept]);
        let mut trial = self.head.fork();
        trial.apply(analysis::Change {
            overlays: after.iter().map(|c| (c.path.to_string(), Some(c.after.clone()))).collect(),
            ..analysis::Change::default()
        });
        let tried = trial.snapshot().check(&Scope::All, &CancelToken::new()).ok()?;
        let is_silent = tried.suppressed.iter().any(|s| s.diagnostic.fingerprint == d.fingerprint)
            && !tried.diagnostics.iter().any(|o| o.fingerprint == d.fingerprint)
            && tried.diagnostics.len() < self.report.diagnostics.len()
            && tried.errors.len() == self.report.errors.len();
        let text = finding::replaced(file, thread.start, thread.end, &[edit]).filter(|_| is_silent);
        Some(text.map_or(comment, |text| Ignoring::Lines(Suggestion { place: thread.clone(), text, title })))
    }
}
