//! Which names an expression refers to, found without evaluating it: what has to be evaluated before.

use crate::syntax::hcl::tree::{Expr, ExprKind, Item, ObjectKey, Part, Step, StepKind, Text};

/// A reference as it is written.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Reference {
    /// `var.a`.
    Variable(Text),
    /// `local.a`.
    Local(Text),
    /// `module.a`, with the output where one is named.
    Module(Text, Option<Text>),
    /// `aws_x.b`, `data.aws_x.b`, `ephemeral.aws_x.b`: type and name, the type with its prefix.
    Resource(Text, Text),
}

/// Adds every reference in `expr` to `found`; each may occur several times.
pub fn collect(expr: &Expr, found: &mut Vec<Reference>) {
    match &expr.kind {
        ExprKind::Null
        | ExprKind::Bool(_)
        | ExprKind::Number(_)
        | ExprKind::String(_)
        | ExprKind::Variable(_)
        | ExprKind::Error(_) => {}
        ExprKind::Template(template) => parts(&template.parts, found),
        ExprKind::Tuple(items) => items.iter().for_each(|item| collect(item, found)),
        ExprKind::Object(items) => {
            for item in items {
                if let ObjectKey::Expr(key) = &item.key {
                    collect(key, found);
                }
                collect(&item.value, found);
            }
        }
        ExprKind::For(f) => {
            collect(&f.collection, found);
            collect(&f.value, found);
            for expr in f.key.iter().chain(&f.condition) {
                collect(expr, found);
            }
        }
        ExprKind::Conditional(c) => {
            collect(&c.condition, found);
            collect(&c.then, found);
            collect(&c.otherwise, found);
        }
        ExprKind::Unary(_, operand) => collect(operand, found),
        ExprKind::Binary(b) => {
            collect(&b.left, found);
            collect(&b.right, found);
        }
        ExprKind::Call(call) => call.args.iter().for_each(|arg| collect(arg, found)),
        ExprKind::Parens(inner) => collect(inner, found),
        ExprKind::Traversal(t) => {
            match &t.base.kind {
                ExprKind::Variable(root) => found.extend(reference(root, &t.steps)),
                _ => collect(&t.base, found),
            }
            indices(&t.steps, found);
        }
    }
}

/// Adds every reference in the attributes and blocks of a body.
pub fn collect_items<'a>(items: impl IntoIterator<Item = &'a Item>, found: &mut Vec<Reference>) {
    for item in items {
        match item {
            Item::Attribute(attribute) => collect(&attribute.value, found),
            Item::Block(block) => collect_items(&block.body.items, found),
        }
    }
}

fn parts(parts: &[Part], found: &mut Vec<Reference>) {
    for part in parts {
        match part {
            Part::Literal(..) => {}
            Part::Interpolation(expr) => collect(expr, found),
            Part::If(i) => {
                collect(&i.condition, found);
                self::parts(&i.then, found);
                self::parts(&i.otherwise, found);
            }
            Part::For(f) => {
                collect(&f.collection, found);
                self::parts(&f.body, found);
            }
        }
    }
}

fn indices(steps: &[Step], found: &mut Vec<Reference>) {
    for step in steps {
        match &step.kind {
            StepKind::Attr(_) => {}
            StepKind::Index(key) => collect(key, found),
            StepKind::Splat { each, .. } => indices(each, found),
        }
    }
}

/// What the root name and the steps of a traversal refer to.
pub fn reference(root: &Text, steps: &[Step]) -> Option<Reference> {
    let attr = |index: usize| match &steps.get(index)?.kind {
        StepKind::Attr(name) => Some(name.clone()),
        _ => None,
    };
    Some(match &**root {
        "var" => Reference::Variable(attr(0)?),
        "local" => Reference::Local(attr(0)?),
        "module" => {
            // The output's name follows the call's, with an index or splat between them or none.
            let output = match steps.get(1).map(|s| &s.kind) {
                Some(StepKind::Attr(name)) => Some(name.clone()),
                Some(StepKind::Index(_)) => attr(2),
                Some(StepKind::Splat { each, .. }) => match each.first().map(|s| &s.kind) {
                    Some(StepKind::Attr(name)) => Some(name.clone()),
                    _ => None,
                },
                None => None,
            };
            Reference::Module(attr(0)?, output)
        }
        "data" | "ephemeral" => Reference::Resource(format!("{root}.{}", attr(0)?).into(), attr(1)?),
        "resource" => Reference::Resource(attr(0)?, attr(1)?),
        "each" | "count" | "self" | "path" | "terraform" | "template" | "lazy" | "arg" => return None,
        _ => Reference::Resource(root.clone(), attr(0)?),
    })
}
