//! What must outlive the process: deliveries that were accepted and jobs that are not done. One thread owns the file and commits what
//! arrived meanwhile together, so that a burst costs a few writes to the disk and an answer of "accepted" is true even if the power
//! goes the moment after.

use super::event::Subject;
use super::queue::{Job, Queue};
use redb::{Database, Durability, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Jobs by their place in the order of arrival.
const JOBS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("jobs");
/// Identities of deliveries (`d:` and GitHub's id, `b:` and the digest of the body) with the time they came.
const SEEN: TableDefinition<'_, &str, u64> = TableDefinition::new("seen");
/// The same by time, so that the oldest can go.
const SEEN_BY_TIME: TableDefinition<'_, (u64, &str), ()> = TableDefinition::new("seen-by-time");
/// Numbers that go on: `next` job.
const NUMBERS: TableDefinition<'_, &str, u64> = TableDefinition::new("numbers");

/// GitHub lets one send a delivery again for three days.
const REMEMBERED_SECONDS: u64 = 7 * 24 * 3600;
/// Identities that are kept at most, some fifty megabytes.
const MOST_REMEMBERED: u64 = 500_000;
/// Requests that wait for the thread; whoever comes then is told to come back.
const MOST_REQUESTS: usize = 2_048;
/// Requests that are committed together.
const BATCH: usize = 512;

/// What became of a delivery.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Accepted {
    /// It is on the disk: so many jobs are new, so many took the place of an older one.
    Queued {
        /// Jobs that are new.
        new: usize,
        /// Jobs that replaced one.
        coalesced: usize,
    },
    /// It, or one with the same body, was here before.
    Duplicate,
    /// There is no room for another job now.
    Full,
    /// The disk refused.
    Failed(String),
}

/// A delivery whose work is to be kept.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// What it is known by; if any of them is known, it is a duplicate.
    pub identities: Vec<String>,
    /// What it asks to look at.
    pub review: Vec<Subject>,
    /// What need not be looked at any more.
    pub forget: Forget,
    /// When it came.
    pub now: u64,
}

/// Jobs that are not needed any more.
#[derive(Clone, Debug, Default)]
pub enum Forget {
    /// None.
    #[default]
    Nothing,
    /// That of a pull request which was closed.
    Subject(Subject),
    /// Those of an installation.
    Installation(u64),
}

type Answer = Box<dyn FnOnce(Accepted) + Send>;

enum Request {
    Accept(Delivery, Answer),
    Done(u64),
    Again(Job),
}

/// The durable queue.
#[derive(Clone)]
pub struct Store {
    requests: SyncSender<Request>,
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    queue: Queue,
    stopping: bool,
}

impl Store {
    /// Opens the file, makes it where it is not there, and takes up the jobs in it.
    ///
    /// # Errors
    /// A sentence: the file is another's, is used by another process, or cannot be written.
    pub fn open(path: &Path, most_waiting: usize) -> Result<Store, String> {
        let wrong = |e: &dyn std::fmt::Display| format!("cannot use `{}` as the bot's store: {e}", path.display());
        let database = Database::create(path).map_err(|e| wrong(&e))?;
        let jobs = prepare(&database).map_err(|e| wrong(&e))?;
        let shared = Arc::new(Shared { state: Mutex::default(), changed: Condvar::new() });
        let store = Store { shared, requests: sync_channel(0).0 };
        for job in jobs {
            store.lock().queue.push(job);
        }
        let (requests, incoming) = sync_channel(MOST_REQUESTS);
        let shared = store.shared.clone();
        std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || serve(&database, &incoming, &shared, most_waiting))
            .map_err(|e| wrong(&e))?;
        Ok(Store { requests, ..store })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands a delivery over; `answer` is called when it is on the disk. The answer is [`Accepted::Full`] at once where too much waits.
    pub fn accept(&self, delivery: Delivery, answer: Answer) {
        use std::sync::mpsc::TrySendError;
        if let Err(
            TrySendError::Full(Request::Accept(_, answer)) | TrySendError::Disconnected(Request::Accept(_, answer)),
        ) = self.requests.try_send(Request::Accept(delivery, answer))
        {
            answer(Accepted::Full);
        }
    }

    /// Waits for a job; `None` when the process stops.
    pub fn next(&self, now: &dyn Fn() -> u64) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if state.stopping {
                return None;
            }
            let time = now();
            if let Some(job) = state.queue.next(time) {
                return Some(job);
            }
            let wait = state.queue.next_time(time).map_or(60, |t| t - time).clamp(1, 60);
            let waited = self.shared.changed.wait_timeout(state, Duration::from_secs(wait));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// A job is done, for better or worse.
    pub fn done(&self, seq: u64) {
        let _ = self.requests.send(Request::Done(seq));
    }

    /// A job is to be tried again, as the fields say.
    pub fn again(&self, job: Job) {
        let _ = self.requests.send(Request::Again(job));
    }

    /// Gives out no more jobs. Those that wait are there after the next start.
    pub fn stop(&self) {
        self.lock().stopping = true;
        self.shared.changed.notify_all();
    }

    /// Waits until everything that was handed over is on the disk.
    pub fn settle(&self) {
        let (sender, receiver) = sync_channel(1);
        let nothing = Delivery { identities: Vec::new(), review: Vec::new(), forget: Forget::Nothing, now: 0 };
        let answer: Answer = Box::new(move |_| {
            let _ = sender.send(());
        });
        if self.requests.send(Request::Accept(nothing, answer)).is_ok() {
            let _ = receiver.recv();
        }
    }

    /// How many jobs wait and how many run.
    pub fn depth(&self) -> (usize, usize) {
        let state = self.lock();
        (state.queue.waiting(), state.queue.running())
    }
}

/// Makes the tables and reads the jobs.
fn prepare(database: &Database) -> Result<Vec<Job>, redb::Error> {
    let write = database.begin_write()?;
    write.open_table(JOBS)?;
    write.open_table(SEEN)?;
    write.open_table(SEEN_BY_TIME)?;
    write.open_table(NUMBERS)?;
    write.commit()?;
    let read = database.begin_read()?;
    let table = read.open_table(JOBS)?;
    let mut jobs: Vec<Job> = Vec::new();
    for entry in table.iter()? {
        let (_, value) = entry?;
        // What another version wrote and this one cannot read is left alone.
        if let Ok(job) = serde_json::from_slice::<Job>(value.value()) {
            // Of two for one pull request, which only a crash in between can leave, the later one counts.
            jobs.retain(|j| (&j.subject.repository, j.subject.number) != (&job.subject.repository, job.subject.number));
            jobs.push(job);
        }
    }
    Ok(jobs)
}

/// What a committed batch does to the queue in memory.
enum Effect {
    Push(Job),
    Remove(u64),
    Finish(u64),
}

fn serve(database: &Database, incoming: &Receiver<Request>, shared: &Shared, most_waiting: usize) {
    while let Ok(first) = incoming.recv() {
        let mut batch = vec![first];
        while batch.len() < BATCH {
            match incoming.try_recv() {
                Ok(request) => batch.push(request),
                Err(_) => break,
            }
        }
        // The lock is held while the batch is planned and written: the queue in memory is never ahead of the disk, so no job runs that
        // a crash would forget.
        let mut state = shared.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut answers: Vec<(Answer, Accepted)> = Vec::new();
        let mut settled = Vec::new();
        let written = commit(database, batch, &mut state.queue, most_waiting, &mut answers, &mut settled);
        drop(state);
        shared.changed.notify_all();
        for (answer, accepted) in answers {
            answer(match &written {
                Ok(()) => accepted,
                Err(error) => Accepted::Failed(error.to_string()),
            });
        }
    }
}

fn commit(
    database: &Database,
    batch: Vec<Request>,
    queue: &mut Queue,
    most_waiting: usize,
    answers: &mut Vec<(Answer, Accepted)>,
    effects: &mut Vec<Effect>,
) -> Result<(), redb::Error> {
    let result = write(database, batch, queue, most_waiting, answers, effects);
    match &result {
        Ok(()) => {}
        // What ran is over even if the disk did not take note: the next start does it again, which changes nothing.
        Err(_) => effects.retain(|e| matches!(e, Effect::Finish(_))),
    }
    for effect in effects.drain(..) {
        match effect {
            Effect::Push(job) => queue.push(job),
            Effect::Remove(seq) => drop(queue.remove(seq)),
            Effect::Finish(seq) => queue.done(seq),
        }
    }
    result
}

fn write(
    database: &Database,
    batch: Vec<Request>,
    queue: &Queue,
    most_waiting: usize,
    answers: &mut Vec<(Answer, Accepted)>,
    effects: &mut Vec<Effect>,
) -> Result<(), redb::Error> {
    // The batch's own view of what waits: the queue itself changes only when all is on the disk.
    let mut fresh: std::collections::BTreeMap<(String, u64), u64> = std::collections::BTreeMap::new();
    let mut removed: std::collections::BTreeSet<u64> = std::collections::BTreeSet::new();
    let mut waiting = queue.waiting();
    // Answers first, so that every caller hears of a failure.
    let mut requests = Vec::with_capacity(batch.len());
    for request in batch {
        match request {
            Request::Accept(delivery, answer) => {
                requests.push((Some((delivery, answers.len())), None));
                answers.push((answer, Accepted::Failed(String::new())));
            }
            Request::Done(seq) => {
                effects.push(Effect::Finish(seq));
                requests.push((None, Some(Request::Done(seq))));
            }
            Request::Again(job) => {
                effects.push(Effect::Finish(job.seq));
                requests.push((None, Some(Request::Again(job))));
            }
        }
    }
    let mut transaction = database.begin_write()?;
    transaction.set_durability(Durability::Immediate)?;
    {
        let mut jobs = transaction.open_table(JOBS)?;
        let mut seen = transaction.open_table(SEEN)?;
        let mut by_time = transaction.open_table(SEEN_BY_TIME)?;
        let mut numbers = transaction.open_table(NUMBERS)?;
        let mut next = numbers.get("next")?.map_or(1, |n| n.value());
        for (accept, other) in requests {
            match other {
                Some(Request::Done(seq)) => {
                    jobs.remove(seq)?;
                }
                Some(Request::Again(job)) => {
                    // A newer event for the same pull request has come meanwhile: it does what this one would.
                    let key = (job.subject.repository.clone(), job.subject.number);
                    if queue.same(&job.subject).is_some_and(|s| !removed.contains(&s)) || fresh.contains_key(&key) {
                        jobs.remove(job.seq)?;
                    } else {
                        jobs.insert(job.seq, serde_json::to_vec(&job).unwrap_or_default().as_slice())?;
                        fresh.insert(key, job.seq);
                        waiting += 1;
                        effects.push(Effect::Push(job));
                    }
                }
                _ => {}
            }
            let Some((delivery, answer)) = accept else { continue };
            let mut known = false;
            for identity in &delivery.identities {
                known |= seen.get(identity.as_str())?.is_some();
            }
            let accepted = if known {
                Accepted::Duplicate
            } else if waiting + delivery.review.len() > most_waiting && !delivery.review.is_empty() {
                Accepted::Full
            } else {
                for identity in &delivery.identities {
                    seen.insert(identity.as_str(), delivery.now)?;
                    by_time.insert((delivery.now, identity.as_str()), ())?;
                }
                let gone: Vec<u64> = match &delivery.forget {
                    Forget::Nothing => Vec::new(),
                    Forget::Subject(s) => queue.same(s).into_iter().collect(),
                    Forget::Installation(id) => queue.find(|s| s.installation == *id),
                };
                for seq in gone {
                    if removed.insert(seq) {
                        jobs.remove(seq)?;
                        effects.push(Effect::Remove(seq));
                        waiting = waiting.saturating_sub(1);
                    }
                }
                if let Forget::Subject(s) = &delivery.forget
                    && let Some(seq) = fresh.remove(&(s.repository.clone(), s.number))
                {
                    jobs.remove(seq)?;
                    effects.push(Effect::Remove(seq));
                    waiting = waiting.saturating_sub(1);
                }
                let (mut new, mut coalesced) = (0, 0);
                for subject in delivery.review {
                    let key = (subject.repository.clone(), subject.number);
                    if fresh.contains_key(&key) || queue.same(&subject).is_some_and(|s| !removed.contains(&s)) {
                        // A job looks at its pull request as it is when its turn comes: the one that waits will see this too.
                        coalesced += 1;
                        continue;
                    }
                    let job = Job { seq: next, subject, attempts: 0, not_before: 0 };
                    next += 1;
                    jobs.insert(job.seq, serde_json::to_vec(&job).unwrap_or_default().as_slice())?;
                    fresh.insert(key, job.seq);
                    effects.push(Effect::Push(job));
                    waiting += 1;
                    new += 1;
                }
                forget_old(&mut seen, &mut by_time, delivery.now)?;
                Accepted::Queued { new, coalesced }
            };
            if let Some(slot) = answers.get_mut(answer) {
                slot.1 = accepted;
            }
        }
        numbers.insert("next", next)?;
    }
    transaction.commit()?;
    Ok(())
}

type Seen<'a> = redb::Table<'a, &'static str, u64>;
type ByTime<'a> = redb::Table<'a, (u64, &'static str), ()>;

/// Identities go when GitHub would not send them again, or when there are too many.
fn forget_old(seen: &mut Seen<'_>, by_time: &mut ByTime<'_>, now: u64) -> Result<(), redb::Error> {
    for _ in 0..4 {
        let oldest = by_time.first()?.map(|(k, _)| (k.value().0, k.value().1.to_owned()));
        let Some((time, identity)) = oldest else { break };
        if time + REMEMBERED_SECONDS > now && by_time.len()? <= MOST_REMEMBERED {
            break;
        }
        by_time.remove((time, identity.as_str()))?;
        seen.remove(identity.as_str())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct File(std::path::PathBuf);

    impl Drop for File {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }

    fn file(name: &str) -> File {
        let path = std::env::temp_dir().join(format!("stacklint-store-{name}-{}.redb", std::process::id()));
        let _ = std::fs::remove_file(&path);
        File(path)
    }

    fn subject(repository: &str, number: u64) -> Subject {
        Subject { repository: repository.into(), number, installation: 5, repository_id: 1 }
    }

    fn accept(store: &Store, id: &str, review: Vec<Subject>, forget: Forget) -> Accepted {
        let (sender, receiver) = sync_channel(1);
        let delivery = Delivery { identities: vec![id.to_owned()], review, forget, now: 100 };
        store.accept(delivery, Box::new(move |a| drop(sender.send(a))));
        receiver.recv().unwrap()
    }

    #[test]
    fn jobs_outlive_the_process() {
        let file = file("outlive");
        let store = Store::open(&file.0, 100).unwrap();
        let queued = |new, coalesced| Accepted::Queued { new, coalesced };
        assert_eq!(accept(&store, "1", vec![subject("o/a", 1)], Forget::Nothing), queued(1, 0));
        assert_eq!(accept(&store, "1", vec![subject("o/a", 1)], Forget::Nothing), Accepted::Duplicate);
        assert_eq!(accept(&store, "2", vec![subject("o/a", 1), subject("o/b", 1)], Forget::Nothing), queued(1, 1));
        assert_eq!(accept(&store, "3", vec![subject("o/c", 1)], Forget::Nothing), queued(1, 0));
        assert_eq!(accept(&store, "4", Vec::new(), Forget::Subject(subject("o/c", 1))), queued(0, 0));
        let first = store.next(&|| 100).unwrap();
        assert_eq!(first.subject, subject("o/a", 1));
        store.done(first.seq);
        let second = store.next(&|| 100).unwrap();
        // Running when the process ends: it is there again afterwards.
        assert_eq!(second.subject, subject("o/b", 1));
        store.settle();
        assert_eq!(store.depth(), (0, 1));
        drop(store);
        let store = reopen(&file.0);
        assert_eq!(store.depth(), (1, 0));
        assert_eq!(accept(&store, "2", vec![subject("o/b", 1)], Forget::Nothing), Accepted::Duplicate);
        let again = store.next(&|| 100).unwrap();
        assert_eq!(again.subject, subject("o/b", 1));
        store.again(Job { attempts: 1, not_before: 150, ..again });
        store.settle();
        assert_eq!(store.depth(), (1, 0));
        assert_eq!(store.next(&|| 150).map(|j| j.attempts), Some(1));
    }

    /// The thread of a store that was dropped may need a moment to let the file go.
    fn reopen(path: &Path) -> Store {
        for _ in 0..200 {
            if let Ok(store) = Store::open(path, 100) {
                return store;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the file stays locked");
    }

    #[test]
    fn too_much_is_refused_and_what_is_gone_makes_room() {
        let file = file("full");
        let store = Store::open(&file.0, 2).unwrap();
        assert!(matches!(
            accept(&store, "1", vec![subject("o/a", 1), subject("o/a", 2)], Forget::Nothing),
            Accepted::Queued { .. }
        ));
        assert_eq!(accept(&store, "2", vec![subject("o/a", 3)], Forget::Nothing), Accepted::Full);
        // What was refused is not remembered as seen.
        assert!(matches!(accept(&store, "3", Vec::new(), Forget::Installation(5)), Accepted::Queued { .. }));
        assert!(matches!(accept(&store, "2", vec![subject("o/a", 3)], Forget::Nothing), Accepted::Queued { .. }));
        assert_eq!(store.depth(), (1, 0));
        store.stop();
        assert_eq!(store.next(&|| 100), None);
    }

    #[test]
    fn a_file_of_something_else_is_refused() {
        let file = file("other");
        crate::load::write(&file.0, b"this is no database, and it is long enough to be looked at as one").unwrap();
        assert!(Store::open(&file.0, 2).is_err_and(|e| e.contains("cannot use")));
    }
}
