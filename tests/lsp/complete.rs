//! Completion, hover on words about policies, and the comment that ignores a finding.

use crate::client::Client;
use crate::codes;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

const OPEN: &str = "resource \"aws_s3_bucket\" \"b\" {\n  acl = \"public-read\"\n}\n";
const POLICY: &str = "aws-s3-acl-everyone";

/// A client with one file open, and where `|` stood in its text.
fn editing(name: &str, path: &str, text: &str) -> (Client, Value) {
    let offset = text.find('|').unwrap();
    let line = text[..offset].matches('\n').count();
    let column = offset - text[..offset].rfind('\n').map_or(0, |i| i + 1);
    let text = text.replacen('|', "", 1);
    let files =
        [("main.tf", OPEN), ("stacklint.toml", "policy-dirs = [\"rules\"]\n"), ("rules/own.yaml", "name: own\n")];
    let client = Client::start(name, &files, json!({}), Value::Null);
    client.open(path, &text);
    let at = client.at(path, u32::try_from(line).unwrap(), u32::try_from(column).unwrap());
    (client, at)
}

/// What is offered at `|`, and what each offer would insert.
fn offered(name: &str, path: &str, text: &str) -> (Client, Vec<Value>) {
    let (mut client, at) = editing(name, path, text);
    let list = client.ask("textDocument/completion", at);
    let items = list["items"].as_array().unwrap().clone();
    (client, items)
}

#[track_caller]
fn inserts(items: &[Value], label: &str) -> String {
    let item = items.iter().find(|i| i["label"] == label);
    let labels = || items.iter().take(30).map(|i| i["label"].as_str().unwrap()).collect::<Vec<_>>().join(", ");
    let item = item.unwrap_or_else(|| panic!("{label} is not among {}", labels()));
    item["textEdit"]["newText"].as_str().unwrap().to_owned()
}

#[test]
fn names_of_policies_are_completed_in_ignore_comments_those_with_a_finding_first() {
    let text = format!("# stacklint: ignore[aws-s3|]\n{OPEN}");
    let (mut client, items) = offered("ignore", "main.tf", &text);
    assert_eq!(inserts(&items, POLICY), POLICY);
    let mut sorted: Vec<&Value> = items.iter().collect();
    sorted.sort_by_key(|i| i["sortText"].as_str().unwrap().to_owned());
    let first: Vec<&str> = sorted.iter().take(12).map(|i| i["label"].as_str().unwrap()).collect();
    assert!(first.contains(&POLICY), "{first:?}");
    let item = items.iter().find(|i| i["label"] == POLICY).unwrap();
    assert_eq!(item["textEdit"]["range"]["start"], json!({"line": 0, "character": 20}));
    assert_eq!(item["documentation"], Value::Null, "the page comes when it is asked for");
    let whole = client.ask("completionItem/resolve", item.clone());
    assert!(whole["documentation"]["value"].as_str().unwrap().starts_with(&format!("**{POLICY}**")), "{whole}");
    // A policy without any finding is offered too.
    inserts(&items, "docker-maintainer-deprecated");
}

#[test]
fn other_tools_ids_are_completed_once_the_tool_is_named() {
    let (_client, items) = offered("alias", "main.tf", &format!("# stacklint: ignore[a, checkov:CKV_AWS|]\n{OPEN}"));
    assert_eq!(inserts(&items, "checkov:CKV_AWS_20"), "checkov:CKV_AWS_20");
    assert!(items.iter().all(|i| i["label"].as_str().unwrap().starts_with("checkov:")));
}

#[test]
fn nothing_is_completed_where_nothing_is_asked_for() {
    let (_client, items) = offered("nowhere", "main.tf", &format!("{OPEN}# stacklint is a linter [a|]\n"));
    assert!(items.is_empty(), "{items:?}");
}

#[test]
fn settings_and_their_values_are_completed() {
    let (_client, items) = offered("settings", "stacklint.toml", "select = []\n|");
    assert_eq!(inserts(&items, "fail-on"), "fail-on = ");
    assert_eq!(inserts(&items, "terraform"), "[terraform]");
    assert_eq!(inserts(&items, "per-path"), "[[per-path]]");
    assert!(!items.iter().any(|i| i["label"] == "select"), "what stands there already is not offered");

    let (_client, items) = offered("unknown", "stacklint.toml", "unknown = |");
    assert_eq!(inserts(&items, "warn"), "\"warn\"");
    let (_client, items) = offered("severity", "stacklint.toml", "[severity]\n\"aws-*\" = \"|\"");
    assert_eq!(inserts(&items, "low"), "low");
    let (_client, items) = offered("select", "stacklint.toml", "select = [\"a\",\n  \"|\"]");
    for label in [POLICY, "secrets", "severity:high", "tag:internet", "checkov:"] {
        inserts(&items, label);
    }
    let (_client, items) = offered("tables", "stacklint.toml", "[params.|");
    assert!(!items.is_empty() && !items.iter().any(|i| i["label"] == POLICY), "only those that take parameters");
    let name = items[0]["label"].as_str().unwrap();
    let (_client, params) = offered("params", "stacklint.toml", &format!("[params.{name}]\n|"));
    assert!(params[0]["textEdit"]["newText"].as_str().unwrap().contains(" = "), "{params:?}");
}

#[test]
fn policies_are_completed_through_their_schema() {
    let file = "rules/own.yaml";
    let (_client, items) = offered("keys", file, "name: own\nsev|");
    assert_eq!(inserts(&items, "severity"), "severity: ");
    assert_eq!(inserts(&items, "aliases"), "aliases:");
    let (_client, items) = offered("values", file, "severity: |");
    assert_eq!(inserts(&items, "critical"), "critical");
    let (_client, items) = offered("kinds", file, "resource: [aws_s3_b|");
    assert_eq!(inserts(&items, "aws_s3_bucket"), "aws_s3_bucket");
    inserts(&items, "container");
    let (_client, items) = offered("predicates", file, "deny:\n  all:\n    - path: $.acl\n      |");
    for label in ["equals", "is_secret", "cidr", "related"] {
        inserts(&items, label);
    }
    let (_client, items) = offered("nested", file, "deny:\n  related: {kind: aws_s3_bucket, direction: |}");
    assert_eq!(inserts(&items, "either"), "either");
}

#[test]
fn hover_knows_policies_settings_and_the_keys_of_policies() {
    let cases = [
        (
            "ignore",
            "main.tf",
            format!("# stacklint: ignore[aws-s3-bucket-pub|lic-acl]\n{OPEN}"),
            "**aws-s3-bucket-public-acl**",
        ),
        ("alias", "main.tf", format!("# checkov:skip=CKV_AWS_2|0:a website\n{OPEN}"), "aws-s3-bucket-public-acl"),
        ("trivy", "main.tf", format!("# trivy:ignore:AVD-AWS-00|92\n{OPEN}"), "aws-s3-bucket-public-acl"),
        ("glob", "stacklint.toml", "ignore = [\"aws-s3-|*\"]".to_owned(), "`aws-s3-*` means "),
        ("group", "stacklint.toml", "ignore = [\"severity:hi|gh\"]".to_owned(), "`severity:high` means "),
        (
            "policy",
            "stacklint.toml",
            "[severity]\naws-s3-bu|cket-public-acl = \"low\"".to_owned(),
            "**aws-s3-bucket-public-acl**",
        ),
        ("setting", "stacklint.toml", "unkn|own = \"warn\"".to_owned(), "**unknown**"),
        ("table", "stacklint.toml", "[per-pa|th]".to_owned(), "**per-path**"),
        ("key", "rules/own.yaml", "deny:\n  for_ea|ch: $.a".to_owned(), "**resource**"),
        ("view", "rules/own.yaml", "resource: [conta|iner]".to_owned(), "**container** · view"),
    ];
    for (name, path, text, expected) in cases {
        let (mut client, at) = editing(&format!("hover-{name}"), path, &text);
        let hover = client.ask("textDocument/hover", at);
        let value = hover["contents"]["value"].as_str().unwrap_or_default();
        if name == "key" {
            // The schema says nothing about this key: then neither do we.
            assert_eq!(hover, Value::Null);
        } else {
            assert!(value.contains(expected), "{name}: {hover}");
        }
    }
    // A word that merely looks like a policy's, on a line that speaks of ignoring.
    let text = format!(
        "{OPEN}resource \"aws_s3_bucket\" \"c\" {{\n  lifecycle {{\n    ignore_changes = [sec|rets]\n  }}\n}}\n"
    );
    let (mut client, at) = editing("hover-none", "main.tf", &text);
    let hover = client.ask("textDocument/hover", at);
    assert!(!hover.to_string().contains("policies"), "{hover}");
}

/// Takes every "Ignore … here" that is offered for a file, one by one, and says which finding is left all the same.
#[track_caller]
fn every_ignore_works(name: &str, path: &str, text: &str, must: &str) {
    let mut client = Client::start(&format!("here-{name}"), &[(path, text)], json!({}), Value::Null);
    let file = path.rsplit('/').next().unwrap();
    client.open(path, text);
    let found = client.until(file, |found| codes(found).contains(&must));
    let mut version = 1;
    for finding in &found {
        let code = finding["code"].as_str().unwrap();
        let document = json!({"uri": client.uri(path)});
        let ask = json!({"textDocument": document, "range": finding["range"], "context": {"diagnostics": [], "only": ["quickfix"]}});
        let actions = client.ask("textDocument/codeAction", ask);
        let title = format!("Ignore {code} here, with a reason");
        let action = actions.as_array().unwrap().iter().find(|a| a["title"] == title.as_str());
        let action = action.unwrap_or_else(|| panic!("{name}: no way to ignore {code}: {actions}"));
        let edit = &action["edit"]["documentChanges"][0]["edits"][0];
        let line = usize::try_from(edit["range"]["start"]["line"].as_u64().unwrap()).unwrap();
        let at: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
        let silenced = format!("{}{}{}", &text[..at], edit["newText"].as_str().unwrap(), &text[at..]);
        version += 1;
        client.replace(path, version, &silenced);
        let left = client.ask("textDocument/diagnostic", json!({"textDocument": document}));
        let count = |items: &[Value]| items.iter().filter(|d| d["code"] == code).count();
        let left = left["items"].as_array().unwrap().clone();
        assert!(count(&left) < count(&found), "{name}: {code} is still there in\n{silenced}");
        let trouble: Vec<&str> =
            codes(&left).into_iter().filter(|c| c.ends_with("-ignore") || *c == "syntax").collect();
        assert!(trouble.is_empty(), "{name}: {trouble:?} in\n{silenced}");
        version += 1;
        client.replace(path, version, text);
        client.ask("textDocument/diagnostic", json!({"textDocument": document}));
    }
}

#[test]
fn what_ignores_a_finding_stands_where_it_is_read_as_a_comment() {
    every_ignore_works("plain", "main.tf", OPEN, POLICY);
    let heredoc = "resource \"aws_s3_bucket_policy\" \"p\" {\n  bucket = \"b\"\n  policy = <<EOF\n{\n  \"Statement\": [{\n    \"Effect\": \"Allow\",\n    \"Principal\": \"*\",\n    \"Action\": \"s3:*\",\n    \"Resource\": \"*\"\n  }]\n}\nEOF\n}\n";
    every_ignore_works("heredoc", "main.tf", heredoc, "aws-s3-policy-everyone-everything");
    let docker = "FROM debian:bookworm\nRUN <<EOF\napt-get update\napt-get install nginx\nEOF\nRUN apt-get update && \\\n    apt-get install curl\nCMD [\"nginx\"]\n";
    every_ignore_works("dockerfile", "Dockerfile", docker, "docker-apt-asks");
    let pod = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nspec:\n  containers:\n    - name: a\n      image: a:latest\n      command:\n        - sh\n        - |\n          sleep 1\n      securityContext: {privileged: true,\n        allowPrivilegeEscalation: true}\n";
    every_ignore_works("manifest", "pod.yaml", pod, "kubernetes-container-privileged");
}

#[test]
fn what_is_not_needed_is_greyed_out() {
    let text = format!("# stacklint: ignore[docker-apt-asks] not here\n{OPEN}");
    let mut client = Client::start("tags", &[("main.tf", &text)], json!({}), Value::Null);
    let found = client.until("main.tf", |found| codes(found).contains(&"unused-ignore"));
    let unused = found.iter().find(|d| d["code"] == "unused-ignore").unwrap();
    assert_eq!(unused["tags"], json!([1]));
    let file = "FROM debian:bookworm\nMAINTAINER me\n";
    let mut client = Client::start("deprecated", &[("Dockerfile", file)], json!({}), Value::Null);
    let found = client.until("Dockerfile", |found| codes(found).contains(&"docker-maintainer-deprecated"));
    let old = found.iter().find(|d| d["code"] == "docker-maintainer-deprecated").unwrap();
    assert_eq!(old["tags"], json!([2]));
}
