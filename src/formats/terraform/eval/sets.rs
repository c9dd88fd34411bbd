//! The members of sets: each once, in Terraform's order.

use super::val::Datum;
use super::{Val, ops};
use crate::formats::golang::push_go;
use std::cmp::Ordering;
use std::fmt::Write;

/// Sorts the members as Terraform iterates over a set, and drops those that equal an earlier one. Members that hold
/// unknowns are never equal to another.
pub fn normalize(items: &mut Vec<Val>) {
    let primitive =
        items.iter().all(|v| v.children().next().is_none() && !matches!(v.datum, Datum::Tuple(_) | Datum::Object(_)));
    if primitive {
        items.sort_by(|a, b| order_primitive(&a.datum, &b.datum));
    } else {
        items.sort_by_cached_key(|v| {
            let mut key = String::new();
            hash_text(v, &mut key);
            (rank(&v.datum), key)
        });
    }
    items.dedup_by(|later, earlier| {
        let same = ops::same(later, earlier);
        if same {
            earlier.marks = earlier.marks.with(later.marks);
            earlier.refs.add(&later.refs);
        }
        same
    });
}

/// Nulls come after known values, unknowns last.
fn rank(datum: &Datum) -> u8 {
    match datum {
        Datum::Unknown(_) => 2,
        Datum::Null(_) => 1,
        _ => 0,
    }
}

fn order_primitive(a: &Datum, b: &Datum) -> Ordering {
    match (a, b) {
        (Datum::String(a), Datum::String(b)) => a.cmp(b),
        (Datum::Number(a), Datum::Number(b)) => a.cmp(b),
        (Datum::Bool(a), Datum::Bool(b)) => a.cmp(b),
        _ => rank(a).cmp(&rank(b)),
    }
}

/// The text by which cty orders members that are not primitive (`makeSetHashBytes`).
fn hash_text(val: &Val, out: &mut String) {
    match &val.datum {
        Datum::Unknown(_) => out.push('?'),
        Datum::Null(_) => out.push('~'),
        Datum::Bool(b) => out.push(if *b { 'T' } else { 'F' }),
        Datum::Number(n) => out.push_str(&super::functions::format::number_general(n, 10)),
        Datum::String(s) => push_go(out, s),
        Datum::List(seq) | Datum::Set(seq) => hash_items(&seq.items, ('[', ']'), out),
        Datum::Tuple(items) => hash_items(items, ('<', '>'), out),
        Datum::Map(table) => {
            out.push('{');
            for m in &table.entries {
                push_go(out, &m.key);
                out.push(':');
                hash_text(&m.val, out);
                out.push(';');
            }
            out.push('}');
        }
        Datum::Object(table) => {
            out.push('<');
            for m in &table.entries {
                hash_text(&m.val, out);
                out.push(';');
            }
            out.push('>');
        }
    }
    let _ = out.write_str("");
}

fn hash_items(items: &[Val], (open, close): (char, char), out: &mut String) {
    out.push(open);
    for item in items {
        hash_text(item, out);
        out.push(';');
    }
    out.push(close);
}
