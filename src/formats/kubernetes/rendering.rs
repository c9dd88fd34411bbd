//! Charts and kustomizations as units: which files belong to one, and what it lowers to.
//!
//! A chart is rendered with its default values, and its templates are not read as manifests by themselves. Of
//! kustomizations those that no other one uses are rendered; what they reach is linted through them and not once more
//! by itself. Where rendering fails, the ledger says so with the place, and the resource files of a kustomization are
//! linted as they are written.

use super::helm::{self, Folder, Problem, Rendered};
use super::{Looks, kustomize, look, lower_tree, objects};
use crate::base::{FastSet, FileId, SourceFile, Span};
use crate::formats::{Input, LedgerEntry, LowerContext, Lowered, Parsed, Unit};
use crate::graph::CauseKind;
use crate::syntax::Comment;
use crate::syntax::yaml::Tree;
use std::sync::Arc;

/// The variant of a chart's unit.
pub const CHART: &str = "chart";
/// The variant of a kustomization's unit.
pub const KUSTOMIZATION: &str = "kustomization";
/// The variant of a template that lies in no chart.
pub const STRAY_TEMPLATE: &str = "template";
/// The variant of the charts of a repository whose parent could not be found.
const LIST_DEPTH: u32 = 8;

/// What a template is parsed to: it has no tree of its own until its chart is rendered.
#[derive(Debug)]
pub struct TemplateFile;

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(dir, _)| dir)
}

/// Whether a folder holds a path; the empty one holds all.
fn holds(dir: &str, path: &str) -> bool {
    dir.is_empty() || path.strip_prefix(dir).is_some_and(|rest| rest.starts_with('/'))
}

fn is_template_path(path: &str) -> bool {
    path.starts_with("templates/") || path.contains("/templates/")
}

/// Whether a text is a template of a chart, by words that only those have.
fn is_helm_template(text: &str) -> bool {
    const WORDS: [&str; 9] = [
        ".Values",
        ".Release",
        ".Chart",
        ".Capabilities",
        ".Files",
        "include \"",
        "define \"",
        "template \"",
        ".Template",
    ];
    text.contains("{{") && WORDS.iter().any(|w| text.contains(w))
}

/// Whether a file is one of those that charts and kustomizations are made of, and is no manifest.
pub fn claims(path: &str, text: &str) -> bool {
    let name = base_name(path);
    (name == "Chart.yaml" && text.contains("name:"))
        || kustomize::FILE_NAMES.contains(&name)
        || (is_template_path(path) && is_helm_template(text))
}

/// Reads a file that [`claims`] claims: a template gives its comments alone.
pub fn parse(file: &SourceFile) -> Parsed {
    if is_template_path(&file.path) && is_helm_template(&file.text) {
        return Parsed { tree: Arc::new(TemplateFile), errors: Vec::new(), comments: template_comments(file) };
    }
    super::parse_yaml(file)
}

/// Comments of YAML that stand on their own line or behind a space, and comments of the template language.
fn template_comments(file: &SourceFile) -> Vec<Comment> {
    let mut comments = Vec::new();
    let mut offset = 0;
    for line in file.text.split('\n') {
        let body = line.trim_start();
        let indent = line.len() - body.len();
        if body.starts_with('#') {
            let end = offset + line.trim_end().len();
            comments.push(Comment { span: Span::new(file.id, offset + indent..end), own_line: true });
        } else if let Some(at) =
            line.find(" # ").filter(|at| line.get(..*at).is_none_or(|l| l.matches('"').count() % 2 != 1))
        {
            comments.push(Comment {
                span: Span::new(file.id, offset + at + 1..offset + line.trim_end().len()),
                own_line: false,
            });
        } else if let Some(start) = body.find("{{").filter(|_| body.contains("/*")) {
            let end = offset + line.trim_end().len();
            comments.push(Comment { span: Span::new(file.id, offset + indent + start..end), own_line: start == 0 });
        }
        offset += line.len() + 1;
    }
    comments
}

/// What a file refers to that may lie outside of what was asked for.
pub fn needs(input: &Input) -> Vec<String> {
    let path = &*input.file.path;
    if kustomize::FILE_NAMES.contains(&base_name(path)) {
        return kustomize::names(folder_of(path), &input.file);
    }
    match path.rfind("templates/").filter(|_| input.parsed.tree.is::<TemplateFile>()) {
        Some(at) => {
            let chart = path.get(..at).unwrap_or("").trim_end_matches('/');
            vec![if chart.is_empty() { ".".to_owned() } else { chart.to_owned() }, format!("{chart}/templates")]
        }
        None => Vec::new(),
    }
}

/// What [`units`] reads of a file beside its path: what a kustomization names, and whether it is a template.
pub fn outline(input: &Input) -> u64 {
    if kustomize::FILE_NAMES.contains(&base_name(&input.file.path)) {
        input.file.hash
    } else {
        u64::from(input.parsed.tree.is::<TemplateFile>())
    }
}

/// Groups files: charts, kustomizations, and each other manifest by itself.
pub fn units(files: &[Input]) -> Vec<Unit> {
    let mut units = Vec::new();
    let all_charts: Vec<&str> =
        files.iter().filter(|i| base_name(&i.file.path) == "Chart.yaml").map(|i| folder_of(&i.file.path)).collect();
    // A chart below another one's charts/ is rendered by that one.
    let below = |dir: &str, inner: &str| if dir.is_empty() { inner.to_owned() } else { format!("{dir}/{inner}") };
    let charts: Vec<&str> = all_charts
        .iter()
        .copied()
        .filter(|dir| !all_charts.iter().any(|c| c != dir && holds(&below(c, "charts"), dir)))
        .collect();
    let in_chart = |path: &str| {
        charts.iter().any(|c| {
            holds(&below(c, "templates"), path) || holds(&below(c, "charts"), path) || path == below(c, "Chart.yaml")
        })
    };
    let ids = |mut files: Vec<FileId>| {
        files.sort_unstable();
        files.dedup();
        files
    };
    for chart in &charts {
        let members = files.iter().filter(|i| holds(chart, &i.file.path) && in_chart(&i.file.path)).map(|i| i.file.id);
        let name = if chart.is_empty() { "." } else { chart };
        units.push(Unit { name: name.into(), variant: CHART.into(), files: ids(members.collect()) });
    }
    let kustomizations: Vec<(String, Arc<SourceFile>)> = files
        .iter()
        .filter(|i| kustomize::FILE_NAMES.contains(&base_name(&i.file.path)) && !in_chart(&i.file.path))
        .map(|i| (folder_of(&i.file.path).to_owned(), i.file.clone()))
        .collect();
    let mut reached: FastSet<String> = FastSet::default();
    for root in kustomize::roots(&kustomizations) {
        let paths = kustomize::reached(&root, &kustomizations);
        let members = files.iter().filter(|i| paths.iter().any(|p| **p == *i.file.path)).map(|i| i.file.id);
        let name = if root.is_empty() { "." } else { &root };
        units.push(Unit { name: name.into(), variant: KUSTOMIZATION.into(), files: ids(members.collect()) });
        reached.extend(paths);
    }
    for input in files {
        let path = &*input.file.path;
        if in_chart(path) || reached.contains(path) || kustomize::FILE_NAMES.contains(&base_name(path)) {
            continue;
        }
        let variant = if input.parsed.tree.is::<TemplateFile>() { STRAY_TEMPLATE } else { "" };
        units.push(Unit { name: input.file.path.clone(), variant: variant.into(), files: vec![input.file.id] });
    }
    units
}

/// Lowers a unit that is rendered; `None` for a plain manifest.
pub fn lower(unit: &Unit, cx: &LowerContext<'_>) -> Option<Lowered> {
    let folder = Folder { read: cx.read, list: cx.list };
    let dir = if &*unit.name == "." { "" } else { &*unit.name };
    match &*unit.variant {
        CHART => {
            let options = helm::Options {
                lenient: true,
                kube_version: cx.options.kubernetes_version.clone(),
                ..helm::Options::default()
            };
            let rendered = helm::render(dir, &folder, &options);
            let first = unit.files.first().map_or(Span::NONE, |f| Span::at(*f, 0));
            Some(collect(unit, rendered, "this chart could not be rendered", first))
        }
        KUSTOMIZATION => {
            let rendered = kustomize::render(dir, &folder);
            let failed = !rendered.errors.is_empty();
            let first = unit.files.first().map_or(Span::NONE, |f| Span::at(*f, 0));
            let mut lowered = collect(unit, rendered, "this kustomization could not be rendered", first);
            if failed {
                // Better the resources as they are written than none.
                for file in &unit.files {
                    let Some(input) = cx.inputs.get(file) else { continue };
                    let is_manifest = look(&input.file.text) == Looks::LikeManifest;
                    if let Some(tree) = cx.tree::<Tree>(*file).filter(|_| is_manifest) {
                        lowered.resources.extend(lower_tree(&unit.name, tree).resources);
                    }
                }
            }
            Some(lowered)
        }
        STRAY_TEMPLATE => {
            let span = unit.files.first().map_or(Span::NONE, |f| Span::at(*f, 0));
            let message = "a template outside of any chart: it was not rendered".to_owned();
            let entry = LedgerEntry { span, kind: CauseKind::Missing, message };
            Some(Lowered { ledger: vec![entry], ..Lowered::default() })
        }
        _ => None,
    }
}

fn collect(unit: &Unit, rendered: Rendered, failed: &str, otherwise: Span) -> Lowered {
    let mut lowered = Lowered::default();
    for object in rendered.objects {
        objects(&unit.name, object.body, LIST_DEPTH, &mut lowered);
    }
    let mut note = |problem: Problem, message: String| {
        let span = if problem.span.is_none() { otherwise } else { problem.span };
        lowered.ledger.push(LedgerEntry { span, kind: problem.kind, message });
    };
    for problem in rendered.errors {
        let message = format!("{failed}: {}", problem.message);
        note(problem, message);
    }
    for problem in rendered.warnings {
        let message = problem.message.clone();
        note(problem, message);
    }
    lowered
}
