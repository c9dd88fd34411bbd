//! Doing a job: a token for the repository, a folder for the time being, and a process of its own that reviews the pull request. A
//! process can be ended when it takes too long, its memory is its own, and what breaks it does not break the server.

use super::app::App;
use super::metrics::{Ended, Metrics};
use super::queue::Job;
use super::store::Store;
use crate::bot::http::{Clock, ForgeError};
use crate::bot::log::Log;
use crate::bot::review::exit;
use crate::bot::secret::Secret;
use crate::load::Scratch;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// How often a job is tried before it is given up.
const MOST_ATTEMPTS: u32 = 6;
/// Seconds until a job is tried again where the platform refuses the App.
const REFUSED: u64 = 20;
/// How long a process has to end by itself when it is told to.
const GRACE: Duration = Duration::from_secs(3);
/// Lines of a process that are passed on.
const MOST_LINES: usize = 200;
/// Characters of such a line.
const MOST_LINE: u64 = 4_000;
/// Variables of the environment that a process needs for the network and for finding git.
const KEPT: [&str; 12] = [
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "HTTPS_PROXY",
    "https_proxy",
    "NO_PROXY",
    "no_proxy",
    "SYSTEMROOT",
];

/// What all workers share.
pub struct Workshop {
    /// The App.
    pub app: App,
    /// The jobs.
    pub store: Store,
    /// The program that reviews.
    pub program: PathBuf,
    /// Arguments that name the platform.
    pub platform: Vec<String>,
    /// Where folders are made.
    pub scratch: PathBuf,
    /// How long a job may take.
    pub time: Duration,
    /// The numbers.
    pub metrics: Arc<Metrics>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The log.
    pub log: Log,
    /// Set when running jobs are to be returned.
    pub abandon: AtomicBool,
    /// The account of the App, once it is known.
    pub login: OnceLock<String>,
}

/// How a job went.
enum Went {
    Done,
    /// It may go better after so many seconds.
    Again(Option<u64>, String),
    /// The operator has to mend something first; the job is there however long that takes.
    Refused(String),
    /// It will never go better.
    Never(String),
    /// The server stops: the next start does it.
    Returned,
}

impl Workshop {
    /// Works until the store gives no more.
    pub fn work(&self) {
        while let Some(job) = self.store.next(&|| self.clock.now()) {
            let started = Instant::now();
            let number = job.subject.number.to_string();
            let attempt = (job.attempts + 1).to_string();
            let fields = [("repository", job.subject.repository.as_str()), ("pull", &number), ("attempt", &attempt)];
            self.log.info("job begins", &fields);
            let went = self.run(&job);
            let millis = started.elapsed().as_millis().to_string();
            let mut fields = Vec::from(fields);
            fields.push(("milliseconds", &millis));
            let how = match went {
                Went::Done => {
                    self.log.info("job done", &fields);
                    self.store.done(job.seq);
                    Ended::Done
                }
                Went::Returned => {
                    self.log.info("job returned", &fields);
                    Ended::Returned
                }
                Went::Again(wait, why) if job.attempts + 1 < MOST_ATTEMPTS => {
                    let wait = wait.unwrap_or(15 << job.attempts.min(8));
                    let seconds = wait.to_string();
                    fields.extend([("error", why.as_str()), ("again-in", &seconds)]);
                    self.log.warn("job failed, to be tried again", &fields);
                    let not_before = self.clock.now() + wait;
                    self.store.again(Job { attempts: job.attempts + 1, not_before, ..job });
                    Ended::Again
                }
                Went::Refused(why) => {
                    let seconds = REFUSED.to_string();
                    fields.extend([("error", why.as_str()), ("again-in", &seconds)]);
                    self.log.error("the platform refuses the App; its key, its id or the clock is wrong", &fields);
                    self.store.again(Job { not_before: self.clock.now() + REFUSED, ..job });
                    Ended::Again
                }
                Went::Again(_, why) | Went::Never(why) => {
                    fields.push(("error", &why));
                    self.log.error("job given up", &fields);
                    self.store.done(job.seq);
                    Ended::GivenUp
                }
            };
            self.metrics.ended(how, started.elapsed());
        }
    }

    fn run(&self, job: &Job) -> Went {
        let login = match self.login.get() {
            Some(login) => login.clone(),
            None => match self.app.login() {
                Ok(login) => self.login.get_or_init(|| login).clone(),
                Err(error) => return refused(&error),
            },
        };
        let token = match self.app.token(job.subject.installation, job.subject.repository_id) {
            Ok(token) => token,
            Err(error) => return refused(&error),
        };
        self.review(job, &login, &token)
    }

    fn review(&self, job: &Job, login: &str, token: &Secret) -> Went {
        // Its own folder goes with the process where that ends by itself, and with this value where it does not.
        let scratch = match Scratch::new(&self.scratch) {
            Ok(scratch) => scratch,
            Err(error) => return Went::Again(None, format!("no folder can be made in the state folder: {error}")),
        };
        let mut command = Command::new(&self.program);
        command.env_clear();
        for name in KEPT {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        // The token goes by the environment: arguments can be read by everybody on the machine.
        command
            .env("STACKLINT_BOT_TOKEN", token.expose())
            .args(["bot", "review", "--forge", "github", "--supervised"])
            .args(["--repo", &job.subject.repository, "--pr", &job.subject.number.to_string(), "--login", login])
            .args(&self.platform)
            .arg("--scratch")
            .arg(scratch.path())
            .current_dir(scratch.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => return Went::Again(None, format!("the review could not be started: {error}")),
        };
        let stderr = child.stderr.take();
        let (status, last) = std::thread::scope(|scope| {
            let lines = scope.spawn(move || stderr.map(|e| self.pass_on(e)).unwrap_or_default());
            let status = self.wait(&mut child);
            (status, lines.join().unwrap_or_default())
        });
        let Some(status) = status else {
            if self.abandon.load(Ordering::Relaxed) {
                return Went::Returned;
            }
            // What takes too long once takes too long again.
            return Went::Never(format!("it took longer than {} seconds", self.time.as_secs()));
        };
        match status.code() {
            Some(code) if code == i32::from(exit::CLEAN) || code == i32::from(exit::FINDINGS) => Went::Done,
            Some(code) if code == i32::from(exit::AGAIN) => {
                let wait = last.strip_prefix("again-in=").and_then(|s| s.parse().ok());
                Went::Again(wait, "the platform asks to come back later".to_owned())
            }
            Some(_) => Went::Never(last),
            None => Went::Again(None, "the review was killed, perhaps for want of memory".to_owned()),
        }
    }

    /// Passes lines of the process on to the log, and gives the last one back.
    fn pass_on(&self, stderr: impl Read) -> String {
        let mut reader = BufReader::new(stderr);
        let mut last = String::new();
        for n in 0.. {
            let mut line = Vec::new();
            match reader.by_ref().take(MOST_LINE).read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => break,
                Ok(_) => {}
            }
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            if n < MOST_LINES && !line.is_empty() {
                self.log.info("review", &[("says", &line)]);
            }
            last = line;
        }
        last
    }

    /// Waits for the end; `None` where it had to be ended.
    fn wait(&self, child: &mut Child) -> Option<ExitStatus> {
        let end = Instant::now() + self.time;
        loop {
            match child.try_wait() {
                Ok(Some(status)) => return Some(status),
                Ok(None) if Instant::now() < end && !self.abandon.load(Ordering::Relaxed) => {}
                Ok(None) | Err(_) => break,
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        // The end of its standard input tells it to end itself and what it started.
        drop(child.stdin.take());
        let end = Instant::now() + GRACE;
        while Instant::now() < end {
            if !matches!(child.try_wait(), Ok(None)) {
                return None;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = child.kill();
        let _ = child.wait();
        None
    }
}

fn refused(error: &ForgeError) -> Went {
    match error {
        ForgeError::Busy { wait, .. } => Went::Again(Some(wait.as_secs()), error.to_string()),
        ForgeError::Broken { .. } => Went::Again(None, error.to_string()),
        ForgeError::Refused { status: 401, .. } => Went::Refused(error.to_string()),
        ForgeError::Refused { .. } | ForgeError::Unexpected(_) => Went::Never(error.to_string()),
    }
}
