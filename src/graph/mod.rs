//! The one resource graph that all formats lower to and all policies are held against.
//!
//! [`Value`] is what a resource is made of: data, with the place and the way it came from.
//! [`Resource`] is a node, [`Edge`] an arc, [`ResourceGraph`] the whole with its indexes.
//! Nothing here knows a format or a policy.

mod number;
mod queryable;
mod resources;
mod selector;
mod value;

pub use number::{Decimal, Number};
pub use resources::{Edge, Resource, ResourceGraph, ResourceId};
pub use selector::{Labels, Selector};
pub use value::{Cause, CauseKind, Data, Ends, Entry, How, Map, Origin, Value};
