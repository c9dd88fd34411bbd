//! Files as the analysis names them (relative to one base folder) and as the client names them (URIs).

use super::convert;
use crate::base::FastMap;
use crate::load;
use lsp_types::Uri;
use std::path::{Path, PathBuf};

/// The base folder of the session and the client's own names for what it has open.
#[derive(Clone, Debug)]
pub struct Paths {
    /// The loader's paths, so that a file has one name whoever reads it.
    pub disk: load::Paths,
    /// The client's spelling of a URI (`%3A` or `:`), by our path: answers must use the same.
    spelled: FastMap<String, Uri>,
}

impl Paths {
    /// Paths below the folder that all roots have in common.
    pub fn new(roots: &[PathBuf]) -> Paths {
        let base = common_base(roots).unwrap_or_else(|| PathBuf::from("/"));
        Paths { disk: load::Paths::new(&base, roots), spelled: FastMap::default() }
    }

    /// The base folder.
    pub fn base(&self) -> &Path {
        self.disk.working_directory()
    }

    /// Our name of a file.
    pub fn name(&self, path: &Path) -> String {
        self.disk.shown(path)
    }

    /// Our name of a document, remembering how the client spells it. `None` where it is no file.
    pub fn name_of(&mut self, uri: &Uri) -> Option<String> {
        let name = self.name(&convert::to_path(uri)?);
        if self.spelled.get(&name) != Some(uri) {
            self.spelled.insert(name.clone(), uri.clone());
        }
        Some(name)
    }

    /// The URI of one of our names.
    pub fn uri(&self, name: &str) -> Option<Uri> {
        self.spelled.get(name).cloned().or_else(|| convert::to_uri(&self.disk.full(Path::new(name))))
    }
}

/// The deepest folder that contains all of `folders`.
fn common_base(folders: &[PathBuf]) -> Option<PathBuf> {
    let mut base = folders.first()?.clone();
    for folder in &folders[1..] {
        while !folder.starts_with(&base) {
            if !base.pop() {
                return None;
            }
        }
    }
    Some(base)
}
