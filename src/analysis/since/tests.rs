#![allow(clippy::unwrap_used)]

use super::*;
use crate::analysis::{FileEntry, Suppressed, Suppression, SuppressionKind, UnknownResult, Unknowns};
use crate::base::FileId;
use crate::config::test_rule;
use crate::diagnostic::{Occurrence, Subject};
use crate::graph::{CauseKind, Data, Value};

type Texts<'a> = &'a [(&'a str, &'a str)];

/// A report of files whose lines say what is in them:
///
/// ```text
/// thing a module.m.a    # a resource, and its further instances
///   bad WORDS           # a finding of the policy `p`
///   ignored WORDS       # the same, silenced
///   unknown             # the policy cannot say
/// end
/// unread                # the file could not be read
/// ```
///
/// Like Terraform's, the fingerprint of a finding holds the folder, the address, and which of the resource's it is.
fn report(texts: Texts<'_>) -> Report {
    let mut report = Report::default();
    let rule = Arc::new(test_rule("p", &[]));
    let mut graph = crate::graph::ResourceGraph::default();
    let mut unknowns = Vec::new();
    for (path, text) in texts {
        let file = report.files.set(path, (*text).into());
        let unit: Arc<str> = path.rsplit_once('/').map_or("", |(folder, _)| folder).into();
        let mut state = FileState::Checked;
        let mut open: Option<(Vec<Arc<str>>, Span, usize)> = None;
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            let code = Span::new(file, at + line.len() - line.trim_start().len()..at + line.trim_end().len());
            at += line.len();
            let mut words = line.split_whitespace();
            match (words.next(), &mut open) {
                (Some("thing"), _) => {
                    let end = text[code.start as usize..].find("end").unwrap() + code.start as usize + 3;
                    let span = Span::new(file, code.start as usize..end);
                    let addresses: Vec<Arc<str>> = words.map(Arc::from).collect();
                    for address in &addresses {
                        graph.add(Arc::new(Resource {
                            kind: "thing".into(),
                            address: address.clone(),
                            name: address.clone(),
                            unit: unit.clone(),
                            span,
                            head: code,
                            body: Value::literal(Data::Null, span),
                            callers: Arc::new([]),
                            parent: None,
                        }));
                    }
                    open = Some((addresses, span, 0));
                }
                (Some(word @ ("bad" | "ignored")), Some((addresses, span, n))) => {
                    let fingerprint = |address: &str| format!("{unit}/{address}/{n}");
                    let diagnostic = Diagnostic {
                        rule: rule.clone(),
                        severity: rule.severity,
                        message: format!("{} is bad", addresses[0]),
                        primary: Label::new(code, ""),
                        related: Vec::new(),
                        trace: Vec::new(),
                        subject: Some(Subject { address: addresses[0].clone(), kind: "thing".into(), span: *span }),
                        callers: Arc::new([]),
                        fix: None,
                        fingerprint: fingerprint(&addresses[0]),
                        occurrences: addresses[1..]
                            .iter()
                            .map(|a| Occurrence {
                                address: a.clone(),
                                fingerprint: fingerprint(a),
                                callers: Arc::new([]),
                                trace: Vec::new(),
                            })
                            .collect(),
                        redacted: Vec::new(),
                    };
                    *n += 1;
                    if word == "bad" {
                        report.diagnostics.push(diagnostic);
                    } else {
                        let by = Suppression {
                            kind: SuppressionKind::InSource,
                            span: Span::at(FileId(0), 0),
                            reason: String::new(),
                        };
                        report.suppressed.push(Suppressed { diagnostic, by });
                    }
                }
                (Some("unknown"), Some((addresses, span, _))) => unknowns.push(Arc::new(UnknownResult {
                    rule: rule.clone(),
                    severity: rule.severity,
                    address: addresses[0].clone(),
                    kind: "thing".into(),
                    span: *span,
                    cause: CauseKind::Input,
                    message: String::new(),
                    cause_span: code,
                })),
                (Some("unread"), _) => state = FileState::Unread,
                _ => {}
            }
        }
        report.ledger.files.push(FileEntry {
            path: (*path).into(),
            file: Some(file),
            format: None,
            state,
            reason: String::new(),
        });
    }
    report.graph = Arc::new(graph);
    report.unknowns = Unknowns::new(unknowns, &report.files);
    report
}

/// What the comparison says, one line for each of the findings: `+ place address` introduced, `-` fixed, `?` hidden with the
/// reason, `=` unchanged.
fn difference(base: Texts<'_>, head: Texts<'_>) -> String {
    let (base, head) = (report(base), report(head));
    let found = compare(&base, &head);
    let line = |report: &Report, d: &Diagnostic| {
        let span = d.primary.span;
        let line = report.files.get(span.file).unwrap().lines().line(span.start);
        format!("{}:{line} {}", report.path(span), d.subject.as_ref().unwrap().address)
    };
    let mut lines: Vec<String> = found.introduced.iter().map(|d| format!("+ {}", line(&head, &d.diagnostic))).collect();
    lines.extend(found.fixed.iter().map(|d| format!("- {}", line(&base, &d.diagnostic))));
    lines.extend(found.hidden.iter().map(|(d, why)| format!("? {} {}", line(&base, &d.diagnostic), why.as_str())));
    lines.extend(found.unchanged.iter().map(|(_, h)| format!("= {}", line(&head, &head.diagnostics[*h]))));
    lines.join("\n")
}

fn check(base: Texts<'_>, head: Texts<'_>, expected: &[&str]) {
    pretty_assertions::assert_eq!(difference(base, head), expected.join("\n"));
}

const A: &str = "thing a\n  bad x\nend\n";

#[test]
fn what_is_new_is_introduced_and_what_is_gone_is_fixed() {
    check(&[("m", A)], &[("m", A)], &["= m:2 a"]);
    check(&[("m", A)], &[("m", "thing a\n  good\nend\n")], &["- m:2 a"]);
    check(&[("m", A)], &[], &["- m:2 a"]);
    check(&[], &[("m", A)], &["+ m:2 a"]);
    // The value changed, the fault is the same.
    check(&[("m", A)], &[("m", "\n# moved\nthing a\n  bad y\nend\n")], &["= m:4 a"]);
}

#[test]
fn the_new_one_of_two_is_the_one_whose_lines_are_new() {
    let before = "thing a\n  bad x\nend\n";
    check(&[("m", before)], &[("m", "thing a\n  bad y\n  bad x\nend\n")], &["+ m:2 a", "= m:3 a"]);
    check(&[("m", before)], &[("m", "thing a\n  bad x\n  bad y\nend\n")], &["+ m:3 a", "= m:2 a"]);
    // One mended, another made, at the same time: both are said.
    check(
        &[("m", "thing a\n  bad x\n  ok\n  other\nend\n")],
        &[("m", "thing a\n  ok\n  other\n  ignored q\n  bad y\nend\n")],
        &["+ m:5 a", "? m:2 a ignored"],
    );
}

#[test]
fn renames_and_moves_introduce_nothing() {
    // A folder that is a root module of its own: its name is part of the fingerprint.
    check(&[("prod/m", A)], &[("production/m", A)], &["= production/m:2 a"]);
    // The file changed while it was renamed, also in the line of the finding.
    let long = "thing a\n  bad x\n  one\n  two\n  three\n  four\nend\n";
    check(&[("prod/m", long)], &[("live/m", &long.replace("bad x", "bad y"))], &["= live/m:2 a"]);
    // The resource was renamed.
    check(&[("m", A)], &[("m", "thing b\n  bad x\nend\n")], &["= m:2 b"]);
    // It was moved into a module, and renamed.
    check(
        &[("m", "thing a\n  bad x\nend\nthing k\nend\n")],
        &[("m", "thing k\nend\n"), ("n/o", "thing b\n  bad x\nend\n")],
        &["= n/o:2 b"],
    );
    // But a copy is new.
    check(&[("m", A)], &[("m", A), ("n/o", "thing b\n  bad x\nend\n")], &["+ n/o:2 b", "= m:2 a"]);
    check(&[("a/m", A)], &[("a/m", A), ("b/m", A)], &["+ b/m:2 a", "= a/m:2 a"]);
}

#[test]
fn a_finding_is_new_for_its_new_instances_alone() {
    check(
        &[("m", "thing a module.x.a\n  bad x\nend\n")],
        &[("m", "thing a module.x.a module.y.a\n  bad x\nend\n")],
        &["+ m:2 module.y.a", "= m:2 a"],
    );
    // The one that gave the finding its fingerprint was mended; the other is still there.
    check(
        &[("m", "thing a module.x.a\n  bad x\nend\n")],
        &[("m", "thing module.x.a\n  bad x\nend\nthing a\nend\n")],
        &["- m:2 a", "= m:2 module.x.a"],
    );
    // One module call mended, another made: that is no rename, since the first is still there.
    check(
        &[("m", "thing module.x.a\n  bad x\nend\n")],
        &[("m", "thing module.y.a\n  bad x\nend\nthing module.x.a\nend\n")],
        &["+ m:2 module.y.a", "- m:2 module.x.a"],
    );
    let one = report(&[("m", "thing a\n  bad x\nend\n")]);
    let two = report(&[("m", "thing a b c\n  bad x\nend\n")]);
    let introduced = compare(&one, &two).introduced;
    assert_eq!(introduced[0].diagnostic.message, "b is bad");
    assert_eq!(introduced[0].diagnostic.fingerprint, "/b/0");
    assert_eq!(introduced[0].diagnostic.occurrences.len(), 1);
}

#[test]
fn what_is_only_hidden_is_not_fixed() {
    check(&[("m", A)], &[("m", "thing a\n  ignored x\nend\n")], &["? m:2 a ignored"]);
    check(&[("m", A)], &[("m", "thing a\n  unknown\nend\n")], &["? m:2 a not known"]);
    check(&[("m", A)], &[("m", "unread\n")], &["? m:2 a not read"]);
    // What was hidden and is shown now is new to whoever reads it.
    check(&[("m", "thing a\n  ignored x\nend\n")], &[("m", A)], &["+ m:2 a"]);
}

#[test]
fn what_is_left_out_is_not_fixed() {
    let (base, head) = (report(&[("m", A), ("n/m", A)]), report(&[]));
    let mut found = compare(&base, &head);
    assert_eq!(found.fixed.len(), 2);
    found.hide(|d| base.path(d.diagnostic.primary.span) == "n/m");
    assert_eq!((found.fixed.len(), found.hidden.len()), (1, 1));
    assert_eq!(found.hidden[0].1, Hidden::LeftOut);
}

#[test]
fn a_narrowed_report_holds_what_was_introduced() {
    let mut head = report(&[("m", "thing a\n  bad x\nend\nthing b\n  bad x\nend\n")]);
    let request = |i: u32| crate::policy::fix::FixRequest {
        policy: "p".into(),
        resource: crate::graph::ResourceId(i),
        title: String::new(),
        safety: crate::diagnostic::Safety::Safe,
        actions: Vec::new(),
    };
    head.fixes = vec![(0, request(0)), (1, request(1))];
    let found = compare(&report(&[("m", A)]), &head);
    let is_introduced = found.introduces(&head);
    assert_eq!(head.diagnostics.iter().map(is_introduced).collect::<Vec<_>>(), [false, true]);
    found.narrow(Report::default(), &mut head, Since { reference: "main".to_owned(), ..Since::default() });
    assert_eq!(head.diagnostics.len(), 1);
    assert_eq!(head.diagnostics[0].message, "b is bad");
    let fixes: Vec<(usize, u32)> = head.fixes.iter().map(|(i, f)| (*i, f.resource.0)).collect();
    assert_eq!(fixes, [(0, 1)]);
    let since = head.since.unwrap();
    assert_eq!((since.reference.as_str(), since.unchanged.len(), since.fixed().len()), ("main", 1, 0));
}

#[test]
fn large_rewrites_are_compared_without_line_by_line() {
    let lines = |word: &str| (0..20_000).map(|i| format!("{word} {i}\n")).collect::<String>();
    let text = |word: &str| format!("thing a\n  bad x\nend\n{}thing b\n  bad x\nend\n", lines(word));
    check(&[("m", &text("p"))], &[("m", &text("q"))], &["= m:2 a", "= m:20005 b"]);
}
