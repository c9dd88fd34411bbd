//! `check --shard` and `merge`: runs that share the work say together what one run says.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may stop at the first surprise")]

use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// A folder of its own for each test, gone when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Folder {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("stacklint-shard-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let folder = Folder(std::env::temp_dir().canonicalize().unwrap().join(name));
        std::fs::create_dir_all(&folder.0).unwrap();
        for (path, text) in files {
            folder.write(path, text);
        }
        folder
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn git(&self, folder: &str, args: &[&str]) {
        let mut command = Command::new("git");
        command.current_dir(self.0.join(folder)).env_clear().env("PATH", std::env::var_os("PATH").unwrap());
        for name in ["AUTHOR_NAME", "AUTHOR_EMAIL", "COMMITTER_NAME", "COMMITTER_EMAIL"] {
            command.env(format!("GIT_{name}"), "a@example.org");
        }
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
        assert!(command.args(args).status().unwrap().success(), "git {args:?}");
    }

    /// Makes a repository of a folder, with everything in it in one commit.
    fn commit(&self, folder: &str) {
        self.git(folder, &["init", "-q", "-b", "main"]);
        self.git(folder, &["add", "-A"]);
        self.git(folder, &["commit", "-q", "-m", "one"]);
    }

    fn run(&self, args: &[&str]) -> Ran {
        self.run_with(args, "")
    }

    fn run_with(&self, args: &[&str], input: &str) -> Ran {
        use std::io::Write as _;
        let mut child = Command::new(env!("CARGO_BIN_EXE_stacklint"))
            .current_dir(&self.0)
            .args(args)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ran { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Runs every shard and joins what they say; with the exit codes of the shards.
    fn joined(&self, count: usize, args: &[&str]) -> (Ran, Vec<i32>) {
        let mut files = Vec::new();
        let mut codes = Vec::new();
        for index in 1..=count {
            let (shard, file) = (format!("{index}/{count}"), format!("../{}-{index}.json", self.name()));
            let ran = self.run(&[&["check", "--shard", &shard, "--output", &file][..], args].concat());
            assert!(ran.code < 2, "{}", ran.err);
            codes.push(ran.code);
            files.push(file);
        }
        let mut merge = vec!["merge"];
        merge.extend(files.iter().map(String::as_str));
        let ran = self.run(&merge);
        for file in &files {
            std::fs::remove_file(self.0.join(file)).unwrap();
        }
        (ran, codes)
    }

    fn name(&self) -> String {
        self.0.file_name().unwrap().to_str().unwrap().to_owned()
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

impl Ran {
    /// The report without what only says how much was done, and with lists that have no order of their own sorted.
    fn report(&self) -> Value {
        let mut json: Value =
            serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}\n{}\n{}", self.out, self.err));
        if let Some(coverage) = json.get_mut("coverage") {
            coverage["evaluations"].take();
            let inputs = coverage["unknown"]["inputs"].as_array_mut().unwrap();
            for input in inputs.iter_mut() {
                let blocks = input["blocks"].as_array_mut().unwrap();
                for block in blocks.iter_mut() {
                    block["resources"].as_array_mut().unwrap().sort_by_key(Value::to_string);
                }
                blocks.sort_by_key(Value::to_string);
            }
            inputs.sort_by_key(Value::to_string);
        }
        for run in json.get_mut("runs").and_then(Value::as_array_mut).into_iter().flatten() {
            // Each run says how many answers it does not know.
            run["invocations"][0]["toolExecutionNotifications"].take();
        }
        json
    }
}

/// A repository in which findings depend on other folders: a module that two roots call, a workload and its network
/// policy, an image and its Dockerfile, an ignore that only one root needs, a file that cannot be read.
fn repository() -> Folder {
    let module = "variable \"acl\" {}\nvariable \"n\" {\n  default = 1\n}\nresource \"aws_s3_bucket_acl\" \"a\" {\n  bucket = \"b\"\n  acl    = var.acl\n}\nresource \"aws_db_instance\" \"d\" {\n  engine = \"postgres\"\n  # stacklint: ignore[aws-db-instance-public] for the demonstration\n  publicly_accessible = var.n > 1\n  storage_encrypted = var.unknown\n}\n";
    let call = |acl: &str, n: u8| {
        format!("module \"m\" {{\n  source = \"../modules/bucket\"\n  acl    = \"{acl}\"\n  n      = {n}\n}}\n")
    };
    let (dev, prod) = (call("public-read", 1), call("public-read-write", 2));
    Folder::new(&[
        ("modules/bucket/main.tf", module),
        ("dev/main.tf", &dev),
        ("prod/main.tf", &prod),
        ("prod/broken.tf", "resource \"aws_s3_bucket\" {\n  bucket = \n}\n"),
        (
            "k8s/api.yaml",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api, namespace: shop}\nspec:\n  selector: {matchLabels: {app: api}}\n  template:\n    metadata: {labels: {app: api}}\n    spec:\n      containers: [{name: api, image: \"registry.example.org/api:1\"}]\n",
        ),
        (
            "k8s/policies/api.yaml",
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: api, namespace: shop}\nspec:\n  podSelector: {matchLabels: {app: other}}\n  policyTypes: [Ingress]\n",
        ),
        ("api/Dockerfile", "FROM debian:12\nRUN apt-get install curl\nUSER root\n"),
        ("z.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: z}\nspec:\n  containers: [{name: z, image: z}]\n"),
    ])
}

#[test]
fn the_shards_of_a_repository_say_together_what_one_run_says() {
    let folder = repository();
    for format in ["json", "sarif"] {
        let args = ["--format", format, "--no-fixes", "--show-ignored"];
        let whole = folder.run(&[&["check"], &args[..]].concat());
        assert_eq!(whole.code, 1, "{}", whole.err);
        for count in [1, 2, 3, 5, 20] {
            let (joined, codes) = folder.joined(count, &args);
            assert_eq!(joined.code, 1);
            // With many shards some have nothing, and say so.
            assert!(codes.contains(&1) && (count < 20 || codes.contains(&0)), "{codes:?}");
            assert_eq!(joined.report(), whole.report(), "{format} {count}");
        }
    }
}

#[test]
fn shards_divide_what_a_change_introduces() {
    let folder = repository();
    folder.commit("");
    folder.write("prod/main.tf", "module \"m\" {\n  source = \"../modules/bucket\"\n  acl    = \"private\"\n}\n");
    folder.write(
        "k8s/web.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers: [{name: web, image: web}]\n",
    );
    let args = ["--since", "HEAD", "--show-unchanged", "--format", "json", "--no-fixes"];
    let whole = folder.run(&[&["check"], &args[..]].concat());
    let (joined, _) = folder.joined(3, &args);
    assert_eq!(joined.report(), whole.report());
    assert!(whole.report()["since"]["introduced"].as_u64().unwrap() > 0);
    assert!(whole.report()["since"]["fixed"].as_u64().unwrap() > 0);
    let args = ["--since", "HEAD", "--format", "sarif", "--no-fixes"];
    let whole = folder.run(&[&["check"], &args[..]].concat());
    assert_eq!(folder.joined(2, &args).0.report(), whole.report());
}

#[test]
fn a_baseline_counts_over_all_shards() {
    // The same address in two roots has one fingerprint: the baseline accepts one of them.
    let bucket = "resource \"aws_s3_bucket_acl\" \"a\" {\n  bucket = \"b\"\n  acl    = \"public-read\"\n}\n";
    let folder = Folder::new(&[("a/main.tf", bucket)]);
    folder.run(&["check", "--baseline", "known.json", "--write-baseline"]);
    folder.write("b/main.tf", bucket);
    let args = ["--baseline", "known.json", "--format", "json", "--no-fixes"];
    let whole = folder.run(&[&["check"], &args[..]].concat());
    assert!(!whole.report()["findings"].as_array().unwrap().is_empty());
    assert_eq!(folder.joined(2, &args).0.report(), whole.report());
}

/// Seven repositories, one of them deeper, and files around them.
fn repositories() -> Folder {
    let folder = Folder::new(&[
        ("loose/Dockerfile", "FROM debian\nUSER root\n"),
        ("alone.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: z}\nspec:\n  containers: [{name: z, image: z}]\n"),
    ]);
    for i in 0..7 {
        let at = if i == 3 { "team/deep/r3".to_owned() } else { format!("r{i}") };
        let acl = if i % 2 == 0 { "public-read" } else { "private" };
        folder.write(
            &format!("{at}/main.tf"),
            &format!("resource \"aws_s3_bucket_acl\" \"a{i}\" {{\n  bucket = \"b\"\n  acl    = \"{acl}\"\n}}\n"),
        );
        folder.commit(&at);
    }
    folder
}

#[test]
fn many_repositories_are_shared_out_whole() {
    let folder = repositories();
    let args = ["--format", "json", "--no-fixes"];
    let whole = folder.run(&[&["check"], &args[..]].concat());
    for count in [1, 3, 10] {
        let (joined, _) = folder.joined(count, &args);
        assert_eq!(joined.report(), whole.report(), "{count}");
    }
    // A shard reads nothing of the others.
    let part = folder.run(&["check", "--shard", "2/4", "--format", "json"]);
    let files: Vec<String> = part.report()["coverage"]["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| f["file"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(files, ["r1/main.tf", "r6/main.tf"]);
    let sarif = folder.run(&["check", "--format", "sarif", "--no-fixes"]);
    assert_eq!(folder.joined(3, &["--format", "sarif", "--no-fixes"]).0.report(), sarif.report());
    // Repositories that are named one by one are the same.
    let named = ["r0", "r1", "r2", "r4", "r5", "r6", "--format", "json", "--no-fixes"];
    let whole = folder.run(&[&["check"], &named[..]].concat());
    assert_eq!(folder.joined(4, &named).0.report(), whole.report());
    let pretty = folder.run(&["check", "--shard", "1/2"]);
    assert_eq!(pretty.code, 2);
    assert!(pretty.err.contains("8 repositories") && pretty.err.contains("--format json"), "{}", pretty.err);
}

#[test]
fn each_of_many_repositories_is_held_against_its_own_base() {
    let folder = repositories();
    for i in 0..7 {
        let at = if i == 3 { "team/deep/r3".to_owned() } else { format!("r{i}") };
        folder.write(
            &format!("{at}/more.tf"),
            "resource \"aws_s3_bucket_acl\" \"more\" {\n  bucket = \"b\"\n  acl    = \"public-read\"\n}\n",
        );
    }
    let paths = ["r0", "r1", "r2", "team"];
    let args = [&paths[..], &["--since", "HEAD", "--format", "json", "--no-fixes"]].concat();
    let (joined, _) = folder.joined(3, &args);
    let report = joined.report();
    let files: Vec<&str> = report["findings"].as_array().unwrap().iter().map(|f| f["file"].as_str().unwrap()).collect();
    for path in ["r0/more.tf", "r1/more.tf", "r2/more.tf", "team/deep/r3/more.tf"] {
        assert!(files.contains(&path), "{files:?}");
    }
    assert!(files.iter().all(|f| f.ends_with("more.tf")), "{files:?}");
    assert_eq!(report["since"]["ref"], "HEAD");
    assert_eq!(report["since"]["commit"], Value::Null, "there are several");
}

#[test]
fn reports_are_joined_whatever_overlaps() {
    let folder = repository();
    for (format, name) in [("json", "a.json"), ("sarif", "a.sarif")] {
        folder.run(&["check", "--format", format, "--output", name, "--show-ignored"]);
        let whole: Value = serde_json::from_str(&std::fs::read_to_string(folder.0.join(name)).unwrap()).unwrap();
        let twice = folder.run(&["merge", name, name, name]);
        assert_eq!(twice.code, 1);
        let joined: Value = serde_json::from_str(&twice.out).unwrap();
        for list in ["findings", "suppressed", "errors"] {
            assert_eq!(joined.get(list), whole.get(list), "{list}");
        }
        assert_eq!(joined.pointer("/runs/0/results"), whole.pointer("/runs/0/results"));
        assert_eq!(joined.pointer("/coverage/states"), whole.pointer("/coverage/states"));
    }
    let text = std::fs::read_to_string(folder.0.join("a.json")).unwrap();
    assert_eq!(folder.run_with(&["merge", "-"], &text).code, 1);
    folder.run(&["check", "k8s", "api", "--format", "json", "--min-severity", "low", "--output", "mild.json"]);
    let merged = folder.run(&["merge", "mild.json", "--output", "out.json", "--fail-on", "critical"]);
    assert_eq!((merged.code, merged.out.as_str()), (0, ""));
    assert!(folder.0.join("out.json").exists());
    // Runs of different categories stay apart, as an upload wants them.
    folder.run(&["check", "--format", "sarif", "--output", "b.sarif", "--category", "other"]);
    let both: Value = serde_json::from_str(&folder.run(&["merge", "a.sarif", "b.sarif"]).out).unwrap();
    assert_eq!(both["runs"].as_array().unwrap().len(), 2);
}

#[test]
fn what_cannot_be_joined_or_divided_is_said() {
    let folder = Folder::new(&[
        ("main.tf", "locals {}\n"),
        ("empty.json", ""),
        ("list.json", "[]"),
        ("other.json", "{\"a\": 1}"),
        ("text.json", "no"),
        ("other.sarif", "{\"version\": \"2.1.0\", \"runs\": [{\"tool\": {\"driver\": {\"name\": \"else\"}}}]}"),
    ]);
    folder.run(&["check", "--format", "json", "--output", "a.json"]);
    folder.run(&["check", "--format", "sarif", "--output", "a.sarif"]);
    for (file, words) in [
        ("missing.json", "cannot read the report `missing.json`"),
        ("empty.json", "`empty.json`: it is empty"),
        ("list.json", "`list.json`: this is no report"),
        ("other.json", "`other.json`: this is no report"),
        ("text.json", "`text.json`: this is no JSON"),
        ("a.sarif", "`a.sarif`: it is SARIF, the first report is JSON"),
    ] {
        let ran = folder.run(&["merge", "a.json", file]);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{file}");
        assert!(ran.err.contains(words), "{file}: {}", ran.err);
    }
    assert!(folder.run(&["merge", "a.sarif", "other.sarif"]).err.contains("`other.sarif`: this is no report"));
    assert_eq!(folder.run(&["merge", "a.json", "a.json"]).code, 0);
    assert_eq!(folder.run(&["merge"]).code, 2);
    for (shard, words) in [
        ("1", "two numbers with a slash"),
        ("0/3", "counted from 1"),
        ("4/3", "only 3 parts"),
        ("1/0", "at least one"),
        ("a/3", "`a` is no number"),
        ("1/9999999", "at most"),
    ] {
        let ran = folder.run(&["check", "--shard", shard]);
        assert_eq!(ran.code, 2, "{shard}");
        assert!(ran.err.contains(words), "{shard}: {}", ran.err);
    }
}
