//! Edits of HCL: `terraform fmt` finds nothing to change in what they write.

use super::literal;
use super::plan::{Insertion, New};
use super::source::Source;
use crate::base::{FileId, Span};
use crate::diagnostic::Edit;
use crate::graph::{Data, Value};
use crate::syntax::hcl::parse_expression;
use crate::syntax::hcl::tree::{Attribute, Block, Body, Expr, ExprKind, Item, ObjectItem, ObjectKey, UnaryOp};

/// The signs that begin a comment.
const COMMENTS: &[&str] = &["#", "//"];

/// A node of the tree that is looked for.
enum Found<'t> {
    Block(&'t Block),
    Object(&'t Expr, &'t [ObjectItem]),
}

/// Whether a text is a literal that holds just this value.
pub fn holds(written: &str, value: &Value) -> bool {
    // A heredoc's end belongs to its lines; it is not replaced.
    if written.is_empty() || written.starts_with("<<") {
        return false;
    }
    parse_expression(written, FileId::NONE).is_ok_and(|e| equals(&e, value))
}

fn equals(expr: &Expr, value: &Value) -> bool {
    let number = |text: &str| value.scalar_text().is_some_and(|v| v == text);
    match (&expr.unparenthesized().kind, &value.data) {
        (ExprKind::Null, Data::Null) => true,
        (ExprKind::Bool(a), Data::Bool(b)) => a == b,
        // A provider's schema may have made a number or a truth value of a string, or the other way.
        (ExprKind::Bool(a), Data::String(b)) => &*b.clone() == if *a { "true" } else { "false" },
        (ExprKind::Number(text), Data::Number(_) | Data::String(_)) => number(text),
        (ExprKind::Unary(UnaryOp::Negate, inner), Data::Number(_)) => match &inner.kind {
            ExprKind::Number(text) => number(&format!("-{text}")),
            _ => false,
        },
        (ExprKind::String(a), Data::String(b)) => a == b,
        (ExprKind::String(a), Data::Bool(_) | Data::Number(_)) => number(a),
        (ExprKind::Tuple(items), Data::List(values)) => {
            items.len() == values.len() && items.iter().zip(values.iter()).all(|(e, v)| equals(e, v))
        }
        (ExprKind::Object(items), Data::Map(map)) => {
            items.len() == map.entries.len()
                && items.iter().all(|i| key_text(&i.key).and_then(|k| map.get(&k)).is_some_and(|v| equals(&i.value, v)))
        }
        _ => false,
    }
}

fn key_text(key: &ObjectKey) -> Option<String> {
    match key {
        ObjectKey::Name(name) => Some(name.text.to_string()),
        ObjectKey::Expr(e) => e.as_str().map(str::to_owned),
    }
}

fn key_span(key: &ObjectKey) -> Span {
    match key {
        ObjectKey::Name(name) => name.span,
        ObjectKey::Expr(e) => e.span,
    }
}

/// Whether the value of an attribute stands at a span.
pub fn is_expression(source: &Source, span: Span) -> bool {
    fn within(body: &Body, span: Span) -> bool {
        body.items.iter().any(|item| match item {
            Item::Attribute(a) => a.value.span == span,
            Item::Block(b) => b.span.contains(span) && within(&b.body, span),
        })
    }
    source.hcl.as_ref().is_some_and(|f| within(&f.body, span))
}

/// The innermost block or object that a value of the graph was made from.
fn find<'t>(body: &'t Body, span: Span, head: Option<Span>) -> Option<Found<'t>> {
    for item in &body.items {
        match item {
            Item::Block(b) => {
                let here = b.span == span || b.body.span == Some(span) || b.head == span || Some(b.head) == head;
                if here {
                    return Some(Found::Block(b));
                }
                if b.span.contains(span) || head.is_some_and(|h| b.span.contains(h)) {
                    return find(&b.body, span, head);
                }
            }
            Item::Attribute(a) if a.value.span.contains(span) => return find_object(&a.value, span),
            Item::Attribute(_) => {}
        }
    }
    None
}

fn find_object(expr: &Expr, span: Span) -> Option<Found<'_>> {
    if let ExprKind::Object(items) = &expr.kind
        && expr.span == span
    {
        return Some(Found::Object(expr, items));
    }
    children(expr).into_iter().filter(|e| e.span.contains(span)).find_map(|e| find_object(e, span))
}

/// The expressions that make up a literal or the arguments of a call.
fn children(expr: &Expr) -> Vec<&Expr> {
    match &expr.kind {
        ExprKind::Tuple(items) => items.iter().collect(),
        ExprKind::Object(items) => items.iter().map(|i| &i.value).collect(),
        ExprKind::Parens(inner) => vec![inner],
        ExprKind::Call(call) => call.args.iter().collect(),
        ExprKind::Conditional(c) => vec![&c.then, &c.otherwise],
        ExprKind::For(f) => vec![&f.collection, &f.value],
        _ => Vec::new(),
    }
}

/// Adds to a block or object.
pub fn insert(source: &Source, insertion: &Insertion) -> Option<Vec<Edit>> {
    let file = source.hcl.as_ref()?;
    match find(&file.body, insertion.container.span(), insertion.head)? {
        Found::Block(block) => into_block(source, block, &insertion.entries),
        Found::Object(expr, items) => into_object(source, expr, items, &insertion.entries),
    }
}

/// A line `name = value` that takes part in the alignment of its neighbours.
struct Line {
    /// Where the name ends.
    name_end: usize,
    /// Its width.
    width: usize,
    /// Where the sign of assignment stands.
    sign: usize,
}

/// The lines around the last of `lines` whose signs `terraform fmt` aligns: those without a gap that take one line each.
/// Each is given as the span of its name and that of its value.
fn aligned(source: &Source, lines: &[(Span, Span)]) -> Vec<Line> {
    let mut group = Vec::new();
    let mut next: Option<usize> = None;
    for (name, value) in lines.iter().rev() {
        let (start, end) = (name.start as usize, value.end as usize);
        let one_line = !source.text().get(start..end).unwrap_or("\n").contains('\n');
        let touches = next.is_none_or(|n| source.next_line(end) == n);
        if !one_line || !touches || !source.begins_line(start) {
            break;
        }
        let name_end = name.end as usize;
        let gap = source.text().get(name_end..value.start as usize).unwrap_or("");
        let Some(sign) = gap.find(['=', ':']) else { break };
        group.push(Line { name_end, width: source.file.slice(*name).chars().count(), sign: name_end + sign });
        next = Some(source.line_start(start));
    }
    group
}

/// What the lines of a group need so that names of up to `width` find room, and the width to pad new names to. Where the
/// group is not aligned by itself, it stays as it is and the new name is not padded.
fn align(source: &Source, group: &[Line], width: usize) -> (Vec<Edit>, usize) {
    let widest = group.iter().map(|l| l.width).max().unwrap_or(0);
    let in_order = group.iter().all(|l| l.sign - l.name_end == widest - l.width + 1);
    if !in_order {
        return (Vec::new(), 0);
    }
    let more = width.saturating_sub(widest);
    let edits = group
        .iter()
        .filter(|_| more > 0)
        .map(|l| Edit { span: source.span(l.name_end..l.name_end), text: " ".repeat(more) })
        .collect();
    (edits, widest.max(width))
}

/// The lines of new attributes, each with its line break in front; names are padded to `width`.
fn attribute_lines(entries: &[(String, New)], indent: &str, width: usize) -> Option<String> {
    let mut text = String::new();
    for (name, new) in entries {
        let name = literal::hcl_key(name);
        // A value over several lines takes no part in the alignment.
        let (value, width) = match new {
            New::Value(v) => (literal::hcl(v, indent)?, width),
            New::Map { entries, .. } => (object(entries, indent)?, 0),
        };
        let width = if value.contains('\n') { 0 } else { width };
        text.push_str(&format!("\n{indent}{name:width$} = {value}"));
    }
    Some(text)
}

fn object(entries: &[(String, New)], indent: &str) -> Option<String> {
    let inner = format!("{indent}  ");
    let lines = attribute_lines(entries, &inner, widest(entries))?;
    Some(format!("{{{lines}\n{indent}}}"))
}

/// The width of the widest name whose value takes one line.
fn widest(entries: &[(String, New)]) -> usize {
    entries
        .iter()
        .filter(|(_, new)| matches!(new, New::Value(_)))
        .map(|(name, _)| literal::hcl_key(name).chars().count())
        .max()
        .unwrap_or(0)
}

fn is_block(new: &New) -> bool {
    matches!(new, New::Map { block: true, .. })
}

/// What stands between the braces of a new block: attributes, then nested blocks, each with its line break in front.
fn block_lines(entries: &[(String, New)], indent: &str) -> Option<String> {
    let (blocks, attributes): (Vec<_>, Vec<_>) = entries.iter().cloned().partition(|(_, new)| is_block(new));
    let mut text = attribute_lines(&attributes, indent, widest(&attributes))?;
    for (name, new) in &blocks {
        let New::Map { entries, .. } = new else { continue };
        if !text.is_empty() {
            text.push('\n');
        }
        let inner = block_lines(entries, &format!("{indent}  "))?;
        text.push_str(&format!("\n{indent}{name} {{{inner}\n{indent}}}"));
    }
    Some(text)
}

fn item_span(item: &Item) -> Span {
    match item {
        Item::Attribute(a) => a.span,
        Item::Block(b) => b.span,
    }
}

fn into_block(source: &Source, block: &Block, entries: &[(String, New)]) -> Option<Vec<Edit>> {
    let text = source.text();
    let close = (block.span.end as usize).checked_sub(1)?;
    let open = block.head.end as usize + text.get(block.head.end as usize..close)?.find('{')?;
    if text.as_bytes().get(close) != Some(&b'}') {
        return None;
    }
    let outer = source.indent(block.span.start as usize);
    let indent = format!("{outer}  ");
    let mut edits = Vec::new();

    // An attribute that is there but null is given its value.
    let mut rest: Vec<(String, New)> = Vec::new();
    for (name, new) in entries {
        match (block.body.attribute(name), new) {
            (Some(a), New::Value(v)) => {
                edits.push(Edit { span: a.value.span, text: literal::hcl(v, &indent)? });
            }
            (Some(_), New::Map { .. }) => return None,
            (None, _) => rest.push((name.clone(), new.clone())),
        }
    }
    if rest.is_empty() {
        return Some(edits);
    }

    let inside = text.get(open + 1..close)?;
    if !inside.contains('\n') {
        // All on one line: the block is opened, and what was in it gets a line.
        let mut lines = String::new();
        if let [Item::Attribute(a)] = block.body.items.as_slice() {
            let width = widest(&rest).max(a.name.text.chars().count());
            let value = source.file.slice(a.value.span);
            lines.push_str(&format!("\n{indent}{:width$} = {value}", a.name.text));
            lines.push_str(&in_order(&rest, &indent, width)?);
        } else if block.body.items.is_empty() && inside.trim().is_empty() {
            lines = block_lines(&rest, &indent)?;
        } else {
            return None;
        }
        let lines = source.with_line_ends(&format!("{lines}\n{outer}"));
        edits.push(Edit { span: source.span(open + 1..close), text: lines });
        return Some(edits);
    }

    let (blocks, attributes): (Vec<_>, Vec<_>) = rest.into_iter().partition(|(_, new)| is_block(new));
    let items = &block.body.items;
    let first_block = items.iter().position(|i| matches!(i, Item::Block(_))).unwrap_or(items.len());
    if !attributes.is_empty() {
        let leading: Vec<&Attribute> = items[..first_block]
            .iter()
            .filter_map(|i| match i {
                Item::Attribute(a) => Some(a),
                Item::Block(_) => None,
            })
            .collect();
        if let Some(last) = leading.last() {
            if !source.ends_line(last.span.end as usize, COMMENTS) {
                return None;
            }
            let spans: Vec<(Span, Span)> = leading.iter().map(|a| (a.name.span, a.value.span)).collect();
            let group = aligned(source, &spans);
            let (more, width) = align(source, &group, widest(&attributes));
            edits.extend(more);
            let indent = source.indent(last.span.start as usize);
            edits.push(source.after_line(last.span.end as usize, &attribute_lines(&attributes, &indent, width)?));
        } else {
            let mut lines = attribute_lines(&attributes, &indent, widest(&attributes))?;
            // Attributes are parted from the blocks that follow them.
            if !items.is_empty() {
                lines.push('\n');
            }
            edits.push(source.after_line(open, &lines));
        }
    }
    if !blocks.is_empty() {
        let mut lines = block_lines(&blocks, &indent)?;
        match items.last() {
            Some(last) => {
                lines.insert(0, '\n');
                edits.push(source.after_line(item_span(last).end as usize, &lines));
            }
            None => {
                if !attributes.is_empty() {
                    lines.insert(0, '\n');
                }
                edits.push(source.after_line(open, &lines));
            }
        }
    }
    Some(edits)
}

/// Attributes padded to `width`, then blocks.
fn in_order(entries: &[(String, New)], indent: &str, width: usize) -> Option<String> {
    let (blocks, attributes): (Vec<_>, Vec<_>) = entries.iter().cloned().partition(|(_, new)| is_block(new));
    let mut text = attribute_lines(&attributes, indent, width)?;
    if !blocks.is_empty() {
        text.push('\n');
        text.push_str(&block_lines(&blocks, indent)?);
    }
    Some(text)
}

fn into_object(source: &Source, expr: &Expr, items: &[ObjectItem], entries: &[(String, New)]) -> Option<Vec<Edit>> {
    let mut edits = Vec::new();
    let mut rest: Vec<(String, New)> = Vec::new();
    let outer = source.indent(expr.span.start as usize);
    for (name, new) in entries {
        match (items.iter().find(|i| key_text(&i.key).as_ref() == Some(name)), new) {
            (Some(item), New::Value(v)) => {
                edits.push(Edit { span: item.value.span, text: literal::hcl(v, &outer)? });
            }
            (Some(_), New::Map { .. }) => return None,
            (None, _) => rest.push((name.clone(), new.clone())),
        }
    }
    if rest.is_empty() {
        return Some(edits);
    }
    let (start, end) = (expr.span.start as usize, expr.span.end as usize);
    let Some(last) = items.last() else {
        if !source.text().get(start + 1..end - 1)?.trim().is_empty() {
            return None;
        }
        let text = source.with_line_ends(&object(&rest, &outer)?);
        edits.push(Edit { span: expr.span, text });
        return Some(edits);
    };
    let after = last.value.span.end as usize;
    if !source.file.slice(expr.span).contains('\n') {
        let parts: Option<Vec<String>> = rest
            .iter()
            .map(|(name, new)| match new {
                New::Value(v) => Some(format!(", {} = {}", literal::hcl_key(name), literal::hcl(v, &outer)?)),
                New::Map { .. } => None,
            })
            .collect();
        edits.push(Edit { span: source.span(after..after), text: parts?.concat() });
        return Some(edits);
    }
    let key = key_span(&last.key);
    let tail = source.text().get(after..source.line_end(after))?.trim_start();
    let comma = tail.starts_with(',');
    let tail = tail.trim_start_matches(',').trim_start();
    if !source.begins_line(key.start as usize) || !(tail.is_empty() || COMMENTS.iter().any(|c| tail.starts_with(c))) {
        return None;
    }
    let spans: Vec<(Span, Span)> = items.iter().map(|i| (key_span(&i.key), i.value.span)).collect();
    let group = aligned(source, &spans);
    let colon = source.text().get(key.end as usize..last.value.span.start as usize)?.trim() == ":";
    let quoted = source.file.slice(key).starts_with('"');
    let indent = source.indent(key.start as usize);
    let name_of = |name: &str| if quoted { format!("\"{}\"", literal::escaped(name)) } else { literal::hcl_key(name) };
    let width = rest.iter().map(|(n, _)| name_of(n).chars().count()).max().unwrap_or(0);
    let (more, width) = if colon { (Vec::new(), 0) } else { align(source, &group, width) };
    edits.extend(more);
    let mut lines = String::new();
    for (name, new) in &rest {
        let value = match new {
            New::Value(v) => literal::hcl(v, &indent)?,
            New::Map { entries, .. } => object(entries, &indent)?,
        };
        let sign = if colon { ":" } else { " =" };
        let end = if comma { "," } else { "" };
        let width = if value.contains('\n') { 0 } else { width };
        lines.push_str(&format!("\n{indent}{:width$}{sign} {value}{end}", name_of(name)));
    }
    edits.push(source.after_line(after, &lines));
    Some(edits)
}

/// Takes away an attribute, a block, or an element of a list or object.
pub fn remove(source: &Source, span: Span, key: Option<Span>, container: Span) -> Option<Vec<Edit>> {
    let file = source.hcl.as_ref()?;
    let mut body = &file.body;
    loop {
        let mut inner = None;
        for item in &body.items {
            match item {
                Item::Attribute(a) => {
                    if a.value.span == span || Some(a.name.span) == key {
                        let mut edits = narrowed(source, body, a);
                        edits.push(lines_of(source, a.span));
                        return Some(edits);
                    }
                    if a.value.span.contains(span) {
                        return element(source, &a.value, span, key);
                    }
                }
                Item::Block(b) => {
                    // Only the block itself, not the list of all blocks of its type, has a body there.
                    if b.span == span || b.body.span == Some(span) || (b.head == span && container != span) {
                        return Some(vec![lines_of(source, b.span)]);
                    }
                    if b.span.contains(span) {
                        inner = Some(&b.body);
                    }
                }
            }
        }
        body = inner?;
    }
}

/// The neighbours of an attribute that goes, moved together where it was the widest among lines that are aligned.
fn narrowed(source: &Source, body: &Body, gone: &Attribute) -> Vec<Edit> {
    let attributes: Vec<(Span, Span)> = body.attributes().map(|a| (a.name.span, a.value.span)).collect();
    let Some(at) = attributes.iter().position(|(name, _)| *name == gone.name.span) else { return Vec::new() };
    // The group ends with the last line that touches the one before it.
    let touches = |i: usize| match (attributes.get(i), attributes.get(i + 1)) {
        (Some((_, value)), Some((name, next))) => {
            let start = name.start as usize;
            source.next_line(value.end as usize) == source.line_start(start)
                && !source.text().get(start..next.end as usize).unwrap_or("\n").contains('\n')
        }
        _ => false,
    };
    let last = (at..attributes.len()).find(|i| !touches(*i)).unwrap_or(at);
    let group = aligned(source, attributes.get(..=last).unwrap_or(&[]));
    let is_gone = |l: &&Line| l.name_end == gone.name.span.end as usize;
    let Some(own) = group.iter().find(is_gone) else { return Vec::new() };
    let widest = group.iter().filter(|l| !is_gone(l)).map(|l| l.width).max().unwrap_or(own.width);
    if widest >= own.width || group.iter().any(|l| l.sign - l.name_end != own.width - l.width + 1) {
        return Vec::new();
    }
    let less = own.width - widest;
    group
        .iter()
        .filter(|l| !is_gone(l))
        .map(|l| Edit { span: source.span(l.name_end..l.name_end + less), text: String::new() })
        .collect()
}

/// The removal of something that has its lines for itself, with a comment behind it and, where it stood between empty
/// lines, one of them. What shares its line with others is refused.
fn lines_of(source: &Source, span: Span) -> Edit {
    let (start, end) = (span.start as usize, span.end as usize);
    if !source.begins_line(start) || !source.ends_line(end, COMMENTS) {
        // `{ a = 1 }`: the braces stay.
        let text = source.text();
        let before = text.get(..start).map_or(start, |t| t.trim_end_matches([' ', '\t']).len());
        return Edit { span: source.span(before..end), text: String::new() };
    }
    let from = source.line_start(start);
    let mut to = source.next_line(end);
    let text = source.text();
    let blank_before = {
        let before = text.get(..from).unwrap_or("");
        let line = before.strip_suffix('\n').unwrap_or(before);
        let line = line.rsplit('\n').next().unwrap_or("").trim();
        line.is_empty() || line.ends_with('{')
    };
    let next = text.get(to..source.line_end(to)).unwrap_or("").trim();
    if blank_before && next.is_empty() && to < text.len() {
        to = source.next_line(to);
    }
    Edit { span: source.span(from..to), text: String::new() }
}

/// The removal of an element of a list, or of a member of an object, from a literal.
fn element(source: &Source, expr: &Expr, span: Span, key: Option<Span>) -> Option<Vec<Edit>> {
    let spans: Vec<Span> = match &expr.kind {
        ExprKind::Tuple(items) => items.iter().map(|e| e.span).collect(),
        ExprKind::Object(items) => items.iter().map(|i| key_span(&i.key).to(i.value.span)).collect(),
        _ => Vec::new(),
    };
    let is_target = |s: &Span| *s == span || (s.end == span.end && key.is_some_and(|k| k.start == s.start));
    if let Some(i) = spans.iter().position(is_target) {
        return Some(vec![member(source, &spans, i)]);
    }
    children(expr).into_iter().filter(|e| e.span.contains(span)).find_map(|e| element(source, e, span, key))
}

/// The removal of one of several members in brackets, with its comma and, where it has them for itself, its lines.
pub fn member(source: &Source, spans: &[Span], index: usize) -> Edit {
    let at = |i: usize| spans.get(i).copied().unwrap_or(Span::NONE);
    let (start, end) = (at(index).start as usize, at(index).end as usize);
    let text = source.text();
    let rest = text.get(end..).unwrap_or("");
    let comma = rest.trim_start_matches([' ', '\t']).starts_with(',');
    let past_comma = if comma { end + rest.find(',').map_or(0, |i| i + 1) } else { end };
    if source.begins_line(start) && source.ends_line(past_comma, COMMENTS) {
        let from = source.line_start(start);
        let to = source.next_line(past_comma);
        // The one before the last need not keep its comma in HCL, but JSON does not allow it.
        if source.json && index > 0 && index + 1 == spans.len() {
            return Edit {
                span: source.span(at(index - 1).end as usize..source.line_end(past_comma)),
                text: String::new(),
            };
        }
        return Edit { span: source.span(from..to), text: String::new() };
    }
    let range = match (index, spans.get(index + 1)) {
        (_, Some(next)) => start..next.start as usize,
        (0, None) => start..past_comma,
        (_, None) => at(index - 1).end as usize..end,
    };
    Edit { span: source.span(range), text: String::new() }
}
