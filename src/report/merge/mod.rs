//! One report of several, in the formats that hold all there is: for runs that shared the work.
//!
//! What two reports both say is said once, so runs may overlap. The order is that of a single run.

mod json;
mod sarif;

use super::wire;
use crate::base::FastMap;
use crate::diagnostic::Severity;
use serde_json::{Map, Value};
use std::io::{self, Write};

/// The formats whose reports can be joined.
pub static MERGEABLE: [&str; 2] = ["json", "sarif"];

/// Several reports as one.
#[derive(Debug)]
pub struct Joined {
    /// The report.
    pub text: Vec<u8>,
    /// The worst severity among its findings, without those that are ignored or were there before.
    pub worst: Option<Severity>,
}

/// Joins reports of one format, JSON or SARIF.
///
/// # Errors
///
/// The index of the report that cannot be joined with the others, and why.
pub fn merge<'a>(texts: impl IntoIterator<Item = &'a [u8]>) -> Result<Joined, (usize, String)> {
    let mut documents: Vec<Map<String, Value>> = Vec::new();
    for (index, text) in texts.into_iter().enumerate() {
        // Windows' editors and shells put a mark before a text.
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        match serde_json::from_slice(text) {
            Ok(Value::Object(document)) => documents.push(document),
            Ok(_) => return Err((index, "this is no report of stacklint".to_owned())),
            Err(error) if text.trim_ascii().is_empty() => {
                return Err((index, format!("it is empty: did the run that wrote it end early? ({error})")));
            }
            Err(error) => return Err((index, format!("this is no JSON: {error}"))),
        }
    }
    let is_sarif = |document: &Map<String, Value>| document.contains_key("runs");
    let sarif = documents.first().is_some_and(is_sarif);
    if let Some(index) = documents.iter().position(|d| is_sarif(d) != sarif) {
        let name = |sarif| if sarif { "SARIF" } else { "JSON" };
        return Err((index, format!("it is {}, the first report is {}", name(!sarif), name(sarif))));
    }
    if sarif { sarif::merge(documents) } else { json::merge(documents) }
}

/// The items of several lists; those that an earlier list has as well are left out as often as it has them.
fn union(lists: impl IntoIterator<Item = Vec<Value>>, key: impl Fn(&Value) -> String) -> Vec<Value> {
    let mut seen: FastMap<String, usize> = FastMap::default();
    let mut all = Vec::new();
    for list in lists {
        let mut mine: FastMap<String, usize> = FastMap::default();
        for item in list {
            let key = key(&item);
            let n = mine.entry(key.clone()).or_default();
            *n += 1;
            let known = seen.entry(key).or_default();
            if *n > *known {
                *known = *n;
                all.push(item);
            }
        }
    }
    all
}

/// Takes a list out of an object; nothing where there is none.
fn take_list(object: &mut Map<String, Value>, name: &str) -> Vec<Value> {
    match object.get_mut(name).map(Value::take) {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    }
}

fn number(value: Option<&Value>) -> u64 {
    value.and_then(Value::as_u64).unwrap_or(0)
}

/// Adds the numbers of one object to those of another, name by name.
fn add(into: &mut Map<String, Value>, from: &Map<String, Value>) {
    for (name, value) in from {
        let sum = number(into.get(name)) + number(Some(value));
        into.insert(name.clone(), sum.into());
    }
}

/// Writes an object with each of its lists one item a line, as the reporters do.
fn write_object(object: &Map<String, Value>, out: &mut dyn Write) -> io::Result<()> {
    for (i, (name, value)) in object.iter().enumerate() {
        out.write_all(if i == 0 { b"{" } else { b",\n" })?;
        wire::write(name, out)?;
        out.write_all(b": ")?;
        match value {
            Value::Array(items) => wire::write_lines(items.iter(), out)?,
            value => wire::write(value, out)?,
        }
    }
    out.write_all(if object.is_empty() { b"{}" } else { b"}" })
}

/// What makes the order of findings that stand at the same place, and tells them apart.
fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or("")
}

/// Writing to memory does not fail; should it all the same, the first report is as good a place to say so as any.
fn written(result: io::Result<Vec<u8>>) -> Result<Vec<u8>, (usize, String)> {
    result.map_err(|error| (0, error.to_string()))
}
