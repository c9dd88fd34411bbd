//! From evidence to a finding: where it points, what it says, how it is known again.

use super::trace::{Evidence, Gather, Off, absent_names};
use super::walk::{Miss, Node, Visitor};
use super::{Engine, Finding, Judge, Scope, Truth};
use crate::base::Span;
use crate::diagnostic::{Diagnostic, Label, Subject};
use crate::graph::{Data, How, Origin, Value};
use crate::policy::fix::{FixRequest, FixTarget};
use crate::policy::model::{Condition, FixAction, FixPlan, Operand, Path, Piece, Root, Step, Template};
use std::ops::ControlFlow;

/// No finding names more related places than this.
const MOST_RELATED: usize = 8;
/// Longer values are cut in messages.
const LONGEST_VALUE: usize = 120;
/// Where a value is the whole message, it is a sentence, and cut later.
const LONGEST_SENTENCE: usize = 600;

impl Judge<'_> {
    /// The finding of a resource or node of which `deny` is true.
    pub(super) fn finding(&self, engine: &Engine<'_>, scope: &Scope<'_>, index: usize) -> Finding {
        let policy = &self.compiled.policy;
        let mut gather = Gather::default();
        engine.condition(&policy.deny, scope, &mut gather);
        let mut evidence = gather.evidence;
        if let Some(at) = &policy.at
            && let Some(place) = engine.place(at, scope)
        {
            evidence.insert(0, place);
        }
        if let Some(node) = scope.node
            && !evidence.iter().any(|e| e.resource == scope.judged)
        {
            let path = policy.for_each.as_ref().map(|p| p.text.clone()).unwrap_or_default();
            evidence.push(Evidence {
                resource: scope.judged,
                path,
                span: node.spot(),
                value: Some(node.value.clone()),
                absent: None,
                secret: false,
            });
        }
        let root = engine.root(scope.judged);
        let root_resource = engine.graph.get(root);
        let primary = evidence.iter().position(|e| !e.span.is_none());
        let (span, value, path, label) = match primary.and_then(|i| evidence.get(i)) {
            Some(found) => {
                let label = if found.value.is_none() { self.absent_label(found) } else { String::new() };
                (found.span, found.value.clone(), found.path.clone(), label)
            }
            None => {
                let head = engine.graph.get(scope.judged).head;
                (if head.is_none() { root_resource.head } else { head }, None, String::new(), String::new())
            }
        };
        // What came from elsewhere as part of a list or map is shown where it enters the resource: there the reader
        // stands, and there an ignore comment belongs. The place where it is written heads the trace.
        let inside = doorway(&root_resource.body, root_resource.span, span);
        let written = inside.map(|_| Label::new(span, "it is written here"));
        let span = inside.unwrap_or(span);
        let mut redacted = Vec::new();
        for found in &evidence {
            if let Some(value) = &found.value
                && hides(value, found.secret)
            {
                redacted.extend(std::iter::once(&value.origin).chain(value.origin.chain()).map(|o| o.span));
            }
        }
        let mut related: Vec<Label> = Vec::new();
        for (i, found) in evidence.iter().enumerate() {
            let repeated = found.span == span || related.iter().any(|l| l.span == found.span);
            if Some(i) == primary || found.span.is_none() || repeated || related.len() >= MOST_RELATED {
                continue;
            }
            related.push(Label::new(found.span, self.related_label(engine, scope, found)));
        }
        let origins = value.iter().flat_map(|v| v.origin.chain());
        let trace = written.into_iter().chain(origins.map(|o| Label::new(o.span, origin_words(o)))).collect();
        let secret = primary.and_then(|i| evidence.get(i)).is_some_and(|e| e.secret);
        let words =
            Words { judge: self, engine, scope, value: value.as_ref(), path: &path, secret, related: gather.related };
        let fingerprint = fingerprint(&[
            &policy.rule.name,
            if root_resource.kind.starts_with(|c: char| c.is_ascii_lowercase()) { &root_resource.unit } else { "" },
            &engine.graph.get(scope.judged).address,
            &path,
            &if index == 0 { String::new() } else { index.to_string() },
        ]);
        let diagnostic = Diagnostic {
            rule: self.compiled.rule.clone(),
            severity: self.severity,
            message: words.fill(&policy.message),
            primary: Label::new(span, label),
            related,
            trace,
            subject: Some(Subject {
                address: root_resource.address.clone(),
                kind: root_resource.kind.clone(),
                span: root_resource.span,
            }),
            callers: root_resource.callers.clone(),
            fix: None,
            fingerprint,
            occurrences: Vec::new(),
            redacted,
        };
        let fix = policy.fix.as_ref().and_then(|plan| words.fix(plan));
        Finding { diagnostic, resource: scope.judged, fix }
    }

    fn absent_label(&self, found: &Evidence) -> String {
        match found.absent.as_deref().or(last_name(&found.path)) {
            Some(name) => format!("`{name}` is not set"),
            None => String::new(),
        }
    }

    fn related_label(&self, engine: &Engine<'_>, scope: &Scope<'_>, found: &Evidence) -> String {
        let whose = if found.resource == scope.judged {
            String::new()
        } else {
            format!("`{}`: ", engine.graph.get(engine.root(found.resource)).address)
        };
        let name = last_name(&found.path);
        match (&found.value, found.absent.as_deref().or(name)) {
            (None, Some(name)) => format!("{whose}`{name}` is not set"),
            (Some(value), Some(name)) => match short(value, found.secret) {
                Some(text) => format!("{whose}`{name}` is `{text}`"),
                None => format!("{whose}`{name}`"),
            },
            _ => whose.trim_end_matches(": ").to_owned(),
        }
    }
}

/// Where a value that stands outside of a resource enters it: the innermost place in the resource whose value holds the one
/// that stands at `target`. `None` where that lies in the resource itself, or is not part of its body.
fn doorway(body: &Value, resource: Span, target: Span) -> Option<Span> {
    fn search(value: &Value, resource: Span, target: Span, door: Option<Span>, depth: usize) -> Option<Span> {
        if depth > 64 {
            return None;
        }
        let here = value.span();
        if here == target {
            return door;
        }
        let door = if resource.contains(here) { Some(here) } else { door };
        match &value.data {
            Data::List(items) => items.iter().find_map(|v| search(v, resource, target, door, depth + 1)),
            Data::Map(map) => map.entries.iter().find_map(|e| search(&e.value, resource, target, door, depth + 1)),
            _ => None,
        }
    }
    if target.is_none() || resource.contains(target) {
        return None;
    }
    search(body, resource, target, None, 0)
}

/// The last name of a path as written.
fn last_name(path: &str) -> Option<&str> {
    let bare = path.trim_end_matches(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'));
    let start = bare.rfind(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).map_or(0, |i| i + 1);
    bare.get(start..).filter(|name| !name.is_empty())
}

/// Whether a value must not be shown.
fn hides(value: &Value, secret: bool) -> bool {
    value.origin.sensitive || secret || matches!(&value.data, Data::String(text) if super::secret::known_key(text))
}

/// A value in few words; `None` for what has too much inside.
pub(in crate::policy) fn short(value: &Value, secret: bool) -> Option<String> {
    if hides(value, secret) {
        return Some("(sensitive)".to_owned());
    }
    let text = match &value.data {
        Data::Unknown(_) => "(not known)".to_owned(),
        Data::Null => "null".to_owned(),
        Data::List(_) | Data::Map(_) => {
            let text = value.to_json().to_string();
            if text.len() > LONGEST_VALUE {
                return None;
            }
            text
        }
        _ => value.scalar_text()?.into_owned(),
    };
    Some(cut(&text))
}

/// The first line, and not too much of it.
fn cut(text: &str) -> String {
    cut_to(text, LONGEST_VALUE)
}

fn cut_to(text: &str, longest: usize) -> String {
    let line = text.trim().lines().next().unwrap_or("");
    let more = line.len() < text.trim().len();
    let mut cut: String = line.chars().take(longest).collect();
    if more || cut.len() < line.len() {
        cut.push('…');
    }
    cut
}

/// How a value came here, in words.
fn origin_words(origin: &Origin) -> String {
    match origin.how {
        How::Literal => "it is written here",
        How::Default => "the default",
        How::Variable => "through this variable",
        How::Local => "through this local value",
        How::ModuleArgument => "passed to the module here",
        How::Function => "computed here",
        How::Rendered => "rendered from here",
        How::Partial(_) => "known in part",
        How::Planned => "planned by Terraform",
        How::Encoded(_) => "encoded here",
    }
    .to_owned()
}

/// A hash that stays the same on every machine and in every version: FNV-1a over the parts, each closed by a byte that
/// no text contains.
fn fingerprint(parts: &[&str]) -> String {
    let mut hash: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    for part in parts {
        for byte in part.bytes().chain([0xff]) {
            hash ^= u128::from(byte);
            hash = hash.wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
        }
    }
    format!("{:016x}", (hash >> 64) ^ (hash & u128::from(u64::MAX)))
}

/// Fills in the words of a finding.
struct Words<'a> {
    judge: &'a Judge<'a>,
    engine: &'a Engine<'a>,
    scope: &'a Scope<'a>,
    value: Option<&'a Value>,
    /// The path to the value.
    path: &'a str,
    secret: bool,
    related: Option<crate::graph::ResourceId>,
}

impl Words<'_> {
    fn fill(&self, template: &Template) -> String {
        let mut text = String::new();
        let graph = self.engine.graph;
        for piece in &template.0 {
            match piece {
                Piece::Text(plain) => text.push_str(plain),
                Piece::Resource => text.push_str(&graph.get(self.engine.root(self.scope.judged)).address),
                Piece::Kind => text.push_str(&graph.get(self.engine.root(self.scope.judged)).kind),
                Piece::Name => text.push_str(&graph.get(self.scope.judged).name),
                Piece::Value => {
                    let stands_in = if self.value.is_none() { self.standing_in(self.path) } else { None };
                    text.push_str(&words_of(self.value.or(stands_in.as_ref()), self.secret));
                }
                Piece::Related => match self.related {
                    Some(id) => text.push_str(&graph.get(self.engine.root(id)).address),
                    None => text.push_str("(none)"),
                },
                Piece::Param(name) => text.push_str(&words_of(self.judge.param(name).as_ref(), false)),
                Piece::Path(path) => {
                    let value = self.engine.first(path, self.scope).or_else(|| self.standing_in(&path.text));
                    let sentence = value.as_ref().filter(|v| template.0.len() == 1 && !hides(v, false));
                    match sentence.and_then(Value::as_str) {
                        Some(sentence) => text.push_str(&cut_to(sentence, LONGEST_SENTENCE)),
                        None => text.push_str(&words_of(value.as_ref(), false)),
                    }
                }
            }
        }
        text
    }

    /// The fix with its places, where all of them were found.
    fn fix(&self, plan: &FixPlan) -> Option<FixRequest> {
        let mut actions = Vec::new();
        for action in &plan.actions {
            self.action(action, &mut actions)?;
        }
        let title = match &plan.title {
            Some(title) => self.fill(title),
            None => self.title(plan.actions.first()?),
        };
        (!actions.is_empty()).then(|| FixRequest {
            policy: self.judge.compiled.rule.name.as_str().into(),
            resource: self.engine.root(self.scope.judged),
            title,
            safety: plan.safety,
            actions,
        })
    }

    fn title(&self, action: &FixAction) -> String {
        match action {
            FixAction::Set { path, to, .. } => {
                let value = self.engine.operand(to, self.scope);
                format!("Set `{}` to `{}`", last_name(&path.text).unwrap_or("it"), words_of(value.as_deref(), false))
            }
            FixAction::Remove(path) => format!("Remove `{}`", last_name(&path.text).unwrap_or("it")),
            FixAction::Replace { path, pattern, with } => self.replacement(path, *pattern, with).unwrap_or_else(|| {
                let name = last_name(&path.text).filter(|n| !n.bytes().all(|b| b.is_ascii_digit()));
                name.map_or_else(|| "Rewrite it".to_owned(), |name| format!("Rewrite `{name}`"))
            }),
            FixAction::Insert { text, .. } => format!("Insert `{}`", cut(&self.fill(text))),
        }
    }

    /// What a replacement does, in the words that it changes: add, remove, replace.
    fn replacement(&self, path: &Path, pattern: u16, with: &str) -> Option<String> {
        let regex = self.engine.pool.regex(pattern, false)?;
        let (value, ..) = self.nodes(path).into_iter().next()?;
        let text = value.scalar_text().filter(|_| !hides(&value, self.secret))?;
        let found = regex.captures(&text)?;
        let (old, mut new) = (found.get(0)?.as_str(), String::new());
        found.expand(with, &mut new);
        Some(match (old.trim(), new.trim()) {
            ("", new) => format!("Add `{}`", cut(new)),
            (old, "") => format!("Remove `{}`", cut(old)),
            (old, new) => format!("Write `{}` in place of `{}`", cut(new), cut(old)),
        })
    }

    /// The value that a policy puts in the place of an absent one, by the default of the test that made it true.
    fn standing_in(&self, path: &str) -> Option<Value> {
        let operand = self.default_in(&self.judge.compiled.policy.deny, path)?;
        self.engine.operand(operand, self.scope).map(std::borrow::Cow::into_owned)
    }

    fn default_in<'c>(&self, condition: &'c Condition, path: &str) -> Option<&'c Operand> {
        match condition {
            Condition::Test(test) if test.path.text == path => test.default.as_ref(),
            Condition::All(parts) => parts.iter().find_map(|p| self.default_in(p, path)),
            Condition::Any(parts) => {
                let holds = |p: &&Condition| self.engine.condition(p, self.scope, &mut Off) == Truth::True;
                parts.iter().filter(holds).find_map(|p| self.default_in(p, path))
            }
            Condition::Not(part) => self.default_in(part, path),
            _ => None,
        }
    }

    fn action(&self, action: &FixAction, targets: &mut Vec<FixTarget>) -> Option<()> {
        let before = targets.len();
        match action {
            FixAction::Set { path, to, block } => {
                let new = self.engine.operand(to, self.scope)?.into_owned();
                let mut places = Places::default();
                let _ = self.engine.walk(path, self.scope, &mut places);
                for (value, key, _) in places.nodes {
                    targets.push(FixTarget::SetValue { old: value, key, new: new.clone() });
                }
                for (container, head, rest) in places.misses {
                    let names: Option<Vec<String>> = rest
                        .iter()
                        .map(|step| match step {
                            Step::Name(name) => Some(name.clone()),
                            _ => None,
                        })
                        .collect();
                    let names = names.filter(|n| !n.is_empty())?;
                    let blocks = if *block { names.len() - 1 } else { 0 };
                    targets.push(FixTarget::InsertValue {
                        container,
                        head: Some(head),
                        names,
                        blocks,
                        new: new.clone(),
                    });
                }
            }
            FixAction::Remove(path) => {
                for (value, key, container) in self.nodes(path) {
                    // An element of a list has the list's name, not one of its own.
                    let element = container.as_list().is_some();
                    targets.push(FixTarget::Remove { value, key: key.filter(|_| !element), container });
                }
            }
            FixAction::Replace { path, pattern, with } => {
                let regex = self.engine.pool.regex(*pattern, false)?;
                for (value, ..) in self.nodes(path) {
                    let Some(text) = value.scalar_text().map(std::borrow::Cow::into_owned) else { continue };
                    for found in regex.captures_iter(&text) {
                        let Some(range) = found.get(0).map(|m| m.range()) else { continue };
                        let mut text = String::new();
                        found.expand(with, &mut text);
                        targets.push(FixTarget::Rewrite { value: value.clone(), range, text });
                    }
                }
            }
            FixAction::Insert { text, before, path } => {
                let text = self.fill(text);
                if path.steps.is_empty() {
                    let beside =
                        self.scope.node.map_or(self.engine.graph.get(self.scope.judged).span, |n| n.value.span());
                    targets.push(FixTarget::InsertLine { beside, before: *before, text });
                } else if let Some((value, ..)) = self.nodes(path).into_iter().next() {
                    targets.push(FixTarget::InsertLine { beside: value.span(), before: *before, text });
                }
            }
        }
        (targets.len() > before).then_some(())
    }

    fn nodes(&self, path: &Path) -> Vec<(Value, Option<Span>, Value)> {
        let mut places = Places::default();
        let _ = self.engine.walk(path, self.scope, &mut places);
        places.nodes
    }
}

fn words_of(value: Option<&Value>, secret: bool) -> String {
    match value {
        None => "(not set)".to_owned(),
        Some(value) => short(value, secret).unwrap_or_else(|| cut(&value.to_json().to_string())),
    }
}

/// Where the nodes of a path stand, or where they would.
#[derive(Default)]
struct Places {
    nodes: Vec<(Value, Option<Span>, Value)>,
    misses: Vec<(Value, Span, Vec<Step>)>,
}

impl Visitor for Places {
    fn node(&mut self, node: Node<'_>) -> ControlFlow<()> {
        if node.maybe.is_none() {
            let container = node.container.cloned().unwrap_or_default();
            self.nodes.push((node.value.clone(), node.key.map(|(_, span)| span), container));
        }
        ControlFlow::Continue(())
    }

    fn miss(&mut self, miss: Miss<'_>) {
        self.misses.push((miss.container.clone(), miss.head, miss.rest.to_vec()));
    }
}

impl Engine<'_> {
    /// Where `at` points: its first node, or where that would stand. A resource as a whole is its head.
    fn place(&self, at: &Path, scope: &Scope<'_>) -> Option<Evidence> {
        let (resource, path) = (scope.resource, at.text.clone());
        let whole = match (&at.root, at.steps.is_empty()) {
            (Root::Resource, true) => Some(scope.head),
            (Root::Judged, true) => Some(self.graph.get(scope.judged).head),
            _ => None,
        };
        if let Some(span) = whole {
            return Some(Evidence {
                resource,
                path,
                span,
                value: Some(scope.body.clone()),
                absent: None,
                secret: false,
            });
        }
        let mut first = First { found: None, missed: None };
        let _ = self.walk(at, scope, &mut first);
        if let Some((span, value)) = first.found {
            return Some(Evidence { resource, path, span, value: Some(value), absent: None, secret: false });
        }
        let (span, absent) = first.missed?;
        Some(Evidence { resource, path, span, value: None, absent, secret: false })
    }
}

/// The first node of a path, or where it would stand.
struct First {
    found: Option<(Span, Value)>,
    missed: Option<(Span, Option<String>)>,
}

impl Visitor for First {
    fn node(&mut self, node: Node<'_>) -> ControlFlow<()> {
        self.found = Some((node.spot(), node.value.clone()));
        ControlFlow::Break(())
    }

    fn miss(&mut self, miss: Miss<'_>) {
        self.missed.get_or_insert_with(|| (miss.head, absent_names(miss.rest)));
    }
}
