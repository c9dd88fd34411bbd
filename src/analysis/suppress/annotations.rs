//! Annotations of Kubernetes objects, and of their pod templates, that peers read as ignores.

use super::{Ignore, Matcher, Reach, Target};
use crate::base::Span;
use crate::graph::{Entry, Resource, Value};
use std::sync::Arc;

/// Where annotations stand: on the object itself and on the template of the pods that it makes.
const PLACES: [&[&str]; 4] = [
    &["metadata", "annotations"],
    &["spec", "template", "metadata", "annotations"],
    &["spec", "jobTemplate", "metadata", "annotations"],
    &["spec", "jobTemplate", "spec", "template", "metadata", "annotations"],
];

/// Reads the ignores in a resource's annotations.
pub(super) fn read(resource: &Arc<Resource>, add: &mut dyn FnMut(Ignore)) {
    if resource.body.get("metadata").is_none() {
        return;
    }
    for place in PLACES {
        let Some(map) = resource.body.at(place).and_then(Value::as_map) else { continue };
        for entry in &map.entries {
            one(resource, entry, add);
        }
    }
}

fn one(resource: &Arc<Resource>, entry: &Entry, add: &mut dyn FnMut(Ignore)) {
    let Some((domain, key)) = entry.key.split_once('/') else { return };
    let value = entry.value.scalar_text().unwrap_or_default();
    let alias = |peer: &'static str, id: &str| Target {
        matcher: Matcher::Alias { peer, id: id.trim().to_owned() },
        span: entry.value.span(),
    };
    let all =
        |peer: &'static str| Target { matcher: Matcher::AllBut { peer, ids: Vec::new() }, span: entry.value.span() };
    let (targets, reason): (Vec<Target>, String) = match domain {
        "checkov.io" | "bridgecrew.io" | "cortex.io" if key.starts_with("skip") => {
            let (ids, reason) = value.split_once('=').unwrap_or((&value, ""));
            (ids.split(',').map(|id| alias("checkov", id)).collect(), reason.to_owned())
        }
        "ignore-check.kube-linter.io" => (vec![alias("kube-linter", key)], value.to_string()),
        "kube-linter.io" if key == "ignore-all" => (vec![all("kube-linter")], value.to_string()),
        "kube-score" if key == "ignore" => {
            (value.split(',').map(|id| alias("kube-score", id)).collect(), String::new())
        }
        "polaris.fairwinds.com" if value == "true" => match key.strip_suffix("-exempt") {
            Some(check) => (vec![alias("polaris", check)], String::new()),
            None if key == "exempt" => (vec![all("polaris")], String::new()),
            None => return,
        },
        "runterrascan.io" if key == "skip" => {
            // Its value is JSON: [{"rule": "AC_K8S_0001", "comment": "why"}].
            let skips: Vec<serde_json::Value> = serde_json::from_str(&value).unwrap_or_default();
            for skip in &skips {
                let text = |name: &str| skip.get(name).and_then(serde_json::Value::as_str).unwrap_or_default();
                if !text("rule").is_empty() {
                    add(ignore(resource, entry, vec![alias("terrascan", text("rule"))], text("comment").to_owned()));
                }
            }
            return;
        }
        _ => return,
    };
    add(ignore(resource, entry, targets, reason));
}

fn ignore(resource: &Arc<Resource>, entry: &Entry, targets: Vec<Target>, reason: String) -> Ignore {
    let span: Span = entry.key_span.to(entry.value.span());
    Ignore {
        span: Span { file: resource.span.file, ..span },
        targets,
        reach: Reach::Resource { address: resource.address.clone(), span: resource.span },
        reason,
        until: None,
        attributes: Vec::new(),
        workspace: None,
        own: false,
        malformed: None,
        own_line: true,
    }
}
