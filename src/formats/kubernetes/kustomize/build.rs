//! Reads kustomizations and runs them: resources, generators, components, transformers.

use super::edit::{map_mut, text, text_at};
use super::fields::{Config, FieldSpec, annotation_fields, label_fields};
use super::openapi::Definitions;
use super::patches::{Allowed, copied};
use super::references::Variable;
use super::resource::{Declared, Resource};
use super::{generate, order, references, replacements, transform};
use crate::base::{FileId, SourceFile, Span};
use crate::formats::kubernetes::helm::{Folder, Object, Problem, Rendered};
use crate::formats::yaml_value::YamlValues;
use crate::graph::{Data, Value};
use crate::syntax::yaml::{self, Schema};
use std::sync::Arc;

/// The names a kustomization may have.
pub const FILE_NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// How deep kustomizations may use one another.
const MAX_DEPTH: usize = 40;

/// An error with its place.
pub(super) type Failed = (Span, String);

/// Renders the kustomization in a folder.
pub fn render(dir: &str, folder: &Folder<'_>) -> Rendered {
    let mut rendered = Rendered::default();
    let mut builder = Builder {
        folder,
        root: clean(dir),
        stack: Vec::new(),
        files: Vec::new(),
        warnings: Vec::new(),
        definitions: None,
    };
    match builder.build() {
        Ok(objects) => rendered.objects = objects,
        Err((span, message)) => rendered.errors.push(Problem::new(span, message)),
    }
    rendered.templates = builder.files;
    rendered.warnings = builder.warnings;
    rendered
}

/// Of some kustomizations (by folder), those that no other one uses and that are no components.
pub fn roots(files: &[(String, Arc<SourceFile>)]) -> Vec<String> {
    let mut used: Vec<String> = Vec::new();
    let mut components: Vec<String> = Vec::new();
    for (dir, file) in files {
        for value in parse(file, Schema::Kubernetes).into_iter().take(1) {
            if text_at(&value, &["kind"]).as_deref() == Some("Component") {
                components.push(clean(dir));
            }
            used.extend(named(&value, &["resources", "bases", "components"]).iter().map(|p| join(dir, p)));
        }
    }
    files.iter().map(|(dir, _)| clean(dir)).filter(|d| !used.contains(d) && !components.contains(d)).collect()
}

/// The paths that some lists of a kustomization name.
fn named(value: &Value, keys: &[&str]) -> Vec<Arc<str>> {
    keys.iter().flat_map(|key| value.get(key).and_then(Value::as_list).unwrap_or(&[])).filter_map(text).collect()
}

/// Everything that a kustomization names: files and folders, relative to the working directory.
pub fn names(dir: &str, file: &Arc<SourceFile>) -> Vec<String> {
    let Some(value) = parse(file, Schema::Kubernetes).into_iter().next() else { return Vec::new() };
    let mut paths = named(
        &value,
        &[
            "resources",
            "bases",
            "components",
            "crds",
            "configurations",
            "patchesStrategicMerge",
            "generators",
            "transformers",
        ],
    );
    paths.extend(text_at(&value, &["openapi", "path"]));
    for key in ["patches", "patchesJson6902", "replacements"] {
        let entries = value.get(key).and_then(Value::as_list).unwrap_or(&[]);
        paths.extend(entries.iter().filter_map(|e| text_at(e, &["path"])));
    }
    paths.iter().filter(|p| !is_remote(p) && !p.contains('\n')).map(|p| join(dir, p)).collect()
}

/// Every file that the kustomization of a folder and those below it read, itself included.
pub fn reached(root: &str, files: &[(String, Arc<SourceFile>)]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut folders: Vec<String> = vec![root.to_owned()];
    let mut next = 0;
    while let Some(dir) = folders.get(next).cloned() {
        next += 1;
        let Some((_, file)) = files.iter().find(|(d, _)| clean(d) == dir) else { continue };
        found.push(file.path.to_string());
        for path in names(&dir, file) {
            if files.iter().any(|(d, _)| clean(d) == path) {
                if !folders.contains(&path) {
                    folders.push(path);
                }
            } else {
                found.push(path);
            }
        }
    }
    found
}

/// A path without `.` and `..`, relative to the working directory; empty for the working directory itself.
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                if parts.last().is_some_and(|p| *p != "..") {
                    parts.pop();
                } else {
                    parts.push("..");
                }
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn join(dir: &str, path: &str) -> String {
    clean(&format!("{dir}/{path}"))
}

/// The values of a file's documents, without empty ones.
fn parse(file: &Arc<SourceFile>, schema: Schema) -> Vec<Value> {
    parse_checked(file, schema).unwrap_or_default()
}

pub(super) fn parse_checked(file: &Arc<SourceFile>, schema: Schema) -> Result<Vec<Value>, Failed> {
    let tree = yaml::parse(file.id, file.text.clone());
    if let Some(error) = tree.errors.first() {
        return Err((error.span, format!("{}: {}", file.path, error.message)));
    }
    let mut values = YamlValues::new(schema);
    Ok(tree
        .roots()
        .filter(|r| !r.is_null())
        .map(|root| values.value(root, root.get("kind").map(|k| k.span())))
        .collect())
}

/// One build.
pub(super) struct Builder<'a> {
    pub(super) folder: &'a Folder<'a>,
    root: String,
    stack: Vec<String>,
    files: Vec<FileId>,
    warnings: Vec<Problem>,
    /// What the last kustomization that has `openapi` says; it holds for all that follow.
    pub(super) definitions: Option<Definitions>,
}

/// What one kustomization and those below it have gathered.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) resources: Vec<Resource>,
    variables: Vec<Variable>,
    pub(super) config: Config,
}

/// A kustomization that was read.
pub(super) struct Kustomization {
    dir: String,
    value: Value,
    pub(super) file: Arc<SourceFile>,
}

impl Kustomization {
    pub(super) fn list(&self, key: &str) -> &[Value] {
        self.value.get(key).and_then(Value::as_list).unwrap_or(&[])
    }
}

impl Builder<'_> {
    fn build(&mut self) -> Result<Vec<Object>, Failed> {
        let root = self.root.clone();
        let kustomization = self.load(&root, Span::NONE)?;
        let mut gathered = Gathered::default();
        self.accumulate(&kustomization, &mut gathered, false)?;
        let mut resources = gathered.resources;
        generate::add_hashes(&mut resources);
        references::fix_names(&mut resources, &gathered.config);
        references::resolve_variables(&mut resources, &gathered.variables, &gathered.config)?;
        resources.retain(|r| {
            r.value
                .at(&["metadata", "annotations", "config.kubernetes.io/local-config"])
                .is_none_or(|v| text(v).as_deref() == Some("false"))
        });
        self.describe(&kustomization, &mut resources);
        for resource in &resources {
            if let Some((span, word)) = infinite(&resource.value) {
                return Err((span, format!("json: unsupported value: {word}")));
            }
        }
        order::sort(&mut resources, kustomization.value.get("sortOptions"));
        let template: Arc<str> = kustomization.file.path.clone();
        Ok(resources
            .into_iter()
            .map(|r| Object { body: r.value, template: template.clone(), hook: false, test: false })
            .collect())
    }

    /// Adds what `buildMetadata` asks for.
    fn describe(&self, kustomization: &Kustomization, resources: &mut [Resource]) {
        let wanted: Vec<Arc<str>> = kustomization.list("buildMetadata").iter().filter_map(text).collect();
        let has = |word: &str| wanted.iter().any(|w| &**w == word);
        let at = kustomization.value.get("buildMetadata").map_or(Span::NONE, Value::span);
        let relative = |path: &str| relative_to(&self.root, path);
        for resource in resources {
            let mut add = |map: &str, key: &str, value: String| {
                super::edit::visit(&mut resource.value, &["metadata", map], Some(at), &mut |v| {
                    if let Some(map) = map_mut(v) {
                        super::edit::set(map, key, at, Value::string(value.clone(), at));
                    }
                });
            };
            if has("originAnnotations") {
                let origin = match &resource.declared {
                    Declared::File(path) => format!("path: {}\n", relative(path)),
                    Declared::Generator(path, kind) => {
                        format!(
                            "configuredIn: {}\nconfiguredBy:\n  apiVersion: builtin\n  kind: {kind}\n",
                            relative(path)
                        )
                    }
                };
                add("annotations", "config.kubernetes.io/origin", origin);
            }
            if has("transformerAnnotations") && !resource.transformed.is_empty() {
                let lines: String = resource
                    .transformed
                    .iter()
                    .map(|t| {
                        let (file, kind) = t.split_once('\n').unwrap_or(("kustomization.yaml", t));
                        format!(
                            "- configuredIn: {}\n  configuredBy:\n    apiVersion: builtin\n    kind: {kind}\n",
                            relative(file)
                        )
                    })
                    .collect();
                add("annotations", "alpha.config.kubernetes.io/transformations", lines);
            }
            if has("managedByLabel") {
                add("labels", "app.kubernetes.io/managed-by", "kustomize-v5.8.1".to_owned());
            }
        }
    }

    fn load(&mut self, dir: &str, from: Span) -> Result<Kustomization, Failed> {
        let found: Vec<Arc<SourceFile>> =
            FILE_NAMES.iter().filter_map(|name| (self.folder.read)(&join(dir, name))).collect();
        let file = match found.as_slice() {
            [] => {
                let message = format!(
                    "unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '{dir}'"
                );
                return Err((from, message));
            }
            [one] => one.clone(),
            [first, ..] => {
                return Err((Span::at(first.id, 0), format!("Found multiple kustomization files under: {dir}")));
            }
        };
        self.files.push(file.id);
        let mut documents = parse_checked(&file, Schema::Kubernetes)?;
        if documents.len() > 1 {
            return Err((documents.get(1).map_or(from, Value::span), "a kustomization file holds one document".into()));
        }
        let value = documents.pop().ok_or((Span::at(file.id, 0), "kustomization.yaml is empty".to_owned()))?;
        let kustomization = Kustomization { dir: dir.to_owned(), value, file };
        super::check::check(&kustomization.value, &kustomization.file)?;
        Ok(kustomization)
    }

    fn accumulate(&mut self, k: &Kustomization, gathered: &mut Gathered, component: bool) -> Result<(), Failed> {
        if self.stack.len() >= MAX_DEPTH {
            return Err((k.value.span(), "kustomizations are nested too deeply".to_owned()));
        }
        if self.stack.contains(&k.dir) {
            return Err((
                k.value.span(),
                format!("cycle detected: {} uses itself", if k.dir.is_empty() { "." } else { &k.dir }),
            ));
        }
        self.stack.push(k.dir.clone());
        let result = self.run(k, gathered, component);
        self.stack.pop();
        result
    }

    fn run(&mut self, k: &Kustomization, gathered: &mut Gathered, component: bool) -> Result<(), Failed> {
        let is_component = text_at(&k.value, &["kind"]).as_deref() == Some("Component");
        if component != is_component {
            let words = if component {
                "expected kind 'Component' for path"
            } else {
                "a Component cannot be used as a resource:"
            };
            return Err((k.value.span(), format!("{words} {}", k.dir)));
        }
        if let Some(path) = k.value.at(&["openapi", "path"]) {
            let description = self.documents(k, path, Schema::Yaml12)?;
            self.definitions = Some(Definitions::new(&description.into_iter().next().unwrap_or_default()));
        }
        for entry in k.list("resources").iter().chain(k.list("bases")) {
            self.resource(k, entry, gathered)?;
        }
        for path in k.list("configurations") {
            for config in self.documents(k, path, Schema::Kubernetes)? {
                gathered.config.absorb(&config);
            }
        }
        for path in k.list("crds") {
            for crds in self.documents(k, path, Schema::Kubernetes)? {
                gathered.config.absorb_crds(&crds);
            }
        }
        self.generate(k, gathered)?;
        for entry in k.list("components") {
            let path = text(entry).unwrap_or("".into());
            let inner = self.load(&join(&k.dir, &path), entry.span())?;
            self.accumulate(&inner, gathered, true)?;
        }
        self.transform(k, gathered)?;
        for entry in k.list("vars") {
            let name = text_at(entry, &["name"]).unwrap_or("".into()).to_string();
            if gathered.variables.iter().any(|v| v.name == name) {
                return Err((entry.span(), format!("var '{name}' already encountered")));
            }
            gathered.variables.push(Variable { name, declaration: entry.clone() });
        }
        Ok(())
    }

    /// A file that a kustomization names, which must lie in or below its folder.
    pub(super) fn file(&self, k: &Kustomization, path: &str) -> Result<Arc<SourceFile>, String> {
        let full = join(&k.dir, path);
        let inside = k.dir.is_empty() && !full.starts_with("..") || full.starts_with(&format!("{}/", k.dir));
        let file = (self.folder.read)(&full).ok_or_else(|| format!("{full}: no such file"))?;
        if !inside {
            return Err(format!("security; file '{full}' is not in or below '{}'", k.dir));
        }
        Ok(file)
    }

    pub(super) fn documents(&mut self, k: &Kustomization, path: &Value, schema: Schema) -> Result<Vec<Value>, Failed> {
        let name = text(path).unwrap_or("".into());
        let file = self.file(k, &name).map_err(|m| (path.span(), m))?;
        self.files.push(file.id);
        parse_checked(&file, schema)
    }

    pub(super) fn resource(&mut self, k: &Kustomization, entry: &Value, gathered: &mut Gathered) -> Result<(), Failed> {
        let at = entry.span();
        let path = text(entry).unwrap_or("".into());
        if path.is_empty() {
            return Err((at, "a resource has no path".to_owned()));
        }
        let full = join(&k.dir, &path);
        if (self.folder.read)(&full).is_some() {
            let file = self.file(k, &path).map_err(|m| (at, format!("accumulating resources: {m}")))?;
            self.files.push(file.id);
            let read = objects(parse_checked(&file, Schema::Yaml12)?, &file.path, 0)?;
            return append(&mut gathered.resources, read, at);
        }
        if is_remote(&path) {
            return Err((at, format!("the remote resource {path} is not fetched")));
        }
        let inner = self.load(&full, at)?;
        let mut below = Gathered::default();
        self.accumulate(&inner, &mut below, false)?;
        append(&mut gathered.resources, below.resources, at)?;
        gathered.variables.extend(below.variables);
        let c = below.config;
        gathered.config.references.extend(c.references);
        gathered.config.variables.extend(c.variables);
        gathered.config.labels.extend(c.labels);
        gathered.config.annotations.extend(c.annotations);
        gathered.config.images.extend(c.images);
        gathered.config.replicas.extend(c.replicas);
        gathered.config.namespace.extend(c.namespace);
        gathered.config.prefix.extend(c.prefix);
        Ok(())
    }

    fn generate(&mut self, k: &Kustomization, gathered: &mut Gathered) -> Result<(), Failed> {
        let shared = k.value.get("generatorOptions");
        for (key, secret) in [("configMapGenerator", false), ("secretGenerator", true)] {
            for rule in k.list(key) {
                let read = |path: &str| self.file(k, path);
                let new = generate::generate(rule, secret, shared, &read, &k.file.path)?;
                generate::absorb(&mut gathered.resources, new)?;
            }
        }
        for key in ["helmCharts", "helmChartInflationGenerator"] {
            if let Some(rule) = k.list(key).first() {
                return Err((
                    rule.span(),
                    "must specify --enable-helm: charts in a kustomization are not rendered".to_owned(),
                ));
            }
        }
        if let Some(entry) = k.list("validators").first() {
            return Err((entry.span(), "validators: plugins of a kustomization are not run".to_owned()));
        }
        self.generators(k, gathered)
    }

    fn transform(&mut self, k: &Kustomization, gathered: &mut Gathered) -> Result<(), Failed> {
        for entry in k.list("patchesStrategicMerge") {
            let word = text(entry).unwrap_or("".into());
            let documents = match self.file(k, &word) {
                Ok(file) => {
                    self.files.push(file.id);
                    parse_checked(&file, Schema::Yaml12)?
                }
                Err(why) if word.contains('\n') || word.contains('{') => {
                    super::inline::inline(entry, &k.file, Schema::Yaml12)
                        .map_err(|(s, m)| (s, format!("{why}; {m}")))?
                }
                Err(why) => return Err((entry.span(), why)),
            };
            for patch in documents {
                let patch = copied(&patch);
                self.strategic(&mut gathered.resources, &patch, entry.span(), Allowed::default())?;
            }
        }
        if !k.list("patchesStrategicMerge").is_empty() {
            mark(k, gathered, "PatchStrategicMergeTransformer");
        }
        for entry in k.list("patches") {
            self.patch(k, entry, &k.file, gathered)?;
            mark(k, gathered, "PatchTransformer");
        }
        if let Some(namespace) = k.value.get("namespace") {
            let rule = transform::namespace_rule(namespace, &gathered.config);
            transform::namespace(&mut gathered.resources, &rule).map_err(|m| (namespace.span(), m))?;
            mark(k, gathered, "NamespaceTransformer");
        }
        let names = transform::affix_fields(&gathered.config);
        for (key, is_prefix, kind) in
            [("namePrefix", true, "PrefixTransformer"), ("nameSuffix", false, "SuffixTransformer")]
        {
            if let Some(affix) = k.value.get(key) {
                transform::affix(&mut gathered.resources, Some(affix), is_prefix, &names);
                mark(k, gathered, kind);
            }
        }
        self.pairs(k, gathered);
        for entry in k.list("patchesJson6902") {
            self.patch(k, entry, &k.file, gathered)?;
            mark(k, gathered, "PatchJson6902Transformer");
        }
        for rule in k.list("replicas") {
            let specs = transform::replica_fields(&gathered.config);
            transform::replicas(&mut gathered.resources, rule, &specs).map_err(|m| (rule.span(), m))?;
            mark(k, gathered, "ReplicaCountTransformer");
        }
        for rule in k.list("images").iter().chain(k.list("imageTags")) {
            transform::image(&mut gathered.resources, rule, &gathered.config.images);
            mark(k, gathered, "ImageTagTransformer");
        }
        if !k.list("replacements").is_empty() {
            self.replacements(k, k.list("replacements"), gathered)?;
            mark(k, gathered, "ReplacementTransformer");
        }
        self.transformers(k, gathered)
    }

    /// `labels`, `commonLabels` and `commonAnnotations`.
    fn pairs(&self, k: &Kustomization, gathered: &mut Gathered) {
        let config = &gathered.config;
        let labels = |selectors: bool, templates: bool| {
            let mut specs = label_fields(selectors, templates);
            if selectors {
                specs.extend(config.labels.iter().cloned());
            }
            specs
        };
        let common = labels(true, true);
        let mut annotations = annotation_fields();
        annotations.extend(config.annotations.iter().cloned());
        let mut rules: Vec<(&Value, Vec<FieldSpec>)> = Vec::new();
        for rule in k.list("labels") {
            let flag = |key: &str| rule.get(key).and_then(Value::as_bool).unwrap_or(false);
            let mut specs = labels(flag("includeSelectors"), flag("includeTemplates"));
            specs.extend(rule.get("fields").and_then(Value::as_list).unwrap_or(&[]).iter().map(FieldSpec::parse));
            rules.extend(rule.get("pairs").map(|pairs| (pairs, specs)));
        }
        for (pairs, specs) in &rules {
            if let Some(map) = pairs.as_map() {
                transform::pairs(&mut gathered.resources, map, specs);
            }
            mark(k, gathered, "LabelTransformer");
        }
        let shared = k.value.get("commonLabels").and_then(Value::as_map);
        if let Some(map) = shared {
            transform::pairs(&mut gathered.resources, map, &common);
        }
        // Kustomize runs the transformer of `commonLabels` also where only `labels` is there.
        if shared.is_some() || !rules.is_empty() {
            mark(k, gathered, "LabelTransformer");
        }
        if let Some(map) = k.value.get("commonAnnotations").and_then(Value::as_map) {
            transform::pairs(&mut gathered.resources, map, &annotations);
            mark(k, gathered, "AnnotationsTransformer");
        }
    }

    /// Entries of `replacements`: rules, or paths of files that hold some.
    pub(super) fn replacements(
        &mut self,
        k: &Kustomization,
        entries: &[Value],
        gathered: &mut Gathered,
    ) -> Result<(), Failed> {
        for entry in entries {
            if entry.get("path").is_some_and(|p| text(p).is_some()) && entry.get("source").is_none() {
                let path = entry.get("path").cloned().unwrap_or_default();
                for document in self.documents(k, &path, Schema::Kubernetes)? {
                    match document.as_list() {
                        Some(rules) => {
                            for rule in rules {
                                replacements::run(&mut gathered.resources, rule)?;
                            }
                        }
                        None => replacements::run(&mut gathered.resources, &document)?,
                    }
                }
            } else {
                replacements::run(&mut gathered.resources, entry)?;
            }
        }
        Ok(())
    }
}

/// Remembers for `buildMetadata` that a transformer ran. Kustomize notes it of every object that is there, changed or not.
fn mark(k: &Kustomization, gathered: &mut Gathered, kind: &str) {
    for resource in &mut gathered.resources {
        resource.transformed.push(format!("{}\n{kind}", k.file.path));
    }
}

/// A file that lies on another machine: a URL or a repository.
fn is_remote(path: &str) -> bool {
    path.contains("://")
        || path.starts_with("git@")
        || path.starts_with("github.com/")
        || path.contains("?ref=")
        || path.contains(".git//")
}

/// A path as seen from a folder.
fn relative_to(dir: &str, path: &str) -> String {
    let from: Vec<&str> = dir.split('/').filter(|p| !p.is_empty()).collect();
    let to: Vec<&str> = path.split('/').collect();
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let mut parts: Vec<&str> = vec![".."; from.len() - common];
    parts.extend(to.iter().skip(common));
    parts.join("/")
}

/// A bare date of a resource is a time to Kustomize, which writes it out with its hour.
fn dates(value: &mut Value, depth: usize) {
    if depth > 200 {
        return;
    }
    let length = usize::try_from(value.origin.span.end - value.origin.span.start).unwrap_or(0);
    match &mut value.data {
        Data::Map(map) => {
            let has_any = |v: &Value| !matches!(v.data, Data::Null | Data::Bool(_) | Data::Number(_));
            if map.entries.iter().any(|e| has_any(&e.value)) {
                for entry in &mut Arc::make_mut(map).entries {
                    dates(&mut entry.value, depth + 1);
                }
            }
        }
        Data::List(items) => {
            for item in Arc::make_mut(items) {
                dates(item, depth + 1);
            }
        }
        // A quoted one is longer by its quotes.
        Data::String(s) if s.len() == 10 && length == 10 => {
            let is_date =
                s.bytes().enumerate().all(|(i, b)| if i == 4 || i == 7 { b == b'-' } else { b.is_ascii_digit() });
            if is_date && s.parse::<jiff::civil::Date>().is_ok() {
                *s = format!("{s}T00:00:00Z").into();
            }
        }
        _ => {}
    }
}

/// The objects of a resource file; lists are unfolded.
fn objects(values: Vec<Value>, path: &str, depth: usize) -> Result<Vec<Resource>, Failed> {
    let mut all = Vec::new();
    for value in values {
        let span = value.span();
        if value.as_map().is_none() {
            return Err((span, format!("accumulating resources from '{path}': this is no object")));
        }
        let id = super::resource::id_of(&value);
        if id.kind.is_empty() {
            return Err((span, format!("accumulating resources from '{path}': missing kind in object")));
        }
        let items = value.get("items").and_then(Value::as_list);
        if let Some(items) = items.filter(|_| id.kind.ends_with("List") && depth < 8) {
            all.extend(objects(items.to_vec(), path, depth + 1)?);
            continue;
        }
        if id.name.is_empty() {
            return Err((
                span,
                format!("accumulating resources from '{path}': missing metadata.name in object {}", id.kind),
            ));
        }
        let mut value = value;
        dates(&mut value, 0);
        all.push(Resource::new(value, Declared::File(path.to_owned())));
    }
    Ok(all)
}

fn append(resources: &mut Vec<Resource>, new: Vec<Resource>, at: Span) -> Result<(), Failed> {
    for resource in new {
        let id = resource.id();
        if resources.iter().any(|r| r.id().same(&id)) {
            return Err((at, format!("may not add resource with an already registered id: {}", id.show())));
        }
        resources.push(resource);
    }
    Ok(())
}

/// A number that JSON cannot hold.
fn infinite(value: &Value) -> Option<(Span, String)> {
    match &value.data {
        Data::Map(map) => map.entries.iter().find_map(|e| infinite(&e.value)),
        Data::List(items) => items.iter().find_map(infinite),
        Data::String(s) if matches!(&**s, ".inf" | ".Inf" | ".INF" | "-.inf" | "+.inf" | ".nan" | ".NaN" | ".NAN") => {
            // Quoted, it is a text: then the span is longer by the quotes.
            let length = usize::try_from(value.span().end - value.span().start).unwrap_or(0);
            (length == s.len()).then(|| (value.span(), s.to_string()))
        }
        _ => None,
    }
}
