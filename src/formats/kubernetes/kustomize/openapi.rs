//! `openapi`: definitions of kinds that a kustomization brings along, for the keys by which lists are merged.

use super::edit::text_at;
use crate::graph::Value;

/// How many references may follow each other.
const MAX_REFERENCES: usize = 16;

/// The definitions of a file in the form of Kubernetes' OpenAPI description, version 2.
#[derive(Clone, Debug)]
pub struct Definitions {
    all: Value,
}

impl Definitions {
    /// Reads a description.
    pub fn new(description: &Value) -> Definitions {
        Definitions { all: description.get("definitions").cloned().unwrap_or_default() }
    }

    /// The keys of the elements of the list at a path of a kind; `None` where the list is replaced as a whole.
    pub fn merge_keys(&self, api: &str, kind: &str, path: &[&str]) -> Option<Vec<&str>> {
        let (group, version) = api.rsplit_once('/').unwrap_or(("", api));
        let mut here = self.all.as_map()?.entries.iter().map(|e| &e.value).find(|definition| {
            let kinds = definition.get("x-kubernetes-group-version-kind").and_then(Value::as_list).unwrap_or(&[]);
            kinds.iter().any(|k| {
                let is = |key: &str, word: &str| text_at(k, &[key]).is_none_or(|t| &*t == word);
                is("group", group) && is("version", version) && is("kind", kind)
            })
        })?;
        let mut property = here;
        for step in path {
            property = here.at(&["properties", step]).or_else(|| here.get("additionalProperties"))?;
            here = self.followed(property)?;
            if let Some(items) = here.get("items") {
                here = self.followed(items)?;
            }
        }
        if let Some(key) = property.get("x-kubernetes-patch-merge-key").and_then(Value::as_str) {
            let strategy = property.get("x-kubernetes-patch-strategy").and_then(Value::as_str).unwrap_or("");
            return strategy.split(',').any(|s| s == "merge").then(|| vec![key]);
        }
        let is_map = property.get("x-kubernetes-list-type").and_then(Value::as_str) == Some("map");
        let keys = property.get("x-kubernetes-list-map-keys").and_then(Value::as_list).filter(|_| is_map)?;
        Some(keys.iter().filter_map(Value::as_str).collect())
    }

    /// What a reference to another definition leads to.
    fn followed<'a>(&'a self, schema: &'a Value) -> Option<&'a Value> {
        let mut schema = schema;
        for _ in 0..MAX_REFERENCES {
            let Some(reference) = schema.get("$ref").and_then(Value::as_str) else { return Some(schema) };
            schema = self.all.get(reference.strip_prefix("#/definitions/")?)?;
        }
        None
    }
}
