//! Merge requests: a GitLab that remembers as much as the bot needs, over a real repository.

use crate::fake::hunks;
use crate::git::{Work, git_bytes};
use crate::{Folder, entries};
use axum::Router;
use axum::extract::{Request, State as Shared};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};

const PROJECT: &str = "/projects/group%2Fsub%2Fshop";
const BOT: u64 = 42;

#[derive(Default)]
struct State {
    repository: PathBuf,
    discussions: Vec<Value>,
    statuses: Vec<Value>,
    calls: Vec<String>,
    next: u64,
}

impl State {
    fn ask(&self, arguments: &[&str]) -> String {
        String::from_utf8(git_bytes(&self.repository, arguments)).unwrap().trim_end().to_owned()
    }

    fn head(&self) -> String {
        self.ask(&["rev-parse", "feature"])
    }

    fn base(&self) -> String {
        self.ask(&["merge-base", "main", "feature"])
    }

    fn note(&mut self, author: u64, body: &Value) -> Value {
        self.next += 1;
        json!({ "id": self.next, "author": { "id": author }, "body": body["body"], "system": false, "resolved": false })
    }

    fn diff(&self, path: &str) -> String {
        let text = self.ask(&["diff", &self.base(), &self.head(), "--", path]);
        text.find("\n@@ ").map_or_else(String::new, |at| format!("{}\n", &text[at + 1..]))
    }

    fn route(&mut self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        if query.contains("page=2") {
            return (200, json!([]));
        }
        if path == "/user" {
            return (200, json!({ "id": BOT, "username": "stacklint" }));
        }
        let Some(path) = path.strip_prefix(PROJECT) else { return (404, json!({ "message": "404 Not found" })) };
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        match (method, parts.as_slice()) {
            ("GET", ["members", "all", user]) if *user == "7" => (200, json!({ "id": 7, "access_level": 30 })),
            ("GET", ["repository", "commits", _, "statuses"]) => (200, json!(self.statuses)),
            ("POST", ["statuses", sha]) => {
                assert_eq!(*sha, self.head());
                let status = json!({ "id": 1, "status": body["state"], "description": body["description"] });
                self.statuses.push(status.clone());
                (201, status)
            }
            ("GET", ["merge_requests", "3"]) => {
                let refs = json!({ "head_sha": self.head(), "base_sha": self.base(), "start_sha": self.ask(&["rev-parse", "main"]) });
                (200, json!({ "iid": 3, "state": "opened", "diff_refs": refs }))
            }
            ("GET", ["merge_requests", "3", "diffs"]) => {
                let names = self.ask(&["diff", "--name-only", "--no-renames", &self.base(), &self.head()]);
                let file =
                    |p: &str| json!({ "new_path": p, "old_path": p, "deleted_file": false, "diff": self.diff(p) });
                (200, names.lines().map(file).collect())
            }
            ("GET", ["merge_requests", "3", "discussions"]) => (200, json!(self.discussions)),
            ("POST", ["merge_requests", "3", "discussions"]) => {
                let position = &body["position"];
                let (path, line) = (position["new_path"].as_str().unwrap(), position["new_line"].as_u64().unwrap());
                let shown = hunks(&self.diff(path)).iter().any(|(_, _, start, n)| *start <= line && line < start + n);
                if !shown || position["head_sha"] != json!(self.head()) || position["position_type"] != "text" {
                    return (400, json!({ "message": "line_code can't be blank" }));
                }
                let mut note = self.note(BOT, body);
                note["position"] = position.clone();
                self.discussions.push(json!({ "id": format!("d{}", self.next), "notes": [note] }));
                (201, self.discussions.last().cloned().unwrap())
            }
            ("POST", ["merge_requests", "3", "notes"]) => {
                let note = self.note(BOT, body);
                self.discussions
                    .push(json!({ "id": format!("d{}", self.next), "individual_note": true, "notes": [note] }));
                (201, note)
            }
            ("POST", ["merge_requests", "3", "discussions", id, "notes"]) => {
                let note = self.note(BOT, body);
                let d = self.discussions.iter_mut().find(|d| d["id"] == **id).unwrap();
                d["notes"].as_array_mut().unwrap().push(note.clone());
                (201, note)
            }
            ("PUT", ["merge_requests", "3", "discussions", id]) => {
                let d = self.discussions.iter_mut().find(|d| d["id"] == **id).unwrap();
                d["notes"][0]["resolved"] = body["resolved"].clone();
                (200, d.clone())
            }
            ("PUT", ["merge_requests", "3", "discussions", id, "notes", note]) => {
                let d = self.discussions.iter_mut().find(|d| d["id"] == **id).unwrap();
                let n = d["notes"]
                    .as_array_mut()
                    .unwrap()
                    .iter_mut()
                    .find(|n| n["id"].as_u64() == note.parse().ok())
                    .unwrap();
                n["body"] = body["body"].clone();
                (200, n.clone())
            }
            _ => (404, json!({ "message": "404 Not found" })),
        }
    }
}

async fn handle(Shared(state): Shared<Arc<Mutex<State>>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let path = head.uri.path_and_query().unwrap().as_str().to_owned();
    if head.headers.get("private-token").is_none_or(|t| t != "glpat-Planted") {
        return (StatusCode::UNAUTHORIZED, "{}").into_response();
    }
    let answered = tokio::task::spawn_blocking(move || {
        let mut state = state.lock().unwrap();
        let (status, value) = state.route(head.method.as_str(), &path, &body);
        if head.method != "GET" {
            let short = path.trim_start_matches(PROJECT).trim_start_matches("/merge_requests/3");
            let words: Vec<&str> =
                short.split('/').filter(|p| p.len() < 20 && !p.contains(|c: char| c.is_ascii_digit())).collect();
            state.calls.push(format!("{} {} {status}", head.method, words.join("/").trim_matches('/')));
        }
        (StatusCode::from_u16(status).unwrap(), value.to_string()).into_response()
    });
    answered.await.unwrap()
}

#[test]
fn a_life_of_a_merge_request() {
    let folder = Folder::new("gitlab");
    let work = Work::new(&folder.0, "group/sub/shop");
    let bucket =
        |acl: &str| format!("resource \"aws_s3_bucket\" \"b\" {{\n  bucket = \"b\"\n  acl    = \"{acl}\"\n}}\n");
    work.write("stacklint.toml", "select = [\"aws-s3-bucket-public-acl\"]\n");
    work.write("main.tf", &bucket("private"));
    work.push("main");
    let state = Arc::new(Mutex::new(State { repository: folder.0.join("group/sub/shop.git"), ..State::default() }));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let api = format!("http://{}", listener.local_addr().unwrap());
    runtime.spawn(crate::fake::axum_serve(listener, Router::new().fallback(handle).with_state(state.clone())));
    let review = || {
        let output = Command::new(env!("CARGO_BIN_EXE_stacklint"))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            // As GitLab's runner says it.
            .env("GITLAB_CI", "true")
            .env("GITLAB_TOKEN", "glpat-Planted")
            .env("CI_API_V4_URL", &api)
            .env("CI_PROJECT_PATH", "group/sub/shop")
            .env("CI_MERGE_REQUEST_IID", "3")
            .args(["bot", "review", "--git-url", &format!("file://{}", folder.0.display()), "--scratch"])
            .arg(folder.0.join("scratch"))
            .output()
            .unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(!text.contains("Planted"), "{text}");
        assert_eq!(entries(&folder.0.join("scratch")), Vec::<String>::new());
        (output.status.code().unwrap(), text)
    };
    let expect = |step: &str, code: i32, calls: &[&str]| {
        let (got, text) = review();
        assert_eq!(std::mem::take(&mut state.lock().unwrap().calls), calls, "{step}: {text}");
        assert_eq!(got, code, "{step}: {text}");
        let (_, text) = review();
        assert_eq!(std::mem::take(&mut state.lock().unwrap().calls), Vec::<String>::new(), "{step}, again: {text}");
    };
    work.write("main.tf", &bucket("public-read"));
    work.push("feature");
    expect("a finding", 1, &["POST discussions 201", "POST notes 201", "POST statuses 201"]);
    let body = state.lock().unwrap().discussions[0]["notes"][0]["body"].as_str().unwrap().to_owned();
    assert!(body.contains("```suggestion:-0+0\n  acl    = \"private\"\n```"), "{body}");
    {
        let mut state = state.lock().unwrap();
        let mut reply = |author: u64| state.note(author, &json!({ "body": "stacklint ignore: a public site" }));
        let replies = [reply(7), reply(8)];
        state.discussions[0]["notes"].as_array_mut().unwrap().extend(replies);
    }
    expect("wishes", 1, &["POST discussions/notes 201", "POST discussions/notes 201"]);
    {
        let state = state.lock().unwrap();
        let notes = state.discussions[0]["notes"].as_array().unwrap();
        let granted = notes[3]["body"].as_str().unwrap();
        assert!(
            granted.contains("suggestion:-0+0\n  # stacklint: ignore[aws-s3-bucket-public-acl] a public site\n"),
            "{granted}"
        );
        assert!(notes[4]["body"].as_str().unwrap().starts_with("Somebody who may write"), "{notes:#?}");
    }
    work.write("main.tf", &bucket("private"));
    work.write("README.md", "words\n");
    work.push("feature");
    state.lock().unwrap().statuses.clear();
    expect(
        "fixed",
        0,
        &["PUT discussions/notes 200", "PUT discussions 200", "PUT discussions/notes 200", "POST statuses 201"],
    );
    let state = state.lock().unwrap();
    assert_eq!(state.discussions[0]["notes"][0]["resolved"], true);
    assert_eq!(state.statuses[0]["status"], "success");
}
