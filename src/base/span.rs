//! Byte ranges in files.

use serde::{Deserialize, Serialize};

/// A file of the workspace, as an index into [`Files`](super::Files).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct FileId(pub u32);

impl FileId {
    /// The file of a span that stands in no file, such as a value given on the command line.
    pub const NONE: FileId = FileId(u32::MAX);

    /// The file of spans in texts that are part of the program. They never leave the module that reads such a text.
    pub const EMBEDDED: FileId = FileId(u32::MAX - 1);
}

/// A half-open byte range in one file. Offsets fit in 32 bits because larger files are refused on load.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// The first byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The place of what stands nowhere in the sources.
    pub const NONE: Span = Span { file: FileId::NONE, start: 0, end: 0 };

    /// A span over `range`; offsets beyond 4 GiB are clamped (such files are refused on load).
    pub fn new(file: FileId, range: std::ops::Range<usize>) -> Span {
        let start = u32::try_from(range.start).unwrap_or(u32::MAX);
        let end = u32::try_from(range.end).unwrap_or(u32::MAX).max(start);
        Span { file, start, end }
    }

    /// The empty span at `offset`, used for insertion points.
    pub fn at(file: FileId, offset: usize) -> Span {
        Span::new(file, offset..offset)
    }

    /// Whether the span stands in no file.
    pub fn is_none(self) -> bool {
        self.file == FileId::NONE
    }

    /// The byte range, for slicing the file's text.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }

    /// Whether `other` lies wholly inside this span.
    pub fn contains(self, other: Span) -> bool {
        self.file == other.file && self.start <= other.start && other.end <= self.end
    }

    /// Whether the two share a byte, or touch where one of them is empty.
    pub fn overlaps(self, other: Span) -> bool {
        self.file == other.file
            && (self.start < other.end && other.start < self.end || self.contains(other) || other.contains(self))
    }

    /// The smallest span that covers both; `self` where they stand in different files.
    pub fn to(self, other: Span) -> Span {
        if self.file != other.file {
            return if self.is_none() { other } else { self };
        }
        Span { file: self.file, start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// The empty span at this one's start.
    pub fn start_point(self) -> Span {
        Span { end: self.start, ..self }
    }

    /// The empty span at this one's end.
    pub fn end_point(self) -> Span {
        Span { start: self.end, ..self }
    }
}
