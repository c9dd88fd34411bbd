//! From the text of policies, views, conditions and tables to [`model`](super::model): every mistake gets an error with its exact
//! place, and where a word is merely mistyped the word that was meant.
//!
//! The build script runs this over `policies/` and refuses to go on with a broken policy; a run does the same with the
//! folders of the user and goes on without the policies that are broken.

mod condition;
mod document;
mod operand;
mod path;
mod reader;
mod table;
mod view;

#[cfg(test)]
mod tests;

pub use table::{index_entry, pack};

use super::model::{Examples, Library, Literal, Policy, Pool};
use crate::base::{FastMap, FileId, Files, SourceFile, Span};
use crate::diagnostic::SyntaxError;
use crate::syntax::yaml;
use std::sync::Arc;

/// What compiling a folder gives.
#[derive(Debug, Default)]
pub struct Output {
    /// The policies that are sound, in the order of their files: the file's path below the folder, the policy, its examples.
    pub policies: Vec<(String, Policy, Examples)>,
    /// The views and tables.
    pub library: Library,
    /// What is wrong, in the order of files.
    pub errors: Vec<SyntaxError>,
}

/// Conditions nest no deeper than this.
const DEEPEST: usize = 64;

/// Compiles the policies of a folder. `files` holds the texts of its `*.yaml` files; `folder` is what their paths
/// begin with (empty where they are relative to the folder already). `base` has the conditions and tables that the
/// files may refer to beside their own.
pub fn compile(files: &Files, folder: &str, base: &Library) -> Output {
    let mut sources: Vec<(&str, &Arc<SourceFile>)> = files
        .iter()
        .filter_map(|file| {
            let path = file.path.strip_prefix(folder)?.trim_start_matches('/');
            (path.ends_with(".yaml") || path.ends_with(".yml")).then_some((path, file))
        })
        .collect();
    sources.sort_by_key(|(path, _)| *path);
    let trees: Vec<(&str, yaml::Tree)> =
        in_parallel(&sources, |(path, file)| (*path, yaml::parse(file.id, file.text.clone())));

    let mut output = Output::default();
    let mut shared = Shared::default();
    let borrowed: Vec<(&str, yaml::Tree)> = base
        .conditions
        .iter()
        .map(|(name, text)| (name.as_str(), yaml::parse(FileId::NONE, text.as_str().into())))
        .collect();
    for (name, tree) in &borrowed {
        shared.conditions.insert(name, tree);
    }
    for (path, tree) in trees.iter().filter(|(path, _)| path.starts_with("conditions/")) {
        shared.conditions.insert(stem(path), tree);
        output.library.conditions.push((stem(path).to_owned(), tree.text.to_string()));
    }
    for (path, tree) in trees.iter().filter(|(path, _)| path.starts_with("data/")) {
        let mut cx = Context::new(&shared);
        let table = cx.root(tree).map(|root| cx.literal(root));
        output.errors.append(&mut cx.errors);
        output.library.data.push((stem(path).to_owned(), table.unwrap_or(Literal::Null)));
    }
    shared.tables = base.data.iter().chain(&output.library.data).map(|(name, table)| (name.as_str(), table)).collect();
    for (path, tree) in trees.iter().filter(|(path, _)| path.starts_with("views/")) {
        let mut cx = Context::new(&shared);
        let view = cx.root(tree).and_then(|root| view::view(&mut cx, root, stem(path)));
        let sound = cx.errors.is_empty();
        output.errors.append(&mut cx.errors);
        output.library.views.extend(view.filter(|_| sound));
    }
    let policies: Vec<&(&str, yaml::Tree)> = trees
        .iter()
        .filter(|(path, _)| !["conditions/", "data/", "views/"].iter().any(|f| path.starts_with(f)))
        .collect();
    let compiled = in_parallel(&policies, |(path, tree)| {
        let mut cx = Context::new(&shared);
        let policy = cx.root(tree).and_then(|root| document::policy(&mut cx, root, stem(path), &tree.text));
        (policy.filter(|_| cx.errors.is_empty()), cx.errors)
    });
    let mut names: FastMap<String, &str> = FastMap::default();
    for ((path, tree), (policy, mut errors)) in policies.into_iter().zip(compiled) {
        output.errors.append(&mut errors);
        let Some((policy, examples)) = policy else { continue };
        if let Some(other) = names.insert(policy.rule.name.clone(), path) {
            let message = format!("another policy is named `{}`: {other}", policy.rule.name);
            output.errors.push(SyntaxError::new(Span::at(tree.file, 0), message));
        }
        output.policies.push(((*path).to_owned(), policy, examples));
    }
    // A condition that no policy uses is compiled by itself, so that its mistakes do not wait for its first use.
    for (name, tree) in &shared.conditions {
        let mut cx = Context::new(&shared);
        cx.nodes = true;
        cx.lenient_names = true;
        if let Some(root) = cx.root(tree) {
            cx.using.push((*name).to_owned());
            cx.condition(root);
        }
        output.errors.append(&mut cx.errors);
    }
    view::sort(&mut output.library.views, &mut output.errors);
    // A mistake in a shared condition shows up once for each policy that uses it.
    output.errors.sort_by_key(|e| (e.span.file, e.span.start, e.span.end));
    output.errors.dedup();
    output
}

/// The file's name without its folder and ending.
fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.trim_end_matches(".yaml").trim_end_matches(".yml")
}

/// Maps over a slice with as many threads as there are processors, in order. The build script has no rayon.
fn in_parallel<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(8);
    if items.len() < 16 || threads == 1 {
        return items.iter().map(work).collect();
    }
    let work = &work;
    std::thread::scope(|scope| {
        let chunks: Vec<_> = items
            .chunks(items.len().div_ceil(threads))
            .map(|chunk| scope.spawn(move || chunk.iter().map(work).collect::<Vec<R>>()))
            .collect();
        // A thread can only end without a result by panicking, and then so do we.
        chunks
            .into_iter()
            .flat_map(|chunk| chunk.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

/// What all files of a folder share.
#[derive(Default)]
struct Shared<'t> {
    conditions: FastMap<&'t str, &'t yaml::Tree>,
    tables: FastMap<&'t str, &'t Literal>,
}

/// The state of compiling one file.
struct Context<'s, 't> {
    shared: &'s Shared<'t>,
    errors: Vec<SyntaxError>,
    pool: Pool,
    /// The parameters that the file declares; `None` where it has none to declare (views).
    params: Vec<String>,
    /// Whether `@` means something here.
    nodes: bool,
    /// Names given by `as`, innermost last.
    names: Vec<String>,
    /// Whether names and parameters that are not declared here may be so where the condition is used.
    lenient_names: bool,
    /// The shared conditions that are being compiled, outermost first.
    using: Vec<String>,
    depth: usize,
}

impl<'s, 't> Context<'s, 't> {
    fn new(shared: &'s Shared<'t>) -> Context<'s, 't> {
        Context {
            shared,
            errors: Vec::new(),
            pool: Pool::default(),
            params: Vec::new(),
            nodes: false,
            names: Vec::new(),
            lenient_names: false,
            using: Vec::new(),
            depth: 0,
        }
    }

    fn error(&mut self, span: Span, message: impl Into<String>) {
        self.errors.push(SyntaxError::new(span, message));
    }

    fn error_with_help(&mut self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.errors.push(SyntaxError::new(span, message).with_help(help));
    }

    /// The content of a file, which must be one sound document.
    fn root<'a>(&mut self, tree: &'a yaml::Tree) -> Option<yaml::Node<'a>> {
        self.errors.extend(tree.errors.iter().cloned());
        for duplicate in &tree.duplicates {
            self.error(duplicate.second, format!("`{}` stands twice", duplicate.key));
        }
        let mut roots = tree.roots();
        let root = roots.next();
        if let Some(second) = roots.next() {
            self.error(second.span().start_point(), "a file holds one document; put this into a file of its own");
        }
        if root.is_none() && tree.errors.is_empty() {
            self.error(Span::at(tree.file, 0), "the file is empty");
        }
        root.filter(|_| tree.errors.is_empty())
    }
}
