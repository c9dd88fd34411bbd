//! `stacklint graph`.

use super::Ending;
use super::args::{GraphArgs, GraphFormat, SelectionArgs};
use super::session::{Problem, Session};
use super::terminal::Terminal;
use crate::analysis::{Built, CancelToken, Settings};
use crate::base::{ColumnEncoding, Span};
use crate::graph::{Resource, ResourceId};
use crate::load::{self, Paths, Request};
use crate::policy::PolicySet;
use serde_json::{Value as Json, json};
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

pub fn run(args: &GraphArgs, terminal: &Terminal) -> Result<Ending, Problem> {
    let session = Session::new(&SelectionArgs::default())?;
    let root = args.path.clone().unwrap_or_else(|| PathBuf::from("."));
    let policies = if args.views { session.policies(terminal)? } else { PolicySet::default() };
    let chosen =
        if args.views { policies.choose(&Default::default()).map_err(Problem::usage)? } else { Default::default() };
    let settings = Settings {
        options: session.options(&args.terraform)?,
        policies: Arc::new(policies),
        chosen: Arc::new(chosen),
        ..Settings::default()
    };
    let request = Request {
        working_directory: session.working_directory.clone(),
        paths: vec![root.clone()],
        exclude: session.exclude()?,
    };
    let workspace = load::open(&request, settings)?;
    let built =
        workspace.snapshot().build(&CancelToken::new()).map_err(|cancelled| Problem::usage(cancelled.to_string()))?;
    let ids: Vec<ResourceId> =
        built.graph.ids().filter(|id| args.views || built.graph.get(*id).parent.is_none()).collect();
    let text = match args.format {
        GraphFormat::Json => {
            let paths = Paths::new(&session.working_directory, std::slice::from_ref(&root));
            let shown = paths.shown(&paths.full(&root));
            let mut text = serde_json::to_string_pretty(&as_json(&built, &ids, args.values, &shown))?;
            text.push('\n');
            text
        }
        GraphFormat::Dot => as_dot(&built, &ids),
        GraphFormat::Mermaid => as_mermaid(&built, &ids),
    };
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(Ending::Clean)
}

/// Start and end as the contract has them.
fn place(built: &Built, span: Span) -> (Json, Json) {
    let Some(file) = built.files.get(span.file) else { return (Json::Null, Json::Null) };
    let point = |offset: u32| {
        let position = file.lines().position(&file.text, offset, ColumnEncoding::Chars);
        json!({"line": position.line, "column": position.column, "offset": offset})
    };
    (point(span.start), point(span.end))
}

fn path(built: &Built, span: Span) -> Json {
    built.files.get(span.file).map_or(Json::Null, |f| Json::from(&*f.path))
}

fn as_json(built: &Built, ids: &[ResourceId], values: bool, root: &str) -> Json {
    let resources: Vec<Json> = ids
        .iter()
        .map(|&id| {
            let resource = built.graph.get(id);
            let (start, end) = place(built, resource.span);
            let mut json = json!({
                "address": &*resource.address,
                "kind": &*resource.kind,
                "file": path(built, resource.span),
                "start": start,
                "end": end,
            });
            if values && let Some(fields) = json.as_object_mut() {
                fields.insert("values".to_owned(), resource.body.to_json_as_configured());
            }
            json
        })
        .collect();
    let known: Vec<bool> = {
        let mut known = vec![false; built.graph.resources.len()];
        for id in ids {
            known[id.0 as usize] = true;
        }
        known
    };
    let edges: Vec<Json> = built
        .graph
        .edges
        .iter()
        .filter(|e| known[e.from.0 as usize] && known[e.to.0 as usize])
        .map(|e| {
            json!({
                "from": &*built.graph.get(e.from).address,
                "to": &*built.graph.get(e.to).address,
                "via": &*e.via,
            })
        })
        .collect();
    let errors: Vec<Json> = built
        .errors
        .iter()
        .map(|e| {
            let (start, end) = place(built, e.span);
            json!({"file": path(built, e.span), "start": start, "end": end, "message": e.message})
        })
        .chain(built.failures.iter().map(|f| json!({"message": f.message, "step": f.step, "subject": f.subject})))
        .collect();
    // The outputs are those of the root module that was asked for.
    let is_root = |unit: &str| unit == root || (unit.is_empty() && root == ".") || (unit == "." && root.is_empty());
    let outputs: serde_json::Map<String, Json> = built
        .outputs
        .iter()
        .filter(|(unit, _)| is_root(unit))
        .flat_map(|(_, map)| map.entries.iter().map(|e| (e.key.to_string(), e.value.to_json_as_configured())))
        .collect();
    json!({"resources": resources, "outputs": outputs, "edges": edges, "errors": errors})
}

fn label(resource: &Resource) -> String {
    if resource.address.contains(&*resource.kind) {
        resource.address.to_string()
    } else {
        format!("{} {}", resource.kind, resource.address)
    }
}

fn quoted(text: &str) -> String {
    let text = crate::report::one_line(text);
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn as_dot(built: &Built, ids: &[ResourceId]) -> String {
    let mut text = String::from("digraph stacklint {\n  rankdir=LR;\n  node [shape=box];\n");
    let mut known = vec![false; built.graph.resources.len()];
    for id in ids {
        known[id.0 as usize] = true;
        text.push_str(&format!("  n{} [label={}];\n", id.0, quoted(&label(built.graph.get(*id)))));
    }
    for edge in built.graph.edges.iter().filter(|e| known[e.from.0 as usize] && known[e.to.0 as usize]) {
        text.push_str(&format!("  n{} -> n{} [label={}];\n", edge.from.0, edge.to.0, quoted(&edge.via)));
    }
    text.push_str("}\n");
    text
}

fn as_mermaid(built: &Built, ids: &[ResourceId]) -> String {
    // Mermaid writes a quotation mark inside a label as an entity.
    let quoted = |text: &str| format!("\"{}\"", crate::report::one_line(text).replace('"', "#quot;"));
    let mut text = String::from("flowchart LR\n");
    let mut known = vec![false; built.graph.resources.len()];
    for id in ids {
        known[id.0 as usize] = true;
        text.push_str(&format!("  n{}[{}]\n", id.0, quoted(&label(built.graph.get(*id)))));
    }
    for edge in built.graph.edges.iter().filter(|e| known[e.from.0 as usize] && known[e.to.0 as usize]) {
        text.push_str(&format!("  n{} -->|{}| n{}\n", edge.from.0, quoted(&edge.via), edge.to.0));
    }
    text
}
