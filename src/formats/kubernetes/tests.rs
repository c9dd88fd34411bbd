#![allow(clippy::unwrap_used)]

use super::*;
use crate::base::{FastMap, FileId};
use crate::formats::Format;
use crate::graph::{Resource, Value};

/// Files of a workspace as this format makes a graph of them.
pub(crate) struct World {
    pub files: Vec<Arc<SourceFile>>,
    pub lowered: Vec<Lowered>,
    pub graph: ResourceGraph,
}

impl World {
    pub fn new(files: &[(&str, &str)]) -> World {
        let format = Kubernetes;
        let inputs: Vec<Input> = files
            .iter()
            .enumerate()
            .map(|(i, (path, text))| {
                let id = FileId(u32::try_from(i).unwrap());
                let file = Arc::new(SourceFile::new(id, (*path).into(), (*text).into()));
                let parsed = Arc::new(format.parse(&file));
                Input { file, parsed }
            })
            .collect();
        let options = Options::default();
        let by_id: FastMap<FileId, Input> = inputs.iter().map(|i| (i.file.id, i.clone())).collect();
        let cx = LowerContext { inputs: &by_id, options: &options, read: &|_| None, list: &|_| Vec::new() };
        let units = format.units(&inputs, &options);
        let lowered: Vec<Lowered> = units.iter().map(|unit| format.lower(unit, &cx)).collect();
        let mut graph = ResourceGraph::default();
        for resource in lowered.iter().flat_map(|l| &l.resources) {
            graph.add(resource.clone());
        }
        let mut edges = Vec::new();
        format.link(&graph, &mut edges);
        for edge in edges {
            graph.connect(edge);
        }
        World { files: inputs.into_iter().map(|i| i.file).collect(), lowered, graph }
    }

    fn at(&self, address: &str) -> &Arc<Resource> {
        self.graph.get(self.graph.at_address(address)[0])
    }

    fn slice(&self, span: crate::base::Span) -> &str {
        self.files[span.file.0 as usize].slice(span)
    }

    fn addresses(&self) -> Vec<&str> {
        self.graph.resources.iter().filter(|r| &*r.kind != "schema-problem").map(|r| &*r.address).collect()
    }

    /// `from via to` of every edge but those to namespaces, sorted.
    fn edges(&self) -> Vec<String> {
        let address = |id| &self.graph.get(id).address;
        let edges = self.graph.edges.iter().filter(|e| &*e.via != "in-namespace");
        let mut edges: Vec<String> =
            edges.map(|e| format!("{} {} {}", address(e.from), e.via, address(e.to))).collect();
        edges.sort();
        edges
    }
}

fn check_edges(text: &str, expected: &[&str]) {
    assert_eq!(World::new(&[("a.yaml", text)]).edges(), expected);
}

#[test]
fn objects_have_addresses_heads_and_spans() {
    let world = World::new(&[(
        "a.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n---\n# nothing\n---\napiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Namespace\n  metadata: {name: b}\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: b}}\n---\napiVersion: v1\nkind: PodList\nitems: [{metadata: {generateName: d-}}]\n---\napiVersion: example.com/v1\nkind: ClusterThing\nmetadata: {name: 8}\n---\nkind: Deployment\napiVersion: apps/v1\n",
    )]);
    assert_eq!(
        world.addresses(),
        [
            "Pod/default/a",
            "Namespace/b",
            "ConfigMap/b/c",
            "Pod/default/d-",
            "ClusterThing/8",
            "Deployment/default/(unnamed)"
        ]
    );
    let heads: Vec<&str> = world.graph.resources.iter().map(|r| world.slice(r.head)).collect();
    assert_eq!(heads, ["a", "b", "c", "d-", "8", "Deployment"]);
    assert_eq!(world.slice(world.at("Pod/default/a").span), "apiVersion: v1\nkind: Pod\nmetadata: {name: a}");
    assert_eq!(world.at("Pod/default/d-").body.get("apiVersion").and_then(Value::as_str), Some("v1"));
}

#[test]
fn maps_know_what_names_them() {
    let world = World::new(&[(
        "a.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nspec:\n  containers:\n  - image: x\n    name: c\n    resources:\n      limits: {cpu: 1}\n  volumes:\n  - emptyDir: {}\n",
    )]);
    let body = &world.at("Pod/default/a").body;
    let head = |value: &Value| world.slice(value.as_map().unwrap().head.unwrap()).to_owned();
    assert_eq!(head(body), "Pod");
    assert_eq!(head(body.get("spec").unwrap()), "spec");
    let container = &body.at(&["spec", "containers"]).unwrap().as_list().unwrap()[0];
    assert_eq!(head(container), "c");
    assert_eq!(head(container.at(&["resources", "limits"]).unwrap()), "limits");
    assert_eq!(head(&body.at(&["spec", "volumes"]).unwrap().as_list().unwrap()[0]), "emptyDir");
    assert_eq!(world.slice(container.at(&["resources", "limits", "cpu"]).unwrap().span()), "1");
}

#[test]
fn what_is_broken_or_no_object_is_said() {
    let world = World::new(&[(
        "a.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nspec:\n  hostNetwork\n  hostPID: true\n---\nx: 1\n---\nkind: A\nkind: B\napiVersion: v1\n",
    )]);
    assert_eq!(world.addresses(), ["Pod/default/a", "B/default/(unnamed)", "a.yaml:kind"]);
    let spec = world.at("Pod/default/a").body.get("spec").unwrap();
    assert_eq!(spec.get("hostPID").and_then(Value::as_bool), Some(true));
    assert!(spec.get("hostNetwork").unwrap().as_unknown().is_some(), "not read is not absent");
    assert_eq!(world.lowered[0].ledger.len(), 1);
    assert_eq!(world.slice(world.lowered[0].ledger[0].span), "x: 1");
    assert_eq!(&*world.at("a.yaml:kind").kind, "duplicate-key");
}

const WORKLOADS: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: one}
spec:
  template:
    metadata: {labels: {app: web, tier: front}}
    spec:
      containers: [{name: c, image: i}]
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: job, namespace: one}
spec: {jobTemplate: {spec: {template: {metadata: {labels: {app: job}}, spec: {containers: []}}}}}
---
apiVersion: v1
kind: Pod
metadata: {name: other, namespace: two, labels: {app: web, tier: front}}
spec: {containers: []}
---
";

#[test]
fn selectors_respect_namespaces_and_expressions() {
    let check = |object: &str, expected: &[&str]| check_edges(&format!("{WORKLOADS}{object}"), expected);
    let service = |selector: &str| {
        format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: s, namespace: one}}\nspec: {{selector: {selector}}}\n"
        )
    };
    check(&service("{app: web}"), &["Service/one/s selects Deployment/one/web"]);
    check(&service("{app: web, tier: back}"), &[]);
    check(&service("{}"), &[]);
    let policy = |spec: &str| {
        format!(
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: p, namespace: one}}\nspec: {spec}\n"
        )
    };
    let (web, job) = ("NetworkPolicy/one/p selects Deployment/one/web", "NetworkPolicy/one/p selects CronJob/one/job");
    check(&policy("{podSelector: {}}"), &[job, web]);
    check(&policy("{}"), &[job, web]);
    check(&policy("{podSelector: {matchExpressions: [{key: app, operator: In, values: [web, x]}]}}"), &[web]);
    check(&policy("{podSelector: {matchExpressions: [{key: app, operator: NotIn, values: [web]}]}}"), &[job]);
    check(&policy("{podSelector: {matchExpressions: [{key: tier, operator: Exists}]}}"), &[web]);
    check(&policy("{podSelector: {matchExpressions: [{key: tier, operator: DoesNotExist}]}}"), &[job]);
    check(
        &policy(
            "{podSelector: {matchLabels: {app: job}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}]}]}",
        ),
        &["NetworkPolicy/one/p allows-from Deployment/one/web", job],
    );
    check(
        &policy(
            "{podSelector: {matchLabels: {app: job}}, egress: [{to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: two}}}]}]}",
        ),
        &["NetworkPolicy/one/p allows-to Pod/two/other", job],
    );
    let budget = |version: &str| {
        format!(
            "apiVersion: policy/{version}\nkind: PodDisruptionBudget\nmetadata: {{name: b, namespace: two}}\nspec: {{selector: {{}}}}\n"
        )
    };
    check(&budget("v1"), &["PodDisruptionBudget/two/b selects Pod/two/other"]);
    check(&budget("v1beta1"), &[]);
    check(
        "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: h, namespace: one}\nspec: {scaleTargetRef: {kind: Deployment, name: web}}\n",
        &["HorizontalPodAutoscaler/one/h scales Deployment/one/web"],
    );
}

#[test]
fn names_are_followed() {
    let text = "apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  serviceAccountName: sa
  imagePullSecrets: [{name: s1}]
  volumes:
  - {name: a, configMap: {name: c1}}
  - {name: b, secret: {secretName: s2}}
  - {name: c, persistentVolumeClaim: {claimName: pvc}}
  - {name: d, projected: {sources: [{secret: {name: s3}}]}}
  containers:
  - name: c
    env: [{name: X, valueFrom: {configMapKeyRef: {name: c2, key: k}}}]
    envFrom: [{secretRef: {name: s4}}]
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: c1}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: c2}}
---
{apiVersion: v1, kind: Secret, metadata: {name: s1}}
---
{apiVersion: v1, kind: Secret, metadata: {name: s2}}
---
{apiVersion: v1, kind: Secret, metadata: {name: s3}}
---
{apiVersion: v1, kind: Secret, metadata: {name: s4}}
---
{apiVersion: v1, kind: Secret, metadata: {name: s4, namespace: elsewhere}}
---
{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: pvc}}
---
{apiVersion: v1, kind: ServiceAccount, metadata: {name: sa}}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: rb, namespace: other}
subjects: [{kind: ServiceAccount, name: sa, namespace: default}]
roleRef: {kind: ClusterRole, name: r}
---
{apiVersion: v1, kind: Service, metadata: {name: svc}, spec: {}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: i}
spec:
  tls: [{secretName: s1}]
  rules: [{http: {paths: [{backend: {service: {name: svc}}}]}}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: h, namespace: other}
spec: {rules: [{backendRefs: [{name: svc, namespace: default}]}]}
";
    check_edges(
        text,
        &[
            "HTTPRoute/other/h routes-to Service/default/svc",
            "Ingress/default/i mounts Secret/default/s1",
            "Ingress/default/i routes-to Service/default/svc",
            "Pod/default/p mounts ConfigMap/default/c1",
            "Pod/default/p mounts ConfigMap/default/c2",
            "Pod/default/p mounts PersistentVolumeClaim/default/pvc",
            "Pod/default/p mounts Secret/default/s1",
            "Pod/default/p mounts Secret/default/s2",
            "Pod/default/p mounts Secret/default/s3",
            "Pod/default/p mounts Secret/default/s4",
            "Pod/default/p runs-as ServiceAccount/default/sa",
            "RoleBinding/other/rb binds ServiceAccount/default/sa",
            "RoleBinding/other/rb grants ClusterRole/r",
        ],
    );
}

#[test]
fn of_several_declarations_the_nearest_counts() {
    let config = "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}";
    let pod =
        "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [], volumes: [{configMap: {name: c}}]}}";
    let files = [("prod/a.yaml", config), ("dev/a.yaml", config), ("dev/p.yaml", pod)];
    let world = World::new(&files);
    let edges: Vec<&str> = world.graph.edges.iter().map(|e| &*world.graph.get(e.to).unit).collect();
    assert_eq!(edges, ["dev/a.yaml"]);
}
