//! Text from scanned files made fit to be shown: control characters, secrets, wrapping and the escapes of the formats.

use crate::analysis::Report;
use crate::base::{FastMap, FileId, SourceFile, Span};
use std::borrow::Cow;
use unicode_width::UnicodeWidthChar;

/// What stands in place of a secret.
pub const REDACTED: &str = "(redacted)";

/// Whether a character may change what a terminal or a reader sees without being seen itself: the C0 and C1 controls,
/// the delete character, and the marks that turn the direction of text (the "Trojan source" characters).
pub fn is_control(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// A visible character in place of a control character: the control pictures of Unicode for C0, the replacement
/// character for all others.
pub fn picture(c: char) -> char {
    match u32::from(c) {
        n @ 0..=0x1f => char::from_u32(0x2400 + n).unwrap_or('\u{fffd}'),
        0x7f => '\u{2421}',
        _ => '\u{fffd}',
    }
}

/// Text in which every control character but line feed and tab is replaced by a visible one.
pub fn visible(text: &str) -> Cow<'_, str> {
    let bad = |c: char| is_control(c) && c != '\n' && c != '\t';
    if !text.contains(bad) {
        return Cow::Borrowed(text);
    }
    // The line breaks of Windows are line breaks, not characters to be shown.
    let text = text.replace("\r\n", "\n");
    Cow::Owned(text.chars().map(|c| if bad(c) { picture(c) } else { c }).collect())
}

/// Text on one line: line breaks and tabs become spaces, other control characters visible.
pub fn one_line(text: &str) -> Cow<'_, str> {
    match visible(text) {
        Cow::Borrowed(t) if !t.contains(['\n', '\t']) => Cow::Borrowed(t),
        t => Cow::Owned(t.split(['\n', '\t']).map(str::trim).filter(|l| !l.is_empty()).collect::<Vec<_>>().join(" ")),
    }
}

/// The columns that text takes in a terminal.
pub fn width(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// Text cut to a number of columns, with an ellipsis where something is missing.
pub fn truncate(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    let mut used = 0;
    let kept: String = text
        .chars()
        .take_while(|c| {
            used += c.width().unwrap_or(0);
            used < columns
        })
        .collect();
    Cow::Owned(kept + "…")
}

/// Breaks text into lines of at most `columns`. Lines that are there stay; words are never cut unless one is longer
/// than a line. Lines inside a fence (```` ``` ````) or indented by four spaces are code and stay as they are; the
/// fences themselves go.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(10);
    let mut lines = Vec::new();
    let mut code = false;
    for line in text.trim_end().lines() {
        let body = line.trim_start();
        if body.starts_with("```") {
            code = !code;
            continue;
        }
        if code || line.starts_with("    ") {
            lines.push(if code { format!("  {line}") } else { line.to_owned() });
            continue;
        }
        let indent = &line[..line.len() - body.len()];
        let mut current = indent.to_owned();
        let mut used = width(indent);
        let mut empty = true;
        for word in body.split_whitespace() {
            for part in split_word(word, columns.saturating_sub(width(indent)).max(8)) {
                let w = width(part);
                if !empty && used + 1 + w > columns {
                    lines.push(std::mem::replace(&mut current, indent.to_owned()));
                    used = width(indent);
                    empty = true;
                }
                if !empty {
                    current.push(' ');
                    used += 1;
                }
                current.push_str(part);
                used += w;
                empty = false;
            }
        }
        lines.push(current);
    }
    lines
}

/// Text in which lines that belong to one paragraph are joined, as Markdown reads it: policies break their lines where their
/// authors' editors ended. Code, lists, headings and tables keep their lines.
pub fn paragraphs(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut code = false;
    let mut open = false;
    for line in text.trim_end().lines() {
        let body = line.trim_start();
        let fence = body.starts_with("```");
        code ^= fence;
        let apart = fence
            || code
            || line.starts_with("    ")
            || body.is_empty()
            || body.starts_with(['-', '*', '+', '#', '|', '>'])
            || body.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with(". ");
        if open && !apart {
            out.push(' ');
            out.push_str(body);
        } else {
            if !out.is_empty() {
                out.push('\n');
            }
            out.push_str(line);
        }
        // What follows a list's item belongs to it; what follows code or an empty line does not.
        open = !(fence || code || body.is_empty() || body.starts_with(['#', '|']));
    }
    out
}

/// A word in pieces of at most `columns`.
fn split_word(word: &str, columns: usize) -> Vec<&str> {
    if width(word) <= columns {
        return vec![word];
    }
    let mut parts = Vec::new();
    let (mut start, mut used) = (0, 0);
    for (i, c) in word.char_indices() {
        let w = c.width().unwrap_or(0);
        if used + w > columns {
            parts.push(&word[start..i]);
            (start, used) = (i, 0);
        }
        used += w;
    }
    parts.push(&word[start..]);
    parts
}

/// A path as the path of a URI (RFC 3986): everything but unreserved characters and `/` percent-encoded.
pub fn uri_path(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for &b in path.as_bytes() {
        if b.is_ascii_alphanumeric() || b"-._~/".contains(&b) {
            out.push(char::from(b));
        } else {
            out.push_str(&format!("%{b:02X}"));
        }
    }
    out
}

/// The secrets of a whole report by file, sorted and without overlaps. What one finding hides, the excerpt of its
/// neighbour must hide as well.
#[derive(Debug, Default)]
pub struct Secrets {
    spans: FastMap<FileId, Vec<Span>>,
}

impl Secrets {
    /// Those of a report, whether or not it shows the findings that know them.
    pub fn of_report(report: &Report) -> Secrets {
        let unchanged = report.since.iter().flat_map(|s| &s.unchanged);
        let all = report.diagnostics.iter().chain(unchanged).chain(report.suppressed.iter().map(|s| &s.diagnostic));
        Secrets::of(all.flat_map(|d| &d.redacted).copied())
    }

    /// Collects them.
    pub fn of(secrets: impl Iterator<Item = Span>) -> Secrets {
        let mut spans: FastMap<FileId, Vec<Span>> = FastMap::default();
        for span in secrets.filter(|s| !s.is_none() && s.start < s.end) {
            spans.entry(span.file).or_default().push(span);
        }
        for list in spans.values_mut() {
            list.sort_unstable();
            list.dedup_by(|next, kept| {
                let overlap = next.start <= kept.end;
                if overlap {
                    kept.end = kept.end.max(next.end);
                }
                overlap
            });
        }
        Secrets { spans }
    }

    /// The byte ranges of a file, within `range`, that must not be shown. Quotes around a secret may be shown.
    pub fn within(&self, file: &SourceFile, range: std::ops::Range<usize>) -> Vec<std::ops::Range<usize>> {
        let Some(spans) = self.spans.get(&file.id) else { return Vec::new() };
        let first = spans.partition_point(|s| s.end as usize <= range.start);
        spans[first..]
            .iter()
            .take_while(|s| (s.start as usize) < range.end)
            .map(|s| {
                let text = file.slice(*s).as_bytes();
                let quoted =
                    text.len() > 2 && matches!(text.first(), Some(b'"' | b'\'')) && text.first() == text.last();
                let inner = if quoted { s.start as usize + 1..s.end as usize - 1 } else { s.range() };
                inner.start.max(range.start)..inner.end.min(range.end)
            })
            .filter(|r| r.start < r.end)
            .collect()
    }

    /// The text of a range of a file with its secrets replaced.
    pub fn text<'a>(&self, file: &'a SourceFile, range: std::ops::Range<usize>) -> Cow<'a, str> {
        let hidden = self.within(file, range.clone());
        if hidden.is_empty() {
            return Cow::Borrowed(file.text.get(range).unwrap_or(""));
        }
        let mut out = String::new();
        let mut at = range.start;
        for secret in hidden {
            out.push_str(file.text.get(at..secret.start).unwrap_or(""));
            out.push_str(REDACTED);
            at = secret.end;
        }
        out.push_str(file.text.get(at..range.end).unwrap_or(""));
        Cow::Owned(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_become_visible() {
        assert_eq!(visible("a\x1b[31mb\x07\x7f\u{9b}2J"), "a␛[31mb␇␡\u{fffd}2J");
        assert_eq!(visible("admin\u{202e}nimda"), "admin\u{fffd}nimda");
        assert_eq!(visible("line\r\nline\tü"), "line\nline\tü".to_owned());
        assert!(matches!(visible("plain"), Cow::Borrowed(_)));
        assert_eq!(one_line("a\n  b\tc\r\n"), "a b c");
    }

    #[test]
    fn wrapping_keeps_words_and_code() {
        assert_eq!(wrap("one two three four", 10), ["one two", "three four"]);
        assert_eq!(wrap("- aaaaaaaaaaaaaaaaaaaaaaaa b", 12), ["-", "aaaaaaaaaaaa", "aaaaaaaaaaaa", "b"]);
        assert_eq!(
            wrap("Write:\n```hcl\nacl = \"private\" # long long long\n```\nDone.", 12),
            ["Write:", "  acl = \"private\" # long long long", "Done."]
        );
        assert_eq!(wrap("日本語 日本語 日本語", 13), ["日本語 日本語", "日本語"]);
    }

    #[test]
    fn lines_of_a_paragraph_are_joined() {
        assert_eq!(
            paragraphs("one\ntwo\n\nthree:\n```hcl\na = 1\nb = 2\n```\nfour\n- five\n  six\n- seven"),
            "one two\n\nthree:\n```hcl\na = 1\nb = 2\n```\nfour\n- five six\n- seven"
        );
    }

    #[test]
    fn text_is_cut_by_columns() {
        assert_eq!(truncate("日本語日本語", 7), "日本語…");
        assert_eq!(truncate("short", 7), "short");
    }

    #[test]
    fn paths_become_uris() {
        assert_eq!(uri_path("a b/ü#1%.tf"), "a%20b/%C3%BC%231%25.tf");
    }
}
