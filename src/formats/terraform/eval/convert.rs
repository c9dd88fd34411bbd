//! Conversion of a value to a type, with the defaults of optional attributes.

use super::val::{Datum, Member, Seq, Table, Unknown};
use super::{Type, Val, sets, unify};
use crate::graph::Number;
use std::sync::Arc;

/// The value as one of the type `ty`; its parts keep their origins. The message says why it cannot be.
///
/// Optional attributes that are absent or null get their defaults, as the value of a variable does.
pub fn convert(val: &Val, ty: &Type) -> Result<Val, String> {
    let datum = match convert_datum(val, ty)? {
        Some(datum) => datum,
        None => return Ok(val.clone()),
    };
    Ok(Val { datum, origin: val.origin.clone(), marks: val.marks, refs: val.refs.clone() })
}

/// `None` where the value is of the type already.
fn convert_datum(val: &Val, ty: &Type) -> Result<Option<Datum>, String> {
    match (&val.datum, ty) {
        (_, Type::Any)
        | (Datum::Bool(_), Type::Bool)
        | (Datum::Number(_), Type::Number)
        | (Datum::String(_), Type::String) => return Ok(None),
        _ => {}
    }
    if matches!(val.datum, Datum::Null(_) | Datum::Unknown(_)) {
        return convert_absent(val, ty);
    }
    if let (Datum::Object(table), Type::Map(_) | Type::Object(_)) = (&val.datum, ty)
        && let Some(rest) = &table.rest
    {
        return Ok(Some(Datum::Unknown(Arc::new(Unknown::of(ty.plain(), rest.cause.clone())))));
    }
    if let Type::List(want) | Type::Set(want) | Type::Map(want) = ty
        && want.is_any()
        && let Some(cause) = undecided(val)
    {
        return Ok(Some(Datum::Unknown(Arc::new(Unknown::of(ty.plain(), cause)))));
    }
    Ok(Some(match (&val.datum, ty) {
        (Datum::Bool(b), Type::String) => Datum::String(if *b { "true" } else { "false" }.into()),
        (Datum::Number(n), Type::String) => Datum::String(n.to_string().into()),
        (Datum::String(s), Type::Number) => {
            Datum::Number(Number::parse(s).ok_or_else(|| "a number is required".to_owned())?)
        }
        (Datum::String(s), Type::Bool) => match &**s {
            "true" | "1" => Datum::Bool(true),
            "false" | "0" => Datum::Bool(false),
            _ => {
                return Err(format!(
                    "cannot convert {s:?} to bool; only the strings \"true\" or \"false\" are allowed"
                ));
            }
        },
        (Datum::List(seq), Type::List(want)) if seq.elem == **want && !carries_defaults(want) => return Ok(None),
        (Datum::Set(seq), Type::Set(want)) if seq.elem == **want && !carries_defaults(want) => return Ok(None),
        (Datum::Map(table), Type::Map(want)) if table.elem == **want && !carries_defaults(want) => return Ok(None),
        // Members that are not known yet may turn out to be one: how long the list is, and in which order, is open.
        (Datum::Set(seq), Type::List(want))
            if seq.items.len() > 1 && seq.items.iter().any(|item| !item.is_wholly_known()) =>
        {
            let cause = seq.items.iter().find_map(Val::find_unknown).map(|unknown| unknown.cause.clone());
            let elem = if want.is_any() { seq.elem.clone() } else { want.plain() };
            let mut unknown = Unknown::of(Type::list(elem), cause.unwrap_or_else(super::access::sample_cause));
            (unknown.not_null, unknown.min_len, unknown.max_len) = (true, 1, seq.items.len());
            Datum::Unknown(Arc::new(unknown))
        }
        (Datum::List(_) | Datum::Set(_) | Datum::Tuple(_), Type::List(want)) => {
            Datum::List(Arc::new(convert_items(val, want, ty)?))
        }
        (Datum::List(_) | Datum::Set(_) | Datum::Tuple(_), Type::Set(want)) => {
            let mut seq = convert_items(val, want, ty)?;
            sets::normalize(&mut seq.items);
            Datum::Set(Arc::new(seq))
        }
        (Datum::Tuple(items), Type::Tuple(want)) if items.len() == want.len() => {
            let converted: Result<Vec<Val>, String> =
                items.iter().zip(want.iter()).map(|(item, want)| convert(item, want)).collect();
            Datum::Tuple(Arc::new(converted?))
        }
        (Datum::Tuple(_), Type::Tuple(want)) => return Err(format!("a tuple of {} elements is required", want.len())),
        (Datum::Map(table) | Datum::Object(table), Type::Map(want)) => {
            let want = if want.is_any() {
                common_type(table.entries.iter().map(|m| &m.val), ty, val)?
            } else {
                (**want).clone()
            };
            let mut entries = Vec::with_capacity(table.entries.len());
            for m in &table.entries {
                let converted = convert(&m.val, &want).map_err(|e| format!("element {:?}: {e}", m.key))?;
                entries.push(Member { key: m.key.clone(), key_span: m.key_span, val: converted });
            }
            let elem = settle(&want, entries.iter_mut().map(|m| &mut m.val))?;
            Datum::Map(Arc::new(Table { elem, entries, rest: None }))
        }
        (Datum::Map(table) | Datum::Object(table), Type::Object(_)) => {
            Datum::Object(Arc::new(convert_object(table, ty)?))
        }
        (datum, _) => {
            // Messages of Terraform ask for the wanted type where the kinds differ.
            let _ = datum;
            return Err(match ty {
                Type::List(_) | Type::Set(_) | Type::Map(_) => format!("{ty} required"),
                _ => format!("{} required", ty.kind_name()),
            });
        }
    }))
}

/// Conversion of null and unknown values goes by the type alone.
fn convert_absent(val: &Val, ty: &Type) -> Result<Option<Datum>, String> {
    let have = val.ty();
    if have == *ty {
        return Ok(None);
    }
    if !have.converts_to(ty) {
        return Err(format!("{ty} required"));
    }
    // Where the wanted type leaves a part open, the value's own type fills it.
    let ty = ty.fill(&have);
    Ok(Some(match &val.datum {
        Datum::Unknown(unknown) => {
            let keeps_length = have.is_collection() && ty.is_collection();
            let same = have == ty;
            let mut new = Unknown::of(ty, unknown.cause.clone());
            new.not_null = unknown.not_null;
            if keeps_length {
                (new.min_len, new.max_len) = (unknown.min_len, unknown.max_len);
                if matches!(new.ty, Type::Set(_)) && matches!(have, Type::List(_)) {
                    new.min_len = new.min_len.min(1);
                }
            }
            if same {
                new = (**unknown).clone();
            }
            Datum::Unknown(Arc::new(new))
        }
        _ => Datum::Null(ty),
    }))
}

fn convert_items(val: &Val, want: &Type, whole: &Type) -> Result<Seq, String> {
    let items = val.items().unwrap_or_default();
    let want = if want.is_any() { common_type(items.iter(), whole, val)? } else { want.clone() };
    // An empty list has a type as well.
    if let Datum::List(seq) | Datum::Set(seq) = &val.datum
        && items.is_empty()
        && !seq.elem.converts_to(&want)
    {
        return Err(format!("{} required", want.kind_name()));
    }
    let mut converted = Vec::with_capacity(items.len());
    for (i, item) in items.iter().enumerate() {
        converted.push(convert(item, &want).map_err(|e| format!("element {i}: {e}"))?);
    }
    let elem = settle(&want, converted.iter_mut())?;
    Ok(Seq { elem, items: converted })
}

/// The type for the members of a collection of any single type.
fn common_type<'a>(items: impl Iterator<Item = &'a Val>, whole: &Type, val: &Val) -> Result<Type, String> {
    let elem = match &val.datum {
        Datum::List(seq) | Datum::Set(seq) => return Ok(seq.elem.clone()),
        Datum::Map(table) => return Ok(table.elem.clone()),
        _ => {
            let types: Vec<Type> = items.map(Val::ty).collect();
            if types.is_empty() { Some(Type::Any) } else { unify_members(&types) }
        }
    };
    elem.ok_or_else(|| format!("cannot convert {} to {} of any single type", val.ty().kind_name(), whole.kind_name()))
}

/// Why it is open whether the members of a tuple or object are of one type: next to one that has a structure stands one
/// of which nothing is known.
fn undecided(val: &Val) -> Option<Arc<crate::graph::Cause>> {
    if !matches!(val.datum, Datum::Tuple(_) | Datum::Object(_)) {
        return None;
    }
    let open = val.children().filter_map(Val::as_unknown).find(|unknown| unknown.ty.is_any())?;
    let structured = val.children().any(|child| !child.ty().is_primitive() && !child.ty().is_any());
    structured.then(|| open.cause.clone())
}

/// As [`unify`], where members of unknown type follow the others.
fn unify_members(types: &[Type]) -> Option<Type> {
    let known: Vec<Type> = types.iter().filter(|t| !t.is_any()).cloned().collect();
    if known.is_empty() { Some(Type::Any) } else { unify(&known) }
}

/// Where a type was left open inside (`list(object({a = any}))`), the members decide it, and must agree.
fn settle<'a>(want: &Type, items: impl Iterator<Item = &'a mut Val>) -> Result<Type, String> {
    if !want.has_any() {
        return Ok(want.plain());
    }
    let items: Vec<&mut Val> = items.collect();
    let types: Vec<Type> = items.iter().map(|v| v.ty()).collect();
    if types.is_empty() {
        return Ok(want.plain());
    }
    let elem = unify_members(&types).ok_or_else(|| "all elements must have the same type".to_owned())?;
    for item in items {
        if item.ty() != elem {
            *item = convert(item, &elem)?;
        }
    }
    Ok(elem)
}

fn convert_object(table: &Table, ty: &Type) -> Result<Table, String> {
    let attrs = ty.attrs().unwrap_or_default();
    let mut entries = Vec::with_capacity(attrs.len());
    for attr in attrs {
        let (key_span, converted) = match table.member(&attr.name) {
            Some(m) if !(m.val.is_null() && attr.default.is_some()) => {
                let converted = convert(&m.val, &attr.ty).map_err(|e| format!("attribute {:?}: {e}", attr.name))?;
                (m.key_span, converted)
            }
            found => {
                let span = found.map_or(crate::base::Span::NONE, |m| m.key_span);
                match &attr.default {
                    Some(default) => (span, (**default).clone()),
                    None if attr.optional => (span, Val::new(Datum::Null(attr.ty.plain()))),
                    None => return Err(format!("attribute {:?} is required", attr.name)),
                }
            }
        };
        entries.push(Member { key: attr.name.clone(), key_span, val: converted });
    }
    Ok(Table { elem: Type::Any, entries, rest: None })
}

/// Whether a conversion to the type may fill in defaults, so that it cannot be skipped.
fn carries_defaults(ty: &Type) -> bool {
    match ty {
        Type::List(elem) | Type::Set(elem) | Type::Map(elem) => carries_defaults(elem),
        Type::Tuple(items) => items.iter().any(carries_defaults),
        Type::Object(attrs) => attrs.iter().any(|a| a.default.is_some() || carries_defaults(&a.ty)),
        _ => false,
    }
}

impl Type {
    /// The type with its open parts taken from `have`, without optional attributes.
    fn fill(&self, have: &Type) -> Type {
        match (self, have) {
            (Type::Any, _) => have.clone(),
            (Type::List(want), Type::List(have) | Type::Set(have)) => Type::list(want.fill(have)),
            (Type::Set(want), Type::List(have) | Type::Set(have)) => Type::set(want.fill(have)),
            (Type::Map(want), Type::Map(have)) => Type::map(want.fill(have)),
            (Type::List(want), Type::Tuple(items)) if want.is_any() => Type::list(unify(items).unwrap_or_default()),
            (Type::Set(want), Type::Tuple(items)) if want.is_any() => Type::set(unify(items).unwrap_or_default()),
            (Type::Tuple(want), Type::Tuple(have)) => {
                Type::Tuple(want.iter().zip(have.iter()).map(|(w, h)| w.fill(h)).collect())
            }
            (Type::Object(want), Type::Object(_)) => Type::object(
                want.iter()
                    .map(|w| (w.name.clone(), have.attr(&w.name).map_or_else(|| w.ty.plain(), |h| w.ty.fill(&h.ty)))),
            ),
            _ => self.plain(),
        }
    }
}
