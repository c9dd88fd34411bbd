//! What may stand behind `stacklint bot`.

use crate::diagnostic::Severity;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

/// The bot's commands.
#[derive(Subcommand, Debug)]
pub enum BotCommand {
    /// Review one pull request or merge request and say what it introduces: for any CI
    Review(Box<ReviewArgs>),
    /// Serve a GitHub App: take webhooks and review pull requests
    Serve(Box<ServeArgs>),
}

/// What both have in common.
#[derive(Args, Debug, Clone)]
pub struct CommonArgs {
    /// Fail from this severity on: info, low, medium, high, critical or never
    #[arg(long, value_name = "SEVERITY", default_value = "low", value_parser = threshold)]
    pub fail_on: Threshold,
    /// Comments in lines at most; the summary has the rest
    #[arg(long, value_name = "N", default_value_t = 25)]
    pub max_comments: usize,
    /// Fetch no more than so many megabytes
    #[arg(long, value_name = "MB", default_value_t = 1024)]
    pub max_megabytes: u64,
    /// The API, such as `https://github.example.com/api/v3` [default: the public one, or the CI's]
    #[arg(long, value_name = "URL")]
    pub api_url: Option<String>,
    /// GitHub's GraphQL API [default: derived from the API, or the CI's]
    #[arg(long, value_name = "URL")]
    pub graphql_url: Option<String>,
    /// Where git fetches from, such as `https://github.example.com` [default: the public one, or the CI's]
    #[arg(long, value_name = "URL")]
    pub git_url: Option<String>,
    /// Trust the authorities of this PEM file instead of the public ones
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// How to write the log
    #[arg(long, value_enum, default_value_t = LogFormat::Text, value_name = "FORMAT")]
    pub log: LogFormat,
}

/// From which severity on a change fails; none for never.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Threshold(pub Option<Severity>);

/// Forms of the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum LogFormat {
    /// Lines for people
    Text,
    /// A JSON object a line
    Json,
}

/// Platforms.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Platform {
    /// github.com or GitHub Enterprise Server
    Github,
    /// gitlab.com or self-managed
    Gitlab,
}

/// `bot review`
#[derive(Args, Debug)]
#[command(
    after_help = "The token is read from STACKLINT_BOT_TOKEN, or from GITHUB_TOKEN or GITLAB_TOKEN. In GitHub Actions and \
                        GitLab CI everything else is found too.\n\
                        Exit codes: 0 nothing at or above the threshold was introduced, 1 something was, 2 it could not be \
                        done, 75 try again later."
)]
pub struct ReviewArgs {
    /// What both commands have
    #[command(flatten)]
    pub common: CommonArgs,
    /// The platform [default: the CI's]
    #[arg(long, value_enum)]
    pub forge: Option<Platform>,
    /// The repository, such as owner/name [default: the CI's]
    #[arg(long, value_name = "REPOSITORY")]
    pub repo: Option<String>,
    /// The number of the pull request or merge request [default: the CI's]
    #[arg(long, value_name = "NUMBER")]
    pub pr: Option<u64>,
    /// Print what would be done as JSON, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Make folders for the time being here [default: the system's]
    #[arg(long, value_name = "DIR")]
    pub scratch: Option<PathBuf>,
    /// The account that the token speaks for, where it cannot be asked for
    #[arg(long, value_name = "NAME")]
    pub login: Option<String>,
    /// Started by `bot serve`: end when standard input ends
    #[arg(long, hide = true)]
    pub supervised: bool,
}

/// `bot serve`
#[derive(Args, Debug)]
#[command(
    after_help = "The private key may be given as STACKLINT_PRIVATE_KEY and the webhook's secret as STACKLINT_WEBHOOK_SECRET \
                        instead of files. Deliveries go to /webhook; /healthz and /metrics are for operators."
)]
pub struct ServeArgs {
    /// What both commands have
    #[command(flatten)]
    pub common: CommonArgs,
    /// Where to listen
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub listen: String,
    /// The folder of the queue and of jobs' folders; it must outlive the process
    #[arg(long, value_name = "DIR")]
    pub state: PathBuf,
    /// The App's id or client id
    #[arg(long, value_name = "ID")]
    pub app_id: String,
    /// The App's private key, as GitHub gave it (PEM)
    #[arg(long, value_name = "FILE")]
    pub private_key: Option<PathBuf>,
    /// The webhook's secret; two lines while it is replaced
    #[arg(long, value_name = "FILE")]
    pub webhook_secret: Option<PathBuf>,
    /// Jobs at the same time
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub workers: usize,
    /// Jobs that may wait; more are refused, and the platform shows the delivery as failed
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    pub max_waiting: usize,
    /// How long a job may take
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    pub job_seconds: u64,
    /// How long running jobs have to end when the server is told to stop; then they are returned to the queue
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    pub grace_seconds: u64,
    /// How long a sender may take for the head of a request
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    pub head_seconds: u64,
    /// How long a sender may take for its body
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    pub body_seconds: u64,
}

impl Threshold {
    /// As it is written.
    pub fn word(self) -> &'static str {
        self.0.map_or("never", Severity::as_str)
    }
}

fn threshold(text: &str) -> Result<Threshold, String> {
    if text == "never" {
        return Ok(Threshold(None));
    }
    match Severity::parse(text) {
        Some(severity) => Ok(Threshold(Some(severity))),
        None => Err("write info, low, medium, high, critical or never".to_owned()),
    }
}
