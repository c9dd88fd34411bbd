//! All policies that a run may choose from: those in the binary and the user's own.

use super::compile::index_entry;
use super::model::{IndexEntry, Library, Literal, Policy};
use crate::base::{FastMap, Files};
use crate::diagnostic::{Category, Rule, Severity, SyntaxError};
use crate::graph::Value;
use std::sync::{Arc, OnceLock};

pub use super::model::Examples;

/// The policies of the binary, as the build wrote them: an index, and the policies behind it.
static INDEX: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/policies.index"));
static TABLE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/policies.table"));
static LIBRARY: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/policies.library"));

/// A set of policies with what they share: views and tables of data.
///
/// Making it costs reading the index. A policy is decoded when it is first asked for.
#[derive(Debug, Default)]
pub struct PolicySet {
    entries: Vec<Entry>,
    by_name: FastMap<String, u32>,
    library: OnceLock<Library>,
    embedded: bool,
    data: OnceLock<FastMap<String, Value>>,
}

/// One policy of a set.
#[derive(Debug)]
pub struct Entry {
    /// What is needed to choose it.
    pub index: IndexEntry,
    source: Source,
    policy: OnceLock<Option<Arc<Compiled>>>,
}

#[derive(Debug)]
enum Source {
    /// In the binary's table.
    Embedded,
    /// Compiled at run time.
    Loaded(Box<(Policy, Examples)>),
}

/// A decoded policy with what is built from its pool on first use.
#[derive(Debug)]
pub struct Compiled {
    /// The policy.
    pub policy: Policy,
    /// Its rule, shared by its findings.
    pub rule: Arc<Rule>,
    /// What its conditions refer to.
    pub pool: super::evaluate::Pool,
    /// The values of parameters that the configuration does not set.
    pub defaults: FastMap<String, Value>,
}

impl PolicySet {
    /// The policies of the binary.
    pub fn builtin() -> PolicySet {
        let index: Vec<IndexEntry> = postcard::from_bytes(INDEX).unwrap_or_default();
        let mut set = PolicySet { embedded: true, ..PolicySet::default() };
        for entry in index {
            set.push(Entry { index: entry, source: Source::Embedded, policy: OnceLock::new() });
        }
        set
    }

    /// The policies of a folder that are sound, and what is wrong with the others. `files` holds the texts of its `*.yaml`
    /// files; `folder` is what their paths begin with. They may use the conditions and tables of the binary.
    pub fn from_files(files: &Files, folder: &str) -> (PolicySet, Vec<SyntaxError>) {
        let base = postcard::from_bytes(LIBRARY).unwrap_or_default();
        let compiled = super::compile::compile(files, folder, &base);
        let mut set = PolicySet { library: OnceLock::from(compiled.library), ..PolicySet::default() };
        for (file, policy, examples) in compiled.policies {
            set.push(Entry::loaded(file, policy, examples));
        }
        (set, compiled.errors)
    }

    /// Adds another set's policies; one of a name that is taken replaces the older.
    pub fn extend(&mut self, other: PolicySet) {
        let mut library = self.library().clone();
        let added = other.library();
        for view in &added.views {
            library.views.retain(|v| v.name != view.name);
            library.views.push(view.clone());
        }
        for (name, table) in &added.data {
            library.data.retain(|(n, _)| n != name);
            library.data.push((name.clone(), table.clone()));
        }
        library.conditions.extend(added.conditions.iter().cloned());
        self.library = OnceLock::from(library);
        self.data = OnceLock::new();
        for entry in other.entries {
            self.push(entry);
        }
    }

    fn push(&mut self, entry: Entry) {
        match self.by_name.get(&entry.index.name).and_then(|&i| self.entries.get_mut(i as usize)) {
            Some(slot) => *slot = entry,
            None => {
                let next = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
                self.by_name.insert(entry.index.name.clone(), next);
                self.entries.push(entry);
            }
        }
    }

    /// Every policy, in the order of files.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The number of a policy by its name.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).map(|&i| i as usize)
    }

    /// A policy by its name; `None` where there is none of that name.
    pub fn get(&self, name: &str) -> Option<&Arc<Compiled>> {
        self.entries.get(self.position(name)?)?.policy()
    }

    /// The views that derive nodes.
    pub fn library(&self) -> &Library {
        self.library.get_or_init(|| {
            if self.embedded { postcard::from_bytes(LIBRARY).unwrap_or_default() } else { Library::default() }
        })
    }

    /// A table of shared data by its name.
    pub fn data(&self, table: &str) -> Option<&Value> {
        self.data
            .get_or_init(|| {
                // Policies that were compiled at run time may use the tables of the binary.
                let base: Library =
                    if self.embedded { Library::default() } else { postcard::from_bytes(LIBRARY).unwrap_or_default() };
                let tables = base.data.iter().chain(&self.library().data);
                tables.map(|(name, literal)| (name.clone(), literal_value(literal))).collect()
            })
            .get(table)
    }
}

impl Entry {
    fn loaded(file: String, policy: Policy, examples: Examples) -> Entry {
        Entry {
            index: index_entry(&policy, &file),
            source: Source::Loaded(Box::new((policy, examples))),
            policy: OnceLock::new(),
        }
    }

    /// The policy's name.
    pub fn name(&self) -> &str {
        &self.index.name
    }

    /// The policy, decoded. `None` only where the binary's table is broken.
    pub fn policy(&self) -> Option<&Arc<Compiled>> {
        self.policy
            .get_or_init(|| {
                let policy: Policy = match &self.source {
                    Source::Embedded => decode(self.index.policy)?,
                    Source::Loaded(loaded) => loaded.0.clone(),
                };
                Some(Arc::new(Compiled::new(policy)))
            })
            .as_ref()
    }

    /// Its examples.
    pub fn examples(&self) -> Examples {
        match &self.source {
            Source::Embedded => decode(self.index.examples).unwrap_or_default(),
            Source::Loaded(loaded) => loaded.1.clone(),
        }
    }

    /// Its severity before any override.
    pub fn severity(&self) -> Severity {
        self.index.severity
    }

    /// Its category.
    pub fn category(&self) -> Category {
        self.index.category
    }
}

impl Compiled {
    /// Makes a policy ready to be evaluated.
    pub fn new(policy: Policy) -> Compiled {
        Compiled {
            rule: Arc::new(policy.rule.clone()),
            pool: super::evaluate::Pool::new(&policy.pool),
            defaults: policy.params.iter().map(|p| (p.name.clone(), literal_value(&p.default))).collect(),
            policy,
        }
    }
}

fn decode<T: serde::de::DeserializeOwned>((start, length): (u32, u32)) -> Option<T> {
    let start = start as usize;
    postcard::from_bytes(TABLE.get(start..start.checked_add(length as usize)?)?).ok()
}

/// A literal of a policy as a value that stands in no file.
pub fn literal_value(literal: &Literal) -> Value {
    use crate::base::Span;
    use crate::graph::{Data, Map, Number};
    let data = match literal {
        Literal::Null => Data::Null,
        Literal::Bool(b) => Data::Bool(*b),
        Literal::Int(n) => Data::Number(Number::from(*n)),
        Literal::Float(f) => Data::Number(Number::from(*f)),
        Literal::String(s) => Data::String(s.as_str().into()),
        Literal::List(items) => Data::List(Arc::new(items.iter().map(literal_value).collect())),
        Literal::Map(entries) => {
            let mut map = Map::default();
            for (key, value) in entries {
                map.insert(key.as_str(), Span::NONE, literal_value(value));
            }
            Data::Map(Arc::new(map))
        }
    };
    Value::literal(data, Span::NONE)
}
