//! Payloads that GitHub sent: each is work, or ignored on purpose.

use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use stacklint::bot::serve::event::{Event, parse};
use std::collections::BTreeMap;
use std::io::Read;

fn payloads() -> BTreeMap<String, Vec<Value>> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(&include_bytes!("webhooks.json.gz")[..]).read_to_string(&mut text).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn every_payload_is_work_or_ignored_on_purpose() {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut total = 0;
    for (name, payloads) in payloads() {
        for mut payload in payloads {
            total += 1;
            let action = payload["action"].as_str().unwrap_or("-").to_owned();
            let read = |payload: &Value| {
                parse(&name, payload.to_string().as_bytes()).unwrap_or_else(|e| panic!("{name}: {e:?}"))
            };
            // As it came: most were sent to a repository's own webhook, which no App can answer.
            let as_it_came = read(&payload);
            if payload.get("installation").is_none() {
                assert!(matches!(as_it_came, Event::Ignore(_)), "{name} {action}");
                payload["installation"] = json!({ "id": 5 });
            }
            let what = match read(&payload) {
                Event::Review(subjects) => format!("review {}", subjects.len()),
                Event::Close(_) => "close".to_owned(),
                Event::Forget(_) => "forget".to_owned(),
                Event::Ignore(why) => why.to_owned(),
            };
            *seen.entry(format!("{name} {action}: {what}")).or_default() += 1;
        }
    }
    let lines: Vec<String> = seen.iter().map(|(what, n)| format!("{n} {what}")).collect();
    assert_eq!(total, 89);
    insta::assert_snapshot!(lines.join("\n"), @r#"
    3 check_run completed: the event of the pull request says the same
    3 check_run created: the event of the pull request says the same
    1 check_run requested_action: the event of the pull request says the same
    2 check_run rerequested: it belongs to no pull request
    4 check_suite completed: the event of the pull request says the same
    3 check_suite requested: the event of the pull request says the same
    2 check_suite rerequested: review 1
    2 installation created: rights are looked up when they are needed
    2 installation deleted: forget
    1 installation new_permissions_accepted: rights are looked up when they are needed
    1 installation suspend: forget
    1 installation unsuspend: rights are looked up when they are needed
    2 installation_repositories added: rights are looked up when they are needed
    1 installation_repositories removed: rights are looked up when they are needed
    5 issue_comment created: the comment asks nothing of us
    2 issue_comment deleted: the comment asks nothing of us
    2 issue_comment edited: the comment asks nothing of us
    4 ping -: pong
    2 pull_request assigned: what changed has no part in findings
    2 pull_request closed: close
    3 pull_request converted_to_draft: what changed has no part in findings
    2 pull_request labeled: what changed has no part in findings
    2 pull_request locked: what changed has no part in findings
    4 pull_request opened: review 1
    3 pull_request ready_for_review: review 1
    2 pull_request reopened: review 1
    1 pull_request review_request_removed: what changed has no part in findings
    1 pull_request review_requested: what changed has no part in findings
    1 pull_request synchronize: review 1
    2 pull_request unassigned: what changed has no part in findings
    2 pull_request unlabeled: what changed has no part in findings
    2 pull_request unlocked: what changed has no part in findings
    1 pull_request_review dismissed: comments of a review arrive one by one
    3 pull_request_review submitted: comments of a review arrive one by one
    3 pull_request_review_comment created: the comment asks nothing of us
    1 pull_request_review_comment deleted: a comment that is gone asks nothing of us
    1 pull_request_review_comment edited: the comment asks nothing of us
    2 pull_request_review_thread resolved: whether a thread is resolved is its readers' business
    1 pull_request_review_thread unresolved: whether a thread is resolved is its readers' business
    7 push -: a push to a pull request has an event of its own
    "#);
}
