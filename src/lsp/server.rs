//! The session: the handshake, the loop, the state.

use super::capabilities::{self, Client};
use super::check::{Checked, Checker, Ended, Job};
use super::diagnostics::{Published, SOURCE};
use super::documents::Documents;
use super::paths::Paths;
use super::workspace::{self, Setup};
use super::{convert, requests};
use crate::analysis::{CancelToken, Change, Failure, Report, Workspace};
use crate::base::{ColumnEncoding, FastSet, FileId};
use crate::diagnostic::Diagnostic;
use crate::fix;
use crossbeam_channel::select;
use lsp_server::{Connection, ErrorCode, Message, Notification, Request, RequestId, Response};
use lsp_types::notification::{self as note, Notification as _};
use lsp_types::request as ask;
use lsp_types::{
    InitializeParams, InitializeResult, LogMessageParams, MessageType, NumberOrString, ProgressParams,
    ProgressParamsValue, ServerInfo, WorkDoneProgress, WorkDoneProgressBegin, WorkDoneProgressCreateParams,
    WorkDoneProgressEnd,
};
use std::collections::VecDeque;
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
/// Where the client breaks the protocol's handshake, or exits without having asked for the shutdown.
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
    /// What the client can do and wants.
    pub client: Client,
    /// What columns count.
    pub encoding: ColumnEncoding,
    /// Names of files.
    pub paths: Paths,
    /// The folders that are open.
    pub roots: Vec<PathBuf>,
    /// The open editors.
    pub documents: Documents,
    /// The files and their settings.
    pub workspace: Workspace,
    /// What decides which files are looked at.
    pub setup: Setup,
    /// What the client was told.
    pub published: Published,
    checker: Checker,
    generation: u64,
    /// The generation of the last check that ended.
    ended: u64,
    running: CancelToken,
    latest: Option<Checked>,
    /// Messages that came in while something else was waited for.
    inbox: VecDeque<Message>,
    /// The request that is being answered, and whether the client has lost interest in it.
    answering: Option<(RequestId, bool)>,
    next_request: i32,
    /// Failures of the analysis that the client was told of.
    failures: FastSet<String>,
    progress: Option<String>,
    stopping: bool,
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
            setup: Setup::default(),
            published: Published::default(),
            checker: Checker::start(),
            generation: 0,
            ended: 0,
            running: CancelToken::default(),
            latest: None,
            inbox: VecDeque::new(),
            answering: None,
            next_request: 0,
            failures: FastSet::default(),
            progress: None,
            stopping: false,
        }
    }

    fn start(&mut self) {
        if self.client.watches {
            let params = workspace::watch_registration();
            self.ask::<ask::RegisterCapability>(params);
        }
        self.reload();
    }

    fn run(&mut self) -> Result<(), Box<dyn Error + Send + Sync>> {
        let connection = self.connection;
        let results = self.checker.results.clone();
        loop {
            if let Some(message) = self.inbox.pop_front() {
                if self.handle(message) {
                    return self.farewell();
                }
                continue;
            }
            select! {
                recv(connection.receiver) -> message => match message {
                    Ok(message) => if self.handle(message) {
                        return self.farewell();
                    },
                    // The client is gone without a word; there is nobody left to serve.
                    Err(_) => return Ok(()),
                },
                recv(results) -> ended => if let Ok(ended) = ended {
                    self.finished(ended);
                },
            }
        }
    }

    /// Handles a message; whether it was the last.
    fn handle(&mut self, message: Message) -> bool {
        match message {
            Message::Request(request) if request.method == <ask::Shutdown as ask::Request>::METHOD => {
                self.stopping = true;
                self.running.cancel();
                self.send(Message::Response(Response::new_ok(request.id, ())));
            }
            Message::Request(request) if self.stopping => {
                let code = ErrorCode::InvalidRequest as i32;
                let refused = Response::new_err(request.id, code, "the server is shutting down".to_owned());
                self.send(Message::Response(refused));
            }
            Message::Request(request) => self.answer(request),
            Message::Notification(notification) if notification.method == note::Exit::METHOD => return true,
            Message::Notification(notification) => self.notice(notification),
            Message::Response(_) => {}
        }
        false
    }

    fn farewell(&self) -> Result<(), Box<dyn Error + Send + Sync>> {
        if self.stopping { Ok(()) } else { Err("it said `exit` without having asked for the shutdown".into()) }
    }

    fn answer(&mut self, request: Request) {
        let id = request.id.clone();
        // The client may have lost interest while the request waited.
        self.inbox.extend(self.connection.receiver.try_iter());
        let cancelled = self.inbox.iter().any(|m| cancels(m, &id));
        self.answering = Some((id.clone(), cancelled));
        let response = if cancelled { None } else { Some(requests::answer(self, request)) };
        let lost = self.answering.take().is_some_and(|(_, lost)| lost);
        let response = response.filter(|_| !lost).unwrap_or_else(|| {
            Response::new_err(id.clone(), ErrorCode::RequestCanceled as i32, "the request was cancelled".to_owned())
        });
        self.inbox.retain(|m| !cancels(m, &id));
        self.send(Message::Response(response));
    }

    /// Reads the configuration and the folders again; what is open in editors stays as it is there.
    pub fn reload(&mut self) {
        self.begin_progress();
        let (setup, mistakes) = workspace::load(&mut self.workspace, self.paths.base(), &self.roots);
        self.setup = setup;
        self.complain(mistakes);
        let overlays = self.documents.iter().map(|(path, d)| (path.clone(), Some(d.text.clone()))).collect();
        self.apply(Change { overlays, ..Change::default() });
    }

    /// Takes a change in, stops the check under way and starts the next.
    pub fn apply(&mut self, change: Change) {
        self.workspace.apply(change);
        self.generation += 1;
        self.running.cancel();
        self.running = CancelToken::default();
        let job =
            Job { generation: self.generation, snapshot: self.workspace.snapshot(), cancel: self.running.clone() };
        self.checker.submit(job);
    }

    /// Forgets the results and all texts: names mean other files from now on.
    pub fn forget(&mut self) {
        self.workspace = Workspace::default();
        self.latest = None;
    }

    /// The findings and the graph of this very moment: the latest result, or that of the check under way once it is done.
    /// Nothing is computed twice, and no two checks run at a time. `None` where the client cancelled its request meanwhile.
    pub fn current(&mut self) -> Option<Checked> {
        let connection = self.connection;
        let results = self.checker.results.clone();
        while self.ended < self.generation {
            select! {
                recv(results) -> ended => match ended {
                    Ok(ended) => self.finished(ended),
                    Err(_) => return None,
                },
                recv(connection.receiver) -> message => match message {
                    Ok(message) => {
                        if let Some((id, lost)) = &mut self.answering
                            && cancels(&message, id)
                        {
                            *lost = true;
                            return None;
                        }
                        self.inbox.push_back(message);
                    }
                    Err(_) => return None,
                },
            }
        }
        self.latest.as_ref().filter(|l| l.generation == self.generation).cloned()
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

    /// Takes the end of a check in. What it found is published where the client does not know it yet.
    fn finished(&mut self, ended: Ended) {
        self.ended = ended.generation;
        let Some(checked) = ended.checked.filter(|c| c.generation == self.generation) else { return };
        let news = self.published.update(&checked.report, &self.paths, self.encoding, &mut self.documents);
        let changed = !news.is_empty();
        if self.client.pulls {
            if !news.is_empty() && self.client.refreshes_diagnostics {
                self.ask::<ask::WorkspaceDiagnosticRefresh>(());
            }
        } else {
            for params in news {
                self.tell::<note::PublishDiagnostics>(params);
            }
        }
        self.tell_failures(&checked.report.failures);
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

    /// Steps that broke cost a file or an answer, which must not go unnoticed. Each is told once.
    fn tell_failures(&mut self, failures: &[Failure]) {
        for failure in failures {
            let message =
                format!("{} broke on {}: {}; please report it", failure.step, failure.subject, failure.message);
            if self.failures.insert(message.clone()) {
                self.tell::<note::LogMessage>(LogMessageParams { typ: MessageType::ERROR, message });
            }
        }
    }

    fn begin_progress(&mut self) {
        if !self.client.progress || self.progress.is_some() {
            return;
        }
        let token = format!("stacklint/load/{}", self.generation);
        self.ask::<ask::WorkDoneProgressCreate>(WorkDoneProgressCreateParams {
            token: NumberOrString::String(token.clone()),
        });
        self.begin(NumberOrString::String(token.clone()), "reading the workspace");
        self.progress = Some(token);
    }

    fn end_progress(&mut self) {
        if let Some(token) = self.progress.take() {
            self.end(NumberOrString::String(token));
        }
    }

    /// Shows the client that something has begun.
    pub fn begin(&self, token: NumberOrString, what: &str) {
        let begin = WorkDoneProgressBegin {
            title: SOURCE.to_owned(),
            message: Some(what.to_owned()),
            ..WorkDoneProgressBegin::default()
        };
        let value = ProgressParamsValue::WorkDone(WorkDoneProgress::Begin(begin));
        self.tell::<note::Progress>(ProgressParams { token, value });
    }

    /// Shows the client that it is over.
    pub fn end(&self, token: NumberOrString) {
        let value = ProgressParamsValue::WorkDone(WorkDoneProgress::End(WorkDoneProgressEnd { message: None }));
        self.tell::<note::Progress>(ProgressParams { token, value });
    }

    /// Sends a notification.
    pub fn tell<N: note::Notification>(&self, params: N::Params) {
        self.send(Message::Notification(Notification::new(N::METHOD.to_owned(), params)));
    }

    /// Sends a request; whatever the client answers is accepted.
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

/// Whether a message takes a request back.
fn cancels(message: &Message, id: &RequestId) -> bool {
    let Message::Notification(notification) = message else { return false };
    notification.method == note::Cancel::METHOD
        && notification
            .params
            .get("id")
            .is_some_and(|found| serde_json::from_value::<RequestId>(found.clone()).is_ok_and(|found| found == *id))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_request_that_breaks_costs_its_answer_and_nothing_else() {
        let (client, server) = Connection::memory();
        let request = |id: i32, method: &str, params| {
            client.sender.send(Message::Request(Request::new(id.into(), method.to_owned(), params))).unwrap();
        };
        let tell = |method: &str, params| {
            client.sender.send(Message::Notification(Notification::new(method.to_owned(), params))).unwrap();
        };
        let uri = "file:///nowhere/main.tf";
        let text = "resource \"aws_s3_bucket\" \"b\" {}\n";
        let document = json!({"uri": uri, "languageId": "terraform", "version": 1, "text": text});
        request(1, "initialize", json!({"capabilities": {}}));
        tell("initialized", json!({}));
        tell("textDocument/didOpen", json!({"textDocument": document}));
        request(2, "stacklint/crash", json!({}));
        request(3, "textDocument/hover", json!({"textDocument": document, "position": {"line": 0, "character": 12}}));
        request(4, "shutdown", json!(null));
        tell("exit", json!(null));
        serve(&server).unwrap();
        drop(server);
        let answers: Vec<Response> = client
            .receiver
            .iter()
            .filter_map(|m| match m {
                Message::Response(r) => Some(r),
                _ => None,
            })
            .collect();
        let ids: Vec<&RequestId> = answers.iter().map(|a| &a.id).collect();
        assert_eq!(ids, [&1.into(), &2.into(), &3.into(), &4.into()]);
        let json: Vec<_> = answers.iter().map(|a| serde_json::to_value(a).unwrap()).collect();
        assert_eq!(json[1]["error"]["code"], ErrorCode::InternalError as i32);
        assert!(json[2]["result"]["contents"]["value"].as_str().unwrap().contains("aws_s3_bucket"), "{}", json[2]);
    }
}
