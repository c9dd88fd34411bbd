//! The built-in transformers: namespace, prefix and suffix, labels, annotations, replicas, images.

use super::edit::{changed, entry_mut, list_mut, map_mut, replaced, set, text, text_at, visit};
use super::fields::{self, Config, FieldSpec};
use super::resource::Resource;
use crate::base::Span;
use crate::graph::{Data, Map, Origin, Value};

fn each(resources: &mut [Resource], specs: &[FieldSpec], at: Span, f: &mut dyn FnMut(&mut Value)) {
    for resource in resources {
        let id = resource.id();
        for spec in specs.iter().filter(|s| s.fits(&id)) {
            let path: Vec<&str> = spec.path.iter().map(String::as_str).collect();
            visit(&mut resource.value, &path, spec.create.then_some(at), f);
        }
    }
}

/// How a namespace is set.
pub struct NamespaceRule<'a> {
    /// The namespace.
    pub name: &'a Value,
    /// The fields that hold it, besides `metadata.namespace`.
    pub specs: Vec<FieldSpec>,
    /// Whether objects that have one keep it.
    pub unset_only: bool,
    /// Which service accounts that a role binding names are put into it.
    pub subjects: Subjects,
}

/// The subjects of role bindings whose namespace is set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Subjects {
    /// Those of the name `default`.
    Default,
    /// All service accounts.
    Accounts,
    /// None.
    None,
}

/// What the field `namespace` of a kustomization does.
pub fn namespace_rule<'a>(name: &'a Value, config: &Config) -> NamespaceRule<'a> {
    let mut specs = fields::namespace_fields();
    specs.extend(config.namespace.iter().cloned());
    NamespaceRule { name, specs, unset_only: false, subjects: Subjects::Default }
}

/// Puts everything into a namespace.
pub fn namespace(resources: &mut [Resource], rule: &NamespaceRule<'_>) -> Result<(), String> {
    let namespace = rule.name;
    let Some(name) = text(namespace).filter(|n| !n.is_empty()) else { return Ok(()) };
    let new = Value::string(name.clone(), namespace.span());
    for resource in resources.iter_mut() {
        resource.remember();
        let id = resource.id();
        if !id.is_cluster_scoped() && (!rule.unset_only || id.namespace.is_empty()) {
            resource.set_meta("namespace", new.clone());
        }
        if matches!(id.kind.as_str(), "RoleBinding" | "ClusterRoleBinding") && rule.subjects != Subjects::None {
            visit(&mut resource.value, &["subjects"], None, &mut |subjects| {
                for subject in list_mut(subjects).into_iter().flatten() {
                    let meant = text_at(subject, &["kind"]).as_deref() == Some("ServiceAccount")
                        && (rule.subjects == Subjects::Accounts
                            || text_at(subject, &["name"]).as_deref() == Some("default"));
                    let unset = !rule.unset_only || text_at(subject, &["namespace"]).is_none_or(|t| t.is_empty());
                    if let Some(map) = map_mut(subject).filter(|_| meant && unset) {
                        set(map, "namespace", new.span(), new.clone());
                    }
                }
            });
        }
    }
    each(resources, &rule.specs, new.span(), &mut |value| {
        if rule.unset_only && text(value).is_some_and(|t| !t.is_empty()) {
            return;
        }
        let origin = replaced(&new.origin, &value.origin);
        *value = Value { data: new.data.clone(), origin };
    });
    for (i, resource) in resources.iter().enumerate() {
        let id = resource.id();
        if resources.iter().take(i).any(|other| other.id().same(&id)) {
            return Err(format!("namespace transformation produces ID conflict: {}", id.show()));
        }
    }
    Ok(())
}

/// The fields that a prefix or suffix is added to.
pub fn affix_fields(config: &Config) -> Vec<FieldSpec> {
    let mut specs = fields::affix_fields();
    specs.extend(config.prefix.iter().cloned());
    specs
}

/// Adds a prefix or a suffix to the names that some fields hold.
pub fn affix(resources: &mut [Resource], affix: Option<&Value>, is_prefix: bool, specs: &[FieldSpec]) {
    let Some(affix) = affix else { return };
    let Some(word) = text(affix).filter(|w| !w.is_empty()) else { return };
    let attach = |value: &mut Value| {
        if let Some(name) = text(value) {
            let joined = if is_prefix { format!("{word}{name}") } else { format!("{name}{word}") };
            value.origin = changed(&value.origin, affix.span());
            value.data = Data::String(joined.into());
        }
    };
    for resource in resources.iter_mut() {
        let id = resource.id();
        let skipped = id.kind == "CustomResourceDefinition"
            || (id.kind == "APIService" && id.group == "apiregistration.k8s.io")
            || id.kind == "Namespace";
        if skipped {
            continue;
        }
        for spec in specs.iter().filter(|s| s.fits(&id)) {
            let path: Vec<&str> = spec.path.iter().map(String::as_str).collect();
            if path == ["metadata", "name"] {
                resource.remember();
                if is_prefix {
                    resource.prefixes.push(word.to_string());
                } else {
                    resource.suffixes.push(word.to_string());
                }
            }
            visit(&mut resource.value, &path, None, &mut |v| attach(v));
        }
    }
}

/// Adds pairs to the maps that some fields hold.
pub fn pairs(resources: &mut [Resource], pairs: &Map, specs: &[FieldSpec]) {
    let at = pairs.head.unwrap_or(Span::NONE);
    each(resources, specs, at, &mut |value| {
        if value.is_null() {
            *value = super::edit::empty_map(at);
        }
        let Some(map) = map_mut(value) else { return };
        for entry in &pairs.entries {
            set(map, &entry.key, entry.key_span, entry.value.clone());
        }
    });
}

/// The fields that `replicas` of a kustomization sets.
pub fn replica_fields(config: &Config) -> Vec<FieldSpec> {
    let mut specs = fields::replica_fields();
    specs.extend(config.replicas.iter().cloned());
    specs
}

/// Sets the number of replicas of the objects of a name.
pub fn replicas(resources: &mut [Resource], rule: &Value, specs: &[FieldSpec]) -> Result<(), String> {
    let name = text_at(rule, &["name"]).unwrap_or("".into());
    let count = rule.get("count").cloned().unwrap_or_else(|| Value::int(0, rule.span()));
    let mut found = false;
    for resource in resources.iter_mut() {
        if !resource.ids().iter().any(|id| *id.name == *name) {
            continue;
        }
        let id = resource.id();
        for spec in specs.iter().filter(|s| s.fits(&id)) {
            found = true;
            let path: Vec<&str> = spec.path.iter().map(String::as_str).collect();
            visit(&mut resource.value, &path, spec.create.then(|| count.span()), &mut |value| {
                let empty = value.as_map().is_some();
                let origin = if empty { count.origin.clone() } else { replaced(&count.origin, &value.origin) };
                *value = Value { data: count.data.clone(), origin };
            });
        }
    }
    if found { Ok(()) } else { Err(format!("resource with name {name} does not match a config with replicas")) }
}

/// Sets the image of every container that uses one.
pub fn image(resources: &mut [Resource], rule: &Value, specs: &[FieldSpec]) {
    let word = |key: &str| text_at(rule, &[key]).map(|t| t.to_string()).unwrap_or_default();
    let rule = ImageRule {
        name: word("name"),
        new_name: word("newName"),
        new_tag: word("newTag"),
        suffix: word("tagSuffix"),
        digest: word("digest"),
        rule,
    };
    for resource in resources.iter_mut() {
        let id = resource.id();
        if id.kind == "CustomResourceDefinition" {
            continue;
        }
        // Kustomize looks for containers anywhere, and then at the known fields: a suffix is added twice.
        rule.anywhere(&mut resource.value, 0);
        rule.known(&mut resource.value, &id.kind);
    }
    each(resources, specs, rule.rule.span(), &mut |value| rule.apply(value));
}

struct ImageRule<'a> {
    name: String,
    new_name: String,
    new_tag: String,
    suffix: String,
    digest: String,
    rule: &'a Value,
}

impl ImageRule<'_> {
    fn anywhere(&self, value: &mut Value, depth: usize) {
        if depth > 100 {
            return;
        }
        if let Some(items) = list_mut(value) {
            for item in items {
                self.anywhere(item, depth + 1);
            }
            return;
        }
        let Some(map) = map_mut(value) else { return };
        for entry in &mut map.entries {
            if matches!(&*entry.key, "containers" | "initContainers") {
                for container in list_mut(&mut entry.value).into_iter().flatten() {
                    if let Some(image) = map_mut(container).and_then(|m| entry_mut(m, "image")) {
                        self.apply(image);
                    }
                }
            } else if matches!(entry.value.data, Data::Map(_) | Data::List(_)) {
                self.anywhere(&mut entry.value, depth + 1);
            }
        }
    }

    /// The second pass over the known fields changes something only for a suffix.
    fn known(&self, value: &mut Value, kind: &str) {
        if self.suffix.is_empty() {
            return;
        }
        for base in ["spec", "spec/template/spec", "spec/jobTemplate/spec/template/spec"] {
            for list in ["containers[]", "initContainers[]"] {
                let path: Vec<&str> = base.split('/').chain([list, "image"]).collect();
                visit(value, &path, None, &mut |image| self.apply(image));
            }
        }
        let _ = kind;
    }

    fn apply(&self, value: &mut Value) {
        let Some(old) = text(value) else { return };
        let (name, tag, digest) = split_image(&old);
        if name != self.name {
            return;
        }
        let name = if self.new_name.is_empty() { name } else { &self.new_name };
        let mut tag = tag.to_owned();
        let mut digest = digest.to_owned();
        if !self.new_tag.is_empty() {
            tag.clone_from(&self.new_tag);
            digest.clear();
        }
        if !self.suffix.is_empty() {
            tag.push_str(&self.suffix);
            digest.clear();
        }
        if !self.digest.is_empty() {
            digest.clone_from(&self.digest);
            if self.new_tag.is_empty() {
                tag.clear();
            }
        }
        let mut new = name.to_owned();
        if !tag.is_empty() {
            new.push(':');
            new.push_str(&tag);
        }
        if !digest.is_empty() {
            new.push('@');
            new.push_str(&digest);
        }
        if new == *old {
            return;
        }
        let by =
            ["newTag", "digest", "newName", "tagSuffix"].iter().find_map(|k| self.rule.get(k)).unwrap_or(self.rule);
        value.origin = replaced(&Origin::literal(by.span()), &value.origin);
        value.data = Data::String(new.into());
    }
}

/// Name, tag and digest of an image.
fn split_image(image: &str) -> (&str, &str, &str) {
    let (rest, digest) = image.split_once('@').unwrap_or((image, ""));
    let slash = rest.rfind('/').map_or(0, |i| i + 1);
    match rest.get(slash..).and_then(|r| r.find(':')) {
        Some(i) => (rest.get(..slash + i).unwrap_or(rest), rest.get(slash + i + 1..).unwrap_or(""), digest),
        None => (rest, "", digest),
    }
}
