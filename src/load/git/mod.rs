//! The state of a repository at a commit, read from git's objects straight into memory: no work tree is touched, no
//! hook, filter or other program of the repository runs, and nothing is fetched.
//!
//! [`Repository::base`] finds the commit that a change is held against, [`Repository::tree`] lists what was in it, and
//! [`open`] makes a [`Workspace`](crate::analysis::Workspace) of that, as [`load::open`](super::open) does of the disk.

mod command;
mod error;
mod fetch;
mod ignored;
mod objects;
mod open;
mod tree;

pub use error::GitError;
pub use fetch::{Bounds, FetchError, Remote, fetch};
pub use open::{Like, open};
pub use tree::{Tree, Version};

use command::{Ran, git};
use std::path::{Path, PathBuf};

/// A repository that the `git` program can read.
#[derive(Clone, Debug)]
pub struct Repository {
    /// Where `git` is run: a folder of the work tree, or the repository's own folder where it has none.
    folder: PathBuf,
    /// The top folder of the work tree, which paths of trees start from. Where there is no work tree, the folder that
    /// stands for it in reports.
    root: PathBuf,
    /// Whether history was cut off when it was cloned.
    shallow: bool,
}

/// A commit by its full id, in hexadecimal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Commit(String);

/// What a change is held against.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Base {
    /// The commit; `None` for the emptiness before the first one.
    pub commit: Option<Commit>,
    /// What the user should know about how it was chosen.
    pub notes: Vec<String>,
}

impl Commit {
    /// A full id: 40 or 64 hexadecimal digits.
    pub fn parse(id: &str) -> Option<Commit> {
        let whole = matches!(id.len(), 40 | 64) && id.bytes().all(|b| b.is_ascii_hexdigit());
        whole.then(|| Commit(id.to_ascii_lowercase()))
    }

    /// The id.
    pub fn id(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Commit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Repository {
    /// The repository in whose work tree a folder lies.
    ///
    /// # Errors
    ///
    /// [`GitError`] where there is none, where git may not read it, or where there is no git.
    pub fn discover(folder: &Path) -> Result<Repository, GitError> {
        let ran = git(folder, &["rev-parse", "--is-shallow-repository", "--show-toplevel", "--show-prefix"])?;
        let text = ran.success(|ran| GitError::of_discovery(folder, ran))?;
        let mut lines = text.lines();
        let shallow = lines.next() == Some("true");
        let top = PathBuf::from(lines.next().unwrap_or_default());
        let prefix = lines.next().unwrap_or_default();
        // Counted off the folder as it was named, so that links further up do not matter; a link below the top leads
        // elsewhere, and the top is then what git says.
        let depth = prefix.split('/').filter(|p| !p.is_empty()).count();
        let counted = folder.ancestors().nth(depth).filter(|root| root.canonicalize().is_ok_and(|real| real == top));
        let root = counted.map_or(top, Path::to_path_buf);
        Ok(Repository { folder: folder.to_path_buf(), root, shallow })
    }

    /// A repository without a work tree, such as a bare clone. `root` stands for the top folder in paths; it need not
    /// exist.
    ///
    /// # Errors
    ///
    /// [`GitError`] where there is none at this place.
    pub fn bare(git_dir: &Path, root: &Path) -> Result<Repository, GitError> {
        let ran = git(git_dir, &["rev-parse", "--is-shallow-repository"])?;
        let shallow = ran.success(|ran| GitError::of_discovery(git_dir, ran))?.trim() == "true";
        Ok(Repository { folder: git_dir.to_path_buf(), root: root.to_path_buf(), shallow })
    }

    /// The top folder, which paths start from.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Whether history was cut off when it was cloned.
    pub fn is_shallow(&self) -> bool {
        self.shallow
    }

    /// The commit of a branch, tag, id or expression such as `HEAD~2`; `None` where there is no such commit here.
    ///
    /// # Errors
    ///
    /// [`GitError`] where the text can be no reference, or where git fails.
    pub fn resolve(&self, reference: &str) -> Result<Option<Commit>, GitError> {
        validate(reference)?;
        let commit = format!("{reference}^{{commit}}");
        let ran = git(&self.folder, &["rev-parse", "--verify", "--quiet", "--end-of-options", &commit])?;
        Ok(if ran.ok { ran.out.lines().last().and_then(Commit::parse) } else { None })
    }

    /// The newest commit that two have in common; `None` where there is none, or where it was cut off.
    ///
    /// # Errors
    ///
    /// [`GitError`] where git fails.
    pub fn merge_base(&self, a: &Commit, b: &Commit) -> Result<Option<Commit>, GitError> {
        let ran = git(&self.folder, &["merge-base", "--end-of-options", a.id(), b.id()])?;
        if ran.ok {
            return Ok(ran.out.lines().next().and_then(Commit::parse));
        }
        if ran.err.trim().is_empty() { Ok(None) } else { Err(GitError::Failed("merge-base", ran.err)) }
    }

    /// The commit that the work tree is held against when the user names a reference: where the branch that is checked
    /// out left it, so that what others did there meanwhile is not blamed on the branch.
    ///
    /// A branch that is not here but was fetched from `origin` is found there. Where the common ancestor was cut off, the
    /// reference's own commit is taken. Before the first commit there was nothing.
    ///
    /// # Errors
    ///
    /// [`GitError`] where the reference means no commit here.
    pub fn base(&self, reference: &str) -> Result<Base, GitError> {
        self.base_of(reference, "HEAD")
    }

    /// The same for another head than the one that is checked out.
    ///
    /// # Errors
    ///
    /// As [`Repository::base`].
    pub fn base_of(&self, reference: &str, head: &str) -> Result<Base, GitError> {
        validate(reference)?;
        let mut notes = Vec::new();
        // What a push event names as the state before the first push of a branch.
        if reference.len() >= 40 && reference.bytes().all(|b| b == b'0') {
            notes.push("the base is an id of zeros, which means nothing: all findings are new".to_owned());
            return Ok(Base { commit: None, notes });
        }
        let mut found = self.resolve(reference)?;
        if found.is_none()
            && !reference.contains(['~', '^', '@'])
            && let Some(commit) = self.resolve(&format!("refs/remotes/origin/{reference}"))?
        {
            notes.push(format!("there is no `{reference}` here; compared with `origin/{reference}`"));
            found = Some(commit);
        }
        let Some(commit) = found else {
            if !self.shallow && self.is_before_the_first(reference)? {
                notes.push(format!("`{reference}` lies before the first commit: all findings are new"));
                return Ok(Base { commit: None, notes });
            }
            if self.is_empty()? {
                notes.push("this repository has no commit yet: all findings are new".to_owned());
                return Ok(Base { commit: None, notes });
            }
            return Err(GitError::NoCommit { reference: reference.to_owned(), shallow: self.shallow });
        };
        let Some(head) = self.resolve(head)? else { return Ok(Base { commit: Some(commit), notes }) };
        match self.merge_base(&commit, &head)? {
            Some(common) => Ok(Base { commit: Some(common), notes }),
            None => {
                notes.push(if self.shallow {
                    format!(
                        "this clone is shallow and does not reach back to where the change left `{reference}`; compared \
                         with `{reference}` as it is now (fetch more history to compare with the common ancestor)"
                    )
                } else {
                    format!("the change has no ancestor in common with `{reference}`; compared with it as it is")
                });
                Ok(Base { commit: Some(commit), notes })
            }
        }
    }

    /// Whether a reference goes back from an existing commit beyond the first one.
    fn is_before_the_first(&self, reference: &str) -> Result<bool, GitError> {
        let stem = reference.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '~' | '^'));
        let Some(steps) = reference.strip_prefix(stem).filter(|s| s.starts_with(['~', '^'])) else { return Ok(false) };
        // `^2` asks for a merge's second parent: that it is not there says nothing about the first commit.
        let back = !steps.split('^').skip(1).any(|n| n.starts_with(|c: char| c.is_ascii_digit() && c != '1'));
        Ok(back && !stem.is_empty() && self.resolve(stem)?.is_some())
    }

    /// Whether nothing was ever committed here.
    fn is_empty(&self) -> Result<bool, GitError> {
        if self.resolve("HEAD")?.is_some() {
            return Ok(false);
        }
        let ran = git(&self.folder, &["for-each-ref", "--count=1"])?;
        Ok(ran.ok && ran.out.trim().is_empty())
    }

    /// Everything that is in a commit; nothing for the emptiness before the first.
    ///
    /// # Errors
    ///
    /// [`GitError`] where git fails.
    pub fn tree(&self, commit: Option<&Commit>) -> Result<Tree, GitError> {
        Tree::read(self, commit)
    }
}

/// Refuses what could mean more than a commit: options, ranges, paths in trees, searches through history.
fn validate(reference: &str) -> Result<(), GitError> {
    let plain = !reference.is_empty()
        && reference.len() <= 1024
        && !reference.starts_with('-')
        && !reference.contains("..")
        && !reference.contains("{/")
        && !reference.contains([':', '\\', '*', '?', '['])
        && !reference.contains(|c: char| c.is_whitespace() || c.is_control());
    if plain { Ok(()) } else { Err(GitError::BadReference(reference.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_name_one_commit() {
        for good in ["main", "origin/main", "v1.2.3", "HEAD~2", "HEAD^", "@{upstream}", "feature/ü", "a-b"] {
            assert!(validate(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "-p",
            "--upload-pack=x",
            "a..b",
            "a...b",
            "HEAD:x",
            ":/fix",
            "HEAD^{/x}",
            "a b",
            "a\nb",
            "refs/*",
            "a\\b",
        ] {
            assert_eq!(validate(bad), Err(GitError::BadReference(bad.to_owned())), "{bad}");
        }
    }

    #[test]
    fn ids_are_whole() {
        assert!(Commit::parse(&"a".repeat(40)).is_some() && Commit::parse(&"A0".repeat(32)).is_some());
        assert!(Commit::parse("abc").is_none() && Commit::parse(&"g".repeat(40)).is_none());
    }
}
