//! How BuildKit splits arguments: words with quotes, flags, JSON arrays.

use super::ast::Word;
use crate::base::{FileId, Span};
use crate::syntax::shell::MappedText;
use std::ops::Range;

/// Splits at white space outside of quotes; quotes and escapes stay in the words.
pub(super) fn split(text: &str, escape: char) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut start = None;
    let mut quote = None;
    let mut chars = text.char_indices();
    while let Some((i, c)) = chars.next() {
        match quote {
            None if c.is_whitespace() => {
                if let Some(from) = start.take() {
                    words.push(from..i);
                }
                continue;
            }
            None if c == '"' || c == '\'' => quote = Some(c),
            Some(q) if c == q => quote = None,
            // In single quotes an escape character is itself.
            _ if c == escape && quote != Some('\'') => {
                start.get_or_insert(i);
                chars.next();
                continue;
            }
            _ => {}
        }
        start.get_or_insert(i);
    }
    if let Some(from) = start {
        words.push(from..text.len());
    }
    words
}

/// Splits at white space, whatever quotes there are: EXPOSE, FROM and COPY know no quotes.
pub(super) fn plain_words(file: FileId, text: &MappedText) -> Vec<Word> {
    let mut out = Vec::new();
    let whole = text.as_str();
    let mut at = 0;
    for piece in whole.split(char::is_whitespace) {
        if !piece.is_empty() {
            out.push(word(file, text, at..at + piece.len()));
        }
        // The separator's width is that of the character after the piece.
        at += piece.len();
        at += whole.get(at..).and_then(|t| t.chars().next()).map_or(0, char::len_utf8);
    }
    out
}

/// A range of a text as a word.
pub(super) fn word(file: FileId, text: &MappedText, range: Range<usize>) -> Word {
    Word { text: text.as_str().get(range.clone()).unwrap_or("").to_owned(), span: Span::new(file, text.range(range)) }
}

/// A text that is a JSON array of strings and nothing else. Each word's place is without its quotes.
pub(super) fn json_array(file: FileId, text: &MappedText) -> Option<Vec<Word>> {
    let whole = text.as_str();
    if !whole.trim_start().starts_with('[') || serde_json::from_str::<Vec<String>>(whole).is_err() {
        return None;
    }
    // It is well formed: what is left is to find where each string stands.
    let bytes = whole.as_bytes();
    let mut out = Vec::new();
    let mut i = 0;
    while let Some(&b) = bytes.get(i) {
        if b == b'"' {
            let start = i + 1;
            let mut end = start;
            while let Some(&b) = bytes.get(end) {
                match b {
                    b'"' => break,
                    b'\\' => end += 2,
                    _ => end += 1,
                }
            }
            let raw = whole.get(i..=end)?;
            let mut found = word(file, text, start..end);
            found.text = serde_json::from_str(raw).ok()?;
            out.push(found);
            i = end;
        }
        i += 1;
    }
    Some(out)
}

/// The end of the flags at the beginning of a text, and each flag's range. `--` by itself ends them.
pub(super) fn flags(text: &str, escape: char) -> (Vec<Range<usize>>, usize) {
    let mut found = Vec::new();
    let mut end = 0;
    for range in split(text, escape) {
        match text.get(range.clone()) {
            Some("--") => {
                end = range.end;
                break;
            }
            Some(flag) if flag.starts_with("--") => {
                end = range.end;
                found.push(range);
            }
            _ => break,
        }
    }
    (found, end)
}
