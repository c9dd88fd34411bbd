//! What is to be done next: at most one job of a repository at a time, in the order of arrival, and a newer event for a pull request
//! that still waits takes the older one's place. The pure half of the queue; [`store`](super::store) is the half that lasts.

use super::event::Subject;
use std::collections::{BTreeMap, BTreeSet};

/// A job, and how often it was tried.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Job {
    /// Its place in the order of arrival.
    pub seq: u64,
    /// What to look at.
    pub subject: Subject,
    /// How often it failed.
    pub attempts: u32,
    /// Seconds since 1970 before which it is not tried again.
    pub not_before: u64,
}

/// Jobs that wait, and those that run.
#[derive(Debug, Default)]
pub struct Queue {
    waiting: BTreeMap<u64, Job>,
    /// The job that waits for a pull request.
    by_subject: BTreeMap<(String, u64), u64>,
    running: BTreeMap<u64, Subject>,
    busy: BTreeSet<String>,
}

impl Queue {
    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// How many run.
    pub fn running(&self) -> usize {
        self.running.len()
    }

    /// The job that waits for the same pull request, whose place a new one would take.
    pub fn same(&self, subject: &Subject) -> Option<u64> {
        self.by_subject.get(&key(subject)).copied()
    }

    /// Takes a job in. One that waits for the same pull request must be gone.
    pub fn push(&mut self, job: Job) {
        self.by_subject.insert(key(&job.subject), job.seq);
        self.waiting.insert(job.seq, job);
    }

    /// Takes a job out that waits.
    pub fn remove(&mut self, seq: u64) -> Option<Job> {
        let job = self.waiting.remove(&seq)?;
        self.by_subject.remove(&key(&job.subject));
        Some(job)
    }

    /// Those that wait and answer to a description.
    pub fn find(&self, wanted: impl Fn(&Subject) -> bool) -> Vec<u64> {
        self.waiting.values().filter(|j| wanted(&j.subject)).map(|j| j.seq).collect()
    }

    /// The next job that may run, which from now on does.
    pub fn next(&mut self, now: u64) -> Option<Job> {
        // A job that has to wait a while holds up those of its repository that came later only if it is for the same pull request,
        // and of these there is none.
        let seq =
            *self.waiting.iter().find(|(_, j)| j.not_before <= now && !self.busy.contains(&j.subject.repository))?.0;
        let job = self.remove(seq)?;
        self.busy.insert(job.subject.repository.clone());
        self.running.insert(seq, job.subject.clone());
        Some(job)
    }

    /// When the first job that only waits for its time may run; `None` where none does.
    pub fn next_time(&self, now: u64) -> Option<u64> {
        self.waiting.values().map(|j| j.not_before).filter(|t| *t > now).min()
    }

    /// A job that ran does so no more.
    pub fn done(&mut self, seq: u64) {
        if let Some(subject) = self.running.remove(&seq) {
            self.busy.remove(&subject.repository);
        }
    }
}

fn key(subject: &Subject) -> (String, u64) {
    (subject.repository.clone(), subject.number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(seq: u64, repository: &str, number: u64) -> Job {
        let subject = Subject { repository: repository.into(), number, installation: 1, repository_id: 1 };
        Job { seq, subject, attempts: 0, not_before: 0 }
    }

    #[test]
    fn a_repository_has_one_job_at_a_time_in_order() {
        let mut queue = Queue::default();
        for (seq, repository, number) in [(1, "o/a", 1), (2, "o/a", 2), (3, "o/b", 1)] {
            queue.push(job(seq, repository, number));
        }
        let order = |queue: &mut Queue| queue.next(0).map(|j| j.seq);
        assert_eq!(order(&mut queue), Some(1));
        assert_eq!(order(&mut queue), Some(3), "the first repository is busy");
        assert_eq!(order(&mut queue), None);
        queue.done(1);
        assert_eq!(order(&mut queue), Some(2));
        assert_eq!((queue.waiting(), queue.running()), (0, 2));
    }

    #[test]
    fn a_waiting_job_gives_way_and_a_running_one_does_not() {
        let mut queue = Queue::default();
        queue.push(job(1, "o/a", 1));
        assert_eq!(queue.same(&job(9, "o/a", 1).subject), Some(1));
        assert_eq!(queue.same(&job(9, "o/a", 2).subject), None);
        assert!(queue.next(0).is_some());
        assert_eq!(queue.same(&job(9, "o/a", 1).subject), None, "what runs may have looked already");
        queue.push(job(2, "o/a", 1));
        assert!(queue.next(0).is_none());
        queue.done(1);
        assert_eq!(queue.next(0).map(|j| j.seq), Some(2));
    }

    #[test]
    fn a_job_waits_for_its_time() {
        let mut queue = Queue::default();
        queue.push(Job { not_before: 50, ..job(1, "o/a", 1) });
        queue.push(job(2, "o/a", 2));
        assert_eq!(queue.next(10).map(|j| j.seq), Some(2));
        queue.done(2);
        assert_eq!((queue.next(10), queue.next_time(10)), (None, Some(50)));
        assert_eq!(queue.next(50).map(|j| j.seq), Some(1));
        assert_eq!(queue.find(|_| true), Vec::<u64>::new());
    }
}
