//! Lists, maps, objects and tuples.

use super::{FnCall, FnError, FnResult, fail, fail_arg};
use crate::base::{FastMap, FastSet, Span};
use crate::formats::terraform::eval::val::{Member, Seq, Table};
use crate::formats::terraform::eval::{Datum, Marks, Type, Val, convert, ops, unify};
use crate::graph::Number;
use std::sync::Arc;
use unicode_segmentation::UnicodeSegmentation;

/// Deeper nesting than this is not flattened.
const MAX_FLATTEN: usize = 200;

pub fn length(call: &FnCall<'_, '_>) -> FnResult {
    let val = call.arg(0);
    let count = match &val.datum {
        Datum::String(s) => s.graphemes(true).count(),
        Datum::List(seq) | Datum::Set(seq) => {
            // A set with unknown members may turn out to be smaller.
            if matches!(val.datum, Datum::Set(_)) && seq.items.len() > 1 && !val.is_wholly_known() {
                let most = Number::machine(i64::try_from(seq.items.len()).unwrap_or(i64::MAX));
                return Ok(call.unknown(Type::Number).not_null().refined(|u| {
                    u.min = Some(Number::Int(1));
                    u.max = Some(most);
                }));
            }
            seq.items.len()
        }
        Datum::Tuple(items) => items.len(),
        Datum::Object(table) if table.rest.is_some() => return Ok(call.unknown(Type::Number).not_null()),
        Datum::Map(table) | Datum::Object(table) => table.entries.len(),
        Datum::Unknown(unknown) => match &unknown.ty {
            Type::Tuple(items) => items.len(),
            Type::Object(attrs) => attrs.len(),
            Type::Bool | Type::Number => return fail_arg(0, "it must be a string, a collection or a structure"),
            _ => {
                let bound = |n: usize| i64::try_from(n).ok().map(Number::machine);
                let (min, max) = (bound(unknown.min_len), bound(unknown.max_len));
                if unknown.min_len == unknown.max_len {
                    unknown.min_len
                } else {
                    let refined = call.unknown(Type::Number).not_null().refined(|u| (u.min, u.max) = (min, max));
                    return Ok(refined);
                }
            }
        },
        _ => return fail_arg(0, "it must be a string, a collection or a structure"),
    };
    Ok(Val::count(count))
}

fn all_or_any(call: &FnCall<'_, '_>, stop: bool) -> FnResult {
    let val = call.arg(0);
    let Some(items) = val.items() else { return Ok(call.unknown(Type::Bool).not_null()) };
    let mut unknown = false;
    for item in items {
        match item.as_bool() {
            Some(b) if b == stop => return Ok(Val::bool(stop)),
            // Null counts as false.
            None if item.is_null() && !stop => return Ok(Val::bool(false)),
            None if !item.is_known() => unknown = true,
            _ => {}
        }
    }
    if unknown {
        return Ok(call.unknown(Type::Bool).not_null());
    }
    Ok(Val::bool(!stop))
}

pub fn alltrue(call: &FnCall<'_, '_>) -> FnResult {
    all_or_any(call, false)
}

pub fn anytrue(call: &FnCall<'_, '_>) -> FnResult {
    all_or_any(call, true)
}

pub fn chunklist(call: &FnCall<'_, '_>) -> FnResult {
    let Datum::List(seq) = &call.arg(0).datum else { return fail_arg(0, "it must be a list") };
    let size = call.int(1)?;
    let Ok(size) = usize::try_from(size) else { return fail_arg(1, "the size must not be negative") };
    let ty = Type::list(seq.elem.clone());
    if seq.items.is_empty() {
        return Ok(Val::list(ty, Vec::new()));
    }
    let size = if size == 0 { seq.items.len() } else { size };
    call.spend(seq.items.len())?;
    Ok(Val::list(ty, seq.items.chunks(size).map(|c| Val::list(seq.elem.clone(), c.to_vec())).collect()))
}

pub fn compact(call: &FnCall<'_, '_>) -> FnResult {
    let val = call.arg(0);
    if !val.is_wholly_known() {
        return Ok(call.unknown(Type::list(Type::String)).not_null());
    }
    let items = val.items().unwrap_or_default();
    let kept = items.iter().filter(|v| v.as_str().is_some_and(|s| !s.is_empty())).cloned().collect();
    Ok(Val::list(Type::String, kept))
}

pub fn concat(call: &FnCall<'_, '_>) -> FnResult {
    if call.args.is_empty() {
        return fail("at least one argument is required");
    }
    let types: Vec<Type> = call.args.iter().map(Val::ty).collect();
    for (i, ty) in types.iter().enumerate() {
        if !matches!(ty, Type::List(_) | Type::Tuple(_) | Type::Any) {
            return fail_arg(i, "all arguments must be lists or tuples");
        }
    }
    // Lists of one type make a list, anything else a tuple.
    let list = if types.iter().all(|t| matches!(t, Type::List(_))) {
        match unify(&types) {
            Some(Type::List(elem)) => Some((*elem).clone()),
            _ => None,
        }
    } else {
        None
    };
    let mut items = Vec::new();
    for arg in call.args {
        let Some(members) = arg.items() else {
            let ty = match &list {
                Some(elem) => Type::list(elem.clone()),
                None => Type::Any,
            };
            return Ok(call.unknown(ty).not_null());
        };
        call.spend(members.len())?;
        for member in members {
            let member = member.clone().inherit(arg);
            items.push(match &list {
                Some(elem) => convert(&member, elem).or_else(fail)?,
                None => member,
            });
        }
    }
    Ok(match list {
        Some(elem) => Val::list(elem, items),
        None => Val::tuple(items),
    })
}

pub fn contains(call: &FnCall<'_, '_>) -> FnResult {
    let (list, wanted) = (call.arg(0), call.arg(1));
    let Some(items) = list.items() else { return fail_arg(0, "it must be a list, set or tuple") };
    if !wanted.is_known() {
        return Ok(call.unknown(Type::Bool).not_null());
    }
    // A set's members are all of the type that is looked for.
    let mut unknown = false;
    for item in items {
        match ops::equals(item, wanted) {
            Some(true) => return Ok(Val::bool(true)),
            Some(false) => {}
            None => unknown = true,
        }
    }
    if unknown {
        return Ok(call.unknown(Type::Bool).not_null());
    }
    Ok(Val::bool(false))
}

pub fn distinct(call: &FnCall<'_, '_>) -> FnResult {
    let val = call.arg(0);
    let ty = val.ty();
    if !val.is_wholly_known() {
        return Ok(call.unknown(ty).not_null());
    }
    let Datum::List(seq) = &val.datum else { return fail_arg(0, "it must be a list") };
    let mut kept: Vec<Val> = Vec::new();
    let mut texts: FastSet<&str> = FastSet::default();
    for item in &seq.items {
        let fresh = match item.as_str() {
            Some(text) => texts.insert(text),
            None => {
                call.spend(kept.len() / 16)?;
                !kept.iter().any(|k| ops::same(k, item))
            }
        };
        if fresh {
            kept.push(item.clone());
        }
    }
    Ok(Val::list(seq.elem.clone(), kept))
}

pub fn element(call: &FnCall<'_, '_>) -> FnResult {
    let list = call.arg(0);
    let at = call.int(1)?;
    // The index wraps around; one from the end is allowed for lists alone.
    let wrap = |len: usize, list: bool| -> Result<usize, FnError> {
        let Some(rest) = i64::try_from(len).ok().and_then(|len| at.checked_rem(len)) else {
            return fail_arg(0, "an empty list has no elements");
        };
        match usize::try_from(rest) {
            Ok(i) => Ok(i),
            Err(_) if list => Ok(len.saturating_sub(usize::try_from(rest.unsigned_abs()).unwrap_or(0))),
            Err(_) => fail_arg(1, "a negative index cannot be used with a tuple"),
        }
    };
    if let Some(unknown) = list.as_unknown() {
        return match &unknown.ty {
            Type::List(elem) => Ok(call.unknown((**elem).clone())),
            Type::Tuple(items) => Ok(call.unknown(items.get(wrap(items.len(), false)?).cloned().unwrap_or_default())),
            _ => fail_arg(0, "it must be a list or tuple"),
        };
    }
    let (items, i) = match &list.datum {
        Datum::List(seq) => (seq.items.as_slice(), wrap(seq.items.len(), true)?),
        Datum::Tuple(items) => (items.as_slice(), wrap(items.len(), false)?),
        _ => return fail_arg(0, "it must be a list or tuple"),
    };
    match items.get(i) {
        Some(item) => Ok(item.clone().inherit(list)),
        None => fail_arg(0, "an empty list has no elements"),
    }
}

pub fn flatten(call: &FnCall<'_, '_>) -> FnResult {
    let val = call.arg(0);
    if !matches!(val.ty(), Type::List(_) | Type::Set(_) | Type::Tuple(_)) {
        return fail_arg(0, "it must be a list, set or tuple");
    }
    let mut out = Vec::new();
    let mut marks = val.marks;
    if !flatten_into(call, val, 0, &mut out, &mut marks)? {
        return Ok(call.unknown(Type::Any).marked(marks));
    }
    Ok(Val::tuple(out).marked(marks))
}

/// Gives `false` where an unknown member may still be a sequence.
fn flatten_into(
    call: &FnCall<'_, '_>,
    val: &Val,
    depth: usize,
    out: &mut Vec<Val>,
    marks: &mut Marks,
) -> Result<bool, FnError> {
    if depth > MAX_FLATTEN {
        return Err(FnError {
            arg: Some(0),
            message: "the list nests too deep".to_owned(),
            kind: crate::graph::CauseKind::Limit,
        });
    }
    let Some(items) = val.items() else { return Ok(false) };
    // How many members a set has is open as long as some of them are not known.
    if matches!(val.datum, Datum::Set(_)) && items.len() > 1 && !val.is_wholly_known() {
        return Ok(false);
    }
    call.spend(items.len())?;
    for item in items {
        let item = item.clone().inherit(val);
        let ty = match &item.datum {
            Datum::Unknown(unknown) => Some(&unknown.ty),
            _ => None,
        };
        let sequence = match (&item.datum, ty) {
            (_, Some(Type::List(_) | Type::Set(_) | Type::Tuple(_) | Type::Any)) => return Ok(false),
            (Datum::List(_) | Datum::Set(_) | Datum::Tuple(_), _) => true,
            _ => false,
        };
        if sequence {
            *marks = marks.with(item.marks);
            if !flatten_into(call, &item, depth + 1, out, marks)? {
                return Ok(false);
            }
        } else {
            out.push(item);
        }
    }
    Ok(true)
}

pub fn index(call: &FnCall<'_, '_>) -> FnResult {
    let (list, wanted) = (call.arg(0), call.arg(1));
    let items = match &list.datum {
        Datum::List(seq) => seq.items.as_slice(),
        Datum::Tuple(items) => items.as_slice(),
        _ => return fail_arg(0, "it must be a list or tuple"),
    };
    if items.is_empty() {
        return fail("the list is empty");
    }
    for (i, item) in items.iter().enumerate() {
        match ops::equals(item, wanted) {
            Some(true) => return Ok(Val::count(i)),
            Some(false) => {}
            None => return Ok(call.unknown(Type::Number).not_null()),
        }
    }
    fail("the item is not in the list")
}

fn key_val(key: &Arc<str>, span: Span) -> Val {
    Val::at(Datum::String(key.clone()), span)
}

pub fn keys(call: &FnCall<'_, '_>) -> FnResult {
    let val = call.arg(0);
    match &val.datum {
        Datum::Map(t) => Ok(Val::list(Type::String, t.entries.iter().map(|m| key_val(&m.key, m.key_span)).collect())),
        Datum::Object(t) if t.rest.is_some() => Ok(call.unknown(Type::Any).not_null()),
        Datum::Object(t) => Ok(Val::tuple(t.entries.iter().map(|m| key_val(&m.key, m.key_span)).collect())),
        Datum::Unknown(unknown) => match &unknown.ty {
            Type::Map(_) => Ok(call.unknown(Type::list(Type::String)).not_null()),
            Type::Object(attrs) => Ok(Val::tuple(attrs.iter().map(|a| key_val(&a.name, Span::NONE)).collect())),
            _ => fail_arg(0, "it must be a map or object"),
        },
        _ => fail_arg(0, "it must be a map or object"),
    }
}

pub fn values(call: &FnCall<'_, '_>) -> FnResult {
    let val = call.arg(0);
    let members = |t: &Table| t.entries.iter().map(|m| m.val.clone()).collect();
    match &val.datum {
        Datum::Map(t) => Ok(Val::list(t.elem.clone(), members(t))),
        Datum::Object(t) if t.rest.is_some() => Ok(call.unknown(Type::Any).not_null()),
        Datum::Object(t) => Ok(Val::tuple(members(t))),
        Datum::Unknown(unknown) => match &unknown.ty {
            Type::Map(elem) => Ok(call.unknown(Type::list((**elem).clone())).not_null()),
            Type::Object(attrs) => {
                Ok(call.unknown(Type::Tuple(attrs.iter().map(|a| a.ty.clone()).collect())).not_null())
            }
            _ => fail_arg(0, "it must be a map or object"),
        },
        _ => fail_arg(0, "it must be a map or object"),
    }
}

pub fn lookup(call: &FnCall<'_, '_>) -> FnResult {
    if call.args.len() > 3 {
        return fail("it takes two or three arguments");
    }
    let (map, key, default) = (call.arg(0), call.arg(1), call.args.get(2));
    let elem = match map.ty() {
        Type::Object(attrs) => {
            if let Some(name) = key.as_str()
                && let Some(attr) = attrs.iter().find(|a| &*a.name == name)
            {
                attr.ty.clone()
            } else {
                default.map_or(Type::Any, Val::ty)
            }
        }
        Type::Map(elem) => {
            if let Some(default) = default
                && convert(default, &elem).is_err()
            {
                return fail_arg(2, "the default must have the type of the map's elements");
            }
            (*elem).clone()
        }
        Type::Any if map.table().is_some() => Type::Any,
        _ => return fail_arg(0, "it must be a map or object"),
    };
    let marks = key.marks;
    let Some(table) = map.table() else {
        return Ok(call.unknown(elem).marked(marks));
    };
    let Some(name) = key.as_str() else {
        return Ok(call.unknown(elem).marked(marks));
    };
    if let Some(member) = table.get(name) {
        return Ok(member.clone().inherit(map).marked(marks));
    }
    if table.rest.is_some() {
        return Ok(call.unknown(Type::Any).marked(marks));
    }
    let Some(default) = default else {
        return fail(format!("the map has no element {name:?}, and there is no default"));
    };
    let default = match &map.datum {
        Datum::Map(table) => convert(default, &table.elem).or_else(|e| fail_arg(2, e))?,
        _ => default.clone(),
    };
    Ok(default.marked(marks))
}

pub fn matchkeys(call: &FnCall<'_, '_>) -> FnResult {
    let (values, keys, wanted) = (call.arg(0), call.arg(1), call.arg(2));
    let ty = values.ty();
    // A value whose type is open leaves the type of the whole open.
    let open = values.children().any(|value| value.ty().has_any() && value.find_unknown().is_some());
    if !keys.is_wholly_known() || !wanted.is_wholly_known() || open {
        return Ok(call.unknown(ty).not_null());
    }
    let (Some(items), Some(keys), Some(wanted)) = (values.items(), keys.items(), wanted.items()) else {
        return fail("it takes three lists");
    };
    if items.len() != keys.len() {
        return fail("there must be as many keys as values");
    }
    // Keys and what is looked for must be of one type.
    let unified = |list: &[Val], ty: &Type| list.iter().map(|v| convert(v, ty)).collect::<Result<Vec<Val>, String>>();
    let (key_type, wanted_type) = (call.arg(1).ty(), call.arg(2).ty());
    let elem = match unify(&[key_type, wanted_type]) {
        Some(Type::List(elem)) => (*elem).clone(),
        _ => return fail("keys and searchset must be of the same type"),
    };
    let (keys, wanted) = match (unified(keys, &elem), unified(wanted, &elem)) {
        (Ok(keys), Ok(wanted)) => (keys, wanted),
        _ => return fail("keys and searchset must be of the same type"),
    };
    call.spend(keys.len().saturating_mul(wanted.len()) / 16)?;
    let hit = |key: &Val| wanted.iter().any(|w| ops::same(w, key));
    let kept = items.iter().zip(&keys).filter(|(_, key)| hit(key)).map(|(item, _)| item.clone()).collect();
    Ok(Val::list(ty.elem().cloned().unwrap_or_default(), kept))
}

pub fn merge(call: &FnCall<'_, '_>) -> FnResult {
    let types: Vec<Type> = call.args.iter().map(Val::ty).collect();
    for (i, arg) in call.args.iter().enumerate() {
        let fits = matches!(types.get(i), Some(Type::Map(_) | Type::Object(_) | Type::Any));
        if !fits {
            return fail_arg(i, "the arguments must be maps or objects");
        }
        if let Some(unknown) = arg.as_unknown()
            && unknown.ty.is_any()
        {
            return Ok(call.unknown(Type::Any));
        }
    }
    if call.args.is_empty() {
        return Ok(Val::object(Vec::new()));
    }
    // Maps of one type make a map; anything else makes an object.
    let given: Vec<&Type> = types.iter().filter(|t| !t.is_any()).collect();
    let map = match given.first() {
        Some(Type::Map(elem)) if given.iter().all(|t| *t == given[0]) => Some((**elem).clone()),
        _ => None,
    };
    let mut at: FastMap<Arc<str>, usize> = FastMap::default();
    let mut entries: Vec<Member> = Vec::new();
    let mut rest = None;
    for arg in call.args {
        if let Some(open) = arg.table().and_then(|t| t.rest.as_ref()) {
            // What comes before may be replaced by attributes that are not known.
            for earlier in &mut entries {
                earlier.val = Val::unknown_of(Type::Any, open.cause.clone()).inherit(arg);
            }
            rest = Some(open.cause.clone());
        }
        if arg.is_null() {
            continue;
        }
        let members: Vec<Member> = match (&arg.datum, arg.table()) {
            (_, Some(table)) => {
                table.entries.iter().map(|m| Member { val: m.val.clone().inherit(arg), ..m.clone() }).collect()
            }
            (Datum::Unknown(unknown), _) => match (&unknown.ty, &map) {
                // The names of an object are known even where its values are not.
                (Type::Object(attrs), _) => attrs
                    .iter()
                    .map(|a| Member {
                        key: a.name.clone(),
                        key_span: Span::NONE,
                        val: Val::unknown_of(a.ty.clone(), unknown.cause.clone()).inherit(arg),
                    })
                    .collect(),
                (_, Some(elem)) => return Ok(call.unknown(Type::map(elem.clone())).not_null()),
                _ => return Ok(call.unknown(Type::Any).not_null()),
            },
            _ => continue,
        };
        call.spend(members.len())?;
        for member in members {
            match at.get(&member.key) {
                Some(&i) => entries[i] = member,
                None => {
                    at.insert(member.key.clone(), entries.len());
                    entries.push(member);
                }
            }
        }
    }
    Ok(match map {
        Some(elem) => Val::map(elem, entries),
        None => match rest {
            Some(cause) => Val::object(entries).open(cause),
            None => Val::object(entries),
        },
    })
}

pub fn one(call: &FnCall<'_, '_>) -> FnResult {
    let val = call.arg(0);
    match &val.datum {
        Datum::List(seq) | Datum::Set(seq) => one_of(call, &seq.items, &seq.elem),
        Datum::Tuple(items) => one_of(call, items, &Type::Any),
        _ => fail_arg(0, "it must be a list, set or tuple with zero or one elements"),
    }
}

fn one_of(call: &FnCall<'_, '_>, items: &[Val], elem: &Type) -> FnResult {
    match items {
        [] => Ok(Val::new(Datum::Null(elem.clone()))),
        [item] => Ok(item.clone()),
        _ if matches!(call.arg(0).datum, Datum::Set(_)) && !call.arg(0).is_wholly_known() => {
            Ok(call.unknown(elem.clone()))
        }
        _ => fail_arg(0, "it must be a list, set or tuple with zero or one elements"),
    }
}

pub fn reverse(call: &FnCall<'_, '_>) -> FnResult {
    let val = call.arg(0);
    match &val.datum {
        Datum::List(seq) | Datum::Set(seq) => {
            Ok(Val::list(seq.elem.clone(), seq.items.iter().rev().cloned().collect()))
        }
        Datum::Tuple(items) => Ok(Val::tuple(items.iter().rev().cloned().collect())),
        _ => fail_arg(0, "it must be a list, set or tuple"),
    }
}

pub fn slice(call: &FnCall<'_, '_>) -> FnResult {
    let val = call.arg(0);
    let items = match &val.datum {
        Datum::List(seq) => seq.items.as_slice(),
        Datum::Tuple(items) => items.as_slice(),
        _ => return fail_arg(0, "it must be a list or tuple"),
    };
    let (start, end) = (call.int(1)?, call.int(2)?);
    let Ok(start) = usize::try_from(start) else { return fail_arg(1, "the start must not be negative") };
    if start > items.len() {
        return fail_arg(1, "the start lies beyond the end of the list");
    }
    let Ok(end) = usize::try_from(end) else { return fail_arg(2, "the end must not be negative") };
    if end > items.len() {
        return fail_arg(2, "the end lies beyond the end of the list");
    }
    let Some(part) = items.get(start..end) else {
        return fail_arg(1, "the start must not be greater than the end");
    };
    Ok(match &val.datum {
        Datum::List(seq) => Val::list(seq.elem.clone(), part.to_vec()),
        _ => Val::tuple(part.to_vec()),
    })
}

pub fn sort(call: &FnCall<'_, '_>) -> FnResult {
    let val = call.arg(0);
    if !val.is_wholly_known() {
        let len = val.items().map(<[Val]>::len);
        let unknown = call.unknown(Type::list(Type::String)).not_null();
        return Ok(match len {
            Some(len) => unknown.refined(|u| (u.min_len, u.max_len) = (len, len)),
            None => unknown,
        });
    }
    let mut items = val.items().unwrap_or_default().to_vec();
    if let Some(i) = items.iter().position(Val::is_null) {
        return fail(format!("element {i} is null, which cannot be sorted"));
    }
    items.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
    Ok(Val::list(Type::String, items))
}

pub fn transpose(call: &FnCall<'_, '_>) -> FnResult {
    let val = call.arg(0);
    let ty = Type::map(Type::list(Type::String));
    if !val.is_wholly_known() {
        return Ok(call.unknown(ty).not_null());
    }
    let Some(table) = val.table() else { return fail_arg(0, "it must be a map of lists of strings") };
    let mut order: Vec<Arc<str>> = Vec::new();
    let mut groups: FastMap<Arc<str>, Vec<Val>> = FastMap::default();
    for member in &table.entries {
        let Some(items) = member.val.items() else { return fail("a list in the map is null") };
        call.spend(items.len())?;
        for item in items {
            let Datum::String(text) = &item.datum else { return fail("a string in the map is null") };
            let group = groups.entry(text.clone()).or_insert_with(|| {
                order.push(text.clone());
                Vec::new()
            });
            group.push(key_val(&member.key, member.key_span));
        }
    }
    let entries = order
        .into_iter()
        .map(|key| {
            let mut items = groups.remove(&key).unwrap_or_default();
            items.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
            Member { key, key_span: Span::NONE, val: Val::list(Type::String, items) }
        })
        .collect();
    Ok(Val::map(Type::list(Type::String), entries))
}

pub fn zipmap(call: &FnCall<'_, '_>) -> FnResult {
    let (keys, values) = (call.arg(0), call.arg(1));
    let ty = values.ty();
    if !matches!(ty, Type::List(_) | Type::Tuple(_)) {
        return fail_arg(1, "it must be a list or tuple");
    }
    let result = || match &ty {
        Type::List(elem) => Type::map((**elem).clone()),
        _ => Type::Any,
    };
    let (Some(names), Some(items)) = (keys.items(), values.items()) else {
        return Ok(call.unknown(result()).not_null());
    };
    if !keys.is_wholly_known() {
        return Ok(call.unknown(result()).not_null());
    }
    if names.len() != items.len() {
        return fail(format!("there are {} keys and {} values: they must be as many", names.len(), items.len()));
    }
    call.spend(names.len())?;
    let mut entries = Vec::with_capacity(names.len());
    let mut marks = Marks::NONE;
    for (key, item) in names.iter().zip(items) {
        let Datum::String(text) = &key.datum else { return fail_arg(0, "a key must not be null") };
        marks = marks.with(key.marks);
        entries.push(Member { key: text.clone(), key_span: key.origin.span, val: item.clone() });
    }
    let datum = match &values.datum {
        Datum::List(seq) => {
            let Seq { elem, .. } = &**seq;
            Datum::Map(Arc::new(Table::new(elem.clone(), entries)))
        }
        _ => Datum::Object(Arc::new(Table::new(Type::Any, entries))),
    };
    Ok(Val::new(datum).marked(marks))
}
