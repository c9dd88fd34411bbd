//! Plans: what `terraform show -json` prints, as input.
//!
//! Source: Terraform's documentation of its JSON output format. A resource's planned values are its body; what
//! `after_unknown` marks is unknown until apply; what `after_sensitive` marks is never shown. Where the configuration
//! is among the files, a resource points to its block there, otherwise into the plan.

use crate::base::{FileId, Span};
use crate::diagnostic::SyntaxError;
use crate::formats::{LowerContext, Lowered, Unit};

/// A plan.
#[derive(Debug)]
pub struct Plan {}

/// Whether a JSON text is a plan.
pub fn is_plan(_text: &str) -> bool {
    false
}

impl Plan {
    /// Reads a plan.
    pub fn parse(_text: &str, _file: FileId) -> (Plan, Vec<SyntaxError>) {
        (Plan {}, Vec::new())
    }

    /// The resources of the plan.
    pub fn lower(&self, _unit: &Unit, _cx: &LowerContext<'_>) -> Lowered {
        Lowered::default()
    }
}
