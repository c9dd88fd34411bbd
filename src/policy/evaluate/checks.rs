//! The checks of a test, on one node.

use super::engine::{Engine, Scope};
use super::truth::Truth;
use super::walk::Node;
use super::{Reach, secret};
use crate::base::Span;
use crate::graph::{Data, Ends, How, Labels, Number, Selector, Value};
use crate::policy::model::{Check, CidrCheck, Comparison, Operand, Path, Ports, SecretKind, Test};
use crate::policy::values::cidr::Block;
use crate::policy::values::{ports, version};
use std::borrow::Cow;

impl Engine<'_> {
    /// Whether a check holds of a node that is not null.
    pub(super) fn check(&self, check: &Check, test: &Test, node: Node<'_>, scope: &Scope<'_>) -> Truth {
        let value = node.value;
        let fold = test.ignore_case;
        match check {
            // An unknown value exists: somebody wrote it.
            Check::Exists(expected) => return Truth::from(*expected),
            Check::ResolvesTo(kinds) => return self.resolves_to(kinds, value, scope),
            // A credential is in the code only where it is written, and there it is known.
            Check::Secret(kind, expected) if value.as_unknown().is_some() => {
                let written = match &value.origin.how {
                    How::Partial(ends) => on_written_ends(*kind, ends),
                    _ => false,
                };
                return Truth::from(written == *expected);
            }
            _ => {}
        }
        if value.as_unknown().is_some() {
            return match &value.origin.how {
                How::Partial(ends) if !fold => self.check_ends(check, ends, scope),
                _ => Truth::Unknown,
            };
        }
        let operand = |operand: &Operand| self.operand(operand, scope);
        match check {
            Check::Exists(_) | Check::ResolvesTo(_) => Truth::Unknown,
            Check::Empty(expected) => Truth::from(is_empty(value) == *expected),
            Check::True(expected) => Truth::from(truth_value(value) == Some(true)).same_as(*expected),
            Check::False(expected) => Truth::from(truth_value(value) == Some(false)).same_as(*expected),
            Check::Equals(other, expected) => with(operand(other), |o| equal(value, o, fold).same_as(*expected)),
            Check::In(list, expected) => {
                with(operand(list), |o| any_of(o, |item| equal(value, item, fold)).same_as(*expected))
            }
            Check::Matches(patterns, expected) => match value.scalar_text() {
                Some(text) => Truth::from(patterns.iter().any(|p| self.pool.matches(*p, &text, fold)) == *expected),
                None => Truth::False,
            },
            Check::MatchesOperand(patterns, expected) => match value.scalar_text() {
                Some(text) => with(operand(patterns), |o| {
                    texts(o, |pattern| Truth::from(super::matches_once(pattern, &text, fold))).same_as(*expected)
                }),
                None => Truth::False,
            },
            Check::StartsWith(other) => with(operand(other), |o| {
                on_text(value, fold, |text| texts(o, |t| Truth::from(text.starts_with(&*folded(t, fold)))))
            }),
            Check::EndsWith(other) => with(operand(other), |o| {
                on_text(value, fold, |text| texts(o, |t| Truth::from(text.ends_with(&*folded(t, fold)))))
            }),
            Check::Contains(other, expected) => {
                with(operand(other), |o| contains(value, o, fold).map_or(Truth::False, |t| t.same_as(*expected)))
            }
            Check::ContainsAny(list) => {
                with(operand(list), |o| any_of(o, |item| contains(value, item, fold).unwrap_or(Truth::False)))
            }
            Check::ContainsAll(list) => {
                with(operand(list), |o| all_of(o, |item| contains(value, item, fold).unwrap_or(Truth::False)))
            }
            Check::SubsetOf(list) => {
                with(operand(list), |o| all_of(value, |item| any_of(o, |other| equal(item, other, fold))))
            }
            Check::SupersetOf(list) => {
                with(operand(list), |o| all_of(o, |other| any_of(value, |item| equal(item, other, fold))))
            }
            Check::Intersects(list) => {
                with(operand(list), |o| any_of(value, |item| any_of(o, |other| equal(item, other, fold))))
            }
            Check::SelectsLabels(labels) => {
                let selector = Selector::of(value);
                if selector.is_unknown() {
                    return Truth::Unknown;
                }
                with(operand(labels), |o| match &o.data {
                    Data::Map(map) if map.entries.iter().any(|e| e.value.as_unknown().is_some()) => Truth::Unknown,
                    Data::Map(_) => Truth::from(selector.selects(&Labels::of_map(o))),
                    _ => Truth::False,
                })
            }
            Check::Number(comparison, other) => with(operand(other), |o| compare(value, *comparison, o)),
            Check::Length(checks) => match length(value) {
                Some(length) => {
                    let length = Value::int(i64::try_from(length).unwrap_or(i64::MAX), Span::NONE);
                    let node = Node { value: &length, ..node };
                    checks.iter().fold(Truth::True, |truth, check| truth.and(self.check(check, test, node, scope)))
                }
                None => Truth::False,
            },
            Check::Version(range) => with(operand(range), |o| match value.scalar_text() {
                Some(text) => match version::Version::parse(&text) {
                    Some(version) => texts(o, |range| {
                        Truth::from(version::Range::parse(range).is_ok_and(|range| range.contains(&version)))
                    }),
                    None => Truth::False,
                },
                None => Truth::False,
            }),
            Check::Cidr(checks) => match value.scalar_text().and_then(|t| Block::parse(&t)) {
                Some(block) => {
                    checks.iter().fold(Truth::True, |truth, check| truth.and(self.cidr(check, block, scope)))
                }
                None => Truth::False,
            },
            Check::Ports(asked) => match ranges(value) {
                Some((found, unknown)) => self.ports(asked, &found, unknown, scope),
                None => Truth::False,
            },
            Check::Type(types) => Truth::from(super::type_of(value).is_some_and(|t| types.contains(&t))),
            Check::Secret(kind, expected) => {
                Truth::from(on_secret(*kind, self.name_of(node, scope), value) == *expected)
            }
            Check::Written(expected) => Truth::from(is_written(value) == *expected),
        }
    }

    /// Whether a check holds of a text of which only the beginning and the end are known.
    fn check_ends(&self, check: &Check, ends: &Ends, scope: &Scope<'_>) -> Truth {
        // A number may be written in many ways.
        let allowed = |other: &Value| match other.as_str() {
            Some(text) if !ends.allow(text) => Truth::False,
            _ => Truth::Unknown,
        };
        match check {
            Check::Empty(expected) => Truth::False.same_as(*expected),
            Check::Equals(other, expected) | Check::In(other, expected) => {
                with(self.operand(other, scope), |o| any_of(o, allowed).same_as(*expected))
            }
            Check::StartsWith(other) => with(self.operand(other, scope), |o| {
                texts(o, |text| match () {
                    () if ends.start.starts_with(text) => Truth::True,
                    () if text.starts_with(&*ends.start) => Truth::Unknown,
                    () => Truth::False,
                })
            }),
            Check::EndsWith(other) => with(self.operand(other, scope), |o| {
                texts(o, |text| match () {
                    () if ends.end.ends_with(text) => Truth::True,
                    () if text.ends_with(&*ends.end) => Truth::Unknown,
                    () => Truth::False,
                })
            }),
            Check::Contains(other, expected) => with(self.operand(other, scope), |o| {
                texts(o, |text| match ends.start.contains(text) || ends.end.contains(text) {
                    true => Truth::True,
                    false => Truth::Unknown,
                })
                .same_as(*expected)
            }),
            _ => Truth::Unknown,
        }
    }

    /// What a node is called. What stands under `value` or `default` is called what its neighbour `name` or `key` says (an
    /// environment variable), or what its resource is called (a variable, an output).
    fn name_of<'v>(&'v self, node: Node<'v>, scope: &Scope<'v>) -> &'v str {
        let name = node.key.map_or("", |(name, _)| name);
        if !["value", "default"].iter().any(|n| name.eq_ignore_ascii_case(n)) {
            return name;
        }
        let Some(container) = node.container else { return name };
        let Data::Map(map) = &container.data else { return name };
        let neighbour = map.entries.iter().find(|e| ["name", "key"].iter().any(|n| e.key.eq_ignore_ascii_case(n)));
        match neighbour.and_then(|e| e.value.as_str()) {
            Some(name) => name,
            None if std::ptr::eq(container, scope.body) => &self.graph.get(scope.judged).name,
            None => name,
        }
    }

    fn cidr(&self, check: &CidrCheck, block: Block, scope: &Scope<'_>) -> Truth {
        let blocks = |operand: &Operand, test: &dyn Fn(Block) -> bool| {
            with(self.operand(operand, scope), |o| texts(o, |text| Truth::from(Block::parse(text).is_some_and(test))))
        };
        match check {
            CidrCheck::Any(expected) => Truth::from(block.is_any() == *expected),
            CidrCheck::Public(expected) => Truth::from(block.is_public() == *expected),
            CidrCheck::Contains(o) => blocks(o, &|other| block.contains(other)),
            CidrCheck::Within(o) => blocks(o, &|other| other.contains(block)),
            CidrCheck::Overlaps(o) => blocks(o, &|other| block.overlaps(other)),
            CidrCheck::LargerThan(o) => with(self.operand(o, scope), |o| {
                let prefix = Value::int(i64::from(block.prefix()), Span::NONE);
                compare(&prefix, Comparison::Less, o)
            }),
        }
    }

    /// `unknown` says whether there may be more ranges than those found.
    fn ports(&self, asked: &Ports, found: &[ports::Range], unknown: bool, scope: &Scope<'_>) -> Truth {
        let more = if unknown { Truth::Unknown } else { Truth::False };
        let mut truth = Truth::True;
        if let Some(expected) = asked.any {
            let all = Truth::from(found.iter().any(|r| ports::is_all(*r))).or(more);
            truth = truth.and(all.same_as(expected));
        }
        if let Some(wanted) = &asked.includes {
            let includes = with(self.operand(wanted, scope), |o| {
                texts(o, |text| {
                    let wanted = ports::parse(text).unwrap_or_default();
                    Truth::from(wanted.iter().any(|w| found.iter().any(|f| ports::overlap(*f, *w))))
                })
            });
            truth = truth.and(includes.or(more));
        }
        if let Some(most) = &asked.more_than {
            let wide = with(self.operand(most, scope), |o| {
                found.iter().fold(Truth::False, |truth, (first, last)| {
                    let ports = i64::from(last.saturating_sub(*first)) + 1;
                    truth.or(compare(&Value::int(ports, Span::NONE), Comparison::Greater, o))
                })
            });
            truth = truth.and(wide.or(more));
        }
        truth
    }

    /// A range of ports that is given by two attributes. Where one is absent, the other stands for both.
    pub(super) fn port_range<T: super::trace::Tracer>(
        &self,
        from: &Path,
        to: &Path,
        asked: &Ports,
        scope: &Scope<'_>,
        tracer: &mut T,
    ) -> Truth {
        let mut ends: [Option<i64>; 2] = [None, None];
        for (path, end) in [from, to].into_iter().zip(&mut ends) {
            let Some(value) = self.first(path, scope) else { continue };
            if let Some(cause) = value.as_unknown() {
                tracer.cause(cause);
                return Truth::Unknown;
            }
            if T::ON {
                let key = None;
                tracer.node(scope.resource, path, Node { value: &value, key, container: None, maybe: None }, false);
            }
            *end = number(&value).and_then(|n| n.to_i64());
        }
        let (from, to) = match ends {
            [Some(from), Some(to)] => (from, to),
            [Some(one), None] | [None, Some(one)] => (one, one),
            [None, None] => return Truth::False,
        };
        let range = match (u32::try_from(from), u32::try_from(to)) {
            (Ok(from), Ok(to)) => (from, to),
            // -1 is how AWS writes every port.
            _ => ports::ALL,
        };
        self.ports(asked, &[range], false, scope)
    }

    /// Whether a value refers to a resource of one of these kinds.
    fn resolves_to(&self, kinds: &[String], value: &Value, scope: &Scope<'_>) -> Truth {
        self.looked(Reach::Related);
        let mut refers = false;
        let mut at = Some(scope.resource);
        for _ in 0..8 {
            let Some(id) = at else { break };
            for edge in self.graph.outgoing(id) {
                let here = value.span().contains(edge.span)
                    || value.origin.chain().iter().any(|origin| origin.span.contains(edge.span));
                if here && &*edge.via != "part-of" {
                    refers = true;
                    if self.is_kind(edge.to, kinds) {
                        return Truth::True;
                    }
                }
            }
            at = self.graph.parent(id);
        }
        if !refers && value.as_unknown().is_some() { Truth::Unknown } else { Truth::False }
    }
}

impl Truth {
    /// The same, or the opposite where that is what is expected.
    fn same_as(self, expected: bool) -> Truth {
        if expected { self } else { !self }
    }
}

/// A test on an operand. One that selects nothing compares with nothing.
fn with(operand: Option<Cow<'_, Value>>, test: impl FnOnce(&Value) -> Truth) -> Truth {
    match operand {
        None => Truth::False,
        Some(value) if value.as_unknown().is_some() => Truth::Unknown,
        Some(value) => test(&value),
    }
}

/// Whether one of the elements passes; a scalar or map counts as a list of one.
fn any_of(list: &Value, test: impl Fn(&Value) -> Truth) -> Truth {
    match &list.data {
        Data::List(items) => {
            let mut truth = Truth::False;
            for item in items.iter() {
                truth = truth.or(if item.as_unknown().is_some() { Truth::Unknown } else { test(item) });
                if truth == Truth::True {
                    break;
                }
            }
            truth
        }
        _ => test(list),
    }
}

fn all_of(list: &Value, test: impl Fn(&Value) -> Truth) -> Truth {
    match &list.data {
        Data::List(items) => {
            let mut truth = Truth::True;
            for item in items.iter() {
                truth = truth.and(if item.as_unknown().is_some() { Truth::Unknown } else { test(item) });
                if truth == Truth::False {
                    break;
                }
            }
            truth
        }
        _ => test(list),
    }
}

/// Whether one of the texts of an operand passes.
fn texts(operand: &Value, test: impl Fn(&str) -> Truth) -> Truth {
    any_of(operand, |item| item.scalar_text().map_or(Truth::False, |text| test(&text)))
}

fn on_text(value: &Value, fold: bool, test: impl FnOnce(&str) -> Truth) -> Truth {
    match value.scalar_text() {
        Some(text) => test(&folded(&text, fold)),
        None => Truth::False,
    }
}

fn folded(text: &str, fold: bool) -> Cow<'_, str> {
    if fold { text.to_lowercase().into() } else { text.into() }
}

fn same_text(a: &str, b: &str, fold: bool) -> bool {
    a == b || (fold && (a.eq_ignore_ascii_case(b) || (!a.is_ascii() && a.to_lowercase() == b.to_lowercase())))
}

/// Whether two values are the same; scalars compare as the formats convert them.
pub(super) fn equal(a: &Value, b: &Value, fold: bool) -> Truth {
    match (&a.data, &b.data) {
        (Data::Unknown(_), _) | (_, Data::Unknown(_)) => Truth::Unknown,
        (Data::Null, Data::Null) => Truth::True,
        (Data::Bool(x), Data::Bool(y)) => Truth::from(x == y),
        (Data::Number(x), Data::Number(y)) => Truth::from(x == y),
        (Data::String(x), Data::String(y)) => Truth::from(same_text(x, y, fold)),
        (Data::Bool(x), Data::String(y)) | (Data::String(y), Data::Bool(x)) => {
            Truth::from(y.eq_ignore_ascii_case(if *x { "true" } else { "false" }))
        }
        (Data::Number(x), Data::String(y)) | (Data::String(y), Data::Number(x)) => {
            Truth::from(Number::parse(y.trim()).is_some_and(|y| *x == y))
        }
        (Data::List(x), Data::List(y)) => {
            if x.len() != y.len() {
                return Truth::False;
            }
            x.iter().zip(y.iter()).fold(Truth::True, |truth, (a, b)| truth.and(equal(a, b, fold)))
        }
        (Data::Map(x), Data::Map(y)) => {
            if x.entries.len() != y.entries.len() {
                return Truth::False;
            }
            x.entries.iter().fold(Truth::True, |truth, entry| {
                truth.and(y.get(&entry.key).map_or(Truth::False, |other| equal(&entry.value, other, fold)))
            })
        }
        _ => Truth::False,
    }
}

/// Whether a text, list or map contains something; `None` where the value is nothing that could.
fn contains(value: &Value, item: &Value, fold: bool) -> Option<Truth> {
    match &value.data {
        Data::List(_) => Some(any_of(value, |element| equal(element, item, fold))),
        Data::Map(map) => {
            let key = item.scalar_text()?;
            Some(Truth::from(map.entries.iter().any(|e| same_text(&e.key, &key, fold))))
        }
        Data::Null | Data::Unknown(_) => None,
        _ => {
            let (text, part) = (value.scalar_text()?, item.scalar_text()?);
            Some(Truth::from(folded(&text, fold).contains(&*folded(&part, fold))))
        }
    }
}

fn is_empty(value: &Value) -> bool {
    match &value.data {
        Data::Null => true,
        Data::String(s) => s.is_empty(),
        Data::List(items) => items.is_empty(),
        Data::Map(map) => map.entries.is_empty(),
        _ => false,
    }
}

fn truth_value(value: &Value) -> Option<bool> {
    match &value.data {
        Data::Bool(b) => Some(*b),
        Data::String(s) if s.eq_ignore_ascii_case("true") => Some(true),
        Data::String(s) if s.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

fn number(value: &Value) -> Option<Number> {
    match &value.data {
        Data::Number(n) => Some(n.clone()),
        Data::String(s) => Number::parse(s.trim()),
        _ => None,
    }
}

fn compare(value: &Value, comparison: Comparison, other: &Value) -> Truth {
    let (Some(a), Some(b)) = (number(value), number(other)) else { return Truth::False };
    Truth::from(match comparison {
        Comparison::Less => a < b,
        Comparison::AtMost => a <= b,
        Comparison::Greater => a > b,
        Comparison::AtLeast => a >= b,
    })
}

fn length(value: &Value) -> Option<usize> {
    match &value.data {
        Data::String(s) => Some(s.chars().count()),
        Data::List(items) => Some(items.len()),
        Data::Map(map) => Some(map.entries.len()),
        _ => None,
    }
}

/// The ranges of ports that a value names, and whether some of them are not known. `None` where it names none.
fn ranges(value: &Value) -> Option<(Vec<ports::Range>, bool)> {
    match &value.data {
        Data::List(items) => {
            let (mut found, mut unknown) = (Vec::new(), false);
            for item in items.iter() {
                if item.as_unknown().is_some() {
                    unknown = true;
                } else if let Some((more, _)) = ranges(item) {
                    found.extend(more);
                }
            }
            Some((found, unknown))
        }
        _ => Some((ports::parse(&value.scalar_text()?)?, false)),
    }
}

/// Whether a value looks like a credential of this kind.
fn on_secret(kind: SecretKind, name: &str, value: &Value) -> bool {
    let looks = |text: &str| match kind {
        SecretKind::Any => secret::is_secret(name, text),
        SecretKind::Key => secret::has_key(text),
        SecretKind::Named => secret::is_named_secret(name, text),
    };
    match &value.data {
        Data::String(text) => looks(text),
        Data::Number(n) => looks(&n.to_string()),
        _ => false,
    }
}

/// Whether one of the known ends of a text has a credential of this kind. A name alone does not say that of an end: what
/// is between may be all that is secret.
fn on_written_ends(kind: SecretKind, ends: &Ends) -> bool {
    kind != SecretKind::Named && [&ends.start, &ends.end].into_iter().any(|end| secret::has_key(end))
}

/// Whether a value stands where it is written: it did not come from a variable, a local or a module's argument.
fn is_written(value: &Value) -> bool {
    !matches!(value.origin.how, How::Variable | How::Default | How::Local | How::ModuleArgument)
}
