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
