//! What a webhook asks for. Every event that GitHub sends to an app is either work or ignored on purpose, with the reason.

use crate::bot::review::wish;
use serde::Deserialize;

/// Something to look at: one pull request, as it is when its turn comes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, Deserialize)]
pub struct Subject {
    /// `owner/name`.
    pub repository: String,
    /// The number of the pull request.
    pub number: u64,
    /// The installation of the app that may speak to it.
    pub installation: u64,
    /// The repository's number, which outlives a new name and narrows the token.
    pub repository_id: u64,
}

/// What is to be done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// Look at these.
    Review(Vec<Subject>),
    /// Do not look any more: it was closed.
    Close(Subject),
    /// The app was removed, or may not work for now: forget what waits for this installation.
    Forget(u64),
    /// Nothing, and why.
    Ignore(&'static str),
}

/// A payload that is not what its event's name promises.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Malformed(pub String);

/// All that is read of a payload; serde skips the rest without keeping it.
#[derive(Deserialize)]
struct Payload {
    action: Option<String>,
    repository: Option<Repository>,
    installation: Option<Installation>,
    pull_request: Option<Pull>,
    issue: Option<Issue>,
    check_suite: Option<Suite>,
    check_run: Option<Run>,
    comment: Option<Comment>,
    changes: Option<Changes>,
}

#[derive(Deserialize)]
struct Repository {
    id: u64,
    full_name: String,
}

#[derive(Deserialize)]
struct Installation {
    id: u64,
}

#[derive(Deserialize)]
struct Pull {
    number: u64,
    state: Option<String>,
}

#[derive(Deserialize)]
struct Issue {
    number: u64,
    pull_request: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Suite {
    #[serde(default)]
    pull_requests: Vec<Pull>,
}

#[derive(Deserialize)]
struct Run {
    #[serde(default)]
    pull_requests: Vec<Pull>,
}

#[derive(Deserialize)]
struct Comment {
    body: Option<String>,
}

#[derive(Deserialize)]
struct Changes {
    base: Option<serde::de::IgnoredAny>,
}

/// Reads a payload.
///
/// # Errors
/// [`Malformed`] where it is no JSON, or lacks what events of its name have.
pub fn parse(name: &str, body: &[u8]) -> Result<Event, Malformed> {
    let payload: Payload =
        serde_json::from_slice(body).map_err(|e| Malformed(format!("line {} column {}", e.line(), e.column())))?;
    let action = payload.action.as_deref().unwrap_or_default();
    Ok(match (name, action) {
        ("pull_request", "opened" | "synchronize" | "reopened" | "ready_for_review") => payload.review_of_pull()?,
        ("pull_request", "edited") if payload.changes.as_ref().is_some_and(|c| c.base.is_some()) => {
            payload.review_of_pull()?
        }
        ("pull_request", "edited") => Event::Ignore("only words of the pull request changed"),
        ("pull_request", "closed") => match payload.review_of_pull()? {
            Event::Review(subjects) => {
                subjects.into_iter().next().map_or(Event::Ignore("there is nothing in it"), Event::Close)
            }
            other => other,
        },
        ("pull_request", _) => Event::Ignore("what changed has no part in findings"),
        ("pull_request_review_comment", "created" | "edited") => {
            let wishes = payload.comment.as_ref().and_then(|c| c.body.as_deref()).is_some_and(|b| wish(b).is_some());
            if wishes { payload.review_of_pull()? } else { Event::Ignore("the comment asks nothing of us") }
        }
        ("pull_request_review_comment", _) => Event::Ignore("a comment that is gone asks nothing of us"),
        ("pull_request_review", _) => Event::Ignore("comments of a review arrive one by one"),
        ("pull_request_review_thread", _) => Event::Ignore("whether a thread is resolved is its readers' business"),
        ("check_suite", "rerequested") => {
            let pulls = payload.check_suite.as_ref().map(|s| s.pull_requests.iter().map(|p| p.number).collect());
            payload.review_of(pulls)?
        }
        ("check_run", "rerequested") => {
            let pulls = payload.check_run.as_ref().map(|s| s.pull_requests.iter().map(|p| p.number).collect());
            payload.review_of(pulls)?
        }
        ("check_suite" | "check_run", _) => Event::Ignore("the event of the pull request says the same"),
        ("issue_comment", "created" | "edited") => {
            let asks = payload
                .comment
                .as_ref()
                .and_then(|c| c.body.as_deref())
                .is_some_and(|b| b.trim() == "stacklint review");
            match &payload.issue {
                Some(issue) if asks && issue.pull_request.is_some() => {
                    let number = issue.number;
                    payload.review_of(Some(vec![number]))?
                }
                _ => Event::Ignore("the comment asks nothing of us"),
            }
        }
        ("issue_comment", _) => Event::Ignore("the comment asks nothing of us"),
        ("push", _) => Event::Ignore("a push to a pull request has an event of its own"),
        ("installation", "deleted" | "suspend") => match payload.installation {
            Some(installation) => Event::Forget(installation.id),
            None => return Err(Malformed("the event names no installation".to_owned())),
        },
        ("installation" | "installation_repositories" | "installation_target", _) => {
            Event::Ignore("rights are looked up when they are needed")
        }
        ("ping", _) => Event::Ignore("pong"),
        _ => Event::Ignore("this event has no part in findings"),
    })
}

impl Payload {
    fn review_of_pull(self) -> Result<Event, Malformed> {
        let Some(pull) = &self.pull_request else {
            return Err(Malformed("the event names no pull request".to_owned()));
        };
        let numbers = vec![pull.number];
        // A comment on a closed pull request is no reason to look at it again.
        if pull.state.as_deref() == Some("closed") && self.action.as_deref() != Some("closed") {
            return Ok(Event::Ignore("the pull request is closed"));
        }
        self.review_of(Some(numbers))
    }

    fn review_of(self, numbers: Option<Vec<u64>>) -> Result<Event, Malformed> {
        let repository = self.repository.ok_or_else(|| Malformed("the event names no repository".to_owned()))?;
        if !is_repository(&repository.full_name) {
            return Err(Malformed("the name of the repository makes no sense".to_owned()));
        }
        let numbers = numbers.ok_or_else(|| Malformed("the event lacks what its name promises".to_owned()))?;
        let Some(installation) = self.installation else {
            return Ok(Event::Ignore("it came from a repository's own webhook, not from the app's"));
        };
        if numbers.is_empty() {
            return Ok(Event::Ignore("it belongs to no pull request"));
        }
        let subject = |number| Subject {
            repository: repository.full_name.clone(),
            number,
            installation: installation.id,
            repository_id: repository.id,
        };
        Ok(Event::Review(numbers.into_iter().map(subject).collect()))
    }
}

/// `owner/name` as GitHub allows it. The text becomes part of addresses.
pub fn is_repository(name: &str) -> bool {
    let part = |p: &str| {
        !p.is_empty()
            && p.len() <= 100
            && !matches!(p, "." | "..")
            && p.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    name.split_once('/').is_some_and(|(owner, name)| part(owner) && part(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(action: &str, rest: &str) -> String {
        format!(
            r#"{{"action":"{action}","repository":{{"id":7,"full_name":"o/r"}},"installation":{{"id":9}}{}{rest}}}"#,
            if rest.is_empty() { "" } else { "," }
        )
    }

    fn check(name: &str, body: &str, expected: &str) {
        let got = match parse(name, body.as_bytes()) {
            Ok(Event::Review(all)) => {
                format!("review {}", all.iter().map(|s| s.number.to_string()).collect::<Vec<_>>().join(","))
            }
            Ok(Event::Close(s)) => format!("close {}", s.number),
            Ok(Event::Forget(id)) => format!("forget {id}"),
            Ok(Event::Ignore(why)) => format!("ignore: {why}"),
            Err(Malformed(why)) => format!("malformed: {why}"),
        };
        assert!(got.starts_with(expected), "{name} {body}\n got: {got}");
    }

    #[test]
    fn events_become_work_or_are_ignored() {
        let pull = r#""pull_request":{"number":3,"state":"open"}"#;
        for action in ["opened", "synchronize", "reopened", "ready_for_review"] {
            check("pull_request", &payload(action, pull), "review 3");
        }
        check("pull_request", &payload("closed", r#""pull_request":{"number":3,"state":"closed"}"#), "close 3");
        check("pull_request", &payload("edited", pull), "ignore");
        check("pull_request", &payload("edited", &format!("{pull},\"changes\":{{\"base\":{{}}}}")), "review 3");
        check("pull_request", &payload("labeled", pull), "ignore");
        check("pull_request", &payload("opened", ""), "malformed");
        check("pull_request", r#"{"action":"opened","pull_request":{"number":3}}"#, "malformed");
        check(
            "pull_request",
            r#"{"action":"opened","repository":{"id":1,"full_name":"o/../r"},"pull_request":{"number":3}}"#,
            "malformed",
        );
        check(
            "pull_request",
            r#"{"action":"opened","repository":{"id":1,"full_name":"o/r"},"pull_request":{"number":3}}"#,
            "ignore",
        );
        let wish = format!("{pull},\"comment\":{{\"body\":\"stacklint ignore: a test\"}}");
        check("pull_request_review_comment", &payload("created", &wish), "review 3");
        check(
            "pull_request_review_comment",
            &payload("created", &format!("{pull},\"comment\":{{\"body\":\"hi\"}}")),
            "ignore",
        );
        check(
            "check_suite",
            &payload("rerequested", r#""check_suite":{"pull_requests":[{"number":1},{"number":2}]}"#),
            "review 1,2",
        );
        check("check_suite", &payload("rerequested", r#""check_suite":{"pull_requests":[]}"#), "ignore");
        check("check_suite", &payload("requested", r#""check_suite":{"pull_requests":[{"number":1}]}"#), "ignore");
        check("installation", &payload("deleted", ""), "forget 9");
        check("installation", &payload("created", ""), "ignore");
        check("push", r#"{"ref":"refs/heads/main"}"#, "ignore");
        check("ping", "{}", "ignore: pong");
        check("made_up", "{}", "ignore");
        check("push", "{", "malformed");
        check("push", "[]", "malformed");
        check("push", &format!("{}1{}", "[".repeat(1000), "]".repeat(1000)), "malformed");
    }
}
