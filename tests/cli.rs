//! The program as its users meet it: arguments, files on disk, exit codes, streams.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may stop at the first surprise")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// A folder of its own for each test, gone when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Folder {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("stacklint-cli-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let folder = Folder(std::env::temp_dir().canonicalize().unwrap().join(name));
        std::fs::create_dir_all(&folder.0).unwrap();
        for (path, text) in files {
            folder.write(path, text.as_bytes());
        }
        folder
    }

    fn write(&self, path: &str, text: &[u8]) {
        let path = self.0.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stacklint"));
        command.current_dir(&self.0).args(args).env_clear().env("PATH", std::env::var_os("PATH").unwrap());
        command
    }

    fn run(&self, args: &[&str]) -> Ran {
        Ran::from(self.command(args).output().unwrap())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Ran {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ran { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }
}

impl Ran {
    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}\n{}\n{}", self.out, self.err))
    }

    /// File, line and policy of each finding.
    fn findings(&self) -> Vec<String> {
        let json = self.json();
        let all = json["findings"].as_array().unwrap();
        all.iter()
            .map(|f| {
                format!("{}:{} {}", f["file"].as_str().unwrap(), f["start"]["line"], f["policy"].as_str().unwrap())
            })
            .collect()
    }

    /// Path, state and reason of each file of the ledger.
    fn files(&self) -> Vec<String> {
        let json = self.json();
        let all = json["coverage"]["files"].as_array().unwrap();
        all.iter()
            .map(|f| {
                let text = |name: &str| f[name].as_str().unwrap_or_default();
                format!("{} {} {}", text("file"), text("state"), text("reason")).trim().to_owned()
            })
            .collect()
    }
}

const CONFIG: &str = "select = [\"public-thing\"]\npolicy-dirs = [\"rules\"]\n";

const POLICY: &str = "name: public-thing
title: Thing is public
severity: high
category: access
resource: [terraform_data]
deny: {path: $.input, equals: public}
message: '`{resource}` is public'
why: Anyone can read it.
remediation: Make it private.
references: ['https://example.org']
aliases: {checkov: [CKV_THING_1]}
examples:
  bad: [{terraform: 'resource \"terraform_data\" \"a\" { input = \"public\" }'}]
  good: [{terraform: 'resource \"terraform_data\" \"a\" { input = \"private\" }'}]
";

const BAD: &str = "resource \"terraform_data\" \"a\" {\n  input = \"public\"\n}\n";

fn project(files: &[(&str, &str)]) -> Folder {
    let folder = Folder::new(files);
    folder.write("stacklint.toml", CONFIG.as_bytes());
    folder.write("rules/public-thing.yaml", POLICY.as_bytes());
    folder
}

#[test]
fn exit_codes_are_a_contract() {
    let folder = project(&[("bad/main.tf", BAD), ("good/main.tf", "locals { a = 1 }\n")]);
    assert_eq!(folder.run(&["check", "good"]).code, 0);
    let bad = folder.run(&["check", "bad", "--format", "json"]);
    assert_eq!((bad.code, bad.findings()), (1, vec!["bad/main.tf:2 public-thing".to_owned()]));
    assert_eq!(folder.run(&["check", "bad", "--fail-on", "critical"]).code, 0);
    assert_eq!(folder.run(&["check", "bad", "--min-severity", "critical"]).code, 0);
    assert_eq!(folder.run(&["check", "bad", "--ignore", "checkov:CKV_THING_*"]).code, 2, "nothing is left to run");
    for wrong in [
        &["check", "nowhere"][..],
        &["check", "--format", "nothing"],
        &["check", "--select", "severity:hi"],
        &["check", "--select", "public-thin"],
        &["check", "--config", "missing.toml"],
        &["check", "--var", "novalue"],
        &["check", "--var-file", "missing.tfvars"],
        &["frobnicate"],
        &["explain", "public-thin"],
    ] {
        let ran = folder.run(wrong);
        assert_eq!(ran.code, 2, "{wrong:?}");
        assert!(ran.out.is_empty() && !ran.err.is_empty(), "{wrong:?}: {}", ran.err);
    }
    folder.write("broken/main.tf", b"resource \"terraform_data\" {\n  input = \n}\n");
    assert_eq!(folder.run(&["check", "broken"]).code, 0);
    assert_eq!(folder.run(&["check", "broken", "--strict"]).code, 3);
    assert_eq!(folder.run(&["--version"]).code, 0);
}

#[test]
fn mistakes_are_told_what_was_meant() {
    let folder = project(&[("main.tf", BAD)]);
    assert!(folder.run(&["check", "--select", "public-thin"]).err.contains("did you mean `public-thing`?"));
    assert!(folder.run(&["explain", "public-thin"]).err.contains("did you mean `public-thing`?"));
    folder.write("stacklint.toml", b"min-severty = \"low\"\n");
    let ran = folder.run(&["check"]);
    assert!(ran.err.contains("did you mean `min-severity`?") && ran.err.contains("stacklint.toml:1:1"), "{}", ran.err);
    folder.write("stacklint.toml", CONFIG.as_bytes());
    folder.write("rules/public-thing.yaml", POLICY.replace("equals", "eqals").as_bytes());
    let ran = folder.run(&["check"]);
    assert!(ran.code == 2 && ran.err.contains("public-thing.yaml:6"), "{}", ran.err);
}

#[test]
fn the_configuration_is_found_upward_and_its_paths_are_its_own() {
    let folder = project(&[("infra/prod/main.tf", BAD), ("infra/old/main.tf", BAD)]);
    folder.write(
        "stacklint.toml",
        format!("{CONFIG}exclude = [\"infra/old\"]\n[[per-path]]\npaths = [\"infra/test\"]\nignore = [\"*\"]\n")
            .as_bytes(),
    );
    folder.write("infra/test/main.tf", BAD.as_bytes());
    let run =
        |from: &str, args: &[&str]| Ran::from(folder.command(args).current_dir(folder.0.join(from)).output().unwrap());
    let args = ["check", "--format", "json"];
    assert_eq!(run("infra", &args).findings(), ["prod/main.tf:2 public-thing"]);
    assert_eq!(run(".", &args).findings(), ["infra/prod/main.tf:2 public-thing"]);
    assert_eq!(run("infra/prod", &["check", "--format", "json", "../prod"]).findings(), ["main.tf:2 public-thing"]);
    let none = run("infra", &["check", "--no-config", "--select", "public-thing"]);
    assert_eq!(none.code, 2, "its policies are those of the configuration");
}

#[test]
fn a_named_file_sees_its_module_and_modules_outside_are_read() {
    let folder = project(&[
        (
            "live/main.tf",
            "resource \"terraform_data\" \"a\" {\n  input = var.mode\n}\nmodule \"m\" {\n  source = \"../shared/m\"\n  mode = var.mode\n}\n",
        ),
        (
            "live/variables.tf",
            "variable \"mode\" {\n  default = \"public\"\n}\nresource \"terraform_data\" \"b\" {\n  input = \"public\"\n}\n",
        ),
        ("shared/m/main.tf", "variable \"mode\" {}\nresource \"terraform_data\" \"c\" {\n  input = var.mode\n}\n"),
    ]);
    let ran = folder.run(&["check", "--format", "json", "live/main.tf"]);
    let json = ran.json();
    let addresses: Vec<&str> =
        json["findings"].as_array().unwrap().iter().map(|f| f["resource"]["address"].as_str().unwrap()).collect();
    assert_eq!(addresses, ["terraform_data.a", "module.m.terraform_data.c"], "{}", ran.out);
    assert_eq!(ran.files(), ["live/main.tf checked"]);
    let var = folder.run(&["check", "--format", "json", "--var", "mode=private", "live/main.tf"]);
    assert!(var.findings().is_empty());
}

#[test]
#[cfg(unix)]
fn whatever_lies_in_a_folder_ends_in_the_ledger() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = Folder::new(&[
        ("good.tf", "locals { a = 1 }\n"),
        (".gitignore", "ignored.tf\n"),
        (".ignore", "left-out/\n"),
        ("left-out/x.tf", "locals { a = 1 }\n"),
        (".terraform/modules/m/x.tf", "locals { a = 1 }\n"),
        (".hidden/Dockerfile", "FROM scratch\n"),
        ("locked/x.tf", "locals { a = 1 }\n"),
    ]);
    folder.write("latin.tf", b"# \xe9t\xe9\n");
    folder.write("binary.tf", b"\x7fELF\0\0");
    std::fs::File::create(folder.0.join("huge.tf")).unwrap().set_len(33 * 1024 * 1024).unwrap();
    symlink("loop.tf", folder.0.join("loop.tf")).unwrap();
    symlink(".", folder.0.join("circle")).unwrap();
    symlink("/etc/hostname", folder.0.join("outside.tf")).unwrap();
    std::fs::set_permissions(folder.0.join("locked"), std::fs::Permissions::from_mode(0o000)).unwrap();
    let ran = folder.run(&["check", "--no-config", "--format", "json"]);
    std::fs::set_permissions(folder.0.join("locked"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut files = ran.files();
    // Whoever may read everything cannot be locked out.
    files.retain(|f| !f.starts_with("locked"));
    assert_eq!(
        files,
        [
            ".hidden/Dockerfile checked",
            "binary.tf skipped it is a binary file",
            "circle skipped a link to a folder is not followed",
            "good.tf checked",
            "huge.tf unread it is larger than the limit of 32 MB",
            "latin.tf unread it is not UTF-8 (byte 2)",
            "loop.tf unread the link cannot be followed: too many levels of symbolic links",
            "outside.tf skipped the link leads out of the workspace",
        ]
    );
}

#[test]
fn a_baseline_accepts_what_is_there_and_survives_moves() {
    let folder = project(&[("main.tf", BAD)]);
    assert_eq!(folder.run(&["check", "--baseline", "known.json"]).code, 2);
    assert_eq!(folder.run(&["check", "--baseline", "known.json", "--write-baseline"]).code, 0);
    assert_eq!(folder.run(&["check", "--baseline", "known.json"]).code, 0);
    std::fs::rename(folder.0.join("main.tf"), folder.0.join("other.tf")).unwrap();
    folder.write("other.tf", format!("# moved\n\n\n{BAD}").as_bytes());
    assert_eq!(folder.run(&["check", "--baseline", "known.json"]).code, 0);
    folder.write("new.tf", BAD.replace("\"a\"", "\"b\"").as_bytes());
    let ran = folder.run(&["check", "--baseline", "known.json", "--format", "json"]);
    assert_eq!((ran.code, ran.findings()), (1, vec!["new.tf:2 public-thing".to_owned()]));
    folder.write("second/main.tf", BAD.as_bytes());
    let ran = folder.run(&["check", "--baseline", "known.json", "--format", "json"]);
    assert_eq!(ran.findings(), ["new.tf:2 public-thing", "second/main.tf:2 public-thing"]);
}

#[test]
fn whoever_closes_the_pipe_has_seen_enough() {
    let folder = project(&[("main.tf", BAD)]);
    for args in [&["check"][..], &["policies"], &["graph"], &["completions", "bash"]] {
        let mut child = folder.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let ended = Ran::from(child.wait_with_output().unwrap());
        assert!(ended.code <= 1, "{args:?}: {}", ended.code);
        assert_eq!(ended.err, "", "{args:?}");
    }
}

#[test]
fn the_graph_has_addresses_values_outputs_and_edges() {
    let folder = Folder::new(&[(
        "main.tf",
        "resource \"terraform_data\" \"a\" {\n  count = 2\n  input = count.index\n}\n\
         resource \"terraform_data\" \"b\" {\n  input = terraform_data.a[0].id\n}\noutput \"x\" {\n  value = 1 + 2\n}\n",
    )]);
    let json = folder.run(&["graph", "--values", "."]).json();
    let addresses: Vec<&str> = json["resources"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|r| r["kind"] == "terraform_data")
        .map(|r| r["address"].as_str().unwrap())
        .collect();
    assert_eq!(addresses, ["terraform_data.a[0]", "terraform_data.a[1]", "terraform_data.b"]);
    assert_eq!(json["outputs"]["x"], 3);
    let edge = json["edges"].as_array().unwrap().iter().find(|e| e["from"] == "terraform_data.b").unwrap().clone();
    assert_eq!((edge["to"].as_str(), edge["via"].as_str()), (Some("terraform_data.a[0]"), Some("input")));
    assert!(json["resources"][0]["start"]["line"].as_u64().is_some());
    assert!(folder.run(&["graph", "--format", "dot"]).out.starts_with("digraph"));
    assert!(folder.run(&["graph", "--format", "mermaid"]).out.contains("-->|\"input\"|"));
}

#[test]
fn init_writes_a_configuration_that_works_and_replaces_none() {
    let folder = Folder::new(&[("main.tf", "locals { a = 1 }\n")]);
    assert_eq!(folder.run(&["init"]).code, 0);
    assert!(Path::exists(&folder.0.join("stacklint.toml")));
    assert_eq!(folder.run(&["check"]).code, 0);
    assert_eq!(folder.run(&["init"]).code, 2);
    assert_eq!(folder.run(&["init", "--force"]).code, 0);
}

#[test]
fn policies_of_ones_own_are_listed_explained_and_tested() {
    let folder = project(&[("main.tf", BAD)]);
    let listed = folder.run(&["policies", "--format", "json"]).json();
    let own = listed.as_array().unwrap().iter().find(|p| p["name"] == "public-thing").unwrap().clone();
    assert_eq!(own["aliases"], serde_json::json!(["checkov:CKV_THING_1"]));
    let explained = folder.run(&["explain", "checkov:CKV_THING_1"]);
    assert!(explained.code == 0 && explained.out.contains("Anyone can read it."), "{}", explained.out);
    assert_eq!(folder.run(&["policy", "test", "rules"]).code, 0);
    folder.write("rules/public-thing.yaml", POLICY.replace("\"private\"", "\"public\"").as_bytes());
    let ran = folder.run(&["policy", "test", "rules"]);
    assert!(ran.code == 1 && ran.out.contains("good example 1: a finding on line 1"), "{}", ran.out);
}

#[test]
fn a_matrix_says_in_which_environments_a_finding_occurs() {
    let folder = project(&[
        (
            "main.tf",
            "variable \"mode\" {}\nresource \"terraform_data\" \"a\" {\n  input = var.mode\n}\nresource \"terraform_data\" \"b\" {\n  input = \"public\"\n}\n",
        ),
        ("dev.tfvars", "mode = \"private\"\n"),
        ("prod.tfvars", "mode = \"public\"\n"),
    ]);
    let ran =
        folder.run(&["check", "--format", "json", "--matrix", "--var-file", "dev.tfvars", "--var-file", "prod.tfvars"]);
    let json = ran.json();
    let messages: Vec<&str> =
        json["findings"].as_array().unwrap().iter().map(|f| f["message"].as_str().unwrap()).collect();
    assert_eq!(messages.len(), 2, "{}", ran.out);
    assert!(messages.contains(&"`terraform_data.a` is public (only with prod.tfvars)"), "{messages:?}");
    assert!(messages.contains(&"`terraform_data.b` is public"), "{messages:?}");
}

#[test]
fn ignores_in_manifests_and_dockerfiles_are_honoured() {
    let rule = |name: &str, body: &str| {
        POLICY
            .replace("public-thing", name)
            .replace("resource: [terraform_data]\ndeny: {path: $.input, equals: public}", body)
    };
    let folder = project(&[
        (
            "Dockerfile",
            "FROM debian\n# hadolint ignore=DL3004 # known\nRUN a && \\\n    sudo b\nRUN sudo c\n# stacklint: ignore[uses-sudo] known\nRUN \\\n  sudo d\n",
        ),
        ("all/Dockerfile", "# hadolint global ignore=DL3004\nFROM debian\nRUN sudo a\n"),
        ("stage/Dockerfile", "# hadolint stage ignore=DL3004\nFROM a AS x\nRUN sudo a\nFROM b\nRUN sudo b\n"),
        ("checkov/Dockerfile", "FROM debian\nRUN sudo a\n# checkov:skip=CKV_SUDO_1:known\n"),
    ]);
    folder.write(
        "rules/uses-sudo.yaml",
        rule("uses-sudo", "resource: [RUN]\ndeny: {path: $.text, contains: sudo}")
            .replace("checkov: [CKV_THING_1]", "hadolint: [DL3004], checkov: [CKV_SUDO_1]")
            .as_bytes(),
    );
    folder.write(
        "rules/no-namespace.yaml",
        rule("no-namespace", "resource: [Pod, Deployment]\ndeny: {path: $.metadata.namespace, missing: true}")
            .replace(
                "checkov: [CKV_THING_1]",
                "checkov: [CKV_K8S_21], kube-linter: [use-namespace], kube-score: [ns], polaris: [metadataNamespace], terrascan: [AC_K8S_1]",
            )
            .as_bytes(),
    );
    folder.write("stacklint.toml", b"select = [\"uses-sudo\", \"no-namespace\"]\npolicy-dirs = [\"rules\"]\n");
    for (name, annotation) in [
        ("checkov", "checkov.io/skip1: CKV_K8S_21=known"),
        ("bridgecrew", "bridgecrew.io/skip2: CKV_K8S_21"),
        ("linter", "ignore-check.kube-linter.io/use-namespace: known"),
        ("linter-all", "kube-linter.io/ignore-all: known"),
        ("score", "kube-score/ignore: other,ns"),
        ("polaris", "polaris.fairwinds.com/metadata-namespace-exempt: \"true\""),
        ("polaris-all", "polaris.fairwinds.com/exempt: \"true\""),
        ("terrascan", "runterrascan.io/skip: '[{\"rule\": \"AC_K8S_1\", \"comment\": \"known\"}]'"),
        ("left", "checkov.io/skip1: CKV_K8S_2=other"),
    ] {
        let pod = format!("apiVersion: v1\nkind: Pod\nmetadata:\n  name: {name}\n  annotations:\n    {annotation}\n");
        folder.write(&format!("pods/{name}.yaml"), pod.as_bytes());
    }
    folder.write(
        "pods/template.yaml",
        b"apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: t\nspec:\n  template:\n    metadata:\n      annotations:\n        checkov.io/skip1: CKV_K8S_21=known\n",
    );
    let ran = folder.run(&["check", "--format", "json"]);
    assert_eq!(
        ran.findings(),
        ["Dockerfile:5 uses-sudo", "pods/left.yaml:3 no-namespace", "stage/Dockerfile:5 uses-sudo"]
    );
    let all = folder.run(&["check", "--format", "json", "--no-inline-ignores"]);
    assert_eq!(all.findings().len(), 17, "{:?}", all.findings());
}

#[test]
fn what_a_broader_finding_says_is_not_said_again() {
    let rule = |ignore: &str| {
        format!(
            "resource \"aws_security_group\" \"g\" {{\n  ingress {{\n    from_port = 0\n    to_port = 0\n    protocol = \"-1\"\n    {ignore}\n    cidr_blocks = [\"0.0.0.0/0\"]\n  }}\n}}\n"
        )
    };
    let any = "main.tf:7 any-port-open-to-internet".to_owned();
    let ssh = "main.tf:7 ssh-open-to-internet".to_owned();
    let ignored = "# stacklint: ignore[any-port-open-to-internet] known";
    for (ignore, more, expected) in [
        ("", &[][..], (true, false)),
        // Who asks for one alone gets it, and who ignores the broader one is told what else that means.
        ("", &["--select", "ssh-open-to-internet"], (false, true)),
        (ignored, &[], (false, true)),
    ] {
        let folder = Folder::new(&[("main.tf", &rule(ignore))]);
        let ran = folder.run(&[&["check", "--format", "json"], more].concat());
        let found = ran.findings();
        assert_eq!((found.contains(&any), found.contains(&ssh)), expected, "{ignore} {more:?}: {found:?}");
        let suppressed = ran.json()["suppressed"].clone();
        let is_ssh = |s: &serde_json::Value| s["by"] == "implied" && s["policy"] == "ssh-open-to-internet";
        let implied = suppressed.as_array().unwrap().iter().any(is_ssh);
        assert_eq!(implied, expected.0, "{}", ran.out);
    }
}

#[test]
fn the_version_of_kubernetes_decides_which_apis_are_gone_and_the_message_is_whole() {
    let flow = "apiVersion: flowcontrol.apiserver.k8s.io/v1beta3\nkind: FlowSchema\nmetadata: {name: a}\nspec: {priorityLevelConfiguration: {name: x}}\n";
    let gone = |version: &str| {
        let settings = format!("[kubernetes]\nversion = \"{version}\"\n");
        let folder = Folder::new(&[("a.yaml", flow), ("stacklint.toml", &settings)]);
        folder.run(&["check", "--format", "json", "--select", "kubernetes-removed-api-version"]).out
    };
    assert!(!gone("1.31").contains("serves no"));
    assert!(gone("1.32").contains("use `flowcontrol.apiserver.k8s.io/v1`"), "{}", gone("1.32"));
}
