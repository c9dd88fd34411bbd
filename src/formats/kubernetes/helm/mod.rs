//! Helm charts rendered natively, as `helm template` of Helm 4 does it, with the origin of every rendered node.
//!
//! The template language is ours ([`crate::syntax::gotemplate`]), so that every piece of output knows the line of the
//! template it was copied from or computed at, and the key of `values.yaml` that decided it. `docs/rendering.md` says
//! what is rendered and what is not.

mod builtins;
mod chart;
mod dates;
mod exec;
mod format;
mod functions;
mod glob;
mod manifests;
mod origin;
mod schema;
mod set;
mod value;
mod values;
mod yaml;

#[cfg(test)]
mod tests;

pub use chart::{Folder, Problem};
pub use manifests::Object;

use crate::base::{FileId, SourceFile, Span};
use crate::graph::CauseKind;
use chart::{Chart, join};
use exec::{Engine, Failure, Source};
use origin::{Means, Places, Text};
use std::rc::Rc;
use std::sync::Arc;
use value::{FileEntry, MapRef, Object as GoObject, Value};

/// What the caller decides about a rendering.
#[derive(Clone, Debug)]
pub struct Options {
    /// The release's name.
    pub release: String,
    /// The release's namespace.
    pub namespace: String,
    /// Values files, each over the one before it.
    pub values: Vec<String>,
    /// `--set`
    pub set: Vec<String>,
    /// `--set-string`
    pub set_string: Vec<String>,
    /// `--set-json`
    pub set_json: Vec<String>,
    /// `--set-file`
    pub set_file: Vec<String>,
    /// The cluster's version, such as `1.33`; that of the Helm that is followed where it is not given.
    pub kube_version: Option<String>,
    /// API versions that the cluster has in addition.
    pub api_versions: Vec<String>,
    /// Leave hooks out.
    pub no_hooks: bool,
    /// Leave hooks that test out.
    pub skip_tests: bool,
    /// Go on where a dependency is not there, and say so. A linter does; Helm stops.
    pub lenient: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            release: "release-name".into(),
            namespace: "default".into(),
            values: Vec::new(),
            set: Vec::new(),
            set_string: Vec::new(),
            set_json: Vec::new(),
            set_file: Vec::new(),
            kube_version: None,
            api_versions: Vec::new(),
            no_hooks: false,
            skip_tests: false,
            lenient: false,
        }
    }
}

/// What a chart renders to.
#[derive(Clone, Debug, Default)]
pub struct Rendered {
    /// The objects in Helm's order.
    pub objects: Vec<Object>,
    /// What Helm refuses; the objects are then not complete.
    pub errors: Vec<Problem>,
    /// What was left out or looks wrong.
    pub warnings: Vec<Problem>,
    /// The files that were templates.
    pub templates: Vec<FileId>,
}

/// The stack of the thread that renders. Templates recurse, and so do we.
const STACK: usize = 256 << 20;

/// The version of Kubernetes that Helm 4.3.1 assumes.
const DEFAULT_KUBE_VERSION: &str = "v1.37.0";

/// Renders the chart in a folder.
pub fn render(dir: &str, folder: &Folder<'_>, options: &Options) -> Rendered {
    std::thread::scope(|scope| {
        let run = || {
            let mut rendered = Rendered::default();
            if let Err(problem) = run(dir, folder, options, &mut rendered) {
                rendered.errors.push(problem);
            }
            rendered
        };
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, run);
        let failed =
            |message: &str| Rendered { errors: vec![Problem::new(Span::NONE, message)], ..Rendered::default() };
        match thread {
            Ok(handle) => handle.join().unwrap_or_else(|_| failed("rendering ended in a bug of this program")),
            Err(_) => failed("no thread could be started to render the chart"),
        }
    })
}

fn run(dir: &str, folder: &Folder<'_>, options: &Options, rendered: &mut Rendered) -> Result<(), Problem> {
    let mut engine = Engine::default();
    let Some(mut chart) = chart::load(dir, folder, &engine.places, &mut rendered.errors) else {
        if rendered.errors.is_empty() {
            return Err(Problem::new(Span::NONE, format!("{dir} is no chart")));
        }
        return Ok(());
    };
    if !is_release_name(&options.release) {
        return Err(Problem::new(Span::NONE, format!("release name {:?}: invalid release name", options.release)));
    }
    if chart.chart_type == "library" {
        let message = "library charts are not installable: this one is rendered where another chart uses it";
        return Err(Problem::of(CauseKind::Unsupported, chart.span, message));
    }
    missing_dependencies(&chart, options, rendered)?;
    let capabilities = capabilities(options, chart.span)?;
    if !chart.kube_version.is_empty() {
        let range = functions::versions::Range::parse(&chart.kube_version);
        let version = functions::versions::parse(&capabilities.0);
        if !range.zip(version).is_some_and(|(r, v)| r.allows(&v)) {
            let (wanted, got) = (&chart.kube_version, &capabilities.0);
            let problem = Problem::new(
                chart.span,
                format!("chart requires kubeVersion: {wanted} which is incompatible with Kubernetes {got}"),
            );
            if !options.lenient {
                return Err(problem);
            }
            rendered.warnings.push(problem);
        }
    }
    let user = user_values(folder, options, &engine.places, &mut rendered.errors)?;
    let mut warnings = values::Warnings::new();
    let at = chart.span;
    values::process_dependencies(&mut chart, &user, &mut warnings).map_err(|m| Problem::new(at, m))?;
    let values = values::coalesce(&chart, &user, false).map_err(|m| Problem::new(at, m))?;
    rendered.warnings.extend(warnings.into_iter().map(|m| Problem::new(at, m)));
    let mut refused = Vec::new();
    schema::validate(&chart, &values, &mut refused, &mut rendered.warnings);
    if options.lenient {
        // A chart that wants values of its user is still worth reading with what is there.
        rendered.warnings.append(&mut refused);
    } else if !refused.is_empty() {
        rendered.errors.append(&mut refused);
        return Ok(());
    }
    engine.lenient = options.lenient;
    let release = MapRef::default();
    release.set("Name", options.release.as_str().into());
    release.set("Namespace", options.namespace.as_str().into());
    release.set("IsUpgrade", false.into());
    release.set("IsInstall", true.into());
    release.set("Revision", Value::int(1));
    release.set("Service", "Helm".into());
    let mut templates = Vec::new();
    let top = Scope { release: release.into(), capabilities: capabilities.1, values: values.into() };
    collect(&chart, true, &chart.name, &top, &engine.places, &mut templates, 0);
    // Deeper paths are parsed first and what is parsed later wins: parents override their subcharts.
    templates.sort_by(|a, b| {
        let slashes = |t: &Renderable| t.name.matches('/').count();
        slashes(b).cmp(&slashes(a)).then_with(|| b.name.cmp(&a.name))
    });
    rendered.templates = templates.iter().map(|t| t.file.id).collect();
    for template in &templates {
        let source = Rc::new(Source {
            name: template.name.as_str().into(),
            text: Text::from(&*template.file.text),
            file: template.file.id,
            own: 0,
        });
        engine.parse(&source).map_err(|f| problem("parse error", template, f))?;
    }
    let mut outputs = Vec::new();
    for template in &templates {
        let base = template.name.rsplit('/').next().unwrap_or("");
        if base.starts_with('_') {
            continue;
        }
        let about = MapRef::default();
        about.set("Name", template.name.as_str().into());
        about.set("BasePath", template.base_path.as_str().into());
        template.scope.set("Template", about.into());
        let text = match engine.execute(&template.name, &template.scope.clone().into()) {
            Ok(text) => text,
            Err(failure) => {
                let problem = problem("execution error", template, failure);
                if !options.lenient {
                    return Err(problem);
                }
                // The other templates are still worth reading.
                rendered.errors.push(problem);
                engine.recover();
                continue;
            }
        };
        if base.ends_with("NOTES.txt") {
            continue;
        }
        let name: Arc<str> = template.name.as_str().into();
        outputs.push(manifests::Output { name, file: template.file.id, text: erase_no_value(text) });
    }
    outputs.sort_by(|a, b| a.name.cmp(&b.name));
    rendered
        .warnings
        .extend(engine.notes.drain(..).map(|(span, message)| Problem::of(CauseKind::External, span, message)));
    rendered.warnings.dedup();
    let mut objects = manifests::objects(&outputs, &engine.places, &mut rendered.errors, &mut rendered.warnings);
    objects.retain(|o| !(o.hook && options.no_hooks || o.test && options.skip_tests));
    rendered.objects = objects;
    Ok(())
}

fn problem(what: &str, template: &Renderable, failure: Failure) -> Problem {
    let span = if failure.span.is_none() { Span::at(template.file.id, 0) } else { failure.span };
    Problem::new(span, format!("{what} in {}: {}", template.name, failure.message))
}

/// A name that Helm accepts: dotted labels of lower-case letters, digits and dashes, 53 characters at most.
fn is_release_name(name: &str) -> bool {
    let label = |l: &str| {
        let edge = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
        edge(l.as_bytes().first())
            && edge(l.as_bytes().last())
            && l.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    !name.is_empty() && name.len() <= 53 && name.split('.').all(label)
}

fn missing_dependencies(chart: &Chart, options: &Options, rendered: &mut Rendered) -> Result<(), Problem> {
    let missing: Vec<&str> = chart
        .requirements
        .iter()
        .filter(|r| !chart.charts.iter().any(|c| c.name == r.name))
        .map(|r| r.name.as_str())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let problem = Problem::of(
        CauseKind::Missing,
        chart.span,
        format!("found in Chart.yaml, but missing in charts/ directory: {}", missing.join(", ")),
    );
    if options.lenient {
        rendered.warnings.push(problem);
        return Ok(());
    }
    Err(problem)
}

/// The API versions of the client that Helm 4.3.1 is built with.
const API_VERSIONS: &[&str] = &[
    "v1",
    "admissionregistration.k8s.io/v1",
    "admissionregistration.k8s.io/v1alpha1",
    "admissionregistration.k8s.io/v1beta1",
    "internal.apiserver.k8s.io/v1alpha1",
    "apps/v1",
    "apps/v1beta1",
    "apps/v1beta2",
    "authentication.k8s.io/v1",
    "authentication.k8s.io/v1alpha1",
    "authentication.k8s.io/v1beta1",
    "authorization.k8s.io/v1",
    "authorization.k8s.io/v1beta1",
    "autoscaling/v1",
    "autoscaling/v2",
    "batch/v1",
    "batch/v1beta1",
    "certificates.k8s.io/v1",
    "certificates.k8s.io/v1beta1",
    "certificates.k8s.io/v1alpha1",
    "coordination.k8s.io/v1alpha2",
    "coordination.k8s.io/v1beta1",
    "coordination.k8s.io/v1",
    "discovery.k8s.io/v1",
    "discovery.k8s.io/v1beta1",
    "events.k8s.io/v1",
    "events.k8s.io/v1beta1",
    "extensions/v1beta1",
    "flowcontrol.apiserver.k8s.io/v1",
    "flowcontrol.apiserver.k8s.io/v1beta1",
    "flowcontrol.apiserver.k8s.io/v1beta2",
    "flowcontrol.apiserver.k8s.io/v1beta3",
    "lifecycle.k8s.io/v1alpha1",
    "networking.k8s.io/v1",
    "networking.k8s.io/v1beta1",
    "node.k8s.io/v1",
    "node.k8s.io/v1alpha1",
    "node.k8s.io/v1beta1",
    "policy/v1",
    "policy/v1beta1",
    "rbac.authorization.k8s.io/v1",
    "rbac.authorization.k8s.io/v1beta1",
    "rbac.authorization.k8s.io/v1alpha1",
    "resource.k8s.io/v1",
    "resource.k8s.io/v1beta2",
    "resource.k8s.io/v1beta1",
    "resource.k8s.io/v1alpha3",
    "scheduling.k8s.io/v1alpha3",
    "scheduling.k8s.io/v1beta1",
    "scheduling.k8s.io/v1",
    "storage.k8s.io/v1beta1",
    "storage.k8s.io/v1",
    "storage.k8s.io/v1alpha1",
    "storagemigration.k8s.io/v1",
    "storagemigration.k8s.io/v1beta1",
    "apiextensions.k8s.io/v1beta1",
    "apiextensions.k8s.io/v1",
];

/// The cluster's version and what templates see as `.Capabilities`.
fn capabilities(options: &Options, span: Span) -> Result<(String, Value), Problem> {
    let given = options.kube_version.as_deref().unwrap_or(DEFAULT_KUBE_VERSION);
    let Some(version) = functions::versions::parse(given) else {
        return Err(Problem::new(span, format!("invalid kube version {given:?}: invalid semantic version")));
    };
    let text = format!("v{version}");
    let kube_version = GoObject::KubeVersion {
        version: text.as_str().into(),
        major: version.major.to_string().into(),
        minor: version.minor.to_string().into(),
    };
    let versions =
        API_VERSIONS.iter().copied().chain(options.api_versions.iter().flat_map(|v| v.split(','))).map(Rc::from);
    let helm = GoObject::Struct {
        type_name: "version.BuildInfo",
        fields: vec![
            ("Version", "v4.3.1".into()),
            ("GitCommit", "".into()),
            ("GitTreeState", "clean".into()),
            ("GoVersion", "go1.27.2".into()),
            ("KubeClientVersion", "v1.37".into()),
        ],
    };
    let value = GoObject::Struct {
        type_name: "common.Capabilities",
        fields: vec![
            ("KubeVersion", kube_version.into()),
            ("APIVersions", GoObject::ApiVersions(versions.collect()).into()),
            ("HelmVersion", helm.into()),
        ],
    };
    Ok((text, value.into()))
}

/// Values files and flags, as one map.
fn user_values(
    folder: &Folder<'_>,
    options: &Options,
    places: &Places,
    errors: &mut Vec<Problem>,
) -> Result<MapRef, Problem> {
    let values = MapRef::default();
    for path in &options.values {
        let Some(file) = (folder.read)(path) else {
            return Err(Problem::new(Span::NONE, format!("open {path}: no such file")));
        };
        let Some(map) = chart::mapping(&file, places, errors, path) else {
            return Err(errors.pop().unwrap_or_else(|| Problem::new(Span::NONE, format!("failed to parse {path}"))));
        };
        values::merge_over(&values, &map);
    }
    let read = |path: &str| {
        let file: Arc<SourceFile> = (folder.read)(path)?;
        Some(Value::from(&*file.text).at(places.add(Span::at(file.id, 0), Means::Value, &[])))
    };
    let groups: [(&Vec<String>, set::Reading<'_>); 4] = [
        (&options.set_json, set::Reading::Json),
        (&options.set, set::Reading::Typed),
        (&options.set_string, set::Reading::Text),
        (&options.set_file, set::Reading::File(&read)),
    ];
    for (lines, reading) in groups {
        for line in lines {
            set::set(line, &values, &reading)
                .map_err(|m| Problem::new(Span::NONE, format!("failed parsing {line:?}: {m}")))?;
        }
    }
    Ok(values)
}

/// What the templates of a chart share with those of its parent.
struct Scope {
    release: Value,
    capabilities: Value,
    values: Value,
}

/// A template to render.
struct Renderable {
    name: String,
    base_path: String,
    file: Arc<SourceFile>,
    /// The dot; the same map for all templates of one chart.
    scope: MapRef,
}

/// Notes the templates of a chart and of those below it, and gives what its templates see.
fn collect(
    chart: &Chart,
    root: bool,
    path: &str,
    above: &Scope,
    places: &Places,
    templates: &mut Vec<Renderable>,
    depth: usize,
) -> MapRef {
    let values = match above.values.as_map() {
        Some(map) if root => map.as_values(true),
        Some(map) => map.get(&chart.name).and_then(|v| v.as_map().map(|m| m.as_values(true))).unwrap_or_default(),
        None => MapRef::default(),
    };
    let metadata = chart.metadata.shallow_copy();
    metadata.set("IsRoot", root.into());
    let files: Vec<(Rc<str>, Rc<FileEntry>)> = chart
        .files
        .iter()
        .map(|f| {
            let place = places.add(Span::at(f.file.id, 0), Means::Value, &[]);
            (f.name.clone(), Rc::new(FileEntry { text: (&*f.file.text).into(), place }))
        })
        .collect();
    let subcharts = MapRef::default();
    let scope = MapRef::default().as_values(true);
    scope.set("Chart", metadata.into());
    scope.set("Files", GoObject::Files(files).into());
    scope.set("Release", above.release.clone());
    scope.set("Capabilities", above.capabilities.clone());
    scope.set("Values", values.clone().into());
    let below =
        Scope { release: above.release.clone(), capabilities: above.capabilities.clone(), values: values.into() };
    if depth < 32 {
        for child in &chart.charts {
            let inner =
                collect(child, false, &format!("{path}/charts/{}", child.name), &below, places, templates, depth + 1);
            subcharts.set(child.name.as_str(), inner.into());
        }
    }
    scope.set("Subcharts", subcharts.into());
    for template in &chart.templates {
        let base = template.name.rsplit('/').next().unwrap_or("");
        if chart.chart_type == "library" && !base.starts_with('_') {
            continue;
        }
        templates.push(Renderable {
            name: join(path, &template.name),
            base_path: join(path, "templates"),
            file: template.file.clone(),
            scope: scope.clone(),
        });
    }
    scope
}

/// A string as it stands in YAML: plain where it reads back as itself, else quoted, on one line.
pub fn yaml_scalar(text: &str) -> String {
    let mut out = String::new();
    yaml::yaml_string(&mut out, text, 0, true);
    out
}

/// Go prints a marker for what has no value; Helm erases it.
fn erase_no_value(text: Text) -> Text {
    const MARKER: &str = "<no value>";
    if !text.s.contains(MARKER) {
        return text;
    }
    let mut out = origin::Builder::default();
    let mut start = 0;
    for (at, _) in text.s.match_indices(MARKER) {
        out.push_text(&text, start..at, 0);
        start = at + MARKER.len();
    }
    out.push_text(&text, start..text.s.len(), 0);
    out.finish()
}
