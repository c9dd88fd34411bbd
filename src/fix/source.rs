//! A file that is to be edited: its text, its tree, and how its lines are written.

use super::{hcl, literal, yaml};
use crate::base::{SourceFile, Span};
use crate::diagnostic::Edit;
use crate::formats::FORMATS;
use crate::graph::Value;
use crate::syntax;
use std::sync::Arc;

/// By which rules a file is edited.
pub enum Syntax {
    /// HCL: Terraform's native syntax and variable files.
    Hcl,
    /// YAML, and JSON as a part of it.
    Yaml,
    /// A Dockerfile.
    Dockerfile,
}

/// A file and what it takes to edit it.
pub struct Source {
    /// The file.
    pub file: Arc<SourceFile>,
    /// By which rules it is edited.
    pub syntax: Syntax,
    /// The tree of an HCL file.
    pub hcl: Option<syntax::hcl::tree::File>,
    /// The tree of a YAML or JSON file.
    pub yaml: Option<syntax::yaml::Tree>,
    /// Whether it is written in JSON.
    pub json: bool,
    /// How its lines end.
    pub line_end: &'static str,
}

impl Source {
    /// Reads a file; `None` where it is of no kind that can be edited.
    pub fn new(file: Arc<SourceFile>) -> Option<Source> {
        let extension = file.path.rsplit(['/', '.']).next().unwrap_or("");
        let syntax = match extension {
            "tf" | "tofu" | "tfvars" | "hcl" => Syntax::Hcl,
            // A Terraform file in JSON is edited as what it is.
            "json" | "yaml" | "yml" => Syntax::Yaml,
            _ => {
                let format = FORMATS.iter().find(|f| f.claims(&file.path, &file.text));
                if format.is_some_and(|f| f.name() != "dockerfile") || extension == "tpl" {
                    return None;
                }
                Syntax::Dockerfile
            }
        };
        let hcl = matches!(syntax, Syntax::Hcl).then(|| syntax::hcl::parse(&file.text, file.id).file);
        let yaml = matches!(syntax, Syntax::Yaml).then(|| syntax::yaml::parse(file.id, file.text.clone()));
        let line_end = if file.text.contains("\r\n") { "\r\n" } else { "\n" };
        Some(Source { syntax, hcl, yaml, json: extension == "json", line_end, file })
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.file.text
    }

    /// The offset of the first byte of the line that `offset` is in.
    pub fn line_start(&self, offset: usize) -> usize {
        self.text().get(..offset).and_then(|t| t.rfind('\n')).map_or(0, |i| i + 1)
    }

    /// The offset of the end of the line that `offset` is in, before its line break.
    pub fn line_end(&self, offset: usize) -> usize {
        let rest = self.text().get(offset..).unwrap_or("");
        let end = offset + rest.find('\n').unwrap_or(rest.len());
        if self.text().get(..end).is_some_and(|t| t.ends_with('\r')) && end > offset { end - 1 } else { end }
    }

    /// The offset of the first byte of the next line.
    pub fn next_line(&self, offset: usize) -> usize {
        let rest = self.text().get(offset..).unwrap_or("");
        rest.find('\n').map_or(self.text().len(), |i| offset + i + 1)
    }

    /// The white space that the line of `offset` begins with.
    pub fn indent(&self, offset: usize) -> String {
        let start = self.line_start(offset);
        self.text().get(start..).unwrap_or("").chars().take_while(|c| matches!(c, ' ' | '\t')).collect()
    }

    /// Whether nothing but white space stands before `offset` on its line.
    pub fn begins_line(&self, offset: usize) -> bool {
        self.text().get(self.line_start(offset)..offset).is_some_and(|t| t.trim().is_empty())
    }

    /// Whether nothing stands after `offset` on its line but white space and a comment that begins with one of `marks`.
    pub fn ends_line(&self, offset: usize, marks: &[&str]) -> bool {
        let rest = self.text().get(offset..self.line_end(offset)).unwrap_or("").trim_start();
        rest.is_empty() || marks.iter().any(|m| rest.starts_with(m))
    }

    /// Text with this file's line ends.
    pub fn with_line_ends(&self, text: &str) -> String {
        if self.line_end == "\n" || text.contains('\r') { text.to_owned() } else { text.replace('\n', self.line_end) }
    }

    /// A span of this file.
    pub fn span(&self, range: std::ops::Range<usize>) -> Span {
        Span::new(self.file.id, range)
    }

    /// An insertion of lines, each of which comes with its line break in front, at the end of the line of `offset`.
    pub fn after_line(&self, offset: usize, text: &str) -> Edit {
        let at = self.line_end(offset);
        Edit { span: self.span(at..at), text: self.with_line_ends(text) }
    }

    /// A line of its own before or after something, indented as this is.
    pub fn line_beside(&self, beside: Span, before: bool, text: &str) -> Edit {
        let (start, end) = (beside.start as usize, beside.end as usize);
        let indent = self.indent(start);
        let text: String = text.trim_end().lines().map(|l| format!("{indent}{l}\n")).collect();
        if before {
            let at = self.line_start(start);
            return Edit { span: self.span(at..at), text: self.with_line_ends(&text) };
        }
        // A span may end with its line break already.
        let last = if end > start && self.text().get(..end).is_some_and(|t| t.ends_with('\n')) { end - 1 } else { end };
        self.after_line(last, &format!("\n{}", text.trim_end_matches('\n')))
    }

    /// What to write in the place of a literal that holds `old`; `None` where no such literal stands at the span.
    pub fn replace_literal(&self, span: Span, old: &Value, new: &Value) -> Option<String> {
        let written = self.file.slice(span);
        match self.syntax {
            Syntax::Hcl => hcl::holds(written, old).then(|| literal::hcl(new, &self.indent(span.start as usize)))?,
            Syntax::Yaml => yaml::replacement(self, span, old, new),
            Syntax::Dockerfile => {
                let (old, new) = (old.scalar_text()?, new.scalar_text()?);
                let quote = written.chars().next().filter(|c| matches!(c, '"' | '\''));
                let inner = quote.map_or(written, |q| written.trim_matches(q));
                if inner != old || new.contains('\n') {
                    return None;
                }
                Some(quote.map_or_else(|| new.to_string(), |q| format!("{q}{new}{q}")))
            }
        }
    }
}
