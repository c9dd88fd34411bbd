//! Contents of files by the ids of their objects.

use super::GitError;
use super::command::command;
use crate::load::MAX_FILE_BYTES;
use crate::load::read::{Unreadable, to_text, too_large};
use sha1::Digest as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

/// Why an object gives no text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum NoText {
    /// It is no text, or too much of it.
    Unreadable(Unreadable),
    /// It was left out when the repository was cloned.
    Missing,
}

/// The objects of one repository. A process is started when the first is asked for, and ended with this value.
#[derive(Debug)]
pub(super) struct Objects {
    folder: PathBuf,
    process: Mutex<Option<Batch>>,
}

#[derive(Debug)]
struct Batch {
    child: Child,
    /// Taken while another thread writes.
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Drop for Batch {
    fn drop(&mut self) {
        drop(self.requests.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Objects {
    pub fn new(folder: &Path) -> Objects {
        Objects { folder: folder.to_path_buf(), process: Mutex::new(None) }
    }

    /// The texts of objects, in order.
    pub fn texts(&self, ids: &[&str]) -> Result<Vec<Result<Arc<str>, NoText>>, GitError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut guard = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        let batch = match &mut *guard {
            Some(batch) => batch,
            none => none.insert(self.start()?),
        };
        let Some(mut requests) = batch.requests.take() else { return Err(broken("the process has ended")) };
        let answers = &mut batch.answers;
        let (requests, texts) = std::thread::scope(|scope| {
            // Requests and answers flow at once: a full pipe on one side would block the other.
            let writer = scope.spawn(move || {
                let mut lines = String::with_capacity(ids.len() * 41);
                for id in ids {
                    lines.push_str(id);
                    lines.push('\n');
                }
                let written = requests.write_all(lines.as_bytes()).and_then(|()| requests.flush());
                (requests, written)
            });
            let texts: Result<Vec<_>, GitError> = ids.iter().map(|_| answer(answers)).collect();
            (writer.join(), texts)
        });
        if let Ok((requests, _)) = requests {
            batch.requests = Some(requests);
        }
        if texts.is_err() {
            *guard = None;
        }
        texts
    }

    fn start(&self) -> Result<Batch, GitError> {
        let mut child = command(&self.folder)
            .args(["cat-file", "--batch"])
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(GitError::of_start)?;
        let requests = child.stdin.take();
        let Some(answers) = child.stdout.take() else { return Err(broken("it gives no output")) };
        Ok(Batch { child, requests, answers: BufReader::with_capacity(1 << 16, answers) })
    }
}

fn broken(reason: impl ToString) -> GitError {
    GitError::Failed("cat-file", reason.to_string())
}

/// One answer: `<id> blob <size>`, a line break, the bytes, a line break; or `<id> missing`.
fn answer(from: &mut BufReader<ChildStdout>) -> Result<Result<Arc<str>, NoText>, GitError> {
    let mut head = String::new();
    from.by_ref().take(4096).read_line(&mut head).map_err(broken)?;
    let mut words = head.split_ascii_whitespace().skip(1);
    let (kind, size) = (words.next(), words.next().and_then(|n| n.parse::<u64>().ok()));
    let (Some(_), Some(size)) = (kind, size) else {
        return match kind {
            Some("missing") => Ok(Err(NoText::Missing)),
            _ => Err(broken("it ended early")),
        };
    };
    let text = if size > MAX_FILE_BYTES {
        std::io::copy(&mut from.by_ref().take(size), &mut std::io::sink()).map_err(broken)?;
        Err(NoText::Unreadable(too_large()))
    } else {
        let mut bytes = vec![0; usize::try_from(size).unwrap_or(0)];
        from.read_exact(&mut bytes).map_err(broken)?;
        to_text(bytes).map_err(NoText::Unreadable)
    };
    let mut end = [0];
    from.read_exact(&mut end).map_err(broken)?;
    Ok(text)
}

/// Whether a text is the content of the object of an id, in a repository of either kind of hash.
pub(super) fn is_object(text: &str, id: &str) -> bool {
    fn hex(bytes: &[u8]) -> String {
        data_encoding::HEXLOWER.encode(bytes)
    }
    let head = format!("blob {}\0", text.len());
    match id.len() {
        40 => hex(&sha1::Sha1::new().chain_update(&head).chain_update(text).finalize()) == id,
        64 => hex(&sha2::Sha256::new().chain_update(&head).chain_update(text).finalize()) == id,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_known_by_its_id() {
        // `git hash-object` of a file that holds `hello` and a line break.
        assert!(is_object("hello\n", "ce013625030ba8dba906f756967f9e9ca394464a"));
        assert!(is_object("hello\n", "2cf8d83d9ee29543b34a87727421fdecb7e3f3a183d337639025de576db9ebb4"));
        assert!(!is_object("hello", "ce013625030ba8dba906f756967f9e9ca394464a"));
    }
}
