//! Shell scripts, as far as a linter of `RUN` instructions needs them: POSIX sh with the parts of Bash that people use.
//!
//! The grammar is POSIX.1-2024, Shell Command Language, and the Bash manual. The parser is our own rather than
//! `brush-parser`, for three reasons. That one gives no tree at all where a quote or a `fi` is missing, which is how a script looks
//! while it is being typed; it keeps the inside of a word as text, so the places of a variable or of a command
//! substitution have to be found in a second reading without a way back through joined lines; and its recursion is not bounded.
//! This one never fails: it reads what it can, notes what a shell would refuse in [`Script::problems`], and goes on.

mod ast;
mod mapped;
mod parser;
mod walk;
mod word;

pub use ast::{
    AndOr, Assignment, Command, CommandKind, Connector, Part, PartKind, Pipeline, Problem, ProblemKind, Redirect,
    Script, Simple, Variable, Word,
};
pub use mapped::MappedText;
pub use walk::{Call, Place, Wrapper, calls};

/// Reads a script.
pub fn parse(text: &MappedText) -> Script {
    parser::Parser::new(text, 0).script()
}

/// A script that runs one command with these words, for commands that no shell reads.
pub fn exec(words: Vec<Word>) -> Script {
    let span = match (words.first(), words.last()) {
        (Some(first), Some(last)) => first.span.start..last.span.end.max(first.span.start),
        _ => return Script::default(),
    };
    let kind = CommandKind::Simple(Simple { assignments: Vec::new(), words });
    let command = Command { kind, redirects: Vec::new(), span: span.clone() };
    let pipeline = Pipeline { negated: false, commands: vec![command], pipes: Vec::new(), span: span.clone() };
    let list = AndOr { pipelines: vec![(Connector::Start, pipeline)], background: false, span };
    Script { lists: vec![list], problems: Vec::new(), comments: Vec::new() }
}

#[cfg(test)]
mod tests;
