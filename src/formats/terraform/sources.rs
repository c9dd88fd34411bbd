//! Where modules are: folders of the workspace, and what `terraform init` fetched into `.terraform/modules`.

use super::{TerraformFile, paths};
use crate::base::{FastMap, FileId};
use crate::diagnostic::SyntaxError;
use crate::formats::Input;
use crate::syntax::hcl::tree::{ExprKind, File};
use std::sync::Arc;

/// The manifest that `terraform init` writes, relative to a root module's folder.
pub const MANIFEST: &str = ".terraform/modules/modules.json";

/// The folders with configuration files, and the manifest of one root module.
#[derive(Debug, Default)]
pub struct Sources {
    folders: FastMap<Arc<str>, Vec<FileId>>,
    /// Folders by the path of call names that leads to them (`a.b`).
    fetched: FastMap<String, String>,
}

/// One entry of the manifest.
#[derive(Debug, serde::Deserialize)]
pub struct ManifestModule {
    /// The path of call names, joined by dots; empty for the root.
    #[serde(rename = "Key")]
    pub key: String,
    /// The folder, relative to the root module's.
    #[serde(rename = "Dir")]
    pub dir: String,
}

/// The manifest.
#[derive(Debug, Default, serde::Deserialize)]
pub struct Manifest {
    /// The modules, the root among them.
    #[serde(rename = "Modules", default)]
    pub modules: Vec<ManifestModule>,
}

impl Sources {
    /// Groups configuration files by folder.
    pub fn new<'i>(inputs: impl IntoIterator<Item = &'i Input>) -> Sources {
        let mut sources = Sources::default();
        for input in inputs {
            if let Some(TerraformFile::Configuration(_)) = input.parsed.tree.downcast_ref() {
                let dir = paths::parent(&input.file.path);
                match sources.folders.get_mut(dir) {
                    Some(files) => files.push(input.file.id),
                    None => {
                        sources.folders.insert(dir.into(), vec![input.file.id]);
                    }
                }
            }
        }
        sources
    }

    /// Takes in the manifest of the root module in `dir`.
    pub fn add_manifest(&mut self, dir: &str, manifest: &Manifest) {
        for module in &manifest.modules {
            self.fetched.insert(module.key.clone(), paths::join(dir, &module.dir));
        }
    }

    /// The configuration files of a folder.
    pub fn files(&self, dir: &str) -> &[FileId] {
        self.folders.get(dir).map_or(&[], Vec::as_slice)
    }

    /// The folders with configuration files.
    pub fn folders(&self) -> impl Iterator<Item = (&Arc<str>, &Vec<FileId>)> {
        self.folders.iter()
    }

    /// The folder that a call's `source` means, seen from the module in `dir`; `None` where it is not here.
    pub fn resolve(&self, dir: &str, key: &str, source: &str) -> Option<Arc<str>> {
        let folder = if is_local(source) { paths::join(dir, source) } else { self.fetched.get(key)?.clone() };
        self.folders.get_key_value(folder.as_str()).map(|(folder, _)| folder.clone())
    }
}

/// Whether a module's source is a folder.
pub fn is_local(source: &str) -> bool {
    source.starts_with("./") || source.starts_with("../") || source == "." || source == ".."
}

/// The names and sources of the module calls in a file.
pub fn calls(file: &File) -> impl Iterator<Item = (&str, &str)> {
    file.body.blocks_of("module").filter_map(|block| match &block.body.attribute("source")?.value.kind {
        ExprKind::String(source) => Some((&**block.label(0)?, &**source)),
        _ => None,
    })
}

/// Reads the manifest.
pub fn parse_manifest(text: &str, file: FileId) -> (Manifest, Vec<SyntaxError>) {
    match serde_json::from_str(text) {
        Ok(manifest) => (manifest, Vec::new()),
        Err(error) => {
            let span = crate::base::Span::new(file, 0..text.len().min(1));
            let error = SyntaxError::new(span, format!("the manifest of fetched modules cannot be read: {error}"));
            (Manifest::default(), vec![error.with_help("run `terraform init` again")])
        }
    }
}
