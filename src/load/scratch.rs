//! Folders for the time of a job: private, bounded by whoever asks for their size, and removed in any case.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// What the names of such folders begin with.
const PREFIX: &str = "stacklint-job-";

/// An empty folder that goes with its value.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// Makes one below a folder, which is made too where it is not there. Nobody else may look into it.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn new(parent: &Path) -> std::io::Result<Scratch> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        std::fs::create_dir_all(parent)?;
        for _ in 0..100 {
            let n = COUNT.fetch_add(1, Ordering::Relaxed);
            let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_nanos());
            let path = parent.join(format!("{PREFIX}{}-{n}-{now:x}", std::process::id()));
            // What is there already was made by somebody else, who may have prepared it.
            match private(&path) {
                Ok(()) => return Ok(Scratch { path }),
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(e),
            }
        }
        Err(std::io::ErrorKind::AlreadyExists.into())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes what folders of a program that was killed left below a folder, and says how many there were.
    pub fn sweep(parent: &Path) -> usize {
        let Ok(entries) = list(parent) else { return 0 };
        let old = entries.filter_map(Result::ok).filter(|e| e.file_name().to_string_lossy().starts_with(PREFIX));
        old.filter(|e| std::fs::remove_dir_all(e.path()).is_ok()).count()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A program that still writes there can get in the way of removing; the second look finds it ended.
        for _ in 0..20 {
            match std::fs::remove_dir_all(&self.path) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                    std::thread::sleep(std::time::Duration::from_millis(50));
                }
                _ => return,
            }
        }
    }
}

/// Makes a folder, and those above it.
///
/// # Errors
///
/// What the system says.
pub fn make_folder(path: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(path)
}

/// A lock file that is held, together with others, until the value goes or the program ends, however it ends.
#[derive(Debug)]
pub struct Held {
    _file: std::fs::File,
}

/// Holds a lock file together with others.
///
/// # Errors
///
/// What the system says.
pub fn hold_shared(path: &Path) -> std::io::Result<Held> {
    let file = lock_file(path)?;
    file.lock_shared()?;
    Ok(Held { _file: file })
}

/// Waits until nobody holds a lock file.
///
/// # Errors
///
/// What the system says.
pub fn wait_for_holders(path: &Path) -> std::io::Result<()> {
    lock_file(path)?.lock()
}

fn lock_file(path: &Path) -> std::io::Result<std::fs::File> {
    std::fs::OpenOptions::new().create(true).truncate(false).write(true).open(path)
}

/// The bytes of all files below a folder. Counting ends at `most`, since more is too much in any case.
pub fn size(folder: &Path, most: u64) -> u64 {
    let mut total = 0;
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = list(&folder) else { continue };
        for entry in entries.filter_map(Result::ok) {
            // Links are not followed: what they point to is not in the folder.
            let Ok(metadata) = entry.metadata() else { continue };
            if metadata.is_dir() {
                folders.push(entry.path());
            } else {
                total += metadata.len();
            }
            if total > most {
                return total;
            }
        }
    }
    total
}

#[expect(clippy::disallowed_methods, reason = "the disk is looked at here")]
fn list(folder: &Path) -> std::io::Result<std::fs::ReadDir> {
    std::fs::read_dir(folder)
}

#[cfg(unix)]
fn private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().mode(0o700).create(path)
}

#[cfg(not(unix))]
fn private(path: &Path) -> std::io::Result<()> {
    std::fs::create_dir(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_goes_with_its_value_and_leftovers_are_swept() {
        let parent = std::env::temp_dir().join(format!("stacklint-scratch-test-{}", std::process::id()));
        let scratch = Scratch::new(&parent).unwrap();
        let path = scratch.path().to_path_buf();
        make_folder(&path.join("a/b")).unwrap();
        crate::load::write(&path.join("a/b/c"), b"12345").unwrap();
        assert_eq!(size(&path, 100), 5);
        assert!(size(&parent, 3) > 3);
        drop(scratch);
        assert!(!path.exists());
        std::mem::forget(Scratch::new(&parent).unwrap());
        assert_eq!(Scratch::sweep(&parent), 1);
        assert_eq!(Scratch::sweep(&parent), 0);
        std::fs::remove_dir_all(&parent).unwrap();
    }
}
