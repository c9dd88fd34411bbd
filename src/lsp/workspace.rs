//! Filling the session's workspace from disk, by the same loader and the same configuration as the command line.

use super::check::Checked;
use super::diagnostics::Places;
use crate::analysis::{Change, FileState, Settings, Workspace};
use crate::base::{FastMap, FastSet, Span};
use crate::cli::{ColorChoice, SelectionArgs, Session, Terminal, TerraformArgs};
use crate::config::FILE_NAME;
use crate::diagnostic::Severity;
use crate::formats::FORMATS;
use crate::load::{self, Paths, Request};
use lsp_types::{
    DidChangeWatchedFilesRegistrationOptions, FileSystemWatcher, GlobPattern, Registration, RegistrationParams,
};
use std::path::{Path, PathBuf};

/// Opens the folders with the configuration found at `base` or above. The second value says what is wrong with the
/// configuration, where something is: the session goes on without it.
pub fn open(base: &Path, roots: &[PathBuf]) -> (Workspace, Option<String>) {
    match configured(base, roots) {
        Ok(workspace) => (workspace, None),
        Err(message) => {
            let plain = SelectionArgs { no_config: true, ..SelectionArgs::default() };
            let workspace = opened(base, roots, &plain).unwrap_or_default();
            (workspace, Some(message))
        }
    }
}

fn configured(base: &Path, roots: &[PathBuf]) -> Result<Workspace, String> {
    opened(base, roots, &SelectionArgs::default())
}

fn opened(base: &Path, roots: &[PathBuf], args: &SelectionArgs) -> Result<Workspace, String> {
    let terminal = Terminal::new(ColorChoice::Never);
    let words = |problem: crate::cli::Problem| {
        let (message, help) = problem.words();
        help.map_or(message.clone(), |h| format!("{message}\n{h}"))
    };
    let session = Session::at(base.to_path_buf(), args).map_err(words)?;
    let policies = session.policies(&terminal).map_err(words)?;
    let exclude = session.exclude().map_err(words)?;
    let settings = session.settings(policies, &TerraformArgs::default(), &terminal).map_err(words)?;
    if roots.is_empty() {
        // A single file was opened outside of any folder; it is all there is.
        return Ok(Workspace::new(settings));
    }
    let request = Request { working_directory: base.to_path_buf(), paths: roots.to_vec(), exclude };
    load::open(&request, settings).map_err(|e| e.to_string())
}

/// What changed on disk: the new texts of files that are ours, and those that are gone.
pub fn reread(paths: &Paths, names: &[String], settings: &Settings) -> Change {
    let mut change = Change::default();
    let mut seen = FastSet::default();
    for name in names.iter().filter(|n| seen.insert(n.as_str())) {
        let full = paths.full(Path::new(name));
        if !full.is_file() {
            change.removed.push(name.clone());
            continue;
        }
        let ours =
            settings.formats.iter().any(|f| f.selectors().globs.iter().any(|g| crate::config::glob(g, last(name))));
        if !ours {
            continue;
        }
        match load::read_text(&full) {
            Ok(text) => change.set.push((name.clone(), text)),
            Err(e) if e.state == FileState::Skipped => change.removed.push(name.clone()),
            Err(e) => change.notes.push((name.clone(), e.state, e.reason)),
        }
    }
    change
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Whether a file decides how to check, rather than being checked.
pub fn is_settings(path: &str) -> bool {
    matches!(last(path), FILE_NAME | ".trivyignore" | ".trivyignore.yaml" | ".trivyignore.yml")
}

/// Asks the client to watch what the formats read, and what configures them.
pub fn watch_registration() -> RegistrationParams {
    let globs = FORMATS.iter().flat_map(|f| f.selectors().globs.iter().copied());
    let mut globs: Vec<&str> = globs.chain([FILE_NAME, ".trivyignore*"]).collect();
    globs.sort_unstable();
    globs.dedup();
    let watchers = globs
        .into_iter()
        .map(|g| FileSystemWatcher { glob_pattern: GlobPattern::String(format!("**/{g}")), kind: None })
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
    let built = &checked.built;
    let real = |id: crate::graph::ResourceId| (id.0 as usize) < built.resources;
    // How many findings a resource has, and the worst of them. Instances of one block share its place, not its address.
    let mut found: FastMap<(&str, Span), (usize, Severity)> = FastMap::default();
    for finding in &checked.report.diagnostics {
        if let Some(subject) = &finding.subject {
            let entry = found.entry((&*subject.address, subject.span)).or_insert((0, finding.severity));
            *entry = (entry.0 + 1, entry.1.max(finding.severity));
        }
    }
    let resources: Vec<_> = built
        .graph
        .ids()
        .filter(|&id| real(id))
        .map(|id| {
            let node = built.graph.get(id);
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
    let edges: Vec<_> = built
        .graph
        .edges
        .iter()
        .filter(|e| real(e.from) && real(e.to))
        .map(|e| serde_json::json!({"from": e.from.0, "to": e.to.0, "via": &*e.via}))
        .collect();
    serde_json::json!({"resources": resources, "edges": edges})
}
