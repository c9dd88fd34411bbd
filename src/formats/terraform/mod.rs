//! Terraform: modules, and the evaluation of their expressions.

pub mod eval;
