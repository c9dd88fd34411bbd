//! Findings about our own ignores: those that silence nothing, those whose time is over, those that cannot be read.

use super::super::check::Built;
use super::{Ignores, Matcher, Reach};
use crate::analysis::{Settings, SuppressionKind, Unknowns};
use crate::base::{FastSet, Span, content_hash};
use crate::config::nearest;
use crate::diagnostic::{Category, Diagnostic, Edit, Fix, Label, Rule, Safety, Severity};
use std::sync::{Arc, LazyLock};

static RULES: LazyLock<[Arc<Rule>; 3]> = LazyLock::new(|| {
    let rule = |name: &str, title: &str, severity, why: &str, remediation: &str, tags: &[&str]| {
        Arc::new(Rule {
            name: name.to_owned(),
            title: title.to_owned(),
            severity,
            category: Category::Hygiene,
            why: why.to_owned(),
            remediation: remediation.to_owned(),
            references: Vec::new(),
            aliases: Vec::new(),
            implied_by: Vec::new(),
            tags: tags.iter().copied().chain(["ignores"]).map(str::to_owned).collect(),
            url: String::new(),
        })
    };
    [
        rule(
            "unused-ignore",
            "Ignore comment silences nothing",
            Severity::Low,
            "An ignore that outlives its finding hides the next one of the same policy at this place.",
            "Remove the comment, or the name in it that is no longer needed.",
            &["unnecessary"],
        ),
        rule(
            "expired-ignore",
            "Ignore comment has expired",
            Severity::Low,
            "The comment was meant to hold for a limited time. That time is over, so what it silenced is reported again.",
            "Mend what is reported and remove the comment, or set a later date after looking at it again.",
            &[],
        ),
        rule(
            "malformed-ignore",
            "Ignore comment cannot be read",
            Severity::Medium,
            "A directive with a mistake in it silences nothing, although it looks as if it did.",
            "Write `# stacklint: ignore[policy-name] reason`, optionally with `until=2027-01-31`.",
            &[],
        ),
    ]
});

/// The rules about ignores.
pub(in crate::analysis) fn rules() -> Vec<Arc<Rule>> {
    RULES.to_vec()
}

impl Ignores {
    /// The findings about ignores, once every other finding was offered to [`Ignores::find`].
    pub fn hygiene(&self, settings: &Settings, built: &Built, unknowns: &Unknowns) -> Vec<Diagnostic> {
        let [unused, expired, malformed] = &*RULES;
        let mut out = Vec::new();
        let running = Running::of(settings);
        for active in self.active.iter().filter(|a| a.ignore.own && a.kind == SuppressionKind::InSource) {
            let ignore = &active.ignore;
            if let Some((span, message)) = &ignore.malformed {
                if running.wants(malformed) {
                    out.push(diagnostic(built, malformed, *span, message.clone(), None));
                }
                continue;
            }
            if let Some((until, span)) = ignore.until
                && self.today.is_some_and(|today| until < today)
            {
                if running.wants(expired) {
                    let message = format!("this ignore expired on {until}");
                    out.push(diagnostic(built, expired, span, message, None));
                }
                continue;
            }
            if !running.wants(unused) {
                continue;
            }
            let idle: Vec<usize> = (0..ignore.targets.len()).filter(|&t| !active.used[t]).collect();
            for &t in &idle {
                let target = &ignore.targets[t];
                let Some(message) = running.verdict(&target.matcher) else { continue };
                // A policy that could not decide may yet find something when the input is known.
                let undecided = unknowns.unordered().any(|u| {
                    target.matcher.matches(&u.rule)
                        && (u.span.file == ignore.span.file || matches!(ignore.reach, Reach::Everywhere(_)))
                });
                if !undecided {
                    let fix =
                        removal(built, ignore.span, target.span, ignore.own_line, idle.len() == ignore.targets.len());
                    out.push(diagnostic(built, unused, target.span, message, fix));
                }
            }
        }
        out
    }
}

/// Which policies there are, and which run.
struct Running<'a> {
    settings: &'a Settings,
    chosen: FastSet<u32>,
}

impl<'a> Running<'a> {
    fn of(settings: &'a Settings) -> Running<'a> {
        Running { settings, chosen: settings.chosen.policies.iter().map(|(i, _)| *i).collect() }
    }

    fn wants(&self, rule: &Rule) -> bool {
        self.settings.config.wants(rule)
    }

    /// What to say of a target that silenced nothing; `None` where that proves nothing, because a policy it means did
    /// not run.
    fn verdict(&self, matcher: &Matcher) -> Option<String> {
        let Matcher::Selector(selector) = matcher else { return None };
        let entries = self.settings.policies.entries();
        let mut meant = entries
            .iter()
            .enumerate()
            .filter(|(_, e)| {
                let index = &e.index;
                selector.matches_parts(&index.name, index.category, index.severity, &index.tags, &index.aliases)
            })
            .peekable();
        if meant.peek().is_none() {
            if rules().iter().any(|r| selector.matches(r)) {
                return None;
            }
            let near = nearest(selector.as_str(), entries.iter().map(|e| e.name()));
            let hint = near.map(|n| format!("; did you mean `{n}`?")).unwrap_or_default();
            return Some(format!("no policy answers to `{}`{hint}", selector.as_str()));
        }
        let all_ran = meant.all(|(i, _)| u32::try_from(i).is_ok_and(|i| self.chosen.contains(&i)));
        all_ran.then(|| format!("`{}` finds nothing here", selector.as_str()))
    }
}

fn diagnostic(built: &Built, rule: &Arc<Rule>, span: Span, message: String, fix: Option<Fix>) -> Diagnostic {
    let path = built.files.get(span.file).map_or("", |f| &*f.path);
    let text = built.files.slice(span);
    Diagnostic {
        rule: rule.clone(),
        severity: rule.severity,
        message,
        primary: Label::new(span, ""),
        related: Vec::new(),
        trace: Vec::new(),
        subject: None,
        callers: Arc::new([]),
        fix,
        fingerprint: format!("{:016x}", content_hash(format!("{}\0{path}\0{text}", rule.name).as_bytes())),
        occurrences: Vec::new(),
        redacted: Vec::new(),
    }
}

/// Takes the whole comment away, or one name of several.
fn removal(built: &Built, comment: Span, name: Span, own_line: bool, whole: bool) -> Option<Fix> {
    let file = built.files.get(comment.file)?;
    let text = &*file.text;
    let edit = if whole {
        let mut start = comment.start as usize;
        let mut end = comment.end as usize;
        while start > 0 && matches!(text.as_bytes().get(start - 1), Some(b' ' | b'\t')) {
            start -= 1;
        }
        if own_line {
            if text.get(end..)?.starts_with("\r\n") {
                end += 2;
            } else if text.get(end..)?.starts_with('\n') {
                end += 1;
            }
        }
        Edit { span: Span::new(comment.file, start..end), text: String::new() }
    } else {
        // With the comma and the white space on one side of it.
        let after = text.get(name.end as usize..comment.end as usize)?;
        let before = text.get(comment.start as usize..name.start as usize)?;
        let trimmed = after.trim_start();
        let span = if let Some(rest) = trimmed.strip_prefix(',') {
            let end = comment.end as usize - rest.trim_start().len();
            Span::new(comment.file, name.start as usize..end)
        } else {
            let kept = before.trim_end().trim_end_matches(',').trim_end();
            Span::new(comment.file, comment.start as usize + kept.len()..name.end as usize)
        };
        Edit { span, text: String::new() }
    };
    let title = if whole { "Remove the ignore comment" } else { "Remove the name from the ignore comment" };
    Some(Fix { title: title.to_owned(), safety: Safety::Safe, edits: vec![edit] })
}
