//! The language server as a client meets it, over an in-memory connection.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test may stop at the first surprise"
)]

use lsp_server::{Connection, Message, Notification, Request, RequestId};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long anything may take before the test gives up; no test measures time.
const PATIENCE: Duration = Duration::from_secs(60);

/// A client with a folder of its own.
struct Client {
    connection: Connection,
    server: Option<std::thread::JoinHandle<()>>,
    folder: PathBuf,
    next: i32,
    /// The last diagnostics of each file that has some, by file name.
    diagnostics: BTreeMap<String, Vec<Value>>,
    /// How often diagnostics were published.
    published: usize,
}

impl Client {
    fn start(name: &str, files: &[(&str, &str)], capabilities: Value, options: Value) -> Client {
        let folder = std::env::temp_dir().join(format!("stacklint-lsp-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let folder = folder.canonicalize().unwrap();
        std::fs::create_dir_all(folder.join(".git")).unwrap();
        for (path, text) in files {
            let full = folder.join(path);
            std::fs::create_dir_all(full.parent().unwrap()).unwrap();
            std::fs::write(full, text).unwrap();
        }
        let (connection, theirs) = Connection::memory();
        let server = std::thread::spawn(move || stacklint::lsp::serve(&theirs).unwrap());
        let mut client =
            Client { connection, server: Some(server), folder, next: 0, diagnostics: BTreeMap::new(), published: 0 };
        let root = client.uri("");
        let folders = json!([{"uri": root, "name": "workspace"}]);
        let answer = client.ask(
            "initialize",
            json!({"capabilities": capabilities, "workspaceFolders": folders, "initializationOptions": options}),
        );
        assert_eq!(answer["serverInfo"]["name"], "stacklint");
        client.tell("initialized", json!({}));
        client
    }

    fn uri(&self, path: &str) -> String {
        let full = if path.is_empty() { self.folder.clone() } else { self.folder.join(path) };
        format!("file://{}", full.display())
    }

    fn tell(&self, method: &str, params: Value) {
        self.connection.sender.send(Message::Notification(Notification::new(method.to_owned(), params))).unwrap();
    }

    fn send(&mut self, method: &str, params: Value) -> RequestId {
        self.next += 1;
        let id = RequestId::from(self.next);
        self.connection.sender.send(Message::Request(Request::new(id.clone(), method.to_owned(), params))).unwrap();
        id
    }

    /// The raw answer to a request.
    fn answer(&mut self, method: &str, params: Value) -> lsp_server::Response {
        let id = self.send(method, params);
        loop {
            if let Some(Message::Response(response)) = self.receive()
                && response.id == id
            {
                return response;
            }
        }
    }

    fn ask(&mut self, method: &str, params: Value) -> Value {
        let response = self.answer(method, params);
        serde_json::to_value(&response).unwrap()["result"].clone()
    }

    /// Takes the next message in; published diagnostics are kept.
    fn receive(&mut self) -> Option<Message> {
        let message = self.connection.receiver.recv_timeout(PATIENCE).expect("the server went silent");
        if let Message::Notification(n) = &message
            && n.method == "textDocument/publishDiagnostics"
        {
            let uri = n.params["uri"].as_str().unwrap();
            let name = Path::new(uri).file_name().unwrap().to_str().unwrap().to_owned();
            let found = n.params["diagnostics"].as_array().unwrap().clone();
            self.published += 1;
            if found.is_empty() {
                self.diagnostics.remove(&name);
            } else {
                self.diagnostics.insert(name, found);
            }
        }
        Some(message)
    }

    fn open(&self, path: &str, text: &str) {
        let item = json!({"uri": self.uri(path), "languageId": "terraform", "version": 1, "text": text});
        self.tell("textDocument/didOpen", json!({"textDocument": item}));
    }

    fn replace(&self, path: &str, version: i32, text: &str) {
        let document = json!({"uri": self.uri(path), "version": version});
        self.tell("textDocument/didChange", json!({"textDocument": document, "contentChanges": [{"text": text}]}));
    }

    /// Waits until a file's diagnostics satisfy `wanted`.
    fn until(&mut self, file: &str, wanted: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        loop {
            let now = self.diagnostics.get(file).cloned().unwrap_or_default();
            if wanted(&now) {
                return now;
            }
            self.receive();
        }
    }

    fn at(&self, path: &str, line: u32, character: u32) -> Value {
        json!({"textDocument": {"uri": self.uri(path)}, "position": {"line": line, "character": character}})
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        self.ask("shutdown", Value::Null);
        self.tell("exit", Value::Null);
        self.server.take().unwrap().join().unwrap();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

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

/// A small generator of our own (xorshift): the same edits every time.
struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % (below.max(1) as u64)).unwrap()
    }
}

fn position(text: &str, offset: usize) -> Value {
    let before = &text[..offset];
    let line = before.matches('\n').count();
    let start = before.rfind('\n').map_or(0, |i| i + 1);
    json!({"line": line, "character": before[start..].encode_utf16().count()})
}

#[test]
fn after_many_random_edits_the_servers_text_and_findings_are_those_of_a_fresh_start() {
    let pieces = [
        "x",
        "\"",
        "{",
        "}",
        "\n",
        "\r\n",
        "\u{1d11e}",
        "\u{e9}",
        " = ",
        "[",
        "]",
        "# note\n",
        "${",
        "0.0.0.0/0",
        "resource \"aws_s3_bucket\" \"b\" {\n  acl = \"public-read\"\n}\n",
        "var.open",
        "<<EOF\n",
        "count = 2\n",
    ];
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut text = format!("{GROUP}{VARIABLES}");
    let mut undo = vec![text.clone()];
    let mut client = Client::start("random", &[("other.tf", VARIABLES)], json!({}), Value::Null);
    client.open("main.tf", &text);
    for version in 2..600 {
        let boundaries: Vec<usize> = text.char_indices().map(|(i, _)| i).chain([text.len()]).collect();
        let a = boundaries[random.next(boundaries.len())];
        let b =
            boundaries[(boundaries.iter().position(|x| *x == a).unwrap() + random.next(8)).min(boundaries.len() - 1)];
        let (start, end, piece) = match random.next(10) {
            0 => (0, text.len(), undo[random.next(undo.len())].clone()),
            1..4 => (a, b, String::new()),
            _ => (a, a, pieces[random.next(pieces.len())].to_owned()),
        };
        // A place between the two characters of a line break cannot be named in the protocol.
        if text[..start].ends_with('\r') && text[start..].starts_with('\n')
            || text[..end].ends_with('\r') && text[end..].starts_with('\n')
        {
            continue;
        }
        let range = json!({"start": position(&text, start), "end": position(&text, end)});
        text.replace_range(start..end, &piece);
        if text.contains('\r') && text.replace("\r\n", "").contains('\r') {
            // A lone carriage return ends a line in the protocol but not in this test's own counting of lines.
            text = undo[0].clone();
            client.replace("main.tf", version, &text);
        } else {
            let document = json!({"uri": client.uri("main.tf"), "version": version});
            let change = json!([{"range": range, "text": piece}]);
            client.tell("textDocument/didChange", json!({"textDocument": document, "contentChanges": change}));
        }
        if random.next(6) == 0 {
            undo.push(text.clone());
        }
    }
    let uri = client.uri("main.tf");
    assert_eq!(client.ask("stacklint/text", json!({"uri": uri})), json!(text));
    let pulled = client.ask("textDocument/diagnostic", json!({"textDocument": {"uri": uri}}));

    let mut fresh = Client::start("fresh", &[("other.tf", VARIABLES), ("main.tf", &text)], json!({}), Value::Null);
    let uri = fresh.uri("main.tf");
    let cold = fresh.ask("textDocument/diagnostic", json!({"textDocument": {"uri": uri}}));
    let strip = |v: &Value, folder: &Path| v["items"].to_string().replace(folder.to_str().unwrap(), "");
    assert_eq!(strip(&pulled, &client.folder), strip(&cold, &fresh.folder));
}
