//! What the client tells without expecting an answer: edits, files on disk, folders, configuration.

use super::server::Session;
use super::workspace::{self, Mistake};
use super::{convert, paths};
use crate::analysis::Change;
use crate::base::{ColumnEncoding, FileId, SourceFile, Span};
use crate::load;
use lsp_server::Notification;
use lsp_types::notification::{self as note, Notification as _};
use lsp_types::{DiagnosticSeverity, FileChangeType, MessageType, ShowMessageParams};
use serde::de::DeserializeOwned;
use std::path::PathBuf;

impl Session<'_> {
    /// Takes a notification in. Unknown ones are ignored, as the protocol asks; malformed ones too, with a line in the log.
    pub fn notice(&mut self, notification: Notification) {
        let method = notification.method.clone();
        let known = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.take(notification)));
        let problem = match known {
            Ok(Ok(())) => return,
            Ok(Err(e)) => format!("`{method}`: {e}"),
            Err(_) => format!("`{method}` broke stacklint; please report it"),
        };
        self.tell::<note::LogMessage>(lsp_types::LogMessageParams { typ: MessageType::ERROR, message: problem });
    }

    fn take(&mut self, notification: Notification) -> Result<(), serde_json::Error> {
        fn read<P: DeserializeOwned>(notification: Notification) -> Result<P, serde_json::Error> {
            serde_json::from_value(notification.params)
        }
        match notification.method.as_str() {
            note::DidOpenTextDocument::METHOD => {
                let p: lsp_types::DidOpenTextDocumentParams = read(notification)?;
                let document = p.text_document;
                if let Some(path) = self.paths.name_of(&document.uri) {
                    self.documents.open(path.clone(), document.uri, document.version, document.text);
                    self.overlay(path);
                }
            }
            note::DidChangeTextDocument::METHOD => {
                let p: lsp_types::DidChangeTextDocumentParams = read(notification)?;
                if let Some(path) = self.paths.name_of(&p.text_document.uri) {
                    self.documents.change(&path, p.text_document.version, p.content_changes, self.encoding);
                    self.overlay(path);
                }
            }
            note::DidCloseTextDocument::METHOD => {
                let p: lsp_types::DidCloseTextDocumentParams = read(notification)?;
                if let Some(path) = self.paths.name_of(&p.text_document.uri) {
                    self.documents.close(&path);
                    self.apply(Change { overlays: vec![(path, None)], ..Change::default() });
                }
            }
            note::DidSaveTextDocument::METHOD => {
                let p: lsp_types::DidSaveTextDocumentParams = read(notification)?;
                if convert::to_path(&p.text_document.uri).is_some_and(|path| self.setup.is_settings(&path)) {
                    self.reload();
                }
            }
            note::DidChangeWatchedFiles::METHOD => {
                let p: lsp_types::DidChangeWatchedFilesParams = read(notification)?;
                self.watched(&p.changes);
            }
            note::DidChangeConfiguration::METHOD => {
                let p: lsp_types::DidChangeConfigurationParams = read(notification)?;
                self.client.configure(p.settings.get("stacklint").unwrap_or(&p.settings));
                self.reload();
            }
            note::DidChangeWorkspaceFolders::METHOD => {
                let p: lsp_types::DidChangeWorkspaceFoldersParams = read(notification)?;
                let gone: Vec<PathBuf> = p.event.removed.iter().filter_map(|f| convert::to_path(&f.uri)).collect();
                self.roots.retain(|r| !gone.contains(r));
                self.roots.extend(p.event.added.iter().filter_map(|f| convert::to_path(&f.uri)));
                self.rebase();
            }
            _ => {}
        }
        Ok(())
    }

    /// The folders changed: names are relative to what they have in common, so the session's state is made anew.
    fn rebase(&mut self) {
        let open: Vec<_> = self.documents.iter().map(|(_, d)| d.clone()).collect();
        for params in self.published.withdraw(&self.paths) {
            self.tell::<note::PublishDiagnostics>(params);
        }
        self.paths = paths::Paths::new(&self.roots);
        self.documents = super::documents::Documents::default();
        self.forget();
        for document in open {
            if let Some(path) = self.paths.name_of(&document.uri) {
                self.documents.open(path, document.uri, document.version, document.text.to_string());
            }
        }
        self.reload();
    }

    fn watched(&mut self, events: &[lsp_types::FileEvent]) {
        let files: Vec<(PathBuf, FileChangeType)> =
            events.iter().filter_map(|e| Some((convert::to_path(&e.uri)?, e.typ))).collect();
        if files.iter().any(|(path, _)| self.setup.is_settings(path)) {
            self.reload();
            return;
        }
        let only_texts = files.iter().all(|(_, kind)| *kind == FileChangeType::CHANGED);
        let names: Vec<String> = files.iter().map(|(path, _)| self.paths.name(path)).collect();
        let reread = workspace::reread(&self.paths.disk, &names, &self.workspace).filter(|_| only_texts);
        match (reread, &self.setup.request) {
            (Some(change), _) => self.apply(change),
            (None, Some(request)) => {
                // A folder that is gone altogether says so by itself at the next reload.
                let _ = load::refresh(request, &mut self.workspace);
                self.apply(Change::default());
            }
            (None, None) => {}
        }
    }

    fn overlay(&mut self, path: String) {
        let Some(text) = self.documents.get(&path).map(|d| d.text.clone()) else { return };
        self.apply(Change { overlays: vec![(path, Some(text))], ..Change::default() });
    }

    /// Shows what is wrong with the configuration and with policies: at its place in the file, where it has one.
    pub fn complain(&mut self, mistakes: Vec<Mistake>) {
        let mut placed = Vec::new();
        for mistake in mistakes {
            let spoken = match mistake {
                Mistake::Words(message) => message,
                Mistake::Placed(error) => {
                    let help = error.help.as_ref().map(|h| format!("\n{h}")).unwrap_or_default();
                    let message = format!("{}{help}", error.message);
                    let path = self.paths.name(&self.paths.base().join(&error.path));
                    let spoken = format!("{path}: {message}");
                    let file = SourceFile::new(FileId::NONE, path.as_str().into(), error.text.as_str().into());
                    let span = Span::new(FileId::NONE, error.span.clone().unwrap_or(0..0));
                    placed.push((path.into(), config_diagnostic(&file, span, message, self.encoding)));
                    // One that stands in a file is seen there; the first is told, since nobody may have that file open.
                    if placed.len() > 1 {
                        continue;
                    }
                    spoken
                }
            };
            self.tell::<note::ShowMessage>(ShowMessageParams { typ: MessageType::ERROR, message: spoken });
        }
        self.published.set_mistakes(placed);
    }
}

fn config_diagnostic(
    file: &SourceFile,
    span: Span,
    message: String,
    encoding: ColumnEncoding,
) -> lsp_types::Diagnostic {
    lsp_types::Diagnostic {
        range: convert::range(file, span, encoding),
        severity: Some(DiagnosticSeverity::ERROR),
        source: Some(super::diagnostics::SOURCE.to_owned()),
        message,
        ..lsp_types::Diagnostic::default()
    }
}
