//! Terraform and OpenTofu: modules evaluated as Terraform would, with unknowns that say why.
//!
//! A unit is a root module with everything it calls. `engine` evaluates it, `emit` makes the graph of it.
//! `docs/formats.md` says what policies see.

mod body;
mod emit;
mod engine;
pub mod eval;
mod expand;
mod inputs;
mod module;
mod names;
mod paths;
mod plan;
mod policy_document;
mod refs;
mod registry;
mod scope;
mod sources;
mod units;

#[cfg(test)]
mod tests;

use crate::base::SourceFile;
use crate::diagnostic::SyntaxError;
use crate::formats::kubernetes::from_terraform;
use crate::formats::{Format, Input, LowerContext, Lowered, Options, Parsed, Selectors, Unit};
use crate::providers;
use crate::syntax::hcl::{self, JsonFile, tree::File};
use crate::syntax::json;
use emit::Emitter;
use engine::Engine;
use inputs::RootValues;
use sources::{Manifest, Sources};
use std::sync::Arc;

/// The format.
pub struct Terraform;

/// What one of Terraform's files is.
#[derive(Debug)]
pub enum TerraformFile {
    /// `*.tf` and its kin.
    Configuration(File),
    /// `*.tfvars` and its kin.
    Variables(File),
    /// `.terraform/modules/modules.json`.
    Manifest(Manifest),
    /// The output of `terraform show -json`.
    Plan(plan::Plan),
}

static SELECTORS: Selectors = Selectors {
    globs: &[
        "*.tf",
        "*.tf.json",
        "*.tofu",
        "*.tofu.json",
        "*.tfvars",
        "*.tfvars.json",
        "**/.terraform/modules/modules.json",
        "*.json",
    ],
    languages: &["terraform", "terraform-vars", "opentofu", "opentofu-vars"],
};

/// What a file is by its name and, for plans, its text.
enum Kind {
    Configuration { json: bool },
    Variables { json: bool },
    Manifest,
    Plan,
}

fn kind(path: &str, text: &str) -> Option<Kind> {
    let name = paths::file_name(path);
    if path == sources::MANIFEST || path.ends_with("/.terraform/modules/modules.json") {
        return Some(Kind::Manifest);
    }
    // Terraform leaves out hidden files and editors' backups.
    if name.starts_with('.') || name.ends_with('~') || (name.starts_with('#') && name.ends_with('#')) {
        return None;
    }
    let ends = |suffixes: &[&str]| suffixes.iter().any(|s| name.len() > s.len() && name.ends_with(s));
    if ends(&[".tf", ".tofu"]) {
        Some(Kind::Configuration { json: false })
    } else if ends(&[".tf.json", ".tofu.json"]) {
        Some(Kind::Configuration { json: true })
    } else if ends(&[".tfvars"]) {
        Some(Kind::Variables { json: false })
    } else if ends(&[".tfvars.json"]) {
        Some(Kind::Variables { json: true })
    } else if ends(&[".json"]) && plan::is_plan(text) {
        Some(Kind::Plan)
    } else {
        None
    }
}

impl Format for Terraform {
    fn name(&self) -> &'static str {
        "terraform"
    }

    fn selectors(&self) -> &'static Selectors {
        &SELECTORS
    }

    fn claims(&self, path: &str, text: &str) -> bool {
        kind(path, text).is_some()
    }

    fn parse(&self, file: &SourceFile) -> Parsed {
        let (id, text) = (file.id, &*file.text);
        let (tree, errors, comments): (TerraformFile, Vec<SyntaxError>, _) = match kind(&file.path, text) {
            Some(Kind::Configuration { json: true }) => {
                let (file, errors) = hcl::parse_json(text, id, JsonFile::Configuration, providers::is_block);
                (TerraformFile::Configuration(file), errors, Vec::new())
            }
            Some(Kind::Variables { json: true }) => {
                let (file, errors) = hcl::parse_json(text, id, JsonFile::Variables, hcl::no_blocks);
                (TerraformFile::Variables(file), errors, Vec::new())
            }
            Some(Kind::Variables { json: false }) => {
                let parsed = hcl::parse(text, id);
                (TerraformFile::Variables(parsed.file), parsed.errors, parsed.comments)
            }
            Some(Kind::Manifest) => {
                let (manifest, errors) = sources::parse_manifest(text, id);
                (TerraformFile::Manifest(manifest), errors, Vec::new())
            }
            Some(Kind::Plan) => {
                let (root, errors) = json::read(text, id);
                (TerraformFile::Plan(plan::Plan(root)), errors, Vec::new())
            }
            Some(Kind::Configuration { json: false }) | None => {
                let parsed = hcl::parse(text, id);
                (TerraformFile::Configuration(parsed.file), parsed.errors, parsed.comments)
            }
        };
        Parsed { tree: Arc::new(tree), errors, comments }
    }

    fn units(&self, files: &[Input], _options: &Options) -> Vec<Unit> {
        units::units(files)
    }

    fn outline(&self, input: &Input) -> u64 {
        match input.parsed.tree.downcast_ref::<TerraformFile>() {
            // Which folders a file calls decides what belongs together; nothing else in it does.
            Some(TerraformFile::Configuration(file)) => units::outline(file),
            Some(TerraformFile::Variables(_)) => 1,
            Some(TerraformFile::Plan(_)) => 2,
            Some(TerraformFile::Manifest(_)) | None => input.file.hash,
        }
    }

    fn needs(&self, input: &Input) -> Vec<String> {
        let dir = paths::parent(&input.file.path);
        match input.parsed.tree.downcast_ref::<TerraformFile>() {
            Some(TerraformFile::Configuration(file)) => {
                let mut needs: Vec<String> = Vec::new();
                for (_, source) in sources::calls(file) {
                    // The manifest names the folders of what is not local.
                    let need = if sources::is_local(source) {
                        paths::join(dir, source)
                    } else {
                        paths::join(dir, sources::MANIFEST)
                    };
                    if !needs.contains(&need) {
                        needs.push(need);
                    }
                }
                needs
            }
            Some(TerraformFile::Manifest(manifest)) => {
                let root = input.file.path.strip_suffix(sources::MANIFEST).unwrap_or("").trim_end_matches('/');
                let folders = manifest.modules.iter().filter(|m| !m.key.is_empty());
                folders.map(|m| paths::join(root, &m.dir)).collect()
            }
            // The configuration beside a plan says where its resources stand.
            Some(TerraformFile::Plan(_)) => vec![dir.to_owned()],
            _ => Vec::new(),
        }
    }

    fn lower(&self, unit: &Unit, cx: &LowerContext<'_>) -> Lowered {
        let plan = unit.files.iter().find_map(|id| match cx.tree(*id) {
            Some(TerraformFile::Plan(plan)) => Some(plan),
            _ => None,
        });
        let dir = if &*unit.name == "." { "" } else { &unit.name };
        let mut sources = Sources::new(unit.files.iter().filter_map(|id| cx.inputs.get(id)));
        for id in &unit.files {
            if let Some(TerraformFile::Manifest(manifest)) = cx.tree(*id) {
                sources.add_manifest(dir, manifest);
            }
        }
        let mut values = RootValues::load(dir, unit, cx, cx.options);
        if let Some(plan) = plan {
            values.add_planned(plan.variables());
        }
        let problems = std::mem::take(&mut values.problems);
        let engine = Engine::run(cx, &sources, dir.into(), values);
        problems.into_iter().for_each(|p| engine.note(p.span, p.kind, p.message));
        let mut lowered = Emitter::emit(&engine, unit.name.clone());
        if let Some(plan) = plan {
            plan.apply(unit, &mut lowered);
        }
        names::connect(&mut lowered);
        from_terraform::append(&mut lowered, &|file| cx.inputs.get(&file).map(|input| input.file.text.clone()));
        lowered
    }
}
