//! Commits from another machine into an empty repository, without their history and without a work tree.

use super::GitError;
use super::command::{command, git};
use crate::load::scratch::size;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Bytes of git's own words that are kept.
const MOST_WORDS: u64 = 8 * 1024;

/// Where commits are.
#[derive(Clone, Copy)]
pub struct Remote<'a> {
    /// The address, without credentials: `https:`, or `http:` and `file:` on this machine.
    pub url: &'a str,
    /// The value of the `Authorization` header; empty for none. It reaches git through its environment, which other users
    /// of the machine cannot read, as they can the arguments.
    pub authorization: &'a str,
    /// A file of certificates of authorities to trust instead of the system's.
    pub authorities: Option<&'a Path>,
}

/// What a fetch may cost.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Bytes on the disk.
    pub bytes: u64,
    /// Time.
    pub time: Duration,
}

/// Why commits could not be fetched.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FetchError {
    /// git cannot be run.
    Git(GitError),
    /// The address is of no kind that is fetched from.
    Address(String),
    /// The other side said no, or could not be reached; with git's words.
    Refused(String),
    /// It is larger than it may be.
    TooLarge(u64),
    /// It took longer than it may take.
    TooSlow(Duration),
    /// Whoever asked for it does not want it any more.
    Stopped,
}

impl std::fmt::Display for FetchError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            FetchError::Git(error) => error.fmt(f),
            FetchError::Address(url) => {
                write!(f, "`{url}` is no address to fetch from: it must be https, or http on this machine")
            }
            FetchError::Refused(words) => write!(f, "the commits could not be fetched: {words}"),
            FetchError::TooLarge(bytes) => {
                write!(f, "the repository is larger than the limit of {} MB", bytes / 1024 / 1024)
            }
            FetchError::TooSlow(time) => {
                write!(f, "fetching took longer than the limit of {} seconds", time.as_secs())
            }
            FetchError::Stopped => f.write_str("fetching was stopped"),
        }
    }
}

impl std::error::Error for FetchError {}

impl From<GitError> for FetchError {
    fn from(error: GitError) -> FetchError {
        FetchError::Git(error)
    }
}

/// Makes a bare repository in an empty folder and fetches commits into it, each without its history.
///
/// `commits` are full ids. Nothing of the user's or the machine's git configuration holds, no hook runs, no credential
/// helper is asked, no submodule and no redirect is followed. `stop` ends it early.
///
/// # Errors
///
/// [`FetchError`]
pub fn fetch(
    git_dir: &Path,
    remote: &Remote<'_>,
    commits: &[&str],
    bounds: Bounds,
    stop: &AtomicBool,
) -> Result<(), FetchError> {
    let protocol = protocol(remote.url).ok_or_else(|| FetchError::Address(remote.url.to_owned()))?;
    let made = git(git_dir, &["init", "--quiet", "--bare", "--template=", "."])?;
    made.success(|ran| GitError::Failed("init", ran.err.clone()))?;
    let mut command = command(git_dir);
    command
        .env("GIT_ALLOW_PROTOCOL", protocol)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", if cfg!(windows) { "NUL" } else { "/dev/null" })
        .args(["-c", "credential.helper=", "-c", "http.followRedirects=false", "-c", "fetch.unpackLimit=1"]);
    if let Some(file) = remote.authorities {
        command.env("GIT_SSL_CAINFO", file);
    }
    if !remote.authorization.is_empty() {
        command
            .env("GIT_CONFIG_COUNT", "1")
            // Bound to the address, so that no other server ever hears it.
            .env("GIT_CONFIG_KEY_0", format!("http.{}.extraHeader", remote.url))
            .env("GIT_CONFIG_VALUE_0", format!("Authorization: {}", remote.authorization));
    }
    command
        .args(["fetch", "--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head"])
        .args(["--no-auto-maintenance", "--end-of-options", remote.url])
        .args(commits)
        .stdout(Stdio::null());
    let mut child = command.spawn().map_err(GitError::of_start)?;
    let stderr = child.stderr.take();
    let (ended, words) = std::thread::scope(|scope| {
        let words = scope.spawn(move || stderr.map(words_of).unwrap_or_default());
        let ended = watch(&mut child, git_dir, bounds, stop);
        (ended, words.join().unwrap_or_default())
    });
    if ended? { Ok(()) } else { Err(FetchError::Refused(words.trim().to_owned())) }
}

/// Waits for the end: whether it went well. What exceeds the bounds is ended.
fn watch(child: &mut Child, folder: &Path, bounds: Bounds, stop: &AtomicBool) -> Result<bool, FetchError> {
    let end = Instant::now() + bounds.time;
    let too_large = || size(folder, bounds.bytes) > bounds.bytes;
    for round in 0_u32.. {
        if let Ok(Some(status)) = child.try_wait() {
            return if too_large() { Err(FetchError::TooLarge(bounds.bytes)) } else { Ok(status.success()) };
        }
        let over = if stop.load(Ordering::Relaxed) {
            Some(FetchError::Stopped)
        } else if Instant::now() > end {
            Some(FetchError::TooSlow(bounds.time))
        } else if round % 10 == 9 && too_large() {
            Some(FetchError::TooLarge(bounds.bytes))
        } else {
            None
        };
        if let Some(over) = over {
            let _ = child.kill();
            let _ = child.wait();
            return Err(over);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(false)
}

/// All is read, so that the program never blocks; the first part is kept.
fn words_of(mut stderr: impl Read) -> String {
    let mut words = Vec::new();
    let _ = stderr.by_ref().take(MOST_WORDS).read_to_end(&mut words);
    let _ = std::io::copy(&mut stderr, &mut std::io::sink());
    String::from_utf8_lossy(&words).into_owned()
}

/// The protocol of an address that may be fetched from. Over plain http a token could be read on the way, so that is for
/// this machine alone.
fn protocol(url: &str) -> Option<&'static str> {
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split('/').next().unwrap_or_default();
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    // Credentials in the address would be seen among the arguments.
    let plain = !url.starts_with('-') && !host.contains('@') && !url.contains(char::is_whitespace);
    match scheme {
        "https" if plain => Some("https"),
        "http" if plain && matches!(name, "localhost" | "127.0.0.1" | "::1") => Some("http"),
        "file" if plain => Some("file"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_are_fetched_from() {
        let check = |url: &str, expected: Option<&str>| assert_eq!(protocol(url), expected, "{url}");
        check("https://example.com/o/r.git", Some("https"));
        check("http://127.0.0.1:8080/o/r.git", Some("http"));
        check("http://[::1]:8080/o/r.git", Some("http"));
        check("file:///srv/r.git", Some("file"));
        for bad in [
            "http://example.com/o/r.git",
            "http://localhost.example.com/r",
            "https://user:password@example.com/r",
            "ssh://example.com/r",
            "ext::sh -c id",
            "--upload-pack=id",
            "/srv/r.git",
        ] {
            check(bad, None);
        }
    }
}
