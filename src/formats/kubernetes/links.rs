//! The edges between objects: what the control plane would join by name, by label or by namespace.

use super::kinds::{self, PodParts, group, pod_of};
use super::lower::namespace;
use crate::base::{FastMap, Span};
use crate::graph::{Edge, Labels, Resource, ResourceGraph, ResourceId, Selector, Value};
use std::sync::Arc;

/// Draws all edges of the graph's manifests, also of those that Terraform holds.
pub fn draw(graph: &ResourceGraph, edges: &mut Vec<Edge>) {
    let index = Index::new(graph);
    let mut pen = Pen { index: &index, edges, vias: FastMap::default() };
    for object in &index.objects {
        pen.object(object);
    }
}

/// An object as the edges see it.
struct Object<'g> {
    id: ResourceId,
    resource: &'g Resource,
    group: &'g str,
    namespace: Option<String>,
    pod: Option<Pod<'g>>,
}

struct Pod<'g> {
    spec: &'g Value,
    labels: Labels<'g>,
}

struct Index<'g> {
    objects: Vec<Object<'g>>,
    /// By kind, namespace (empty for none) and name.
    by_name: FastMap<(&'g str, String, &'g str), Vec<usize>>,
    workloads: FastMap<String, Vec<usize>>,
    /// Workloads by namespace, label and value.
    by_label: FastMap<(String, String, String), Vec<usize>>,
    namespaces: FastMap<&'g str, usize>,
}

impl<'g> Index<'g> {
    fn new(graph: &'g ResourceGraph) -> Index<'g> {
        let mut index = Index {
            objects: Vec::new(),
            by_name: FastMap::default(),
            workloads: FastMap::default(),
            by_label: FastMap::default(),
            namespaces: FastMap::default(),
        };
        for id in graph.ids() {
            let resource = graph.get(id);
            let Some(api_version) = resource.body.get("apiVersion").and_then(Value::as_str) else { continue };
            let is_manifest = resource.body.get("kind").and_then(Value::as_str) == Some(&*resource.kind);
            if resource.parent.is_some() || !is_manifest {
                continue;
            }
            let at = index.objects.len();
            let namespace = namespace(&resource.kind, &resource.body);
            let name = resource.body.at(&["metadata", "name"]).and_then(Value::as_str);
            let pod = pod_of(&resource.kind, &resource.body);
            let pod = pod.map(|PodParts { metadata, spec }| {
                let own = kinds::operator_labels(&resource.kind, name.unwrap_or(""));
                let labels = own.into_iter().fold(Labels::of(metadata), |labels, (key, value)| labels.with(key, value));
                Pod { spec, labels }
            });
            let place = namespace.clone().unwrap_or_default();
            if let Some(name) = name {
                index.by_name.entry((&*resource.kind, place.clone(), name)).or_default().push(at);
                if &*resource.kind == "Namespace" {
                    index.namespaces.insert(name, at);
                }
            }
            if let Some(pod) = &pod
                && namespace.is_some()
            {
                index.workloads.entry(place.clone()).or_default().push(at);
                for (key, value) in pod.labels.iter() {
                    index.by_label.entry((place.clone(), key.into(), value.into())).or_default().push(at);
                }
            }
            index.objects.push(Object { id, resource, group: group(api_version), namespace, pod });
        }
        index
    }

    /// The objects of that name; where several files declare one, those nearest to who asks.
    fn find(&self, kind: &str, namespace: &str, name: &str, from: &Object<'_>) -> Vec<usize> {
        let found: &[usize] = self.by_name.get(&(kind, namespace.to_owned(), name)).map_or(&[], Vec::as_slice);
        self.nearest(found, from)
    }

    /// Of objects that are declared several times (one overlay each, say), the declarations nearest to `from`.
    fn nearest(&self, found: &[usize], from: &Object<'_>) -> Vec<usize> {
        if found.len() < 2 {
            return found.to_vec();
        }
        let shared = |at: &usize| {
            self.objects.get(*at).map_or(0, |other| shared_folders(&other.resource.unit, &from.resource.unit))
        };
        let best = found.iter().map(shared).max().unwrap_or(0);
        found.iter().filter(|at| shared(at) == best).copied().collect()
    }

    /// The workloads of a namespace that a selector selects.
    fn select(&self, namespace: &str, selector: &Selector<'_>, from: &Object<'_>) -> Vec<usize> {
        let among = match selector.demanded() {
            Some((key, value)) => self.by_label.get(&(namespace.to_owned(), key.to_owned(), value.to_owned())),
            None => self.workloads.get(namespace),
        };
        let mut by_address: Vec<(&str, Vec<usize>)> = Vec::new();
        let mut places: FastMap<&str, usize> = FastMap::default();
        for &at in among.map_or(&[][..], Vec::as_slice) {
            let Some(object) = self.objects.get(at) else { continue };
            if !object.pod.as_ref().is_some_and(|pod| selector.selects(&pod.labels)) {
                continue;
            }
            let address: &str = &object.resource.address;
            let place = *places.entry(address).or_insert_with(|| {
                by_address.push((address, Vec::new()));
                by_address.len() - 1
            });
            if let Some((_, list)) = by_address.get_mut(place) {
                list.push(at);
            }
        }
        by_address.iter().flat_map(|(_, list)| self.nearest(list, from)).collect()
    }
}

/// How many leading folders two paths have in common; the whole path counts one more.
fn shared_folders(a: &str, b: &str) -> usize {
    let shared = a.split('/').zip(b.split('/')).take_while(|(x, y)| x == y).count();
    if a == b { shared + 1 } else { shared }
}

struct Pen<'i, 'g> {
    index: &'i Index<'g>,
    edges: &'i mut Vec<Edge>,
    vias: FastMap<&'static str, Arc<str>>,
}

impl<'g> Pen<'_, 'g> {
    fn draw(&mut self, from: &Object<'_>, to: &[usize], via: &'static str, span: Span) {
        let via = self.vias.entry(via).or_insert_with(|| via.into()).clone();
        for object in to.iter().filter_map(|&at| self.index.objects.get(at)) {
            if object.id != from.id {
                self.edges.push(Edge { from: from.id, to: object.id, via: via.clone(), span });
            }
        }
    }

    /// An edge to the object of a name that a value holds.
    fn name(&mut self, from: &Object<'_>, via: &'static str, kind: &str, namespace: &str, name: Option<&Value>) {
        let Some(value) = name else { return };
        let Some(name) = value.as_str() else { return };
        let namespace = if kinds::is_namespaced(kind) { namespace } else { "" };
        let found = self.index.find(kind, namespace, name, from);
        self.draw(from, &found, via, value.span());
    }

    fn object(&mut self, object: &Object<'g>) {
        let body = &object.resource.body;
        if let Some(namespace) = &object.namespace {
            let span = body.at(&["metadata", "namespace"]).map_or(object.resource.head, Value::span);
            let found = self.index.find("Namespace", "", namespace, object);
            self.draw(object, &found, "in-namespace", span);
        } else if kinds::is_namespaced(&object.resource.kind) {
            // A namespace that is not known: nothing can be found by name or label.
            return;
        }
        let here = object.namespace.as_deref().unwrap_or("");
        if object.pod.is_some() {
            self.workload(object, here);
        }
        let spec = body.get("spec");
        match (&*object.resource.kind, object.group) {
            ("Service", "") => {
                if let Some(value) = spec.and_then(|s| s.get("selector")) {
                    let selector = Selector::of_labels(value);
                    self.select(object, "selects", here, value, &selector, false);
                }
            }
            ("NetworkPolicy", "networking.k8s.io" | "extensions") => self.network_policy(object, here),
            ("PodDisruptionBudget", "policy") => {
                if let Some(value) = spec.and_then(|s| s.get("selector")) {
                    let selector = Selector::of_label_selector(value);
                    // In policy/v1 an empty selector means every pod; before it meant none.
                    let all = body.get("apiVersion").and_then(Value::as_str) == Some("policy/v1");
                    self.select(object, "selects", here, value, &selector, all);
                }
            }
            ("PodMonitor", _) => {
                if let Some(value) = spec.and_then(|s| s.get("selector")) {
                    let selector = Selector::of_label_selector(value);
                    self.select(object, "selects", here, value, &selector, true);
                }
            }
            ("HorizontalPodAutoscaler" | "ScaledObject" | "VerticalPodAutoscaler", _) => {
                let target = spec.and_then(|s| s.get("scaleTargetRef").or_else(|| s.get("targetRef")));
                if let Some(target) = target {
                    let kind = target.get("kind").and_then(Value::as_str).unwrap_or("Deployment");
                    self.name(object, "scales", kind, here, target.get("name"));
                }
            }
            ("RoleBinding" | "ClusterRoleBinding", _) => self.binding(object, here),
            ("ServiceAccount", "") => {
                for list in ["secrets", "imagePullSecrets"] {
                    for item in items(body.get(list)) {
                        self.name(object, "mounts", "Secret", here, item.get("name"));
                    }
                }
            }
            ("StatefulSet", "apps") => {
                self.name(object, "served-by", "Service", here, spec.and_then(|s| s.get("serviceName")));
            }
            ("Ingress", "networking.k8s.io" | "extensions") => self.ingress(object, here),
            ("HTTPRoute" | "GRPCRoute" | "TCPRoute" | "TLSRoute" | "UDPRoute", _) => self.gateway_route(object, here),
            ("VirtualService", "networking.istio.io") => self.virtual_service(object, here),
            ("Route", "route.openshift.io") => {
                self.name(object, "routes-to", "Service", here, body.at(&["spec", "to", "name"]));
            }
            ("APIService", _) => self.service_reference(object, body.at(&["spec", "service"])),
            ("ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration", _) => {
                for hook in items(body.get("webhooks")) {
                    self.service_reference(object, hook.at(&["clientConfig", "service"]));
                }
            }
            _ => {}
        }
    }

    fn select(&mut self, from: &Object<'_>, via: &'static str, here: &str, at: &Value, by: &Selector<'_>, all: bool) {
        if by.is_empty() && !all {
            return;
        }
        let found = self.index.select(here, by, from);
        self.draw(from, &found, via, at.span());
    }

    fn workload(&mut self, object: &Object<'g>, here: &str) {
        let Some(pod) = &object.pod else { return };
        let spec = pod.spec;
        for volume in items(spec.get("volumes")) {
            self.name(object, "mounts", "ConfigMap", here, volume.at(&["configMap", "name"]));
            self.name(object, "mounts", "Secret", here, volume.at(&["secret", "secretName"]));
            self.name(
                object,
                "mounts",
                "PersistentVolumeClaim",
                here,
                volume.at(&["persistentVolumeClaim", "claimName"]),
            );
            self.name(object, "mounts", "Secret", here, volume.at(&["csi", "nodePublishSecretRef", "name"]));
            for source in items(volume.at(&["projected", "sources"])) {
                self.name(object, "mounts", "ConfigMap", here, source.at(&["configMap", "name"]));
                self.name(object, "mounts", "Secret", here, source.at(&["secret", "name"]));
            }
        }
        for list in ["containers", "initContainers", "ephemeralContainers"] {
            for container in items(spec.get(list)) {
                for variable in items(container.get("env")) {
                    let from = variable.get("valueFrom");
                    let of = |kind: &str| from.and_then(|f| f.at(&[kind, "name"]));
                    self.name(object, "mounts", "ConfigMap", here, of("configMapKeyRef"));
                    self.name(object, "mounts", "Secret", here, of("secretKeyRef"));
                }
                for source in items(container.get("envFrom")) {
                    self.name(object, "mounts", "ConfigMap", here, source.at(&["configMapRef", "name"]));
                    self.name(object, "mounts", "Secret", here, source.at(&["secretRef", "name"]));
                }
            }
        }
        for secret in items(spec.get("imagePullSecrets")) {
            self.name(object, "mounts", "Secret", here, secret.get("name"));
        }
        let account = spec.get("serviceAccountName").or_else(|| spec.get("serviceAccount"));
        match account.filter(|a| !a.is_null()) {
            Some(account) => self.name(object, "runs-as", "ServiceAccount", here, Some(account)),
            None => {
                let found = self.index.find("ServiceAccount", here, "default", object);
                self.draw(object, &found, "runs-as", object.resource.head);
            }
        }
    }

    fn network_policy(&mut self, object: &Object<'g>, here: &str) {
        let Some(spec) = object.resource.body.get("spec") else { return };
        match spec.get("podSelector") {
            Some(value) => {
                let selector = Selector::of_label_selector(value);
                self.select(object, "selects", here, value, &selector, true);
            }
            // Older servers and most clients read an absent selector as the empty one.
            None => {
                let found = self.index.select(here, &Selector::default(), object);
                self.draw(object, &found, "selects", object.resource.head);
            }
        }
        for (direction, peers, via) in [("ingress", "from", "allows-from"), ("egress", "to", "allows-to")] {
            for peer in items(spec.get(direction)).iter().flat_map(|rule| items(rule.get(peers))) {
                self.peer(object, here, peer, via);
            }
        }
    }

    /// The workloads that one peer of a network policy names.
    fn peer(&mut self, object: &Object<'g>, here: &str, peer: &Value, via: &'static str) {
        let pods = peer.get("podSelector").filter(|v| !v.is_null());
        let namespaces = peer.get("namespaceSelector").filter(|v| !v.is_null());
        let everywhere = match namespaces {
            None if pods.is_none() => return,
            None => vec![here.to_owned()],
            Some(value) => {
                let selector = Selector::of_label_selector(value);
                self.namespaces(&selector)
            }
        };
        let selector = pods.map(Selector::of_label_selector).unwrap_or_default();
        for namespace in everywhere {
            let found = self.index.select(&namespace, &selector, object);
            self.draw(object, &found, via, peer.span());
        }
    }

    /// The namespaces that a selector selects: those declared, by their labels; those only used, by their name's label.
    fn namespaces(&self, selector: &Selector<'_>) -> Vec<String> {
        let name_label = "kubernetes.io/metadata.name";
        let mut found: Vec<String> = Vec::new();
        for name in self.index.workloads.keys() {
            let declared = self.index.namespaces.get(name.as_str()).and_then(|&at| self.index.objects.get(at));
            let labels = match declared {
                Some(object) => Labels::of(object.resource.body.get("metadata")),
                None => Labels::default(),
            };
            let named = labels.with(name_label, name);
            if selector.selects(&named) {
                found.push(name.clone());
            }
        }
        found.sort();
        found
    }

    fn binding(&mut self, object: &Object<'g>, here: &str) {
        let body = &object.resource.body;
        for subject in items(body.get("subjects")) {
            if subject.get("kind").and_then(Value::as_str) == Some("ServiceAccount") {
                let namespace = subject.get("namespace").and_then(Value::as_str).unwrap_or(here);
                self.name(object, "binds", "ServiceAccount", namespace, subject.get("name"));
            }
        }
        if let Some(role) = body.get("roleRef") {
            let kind = role.get("kind").and_then(Value::as_str).unwrap_or("ClusterRole");
            self.name(object, "grants", kind, here, role.get("name"));
        }
    }

    fn ingress(&mut self, object: &Object<'g>, here: &str) {
        let Some(spec) = object.resource.body.get("spec") else { return };
        let rules = items(spec.get("rules"));
        let paths = rules.iter().flat_map(|rule| items(rule.at(&["http", "paths"])));
        let backends = paths.filter_map(|path| path.get("backend"));
        for backend in backends.chain(spec.get("defaultBackend")).chain(spec.get("backend")) {
            let name = backend.at(&["service", "name"]).or_else(|| backend.get("serviceName"));
            self.name(object, "routes-to", "Service", here, name);
        }
        for tls in items(spec.get("tls")) {
            self.name(object, "mounts", "Secret", here, tls.get("secretName"));
        }
    }

    fn gateway_route(&mut self, object: &Object<'g>, here: &str) {
        let Some(spec) = object.resource.body.get("spec") else { return };
        for backend in items(spec.get("rules")).iter().flat_map(|rule| items(rule.get("backendRefs"))) {
            let kind = backend.get("kind").and_then(Value::as_str).unwrap_or("Service");
            let namespace = backend.get("namespace").and_then(Value::as_str).unwrap_or(here);
            self.name(object, "routes-to", kind, namespace, backend.get("name"));
        }
        for parent in items(spec.get("parentRefs")) {
            let kind = parent.get("kind").and_then(Value::as_str).unwrap_or("Gateway");
            let namespace = parent.get("namespace").and_then(Value::as_str).unwrap_or(here);
            self.name(object, "attached-to", kind, namespace, parent.get("name"));
        }
    }

    fn virtual_service(&mut self, object: &Object<'g>, here: &str) {
        let Some(spec) = object.resource.body.get("spec") else { return };
        for protocol in ["http", "tcp", "tls"] {
            for route in items(spec.get(protocol)).iter().flat_map(|rule| items(rule.get("route"))) {
                let Some(host) = route.at(&["destination", "host"]) else { continue };
                // `name`, `name.namespace`, `name.namespace.svc.cluster.local`.
                let mut parts = host.as_str().unwrap_or("").split('.');
                let (name, namespace) = (parts.next().unwrap_or(""), parts.next().unwrap_or(here));
                let found = self.index.find("Service", namespace, name, object);
                self.draw(object, &found, "routes-to", host.span());
            }
        }
    }

    /// `{namespace, name}` of the service behind a webhook or an aggregated API.
    fn service_reference(&mut self, object: &Object<'g>, reference: Option<&Value>) {
        if let Some(reference) = reference
            && let Some(namespace) = reference.get("namespace").and_then(Value::as_str)
        {
            self.name(object, "routes-to", "Service", namespace, reference.get("name"));
        }
    }
}

/// The elements of a list that may be absent.
fn items(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_list).unwrap_or(&[])
}
