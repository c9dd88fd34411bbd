//! The table of functions: their parameters, as Terraform declares them, and what runs them.

use super::{
    FnCall, FnResult, collections, encoding, files, format, hash, json, network, numeric, regexes, rsa, sets, strings,
    tfvars, time, values, yaml,
};
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
    /// Whether the result is a part of the arguments, with the references and marks of that part alone.
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
    f("abs", &[p("num", Ty::Number)], Ty::Number, numeric::abs),
    f("abspath", &[PATH], Ty::String, files::abspath),
    f("alltrue", &[pf("list", Ty::Bools, U)], Ty::Bool, collections::alltrue),
    f("anytrue", &[pf("list", Ty::Bools, U)], Ty::Bool, collections::anytrue),
    f("base64decode", &[STR], Ty::String, encoding::base64decode),
    f("base64encode", &[STR], Ty::String, encoding::base64encode),
    f("base64gzip", &[STR], Ty::String, encoding::base64gzip),
    f("base64sha256", &[STR], Ty::String, hash::base64sha256),
    f("base64sha512", &[STR], Ty::String, hash::base64sha512),
    f("basename", &[pf("path", Ty::String, U)], Ty::String, files::basename),
    rest(f("bcrypt", &[STR], Ty::String, hash::bcrypt), p("cost", Ty::Number)),
    f("ceil", &[p("num", Ty::Number)], Ty::Number, numeric::ceil),
    f("chomp", &[STR], Ty::String, strings::chomp),
    f("chunklist", &[pf("list", Ty::Items, M), pf("size", Ty::Number, M)], Ty::Any, collections::chunklist),
    f("cidrhost", &[p("prefix", Ty::String), p("hostnum", Ty::Number)], Ty::String, network::cidrhost),
    f("cidrnetmask", &[p("prefix", Ty::String)], Ty::String, network::cidrnetmask),
    f(
        "cidrsubnet",
        &[p("prefix", Ty::String), p("newbits", Ty::Number), p("netnum", Ty::Number)],
        Ty::String,
        network::cidrsubnet,
    ),
    rest(f("cidrsubnets", &[p("prefix", Ty::String)], Ty::Strings, network::cidrsubnets), p("newbits", Ty::Number)),
    picks(rest(f("coalesce", &[], Ty::Any, values::coalesce), pf("vals", Ty::Any, NUD))),
    picks(rest(f("coalescelist", &[], Ty::Any, values::coalescelist), pf("vals", Ty::Any, NUD))),
    f("compact", &[p("list", Ty::Strings)], Ty::Strings, collections::compact),
    rest(f("concat", &[], Ty::Any, collections::concat), pf("seqs", Ty::Any, UM)),
    f("contains", &[p("list", Ty::Any), pf("value", Ty::Any, D)], Ty::Bool, collections::contains),
    f("csvdecode", &[STR], Ty::Any, encoding::csvdecode),
    f("dirname", &[PATH], Ty::String, files::dirname),
    f("distinct", &[p("list", Ty::Items)], Ty::Any, collections::distinct),
    picks(f("element", &[pf("list", Ty::Any, UM), p("index", Ty::Number)], Ty::Any, collections::element)),
    f("endswith", &[pf("str", Ty::String, U), p("suffix", Ty::String)], Ty::Bool, strings::endswith),
    picks(f("ephemeralasnull", &[pf("value", Ty::Any, ALL)], Ty::Any, values::ephemeralasnull)),
    f("file", &[PATH], Ty::String, files::file),
    f("filebase64", &[PATH], Ty::String, files::filebase64),
    f("filebase64sha256", &[PATH], Ty::String, files::filebase64sha256),
    f("filebase64sha512", &[PATH], Ty::String, files::filebase64sha512),
    f("fileexists", &[PATH], Ty::Bool, files::fileexists),
    f("filemd5", &[PATH], Ty::String, files::filemd5),
    f("fileset", &[PATH, p("pattern", Ty::String)], Ty::StringSet, files::fileset),
    f("filesha1", &[PATH], Ty::String, files::filesha1),
    f("filesha256", &[PATH], Ty::String, files::filesha256),
    f("filesha512", &[PATH], Ty::String, files::filesha512),
    f("flatten", &[pf("list", Ty::Any, UM)], Ty::Any, collections::flatten),
    f("floor", &[p("num", Ty::Number)], Ty::Number, numeric::floor),
    rest(f("format", &[p("format", Ty::String)], Ty::String, format::format), pf("args", Ty::Any, N.and(U))),
    f("formatdate", &[p("format", Ty::String), p("time", Ty::String)], Ty::String, time::formatdate),
    rest(f("formatlist", &[p("format", Ty::String)], Ty::Strings, format::formatlist), pf("args", Ty::Any, N.and(U))),
    f("indent", &[p("spaces", Ty::Number), STR], Ty::String, strings::indent),
    f("index", &[p("list", Ty::Any), p("value", Ty::Any)], Ty::Number, collections::index),
    picks(f("issensitive", &[pf("value", Ty::Any, ALL)], Ty::Bool, values::issensitive)),
    rest(f("join", &[p("separator", Ty::String)], Ty::String, strings::join), pf("lists", Ty::Strings, U)),
    f("jsondecode", &[STR], Ty::Any, json::jsondecode),
    f("jsonencode", &[pf("val", Ty::Any, NUD)], Ty::String, json::jsonencode),
    f("keys", &[pf("inputMap", Ty::Any, UM)], Ty::Any, collections::keys),
    f("length", &[pf("value", Ty::Any, UDM)], Ty::Number, collections::length),
    f("log", &[p("num", Ty::Number), p("base", Ty::Number)], Ty::Number, numeric::log),
    picks(rest(
        f("lookup", &[pf("inputMap", Ty::Any, UM), pf("key", Ty::String, M)], Ty::Any, collections::lookup),
        pf("default", Ty::Any, ALL),
    )),
    f("lower", &[STR], Ty::String, strings::lower),
    f(
        "matchkeys",
        &[p("values", Ty::Items), p("keys", Ty::Items), p("searchset", Ty::Items)],
        Ty::Any,
        collections::matchkeys,
    ),
    rest(f("max", &[], Ty::Number, numeric::max), p("numbers", Ty::Number)),
    f("md5", &[STR], Ty::String, hash::md5),
    rest(f("merge", &[], Ty::Any, collections::merge), pf("maps", Ty::Any, ALL)),
    rest(f("min", &[], Ty::Number, numeric::min), p("numbers", Ty::Number)),
    picks(f("nonsensitive", &[pf("value", Ty::Any, ALL)], Ty::Any, values::nonsensitive)),
    picks(f("one", &[p("list", Ty::Any)], Ty::Any, collections::one)),
    f("parseint", &[p("number", Ty::Any), p("base", Ty::Number)], Ty::Number, numeric::parseint),
    f("pathexpand", &[PATH], Ty::String, files::pathexpand),
    f("plantimestamp", &[], Ty::String, time::plantimestamp),
    f("pow", &[p("num", Ty::Number), p("power", Ty::Number)], Ty::Number, numeric::pow),
    rest(f("range", &[], Ty::Numbers, numeric::range), p("params", Ty::Number)),
    f("regex", &[p("pattern", Ty::String), p("string", Ty::String)], Ty::Any, regexes::regex),
    f("regexall", &[p("pattern", Ty::String), p("string", Ty::String)], Ty::Any, regexes::regexall),
    f("replace", &[STR, p("substr", Ty::String), p("replace", Ty::String)], Ty::String, strings::replace),
    f("reverse", &[pf("list", Ty::Any, M)], Ty::Any, collections::reverse),
    f("rsadecrypt", &[p("ciphertext", Ty::String), p("privatekey", Ty::String)], Ty::String, rsa::rsadecrypt),
    f("sensitive", &[pf("value", Ty::Any, ALL)], Ty::Any, values::sensitive),
    rest(f("setintersection", &[p("first_set", Ty::Set)], Ty::Any, sets::intersection), p("other_sets", Ty::Set)),
    rest(f("setproduct", &[], Ty::Any, sets::product), pf("sets", Ty::Any, UM)),
    f("setsubtract", &[p("a", Ty::Set), p("b", Ty::Set)], Ty::Any, sets::subtract),
    rest(f("setunion", &[p("first_set", Ty::Set)], Ty::Any, sets::union), p("other_sets", Ty::Set)),
    f("sha1", &[STR], Ty::String, hash::sha1),
    f("sha256", &[STR], Ty::String, hash::sha256),
    f("sha512", &[STR], Ty::String, hash::sha512),
    f("signum", &[p("num", Ty::Number)], Ty::Number, numeric::signum),
    f(
        "slice",
        &[pf("list", Ty::Any, M), p("start_index", Ty::Number), p("end_index", Ty::Number)],
        Ty::Any,
        collections::slice,
    ),
    f("sort", &[pf("list", Ty::Strings, U)], Ty::Strings, collections::sort),
    f("split", &[p("separator", Ty::String), STR], Ty::Strings, strings::split),
    f("startswith", &[pf("str", Ty::String, U), p("prefix", Ty::String)], Ty::Bool, strings::startswith),
    f("strcontains", &[STR, p("substr", Ty::String)], Ty::Bool, strings::strcontains),
    f("strrev", &[STR], Ty::String, strings::strrev),
    f("substr", &[STR, p("offset", Ty::Number), p("length", Ty::Number)], Ty::String, strings::substr),
    f("sum", &[p("list", Ty::Any)], Ty::Number, numeric::sum),
    f("templatefile", &[PATH, pf("vars", Ty::Any, UD)], Ty::Any, files::templatefile),
    f(
        "textdecodebase64",
        &[p("source", Ty::String), p("encoding", Ty::String)],
        Ty::String,
        encoding::textdecodebase64,
    ),
    f(
        "textencodebase64",
        &[p("string", Ty::String), p("encoding", Ty::String)],
        Ty::String,
        encoding::textencodebase64,
    ),
    f("timeadd", &[p("timestamp", Ty::String), p("duration", Ty::String)], Ty::String, time::timeadd),
    f("timecmp", &[p("timestamp_a", Ty::String), p("timestamp_b", Ty::String)], Ty::Number, time::timecmp),
    f("timestamp", &[], Ty::String, time::timestamp),
    f("title", &[STR], Ty::String, strings::title),
    f("tobool", &[pf("v", Ty::Any, ALL)], Ty::Bool, values::tobool),
    f("tolist", &[pf("v", Ty::Any, ALL)], Ty::Any, values::tolist),
    f("tomap", &[pf("v", Ty::Any, ALL)], Ty::Any, values::tomap),
    f("tonumber", &[pf("v", Ty::Any, ALL)], Ty::Number, values::tonumber),
    f("toset", &[pf("v", Ty::Any, ALL)], Ty::Any, values::toset),
    f("tostring", &[pf("v", Ty::Any, ALL)], Ty::String, values::tostring),
    f("transpose", &[p("values", Ty::MapOfStrings)], Ty::MapOfStrings, collections::transpose),
    f("trim", &[STR, p("cutset", Ty::String)], Ty::String, strings::trim),
    f("trimprefix", &[STR, p("prefix", Ty::String)], Ty::String, strings::trimprefix),
    f("trimspace", &[STR], Ty::String, strings::trimspace),
    f("trimsuffix", &[STR, p("suffix", Ty::String)], Ty::String, strings::trimsuffix),
    f("upper", &[STR], Ty::String, strings::upper),
    f("urlencode", &[STR], Ty::String, encoding::urlencode),
    f("uuid", &[], Ty::String, hash::uuid),
    f("uuidv5", &[p("namespace", Ty::String), p("name", Ty::String)], Ty::String, hash::uuidv5),
    f("values", &[pf("mapping", Ty::Any, UM)], Ty::Any, collections::values),
    f("yamldecode", &[p("src", Ty::String)], Ty::Any, yaml::yamldecode),
    f("yamlencode", &[pf("value", Ty::Any, NUD)], Ty::String, yaml::yamlencode),
    f("zipmap", &[pf("keys", Ty::Strings, UM), pf("values", Ty::Any, UM)], Ty::Any, collections::zipmap),
];

/// The functions of Terraform's own provider.
static OWN: &[Signature] = &[
    f("decode_tfvars", &[p("src", Ty::String)], Ty::Any, tfvars::decode_tfvars),
    f("encode_expr", &[p("value", Ty::Any)], Ty::String, tfvars::encode_expr),
    f("encode_tfvars", &[p("value", Ty::Any)], Ty::String, tfvars::encode_tfvars),
];

/// The function of a name in `provider::terraform::`.
pub fn find_own(name: &str) -> Option<&'static Signature> {
    OWN.iter().find(|s| s.name == name)
}

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
        assert_eq!(super::names().len(), 118);
    }
}
