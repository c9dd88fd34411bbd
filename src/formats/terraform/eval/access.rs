//! `.name` and `[key]` on a value.

use super::expr::result_unknown;
use super::{Datum, EvalError, EvalResult, Type, Val, convert};
use crate::base::Span;
use crate::graph::{Cause, CauseKind, Origin};
use std::sync::{Arc, LazyLock};

/// The cause of values that only stand for a type.
pub(super) fn sample_cause() -> Arc<Cause> {
    static CAUSE: LazyLock<Arc<Cause>> = LazyLock::new(|| {
        Arc::new(Cause { kind: CauseKind::Computed, message: "not known yet".to_owned(), span: Span::NONE })
    });
    CAUSE.clone()
}

/// `val.name`.
pub fn attribute(val: &Val, name: &str, span: Span) -> EvalResult {
    match &val.datum {
        Datum::Object(table) | Datum::Map(table) => match table.get(name) {
            Some(member) => Ok(member.clone().inherit(val)),
            None if table.rest.is_some() => Ok(further(val, name, span)),
            None if matches!(val.datum, Datum::Map(_)) => {
                Err(EvalError::new(format!("the map has no element {name:?}"), span))
            }
            None => Err(EvalError::new(format!("the object has no attribute {name:?}"), span)),
        },
        Datum::Null(_) => Err(EvalError::new(format!("null has no attribute {name:?}"), span)),
        Datum::Unknown(unknown) => {
            let ty = match &unknown.ty {
                Type::Any => Type::Any,
                Type::Map(elem) => (**elem).clone(),
                Type::Object(_) => match unknown.ty.attr(name) {
                    Some(attr) => attr.ty.clone(),
                    None => return Err(EvalError::new(format!("the object has no attribute {name:?}"), span)),
                },
                other => return Err(no_attributes(other, span)),
            };
            Ok(result_unknown(ty, val, span))
        }
        _ => Err(no_attributes(&val.ty(), span)),
    }
}

/// An attribute of an object whose further attributes are not known. It refers to what the object itself refers to, not
/// to what its other attributes do.
fn further(val: &Val, name: &str, span: Span) -> Val {
    let cause = match &val.datum {
        Datum::Object(table) => table.rest.as_ref().map(|rest| &rest.cause),
        _ => None,
    };
    let cause = cause.map_or_else(sample_cause, |cause| {
        let message = cause.message.replacen("` ", &format!(".{name}` "), 1);
        Arc::new(Cause { message, ..(**cause).clone() })
    });
    let mut further = Val::unknown_of(Type::Any, cause);
    further.origin = Origin::literal(span);
    further.inherit(val)
}

fn no_attributes(ty: &Type, span: Span) -> Box<EvalError> {
    EvalError::new(format!("a {} has no attributes", ty.kind_name()), span)
}

/// `val[key]`.
pub fn index(val: &Val, key: &Val, span: Span) -> EvalResult {
    if val.is_null() {
        return Err(EvalError::new("null cannot be indexed", span));
    }
    if key.is_null() {
        return Err(EvalError::new("an index must not be null", span));
    }
    let ty = match &val.datum {
        Datum::Unknown(unknown) => unknown.ty.clone(),
        // Only the kind matters for what is known.
        Datum::List(_) => Type::list(Type::Any),
        Datum::Tuple(_) => Type::Tuple(Arc::from([])),
        Datum::Map(_) => Type::map(Type::Any),
        Datum::Object(_) => Type::Object(Arc::from([])),
        Datum::Set(_) => Type::set(Type::Any),
        _ => val.ty(),
    };
    let wanted = match &ty {
        Type::Any => return Ok(result_unknown(Type::Any, val, span).inherit(key)),
        Type::List(_) | Type::Tuple(_) => Type::Number,
        Type::Map(_) | Type::Object(_) => Type::String,
        Type::Set(_) => return Err(EvalError::new("the elements of a set have no index", span)),
        other => return Err(EvalError::new(format!("a {other} has no elements"), span)),
    };
    let found = convert(key, &wanted).map_err(|e| EvalError::new(format!("unsuitable index: {e}"), span))?;
    if !found.is_known() || !val.is_known() {
        let elem = match (&val.datum, &ty) {
            (Datum::List(seq), _) => seq.elem.clone(),
            (Datum::Map(table), _) => table.elem.clone(),
            (Datum::Unknown(_), Type::List(elem) | Type::Map(elem)) => (**elem).clone(),
            (Datum::Unknown(_), Type::Tuple(items)) => match found.as_number().map(|n| n.to_i64()) {
                Some(n) => match n.and_then(|n| usize::try_from(n).ok()).and_then(|n| items.get(n)) {
                    Some(ty) => ty.clone(),
                    None => return Err(EvalError::new("there is no such index", span)),
                },
                None => Type::Any,
            },
            (Datum::Unknown(_), Type::Object(_)) => match found.as_str() {
                Some(name) => match ty.attr(name) {
                    Some(attr) => attr.ty.clone(),
                    None => return Err(EvalError::new(format!("the object has no attribute {name:?}"), span)),
                },
                None => Type::Any,
            },
            _ => Type::Any,
        };
        let why = if val.is_known() { &found } else { val };
        let mut result = result_unknown(elem, why, span).inherit(val).inherit(key);
        result.refs.add(&val.refs);
        return Ok(result);
    }
    let member = match (&val.datum, &found.datum) {
        (Datum::List(_) | Datum::Tuple(_), Datum::Number(n)) => {
            let items = val.items().unwrap_or_default();
            let at = n.to_i64().and_then(|n| usize::try_from(n).ok());
            at.and_then(|at| items.get(at)).ok_or_else(|| {
                let message = format!("the index {n} is not among the {} elements", items.len());
                EvalError::new(message, span)
            })?
        }
        (Datum::Object(table), Datum::String(name)) if table.rest.is_some() && table.get(name).is_none() => {
            return Ok(further(val, name, span));
        }
        (Datum::Map(table) | Datum::Object(table), Datum::String(key)) => {
            table.get(key).ok_or_else(|| EvalError::new(format!("there is no element {key:?}"), span))?
        }
        _ => return Err(EvalError::new("there is no such index", span)),
    };
    Ok(member.clone().inherit(val).marked(key.marks))
}
