//! The bodies of blocks, evaluated: attributes with their values, nested blocks expanded.

use super::engine::Engine;
use super::eval::{Datum, Member, Type, Val};
use super::expand::{Given, MAX_INSTANCES};
use super::module::{Merged, ResourceDecl};
use super::policy_document;
use super::scope::ModuleScope;
use crate::base::Span;
use crate::graph::{self, Cause, CauseKind, Map, Value};
use crate::syntax::hcl::tree::{Block, Expr, ExprKind, Item, ObjectKey, Text};
use std::rc::Rc;
use std::sync::Arc;

/// An evaluated body.
#[derive(Clone, Debug)]
pub struct EvalBody {
    /// What names it: the block's header.
    pub head: Span,
    /// The whole block.
    pub span: Span,
    /// Its members in source order.
    pub items: Vec<(Text, Span, EvalItem)>,
}

/// A member of a body.
#[derive(Clone, Debug)]
pub enum EvalItem {
    /// An attribute.
    Attribute(Val),
    /// `count` or `for_each`, which all instances share.
    Given(Rc<Given>),
    /// All the blocks of a type.
    Blocks(Vec<EvalBody>),
}

/// Which attributes of a body name things instead of having a value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The body of a resource, data source or call.
    Resource,
    /// A `lifecycle` block.
    Lifecycle,
    /// The body of a variable.
    Variable,
    /// A rule that is held against values: its condition and message are kept as they are written.
    Rule,
    /// Any other.
    Other,
}

/// Evaluates bodies.
pub struct Bodies<'e, 'a> {
    /// What is evaluated.
    pub engine: &'e Engine<'a>,
}

impl EvalBody {
    /// An empty body.
    pub fn new(head: Span, span: Span) -> EvalBody {
        EvalBody { head, span, items: Vec::new() }
    }

    /// The member of a name.
    pub fn get(&self, name: &str) -> Option<&EvalItem> {
        self.items.iter().find(|(key, ..)| &**key == name).map(|(_, _, item)| item)
    }

    /// The value of an attribute, as a reference sees it; `None` where it is not set or null. Blocks may have further
    /// attributes, which `rest` says are not known.
    pub fn attribute_val(&self, name: &str, rest: Option<&Arc<Cause>>) -> Option<Val> {
        match self.get(name)? {
            EvalItem::Attribute(val) if val.is_null() => None,
            EvalItem::Attribute(val) => Some(val.clone()),
            EvalItem::Given(_) => None,
            EvalItem::Blocks(_) if is_meta(name) => None,
            EvalItem::Blocks(blocks) => Some(blocks_val(blocks, rest)),
        }
    }

    /// The nested blocks of a type.
    pub fn blocks(&self, name: &str) -> &[EvalBody] {
        match self.get(name) {
            Some(EvalItem::Blocks(blocks)) => blocks,
            _ => &[],
        }
    }

    /// Adds an attribute, or replaces the one of that name.
    pub fn set(&mut self, name: Text, span: Span, val: Val) {
        let item = EvalItem::Attribute(val);
        match self.items.iter_mut().find(|(key, ..)| *key == name) {
            Some(entry) => *entry = (name, span, item),
            None => self.items.push((name, span, item)),
        }
    }

    fn add_block(&mut self, name: &Text, span: Span, block: EvalBody) {
        match self.items.iter_mut().find(|(key, ..)| key == name) {
            Some((_, _, EvalItem::Blocks(blocks))) => blocks.push(block),
            Some(_) => {}
            None => self.items.push((name.clone(), span, EvalItem::Blocks(vec![block]))),
        }
    }

    /// The body as an object, with further attributes that `rest` says are not known. Meta-arguments are no attributes
    /// of the value.
    pub fn to_val(&self, rest: Option<&Arc<Cause>>) -> Val {
        let members = self.items.iter().filter(|(name, ..)| !is_meta(name)).filter_map(|(name, span, item)| {
            let val = match item {
                EvalItem::Attribute(val) if val.is_null() => return None,
                EvalItem::Attribute(val) => val.clone(),
                EvalItem::Given(_) => return None,
                EvalItem::Blocks(blocks) => blocks_val(blocks, rest),
            };
            Some(Member { key: name.clone(), key_span: *span, val })
        });
        let mut val = Val::object(members.collect());
        val.origin = graph::Origin::literal(self.span);
        match rest {
            Some(cause) => val.open(cause.clone()),
            None => val,
        }
    }

    /// The body as a value of the graph.
    pub fn to_value(&self) -> Value {
        let mut map = Map::new(Some(self.head));
        map.entries.reserve(self.items.len());
        for (key, key_span, item) in &self.items {
            let value = match item {
                EvalItem::Attribute(val) => val.to_value(),
                EvalItem::Given(given) => given.value().clone(),
                EvalItem::Blocks(blocks) => {
                    let span = blocks.first().map_or(*key_span, |b| b.span);
                    Value::list(blocks.iter().map(EvalBody::to_value).collect(), span)
                }
            };
            map.entries.push(graph::Entry { key: key.clone(), key_span: *key_span, value });
        }
        Value::map(map, self.span)
    }

    /// Calls `found` with each attribute's path and value.
    pub fn for_each_attribute<'b>(&'b self, path: &mut Vec<&'b str>, found: &mut dyn FnMut(&[&'b str], &'b Val)) {
        for (key, _, item) in &self.items {
            path.push(key);
            match item {
                EvalItem::Attribute(val) => found(path, val),
                EvalItem::Given(given) => found(path, &given.val),
                EvalItem::Blocks(blocks) => blocks.iter().for_each(|b| b.for_each_attribute(path, found)),
            }
            path.pop();
        }
    }
}

/// Arguments that every resource and call has, which are no attributes of its value.
fn is_meta(name: &str) -> bool {
    matches!(name, "count" | "for_each" | "provider" | "depends_on" | "lifecycle" | "provisioner" | "connection")
}

/// Nested blocks as a reference sees them. Without the provider's schema a set cannot be told from a list; indexing
/// into a set is an error in Terraform, so that a list is right wherever the configuration is valid.
fn blocks_val(blocks: &[EvalBody], rest: Option<&Arc<Cause>>) -> Val {
    Val::tuple(blocks.iter().map(|b| b.to_val(rest)).collect())
}

impl<'e, 'a> Bodies<'e, 'a> {
    /// The body of one instance of a resource. What is evaluated after the resource (`lifecycle`, provisioners) is
    /// left out; [`Bodies::late`] adds it.
    pub fn resource(
        &self,
        declared: &ResourceDecl<'_>,
        scope: &ModuleScope<'e, 'a>,
        given: Option<&Rc<Given>>,
    ) -> EvalBody {
        let block = declared.body.block;
        let mut body = EvalBody::new(block.head, block.span);
        for item in &declared.body.items {
            if !is_late(item) {
                self.member(item, scope, given, &mut body);
            }
        }
        match &*declared.kind {
            "data.aws_iam_policy_document" => policy_document::evaluate(&mut body),
            "data.google_iam_policy" => policy_document::evaluate_google(&mut body),
            _ => {}
        }
        body
    }

    /// The members of a resource that are evaluated after it, with `self`, in their places in source order.
    pub fn late(&self, merged: &Merged<'_>, body: &EvalBody, scope: &ModuleScope<'e, 'a>) -> EvalBody {
        if !merged.items.iter().any(|item| is_late(item)) {
            return body.clone();
        }
        let mut late = EvalBody::new(body.head, body.span);
        for item in merged.items.iter().filter(|item| is_late(item)) {
            self.item(item, scope, Place::Resource, &mut late);
        }
        late.items.extend(body.items.iter().cloned());
        late.items.sort_by_key(|(_, span, _)| (span.file, span.start));
        late
    }

    /// A whole body.
    pub fn body(&self, merged: &Merged<'_>, scope: &ModuleScope<'e, 'a>, place: Place) -> EvalBody {
        let mut body = EvalBody::new(merged.block.head, merged.block.span);
        for item in &merged.items {
            self.item(item, scope, place, &mut body);
        }
        body
    }

    fn item(&self, item: &Item, scope: &ModuleScope<'e, 'a>, place: Place, body: &mut EvalBody) {
        match item {
            Item::Attribute(attribute) => {
                let name = &attribute.name;
                let val = if names_things(place, &name.text) {
                    self.names(&attribute.value)
                } else {
                    self.engine.eval(&attribute.value, scope)
                };
                body.set(name.text.clone(), name.span, val);
            }
            Item::Block(block) if &*block.kind.text == "dynamic" && !block.labels.is_empty() => {
                self.dynamic(block, scope, body);
            }
            Item::Block(block) => {
                let inner_place = match &*block.kind.text {
                    "lifecycle" => Place::Lifecycle,
                    "validation" | "precondition" | "postcondition" | "assert" => Place::Rule,
                    _ => Place::Other,
                };
                let inner = self.block(block, scope, inner_place);
                body.add_block(&block.kind.text, block.kind.span, inner);
            }
        }
    }

    /// A nested block. Labels nest as in the JSON syntax: `backend "s3" {…}` is `backend = [{ s3 = [{…}] }]`.
    fn block(&self, block: &Block, scope: &ModuleScope<'e, 'a>, place: Place) -> EvalBody {
        let mut inner = EvalBody::new(block.head, block.span);
        for item in &block.body.items {
            self.item(item, scope, place, &mut inner);
        }
        for label in block.labels.iter().rev() {
            let mut outer = EvalBody::new(block.head, block.span);
            outer.add_block(&label.text, label.span, inner);
            inner = outer;
        }
        inner
    }

    /// The blocks that a dynamic block makes.
    fn dynamic(&self, block: &Block, scope: &ModuleScope<'e, 'a>, body: &mut EvalBody) {
        let (Some(kind), Some(content)) = (block.labels.first(), block.body.blocks_of("content").next()) else {
            return;
        };
        let iterator = match block.body.attribute("iterator").map(|a| &a.value.kind) {
            Some(ExprKind::Variable(name) | ExprKind::String(name)) => name.clone(),
            _ => kind.text.clone(),
        };
        let collection = match block.body.attribute("for_each") {
            Some(attribute) => self.engine.eval(&attribute.value, scope),
            None => Val::unknown(CauseKind::Error, "the dynamic block has no `for_each`", block.head),
        };
        let mut add = |key: Val, value: Val, uncertain: Option<&Arc<Cause>>| {
            let mut scope = scope.with_iterator(iterator.clone(), key, value);
            if let Some(cause) = uncertain {
                scope = scope.uncertain(cause.clone());
            }
            let mut inner = EvalBody::new(content.head, content.span);
            for item in &content.body.items {
                self.item(item, &scope, Place::Other, &mut inner);
            }
            body.add_block(&kind.text, kind.span, inner);
        };
        match members(&collection) {
            Some(members) => {
                let count = members.len();
                for (key, value) in members.into_iter().take(MAX_INSTANCES) {
                    add(key, value, None);
                }
                if count > MAX_INSTANCES {
                    let message = format!("of {count} blocks only the first {MAX_INSTANCES} are looked at");
                    self.engine.note(block.head, CauseKind::Limit, message);
                }
            }
            None => {
                let cause = match collection.as_unknown() {
                    Some(unknown) => unknown.cause.clone(),
                    None => {
                        let message = "`for_each` of a dynamic block needs a list, set, map or object".to_owned();
                        let span = collection.origin.span;
                        self.engine.note(span, CauseKind::Error, message.clone());
                        Arc::new(Cause { kind: CauseKind::Error, message, span })
                    }
                };
                let mut unknown = Val::unknown_of(Type::Any, cause.clone());
                unknown.refs = collection.deep_refs();
                unknown.marks = collection.deep_marks();
                add(unknown.clone(), unknown, Some(&cause));
            }
        }
    }

    /// A member of a resource or call; `given` is the value of its `count` or `for_each`.
    pub fn member(&self, item: &Item, scope: &ModuleScope<'e, 'a>, given: Option<&Rc<Given>>, body: &mut EvalBody) {
        match (item, given) {
            (Item::Attribute(a), Some(given)) if matches!(&*a.name.text, "count" | "for_each") => {
                body.items.push((a.name.text.clone(), a.name.span, EvalItem::Given(given.clone())));
            }
            _ => self.item(item, scope, Place::Resource, body),
        }
    }

    /// An expression that names things, as text: `depends_on = [aws_x.b]` is `["aws_x.b"]`.
    pub fn names(&self, expr: &Expr) -> Val {
        let mut val = match &expr.unparenthesized().kind {
            ExprKind::Tuple(items) => Val::tuple(items.iter().map(|item| self.names(item)).collect()),
            ExprKind::Object(items) => {
                let members = items.iter().map(|item| {
                    let (key, key_span) = match &item.key {
                        ObjectKey::Name(name) => (name.text.clone(), name.span),
                        ObjectKey::Expr(key) => (self.text(key), key.span),
                    };
                    Member { key, key_span, val: self.names(&item.value) }
                });
                Val::object(members.collect())
            }
            ExprKind::Null => Val::null(),
            _ => Val::string(self.text(expr)),
        };
        val.origin = graph::Origin::literal(expr.span);
        val
    }

    fn text(&self, expr: &Expr) -> Text {
        match &expr.kind {
            ExprKind::String(text) => text.clone(),
            _ => match self.engine.cx.inputs.get(&expr.span.file) {
                Some(input) => input.file.slice(expr.span).trim_matches('"').into(),
                None => "".into(),
            },
        }
    }
}

fn is_late(item: &Item) -> bool {
    matches!(item, Item::Block(b) if matches!(&*b.kind.text, "lifecycle" | "provisioner" | "connection"))
}

fn names_things(place: Place, name: &str) -> bool {
    match place {
        Place::Resource => matches!(name, "provider" | "providers" | "depends_on"),
        Place::Lifecycle => matches!(name, "ignore_changes" | "replace_triggered_by"),
        Place::Variable => name == "type",
        Place::Rule => matches!(name, "condition" | "error_message"),
        Place::Other => name == "depends_on",
    }
}

/// The keys and values of a collection; `None` where it is no collection, or unknown.
fn members(collection: &Val) -> Option<Vec<(Val, Val)>> {
    Some(match &collection.datum {
        Datum::List(seq) => numbered(&seq.items, collection),
        Datum::Tuple(items) => numbered(items, collection),
        Datum::Set(seq) => {
            let take = |v: &Val| v.clone().inherit(collection);
            seq.items.iter().map(|v| (take(v), take(v))).collect()
        }
        Datum::Map(table) | Datum::Object(table) => {
            let pair =
                |m: &Member| (Val::at(Datum::String(m.key.clone()), m.key_span), m.val.clone().inherit(collection));
            table.entries.iter().map(pair).collect()
        }
        _ => return None,
    })
}

fn numbered(items: &[Val], collection: &Val) -> Vec<(Val, Val)> {
    items.iter().enumerate().map(|(i, v)| (Val::count(i), v.clone().inherit(collection))).collect()
}
