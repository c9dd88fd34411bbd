//! The order in which Kustomize puts out objects.

use super::edit::text;
use super::resource::{Id, Resource};
use crate::graph::Value;
use std::cmp::Ordering;

const FIRST: &[&str] = &[
    "Namespace",
    "ResourceQuota",
    "StorageClass",
    "CustomResourceDefinition",
    "ServiceAccount",
    "PodSecurityPolicy",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ConfigMap",
    "Secret",
    "Endpoints",
    "Service",
    "LimitRange",
    "PriorityClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];

const LAST: &[&str] = &["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

/// Sorts by kinds, some first and some last, unless the kustomization asks for the order of declaration.
pub fn sort(resources: &mut [Resource], options: Option<&Value>) {
    let order = options.and_then(|o| o.get("order")).and_then(Value::as_str);
    if order == Some("fifo") {
        return;
    }
    let custom = options.and_then(|o| o.get("legacySortOptions"));
    let words = |key: &str, default: &[&str]| -> Vec<String> {
        match custom.and_then(|c| c.get(key)).and_then(Value::as_list) {
            Some(list) => list.iter().filter_map(text).map(|t| t.to_string()).collect(),
            None if custom.is_some() => Vec::new(),
            None => default.iter().map(|s| (*s).to_owned()).collect(),
        }
    };
    let (first, last) = (words("orderFirst", FIRST), words("orderLast", LAST));
    let rank = |kind: &str| -> i64 {
        let position = |list: &[String]| list.iter().position(|k| k == kind).and_then(|i| i64::try_from(i).ok());
        match (position(&first), position(&last)) {
            (Some(i), _) => i - i64::try_from(first.len()).unwrap_or(0),
            (_, Some(i)) => i + 1,
            _ => 0,
        }
    };
    resources.sort_by(|a, b| {
        let (a, b) = (a.id(), b.id());
        let by_rank = rank(&a.kind).cmp(&rank(&b.kind));
        by_rank
            .then_with(|| if same_kind(&a, &b) { Ordering::Equal } else { kind_key(&a).cmp(&kind_key(&b)) })
            .then_with(|| rest_key(&a).cmp(&rest_key(&b)))
    });
}

fn same_kind(a: &Id, b: &Id) -> bool {
    (&a.group, &a.version, &a.kind) == (&b.group, &b.version, &b.kind)
}

/// What is missing sorts last.
fn or<'a>(text: &'a str, missing: &'a str) -> &'a str {
    if text.is_empty() { missing } else { text }
}

fn kind_key(id: &Id) -> String {
    format!("{}_{}_{}", or(&id.group, "~G"), or(&id.version, "~V"), or(&id.kind, "~K"))
}

fn rest_key(id: &Id) -> String {
    format!("{}|{}", or(&id.namespace, "~X"), or(&id.name, "~N"))
}
