//! The `git` program, run so that it reads objects and does nothing else.

use super::GitError;
use std::path::Path;
use std::process::{Command, Stdio};

/// Settings that a repository's own configuration could otherwise use to run a program or to reach the network while
/// objects are read.
const SAFE: [&str; 10] = [
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.alternateRefsCommand=",
    "core.sshCommand=false",
    "core.gitProxy=",
    "core.pager=cat",
    "protocol.allow=never",
    "submodule.recurse=false",
    "gc.auto=0",
    "maintenance.auto=false",
];

/// Variables of git's that say whose configuration holds and how far up a repository is looked for. All others are
/// cleared: they could name another repository, index, object store or program, and a hook's environment sets some.
const KEPT: [&str; 5] = [
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_CEILING_DIRECTORIES",
    "GIT_DISCOVERY_ACROSS_FILESYSTEM",
];

/// What a run said.
pub(super) struct Ran {
    /// Whether it ended well.
    pub ok: bool,
    /// Standard output; what is no UTF-8 in it is replaced.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Ran {
    /// The output, or what the failure means.
    pub fn success(self, failure: impl FnOnce(&Ran) -> GitError) -> Result<String, GitError> {
        if self.ok { Ok(self.out) } else { Err(failure(&self)) }
    }
}

/// The program with everything switched off that is not needed for reading objects.
pub(super) fn command(folder: &Path) -> Command {
    let mut command = Command::new("git");
    for (name, _) in std::env::vars_os() {
        let name_text = name.to_string_lossy();
        if name_text.starts_with("GIT_") && !KEPT.contains(&&*name_text) {
            command.env_remove(&name);
        }
    }
    command
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_ALLOW_PROTOCOL", "none")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_OPTIONAL_LOCKS", "0")
        // Messages are read by this program.
        .env("LC_ALL", "C")
        .arg("-C")
        .arg(folder)
        .args(["--no-optional-locks", "--no-replace-objects", "--no-pager", "--literal-pathspecs"]);
    for setting in SAFE {
        command.args(["-c", setting]);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs to the end.
pub(super) fn git(folder: &Path, arguments: &[&str]) -> Result<Ran, GitError> {
    let output = command(folder).args(arguments).output().map_err(GitError::of_start)?;
    Ok(Ran {
        ok: output.status.success(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// Runs with something on standard input, and gives the bytes of standard output whatever the exit code.
pub(super) fn git_with_input(folder: &Path, arguments: &[&str], input: &[u8]) -> Result<Vec<u8>, GitError> {
    use std::io::Write as _;
    let mut child = command(folder)
        .args(arguments)
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(GitError::of_start)?;
    let stdin = child.stdin.take();
    let output = std::thread::scope(|scope| {
        // Both ends at once: a full pipe on one side would block the other.
        scope.spawn(move || {
            if let Some(mut stdin) = stdin {
                let _ = stdin.write_all(input);
            }
        });
        child.wait_with_output()
    });
    Ok(output.map_err(GitError::of_start)?.stdout)
}
