//! `format` and `formatlist`: verbs as Go's `fmt` has them, over Terraform's values.

use super::{FnCall, FnError, FnResult, fail, fail_arg, json};
use crate::formats::golang::push_json;
use crate::formats::terraform::eval::template::safe_prefix;
use crate::formats::terraform::eval::{Datum, Type, Val, convert};
use crate::graph::Number;
use unicode_segmentation::UnicodeSegmentation;

/// The widest field and the most digits that a verb may ask for.
const MAX_WIDTH: usize = 100_000;

/// A verb such as `%-5.2f`.
#[derive(Default)]
struct Verb {
    sharp: bool,
    zero: bool,
    minus: bool,
    plus: bool,
    space: bool,
    width: Option<usize>,
    precision: Option<usize>,
    arg: usize,
    mode: char,
}

pub fn format(call: &FnCall<'_, '_>) -> FnResult {
    let format = call.text(0);
    let args = call.args.get(1..).unwrap_or_default();
    if args.iter().any(|a| !a.is_wholly_known()) {
        let prefix = safe_prefix(format.split('%').next().unwrap_or_default());
        return Ok(call.unknown(Type::String).not_null().refined(|u| u.prefix = prefix));
    }
    render(call, format, args).map(Val::string)
}

pub fn formatlist(call: &FnCall<'_, '_>) -> FnResult {
    let format = call.text(0);
    let args = call.args.get(1..).unwrap_or_default();
    if args.is_empty() {
        return Ok(Val::list(Type::String, vec![Val::string(render(call, format, args)?)]));
    }
    let mut length: Option<(usize, usize)> = None;
    for (i, arg) in args.iter().enumerate() {
        let sequence = matches!(arg.ty(), Type::List(_) | Type::Set(_) | Type::Tuple(_));
        if !sequence || arg.is_null() {
            continue;
        }
        let Some(items) = arg.items() else {
            return Ok(call.unknown(Type::list(Type::String)).not_null());
        };
        // How many members a set has is open as long as some of them are not known.
        if matches!(arg.datum, Datum::Set(_)) && items.len() > 1 && !arg.is_wholly_known() {
            return Ok(call.unknown(Type::list(Type::String)).not_null());
        }
        match length {
            Some((first, n)) if n != items.len() => {
                let message = format!(
                    "it has {} elements, but argument {} has {n}: they must be as many",
                    items.len(),
                    first + 1
                );
                return fail_arg(i + 1, message);
            }
            _ => length = Some((i, items.len())),
        }
    }
    let count = length.map_or(1, |(_, n)| n);
    call.spend(count.saturating_mul(args.len()))?;
    let mut lines = Vec::with_capacity(count);
    let mut total = 0;
    for i in 0..count {
        let row: Vec<Val> =
            args.iter().map(|a| a.items().and_then(|items| items.get(i)).unwrap_or(a).clone()).collect();
        if let Some(unknown) = row.iter().find_map(|v| v.find_unknown()) {
            lines.push(Val::unknown_of(Type::String, unknown.cause.clone()).not_null());
            continue;
        }
        let line = render(call, format, &row)?;
        total += line.len();
        call.check_length(total)?;
        lines.push(Val::string(line));
    }
    Ok(Val::list(Type::String, lines))
}

fn render(call: &FnCall<'_, '_>, format: &str, args: &[Val]) -> Result<String, FnError> {
    let mut out = String::with_capacity(format.len() + 16);
    let mut rest = format;
    let mut next = 0;
    let mut used = 0;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('%') {
            out.push('%');
            rest = after;
            continue;
        }
        let (verb, after) = parse_verb(rest, next)?;
        rest = after;
        next = verb.arg + 1;
        used = used.max(next);
        let Some(arg) = args.get(verb.arg) else {
            return fail(format!("not enough arguments: the verb %{} needs argument {}", verb.mode, verb.arg + 1));
        };
        verb.append(arg, &mut out)?;
        call.check_length(out.len())?;
    }
    out.push_str(rest);
    if used < args.len() {
        return fail_arg(used + 1, "the format string has no verb for it");
    }
    Ok(out)
}

fn parse_verb(text: &str, next: usize) -> Result<(Verb, &str), FnError> {
    let mut verb = Verb { arg: next, ..Verb::default() };
    let mut rest = text;
    let number = |rest: &mut &str| -> Result<Option<usize>, FnError> {
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (digits, after) = rest.split_at(end);
        if digits.is_empty() {
            return Ok(None);
        }
        *rest = after;
        match digits.parse::<usize>() {
            Ok(n) if n <= MAX_WIDTH => Ok(Some(n)),
            _ => Err(FnError {
                arg: None,
                message: format!("a width of {digits} in a format string"),
                kind: crate::graph::CauseKind::Limit,
            }),
        }
    };
    loop {
        match rest.as_bytes().first() {
            Some(b'#') => verb.sharp = true,
            Some(b'0') => verb.zero = true,
            Some(b'-') => verb.minus = true,
            Some(b'+') => verb.plus = true,
            Some(b' ') => verb.space = true,
            _ => break,
        }
        rest = &rest[1..];
    }
    verb.width = number(&mut rest)?;
    if let Some(after) = rest.strip_prefix('.') {
        rest = after;
        verb.precision = Some(number(&mut rest)?.unwrap_or(0));
    }
    if let Some(after) = rest.strip_prefix('[') {
        rest = after;
        match (number(&mut rest)?, rest.strip_prefix(']')) {
            (Some(n), Some(after)) if n > 0 => {
                verb.arg = n - 1;
                rest = after;
            }
            _ => return fail("an argument's number in a format string is written [1], [2]…"),
        }
    }
    let mut chars = rest.chars();
    match chars.next() {
        Some(mode) if mode.is_ascii_alphabetic() => {
            verb.mode = mode;
            Ok((verb, chars.as_str()))
        }
        Some(other) => fail(format!("unrecognized character {other:?} after % in the format string")),
        None => fail("the format string ends within a verb"),
    }
}

impl Verb {
    fn append(&self, arg: &Val, out: &mut String) -> Result<(), FnError> {
        if arg.is_null() && self.mode != 'v' {
            return fail(format!("null cannot be formatted with %{}", self.mode));
        }
        let want = |ty: &Type| {
            convert(arg, ty).map_err(|e| FnError {
                arg: None,
                message: format!("unsuitable value for %{}: {e}", self.mode),
                kind: crate::graph::CauseKind::Error,
            })
        };
        match self.mode {
            'v' => match &arg.datum {
                Datum::String(s) if !self.sharp => self.pad(s, out),
                Datum::Number(n) if !self.sharp => self.pad(&number_shortest(n), out),
                _ => self.pad(&json::encode(arg), out),
            },
            // A truth value is not padded.
            't' => out.push_str(if want(&Type::Bool)?.as_bool() == Some(true) { "true" } else { "false" }),
            's' | 'q' => {
                let val = want(&Type::String)?;
                let mut text = val.as_str().unwrap_or_default();
                if let Some(most) = self.precision.filter(|&p| p > 0)
                    && let Some((end, _)) = text.grapheme_indices(true).nth(most)
                {
                    text = &text[..end];
                }
                if self.mode == 'q' {
                    let mut quoted = String::new();
                    push_json(&mut quoted, text, true);
                    self.pad(&quoted, out);
                } else {
                    self.pad(text, out);
                }
            }
            'b' | 'd' | 'o' | 'x' | 'X' => {
                let val = want(&Type::Number)?;
                match val.as_number() {
                    Some(n) if n.is_whole() => self.integer(n, out),
                    _ => return fail(format!("%{} needs a whole number", self.mode)),
                }
            }
            'e' | 'E' | 'f' | 'g' | 'G' => {
                let val = want(&Type::Number)?;
                match val.as_number() {
                    Some(n) if n.is_infinite() => {
                        let sign = if n.is_negative() { "-" } else { "+" };
                        self.pad_number(sign, "", "Inf", false, out);
                    }
                    Some(n) => self.float(n, out),
                    None => {}
                }
            }
            other => return fail(format!("there is no verb %{other}")),
        }
        Ok(())
    }

    /// Text in a field whose width counts what a reader takes for characters.
    fn pad(&self, text: &str, out: &mut String) {
        let fill = self.width.unwrap_or(0).saturating_sub(text.graphemes(true).count());
        let pad = if self.zero { '0' } else { ' ' };
        if self.minus {
            out.push_str(text);
        }
        (0..fill).for_each(|_| out.push(pad));
        if !self.minus {
            out.push_str(text);
        }
    }

    /// A number in a field, as Go's `fmt` writes it: zeros go between the sign and the digits.
    fn pad_number(&self, sign: &str, prefix: &str, digits: &str, zero: bool, out: &mut String) {
        let length = sign.len() + prefix.len() + digits.len();
        let fill = self.width.unwrap_or(0).saturating_sub(length);
        let (before, zeros, after) = if self.minus {
            (0, 0, fill)
        } else if zero {
            (0, fill, 0)
        } else {
            (fill, 0, 0)
        };
        (0..before).for_each(|_| out.push(' '));
        out.push_str(sign);
        out.push_str(prefix);
        (0..zeros).for_each(|_| out.push('0'));
        out.push_str(digits);
        (0..after).for_each(|_| out.push(' '));
    }

    fn sign(&self, negative: bool) -> &'static str {
        match (negative, self.plus, self.space) {
            (true, ..) => "-",
            (false, true, _) => "+",
            (false, false, true) => " ",
            _ => "",
        }
    }

    fn integer(&self, n: &Number, out: &mut String) {
        // A whole number has no minus zero.
        let sign = self.sign(n.is_negative() && !n.is_zero());
        let (digits, prefix) = match self.mode {
            'b' => (n.to_radix(2), "0b"),
            'o' => (n.to_radix(8), "0"),
            'x' => (n.to_radix(16), "0x"),
            'X' => (n.to_radix(16).to_uppercase(), "0X"),
            _ => (n.to_radix(10), ""),
        };
        let prefix = if self.sharp { prefix } else { "" };
        let digits = match self.precision {
            Some(0) if n.is_zero() => String::new(),
            Some(least) => format!("{digits:0>least$}"),
            None => digits,
        };
        self.pad_number(sign, prefix, &digits, self.zero && self.precision.is_none(), out);
    }

    fn float(&self, n: &Number, out: &mut String) {
        let mut decimal = n.decimal();
        let digits = match self.mode {
            'e' | 'E' => {
                let places = self.precision.unwrap_or(6);
                decimal.round(places + 1);
                decimal.scientific(places, self.mode)
            }
            'f' => {
                let places = self.precision.unwrap_or(6);
                fixed(n, places)
            }
            _ => match self.precision {
                None => number_shortest(&n.abs()),
                Some(precision) => number_general(&n.abs(), precision),
            },
        };
        let digits = if self.mode == 'G' { digits.to_uppercase() } else { digits };
        self.pad_number(self.sign(n.is_negative()), "", &digits, self.zero, out);
    }
}

/// The magnitude with a number of digits after the decimal point.
fn fixed(n: &Number, places: usize) -> String {
    let mut decimal = n.decimal();
    let kept = decimal.point + i64::try_from(places).unwrap_or(0);
    match usize::try_from(kept) {
        Ok(kept) => decimal.round(kept),
        // Everything lies below the last place.
        Err(_) => decimal = crate::graph::Decimal::default(),
    }
    decimal.fixed(places)
}

/// As `%g` without a precision writes a number.
fn number_shortest(n: &Number) -> String {
    if n.is_infinite() {
        return n.to_string();
    }
    general(n, &n.shortest(), 6, true)
}

/// As `%g` writes a number with so many digits at most.
pub fn number_general(n: &Number, precision: usize) -> String {
    if n.is_infinite() {
        return n.to_string();
    }
    let precision = precision.max(1);
    let mut decimal = n.decimal();
    decimal.round(precision);
    let mut limit = precision;
    if limit > decimal.digits.len() && decimal.point <= i64::try_from(decimal.digits.len()).unwrap_or(0) {
        limit = decimal.digits.len();
    }
    general(n, &decimal, limit, false)
}

fn general(n: &Number, decimal: &crate::graph::Decimal, limit: usize, _shortest: bool) -> String {
    let sign = if n.is_negative() { "-" } else { "" };
    let exponent = if decimal.digits.is_empty() { 0 } else { decimal.point - 1 };
    if exponent < -4 || exponent >= i64::try_from(limit.max(1)).unwrap_or(0) && !decimal.digits.is_empty() {
        return format!("{sign}{}", decimal.scientific(decimal.digits.len().saturating_sub(1), 'e'));
    }
    format!("{sign}{}", decimal.fixed(decimal.places()))
}
