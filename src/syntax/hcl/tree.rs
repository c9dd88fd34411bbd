//! The tree of an HCL file: small, owned, every node with its span.
//!
//! What can be decided without values is decided when the tree is made: escapes are undone, strip markers (`~`) and
//! the indentation of `<<-` heredocs are applied to the literal text, and a splat holds the steps that it applies to
//! each element. An expression that could not be parsed is [`ExprKind::Error`]; the rest of the file stands.

use crate::base::Span;
use std::sync::Arc;

/// A name or a piece of text. Equal names of one file share their allocation.
pub type Text = Arc<str>;

/// A whole file.
#[derive(Clone, Debug, Default)]
pub struct File {
    /// What stands at the top level.
    pub body: Body,
    /// Whether it is written in Terraform's JSON syntax.
    pub json: bool,
}

/// Attributes and blocks in source order.
#[derive(Clone, Debug, Default)]
pub struct Body {
    /// The items.
    pub items: Vec<Item>,
    /// Between the braces (or the whole file).
    pub span: Option<Span>,
}

/// One member of a body.
#[derive(Clone, Debug)]
pub enum Item {
    /// `name = value`.
    Attribute(Attribute),
    /// `kind "label" { … }`.
    Block(Block),
}

/// `name = value`.
#[derive(Clone, Debug)]
pub struct Attribute {
    /// The name.
    pub name: Ident,
    /// The value.
    pub value: Expr,
    /// From the name to the end of the value.
    pub span: Span,
}

/// `kind "label" { … }`.
#[derive(Clone, Debug)]
pub struct Block {
    /// The block's type, such as `resource`.
    pub kind: Ident,
    /// Its labels; a quoted label's span includes the quotes.
    pub labels: Vec<Ident>,
    /// What stands inside.
    pub body: Body,
    /// The header: type and labels.
    pub head: Span,
    /// From the type to the closing brace.
    pub span: Span,
}

/// A name with its place.
#[derive(Clone, Debug)]
pub struct Ident {
    /// The name.
    pub text: Text,
    /// The place.
    pub span: Span,
}

/// An expression.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Its place.
    pub span: Span,
}

/// The forms of an expression.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number as it is written, such as `12`, `0.1` or `1e6`. Negative numbers are a [`UnaryOp::Negate`].
    Number(Text),
    /// A quoted string or heredoc that is nothing but literal text, escapes undone. Not yet NFC-normalized.
    String(Text),
    /// A quoted string or heredoc with interpolations or directives.
    Template(Box<Template>),
    /// `[a, b]`.
    Tuple(Vec<Expr>),
    /// `{ a = b }`.
    Object(Vec<ObjectItem>),
    /// `[for …]` or `{for …}`.
    For(Box<For>),
    /// `a ? b : c`.
    Conditional(Box<Conditional>),
    /// `-a` or `!a`.
    Unary(UnaryOp, Box<Expr>),
    /// `a + b`.
    Binary(Box<Binary>),
    /// `f(a, b...)`.
    Call(Box<Call>),
    /// A name that stands for a value: `var`, `local`, `aws_s3_bucket`, `each`, a variable of a for expression.
    Variable(Text),
    /// Something followed by `.a`, `[i]`, `.*` or `[*]`.
    Traversal(Box<Traversal>),
    /// `(a)`.
    Parens(Box<Expr>),
    /// What could not be parsed, with the reason; the error itself is in the list of errors.
    Error(Text),
}

/// A string that is put together from parts.
#[derive(Clone, Debug)]
pub struct Template {
    /// The parts in order, with escapes, strip markers and heredoc indentation already applied to literal text.
    pub parts: Vec<Part>,
    /// Whether it is exactly one interpolation inside quotes (`"${x}"`): then it keeps the type of `x`.
    pub passthrough: bool,
    /// Whether it is a heredoc.
    pub heredoc: bool,
}

/// A part of a template.
#[derive(Clone, Debug)]
pub enum Part {
    /// Literal text.
    Literal(Text, Span),
    /// `${a}`.
    Interpolation(Expr),
    /// `%{if a}…%{else}…%{endif}`.
    If(Box<IfPart>),
    /// `%{for k, v in a}…%{endfor}`.
    For(Box<ForPart>),
}

/// `%{if a}…%{else}…%{endif}`.
#[derive(Clone, Debug)]
pub struct IfPart {
    /// The condition.
    pub condition: Expr,
    /// The parts where it holds.
    pub then: Vec<Part>,
    /// The parts where it does not; empty without an `else`.
    pub otherwise: Vec<Part>,
    /// From `%{if` to the end of the `endif` marker.
    pub span: Span,
}

/// `%{for k, v in a}…%{endfor}`.
#[derive(Clone, Debug)]
pub struct ForPart {
    /// The variable for the key or index, where there are two.
    pub key: Option<Ident>,
    /// The variable for the value.
    pub value: Ident,
    /// What is iterated over.
    pub collection: Expr,
    /// The parts for each element.
    pub body: Vec<Part>,
    /// From `%{for` to the end of the `endfor` marker.
    pub span: Span,
}

/// One member of an object.
#[derive(Clone, Debug)]
pub struct ObjectItem {
    /// The key.
    pub key: ObjectKey,
    /// The value.
    pub value: Expr,
}

/// The key of an object's member.
#[derive(Clone, Debug)]
pub enum ObjectKey {
    /// A bare name, which stands for itself.
    Name(Ident),
    /// Any other expression: a string, a number, something in parentheses.
    Expr(Expr),
}

/// `[for k, v in collection : value if condition]` or `{for k, v in collection : key => value... if condition}`.
#[derive(Clone, Debug)]
pub struct For {
    /// The variable for the key or index, where there are two.
    pub key_var: Option<Ident>,
    /// The variable for the value.
    pub value_var: Ident,
    /// What is iterated over.
    pub collection: Expr,
    /// The key of each result: there is one exactly in the object form.
    pub key: Option<Expr>,
    /// The value of each result.
    pub value: Expr,
    /// Whether values of equal keys are grouped into lists (`...`).
    pub grouped: bool,
    /// Which elements take part.
    pub condition: Option<Expr>,
}

/// `condition ? then : otherwise`.
#[derive(Clone, Debug)]
pub struct Conditional {
    /// The condition.
    pub condition: Expr,
    /// The result where it holds.
    pub then: Expr,
    /// The result where it does not.
    pub otherwise: Expr,
}

/// An operator with one operand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UnaryOp {
    /// `-a`.
    Negate,
    /// `!a`.
    Not,
}

/// `left op right`.
#[derive(Clone, Debug)]
pub struct Binary {
    /// The operator.
    pub op: BinaryOp,
    /// The left operand.
    pub left: Expr,
    /// The right operand.
    pub right: Expr,
}

/// An operator with two operands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the words explain themselves")]
pub enum BinaryOp {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
}

/// `name(args)`.
#[derive(Clone, Debug)]
pub struct Call {
    /// The function's name, with its namespace where it has one (`provider::aws::arn_parse`).
    pub name: Ident,
    /// The arguments.
    pub args: Vec<Expr>,
    /// Whether the last argument is expanded (`...`).
    pub expand: bool,
}

/// An expression followed by steps.
#[derive(Clone, Debug)]
pub struct Traversal {
    /// Where it starts.
    pub base: Expr,
    /// The steps; never empty.
    pub steps: Vec<Step>,
}

/// One step of a traversal.
#[derive(Clone, Debug)]
pub struct Step {
    /// What it is.
    pub kind: StepKind,
    /// From its dot or bracket to its end; a splat's includes the steps it applies to each element.
    pub span: Span,
}

/// The kinds of steps.
#[derive(Clone, Debug)]
pub enum StepKind {
    /// `.name`.
    Attr(Text),
    /// `[key]`, also `.0` (then the key is a number).
    Index(Expr),
    /// `[*]` or `.*`, with the steps that are applied to each element. Steps that follow the splat in
    /// [`Traversal::steps`] are applied to its result, as `[0]` in `a.*.b[0]`.
    Splat {
        /// Whether it is `[*]`.
        full: bool,
        /// The steps applied to each element; `[*]` within them is a splat of its own.
        each: Vec<Step>,
    },
}

impl Body {
    /// The attributes in order.
    pub fn attributes(&self) -> impl Iterator<Item = &Attribute> {
        self.items.iter().filter_map(|item| match item {
            Item::Attribute(attribute) => Some(attribute),
            Item::Block(_) => None,
        })
    }

    /// The blocks in order.
    pub fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.items.iter().filter_map(|item| match item {
            Item::Block(block) => Some(block),
            Item::Attribute(_) => None,
        })
    }

    /// The attribute of a name.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes().find(|a| &*a.name.text == name)
    }

    /// The blocks of a type.
    pub fn blocks_of<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Block> {
        self.blocks().filter(move |b| &*b.kind.text == kind)
    }
}

impl Block {
    /// The text of a label.
    pub fn label(&self, index: usize) -> Option<&Text> {
        self.labels.get(index).map(|l| &l.text)
    }
}

impl Expr {
    /// The expression inside any number of parentheses.
    pub fn unparenthesized(&self) -> &Expr {
        let mut expr = self;
        while let ExprKind::Parens(inner) = &expr.kind {
            expr = inner;
        }
        expr
    }

    /// The text of a string that is nothing but literal text.
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            ExprKind::String(text) => Some(text),
            _ => None,
        }
    }

    /// A reference as its root name and its steps: `var.a[0]` is `var` and two steps. `None` for anything else.
    pub fn as_reference(&self) -> Option<(&Text, &[Step])> {
        match &self.kind {
            ExprKind::Variable(name) => Some((name, &[])),
            ExprKind::Traversal(t) => match &t.base.kind {
                ExprKind::Variable(name) => Some((name, &t.steps)),
                _ => None,
            },
            _ => None,
        }
    }
}
