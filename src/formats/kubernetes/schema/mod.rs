//! What the Kubernetes API accepts: kinds, fields and types of all releases in `api.txt` (`compact.py` says how it is made and what its form is).
//!
//! The table is text inside the binary. It is indexed when the first object is looked at; a type's fields are read when the type first occurs.

mod check;

pub use check::{annotate, problems};

use crate::base::FastMap;
use std::sync::OnceLock;

static TEXT: &str = include_str!("api.txt");

/// The table.
#[derive(Debug)]
pub struct Api {
    types: FastMap<&'static str, Type>,
    kinds: FastMap<(&'static str, &'static str), Kind>,
    gone: FastMap<(&'static str, &'static str), Gone>,
    groups: FastMap<&'static str, ()>,
    /// The last release that the table knows.
    pub newest: Release,
}

/// A release, such as 1.29, as its two numbers.
pub type Release = (u32, u32);

/// Reads `1.29` or `v1.29.3`.
pub fn release(text: &str) -> Option<Release> {
    let mut parts = text.trim_start_matches('v').split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// An object of the API.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// Its type's name.
    pub ty: &'static str,
    /// The first release that serves it, where the table knows older ones.
    pub since: Option<Release>,
}

/// An API version that is no longer served.
#[derive(Clone, Copy, Debug)]
pub struct Gone {
    /// The first release without it.
    pub removed: Release,
    /// The API version to use instead.
    pub replacement: Option<&'static str>,
}

/// A type with named fields.
#[derive(Debug)]
pub struct Type {
    /// Its name, without package.
    pub name: &'static str,
    /// Nothing is known of its fields: everything is allowed.
    pub open: bool,
    body: &'static str,
    fields: OnceLock<Vec<Field>>,
}

/// A field of a type.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub shape: Shape,
    /// Whether it must be there.
    pub required: bool,
    /// The keys by which elements of the list are told apart and merged, separated by commas; the first is the one of strategic merge patches.
    pub keys: Option<&'static str>,
    /// The first release that has it, where the table knows older ones.
    pub since: Option<Release>,
    /// The last release that had it.
    pub until: Option<Release>,
}

/// What a field holds, as it is written in the table: see `compact.py`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shape(&'static str);

/// A [`Shape`] taken apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the words explain themselves")]
pub enum Holds {
    String,
    Bool,
    Integer,
    Number,
    IntegerOrString,
    Quantity,
    Time,
    Base64,
    Object,
    Anything,
    List(Shape),
    Map(Shape),
    /// The name of a type.
    Type(&'static str),
}

impl Shape {
    /// What it means.
    pub fn holds(self) -> Holds {
        match self.0 {
            "s" => Holds::String,
            "b" => Holds::Bool,
            "i" => Holds::Integer,
            "n" => Holds::Number,
            "p" => Holds::IntegerOrString,
            "q" => Holds::Quantity,
            "t" => Holds::Time,
            "y" => Holds::Base64,
            "o" => Holds::Object,
            "*" | "" => Holds::Anything,
            text => {
                let inner = |open, close| text.strip_prefix(open).and_then(|t| t.strip_suffix(close)).map(Shape);
                match (inner('[', ']'), inner('{', '}')) {
                    (Some(item), _) => Holds::List(item),
                    (_, Some(value)) => Holds::Map(value),
                    _ => Holds::Type(text),
                }
            }
        }
    }
}

impl Api {
    /// The table, read on first use.
    pub fn get() -> &'static Api {
        static API: OnceLock<Api> = OnceLock::new();
        API.get_or_init(|| Api::read(TEXT))
    }

    fn read(text: &'static str) -> Api {
        let mut api = Api {
            types: FastMap::default(),
            kinds: FastMap::default(),
            gone: FastMap::default(),
            groups: FastMap::default(),
            newest: (1, 0),
        };
        let mut rest = text;
        while !rest.is_empty() {
            let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
            rest = after;
            let mut words = line.split(' ');
            let (word, a, b, c) = (words.next(), words.next(), words.next(), words.next());
            match (word, a, b, c) {
                (Some("releases"), Some(_), Some(newest), _) => api.newest = release(newest).unwrap_or(api.newest),
                (Some("gone"), Some(version), Some(kind), Some(removed)) => {
                    let replacement = words.next().filter(|r| *r != "-");
                    let gone = Gone { removed: release(removed).unwrap_or((1, 0)), replacement };
                    api.gone.insert((version, kind), gone);
                    api.groups.insert(super::kinds::group(version), ());
                }
                (Some("kind"), Some(version), Some(kind), Some(ty)) => {
                    let (ty, since, _) = flags(ty);
                    api.kinds.insert((version, kind), Kind { ty, since });
                    api.groups.insert(super::kinds::group(version), ());
                }
                (Some("type"), Some(name), open, _) => {
                    let end = fields_end(rest);
                    let (body, after) = rest.split_at(end);
                    rest = after;
                    api.types.insert(name, Type { name, open: open.is_some(), body, fields: OnceLock::new() });
                }
                _ => {}
            }
        }
        api
    }

    /// An object of the API.
    pub fn kind(&self, api_version: &str, kind: &str) -> Option<Kind> {
        // The map's keys live as long as the program; a shorter question is found all the same.
        let kinds: &FastMap<(&str, &str), Kind> = &self.kinds;
        kinds.get(&(api_version, kind)).copied()
    }

    /// What became of an API version that is no longer served.
    pub fn gone(&self, api_version: &str, kind: &str) -> Option<Gone> {
        let gone: &FastMap<(&str, &str), Gone> = &self.gone;
        gone.get(&(api_version, kind)).copied()
    }

    /// Whether the group belongs to Kubernetes itself.
    pub fn is_built_in(&self, group: &str) -> bool {
        let groups: &FastMap<&str, ()> = &self.groups;
        groups.contains_key(group)
    }

    /// A type by its name.
    pub fn ty(&self, name: &str) -> Option<&Type> {
        let types: &FastMap<&str, Type> = &self.types;
        types.get(name)
    }

    /// The kinds that an API version serves.
    pub fn kinds_of(&self, api_version: &str) -> impl Iterator<Item = &'static str> {
        self.kinds.keys().filter(move |(version, _)| *version == api_version).map(|(_, kind)| *kind)
    }

    /// The API versions that serve a kind, newest table first as they stand.
    pub fn versions_of(&self, kind: &str) -> Vec<&'static str> {
        let mut versions: Vec<&'static str> =
            self.kinds.keys().filter(|(_, k)| *k == kind).map(|(version, _)| *version).collect();
        // A stable version before those that may go.
        versions.sort_by_key(|v| (v.contains("alpha"), v.contains("beta"), *v));
        versions
    }
}

/// Where the indented lines at the start of a text end.
fn fields_end(text: &str) -> usize {
    if !text.starts_with(' ') {
        return 0;
    }
    let mut at = 0;
    while let Some(end) = text[at..].find('\n') {
        at += end + 1;
        if !text[at..].starts_with(' ') {
            return at;
        }
    }
    text.len()
}

/// Splits `+28-30` off the end of a word.
fn flags(word: &'static str) -> (&'static str, Option<Release>, Option<Release>) {
    let minor = |text: &str| text.parse().ok().map(|minor| (1, minor));
    let (word, until) = match word.rsplit_once('-') {
        Some((rest, number)) if number.bytes().all(|b| b.is_ascii_digit()) => (rest, minor(number)),
        _ => (word, None),
    };
    match word.rsplit_once('+') {
        Some((rest, number)) => (rest, minor(number), until),
        None => (word, None, until),
    }
}

impl Type {
    /// Its fields, by name.
    pub fn fields(&self) -> &[Field] {
        self.fields.get_or_init(|| self.body.lines().filter_map(field).collect())
    }

    /// A field by its name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        let fields = self.fields();
        fields.binary_search_by(|field| field.name.cmp(name)).ok().and_then(|at| fields.get(at))
    }
}

fn field(line: &'static str) -> Option<Field> {
    let (name, rest) = line.strip_prefix(' ')?.split_once(' ')?;
    let (rest, since, until) = flags(rest);
    let (rest, keys) = rest.split_once('^').map_or((rest, None), |(rest, keys)| (rest, Some(keys)));
    let (shape, required) = rest.strip_suffix('!').map_or((rest, false), |shape| (shape, true));
    Some(Field { name, shape: Shape(shape), required, keys, since, until })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_table_is_whole() {
        let api = Api::get();
        assert_eq!(api.newest, (1, 37));
        let pod = api.ty(api.kind("v1", "Pod").unwrap().ty).unwrap();
        let Holds::Type(spec) = pod.field("spec").unwrap().shape.holds() else { panic!() };
        let containers = api.ty(spec).unwrap().field("containers").unwrap();
        assert_eq!((containers.required, containers.keys), (true, Some("name")));
        let Holds::List(container) = containers.shape.holds() else { panic!() };
        assert_eq!(container.holds(), Holds::Type("Container"));
        let container = api.ty("Container").unwrap();
        assert_eq!(container.field("resizePolicy").unwrap().since, Some((1, 27)));
        assert_eq!(container.field("ports").unwrap().keys, Some("containerPort,protocol"));
        assert_eq!(api.gone("extensions/v1beta1", "Ingress").unwrap().removed, (1, 22));
        assert_eq!(api.versions_of("Deployment"), ["apps/v1"]);
        // Every type that a field names is there, and fields are sorted, or the search would miss them.
        for ty in api.types.values() {
            assert!(ty.fields().is_sorted_by_key(|f| f.name), "{}", ty.name);
            for field in ty.fields() {
                let mut shape = field.shape;
                while let Holds::List(inner) | Holds::Map(inner) = shape.holds() {
                    shape = inner;
                }
                if let Holds::Type(name) = shape.holds() {
                    assert!(api.ty(name).is_some(), "{} {} {name}", ty.name, field.name);
                }
            }
        }
        for kind in api.kinds.values() {
            assert!(api.ty(kind.ty).is_some(), "{}", kind.ty);
        }
    }
}
