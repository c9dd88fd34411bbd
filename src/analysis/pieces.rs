//! The pieces that a graph is put together from, and which of them can see each other.
//!
//! A [`Piece`] is a lowered unit with the nodes that the views derive from it. Pieces are put one after the other into the
//! graph, and what is inside of one is the same wherever it stands. Pieces that policies may look across form an
//! [`Island`]; whatever happens outside of it changes no answer inside.

use super::evaluate::{Around, Own};
use super::guard::guard;
use super::memory::{LoweredUnit, UnitKey};
use super::suppress::Ignore;
use super::{Failure, Settings};
use crate::base::{FastMap, Files, Span};
use crate::formats::LocalEdge;
use crate::graph::{Edge, Resource, ResourceGraph, ResourceId};
use crate::policy::{self, views};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

/// A lowered unit with the nodes of views, and what was found out about it.
pub(super) struct Piece {
    pub lowered: Arc<LoweredUnit>,
    settings: Arc<Settings>,
    /// The unit's resources, then the nodes of views.
    pub resources: Vec<Arc<Resource>>,
    pub edges: Vec<LocalEdge>,
    pub failure: Option<Failure>,
    /// Whether there is something in it that is not Terraform's.
    mixed: bool,
    /// What the policies say of it that depends on nothing else.
    pub own: OnceLock<Own>,
    /// What they say that depends on its island.
    pub around: Mutex<Option<Arc<Around>>>,
    /// The ignores in its annotations, read when the first finding needs them.
    pub annotations: OnceLock<Vec<Ignore>>,
}

impl Piece {
    /// A unit made ready. `files` holds the texts that its spans refer to.
    pub fn new(lowered: &Arc<LoweredUnit>, settings: &Arc<Settings>, files: &Files) -> Piece {
        let unit = &lowered.lowered;
        let mut resources = unit.resources.clone();
        let mut edges = unit.edges.clone();
        let mut failure = None;
        // Where nothing runs, nothing needs a view.
        if !settings.chosen.policies.is_empty() && !resources.is_empty() {
            let derived = guard(
                "views",
                || lowered.unit.name.to_string(),
                || {
                    let mut graph = ResourceGraph::default();
                    place(&mut graph, &resources, &edges);
                    let drawn = graph.edges.len();
                    views::derive(&mut graph, &settings.policies, files);
                    (graph.resources.split_off(resources.len()), graph.edges.split_off(drawn))
                },
            );
            match derived {
                Ok((nodes, joints)) => {
                    resources.extend(nodes);
                    edges.extend(joints.into_iter().map(|e| LocalEdge {
                        from: e.from.0,
                        to: e.to.0,
                        via: e.via,
                        span: e.span,
                    }));
                }
                Err(broken) => failure = Some(broken),
            }
        }
        Piece {
            mixed: unit.resources.iter().any(|r| !policy::evaluate::is_terraform(&r.kind)),
            lowered: lowered.clone(),
            settings: settings.clone(),
            resources,
            edges,
            failure,
            own: OnceLock::new(),
            around: Mutex::default(),
            annotations: OnceLock::new(),
        }
    }

    /// Whether it is what these would make now.
    pub fn is_of(&self, lowered: &Arc<LoweredUnit>, settings: &Arc<Settings>) -> bool {
        Arc::ptr_eq(&self.lowered, lowered) && Arc::ptr_eq(&self.settings, settings)
    }
}

/// Adds a piece's resources and edges to a graph. The id of its first resource.
pub(super) fn place(graph: &mut ResourceGraph, resources: &[Arc<Resource>], edges: &[LocalEdge]) -> u32 {
    let base = u32::try_from(graph.resources.len()).unwrap_or(u32::MAX);
    for resource in resources {
        graph.add(resource.clone());
    }
    for edge in edges {
        graph.connect(Edge {
            from: ResourceId(base.saturating_add(edge.from)),
            to: ResourceId(base.saturating_add(edge.to)),
            via: edge.via.clone(),
            span: edge.span,
        });
    }
    base
}

/// Pieces that policies may look across, with the edges that were drawn between them.
pub(super) struct Island {
    /// The same for islands that are the same in everything.
    number: u64,
    pieces: Vec<Arc<Piece>>,
    edges: Vec<Drawn>,
}

/// The islands of one state, by their first piece.
pub(super) type Islands = FastMap<UnitKey, Island>;

/// An edge between places that are numbered within an island: the piece and the resource in it.
#[derive(PartialEq)]
struct Drawn {
    from: (usize, u32),
    to: (usize, u32),
    via: Arc<str>,
    span: Span,
}

/// Finds out which pieces can see each other, over the edges that were drawn between units and by what
/// [`Reach::Related`](crate::policy::Reach::Related) says. Gives the number of each piece's island: one of those `known`
/// where it is the same in everything, else the `next` one, which nobody ever had.
pub(super) fn islands(
    pieces: &[Arc<Piece>],
    bases: &[u32],
    drawn: &[Edge],
    known: &Islands,
    next: &AtomicU64,
) -> (Vec<u64>, Islands) {
    let owner = |id: ResourceId| bases.partition_point(|&base| base <= id.0).saturating_sub(1);
    let mut groups = Groups::new(pieces.len());
    let mut by_name: FastMap<&str, usize> = FastMap::default();
    let mut mixed = None;
    for (i, piece) in pieces.iter().enumerate() {
        groups.join(i, *by_name.entry(&piece.lowered.unit.name).or_insert(i));
        if piece.mixed {
            groups.join(i, *mixed.get_or_insert(i));
        }
    }
    for edge in drawn {
        groups.join(owner(edge.from), owner(edge.to));
    }
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); pieces.len()];
    // Where each piece stands in its island.
    let mut places = Vec::with_capacity(pieces.len());
    for i in 0..pieces.len() {
        let group = &mut members[groups.first(i)];
        places.push(group.len());
        group.push(i);
    }
    let mut edges: FastMap<usize, Vec<Drawn>> = FastMap::default();
    for edge in drawn {
        let (from, to) = (owner(edge.from), owner(edge.to));
        edges.entry(groups.first(from)).or_default().push(Drawn {
            from: (places[from], edge.from.0 - bases[from]),
            to: (places[to], edge.to.0 - bases[to]),
            via: edge.via.clone(),
            span: edge.span,
        });
    }
    let mut numbers = vec![0; pieces.len()];
    let mut found = Islands::default();
    for (first, group) in members.into_iter().enumerate().filter(|(_, g)| !g.is_empty()) {
        let key = pieces[first].lowered.key();
        let edges = edges.remove(&first).unwrap_or_default();
        let mine: Vec<Arc<Piece>> = group.iter().map(|&i| pieces[i].clone()).collect();
        let same = known.get(&key).filter(|k| super::check::same_all(&k.pieces, &mine) && k.edges == edges);
        let number = same.map_or_else(|| next.fetch_add(1, Ordering::Relaxed), |k| k.number);
        group.iter().for_each(|&i| numbers[i] = number);
        found.insert(key, Island { number, pieces: mine, edges });
    }
    (numbers, found)
}

/// Sets that are joined step by step. The least member names a set.
struct Groups(Vec<usize>);

impl Groups {
    fn new(n: usize) -> Groups {
        Groups((0..n).collect())
    }

    fn first(&mut self, mut i: usize) -> usize {
        while self.0[i] != i {
            self.0[i] = self.0[self.0[i]];
            i = self.0[i];
        }
        i
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.first(a), self.first(b));
        self.0[a.max(b)] = a.min(b);
    }
}
