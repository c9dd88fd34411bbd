//! Tests of the evaluator: an expression and what Terraform gives for it.
#![allow(clippy::unwrap_used, clippy::panic)]
