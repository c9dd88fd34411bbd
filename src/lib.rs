//! stacklint: a linter for the whole stack that a repository declares.
//!
//! Parsers normalize Terraform, Kubernetes manifests and Dockerfiles into one resource graph; a declarative policy
//! engine evaluates it; findings come out with exact source spans. `docs/architecture.md` has the map.
//!
//! Imports point down only, and a test holds them to it:
//! shells (`cli`, `lsp`, `bot`) → `load`, `fix`, `report` → `analysis` → `formats`, `policy`, `config` → `graph`,
//! `syntax`, `providers` → `diagnostic` → `base`.

pub mod analysis;
pub mod base;
#[cfg(feature = "bot")]
pub mod bot;
pub mod cli;
pub mod config;
pub mod diagnostic;
pub mod fix;
pub mod formats;
pub mod graph;
pub mod load;
pub mod lsp;
pub mod policy;
pub mod providers;
pub mod report;
pub mod syntax;
