//! Terraform's ways to declare an object, made into the manifest it would send to the cluster.
//!
//! Three exist: typed resources (`kubernetes_deployment_v1`), whose blocks are the API's fields in snake case and singular; `kubernetes_manifest`, which holds a
//! manifest as an object; and `kubectl_manifest`, which holds one as YAML text. The derived resource keeps Terraform's address, span and head; its kind and body are the
//! manifest's, and every value in it keeps the place it has in the Terraform file.

use super::lower::objects;
use crate::base::{FileId, Span};
use crate::formats::yaml_value::YamlValues;
use crate::formats::{LocalEdge, Lowered};
use crate::graph::{Data, Entry, How, Map, Origin, Resource, Value};
use crate::providers;
use crate::syntax::yaml::{self, Schema};
use std::sync::Arc;

/// The typed resources: Terraform's name without `kubernetes_` and version, the kind, and the API versions by the suffix of the resource: none, then others.
const TYPED: &[(&str, &str, &[(&str, &str)])] = &[
    ("api_service", "APIService", &[("", "apiregistration.k8s.io/v1")]),
    (
        "certificate_signing_request",
        "CertificateSigningRequest",
        &[("", "certificates.k8s.io/v1beta1"), ("_v1", "certificates.k8s.io/v1")],
    ),
    ("cluster_role", "ClusterRole", &[("", "rbac.authorization.k8s.io/v1")]),
    ("cluster_role_binding", "ClusterRoleBinding", &[("", "rbac.authorization.k8s.io/v1")]),
    ("config_map", "ConfigMap", &[("", "v1")]),
    ("cron_job", "CronJob", &[("", "batch/v1beta1"), ("_v1", "batch/v1")]),
    ("csi_driver", "CSIDriver", &[("", "storage.k8s.io/v1beta1"), ("_v1", "storage.k8s.io/v1")]),
    ("daemonset", "DaemonSet", &[("", "apps/v1")]),
    ("daemon_set", "DaemonSet", &[("", "apps/v1")]),
    ("default_service_account", "ServiceAccount", &[("", "v1")]),
    ("deployment", "Deployment", &[("", "apps/v1")]),
    ("endpoint_slice", "EndpointSlice", &[("", "discovery.k8s.io/v1")]),
    ("endpoints", "Endpoints", &[("", "v1")]),
    (
        "horizontal_pod_autoscaler",
        "HorizontalPodAutoscaler",
        &[("", "autoscaling/v1"), ("_v2", "autoscaling/v2"), ("_v2beta2", "autoscaling/v2beta2")],
    ),
    ("ingress", "Ingress", &[("", "extensions/v1beta1"), ("_v1", "networking.k8s.io/v1")]),
    ("ingress_class", "IngressClass", &[("", "networking.k8s.io/v1")]),
    ("job", "Job", &[("", "batch/v1")]),
    ("limit_range", "LimitRange", &[("", "v1")]),
    ("mutating_webhook_configuration", "MutatingWebhookConfiguration", &[("", "admissionregistration.k8s.io/v1")]),
    ("namespace", "Namespace", &[("", "v1")]),
    ("network_policy", "NetworkPolicy", &[("", "networking.k8s.io/v1")]),
    ("persistent_volume", "PersistentVolume", &[("", "v1")]),
    ("persistent_volume_claim", "PersistentVolumeClaim", &[("", "v1")]),
    ("pod", "Pod", &[("", "v1")]),
    ("pod_disruption_budget", "PodDisruptionBudget", &[("", "policy/v1beta1"), ("_v1", "policy/v1")]),
    ("pod_security_policy", "PodSecurityPolicy", &[("", "policy/v1beta1")]),
    ("priority_class", "PriorityClass", &[("", "scheduling.k8s.io/v1")]),
    ("replication_controller", "ReplicationController", &[("", "v1")]),
    ("resource_quota", "ResourceQuota", &[("", "v1")]),
    ("role", "Role", &[("", "rbac.authorization.k8s.io/v1")]),
    ("role_binding", "RoleBinding", &[("", "rbac.authorization.k8s.io/v1")]),
    ("runtime_class", "RuntimeClass", &[("", "node.k8s.io/v1")]),
    ("secret", "Secret", &[("", "v1")]),
    ("service", "Service", &[("", "v1")]),
    ("service_account", "ServiceAccount", &[("", "v1")]),
    ("stateful_set", "StatefulSet", &[("", "apps/v1")]),
    ("storage_class", "StorageClass", &[("", "storage.k8s.io/v1")]),
    ("validating_webhook_configuration", "ValidatingWebhookConfiguration", &[("", "admissionregistration.k8s.io/v1")]),
];

/// Arguments of Terraform and of its provider that are no part of the object.
const NOT_FIELDS: &[&str] = &[
    "count",
    "depends_on",
    "for_each",
    "id",
    "lifecycle",
    "provider",
    "provisioner",
    "connection",
    "timeouts",
    "wait_for_rollout",
    "wait_for_completion",
    "wait_for_load_balancer",
    "wait_for_default_service_account",
    "wait_until_bound",
    "wait_for_service_account_token",
    "default_secret_name",
    "status",
    "auto_approve",
    "field_manager",
    "force",
    "target_state",
    "data_wo_revision",
    "binary_data_wo_revision",
];

/// Blocks that may repeat, and the list they make. A name that is a list in one place alone is told apart in [`list_name`].
const LISTS: &[(&str, &str)] = &[
    ("address", "addresses"),
    ("allowed_flex_volumes", "allowedFlexVolumes"),
    ("allowed_host_paths", "allowedHostPaths"),
    ("allowed_proc_mount_types", "allowedProcMountTypes"),
    ("allowed_topologies", "allowedTopologies"),
    ("cluster_role_selectors", "clusterRoleSelectors"),
    ("container", "containers"),
    ("egress", "egress"),
    ("endpoint", "endpoints"),
    ("env", "env"),
    ("env_from", "envFrom"),
    ("ephemeral_container", "ephemeralContainers"),
    ("from", "from"),
    ("host_aliases", "hostAliases"),
    ("host_ports", "hostPorts"),
    ("http_header", "httpHeaders"),
    ("image_pull_secret", "imagePullSecrets"),
    ("image_pull_secrets", "imagePullSecrets"),
    ("ingress", "ingress"),
    ("init_container", "initContainers"),
    ("items", "items"),
    ("limit", "limits"),
    ("match_expression", "matchExpressions"),
    ("match_expressions", "matchExpressions"),
    ("match_fields", "matchFields"),
    ("match_label_expressions", "matchLabelExpressions"),
    ("node_selector_term", "nodeSelectorTerms"),
    ("not_ready_address", "notReadyAddresses"),
    ("on_pod_condition", "onPodConditions"),
    ("option", "options"),
    ("policy", "policies"),
    ("port", "ports"),
    ("ports", "ports"),
    ("preferred_during_scheduling_ignored_during_execution", "preferredDuringSchedulingIgnoredDuringExecution"),
    ("range", "ranges"),
    ("readiness_gate", "readinessGates"),
    ("rule", "rules"),
    ("sources", "sources"),
    ("subject", "subjects"),
    ("subset", "subsets"),
    ("sysctl", "sysctls"),
    ("tls", "tls"),
    ("to", "to"),
    ("token_requests", "tokenRequests"),
    ("toleration", "tolerations"),
    ("topology_spread_constraint", "topologySpreadConstraints"),
    ("volume", "volumes"),
    ("volume_claim_template", "volumeClaimTemplates"),
    ("volume_device", "volumeDevices"),
    ("volume_mount", "volumeMounts"),
    ("webhook", "webhooks"),
];

/// Names whose camel case is not made by rule: the API writes acronyms in capitals, but not at a name's start.
const NAMES: &[(&str, &str)] = &[
    ("ceph_fs", "cephfs"),
    ("client_ip", "clientIP"),
    ("cluster_ip", "clusterIP"),
    ("cluster_ips", "clusterIPs"),
    ("data_disk_uri", "diskURI"),
    ("dataset_uuid", "datasetUUID"),
    ("downward_api", "downwardAPI"),
    ("external_ips", "externalIPs"),
    ("host_ip", "hostIP"),
    ("host_ipc", "hostIPC"),
    ("host_pid", "hostPID"),
    ("insecure_skip_tls_verify", "insecureSkipTLSVerify"),
    ("load_balancer_ip", "loadBalancerIP"),
    ("non_resource_urls", "nonResourceURLs"),
    ("photon_persistent_disk", "photonPersistentDisk"),
    ("pod_cidr", "podCIDR"),
    ("pod_ip", "podIP"),
    ("provider_id", "providerID"),
    ("run_as_username", "runAsUserName"),
    ("scale_io", "scaleIO"),
    ("storage_provisioner", "provisioner"),
    ("target_cpu_utilization_percentage", "targetCPUUtilizationPercentage"),
    ("target_wwns", "targetWWNs"),
    ("timezone", "timeZone"),
    ("volume_id", "volumeID"),
];

/// Reads the text of a file, for the places inside YAML text.
pub type Sources<'a> = dyn Fn(FileId) -> Option<Arc<str>> + 'a;

/// Adds the manifests that the resources of a Terraform unit declare, each joined to its resource by `part-of`.
pub fn append(lowered: &mut Lowered, sources: &Sources<'_>) {
    let via: Arc<str> = "part-of".into();
    for at in 0..lowered.resources.len() {
        let Some(resource) = lowered.resources.get(at).cloned() else { break };
        for made in manifest_resources(&resource, sources) {
            let (Ok(from), Ok(to)) = (u32::try_from(lowered.resources.len()), u32::try_from(at)) else { return };
            lowered.edges.push(LocalEdge { from, to, via: via.clone(), span: resource.head });
            lowered.resources.push(Arc::new(made));
        }
    }
}

/// The manifests that a Terraform resource declares; nothing for most resources. `sources` gives files' texts.
pub fn manifest_resources(resource: &Resource, sources: &Sources<'_>) -> Vec<Resource> {
    if let Some(base) = resource.kind.strip_prefix("kubernetes_") {
        if base == "manifest" || base == "manifest_v1" {
            return resource.body.get("manifest").map_or(Vec::new(), |manifest| given(resource, manifest.clone()));
        }
        return typed(resource, base).into_iter().collect();
    }
    if &*resource.kind == "kubectl_manifest" {
        return resource.body.get("yaml_body").map_or(Vec::new(), |text| from_text(resource, text, sources));
    }
    Vec::new()
}

/// A manifest that is there as a value.
fn given(resource: &Resource, manifest: Value) -> Vec<Resource> {
    let mut lowered = Lowered::default();
    objects(&resource.unit, manifest, 4, &mut lowered);
    lowered.resources.iter().map(|object| derived(resource, &object.kind, object.body.clone())).collect()
}

fn derived(resource: &Resource, kind: &Arc<str>, body: Value) -> Resource {
    Resource { kind: kind.clone(), body, ..resource.clone() }
}

fn typed(resource: &Resource, base: &str) -> Option<Resource> {
    let (kind, api) = kind_of(base)?;
    let body = resource.body.as_map()?;
    let at = body.head.unwrap_or(resource.head);
    let mut map = Map::new(body.head);
    map.insert("apiVersion", at, Value::string(api, at));
    map.insert("kind", at, Value::string(kind, at));
    for entry in &body.entries {
        if !NOT_FIELDS.contains(&&*entry.key) {
            map.entries.push(field(entry, &Where { name: "", outer: None, terraform: &resource.kind, kind }));
        }
    }
    if base.starts_with("default_service_account") {
        default_account(&mut map, at);
    }
    // The provider encodes what `data` holds, so for the API it is `stringData`; what `binary_data` holds is encoded already.
    if kind == "Secret" {
        for entry in &mut map.entries {
            match &*entry.key {
                "data" | "dataWo" => entry.key = "stringData".into(),
                "binaryData" | "binaryDataWo" => entry.key = "data".into(),
                _ => {}
            }
        }
    }
    let body = Value { data: Data::Map(Arc::new(map)), origin: resource.body.origin.clone() };
    Some(derived(resource, &kind.into(), body))
}

/// `kubernetes_default_service_account` governs the account that every namespace has.
fn default_account(map: &mut Map, at: Span) {
    let mut metadata = map.get("metadata").and_then(Value::as_map).cloned().unwrap_or_else(|| Map::new(Some(at)));
    if metadata.get("name").is_none() {
        metadata.insert("name", at, Value::string("default", at));
        map.insert("metadata", at, Value::map(metadata, at));
    }
}

/// The kind and API version of a typed resource.
fn kind_of(name: &str) -> Option<(&'static str, &'static str)> {
    let (base, suffix) = match name.rsplit_once("_v") {
        Some((base, version)) if version.starts_with(|c: char| c.is_ascii_digit()) => (base, &name[base.len()..]),
        _ => (name, ""),
    };
    let (_, kind, versions) = TYPED.iter().find(|(typed, _, _)| *typed == base)?;
    let version = versions.iter().find(|(s, _)| *s == suffix).or_else(|| versions.last())?;
    Some((kind, version.1))
}

/// Where a field stands, which decides what a name means.
struct Where<'a> {
    /// The block it is in, by Terraform's name; empty at the top.
    name: &'a str,
    outer: Option<&'a Where<'a>>,
    /// The Terraform resource's kind.
    terraform: &'a str,
    kind: &'a str,
}

impl Where<'_> {
    /// Whether the provider has a block of this name here.
    fn has_block(&self, name: &str) -> bool {
        let mut path = Vec::new();
        let mut here = Some(self);
        while let Some(place) = here.filter(|place| place.outer.is_some()) {
            path.push(place.name);
            here = place.outer;
        }
        path.reverse();
        providers::is_block(self.terraform, &path, name)
    }
}

/// An attribute or block as the API's field.
fn field(entry: &Entry, place: &Where<'_>) -> Entry {
    let name = &*entry.key;
    let inside = Where { name, outer: Some(place), ..*place };
    let is_block = |item: &Value| item.as_map().is_some() || item.as_unknown().is_some();
    let blocks: Option<&[Value]> = match &entry.value.data {
        Data::List(items) => (!items.is_empty() && items.iter().all(is_block)).then_some(&**items),
        // A block written as an argument, `container = { … }`, or one that came from a plan. Other maps are the user's own keys: labels, limits, data.
        Data::Map(_) => place.has_block(name).then_some(std::slice::from_ref(&entry.value)),
        _ => None,
    };
    // An unknown may stand for blocks: it takes the list's name where the provider has a block of this name.
    let maybe_blocks = blocks.is_some() || (entry.value.as_unknown().is_some() && place.has_block(name));
    let list = list_name(name, place).filter(|_| maybe_blocks);
    let key: Arc<str> = list.map_or_else(|| single_name(name, place), Into::into);
    let list_of = |items: &[Value]| {
        let items: Vec<Value> = items.iter().map(|item| block(item, &inside)).collect();
        Value { data: Data::List(Arc::new(items)), origin: entry.value.origin.clone() }
    };
    let value = match (blocks, list) {
        (Some([only]), None) => block(only, &inside),
        (Some(items), _) => list_of(items),
        (None, _) => entry.value.clone(),
    };
    Entry { key, key_span: entry.key_span, value }
}

fn block(value: &Value, place: &Where<'_>) -> Value {
    let Some(map) = value.as_map() else { return value.clone() };
    let mut entries = Vec::with_capacity(map.entries.len());
    for entry in &map.entries {
        let made = field(entry, place);
        // Terraform has a block of its own around what says where a volume lies; in the API that stands in the volume itself.
        match made.value.as_map().filter(|_| &*entry.key == "persistent_volume_source") {
            Some(source) => entries.extend(source.entries.iter().cloned()),
            None => entries.push(made),
        }
    }
    Value { data: Data::Map(Arc::new(Map { entries, head: map.head })), origin: value.origin.clone() }
}

/// The name of a field that holds one thing, where the place tells it apart.
fn single_name(name: &str, place: &Where<'_>) -> Arc<str> {
    match (name, place.name, place.kind) {
        ("strategy", "spec", "DaemonSet") => "updateStrategy".into(),
        ("condition", "endpoint", "EndpointSlice") => "conditions".into(),
        _ => camel(name),
    }
}

/// The list that blocks of this name make here; `None` where there is one block at most.
fn list_name(name: &str, place: &Where<'_>) -> Option<&'static str> {
    match (name, place.name) {
        // `backend { service { port { number } } }` of an Ingress, `port` of a probe's action.
        ("port", "service") => None,
        ("path", "http") => Some("paths"),
        ("secret", "") if place.kind == "ServiceAccount" => Some("secrets"),
        ("metric", "spec") => Some("metrics"),
        ("policy", "scale_up" | "scale_down") => Some("policies"),
        ("policy", _) => None,
        ("required_during_scheduling_ignored_during_execution", "pod_affinity" | "pod_anti_affinity") => {
            Some("requiredDuringSchedulingIgnoredDuringExecution")
        }
        ("endpoint" | "address", _) if !matches!(place.kind, "Endpoints" | "EndpointSlice") => None,
        ("ingress" | "egress" | "from" | "to", _) if place.kind != "NetworkPolicy" => None,
        ("range", _) if place.kind != "PodSecurityPolicy" => None,
        ("tls", _) if place.kind != "Ingress" => None,
        ("taint", "spec") => Some("taints"),
        _ => LISTS.iter().find(|(block, _)| *block == name).map(|(_, list)| *list),
    }
}

fn camel(name: &str) -> Arc<str> {
    if let Some((_, api)) = NAMES.iter().find(|(terraform, _)| *terraform == name) {
        return (*api).into();
    }
    let mut parts = name.split('_');
    let mut camel = parts.next().unwrap_or("").to_owned();
    for part in parts {
        let mut chars = part.chars();
        camel.extend(chars.next().map(|c| c.to_ascii_uppercase()));
        camel.push_str(chars.as_str());
    }
    camel.into()
}

/// Manifests in YAML text.
fn from_text(resource: &Resource, text: &Value, sources: &Sources<'_>) -> Vec<Resource> {
    if let How::Encoded(value) = &text.origin.how {
        return given(resource, (**value).clone());
    }
    let Some(yaml_text) = text.as_str() else { return Vec::new() };
    let span = text.span();
    let source = sources(span.file);
    let lines = source.as_deref().map(|source| Lines::new(yaml_text, source, span));
    let tree = yaml::parse(FileId::NONE, yaml_text.into());
    let mut values = YamlValues::new(Schema::Kubernetes);
    let mut found = Vec::new();
    for root in tree.roots() {
        let value = values.value(root, None);
        let placed = Placing { lines: lines.as_ref(), whole: span, origin: &text.origin }.value(&value);
        found.extend(given(resource, placed));
    }
    found
}

/// Where the lines of a text stand in the heredoc it was written as.
struct Lines {
    /// For each line of the text: its first byte there, and the place of its first byte in the file, where it is the same text; else the whole line there.
    lines: Vec<(u32, Result<u32, Span>)>,
}

impl Lines {
    /// Pairs the lines of `text` with those of the source at `span`. A line with an interpolation in it is known only as a whole. Once a line cannot be found, what
    /// follows has no place but the text as a whole.
    fn new(text: &str, source: &str, span: Span) -> Lines {
        let mut lines = Vec::new();
        let raw = source.get(span.range()).unwrap_or("");
        if !raw.starts_with("<<") {
            return Lines { lines };
        }
        let mut at = span.start as usize;
        let mut raw_lines = raw.split_inclusive('\n').map(|line| {
            let start = at;
            at += line.len();
            (start, line.trim_end_matches(['\n', '\r']))
        });
        raw_lines.next();
        let mut offset = 0;
        for line in text.split_inclusive('\n') {
            let plain = line.trim_end_matches(['\n', '\r']);
            let Some((start, raw_line)) = raw_lines.next() else { break };
            let start32 = u32::try_from(start).unwrap_or(u32::MAX);
            let place = match raw_line.strip_suffix(plain) {
                Some(indent) if indent.trim().is_empty() => Ok(start32 + u32::try_from(indent.len()).unwrap_or(0)),
                _ if raw_line.contains("${") || raw_line.contains("%{") => {
                    Err(Span::new(span.file, start..start + raw_line.len()))
                }
                _ => break,
            };
            lines.push((offset, place));
            offset += u32::try_from(line.len()).unwrap_or(0);
        }
        Lines { lines }
    }

    fn place(&self, span: Span, file: FileId) -> Option<Span> {
        let at = |offset: u32| {
            let index = self.lines.partition_point(|(start, _)| *start <= offset).checked_sub(1)?;
            let (start, place) = self.lines.get(index)?;
            Some(match place {
                Ok(there) => {
                    let offset = there + (offset - start);
                    Span { file, start: offset, end: offset }
                }
                Err(line) => *line,
            })
        };
        Some(at(span.start)?.to(at(span.end)?))
    }
}

struct Placing<'a> {
    lines: Option<&'a Lines>,
    whole: Span,
    origin: &'a Origin,
}

impl Placing<'_> {
    fn span(&self, span: Span) -> Span {
        self.lines.and_then(|lines| lines.place(span, self.whole.file)).unwrap_or(self.whole)
    }

    /// The same value with the places of the Terraform file.
    fn value(&self, value: &Value) -> Value {
        let data = match &value.data {
            Data::List(items) => Data::List(Arc::new(items.iter().map(|item| self.value(item)).collect())),
            Data::Map(map) => {
                let entry = |e: &Entry| Entry {
                    key: e.key.clone(),
                    key_span: self.span(e.key_span),
                    value: self.value(&e.value),
                };
                let entries = map.entries.iter().map(entry).collect();
                Data::Map(Arc::new(Map { entries, head: map.head.map(|head| self.span(head)) }))
            }
            other => other.clone(),
        };
        let span = self.span(value.span());
        Value { data, origin: Origin { span, ..self.origin.clone() } }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// A resource whose body is written as YAML: blocks are lists of mappings, as Terraform's lowering has them.
    fn terraform(kind: &str, body: &str) -> Resource {
        let tree = yaml::parse(FileId(0), body.into());
        let body = YamlValues::new(Schema::Yaml12).value(tree.root().unwrap(), None);
        Resource {
            kind: kind.into(),
            address: format!("{kind}.x").into(),
            name: "x".into(),
            unit: "".into(),
            span: body.span(),
            head: body.span(),
            body,
            callers: Arc::from([]),
            parent: None,
        }
    }

    fn check(kind: &str, body: &str, expected: serde_json::Value) {
        let made = manifest_resources(&terraform(kind, body), &|_| None);
        assert_eq!(made.len(), 1, "{kind}");
        assert_eq!(made[0].body.to_json(), expected);
        assert_eq!(&*made[0].address, format!("{kind}.x"));
        assert_eq!(made[0].kind.as_ref(), expected["kind"].as_str().unwrap());
    }

    #[test]
    fn typed_blocks_become_fields() {
        check(
            "kubernetes_deployment_v1",
            "
count: 2
wait_for_rollout: true
metadata: [{name: web, labels: {my_app: x}}]
spec:
- replicas: 2
  selector: [{match_labels: {my_app: x}}]
  template:
  - metadata: [{labels: {my_app: x}}]
    spec:
    - automount_service_account_token: false
      host_ipc: true
      affinity: [{pod_anti_affinity: [{required_during_scheduling_ignored_during_execution: [{topology_key: zone}]}],
                  node_affinity: [{required_during_scheduling_ignored_during_execution: [{node_selector_term: [{match_expressions: [{key: k, operator: Exists}]}]}]}]}]
      toleration: [{key: a}, {key: b}]
      container:
      - image: nginx
        port: [{container_port: 80}]
        env: [{name: X, value_from: [{secret_key_ref: [{name: s, key: k}]}]}]
        resources: [{limits: {cpu: 1, some_thing: 2}}]
        security_context: [{read_only_root_filesystem: true, capabilities: [{drop: [ALL]}]}]
        liveness_probe: [{http_get: [{path: /, port: 80, http_header: [{name: a, value: b}]}]}]
        volume_mount: [{mount_path: /x, name: v}]
      volume: [{name: v, empty_dir: [{}]}, {name: h, host_path: [{path: /}]}, {name: s, secret: [{secret_name: q}]}]
",
            serde_json::json!({
                "apiVersion": "apps/v1", "kind": "Deployment",
                "metadata": {"name": "web", "labels": {"my_app": "x"}},
                "spec": {
                    "replicas": 2,
                    "selector": {"matchLabels": {"my_app": "x"}},
                    "template": {
                        "metadata": {"labels": {"my_app": "x"}},
                        "spec": {
                            "automountServiceAccountToken": false,
                            "hostIPC": true,
                            "affinity": {
                                "podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "zone"}]},
                                "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution":
                                    {"nodeSelectorTerms": [{"matchExpressions": [{"key": "k", "operator": "Exists"}]}]}},
                            },
                            "tolerations": [{"key": "a"}, {"key": "b"}],
                            "containers": [{
                                "image": "nginx",
                                "ports": [{"containerPort": 80}],
                                "env": [{"name": "X", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
                                "resources": {"limits": {"cpu": 1, "some_thing": 2}},
                                "securityContext": {"readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}},
                                "livenessProbe": {"httpGet": {"path": "/", "port": 80, "httpHeaders": [{"name": "a", "value": "b"}]}},
                                "volumeMounts": [{"mountPath": "/x", "name": "v"}],
                            }],
                            "volumes": [
                                {"name": "v", "emptyDir": {}},
                                {"name": "h", "hostPath": {"path": "/"}},
                                {"name": "s", "secret": {"secretName": "q"}},
                            ],
                        },
                    },
                },
            }),
        );
    }

    /// The provider refuses arguments where it has blocks, but people write them, and plans have them.
    #[test]
    fn arguments_in_place_of_blocks_mean_the_same() {
        check(
            "kubernetes_pod",
            "
metadata: {name: web, labels: {my_app: x}}
spec:
  host_network: true
  container:
  - image: nginx
    port: {container_port: 80}
    env: {name: X}
    resources: {limits: {some_thing: 2}}
    security_context: {capabilities: {drop: [ALL]}}
    liveness_probe: {http_get: {port: 80, http_header: {name: a, value: b}}}
  volume: {name: v, secret: {secret_name: q}}
",
            serde_json::json!({
                "apiVersion": "v1", "kind": "Pod",
                "metadata": {"name": "web", "labels": {"my_app": "x"}},
                "spec": {
                    "hostNetwork": true,
                    "containers": [{
                        "image": "nginx",
                        "ports": [{"containerPort": 80}],
                        "env": [{"name": "X"}],
                        "resources": {"limits": {"some_thing": 2}},
                        "securityContext": {"capabilities": {"drop": ["ALL"]}},
                        "livenessProbe": {"httpGet": {"port": 80, "httpHeaders": [{"name": "a", "value": "b"}]}},
                    }],
                    "volumes": [{"name": "v", "secret": {"secretName": "q"}}],
                },
            }),
        );
    }

    #[test]
    fn names_mean_what_their_place_says() {
        check(
            "kubernetes_persistent_volume_v1",
            "{metadata: [{name: v}], spec: [{capacity: {storage: 1Gi}, persistent_volume_source: [{host_path: [{path: /data}]}]}]}",
            serde_json::json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "v"},
                "spec": {"capacity": {"storage": "1Gi"}, "hostPath": {"path": "/data"}}}),
        );
        check(
            "kubernetes_daemon_set_v1",
            "{spec: [{strategy: [{type: OnDelete}], template: [{spec: [{security_context: [{windows_options: [{run_as_username: x}]}]}]}]}]}",
            serde_json::json!({"apiVersion": "apps/v1", "kind": "DaemonSet", "spec": {
                "updateStrategy": {"type": "OnDelete"},
                "template": {"spec": {"securityContext": {"windowsOptions": {"runAsUserName": "x"}}}}}}),
        );
        check(
            "kubernetes_secret_v1",
            "{metadata: [{name: a}], data_wo: {p: hunter}, data_wo_revision: 1}",
            serde_json::json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "stringData": {"p": "hunter"}}),
        );
        check(
            "kubernetes_ingress_v1",
            "{metadata: [{name: i}], spec: [{rule: [{http: [{path: [{path: /a, backend: [{service: [{name: s, port: [{number: 80}]}]}]}]}]}], tls: [{secret_name: t}]}]}",
            serde_json::json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "i"}, "spec": {
                "rules": [{"http": {"paths": [{"path": "/a", "backend": {"service": {"name": "s", "port": {"number": 80}}}}]}}],
                "tls": [{"secretName": "t"}]}}),
        );
        check(
            "kubernetes_network_policy",
            "{spec: [{pod_selector: [{}], policy_types: [Ingress], ingress: [{from: [{ip_block: [{cidr: 0.0.0.0/0}]}], ports: [{port: http}]}]}]}",
            serde_json::json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "spec": {
                "podSelector": {}, "policyTypes": ["Ingress"],
                "ingress": [{"from": [{"ipBlock": {"cidr": "0.0.0.0/0"}}], "ports": [{"port": "http"}]}]}}),
        );
        check(
            "kubernetes_cluster_role",
            "{metadata: [{name: r}], rule: [{api_groups: [\"\"], resources: [secrets], verbs: [get]}]}",
            serde_json::json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "r"},
                "rules": [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]}),
        );
        check(
            "kubernetes_service_account",
            "{metadata: [{name: a}], secret: [{name: s}], automount_service_account_token: false}",
            serde_json::json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "a"},
                "secrets": [{"name": "s"}], "automountServiceAccountToken": false}),
        );
        check(
            "kubernetes_secret",
            "{metadata: [{name: a}], data: {p_q: hunter}, binary_data: {b: aGk=}}",
            serde_json::json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"},
                "stringData": {"p_q": "hunter"}, "data": {"b": "aGk="}}),
        );
        assert!(manifest_resources(&terraform("kubernetes_labels", "{kind: x}"), &|_| None).is_empty());
    }

    #[test]
    fn yaml_text_keeps_its_places() {
        let source = "resource \"kubectl_manifest\" \"x\" {\n  yaml_body = <<-EOT\n    apiVersion: v1\n    kind: Pod\n    metadata:\n      name: ${var.name}\n    spec:\n      hostPID: true\n  EOT\n}\n";
        let text = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nspec:\n  hostPID: true\n";
        let start = source.find("<<-EOT").unwrap();
        let span = Span::new(FileId(3), start..source.find("  EOT\n").unwrap() + 5);
        let mut resource = terraform("kubectl_manifest", "{}");
        let mut body = Map::new(None);
        body.insert("yaml_body", span, Value::string(text, span));
        resource.body = Value::map(body, span);
        let made = manifest_resources(&resource, &|_| Some(source.into()));
        let at = |path: &[&str]| source.get(made[0].body.at(path).unwrap().span().range()).unwrap();
        assert_eq!(at(&["kind"]), "Pod");
        assert_eq!(at(&["spec", "hostPID"]), "true");
        assert_eq!(at(&["metadata", "name"]), "      name: ${var.name}");
        assert_eq!(&*made[0].kind, "Pod");
        let blind = manifest_resources(&resource, &|_| None);
        assert_eq!(blind[0].body.at(&["spec", "hostPID"]).unwrap().span(), span);
    }
}
