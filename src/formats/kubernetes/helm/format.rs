//! Go's `fmt`: how values are printed.

use super::exec::{Executed, Failure};
use super::origin::{Builder, Place, Text};
use super::value::{Data, IntType, Members, Object, Value};
use crate::formats::golang::push_go;

/// What an action puts out for a value. No value prints as a marker, which Helm erases at the end.
pub fn to_output(value: &Value) -> Executed<String> {
    match &value.data {
        Data::Missing | Data::Nil => Ok("<no value>".to_owned()),
        _ => Ok(display(value)),
    }
}

/// `%v`.
pub fn display(value: &Value) -> String {
    let mut out = String::new();
    write_value(&mut out, value, 0);
    out
}

/// sprig's text of a value: the text itself, else `%v`.
pub fn to_text(value: &Value) -> Text {
    match &value.data {
        Data::String(text) => text.clone(),
        Data::List(_, Members::Bytes) => bytes_to_string(value).into(),
        _ => display(value).into(),
    }
}

/// The string of a byte slice.
pub fn bytes_to_string(value: &Value) -> String {
    let bytes: Vec<u8> = value
        .as_list()
        .map(|l| {
            l.iter().filter_map(|v| if let Data::Int(n, _) = v.data { u8::try_from(n).ok() } else { None }).collect()
        })
        .unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn write_value(out: &mut String, value: &Value, depth: usize) {
    if depth > 100 {
        out.push_str("...");
        return;
    }
    match &value.data {
        Data::Missing | Data::Nil => out.push_str("<nil>"),
        Data::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Data::Int(n, IntType::Uint64) => out.push_str(&n.cast_unsigned().to_string()),
        Data::Int(n, _) => out.push_str(&n.to_string()),
        Data::Float(f) => out.push_str(&float_g(*f)),
        Data::String(text) => out.push_str(&text.s),
        Data::List(items, _) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(' ');
                }
                write_value(out, item, depth + 1);
            }
            out.push(']');
        }
        Data::Map(map) => {
            out.push_str("map[");
            for (i, (key, item)) in map.entries().iter().enumerate() {
                if i > 0 {
                    out.push(' ');
                }
                out.push_str(key);
                out.push(':');
                write_value(out, item, depth + 1);
            }
            out.push(']');
        }
        Data::Object(object) => match &**object {
            Object::Struct { fields, .. } => {
                out.push('{');
                for (i, (_, item)) in fields.iter().enumerate() {
                    if i > 0 {
                        out.push(' ');
                    }
                    write_value(out, item, depth + 1);
                }
                out.push('}');
            }
            Object::KubeVersion { version, .. } => out.push_str(version),
            Object::Semver { version, .. } => out.push_str(&version.to_string()),
            Object::ApiVersions(versions) => {
                out.push('[');
                out.push_str(&versions.join(" "));
                out.push(']');
            }
            Object::Files(files) => {
                out.push_str("map[");
                for (i, (name, file)) in files.iter().enumerate() {
                    if i > 0 {
                        out.push(' ');
                    }
                    out.push_str(name);
                    out.push_str(":[");
                    let bytes: Vec<String> = file.text.bytes().map(|b| b.to_string()).collect();
                    out.push_str(&bytes.join(" "));
                    out.push(']');
                }
                out.push(']');
            }
            Object::Time(time) => out.push_str(&super::dates::format_time(time, "2006-01-02 15:04:05 -0700 MST")),
            Object::Duration(n) => out.push_str(&super::dates::format_duration(*n)),
        },
    }
}

/// A float as `%g` and `%v` print it: the shortest digits that read back, with an exponent below 1e-4 and from 1e6 on.
pub fn float_g(f: f64) -> String {
    if f.is_nan() {
        return "NaN".to_owned();
    }
    if f.is_infinite() {
        return if f > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    if f == 0.0 {
        return if f.is_sign_negative() { "-0" } else { "0" }.to_owned();
    }
    let (digits, exponent) = shortest(f);
    let sign = if f < 0.0 { "-" } else { "" };
    if !(-4..EXPONENT_FROM).contains(&exponent) {
        return format!("{sign}{}", scientific(&digits, exponent, 'e'));
    }
    format!("{sign}{}", positional(&digits, exponent))
}

/// The exponent from which the shortest form is scientific.
const EXPONENT_FROM: i32 = 6;

/// The shortest digits of a number that read back as it, and the exponent of the first digit.
pub fn shortest(f: f64) -> (String, i32) {
    let text = format!("{:e}", f.abs());
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    (mantissa.replace('.', ""), exponent.parse().unwrap_or(0))
}

fn scientific(digits: &str, exponent: i32, e: char) -> String {
    let (first, rest) = digits.split_at(1.min(digits.len()));
    let point = if rest.is_empty() { "" } else { "." };
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{first}{point}{rest}{e}{sign}{:02}", exponent.abs())
}

fn positional(digits: &str, exponent: i32) -> String {
    if exponent < 0 {
        return format!("0.{}{digits}", "0".repeat(usize::try_from(-exponent - 1).unwrap_or(0)));
    }
    let whole = usize::try_from(exponent).unwrap_or(0) + 1;
    if digits.len() <= whole {
        format!("{digits}{}", "0".repeat(whole - digits.len()))
    } else {
        let (a, b) = digits.split_at(whole);
        format!("{a}.{b}")
    }
}

/// A float as Go's JSON encoder writes it.
pub fn float_json(f: f64) -> String {
    let magnitude = f.abs();
    if f == 0.0 {
        return if f.is_sign_negative() { "-0" } else { "0" }.to_owned();
    }
    let sign = if f < 0.0 { "-" } else { "" };
    let (digits, exponent) = shortest(f);
    if !(1e-6..1e21).contains(&magnitude) {
        let text = scientific(&digits, exponent, 'e');
        // The encoder cleans `e-09` to `e-9`.
        return format!("{sign}{}", text.replace("e-0", "e-"));
    }
    format!("{sign}{}", positional(&digits, exponent))
}

/// Go's `%q`: a quoted string with escapes.
pub fn quote(s: &str) -> String {
    let mut out = String::with_capacity(s.len() + 2);
    push_go(&mut out, s);
    out
}

/// A flag and width before a verb.
#[derive(Default, Clone, Copy)]
struct Verb {
    minus: bool,
    plus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

/// `printf`.
pub fn sprintf(format: &Text, format_place: Place, arguments: &[Value]) -> Executed<Text> {
    let mut out = Builder::default();
    let s = &*format.s;
    let bytes = s.as_bytes();
    let at = |i: usize| bytes.get(i).copied().unwrap_or(0);
    let mut i = 0;
    let mut next = 0usize;
    let mut reordered = false;
    while i < s.len() {
        let Some(percent) = s.get(i..).and_then(|r| r.find('%')) else {
            out.push_text(format, i..s.len(), format_place);
            break;
        };
        out.push_text(format, i..i + percent, format_place);
        i += percent + 1;
        let mut verb = Verb::default();
        loop {
            match at(i) {
                b'-' => {
                    verb.minus = true;
                    verb.zero = false;
                }
                b'+' => verb.plus = true,
                b'#' => verb.sharp = true,
                b' ' => verb.space = true,
                b'0' => verb.zero = !verb.minus,
                _ => break,
            }
            i += 1;
        }
        let index = |i: &mut usize, next: &mut usize, reordered: &mut bool| {
            if at(*i) == b'['
                && let Some(close) = s.get(*i..).and_then(|r| r.find(']'))
                && let Some(n) = s.get(*i + 1..*i + close).and_then(|t| t.parse::<usize>().ok())
            {
                *next = n.saturating_sub(1);
                *reordered = true;
                *i += close + 1;
            }
        };
        index(&mut i, &mut next, &mut reordered);
        if at(i) == b'*' {
            i += 1;
            if let Some(Value { data: Data::Int(n, _), .. }) = arguments.get(next) {
                verb.minus |= *n < 0;
                verb.width = usize::try_from(n.unsigned_abs()).ok();
            }
            next += 1;
        } else {
            verb.width = number(s, &mut i);
        }
        if at(i) == b'.' {
            i += 1;
            if at(i) == b'*' {
                i += 1;
                if let Some(Value { data: Data::Int(n, _), .. }) = arguments.get(next) {
                    verb.precision = usize::try_from(*n).ok();
                }
                next += 1;
            } else {
                verb.precision = Some(number(s, &mut i).unwrap_or(0));
            }
        }
        index(&mut i, &mut next, &mut reordered);
        if verb.width.unwrap_or(0) > 1_000_000 || verb.precision.unwrap_or(0) > 1_000_000 {
            return Err(Failure::new("the width in the format is too large"));
        }
        let Some(c) = s.get(i..).and_then(|r| r.chars().next()) else {
            out.push("%!(NOVERB)", format_place);
            break;
        };
        i += c.len_utf8();
        if c == '%' {
            out.push("%", format_place);
            continue;
        }
        let Some(argument) = arguments.get(next) else {
            out.push(&format!("%!{c}(MISSING)"), format_place);
            continue;
        };
        next += 1;
        if matches!(c, 's' | 'v')
            && verb.width.is_none()
            && verb.precision.is_none()
            && !verb.sharp
            && let Data::String(text) = &argument.data
        {
            out.push_all(text, argument.place);
            continue;
        }
        out.push(&pad(&one(c, argument, verb), verb, c), argument.place);
    }
    if !reordered && next < arguments.len() {
        let mut extra = String::from("%!(EXTRA ");
        for (i, argument) in arguments.iter().skip(next).enumerate() {
            if i > 0 {
                extra.push_str(", ");
            }
            if argument.is_nil() {
                extra.push_str("<nil>");
            } else {
                extra.push_str(&format!("{}={}", argument.type_name(), display(argument)));
            }
        }
        extra.push(')');
        out.push(&extra, format_place);
    }
    Ok(out.finish())
}

fn number(s: &str, i: &mut usize) -> Option<usize> {
    let digits = s.get(*i..)?.bytes().take_while(u8::is_ascii_digit).count();
    let n = s.get(*i..*i + digits)?.parse().ok();
    *i += digits;
    n
}

fn pad(text: &str, verb: Verb, c: char) -> String {
    let Some(width) = verb.width else { return text.to_owned() };
    let length = text.chars().count();
    if length >= width {
        return text.to_owned();
    }
    let fill = width - length;
    if verb.minus {
        return format!("{text}{}", " ".repeat(fill));
    }
    if verb.zero {
        let numeric = !matches!(c, 's' | 'q' | 'v' | 'T');
        if let Some(rest) = text.strip_prefix(['-', '+']).filter(|_| numeric || c == 'v') {
            let sign = text.get(..1).unwrap_or("");
            return format!("{sign}{}{rest}", "0".repeat(fill));
        }
        return format!("{}{text}", "0".repeat(fill));
    }
    format!("{}{text}", " ".repeat(fill))
}

fn one(c: char, value: &Value, mut verb: Verb) -> String {
    if c == 'v' {
        // There the sign asks for names of fields.
        verb.plus = false;
    }
    if c == 'T' {
        return value.type_name().to_owned();
    }
    match (&value.data, c) {
        (Data::Missing | Data::Nil, 'v') => "<nil>".to_owned(),
        (Data::Missing | Data::Nil, _) => format!("%!{c}(<nil>)"),
        (Data::Bool(b), 'v' | 't') => b.to_string(),
        (Data::Int(n, _), 'd' | 'v') => signed(*n, verb),
        (Data::Int(n, _), 'b') => radix(*n, 2, verb, "0b"),
        (Data::Int(n, _), 'o') => radix(*n, 8, verb, "0"),
        (Data::Int(n, _), 'O') => radix(*n, 8, Verb { sharp: true, ..verb }, "0o"),
        (Data::Int(n, _), 'x') => radix(*n, 16, verb, "0x"),
        (Data::Int(n, _), 'X') => radix(*n, 16, verb, "0x").to_uppercase(),
        (Data::Int(n, _), 'c') => u32::try_from(*n).ok().and_then(char::from_u32).unwrap_or('\u{fffd}').to_string(),
        (Data::Int(n, _), 'q') => {
            format!("'{}'", u32::try_from(*n).ok().and_then(char::from_u32).unwrap_or('\u{fffd}'))
        }
        (Data::Int(n, _), 'U') => format!("U+{n:04X}"),
        (Data::Float(f), 'v' | 'g' | 'G' | 'f' | 'F' | 'e' | 'E') => float_verb(*f, c, verb),
        (Data::String(text), 's' | 'v') => {
            if verb.sharp && c == 'v' {
                return quote(&text.s);
            }
            match verb.precision {
                Some(p) => text.s.chars().take(p).collect(),
                None => text.s.to_string(),
            }
        }
        (Data::String(text), 'q') => {
            if verb.sharp && !text.s.contains('`') {
                format!("`{}`", text.s)
            } else {
                quote(&text.s)
            }
        }
        (Data::String(text), 'x') => text.s.bytes().map(|b| format!("{b:02x}")).collect(),
        (Data::String(text), 'X') => text.s.bytes().map(|b| format!("{b:02X}")).collect(),
        (Data::List(_, Members::Bytes), 's') => bytes_to_string(value),
        (Data::List(items, _), _) => {
            let inner: Vec<String> = items.iter().map(|v| one(c, v, verb)).collect();
            format!("[{}]", inner.join(" "))
        }
        (Data::Map(map), 'v') if !verb.sharp => {
            let _ = map;
            display(value)
        }
        (Data::Map(map), _) => {
            let inner: Vec<String> = map
                .entries()
                .iter()
                .map(|(k, v)| format!("{}:{}", one(c, &Value::from(&**k), verb), one(c, v, verb)))
                .collect();
            format!("map[{}]", inner.join(" "))
        }
        (Data::Object(_), 'v' | 's') => display(value),
        _ => format!("%!{c}({}={})", value.type_name(), display(value)),
    }
}

fn signed(n: i64, verb: Verb) -> String {
    let sign = if n < 0 {
        "-"
    } else if verb.plus {
        "+"
    } else if verb.space {
        " "
    } else {
        ""
    };
    let digits = n.unsigned_abs().to_string();
    let zeros = verb.precision.unwrap_or(0).saturating_sub(digits.len());
    format!("{sign}{}{digits}", "0".repeat(zeros))
}

fn radix(n: i64, base: u32, verb: Verb, prefix: &str) -> String {
    let m = n.unsigned_abs();
    let digits = match base {
        2 => format!("{m:b}"),
        8 => format!("{m:o}"),
        _ => format!("{m:x}"),
    };
    let sign = if n < 0 { "-" } else { "" };
    format!("{sign}{}{digits}", if verb.sharp { prefix } else { "" })
}

fn float_verb(f: f64, c: char, verb: Verb) -> String {
    let mut text = match c {
        'f' | 'F' => format!("{f:.*}", verb.precision.unwrap_or(6)),
        'e' | 'E' => {
            let text = format!("{f:.*e}", verb.precision.unwrap_or(6));
            let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
            let exponent: i32 = exponent.parse().unwrap_or(0);
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{mantissa}e{sign}{:02}", exponent.abs())
        }
        _ => match verb.precision {
            None => float_g(f),
            Some(p) => {
                let p = p.max(1);
                let rounded: f64 = format!("{f:.*e}", p - 1).parse().unwrap_or(f);
                let (digits, exponent) = shortest(rounded);
                let sign = if f < 0.0 { "-" } else { "" };
                if rounded == 0.0 {
                    "0".to_owned()
                } else if exponent < -4 || exponent >= i32::try_from(p).unwrap_or(i32::MAX) {
                    format!("{sign}{}", scientific(&digits, exponent, 'e'))
                } else {
                    format!("{sign}{}", positional(&digits, exponent))
                }
            }
        },
    };
    if c.is_uppercase() {
        text = text.to_uppercase();
    }
    if verb.plus && !text.starts_with('-') && !text.starts_with('+') {
        text.insert(0, '+');
    }
    text
}
