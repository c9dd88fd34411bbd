//! What earlier checks worked out and later ones need not do again.
//!
//! A version of a file is the identity of its [`SourceFile`]: the workspace keeps it as long as the text stays the
//! same. Every entry holds the files it was made from, so that an address is never reused while it is compared.

use super::Failure;
use super::check::Built;
use super::pieces::{Islands, Piece};
use super::suppress::Ignore;
use super::workspace::Member;
use crate::base::{FastMap, FastSet, FileId, SourceFile};
use crate::formats::{Input, Lowered, Options, Parsed, Unit};
use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Shared by a workspace and all its snapshots. Each check leaves here what it used and nothing else, so the memory is
/// never larger than one state of the workspace needs.
#[derive(Default)]
pub(crate) struct Memory {
    pub(super) files: Mutex<Arc<FastMap<FileId, Arc<FileFacts>>>>,
    pub(super) units: Mutex<FastMap<usize, Arc<FormatUnits>>>,
    pub(super) lowered: Mutex<Arc<FastMap<UnitKey, Arc<LoweredUnit>>>>,
    pub(super) pieces: Mutex<Arc<FastMap<UnitKey, Arc<Piece>>>>,
    pub(super) islands: Mutex<Arc<Islands>>,
    /// The number of the next island.
    pub(super) next_island: AtomicU64,
    pub(super) built: Mutex<Option<Arc<Built>>>,
    /// Paths that the reader was asked for and could not give.
    pub(super) absent: Mutex<FastSet<Arc<str>>>,
    pub(super) listed: Mutex<Listed>,
}

/// Folders that were listed in one state of the files' names.
#[derive(Default)]
pub(super) struct Listed {
    pub present: Arc<Vec<Arc<str>>>,
    pub members: Arc<BTreeMap<Arc<str>, Member>>,
    pub folders: FastMap<Arc<str>, List>,
}

/// The paths below a folder, sorted.
pub(super) type List = Arc<[Arc<str>]>;

impl Memory {
    /// A copy that goes its own way. What a reader could not give is forgotten, since the copy may get another.
    pub(super) fn branch(&self) -> Memory {
        fn copy<T: Clone>(of: &Mutex<T>) -> Mutex<T> {
            Mutex::new(of.lock().unwrap_or_else(PoisonError::into_inner).clone())
        }
        Memory {
            files: copy(&self.files),
            units: copy(&self.units),
            lowered: copy(&self.lowered),
            // Pieces and islands are numbered by the memory they were made in.
            ..Memory::default()
        }
    }
}

/// What is known of one version of a file.
pub(super) struct FileFacts {
    pub file: Arc<SourceFile>,
    /// Index of the format that claims it.
    pub format: Option<usize>,
    pub parsed: Option<Arc<Parsed>>,
    pub failure: Option<Failure>,
    /// See [`Format::outline`](crate::formats::Format::outline); made when the file is grouped with others.
    pub outline: OnceLock<u64>,
    /// The ignore comments in it, read when the first finding needs them.
    pub ignores: OnceLock<Arc<[Ignore]>>,
}

/// How a format groups one state of its files.
pub(super) struct FormatUnits {
    pub files: Vec<Arc<SourceFile>>,
    /// What the grouping read of each file.
    pub outlines: Vec<(FileId, u64)>,
    pub options: Options,
    pub inputs: Arc<FastMap<FileId, Input>>,
    pub units: Arc<[Unit]>,
    pub failure: Option<Failure>,
}

/// The format, name and variant of a unit.
pub(super) type UnitKey = (usize, Arc<str>, Arc<str>);

/// Paths that were read, and what was there.
pub(super) type Reads = Vec<(Arc<str>, Option<Arc<SourceFile>>)>;
/// Folders that were listed, and what was in them.
pub(super) type Lists = Vec<(Arc<str>, List)>;

/// A lowered unit with everything that went into it.
pub(super) struct LoweredUnit {
    /// The number of the format.
    pub format: usize,
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

impl LoweredUnit {
    pub fn key(&self) -> UnitKey {
        (self.format, self.unit.name.clone(), self.unit.variant.clone())
    }
}

/// Whether two optional files are the same version of the same file.
pub(super) fn same_file(a: Option<&Arc<SourceFile>>, b: Option<&Arc<SourceFile>>) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => Arc::ptr_eq(a, b),
        _ => false,
    }
}
