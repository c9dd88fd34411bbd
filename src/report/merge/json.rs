//! Reports in the JSON contract.

use super::{Joined, add, number, take_list, text, union, write_object, written};
use crate::base::FastMap;
use crate::diagnostic::Severity;
use serde_json::{Map, Value};

type Object = Map<String, Value>;

/// Where something stands, for the order of lists.
fn place(value: &Value) -> (bool, &str, u64, u64) {
    let file = value.get("file").and_then(Value::as_str);
    let offset = |pointer| number(value.pointer(pointer));
    (file.is_some(), file.unwrap_or(""), offset("/start/offset"), offset("/end/offset"))
}

fn sort_findings(findings: &mut [Value]) {
    findings.sort_by(|a, b| {
        place(a)
            .cmp(&place(b))
            .then_with(|| text(a, "/policy").cmp(text(b, "/policy")))
            .then_with(|| address(a).cmp(address(b)))
            .then_with(|| text(a, "/message").cmp(text(b, "/message")))
    });
}

/// The address of a finding's resource; of one that is ignored it stands for the resource.
fn address(finding: &Value) -> &str {
    match finding.get("resource") {
        Some(Value::String(address)) => address,
        _ => text(finding, "/resource/address"),
    }
}

pub fn merge(mut documents: Vec<Object>) -> Result<Joined, (usize, String)> {
    for (index, document) in documents.iter().enumerate() {
        let is_report = document.get("findings").is_some_and(Value::is_array)
            && document.get("coverage").is_some_and(Value::is_object);
        if !is_report {
            return Err((index, "this is no report of stacklint".to_owned()));
        }
    }
    let about_change = |document: &Object| document.contains_key("since");
    let since = documents.first().is_some_and(about_change);
    if let Some(index) = documents.iter().position(|d| about_change(d) != since) {
        let (this, first) = if since { ("all findings", "a change") } else { ("a change", "all findings") };
        return Err((index, format!("it is about {this}, the first report is about {first} (`--since`)")));
    }
    let same = |value: &Value| value.to_string();
    let mut lists = |name: &str| union(documents.iter_mut().map(|d| take_list(d, name)), same);
    let mut findings = lists("findings");
    let mut fixed = lists("fixed");
    let mut unchanged = lists("unchanged");
    let mut suppressed = lists("suppressed");
    let mut errors = lists("errors");
    for list in [&mut findings, &mut fixed, &mut unchanged, &mut suppressed] {
        sort_findings(list);
    }
    // As in one report: what is wrong in files, then files that were not read at all, then our own faults.
    let internal = |e: &Value| e.get("internal").and_then(Value::as_bool).unwrap_or(false);
    let kind = |e: &Value| (internal(e), e.get("start").is_none_or(Value::is_null));
    errors.sort_by(|a, b| (kind(a), place(a), text(a, "/message")).cmp(&(kind(b), place(b), text(b, "/message"))));
    let worst = findings.iter().filter_map(|f| Severity::parse(text(f, "/severity"))).max();

    let mut merged = Object::new();
    let version = documents.first().and_then(|d| d.get("version")).cloned().unwrap_or_default();
    merged.insert("version".into(), version);
    let introduced = findings.len();
    merged.insert("findings".into(), findings.into());
    if since {
        let with_unchanged = documents.iter().any(|d| d.contains_key("unchanged"));
        let parts: Vec<&Object> = documents.iter().filter_map(|d| d.get("since")?.as_object()).collect();
        let mut since = merge_since(&parts);
        since.insert("introduced".into(), introduced.into());
        since.insert("fixed".into(), fixed.len().into());
        if with_unchanged {
            since.insert("unchanged".into(), unchanged.len().into());
        }
        merged.insert("since".into(), since.into());
        merged.insert("fixed".into(), fixed.into());
        if with_unchanged {
            merged.insert("unchanged".into(), unchanged.into());
        }
    }
    merged.insert("suppressed".into(), suppressed.into());
    merged.insert("errors".into(), errors.into());
    let coverages = documents.into_iter().filter_map(|mut d| match d.remove("coverage") {
        Some(Value::Object(coverage)) => Some(coverage),
        _ => None,
    });
    merged.insert("coverage".into(), merge_coverage(coverages.collect()).into());

    let mut text = Vec::new();
    let done = write_object(&merged, &mut text).map(|()| {
        text.push(b'\n');
        text
    });
    Ok(Joined { text: written(done)?, worst })
}

/// What the reports are held against: the words where they agree, the sums of the numbers.
pub fn merge_since(parts: &[&Object]) -> Object {
    let agreed = |name: &str| {
        let mut values = parts.iter().filter_map(|p| p.get(name));
        let first = values.next().cloned().unwrap_or_default();
        if values.all(|v| *v == first) { first } else { Value::Null }
    };
    let mut since = Object::new();
    for name in ["ref", "commit"] {
        since.insert(name.into(), agreed(name));
    }
    for name in ["introduced", "fixed", "unchanged"] {
        since.insert(name.into(), parts.iter().map(|p| number(p.get(name))).sum::<u64>().into());
    }
    let mut hidden = Object::new();
    for part in parts.iter().filter_map(|p| p.get("hidden")?.as_object()) {
        add(&mut hidden, part);
    }
    since.insert("hidden".into(), hidden.into());
    let notes = parts.iter().map(|p| p.get("notes").and_then(Value::as_array).cloned().unwrap_or_default());
    since.insert("notes".into(), union(notes, |v| v.to_string()).into());
    since
}

fn merge_coverage(mut parts: Vec<Object>) -> Object {
    let mut merged = Object::new();
    let complete = parts.iter().all(|p| p.get("complete").and_then(Value::as_bool).unwrap_or(false));
    merged.insert("complete".into(), complete.into());
    let same = |value: &Value| value.to_string();
    let mut files = union(parts.iter_mut().map(|p| take_list(p, "files")), |f| text(f, "/file").to_owned());
    files.sort_by(|a, b| text(a, "/file").cmp(text(b, "/file")));
    // Counted anew, since a file may be in several reports.
    let names = parts.iter().filter_map(|p| p.get("states")?.as_object()).flat_map(Object::keys);
    let mut states: Object = names.map(|name| (name.clone(), 0.into())).collect();
    for file in &files {
        let n = states.entry(text(file, "/state")).or_insert(Value::Null);
        *n = (number(Some(n)) + 1).into();
    }
    merged.insert("states".into(), states.into());
    for name in ["resources", "edges"] {
        merged.insert(name.into(), parts.iter().map(|p| number(p.get(name))).sum::<u64>().into());
    }
    merged.insert("policies".into(), parts.iter().map(|p| number(p.get("policies"))).max().unwrap_or(0).into());
    merged.insert("evaluations".into(), parts.iter().map(|p| number(p.get("evaluations"))).sum::<u64>().into());
    let unknown: Vec<Object> = parts.iter_mut().filter_map(|p| p.remove("unknown")?.as_object().cloned()).collect();
    merged.insert("unknown".into(), merge_unknown(unknown).into());
    for name in ["unparsed", "not_known"] {
        let mut list = union(parts.iter_mut().map(|p| take_list(p, name)), same);
        list.sort_by(|a, b| place(a).cmp(&place(b)));
        merged.insert(name.into(), list.into());
    }
    merged.insert("files".into(), files.into());
    merged
}

/// Inputs that are not known, each once, with all the answers that it blocks.
fn merge_unknown(parts: Vec<Object>) -> Object {
    let mut causes = Object::new();
    let mut inputs: Vec<Object> = Vec::new();
    let mut index: FastMap<String, usize> = FastMap::default();
    let mut total = 0;
    for mut part in parts {
        total += number(part.get("total"));
        if let Some(mine) = part.get("causes").and_then(Value::as_object) {
            add(&mut causes, mine);
        }
        for input in take_list(&mut part, "inputs") {
            let Value::Object(mut input) = input else { continue };
            let blocks = take_list(&mut input, "blocks");
            input.insert("blocks".into(), Value::Null);
            let slot = *index.entry(Value::Object(input.clone()).to_string()).or_insert_with(|| {
                input.insert("blocks".into(), Value::Array(Vec::new()));
                inputs.push(input);
                inputs.len() - 1
            });
            let Some(Value::Array(known)) = inputs.get_mut(slot).and_then(|i| i.get_mut("blocks")) else { continue };
            for mut block in blocks {
                match known.iter_mut().find(|k| k.get("policy") == block.get("policy")) {
                    Some(same) => {
                        let more = block.as_object_mut().map(|b| take_list(b, "resources")).unwrap_or_default();
                        if let Some(Value::Array(resources)) = same.get_mut("resources") {
                            resources.extend(more);
                        }
                    }
                    None => known.push(block),
                }
            }
        }
    }
    causes.sort_keys();
    let mut merged = Object::new();
    merged.insert("total".into(), total.into());
    merged.insert("causes".into(), causes.into());
    merged.insert("inputs".into(), inputs.into_iter().map(Value::Object).collect());
    merged
}
