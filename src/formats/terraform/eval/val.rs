//! The evaluator's value: cty's semantics with our provenance.

use super::Type;
use crate::base::Span;
use crate::graph::{self, Cause, CauseKind, How, Number, Origin};
use std::sync::Arc;

/// A value with its provenance, marks and the references it was made from. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Val {
    /// What it is.
    pub datum: Datum,
    /// Where it came from. Its `sensitive` field is set only on the way to the graph; the marks decide.
    pub origin: Origin,
    /// Sensitive, ephemeral. A collection's marks hold for its members too.
    pub marks: Marks,
    /// What it refers to. A collection's references hold for its members too.
    pub refs: Refs,
}

/// What a value is.
#[derive(Clone, Debug)]
pub enum Datum {
    /// Null of a type.
    Null(Type),
    /// Not known, with what is known about it.
    Unknown(Arc<Unknown>),
    /// A truth value.
    Bool(bool),
    /// A number.
    Number(Number),
    /// Text, NFC-normalized.
    String(Arc<str>),
    /// A list: members of one type.
    List(Arc<Seq>),
    /// A set: members of one type, in Terraform's order, each once.
    Set(Arc<Seq>),
    /// A tuple: members of any types.
    Tuple(Arc<Vec<Val>>),
    /// A map: members of one type, ordered by key.
    Map(Arc<Table>),
    /// An object: members of any types, ordered by name.
    Object(Arc<Table>),
}

/// The members of a list or set.
#[derive(Clone, Debug)]
pub struct Seq {
    /// Their type.
    pub elem: Type,
    /// The members.
    pub items: Vec<Val>,
}

/// The members of a map or object, ordered by key; each key once.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// The type of a map's members; not used for objects.
    pub elem: Type,
    /// The members.
    pub entries: Vec<Member>,
    /// Why an object may have further attributes that are not known, as a resource does whose provider's schema says
    /// what else there is.
    pub rest: Option<Arc<Unknown>>,
}

/// A member of a map or object.
#[derive(Clone, Debug)]
pub struct Member {
    /// The key.
    pub key: Arc<str>,
    /// Where the key stands.
    pub key_span: Span,
    /// The value.
    pub val: Val,
}

/// What is known about an unknown value.
#[derive(Clone, Debug)]
pub struct Unknown {
    /// The type.
    pub ty: Type,
    /// Whether it cannot be null.
    pub not_null: bool,
    /// What a string begins with.
    pub prefix: Option<Arc<str>>,
    /// What a string ends with, where Terraform knows the whole of it and only we do not (a path of this machine).
    pub suffix: Option<Arc<str>>,
    /// What a string ends with, where Terraform takes no notice of it: for policies, not for functions.
    pub tail: Option<Arc<str>>,
    /// A collection's least length.
    pub min_len: usize,
    /// A collection's greatest length.
    pub max_len: usize,
    /// A number's least value, inclusive.
    pub min: Option<Number>,
    /// A number's greatest value, inclusive.
    pub max: Option<Number>,
    /// Why it is not known.
    pub cause: Arc<Cause>,
}

/// Marks: a set of `SENSITIVE` and `EPHEMERAL`.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Marks(pub u8);

impl Marks {
    /// No mark.
    pub const NONE: Marks = Marks(0);
    /// Must not be shown.
    pub const SENSITIVE: Marks = Marks(1);
    /// Must not be stored.
    pub const EPHEMERAL: Marks = Marks(2);

    /// Both sets.
    #[must_use]
    pub fn with(self, other: Marks) -> Marks {
        Marks(self.0 | other.0)
    }

    /// Without those of `other`.
    #[must_use]
    pub fn without(self, other: Marks) -> Marks {
        Marks(self.0 & !other.0)
    }

    /// Whether it has all of `other`.
    pub fn has(self, other: Marks) -> bool {
        self.0 & other.0 == other.0
    }
}

/// Something outside the value that it refers to, such as a resource.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Ref {
    /// What is referred to, as the scope names it: a resource's address.
    pub target: Arc<str>,
    /// Where the reference stands.
    pub span: Span,
}

/// A set of references, one for each target.
#[derive(Clone, Default, Debug)]
pub struct Refs(Option<Arc<Vec<Ref>>>);

impl Refs {
    /// A single reference.
    pub fn one(target: impl Into<Arc<str>>, span: Span) -> Refs {
        Refs(Some(Arc::new(vec![Ref { target: target.into(), span }])))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The references in the order in which they were met.
    pub fn iter(&self) -> impl Iterator<Item = &Ref> {
        self.0.iter().flat_map(|refs| refs.iter())
    }

    /// Adds those of `other`.
    pub fn add(&mut self, other: &Refs) {
        let Some(theirs) = &other.0 else { return };
        let Some(mine) = &mut self.0 else {
            self.0 = Some(theirs.clone());
            return;
        };
        if Arc::ptr_eq(mine, theirs) {
            return;
        }
        for one in theirs.iter() {
            if !mine.iter().any(|r| r.target == one.target) {
                Arc::make_mut(mine).push(one.clone());
            }
        }
    }
}

impl Unknown {
    /// An unknown of which only the type is known.
    pub fn of(ty: Type, cause: Arc<Cause>) -> Unknown {
        Unknown {
            ty,
            not_null: false,
            prefix: None,
            suffix: None,
            tail: None,
            min_len: 0,
            max_len: usize::MAX,
            min: None,
            max: None,
            cause,
        }
    }
}

impl Table {
    /// A table of members in any order; of equal keys the last one stays.
    pub fn new(elem: Type, mut entries: Vec<Member>) -> Table {
        if !entries.is_sorted_by(|a, b| a.key < b.key) {
            entries.sort_by(|a, b| a.key.cmp(&b.key));
            entries.reverse();
            entries.dedup_by(|a, b| a.key == b.key);
            entries.reverse();
        }
        Table { elem, entries, rest: None }
    }

    /// The member of a key.
    pub fn get(&self, key: &str) -> Option<&Val> {
        self.member(key).map(|m| &m.val)
    }

    /// The member of a key, with the key.
    pub fn member(&self, key: &str) -> Option<&Member> {
        let entries = &self.entries;
        match entries.binary_search_by(|m| (*m.key).cmp(key)) {
            Ok(i) => entries.get(i),
            Err(_) => None,
        }
    }
}

/// Text as Terraform keeps it: in Unicode's normal form C.
pub fn nfc(text: Arc<str>) -> Arc<str> {
    use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        return text;
    }
    text.nfc().collect::<String>().into()
}

impl Val {
    /// A value of `datum` written at `span`.
    pub fn at(datum: Datum, span: Span) -> Val {
        Val { datum, origin: Origin::literal(span), marks: Marks::NONE, refs: Refs::default() }
    }

    /// A value that stands nowhere; whoever made it sets the origin.
    pub fn new(datum: Datum) -> Val {
        Val::at(datum, Span::NONE)
    }

    /// Null of no particular type.
    pub fn null() -> Val {
        Val::new(Datum::Null(Type::Any))
    }

    /// A truth value.
    pub fn bool(b: bool) -> Val {
        Val::new(Datum::Bool(b))
    }

    /// A number.
    pub fn number(n: impl Into<Number>) -> Val {
        Val::new(Datum::Number(n.into()))
    }

    /// A whole number as Terraform's functions compute it (see [`Number::machine`]).
    pub fn count(n: usize) -> Val {
        Val::number(Number::machine(i64::try_from(n).unwrap_or(i64::MAX)))
    }

    /// Text; it is normalized.
    pub fn string(text: impl Into<Arc<str>>) -> Val {
        Val::new(Datum::String(nfc(text.into())))
    }

    /// A list of members that all have the type `elem`.
    pub fn list(elem: Type, items: Vec<Val>) -> Val {
        Val::new(Datum::List(Arc::new(Seq { elem, items })))
    }

    /// A tuple.
    pub fn tuple(items: Vec<Val>) -> Val {
        Val::new(Datum::Tuple(Arc::new(items)))
    }

    /// A map of members that all have the type `elem`.
    pub fn map(elem: Type, entries: Vec<Member>) -> Val {
        Val::new(Datum::Map(Arc::new(Table::new(elem, entries))))
    }

    /// An object.
    pub fn object(entries: Vec<Member>) -> Val {
        Val::new(Datum::Object(Arc::new(Table::new(Type::Any, entries))))
    }

    /// The object with further attributes that are not known.
    #[must_use]
    pub fn open(mut self, cause: Arc<Cause>) -> Val {
        if let Datum::Object(table) = &mut self.datum {
            Arc::make_mut(table).rest = Some(Arc::new(Unknown::of(Type::Any, cause)));
        }
        self
    }

    /// An unknown of a type.
    pub fn unknown_of(ty: Type, cause: Arc<Cause>) -> Val {
        let span = cause.span;
        Val::at(Datum::Unknown(Arc::new(Unknown::of(ty, cause))), span)
    }

    /// An unknown of any type.
    pub fn unknown(kind: CauseKind, message: impl Into<String>, span: Span) -> Val {
        Val::unknown_of(Type::Any, Arc::new(Cause { kind, message: message.into(), span }))
    }

    /// The same value as not null, where it is unknown.
    #[must_use]
    pub fn not_null(self) -> Val {
        self.refined(|u| u.not_null = true)
    }

    /// The same value with more known about it, where it is an unknown of a known type.
    #[must_use]
    pub fn refined(mut self, refine: impl FnOnce(&mut Unknown)) -> Val {
        if let Datum::Unknown(unknown) = &mut self.datum
            && !unknown.ty.is_any()
        {
            refine(Arc::make_mut(unknown));
        }
        self
    }

    /// The same value standing at `span`, made there from what it was made of before.
    #[must_use]
    pub fn derived_at(mut self, span: Span, how: How) -> Val {
        let parent = std::mem::replace(&mut self.origin, Origin::literal(span));
        // A text that is handed on is still the text that was encoded.
        self.origin.how = match &parent.how {
            How::Encoded(value) => How::Encoded(value.clone()),
            _ => how,
        };
        self.origin.from = Some(Arc::from([parent]));
        self
    }

    /// The same value with more marks.
    #[must_use]
    pub fn marked(mut self, marks: Marks) -> Val {
        self.marks = self.marks.with(marks);
        self
    }

    /// The same value with what its container hands down to it.
    #[must_use]
    pub fn inherit(mut self, container: &Val) -> Val {
        self.marks = self.marks.with(container.marks);
        self.refs.add(&container.refs);
        self
    }

    /// Its type.
    pub fn ty(&self) -> Type {
        match &self.datum {
            Datum::Null(ty) => ty.clone(),
            Datum::Unknown(unknown) => unknown.ty.clone(),
            Datum::Bool(_) => Type::Bool,
            Datum::Number(_) => Type::Number,
            Datum::String(_) => Type::String,
            Datum::List(seq) => Type::list(seq.elem.clone()),
            Datum::Set(seq) => Type::set(seq.elem.clone()),
            Datum::Map(table) => Type::map(table.elem.clone()),
            Datum::Tuple(items) => Type::Tuple(items.iter().map(Val::ty).collect()),
            // Which attributes it has is not known.
            Datum::Object(table) if table.rest.is_some() => Type::Any,
            Datum::Object(table) => Type::object(table.entries.iter().map(|m| (m.key.clone(), m.val.ty()))),
        }
    }

    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        matches!(self.datum, Datum::Null(_))
    }

    /// Whether it is known itself; its members may be unknown.
    pub fn is_known(&self) -> bool {
        !matches!(self.datum, Datum::Unknown(_))
    }

    /// What is known about it, where it is unknown.
    pub fn as_unknown(&self) -> Option<&Unknown> {
        match &self.datum {
            Datum::Unknown(unknown) => Some(unknown),
            _ => None,
        }
    }

    /// The first unknown in it.
    pub fn find_unknown(&self) -> Option<&Unknown> {
        match &self.datum {
            Datum::Unknown(unknown) => Some(unknown),
            Datum::Object(table) if table.rest.is_some() => table.rest.as_deref(),
            _ => self.children().find_map(Val::find_unknown),
        }
    }

    /// Whether nothing in it is unknown.
    pub fn is_wholly_known(&self) -> bool {
        self.find_unknown().is_none()
    }

    /// Whether it is certain not to be null.
    pub fn is_not_null(&self) -> bool {
        match &self.datum {
            Datum::Null(_) => false,
            Datum::Unknown(unknown) => unknown.not_null,
            _ => true,
        }
    }

    /// The members of a list, set or tuple.
    pub fn items(&self) -> Option<&[Val]> {
        match &self.datum {
            Datum::List(seq) | Datum::Set(seq) => Some(&seq.items),
            Datum::Tuple(items) => Some(items),
            _ => None,
        }
    }

    /// The members of a map or object.
    pub fn table(&self) -> Option<&Table> {
        match &self.datum {
            Datum::Map(table) | Datum::Object(table) => Some(table),
            _ => None,
        }
    }

    /// The members of whatever has members.
    pub fn children(&self) -> impl Iterator<Item = &Val> {
        let items = self.items().unwrap_or_default();
        let entries = self.table().map(|t| t.entries.as_slice()).unwrap_or_default();
        items.iter().chain(entries.iter().map(|m| &m.val))
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.datum {
            Datum::String(s) => Some(s),
            _ => None,
        }
    }

    /// The truth value of a bool.
    pub fn as_bool(&self) -> Option<bool> {
        match self.datum {
            Datum::Bool(b) => Some(b),
            _ => None,
        }
    }

    /// The number.
    pub fn as_number(&self) -> Option<&Number> {
        match &self.datum {
            Datum::Number(n) => Some(n),
            _ => None,
        }
    }

    /// The marks of the value and all its members.
    pub fn deep_marks(&self) -> Marks {
        self.children().fold(self.marks, |marks, child| marks.with(child.deep_marks()))
    }

    /// The references of the value and all its members.
    pub fn deep_refs(&self) -> Refs {
        let mut refs = self.refs.clone();
        self.each(&mut |v| refs.add(&v.refs));
        refs
    }

    /// Calls `f` with every member at any depth.
    fn each(&self, f: &mut impl FnMut(&Val)) {
        for child in self.children() {
            f(child);
            child.each(f);
        }
    }

    /// The value without marks at any depth, and the marks that were there.
    pub fn unmarked_deep(&self) -> (Val, Marks) {
        let marks = self.deep_marks();
        if marks == Marks::NONE {
            return (self.clone(), marks);
        }
        let mut val = self.map_children(&mut |child| child.unmarked_deep().0);
        val.marks = Marks::NONE;
        (val, marks)
    }

    /// The value with each member replaced.
    #[must_use]
    pub fn map_children(&self, f: &mut dyn FnMut(&Val) -> Val) -> Val {
        let mut seq =
            |seq: &Seq| Arc::new(Seq { elem: seq.elem.clone(), items: seq.items.iter().map(&mut *f).collect() });
        let datum = match &self.datum {
            Datum::List(s) => Datum::List(seq(s)),
            Datum::Set(s) => Datum::Set(seq(s)),
            Datum::Tuple(items) => Datum::Tuple(Arc::new(items.iter().map(f).collect())),
            Datum::Map(t) => Datum::Map(Arc::new(t.map(f))),
            Datum::Object(t) => Datum::Object(Arc::new(t.map(f))),
            other => other.clone(),
        };
        Val { datum, origin: self.origin.clone(), marks: self.marks, refs: self.refs.clone() }
    }

    /// Calls `f` with each reference in the value and the path to the member that holds it. A path names attributes
    /// and keys; indices of lists are left out.
    pub fn for_each_ref<'a>(&'a self, f: &mut dyn FnMut(&[&'a str], &'a Ref)) {
        fn walk<'a>(val: &'a Val, path: &mut Vec<&'a str>, f: &mut dyn FnMut(&[&'a str], &'a Ref)) {
            for one in val.refs.iter() {
                f(path, one);
            }
            for item in val.items().unwrap_or_default() {
                walk(item, path, f);
            }
            if let Some(table) = val.table() {
                for member in &table.entries {
                    path.push(&member.key);
                    walk(&member.val, path, f);
                    path.pop();
                }
            }
        }
        walk(self, &mut Vec::new(), f);
    }

    /// The value as the graph has it: sets as lists in Terraform's order, objects in source order.
    pub fn to_value(&self) -> graph::Value {
        self.to_value_marked(Marks::NONE)
    }

    fn to_value_marked(&self, inherited: Marks) -> graph::Value {
        let marks = self.marks.with(inherited);
        let data = match &self.datum {
            Datum::Null(_) => graph::Data::Null,
            Datum::Unknown(unknown) => graph::Data::Unknown(unknown.cause.clone()),
            Datum::Bool(b) => graph::Data::Bool(*b),
            Datum::Number(n) if n.is_infinite() => graph::Data::Unknown(Arc::new(Cause {
                kind: CauseKind::Error,
                message: "an infinite number".to_owned(),
                span: self.origin.span,
            })),
            Datum::Number(n) => graph::Data::Number(n.clone()),
            Datum::String(s) => graph::Data::String(s.clone()),
            Datum::List(seq) | Datum::Set(seq) => {
                graph::Data::List(Arc::new(seq.items.iter().map(|v| v.to_value_marked(marks)).collect()))
            }
            Datum::Tuple(items) => {
                graph::Data::List(Arc::new(items.iter().map(|v| v.to_value_marked(marks)).collect()))
            }
            Datum::Map(table) | Datum::Object(table) => {
                let mut entries: Vec<graph::Entry> = table
                    .entries
                    .iter()
                    .map(|m| graph::Entry {
                        key: m.key.clone(),
                        key_span: m.key_span,
                        value: m.val.to_value_marked(marks),
                    })
                    .collect();
                entries.sort_by_key(|e| e.key_span);
                graph::Data::Map(Arc::new(graph::Map { entries, head: None }))
            }
        };
        let mut origin = self.origin.clone();
        if let Datum::Unknown(unknown) = &self.datum
            && (unknown.prefix.is_some() || unknown.tail.is_some())
            && !matches!(origin.how, How::Encoded(_))
        {
            let text = |part: &Option<Arc<str>>| part.clone().unwrap_or_default();
            let ends = graph::Ends { start: text(&unknown.prefix), end: text(&unknown.tail) };
            origin.how = How::Partial(Arc::new(ends));
        }
        origin.sensitive |= marks.has(Marks::SENSITIVE);
        graph::Value { data, origin }
    }

    /// A value of the graph as the evaluator has it: lists become tuples and maps objects.
    pub fn from_value(value: &graph::Value) -> Val {
        let datum = match &value.data {
            graph::Data::Null => Datum::Null(Type::Any),
            graph::Data::Bool(b) => Datum::Bool(*b),
            graph::Data::Number(n) => Datum::Number(n.clone()),
            graph::Data::String(s) => Datum::String(nfc(s.clone())),
            graph::Data::List(items) => Datum::Tuple(Arc::new(items.iter().map(Val::from_value).collect())),
            graph::Data::Map(map) => {
                let member = |e: &graph::Entry| Member {
                    key: nfc(e.key.clone()),
                    key_span: e.key_span,
                    val: Val::from_value(&e.value),
                };
                Datum::Object(Arc::new(Table::new(Type::Any, map.entries.iter().map(member).collect())))
            }
            graph::Data::Unknown(cause) => Datum::Unknown(Arc::new(Unknown::of(Type::Any, cause.clone()))),
        };
        let marks = if value.origin.sensitive { Marks::SENSITIVE } else { Marks::NONE };
        Val { datum, origin: value.origin.clone(), marks, refs: Refs::default() }
    }
}

impl Table {
    fn map(&self, f: &mut dyn FnMut(&Val) -> Val) -> Table {
        let member = |m: &Member| Member { key: m.key.clone(), key_span: m.key_span, val: f(&m.val) };
        Table { elem: self.elem.clone(), entries: self.entries.iter().map(member).collect(), rest: self.rest.clone() }
    }
}
