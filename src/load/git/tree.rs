//! Everything that is in a commit, and files of it by their paths.

use super::command::{git, git_with_input};
use super::objects::{NoText, Objects, is_object};
use super::{Commit, GitError, Repository};
use crate::base::FastSet;
use crate::load::paths::lexical;
use crate::load::read::{Unreadable, read_text};
use crate::load::settings::{self, Texts};
use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Submodules in submodules that are followed.
const MAX_DEPTH: usize = 4;
/// Links that are followed on the way to a file.
const MAX_LINKS: usize = 16;

/// The files of one commit, with those of its submodules where these are here. Paths are relative to the top folder,
/// with `/`.
#[derive(Debug)]
pub struct Tree {
    root: PathBuf,
    entries: BTreeMap<String, Entry>,
    stores: Vec<Objects>,
    /// Folders of submodules whose commit is not here.
    absent: Vec<String>,
    /// See [`Tree::naming`].
    named: Vec<PathBuf>,
}

#[derive(Debug)]
struct Entry {
    kind: Kind,
    id: String,
    /// Index into the stores.
    store: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    File,
    Link,
}

impl Tree {
    pub(super) fn read(repository: &Repository, commit: Option<&Commit>) -> Result<Tree, GitError> {
        let mut tree = Tree {
            root: repository.root().to_path_buf(),
            entries: BTreeMap::new(),
            stores: Vec::new(),
            absent: Vec::new(),
            named: Vec::new(),
        };
        if let Some(commit) = commit {
            tree.list(&repository.folder, commit, "", 0)?;
        }
        Ok(tree)
    }

    /// Adds what is in a commit, below a prefix.
    fn list(&mut self, folder: &Path, commit: &Commit, prefix: &str, depth: usize) -> Result<(), GitError> {
        let ran = git(folder, &["ls-tree", "-r", "-z", "--full-tree", "--end-of-options", commit.id()])?;
        let text = ran.success(|ran| GitError::Failed("ls-tree", ran.err.clone()))?;
        let store = self.stores.len();
        self.stores.push(Objects::new(folder));
        for line in text.split('\0') {
            let Some((head, path)) = line.split_once('\t') else { continue };
            let mut words = head.split(' ');
            let (Some(mode), _, Some(id)) = (words.next(), words.next(), words.next()) else { continue };
            let path = format!("{prefix}{path}");
            let kind = match mode {
                "120000" => Kind::Link,
                "160000" => {
                    self.submodule(id, path, depth);
                    continue;
                }
                _ => Kind::File,
            };
            self.entries.insert(path, Entry { kind, id: id.to_owned(), store });
        }
        Ok(())
    }

    /// A submodule is a repository of its own in the work tree. Its objects are read where they are, never fetched.
    fn submodule(&mut self, id: &str, path: String, depth: usize) {
        let folder = self.root.join(&path);
        let prefix = format!("{path}/");
        let listed = match Commit::parse(id) {
            Some(commit) if depth < MAX_DEPTH && folder.join(".git").exists() => {
                self.list(&folder, &commit, &prefix, depth + 1).is_ok()
            }
            _ => false,
        };
        if !listed {
            self.absent.push(prefix);
        }
    }

    /// The top folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The paths of all files and links, sorted.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// Whether a path lies in a submodule whose state at this commit is not here.
    pub fn is_absent(&self, path: &str) -> bool {
        self.absent.iter().any(|prefix| path.starts_with(prefix))
    }

    /// The folders of submodules whose state at this commit is not here.
    pub fn absent(&self) -> &[String] {
        &self.absent
    }

    /// The same with files and folders outside of the repository that the user, rather than a commit, has named. Only
    /// these are read from there; what a commit names outside of its repository is not.
    pub fn naming(mut self, outside: impl IntoIterator<Item = PathBuf>) -> Tree {
        self.named.extend(outside);
        self
    }

    /// The path from the top folder of an absolute one, `.` and `..` resolved; `None` outside of it. The top folder's own
    /// is empty.
    pub fn relative(&self, full: &Path) -> Option<String> {
        let full = lexical(full);
        let path = full.strip_prefix(&self.root).ok()?;
        let parts: Vec<_> = path.components().map(|c| c.as_os_str().to_string_lossy()).collect();
        Some(parts.join("/"))
    }

    /// The path of the file that is there, links on the way resolved as far as they stay inside.
    pub fn file(&self, path: &str) -> Option<&str> {
        let real = self.resolve(path)?;
        self.entries.get_key_value(&real).filter(|(_, entry)| entry.kind == Kind::File).map(|(path, _)| path.as_str())
    }

    /// A path with the links on its way resolved; `None` where one leads out of the repository, or in a circle, or
    /// through a file.
    fn resolve(&self, path: &str) -> Option<String> {
        let mut parts: Vec<String> = path.split('/').rev().map(str::to_owned).collect();
        let mut at: Vec<String> = Vec::new();
        let mut links = 0;
        while let Some(part) = parts.pop() {
            match part.as_str() {
                "" | "." => continue,
                ".." => {
                    at.pop()?;
                    continue;
                }
                _ => at.push(part),
            }
            let Some(entry) = self.entries.get(&at.join("/")) else { continue };
            match entry.kind {
                Kind::File if parts.is_empty() => break,
                Kind::File => return None,
                Kind::Link => {
                    links += 1;
                    let target = self.stores.get(entry.store)?.texts(&[&entry.id]).ok()?.pop()?.ok()?;
                    if links > MAX_LINKS || target.starts_with('/') {
                        return None;
                    }
                    at.pop();
                    parts.extend(target.split('/').rev().map(str::to_owned));
                }
            }
        }
        Some(at.join("/"))
    }

    /// Whether a path is a folder that holds something.
    pub fn is_folder(&self, path: &str) -> bool {
        path.is_empty() || self.below(path).next().is_some()
    }

    /// The files below a folder; all of them for the empty path.
    pub fn below<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = &'a str> {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let from = (Bound::Included(prefix.clone()), Bound::Unbounded);
        self.entries.range(from).map(|(path, _)| path.as_str()).take_while(move |path| path.starts_with(&prefix))
    }

    /// The files right in a folder.
    pub fn folder<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = &'a str> {
        let skip = if folder.is_empty() { 0 } else { folder.len() + 1 };
        self.below(folder).filter(move |path| path.get(skip..).is_some_and(|rest| !rest.contains('/')))
    }

    /// The text of a file.
    ///
    /// # Errors
    ///
    /// [`Unreadable`] where there is none, or what is there is no text.
    pub fn text(&self, path: &str) -> Result<Arc<str>, Unreadable> {
        let missing =
            |reason: &str| Unreadable { state: crate::analysis::FileState::Unread, reason: reason.to_owned() };
        let Some(path) = self.file(path) else { return Err(missing("there is no such file or folder")) };
        match self.texts(&[path]).map(|mut texts| texts.pop()) {
            Ok(Some(Ok(text))) => Ok(text),
            Ok(Some(Err(NoText::Unreadable(why)))) => Err(why),
            Ok(_) => Err(missing("its contents are not in this clone")),
            Err(error) => Err(missing(&error.to_string())),
        }
    }

    /// The texts of files that are in the tree and no links, in order.
    pub(super) fn texts(&self, paths: &[&str]) -> Result<Vec<Result<Arc<str>, NoText>>, GitError> {
        let mut texts = vec![Err(NoText::Missing); paths.len()];
        for (index, store) in self.stores.iter().enumerate() {
            let wanted: Vec<(usize, &str)> = paths
                .iter()
                .enumerate()
                .filter_map(|(i, path)| Some((i, self.entries.get(*path)?)))
                .filter(|(_, entry)| entry.store == index)
                .map(|(i, entry)| (i, entry.id.as_str()))
                .collect();
            let ids: Vec<&str> = wanted.iter().map(|(_, id)| *id).collect();
            for ((i, _), text) in wanted.iter().zip(store.texts(&ids)?) {
                if let Some(slot) = texts.get_mut(*i) {
                    *slot = text;
                }
            }
        }
        Ok(texts)
    }

    /// Whether a file of the tree holds exactly this text.
    pub(super) fn holds(&self, path: &str, text: &str) -> bool {
        self.entries.get(path).is_some_and(|entry| is_object(text, &entry.id))
    }

    /// Whether what stands at a path of the work tree lies inside of it with all links resolved.
    fn is_inside(&self, full: &Path) -> bool {
        match (full.canonicalize(), self.root.canonicalize()) {
            (Ok(real), Ok(root)) => real.starts_with(root),
            _ => false,
        }
    }

    /// Which of these paths git ignores in the work tree: what lies there belongs to the machine, not to a change.
    pub(super) fn ignored_now(&self, paths: &[String]) -> FastSet<String> {
        if paths.is_empty() {
            return FastSet::default();
        }
        // Counted from the top folder, wherever git was started.
        let asked = paths.join("\0");
        let said = git_with_input(&self.root, &["check-ignore", "-z", "--stdin"], asked.as_bytes()).unwrap_or_default();
        String::from_utf8_lossy(&said).split('\0').filter(|p| !p.is_empty()).map(str::to_owned).collect()
    }
}

/// Where configuration, ignore files and policies are read: what is on the disk, or what was in a commit.
///
/// A commit may come from anybody. What it names is read from the commit alone: neither `..` nor an absolute path nor a
/// link leads to a file of the machine. Read from the disk are only the files outside that the user has named
/// ([`Tree::naming`]), and those in the work tree that git ignores, which no commit holds.
#[derive(Clone, Copy, Debug)]
pub enum Version<'a> {
    /// What is on the disk.
    Disk,
    /// What was in the commit.
    Commit(&'a Tree),
}

/// Where one path is read.
enum Home<'a> {
    Disk,
    Tree(&'a Tree, String),
    /// Nowhere: a commit has no say over it.
    Outside,
}

impl<'a> Version<'a> {
    fn home(self, full: &Path) -> Home<'a> {
        let Version::Commit(tree) = self else { return Home::Disk };
        let Some(path) = tree.relative(full) else {
            let full = lexical(full);
            return if tree.named.iter().any(|named| full.starts_with(named)) { Home::Disk } else { Home::Outside };
        };
        let is_machines = tree.resolve(&path).is_some_and(|real| tree.file(&real).is_none() && !tree.is_folder(&real))
            && tree.is_inside(full)
            && tree.ignored_now(std::slice::from_ref(&path)).contains(&path);
        if is_machines { Home::Disk } else { Home::Tree(tree, path) }
    }

    /// The text of a file.
    ///
    /// # Errors
    ///
    /// [`Unreadable`] where it is not there, is no text, or lies outside of the commit's repository.
    pub fn read(self, full: &Path) -> Result<Arc<str>, Unreadable> {
        match self.home(full) {
            Home::Disk => read_text(full),
            Home::Tree(tree, path) => tree.text(&path),
            Home::Outside => Err(outside()),
        }
    }

    /// Whether there is such a file.
    pub fn is_file(self, full: &Path) -> bool {
        match self.home(full) {
            Home::Disk => full.is_file(),
            Home::Tree(tree, path) => tree.file(&path).is_some(),
            Home::Outside => false,
        }
    }

    /// Looks for the configuration in a folder and upward, not beyond the root of the repository.
    pub fn find_config(self, folder: &Path) -> Option<PathBuf> {
        settings::find_config(folder, |candidate| self.is_file(candidate))
    }

    /// `.trivyignore` and its kin of a folder: path and text.
    pub fn ignore_files(self, folder: &Path) -> Texts {
        settings::ignore_files(folder, |path| self.read(path))
    }

    /// The policies below a folder: the path from there and the text; sorted. A commit that does not have the folder has no
    /// policies in it.
    ///
    /// # Errors
    ///
    /// The path and the reason, where the folder or a file in it cannot be read.
    pub fn policy_files(self, folder: &Path) -> Result<Texts, (PathBuf, Unreadable)> {
        let (tree, path) = match self.home(folder) {
            Home::Disk => return settings::policy_files(folder),
            Home::Outside => return Err((folder.to_path_buf(), outside())),
            Home::Tree(tree, path) => (tree, path),
        };
        let Some(prefix) = tree.resolve(&path) else { return Err((folder.to_path_buf(), outside())) };
        let skip = if prefix.is_empty() { 0 } else { prefix.len() + 1 };
        let is_policy = |path: &&str| path.ends_with(".yaml") || path.ends_with(".yml");
        let mut files = Vec::new();
        for path in tree.below(&prefix).filter(is_policy) {
            // A link that leads nowhere in the repository is passed over, as one on the disk that leads nowhere is.
            let Some(file) = tree.file(path) else { continue };
            let text = tree.text(file).map_err(|e| (tree.root().join(path), e))?;
            files.push((path.get(skip..).unwrap_or(path).to_owned(), text));
        }
        Ok(files)
    }
}

fn outside() -> Unreadable {
    let reason = "it lies outside of the repository, and only what is in the commit is read".to_owned();
    Unreadable { state: crate::analysis::FileState::Unread, reason }
}
