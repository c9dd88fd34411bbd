//! Regular expressions in RE2's syntax.

use super::super::exec::{Executed, Failure};
use super::super::value::Value;
use super::{Row, number, text};
use regex::{NoExpand, Regex, RegexBuilder};

/// The table of this file.
pub const ROWS: &[Row] = &[
    ("regexMatch", "ss", |_, a| Ok(compile(a).is_ok_and(|r| r.is_match(text(a, 1))).into())),
    ("mustRegexMatch", "ss", |_, a| Ok(compile(a)?.is_match(text(a, 1)).into())),
    ("regexFind", "ss", |_, a| find(a)),
    ("mustRegexFind", "ss", |_, a| find(a)),
    ("regexFindAll", "ssi", |_, a| find_all(a)),
    ("mustRegexFindAll", "ssi", |_, a| find_all(a)),
    ("regexReplaceAll", "sss", |_, a| Ok(compile(a)?.replace_all(text(a, 1), text(a, 2)).into_owned().into())),
    ("mustRegexReplaceAll", "sss", |_, a| Ok(compile(a)?.replace_all(text(a, 1), text(a, 2)).into_owned().into())),
    ("regexReplaceAllLiteral", "sss", |_, a| literal(a)),
    ("mustRegexReplaceAllLiteral", "sss", |_, a| literal(a)),
    ("regexSplit", "ssi", |_, a| split(a)),
    ("mustRegexSplit", "ssi", |_, a| split(a)),
    ("regexQuoteMeta", "s", |_, a| {
        let mut out = String::new();
        for c in text(a, 0).chars() {
            if r"\.+*?()|[]{}^$".contains(c) {
                out.push('\\');
            }
            out.push(c);
        }
        Ok(out.into())
    }),
];

/// Compiles a pattern of RE2.
pub fn build(pattern: &str) -> Result<Regex, String> {
    RegexBuilder::new(&translate(pattern))
        .size_limit(4 << 20)
        .build()
        .map_err(|e| format!("error parsing regexp: {}", e.to_string().lines().last().unwrap_or("").trim()))
}

fn compile(a: &[Value]) -> Executed<Regex> {
    build(text(a, 0)).map_err(Failure::new)
}

/// RE2's spelling in that of the crate: the short classes are ASCII there, and a bracket in a class needs no escape.
fn translate(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut chars = pattern.chars().peekable();
    let mut class = 0usize;
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('d') => out.push_str(if class > 0 { "0-9" } else { "[0-9]" }),
                Some('D') => out.push_str("[^0-9]"),
                Some('w') => out.push_str(if class > 0 { "0-9A-Za-z_" } else { "[0-9A-Za-z_]" }),
                Some('W') => out.push_str("[^0-9A-Za-z_]"),
                Some('s') => out.push_str(if class > 0 { r"\t\n\f\r " } else { r"[\t\n\f\r ]" }),
                Some('S') => out.push_str(r"[^\t\n\f\r ]"),
                Some('b') => out.push_str(r"(?-u:\b)"),
                Some('B') => out.push_str(r"(?-u:\B)"),
                Some('Q') => {
                    let mut quoted = String::new();
                    while let Some(c) = chars.next() {
                        if c == '\\' && chars.peek() == Some(&'E') {
                            chars.next();
                            break;
                        }
                        quoted.push(c);
                    }
                    out.push_str(&regex::escape(&quoted));
                }
                Some(other) => {
                    out.push('\\');
                    out.push(other);
                }
                None => out.push('\\'),
            },
            '[' if class == 0 => {
                class = 1;
                out.push('[');
                if chars.peek() == Some(&'^') {
                    out.push('^');
                    chars.next();
                }
                if chars.peek() == Some(&']') {
                    out.push_str(r"\]");
                    chars.next();
                }
            }
            '[' if chars.peek() == Some(&':') => {
                out.push('[');
                for c in chars.by_ref() {
                    out.push(c);
                    if c == ']' {
                        break;
                    }
                }
            }
            '[' => out.push_str(r"\["),
            '&' | '~' if class > 0 => {
                out.push('\\');
                out.push(c);
            }
            ']' if class > 0 => {
                class = 0;
                out.push(']');
            }
            c => out.push(c),
        }
    }
    out
}

fn find(a: &[Value]) -> Executed<Value> {
    Ok(compile(a)?.find(text(a, 1)).map_or("", |m| m.as_str()).into())
}

fn limit(n: i64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

fn find_all(a: &[Value]) -> Executed<Value> {
    let found = compile(a)?;
    Ok(Value::strings(found.find_iter(text(a, 1)).take(limit(number(a, 2))).map(|m| m.as_str())))
}

fn literal(a: &[Value]) -> Executed<Value> {
    Ok(compile(a)?.replace_all(text(a, 1), NoExpand(text(a, 2))).into_owned().into())
}

fn split(a: &[Value]) -> Executed<Value> {
    let (s, n) = (text(a, 1), number(a, 2));
    if n == 0 {
        return Ok(Value::strings(Vec::<Value>::new()));
    }
    Ok(Value::strings(compile(a)?.splitn(s, limit(n)).map(Value::from)))
}
