//! Errors of evaluation.

use super::{Type, Val};
use crate::base::Span;
use crate::graph::{Cause, CauseKind};
use std::sync::Arc;

/// Why an expression has no value.
#[derive(Clone, Debug)]
pub struct EvalError {
    /// [`CauseKind::Error`], or [`CauseKind::Limit`].
    pub kind: CauseKind,
    /// What is wrong, in words.
    pub message: String,
    /// The smallest place that is wrong.
    pub span: Span,
    /// Whether `try` and `can` cannot catch it, and the branch that is not taken cannot hide it.
    pub fatal: bool,
    /// The type that the failed expression would have.
    pub ty: Type,
    /// What the failed expression refers to.
    pub cause: Option<Arc<Cause>>,
}

/// The value of an expression, or why it has none.
pub type EvalResult = Result<Val, Box<EvalError>>;

impl EvalError {
    /// An error of the expression's value, as `try` catches it.
    pub fn new(message: impl Into<String>, span: Span) -> Box<EvalError> {
        Box::new(EvalError {
            kind: CauseKind::Error,
            message: message.into(),
            span,
            fatal: false,
            ty: Type::Any,
            cause: None,
        })
    }

    /// A reference to something that is not declared, or an expression that could not be parsed.
    pub fn reference(message: impl Into<String>, span: Span) -> Box<EvalError> {
        let mut error = EvalError::new(message, span);
        error.fatal = true;
        error
    }

    /// A limit was reached.
    pub fn limit(message: impl Into<String>, span: Span) -> Box<EvalError> {
        let mut error = EvalError::reference(message, span);
        error.kind = CauseKind::Limit;
        error
    }

    /// A value that was itself an error: whoever uses it fails with the same cause.
    pub fn of_cause(cause: &Arc<Cause>) -> Box<EvalError> {
        let mut error = EvalError::reference(cause.message.clone(), cause.span);
        error.kind = cause.kind;
        error.cause = Some(cause.clone());
        error
    }

    /// The error where the expression's type is known all the same.
    #[must_use]
    pub fn typed(mut self: Box<Self>, ty: Type) -> Box<EvalError> {
        self.ty = ty;
        self
    }

    /// The error as the cause of an unknown.
    pub fn into_cause(self) -> Arc<Cause> {
        match self.cause {
            Some(cause) => cause,
            None => Arc::new(Cause { kind: self.kind, message: self.message, span: self.span }),
        }
    }
}
