//! What Kustomize refuses to read: unknown fields and wrong types.

use super::build::Failed;
use super::edit::text_at;
use crate::base::{SourceFile, Span};
use crate::graph::{Data, Map, Value};
use std::sync::Arc;

/// Every field a kustomization may have.
const FIELDS: &[&str] = &[
    "apiVersion",
    "kind",
    "metadata",
    "openapi",
    "namePrefix",
    "nameSuffix",
    "namespace",
    "commonLabels",
    "labels",
    "commonAnnotations",
    "patchesStrategicMerge",
    "patchesJson6902",
    "patches",
    "images",
    "imageTags",
    "replacements",
    "replicas",
    "vars",
    "sortOptions",
    "resources",
    "components",
    "crds",
    "bases",
    "configMapGenerator",
    "secretGenerator",
    "helmGlobals",
    "helmCharts",
    "helmChartInflationGenerator",
    "generatorOptions",
    "configurations",
    "generators",
    "transformers",
    "validators",
    "buildMetadata",
];

/// Refuses fields and types that Kustomize refuses.
pub fn check(value: &Value, file: &Arc<SourceFile>) -> Result<(), Failed> {
    let Some(map) = value.as_map() else {
        return Err((value.span(), "invalid Kustomization: it is no mapping".to_owned()));
    };
    let mut empty = true;
    for entry in &map.entries {
        if !FIELDS.contains(&&*entry.key) {
            return Err((entry.key_span, format!("invalid Kustomization: json: unknown field {:?}", entry.key)));
        }
        let wrong = |wanted: &str| {
            Err((
                entry.value.span(),
                format!("invalid Kustomization: json: cannot unmarshal the value of {} into {wanted}", entry.key),
            ))
        };
        if entry.value.is_null() {
            continue;
        }
        empty &= matches!(&*entry.key, "apiVersion" | "kind" | "metadata");
        match &*entry.key {
            "apiVersion" | "kind" | "namePrefix" | "nameSuffix" | "namespace" if entry.value.as_str().is_none() => {
                return wrong("a string");
            }
            "commonLabels" | "commonAnnotations" => {
                let Some(pairs) = entry.value.as_map() else { return wrong("a map of strings") };
                if let Some(bad) = pairs.entries.iter().find(|e| e.value.as_str().is_none() && !e.value.is_null()) {
                    return Err((
                        bad.value.span(),
                        format!("invalid Kustomization: json: the value of {} in {} is no string", bad.key, entry.key),
                    ));
                }
            }
            "resources"
            | "bases"
            | "components"
            | "crds"
            | "configurations"
            | "patchesStrategicMerge"
            | "generators"
            | "transformers"
            | "validators"
            | "buildMetadata" => {
                let Some(items) = entry.value.as_list() else { return wrong("a list of strings") };
                if let Some(bad) = items.iter().find(|i| i.as_str().is_none()) {
                    return Err((
                        bad.span(),
                        format!("invalid Kustomization: json: an entry of {} is no string", entry.key),
                    ));
                }
            }
            "labels"
            | "patches"
            | "patchesJson6902"
            | "images"
            | "imageTags"
            | "replacements"
            | "replicas"
            | "vars"
            | "configMapGenerator"
            | "secretGenerator"
            | "helmCharts"
            | "helmChartInflationGenerator" => {
                let Some(items) = entry.value.as_list() else { return wrong("a list") };
                for item in items {
                    let Some(fields) = item.as_map() else { return wrong("a list of objects") };
                    check_item(&entry.key, fields)?;
                }
            }
            "generatorOptions" | "sortOptions" | "openapi" | "metadata" | "helmGlobals"
                if entry.value.as_map().is_none() =>
            {
                return wrong("an object");
            }
            _ => {}
        }
    }
    if empty {
        return Err((Span::at(file.id, 0), "kustomization.yaml is empty".to_owned()));
    }
    let kind = text_at(value, &["kind"]).unwrap_or("Kustomization".into());
    if !matches!(&*kind, "Kustomization" | "Component" | "") {
        return Err((value.span(), format!("kind should be Kustomization or Component, not {kind}")));
    }
    Ok(())
}

/// Refuses unknown fields and wrong types inside of an entry.
fn check_item(key: &str, fields: &Map) -> Result<(), Failed> {
    let known: &[&str] = match key {
        "images" | "imageTags" => &["name", "newName", "newTag", "digest", "tagSuffix"],
        "replicas" => &["name", "count"],
        "labels" => &["pairs", "includeSelectors", "includeTemplates", "fields"],
        "patches" | "patchesJson6902" => &["path", "patch", "target", "options"],
        "vars" => &["name", "objref", "fieldref"],
        "replacements" => &["path", "source", "targets", "sourceValue"],
        "configMapGenerator" => &["name", "namespace", "behavior", "literals", "files", "envs", "env", "options"],
        "secretGenerator" => &["name", "namespace", "behavior", "literals", "files", "envs", "env", "options", "type"],
        _ => return Ok(()),
    };
    for entry in &fields.entries {
        if !known.contains(&&*entry.key) {
            return Err((
                entry.key_span,
                format!("invalid Kustomization: json: unknown field {:?} in {key}", entry.key),
            ));
        }
        let is_text = matches!(
            &*entry.key,
            "name"
                | "newName"
                | "newTag"
                | "digest"
                | "tagSuffix"
                | "path"
                | "patch"
                | "namespace"
                | "behavior"
                | "type"
        );
        if is_text && entry.value.as_str().is_none() && !entry.value.is_null() {
            return Err((
                entry.value.span(),
                format!("invalid Kustomization: json: {} of {key} must be a string", entry.key),
            ));
        }
        if &*entry.key == "count" && !matches!(entry.value.data, Data::Number(_)) {
            return Err((
                entry.value.span(),
                "invalid Kustomization: json: count of replicas must be a number".to_owned(),
            ));
        }
        if &*entry.key == "pairs"
            && let Some(bad) = entry.value.as_map().and_then(|m| m.entries.iter().find(|e| e.value.as_str().is_none()))
        {
            return Err((bad.value.span(), format!("invalid Kustomization: json: the label {} is no string", bad.key)));
        }
    }
    Ok(())
}
