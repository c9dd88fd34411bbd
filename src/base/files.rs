//! The set of files that one run or one editor session looks at.

use super::{FastMap, FileId, LineIndex, Span};
use std::hash::Hasher;
use std::sync::{Arc, OnceLock};

/// One text file: its path relative to the workspace root, its text and, on demand, its lines.
#[derive(Debug)]
pub struct SourceFile {
    /// Its index.
    pub id: FileId,
    /// The path relative to the working directory, with `/` between its parts.
    pub path: Arc<str>,
    /// The whole text.
    pub text: Arc<str>,
    /// A hash of the text, the key of every cache.
    pub hash: u64,
    lines: OnceLock<LineIndex>,
}

impl SourceFile {
    /// A file with this text.
    pub fn new(id: FileId, path: Arc<str>, text: Arc<str>) -> SourceFile {
        let hash = content_hash(text.as_bytes());
        SourceFile { id, path, text, hash, lines: OnceLock::new() }
    }

    /// The line index, made when it is first asked for.
    pub fn lines(&self) -> &LineIndex {
        self.lines.get_or_init(|| LineIndex::new(&self.text))
    }

    /// The text of a span of this file; empty where the span does not fit.
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.range()).unwrap_or("")
    }
}

/// A fast hash of some bytes; not for anything an attacker may choose to collide.
pub fn content_hash(bytes: &[u8]) -> u64 {
    let mut hasher = rustc_hash::FxHasher::default();
    hasher.write(bytes);
    hasher.write_usize(bytes.len());
    hasher.finish()
}

/// All files by id and by path. Cheap to clone: a snapshot shares everything until one of them changes.
#[derive(Clone, Debug, Default)]
pub struct Files {
    by_id: Arc<Vec<Option<Arc<SourceFile>>>>,
    by_path: Arc<FastMap<Arc<str>, FileId>>,
}

impl Files {
    /// Adds a file or replaces its text; the id of a path never changes.
    pub fn set(&mut self, path: &str, text: Arc<str>) -> FileId {
        let (id, path) = match self.by_path.get_key_value(path) {
            Some((path, &id)) => (id, path.clone()),
            None => {
                let id = FileId(u32::try_from(self.by_id.len()).unwrap_or(u32::MAX - 1));
                let path: Arc<str> = path.into();
                Arc::make_mut(&mut self.by_path).insert(path.clone(), id);
                Arc::make_mut(&mut self.by_id).push(None);
                (id, path)
            }
        };
        if let Some(slot) = Arc::make_mut(&mut self.by_id).get_mut(id.0 as usize) {
            *slot = Some(Arc::new(SourceFile::new(id, path, text)));
        }
        id
    }

    /// Puts a file that another set made at its own id, so that its spans can be resolved here too.
    pub fn adopt(&mut self, file: Arc<SourceFile>) {
        if self.get(file.id).is_some_and(|known| Arc::ptr_eq(known, &file)) {
            return;
        }
        let index = file.id.0 as usize;
        let by_id = Arc::make_mut(&mut self.by_id);
        if by_id.len() <= index {
            by_id.resize(index + 1, None);
        }
        if self.by_path.get(&file.path) != Some(&file.id) {
            Arc::make_mut(&mut self.by_path).insert(file.path.clone(), file.id);
        }
        if let Some(slot) = by_id.get_mut(index) {
            *slot = Some(file);
        }
    }

    /// Forgets a file's text; its id stays taken.
    pub fn remove(&mut self, path: &str) -> Option<FileId> {
        let id = *self.by_path.get(path)?;
        let slot = Arc::make_mut(&mut self.by_id).get_mut(id.0 as usize)?;
        slot.take().map(|_| id)
    }

    /// The file of an id.
    pub fn get(&self, id: FileId) -> Option<&Arc<SourceFile>> {
        self.by_id.get(id.0 as usize)?.as_ref()
    }

    /// The file at a path.
    pub fn by_path(&self, path: &str) -> Option<&Arc<SourceFile>> {
        self.get(*self.by_path.get(path)?)
    }

    /// Every file, in the order of ids.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<SourceFile>> {
        self.by_id.iter().flatten()
    }

    /// How many files there are.
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether there is no file.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The text of a span; empty where there is none.
    pub fn slice(&self, span: Span) -> &str {
        self.get(span.file).map_or("", |f| f.slice(span))
    }
}
