//! Findings that are known and accepted, by fingerprints that survive moved lines and renamed files.

use super::evaluate::Found;
use crate::base::FastMap;
use crate::diagnostic::Diagnostic;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How often each finding is accepted. A fingerprint alone would let a second resource of the same name and address, in
/// another root module, pass as the first; so equal findings are counted, and one more than before is new.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// The version of this layout.
    pub version: u32,
    /// The accepted findings by fingerprint.
    pub findings: BTreeMap<String, Accepted>,
}

/// One fingerprint of a baseline. Everything but the count is for people who read the file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accepted {
    /// The policy.
    pub policy: String,
    /// The address of the resource.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub resource: String,
    /// The file in which it stood.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub file: String,
    /// How many there are.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub count: u32,
}

fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_one(n: &u32) -> bool {
    *n == 1
}

impl Baseline {
    /// The layout that this program writes.
    pub const VERSION: u32 = 1;

    /// Accepts all of these; `path` names the file of a finding.
    pub fn of<'a>(diagnostics: &'a [Diagnostic], path: impl Fn(&'a Diagnostic) -> &'a str) -> Baseline {
        let mut baseline = Baseline { version: Baseline::VERSION, ..Baseline::default() };
        for diagnostic in diagnostics {
            baseline
                .findings
                .entry(diagnostic.fingerprint.clone())
                .and_modify(|a| a.count = a.count.saturating_add(1))
                .or_insert_with(|| Accepted {
                    policy: diagnostic.rule.name.clone(),
                    resource: diagnostic.subject.as_ref().map(|s| s.address.to_string()).unwrap_or_default(),
                    file: path(diagnostic).to_owned(),
                    count: 1,
                });
        }
        baseline
    }

    /// Reads a baseline file.
    ///
    /// # Errors
    ///
    /// In words, where the text is not one or comes from a newer version.
    pub fn parse(text: &str) -> Result<Baseline, String> {
        let baseline: Baseline = serde_json::from_str(text).map_err(|e| format!("this is no baseline: {e}"))?;
        if baseline.version > Baseline::VERSION {
            return Err(format!(
                "the baseline is of version {}, and this program knows up to {}",
                baseline.version,
                Baseline::VERSION
            ));
        }
        Ok(baseline)
    }

    /// The text of the file.
    pub fn to_text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Splits findings into known and new ones. Where there are more of a kind than accepted, the last are new.
    pub(super) fn split(&self, found: Vec<Found>) -> (Vec<Found>, Vec<Found>) {
        let mut left: FastMap<&str, u32> = self.findings.iter().map(|(f, a)| (f.as_str(), a.count)).collect();
        found.into_iter().partition(|f| match left.get_mut(f.diagnostic.fingerprint.as_str()) {
            Some(n) if *n > 0 => {
                *n -= 1;
                true
            }
            _ => false,
        })
    }
}
