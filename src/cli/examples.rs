//! `stacklint policy test`: the examples of policies as tests.

use super::Ending;
use super::args::SelectionArgs;
use super::session::{Problem, Session, load_policies};
use super::terminal::Terminal;
use crate::analysis::{CancelToken, Change, Report, Scope, Settings, Workspace};
use crate::fix::{Outcome, fix_all};
use crate::load::git::Version;
use crate::policy::model::Example;
use crate::policy::{Chosen, PolicySet, dead_paths, literal_value};
use rayon::prelude::*;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

pub fn run(folder: Option<&Path>, selection: &SelectionArgs, terminal: &Terminal) -> Result<Ending, Problem> {
    let started = Instant::now();
    let session = Session::new(selection)?;
    let mut set = session.policies(terminal)?;
    let mut only: Option<Vec<String>> = None;
    if let Some(folder) = folder {
        let own = load_policies(&session.working_directory.join(folder), Version::Disk, terminal)?;
        only = Some(own.entries().iter().map(|e| e.name().to_owned()).collect());
        set.extend(own);
    }
    let set = Arc::new(set);
    let wanted: Vec<usize> = set
        .entries()
        .iter()
        .enumerate()
        .filter(|(_, entry)| only.as_ref().is_none_or(|names| names.iter().any(|n| n == entry.name())))
        .filter(|(_, entry)| entry.policy().is_some_and(|p| session.config.wants(&p.rule)))
        .map(|(i, _)| i)
        .collect();
    let outcomes: Vec<(usize, Vec<String>)> = wanted.par_iter().map(|&i| test(&set, i)).collect();
    let examples: usize = outcomes.iter().map(|(n, _)| n).sum();
    let failures: Vec<&String> = outcomes.iter().flat_map(|(_, f)| f).collect();
    for entry in wanted.iter().filter_map(|&i| set.entries().get(i)) {
        let Some(compiled) = entry.policy() else { continue };
        for dead in dead_paths::dead(&compiled.policy) {
            terminal.warn(&format!("{}: `{}` can never be there: {}", entry.index.file, dead.text, dead.message));
        }
    }
    let mut out = std::io::stdout().lock();
    for failure in &failures {
        writeln!(out, "{failure}")?;
    }
    let seconds = started.elapsed().as_secs_f64();
    let verdict = if failures.is_empty() { "all hold".to_owned() } else { format!("{} do not hold", failures.len()) };
    writeln!(out, "{examples} examples of {} policies in {seconds:.2} s: {verdict}", wanted.len())?;
    Ok(if failures.is_empty() { Ending::Clean } else { Ending::Findings })
}

/// Runs the examples of one policy: how many there are, and what is wrong.
pub fn test(set: &Arc<PolicySet>, policy: usize) -> (usize, Vec<String>) {
    let mut failures = Vec::new();
    let Some(entry) = set.entries().get(policy) else { return (0, failures) };
    let examples = entry.examples();
    let all = examples.bad.iter().map(|e| (e, true)).chain(examples.good.iter().map(|e| (e, false)));
    for (number, (example, bad)) in all.enumerate() {
        if let Some(why) = verdict(set, policy, example, bad) {
            let kind = if bad { "bad" } else { "good" };
            let number = if bad { number + 1 } else { number + 1 - examples.bad.len() };
            let (line, _) = example.place;
            let note = if example.note.is_empty() { String::new() } else { format!(" ({})", example.note) };
            failures.push(format!("{}:{line}: {kind} example {number}{note}: {why}", entry.index.file));
        }
    }
    let names = entry.policy().map(|p| p.policy.rule.implied_by.clone()).unwrap_or_default();
    for name in names {
        let wrong = match set.get(&name).map(|other| &other.policy.rule) {
            None => "is no policy",
            Some(other) if other.implied_by.iter().any(|n| n == entry.name()) => "is itself implied by this one",
            Some(other) if other.severity < entry.severity() => "is less severe, so less would be said",
            Some(_) => continue,
        };
        failures.push(format!("{}: `implied_by` names `{name}`, which {wrong}", entry.index.file));
    }
    if !fix_keeps_its_word(set, policy, &examples.bad) {
        failures.push(format!("{}: the fix mends none of the bad examples", entry.index.file));
    }
    (examples.bad.len() + examples.good.len(), failures)
}

/// What is wrong with an example; `None` where it holds.
fn verdict(set: &Arc<PolicySet>, policy: usize, example: &Example, bad: bool) -> Option<String> {
    let report = check(set, policy, example)?;
    if let Some(failure) = report.failures.first() {
        return Some(format!("stacklint broke: {} {}: {}", failure.step, failure.subject, failure.message));
    }
    let line = |span: crate::base::Span| report.files.get(span.file).map_or(0, |f| f.lines().line(span.start));
    if let Some(error) = report.errors.first() {
        return Some(format!("line {}: {}", line(error.span), error.message));
    }
    if let Some(skipped) = report.ledger.files.iter().find(|f| f.format.is_none()) {
        return Some(format!("no format reads `{}`", skipped.path));
    }
    if !bad {
        if let Some(found) = report.diagnostics.first() {
            return Some(format!("a finding on line {}: {}", line(found.primary.span), found.message));
        }
        return (example.unknown && report.unknowns.is_empty())
            .then(|| "the result should be unknown and is not".to_owned());
    }
    if report.diagnostics.is_empty() {
        let why = report.unknowns.first().map(|u| format!("; it is unknown because {}", u.message)).unwrap_or_default();
        return Some(format!("no finding{why}"));
    }
    if example.lines.is_empty() {
        return None;
    }
    let mut lines: Vec<u32> = report.diagnostics.iter().map(|d| line(d.primary.span)).collect();
    lines.sort_unstable();
    lines.dedup();
    let mut wanted = example.lines.clone();
    wanted.sort_unstable();
    (lines != wanted).then(|| format!("findings on lines {lines:?}, expected on {wanted:?}"))
}

/// Checks the files of an example with one policy.
fn check(set: &Arc<PolicySet>, policy: usize, example: &Example) -> Option<Report> {
    let chosen = only(set, policy, example)?;
    workspace(set, chosen, &example.files).snapshot().check(&Scope::All, &CancelToken::new()).ok()
}

/// One policy, with what the example sets.
fn only(set: &PolicySet, policy: usize, example: &Example) -> Option<Chosen> {
    let entry = set.entries().get(policy)?;
    let number = u32::try_from(policy).ok()?;
    let mut chosen = Chosen { policies: vec![(number, entry.severity())], ..Chosen::default() };
    for (name, value) in &example.params {
        chosen.params.entry(number).or_default().insert(name.clone(), literal_value(value));
    }
    Some(chosen)
}

/// The files of an example, open.
fn workspace(set: &Arc<PolicySet>, chosen: Chosen, files: &[(String, String)]) -> Workspace {
    let texts: Vec<(String, Arc<str>)> =
        files.iter().map(|(path, text)| (path.clone(), text.as_str().into())).collect();
    let readable = texts.clone();
    let mut workspace =
        Workspace::new(Settings { policies: set.clone(), chosen: Arc::new(chosen), ..Settings::default() });
    workspace.apply(Change {
        set: texts,
        reader: Some(Arc::new(move |path: &str| readable.iter().find(|(p, _)| p == path).map(|(_, t)| t.clone()))),
        ..Change::default()
    });
    workspace
}

/// What the policy's own fix makes of these files.
fn mend(set: &Arc<PolicySet>, policy: usize, example: &Example, files: &[(String, String)]) -> Option<Outcome> {
    let mut workspace = workspace(set, only(set, policy, example)?, files);
    fix_all(&mut workspace, true, &CancelToken::new()).ok()
}

/// Whether the fix of a policy, if it has one, mends one of its bad examples: a fix that mends none is a promise that is
/// not kept.
fn fix_keeps_its_word(set: &Arc<PolicySet>, policy: usize, bad: &[Example]) -> bool {
    let has_fix = set.entries().get(policy).and_then(|e| e.policy()).is_some_and(|p| p.policy.fix.is_some());
    !has_fix || bad.iter().any(|e| mend(set, policy, e, &e.files).is_some_and(|outcome| outcome.fixed > 0))
}

#[cfg(test)]
mod tests;
