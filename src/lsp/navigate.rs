//! Definition, references, symbols, selection and lenses: all read off the graph.

use super::convert;
use super::diagnostics::Places;
use super::locate;
use crate::base::{FileId, Span};
use crate::diagnostic::Category;
use crate::graph::{Data, ResourceGraph, ResourceId, Value};
use lsp_types::{CodeLens, Command, DocumentSymbol, Location, SelectionRange, SymbolKind};

/// Where what stands at a place is declared: along the edge whose reference stands there, else where the value came from.
pub fn definition(places: &Places<'_>, graph: &ResourceGraph, file: FileId, offset: u32) -> Vec<Location> {
    let here = Span { file, start: offset, end: offset };
    let mut spans: Vec<Span> =
        graph.edges.iter().filter(|e| e.span.contains(here)).map(|e| graph.get(e.to).head).collect();
    if spans.is_empty()
        && let Some(found) = locate::at(graph, file, offset)
    {
        spans.extend(found.value.origin.chain().first().map(|o| o.span));
        if spans.is_empty()
            && let Data::Unknown(cause) = &found.value.data
        {
            spans.push(cause.span);
        }
    }
    locations(places, spans)
}

/// Who refers to the resource at a place, and the resource itself where that is asked for.
pub fn references(
    places: &Places<'_>,
    graph: &ResourceGraph,
    file: FileId,
    offset: u32,
    declaration: bool,
) -> Vec<Location> {
    let Some(found) = locate::at(graph, file, offset) else { return Vec::new() };
    let own = declaration.then(|| graph.get(found.resource).head);
    let incoming = graph
        .incoming(found.resource)
        .filter(|e| graph.get(e.from).parent.is_none())
        .map(|e| if e.span.is_none() { graph.get(e.from).head } else { e.span });
    locations(places, own.into_iter().chain(incoming).collect())
}

fn locations(places: &Places<'_>, mut spans: Vec<Span>) -> Vec<Location> {
    spans.sort_unstable();
    spans.dedup();
    spans.into_iter().filter_map(|s| places.location(s)).collect()
}

/// The resources of a file with their attributes and blocks.
pub fn symbols(places: &Places<'_>, graph: &ResourceGraph, file: FileId) -> Vec<DocumentSymbol> {
    in_file(graph, file)
        .into_iter()
        .map(|id| {
            let node = graph.get(id);
            let children = children(places, &node.body, file, 0);
            symbol(
                places,
                node.address.to_string(),
                Some(node.kind.to_string()),
                SymbolKind::CLASS,
                node.span,
                node.head,
                children,
            )
        })
        .collect()
}

/// The resources that stand in a file, once each, by place. Instances of one block are one.
pub fn in_file(graph: &ResourceGraph, file: FileId) -> Vec<ResourceId> {
    let mut ids: Vec<ResourceId> =
        graph.in_file(file).iter().copied().filter(|&id| graph.get(id).parent.is_none()).collect();
    ids.sort_by_key(|&id| (graph.get(id).span, id));
    ids.dedup_by_key(|id| graph.get(*id).span);
    ids
}

/// How deep symbols are listed.
const DEPTH: usize = 4;

fn children(places: &Places<'_>, value: &Value, file: FileId, depth: usize) -> Vec<DocumentSymbol> {
    let Some(map) = value.as_map().filter(|_| depth < DEPTH) else { return Vec::new() };
    let mut found = Vec::new();
    for entry in &map.entries {
        let blocks = entry.value.as_list().filter(|items| items.iter().all(|i| i.as_map().is_some()));
        for inner in blocks.unwrap_or(std::slice::from_ref(&entry.value)) {
            let head = inner.as_map().and_then(|m| m.head).unwrap_or(entry.key_span);
            let whole = head.to(inner.span());
            if whole.file != file || head.file != file {
                continue;
            }
            let (kind, detail) = match &inner.data {
                Data::Map(_) => (SymbolKind::STRUCT, None),
                Data::List(_) => (SymbolKind::ARRAY, None),
                Data::Bool(_) => (SymbolKind::BOOLEAN, inner.scalar_text()),
                Data::Number(_) => (SymbolKind::NUMBER, inner.scalar_text()),
                _ => (SymbolKind::PROPERTY, None),
            };
            let detail = detail.filter(|_| !inner.origin.sensitive).map(|d| d.to_string());
            found.push(symbol(
                places,
                entry.key.to_string(),
                detail,
                kind,
                whole,
                head,
                children(places, inner, file, depth + 1),
            ));
        }
    }
    found
}

#[expect(deprecated, reason = "the protocol's type has a deprecated field that must be filled")]
fn symbol(
    places: &Places<'_>,
    name: String,
    detail: Option<String>,
    kind: SymbolKind,
    whole: Span,
    head: Span,
    children: Vec<DocumentSymbol>,
) -> DocumentSymbol {
    // The protocol demands that the selection lies inside the range.
    let selection = if whole.contains(head) { head } else { whole.start_point() };
    DocumentSymbol {
        name: if name.is_empty() { "(unnamed)".to_owned() } else { name },
        detail,
        kind,
        tags: None,
        deprecated: None,
        range: places.range(whole),
        selection_range: places.range(selection),
        children: (!children.is_empty()).then_some(children),
    }
}

/// Selections that grow with each step: value, entry, block, resource, file.
pub fn selection(places: &Places<'_>, graph: &ResourceGraph, file: FileId, offset: u32) -> SelectionRange {
    let here = Span { file, start: offset, end: offset };
    let mut spans: Vec<Span> = Vec::new();
    for id in graph.covering(file, offset) {
        let node = graph.get(id);
        spans.push(node.span);
        nested(&node.body, &mut spans, 0);
    }
    if let Some(source) = places.report.files.get(file) {
        spans.push(Span::new(file, 0..source.text.len()));
    }
    spans.retain(|s| s.contains(here));
    spans.sort_by_key(|s| (std::cmp::Reverse(s.end - s.start), s.start));
    spans.dedup();
    let mut range = None;
    let mut outer: Option<Span> = None;
    for span in spans {
        // Each selection must contain the next; places that merely overlap are left out.
        if outer.is_none_or(|o| o.contains(span)) {
            range = Some(Box::new(SelectionRange { range: places.range(span), parent: range }));
            outer = Some(span);
        }
    }
    let nothing = || {
        let at = places.report.files.get(file).map(|f| convert::range(f, here, places.encoding)).unwrap_or_default();
        SelectionRange { range: at, parent: None }
    };
    range.map_or_else(nothing, |r| *r)
}

fn nested(value: &Value, spans: &mut Vec<Span>, depth: usize) {
    if depth > 64 {
        return;
    }
    spans.push(value.span());
    match &value.data {
        Data::Map(map) => {
            for entry in &map.entries {
                spans.push(entry.key_span);
                spans.push(entry.key_span.to(entry.value.span()));
                nested(&entry.value, spans, depth + 1);
            }
        }
        Data::List(items) => items.iter().for_each(|i| nested(i, spans, depth + 1)),
        _ => {}
    }
}

/// Above each resource: how many findings it has, and whether the internet reaches it.
pub fn lenses(places: &Places<'_>, graph: &ResourceGraph, file: FileId) -> Vec<CodeLens> {
    let mut lenses = Vec::new();
    for id in in_file(graph, file) {
        let node = graph.get(id);
        let mine =
            || places.report.diagnostics.iter().filter(|d| d.subject.as_ref().is_some_and(|s| s.span == node.span));
        let count = mine().count();
        if count == 0 {
            continue;
        }
        let worst = mine().map(|d| d.severity).max().map_or("", |s| s.as_str());
        let open = mine().any(|d| d.rule.category == Category::Network && d.rule.tags.iter().any(|t| t == "internet"));
        let exposed = if open { " · open to the internet" } else { "" };
        let plural = if count == 1 { "" } else { "s" };
        lenses.push(CodeLens {
            // Above the whole: a manifest's head is its name, in the middle of it.
            range: places.range(Span { end: node.span.start, ..node.span }),
            command: Some(Command {
                title: format!("{count} finding{plural}, worst {worst}{exposed}"),
                command: String::new(),
                arguments: None,
            }),
            data: None,
        });
    }
    lenses
}
