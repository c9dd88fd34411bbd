//! The thread that checks. It always works on the newest state: what became stale before it was begun is skipped, what
//! becomes stale under way is cancelled.

use crate::analysis::{CancelToken, Report, Scope, Snapshot};
use crossbeam_channel::{Receiver, Sender, unbounded};
use std::sync::Arc;

/// A state to check.
pub struct Job {
    /// Counts the changes of the session; a result is current if its generation is.
    pub generation: u64,
    /// The state.
    pub snapshot: Snapshot,
    /// Triggered when the state is stale.
    pub cancel: CancelToken,
}

/// What a state of the workspace comes to.
#[derive(Clone)]
pub struct Checked {
    /// The generation of the job.
    pub generation: u64,
    /// The findings and the graph.
    pub report: Arc<Report>,
    /// The state that was checked: fixes are tried on a copy of it.
    pub snapshot: Snapshot,
}

/// How a job ended.
pub struct Ended {
    /// The generation of the job.
    pub generation: u64,
    /// What it came to; `None` where it was cancelled, or where the analysis itself broke.
    pub checked: Option<Checked>,
}

/// The other end of the thread.
pub struct Checker {
    jobs: Sender<Job>,
    /// How the jobs ended, in their order. Jobs that were stale before they were begun are not among them.
    pub results: Receiver<Ended>,
}

impl Checker {
    /// Starts the thread. It ends when this value is dropped.
    pub fn start() -> Checker {
        let (jobs, todo) = unbounded::<Job>();
        let (done, results) = unbounded();
        std::thread::spawn(move || {
            while let Ok(first) = todo.recv() {
                let job = todo.try_iter().last().unwrap_or(first);
                if done.send(Ended { generation: job.generation, checked: run(&job) }).is_err() {
                    break;
                }
            }
        });
        Checker { jobs, results }
    }

    /// Hands a state over. Nothing happens once the thread has ended.
    pub fn submit(&self, job: Job) {
        let _ = self.jobs.send(job);
    }
}

/// Checks a state; `None` where it was cancelled. A step of the analysis that breaks is a failure in the report, so a panic
/// here would be one of the analysis itself; it costs this result alone.
fn run(job: &Job) -> Option<Checked> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let report = job.snapshot.check(&Scope::All, &job.cancel).ok()?;
        Some(Checked { generation: job.generation, report: Arc::new(report), snapshot: job.snapshot.clone() })
    }))
    .ok()
    .flatten()
}
