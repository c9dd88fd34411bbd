//! The functions of Terraform's own provider, `provider::terraform::…`: values as text in Terraform's language and back.

use super::{FnCall, FnResult, fail, fail_arg, fail_unknown};
use crate::base::FileId;
use crate::formats::golang;
use crate::formats::terraform::eval::{Datum, Empty, Member, Type, Val, try_eval};
use crate::graph::CauseKind;
use crate::syntax::hcl;
use std::sync::Arc;

/// How deep values may nest.
const MAX_DEPTH: usize = 64;

/// Why a value cannot be written.
enum Unwritten {
    /// Terraform would write it in a way that is not followed here.
    Unsupported(&'static str),
    /// It nests too deep.
    Deep,
}

pub fn encode_expr(call: &FnCall<'_, '_>) -> FnResult {
    let val = call.arg(0);
    if !val.is_wholly_known() {
        return Ok(call.unknown(Type::String).not_null());
    }
    let mut out = String::new();
    finish(write(val, 0, 0, &mut out), out)
}

pub fn encode_tfvars(call: &FnCall<'_, '_>) -> FnResult {
    let val = call.arg(0);
    if !val.is_wholly_known() {
        return Ok(call.unknown(Type::String).not_null());
    }
    let Some(table) = val.table() else {
        return fail_arg(0, "it must be an object whose attributes are named like variables");
    };
    if let Some(member) = table.entries.iter().find(|m| !is_identifier(&m.key)) {
        return fail_arg(0, format!("{:?} cannot be the name of a variable", member.key));
    }
    let mut out = String::new();
    let written = members(&table.entries, 0, 0, &mut out);
    finish(written, out)
}

pub fn decode_tfvars(call: &FnCall<'_, '_>) -> FnResult {
    let parsed = hcl::parse(call.text(0), FileId::NONE);
    if let Some(error) = parsed.errors.first() {
        return fail_arg(0, format!("the text is no variable file: {}", error.message));
    }
    if parsed.file.body.blocks().next().is_some() {
        return fail_arg(0, "a variable file has no blocks");
    }
    let mut entries: Vec<Member> = Vec::new();
    for attribute in parsed.file.body.attributes() {
        let key = attribute.name.text.clone();
        if entries.iter().any(|m| m.key == key) {
            return fail_arg(0, format!("`{key}` is set twice"));
        }
        match try_eval(&attribute.value, &Empty) {
            Ok(val) => entries.push(Member { key, key_span: crate::base::Span::NONE, val }),
            Err(error) if error.kind == CauseKind::Error => return fail_arg(0, error.message),
            Err(error) => return fail_unknown(error.kind, error.message),
        }
    }
    Ok(Val::object(entries))
}

fn finish(written: Result<(), Unwritten>, text: String) -> FnResult {
    match written {
        Ok(()) => Ok(Val::string(text)),
        Err(Unwritten::Unsupported(what)) => fail_unknown(CauseKind::Unsupported, what),
        Err(Unwritten::Deep) => fail("the value nests too deep"),
    }
}

fn write(val: &Val, indent: usize, depth: usize, out: &mut String) -> Result<(), Unwritten> {
    if depth > MAX_DEPTH {
        return Err(Unwritten::Deep);
    }
    match &val.datum {
        Datum::Null(_) => out.push_str("null"),
        Datum::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Datum::Number(n) => out.push_str(&n.to_string()),
        Datum::String(text) => quote(text, out),
        Datum::List(_) | Datum::Set(_) | Datum::Tuple(_) => {
            out.push('[');
            for (i, item) in val.items().unwrap_or_default().iter().enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                let start = out.len();
                write(item, indent, depth + 1, out)?;
                let more = val.items().is_some_and(|items| i + 1 < items.len());
                if more && out.get(start..).is_some_and(|written| written.contains('\n')) {
                    return Err(Unwritten::Unsupported("the layout of objects in a list is not followed here"));
                }
            }
            out.push(']');
        }
        Datum::Map(table) | Datum::Object(table) if table.entries.is_empty() => out.push_str("{}"),
        Datum::Map(table) | Datum::Object(table) => {
            out.push_str("{\n");
            members(&table.entries, indent + 2, depth + 1, out)?;
            out.extend(std::iter::repeat_n(' ', indent));
            out.push('}');
        }
        Datum::Unknown(_) => return Err(Unwritten::Unsupported("the value is not known")),
    }
    Ok(())
}

/// Attributes, a line each where they have room on it; the equals signs of such lines stand below each other.
fn members(entries: &[Member], indent: usize, depth: usize, out: &mut String) -> Result<(), Unwritten> {
    let mut lines: Vec<(String, String)> = Vec::with_capacity(entries.len());
    for member in entries {
        let mut key = String::new();
        match is_identifier(&member.key) {
            // The formatter takes it for the beginning of a for expression.
            true if &*member.key == "for" => {
                return Err(Unwritten::Unsupported("an attribute that is named `for`"));
            }
            true => key.push_str(&member.key),
            false => quote(&member.key, &mut key),
        }
        let mut value = String::new();
        write(&member.val, indent, depth, &mut value)?;
        lines.push((key, value));
    }
    for group in lines.chunk_by(|a, b| !a.1.contains('\n') && !b.1.contains('\n')) {
        let width = group.iter().map(|(key, _)| key.len()).max().unwrap_or(0);
        if group.len() > 1 && !group.iter().all(|(key, _)| key.is_ascii()) {
            return Err(Unwritten::Unsupported("the width of characters is not followed here"));
        }
        for (key, value) in group {
            out.extend(std::iter::repeat_n(' ', indent));
            out.push_str(key);
            out.extend(std::iter::repeat_n(' ', width.saturating_sub(key.len())));
            out.push_str(" = ");
            out.push_str(value);
            out.push('\n');
        }
    }
    Ok(())
}

fn quote(text: &str, out: &mut String) {
    let mut chars = text.chars().peekable();
    let mut escaped = String::with_capacity(text.len());
    while let Some(c) = chars.next() {
        escaped.push(c);
        // The beginning of an interpolation is doubled.
        if matches!(c, '$' | '%') && chars.peek() == Some(&'{') {
            escaped.push(c);
        }
    }
    golang::push_quoted(out, &escaped, |c, out| match c {
        c if golang::is_printable(c) => false,
        c if u32::from(c) <= 0xffff => golang::push_unicode(out, c),
        c => golang::push(out, &format!("\\U{:08x}", u32::from(c))),
    });
}

fn is_identifier(text: &Arc<str>) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && chars.all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}
