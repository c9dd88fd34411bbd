//! Files of the disk on demand, for a command that renders one folder without a workspace.

use super::paths::Paths;
use super::read::read_text;
use crate::base::{Files, SourceFile};
use ignore::WalkBuilder;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// More files than this below one folder are no chart.
const MAX_FILES: usize = 20_000;

/// Reads files when they are asked for, and remembers them.
#[derive(Debug)]
pub struct DiskFolder {
    paths: Paths,
    /// Files that the user named: they may lie anywhere.
    named: Vec<String>,
    files: Mutex<Files>,
}

impl DiskFolder {
    /// For a folder, and files that the user named on the command line.
    pub fn new(working_directory: &Path, folder: &Path, named: Vec<String>) -> DiskFolder {
        let paths = Paths::new(working_directory, &[folder.to_path_buf()]);
        DiskFolder { paths, named, files: Mutex::default() }
    }

    /// A path as [`DiskFolder::read`] takes it.
    pub fn shown(&self, path: &Path) -> String {
        self.paths.shown(&self.paths.full(path))
    }

    /// The text of a file inside the workspace, or of one that was named.
    pub fn read(&self, path: &str) -> Option<Arc<SourceFile>> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = files.by_path(path) {
            return Some(file.clone());
        }
        let text = if self.named.iter().any(|n| n == path) {
            read_text(&self.paths.full(Path::new(path))).ok()?
        } else {
            self.paths.read_inside(path)?
        };
        let id = files.set(path, text);
        files.get(id).cloned()
    }

    /// Every file below a folder, sorted; links to folders are not followed.
    pub fn list(&self, folder: &str) -> Vec<Arc<str>> {
        let full: PathBuf = self.paths.full(Path::new(if folder.is_empty() { "." } else { folder }));
        let mut found: Vec<Arc<str>> = WalkBuilder::new(full)
            .standard_filters(false)
            .follow_links(false)
            .build()
            .filter_map(Result::ok)
            .filter(|entry| entry.file_type().is_some_and(|t| !t.is_dir()))
            .take(MAX_FILES)
            .map(|entry| self.paths.shown(entry.path()).into())
            .collect();
        found.sort_unstable();
        found
    }

    /// Everything that was read.
    pub fn files(&self) -> Files {
        self.files.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
