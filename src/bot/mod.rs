//! The bot for pull requests: what a change introduces, said once and in the right line. No analysis here; only this shell knows HTTP.
//!
//! [`review`] does it once, for any CI: it fetches the commits, has [`evaluate`] judge them, and makes the calls of the plan.
//! [`plan`] is the pure core: findings, the lines that a platform shows, and what was already said, to the calls that are left to make.
//! [`forge`] makes these calls on a platform; [`serve`] takes a GitHub App's webhooks and has pull requests reviewed.

pub mod args;
pub mod diff;
pub mod evaluate;
pub mod finding;
pub mod forge;
pub mod http;
pub mod log;
pub mod marker;
pub mod plan;
pub mod review;
mod run;
pub mod secret;
pub mod serve;
pub mod words;

pub use run::run;

/// A short digest of some texts, the same on every machine and in every version.
pub(crate) fn digest(texts: &[&str]) -> String {
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    for text in texts {
        // The lengths keep texts apart that read the same one after the other.
        context.update(&(text.len() as u64).to_le_bytes());
        context.update(text.as_bytes());
    }
    let digest = data_encoding::HEXLOWER.encode(context.finish().as_ref());
    digest.get(..16).unwrap_or(&digest).to_owned()
}
