//! The values that a chart's templates see: defaults, the user's, those of parents and globals, coalesced as Helm does.

use super::builtins::path_value;
use super::chart::{Chart, Dependency};
use super::functions::versions::{Range, parse};
use super::value::{MapRef, Value};
use std::rc::Rc;

/// What Helm tells about values without failing.
pub type Warnings = Vec<String>;

/// Values files one over the other: maps are merged, everything else is replaced.
pub fn merge_over(target: &MapRef, source: &MapRef) {
    for (key, value) in source.entries() {
        let both = target.get(&key).and_then(|t| Some((t.as_map()?.clone(), value.as_map()?.clone())));
        match both {
            Some((old, new)) => merge_over(&old, &new),
            None => target.set(key, value),
        }
    }
}

/// The chart's values with the user's over them. A user's null deletes the default.
pub fn coalesce(chart: &Chart, user: &MapRef, merge: bool) -> Result<MapRef, String> {
    let target = user.deep_copy();
    coalesce_chart(chart, &target, merge, &mut Warnings::new())?;
    Ok(target)
}

fn coalesce_chart(chart: &Chart, target: &MapRef, merge: bool, warnings: &mut Warnings) -> Result<(), String> {
    coalesce_values(chart, target, merge, warnings);
    for child in &chart.charts {
        match target.get(&child.name) {
            None => target.set(child.name.as_str(), MapRef::default().into()),
            Some(v) if v.as_map().is_none() => {
                return Err(format!("type mismatch on {}: {}", child.name, v.type_name()));
            }
            Some(_) => {}
        }
        let Some(inner) = target.get(&child.name).and_then(|v| v.as_map().cloned()) else { continue };
        coalesce_globals(&inner, target, warnings);
        coalesce_chart(child, &inner, merge, warnings)?;
    }
    Ok(())
}

fn coalesce_values(chart: &Chart, target: &MapRef, merge: bool, warnings: &mut Warnings) {
    for (key, default) in chart.values.deep_copy().entries() {
        match target.get(&key) {
            Some(value) if value.is_nil() && !merge => target.remove(&key),
            Some(value) => {
                let Some(table) = value.as_map() else { continue };
                match default.as_map() {
                    Some(source) => {
                        // A child chart's own defaults come later: until then, nulls stay.
                        let merge = merge || chart.charts.iter().any(|c| c.name == *key);
                        if !merge {
                            clean_nils(source);
                        }
                        coalesce_tables(table, source, merge, warnings);
                    }
                    None if !default.is_nil() => {
                        warnings.push(format!("skipped value for {}.{key}: not a table", chart.name));
                    }
                    None => {}
                }
            }
            None => {
                if !merge {
                    if default.is_nil() {
                        continue;
                    }
                    if let Some(table) = default.as_map() {
                        clean_nils(table);
                    }
                }
                target.set(key, default);
            }
        }
    }
}

fn clean_nils(map: &MapRef) {
    for (key, value) in map.entries() {
        if value.is_nil() {
            map.remove(&key);
        } else if let Some(inner) = value.as_map() {
            clean_nils(inner);
        }
    }
}

/// Merges `source` into `target`, which has precedence.
pub fn coalesce_tables(target: &MapRef, source: &MapRef, merge: bool, warnings: &mut Warnings) {
    for (key, value) in source.entries() {
        match target.get(&key) {
            Some(own) if !merge && own.is_nil() && !value.is_nil() => target.remove(&key),
            None => target.set(key, value),
            Some(own) => match (own.as_map(), value.as_map()) {
                (Some(own), Some(value)) => coalesce_tables(own, value, merge, warnings),
                (None, Some(_)) => warnings.push(format!("cannot overwrite table with non table for {key}")),
                (Some(_), None) if !value.is_nil() => {
                    warnings.push(format!("destination for {key} is a table. Ignoring non-table value"));
                }
                _ => {}
            },
        }
    }
}

fn coalesce_globals(target: &MapRef, source: &MapRef, warnings: &mut Warnings) {
    let table = |map: &MapRef| match map.get("global") {
        None => Some(MapRef::default()),
        Some(v) => v.as_map().cloned(),
    };
    let (Some(own), Some(parents)) = (table(target), table(source)) else {
        warnings.push("skipping globals that are not a table".to_owned());
        return;
    };
    for (key, value) in parents.entries() {
        match (value.as_map(), own.get(&key)) {
            (Some(map), existing) => {
                let copy = map.shallow_copy();
                match existing.as_ref().map(Value::as_map) {
                    None => own.set(key, Value { place: value.place, ..copy.into() }),
                    Some(None) => warnings.push(format!("cannot merge map onto non-map for {key:?}")),
                    Some(Some(existing)) => {
                        let copy = copy.deep_copy();
                        coalesce_tables(&copy, existing, true, warnings);
                        own.set(key, Value { place: value.place, ..copy.into() });
                    }
                }
            }
            (None, Some(existing)) if existing.as_map().is_some() => {
                warnings.push(format!("key {key} is table. Skipping"));
            }
            (None, _) => own.set(key, value),
        }
    }
    target.set("global", own.into());
}

/// Whether a version satisfies the range that a dependency names.
fn compatible(range: &str, version: &str) -> bool {
    match (Range::parse(range), parse(version)) {
        (Some(range), Some(version)) => range.allows(&version),
        _ => false,
    }
}

/// Removes disabled dependencies, gives aliased ones their name, and imports values of children.
pub fn process_dependencies(chart: &mut Chart, user: &MapRef, warnings: &mut Warnings) -> Result<(), String> {
    enable(chart, user, "", warnings, 0)?;
    import_values(chart, warnings)
}

fn enable(chart: &mut Chart, user: &MapRef, path: &str, warnings: &mut Warnings, depth: usize) -> Result<(), String> {
    if !chart.declares_dependencies || depth > 32 {
        return Ok(());
    }
    let matches = |r: &Dependency, c: &Chart| c.name == r.name && compatible(&r.version, &c.version);
    let mut charts: Vec<Chart> =
        chart.charts.iter().filter(|c| !chart.requirements.iter().any(|r| matches(r, c))).cloned().collect();
    for requirement in &mut chart.requirements {
        if let Some(found) = chart.charts.iter().find(|c| matches(requirement, c)) {
            let mut copy = found.clone();
            if !requirement.alias.is_empty() {
                copy.name.clone_from(&requirement.alias);
                let metadata = copy.metadata.shallow_copy();
                metadata.set("Name", Value::from(requirement.alias.as_str()));
                copy.metadata = metadata;
            }
            charts.push(copy);
        }
        if !requirement.alias.is_empty() {
            requirement.name.clone_from(&requirement.alias);
        }
        requirement.enabled = true;
    }
    chart.charts = charts;
    let values = coalesce(chart, user, false)?;
    let tags = values.get("tags").and_then(|t| t.as_map().cloned());
    for requirement in &mut chart.requirements {
        if let Some(tags) = &tags {
            let mut verdicts = Vec::new();
            for tag in &requirement.tags {
                match tags.get(tag).map(|v| v.data) {
                    Some(super::value::Data::Bool(b)) => verdicts.push(b),
                    Some(_) => warnings.push(format!("tag {tag} of chart {} is no boolean", requirement.name)),
                    None => {}
                }
            }
            requirement.enabled = verdicts.is_empty() || verdicts.contains(&true);
        }
        for condition in requirement.condition.trim().split(',').filter(|c| !c.is_empty()) {
            match path_value(&values, &format!("{path}{condition}")).map(|v| v.data) {
                Some(super::value::Data::Bool(b)) => {
                    requirement.enabled = b;
                    break;
                }
                Some(_) => warnings.push(format!("condition {condition} of chart {} is no boolean", requirement.name)),
                None => {}
            }
        }
    }
    let disabled: Vec<String> = chart.requirements.iter().filter(|r| !r.enabled).map(|r| r.name.clone()).collect();
    chart.charts.retain(|c| !disabled.contains(&c.name));
    chart.requirements.retain(|r| r.enabled);
    if let Some(declared) = chart.metadata.get("Dependencies").and_then(|d| d.as_list().cloned()) {
        // Templates see those that are left, under their aliases.
        let left: Vec<Value> = chart
            .requirements
            .iter()
            .filter_map(|r| {
                let named = |m: &MapRef, key: &str| m.get(key).is_some_and(|v| v.as_str() == Some(r.name.as_str()));
                let found =
                    declared.iter().filter_map(Value::as_map).find(|m| named(m, "Name") || named(m, "Alias"))?;
                let copy = found.shallow_copy();
                copy.set("Name", r.name.as_str().into());
                Some(copy.into())
            })
            .collect();
        let metadata = chart.metadata.shallow_copy();
        metadata.set("Dependencies", left.into());
        chart.metadata = metadata;
    }
    for child in &mut chart.charts {
        let inner = format!("{path}{}.", child.name);
        enable(child, &values, &inner, warnings, depth + 1)?;
    }
    Ok(())
}

fn table_at(map: &MapRef, path: &str) -> Option<MapRef> {
    path.split('.').try_fold(map.clone(), |at, part| at.get(part)?.as_map().cloned())
}

fn import_values(chart: &mut Chart, warnings: &mut Warnings) -> Result<(), String> {
    for child in &mut chart.charts {
        import_values(child, warnings)?;
    }
    if !chart.declares_dependencies {
        return Ok(());
    }
    let values = coalesce(chart, &MapRef::default(), true)?;
    let imported = MapRef::default();
    for requirement in &chart.requirements {
        for import in &requirement.import_values {
            let (child, parent) = match (import.as_str(), import.as_map()) {
                (Some(name), _) => (format!("exports.{name}"), ".".to_owned()),
                (_, Some(map)) => {
                    let text = |key: &str| map.get(key).map(|v| super::format::display(&v)).unwrap_or_default();
                    (text("child"), text("parent"))
                }
                _ => continue,
            };
            let Some(table) = table_at(&values, &format!("{}.{child}", requirement.name)) else {
                warnings.push(format!("import-values: chart {} has no table {child}", requirement.name));
                continue;
            };
            let mut nested = table;
            if parent != "." {
                for part in parent.rsplit('.') {
                    let outer = MapRef::default();
                    outer.set(Rc::<str>::from(part), nested.into());
                    nested = outer;
                }
            }
            coalesce_tables(&imported, &nested.deep_copy(), true, warnings);
        }
    }
    let merged = values.deep_copy();
    coalesce_tables(&merged, &imported, true, warnings);
    chart.values = merged;
    Ok(())
}
