//! What the server offers, and what of the client it needs to know.

use lsp_types::{
    ClientCapabilities, CodeActionKind, CodeActionOptions, CodeActionProviderCapability, CodeLensOptions,
    CompletionOptions, DiagnosticOptions, DiagnosticServerCapabilities, ExecuteCommandOptions, HoverProviderCapability,
    OneOf, PositionEncodingKind, SelectionRangeProviderCapability, ServerCapabilities, TextDocumentSyncCapability,
    TextDocumentSyncKind, TextDocumentSyncOptions, TextDocumentSyncSaveOptions, WorkDoneProgressOptions,
    WorkspaceFoldersServerCapabilities, WorkspaceServerCapabilities,
};

/// The command that opens a policy's page; its one argument is the address.
pub const OPEN_DOCUMENTATION: &str = "stacklint.openDocumentation";

/// What the client said about itself, as far as it matters here.
#[derive(Clone, Copy, Debug, Default)]
pub struct Client {
    /// It shows progress that the server begins.
    pub progress: bool,
    /// It watches files for the server.
    pub watches: bool,
    /// It fetches diagnostics by itself, and asked for that in `initializationOptions.diagnostics`.
    pub pulls: bool,
    /// It refreshes inlay hints on request.
    pub refreshes_hints: bool,
    /// It asks for code lenses again on request.
    pub refreshes_lenses: bool,
    /// It opens web pages on request (`window/showDocument`).
    pub shows_pages: bool,
    /// It fetches diagnostics again on request.
    pub refreshes_diagnostics: bool,
    /// Inlay hints are asked for, by `initializationOptions.inlayHints` or the setting `stacklint.inlayHints`.
    pub hints: bool,
}

impl Client {
    /// Reads the client's capabilities and its options.
    pub fn new(capabilities: &ClientCapabilities, options: Option<&serde_json::Value>) -> Client {
        let window = capabilities.window.as_ref();
        let workspace = capabilities.workspace.as_ref();
        let option = |name: &str| options.and_then(|o| o.get(name));
        Client {
            progress: window.and_then(|w| w.work_done_progress).unwrap_or(false),
            watches: workspace
                .and_then(|w| w.did_change_watched_files.as_ref())
                .and_then(|w| w.dynamic_registration)
                .unwrap_or(false),
            pulls: option("diagnostics").and_then(|v| v.as_str()) == Some("pull")
                && capabilities.text_document.as_ref().is_some_and(|t| t.diagnostic.is_some()),
            refreshes_hints: workspace
                .and_then(|w| w.inlay_hint.as_ref())
                .and_then(|h| h.refresh_support)
                .unwrap_or(false),
            refreshes_lenses: workspace
                .and_then(|w| w.code_lens.as_ref())
                .and_then(|l| l.refresh_support)
                .unwrap_or(false),
            shows_pages: window.and_then(|w| w.show_document.as_ref()).is_some_and(|s| s.support),
            refreshes_diagnostics: workspace
                .and_then(|w| w.diagnostic.as_ref())
                .and_then(|d| d.refresh_support)
                .unwrap_or(false),
            hints: option("inlayHints").and_then(serde_json::Value::as_bool).unwrap_or(false),
        }
    }

    /// Takes in new settings; what they do not name stays.
    pub fn configure(&mut self, settings: &serde_json::Value) {
        if let Some(hints) = settings.get("inlayHints").and_then(serde_json::Value::as_bool) {
            self.hints = hints;
        }
    }
}

/// The server's side of the handshake.
pub fn server(encoding: PositionEncodingKind, client: Client) -> ServerCapabilities {
    ServerCapabilities {
        position_encoding: Some(encoding),
        text_document_sync: Some(TextDocumentSyncCapability::Options(TextDocumentSyncOptions {
            open_close: Some(true),
            change: Some(TextDocumentSyncKind::INCREMENTAL),
            save: Some(TextDocumentSyncSaveOptions::Supported(true)),
            ..Default::default()
        })),
        hover_provider: Some(HoverProviderCapability::Simple(true)),
        definition_provider: Some(OneOf::Left(true)),
        references_provider: Some(OneOf::Left(true)),
        document_symbol_provider: Some(OneOf::Left(true)),
        selection_range_provider: Some(SelectionRangeProviderCapability::Simple(true)),
        inlay_hint_provider: Some(OneOf::Left(true)),
        code_lens_provider: Some(CodeLensOptions { resolve_provider: Some(false) }),
        completion_provider: Some(CompletionOptions {
            trigger_characters: Some(["[", ",", "\"", "{"].map(str::to_owned).to_vec()),
            resolve_provider: Some(true),
            ..Default::default()
        }),
        code_action_provider: Some(CodeActionProviderCapability::Options(CodeActionOptions {
            code_action_kinds: Some(vec![CodeActionKind::QUICKFIX, CodeActionKind::SOURCE_FIX_ALL]),
            ..Default::default()
        })),
        execute_command_provider: client
            .shows_pages
            .then(|| ExecuteCommandOptions { commands: vec![OPEN_DOCUMENTATION.to_owned()], ..Default::default() }),
        diagnostic_provider: client.pulls.then(|| {
            DiagnosticServerCapabilities::Options(DiagnosticOptions {
                work_done_progress_options: WorkDoneProgressOptions { work_done_progress: Some(true) },
                identifier: Some("stacklint".to_owned()),
                inter_file_dependencies: true,
                workspace_diagnostics: true,
            })
        }),
        workspace: Some(WorkspaceServerCapabilities {
            workspace_folders: Some(WorkspaceFoldersServerCapabilities {
                supported: Some(true),
                change_notifications: Some(OneOf::Left(true)),
            }),
            file_operations: None,
        }),
        ..Default::default()
    }
}
