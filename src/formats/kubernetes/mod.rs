//! Kubernetes manifests: YAML or JSON files that hold objects with `apiVersion` and `kind`.
//!
//! Every object is a resource of its own kind, at `Kind/namespace/name`, whose body is the manifest itself. The edges are what the
//! control plane would join at run time: selectors, volumes, service accounts, role bindings, backends. `docs/formats.md` lists them.

mod detect;
pub mod from_terraform;
pub mod helm;
pub mod kinds;
pub mod kustomize;
mod links;
mod lower;
mod rendering;
pub mod schema;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use detect::{Looks, look};
pub use lower::{address, lower_tree, namespace, objects, resource};

use super::{Format, Input, LowerContext, Lowered, Options, Parsed, Selectors, Unit};
use crate::base::SourceFile;
use crate::graph::{Edge, ResourceGraph};
use crate::syntax::yaml::{self, Tree};
use std::sync::Arc;

/// The format.
#[derive(Debug)]
pub struct Kubernetes;

static SELECTORS: Selectors =
    Selectors { globs: &["*.yaml", "*.yml", "*.json", "*.tpl", "Kustomization"], languages: &["yaml", "json"] };

impl Format for Kubernetes {
    fn name(&self) -> &'static str {
        "kubernetes"
    }

    fn selectors(&self) -> &'static Selectors {
        &SELECTORS
    }

    fn claims(&self, path: &str, text: &str) -> bool {
        look(text) == Looks::LikeManifest || rendering::claims(path, text)
    }

    fn parse(&self, file: &SourceFile) -> Parsed {
        rendering::parse(file)
    }

    fn outline(&self, input: &Input) -> u64 {
        rendering::outline(input)
    }

    fn needs(&self, input: &Input) -> Vec<String> {
        rendering::needs(input)
    }

    fn units(&self, files: &[Input], _options: &Options) -> Vec<Unit> {
        rendering::units(files)
    }

    fn lower(&self, unit: &Unit, cx: &LowerContext<'_>) -> Lowered {
        if let Some(mut lowered) = rendering::lower(unit, cx) {
            schema::annotate(&mut lowered, cx.options.kubernetes_version.as_deref());
            return lowered;
        }
        let mut lowered = Lowered::default();
        for tree in unit.files.iter().filter_map(|&file| cx.tree::<Tree>(file)) {
            let one = lower_tree(&unit.name, tree);
            lowered.resources.extend(one.resources);
            lowered.ledger.extend(one.ledger);
        }
        schema::annotate(&mut lowered, cx.options.kubernetes_version.as_deref());
        lowered
    }

    fn link(&self, graph: &ResourceGraph, edges: &mut Vec<Edge>) {
        links::draw(graph, edges);
    }
}

/// Reads a YAML or JSON file as [`Format::parse`] wants it, with a [`Tree`] inside.
pub fn parse_yaml(file: &SourceFile) -> Parsed {
    let mut tree = yaml::parse(file.id, file.text.clone());
    let errors = std::mem::take(&mut tree.errors);
    let comments = std::mem::take(&mut tree.comments);
    Parsed { tree: Arc::new(tree), errors, comments }
}
