//! Operators.

use super::expr::result_unknown;
use super::{Datum, EvalError, EvalResult, Marks, Type, Val, convert};
use crate::base::Span;
use crate::graph::{How, Number, Origin};
use crate::syntax::hcl::tree::{BinaryOp, UnaryOp};
use std::cmp::Ordering;

/// The truth value of a condition; `None` where it is unknown.
pub fn condition(val: &Val, span: Span) -> Result<Option<bool>, Box<EvalError>> {
    if val.is_null() {
        return Err(EvalError::new("a condition must not be null", span));
    }
    let converted =
        convert(val, &Type::Bool).map_err(|e| EvalError::new(format!("unsuitable condition: {e}"), span))?;
    Ok(converted.as_bool())
}

/// `-a`, `!a`.
pub fn unary(op: UnaryOp, val: &Val, span: Span) -> EvalResult {
    let ty = match op {
        UnaryOp::Negate => Type::Number,
        UnaryOp::Not => Type::Bool,
    };
    let operand = operand(val, &ty, span)?;
    let datum = match (op, &operand.datum) {
        (UnaryOp::Negate, Datum::Number(n)) => Datum::Number(n.neg()),
        (UnaryOp::Not, Datum::Bool(b)) => Datum::Bool(!b),
        _ => return Ok(result_unknown(ty, val, span).not_null()),
    };
    // A negative number is written there, not computed.
    let mut origin = Origin::literal(span);
    if !matches!(val.origin.how, How::Literal) {
        origin = Origin::derived(span, How::Function, [val.origin.clone()]);
    }
    Ok(Val { datum, origin, marks: val.marks, refs: val.refs.clone() })
}

fn operand(val: &Val, ty: &Type, span: Span) -> EvalResult {
    let wrong = |message: &str| EvalError::new(format!("unsuitable operand: {message}"), span).typed(ty.clone());
    if val.is_null() {
        return Err(wrong("it is null"));
    }
    convert(val, ty).map_err(|e| wrong(&e))
}

/// The type of what an operator gives.
pub fn result_type(op: BinaryOp) -> Type {
    match op {
        BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Multiply | BinaryOp::Divide | BinaryOp::Modulo => Type::Number,
        _ => Type::Bool,
    }
}

/// `a op b`.
pub fn binary(op: BinaryOp, left: &Val, right: &Val, span: Span) -> EvalResult {
    let (wanted, result) = match op {
        BinaryOp::Or | BinaryOp::And => (Type::Bool, Type::Bool),
        BinaryOp::Equal | BinaryOp::NotEqual => (Type::Any, Type::Bool),
        BinaryOp::Less | BinaryOp::LessEqual | BinaryOp::Greater | BinaryOp::GreaterEqual => (Type::Number, Type::Bool),
        _ => (Type::Number, Type::Number),
    };
    let marks = left.marks.with(right.marks);
    let datum = if wanted.is_any() {
        // Marks of members are marks of the answer.
        let marks = left.deep_marks().with(right.deep_marks());
        let Some(equal) = equals(left, right) else {
            return Ok(unknown_of(result, left, right, span).marked(marks));
        };
        let datum = Datum::Bool(equal == (op == BinaryOp::Equal));
        return Ok(made(datum, left, right, marks, span));
    } else {
        let fail = |e: Box<EvalError>| e.typed(result.clone());
        let (l, r) = (operand(left, &wanted, span).map_err(fail)?, operand(right, &wanted, span).map_err(fail)?);
        match (&l.datum, &r.datum) {
            (Datum::Bool(a), Datum::Bool(b)) => Datum::Bool(if op == BinaryOp::Or { *a || *b } else { *a && *b }),
            (Datum::Number(a), Datum::Number(b)) => arithmetic(op, a, b, span)?,
            _ => return Ok(unknown_of(result, left, right, span)),
        }
    };
    Ok(made(datum, left, right, marks, span))
}

fn made(datum: Datum, left: &Val, right: &Val, marks: Marks, span: Span) -> Val {
    let origin = Origin::derived(span, How::Function, [left.origin.clone(), right.origin.clone()]);
    let mut refs = left.refs.clone();
    refs.add(&right.refs);
    Val { datum, origin, marks, refs }
}

fn unknown_of(ty: Type, left: &Val, right: &Val, span: Span) -> Val {
    let (why, other) = if left.find_unknown().is_some() { (left, right) } else { (right, left) };
    let mut val = result_unknown(ty, why, span).not_null();
    val.marks = val.marks.with(other.marks);
    val.refs.add(&other.refs);
    val
}

fn arithmetic(op: BinaryOp, a: &Number, b: &Number, span: Span) -> Result<Datum, Box<EvalError>> {
    let too_large = || EvalError::limit("the number becomes too large or too small", span);
    let order = || a.cmp(b);
    Ok(match op {
        BinaryOp::Less => Datum::Bool(order() == Ordering::Less),
        BinaryOp::LessEqual => Datum::Bool(order() != Ordering::Greater),
        BinaryOp::Greater => Datum::Bool(order() == Ordering::Greater),
        BinaryOp::GreaterEqual => Datum::Bool(order() != Ordering::Less),
        BinaryOp::Divide | BinaryOp::Multiply | BinaryOp::Add | BinaryOp::Subtract
            if (a.is_infinite() || b.is_infinite()) && compute(op, a, b).is_none() =>
        {
            return Err(EvalError::new("the infinite numbers have no such result", span).typed(Type::Number));
        }
        BinaryOp::Add => Datum::Number(a.add(b).ok_or_else(too_large)?),
        BinaryOp::Subtract => Datum::Number(a.sub(b).ok_or_else(too_large)?),
        BinaryOp::Multiply => Datum::Number(a.mul(b).ok_or_else(too_large)?),
        BinaryOp::Divide if a.is_zero() && b.is_zero() => {
            return Err(EvalError::new("zero divided by zero has no value", span).typed(Type::Number));
        }
        BinaryOp::Divide => Datum::Number(a.div(b).ok_or_else(too_large)?),
        _ => Datum::Number(a.rem(b).ok_or_else(too_large)?),
    })
}

fn compute(op: BinaryOp, a: &Number, b: &Number) -> Option<Number> {
    match op {
        BinaryOp::Add => a.add(b),
        BinaryOp::Subtract => a.sub(b),
        BinaryOp::Multiply => a.mul(b),
        _ => a.div(b),
    }
}

/// Whether two values are equal as `==` has it: of one type, without conversion. `None` where it depends on what is
/// unknown.
pub fn equals(a: &Val, b: &Val) -> Option<bool> {
    match (&a.datum, &b.datum) {
        (Datum::Unknown(x), Datum::Unknown(y)) => {
            if x.ty.is_any() || y.ty.is_any() || (!x.not_null && !y.not_null) {
                return None;
            }
            let differ = match (&x.prefix, &y.prefix) {
                (Some(p), Some(q)) => !p.starts_with(&**q) && !q.starts_with(&**p),
                _ => x.max_len < y.min_len || y.max_len < x.min_len,
            };
            (differ && x.not_null && y.not_null).then_some(false)
        }
        (Datum::Unknown(unknown), known) | (known, Datum::Unknown(unknown)) => {
            if matches!(known, Datum::Null(_)) {
                return unknown.not_null.then_some(false);
            }
            let other = if a.is_known() { a } else { b };
            let ty = other.ty();
            if unknown.ty.has_any() {
                return None;
            }
            if !could_be_one(&unknown.ty, &ty) {
                return Some(false);
            }
            if unknown.ty != ty {
                return None;
            }
            let excluded = match known {
                Datum::String(s) => unknown.prefix.as_ref().is_some_and(|p| !s.starts_with(&**p)),
                Datum::Number(n) => {
                    unknown.min.as_ref().is_some_and(|min| n < min) || unknown.max.as_ref().is_some_and(|max| n > max)
                }
                Datum::List(seq) => seq.items.len() < unknown.min_len || seq.items.len() > unknown.max_len,
                Datum::Map(t) => t.entries.len() < unknown.min_len || t.entries.len() > unknown.max_len,
                _ => false,
            };
            excluded.then_some(false)
        }
        (Datum::Null(_), Datum::Null(_)) => Some(true),
        (Datum::Null(_), _) | (_, Datum::Null(_)) => Some(false),
        (Datum::Bool(x), Datum::Bool(y)) => Some(x == y),
        (Datum::Number(x), Datum::Number(y)) => Some(x == y),
        (Datum::String(x), Datum::String(y)) => Some(x == y),
        _ => equals_deep(a, b),
    }
}

fn equals_deep(a: &Val, b: &Val) -> Option<bool> {
    let (ta, tb) = (a.ty(), b.ty());
    if ta != tb {
        // A part of unknown type may still turn out to be of the other's type.
        let open = |v: &Val| v.children().any(|c| c.find_unknown().is_some_and(|u| u.ty.has_any()));
        return if (open(a) || open(b)) && could_be_one(&ta, &tb) { None } else { Some(false) };
    }
    if let (Some(x), Some(y)) = (a.table(), b.table()) {
        if x.entries.len() != y.entries.len() || x.entries.iter().zip(&y.entries).any(|(x, y)| x.key != y.key) {
            return Some(false);
        }
        return all_equal(x.entries.iter().zip(&y.entries).map(|(x, y)| (&x.val, &y.val)));
    }
    let (x, y) = (a.items().unwrap_or_default(), b.items().unwrap_or_default());
    if matches!(a.datum, Datum::Set(_)) && (a.find_unknown().is_some() || b.find_unknown().is_some()) {
        return None;
    }
    if x.len() != y.len() {
        return Some(false);
    }
    all_equal(x.iter().zip(y))
}

/// Whether two types may turn out to be the same once what is unknown in them is known.
fn could_be_one(a: &Type, b: &Type) -> bool {
    match (a, b) {
        (Type::Any, _) | (_, Type::Any) => true,
        (Type::List(a), Type::List(b)) | (Type::Set(a), Type::Set(b)) | (Type::Map(a), Type::Map(b)) => {
            could_be_one(a, b)
        }
        (Type::Tuple(a), Type::Tuple(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| could_be_one(a, b))
        }
        (Type::Object(a), Type::Object(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| a.name == b.name && could_be_one(&a.ty, &b.ty))
        }
        _ => a == b,
    }
}

fn all_equal<'a>(pairs: impl Iterator<Item = (&'a Val, &'a Val)>) -> Option<bool> {
    let mut result = Some(true);
    for (a, b) in pairs {
        match equals(a, b) {
            Some(true) => {}
            None => return None,
            Some(false) => result = Some(false),
        }
    }
    result
}

/// Whether two values are the same: equal, of the same type, and wholly known.
pub fn same(a: &Val, b: &Val) -> bool {
    equals(a, b) == Some(true)
}

/// What is known about a value that is one of two.
pub fn refine_either(val: Val, a: &Val, b: &Val) -> Val {
    let not_null = a.is_not_null() && b.is_not_null();
    let bounds = |v: &Val| match &v.datum {
        Datum::Unknown(u) if u.ty.is_collection() => Some((u.min_len, u.max_len)),
        Datum::List(seq) => Some((seq.items.len(), seq.items.len())),
        Datum::Map(table) => Some((table.entries.len(), table.entries.len())),
        _ => None,
    };
    let lengths = if a.ty() == b.ty() { bounds(a).zip(bounds(b)) } else { None };
    val.refined(|u| {
        u.not_null = not_null;
        if let Some(((a_min, a_max), (b_min, b_max))) = lengths {
            (u.min_len, u.max_len) = (a_min.min(b_min), a_max.max(b_max));
        }
    })
}
