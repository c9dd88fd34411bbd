//! Between the protocol's terms and ours: URIs and paths, positions and byte offsets.

use crate::base::{ColumnEncoding, Position, SourceFile, Span};
use lsp_types::{PositionEncodingKind, Range, Uri};
use std::fmt::Write as _;
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

/// The encoding to use: UTF-8 where the client offers it (it costs us nothing), then UTF-32, else UTF-16, which every
/// client knows (LSP 3.17, `general.positionEncodings`).
pub fn negotiate(offered: Option<&[PositionEncodingKind]>) -> (ColumnEncoding, PositionEncodingKind) {
    let offered = offered.unwrap_or(&[]);
    if offered.contains(&PositionEncodingKind::UTF8) {
        (ColumnEncoding::Utf8, PositionEncodingKind::UTF8)
    } else if offered.contains(&PositionEncodingKind::UTF32) {
        (ColumnEncoding::Chars, PositionEncodingKind::UTF32)
    } else {
        (ColumnEncoding::Utf16, PositionEncodingKind::UTF16)
    }
}

/// The range of a span of `file`.
pub fn range(file: &SourceFile, span: Span, encoding: ColumnEncoding) -> Range {
    let at = |offset| {
        let p = file.lines().position(&file.text, offset, encoding);
        lsp_types::Position { line: p.line - 1, character: p.column - 1 }
    };
    Range { start: at(span.start), end: at(span.end) }
}

/// The byte offset of a position in a file; clamped to the line's and the file's end, as the protocol asks.
pub fn offset(file: &SourceFile, position: lsp_types::Position, encoding: ColumnEncoding) -> u32 {
    file.lines().offset(&file.text, ours(position), encoding)
}

/// A position of the protocol (from 0) as ours (from 1).
pub fn ours(position: lsp_types::Position) -> Position {
    Position { line: position.line.saturating_add(1), column: position.character.saturating_add(1) }
}

/// The path of a `file:` URI; `None` for other schemes (untitled buffers, git views).
pub fn to_path(uri: &Uri) -> Option<PathBuf> {
    let rest = uri.as_str().strip_prefix("file://")?;
    let path = rest.find('/').map(|i| &rest[i..])?;
    let mut bytes = Vec::with_capacity(path.len());
    let mut at = path.bytes();
    while let Some(b) = at.next() {
        if b == b'%' {
            let hex = [at.next()?, at.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&hex).ok()?, 16).ok()?);
        } else {
            bytes.push(b);
        }
    }
    let text = String::from_utf8(bytes).ok()?;
    // On Windows the path of `file:///c%3A/x` is `/c:/x`.
    let drive = text.as_bytes().get(2) == Some(&b':') && cfg!(windows);
    Some(clean(Path::new(if drive { &text[1..] } else { &text })))
}

/// The URI of an absolute path.
pub fn to_uri(path: &Path) -> Option<Uri> {
    let mut text = String::from("file://");
    let path = path.to_str()?.replace('\\', "/");
    if !path.starts_with('/') {
        text.push('/');
    }
    for b in path.bytes() {
        if b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'_' | b'.' | b'~') {
            text.push(char::from(b));
        } else {
            let _ = write!(text, "%{b:02X}");
        }
    }
    Uri::from_str(&text).ok()
}

/// The path without `.` and `..`, so that one file has one name. Links are left as the client named them.
pub fn clean(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[test]
    fn uris_and_paths_go_there_and_back() {
        for path in ["/a/b.tf", "/a b/ü%/c#d?.tf", "/x/[y]/{z}.yaml"] {
            let uri = to_uri(Path::new(path)).unwrap();
            assert_eq!(to_path(&uri).unwrap(), Path::new(path), "{}", uri.as_str());
        }
        let odd = Uri::from_str("file://localhost/a/%2e%2E/b.tf").unwrap();
        assert_eq!(to_path(&odd).unwrap(), Path::new("/b.tf"));
        assert_eq!(to_path(&Uri::from_str("untitled:Untitled-1").unwrap()), None);
    }
}
