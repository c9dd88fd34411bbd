//! `data.aws_iam_policy_document`: the document it makes, as the AWS provider builds it. `data.google_iam_policy`: who has
//! which role by it.
//!
//! Source: the provider's documentation of the data source. Lists of actions, resources and identifiers become a
//! single string where they have one member; statements of `override_policy_documents` replace those of their `sid`.

use super::body::{EvalBody, EvalItem};
use super::eval::{Refs, Type, Val};
use crate::base::Span;
use crate::graph::{Cause, CauseKind, Data, How, Map, Origin, Value};
use std::sync::Arc;

/// The default of `version`.
const VERSION: &str = "2012-10-17";

/// A document that is being put together.
struct Document {
    statements: Vec<Value>,
    version: Option<Value>,
    id: Option<Value>,
    /// Why some statement is missing: a source that is not known.
    unknown: Option<Arc<Cause>>,
    refs: Refs,
    origins: Vec<Origin>,
}

/// Adds `json` and `minified_json` to the body of the data source.
pub fn evaluate(body: &mut EvalBody) {
    let mut document = Document {
        statements: Vec::new(),
        version: None,
        id: None,
        unknown: None,
        refs: Refs::default(),
        origins: Vec::new(),
    };
    for (_, _, item) in &body.items {
        match item {
            EvalItem::Attribute(val) => document.refs.add(&val.deep_refs()),
            EvalItem::Given(_) => {}
            EvalItem::Blocks(blocks) => blocks.iter().for_each(|b| {
                b.for_each_attribute(&mut Vec::new(), &mut |_, val| document.refs.add(&val.deep_refs()));
            }),
        }
    }
    document.merge_documents(body, &["source_json", "source_policy_documents"]);
    for block in body.blocks("statement") {
        let statement = statement(block);
        document.put(statement);
    }
    document.merge_documents(body, &["override_json", "override_policy_documents"]);
    if let Some(val) = body.attribute_val("version", None) {
        document.version = Some(val.to_value());
    }
    if let Some(val) = body.attribute_val("policy_id", None) {
        document.id = Some(val.to_value());
    }
    let (head, span) = (body.head, body.span);
    let val = document.finish(head, span);
    body.set("json".into(), head, val.clone());
    body.set("minified_json".into(), head, val);
}

/// Adds `policy_data` to the body of `data.google_iam_policy`. Its text is left to the provider; what it encodes is known.
pub fn evaluate_google(body: &mut EvalBody) {
    let (head, span) = (body.head, body.span);
    let mut refs = Refs::default();
    body.for_each_attribute(&mut Vec::new(), &mut |_, val| refs.add(&val.deep_refs()));
    let bindings = body.blocks("binding").iter().map(|block| {
        let mut map = Map::new(Some(block.head));
        for name in ["role", "members"] {
            if let Some((key, value)) = attribute(block, name) {
                map.insert(name, key, value);
            }
        }
        if let Some(condition) = block.blocks("condition").first() {
            map.insert("condition", condition.head, condition.to_value());
        }
        Value::map(map, block.span)
    });
    let mut map = Map::new(Some(head));
    map.insert("bindings", head, Value::list(bindings.collect(), span));
    let cause = Cause {
        kind: CauseKind::External,
        message: "`policy_data` is read when the plan is made".to_owned(),
        span: head,
    };
    let mut val = Val::unknown_of(Type::String, Arc::new(cause)).not_null();
    val.origin = Origin::derived(span, How::Encoded(Arc::new(Value::map(map, span))), []);
    val.refs = refs;
    body.set("policy_data".into(), head, val);
}

impl Document {
    /// Takes in the documents that attributes hold, as a string or a list of strings.
    fn merge_documents(&mut self, body: &EvalBody, names: &[&str]) {
        for name in names {
            let Some(val) = body.attribute_val(name, None) else { continue };
            match val.items() {
                Some(items) => items.iter().for_each(|item| self.merge_document(item)),
                None => self.merge_document(&val),
            }
        }
    }

    fn merge_document(&mut self, val: &Val) {
        if val.is_null() || val.as_str() == Some("") {
            return;
        }
        self.origins.push(val.origin.clone());
        let decoded = encoded(&val.origin).cloned().or_else(|| {
            let text = val.as_str()?;
            let json: serde_json::Value = serde_json::from_str(text).ok()?;
            Some(Arc::new(from_json(&json, val.origin.span, 0)))
        });
        let Some(decoded) = decoded else {
            let cause = val.as_unknown().map(|u| u.cause.clone()).unwrap_or_else(|| {
                let message = "this policy document is no JSON".to_owned();
                Arc::new(Cause { kind: CauseKind::Error, message, span: val.origin.span })
            });
            self.unknown.get_or_insert(cause);
            return;
        };
        if let Data::Unknown(cause) = &decoded.data {
            self.unknown.get_or_insert(cause.clone());
        }
        if let Some(version) = decoded.get("Version") {
            self.version = Some(version.clone());
        }
        if let Some(id) = decoded.get("Id") {
            self.id = Some(id.clone());
        }
        match decoded.get("Statement") {
            Some(list) if list.as_list().is_some() => {
                list.as_list().unwrap_or_default().iter().for_each(|s| self.put(s.clone()));
            }
            Some(one) => self.put(one.clone()),
            None => {}
        }
    }

    /// Adds a statement, or replaces the one of its `Sid`.
    fn put(&mut self, statement: Value) {
        if let Data::Unknown(cause) = &statement.data {
            self.unknown.get_or_insert(cause.clone());
        }
        let sid = statement.get("Sid").and_then(Value::as_str).filter(|sid| !sid.is_empty());
        let same = |s: &&mut Value| sid.is_some() && s.get("Sid").and_then(Value::as_str) == sid;
        match self.statements.iter_mut().find(same) {
            Some(old) => *old = statement,
            None => self.statements.push(statement),
        }
    }

    fn finish(self, head: Span, span: Span) -> Val {
        let mut map = Map::new(Some(head));
        map.insert("Version", head, self.version.unwrap_or_else(|| Value::string(VERSION, head)));
        if let Some(id) = self.id {
            map.insert("Id", head, id);
        }
        let statements = match &self.unknown {
            // What is known of the statements can still be judged; that there are more is said by an unknown one.
            Some(cause) => {
                let mut statements = self.statements;
                statements.push(Value::literal(Data::Unknown(cause.clone()), cause.span));
                statements
            }
            None => self.statements,
        };
        map.insert("Statement", head, Value::list(statements, span));
        let value = Value::map(map, span);
        let mut val = match first_unknown(&value) {
            Some(cause) => Val::unknown_of(Type::String, cause).not_null(),
            None => Val::string(serde_json::to_string_pretty(&plain(&value)).unwrap_or_default()),
        };
        val.origin = Origin::derived(span, How::Encoded(Arc::new(value)), self.origins);
        val.refs = self.refs;
        val
    }
}

/// The value that a text was encoded from.
fn encoded(origin: &Origin) -> Option<&Arc<Value>> {
    match &origin.how {
        How::Encoded(value) => Some(value),
        _ => None,
    }
}

/// A `statement` block as a statement of the document.
fn statement(block: &EvalBody) -> Value {
    let mut map = Map::new(Some(block.head));
    if let Some((key, val)) = attribute(block, "sid") {
        map.insert("Sid", key, val);
    }
    let (key, effect) = attribute(block, "effect").unwrap_or_else(|| (block.head, Value::string("Allow", block.head)));
    map.insert("Effect", key, effect);
    for (name, target) in [
        ("actions", "Action"),
        ("not_actions", "NotAction"),
        ("resources", "Resource"),
        ("not_resources", "NotResource"),
    ] {
        if let Some((key, val)) = attribute(block, name)
            && val.as_list().is_none_or(|items| !items.is_empty())
        {
            map.insert(target, key, one_or_many(val));
        }
    }
    for (name, target) in [("principals", "Principal"), ("not_principals", "NotPrincipal")] {
        let blocks = block.blocks(name);
        if let Some(first) = blocks.first() {
            map.insert(target, first.head, principals(blocks));
        }
    }
    let conditions = block.blocks("condition");
    if let Some(first) = conditions.first() {
        map.insert("Condition", first.head, self::conditions(conditions));
    }
    Value::map(map, block.span)
}

fn attribute(block: &EvalBody, name: &str) -> Option<(Span, Value)> {
    let (_, span, item) = block.items.iter().find(|(key, ..)| &**key == name)?;
    match item {
        EvalItem::Attribute(val) if !val.is_null() => Some((*span, val.to_value())),
        _ => None,
    }
}

/// A list of one as its member; longer ones in the provider's order, which is sorted backwards.
fn one_or_many(value: Value) -> Value {
    let Data::List(items) = &value.data else { return value };
    if let [one] = items.as_slice() {
        return one.clone();
    }
    let mut sorted = items.to_vec();
    if sorted.iter().all(|v| v.as_str().is_some()) {
        sorted.sort_by(|a, b| b.as_str().cmp(&a.as_str()));
    }
    Value { data: Data::List(Arc::new(sorted)), origin: value.origin }
}

/// `principals` blocks: `"*"` for everyone, otherwise identifiers by type.
fn principals(blocks: &[EvalBody]) -> Value {
    let mut map = Map::new(blocks.first().map(|b| b.head));
    let span = blocks.first().map_or(Span::NONE, |b| b.span);
    for block in blocks {
        let (_, kind) = attribute(block, "type").unwrap_or((block.head, Value::default()));
        let (key, identifiers) =
            attribute(block, "identifiers").unwrap_or((block.head, Value::list(Vec::new(), block.span)));
        let Some(kind) = kind.as_str() else {
            return kind;
        };
        let everyone = identifiers.as_list().is_some_and(|i| i.iter().any(|v| v.as_str() == Some("*")));
        if kind == "*" && everyone && blocks.len() == 1 {
            let star = identifiers.as_list().and_then(|i| i.first()).cloned();
            return star.unwrap_or_else(|| Value::string("*", block.span));
        }
        add(&mut map, kind, key, identifiers);
    }
    for entry in &mut map.entries {
        entry.value = one_or_many(std::mem::take(&mut entry.value));
    }
    Value::map(map, span)
}

/// Adds the members of a list to the list of a key.
fn add(map: &mut Map, key: &str, key_span: Span, value: Value) {
    let Some(Data::List(old)) = map.get(key).map(|v| v.data.clone()) else {
        map.insert(key, key_span, value);
        return;
    };
    let joined = match &value.data {
        Data::List(new) => Value::list(old.iter().chain(new.iter()).cloned().collect(), value.span()),
        _ => value,
    };
    map.insert(key, key_span, joined);
}

/// `condition` blocks: values by variable by test.
fn conditions(blocks: &[EvalBody]) -> Value {
    let mut tests = Map::new(blocks.first().map(|b| b.head));
    let span = blocks.first().map_or(Span::NONE, |b| b.span);
    for block in blocks {
        let (test_span, test) = attribute(block, "test").unwrap_or((block.head, Value::default()));
        let (variable_span, variable) = attribute(block, "variable").unwrap_or((block.head, Value::default()));
        let values =
            attribute(block, "values").map_or_else(|| Value::list(Vec::new(), block.span), |(_, v)| one_or_many(v));
        // A condition whose test or variable is not known makes all of them unknown.
        let (Some(test), Some(variable)) = (test.as_str(), variable.as_str()) else {
            return if test.as_str().is_none() { test } else { variable };
        };
        let mut inner = tests.get(test).and_then(Value::as_map).cloned().unwrap_or_else(|| Map::new(Some(block.head)));
        inner.insert(variable, variable_span, values);
        tests.insert(test, test_span, Value::map(inner, block.span));
    }
    Value::map(tests, span)
}

fn first_unknown(value: &Value) -> Option<Arc<Cause>> {
    match &value.data {
        Data::Unknown(cause) => Some(cause.clone()),
        Data::List(items) => items.iter().find_map(first_unknown),
        Data::Map(map) => map.entries.iter().find_map(|e| first_unknown(&e.value)),
        _ => None,
    }
}

/// The value as JSON without redaction: it becomes text that is marked itself.
fn plain(value: &Value) -> serde_json::Value {
    match &value.data {
        Data::Bool(b) => (*b).into(),
        Data::Number(n) => n.to_json(),
        Data::String(s) => (&**s).into(),
        Data::List(items) => items.iter().map(plain).collect(),
        Data::Map(map) => {
            map.entries.iter().map(|e| (e.key.to_string(), plain(&e.value))).collect::<serde_json::Map<_, _>>().into()
        }
        Data::Null | Data::Unknown(_) => serde_json::Value::Null,
    }
}

/// JSON as a value that stands at `span`; what nests too deeply is null.
fn from_json(json: &serde_json::Value, span: Span, depth: usize) -> Value {
    if depth > 64 {
        return Value::unknown(CauseKind::Limit, "this nests too deeply", span);
    }
    let data = match json {
        serde_json::Value::Null => Data::Null,
        serde_json::Value::Bool(b) => Data::Bool(*b),
        serde_json::Value::Number(n) => match crate::graph::Number::parse(&n.to_string()) {
            Some(n) => Data::Number(n),
            None => Data::Null,
        },
        serde_json::Value::String(s) => Data::String(s.as_str().into()),
        serde_json::Value::Array(items) => {
            Data::List(Arc::new(items.iter().map(|i| from_json(i, span, depth + 1)).collect()))
        }
        serde_json::Value::Object(entries) => {
            let mut map = Map::new(Some(span));
            for (key, value) in entries {
                map.insert(key.as_str(), span, from_json(value, span, depth + 1));
            }
            Data::Map(Arc::new(map))
        }
    };
    Value::literal(data, span)
}
