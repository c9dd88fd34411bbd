//! Patches that are written inside of a kustomization, with the places of their parts.

use super::build::Failed;
use super::edit::text;
use crate::base::{FileId, SourceFile, Span};
use crate::formats::yaml_value::YamlValues;
use crate::graph::{Data, Map, Value};
use crate::syntax::yaml::{self, Schema};
use std::sync::Arc;

/// The documents of a patch that is written in the kustomization itself, with spans mapped to its lines where the text
/// stands there as it is.
pub fn inline(value: &Value, file: &Arc<SourceFile>, schema: Schema) -> Result<Vec<Value>, Failed> {
    let body = text(value).unwrap_or("".into());
    let tree = yaml::parse(FileId::NONE, body.clone());
    let place = Place::new(file, value.span(), &body);
    if let Some(error) = tree.errors.first() {
        return Err((place.map(error.span), error.message.clone()));
    }
    let mut values = YamlValues::new(schema);
    Ok(tree
        .roots()
        .filter(|r| !r.is_null())
        .map(|root| {
            let mut value = values.value(root, None);
            place.rebase(&mut value, 0);
            value
        })
        .collect())
}

/// Maps places in a block scalar's text to places in the file that holds it.
struct Place {
    whole: Span,
    /// For each line of the text: its first byte, and where that byte stands in the file.
    lines: Vec<(u32, u32)>,
}

impl Place {
    fn new(file: &SourceFile, whole: Span, body: &str) -> Place {
        let source = file.slice(whole);
        let mut lines = Vec::new();
        let mut at = 0usize;
        let mut offset = 0usize;
        for line in body.split('\n') {
            let trimmed = line.trim_end();
            // Each line of a block scalar stands in the source behind its indentation.
            if let Some(found) = source.get(at..).and_then(|rest| rest.find(trimmed)) {
                let start = at + found;
                lines.push((
                    u32::try_from(offset).unwrap_or(u32::MAX),
                    whole.start.saturating_add(u32::try_from(start).unwrap_or(0)),
                ));
                at = start + trimmed.len();
            }
            offset += line.len() + 1;
        }
        Place { whole, lines }
    }

    fn map(&self, span: Span) -> Span {
        let point = |offset: u32| -> u32 {
            let i = self.lines.partition_point(|(start, _)| *start <= offset);
            match i.checked_sub(1).and_then(|i| self.lines.get(i)) {
                Some((start, real)) => (real + (offset - start)).clamp(self.whole.start, self.whole.end),
                None => self.whole.start,
            }
        };
        let start = point(span.start);
        Span { file: self.whole.file, start, end: point(span.end).max(start) }
    }

    fn rebase(&self, value: &mut Value, depth: usize) {
        if depth > 200 {
            return;
        }
        value.origin.span = self.map(value.origin.span);
        match &mut value.data {
            Data::Map(map) => {
                let map: &mut Map = Arc::make_mut(map);
                map.head = map.head.map(|h| self.map(h));
                for entry in &mut map.entries {
                    entry.key_span = self.map(entry.key_span);
                    self.rebase(&mut entry.value, depth + 1);
                }
            }
            Data::List(items) => {
                for item in Arc::make_mut(items) {
                    self.rebase(item, depth + 1);
                }
            }
            _ => {}
        }
    }
}
