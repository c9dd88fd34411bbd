//! Resources, edges and the indexes over them.

use super::Value;
use crate::base::{FastMap, FastSet, FileId, Span};
use std::sync::{Arc, OnceLock};

/// A resource, as an index into [`ResourceGraph::resources`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ResourceId(pub u32);

/// A node: something declared, of a native kind, with its values.
#[derive(Clone, Debug)]
pub struct Resource {
    /// The native kind: `aws_s3_bucket`, `data.aws_iam_policy_document`, `provider.aws`, `Deployment`, `RUN`; or the
    /// name of a view for a derived node.
    pub kind: Arc<str>,
    /// Terraform's address, `Kind/namespace/name`, or `path/Dockerfile:stage`.
    pub address: Arc<str>,
    /// The name by itself: `b` of `aws_s3_bucket.b`, a manifest's `metadata.name`, a stage's name.
    pub name: Arc<str>,
    /// What was lowered together and may refer to each other by address: a Terraform root module's folder, a
    /// manifest's path, a Dockerfile's path.
    pub unit: Arc<str>,
    /// The whole block, document or instruction.
    pub span: Span,
    /// Where a finding about the resource as a whole points: the block's header, `metadata.name`, the instruction.
    pub head: Span,
    /// Attributes and blocks. Repeated blocks are a list of maps; so is a block that can stand only once.
    pub body: Value,
    /// The module calls that led here, outermost first: an ignore comment on one of them reaches this resource.
    pub callers: Arc<[Span]>,
    /// For a derived node (a view), how many places before it in the graph the resource stands that it was made from:
    /// see [`ResourceGraph::parent`]. Relative, so that a unit's resources are the same wherever they stand.
    pub parent: Option<u32>,
}

/// An arc between two resources.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Edge {
    /// Who refers.
    pub from: ResourceId,
    /// To whom.
    pub to: ResourceId,
    /// Through what: the path of the referring attribute without indices (`bucket`, `rule.apply_server_side_encryption_by_default.kms_master_key_id`),
    /// or the name of a relation that a format draws (`selects`, `mounts`, `runs-as`, `binds`, `routes-to`, `builds`, `copies-from`, `based-on`, `part-of`).
    pub via: Arc<str>,
    /// Where the reference stands.
    pub span: Span,
}

/// The whole graph. Built once by the analysis, then only read.
#[derive(Clone, Debug, Default)]
pub struct ResourceGraph {
    /// Every resource; a [`ResourceId`] indexes this.
    pub resources: Vec<Arc<Resource>>,
    /// Every edge.
    pub edges: Vec<Edge>,
    by_kind: FastMap<Arc<str>, Vec<ResourceId>>,
    // Indexes that few ask for are made when they do.
    by_address: OnceLock<FastMap<Arc<str>, Vec<ResourceId>>>,
    by_file: OnceLock<FastMap<FileId, Vec<ResourceId>>>,
    outgoing: Vec<Vec<u32>>,
    incoming: Vec<Vec<u32>>,
    /// The first edges, as many as `known`, for [`ResourceGraph::stands`].
    known_edges: FastSet<(ResourceId, ResourceId, Arc<str>)>,
    known: usize,
}

impl ResourceGraph {
    /// Adds a resource and indexes it.
    pub fn add(&mut self, resource: Arc<Resource>) -> ResourceId {
        let id = ResourceId(u32::try_from(self.resources.len()).unwrap_or(u32::MAX));
        match self.by_kind.get_mut(&resource.kind) {
            Some(same) => same.push(id),
            None => {
                self.by_kind.insert(resource.kind.clone(), vec![id]);
            }
        }
        self.by_address.take();
        self.by_file.take();
        self.resources.push(resource);
        self.outgoing.push(Vec::new());
        self.incoming.push(Vec::new());
        id
    }

    /// Adds an edge and indexes it; an edge to or from nowhere is left out, as is one that already stands.
    pub fn connect(&mut self, edge: Edge) {
        let index = u32::try_from(self.edges.len()).unwrap_or(u32::MAX);
        let (from, to) = (edge.from.0 as usize, edge.to.0 as usize);
        if from >= self.resources.len() || to >= self.resources.len() {
            return;
        }
        if self.stands(&edge) {
            return;
        }
        self.outgoing[from].push(index);
        self.incoming[to].push(index);
        self.edges.push(edge);
    }

    /// Whether this edge is there already. Few edges are looked at one by one; where one resource has many, as a network policy
    /// of a whole namespace has, all are looked up.
    fn stands(&mut self, edge: &Edge) -> bool {
        const FEW: usize = 32;
        let (out, into) = (&self.outgoing[edge.from.0 as usize], &self.incoming[edge.to.0 as usize]);
        let shorter = if out.len() < into.len() { out } else { into };
        if shorter.len() <= FEW {
            return shorter.iter().any(|&e| {
                let other = &self.edges[e as usize];
                other.from == edge.from && other.to == edge.to && other.via == edge.via
            });
        }
        let unseen = self.edges.get(self.known..).unwrap_or_default();
        self.known_edges.extend(unseen.iter().map(|e| (e.from, e.to, e.via.clone())));
        self.known = self.edges.len();
        self.known_edges.contains(&(edge.from, edge.to, edge.via.clone()))
    }

    /// The resource of an id of this graph.
    pub fn get(&self, id: ResourceId) -> &Arc<Resource> {
        &self.resources[id.0 as usize]
    }

    /// All ids.
    pub fn ids(&self) -> impl Iterator<Item = ResourceId> + use<> {
        (0..u32::try_from(self.resources.len()).unwrap_or(u32::MAX)).map(ResourceId)
    }

    /// The resources of a kind.
    pub fn of_kind(&self, kind: &str) -> &[ResourceId] {
        self.by_kind.get(kind).map_or(&[], Vec::as_slice)
    }

    /// The resources at an address (several where several root modules use the same one).
    pub fn at_address(&self, address: &str) -> &[ResourceId] {
        let index = self.by_address.get_or_init(|| self.index_by(|r| r.address.clone()));
        index.get(address).map_or(&[], Vec::as_slice)
    }

    /// The resources that stand in a file, derived nodes among them.
    pub fn in_file(&self, file: FileId) -> &[ResourceId] {
        let index = self.by_file.get_or_init(|| self.index_by(|r| r.span.file));
        index.get(&file).map_or(&[], Vec::as_slice)
    }

    fn index_by<K: Eq + std::hash::Hash>(&self, key: impl Fn(&Resource) -> K) -> FastMap<K, Vec<ResourceId>> {
        let mut index: FastMap<K, Vec<ResourceId>> = FastMap::default();
        for id in self.ids() {
            index.entry(key(self.get(id))).or_default().push(id);
        }
        index
    }

    /// For a derived node, the resource it was made from.
    pub fn parent(&self, id: ResourceId) -> Option<ResourceId> {
        id.0.checked_sub(self.get(id).parent?).map(ResourceId)
    }

    /// Every kind that occurs.
    pub fn kinds(&self) -> impl Iterator<Item = &Arc<str>> {
        self.by_kind.keys()
    }

    /// The edges that start at a resource.
    pub fn outgoing(&self, id: ResourceId) -> impl Iterator<Item = &Edge> {
        self.outgoing[id.0 as usize].iter().map(|&e| &self.edges[e as usize])
    }

    /// The edges that end at a resource.
    pub fn incoming(&self, id: ResourceId) -> impl Iterator<Item = &Edge> {
        self.incoming[id.0 as usize].iter().map(|&e| &self.edges[e as usize])
    }

    /// The resources whose whole span covers a place, innermost last.
    pub fn covering(&self, file: FileId, offset: u32) -> Vec<ResourceId> {
        let mut found: Vec<ResourceId> = self
            .in_file(file)
            .iter()
            .copied()
            .filter(|&id| {
                let span = self.get(id).span;
                span.start <= offset && offset <= span.end
            })
            .collect();
        found.sort_by_key(|&id| {
            let span = self.get(id).span;
            std::cmp::Reverse(span.end - span.start)
        });
        found
    }
}
