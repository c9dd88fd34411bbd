//! From what a policy asks for to edits of text.
//!
//! A request names values and maps of the graph. Each is looked up in the tree of the file it stands in, so that an edit
//! changes exactly the node that is meant and everything around it stays: comments, order, indentation, quotes, line
//! endings. What cannot be done with certainty is not done.

use super::source::{Source, Syntax};
use super::{dockerfile, hcl, literal, yaml};
use crate::base::{FastMap, FileId, Files, Span};
use crate::diagnostic::{Edit, Fix, Safety};
use crate::graph::{How, Origin, Value};
use crate::policy::fix::{FixRequest, FixTarget};
use std::sync::Arc;

/// Parents of a value that are looked at when its literal is sought.
const MAX_ORIGINS: usize = 64;

/// Turns requests into edits. Parses each file at most once.
pub struct Planner<'a> {
    files: &'a Files,
    sources: FastMap<FileId, Option<Arc<Source>>>,
}

/// Something new in a map: a value, or a map (or nested block) that is not there yet.
#[derive(Clone, Debug)]
pub enum New {
    /// A value.
    Value(Value),
    /// Names within a map.
    Map {
        /// Whether it is written as a nested block.
        block: bool,
        /// What is in it.
        entries: Vec<(String, New)>,
    },
}

/// All that one fix adds to one map.
#[derive(Clone, Debug)]
pub struct Insertion {
    /// The map.
    pub container: Value,
    /// What names it.
    pub head: Option<Span>,
    /// What comes.
    pub entries: Vec<(String, New)>,
}

impl Insertion {
    fn add(&mut self, names: &[String], blocks: usize, value: &Value) {
        let mut entries = &mut self.entries;
        let Some((last, maps)) = names.split_last() else { return };
        for (i, name) in maps.iter().enumerate() {
            let found = entries.iter().position(|(n, new)| n == name && matches!(new, New::Map { .. }));
            let at = found.unwrap_or_else(|| {
                entries.push((name.clone(), New::Map { block: i < blocks, entries: Vec::new() }));
                entries.len() - 1
            });
            let Some((_, New::Map { entries: inner, .. })) = entries.get_mut(at) else { return };
            entries = inner;
        }
        if !entries.iter().any(|(n, _)| n == last) {
            entries.push((last.clone(), New::Value(value.clone())));
        }
    }
}

impl<'a> Planner<'a> {
    /// A planner over the texts that the spans of requests refer to.
    pub fn new(files: &'a Files) -> Planner<'a> {
        Planner { files, sources: FastMap::default() }
    }

    /// The edits of a request; `None` where some part of it cannot be written down with certainty.
    pub fn plan(&mut self, request: &FixRequest) -> Option<Fix> {
        let mut edits: Vec<Edit> = Vec::new();
        let mut safety = request.safety;
        let mut insertions: Vec<Insertion> = Vec::new();
        for action in &request.actions {
            match action {
                FixTarget::InsertValue { container, head, names, blocks, new } => {
                    let span = container.span();
                    let at = insertions.iter().position(|i| i.container.span() == span && i.head == *head);
                    let at = at.unwrap_or_else(|| {
                        insertions.push(Insertion { container: container.clone(), head: *head, entries: Vec::new() });
                        insertions.len() - 1
                    });
                    insertions.get_mut(at)?.add(names, *blocks, new);
                }
                FixTarget::SetValue { old, new, .. } => {
                    let (edit, certain) = self.set(old, new)?;
                    if !certain {
                        safety = Safety::Unsafe;
                    }
                    edits.push(edit);
                }
                FixTarget::Remove { value, key, container } => edits.extend(self.remove(value, *key, container)?),
                FixTarget::Rewrite { value, range, text } => edits.push(self.rewrite(value, range.clone(), text)?),
                FixTarget::InsertLine { beside, before, text } => {
                    edits.push(self.source(beside.file)?.line_beside(*beside, *before, text));
                }
            }
        }
        for insertion in &insertions {
            edits.extend(self.insert(insertion)?);
        }
        let edits = tidy(edits)?;
        Some(Fix { title: request.title.clone(), safety, edits })
    }

    fn source(&mut self, file: FileId) -> Option<Arc<Source>> {
        let files = self.files;
        self.sources.entry(file).or_insert_with(|| Some(Arc::new(Source::new(files.get(file)?.clone())?))).clone()
    }

    /// Another value in the place of one. The second part is whether a literal was replaced by a literal; if not, an
    /// expression was, and with it what it depended on.
    fn set(&mut self, old: &Value, new: &Value) -> Option<(Edit, bool)> {
        for origin in origins(&old.origin) {
            if let Some(source) = self.source(origin.span.file)
                && let Some(text) = source.replace_literal(origin.span, old, new)
            {
                return Some((Edit { span: origin.span, text }, true));
            }
        }
        let span = old.span();
        let source = self.source(span.file)?;
        if !matches!(source.syntax, Syntax::Hcl) || !hcl::is_expression(&source, span) {
            return None;
        }
        Some((Edit { span, text: literal::hcl(new, &source.indent(span.start as usize))? }, false))
    }

    fn insert(&mut self, insertion: &Insertion) -> Option<Vec<Edit>> {
        let span = insertion.container.span();
        let file = if span.is_none() { insertion.head?.file } else { span.file };
        let source = self.source(file)?;
        match &source.syntax {
            Syntax::Hcl => hcl::insert(&source, insertion).or_else(|| yaml::insert_embedded(&source, insertion)),
            Syntax::Yaml => yaml::insert(&source, insertion),
            Syntax::Dockerfile => None,
        }
    }

    fn remove(&mut self, value: &Value, key: Option<Span>, container: &Value) -> Option<Vec<Edit>> {
        let span = value.span();
        let source = self.source(key.unwrap_or(span).file)?;
        match &source.syntax {
            Syntax::Hcl => hcl::remove(&source, span, key, container.span()),
            Syntax::Yaml => yaml::remove(&source, span, key),
            Syntax::Dockerfile => dockerfile::remove(&source, span),
        }
    }

    fn rewrite(&mut self, value: &Value, range: std::ops::Range<usize>, text: &str) -> Option<Edit> {
        let whole = value.scalar_text()?;
        let part = whole.get(range.clone())?;
        for origin in origins(&value.origin) {
            let Some(source) = self.source(origin.span.file) else { continue };
            let written = source.file.slice(origin.span);
            let base = origin.span.start as usize;
            // The text as it is written; or, where escapes and joined lines make it differ, the only place of the part.
            let at = if let Some(i) = only(written, &whole) {
                base + i + range.start
            } else if let Some(i) = only(written, part).filter(|_| !part.is_empty()) {
                base + i
            } else {
                continue;
            };
            let quoted = written.starts_with('"');
            let text = if quoted { literal::escaped(text) } else { source.with_line_ends(text) };
            return Some(Edit { span: Span::new(origin.span.file, at..at + part.len()), text });
        }
        None
    }
}

/// A value's origin and those it came from, nearest first.
fn origins(origin: &Origin) -> Vec<&Origin> {
    let mut all = vec![origin];
    let mut next = 0;
    while next < all.len() && all.len() < MAX_ORIGINS {
        let Some(at) = all.get(next).copied() else { break };
        // What a function made of its arguments need not be any of them; a literal that is equal is still looked for.
        if !matches!(at.how, How::Encoded(_)) {
            all.extend(at.from.iter().flat_map(|f| f.iter()).take(MAX_ORIGINS));
        }
        next += 1;
    }
    all.retain(|o| !o.span.is_none());
    all
}

/// Where `part` stands in `text`, if it stands there once.
fn only(text: &str, part: &str) -> Option<usize> {
    let first = text.find(part)?;
    (part.is_empty() || text.rfind(part) == Some(first)).then_some(first)
}

/// Edits in order; insertions at one place become one. `None` where two change the same text.
fn tidy(mut edits: Vec<Edit>) -> Option<Vec<Edit>> {
    // Stable: insertions at one place keep the order in which they were asked for.
    edits.sort_by_key(|e| (e.span.file, e.span.start, e.span.end));
    let mut tidied: Vec<Edit> = Vec::with_capacity(edits.len());
    for edit in edits {
        match tidied.last_mut() {
            Some(last) if *last == edit => {}
            Some(last) if last.span == edit.span && edit.span.start == edit.span.end => last.text.push_str(&edit.text),
            Some(last) if last.span.file == edit.span.file && edit.span.start < last.span.end => return None,
            _ => tidied.push(edit),
        }
    }
    (!tidied.is_empty()).then_some(tidied)
}
