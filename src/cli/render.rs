//! `stacklint render`.

use super::Ending;
use super::args::{RenderArgs, RenderFormat};
use super::session::Problem;
use crate::base::{ColumnEncoding, Files, Span};
use crate::formats::kubernetes::{helm, kustomize};
use crate::graph::{Data, Origin, Value};
use crate::load::DiskFolder;
use serde_json::{Map as JsonMap, Value as Json, json};
use std::io::Write;

pub fn run(args: &RenderArgs) -> Result<Ending, Problem> {
    let here =
        std::env::current_dir().map_err(|e| Problem::usage(format!("the working directory cannot be read: {e}")))?;
    let files_of = |line: &String| {
        line.split(',').filter_map(|p| p.split_once('=')).map(|(_, f)| f.to_owned()).collect::<Vec<_>>()
    };
    let mut named = args.values.clone();
    named.extend(args.set_file.iter().flat_map(files_of));
    let disk = DiskFolder::new(&here, &args.folder, named);
    let shown = disk.shown(&args.folder);
    let dir = if shown == "." { "" } else { shown.as_str() };
    let inside = |name: &str| if dir.is_empty() { name.to_owned() } else { format!("{dir}/{name}") };
    let (read, list) = (|path: &str| disk.read(path), |folder: &str| disk.list(folder));
    let folder = helm::Folder { read: &read, list: &list };
    let is_chart = read(&inside("Chart.yaml")).is_some();
    let is_kustomization = kustomize::FILE_NAMES.iter().any(|name| read(&inside(name)).is_some());
    if disk.list(dir).is_empty() {
        return Err(Problem::usage(format!("there is no folder `{shown}`, or nothing is in it")));
    }
    // Both programs complain about a folder that is neither; what was asked for decides who does.
    let rendered =
        if is_chart || (!is_kustomization && disk.list(dir).iter().any(|p| p.starts_with(&inside("templates/")))) {
            helm::render(dir, &folder, &options(args))
        } else {
            kustomize::render(dir, &folder)
        };
    let files = disk.files();
    let text = match args.format {
        RenderFormat::Json => {
            let mut text = serde_json::to_string_pretty(&as_json(&rendered, &files, args.origins))?;
            text.push('\n');
            text
        }
        RenderFormat::Yaml => as_yaml(&rendered, &files, args.origins),
    };
    std::io::stdout().lock().write_all(text.as_bytes())?;
    if rendered.errors.is_empty() {
        return Ok(Ending::Clean);
    }
    if args.format == RenderFormat::Yaml {
        let mut err = std::io::stderr().lock();
        for problem in &rendered.errors {
            writeln!(err, "error: {}: {}", place(&files, problem.span), printable(&problem.message))?;
        }
    }
    Ok(Ending::Unread)
}

fn options(args: &RenderArgs) -> helm::Options {
    helm::Options {
        release: args.release.clone(),
        namespace: args.namespace.clone(),
        values: args.values.clone(),
        set: args.set.clone(),
        set_string: args.set_string.clone(),
        set_json: args.set_json.clone(),
        set_file: args.set_file.clone(),
        kube_version: args.kube_version.clone(),
        api_versions: args.api_versions.clone(),
        no_hooks: args.no_hooks,
        skip_tests: args.skip_tests,
        lenient: false,
    }
}

/// Control characters of scanned files do not reach the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// `file:line:column` of a span; `-` where it stands nowhere.
fn place(files: &Files, span: Span) -> String {
    match files.get(span.file) {
        None => "-".to_owned(),
        Some(file) => {
            let p = file.lines().position(&file.text, span.start, ColumnEncoding::Chars);
            format!("{}:{}:{}", file.path, p.line, p.column)
        }
    }
}

fn span_json(files: &Files, span: Span) -> JsonMap<String, Json> {
    let mut map = JsonMap::new();
    let Some(file) = files.get(span.file) else {
        map.insert("file".into(), Json::Null);
        map.insert("start".into(), Json::Null);
        return map;
    };
    let point = |offset: u32| {
        let p = file.lines().position(&file.text, offset, ColumnEncoding::Chars);
        json!({"line": p.line, "column": p.column, "offset": offset})
    };
    map.insert("file".into(), file.path.to_string().into());
    map.insert("start".into(), point(span.start));
    map.insert("end".into(), point(span.end));
    map
}

fn as_json(rendered: &helm::Rendered, files: &Files, origins: bool) -> Json {
    let problems = |all: &[helm::Problem]| -> Vec<Json> {
        all.iter()
            .map(|problem| {
                let mut map = span_json(files, problem.span);
                map.insert("message".into(), problem.message.clone().into());
                map.into()
            })
            .collect()
    };
    let mut out = JsonMap::new();
    out.insert("objects".into(), rendered.objects.iter().map(|o| o.body.to_json()).collect());
    out.insert("sources".into(), rendered.objects.iter().map(|o| Json::from(o.template.to_string())).collect());
    out.insert("errors".into(), problems(&rendered.errors).into());
    out.insert("warnings".into(), problems(&rendered.warnings).into());
    if origins {
        let all: Vec<Json> = rendered
            .objects
            .iter()
            .map(|o| {
                let mut map = JsonMap::new();
                origins_of(&o.body, "$".to_owned(), files, &mut map, 0);
                map.into()
            })
            .collect();
        out.insert("origins".into(), all.into());
    }
    out.into()
}

fn origins_of(value: &Value, path: String, files: &Files, out: &mut JsonMap<String, Json>, depth: usize) {
    if depth > 200 {
        return;
    }
    match &value.data {
        Data::Map(map) if !map.entries.is_empty() => {
            for entry in &map.entries {
                origins_of(&entry.value, format!("{path}[{}]", Json::from(&*entry.key)), files, out, depth + 1);
            }
        }
        Data::List(items) if !items.is_empty() => {
            for (i, item) in items.iter().enumerate() {
                origins_of(item, format!("{path}[{i}]"), files, out, depth + 1);
            }
        }
        _ => {
            let mut place = span_json(files, value.origin.span);
            let from: Vec<Json> = parents(&value.origin).iter().map(|s| span_json(files, *s).into()).collect();
            place.insert("from".into(), from.into());
            out.insert(path, place.into());
        }
    }
}

/// The places a value was made from, nearest first.
fn parents(origin: &Origin) -> Vec<Span> {
    let mut spans = Vec::new();
    for parent in origin.from.iter().flat_map(|f| f.iter()) {
        if !parent.span.is_none() && !spans.contains(&parent.span) {
            spans.push(parent.span);
        }
        spans.extend(parent.chain().iter().map(|o| o.span));
    }
    spans.truncate(8);
    spans
}

fn as_yaml(rendered: &helm::Rendered, files: &Files, origins: bool) -> String {
    let mut out = String::new();
    for object in &rendered.objects {
        out.push_str("---\n");
        out.push_str(&format!("# Source: {}\n", printable(&object.template)));
        write_yaml(&mut out, &object.body, 0, true, files, origins, 0);
    }
    out
}

/// Writes a value behind its key or dash and ends the line.
fn write_yaml(
    out: &mut String,
    value: &Value,
    indent: usize,
    at_line_start: bool,
    files: &Files,
    origins: bool,
    depth: usize,
) {
    let pad = |out: &mut String, n: usize| out.extend(std::iter::repeat_n(' ', n));
    if depth > 200 {
        out.push_str(" null\n");
        return;
    }
    match &value.data {
        Data::Map(map) if !map.entries.is_empty() => {
            for (i, entry) in map.entries.iter().enumerate() {
                if i > 0 || !at_line_start {
                    pad(out, indent);
                }
                out.push_str(&helm::yaml_scalar(&entry.key));
                out.push(':');
                let nested = match &entry.value.data {
                    Data::Map(m) => !m.entries.is_empty(),
                    Data::List(l) => !l.is_empty(),
                    _ => false,
                };
                if nested {
                    out.push('\n');
                    let inner = if entry.value.as_list().is_some() { indent } else { indent + 2 };
                    write_yaml(out, &entry.value, inner, false, files, origins, depth + 1);
                } else {
                    write_yaml(out, &entry.value, indent + 2, false, files, origins, depth + 1);
                }
            }
        }
        Data::List(items) if !items.is_empty() => {
            for (i, item) in items.iter().enumerate() {
                if i > 0 || !at_line_start {
                    pad(out, indent);
                }
                out.push('-');
                match &item.data {
                    Data::Map(m) if !m.entries.is_empty() => {
                        out.push(' ');
                        write_yaml(out, item, indent + 2, true, files, origins, depth + 1);
                    }
                    Data::List(l) if !l.is_empty() => {
                        out.push(' ');
                        write_yaml(out, item, indent + 2, true, files, origins, depth + 1);
                    }
                    _ => write_yaml(out, item, indent + 2, false, files, origins, depth + 1),
                }
            }
        }
        _ => {
            out.push(' ');
            match &value.data {
                Data::String(s) => out.push_str(&helm::yaml_scalar(s)),
                Data::Unknown(cause) => {
                    out.push_str("null # unknown: ");
                    out.push_str(&printable(&cause.message));
                }
                _ => out.push_str(&value.to_json().to_string()),
            }
            if origins {
                out.push_str("  # ");
                out.push_str(&place(files, value.origin.span));
                for span in parents(&value.origin) {
                    out.push_str(" < ");
                    out.push_str(&place(files, span));
                }
            }
            out.push('\n');
        }
    }
}
