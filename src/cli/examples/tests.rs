//! What the fixes of the embedded policies make of those policies' bad examples, as people will see it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

use super::{mend, only, workspace};
use crate::analysis::{CancelToken, Scope};
use crate::policy::model::Example;
use crate::policy::{Choice, Chosen, PolicySet};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

type Files = Vec<(String, String)>;

fn policies_with_fixes(set: &PolicySet) -> Vec<usize> {
    let has_fix = |i: &usize| set.entries()[*i].policy().is_some_and(|p| p.policy.fix.is_some());
    (0..set.entries().len()).filter(has_fix).collect()
}

/// The files of an example with what the fix changed.
fn mended(set: &Arc<PolicySet>, policy: usize, example: &Example, files: &Files) -> Option<Files> {
    let outcome = mend(set, policy, example, files)?;
    if outcome.fixed == 0 {
        return None;
    }
    let after = |path: &str| outcome.changed.iter().find(|c| *c.path == *path).map(|c| c.after.to_string());
    Some(files.iter().map(|(path, text)| (path.clone(), after(path).unwrap_or_else(|| text.clone()))).collect())
}

/// The policies that find something in these files.
fn found(set: &Arc<PolicySet>, chosen: Chosen, files: &Files) -> BTreeSet<String> {
    let report = workspace(set, chosen, files).snapshot().check(&Scope::All, &CancelToken::new()).unwrap();
    assert!(report.errors.is_empty(), "{:?} in {files:?}", report.errors);
    let implied = report.suppressed.iter().map(|s| &s.diagnostic);
    report.diagnostics.iter().chain(implied).map(|d| d.rule.name.clone()).collect()
}

/// One snapshot a folder of policies: the mended text of every bad example.
#[test]
fn fixed_examples_look_as_a_person_would_write_them() {
    let set = Arc::new(PolicySet::builtin());
    let texts: Vec<(String, String)> = policies_with_fixes(&set)
        .par_iter()
        .map(|&policy| {
            let entry = &set.entries()[policy];
            let folder = entry.index.file.rsplit_once('/').map_or("", |(folder, _)| folder);
            let folder = folder.trim_start_matches("policies/").replace('/', "-");
            let mut text = format!("# {}\n", entry.name());
            for example in &entry.examples().bad {
                let Some(files) = mended(&set, policy, example, &example.files) else { continue };
                for ((path, after), (_, before)) in files.iter().zip(&example.files) {
                    if after != before {
                        let _ = write!(text, "## {path}\n{}\n", after.trim_end());
                    }
                }
            }
            (folder, text)
        })
        .collect();
    let mut folders: BTreeMap<String, String> = BTreeMap::new();
    for (folder, text) in texts {
        *folders.entry(folder).or_default() += &text;
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/fixes"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for (folder, text) in folders {
            insta::assert_snapshot!(folder, text);
        }
    });
}

/// A second run changes nothing, no default policy finds anything new, and the text can be read by parsers that are not
/// ours, too.
#[test]
fn fixes_are_idempotent_and_break_nothing() {
    let set = Arc::new(PolicySet::builtin());
    let failures: Vec<String> = policies_with_fixes(&set)
        .par_iter()
        .flat_map_iter(|&policy| {
            let set = &set;
            let entry = &set.entries()[policy];
            entry.examples().bad.clone().into_iter().filter_map(move |example| {
                let name = entry.name();
                let files = mended(set, policy, &example, &example.files)?;
                if mended(set, policy, &example, &files).is_some() {
                    return Some(format!("{name}: a second run changes it again: {files:?}"));
                }
                if !found(set, only(set, policy, &example)?, &files).is_empty() {
                    return Some(format!("{name}: the finding stays: {files:?}"));
                }
                let default = || set.choose(&Choice::default()).unwrap();
                let before = found(set, default(), &example.files);
                let new: Vec<String> = found(set, default(), &files).difference(&before).cloned().collect();
                if !new.is_empty() {
                    return Some(format!("{name}: {new:?} are found afterwards: {files:?}"));
                }
                files.iter().find_map(|(path, text)| {
                    let refused = path.ends_with(".tf") && text.parse::<hcl_edit::structure::Body>().is_err();
                    refused.then(|| format!("{name}: hcl-edit does not read {text}"))
                })
            })
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// A comment behind every line and above every instruction is still there afterwards.
#[test]
fn comments_survive_fixes() {
    let set = Arc::new(PolicySet::builtin());
    let failures: Vec<String> = policies_with_fixes(&set)
        .par_iter()
        .flat_map_iter(|&policy| {
            let set = &set;
            let entry = &set.entries()[policy];
            entry.examples().bad.clone().into_iter().filter_map(move |example| {
                let files: Files = example
                    .files
                    .iter()
                    .map(|(path, text)| Some((path.clone(), commented(path, text)?)))
                    .collect::<Option<_>>()?;
                let after = mended(set, policy, &example, &files)?;
                let count = |files: &Files| files.iter().map(|(_, text)| text.matches("# kept").count()).sum::<usize>();
                // What is removed takes the comment behind it along.
                let removes = entry.policy()?.policy.fix.as_ref()?.removes();
                (!removes && count(&after) != count(&files)).then(|| format!("{}: {after:?}", entry.name()))
            })
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// The text with comments; `None` where a line may be inside of a text, in which a comment is none.
fn commented(path: &str, text: &str) -> Option<String> {
    let dockerfile = !path.ends_with(".tf") && !path.ends_with(".yaml");
    if text.contains("<<")
        || text.contains(": |")
        || text.contains(": >")
        || text.contains('\\')
        || path.ends_with(".json")
    {
        return None;
    }
    let comment = |line: &str| match (line.trim().is_empty() || line.trim() == "---", dockerfile) {
        (true, _) => format!("{line}\n"),
        (false, true) => format!("# kept\n{line}\n"),
        (false, false) => format!("{line} # kept\n"),
    };
    Some(text.lines().map(comment).collect())
}
