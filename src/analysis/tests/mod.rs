//! The analysis as a whole, over a format made for tests.

#![allow(clippy::unwrap_used)]

mod incremental;
mod suppression;
mod toy;

use super::check::Built;
use super::evaluate::Found;
use super::verdict::{Within, judge};
use super::*;
use crate::base::{Files, Span};
use crate::config::test_rule;
use crate::diagnostic::{Diagnostic, Label, Rule, Subject};
use crate::graph::{ResourceId, Value};
use std::fmt::Write;
use std::sync::Arc;
use toy::TOY;

fn settings() -> Settings {
    Settings { formats: TOY, today: Date::parse("2027-01-15"), ..Settings::default() }
}

fn workspace(files: &[(&str, &str)]) -> Workspace {
    let mut workspace = Workspace::new(settings());
    let set = files.iter().map(|(path, text)| ((*path).to_owned(), Arc::from(*text))).collect();
    workspace.apply(Change { set, ..Change::default() });
    workspace
}

fn build(workspace: &Workspace) -> Arc<Built> {
    workspace.snapshot().build(&CancelToken::new()).unwrap()
}

fn check(workspace: &Workspace) -> Report {
    workspace.snapshot().check(&Scope::All, &CancelToken::new()).unwrap()
}

/// A finding of this rule at a place in a resource.
fn finding(built: &Built, rule: &Arc<Rule>, id: ResourceId, span: Span) -> Found {
    let resource = built.graph.get(id);
    Found {
        diagnostic: Diagnostic {
            rule: rule.clone(),
            severity: rule.severity,
            message: format!("{} is wrong", resource.address),
            primary: Label::new(span, ""),
            related: Vec::new(),
            trace: Vec::new(),
            subject: Some(Subject {
                address: resource.address.clone(),
                kind: resource.kind.clone(),
                span: resource.span,
            }),
            callers: resource.callers.clone(),
            fix: None,
            fingerprint: format!("{}/{}", rule.name, resource.address),
            occurrences: Vec::new(),
            redacted: Vec::new(),
        },
        resource: Some(id),
        fix: None,
    }
}

/// Finds every attribute named `bad`, and judges that.
fn judged(workspace: &Workspace, rule: &Arc<Rule>) -> Report {
    let built = build(workspace);
    let mut found = Vec::new();
    for id in built.graph.ids() {
        if let Some(value) = built.graph.get(id).body.get("bad") {
            found.push(finding(&built, rule, id, value.span()));
        }
    }
    judged_of(workspace.settings(), &built, found)
}

fn judged_of(settings: &Settings, built: &Built, found: Vec<Found>) -> Report {
    let mut report = Report { files: built.files.clone(), ..Report::default() };
    let none = |_: &str| false;
    let within = Within::new(&built.files, &Scope::All, &none);
    judge(settings, built, found, &within, &mut report);
    super::verdict::sort(&mut report);
    report
}

/// Path and line of a place.
fn at(files: &Files, span: Span) -> String {
    files.get(span.file).map_or("-".into(), |f| format!("{}:{}", f.path, f.lines().line(span.start)))
}

/// What a report says, in a form that does not depend on the numbers of files.
fn text(report: &Report) -> String {
    let mut out = String::new();
    let files = &report.files;
    for d in &report.diagnostics {
        writeln!(out, "{} {} {} +{}", at(files, d.primary.span), d.rule.name, d.message, d.occurrences.len()).unwrap();
    }
    for s in &report.suppressed {
        writeln!(out, "{} {} by {:?}", at(files, s.diagnostic.primary.span), s.diagnostic.rule.name, s.by.kind)
            .unwrap();
    }
    for u in &report.unknowns {
        writeln!(out, "{} {} {}?", at(files, u.span), u.rule.name, u.address).unwrap();
    }
    for e in &report.errors {
        writeln!(out, "{} error {}", at(files, e.span), e.message).unwrap();
    }
    for f in &report.failures {
        writeln!(out, "failure {} {} {}", f.step, f.subject, f.message).unwrap();
    }
    for f in &report.ledger.files {
        writeln!(out, "{} {} {}", f.path, f.state.as_str(), f.reason).unwrap();
    }
    for e in &report.ledger.entries {
        writeln!(out, "{} {:?} {}", at(files, e.span), e.kind, e.message).unwrap();
    }
    for r in &report.graph.resources {
        let values: Vec<String> = r.body.as_map().map_or(Vec::new(), |m| {
            m.entries.iter().map(|e| format!("{}={}", e.key, e.value.scalar_text().unwrap_or_default())).collect()
        });
        writeln!(out, "{} {} {}", at(files, r.span), r.address, values.join(" ")).unwrap();
    }
    for e in &report.graph.edges {
        let name = |id| &report.graph.get(id).address;
        writeln!(out, "{} -> {}", name(e.from), name(e.to)).unwrap();
    }
    writeln!(out, "{:?}", report.stats).unwrap();
    out
}

#[test]
fn every_file_ends_in_the_ledger() {
    let mut workspace = workspace(&[
        ("a/good.toy", "block a {\n  x = 1\n}\n"),
        ("a/broken.toy", "block b {\n  x = 1\n}\nerror\n"),
        ("a/dangling.toy", "block c {\n  use nobody\n}\n"),
        ("boom.toy", "panic\n"),
        ("notes.md", "nothing\n"),
    ]);
    workspace.apply(Change {
        notes: vec![("big.toy".into(), FileState::Unread, "it is larger than the limit of 32 MB".into())],
        ..Change::default()
    });
    let report = check(&workspace);
    let states: Vec<String> =
        report.ledger.files.iter().map(|f| format!("{} {} {}", f.path, f.state.as_str(), f.reason)).collect();
    assert_eq!(
        states,
        [
            "a/broken.toy partly 1 syntax error",
            "a/dangling.toy partly 1 place not evaluated",
            "a/good.toy checked ",
            "big.toy unread it is larger than the limit of 32 MB",
            "boom.toy unread the program broke on it while parsing; see failures",
            "notes.md skipped no format claims it",
        ]
    );
    assert_eq!(report.failures.len(), 1);
    assert_eq!(report.failures[0].message, "a word that breaks the parser");
    // The broken file's intact block is there all the same.
    assert_eq!(report.stats.resources, 3);
    assert!(!report.ledger.is_complete());
}

#[test]
fn a_cancelled_check_gives_no_report() {
    let cancel = CancelToken::new();
    cancel.cancel();
    let snapshot = workspace(&[("a.toy", "block a {\n}\n")]).snapshot();
    assert_eq!(snapshot.check(&Scope::All, &cancel).err(), Some(Cancelled));
}

#[test]
fn findings_of_one_policy_at_one_place_are_one() {
    let workspace = workspace(&[("a.toy", "block a {\n  bad = 1\n}\n")]);
    let built = build(&workspace);
    let rule = Arc::new(test_rule("p", &[]));
    let id = built.graph.ids().next().unwrap();
    let span = built.graph.get(id).body.get("bad").map(Value::span).unwrap();
    let instance = |n: usize| {
        let mut found = finding(&built, &rule, id, span);
        let address: Arc<str> = format!("module.m[{n}].block.a").into();
        found.diagnostic.message = format!("{address} is wrong");
        found.diagnostic.subject.as_mut().unwrap().address = address;
        found
    };
    let again = instance(0);
    let report = judged_of(workspace.settings(), &built, vec![instance(0), instance(1), instance(2), again]);
    assert_eq!(report.diagnostics.len(), 1);
    let addresses: Vec<&str> = report.diagnostics[0].occurrences.iter().map(|o| &*o.address).collect();
    assert_eq!(addresses, ["module.m[1].block.a", "module.m[2].block.a"]);
}

#[test]
fn context_is_evaluated_but_not_reported_on() {
    let mut workspace = workspace(&[("a/main.toy", "block a {\n  use b\n}\n")]);
    workspace.apply(Change {
        context: vec![("a/other.toy".into(), "block b {\n  bad = 1\n}\nerror\n".into())],
        ..Change::default()
    });
    let report = check(&workspace);
    assert_eq!((report.stats.resources, report.stats.edges), (2, 1));
    assert!(report.errors.is_empty());
    assert_eq!(report.ledger.files.len(), 1);
    assert!(judged(&workspace, &Arc::new(test_rule("p", &[]))).suppressed.is_empty());
}

#[test]
fn a_baseline_counts_and_does_not_swallow_a_second_resource_of_the_same_name() {
    let one = [("a/m.toy", "block x {\n  bad = 1\n}\n")];
    let rule = Arc::new(test_rule("p", &[]));
    let first = judged(&workspace(&one), &rule);
    let baseline = Baseline::of(&first.diagnostics, |d| first.path(d.primary.span));
    assert_eq!(Baseline::parse(&baseline.to_text()), Ok(baseline.clone()));
    let mut moved = workspace(&[("renamed/n.toy", "# a new line\n\nblock x {\n  bad = 1\n}\n")]);
    let with = Settings { baseline: Some(Arc::new(baseline)), ..settings() };
    moved.apply(Change { settings: Some(with.clone()), ..Change::default() });
    assert!(judged(&moved, &rule).diagnostics.is_empty());
    let mut two = workspace(&[one[0], ("b/m.toy", "block x {\n  bad = 1\n}\n")]);
    two.apply(Change { settings: Some(with), ..Change::default() });
    let report = judged(&two, &rule);
    assert_eq!((report.diagnostics.len(), report.suppressed.len()), (1, 1));
}
