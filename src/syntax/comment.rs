//! Comments, which every syntax has.

use crate::base::Span;

/// A comment, for ignore directives and for fixes that must keep it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Comment {
    /// From the comment's first sign to its last character, without the line break.
    pub span: Span,
    /// Whether nothing but white space stands before it on its line.
    pub own_line: bool,
}
