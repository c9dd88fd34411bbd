//! Set operations.

use super::{FnCall, FnError, FnResult, fail, fail_arg};
use crate::formats::terraform::eval::val::Seq;
use crate::formats::terraform::eval::{Datum, Type, Val, convert, ops, sets, unify};
use std::sync::Arc;

/// The arguments as sets of one type, and that type.
fn operands(call: &FnCall<'_, '_>) -> Result<(Vec<Val>, Type), FnError> {
    let types: Vec<Type> = call.args.iter().filter(|a| !is_open_empty(a)).map(Val::ty).collect();
    let elem = match unify(&types) {
        Some(Type::Set(elem)) => (*elem).clone(),
        _ if types.is_empty() => Type::Any,
        Some(Type::Any) => Type::Any,
        _ => return fail("the sets must have elements of the same type"),
    };
    let want = Type::set(elem.clone());
    let converted: Result<Vec<Val>, String> = call.args.iter().map(|a| convert(a, &want)).collect();
    match converted {
        Ok(sets) => Ok((sets, elem)),
        Err(reason) => fail(reason),
    }
}

/// An empty set of no particular type goes with every other.
fn is_open_empty(val: &Val) -> bool {
    matches!(&val.datum, Datum::Set(seq) if seq.items.is_empty() && seq.elem.is_any())
}

fn make(elem: Type, mut items: Vec<Val>) -> Val {
    sets::normalize(&mut items);
    Val::new(Datum::Set(Arc::new(Seq { elem, items })))
}

fn has(items: &[Val], wanted: &Val) -> bool {
    items.iter().any(|i| ops::same(i, wanted))
}

fn members(val: &Val) -> &[Val] {
    val.items().unwrap_or_default()
}

pub fn union(call: &FnCall<'_, '_>) -> FnResult {
    let (sets, elem) = operands(call)?;
    if sets.iter().any(|s| !s.is_known()) {
        return Ok(call.unknown(Type::set(elem)).not_null());
    }
    let items: Vec<Val> = sets.iter().flat_map(|s| members(s).iter().cloned()).collect();
    call.spend(items.len())?;
    Ok(make(elem, items))
}

pub fn intersection(call: &FnCall<'_, '_>) -> FnResult {
    let (sets, elem) = operands(call)?;
    if sets.iter().any(|s| !s.is_wholly_known()) {
        return Ok(call.unknown(Type::set(elem)).not_null());
    }
    let Some((first, others)) = sets.split_first() else { return fail("at least one set is required") };
    charge(call, &sets)?;
    let kept = members(first).iter().filter(|item| others.iter().all(|set| has(members(set), item))).cloned();
    Ok(make(elem, kept.collect()))
}

pub fn subtract(call: &FnCall<'_, '_>) -> FnResult {
    let (sets, elem) = operands(call)?;
    if sets.iter().any(|s| !s.is_wholly_known()) {
        return Ok(call.unknown(Type::set(elem)).not_null());
    }
    let [a, b] = sets.as_slice() else { return fail("it takes two sets") };
    charge(call, &sets)?;
    let kept = members(a).iter().filter(|item| !has(members(b), item)).cloned();
    Ok(make(elem, kept.collect()))
}

/// Comparing each with each costs what making elements costs, at a discount.
fn charge(call: &FnCall<'_, '_>, sets: &[Val]) -> Result<(), FnError> {
    let pairs = sets.windows(2).map(|w| members(&w[0]).len().saturating_mul(members(&w[1]).len()));
    call.spend(pairs.fold(0usize, usize::saturating_add) / 64)
}

pub fn product(call: &FnCall<'_, '_>) -> FnResult {
    if call.args.len() < 2 {
        return fail("at least two arguments are required");
    }
    let types: Vec<Type> = call.args.iter().map(Val::ty).collect();
    let mut any_set = false;
    let mut elems: Vec<Type> = Vec::with_capacity(types.len());
    for (i, ty) in types.iter().enumerate() {
        match ty {
            Type::Set(elem) => {
                any_set = true;
                elems.push((**elem).clone());
            }
            Type::List(elem) => elems.push((**elem).clone()),
            Type::Tuple(items) if items.is_empty() => elems.push(Type::Any),
            Type::Tuple(items) => match unify(items) {
                Some(elem) => elems.push(elem),
                None => return fail_arg(i, "all elements must be of the same type"),
            },
            _ => return fail_arg(i, "it must be a set or list"),
        }
    }
    // One set among the arguments is enough: the order is lost.
    let tuple = Type::Tuple(elems.iter().cloned().collect());
    let result = if any_set { Type::set(tuple.clone()) } else { Type::list(tuple.clone()) };
    let mut columns: Vec<Vec<Val>> = Vec::with_capacity(elems.len());
    for (arg, elem) in call.args.iter().zip(&elems) {
        let Some(items) = arg.items() else {
            return Ok(call.unknown(result).not_null());
        };
        // Sets with unknown members may turn out to be smaller.
        if matches!(arg.datum, Datum::Set(_)) && items.len() > 1 && !arg.is_wholly_known() {
            return Ok(call.unknown(result).not_null());
        }
        let converted: Result<Vec<Val>, String> =
            items.iter().map(|item| convert(&item.clone().inherit(arg), elem)).collect();
        match converted {
            Ok(column) => columns.push(column),
            Err(reason) => return fail(reason),
        }
    }
    let count = columns.iter().fold(1usize, |n, c| n.saturating_mul(c.len()));
    call.spend(count.saturating_mul(columns.len()))?;
    let mut rows: Vec<Vec<Val>> = vec![Vec::new()];
    for column in &columns {
        let mut next = Vec::with_capacity(rows.len().saturating_mul(column.len()));
        for row in &rows {
            for item in column {
                let mut longer = row.clone();
                longer.push(item.clone());
                next.push(longer);
            }
        }
        rows = next;
    }
    let items: Vec<Val> = rows.into_iter().map(Val::tuple).collect();
    Ok(if any_set { make(tuple, items) } else { Val::list(tuple, items) })
}
