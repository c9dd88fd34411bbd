//! Events to nodes.

use super::messages;
use super::node::{Content, Document, Duplicate, Names, NodeData, NodeId, Style, Text, Tree};
use crate::base::{FastMap, FileId, Span};
use crate::diagnostic::SyntaxError;
use crate::syntax::Comment;
use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError, StructureStyle, Tag};
use std::borrow::Cow;
use std::sync::Arc;

/// How many nodes the aliases of a file may stand for altogether. Real files stay below a thousand; an alias bomb
/// reaches billions.
pub const ALIAS_BUDGET: u64 = 200_000;

/// How deep nodes may nest, aliases followed. Deeper input is an error, so that recursion over a tree is safe.
pub const DEPTH_LIMIT: u32 = 512;

/// The scanner's own limits on flow and on block nesting; together they stay below [`DEPTH_LIMIT`].
const NESTING_LIMIT: usize = 250;

/// A syntax error before it is put into words.
#[derive(Debug)]
pub(super) struct Failure {
    pub offset: usize,
    pub kind: ErrorKind,
    /// Where the innermost bracket that was open begins.
    pub bracket: Option<usize>,
}

/// A pass over the events.
pub(super) struct Builder<'t> {
    source: &'t str,
    pub tree: Tree,
    /// The first error of each document that has one.
    pub failures: Vec<Failure>,
    frames: Vec<Frame>,
    /// Children of the open collections, innermost last.
    scratch: Vec<NodeId>,
    anchors: FastMap<usize, Anchor>,
    name_index: FastMap<Arc<str>, u32>,
    /// How many nodes all aliases so far stand for, less themselves.
    expanded: u64,
    /// Where the last token ended: a block scalar's header stands behind it.
    last_end: usize,
    broken: bool,
    /// Where the last comment that was noted began: look-ahead can report one twice.
    last_comment: Option<u32>,
}

struct Frame {
    node: NodeId,
    base: usize,
    mapping: bool,
    anchor: usize,
    expanded_before: u64,
    height: u32,
}

#[derive(Clone, Copy)]
struct Anchor {
    node: NodeId,
    /// Nodes it stands for; `None` while it is open, when an alias to it would be a cycle.
    size: Option<u64>,
    height: u32,
}

/// Builds the tree of `source`, whose offsets are those of `text`; they differ only where a repair blanked something.
pub(super) fn build<'t>(file: FileId, text: &Arc<str>, source: &'t str) -> Builder<'t> {
    let mut builder = Builder {
        source,
        tree: Tree {
            file,
            text: text.clone(),
            documents: Vec::new(),
            errors: Vec::new(),
            duplicates: Vec::new(),
            comments: Vec::new(),
            nodes: Vec::with_capacity(source.len() / 20),
            pool: Vec::with_capacity(source.len() / 20),
            names: Vec::new(),
        },
        failures: Vec::new(),
        frames: Vec::new(),
        scratch: Vec::new(),
        anchors: FastMap::default(),
        name_index: FastMap::default(),
        expanded: 0,
        last_end: 0,
        broken: false,
        last_comment: None,
    };
    let options = granit_parser::options! {
        emit_anchor_events: true,
        emit_unresolved_aliases: true,
        // As libyaml and go-yaml do: no line feed is made up at the end of the file.
        block_scalar_eof_without_line_feed: true,
        max_buffered_comment_events: 1 << 20,
        flow_nesting_limit: NESTING_LIMIT,
        block_nesting_limit: NESTING_LIMIT,
    };
    let mut parser = Parser::new_from_str_with_options(source, options);
    loop {
        match parser.next_event() {
            Some(Ok((event, span))) => {
                let range = span.byte_range().unwrap_or(0..0);
                let tag_end = span.tag_span().and_then(|s| s.byte_range()).map_or(0, |r| r.end);
                builder.event(event, range, tag_end);
            }
            Some(Err(error)) => {
                builder.fail(&error);
                if !parser.proceed_next_document().unwrap_or(false) {
                    break;
                }
            }
            None => break,
        }
    }
    builder
}

impl Builder<'_> {
    fn event(&mut self, event: Event<'_>, range: std::ops::Range<usize>, tag_end: usize) {
        self.last_end = self.last_end.max(tag_end);
        match event {
            Event::Scalar(value, style, anchor, tag) => self.scalar(&value, style, anchor, tag, range),
            Event::MappingStart(style, anchor, tag) => self.open(true, style, anchor, tag, range),
            Event::SequenceStart(style, anchor, tag) => self.open(false, style, anchor, tag, range),
            Event::MappingEnd | Event::SequenceEnd => {
                self.last_end = self.last_end.max(range.end);
                self.close(Some(range.end));
            }
            Event::Alias(id) => self.alias(id, range),
            Event::UnresolvedAlias(name) => {
                self.problem(
                    range.clone(),
                    format!("no anchor `&{name}` stands before this alias"),
                    "define the anchor earlier in the same document, or quote the value if it is no alias",
                );
                self.leaf(NodeData::new(range, Style::Plain, Content::Missing));
            }
            Event::Anchor(_, name) => {
                self.last_end = self.last_end.max(range.end);
                let name = self.name(&name);
                // The event follows the start of the node it names.
                if let Some(node) = self.tree.nodes.last_mut() {
                    node.anchor = name;
                }
            }
            Event::Comment(_, _) => {
                let start = offset(range.start);
                if self.last_comment.is_none_or(|last| last < start) {
                    self.last_comment = Some(start);
                    let before = self.source.get(..range.start).unwrap_or("");
                    let line = before.rfind('\n').map_or(before, |at| &before[at + 1..]);
                    let own_line = line.chars().all(|c| c.is_whitespace() || c == '\u{feff}');
                    self.tree.comments.push(Comment { span: Span::new(self.tree.file, range), own_line });
                }
            }
            Event::DocumentStart(_, _) => {
                self.last_end = self.last_end.max(range.end);
                self.broken = false;
                self.tree.documents.push(Document {
                    span: Span::at(self.tree.file, range.end),
                    root: None,
                    broken: false,
                });
            }
            Event::DocumentEnd => self.finish_document(),
            _ => {}
        }
    }

    fn finish_document(&mut self) {
        let root = self.scratch.first().copied();
        self.scratch.clear();
        self.anchors.clear();
        if let Some(document) = self.tree.documents.last_mut() {
            document.root = root;
            document.broken = self.broken;
            if let Some(node) = root.and_then(|id| self.tree.nodes.get(id.0 as usize)) {
                document.span = Span { start: node.start, end: node.end, ..document.span };
            }
        }
        self.broken = false;
    }

    /// Closes what is open, so that what was read before the error is kept.
    fn fail(&mut self, error: &ScanError) {
        let at = error.marker().byte_offset().unwrap_or(self.source.len());
        let bracket = self
            .frames
            .last()
            .and_then(|frame| self.tree.nodes.get(frame.node.0 as usize))
            .filter(|node| node.style == Style::Flow && self.source[node.start as usize..].starts_with(['[', '{']))
            .map(|node| node.start as usize);
        self.failures.push(Failure { offset: at, kind: error.kind().clone(), bracket });
        if self.tree.documents.is_empty() {
            return;
        }
        self.broken = true;
        while let Some(frame) = self.frames.last() {
            if frame.mapping && (self.scratch.len() - frame.base) % 2 == 1 {
                self.leaf(NodeData::new(at..at, Style::Plain, Content::Missing));
            }
            self.close(None);
        }
        self.finish_document();
    }

    fn problem(&mut self, range: std::ops::Range<usize>, message: String, help: &str) {
        self.broken = true;
        self.tree.errors.push(SyntaxError::new(Span::new(self.tree.file, range), message).with_help(help));
    }

    fn push(&mut self, node: NodeData) -> NodeId {
        let id = NodeId(offset(self.tree.nodes.len()));
        self.tree.nodes.push(node);
        self.scratch.push(id);
        id
    }

    fn leaf(&mut self, node: NodeData) -> NodeId {
        self.last_end = self.last_end.max(node.end as usize);
        let id = self.push(node);
        if let Some(frame) = self.frames.last_mut() {
            frame.height = frame.height.max(1);
        }
        id
    }

    fn scalar(
        &mut self,
        value: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<Cow<'_, Tag>>,
        range: std::ops::Range<usize>,
    ) {
        let mut range = range;
        let bytes = self.source.as_bytes();
        let (style, text) = match style {
            // An absent value comes as `~` with an empty range.
            ScalarStyle::Plain if range.is_empty() => {
                if bytes.get(range.start) == Some(&b':') && !self.key_comes_next() {
                    range = range.start + 1..range.start + 1;
                }
                (Style::Plain, Text::Source(offset(range.start), offset(range.start)))
            }
            ScalarStyle::Plain => (Style::Plain, self.text(value, range.clone())),
            ScalarStyle::SingleQuoted => (Style::SingleQuoted, self.text(value, range.start + 1..range.end - 1)),
            ScalarStyle::DoubleQuoted => (Style::DoubleQuoted, self.text(value, range.start + 1..range.end - 1)),
            ScalarStyle::Literal | ScalarStyle::Folded => {
                let text = self.text(value, range.clone());
                let literal = style == ScalarStyle::Literal;
                range = self.with_header(range, if literal { b'|' } else { b'>' });
                (if literal { Style::Literal } else { Style::Folded }, text)
            }
        };
        let mut node = NodeData::new(range, style, Content::Scalar(text));
        node.tag = self.tag(tag);
        let id = self.leaf(node);
        if anchor != 0 {
            self.anchors.insert(anchor, Anchor { node: id, size: Some(1), height: 1 });
        }
    }

    /// Whether the next child of the innermost collection is a key.
    fn key_comes_next(&self) -> bool {
        self.frames.last().is_some_and(|f| f.mapping && (self.scratch.len() - f.base).is_multiple_of(2))
    }

    /// The text of a scalar: the source where it stands there as it is, else a copy.
    fn text(&self, value: &str, range: std::ops::Range<usize>) -> Text {
        if self.source.get(range.clone()) == Some(value) {
            Text::Source(offset(range.start), offset(range.end))
        } else {
            Text::Cooked(value.into())
        }
    }

    /// A block scalar's range with its header (`|-`) and without trailing line breaks.
    fn with_header(&self, content: std::ops::Range<usize>, sign: u8) -> std::ops::Range<usize> {
        let bytes = self.source.as_bytes();
        let from = self.last_end.min(content.start);
        let mut start = content.start;
        let mut before = b' ';
        for (at, &b) in bytes.get(from..content.start).unwrap_or(&[]).iter().enumerate() {
            if b == sign && matches!(before, b' ' | b'\t' | b'\n' | b'\r') {
                start = from + at;
                break;
            }
            before = b;
        }
        let text = self.source.get(start..content.end).unwrap_or("");
        start..start + text.trim_end().len()
    }

    fn open(
        &mut self,
        mapping: bool,
        style: StructureStyle,
        anchor: usize,
        tag: Option<Cow<'_, Tag>>,
        range: std::ops::Range<usize>,
    ) {
        self.last_end = self.last_end.max(range.end);
        let style = if style == StructureStyle::Flow { Style::Flow } else { Style::Block };
        let content =
            if mapping { Content::Mapping { first: 0, len: 0 } } else { Content::Sequence { first: 0, len: 0 } };
        let mut node = NodeData::new(range, style, content);
        node.tag = self.tag(tag);
        let id = self.push(node);
        if anchor != 0 {
            self.anchors.insert(anchor, Anchor { node: id, size: None, height: 0 });
        }
        let base = self.scratch.len();
        self.frames.push(Frame { node: id, base, mapping, anchor, expanded_before: self.expanded, height: 0 });
    }

    /// Ends the innermost collection; `end` is where its closing bracket ends, `None` after an error.
    fn close(&mut self, end: Option<usize>) {
        let Some(frame) = self.frames.pop() else {
            return;
        };
        let first = offset(self.tree.pool.len());
        let children = &self.scratch[frame.base.min(self.scratch.len())..];
        let count = offset(children.len());
        self.tree.pool.extend_from_slice(children);
        let last_child = children.last().and_then(|id| self.tree.nodes.get(id.0 as usize)).map(|n| n.end);
        if frame.mapping {
            self.note_duplicates(frame.base);
        }
        self.scratch.truncate(frame.base);
        let Some(node) = self.tree.nodes.get_mut(frame.node.0 as usize) else {
            return;
        };
        node.end = match end {
            Some(end) if node.style == Style::Flow => offset(end),
            _ => last_child.unwrap_or(node.start).max(node.start),
        };
        node.content = if frame.mapping {
            Content::Mapping { first, len: count / 2 }
        } else {
            Content::Sequence { first, len: count }
        };
        let height = frame.height + 1;
        if let Some(parent) = self.frames.last_mut() {
            parent.height = parent.height.max(height);
        }
        if frame.anchor != 0 {
            let nodes = self.tree.nodes.len() as u64 - u64::from(frame.node.0);
            let size = nodes + (self.expanded - frame.expanded_before);
            self.anchors.insert(frame.anchor, Anchor { node: frame.node, size: Some(size), height });
        }
    }

    fn note_duplicates(&mut self, base: usize) {
        let children = &self.scratch[base..];
        if children.len() < 4 {
            return;
        }
        let tree = &mut self.tree;
        let document = offset(tree.documents.len().saturating_sub(1));
        let mut names = Names::default();
        let mut found = Vec::new();
        for (index, pair) in children.chunks(2).enumerate() {
            let Some(node) = tree.nodes.get(pair[0].0 as usize) else { continue };
            let name = match &node.content {
                Content::Scalar(Text::Source(start, end)) => self.source.get(*start as usize..*end as usize),
                Content::Scalar(Text::Cooked(text)) => Some(&**text),
                _ => None,
            };
            // A mapping may merge several others by several `<<`.
            let Some(name) = name.filter(|n| *n != "<<") else { continue };
            if let Some(earlier) = names.note(name, index) {
                let first = &tree.nodes[children[earlier * 2].0 as usize];
                found.push(Duplicate {
                    key: name.into(),
                    first: Span { file: tree.file, start: first.start, end: first.end },
                    second: Span { file: tree.file, start: node.start, end: node.end },
                    document,
                });
            }
        }
        drop(names);
        tree.duplicates.extend(found);
    }

    fn alias(&mut self, id: usize, range: std::ops::Range<usize>) {
        let depth = offset(self.frames.len());
        let content = match self.anchors.get(&id).copied() {
            None | Some(Anchor { size: None, .. }) => {
                let help = "an alias can only stand for something that ended before it";
                self.problem(range.clone(), "this alias stands inside what it stands for".into(), help);
                Content::Missing
            }
            Some(Anchor { size: Some(size), .. }) if self.expanded.saturating_add(size) > ALIAS_BUDGET => {
                let message = format!("the aliases of this file stand for more than {ALIAS_BUDGET} nodes");
                self.problem(range.clone(), message, "write the values out, or split the file");
                Content::Missing
            }
            Some(Anchor { height, .. }) if depth + height > DEPTH_LIMIT => {
                let message = format!("with this alias the document nests deeper than {DEPTH_LIMIT} levels");
                self.problem(range.clone(), message, "flatten it");
                Content::Missing
            }
            Some(Anchor { node, size: Some(size), height }) => {
                self.expanded += size;
                if let Some(frame) = self.frames.last_mut() {
                    frame.height = frame.height.max(height);
                }
                Content::Alias(node)
            }
        };
        self.leaf(NodeData::new(range, Style::Plain, content));
    }

    fn tag(&mut self, tag: Option<Cow<'_, Tag>>) -> u32 {
        tag.map_or(0, |tag| match tag.core_suffix() {
            Some(suffix) => self.name(&format!("!!{suffix}")),
            None => self.name(&tag.original()),
        })
    }

    /// The index of a name, plus one.
    fn name(&mut self, name: &str) -> u32 {
        if let Some(&index) = self.name_index.get(name) {
            return index;
        }
        let name: Arc<str> = name.into();
        self.tree.names.push(name.clone());
        let index = offset(self.tree.names.len());
        self.name_index.insert(name, index);
        index
    }

    /// Puts a failure into words.
    pub fn describe(&self, failure: &Failure) -> SyntaxError {
        messages::describe(self.tree.file, &self.tree.text, failure)
    }
}

impl NodeData {
    pub(super) fn new(range: std::ops::Range<usize>, style: Style, content: Content) -> NodeData {
        NodeData { start: offset(range.start), end: offset(range.end), anchor: 0, tag: 0, style, content }
    }
}

/// A byte offset or index in 32 bits; larger files are refused on load.
pub(super) fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
