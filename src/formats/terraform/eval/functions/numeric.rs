//! Numbers.

use super::{FnCall, FnResult, fail, fail_arg, fail_unknown};
use crate::formats::terraform::eval::{Datum, Type, Val, convert};
use crate::graph::{CauseKind, Number};

fn num<'a>(call: &FnCall<'a, '_>, i: usize) -> &'a Number {
    static ZERO: Number = Number::Int(0);
    call.arg(i).as_number().unwrap_or(&ZERO)
}

pub fn abs(call: &FnCall<'_, '_>) -> FnResult {
    Ok(Val::number(num(call, 0).abs()))
}

/// A whole number has no minus zero.
fn whole(n: Option<Number>) -> FnResult {
    match n {
        Some(n) if n.is_zero() => Ok(Val::number(0)),
        Some(n) => Ok(Val::number(n)),
        None => fail("the number is too large"),
    }
}

pub fn ceil(call: &FnCall<'_, '_>) -> FnResult {
    whole(num(call, 0).ceil())
}

pub fn floor(call: &FnCall<'_, '_>) -> FnResult {
    whole(num(call, 0).floor())
}

fn float(f: f64) -> FnResult {
    match Number::from_f64(f) {
        Some(n) => Ok(Val::number(n)),
        None if f.is_nan() => fail("the result is no number"),
        None => Ok(Val::number(Number::infinity(f < 0.0))),
    }
}

pub fn log(call: &FnCall<'_, '_>) -> FnResult {
    float(logarithm(num(call, 0).to_f64()) / logarithm(num(call, 1).to_f64()))
}

/// The natural logarithm as Go's `math.Log` rounds it (FreeBSD's `e_log.c`): the mantissa between the square root of a
/// half and that of two, by a polynomial with coefficients of that source.
fn logarithm(x: f64) -> f64 {
    const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    const L: [f64; 7] = [
        6.666_666_666_666_735e-1,
        3.999_999_999_940_942e-1,
        2.857_142_874_366_239e-1,
        2.222_219_843_214_978_4e-1,
        1.818_357_216_161_805e-1,
        1.531_383_769_920_937_3e-1,
        1.479_819_860_511_658_6e-1,
    ];
    if !x.is_finite() || x <= 0.0 {
        return x.ln();
    }
    let (mut mantissa, mut exponent) = split(x);
    if mantissa < std::f64::consts::FRAC_1_SQRT_2 {
        mantissa *= 2.0;
        exponent -= 1;
    }
    let f = mantissa - 1.0;
    let k = exponent as f64;
    let s = f / (2.0 + f);
    let s2 = s * s;
    let s4 = s2 * s2;
    let odd = s2 * (L[0] + s4 * (L[2] + s4 * (L[4] + s4 * L[6])));
    let even = s4 * (L[1] + s4 * (L[3] + s4 * L[5]));
    let r = odd + even;
    let half = 0.5 * f * f;
    k * LN2_HIGH - ((half - (s * (half + r) + k * LN2_LOW)) - f)
}

pub fn pow(call: &FnCall<'_, '_>) -> FnResult {
    let (base, exponent) = (num(call, 0).to_f64(), num(call, 1).to_f64());
    // Roots other than the square root go through an exponential function whose last digit depends on the machine.
    if exponent.fract() != 0.0 && exponent.abs() != 0.5 && base > 0.0 && base != 1.0 && base.is_finite() {
        return fail_unknown(CauseKind::Unsupported, "the last digit of a power with a fraction as its exponent");
    }
    float(power(base, exponent))
}

/// `x` to the power of `y` as Go's `math.Pow` rounds it: the whole part of the exponent by repeated squaring of the
/// mantissa.
fn power(x: f64, y: f64) -> f64 {
    let special = x == 0.0 || y == 0.0 || x == 1.0 || y == 1.0 || y.abs() == 0.5 || !x.is_finite() || !y.is_finite();
    let whole = y.abs();
    if special || y.fract() != 0.0 || whole >= 9.2e18 {
        return x.powf(y);
    }
    let (mut result, mut exponent) = (1.0f64, 0i64);
    let (mut mantissa, mut shift) = split(x);
    #[expect(clippy::cast_possible_truncation, reason = "it was compared with the largest whole number above")]
    let mut bits = whole as i64;
    while bits != 0 {
        if shift.abs() > 1 << 12 {
            exponent += shift;
            break;
        }
        if bits & 1 == 1 {
            result *= mantissa;
            exponent += shift;
        }
        mantissa *= mantissa;
        shift <<= 1;
        if mantissa < 0.5 {
            mantissa += mantissa;
            shift -= 1;
        }
        bits >>= 1;
    }
    if y < 0.0 {
        (result, exponent) = (1.0 / result, -exponent);
    }
    scale(result, exponent)
}

/// A finite number that is not zero as a mantissa between a half and one, and a power of two.
fn split(x: f64) -> (f64, i64) {
    let (x, less) = if x.abs() < f64::MIN_POSITIVE { (x * 2f64.powi(54), 54) } else { (x, 0) };
    let exponent = ((x.to_bits() >> 52) & 0x7ff) as i64 - 1022;
    (f64::from_bits((x.to_bits() & !(0x7ff << 52)) | (1022 << 52)), exponent - less)
}

/// `mantissa` times two to the power of `exponent`, rounded once.
fn scale(mantissa: f64, exponent: i64) -> f64 {
    if mantissa == 0.0 || !mantissa.is_finite() {
        return mantissa;
    }
    let (mantissa, more) = split(mantissa);
    match exponent.saturating_add(more) {
        e if e > 1024 => f64::INFINITY.copysign(mantissa),
        e if e < -1080 => 0f64.copysign(mantissa),
        // Below the normal range it is scaled in two steps, of which only the second one rounds.
        e if e < -1020 => mantissa * 2f64.powi(-1020) * 2f64.powi((e + 1020) as i32),
        e => mantissa * 2.0 * 2f64.powi((e - 1) as i32),
    }
}

pub fn signum(call: &FnCall<'_, '_>) -> FnResult {
    Ok(Val::number(call.int(0)?.signum()))
}

fn extreme(call: &FnCall<'_, '_>, wanted: std::cmp::Ordering) -> FnResult {
    let mut numbers = call.args.iter().filter_map(|a| a.as_number());
    let Some(mut best) = numbers.next() else {
        return fail("at least one number is required");
    };
    for n in numbers {
        if n.cmp(best) == wanted {
            best = n;
        }
    }
    Ok(Val::number(best.clone()))
}

pub fn max(call: &FnCall<'_, '_>) -> FnResult {
    extreme(call, std::cmp::Ordering::Greater)
}

pub fn min(call: &FnCall<'_, '_>) -> FnResult {
    extreme(call, std::cmp::Ordering::Less)
}

pub fn parseint(call: &FnCall<'_, '_>) -> FnResult {
    let val = call.arg(0);
    let Datum::String(text) = &val.datum else {
        return fail_arg(0, "it must be a string");
    };
    let base = match u32::try_from(call.int(1)?) {
        Ok(base @ 2..=36) => base,
        // Beyond 36, capitals stand for digits of their own.
        Ok(base @ 37..=62) => base,
        _ => return fail_arg(1, "the base must be between 2 and 62"),
    };
    let parsed = if base <= 36 { Number::from_digits(text, base) } else { parse_wide(text, base) };
    match parsed {
        Some(n) => Ok(Val::number(n)),
        None => fail_arg(0, format!("{text:?} is no whole number in base {base}")),
    }
}

/// Digits, small letters from 10, capitals from 36.
fn parse_wide(text: &str, base: u32) -> Option<Number> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.is_empty() || digits.len() > 2_000 {
        return None;
    }
    let base_number = Number::Int(i64::from(base));
    let mut n = Number::Int(0);
    for c in digits.bytes() {
        let digit = match c {
            b'0'..=b'9' => c - b'0',
            b'a'..=b'z' => c - b'a' + 10,
            b'A'..=b'Z' => c - b'A' + 36,
            _ => return None,
        };
        if u32::from(digit) >= base {
            return None;
        }
        n = n.mul(&base_number)?.add(&Number::Int(i64::from(digit)))?;
    }
    Some(if negative { n.neg() } else { n })
}

pub fn range(call: &FnCall<'_, '_>) -> FnResult {
    let (start, end, step) = match call.args.len() {
        1 => (Number::Int(0), num(call, 0).clone(), None),
        2 => (num(call, 0).clone(), num(call, 1).clone(), None),
        3 => (num(call, 0).clone(), num(call, 1).clone(), Some(num(call, 2).clone())),
        _ => return fail("it takes one to three numbers"),
    };
    let down = end < start;
    let step = step.unwrap_or(Number::Int(if down { -1 } else { 1 }));
    let mut items = Vec::new();
    if end != start {
        if step.is_zero() {
            return fail_arg(2, "the step must not be zero");
        }
        if down != step.is_negative() {
            return fail_arg(2, "the step leads away from the end");
        }
        let mut at = start;
        while if down { at > end } else { at < end } {
            if items.len() >= 1024 {
                return fail("a range has at most 1024 numbers");
            }
            items.push(Val::number(at.clone()));
            at = match at.add(&step) {
                Some(next) => next,
                None => return fail("the numbers become too large"),
            };
        }
    }
    call.spend(items.len())?;
    Ok(Val::list(Type::Number, items))
}

pub fn sum(call: &FnCall<'_, '_>) -> FnResult {
    let val = call.arg(0);
    let Some(items) = val.items() else {
        return fail_arg(0, "it must be a list, set or tuple of numbers");
    };
    if items.is_empty() {
        return fail_arg(0, "an empty list has no sum");
    }
    let mut total = Number::Int(0);
    for (i, item) in items.iter().enumerate() {
        if item.is_null() {
            return fail_arg(0, "it must not hold null");
        }
        if !item.is_known() {
            return Ok(call.unknown(Type::Number).not_null());
        }
        let Ok(number) = convert(item, &Type::Number) else {
            return fail_arg(0, "it must be a list, set or tuple of numbers");
        };
        let Some(n) = number.as_number() else { continue };
        total = if i == 0 {
            n.clone()
        } else {
            match total.add(n) {
                Some(sum) => sum,
                None => return fail("the sum is too large"),
            }
        };
    }
    Ok(Val::number(total))
}
