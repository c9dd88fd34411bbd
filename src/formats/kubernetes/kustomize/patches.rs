//! Patches of both kinds: to which objects they apply, and what of these they may change.

use super::build::{Builder, Failed, Gathered, Kustomization};
use super::edit::{map_mut, text};
use super::resource::Resource;
use super::select::Selector;
use super::{json_patch, merge};
use crate::base::{SourceFile, Span};
use crate::graph::{Data, Value};
use crate::syntax::yaml::Schema;
use std::sync::Arc;

/// What of an object's identity a patch may change.
#[derive(Clone, Copy, Default)]
pub(super) struct Allowed {
    pub(super) name: bool,
    pub(super) kind: bool,
}

impl Builder<'_> {
    /// An entry of `patches` or `patchesJson6902`. `file` is the one that the entry stands in.
    pub(super) fn patch(
        &mut self,
        k: &Kustomization,
        entry: &Value,
        file: &Arc<SourceFile>,
        gathered: &mut Gathered,
    ) -> Result<(), Failed> {
        let at = entry.span();
        let target = entry.get("target").filter(|t| !t.is_null());
        let body = entry.get("patch").filter(|p| text(p).is_some_and(|t| !t.trim().is_empty()));
        let path = entry.get("path").filter(|p| text(p).is_some_and(|t| !t.is_empty()));
        let (strict, loose) = match (body, path) {
            (Some(_), Some(_)) => return Err((at, "patch and path can't be set at the same time".to_owned())),
            (None, None) => return Err((at, "must specify one of patch and path".to_owned())),
            (Some(body), None) => (
                super::inline::inline(body, file, Schema::Yaml12)?,
                super::inline::inline(body, file, Schema::Kubernetes)?,
            ),
            (None, Some(path)) => {
                (self.documents(k, path, Schema::Yaml12)?, self.documents(k, path, Schema::Kubernetes)?)
            }
        };
        let operations: Option<Vec<Value>> = match loose.as_slice() {
            [one] => one.as_list().map(<[Value]>::to_vec),
            _ => None,
        };
        if let Some(operations) = operations {
            let Some(target) = target else {
                return Err((at, "must specify a target for JSON patch".to_owned()));
            };
            let selector = Selector::parse(target).map_err(|m| (target.span(), m))?;
            for resource in gathered.resources.iter_mut().filter(|r| selector.matches(r)) {
                let id = resource.id();
                resource_remembering(resource, &id, |value| json_patch::apply(value, &operations))?;
            }
            return Ok(());
        }
        let unnamed = |p: &Value| {
            let id = super::resource::id_of(p);
            id.kind.is_empty() || id.name.is_empty()
        };
        if strict.is_empty() || strict.iter().any(|p| p.as_map().is_none() || unnamed(p)) {
            return Err((at, "unable to parse SM or JSON patch".to_owned()));
        }
        let allow = |key: &str| entry.at(&["options", key]).and_then(Value::as_bool).unwrap_or(false);
        let allowed = Allowed { name: allow("allowNameChange"), kind: allow("allowKindChange") };
        let Some(target) = target else {
            for patch in &strict {
                let patch = if allowed.name || allowed.kind { &copied(patch) } else { patch };
                self.strategic(&mut gathered.resources, patch, at, allowed)?;
            }
            return Ok(());
        };
        let [patch] = strict.as_slice() else {
            return Err((
                at,
                "Multiple Strategic-Merge Patches in one `patches` entry is not allowed to set `patches.target` field"
                    .to_owned(),
            ));
        };
        let patch = &copied(patch);
        let selector = Selector::parse(target).map_err(|m| (target.span(), m))?;
        let mut kept = Vec::with_capacity(gathered.resources.len());
        for mut resource in std::mem::take(&mut gathered.resources) {
            if !selector.matches(&resource) || self.merge(&mut resource, patch, allowed) {
                kept.push(resource);
            }
        }
        gathered.resources = kept;
        Ok(())
    }

    /// Merges a patch into a resource; `false` where it deletes it.
    fn merge(&self, resource: &mut Resource, patch: &Value, allowed: Allowed) -> bool {
        let before = resource.value.clone();
        if allowed.name || allowed.kind {
            resource.remember();
        }
        if !merge::apply(&mut resource.value, patch, self.definitions.as_ref()) {
            return false;
        }
        if !allowed.name {
            restore(&mut resource.value, &before, &["metadata", "name"]);
        }
        restore(&mut resource.value, &before, &["metadata", "namespace"]);
        if !allowed.kind {
            restore(&mut resource.value, &before, &["kind"]);
            restore(&mut resource.value, &before, &["apiVersion"]);
        }
        true
    }

    /// Applies a strategic merge patch to the object that it names.
    pub(super) fn strategic(
        &self,
        resources: &mut Vec<Resource>,
        patch: &Value,
        at: Span,
        allowed: Allowed,
    ) -> Result<(), Failed> {
        let id = super::resource::id_of(patch);
        if id.kind.is_empty() {
            return Err((patch.span(), "missing kind in a strategic merge patch".to_owned()));
        }
        if id.name.is_empty() {
            return Err((patch.span(), "missing metadata.name in a strategic merge patch".to_owned()));
        }
        let found: Vec<usize> =
            resources.iter().enumerate().filter(|(_, r)| r.ids().iter().any(|i| i.same(&id))).map(|(i, _)| i).collect();
        let [i] = found.as_slice() else {
            let why = if found.is_empty() { "no resource matches" } else { "several resources match" };
            return Err((at, format!("{why} strategic merge patch {:?}", id.show())));
        };
        // A patch that names the original name does not give it back.
        if resources.get_mut(*i).is_some_and(|resource| !self.merge(resource, patch, allowed)) {
            resources.remove(*i);
        }
        Ok(())
    }
}

/// A patch as Kustomize copies it for the objects that a target selects: the values of labels and annotations become texts, null as well.
pub(super) fn copied(patch: &Value) -> Value {
    let mut patch = patch.clone();
    for field in ["labels", "annotations"] {
        super::edit::visit(&mut patch, &["metadata", field], None, &mut |pairs| {
            let Some(map) = map_mut(pairs) else { return };
            for entry in &mut map.entries {
                let word = if entry.value.is_null() { Some("null".into()) } else { text(&entry.value) };
                if let Some(word) = word {
                    entry.value.data = Data::String(word);
                }
            }
        });
    }
    patch
}

/// Applies a change; a new name or kind is remembered.
fn resource_remembering(
    resource: &mut Resource,
    id: &super::resource::Id,
    f: impl FnOnce(&mut Value) -> Result<(), Failed>,
) -> Result<(), Failed> {
    f(&mut resource.value)?;
    if resource.id() != *id && !resource.previous.contains(id) {
        resource.previous.push(id.clone());
    }
    Ok(())
}

/// Puts back what a patch may not change.
fn restore(value: &mut Value, before: &Value, path: &[&str]) {
    let Some((last, above)) = path.split_last() else { return };
    let old = before.at(path).cloned();
    super::edit::visit(value, above, None, &mut |parent| {
        if let Some(map) = map_mut(parent) {
            match &old {
                Some(old) => match super::edit::entry_mut(map, last) {
                    Some(slot) => *slot = old.clone(),
                    None => map.insert(*last, old.span(), old.clone()),
                },
                None => {
                    super::edit::remove(map, last);
                }
            }
        }
    });
}
