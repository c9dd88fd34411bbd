//! GitHub: reviews, check runs and issue comments over REST; threads are resolved over GraphQL, since REST cannot.
//!
//! Follows `https://docs.github.com/rest` of API version 2022-11-28.

use super::{Change, Forge, Source};
use crate::bot::diff::Diff;
use crate::bot::http::{Client, ForgeError};
use crate::bot::log::Log;
use crate::bot::marker::Marker;
use crate::bot::plan::{Annotation, Call, Check, Comment, Conclusion, Limits, Note, Posted, PostedCheck, Reply};
use crate::bot::secret::Secret;
use crate::bot::words::Flavor;
use crate::diagnostic::Severity;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Annotations that one call may carry.
const BATCH: usize = 50;
/// The name of our check.
const CHECK: &str = "stacklint";

/// One pull request.
pub struct GitHub {
    api: Client,
    graphql: Client,
    repository: String,
    number: u64,
    token: Secret,
    git: String,
    /// Our own account, where it is known beforehand.
    login: Option<String>,
    /// The node of each thread by its first comment.
    threads: RefCell<BTreeMap<String, String>>,
    log: Log,
}

/// Where a pull request is.
pub struct Address {
    /// `owner/name`.
    pub repository: String,
    /// Its number.
    pub number: u64,
    /// The API, such as `https://api.github.com`.
    pub api: Client,
    /// The GraphQL API, such as `https://api.github.com/graphql`.
    pub graphql: Client,
    /// Where git fetches, such as `https://github.com`.
    pub git: String,
}

impl GitHub {
    /// A pull request, spoken to with a token.
    pub fn new(address: Address, token: &Secret, login: Option<String>, log: Log) -> GitHub {
        let authorized = |client: Client| {
            client
                .with_header("authorization", Secret::new(format!("Bearer {}", token.expose())))
                .with_header("accept", Secret::new("application/vnd.github+json"))
                .with_header("x-github-api-version", Secret::new("2022-11-28"))
        };
        GitHub {
            api: authorized(address.api),
            graphql: authorized(address.graphql),
            repository: address.repository,
            number: address.number,
            token: token.clone(),
            git: address.git.trim_end_matches('/').to_owned(),
            login,
            threads: RefCell::default(),
            log,
        }
    }

    fn path(&self, rest: &str) -> String {
        format!("/repos/{}{rest}", self.repository)
    }

    fn pull(&self, rest: &str) -> String {
        self.path(&format!("/pulls/{}{rest}", self.number))
    }

    fn ask(&self, query: &str, variables: &Value) -> Result<Value, ForgeError> {
        let answer = self.graphql.send("POST", "", &json!({ "query": query, "variables": variables }))?;
        match answer.get("errors").and_then(Value::as_array).filter(|e| !e.is_empty()) {
            Some(errors) => {
                let words: Vec<&str> = errors.iter().map(|e| text(e, "message")).collect();
                Err(ForgeError::Unexpected(format!("GraphQL: {}", words.join("; "))))
            }
            None => Ok(answer.get("data").cloned().unwrap_or_default()),
        }
    }

    /// The account that the token speaks for. Markers count only in its comments.
    fn me(&self) -> Result<String, ForgeError> {
        if let Some(login) = &self.login {
            return Ok(login.clone());
        }
        // `GET /user` knows no app and no token of a workflow; GraphQL's viewer knows all of them.
        let viewer = self.ask("query { viewer { login } }", &json!({}));
        match viewer.as_ref().map(|v| v.pointer("/viewer/login").and_then(Value::as_str)) {
            Ok(Some(login)) => Ok(login.to_owned()),
            _ => Ok(text(&self.api.get("/user")?, "login").to_owned()),
        }
    }

    /// Nodes of threads and whether they are resolved, by the first comment. Not known where GraphQL cannot be asked.
    fn resolved(&self) -> BTreeMap<String, bool> {
        let query = "query($owner: String!, $name: String!, $number: Int!, $after: String) { repository(owner: $owner, name: $name) { \
             pullRequest(number: $number) { reviewThreads(first: 100, after: $after) { pageInfo { hasNextPage endCursor } \
             nodes { id isResolved comments(first: 1) { nodes { databaseId } } } } } } }";
        let (owner, name) = self.repository.split_once('/').unwrap_or_default();
        let mut all = BTreeMap::new();
        let mut after = Value::Null;
        for _ in 0..50 {
            let variables = json!({ "owner": owner, "name": name, "number": self.number, "after": after });
            let data = match self.ask(query, &variables) {
                Ok(data) => data,
                Err(error) => {
                    self.log.warn("threads cannot be resolved", &[("error", &error.to_string())]);
                    return all;
                }
            };
            let threads = data.pointer("/repository/pullRequest/reviewThreads").cloned().unwrap_or_default();
            for node in array(&threads, "nodes") {
                let Some(first) = node.pointer("/comments/nodes/0/databaseId").and_then(Value::as_u64) else {
                    continue;
                };
                let resolved = node.get("isResolved").and_then(Value::as_bool).unwrap_or(false);
                self.threads.borrow_mut().insert(first.to_string(), text(node, "id").to_owned());
                all.insert(first.to_string(), resolved);
            }
            if threads.pointer("/pageInfo/hasNextPage").and_then(Value::as_bool) != Some(true) {
                break;
            }
            after = threads.pointer("/pageInfo/endCursor").cloned().unwrap_or_default();
        }
        all
    }

    fn set_resolved(&self, thread: &str, mutation: &str) {
        let node = self.threads.borrow().get(thread).cloned();
        let Some(node) = node else { return };
        let query = format!("mutation($id: ID!) {{ {mutation}(input: {{ threadId: $id }}) {{ thread {{ id }} }} }}");
        // The comment already says so in words; that the thread stays unfolded is no reason to fail.
        if let Err(error) = self.ask(&query, &json!({ "id": node })) {
            self.log.warn("a thread could not be resolved", &[("error", &error.to_string())]);
        }
    }

    /// The summary lists every finding, so one without a comment in its line is not lost.
    fn unshown(&self, error: &ForgeError) {
        self.log.warn("a comment in a line was refused; the summary has its finding", &[("error", &error.to_string())]);
    }

    fn check(&self, check: &Check) -> Result<(), ForgeError> {
        let output = |annotations: &[Annotation]| {
            json!({
                "title": check.title,
                "summary": check.summary,
                "annotations": annotations.iter().map(annotation).collect::<Vec<_>>(),
            })
        };
        let (mut id, mut done) = match &check.unfinished {
            Some((id, done)) => (Some(id.clone()), *done),
            None => (None, 0),
        };
        loop {
            let batch: Vec<Annotation> = check.annotations.iter().skip(done).take(BATCH).cloned().collect();
            done += batch.len();
            let last = done >= check.annotations.len();
            let mut body = json!({
                "name": CHECK,
                "external_id": check.digest,
                "status": if last { "completed" } else { "in_progress" },
                "output": output(&batch),
            });
            if last && let Some(body) = body.as_object_mut() {
                body.insert("conclusion".to_owned(), json!(check.conclusion));
            }
            match &id {
                Some(id) => {
                    self.api.send("PATCH", &self.path(&format!("/check-runs/{id}")), &body)?;
                }
                None => {
                    if let Some(body) = body.as_object_mut() {
                        body.insert("head_sha".to_owned(), json!(check.commit));
                    }
                    let made = self.api.send("POST", &self.path("/check-runs"), &body)?;
                    id = Some(number(&made, "id").map_or_else(String::new, |n| n.to_string()));
                }
            }
            if last {
                return Ok(());
            }
        }
    }
}

/// The lines that a comment stands at now; GitHub names none where it is outdated, and a first one where there are several.
fn lines(comment: &Value) -> Option<(u32, u32)> {
    let line = |field: &str| number(comment, field).and_then(|n| u32::try_from(n).ok());
    let last = line("line")?;
    Some((line("start_line").unwrap_or(last), last))
}

/// GitHub allows columns only where a place is in one line.
fn annotation(a: &Annotation) -> Value {
    let level = match a.severity {
        Severity::Critical | Severity::High => "failure",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "notice",
    };
    let mut value = json!({
        "path": a.place.path,
        "start_line": a.place.start,
        "end_line": a.place.end,
        "annotation_level": level,
        "title": a.title,
        "message": a.message,
    });
    if let (Some((from, to)), Some(value)) = (a.place.columns, value.as_object_mut()) {
        value.insert("start_column".to_owned(), json!(from));
        value.insert("end_column".to_owned(), json!(to.max(from)));
    }
    value
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn number(value: &Value, field: &str) -> Option<u64> {
    value.get(field).and_then(Value::as_u64)
}

fn array<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value.get(field).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// A commit: nothing else may reach a path or git.
fn commit(value: &Value, pointer: &str) -> Result<String, ForgeError> {
    let sha = value.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    if (sha.len() == 40 || sha.len() == 64) && sha.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(sha.to_owned());
    }
    Err(ForgeError::Unexpected(format!("the platform named no commit at `{pointer}`")))
}

impl Forge for GitHub {
    fn limits(&self) -> Limits {
        // A body may have 65,536 characters; annotations have no limit in number, only in a call.
        Limits { flavor: Flavor::GitHub, body: 60_000, annotations: 1_000, checks: true }
    }

    fn change(&self) -> Result<Change, ForgeError> {
        let pull = self.api.get(&self.pull(""))?;
        let head = commit(&pull, "/head/sha")?;
        let target = commit(&pull, "/base/sha")?;
        let compared = self.api.get(&self.path(&format!("/compare/{target}...{head}?per_page=1")))?;
        Ok(Change {
            head,
            base: commit(&compared, "/merge_base_commit/sha")?,
            target,
            open: text(&pull, "state") == "open",
        })
    }

    fn diff(&self) -> Result<Diff, ForgeError> {
        let mut diff = Diff::default();
        for file in self.api.list(&self.pull("/files"), None)? {
            let path = text(&file, "filename");
            let old = file.get("previous_filename").and_then(Value::as_str).unwrap_or(path);
            if text(&file, "status") != "removed" {
                diff.add(path, old, text(&file, "patch"));
            }
        }
        Ok(diff)
    }

    fn posted(&self, change: &Change) -> Result<Posted, ForgeError> {
        let me = self.me()?;
        let ours = |c: &Value| c.pointer("/user/login").and_then(Value::as_str) == Some(&me);
        let mut posted = Posted::default();
        for note in self.api.list(&self.path(&format!("/issues/{}/comments", self.number)), None)? {
            if ours(&note) && matches!(Marker::find(text(&note, "body")), Some((Marker::Summary, _))) {
                let id = number(&note, "id").unwrap_or_default().to_string();
                posted.summaries.push(Note { id, body: text(&note, "body").to_owned() });
            }
        }
        let comments = self.api.list(&self.pull("/comments"), None)?;
        let mut roots: BTreeMap<u64, usize> = BTreeMap::new();
        for c in comments.iter().filter(|c| ours(c)) {
            let (Some(id), None) = (number(c, "id"), number(c, "in_reply_to_id")) else { continue };
            let body = text(c, "body");
            let Some((Marker::Finding { fingerprint, state }, _)) = Marker::find(body) else { continue };
            roots.insert(id, posted.comments.len());
            posted.comments.push(Comment {
                id: id.to_string(),
                thread: id.to_string(),
                fingerprint,
                state,
                path: text(c, "path").to_owned(),
                lines: lines(c),
                body: body.to_owned(),
                has_replies: false,
                resolved: None,
            });
        }
        for c in &comments {
            let Some(&root) = number(c, "in_reply_to_id").and_then(|to| roots.get(&to)) else { continue };
            let Some(root) = posted.comments.get_mut(root) else { continue };
            root.has_replies = true;
            let body = text(c, "body");
            if !ours(c) {
                posted.replies.push(Reply {
                    id: number(c, "id").unwrap_or_default().to_string(),
                    thread: root.thread.clone(),
                    fingerprint: root.fingerprint.clone(),
                    author: c.pointer("/user/login").and_then(Value::as_str).unwrap_or_default().to_owned(),
                    body: body.to_owned(),
                });
            } else if let Some((Marker::Answer { to }, _)) = Marker::find(body) {
                posted.answered.push(to);
            }
        }
        if !posted.comments.is_empty() {
            let resolved = self.resolved();
            for c in &mut posted.comments {
                c.resolved = resolved.get(&c.thread).copied();
            }
        }
        let path = self.path(&format!("/commits/{}/check-runs?check_name={CHECK}&filter=all", change.head));
        match self.api.list(&path, Some("check_runs")) {
            Ok(checks) => {
                let mut checks: Vec<(u64, PostedCheck)> = checks
                    .iter()
                    .filter_map(|c| {
                        let id = number(c, "id")?;
                        let posted = PostedCheck {
                            id: id.to_string(),
                            digest: text(c, "external_id").to_owned(),
                            completed: text(c, "status") == "completed",
                            annotations: c
                                .pointer("/output/annotations_count")
                                .and_then(Value::as_u64)
                                .and_then(|n| usize::try_from(n).ok())
                                .unwrap_or_default(),
                        };
                        Some((id, posted))
                    })
                    .collect();
                checks.sort_by_key(|(id, _)| *id);
                posted.checks = checks.into_iter().map(|(_, c)| c).collect();
            }
            Err(error) if error.is(403) || error.is(404) => {
                self.log.warn("the token may not read checks", &[("error", &error.to_string())]);
            }
            Err(error) => return Err(error),
        }
        Ok(posted)
    }

    fn may_write(&self, user: &str) -> Result<bool, ForgeError> {
        let plain = !user.is_empty()
            && user.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'[' | b']'));
        if !plain {
            return Ok(false);
        }
        let user = user.replace('[', "%5B").replace(']', "%5D");
        match self.api.get(&self.path(&format!("/collaborators/{user}/permission"))) {
            Ok(answer) => Ok(matches!(text(&answer, "permission"), "admin" | "write" | "maintain")),
            Err(error) if error.is(404) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn perform(&self, change: &Change, call: &Call) -> Result<(), ForgeError> {
        match call {
            Call::Review { commit, body, comments } => {
                let comments: Vec<Value> = comments
                    .iter()
                    .map(|c| {
                        let mut value =
                            json!({ "path": c.place.path, "line": c.place.end, "side": "RIGHT", "body": c.body });
                        if c.place.start < c.place.end
                            && let Some(value) = value.as_object_mut()
                        {
                            value.insert("start_line".to_owned(), json!(c.place.start));
                            value.insert("start_side".to_owned(), json!("RIGHT"));
                        }
                        value
                    })
                    .collect();
                let review =
                    |c: &[Value]| json!({ "commit_id": commit, "event": "COMMENT", "body": body, "comments": c });
                match self.api.send("POST", &self.pull("/reviews"), &review(&comments)) {
                    // One comment in a line that GitHub does not show takes the whole review down with it.
                    Err(error) if error.is(422) && comments.len() > 1 => {
                        for comment in &comments {
                            match self.api.send("POST", &self.pull("/reviews"), &review(std::slice::from_ref(comment)))
                            {
                                Err(error) if error.is(422) => self.unshown(&error),
                                done => drop(done?),
                            }
                        }
                    }
                    Err(error) if error.is(422) => self.unshown(&error),
                    done => drop(done?),
                }
            }
            Call::Edit { comment, body, .. } => {
                self.api.send("PATCH", &self.path(&format!("/pulls/comments/{comment}")), &json!({ "body": body }))?;
            }
            Call::Delete { comment, .. } => {
                let gone = self.api.send("DELETE", &self.path(&format!("/pulls/comments/{comment}")), &Value::Null);
                gone.map(drop).or_else(already_gone)?;
            }
            Call::Resolve { thread } => self.set_resolved(thread, "resolveReviewThread"),
            Call::Unresolve { thread } => self.set_resolved(thread, "unresolveReviewThread"),
            Call::Reply { thread, body, .. } => {
                self.api.send("POST", &self.pull(&format!("/comments/{thread}/replies")), &json!({ "body": body }))?;
            }
            Call::CreateSummary { body } => {
                let path = self.path(&format!("/issues/{}/comments", self.number));
                self.api.send("POST", &path, &json!({ "body": body }))?;
            }
            Call::EditSummary { id, body } => {
                self.api.send("PATCH", &self.path(&format!("/issues/comments/{id}")), &json!({ "body": body }))?;
            }
            Call::DeleteSummary { id } => {
                let gone = self.api.send("DELETE", &self.path(&format!("/issues/comments/{id}")), &Value::Null);
                gone.map(drop).or_else(already_gone)?;
            }
            Call::Check(check) => match self.check(check) {
                // Check runs belong to apps: a person's token cannot make them, but it can set the older commit status.
                Err(error) if error.is(403) && check.unfinished.is_none() => {
                    self.log.warn(
                        "no check run could be made; setting a commit status instead",
                        &[("error", &error.to_string())],
                    );
                    let state = if check.conclusion == Conclusion::Failure { "failure" } else { "success" };
                    let body = json!({ "state": state, "description": check.title, "context": CHECK });
                    self.api.send("POST", &self.path(&format!("/statuses/{}", change.head)), &body)?;
                }
                done => done?,
            },
        }
        Ok(())
    }

    fn source(&self) -> Source {
        Source::new(format!("{}/{}.git", self.git, self.repository), "x-access-token", &self.token)
    }
}

/// What is to be deleted and is not there is deleted.
fn already_gone(error: ForgeError) -> Result<(), ForgeError> {
    if error.is(404) { Ok(()) } else { Err(error) }
}
