//! Fixes references to objects whose names changed, and resolves `$(VAR)`.

use super::edit::{changed, entry_mut, list_mut, map_mut, text, text_at, visit};
use super::fields::{Config, FieldSpec, Reference, builtin_references, builtin_variables};
use super::resource::{Id, Resource};
use crate::base::Span;
use crate::graph::{Data, Value};
use std::sync::Arc;

/// Gives every reference the present name of what it refers to.
pub fn fix_names(resources: &mut [Resource], config: &Config) {
    let mut references = builtin_references();
    references.extend(config.references.iter().cloned());
    let snapshot: Vec<Known> = resources.iter().map(Known::of).collect();
    if snapshot.iter().all(|k| k.previous.is_empty()) {
        return;
    }
    for resource in resources.iter_mut() {
        let referrer = Known::of(resource);
        for reference in &references {
            for spec in reference.fields.iter().filter(|s| s.fits(&referrer.now)) {
                let path: Vec<&str> = spec.path.iter().map(String::as_str).collect();
                let fixer = Fixer { all: &snapshot, reference, referrer: &referrer };
                visit(&mut resource.value, &path, None, &mut |value| fixer.fix(value));
            }
        }
    }
}

struct Known {
    now: Id,
    previous: Vec<Id>,
    prefixes: Vec<String>,
    suffixes: Vec<String>,
    span: Span,
}

impl Known {
    fn of(resource: &Resource) -> Known {
        Known {
            now: resource.id(),
            previous: resource.previous.clone(),
            prefixes: resource.prefixes.clone(),
            suffixes: resource.suffixes.clone(),
            span: resource.span(),
        }
    }
}

struct Fixer<'a> {
    all: &'a [Known],
    reference: &'a Reference,
    referrer: &'a Known,
}

impl Fixer<'_> {
    fn fix(&self, value: &mut Value) {
        if let Some(items) = list_mut(value) {
            for item in items {
                self.fix(item);
            }
            return;
        }
        if value.as_map().is_some() {
            self.fix_map(value);
            return;
        }
        let Some(name) = text(value) else { return };
        if let Some(found) = self.find(&name, None)
            && *found.now.name != *name
        {
            value.origin = changed(&value.origin, found.span);
            value.data = Data::String(found.now.name.as_str().into());
        }
    }

    /// A name with a namespace: a binding's subject, a webhook's service. Kustomize does not ask for the subject's kind.
    fn fix_map(&self, value: &mut Value) {
        let Some(name) = text_at(value, &["name"]) else { return };
        let namespace = text_at(value, &["namespace"]).unwrap_or("".into());
        let Some(found) = self.find(&name, Some(&namespace)) else { return };
        let Some(map) = map_mut(value) else { return };
        let put = |slot: Option<&mut Value>, new: &str| {
            if let Some(slot) = slot
                && text(slot).as_deref() != Some(new)
            {
                slot.origin = changed(&slot.origin, found.span);
                slot.data = Data::String(new.into());
                return true;
            }
            false
        };
        put(entry_mut(map, "name"), &found.now.name);
        if !found.now.namespace.is_empty() {
            if map.get("namespace").is_none() {
                map.insert("namespace", found.span, Value::string(found.now.namespace.as_str(), found.span));
            } else {
                put(entry_mut(map, "namespace"), &found.now.namespace);
            }
        }
    }

    /// The object that a name once meant.
    fn find(&self, name: &str, namespace: Option<&str>) -> Option<&Known> {
        let r = self.reference;
        let is_kind = |id: &Id| {
            id.kind == r.kind
                && (r.group.is_empty() || id.group == r.group)
                && (r.version.is_empty() || id.version == r.version)
        };
        let mut found: Vec<&Known> = self
            .all
            .iter()
            .filter(|k| {
                k.previous.iter().any(|id| {
                    is_kind(id)
                        && id.name == name
                        && namespace.is_none_or(|ns| {
                            let ns = if ns.is_empty() { "default" } else { ns };
                            id.is_cluster_scoped() || id.effective_namespace() == ns
                        })
                })
            })
            .collect();
        if namespace.is_none() && !self.referrer.now.is_cluster_scoped() {
            found.retain(|k| {
                k.now.is_cluster_scoped() || k.now.effective_namespace() == self.referrer.now.effective_namespace()
            });
        }
        if found.len() > 1 {
            let same_names = found.iter().all(|k| k.now.name == found.first().map_or("", |f| f.now.name.as_str()));
            if !same_names {
                // Of several, the one that went the same way as the referrer.
                let r = self.referrer;
                found.retain(|k| k.prefixes == r.prefixes && k.suffixes == r.suffixes);
                if found.len() != 1 {
                    return None;
                }
            }
        }
        found.first().copied()
    }
}

/// A variable of the kustomization.
#[derive(Clone, Debug)]
pub struct Variable {
    pub name: String,
    pub declaration: Value,
}

/// Replaces `$(NAME)` by the fields that variables name.
pub fn resolve_variables(
    resources: &mut [Resource],
    variables: &[Variable],
    config: &Config,
) -> Result<(), (Span, String)> {
    if variables.is_empty() {
        return Ok(());
    }
    let mut values: Vec<(String, Value)> = Vec::new();
    for variable in variables {
        let at = variable.declaration.span();
        let object = variable.declaration.get("objref").cloned().unwrap_or_default();
        let word = |key: &str| text_at(&object, &[key]).unwrap_or("".into());
        let (kind, name, namespace, api) = (word("kind"), word("name"), word("namespace"), word("apiVersion"));
        let version = api.rsplit('/').next().unwrap_or("").to_owned();
        let group = api.rsplit_once('/').map_or("", |(g, _)| g).to_owned();
        let matching: Vec<&Resource> = resources
            .iter()
            .filter(|r| {
                r.ids().iter().any(|id| {
                    *id.kind == *kind
                        && *id.name == *name
                        && (api.is_empty() || (id.version == version && id.group == group))
                        && (namespace.is_empty() || id.effective_namespace() == &*namespace)
                })
            })
            .collect();
        let unknown = || format!("var '{}' cannot be mapped to a field in the set of known resources", variable.name);
        let [target] = matching.as_slice() else { return Err((at, unknown())) };
        let path = text_at(&variable.declaration, &["fieldref", "fieldpath"]).unwrap_or("metadata.name".into());
        let found = super::replacements::split_path(&path)
            .iter()
            .try_fold(&target.value, |v, part| match part.parse::<usize>() {
                Ok(i) if v.as_list().is_some() => v.as_list().and_then(|l| l.get(i)),
                _ => v.get(part),
            })
            .cloned();
        let Some(value) = found else {
            return Err((
                at,
                format!("field specified in var '{}' not found in corresponding resource", variable.name),
            ));
        };
        values.push((variable.name.clone(), value));
    }
    let mut specs: Vec<FieldSpec> = builtin_variables();
    specs.extend(config.variables.iter().cloned());
    for resource in resources.iter_mut() {
        let id = resource.id();
        for spec in specs.iter().filter(|s| s.fits(&id)) {
            let path: Vec<&str> = spec.path.iter().map(String::as_str).collect();
            visit(&mut resource.value, &path, None, &mut |value| expand(value, &values));
        }
    }
    Ok(())
}

fn expand(value: &mut Value, variables: &[(String, Value)]) {
    if let Some(items) = list_mut(value) {
        for item in items {
            expand(item, variables);
        }
        return;
    }
    if let Some(map) = map_mut(value) {
        for entry in &mut map.entries {
            expand(&mut entry.value, variables);
        }
        return;
    }
    let Some(old) = value.as_str().map(Arc::<str>::from).filter(|s| s.contains('$')) else { return };
    let mut out = String::new();
    let mut used: Option<Span> = None;
    let mut rest = &*old;
    while let Some(at) = rest.find('$') {
        out.push_str(rest.get(..at).unwrap_or(""));
        let after = rest.get(at + 1..).unwrap_or("");
        if let Some(tail) = after.strip_prefix('$') {
            out.push('$');
            rest = tail;
            continue;
        }
        let name = after.strip_prefix('(').and_then(|a| a.split_once(')'));
        match name.and_then(|(name, tail)| Some((variables.iter().find(|(n, _)| n == name)?, tail))) {
            Some(((_, found), tail)) => {
                // A text that is the variable alone takes its type.
                if at == 0 && tail.is_empty() && out.is_empty() && found.as_map().is_none() && found.as_list().is_none()
                {
                    value.origin = changed(&value.origin, found.span());
                    value.data = found.data.clone();
                    return;
                }
                out.push_str(&text(found).unwrap_or("".into()));
                used = Some(found.span());
                rest = tail;
            }
            None => {
                out.push('$');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    if out != *old {
        value.origin = used.map_or_else(|| value.origin.clone(), |u| changed(&value.origin, u));
        value.data = Data::String(out.into());
    }
}
