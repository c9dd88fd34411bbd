//! Loads a chart: its metadata, values, templates, files and the charts it depends on.

use super::functions::versions;
use super::glob;
use super::origin::Places;
use super::value::{Data, MapRef, Value};
use super::yaml::{Ground, first_error, value_of};
use crate::base::{SourceFile, Span};
use crate::graph::CauseKind;
use crate::syntax::yaml as syntax;
use regex::Regex;
use std::rc::Rc;
use std::sync::Arc;

/// How deep charts may hold charts.
const MAX_DEPTH: usize = 16;

/// A folder of the workspace, to be read and never written.
pub struct Folder<'a> {
    /// The text of a file by its path relative to the working directory.
    pub read: &'a (dyn Fn(&str) -> Option<Arc<SourceFile>> + Sync),
    /// The paths of all files below a folder.
    pub list: &'a (dyn Fn(&str) -> Vec<Arc<str>> + Sync),
}

/// Something that Helm refuses, or that was left out, with its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// The place.
    pub span: Span,
    /// The kind of reason.
    pub kind: CauseKind,
    /// What is wrong.
    pub message: String,
}

impl Problem {
    /// An error.
    pub fn new(span: Span, message: impl Into<String>) -> Problem {
        Problem { span, kind: CauseKind::Error, message: message.into() }
    }

    /// A problem of some other kind.
    pub fn of(kind: CauseKind, span: Span, message: impl Into<String>) -> Problem {
        Problem { span, kind, message: message.into() }
    }
}

/// A file of a chart by its name inside the chart.
#[derive(Clone, Debug)]
pub struct ChartFile {
    /// `templates/x.yaml`
    pub name: Rc<str>,
    /// Its text.
    pub file: Arc<SourceFile>,
}

/// A dependency as `Chart.yaml` declares it.
#[derive(Clone, Debug)]
pub struct Dependency {
    pub name: String,
    pub version: String,
    pub alias: String,
    pub condition: String,
    pub tags: Vec<String>,
    pub import_values: Vec<Value>,
    pub enabled: bool,
}

/// A chart with the charts below it.
#[derive(Clone, Debug)]
pub struct Chart {
    /// The name, or the alias under which a parent uses it.
    pub name: String,
    pub version: String,
    pub api_version: String,
    pub chart_type: String,
    pub kube_version: String,
    /// What templates see as `.Chart`.
    pub metadata: MapRef,
    /// Whether `Chart.yaml` declares dependencies at all; without, none is conditional.
    pub declares_dependencies: bool,
    pub requirements: Vec<Dependency>,
    pub values: MapRef,
    pub schema: Option<Arc<SourceFile>>,
    pub templates: Vec<ChartFile>,
    pub files: Vec<ChartFile>,
    pub charts: Vec<Chart>,
    /// Where `Chart.yaml` stands.
    pub span: Span,
}

/// Joins a folder's path and a name inside of it.
pub fn join(dir: &str, name: &str) -> String {
    if dir.is_empty() || dir == "." { name.to_owned() } else { format!("{}/{name}", dir.trim_end_matches('/')) }
}

/// Loads the chart in a folder.
pub fn load(dir: &str, folder: &Folder<'_>, places: &Places, problems: &mut Vec<Problem>) -> Option<Chart> {
    let dir = if dir == "." { "" } else { dir.trim_end_matches('/') };
    let prefix = if dir.is_empty() { String::new() } else { format!("{dir}/") };
    let mut names: Vec<String> =
        (folder.list)(dir).iter().filter_map(|p| p.strip_prefix(prefix.as_str()).map(str::to_owned)).collect();
    names.sort();
    let rules = match (folder.read)(&join(dir, ".helmignore")) {
        Some(file) => match Rules::parse(&file) {
            Ok(rules) => rules,
            Err(problem) => {
                problems.push(problem);
                return None;
            }
        },
        None => Rules::default(),
    };
    names.retain(|name| !rules.ignores(name));
    load_names(dir, &names, folder, places, problems, 0)
}

fn load_names(
    dir: &str,
    names: &[String],
    folder: &Folder<'_>,
    places: &Places,
    problems: &mut Vec<Problem>,
    depth: usize,
) -> Option<Chart> {
    let read = |name: &str| (folder.read)(&join(dir, name));
    let has = |name: &str| names.iter().any(|n| n == name);
    let Some(manifest) = read("Chart.yaml").filter(|_| has("Chart.yaml")) else {
        problems.push(Problem::new(
            Span::NONE,
            format!("Chart.yaml file is missing in {}", if dir.is_empty() { "." } else { dir }),
        ));
        return None;
    };
    if depth > MAX_DEPTH {
        problems.push(Problem::new(Span::at(manifest.id, 0), "charts are nested too deeply"));
        return None;
    }
    let span = Span::at(manifest.id, 0);
    let head = mapping(&manifest, places, problems, "Chart.yaml")?;
    let mut chart = metadata(&head, span, problems)?;
    if chart.api_version == "v1"
        && let Some(file) = read("requirements.yaml").filter(|_| has("requirements.yaml"))
    {
        let requirements = mapping(&file, places, problems, "requirements.yaml")?;
        if let Some(list) = requirements.get("dependencies") {
            chart.declares_dependencies = true;
            chart.requirements = dependencies(&list);
        }
    }
    if let Some(file) = read("values.yaml").filter(|_| has("values.yaml")) {
        chart.values = mapping(&file, places, problems, "values.yaml")?;
    }
    chart.schema = read("values.schema.json").filter(|_| has("values.schema.json"));
    let mut children: Vec<(String, Vec<String>)> = Vec::new();
    for name in names {
        if matches!(name.as_str(), "Chart.yaml" | "Chart.lock" | "values.yaml" | "values.schema.json") {
            continue;
        }
        if let Some(inner) = name.strip_prefix("charts/") {
            if name.ends_with(".prov") {
                continue;
            }
            let (child, rest) = inner.split_once('/').unwrap_or((inner, ""));
            if child.starts_with(['_', '.']) {
                continue;
            }
            if child.ends_with(".tgz") && rest.is_empty() {
                problems.push(Problem::of(
                    CauseKind::Missing,
                    span,
                    format!("the packed chart charts/{child} is not read: unpack it"),
                ));
                continue;
            }
            match children.iter_mut().find(|(c, _)| c == child) {
                Some((_, files)) => files.push(rest.to_owned()),
                None => children.push((child.to_owned(), vec![rest.to_owned()])),
            }
            continue;
        }
        let Some(file) = read(name) else { continue };
        let entry = ChartFile { name: name.as_str().into(), file };
        if name.starts_with("templates/") {
            chart.templates.push(entry);
        } else {
            chart.files.push(entry);
        }
    }
    for (child, files) in children {
        if files.iter().all(String::is_empty) {
            // A plain file in charts/, such as a README.
            if child.contains('.') {
                continue;
            }
            problems.push(Problem::new(span, format!("charts/{child} is no chart")));
            continue;
        }
        let inner = load_names(&join(dir, &format!("charts/{child}")), &files, folder, places, problems, depth + 1)?;
        chart.charts.push(inner);
    }
    Some(chart)
}

/// The mapping a YAML file holds; several documents are merged, the later wins.
pub fn mapping(file: &Arc<SourceFile>, places: &Places, problems: &mut Vec<Problem>, what: &str) -> Option<MapRef> {
    let tree = syntax::parse(file.id, file.text.clone());
    if let Some((span, message)) = first_error(&tree) {
        problems
            .push(Problem::new(span, format!("cannot load {what}: error converting YAML to JSON: yaml: {message}")));
        return None;
    }
    let mut merged = MapRef::default();
    let roots: Vec<_> = tree.roots().collect();
    for (i, root) in roots.iter().enumerate() {
        match value_of(*root, places, &Ground::File) {
            Ok(Value { data: Data::Map(map), .. }) => {
                if i == 0 {
                    merged = map;
                } else {
                    super::values::merge_over(&merged, &map);
                }
            }
            Ok(value) if value.is_nil() => {}
            Ok(value) => {
                let kind = super::functions::json_kind(&value);
                problems.push(Problem::new(
                    root.span(),
                    format!("cannot load {what}: cannot unmarshal yaml document: json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}"),
                ));
                return None;
            }
            Err(message) => {
                problems.push(Problem::new(root.span(), format!("cannot load {what}: {message}")));
                return None;
            }
        }
    }
    Some(merged)
}

/// The text of a field; numbers and truth values become text, as they do for fields that must be text.
fn text_of(map: &MapRef, key: &str) -> String {
    match map.get(key) {
        None => String::new(),
        Some(v) if v.is_nil() => String::new(),
        Some(v) => match &v.data {
            Data::Float(f) => super::format::float_json(*f),
            Data::Map(_) | Data::List(..) => String::new(),
            _ => super::format::display(&v),
        },
    }
}

fn metadata(head: &MapRef, span: Span, problems: &mut Vec<Problem>) -> Option<Chart> {
    let text = |key: &str| text_of(head, key);
    let (name, version, api_version) = (text("name"), text("version"), text("apiVersion"));
    let chart_type = text("type");
    let fail = |problems: &mut Vec<Problem>, message: String| {
        problems.push(Problem::new(span, format!("validation: {message}")));
        None
    };
    for (key, wanted) in [
        ("annotations", "map"),
        ("keywords", "list"),
        ("sources", "list"),
        ("maintainers", "list"),
        ("dependencies", "list"),
    ] {
        let fits = head.get(key).is_none_or(|v| match v.data {
            Data::Nil => true,
            Data::Map(_) => wanted == "map",
            Data::List(..) => wanted == "list",
            _ => false,
        });
        if !fits {
            return fail(problems, format!("cannot load Chart.yaml: {key} must be a {wanted}"));
        }
    }
    if name.is_empty() {
        return fail(problems, "chart.metadata.name is required".to_owned());
    }
    if name.contains('/') {
        return fail(problems, format!("chart.metadata.name {name:?} is invalid"));
    }
    if version.is_empty() {
        return fail(problems, "chart.metadata.version is required".to_owned());
    }
    if versions::parse(&version).is_none() {
        return fail(problems, format!("chart.metadata.version {version:?} is invalid"));
    }
    if !matches!(chart_type.as_str(), "" | "application" | "library") {
        return fail(problems, "chart.metadata.type must be application or library".to_owned());
    }
    if !matches!(api_version.as_str(), "" | "v1" | "v2") {
        return fail(problems, format!("unsupported chart version {api_version:?}"));
    }
    let list = |key: &str| match head.get(key) {
        Some(v) if v.as_list().is_some() => v,
        _ => Vec::new().into(),
    };
    let people: Vec<Value> = list("maintainers")
        .as_list()
        .into_iter()
        .flat_map(|l| l.iter())
        .filter_map(Value::as_map)
        .map(|m| {
            let person = MapRef::default();
            for (field, key) in [("Name", "name"), ("Email", "email"), ("URL", "url")] {
                person.set(field, text_of(m, key).into());
            }
            person.into()
        })
        .collect();
    let annotations = head.get("annotations").filter(|v| v.as_map().is_some()).map_or_else(Value::nil, |v| {
        let texts: MapRef = v
            .as_map()
            .map(|m| m.keys().into_iter().map(|k| (k.clone(), Value::from(text_of(m, &k)).at(v.place))).collect())
            .unwrap_or_default();
        texts.with_members(super::value::Members::Strings).into()
    });
    let requirements = head.get("dependencies").map(|d| dependencies(&d)).unwrap_or_default();
    let declared: Vec<Value> = requirements
        .iter()
        .map(|d| {
            let map = MapRef::default();
            map.set("Name", d.name.as_str().into());
            map.set("Version", d.version.as_str().into());
            map.set("Alias", d.alias.as_str().into());
            map.set("Condition", d.condition.as_str().into());
            map.set("Tags", Value::strings(d.tags.iter().map(String::as_str)));
            map.set("Enabled", true.into());
            map.into()
        })
        .collect();
    let map = MapRef::default();
    for (field, key) in [
        ("APIVersion", "apiVersion"),
        ("AppVersion", "appVersion"),
        ("Condition", "condition"),
        ("Description", "description"),
        ("Home", "home"),
        ("Icon", "icon"),
        ("KubeVersion", "kubeVersion"),
        ("Name", "name"),
        ("Tags", "tags"),
        ("Type", "type"),
        ("Version", "version"),
    ] {
        let place = head.get(key).map_or(0, |v| v.place);
        map.set(field, Value::from(text(key)).at(place));
    }
    map.set("Annotations", annotations);
    map.set("Dependencies", declared.into());
    map.set("Deprecated", head.get("deprecated").is_some_and(|v| v.truth()).into());
    map.set("Keywords", list("keywords"));
    map.set("Maintainers", people.into());
    map.set("Sources", list("sources"));
    for dependency in &requirements {
        if !dependency.alias.is_empty()
            && !dependency.alias.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
        {
            return fail(problems, format!("dependency {:?} has disallowed characters in the alias", dependency.name));
        }
    }
    for (i, one) in requirements.iter().enumerate() {
        let key = |d: &Dependency| if d.alias.is_empty() { d.name.clone() } else { d.alias.clone() };
        if requirements.iter().take(i).any(|other| key(other) == key(one)) {
            return fail(problems, format!("more than one dependency with name or alias {:?}", key(one)));
        }
    }
    Some(Chart {
        name,
        version,
        api_version,
        chart_type,
        kube_version: text("kubeVersion"),
        metadata: map,
        declares_dependencies: head.get("dependencies").is_some_and(|v| v.as_list().is_some()),
        requirements,
        values: MapRef::default(),
        schema: None,
        templates: Vec::new(),
        files: Vec::new(),
        charts: Vec::new(),
        span,
    })
}

fn dependencies(list: &Value) -> Vec<Dependency> {
    let strings = |map: &MapRef, key: &str| -> Vec<String> {
        map.get(key)
            .and_then(|v| v.as_list().map(|l| l.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect()))
            .unwrap_or_default()
    };
    list.as_list()
        .into_iter()
        .flat_map(|l| l.iter())
        .filter_map(Value::as_map)
        .map(|map| Dependency {
            name: text_of(map, "name"),
            version: text_of(map, "version"),
            alias: text_of(map, "alias"),
            condition: text_of(map, "condition"),
            tags: strings(map, "tags"),
            import_values: map
                .get("import-values")
                .and_then(|v| v.as_list().map(|l| (**l).clone()))
                .unwrap_or_default(),
            enabled: true,
        })
        .collect()
}

/// The rules of `.helmignore`.
#[derive(Default)]
struct Rules(Vec<Rule>);

struct Rule {
    pattern: Regex,
    negate: bool,
    directories: bool,
    whole_path: bool,
}

impl Rules {
    fn parse(file: &Arc<SourceFile>) -> Result<Rules, Problem> {
        let mut rules = Vec::new();
        let mut offset = 0;
        for line in file.text.trim_start_matches('\u{feff}').split('\n') {
            let span = Span::new(file.id, offset..offset + line.len());
            offset += line.len() + 1;
            let rule = line.trim();
            if rule.is_empty() || rule.starts_with('#') {
                continue;
            }
            if rule.contains("**") {
                return Err(Problem::new(span, "double-star (**) syntax is not supported"));
            }
            let (negate, rule) = rule.strip_prefix('!').map_or((false, rule), |r| (true, r));
            let (directories, rule) = rule.strip_suffix('/').map_or((false, rule), |r| (true, r));
            let (anchored, body) = rule.strip_prefix('/').map_or((false, rule), |r| (true, r));
            let Some(pattern) = glob::compile(body, false) else {
                return Err(Problem::new(span, "syntax error in pattern"));
            };
            rules.push(Rule { pattern, negate, directories, whole_path: anchored || body.contains('/') });
        }
        Ok(Rules(rules))
    }

    /// Whether a file, or a folder above it, is ignored.
    fn ignores(&self, path: &str) -> bool {
        // Hidden files among the templates are left out always.
        if path.strip_prefix("templates/").is_some_and(|n| n.len() > 1 && n.starts_with('.') && !n.contains('/')) {
            return true;
        }
        let mut end = 0;
        while let Some(slash) = path.get(end..).and_then(|r| r.find('/')) {
            end += slash;
            if self.matches(path.get(..end).unwrap_or(""), true) {
                return true;
            }
            end += 1;
        }
        self.matches(path, false)
    }

    fn matches(&self, path: &str, directory: bool) -> bool {
        for rule in &self.0 {
            let name = if rule.whole_path { path } else { path.rsplit('/').next().unwrap_or(path) };
            let hit = rule.pattern.is_match(name);
            if rule.negate {
                if (rule.directories && !directory) || !hit {
                    return true;
                }
            } else if (!rule.directories || directory) && hit {
                return true;
            }
        }
        false
    }
}
