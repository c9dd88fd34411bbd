//! What stands at a place: the resource, the attribute, the value.

use crate::base::{FileId, Span};
use crate::graph::{Data, Entry, ResourceGraph, ResourceId, Value};

/// What is at a place of a file.
#[derive(Clone, Debug)]
pub struct Found<'a> {
    /// The innermost resource.
    pub resource: ResourceId,
    /// The way to the value in it: names and indices, such as `ingress[0].cidr_blocks[1]`. Empty at the resource itself.
    pub path: String,
    /// The value.
    pub value: &'a Value,
    /// What the editor should mark.
    pub span: Span,
}

/// The innermost thing at `offset`. Nodes of views are left out: they stand nowhere of their own.
pub fn at(graph: &ResourceGraph, file: FileId, offset: u32) -> Option<Found<'_>> {
    let resource = *graph.covering(file, offset).iter().rev().find(|&&id| graph.get(id).parent.is_none())?;
    let node = graph.get(resource);
    let here = Span { file, start: offset, end: offset };
    let mut found = Found { resource, path: String::new(), value: &node.body, span: node.head };
    descend(&node.body, here, &mut found, 0);
    Some(found)
}

/// How deep values are followed; sources nest less.
const DEPTH: usize = 64;

fn descend<'a>(value: &'a Value, here: Span, found: &mut Found<'a>, depth: usize) {
    if depth > DEPTH {
        return;
    }
    match &value.data {
        Data::Map(map) => {
            let hit = |e: &&Entry| e.key_span.contains(here) || covers(&e.value, here, depth);
            if let Some(entry) = map.entries.iter().find(hit) {
                if !found.path.is_empty() {
                    found.path.push('.');
                }
                found.path.push_str(&entry.key);
                found.value = &entry.value;
                found.span = if entry.key_span.contains(here) { entry.key_span } else { entry.value.span() };
                descend(&entry.value, here, found, depth + 1);
            }
        }
        Data::List(items) => {
            if let Some((i, item)) = items.iter().enumerate().find(|(_, v)| covers(v, here, depth)) {
                found.path.push_str(&format!("[{i}]"));
                found.value = item;
                found.span = item.span();
                descend(item, here, found, depth + 1);
            }
        }
        _ => {}
    }
}

/// Whether a value, or something in it, stands at the place. A list of blocks has no place of its own.
fn covers(value: &Value, here: Span, depth: usize) -> bool {
    if value.span().contains(here) {
        return true;
    }
    match &value.data {
        Data::List(items) if depth < DEPTH => items.iter().any(|v| covers(v, here, depth + 1)),
        Data::Map(map) if depth < DEPTH => {
            map.head.is_some_and(|h| h.contains(here))
                || map.entries.iter().any(|e| e.key_span.contains(here) || covers(&e.value, here, depth + 1))
        }
        _ => false,
    }
}
