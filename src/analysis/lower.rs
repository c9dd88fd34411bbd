//! From parsed files to lowered units: which files belong together, and what each unit declares.

use super::check::{SERIAL_BYTES, lock, map_all};
use super::guard::guard;
use super::memory::{FileFacts, FormatUnits, List, Listed, Lists, LoweredUnit, Reads, same_file};
use super::{Settings, Snapshot};
use crate::base::{FastMap, FileId, SourceFile};
use crate::formats::{Format, Input, LowerContext, Options, Unit};
use std::sync::{Arc, Mutex};

/// Groups the files of every format that has some.
pub(super) fn group(snapshot: &Snapshot, facts: &[Arc<FileFacts>]) -> Vec<(usize, Arc<FormatUnits>)> {
    let settings = &snapshot.workspace.settings;
    let memory = &snapshot.workspace.memory;
    let mut groups = Vec::new();
    for (index, format) in settings.formats.iter().enumerate() {
        let mine: Vec<&Arc<FileFacts>> =
            facts.iter().filter(|f| f.format == Some(index) && f.parsed.is_some()).collect();
        if mine.is_empty() {
            continue;
        }
        let known = lock(&memory.units).get(&index).cloned().filter(|k| k.options == settings.options);
        let same = |k: &Arc<FormatUnits>| {
            k.files.len() == mine.len() && k.files.iter().zip(&mine).all(|(a, b)| Arc::ptr_eq(a, &b.file))
        };
        let units = known.clone().filter(same).unwrap_or_else(|| regroup(settings, *format, &mine, known.as_deref()));
        lock(&memory.units).insert(index, units.clone());
        groups.push((index, units));
    }
    groups
}

/// Groups the files of a format, of which some are new; the grouping stays where nothing changed that it reads.
fn regroup(
    settings: &Settings,
    format: &dyn Format,
    mine: &[&Arc<FileFacts>],
    known: Option<&FormatUnits>,
) -> Arc<FormatUnits> {
    let input = |f: &FileFacts| Some(Input { file: f.file.clone(), parsed: f.parsed.clone()? });
    let outline = |f: &FileFacts| {
        *f.outline.get_or_init(|| {
            let whole = f.file.hash;
            let read = |input: Input| guard("group", String::new, || format.outline(&input)).unwrap_or(whole);
            input(f).map_or(whole, read)
        })
    };
    let outlines: Vec<(FileId, u64)> = mine.iter().map(|f| (f.file.id, outline(f))).collect();
    let inputs: Vec<Input> = mine.iter().filter_map(|f| input(f)).collect();
    let (units, failure) = match known.filter(|k| k.outlines == outlines) {
        Some(known) => (known.units.clone(), known.failure.clone()),
        None => {
            let (mut units, failure) =
                match guard("group", || format.name().to_owned(), || format.units(&inputs, &settings.options)) {
                    Ok(units) => (units, None),
                    Err(failure) => (Vec::new(), Some(failure)),
                };
            units.sort_by(|a, b| (&a.name, &a.variant).cmp(&(&b.name, &b.variant)));
            (units.into(), failure)
        }
    };
    Arc::new(FormatUnits {
        files: mine.iter().map(|f| f.file.clone()).collect(),
        outlines,
        options: settings.options.clone(),
        inputs: Arc::new(inputs.into_iter().map(|i| (i.file.id, i)).collect()),
        units,
        failure,
    })
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

/// The paths below a folder, sorted. A folder is listed once for each state of the files' names.
fn list(snapshot: &Snapshot, folder: &str) -> List {
    let workspace = &snapshot.workspace;
    let mut listed = lock(&workspace.memory.listed);
    if !Arc::ptr_eq(&listed.present, &workspace.present) || !Arc::ptr_eq(&listed.members, &workspace.members) {
        *listed = Listed {
            present: workspace.present.clone(),
            members: workspace.members.clone(),
            folders: FastMap::default(),
        };
    }
    if let Some(known) = listed.folders.get(folder) {
        return known.clone();
    }
    let below = normalize(folder);
    let inside =
        |path: &Arc<str>| below.is_empty() || path.strip_prefix(&*below).is_some_and(|rest| rest.starts_with('/'));
    let mut paths: Vec<Arc<str>> = workspace.present.iter().filter(|p| inside(p)).cloned().collect();
    paths.extend(workspace.members.keys().filter(|p| inside(p)).cloned());
    paths.sort_unstable();
    paths.dedup();
    let list: List = paths.into();
    listed.folders.insert(folder.into(), list.clone());
    list
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
        found.to_vec()
    };
    let cx = LowerContext { inputs, options, read: &reader, list: &lister };
    let format = snapshot.workspace.settings.formats[index];
    let result = guard("lower", || format!("{} {}", format.name(), unit.name), || format.lower(unit, &cx));
    let (lowered, failure) = match result {
        Ok(lowered) => (lowered, None),
        Err(failure) => (Default::default(), Some(failure)),
    };
    LoweredUnit {
        format: index,
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
        && known.lists.iter().all(|(folder, k)| {
            let now = list(snapshot, folder);
            Arc::ptr_eq(k, &now) || *k == now
        })
}

/// Lowers every unit that is not as it was.
pub(super) fn lower_all(snapshot: &Snapshot, groups: &[(usize, Arc<FormatUnits>)]) -> Vec<Arc<LoweredUnit>> {
    let memory = &snapshot.workspace.memory;
    let known = lock(&memory.lowered).clone();
    let work: Vec<(usize, &Unit, &FormatUnits)> =
        groups.iter().flat_map(|(i, g)| g.units.iter().map(move |u| (*i, u, &**g))).collect();
    let key = |index: usize, unit: &Unit| (index, unit.name.clone(), unit.variant.clone());
    let mut lowered: Vec<Option<Arc<LoweredUnit>>> = work
        .iter()
        .map(|(index, unit, group)| {
            known.get(&key(*index, unit)).filter(|k| is_current(snapshot, k, unit, &group.inputs)).cloned()
        })
        .collect();
    let stale: Vec<usize> = (0..work.len()).filter(|&i| lowered[i].is_none()).collect();
    let size = |i: &usize| {
        let (_, unit, group) = work[*i];
        unit.files.iter().filter_map(|f| group.inputs.get(f)).map(|i| i.file.text.len()).sum::<usize>()
    };
    let parallel = stale.len() > 1 && stale.iter().map(size).sum::<usize>() > SERIAL_BYTES;
    let fresh = map_all(&stale, parallel, |&i| {
        let (index, unit, group) = work[i];
        Arc::new(lower_one(snapshot, index, unit, &group.inputs, &snapshot.workspace.settings.options))
    });
    for (i, unit) in stale.into_iter().zip(fresh) {
        lowered[i] = Some(unit);
    }
    let lowered: Vec<Arc<LoweredUnit>> = lowered.into_iter().flatten().collect();
    *lock(&memory.lowered) = Arc::new(lowered.iter().map(|l| (l.key(), l.clone())).collect());
    lowered
}
