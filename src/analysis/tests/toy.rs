//! A format for tests: blocks of attributes in files named `*.toy`, one unit a folder.
//!
//! ```text
//! block web {        # a resource
//!   bad = 1          # an attribute
//!   use other        # an edge to the block of this name in the folder
//!   read shared.txt  # an attribute from a file that is read
//! }
//! error              # cannot be parsed
//! panic              # breaks the parser
//! ```

use crate::base::{FastMap, SourceFile, Span};
use crate::diagnostic::SyntaxError;
use crate::formats::{Format, Input, LedgerEntry, LocalEdge, LowerContext, Lowered, Options, Parsed, Selectors, Unit};
use crate::graph::{CauseKind, Map, Resource, Value};
use crate::syntax::Comment;
use std::collections::BTreeMap;
use std::sync::Arc;

pub struct Toy;

pub static TOY: &[&dyn Format] = &[&Toy];

#[derive(Debug)]
struct Block {
    name: String,
    head: Span,
    span: Span,
    lines: Vec<(String, String, Span)>,
}

impl Format for Toy {
    fn name(&self) -> &'static str {
        "toy"
    }

    fn selectors(&self) -> &'static Selectors {
        &Selectors { globs: &["*.toy"], languages: &[] }
    }

    fn claims(&self, path: &str, _: &str) -> bool {
        path.ends_with(".toy")
    }

    fn parse(&self, file: &SourceFile) -> Parsed {
        let (mut errors, mut comments) = (Vec::new(), Vec::new());
        let mut blocks: Vec<Block> = Vec::new();
        let mut at = 0;
        let mut open = false;
        for line in file.text.split_inclusive('\n') {
            let start = at;
            at += line.len();
            let line = line.trim_end_matches('\n');
            let code = match line.find('#') {
                Some(i) => {
                    let span = Span::new(file.id, start + i..start + line.len());
                    comments.push(Comment { span, own_line: line[..i].trim().is_empty() });
                    &line[..i]
                }
                None => line,
            };
            let indent = code.len() - code.trim_start().len();
            let span = Span::new(file.id, start + indent..start + indent + code.trim().len());
            let words: Vec<&str> = code.split_whitespace().collect();
            match (open, words.as_slice()) {
                (_, []) => {}
                (false, ["block", name, "{"]) => {
                    blocks.push(Block { name: (*name).into(), head: span, span, lines: Vec::new() });
                    open = true;
                }
                (true, ["}"]) => {
                    open = false;
                    if let Some(block) = blocks.last_mut() {
                        block.span = block.span.to(span);
                    }
                }
                (true, [key, "=", value] | [key @ ("use" | "read"), value]) => {
                    if let Some(block) = blocks.last_mut() {
                        block.lines.push(((*key).into(), (*value).into(), span));
                    }
                }
                (false, ["panic"]) => panic!("a word that breaks the parser"),
                _ => errors.push(SyntaxError::new(span, "cannot be read")),
            }
        }
        Parsed { tree: Arc::new(blocks), errors, comments }
    }

    fn units(&self, files: &[Input], _: &Options) -> Vec<Unit> {
        let mut folders: BTreeMap<String, Vec<_>> = BTreeMap::new();
        for input in files {
            let folder = input.file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
            folders.entry(folder.to_owned()).or_default().push(input.file.id);
        }
        folders
            .into_iter()
            .map(|(name, mut files)| {
                files.sort_unstable();
                Unit { name: name.into(), variant: "".into(), files }
            })
            .collect()
    }

    fn lower(&self, unit: &Unit, cx: &LowerContext<'_>) -> Lowered {
        let mut lowered = Lowered::default();
        let mut inputs: Vec<&Input> = unit.files.iter().filter_map(|f| cx.inputs.get(f)).collect();
        inputs.sort_by(|a, b| a.file.path.cmp(&b.file.path));
        let mut names: FastMap<String, u32> = FastMap::default();
        let mut uses = Vec::new();
        for block in inputs.iter().filter_map(|i| cx.tree::<Vec<Block>>(i.file.id)).flatten() {
            let index = u32::try_from(lowered.resources.len()).unwrap_or(0);
            names.insert(block.name.clone(), index);
            let mut body = Map::new(Some(block.head));
            for (key, value, span) in &block.lines {
                match key.as_str() {
                    "use" => uses.push((index, value.clone(), *span)),
                    "read" => match (cx.read)(value) {
                        Some(file) => body.insert("read", *span, Value::string(&*file.text, *span)),
                        None => lowered.ledger.push(LedgerEntry {
                            span: *span,
                            kind: CauseKind::Missing,
                            message: format!("{value} is not there"),
                        }),
                    },
                    key => body.insert(key, *span, Value::string(value.as_str(), *span)),
                }
            }
            let listed = (cx.list)(&unit.name).len();
            body.insert("files", block.head, Value::int(i64::try_from(listed).unwrap_or(0), block.head));
            lowered.resources.push(Arc::new(Resource {
                kind: "block".into(),
                address: format!("block.{}", block.name).into(),
                name: block.name.as_str().into(),
                unit: unit.name.clone(),
                span: block.span,
                head: block.head,
                body: Value::map(body, block.span),
                callers: Arc::new([]),
                parent: None,
            }));
        }
        for (from, name, span) in uses {
            match names.get(&name) {
                Some(&to) => lowered.edges.push(LocalEdge { from, to, via: "use".into(), span }),
                None => lowered.ledger.push(LedgerEntry {
                    span,
                    kind: CauseKind::Error,
                    message: format!("there is no block {name}"),
                }),
            }
        }
        lowered
    }
}
