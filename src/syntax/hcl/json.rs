//! Terraform's JSON syntax to the same tree as the native one.
//!
//! Strings are templates, objects under the names of blocks are blocks, and a few arguments (`depends_on`, `provider`,
//! a variable's `type`…) hold references or types written as strings. Which of a resource's arguments are blocks only
//! its provider's schema says; the caller hands in what it knows of that. What is not known to be a block stays an
//! attribute, whose value is an object or a list of objects.

use super::parser::{Parser, Place};
use super::tree::{Attribute, Block, Body, Expr, ExprKind, File, Ident, Item, ObjectItem, ObjectKey, UnaryOp};
use crate::base::{FileId, Span};
use crate::diagnostic::SyntaxError;
use crate::syntax::json::{self, Cooked, Key, Node, NodeKind};

/// What a JSON file is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum JsonFile {
    /// Configuration: `*.tf.json`, `*.tofu.json`.
    Configuration,
    /// Values of variables, `*.tfvars.json`: strings are literal there.
    Variables,
}

/// Parses a JSON file; like [`super::parse`], it never fails.
///
/// `is_block` says of a resource's or provider's kind (`aws_x`, `data.aws_x`, `provider.aws`), the blocks around and a
/// name whether the provider takes a block of that name there.
pub fn parse_json(text: &str, file: FileId, what: JsonFile, is_block: IsBlock) -> (File, Vec<SyntaxError>) {
    let (root, errors) = json::read(text, file);
    let mut lower = Lower { file, errors, is_block };
    let mut body = Body { items: Vec::new(), span: Some(Span::new(file, 0..text.len())) };
    match what {
        JsonFile::Configuration => {
            for (key, node) in members(root, &mut lower) {
                lower.top(key, node, &mut body.items);
            }
        }
        JsonFile::Variables => {
            for ((name, key_span), node) in members(root, &mut lower) {
                let span = key_span.to(node.span);
                let value = lower.expr(node, Strings::Literal);
                let name = Ident { text: name.text.into(), span: key_span };
                body.items.push(Item::Attribute(Attribute { name, value, span }));
            }
        }
    }
    (File { body, json: true }, lower.errors)
}

/// Tells nested blocks from attributes: kind, blocks around from the outermost, name.
pub type IsBlock = fn(&str, &[&str], &str) -> bool;

/// What is known of providers where nothing is.
pub fn no_blocks(_: &str, _: &[&str], _: &str) -> bool {
    false
}

/// How the strings of a value are read.
#[derive(Clone, Copy, PartialEq)]
enum Strings {
    Literal,
    Template,
    /// As expressions: references and types.
    Expression,
}

/// What a property of a block's body is.
enum Property {
    Attribute(Strings),
    /// A block with so many labels.
    Block(usize),
}

fn property(block: &str, name: &str) -> Property {
    use Property::{Attribute, Block};
    match (block, name) {
        ("resource" | "data" | "ephemeral" | "module", "depends_on" | "provider" | "providers")
        | ("resource" | "data" | "ephemeral", "replace_triggered_by")
        | ("output", "depends_on")
        | ("variable", "type")
        | ("lifecycle", "ignore_changes" | "replace_triggered_by")
        | ("moved" | "removed", "from" | "to")
        | ("import", "to" | "provider") => Attribute(Strings::Expression),
        // Evaluated without a scope, which makes strings literal.
        ("variable", "default" | "description") | ("module", "source" | "version") => Attribute(Strings::Literal),
        ("resource" | "data" | "ephemeral", "lifecycle" | "connection")
        | ("terraform", "required_providers" | "cloud")
        | ("cloud", "workspaces")
        | ("variable", "validation")
        | ("check", "assert")
        | ("removed", "lifecycle")
        | ("provisioner", "connection")
        | ("lifecycle" | "output", "precondition" | "postcondition") => Block(0),
        ("resource" | "removed", "provisioner")
        | ("resource" | "data" | "ephemeral" | "provider", "dynamic")
        | ("terraform", "backend" | "provider_meta") => Block(1),
        ("check", "data") => Block(2),
        _ => Attribute(Strings::Template),
    }
}

struct Lower {
    file: FileId,
    errors: Vec<SyntaxError>,
    is_block: IsBlock,
}

/// Which of a provider's blocks a body is, outermost first.
struct Nesting {
    kind: String,
    path: Vec<String>,
}

impl Nesting {
    /// The body of a resource, data source or provider.
    fn of(block: &str, labels: &[Ident]) -> Option<Nesting> {
        let label = &labels.first()?.text;
        let kind = match block {
            "resource" => label.to_string(),
            "data" | "ephemeral" | "provider" => format!("{block}.{label}"),
            _ => return None,
        };
        Some(Nesting { kind, path: Vec::new() })
    }

    fn inside(&self, name: &str) -> Nesting {
        let path = self.path.iter().cloned().chain([name.to_owned()]).collect();
        Nesting { kind: self.kind.clone(), path }
    }
}

/// The members of an object, or of every object of a list; comment keys (`//`) are left out.
fn members(node: Node, lower: &mut Lower) -> Vec<(Key, Node)> {
    match node.kind {
        NodeKind::Object(entries) => entries.into_iter().filter(|((key, _), _)| key.text != "//").collect(),
        NodeKind::Array(items) => items.into_iter().flat_map(|item| members(item, lower)).collect(),
        NodeKind::Null => Vec::new(),
        _ => {
            let error =
                SyntaxError::new(node.span, "expected an object").with_help("blocks are written as objects here");
            lower.errors.push(error);
            Vec::new()
        }
    }
}

impl Lower {
    fn top(&mut self, key: Key, node: Node, items: &mut Vec<Item>) {
        let labels = match key.0.text.as_str() {
            "resource" | "data" | "ephemeral" => 2,
            "module" | "variable" | "output" | "provider" | "check" => 1,
            "locals" | "terraform" | "moved" | "import" | "removed" => 0,
            other => {
                let message = format!("`{other}` is no block of Terraform's configuration");
                let help = "known are resource, data, module, variable, output, locals, provider, terraform";
                self.errors.push(SyntaxError::new(key.1, message).with_help(help));
                return;
            }
        };
        self.blocks(key, labels, node, items);
    }

    fn blocks(&mut self, key: Key, labels: usize, node: Node, items: &mut Vec<Item>) {
        let kind = Ident { text: key.0.text.into(), span: key.1 };
        self.labelled(&kind, Vec::new(), labels, node, None, items);
    }

    /// Blocks whose labels are keys; `around` is the provider's block that they are, or stand in.
    fn labelled(
        &mut self,
        kind: &Ident,
        labels: Vec<Ident>,
        missing: usize,
        node: Node,
        around: Option<&Nesting>,
        items: &mut Vec<Item>,
    ) {
        if missing > 0 {
            for ((label, span), inner) in members(node, self) {
                let mut labels = labels.clone();
                labels.push(Ident { text: label.text.into(), span });
                self.labelled(kind, labels, missing - 1, inner, around, items);
            }
            return;
        }
        if let NodeKind::Array(bodies) = node.kind {
            for body in bodies {
                // A list in a list is no list of blocks; `members` reports it.
                if !matches!(body.kind, NodeKind::Array(_)) {
                    self.labelled(kind, labels.clone(), 0, body, around, items);
                }
            }
            return;
        }
        let head = labels.last().map_or(kind.span, |l| l.span);
        let span = head.to(node.span);
        let body_span = node.span;
        let mut inner = Vec::new();
        let dynamic = &*kind.text == "dynamic";
        let own = Nesting::of(&kind.text, &labels).filter(|_| around.is_none());
        let nesting = own.as_ref().or(around).filter(|_| !dynamic);
        for (key, value) in members(node, self) {
            // A provider's block may be named like one of Terraform's own.
            let block = if dynamic || around.is_some() { "" } else { &kind.text };
            if dynamic && key.0.text == "content" {
                let kind = Ident { text: key.0.text.into(), span: key.1 };
                let inside = around.zip(labels.first()).map(|(around, label)| around.inside(&label.text));
                self.labelled(&kind, Vec::new(), 0, value, inside.as_ref(), &mut inner);
                continue;
            }
            if key.0.text == "dynamic" && nesting.is_some() {
                self.nested(key, value, nesting, &mut inner);
                continue;
            }
            match property(block, &key.0.text) {
                Property::Block(labels) => self.blocks(key, labels, value, &mut inner),
                Property::Attribute(_) if self.is_nested(nesting, &key.0.text, &value) => {
                    self.nested(key, value, nesting, &mut inner);
                }
                Property::Attribute(strings) => {
                    let (cooked, key_span) = key;
                    let span = key_span.to(value.span);
                    let value = self.expr(value, strings);
                    let name = Ident { text: cooked.text.into(), span: key_span };
                    inner.push(Item::Attribute(Attribute { name, value, span }));
                }
            }
        }
        let body = Body { items: inner, span: Some(body_span) };
        items.push(Item::Block(Block { kind: kind.clone(), labels, body, head, span }));
    }

    /// Whether a member of a provider's block is a block itself: the provider says so, and it is written as one.
    fn is_nested(&self, nesting: Option<&Nesting>, name: &str, value: &Node) -> bool {
        let Some(nesting) = nesting else { return false };
        let written = match &value.kind {
            NodeKind::Object(_) => true,
            NodeKind::Array(items) => items.iter().all(|item| matches!(item.kind, NodeKind::Object(_))),
            _ => false,
        };
        let path: Vec<&str> = nesting.path.iter().map(String::as_str).collect();
        written && (self.is_block)(&nesting.kind, &path, name)
    }

    /// The blocks of one name in a provider's block.
    fn nested(&mut self, (name, span): Key, node: Node, around: Option<&Nesting>, items: &mut Vec<Item>) {
        let kind = Ident { text: name.text.into(), span };
        match &*kind.text {
            "dynamic" => self.labelled(&kind, Vec::new(), 1, node, around, items),
            name => {
                let inside = around.map(|around| around.inside(name));
                self.labelled(&kind, Vec::new(), 0, node, inside.as_ref(), items);
            }
        }
    }

    fn expr(&mut self, node: Node, strings: Strings) -> Expr {
        let span = node.span;
        let kind = match node.kind {
            NodeKind::Null => ExprKind::Null,
            NodeKind::Bool(b) => ExprKind::Bool(b),
            NodeKind::Number(text) => match text.strip_prefix('-') {
                Some(rest) => {
                    let inner = Expr { kind: ExprKind::Number(rest.into()), span };
                    ExprKind::Unary(UnaryOp::Negate, Box::new(inner))
                }
                None => ExprKind::Number(text.into()),
            },
            NodeKind::String(cooked) => self.string(&cooked, strings),
            NodeKind::Array(items) => ExprKind::Tuple(items.into_iter().map(|i| self.expr(i, strings)).collect()),
            NodeKind::Object(entries) => ExprKind::Object(
                entries
                    .into_iter()
                    .map(|((key, key_span), value)| {
                        let strings_of_key = if strings == Strings::Template { strings } else { Strings::Literal };
                        let key = Expr { kind: self.string(&key, strings_of_key), span: key_span };
                        ObjectItem { key: ObjectKey::Expr(key), value: self.expr(value, strings) }
                    })
                    .collect(),
            ),
        };
        Expr { kind, span }
    }

    fn string(&mut self, cooked: &Cooked, strings: Strings) -> ExprKind {
        let text = cooked.text.as_str();
        let template = text.contains("${") || text.contains("%{");
        if strings == Strings::Literal || (strings == Strings::Template && !template) {
            return ExprKind::String(text.into());
        }
        let mut parser = Parser::new(text, self.file, Place::Pieces(cooked.pieces.clone()), false);
        // `"${aws_x.y}"` is accepted in place of a bare reference, as Terraform 0.11 had it.
        let parsed = if template { parser.bare_template() } else { parser.whole_expression() };
        self.errors.append(&mut parser.errors);
        match parsed {
            Ok(expr) => expr.kind,
            Err(_) => {
                let reason = self.errors.last().map_or("", |e| e.message.as_str());
                ExprKind::Error(reason.into())
            }
        }
    }
}
