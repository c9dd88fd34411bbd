//! Taking something out of a Dockerfile.

use super::source::Source;
use crate::base::Span;
use crate::diagnostic::Edit;
use crate::syntax::dockerfile::parse;

/// Removes an instruction with its lines, or a word with the white space before it.
pub fn remove(source: &Source, span: Span) -> Option<Vec<Edit>> {
    let file = parse(source.file.id, source.text()).file;
    let (start, end) = (span.start as usize, span.end as usize);
    let whole = file.instructions.iter().find(|i| i.span == span || i.line_span == span);
    if let Some(instruction) = whole {
        let range = source.line_start(instruction.span.start as usize)..source.next_line(instruction.span.end as usize);
        return Some(vec![Edit { span: source.span(range), text: String::new() }]);
    }
    let before = source.text().get(..start)?;
    let words = before.trim_end_matches([' ', '\t']).len();
    // The word after an instruction's name is not removed with the space that parts it from what follows.
    let range = if words == source.line_start(start) { start..end } else { words..end };
    (start < end).then(|| vec![Edit { span: source.span(range), text: String::new() }])
}
