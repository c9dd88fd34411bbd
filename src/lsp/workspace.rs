//! Filling the session's workspace from disk, by the same loader and the same configuration as the command line.

use super::check::Checked;
use super::diagnostics::Places;
use crate::analysis::{Change, FileState, Workspace};
use crate::base::{FastMap, Span};
use crate::cli::{ColorChoice, Problem, SelectionArgs, Session, Terminal, TerraformArgs};
use crate::config::{ConfigError, FILE_NAME};
use crate::diagnostic::Severity;
use crate::formats::FORMATS;
use crate::load::{self, Paths, Request};
use lsp_types::{
    DidChangeWatchedFilesRegistrationOptions, FileSystemWatcher, GlobPattern, Registration, RegistrationParams,
};
use std::path::{Path, PathBuf};

/// What is wrong with the configuration.
pub enum Mistake {
    /// With its place in the file.
    Placed(Box<ConfigError>),
    /// In words.
    Words(String),
}

impl From<Problem> for Mistake {
    fn from(problem: Problem) -> Mistake {
        let (message, help) = problem.words();
        match problem {
            Problem::Config(error) => Mistake::Placed(error),
            _ => Mistake::Words(help.map_or(message.clone(), |h| format!("{message}\n{h}"))),
        }
    }
}

/// What decides which files are looked at and how.
#[derive(Default)]
pub struct Setup {
    /// What to read; `None` where a single file was opened outside of any folder.
    pub request: Option<Request>,
    /// Folders with policies of the user's own.
    policies: Vec<PathBuf>,
}

impl Setup {
    /// Whether a file decides how to check, rather than being checked.
    pub fn is_settings(&self, path: &Path) -> bool {
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        matches!(name, FILE_NAME | ".trivyignore" | ".trivyignore.yaml" | ".trivyignore.yml") || self.is_policy(path)
    }

    /// Whether a file is a policy of the user's own.
    pub fn is_policy(&self, path: &Path) -> bool {
        path.extension().is_some_and(|e| e == "yaml" || e == "yml")
            && self.policies.iter().any(|folder| path.starts_with(folder))
    }
}

/// Reads the configuration found at `base` or above, and the folders by it. What is remembered of the workspace stays.
/// Where something is wrong with the configuration, the session goes on without it, or without the one policy.
pub fn load(workspace: &mut Workspace, base: &Path, roots: &[PathBuf]) -> (Setup, Vec<Mistake>) {
    match fill(workspace, base, roots, &SelectionArgs::default()) {
        Ok(filled) => filled,
        Err(mistake) => {
            let plain = SelectionArgs { no_config: true, ..SelectionArgs::default() };
            let (setup, _) = fill(workspace, base, roots, &plain).unwrap_or_default();
            (setup, vec![mistake])
        }
    }
}

fn fill(
    workspace: &mut Workspace,
    base: &Path,
    roots: &[PathBuf],
    args: &SelectionArgs,
) -> Result<(Setup, Vec<Mistake>), Mistake> {
    let terminal = Terminal::new(ColorChoice::Never);
    let session = Session::at(base.to_path_buf(), args)?;
    let (policies, mistakes) = session.sound_policies()?;
    let exclude = session.exclude()?;
    let settings = session.settings(policies, &TerraformArgs::default(), &terminal)?;
    workspace.apply(Change { settings: Some(settings), ..Change::default() });
    let request = Request { working_directory: base.to_path_buf(), paths: roots.to_vec(), exclude };
    let request = (!roots.is_empty()).then_some(request);
    if let Some(request) = &request {
        load::refresh(request, workspace).map_err(|e| Mistake::Words(e.to_string()))?;
    }
    let setup = Setup { request, policies: session.policy_folders() };
    Ok((setup, mistakes.into_iter().map(|m| Mistake::Placed(Box::new(m))).collect()))
}

/// The new texts of files whose texts changed on disk. `None` where more than texts changed, so that the folders must be
/// looked through again.
pub fn reread(paths: &Paths, names: &[String], workspace: &Workspace) -> Option<Change> {
    let mut change = Change::default();
    for name in names {
        if !workspace.has_text(name) {
            // It was read for the sake of others, if at all: whoever needs it reads it again.
            change.removed.push(name.clone());
            continue;
        }
        match load::read_text(&paths.full(Path::new(name))) {
            Ok(text) => change.set.push((name.clone(), text)),
            Err(e) if e.state == FileState::Skipped => return None,
            Err(e) => change.notes.push((name.clone(), e.state, e.reason)),
        }
    }
    Some(change)
}

/// Asks the client to watch what the formats read, and what configures them.
pub fn watch_registration() -> RegistrationParams {
    let globs = FORMATS.iter().flat_map(|f| f.selectors().globs.iter().copied());
    let mut globs: Vec<&str> = globs.chain([FILE_NAME, ".trivyignore*"]).collect();
    globs.sort_unstable();
    globs.dedup();
    let anywhere = |g: &str| if g.starts_with("**/") { g.to_owned() } else { format!("**/{g}") };
    let watchers = globs
        .into_iter()
        .map(|g| FileSystemWatcher { glob_pattern: GlobPattern::String(anywhere(g)), kind: None })
        .collect();
    let options = DidChangeWatchedFilesRegistrationOptions { watchers };
    RegistrationParams {
        registrations: vec![Registration {
            id: "stacklint/watch".to_owned(),
            method: "workspace/didChangeWatchedFiles".to_owned(),
            register_options: serde_json::to_value(options).ok(),
        }],
    }
}

/// The graph for a picture: resources with their findings, and edges, without the nodes of views.
pub fn graph_json(checked: &Checked, places: &Places<'_>) -> serde_json::Value {
    let graph = &checked.report.graph;
    let real = |id: crate::graph::ResourceId| graph.get(id).parent.is_none();
    // How many findings a resource has, and the worst of them. Instances of one block share its place, not its address.
    let mut found: FastMap<(&str, Span), (usize, Severity)> = FastMap::default();
    for finding in &checked.report.diagnostics {
        if let Some(subject) = &finding.subject {
            let entry = found.entry((&*subject.address, subject.span)).or_insert((0, finding.severity));
            *entry = (entry.0 + 1, entry.1.max(finding.severity));
        }
    }
    let resources: Vec<_> = graph
        .ids()
        .filter(|&id| real(id))
        .map(|id| {
            let node = graph.get(id);
            let findings = found.get(&(&*node.address, node.span));
            serde_json::json!({
                "id": id.0,
                "address": &*node.address,
                "kind": &*node.kind,
                "file": checked.report.path(node.span),
                "location": places.location(node.head),
                "findings": findings.map_or(0, |f| f.0),
                "worst": findings.map(|f| f.1.as_str()),
            })
        })
        .collect();
    let edges: Vec<_> = graph
        .edges
        .iter()
        .filter(|e| real(e.from) && real(e.to))
        .map(|e| serde_json::json!({"from": e.from.0, "to": e.to.0, "via": &*e.via}))
        .collect();
    serde_json::json!({"resources": resources, "edges": edges})
}
