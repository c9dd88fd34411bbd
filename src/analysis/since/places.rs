//! Which file and line of the head a place of the base is.

use crate::analysis::{Ledger, Report};
use crate::base::{FastMap, FastSet, Files, SourceFile, Span};
use similar::{Algorithm, DiffOp, capture_diff_slices};
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Above so many pairs of lines the parts of two texts that differ are not compared line by line: 5,000 lines against
/// 5,000 others still are.
const MOST_LINE_PAIRS: usize = 50_000_000;
/// Files that vanished, times files that appeared, whose texts are compared to find renames.
const MOST_FILE_PAIRS: usize = 40_000;
/// Of its lines a renamed file shares at least this part, in percent; git's own measure.
const SIMILAR_PERCENT: usize = 50;

/// A place that means the same in both: path and line at the head, column in bytes, length in bytes.
pub(super) type Place<'a> = (&'a str, u32, u32, u32);

/// Both sets of files, and what was worked out about them.
pub(super) struct Places<'a> {
    base: &'a Files,
    head: &'a Files,
    ledgers: (&'a Ledger, &'a Ledger),
    noted: OnceLock<(FastSet<&'a str>, FastSet<&'a str>)>,
    renames: OnceLock<FastMap<&'a str, &'a str>>,
    lines: Mutex<FastMap<&'a str, Arc<Lines>>>,
}

/// Where the lines of a file went.
enum Lines {
    /// Every line is where it was.
    Same,
    /// The line at the head, from 1; 0 for a line that changed. Indexed by the line at the base, from 0.
    Moved(Vec<u32>),
}

impl<'a> Places<'a> {
    pub fn new(base: &'a Report, head: &'a Report) -> Places<'a> {
        Places {
            base: &base.files,
            head: &head.files,
            ledgers: (&base.ledger, &head.ledger),
            noted: OnceLock::new(),
            renames: OnceLock::new(),
            lines: Mutex::default(),
        }
    }

    /// The place of a span of the head.
    pub fn of_head(&self, span: Span) -> Option<Place<'a>> {
        let file = self.head.get(span.file)?;
        let line = file.lines().line(span.start);
        Some((&file.path, line, span.start - file.lines().line_start(line), span.end - span.start))
    }

    /// The place at the head of a span of the base; `None` where its line changed or is gone.
    pub fn of_base(&self, span: Span) -> Option<Place<'a>> {
        let file = self.base.get(span.file)?;
        let path = self.path(&file.path)?;
        let line = file.lines().line(span.start);
        let now = match &*self.lines(file, self.head.by_path(path)?) {
            Lines::Same => line,
            Lines::Moved(lines) => lines.get(line as usize - 1).copied().filter(|&l| l > 0)?,
        };
        Some((path, now, span.start - file.lines().line_start(line), span.end - span.start))
    }

    /// The path of a span of the head.
    pub fn path_of_head(&self, span: Span) -> Option<&'a str> {
        self.head.get(span.file).map(|f| &*f.path)
    }

    /// The path at the head of the file of a span of the base; its own path where the file is gone.
    pub fn path_of_base(&self, span: Span) -> Option<&'a str> {
        let file = self.base.get(span.file)?;
        Some(self.path(&file.path).unwrap_or(&file.path))
    }

    /// An address with the path in it, such as a Dockerfile's, as it would be at the head.
    pub fn renamed_address(&self, address: &str) -> String {
        let path = address.rsplit_once(':').map_or(address, |(path, _)| path);
        match self.renames().get(path) {
            Some(now) => address.replacen(path, now, 1),
            None => address.to_owned(),
        }
    }

    /// Whether a file is there at the head, even if its text could not be read.
    pub fn is_at_head(&self, path: &str) -> bool {
        self.head.by_path(path).is_some() || self.noted().1.contains(path)
    }

    /// Whether a file was there at the base, even if its text could not be read.
    pub fn is_at_base(&self, path: &str) -> bool {
        self.base.by_path(path).is_some() || self.noted().0.contains(path)
    }

    fn noted(&self) -> &(FastSet<&'a str>, FastSet<&'a str>) {
        self.noted.get_or_init(|| {
            let paths = |ledger: &'a Ledger| ledger.files.iter().map(|f| &*f.path).collect();
            (paths(self.ledgers.0), paths(self.ledgers.1))
        })
    }

    /// Whether the file of a span of the base is there at the head and gave no text.
    pub fn is_unread_at_head(&self, span: Span) -> bool {
        self.base.get(span.file).is_some_and(|f| self.head.by_path(&f.path).is_none() && self.is_at_head(&f.path))
    }

    /// Whether the file of a span of the head was there at the base and gave no text.
    pub fn is_unread_at_base(&self, span: Span) -> bool {
        self.head.get(span.file).is_some_and(|f| self.base.by_path(&f.path).is_none() && self.is_at_base(&f.path))
    }

    /// The path at the head of a file of the base.
    fn path(&self, path: &str) -> Option<&'a str> {
        match self.head.by_path(path) {
            Some(file) => Some(&file.path),
            None => self.renames().get(path).copied(),
        }
    }

    fn lines(&self, base: &'a SourceFile, head: &SourceFile) -> Arc<Lines> {
        let mut known = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        match known.entry(&base.path) {
            Entry::Occupied(entry) => entry.get().clone(),
            Entry::Vacant(entry) => entry.insert(Arc::new(Lines::between(&base.text, &head.text))).clone(),
        }
    }

    /// Files of the base that stand at another path at the head.
    fn renames(&self) -> &FastMap<&'a str, &'a str> {
        self.renames.get_or_init(|| {
            let gone = self.base.iter().filter(|f| !self.is_at_head(&f.path));
            let new = self.head.iter().filter(|f| !self.is_at_base(&f.path));
            renames(sorted(gone), sorted(new))
        })
    }
}

fn sorted<'a>(files: impl Iterator<Item = &'a Arc<SourceFile>>) -> Vec<&'a SourceFile> {
    let mut files: Vec<&SourceFile> = files.map(|f| &**f).filter(|f| !f.text.trim().is_empty()).collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

/// Pairs of paths: first of files with the same text, then of those most alike.
fn renames<'a>(gone: Vec<&'a SourceFile>, new: Vec<&'a SourceFile>) -> FastMap<&'a str, &'a str> {
    let mut pairs: Vec<(usize, usize, usize, usize)> = Vec::new();
    let mut by_hash: FastMap<u64, Vec<usize>> = FastMap::default();
    for (n, file) in new.iter().enumerate() {
        by_hash.entry(file.hash).or_default().push(n);
    }
    for (g, file) in gone.iter().enumerate() {
        for &n in by_hash.get(&file.hash).into_iter().flatten().take(100).filter(|&&n| new[n].text == file.text) {
            pairs.push((101, shared_end(&file.path, &new[n].path), g, n));
        }
    }
    let exact: FastSet<usize> = pairs.iter().map(|p| p.2).collect();
    if gone.len().saturating_mul(new.len()) <= MOST_FILE_PAIRS {
        let lines: Vec<FastMap<&str, usize>> = new.iter().map(|f| counted(&f.text)).collect();
        for (g, file) in gone.iter().enumerate().filter(|(g, _)| !exact.contains(g)) {
            let mine = counted(&file.text);
            for (n, theirs) in lines.iter().enumerate() {
                let percent = likeness(&mine, theirs);
                if percent >= SIMILAR_PERCENT {
                    pairs.push((percent, shared_end(&file.path, &new[n].path), g, n));
                }
            }
        }
    }
    pairs.sort_by(|a, b| (b.0, b.1, a.2, a.3).cmp(&(a.0, a.1, b.2, b.3)));
    let mut taken: FastSet<usize> = FastSet::default();
    let mut found: FastMap<&str, &str> = FastMap::default();
    for (_, _, g, n) in pairs {
        if !taken.contains(&n)
            && let Entry::Vacant(entry) = found.entry(&*gone[g].path)
        {
            entry.insert(&new[n].path);
            taken.insert(n);
        }
    }
    found
}

/// How often each line occurs that is not empty.
fn counted(text: &str) -> FastMap<&str, usize> {
    let mut lines = FastMap::default();
    for line in text.lines().map(str::trim).filter(|l| !l.is_empty()) {
        *lines.entry(line).or_default() += 1;
    }
    lines
}

/// The lines that two texts share, in percent of the lines of the longer.
fn likeness(a: &FastMap<&str, usize>, b: &FastMap<&str, usize>) -> usize {
    let shared: usize = a.iter().map(|(line, n)| (*n).min(b.get(line).copied().unwrap_or(0))).sum();
    let most = a.values().sum::<usize>().max(b.values().sum());
    (shared * 100).checked_div(most).unwrap_or(0)
}

/// How many parts two paths share at their end.
fn shared_end(a: &str, b: &str) -> usize {
    a.rsplit('/').zip(b.rsplit('/')).take_while(|(a, b)| a == b).count()
}

impl Lines {
    fn between(base: &str, head: &str) -> Lines {
        if base == head {
            return Lines::Same;
        }
        // Line ends may be the system's on the disk and others in the repository.
        let (old, new): (Vec<&str>, Vec<&str>) = (base.lines().collect(), head.lines().collect());
        let mut moved = vec![0u32; old.len() + 1];
        let start = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
        let (rest_old, rest_new) = (&old[start..], &new[start..]);
        let end = rest_old.iter().rev().zip(rest_new.iter().rev()).take_while(|(a, b)| a == b).count();
        let mut set = |at: usize, to: usize| {
            if let (Some(slot), Ok(line)) = (moved.get_mut(at), u32::try_from(to + 1)) {
                *slot = line;
            }
        };
        for i in 0..start {
            set(i, i);
        }
        for i in 0..end {
            set(old.len() - end + i, new.len() - end + i);
        }
        // The empty last line of a text is a place too: where something may be missing.
        set(old.len(), new.len());
        let (old, new) = (&rest_old[..rest_old.len() - end], &rest_new[..rest_new.len() - end]);
        if old.len().saturating_mul(new.len()) <= MOST_LINE_PAIRS {
            for op in capture_diff_slices(Algorithm::Myers, old, new) {
                if let DiffOp::Equal { old_index, new_index, len } = op {
                    for i in 0..len {
                        set(start + old_index + i, start + new_index + i);
                    }
                }
            }
        }
        Lines::Moved(moved)
    }
}
