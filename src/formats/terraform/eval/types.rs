//! Types and how several of them are brought to one.

use super::Val;
use std::fmt;
use std::sync::Arc;

/// A type, or a type constraint: `Any` in a constraint stands for a type to be found, and an object's attribute may be
/// optional there, with a default.
#[derive(Clone, Default, Debug)]
pub enum Type {
    /// Not known, or `any`.
    #[default]
    Any,
    /// `bool`.
    Bool,
    /// `number`.
    Number,
    /// `string`.
    String,
    /// `list(…)`.
    List(Arc<Type>),
    /// `set(…)`.
    Set(Arc<Type>),
    /// `map(…)`.
    Map(Arc<Type>),
    /// `tuple([…])`.
    Tuple(Arc<[Type]>),
    /// `object({…})`, ordered by name.
    Object(Arc<[Attr]>),
}

/// An attribute of an object type.
#[derive(Clone, Debug)]
pub struct Attr {
    /// Its name.
    pub name: Arc<str>,
    /// Its type.
    pub ty: Type,
    /// Whether it may be left out.
    pub optional: bool,
    /// What it is where it is left out or null, converted to `ty`.
    pub default: Option<Arc<Val>>,
}

/// Equality leaves defaults aside.
impl PartialEq for Type {
    fn eq(&self, other: &Type) -> bool {
        match (self, other) {
            (Type::Any, Type::Any)
            | (Type::Bool, Type::Bool)
            | (Type::Number, Type::Number)
            | (Type::String, Type::String) => true,
            (Type::List(a), Type::List(b)) | (Type::Set(a), Type::Set(b)) | (Type::Map(a), Type::Map(b)) => a == b,
            (Type::Tuple(a), Type::Tuple(b)) => a == b,
            (Type::Object(a), Type::Object(b)) => {
                a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| a.name == b.name && a.ty == b.ty)
            }
            _ => false,
        }
    }
}

impl Type {
    /// `list(elem)`.
    pub fn list(elem: Type) -> Type {
        Type::List(Arc::new(elem))
    }

    /// `set(elem)`.
    pub fn set(elem: Type) -> Type {
        Type::Set(Arc::new(elem))
    }

    /// `map(elem)`.
    pub fn map(elem: Type) -> Type {
        Type::Map(Arc::new(elem))
    }

    /// An object of required attributes, given in the order of their names.
    pub fn object(attrs: impl Iterator<Item = (Arc<str>, Type)>) -> Type {
        Type::Object(attrs.map(|(name, ty)| Attr { name, ty, optional: false, default: None }).collect())
    }

    /// Whether it is not known at all.
    pub fn is_any(&self) -> bool {
        matches!(self, Type::Any)
    }

    /// Whether any part of it is not known.
    pub fn has_any(&self) -> bool {
        match self {
            Type::Any => true,
            Type::Bool | Type::Number | Type::String => false,
            Type::List(elem) | Type::Set(elem) | Type::Map(elem) => elem.has_any(),
            Type::Tuple(items) => items.iter().any(Type::has_any),
            Type::Object(attrs) => attrs.iter().any(|a| a.ty.has_any()),
        }
    }

    /// Whether it is `bool`, `number` or `string`.
    pub fn is_primitive(&self) -> bool {
        matches!(self, Type::Bool | Type::Number | Type::String)
    }

    /// Whether it is a list, set or map.
    pub fn is_collection(&self) -> bool {
        matches!(self, Type::List(_) | Type::Set(_) | Type::Map(_))
    }

    /// The type of a list's, set's or map's members.
    pub fn elem(&self) -> Option<&Type> {
        match self {
            Type::List(elem) | Type::Set(elem) | Type::Map(elem) => Some(elem),
            _ => None,
        }
    }

    /// The attributes of an object type.
    pub fn attrs(&self) -> Option<&[Attr]> {
        match self {
            Type::Object(attrs) => Some(attrs),
            _ => None,
        }
    }

    /// The attribute of a name.
    pub fn attr(&self, name: &str) -> Option<&Attr> {
        self.attrs()?.iter().find(|a| &*a.name == name)
    }

    /// Whether a value of this type can, by its type, be converted to `to`. Whether a particular one can is another
    /// question: `"x"` is no number.
    pub fn converts_to(&self, to: &Type) -> bool {
        match (self, to) {
            (Type::Any, _) | (_, Type::Any) => true,
            (Type::Bool | Type::Number | Type::String, Type::String)
            | (Type::String | Type::Number, Type::Number)
            | (Type::String | Type::Bool, Type::Bool) => true,
            (Type::List(from) | Type::Set(from), Type::List(to) | Type::Set(to)) | (Type::Map(from), Type::Map(to)) => {
                from.converts_to(to)
            }
            (Type::Tuple(items), Type::List(to) | Type::Set(to)) => {
                if to.is_any() {
                    items.is_empty() || unify(items).is_some()
                } else {
                    items.iter().all(|item| item.converts_to(to))
                }
            }
            (Type::Tuple(from), Type::Tuple(to)) => {
                from.len() == to.len() && from.iter().zip(to.iter()).all(|(from, to)| from.converts_to(to))
            }
            (Type::Object(attrs), Type::Map(to)) => {
                if to.is_any() {
                    attrs.is_empty() || unify(&attrs.iter().map(|a| a.ty.clone()).collect::<Vec<_>>()).is_some()
                } else {
                    attrs.iter().all(|a| a.ty.converts_to(to))
                }
            }
            (Type::Object(_), Type::Object(to)) => to.iter().all(|want| match self.attr(&want.name) {
                Some(have) => have.ty.converts_to(&want.ty),
                None => want.optional,
            }),
            (Type::Map(from), Type::Object(to)) => to.iter().all(|want| from.converts_to(&want.ty)),
            _ => false,
        }
    }

    /// The type without optional attributes and defaults, as a value has it.
    #[must_use]
    pub fn plain(&self) -> Type {
        match self {
            Type::Any | Type::Bool | Type::Number | Type::String => self.clone(),
            Type::List(elem) => Type::list(elem.plain()),
            Type::Set(elem) => Type::set(elem.plain()),
            Type::Map(elem) => Type::map(elem.plain()),
            Type::Tuple(items) => Type::Tuple(items.iter().map(Type::plain).collect()),
            Type::Object(attrs) => {
                if attrs.iter().all(|a| !a.optional && (a.ty.is_primitive() || a.ty.is_any())) {
                    return self.clone();
                }
                Type::object(attrs.iter().map(|a| (a.name.clone(), a.ty.plain())))
            }
        }
    }

    /// The name without its parameters, as messages use it.
    pub fn kind_name(&self) -> &'static str {
        match self {
            Type::Any => "dynamic",
            Type::Bool => "bool",
            Type::Number => "number",
            Type::String => "string",
            Type::List(_) => "list",
            Type::Set(_) => "set",
            Type::Map(_) => "map",
            Type::Tuple(_) => "tuple",
            Type::Object(_) => "object",
        }
    }
}

/// Prints the type as Terraform's messages name it, such as `list of string`.
impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind_name())?;
        match self.elem() {
            Some(Type::Any) => f.write_str(" of any single type"),
            Some(elem) => write!(f, " of {elem}"),
            None => Ok(()),
        }
    }
}

/// The one type that values of all these types can be converted to, as the branches of a conditional and the members
/// of a list need it (cty's `convert.UnifyUnsafe`).
pub fn unify(types: &[Type]) -> Option<Type> {
    let first = types.first()?;
    if types.iter().all(|t| t == first) {
        return Some(first.clone());
    }
    let count = |f: fn(&Type) -> bool| types.iter().filter(|t| f(t)).count();
    let any = count(Type::is_any);
    let lists = count(|t| matches!(t, Type::List(_)));
    let sets = count(|t| matches!(t, Type::Set(_)));
    let maps = count(|t| matches!(t, Type::Map(_)));
    let tuples = count(|t| matches!(t, Type::Tuple(_)));
    let objects = count(|t| matches!(t, Type::Object(_)));
    let all = types.len();
    if maps > 0 && maps + any == all {
        return unify_elements(types, any > 0, Type::map);
    } else if maps > 0 && maps + objects + any == all {
        let as_maps: Option<Vec<Type>> = types.iter().map(object_as_map).collect();
        if let Some(found) = as_maps.and_then(|types| unify(&types)) {
            return Some(found);
        }
    } else if lists > 0 && lists + any == all {
        return unify_elements(types, any > 0, Type::list);
    } else if lists > 0 && lists + tuples + any == all {
        let as_lists: Option<Vec<Type>> = types.iter().map(tuple_as_list).collect();
        if let Some(found) = as_lists.and_then(|types| unify(&types)) {
            return Some(found);
        }
    } else if sets > 0 && sets + any == all {
        return unify_elements(types, any > 0, Type::set);
    } else if objects > 0 && objects + any == all {
        return if any > 0 { Some(Type::Any) } else { unify_objects(types) };
    } else if tuples > 0 && tuples + any == all {
        return if any > 0 { Some(Type::Any) } else { unify_tuples(types) };
    } else if objects > 0 && tuples > 0 {
        return None;
    }
    let mut wanted: Vec<&Type> = types.iter().filter(|t| !t.is_any()).collect();
    wanted.sort_by_key(|t| preference(t));
    wanted.into_iter().find(|want| types.iter().all(|t| t == *want || t.converts_to(want))).cloned()
}

/// Which type is tried first as the common one: the more general.
fn preference(ty: &Type) -> u8 {
    match ty {
        Type::String => 0,
        Type::List(_) | Type::Map(_) => 1,
        Type::Set(_) => 2,
        Type::Any => 9,
        _ => 3,
    }
}

fn unify_elements(types: &[Type], any: bool, make: fn(Type) -> Type) -> Option<Type> {
    if any {
        return Some(Type::Any);
    }
    let elems: Vec<Type> = types.iter().filter_map(|t| t.elem().cloned()).collect();
    unify(&elems).map(make)
}

fn object_as_map(ty: &Type) -> Option<Type> {
    match ty.attrs() {
        Some([]) => Some(Type::Any),
        Some(attrs) => unify(&attrs.iter().map(|a| a.ty.clone()).collect::<Vec<_>>()).map(Type::map),
        None => Some(ty.clone()),
    }
}

fn tuple_as_list(ty: &Type) -> Option<Type> {
    match ty {
        Type::Tuple(items) if items.is_empty() => Some(Type::Any),
        Type::Tuple(items) => unify(items).map(Type::list),
        _ => Some(ty.clone()),
    }
}

fn unify_objects(types: &[Type]) -> Option<Type> {
    let first = types.first()?.attrs()?;
    let same = types.iter().all(|t| {
        t.attrs()
            .is_some_and(|attrs| attrs.len() == first.len() && attrs.iter().zip(first).all(|(a, b)| a.name == b.name))
    });
    if !same {
        let all: Vec<Type> = types.iter().flat_map(|t| t.attrs().unwrap_or_default()).map(|a| a.ty.clone()).collect();
        return unify(&all).map(Type::map);
    }
    let mut attrs = Vec::with_capacity(first.len());
    for (i, attr) in first.iter().enumerate() {
        let column: Vec<Type> = types.iter().filter_map(|t| t.attrs()?.get(i)).map(|a| a.ty.clone()).collect();
        attrs.push((attr.name.clone(), unify(&column)?));
    }
    Some(Type::object(attrs.into_iter()))
}

fn unify_tuples(types: &[Type]) -> Option<Type> {
    let items: Vec<&[Type]> = types
        .iter()
        .filter_map(|t| match t {
            Type::Tuple(items) => Some(&**items),
            _ => None,
        })
        .collect();
    let len = items.first()?.len();
    if items.iter().any(|i| i.len() != len) {
        let all: Vec<Type> = items.iter().flat_map(|i| i.iter().cloned()).collect();
        return unify(&all).map(Type::list);
    }
    let column = |i: usize| unify(&items.iter().filter_map(|t| t.get(i).cloned()).collect::<Vec<_>>());
    (0..len).map(column).collect::<Option<Arc<[Type]>>>().map(Type::Tuple)
}
