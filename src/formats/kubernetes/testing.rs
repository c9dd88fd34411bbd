//! What the tests of charts and kustomizations share: a folder in memory.
#![allow(clippy::unwrap_used)]

use super::helm::{Folder, Rendered};
use crate::base::{ColumnEncoding, Files, SourceFile, Span};
use crate::graph::Value;
use std::sync::Arc;

/// Files by their paths.
pub struct Disk(pub Files);

impl Disk {
    pub fn new(files: &[(&str, &str)]) -> Disk {
        let mut all = Files::default();
        for (path, text) in files {
            all.set(path, (*text).into());
        }
        Disk(all)
    }

    pub fn render(&self, f: impl Fn(&Folder<'_>) -> Rendered) -> Rendered {
        let read = |path: &str| -> Option<Arc<SourceFile>> { self.0.by_path(path).cloned() };
        let list = |dir: &str| -> Vec<Arc<str>> {
            let below = |p: &str| dir.is_empty() || p.strip_prefix(dir).is_some_and(|r| r.starts_with('/'));
            let mut paths: Vec<Arc<str>> = self.0.iter().map(|f| f.path.clone()).filter(|p| below(p)).collect();
            paths.sort();
            paths
        };
        f(&Folder { read: &read, list: &list })
    }

    /// `path:line` and the text of a span.
    pub fn place(&self, span: Span) -> String {
        let Some(file) = self.0.get(span.file) else { return "nowhere".into() };
        let position = file.lines().position(&file.text, span.start, ColumnEncoding::Chars);
        format!("{}:{} {}", file.path, position.line, file.slice(span))
    }

    /// Where a value came from: its own place, then those of its parents.
    pub fn origins(&self, value: &Value) -> Vec<String> {
        let mut all = vec![self.place(value.origin.span)];
        all.extend(value.origin.from.iter().flat_map(|f| f.iter()).map(|o| self.place(o.span)));
        all
    }
}

/// The objects as JSON, or the first error.
pub fn outcome(rendered: &Rendered) -> Result<serde_json::Value, String> {
    match rendered.errors.first() {
        Some(error) => Err(error.message.clone()),
        None => Ok(rendered.objects.iter().map(|o| o.body.to_json()).collect()),
    }
}
