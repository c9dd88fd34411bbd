//! The other way to deal with a finding: a comment that accepts it.

use crate::base::{SourceFile, Span};
use crate::diagnostic::{Diagnostic, Edit};

/// A line above the finding's that ignores it, at the same indent. `reason` stands behind the policy's name and is one
/// line. `None` where the file has no comments, or the finding is in another one.
pub fn ignore_comment(file: &SourceFile, finding: &Diagnostic, reason: &str) -> Option<Edit> {
    if finding.primary.span.file != file.id || file.path.ends_with(".json") {
        return None;
    }
    let line = file.lines().line_range(&file.text, file.lines().line(finding.primary.span.start));
    let text = file.text.get(line.clone())?;
    let indent: String = text.chars().take_while(|c| c.is_whitespace()).collect();
    let ending = if file.text.contains("\r\n") { "\r\n" } else { "\n" };
    let comment = format!("{indent}# stacklint: ignore[{}] {reason}{ending}", finding.rule.name);
    Some(Edit { span: Span::at(file.id, line.start), text: comment })
}
