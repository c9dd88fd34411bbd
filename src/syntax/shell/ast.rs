//! What a shell script is made of. All ranges are byte ranges of the file.

use super::MappedText;
use std::ops::Range;

/// A script, or the inside of a command substitution.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Script {
    /// The lists, in order; `;`, `&` and line breaks stand between them.
    pub lists: Vec<AndOr>,
    /// What could not be read as shell.
    pub problems: Vec<Problem>,
    /// Comments.
    pub comments: Vec<Range<usize>>,
}

/// Something that a shell would refuse, or read otherwise than its author meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub span: Range<usize>,
    /// What.
    pub kind: ProblemKind,
}

/// What is wrong with a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    /// A `'` without its partner.
    SingleQuote,
    /// A `"` without its partner.
    DoubleQuote,
    /// A `` ` `` without its partner.
    Backtick,
    /// `$(`, `${`, `$((`, `(` or `{` that is not closed.
    Unclosed,
    /// `if`, `while`, `for`, `case` without the word that ends it.
    Unfinished,
    /// A word or sign that cannot stand there, such as `)` or `fi`.
    Unexpected,
    /// A here-document without its last line.
    HereDocument,
    /// Nested deeper than is read.
    TooDeep,
}

/// Pipelines joined by `&&` and `||`.
#[derive(Clone, Debug, PartialEq)]
pub struct AndOr {
    /// The pipelines; each with the operator before it.
    pub pipelines: Vec<(Connector, Pipeline)>,
    /// Whether it ends in `&`.
    pub background: bool,
    /// From the first to the last sign, without what ends it.
    pub span: Range<usize>,
}

/// What stands before a pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connector {
    /// Nothing: it begins a list.
    Start,
    /// `&&`
    And,
    /// `||`
    Or,
}

/// Commands joined by `|`.
#[derive(Clone, Debug, PartialEq)]
pub struct Pipeline {
    /// Whether `!` stands before it.
    pub negated: bool,
    /// The commands.
    pub commands: Vec<Command>,
    /// The place of each `|`.
    pub pipes: Vec<Range<usize>>,
    /// The whole.
    pub span: Range<usize>,
}

/// A command with its redirections.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// What it is.
    pub kind: CommandKind,
    /// Redirections, in order.
    pub redirects: Vec<Redirect>,
    /// The whole.
    pub span: Range<usize>,
}

/// The kinds of command.
#[derive(Clone, Debug, PartialEq)]
pub enum CommandKind {
    /// Assignments and words; `[ … ]` and `[[ … ]]` too.
    Simple(Simple),
    /// `( … )`
    Subshell(Vec<AndOr>),
    /// `{ …; }`
    Group(Vec<AndOr>),
    /// `if`: conditions with their bodies, and what follows `else`.
    If {
        /// Each condition and what is done where it holds.
        branches: Vec<(Vec<AndOr>, Vec<AndOr>)>,
        /// What is done otherwise.
        otherwise: Vec<AndOr>,
    },
    /// `while` and `until`.
    Loop {
        /// The condition.
        condition: Vec<AndOr>,
        /// The body.
        body: Vec<AndOr>,
    },
    /// `for` and `select` over words; without words over the arguments, or arithmetic.
    For {
        /// The variable.
        variable: String,
        /// The words after `in`.
        words: Vec<Word>,
        /// The body.
        body: Vec<AndOr>,
    },
    /// `case`: the word, and each arm's patterns and body.
    Case {
        /// What is looked at.
        subject: Option<Word>,
        /// The arms.
        arms: Vec<(Vec<Word>, Vec<AndOr>)>,
    },
    /// `(( … ))`
    Arithmetic(String),
    /// A function's definition.
    Function {
        /// Its name.
        name: String,
        /// Its body.
        body: Box<Command>,
    },
}

/// A simple command.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Simple {
    /// `NAME=value` before the first word.
    pub assignments: Vec<Assignment>,
    /// The command's name and its arguments.
    pub words: Vec<Word>,
}

/// `NAME=value`
#[derive(Clone, Debug, PartialEq)]
pub struct Assignment {
    /// The variable.
    pub name: String,
    /// Where its name stands.
    pub name_span: Range<usize>,
    /// The value; an array's elements are several.
    pub value: Vec<Word>,
    /// Whether the value is an array.
    pub array: bool,
    /// Whether it is `+=`.
    pub append: bool,
    /// The whole.
    pub span: Range<usize>,
}

/// A redirection.
#[derive(Clone, Debug, PartialEq)]
pub struct Redirect {
    /// `<`, `>`, `>>`, `&>`, `>&`, `<<`, `<<-`, `<<<`, …
    pub operator: &'static str,
    /// The file descriptor before it, as written.
    pub descriptor: String,
    /// The file, or the here-document's end word.
    pub target: Option<Word>,
    /// The here-document's text.
    pub here: Option<MappedText>,
    /// The whole, without the here-document.
    pub span: Range<usize>,
}

/// A word: what the shell splits at white space.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Word {
    /// What it is made of.
    pub parts: Vec<Part>,
    /// The whole, quotes included.
    pub span: Range<usize>,
}

/// A part of a word.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// What it is.
    pub kind: PartKind,
    /// Where, with its quotes or dollar sign.
    pub span: Range<usize>,
}

/// The kinds of part.
#[derive(Clone, Debug, PartialEq)]
pub enum PartKind {
    /// Text without quotes.
    Literal(String),
    /// A character after a backslash.
    Escaped(char),
    /// `'…'` or `$'…'`
    SingleQuoted(MappedText),
    /// `"…"`
    DoubleQuoted(Vec<Part>),
    /// `$name`, `${name…}`
    Variable(Variable),
    /// `$( … )` or `` `…` ``
    Substitution {
        /// What runs.
        script: Script,
        /// Whether it is written with backticks.
        backticks: bool,
    },
    /// `$(( … ))`
    Arithmetic(String),
    /// `<( … )` or `>( … )`
    Process(Script),
    /// `*`, `?` or `[…]`
    Glob(String),
}

/// A variable's expansion.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    /// Its name, or a special sign (`?`, `#`, `@`, …).
    pub name: String,
    /// Whether it is in braces.
    pub braced: bool,
    /// What follows the name in braces, as written: `:-default`, `%.*`, `[@]`.
    pub operator: String,
    /// Whether it is `${#name}`: its length.
    pub length: bool,
    /// What follows, had the braces been left out: `$array[1]`.
    pub index_without_braces: bool,
}

impl Word {
    /// The text where nothing in it is expanded: quotes and escapes removed. `None` where a variable, a substitution or
    /// a pattern stands in it.
    pub fn literal(&self) -> Option<String> {
        let fixed = self.parts.iter().all(|p| match &p.kind {
            PartKind::Literal(_) | PartKind::Escaped(_) | PartKind::SingleQuoted(_) => true,
            PartKind::DoubleQuoted(inner) => {
                inner.iter().all(|p| matches!(p.kind, PartKind::Literal(_) | PartKind::Escaped(_)))
            }
            _ => false,
        });
        fixed.then(|| self.text(""))
    }

    /// The text with quotes and escapes removed, and what is expanded as it is written; `source` is the file's text.
    pub fn text(&self, source: &str) -> String {
        let mut out = String::new();
        parts_text(&self.parts, source, &mut out);
        out
    }

    /// The text with its places, for reading it once more: `sh -c '…'`, `eval "…"`.
    pub fn mapped(&self, source: &str) -> MappedText {
        let mut out = MappedText::new();
        parts_mapped(&self.parts, source, &mut out);
        out
    }

    /// Whether any of it is quoted.
    pub fn is_quoted(&self) -> bool {
        self.parts.iter().any(|p| matches!(p.kind, PartKind::SingleQuoted(_) | PartKind::DoubleQuoted(_)))
    }
}

fn parts_text(parts: &[Part], source: &str, out: &mut String) {
    for part in parts {
        match &part.kind {
            PartKind::Literal(text) | PartKind::Glob(text) => out.push_str(text),
            PartKind::Escaped(c) => out.push(*c),
            PartKind::SingleQuoted(text) => out.push_str(text.as_str()),
            PartKind::DoubleQuoted(inner) => parts_text(inner, source, out),
            _ => out.push_str(source.get(part.span.clone()).unwrap_or("")),
        }
    }
}

fn parts_mapped(parts: &[Part], source: &str, out: &mut MappedText) {
    for part in parts {
        match &part.kind {
            PartKind::Literal(text) | PartKind::Glob(text) => out.push(part.span.start, text),
            PartKind::Escaped(c) => out.push(part.span.start + 1, c.encode_utf8(&mut [0; 4])),
            PartKind::SingleQuoted(text) => out.append(text),
            PartKind::DoubleQuoted(inner) => parts_mapped(inner, source, out),
            _ => out.push(part.span.start, source.get(part.span.clone()).unwrap_or("")),
        }
    }
}
