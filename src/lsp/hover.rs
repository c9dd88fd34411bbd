//! Hover: what a value is, the way it came, or why it is not known; on a resource its edges and findings.

use super::diagnostics::Places;
use super::locate::{self, Found};
use crate::analysis::Report;
use crate::base::{FileId, Span};
use crate::diagnostic::Rule;
use crate::graph::{Data, How, Origin, ResourceGraph, Value};
use std::fmt::Write as _;

/// How much of a value is shown.
const MOST_CHARACTERS: usize = 1_500;

/// How many bytes of a value stand in the same line as its path.
const MOST_IN_LINE: usize = 60;

/// The Markdown of a hover and the span it is about.
pub fn hover(places: &Places<'_>, graph: &ResourceGraph, file: FileId, offset: u32) -> Option<(String, Span)> {
    let found = locate::at(graph, file, offset)?;
    let node = graph.get(found.resource);
    // What an instruction of a Dockerfile is taken apart into helps policies, not people; only an argument's way does.
    let instruction = node.kind.bytes().all(|b| b.is_ascii_uppercase());
    if found.path.is_empty() || (instruction && found.value.origin.chain().is_empty()) {
        let span = if found.path.is_empty() { found.span } else { node.head };
        return Some((resource(places.report, graph, &found), span));
    }
    Some((value(places, graph, &found), found.span))
}

fn value(places: &Places<'_>, graph: &ResourceGraph, found: &Found<'_>) -> String {
    let node = graph.get(found.resource);
    let mut text = format!("`{}` · `{}`", node.address, found.path);
    match &found.value.data {
        Data::Unknown(cause) => {
            let _ = writeln!(text, "\n\nNot known: {} ({})", cause.message, place(places, cause.span));
        }
        _ => {
            let value = shorten(&readable(found.value));
            // Editors give a hover little height: a short value stands in the first line.
            let _ = if value.len() <= MOST_IN_LINE && !value.contains(['\n', '`']) {
                writeln!(text, " = **`{value}`**")
            } else {
                writeln!(text, "\n\n```json\n{value}\n```")
            };
        }
    }
    let chain = found.value.origin.chain();
    // The way of what is not known is its cause, unless it leads elsewhere.
    let told =
        matches!(found.value.data, Data::Unknown(_)) && chain.iter().all(|o| found.value.span().contains(o.span));
    if !chain.is_empty() && !told {
        // One step of the way that is a secret makes all of them one: the literal at its end does not know what it is used for.
        let secret = found.value.origin.sensitive || chain.iter().any(|o| o.sensitive);
        text.push_str("\nComes from\n");
        for (i, origin) in chain.iter().enumerate() {
            let _ =
                writeln!(text, "{}. {} at {}", i + 1, way(origin, places.report, secret), place(places, origin.span));
        }
    }
    text
}

/// A value as JSON for people: a policy or another document that is written as JSON in a string is laid out.
fn readable(value: &Value) -> String {
    let json = value.to_json();
    let document = json.as_str().filter(|s| s.trim_start().starts_with(['{', '[']));
    let document = document.and_then(|s| serde_json::from_str::<serde_json::Value>(s).ok());
    serde_json::to_string_pretty(&document.unwrap_or(json)).unwrap_or_default()
}

fn resource(report: &Report, graph: &ResourceGraph, found: &Found<'_>) -> String {
    let node = graph.get(found.resource);
    let mut text = format!("**{}** `{}`\n", node.kind, node.address);
    let findings: Vec<_> = report
        .diagnostics
        .iter()
        .filter(|d| d.subject.as_ref().is_some_and(|s| s.address == node.address && s.span == node.span))
        .collect();
    if !findings.is_empty() {
        text.push_str("\nFindings\n");
        for d in findings.iter().take(12) {
            let _ = writeln!(text, "- {}: {} ([{}]({}))", d.severity, d.message, d.rule.name, d.rule.url);
        }
    }
    let out: Vec<String> = graph
        .outgoing(found.resource)
        .map(|e| format!("- → `{}` through `{}`", graph.get(e.to).address, e.via))
        .collect();
    let into: Vec<String> = graph
        .incoming(found.resource)
        .filter(|e| graph.get(e.from).parent.is_none())
        .map(|e| format!("- ← `{}` through `{}`", graph.get(e.from).address, e.via))
        .collect();
    if out.len() + into.len() > 0 {
        text.push_str("\nJoined to\n");
        for line in out.iter().chain(&into).take(24) {
            let _ = writeln!(text, "{line}");
        }
    }
    text
}

/// A policy's documentation.
pub fn page(rule: &Rule) -> String {
    let mut text =
        format!("**{}** · {} · {}\n\n{}\n\n{}\n\n", rule.name, rule.severity, rule.category, rule.title, rule.why);
    let _ = writeln!(text, "{}\n", rule.remediation);
    for reference in &rule.references {
        let _ = writeln!(text, "- <{reference}>");
    }
    if !rule.aliases.is_empty() {
        let _ = writeln!(text, "\nAlso known as {}", rule.aliases.join(", "));
    }
    text
}

fn way(origin: &Origin, report: &Report, secret: bool) -> String {
    let source = report.files.slice(origin.span);
    let short = shorten(source.lines().next().unwrap_or(""));
    let what = match origin.how {
        How::Literal => "written",
        How::Default => "default",
        How::Variable => "variable",
        How::Local => "local",
        How::ModuleArgument => "module argument",
        How::Function => "computed",
        How::Rendered => "template",
        How::Partial(_) => "known in part",
        How::Planned => "planned",
        How::Encoded(_) => "encoded",
    };
    if secret || short.is_empty() { what.to_owned() } else { format!("{what} `{}`", short.replace('`', "'")) }
}

/// A place as a link that editors follow to the line.
fn place(places: &Places<'_>, span: Span) -> String {
    let Some(file) = places.report.files.get(span.file) else { return "outside of the files".to_owned() };
    let line = file.lines().line(span.start);
    let name = format!("{}:{line}", file.path);
    match places.paths.uri(&file.path) {
        // A bracket or parenthesis would end the link.
        Some(uri) if !name.contains(['[', ']', '`']) => {
            let uri = uri.as_str().replace('(', "%28").replace(')', "%29");
            format!("[{name}]({uri}#L{line})")
        }
        _ => name,
    }
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(MOST_CHARACTERS) {
        Some((i, _)) => format!("{}…", &text[..i]),
        None => text.to_owned(),
    }
}

/// The value as one short line, for inlay hints; `None` where it says no more than the source.
pub fn inline(value: &Value, source: &str) -> Option<String> {
    if value.origin.sensitive || matches!(value.origin.how, How::Literal) {
        return None;
    }
    let text = match &value.data {
        Data::Unknown(_) | Data::Null | Data::Map(_) => return None,
        Data::String(s) => format!("\"{s}\""),
        _ => value.to_json().to_string(),
    };
    let short: String = text.chars().take(60).collect();
    let short = if short.len() < text.len() { format!("{short}…") } else { short };
    (short != source && text.trim_matches('"') != source.trim_matches('"')).then_some(short)
}
