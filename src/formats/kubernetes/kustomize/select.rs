//! Selecting resources: patterns on names and kinds, label and annotation selectors.

use super::edit::text_at;
use super::resource::Resource;
use crate::graph::Value;
use regex::Regex;

/// A selector of patches and replacements.
#[derive(Debug)]
pub struct Selector {
    group: Option<Regex>,
    version: Option<Regex>,
    kind: Option<Regex>,
    name: Option<Regex>,
    namespace: Option<Regex>,
    labels: Vec<Requirement>,
    annotations: Vec<Requirement>,
}

#[derive(Debug)]
enum Requirement {
    Equals(String, String),
    Differs(String, String),
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Absent(String),
}

impl Selector {
    /// Reads a selector; patterns match the whole word.
    pub fn parse(value: &Value) -> Result<Selector, String> {
        let pattern = |key: &str| -> Result<Option<Regex>, String> {
            match text_at(value, &[key]).filter(|t| !t.is_empty()) {
                None => Ok(None),
                Some(text) => {
                    let whole = if text.starts_with('^') || text.ends_with('$') {
                        text.to_string()
                    } else {
                        format!("^(?:{text})$")
                    };
                    Regex::new(&whole).map(Some).map_err(|e| format!("the pattern {text:?} of {key} is invalid: {e}"))
                }
            }
        };
        let words = |key: &str| requirements(&text_at(value, &[key]).unwrap_or("".into()));
        Ok(Selector {
            group: pattern("group")?,
            version: pattern("version")?,
            kind: pattern("kind")?,
            name: pattern("name")?,
            namespace: pattern("namespace")?,
            labels: words("labelSelector")?,
            annotations: words("annotationSelector")?,
        })
    }

    /// Whether a resource is meant, by its present or its original name.
    pub fn matches(&self, resource: &Resource) -> bool {
        let (now, first) = (resource.id(), resource.original());
        let fits = |pattern: &Option<Regex>, words: &[&str]| {
            pattern.as_ref().is_none_or(|p| words.iter().any(|w| p.is_match(w)))
        };
        fits(&self.namespace, &[first.effective_namespace(), now.effective_namespace()])
            && fits(&self.name, &[&first.name, &now.name])
            && fits(&self.group, &[&now.group])
            && fits(&self.version, &[&now.version])
            && fits(&self.kind, &[&now.kind])
            && self.labels.iter().all(|r| r.holds(&resource.value, "labels"))
            && self.annotations.iter().all(|r| r.holds(&resource.value, "annotations"))
    }
}

impl Requirement {
    fn holds(&self, value: &Value, field: &str) -> bool {
        let get = |key: &str| text_at(value, &["metadata", field, key]).map(|t| t.to_string());
        match self {
            Requirement::Equals(k, v) => get(k).as_ref() == Some(v),
            Requirement::Differs(k, v) => get(k).as_ref() != Some(v),
            Requirement::In(k, all) => get(k).is_some_and(|v| all.contains(&v)),
            Requirement::NotIn(k, all) => !get(k).is_some_and(|v| all.contains(&v)),
            Requirement::Exists(k) => get(k).is_some(),
            Requirement::Absent(k) => get(k).is_none(),
        }
    }
}

/// Reads a label selector: `a=b,c!=d,e in (f, g),h,!i`.
fn requirements(text: &str) -> Result<Vec<Requirement>, String> {
    let mut parts = vec![String::new()];
    let mut depth = 0;
    for c in text.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if c == ',' && depth == 0 {
            parts.push(String::new());
        } else if let Some(last) = parts.last_mut() {
            last.push(c);
        }
    }
    let mut all = Vec::new();
    for part in parts.iter().map(|p| p.trim()).filter(|p| !p.is_empty()) {
        let set = |words: &str| -> Vec<String> {
            words.trim().trim_start_matches('(').trim_end_matches(')').split(',').map(|w| w.trim().to_owned()).collect()
        };
        let own = |s: &str| s.trim().to_owned();
        let requirement = if let Some((k, v)) = part.split_once("!=") {
            Requirement::Differs(own(k), own(v))
        } else if let Some((k, v)) = part.split_once("==").or_else(|| part.split_once('=')) {
            Requirement::Equals(own(k), own(v))
        } else if let Some((k, v)) = part.split_once(" notin ") {
            Requirement::NotIn(own(k), set(v))
        } else if let Some((k, v)) = part.split_once(" in ") {
            Requirement::In(own(k), set(v))
        } else if let Some(k) = part.strip_prefix('!') {
            Requirement::Absent(own(k))
        } else {
            Requirement::Exists(own(part))
        };
        let key = match &requirement {
            Requirement::Equals(k, _)
            | Requirement::Differs(k, _)
            | Requirement::In(k, _)
            | Requirement::NotIn(k, _)
            | Requirement::Exists(k)
            | Requirement::Absent(k) => k,
        };
        if key.is_empty() || key.contains(char::is_whitespace) {
            return Err(format!("the selector {part:?} cannot be read"));
        }
        all.push(requirement);
    }
    Ok(all)
}
