//! The session: the handshake, the loop, the state.

use super::capabilities::{self, Client};
use super::check::{self, Checked, Checker, Job};
use super::diagnostics::{self, Places, SOURCE};
use super::documents::Documents;
use super::paths::Paths;
use super::{convert, requests, workspace};
use crate::analysis::{CancelToken, Change, Report, Workspace};
use crate::base::{ColumnEncoding, FastMap, FileId};
use crate::diagnostic::Diagnostic;
use crate::fix;
use crossbeam_channel::select;
use lsp_server::{Connection, Message, Notification, Request, RequestId};
use lsp_types::notification::{self as note, Notification as _};
use lsp_types::request as ask;
use lsp_types::{
    InitializeParams, InitializeResult, MessageType, NumberOrString, ProgressParams, ProgressParamsValue,
    PublishDiagnosticsParams, ServerInfo, ShowMessageParams, WorkDoneProgress, WorkDoneProgressBegin,
    WorkDoneProgressCreateParams, WorkDoneProgressEnd,
};
use serde::de::DeserializeOwned;
use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;

/// How many checks a request may make to try fixes.
const MOST_TRIALS: usize = 6;

/// Serves one client over standard input and output until it says `exit`.
///
/// # Errors
///
/// Where the client breaks the protocol's handshake or the streams break.
pub fn run_stdio() -> Result<(), Box<dyn Error + Send + Sync>> {
    let (connection, threads) = Connection::stdio();
    serve(&connection)?;
    drop(connection);
    threads.join()?;
    Ok(())
}

/// Serves one client over a connection.
///
/// # Errors
///
/// Where the client breaks the protocol's handshake or goes away.
pub fn serve(connection: &Connection) -> Result<(), Box<dyn Error + Send + Sync>> {
    let (id, params) = connection.initialize_start()?;
    let params: InitializeParams = serde_json::from_value(params)?;
    let general = params.capabilities.general.as_ref();
    let (encoding, kind) = convert::negotiate(general.and_then(|g| g.position_encodings.as_deref()));
    let client = Client::new(&params.capabilities, params.initialization_options.as_ref());
    let result = InitializeResult {
        capabilities: capabilities::server(kind, client),
        server_info: Some(ServerInfo { name: SOURCE.to_owned(), version: Some(env!("CARGO_PKG_VERSION").to_owned()) }),
    };
    connection.initialize_finish(id, serde_json::to_value(result)?)?;
    let mut session = Session::new(connection, encoding, client, roots(&params));
    session.start();
    session.run()
}

/// The folders the client opened.
#[expect(deprecated, reason = "older clients send nothing but rootUri")]
fn roots(params: &InitializeParams) -> Vec<PathBuf> {
    let folders = params.workspace_folders.iter().flatten().filter_map(|f| convert::to_path(&f.uri));
    let mut roots: Vec<PathBuf> = folders.collect();
    if roots.is_empty() {
        roots.extend(params.root_uri.as_ref().and_then(convert::to_path));
    }
    roots
}

/// The state of one client's session.
pub struct Session<'c> {
    connection: &'c Connection,
    /// What the client is able to do.
    pub client: Client,
    /// What columns count.
    pub encoding: ColumnEncoding,
    /// Names of files.
    pub paths: Paths,
    roots: Vec<PathBuf>,
    /// The open editors.
    pub documents: Documents,
    workspace: Workspace,
    checker: Checker,
    generation: u64,
    running: CancelToken,
    latest: Option<Checked>,
    /// What the client was last told of each file, as it was sent.
    published: FastMap<String, Vec<lsp_types::Diagnostic>>,
    next_request: i32,
    progress: Option<String>,
}

impl<'c> Session<'c> {
    fn new(connection: &'c Connection, encoding: ColumnEncoding, client: Client, roots: Vec<PathBuf>) -> Session<'c> {
        Session {
            connection,
            client,
            encoding,
            paths: Paths::new(&roots),
            roots,
            documents: Documents::default(),
            workspace: Workspace::default(),
            checker: Checker::start(),
            generation: 0,
            running: CancelToken::default(),
            latest: None,
            published: FastMap::default(),
            next_request: 0,
            progress: None,
        }
    }

    fn start(&mut self) {
        if self.client.watches {
            let params = workspace::watch_registration();
            self.ask::<ask::RegisterCapability>(params);
        }
        self.begin_progress();
        self.reload();
    }

    /// Reads the configuration and the folders again; what is open in editors stays as it is there.
    fn reload(&mut self) {
        let (workspace, problem) = workspace::open(self.paths.base(), &self.roots);
        self.workspace = workspace;
        if let Some(message) = problem {
            self.tell::<note::ShowMessage>(ShowMessageParams { typ: MessageType::ERROR, message });
        }
        let overlays = self.documents.iter().map(|(path, d)| (path.clone(), Some(d.text.clone()))).collect();
        self.apply(Change { overlays, ..Change::default() });
    }

    fn run(&mut self) -> Result<(), Box<dyn Error + Send + Sync>> {
        let connection = self.connection;
        let results = self.checker.results.clone();
        loop {
            select! {
                recv(connection.receiver) -> message => match message {
                    Ok(Message::Request(request)) => {
                        if connection.handle_shutdown(&request)? {
                            return Ok(());
                        }
                        let answer = requests::answer(self, request);
                        self.send(Message::Response(answer));
                    }
                    Ok(Message::Notification(notification)) => {
                        if notification.method == note::Exit::METHOD {
                            return Ok(());
                        }
                        self.notice(notification);
                    }
                    Ok(Message::Response(_)) => {}
                    // The client is gone without a word; there is nobody left to serve.
                    Err(_) => return Ok(()),
                },
                recv(results) -> checked => if let Ok(checked) = checked {
                    self.finished(checked);
                },
            }
        }
    }

    /// Takes a notification in. Unknown ones are ignored, as the protocol asks; malformed ones too, with a line in the log.
    fn notice(&mut self, notification: Notification) {
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
                if self.paths.name_of(&p.text_document.uri).is_some_and(|path| workspace::is_settings(&path)) {
                    self.reload();
                }
            }
            note::DidChangeWatchedFiles::METHOD => {
                let p: lsp_types::DidChangeWatchedFilesParams = read(notification)?;
                self.watched(&p.changes);
            }
            note::DidChangeConfiguration::METHOD => self.reload(),
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
        for path in self.published.keys().cloned().collect::<Vec<_>>() {
            self.publish(path, Vec::new());
        }
        self.paths = Paths::new(&self.roots);
        self.workspace = Workspace::default();
        self.documents = Documents::default();
        self.published.clear();
        self.latest = None;
        for document in open {
            if let Some(path) = self.paths.name_of(&document.uri) {
                self.documents.open(path, document.uri, document.version, document.text.to_string());
            }
        }
        self.reload();
    }

    fn watched(&mut self, events: &[lsp_types::FileEvent]) {
        let mut names = Vec::new();
        for event in events {
            let Some(path) = convert::to_path(&event.uri) else { continue };
            let name = self.paths.name(&path);
            if workspace::is_settings(&name) {
                self.reload();
                return;
            }
            names.push(name);
        }
        let change = workspace::reread(&self.paths.disk, &names, self.workspace.settings());
        self.apply(change);
    }

    fn overlay(&mut self, path: String) {
        let Some(text) = self.documents.get(&path).map(|d| d.text.clone()) else { return };
        self.apply(Change { overlays: vec![(path, Some(text))], ..Change::default() });
    }

    /// Takes a change in, stops the check under way and starts the next.
    fn apply(&mut self, change: Change) {
        self.workspace.apply(change);
        self.generation += 1;
        self.running.cancel();
        self.running = CancelToken::default();
        let job =
            Job { generation: self.generation, snapshot: self.workspace.snapshot(), cancel: self.running.clone() };
        self.checker.submit(job);
    }

    /// The findings and the graph of this very moment: the latest result, or one computed here where that is stale.
    pub fn current(&mut self) -> Option<Checked> {
        if let Some(latest) = self.latest.as_ref().filter(|l| l.generation == self.generation) {
            return Some(latest.clone());
        }
        let job =
            Job { generation: self.generation, snapshot: self.workspace.snapshot(), cancel: CancelToken::default() };
        let checked = check::run(&job)?;
        self.latest = Some(checked.clone());
        Some(checked)
    }

    /// The same findings, those of a file with the fixes that stood their trial. Fixes are tried when somebody asks what can
    /// be done, not at every keystroke; what came of it is kept until the next one.
    pub fn with_fixes(&mut self, mut checked: Checked, file: FileId) -> Checked {
        let here = |d: &Diagnostic| d.primary.span.file == file;
        let report = &checked.report;
        let waits = |i: usize| report.diagnostics.get(i).is_some_and(|d| here(d) && d.fix.is_none());
        if !report.fixes.iter().any(|(i, _)| waits(*i)) {
            return checked;
        }
        let mut report = Report::clone(report);
        let wanted = |d: &Diagnostic| here(d) && d.fix.is_none();
        fix::offer_in(&checked.snapshot, &mut report, &wanted, MOST_TRIALS, &CancelToken::default());
        checked.report = Arc::new(report);
        if self.latest.as_ref().is_some_and(|l| l.generation == checked.generation) {
            self.latest = Some(checked.clone());
        }
        checked
    }

    fn finished(&mut self, checked: Checked) {
        if checked.generation != self.generation {
            return;
        }
        let places = Places { report: &checked.report, paths: &self.paths, encoding: self.encoding };
        let mut now: FastMap<String, Vec<lsp_types::Diagnostic>> = diagnostics::by_file(&places)
            .into_iter()
            .filter_map(|(file, found)| Some((checked.report.files.get(file)?.path.to_string(), found)))
            .collect();
        // What a client fetches by itself is not pushed as well, or it would show everything twice.
        if self.client.pulls {
            now.retain(|path, _| self.documents.get(path).is_none());
        }
        let mut changed = self.client.pulls;
        let stale: Vec<String> = self.published.keys().filter(|p| !now.contains_key(*p)).cloned().collect();
        for path in stale {
            changed = true;
            self.publish(path, Vec::new());
        }
        for (path, found) in now {
            if self.published.get(&path) != Some(&found) {
                changed = true;
                self.publish(path, found);
            }
        }
        self.latest = Some(checked);
        self.end_progress();
        // Lenses count findings, which an edit of another file may have changed.
        if changed && self.client.refreshes_lenses {
            self.ask::<ask::CodeLensRefresh>(());
        }
        if self.client.hints && self.client.refreshes_hints {
            self.ask::<ask::InlayHintRefreshRequest>(());
        }
    }

    fn publish(&mut self, path: String, diagnostics: Vec<lsp_types::Diagnostic>) {
        let Some(uri) = self.paths.uri(&path) else { return };
        let version = self.documents.get(&path).map(|d| d.version);
        self.tell::<note::PublishDiagnostics>(PublishDiagnosticsParams {
            uri,
            diagnostics: diagnostics.clone(),
            version,
        });
        if diagnostics.is_empty() {
            self.published.remove(&path);
        } else {
            self.published.insert(path, diagnostics);
        }
    }

    fn begin_progress(&mut self) {
        if !self.client.progress {
            return;
        }
        let token = "stacklint/load".to_owned();
        self.ask::<ask::WorkDoneProgressCreate>(WorkDoneProgressCreateParams {
            token: NumberOrString::String(token.clone()),
        });
        let begin = WorkDoneProgressBegin {
            title: "stacklint".to_owned(),
            message: Some("reading the workspace".to_owned()),
            ..Default::default()
        };
        self.report_progress(&token, WorkDoneProgress::Begin(begin));
        self.progress = Some(token);
    }

    fn end_progress(&mut self) {
        if let Some(token) = self.progress.take() {
            self.report_progress(&token, WorkDoneProgress::End(WorkDoneProgressEnd { message: None }));
        }
    }

    fn report_progress(&self, token: &str, value: WorkDoneProgress) {
        let value = ProgressParamsValue::WorkDone(value);
        self.tell::<note::Progress>(ProgressParams { token: NumberOrString::String(token.to_owned()), value });
    }

    fn tell<N: note::Notification>(&self, params: N::Params) {
        self.send(Message::Notification(Notification::new(N::METHOD.to_owned(), params)));
    }

    /// Asks the client something. Its answer is not waited for.
    pub fn ask<R: ask::Request>(&mut self, params: R::Params) {
        self.next_request += 1;
        let id = RequestId::from(self.next_request);
        self.send(Message::Request(Request::new(id, R::METHOD.to_owned(), params)));
    }

    /// A client that is gone is noticed by the loop, when its next message does not come.
    fn send(&self, message: Message) {
        let _ = self.connection.sender.send(message);
    }
}
