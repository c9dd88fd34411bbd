//! Keeping one broken step from ending the run, and letting a run be called off.

use super::Failure;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Whether the current thread is inside `guard`: then a panic becomes a [`Failure`], and a panic hook need not
/// print it.
pub fn is_guarded() -> bool {
    GUARDED.with(Cell::get)
}

/// Runs a step; a panic in it becomes a failure entry.
pub(super) fn guard<T>(
    step: &'static str,
    subject: impl FnOnce() -> String,
    work: impl FnOnce() -> T,
) -> Result<T, Failure> {
    let before = GUARDED.with(|g| g.replace(true));
    let result = catch_unwind(AssertUnwindSafe(work));
    GUARDED.with(|g| g.set(before));
    result.map_err(|payload| {
        let message = payload
            .downcast_ref::<&str>()
            .map(|s| (*s).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "unknown panic".to_owned());
        Failure { step, subject: subject(), message }
    })
}

/// Calls a check off from another thread. Clones share the flag.
#[derive(Clone, Debug, Default)]
pub struct CancelToken(Arc<AtomicBool>);

impl CancelToken {
    /// A token that nobody has cancelled yet.
    pub fn new() -> CancelToken {
        CancelToken::default()
    }

    /// Asks every check that holds this token to stop soon.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether somebody asked.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// For `?` between two steps.
    pub(super) fn check(&self) -> Result<(), Cancelled> {
        if self.is_cancelled() { Err(Cancelled) } else { Ok(()) }
    }
}

/// The check was called off; there is no report.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cancelled;

impl std::fmt::Display for Cancelled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the check was called off")
    }
}

impl std::error::Error for Cancelled {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_failure_that_names_its_subject() {
        assert_eq!(guard("parse", || "a.tf".into(), || 1 + 1), Ok(2));
        let failure = guard::<()>("parse", || "a.tf".into(), || std::panic::panic_any("out of paper"));
        assert_eq!(failure, Err(Failure { step: "parse", subject: "a.tf".into(), message: "out of paper".into() }));
        assert!(!is_guarded());
    }
}
