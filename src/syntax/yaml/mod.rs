//! YAML (and JSON, which is a subset) to a tree with the span of every key and scalar.
//!
//! The events come from `granit-parser`; this module builds a compact tree of them ([`Tree`], [`Node`]), resolves
//! aliases and merge keys by reference and within a budget, notes duplicate keys, and goes on after an error: the line
//! that cannot be read is left out, the rest of the document is kept, and what is missing is marked
//! ([`NodeKind::Missing`]).
//!
//! A tree says what is written. What a plain scalar means (`yes`, `0644`) depends on who reads it: [`Schema`].
//!
//! ```
//! use stacklint::{base::FileId, syntax::yaml};
//! let tree = yaml::parse(FileId(0), "a: {b: [1, two]}".into());
//! let b = tree.root().and_then(|root| root.at(&["a", "b"])).unwrap();
//! assert_eq!(b.items().nth(1).and_then(|n| n.text()), Some("two"));
//! assert_eq!(b.items().next().unwrap().scalar(yaml::Schema::Yaml12), Some(yaml::Scalar::Int(1)));
//! ```

mod build;
mod messages;
mod node;
mod recover;
mod scalar;

#[cfg(test)]
mod suite;
#[cfg(test)]
mod tests;

pub use build::{ALIAS_BUDGET, DEPTH_LIMIT};
pub use node::{Document, Duplicate, Node, NodeId, NodeKind, Style, Tree};
pub use recover::parse;
pub use scalar::{Scalar, Schema, resolve};
