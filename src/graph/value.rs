//! Values with their provenance.

use super::Number;
use crate::base::Span;
use std::sync::Arc;

/// A value of the graph: what it is, where it stands and where it came from. Cloning is cheap.
///
/// Absent, null and unknown are three different things: absent is no entry in the [`Map`],
/// null is [`Data::Null`], unknown is [`Data::Unknown`] with its cause.
#[derive(Clone, Debug)]
pub struct Value {
    /// What it is.
    pub data: Data,
    /// Where it came from.
    pub origin: Origin,
}

/// What a value is.
#[derive(Clone, Debug)]
pub enum Data {
    /// Written as null.
    Null,
    /// True or false.
    Bool(bool),
    /// A number, exact where the source format is exact.
    Number(Number),
    /// Text.
    String(Arc<str>),
    /// A sequence; sets come as lists in the format's own order, repeated blocks as lists of maps.
    List(Arc<Vec<Value>>),
    /// Names and values in source order.
    Map(Arc<Map>),
    /// Not known before the thing is deployed, or not to be evaluated: the cause says why.
    Unknown(Arc<Cause>),
}

/// Names and values in source order. A name stands once: the last one wins, as the formats have it.
#[derive(Clone, Debug, Default)]
pub struct Map {
    /// The entries.
    pub entries: Vec<Entry>,
    /// What names this map in the source: a block's header, the key of a mapping, an instruction's keyword.
    /// A finding about something absent in the map points there.
    pub head: Option<Span>,
}

/// One name and its value.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The name.
    pub key: Arc<str>,
    /// Where the name stands.
    pub key_span: Span,
    /// The value.
    pub value: Value,
}

/// Why a value is not known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cause {
    /// The kind of reason.
    pub kind: CauseKind,
    /// The reason in words, naming the input that is missing.
    pub message: String,
    /// Where the unknown entered: the variable's block, the reference, the call.
    pub span: Span,
}

/// The kinds of reason for an unknown.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum CauseKind {
    /// A variable without a value.
    Input,
    /// An attribute that the provider sets only when it creates the resource.
    Computed,
    /// Read from outside when the plan is made: a data source, remote state, time, randomness.
    External,
    /// A module, file or chart that is not here.
    Missing,
    /// An expression that is an error, or could not be parsed.
    Error,
    /// A reference to a resource that is declared nowhere here. Whatever it is, it is none of those that are.
    Undeclared,
    /// A limit on depth, size or expansion was reached.
    Limit,
    /// Something this program does not evaluate.
    Unsupported,
}

/// Where a value stands and how it came to be.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The place of the expression, scalar or block that gives the value.
    pub span: Span,
    /// How it came to be.
    pub how: How,
    /// Whether the format or the provider says that it must not be shown.
    pub sensitive: bool,
    /// The values it was made from: a local's expression, a variable's default, a call's argument.
    pub from: Option<Arc<[Origin]>>,
}

/// How a value came to be.
#[derive(Clone, Debug)]
pub enum How {
    /// Written there.
    Literal,
    /// The default of a variable, or of the format.
    Default,
    /// A variable's value.
    Variable,
    /// A local's value.
    Local,
    /// An argument of a module call.
    ModuleArgument,
    /// The result of a function or operator.
    Function,
    /// Rendered from a template.
    Rendered,
    /// Computed by Terraform when it made a plan.
    Planned,
    /// Text that a function encoded (`jsonencode`, `yamlencode`): the value before that, with its own origins.
    Encoded(Arc<Value>),
    /// Text put together from parts of which some are not known: how it begins and ends is.
    Partial(Arc<Ends>),
}

/// What is known of a text that is not known as a whole.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ends {
    /// What it begins with.
    pub start: Arc<str>,
    /// What it ends with; the two do not overlap.
    pub end: Arc<str>,
}

impl Ends {
    /// Whether the whole may turn out to be `text`.
    pub fn allow(&self, text: &str) -> bool {
        text.len() >= self.start.len() + self.end.len() && text.starts_with(&*self.start) && text.ends_with(&*self.end)
    }
}

impl Origin {
    /// Written at `span`.
    pub fn literal(span: Span) -> Origin {
        Origin { span, how: How::Literal, sensitive: false, from: None }
    }

    /// Made at `span` in some other way from `from`.
    pub fn derived(span: Span, how: How, from: impl Into<Vec<Origin>>) -> Origin {
        let from: Vec<Origin> = from.into();
        let sensitive = from.iter().any(|o| o.sensitive);
        Origin { span, how, sensitive, from: (!from.is_empty()).then(|| from.into()) }
    }

    /// The chain of places the value came through, nearest first, following the first parent of each; without this
    /// origin itself, without repeats, and bounded.
    pub fn chain(&self) -> Vec<&Origin> {
        let mut chain: Vec<&Origin> = Vec::new();
        let mut at = self;
        while let Some(parent) = at.from.as_ref().and_then(|f| f.first()) {
            if chain.len() >= 32 {
                break;
            }
            if parent.span != at.span && !parent.span.is_none() {
                chain.push(parent);
            }
            at = parent;
        }
        chain
    }
}

impl Value {
    /// A value written at `span`.
    pub fn literal(data: Data, span: Span) -> Value {
        Value { data, origin: Origin::literal(span) }
    }

    /// Text written at `span`.
    pub fn string(text: impl Into<Arc<str>>, span: Span) -> Value {
        Value::literal(Data::String(text.into()), span)
    }

    /// A truth value written at `span`.
    pub fn bool(b: bool, span: Span) -> Value {
        Value::literal(Data::Bool(b), span)
    }

    /// A whole number written at `span`.
    pub fn int(n: i64, span: Span) -> Value {
        Value::literal(Data::Number(Number::from(n)), span)
    }

    /// A list standing at `span`.
    pub fn list(items: Vec<Value>, span: Span) -> Value {
        Value::literal(Data::List(Arc::new(items)), span)
    }

    /// A map standing at `span`.
    pub fn map(map: Map, span: Span) -> Value {
        Value::literal(Data::Map(Arc::new(map)), span)
    }

    /// An unknown standing at `span`.
    pub fn unknown(kind: CauseKind, message: impl Into<String>, span: Span) -> Value {
        Value::literal(Data::Unknown(Arc::new(Cause { kind, message: message.into(), span })), span)
    }

    /// Where it stands.
    pub fn span(&self) -> Span {
        self.origin.span
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.data {
            Data::String(s) => Some(s),
            _ => None,
        }
    }

    /// The truth value of a bool.
    pub fn as_bool(&self) -> Option<bool> {
        match self.data {
            Data::Bool(b) => Some(b),
            _ => None,
        }
    }

    /// The members of a list.
    pub fn as_list(&self) -> Option<&[Value]> {
        match &self.data {
            Data::List(items) => Some(items),
            _ => None,
        }
    }

    /// The entries of a map.
    pub fn as_map(&self) -> Option<&Map> {
        match &self.data {
            Data::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The cause of an unknown.
    pub fn as_unknown(&self) -> Option<&Arc<Cause>> {
        match &self.data {
            Data::Unknown(cause) => Some(cause),
            _ => None,
        }
    }

    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        matches!(self.data, Data::Null)
    }

    /// The value of a map's entry; `None` where it is absent or this is no map.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_map()?.get(key)
    }

    /// The value at a path of names, each step a map's entry.
    pub fn at(&self, path: &[&str]) -> Option<&Value> {
        path.iter().try_fold(self, |v, key| v.get(key))
    }

    /// A scalar as text: `true`, `22`, `abc`. `None` for null, lists, maps and unknowns.
    pub fn scalar_text(&self) -> Option<std::borrow::Cow<'_, str>> {
        match &self.data {
            Data::Bool(b) => Some(if *b { "true" } else { "false" }.into()),
            Data::Number(n) => Some(n.to_string().into()),
            Data::String(s) => Some((&**s).into()),
            _ => None,
        }
    }

    /// The value as JSON for those who ask for values: what the configuration itself shows is shown, even where it
    /// marks it as sensitive; what only a plan reveals is redacted.
    pub fn to_json_as_configured(&self) -> serde_json::Value {
        match &self.data {
            _ if self.origin.sensitive && matches!(self.origin.how, How::Planned) => "(sensitive)".into(),
            Data::List(items) => items.iter().map(Value::to_json_as_configured).collect(),
            Data::Map(map) => map
                .entries
                .iter()
                .map(|e| (e.key.to_string(), e.value.to_json_as_configured()))
                .collect::<serde_json::Map<_, _>>()
                .into(),
            _ => Value { data: self.data.clone(), origin: Origin::literal(self.origin.span) }.to_json(),
        }
    }

    /// The value as JSON, for output: unknowns as `{"$unknown": cause}`, sensitive values redacted.
    pub fn to_json(&self) -> serde_json::Value {
        if self.origin.sensitive {
            return serde_json::Value::from("(sensitive)");
        }
        match &self.data {
            Data::Null => serde_json::Value::Null,
            Data::Bool(b) => (*b).into(),
            Data::Number(n) => n.to_json(),
            Data::String(s) => (&**s).into(),
            Data::List(items) => items.iter().map(Value::to_json).collect(),
            Data::Map(map) => map
                .entries
                .iter()
                .map(|e| (e.key.to_string(), e.value.to_json()))
                .collect::<serde_json::Map<_, _>>()
                .into(),
            Data::Unknown(cause) => serde_json::json!({ "$unknown": cause.message }),
        }
    }
}

impl Map {
    /// A map without entries, named by `head`.
    pub fn new(head: Option<Span>) -> Map {
        Map { entries: Vec::new(), head }
    }

    /// The value of an entry.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.entry(key).map(|e| &e.value)
    }

    /// An entry with its key's place.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|e| &*e.key == key)
    }

    /// Adds an entry, or replaces the one of that name.
    pub fn insert(&mut self, key: impl Into<Arc<str>>, key_span: Span, value: Value) {
        let key = key.into();
        match self.entries.iter_mut().find(|e| e.key == key) {
            Some(entry) => *entry = Entry { key, key_span, value },
            None => self.entries.push(Entry { key, key_span, value }),
        }
    }

    /// The names, in source order.
    pub fn keys(&self) -> impl Iterator<Item = &Arc<str>> {
        self.entries.iter().map(|e| &e.key)
    }
}

/// Equality is of the data alone; two unknowns are never equal.
impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        match (&self.data, &other.data) {
            (Data::Null, Data::Null) => true,
            (Data::Bool(a), Data::Bool(b)) => a == b,
            (Data::Number(a), Data::Number(b)) => a == b,
            (Data::String(a), Data::String(b)) => a == b,
            (Data::List(a), Data::List(b)) => a == b,
            (Data::Map(a), Data::Map(b)) => {
                a.entries.len() == b.entries.len() && a.entries.iter().all(|e| b.get(&e.key) == Some(&e.value))
            }
            _ => false,
        }
    }
}

impl Default for Value {
    fn default() -> Value {
        Value::literal(Data::Null, Span::NONE)
    }
}
