//! From physical to logical lines: parser directives, comments, continuation lines, here-documents.

use super::ast::{Directive, Heredoc};
use super::words;
use crate::base::{FileId, Span};
use crate::diagnostic::SyntaxError;
use crate::syntax::shell::MappedText;
use std::ops::Range;

/// All logical lines of a file.
pub(super) struct Lines {
    pub(super) directives: Vec<Directive>,
    pub(super) escape: char,
    pub(super) logical: Vec<Logical>,
    pub(super) comments: Vec<Range<usize>>,
}

/// An instruction's line with continuation lines joined, and its here-documents.
pub(super) struct Logical {
    pub(super) text: MappedText,
    pub(super) heredocs: Vec<Heredoc>,
}

/// The physical lines with their offsets, without line breaks.
struct Physical<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Iterator for Physical<'a> {
    type Item = (usize, &'a str);

    fn next(&mut self) -> Option<(usize, &'a str)> {
        let rest = self.text.get(self.at..).filter(|r| !r.is_empty())?;
        let start = self.at;
        let length = rest.find('\n').map_or(rest.len(), |n| n + 1);
        self.at += length;
        let line = rest.get(..length).unwrap_or("");
        Some((start, line.strip_suffix('\n').unwrap_or(line).trim_end_matches('\r')))
    }
}

/// Splits a file into logical lines.
pub(super) fn read(file: FileId, text: &str, errors: &mut Vec<SyntaxError>) -> Lines {
    let mut out = Lines { directives: Vec::new(), escape: '\\', logical: Vec::new(), comments: Vec::new() };
    let mut lines = Physical { text, at: if text.starts_with('\u{feff}') { 3 } else { 0 } };
    let mut at_top = true;
    while let Some((start, line)) = lines.next() {
        let trimmed = line.trim_start();
        let offset = start + (line.len() - trimmed.len());
        if trimmed.starts_with('#') {
            let span = offset..start + line.trim_end().len();
            if at_top {
                at_top = directive(file, text, span.clone(), &mut out, errors);
            }
            out.comments.push(span);
            continue;
        }
        at_top = false;
        if trimmed.trim().is_empty() {
            continue;
        }
        let mut joined = MappedText::new();
        let mut part = (offset, trimmed);
        loop {
            let Some(kept) = continued(part.1, out.escape) else {
                joined.push(part.0, part.1);
                break;
            };
            joined.push(part.0, kept);
            // Comment lines and empty lines between continuation lines are left out.
            let next = loop {
                match lines.next() {
                    Some((start, line)) if line.trim_start().starts_with('#') => {
                        let from = start + (line.len() - line.trim_start().len());
                        out.comments.push(from..start + line.trim_end().len());
                    }
                    Some((_, line)) if line.trim().is_empty() => {}
                    other => break other,
                }
            };
            match next {
                Some(next) => part = next,
                None => break,
            }
        }
        let heredocs = heredocs(file, &joined, out.escape, &mut lines, errors);
        out.logical.push(Logical { text: joined.trimmed(), heredocs });
    }
    out
}

/// The line without its continuation sign, where it ends in one. A doubled escape character is none.
fn continued(line: &str, escape: char) -> Option<&str> {
    let kept = line.trim_end_matches([' ', '\t']).strip_suffix(escape)?;
    (!kept.ends_with(escape)).then_some(kept)
}

/// Reads a comment at the top as a parser directive; `false` where it is none, which ends the directives.
fn directive(file: FileId, text: &str, range: Range<usize>, out: &mut Lines, errors: &mut Vec<SyntaxError>) -> bool {
    let comment = text.get(range.clone()).unwrap_or("");
    let body = comment.trim_start_matches('#');
    if comment.len() - body.len() != 1 {
        return false;
    }
    let Some((name, value)) = body.split_once('=') else { return false };
    let (name, value_text) = (name.trim().to_ascii_lowercase(), value.trim());
    if value_text.is_empty() || !matches!(name.as_str(), "syntax" | "escape" | "check") {
        return false;
    }
    let value_start = range.end - value.trim_start().len();
    let value_span = Span::new(file, value_start..value_start + value_text.len());
    let span = Span::new(file, range);
    if out.directives.iter().any(|d| d.name == name) {
        errors.push(
            SyntaxError::new(span, format!("the parser directive `{name}` is given twice"))
                .with_help("keep one of them: BuildKit refuses the file"),
        );
        return true;
    }
    if name == "escape" {
        match value_text {
            "\\" | "`" => out.escape = if value_text == "`" { '`' } else { '\\' },
            other => errors.push(
                SyntaxError::new(value_span, format!("`{other}` cannot be the escape character"))
                    .with_help("it is either \\ or `"),
            ),
        }
    }
    out.directives.push(Directive { name, value: value_text.to_owned(), value_span, span });
    true
}

/// The here-documents that a line opens, read from the lines after it.
fn heredocs(
    file: FileId,
    line: &MappedText,
    escape: char,
    lines: &mut Physical<'_>,
    errors: &mut Vec<SyntaxError>,
) -> Vec<Heredoc> {
    let text = line.as_str();
    if !text.contains("<<") || !can_hold_heredocs(text) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for word in words::split(text, escape) {
        let Some((name, expand, chomp)) = text.get(word.clone()).and_then(heredoc_start) else { continue };
        let start_span = Span::new(file, line.range(word));
        let mut body = MappedText::new();
        let begin = lines.at;
        let mut end = None;
        loop {
            let before = lines.at;
            let Some((start, content)) = lines.next() else { break };
            let kept = if chomp { content.trim_start_matches('\t') } else { content };
            if kept == name {
                end = Some(start + content.len());
                break;
            }
            let from = start + (content.len() - kept.len());
            body.push(from, lines.text.get(from..lines.at.max(before)).unwrap_or(""));
        }
        if end.is_none() {
            errors.push(
                SyntaxError::new(start_span, format!("the here-document `{name}` has no end"))
                    .with_help(format!("put `{name}` on a line of its own after its text")),
            );
        }
        let span = Span::new(file, begin..end.unwrap_or(lines.at));
        found.push(Heredoc { name, start_span, expand, chomp, body, span });
    }
    found
}

/// Only RUN, COPY and ADD take here-documents, by themselves or behind ONBUILD, and not in their JSON form.
fn can_hold_heredocs(text: &str) -> bool {
    let mut rest = text.trim_start();
    loop {
        let Some((word, after)) = rest.split_once(char::is_whitespace) else { return false };
        rest = after.trim_start();
        match word.to_ascii_uppercase().as_str() {
            "RUN" | "COPY" | "ADD" => return !rest.starts_with('['),
            "ONBUILD" => {}
            _ => return false,
        }
    }
}

/// `3<<-"NAME"`: the name, whether variables are expanded, whether tabs go.
fn heredoc_start(word: &str) -> Option<(String, bool, bool)> {
    let rest = word.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix("<<")?;
    let (chomp, rest) = rest.strip_prefix('-').map_or((false, rest), |r| (true, r));
    if rest.is_empty() || rest.contains('<') {
        return None;
    }
    let name: String = rest.chars().filter(|c| !matches!(c, '"' | '\'' | '\\')).collect();
    (!name.is_empty()).then(|| (name.clone(), name == rest, chomp))
}
