//! The steps from files to a report. Each is a pure function of what it is given; [`Memory`] keeps the results.

use super::evaluate::Place;
use super::guard::guard;
use super::ledger;
use super::lower::{group, lower_all};
use super::memory::{FileFacts, LoweredUnit};
use super::pieces::{self, Piece};
use super::verdict;
use super::workspace::Member;
use super::{CancelToken, Cancelled, Failure, FileState, Report, Scope, Settings, Snapshot, Stats, Timings, Unknowns};
use crate::base::{FastMap, FileId, Files, SourceFile};
use crate::diagnostic::SyntaxError;
use crate::formats::{Input, LedgerEntry};
use crate::graph::{Map, ResourceGraph};
use rayon::prelude::*;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

pub(super) use super::memory::Memory;

/// Below this many bytes of input one thread is done before a second has started.
pub(super) const SERIAL_BYTES: usize = 48 * 1024;
/// The same in resources that views are derived of.
const WORTH_THREADS: usize = 200;

/// The linked graph of one state of the workspace.
pub struct Built {
    /// Every resource and the nodes of views, with all edges.
    pub graph: Arc<ResourceGraph>,
    /// How many of the graph's resources are not nodes of views.
    pub resources: usize,
    /// The outputs of each Terraform root module, by the module's folder, sorted.
    pub outputs: Vec<(Arc<str>, Arc<Map>)>,
    /// What could not be read in the files.
    pub errors: Vec<SyntaxError>,
    /// What could not be evaluated.
    pub entries: Vec<LedgerEntry>,
    /// Steps that broke.
    pub failures: Vec<Failure>,
    /// The texts that the spans refer to, with those that were read on the way.
    pub files: Files,
    units: Vec<Arc<LoweredUnit>>,
    pieces: Vec<Arc<Piece>>,
    /// The id of each piece's first resource.
    bases: Vec<u32>,
    /// The number of each piece's island.
    islands: Vec<u64>,
    facts: Vec<Arc<FileFacts>>,
    settings: Arc<Settings>,
}

impl Built {
    pub(super) fn facts(&self) -> &[Arc<FileFacts>] {
        &self.facts
    }

    pub(super) fn units(&self) -> &[Arc<LoweredUnit>] {
        &self.units
    }

    pub(super) fn pieces(&self) -> &[Arc<Piece>] {
        &self.pieces
    }

    pub(super) fn places(&self) -> impl Iterator<Item = Place<'_>> {
        let numbers = self.bases.iter().zip(&self.islands);
        self.pieces.iter().zip(numbers).map(|(piece, (&base, &island))| Place { piece, base, island })
    }
}

impl Snapshot {
    /// The linked graph: the part of a check before the policies.
    ///
    /// # Errors
    ///
    /// [`Cancelled`] where `cancel` was triggered before the end.
    pub fn build(&self, cancel: &CancelToken) -> Result<Arc<Built>, Cancelled> {
        build(self, cancel, &mut Clock::start())
    }
}

/// Measures the steps.
pub(super) struct Clock {
    last: Instant,
    timings: Timings,
}

impl Clock {
    fn start() -> Clock {
        Clock { last: Instant::now(), timings: Timings::default() }
    }

    fn lap(&mut self, step: &'static str) {
        let now = Instant::now();
        self.timings.steps.push((step, now - self.last));
        self.last = now;
    }
}

/// Maps in parallel where that pays, and in order in any case.
pub(super) fn map_all<T: Sync, R: Send>(items: &[T], parallel: bool, f: impl Fn(&T) -> R + Sync + Send) -> Vec<R> {
    if parallel && items.len() > 1 { items.par_iter().map(f).collect() } else { items.iter().map(f).collect() }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn check(snapshot: &Snapshot, scope: &Scope, cancel: &CancelToken) -> Result<Report, Cancelled> {
    let mut clock = Clock::start();
    let settings = &snapshot.workspace.settings;
    let built = build(snapshot, cancel, &mut clock)?;
    let mut evaluated = super::evaluate::evaluate(settings, &built, cancel)?;
    clock.lap("evaluate");
    let mut failures = built.failures.clone();
    failures.append(&mut evaluated.failures);
    let mut report = Report {
        unknowns: Unknowns::of(evaluated.unknowns, &built.files),
        errors: built.errors.clone(),
        failures,
        ledger: ledger::ledger(snapshot, &built),
        graph: built.graph.clone(),
        files: built.files.clone(),
        ..Report::default()
    };
    let is_context = |path: &str| matches!(snapshot.workspace.members.get(path), Some(Member::Context) | None);
    let within = verdict::Within::new(&built.files, scope, &is_context);
    verdict::narrow(&mut report, &within);
    verdict::judge(settings, &built, evaluated.found, &within, &mut report);
    verdict::sort(&mut report);
    report.stats = Stats {
        files: report.ledger.count(FileState::Checked) + report.ledger.count(FileState::Partly),
        bytes: built.facts.iter().filter(|f| f.format.is_some()).map(|f| f.file.text.len()).sum(),
        resources: built.resources,
        edges: built.graph.edges.len(),
        policies: settings.chosen.policies.len(),
        evaluations: evaluated.evaluations,
        not_known: report.ledger.entries.len(),
    };
    clock.lap("suppress and sort");
    report.timings = clock.timings;
    Ok(report)
}

/// Claims and parses every file, in the order of paths.
fn parse_all(snapshot: &Snapshot) -> Vec<Arc<FileFacts>> {
    let formats = snapshot.workspace.settings.formats;
    let memory = &snapshot.workspace.memory;
    let files: Vec<&Arc<SourceFile>> = snapshot
        .workspace
        .members
        .iter()
        .filter(|(_, m)| matches!(m, Member::Text | Member::Context))
        .filter_map(|(path, _)| snapshot.files.by_path(path))
        .collect();
    let known = lock(&memory.files).clone();
    let new: Vec<&Arc<SourceFile>> =
        files.iter().copied().filter(|f| !known.get(&f.id).is_some_and(|k| Arc::ptr_eq(&k.file, f))).collect();
    let parallel = new.iter().map(|f| f.text.len()).sum::<usize>() > SERIAL_BYTES;
    let parsed = map_all(&new, parallel, |file| {
        let result = guard(
            "parse",
            || file.path.to_string(),
            || {
                let format = formats.iter().position(|f| f.claims(&file.path, &file.text))?;
                Some((format, formats[format].parse(file)))
            },
        );
        let (claimed, failure) = match result {
            Ok(claimed) => (claimed, None),
            Err(failure) => (None, Some(failure)),
        };
        let (format, parsed) = claimed.map_or((None, None), |(f, p)| (Some(f), Some(Arc::new(p))));
        let (outline, ignores) = (OnceLock::new(), OnceLock::new());
        Arc::new(FileFacts { file: (*file).clone(), format, parsed, failure, outline, ignores })
    });
    let parsed: FastMap<FileId, Arc<FileFacts>> = parsed.into_iter().map(|f| (f.file.id, f)).collect();
    let all: Vec<Arc<FileFacts>> =
        files.iter().filter_map(|f| parsed.get(&f.id).or_else(|| known.get(&f.id)).cloned()).collect();
    if !parsed.is_empty() || known.len() > all.len() {
        *lock(&memory.files) = Arc::new(all.iter().map(|f| (f.file.id, f.clone())).collect());
    }
    all
}

pub(super) fn needs(snapshot: &Snapshot) -> Vec<String> {
    let formats = snapshot.workspace.settings.formats;
    let mut needs: Vec<String> = Vec::new();
    for facts in parse_all(snapshot) {
        if let (Some(format), Some(parsed)) = (facts.format, &facts.parsed) {
            let input = Input { file: facts.file.clone(), parsed: parsed.clone() };
            let found = guard("parse", String::new, || formats[format].needs(&input));
            needs.extend(found.unwrap_or_default());
        }
    }
    needs.sort_unstable();
    needs.dedup();
    needs
}

pub(super) fn parsed(snapshot: &Snapshot, path: &str) -> Option<(&'static str, Input)> {
    let facts = parse_all(snapshot).into_iter().find(|f| &*f.file.path == path)?;
    let format = snapshot.workspace.settings.formats.get(facts.format?)?;
    Some((format.name(), Input { file: facts.file.clone(), parsed: facts.parsed.clone()? }))
}

fn build(snapshot: &Snapshot, cancel: &CancelToken, clock: &mut Clock) -> Result<Arc<Built>, Cancelled> {
    let settings = &snapshot.workspace.settings;
    let memory = &snapshot.workspace.memory;
    cancel.check()?;
    let facts = parse_all(snapshot);
    clock.lap("parse");
    cancel.check()?;
    let groups = group(snapshot, &facts);
    clock.lap("group");
    let units = lower_all(snapshot, &groups);
    clock.lap("lower");
    cancel.check()?;
    if let Some(built) = lock(&memory.built).clone()
        && Arc::ptr_eq(&built.settings, settings)
        && same_all(&built.units, &units)
        && same_all(&built.facts, &facts)
    {
        return Ok(built);
    }
    let mut failures: Vec<Failure> = facts.iter().filter_map(|f| f.failure.clone()).collect();
    failures.extend(groups.iter().filter_map(|(_, g)| g.failure.clone()));
    let mut files = snapshot.files.clone();
    for file in units.iter().flat_map(|u| &u.reads).filter_map(|(_, f)| f.as_ref()) {
        files.adopt(file.clone());
    }
    let pieces = make_pieces(snapshot, &units, &files);
    clock.lap("views");
    cancel.check()?;
    let mut graph = ResourceGraph::default();
    let mut bases = Vec::with_capacity(pieces.len());
    let mut outputs = Vec::new();
    let mut entries = Vec::new();
    for piece in &pieces {
        bases.push(pieces::place(&mut graph, &piece.resources, &piece.edges));
        let unit = &piece.lowered;
        if let Some(map) = &unit.lowered.outputs {
            outputs.push((unit.unit.name.clone(), map.clone()));
        }
        entries.extend(unit.lowered.ledger.iter().cloned());
        failures.extend(unit.failure.iter().chain(&piece.failure).cloned());
    }
    let inside = graph.edges.len();
    clock.lap("graph");
    for (index, _) in &groups {
        let format = settings.formats[*index];
        let edges = guard(
            "link",
            || format.name().to_owned(),
            || {
                let mut edges = Vec::new();
                format.link(&graph, &mut edges);
                edges
            },
        );
        match edges {
            Ok(edges) => edges.into_iter().for_each(|e| graph.connect(e)),
            Err(failure) => failures.push(failure),
        }
    }
    let known = lock(&memory.islands).clone();
    let drawn = graph.edges.get(inside..).unwrap_or(&[]);
    let (islands, found) = pieces::islands(&pieces, &bases, drawn, &known, &memory.next_island);
    *lock(&memory.islands) = Arc::new(found);
    clock.lap("link");
    let built = Arc::new(Built {
        graph: Arc::new(graph),
        resources: units.iter().map(|u| u.lowered.resources.len()).sum(),
        outputs,
        errors: facts.iter().filter_map(|f| f.parsed.as_ref()).flat_map(|p| p.errors.iter().cloned()).collect(),
        entries,
        failures,
        files,
        units,
        pieces,
        bases,
        islands,
        facts,
        settings: settings.clone(),
    });
    *lock(&memory.built) = Some(built.clone());
    Ok(built)
}

/// The pieces of the units, in their order; those of units that are as they were are as they were too.
fn make_pieces(snapshot: &Snapshot, units: &[Arc<LoweredUnit>], files: &Files) -> Vec<Arc<Piece>> {
    let (settings, memory) = (&snapshot.workspace.settings, &snapshot.workspace.memory);
    let known = lock(&memory.pieces).clone();
    let mut pieces: Vec<Option<Arc<Piece>>> =
        units.iter().map(|u| known.get(&u.key()).filter(|p| p.is_of(u, settings)).cloned()).collect();
    let new: Vec<usize> = (0..units.len()).filter(|&i| pieces[i].is_none()).collect();
    let resources: usize = new.iter().map(|&i| units[i].lowered.resources.len()).sum();
    let made = map_all(&new, resources > WORTH_THREADS, |&i| Arc::new(Piece::new(&units[i], settings, files)));
    for (i, piece) in new.into_iter().zip(made) {
        pieces[i] = Some(piece);
    }
    let pieces: Vec<Arc<Piece>> = pieces.into_iter().flatten().collect();
    *lock(&memory.pieces) = Arc::new(pieces.iter().map(|p| (p.lowered.key(), p.clone())).collect());
    pieces
}

/// Whether two lists hold the very same things.
pub(super) fn same_all<T>(a: &[Arc<T>], b: &[Arc<T>]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| Arc::ptr_eq(a, b))
}
