//! Platforms that host changes: what the bot asks of each, and one file for each.

mod github;
mod gitlab;

pub use github::{Address as GitHubAddress, GitHub};
pub use gitlab::{Address as GitLabAddress, GitLab};

use super::diff::Diff;
use super::http::ForgeError;
use super::plan::{Call, Limits, Posted};
use super::secret::Secret;

/// A pull request or merge request.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Change {
    /// The commit that is proposed.
    pub head: String,
    /// The commit at which the change left the branch that it is for: what it is compared with.
    pub base: String,
    /// The tip of the branch that it is for: its configuration is what the change is judged by.
    pub target: String,
    /// Whether it is open.
    pub open: bool,
}

/// Where the commits of a change can be fetched.
#[derive(Clone, Debug)]
pub struct Source {
    /// The address, without credentials.
    pub url: String,
    /// The value of the `Authorization` header; empty for none.
    pub authorization: Secret,
}

impl Source {
    /// An address, and a user's name with a token.
    pub fn new(url: String, user: &str, token: &Secret) -> Source {
        use base64::Engine as _;
        let pair = zeroize::Zeroizing::new(format!("{user}:{}", token.expose()));
        let encoded = base64::engine::general_purpose::STANDARD.encode(pair.as_bytes());
        let authorization = if token.is_empty() { String::new() } else { format!("Basic {encoded}") };
        Source { url, authorization: Secret::new(authorization) }
    }
}

/// One change on one platform.
pub trait Forge {
    /// What the platform allows.
    fn limits(&self) -> Limits;
    /// The change as it is now.
    ///
    /// # Errors
    /// [`ForgeError`], as of all calls here.
    fn change(&self) -> Result<Change, ForgeError>;
    /// What the platform shows of it.
    ///
    /// # Errors
    /// [`ForgeError`]
    fn diff(&self) -> Result<Diff, ForgeError>;
    /// What this bot said so far, and the replies to that.
    ///
    /// # Errors
    /// [`ForgeError`]
    fn posted(&self, change: &Change) -> Result<Posted, ForgeError>;
    /// Whether somebody may write to the repository.
    ///
    /// # Errors
    /// [`ForgeError`]
    fn may_write(&self, user: &str) -> Result<bool, ForgeError>;
    /// Does one thing.
    ///
    /// # Errors
    /// [`ForgeError`]
    fn perform(&self, change: &Change, call: &Call) -> Result<(), ForgeError>;
    /// Where the commits are.
    fn source(&self) -> Source;
}
