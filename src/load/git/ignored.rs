//! Which files of a commit a walk would leave out: `.gitignore` and `.ignore` as they were in it.

use super::tree::Tree;
use crate::base::FastMap;
use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use std::path::{Path, PathBuf};

/// The patterns of a commit, by the folder they stand in.
pub(super) struct Ignored {
    root: PathBuf,
    /// `.ignore` goes before `.gitignore`, wherever either stands.
    ignore: FastMap<String, Gitignore>,
    gitignore: FastMap<String, Gitignore>,
    global: Gitignore,
    /// Folders that were asked for before.
    folders: FastMap<String, bool>,
}

impl Ignored {
    pub fn new(tree: &Tree) -> Ignored {
        let root = tree.root().to_path_buf();
        let of = |name: &str| {
            let files: Vec<&str> = tree.paths().filter(|p| p.rsplit('/').next() == Some(name)).collect();
            let texts = tree.texts(&files).unwrap_or_default();
            files
                .iter()
                .zip(texts)
                .filter_map(|(path, text)| {
                    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                    Some((folder.to_owned(), patterns(&root.join(folder), &text.ok()?)))
                })
                .collect()
        };
        let (ignore, gitignore) = (of(".ignore"), of(".gitignore"));
        let (global, _) = GitignoreBuilder::new(&root).build_global();
        Ignored { root, ignore, gitignore, global, folders: FastMap::default() }
    }

    /// Whether a file is left out, by itself or with a folder it is in.
    pub fn contains(&mut self, path: &str) -> bool {
        let nothing = self.ignore.is_empty() && self.gitignore.is_empty() && self.global.is_empty();
        !nothing && (path.rsplit_once('/').is_some_and(|(folder, _)| self.folder(folder)) || self.matches(path, false))
    }

    fn folder(&mut self, folder: &str) -> bool {
        if let Some(&known) = self.folders.get(folder) {
            return known;
        }
        // From the top down, so that the depth of a path is not the depth of the stack.
        let mut ignored = false;
        for end in folder.match_indices('/').map(|(i, _)| i).chain([folder.len()]) {
            let Some(part) = folder.get(..end) else { continue };
            ignored = match self.folders.get(part) {
                Some(&known) => known,
                None => ignored || self.matches(part, true),
            };
            self.folders.insert(part.to_owned(), ignored);
        }
        ignored
    }

    fn matches(&self, path: &str, is_dir: bool) -> bool {
        let full = self.root.join(path);
        for patterns in [&self.ignore, &self.gitignore] {
            let mut folder = path;
            while !folder.is_empty() && !patterns.is_empty() {
                folder = folder.rsplit_once('/').map_or("", |(folder, _)| folder);
                match patterns.get(folder).map_or(Match::None, |p| p.matched(&full, is_dir)) {
                    Match::None => {}
                    found => return found.is_ignore(),
                }
            }
        }
        self.global.matched(&full, is_dir).is_ignore()
    }
}

fn patterns(folder: &Path, text: &str) -> Gitignore {
    let mut builder = GitignoreBuilder::new(folder);
    for line in text.lines() {
        // A line that cannot be read is passed over, as git does.
        let _ = builder.add_line(None, line);
    }
    builder.build().unwrap_or_else(|_| Gitignore::empty())
}
