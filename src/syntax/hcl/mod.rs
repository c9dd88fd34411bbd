//! HCL, Terraform's language: text to [`tree::File`], natively and from JSON.
//!
//! The parser is our own, written to the grammar of HashiCorp's `hclsyntax`, because a linter needs what the crates do
//! not give: it goes on after an error, so that one broken expression costs that expression alone; it accepts what
//! Terraform accepts (byte-order marks, `\r\n`, line breaks inside brackets); it makes the small tree directly; and it
//! is bounded in depth. `terraform fmt` is the oracle for what is valid.

mod expr;
mod json;
mod parser;
mod template;
pub mod tree;

#[cfg(test)]
mod tests;

use crate::base::FileId;
use crate::diagnostic::SyntaxError;
use crate::syntax::Comment;
pub use json::{IsBlock, JsonFile, no_blocks, parse_json};
use parser::{Parse, Parser, Place};
use tree::{Expr, File};

/// What parsing a native file gives.
#[derive(Debug, Default)]
pub struct Parsed {
    /// The tree of what could be read.
    pub file: File,
    /// What could not, in the order of the file.
    pub errors: Vec<SyntaxError>,
    /// Every comment, in the order of the file.
    pub comments: Vec<Comment>,
}

/// Parses a native file: `*.tf`, `*.tofu`, `*.tfvars`.
pub fn parse(text: &str, file: FileId) -> Parsed {
    let strict = parse_as(text, file, false);
    if strict.errors.is_empty() {
        return strict;
    }
    parse_as(text, file, true)
}

fn parse_as(text: &str, file: FileId, recovery: bool) -> Parsed {
    let mut parser = Parser::new(text, file, Place::At(0), recovery);
    let body = parser.file();
    let mut errors = parser.errors;
    errors.sort_by_key(|e| (e.span.start, e.span.end));
    errors.dedup();
    Parsed { file: File { body, json: false }, errors, comments: parser.comments }
}

/// Parses one expression that is the whole text, such as the value of `--var`. Spans are offsets in the text.
pub fn parse_expression(text: &str, file: FileId) -> Result<Expr, Vec<SyntaxError>> {
    let mut parser = Parser::new(text, file, Place::At(0), false);
    parser.whole_expression().map_err(|_| std::mem::take(&mut parser.errors))
}

/// Parses a whole text as a template, as `templatefile` reads a file. Strip markers reach to the end of their line.
pub fn parse_template(text: &str, file: FileId) -> Result<Expr, Vec<SyntaxError>> {
    let mut parser = Parser::new(text, file, Place::At(0), false);
    parser.bare_template().map_err(|_| std::mem::take(&mut parser.errors))
}

impl Parser<'_> {
    /// An expression with nothing after it; line breaks are as in parentheses.
    fn whole_expression(&mut self) -> Parse<Expr> {
        self.newlines = false;
        let expr = self.expression()?;
        self.skip();
        if self.at_end() { Ok(expr) } else { self.expected("the end of the expression", "") }
    }
}
