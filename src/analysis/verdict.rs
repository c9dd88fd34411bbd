//! From raw findings to those that are shown: severities, suppression, grouping, order.

use super::check::Built;
use super::evaluate::Found;
use super::suppress::{self, Ignores};
use super::{Report, Scope, Settings, Suppressed, Suppression, SuppressionKind};
use crate::base::{FastMap, FastSet, Files, Span};
use crate::diagnostic::{Diagnostic, Label, Occurrence, Rule};
use std::sync::Arc;

/// Applies the ignores, the configuration and the baseline, makes one finding of many where they say the same, and
/// fills in the findings of the report. They come out in the order of paths and places.
pub(super) fn judge(settings: &Settings, built: &Built, raw: Vec<Found>, within: &Within<'_>, report: &mut Report) {
    let mut ignores = Ignores::collect(settings, built);
    let mut open = Vec::new();
    for found in raw {
        // Ignores are asked first of all, so that one that silences a finding counts as used in any case.
        let by = ignores.find(built, &found).or_else(|| per_path(settings, built, &found.diagnostic));
        match by {
            Some(by) => report.suppressed.push(Suppressed { diagnostic: found.diagnostic, by }),
            None => open.push(found),
        }
    }
    let mut open = said_better(open, report);
    for mut diagnostic in ignores.hygiene(settings, built, &report.unknowns) {
        diagnostic.severity = settings.config.severity_of(&diagnostic.rule);
        if settings.config.min_severity.is_some_and(|least| diagnostic.severity < least) {
            continue;
        }
        match per_path(settings, built, &diagnostic) {
            Some(by) => report.suppressed.push(Suppressed { diagnostic, by }),
            None => open.push(Found { diagnostic, resource: None, fix: None }),
        }
    }
    let mut open = group(open);
    open.retain(|f| within.touches(&f.diagnostic));
    report.suppressed.retain(|s| within.touches(&s.diagnostic));
    open.sort_by(|a, b| order(&built.files, &a.diagnostic, &b.diagnostic));
    if let Some(baseline) = &settings.baseline {
        // The order decides which of several equal findings is the new one: the last.
        let (known, new) = baseline.split(open);
        open = new;
        report.suppressed.extend(known.into_iter().map(|found| Suppressed {
            diagnostic: found.diagnostic,
            by: Suppression { kind: SuppressionKind::Baseline, span: Span::NONE, reason: String::new() },
        }));
    }
    for found in open {
        if let Some(fix) = found.fix {
            report.fixes.push((report.diagnostics.len(), fix));
        }
        report.diagnostics.push(found.diagnostic);
    }
}

/// Leaves out what another finding at the same place of the same resource says too, and more: that every port is open says
/// of each that it is. What is ignored or not selected implies nothing.
fn said_better(open: Vec<Found>, report: &mut Report) -> Vec<Found> {
    let place = |d: &Diagnostic| (d.subject.as_ref().map(|s| s.address.clone()), d.primary.span);
    if open.iter().all(|found| found.diagnostic.rule.implied_by.is_empty()) {
        return open;
    }
    let names: FastSet<&str> = open.iter().flat_map(|f| &f.diagnostic.rule.implied_by).map(String::as_str).collect();
    let said: FastSet<(String, (Option<Arc<str>>, Span))> = open
        .iter()
        .map(|found| &found.diagnostic)
        .filter(|d| names.contains(d.rule.name.as_str()))
        .map(|d| (d.rule.name.clone(), place(d)))
        .collect();
    let (mut left, mut implied) = (Vec::with_capacity(open.len()), Vec::new());
    for found in open {
        let place = place(&found.diagnostic);
        let by = found.diagnostic.rule.implied_by.iter().find(|name| said.contains(&((*name).clone(), place.clone())));
        match by {
            Some(name) => implied.push(Suppressed {
                by: Suppression {
                    kind: SuppressionKind::Implied,
                    span: Span::NONE,
                    reason: format!("`{name}` says it, and more"),
                },
                diagnostic: found.diagnostic,
            }),
            None => left.push(found),
        }
    }
    report.suppressed.append(&mut implied);
    left
}

fn per_path(settings: &Settings, built: &Built, diagnostic: &Diagnostic) -> Option<Suppression> {
    let file = built.files.get(diagnostic.primary.span.file)?;
    // The configuration counts from its own folder, the report from the working directory.
    let path = super::lower::normalize(&format!("{}/{}", settings.config.below, file.path));
    let path = path.trim_start_matches('/');
    let rule = settings
        .config
        .per_path
        .iter()
        .find(|r| r.paths.is_match(path) && r.ignore.iter().any(|s| s.matches(&diagnostic.rule)))?;
    Some(Suppression { kind: SuppressionKind::Config, span: Span::NONE, reason: rule.reason.clone() })
}

/// What one policy found at one place.
#[derive(Default)]
struct AtPlace {
    /// The findings that are shown, by their index.
    shown: Vec<usize>,
    /// In how many of them, counted from the first, a resource is named.
    named: FastMap<Arc<str>, usize>,
    /// The first of them that says this.
    words: FastMap<String, usize>,
}

/// Findings of one policy at one place, from several instances of a resource or calls of a module, are one.
fn group(all: Vec<Found>) -> Vec<Found> {
    let mut groups: Vec<Found> = Vec::with_capacity(all.len());
    let mut places: FastMap<(*const Rule, Span), AtPlace> = FastMap::default();
    for found in all {
        let diagnostic = &found.diagnostic;
        let address: Arc<str> = diagnostic.subject.as_ref().map_or_else(|| "".into(), |s| s.address.clone());
        let place = places.entry((Arc::as_ptr(&diagnostic.rule), diagnostic.primary.span)).or_default();
        let named = place.named.entry(address).or_default();
        // Two answers about one resource at one place: the same words add nothing, other words are news.
        if place.words.get(&diagnostic.message).is_some_and(|first| first < named) {
            continue;
        }
        let next = *named;
        *named += 1;
        if let Some(head) = place.shown.get(next).and_then(|&shown| groups.get_mut(shown)) {
            let head = &mut head.diagnostic;
            head.severity = head.severity.max(diagnostic.severity);
            head.occurrences.push(occurrence(diagnostic));
            head.occurrences.extend(diagnostic.occurrences.iter().cloned());
        } else {
            place.words.entry(diagnostic.message.clone()).or_insert(next);
            place.shown.push(groups.len());
            groups.push(found);
        }
    }
    groups
}

fn occurrence(diagnostic: &Diagnostic) -> Occurrence {
    let calls = diagnostic.callers.iter().map(|&span| Label::new(span, "called here"));
    Occurrence {
        address: diagnostic.subject.as_ref().map_or_else(|| "".into(), |s| s.address.clone()),
        fingerprint: diagnostic.fingerprint.clone(),
        callers: diagnostic.callers.clone(),
        trace: calls.chain(diagnostic.trace.iter().cloned()).collect(),
    }
}

/// Which places a report is about.
pub(super) struct Within<'a> {
    files: &'a Files,
    wanted: Option<FastSet<&'a str>>,
    is_context: &'a dyn Fn(&str) -> bool,
}

impl<'a> Within<'a> {
    pub fn new(files: &'a Files, scope: &'a Scope, is_context: &'a dyn Fn(&str) -> bool) -> Within<'a> {
        let wanted = match scope {
            Scope::All => None,
            Scope::Files(paths) => Some(paths.iter().map(String::as_str).collect()),
        };
        Within { files, wanted, is_context }
    }

    fn path(&self, path: &str) -> bool {
        match &self.wanted {
            Some(wanted) => wanted.contains(path),
            None => !(self.is_context)(path),
        }
    }

    fn span(&self, span: Span) -> bool {
        self.files.get(span.file).map_or(self.wanted.is_none(), |f| self.path(&f.path))
    }

    fn touches(&self, d: &Diagnostic) -> bool {
        self.span(d.primary.span)
            || d.subject.as_ref().is_some_and(|s| self.span(s.span))
            || d.callers.iter().any(|&c| self.span(c))
    }
}

/// Leaves out what the scope does not touch and what concerns only files that were read for the sake of others.
pub(super) fn narrow(report: &mut Report, within: &Within<'_>) {
    report.unknowns.narrow(|file| within.span(Span::at(file, 0)));
    report.errors.retain(|e| within.span(e.span));
    report.ledger.entries.retain(|e| within.span(e.span));
    report.ledger.files.retain(|f| within.path(&f.path));
}

fn order(files: &Files, a: &Diagnostic, b: &Diagnostic) -> std::cmp::Ordering {
    let path = |span: Span| files.get(span.file).map(|f| &*f.path);
    let key = |d: &Diagnostic| (d.primary.span.start, d.primary.span.end);
    path(a.primary.span)
        .cmp(&path(b.primary.span))
        .then_with(|| key(a).cmp(&key(b)))
        .then_with(|| a.rule.name.cmp(&b.rule.name))
        .then_with(|| a.subject.as_ref().map(|s| &s.address).cmp(&b.subject.as_ref().map(|s| &s.address)))
        .then_with(|| a.message.cmp(&b.message))
}

/// Brings the findings into the order of paths and places.
pub(super) fn sort_diagnostics(report: &mut Report) {
    let files = report.files.clone();
    report.diagnostics.sort_by(|a, b| order(&files, a, b));
}

/// Brings every other list into the order of paths and places.
pub(super) fn sort(report: &mut Report) {
    let files = &report.files;
    let path = |span: Span| files.get(span.file).map(|f| &*f.path);
    report.suppressed.sort_by(|a, b| order(files, &a.diagnostic, &b.diagnostic));
    report.errors.sort_by(|a, b| {
        (path(a.span), a.span.start, a.span.end, &a.message).cmp(&(path(b.span), b.span.start, b.span.end, &b.message))
    });
    report.failures.sort_by(|a, b| (a.step, &a.subject).cmp(&(b.step, &b.subject)));
    report.failures.dedup();
    let mentioned = report.diagnostics.iter().map(|d| &d.rule);
    let mentioned = mentioned.chain(report.suppressed.iter().map(|s| &s.diagnostic.rule));
    let mut rules: Vec<Arc<Rule>> = Vec::new();
    let mut seen: FastSet<*const Rule> = FastSet::default();
    for rule in mentioned.chain(report.unknowns.rules()) {
        if seen.insert(Arc::as_ptr(rule)) {
            rules.push(rule.clone());
        }
    }
    rules.sort_by(|a, b| a.name.cmp(&b.name));
    rules.dedup_by(|a, b| a.name == b.name);
    report.rules = rules;
}

/// The rules of this program's own about ignores, selected or not.
pub fn built_in_rules() -> Vec<Arc<Rule>> {
    suppress::rules()
}
