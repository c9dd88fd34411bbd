//! Spans turned into what the formats want: paths, lines, columns.

use crate::analysis::Report;
use crate::base::{ColumnEncoding, Position, SourceFile, Span};
use std::borrow::Cow;

/// A span with its file and its lines and columns. The end is exclusive in its column and names the last line that
/// has a part in the span: a span that ends with a line break ends on the line before.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The file.
    pub file: &'a SourceFile,
    /// The span.
    pub span: Span,
    /// Its first character.
    pub start: Position,
    /// One past its last character.
    pub end: Position,
}

/// The place of a span; `None` where it stands in no file, or in one that is gone.
pub fn place(report: &Report, span: Span, encoding: ColumnEncoding) -> Option<Place<'_>> {
    let file = report.files.get(span.file)?;
    let (lines, text) = (file.lines(), &*file.text);
    let start = lines.position(text, span.start, encoding);
    let mut end = lines.position(text, span.end, encoding);
    if end.column == 1 && end.line > start.line {
        let last = lines.line_range(text, end.line - 1).end;
        end = lines.position(text, u32::try_from(last).unwrap_or(u32::MAX), encoding);
    }
    Some(Place { file, span, start, end })
}

/// A path with `prefix` (the way from the root of the repository to the working directory) before it, and without
/// `.` and `..` in it. Platforms that know the repository want its own paths.
pub fn rooted<'a>(prefix: &str, path: &'a str) -> Cow<'a, str> {
    let plain = |p: &str| !p.split('/').any(|part| matches!(part, "." | ".." | ""));
    if prefix.is_empty() && plain(path) {
        return Cow::Borrowed(path);
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in prefix.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|p| *p != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    // An absolute path stays one: it is outside the repository and no prefix makes it part of it.
    Cow::Owned(if path.starts_with('/') { path.to_owned() } else { joined })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_rooted_in_the_repository() {
        assert_eq!(rooted("", "a/b.tf"), "a/b.tf");
        assert_eq!(rooted("", "./a/b.tf"), "a/b.tf");
        assert_eq!(rooted("infra/prod", "main.tf"), "infra/prod/main.tf");
        assert_eq!(rooted("infra/prod/", "../modules/m.tf"), "infra/modules/m.tf");
        assert_eq!(rooted("", "../x.tf"), "../x.tf");
        assert_eq!(rooted("infra", "/tmp/x.tf"), "/tmp/x.tf");
    }

    #[test]
    fn a_span_ends_on_its_last_line() {
        let mut report = Report::default();
        let id = report.files.set("a.tf", "aü\nb\n".into());
        let at = |range, encoding| {
            let place = place(&report, Span::new(id, range), encoding).unwrap_or_else(|| panic!("no place"));
            (place.start.line, place.start.column, place.end.line, place.end.column)
        };
        assert_eq!(at(0..4, ColumnEncoding::Chars), (1, 1, 1, 3));
        assert_eq!(at(0..4, ColumnEncoding::Utf8), (1, 1, 1, 4));
        assert_eq!(at(1..5, ColumnEncoding::Chars), (1, 2, 2, 2));
        assert_eq!(at(6..6, ColumnEncoding::Chars), (3, 1, 3, 1));
        assert!(place(&report, Span::NONE, ColumnEncoding::Chars).is_none());
    }
}
