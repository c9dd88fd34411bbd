//! From files to a [`Report`]: the one path that the command line, the editor and the bot all take.

mod report;

pub use report::{
    Failure, FileEntry, FileState, Ledger, Report, Stats, Suppressed, Suppression, SuppressionKind, Timings,
    UnknownResult,
};
