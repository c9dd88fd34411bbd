//! `generators` and `transformers` that are Kustomize's own (`apiVersion: builtin`), configured in place, in files or in folders.
//! What is not Kustomize's own is a program, and programs are not run.

use super::build::{Builder, Failed, Gathered, Kustomization, parse_checked};
use super::edit::{text, text_at, visit};
use super::fields::FieldSpec;
use super::patches::Allowed;
use super::resource::Declared;
use super::select::Selector;
use super::transform::{self, NamespaceRule, Subjects};
use super::{generate, inline};
use crate::base::SourceFile;
use crate::graph::{Data, Map, Value};
use crate::syntax::yaml::Schema;
use std::sync::Arc;

/// The configuration of a plugin, and the file that it stands in.
type Plugin = (Value, Arc<SourceFile>);

impl Builder<'_> {
    /// Runs `generators`.
    pub(super) fn generators(&mut self, k: &Kustomization, gathered: &mut Gathered) -> Result<(), Failed> {
        for (config, _) in self.plugins(k, "generators")? {
            let secret = match kind(&config).as_str() {
                "ConfigMapGenerator" => false,
                "SecretGenerator" => true,
                other => return Err(not_run(&config, other)),
            };
            let read = |path: &str| self.file(k, path);
            let new = generate::generate(&rule(&config), secret, None, &read, &k.file.path)?;
            generate::absorb(&mut gathered.resources, new)?;
        }
        Ok(())
    }

    /// Runs `transformers`.
    pub(super) fn transformers(&mut self, k: &Kustomization, gathered: &mut Gathered) -> Result<(), Failed> {
        for (config, file) in self.plugins(k, "transformers")? {
            self.transformer(k, &config, &file, gathered)?;
        }
        Ok(())
    }

    fn transformer(
        &mut self,
        k: &Kustomization,
        config: &Value,
        file: &Arc<SourceFile>,
        gathered: &mut Gathered,
    ) -> Result<(), Failed> {
        let at = config.span();
        let specs: Vec<FieldSpec> = list(config, "fieldSpecs").iter().map(FieldSpec::parse).collect();
        let resources = &mut gathered.resources;
        match kind(config).as_str() {
            which @ ("PrefixTransformer" | "SuffixTransformer") => {
                if config.get("fieldSpecs").is_none_or(Value::is_null) {
                    return Err((at, "fieldSpecs is not expected to be nil".to_owned()));
                }
                let is_prefix = which == "PrefixTransformer";
                transform::affix(resources, config.get(if is_prefix { "prefix" } else { "suffix" }), is_prefix, &specs);
            }
            "NamespaceTransformer" => {
                let Some(name) = config.at(&["metadata", "namespace"]) else { return Ok(()) };
                let unset_only = config.get("unsetOnly").and_then(Value::as_bool).unwrap_or(false);
                let subjects = match text_at(config, &["setRoleBindingSubjects"]).as_deref() {
                    None | Some("" | "defaultOnly") => Subjects::Default,
                    Some("allServiceAccounts") => Subjects::Accounts,
                    Some("none") => Subjects::None,
                    Some(_) => {
                        return Err((
                            at,
                            "invalid value for setRoleBindingSubjects: must be one of none, defaultOnly, allServiceAccounts"
                                .to_owned(),
                        ));
                    }
                };
                let specs = specs.into_iter().filter(|s| s.path != ["metadata", "namespace"]).collect();
                let rule = NamespaceRule { name, specs, unset_only, subjects };
                transform::namespace(resources, &rule).map_err(|m| (at, m))?;
            }
            which @ ("LabelTransformer" | "AnnotationsTransformer") => {
                let pairs = config.get(if which == "LabelTransformer" { "labels" } else { "annotations" });
                if let Some(map) = pairs.and_then(Value::as_map) {
                    transform::pairs(resources, map, &specs);
                }
            }
            "ImageTagTransformer" => {
                if let Some(rule) = config.get("imageTag") {
                    transform::image(resources, rule, &specs);
                }
            }
            "ReplicaCountTransformer" => {
                if let Some(rule) = config.get("replica") {
                    transform::replicas(resources, rule, &specs).map_err(|m| (at, m))?;
                }
            }
            "PatchTransformer" => self.patch(k, config, file, gathered)?,
            "PatchJson6902Transformer" => {
                let mut entry = Map::new(None);
                for (from, to) in [("target", "target"), ("path", "path"), ("jsonOp", "patch")] {
                    if let Some(value) = config.get(from) {
                        entry.insert(to, value.span(), value.clone());
                    }
                }
                self.patch(k, &Value::map(entry, at), file, gathered)?;
            }
            "PatchStrategicMergeTransformer" => {
                let mut patches = Vec::new();
                for path in list(config, "paths") {
                    patches.extend(self.documents(k, path, Schema::Yaml12)?);
                }
                if let Some(written) = config.get("patches").filter(|p| text(p).is_some()) {
                    patches.extend(inline::inline(written, file, Schema::Yaml12)?);
                }
                for patch in &patches {
                    self.strategic(&mut gathered.resources, patch, at, Allowed::default())?;
                }
            }
            "ReplacementTransformer" => self.replacements(k, list(config, "replacements"), gathered)?,
            "ValueAddTransformer" => add_value(config, gathered)?,
            other => return Err(not_run(config, other)),
        }
        Ok(())
    }

    /// The configurations that a field of the kustomization names: Kustomize takes an entry for an object where it is one, else for a path.
    fn plugins(&mut self, k: &Kustomization, field: &str) -> Result<Vec<Plugin>, Failed> {
        let mut found: Vec<Plugin> = Vec::new();
        for entry in k.list(field) {
            let word = text(entry).unwrap_or("".into());
            let written = word.contains(['\n', '{']).then(|| inline::inline(entry, &k.file, Schema::Kubernetes));
            if let Some(Ok(configs)) = written {
                found.extend(configs.into_iter().map(|config| (config, k.file.clone())));
            } else if let Ok(file) = self.file(k, &word) {
                found.extend(parse_checked(&file, Schema::Kubernetes)?.into_iter().map(|c| (c, file.clone())));
            } else {
                let mut below = Gathered::default();
                self.resource(k, entry, &mut below)?;
                for resource in below.resources {
                    let file = match &resource.declared {
                        Declared::File(path) => (self.folder.read)(path),
                        Declared::Generator(..) => None,
                    };
                    found.push((resource.value, file.unwrap_or_else(|| k.file.clone())));
                }
            }
        }
        match found.iter().find(|(config, _)| text_at(config, &["apiVersion"]).as_deref() != Some("builtin")) {
            Some((config, _)) => Err(not_run(config, &kind(config))),
            None => Ok(found),
        }
    }
}

fn kind(config: &Value) -> String {
    text_at(config, &["kind"]).map(|t| t.to_string()).unwrap_or_default()
}

fn list<'a>(config: &'a Value, key: &str) -> &'a [Value] {
    config.get(key).and_then(Value::as_list).unwrap_or(&[])
}

fn not_run(config: &Value, kind: &str) -> Failed {
    (config.span(), format!("the plugin {kind} is a program, and programs are not run"))
}

/// The configuration of a generator as an entry of `configMapGenerator` says the same.
fn rule(config: &Value) -> Value {
    let mut rule = Map::new(config.as_map().and_then(|m| m.head));
    for key in ["name", "namespace"] {
        if let Some(value) = config.at(&["metadata", key]) {
            rule.insert(key, value.span(), value.clone());
        }
    }
    for entry in config.as_map().map(|m| m.entries.as_slice()).unwrap_or(&[]) {
        if !matches!(&*entry.key, "apiVersion" | "kind" | "metadata") {
            rule.insert(entry.key.clone(), entry.key_span, entry.value.clone());
        }
    }
    Value::map(rule, config.span())
}

/// `ValueAddTransformer`: a value for fields of the objects that its targets select.
fn add_value(config: &Value, gathered: &mut Gathered) -> Result<(), Failed> {
    let Some(value) = config.get("value") else { return Ok(()) };
    for target in list(config, "targets") {
        if target.get("filePathPosition").is_some() {
            return Err((target.span(), "filePathPosition of a ValueAddTransformer is not followed".to_owned()));
        }
        let selector = |key: &str| match target.get(key) {
            Some(select) => Selector::parse(select).map(Some).map_err(|m| (select.span(), m)),
            None => Ok(None),
        };
        let (select, reject) = (selector("selector")?, selector("notSelector")?);
        let spec = text_at(target, &["fieldPath"]).unwrap_or("".into());
        let path = super::edit::segments(&spec);
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        for resource in &mut gathered.resources {
            let chosen = select.as_ref().is_none_or(|s| s.matches(resource))
                && !reject.as_ref().is_some_and(|r| r.matches(resource));
            if chosen {
                visit(&mut resource.value, &path, Some(value.span()), &mut |slot| {
                    let word = text(value).unwrap_or("".into());
                    *slot = Value { data: Data::String(word), origin: value.origin.clone() };
                });
            }
        }
    }
    Ok(())
}
