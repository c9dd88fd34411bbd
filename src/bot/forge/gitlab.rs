//! GitLab: discussions on the lines of a merge request, one note as summary, a commit status as check.
//!
//! Follows `https://docs.gitlab.com/api` (v4), self-managed or not.

use super::{Change, Forge, Source};
use crate::bot::diff::Diff;
use crate::bot::http::{Client, ForgeError};
use crate::bot::marker::Marker;
use crate::bot::plan::{Call, Comment, Conclusion, Inline, Limits, Note, Posted, PostedCheck, Reply};
use crate::bot::secret::Secret;
use crate::bot::words::Flavor;
use serde_json::{Value, json};
use std::cell::RefCell;

/// The name of our commit status.
const CHECK: &str = "stacklint";
/// The least access that may push: GitLab's "Developer".
const DEVELOPER: u64 = 30;

/// One merge request.
pub struct GitLab {
    api: Client,
    /// The project: a number, or its path with `/` as `%2F`.
    project: String,
    path: String,
    number: u64,
    token: Secret,
    git: String,
    /// The commits that positions are relative to.
    refs: RefCell<Value>,
}

/// Where a merge request is.
pub struct Address {
    /// `group/name`, or the project's number.
    pub project: String,
    /// Its number within the project.
    pub number: u64,
    /// The API, such as `https://gitlab.com/api/v4`.
    pub api: Client,
    /// Where git fetches, such as `https://gitlab.com`.
    pub git: String,
}

impl GitLab {
    /// A merge request, spoken to with a token.
    pub fn new(address: Address, token: &Secret) -> GitLab {
        GitLab {
            api: address.api.with_header("private-token", token.clone()),
            project: address.project.replace('/', "%2F"),
            path: address.project,
            number: address.number,
            token: token.clone(),
            git: address.git.trim_end_matches('/').to_owned(),
            refs: RefCell::default(),
        }
    }

    fn request(&self, rest: &str) -> String {
        format!("/projects/{}/merge_requests/{}{rest}", self.project, self.number)
    }

    fn statuses(&self, head: &str) -> String {
        format!("/projects/{}/repository/commits/{head}/statuses?name={CHECK}", self.project)
    }

    /// Begins a discussion at a line.
    fn discuss(&self, c: &Inline) -> Result<(), ForgeError> {
        let mut position = self.refs.borrow().clone();
        if let Some(position) = position.as_object_mut() {
            position.insert("position_type".to_owned(), json!("text"));
            position.insert("new_path".to_owned(), json!(c.place.path));
            position.insert("old_path".to_owned(), json!(c.old_path));
            position.insert("new_line".to_owned(), json!(c.place.end));
            // A line that is the same on both sides is named by both numbers.
            if let Some(line) = c.old_line {
                position.insert("old_line".to_owned(), json!(line));
            }
        }
        self.api.send("POST", &self.request("/discussions"), &json!({ "body": c.body, "position": position }))?;
        Ok(())
    }

    /// Notes are named `discussion/note`, since GitLab edits them within their discussion.
    fn note(&self, id: &str) -> String {
        let (discussion, note) = id.split_once('/').unwrap_or((id, ""));
        self.request(&format!("/discussions/{discussion}/notes/{note}"))
    }
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn number(value: &Value, field: &str) -> u64 {
    value.get(field).and_then(Value::as_u64).unwrap_or_default()
}

/// How many lines above its own the suggestion of a note replaces.
fn above(body: &str) -> u32 {
    let count = body.split_once("```suggestion:-").and_then(|(_, rest)| rest.split_once('+'));
    count.and_then(|(n, _)| n.parse().ok()).unwrap_or(0)
}

/// What a status of ours says, so that the same is not set again.
fn status_digest(state: &str, description: &str) -> String {
    crate::bot::digest(&[state, description])
}

fn state(conclusion: Conclusion) -> &'static str {
    if conclusion == Conclusion::Failure { "failed" } else { "success" }
}

impl Forge for GitLab {
    fn limits(&self) -> Limits {
        // A note may have a million characters; nobody reads more than GitHub allows.
        Limits { flavor: Flavor::GitLab, body: 60_000, annotations: 0, checks: true }
    }

    fn change(&self) -> Result<Change, ForgeError> {
        let request = self.api.get(&self.request(""))?;
        let refs = request.get("diff_refs").cloned().unwrap_or_default();
        let commit = |field: &str| {
            let sha = text(&refs, field);
            let good = (sha.len() == 40 || sha.len() == 64) && sha.bytes().all(|b| b.is_ascii_hexdigit());
            good.then(|| sha.to_owned()).ok_or_else(|| {
                ForgeError::Unexpected(format!("the merge request has no `{field}` yet; GitLab is still preparing it"))
            })
        };
        let (head, base, start) = (commit("head_sha")?, commit("base_sha")?, commit("start_sha")?);
        self.refs.replace(json!({ "base_sha": base, "head_sha": head, "start_sha": start }));
        let open = text(&request, "state") == "opened";
        Ok(Change { head, base, target: start, open })
    }

    fn diff(&self) -> Result<Diff, ForgeError> {
        let mut diff = Diff::default();
        for file in self.api.list(&self.request("/diffs"), None)? {
            if file.get("deleted_file").and_then(Value::as_bool) != Some(true) {
                diff.add(text(&file, "new_path"), text(&file, "old_path"), text(&file, "diff"));
            }
        }
        Ok(diff)
    }

    fn posted(&self, change: &Change) -> Result<Posted, ForgeError> {
        let me = number(&self.api.get("/user")?, "id");
        let ours = |note: &Value| note.pointer("/author/id").and_then(Value::as_u64) == Some(me);
        let mut posted = Posted::default();
        for discussion in self.api.list(&self.request("/discussions"), None)? {
            let id = text(&discussion, "id");
            let notes = discussion.get("notes").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            let Some((first, replies)) = notes.split_first().filter(|(first, _)| ours(first)) else { continue };
            let body = text(first, "body");
            match Marker::find(body) {
                Some((Marker::Summary, _)) => {
                    posted.summaries.push(Note { id: format!("{id}/{}", number(first, "id")), body: body.to_owned() });
                }
                Some((Marker::Finding { fingerprint, state }, _)) => {
                    let position = first.get("position").cloned().unwrap_or_default();
                    // GitLab moves positions along; one that it could not move still names an older head.
                    let current = text(&position, "head_sha") == change.head;
                    // A discussion stands at one line; a suggestion in it says how many above it replaces.
                    let line = position.get("new_line").and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
                    let lines = line.map(|l| (l.saturating_sub(above(body)), l));
                    for reply in replies {
                        match Marker::find(text(reply, "body")) {
                            Some((Marker::Answer { to }, _)) if ours(reply) => posted.answered.push(to),
                            _ if ours(reply) || reply.get("system").and_then(Value::as_bool) == Some(true) => {}
                            _ => posted.replies.push(Reply {
                                id: number(reply, "id").to_string(),
                                thread: id.to_owned(),
                                fingerprint: fingerprint.clone(),
                                author: reply
                                    .pointer("/author/id")
                                    .and_then(Value::as_u64)
                                    .unwrap_or_default()
                                    .to_string(),
                                body: text(reply, "body").to_owned(),
                            }),
                        }
                    }
                    posted.comments.push(Comment {
                        id: format!("{id}/{}", number(first, "id")),
                        thread: id.to_owned(),
                        fingerprint,
                        state,
                        path: text(&position, "new_path").to_owned(),
                        lines: lines.filter(|_| current),
                        body: body.to_owned(),
                        has_replies: replies.iter().any(|r| r.get("system").and_then(Value::as_bool) != Some(true)),
                        resolved: Some(first.get("resolved").and_then(Value::as_bool).unwrap_or(false)),
                    });
                }
                _ => {}
            }
        }
        posted.comments.sort_by_key(|c| c.id.rsplit('/').next().and_then(|n| n.parse::<u64>().ok()));
        let statuses = self.api.list(&self.statuses(&change.head), None)?;
        posted.checks = statuses
            .iter()
            .map(|s| PostedCheck {
                id: number(s, "id").to_string(),
                digest: status_digest(text(s, "status"), text(s, "description")),
                completed: true,
                annotations: 0,
            })
            .collect();
        Ok(posted)
    }

    fn may_write(&self, user: &str) -> Result<bool, ForgeError> {
        if user.is_empty() || !user.bytes().all(|b| b.is_ascii_digit()) {
            return Ok(false);
        }
        match self.api.get(&format!("/projects/{}/members/all/{user}", self.project)) {
            Ok(member) => Ok(number(&member, "access_level") >= DEVELOPER),
            Err(error) if error.is(404) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn perform(&self, change: &Change, call: &Call) -> Result<(), ForgeError> {
        match call {
            // GitLab has no review of one piece for all tokens; discussions come one by one.
            Call::Review { comments, .. } => comments.iter().try_for_each(|c| self.discuss(c))?,
            Call::Edit { comment, body, .. } => {
                self.api.send("PUT", &self.note(comment), &json!({ "body": body }))?;
            }
            Call::Delete { comment, .. } | Call::DeleteSummary { id: comment } => {
                match self.api.send("DELETE", &self.note(comment), &Value::Null) {
                    Err(error) if !error.is(404) => return Err(error),
                    _ => {}
                }
            }
            Call::Resolve { thread } => {
                self.api.send("PUT", &self.request(&format!("/discussions/{thread}")), &json!({ "resolved": true }))?;
            }
            Call::Unresolve { thread } => {
                self.api.send(
                    "PUT",
                    &self.request(&format!("/discussions/{thread}")),
                    &json!({ "resolved": false }),
                )?;
            }
            Call::Reply { thread, body, .. } => {
                let path = self.request(&format!("/discussions/{thread}/notes"));
                self.api.send("POST", &path, &json!({ "body": body }))?;
            }
            Call::CreateSummary { body } => {
                self.api.send("POST", &self.request("/notes"), &json!({ "body": body }))?;
            }
            Call::EditSummary { id, body } => {
                self.api.send("PUT", &self.note(id), &json!({ "body": body }))?;
            }
            Call::Check(check) => {
                let state = state(check.conclusion);
                let said = self.api.list(&self.statuses(&change.head), None)?;
                let wanted = status_digest(state, &check.title);
                // GitLab refuses to set a status again to what it is.
                let same =
                    said.last().is_some_and(|s| status_digest(text(s, "status"), text(s, "description")) == wanted);
                if !same {
                    let body = json!({ "state": state, "name": CHECK, "description": check.title });
                    self.api.send("POST", &format!("/projects/{}/statuses/{}", self.project, change.head), &body)?;
                }
            }
        }
        Ok(())
    }

    fn source(&self) -> Source {
        Source::new(format!("{}/{}.git", self.git, self.path), "oauth2", &self.token)
    }
}
