//! Go's `text/template`: text with actions between `{{` and `}}`, as Helm charts use it.
//!
//! [`parse()`] gives a tree in which every node has its byte range, or the first error with its place, as Go's own
//! parser stops at the first one. The grammar is that of the package `text/template/parse` of Go 1.24: `else if`,
//! `else with`, `break` and `continue`, parenthesised pipelines, trim markers, and every form of literal.

mod lex;
mod literal;
mod parse;

pub use parse::parse;

use std::sync::Arc;

/// A byte range in the template's source.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct At {
    /// The first byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl At {
    /// The range of two offsets; those beyond 4 GiB are clamped.
    pub fn new(start: usize, end: usize) -> At {
        At { start: u32::try_from(start).unwrap_or(u32::MAX), end: u32::try_from(end).unwrap_or(u32::MAX) }
    }

    /// The smallest range that covers both.
    pub fn to(self, other: At) -> At {
        At { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// The range for slicing.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// What is wrong with a template, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParseError {
    /// The place in the source.
    pub at: At,
    /// What is wrong there.
    pub message: String,
}

/// A parsed source: its own body and the templates it defines.
#[derive(Debug, Default)]
pub struct Tree {
    /// The body outside of every `define`.
    pub root: Arc<List>,
    /// The `define`s and `block`s in source order.
    pub defines: Vec<Define>,
}

/// A named template.
#[derive(Debug)]
pub struct Define {
    /// Its name.
    pub name: Arc<str>,
    /// The action that opens it.
    pub at: At,
    /// What it renders.
    pub body: Arc<List>,
}

/// Nodes one after another.
#[derive(Debug, Default)]
pub struct List {
    /// The nodes.
    pub nodes: Vec<Node>,
}

impl List {
    /// Whether nothing but white space and comments stands here. Go lets such a definition not replace another one.
    pub fn is_empty(&self, source: &str) -> bool {
        self.nodes.iter().all(|n| match n {
            Node::Text(at) => source.get(at.range()).is_none_or(|t| t.trim().is_empty()),
            Node::Comment(_) => true,
            _ => false,
        })
    }
}

/// A piece of a template.
#[derive(Debug)]
pub enum Node {
    /// Text that is copied, after trim markers were applied.
    Text(At),
    /// `{{/* … */}}`.
    Comment(At),
    /// `{{ pipeline }}`; the range is that of the whole action.
    Action(At, Pipe),
    /// `{{ if }}`.
    If(Branch),
    /// `{{ with }}`.
    With(Branch),
    /// `{{ range }}`.
    Range(Branch),
    /// `{{ template "name" pipeline }}`, and the use that a `{{ block }}` makes of itself.
    Template {
        /// The whole action.
        at: At,
        /// The name of the template.
        name: Arc<str>,
        /// What its dot will be; nil where it is absent.
        pipe: Option<Pipe>,
    },
    /// `{{ break }}`.
    Break(At),
    /// `{{ continue }}`.
    Continue(At),
}

/// A control structure: pipeline, body and what follows `else`.
#[derive(Debug)]
pub struct Branch {
    /// The opening action.
    pub at: At,
    /// From the opening action to the end of `{{ end }}`.
    pub whole: At,
    /// What decides.
    pub pipe: Pipe,
    /// The body.
    pub body: List,
    /// What is rendered otherwise.
    pub otherwise: Option<List>,
}

/// Commands joined by `|`, with the variables that take the result.
#[derive(Debug)]
pub struct Pipe {
    /// From its first to its last sign.
    pub at: At,
    /// The variables before `:=` or `=`, with their `$`.
    pub declared: Vec<(Arc<str>, At)>,
    /// Whether they are assigned (`=`) and not declared (`:=`).
    pub assigns: bool,
    /// The commands; never empty.
    pub commands: Vec<Command>,
}

/// An operand and its arguments.
#[derive(Debug)]
pub struct Command {
    /// Where it stands.
    pub at: At,
    /// The operand and its arguments; never empty.
    pub arguments: Vec<Operand>,
}

/// An operand with its place.
#[derive(Debug)]
pub struct Operand {
    /// Where it stands.
    pub at: At,
    /// What it is.
    pub kind: OperandKind,
}

/// The forms of operand.
#[derive(Debug)]
pub enum OperandKind {
    /// `.`
    Dot,
    /// `nil`
    Nil,
    /// `true`, `false`
    Bool(bool),
    /// A number or a character.
    Number(Number),
    /// A quoted or raw string, unquoted.
    Text(Arc<str>),
    /// `.a.b`
    Field(Vec<Arc<str>>),
    /// `$x.a.b`: the name with its `$`, then fields.
    Variable(Arc<str>, Vec<Arc<str>>),
    /// The name of a function.
    Function(Arc<str>),
    /// `( pipeline )`
    Pipe(Box<Pipe>),
    /// Fields after something else: `(pipeline).a.b`.
    Chain(Box<Operand>, Vec<Arc<str>>),
}

/// A number literal: the forms in which it can be used.
#[derive(Clone, PartialEq, Debug)]
pub struct Number {
    /// As written.
    pub text: Arc<str>,
    /// As a signed whole number, where it is one and fits.
    pub int: Option<i64>,
    /// As an unsigned whole number, where it is one and fits.
    pub uint: Option<u64>,
    /// As a float, where it can be one.
    pub float: Option<f64>,
    /// Whether it was written as a float, so that it is one where nothing else is asked for.
    pub written_as_float: bool,
}
