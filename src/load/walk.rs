//! Which files below a folder are looked at.

use super::paths::Paths;
use super::{is_selected, read};
use crate::analysis::FileState;
use crate::formats::Format;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use ignore::{DirEntry, WalkBuilder};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Folders that hold copies and tools' own data, never anybody's sources. Other hidden folders are walked.
pub(super) const NEVER: [&str; 8] =
    [".git", ".hg", ".svn", ".jj", ".terraform", ".terragrunt-cache", "node_modules", ".venv"];

/// What a walk found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Files to check.
    pub files: Vec<PathBuf>,
    /// Files that others may need.
    pub context: Vec<PathBuf>,
    /// What could not be walked, and links that are not followed.
    pub notes: Vec<(String, FileState, String)>,
    /// Every file, as the report shows it.
    pub present: Vec<Arc<str>>,
}

/// Paths that the configuration leaves out, in the syntax of `.gitignore`.
#[derive(Clone, Debug)]
pub struct Exclude {
    patterns: Gitignore,
}

impl Default for Exclude {
    fn default() -> Exclude {
        Exclude { patterns: Gitignore::empty() }
    }
}

impl Exclude {
    /// Patterns relative to a folder.
    ///
    /// # Errors
    ///
    /// In words, where a pattern cannot be read.
    pub fn new(folder: &Path, patterns: &[String]) -> Result<Exclude, String> {
        if patterns.is_empty() {
            return Ok(Exclude::default());
        }
        let mut builder = GitignoreBuilder::new(folder);
        for pattern in patterns {
            builder.add_line(None, pattern).map_err(|e| format!("`{pattern}`: {e}"))?;
        }
        builder.build().map(|patterns| Exclude { patterns }).map_err(|e| e.to_string())
    }

    /// Whether a file is left out, by itself or with a folder it is in.
    pub fn leaves_out(&self, file: &Path) -> bool {
        self.matches(file, false)
    }

    fn matches(&self, path: &Path, is_dir: bool) -> bool {
        !self.patterns.is_empty()
            && path.starts_with(self.patterns.path())
            && self.patterns.matched_path_or_any_parents(path, is_dir).is_ignore()
    }
}

/// Walks a folder. Links are not followed into folders, so a walk always ends.
pub(super) fn walk(paths: &Paths, folder: &Path, formats: &[&dyn Format], exclude: &Exclude, found: &mut Found) {
    let mut builder = WalkBuilder::new(folder);
    builder.hidden(false).follow_links(false).sort_by_file_name(std::ffi::OsStr::cmp);
    let exclude_below = exclude.clone();
    builder.filter_entry(move |entry| {
        let is_dir = entry.file_type().is_some_and(|t| t.is_dir());
        let never = entry.depth() > 0 && is_dir && entry.file_name().to_str().is_some_and(|n| NEVER.contains(&n));
        !never && !exclude_below.matches(entry.path(), is_dir)
    });
    let mut with_terraform: Vec<PathBuf> = Vec::new();
    for entry in builder.build() {
        match entry {
            Ok(entry) => one(paths, &entry, formats, found, &mut with_terraform),
            Err(error) => {
                let path = path_of(&error).map_or_else(|| paths.shown(folder), |p| paths.shown(p));
                let reason = error.io_error().map_or_else(|| error.to_string(), read::system_message);
                found.notes.push((path, FileState::Unread, reason));
            }
        }
    }
    variable_files(paths, &with_terraform, exclude, found);
}

fn one(paths: &Paths, entry: &DirEntry, formats: &[&dyn Format], found: &mut Found, with_terraform: &mut Vec<PathBuf>) {
    let path = entry.path();
    let Some(kind) = entry.file_type() else { return };
    if kind.is_dir() {
        return;
    }
    let shown = paths.shown(path);
    let name = entry.file_name().to_string_lossy();
    let selected = is_selected(&shown, &name, formats);
    if kind.is_symlink() {
        let note = match path.canonicalize() {
            Err(error) if selected => {
                Some((FileState::Unread, format!("the link cannot be followed: {}", read::system_message(&error))))
            }
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Some((FileState::Unread, format!("the link cannot be followed: {}", read::system_message(&error))))
            }
            Err(_) => None,
            Ok(real) if real.is_dir() => Some((FileState::Skipped, "a link to a folder is not followed".to_owned())),
            Ok(_) if selected && paths.inside(path).is_none() => {
                Some((FileState::Skipped, "the link leads out of the workspace".to_owned()))
            }
            Ok(_) => None,
        };
        if let Some((state, reason)) = note {
            found.notes.push((shown, state, reason));
            return;
        }
    }
    if selected {
        found.files.push(path.to_path_buf());
        if name.ends_with(".tf")
            && let Some(folder) = path.parent()
            && with_terraform.last().is_none_or(|last| last != folder)
        {
            with_terraform.push(folder.to_path_buf());
        }
    }
    found.present.push(shown.into());
}

/// Variable files are often kept out of version control, but Terraform reads them all the same.
fn variable_files(paths: &Paths, folders: &[PathBuf], exclude: &Exclude, found: &mut Found) {
    let in_repository =
        folders.first().is_some_and(|f| f.ancestors().any(|a| a.join(".git").exists() || a.join(".ignore").exists()));
    if !in_repository {
        return;
    }
    let mut folders: Vec<&PathBuf> = folders.iter().collect();
    folders.sort_unstable();
    folders.dedup();
    for folder in folders {
        for (path, name) in names(folder) {
            if is_variable_file(&name) && !exclude.matches(&path, false) {
                found.present.push(paths.shown(&path).into());
                found.files.push(path);
            }
        }
    }
}

/// Whether Terraform reads a file of this name without being told to.
pub(super) fn is_variable_file(name: &str) -> bool {
    matches!(name, "terraform.tfvars" | "terraform.tfvars.json")
        || name.ends_with(".auto.tfvars")
        || name.ends_with(".auto.tfvars.json")
}

/// The files right in a folder that some format wants to see, sorted.
pub(super) fn folder(folder: &Path, formats: &[&dyn Format]) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = names(folder)
        .into_iter()
        .filter(|(path, name)| is_selected(&path.to_string_lossy(), name, formats))
        .map(|(path, _)| path)
        .collect();
    files.sort_unstable();
    files
}

/// The files right in a folder with their names; none where it cannot be read.
#[expect(clippy::disallowed_methods, reason = "this is the place that reads folders")]
fn names(folder: &Path) -> Vec<(PathBuf, String)> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    entries
        .flatten()
        .filter(|e| e.file_type().is_ok_and(|t| !t.is_dir()))
        .map(|e| (e.path(), e.file_name().to_string_lossy().into_owned()))
        .filter(|(path, _)| path.is_file())
        .collect()
}

fn path_of(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => path_of(err),
        ignore::Error::Loop { child, .. } => Some(child),
        _ => None,
    }
}
