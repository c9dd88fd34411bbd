//! The files, options and policies that are looked at, and how they change.

use super::check::{Memory, lock};
use super::{CancelToken, Cancelled, FileState, Report, Settings};
use crate::base::{FastMap, Files};
use crate::formats::Input;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Reads a text file that nobody named, such as the argument of `file()`. The loader decides what may be read; the
/// analysis itself never touches the disk.
pub type Reader = Arc<dyn Fn(&str) -> Option<Arc<str>> + Send + Sync>;

/// What is to be looked at. The command line fills it once; an editor sends a [`Change`] for every keystroke.
#[derive(Clone)]
pub struct Workspace {
    pub(super) table: Arc<Mutex<Files>>,
    pub(super) members: Arc<BTreeMap<Arc<str>, Member>>,
    pub(super) present: Arc<Vec<Arc<str>>>,
    beneath: FastMap<Arc<str>, Option<Arc<str>>>,
    pub(super) reader: Option<Reader>,
    pub(super) settings: Arc<Settings>,
    pub(super) memory: Arc<Memory>,
}

/// What is known of a path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Member {
    /// Its text is there and it is to be reported on.
    Text,
    /// Its text is there for the sake of others.
    Context,
    /// Its text could not, or should not, be read.
    Note(FileState, String),
}

/// What happened since the last time. Everything in it is optional; the order of the fields is the order in which
/// they take effect.
#[derive(Clone, Default)]
pub struct Change {
    /// New settings: policies, options, suppression.
    pub settings: Option<Settings>,
    /// How to read files that nobody named.
    pub reader: Option<Reader>,
    /// Files on disk with their texts, to be checked. Paths are relative to the working directory, with `/`.
    pub set: Vec<(String, Arc<str>)>,
    /// Files on disk that others refer to and that lie outside of what was asked for.
    pub context: Vec<(String, Arc<str>)>,
    /// Files that could not be read or were left out, with the state and the reason.
    pub notes: Vec<(String, FileState, String)>,
    /// Files that are gone, or whose remembered text is no longer true.
    pub removed: Vec<String>,
    /// Texts in an editor, which hide those on disk; `None` where the editor closed the file.
    pub overlays: Vec<(String, Option<Arc<str>>)>,
    /// The paths of all files below the roots, read or not, for functions that list folders.
    pub present: Option<Vec<Arc<str>>>,
}

impl Default for Workspace {
    fn default() -> Workspace {
        Workspace::new(Settings::default())
    }
}

impl Workspace {
    /// An empty workspace.
    pub fn new(settings: Settings) -> Workspace {
        Workspace {
            table: Arc::default(),
            members: Arc::default(),
            present: Arc::default(),
            beneath: FastMap::default(),
            reader: None,
            settings: Arc::new(settings),
            memory: Arc::default(),
        }
    }

    /// The settings in force.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The paths of all files that are on disk and were not merely read on the way, whatever became of them; sorted.
    pub fn paths(&self) -> impl Iterator<Item = &Arc<str>> {
        self.members.keys().filter(|path| !matches!(self.beneath.get(&**path), Some(None)))
    }

    /// Whether a path is among [`Workspace::paths`] with a text.
    pub fn has_text(&self, path: &str) -> bool {
        matches!(self.members.get(path), Some(Member::Text | Member::Context))
    }

    /// Takes a change in. A text that is the same as before costs nothing later.
    pub fn apply(&mut self, change: Change) {
        if let Some(settings) = change.settings {
            self.settings = Arc::new(settings);
        }
        if let Some(reader) = change.reader {
            self.reader = Some(reader);
        }
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let members = &mut self.members;
        let texts = change.set.into_iter().map(|(p, t)| (p, t, Member::Text));
        let context = change.context.into_iter().map(|(p, t)| (p, t, Member::Context));
        for (path, text, member) in texts.chain(context) {
            // What lies beneath an overlay waits there until the editor closes the file.
            if let Some(disk) = self.beneath.get_mut(path.as_str()) {
                *disk = Some(text);
                continue;
            }
            if member == Member::Context && members.get(path.as_str()) == Some(&Member::Text) {
                continue;
            }
            set_text(&mut table, members, &path, text, member);
        }
        for (path, state, reason) in change.notes {
            table.remove(&path);
            set_member(members, &path, Member::Note(state, reason));
        }
        for path in change.removed {
            if let Some(disk) = self.beneath.get_mut(path.as_str()) {
                *disk = None;
                continue;
            }
            table.remove(&path);
            Arc::make_mut(members).remove(path.as_str());
        }
        for (path, text) in change.overlays {
            match text {
                Some(text) => {
                    if !self.beneath.contains_key(path.as_str()) {
                        let is_text = matches!(members.get(path.as_str()), Some(Member::Text | Member::Context));
                        let disk = table.by_path(&path).filter(|_| is_text).map(|f| f.text.clone());
                        self.beneath.insert(path.as_str().into(), disk);
                    }
                    set_text(&mut table, members, &path, text, Member::Text);
                }
                None => match self.beneath.remove(path.as_str()) {
                    Some(Some(disk)) => set_text(&mut table, members, &path, disk, Member::Text),
                    Some(None) => {
                        table.remove(&path);
                        Arc::make_mut(members).remove(path.as_str());
                    }
                    None => {}
                },
            }
        }
        if let Some(present) = change.present {
            // Who says what is there may have new files for those that were asked for in vain.
            lock(&self.memory.absent).clear();
            if *self.present != present {
                self.present = Arc::new(present);
            }
        }
    }

    /// The state of this moment. Cheap; a check of it may run on another thread while changes come in here.
    pub fn snapshot(&self) -> Snapshot {
        let files = self.table.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Snapshot { files, workspace: self.clone() }
    }
}

type Members = Arc<BTreeMap<Arc<str>, Member>>;

fn set_text(table: &mut Files, members: &mut Members, path: &str, text: Arc<str>, member: Member) {
    // The identity of the `SourceFile` is what the memory goes by, so the same text keeps it.
    if table.by_path(path).is_none_or(|old| old.text != text) {
        table.set(path, text);
    }
    set_member(members, path, member);
}

/// Notes what a path is. The list stays the very same where that is no news: what was worked out from it still holds.
fn set_member(members: &mut Members, path: &str, member: Member) {
    if members.get(path) != Some(&member) {
        Arc::make_mut(members).insert(path.into(), member);
    }
}

/// A workspace at one moment.
#[derive(Clone)]
pub struct Snapshot {
    pub(super) files: Files,
    pub(super) workspace: Workspace,
}

/// What a check is to report on.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Scope {
    /// Every file that is not mere context.
    #[default]
    All,
    /// Findings that touch one of these files: their place, their resource, or a module call on the way to it.
    Files(Vec<String>),
}

impl Snapshot {
    /// The files of this moment.
    pub fn files(&self) -> &Files {
        &self.files
    }

    /// A workspace of its own that begins at this moment: changes to it are not seen by the one it came from. What was
    /// remembered is shared, so trying something out costs only what it changes.
    pub fn fork(&self) -> Workspace {
        Workspace { table: Arc::new(Mutex::new(self.files.clone())), ..self.workspace.clone() }
    }

    /// A workspace of its own for another state of the same files, such as that of an older commit. What was parsed and
    /// lowered is carried over and used where the text is the same; what either learns from now on the other does not.
    pub fn branch(&self) -> Workspace {
        Workspace { memory: Arc::new(self.workspace.memory.branch()), ..self.fork() }
    }

    /// The paths of everything that is known: files to check, context, notes, and files that others have read.
    pub fn paths(&self) -> Vec<String> {
        let mut paths: Vec<String> = self.workspace.members.keys().map(ToString::to_string).collect();
        let read = self.files.iter().filter(|f| !self.workspace.members.contains_key(&f.path));
        paths.extend(read.map(|f| f.path.to_string()));
        paths
    }

    /// Whether a file is to be reported on, rather than read for the sake of others.
    pub fn is_checked(&self, path: &str) -> bool {
        matches!(self.workspace.members.get(path), Some(Member::Text | Member::Note(..)))
    }

    /// The settings of this moment.
    pub fn settings(&self) -> &Settings {
        &self.workspace.settings
    }

    /// Files and folders that the files of the workspace refer to, as their formats say; sorted, without repeats.
    pub fn needs(&self) -> Vec<String> {
        super::check::needs(self)
    }

    /// A parsed file with the name of its format; `None` where no format claims it.
    pub fn parsed(&self, path: &str) -> Option<(&'static str, Input)> {
        super::check::parsed(self, path)
    }

    /// Parses, lowers, links, evaluates and suppresses, remembering what has not changed.
    ///
    /// # Errors
    ///
    /// [`Cancelled`] where `cancel` was triggered before the end.
    pub fn check(&self, scope: &Scope, cancel: &CancelToken) -> Result<Report, Cancelled> {
        super::check::check(self, scope, cancel)
    }
}
