//! What others take from here: the action's script, the hooks, the manifests.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may stop at the first surprise")]
#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// A folder of its own for each test, gone when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("stacklint-integrations-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().canonicalize().unwrap().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A program with the built one on its path.
fn command(program: &str, at: &Path) -> Command {
    let mut path = vec![Path::new(env!("CARGO_BIN_EXE_stacklint")).parent().unwrap().to_path_buf()];
    path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap()));
    let mut command = Command::new(program);
    command.current_dir(at).env_clear().env("PATH", std::env::join_paths(path).unwrap());
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    for name in ["AUTHOR_NAME", "AUTHOR_EMAIL", "COMMITTER_NAME", "COMMITTER_EMAIL"] {
        command.env(format!("GIT_{name}"), "a@example.org");
    }
    command
}

fn git(at: &Path, args: &[&str]) -> String {
    let output = command("git", at).args(args).output().unwrap();
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn bucket(name: &str) -> String {
    format!("resource \"aws_s3_bucket_acl\" \"{name}\" {{\n  bucket = \"b\"\n  acl    = \"public-read\"\n}}\n")
}

#[test]
fn what_runs_in_clusters_and_images_passes_itself() {
    let output = command(env!("CARGO_BIN_EXE_stacklint"), root())
        .args(["check", "--format", "json", "--no-config", "--strict", "integrations"])
        .output()
        .unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["findings"], serde_json::json!([]));
    assert_eq!(output.status.code(), Some(0));
    let files: Vec<&str> =
        report["coverage"]["files"].as_array().unwrap().iter().filter_map(|f| f["file"].as_str()).collect();
    for file in ["integrations/Dockerfile", "integrations/kubernetes/scan-job.yaml"] {
        assert!(files.contains(&file), "{files:?}");
    }
}

/// What a run of the action's script left behind.
struct Ran {
    code: i32,
    said: String,
    outputs: String,
    summary: String,
    sarif: String,
}

/// Runs the script of the action in a checkout, with the variables of the runner.
fn action(at: &Path, variables: &[(&str, &str)]) -> Ran {
    let temp = at.parent().unwrap();
    let (outputs, summary) = (temp.join("outputs"), temp.join("summary"));
    for file in [&outputs, &summary] {
        std::fs::write(file, "").unwrap();
    }
    let mut command = command("bash", at);
    command.arg(root().join("integrations/github/check.sh"));
    command.env("GITHUB_OUTPUT", &outputs).env("GITHUB_STEP_SUMMARY", &summary).env("RUNNER_TEMP", temp);
    let output = command.envs(variables.iter().copied()).output().unwrap();
    let text = |path: &Path| std::fs::read_to_string(path).unwrap_or_default();
    Ran {
        code: output.status.code().unwrap(),
        said: String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr),
        outputs: text(&outputs),
        summary: text(&summary),
        sarif: text(&temp.join("stacklint.sarif")),
    }
}

/// A repository with a pull request: its trial merge is what a runner checks out, as shallow as it does.
fn pull_request() -> (Folder, PathBuf, String) {
    let folder = Folder::new();
    let origin = folder.0.join("origin");
    std::fs::create_dir(&origin).unwrap();
    git(&origin, &["init", "-q", "-b", "main"]);
    git(&origin, &["config", "uploadpack.allowAnySHA1InWant", "true"]);
    let write = |path: &str, text: &str| std::fs::write(origin.join(path), text).unwrap();
    let commit = || {
        git(&origin, &["add", "-A"]);
        git(&origin, &["commit", "-q", "-m", "x"]);
    };
    write("main.tf", &bucket("old"));
    commit();
    git(&origin, &["checkout", "-q", "-b", "feature"]);
    write("feature.tf", &bucket("mine"));
    commit();
    git(&origin, &["checkout", "-q", "main"]);
    // Like no other, so that nobody takes it for another that was renamed.
    write(
        "theirs.tf",
        &bucket("theirs").replacen(
            "  bucket",
            "  expected_bucket_owner = \"1\"\n  access_control_policy {}\n  bucket",
            1,
        ),
    );
    commit();
    git(&origin, &["checkout", "-q", "--detach"]);
    git(&origin, &["merge", "-q", "--no-edit", "feature"]);
    git(&origin, &["update-ref", "refs/pull/1/merge", "HEAD"]);
    let merge = git(&origin, &["rev-parse", "HEAD"]);
    git(&origin, &["checkout", "-q", "main"]);
    let clone = folder.0.join("clone");
    std::fs::create_dir(&clone).unwrap();
    git(&clone, &["init", "-q"]);
    git(&clone, &["remote", "add", "origin", &format!("file://{}", origin.display())]);
    git(&clone, &["fetch", "-q", "--depth=1", "origin", "refs/pull/1/merge"]);
    git(&clone, &["checkout", "-q", "FETCH_HEAD"]);
    (folder, clone, merge)
}

#[test]
fn the_action_reports_what_a_pull_request_introduces() {
    let (_folder, clone, merge) = pull_request();
    let event = [("GITHUB_EVENT_NAME", "pull_request"), ("GITHUB_BASE_REF", "main"), ("GITHUB_SHA", merge.as_str())];
    let ran = action(&clone, &event);
    assert_eq!(ran.code, 0, "{}", ran.said);
    assert!(ran.outputs.contains("exit-code=1\n") && ran.outputs.contains("sarif-file="), "{}", ran.outputs);
    assert!(ran.said.contains("::error file=feature.tf"), "{}", ran.said);
    assert!(!ran.said.contains("file=theirs.tf") && !ran.said.contains("file=main.tf"), "{}", ran.said);
    assert!(ran.summary.contains("new finding") && !ran.summary.contains("theirs.tf:"), "{}", ran.summary);
    // Code scanning wants everything.
    for file in ["feature.tf", "theirs.tf", "main.tf"] {
        assert!(ran.sarif.contains(file), "{file}");
    }
    // The branch itself checked out: from where it left main.
    git(&clone, &["fetch", "-q", "origin", "feature"]);
    git(&clone, &["checkout", "-q", "FETCH_HEAD"]);
    let ran = action(&clone, &event);
    assert!(ran.said.contains("::error file=feature.tf") && !ran.said.contains("file=main.tf"), "{}", ran.said);
}

#[test]
fn the_action_checks_everything_on_a_push_and_when_told_to() {
    let (_folder, clone, merge) = pull_request();
    let push = [("GITHUB_EVENT_NAME", "push"), ("GITHUB_SHA", merge.as_str())];
    for more in [("STACKLINT_SINCE", "auto"), ("GITHUB_BASE_REF", "")] {
        let ran = action(&clone, &[&push[..], &[more]].concat());
        for file in ["feature.tf", "theirs.tf", "main.tf"] {
            assert!(ran.said.contains(&format!("::error file={file}")), "{file}: {}", ran.said);
        }
    }
    let none = [("GITHUB_BASE_REF", "main"), ("STACKLINT_SINCE", "none"), ("STACKLINT_ANNOTATIONS", "false")];
    let ran = action(&clone, &none);
    assert!(ran.said.contains("main.tf 1 finding") && !ran.said.contains("::error"), "{}", ran.said);
    // A merge queue names its base.
    let base = git(&clone, &["ls-remote", "origin", "refs/heads/main"]);
    let base = base.split_whitespace().next().unwrap();
    let ran = action(&clone, &[("STACKLINT_MERGE_GROUP_BASE", base)]);
    assert!(ran.said.contains("::error file=feature.tf") && !ran.said.contains("file=theirs.tf"), "{}", ran.said);
    let ran = action(&clone, &[("STACKLINT_FAIL_ON", "never")]);
    assert!(ran.outputs.contains("exit-code=0\n"), "{}", ran.outputs);
    let ran = action(&clone, &[("STACKLINT_SINCE", "nowhere")]);
    assert_eq!(ran.code, 2);
    assert!(ran.outputs.contains("exit-code=2") && ran.said.contains("no commit `nowhere`"), "{}", ran.said);
}

#[test]
fn inputs_of_the_action_are_data() {
    let (_folder, clone, _) = pull_request();
    std::fs::create_dir(clone.join("with space; touch run")).unwrap();
    std::fs::write(clone.join("with space; touch run/$(touch run).tf"), bucket("x")).unwrap();
    let inputs = [
        ("STACKLINT_PATHS", "with space; touch run\n\nmain.tf\n"),
        ("STACKLINT_ARGUMENTS", "--min-severity\nlow\n--ignore=category:logging"),
        ("STACKLINT_CATEGORY", "$(touch run) `touch run`"),
        ("STACKLINT_SINCE", "none"),
    ];
    let ran = action(&clone, &inputs);
    assert!(ran.outputs.contains("exit-code=1"), "{}", ran.said);
    assert!(ran.said.contains("file=main.tf") && !ran.said.contains("file=feature.tf"), "{}", ran.said);
    assert!(ran.sarif.contains("$(touch run) `touch run`/"), "the category is passed on as it is");
    assert!(!clone.join("run").exists());
    let ran = action(&clone, &[("STACKLINT_SINCE", "$(touch run)")]);
    assert_eq!((ran.code, clone.join("run").exists()), (2, false));
}

#[test]
fn hooks_start_for_the_files_that_are_read() {
    let hooks = std::fs::read_to_string(root().join(".pre-commit-hooks.yaml")).unwrap();
    let pattern = hooks.lines().find_map(|l| l.trim().strip_prefix("files: &files '")).unwrap().trim_end_matches('\'');
    let pattern = regex::Regex::new(pattern).unwrap();
    for file in [
        "main.tf",
        "a/b.tf.json",
        "prod.auto.tfvars",
        "k8s/web.yaml",
        "chart/values.yml",
        "chart/templates/_helpers.tpl",
        "Dockerfile",
        "api/Dockerfile.prod",
        "api/prod.Dockerfile",
        "Containerfile",
        "docker-compose.yml",
        "stacklint.toml",
        ".trivyignore",
    ] {
        assert!(pattern.is_match(file), "{file}");
    }
    for file in ["README.md", "src/main.rs", "Dockerfiles/readme.txt", "main.tfx"] {
        assert!(!pattern.is_match(file), "{file}");
    }
}
