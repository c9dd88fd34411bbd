//! `regex`, `regexall` and `replace` with a pattern: Go's syntax (RE2), matched by the regex crate.

use super::{FnCall, FnError, FnResult, fail, fail_arg};
use crate::base::{FastMap, Span};
use crate::formats::terraform::eval::val::Member;
use crate::formats::terraform::eval::{Datum, Type, Val};
use regex::{Captures, Regex};
use std::cell::RefCell;
use std::sync::Arc;

/// How many compiled patterns a thread keeps.
const MAX_CACHED: usize = 256;

thread_local! {
    static COMPILED: RefCell<FastMap<Arc<str>, Result<Regex, String>>> = RefCell::default();
}

fn compile(pattern: &str) -> Result<Regex, String> {
    COMPILED.with_borrow_mut(|cache| {
        if let Some(found) = cache.get(pattern) {
            return found.clone();
        }
        if cache.len() >= MAX_CACHED {
            cache.clear();
        }
        let compiled = translate(pattern)
            .and_then(|p| regex::RegexBuilder::new(&p).size_limit(4 << 20).build().map_err(|e| e.to_string()));
        cache.insert(pattern.into(), compiled.clone());
        compiled
    })
}

/// Go's syntax in the regex crate's, where the two read differently: classes such as `\d` and `\b` are ASCII in Go,
/// an escaped sign always stands for itself, and within brackets only `[:` opens another class.
fn translate(pattern: &str) -> Result<String, String> {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut chars = pattern.chars().peekable();
    let mut class = false;
    let mut class_start = false;
    // Whether the last sign was a repetition, which cannot be repeated, and whether `?` may still make it lazy.
    let mut repeated = false;
    let mut may_be_lazy = false;
    while let Some(c) = chars.next() {
        let count = c == '{' && {
            let rest: String = chars.clone().take(12).collect();
            rest.split_once('}').is_some_and(|(n, _)| {
                let (least, most) = n.split_once(',').unwrap_or((n, ""));
                !least.is_empty() && least.bytes().chain(most.bytes()).all(|b| b.is_ascii_digit())
            })
        };
        if !class && (matches!(c, '*' | '+' | '?') || count) {
            if repeated && !(c == '?' && may_be_lazy) {
                return Err("a repetition cannot be repeated".to_owned());
            }
            may_be_lazy = !repeated;
            repeated = true;
            if count {
                let digits: String = chars.clone().take_while(|&c| c != '}').collect();
                if digits.split(',').any(|n| n.parse::<u32>().is_ok_and(|n| n > 1000)) {
                    return Err("a repetition of more than 1000".to_owned());
                }
                out.push('{');
                for c in chars.by_ref() {
                    out.push(c);
                    if c == '}' {
                        break;
                    }
                }
                continue;
            }
        } else {
            repeated = false;
        }
        let at_start = std::mem::take(&mut class_start);
        match c {
            '\\' => {
                let Some(escaped) = chars.next() else { return Err("the pattern ends with a backslash".to_owned()) };
                match escaped {
                    'd' => out.push_str(if class { "0-9" } else { "[0-9]" }),
                    'w' => out.push_str(if class { "0-9A-Za-z_" } else { "[0-9A-Za-z_]" }),
                    's' => out.push_str(if class { "\\t\\n\\x0C\\r " } else { "[\\t\\n\\x0C\\r ]" }),
                    'D' => out.push_str("[^0-9]"),
                    'W' => out.push_str("[^0-9A-Za-z_]"),
                    'S' => out.push_str("[^\\t\\n\\x0C\\r ]"),
                    'b' if !class => out.push_str("(?-u:\\b)"),
                    // Between bytes that are not ASCII there is none either, which the crate does not allow to say.
                    'B' if !class => out.push_str("(?-u:\\B)"),
                    'Q' if !class => {
                        let rest: String = chars.by_ref().collect();
                        let (literal, after) = rest.split_once("\\E").unwrap_or((&rest, ""));
                        out.push_str(&regex::escape(literal));
                        return Ok(out + &translate(after)?);
                    }
                    'a' | 'f' | 't' | 'n' | 'r' | 'v' | 'x' | 'p' | 'P' => {
                        out.push('\\');
                        out.push(escaped);
                        // A name or a number in braces belongs to the escape, and is no count.
                        if matches!(escaped, 'p' | 'P' | 'x') && chars.peek() == Some(&'{') {
                            for c in chars.by_ref() {
                                out.push(c);
                                if c == '}' {
                                    break;
                                }
                            }
                        }
                    }
                    'A' | 'z' if !class => {
                        out.push('\\');
                        out.push(escaped);
                    }
                    '0'..='7' => {
                        // Octal: \0, \01, \123; \1 to \7 alone would be a reference back, which there is none of.
                        let mut digits = String::from(escaped);
                        while digits.len() < 3
                            && let Some(next) = chars.next_if(|c| ('0'..='7').contains(c))
                        {
                            digits.push(next);
                        }
                        if escaped != '0' && digits.len() < 2 {
                            return Err(format!("\\{escaped} is no escape sequence"));
                        }
                        let code = u32::from_str_radix(&digits, 8).unwrap_or(0);
                        out.push_str(&format!("\\x{{{code:X}}}"));
                    }
                    c if c.is_ascii() && !c.is_ascii_alphanumeric() => {
                        out.push_str(&format!("\\x{{{:X}}}", c as u32));
                    }
                    c => return Err(format!("\\{c} is no escape sequence")),
                }
            }
            '[' if !class => {
                class = true;
                class_start = true;
                out.push('[');
                if chars.next_if_eq(&'^').is_some() {
                    out.push('^');
                }
            }
            '[' => {
                // [[:alpha:]] is the same in both.
                let rest: String = chars.clone().take(16).collect();
                match rest.strip_prefix(':').and_then(|r| r.split_once(":]")) {
                    Some((name, _)) if name.chars().all(|c| c.is_ascii_alphabetic() || c == '^') => {
                        out.push_str(&format!("[:{name}:]"));
                        (0..name.len() + 3).for_each(|_| {
                            chars.next();
                        });
                    }
                    _ => out.push_str("\\["),
                }
            }
            ']' if class && at_start => out.push_str("\\]"),
            ']' if class => {
                class = false;
                out.push(']');
            }
            '&' | '~' | '#' | ' ' if class => {
                out.push('\\');
                out.push(c);
            }
            '-' if class => {
                // A dash that does not stand between two ends of a range is itself.
                let next = chars.peek().copied();
                if at_start || next == Some(']') {
                    out.push_str("\\-");
                } else {
                    out.push('-');
                }
            }
            '(' if !class && chars.peek() == Some(&'?') => {
                let rest: String = chars.clone().skip(1).take(12).collect();
                let flags = rest.split([':', ')', '<']).next().unwrap_or_default();
                if !rest.starts_with("P<") && !rest.starts_with('<') && flags.contains(|c| !"imsU-".contains(c)) {
                    return Err("unknown group".to_owned());
                }
                out.push('(');
            }
            // A brace that opens no count is itself.
            '{' if !class => out.push_str("\\{"),
            c => out.push(c),
        }
    }
    Ok(out)
}

fn pattern(call: &FnCall<'_, '_>) -> Result<Regex, FnError> {
    compile(call.text(0)).or_else(|e| fail_arg(0, format!("the pattern cannot be read: {e}")))
}

/// The type of what a pattern captures.
enum Shape {
    Whole,
    Tuple(usize),
    Object(Vec<Arc<str>>),
}

fn shape(regex: &Regex) -> Result<Shape, FnError> {
    let names: Vec<Option<&str>> = regex.capture_names().skip(1).collect();
    if names.is_empty() {
        return Ok(Shape::Whole);
    }
    let named: Vec<Arc<str>> = names.iter().flatten().map(|&n| Arc::from(n)).collect();
    match (named.len(), names.len()) {
        (0, count) => Ok(Shape::Tuple(count)),
        (n, count) if n == count => Ok(Shape::Object(named)),
        _ => fail_arg(0, "the groups must all have names, or none"),
    }
}

impl Shape {
    fn ty(&self) -> Type {
        match self {
            Shape::Whole => Type::String,
            Shape::Tuple(count) => Type::Tuple(vec![Type::String; *count].into()),
            Shape::Object(names) => {
                let mut names = names.clone();
                names.sort();
                Type::object(names.into_iter().map(|n| (n, Type::String)))
            }
        }
    }

    fn captured(&self, captures: &Captures<'_>) -> Val {
        let group = |i: usize| match captures.get(i) {
            Some(m) => Val::string(m.as_str()),
            None => Val::new(Datum::Null(Type::String)),
        };
        match self {
            Shape::Whole => group(0),
            Shape::Tuple(count) => Val::tuple((1..=*count).map(group).collect()),
            Shape::Object(names) => {
                let member = |(i, name): (usize, &Arc<str>)| Member {
                    key: name.clone(),
                    key_span: Span::NONE,
                    val: group(i + 1),
                };
                Val::object(names.iter().enumerate().map(member).collect())
            }
        }
    }
}

pub fn regex(call: &FnCall<'_, '_>) -> FnResult {
    let regex = pattern(call)?;
    let shape = shape(&regex)?;
    match regex.captures(call.text(1)) {
        Some(captures) => Ok(shape.captured(&captures)),
        None => fail("the pattern does not match the text"),
    }
}

pub fn regexall(call: &FnCall<'_, '_>) -> FnResult {
    let regex = pattern(call)?;
    let shape = shape(&regex)?;
    let mut found = Vec::new();
    for captures in regex.captures_iter(call.text(1)) {
        call.spend(1)?;
        found.push(shape.captured(&captures));
    }
    Ok(Val::list(shape.ty(), found))
}

/// `replace` with a pattern between slashes.
pub fn replace(call: &FnCall<'_, '_>, text: &str, pattern: &str, with: &str) -> FnResult {
    let regex = compile(pattern).or_else(|e| fail_arg(1, format!("the pattern cannot be read: {e}")))?;
    let mut out = String::with_capacity(text.len());
    let mut last = 0;
    for captures in regex.captures_iter(text) {
        let Some(whole) = captures.get(0) else { continue };
        out.push_str(&text[last..whole.start()]);
        captures.expand(with, &mut out);
        last = whole.end();
        call.check_length(out.len())?;
    }
    out.push_str(&text[last..]);
    Ok(Val::string(out))
}
