//! Text. What counts as a character is a grapheme cluster, except where Go's own functions are at work.

use super::{FnCall, FnResult, fail, fail_arg, regexes};
use crate::formats::terraform::eval::{Type, Val};
use unicode_segmentation::UnicodeSegmentation;

pub fn chomp(call: &FnCall<'_, '_>) -> FnResult {
    Ok(Val::string(call.text(0).trim_end_matches(['\n', '\r'])))
}

/// The text before what is unknown.
fn known_prefix<'a>(call: &FnCall<'a, '_>) -> Option<&'a str> {
    call.arg(0).as_unknown()?.prefix.as_deref()
}

pub fn startswith(call: &FnCall<'_, '_>) -> FnResult {
    let wanted = call.text(1);
    if let Some(text) = call.arg(0).as_str() {
        return Ok(Val::bool(text.starts_with(wanted)));
    }
    Ok(match known_prefix(call) {
        _ if wanted.is_empty() => Val::bool(true),
        Some(prefix) if prefix.starts_with(wanted) => Val::bool(true),
        // Where less is known than is asked for, Terraform waits, also where it need not.
        Some(prefix) if prefix.len() >= wanted.len() => Val::bool(false),
        _ => call.unknown(Type::Bool).not_null(),
    })
}

pub fn endswith(call: &FnCall<'_, '_>) -> FnResult {
    match call.arg(0).as_str() {
        Some(text) => Ok(Val::bool(text.ends_with(call.text(1)))),
        None => match call.arg(0).as_unknown().and_then(|u| u.suffix.as_ref()) {
            Some(end) if end.ends_with(call.text(1)) => Ok(Val::bool(true)),
            _ => Ok(call.unknown(Type::Bool).not_null()),
        },
    }
}

pub fn strcontains(call: &FnCall<'_, '_>) -> FnResult {
    Ok(Val::bool(call.text(0).contains(call.text(1))))
}

pub fn indent(call: &FnCall<'_, '_>) -> FnResult {
    let Ok(spaces) = usize::try_from(call.int(0)?) else {
        return fail_arg(0, "the number of spaces must not be negative");
    };
    let text = call.text(1);
    call.check_length(text.matches('\n').count().saturating_mul(spaces).saturating_add(text.len()))?;
    Ok(Val::string(text.replace('\n', &format!("\n{}", " ".repeat(spaces)))))
}

pub fn join(call: &FnCall<'_, '_>) -> FnResult {
    let separator = call.text(0);
    let lists = call.args.get(1..).unwrap_or_default();
    if lists.is_empty() {
        return fail("at least one list is required");
    }
    if lists.iter().any(|l| !l.is_wholly_known()) {
        return Ok(call.unknown(Type::String).not_null());
    }
    let mut out = String::new();
    let mut first = true;
    for (i, list) in lists.iter().enumerate() {
        for item in list.items().unwrap_or_default() {
            let Some(text) = item.as_str() else {
                return fail_arg(i + 1, "a null element cannot be joined");
            };
            if !first {
                out.push_str(separator);
            }
            first = false;
            out.push_str(text);
            call.check_length(out.len())?;
        }
    }
    Ok(Val::string(out))
}

/// One character in another case, where it stays one character, as Go maps it.
fn simple(c: char, mut mapped: impl Iterator<Item = char>) -> char {
    match (mapped.next(), mapped.next()) {
        (Some(one), None) => one,
        _ => c,
    }
}

fn lower_char(c: char) -> char {
    if c == 'İ' { 'i' } else { simple(c, c.to_lowercase()) }
}

pub fn lower(call: &FnCall<'_, '_>) -> FnResult {
    Ok(Val::string(call.text(0).chars().map(lower_char).collect::<String>()))
}

pub fn upper(call: &FnCall<'_, '_>) -> FnResult {
    Ok(Val::string(call.text(0).chars().map(|c| simple(c, c.to_uppercase())).collect::<String>()))
}

/// A letter at the start of a word: the same as a capital, except for the letters that are two in one.
fn title_char(c: char) -> char {
    match c {
        'Ǆ' | 'ǅ' | 'ǆ' => 'ǅ',
        'Ǉ' | 'ǈ' | 'ǉ' => 'ǈ',
        'Ǌ' | 'ǋ' | 'ǌ' => 'ǋ',
        'Ǳ' | 'ǲ' | 'ǳ' => 'ǲ',
        'ა'..='ჺ' | 'ჽ'..='ჿ' => c,
        _ => simple(c, c.to_uppercase()),
    }
}

pub fn title(call: &FnCall<'_, '_>) -> FnResult {
    let separates = |c: char| {
        if c.is_ascii() { !(c.is_ascii_alphanumeric() || c == '_') } else { !c.is_alphanumeric() && c.is_whitespace() }
    };
    let mut before = ' ';
    let text: String = call
        .text(0)
        .chars()
        .map(|c| {
            let mapped = if separates(before) { title_char(c) } else { c };
            before = c;
            mapped
        })
        .collect();
    Ok(Val::string(text))
}

pub fn replace(call: &FnCall<'_, '_>) -> FnResult {
    let (text, wanted, with) = (call.text(0), call.text(1), call.text(2));
    if wanted.len() > 1
        && let Some(pattern) = wanted.strip_prefix('/').and_then(|w| w.strip_suffix('/'))
    {
        return regexes::replace(call, text, pattern, with);
    }
    // Each place where the text is found grows by this much.
    let hits = if wanted.is_empty() { text.chars().count() + 1 } else { text.matches(wanted).count() };
    call.check_length(hits.saturating_mul(with.len()).saturating_add(text.len()))?;
    Ok(Val::string(text.replace(wanted, with)))
}

pub fn split(call: &FnCall<'_, '_>) -> FnResult {
    let (separator, text) = (call.text(0), call.text(1));
    let parts: Vec<Val> = if separator.is_empty() {
        text.graphemes(true).map(Val::string).collect()
    } else {
        text.split(separator).map(Val::string).collect()
    };
    call.spend(parts.len())?;
    Ok(Val::list(Type::String, parts))
}

pub fn strrev(call: &FnCall<'_, '_>) -> FnResult {
    Ok(Val::string(call.text(0).graphemes(true).rev().collect::<String>()))
}

pub fn substr(call: &FnCall<'_, '_>) -> FnResult {
    let text = call.text(0);
    let (offset, length) = (call.int(1)?, call.int(2)?);
    let starts: Vec<usize> = text.grapheme_indices(true).map(|(i, _)| i).chain([text.len()]).collect();
    let count = i64::try_from(starts.len() - 1).unwrap_or(i64::MAX);
    let from = if offset < 0 { (offset.saturating_add(count)).max(0) } else { offset };
    if from >= count || (length == 0 && offset >= 0) {
        return Ok(Val::string(""));
    }
    // From the end, a length of zero is no limit either.
    let to = if length <= 0 { count } else { from.saturating_add(length).min(count) };
    let at = |i: i64| usize::try_from(i).ok().and_then(|i| starts.get(i).copied()).unwrap_or(text.len());
    Ok(Val::string(&text[at(from)..at(to)]))
}

pub fn trim(call: &FnCall<'_, '_>) -> FnResult {
    let cutset = call.text(1);
    Ok(Val::string(call.text(0).trim_matches(|c| cutset.contains(c))))
}

pub fn trimprefix(call: &FnCall<'_, '_>) -> FnResult {
    let text = call.text(0);
    Ok(Val::string(text.strip_prefix(call.text(1)).unwrap_or(text)))
}

pub fn trimsuffix(call: &FnCall<'_, '_>) -> FnResult {
    let text = call.text(0);
    Ok(Val::string(text.strip_suffix(call.text(1)).unwrap_or(text)))
}

pub fn trimspace(call: &FnCall<'_, '_>) -> FnResult {
    Ok(Val::string(call.text(0).trim()))
}
