//! Conversions, marks and choices.

use super::{FnCall, FnResult, fail, fail_arg};
use crate::formats::terraform::eval::{Datum, Marks, Type, Val, convert, unify};

fn to(call: &FnCall<'_, '_>, ty: &Type) -> FnResult {
    let val = call.arg(0);
    // Explicit conversion of null keeps it null, of the wanted type.
    match convert(val, ty) {
        Ok(mut converted) => {
            if !std::ptr::eq(&converted.datum, &val.datum) {
                converted.marks = val.marks;
            }
            Ok(converted)
        }
        Err(reason) => fail_arg(0, reason),
    }
}

pub fn tostring(call: &FnCall<'_, '_>) -> FnResult {
    to(call, &Type::String)
}

pub fn tonumber(call: &FnCall<'_, '_>) -> FnResult {
    to(call, &Type::Number)
}

pub fn tobool(call: &FnCall<'_, '_>) -> FnResult {
    to(call, &Type::Bool)
}

pub fn tolist(call: &FnCall<'_, '_>) -> FnResult {
    to(call, &Type::list(Type::Any))
}

pub fn toset(call: &FnCall<'_, '_>) -> FnResult {
    to(call, &Type::set(Type::Any))
}

pub fn tomap(call: &FnCall<'_, '_>) -> FnResult {
    to(call, &Type::map(Type::Any))
}

pub fn sensitive(call: &FnCall<'_, '_>) -> FnResult {
    Ok(call.arg(0).clone().marked(Marks::SENSITIVE))
}

pub fn nonsensitive(call: &FnCall<'_, '_>) -> FnResult {
    Ok(unmark(call.arg(0), Marks::SENSITIVE))
}

fn unmark(val: &Val, marks: Marks) -> Val {
    let mut val = val.map_children(&mut |child| unmark(child, marks));
    val.marks = val.marks.without(marks);
    val
}

pub fn issensitive(call: &FnCall<'_, '_>) -> FnResult {
    let val = call.arg(0);
    let marked = val.marks.has(Marks::SENSITIVE);
    if !marked && !val.is_known() {
        return Ok(call.unknown(Type::Bool).not_null());
    }
    Ok(Val::bool(marked))
}

pub fn ephemeralasnull(call: &FnCall<'_, '_>) -> FnResult {
    fn strip(val: &Val) -> Val {
        if val.marks.has(Marks::EPHEMERAL) {
            let mut null = Val::new(Datum::Null(val.ty()));
            null.marks = val.marks.without(Marks::EPHEMERAL);
            null.origin = val.origin.clone();
            return null;
        }
        val.map_children(&mut strip)
    }
    Ok(strip(call.arg(0)))
}

pub fn coalesce(call: &FnCall<'_, '_>) -> FnResult {
    let types: Vec<Type> = call.args.iter().map(Val::ty).collect();
    if types.is_empty() {
        return fail("at least one argument is required");
    }
    let Some(ty) = unify(&types) else {
        return fail("all arguments must have the same type");
    };
    for arg in call.args {
        if !arg.is_known() {
            return Ok(call.unknown(ty));
        }
        if arg.is_null() {
            continue;
        }
        let val = match convert(arg, &ty) {
            Ok(val) => val,
            Err(reason) => return fail(reason),
        };
        if val.as_str() != Some("") {
            return Ok(val);
        }
    }
    fail("every argument is null or an empty string")
}

pub fn coalescelist(call: &FnCall<'_, '_>) -> FnResult {
    if call.args.is_empty() {
        return fail("at least one argument is required");
    }
    let types: Vec<Type> = call.args.iter().map(Val::ty).collect();
    let fits = |v: &Val| match v.ty() {
        Type::List(_) | Type::Tuple(_) => true,
        ty => ty.is_any() && !v.is_null(),
    };
    if !call.args.iter().all(fits) {
        return fail("the arguments must be lists or tuples");
    }
    for arg in call.args {
        if !arg.is_known() {
            let same = types.windows(2).all(|pair| pair[0] == pair[1]);
            return Ok(call.unknown(if same { arg.ty() } else { Type::Any }));
        }
        if arg.items().is_some_and(|items| !items.is_empty()) {
            return Ok(arg.clone());
        }
    }
    fail("every argument is null or empty")
}
