//! Paths as the system has them, and as the report shows them: relative to the working directory, with `/`.

use super::read::read_text;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// Turns paths round, and knows what lies inside the workspace.
#[derive(Clone, Debug)]
pub struct Paths {
    working_directory: PathBuf,
    /// What functions such as `file()` may read: the repositories of the working directory and of each path that was
    /// asked for, or these folders themselves where they lie in no repository. With all links resolved.
    roots: Vec<PathBuf>,
}

impl Paths {
    /// For these paths, relative to a working directory.
    pub fn new(working_directory: &Path, asked: &[PathBuf]) -> Paths {
        let working_directory = lexical(working_directory);
        let mut paths = Paths { working_directory: working_directory.clone(), roots: Vec::new() };
        let mut folders: Vec<PathBuf> = asked
            .iter()
            .map(|p| {
                let full = paths.full(p);
                if full.is_file() { full.parent().map_or(full.clone(), Path::to_path_buf) } else { full }
            })
            .collect();
        folders.push(working_directory);
        for folder in folders {
            let Ok(folder) = folder.canonicalize() else { continue };
            let root = folder.ancestors().find(|a| a.join(".git").exists()).unwrap_or(&folder).to_path_buf();
            if !paths.roots.iter().any(|r| root.starts_with(r)) {
                paths.roots.push(root);
            }
        }
        paths
    }

    /// The working directory.
    pub fn working_directory(&self) -> &Path {
        &self.working_directory
    }

    /// The absolute path, `.` and `..` resolved without asking the disk.
    pub fn full(&self, path: &Path) -> PathBuf {
        lexical(&self.working_directory.join(path))
    }

    /// The path as the report shows it.
    pub fn shown(&self, full: &Path) -> String {
        let from: Vec<Component<'_>> = self.working_directory.components().collect();
        let to: Vec<Component<'_>> = full.components().collect();
        let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
        if common == 0 {
            return slashes(full);
        }
        let mut shown = PathBuf::new();
        for _ in common..from.len() {
            shown.push("..");
        }
        shown.extend(&to[common..]);
        if shown.as_os_str().is_empty() { ".".to_owned() } else { slashes(&shown) }
    }

    /// The absolute path, if what is there lies inside the workspace, with all links resolved.
    pub fn inside(&self, path: &Path) -> Option<PathBuf> {
        let full = self.full(path);
        let real = full.canonicalize().ok()?;
        self.roots.iter().any(|r| real.starts_with(r)).then_some(full)
    }

    /// The text of a file inside the workspace; `None` where it is not there, lies outside or is no text.
    pub fn read_inside(&self, path: &str) -> Option<Arc<str>> {
        read_text(&self.inside(Path::new(path))?).ok()
    }

    /// The way from the root of the repository to the working directory, with `/`; empty where they are the same.
    pub fn repository_prefix(&self) -> String {
        let root = self.working_directory.ancestors().find(|a| a.join(".git").exists());
        root.and_then(|r| self.working_directory.strip_prefix(r).ok()).map(slashes).unwrap_or_default()
    }
}

/// Resolves `.` and `..` by their letters alone.
pub(super) fn lexical(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if matches!(out.components().next_back(), Some(Component::Normal(_))) => {
                out.pop();
            }
            Component::ParentDir if out.has_root() => {}
            other => out.push(other),
        }
    }
    out
}

fn slashes(path: &Path) -> String {
    let text = path.to_string_lossy();
    if std::path::MAIN_SEPARATOR == '/' { text.into_owned() } else { text.replace('\\', "/") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn paths_are_shown_from_the_working_directory() {
        let paths = Paths { working_directory: "/a/b".into(), roots: Vec::new() };
        for (full, shown) in
            [("/a/b/c/d.tf", "c/d.tf"), ("/a/x/d.tf", "../x/d.tf"), ("/d.tf", "../../d.tf"), ("/a/b", ".")]
        {
            assert_eq!(paths.shown(Path::new(full)), shown);
        }
        assert_eq!(paths.full(Path::new("./c/../../x")), Path::new("/a/x"));
        assert_eq!(paths.full(Path::new("../../../x")), Path::new("/x"));
    }
}
