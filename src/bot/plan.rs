//! The pure core: from what a change introduces, the lines that can be commented and what was already said, to the calls that are left
//! to make. Made and planned again, nothing is left to say.

use super::diff::Diff;
use super::digest;
use super::finding::{Finding, Place, Suggestion};
use super::marker::{Marker, State, digest_of};
use super::words::{self, Flavor, Retired, Why, count};
use crate::diagnostic::Severity;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What a platform allows.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How it writes suggestions.
    pub flavor: Flavor,
    /// Characters of a comment.
    pub body: usize,
    /// Annotations of a check.
    pub annotations: usize,
    /// Whether it has checks that are not comments.
    pub checks: bool,
}

/// What the user wants.
#[derive(Clone, Copy, Debug)]
pub struct Wishes {
    /// From this severity on an introduced finding makes the check fail; `None`: none does.
    pub fail_on: Option<Severity>,
    /// Comments in lines; what is beyond stands in the summary.
    pub most_comments: usize,
}

/// A finding of the base that the head does not have.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mended {
    /// The policy's name.
    pub policy: String,
    /// What was wrong.
    pub message: String,
    /// Where it stood on the base.
    pub place: Option<Place>,
}

/// What is to be said.
#[derive(Clone, Debug, Default)]
pub struct News {
    /// The head of the change.
    pub head: String,
    /// Findings that the change introduces.
    pub introduced: Vec<Finding>,
    /// Findings that it mends.
    pub fixed: Vec<Mended>,
    /// How many findings it leaves as they were.
    pub unchanged: usize,
    /// Fingerprints of findings that the head has and an ignore, the configuration or a baseline silences.
    pub ignored: BTreeSet<String>,
    /// What could not be read or compared, a sentence each.
    pub notes: Vec<String>,
    /// Answers to wishes to ignore, by the comment that wishes.
    pub answers: Vec<Answer>,
}

/// An answer to a wish to ignore a finding.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The comment that wishes.
    pub to: String,
    /// The thread that it stands in.
    pub thread: String,
    /// The body.
    pub body: String,
}

/// What was already said by this bot.
#[derive(Clone, Debug, Default)]
pub struct Posted {
    /// Comments with the summary's marker, oldest first; there should be one at most.
    pub summaries: Vec<Note>,
    /// Comments in lines, oldest first.
    pub comments: Vec<Comment>,
    /// The comments that answers of ours answer.
    pub answered: Vec<String>,
    /// Checks of this commit, oldest first.
    pub checks: Vec<PostedCheck>,
    /// What others replied to comments of ours.
    pub replies: Vec<Reply>,
}

/// A comment that stands in no line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Note {
    /// Its identity.
    pub id: String,
    /// Its body.
    pub body: String,
}

/// A comment of ours in a line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Comment {
    /// Its identity.
    pub id: String,
    /// The thread that it began.
    pub thread: String,
    /// The finding.
    pub fingerprint: String,
    /// What it says of the finding.
    pub state: State,
    /// The file, as it is named now.
    pub path: String,
    /// The first and the last line that it stands at now; `None` where the platform calls it outdated.
    pub lines: Option<(u32, u32)>,
    /// Its body.
    pub body: String,
    /// Whether somebody replied.
    pub has_replies: bool,
    /// Whether the thread is resolved, where that can be known.
    pub resolved: Option<bool>,
}

/// A reply of somebody else in a thread of ours.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reply {
    /// Its identity.
    pub id: String,
    /// The thread.
    pub thread: String,
    /// The finding that the thread is about.
    pub fingerprint: String,
    /// Who wrote it.
    pub author: String,
    /// What it says.
    pub body: String,
}

/// A check of ours on the head.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PostedCheck {
    /// Its identity.
    pub id: String,
    /// What it was made from; see [`Check::digest`].
    pub digest: String,
    /// Whether it has its conclusion.
    pub completed: bool,
    /// How many annotations it has.
    pub annotations: usize,
}

/// One thing to be done on the platform.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "call", rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each field is what the platform knows under this name")]
pub enum Call {
    /// One review with all new comments.
    Review { commit: String, body: String, comments: Vec<Inline> },
    /// Another body for a comment in a line.
    Edit { comment: String, thread: String, body: String },
    /// Takes a comment away to which nobody replied.
    Delete { comment: String, thread: String },
    /// Marks a thread as done.
    Resolve { thread: String },
    /// Marks it as not done.
    Unresolve { thread: String },
    /// A reply in a thread.
    Reply { thread: String, to: String, body: String },
    /// The summary.
    CreateSummary { body: String },
    /// Another body for the summary.
    EditSummary { id: String, body: String },
    /// Takes a summary away that is one too many.
    DeleteSummary { id: String },
    /// The check of the head.
    Check(Check),
}

/// A comment in a line.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Inline {
    /// The lines; the comment stands at the last one.
    pub place: Place,
    /// The path on the old side.
    pub old_path: String,
    /// The number of the last line on the old side, where it is the same on both.
    pub old_line: Option<u32>,
    /// The body.
    pub body: String,
}

/// A check with its annotations.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Check {
    /// One that was begun with the same content and not finished.
    pub unfinished: Option<(String, usize)>,
    /// The commit.
    pub commit: String,
    /// A digest of all that it says: the check of a later run that would say the same is left out.
    pub digest: String,
    /// How it ends.
    pub conclusion: Conclusion,
    /// One line.
    pub title: String,
    /// Markdown.
    pub summary: String,
    /// The places.
    pub annotations: Vec<Annotation>,
}

/// How a check ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Conclusion {
    /// Nothing was introduced.
    Success,
    /// What was introduced is below the threshold.
    Neutral,
    /// Something at or above the threshold was introduced.
    Failure,
}

/// A finding beside the lines of a file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Annotation {
    /// The lines.
    pub place: Place,
    /// How bad.
    pub severity: Severity,
    /// One line.
    pub title: String,
    /// Plain text.
    pub message: String,
}

/// The calls, and how it ends.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Plan {
    /// In the order in which they are to be made. Made up to any point, the next plan begins there.
    pub calls: Vec<Call>,
    /// The conclusion.
    pub conclusion: Conclusion,
    /// One line for the log.
    pub title: String,
}

/// Where a finding's comment goes.
struct Anchor<'a> {
    place: Place,
    suggestion: Option<&'a Suggestion>,
}

/// Plans.
pub fn plan(news: &News, diff: &Diff, posted: &Posted, wishes: &Wishes, limits: &Limits) -> Plan {
    let mut order: Vec<&Finding> = news.introduced.iter().collect();
    order.sort_by_key(|f| std::cmp::Reverse(f.severity));
    let mut inline: Vec<(&Finding, Anchor<'_>)> = Vec::new();
    let mut outside: Vec<&Finding> = Vec::new();
    for f in order {
        match anchor(f, diff).filter(|_| inline.len() < wishes.most_comments) {
            Some(anchor) => inline.push((f, anchor)),
            None => outside.push(f),
        }
    }
    let conclusion = conclusion(&news.introduced, wishes.fail_on);
    let mut calls = Vec::new();
    comments(news, diff, posted, &inline, limits, &mut calls);
    for answer in news.answers.iter().filter(|a| !posted.answered.contains(&a.to)) {
        let body = Marker::Answer { to: answer.to.clone() }.sign(&answer.body);
        calls.push(Call::Reply { thread: answer.thread.clone(), to: answer.to.clone(), body });
    }
    summary(news, posted, &inline, &outside, limits, &mut calls);
    let title = title(news);
    if limits.checks {
        check(news, posted, conclusion, &title, limits, &mut calls);
    }
    Plan { calls, conclusion, title }
}

fn conclusion(introduced: &[Finding], fail_on: Option<Severity>) -> Conclusion {
    if fail_on.is_some_and(|least| introduced.iter().any(|f| f.severity >= least)) {
        Conclusion::Failure
    } else if introduced.is_empty() {
        Conclusion::Success
    } else {
        Conclusion::Neutral
    }
}

fn title(news: &News) -> String {
    let mut title = count(news.introduced.len(), "new finding");
    if !news.fixed.is_empty() {
        title.push_str(&format!(", {} fixed", news.fixed.len()));
    }
    title
}

/// The lines for a finding: its own where they are shown, or else the nearest step of its path that the change shows, since that is
/// where the reviewer looks.
fn anchor<'a>(f: &'a Finding, diff: &Diff) -> Option<Anchor<'a>> {
    let suggestion = f.suggestion.as_ref().filter(|s| diff.hunk(&s.place.path, &s.place.lines()).is_some());
    let near =
        |p: &Place| suggestion.filter(|s| s.place.path == p.path && s.place.start <= p.start && p.start <= s.place.end);
    let places = f.place.iter().chain(f.steps.iter().map(|s| &s.place));
    for place in places {
        if let Some(s) = near(place) {
            return Some(Anchor { place: s.place.clone(), suggestion: Some(s) });
        }
        if let Some(line) = diff.first_shown(&place.path, &place.lines()) {
            // A suggestion further down in the same file says more than the line of the finding alone.
            let s = suggestion.filter(|s| s.place.path == place.path);
            let place = s.map_or_else(
                || Place { path: place.path.clone(), start: line, end: line, columns: None },
                |s| s.place.clone(),
            );
            return Some(Anchor { place, suggestion: s });
        }
    }
    None
}

fn comments(
    news: &News,
    diff: &Diff,
    posted: &Posted,
    inline: &[(&Finding, Anchor<'_>)],
    limits: &Limits,
    calls: &mut Vec<Call>,
) {
    let mut said: BTreeMap<&str, Vec<&Comment>> = BTreeMap::new();
    for comment in &posted.comments {
        said.entry(&comment.fingerprint).or_default().push(comment);
    }
    let mut new: Vec<(Inline, &Finding)> = Vec::new();
    let mut later = Vec::new();
    for (f, anchor) in inline {
        let marker = Marker::Finding { fingerprint: f.fingerprint.clone(), state: State::Open };
        let text = words::comment(f, &anchor.place, anchor.suggestion, limits.flavor);
        let text = if text.chars().count() > limits.body { words::headline(f) } else { text };
        let body = marker.sign(&text);
        let before = said.remove(f.fingerprint.as_str()).unwrap_or_default();
        let in_place =
            |c: &&&Comment| c.path == anchor.place.path && c.lines == Some((anchor.place.start, anchor.place.end));
        // One that is open goes before one that was closed and may be opened again.
        let open = before.iter().filter(in_place).find(|c| c.state == State::Open);
        let kept = open.or_else(|| before.iter().rev().find(in_place)).copied();
        match kept {
            Some(c) => {
                if digest_of(&c.body) != digest_of(&body) || c.state != State::Open {
                    later.push(Call::Edit { comment: c.id.clone(), thread: c.thread.clone(), body });
                }
                // A thread that somebody resolved while the finding was open stays so: that is their word on it.
                if c.state != State::Open && c.resolved == Some(true) {
                    later.push(Call::Unresolve { thread: c.thread.clone() });
                }
            }
            None => {
                let old_line =
                    diff.hunk(&anchor.place.path, &anchor.place.lines()).and_then(|h| h.old_line(anchor.place.end));
                let old_path = diff.file(&anchor.place.path).map(|f| f.old_path.clone()).unwrap_or_default();
                new.push((Inline { place: anchor.place.clone(), old_path, old_line, body }, f));
            }
        }
        let others = before.into_iter().filter(|c| c.state == State::Open && kept.is_none_or(|k| k.id != c.id));
        for c in others {
            retire(c, Why::Moved, &news.head, &mut later);
        }
    }
    // Those whose finding is gone, or is shown in the summary only.
    for (fingerprint, left) in said {
        let there = news.introduced.iter().any(|f| f.fingerprint == fingerprint);
        let why = match there {
            true => Why::Moved,
            false if news.ignored.contains(fingerprint.split(':').next().unwrap_or_default()) => Why::Ignored,
            false => Why::Gone,
        };
        for c in left {
            match c.state {
                State::Open => retire(c, why, &news.head, &mut later),
                // The bot was stopped between the two calls of an earlier run.
                State::Gone if !there && c.resolved == Some(false) => {
                    later.push(Call::Resolve { thread: c.thread.clone() });
                }
                State::Gone | State::Moved => {}
            }
        }
    }
    if !new.is_empty() {
        new.sort_by(|(a, _), (b, _)| (&a.place.path, a.place.end).cmp(&(&b.place.path, b.place.end)));
        let body = Marker::Review
            .sign(&format!("**stacklint** found something new: {}.", by_severity(new.iter().map(|(_, f)| *f))));
        let comments = new.into_iter().map(|(inline, _)| inline).collect();
        calls.push(Call::Review { commit: news.head.clone(), body, comments });
    }
    calls.append(&mut later);
}

fn retire(c: &Comment, why: Why, head: &str, calls: &mut Vec<Call>) {
    // A comment that moved is said again elsewhere: without replies nothing is lost with it.
    if why == Why::Moved && !c.has_replies {
        calls.push(Call::Delete { comment: c.id.clone(), thread: c.thread.clone() });
        return;
    }
    let state = if why == Why::Moved { State::Moved } else { State::Gone };
    let body = words::retired(&Retired { head, why, old: &words::remains(&c.body) });
    let body = Marker::Finding { fingerprint: c.fingerprint.clone(), state }.sign(&body);
    calls.push(Call::Edit { comment: c.id.clone(), thread: c.thread.clone(), body });
    if c.resolved == Some(false) {
        calls.push(Call::Resolve { thread: c.thread.clone() });
    }
}

fn by_severity<'a>(findings: impl Iterator<Item = &'a Finding> + Clone) -> String {
    let parts: Vec<String> = Severity::ALL
        .into_iter()
        .rev()
        .map(|s| (s, findings.clone().filter(|f| f.severity == s).count()))
        .filter(|(_, n)| *n > 0)
        .map(|(s, n)| format!("{n} {s}"))
        .collect();
    parts.join(", ")
}

fn summary(
    news: &News,
    posted: &Posted,
    inline: &[(&Finding, Anchor<'_>)],
    outside: &[&Finding],
    limits: &Limits,
    calls: &mut Vec<Call>,
) {
    let silent = news.introduced.is_empty() && news.fixed.is_empty() && news.notes.is_empty();
    let mut existing = posted.summaries.iter();
    let first = existing.next();
    if silent && first.is_none() {
        return;
    }
    let body = Marker::Summary.sign(&summary_text(news, inline, outside, limits.body.saturating_sub(200)));
    match first {
        None => calls.push(Call::CreateSummary { body }),
        Some(note) if digest_of(&note.body) != digest_of(&body) => {
            calls.push(Call::EditSummary { id: note.id.clone(), body });
        }
        Some(_) => {}
    }
    calls.extend(existing.map(|note| Call::DeleteSummary { id: note.id.clone() }));
}

/// Appends entries as long as there is room, and counts the others.
fn list<'a>(out: &mut String, heading: &str, entries: impl ExactSizeIterator<Item = &'a str>, most: usize) {
    let total = entries.len();
    if total == 0 {
        return;
    }
    out.push_str(&format!("\n#### {heading}\n\n"));
    let mut used = out.chars().count();
    for (i, entry) in entries.enumerate() {
        used += entry.chars().count();
        if used + 60 > most {
            out.push_str(&format!("- … and {} more that found no room here\n", total - i));
            return;
        }
        out.push_str(entry);
    }
}

fn summary_text(news: &News, inline: &[(&Finding, Anchor<'_>)], outside: &[&Finding], most: usize) -> String {
    let mut out = match news.introduced.len() {
        0 => "### stacklint: nothing new ✅\n".to_owned(),
        n => format!("### stacklint: {}\n\n{}\n", count(n, "new finding"), by_severity(news.introduced.iter())),
    };
    let elsewhere: Vec<String> = outside.iter().map(|f| words::entry(f)).collect();
    let lines: Vec<String> = inline.iter().map(|(f, _)| words::bullet(f)).collect();
    let fixed: Vec<String> = news
        .fixed
        .iter()
        .map(|m| {
            let place = m.place.as_ref().map(|p| format!("{} ", words::spot(p))).unwrap_or_default();
            format!("- {place}{} (`{}`)\n", crate::report::markdown::escape(&m.message), m.policy.replace('`', ""))
        })
        .collect();
    let notes: Vec<String> = news.notes.iter().map(|n| format!("- {}\n", crate::report::markdown::escape(n))).collect();
    // What went unread may be worse than what was found, so it keeps a quarter of the room.
    let room = most - if notes.is_empty() { 0 } else { most / 4 };
    list(&mut out, "Outside of the lines that this change shows", elsewhere.iter().map(String::as_str), room);
    list(&mut out, "In the changed lines", lines.iter().map(String::as_str), room);
    list(&mut out, "Fixed by this change", fixed.iter().map(String::as_str), room);
    list(&mut out, "Worth knowing", notes.iter().map(String::as_str), most);
    out.push_str(&format!("\n<sub>As of {}", words::short(&news.head)));
    if news.unchanged > 0 {
        let verb = if news.unchanged == 1 { "was" } else { "were" };
        out.push_str(&format!(" · {} {verb} there before", count(news.unchanged, "finding")));
    }
    out.push_str("</sub>\n");
    out
}

fn check(news: &News, posted: &Posted, conclusion: Conclusion, title: &str, limits: &Limits, calls: &mut Vec<Call>) {
    let mut all: Vec<Annotation> = news
        .introduced
        .iter()
        .filter_map(|f| {
            let mut message = words::plain(&f.message, 2_000);
            for step in f.steps.iter().take(20) {
                let words = words::plain(&step.words, 300);
                message.push_str(&format!("\n{}:{} {words}", words::plain(&step.place.path, 300), step.place.start));
            }
            message.push_str(&format!("\n\n{}\n{}", words::plain(&f.why, 2_000), f.url));
            Some(Annotation {
                place: f.place.clone()?,
                severity: f.severity,
                title: words::plain(&f.title, 250),
                message,
            })
        })
        .collect();
    // The worst come first, where a limit cuts the list.
    all.sort_by_key(|a| std::cmp::Reverse(a.severity));
    all.truncate(limits.annotations);
    let mut summary = match news.introduced.len() {
        0 => "This change introduces no finding.\n".to_owned(),
        n => format!("This change introduces {}: {}.\n", count(n, "finding"), by_severity(news.introduced.iter())),
    };
    let placeless: Vec<String> = news.introduced.iter().filter(|f| f.place.is_none()).map(words::bullet).collect();
    let notes: Vec<String> = news.notes.iter().map(|n| format!("- {}\n", crate::report::markdown::escape(n))).collect();
    list(&mut summary, "Findings without a place", placeless.iter().map(String::as_str), limits.body / 2);
    list(&mut summary, "Worth knowing", notes.iter().map(String::as_str), limits.body);
    let content = serde_json::to_string(&(&news.head, conclusion, title, &summary, &all)).unwrap_or_default();
    let digest = digest(&[&content]);
    let same: Vec<&PostedCheck> = posted.checks.iter().filter(|c| c.digest == digest).collect();
    // Only the newest check counts for the platform: an older one with the same words does not stand for this result.
    let newest = posted.checks.last().is_some_and(|c| c.digest == digest);
    if newest && same.last().is_some_and(|c| c.completed) {
        return;
    }
    let unfinished = same.last().filter(|c| newest && !c.completed).map(|c| (c.id.clone(), c.annotations));
    calls.push(Call::Check(Check {
        unfinished,
        commit: news.head.clone(),
        digest,
        conclusion,
        title: title.to_owned(),
        summary,
        annotations: all,
    }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMITS: Limits = Limits { flavor: Flavor::GitHub, body: 60_000, annotations: 1_000, checks: true };
    const WISHES: Wishes = Wishes { fail_on: Some(Severity::High), most_comments: 4 };

    fn finding(n: u32, line: Option<u32>) -> Finding {
        Finding {
            fingerprint: format!("f{n}"),
            policy: "a-policy".into(),
            severity: if n.is_multiple_of(2) { Severity::High } else { Severity::Low },
            title: "A title".into(),
            message: format!("finding {n}"),
            why: "It matters.".into(),
            remediation: "Mend it.".into(),
            url: "https://example.com/a-policy".into(),
            place: line.map(|l| Place { path: "a.tf".into(), start: l, end: l, columns: None }),
            steps: Vec::new(),
            also: Vec::new(),
            suggestion: None,
        }
    }

    /// A difference that shows the lines 1 to 10 of `a.tf`.
    fn diff() -> Diff {
        let mut diff = Diff::default();
        let added: String = (1..=10).map(|n| format!("+line {n}\n")).collect();
        diff.add("a.tf", "a.tf", &format!("@@ -0,0 +1,10 @@\n{added}"));
        diff
    }

    fn news(head: &str, introduced: Vec<Finding>) -> News {
        News { head: head.into(), introduced, ..News::default() }
    }

    /// A platform that does what it is told.
    #[derive(Default)]
    struct Platform {
        posted: Posted,
        next: u64,
    }

    impl Platform {
        fn id(&mut self) -> String {
            self.next += 1;
            self.next.to_string()
        }

        fn perform(&mut self, call: Call) {
            let id = self.id();
            let posted = &mut self.posted;
            match call {
                Call::Review { comments, .. } => {
                    for (i, c) in comments.into_iter().enumerate() {
                        let Some((Marker::Finding { fingerprint, state }, _)) = Marker::find(&c.body) else { panic!() };
                        let id = format!("{id}.{i}");
                        posted.comments.push(Comment {
                            thread: id.clone(),
                            id,
                            fingerprint,
                            state,
                            path: c.place.path,
                            lines: Some((c.place.start, c.place.end)),
                            body: c.body,
                            has_replies: false,
                            resolved: Some(false),
                        });
                    }
                }
                Call::Edit { comment, body, .. } => {
                    let c = posted.comments.iter_mut().find(|c| c.id == comment).unwrap();
                    let Some((Marker::Finding { state, .. }, _)) = Marker::find(&body) else { panic!() };
                    (c.body, c.state) = (body, state);
                }
                Call::Delete { comment, .. } => posted.comments.retain(|c| c.id != comment),
                Call::Resolve { thread } | Call::Unresolve { thread } => {
                    let c = posted.comments.iter_mut().find(|c| c.thread == thread).unwrap();
                    c.resolved = c.resolved.map(|r| !r);
                }
                Call::Reply { to, .. } => posted.answered.push(to),
                Call::CreateSummary { body } => posted.summaries.push(Note { id, body }),
                Call::EditSummary { id, body } => {
                    posted.summaries.iter_mut().find(|n| n.id == id).unwrap().body = body;
                }
                Call::DeleteSummary { id } => posted.summaries.retain(|n| n.id != id),
                Call::Check(check) => {
                    let annotations = check.annotations.len();
                    posted.checks.push(PostedCheck { id, digest: check.digest, completed: true, annotations });
                }
            }
        }
    }

    proptest! {
        /// Whatever happens to a change, and wherever an earlier run broke off: afterwards everything is said, once.
        #[test]
        fn everything_is_said_once(
            steps in prop::collection::vec(
                (prop::collection::vec(prop::option::of(prop::option::of(1_u32..14)), 6), any::<u8>(), 0_usize..12), 1..8)
        ) {
            let mut platform = Platform::default();
            let diff = diff();
            for (head, (findings, chance, broken_after)) in steps.into_iter().enumerate() {
                let present = findings.iter().enumerate().filter_map(|(n, f)| Some(finding(n as u32, (*f)?)));
                let news = news(&format!("{head}"), present.collect());
                platform.posted.checks.clear();
                // Some lines changed, so comments in them are outdated; somebody replied.
                for (i, c) in platform.posted.comments.iter_mut().enumerate() {
                    if chance >> (i % 8) & 1 == 1 {
                        c.lines = None;
                    }
                    c.has_replies |= i % 3 == 2;
                }
                let first = plan(&news, &diff, &platform.posted, &WISHES, &LIMITS);
                for call in first.calls.into_iter().take(broken_after) {
                    platform.perform(call);
                }
                for call in plan(&news, &diff, &platform.posted, &WISHES, &LIMITS).calls {
                    platform.perform(call);
                }
                let left = plan(&news, &diff, &platform.posted, &WISHES, &LIMITS).calls;
                prop_assert!(left.is_empty(), "{left:#?}");
                let mut open: Vec<&str> = platform.posted.comments.iter()
                    .filter(|c| c.state == State::Open).map(|c| c.fingerprint.as_str()).collect();
                open.sort_unstable();
                let mut shown: Vec<&str> = news.introduced.iter()
                    .filter(|f| f.place.as_ref().is_some_and(|p| p.end <= 10)).map(|f| f.fingerprint.as_str()).collect();
                shown.sort_unstable();
                if shown.len() <= WISHES.most_comments {
                    prop_assert_eq!(open, shown);
                } else {
                    prop_assert_eq!(open.len(), WISHES.most_comments);
                }
                prop_assert!(platform.posted.summaries.len() <= 1);
                for f in &news.introduced {
                    let said = platform.posted.summaries.iter().any(|n| n.body.contains(&f.message));
                    prop_assert!(said, "{} is not in the summary", f.message);
                }
            }
        }
    }

    #[test]
    fn a_summary_keeps_to_its_room_and_says_what_is_left_out() {
        let many: Vec<Finding> = (0..3_000).map(|n| finding(n, Some(100 + n))).collect();
        let plan = plan(&news("abc", many), &diff(), &Posted::default(), &WISHES, &LIMITS);
        let Some(Call::CreateSummary { body }) = plan.calls.iter().find(|c| matches!(c, Call::CreateSummary { .. }))
        else {
            panic!("{:?}", plan.calls)
        };
        assert!(body.chars().count() <= LIMITS.body, "{}", body.chars().count());
        assert!(body.contains("more that found no room here"));
        let Some(Call::Check(check)) = plan.calls.last() else { panic!() };
        assert_eq!((check.annotations.len(), check.conclusion), (LIMITS.annotations, Conclusion::Failure));
        // The worst are those that are kept.
        assert!(check.annotations.iter().all(|a| a.severity == Severity::High));
    }

    #[test]
    fn what_is_one_too_many_goes_and_what_was_begun_is_finished() {
        let news = news("abc", vec![finding(0, Some(3))]);
        let mut platform = Platform::default();
        for call in plan(&news, &diff(), &Posted::default(), &WISHES, &LIMITS).calls {
            platform.perform(call);
        }
        let second = platform.posted.summaries[0].clone();
        platform.posted.summaries.push(Note { id: "twice".into(), ..second });
        platform.posted.checks[0].completed = false;
        let calls = plan(&news, &diff(), &platform.posted, &WISHES, &LIMITS).calls;
        assert_eq!(calls[0], Call::DeleteSummary { id: "twice".into() });
        let [_, Call::Check(check)] = &calls[..] else { panic!("{calls:?}") };
        assert_eq!(check.unfinished, Some((platform.posted.checks[0].id.clone(), 1)));
    }
}
