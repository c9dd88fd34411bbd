//! Evaluation of Terraform's expressions: [`eval`] gives the value of an expression in a [`Scope`].
//!
//! The rules are those of Terraform 1.11 (HCL's expressions over cty's values). What Terraform knows when it makes a
//! plan is known here with the same value; everything else is unknown with its [`Cause`](crate::graph::Cause): never a
//! guess. An error is data as well: inside an expression it is an [`EvalError`], which `try` and `can` catch; outside
//! of it an unknown of [`CauseKind::Error`](crate::graph::CauseKind::Error).
//!
//! Evaluation reads nothing by itself: references and files come through the [`Scope`]. It always ends: depth, the
//! number of elements made and the length of strings are bounded, and what goes beyond is [`CauseKind::Limit`](crate::graph::CauseKind::Limit).

mod access;
mod convert;
mod error;
mod expr;
pub mod functions;
mod ops;
mod partial;
mod sets;
mod template;
mod type_expr;
mod types;
mod val;

#[cfg(test)]
mod tests;

pub use convert::convert;
pub use error::{EvalError, EvalResult};
pub use expr::{Evaluator, eval, try_eval};
pub use type_expr::parse_type;
pub use types::{Attr, Type, unify};
pub use val::{Datum, Marks, Member, Ref, Refs, Seq, Table, Unknown, Val, nfc};

use crate::base::{SourceFile, Span};
use crate::graph::How;
use crate::syntax::hcl::tree::Step;
use std::cell::Cell;
use std::sync::Arc;

/// What an expression may refer to.
pub trait Scope {
    /// The value of a reference: `root` is its first name (`var`, `local`, `module`, `data`, `aws_s3_bucket`, `each`,
    /// `count`, `path`, `terraform`, `self`), `steps` what follows it, `span` the root's place.
    ///
    /// The scope takes as many steps as name the thing it knows (`.name` of `var.name.a`) and says so in
    /// [`Resolved::steps`]; the evaluator applies the others to the value. An error for a name that is not declared
    /// is made with [`EvalError::reference`]: Terraform finds it before it evaluates anything, so `try` cannot catch it.
    fn resolve(&self, root: &str, steps: &[Step], span: Span) -> Result<Resolved, Box<EvalError>>;

    /// Reads a file for `file`, `templatefile` and the like. The path is as the expression gives it, relative to the
    /// folder in which Terraform would run.
    fn read(&self, path: &str) -> FileRead;

    /// The paths of all files below a folder for `fileset`, relative to that folder, with `/` between their parts.
    /// `None` where it cannot be said.
    fn list(&self, dir: &str) -> Option<Vec<Arc<str>>>;

    /// The text that stands at a span, where it is at hand.
    fn source(&self, _: Span) -> Option<&str> {
        None
    }

    /// How many parts all evaluations in this scope and its kin may still make; `None` where nobody counts.
    fn budget(&self) -> Option<&Cell<usize>> {
        None
    }
}

/// What a reference stands for.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The value of what the steps taken name. Its references ([`Val::refs`]) say which resource it belongs to.
    pub val: Val,
    /// How many steps were taken.
    pub steps: usize,
    /// How the value comes to stand there: [`How::Variable`], [`How::Local`]…
    pub how: How,
}

/// What reading a file gives.
#[derive(Clone, Debug)]
pub enum FileRead {
    /// The file.
    Found(Arc<SourceFile>),
    /// There is none: Terraform would report an error.
    Missing,
    /// It cannot be said: it lies outside of the workspace, is not text, is too large.
    Unknown(String),
}

/// A scope without anything in it: for type constraints and literals.
#[derive(Clone, Copy, Debug, Default)]
pub struct Empty;

impl Scope for Empty {
    fn resolve(&self, _: &str, _: &[Step], span: Span) -> Result<Resolved, Box<EvalError>> {
        Err(EvalError::reference("variables may not be used here", span))
    }

    fn read(&self, _: &str) -> FileRead {
        FileRead::Unknown("files are not read here".to_owned())
    }

    fn list(&self, _: &str) -> Option<Vec<Arc<str>>> {
        None
    }
}
