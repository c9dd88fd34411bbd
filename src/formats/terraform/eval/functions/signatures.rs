//! The table of functions: their parameters, as Terraform declares them, and what runs them.

use super::{FnCall, FnResult, format, json, values};
use crate::formats::terraform::eval::Type;
use std::sync::LazyLock;

/// A function.
pub struct Signature {
    /// Its name.
    pub name: &'static str,
    /// The parameters that every call gives.
    pub params: &'static [Param],
    /// The parameter that the rest of the arguments are for.
    pub rest: Option<Param>,
    /// The type of the result, where it does not depend on the arguments.
    pub result: Ty,
    /// Whether the result is a part of the arguments, or refers at most to parts of them.
    pub picks: bool,
    /// What runs it.
    pub run: fn(&FnCall<'_, '_>) -> FnResult,
}

/// A parameter.
#[derive(Clone, Copy)]
pub struct Param {
    /// Its name in messages.
    pub name: &'static str,
    /// The type that arguments are converted to.
    pub ty: Ty,
    /// What it lets through to the function.
    pub flags: Flags,
}

/// What a parameter lets through: cty's `AllowNull`, `AllowUnknown`, `AllowDynamicType` and `AllowMarked`.
#[derive(Clone, Copy)]
pub struct Flags(u8);

impl Flags {
    const NONE: Flags = Flags(0);
    /// Null.
    pub const NULL: Flags = Flags(1);
    /// Unknown values.
    pub const UNKNOWN: Flags = Flags(2);
    /// Values of unknown type.
    pub const DYNAMIC: Flags = Flags(4);
    /// Marked values.
    pub const MARKED: Flags = Flags(8);

    const fn and(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }

    /// Whether it has one.
    pub fn has(self, other: Flags) -> bool {
        self.0 & other.0 != 0
    }
}

/// The types of parameters and results.
#[derive(Clone, Copy)]
pub enum Ty {
    /// Any.
    Any,
    /// `bool`.
    Bool,
    /// `number`.
    Number,
    /// `string`.
    String,
    /// `list(any)`.
    Items,
    /// `list(string)`.
    Strings,
    /// `list(number)`.
    Numbers,
    /// `list(bool)`.
    Bools,
    /// `set(any)`.
    Set,
    /// `set(string)`.
    StringSet,
    /// `map(list(string))`.
    MapOfStrings,
}

impl Ty {
    /// The type.
    pub fn get(self) -> &'static Type {
        static TYPES: LazyLock<[Type; 11]> = LazyLock::new(|| {
            [
                Type::Any,
                Type::Bool,
                Type::Number,
                Type::String,
                Type::list(Type::Any),
                Type::list(Type::String),
                Type::list(Type::Number),
                Type::list(Type::Bool),
                Type::set(Type::Any),
                Type::set(Type::String),
                Type::map(Type::list(Type::String)),
            ]
        });
        &TYPES[self as usize]
    }
}

const fn p(name: &'static str, ty: Ty) -> Param {
    Param { name, ty, flags: Flags::NONE }
}

const fn pf(name: &'static str, ty: Ty, flags: Flags) -> Param {
    Param { name, ty, flags }
}

const fn f(
    name: &'static str,
    params: &'static [Param],
    result: Ty,
    run: fn(&FnCall<'_, '_>) -> FnResult,
) -> Signature {
    Signature { name, params, rest: None, result, picks: false, run }
}

const fn rest(mut signature: Signature, param: Param) -> Signature {
    signature.rest = Some(param);
    signature
}

const fn picks(mut signature: Signature) -> Signature {
    signature.picks = true;
    signature
}

const N: Flags = Flags::NULL;
const U: Flags = Flags::UNKNOWN;
const D: Flags = Flags::DYNAMIC;
const M: Flags = Flags::MARKED;
const UD: Flags = U.and(D);
const UM: Flags = U.and(M);
const UDM: Flags = UD.and(M);
const ALL: Flags = UDM.and(N);
const NUD: Flags = UD.and(N);
const STR: Param = p("str", Ty::String);
const PATH: Param = p("path", Ty::String);

/// Every function, by name.
static TABLE: &[Signature] = &[
    picks(rest(f("coalesce", &[], Ty::Any, values::coalesce), pf("vals", Ty::Any, NUD))),
    picks(rest(f("coalescelist", &[], Ty::Any, values::coalescelist), pf("vals", Ty::Any, NUD))),
    f("ephemeralasnull", &[pf("value", Ty::Any, ALL)], Ty::Any, values::ephemeralasnull),
    rest(f("format", &[p("format", Ty::String)], Ty::String, format::format), pf("args", Ty::Any, N.and(U))),
    rest(f("formatlist", &[p("format", Ty::String)], Ty::Strings, format::formatlist), pf("args", Ty::Any, N.and(U))),
    f("issensitive", &[pf("value", Ty::Any, ALL)], Ty::Bool, values::issensitive),
    f("jsondecode", &[STR], Ty::Any, json::jsondecode),
    f("jsonencode", &[pf("val", Ty::Any, NUD)], Ty::String, json::jsonencode),
    f("nonsensitive", &[pf("value", Ty::Any, ALL)], Ty::Any, values::nonsensitive),
    f("sensitive", &[pf("value", Ty::Any, ALL)], Ty::Any, values::sensitive),
    f("tobool", &[pf("v", Ty::Any, ALL)], Ty::Bool, values::tobool),
    f("tolist", &[pf("v", Ty::Any, ALL)], Ty::Any, values::tolist),
    f("tomap", &[pf("v", Ty::Any, ALL)], Ty::Any, values::tomap),
    f("tonumber", &[pf("v", Ty::Any, ALL)], Ty::Number, values::tonumber),
    f("toset", &[pf("v", Ty::Any, ALL)], Ty::Any, values::toset),
    f("tostring", &[pf("v", Ty::Any, ALL)], Ty::String, values::tostring),
];

/// The function of a name.
pub fn find(name: &str) -> Option<&'static Signature> {
    let at = TABLE.binary_search_by(|s| s.name.cmp(name)).ok()?;
    TABLE.get(at)
}

/// The names of all functions, sorted. `try`, `can` and `templatestring` take expressions, and are among them.
pub fn names() -> Vec<&'static str> {
    let mut names: Vec<&'static str> = TABLE.iter().map(|s| s.name).chain(["can", "templatestring", "try"]).collect();
    names.sort_unstable();
    names
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_table_is_sorted() {
        assert!(super::TABLE.is_sorted_by(|a, b| a.name < b.name));
    }
}
