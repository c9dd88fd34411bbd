//! Reports in SARIF. Runs of the same category become one; others stay beside each other, as GitHub wants them.

use super::json::merge_since;
use super::{Joined, number, take_list, text, union, write_object, written};
use crate::base::FastMap;
use crate::diagnostic::Severity;
use crate::report::sarif::MAX_RESULTS;
use serde_json::{Map, Value, json};
use std::io::Write;

type Object = Map<String, Value>;

pub fn merge(mut documents: Vec<Object>) -> Result<Joined, (usize, String)> {
    let mut by_category: Vec<(String, Vec<Object>)> = Vec::new();
    for (index, document) in documents.iter_mut().enumerate() {
        for run in take_list(document, "runs") {
            if text(&run, "/tool/driver/name") != super::super::TOOL {
                return Err((index, "this is no report of stacklint".to_owned()));
            }
            let category = text(&run, "/automationDetails/id").to_owned();
            let Value::Object(run) = run else { continue };
            match by_category.iter_mut().find(|(known, _)| *known == category) {
                Some((_, runs)) => runs.push(run),
                None => by_category.push((category, vec![run])),
            }
        }
    }
    let runs: Vec<Object> = by_category.into_iter().filter_map(|(_, runs)| merge_runs(runs)).collect();
    let results = runs.iter().filter_map(|r| r.get("results")?.as_array()).flatten();
    let worst = results.filter(|r| is_open(r)).filter_map(|r| Severity::parse(text(r, "/properties/severity"))).max();
    let mut head = documents.into_iter().next().unwrap_or_default();
    head.remove("runs");
    head.entry("version").or_insert_with(|| "2.1.0".into());
    Ok(Joined { text: written(write(&head, &runs))?, worst })
}

fn write(head: &Object, runs: &[Object]) -> std::io::Result<Vec<u8>> {
    let mut out: Vec<u8> = Vec::new();
    write_object(head, &mut out)?;
    // The object stays open for the runs.
    out.pop();
    out.write_all(b",\n\"runs\": [")?;
    for (i, run) in runs.iter().enumerate() {
        if i > 0 {
            out.write_all(b",\n")?;
        }
        write_object(run, &mut out)?;
    }
    out.write_all(b"]}\n")?;
    Ok(out)
}

/// Whether a result is a finding of now that nothing silences.
fn is_open(result: &Value) -> bool {
    result.get("suppressions").is_none() && !matches!(text(result, "/baselineState"), "unchanged" | "absent")
}

/// The order of a single run: what is open, what is silenced, what was there before, what is gone; each by place.
fn order(result: &Value) -> impl Ord + use<> {
    let class = match text(result, "/baselineState") {
        "unchanged" => 2,
        "absent" => 3,
        _ => u8::from(result.get("suppressions").is_some()),
    };
    let at = "/locations/0/physicalLocation";
    let n = |name: &str| number(result.pointer(&format!("{at}/region/{name}")));
    let place = (n("startLine"), n("startColumn"), n("endLine"), n("endColumn"));
    let words = ["/ruleId", "/locations/0/logicalLocations/0/fullyQualifiedName", "/message/text"]
        .map(|pointer| text(result, pointer).to_owned());
    (class, text(result, &format!("{at}/artifactLocation/uri")).to_owned(), place, words)
}

fn rank(result: &Value) -> Option<Severity> {
    Severity::parse(text(result, "/properties/severity"))
}

fn merge_runs(mut runs: Vec<Object>) -> Option<Object> {
    let mut rules: FastMap<String, Value> = FastMap::default();
    for run in &mut runs {
        let driver = run.get_mut("tool").and_then(|t| t.get_mut("driver")).and_then(Value::as_object_mut);
        for rule in driver.map(|d| take_list(d, "rules")).unwrap_or_default() {
            rules.entry(text(&rule, "/id").to_owned()).or_insert(rule);
        }
    }
    // What tells findings apart is neither the number of the rule nor that of the finding among equal ones.
    let plain = |result: &Value| {
        let mut result = result.clone();
        if let Some(object) = result.as_object_mut() {
            object.remove("ruleIndex");
        }
        if let Some(object) = result.get_mut("partialFingerprints").and_then(Value::as_object_mut) {
            object.remove("primaryLocationLineHash");
        }
        result.to_string()
    };
    let mut results = union(runs.iter_mut().map(|r| take_list(r, "results")), plain);
    results.sort_by_cached_key(order);
    let mut notifications = union(
        runs.iter_mut().map(|run| {
            let invocations = take_list(run, "invocations");
            let lists = invocations
                .into_iter()
                .filter_map(|mut i| Some(take_list(i.as_object_mut()?, "toolExecutionNotifications")));
            lists.flatten().collect()
        }),
        |n| n.to_string(),
    );
    let all = results.len();
    if all > MAX_RESULTS {
        // A stable sort and back again: the worst stay, in their order.
        let mut order: Vec<usize> = (0..all).collect();
        order.sort_by_key(|&i| std::cmp::Reverse(results.get(i).and_then(rank)));
        order.truncate(MAX_RESULTS);
        order.sort_unstable();
        results = order.into_iter().filter_map(|i| results.get_mut(i).map(Value::take)).collect();
        notifications.push(json!({
            "level": "warning",
            "message": { "text": format!(
                "{all} findings are more than GitHub takes in one run; the {MAX_RESULTS} worst are here."
            ) }
        }));
    }
    let numbered = number_results(&mut results, rules);
    let successful = runs.iter().all(|r| {
        let invocations = r.get("invocations").and_then(Value::as_array);
        invocations.into_iter().flatten().all(|i| i.get("executionSuccessful").and_then(Value::as_bool) == Some(true))
    });
    let since: Vec<Object> =
        runs.iter().filter_map(|r| r.get("properties")?.get("since")?.as_object().cloned()).collect();
    let mut merged = runs.into_iter().next()?;
    if let Some(driver) = merged.get_mut("tool").and_then(|t| t.get_mut("driver")).and_then(Value::as_object_mut) {
        driver.insert("rules".into(), numbered.into());
    }
    merged.insert(
        "invocations".into(),
        json!([{ "executionSuccessful": successful, "toolExecutionNotifications": notifications }]),
    );
    merged.insert("results".into(), results.into());
    if !since.is_empty() {
        let mut since = merge_since(&since.iter().collect::<Vec<_>>());
        since.retain(|name, _| name != "hidden" && name != "notes");
        merged.insert("properties".into(), json!({ "since": since }));
    }
    Some(merged)
}

/// Gives each result the number of its rule, in the order in which results first name them, and findings of one
/// fingerprint their numbers. The rules in that order.
fn number_results(results: &mut [Value], mut rules: FastMap<String, Value>) -> Vec<Value> {
    let mut order: FastMap<String, usize> = FastMap::default();
    let mut numbered = Vec::new();
    let mut seen: FastMap<String, u32> = FastMap::default();
    for result in results {
        let id = text(result, "/ruleId").to_owned();
        let index = *order.entry(id.clone()).or_insert_with(|| {
            numbered.push(rules.remove(&id).unwrap_or_else(|| json!({ "id": id })));
            numbered.len() - 1
        });
        let fingerprint = text(result, "/partialFingerprints/stacklint~1v1").to_owned();
        let mut unique = fingerprint.clone();
        if is_open(result) {
            let n = seen.entry(fingerprint).or_default();
            *n += 1;
            if *n > 1 {
                unique = format!("{unique}:{n}");
            }
        }
        if let Some(object) = result.as_object_mut() {
            object.insert("ruleIndex".into(), index.into());
        }
        if let Some(object) = result.get_mut("partialFingerprints").and_then(Value::as_object_mut) {
            object.insert("primaryLocationLineHash".into(), unique.into());
        }
    }
    numbered
}
