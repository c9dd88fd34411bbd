//! Where a finding stands, in the terms that ignores use: its line and the blocks around it.

use super::super::check::Built;
use super::super::evaluate::Found;
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
    line: (FileId, u32),
    /// Every block around it: nested blocks, its resource, the module calls that led there.
    blocks: Vec<Span>,
}

impl<'a> Site<'a> {
    pub fn of(built: &'a Built, found: &'a Found) -> Site<'a> {
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
        blocks.extend(
            built
                .graph
                .in_file(primary.file)
                .iter()
                .map(|&id| built.graph.get(id))
                .filter(|r| r.parent.is_none())
                .map(|r| r.span)
                .filter(|s| s.contains(primary)),
        );
        blocks.sort_unstable();
        blocks.dedup();
        Site {
            found,
            resource,
            path: built.files.get(primary.file).map(|f| &*f.path),
            line: line_of(built, primary),
            blocks,
        }
    }

    /// Whether an ignore reaches this place.
    pub fn is_reached(&self, ignore: &Ignore, built: &Built) -> bool {
        let comment = ignore.span;
        let comment_line = line_of(built, comment);
        let begins = |line: (FileId, u32)| self.blocks.iter().any(|&b| line_of(built, b) == line);
        match &ignore.reach {
            Reach::Place => {
                let lines = [Some(comment_line), ignore.own_line.then(|| next_code(built, comment)).flatten()];
                lines.into_iter().flatten().any(|line| line == self.line || self.continues(built, line) || begins(line))
            }
            Reach::Line => {
                self.line.0 == comment_line.0
                    && (self.line.1 == comment_line.1 || self.line.1 == comment_line.1.saturating_add(1))
            }
            Reach::NextBlock => {
                next_code(built, comment).is_some_and(|l| l == self.line || self.continues(built, l) || begins(l))
            }
            Reach::Inside => self.blocks.iter().any(|b| b.contains(comment)),
            Reach::Around => self.line.0 == comment_line.0 && self.line.1.abs_diff(comment_line.1) <= 1,
            Reach::Resource { address, span } => {
                let subject = self.found.diagnostic.subject.as_ref();
                subject.is_some_and(|s| s.address == *address)
                    || self.resource.is_some_and(|r| r.address == *address)
                    || self.blocks.contains(span)
            }
            Reach::Part(span) => span.contains(self.found.diagnostic.primary.span.start_point()),
            Reach::File => self.line.0 == comment.file,
            Reach::Everywhere(None) => true,
            Reach::Everywhere(Some(paths)) => self.path.is_some_and(|p| paths.is_match(p)),
        }
    }

    /// Whether the finding's line belongs to an instruction that begins on an earlier line and is continued with a
    /// backslash (or a backtick, where a Dockerfile says so).
    fn continues(&self, built: &Built, first: (FileId, u32)) -> bool {
        if self.line.0 != first.0 || self.line.1 <= first.1 {
            return false;
        }
        let Some(file) = built.files.get(first.0) else { return false };
        (first.1..self.line.1).all(|line| {
            let text = line_text(file, line).trim_end();
            text.ends_with(['\\', '`']) || text.trim_start().starts_with('#')
        })
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

fn line_of(built: &Built, span: Span) -> (FileId, u32) {
    let line = built.files.get(span.file).map_or(0, |f| f.lines().line(span.start));
    (span.file, line)
}

fn line_text(file: &SourceFile, line: u32) -> &str {
    file.text.get(file.lines().line_range(&file.text, line)).unwrap_or("")
}

/// The first line after a comment that holds neither a comment nor nothing.
fn next_code(built: &Built, comment: Span) -> Option<(FileId, u32)> {
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
