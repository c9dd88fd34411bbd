//! Arithmetic. Whole numbers are 64-bit; the functions that end in `f` compute in decimal.

use super::super::exec::{Executed, Failure};
use super::super::format::display;
use super::super::value::{Data, Value};
use super::{Row, argument, text};
use crate::graph::Number;
use crate::syntax::yaml::{Scalar, Schema, resolve};

/// The table of this file.
pub const ROWS: &[Row] = &[
    ("int", "a", |_, a| Ok(Value::int(to_int(&argument(a, 0))))),
    ("int64", "a", |_, a| Ok(Value::int64(to_int(&argument(a, 0))))),
    ("float64", "a", |_, a| Ok(to_float(&argument(a, 0)).into())),
    ("atoi", "s", |_, a| Ok(Value::int(text(a, 0).parse().unwrap_or(0)))),
    ("toDecimal", "a", |_, a| Ok(Value::int64(i64::from_str_radix(&display(&argument(a, 0)), 8).unwrap_or(0)))),
    ("add1", "a", |_, a| Ok(Value::int64(to_int(&argument(a, 0)).wrapping_add(1)))),
    ("add", "a*", |_, a| Ok(Value::int64(a.iter().map(to_int).fold(0, i64::wrapping_add)))),
    ("sub", "aa", |_, a| Ok(Value::int64(to_int(&argument(a, 0)).wrapping_sub(to_int(&argument(a, 1)))))),
    ("mul", "aa*", |_, a| Ok(Value::int64(a.iter().map(to_int).fold(1, i64::wrapping_mul)))),
    ("div", "aa", |_, a| divide(a, i64::wrapping_div)),
    ("mod", "aa", |_, a| divide(a, i64::wrapping_rem)),
    ("max", "aa*", |_, a| Ok(Value::int64(a.iter().map(to_int).max().unwrap_or(0)))),
    ("biggest", "aa*", |_, a| Ok(Value::int64(a.iter().map(to_int).max().unwrap_or(0)))),
    ("min", "aa*", |_, a| Ok(Value::int64(a.iter().map(to_int).min().unwrap_or(0)))),
    ("maxf", "aa*", |_, a| Ok(a.iter().map(to_float).fold(f64::MIN, f64::max).into())),
    ("minf", "aa*", |_, a| Ok(a.iter().map(to_float).fold(f64::MAX, f64::min).into())),
    ("floor", "a", |_, a| Ok(to_float(&argument(a, 0)).floor().into())),
    ("ceil", "a", |_, a| Ok(to_float(&argument(a, 0)).ceil().into())),
    ("round", "aif*", |_, a| {
        let on = a.get(2).map_or(0.5, to_float);
        let pow = 10f64.powf(to_float(&argument(a, 1)));
        let digit = pow * to_float(&argument(a, 0));
        let rounded = if digit.fract() >= on { digit.ceil() } else { digit.floor() };
        Ok((rounded / pow).into())
    }),
    ("add1f", "a", |_, a| decimal(&[argument(a, 0), 1.0.into()], Number::add)),
    ("addf", "a*", |_, a| {
        let all: Vec<Value> = std::iter::once(Value::from(0.0)).chain(a.iter().cloned()).collect();
        decimal(&all, Number::add)
    }),
    ("subf", "aa*", |_, a| decimal(a, Number::sub)),
    ("mulf", "aa*", |_, a| decimal(a, Number::mul)),
    ("divf", "aa*", |_, a| decimal(a, |x, y| if y.is_zero() { None } else { x.div(y) })),
];

/// A whole number of anything, 0 of what is none. Floats are cut, text is read in Go's bases.
pub fn to_int(value: &Value) -> i64 {
    match &value.data {
        Data::Int(n, _) => *n,
        Data::Bool(b) => i64::from(*b),
        Data::Float(f) => cut(*f),
        Data::String(text) => {
            let s = &*text.s;
            // "5.00" counts as 5.
            let whole = match s.split_once('.') {
                Some((whole, zeros)) if zeros.bytes().all(|b| b == b'0') => whole,
                _ => s,
            };
            match resolve(whole, Schema::Yaml12) {
                Scalar::Int(n)
                    if whole.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'_')) =>
                {
                    n
                }
                _ => 0,
            }
        }
        _ => 0,
    }
}

/// Go's conversion of a float on amd64: what does not fit becomes the smallest number.
#[expect(clippy::cast_possible_truncation, reason = "cutting is what is asked for")]
fn cut(f: f64) -> i64 {
    if f.is_nan() || !(-9.223_372_036_854_776e18..9.223_372_036_854_776e18).contains(&f) { i64::MIN } else { f as i64 }
}

/// A float of anything, 0 of what is none.
pub fn to_float(value: &Value) -> f64 {
    match &value.data {
        Data::Float(f) => *f,
        #[expect(clippy::cast_precision_loss, reason = "the nearest float is what is asked for")]
        Data::Int(n, _) => *n as f64,
        Data::Bool(b) => f64::from(u8::from(*b)),
        Data::String(text) => text.s.parse().unwrap_or(0.0),
        _ => 0.0,
    }
}

fn divide(a: &[Value], f: fn(i64, i64) -> i64) -> Executed<Value> {
    let (x, y) = (to_int(&argument(a, 0)), to_int(&argument(a, 1)));
    if y == 0 {
        return Err("runtime error: integer divide by zero".into());
    }
    Ok(Value::int64(f(x, y)))
}

/// Computes with the precision of 512 bits on what the floats look like in decimal, so that 0.1 and 0.2 make 0.3.
fn decimal(values: &[Value], f: impl Fn(&Number, &Number) -> Option<Number>) -> Executed<Value> {
    let exact = |v: &Value| {
        let f = to_float(v);
        if !f.is_finite() {
            return Err(Failure::new("cannot compute with a number that is not finite"));
        }
        Number::parse(&format!("{f:e}")).ok_or_else(|| Failure::new(format!("{f} is no number")))
    };
    let mut numbers = values.iter().map(exact);
    let mut total = numbers.next().unwrap_or(Ok(Number::from(0)))?;
    for next in numbers {
        total = f(&total, &next?).ok_or_else(|| Failure::new("decimal division by 0"))?;
    }
    let result = total.to_f64();
    // A decimal knows no negative zero.
    Ok(if result == 0.0 { 0.0 } else { result }.into())
}
