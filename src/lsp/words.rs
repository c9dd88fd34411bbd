//! Hover on words that are about policies: names in ignore comments and in `stacklint.toml`, settings, the keys of a policy.

use super::complete::Kind;
use super::complete::context::{self, What};
use super::complete::schema::{CONFIG, POLICY, Step};
use super::hover::page;
use crate::analysis::built_in_rules;
use crate::base::{SourceFile, Span};
use crate::config::Selector;
use crate::policy::{Entry, PolicySet};
use std::fmt::Write as _;

/// How many policies are listed where a word means several.
const MOST_LISTED: usize = 20;

/// What stands before the names of policies in comments and annotations, in our own form and in those of other tools.
const DIRECTIVES: [&str; 14] = [
    "stacklint:",
    "checkov:skip=",
    "bridgecrew:skip=",
    "cortex:skip=",
    "checkov.io/skip",
    "trivy:ignore:",
    "tfsec:ignore:",
    "kics-scan",
    "hadolint ",
    "ts:skip=",
    "runterrascan.io/skip",
    "kube-linter.io/",
    "kube-score/ignore",
    "polaris.fairwinds.com/",
];

/// The Markdown about the word at `offset`, and its place.
pub fn hover(policies: &PolicySet, file: &SourceFile, offset: u32, is_policy: bool) -> Option<(String, Span)> {
    let kind = Kind::of(file, is_policy);
    let lines = file.lines();
    let line = lines.line_range(&file.text, lines.line(offset));
    let before = file.text.get(line.start..offset as usize)?;
    let (word, span) = word_at(file, offset, |c| matches!(c, '-' | '_' | ':' | '*' | '?' | '.' | '/'))?;
    if kind != Kind::Config && DIRECTIVES.iter().any(|d| file.text.get(line.clone()).is_some_and(|l| l.contains(d))) {
        // What a directive names stands behind it, or is a part of it, as in an annotation's key.
        let behind = DIRECTIVES.iter().any(|d| before.contains(d) || word.contains(d.trim_end()));
        return behind.then(|| named(policies, file, offset, word, span)).flatten();
    }
    let context = match kind {
        Kind::Config => context::toml(&file.text, span.end as usize)?,
        Kind::Policy => context::yaml(&file.text, span.end as usize)?,
        Kind::Other => return None,
    };
    let schema = if kind == Kind::Config { &*CONFIG } else { &*POLICY };
    let names_policies = kind == Kind::Config
        && match context.what {
            What::Value => CONFIG.is_selector(&context.path),
            What::Key | What::Header => {
                matches!(context.path.first(), Some(Step::Key(k)) if context.path.len() == 1 && (k == "severity" || k == "params"))
            }
        };
    if names_policies {
        return named(policies, file, offset, word, span);
    }
    let (word, span) = word_at(file, offset, |c| matches!(c, '-' | '_'))?;
    match context.what {
        What::Key | What::Header => {
            let mut path = context.path;
            path.push(Step::Key(word.to_owned()));
            Some((format!("**{word}**\n\n{}", schema.about(&path)?), span))
        }
        What::Value => {
            let view = policies.library().views.iter().find(|v| kind == Kind::Policy && v.name == word)?;
            Some((format!("**{word}** · view\n\n{}", view.doc), span))
        }
    }
}

/// What a word that names policies means: the page of the one, or a list of the several.
fn named(policies: &PolicySet, file: &SourceFile, offset: u32, word: &str, span: Span) -> Option<(String, Span)> {
    if let Some(text) = meaning(policies, word) {
        return Some((text, span));
    }
    // Other tools join directive, id and reason by colons, slashes and equals signs.
    let (part, span) = word_at(file, offset, |c| matches!(c, '-' | '_' | '*'))?;
    Some((meaning(policies, part)?, span))
}

fn meaning(policies: &PolicySet, word: &str) -> Option<String> {
    let is_alias = |a: &String| a == word || a.split_once(':').is_some_and(|(_, id)| id.eq_ignore_ascii_case(word));
    let entries = policies.entries().iter();
    let mut found: Vec<&Entry> =
        entries.clone().filter(|e| e.name() == word || e.index.aliases.iter().any(is_alias)).collect();
    if found.is_empty() {
        if let Some(rule) = built_in_rules().into_iter().find(|r| r.name == word) {
            return Some(page(&rule));
        }
        let selector = Selector::parse(word).ok()?;
        let matches =
            |e: &&Entry| selector.matches_parts(e.name(), e.category(), e.severity(), &e.index.tags, &e.index.aliases);
        found = entries.filter(matches).collect();
    }
    match found.as_slice() {
        [] => None,
        [one] => Some(page(&one.policy()?.rule)),
        several => {
            let mut text = format!("`{word}` means {} policies\n\n", several.len());
            for rule in several.iter().take(MOST_LISTED).filter_map(|e| e.policy()).map(|p| &p.rule) {
                let _ = writeln!(text, "- {}: {}", rule.name, rule.title);
            }
            if several.len() > MOST_LISTED {
                text.push_str("- …\n");
            }
            Some(text)
        }
    }
}

/// The word around an offset, of letters, digits and what else belongs to it.
fn word_at(file: &SourceFile, offset: u32, extra: impl Fn(char) -> bool) -> Option<(&str, Span)> {
    let inside = |c: char| c.is_alphanumeric() || extra(c);
    let offset = offset as usize;
    let before = file.text.get(..offset)?;
    let start = before.char_indices().rev().take_while(|(_, c)| inside(*c)).last().map_or(offset, |(i, _)| i);
    let end = offset + file.text.get(offset..)?.chars().take_while(|c| inside(*c)).map(char::len_utf8).sum::<usize>();
    (start < end).then(|| (&file.text[start..end], Span::new(file.id, start..end)))
}
