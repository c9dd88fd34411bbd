//! What can be checked by itself: repositories, and what lies around them.

use super::{NotThere, Paths, Request, is_selected, read, walk};
use crate::formats::Format;
use std::path::{Path, PathBuf};

/// Folders in folders that are looked through for repositories.
const MAX_DEPTH: usize = 32;

/// The paths of each project below what is asked for, in order. A path that is a repository, and each repository below a path
/// that is in none, is a project; all else is one together, since it may refer to each other. What is in one repository
/// is never divided.
///
/// # Errors
///
/// [`NotThere`] where a path does not exist.
pub fn projects(request: &Request, formats: &'static [&'static dyn Format]) -> Result<Vec<Vec<PathBuf>>, NotThere> {
    let paths = Paths::new(&request.working_directory, &[]);
    let here = [PathBuf::from(".")];
    let asked: &[PathBuf] = if request.paths.is_empty() { &here } else { &request.paths };
    let mut search = Search { paths: &paths, formats, repositories: Vec::new() };
    let mut rest = Vec::new();
    for path in asked {
        let full = paths.full(path);
        let metadata =
            std::fs::metadata(&full).map_err(|e| NotThere { path: path.clone(), reason: read::system_message(&e) })?;
        if metadata.is_dir() && is_repository(&full) {
            search.repositories.push(path.clone());
            continue;
        }
        let mut around = Vec::new();
        let found = search.repositories.len();
        let is_inside_one = full.ancestors().skip(1).any(is_repository);
        if metadata.is_dir() && !is_inside_one {
            search.folder(&full, 0, &mut around);
        }
        // Without a repository below it a path stays what it is.
        if search.repositories.len() == found { rest.push(path.clone()) } else { rest.append(&mut around) }
    }
    let mut projects: Vec<Vec<PathBuf>> = search.repositories.into_iter().map(|path| vec![path]).collect();
    projects.sort();
    projects.dedup();
    if !rest.is_empty() {
        projects.push(rest);
    }
    Ok(projects)
}

fn is_repository(folder: &Path) -> bool {
    folder.join(".git").exists()
}

struct Search<'a> {
    paths: &'a Paths,
    formats: &'static [&'static dyn Format],
    repositories: Vec<PathBuf>,
}

impl Search<'_> {
    /// Finds the repositories below a folder that is none; what lies around them goes to `around`.
    #[expect(clippy::disallowed_methods, reason = "repositories are looked for here")]
    fn folder(&mut self, folder: &Path, depth: usize, around: &mut Vec<PathBuf>) {
        let mut entries: Vec<PathBuf> =
            std::fs::read_dir(folder).into_iter().flatten().filter_map(|e| Some(e.ok()?.path())).collect();
        entries.sort();
        for path in entries {
            let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            let shown = PathBuf::from(self.paths.shown(&path));
            // As a walk does not follow links into folders, this does not.
            let Ok(metadata) = std::fs::symlink_metadata(&path) else { continue };
            if metadata.is_dir() && !walk::NEVER.contains(&&*name) {
                if is_repository(&path) {
                    self.repositories.push(shown);
                    continue;
                }
                let (found, mut inner) = (self.repositories.len(), Vec::new());
                if depth < MAX_DEPTH {
                    self.folder(&path, depth + 1, &mut inner);
                }
                if self.repositories.len() > found { around.append(&mut inner) } else { around.push(shown) }
            } else if metadata.is_file() && is_selected(&shown.to_string_lossy(), &name, self.formats) {
                around.push(shown);
            }
        }
    }
}
