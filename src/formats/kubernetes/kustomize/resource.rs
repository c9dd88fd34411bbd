//! A resource under construction: its value and the names it has had.

use super::edit::{map_mut, text_at};
use crate::base::Span;
use crate::formats::kubernetes::kinds;
use crate::graph::Value;

/// What identifies an object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Id {
    pub group: String,
    pub version: String,
    pub kind: String,
    pub name: String,
    pub namespace: String,
}

impl Id {
    /// The namespace that counts: `default` for none, nothing for a kind without namespaces.
    pub fn effective_namespace(&self) -> &str {
        if self.is_cluster_scoped() {
            ""
        } else if self.namespace.is_empty() {
            "default"
        } else {
            &self.namespace
        }
    }

    /// Whether objects of the kind stand outside of namespaces.
    pub fn is_cluster_scoped(&self) -> bool {
        is_cluster_scoped(&self.kind, &self.group)
    }

    /// Whether both name the same object.
    pub fn same(&self, other: &Id) -> bool {
        self.group == other.group
            && self.version == other.version
            && self.kind == other.kind
            && self.name == other.name
            && self.effective_namespace() == other.effective_namespace()
    }

    /// In words.
    pub fn show(&self) -> String {
        let group = if self.group.is_empty() { "[noGrp]" } else { &self.group };
        let namespace = if self.namespace.is_empty() { "[noNs]" } else { &self.namespace };
        format!("{}.{}.{group}/{}.{namespace}", self.kind, self.version, self.name)
    }
}

/// Kinds that Kustomize knows to stand outside of namespaces. Unknown kinds are namespaced to it.
pub fn is_cluster_scoped(kind: &str, group: &str) -> bool {
    let builtin = group.is_empty() || group.ends_with(".k8s.io") || !group.contains('.');
    builtin && !kinds::is_namespaced(kind)
}

/// A resource with its history.
#[derive(Clone, Debug)]
pub struct Resource {
    /// The object.
    pub value: Value,
    /// The ids it has had, oldest first, without the present one.
    pub previous: Vec<Id>,
    /// The prefixes it was given, innermost first.
    pub prefixes: Vec<String>,
    /// The suffixes it was given, innermost first.
    pub suffixes: Vec<String>,
    /// Whether a hash of its content is to be appended to its name.
    pub needs_hash: bool,
    /// `merge` or `replace` for a generated one that changes another.
    pub behavior: Behavior,
    /// Where it was declared, for `buildMetadata`.
    pub declared: Declared,
    /// The transformers that changed it, for `buildMetadata`.
    pub transformed: Vec<String>,
}

/// What a generator does with an object that exists.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Behavior {
    Create,
    Merge,
    Replace,
}

/// Where a resource was declared.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Declared {
    /// In this file.
    File(String),
    /// By a generator of this kind in this file.
    Generator(String, &'static str),
}

impl Resource {
    /// A resource as it was read.
    pub fn new(value: Value, declared: Declared) -> Resource {
        Resource {
            value,
            previous: Vec::new(),
            prefixes: Vec::new(),
            suffixes: Vec::new(),
            needs_hash: false,
            behavior: Behavior::Create,
            declared,
            transformed: Vec::new(),
        }
    }

    /// What identifies it now.
    pub fn id(&self) -> Id {
        id_of(&self.value)
    }

    /// What identified it when it was read.
    pub fn original(&self) -> Id {
        self.previous.first().cloned().unwrap_or_else(|| self.id())
    }

    /// Every id it has or had.
    pub fn ids(&self) -> Vec<Id> {
        let mut ids = self.previous.clone();
        ids.push(self.id());
        ids
    }

    /// Remembers the present id before it changes.
    pub fn remember(&mut self) {
        let id = self.id();
        if self.previous.last() != Some(&id) {
            self.previous.push(id);
        }
    }

    /// A string of the metadata.
    pub fn meta(&self, key: &str) -> String {
        text_at(&self.value, &["metadata", key]).map(|t| t.to_string()).unwrap_or_default()
    }

    /// The span of the name, or of the whole.
    pub fn span(&self) -> Span {
        self.value.at(&["metadata", "name"]).map_or(self.value.span(), Value::span)
    }

    /// Sets a string of the metadata.
    pub fn set_meta(&mut self, key: &str, value: Value) {
        let span = value.span();
        super::edit::visit(&mut self.value, &["metadata"], Some(span), &mut |metadata| {
            if let Some(map) = map_mut(metadata) {
                super::edit::set(map, key, span, value.clone());
            }
        });
    }
}

/// What identifies an object.
pub fn id_of(value: &Value) -> Id {
    let text = |path: &[&str]| text_at(value, path).map(|t| t.to_string()).unwrap_or_default();
    let api = text(&["apiVersion"]);
    let (group, version) = api.rsplit_once('/').map_or(("", api.as_str()), |(g, v)| (g, v));
    Id {
        group: group.to_owned(),
        version: version.to_owned(),
        kind: text(&["kind"]),
        name: text(&["metadata", "name"]),
        namespace: text(&["metadata", "namespace"]),
    }
}
