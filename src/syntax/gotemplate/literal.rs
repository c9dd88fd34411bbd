//! Numbers, characters and strings as Go writes them.

use super::Number;
use std::sync::Arc;

/// Reads a number literal; `None` where it is none. Imaginary numbers are not supported.
pub fn number(text: &str) -> Option<Number> {
    if text.starts_with('\'') {
        let c = character(text)?;
        let code = i64::from(u32::from(c));
        return Some(Number {
            text: text.into(),
            int: Some(code),
            uint: u64::try_from(code).ok(),
            #[expect(clippy::cast_precision_loss, reason = "a character's code is exact")]
            float: Some(code as f64),
            written_as_float: false,
        });
    }
    let mut uint = unsigned(text.strip_prefix('+').unwrap_or(text)).filter(|_| !text.starts_with('-'));
    let mut int = signed(text);
    if int == Some(0) {
        uint = Some(0);
    }
    let hex = {
        let body = text.trim_start_matches(['+', '-']);
        body.starts_with("0x") || body.starts_with("0X")
    };
    let float;
    if let Some(n) = int {
        #[expect(clippy::cast_precision_loss, reason = "Go converts in the same way")]
        let f = n as f64;
        float = Some(f);
    } else if let Some(n) = uint {
        #[expect(clippy::cast_precision_loss, reason = "Go converts in the same way")]
        let f = n as f64;
        float = Some(f);
    } else {
        let f = float_literal(text)?;
        // Whole numbers without a sign of a float are too large to be written down.
        if !text.contains(['.', 'e', 'E', 'p', 'P']) {
            return None;
        }
        float = Some(f);
        #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "only exact values are kept")]
        {
            let n = f as i64;
            if n as f64 == f && f.abs() < 9.2e18 {
                int = Some(n);
                uint = u64::try_from(n).ok();
            }
        }
    }
    let written_as_float = int_less_or_marked(text, hex);
    Some(Number { text: text.into(), int, uint, float, written_as_float })
}

fn int_less_or_marked(text: &str, hex: bool) -> bool {
    if hex { text.contains(['p', 'P']) } else { text.contains(['.', 'e', 'E', 'p', 'P']) }
}

/// A signed whole number in base 2, 8, 10 or 16 with `_` between digits, as Go's `ParseInt` with base 0 reads it.
pub fn signed(text: &str) -> Option<i64> {
    if let Some(rest) = text.strip_prefix('-') {
        let n = unsigned(rest)?;
        return if n == 1 << 63 { Some(i64::MIN) } else { i64::try_from(n).ok().map(|n| -n) };
    }
    i64::try_from(unsigned(text.strip_prefix('+').unwrap_or(text))?).ok()
}

/// An unsigned whole number in Go's bases.
pub fn unsigned(text: &str) -> Option<u64> {
    let (radix, digits) = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, text.get(2..)?),
        [b'0', b'b' | b'B', ..] => (2, text.get(2..)?),
        [b'0', b'o' | b'O', ..] => (8, text.get(2..)?),
        [b'0', _, ..] => (8, text.get(1..)?),
        _ => (10, text),
    };
    if digits.is_empty() || !underscores_are_fine(digits, radix != 10) {
        return None;
    }
    let digits = digits.replace('_', "");
    if digits.starts_with(['+', '-']) {
        return None;
    }
    u64::from_str_radix(&digits, radix).ok()
}

fn underscores_are_fine(digits: &str, after_prefix: bool) -> bool {
    !(digits.ends_with('_') || digits.contains("__") || (!after_prefix && digits.starts_with('_')))
}

/// A decimal or hexadecimal float, as Go's `ParseFloat` reads a literal.
pub fn float_literal(text: &str) -> Option<f64> {
    let body = text.trim_start_matches(['+', '-']);
    if let Some(hex) = body.strip_prefix("0x").or_else(|| body.strip_prefix("0X")) {
        let (mantissa, exponent) = hex.split_once(['p', 'P'])?;
        let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let mut value = 0.0f64;
        for c in whole.chars() {
            value = value * 16.0 + f64::from(c.to_digit(16)?);
        }
        let mut scale = 1.0 / 16.0;
        for c in part.chars() {
            value += f64::from(c.to_digit(16)?) * scale;
            scale /= 16.0;
        }
        let exponent: i32 = exponent.parse().ok()?;
        let value = value * 2f64.powi(exponent);
        return Some(if text.starts_with('-') { -value } else { value });
    }
    let plain = text.replace('_', "");
    if !plain.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E')) {
        return None;
    }
    let f: f64 = plain.parse().ok()?;
    f.is_finite().then_some(f)
}

fn character(text: &str) -> Option<char> {
    let inner = text.strip_prefix('\'')?.strip_suffix('\'')?;
    let unquoted = unescape(inner, '\'')?;
    let mut chars = unquoted.chars();
    let c = chars.next()?;
    chars.next().is_none().then_some(c)
}

/// The text of a string literal with its quotes, interpreted or raw.
pub fn string(text: &str) -> Option<Arc<str>> {
    if let Some(raw) = text.strip_prefix('`').and_then(|t| t.strip_suffix('`')) {
        return Some(raw.replace('\r', "").into());
    }
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    unescape(inner, '"').map(Into::into)
}

/// Resolves Go's escapes. Bytes that are no UTF-8 become the replacement character.
fn unescape(inner: &str, quote: char) -> Option<String> {
    if !inner.contains('\\') {
        return Some(inner.to_owned());
    }
    let mut out: Vec<u8> = Vec::with_capacity(inner.len());
    let mut chars = inner.chars().peekable();
    let mut buffer = [0u8; 4];
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
            continue;
        }
        let push = |c: char, out: &mut Vec<u8>| out.extend_from_slice(c.encode_utf8(&mut [0u8; 4]).as_bytes());
        match chars.next()? {
            'a' => out.push(7),
            'b' => out.push(8),
            'f' => out.push(12),
            'n' => out.push(b'\n'),
            'r' => out.push(b'\r'),
            't' => out.push(b'\t'),
            'v' => out.push(11),
            '\\' => out.push(b'\\'),
            q @ ('\'' | '"') if q == quote => push(q, &mut out),
            'x' => out.push(u8::try_from(digits(&mut chars, 2, 16)?).ok()?),
            'u' => push(char::from_u32(digits(&mut chars, 4, 16)?)?, &mut out),
            'U' => push(char::from_u32(digits(&mut chars, 8, 16)?)?, &mut out),
            first @ '0'..='7' => {
                let mut n = first.to_digit(8)?;
                for _ in 0..2 {
                    n = n * 8 + chars.next()?.to_digit(8)?;
                }
                out.push(u8::try_from(n).ok()?);
            }
            _ => return None,
        }
    }
    Some(String::from_utf8(out).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned()))
}

fn digits(chars: &mut impl Iterator<Item = char>, count: usize, radix: u32) -> Option<u32> {
    let mut n = 0u32;
    for _ in 0..count {
        n = n.checked_mul(radix)?.checked_add(chars.next()?.to_digit(radix)?)?;
    }
    Some(n)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn numbers_in_every_base() {
        let int = |t: &str| number(t).unwrap().int;
        assert_eq!(int("1_000"), Some(1000));
        assert_eq!(int("0x1F"), Some(31));
        assert_eq!(int("0644"), Some(420));
        assert_eq!(int("0b11"), Some(3));
        assert_eq!(int("-7"), Some(-7));
        assert_eq!(int("'a'"), Some(97));
        assert_eq!(int("1e3"), Some(1000));
        assert!(number("1e3").unwrap().written_as_float);
        assert_eq!(number("1.5").unwrap().int, None);
        assert!(number("08").is_none());
        assert!(number("1__0").is_none());
    }

    #[test]
    fn strings_with_escapes() {
        assert_eq!(&*string(r#""a\n\u00fc\x41\101\"""#).unwrap(), "a\nüAA\"");
        assert_eq!(&*string("`a\\n`").unwrap(), "a\\n");
        assert!(string(r#""\q""#).is_none());
        assert!(string(r#""\'""#).is_none());
    }
}
