//! Dockerfiles, by the grammar of BuildKit's frontend as the Dockerfile reference describes it
//! (<https://docs.docker.com/reference/dockerfile/>).
//!
//! [`parse`] never fails: an instruction that is not one, or whose arguments do not fit its grammar, becomes an error with
//! its exact place, and the next line is read as if nothing had happened. A file without `FROM` is read too.

mod arguments;
mod ast;
mod expand;
mod lines;
mod words;

pub use ast::{Arguments, Directive, Dockerfile, Flag, Heredoc, Instruction, Keyword, Pair, Word};
pub use expand::{Expansion, Known, expand, variables};

use crate::base::{FileId, Span};
use crate::diagnostic::SyntaxError;
use crate::syntax::Comment;

/// What reading a Dockerfile gives.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    /// The tree.
    pub file: Dockerfile,
    /// What could not be read.
    pub errors: Vec<SyntaxError>,
    /// Every comment line, parser directives included.
    pub comments: Vec<Comment>,
}

/// Reads a Dockerfile.
pub fn parse(file: FileId, text: &str) -> Parsed {
    let mut errors = Vec::new();
    let lines = lines::read(file, text, &mut errors);
    let escape = lines.escape;
    let mut instructions = Vec::new();
    for line in lines.logical {
        let mut reader = arguments::Reader { file, escape, errors: &mut errors };
        instructions.extend(reader.instruction(&line.text, line.heredocs, 0));
    }
    Parsed {
        file: Dockerfile { directives: lines.directives, instructions, escape },
        errors,
        comments: lines.comments.into_iter().map(|r| Comment { span: Span::new(file, r), own_line: true }).collect(),
    }
}

#[cfg(test)]
mod tests;
