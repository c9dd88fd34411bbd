//! From what was in a commit to a workspace.

use super::GitError;
use super::ignored::Ignored;
use super::objects::NoText;
use super::tree::Tree;
use crate::analysis::{Change, FileState, Settings, Snapshot, Workspace};
use crate::base::{FastSet, SourceFile};
use crate::formats::Format;
use crate::load::{MAX_ROUNDS, Paths, Request, is_selected, walk};
use rayon::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The head that a base is opened beside: what it has parsed is not parsed again, and what it read from the machine
/// rather than from the repository is the same for both.
#[derive(Clone, Copy)]
pub struct Like<'a> {
    /// The head, after its check.
    pub head: &'a Snapshot,
    /// Whether the head was read from the disk. Then files that git ignores, and those outside of the repository, are the
    /// machine's and are taken for the base too.
    pub on_disk: bool,
}

/// What one state of the repository holds of what was asked for.
#[derive(Default)]
struct Found {
    /// Paths in the tree, or of the head, with how the report shows them.
    files: Vec<(Source, String)>,
    context: Vec<(Source, String)>,
    notes: Vec<(String, FileState, String)>,
    present: Vec<Arc<str>>,
}

/// Where a text comes from.
#[derive(Clone)]
enum Source {
    /// The tree, by its path there.
    Tree(String),
    /// The machine's, the same for both.
    Given(Arc<str>),
}

/// Opens files and folders as they were in a commit.
///
/// As [`load::open`](crate::load::open) on the disk: files that a walk would leave out are left out by the ignore files of the commit,
/// what files need from elsewhere in the repository is read as context, and nothing is read outside of it. With `like`, a
/// file that is the same there shares its text and all that was worked out from it. Without `settings` those of `like` hold.
///
/// # Errors
///
/// [`GitError`] where a path lies outside of the repository, or contents are not in this clone.
pub fn open(
    tree: &Arc<Tree>,
    request: &Request,
    settings: Option<Settings>,
    like: Option<Like<'_>>,
) -> Result<Workspace, GitError> {
    let settings_in_force = settings.as_ref().or(like.map(|l| l.head.settings()));
    let formats = settings_in_force.map_or(crate::formats::FORMATS, |s| s.formats);
    let var_files: Vec<String> = settings_in_force.map(|s| s.options.var_files.clone()).unwrap_or_default();
    let opener = Opener { tree, request, formats, paths: Paths::new(&request.working_directory, &request.paths), like };
    let machine = opener.machine();
    let mut found = opener.find(&machine)?;
    for file in var_files {
        if let Some(source) = opener.source(&machine, &file) {
            found.context.push((source, file));
        }
    }
    let mut seen: FastSet<String> = FastSet::default();
    let files = opener.texts(found.files, &mut seen, &mut found.notes)?;
    let mut ignored = Vec::new();
    let context = opener.texts(found.context, &mut seen, &mut ignored)?;
    found.present.sort_unstable();
    found.present.dedup();
    let mut workspace = match like {
        Some(like) => opener.branch(like.head, &seen),
        None => Workspace::new(settings.clone().unwrap_or_default()),
    };
    workspace.apply(Change {
        settings: settings.filter(|_| like.is_some()),
        reader: Some(opener.reader(&machine)),
        set: files,
        context,
        notes: found.notes,
        present: Some(found.present),
        ..Change::default()
    });
    opener.follow(&machine, &mut seen, &mut workspace)?;
    Ok(workspace)
}

struct Opener<'a> {
    tree: &'a Arc<Tree>,
    request: &'a Request,
    formats: &'static [&'static dyn Format],
    paths: Paths,
    like: Option<Like<'a>>,
}

impl Opener<'_> {
    fn full(&self, path: &str) -> PathBuf {
        self.tree.root().join(path)
    }

    fn shown(&self, path: &str) -> String {
        self.paths.shown(&self.full(path))
    }

    /// The tree's path of one that the report shows; `None` outside of the repository.
    fn relative(&self, shown: &str) -> Option<String> {
        self.tree.relative(&self.paths.full(Path::new(shown)))
    }

    /// Files of the head that belong to the machine: git ignores them, or they lie outside of the repository, or in a
    /// submodule of which the older state is not here.
    fn machine(&self) -> FastSet<String> {
        let Some(like) = self.like.filter(|l| l.on_disk) else { return FastSet::default() };
        let mut outside = FastSet::default();
        let mut asked: Vec<String> = Vec::new();
        for file in like.head.files().iter() {
            match self.relative(&file.path) {
                None => {
                    outside.insert(file.path.to_string());
                }
                Some(path) if self.tree.is_absent(&path) => {
                    outside.insert(file.path.to_string());
                }
                Some(path) if self.tree.file(&path).is_none() => asked.push(path),
                Some(_) => {}
            }
        }
        outside.extend(self.tree.ignored_now(&asked).iter().map(|path| self.shown(path)));
        outside
    }

    /// Where a file that the report shows so comes from.
    fn source(&self, machine: &FastSet<String>, shown: &str) -> Option<Source> {
        if machine.contains(shown) {
            return Some(Source::Given(self.like?.head.files().by_path(shown)?.text.clone()));
        }
        Some(Source::Tree(self.tree.file(&self.relative(shown)?)?.to_owned()))
    }

    /// What there is of the paths that were asked for.
    fn find(&self, machine: &FastSet<String>) -> Result<Found, GitError> {
        let mut ignored = Ignored::new(self.tree);
        let mut found = Found::default();
        let here = [PathBuf::from(".")];
        let asked: &[PathBuf] = if self.request.paths.is_empty() { &here } else { &self.request.paths };
        let mut folders: Vec<String> = Vec::new();
        for path in asked {
            let full = self.paths.full(path);
            let Some(path) = self.tree.relative(&full) else {
                return Err(GitError::Elsewhere { path: path.clone(), root: self.tree.root().to_path_buf() });
            };
            match self.tree.file(&path) {
                Some(file) => {
                    found.files.push((Source::Tree(file.to_owned()), self.shown(&path)));
                    self.folder(path.rsplit_once('/').map_or("", |(folder, _)| folder), &mut found.context);
                }
                None => {
                    self.walk(&path, &mut ignored, &mut found);
                    folders.push(self.shown(&path));
                }
            }
        }
        if let Some(like) = self.like {
            let is_below = |shown: &str, folder: &str| {
                folder == "." && !shown.starts_with("../")
                    || shown.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            for shown in machine {
                // A file that was only read as context is found by those who need it.
                if like.head.is_checked(shown)
                    && (folders.iter().any(|folder| is_below(shown, folder)) || self.is_named(shown))
                    && let Some(source) = self.source(machine, shown)
                {
                    found.files.push((source, shown.clone()));
                    found.present.push(shown.as_str().into());
                }
            }
        }
        Ok(found)
    }

    fn is_named(&self, shown: &str) -> bool {
        self.request.paths.iter().any(|p| self.paths.shown(&self.paths.full(p)) == shown)
    }

    /// Every file below a folder that a walk would find.
    fn walk(&self, folder: &str, ignored: &mut Ignored, found: &mut Found) {
        let below = if folder.is_empty() { 0 } else { folder.len() + 1 };
        for path in self.tree.below(folder) {
            let Some(rest) = path.get(below..) else { continue };
            let in_never = rest.split('/').rev().skip(1).any(|part| walk::NEVER.contains(&part));
            if in_never || self.request.exclude.leaves_out(&self.full(path)) {
                continue;
            }
            let shown = self.shown(path);
            let name = path.rsplit('/').next().unwrap_or(path);
            let selected = is_selected(&shown, name, self.formats);
            // Terraform reads these however they are kept out of version control.
            if ignored.contains(path) && !(selected && walk::is_variable_file(name)) {
                continue;
            }
            if selected {
                match self.tree.file(path) {
                    Some(file) => found.files.push((Source::Tree(file.to_owned()), shown.clone())),
                    None => {
                        let reason = "the link leads to no file of the repository";
                        found.notes.push((shown.clone(), FileState::Skipped, reason.to_owned()));
                    }
                }
            }
            found.present.push(shown.into());
        }
    }

    /// The files right in a folder that some format wants to see.
    fn folder(&self, folder: &str, into: &mut Vec<(Source, String)>) {
        for path in self.tree.folder(folder) {
            let name = path.rsplit('/').next().unwrap_or(path);
            if is_selected(path, name, self.formats)
                && let Some(file) = self.tree.file(path)
            {
                into.push((Source::Tree(file.to_owned()), self.shown(path)));
            }
        }
    }

    /// The texts of files that were not read before. A file that is the same at the head is not read again.
    fn texts(
        &self,
        files: Vec<(Source, String)>,
        seen: &mut FastSet<String>,
        notes: &mut Vec<(String, FileState, String)>,
    ) -> Result<Vec<(String, Arc<str>)>, GitError> {
        let new: Vec<(Source, String)> = files.into_iter().filter(|(_, shown)| seen.insert(shown.clone())).collect();
        let known: Vec<Option<Arc<str>>> = new
            .par_iter()
            .map(|(source, shown)| match source {
                Source::Given(text) => Some(text.clone()),
                Source::Tree(path) => {
                    let file: &Arc<SourceFile> = self.like?.head.files().by_path(shown)?;
                    self.tree.holds(path, &file.text).then(|| file.text.clone())
                }
            })
            .collect();
        let wanted: Vec<&str> = new
            .iter()
            .zip(&known)
            .filter_map(|((source, _), known)| match source {
                Source::Tree(path) if known.is_none() => Some(path.as_str()),
                _ => None,
            })
            .collect();
        let mut read = self.tree.texts(&wanted)?.into_iter();
        let mut texts = Vec::with_capacity(new.len());
        for ((_, shown), known) in new.into_iter().zip(known) {
            match known.map_or_else(|| read.next().unwrap_or(Err(NoText::Missing)), Ok) {
                Ok(text) => texts.push((shown, text)),
                Err(NoText::Unreadable(why)) => notes.push((shown, why.state, why.reason)),
                Err(NoText::Missing) => return Err(GitError::NoContents(shown)),
            }
        }
        Ok(texts)
    }

    /// A workspace that knows what the head knows, without the files that the base does not have or has otherwise.
    fn branch(&self, head: &Snapshot, kept: &FastSet<String>) -> Workspace {
        let mut workspace = head.branch();
        let is_other = |path: &str| {
            !kept.contains(path)
                && !head
                    .files()
                    .by_path(path)
                    .is_some_and(|file| self.relative(path).is_some_and(|p| self.tree.holds(&p, &file.text)))
        };
        // What is in the tree as it is, but was read for the sake of others, will be read for them again.
        let removed =
            head.paths().into_iter().filter(|path| head.is_checked(path) && !kept.contains(path) || is_other(path));
        workspace.apply(Change { removed: removed.collect(), ..Change::default() });
        workspace
    }

    fn reader(&self, machine: &FastSet<String>) -> crate::analysis::Reader {
        let (tree, paths) = (self.tree.clone(), self.paths.clone());
        let files = self.like.map(|like| like.head.files().clone());
        let machine = machine.clone();
        Arc::new(move |shown: &str| {
            if machine.contains(shown) {
                return Some(files.as_ref()?.by_path(shown)?.text.clone());
            }
            tree.text(&tree.relative(&paths.full(Path::new(shown)))?).ok()
        })
    }

    /// Reads what the files of a workspace need from outside of what was asked for, as long as something new turns up.
    fn follow(
        &self,
        machine: &FastSet<String>,
        seen: &mut FastSet<String>,
        workspace: &mut Workspace,
    ) -> Result<(), GitError> {
        let mut asked: FastSet<String> = FastSet::default();
        for _ in 0..MAX_ROUNDS {
            let mut wanted = Vec::new();
            for need in workspace.snapshot().needs() {
                if !asked.insert(need.clone()) {
                    continue;
                }
                let shown = self.paths.shown(&self.paths.full(Path::new(&need)));
                let Some(path) = self.relative(&shown) else { continue };
                let prefix = format!("{shown}/");
                match self.source(machine, &shown) {
                    Some(source) => wanted.push((source, shown)),
                    None => self.folder(&path, &mut wanted),
                }
                let given = machine.iter().filter(|m| m.strip_prefix(&prefix).is_some_and(|rest| !rest.contains('/')));
                wanted.extend(given.filter_map(|m| Some((self.source(machine, m)?, m.clone()))));
            }
            let mut ignored = Vec::new();
            let context = self.texts(wanted, seen, &mut ignored)?;
            if context.is_empty() {
                return Ok(());
            }
            workspace.apply(Change { context, ..Change::default() });
        }
        Ok(())
    }
}
