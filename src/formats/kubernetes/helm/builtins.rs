//! Go's own functions on values: fields, indexing, comparison, length.

use super::exec::{Executed, Failure};
use super::format::to_text;
use super::functions::bytes_value;
use super::value::{Data, IntType, MapRef, Object, Value};
use super::yaml;
use std::cmp::Ordering;
use std::rc::Rc;

/// A field, key or method of a value. Arguments are for methods alone.
pub fn field(value: &Value, name: &str, arguments: &[Value]) -> Result<Value, String> {
    let no_arguments = |result: Value| {
        if arguments.is_empty() {
            Ok(result)
        } else {
            Err(format!("{name} has arguments but cannot be invoked as function"))
        }
    };
    match &value.data {
        Data::Missing => Ok(Data::Missing.into()),
        Data::Nil => Err(format!("nil pointer evaluating interface {{}}.{name}")),
        Data::Map(map) => {
            if map.is_values
                && let Some(result) = values_method(map, name, arguments)?
            {
                return Ok(result);
            }
            // A missing key of a map is the zero value of its members' type.
            let zero = || match map.members {
                super::value::Members::Strings => Value::from(""),
                _ => Value::nil(),
            };
            no_arguments(map.get(name).unwrap_or_else(zero))
        }
        Data::Object(object) => object_field(object, value, name, arguments),
        _ => Err(format!("can't evaluate field {name} in type {}", field_type(value))),
    }
}

fn field_type(value: &Value) -> &'static str {
    match value.data {
        Data::String(_) | Data::Bool(_) | Data::Float(_) | Data::Int(..) | Data::List(..) => "interface {}",
        _ => value.type_name(),
    }
}

/// The methods of the type of chart values.
fn values_method(map: &MapRef, name: &str, arguments: &[Value]) -> Result<Option<Value>, String> {
    Ok(Some(match (name, arguments) {
        ("AsMap", []) => Data::Map(map.as_values(false)).into(),
        ("YAML", []) => Value::from(yaml::to_yaml(&Data::Map(map.clone()).into())),
        ("Table", [path]) => {
            let mut at = map.clone();
            for part in path.as_str().unwrap_or("").split('.') {
                let next = at.get(part).and_then(|v| v.as_map().cloned());
                at = next.ok_or_else(|| format!("error calling Table: {part:?} is not a table"))?;
            }
            Data::Map(at.as_values(true)).into()
        }
        ("PathValue", [path]) => path_value(map, path.as_str().unwrap_or(""))
            .ok_or_else(|| "error calling PathValue: not a value".to_owned())?,
        _ => return Ok(None),
    }))
}

/// The value at a dotted path of chart values, where it is there and no table.
pub fn path_value(map: &MapRef, path: &str) -> Option<Value> {
    let mut at = map.clone();
    let mut parts = path.split('.').peekable();
    while let Some(part) = parts.next() {
        let value = at.get(part)?;
        match value.as_map() {
            Some(next) if parts.peek().is_some() => at = next.clone(),
            None if parts.peek().is_none() => return Some(value),
            _ => return None,
        }
    }
    None
}

fn object_field(object: &Rc<Object>, value: &Value, name: &str, arguments: &[Value]) -> Result<Value, String> {
    let text = |s: &str| Ok(Value::from(s));
    let no_field = || Err(format!("can't evaluate field {name} in type {}", value.type_name()));
    match &**object {
        Object::Struct { fields, .. } => match fields.iter().find(|(n, _)| *n == name) {
            Some((_, field)) if arguments.is_empty() => Ok(field.clone()),
            _ => no_field(),
        },
        Object::KubeVersion { version, major, minor } => match name {
            "Version" | "GitVersion" | "String" => text(version),
            "Major" => text(major),
            "Minor" => text(minor),
            _ => no_field(),
        },
        Object::ApiVersions(versions) => match (name, arguments) {
            ("Has", [wanted]) => {
                let Some(wanted) = wanted.as_str() else {
                    return Err(format!("wrong type for value; expected string; got {}", wanted.type_name()));
                };
                Ok(versions.iter().any(|v| &**v == wanted).into())
            }
            ("Has", _) => Err(format!("wrong number of args for Has: want 1 got {}", arguments.len())),
            _ => no_field(),
        },
        Object::Files(files) => {
            let argument = arguments.first().and_then(Value::as_str).unwrap_or("");
            let find = |wanted: &str| files.iter().find(|(n, _)| &**n == wanted).map(|(_, f)| f.clone());
            match name {
                "Get" => Ok(find(argument).map_or_else(|| "".into(), |f| Value::from(&*f.text).at(f.place))),
                "GetBytes" => Ok(find(argument).map_or_else(|| bytes_value(""), |f| bytes_value(&f.text).at(f.place))),
                "Lines" => Ok(match find(argument) {
                    None => Value::strings(Vec::<Value>::new()),
                    Some(file) => {
                        let body = file.text.strip_suffix('\n').unwrap_or(&file.text);
                        Value::strings(body.split('\n').map(|l| Value::from(l).at(file.place)))
                    }
                }),
                "Glob" => {
                    let matched = match super::glob::compile(argument, true) {
                        Some(glob) => files.iter().filter(|(n, _)| glob.is_match(n)).cloned().collect(),
                        // Helm takes every file where the pattern is no pattern.
                        None => files.clone(),
                    };
                    Ok(Object::Files(matched).into())
                }
                "AsConfig" | "AsSecrets" => {
                    let map = MapRef::default();
                    for (path, file) in files {
                        let base = path.rsplit('/').next().unwrap_or(path);
                        let content = if name == "AsConfig" {
                            Value::from(&*file.text)
                        } else {
                            Value::from(data_encoding::BASE64.encode(file.text.as_bytes()))
                        };
                        map.set(base, content.at(file.place));
                    }
                    if map.is_empty() {
                        return Ok("".into());
                    }
                    Ok(yaml::to_yaml(&map.into()).into())
                }
                _ => match find(name) {
                    Some(file) => Ok(bytes_value(&file.text).at(file.place)),
                    None => Ok(bytes_value("")),
                },
            }
        }
        Object::Semver { version, original } => {
            let number = |n: u64| Ok(Data::Int(i64::try_from(n).unwrap_or(i64::MAX), IntType::Uint64).into());
            match (name, arguments) {
                ("Major", []) => number(version.major),
                ("Minor", []) => number(version.minor),
                ("Patch", []) => number(version.patch),
                ("Prerelease", []) => text(version.pre.as_str()),
                ("Metadata", []) => text(version.build.as_str()),
                ("Original", []) => text(original),
                ("String", []) => text(&version.to_string()),
                ("Compare", [Value { data: Data::Object(other), .. }]) => match &**other {
                    Object::Semver { version: other, .. } => Ok(Value::int(match version.cmp_precedence(other) {
                        Ordering::Less => -1,
                        Ordering::Equal => 0,
                        Ordering::Greater => 1,
                    })),
                    _ => no_field(),
                },
                ("IncMajor" | "IncMinor" | "IncPatch", []) => {
                    let (a, b, c) = (version.major, version.minor, version.patch);
                    let next = match name {
                        "IncMajor" => semver::Version::new(a + 1, 0, 0),
                        "IncMinor" => semver::Version::new(a, b + 1, 0),
                        _ => semver::Version::new(a, b, if version.pre.is_empty() { c + 1 } else { c }),
                    };
                    let original = next.to_string().into();
                    Ok(Object::Semver { version: next, original }.into())
                }
                _ => no_field(),
            }
        }
        Object::Time(time) => super::dates::time_method(time, name, arguments).map_or_else(no_field, Ok),
        Object::Duration(n) => match name {
            "String" => text(&super::dates::format_duration(*n)),
            #[expect(clippy::cast_precision_loss, reason = "Go's own conversion")]
            "Hours" => Ok((*n as f64 / 3.6e12).into()),
            #[expect(clippy::cast_precision_loss, reason = "Go's own conversion")]
            "Minutes" => Ok((*n as f64 / 6e10).into()),
            #[expect(clippy::cast_precision_loss, reason = "Go's own conversion")]
            "Seconds" => Ok((*n as f64 / 1e9).into()),
            _ => no_field(),
        },
    }
}

/// `index`: a member by index or key, as deep as there are keys.
pub fn index(arguments: &[Value]) -> Executed<Value> {
    let Some((first, keys)) = arguments.split_first() else { return Ok(Value::nil()) };
    if first.is_nil() {
        if keys.is_empty() {
            return Ok(Value::nil());
        }
        return Err("index of untyped nil".into());
    }
    let mut at = first.clone();
    for key in keys {
        at = match &at.data {
            Data::Missing | Data::Nil => return Err("index of nil pointer".into()),
            Data::List(items, _) => {
                let place = at.place;
                items.get(position(key, items.len())?).cloned().unwrap_or_else(Value::nil).at(place)
            }
            Data::String(text) => {
                let i = position(key, text.s.len())?;
                let byte = text.s.as_bytes().get(i).copied().unwrap_or(0);
                Data::Int(i64::from(byte), IntType::Uint8).into()
            }
            Data::Map(map) => {
                let Some(name) = key.as_str() else {
                    return Err(if key.is_nil() {
                        "value is nil; should be of type string".into()
                    } else {
                        format!("value has type {}; should be string", key.type_name()).into()
                    });
                };
                map.get(name).unwrap_or_else(Value::nil)
            }
            Data::Object(object) => match (&**object, key.as_str()) {
                (Object::Files(_), Some(name)) => field(&at, name, &[])?,
                (Object::ApiVersions(versions), _) => {
                    Value::from(versions.get(position(key, versions.len())?).map_or("", |v| &**v))
                }
                _ => return Err(format!("can't index item of type {}", at.type_name()).into()),
            },
            _ => return Err(format!("can't index item of type {}", at.type_name()).into()),
        };
    }
    Ok(at)
}

fn position(key: &Value, length: usize) -> Executed<usize> {
    match &key.data {
        Data::Int(n, _) => usize::try_from(*n)
            .ok()
            .filter(|i| *i < length)
            .ok_or_else(|| Failure::new(format!("index out of range: {n}"))),
        Data::Missing | Data::Nil => Err("cannot index slice/array with nil".into()),
        _ => Err(format!("cannot index slice/array with type {}", key.type_name()).into()),
    }
}

/// `len`.
pub fn length(value: &Value) -> Executed<i64> {
    let n = match &value.data {
        Data::String(text) => text.s.len(),
        Data::List(items, _) => items.len(),
        Data::Map(map) => map.len(),
        Data::Object(object) => match &**object {
            Object::Files(files) => files.len(),
            Object::ApiVersions(versions) => versions.len(),
            _ => return Err(format!("len of type {}", value.type_name()).into()),
        },
        Data::Missing | Data::Nil => return Err("len of nil pointer".into()),
        _ => return Err(format!("len of type {}", value.type_name()).into()),
    };
    Ok(i64::try_from(n).unwrap_or(i64::MAX))
}

/// The kinds that Go's templates compare.
#[derive(PartialEq, Clone, Copy)]
enum Basic {
    Bool,
    Int,
    Float,
    String,
    Other,
}

fn basic(value: &Value) -> Basic {
    match &value.data {
        Data::Bool(_) => Basic::Bool,
        Data::Int(..) => Basic::Int,
        Data::Float(_) => Basic::Float,
        Data::String(_) => Basic::String,
        Data::Object(o) if matches!(&**o, Object::Duration(_)) => Basic::Int,
        _ => Basic::Other,
    }
}

fn whole(value: &Value) -> i64 {
    match &value.data {
        Data::Int(n, _) => *n,
        Data::Object(o) => match &**o {
            Object::Duration(n) => *n,
            _ => 0,
        },
        _ => 0,
    }
}

fn mismatch(a: &Value, b: &Value) -> Failure {
    Failure::new(format!("incompatible types for comparison: {} and {}", a.type_name(), b.type_name()))
}

/// `eq`: whether the first equals any of the others.
pub fn equal(arguments: &[Value]) -> Executed<bool> {
    let Some((first, others)) = arguments.split_first() else { return Ok(false) };
    if others.is_empty() {
        return Err("missing argument for comparison".into());
    }
    let comparable = |v: &Value| !matches!(v.data, Data::List(..) | Data::Map(_));
    if !comparable(first) {
        return Err(format!("non-comparable type {}: {}", to_text(first).s, first.type_name()).into());
    }
    for other in others {
        let (a, b) = (basic(first), basic(other));
        if a != b {
            if !first.is_nil() && !other.is_nil() {
                return Err(mismatch(first, other));
            }
            continue;
        }
        let same = match (&first.data, &other.data) {
            (Data::Bool(a), Data::Bool(b)) => a == b,
            (Data::Float(a), Data::Float(b)) => a == b,
            (Data::String(a), Data::String(b)) => a.s == b.s,
            _ if a == Basic::Int => whole(first) == whole(other),
            _ => {
                if !comparable(other) {
                    return Err(format!("non-comparable type {}: {}", to_text(other).s, other.type_name()).into());
                }
                first.deep_equal(other)
            }
        };
        if same {
            return Ok(true);
        }
    }
    Ok(false)
}

/// `lt`, and what the other comparisons are made of.
pub fn less(a: &Value, b: &Value) -> Executed<bool> {
    for v in [a, b] {
        if basic(v) == Basic::Other {
            return Err("invalid type for comparison".into());
        }
    }
    if basic(a) != basic(b) {
        return Err(mismatch(a, b));
    }
    match (&a.data, &b.data) {
        (Data::Bool(_), _) => Err("invalid type for comparison".into()),
        (Data::Float(a), Data::Float(b)) => Ok(a < b),
        (Data::String(a), Data::String(b)) => Ok(a.s < b.s),
        _ => Ok(whole(a) < whole(b)),
    }
}
