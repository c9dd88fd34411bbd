//! `count` and `for_each`: how many instances there are and what they are called.

use super::engine::Engine;
use super::eval::{Datum, EvalError, Marks, Type, Val, convert};
use super::module::Merged;
use crate::base::Span;
use crate::graph::{Cause, CauseKind, Value};
use crate::syntax::hcl::tree::Expr;
use std::cell::OnceCell;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

/// How many instances one resource or call may have. Beyond it nothing is gained by looking at each of them.
pub const MAX_INSTANCES: usize = 1_000;

/// Which instance of a resource or module it is.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Key {
    /// The only one: there is neither `count` nor `for_each`.
    Single,
    /// By `count`.
    Index(usize),
    /// By `for_each`.
    Name(Arc<str>),
    /// One that stands for all, because `count` or `for_each` is not known.
    Any,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::Single | Key::Any => Ok(()),
            Key::Index(index) => write!(f, "[{index}]"),
            Key::Name(name) => {
                f.write_str("[\"")?;
                let mut chars = name.chars().peekable();
                while let Some(c) = chars.next() {
                    match c {
                        '"' => f.write_str("\\\"")?,
                        '\\' => f.write_str("\\\\")?,
                        '\n' => f.write_str("\\n")?,
                        '\r' => f.write_str("\\r")?,
                        '\t' => f.write_str("\\t")?,
                        '$' | '%' if chars.peek() == Some(&'{') => write!(f, "{c}{c}")?,
                        c if c.is_control() => write!(f, "\\u{:04x}", u32::from(c))?,
                        c => write!(f, "{c}")?,
                    }
                }
                f.write_str("\"]")
            }
        }
    }
}

/// The kind of an expansion.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Neither `count` nor `for_each`.
    Single,
    /// `count`.
    Count,
    /// `for_each`.
    ForEach,
}

/// A value that many bodies share.
#[derive(Debug)]
pub struct Given {
    /// The value.
    pub val: Val,
    value: OnceCell<Value>,
}

impl Given {
    fn new(val: Val) -> Rc<Given> {
        Rc::new(Given { val, value: OnceCell::new() })
    }

    /// The value as the graph has it, made once.
    pub fn value(&self) -> &Value {
        self.value.get_or_init(|| self.val.to_value())
    }
}

/// The instances of a resource or call.
#[derive(Clone, Debug)]
pub struct Expansion {
    /// The kind.
    pub mode: Mode,
    /// Each instance's key with `each.value`.
    pub keys: Vec<(Key, Val)>,
    /// Why the instances are not known; then there is one that stands for all.
    pub unknown: Option<Arc<Cause>>,
    /// The value of `count` or `for_each`.
    pub given: Option<Rc<Given>>,
}

impl Expansion {
    /// Evaluates the `count` and `for_each` of a block.
    pub fn of(engine: &Engine<'_>, instance: u32, body: &Merged<'_>) -> Expansion {
        match (body.value("count"), body.value("for_each")) {
            (None, None) => {
                Expansion { mode: Mode::Single, keys: vec![(Key::Single, Val::null())], unknown: None, given: None }
            }
            (Some(count), None) => Expansion::count(engine, instance, count),
            (None, Some(each)) => {
                let val = engine.eval(each, &engine.scope(instance));
                Expansion::for_each(engine, val, each.span)
            }
            (Some(count), Some(each)) => {
                let message = "`count` and `for_each` exclude each other".to_owned();
                engine.note(count.span, CauseKind::Error, message.clone());
                let cause = Arc::new(Cause { kind: CauseKind::Error, message, span: each.span });
                Expansion::any(Mode::ForEach, None, cause)
            }
        }
    }

    fn any(mode: Mode, given: Option<Val>, cause: Arc<Cause>) -> Expansion {
        let each = Val::unknown_of(Type::Any, cause.clone());
        Expansion { mode, keys: vec![(Key::Any, each)], unknown: Some(cause), given: given.map(Given::new) }
    }

    fn wrong(engine: &Engine<'_>, mode: Mode, given: Val, message: &str, span: Span) -> Expansion {
        let failed = engine.failed(EvalError::new(message, span), span);
        match failed.as_unknown() {
            Some(unknown) => Expansion::any(mode, Some(given), unknown.cause.clone()),
            None => Expansion { mode, keys: Vec::new(), unknown: None, given: Some(Given::new(given)) },
        }
    }

    fn count(engine: &Engine<'_>, instance: u32, expr: &Expr) -> Expansion {
        let val = engine.eval(expr, &engine.scope(instance));
        if let Some(unknown) = val.as_unknown() {
            return Expansion::any(Mode::Count, Some(val.clone()), unknown.cause.clone());
        }
        let number = convert(&val, &Type::Number).ok();
        let count = number.as_ref().and_then(Val::as_number).and_then(crate::graph::Number::to_i64);
        let Some(count) = count.and_then(|n| usize::try_from(n).ok()) else {
            let message = "`count` must be a whole number, zero or more";
            return Expansion::wrong(engine, Mode::Count, val, message, expr.span);
        };
        let mut expansion = Expansion {
            mode: Mode::Count,
            keys: (0..count.min(MAX_INSTANCES)).map(|i| (Key::Index(i), Val::null())).collect(),
            unknown: None,
            given: Some(Given::new(val)),
        };
        if count > MAX_INSTANCES {
            expansion.cut(engine, expr.span, count);
        }
        expansion
    }

    /// The expansion by a value of `for_each`.
    fn for_each(engine: &Engine<'_>, val: Val, span: Span) -> Expansion {
        let wrong = |val, message| Expansion::wrong(engine, Mode::ForEach, val, message, span);
        if let Some(unknown) = val.as_unknown() {
            return Expansion::any(Mode::ForEach, Some(val.clone()), unknown.cause.clone());
        }
        if val.is_null() {
            return wrong(val, "`for_each` must not be null");
        }
        if val.marks.has(Marks::SENSITIVE) {
            return wrong(val, "`for_each` must not be sensitive: its keys show in addresses");
        }
        let mut keys: Vec<(Key, Val)> = Vec::new();
        match &val.datum {
            Datum::Map(table) | Datum::Object(table) => {
                keys.extend(table.entries.iter().map(|m| (Key::Name(m.key.clone()), m.val.clone().inherit(&val))));
            }
            Datum::Set(seq) => {
                for item in &seq.items {
                    if let Some(unknown) = item.as_unknown() {
                        return Expansion::any(Mode::ForEach, Some(val.clone()), unknown.cause.clone());
                    }
                    let Some(text) = item.as_str() else {
                        return wrong(val, "`for_each` over a set needs strings that are not null");
                    };
                    keys.push((Key::Name(text.into()), item.clone().inherit(&val)));
                }
            }
            _ => return wrong(val, "`for_each` needs a map or a set of strings; a list becomes one with toset()"),
        }
        let count = keys.len();
        keys.truncate(MAX_INSTANCES);
        let mut expansion = Expansion { mode: Mode::ForEach, keys, unknown: None, given: Some(Given::new(val)) };
        if count > MAX_INSTANCES {
            expansion.cut(engine, span, count);
        }
        expansion
    }

    /// Notes that there are more instances than are looked at.
    fn cut(&mut self, engine: &Engine<'_>, span: Span, count: usize) {
        let message = format!("of {count} instances only the first {} are looked at", self.keys.len());
        engine.note(span, CauseKind::Limit, message.clone());
        self.unknown = Some(Arc::new(Cause { kind: CauseKind::Limit, message, span }));
    }

    /// The same expansion with no more than `room` instances.
    #[must_use]
    pub fn at_most(mut self, room: usize, engine: &Engine<'_>, span: Span, what: &str) -> Expansion {
        if self.keys.len() > room {
            let message = format!("some instances are left out: the configuration makes too many {what}");
            engine.note(span, CauseKind::Limit, message.clone());
            self.keys.truncate(room);
            self.unknown = Some(Arc::new(Cause { kind: CauseKind::Limit, message, span }));
        }
        self
    }
}
