//! Ignores: comments, annotations and ignore files that silence findings, our own and those of every peer.
//!
//! `comments` and `annotations` turn text into [`Ignore`]s, `files` reads ignore files, `site` says where a finding
//! stands in the terms that ignores use, and `hygiene` reports ignores that are unused, expired or malformed.

mod annotations;
mod comments;
mod files;
mod hygiene;
mod index;
mod names;
mod site;

pub(super) use hygiene::rules;

use super::check::Built;
use super::evaluate::Found;
use super::memory::FileFacts;
use super::pieces::Piece;
use super::{Date, Settings, Suppression, SuppressionKind};
use crate::base::{FastMap, FileId, Span};
use crate::config::{Selector, alias_matches, glob_ignore_case};
use crate::diagnostic::Rule;
use globset::GlobSet;
use index::{Index, Line, Outermost};
use site::Site;
use std::sync::Arc;

/// One comment, annotation or line of an ignore file.
#[derive(Clone, Debug)]
pub(crate) struct Ignore {
    /// The comment or annotation.
    pub span: Span,
    /// What it silences.
    pub targets: Vec<Target>,
    /// Where.
    pub reach: Reach,
    /// Why, as it was written.
    pub reason: String,
    /// The last day on which it holds, with its place.
    pub until: Option<(Date, Span)>,
    /// Attributes that the resource must have (`trivy:ignore:ID[name=value]`).
    pub attributes: Vec<(String, String)>,
    /// The Terraform workspace in which it holds.
    pub workspace: Option<String>,
    /// Whether it is of our own form, which is held to be used and in time.
    pub own: bool,
    /// What is wrong with it, where it is of our own form and could not be read.
    pub malformed: Option<(Span, String)>,
    /// Whether it stands in a line of its own.
    pub own_line: bool,
}

/// What an ignore names.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub matcher: Matcher,
    /// The word in the source.
    pub span: Span,
}

#[derive(Clone, Debug)]
pub(crate) enum Matcher {
    /// Our own selector.
    Selector(Selector),
    /// A peer's id; may be a glob.
    Alias { peer: &'static str, id: String },
    /// Everything this peer checks but these ids.
    AllBut { peer: &'static str, ids: Vec<String> },
}

impl Matcher {
    pub fn matches(&self, rule: &Rule) -> bool {
        match self {
            Matcher::Selector(selector) => selector.matches(rule),
            Matcher::Alias { peer: "trivy", id } => rule
                .aliases
                .iter()
                .filter_map(|a| a.strip_prefix("trivy:"))
                .any(|alias| names::trivy(alias).any(|name| glob_ignore_case(id, name))),
            Matcher::Alias { peer: "polaris", id } => rule
                .aliases
                .iter()
                .filter_map(|a| a.strip_prefix("polaris:"))
                .any(|alias| letters(alias).eq(letters(id))),
            Matcher::Alias { peer, id } => rule.aliases.iter().any(|a| alias_matches(a, peer, id)),
            Matcher::AllBut { peer, ids } => {
                rule.aliases.iter().any(|a| alias_matches(a, peer, "*"))
                    && !ids.iter().any(|id| rule.aliases.iter().any(|a| alias_matches(a, peer, id)))
            }
        }
    }
}

/// Letters and digits in lower case: polaris writes `hostIPCSet` in its checks and `host-ipc-set` in older annotations.
fn letters(text: &str) -> impl Iterator<Item = char> + '_ {
    text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase())
}

/// Which findings an ignore reaches.
#[derive(Clone, Debug)]
pub(crate) enum Reach {
    /// Those on the comment's line, on the first line of code after it where it has a line of its own, and those inside a
    /// block that begins on one of these lines.
    Place,
    /// Those on the line of the comment and the next.
    Line,
    /// Those inside the block that begins on the next line of code.
    NextBlock,
    /// Those inside a block that the comment stands in.
    Inside,
    /// Those on the comment's line, the line before and the line after.
    Around,
    /// Those of the resource that carries the annotation.
    Resource { address: Arc<str>, span: Span },
    /// Those in this part of the file.
    Part(Span),
    /// The whole file.
    File,
    /// All files, or those that match.
    Everywhere(Option<GlobSet>),
}

/// All ignores that may matter to a run, with a note of which were used.
pub(super) struct Ignores {
    active: Vec<Active>,
    index: Index,
    /// Of the files in which something was found.
    outermost: FastMap<FileId, Outermost>,
    today: Option<Date>,
    workspace: String,
}

struct Active {
    ignore: Ignore,
    /// The lines that it speaks of.
    lines: Vec<Line>,
    used: Vec<bool>,
    kind: SuppressionKind,
}

impl Ignores {
    /// Reads the ignores of all files.
    pub fn collect(settings: &Settings, built: &Built) -> Ignores {
        let workspace = settings.options.workspace.clone().unwrap_or_else(|| "default".to_owned());
        let mut all = Ignores {
            active: Vec::new(),
            index: Index::default(),
            outermost: FastMap::default(),
            today: settings.today,
            workspace,
        };
        if settings.inline_ignores {
            for facts in built.facts() {
                for ignore in of_file(settings, facts).iter() {
                    all.add(ignore.clone(), SuppressionKind::InSource, built);
                }
            }
            for piece in built.pieces() {
                for ignore in in_annotations(piece) {
                    all.add(ignore.clone(), SuppressionKind::InSource, built);
                }
            }
        }
        for (path, text) in &settings.ignore_files {
            files::read(path, text, &mut |ignore| all.add(ignore, SuppressionKind::IgnoreFile, built));
        }
        all.index.finish();
        all
    }

    fn add(&mut self, ignore: Ignore, kind: SuppressionKind, built: &Built) {
        let lines = Index::lines_of(&ignore, built);
        self.index.add(self.active.len(), &ignore, &lines);
        let used = vec![false; ignore.targets.len()];
        self.active.push(Active { ignore, lines, used, kind });
    }

    /// What silences a finding. Every ignore that would is noted as used.
    pub fn find(&mut self, built: &Built, found: &Found) -> Option<Suppression> {
        if self.active.is_empty() {
            return None;
        }
        let diagnostic = &found.diagnostic;
        let file = diagnostic.primary.span.file;
        let outermost = self.outermost.entry(file).or_insert_with(|| Outermost::of(built, file));
        let site = Site::of(built, found, outermost);
        let candidates = self.index.candidates(&site);
        let mut by = None;
        for index in candidates {
            let active = &mut self.active[index];
            let ignore = &active.ignore;
            if ignore.until.is_some_and(|(until, _)| self.today.is_some_and(|today| until < today))
                || ignore.workspace.as_ref().is_some_and(|w| !glob_ignore_case(w, &self.workspace))
            {
                continue;
            }
            let named: Vec<usize> =
                (0..ignore.targets.len()).filter(|&t| ignore.targets[t].matcher.matches(&diagnostic.rule)).collect();
            if named.is_empty() {
                continue;
            }
            if !site.is_reached(ignore, &active.lines) || !site.has_attributes(&ignore.attributes) {
                continue;
            }
            for target in named {
                active.used[target] = true;
            }
            if by.is_none() {
                let (span, reason) = (active.ignore.span, active.ignore.reason.clone());
                by = Some(Suppression { kind: active.kind, span, reason });
            }
        }
        by
    }
}

/// The ignores in the annotations of a piece's resources.
fn in_annotations(piece: &Piece) -> &[Ignore] {
    piece.annotations.get_or_init(|| {
        let mut ignores = Vec::new();
        for resource in &piece.lowered.lowered.resources {
            annotations::read(resource, &mut |ignore| ignores.push(ignore));
        }
        ignores
    })
}

/// The ignores in a file's comments, read once for each version of the file.
fn of_file(settings: &Settings, facts: &FileFacts) -> Arc<[Ignore]> {
    facts
        .ignores
        .get_or_init(|| {
            let (Some(parsed), Some(format)) = (&facts.parsed, facts.format.and_then(|f| settings.formats.get(f)))
            else {
                return Arc::new([]);
            };
            let mut ignores = Vec::new();
            for comment in &parsed.comments {
                comments::read(&facts.file, format.name(), comment, &mut ignores);
            }
            ignores.into()
        })
        .clone()
}
