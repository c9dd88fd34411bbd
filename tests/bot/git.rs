//! Real repositories, made by git.

use std::path::{Path, PathBuf};
use std::process::Command;

fn run(folder: &Path, arguments: &[&str]) -> std::process::Output {
    Command::new("git")
        .current_dir(folder)
        .args(["-c", "user.name=Dev", "-c", "user.email=dev@example.com", "-c", "init.defaultBranch=main"])
        .args(["-c", "commit.gpgsign=false", "-c", "core.autocrlf=false"])
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_AUTHOR_DATE", "2026-01-01T00:00:00Z")
        .env("GIT_COMMITTER_DATE", "2026-01-01T00:00:00Z")
        .output()
        .unwrap()
}

/// Standard output as it is.
pub fn git_bytes(folder: &Path, arguments: &[&str]) -> Vec<u8> {
    run(folder, arguments).stdout
}

/// A developer's clone of a repository that the fake serves.
pub struct Work {
    pub folder: PathBuf,
}

impl Work {
    /// Makes `ROOT/NAME.git` and a clone of it.
    pub fn new(root: &Path, name: &str) -> Work {
        let bare = root.join(format!("{name}.git"));
        std::fs::create_dir_all(&bare).unwrap();
        must(&bare, &["init", "--quiet", "--bare", "--initial-branch=main"]);
        must(&bare, &["config", "uploadpack.allowAnySHA1InWant", "true"]);
        let folder = root.join("work").join(name);
        std::fs::create_dir_all(&folder).unwrap();
        must(&folder, &["init", "--quiet", "--initial-branch=main"]);
        must(&folder, &["remote", "add", "origin", &bare.to_string_lossy()]);
        Work { folder }
    }

    pub fn write(&self, path: &str, text: &str) {
        let full = self.folder.join(path);
        std::fs::create_dir_all(full.parent().unwrap()).unwrap();
        std::fs::write(full, text).unwrap();
    }

    /// Commits all there is and pushes it, whatever was there before.
    pub fn push(&self, branch: &str) {
        must(&self.folder, &["add", "--all"]);
        must(&self.folder, &["commit", "--quiet", "--allow-empty", "--message", "change"]);
        must(&self.folder, &["push", "--quiet", "--force", "origin", &format!("HEAD:refs/heads/{branch}")]);
    }

    pub fn git(&self, arguments: &[&str]) {
        must(&self.folder, arguments);
    }
}

fn must(folder: &Path, arguments: &[&str]) {
    let output = run(folder, arguments);
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}
