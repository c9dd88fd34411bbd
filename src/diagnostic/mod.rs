//! What the program has to say: findings, their labels and fixes, and the rule behind each.
//!
//! These are plain data. Nothing here knows how a finding was made or how it will be shown.

use crate::base::Span;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// How bad it is. Ordered: `Info < Low < Medium < High < Critical`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; nothing needs to be done.
    Info,
    /// A small weakness or a matter of hygiene.
    Low,
    /// Weakens the system; mend it in due course.
    Medium,
    /// Opens the system to a likely attack or loss.
    High,
    /// Opens the system to anyone; mend it now.
    Critical,
}

impl Severity {
    /// Every severity, mildest first.
    pub const ALL: [Severity; 5] =
        [Severity::Info, Severity::Low, Severity::Medium, Severity::High, Severity::Critical];

    /// The word used in policies, configuration and output.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        }
    }

    /// The severity of a word.
    pub fn parse(word: &str) -> Option<Severity> {
        Severity::ALL.into_iter().find(|s| s.as_str() == word)
    }
}

impl std::fmt::Display for Severity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a rule is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the words explain themselves")]
pub enum Category {
    Access,
    Network,
    Encryption,
    Secrets,
    Logging,
    Backup,
    SupplyChain,
    Reliability,
    Hygiene,
}

impl Category {
    /// Every category.
    pub const ALL: [Category; 9] = [
        Category::Access,
        Category::Network,
        Category::Encryption,
        Category::Secrets,
        Category::Logging,
        Category::Backup,
        Category::SupplyChain,
        Category::Reliability,
        Category::Hygiene,
    ];

    /// The word used in policies, configuration and output.
    pub fn as_str(self) -> &'static str {
        match self {
            Category::Access => "access",
            Category::Network => "network",
            Category::Encryption => "encryption",
            Category::Secrets => "secrets",
            Category::Logging => "logging",
            Category::Backup => "backup",
            Category::SupplyChain => "supply-chain",
            Category::Reliability => "reliability",
            Category::Hygiene => "hygiene",
        }
    }

    /// The category of a word.
    pub fn parse(word: &str) -> Option<Category> {
        Category::ALL.into_iter().find(|c| c.as_str() == word)
    }
}

impl std::fmt::Display for Category {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// What reporters need to know of the policy behind a finding. Shared by all its findings.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Rule {
    /// The policy's name, such as `aws-s3-bucket-public-acl`.
    pub name: String,
    /// One line that names the problem.
    pub title: String,
    /// The severity before any override.
    pub severity: Severity,
    /// What it is about.
    pub category: Category,
    /// What goes wrong, for whom.
    pub why: String,
    /// What to do about it.
    pub remediation: String,
    /// Where to read more.
    pub references: Vec<String>,
    /// Peers' ids for the same thing, flat: `checkov:CKV_AWS_20`.
    pub aliases: Vec<String>,
    /// Groups that can be selected as a whole, such as `pss-baseline`.
    pub tags: Vec<String>,
    /// Policies whose finding at the same place of the same resource says more: this one is then left out.
    pub implied_by: Vec<String>,
    /// The page that documents it.
    pub url: String,
}

/// A place with a few words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What is to be seen there; may be empty.
    pub message: String,
}

impl Label {
    /// A label.
    pub fn new(span: Span, message: impl Into<String>) -> Label {
        Label { span, message: message.into() }
    }
}

/// The resource a finding is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subject {
    /// Its address: Terraform's own, `Kind/namespace/name`, or `path/Dockerfile:stage`.
    pub address: Arc<str>,
    /// Its native kind.
    pub kind: Arc<str>,
    /// The whole of it in the source.
    pub span: Span,
}

/// Whether a fix may be applied without thinking.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Safety {
    /// Changes nothing that a running system could miss.
    Safe,
    /// May change behaviour: somebody has to look at it.
    Unsafe,
}

/// Replaces the bytes of `span` by `text`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Edit {
    /// What goes; empty for an insertion.
    pub span: Span,
    /// What comes.
    pub text: String,
}

/// A set of edits that mends a finding. Edits do not overlap and are sorted by place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fix {
    /// What it does, in the imperative.
    pub title: String,
    /// Whether it may be applied unseen.
    pub safety: Safety,
    /// The edits.
    pub edits: Vec<Edit>,
}

/// One more place where the same finding occurs: another instance, another call of the module.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Occurrence {
    /// The address of the resource there.
    pub address: Arc<str>,
    /// The fingerprint that the finding would have there by itself.
    pub fingerprint: String,
    /// The module calls, outermost first, through which the resource came to be.
    pub callers: Arc<[Span]>,
    /// The way to it: module calls, then origins of the value.
    pub trace: Vec<Label>,
}

/// A finding, complete: everything a reporter or an editor shows.
#[derive(Clone, PartialEq, Debug)]
pub struct Diagnostic {
    /// The rule that was broken.
    pub rule: Arc<Rule>,
    /// The severity after overrides.
    pub severity: Severity,
    /// What is wrong here, with names and values filled in. Never holds a secret.
    pub message: String,
    /// The smallest span that is wrong, or the place where something is missing.
    pub primary: Label,
    /// Other places that took part.
    pub related: Vec<Label>,
    /// Where the value came from, nearest first: attribute → local → variable → tfvars line.
    pub trace: Vec<Label>,
    /// The resource it is about.
    pub subject: Option<Subject>,
    /// The module calls, outermost first, through which the subject came to be.
    pub callers: Arc<[Span]>,
    /// A fix, where there is one.
    pub fix: Option<Fix>,
    /// What stays the same when lines move and files are renamed: policy, address and attribute path, hashed.
    pub fingerprint: String,
    /// Further occurrences of the same finding.
    pub occurrences: Vec<Occurrence>,
    /// Spans whose text must not be shown, because a secret stands there.
    pub redacted: Vec<Span>,
}

/// Something that could not be read or understood, with the place and what to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SyntaxError {
    /// The exact place.
    pub span: Span,
    /// What is wrong.
    pub message: String,
    /// What to do next, where that can be said.
    pub help: Option<String>,
}

impl SyntaxError {
    /// An error without help.
    pub fn new(span: Span, message: impl Into<String>) -> SyntaxError {
        SyntaxError { span, message: message.into(), help: None }
    }

    /// The same error with a hint.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> SyntaxError {
        self.help = Some(help.into());
        self
    }
}
