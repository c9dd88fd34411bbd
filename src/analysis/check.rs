//! The steps from files to a report. Each is a pure function of what it is given; [`Memory`] keeps the results.

use super::guard::guard;
use super::ledger;
use super::memory::{FileFacts, FormatUnits, Lists, LoweredUnit, Reads, same_file};
use super::verdict;
use super::workspace::Member;
use super::{CancelToken, Cancelled, Failure, FileState, Report, Scope, Settings, Snapshot, Stats, Timings};
use crate::base::{FastMap, FileId, Files, SourceFile};
use crate::diagnostic::SyntaxError;
use crate::formats::{Input, LedgerEntry, LowerContext, Options, Unit};
use crate::graph::{Edge, Map, ResourceGraph, ResourceId};
use rayon::prelude::*;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

pub(super) use super::memory::Memory;

/// Below this many bytes of input one thread is done before a second has started.
const SERIAL_BYTES: usize = 48 * 1024;

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
        unknowns: evaluated.unknowns,
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
    let mut known = std::mem::take(&mut *lock(&memory.files));
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
        Arc::new(FileFacts { file: (*file).clone(), format, parsed, failure, ignores: OnceLock::new() })
    });
    for facts in parsed {
        known.insert(facts.file.id, facts);
    }
    let all: Vec<Arc<FileFacts>> = files.iter().filter_map(|f| known.get(&f.id).cloned()).collect();
    if known.len() > all.len() {
        known = all.iter().map(|f| (f.file.id, f.clone())).collect();
    }
    *lock(&memory.files) = known;
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

/// Groups the files of every format that has some.
fn group(snapshot: &Snapshot, facts: &[Arc<FileFacts>]) -> Vec<(usize, Arc<FormatUnits>)> {
    let settings = &snapshot.workspace.settings;
    let memory = &snapshot.workspace.memory;
    let mut groups = Vec::new();
    for (index, format) in settings.formats.iter().enumerate() {
        let mine: Vec<&Arc<FileFacts>> =
            facts.iter().filter(|f| f.format == Some(index) && f.parsed.is_some()).collect();
        if mine.is_empty() {
            continue;
        }
        let known = lock(&memory.units).get(&index).cloned().filter(|k| {
            k.options == settings.options
                && k.files.len() == mine.len()
                && k.files.iter().zip(&mine).all(|(a, b)| Arc::ptr_eq(a, &b.file))
        });
        let units = known.unwrap_or_else(|| {
            let inputs: Vec<Input> =
                mine.iter().filter_map(|f| Some(Input { file: f.file.clone(), parsed: f.parsed.clone()? })).collect();
            let (mut units, failure) =
                match guard("group", || format.name().to_owned(), || format.units(&inputs, &settings.options)) {
                    Ok(units) => (units, None),
                    Err(failure) => (Vec::new(), Some(failure)),
                };
            units.sort_by(|a, b| (&a.name, &a.variant).cmp(&(&b.name, &b.variant)));
            Arc::new(FormatUnits {
                files: mine.iter().map(|f| f.file.clone()).collect(),
                options: settings.options.clone(),
                inputs: Arc::new(inputs.into_iter().map(|i| (i.file.id, i)).collect()),
                units,
                failure,
            })
        });
        lock(&memory.units).insert(index, units.clone());
        groups.push((index, units));
    }
    groups
}

/// Resolves `.` and `..` in a path with `/` between its parts. Leading `..` stay.
pub(super) fn normalize(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|&p| p != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    if path.starts_with('/') { format!("/{joined}") } else { joined }
}

/// A file of the workspace, or one that the reader finds.
fn read(snapshot: &Snapshot, path: &str) -> Option<Arc<SourceFile>> {
    if let Some(file) = snapshot.files.by_path(path) {
        return Some(file.clone());
    }
    let workspace = &snapshot.workspace;
    if lock(&workspace.memory.absent).contains(path) {
        return None;
    }
    if let Some(file) = lock(&workspace.table).by_path(path) {
        return Some(file.clone());
    }
    match workspace.reader.as_ref().and_then(|r| r(path)) {
        Some(text) => {
            let mut table = lock(&workspace.table);
            // Another thread may have been quicker; its version is the one to share.
            if table.by_path(path).is_none() {
                table.set(path, text);
            }
            table.by_path(path).cloned()
        }
        None => {
            lock(&workspace.memory.absent).insert(path.into());
            None
        }
    }
}

/// The paths below a folder, sorted.
fn list(snapshot: &Snapshot, folder: &str) -> Vec<Arc<str>> {
    let folder = normalize(folder);
    let inside =
        |path: &Arc<str>| folder.is_empty() || path.strip_prefix(&*folder).is_some_and(|rest| rest.starts_with('/'));
    let mut paths: Vec<Arc<str>> = snapshot.workspace.present.iter().filter(|p| inside(p)).cloned().collect();
    paths.extend(snapshot.workspace.members.keys().filter(|p| inside(p)).cloned());
    paths.sort_unstable();
    paths.dedup();
    paths
}

fn lower_one(
    snapshot: &Snapshot,
    index: usize,
    unit: &Unit,
    inputs: &FastMap<FileId, Input>,
    options: &Options,
) -> LoweredUnit {
    let reads: Mutex<Reads> = Mutex::default();
    let lists: Mutex<Lists> = Mutex::default();
    let reader = |path: &str| {
        let path = normalize(path);
        let found = read(snapshot, &path);
        lock(&reads).push((path.into(), found.clone()));
        found
    };
    let lister = |folder: &str| {
        let found = list(snapshot, folder);
        lock(&lists).push((folder.into(), found.clone()));
        found
    };
    let cx = LowerContext { inputs, options, read: &reader, list: &lister };
    let format = snapshot.workspace.settings.formats[index];
    let result = guard("lower", || format!("{} {}", format.name(), unit.name), || format.lower(unit, &cx));
    let (lowered, failure) = match result {
        Ok(lowered) => (lowered, None),
        Err(failure) => (Default::default(), Some(failure)),
    };
    LoweredUnit {
        unit: unit.clone(),
        options: options.clone(),
        files: unit.files.iter().map(|f| inputs.get(f).map(|i| i.file.clone())).collect(),
        reads: std::mem::take(&mut lock(&reads)),
        lists: std::mem::take(&mut lock(&lists)),
        lowered,
        failure,
    }
}

/// Whether everything that went into a lowered unit is still as it was.
fn is_current(snapshot: &Snapshot, known: &LoweredUnit, unit: &Unit, inputs: &FastMap<FileId, Input>) -> bool {
    known.unit == *unit
        && known.options == snapshot.workspace.settings.options
        && known.files.iter().zip(&unit.files).all(|(k, f)| same_file(k.as_ref(), inputs.get(f).map(|i| &i.file)))
        && known.reads.iter().all(|(path, k)| same_file(k.as_ref(), read(snapshot, path).as_ref()))
        && known.lists.iter().all(|(folder, k)| *k == list(snapshot, folder))
}

fn lower_all(snapshot: &Snapshot, groups: &[(usize, Arc<FormatUnits>)]) -> Vec<Arc<LoweredUnit>> {
    let memory = &snapshot.workspace.memory;
    let known = std::mem::take(&mut *lock(&memory.lowered));
    let work: Vec<(usize, &Unit, &FormatUnits)> =
        groups.iter().flat_map(|(i, g)| g.units.iter().map(move |u| (*i, u, &**g))).collect();
    let bytes: usize = groups.iter().flat_map(|(_, g)| &g.files).map(|f| f.text.len()).sum();
    let parallel = known.is_empty() && bytes > SERIAL_BYTES;
    let lowered = map_all(&work, parallel, |(index, unit, group)| {
        let key = (*index, unit.name.clone(), unit.variant.clone());
        if let Some(known) = known.get(&key)
            && is_current(snapshot, known, unit, &group.inputs)
        {
            return known.clone();
        }
        Arc::new(lower_one(snapshot, *index, unit, &group.inputs, &snapshot.workspace.settings.options))
    });
    *lock(&memory.lowered) =
        work.iter().zip(&lowered).map(|((i, u, _), l)| ((*i, u.name.clone(), u.variant.clone()), l.clone())).collect();
    lowered
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
    let mut graph = ResourceGraph::default();
    let mut outputs = Vec::new();
    let mut entries = Vec::new();
    for unit in &units {
        let base = u32::try_from(graph.resources.len()).unwrap_or(u32::MAX);
        for resource in &unit.lowered.resources {
            graph.add(resource.clone());
        }
        for edge in &unit.lowered.edges {
            graph.connect(Edge {
                from: ResourceId(base.saturating_add(edge.from)),
                to: ResourceId(base.saturating_add(edge.to)),
                via: edge.via.clone(),
                span: edge.span,
            });
        }
        if let Some(map) = &unit.lowered.outputs {
            outputs.push((unit.unit.name.clone(), map.clone()));
        }
        entries.extend(unit.lowered.ledger.iter().cloned());
        failures.extend(unit.failure.clone());
    }
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
    clock.lap("link");
    let mut files = snapshot.files.clone();
    for unit in &units {
        for file in unit.reads.iter().filter_map(|(_, f)| f.as_ref()) {
            files.adopt(file.clone());
        }
    }
    let resources = graph.resources.len();
    let graph = super::evaluate::derive_views(settings, graph, &files, &mut failures);
    clock.lap("views");
    let built = Arc::new(Built {
        graph: Arc::new(graph),
        resources,
        outputs,
        errors: facts.iter().filter_map(|f| f.parsed.as_ref()).flat_map(|p| p.errors.iter().cloned()).collect(),
        entries,
        failures,
        files,
        units,
        facts,
        settings: settings.clone(),
    });
    *lock(&memory.built) = Some(built.clone());
    Ok(built)
}

fn same_all<T>(a: &[Arc<T>], b: &[Arc<T>]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| Arc::ptr_eq(a, b))
}
