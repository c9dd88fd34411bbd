//! The language server as a client meets it, over an in-memory connection.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test may stop at the first surprise"
)]

mod client;
mod complete;
mod protocol;
mod replay;

use client::Client;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

/// The code of the error that answers a request.
fn code(answer: lsp_server::Response) -> Value {
    serde_json::to_value(&answer).unwrap()["error"]["code"].clone()
}

fn codes(diagnostics: &[Value]) -> Vec<&str> {
    diagnostics.iter().map(|d| d["code"].as_str().unwrap()).collect()
}

const VARIABLES: &str = "variable \"open\" {\n  type    = list(string)\n  default = [\"10.0.0.0/8\"]\n}\n";
const GROUP: &str = "resource \"aws_security_group\" \"ssh\" {\n  description = \"ssh\"\n  ingress {\n    description = \"ssh\"\n    from_port   = 22\n    to_port     = 22\n    protocol    = \"tcp\"\n    cidr_blocks = var.open\n  }\n}\n";

#[test]
fn an_edit_of_a_variable_changes_the_findings_where_it_is_used() {
    let mut client = Client::start("cross", &[("main.tf", GROUP), ("variables.tf", VARIABLES)], json!({}), Value::Null);
    client.open("variables.tf", VARIABLES);
    client.replace("variables.tf", 2, &VARIABLES.replace("10.0.0.0/8", "0.0.0.0/0"));
    let open = client.until("main.tf", |found| found.iter().any(|d| d["range"]["start"]["line"] == 7));
    let finding = open.iter().find(|d| d["range"]["start"]["line"] == 7).unwrap();
    assert_eq!(finding["source"], "stacklint");
    assert!(finding["codeDescription"]["href"].as_str().unwrap().starts_with("https://"), "{finding}");
    let origin = finding["relatedInformation"].as_array().unwrap();
    assert!(
        origin.iter().any(|r| r["location"]["uri"].as_str().unwrap().ends_with("variables.tf")),
        "the way of the value leads to its default: {origin:?}"
    );
    client.replace("variables.tf", 3, VARIABLES);
    client.until("main.tf", |found| !found.iter().any(|d| d["range"]["start"]["line"] == 7));
}

#[test]
fn hover_says_what_a_value_is_and_where_it_came_from() {
    let mut client = Client::start("hover", &[("main.tf", GROUP), ("variables.tf", VARIABLES)], json!({}), Value::Null);
    let at = client.at("main.tf", 7, 22);
    let hover = client.ask("textDocument/hover", at);
    let text = hover["contents"]["value"].as_str().unwrap();
    assert!(text.contains("10.0.0.0/8") && text.contains("[variables.tf:3](file://"), "{text}");
    assert!(text.contains("/variables.tf#L3)"), "{text}");
    let at = client.at("main.tf", 7, 22);
    let definition = client.ask("textDocument/definition", at);
    assert!(definition[0]["uri"].as_str().unwrap().ends_with("variables.tf"), "{definition}");
}

#[test]
fn hover_shows_no_secret_along_the_way() {
    let text = "variable \"word\" {\n  default   = \"correct-horse\"\n  sensitive = true\n}\n\
        resource \"aws_db_instance\" \"a\" {\n  password = var.word\n}\n";
    let mut client = Client::start("secret", &[("main.tf", text)], json!({}), Value::Null);
    let at = client.at("main.tf", 5, 16);
    let hover = client.ask("textDocument/hover", at);
    let text = hover["contents"]["value"].as_str().unwrap();
    assert!(text.contains("(sensitive)") && text.contains("main.tf:2"), "{text}");
    assert!(!text.contains("horse"), "{text}");
}

#[test]
fn hover_says_why_a_value_is_not_known_and_no_more() {
    let text = "resource \"aws_s3_bucket\" \"a\" {}\n\nresource \"aws_s3_bucket_acl\" \"a\" {\n  bucket = aws_s3_bucket.a.id\n}\n";
    let mut client = Client::start("unknown", &[("main.tf", text)], json!({}), Value::Null);
    let at = client.at("main.tf", 3, 14);
    let hover = client.ask("textDocument/hover", at);
    let text = hover["contents"]["value"].as_str().unwrap();
    assert!(text.contains("known only after apply") && !text.contains("Comes from"), "{text}");
}

#[test]
fn hover_lays_out_a_document_in_a_string() {
    let text = "resource \"aws_sqs_queue_policy\" \"a\" {\n  policy = jsonencode({ Statement = [{ Effect = \"Deny\" }] })\n}\n";
    let mut client = Client::start("document", &[("main.tf", text)], json!({}), Value::Null);
    let at = client.at("main.tf", 1, 4);
    let hover = client.ask("textDocument/hover", at);
    let text = hover["contents"]["value"].as_str().unwrap();
    assert!(text.contains("\n      \"Effect\": \"Deny\"\n"), "{text}");
}

#[test]
fn hover_on_an_instruction_speaks_of_the_instruction_and_not_of_its_parts() {
    let text = "FROM debian:bookworm\nRUN apt-get update && apt-get install nginx\nCMD [\"nginx\"]\n";
    let mut client = Client::start("instruction", &[("Dockerfile", text)], json!({}), Value::Null);
    let at = client.at("Dockerfile", 1, 34);
    let hover = client.ask("textDocument/hover", at);
    let text = hover["contents"]["value"].as_str().unwrap();
    assert!(text.starts_with("**RUN**") && text.contains("docker-apt-asks"), "{text}");
    assert_eq!(hover["range"]["start"], json!({"line": 1, "character": 0}));
}

#[test]
fn a_manifests_lens_stands_above_it() {
    let text = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nspec:\n  containers:\n  - name: a\n    image: a\n";
    let mut client = Client::start("lens", &[("pod.yaml", text)], json!({}), Value::Null);
    let document = json!({"textDocument": {"uri": client.uri("pod.yaml")}});
    let lenses = client.ask("textDocument/codeLens", document);
    assert_eq!(lenses[0]["range"]["start"], json!({"line": 0, "character": 0}), "{lenses}");
}

#[test]
fn the_graph_says_where_things_are_and_what_is_wrong_with_them() {
    let open = GROUP.replace("var.open", "[\"0.0.0.0/0\"]");
    let mut client = Client::start("graph", &[("main.tf", &open)], json!({}), Value::Null);
    let graph = client.ask("stacklint/graph", Value::Null);
    let group = graph["resources"].as_array().unwrap().iter().find(|r| r["kind"] == "aws_security_group").unwrap();
    assert!(group["location"]["uri"].as_str().unwrap().ends_with("/main.tf"), "{group}");
    assert_eq!(group["location"]["range"]["start"]["line"], 0);
    assert!(group["findings"].as_u64().unwrap() > 0, "{group}");
    assert_eq!(group["worst"], "high");
}

#[test]
fn a_policys_page_is_opened_by_a_client_that_can_and_by_no_other() {
    let open = GROUP.replace("var.open", "[\"0.0.0.0/0\"]");
    for able in [true, false] {
        let capabilities = json!({"window": {"showDocument": {"support": able}}});
        let mut client = Client::start(&format!("pages-{able}"), &[("main.tf", &open)], capabilities, Value::Null);
        let whole = json!({"start": {"line": 0, "character": 0}, "end": {"line": 9, "character": 0}});
        let document = json!({"uri": client.uri("main.tf")});
        let ask = json!({"textDocument": document, "range": whole, "context": {"diagnostics": []}});
        let actions = client.ask("textDocument/codeAction", ask);
        let reads = actions.as_array().unwrap().iter().find(|a| a["title"].as_str().unwrap().starts_with("Read about"));
        assert_eq!(reads.is_some(), able, "{actions}");
        let bad = json!({"command": "stacklint.openDocumentation", "arguments": ["file:///etc/passwd"]});
        let refused = client.answer("workspace/executeCommand", bad);
        assert_eq!(code(refused), -32602);
    }
}

#[test]
fn a_broken_file_keeps_the_findings_of_its_intact_parts() {
    let open = GROUP.replace("var.open", "[\"0.0.0.0/0\"]");
    let mut client = Client::start("broken", &[("main.tf", "")], json!({}), Value::Null);
    client.open("main.tf", &format!("{open}\nresource \"aws_s3_bucket\" \"b\" {{\n  bucket = \n"));
    let found = client.until("main.tf", |found| codes(found).contains(&"syntax"));
    assert!(found.len() > 1, "the security group's finding is still there: {:?}", codes(&found));
}

#[test]
fn unknown_requests_and_nonsense_get_the_protocols_errors_and_the_session_goes_on() {
    let mut client = Client::start("errors", &[("main.tf", GROUP)], json!({}), Value::Null);
    let unknown = client.answer("$/whatIsThis", json!({}));
    assert_eq!(code(unknown), -32601);
    let malformed = client.answer("textDocument/hover", json!({"nonsense": true}));
    assert_eq!(code(malformed), -32602);
    client.tell("$/unknownNotification", json!({}));
    client.tell("textDocument/didChange", json!({"textDocument": 3}));
    let outside = json!({"textDocument": {"uri": "untitled:Untitled-1"}, "position": {"line": 0, "character": 0}});
    assert_eq!(client.ask("textDocument/hover", outside), Value::Null);
}

#[test]
fn the_client_chooses_what_columns_count() {
    let text = "# \u{1d11e}\u{fc}\nresource \"aws_s3_bucket\" \"\u{1d11e}\" { bucket = }\n";
    let mut columns = Vec::new();
    for encoding in ["utf-8", "utf-16", "utf-32"] {
        let capabilities = json!({"general": {"positionEncodings": [encoding]}});
        let mut client =
            Client::start(&format!("encoding-{encoding}"), &[("main.tf", text)], capabilities, Value::Null);
        let found = client.until("main.tf", |found| codes(found).contains(&"syntax"));
        let error = found.iter().find(|d| d["code"] == "syntax").unwrap().clone();
        columns.push(error["range"]["start"]["character"].as_u64().unwrap());
    }
    assert_eq!(columns[0] - columns[1], 2, "four bytes are two units: {columns:?}");
    assert_eq!(columns[1] - columns[2], 1, "two units are one character: {columns:?}");
}
