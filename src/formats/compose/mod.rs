//! Docker Compose: one resource a service, of the kind `compose-service`, with the fields that the file gives it.
//!
//! As `docker compose` does, an override file beside the base file is laid over it, `extends` is followed, YAML's merge keys are
//! resolved, and `${VARIABLE:-default}` is filled in from `.env` and the defaults. A variable that has no value there is unknown.
//! `environment`, `labels` and the like come as maps, however they are written; `build: dir` as `build: {context: dir}`.
//! Beside each service stands the pod that would run it (`compose-pod`), for policies about containers.

mod interpolate;
mod merge;
mod pod;

#[cfg(test)]
mod tests;

use super::kubernetes::parse_yaml;
use super::yaml_value::YamlValues;
use super::{Format, Input, LedgerEntry, LocalEdge, LowerContext, Lowered, Options, Parsed, Selectors, Unit};
use crate::base::{FastMap, SourceFile, Span};
use crate::graph::{CauseKind, Entry, Map, Resource, Value};
use crate::syntax::yaml::{Schema, Tree};
use std::sync::Arc;

/// The format.
#[derive(Debug)]
pub struct Compose;

static SELECTORS: Selectors = Selectors {
    globs: &[
        "docker-compose*.yml",
        "docker-compose*.yaml",
        "compose*.yml",
        "compose*.yaml",
        "*.docker-compose.yml",
        "*.docker-compose.yaml",
        "podman-compose*.yml",
        "podman-compose*.yaml",
    ],
    languages: &["dockercompose", "yaml"],
};

/// The names that `docker compose` looks for, in its order of preference.
const BASES: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"];

/// How many `extends` may be followed one after another.
const EXTENDS_LIMIT: u32 = 16;

impl Format for Compose {
    fn name(&self) -> &'static str {
        "compose"
    }

    fn selectors(&self) -> &'static Selectors {
        &SELECTORS
    }

    fn claims(&self, path: &str, text: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
        let by_name = matches!(extension, "yml" | "yaml")
            && stem.split(['.', '_']).any(|part| {
                ["docker-compose", "compose", "podman-compose"]
                    .iter()
                    .any(|base| part.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('-')))
            });
        let has_services = |line: &str| {
            let line = line.trim_start_matches('\u{feff}');
            ["services:", "\"services\":", "'services':"].iter().any(|key| line.starts_with(key))
        };
        by_name && (text.lines().any(has_services) || text.trim_start().starts_with('{') && text.contains("services"))
    }

    fn parse(&self, file: &SourceFile) -> Parsed {
        parse_yaml(file)
    }

    /// A base file with its override is a unit; any other file is one together with the base file it is laid over.
    fn units(&self, files: &[Input], _options: &Options) -> Vec<Unit> {
        let mut folders: FastMap<&str, Vec<&Input>> = FastMap::default();
        for input in files {
            folders.entry(split(&input.file.path).0).or_default().push(input);
        }
        let mut units = Vec::new();
        for inputs in folders.values() {
            let find = |name: &str| inputs.iter().find(|input| split(&input.file.path).1 == name);
            let base = BASES.iter().find_map(|name| find(name));
            for input in inputs {
                let name = split(&input.file.path).1;
                let over = || {
                    let (stem, extension) = name.rsplit_once('.')?;
                    let other = if extension == "yml" { "yaml" } else { "yml" };
                    find(&format!("{stem}.override.{extension}")).or_else(|| find(&format!("{stem}.override.{other}")))
                };
                let is_override = name.contains(".override.");
                let mut ids = vec![input.file.id];
                let mut variant = "";
                match base {
                    Some(base) if base.file.id == input.file.id => ids.extend(over().map(|o| o.file.id)),
                    // Laid over the base file wherever that is used: no unit of its own.
                    Some(_) if is_override => continue,
                    Some(base) => {
                        ids.push(base.file.id);
                        variant = "over";
                    }
                    None => {}
                }
                ids.sort_unstable();
                units.push(Unit { name: input.file.path.clone(), variant: variant.into(), files: ids });
            }
        }
        units.sort_by(|a, b| a.name.cmp(&b.name));
        units
    }

    fn lower(&self, unit: &Unit, cx: &LowerContext<'_>) -> Lowered {
        Lowering { unit, cx, lowered: Lowered::default(), environment: environment(unit, cx) }.run()
    }
}

/// Folder and name of a path.
fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// What `.env` beside the file says.
fn environment(unit: &Unit, cx: &LowerContext<'_>) -> FastMap<String, String> {
    let folder = split(&unit.name).0;
    let path = if folder.is_empty() { ".env".to_owned() } else { format!("{folder}/.env") };
    (cx.read)(&path).map(|file| interpolate::dotenv(&file.text)).unwrap_or_default()
}

struct Lowering<'a> {
    unit: &'a Unit,
    cx: &'a LowerContext<'a>,
    lowered: Lowered,
    environment: FastMap<String, String>,
}

impl Lowering<'_> {
    fn run(mut self) -> Lowered {
        let files: Vec<&Input> = self.unit.files.iter().filter_map(|id| self.cx.inputs.get(id)).collect();
        let Some(main) = files.iter().find(|input| input.file.path == self.unit.name) else { return self.lowered };
        let other = files.iter().find(|input| input.file.path != self.unit.name);
        let mut services = self.services(main);
        if let Some(other) = other {
            let others = self.services(other);
            services = if &*self.unit.variant == "over" {
                // This file over the base: only what this file speaks of is judged here.
                services.into_iter().map(|entry| laid_over(find(&others, &entry.key), entry)).collect()
            } else {
                let mut all: Vec<Entry> =
                    services.into_iter().map(|entry| under(entry, |name| find(&others, name))).collect();
                all.extend(others.iter().filter(|o| find(&all, &o.key).is_none()).cloned().collect::<Vec<_>>());
                all
            };
        }
        for entry in services {
            self.service(entry);
        }
        self.finish();
        self.lowered
    }

    /// The services of a file, `extends` followed, variables filled in, lists of pairs made maps.
    fn services(&mut self, input: &Input) -> Vec<Entry> {
        let Some(tree) = input.parsed.tree.downcast_ref::<Tree>() else { return Vec::new() };
        let Some(root) = tree.root() else { return Vec::new() };
        if let Some(include) = root.get("include") {
            let message = "files that `include` names are checked by themselves, not together with this one";
            self.ledger(include.span(), CauseKind::Unsupported, message);
        }
        let Some((key, services)) = root.entry("services") else { return Vec::new() };
        let value = YamlValues::new(Schema::Yaml12).value(services, Some(key.span()));
        let value = interpolate::value(&value, &self.environment);
        let Some(map) = value.as_map() else {
            if !value.is_null() {
                self.ledger(value.span(), CauseKind::Error, "`services` is no mapping");
            }
            return Vec::new();
        };
        let mut services = Vec::new();
        for entry in &map.entries {
            let extended = self.extended(input, map, &entry.value, EXTENDS_LIMIT);
            services.push(Entry { value: extended, ..entry.clone() });
        }
        services
    }

    /// A service on top of those it extends.
    fn extended(&mut self, input: &Input, services: &Map, service: &Value, depth: u32) -> Value {
        let service = merge::normalized(service);
        let Some(extends) = service.get("extends") else { return service };
        let span = extends.span();
        if depth == 0 {
            self.ledger(span, CauseKind::Limit, "too many `extends` follow one another");
            return service;
        }
        let name = extends.as_str().or_else(|| extends.get("service").and_then(Value::as_str)).unwrap_or("");
        let base = match extends.get("file").and_then(Value::as_str) {
            None => services.get(name).map(|base| self.extended(input, services, base, depth - 1)),
            Some(file) => self.other_file(input, file).and_then(|other| {
                let entries = self.services_of_file(&other);
                let map = entries.as_map()?;
                let base = map.get(name)?.clone();
                Some(self.extended(&other, map, &base, depth - 1))
            }),
        };
        match base {
            Some(base) => merge::over(&base, &service),
            None => {
                self.ledger(
                    span,
                    CauseKind::Missing,
                    &format!("the service `{name}` that is extended here is not there"),
                );
                service
            }
        }
    }

    fn services_of_file(&self, input: &Input) -> Value {
        let tree = input.parsed.tree.downcast_ref::<Tree>();
        let services = tree.and_then(|tree| tree.root()).and_then(|root| root.entry("services"));
        let value = services.map(|(key, node)| YamlValues::new(Schema::Yaml12).value(node, Some(key.span())));
        interpolate::value(&value.unwrap_or_default(), &self.environment)
    }

    fn other_file(&self, input: &Input, file: &str) -> Option<Input> {
        let folder = split(&input.file.path).0;
        let path = join(folder, file)?;
        let file = (self.cx.read)(&path)?;
        let parsed = Arc::new(parse_yaml(&file));
        Some(Input { file, parsed })
    }

    fn service(&mut self, entry: Entry) {
        let span = entry.key_span.to(entry.value.span());
        if entry.value.as_map().is_none() {
            self.ledger(span, CauseKind::Error, &format!("the service `{}` is no mapping", entry.key));
            return;
        }
        self.lowered.resources.push(Arc::new(Resource {
            kind: "compose-service".into(),
            address: format!("{}:{}", self.unit.name, entry.key).into(),
            name: entry.key.clone(),
            unit: self.unit.name.clone(),
            span,
            head: entry.key_span,
            body: entry.value,
            callers: Arc::from([]),
            parent: None,
        }));
    }

    /// Edges to the services that each one waits for; then each service's pod.
    fn finish(&mut self) {
        let via: Arc<str> = "depends-on".into();
        let resources = &self.lowered.resources;
        let position = |name: &str| resources.iter().position(|r| &*r.name == name);
        let mut edges = Vec::new();
        for (from, resource) in resources.iter().enumerate() {
            let Some(depends) = resource.body.get("depends_on") else { continue };
            let names: Vec<(&str, Span)> = match (depends.as_map(), depends.as_list()) {
                (Some(map), _) => map.entries.iter().map(|e| (&*e.key, e.key_span)).collect(),
                (_, Some(list)) => list.iter().filter_map(|v| Some((v.as_str()?, v.span()))).collect(),
                _ => Vec::new(),
            };
            for (name, span) in names {
                if let Some(to) = position(name)
                    && let (Ok(from), Ok(to)) = (u32::try_from(from), u32::try_from(to))
                {
                    edges.push(LocalEdge { from, to, via: via.clone(), span });
                }
            }
        }
        // The same services as policies about containers see them.
        let part_of: Arc<str> = "part-of".into();
        for at in 0..self.lowered.resources.len() {
            let Some(service) = self.lowered.resources.get(at) else { break };
            let made = pod::of_service(service);
            if let (Ok(from), Ok(to)) = (u32::try_from(self.lowered.resources.len()), u32::try_from(at)) {
                edges.push(LocalEdge { from, to, via: part_of.clone(), span: made.head });
            }
            self.lowered.resources.push(Arc::new(made));
        }
        self.lowered.edges = edges;
    }

    fn ledger(&mut self, span: Span, kind: CauseKind, message: &str) {
        self.lowered.ledger.push(LedgerEntry { span, kind, message: message.into() });
    }
}

fn find(entries: &[Entry], name: &str) -> Option<Entry> {
    entries.iter().find(|entry| &*entry.key == name).cloned()
}

/// `over` laid over what the base says of the same service.
fn laid_over(base: Option<Entry>, over: Entry) -> Entry {
    match base {
        Some(base) => Entry { value: merge::over(&base.value, &over.value), ..over },
        None => over,
    }
}

/// `base` with what an override says of the same service laid over it.
fn under(base: Entry, over: impl Fn(&str) -> Option<Entry>) -> Entry {
    match over(&base.key) {
        Some(over) => Entry { value: merge::over(&base.value, &over.value), ..base },
        None => base,
    }
}

/// A path relative to a folder; `None` where it leaves the working directory.
fn join(folder: &str, path: &str) -> Option<String> {
    if path.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|p| !p.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}
