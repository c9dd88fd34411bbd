//! What Kubernetes knows of its own kinds: which belong to a namespace, and where a pod stands in a workload.

use crate::graph::Value;

/// The built-in kinds that belong to the cluster as a whole, and widespread custom ones.
const CLUSTER_SCOPED: &[&str] = &[
    "APIService",
    "CertificateSigningRequest",
    "ClusterRole",
    "ClusterRoleBinding",
    "ClusterTrustBundle",
    "ComponentStatus",
    "CSIDriver",
    "CSINode",
    "CustomResourceDefinition",
    "DeviceClass",
    "FlowSchema",
    "GatewayClass",
    "IPAddress",
    "IngressClass",
    "MutatingAdmissionPolicy",
    "MutatingAdmissionPolicyBinding",
    "MutatingWebhookConfiguration",
    "Namespace",
    "Node",
    "PersistentVolume",
    "PodSecurityPolicy",
    "PriorityClass",
    "PriorityLevelConfiguration",
    "Project",
    "ResourceSlice",
    "RuntimeClass",
    "SecurityContextConstraints",
    "ServiceCIDR",
    "StorageClass",
    "StorageVersion",
    "StorageVersionMigration",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
    "VolumeAttachment",
    "VolumeAttributesClass",
    "VolumeSnapshotClass",
    "VolumeSnapshotContent",
];

/// Whether objects of this kind belong to a namespace. Of a custom kind that says nothing itself, the name decides: `ClusterX` and `XClass` are
/// cluster-wide by custom.
pub fn is_namespaced(kind: &str) -> bool {
    let by_custom =
        kind.starts_with("Cluster") && kind.len() > "Cluster".len() && !matches!(kind, "ClusterServiceVersion");
    !(CLUSTER_SCOPED.contains(&kind) || by_custom || kind.ends_with("Class"))
}

/// Where the pod of a workload stands.
#[derive(Clone, Copy, Debug)]
pub struct PodParts<'v> {
    /// `metadata` of the pod or of the template.
    pub metadata: Option<&'v Value>,
    /// The pod's `spec`.
    pub spec: &'v Value,
}

/// The kinds of Kubernetes itself, OpenShift's and Argo's that hold a pod's template: it is one even where somebody forgot the containers.
const WORKLOADS: &[&str] = &[
    "CronJob",
    "DaemonSet",
    "Deployment",
    "DeploymentConfig",
    "Job",
    "ReplicaSet",
    "ReplicationController",
    "Rollout",
    "StatefulSet",
];

/// The kinds whose `spec` has the fields of a pod's, from which an operator makes pods.
const OPERATED: &[&str] = &["Alertmanager", "Prometheus", "PrometheusAgent", "ThanosRuler"];

/// The labels that the operator of a kind gives the pods it makes, beside those of `podMetadata`.
/// <https://prometheus-operator.dev/docs/api-reference/api/>
pub fn operator_labels<'v>(kind: &str, name: &'v str) -> Vec<(&'static str, &'v str)> {
    let (app, own) = match kind {
        "Alertmanager" => ("alertmanager", "alertmanager"),
        "Prometheus" => ("prometheus", "prometheus"),
        "PrometheusAgent" => ("prometheus-agent", "prometheus"),
        "ThanosRuler" => ("thanos-ruler", "thanos-ruler"),
        _ => return Vec::new(),
    };
    vec![
        ("app.kubernetes.io/name", app),
        ("app.kubernetes.io/instance", name),
        ("app.kubernetes.io/managed-by", "prometheus-operator"),
        (own, name),
    ]
}

/// The pod of a workload: the object itself (`Pod`), its `spec.template` (Deployment, Job, and every custom kind built alike), or the template of its
/// `spec.jobTemplate` (CronJob); Knative's `Revision` and the kinds of the Prometheus operator hold one in their `spec`. `None` for what runs no pod.
pub fn pod_of<'v>(kind: &str, body: &'v Value) -> Option<PodParts<'v>> {
    let spec = body.get("spec");
    if kind == "Pod" {
        return Some(PodParts { metadata: body.get("metadata"), spec: spec? });
    }
    if kind == "Revision" {
        return spec
            .filter(|s| s.get("containers").is_some())
            .map(|spec| PodParts { metadata: body.get("metadata"), spec });
    }
    if OPERATED.contains(&kind) {
        return spec.map(|spec| PodParts { metadata: spec.get("podMetadata"), spec });
    }
    let template = match kind {
        "PodTemplate" => body.get("template")?,
        _ => spec.and_then(|s| s.at(&["jobTemplate", "spec", "template"]).or_else(|| s.get("template")))?,
    };
    let pod = template.get("spec")?;
    let knative =
        || body.get("apiVersion").and_then(Value::as_str).is_some_and(|api| group(api) == "serving.knative.dev");
    if !WORKLOADS.contains(&kind) && !knative() {
        pod.get("containers").or_else(|| pod.get("initContainers"))?;
    }
    Some(PodParts { metadata: template.get("metadata"), spec: pod })
}

/// The API group of an `apiVersion`: empty for the core group.
pub fn group(api_version: &str) -> &str {
    api_version.rsplit_once('/').map_or("", |(group, _)| group)
}
