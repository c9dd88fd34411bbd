//! The functions that templates may call: Go's own, sprig's and Helm's.
//!
//! A function has a signature, one letter a parameter: `s` string, `i` int, `f` float64, `b` bool, `m` map of anything,
//! `l` list of anything, `a` anything; a final `*` lets the last one repeat. The executor checks the types as Go's
//! reflection does, so that a wrong type is an error here where it is one in Helm.

mod collections;
mod encode;
mod general;
mod math;
mod regexes;
mod strings;
mod toml;
mod urls;
pub mod versions;

pub use encode::{json_kind, of_json};

use super::exec::{Engine, Executed};
use super::value::{Data, IntType, Members, Value};
use crate::base::FastMap;
use std::rc::Rc;
use std::sync::OnceLock;

/// A function of templates.
pub struct Function {
    /// Its parameters.
    pub signature: &'static str,
    /// What it does.
    pub run: fn(&mut Engine, &[Value]) -> Executed<Value>,
}

/// A row of a table of functions: name, signature, code.
pub type Row = (&'static str, &'static str, fn(&mut Engine, &[Value]) -> Executed<Value>);

/// The function of a name.
pub fn lookup(name: &str) -> Option<&'static Function> {
    static TABLE: OnceLock<FastMap<&'static str, Function>> = OnceLock::new();
    TABLE
        .get_or_init(|| {
            let tables: [&[Row]; 9] = [
                general::ROWS,
                strings::ROWS,
                collections::ROWS,
                math::ROWS,
                encode::ROWS,
                regexes::ROWS,
                urls::ROWS,
                versions::ROWS,
                super::dates::ROWS,
            ];
            tables
                .iter()
                .flat_map(|t| t.iter())
                .map(|&(name, signature, run)| (name, Function { signature, run }))
                .collect()
        })
        .get(name)
}

/// Whether a function looks at no more than the members of a list or map, or hands a value on as it is. Every other walks
/// through the whole of it.
pub fn looks_at_the_surface(name: &str) -> bool {
    matches!(
        name.strip_prefix("must").unwrap_or(name),
        "list"
            | "tuple"
            | "dict"
            | "get"
            | "unset"
            | "hasKey"
            | "keys"
            | "values"
            | "pick"
            | "omit"
            | "pluck"
            | "dig"
            | "index"
            | "len"
            | "include"
            | "tpl"
            | "default"
            | "empty"
            | "coalesce"
            | "all"
            | "any"
            | "ternary"
            | "not"
            | "typeOf"
            | "typeIs"
            | "typeIsLike"
            | "kindOf"
            | "kindIs"
            | "required"
            | "concat"
            | "first"
            | "First"
            | "last"
            | "Last"
            | "Rest"
            | "rest"
            | "Initial"
            | "initial"
            | "Append"
            | "append"
            | "Push"
            | "push"
            | "Prepend"
            | "prepend"
            | "Reverse"
            | "reverse"
            | "Slice"
            | "slice"
            | "Chunk"
            | "chunk"
    )
}

/// A byte slice of a text.
pub fn bytes_value(text: &str) -> Value {
    let bytes = text.bytes().map(|b| Data::Int(i64::from(b), IntType::Uint8).into()).collect();
    Data::List(Rc::new(bytes), Members::Bytes).into()
}

/// The string of an argument that the signature says is one.
fn text(arguments: &[Value], i: usize) -> &str {
    arguments.get(i).and_then(Value::as_str).unwrap_or("")
}

/// The number of an argument that the signature says is one.
fn number(arguments: &[Value], i: usize) -> i64 {
    match arguments.get(i).map(|v| &v.data) {
        Some(Data::Int(n, _)) => *n,
        _ => 0,
    }
}

/// An argument; nil where it is absent.
fn argument(arguments: &[Value], i: usize) -> Value {
    arguments.get(i).cloned().unwrap_or_else(Value::nil)
}

/// What the escaping functions escape: their arguments as `print` writes them, nil as templates write it.
fn printed(arguments: &[Value]) -> String {
    let given: Vec<Value> =
        arguments.iter().map(|v| if v.is_nil() { Value::from("<no value>") } else { v.clone() }).collect();
    general::print(&given).s.to_string()
}

/// sprig's notion of empty.
pub fn is_empty(value: &Value) -> bool {
    match &value.data {
        Data::Missing | Data::Nil => true,
        Data::Object(_) => false,
        _ => !value.truth(),
    }
}
