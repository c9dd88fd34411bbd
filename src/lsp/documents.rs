//! The texts of open editors, kept equal to the client's by its change notifications.

use super::convert;
use crate::base::{ColumnEncoding, FastMap, LineIndex};
use lsp_types::{TextDocumentContentChangeEvent, Uri};
use std::sync::Arc;

/// One open document.
#[derive(Clone, Debug)]
pub struct Document {
    /// The client's name for it; answers use the same.
    pub uri: Uri,
    /// The client's version of the text.
    pub version: i32,
    /// The text.
    pub text: Arc<str>,
    /// The last version whose diagnostics were published.
    answered: Option<i32>,
}

/// All open documents by path.
#[derive(Debug, Default)]
pub struct Documents {
    open: FastMap<String, Document>,
}

impl Documents {
    /// An editor opened a file.
    pub fn open(&mut self, path: String, uri: Uri, version: i32, text: String) {
        self.open.insert(path, Document { uri, version, text: text.into(), answered: None });
    }

    /// An editor closed a file.
    pub fn close(&mut self, path: &str) {
        self.open.remove(path);
    }

    /// The open document of a path.
    pub fn get(&self, path: &str) -> Option<&Document> {
        self.open.get(path)
    }

    /// Every open document with its path.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &Document)> {
        self.open.iter()
    }

    /// The documents whose newest version has not had its diagnostics yet, with that version; by path.
    pub fn unanswered(&self) -> Vec<(String, i32)> {
        let mut waiting: Vec<(String, i32)> = self
            .open
            .iter()
            .filter(|(_, d)| d.answered != Some(d.version))
            .map(|(path, d)| (path.clone(), d.version))
            .collect();
        waiting.sort_unstable();
        waiting
    }

    /// Notes that the diagnostics of a version were published.
    pub fn answered(&mut self, path: &str, version: i32) {
        if let Some(document) = self.open.get_mut(path) {
            document.answered = Some(version);
        }
    }

    /// Takes the client's changes in, in order. The new text; `None` where no such document is open.
    pub fn change(
        &mut self,
        path: &str,
        version: i32,
        changes: Vec<TextDocumentContentChangeEvent>,
        encoding: ColumnEncoding,
    ) -> Option<Arc<str>> {
        let document = self.open.get_mut(path)?;
        document.version = version;
        document.text = apply(&document.text, changes, encoding);
        Some(document.text.clone())
    }
}

/// A text after changes. A change without a range replaces everything, so only what follows the last such one counts.
fn apply(text: &Arc<str>, changes: Vec<TextDocumentContentChangeEvent>, encoding: ColumnEncoding) -> Arc<str> {
    let first = changes.iter().rposition(|c| c.range.is_none()).unwrap_or(0);
    let mut text = text.to_string();
    for change in changes.into_iter().skip(first) {
        let Some(range) = change.range else {
            text = change.text;
            continue;
        };
        let lines = LineIndex::new(&text);
        let at = |p| lines.offset(&text, convert::ours(p), encoding) as usize;
        let (start, end) = (at(range.start), at(range.end));
        // A range that ends before it starts is the client's mistake; it is read the other way round.
        text.replace_range(start.min(end)..start.max(end), &change.text);
    }
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use lsp_types::{Position, Range};

    fn change(range: Option<((u32, u32), (u32, u32))>, text: &str) -> TextDocumentContentChangeEvent {
        let at = |(line, character)| Position { line, character };
        TextDocumentContentChangeEvent {
            range: range.map(|(a, b)| Range { start: at(a), end: at(b) }),
            range_length: None,
            text: text.to_owned(),
        }
    }

    #[track_caller]
    fn check(before: &str, changes: Vec<TextDocumentContentChangeEvent>, after: &str) {
        assert_eq!(&*apply(&before.into(), changes, ColumnEncoding::Utf16), after);
    }

    #[test]
    fn changes_are_applied_in_order() {
        check("abc\ndef\n", vec![change(Some(((0, 1), (1, 1))), "X")], "aXef\n");
        check("a\n", vec![change(Some(((0, 0), (0, 0))), "1"), change(Some(((0, 1), (0, 1))), "2")], "12a\n");
        check(
            "a",
            vec![change(Some(((0, 0), (0, 1))), "x"), change(None, "whole"), change(Some(((0, 5), (0, 5))), "!")],
            "whole!",
        );
    }

    #[test]
    fn columns_count_utf16_units_and_are_clamped() {
        check("𝄞b\r\nc", vec![change(Some(((0, 2), (0, 3))), "")], "𝄞\r\nc");
        check("ab\r\nc", vec![change(Some(((0, 99), (0, 99))), "!")], "ab!\r\nc");
        check("ab", vec![change(Some(((9, 0), (9, 0))), "!")], "ab!");
    }
}
