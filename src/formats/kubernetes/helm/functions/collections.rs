//! Lists and dictionaries.

use super::super::exec::{Engine, Executed, Failure};
use super::super::format::to_text;
use super::super::value::{Data, MapRef, Members, Value};
use super::{Row, argument, is_empty, number, text};
use std::rc::Rc;

/// The table of this file.
pub const ROWS: &[Row] = &[
    ("list", "a*", |_, a| Ok(a.to_vec().into())),
    ("tuple", "a*", |_, a| Ok(a.to_vec().into())),
    ("first", "a", |_, a| first(a)),
    ("mustFirst", "a", |_, a| first(a)),
    ("last", "a", |_, a| last(a)),
    ("mustLast", "a", |_, a| last(a)),
    ("rest", "a", |_, a| rest(a)),
    ("mustRest", "a", |_, a| rest(a)),
    ("initial", "a", |_, a| initial(a)),
    ("mustInitial", "a", |_, a| initial(a)),
    ("append", "aa", |_, a| append(a)),
    ("push", "aa", |_, a| append(a)),
    ("mustAppend", "aa", |_, a| append(a)),
    ("mustPush", "aa", |_, a| append(a)),
    ("prepend", "aa", |_, a| prepend(a)),
    ("mustPrepend", "aa", |_, a| prepend(a)),
    ("concat", "a*", |_, a| {
        let mut all = Vec::new();
        for i in 0..a.len() {
            all.extend(members(a, i, "concat")?.iter().cloned());
        }
        limited(all)
    }),
    ("reverse", "a", |_, a| Ok(members(a, 0, "reverse")?.iter().rev().cloned().collect::<Vec<_>>().into())),
    ("mustReverse", "a", |_, a| Ok(members(a, 0, "reverse")?.iter().rev().cloned().collect::<Vec<_>>().into())),
    ("uniq", "a", |_, a| uniq(a)),
    ("mustUniq", "a", |_, a| uniq(a)),
    ("without", "aa*", |_, a| without(a)),
    ("mustWithout", "aa*", |_, a| without(a)),
    ("has", "aa", |_, a| has(a)),
    ("mustHas", "aa", |_, a| has(a)),
    ("compact", "a", |_, a| compact(a)),
    ("mustCompact", "a", |_, a| compact(a)),
    ("slice", "aa*", |_, a| slice(a)),
    ("mustSlice", "aa*", |_, a| slice(a)),
    ("chunk", "ia", |_, a| chunk(a)),
    ("mustChunk", "ia", |_, a| chunk(a)),
    ("dict", "a*", |_, a| {
        let map = MapRef::default();
        for pair in a.chunks(2) {
            if let Some(key) = pair.first() {
                map.set(&*to_text(key).s, pair.get(1).cloned().unwrap_or_else(|| "".into()));
            }
        }
        Ok(map.into())
    }),
    ("get", "ms", |_, a| Ok(map(a, 0).get(text(a, 1)).unwrap_or_else(|| "".into()))),
    ("set", "msa", |_, a| {
        if holds(&argument(a, 2), &map(a, 0), 0) {
            return Err("a dictionary cannot hold itself".into());
        }
        map(a, 0).set(text(a, 1), argument(a, 2));
        Ok(argument(a, 0))
    }),
    ("unset", "ms", |_, a| {
        map(a, 0).remove(text(a, 1));
        Ok(argument(a, 0))
    }),
    ("hasKey", "ms", |_, a| {
        let (dict, key) = (argument(a, 0), text(a, 1));
        let found = dict.as_map().and_then(|m| m.get(key));
        Ok(Value { place: found.as_ref().map_or(dict.place, |v| v.place), ..found.is_some().into() })
    }),
    ("pluck", "sm*", |_, a| {
        Ok(a.iter().skip(1).filter_map(|d| d.as_map()?.get(text(a, 0))).collect::<Vec<_>>().into())
    }),
    ("keys", "m*", |_, a| {
        let keys = (0..a.len()).flat_map(|i| map(a, i).entries()).map(|(k, v)| Value::from(&*k).at(v.place));
        Ok(Value::strings(keys))
    }),
    ("values", "m", |_, a| Ok(map(a, 0).entries().into_iter().map(|(_, v)| v).collect::<Vec<_>>().into())),
    ("pick", "ms*", |_, a| {
        let source = map(a, 0);
        let picked = MapRef::default();
        for key in a.iter().skip(1).filter_map(Value::as_str) {
            if let Some(value) = source.get(key) {
                picked.set(key, value);
            }
        }
        Ok(picked.into())
    }),
    ("omit", "ms*", |_, a| {
        let rest = map(a, 0).shallow_copy().as_values(false);
        for key in a.iter().skip(1).filter_map(Value::as_str) {
            rest.remove(key);
        }
        Ok(rest.into())
    }),
    ("merge", "mm*", |_, a| merge(a, false)),
    ("mustMerge", "mm*", |_, a| merge(a, false)),
    ("mergeOverwrite", "mm*", |_, a| merge(a, true)),
    ("mustMergeOverwrite", "mm*", |_, a| merge(a, true)),
    ("dig", "a*", |_, a| dig(a)),
    ("until", "i", |_, a| {
        let n = number(a, 0);
        steps(0, n, if n < 0 { -1 } else { 1 })
    }),
    ("untilStep", "iii", |_, a| steps(number(a, 0), number(a, 1), number(a, 2))),
    ("seq", "i*", seq),
];

/// How many members a list that a function makes may have.
const MAX_MEMBERS: usize = 1 << 20;

fn limited(items: Vec<Value>) -> Executed<Value> {
    if items.len() > MAX_MEMBERS { Err("the list is too long".into()) } else { Ok(items.into()) }
}

fn map(arguments: &[Value], i: usize) -> MapRef {
    arguments.get(i).and_then(|v| v.as_map().cloned()).unwrap_or_default()
}

/// Whether a value contains this very map, which would make it endless.
fn holds(value: &Value, wanted: &MapRef, depth: usize) -> bool {
    if depth > 64 {
        return true;
    }
    match &value.data {
        Data::Map(map) => map.is_same(wanted) || map.entries().iter().any(|(_, v)| holds(v, wanted, depth + 1)),
        Data::List(items, _) => items.iter().any(|v| holds(v, wanted, depth + 1)),
        _ => false,
    }
}

fn members(arguments: &[Value], i: usize, name: &str) -> Executed<Rc<Vec<Value>>> {
    let value = argument(arguments, i);
    match &value.data {
        Data::List(items, _) => {
            if value.place != 0 && items.iter().any(|v| v.place == 0) {
                return Ok(Rc::new(items.iter().map(|v| v.clone().at(value.place)).collect()));
            }
            Ok(items.clone())
        }
        Data::Missing | Data::Nil => Err(Failure::new(format!("cannot {name} on a nil value"))),
        _ => Err(Failure::new(format!("cannot {name} on type {}", value.kind_name()))),
    }
}

fn first(a: &[Value]) -> Executed<Value> {
    Ok(members(a, 0, "find first")?.first().cloned().unwrap_or_else(Value::nil))
}

fn last(a: &[Value]) -> Executed<Value> {
    Ok(members(a, 0, "find last")?.last().cloned().unwrap_or_else(Value::nil))
}

fn rest(a: &[Value]) -> Executed<Value> {
    let items = members(a, 0, "find rest")?;
    if items.is_empty() {
        return Ok(Value::nil());
    }
    Ok(items.iter().skip(1).cloned().collect::<Vec<_>>().into())
}

fn initial(a: &[Value]) -> Executed<Value> {
    let items = members(a, 0, "find initial")?;
    if items.is_empty() {
        return Ok(Value::nil());
    }
    Ok(items.iter().take(items.len().saturating_sub(1)).cloned().collect::<Vec<_>>().into())
}

fn append(a: &[Value]) -> Executed<Value> {
    let mut items = (*members(a, 0, "push")?).clone();
    items.push(argument(a, 1));
    limited(items)
}

fn prepend(a: &[Value]) -> Executed<Value> {
    let mut items = vec![argument(a, 1)];
    items.extend(members(a, 0, "prepend")?.iter().cloned());
    limited(items)
}

fn uniq(a: &[Value]) -> Executed<Value> {
    let mut kept: Vec<Value> = Vec::new();
    for item in members(a, 0, "find uniq")?.iter() {
        if !kept.iter().any(|k| k.deep_equal(item)) {
            kept.push(item.clone());
        }
    }
    Ok(kept.into())
}

fn without(a: &[Value]) -> Executed<Value> {
    let omitted = a.get(1..).unwrap_or(&[]);
    let kept = members(a, 0, "find without")?;
    Ok(kept.iter().filter(|v| !omitted.iter().any(|o| o.deep_equal(v))).cloned().collect::<Vec<_>>().into())
}

fn has(a: &[Value]) -> Executed<Value> {
    let list = argument(a, 1);
    if list.is_nil() {
        return Ok(false.into());
    }
    let wanted = argument(a, 0);
    Ok(members(a, 1, "find has")?.iter().any(|v| v.deep_equal(&wanted)).into())
}

fn compact(a: &[Value]) -> Executed<Value> {
    Ok(members(a, 0, "compact")?.iter().filter(|v| !is_empty(v)).cloned().collect::<Vec<_>>().into())
}

fn slice(a: &[Value]) -> Executed<Value> {
    let items = members(a, 0, "slice")?;
    if items.is_empty() {
        return Ok(Value::nil());
    }
    let bound = |i: usize, otherwise: usize| a.get(i).map_or(Ok(otherwise), |v| to_index(super::math::to_int(v)));
    let start = bound(1, 0)?;
    let end = bound(2, items.len())?;
    if start > end || end > items.len() {
        return Err(format!("slice bounds out of range [{start}:{end}]").into());
    }
    Ok(items.get(start..end).unwrap_or(&[]).to_vec().into())
}

fn to_index(n: i64) -> Executed<usize> {
    usize::try_from(n).map_err(|_| Failure::new(format!("slice bounds out of range [{n}:]")))
}

fn chunk(a: &[Value]) -> Executed<Value> {
    let size = usize::try_from(number(a, 0)).unwrap_or(0);
    let items = members(a, 1, "chunk")?;
    if size == 0 {
        return Err("runtime error: integer divide by zero".into());
    }
    Ok(items.chunks(size).map(|c| Value::from(c.to_vec())).collect::<Vec<_>>().into())
}

/// Merges dictionaries into the first, in place. What counts as empty there is filled; with `overwrite` everything is
/// replaced by what comes later.
fn merge(a: &[Value], overwrite: bool) -> Executed<Value> {
    let target = map(a, 0);
    for i in 1..a.len() {
        merge_into(&target, &map(a, i), overwrite, 0);
    }
    Ok(argument(a, 0))
}

fn merge_into(target: &MapRef, source: &MapRef, overwrite: bool, depth: usize) {
    if target.is_same(source) || depth > 100 {
        return;
    }
    for (key, value) in source.entries() {
        let old = target.get(&key);
        if value.is_nil() {
            if overwrite {
                target.set(key, value);
            }
            continue;
        }
        if let (Some(old_map), Some(new_map)) = (old.as_ref().and_then(Value::as_map), value.as_map())
            && !old_map.is_empty()
        {
            merge_into(old_map, new_map, overwrite, depth + 1);
            continue;
        }
        if overwrite || old.as_ref().is_none_or(is_empty) {
            target.set(key, value);
        }
    }
}

fn dig(a: &[Value]) -> Executed<Value> {
    let [keys @ .., default, dict] = a else {
        return Err("dig needs at least three arguments".into());
    };
    if keys.is_empty() {
        return Err("dig needs at least three arguments".into());
    }
    let plain = |v: &Value| v.as_map().filter(|m| !m.is_values && m.members == Members::Any).cloned();
    let wrong = |v: &Value| {
        let what = if v.is_nil() { "nil" } else { v.type_name() };
        Failure::new(format!("interface conversion: interface {{}} is {what}, not map[string]interface {{}}"))
    };
    let mut at = plain(dict).ok_or_else(|| wrong(dict))?;
    for (i, key) in keys.iter().enumerate() {
        let Some(key) = key.as_str() else { return Err("the keys of dig must be strings".into()) };
        let Some(value) = at.get(key) else { return Ok(default.clone()) };
        if i + 1 == keys.len() {
            return Ok(value);
        }
        at = plain(&value).ok_or_else(|| wrong(&value))?;
    }
    Ok(default.clone())
}

fn steps(start: i64, stop: i64, step: i64) -> Executed<Value> {
    let mut items = Vec::new();
    let mut at = start;
    if step == 0 || (stop < start && step >= 0) || (stop > start && step <= 0) {
        return Ok(items.into());
    }
    if (i128::from(stop) - i128::from(start)) / i128::from(step) > MAX_MEMBERS as i128 {
        return Err("the list is too long".into());
    }
    while (step > 0 && at < stop) || (step < 0 && at > stop) {
        items.push(Value::int(at));
        at = at.saturating_add(step);
    }
    Ok(items.into())
}

/// `seq` as the shell has it: the numbers in one string.
fn seq(_: &mut Engine, a: &[Value]) -> Executed<Value> {
    let (start, step, end) = match a.len() {
        1 => (1, None, number(a, 0)),
        2 => (number(a, 0), None, number(a, 1)),
        3 => (number(a, 0), Some(number(a, 1)), number(a, 2)),
        _ => return Ok("".into()),
    };
    let step = step.unwrap_or(if end < start { -1 } else { 1 });
    let items = steps(start, end + if step > 0 { 1 } else { -1 }, step)?;
    let words: Vec<String> =
        super::strings::strings_of(&items).iter().filter_map(|v| v.as_str().map(str::to_owned)).collect();
    Ok(words.join(" ").into())
}
