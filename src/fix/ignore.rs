//! The other way to deal with a finding: a comment that accepts it.

use crate::base::{SourceFile, Span};
use crate::diagnostic::{Diagnostic, Edit};
use crate::formats::FORMATS;
use crate::graph::{Data, ResourceGraph, Value};
use crate::syntax::Comment;

/// How deep values are followed; sources nest less.
const DEPTH: usize = 64;

/// A line that ignores a finding, at the indent of the line below it: above the finding's own line, or, where that line is in
/// the midst of a text or an expression, above what it is a part of. `reason` stands behind the policy's name and is one
/// line. `None` where the file has no comments, or the finding is in another one.
pub fn ignore_comment(graph: &ResourceGraph, file: &SourceFile, finding: &Diagnostic, reason: &str) -> Option<Edit> {
    let place = finding.primary.span;
    if place.file != file.id || file.path.ends_with(".json") {
        return None;
    }
    let ending = if file.text.contains("\r\n") { "\r\n" } else { "\n" };
    let format = FORMATS.iter().find(|f| f.claims(&file.path, &file.text))?;
    around(graph, place).into_iter().find_map(|start| {
        let line = file.lines().line_range(&file.text, file.lines().line(start));
        let text = file.text.get(line.clone())?;
        let indent: String = text.chars().take_while(|c| c.is_whitespace() && !matches!(c, '\n' | '\r')).collect();
        let comment = format!("{indent}# stacklint: ignore[{}] {reason}{ending}", finding.rule.name);
        let sign = line.start + indent.len();
        // The format itself says whether it reads this as a comment there.
        let mut tried = String::with_capacity(file.text.len() + comment.len());
        tried.push_str(file.text.get(..line.start)?);
        tried.push_str(&comment);
        tried.push_str(file.text.get(line.start..)?);
        let tried = SourceFile::new(file.id, file.path.clone(), tried.into());
        let is_it = |c: &Comment| c.own_line && c.span.start as usize == sign;
        let works = format.parse(&tried).comments.iter().any(is_it);
        works.then(|| Edit { span: Span::at(file.id, line.start), text: comment })
    })
}

/// Where a place and everything around it in its file begins, from the inside out: values, attributes, blocks, resources.
fn around(graph: &ResourceGraph, place: Span) -> Vec<u32> {
    let mut spans: Vec<Span> = Vec::new();
    for id in graph.covering(place.file, place.start) {
        let node = graph.get(id);
        spans.push(node.span);
        nested(&node.body, place, &mut spans, 0);
    }
    spans.sort_by_key(|s| (s.end - s.start, std::cmp::Reverse(s.start)));
    let mut starts = vec![place.start];
    starts.extend(spans.into_iter().map(|s| s.start));
    starts.dedup();
    starts
}

/// The values and attributes inside of a value that a place lies in.
fn nested(value: &Value, place: Span, spans: &mut Vec<Span>, depth: usize) {
    if depth > DEPTH {
        return;
    }
    let mut found = |span: Span| {
        if span.contains(place) {
            spans.push(span);
        }
    };
    match &value.data {
        Data::Map(map) => {
            for entry in &map.entries {
                found(entry.key_span.to(entry.value.span()));
            }
            map.entries.iter().for_each(|e| nested(&e.value, place, spans, depth + 1));
        }
        Data::List(items) => {
            for item in items.iter() {
                found(item.as_map().and_then(|m| m.head).map_or(item.span(), |h| h.to(item.span())));
            }
            items.iter().for_each(|i| nested(i, place, spans, depth + 1));
        }
        _ => {}
    }
}
