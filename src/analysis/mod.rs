//! From files to a [`Report`]: the one path that the command line, the editor and the bot all take.
//!
//! A [`Workspace`] holds files, options and policies and takes in each [`Change`]; its [`Snapshot`] is checked, which
//! parses, lowers, links, evaluates and suppresses. Every step is a pure function of its input and is remembered by
//! it, so that a check after a keystroke does only what the keystroke changed. Any sequence of changes gives the same
//! report as a cold run over the result.
//!
//! Nothing here touches the disk: texts come in with changes, and files that nobody named through a [`Reader`].

mod baseline;
mod check;
mod evaluate;
mod guard;
mod ledger;
mod lower;
mod matrix;
mod memory;
mod part;
mod pieces;
mod report;
mod settings;
pub mod since;
mod suppress;
#[cfg(test)]
mod tests;
mod unknowns;
mod verdict;
mod workspace;

pub use crate::formats::LedgerEntry;
pub use baseline::{Accepted, Baseline};
pub use check::Built;
pub use guard::{CancelToken, Cancelled, is_guarded};
pub use part::Part;
pub use report::{
    Failure, FileEntry, FileState, Ledger, Report, Stats, Suppressed, Suppression, SuppressionKind, Timings,
    UnknownResult,
};
pub use settings::{Date, Settings};
pub use unknowns::Unknowns;
pub use verdict::built_in_rules;
pub use workspace::{Change, Reader, Scope, Snapshot, Workspace};
