//! A GitHub that remembers: pull requests of real git repositories, reviews whose comments move along with their lines or
//! become outdated, check runs, threads, tokens. It refuses what GitHub refuses, and can be told to limit, to break and to
//! lose answers. Answers are GitHub's own samples (from its OpenAPI description) with the fields that matter set.

use crate::git::git_bytes;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State as Shared};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard};

/// The account that the bot's token speaks for.
pub const BOT: &str = "stacklint[bot]";
/// A token that may do everything a review needs.
pub const TOKEN: &str = "ghs_PlantedInstallationToken0001";
const SAMPLES: &str = include_str!("samples.json");
/// GitHub's limit for bodies.
const MOST_BODY: usize = 65_536;

/// The fake, on a port of its own.
pub struct Fake {
    pub port: u16,
    state: Arc<Mutex<State>>,
    _runtime: tokio::runtime::Runtime,
}

/// A call that was made, and the status it got.
#[derive(Clone, Debug)]
pub struct Call {
    pub method: String,
    pub path: String,
    pub body: Value,
    pub status: u16,
}

/// What goes wrong with a call whose method and path begin like this.
pub struct Fault {
    pub method: &'static str,
    pub path: &'static str,
    pub how: How,
}

pub enum How {
    /// A secondary rate limit, as GitHub words it.
    Limit { seconds: u64 },
    /// It is done, and the answer is lost.
    Lose,
    /// It breaks before anything is done.
    Break,
}

pub struct State {
    pub root: PathBuf,
    pub pulls: BTreeMap<(String, u64), Pull>,
    pub checks: Vec<Check>,
    pub calls: Vec<Call>,
    pub faults: Vec<Fault>,
    /// What users may do in repositories.
    pub permissions: BTreeMap<String, &'static str>,
    /// The tokens that are known, with the account behind each.
    pub tokens: BTreeMap<String, String>,
    /// The public half of the App's key, in DER.
    pub app_key: Option<Vec<u8>>,
    /// Whether every token of an App is refused.
    pub refuse_app: bool,
    /// Whether every call waits until this is over.
    pub hold: bool,
    next: u64,
    /// What git said of commits, which never change.
    said: std::cell::RefCell<BTreeMap<Vec<String>, String>>,
}

#[derive(Default)]
pub struct Pull {
    pub head: String,
    pub base: String,
    pub closed: bool,
    pub notes: Vec<Note>,
    pub comments: Vec<Comment>,
    pub reviews: usize,
}

#[derive(Clone, Debug)]
pub struct Note {
    pub id: u64,
    pub author: String,
    pub body: String,
}

#[derive(Clone, Debug)]
pub struct Comment {
    pub id: u64,
    pub author: String,
    pub body: String,
    pub path: String,
    pub commit: String,
    /// The lines in that commit.
    pub start: u64,
    pub line: u64,
    pub reply_to: Option<u64>,
    pub resolved: bool,
}

#[derive(Clone, Debug)]
pub struct Check {
    pub id: u64,
    pub sha: String,
    pub external_id: String,
    pub status: String,
    pub conclusion: Value,
    pub title: String,
    pub summary: String,
    pub annotations: Vec<Value>,
    /// Annotations of each call that brought some.
    pub batches: Vec<usize>,
}

/// An answer before it is sent.
struct Answer {
    status: u16,
    body: Value,
    link: Option<String>,
    retry_after: Option<u64>,
}

impl Answer {
    fn ok(status: u16, body: Value) -> Answer {
        Answer { status, body, link: None, retry_after: None }
    }

    fn refused(status: u16, message: &str) -> Answer {
        let url = "https://docs.github.com/rest";
        let errors = if status == 422 { json!([message]) } else { json!([]) };
        let mut body = json!({ "message": message, "documentation_url": url, "status": status.to_string() });
        if status == 422 {
            body["errors"] = errors;
        }
        Answer::ok(status, body)
    }
}

impl Fake {
    /// Starts one. `root` has a bare repository `OWNER/NAME.git` for each repository.
    pub fn start(root: &Path) -> Fake {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        // A proxy in front of it needs to know the port before it starts.
        let wanted: u16 = std::env::var("STACKLINT_FAKE_PORT").ok().and_then(|p| p.parse().ok()).unwrap_or(0);
        let listener = runtime.block_on(tokio::net::TcpListener::bind(("127.0.0.1", wanted))).unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = State {
            root: root.to_path_buf(),
            pulls: BTreeMap::new(),
            checks: Vec::new(),
            calls: Vec::new(),
            faults: Vec::new(),
            permissions: BTreeMap::new(),
            tokens: BTreeMap::from([(TOKEN.to_owned(), BOT.to_owned())]),
            app_key: None,
            refuse_app: false,
            hold: false,
            next: 1000,
            said: std::cell::RefCell::default(),
        };
        let state = Arc::new(Mutex::new(state));
        let router = Router::new().fallback(handle).with_state(state.clone());
        runtime.spawn(async move { axum_serve(listener, router).await });
        Fake { port, state, _runtime: runtime }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// The address of the REST API; that of a proxy in front of it where one was started.
    pub fn api(&self) -> String {
        std::env::var("STACKLINT_FAKE_PROXY").unwrap_or_else(|_| format!("http://127.0.0.1:{}", self.port))
    }

    pub fn graphql(&self) -> String {
        format!("http://127.0.0.1:{}/graphql", self.port)
    }

    pub fn git(&self) -> String {
        format!("http://127.0.0.1:{}/git", self.port)
    }

    /// Takes the calls out that changed something.
    pub fn changes(&self) -> Vec<String> {
        let calls = std::mem::take(&mut self.state().calls);
        let queries = |c: &Call| c.body.get("query").and_then(Value::as_str).is_some_and(|q| q.starts_with("query"));
        calls
            .iter()
            .filter(|c| c.method != "GET" && !queries(c) && !c.path.starts_with("/git/"))
            .map(|c| {
                let path = match c.body.get("query").and_then(Value::as_str) {
                    Some(query) => {
                        query.split('{').nth(1).unwrap_or("").split('(').next().unwrap_or("").trim().to_owned()
                    }
                    None => words(&c.path),
                };
                format!("{} {path} {}", c.method, c.status)
            })
            .collect()
    }
}

/// A path with its numbers left out.
fn words(path: &str) -> String {
    let parts = path.split('?').next().unwrap_or("").split('/').skip(4);
    let hides = |p: &str| p.len() == 40 || p.bytes().all(|b| b.is_ascii_digit());
    parts.filter(|p| !hides(p)).collect::<Vec<_>>().join("/")
}

pub async fn axum_serve(listener: tokio::net::TcpListener, router: Router) {
    use hyper_util::rt::TokioIo;
    use hyper_util::service::TowerToHyperService;
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let service = TowerToHyperService::new(router.clone());
        tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn handle(Shared(state): Shared<Arc<Mutex<State>>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 64 << 20).await.unwrap_or_default();
    let path = head.uri.path_and_query().map_or("/", |p| p.as_str()).to_owned();
    let method = head.method.to_string();
    while state.lock().unwrap().hold {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let answered = tokio::task::spawn_blocking(move || {
        if let Some(rest) = path.strip_prefix("/git/") {
            return backend(&state, rest, &method, &head.headers, &body);
        }
        answer(&state, &method, &path, &head.headers, &body)
    });
    answered.await.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

fn authorization(headers: &HeaderMap) -> &str {
    headers.get("authorization").and_then(|v| v.to_str().ok()).unwrap_or_default()
}

fn answer(state: &Mutex<State>, method: &str, path: &str, headers: &HeaderMap, body: &Bytes) -> Response {
    let body: Value =
        if body.is_empty() { Value::Null } else { serde_json::from_slice(body).unwrap_or(json!("no JSON")) };
    let mut state = state.lock().unwrap();
    let fault = state.faults.iter().position(|f| f.method == method && path.starts_with(f.path));
    let fault = fault.map(|i| state.faults.remove(i).how);
    let answer = match &fault {
        Some(How::Limit { seconds }) => {
            let mut answer = Answer::refused(403, "You have exceeded a secondary rate limit.");
            answer.retry_after = Some(*seconds);
            answer
        }
        Some(How::Break) => Answer::refused(502, "Server Error"),
        None | Some(How::Lose) => state.route(method, path, authorization(headers), &body),
    };
    let (status, sent) = match fault {
        Some(How::Lose) => (502, json!({ "message": "Server Error" })),
        _ => (answer.status, answer.body),
    };
    state.calls.push(Call { method: method.to_owned(), path: path.to_owned(), body, status });
    let text = if sent.is_null() { String::new() } else { sent.to_string() };
    let mut response = (StatusCode::from_u16(status).unwrap(), text).into_response();
    // The media type of the description; a prepared one has both.
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/json; charset=utf-8"));
    if let Some(link) = answer.link {
        response.headers_mut().insert("link", HeaderValue::from_str(&link).unwrap());
    }
    if let Some(seconds) = answer.retry_after {
        response.headers_mut().insert("retry-after", HeaderValue::from(seconds));
    }
    response
}

fn sample(name: &str) -> Value {
    static ALL: std::sync::LazyLock<Value> = std::sync::LazyLock::new(|| serde_json::from_str(SAMPLES).unwrap());
    ALL[name].clone()
}

fn user(login: &str) -> Value {
    let mut user = sample("issue_comment")["user"].clone();
    user["login"] = json!(login);
    user["type"] = json!(if login.ends_with("[bot]") { "Bot" } else { "User" });
    user
}

impl State {
    fn id(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    pub fn repository(&self, name: &str) -> PathBuf {
        self.root.join(format!("{name}.git"))
    }

    fn sha(&self, repository: &str, branch: &str) -> String {
        let path = self.repository(repository).join("refs/heads").join(branch);
        std::fs::read_to_string(path).unwrap().trim().to_owned()
    }

    /// What git says of commits that are named by their ids.
    fn ask(&self, repository: &str, arguments: &[&str]) -> String {
        let key: Vec<String> = std::iter::once(&repository).chain(arguments).map(|a| (*a).to_owned()).collect();
        let ask = || String::from_utf8_lossy(&git_bytes(&self.repository(repository), arguments)).into_owned();
        self.said.borrow_mut().entry(key).or_insert_with(ask).clone()
    }

    fn route(&mut self, method: &str, path: &str, authorization: &str, body: &Value) -> Answer {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        if let ["app", rest @ ..] = parts.as_slice() {
            return self.app(method, rest, authorization);
        }
        let token = authorization.strip_prefix("Bearer ").unwrap_or_default();
        let Some(me) = self.tokens.get(token).cloned() else { return Answer::refused(401, "Bad credentials") };
        match (method, parts.as_slice()) {
            ("POST", ["graphql"]) => self.graphql(&me, body),
            ("GET", ["user"]) => {
                let mut me_ = sample("user");
                me_["login"] = json!(me);
                Answer::ok(200, me_)
            }
            (_, ["repos", owner, name, rest @ ..]) => {
                let repository = format!("{owner}/{name}");
                self.of_repository(method, &repository, rest, query, &me, body)
            }
            _ => Answer::refused(404, "Not Found"),
        }
    }

    /// What an App asks with its own token.
    fn app(&mut self, method: &str, parts: &[&str], authorization: &str) -> Answer {
        let jwt = authorization.strip_prefix("Bearer ").unwrap_or_default();
        if self.refuse_app || !self.app_key.as_deref().is_some_and(|key| is_signed(jwt, key)) {
            return Answer::refused(401, "A JSON web token could not be decoded");
        }
        match (method, parts) {
            ("GET", []) => {
                let mut app = sample("app");
                app["slug"] = json!("stacklint");
                Answer::ok(200, app)
            }
            ("POST", ["installations", _, "access_tokens"]) => {
                let id = self.id();
                let token = format!("ghs_PlantedInstallationToken{id}");
                self.tokens.insert(token.clone(), BOT.to_owned());
                let mut answer = sample("token");
                answer["token"] = json!(token);
                Answer::ok(201, answer)
            }
            _ => Answer::refused(404, "Not Found"),
        }
    }

    fn of_repository(
        &mut self,
        method: &str,
        repository: &str,
        parts: &[&str],
        query: &str,
        me: &str,
        body: &Value,
    ) -> Answer {
        let text = |field: &str| body[field].as_str().unwrap_or_default().to_owned();
        let not_found = || Answer::refused(404, "Not Found");
        if body["body"].as_str().is_some_and(|b| b.chars().count() > MOST_BODY || b.is_empty()) {
            return Answer::refused(422, "Body is too long (maximum is 65536 characters) or empty");
        }
        match (method, parts) {
            ("GET", ["compare", range]) => self.compare(repository, range),
            ("GET", ["collaborators", who, "permission"]) => {
                let mut answer = sample("permission");
                let permission = self.permissions.get(*who).copied().unwrap_or("read");
                answer["permission"] = json!(permission);
                answer["role_name"] = json!(permission);
                Answer::ok(200, answer)
            }
            ("GET", ["commits", sha, "check-runs"]) => {
                let all: Vec<Value> = self.checks.iter().filter(|c| c.sha == *sha).rev().map(check_run).collect();
                let count = all.len();
                let mut page = paged(all, query, repository);
                page.body = json!({ "total_count": count, "check_runs": page.body });
                page
            }
            ("POST", ["check-runs"]) => self.new_check(body),
            ("PATCH", ["check-runs", id]) => self.edit_check(id.parse().unwrap_or(0), body),
            ("POST", ["statuses", _]) => {
                let mut status = sample("status");
                for field in ["state", "description", "context"] {
                    status[field] = json!(text(field));
                }
                Answer::ok(201, status)
            }
            (_, ["issues", "comments", id]) => {
                let id: u64 = id.parse().unwrap_or(0);
                let pulls = self.pulls.iter_mut().filter(|((r, _), _)| r == repository);
                let Some(pull) = pulls.map(|(_, p)| p).find(|p| p.notes.iter().any(|n| n.id == id)) else {
                    return not_found();
                };
                if method == "DELETE" {
                    pull.notes.retain(|n| n.id != id);
                    return Answer::ok(204, Value::Null);
                }
                let note = pull.notes.iter_mut().find(|n| n.id == id).unwrap();
                note.body = text("body");
                Answer::ok(200, note_value(note))
            }
            (_, ["pulls", "comments", id]) => {
                let id: u64 = id.parse().unwrap_or(0);
                let found =
                    self.pulls.iter_mut().find(|((r, _), p)| r == repository && p.comments.iter().any(|c| c.id == id));
                let Some((key, pull)) = found else { return not_found() };
                let (key, comment) = (key.clone(), pull.comments.iter_mut().find(|c| c.id == id).unwrap());
                if method == "DELETE" {
                    pull.comments.retain(|c| c.id != id);
                    return Answer::ok(204, Value::Null);
                }
                if comment.author != me {
                    return Answer::refused(403, "Resource not accessible by integration");
                }
                comment.body = text("body");
                let comment = comment.clone();
                Answer::ok(200, self.comment_value(&key, &comment))
            }
            (_, [kind @ ("pulls" | "issues"), number, rest @ ..]) => {
                let Ok(number) = number.parse::<u64>() else { return not_found() };
                let key = (repository.to_owned(), number);
                if !self.pulls.contains_key(&key) {
                    return not_found();
                }
                self.of_pull(method, kind, &key, rest, query, me, body)
            }
            _ => not_found(),
        }
    }

    #[allow(clippy::too_many_arguments, reason = "it is one branch of the function above")]
    fn of_pull(
        &mut self,
        method: &str,
        kind: &str,
        key: &(String, u64),
        parts: &[&str],
        query: &str,
        me: &str,
        body: &Value,
    ) -> Answer {
        match (method, kind, parts) {
            ("GET", "pulls", []) => {
                let (pull, head) = (&self.pulls[key], self.head(key));
                let mut value = sample("pull");
                value["number"] = json!(key.1);
                value["state"] = json!(if pull.closed { "closed" } else { "open" });
                value["head"]["sha"] = json!(head);
                value["head"]["ref"] = json!(pull.head);
                value["base"]["sha"] = json!(self.sha(&key.0, &pull.base));
                value["base"]["ref"] = json!(pull.base);
                Answer::ok(200, value)
            }
            ("GET", "pulls", ["files"]) => paged(self.files(key), query, &key.0),
            ("GET", "issues", ["comments"]) => {
                paged(self.pulls[key].notes.iter().map(note_value).collect(), query, &key.0)
            }
            ("POST", "issues", ["comments"]) => {
                let note =
                    Note { id: self.id(), author: me.to_owned(), body: body["body"].as_str().unwrap().to_owned() };
                let value = note_value(&note);
                self.pulls.get_mut(key).unwrap().notes.push(note);
                Answer::ok(201, value)
            }
            ("GET", "pulls", ["comments"]) => {
                let comments = self.pulls[key].comments.clone();
                paged(comments.iter().map(|c| self.comment_value(key, c)).collect(), query, &key.0)
            }
            ("POST", "pulls", ["reviews"]) => self.new_review(key, me, body),
            ("POST", "pulls", ["comments", id, "replies"]) => {
                let id: u64 = id.parse().unwrap_or(0);
                let root = self.pulls[key].comments.iter().find(|c| c.id == id && c.reply_to.is_none()).cloned();
                let Some(root) = root else { return Answer::refused(404, "Not Found") };
                let text = body["body"].as_str().unwrap_or_default().to_owned();
                let reply = Comment { id: self.id(), author: me.to_owned(), body: text, reply_to: Some(id), ..root };
                let value = self.comment_value(key, &reply);
                self.pulls.get_mut(key).unwrap().comments.push(reply);
                Answer::ok(201, value)
            }
            _ => Answer::refused(404, "Not Found"),
        }
    }

    /// The commit that a pull request proposes now.
    pub fn head(&self, key: &(String, u64)) -> String {
        self.sha(&key.0, &self.pulls[key].head)
    }

    fn merge_base(&self, key: &(String, u64)) -> String {
        let base = self.sha(&key.0, &self.pulls[key].base);
        self.ask(&key.0, &["merge-base", &base, &self.head(key)]).trim().to_owned()
    }

    fn compare(&self, repository: &str, range: &str) -> Answer {
        let Some((a, b)) = range.split_once("...") else { return Answer::refused(404, "Not Found") };
        let base = self.ask(repository, &["merge-base", a, b]).trim().to_owned();
        if base.is_empty() {
            return Answer::refused(404, "No common ancestor");
        }
        let mut value = sample("compare");
        value["merge_base_commit"]["sha"] = json!(base);
        Answer::ok(200, value)
    }

    /// The changed files with what is shown of them.
    fn files(&self, key: &(String, u64)) -> Vec<Value> {
        let (base, head) = (self.merge_base(key), self.head(key));
        let names = self.ask(&key.0, &["diff", "--name-status", "-M", "-z", &base, &head]);
        let mut words = names.split('\0').filter(|w| !w.is_empty());
        let mut files = Vec::new();
        while let Some(status) = words.next() {
            let first = words.next().unwrap();
            let renamed = status.starts_with('R');
            let path = if renamed { words.next().unwrap() } else { first };
            let diff = self.ask(&key.0, &["diff", "-M", &base, &head, "--", first, path]);
            let mut file = sample("file");
            file["filename"] = json!(path);
            file["status"] = json!(match status.as_bytes()[0] {
                b'A' => "added",
                b'D' => "removed",
                b'R' => "renamed",
                _ => "modified",
            });
            if renamed {
                file["previous_filename"] = json!(first);
            }
            // A file without a difference in its text has no patch at all.
            match diff.find("\n@@ ") {
                Some(at) => file["patch"] = json!(diff[at + 1..].trim_end_matches('\n')),
                None => drop(file.as_object_mut().unwrap().remove("patch")),
            }
            files.push(file);
        }
        files
    }

    /// Whether a line of the new side is shown.
    fn is_shown(&self, key: &(String, u64), path: &str, line: u64) -> bool {
        let files = self.files(key);
        let Some(file) = files.iter().find(|f| f["filename"] == *path) else { return false };
        hunks(file["patch"].as_str().unwrap_or_default())
            .iter()
            .any(|(_, _, start, n)| *start <= line && line < start + n)
    }

    /// Where a line of a commit stands at the head; none where it was altered or is not shown any more.
    fn moved(&self, key: &(String, u64), comment: &Comment, line: u64) -> Option<u64> {
        let head = self.head(key);
        let diff = self.ask(&key.0, &["diff", "-U0", "--no-renames", &comment.commit, &head, "--", &comment.path]);
        let mut now = line;
        for (old, removed, _, added) in hunks(&diff) {
            if removed > 0 && old <= line && line < old + removed {
                return None;
            }
            // Without removed lines the old number is that of the line before.
            if old + removed <= line || (removed == 0 && old < line) {
                now = now + added - removed;
            }
        }
        self.is_shown(key, &comment.path, now).then_some(now)
    }

    /// The line where a comment stands now.
    pub fn line(&self, key: &(String, u64), comment: &Comment) -> Option<u64> {
        self.moved(key, comment, comment.line)
    }

    fn new_review(&mut self, key: &(String, u64), me: &str, body: &Value) -> Answer {
        let head = self.head(key);
        if body["event"] != "COMMENT" || body["commit_id"] != json!(head) {
            return Answer::refused(422, "Unprocessable Entity: commit_id is not part of the pull request");
        }
        let comments = body["comments"].as_array().cloned().unwrap_or_default();
        let mut made = Vec::new();
        for c in &comments {
            let (path, line) = (c["path"].as_str().unwrap_or_default(), c["line"].as_u64().unwrap_or(0));
            let start = c["start_line"].as_u64().unwrap_or(line);
            let shown = (start..=line).all(|l| self.is_shown(key, path, l)) && start <= line && c["side"] == "RIGHT";
            let text = c["body"].as_str().unwrap_or_default();
            if !shown {
                return Answer::refused(422, "Pull request review thread line must be part of the diff");
            }
            if text.is_empty() || text.chars().count() > MOST_BODY || c["start_line"].as_u64() == Some(line) {
                return Answer::refused(422, "Body or start line is not valid");
            }
            made.push(Comment {
                id: self.id(),
                author: me.to_owned(),
                body: text.to_owned(),
                path: path.to_owned(),
                commit: head.clone(),
                start,
                line,
                reply_to: None,
                resolved: false,
            });
        }
        let id = self.id();
        let pull = self.pulls.get_mut(key).unwrap();
        pull.comments.extend(made);
        pull.reviews += 1;
        let mut value = sample("review");
        value["id"] = json!(id);
        value["body"] = body["body"].clone();
        value["commit_id"] = json!(head);
        Answer::ok(200, value)
    }

    fn comment_value(&self, key: &(String, u64), c: &Comment) -> Value {
        let mut value = sample(if c.reply_to.is_some() { "reply" } else { "review_comment" });
        value["id"] = json!(c.id);
        value["user"] = user(&c.author);
        value["body"] = json!(c.body);
        value["path"] = json!(c.path);
        value["original_commit_id"] = json!(c.commit);
        value["original_line"] = json!(c.line);
        let (start, line) = (self.moved(key, c, c.start), self.moved(key, c, c.line));
        let (start, line) = if start.is_none() { (None, None) } else { (start, line) };
        // The description calls outdated lines absent; GitHub sends null.
        let entries = value.as_object_mut().unwrap();
        for field in ["line", "start_line", "start_side", "in_reply_to_id", "position"] {
            entries.remove(field);
        }
        if let Some(line) = line {
            entries.insert("line".to_owned(), json!(line));
        }
        if let Some(start) = start.filter(|_| c.start < c.line) {
            entries.insert("start_line".to_owned(), json!(start));
            entries.insert("start_side".to_owned(), json!("RIGHT"));
        }
        if let Some(to) = c.reply_to {
            entries.insert("in_reply_to_id".to_owned(), json!(to));
        }
        value
    }

    fn new_check(&mut self, body: &Value) -> Answer {
        let check = Check {
            id: self.id(),
            sha: body["head_sha"].as_str().unwrap_or_default().to_owned(),
            external_id: String::new(),
            status: "queued".to_owned(),
            conclusion: Value::Null,
            title: String::new(),
            summary: String::new(),
            annotations: Vec::new(),
            batches: Vec::new(),
        };
        let id = check.id;
        self.checks.push(check);
        let mut answer = self.edit_check(id, body);
        match answer.status {
            200 => answer.status = 201,
            _ => drop(self.checks.pop()),
        }
        answer
    }

    fn edit_check(&mut self, id: u64, body: &Value) -> Answer {
        let Some(check) = self.checks.iter_mut().find(|c| c.id == id) else { return Answer::refused(404, "Not Found") };
        let annotations = body["output"]["annotations"].as_array().cloned().unwrap_or_default();
        let lines = |a: &Value| (a["start_line"].as_u64(), a["end_line"].as_u64());
        let columns = |a: &Value| a.get("start_column").is_none() || lines(a).0 == lines(a).1;
        let good = |a: &Value| {
            ["notice", "warning", "failure"].contains(&a["annotation_level"].as_str().unwrap_or_default())
                && lines(a).0.is_some_and(|s| s > 0)
                && lines(a).0 <= lines(a).1
                && columns(a)
                && a["message"].as_str().is_some_and(|m| !m.is_empty() && m.len() <= 65_536)
                && a["title"].as_str().is_some_and(|t| t.chars().count() <= 255)
        };
        let summary = body["output"]["summary"].as_str().unwrap_or_default();
        if annotations.len() > 50 || !annotations.iter().all(good) || summary.is_empty() || summary.len() > MOST_BODY {
            return Answer::refused(422, "Invalid request: annotations or output");
        }
        let text = |field: &str| body[field].as_str().unwrap_or_default().to_owned();
        check.external_id = text("external_id");
        check.status = text("status");
        check.conclusion = body["conclusion"].clone();
        check.title = body["output"]["title"].as_str().unwrap_or_default().to_owned();
        check.summary = summary.to_owned();
        check.batches.push(annotations.len());
        check.annotations.extend(annotations);
        Answer::ok(200, check_run(check))
    }

    fn graphql(&mut self, me: &str, body: &Value) -> Answer {
        let query = body["query"].as_str().unwrap_or_default();
        let variables = &body["variables"];
        if query.contains("viewer") {
            return Answer::ok(200, json!({ "data": { "viewer": { "login": me } } }));
        }
        if query.contains("reviewThreads") {
            let repository = format!(
                "{}/{}",
                variables["owner"].as_str().unwrap_or_default(),
                variables["name"].as_str().unwrap_or_default()
            );
            let key = (repository, variables["number"].as_u64().unwrap_or(0));
            let Some(pull) = self.pulls.get(&key) else { return Answer::refused(404, "Not Found") };
            let roots = pull.comments.iter().filter(|c| c.reply_to.is_none());
            let nodes: Vec<Value> = roots
                .map(|c| {
                    let comments = json!({ "nodes": [{ "databaseId": c.id }] });
                    json!({ "id": format!("T{}", c.id), "isResolved": c.resolved, "comments": comments })
                })
                .collect();
            let threads = json!({ "pageInfo": { "hasNextPage": false, "endCursor": null }, "nodes": nodes });
            return Answer::ok(
                200,
                json!({ "data": { "repository": { "pullRequest": { "reviewThreads": threads } } } }),
            );
        }
        let id = variables["id"].as_str().and_then(|t| t.strip_prefix('T')).and_then(|t| t.parse::<u64>().ok());
        for comment in self.pulls.values_mut().flat_map(|p| &mut p.comments) {
            if Some(comment.id) == id {
                comment.resolved = !query.contains("unresolveReviewThread");
                return Answer::ok(200, json!({ "data": {} }));
            }
        }
        Answer::ok(200, json!({ "errors": [{ "message": "Could not resolve to a node" }] }))
    }

    /// Somebody replies to a comment.
    pub fn reply(&mut self, key: &(String, u64), to: u64, author: &str, body: &str) {
        let id = self.id();
        let root = self.pulls[key].comments.iter().find(|c| c.id == to).cloned().unwrap();
        let reply = Comment { id, author: author.into(), body: body.into(), reply_to: Some(to), ..root };
        self.pulls.get_mut(key).unwrap().comments.push(reply);
    }
}

fn note_value(note: &Note) -> Value {
    let mut value = sample("issue_comment");
    value["id"] = json!(note.id);
    value["user"] = user(&note.author);
    value["body"] = json!(note.body);
    value
}

fn check_run(check: &Check) -> Value {
    let mut value = sample("check_run");
    value["id"] = json!(check.id);
    value["head_sha"] = json!(check.sha);
    value["external_id"] = json!(check.external_id);
    value["status"] = json!(check.status);
    value["conclusion"] = check.conclusion.clone();
    value["name"] = json!("stacklint");
    value["output"]["annotations_count"] = json!(check.annotations.len());
    if check.conclusion.is_null() {
        value["completed_at"] = Value::Null;
    }
    value
}

/// A page of a list, with the header that names the next one.
fn paged(all: Vec<Value>, query: &str, path: &str) -> Answer {
    let field = |name: &str, default: usize| {
        let value = query.split('&').find_map(|p| p.strip_prefix(name)?.strip_prefix('='));
        value.and_then(|v| v.parse().ok()).unwrap_or(default)
    };
    let (per_page, page) = (field("per_page", 30).min(100), field("page", 1));
    let link = (page * per_page < all.len())
        .then(|| format!("<https://api.example.com/{path}?per_page={per_page}&page={}>; rel=\"next\"", page + 1));
    let body: Vec<Value> = all.into_iter().skip((page - 1) * per_page).take(per_page).collect();
    Answer { status: 200, body: json!(body), link, retry_after: None }
}

/// The hunks of a unified difference: first line and number of lines, on the old side and on the new.
pub fn hunks(patch: &str) -> Vec<(u64, u64, u64, u64)> {
    let pair = |text: &str| {
        let (start, count) = text.split_once(',').unwrap_or((text, "1"));
        (start.parse().unwrap(), count.parse().unwrap())
    };
    let heads = patch.lines().filter_map(|l| l.strip_prefix("@@ -")?.split_once(" @@").map(|(head, _)| head));
    heads
        .map(|head| {
            let (old, new) = head.split_once(" +").unwrap();
            let ((a, b), (c, d)) = (pair(old), pair(new));
            (a, b, c, d)
        })
        .collect()
}

/// Whether an App's token is signed by its key and good now.
fn is_signed(jwt: &str, key: &[u8]) -> bool {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let Some((text, signature)) = jwt.rsplit_once('.') else { return false };
    let Ok(signature) = URL_SAFE_NO_PAD.decode(signature) else { return false };
    let claims = text.split('.').nth(1).and_then(|c| URL_SAFE_NO_PAD.decode(c).ok()).unwrap_or_default();
    let claims: Value = serde_json::from_slice(&claims).unwrap_or_default();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let good = claims["iat"].as_u64().is_some_and(|t| t <= now)
        && claims["exp"].as_u64().is_some_and(|t| now < t && t <= now + 600)
        && claims["iss"] == "12345";
    let public = ring::signature::UnparsedPublicKey::new(&ring::signature::RSA_PKCS1_2048_8192_SHA256, key);
    good && public.verify(text.as_bytes(), &signature).is_ok()
}

/// git's own server behind the same door: what is fetched is fetched by git, with the token it was given.
fn backend(state: &Mutex<State>, path: &str, method: &str, headers: &HeaderMap, body: &Bytes) -> Response {
    use base64::Engine as _;
    let (root, known) = {
        let state = state.lock().unwrap();
        let pair = authorization(headers).strip_prefix("Basic ").unwrap_or_default();
        let pair = base64::engine::general_purpose::STANDARD.decode(pair).unwrap_or_default();
        let pair = String::from_utf8(pair).unwrap_or_default();
        let known = pair.strip_prefix("x-access-token:").is_some_and(|t| state.tokens.contains_key(t));
        (state.root.clone(), known)
    };
    if !known {
        return (StatusCode::UNAUTHORIZED, "no").into_response();
    }
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let header = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let mut child = Command::new("git")
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", &root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("PATH_INFO", format!("/{path}"))
        .env("QUERY_STRING", query)
        .env("REQUEST_METHOD", method)
        .env("CONTENT_TYPE", header("content-type"))
        .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
        .env("GIT_PROTOCOL", header("git-protocol"))
        .env("CONTENT_LENGTH", body.len().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(body).unwrap();
    let out = child.wait_with_output().unwrap().stdout;
    let end = out.windows(4).position(|w| w == b"\r\n\r\n").unwrap_or(0);
    let head = String::from_utf8_lossy(&out[..end]).into_owned();
    let mut response = Response::new(Body::from(out[(end + 4).min(out.len())..].to_vec()));
    for line in head.lines() {
        let Some((name, value)) = line.split_once(": ") else { continue };
        if name == "Status" {
            *response.status_mut() = StatusCode::from_u16(value[..3].parse().unwrap()).unwrap();
        } else if let (Ok(name), Ok(value)) = (name.parse::<axum::http::HeaderName>(), value.parse()) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
