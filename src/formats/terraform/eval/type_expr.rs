//! Type constraints as expressions: `list(string)`, `object({ a = optional(number, 5) })`.

use super::types::Attr;
use super::{Empty, EvalError, Type, convert, try_eval};
use crate::base::Span;
use crate::syntax::hcl::tree::{Call, Expr, ExprKind, ObjectItem, ObjectKey};
use std::sync::Arc;

/// How deep type constraints may nest.
const MAX_DEPTH: usize = 100;

/// The type constraint that an expression writes, as in a variable's `type`.
pub fn parse_type(expr: &Expr) -> Result<Type, Box<EvalError>> {
    match &expr.kind {
        // The short forms of old.
        ExprKind::Variable(name) if &**name == "list" => Ok(Type::list(Type::Any)),
        ExprKind::Variable(name) if &**name == "map" => Ok(Type::map(Type::Any)),
        // Terraform 0.11 wrote types in quotes, 1.x refuses them; what was written for the one still means the same.
        ExprKind::String(name) => match &**name {
            "string" => Ok(Type::String),
            "list" => Ok(Type::list(Type::Any)),
            "map" => Ok(Type::map(Type::Any)),
            _ => parse(expr, 0),
        },
        _ => parse(expr, 0),
    }
}

fn parse(expr: &Expr, depth: usize) -> Result<Type, Box<EvalError>> {
    if depth > MAX_DEPTH {
        return Err(EvalError::limit(format!("types nest more than {MAX_DEPTH} deep"), expr.span));
    }
    match &expr.kind {
        ExprKind::Parens(inner) => parse(inner, depth + 1),
        ExprKind::Variable(name) => match &**name {
            "string" => Ok(Type::String),
            "number" => Ok(Type::Number),
            "bool" => Ok(Type::Bool),
            "any" => Ok(Type::Any),
            "list" | "set" | "map" | "object" | "tuple" => {
                Err(invalid(format!("the type {name} needs an argument, such as {name}(…)"), expr.span))
            }
            _ => Err(invalid(format!("{name:?} is no type"), expr.span)),
        },
        ExprKind::Call(call) => parse_call(call, expr.span, depth),
        ExprKind::Error(reason) => Err(EvalError::reference(&**reason, expr.span)),
        ExprKind::String(_) => Err(invalid("a type is written without quotes".to_owned(), expr.span)),
        _ => Err(invalid("a type is a keyword or a call such as list(string)".to_owned(), expr.span)),
    }
}

fn invalid(message: String, span: Span) -> Box<EvalError> {
    EvalError::reference(message, span)
}

fn parse_call(call: &Call, span: Span, depth: usize) -> Result<Type, Box<EvalError>> {
    let name = &*call.name.text;
    let [argument] = call.args.as_slice() else {
        return Err(invalid(format!("{name} takes one argument"), span));
    };
    if call.expand {
        return Err(invalid("`...` has no meaning in a type".to_owned(), span));
    }
    match name {
        "list" => parse(argument, depth + 1).map(Type::list),
        "set" => parse(argument, depth + 1).map(Type::set),
        "map" => parse(argument, depth + 1).map(Type::map),
        "tuple" => match &argument.kind {
            ExprKind::Tuple(items) => {
                let types: Result<Vec<Type>, _> = items.iter().map(|item| parse(item, depth + 1)).collect();
                Ok(Type::Tuple(types?.into()))
            }
            _ => Err(invalid("tuple takes a list of types in brackets".to_owned(), argument.span)),
        },
        "object" => match &argument.kind {
            ExprKind::Object(items) => parse_object(items, depth),
            _ => Err(invalid("object takes its attributes in braces".to_owned(), argument.span)),
        },
        "optional" => Err(invalid("optional stands only around the type of an object's attribute".to_owned(), span)),
        _ => Err(invalid(format!("{name:?} is no type constructor"), span)),
    }
}

fn parse_object(items: &[ObjectItem], depth: usize) -> Result<Type, Box<EvalError>> {
    let mut attrs: Vec<Attr> = Vec::with_capacity(items.len());
    for item in items {
        let name: Arc<str> = match &item.key {
            ObjectKey::Name(name) => name.text.clone(),
            ObjectKey::Expr(key) => match key.as_str() {
                Some(name) => name.into(),
                None => return Err(invalid("an attribute's name is a name".to_owned(), key.span)),
            },
        };
        let attr = match &item.value.unparenthesized().kind {
            ExprKind::Call(call) if &*call.name.text == "optional" => {
                parse_optional(name, call, item.value.span, depth)?
            }
            _ => Attr { name, ty: parse(&item.value, depth + 1)?, optional: false, default: None },
        };
        attrs.retain(|a| a.name != attr.name);
        attrs.push(attr);
    }
    attrs.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Type::Object(attrs.into()))
}

fn parse_optional(name: Arc<str>, call: &Call, span: Span, depth: usize) -> Result<Attr, Box<EvalError>> {
    let (ty, default) = match call.args.as_slice() {
        [ty] => (parse(ty, depth + 1)?, None),
        [ty, default] => {
            let ty = parse(ty, depth + 1)?;
            let val = try_eval(default, &Empty)?;
            let converted = convert(&val, &ty)
                .map_err(|e| invalid(format!("the default of {name:?} does not fit its type: {e}"), default.span))?;
            // A default of null is none.
            (ty, (!converted.is_null()).then(|| Arc::new(converted)))
        }
        _ => return Err(invalid("optional takes a type and, if wanted, a default".to_owned(), span)),
    };
    Ok(Attr { name, ty, optional: true, default })
}
