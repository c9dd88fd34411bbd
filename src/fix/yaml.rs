//! Edits of YAML, in block and in flow style, and of JSON.

use super::hcl::member;
use super::literal;
use super::plan::{Insertion, New};
use super::source::Source;
use crate::base::Span;
use crate::diagnostic::Edit;
use crate::graph::{Data, Value};
use crate::syntax::yaml::{Node, Style, Tree, parse};

/// The sign that begins a comment.
const COMMENTS: &[&str] = &["#"];

/// The node of a kind at a span. The recursion is as deep as the tree, which the parser bounds.
fn find<'t>(tree: &'t Tree, span: Span, wanted: &dyn Fn(Node<'t>) -> bool) -> Option<Node<'t>> {
    fn within<'t>(node: Node<'t>, span: Span, wanted: &dyn Fn(Node<'t>) -> bool) -> Option<Node<'t>> {
        // An alias is another node's name: editing it would change what it stands for everywhere.
        if node.is_alias() || !(node.span().contains(span) || node.span() == span) {
            return None;
        }
        let children = node.items().chain(node.pairs().flat_map(|(k, v)| [k, v]));
        for child in children {
            if let Some(found) = within(child, span, wanted) {
                return Some(found);
            }
        }
        (node.span() == span && wanted(node)).then_some(node)
    }
    tree.roots().find_map(|root| within(root, span, wanted))
}

/// What to write in the place of a scalar (or of a whole list or map in flow style).
pub fn replacement(source: &Source, span: Span, old: &Value, new: &Value) -> Option<String> {
    let tree = source.yaml.as_ref()?;
    let node = find(tree, span, &|_| true)?;
    if node.is_scalar() {
        // A value that came here from elsewhere must be the one that is written here.
        let text = node.text().unwrap_or("");
        // Numbers and truth values have several spellings; a template's text is not a value at all.
        let same = old.scalar_text().is_none_or(|o| o == text || node.style() == Style::Plain) && !text.contains("{{");
        if !same || matches!(node.style(), Style::Literal | Style::Folded) {
            return None;
        }
        return Some(match (&new.data, node.style()) {
            (Data::String(s), _) if source.json => format!("\"{}\"", literal::escaped(s)),
            (Data::String(s), Style::DoubleQuoted) => format!("\"{}\"", literal::escaped(s)),
            (Data::String(s), Style::SingleQuoted) if !s.contains(['\n', '\r']) => {
                format!("'{}'", s.replace('\'', "''"))
            }
            (Data::String(s), _) => literal::yaml_string(s),
            (Data::List(_) | Data::Map(_), _) if node.span().start == node.span().end => return None,
            _ => literal::json(new)?,
        });
    }
    if node.style() == Style::Flow && matches!(old.data, Data::List(_) | Data::Map(_)) {
        return literal::json(new);
    }
    None
}

/// Adds to a mapping.
pub fn insert(source: &Source, insertion: &Insertion) -> Option<Vec<Edit>> {
    let tree = source.yaml.as_ref()?;
    let mapping = find(tree, insertion.container.span(), &Node::is_mapping)?;
    into_mapping(source, mapping, &insertion.entries, 0)
}

/// Adds to an object of a JSON text that stands inside of another language, such as a policy document in a heredoc.
pub fn insert_embedded(source: &Source, insertion: &Insertion) -> Option<Vec<Edit>> {
    let span = insertion.container.span();
    let written = source.file.slice(span);
    if !written.starts_with('{') || serde_json::from_str::<serde_json::Value>(written).is_err() {
        return None;
    }
    let tree = parse(source.file.id, written.into());
    let root = tree.root().filter(|r| r.is_mapping())?;
    let inner = Source {
        file: std::sync::Arc::new(crate::base::SourceFile::new(
            source.file.id,
            source.file.path.clone(),
            written.into(),
        )),
        syntax: super::source::Syntax::Yaml,
        hcl: None,
        yaml: None,
        json: true,
        line_end: source.line_end,
    };
    into_mapping(&inner, root, &insertion.entries, span.start)
}

/// Adds entries to a mapping. All spans of the edits are moved by `base`.
fn into_mapping(source: &Source, mapping: Node<'_>, entries: &[(String, New)], base: u32) -> Option<Vec<Edit>> {
    let mut edits = Vec::new();
    let mut rest = Vec::new();
    for (name, new) in entries {
        match mapping.pairs().find(|(k, _)| k.text() == Some(name)) {
            None => rest.push((name.clone(), new.clone())),
            // A key without a value is given one.
            Some((key, value)) if value.is_null() && !value.is_alias() => {
                let flow = mapping.style() == Style::Flow || source.json;
                let text =
                    if flow { flow_value(new)? } else { block_value(new, column(source, key.span().start as usize))? };
                let empty = value.span().start == value.span().end;
                let text = match (empty, flow) {
                    (true, true) => format!(" {text}"),
                    (false, false) => text.strip_prefix(' ').map_or(text.clone(), str::to_owned),
                    _ => text,
                };
                edits.push(Edit { span: value.span(), text: source.with_line_ends(&text) });
            }
            Some(_) => return None,
        }
    }
    if !rest.is_empty() {
        edits.push(if mapping.style() == Style::Flow {
            into_flow(source, mapping, &rest)?
        } else {
            into_block(source, mapping, &rest)?
        });
    }
    for edit in &mut edits {
        edit.span.start += base;
        edit.span.end += base;
    }
    Some(edits)
}

/// The column of an offset, in characters; the indentation of what stands there.
fn column(source: &Source, offset: usize) -> usize {
    source.text().get(source.line_start(offset)..offset).map_or(0, |t| t.chars().count())
}

fn into_block(source: &Source, mapping: Node<'_>, entries: &[(String, New)]) -> Option<Edit> {
    let (first, _) = mapping.pairs().next()?;
    let indent = column(source, first.span().start as usize);
    // Tabs cannot indent YAML; a key behind one stands in flow style or is an error.
    if source.indent(first.span().start as usize).contains('\t') {
        return None;
    }
    let end = mapping.pairs().map(|(k, v)| k.span().end.max(v.span().end)).max()? as usize;
    // A block scalar keeps its trailing line breaks: they are part of its value, so the new key stands before nothing.
    if !source.ends_line(end, COMMENTS) {
        return None;
    }
    let pad = " ".repeat(indent);
    let mut text = String::new();
    for (name, new) in entries {
        text.push_str(&format!("\n{pad}{}:{}", literal::yaml_string(name), block_value(new, indent)?));
    }
    Some(source.after_line(end, &text))
}

/// A new value behind its key's colon, in block style.
fn block_value(new: &New, indent: usize) -> Option<String> {
    match new {
        New::Value(v) => literal::yaml_block(v, indent),
        New::Map { entries, .. } => {
            let pad = " ".repeat(indent + 2);
            let mut text = String::new();
            for (name, new) in entries {
                text.push_str(&format!("\n{pad}{}:{}", literal::yaml_string(name), block_value(new, indent + 2)?));
            }
            Some(text)
        }
    }
}

/// A new value in flow style, which is JSON too.
fn flow_value(new: &New) -> Option<String> {
    match new {
        New::Value(v) => literal::json(v),
        New::Map { entries, .. } => {
            let entries: Option<Vec<String>> = entries
                .iter()
                .map(|(name, new)| Some(format!("\"{}\": {}", literal::escaped(name), flow_value(new)?)))
                .collect();
            Some(format!("{{{}}}", entries?.join(", ")))
        }
    }
}

fn into_flow(source: &Source, mapping: Node<'_>, entries: &[(String, New)]) -> Option<Edit> {
    let span = mapping.span();
    let quoted = source.json || mapping.pairs().any(|(k, _)| k.style() == Style::DoubleQuoted);
    let parts: Option<Vec<String>> = entries
        .iter()
        .map(|(name, new)| {
            let key = if quoted { format!("\"{}\"", literal::escaped(name)) } else { literal::yaml_string(name) };
            Some(format!("{key}: {}", flow_value(new)?))
        })
        .collect();
    let parts = parts?;
    let last = mapping.pairs().map(|(k, v)| k.span().end.max(v.span().end)).max();
    let Some(last) = last.map(|l| l as usize) else {
        if source.file.slice(span).trim_matches(['{', '}']).trim().is_empty() {
            let text = format!("{{{}}}", parts.join(", "));
            return Some(Edit { span, text });
        }
        return None;
    };
    let (first, _) = mapping.pairs().next()?;
    let start = first.span().start as usize;
    let over_lines = source.begins_line(start) && source.file.slice(span).contains('\n');
    let pad = source.indent(start);
    let text: String =
        parts.iter().map(|p| if over_lines { format!(",\n{pad}{p}") } else { format!(", {p}") }).collect();
    Some(Edit { span: source.span(last..last), text: source.with_line_ends(&text) })
}

/// Takes away an entry of a mapping or an element of a sequence. What would leave nothing behind is refused: an empty
/// block is no empty map but null.
pub fn remove(source: &Source, span: Span, key: Option<Span>) -> Option<Vec<Edit>> {
    let tree = source.yaml.as_ref()?;
    let (parent, index) = tree.roots().find_map(|root| parent(root, span, key))?;
    let spans: Vec<Span> = if parent.is_mapping() {
        parent.pairs().map(|(k, v)| k.span().to(v.span())).collect()
    } else {
        parent.items().map(Node::span).collect()
    };
    if parent.style() == Style::Flow {
        return Some(vec![member(source, &spans, index)]);
    }
    if spans.len() < 2 {
        return emptied(source, parent);
    }
    let this = *spans.get(index)?;
    let (start, end) = (this.start as usize, this.end as usize);
    let text = source.text();
    // A sequence's element begins with its dash.
    let start = if parent.is_sequence() { text.get(..start)?.rfind('-')? } else { start };
    if !source.ends_line(end, COMMENTS) {
        return None;
    }
    let range = if source.begins_line(start) {
        source.line_start(start)..source.next_line(end)
    } else {
        // The first key beside a dash: the next one takes its place.
        start..spans.get(index + 1)?.start as usize
    };
    Some(vec![Edit { span: source.span(range), text: String::new() }])
}

/// What is left of a block collection when its only member goes: an empty one behind the key or dash that it stands under.
fn emptied(source: &Source, collection: Node<'_>) -> Option<Vec<Edit>> {
    let (start, end) = (collection.span().start as usize, collection.span().end as usize);
    let before = source.text().get(..start)?.trim_end();
    if !before.ends_with([':', '-']) || !source.ends_line(end, COMMENTS) {
        return None;
    }
    let empty = if collection.is_mapping() { " {}" } else { " []" };
    Some(vec![Edit { span: source.span(before.len()..end), text: empty.to_owned() }])
}

/// The collection in which a value stands, and at which index.
fn parent<'t>(node: Node<'t>, span: Span, key: Option<Span>) -> Option<(Node<'t>, usize)> {
    if node.is_alias() {
        return None;
    }
    if node.is_mapping() {
        let hit = node.pairs().position(|(k, v)| key.map_or(v.span() == span && !v.is_alias(), |key| k.span() == key));
        if let Some(i) = hit {
            return Some((node, i));
        }
    } else if key.is_none()
        && let Some(i) = node.items().position(|v| v.span() == span)
    {
        return Some((node, i));
    }
    let at = key.unwrap_or(span);
    node.items()
        .chain(node.pairs().map(|(_, v)| v))
        .filter(|child| child.span().contains(at))
        .find_map(|child| parent(child, span, key))
}
