//! Text to trees with spans. Parsing never fails, never panics and does no I/O: it returns a tree of what could be
//! read and the errors as data. Nothing here knows the graph.

pub mod dockerfile;
pub mod hcl;
pub mod shell;

pub mod yaml;

use crate::base::Span;

/// A comment, for ignore directives and for fixes that must keep it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Comment {
    /// From the comment's first sign to its last character, without the line break.
    pub span: Span,
    /// Whether nothing but white space stands before it on its line.
    pub own_line: bool,
}
