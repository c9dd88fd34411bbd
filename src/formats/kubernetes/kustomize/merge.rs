//! Strategic merge patches.

use super::edit::{entry_mut, list_mut, map_mut, replaced};
use super::openapi::Definitions;
use crate::graph::{Data, Map, Value};
use std::sync::Arc;

/// How deep a patch may reach.
const MAX_DEPTH: usize = 200;

/// Lists that are merged by the keys of their elements: the field, what it stands in (nothing: anywhere), the keys.
/// Derived from `x-kubernetes-patch-merge-key` and `x-kubernetes-list-map-keys` of the published definitions.
const MERGED: &[(&str, &str, &[&str])] = &[
    ("conditions", "status", &["type"]),
    ("containers", "", &["name"]),
    ("drivers", "", &["name"]),
    ("env", "", &["name"]),
    ("ephemeralContainers", "", &["name"]),
    ("hostAliases", "", &["ip"]),
    ("imagePullSecrets", "spec", &["name"]),
    ("initContainers", "", &["name"]),
    ("matchConditions", "", &["name"]),
    ("ownerReferences", "metadata", &["uid"]),
    ("ports", "containers", &["containerPort", "protocol"]),
    ("ports", "initContainers", &["containerPort", "protocol"]),
    ("ports", "ephemeralContainers", &["containerPort", "protocol"]),
    ("ports", "Service", &["port", "protocol"]),
    ("resourceClaims", "spec", &["name"]),
    ("schedulingGates", "", &["name"]),
    ("secrets", "ServiceAccount", &["name"]),
    ("topologySpreadConstraints", "", &["topologyKey", "whenUnsatisfiable"]),
    ("volumeDevices", "", &["devicePath"]),
    ("volumeMounts", "", &["mountPath"]),
    ("volumes", "", &["name"]),
    ("webhooks", "", &["name"]),
];

/// Lists of plain values that are united.
const UNITED: &[(&str, &str)] = &[("finalizers", "metadata"), ("podCIDRs", "spec")];

/// What a patch does to a value.
enum Outcome {
    Kept,
    Deleted,
}

/// Applies a patch to an object; `false` where the patch deletes it. `own` is what the kustomization says about kinds in `openapi`,
/// which stands in the place of the built-in definitions.
pub fn apply(target: &mut Value, patch: &Value, own: Option<&Definitions>) -> bool {
    let kind = super::edit::text_at(target, &["kind"]).unwrap_or("".into());
    let api = super::edit::text_at(target, &["apiVersion"]).unwrap_or("".into());
    let group = api.rsplit_once('/').map_or("", |(g, _)| g);
    let builtin = group.is_empty() || group.ends_with(".k8s.io") || !group.contains('.');
    let keys = match own {
        Some(own) => Keys::Own(own, &api),
        None if builtin => Keys::Builtin,
        None => Keys::None,
    };
    let merger = Merger { kind: &kind, keys };
    !matches!(merger.value(target, patch, &[], 0), Outcome::Deleted)
}

/// What says which lists are merged by the keys of their elements.
enum Keys<'a> {
    Builtin,
    /// The definitions of a kustomization, and the object's `apiVersion`.
    Own(&'a Definitions, &'a str),
    /// A custom resource has none.
    None,
}

struct Merger<'a> {
    kind: &'a str,
    keys: Keys<'a>,
}

fn directive(value: &Value) -> Option<&str> {
    value.get("$patch")?.as_str()
}

impl Merger<'_> {
    /// A patch's value without its directives and nulls, where nothing is there to be merged with. A list without keys is taken as it is.
    fn plain(&self, patch: &Value, path: &[&str], depth: usize) -> Value {
        if depth > MAX_DEPTH {
            return patch.clone();
        }
        let data = match &patch.data {
            Data::Map(map) => {
                let mut out = Map::new(map.head);
                for entry in &map.entries {
                    if &*entry.key == "$patch" || entry.value.is_null() || directive(&entry.value) == Some("delete") {
                        continue;
                    }
                    let mut inner = path.to_vec();
                    inner.push(&entry.key);
                    let mut entry = entry.clone();
                    entry.value = self.plain(&entry.value, &inner, depth + 1);
                    out.entries.push(entry);
                }
                Data::Map(Arc::new(out))
            }
            Data::List(items) if self.keys(path).is_some() => Data::List(Arc::new(
                items
                    .iter()
                    .filter(|i| !matches!(directive(i), Some("delete" | "replace")))
                    .map(|item| self.plain(item, path, depth + 1))
                    .collect(),
            )),
            other => other.clone(),
        };
        Value { data, origin: patch.origin.clone() }
    }

    fn value(&self, target: &mut Value, patch: &Value, path: &[&str], depth: usize) -> Outcome {
        if depth > MAX_DEPTH {
            return Outcome::Kept;
        }
        match (&target.data, &patch.data) {
            (Data::Map(_), Data::Map(patch_map)) => {
                match directive(patch) {
                    Some("delete") => return Outcome::Deleted,
                    Some("replace") => {
                        let mut new = self.plain(patch, path, depth);
                        new.origin = replaced(&patch.origin, &target.origin);
                        *target = new;
                        return Outcome::Kept;
                    }
                    _ => {}
                }
                let Some(map) = map_mut(target) else { return Outcome::Kept };
                for entry in &patch_map.entries {
                    if &*entry.key == "$patch" {
                        continue;
                    }
                    if entry.value.is_null() {
                        super::edit::remove(map, &entry.key);
                        continue;
                    }
                    let mut inner = path.to_vec();
                    inner.push(&entry.key);
                    match entry_mut(map, &entry.key) {
                        Some(old) if !old.is_null() => {
                            if let Outcome::Deleted = self.value(old, &entry.value, &inner, depth + 1) {
                                super::edit::remove(map, &entry.key);
                            }
                        }
                        Some(old) => *old = self.plain(&entry.value, &inner, depth),
                        None => {
                            if directive(&entry.value) == Some("delete") {
                                continue;
                            }
                            let mut entry = entry.clone();
                            entry.value = self.plain(&entry.value, &inner, depth);
                            map.entries.push(entry);
                        }
                    }
                }
                Outcome::Kept
            }
            (Data::List(_), Data::List(items)) => {
                self.list(target, items, path, depth);
                if let Data::List(_) = target.data
                    && target.span().is_none()
                {
                    target.origin = patch.origin.clone();
                }
                Outcome::Kept
            }
            _ => {
                let mut new = self.plain(patch, path, depth);
                new.origin = replaced(&patch.origin, &target.origin);
                *target = new;
                Outcome::Kept
            }
        }
    }

    /// The keys of the elements of the list at a path.
    fn keys(&self, path: &[&str]) -> Option<Vec<&str>> {
        match self.keys {
            Keys::Builtin => {}
            Keys::Own(own, api) => return own.merge_keys(api, self.kind, path),
            Keys::None => return None,
        }
        let (field, above) = path.split_last()?;
        let parent = above.last().copied().unwrap_or("");
        MERGED
            .iter()
            .find(|(name, place, _)| {
                name == field
                    && (place.is_empty()
                        || *place == parent
                        || (*place == self.kind && (parent == "spec" || above.is_empty())))
            })
            .filter(|(name, _, _)| *name != "imagePullSecrets" || self.kind != "ServiceAccount")
            .map(|(_, _, keys)| keys.to_vec())
    }

    fn list(&self, target: &mut Value, items: &[Value], path: &[&str], depth: usize) {
        let replace = items.iter().any(|i| directive(i) == Some("replace"));
        let field = path.last().copied().unwrap_or("");
        let parent = path.len().checked_sub(2).and_then(|i| path.get(i)).copied().unwrap_or("");
        let old_origin = target.origin.clone();
        let Some(old) = list_mut(target) else { return };
        if matches!(self.keys, Keys::Builtin) && UNITED.contains(&(field, parent)) {
            let mut all: Vec<Value> = items.to_vec();
            for item in old.drain(..) {
                if !all.contains(&item) {
                    all.push(item);
                }
            }
            *old = all;
            return;
        }
        let Some(keys) = self.keys(path).filter(|_| !replace) else {
            // A list without keys is taken as it is, directives and nulls included.
            let keyed = self.keys(path).is_some();
            *old = if keyed {
                let fresh = items.iter().filter(|i| directive(i) != Some("replace"));
                fresh.map(|item| self.plain(item, path, depth)).collect()
            } else {
                items.to_vec()
            };
            if let Some(first) = items.first() {
                let whole = items.iter().fold(first.span(), |all, i| all.to(i.span()));
                target.origin = replaced(&crate::graph::Origin::literal(whole), &old_origin);
            }
            return;
        };
        let key_text = |value: &Value, key: &str| value.get(key).and_then(super::edit::text);
        // A secondary key counts only where some element has it.
        let valid: Vec<&str> = keys
            .iter()
            .enumerate()
            .filter(|(i, key)| *i == 0 || old.iter().chain(items).any(|v| key_text(v, key).is_some()))
            .map(|(_, key)| *key)
            .collect();
        let same = |a: &Value, b: &Value| valid.iter().all(|k| key_text(a, k) == key_text(b, k));
        let primary = keys.first().copied().unwrap_or("name");
        let mut first: Vec<Value> = Vec::new();
        for item in items {
            let deletes = directive(item) == Some("delete");
            match old.iter().position(|o| same(o, item)) {
                Some(i) => {
                    if deletes {
                        old.remove(i);
                        continue;
                    }
                    let mut inner = path.to_vec();
                    // Elements stand in the field that holds the list.
                    if path.is_empty() {
                        inner.push("");
                    }
                    if let Some(element) = old.get_mut(i)
                        && let Outcome::Deleted = self.value(element, item, &inner, depth + 1)
                    {
                        old.remove(i);
                        continue;
                    }
                    // With one key the patched elements move to the front; with several they stay.
                    if keys.len() == 1 || valid.len() == 1 {
                        first.push(old.remove(i));
                    }
                }
                None if deletes => {}
                None => {
                    // An element that lacks the second key is lost where another has the first one.
                    let lost = valid.len() > 1
                        && old.iter().any(|o| {
                            key_text(o, primary) == key_text(item, primary)
                                && valid.iter().any(|k| key_text(o, k).is_none() || key_text(item, k).is_none())
                        });
                    if !lost {
                        first.push(self.plain(item, path, depth));
                    }
                }
            }
        }
        first.append(old);
        *old = first;
    }
}
