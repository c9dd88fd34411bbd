//! Objects held against the table: each thing that the API server would refuse or drop becomes a node of the kind
//! `schema-problem`, for policies to report.

use super::{Api, Field, Holds, Release, Shape, Type, release};
use crate::base::Span;
use crate::formats::kubernetes::kinds::group;
use crate::formats::{LocalEdge, Lowered};
use crate::graph::{Data, Map, Resource, Value};
use std::sync::Arc;

/// One thing that is wrong.
#[derive(Clone, Debug)]
pub struct Problem {
    /// `unknown-field`, `wrong-type`, `wrong-value`, `missing-field`, `unknown-api`, `removed-api` or `deprecated-api`.
    pub problem: &'static str,
    /// What is wrong, in words, without any value.
    pub message: String,
    /// The path of the field, dotted, without indices.
    pub path: String,
    /// Where it is: a field's key, a value, or what names the map in which something is missing.
    pub span: Span,
    /// What to write instead: a field's name, an API version.
    pub suggestion: Option<String>,
    /// The release in which it went or came.
    pub release: Option<Release>,
}

/// Values that a string may have. The published definitions do not list them; the API's documentation does.
const VALUES: &[(&str, &str, &[&str])] = &[
    ("Container", "imagePullPolicy", &["Always", "IfNotPresent", "Never"]),
    ("Container", "terminationMessagePolicy", &["File", "FallbackToLogsOnError"]),
    ("ContainerPort", "protocol", &["TCP", "UDP", "SCTP"]),
    ("CronJobSpec", "concurrencyPolicy", &["Allow", "Forbid", "Replace"]),
    ("DaemonSetUpdateStrategy", "type", &["RollingUpdate", "OnDelete"]),
    ("DeploymentStrategy", "type", &["RollingUpdate", "Recreate"]),
    ("HTTPGetAction", "scheme", &["HTTP", "HTTPS"]),
    ("HTTPIngressPath", "pathType", &["Exact", "Prefix", "ImplementationSpecific"]),
    ("LabelSelectorRequirement", "operator", &["In", "NotIn", "Exists", "DoesNotExist"]),
    ("NetworkPolicyPort", "protocol", &["TCP", "UDP", "SCTP"]),
    ("NodeSelectorRequirement", "operator", &["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]),
    ("PodSpec", "dnsPolicy", &["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"]),
    ("PodSpec", "preemptionPolicy", &["Never", "PreemptLowerPriority"]),
    ("PodSpec", "restartPolicy", &["Always", "OnFailure", "Never"]),
    ("SeccompProfile", "type", &["RuntimeDefault", "Unconfined", "Localhost"]),
    ("ServicePort", "protocol", &["TCP", "UDP", "SCTP"]),
    ("ServiceSpec", "externalTrafficPolicy", &["Cluster", "Local"]),
    ("ServiceSpec", "internalTrafficPolicy", &["Cluster", "Local"]),
    ("ServiceSpec", "sessionAffinity", &["ClientIP", "None"]),
    ("ServiceSpec", "type", &["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"]),
    ("StatefulSetSpec", "podManagementPolicy", &["OrderedReady", "Parallel"]),
    ("StatefulSetUpdateStrategy", "type", &["RollingUpdate", "OnDelete"]),
    ("Toleration", "effect", &["NoSchedule", "PreferNoSchedule", "NoExecute"]),
    ("TopologySpreadConstraint", "whenUnsatisfiable", &["DoNotSchedule", "ScheduleAnyway"]),
];

/// How many problems of one object are told: a file that is no manifest at all would have one a line.
const LIMIT: usize = 50;

/// Adds the problems of all objects, each joined to its object by `part-of`. `version` is the cluster's release, such as `1.33`; without it, the
/// newest that the table knows judges what was removed, and no field is too new.
pub fn annotate(lowered: &mut Lowered, version: Option<&str>) {
    let version = version.and_then(release);
    let kind: Arc<str> = "schema-problem".into();
    let via: Arc<str> = "part-of".into();
    for at in 0..lowered.resources.len() {
        let Some(object) = lowered.resources.get(at).cloned() else { break };
        for problem in problems(&object.body, version) {
            let (Ok(from), Ok(to)) = (u32::try_from(lowered.resources.len()), u32::try_from(at)) else { return };
            lowered.edges.push(LocalEdge { from, to, via: via.clone(), span: problem.span });
            lowered.resources.push(Arc::new(node(&kind, &object, &problem)));
        }
    }
}

fn node(kind: &Arc<str>, object: &Resource, problem: &Problem) -> Resource {
    let span = problem.span;
    let mut body = Map::new(Some(span));
    let text = |text: &str| Value::string(text, span);
    body.insert("problem", span, text(problem.problem));
    body.insert("message", span, text(&problem.message));
    body.insert("path", span, text(&problem.path));
    body.insert("object", span, text(&object.address));
    body.insert("objectKind", span, text(&object.kind));
    if let Some(api) = object.body.get("apiVersion") {
        body.insert("apiVersion", span, api.clone());
    }
    if let Some(suggestion) = &problem.suggestion {
        body.insert("suggestion", span, text(suggestion));
    }
    if let Some((major, minor)) = problem.release {
        body.insert("release", span, text(&format!("{major}.{minor}")));
    }
    let address = match problem.path.as_str() {
        "" => format!("{}#{}", object.address, problem.problem),
        path => format!("{}#{path}", object.address),
    };
    Resource {
        kind: kind.clone(),
        address: address.into(),
        name: problem.path.as_str().into(),
        unit: object.unit.clone(),
        span: object.span,
        head: span,
        body: Value::map(body, span),
        callers: object.callers.clone(),
        parent: None,
    }
}

/// What is wrong with an object. Objects of kinds that are not Kubernetes' own are not judged.
pub fn problems(body: &Value, version: Option<Release>) -> Vec<Problem> {
    let api = Api::get();
    let mut checker = Checker { api, version, path: String::new(), problems: Vec::new() };
    let (Some(api_value), Some(kind_value)) = (body.get("apiVersion"), body.get("kind")) else { return Vec::new() };
    let (Some(api_version), Some(kind)) = (api_value.as_str(), kind_value.as_str()) else { return Vec::new() };
    if let Some(gone) = api.gone(api_version, kind) {
        checker.gone(api_value.span(), api_version, kind, gone);
    }
    match api.kind(api_version, kind) {
        Some(found) => {
            if let Some(ty) = api.ty(found.ty) {
                checker.fields(ty, body, true);
            }
        }
        None if api.gone(api_version, kind).is_some() || is_spoken(kind) => {}
        None if api.is_built_in(group(api_version)) => checker.unknown_api(api_value.span(), api_version, kind),
        None => {}
    }
    checker.problems
}

/// Kinds that are requests and answers, or that are not sent to the API server: the table leaves them out.
fn is_spoken(kind: &str) -> bool {
    let ends = ["List", "Review", "Request", "Options"];
    // `v1` is also what kubeconfig files and OpenShift's old kinds are written with.
    let others = [
        "Config",
        "Binding",
        "Eviction",
        "Scale",
        "Status",
        "Template",
        "DeploymentConfig",
        "BuildConfig",
        "ImageStream",
        "Route",
    ];
    ends.iter().any(|end| kind.ends_with(end)) || others.contains(&kind)
}

struct Checker {
    api: &'static Api,
    version: Option<Release>,
    path: String,
    problems: Vec<Problem>,
}

impl Checker {
    fn add(
        &mut self,
        problem: &'static str,
        span: Span,
        message: String,
        suggestion: Option<String>,
        at: Option<Release>,
    ) {
        if self.problems.len() < LIMIT {
            self.problems.push(Problem { problem, message, path: self.path.clone(), span, suggestion, release: at });
        }
    }

    fn gone(&mut self, span: Span, api_version: &str, kind: &str, gone: super::Gone) {
        let (major, minor) = gone.removed;
        let removed = self.version.unwrap_or(self.api.newest) >= gone.removed;
        let instead = gone.replacement.map_or(String::new(), |other| format!("; use `{other}`"));
        let message = if removed {
            format!("`{api_version}` serves no `{kind}` from Kubernetes {major}.{minor} on{instead}")
        } else {
            format!("`{api_version}` will serve no `{kind}` from Kubernetes {major}.{minor} on{instead}")
        };
        let problem = if removed { "removed-api" } else { "deprecated-api" };
        self.add(problem, span, message, gone.replacement.map(Into::into), Some(gone.removed));
    }

    fn unknown_api(&mut self, span: Span, api_version: &str, kind: &str) {
        let versions = self.api.versions_of(kind);
        let suggestion = versions.first().map(|v| (*v).to_owned());
        let instead = match (&suggestion, nearest(kind, self.api.kinds_of(api_version))) {
            (Some(version), _) => format!("; it is in `{version}`"),
            (None, Some(near)) => format!("; did you mean `{near}`?"),
            (None, None) => String::new(),
        };
        let message = format!("Kubernetes' API `{api_version}` has no kind `{kind}`{instead}");
        self.add("unknown-api", span, message, suggestion, None);
    }

    fn fields(&mut self, ty: &'static Type, value: &Value, top: bool) {
        let Some(map) = value.as_map() else {
            self.wrong(value, "an object");
            return;
        };
        if ty.open {
            return;
        }
        for entry in &map.entries {
            let length = self.path.len();
            if !self.path.is_empty() {
                self.path.push('.');
            }
            self.path.push_str(&entry.key);
            match ty.field(&entry.key) {
                Some(field) => {
                    self.known(ty, field, entry.key_span);
                    self.value(field.shape, &entry.value);
                    self.allowed(ty, field, &entry.value);
                }
                None => self.unknown(ty, &entry.key, entry.key_span),
            }
            self.path.truncate(length);
        }
        for field in ty.fields().iter().filter(|f| f.required) {
            if map.get(field.name).is_none_or(Value::is_null) {
                let span = map.head.unwrap_or(value.span().start_point());
                let message = if top {
                    format!("`{}` is required", field.name)
                } else {
                    format!("`{}` is required in `{}`", field.name, last(&self.path))
                };
                let length = self.path.len();
                if !self.path.is_empty() {
                    self.path.push('.');
                }
                self.path.push_str(field.name);
                self.add("missing-field", span, message, None, None);
                self.path.truncate(length);
            }
        }
    }

    /// A field that is known, but perhaps not to the cluster's release.
    fn known(&mut self, ty: &Type, field: &Field, span: Span) {
        let Some(version) = self.version else { return };
        if let Some(since) = field.since.filter(|since| *since > version) {
            let message =
                format!("`{}` has the field `{}` only from Kubernetes {}.{} on", ty.name, field.name, since.0, since.1);
            self.add("unknown-field", span, message, None, Some(since));
        } else if let Some(until) = field.until.filter(|until| *until < version) {
            let message =
                format!("`{}` has the field `{}` only up to Kubernetes {}.{}", ty.name, field.name, until.0, until.1);
            self.add("unknown-field", span, message, None, Some(until));
        }
    }

    fn unknown(&mut self, ty: &Type, name: &str, span: Span) {
        let suggestion = nearest(name, ty.fields().iter().map(|f| f.name));
        let hint = match (suggestion, self.owner(ty, name)) {
            (Some(near), _) => format!("; did you mean `{near}`?"),
            (None, Some(owner)) => format!("; it belongs into `{owner}`"),
            (None, None) => String::new(),
        };
        let short = ty.name.split('.').next().unwrap_or(ty.name);
        let message = format!("`{short}` has no field `{name}`{hint}");
        self.add("unknown-field", span, message, suggestion.map(Into::into), None);
    }

    /// The field of a type whose object has the field `name`.
    fn owner(&self, ty: &Type, name: &str) -> Option<&'static str> {
        let has = |field: &&Field| match field.shape.holds() {
            Holds::Type(inner) => self.api.ty(inner).is_some_and(|inner| inner.field(name).is_some()),
            _ => false,
        };
        ty.fields().iter().find(has).map(|field| field.name)
    }

    fn allowed(&mut self, ty: &Type, field: &Field, value: &Value) {
        let Some(text) = value.as_str() else { return };
        let Some((_, _, values)) = VALUES.iter().find(|(t, f, _)| *t == ty.name && *f == field.name) else { return };
        if !values.contains(&text) {
            let suggestion = nearest(text, values.iter().copied());
            let message = format!("`{}` is one of {}", field.name, values.join(", "));
            self.add("wrong-value", value.span(), message, suggestion.map(Into::into), None);
        }
    }

    fn value(&mut self, shape: Shape, value: &Value) {
        if value.is_null() || value.as_unknown().is_some() {
            return;
        }
        let number = match &value.data {
            Data::Number(n) => Some(n),
            _ => None,
        };
        let is_integer = number.is_some_and(|n| n.to_i64().is_some());
        let (fits, expected) = match shape.holds() {
            Holds::Anything => (true, ""),
            Holds::String | Holds::Base64 | Holds::Time => (value.as_str().is_some(), "a string"),
            Holds::Bool => (value.as_bool().is_some(), "true or false"),
            Holds::Integer => (is_integer, "an integer"),
            Holds::Number => (number.is_some(), "a number"),
            Holds::IntegerOrString => (is_integer || value.as_str().is_some(), "an integer or a string"),
            Holds::Quantity => (number.is_some() || value.as_str().is_some(), "a quantity such as `500m`"),
            Holds::Object => (value.as_map().is_some(), "an object"),
            Holds::Type(name) => {
                if let Some(ty) = self.api.ty(name) {
                    self.fields(ty, value, false);
                }
                (true, "")
            }
            Holds::List(item) => {
                for element in value.as_list().unwrap_or(&[]) {
                    self.value(item, element);
                }
                (value.as_list().is_some(), "a list")
            }
            Holds::Map(item) => {
                for entry in value.as_map().map_or(&[][..], |map| &map.entries) {
                    let length = self.path.len();
                    self.path.push('.');
                    self.path.push_str(&entry.key);
                    self.value(item, &entry.value);
                    self.path.truncate(length);
                }
                (value.as_map().is_some(), "an object")
            }
        };
        if !fits {
            self.wrong(value, expected);
        }
    }

    fn wrong(&mut self, value: &Value, expected: &str) {
        let (found, quotable) = match &value.data {
            Data::Bool(_) => ("a truth value", true),
            Data::Number(_) => ("a number", true),
            Data::String(_) => ("a string", false),
            Data::List(_) => ("a list", false),
            Data::Map(_) => ("an object", false),
            Data::Null | Data::Unknown(_) => return,
        };
        let hint = if quotable && expected == "a string" { "; quote it" } else { "" };
        let message = format!("`{}` must be {expected}, not {found}{hint}", last(&self.path));
        self.add("wrong-type", value.span(), message, None, None);
    }
}

/// The last name of a dotted path.
fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

/// The name that was probably meant: the same but for its case, or at most two typing errors away.
fn nearest<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let bound = if name.len() < 5 { 1 } else { 2 };
    names
        .filter_map(|candidate| {
            let distance = if candidate.eq_ignore_ascii_case(name) { 0 } else { distance(name, candidate, bound)? };
            Some((distance, candidate))
        })
        .min()
        .map(|(_, candidate)| candidate)
}

/// The number of single-character edits between two words, if it is at most `bound`.
fn distance(a: &str, b: &str, bound: usize) -> Option<usize> {
    if a.len().abs_diff(b.len()) > bound || a.len() > 64 {
        return None;
    }
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, cb) in b.iter().enumerate() {
            let substitute = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = substitute.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row.last().copied().filter(|d| *d <= bound)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::base::FileId;
    use crate::formats::yaml_value::YamlValues;
    use crate::syntax::yaml::{self, Schema};

    /// `problem path [place] message` of each.
    fn check_for(version: Option<Release>, text: &str, expected: &[(&str, &str, &str, &str)]) {
        let tree = yaml::parse(FileId(0), text.into());
        let root = tree.root().unwrap();
        let body = YamlValues::new(Schema::Kubernetes).value(root, root.get("kind").map(|k| k.span()));
        let found = problems(&body, version);
        let found: Vec<(&str, &str, &str, &str)> = found
            .iter()
            .map(|p| (p.problem, p.path.as_str(), text.get(p.span.range()).unwrap(), p.message.as_str()))
            .collect();
        assert_eq!(found, expected, "{text}");
    }

    fn check(text: &str, expected: &[(&str, &str, &str, &str)]) {
        check_for(None, text, expected);
    }

    #[test]
    fn good_objects_and_custom_kinds_have_no_problems() {
        check(
            "apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: {a: b}, creationTimestamp: null}\nspec: {containers: [{name: c, image: i, resources: {limits: {cpu: 1, memory: 1Gi}}, livenessProbe: {httpGet: {port: http}}}]}\nstatus: {x: 1}\n",
            &[],
        );
        check("apiVersion: example.com/v1\nkind: Pod\nx: 1\n", &[]);
        check("apiVersion: v1\nkind: Config\nusers: []\n", &[]);
        check(
            "{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: a}, spec: {maxReplicas: 3, scaleTargetRef: {kind: Deployment, name: d}}}",
            &[],
        );
    }

    #[test]
    fn fields_types_and_values_are_judged() {
        check(
            "apiVersion: v1\nkind: Pod\nspec:\n  hostNetwrok: true\n  restartPolicy: always\n  containers:\n  - name: c\n    env: [{name: X, value: 1}]\n    ports: {}\n    securityContext: {runAsNonRoot: 'true'}\n",
            &[
                (
                    "unknown-field",
                    "spec.hostNetwrok",
                    "hostNetwrok",
                    "`PodSpec` has no field `hostNetwrok`; did you mean `hostNetwork`?",
                ),
                ("wrong-value", "spec.restartPolicy", "always", "`restartPolicy` is one of Always, OnFailure, Never"),
                ("wrong-type", "spec.containers.env.value", "1", "`value` must be a string, not a number; quote it"),
                ("wrong-type", "spec.containers.ports", "{}", "`ports` must be a list, not an object"),
                (
                    "wrong-type",
                    "spec.containers.securityContext.runAsNonRoot",
                    "'true'",
                    "`runAsNonRoot` must be true or false, not a string",
                ),
            ],
        );
        check(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {annotations: {a: yes}}\nspec: {replicas: 2.5, template: {}}\n",
            &[
                ("wrong-type", "metadata.annotations.a", "yes", "`a` must be a string, not a truth value; quote it"),
                ("wrong-type", "spec.replicas", "2.5", "`replicas` must be an integer, not a number"),
                ("missing-field", "spec.selector", "spec", "`selector` is required in `spec`"),
            ],
        );
        check(
            "apiVersion: v1\nkind: ConfigMap\ndata: {a: 1}\nData: {}\n",
            &[
                ("wrong-type", "data.a", "1", "`a` must be a string, not a number; quote it"),
                ("unknown-field", "Data", "Data", "`ConfigMap` has no field `Data`; did you mean `data`?"),
            ],
        );
    }

    #[test]
    fn api_versions_are_judged_by_release() {
        let gone = "apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\n";
        let removed = "`policy/v1beta1` serves no `PodDisruptionBudget` from Kubernetes 1.25 on; use `policy/v1`";
        let deprecated =
            "`policy/v1beta1` will serve no `PodDisruptionBudget` from Kubernetes 1.25 on; use `policy/v1`";
        check(gone, &[("removed-api", "", "policy/v1beta1", removed)]);
        check_for(release("v1.24.3"), gone, &[("deprecated-api", "", "policy/v1beta1", deprecated)]);
        check(
            "apiVersion: v1\nkind: Deployment\n",
            &[("unknown-api", "", "v1", "Kubernetes' API `v1` has no kind `Deployment`; it is in `apps/v1`")],
        );
        check(
            "apiVersion: v1\nkind: pod\n",
            &[("unknown-api", "", "v1", "Kubernetes' API `v1` has no kind `pod`; did you mean `Pod`?")],
        );
        let resize = "{apiVersion: v1, kind: Pod, spec: {containers: [{name: c, resizePolicy: []}]}}";
        check(resize, &[]);
        check_for(
            release("1.26"),
            resize,
            &[(
                "unknown-field",
                "spec.containers.resizePolicy",
                "resizePolicy",
                "`Container` has the field `resizePolicy` only from Kubernetes 1.27 on",
            )],
        );
    }

    #[test]
    fn problems_become_nodes_of_their_objects() {
        let tree = yaml::parse(
            FileId(0),
            "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [], x: 1}\n".into(),
        );
        let mut lowered = crate::formats::kubernetes::lower_tree(&"f".into(), &tree);
        annotate(&mut lowered, None);
        assert_eq!(&*lowered.resources[1].address, "Pod/default/a#spec.x");
        assert_eq!(lowered.resources[1].body.get("object").and_then(Value::as_str), Some("Pod/default/a"));
        assert_eq!((lowered.edges[0].from, lowered.edges[0].to, &*lowered.edges[0].via), (1, 0, "part-of"));
    }
}
