//! The bot against a platform that remembers: whole lives of pull requests, and a server under load.

#![cfg(all(feature = "bot", unix))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test may stop at the first surprise"
)]

mod events;
mod fake;
mod git;
mod gitlab;
mod life;
mod serve;

use fake::{Fake, TOKEN};
use git::Work;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The repository that most tests are about.
pub(crate) const REPOSITORY: &str = "octo/shop";

/// A folder that goes with its value.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("stacklint-bot-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path.canonicalize().unwrap())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A platform with one repository and one open pull request from `feature` to `main`.
pub(crate) struct Stage {
    pub(crate) fake: Fake,
    pub(crate) work: Work,
    pub(crate) key: (String, u64),
    pub(crate) folder: Folder,
}

/// What a run of the bot ended with.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Stage {
    /// `main` has these files, and so has `feature`.
    pub(crate) fn new(name: &str, files: &[(&str, &str)]) -> Stage {
        let folder = Folder::new(name);
        let work = Work::new(&folder.0, REPOSITORY);
        for (path, text) in files {
            work.write(path, text);
        }
        work.push("main");
        work.push("feature");
        let fake = Fake::start(&folder.0);
        let key = (REPOSITORY.to_owned(), 7);
        let pull = fake::Pull { head: "feature".into(), base: "main".into(), ..fake::Pull::default() };
        fake.state().pulls.insert(key.clone(), pull);
        Stage { fake, work, key, folder }
    }

    /// The command with all that it needs to reach the fake.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stacklint"));
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("STACKLINT_BOT_TOKEN", TOKEN)
            .current_dir(&self.folder.0)
            .args(["bot", "review", "--forge", "github", "--repo", &self.key.0, "--pr", &self.key.1.to_string()])
            .args(["--api-url", &self.fake.api(), "--graphql-url", &self.fake.graphql(), "--git-url", &self.fake.git()])
            .arg("--scratch")
            .arg(self.folder.0.join("scratch"));
        command
    }

    /// Runs the bot. No secret may be in what it says, and no folder may be left.
    pub(crate) fn review(&self) -> Ran {
        self.run(self.command())
    }

    pub(crate) fn run(&self, mut command: Command) -> Ran {
        let output = command.output().unwrap();
        let ran = Ran {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        };
        assert!(!ran.err.contains("Planted") && !ran.out.contains("Planted"), "a secret: {} {}", ran.out, ran.err);
        assert_eq!(entries(&self.folder.0.join("scratch")), Vec::<String>::new(), "a folder was left: {}", ran.err);
        ran
    }

    /// Runs the bot twice: the first run makes these calls that change something, the second none.
    pub(crate) fn expect(&self, step: &str, code: i32, calls: &[&str]) {
        self.fake.changes();
        let ran = self.review();
        pretty_assertions::assert_eq!(self.fake.changes(), calls, "{step}: {}", ran.err);
        assert_eq!(ran.code, code, "{step}: {}", ran.err);
        let again = self.review();
        pretty_assertions::assert_eq!(self.fake.changes(), Vec::<String>::new(), "{step}, again: {}", again.err);
        assert_eq!(again.code, code, "{step}, again: {}", again.err);
    }

    /// The comments of ours that begin a thread: path, the line where they stand now, and the first word.
    pub(crate) fn comments(&self) -> Vec<(String, Option<u64>, String)> {
        let state = self.fake.state();
        let all = state.pulls[&self.key].comments.iter().filter(|c| c.reply_to.is_none() && c.author == fake::BOT);
        all.map(|c| {
            let first = c.body.split_whitespace().nth(1).unwrap_or_default().trim_matches('*').to_owned();
            (c.path.clone(), state.line(&self.key, c), first)
        })
        .collect()
    }

    /// The one summary; empty where there is none.
    pub(crate) fn summary(&self) -> String {
        let state = self.fake.state();
        let mine: Vec<&str> =
            state.pulls[&self.key].notes.iter().filter(|n| n.author == fake::BOT).map(|n| n.body.as_str()).collect();
        assert!(mine.len() <= 1, "more than one summary: {mine:#?}");
        mine.first().map_or_else(String::new, |b| (*b).to_owned())
    }
}

pub(crate) fn entries(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    entries.map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).filter(|n| n != "lock").collect()
}
