//! Terraform end to end: what the built-in policies find does not depend on the way a configuration is written, and calls of
//! public modules are judged at their arguments.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may stop at the first surprise")]

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// What `check` finds in these files: policy, resource, and the text of the line a finding begins on. `args` are further arguments.
fn findings(files: &[(&str, &str)], args: &[&str]) -> Vec<(String, String, String)> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("stacklint-terraform-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let folder: PathBuf = std::env::temp_dir().join(name);
    for (path, text) in files {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let output = Command::new(env!("CARGO_BIN_EXE_stacklint"))
        .current_dir(&folder)
        .args(["check", "--no-config", "--format", "json"])
        .args(args)
        .env_clear()
        .output()
        .unwrap();
    let json: serde_json::Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr)));
    let mut found: Vec<(String, String, String)> = json["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| {
            let file = f["file"].as_str().unwrap();
            let text = files.iter().find(|(path, _)| *path == file).unwrap().1;
            let line = usize::try_from(f["start"]["line"].as_u64().unwrap()).unwrap();
            let source = text.lines().nth(line - 1).unwrap_or_default().trim().to_owned();
            (text_of(&f["policy"]), text_of(&f["resource"]["address"]), source)
        })
        .collect();
    found.sort();
    std::fs::remove_dir_all(&folder).unwrap();
    found
}

fn text_of(value: &serde_json::Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The same resources in both syntaxes, with policies that must be among what is found in them.
const STYLES: &[(&str, &str, &[&str])] = &[
    (
        r#"resource "aws_security_group" "g" {
  description = "d"
  ingress {
    from_port   = 22
    to_port     = 22
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
}
"#,
        r#"{"resource": {"aws_security_group": {"g": {
  "description": "d",
  "ingress": {
    "from_port": 22, "to_port": 22, "protocol": "tcp",
    "cidr_blocks": ["0.0.0.0/0"]
  }
}}}}"#,
        &["ssh-open-to-internet"],
    ),
    (
        r#"resource "aws_security_group" "g" {
  dynamic "ingress" {
    for_each = [22, 3389]
    content {
      from_port   = ingress.value
      to_port     = ingress.value
      protocol    = "tcp"
      cidr_blocks = ["0.0.0.0/0"]
    }
  }
}
"#,
        r#"{"resource": {"aws_security_group": {"g": {"dynamic": {"ingress": {
  "for_each": [22, 3389],
  "content": {
    "from_port": "${ingress.value}", "to_port": "${ingress.value}", "protocol": "tcp",
    "cidr_blocks": ["0.0.0.0/0"]
  }
}}}}}}"#,
        &["ssh-open-to-internet", "rdp-open-to-internet"],
    ),
    (
        r#"resource "aws_instance" "i" {
  ami = "a"
  root_block_device { encrypted = false }
  metadata_options { http_tokens = "optional" }
}
"#,
        r#"{"resource": {"aws_instance": {"i": {
  "ami": "a",
  "root_block_device": {"encrypted": false},
  "metadata_options": [{"http_tokens": "optional"}]
}}}}"#,
        &[],
    ),
    (
        r#"resource "azurerm_storage_account" "s" {
  name = "s"
  network_rules {
    default_action = "Allow"
  }
}
"#,
        r#"{"resource": [{"azurerm_storage_account": [{"s": [{
  "name": "s",
  "network_rules": {
    "default_action": "Allow"
  }
}]}]}]}"#,
        &[],
    ),
    (
        r#"resource "google_sql_database_instance" "d" {
  database_version = "POSTGRES_15"
  settings {
    tier = "t"
    ip_configuration {
      ipv4_enabled = true
      authorized_networks {
        value = "0.0.0.0/0"
      }
    }
  }
}
"#,
        r#"{"resource": {"google_sql_database_instance": {"d": {
  "database_version": "POSTGRES_15",
  "settings": {
    "tier": "t",
    "ip_configuration": {
      "ipv4_enabled": true,
      "authorized_networks": {
        "value": "0.0.0.0/0"
      }
    }
  }
}}}}"#,
        &["google-sql-public-address"],
    ),
    (
        r#"data "aws_iam_policy_document" "d" {
  statement {
    actions   = ["*"]
    resources = ["*"]
  }
}

resource "aws_iam_policy" "p" {
  policy = data.aws_iam_policy_document.d.json
}
"#,
        r#"{"data": {"aws_iam_policy_document": {"d": {"statement": {
    "actions": ["*"],
    "resources": ["*"]
}}}},
"resource": {"aws_iam_policy": {"p": {"policy": "${data.aws_iam_policy_document.d.json}"}}}}"#,
        &[],
    ),
    (
        r#"resource "kubernetes_pod" "p" {
  metadata { name = "p" }
  spec {
    container {
      name  = "c"
      image = "nginx:1"
      security_context { privileged = true }
    }
  }
}
"#,
        r#"{"resource": {"kubernetes_pod": {"p": {
  "metadata": {"name": "p"},
  "spec": {"container": {
      "name": "c",
      "image": "nginx:1",
      "security_context": {"privileged": true}
  }}
}}}}"#,
        &["kubernetes-container-privileged"],
    ),
];

#[test]
fn both_syntaxes_have_the_same_findings() {
    for (native, json, expected) in STYLES {
        let names = |files: &[(&str, &str)]| -> Vec<(String, String)> {
            findings(files, &[]).into_iter().map(|(policy, address, _)| (policy, address)).collect()
        };
        let (native, json) = (names(&[("main.tf", native)]), names(&[("main.tf.json", json)]));
        assert!(!native.is_empty());
        assert_eq!(native, json);
        for name in *expected {
            assert!(native.iter().any(|(policy, _)| policy == name), "{name}: {native:?}");
        }
    }
}

#[test]
fn calls_of_public_modules_are_judged_at_their_arguments() {
    for (call, expected) in [
        (
            "module \"b\" {\n  source = \"terraform-aws-modules/s3-bucket/aws\"\n  version = \"~> 3.0\"\n  acl = \"public-read\"\n}\n",
            &[
                ("aws-s3-acl-everyone", "module.b.aws_s3_bucket_acl.this[0]", "acl = \"public-read\""),
                ("aws-s3-public-acls-allowed", "module.b.aws_s3_bucket_public_access_block.this[0]", "module \"b\" {"),
            ][..],
        ),
        (
            "module \"g\" {\n  source = \"terraform-aws-modules/security-group/aws\"\n  ingress_with_cidr_blocks = [\n    {\n      rule = \"ssh-tcp\"\n      cidr_blocks = \"0.0.0.0/0\"\n    }\n  ]\n}\n",
            &[(
                "ssh-open-to-internet",
                "module.g.aws_security_group_rule.ingress_with_cidr_blocks[0]",
                "cidr_blocks = \"0.0.0.0/0\"",
            )][..],
        ),
        (
            "module \"d\" {\n  source = \"git::https://github.com/terraform-aws-modules/terraform-aws-rds.git?ref=v6.1.0\"\n  identifier = \"d\"\n  storage_encrypted = false\n}\n",
            &[("aws-rds-instance-unencrypted", "module.d.aws_db_instance.this[0]", "storage_encrypted = false")][..],
        ),
    ] {
        let found = findings(&[("main.tf", call)], &[]);
        for (policy, address, source) in expected {
            let wanted = ((*policy).to_owned(), (*address).to_owned(), (*source).to_owned());
            assert!(found.contains(&wanted), "{wanted:?} is not among {found:#?}");
        }
    }
    let closed = "module \"b\" {\n  source = \"terraform-aws-modules/s3-bucket/aws\"\n  version = \"~> 4.1\"\n}\n";
    let found = findings(&[("main.tf", closed)], &[]);
    assert!(found.iter().all(|(policy, ..)| !policy.starts_with("aws-s3-public-")), "{found:#?}");
}

#[test]
fn environments_are_told_apart() {
    let main = "variable \"open\" { type = bool }\nresource \"aws_s3_bucket_public_access_block\" \"b\" {\n  bucket = \"b\"\n  block_public_acls = !var.open\n  block_public_policy = true\n  ignore_public_acls = true\n  restrict_public_buckets = true\n}\n";
    let files = [("main.tf", main), ("dev.tfvars", "open = false\n"), ("prod.tfvars", "open = true\n")];
    let policy = ["--select", "aws-s3-public-acls-allowed"];
    let count = |more: &[&str]| findings(&files, &[&policy[..], more].concat()).len();
    assert_eq!(count(&["--var-file", "dev.tfvars"]), 0);
    assert_eq!(count(&["--var-file", "prod.tfvars"]), 1);
    assert_eq!(count(&["--var-file", "dev.tfvars", "--var-file", "prod.tfvars"]), 1);
    assert_eq!(count(&["--matrix", "--var-file", "dev.tfvars", "--var-file", "prod.tfvars"]), 1);
    assert_eq!(count(&["--matrix", "--var-file", "dev.tfvars"]), 0);
}
