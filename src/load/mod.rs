//! From paths on the command line to a filled workspace: walking folders, honouring ignore files, reading texts.
//!
//! Nothing else in the program reads the disk (but for `fix`, which writes it). Whatever cannot or should not be read
//! becomes a line in the coverage ledger, never an abort.

mod folder;
pub mod git;
mod paths;
mod projects;
mod read;
mod scratch;
mod settings;
mod walk;

pub use folder::DiskFolder;
pub use paths::Paths;
pub use projects::projects;
pub use read::{MAX_FILE_BYTES, Unreadable, read_text};
pub use scratch::{Held, Scratch, hold_shared, make_folder, wait_for_holders};
pub use settings::{IGNORE_FILES, Texts};
pub use walk::Exclude;

use crate::analysis::{Change, FileState, Settings, Workspace};
use crate::base::FastSet;
use crate::config::glob;
use crate::formats::Format;
use rayon::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// So often are files asked what they need from elsewhere; a chain of modules is rarely ten deep.
const MAX_ROUNDS: usize = 32;
/// Below this many files one thread reads them before a second has started.
const SERIAL_FILES: usize = 16;

/// What to open.
#[derive(Clone, Debug)]
pub struct Request {
    /// Where relative paths start and what paths in the report are relative to.
    pub working_directory: PathBuf,
    /// Files and folders; empty: the working directory.
    pub paths: Vec<PathBuf>,
    /// Paths that are left out.
    pub exclude: Exclude,
}

/// A path that was asked for and is not there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NotThere {
    /// The path as it was given.
    pub path: PathBuf,
    /// What the system says.
    pub reason: String,
}

impl std::fmt::Display for NotThere {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "cannot open `{}`: {}", self.path.display(), self.reason)
    }
}

impl std::error::Error for NotThere {}

/// Writes a file that the user named: a report, a baseline.
///
/// # Errors
///
/// What the system says.
pub fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write as _;
    std::fs::File::create(path)?.write_all(bytes)
}

/// Reads a report that the user named, `-` for standard input.
///
/// # Errors
///
/// What the system says.
#[expect(clippy::disallowed_methods, reason = "a report is one of the files that are read here")]
pub fn read_report(working_directory: &Path, path: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        std::io::Read::read_to_end(&mut std::io::stdin().lock(), &mut bytes).map(|_| ())
    } else {
        std::fs::read(working_directory.join(path)).map(|read| bytes = read)
    };
    read.map(|()| bytes).map_err(|e| read::system_message(&e))
}

/// Opens files and folders as a workspace.
///
/// A file that is named is read whatever its name; its neighbours are read as context, so that a single Terraform
/// file still sees its module. A folder is walked.
///
/// # Errors
///
/// [`NotThere`] where a path does not exist. Everything below an existing folder that cannot be read is a note in the
/// ledger instead.
pub fn open(request: &Request, settings: Settings) -> Result<Workspace, NotThere> {
    let mut workspace = Workspace::new(settings);
    refresh(request, &mut workspace)?;
    Ok(workspace)
}

/// Reads everything again: what is new comes in, what is gone goes, and what stayed the same costs nothing later.
///
/// # Errors
///
/// Those of [`open`].
pub fn refresh(request: &Request, workspace: &mut Workspace) -> Result<(), NotThere> {
    let formats = workspace.settings().formats;
    let paths = Paths::new(&request.working_directory, &request.paths);
    let here = [PathBuf::from(".")];
    let asked: &[PathBuf] = if request.paths.is_empty() { &here } else { &request.paths };
    let mut found = walk::Found::default();
    for path in asked {
        let full = paths.full(path);
        let metadata =
            std::fs::metadata(&full).map_err(|e| NotThere { path: path.clone(), reason: read::system_message(&e) })?;
        if metadata.is_dir() {
            walk::walk(&paths, &full, formats, &request.exclude, &mut found);
        } else {
            found.files.push(full.clone());
            if let Some(folder) = full.parent() {
                found.context.extend(walk::folder(folder, formats));
            }
        }
    }
    let mut seen: FastSet<PathBuf> = FastSet::default();
    let mut change = Change::default();
    take(&paths, found.files, &mut seen, &mut change.set, &mut change.notes);
    // Whoever names a variable file wants it to be read, wherever it lies.
    found.context.extend(workspace.settings().options.var_files.iter().map(|f| paths.full(Path::new(f))));
    let mut ignored = Vec::new();
    take(&paths, found.context, &mut seen, &mut change.context, &mut ignored);
    change.notes.extend(found.notes);
    let noted: FastSet<String> = change.notes.iter().map(|(path, ..)| path.clone()).collect();
    found.present.sort_unstable();
    found.present.dedup();
    change.present = Some(found.present);
    let reader = paths.clone();
    change.reader = Some(Arc::new(move |path: &str| reader.read_inside(path)));
    workspace.apply(change);
    follow(&paths, formats, &mut seen, workspace);
    let kept = |path: &str| noted.contains(path) || seen.contains(&paths.full(Path::new(path)));
    let removed = workspace.paths().filter(|path| !kept(path)).map(|path| path.to_string()).collect();
    workspace.apply(Change { removed, ..Change::default() });
    Ok(())
}

/// Reads what the files of a workspace need from outside of what was asked for, as long as something new turns up.
fn follow(
    paths: &Paths,
    formats: &'static [&'static dyn Format],
    seen: &mut FastSet<PathBuf>,
    workspace: &mut Workspace,
) {
    let mut asked: FastSet<String> = FastSet::default();
    for _ in 0..MAX_ROUNDS {
        let mut wanted = Vec::new();
        for need in workspace.snapshot().needs() {
            if !asked.insert(need.clone()) {
                continue;
            }
            let Some(full) = paths.inside(Path::new(&need)) else { continue };
            if full.is_dir() {
                wanted.extend(walk::folder(&full, formats));
            } else if full.is_file() {
                wanted.push(full);
            }
        }
        let mut change = Change::default();
        let mut ignored = Vec::new();
        take(paths, wanted, seen, &mut change.context, &mut ignored);
        if change.context.is_empty() {
            return;
        }
        workspace.apply(change);
    }
}

/// Reads files that were not read before, in parallel where there are many.
fn take(
    paths: &Paths,
    files: Vec<PathBuf>,
    seen: &mut FastSet<PathBuf>,
    texts: &mut Vec<(String, Arc<str>)>,
    notes: &mut Vec<(String, FileState, String)>,
) {
    let new: Vec<PathBuf> = files.into_iter().filter(|f| seen.insert(f.clone())).collect();
    let read = |full: &PathBuf| (paths.shown(full), read_text(full));
    let read: Vec<_> =
        if new.len() > SERIAL_FILES { new.par_iter().map(read).collect() } else { new.iter().map(read).collect() };
    for (path, text) in read {
        match text {
            Ok(text) => texts.push((path, text)),
            Err(Unreadable { state, reason }) => notes.push((path, state, reason)),
        }
    }
}

/// Whether some format wants to see a file of this name.
fn is_selected(path: &str, name: &str, formats: &[&dyn Format]) -> bool {
    formats.iter().flat_map(|f| f.selectors().globs).any(|pattern| {
        if pattern.contains('/') {
            glob(pattern, path) || glob(&format!("*/{pattern}"), path)
        } else {
            glob(pattern, name)
        }
    })
}
