//! The protocol's own business: the handshake, cancellation, progress, folders, files on disk, settings, refusals.

use crate::client::{Client, folder};
use crate::{GROUP, VARIABLES, code, codes};
use lsp_server::{Connection, Message, Notification, Request};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

const OPEN: &str = "resource \"aws_s3_bucket\" \"b\" {\n  acl = \"public-read\"\n}\n";
const POLICY: &str = "aws-s3-acl-everyone";

fn finds(policy: &str) -> impl Fn(&[Value]) -> bool {
    move |found| codes(found).contains(&policy)
}

fn changed(client: &Client, path: &str, kind: u8) {
    let uri = client.uri(path);
    client.tell("workspace/didChangeWatchedFiles", json!({"changes": [{"uri": uri, "type": kind}]}));
}

const CREATED: u8 = 1;
const CHANGED: u8 = 2;
const DELETED: u8 = 3;

/// What the server says to messages that all lie before it when it begins.
fn conversation(name: &str, files: &[(&str, &str)], messages: Vec<Message>) -> (Vec<Message>, Result<(), String>) {
    let folder = folder(name, files);
    let (client, server) = Connection::memory();
    let root = format!("file://{}", folder.display());
    let params = json!({"capabilities": {}, "workspaceFolders": [{"uri": root, "name": "w"}]});
    let first = [
        Message::Request(Request::new(1.into(), "initialize".to_owned(), params)),
        Message::Notification(Notification::new("initialized".to_owned(), json!({}))),
    ];
    for message in first.into_iter().chain(messages) {
        // Documents are named by their path alone.
        let text = serde_json::to_string(&message).unwrap().replace("file:///main.tf", &format!("{root}/main.tf"));
        client.sender.send(serde_json::from_str(&text).unwrap()).unwrap();
    }
    let ended = stacklint::lsp::serve(&server).map_err(|e| e.to_string());
    drop(server);
    let said = client.receiver.iter().collect();
    let _ = std::fs::remove_dir_all(folder);
    (said, ended)
}

fn request(id: i32, method: &str, params: Value) -> Message {
    Message::Request(Request::new(id.into(), method.to_owned(), params))
}

fn notification(method: &str, params: Value) -> Message {
    Message::Notification(Notification::new(method.to_owned(), params))
}

fn answer(said: &[Message], id: i32) -> lsp_server::Response {
    let answers = said.iter().filter_map(|m| match m {
        Message::Response(r) if r.id == id.into() => Some(r.clone()),
        _ => None,
    });
    let answers: Vec<_> = answers.collect();
    assert_eq!(answers.len(), 1, "each request is answered once: {answers:?}");
    answers[0].clone()
}

#[test]
fn a_request_that_is_taken_back_is_answered_as_cancelled_and_the_next_one_is_not() {
    let hover = json!({"textDocument": {"uri": "file:///main.tf"}, "position": {"line": 0, "character": 20}});
    let (said, ended) = conversation(
        "cancel",
        &[("main.tf", OPEN)],
        vec![
            request(2, "textDocument/hover", hover.clone()),
            notification("$/cancelRequest", json!({"id": 2})),
            // One that nobody asked: it is no one's business.
            notification("$/cancelRequest", json!({"id": 77})),
            request(3, "textDocument/hover", hover),
            request(4, "shutdown", Value::Null),
            notification("exit", Value::Null),
        ],
    );
    assert_eq!(ended, Ok(()));
    assert_eq!(code(answer(&said, 2)), -32800);
    let hover = serde_json::to_value(answer(&said, 3)).unwrap();
    assert!(hover["result"]["contents"]["value"].as_str().unwrap().contains("aws_s3_bucket"), "{hover}");
}

#[test]
fn after_the_shutdown_nothing_is_answered_and_without_it_the_end_is_a_failure() {
    let (said, ended) = conversation(
        "shutdown",
        &[("main.tf", OPEN)],
        vec![
            request(2, "shutdown", Value::Null),
            request(3, "textDocument/hover", json!({})),
            notification("exit", Value::Null),
        ],
    );
    assert_eq!(ended, Ok(()));
    assert_eq!(code(answer(&said, 3)), -32600);
    let (_, ended) = conversation("exit", &[], vec![notification("exit", Value::Null)]);
    assert!(ended.is_err(), "a client that goes without a word is an error, which the exit code says");
}

#[test]
fn edits_that_come_faster_than_checks_end_in_the_findings_of_the_last() {
    let mut messages = vec![notification(
        "textDocument/didOpen",
        json!({"textDocument": {"uri": "file:///main.tf", "languageId": "terraform", "version": 1, "text": OPEN}}),
    )];
    for version in 2..=200 {
        let acl = if version == 200 { "public-read-write" } else { "private" };
        messages.push(notification(
            "textDocument/didChange",
            json!({
                "textDocument": {"uri": "file:///main.tf", "version": version},
                "contentChanges": [{"text": OPEN.replace("public-read", acl)}],
            }),
        ));
    }
    messages.push(request(2, "textDocument/diagnostic", json!({"textDocument": {"uri": "file:///main.tf"}})));
    messages.push(request(3, "shutdown", Value::Null));
    messages.push(notification("exit", Value::Null));
    let (said, _) = conversation("fast", &[("main.tf", OPEN)], messages);
    let pulled = serde_json::to_value(answer(&said, 2)).unwrap()["result"]["items"].clone();
    let public = pulled.as_array().unwrap().iter().find(|d| d["code"] == "aws-s3-acl-everyone-writes").unwrap().clone();
    assert!(public["message"].as_str().unwrap().contains("public-read-write"), "{public}");
    let published =
        said.iter().filter(|m| matches!(m, Message::Notification(n) if n.method == "textDocument/publishDiagnostics"));
    // Stale states are skipped or called off; how many is a matter of luck, all of them never.
    assert!(published.count() < 150, "stale states are not worked through");
}

#[test]
fn a_client_may_pull_and_is_told_what_stayed_the_same() {
    let capabilities = json!({
        "textDocument": {"diagnostic": {}},
        "workspace": {"diagnostics": {"refreshSupport": true}},
    });
    let options = json!({"diagnostics": "pull"});
    let mut client = Client::start("pull", &[("main.tf", GROUP), ("variables.tf", VARIABLES)], capabilities, options);
    let provider = client.capabilities()["diagnosticProvider"].clone();
    assert_eq!(provider["interFileDependencies"], true);
    assert_eq!(provider["workspaceDiagnostics"], true);

    let document = json!({"uri": client.uri("main.tf")});
    let first = client.ask("textDocument/diagnostic", json!({"textDocument": document}));
    assert_eq!(first["kind"], "full");
    let again = json!({"textDocument": document, "previousResultId": first["resultId"]});
    assert_eq!(client.ask("textDocument/diagnostic", again.clone())["kind"], "unchanged");

    // An edit elsewhere that changes what is found here.
    client.open("variables.tf", &VARIABLES.replace("10.0.0.0/8", "0.0.0.0/0"));
    let open = client.ask("textDocument/diagnostic", again);
    assert_eq!(open["kind"], "full");
    assert!(open["items"].as_array().unwrap().len() > first["items"].as_array().unwrap().len());

    let all = client.ask("workspace/diagnostic", json!({"previousResultIds": [], "workDoneToken": "mine"}));
    let of_main = |all: &Value| {
        let items = all["items"].as_array().unwrap();
        items.iter().find(|i| i["uri"].as_str().unwrap().ends_with("/main.tf")).unwrap().clone()
    };
    let main = of_main(&all);
    assert_eq!((&main["kind"], &main["items"]), (&json!("full"), &open["items"]));
    let known = json!([{"uri": main["uri"], "value": main["resultId"]}]);
    let later = client.ask("workspace/diagnostic", json!({"previousResultIds": known}));
    assert_eq!(of_main(&later)["kind"], "unchanged");
    let begun = client.hear("$/progress");
    assert_eq!((&begun["token"], &begun["value"]["kind"]), (&json!("mine"), &json!("begin")));
    assert_eq!(client.hear("$/progress")["value"]["kind"], "end");
    assert_eq!(client.published, 0, "who pulls is not pushed to");
}

#[test]
fn reading_the_workspace_is_shown_as_progress_to_clients_that_can_show_it() {
    let capabilities = json!({"window": {"workDoneProgress": true}});
    let mut client = Client::start("progress", &[("main.tf", OPEN)], capabilities, Value::Null);
    let token = client.hear("window/workDoneProgress/create")["token"].clone();
    let begin = client.hear("$/progress");
    assert_eq!((&begin["token"], &begin["value"]["kind"]), (&token, &json!("begin")));
    let end = client.hear("$/progress");
    assert_eq!((&end["token"], &end["value"]["kind"]), (&token, &json!("end")));

    let mut plain = Client::start("no-progress", &[("main.tf", OPEN)], json!({}), Value::Null);
    plain.until("main.tf", finds(POLICY));
    assert!(!plain.heard.iter().any(|(method, _)| method.contains("rogress")), "{:?}", plain.heard);
}

#[test]
fn several_folders_are_one_workspace_and_come_and_go() {
    let files = [("a/main.tf", OPEN), ("b/other.tf", OPEN), ("c/third.tf", OPEN)];
    let folder = folder("roots", &files);
    let mut client = Client::over(folder, &["a", "b"], json!({}), Value::Null);
    client.until("main.tf", finds(POLICY));
    client.until("other.tf", finds(POLICY));
    assert!(!client.diagnostics.contains_key("third.tf"), "only what is open is looked at");
    let event = json!({
        "added": [{"uri": client.uri("c"), "name": "c"}],
        "removed": [{"uri": client.uri("b"), "name": "b"}],
    });
    client.tell("workspace/didChangeWorkspaceFolders", json!({"event": event}));
    client.until("third.tf", finds(POLICY));
    client.until("other.tf", <[Value]>::is_empty);
    client.until("main.tf", finds(POLICY));
}

#[test]
fn files_that_appear_change_and_vanish_on_disk_are_followed() {
    let capabilities = json!({"workspace": {"didChangeWatchedFiles": {"dynamicRegistration": true}}});
    let module = OPEN.replace("\"public-read\"", "var.acl") + "variable \"acl\" {}\n";
    let files = [("main.tf", module.as_str()), ("terraform.tfvars", "acl = \"private\"\n")];
    let mut client = Client::start("watched", &files, capabilities, Value::Null);
    let registered = client.hear("client/registerCapability").to_string();
    for glob in ["**/*.tf", "**/*.tfvars", "**/*.yaml", "Dockerfile", "**/stacklint.toml"] {
        assert!(registered.contains(glob), "{glob} is not watched: {registered}");
    }
    client.write("terraform.tfvars", "acl = \"public-read\"\n");
    changed(&client, "terraform.tfvars", CHANGED);
    client.until("main.tf", finds(POLICY));
    client.write("new.tf", &OPEN.replace("\"b\"", "\"c\""));
    changed(&client, "new.tf", CREATED);
    client.until("new.tf", finds(POLICY));
    std::fs::remove_file(client.folder.join("new.tf")).unwrap();
    changed(&client, "new.tf", DELETED);
    client.until("new.tf", <[Value]>::is_empty);
    // What is open is what the editor says it is, whatever happens on disk.
    client.open("main.tf", OPEN);
    client.write("main.tf", "");
    changed(&client, "main.tf", CHANGED);
    client.until("main.tf", finds(POLICY));
    client.close("main.tf");
    client.until("main.tf", <[Value]>::is_empty);
}

#[test]
fn the_configuration_takes_effect_when_it_is_saved_and_its_mistakes_stand_in_it() {
    let mut client = Client::start("configuration", &[("main.tf", OPEN)], json!({}), Value::Null);
    client.until("main.tf", finds(POLICY));
    client.write("stacklint.toml", "ignore = [\"aws-s3-*\"]\n");
    changed(&client, "stacklint.toml", CREATED);
    client.until("main.tf", |found| !codes(found).iter().any(|c| c.starts_with("aws-s3-")));
    client.write("stacklint.toml", "\nignored = []\n");
    changed(&client, "stacklint.toml", CHANGED);
    let mistakes = client.until("stacklint.toml", |found| !found.is_empty());
    assert_eq!(mistakes[0]["range"]["start"], json!({"line": 1, "character": 0}));
    assert!(mistakes[0]["message"].as_str().unwrap().contains("did you mean `ignore`"), "{mistakes:?}");
    client.until("main.tf", finds(POLICY));
    client.write("stacklint.toml", "[severity]\n\"aws-s3-acl-everyone\" = \"info\"\n");
    changed(&client, "stacklint.toml", CHANGED);
    client.until("stacklint.toml", <[Value]>::is_empty);
    client.until("main.tf", |found| found.iter().any(|d| d["code"] == POLICY && d["severity"] == 4));
}

#[test]
fn mistakes_in_policies_of_ones_own_stand_in_them_and_cost_nothing_else() {
    let files = [
        ("main.tf", OPEN),
        ("stacklint.toml", "policy-dirs = [\"rules\"]\n"),
        ("rules/own.yaml", "name: own\nseverity: terrible\n"),
    ];
    let mut client = Client::start("own", &files, json!({}), Value::Null);
    let mistakes = client.until("own.yaml", |found| !found.is_empty());
    let severity = mistakes.iter().find(|d| d["message"].as_str().unwrap().contains("severity")).unwrap();
    assert_eq!(severity["range"]["start"]["line"], 1, "{mistakes:?}");
    client.until("main.tf", finds(POLICY));
    let pulled = client.everything();
    assert_eq!(pulled[&client.uri("rules/own.yaml")].as_array().unwrap().len(), mistakes.len());
}

#[test]
fn inlay_hints_are_off_until_they_are_asked_for() {
    let files = [("main.tf", GROUP), ("variables.tf", VARIABLES)];
    let whole = json!({"start": {"line": 0, "character": 0}, "end": {"line": 99, "character": 0}});
    let hints = |client: &mut Client| {
        let uri = client.uri("main.tf");
        client.ask("textDocument/inlayHint", json!({"textDocument": {"uri": uri}, "range": whole}))
    };
    let mut client = Client::start("hints", &files, json!({}), Value::Null);
    assert_eq!(hints(&mut client), Value::Null);
    let on = json!({"settings": {"stacklint": {"inlayHints": true}}});
    client.tell("workspace/didChangeConfiguration", on);
    let shown = hints(&mut client);
    assert_eq!(shown[0]["label"], "= [\"10.0.0.0/8\"]");
    assert_eq!(shown[0]["position"], json!({"line": 7, "character": 26}));
    let mut eager = Client::start("eager-hints", &files, json!({}), json!({"inlayHints": true}));
    assert_eq!(hints(&mut eager), shown);
}

#[test]
fn what_is_not_known_is_refused_or_passed_over_as_the_protocol_says() {
    let mut client = Client::start("unknown-methods", &[("main.tf", OPEN)], json!({}), Value::Null);
    for method in ["$/whatIsThis", "textDocument/whatIsThis", "stacklint/whatIsThis", "workspace/symbol"] {
        assert_eq!(code(client.answer(method, json!({}))), -32601, "{method}");
    }
    for method in ["$/setTrace", "$/unknown", "textDocument/unknown", "notebookDocument/didOpen"] {
        client.tell(method, json!({"nonsense": [1, 2, 3]}));
    }
    let elsewhere = [
        json!({"uri": "untitled:Untitled-1"}),
        json!({"uri": "git:/main.tf?ref=HEAD"}),
        json!({"uri": client.uri("not-there.tf")}),
    ];
    for document in elsewhere {
        let at = json!({"textDocument": document, "position": {"line": 9, "character": 9}});
        assert_eq!(client.ask("textDocument/hover", at), Value::Null);
    }
    // An edit of what is not open, and one that is no edit at all.
    client.replace("main.tf", 7, "");
    client.tell("textDocument/didChange", json!({"textDocument": 3}));
    client.hear("window/logMessage");
    client.until("main.tf", finds(POLICY));
}

#[test]
fn a_file_outside_of_any_folder_is_checked_by_itself() {
    let folder = folder("single", &[("main.tf", "")]);
    let mut client = Client::over(folder, &[], json!({}), Value::Null);
    client.open("main.tf", OPEN);
    client.until("main.tf", finds(POLICY));
    client.close("main.tf");
    client.until("main.tf", <[Value]>::is_empty);
}

#[test]
fn what_is_announced_is_answered() {
    let capabilities = json!({"window": {"showDocument": {"support": true}}});
    let options = json!({"inlayHints": true});
    let mut client = Client::start("announced", &[("main.tf", OPEN)], capabilities, options);
    let announced = client.capabilities();
    let document = json!({"uri": client.uri("main.tf")});
    let start = json!({"line": 0, "character": 0});
    let params = json!({
        "textDocument": document, "position": start, "positions": [start], "context": {"diagnostics": [], "includeDeclaration": true, "triggerKind": 1},
        "range": {"start": start, "end": start}, "label": "x", "title": "x",
    });
    let methods = [
        ("hoverProvider", "textDocument/hover"),
        ("definitionProvider", "textDocument/definition"),
        ("referencesProvider", "textDocument/references"),
        ("documentSymbolProvider", "textDocument/documentSymbol"),
        ("selectionRangeProvider", "textDocument/selectionRange"),
        ("inlayHintProvider", "textDocument/inlayHint"),
        ("codeLensProvider", "textDocument/codeLens"),
        ("completionProvider", "textDocument/completion"),
        ("codeActionProvider", "textDocument/codeAction"),
    ];
    for (provider, method) in methods {
        assert!(!announced[provider].is_null(), "{provider}: {announced}");
        let answer = serde_json::to_value(client.answer(method, params.clone())).unwrap();
        assert!(answer["error"].is_null(), "{method}: {answer}");
        if announced[provider]["resolveProvider"] == true {
            let resolve = match provider {
                "completionProvider" => "completionItem/resolve".to_owned(),
                _ => format!("{}/resolve", method.trim_start_matches("textDocument/")),
            };
            let answer = serde_json::to_value(client.answer(&resolve, params.clone())).unwrap();
            assert!(answer["error"].is_null(), "{resolve}: {answer}");
        }
    }
    let known: Vec<&str> = methods.iter().map(|m| m.0).collect();
    for (provider, _) in announced.as_object().unwrap().iter().filter(|(k, _)| k.ends_with("Provider")) {
        assert!(known.contains(&provider.as_str()) || provider == "executeCommandProvider", "{provider} is not tried");
    }
}
