//! `check --since` over histories of real repositories: what each change introduces, mends and leaves.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may stop at the first surprise")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// A folder of its own for each test, gone when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("stacklint-since-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
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

/// A work tree with a policy of its own: `input = "public"` is a finding.
struct Repo {
    at: PathBuf,
    _folder: Option<Folder>,
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
examples:
  bad: [{terraform: 'resource \"terraform_data\" \"a\" { input = \"public\" }'}]
  good: [{terraform: 'resource \"terraform_data\" \"a\" { input = \"private\" }'}]
";

/// A resource with a finding on its second line.
fn public(name: &str) -> String {
    format!("resource \"terraform_data\" \"{name}\" {{\n  input = \"public\"\n}}\n")
}

/// One with the finding on its fifth line that nobody takes for another that was renamed.
fn unlike(name: &str) -> String {
    format!(
        "# {name} is like no other\nresource \"terraform_data\" \"{name}\" {{\n  triggers_replace = [\"{name}\", 1, 2]\n\n  input = \"public\"\n}}\n"
    )
}

/// One without.
fn private(name: &str) -> String {
    public(name).replace("\"public\"", "\"private\"")
}

fn command(program: &str, at: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(at).env_clear().env("PATH", std::env::var_os("PATH").unwrap());
    command
}

fn git(at: &Path, args: &[&str]) -> String {
    let mut command = command("git", at);
    for (name, value) in [
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_AUTHOR_NAME", "a"),
        ("GIT_AUTHOR_EMAIL", "a@example.org"),
        ("GIT_COMMITTER_NAME", "a"),
        ("GIT_COMMITTER_EMAIL", "a@example.org"),
        ("GIT_ALLOW_PROTOCOL", "file"),
    ] {
        command.env(name, value);
    }
    let output = command.args(args).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "git {args:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

impl Repo {
    /// An empty repository with the policy.
    fn new() -> Repo {
        let folder = Folder::new();
        let at = folder.0.join("repo");
        std::fs::create_dir(&at).unwrap();
        git(&at, &["init", "-q", "-b", "main"]);
        let repo = Repo { at, _folder: Some(folder) };
        repo.write("stacklint.toml", CONFIG);
        repo.write("rules/public-thing.yaml", POLICY);
        repo
    }

    /// One whose first commit holds these files.
    fn with(files: &[(&str, &str)]) -> Repo {
        let repo = Repo::new();
        for (path, text) in files {
            repo.write(path, text);
        }
        repo.commit();
        repo
    }

    /// A clone beside it.
    fn clone(&self, name: &str, options: &[&str]) -> Repo {
        let at = self.at.parent().unwrap().join(name);
        let from = format!("file://{}", self.at.display());
        let mut args = vec!["clone", "-q"];
        args.extend(options);
        args.extend([from.as_str(), at.to_str().unwrap()]);
        git(&self.at, &args);
        Repo { at, _folder: None }
    }

    fn write(&self, path: &str, text: &str) {
        self.write_bytes(path, text.as_bytes());
    }

    fn write_bytes(&self, path: &str, bytes: &[u8]) {
        let path = self.at.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    fn remove(&self, path: &str) {
        std::fs::remove_file(self.at.join(path)).unwrap();
    }

    fn git(&self, args: &[&str]) -> String {
        git(&self.at, args)
    }

    /// Commits everything there is.
    fn commit(&self) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", "change", "--allow-empty"]);
    }

    fn run(&self, args: &[&str]) -> Ran {
        self.run_in(".", args)
    }

    fn run_in(&self, folder: &str, args: &[&str]) -> Ran {
        let mut command = command(env!("CARGO_BIN_EXE_stacklint"), &self.at.join(folder));
        let output = command.args(args).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ran { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Holds the work tree against a commit: `+` introduced, `-` fixed, `=` unchanged, each with file and line, sorted; `?`
    /// before the number of those that are hidden for some reason.
    fn since(&self, reference: &str, more: &[&str]) -> Vec<String> {
        self.judge(&[&["check", "--since", reference][..], more].concat()).1
    }

    fn judge(&self, args: &[&str]) -> (Ran, Vec<String>) {
        let ran = self.run(&[args, &["--format", "json", "--show-unchanged", "--no-fixes"]].concat());
        let json: serde_json::Value =
            serde_json::from_str(&ran.out).unwrap_or_else(|e| panic!("{e}\n{}\n{}", ran.out, ran.err));
        let since = &json["since"];
        let mut all = Vec::new();
        for (sign, list, count) in
            [("+", "findings", "introduced"), ("-", "fixed", "fixed"), ("=", "unchanged", "unchanged")]
        {
            let found = json[list].as_array().unwrap();
            assert_eq!(since[count], found.len(), "{count}");
            let mut found: Vec<String> = found
                .iter()
                .map(|f| format!("{sign} {}:{}", f["file"].as_str().unwrap(), f["start"]["line"]))
                .collect();
            found.sort();
            all.extend(found);
        }
        for (why, n) in since["hidden"].as_object().unwrap() {
            all.push(format!("? {n} {why}"));
        }
        // The exit code speaks of what is introduced.
        let introduced = since["introduced"].as_u64().unwrap();
        assert_eq!(ran.code, i32::from(introduced > 0), "{}", ran.err);
        (ran, all)
    }
}

struct Ran {
    code: i32,
    out: String,
    err: String,
}

#[test]
fn a_default_in_one_file_causes_the_finding_in_another() {
    let main = "resource \"terraform_data\" \"a\" {\n  input = var.how\n}\n".to_owned() + &public("old");
    let repo = Repo::with(&[("main.tf", &main), ("variables.tf", "variable \"how\" {\n  default = \"private\"\n}\n")]);
    assert_eq!(repo.since("HEAD", &[]), ["= main.tf:5"]);
    repo.write("variables.tf", "variable \"how\" {\n  default = \"public\"\n}\n");
    assert_eq!(repo.since("HEAD", &[]), ["+ main.tf:2", "= main.tf:5"]);
    repo.commit();
    assert_eq!(repo.since("HEAD", &[]), ["= main.tf:2", "= main.tf:5"]);
    assert_eq!(repo.since("HEAD~1", &[]), ["+ main.tf:2", "= main.tf:5"]);
    repo.write("variables.tf", "variable \"how\" {\n  default = \"private\"\n}\n");
    assert_eq!(repo.since("HEAD", &[]), ["- main.tf:2", "= main.tf:5"]);
}

#[test]
fn a_deleted_network_policy_opens_the_workload_that_it_guarded() {
    let deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\nspec:\n  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    spec:\n      containers: [{name: web, image: web@sha256:0}]\n";
    let policy = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: web, namespace: shop}\nspec:\n  podSelector: {matchLabels: {app: web}}\n  policyTypes: [Ingress]\n";
    let repo = Repo::with(&[
        ("stacklint.toml", "select = [\"kubernetes-workload-without-network-policy\"]\n"),
        ("deployment.yaml", deployment),
        ("policy.yaml", policy),
    ]);
    repo.remove("policy.yaml");
    let since = repo.since("HEAD", &[]);
    assert!(since.len() == 1 && since[0].starts_with("+ deployment.yaml:"), "{since:?}");
    repo.commit();
    repo.write("policy.yaml", policy);
    let since = repo.since("HEAD", &[]);
    assert!(since.len() == 1 && since[0].starts_with("- deployment.yaml:"), "{since:?}");
}

#[test]
fn renames_introduce_nothing() {
    let repo = Repo::with(&[("main.tf", &(public("a") + &public("b")))]);
    repo.git(&["mv", "main.tf", "storage.tf"]);
    assert_eq!(repo.since("HEAD", &[]), ["= storage.tf:2", "= storage.tf:5"]);
    // A new name for the resource, and lines that move.
    repo.write("storage.tf", &("# moved\n\n".to_owned() + &public("renamed") + &public("b")));
    assert_eq!(repo.since("HEAD", &[]), ["= storage.tf:4", "= storage.tf:7"]);
    repo.write("storage.tf", &(public("a") + &public("b") + &public("c")));
    assert_eq!(repo.since("HEAD", &[]), ["+ storage.tf:8", "= storage.tf:2", "= storage.tf:5"]);
    // One that is not there any more and an equal one of another name are one that was renamed; an unlike one is new.
    repo.write("storage.tf", &(public("new") + &public("a")));
    assert_eq!(repo.since("HEAD", &[]), ["= storage.tf:2", "= storage.tf:5"]);
    repo.write("storage.tf", &(unlike("new") + &public("a")));
    assert_eq!(repo.since("HEAD", &[]), ["+ storage.tf:5", "- main.tf:5", "= storage.tf:8"]);
}

#[test]
fn a_moved_module_introduces_nothing() {
    let call = |folder: &str| format!("module \"m\" {{\n  source = \"./{folder}\"\n}}\n");
    let repo = Repo::with(&[("main.tf", &call("modules/a")), ("modules/a/main.tf", &public("x"))]);
    assert_eq!(repo.since("HEAD", &[]), ["= modules/a/main.tf:2"]);
    repo.git(&["mv", "modules/a", "modules/b"]);
    repo.write("main.tf", &call("modules/b"));
    assert_eq!(repo.since("HEAD", &[]), ["= modules/b/main.tf:2"]);
    // A second call makes the same block worse: the finding is new for what the call creates.
    repo.commit();
    repo.write("main.tf", &(call("modules/b") + &call("modules/b").replace("\"m\"", "\"n\"")));
    let (ran, since) = repo.judge(&["check", "--since", "HEAD"]);
    assert_eq!(since, ["+ modules/b/main.tf:2", "= modules/b/main.tf:2"]);
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(json["findings"][0]["resource"]["address"], "module.n.terraform_data.x");
    assert_eq!(json["findings"][0]["occurrences"], serde_json::json!([]));
}

#[test]
fn a_baseline_changes_what_is_known() {
    let baseline = ["--baseline", "accepted.json"];
    let repo = Repo::with(&[("main.tf", &public("a"))]);
    assert_eq!(repo.run(&["check", "--baseline", "accepted.json", "--write-baseline"]).code, 0);
    repo.commit();
    assert!(repo.since("HEAD", &baseline).is_empty());
    repo.write("main.tf", &(public("a") + &public("b")));
    assert_eq!(repo.since("HEAD", &baseline), ["+ main.tf:5"]);
    repo.commit();
    // Taken out of the baseline, a finding of long ago is shown again; into it, and it is silenced rather than fixed.
    repo.write("accepted.json", "{\"version\": 1, \"findings\": {}}\n");
    assert_eq!(repo.since("HEAD", &baseline), ["+ main.tf:2", "= main.tf:5"]);
    assert_eq!(repo.run(&["check", "--baseline", "accepted.json", "--write-baseline"]).code, 0);
    assert_eq!(repo.since("HEAD", &baseline), ["? 1 ignored"]);
    // So is one that a comment ignores from now on.
    repo.git(&["checkout", "-q", "."]);
    let ignored =
        public("b").replace('\n', " # stacklint: ignore[public-thing] asked for\n").replacen("} #", "}\n#", 1);
    repo.write("main.tf", &(public("a") + &ignored));
    assert_eq!(repo.since("HEAD", &[]), ["= main.tf:2", "? 1 ignored"]);
}

#[test]
fn what_others_did_on_the_branch_is_not_blamed_on_the_change() {
    let repo = Repo::with(&[("main.tf", &public("a"))]);
    repo.git(&["checkout", "-q", "-b", "feature"]);
    repo.write("feature.tf", &public("mine"));
    repo.commit();
    repo.git(&["checkout", "-q", "main"]);
    repo.write("theirs.tf", &public("theirs"));
    repo.write("main.tf", &private("a"));
    repo.commit();
    repo.git(&["checkout", "-q", "feature"]);
    // Before the merge: against where the branch left main, not against main as it is now.
    assert_eq!(repo.since("main", &[]), ["+ feature.tf:2", "= main.tf:2"]);
    repo.git(&["merge", "-q", "--no-edit", "main"]);
    assert_eq!(repo.since("main", &[]), ["+ feature.tf:2", "= theirs.tf:2"]);
    assert_eq!(repo.since("HEAD~1", &[]), ["+ theirs.tf:2", "- main.tf:2", "= feature.tf:2"]);
    // The second parent of the merge is main.
    assert_eq!(repo.since("HEAD^2", &[]), ["+ feature.tf:2", "= theirs.tf:2"]);
    // Nothing in common at all: main as it is, and it is said.
    repo.git(&["checkout", "-q", "--orphan", "alone"]);
    repo.commit();
    let (ran, since) = repo.judge(&["check", "--since", "main"]);
    assert_eq!(since, ["+ feature.tf:2", "= theirs.tf:2"]);
    assert!(ran.err.contains("no ancestor in common with `main`"), "{}", ran.err);
}

#[test]
fn shallow_clones_say_what_they_lack() {
    let repo = Repo::with(&[("main.tf", &public("a"))]);
    repo.write("other.tf", &public("b"));
    repo.commit();
    repo.git(&["checkout", "-q", "-b", "feature"]);
    repo.write("feature.tf", &public("mine"));
    repo.commit();
    repo.git(&["checkout", "-q", "main"]);
    repo.write("later.tf", &unlike("later"));
    repo.commit();

    let shallow = repo.clone("shallow", &["--depth", "1", "--branch", "feature"]);
    let ran = shallow.run(&["check", "--since", "main"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.err.contains("no commit `main`") && ran.err.contains("git fetch --depth=50 origin main"),
        "{}",
        ran.err
    );
    // Never silently taken for the time before the first commit.
    let ran = shallow.run(&["check", "--since", "HEAD~1"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("this clone is shallow"), "{}", ran.err);
    shallow.write("new.tf", &public("new"));
    assert_eq!(shallow.since("HEAD", &[]), ["+ new.tf:2", "= feature.tf:2", "= main.tf:2", "= other.tf:2"]);
    shallow.remove("new.tf");

    // Both ends are here, what they have in common is not.
    shallow.git(&["fetch", "-q", "--depth", "1", "origin", "main:refs/remotes/origin/main"]);
    let (ran, since) = shallow.judge(&["check", "--since", "origin/main"]);
    assert_eq!(since, ["+ feature.tf:2", "- later.tf:5", "= main.tf:2", "= other.tf:2"]);
    assert!(ran.err.contains("this clone is shallow and does not reach back"), "{}", ran.err);
    // `main` alone is found at the place it was fetched from.
    let (ran, since) = shallow.judge(&["check", "--since", "main"]);
    assert_eq!(since, ["+ feature.tf:2", "- later.tf:5", "= main.tf:2", "= other.tf:2"]);
    assert!(ran.err.contains("compared with `origin/main`"), "{}", ran.err);
    // With the history in between the common ancestor is found.
    shallow.git(&["fetch", "-q", "--unshallow", "origin", "main:refs/remotes/origin/main"]);
    assert_eq!(shallow.since("main", &[]), ["+ feature.tf:2", "= main.tf:2", "= other.tf:2"]);
}

#[test]
fn before_the_first_commit_there_was_nothing() {
    let repo = Repo::new();
    repo.write("main.tf", &public("a"));
    let (ran, since) = repo.judge(&["check", "--since", "HEAD"]);
    assert_eq!(since, ["+ main.tf:2"]);
    assert!(ran.err.contains("no commit yet"), "{}", ran.err);
    repo.commit();
    assert_eq!(repo.since("HEAD", &[]), ["= main.tf:2"]);
    let (ran, since) = repo.judge(&["check", "--since", "HEAD~1"]);
    assert_eq!(since, ["+ main.tf:2"]);
    assert!(ran.err.contains("before the first commit"), "{}", ran.err);
    // What a push event names before the first push of a branch.
    assert_eq!(repo.since(&"0".repeat(40), &[]), ["+ main.tf:2"]);
}

#[test]
fn binary_files_are_no_obstacle() {
    let repo = Repo::with(&[("main.tf", &public("a")), ("was-text.tf", &public("t"))]);
    repo.write_bytes("logo.png", b"\x89PNG\r\n\x1a\n\0\0\xff");
    repo.write_bytes("was-binary.tf", b"resource\0\xff\xfe");
    repo.write_bytes("latin1.tf", b"# gr\xfc\xdfe\n");
    repo.commit();
    assert_eq!(repo.since("HEAD~1", &[]), ["= main.tf:2", "= was-text.tf:2"]);
    // Text that becomes binary is not mended; binary that becomes text is new.
    repo.write_bytes("was-text.tf", b"resource\0");
    repo.write("was-binary.tf", &public("b"));
    repo.write_bytes("logo.png", b"\x89PNG\r\n\x1a\n\0\0\xfe");
    assert_eq!(repo.since("HEAD", &[]), ["+ was-binary.tf:2", "= main.tf:2", "? 1 not read"]);
}

#[test]
fn five_thousand_changed_files_are_told_apart() {
    let repo = Repo::new();
    let path = |i: usize| format!("group{:02}/file{i}.tf", i % 50);
    for i in 0..5000 {
        let name = format!("r{i}");
        repo.write(&path(i), &if i % 500 == 0 { public(&name) } else { private(&name) });
    }
    repo.commit();
    for i in 0..5000 {
        let name = format!("r{i}");
        // Ten findings were there; the first of them is mended, and one comes.
        let is_public = i % 500 == 0 && i > 0 || i == 7;
        let text = if is_public { public(&name) } else { private(&name) };
        repo.write(&path(i), &format!("# {i}\n{text}"));
    }
    let mut expected = vec!["+ group07/file7.tf:3".to_owned(), "- group00/file0.tf:2".to_owned()];
    let mut unchanged: Vec<String> = (1..10).map(|i| format!("= group00/file{}.tf:3", i * 500)).collect();
    unchanged.sort();
    expected.extend(unchanged);
    assert_eq!(repo.since("HEAD", &[]), expected);
}

#[test]
fn submodules_are_read_where_they_are_and_never_fetched() {
    let inner = Repo::with(&[("main.tf", &public("inner"))]);
    let repo = Repo::with(&[("main.tf", &public("outer"))]);
    let url = format!("file://{}", inner.at.display());
    repo.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", &url, "sub"]);
    repo.commit();
    assert_eq!(repo.since("HEAD", &[]), ["= main.tf:2", "= sub/main.tf:2"]);
    repo.write("sub/main.tf", &private("inner"));
    assert_eq!(repo.since("HEAD", &[]), ["- sub/main.tf:2", "= main.tf:2"]);
    // Where its commit is not here, its files count as they are.
    git(&repo.at.join("sub"), &["add", "-A"]);
    git(&repo.at.join("sub"), &["commit", "-q", "-m", "x"]);
    repo.commit();
    let clone = repo.clone("clone", &[]);
    let since = clone.since("HEAD", &[]);
    assert_eq!(since, ["= main.tf:2"]);
    assert!(std::fs::read_dir(clone.at.join("sub")).unwrap().next().is_none(), "nothing was fetched");
}

#[test]
fn contents_that_were_not_cloned_are_not_fetched() {
    let repo = Repo::with(&[("main.tf", &public("a"))]);
    repo.git(&["config", "uploadpack.allowFilter", "true"]);
    repo.write("main.tf", &(public("a") + &public("b")));
    repo.commit();
    let partial = repo.clone("partial", &["--filter=blob:none"]);
    let ran = partial.run(&["check", "--since", "HEAD~1"]);
    assert_eq!(ran.code, 2, "{}", ran.out);
    assert!(ran.err.contains("not in this clone") && ran.err.contains("--filter"), "{}", ran.err);
    // What did not change is here, and is enough.
    assert_eq!(partial.since("HEAD", &[]), ["= main.tf:2", "= main.tf:5"]);
}

/// The configuration of a repository, and what lies around in it, may come from anybody.
#[test]
fn nothing_of_the_repository_runs_and_nothing_is_touched() {
    let repo = Repo::with(&[("main.tf", &public("a"))]);
    let marker = repo.at.parent().unwrap().join("ran");
    let script = repo.at.join("evil.sh");
    repo.write("evil.sh", &format!("#!/bin/sh\ntouch {}\ncat\n", marker.display()));
    repo.write(".gitattributes", "* filter=evil diff=evil merge=evil\n");
    let evil = script.to_str().unwrap();
    make_executable(&script);
    for hook in ["post-checkout", "post-index-change", "reference-transaction", "pre-auto-gc"] {
        let path = repo.at.join(".git/hooks").join(hook);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::copy(&script, &path).unwrap();
    }
    repo.git(&["add", "-A"]);
    repo.git(&["-c", "core.hooksPath=/dev/null", "commit", "-q", "-m", "x"]);
    for (name, value) in [
        ("core.fsmonitor", evil),
        ("core.sshCommand", evil),
        ("core.pager", evil),
        ("core.gitProxy", evil),
        ("core.alternateRefsCommand", evil),
        ("core.editor", evil),
        ("filter.evil.smudge", evil),
        ("filter.evil.clean", evil),
        ("filter.evil.process", evil),
        ("diff.evil.textconv", evil),
        ("diff.evil.command", evil),
        ("diff.external", evil),
        ("gpg.program", evil),
        ("credential.helper", evil),
        ("alias.rev-parse", "!touch ran-alias"),
        ("alias.cat-file", "!touch ran-alias"),
        ("alias.ls-tree", "!touch ran-alias"),
        ("uploadpack.packObjectsHook", evil),
    ] {
        repo.git(&["config", name, value]);
    }
    let _ = std::fs::remove_file(&marker);
    repo.write("main.tf", &(public("a") + &public("b")));
    let index = std::fs::read(repo.at.join(".git/index")).unwrap();
    let head = std::fs::read(repo.at.join(".git/logs/HEAD")).unwrap();
    assert_eq!(repo.since("HEAD", &[]), ["+ main.tf:5", "= main.tf:2"]);
    assert_eq!(repo.since("HEAD~1", &[]), ["+ main.tf:5", "= main.tf:2"]);
    assert!(!marker.exists() && !repo.at.join("ran-alias").exists());
    assert_eq!(std::fs::read(repo.at.join(".git/index")).unwrap(), index);
    assert_eq!(std::fs::read(repo.at.join(".git/logs/HEAD")).unwrap(), head);
    assert_eq!(
        std::fs::read_dir(repo.at.join(".git"))
            .unwrap()
            .filter_map(Result::ok)
            .filter(|e| e.file_name().to_string_lossy().contains("lock"))
            .count(),
        0
    );
}

#[cfg(unix)]
fn make_executable(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[cfg(not(unix))]
fn make_executable(_: &Path) {}

/// A variable of git's own in the environment, such as a hook has, does not lead elsewhere.
#[test]
fn the_environment_names_no_other_repository() {
    let repo = Repo::with(&[("main.tf", &public("a"))]);
    let other = Repo::with(&[("main.tf", &private("a"))]);
    let mut command = command(env!("CARGO_BIN_EXE_stacklint"), &repo.at);
    command.env("GIT_DIR", other.at.join(".git")).env("GIT_WORK_TREE", &other.at);
    command
        .env("GIT_INDEX_FILE", other.at.join(".git/index"))
        .env("GIT_OBJECT_DIRECTORY", other.at.join(".git/objects"));
    let output = command.args(["check", "--since", "HEAD"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_commit_decides_over_its_own_files_alone() {
    let repo = Repo::with(&[("main.tf", &public("a"))]);
    let outside = repo.at.parent().unwrap().join("secret");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("token.yaml"), "password: hunter2\n").unwrap();
    std::fs::write(outside.join("x.tfvars"), "how = \"public\"\n").unwrap();
    repo.write("secret.yaml", "not a policy, but in the repository\n");
    let absolute = outside.to_str().unwrap().to_owned();
    let read =
        "resource \"terraform_data\" \"v\" {\n  input = var.how\n}\nvariable \"how\" {\n  default = \"private\"\n}\n";
    for folder in ["../secret", &absolute, "link", "rules/../../secret"] {
        repo.write(
            "stacklint.toml",
            &format!("select = [\"public-thing\"]\npolicy-dirs = [\"rules\", \"{folder}\"]\n"),
        );
        #[cfg(unix)]
        if !repo.at.join("link").exists() {
            std::os::unix::fs::symlink(&absolute, repo.at.join("link")).unwrap();
        }
        repo.commit();
        repo.write("stacklint.toml", CONFIG);
        let (ran, since) = repo.judge(&["check", "--since", "HEAD"]);
        assert_eq!(since, ["= main.tf:2"], "{folder}");
        assert!(!ran.err.contains("hunter2") && !ran.out.contains("hunter2"), "{folder}: {}", ran.err);
        assert!(ran.err.contains("outside of the repository") && ran.err.contains("with that of now"), "{}", ran.err);
        repo.git(&["checkout", "-q", "."]);
    }
    // A variable file outside says nothing about the base.
    for file in ["../secret/x.tfvars", &format!("{absolute}/x.tfvars")] {
        repo.write("stacklint.toml", &format!("{CONFIG}[terraform]\nvar-files = [\"{file}\"]\n"));
        repo.write("main.tf", read);
        repo.commit();
        repo.write("stacklint.toml", CONFIG);
        assert!(repo.since("HEAD", &[]).is_empty(), "{file}");
        // What the configuration in the work tree names, its user has named.
        repo.git(&["checkout", "-q", "."]);
        assert_eq!(repo.since("HEAD", &[]), ["= main.tf:2"], "{file}");
    }
}

#[test]
fn policies_may_stand_behind_a_link_in_the_repository() {
    let repo = Repo::with(&[("main.tf", &public("a"))]);
    repo.git(&["mv", "rules", "shared"]);
    #[cfg(unix)]
    std::os::unix::fs::symlink("shared", repo.at.join("rules")).unwrap();
    repo.commit();
    repo.write("main.tf", &(public("a") + &public("b")));
    assert_eq!(repo.since("HEAD", &[]), ["+ main.tf:5", "= main.tf:2"]);
}

#[test]
fn a_policy_of_ones_own_that_comes_brings_its_findings() {
    let repo = Repo::with(&[("main.tf", &public("a"))]);
    repo.write("rules/public-thing.yaml", &POLICY.replace("equals: public", "in: [public, shared]"));
    repo.write("main.tf", &(public("a") + &public("b").replace("\"public\"", "\"shared\"")));
    assert_eq!(repo.since("HEAD", &[]), ["+ main.tf:5", "= main.tf:2"]);
    // What is not selected any more is not mended.
    repo.write(
        "stacklint.toml",
        "select = [\"category:access\"]\nignore = [\"public-thing\"]\npolicy-dirs = [\"rules\"]\n",
    );
    assert_eq!(repo.since("HEAD", &[]), ["? 1 left out"]);
}

#[test]
fn what_cannot_be_compared_is_said() {
    let repo = Repo::with(&[("main.tf", &public("a"))]);
    for (reference, words) in [
        ("nowhere", "no commit `nowhere`"),
        ("-x", "cannot name a commit"),
        ("a..b", "cannot name a commit"),
        ("HEAD:main.tf", "cannot name a commit"),
        ("main main", "cannot name a commit"),
    ] {
        let ran = repo.run(&["check", &format!("--since={reference}")]);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{reference}");
        assert!(ran.err.contains(words) && ran.err.contains("help:"), "{reference}: {}", ran.err);
    }
    let folder = Folder::new();
    let output =
        command(env!("CARGO_BIN_EXE_stacklint"), &folder.0).args(["check", "--since", "main"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(said.contains("not in a git repository"), "{said}");
    // Another repository than the first path's.
    let other = Repo::with(&[("main.tf", &public("a"))]);
    let ran = repo.run(&["check", ".", other.at.to_str().unwrap(), "--since", "HEAD"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("does not lie in the repository"), "{}", ran.err);
    // Without git on the machine.
    let mut command = command(env!("CARGO_BIN_EXE_stacklint"), &repo.at);
    let output = command.env("PATH", &folder.0).args(["check", "--since", "HEAD"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("`git` cannot be run") && said.contains("install git"), "{said}");
}

#[test]
fn folders_and_links_on_the_way_do_not_matter() {
    let repo = Repo::with(&[("infra/prod/main.tf", &public("a")), ("infra/dev/main.tf", &public("d"))]);
    repo.write("infra/prod/new.tf", &public("b"));
    assert_eq!(repo.since("HEAD", &["infra/prod"]), ["+ infra/prod/new.tf:2", "= infra/prod/main.tf:2"]);
    assert_eq!(repo.since("HEAD", &["infra/prod/new.tf"]), ["+ infra/prod/new.tf:2"]);
    let below = repo.run_in("infra/dev", &["check", "../prod", "--since", "HEAD"]);
    assert!(below.code == 1 && below.out.contains("1 new finding"), "{}\n{}", below.out, below.err);
    let outside = repo.run_in("..", &["check", "repo/infra", "--since", "HEAD", "--config", "repo/stacklint.toml"]);
    assert!(outside.code == 1 && outside.out.contains("1 new finding"), "{}\n{}", outside.out, outside.err);
    #[cfg(unix)]
    {
        let link = repo.at.parent().unwrap().join("link");
        std::os::unix::fs::symlink(repo.at.join("infra/prod"), &link).unwrap();
        let ran = repo.run(&["check", link.to_str().unwrap(), "--since", "HEAD"]);
        assert!(ran.code == 1 && ran.out.contains("1 new finding") || ran.code == 2, "{}\n{}", ran.out, ran.err);
    }
}

#[test]
fn every_format_says_what_is_new() {
    let repo = Repo::with(&[("main.tf", &(public("a") + &public("b")))]);
    repo.write("main.tf", &(private("a") + &public("b") + &public("c")));
    let run = |args: &[&str]| repo.run(&[&["check", "--since", "HEAD"], args].concat());
    let pretty = run(&[]);
    assert_eq!(pretty.code, 1);
    for words in ["1 new finding", "1 fixed · 1 unchanged", "── Fixed", "main.tf:2:11"] {
        assert!(pretty.out.contains(words), "{words}: {}", pretty.out);
    }
    assert!(run(&["--format", "markdown"]).out.contains("Since `HEAD`: 1 fixed · 1 unchanged"));
    let states = |args: &[&str]| -> Vec<(String, u64)> {
        let json: serde_json::Value = serde_json::from_str(&run(args).out).unwrap();
        assert_eq!(json["runs"][0]["properties"]["since"]["fixed"], 1);
        let results = json["runs"][0]["results"].as_array().unwrap();
        let line =
            |r: &serde_json::Value| r["locations"][0]["physicalLocation"]["region"]["startLine"].as_u64().unwrap();
        results.iter().map(|r| (r["baselineState"].as_str().unwrap().to_owned(), line(r))).collect()
    };
    assert_eq!(states(&["--format", "sarif"]), [("new".to_owned(), 8)]);
    assert_eq!(
        states(&["--format", "sarif", "--show-unchanged"]),
        [("new".to_owned(), 8), ("unchanged".to_owned(), 5), ("absent".to_owned(), 2)]
    );
    for format in ["github", "gitlab", "junit", "rdjson", "checkstyle"] {
        let ran = run(&["--format", format]);
        assert_eq!((ran.code, ran.out.matches("terraform_data.c").count() > 0), (1, true), "{format}");
        assert!(!ran.out.contains("terraform_data.b"), "{format}");
    }
    assert_eq!(repo.run(&["check", "--since", "HEAD", "--fail-on", "critical"]).code, 0);
}

/// A secret that is no news is no less a secret.
#[test]
fn secrets_of_unchanged_findings_stay_hidden() {
    let secret = "AKIAIOSFODNN7EXAMPL3";
    let text = |more: &str| {
        format!(
            "resource \"aws_instance\" \"a\" {{\n  ami = \"ami-1\"\n  user_data = \"export AWS_ACCESS_KEY_ID={secret}\"\n{more}}}\n"
        )
    };
    let repo = Repo::with(&[("stacklint.toml", "min-severity = \"info\"\n"), ("main.tf", &text(""))]);
    repo.write("main.tf", &text("  associate_public_ip_address = true\n"));
    for format in ["pretty", "json", "sarif", "markdown", "rdjson"] {
        let ran = repo.run(&["check", "--since", "HEAD", "--show-unchanged", "--format", format]);
        assert!(!ran.out.contains(secret), "{format}: {}", ran.out);
    }
    repo.write("main.tf", "locals {}\n");
    for format in ["pretty", "json", "sarif", "markdown"] {
        let ran = repo.run(&["check", "--since", "HEAD", "--show-unchanged", "--format", format]);
        assert!(!ran.out.contains(secret), "{format}: {}", ran.out);
    }
}
