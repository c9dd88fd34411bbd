//! Plans: what `terraform show -json` prints, as input.
//!
//! Source: Terraform's documentation of its JSON output format. A resource's planned values are its body; what
//! `after_unknown` marks is unknown until apply; what is marked sensitive is never shown. Where the configuration is
//! among the files, it is evaluated too, with the plan's variables, and the planned values take over its places; what
//! the configuration does not say points into the plan.

use crate::base::{FastMap, Span};
use crate::formats::{LocalEdge, Lowered, Unit};
use crate::graph::{CauseKind, Data, Entry, How, Map, Number, Origin, Resource, Value};
use crate::syntax::json::{Node, NodeKind};
use std::sync::Arc;

/// A plan: its JSON.
#[derive(Debug)]
pub struct Plan(pub Node);

/// Whether a JSON text is a plan. Only its beginning is looked at before the whole is searched.
pub fn is_plan(text: &str) -> bool {
    let head: String = text.chars().take(200).collect();
    head.contains("\"format_version\"")
        && (text.contains("\"planned_values\"") || text.contains("\"resource_changes\""))
}

/// One planned resource.
struct Planned<'p> {
    address: &'p str,
    node: &'p Node,
    values: &'p Node,
    unknown: Option<&'p Node>,
    sensitive: Option<&'p Node>,
}

impl Plan {
    /// The values of the root module's variables, by name.
    pub fn variables(&self) -> Vec<(String, Value)> {
        let variables = self.0.get("variables").map_or(&[][..], Node::entries);
        let value = |node: &Node| convert(node.get("value")?, None, None);
        variables.iter().filter_map(|((name, _), node)| Some((name.text.clone(), value(node)?))).collect()
    }

    /// Puts what is planned in place of what was evaluated from the configuration; without one, the graph is made
    /// from the plan alone.
    pub fn apply(&self, unit: &Unit, lowered: &mut Lowered) {
        let changes: FastMap<&str, &Node> = self
            .0
            .get("resource_changes")
            .map_or(&[][..], Node::items)
            .iter()
            .filter_map(|change| Some((change.get("address")?.as_str()?, change.get("change")?)))
            .collect();
        let mut planned = Vec::new();
        if let Some(root) = self.0.get("planned_values").and_then(|p| p.get("root_module")) {
            collect(root, &changes, &mut planned);
        }
        let configured = !lowered.resources.is_empty();
        let by_address: FastMap<Arc<str>, usize> =
            lowered.resources.iter().enumerate().map(|(i, r)| (r.address.clone(), i)).collect();
        for one in &planned {
            match by_address.get(one.address) {
                Some(&index) => {
                    if let Some(resource) = lowered.resources.get_mut(index) {
                        let body = one.body(Some(&resource.body));
                        *resource = Arc::new(Resource { body, ..(**resource).clone() });
                    }
                }
                None => lowered.resources.push(Arc::new(one.resource(unit))),
            }
        }
        if !configured {
            self.edges(lowered);
            let outputs = self.0.get("planned_values").and_then(|p| p.get("outputs")).map_or(&[][..], Node::entries);
            let mut map = Map::new(None);
            for ((name, span), output) in outputs {
                let sensitive = output.get("sensitive").filter(|s| s.is_true());
                let value = output.get("value").and_then(|value| convert(value, None, sensitive));
                let unknown =
                    || Value::unknown(CauseKind::Computed, format!("`{}` is known only after apply", name.text), *span);
                map.insert(name.text.as_str(), *span, value.unwrap_or_else(unknown));
            }
            lowered.outputs = Some(Arc::new(map));
        }
    }

    /// Edges from the references that the plan's own copy of the configuration lists.
    fn edges(&self, lowered: &mut Lowered) {
        let mut references: FastMap<String, Vec<(String, &str, Span)>> = FastMap::default();
        if let Some(root) = self.0.get("configuration").and_then(|c| c.get("root_module")) {
            let mut open = vec![(String::new(), root)];
            while let Some((path, module)) = open.pop() {
                for resource in module.get("resources").map_or(&[][..], Node::items) {
                    let (Some(address), Some(expressions)) =
                        (resource.get("address").and_then(Node::as_str), resource.get("expressions"))
                    else {
                        continue;
                    };
                    let found = references.entry(format!("{path}{address}")).or_default();
                    collect_references(expressions, &mut Vec::new(), found);
                }
                for ((name, _), call) in module.get("module_calls").map_or(&[][..], Node::entries) {
                    if let Some(inner) = call.get("module") {
                        open.push((format!("{path}module.{}.", name.text), inner));
                    }
                }
            }
        }
        let bare: Vec<String> = lowered.resources.iter().map(|r| without_keys(&r.address)).collect();
        let mut by_bare: FastMap<&str, Vec<u32>> = FastMap::default();
        for (index, address) in bare.iter().enumerate() {
            by_bare.entry(address).or_default().push(index as u32);
        }
        for (from, address) in bare.iter().enumerate() {
            let path = address.rfind("module.").map_or("", |_| module_path(address));
            for (via, target, span) in references.get(address).into_iter().flatten() {
                let target = format!("{path}{target}");
                for &to in by_bare.get(target.as_str()).into_iter().flatten() {
                    let edge = LocalEdge { from: from as u32, to, via: via.as_str().into(), span: *span };
                    if to as usize != from && !lowered.edges.contains(&edge) {
                        lowered.edges.push(edge);
                    }
                }
            }
        }
    }
}

/// The module part of an address without keys, with its last dot.
fn module_path(address: &str) -> &str {
    let mut end = 0;
    let mut rest = address;
    while let Some(inner) = rest.strip_prefix("module.") {
        let Some(dot) = inner.find('.') else { break };
        end += "module.".len() + dot + 1;
        rest = inner.get(dot + 1..).unwrap_or("");
    }
    address.get(..end).unwrap_or("")
}

/// An address without instance keys.
fn without_keys(address: &str) -> String {
    let mut out = String::with_capacity(address.len());
    let (mut inside, mut quoted, mut escaped) = (false, false, false);
    for c in address.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' if inside => quoted = !quoted,
            '[' if !quoted => inside = true,
            ']' if !quoted => inside = false,
            c if !inside => out.push(c),
            _ => {}
        }
    }
    out
}

fn collect_references<'p>(node: &'p Node, path: &mut Vec<&'p str>, found: &mut Vec<(String, &'p str, Span)>) {
    for one in node.get("references").map_or(&[][..], Node::items) {
        if let Some(reference) = one.as_str() {
            found.push((path.join("."), reference, one.span));
        }
    }
    for item in node.items() {
        collect_references(item, path, found);
    }
    for ((name, _), inner) in node.entries() {
        if name.text != "references" && name.text != "constant_value" {
            path.push(&name.text);
            collect_references(inner, path, found);
            path.pop();
        }
    }
}

fn collect<'p>(root: &'p Node, changes: &FastMap<&str, &'p Node>, planned: &mut Vec<Planned<'p>>) {
    let mut open = vec![root];
    while let Some(module) = open.pop() {
        for node in module.get("resources").map_or(&[][..], Node::items) {
            let (Some(address), Some(values)) = (node.get("address").and_then(Node::as_str), node.get("values")) else {
                continue;
            };
            let change = changes.get(address);
            planned.push(Planned {
                address,
                node,
                values,
                unknown: change.and_then(|c| c.get("after_unknown")),
                sensitive: node.get("sensitive_values").or_else(|| change.and_then(|c| c.get("after_sensitive"))),
            });
        }
        open.extend(module.get("child_modules").map_or(&[][..], Node::items).iter().rev());
    }
}

impl Planned<'_> {
    fn resource(&self, unit: &Unit) -> Resource {
        let text = |name: &str| self.node.get(name).and_then(Node::as_str).unwrap_or("");
        let kind = if text("mode") == "data" { format!("data.{}", text("type")) } else { text("type").to_owned() };
        let head = self.node.get("address").map_or(self.node.span, |n| n.span);
        let mut body = self.body(None);
        if let Data::Map(map) = &mut body.data {
            Arc::make_mut(map).head = Some(head);
        }
        Resource {
            kind: kind.into(),
            address: self.address.into(),
            name: text("name").into(),
            unit: unit.name.clone(),
            span: self.node.span,
            head,
            body,
            callers: Arc::from([]),
            parent: None,
        }
    }

    /// The planned body, at the places of the configured one.
    fn body(&self, configured: Option<&Value>) -> Value {
        let planned = convert(self.values, self.unknown, self.sensitive);
        let planned = planned.unwrap_or_else(|| Value::map(Map::new(None), self.values.span));
        match configured {
            Some(configured) => overlay(planned, configured),
            None => planned,
        }
    }
}

/// A planned value; `None` where it is null and not unknown either: what is not set shows as null in a plan, and
/// blocks that do not stand as empty lists.
fn convert(node: &Node, unknown: Option<&Node>, sensitive: Option<&Node>) -> Option<Value> {
    let hidden = sensitive.is_some_and(Node::is_true);
    if unknown.is_some_and(Node::is_true) {
        return Some(Value::unknown(CauseKind::Computed, "it is known only after apply", node.span));
    }
    let data = match &node.kind {
        NodeKind::Null => return None,
        NodeKind::Bool(b) => Data::Bool(*b),
        NodeKind::Number(text) => Data::Number(Number::parse(text)?),
        NodeKind::String(cooked) => Data::String(cooked.text.as_str().into()),
        NodeKind::Array(items) => {
            let member = |(index, item): (usize, &Node)| {
                let inner = unknown.and_then(|u| u.items().get(index));
                let marks = if hidden { sensitive } else { sensitive.and_then(|s| s.items().get(index)) };
                convert(item, inner, marks).unwrap_or_else(|| Value::literal(Data::Null, item.span))
            };
            Data::List(Arc::new(items.iter().enumerate().map(member).collect()))
        }
        NodeKind::Object(entries) => {
            let mut map = Map::new(Some(node.span));
            for ((name, span), value) in entries {
                let inner = unknown.and_then(|u| u.get(&name.text));
                let marks = if hidden { sensitive } else { sensitive.and_then(|s| s.get(&name.text)) };
                if let Some(value) = convert(value, inner, marks) {
                    map.entries.push(Entry { key: name.text.as_str().into(), key_span: *span, value });
                }
            }
            // What is wholly unknown is left out of the planned values.
            for ((name, _), mark) in unknown.map_or(&[][..], Node::entries) {
                if mark.is_true() && map.get(&name.text).is_none() {
                    let message = format!("`{}` is known only after apply", name.text);
                    let value = Value::unknown(CauseKind::Computed, message, node.span);
                    map.entries.push(Entry { key: name.text.as_str().into(), key_span: node.span, value });
                }
            }
            Data::Map(Arc::new(map))
        }
    };
    let origin = Origin { span: node.span, how: How::Planned, sensitive: hidden, from: None };
    Some(Value { data, origin })
}

/// What is planned, with the places and the provenance of what was configured.
fn overlay(planned: Value, configured: &Value) -> Value {
    let mut origin = configured.origin.clone();
    origin.sensitive |= planned.origin.sensitive;
    if origin.sensitive {
        origin.how = How::Planned;
    }
    let data = match (planned.data, &configured.data) {
        (Data::Map(new), Data::Map(old)) => {
            let mut map = Map::new(old.head);
            for entry in &new.entries {
                let was = old.entry(&entry.key);
                let empty = entry.value.as_list().is_some_and(<[Value]>::is_empty);
                match was {
                    Some(was) => map.entries.push(Entry {
                        key: entry.key.clone(),
                        key_span: was.key_span,
                        value: overlay(entry.value.clone(), &was.value),
                    }),
                    None if empty => {}
                    None => map.entries.push(entry.clone()),
                }
            }
            // Meta-arguments and what the plan leaves out stay as they are configured.
            let rest = old.entries.iter().filter(|e| new.entry(&e.key).is_none());
            map.entries.extend(rest.cloned());
            Data::Map(Arc::new(map))
        }
        (Data::List(new), Data::List(old)) if new.len() == old.len() => {
            Data::List(Arc::new(new.iter().zip(old.iter()).map(|(n, o)| overlay(n.clone(), o)).collect()))
        }
        // A string that was encoded keeps what it was encoded from only where it is the same.
        (data, _) => {
            if matches!(origin.how, How::Encoded(_)) && matches!(configured.data, Data::Unknown(_)) {
                origin.how = How::Planned;
            }
            data
        }
    };
    Value { data, origin }
}
