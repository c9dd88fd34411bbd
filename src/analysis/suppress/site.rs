//! Where a finding stands, in the terms that ignores use: its line and the blocks around it.

use super::super::check::Built;
use super::super::evaluate::Found;
use super::index::{Line, Outermost};
use super::{Ignore, Reach};
use crate::base::{FileId, SourceFile, Span};
use crate::graph::{Resource, Value};
use std::sync::Arc;

/// Values are nested no deeper than this where they are searched for enclosing blocks.
const MAX_DEPTH: usize = 64;

pub(super) struct Site<'a> {
    found: &'a Found,
    resource: Option<&'a Arc<Resource>>,
    path: Option<&'a str>,
    /// The file and line of the finding itself.
    line: Line,
    /// The earlier lines of which this one is the continuation.
    continued: Vec<Line>,
    /// Every block around it: nested blocks, its resource, the module calls that led there.
    blocks: Vec<Span>,
    /// The lines on which the blocks begin.
    begins: Vec<Line>,
}

impl<'a> Site<'a> {
    pub fn of(built: &'a Built, found: &'a Found, outermost: &Outermost) -> Site<'a> {
        let diagnostic = &found.diagnostic;
        let primary = diagnostic.primary.span;
        let mut blocks: Vec<Span> = diagnostic.callers.to_vec();
        blocks.extend(diagnostic.subject.iter().map(|s| s.span));
        let mut resource = found.resource.map(|id| built.graph.get(id));
        let mut at = found.resource;
        while let Some(id) = at {
            let node = built.graph.get(id);
            blocks.push(node.span);
            enclosing(&node.body, primary, &mut blocks, 0);
            // Attributes and annotations are those of what is written, not of the node derived from it.
            resource = Some(node);
            at = built.graph.parent(id).filter(|&parent| parent.0 < id.0);
        }
        // A Dockerfile's instructions are inside a stage; a finding about the stage may point into one.
        blocks.extend(outermost.around(primary));
        blocks.sort_unstable();
        blocks.dedup();
        let line = line_of(built, primary);
        let begins = blocks.iter().map(|&b| line_of(built, b)).collect();
        let path = built.files.get(primary.file).map(|f| &*f.path);
        Site { found, resource, path, line, continued: continued(built, line), blocks, begins }
    }

    /// The lines that an ignore may speak of to reach this place.
    pub fn lines(&self) -> impl Iterator<Item = Line> + '_ {
        std::iter::once(self.line).chain(self.continued.iter().chain(&self.begins).copied())
    }

    /// The blocks around it.
    pub fn blocks(&self) -> &[Span] {
        &self.blocks
    }

    /// The files in which it or something around it stands, without repeats in a row.
    pub fn files(&self) -> impl Iterator<Item = FileId> + '_ {
        let others = self.blocks.iter().map(|b| b.file).filter(|&file| file != self.line.0);
        std::iter::once(self.line.0).chain(others)
    }

    /// Whether an ignore that speaks of these lines reaches this place.
    pub fn is_reached(&self, ignore: &Ignore, lines: &[Line]) -> bool {
        match &ignore.reach {
            Reach::Place | Reach::NextBlock => self.lines().any(|line| lines.contains(&line)),
            Reach::Line | Reach::Around => lines.contains(&self.line),
            Reach::Inside => self.blocks.iter().any(|b| b.contains(ignore.span)),
            Reach::Resource { address, span } => {
                let subject = self.found.diagnostic.subject.as_ref();
                subject.is_some_and(|s| s.address == *address)
                    || self.resource.is_some_and(|r| r.address == *address)
                    || self.blocks.contains(span)
            }
            Reach::Part(span) => span.contains(self.found.diagnostic.primary.span.start_point()),
            Reach::File => self.line.0 == ignore.span.file,
            Reach::Everywhere(None) => true,
            Reach::Everywhere(Some(paths)) => self.path.is_some_and(|p| paths.is_match(p)),
        }
    }

    /// Whether the resource has these attributes, as `trivy:ignore:ID[name=value]` demands.
    pub fn has_attributes(&self, wanted: &[(String, String)]) -> bool {
        wanted.iter().all(|(path, expected)| {
            let steps: Vec<&str> = path.split('.').collect();
            let texts = |resource: &Arc<Resource>| any_scalar(&resource.body, &steps, expected);
            self.resource.is_some_and(texts)
        })
    }
}

/// Whether the value at a path, through lists of blocks, is a scalar of this text.
fn any_scalar(value: &Value, steps: &[&str], expected: &str) -> bool {
    if let Some(items) = value.as_list() {
        return items.iter().any(|item| any_scalar(item, steps, expected));
    }
    match steps.split_first() {
        Some((first, rest)) => value.get(first).is_some_and(|v| any_scalar(v, rest, expected)),
        None => value.scalar_text().is_some_and(|text| text == expected),
    }
}

/// The blocks and values inside `value` that a place lies in.
fn enclosing(value: &Value, place: Span, blocks: &mut Vec<Span>, depth: usize) {
    if depth > MAX_DEPTH {
        return;
    }
    if let Some(map) = value.as_map() {
        for entry in &map.entries {
            // A list of repeated blocks has no place of its own that covers them all.
            let whole = entry.key_span.to(entry.value.span());
            if whole.contains(place) {
                blocks.push(whole);
            }
            if whole.contains(place) || entry.value.as_list().is_some() {
                enclosing(&entry.value, place, blocks, depth + 1);
            }
        }
    } else if let Some(items) = value.as_list() {
        for item in items {
            let head = item.as_map().and_then(|m| m.head);
            let whole = head.map_or(item.span(), |h| h.to(item.span()));
            if whole.contains(place) {
                blocks.push(whole);
                enclosing(item, place, blocks, depth + 1);
            }
        }
    }
}

/// The lines before this one that it continues: each ends with a backslash (or a backtick, where a Dockerfile says so), or
/// is a comment among such lines.
fn continued(built: &Built, (file, line): Line) -> Vec<Line> {
    let Some(source) = built.files.get(file) else { return Vec::new() };
    let continues = |&line: &u32| {
        let text = line_text(source, line).trim_end();
        text.ends_with(['\\', '`']) || text.trim_start().starts_with('#')
    };
    (0..line).rev().take_while(continues).map(|line| (file, line)).collect()
}

pub(super) fn line_of(built: &Built, span: Span) -> Line {
    let line = built.files.get(span.file).map_or(0, |f| f.lines().line(span.start));
    (span.file, line)
}

fn line_text(file: &SourceFile, line: u32) -> &str {
    file.text.get(file.lines().line_range(&file.text, line)).unwrap_or("")
}

/// The first line after a comment that holds neither a comment nor nothing.
pub(super) fn next_code(built: &Built, comment: Span) -> Option<Line> {
    let file = built.files.get(comment.file)?;
    let lines = file.lines();
    let mut line = lines.line(comment.end);
    while line < lines.line_count() {
        line += 1;
        let text = line_text(file, line).trim_start();
        if !text.is_empty() && !text.starts_with('#') && !text.starts_with("//") {
            return Some((comment.file, line));
        }
    }
    None
}
