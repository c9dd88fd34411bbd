//! Speed: `cargo bench`. Compare the figures of one run; machines differ.
//!
//! The corpora are the archives of the folder named by `STACKLINT_CORPORA` (default: `../shared/corpora`), unpacked below
//! the target folder; where they are not there, the small stack in `testdata/shop` stands in.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a benchmark may stop at the first surprise")]

use divan::{Bencher, black_box, counter::BytesCount};
use stacklint::analysis::since::compare;
use stacklint::analysis::{CancelToken, Change, Scope, Settings, Workspace};
use stacklint::base::FileId;
use stacklint::load::git::{self, Like, Repository};
use stacklint::load::{self, Exclude, Request};
use stacklint::policy::{Choice, PolicySet};
use stacklint::syntax::{hcl, yaml};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

fn main() {
    divan::main();
}

type Texts = Vec<(String, Arc<str>)>;

/// The text files of a corpus below its folder, by relative path.
fn corpus(name: &str) -> Texts {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let archives = std::env::var_os("STACKLINT_CORPORA").map_or_else(|| root.join("../shared/corpora"), PathBuf::from);
    let archive = archives.join(format!("{name}.tar.gz"));
    let folder = if archive.exists() {
        let folder = root.join("target/corpora").join(name);
        if !folder.exists() {
            std::fs::create_dir_all(&folder).unwrap();
            let done = Command::new("tar").arg("xzf").arg(&archive).arg("-C").arg(&folder).status().unwrap();
            assert!(done.success(), "tar could not unpack {}", archive.display());
        }
        folder
    } else {
        root.join("testdata/shop")
    };
    let mut files = Vec::new();
    let mut todo = vec![folder.clone()];
    while let Some(at) = todo.pop() {
        for entry in std::fs::read_dir(&at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                todo.push(path);
            } else if let Ok(text) = std::fs::read_to_string(&path) {
                files.push((path.strip_prefix(&folder).unwrap().to_string_lossy().into_owned(), text.into()));
            }
        }
    }
    files.sort();
    files
}

fn with_ending(texts: &Texts, endings: &[&str]) -> Vec<Arc<str>> {
    texts.iter().filter(|(p, _)| endings.iter().any(|e| p.ends_with(e))).map(|(_, t)| t.clone()).collect()
}

fn bytes(texts: &[Arc<str>]) -> BytesCount {
    BytesCount::new(texts.iter().map(|t| t.len()).sum::<usize>())
}

fn check(texts: &Texts) -> usize {
    let mut workspace = Workspace::default();
    workspace.apply(Change { set: texts.clone(), ..Change::default() });
    workspace.snapshot().check(&Scope::All, &CancelToken::default()).map_or(0, |r| r.diagnostics.len())
}

/// The yardstick: hcl-edit over the Terraform corpus on one thread.
#[divan::bench(sample_count = 10)]
fn parse_fabric_with_hcl_edit(bencher: Bencher<'_, '_>) {
    let texts = with_ending(&corpus("terraform-fabric"), &[".tf"]);
    bencher.counter(bytes(&texts)).bench(|| texts.iter().filter(|t| hcl_edit::parser::parse_body(t).is_ok()).count());
}

#[divan::bench(sample_count = 10)]
fn parse_fabric(bencher: Bencher<'_, '_>) {
    let texts = with_ending(&corpus("terraform-fabric"), &[".tf"]);
    bencher.counter(bytes(&texts)).bench(|| texts.iter().map(|t| hcl::parse(t, FileId(0)).errors.len()).sum::<usize>());
}

#[divan::bench(sample_count = 10)]
fn parse_kube_prometheus(bencher: Bencher<'_, '_>) {
    let texts = with_ending(&corpus("kubernetes-kube-prometheus"), &[".yaml", ".yml"]);
    bencher
        .counter(bytes(&texts))
        .bench(|| texts.iter().map(|t| yaml::parse(FileId(0), t.clone()).len()).sum::<usize>());
}

#[divan::bench(args = ["terraform-fabric", "terraform-terragoat", "kubernetes-kube-prometheus"], sample_count = 10)]
fn check_whole(bencher: Bencher<'_, '_>, name: &str) {
    let texts = corpus(name);
    bencher.bench(|| check(black_box(&texts)));
}

/// Ten copies of the Terraform corpus side by side: the cost must grow with the size and no faster.
#[divan::bench(sample_count = 3)]
fn check_ten_copies_of_fabric(bencher: Bencher<'_, '_>) {
    let one = corpus("terraform-fabric");
    let ten: Texts = (0..10).flat_map(|i| one.iter().map(move |(p, t)| (format!("copy{i}/{p}"), t.clone()))).collect();
    bencher.bench(|| check(black_box(&ten)));
}

#[divan::bench]
fn check_one_small_file(bencher: Bencher<'_, '_>) {
    let texts: Texts = vec![("main.tf".into(), include_str!("../testdata/shop/infra/modules/database/main.tf").into())];
    bencher.bench(|| check(black_box(&texts)));
}

/// The Terraform corpus as a repository whose files, all or none of them, have changed since the last commit. To be
/// compared with each other: `nothing` and `everything` cost at most 2.2 times what `alone` does.
#[divan::bench(args = ["alone", "nothing", "everything"], sample_count = 10)]
fn check_since_the_last_commit(bencher: Bencher<'_, '_>, changed: &str) {
    let at = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/corpora/since").join(changed);
    let _ = std::fs::remove_dir_all(&at);
    let files = corpus("terraform-fabric");
    let write = |suffix: &str| {
        for (path, text) in &files {
            let path = at.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, format!("{text}{suffix}")).unwrap();
        }
    };
    write("");
    let identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "gc.auto=0"];
    for args in [&["init", "-q"][..], &["add", "-A"], &["commit", "-q", "-m", "one"], &["gc", "-q"]] {
        assert!(Command::new("git").current_dir(&at).args(identity).args(args).status().unwrap().success());
    }
    if changed == "everything" {
        write("\n");
    }
    let policies = PolicySet::builtin();
    let chosen = Arc::new(policies.choose(&Choice::default()).unwrap());
    let settings = Settings { policies: Arc::new(policies), chosen, ..Settings::default() };
    let request = Request { working_directory: at.clone(), paths: Vec::new(), exclude: Exclude::default() };
    bencher.bench(|| {
        let workspace = load::open(&request, settings.clone()).unwrap();
        let snapshot = workspace.snapshot();
        let head = snapshot.check(&Scope::All, &CancelToken::default()).unwrap();
        if changed == "alone" {
            return 0;
        }
        let repository = Repository::discover(&at).unwrap();
        let base = repository.base("HEAD").unwrap();
        let tree = Arc::new(repository.tree(base.commit.as_ref()).unwrap());
        let like = Like { head: &snapshot, on_disk: true };
        let workspace = git::open(&tree, &request, None, Some(like)).unwrap();
        let base = workspace.snapshot().check(&Scope::All, &CancelToken::default()).unwrap();
        compare(&base, &head).unchanged.len()
    });
}

/// A keystroke in an open workspace: one file changes, the rest is remembered.
#[divan::bench(args = ["terraform-fabric", "kubernetes-kube-prometheus"], sample_count = 20)]
fn recheck_after_one_keystroke(bencher: Bencher<'_, '_>, name: &str) {
    let texts = corpus(name);
    let (path, text) = texts.iter().find(|(p, _)| p.ends_with(".tf") || p.ends_with(".yaml")).unwrap().clone();
    let mut workspace = Workspace::default();
    workspace.apply(Change { set: texts, ..Change::default() });
    let _ = workspace.snapshot().check(&Scope::All, &CancelToken::default());
    let mut typed = 0;
    bencher.bench_local(|| {
        typed += 1;
        let edited: Arc<str> = format!("{text}\n# {typed}\n").into();
        workspace.apply(Change { overlays: vec![(path.clone(), Some(edited))], ..Change::default() });
        workspace.snapshot().check(&Scope::All, &CancelToken::default()).map_or(0, |r| r.diagnostics.len())
    });
}

/// The whole process on one small file, with every policy embedded.
#[divan::bench(sample_count = 20)]
fn process_cold_start(bencher: Bencher<'_, '_>) {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/shop/infra/modules/database/main.tf");
    bencher.bench(|| {
        Command::new(env!("CARGO_BIN_EXE_stacklint"))
            .args(["check", "--no-config", "--format", "json", file])
            .output()
            .unwrap()
    });
}
