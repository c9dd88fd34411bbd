//! What is linted: one folder and one row in [`FORMATS`] a format. Detection, the editors' selectors and the docs all
//! derive from that table.
//!
//! A format turns text into a tree ([`Format::parse`]), says which files are lowered together ([`Format::units`]),
//! lowers a unit to resources ([`Format::lower`]), and draws the edges between units ([`Format::link`]). Each step is
//! a pure function of its arguments, so that the analysis can remember its results. A format never sees a policy.

pub mod compose;
pub mod dockerfile;
pub mod golang;
pub mod kubernetes;
pub mod terraform;
pub mod yaml_value;

use crate::base::{FastMap, FileId, SourceFile, Span};
use crate::diagnostic::SyntaxError;
use crate::graph::{CauseKind, Edge, Map, Resource, ResourceGraph, Value};
use crate::syntax::Comment;
use std::any::Any;
use std::sync::Arc;

/// Every format, in the order in which they are asked whether a file is theirs.
pub static FORMATS: &[&dyn Format] =
    &[&terraform::Terraform, &dockerfile::Dockerfile, &kubernetes::Kubernetes, &compose::Compose];

/// One kind of input.
pub trait Format: Sync + Send {
    /// The name used in the configuration, in examples of policies and in the report: `terraform`, `kubernetes`, `dockerfile`.
    fn name(&self) -> &'static str;

    /// Which files may be of this format, for walking a folder and for editors.
    fn selectors(&self) -> &'static Selectors;

    /// Whether a file that a selector admits is of this format, by its path and text. This is the only detection there is.
    fn claims(&self, path: &str, text: &str) -> bool;

    /// Text to tree. Never fails: what could not be read is in [`Parsed::errors`].
    fn parse(&self, file: &SourceFile) -> Parsed;

    /// Groups this format's files into units. A unit depends on nothing but the files it names (and on what it reads
    /// through [`LowerContext::read`]).
    fn units(&self, files: &[Input], options: &Options) -> Vec<Unit>;

    /// A digest of what [`Format::units`] reads of a file beside its path: files are grouped anew only where it changes. By
    /// default that is the whole text.
    fn outline(&self, input: &Input) -> u64 {
        input.file.hash
    }

    /// Files and folders that a file refers to and that may lie outside of what was asked for, such as the folder of
    /// a module's `source`: paths relative to the working directory, `.` and `..` resolved as far as can be. The
    /// loader reads what is there as context: it can be lowered with its callers, but is not reported on by itself.
    fn needs(&self, _input: &Input) -> Vec<String> {
        Vec::new()
    }

    /// A unit's resources and edges. Must be deterministic.
    fn lower(&self, unit: &Unit, cx: &LowerContext<'_>) -> Lowered;

    /// Edges between units, drawn once the whole graph stands: selectors, image names, role bindings.
    fn link(&self, _graph: &ResourceGraph, _edges: &mut Vec<Edge>) {}
}

/// Which files a format wants to see.
#[derive(Debug)]
pub struct Selectors {
    /// Globs on the file's name or path, such as `*.tf`, `Dockerfile`, `Dockerfile.*`.
    pub globs: &'static [&'static str],
    /// The language ids that editors use.
    pub languages: &'static [&'static str],
}

/// What parsing a file gives. Kept by content hash.
#[derive(Debug)]
pub struct Parsed {
    /// The format's own tree.
    pub tree: Arc<dyn Any + Send + Sync>,
    /// What could not be read.
    pub errors: Vec<SyntaxError>,
    /// Every comment, in order.
    pub comments: Vec<Comment>,
}

/// A parsed file as a format's steps see it.
#[derive(Clone, Debug)]
pub struct Input {
    /// The file.
    pub file: Arc<SourceFile>,
    /// Its tree.
    pub parsed: Arc<Parsed>,
}

/// What is lowered together.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Unit {
    /// A Terraform root module's folder, a manifest's path, a chart's folder, a Dockerfile's path.
    pub name: Arc<str>,
    /// What else distinguishes it, such as the set of variable files of an environment; empty for most.
    pub variant: Arc<str>,
    /// Every file it depends on, sorted.
    pub files: Vec<FileId>,
}

/// What the user says about evaluation; the same for a whole run.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Options {
    /// Terraform variable files (`--var-file`), relative to the working directory, in order.
    pub var_files: Vec<String>,
    /// Terraform variables (`--var name=value`), in order.
    pub vars: Vec<(String, String)>,
    /// The Terraform workspace; `default` where it is not given.
    pub workspace: Option<String>,
    /// The Kubernetes version to judge API versions by, such as `1.33`.
    pub kubernetes_version: Option<String>,
}

/// What lowering may look at.
pub struct LowerContext<'a> {
    /// All parsed files of this format by id.
    pub inputs: &'a FastMap<FileId, Input>,
    /// The options of the run.
    pub options: &'a Options,
    /// Reads a text file inside the workspace (`file()`, `templatefile()`, values files) by its path relative to the
    /// working directory. `None` where it is not there or lies outside. The analysis remembers what was read.
    pub read: &'a (dyn Fn(&str) -> Option<Arc<SourceFile>> + Sync),
    /// The files of the workspace below a folder, as paths relative to the working directory, sorted (`fileset()`).
    pub list: &'a (dyn Fn(&str) -> Vec<Arc<str>> + Sync),
}

/// What lowering a unit gives.
#[derive(Clone, Debug, Default)]
pub struct Lowered {
    /// The resources; edges name them by their index here.
    pub resources: Vec<Arc<Resource>>,
    /// Edges within the unit.
    pub edges: Vec<LocalEdge>,
    /// What could not be evaluated or was cut short.
    pub ledger: Vec<LedgerEntry>,
    /// The outputs of a Terraform root module, by name.
    pub outputs: Option<Arc<Map>>,
}

/// An edge between two resources of one unit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LocalEdge {
    /// Index of the referring resource in [`Lowered::resources`].
    pub from: u32,
    /// Index of the other.
    pub to: u32,
    /// See [`Edge::via`].
    pub via: Arc<str>,
    /// Where the reference stands.
    pub span: Span,
}

/// Something that was not, or not wholly, understood. Nothing is dropped in silence: it ends here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LedgerEntry {
    /// The place.
    pub span: Span,
    /// The kind of reason.
    pub kind: CauseKind,
    /// What was left out and why.
    pub message: String,
}

impl LowerContext<'_> {
    /// The tree of a file, where it is of the type this format makes.
    pub fn tree<T: 'static>(&self, file: FileId) -> Option<&T> {
        self.inputs.get(&file)?.parsed.tree.downcast_ref::<T>()
    }
}

impl Lowered {
    /// The value of an output.
    pub fn output(&self, name: &str) -> Option<&Value> {
        self.outputs.as_ref()?.get(name)
    }
}
