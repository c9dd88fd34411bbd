//! The values that templates compute with: Go's, as far as charts meet them.

use super::origin::{Place, Text};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// How deep a value may nest that a function walks through; Kubernetes' own decoder stops at ten thousand, people at thirty.
const DEPTH_LIMIT: usize = 300;

/// A value and where it came from.
#[derive(Clone, Debug)]
pub struct Value {
    /// What it is.
    pub data: Data,
    /// Where it came from; 0 where nobody knows.
    pub place: Place,
}

/// Go's types of whole numbers, for printing a type and for nothing else.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IntType {
    Int,
    Int64,
    Int32,
    Uint64,
    Uint8,
}

/// What a list's or map's members are declared as.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Members {
    /// `interface {}`
    Any,
    /// `string`
    Strings,
    /// `uint8`, so that the list is a byte slice.
    Bytes,
}

/// What a value is.
#[derive(Clone, Debug)]
pub enum Data {
    /// No value at all: an empty reflection in Go. Fields of it are again no value.
    Missing,
    /// A nil interface: fields of it are an error.
    Nil,
    Bool(bool),
    Int(i64, IntType),
    Float(f64),
    String(Text),
    List(Rc<Vec<Value>>, Members),
    Map(MapRef),
    /// A struct or another object with fields and methods.
    Object(Rc<Object>),
}

/// A map, shared: `set` changes it for everyone who holds it.
#[derive(Clone, Debug)]
pub struct MapRef {
    entries: Rc<RefCell<BTreeMap<Rc<str>, Value>>>,
    /// Whether it is of the type of chart values, which some functions do not take for a plain map.
    pub is_values: bool,
    /// What its members are.
    pub members: Members,
}

/// Things with fields and methods.
#[derive(Debug)]
pub enum Object {
    /// A struct: a field it does not have is an error.
    Struct { type_name: &'static str, fields: Vec<(&'static str, Value)> },
    /// `.Files`
    Files(Vec<(Rc<str>, Rc<FileEntry>)>),
    /// `.Capabilities.APIVersions`
    ApiVersions(Vec<Rc<str>>),
    /// `.Capabilities.KubeVersion`
    KubeVersion { version: Rc<str>, major: Rc<str>, minor: Rc<str> },
    /// The result of `semver`.
    Semver { version: semver::Version, original: Rc<str> },
    /// A time with its offset from UTC.
    Time(jiff::Zoned),
    /// A `time.Duration` in nanoseconds: what subtracting times gives in Go.
    #[expect(dead_code, reason = "templates reach it only through methods of times that charts do not call")]
    Duration(i64),
}

/// A file of a chart that templates may read.
#[derive(Debug)]
pub struct FileEntry {
    /// Its text.
    pub text: Rc<str>,
    /// Its place.
    pub place: Place,
}

impl From<Data> for Value {
    fn from(data: Data) -> Value {
        Value { data, place: 0 }
    }
}

impl From<&str> for Value {
    fn from(s: &str) -> Value {
        Data::String(s.into()).into()
    }
}

impl From<String> for Value {
    fn from(s: String) -> Value {
        Data::String(s.into()).into()
    }
}

impl From<Text> for Value {
    fn from(text: Text) -> Value {
        Data::String(text).into()
    }
}

impl From<bool> for Value {
    fn from(b: bool) -> Value {
        Data::Bool(b).into()
    }
}

impl From<f64> for Value {
    fn from(f: f64) -> Value {
        Data::Float(f).into()
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Value {
        Data::List(Rc::new(items), Members::Any).into()
    }
}

impl From<MapRef> for Value {
    fn from(map: MapRef) -> Value {
        Data::Map(map).into()
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Value {
        Data::Object(Rc::new(object)).into()
    }
}

impl Value {
    /// Nothing.
    pub fn nil() -> Value {
        Data::Nil.into()
    }

    /// A number of Go's type `int`.
    pub fn int(n: i64) -> Value {
        Data::Int(n, IntType::Int).into()
    }

    /// A number of Go's type `int64`.
    pub fn int64(n: i64) -> Value {
        Data::Int(n, IntType::Int64).into()
    }

    /// A `[]string`.
    pub fn strings(items: impl IntoIterator<Item = impl Into<Value>>) -> Value {
        Data::List(Rc::new(items.into_iter().map(Into::into).collect()), Members::Strings).into()
    }

    /// The same value from this place, where it has none yet.
    #[must_use]
    pub fn at(mut self, place: Place) -> Value {
        if self.place == 0 {
            self.place = place;
        }
        self
    }

    /// Whether it is nil or nothing.
    pub fn is_nil(&self) -> bool {
        matches!(self.data, Data::Nil | Data::Missing)
    }

    /// The map, where it is one.
    pub fn as_map(&self) -> Option<&MapRef> {
        match &self.data {
            Data::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The list, where it is one.
    pub fn as_list(&self) -> Option<&Rc<Vec<Value>>> {
        match &self.data {
            Data::List(items, _) => Some(items),
            _ => None,
        }
    }

    /// The text, where it is one.
    pub fn as_text(&self) -> Option<&Text> {
        match &self.data {
            Data::String(text) => Some(text),
            _ => None,
        }
    }

    /// The string, where it is one.
    pub fn as_str(&self) -> Option<&str> {
        self.as_text().map(|t| &*t.s)
    }

    /// Go's truth of a value: not the zero of its type, not empty.
    pub fn truth(&self) -> bool {
        match &self.data {
            Data::Missing | Data::Nil => false,
            Data::Bool(b) => *b,
            Data::Int(n, _) => *n != 0,
            Data::Float(f) => *f != 0.0,
            Data::String(text) => !text.s.is_empty(),
            Data::List(items, _) => !items.is_empty(),
            Data::Map(map) => !map.is_empty(),
            Data::Object(object) => match &**object {
                Object::Files(files) => !files.is_empty(),
                Object::ApiVersions(versions) => !versions.is_empty(),
                Object::Duration(n) => *n != 0,
                _ => true,
            },
        }
    }

    /// The name of Go's type, as `%T` prints it.
    pub fn type_name(&self) -> &'static str {
        match &self.data {
            Data::Missing | Data::Nil => "<nil>",
            Data::Bool(_) => "bool",
            Data::Int(_, IntType::Int) => "int",
            Data::Int(_, IntType::Int64) => "int64",
            Data::Int(_, IntType::Int32) => "int32",
            Data::Int(_, IntType::Uint64) => "uint64",
            Data::Int(_, IntType::Uint8) => "uint8",
            Data::Float(_) => "float64",
            Data::String(_) => "string",
            Data::List(_, Members::Any) => "[]interface {}",
            Data::List(_, Members::Strings) => "[]string",
            Data::List(_, Members::Bytes) => "[]uint8",
            Data::Map(map) => match (map.is_values, map.members) {
                (true, _) => "common.Values",
                (_, Members::Any) => "map[string]interface {}",
                (_, Members::Strings) => "map[string]string",
                (_, Members::Bytes) => "map[string][]uint8",
            },
            Data::Object(object) => match &**object {
                Object::Struct { type_name, .. } => type_name,
                Object::Files(_) => "engine.files",
                Object::ApiVersions(_) => "common.VersionSet",
                Object::KubeVersion { .. } => "common.KubeVersion",
                Object::Semver { .. } => "*semver.Version",
                Object::Time(_) => "time.Time",
                Object::Duration(_) => "time.Duration",
            },
        }
    }

    /// The name of Go's kind.
    pub fn kind_name(&self) -> &'static str {
        match &self.data {
            Data::Missing | Data::Nil => "invalid",
            Data::List(..) => "slice",
            Data::Map(_) => "map",
            Data::Object(object) => match &**object {
                Object::Files(_) => "map",
                Object::ApiVersions(_) => "slice",
                Object::Semver { .. } => "ptr",
                Object::Duration(_) => "int64",
                _ => "struct",
            },
            _ => self.type_name(),
        }
    }

    /// What it costs to make this value, in steps: a step for each member of a list or map, for each piece of a text that
    /// comes from a place of its own, and for every 32 bytes of text.
    pub fn size(&self) -> usize {
        match &self.data {
            Data::String(text) => text.pieces.as_ref().map_or(0, |pieces| pieces.len()) + text.s.len() / 32,
            Data::List(items, _) => items.len(),
            Data::Map(map) => map.len(),
            _ => 0,
        }
    }

    /// Takes from `steps` what it costs to walk through this value. Lists and maps may be shared, so that a short template
    /// makes a value of which a walk would never end, or which holds itself.
    ///
    /// # Errors
    /// Where the steps do not suffice, or the value is nested deeper than anything that is written out may be.
    pub fn weigh(&self, steps: &mut usize) -> Result<(), &'static str> {
        self.weigh_below(steps, 0)
    }

    fn weigh_below(&self, steps: &mut usize, depth: usize) -> Result<(), &'static str> {
        if depth > DEPTH_LIMIT {
            return Err("the value nests too deeply, or holds itself");
        }
        *steps = steps.checked_sub(1 + self.size()).ok_or("the template runs for too long")?;
        match &self.data {
            Data::List(items, _) => items.iter().try_for_each(|item| item.weigh_below(steps, depth + 1)),
            Data::Map(map) => map.try_for_each(|item| item.weigh_below(steps, depth + 1)),
            _ => Ok(()),
        }
    }

    /// A copy that shares no map with this value.
    pub fn deep_copy(&self) -> Value {
        let data = match &self.data {
            Data::List(items, members) => Data::List(Rc::new(items.iter().map(Value::deep_copy).collect()), *members),
            Data::Map(map) => Data::Map(map.deep_copy()),
            other => other.clone(),
        };
        Value { data, place: self.place }
    }

    /// Go's `reflect.DeepEqual` of two values.
    pub fn deep_equal(&self, other: &Value) -> bool {
        match (&self.data, &other.data) {
            (Data::Missing | Data::Nil, Data::Missing | Data::Nil) => true,
            (Data::Bool(a), Data::Bool(b)) => a == b,
            (Data::Int(a, s), Data::Int(b, t)) => a == b && s == t,
            (Data::Float(a), Data::Float(b)) => a == b,
            (Data::String(a), Data::String(b)) => a.s == b.s,
            (Data::List(a, s), Data::List(b, t)) => {
                s == t && a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| a.deep_equal(b))
            }
            (Data::Map(a), Data::Map(b)) => {
                a.is_same(b)
                    || (a.is_values == b.is_values
                        && a.len() == b.len()
                        && a.entries().iter().all(|(k, v)| b.get(k).is_some_and(|w| v.deep_equal(&w))))
            }
            (Data::Object(a), Data::Object(b)) => match (&**a, &**b) {
                (Object::Semver { version: a, .. }, Object::Semver { version: b, .. }) => a == b,
                (Object::Time(a), Object::Time(b)) => a == b,
                (Object::Duration(a), Object::Duration(b)) => a == b,
                _ => Rc::ptr_eq(a, b),
            },
            _ => false,
        }
    }
}

impl Default for MapRef {
    fn default() -> MapRef {
        MapRef { entries: Rc::default(), is_values: false, members: Members::Any }
    }
}

impl FromIterator<(Rc<str>, Value)> for MapRef {
    fn from_iter<T: IntoIterator<Item = (Rc<str>, Value)>>(entries: T) -> MapRef {
        MapRef {
            entries: Rc::new(RefCell::new(entries.into_iter().collect())),
            is_values: false,
            members: Members::Any,
        }
    }
}

impl MapRef {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<Value> {
        self.entries.borrow().get(key).cloned()
    }

    /// Sets a key.
    pub fn set(&self, key: impl Into<Rc<str>>, value: Value) {
        self.entries.borrow_mut().insert(key.into(), value);
    }

    /// Removes a key.
    pub fn remove(&self, key: &str) {
        self.entries.borrow_mut().remove(key);
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.borrow().len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.borrow().is_empty()
    }

    /// The entries in the order of keys, as they are now.
    pub fn entries(&self) -> Vec<(Rc<str>, Value)> {
        self.entries.borrow().iter().map(|(k, v)| (k.clone(), v.clone())).collect()
    }

    /// Calls a function with each value until it fails.
    fn try_for_each<E>(&self, visit: impl FnMut(&Value) -> Result<(), E>) -> Result<(), E> {
        self.entries.borrow().values().try_for_each(visit)
    }

    /// The keys in order, as they are now.
    pub fn keys(&self) -> Vec<Rc<str>> {
        self.entries.borrow().keys().cloned().collect()
    }

    /// Whether both are the very same map.
    pub fn is_same(&self, other: &MapRef) -> bool {
        Rc::ptr_eq(&self.entries, &other.entries)
    }

    /// The same map under the type of chart values, or without it.
    #[must_use]
    pub fn as_values(&self, is_values: bool) -> MapRef {
        MapRef { is_values, ..self.clone() }
    }

    /// The same map with members of this type.
    #[must_use]
    pub fn with_members(&self, members: Members) -> MapRef {
        MapRef { members, ..self.clone() }
    }

    /// A copy that shares nothing.
    pub fn deep_copy(&self) -> MapRef {
        let entries = self.entries.borrow().iter().map(|(k, v)| (k.clone(), v.deep_copy())).collect();
        MapRef { entries: Rc::new(RefCell::new(entries)), is_values: self.is_values, members: self.members }
    }

    /// A copy that shares the values.
    pub fn shallow_copy(&self) -> MapRef {
        let entries = self.entries.borrow().clone();
        MapRef { entries: Rc::new(RefCell::new(entries)), is_values: self.is_values, members: self.members }
    }
}
