//! `stacklint check --since`: the state that the work tree is held against.

use super::args::CheckArgs;
use super::session::{Problem, Session};
use super::terminal::Terminal;
use crate::analysis::since::{Comparison, Since, compare};
use crate::analysis::{Baseline, Report, Settings, Snapshot, Workspace, built_in_rules};
use crate::base::FastSet;
use crate::load::git::{self, Like, Repository, Tree};
use crate::load::{Paths, Request};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The commit that was found for `--since`, before anything is checked.
pub struct Before {
    tree: Arc<Tree>,
    since: Since,
}

/// The findings of both, held against each other.
pub struct Change {
    base: Report,
    since: Since,
    /// What is introduced, fixed and unchanged.
    pub comparison: Comparison,
    /// What the base was checked in, for who wants to keep it until the end.
    pub workspace: Option<Workspace>,
    /// How long each step took.
    pub timings: Vec<(&'static str, Duration)>,
}

impl Before {
    /// Finds the commit and lists what is in it.
    pub fn find(reference: &str, args: &CheckArgs, session: &Session, asked: &[PathBuf]) -> Result<Before, Problem> {
        let here = &session.working_directory;
        let paths = Paths::new(here, &[]);
        let first = asked.first().map_or_else(|| here.clone(), |path| paths.full(path));
        // A path that does not exist is for the loader to complain of.
        let folder = first.ancestors().find(|folder| folder.is_dir()).unwrap_or(here);
        let repository = Repository::discover(folder)?;
        let base = repository.base(reference)?;
        let named = session.named(&args.selection, &args.terraform).into_iter();
        let named = named.chain(args.baseline.iter().map(|path| paths.full(path)));
        let tree = Arc::new(repository.tree(base.commit.as_ref())?.naming(named));
        let since = Since {
            reference: reference.to_owned(),
            commit: base.commit.map(|c| c.id().to_owned()),
            notes: base.notes,
            ..Since::default()
        };
        Ok(Before { tree, since })
    }

    /// Checks the base beside a head that was checked, and compares. `check` makes the report of a workspace.
    pub fn compare(
        mut self,
        args: &CheckArgs,
        session: &Session,
        request: &Request,
        (head, report): (&Snapshot, &Report),
        check: impl FnOnce(&Session, &mut Workspace) -> Result<Report, Problem>,
    ) -> Result<Change, Problem> {
        let mut clock = Instant::now();
        let mut timings = Vec::new();
        let mut lap = |step| {
            let now = Instant::now();
            timings.push((step, now - std::mem::replace(&mut clock, now)));
        };
        let past = match self.past(args, session, head) {
            Ok(past) => past,
            Err(problem) => {
                let (reason, _) = problem.words();
                self.since.notes.push(format!(
                    "the configuration at the base cannot be used, so both are checked with that of now: {reason}"
                ));
                None
            }
        };
        let (of_then, settings) = match &past {
            Some((of_then, settings)) => (of_then, settings.clone()),
            None => (session, None),
        };
        let request = Request { exclude: of_then.exclude()?, ..request.clone() };
        lap("base: configure");
        let mut workspace = git::open(&self.tree, &request, settings, Some(Like { head, on_disk: true }))?;
        for folder in self.tree.absent() {
            self.since.notes.push(format!(
                "the submodule `{}` at the base is not here; its files are taken as unchanged",
                folder.trim_end_matches('/')
            ));
        }
        lap("base: read");
        let base = check(of_then, &mut workspace)?;
        lap("base: check");
        let mut comparison = compare(&base, report);
        if !comparison.fixed.is_empty() {
            let left_out = LeftOut::new(&request, head, report);
            comparison.hide(|d| {
                left_out.policy(&d.diagnostic.rule.name) || left_out.file(base.path(d.diagnostic.primary.span))
            });
        }
        lap("compare");
        Ok(Change { base, since: self.since, comparison, timings, workspace: Some(workspace) })
    }

    /// The configuration of then, with the settings that follow from it; no settings where they are those of now.
    fn past(
        &self,
        args: &CheckArgs,
        session: &Session,
        head: &Snapshot,
    ) -> Result<Option<(Session, Option<Settings>)>, Problem> {
        // What was wrong then is not what this run is about.
        let quiet = Terminal::quiet();
        let now = head.settings();
        let of_then = Session::in_commit(session.working_directory.clone(), &args.selection, self.tree.clone())?;
        of_then.exclude()?;
        let policies = if of_then.policy_texts()? == session.policy_texts()? {
            now.policies.clone()
        } else {
            Arc::new(of_then.policies(&quiet)?)
        };
        let mut settings = of_then.settings(policies, &args.terraform, &quiet)?;
        settings.inline_ignores = now.inline_ignores;
        settings.today = now.today;
        settings.baseline = match &args.baseline {
            Some(path) => {
                let text = of_then.version().read(&session.working_directory.join(path)).ok();
                text.and_then(|text| Baseline::parse(&text).ok()).map(Arc::new)
            }
            None => None,
        };
        let is_same = of_then.source() == session.source()
            && Arc::ptr_eq(&settings.policies, &now.policies)
            && settings.options == now.options
            && settings.ignore_files == now.ignore_files
            && settings.baseline == now.baseline;
        Ok(Some((of_then, (!is_same).then_some(settings))))
    }
}

impl Change {
    /// Leaves in the head's report what was introduced.
    pub fn narrow(self, head: &mut Report) {
        self.comparison.narrow(self.base, head, self.since);
    }

    /// What the user should know about the base.
    pub fn notes(&self) -> &[String] {
        &self.since.notes
    }
}

/// What the head does not look at: policies that are not selected, files that are excluded.
struct LeftOut<'a> {
    policies: FastSet<String>,
    head: &'a Snapshot,
    report: &'a Report,
    paths: Paths,
}

impl<'a> LeftOut<'a> {
    fn new(request: &Request, head: &'a Snapshot, report: &'a Report) -> LeftOut<'a> {
        let settings = head.settings();
        let entries = settings.policies.entries();
        let chosen = settings.chosen.policies.iter().filter_map(|(i, _)| entries.get(*i as usize));
        // The program's own rules are not among the policies, and run where the configuration wants them.
        let own = built_in_rules().into_iter().filter(|rule| settings.config.wants(rule));
        let policies = chosen.map(|e| e.name().to_owned()).chain(own.map(|rule| rule.name.clone())).collect();
        LeftOut { policies, head, report, paths: Paths::new(&request.working_directory, &request.paths) }
    }

    fn policy(&self, name: &str) -> bool {
        !self.policies.contains(name)
    }

    /// Whether a file is still there and is not looked at.
    fn file(&self, path: &str) -> bool {
        !self.head.is_checked(path)
            && self.report.files.by_path(path).is_none()
            && self.paths.inside(Path::new(path)).is_some_and(|full| full.is_file())
    }
}
