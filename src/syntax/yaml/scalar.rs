//! What a plain scalar means.

use std::borrow::Cow;

/// Who reads.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Schema {
    /// `kubectl`, Helm (charts, values, output) and kustomization files: the reading of `sigs.k8s.io/yaml` on go-yaml 2, that is
    /// YAML 1.1 without base-60 numbers and dates. `yes`, `no`, `on`, `off`, `y`, `n` are booleans.
    #[default]
    Kubernetes,
    /// The same without those six words, as go-yaml 3 reads (Kustomize's resources, Compose) and as YAML 1.2's core schema
    /// has it but for numbers: `0644` is octal, `1_000` is a thousand.
    Yaml12,
}

/// A scalar's meaning.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Scalar<'t> {
    /// Empty, `~`, `null`.
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a point or an exponent, or beyond 64 bits, with its text as written.
    Float(f64, &'t str),
    /// Anything else.
    String(&'t str),
}

impl<'t> Scalar<'t> {
    /// The text of a mapping key: booleans and numbers in their plain spelling, null as nothing.
    pub fn into_text(self) -> Cow<'t, str> {
        match self {
            Scalar::Null => Cow::Borrowed("null"),
            Scalar::Bool(b) => Cow::Borrowed(if b { "true" } else { "false" }),
            Scalar::Int(n) => Cow::Owned(n.to_string()),
            Scalar::Float(n, text) => {
                if n.is_finite() {
                    Cow::Owned(n.to_string())
                } else {
                    Cow::Borrowed(text)
                }
            }
            Scalar::String(s) => Cow::Borrowed(s),
        }
    }
}

/// The meaning of a plain scalar's text.
pub fn resolve(text: &str, schema: Schema) -> Scalar<'_> {
    let Some(&first) = text.as_bytes().first() else {
        return Scalar::Null;
    };
    match first {
        b'~' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'y' | b'Y' | b'o' | b'O' => word(text, schema),
        b'0'..=b'9' | b'+' | b'-' | b'.' => number(text).unwrap_or(Scalar::String(text)),
        _ => Scalar::String(text),
    }
}

fn word(text: &str, schema: Schema) -> Scalar<'_> {
    match text {
        "~" | "null" | "Null" | "NULL" => Scalar::Null,
        "true" | "True" | "TRUE" => Scalar::Bool(true),
        "false" | "False" | "FALSE" => Scalar::Bool(false),
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" if schema == Schema::Kubernetes => Scalar::Bool(true),
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" if schema == Schema::Kubernetes => Scalar::Bool(false),
        _ => Scalar::String(text),
    }
}

/// A number as Go's `strconv` reads it with base 0 once underscores are out, which is what go-yaml does.
fn number(text: &str) -> Option<Scalar<'_>> {
    match text.trim_start_matches(['+', '-']) {
        ".inf" | ".Inf" | ".INF" => {
            let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
            return Some(Scalar::Float(f64::INFINITY * sign, text));
        }
        ".nan" | ".NaN" | ".NAN" if text.starts_with('.') => return Some(Scalar::Float(f64::NAN, text)),
        _ => {}
    }
    if !text.bytes().any(|b| b.is_ascii_digit()) {
        return None;
    }
    let plain: Cow<'_, str> = if text.contains('_') { text.replace('_', "").into() } else { text.into() };
    if let Some(n) = integer(&plain) {
        return Some(match i64::try_from(n) {
            Ok(n) => Scalar::Int(n),
            #[expect(clippy::cast_precision_loss, reason = "whole numbers beyond 64 bits are kept as floats")]
            Err(_) => Scalar::Float(n as f64, text),
        });
    }
    is_float(&plain).then(|| plain.parse().ok().map(|n| Scalar::Float(n, text))).flatten()
}

fn integer(text: &str) -> Option<i128> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let n = i128::from(u64::from_str_radix(digits, radix).ok()?);
    let n = if negative { -n } else { n };
    (n >= i128::from(i64::MIN)).then_some(n)
}

/// Digits with an optional point and exponent: `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`.
fn is_float(text: &str) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let (whole, fraction) = mantissa.split_once('.').map_or((mantissa, None), |(w, f)| (w, Some(f)));
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    digits(whole)
        && fraction.is_none_or(digits)
        && (!whole.is_empty() || fraction.is_some_and(|f| !f.is_empty()))
        && exponent.is_none_or(|e| {
            let e = e.strip_prefix(['-', '+']).unwrap_or(e);
            !e.is_empty() && digits(e)
        })
}
