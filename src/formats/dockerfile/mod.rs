//! Dockerfiles and Containerfiles.
//!
//! Each file gives a resource of kind `Dockerfile`, one of kind `stage` for each `FROM`, and one for each instruction, of the
//! instruction's own name. What an instruction means depends on those before it and on the stages its own is built on, so
//! the fields hold the effective values too: user, working directory, shell, variables. `docs/formats.md` lists every field.

mod fields;
mod image;
mod images;
mod instructions;
mod lineage;
mod lower;
mod packages;
mod run;
mod scope;
mod script;

#[cfg(test)]
mod tests;

use super::{Format, Input, LowerContext, Lowered, Options, Parsed, Selectors, Unit};
use crate::base::SourceFile;
use crate::graph::{Edge, ResourceGraph};
use crate::syntax::dockerfile;
use std::sync::Arc;

/// The format.
#[derive(Debug)]
pub struct Dockerfile;

static SELECTORS: Selectors = Selectors {
    globs: &[
        "Dockerfile",
        "Dockerfile.*",
        "*.Dockerfile",
        "*.dockerfile",
        "dockerfile",
        "Containerfile",
        "Containerfile.*",
        "*.Containerfile",
        "*.containerfile",
    ],
    languages: &["dockerfile"],
};

impl Format for Dockerfile {
    fn name(&self) -> &'static str {
        "dockerfile"
    }

    fn selectors(&self) -> &'static Selectors {
        &SELECTORS
    }

    fn claims(&self, path: &str, _text: &str) -> bool {
        let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
        // `Dockerfile.dockerignore` lists what a build leaves out.
        if name.ends_with(".dockerignore") || name.ends_with(".md") {
            return false;
        }
        let lower = name.to_ascii_lowercase();
        ["dockerfile", "containerfile"].iter().any(|known| {
            lower == *known
                || lower.strip_prefix(known).is_some_and(|rest| rest.starts_with('.'))
                || lower.strip_suffix(known).is_some_and(|rest| rest.ends_with('.'))
        })
    }

    fn parse(&self, file: &SourceFile) -> Parsed {
        let parsed = dockerfile::parse(file.id, &file.text);
        Parsed { tree: Arc::new(parsed.file), errors: parsed.errors, comments: parsed.comments }
    }

    fn units(&self, files: &[Input], _options: &Options) -> Vec<Unit> {
        let unit =
            |input: &Input| Unit { name: input.file.path.clone(), variant: "".into(), files: vec![input.file.id] };
        files.iter().map(unit).collect()
    }

    fn link(&self, graph: &ResourceGraph, edges: &mut Vec<Edge>) {
        images::link(graph, edges);
    }

    fn lower(&self, unit: &Unit, cx: &LowerContext<'_>) -> Lowered {
        let mut lowered = Lowered::default();
        for &file in &unit.files {
            let (Some(input), Some(tree)) = (cx.inputs.get(&file), cx.tree::<dockerfile::Dockerfile>(file)) else {
                continue;
            };
            lower::file(&input.file, &input.parsed.comments, tree, &mut lowered);
        }
        lowered
    }
}
