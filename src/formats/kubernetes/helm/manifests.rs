//! Rendered text to objects: documents, hooks, Helm's order, and the origin of every node.

use super::chart::Problem;
use super::origin::{Means, Place, Places, Text};
use crate::base::{FileId, Span};
use crate::graph::{CauseKind, Data, How, Map, Number, Origin, Value};
use crate::syntax::yaml::{self, Node, NodeKind, Scalar, Schema};
use std::sync::Arc;

/// The order in which Helm installs kinds.
const INSTALL_ORDER: &[&str] = &[
    "PriorityClass",
    "Namespace",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodSecurityPolicy",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "SecretList",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleList",
    "ClusterRoleBinding",
    "ClusterRoleBindingList",
    "Role",
    "RoleList",
    "RoleBinding",
    "RoleBindingList",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "IngressClass",
    "Ingress",
    "APIService",
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
];

const HOOKS: &[&str] = &[
    "pre-install",
    "post-install",
    "pre-delete",
    "post-delete",
    "pre-upgrade",
    "post-upgrade",
    "pre-rollback",
    "post-rollback",
    "test",
    "test-success",
];

/// A document of a rendered template.
#[derive(Clone, Debug)]
pub struct Object {
    /// The object with the origin of every node.
    pub body: Value,
    /// The template, as Helm names it: `chart/templates/x.yaml`.
    pub template: Arc<str>,
    /// Whether it is a hook, and not a part of the release.
    pub hook: bool,
    /// Whether it is a hook that tests.
    pub test: bool,
}

/// A rendered template.
pub struct Output {
    /// As Helm names it.
    pub name: Arc<str>,
    /// The template's file.
    pub file: FileId,
    /// What it rendered to.
    pub text: Text,
}

/// The objects of rendered templates in Helm's order: by kind, hooks last.
pub fn objects(
    outputs: &[Output],
    places: &Places,
    problems: &mut Vec<Problem>,
    warnings: &mut Vec<Problem>,
) -> Vec<Object> {
    let mut plain = Vec::new();
    let mut hooks = Vec::new();
    for output in outputs {
        for (start, document) in split(&output.text.s) {
            // Helm ends each document with a line break, which a block scalar at its end keeps.
            let tree = yaml::parse(FileId::NONE, format!("{document}\n").into());
            let mapper = Mapper { places, output, base: start };
            if let Some(error) = tree.errors.first() {
                let span = mapper.origin(error.span.range(), false).0.span;
                problems.push(Problem::new(span, format!("YAML parse error on {}: {}", output.name, error.message)));
                continue;
            }
            if let Some((node, message)) = tree.root().and_then(|root| unsupported(root, 0)) {
                let span = mapper.origin(node.span().range(), false).0.span;
                problems.push(Problem::new(span, format!("YAML parse error on {}: {message}", output.name)));
                continue;
            }
            let Some(root) = tree.root().filter(|r| !r.is_null()) else { continue };
            if !root.is_mapping() {
                let span = mapper.origin(root.span().range(), false).0.span;
                let kind = if root.is_sequence() { "array" } else { "string" };
                problems.push(Problem::new(
                    span,
                    format!("YAML parse error on {}: json: cannot unmarshal {kind} into an object", output.name),
                ));
                continue;
            }
            let head = root.get("kind").map(|k| mapper.origin(k.span().range(), false).0.span);
            let body = mapper.value(root, head);
            let annotation = body.at(&["metadata", "annotations", "helm.sh/hook"]);
            let mut object =
                Object { template: output.name.clone(), hook: annotation.is_some(), test: false, body: body.clone() };
            let Some(annotation) = annotation else {
                plain.push(object);
                continue;
            };
            let words = annotation.as_str().unwrap_or("").to_lowercase();
            let events: Vec<&str> = words.split(',').map(str::trim).collect();
            match events.iter().find(|e| !HOOKS.contains(*e)) {
                Some(unknown) => {
                    warnings.push(Problem::new(annotation.span(), format!("skipping unknown hook {unknown:?}")));
                }
                None => {
                    object.test = events.iter().any(|e| e.starts_with("test"));
                    hooks.push(object);
                }
            }
        }
    }
    for list in [&mut plain, &mut hooks] {
        list.sort_by_key(order_key);
    }
    plain.extend(hooks);
    plain
}

/// What YAML may hold and JSON may not: a key that is null or no scalar, a number that is not finite.
fn unsupported(node: Node<'_>, depth: usize) -> Option<(Node<'_>, &'static str)> {
    if depth > 300 {
        return None;
    }
    if let Some(Scalar::Float(f, _)) = node.scalar(Schema::Kubernetes)
        && !f.is_finite()
    {
        return Some((node, "json: unsupported value"));
    }
    for (key, value) in node.pairs() {
        match key.scalar(Schema::Kubernetes) {
            None | Some(Scalar::Null) => return Some((key, "unsupported map key")),
            _ => {}
        }
        if let Some(found) = unsupported(value, depth + 1) {
            return Some(found);
        }
    }
    node.items().find_map(|item| unsupported(item, depth + 1))
}

/// Known kinds in their order, then unknown ones by name.
fn order_key(object: &Object) -> (usize, String) {
    let kind = object.body.get("kind").and_then(Value::scalar_text).unwrap_or_default();
    let kind = kind.as_ref();
    match INSTALL_ORDER.iter().position(|k| *k == kind) {
        Some(i) => (i, String::new()),
        None => (INSTALL_ORDER.len(), kind.to_owned()),
    }
}

/// The documents of a text with their offsets, cut at lines that begin with `---`, trimmed, empty ones left out.
fn split(text: &str) -> Vec<(usize, &str)> {
    let mut documents = Vec::new();
    let start = text.len() - text.trim_start().len();
    let body = text.trim();
    let mut from = 0;
    let mut push = |a: usize, b: usize| {
        let part = body.get(a..b).unwrap_or("");
        let trimmed = part.trim_start();
        let offset = start + a + (part.len() - trimmed.len());
        let trimmed = trimmed.trim_end();
        if !trimmed.is_empty() {
            documents.push((offset, trimmed));
        }
    };
    for (at, _) in body.match_indices("---") {
        if at < from || !(at == 0 || body.as_bytes().get(at - 1) == Some(&b'\n')) {
            continue;
        }
        push(from, at);
        from = at + 3;
    }
    push(from, body.len());
    documents
}

/// Maps ranges of a document to origins.
struct Mapper<'a> {
    places: &'a Places,
    output: &'a Output,
    /// Where the document begins in the rendered text.
    base: usize,
}

/// How many values one node names as its origin.
const MAX_FROM: usize = 6;

/// What the pieces of a range say.
#[derive(Default)]
struct Found {
    /// Spans in templates, first first.
    templates: Vec<Span>,
    /// Spans of values.
    values: Vec<Span>,
    unknown: Option<Span>,
}

impl Mapper<'_> {
    fn resolve(&self, place: Place, range: Option<(u32, u32)>, found: &mut Found, depth: usize) {
        if place == 0 || depth > 6 {
            return;
        }
        let data = self.places.get(place);
        match data.means {
            Means::Copied => {
                let mut span = data.span;
                if let Some((skip, length)) = range {
                    let start = (span.start + skip).min(span.end);
                    span = Span { start, end: (start + length).min(span.end), ..span };
                }
                found.templates.push(span);
            }
            Means::Action => found.templates.push(data.span),
            Means::Value => {
                if !found.values.contains(&data.span) && found.values.len() < MAX_FROM {
                    found.values.push(data.span);
                }
            }
            Means::Unknown => found.unknown = Some(data.span),
            Means::Several => {}
        }
        for parent in data.from.iter() {
            if matches!(data.means, Means::Copied | Means::Action) {
                // A template place further back is the way, not the value.
                let mut inner = Found::default();
                self.resolve(*parent, None, &mut inner, depth + 1);
                for value in inner.values {
                    if !found.values.contains(&value) && found.values.len() < MAX_FROM {
                        found.values.push(value);
                    }
                }
                if data.means == Means::Action {
                    found.unknown = found.unknown.or(inner.unknown);
                }
            } else {
                self.resolve(*parent, None, found, depth + 1);
            }
        }
    }

    /// Where a range of the document came from, and whether a part of it is not known.
    fn origin(&self, range: std::ops::Range<usize>, container: bool) -> (Origin, Option<Span>) {
        let (a, mut b) = (range.start + self.base, range.end + self.base);
        let mut found = Found::default();
        let pieces: &[super::origin::Piece] = self.output.text.pieces.as_deref().unwrap_or(&[]);
        let first = pieces.partition_point(|p| p.end as usize <= a.min(self.output.text.s.len().saturating_sub(1)));
        if a == b {
            b += 1;
        }
        let mut start = if first == 0 { 0 } else { pieces.get(first - 1).map_or(0, |p| p.end as usize) };
        for (i, piece) in pieces.iter().skip(first).enumerate() {
            if start >= b {
                break;
            }
            let (from, to) = (start.max(a), (piece.end as usize).min(b).max(start.max(a)));
            let skip = piece.skip + u32::try_from(from - start).unwrap_or(0);
            let length = u32::try_from(to - from).unwrap_or(0);
            let length = if range.is_empty() { 0 } else { length };
            // Of a large container only its edges matter, and what stands in its own template.
            if !container || i < 64 {
                self.resolve(piece.place, Some((skip, length)), &mut found, 0);
            } else {
                let data = self.places.get(piece.place);
                if data.span.file == self.output.file {
                    found.templates.push(data.span);
                }
            }
            start = piece.end as usize;
        }
        let file = match (container, found.templates.iter().find(|s| s.file == self.output.file)) {
            (true, Some(own)) => own.file,
            _ => found.templates.first().map_or(self.output.file, |s| s.file),
        };
        let mut spans = found.templates.iter().filter(|s| s.file == file);
        let span = match spans.next() {
            None => found.values.first().copied().unwrap_or(Span::at(self.output.file, 0)),
            Some(&first) => spans.fold(first, |all, s| all.to(*s)),
        };
        if container {
            // What decides a part of a container is said at that part.
            found.values.clear();
        }
        let from: Vec<Origin> =
            found.values.iter().filter(|v| !span.contains(**v)).map(|v| Origin::literal(*v)).collect();
        (Origin::derived(span, How::Rendered, from), found.unknown)
    }

    fn value(&self, node: Node<'_>, head: Option<Span>) -> Value {
        let range = node.span().range();
        let container = matches!(node.kind(), NodeKind::Mapping | NodeKind::Sequence);
        let (origin, unknown) = self.origin(range, container);
        let data = match node.kind() {
            NodeKind::Sequence => Data::List(Arc::new(node.items().map(|n| self.value(n, None)).collect())),
            NodeKind::Mapping => {
                let mut map = Map::new(Some(head.unwrap_or(origin.span)));
                for (key, value) in node.entries() {
                    let Some(name) = key.key_text(Schema::Kubernetes) else { continue };
                    let key_span = self.origin(key.span().range(), false).0.span;
                    map.entries.push(crate::graph::Entry {
                        key: name.into(),
                        key_span,
                        value: self.value(value, Some(key_span)),
                    });
                }
                Data::Map(Arc::new(map))
            }
            NodeKind::Missing => Data::Null,
            NodeKind::Scalar => match unknown {
                Some(span) => Data::Unknown(Arc::new(crate::graph::Cause {
                    kind: CauseKind::External,
                    message: "made anew on each installation of the chart".into(),
                    span,
                })),
                None => match node.scalar(Schema::Kubernetes) {
                    None | Some(Scalar::Null) => Data::Null,
                    Some(Scalar::Bool(b)) => Data::Bool(b),
                    Some(Scalar::Int(n)) => Data::Number(Number::from(n)),
                    Some(Scalar::Float(f, _)) => Data::Number(Number::from(f)),
                    Some(Scalar::String(s)) => Data::String(s.into()),
                },
            },
        };
        Value { data, origin }
    }
}
