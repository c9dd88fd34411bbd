//! Which fields of which kinds hold names, labels, images and the like: Kustomize's built-in field specifications, in
//! compact form, and those that a kustomization adds through `configurations` and `crds`.

use super::edit::{segments, text_at};
use super::resource::Id;
use crate::graph::Value;

/// A field of some kinds.
#[derive(Clone, Debug)]
pub struct FieldSpec {
    /// Empty for any.
    pub group: String,
    /// Empty for any.
    pub version: String,
    /// Empty for any.
    pub kind: String,
    /// The names on the way.
    pub path: Vec<String>,
    /// Whether missing fields are made.
    pub create: bool,
}

impl FieldSpec {
    fn new(kind: &str, path: &str, create: bool) -> FieldSpec {
        // A kind may carry its group: `Deployment.apps`.
        let (kind, group) = kind.split_once('.').unwrap_or((kind, ""));
        FieldSpec {
            group: group.to_owned(),
            version: String::new(),
            kind: kind.to_owned(),
            path: segments(path),
            create,
        }
    }

    /// A field specification as a kustomization writes it.
    pub fn parse(value: &Value) -> FieldSpec {
        let text = |key: &str| text_at(value, &[key]).map(|t| t.to_string()).unwrap_or_default();
        FieldSpec {
            group: text("group"),
            version: text("version"),
            kind: text("kind"),
            path: segments(&text("path")),
            create: value.get("create").and_then(Value::as_bool).unwrap_or(false),
        }
    }

    /// Whether it is about objects with this id.
    pub fn fits(&self, id: &Id) -> bool {
        (self.group.is_empty() || self.group == id.group)
            && (self.version.is_empty() || self.version == id.version)
            && (self.kind.is_empty() || self.kind == id.kind)
    }
}

/// References to objects of a kind.
#[derive(Clone, Debug)]
pub struct Reference {
    /// The kind that is referred to.
    pub kind: String,
    /// Its group; empty for any.
    pub group: String,
    /// Its version; empty for any.
    pub version: String,
    /// The fields that hold its name.
    pub fields: Vec<FieldSpec>,
}

/// All field specifications that hold in one build.
#[derive(Clone, Debug, Default)]
pub struct Config {
    pub references: Vec<Reference>,
    pub variables: Vec<FieldSpec>,
    pub labels: Vec<FieldSpec>,
    pub annotations: Vec<FieldSpec>,
    pub images: Vec<FieldSpec>,
    pub replicas: Vec<FieldSpec>,
    pub namespace: Vec<FieldSpec>,
    pub prefix: Vec<FieldSpec>,
}

/// Where the pod's specification stands in each kind.
const PODS: &[(&str, &str)] = &[
    ("Pod", "spec"),
    ("PodTemplate", "template/spec"),
    ("Deployment", "spec/template/spec"),
    ("ReplicaSet", "spec/template/spec"),
    ("DaemonSet", "spec/template/spec"),
    ("StatefulSet", "spec/template/spec"),
    ("Job", "spec/template/spec"),
    ("CronJob", "spec/jobTemplate/spec/template/spec"),
];

/// The same for references that skip `PodTemplate` and `ReplicaSet` and know `ReplicationController`.
const PODS_OF_ACCOUNTS: &[(&str, &str)] = &[
    ("Pod", "spec"),
    ("StatefulSet", "spec/template/spec"),
    ("Deployment", "spec/template/spec"),
    ("ReplicationController", "spec/template/spec"),
    ("CronJob", "spec/jobTemplate/spec/template/spec"),
    ("Job", "spec/template/spec"),
    ("DaemonSet", "spec/template/spec"),
];

fn in_pods(pods: &[(&str, &str)], paths: &[&str], more: &[(&str, &str)]) -> Vec<FieldSpec> {
    let mut out = Vec::new();
    for (kind, base) in pods {
        for path in paths {
            out.push(FieldSpec::new(kind, &format!("{base}/{path}"), false));
        }
    }
    out.extend(more.iter().map(|(kind, path)| FieldSpec::new(kind, path, false)));
    out
}

const RBAC: &str = "rbac.authorization.k8s.io";

/// Kustomize's own name references.
pub fn builtin_references() -> Vec<Reference> {
    let mut all = Vec::new();
    let mut add = |kind: &str, group: &str, version: &str, fields: Vec<FieldSpec>| {
        all.push(Reference { kind: kind.into(), group: group.into(), version: version.into(), fields });
    };
    for kind in ["Deployment", "ReplicationController", "ReplicaSet", "StatefulSet"] {
        add(kind, "", "", in_pods(&[], &[], &[("HorizontalPodAutoscaler", "spec/scaleTargetRef/name")]));
    }
    add(
        "ConfigMap",
        "",
        "v1",
        in_pods(
            PODS,
            &[
                "volumes/configMap/name",
                "containers/env/valueFrom/configMapKeyRef/name",
                "initContainers/env/valueFrom/configMapKeyRef/name",
                "containers/envFrom/configMapRef/name",
                "initContainers/envFrom/configMapRef/name",
                "volumes/projected/sources/configMap/name",
            ],
            &[
                ("Node", "spec/configSource/configMap"),
                ("Role", "rules/resourceNames"),
                ("ClusterRole", "rules/resourceNames"),
                ("Ingress", r"metadata/annotations/nginx.ingress.kubernetes.io\/fastcgi-params-configmap"),
            ],
        ),
    );
    add(
        "Secret",
        "",
        "v1",
        in_pods(
            PODS,
            &[
                "volumes/secret/secretName",
                "containers/env/valueFrom/secretKeyRef/name",
                "initContainers/env/valueFrom/secretKeyRef/name",
                "containers/envFrom/secretRef/name",
                "initContainers/envFrom/secretRef/name",
                "imagePullSecrets/name",
                "volumes/projected/sources/secret/name",
            ],
            &[
                ("Ingress", "spec/tls/secretName"),
                ("Ingress", r"metadata/annotations/ingress.kubernetes.io\/auth-secret"),
                ("Ingress", r"metadata/annotations/nginx.ingress.kubernetes.io\/auth-secret"),
                ("Ingress", r"metadata/annotations/nginx.ingress.kubernetes.io\/auth-tls-secret"),
                ("ServiceAccount", "imagePullSecrets/name"),
                ("StorageClass", "parameters/secretName"),
                ("StorageClass", "parameters/adminSecretName"),
                ("StorageClass", "parameters/userSecretName"),
                ("StorageClass", "parameters/secretRef"),
                ("Role", "rules/resourceNames"),
                ("ClusterRole", "rules/resourceNames"),
                ("Service.serving.knative.dev", "spec/template/spec/containers/env/valueFrom/secretKeyRef/name"),
                ("PersistentVolume", "spec/azureFile/secretName"),
            ],
        ),
    );
    add(
        "Service",
        "",
        "v1",
        in_pods(
            &[],
            &[],
            &[
                ("StatefulSet.apps", "spec/serviceName"),
                ("Ingress", "spec/rules/http/paths/backend/serviceName"),
                ("Ingress", "spec/backend/serviceName"),
                ("Ingress", "spec/rules/http/paths/backend/service/name"),
                ("Ingress", "spec/defaultBackend/service/name"),
                ("APIService.apiregistration.k8s.io", "spec/service/name"),
                ("ValidatingWebhookConfiguration.admissionregistration.k8s.io", "webhooks/clientConfig/service"),
                ("MutatingWebhookConfiguration.admissionregistration.k8s.io", "webhooks/clientConfig/service"),
                ("HTTPRoute", "spec/rules/backendRefs/name"),
            ],
        ),
    );
    add("Role", RBAC, "", in_pods(&[], &[], &[("RoleBinding.rbac.authorization.k8s.io", "roleRef/name")]));
    add(
        "ClusterRole",
        RBAC,
        "",
        in_pods(
            &[],
            &[],
            &[
                ("RoleBinding.rbac.authorization.k8s.io", "roleRef/name"),
                ("ClusterRoleBinding.rbac.authorization.k8s.io", "roleRef/name"),
            ],
        ),
    );
    add(
        "ServiceAccount",
        "",
        "v1",
        in_pods(
            PODS_OF_ACCOUNTS,
            &["serviceAccountName"],
            &[
                ("RoleBinding.rbac.authorization.k8s.io", "subjects"),
                ("ClusterRoleBinding.rbac.authorization.k8s.io", "subjects"),
            ],
        ),
    );
    add(
        "PersistentVolumeClaim",
        "",
        "v1",
        in_pods(PODS_OF_ACCOUNTS, &["volumes/persistentVolumeClaim/claimName"], &[]),
    );
    add(
        "PersistentVolume",
        "",
        "v1",
        in_pods(&[], &[], &[("PersistentVolumeClaim", "spec/volumeName"), ("ClusterRole", "rules/resourceNames")]),
    );
    add(
        "StorageClass",
        "storage.k8s.io",
        "v1",
        in_pods(
            &[],
            &[],
            &[
                ("PersistentVolume", "spec/storageClassName"),
                ("PersistentVolumeClaim", "spec/storageClassName"),
                ("StatefulSet", "spec/volumeClaimTemplates/spec/storageClassName"),
            ],
        ),
    );
    add("PriorityClass", "scheduling.k8s.io", "v1", in_pods(PODS_OF_ACCOUNTS, &["priorityClassName"], &[]));
    all
}

/// Where `$(VAR)` is replaced.
pub fn builtin_variables() -> Vec<FieldSpec> {
    let mut all = Vec::new();
    for (kind, base) in PODS.iter().chain(&[("ReplicationController", "spec/template/spec")]) {
        for containers in ["containers", "initContainers"] {
            for field in ["args", "command", "env/value", "volumeMounts/mountPath", "image"] {
                all.push(FieldSpec::new(kind, &format!("{base}/{containers}/{field}"), false));
            }
        }
        all.push(FieldSpec::new(kind, &format!("{base}/volumes/nfs/server"), false));
    }
    for (kind, path) in [
        ("Job", "spec/template/spec/volumes/nfs/path"),
        ("Ingress", "spec/rules/host"),
        ("Ingress", "spec/tls/hosts"),
        ("Ingress", "spec/tls/secretName"),
        ("PersistentVolume", "spec/nfs/server"),
        ("", "metadata/labels"),
        ("", "metadata/annotations"),
    ] {
        all.push(FieldSpec::new(kind, path, false));
    }
    all
}

/// Labels in metadata and in the metadata of pods.
fn template_labels() -> Vec<FieldSpec> {
    [
        ("ReplicationController", "spec/template/metadata/labels"),
        ("Deployment", "spec/template/metadata/labels"),
        ("ReplicaSet", "spec/template/metadata/labels"),
        ("DaemonSet", "spec/template/metadata/labels"),
        ("StatefulSet.apps", "spec/template/metadata/labels"),
        ("Job.batch", "spec/template/metadata/labels"),
        ("CronJob.batch", "spec/jobTemplate/metadata/labels"),
        ("CronJob.batch", "spec/jobTemplate/spec/template/metadata/labels"),
    ]
    .iter()
    .map(|(kind, path)| FieldSpec::new(kind, path, true))
    .collect()
}

/// The fields that labels are added to.
pub fn label_fields(selectors: bool, templates: bool) -> Vec<FieldSpec> {
    let mut all = vec![FieldSpec::new("", "metadata/labels", true)];
    if selectors || templates {
        all.extend(template_labels());
    }
    if !selectors {
        if templates {
            all.push(FieldSpec::new("StatefulSet.apps", "spec/volumeClaimTemplates[]/metadata/labels", true));
        }
        return all;
    }
    for (kind, path, create) in [
        ("ReplicationController", "spec/selector", true),
        ("Deployment", "spec/selector/matchLabels", true),
        ("ReplicaSet", "spec/selector/matchLabels", true),
        ("DaemonSet", "spec/selector/matchLabels", true),
        ("StatefulSet.apps", "spec/selector/matchLabels", true),
        ("StatefulSet.apps", "spec/volumeClaimTemplates[]/metadata/labels", true),
        ("Job.batch", "spec/selector/matchLabels", false),
        ("CronJob.batch", "spec/jobTemplate/spec/selector/matchLabels", false),
        ("PodDisruptionBudget.policy", "spec/selector/matchLabels", false),
        ("NetworkPolicy.networking.k8s.io", "spec/podSelector/matchLabels", false),
        ("NetworkPolicy.networking.k8s.io", "spec/ingress/from/podSelector/matchLabels", false),
        ("NetworkPolicy.networking.k8s.io", "spec/egress/to/podSelector/matchLabels", false),
    ] {
        all.push(FieldSpec::new(kind, path, create));
    }
    all.push(FieldSpec { version: "v1".into(), ..FieldSpec::new("Service", "spec/selector", true) });
    for kind in ["Deployment.apps", "StatefulSet.apps"] {
        for affinity in ["podAffinity", "podAntiAffinity"] {
            for term in [
                "preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm",
                "requiredDuringSchedulingIgnoredDuringExecution",
            ] {
                let path = format!("spec/template/spec/affinity/{affinity}/{term}/labelSelector/matchLabels");
                all.push(FieldSpec::new(kind, &path, false));
            }
        }
        let path = "spec/template/spec/topologySpreadConstraints/labelSelector/matchLabels";
        all.push(FieldSpec::new(kind, path, false));
    }
    all
}

/// The fields that annotations are added to.
pub fn annotation_fields() -> Vec<FieldSpec> {
    [
        ("", "metadata/annotations"),
        ("ReplicationController", "spec/template/metadata/annotations"),
        ("Deployment", "spec/template/metadata/annotations"),
        ("ReplicaSet", "spec/template/metadata/annotations"),
        ("DaemonSet", "spec/template/metadata/annotations"),
        ("StatefulSet.apps", "spec/template/metadata/annotations"),
        ("Job.batch", "spec/template/metadata/annotations"),
        ("CronJob.batch", "spec/jobTemplate/metadata/annotations"),
        ("CronJob.batch", "spec/jobTemplate/spec/template/metadata/annotations"),
    ]
    .iter()
    .map(|(kind, path)| FieldSpec::new(kind, path, true))
    .collect()
}

/// The fields that `replicas` sets.
pub fn replica_fields() -> Vec<FieldSpec> {
    ["Deployment", "ReplicationController", "ReplicaSet", "StatefulSet"]
        .iter()
        .map(|kind| FieldSpec::new(kind, "spec/replicas", true))
        .collect()
}

/// The fields that `namePrefix` and `nameSuffix` change.
pub fn affix_fields() -> Vec<FieldSpec> {
    vec![FieldSpec::new("", "metadata/name", false)]
}

/// The fields that hold a namespace, besides `metadata.namespace`.
pub fn namespace_fields() -> Vec<FieldSpec> {
    [
        ("APIService.apiregistration.k8s.io", "spec/service/namespace", true),
        (
            "CustomResourceDefinition.apiextensions.k8s.io",
            "spec/conversion/webhook/clientConfig/service/namespace",
            false,
        ),
        ("Namespace", "metadata/name", true),
    ]
    .iter()
    .map(|(kind, path, create)| FieldSpec::new(kind, path, *create))
    .collect()
}

impl Config {
    /// Takes the fields of a transformer configuration in.
    pub fn absorb(&mut self, config: &Value) {
        let specs = |key: &str| -> Vec<FieldSpec> {
            config.get(key).and_then(Value::as_list).unwrap_or(&[]).iter().map(FieldSpec::parse).collect()
        };
        self.variables.extend(specs("varReference"));
        self.labels.extend(specs("commonLabels"));
        self.annotations.extend(specs("commonAnnotations"));
        self.images.extend(specs("images"));
        self.replicas.extend(specs("replicas"));
        self.namespace.extend(specs("namespace"));
        self.prefix.extend(specs("namePrefix"));
        for reference in config.get("nameReference").and_then(Value::as_list).unwrap_or(&[]) {
            let text = |key: &str| text_at(reference, &[key]).map(|t| t.to_string()).unwrap_or_default();
            let fields = reference.get("fieldSpecs").and_then(Value::as_list).unwrap_or(&[]);
            self.references.push(Reference {
                kind: text("kind"),
                group: text("group"),
                version: text("version"),
                fields: fields.iter().map(FieldSpec::parse).collect(),
            });
        }
    }

    /// Takes the name references of an OpenAPI description of custom resources in.
    pub fn absorb_crds(&mut self, crds: &Value) {
        let Some(map) = crds.as_map() else { return };
        for entry in &map.entries {
            let properties =
                |v: &Value| v.at(&["Schema", "properties"]).or_else(|| v.at(&["schema", "properties"])).cloned();
            let Some(root) = properties(&entry.value) else { continue };
            // A type with these three is a kind; its name is the last part of the key.
            if !["apiVersion", "kind", "metadata"].iter().all(|k| root.get(k).is_some()) {
                continue;
            }
            let kind = entry.key.rsplit('.').next().unwrap_or("").to_owned();
            self.walk_crd(&kind, map, &root, &mut Vec::new());
        }
    }

    fn walk_crd(&mut self, kind: &str, all: &crate::graph::Map, properties: &Value, path: &mut Vec<String>) {
        if path.len() > 12 {
            return;
        }
        let Some(map) = properties.as_map() else { return };
        for entry in &map.entries {
            path.push(entry.key.to_string());
            let text = |key: &str| text_at(&entry.value, &[key]).map(|t| t.to_string());
            let field = |path: &[String], create| FieldSpec {
                group: String::new(),
                version: String::new(),
                kind: kind.to_owned(),
                path: path.to_vec(),
                create,
            };
            if let Some(target) = text("x-kubernetes-object-ref-kind") {
                let api = text("x-kubernetes-object-ref-api-version").unwrap_or_default();
                let (group, version) = api.rsplit_once('/').unwrap_or(("", &api));
                let mut place = path.clone();
                place.push(text("x-kubernetes-object-ref-name-key").unwrap_or_else(|| "name".into()));
                self.references.push(Reference {
                    kind: target,
                    group: group.to_owned(),
                    version: version.to_owned(),
                    fields: vec![field(&place, false)],
                });
            }
            if entry.value.get("x-kubernetes-label-selector").is_some() {
                self.labels.push(field(path, true));
            }
            if entry.value.get("x-kubernetes-annotation").is_some() {
                self.annotations.push(field(path, true));
            }
            if entry.value.get("x-kubernetes-identity").is_some() {
                self.prefix.push(field(path, false));
            }
            let referred = text("$ref").and_then(|name| {
                let target = all.get(&name)?;
                target.at(&["Schema", "properties"]).or_else(|| target.at(&["schema", "properties"])).cloned()
            });
            if let Some(inner) = referred.or_else(|| entry.value.get("properties").cloned()) {
                self.walk_crd(kind, all, &inner, path);
            }
            path.pop();
        }
    }
}
