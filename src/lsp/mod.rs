//! The language server: a shell over the same analysis as the command line.
//!
//! One thread owns the state and talks to the client; one checks. A keystroke becomes an overlay
//! [`Change`](crate::analysis::Change), which cancels the check under way and starts the next; what comes out is
//! published where it differs from what the client has. No request and no broken file can end the session.
//!
//! Only this module knows the protocol's types.

mod actions;
mod capabilities;
mod check;
mod complete;
mod convert;
mod diagnostics;
mod documents;
mod hover;
mod locate;
mod navigate;
mod notices;
mod paths;
mod requests;
mod server;
mod words;
mod workspace;

pub use server::{run_stdio, serve};
