//! `stacklint.toml`: what it may say, and errors that point into it. Reading the file from disk is the loader's part.

mod file;
mod selector;

pub use file::{Config, ConfigError, PathRule, UnknownMode};
#[cfg(test)]
pub(crate) use selector::tests::rule as test_rule;
pub use selector::{PEERS, Selector, SelectorError, alias_matches, glob, glob_ignore_case, nearest};

/// The name of the file that is looked for in the working directory and upward from there.
pub const FILE_NAME: &str = "stacklint.toml";
