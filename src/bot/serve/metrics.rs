//! Numbers for Prometheus. No label holds a name from outside, so their number is fixed.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What becomes of a delivery.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the words in `DELIVERIES` say it")]
pub enum Delivered {
    Accepted,
    Ignored,
    Duplicate,
    Unsigned,
    Malformed,
    TooLarge,
    TooSlow,
    Full,
    Failed,
}

const DELIVERIES: [&str; 9] =
    ["accepted", "ignored", "duplicate", "unsigned", "malformed", "too-large", "too-slow", "full", "failed"];

/// How a job ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the words in `JOBS` say it")]
pub enum Ended {
    Done,
    Again,
    GivenUp,
    Returned,
}

const JOBS: [&str; 4] = ["done", "again", "given-up", "returned"];

/// The counters of a process.
#[derive(Debug, Default)]
pub struct Metrics {
    deliveries: [AtomicU64; 9],
    jobs: [AtomicU64; 4],
    job_millis: AtomicU64,
}

impl Metrics {
    /// Counts a delivery.
    pub fn delivered(&self, what: Delivered) {
        if let Some(n) = self.deliveries.get(what as usize) {
            n.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts a job.
    pub fn ended(&self, how: Ended, after: Duration) {
        if let Some(n) = self.jobs.get(how as usize) {
            n.fetch_add(1, Ordering::Relaxed);
        }
        self.job_millis.fetch_add(u64::try_from(after.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// All of them in Prometheus' text format; `depth` is how many jobs wait and how many run.
    pub fn render(&self, depth: (usize, usize)) -> String {
        let mut out = String::new();
        let mut family = |name: &str, kind: &str, help: &str, rows: Vec<(String, String)>| {
            let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
            for (labels, value) in rows {
                let _ = writeln!(out, "{name}{labels} {value}");
            }
        };
        let counted = |label: &str, words: &[&str], numbers: &[AtomicU64]| -> Vec<(String, String)> {
            words
                .iter()
                .zip(numbers)
                .map(|(w, n)| (format!("{{{label}=\"{w}\"}}"), n.load(Ordering::Relaxed).to_string()))
                .collect()
        };
        family(
            "stacklint_bot_deliveries_total",
            "counter",
            "Webhook deliveries by what became of them.",
            counted("result", &DELIVERIES, &self.deliveries),
        );
        let jobs = counted("result", &JOBS, &self.jobs);
        family("stacklint_bot_jobs_total", "counter", "Jobs by how they ended.", jobs);
        let seconds = Duration::from_millis(self.job_millis.load(Ordering::Relaxed)).as_secs_f64();
        family(
            "stacklint_bot_job_seconds_total",
            "counter",
            "Time that jobs took.",
            vec![(String::new(), seconds.to_string())],
        );
        family(
            "stacklint_bot_queue_jobs",
            "gauge",
            "Jobs in the queue.",
            vec![
                ("{state=\"waiting\"}".into(), depth.0.to_string()),
                ("{state=\"running\"}".into(), depth.1.to_string()),
            ],
        );
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_written_as_prometheus_reads_them() {
        let metrics = Metrics::default();
        metrics.delivered(Delivered::Failed);
        metrics.ended(Ended::Returned, Duration::from_millis(1_500));
        let text = metrics.render((3, 1));
        for line in [
            "stacklint_bot_deliveries_total{result=\"failed\"} 1",
            "stacklint_bot_deliveries_total{result=\"accepted\"} 0",
            "stacklint_bot_jobs_total{result=\"returned\"} 1",
            "stacklint_bot_job_seconds_total 1.5",
            "stacklint_bot_queue_jobs{state=\"waiting\"} 3",
            "# TYPE stacklint_bot_queue_jobs gauge",
        ] {
            assert!(text.lines().any(|l| l == line), "{line}\n{text}");
        }
    }
}
