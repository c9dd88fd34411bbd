//! Kustomizations rendered natively, as `kubectl kustomize` of Kustomize 5.8 does it.
//!
//! Objects are values of the graph from the start, so that every value keeps its origin through patches, generators
//! and transformers: a value that a patch sets points at the patch and from there at the line of the base.

mod build;
mod check;
mod edit;
mod fields;
mod generate;
mod inline;
mod json_patch;
mod merge;
mod openapi;
mod order;
mod patches;
mod plugins;
mod references;
mod replacements;
mod resource;
mod select;
mod transform;

#[cfg(test)]
mod tests;

pub use build::{FILE_NAMES, names, reached, render, roots};
