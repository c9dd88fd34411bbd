//! Every way to declare a workload reaches the same policies about containers.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may stop at the first surprise")]

use std::collections::BTreeSet;
use std::process::Command;

/// A container with much wrong with it, indented by `indent`.
fn container(indent: usize) -> String {
    let lines = [
        "containers:",
        "  - name: app",
        "    image: registry.example.com/app:latest",
        "    securityContext:",
        "      privileged: true",
        "      runAsUser: 0",
        "      capabilities:",
        "        add: [SYS_ADMIN]",
    ];
    lines.iter().map(|line| format!("{}{line}\n", " ".repeat(indent))).collect()
}

/// The manifest of a workload of a kind.
fn manifest(kind: &str) -> String {
    let head = |api: &str| format!("apiVersion: {api}\nkind: {kind}\nmetadata:\n  name: app\n  namespace: shop\n");
    let template = |indent: usize| {
        let pad = " ".repeat(indent);
        format!(
            "{pad}template:\n{pad}  metadata:\n{pad}    labels: {{app: app}}\n{pad}  spec:\n{}",
            container(indent + 4)
        )
    };
    let selected = format!("spec:\n  selector:\n    matchLabels: {{app: app}}\n{}", template(2));
    match kind {
        "Pod" => format!("{}spec:\n{}", head("v1"), container(2)),
        "PodTemplate" => format!("{}{}", head("v1"), template(0)),
        "ReplicationController" => format!("{}spec:\n  selector: {{app: app}}\n{}", head("v1"), template(2)),
        "Job" => format!("{}spec:\n{}", head("batch/v1"), template(2)),
        "CronJob" => {
            format!("{}spec:\n  schedule: \"@daily\"\n  jobTemplate:\n    spec:\n{}", head("batch/v1"), template(6))
        }
        "DeploymentConfig" => {
            format!("{}spec:\n  selector: {{app: app}}\n{}", head("apps.openshift.io/v1"), template(2))
        }
        "Rollout" => format!("{}{selected}", head("argoproj.io/v1alpha1")),
        "Service" => format!("{}spec:\n{}", head("serving.knative.dev/v1"), template(2)),
        _ => format!("{}{selected}", head("apps/v1")),
    }
}

/// The same in Terraform's words.
fn terraform(resource: &str) -> String {
    let container = "container {\n name = \"app\"\n image = \"registry.example.com/app:latest\"\n security_context {\n privileged = true\n run_as_user = 0\n \
                     capabilities {\n add = [\"SYS_ADMIN\"]\n }\n }\n }";
    let template =
        format!("template {{\n metadata {{\n labels = {{ app = \"app\" }}\n }}\n spec {{\n {container}\n }}\n }}");
    let spec = match resource.trim_end_matches("_v1").trim_start_matches("kubernetes_") {
        "pod" => container.to_owned(),
        "cron_job" => {
            format!("schedule = \"@daily\"\n job_template {{\n metadata {{}}\n spec {{\n {template}\n }}\n }}")
        }
        "job" => template,
        "replication_controller" => format!("selector = {{ app = \"app\" }}\n {template}"),
        _ => format!("selector {{\n match_labels = {{ app = \"app\" }}\n }}\n {template}"),
    };
    format!(
        "resource \"{resource}\" \"app\" {{\n metadata {{\n name = \"app\"\n namespace = \"shop\"\n }}\n spec {{\n {spec}\n }}\n}}\n"
    )
}

/// A deployment whose blocks are written as arguments.
const AS_ARGUMENTS: &str = r#"
resource "kubernetes_deployment_v1" "app" {
  metadata { name = "app" }
  spec = {
    selector = { match_labels = { app = "app" } }
    template = {
      metadata = { labels = { app = "app" } }
      spec = {
        container = [{
          name             = "app"
          image            = "registry.example.com/app:latest"
          security_context = { privileged = true, run_as_user = 0, capabilities = { add = ["SYS_ADMIN"] } }
        }]
      }
    }
  }
}
"#;

/// One whose containers come from a list.
const DYNAMIC: &str = r#"
locals {
  apps = { app = "registry.example.com/app:latest" }
}
resource "kubernetes_deployment_v1" "app" {
  metadata { name = "app" }
  spec {
    selector { match_labels = { app = "app" } }
    template {
      metadata { labels = { app = "app" } }
      spec {
        dynamic "container" {
          for_each = local.apps
          content {
            name  = container.key
            image = container.value
            security_context {
              privileged  = true
              run_as_user = 0
              capabilities { add = ["SYS_ADMIN"] }
            }
          }
        }
      }
    }
  }
}
"#;

/// The policies about containers that report something in these files.
fn reported(name: &str, files: &[(&str, String)]) -> BTreeSet<String> {
    let folder = std::env::temp_dir().canonicalize().unwrap();
    let folder = folder.join(format!("stacklint-workloads-{}-{name}", std::process::id()));
    for (path, text) in files {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let output = Command::new(env!("CARGO_BIN_EXE_stacklint"))
        .current_dir(&folder)
        .args(["check", "--no-config", "--format", "json", "--select", "all", "."])
        .output()
        .unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{name}: {e}: {}", String::from_utf8_lossy(&output.stderr)));
    let findings = report.get("findings").and_then(|f| f.as_array()).unwrap();
    let policies = findings.iter().filter_map(|f| f.get("policy")?.as_str());
    policies.filter(|p| p.starts_with("kubernetes-container-")).map(str::to_owned).collect()
}

#[test]
fn every_kind_in_every_format_reaches_the_container_policies() {
    let pod = reported("pod", &[("app.yaml", manifest("Pod"))]);
    assert!(pod.contains("kubernetes-container-privileged"), "{pod:?}");
    assert!(pod.len() >= 15, "{pod:?}");
    // Which of the policies hold depends on the kind: a job is not probed.
    let of_kind = |found: BTreeSet<String>| -> BTreeSet<String> {
        found.into_iter().filter(|policy| !policy.contains("-probe")).collect()
    };
    let expected = of_kind(pod);
    let check = |name: &str, files: &[(&str, String)]| {
        pretty_assertions::assert_eq!(of_kind(reported(name, files)), expected, "{name}");
    };
    for kind in [
        "PodTemplate",
        "Deployment",
        "StatefulSet",
        "DaemonSet",
        "ReplicaSet",
        "ReplicationController",
        "Job",
        "CronJob",
        "DeploymentConfig",
        "Rollout",
        "Service",
    ] {
        check(kind, &[("app.yaml", manifest(kind))]);
        let chart = "apiVersion: v2\nname: app\nversion: 1.0.0\n".to_owned();
        let template = manifest(kind).replace("registry.example.com/app:latest", "{{ .Values.image }}");
        let values = "image: registry.example.com/app:latest\n".to_owned();
        check(
            &format!("{kind}-helm"),
            &[("Chart.yaml", chart), ("values.yaml", values), ("templates/app.yaml", template)],
        );
        let kustomization = "resources: [app.yaml]\nnameSuffix: -a\n".to_owned();
        check(&format!("{kind}-kustomize"), &[("kustomization.yaml", kustomization), ("app.yaml", manifest(kind))]);
    }
    for resource in [
        "kubernetes_pod",
        "kubernetes_pod_v1",
        "kubernetes_deployment",
        "kubernetes_deployment_v1",
        "kubernetes_stateful_set",
        "kubernetes_stateful_set_v1",
        "kubernetes_daemonset",
        "kubernetes_daemon_set_v1",
        "kubernetes_replication_controller_v1",
        "kubernetes_job_v1",
        "kubernetes_cron_job_v1",
    ] {
        check(resource, &[("main.tf", terraform(resource))]);
    }
    check("as-arguments", &[("main.tf", AS_ARGUMENTS.to_owned())]);
    check("dynamic", &[("main.tf", DYNAMIC.to_owned())]);
}

#[test]
fn compose_reaches_the_policies_that_mean_the_same() {
    let compose = "services:\n  app:\n    image: registry.example.com/app:latest\n    privileged: true\n    user: \"0\"\n    cap_add: [SYS_ADMIN]\n";
    let found = reported("compose", &[("compose.yaml", compose.to_owned())]);
    for policy in [
        "kubernetes-container-privileged",
        "kubernetes-container-image-tag-moves",
        "kubernetes-container-run-as-user-zero",
        "kubernetes-container-sys-admin",
        "kubernetes-container-added-capabilities",
        "kubernetes-container-root-filesystem-writable",
    ] {
        assert!(found.contains(policy), "{policy} is not in {found:?}");
    }
}

/// A pod that the restricted level of the Pod Security Standards allows, with some fields of its `spec` set or, by null, taken out.
fn pod(name: &str, changes: &[(&str, serde_json::Value)]) -> serde_json::Value {
    let mut pod = serde_json::json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "shop"}, "spec": {
        "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [{"name": "app", "image": "registry.example.com/app:1",
            "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}}}],
    }});
    for (path, value) in changes {
        let mut at = pod.get_mut("spec").unwrap();
        let (above, last) = path.rsplit_once('/').unwrap_or(("", path));
        for step in above.split('/').filter(|s| !s.is_empty()) {
            at = match step.parse::<usize>() {
                Ok(index) => at.get_mut(index).unwrap(),
                Err(_) => at.as_object_mut().unwrap().entry(step).or_insert_with(|| serde_json::json!({})),
            };
        }
        let map = at.as_object_mut().unwrap();
        if value.is_null() {
            map.remove(last);
        } else {
            map.insert(last.to_owned(), value.clone());
        }
    }
    pod
}

/// What <https://kubernetes.io/docs/concepts/security/pod-security-standards/> says of each field.
#[test]
fn the_levels_of_the_pod_security_standards_are_groups_of_policies() {
    use serde_json::{Value, json};
    let container = |field: &str| format!("containers/0/{field}");
    let context = |field: &str| container(&format!("securityContext/{field}"));
    let volume = |kind: &str, volume: Value| ("volumes".to_owned(), json!([{"name": "v", kind: volume}]));
    let more = |kind: &str, context: Value| (kind.to_owned(), json!([{"name": "more", "securityContext": context}]));
    let good = json!({"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}});
    // What neither level allows.
    let neither: Vec<(String, Value)> = vec![
        ("hostNetwork".into(), json!(true)),
        ("hostPID".into(), json!(true)),
        ("hostIPC".into(), json!(true)),
        (context("privileged"), json!(true)),
        (context("capabilities/add"), json!(["SYS_ADMIN"])),
        volume("hostPath", json!({"path": "/srv"})),
        (container("ports"), json!([{"containerPort": 80, "hostPort": 80}])),
        (container("livenessProbe"), json!({"httpGet": {"port": 80, "host": "10.0.0.1"}})),
        (container("lifecycle"), json!({"postStart": {"tcpSocket": {"port": 80, "host": "10.0.0.1"}}})),
        ("securityContext/appArmorProfile".into(), json!({"type": "Unconfined"})),
        ("securityContext/seLinuxOptions".into(), json!({"type": "spc_t"})),
        (context("seLinuxOptions"), json!({"user": "system_u"})),
        (context("procMount"), json!("Unmasked")),
        ("securityContext/seccompProfile".into(), json!({"type": "Unconfined"})),
        (context("seccompProfile"), json!({"type": "Unconfined"})),
        ("securityContext/sysctls".into(), json!([{"name": "kernel.msgmax", "value": "1"}])),
        ("securityContext/windowsOptions".into(), json!({"hostProcess": true})),
        (context("windowsOptions"), json!({"hostProcess": true})),
        more("initContainers", json!({"privileged": true})),
        more("ephemeralContainers", json!({"privileged": true})),
    ];
    // What the baseline allows and the restricted level does not.
    let baseline: Vec<(String, Value)> = vec![
        (context("allowPrivilegeEscalation"), json!(true)),
        (context("allowPrivilegeEscalation"), Value::Null),
        ("securityContext/runAsNonRoot".into(), Value::Null),
        (context("runAsNonRoot"), json!(false)),
        ("securityContext/runAsUser".into(), json!(0)),
        (context("runAsUser"), json!(0)),
        ("securityContext/seccompProfile".into(), Value::Null),
        (context("capabilities"), json!({"drop": ["NET_RAW"]})),
        (context("capabilities/add"), json!(["CHOWN"])),
        volume("nfs", json!({"server": "s", "path": "/"})),
        more("initContainers", json!({})),
        more("ephemeralContainers", json!({"capabilities": {"drop": ["ALL"]}})),
    ];
    // What both allow.
    let both: Vec<(String, Value)> = vec![
        ("restartPolicy".into(), json!("Always")),
        (context("capabilities/add"), json!(["NET_BIND_SERVICE"])),
        (context("seccompProfile"), json!({"type": "Localhost", "localhostProfile": "a.json"})),
        ("securityContext/seLinuxOptions".into(), json!({"type": "container_t", "level": "s0"})),
        ("securityContext/sysctls".into(), json!([{"name": "net.ipv4.tcp_syncookies", "value": "1"}])),
        ("securityContext/appArmorProfile".into(), json!({"type": "RuntimeDefault"})),
        (container("livenessProbe"), json!({"httpGet": {"port": 80, "host": ""}})),
        volume("configMap", json!({"name": "c"})),
        volume("csi", json!({"driver": "d"})),
        volume("ephemeral", json!({"volumeClaimTemplate": {"spec": {}}})),
        volume("persistentVolumeClaim", json!({"claimName": "c"})),
        more("initContainers", good.clone()),
        more("ephemeralContainers", good),
    ];
    let mut pods: Vec<Value> = Vec::new();
    for (group, cases) in [("neither", &neither), ("baseline", &baseline), ("both", &both)] {
        for (i, (path, value)) in cases.iter().enumerate() {
            pods.push(pod(&format!("{group}-{i}"), &[(path, value.clone())]));
        }
    }
    // Windows has neither capabilities nor seccomp, and no process gains rights there.
    let windows = [
        ("os", json!({"name": "windows"})),
        ("securityContext/seccompProfile", Value::Null),
        ("containers/0/securityContext", Value::Null),
    ];
    pods.push(pod("both-windows", &windows));
    let folder = std::env::temp_dir().canonicalize().unwrap();
    let folder = folder.join(format!("stacklint-levels-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let text: Vec<String> = pods.iter().map(Value::to_string).collect();
    std::fs::write(folder.join("pods.yaml"), text.join("\n---\n")).unwrap();
    for (level, allowed) in [("baseline", ["baseline-", "both-"]), ("restricted", ["both-", "both-"])] {
        let output = Command::new(env!("CARGO_BIN_EXE_stacklint"))
            .current_dir(&folder)
            .args(["check", "--no-config", "--format", "json", "--select", &format!("tag:pss-{level}"), "."])
            .output()
            .unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let findings = report.get("findings").and_then(Value::as_array).unwrap();
        let address = |f: &Value| f.pointer("/resource/address").and_then(Value::as_str).map(str::to_owned);
        let found: BTreeSet<String> = findings.iter().filter_map(address).collect();
        let names = pods.iter().filter_map(|p| p.pointer("/metadata/name").and_then(Value::as_str));
        let expected: BTreeSet<String> = names
            .filter(|name| !allowed.iter().any(|prefix| name.starts_with(prefix)))
            .map(|name| format!("Pod/shop/{name}"))
            .collect();
        pretty_assertions::assert_eq!(found, expected, "{level}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
