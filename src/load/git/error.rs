//! What can be wrong with a repository, and what to do about it.

use super::Ran;
use std::path::{Path, PathBuf};

/// Why the state of a commit cannot be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum GitError {
    /// The program is not installed, or cannot be started; with what the system says.
    NoProgram(String),
    /// No repository here or further up.
    NoRepository(PathBuf),
    /// The repository belongs to somebody else, and git will not read it.
    Untrusted(PathBuf),
    /// The text cannot name a commit.
    BadReference(String),
    /// There is no such commit here.
    NoCommit {
        /// What was asked for.
        reference: String,
        /// Whether history was cut off when the repository was cloned.
        shallow: bool,
    },
    /// A path that was asked for lies in another repository.
    Elsewhere {
        /// The path.
        path: PathBuf,
        /// The top folder of the repository.
        root: PathBuf,
    },
    /// The contents of files were left out when the repository was cloned.
    NoContents(String),
    /// git broke off; the command and what it said.
    Failed(&'static str, String),
}

impl GitError {
    pub(super) fn of_start(error: std::io::Error) -> GitError {
        GitError::NoProgram(super::super::read::system_message(&error))
    }

    pub(super) fn of_discovery(folder: &Path, ran: &Ran) -> GitError {
        if ran.err.contains("dubious ownership") {
            // The program names the folder that has to be trusted, which may be further up.
            let named = ran.err.split('\'').nth(1).map(PathBuf::from);
            return GitError::Untrusted(named.unwrap_or_else(|| folder.to_path_buf()));
        }
        if ran.err.contains("not a git repository") || ran.err.contains("must be run in a work tree") {
            return GitError::NoRepository(folder.to_path_buf());
        }
        GitError::Failed("rev-parse", ran.err.clone())
    }

    /// What to do next.
    pub fn help(&self) -> Option<String> {
        Some(match self {
            GitError::NoProgram(_) => "install git, or check without `--since`".to_owned(),
            GitError::NoRepository(_) => {
                "run it inside a clone of the repository, or check without `--since`".to_owned()
            }
            GitError::Untrusted(folder) => {
                format!("if you trust it: `git config --global --add safe.directory {}`", folder.display())
            }
            GitError::BadReference(_) => {
                "name a branch, a tag or a commit, such as `origin/main`, `v1.2.0` or `HEAD~1`".to_owned()
            }
            GitError::NoCommit { reference, shallow: true } => format!(
                "this clone is shallow: fetch it with `git fetch --depth=50 origin {reference}`, or clone with the whole \
                 history (`fetch-depth: 0` of actions/checkout, `GIT_DEPTH: 0` of GitLab)"
            ),
            GitError::NoCommit { reference, .. } => {
                format!("fetch it (`git fetch origin {reference}`), or name another with `--since`")
            }
            GitError::Elsewhere { .. } => "check each repository by itself".to_owned(),
            GitError::NoContents(_) => {
                "clone without `--filter`, or fetch them: `git fetch --refetch --filter=blob:limit=32m origin`"
                    .to_owned()
            }
            GitError::Failed(..) => return None,
        })
    }
}

impl std::fmt::Display for GitError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            GitError::NoProgram(reason) => write!(f, "`git` cannot be run: {reason}"),
            GitError::NoRepository(folder) => write!(f, "`{}` is not in a git repository", folder.display()),
            GitError::Untrusted(folder) => {
                write!(f, "git does not read `{}`, because it belongs to somebody else", folder.display())
            }
            GitError::BadReference(reference) => write!(f, "`{reference}` cannot name a commit"),
            GitError::NoCommit { reference, .. } => write!(f, "there is no commit `{reference}` in this repository"),
            GitError::Elsewhere { path, root } => {
                write!(f, "`{}` does not lie in the repository `{}`", path.display(), root.display())
            }
            GitError::NoContents(path) => write!(f, "the contents of `{path}` at the base are not in this clone"),
            GitError::Failed(command, said) => {
                let said = said.trim();
                let said = said.strip_prefix("fatal: ").unwrap_or(said);
                write!(f, "`git {command}` failed: {said}")
            }
        }
    }
}

impl std::error::Error for GitError {}
