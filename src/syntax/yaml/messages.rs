//! Syntax errors in words: what is wrong, where exactly, and what to do.

use super::build::Failure;
use crate::base::{FileId, Span};
use crate::diagnostic::SyntaxError;
use granit_parser::ErrorKind;

/// An error that the scanner found.
pub(super) fn describe(file: FileId, text: &str, failure: &Failure) -> SyntaxError {
    let unclosed;
    let (mut offset, mut kind) = (failure.offset, &failure.kind);
    // What the scanner stumbles over on a later line is fine: the bracket above was never closed.
    if let Some(open) = failure.bracket
        && matches!(
            kind,
            ErrorKind::InvalidColonPlacement
                | ErrorKind::ExpectedFlowMappingSeparator
                | ErrorKind::ExpectedFlowSequenceSeparator
                | ErrorKind::InvalidSimpleKey
                | ErrorKind::BlockEntryInFlowCollection
        )
        && text.get(open..failure.offset).is_some_and(|between| between.contains('\n'))
    {
        let sign = if text.as_bytes().get(open) == Some(&b'{') { '{' } else { '[' };
        unclosed = ErrorKind::UnclosedFlowCollection { open: sign };
        (offset, kind) = (open, &unclosed);
    }
    let (message, help) = words(kind);
    let range = place(text, offset, kind);
    let line_start = text[..floor(text, range.start)].rfind('\n').map_or(0, |at| at + 1);
    let line = text[line_start..].lines().next().unwrap_or("");
    let help = if line.contains("{{") {
        Some("this looks like a template: render it first, or keep it in a chart's `templates` folder")
    } else if line.starts_with("<<<<<<<") || line.starts_with("=======") || line.starts_with(">>>>>>>") {
        Some("this is left over from a merge: choose one side and remove the markers")
    } else {
        help
    };
    let mut error = SyntaxError::new(Span::new(file, range), message);
    error.help = help.map(Into::into);
    error
}

fn floor(text: &str, mut at: usize) -> usize {
    at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The bytes that are wrong: a tab itself, else the word at the place, else the last word of the text.
fn place(text: &str, offset: usize, kind: &ErrorKind) -> std::ops::Range<usize> {
    let mut start = floor(text, offset);
    let bytes = text.as_bytes();
    if is_about_tab(kind) {
        // The scanner may stand a little before the tab, at the end of the line above.
        let ahead = bytes[start..].iter().take(200).position(|&b| b == b'\t');
        if let Some(tab) = ahead {
            start += tab;
            let end = start + bytes[start..].iter().take_while(|&&b| b == b'\t').count();
            return start..end;
        }
    }
    while bytes.get(start).is_some_and(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n')) {
        start += 1;
    }
    if start >= bytes.len() {
        let end = text.trim_end().len();
        let from = text[..end].rfind(char::is_whitespace).map_or(0, |at| at + 1);
        return floor(text, from)..end;
    }
    let word = text[start..].find(|c: char| c.is_whitespace()).map_or(text.len(), |at| start + at);
    match kind {
        // The bracket or quote that is never closed, not what follows it.
        ErrorKind::UnclosedFlowCollection { .. }
        | ErrorKind::UnclosedQuotedScalar
        | ErrorKind::DocumentIndicatorInQuotedScalar
        | ErrorKind::MisplacedFlowCollectionEnd
        | ErrorKind::MismatchedFlowCollectionEnd { .. }
        | ErrorKind::MappingValueNotAllowed => start..start + text[start..].chars().next().map_or(0, char::len_utf8),
        _ => start..word,
    }
}

fn is_about_tab(kind: &ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::TabNotAllowed
            | ErrorKind::TabInBlockIndentation
            | ErrorKind::TabInIndentation
            | ErrorKind::TabInPlainScalar
            | ErrorKind::TabAtBlockScalarStart
    )
}

fn words(kind: &ErrorKind) -> (String, Option<&'static str>) {
    let (message, help): (&str, &'static str) = match kind {
        kind if is_about_tab(kind) => ("a tab cannot indent YAML", "indent with spaces"),
        ErrorKind::MappingValueNotAllowed => (
            "a `:` that starts a value cannot stand here",
            "quote the text if the colon belongs to it; else check the indentation and the line above",
        ),
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => {
            ("this line has no `:` after its key", "write `key: value`, or indent the line as part of the value above")
        }
        ErrorKind::ExpectedBlockMappingKey => (
            "a key of the mapping was expected here",
            "align the line with the keys above it, or with the value it continues",
        ),
        ErrorKind::ExpectedBlockSequenceEntry => {
            ("a list item (`- …`) was expected here", "align the line with the items above it")
        }
        ErrorKind::InvalidIndentation | ErrorKind::InvalidFlowScalarIndent | ErrorKind::InvalidQuotedScalarIndent => {
            ("the indentation fits nothing above", "align the line with its siblings")
        }
        ErrorKind::BlockSequenceEntryNotAllowed => {
            ("a list item cannot start here", "put the list on its own lines, aligned below its key")
        }
        ErrorKind::InvalidBlockEntryWhitespace => {
            ("`-` needs a space behind it to start a list item", "write `- item`")
        }
        ErrorKind::InvalidMappingValueWhitespace => {
            ("`:` needs a space behind it to start a value", "write `key: value`")
        }
        ErrorKind::ExpectedFlowMappingSeparator => {
            ("`,` or `}` was expected here", "separate the entries with commas and close the brace")
        }
        ErrorKind::ExpectedFlowSequenceSeparator => {
            ("`,` or `]` was expected here", "separate the items with commas and close the bracket")
        }
        ErrorKind::UnexpectedEofFlowSequence
        | ErrorKind::UnexpectedEofFlowMapping
        | ErrorKind::UnexpectedEofImplicitFlowMapping => ("the text ends inside brackets", "close the bracket"),
        ErrorKind::UnexpectedEof | ErrorKind::UnexpectedEofBlockMapping | ErrorKind::UnexpectedEofBlockSequence => {
            ("the text ends too early", "complete the last line")
        }
        ErrorKind::MisplacedFlowCollectionEnd => {
            ("this bracket closes nothing", "remove it, or quote it if it belongs to a text")
        }
        ErrorKind::UnclosedQuotedScalar => {
            ("this quote is never closed", "add the closing quote; inside '…' a quote is written ''")
        }
        ErrorKind::DocumentIndicatorInQuotedScalar => (
            "this quote is not closed before the document ends",
            "add the closing quote; inside '…' a quote is written ''",
        ),
        ErrorKind::InvalidTrailingSingleQuotedScalar | ErrorKind::InvalidTrailingDoubleQuotedScalar => {
            ("text follows the closing quote", "take it inside the quotes, or escape quotes that belong to the text")
        }
        ErrorKind::UnknownQuotedScalarEscape => (
            "a `\\` in \"…\" must start an escape such as `\\n`",
            "write `\\\\`, or use '…', where backslashes are plain",
        ),
        ErrorKind::UnexpectedCharacter { .. }
        | ErrorKind::UnexpectedEndOfPlainScalar
        | ErrorKind::PlainScalarStartsWithDashFlowIndicator => {
            ("a value cannot start like this without quotes", "quote it")
        }
        ErrorKind::InvalidBlockScalarHeader => {
            ("only indentation and chomping signs may follow `|` and `>`", "start the text on the next line, indented")
        }
        ErrorKind::InvalidBlockScalarIndent => {
            ("a line of this block of text is indented less than its first", "indent all its lines alike")
        }
        ErrorKind::CommentInterceptedScalar => {
            ("a comment cannot stand inside a text over several lines", "quote the text if the `#` belongs to it")
        }
        ErrorKind::CommentNotSeparated => ("a comment needs a space before its `#`", "add a space, or quote the text"),
        ErrorKind::MissingAnchorOrAliasName => {
            ("`&` and `*` must be followed by the name of an anchor", "quote the text if the sign belongs to it")
        }
        ErrorKind::InvalidColonPlacement => {
            ("a `:` cannot stand here", "quote the text, or write one entry on each line")
        }
        ErrorKind::BlockEntryInFlowCollection => {
            ("a list item (`- …`) cannot stand inside brackets", "close the bracket first")
        }
        ErrorKind::RecursionLimitExceeded => ("this nests too deeply to be read", "flatten it"),
        ErrorKind::UndeclaredTagHandle => {
            ("the handle of this tag is not declared", "declare it with `%TAG`, or quote the text")
        }
        ErrorKind::BomInsideDocument => ("a byte-order mark stands inside the text", "remove it"),
        ErrorKind::ExpectedDocumentStart | ErrorKind::InvalidDocumentEnd => {
            ("only a new document (`---`) may follow here", "separate documents with `---` on its own line")
        }
        ErrorKind::MismatchedFlowCollectionEnd { open, close } => {
            return (format!("`{open}` is closed by `{close}`"), Some("close each bracket by its own kind"));
        }
        ErrorKind::UnclosedFlowCollection { open } => {
            return (format!("`{open}` is never closed"), Some("close it, or quote it if it belongs to a text"));
        }
        other => {
            let text = other.to_string();
            // The scanner's wording is `while scanning …, did not find …`: what was being scanned can be seen.
            let text =
                text.split_once(", ").filter(|(head, _)| head.starts_with("while ")).map_or(text.as_str(), |(_, t)| t);
            return (text.to_owned(), None);
        }
    };
    (message.to_owned(), Some(help))
}
