//! Completion of policy names, where a name is expected: in ignore comments and in `stacklint.toml`.

use crate::analysis::Report;
use crate::base::SourceFile;
use crate::diagnostic::Category;
use lsp_types::{
    CompletionItem, CompletionItemKind, CompletionTextEdit, Documentation, MarkupContent, MarkupKind, TextEdit,
};
use std::sync::Arc;

use super::convert;
use super::hover;
use crate::base::{ColumnEncoding, Span};
use crate::diagnostic::Rule;

/// What fits at `offset` of a file.
pub fn complete(
    report: &Report,
    rules: &[Arc<Rule>],
    file: &SourceFile,
    offset: u32,
    encoding: ColumnEncoding,
) -> Vec<CompletionItem> {
    let line = file.lines().line_range(&file.text, file.lines().line(offset));
    let before = file.text.get(line.start..offset as usize).unwrap_or("");
    let word_start = before
        .rfind(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_' | ':' | '*')))
        .map_or(0, |i| i + before[i..].chars().next().map_or(1, char::len_utf8));
    let typed = Span::new(file.id, line.start + word_start..offset as usize);
    let range = convert::range(file, typed, encoding);
    let item = |label: String, kind, detail: String, page: Option<String>| CompletionItem {
        text_edit: Some(CompletionTextEdit::Edit(TextEdit { range, new_text: label.clone() })),
        label,
        kind: Some(kind),
        detail: Some(detail),
        documentation: page
            .map(|value| Documentation::MarkupContent(MarkupContent { kind: MarkupKind::Markdown, value })),
        ..Default::default()
    };
    let names = |rules: &[Arc<Rule>]| -> Vec<CompletionItem> {
        rules
            .iter()
            .map(|r| item(r.name.clone(), CompletionItemKind::CONSTANT, r.title.clone(), Some(hover::page(r))))
            .collect()
    };
    if let Some(open) = before.rfind("ignore[")
        && before[..open].contains("stacklint:")
        && !before[open..].contains(']')
    {
        // Those that have a finding nearby are what one wants to silence: they come first.
        let here = |r: &Rule| {
            report.diagnostics.iter().any(|d| {
                d.rule.name == r.name && d.primary.span.file == file.id && {
                    let distance =
                        i64::from(file.lines().line(d.primary.span.start)) - i64::from(file.lines().line(offset));
                    (-1..=60).contains(&distance)
                }
            })
        };
        return rules
            .iter()
            .zip(names(rules))
            .map(|(r, i)| CompletionItem { sort_text: Some(format!("{}{}", u8::from(!here(r)), r.name)), ..i })
            .collect();
    }
    if file.path.ends_with("stacklint.toml") {
        let key = before.split('=').next().unwrap_or("").trim();
        if before.contains('=') || before.trim_start().starts_with('"') || before.trim_start().starts_with('[') {
            let mut items = names(rules);
            items.extend(
                Category::ALL
                    .iter()
                    .map(|c| item(c.as_str().to_owned(), CompletionItemKind::ENUM_MEMBER, "category".to_owned(), None)),
            );
            items.extend(crate::diagnostic::Severity::ALL.iter().map(|s| {
                let word = if key.contains("severity") { s.as_str().to_owned() } else { format!("severity:{s}") };
                item(word, CompletionItemKind::ENUM_MEMBER, "severity".to_owned(), None)
            }));
            return items;
        }
    }
    Vec::new()
}
