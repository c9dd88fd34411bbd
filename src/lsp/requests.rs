//! What the client asks, and the answers. Each answer is computed from the newest state.

use super::capabilities::OPEN_DOCUMENTATION;
use super::check::Checked;
use super::complete::{self, Completer};
use super::diagnostics::{self, Places};
use super::server::Session;
use super::{actions, convert, hover, navigate, words};
use crate::base::{FastMap, FileId, SourceFile, content_hash};
use crate::graph::{Data, ResourceGraph, Value};
use lsp_server::{ErrorCode, Request, Response};
use lsp_types::request::{self as ask, Request as _};
use lsp_types::{
    DocumentDiagnosticReport, DocumentDiagnosticReportResult, DocumentSymbolResponse, FullDocumentDiagnosticReport,
    GotoDefinitionResponse, Hover, HoverContents, InlayHint, InlayHintLabel, MarkupContent, MarkupKind, Position,
    PreviousResultId, RelatedFullDocumentDiagnosticReport, RelatedUnchangedDocumentDiagnosticReport,
    TextDocumentIdentifier, UnchangedDocumentDiagnosticReport, Uri, WorkspaceDiagnosticReport,
    WorkspaceDiagnosticReportResult, WorkspaceDocumentDiagnosticReport, WorkspaceFullDocumentDiagnosticReport,
    WorkspaceUnchangedDocumentDiagnosticReport,
};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::str::FromStr as _;
use std::sync::Arc;

/// Answers one request. Unknown methods and malformed parameters get the protocol's own errors; a panic of ours becomes
/// an internal error and the session goes on.
pub fn answer(session: &mut Session, request: Request) -> Response {
    let id = request.id.clone();
    let method = request.method.clone();
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| dispatch(session, request)));
    match outcome {
        Ok(Ok(value)) => Response::new_ok(id, value),
        Ok(Err(Refused { code, message })) => Response::new_err(id, code as i32, message),
        Err(_) => {
            let message = format!("`{method}` broke stacklint; please report it. The session goes on.");
            Response::new_err(id, ErrorCode::InternalError as i32, message)
        }
    }
}

struct Refused {
    code: ErrorCode,
    message: String,
}

type Answer = Result<serde_json::Value, Refused>;

fn read<P: DeserializeOwned>(params: serde_json::Value) -> Result<P, Refused> {
    serde_json::from_value(params).map_err(|e| Refused { code: ErrorCode::InvalidParams, message: e.to_string() })
}

fn write(value: impl serde::Serialize) -> Answer {
    serde_json::to_value(value).map_err(|e| Refused { code: ErrorCode::InternalError, message: e.to_string() })
}

/// The state an answer is made from, and the document it is about.
pub struct About {
    /// The findings and the graph.
    pub checked: Checked,
    /// The document's text.
    pub file: Arc<SourceFile>,
}

impl About {
    /// The graph.
    pub fn graph(&self) -> &ResourceGraph {
        &self.checked.report.graph
    }
}

fn about(session: &mut Session, uri: &Uri) -> Option<About> {
    let path = session.paths.name_of(uri)?;
    let checked = session.current()?;
    let file = checked.report.files.by_path(&path)?.clone();
    Some(About { checked, file })
}

fn dispatch(session: &mut Session, request: Request) -> Answer {
    let params = request.params;
    match request.method.as_str() {
        ask::HoverRequest::METHOD => {
            let p: lsp_types::HoverParams = read(params)?;
            let at = p.text_document_position_params;
            let Some((file, checked)) = text_of(session, &at.text_document) else { return write(()) };
            let offset = convert::offset(&file, at.position, session.encoding);
            let is_policy = is_policy(session, &at.text_document.uri);
            let places = Places { report: &checked.report, paths: &session.paths, encoding: session.encoding };
            let policies = &checked.snapshot.settings().policies;
            let found = words::hover(policies, &file, offset, is_policy)
                .or_else(|| hover::hover(&places, &checked.report.graph, file.id, offset));
            write(found.map(|(value, span)| Hover {
                contents: HoverContents::Markup(MarkupContent { kind: MarkupKind::Markdown, value }),
                range: (span.file == file.id).then(|| convert::range(&file, span, session.encoding)),
            }))
        }
        ask::GotoDefinition::METHOD => {
            let p: lsp_types::GotoDefinitionParams = read(params)?;
            let at = p.text_document_position_params;
            let Some((about, offset)) = place(session, &at.text_document, at.position) else { return write(()) };
            let found = navigate::definition(&places(session, &about), about.graph(), about.file.id, offset);
            write(GotoDefinitionResponse::Array(found))
        }
        ask::References::METHOD => {
            let p: lsp_types::ReferenceParams = read(params)?;
            let at = p.text_document_position;
            let Some((about, offset)) = place(session, &at.text_document, at.position) else { return write(()) };
            let declaration = p.context.include_declaration;
            write(navigate::references(&places(session, &about), about.graph(), about.file.id, offset, declaration))
        }
        ask::DocumentSymbolRequest::METHOD => {
            let p: lsp_types::DocumentSymbolParams = read(params)?;
            let Some(about) = about(session, &p.text_document.uri) else { return write(()) };
            let found = navigate::symbols(&places(session, &about), about.graph(), about.file.id);
            write(DocumentSymbolResponse::Nested(found))
        }
        ask::SelectionRangeRequest::METHOD => {
            let p: lsp_types::SelectionRangeParams = read(params)?;
            let Some(about) = about(session, &p.text_document.uri) else { return write(()) };
            let places = places(session, &about);
            let ranges: Vec<_> = p
                .positions
                .into_iter()
                .map(|at| convert::offset(&about.file, at, session.encoding))
                .map(|offset| navigate::selection(&places, about.graph(), about.file.id, offset))
                .collect();
            write(ranges)
        }
        ask::CodeLensRequest::METHOD => {
            let p: lsp_types::CodeLensParams = read(params)?;
            let Some(about) = about(session, &p.text_document.uri) else { return write(()) };
            write(navigate::lenses(&places(session, &about), about.graph(), about.file.id))
        }
        ask::InlayHintRequest::METHOD => {
            let p: lsp_types::InlayHintParams = read(params)?;
            let hints_wanted = session.client.hints;
            let Some(about) = about(session, &p.text_document.uri).filter(|_| hints_wanted) else { return write(()) };
            write(hints(session, &about, p.range))
        }
        ask::Completion::METHOD => {
            let p: lsp_types::CompletionParams = read(params)?;
            let at = p.text_document_position;
            let Some((file, checked)) = text_of(session, &at.text_document) else { return write(()) };
            let completer = Completer {
                report: &checked.report,
                policies: &checked.snapshot.settings().policies,
                file: &file,
                offset: convert::offset(&file, at.position, session.encoding),
                encoding: session.encoding,
                is_policy: is_policy(session, &at.text_document.uri),
            };
            write(completer.complete())
        }
        ask::ResolveCompletionItem::METHOD => {
            let item: lsp_types::CompletionItem = read(params)?;
            write(complete::resolve(&session.workspace.settings().policies, item))
        }
        ask::CodeActionRequest::METHOD => {
            let p: lsp_types::CodeActionParams = read(params)?;
            let Some(mut about) = about(session, &p.text_document.uri) else { return write(()) };
            about.checked = session.with_fixes(about.checked, about.file.id);
            write(actions::actions(session, &about, &p))
        }
        ask::DocumentDiagnosticRequest::METHOD => {
            let p: lsp_types::DocumentDiagnosticParams = read(params)?;
            let mut items = about(session, &p.text_document.uri)
                .map(|about| diagnostics::of_file(&places(session, &about), about.file.id))
                .unwrap_or_default();
            let path = session.paths.name_of(&p.text_document.uri);
            items.extend(path.iter().flat_map(|path| session.published.mistakes_in(path)).cloned());
            let result_id = result_id(&items);
            write(DocumentDiagnosticReportResult::Report(if p.previous_result_id.as_ref() == Some(&result_id) {
                DocumentDiagnosticReport::Unchanged(RelatedUnchangedDocumentDiagnosticReport {
                    related_documents: None,
                    unchanged_document_diagnostic_report: UnchangedDocumentDiagnosticReport { result_id },
                })
            } else {
                DocumentDiagnosticReport::Full(RelatedFullDocumentDiagnosticReport {
                    related_documents: None,
                    full_document_diagnostic_report: FullDocumentDiagnosticReport { result_id: Some(result_id), items },
                })
            }))
        }
        ask::WorkspaceDiagnosticRequest::METHOD => {
            let p: lsp_types::WorkspaceDiagnosticParams = read(params)?;
            let token = p.work_done_progress_params.work_done_token;
            if let Some(token) = &token {
                session.begin(token.clone(), "checking the workspace");
            }
            let items = session.current().map(|c| workspace_diagnostics(session, &c, &p.previous_result_ids));
            if let Some(token) = token {
                session.end(token);
            }
            let items = items.unwrap_or_default();
            write(WorkspaceDiagnosticReportResult::Report(WorkspaceDiagnosticReport { items }))
        }
        ask::ExecuteCommand::METHOD => {
            let p: lsp_types::ExecuteCommandParams = read(params)?;
            let page = p.arguments.first().and_then(|a| a.as_str()).and_then(|a| Uri::from_str(a).ok());
            match page {
                // Only the web: a client would hand other schemes to whatever program is registered for them.
                Some(uri) if p.command == OPEN_DOCUMENTATION && uri.as_str().starts_with("https://") => {
                    session.ask::<ask::ShowDocument>(lsp_types::ShowDocumentParams {
                        uri,
                        external: Some(true),
                        take_focus: None,
                        selection: None,
                    });
                    write(())
                }
                _ => Err(Refused {
                    code: ErrorCode::InvalidParams,
                    message: format!("`{}` needs the address of a policy's page, or is not known here", p.command),
                }),
            }
        }
        "stacklint/graph" => {
            let Some(checked) = session.current() else { return write(()) };
            let places = Places { report: &checked.report, paths: &session.paths, encoding: session.encoding };
            write(super::workspace::graph_json(&checked, &places))
        }
        // What the server believes an open document to hold: for tests of the synchronization, and for bug reports.
        "stacklint/text" => {
            let p: TextDocumentIdentifier = read(params)?;
            let text =
                session.paths.name_of(&p.uri).and_then(|path| session.documents.get(&path).map(|d| d.text.clone()));
            write(text)
        }
        #[cfg(test)]
        "stacklint/crash" => std::panic::resume_unwind(Box::new("as the test wants it")),
        other => Err(Refused { code: ErrorCode::MethodNotFound, message: format!("`{other}` is not known here") }),
    }
}

fn places<'a>(session: &'a Session, about: &'a About) -> Places<'a> {
    Places { report: &about.checked.report, paths: &session.paths, encoding: session.encoding }
}

fn place(session: &mut Session, document: &TextDocumentIdentifier, at: Position) -> Option<(About, u32)> {
    let about = about(session, &document.uri)?;
    let offset = convert::offset(&about.file, at, session.encoding);
    Some((about, offset))
}

/// Whether a document is a policy of the user's own.
fn is_policy(session: &Session, document: &Uri) -> bool {
    convert::to_path(document).is_some_and(|path| session.setup.is_policy(&path))
}

/// A document's text also where no format claims it, such as `stacklint.toml`.
fn text_of(session: &mut Session, document: &TextDocumentIdentifier) -> Option<(Arc<SourceFile>, Checked)> {
    let path = session.paths.name_of(&document.uri)?;
    let checked = session.current()?;
    if let Some(file) = checked.report.files.by_path(&path) {
        return Some((file.clone(), checked));
    }
    let text = session.documents.get(&path)?.text.clone();
    let id = crate::base::FileId::NONE;
    Some((Arc::new(SourceFile::new(id, path.into(), text)), checked))
}

/// What tells one list of diagnostics from another.
fn result_id(items: &[lsp_types::Diagnostic]) -> String {
    let text = serde_json::to_vec(items).unwrap_or_default();
    format!("{:016x}", content_hash(&text))
}

/// The diagnostics of every file that has some, and of those that had some when the client asked last.
fn workspace_diagnostics(
    session: &Session,
    checked: &Checked,
    known: &[PreviousResultId],
) -> Vec<WorkspaceDocumentDiagnosticReport> {
    let places = Places { report: &checked.report, paths: &session.paths, encoding: session.encoding };
    let mut all: FastMap<FileId, Vec<lsp_types::Diagnostic>> = diagnostics::by_file(&places);
    let known: FastMap<&str, &str> = known.iter().map(|k| (k.uri.as_str(), k.value.as_str())).collect();
    let version = |path: &str| session.documents.get(path).map(|d| i64::from(d.version));
    let mut reports = Vec::new();
    let files = &checked.report.files;
    let mut paths: BTreeMap<&str, FileId> = files.iter().map(|f| (&*f.path, f.id)).collect();
    for path in session.published.mistaken() {
        paths.entry(path).or_insert(FileId::NONE);
    }
    for (path, id) in paths {
        let Some(uri) = session.paths.uri(path) else { continue };
        let mut items = all.remove(&id).unwrap_or_default();
        items.extend(session.published.mistakes_in(path).cloned());
        let before = known.get(uri.as_str());
        if items.is_empty() && before.is_none() {
            continue;
        }
        let result_id = result_id(&items);
        let version = version(path);
        reports.push(if before.is_some_and(|before| *before == result_id) {
            WorkspaceDocumentDiagnosticReport::Unchanged(WorkspaceUnchangedDocumentDiagnosticReport {
                uri,
                version,
                unchanged_document_diagnostic_report: UnchangedDocumentDiagnosticReport { result_id },
            })
        } else {
            WorkspaceDocumentDiagnosticReport::Full(WorkspaceFullDocumentDiagnosticReport {
                uri,
                version,
                full_document_diagnostic_report: FullDocumentDiagnosticReport { result_id: Some(result_id), items },
            })
        });
    }
    reports
}

/// The evaluated values behind expressions of the visible range.
fn hints(session: &Session, about: &About, range: lsp_types::Range) -> Vec<InlayHint> {
    let from = convert::offset(&about.file, range.start, session.encoding);
    let to = convert::offset(&about.file, range.end, session.encoding);
    let mut found = Vec::new();
    for id in navigate::in_file(about.graph(), about.file.id) {
        let node = about.graph().get(id);
        if node.span.start <= to && from <= node.span.end {
            collect_hints(session, about, &node.body, &mut found, 0);
        }
    }
    found.retain(|h| h.position >= range.start && h.position <= range.end);
    found
}

fn collect_hints(session: &Session, about: &About, value: &Value, found: &mut Vec<InlayHint>, depth: usize) {
    if depth > 32 {
        return;
    }
    if value.span().file == about.file.id
        && let Some(text) = hover::inline(value, about.file.slice(value.span()))
    {
        found.push(InlayHint {
            position: convert::range(&about.file, value.span(), session.encoding).end,
            label: InlayHintLabel::String(format!("= {text}")),
            kind: None,
            text_edits: None,
            tooltip: None,
            padding_left: Some(true),
            padding_right: None,
            data: None,
        });
        return;
    }
    match &value.data {
        Data::Map(map) => map.entries.iter().for_each(|e| collect_hints(session, about, &e.value, found, depth + 1)),
        Data::List(items) => items.iter().for_each(|i| collect_hints(session, about, i, found, depth + 1)),
        _ => {}
    }
}
