//! Ignores of every form.

use super::*;
use crate::config::Config;

/// The policy that all findings here are of.
fn policy() -> Arc<Rule> {
    Arc::new(test_rule(
        "bad-thing",
        &[
            "checkov:CKV_X_1",
            "trivy:AVD-AWS-0028",
            "kics:c065b98e-1515",
            "hadolint:DL3001",
            "terrascan:AC_AWS_0005",
            "kube-linter:run-as-non-root",
        ],
    ))
}

/// The lines of a file, `bad` attributes, that are still reported.
fn left(text: &str) -> Vec<u32> {
    left_with(settings(), text)
}

fn left_with(settings: Settings, text: &str) -> Vec<u32> {
    let mut workspace = workspace(&[("m.toy", text)]);
    workspace.apply(Change { settings: Some(settings), ..Change::default() });
    let report = judged(&workspace, &policy());
    let bad = report.diagnostics.iter().filter(|d| d.rule.name == "bad-thing");
    bad.map(|d| report.files.get(d.primary.span.file).unwrap().lines().line(d.primary.span.start)).collect()
}

/// The findings about ignores: their rule, their text in the source, their message.
fn hygiene(text: &str) -> Vec<String> {
    let report = judged(&workspace(&[("m.toy", text)]), &policy());
    let about = report.diagnostics.iter().filter(|d| d.rule.name.ends_with("-ignore"));
    about.map(|d| format!("{} at {}: {}", d.rule.name, report.files.slice(d.primary.span), d.message)).collect()
}

#[test]
fn our_own_form_reaches_the_line_the_next_line_and_the_block() {
    for (name, text, expected) in [
        ("same line", "block a {\n  bad = 1 # stacklint: ignore[bad-thing] because\n}\n", vec![]),
        ("line above", "block a {\n  # stacklint: ignore[bad-thing]\n  bad = 1\n}\n", vec![]),
        ("through other comments", "block a {\n  # stacklint: ignore[bad-thing]\n  # more\n\n  bad = 1\n}\n", vec![]),
        ("first line of the block", "block a { # stacklint: ignore[bad-thing]\n  x = 1\n  bad = 1\n}\n", vec![]),
        ("above the block", "# stacklint: ignore[bad-thing]\nblock a {\n  bad = 1\n}\n", vec![]),
        ("elsewhere in the block", "block a {\n  x = 1 # stacklint: ignore[bad-thing]\n  bad = 1\n}\n", vec![3]),
        ("another block", "# stacklint: ignore[bad-thing]\nblock a {\n}\nblock b {\n  bad = 1\n}\n", vec![5]),
        (
            "a trailing comment is no line above",
            "block a { # x\n  x = 1 # stacklint: ignore[bad-thing]\n  bad = 1\n}\n",
            vec![3],
        ),
        ("another policy", "block a {\n  bad = 1 # stacklint: ignore[other]\n}\n", vec![2]),
        ("several names", "block a {\n  bad = 1 # stacklint: ignore[other, bad-thing]\n}\n", vec![]),
        ("a glob", "block a {\n  bad = 1 # stacklint: ignore[bad-*]\n}\n", vec![]),
        ("a peer's id", "block a {\n  bad = 1 # stacklint: ignore[checkov:CKV_X_1]\n}\n", vec![]),
        ("until then", "block a {\n  bad = 1 # stacklint: ignore[bad-thing] until=2027-01-15 soon\n}\n", vec![]),
        ("expired", "block a {\n  bad = 1 # stacklint: ignore[bad-thing] until=2027-01-14\n}\n", vec![2]),
        ("whole file", "# stacklint: ignore-file[bad-thing]\nblock a {\n}\nblock b {\n  bad = 1\n}\n", vec![]),
        ("after a peer's", "block a {\n  bad = 1 # tfsec:ignore:x stacklint: ignore[bad-thing] why\n}\n", vec![]),
    ] {
        assert_eq!(left(text), expected, "{name}");
    }
    let off = Settings { inline_ignores: false, ..settings() };
    assert_eq!(left_with(off, "block a {\n  bad = 1 # stacklint: ignore[bad-thing]\n}\n"), [2]);
}

#[test]
fn peers_forms_are_honoured() {
    for (name, text, expected) in [
        ("checkov inside", "block a {\n  # checkov:skip=CKV_X_1:reason\n  x = 1\n  bad = 1\n}\n", vec![]),
        ("checkov, a list", "block a {\n  bad = 1\n  #checkov:skip=CKV_X_2,CKV_X_1: reason\n}\n", vec![]),
        ("checkov above the block", "# checkov:skip=CKV_X_1\nblock a {\n  bad = 1\n}\n", vec![3]),
        ("checkov, another id", "block a {\n  # checkov:skip=CKV_X_10\n  bad = 1\n}\n", vec![3]),
        ("bridgecrew", "block a {\n  # bridgecrew:skip= CKV_X_1\n  bad = 1\n}\n", vec![]),
        ("cortex", "block a {\n  # cortex:skip=CKV_X_1:why\n  bad = 1\n}\n", vec![]),
        ("trivy", "#trivy:ignore:AVD-AWS-0028\nblock a {\n  bad = 1\n}\n", vec![]),
        ("trivy without AVD", "#trivy:ignore:aws-0028\nblock a {\n  bad = 1\n}\n", vec![]),
        ("tfsec's name", "block a {\n  bad = 1 #tfsec:ignore:aws-ec2-enforce-http-token-imds\n}\n", vec![]),
        ("trivy, a wildcard", "#trivy:ignore:aws-ec2-*\nblock a {\n  bad = 1\n}\n", vec![]),
        ("trivy, several", "#trivy:ignore:AVD-AWS-0001 trivy:ignore:AVD-AWS-0028\nblock a {\n  bad = 1\n}\n", vec![]),
        ("trivy, expired", "#trivy:ignore:AVD-AWS-0028:exp:2026-01-01\nblock a {\n  bad = 1\n}\n", vec![3]),
        ("trivy, not expired", "#trivy:ignore:AVD-AWS-0028:exp:2028-01-01\nblock a {\n  bad = 1\n}\n", vec![]),
        ("trivy, workspace", "#trivy:ignore:AVD-AWS-0028:ws:prod\nblock a {\n  bad = 1\n}\n", vec![3]),
        ("trivy, this workspace", "#trivy:ignore:AVD-AWS-0028:ws:default\nblock a {\n  bad = 1\n}\n", vec![]),
        ("trivy, attribute", "#trivy:ignore:AVD-AWS-0028[x=1]\nblock a {\n  x = 1\n  bad = 1\n}\n", vec![]),
        ("trivy, other attribute", "#trivy:ignore:AVD-AWS-0028[x=2]\nblock a {\n  x = 1\n  bad = 1\n}\n", vec![4]),
        ("trivy, inside another line", "block a {\n  x = 1 #trivy:ignore:*\n  bad = 1\n}\n", vec![3]),
        ("terrascan", "block a {\n  #ts:skip=AC_AWS_0005 we know\n  bad = 1\n}\n", vec![]),
        ("kics file", "# kics-scan ignore\nblock a {\n  bad = 1\n}\n", vec![]),
        ("kics file, not at its head", "block a {\n  bad = 1\n}\n# kics-scan ignore\n", vec![2]),
        ("kics disable", "# kics-scan disable=other,c065b98e-1515\nblock a {\n  bad = 1\n}\n", vec![]),
        ("kics enable another", "# kics-scan enable=other\nblock a {\n  bad = 1\n}\n", vec![]),
        ("kics enable this", "# kics-scan enable=c065b98e-1515\nblock a {\n  bad = 1\n}\n", vec![3]),
        ("kics line", "block a {\n  # kics-scan ignore-line\n  bad = 1\n}\n", vec![]),
        ("kics line elsewhere", "block a {\n  # kics-scan ignore-line\n  x = 1\n  bad = 1\n}\n", vec![4]),
        ("kics block", "block b {\n}\n# kics-scan ignore-block\nblock a {\n  x = 1\n  bad = 1\n}\n", vec![]),
        ("hadolint means Dockerfiles", "# hadolint ignore=DL3001\nblock a {\n  bad = 1\n}\n", vec![3]),
    ] {
        assert_eq!(left(text), expected, "{name}");
    }
}

#[test]
fn ignore_files_and_paths_of_the_configuration_silence_too() {
    let text = "block a {\n  bad = 1\n}\n";
    let with =
        |name: &str, content: &str| Settings { ignore_files: vec![(name.to_owned(), content.into())], ..settings() };
    assert!(left_with(with(".trivyignore", "# known\nAVD-AWS-0001\nAVD-AWS-0028 exp:2028-01-01\n"), text).is_empty());
    assert_eq!(left_with(with(".trivyignore", "AVD-AWS-0028 exp:2026-01-01\n"), text), [2]);
    let yaml = "misconfigurations:\n  - id: AVD-AWS-0028\n    paths: [\"m.toy\"]\n    statement: known\n";
    assert!(left_with(with(".trivyignore.yaml", yaml), text).is_empty());
    assert_eq!(left_with(with(".trivyignore.yaml", &yaml.replace("m.toy", "other")), text), [2]);
    let config = |paths: &str| Settings {
        config: Arc::new(
            Config::parse("c", &format!("[[per-path]]\npaths = [\"{paths}\"]\nignore = [\"bad-*\"]")).unwrap(),
        ),
        ..settings()
    };
    assert!(left_with(config("*.toy"), text).is_empty());
    assert_eq!(left_with(config("other/"), text), [2]);
}

#[test]
fn ignores_that_do_nothing_are_findings_of_their_own() {
    assert!(hygiene("block a {\n  bad = 1 # stacklint: ignore[checkov:CKV_X_1]\n}\n").is_empty());
    for (text, expected) in [
        (
            "block a {\n  bad = 1 # stacklint: ignore[checkov:CKV_X_1, nothing-like-it]\n}\n",
            "unused-ignore at nothing-like-it: no policy answers to `nothing-like-it`",
        ),
        (
            "block a {\n  bad = 1 # stacklint: ignore[bad-thing] until=2026-12-31\n}\n",
            "expired-ignore at until=2026-12-31: this ignore expired on 2026-12-31",
        ),
        (
            "block a {\n  bad = 1 # stacklint: ignore bad-thing\n}\n",
            "malformed-ignore at ignore: name the policies to ignore in brackets: `ignore[policy-name]`",
        ),
        (
            "block a {\n  bad = 1 # stacklint: ignore[bad-thing] until=soon\n}\n",
            "malformed-ignore at soon: `soon` is no date; write `until=2027-01-31`",
        ),
        (
            "block a {\n  bad = 1 # stacklint: ignore[chekov:X]\n}\n",
            "malformed-ignore at chekov:X: `chekov:` is not known: did you mean `checkov:X`?",
        ),
    ] {
        assert_eq!(hygiene(text), [expected]);
    }
}

#[test]
fn the_fix_of_an_unused_ignore_removes_what_is_not_needed() {
    let fixed = |text: &str| {
        let report = judged(&workspace(&[("m.toy", text)]), &policy());
        let unused = report.diagnostics.iter().find(|d| d.rule.name == "unused-ignore").unwrap();
        let edit = &unused.fix.as_ref().unwrap().edits[0];
        format!("{}{}{}", &text[..edit.span.start as usize], edit.text, &text[edit.span.end as usize..])
    };
    assert_eq!(fixed("block a {\n  # stacklint: ignore[gone]\n  x = 1\n}\n"), "block a {\n  x = 1\n}\n");
    assert_eq!(fixed("block a {\n  x = 1 # stacklint: ignore[gone] why\n}\n"), "block a {\n  x = 1\n}\n");
    assert_eq!(
        fixed("block a {\n  bad = 1 # stacklint: ignore[bad-thing, gone] why\n}\n"),
        "block a {\n  bad = 1 # stacklint: ignore[bad-thing] why\n}\n"
    );
    assert_eq!(
        fixed("block a {\n  bad = 1 # stacklint: ignore[gone, bad-thing] why\n}\n"),
        "block a {\n  bad = 1 # stacklint: ignore[bad-thing] why\n}\n"
    );
}

#[test]
fn an_ignore_on_a_module_call_reaches_what_the_module_creates() {
    let workspace = workspace(&[
        (
            "main.toy",
            "block call { # stacklint: ignore[bad-thing]\n  x = 1\n}\nblock second {\n  # checkov:skip=CKV_X_1\n}\nblock third {\n}\n",
        ),
        ("m/m.toy", "block a {\n  bad = 1\n}\n"),
    ]);
    let built = build(&workspace);
    let id = |name: &str| built.graph.ids().find(|&id| &*built.graph.get(id).name == name).unwrap();
    let span = built.graph.get(id("a")).body.get("bad").map(Value::span).unwrap();
    let called_by = |name: &str| {
        let mut found = finding(&built, &policy(), id("a"), span);
        found.diagnostic.callers = Arc::new([built.graph.get(id(name)).span]);
        judged_of(workspace.settings(), &built, vec![found])
            .diagnostics
            .iter()
            .filter(|d| d.rule.name == "bad-thing")
            .count()
    };
    assert_eq!((called_by("call"), called_by("second"), called_by("third")), (0, 0, 1));
}
