//! Reading on after an error.
//!
//! The first error of a document ends the scanner's work on it. So the line that is at fault is blanked, byte for
//! byte, and the text is read again, until it reads or the budget is spent; then what was read before the error is kept. What a
//! blanked line would have given is marked in the tree as [`NodeKind::Missing`](super::NodeKind::Missing) under the key
//! it seems to have had, so that nobody takes it for absent.

use super::build::{Builder, build, offset};
use super::node::{Content, NodeData, NodeId, Style, Text, Tree};
use crate::base::{FileId, Span};
use std::ops::Range;
use std::sync::Arc;

/// How many lines may be blanked in one file.
const REPAIRS: usize = 64;

/// How many bytes may be read again on behalf of one file.
const REREAD_BUDGET: usize = 16 << 20;

/// Reads a file. Never fails: see [`Tree::errors`].
pub fn parse(file: FileId, text: Arc<str>) -> Tree {
    let first = build(file, &text, &text);
    if first.failures.is_empty() {
        return finish(first, &[], Vec::new());
    }
    let mut budget = REREAD_BUDGET;
    let mut errors = Vec::new();
    let mut holes: Vec<Range<usize>> = Vec::new();
    let mut source = text.to_string();
    for _ in 0..REPAIRS {
        if budget < source.len() {
            break;
        }
        budget -= source.len();
        // Rebuilt from the repaired text, because the builder borrows what it reads.
        let built = build(file, &text, &source);
        let Some(failure) = built.failures.first() else { break };
        let before = score(&built);
        let error = built.describe(failure);
        let candidates = candidates(&source, failure.offset, error.span.start as usize);
        // Blanking a line may leave its continuation behind: one mistake, one error.
        let follows = holes.last().is_some_and(|hole: &Range<usize>| {
            text.get(hole.end..error.span.start as usize).is_some_and(|gap| gap.trim().is_empty())
        });
        if !follows {
            errors.push(error);
        }
        drop(built);
        let mut best: Option<((usize, usize), Range<usize>, String)> = None;
        for line in candidates {
            if budget < source.len() {
                break;
            }
            budget -= source.len();
            let mut repaired = source.clone();
            blank(&mut repaired, line.clone());
            let after = score(&build(file, &text, &repaired));
            if after > before && best.as_ref().is_none_or(|(score, _, _)| after > *score) {
                best = Some((after, line, repaired));
            }
        }
        let Some((_, line, repaired)) = best else { break };
        source = repaired;
        holes.push(line);
    }
    let built = build(file, &text, &source);
    // What could not be repaired: the first of them is described already.
    for failure in built.failures.iter() {
        let error = built.describe(failure);
        if !errors.iter().any(|e| e.span == error.span) {
            errors.push(error);
        }
    }
    finish(built, &holes, errors)
}

/// How far a text reads: to its first error, and then how much of it.
fn score(built: &Builder<'_>) -> (usize, usize) {
    let first = built.failures.first().map_or(usize::MAX, |f| f.offset);
    (first, built.tree.len())
}

/// The lines that may be at fault, likeliest first.
fn candidates(source: &str, stopped: usize, described: usize) -> Vec<Range<usize>> {
    let at = stopped.min(source.len());
    let mut lines = vec![line_at(source, described)];
    let mut here = line_at(source, at);
    // The scanner may stand on an empty line before or behind the one it complains about.
    if is_blank(source, &here) {
        let mut next = here.clone();
        while next.end < source.len() && is_blank(source, &next) {
            next = line_at(source, next.end + 1);
        }
        if !is_blank(source, &next) {
            lines.push(next);
        }
        while here.start > 0 && is_blank(source, &here) {
            here = line_at(source, here.start - 1);
        }
    }
    let mut above = here.clone();
    lines.push(here);
    while above.start > 0 {
        above = line_at(source, above.start - 1);
        if !is_blank(source, &above) {
            lines.push(above);
            break;
        }
    }
    lines.retain(|line| {
        let text = source.get(line.clone()).unwrap_or("");
        !text.trim().is_empty() && !text.starts_with("---")
    });
    lines
}

fn is_blank(source: &str, line: &Range<usize>) -> bool {
    source.get(line.clone()).is_none_or(|text| text.trim().is_empty())
}

/// The line around a byte, without its line break.
fn line_at(source: &str, at: usize) -> Range<usize> {
    let bytes = source.as_bytes();
    let at = at.min(bytes.len());
    let start = bytes[..at].iter().rposition(|&b| b == b'\n').map_or(0, |i| i + 1);
    let end = bytes[at..].iter().position(|&b| b == b'\n').map_or(bytes.len(), |i| at + i);
    start..end
}

fn blank(source: &mut String, range: Range<usize>) {
    let spaces = " ".repeat(range.len());
    source.replace_range(range, &spaces);
}

fn finish(built: Builder<'_>, holes: &[Range<usize>], errors: Vec<crate::diagnostic::SyntaxError>) -> Tree {
    let mut tree = built.tree;
    tree.errors.extend(errors);
    tree.errors.sort_by_key(|e| (e.span.start, e.span.end));
    let mut holes = holes.to_vec();
    holes.sort_by_key(|h| h.start);
    for hole in holes {
        mark(&mut tree, &hole);
    }
    tree
}

/// Puts a missing entry where a blanked line stood.
fn mark(tree: &mut Tree, hole: &Range<usize>) {
    let text = tree.text.clone();
    let line = text.get(hole.clone()).unwrap_or("");
    let indent = line.len() - line.trim_start().len();
    let mut at = hole.start + indent;
    let body = line.trim_start();
    // The dash of a list item is no part of the key.
    let key_text = body.strip_prefix("- ").map_or(body, |rest| {
        at += body.len() - rest.trim_start().len();
        rest.trim_start()
    });
    let key_len = key_text.find([':', ' ', '\t', '\r']).unwrap_or(key_text.len());
    let column = at - hole.start;
    let document = tree.documents.iter().rposition(|d| d.span.start as usize <= hole.start).unwrap_or(0);
    if let Some(document) = tree.documents.get_mut(document) {
        document.broken = true;
    }
    let Some(parent) = enclosing(tree, hole, column) else { return };
    if key_len == 0 {
        return;
    }
    let key =
        NodeData::new(at..at + key_len, Style::Plain, Content::Scalar(Text::Source(offset(at), offset(at + key_len))));
    let end = hole.start + line.trim_end().len();
    let value = NodeData::new(at + key_len..end.max(at + key_len), Style::Plain, Content::Missing);
    let ids = [push(tree, key), push(tree, value)];
    let parent = parent.0 as usize;
    let Some(Content::Mapping { first, len }) = tree.nodes.get(parent).map(|n| n.content.clone()) else { return };
    let children: Vec<NodeId> = tree.pool.get(first as usize..(first + len * 2) as usize).unwrap_or(&[]).to_vec();
    let first = offset(tree.pool.len());
    tree.pool.extend(children);
    tree.pool.extend(ids);
    if let Some(node) = tree.nodes.get_mut(parent) {
        node.content = Content::Mapping { first, len: len + 1 };
    }
}

fn push(tree: &mut Tree, node: NodeData) -> NodeId {
    tree.nodes.push(node);
    NodeId(offset(tree.nodes.len() - 1))
}

/// The block mapping to which a line with a key in this column belongs.
fn enclosing(tree: &Tree, hole: &Range<usize>, column: usize) -> Option<NodeId> {
    let column_of = |start: u32| start as usize - line_at(&tree.text, start as usize).start;
    let fits = |node: &NodeData| {
        matches!(node.content, Content::Mapping { .. }) && node.style == Style::Block && column_of(node.start) == column
    };
    // Between the mapping and the line nothing may be indented less.
    let connected = |gap: Range<usize>| {
        let gap = tree.text.get(gap).unwrap_or("");
        gap.lines().skip(1).all(|line| {
            let indent = line.len() - line.trim_start().len();
            line.trim().is_empty() || line.trim_start().starts_with('#') || indent >= column
        })
    };
    let candidates = || tree.nodes.iter().enumerate().filter(|(_, n)| fits(n));
    let above = candidates().filter(|(_, n)| (n.start as usize) < hole.start).max_by_key(|(_, n)| n.start);
    let below = candidates().filter(|(_, n)| n.start as usize > hole.end).min_by_key(|(_, n)| n.start);
    let above = above.filter(|(_, n)| connected(n.start as usize..hole.start));
    let below = below.filter(|(_, n)| connected(hole.start..n.start as usize));
    above.or(below).map(|(index, _)| NodeId(offset(index)))
}

impl Tree {
    /// The span of the whole text.
    pub fn whole(&self) -> Span {
        Span::new(self.file, 0..self.text.len())
    }
}
