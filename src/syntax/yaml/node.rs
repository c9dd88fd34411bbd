//! The tree and the cursor over it.

use super::scalar::{Scalar, Schema, resolve};
use crate::base::{FileId, Span};
use crate::diagnostic::SyntaxError;
use crate::syntax::Comment;
use std::borrow::Cow;
use std::sync::Arc;

/// A node of a [`Tree`], as an index.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct NodeId(pub(super) u32);

/// What a node is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum NodeKind {
    /// Text, a number, a truth value, null: anything without children.
    Scalar,
    /// A list.
    Sequence,
    /// Keys and values.
    Mapping,
    /// Something that stands here but could not be read; the error is in [`Tree::errors`].
    Missing,
}

/// How a node is written.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Style {
    /// A scalar without quotes.
    Plain,
    /// A scalar in `'…'`.
    SingleQuoted,
    /// A scalar in `"…"`.
    DoubleQuoted,
    /// A block scalar that begins with `|`.
    Literal,
    /// A block scalar that begins with `>`.
    Folded,
    /// A sequence or mapping by indentation.
    Block,
    /// A sequence or mapping in `[…]` or `{…}`.
    Flow,
}

/// Where the text of a scalar is.
#[derive(Clone, Debug)]
pub(super) enum Text {
    /// It is these bytes of the source.
    Source(u32, u32),
    /// It differs from the source: escapes, folded lines, removed indentation.
    Cooked(Arc<str>),
}

/// What a node holds.
#[derive(Clone, Debug)]
pub(super) enum Content {
    Scalar(Text),
    /// `len` children from `first` in the pool.
    Sequence {
        first: u32,
        len: u32,
    },
    /// `len` pairs from `first` in the pool, each a key and then its value.
    Mapping {
        first: u32,
        len: u32,
    },
    /// Stands for another node.
    Alias(NodeId),
    Missing,
}

#[derive(Clone, Debug)]
pub(super) struct NodeData {
    pub start: u32,
    pub end: u32,
    /// Index into [`Tree::names`], plus one.
    pub anchor: u32,
    /// Index into [`Tree::names`], plus one.
    pub tag: u32,
    pub style: Style,
    pub content: Content,
}

/// One document of a file.
#[derive(Clone, Debug)]
pub struct Document {
    /// From its first sign (after `---`) to the end of its content.
    pub span: Span,
    /// Its content; `None` where it is empty.
    pub(super) root: Option<NodeId>,
    /// Whether something in it could not be read.
    pub broken: bool,
}

/// A key that stands twice in one mapping. Readers take the last.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Duplicate {
    /// The key's text.
    pub key: Arc<str>,
    /// The earlier one, which is lost.
    pub first: Span,
    /// The later one.
    pub second: Span,
    /// The document, as an index into [`Tree::documents`].
    pub document: u32,
}

/// A parsed file. Never fails: what could not be read is in [`errors`](Tree::errors).
#[derive(Clone, Debug)]
pub struct Tree {
    /// The file that all spans are in.
    pub file: FileId,
    /// The source text.
    pub text: Arc<str>,
    /// The documents, in order.
    pub documents: Vec<Document>,
    /// What could not be read.
    pub errors: Vec<SyntaxError>,
    /// Keys that stand twice.
    pub duplicates: Vec<Duplicate>,
    /// Every comment, in order.
    pub comments: Vec<Comment>,
    pub(super) nodes: Vec<NodeData>,
    pub(super) pool: Vec<NodeId>,
    pub(super) names: Vec<Arc<str>>,
}

impl Tree {
    /// The content of the first document.
    pub fn root(&self) -> Option<Node<'_>> {
        self.roots().next()
    }

    /// The content of every document that has some.
    pub fn roots(&self) -> impl Iterator<Item = Node<'_>> {
        self.documents.iter().filter_map(|d| self.root_of(d))
    }

    /// The content of a document of this tree.
    pub fn root_of(&self, document: &Document) -> Option<Node<'_>> {
        document.root.map(|id| Node { tree: self, id })
    }

    /// The node of an id that [`Node::id`] of this tree gave.
    pub fn node(&self, id: NodeId) -> Node<'_> {
        Node { tree: self, id }
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }
}

/// A node: a cheap cursor into a [`Tree`].
///
/// An alias shows itself as the node it stands for, but with its own [`span`](Node::span). Following aliases always ends: cycles are
/// refused while parsing, and the whole expansion of a file stays within [`ALIAS_BUDGET`](super::ALIAS_BUDGET) nodes
/// and [`DEPTH_LIMIT`](super::DEPTH_LIMIT) levels, so that recursion over a tree is safe.
#[derive(Clone, Copy)]
pub struct Node<'t> {
    tree: &'t Tree,
    id: NodeId,
}

impl PartialEq for Node<'_> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.tree, other.tree) && self.id == other.id
    }
}

impl std::fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}@{}..{}", self.kind(), self.span().start, self.span().end)
    }
}

impl<'t> Node<'t> {
    /// Its index.
    pub fn id(self) -> NodeId {
        self.id
    }

    /// The tree it is in.
    pub fn tree(self) -> &'t Tree {
        self.tree
    }

    fn own(self) -> &'t NodeData {
        // Ids are made only by the builder, for nodes it has pushed.
        &self.tree.nodes[self.id.0 as usize]
    }

    fn data(self) -> &'t NodeData {
        self.target().own()
    }

    /// Where it stands: a quoted scalar with its quotes, a block scalar with its header and without trailing line
    /// breaks, a block collection from its first child to its last, an alias as it is written, an empty value as the
    /// empty span behind its key's colon. Anchors and tags are outside.
    pub fn span(self) -> Span {
        let own = self.own();
        // A place never cuts a character in two, whatever the scanner says after an error.
        let text = &self.tree.text;
        let whole = |at: u32| (at as usize..text.len()).find(|&i| text.is_char_boundary(i)).unwrap_or(text.len());
        Span::new(self.tree.file, whole(own.start)..whole(own.end))
    }

    /// The source text of its span.
    pub fn raw(self) -> &'t str {
        self.tree.text.get(self.span().range()).unwrap_or("")
    }

    /// Whether it is written as an alias (`*name`).
    pub fn is_alias(self) -> bool {
        matches!(self.own().content, Content::Alias(_))
    }

    /// For an alias the node it stands for, else itself.
    pub fn target(self) -> Node<'t> {
        match self.own().content {
            Content::Alias(id) => Node { tree: self.tree, id },
            _ => self,
        }
    }

    /// What it is.
    pub fn kind(self) -> NodeKind {
        match self.data().content {
            Content::Scalar(_) => NodeKind::Scalar,
            Content::Sequence { .. } => NodeKind::Sequence,
            Content::Mapping { .. } => NodeKind::Mapping,
            // The builder never makes an alias of an alias.
            Content::Missing | Content::Alias(_) => NodeKind::Missing,
        }
    }

    /// How it is written.
    pub fn style(self) -> Style {
        self.data().style
    }

    /// Whether it is a mapping.
    pub fn is_mapping(self) -> bool {
        self.kind() == NodeKind::Mapping
    }

    /// Whether it is a sequence.
    pub fn is_sequence(self) -> bool {
        self.kind() == NodeKind::Sequence
    }

    /// Whether it is a scalar.
    pub fn is_scalar(self) -> bool {
        self.kind() == NodeKind::Scalar
    }

    /// The anchor it defines, without `&`.
    pub fn anchor(self) -> Option<&'t str> {
        self.name(self.own().anchor)
    }

    /// Its tag as written (`!!str`, `!Ref`).
    pub fn tag(self) -> Option<&'t str> {
        self.name(self.data().tag)
    }

    fn name(self, index: u32) -> Option<&'t str> {
        self.tree.names.get((index as usize).checked_sub(1)?).map(|n| &**n)
    }

    /// A scalar's text with escapes, folding and indentation resolved; empty for an empty value.
    pub fn text(self) -> Option<&'t str> {
        match &self.data().content {
            Content::Scalar(Text::Source(start, end)) => self.tree.text.get(*start as usize..*end as usize),
            Content::Scalar(Text::Cooked(text)) => Some(text),
            _ => None,
        }
    }

    /// A scalar's text for keeping; shares the copy that cooking made.
    pub fn shared_text(self) -> Option<Arc<str>> {
        match &self.data().content {
            Content::Scalar(Text::Cooked(text)) => Some(text.clone()),
            _ => self.text().map(Into::into),
        }
    }

    /// A scalar's text, where it is a string to every reader: quoted, a block scalar, or tagged `!!str`.
    pub fn is_certainly_string(self) -> bool {
        self.is_scalar() && (self.style() != Style::Plain || self.tag() == Some("!!str"))
    }

    /// What a scalar means to a reader; `None` for anything else.
    pub fn scalar(self, schema: Schema) -> Option<Scalar<'t>> {
        let text = self.text()?;
        Some(match (self.tag(), self.style()) {
            (Some("!!str" | "!!binary" | "!"), _) => Scalar::String(text),
            (Some("!!int" | "!!float" | "!!bool" | "!!null"), _) | (None, Style::Plain) => resolve(text, schema),
            // A tag of an application (`!Ref x`) leaves a plain scalar as it is read without one.
            (Some(_), Style::Plain) => resolve(text, schema),
            _ => Scalar::String(text),
        })
    }

    /// Whether it is null: empty, `~` or `null`.
    pub fn is_null(self) -> bool {
        self.scalar(Schema::Yaml12) == Some(Scalar::Null)
    }

    /// The text of a mapping key as readers that make JSON of YAML spell it: booleans and numbers become text.
    pub fn key_text(self, schema: Schema) -> Option<Cow<'t, str>> {
        self.scalar(schema).map(Scalar::into_text)
    }

    fn children(self) -> &'t [NodeId] {
        let (first, len) = match self.data().content {
            Content::Sequence { first, len } => (first, len),
            Content::Mapping { first, len } => (first, len * 2),
            _ => return &[],
        };
        self.tree.pool.get(first as usize..(first + len) as usize).unwrap_or(&[])
    }

    /// The elements of a sequence; nothing for anything else.
    pub fn items(self) -> impl ExactSizeIterator<Item = Node<'t>> + DoubleEndedIterator + Clone {
        let children = if self.is_sequence() { self.children() } else { &[] };
        children.iter().map(move |&id| Node { tree: self.tree, id })
    }

    /// The keys and values of a mapping as written, merge keys (`<<`) and duplicates included; nothing for anything else.
    pub fn pairs(self) -> impl ExactSizeIterator<Item = (Node<'t>, Node<'t>)> + DoubleEndedIterator + Clone {
        let children = if self.is_mapping() { self.children() } else { &[] };
        children.chunks_exact(2).map(move |pair| {
            let [key, value] = [pair[0], pair[1]];
            (Node { tree: self.tree, id: key }, Node { tree: self.tree, id: value })
        })
    }

    /// Whether it is the key `<<`, which merges other mappings.
    pub fn is_merge_key(self) -> bool {
        self.own().style == Style::Plain && self.text() == Some("<<") && self.own().tag == 0
    }

    /// The keys and values of a mapping as readers see it: merge keys resolved (a mapping's own keys first, then those of the
    /// merged mappings that it does not have), of a duplicate key the last alone.
    pub fn entries(self) -> Vec<(Node<'t>, Node<'t>)> {
        let mut entries: Vec<(Node<'t>, Node<'t>)> = Vec::with_capacity(self.pairs().len());
        let mut merges = Vec::new();
        let mut names = Names::default();
        for (key, value) in self.pairs() {
            if key.is_merge_key() {
                merges.push(value);
                continue;
            }
            match key.text().and_then(|name| names.note(name, entries.len())) {
                Some(earlier) => entries[earlier] = (key, value),
                None => entries.push((key, value)),
            }
        }
        for source in merges {
            let sources: Vec<Node<'t>> = if source.is_sequence() { source.items().collect() } else { vec![source] };
            for (key, value) in sources.into_iter().flat_map(Node::entries) {
                if key.text().and_then(|name| names.note(name, entries.len())).is_none() {
                    entries.push((key, value));
                }
            }
        }
        entries
    }

    /// The key and value of a mapping by the key's text: the last of that name, else one that a merge key brings.
    pub fn entry(self, name: &str) -> Option<(Node<'t>, Node<'t>)> {
        let mut merges = false;
        let own = self.pairs().rev().find(|(key, _)| {
            merges |= key.is_merge_key();
            key.text() == Some(name)
        });
        if own.is_some() || !merges {
            return own;
        }
        self.pairs().filter(|(key, _)| key.is_merge_key()).find_map(|(_, source)| {
            if source.is_sequence() { source.items().find_map(|s| s.entry(name)) } else { source.entry(name) }
        })
    }

    /// The value of a mapping's key.
    pub fn get(self, name: &str) -> Option<Node<'t>> {
        self.entry(name).map(|(_, value)| value)
    }

    /// The value at a path of keys.
    pub fn at(self, path: &[&str]) -> Option<Node<'t>> {
        path.iter().try_fold(self, |node, name| node.get(name))
    }
}

/// Finds a name among those seen, by comparing while they are few and by hash once they are many.
#[derive(Default)]
pub(super) struct Names<'t> {
    few: Vec<(&'t str, usize)>,
    many: crate::base::FastMap<&'t str, usize>,
}

impl<'t> Names<'t> {
    const FEW: usize = 12;

    /// Where the name was noted before; else notes that it is at `index`.
    pub(super) fn note(&mut self, name: &'t str, index: usize) -> Option<usize> {
        if self.many.is_empty() {
            if let Some(&(_, earlier)) = self.few.iter().find(|(n, _)| *n == name) {
                return Some(earlier);
            }
            self.few.push((name, index));
            if self.few.len() > Self::FEW {
                self.many.extend(self.few.drain(..));
            }
            return None;
        }
        match self.many.entry(name) {
            std::collections::hash_map::Entry::Occupied(earlier) => Some(*earlier.get()),
            std::collections::hash_map::Entry::Vacant(slot) => {
                slot.insert(index);
                None
            }
        }
    }
}
