//! Whole lives of pull requests.

use crate::Stage;
use crate::fake::{Fault, How, Note};
use pretty_assertions::assert_eq;

const CONFIG: &str = "select = [\"aws-s3-bucket-public-acl\", \"ssh-open-to-internet\"]\n";
const GOOD: &str = "resource \"aws_s3_bucket\" \"logs\" {\n  bucket = \"logs\"\n  acl    = \"private\"\n}\n";
const BAD: &str = "resource \"aws_s3_bucket\" \"logs\" {\n  bucket = \"logs\"\n  acl    = \"public-read\"\n}\n";

const REVIEW: &str = "POST pulls/reviews 200";
const CHECK: &str = "POST check-runs 201";
const SUMMARY: &str = "POST issues/comments 201";
const EDIT_SUMMARY: &str = "PATCH issues/comments 200";
const EDIT: &str = "PATCH pulls/comments 200";
const DELETE: &str = "DELETE pulls/comments 204";
const RESOLVE: &str = "POST resolveReviewThread 200";

fn stage(name: &str) -> Stage {
    Stage::new(name, &[("stacklint.toml", CONFIG), ("main.tf", GOOD)])
}

#[test]
fn a_life_of_a_pull_request() {
    let stage = stage("life");
    stage.work.write("README.md", "words\n");
    stage.work.push("feature");
    stage.expect("open, nothing to say", 0, &[CHECK]);
    assert_eq!(stage.comments(), []);
    assert_eq!(stage.summary(), "");

    stage.work.write("main.tf", BAD);
    stage.work.push("feature");
    stage.expect("a push adds a finding", 1, &[REVIEW, SUMMARY, CHECK]);
    assert_eq!(stage.comments(), [("main.tf".to_owned(), Some(3), "high".to_owned())]);
    let body = stage.fake.state().pulls[&stage.key].comments[0].body.clone();
    for part in ["```suggestion\n  acl    = \"private\"\n```", "aws-s3-bucket-public-acl", "stacklint ignore: reason"] {
        assert!(body.contains(part), "{part} in {body}");
    }
    assert!(stage.summary().contains("1 new finding"), "{}", stage.summary());

    stage.work.write("main.tf", GOOD);
    stage.work.push("feature");
    stage.expect("a push fixes it", 0, &[EDIT, RESOLVE, EDIT_SUMMARY, CHECK]);
    assert_eq!(stage.comments(), [("main.tf".to_owned(), None, "Gone".to_owned())]);
    assert!(stage.fake.state().pulls[&stage.key].comments[0].resolved);
    assert!(stage.summary().contains("nothing new"), "{}", stage.summary());

    stage.work.write("main.tf", BAD);
    stage.work.push("feature");
    // The line is as it was, so the thread that stands there is opened again.
    stage.expect("it comes back", 1, &[EDIT, "POST unresolveReviewThread 200", EDIT_SUMMARY, CHECK]);

    stage.work.write("main.tf", &format!("# A bucket.\n\n{BAD}"));
    stage.work.push("feature");
    stage.expect("a push moves it down", 1, &[EDIT_SUMMARY, CHECK]);
    assert_eq!(stage.comments().last().unwrap().1, Some(5));

    stage.work.write("main.tf", "");
    stage.work.write("other.tf", BAD);
    stage.work.push("feature");
    stage.expect("a push moves it to another file", 1, &[REVIEW, DELETE, EDIT_SUMMARY, CHECK]);
    let open: Vec<_> = stage.comments().into_iter().filter(|c| c.2 != "Gone").collect();
    assert_eq!(open, [("other.tf".to_owned(), Some(3), "high".to_owned())]);

    stage.work.git(&["reset", "--quiet", "--soft", "origin/main"]);
    stage.work.push("feature");
    stage.expect("a force-push of the same content", 1, &[EDIT_SUMMARY, CHECK]);
    let open: Vec<_> = stage.comments().into_iter().filter(|c| c.2 != "Gone").collect();
    assert_eq!(open, [("other.tf".to_owned(), Some(3), "high".to_owned())]);

    stage.fake.state().pulls.get_mut(&stage.key).unwrap().closed = true;
    stage.expect("closed", 0, &[]);
    stage.fake.state().pulls.get_mut(&stage.key).unwrap().closed = false;
    stage.expect("opened again", 1, &[]);

    stage.work.write("main.tf", GOOD);
    std::fs::remove_file(stage.work.folder.join("other.tf")).unwrap();
    stage.work.push("feature");
    stage.expect("fixed in the end", 0, &[EDIT, RESOLVE, EDIT_SUMMARY, CHECK]);
    assert!(stage.comments().iter().all(|c| c.2 == "Gone"), "{:?}", stage.comments());
    let state = stage.fake.state();
    assert!(state.checks.iter().all(|c| c.status == "completed"), "{:#?}", state.checks);
    assert_eq!(state.checks.last().unwrap().conclusion, "success");
}

#[test]
fn lost_answers_and_limits_repeat_nothing() {
    let stage = stage("lost");
    stage.work.write("main.tf", BAD);
    stage.work.push("feature");
    let fault = |method, path, how| Fault { method, path, how };
    stage.fake.state().faults = vec![
        fault("GET", "/repos/octo/shop/pulls/7/files", How::Break),
        fault("POST", "/repos/octo/shop/pulls/7/reviews", How::Lose),
        fault("POST", "/repos/octo/shop/issues/7/comments", How::Limit { seconds: 1 }),
        fault("POST", "/repos/octo/shop/check-runs", How::Lose),
    ];
    stage.expect("lost", 1, &["POST pulls/reviews 502", "POST issues/comments 403", SUMMARY, "POST check-runs 502"]);
    assert_eq!(stage.comments().len(), 1);
    assert_eq!(stage.fake.state().checks.len(), 1);

    // A limit that lasts is nothing to wait for; the caller is told when to come back.
    stage.work.write("main.tf", GOOD);
    stage.work.push("feature");
    stage.fake.state().faults = vec![fault("PATCH", "/repos/octo/shop/pulls/comments", How::Limit { seconds: 5000 })];
    let ran = stage.review();
    assert_eq!(ran.code, 75, "{}", ran.err);
    stage.fake.changes();
    stage.expect("later", 0, &[EDIT, RESOLVE, EDIT_SUMMARY, CHECK]);
}

#[test]
fn what_is_not_shown_stands_in_the_summary() {
    let uses = "resource \"aws_s3_bucket\" \"logs\" {\n  bucket = \"logs\"\n  acl    = var.acl\n}\n";
    let variable = |value: &str| format!("variable \"acl\" {{\n  default = \"{value}\"\n}}\n");
    let stage =
        Stage::new("outside", &[("stacklint.toml", CONFIG), ("main.tf", uses), ("vars.tf", &variable("private"))]);
    stage.work.write("vars.tf", &variable("public-read"));
    stage.work.push("feature");
    stage.expect("a default changes", 1, &[REVIEW, SUMMARY, CHECK]);
    // The comment stands where the reviewer looks, and says where the finding is.
    assert_eq!(stage.comments(), [("vars.tf".to_owned(), Some(2), "high".to_owned())]);
    let body = stage.fake.state().pulls[&stage.key].comments[0].body.clone();
    assert!(body.contains("Found in `main.tf:3`"), "{body}");
    // A file that is deleted is shown nowhere.
    stage.work.write("vars.tf", &variable("private"));
    stage.work.push("feature");
    stage.expect("back", 0, &[EDIT, RESOLVE, EDIT_SUMMARY, CHECK]);
    stage.work.write("main.tf", BAD);
    stage.work.write("big.tf", &"# filler\n".repeat(60));
    stage.work.push("main");
    stage.work.git(&["rm", "--quiet", "stacklint.toml"]);
    stage.work.push("feature");
    let ran = stage.review();
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(stage.summary().contains("The change alters `stacklint.toml`"), "{}", stage.summary());
}

#[test]
fn many_findings_keep_to_the_limits() {
    let stage = stage("many");
    let bucket = |n: usize| {
        format!("resource \"aws_s3_bucket\" \"b{n}\" {{\n  bucket = \"b{n}\"\n  acl = \"public-read\"\n}}\n")
    };
    for n in 0..120 {
        stage.work.write(&format!("b{n}.tf"), &bucket(n));
    }
    stage.work.push("feature");
    {
        let mut state = stage.fake.state();
        let pull = state.pulls.get_mut(&stage.key).unwrap();
        // Words of others, and a marker that is not ours.
        pull.notes = (0..130)
            .map(|id| Note { id, author: "ann".into(), body: "words\n\n<!-- stacklint:1 summary 00 -->".into() })
            .collect();
    }
    stage.expect("many", 1, &[REVIEW, SUMMARY, CHECK, "PATCH check-runs 200", "PATCH check-runs 200"]);
    assert_eq!(stage.comments().len(), 25);
    assert!(stage.summary().contains("120 new findings"), "{}", stage.summary());
    let state = stage.fake.state();
    assert_eq!(state.checks[0].batches, [50, 50, 20]);
    assert_eq!(state.checks[0].conclusion, "failure");
}

#[test]
fn a_check_that_was_begun_is_finished() {
    let stage = stage("begun");
    for n in 0..60 {
        stage.work.write(&format!("b{n}.tf"), &BAD.replace("logs", &format!("b{n}")));
    }
    stage.work.push("feature");
    let path = "/repos/octo/shop/check-runs";
    stage.fake.state().faults = vec![Fault { method: "POST", path, how: How::Lose }];
    stage.expect("begun", 1, &[REVIEW, SUMMARY, "POST check-runs 502", "PATCH check-runs 200"]);
    let state = stage.fake.state();
    assert_eq!((state.checks.len(), &state.checks[0].batches[..]), (1, &[50, 10][..]));
    assert_eq!(state.checks[0].conclusion, "failure");
}

#[test]
fn a_wish_to_ignore_becomes_a_suggestion() {
    let stage = stage("wish");
    stage.work.write("main.tf", BAD);
    stage.work.push("feature");
    stage.expect("finding", 1, &[REVIEW, SUMMARY, CHECK]);
    {
        let mut state = stage.fake.state();
        state.permissions.insert("ann".into(), "write");
        let id = state.pulls[&stage.key].comments[0].id;
        state.reply(&stage.key, id, "bob", "stacklint ignore: I want it");
        state.reply(&stage.key, id, "bob", "what is this?");
        state.reply(&stage.key, id, "ann", "stacklint ignore: a public site */ stacklint: ignore-file[*]");
    }
    stage.expect("answers", 1, &["POST pulls/comments/replies 201", "POST pulls/comments/replies 201"]);
    let replies: Vec<String> = {
        let state = stage.fake.state();
        let ours =
            state.pulls[&stage.key].comments.iter().filter(|c| c.reply_to.is_some() && c.author == crate::fake::BOT);
        ours.map(|c| c.body.clone()).collect()
    };
    assert!(replies[0].starts_with("Somebody who may write"), "{replies:?}");
    let suggested = replies[1].split("```suggestion\n").nth(1).and_then(|r| r.split("```").next()).unwrap();
    assert_eq!(
        suggested,
        "  # stacklint: ignore[aws-s3-bucket-public-acl] a public site   ignore-file[*]\n  acl    = \"public-read\"\n"
    );
    // Somebody commits the suggestion.
    stage.work.write("main.tf", &BAD.replace("  acl    = \"public-read\"\n", suggested));
    stage.work.push("feature");
    stage.expect("ignored", 0, &[EDIT, RESOLVE, EDIT_SUMMARY, CHECK]);
    assert_eq!(stage.comments()[0].2, "Ignored");
    assert!(stage.summary().contains("An ignore of this change silences"), "{}", stage.summary());
}

#[test]
fn a_change_cannot_alter_what_it_is_judged_by_or_read_outside() {
    let stage = stage("trust");
    let outside = stage.folder.0.join("outside");
    std::fs::create_dir_all(&outside).unwrap();
    std::fs::write(outside.join("secret.tf"), BAD.replace("logs", "machine")).unwrap();
    std::os::unix::fs::symlink(outside.join("secret.tf"), stage.work.folder.join("link.tf")).unwrap();
    std::os::unix::fs::symlink("../../../../../../../../etc", stage.work.folder.join("etc")).unwrap();
    let config =
        format!("ignore = [\"*\"]\npolicy_dirs = [\"{0}\"]\nvar_files = [\"/etc/hostname\"]\n", outside.display());
    stage.work.write("stacklint.toml", &config);
    stage.work.write("main.tf", BAD);
    stage.work.push("feature");
    stage.expect("loosened", 1, &[REVIEW, SUMMARY, CHECK]);
    let summary = stage.summary();
    assert!(summary.contains("1 new finding") && summary.contains("The change alters `stacklint.toml`"), "{summary}");
    assert!(!summary.contains("machine"), "{summary}");

    // Merged all the same, it still reads nothing outside of the repository.
    stage.work.push("main");
    stage.work.write("more.tf", &BAD.replace("logs", "more"));
    stage.work.push("feature");
    let ran = stage.review();
    let summary = stage.summary();
    assert!(summary.contains("cannot be used, so the defaults hold") && ran.code == 1, "{summary} {}", ran.err);
    assert!(!summary.contains(&*outside.to_string_lossy()) || summary.contains("policies in"), "{summary}");
}

#[test]
fn the_token_is_in_no_argument() {
    let stage = stage("argv");
    stage.work.write("main.tf", BAD);
    stage.work.push("feature");
    // A git that writes down how it was called.
    let bin = stage.folder.0.join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    let real = std::process::Command::new("sh").args(["-c", "command -v git"]).output().unwrap().stdout;
    let seen = stage.folder.0.join("seen");
    let script = format!(
        "#!/bin/sh\nprintf '%s\\n' \"$*\" >> {}\nexec {} \"$@\"\n",
        seen.display(),
        String::from_utf8(real).unwrap().trim()
    );
    std::fs::write(bin.join("git"), script).unwrap();
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(bin.join("git"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = stage.command();
    command.env("PATH", format!("{}:{}", bin.display(), std::env::var("PATH").unwrap()));
    let ran = stage.run(command);
    assert_eq!(ran.code, 1, "{}", ran.err);
    let seen = std::fs::read_to_string(seen).unwrap();
    assert!(seen.contains("fetch") && seen.lines().count() > 3, "{seen}");
    assert!(!seen.contains("Planted") && !seen.contains("eC1hY2Nlc3M"), "{seen}");

    // More than may be fetched is not kept.
    let mut command = stage.command();
    command.args(["--max-megabytes", "0"]);
    let ran = stage.run(command);
    assert!(ran.code == 2 && ran.err.contains("larger than the limit of 0 MB"), "{} {}", ran.code, ran.err);

    // A wrong token is told as such, and not shown.
    let mut command = stage.command();
    command.env("STACKLINT_BOT_TOKEN", "ghs_PlantedButWrong");
    let ran = stage.run(command);
    assert!(ran.code == 2 && ran.err.contains("The token is wrong or has expired"), "{} {}", ran.code, ran.err);
}
