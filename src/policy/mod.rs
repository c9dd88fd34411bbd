//! The policy engine: policies as data, held against the resource graph.
//!
//! A policy is a YAML file; `docs/policy-language.md` is the specification. [`compile`](compile::compile) turns its text into
//! [`model::Policy`], plain data that the build writes into the binary; [`PolicySet`] holds all of them, decoded when
//! first needed, and says which are chosen; [`views`] adds derived nodes to the graph; [`evaluate`](mod@evaluate)
//! holds the chosen policies against it. Every answer is true, false or unknown with its cause.
//!
//! Nothing here knows a format, and nothing here touches the disk.

pub mod compile;
pub mod dead_paths;
pub mod document;
pub mod evaluate;
pub mod explain;
pub mod fix;
mod lens;
pub mod model;
mod phrase;
mod select;
mod set;
pub mod values;
pub mod views;
pub mod words;

pub use evaluate::{Evaluation, Finding, Judgement, Reach, Unknown};
pub use explain::{Explanation, explain};
pub use select::{Choice, Chosen, Selector};
pub use set::{Entry, Examples, PolicySet, literal_value};
