//! What earlier checks worked out and later ones need not do again.
//!
//! A version of a file is the identity of its [`SourceFile`]: the workspace keeps it as long as the text stays the
//! same. Every entry holds the files it was made from, so that an address is never reused while it is compared.

use super::Failure;
use super::check::Built;
use super::suppress::Ignore;
use crate::base::{FastMap, FastSet, FileId, SourceFile};
use crate::formats::{Input, Lowered, Options, Parsed, Unit};
use std::sync::{Arc, Mutex, OnceLock};

/// Shared by a workspace and all its snapshots.
#[derive(Default)]
pub(crate) struct Memory {
    pub(super) files: Mutex<FastMap<FileId, Arc<FileFacts>>>,
    pub(super) units: Mutex<FastMap<usize, Arc<FormatUnits>>>,
    pub(super) lowered: Mutex<FastMap<UnitKey, Arc<LoweredUnit>>>,
    pub(super) built: Mutex<Option<Arc<Built>>>,
    /// Paths that the reader was asked for and could not give.
    pub(super) absent: Mutex<FastSet<Arc<str>>>,
}

/// What is known of one version of a file.
pub(super) struct FileFacts {
    pub file: Arc<SourceFile>,
    /// Index of the format that claims it.
    pub format: Option<usize>,
    pub parsed: Option<Arc<Parsed>>,
    pub failure: Option<Failure>,
    /// The ignore comments in it, read when the first finding needs them.
    pub ignores: OnceLock<Arc<[Ignore]>>,
}

/// How a format groups one state of its files.
pub(super) struct FormatUnits {
    pub files: Vec<Arc<SourceFile>>,
    pub options: Options,
    pub inputs: Arc<FastMap<FileId, Input>>,
    pub units: Vec<Unit>,
    pub failure: Option<Failure>,
}

/// The format, name and variant of a unit.
pub(super) type UnitKey = (usize, Arc<str>, Arc<str>);

/// Paths that were read, and what was there.
pub(super) type Reads = Vec<(Arc<str>, Option<Arc<SourceFile>>)>;
/// Folders that were listed, and what was in them.
pub(super) type Lists = Vec<(Arc<str>, Vec<Arc<str>>)>;

/// A lowered unit with everything that went into it.
pub(super) struct LoweredUnit {
    pub unit: Unit,
    pub options: Options,
    pub files: Vec<Option<Arc<SourceFile>>>,
    /// What was read beyond the unit's own files, and what was not there.
    pub reads: Reads,
    /// The folders that were listed, with what was in them.
    pub lists: Lists,
    pub lowered: Lowered,
    pub failure: Option<Failure>,
}

/// Whether two optional files are the same version of the same file.
pub(super) fn same_file(a: Option<&Arc<SourceFile>>, b: Option<&Arc<SourceFile>>) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => Arc::ptr_eq(a, b),
        _ => false,
    }
}
