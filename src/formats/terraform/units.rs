//! Which files make up a root module: its own folder, the modules it calls, its variable files.

use super::sources::{MANIFEST, Sources, calls};
use super::{TerraformFile, paths};
use crate::base::{FastMap, FastSet, FileId, content_hash};
use crate::formats::{Input, Unit};
use crate::syntax::hcl::tree::File;
use std::sync::Arc;

/// The root modules of a workspace: folders that no call reaches from another one. Among folders that only call each
/// other the first by name is taken.
pub fn units(inputs: &[Input]) -> Vec<Unit> {
    let by_id: FastMap<FileId, &Input> = inputs.iter().map(|i| (i.file.id, i)).collect();
    let sources = Sources::new(inputs);
    let mut folders: Vec<&Arc<str>> = sources.folders().map(|(dir, _)| dir).collect();
    folders.sort_unstable();
    // What each folder calls, without what only `terraform init` knows.
    let called: FastMap<&str, Vec<Arc<str>>> =
        folders.iter().map(|dir| (&***dir, targets(dir, &sources, &by_id))).collect();
    let reached: FastSet<&str> =
        called.iter().flat_map(|(from, to)| to.iter().map(|t| &**t).filter(move |t| t != from)).collect();
    let is_fetched = |dir: &str| dir.split('/').any(|part| part == ".terraform");
    let mut roots: Vec<&str> =
        folders.iter().map(|d| &***d).filter(|d| !reached.contains(d) && !is_fetched(d)).collect();
    let mut covered: FastSet<&str> = FastSet::default();
    roots.iter().for_each(|root| cover(root, &called, &mut covered));
    for dir in folders.iter().map(|d| &***d).filter(|d| !is_fetched(d)) {
        if !covered.contains(dir) {
            roots.push(dir);
            cover(dir, &called, &mut covered);
        }
    }
    roots.sort_unstable();
    let mut variables: FastMap<&str, Vec<FileId>> = FastMap::default();
    let mut manifests: FastMap<&str, &Input> = FastMap::default();
    for input in inputs {
        match input.parsed.tree.downcast_ref::<TerraformFile>() {
            Some(TerraformFile::Variables(_)) => {
                variables.entry(paths::parent(&input.file.path)).or_default().push(input.file.id);
            }
            Some(TerraformFile::Manifest(_)) => {
                let dir = input.file.path.strip_suffix(MANIFEST).unwrap_or("").trim_end_matches('/');
                manifests.insert(dir, input);
            }
            _ => {}
        }
    }
    let mut units: Vec<Unit> = roots
        .into_iter()
        .map(|root| {
            let mut reached: FastSet<&str> = FastSet::default();
            cover(root, &called, &mut reached);
            let mut files: Vec<FileId> = variables.get(root).cloned().unwrap_or_default();
            if let Some(manifest) = manifests.get(root) {
                files.push(manifest.file.id);
                if let Some(TerraformFile::Manifest(tree)) = manifest.parsed.tree.downcast_ref() {
                    for module in &tree.modules {
                        let dir = paths::join(root, &module.dir);
                        if let Some((dir, _)) = called.get_key_value(dir.as_str()) {
                            cover(dir, &called, &mut reached);
                        }
                    }
                }
            }
            reached.iter().for_each(|dir| files.extend(sources.files(dir)));
            files.sort_unstable();
            let name = if root.is_empty() { "." } else { root };
            Unit { name: name.into(), variant: "".into(), files }
        })
        .collect();
    add_plans(inputs, &mut units);
    units
}

/// What [`units`] reads of a configuration file: the modules that it calls.
pub fn outline(file: &File) -> u64 {
    let mut text = String::new();
    for (name, source) in calls(file) {
        // A zero byte stands in neither.
        text.extend([name, "\0", source, "\0"]);
    }
    content_hash(text.as_bytes())
}

/// A plan beside a root module's configuration takes the place of that module: what it says of its resources is more
/// exact. Any other plan is a unit of its own.
fn add_plans(inputs: &[Input], units: &mut Vec<Unit>) {
    let plans = inputs.iter().filter(|i| matches!(i.parsed.tree.downcast_ref(), Some(TerraformFile::Plan(_))));
    let mut planned = Vec::new();
    let mut replaced: FastSet<Arc<str>> = FastSet::default();
    for plan in plans {
        let dir = paths::parent(&plan.file.path);
        let dir = if dir.is_empty() { "." } else { dir };
        let variant: Arc<str> = paths::file_name(&plan.file.path).into();
        planned.push(match units.iter().find(|u| &*u.name == dir) {
            Some(unit) => {
                replaced.insert(unit.name.clone());
                let mut files = unit.files.clone();
                files.push(plan.file.id);
                files.sort_unstable();
                Unit { name: unit.name.clone(), variant, files }
            }
            None => Unit { name: plan.file.path.clone(), variant: "".into(), files: vec![plan.file.id] },
        });
    }
    units.retain(|u| !replaced.contains(&u.name));
    units.extend(planned);
}

/// The folders that a folder's files call.
fn targets(dir: &str, sources: &Sources, by_id: &FastMap<FileId, &Input>) -> Vec<Arc<str>> {
    let mut found = Vec::new();
    for id in sources.files(dir) {
        if let Some(TerraformFile::Configuration(file)) =
            by_id.get(id).and_then(|input| input.parsed.tree.downcast_ref())
        {
            found.extend(calls(file).filter_map(|(_, source)| sources.resolve(dir, "", source)));
        }
    }
    found
}

/// Adds a folder and all that it calls, at any depth.
fn cover<'d>(root: &'d str, called: &'d FastMap<&'d str, Vec<Arc<str>>>, covered: &mut FastSet<&'d str>) {
    let mut open = vec![root];
    while let Some(dir) = open.pop() {
        if covered.insert(dir) {
            open.extend(called.get(dir).into_iter().flatten().map(|d| &**d));
        }
    }
}
