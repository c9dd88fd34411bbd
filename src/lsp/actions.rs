//! Code actions: mend this, mend all of its kind, mend all that is safe, silence it here with a reason, read about it.

use super::diagnostics::{self, Places};
use super::requests::About;
use super::server::Session;
use super::{capabilities, convert};
use crate::base::{FileId, Span};
use crate::diagnostic::{Diagnostic, Edit, Fix, Safety};
use lsp_types::{
    CodeAction, CodeActionKind, CodeActionOrCommand, CodeActionParams, Command, DocumentChanges, OneOf,
    OptionalVersionedTextDocumentIdentifier, TextDocumentEdit, TextEdit, WorkspaceEdit,
};

/// What is offered for the findings in a range.
pub fn actions(session: &Session, about: &About, params: &CodeActionParams) -> Vec<CodeActionOrCommand> {
    let here = Span {
        file: about.file.id,
        start: convert::offset(&about.file, params.range.start, session.encoding),
        end: convert::offset(&about.file, params.range.end, session.encoding),
    };
    let wanted = |kind: &CodeActionKind| {
        params.context.only.as_ref().is_none_or(|only| {
            only.iter().any(|o| kind.as_str() == o.as_str() || kind.as_str().starts_with(&format!("{}.", o.as_str())))
        })
    };
    let cx = Cx { session, about };
    let mut found = Vec::new();
    if wanted(&CodeActionKind::QUICKFIX) {
        let is_here = |d: &&Diagnostic| d.primary.span.overlaps(here) || diagnostics::marked(d).overlaps(here);
        for finding in about.checked.report.diagnostics.iter().filter(is_here) {
            cx.for_finding(finding, &mut found);
        }
    }
    if wanted(&CodeActionKind::SOURCE_FIX_ALL) {
        cx.fix_all(&mut found);
    }
    found
}

struct Cx<'a> {
    session: &'a Session<'a>,
    about: &'a About,
}

impl Cx<'_> {
    fn places(&self) -> Places<'_> {
        Places { report: &self.about.checked.report, paths: &self.session.paths, encoding: self.session.encoding }
    }

    fn for_finding(&self, finding: &Diagnostic, found: &mut Vec<CodeActionOrCommand>) {
        let shown = diagnostics::diagnostic(&self.places(), finding);
        let mut push = |title: String, edit: Option<WorkspaceEdit>, preferred: bool| {
            found.push(CodeActionOrCommand::CodeAction(CodeAction {
                title,
                kind: Some(CodeActionKind::QUICKFIX),
                diagnostics: Some(vec![shown.clone()]),
                edit,
                is_preferred: Some(preferred),
                ..Default::default()
            }));
        };
        if let Some(fix) = &finding.fix {
            let caution = if fix.safety == Safety::Unsafe { " (look at it: it may change behaviour)" } else { "" };
            // What an editor's "fix it" key applies without a question must be safe.
            push(format!("{}{caution}", fix.title), self.edit(&fix.edits), fix.safety == Safety::Safe);
            let same = self.fixes(|d| d.rule.name == finding.rule.name);
            if same.len() > 1 {
                let title = format!("Fix all {} findings of {} in this file", same.len(), finding.rule.name);
                push(title, self.edit(&merged(&same)), false);
            }
        }
        if let Some(edit) = crate::fix::ignore_comment(self.about.graph(), &self.about.file, finding, "reason: ") {
            push(format!("Ignore {} here, with a reason", finding.rule.name), self.edit(&[edit]), false);
        }
        if self.session.client.shows_pages && !finding.rule.url.is_empty() {
            found.push(CodeActionOrCommand::CodeAction(CodeAction {
                title: format!("Read about {}", finding.rule.name),
                kind: Some(CodeActionKind::QUICKFIX),
                command: Some(Command {
                    title: "Read about the policy".to_owned(),
                    command: capabilities::OPEN_DOCUMENTATION.to_owned(),
                    arguments: Some(vec![finding.rule.url.clone().into()]),
                }),
                ..Default::default()
            }));
        }
    }

    fn fix_all(&self, found: &mut Vec<CodeActionOrCommand>) {
        let safe = self.fixes(|d| d.fix.as_ref().is_some_and(|f| f.safety == Safety::Safe));
        if safe.is_empty() {
            return;
        }
        found.push(CodeActionOrCommand::CodeAction(CodeAction {
            title: format!("Fix all that is safe to fix in this file ({})", safe.len()),
            kind: Some(CodeActionKind::SOURCE_FIX_ALL),
            edit: self.edit(&merged(&safe)),
            ..Default::default()
        }));
    }

    /// The fixes of this file's findings that `wanted` admits.
    fn fixes(&self, wanted: impl Fn(&Diagnostic) -> bool) -> Vec<&Fix> {
        self.about
            .checked
            .report
            .diagnostics
            .iter()
            .filter(|d| d.primary.span.file == self.about.file.id && wanted(d))
            .filter_map(|d| d.fix.as_ref())
            .collect()
    }

    /// Edits as the protocol's, by document, with the version of open ones so that a stale edit is refused.
    fn edit(&self, edits: &[Edit]) -> Option<WorkspaceEdit> {
        let mut files: Vec<FileId> = edits.iter().map(|e| e.span.file).collect();
        files.sort_unstable();
        files.dedup();
        let mut changes = Vec::new();
        for id in files {
            let file = self.about.checked.report.files.get(id)?;
            let version = self.session.documents.get(&file.path).map(|d| d.version);
            let uri = self.session.paths.uri(&file.path)?;
            let edits = edits
                .iter()
                .filter(|e| e.span.file == id)
                .map(|e| {
                    OneOf::Left(TextEdit {
                        range: convert::range(file, e.span, self.session.encoding),
                        new_text: e.text.clone(),
                    })
                })
                .collect();
            changes.push(TextDocumentEdit {
                text_document: OptionalVersionedTextDocumentIdentifier { uri, version },
                edits,
            });
        }
        Some(WorkspaceEdit { document_changes: Some(DocumentChanges::Edits(changes)), ..Default::default() })
    }
}

/// The edits of several fixes as one, leaving out a fix that overlaps an earlier one.
fn merged(fixes: &[&Fix]) -> Vec<Edit> {
    let mut edits: Vec<Edit> = Vec::new();
    for fix in fixes {
        let clash = fix.edits.iter().any(|e| edits.iter().any(|o| o.span.overlaps(e.span)));
        if !clash {
            edits.extend(fix.edits.iter().cloned());
        }
    }
    edits.sort_by_key(|e| e.span);
    edits
}
