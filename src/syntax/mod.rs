//! Text to trees with spans. Parsing never fails, never panics and does no I/O: it returns a tree of what could be
//! read and the errors as data. Nothing here knows the graph.

mod comment;
pub mod dockerfile;
pub mod gotemplate;
pub mod hcl;
pub mod json;
pub mod shell;
pub mod yaml;

pub use comment::Comment;
