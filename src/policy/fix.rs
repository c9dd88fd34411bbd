//! What a policy asks to be changed, with the places found in the graph. Turning it into edits is the work of whoever
//! knows the text.

use crate::base::Span;
use crate::diagnostic::Safety;
use crate::graph::{ResourceId, Value};
use std::sync::Arc;

/// A fix of one finding.
#[derive(Clone, Debug)]
pub struct FixRequest {
    /// The policy.
    pub policy: Arc<str>,
    /// The resource to mend: never a view's node but what it was made from.
    pub resource: ResourceId,
    /// What it does, in the imperative.
    pub title: String,
    /// Whether it may be applied unseen.
    pub safety: Safety,
    /// What is done, all together; in the policy's order.
    pub actions: Vec<FixTarget>,
}

/// One change.
#[derive(Clone, Debug)]
pub enum FixTarget {
    /// Puts another value in the place of one that stands there.
    SetValue {
        /// The value as it is now; its origin says where it stands and where it came from.
        old: Value,
        /// The name in front of it.
        key: Option<Span>,
        /// What it shall be.
        new: Value,
    },
    /// Adds what is absent.
    InsertValue {
        /// The innermost map that is there.
        container: Value,
        /// What names that map: the block's header, the mapping's key.
        head: Option<Span>,
        /// The names from there to the value; all but the last are maps that are not there yet.
        names: Vec<String>,
        /// How many of the names, from the first, are nested blocks and not attributes. The last never is.
        blocks: usize,
        /// The value.
        new: Value,
    },
    /// Takes something away.
    Remove {
        /// The value.
        value: Value,
        /// The name in front of it; `None` for an element of a list.
        key: Option<Span>,
        /// The map or list that it stands in.
        container: Value,
    },
    /// Rewrites a part of a value's text.
    Rewrite {
        /// The value.
        value: Value,
        /// The part of its text (not of the source) that goes, in bytes.
        range: std::ops::Range<usize>,
        /// What comes.
        text: String,
    },
    /// A line of its own beside something.
    InsertLine {
        /// What it stands beside.
        beside: Span,
        /// Before it, or after.
        before: bool,
        /// The line, without its break.
        text: String,
    },
}
