//! The ground everything stands on: files, spans, line and column arithmetic.
//!
//! Inside the program a place is always a byte range in a file ([`Span`]). Lines and columns are
//! computed at the very edge, by the shells and reporters, through [`LineIndex`].

mod files;
mod lines;
mod span;

pub use files::{Files, SourceFile, content_hash};
pub use lines::{ColumnEncoding, LineIndex, Position};
pub use span::{FileId, Span};

/// A hash map with a fast, non-cryptographic hash: keys never come from an attacker who profits from collisions
/// beyond slowing down the linting of their own files.
pub type FastMap<K, V> = rustc_hash::FxHashMap<K, V>;
/// A hash set with the same hash as [`FastMap`].
pub type FastSet<K> = rustc_hash::FxHashSet<K>;
