//! Which ignores may reach a place, without asking each: a file of manifests may hold thousands of both.

use super::super::check::Built;
use super::site::{Site, line_of, next_code};
use super::{Ignore, Reach};
use crate::base::{FastMap, FileId, Span};

/// A line of a file, counted from 0.
pub(super) type Line = (FileId, u32);

/// The ignores of all files by where they reach. Numbers are those under which [`Index::add`] got them.
#[derive(Default)]
pub(super) struct Index {
    /// Those that reach a line, and blocks that begin there.
    lines: FastMap<Line, Vec<usize>>,
    /// Those that reach the blocks they stand in, by their offset.
    inside: FastMap<FileId, Vec<(u32, usize)>>,
    /// Those that reach something else in a file.
    files: FastMap<FileId, Vec<usize>>,
    /// Those of no file.
    everywhere: Vec<usize>,
}

impl Index {
    /// The lines that an ignore speaks of.
    pub fn lines_of(ignore: &Ignore, built: &Built) -> Vec<Line> {
        let comment = ignore.span;
        let next = || next_code(built, comment);
        match ignore.reach {
            Reach::Place => {
                let own = line_of(built, comment);
                std::iter::once(own).chain(ignore.own_line.then(next).flatten().filter(|&n| n != own)).collect()
            }
            Reach::NextBlock => next().into_iter().collect(),
            Reach::Line => {
                let (file, line) = line_of(built, comment);
                vec![(file, line), (file, line.saturating_add(1))]
            }
            Reach::Around => {
                let (file, line) = line_of(built, comment);
                let before = line.checked_sub(1).map(|l| (file, l));
                before.into_iter().chain([(file, line), (file, line.saturating_add(1))]).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Adds the next ignore, with its lines.
    pub fn add(&mut self, number: usize, ignore: &Ignore, lines: &[Line]) {
        match ignore.reach {
            Reach::Place | Reach::NextBlock | Reach::Line | Reach::Around => {
                for &line in lines {
                    self.lines.entry(line).or_default().push(number);
                }
            }
            Reach::Inside => self.inside.entry(ignore.span.file).or_default().push((ignore.span.start, number)),
            Reach::Everywhere(_) => self.everywhere.push(number),
            Reach::Resource { .. } | Reach::Part(_) | Reach::File => {
                self.files.entry(ignore.span.file).or_default().push(number);
            }
        }
    }

    /// To be called when all are added.
    pub fn finish(&mut self) {
        self.inside.values_mut().for_each(|ignores| ignores.sort_unstable());
    }

    /// Those that may reach a place, in the order in which they were added.
    pub fn candidates(&self, site: &Site<'_>) -> Vec<usize> {
        let mut found = self.everywhere.clone();
        found.extend(site.lines().filter_map(|line| self.lines.get(&line)).flatten());
        for block in site.blocks() {
            let ignores = self.inside.get(&block.file).map_or(&[][..], Vec::as_slice);
            let first = ignores.partition_point(|&(at, _)| at < block.start);
            let within = ignores.get(first..).unwrap_or_default();
            found.extend(within.iter().take_while(|&&(at, _)| at < block.end).map(|&(_, number)| number));
        }
        found.extend(site.files().filter_map(|file| self.files.get(&file)).flatten());
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// The outermost resources of a file, to be asked which of them a place lies in.
pub(super) struct Outermost {
    /// By start, each with the furthest end of all up to it.
    spans: Vec<(Span, u32)>,
}

impl Outermost {
    pub fn of(built: &Built, file: FileId) -> Outermost {
        let mut spans: Vec<Span> = built
            .graph
            .in_file(file)
            .iter()
            .map(|&id| built.graph.get(id))
            .filter(|r| r.parent.is_none())
            .map(|r| r.span)
            .collect();
        spans.sort_unstable();
        spans.dedup();
        let mut furthest = 0;
        let spans = spans
            .into_iter()
            .map(|span| {
                furthest = furthest.max(span.end);
                (span, furthest)
            })
            .collect();
        Outermost { spans }
    }

    pub fn around(&self, place: Span) -> impl Iterator<Item = Span> + '_ {
        let end = self.spans.partition_point(|(span, _)| span.start <= place.start);
        let before = self.spans.get(..end).unwrap_or_default();
        let near = before.iter().rev().take_while(move |(_, furthest)| *furthest >= place.end);
        near.map(|&(span, _)| span).filter(move |span| span.contains(place))
    }
}
