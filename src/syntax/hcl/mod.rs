//! HCL, Terraform's language: text to [`tree::File`].

pub mod tree;
