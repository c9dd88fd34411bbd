//! The files that say how to check rather than what: configuration, ignore files, policies of the user's own.

use super::read::{Unreadable, read_text};
use crate::config::FILE_NAME;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Paths with their texts.
pub type Texts = Vec<(String, Arc<str>)>;

/// Looks for `stacklint.toml` in a folder and upward, not beyond the root of the repository.
pub(super) fn find_config(folder: &Path, is_file: impl Fn(&Path) -> bool) -> Option<PathBuf> {
    for ancestor in folder.ancestors() {
        let candidate = ancestor.join(FILE_NAME);
        if is_file(&candidate) {
            return Some(candidate);
        }
        if ancestor.join(".git").exists() {
            return None;
        }
    }
    None
}

/// The names of ignore files.
pub const IGNORE_FILES: [&str; 3] = [".trivyignore", ".trivyignore.yaml", ".trivyignore.yml"];

/// `.trivyignore` and its kin of a folder: path and text.
pub(super) fn ignore_files(folder: &Path, read: impl Fn(&Path) -> Result<Arc<str>, Unreadable>) -> Texts {
    IGNORE_FILES.into_iter().filter_map(|name| Some((name.to_owned(), read(&folder.join(name)).ok()?))).collect()
}

/// The policies below a folder: the path from there, with `/`, and the text; sorted.
///
/// # Errors
///
/// The path and the reason, where the folder or a file in it cannot be read: a policy that is silently missing would be
/// worse than none.
pub(super) fn policy_files(folder: &Path) -> Result<Texts, (PathBuf, Unreadable)> {
    let mut files = Vec::new();
    for entry in ignore::WalkBuilder::new(folder).sort_by_file_name(std::ffi::OsStr::cmp).build() {
        let entry = entry.map_err(|error| {
            let reason = error.io_error().map_or_else(|| error.to_string(), super::read::system_message);
            (folder.to_path_buf(), Unreadable { state: crate::analysis::FileState::Unread, reason })
        })?;
        let path = entry.path();
        let is_policy = path.extension().is_some_and(|e| e == "yaml" || e == "yml");
        if !is_policy || !path.is_file() {
            continue;
        }
        let text = read_text(path).map_err(|e| (path.to_path_buf(), e))?;
        let name = path.strip_prefix(folder).unwrap_or(path).to_string_lossy().replace('\\', "/");
        files.push((name, text));
    }
    Ok(files)
}
