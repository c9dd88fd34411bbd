//! What may stand on the command line.

use crate::diagnostic::Severity;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// A fast linter for infrastructure as code: Terraform, Kubernetes manifests and Dockerfiles in one resource graph.
#[derive(Parser, Debug)]
#[command(
    name = "stacklint",
    version,
    propagate_version = true,
    after_help = "Start with `stacklint check` in your repository. Nothing is executed and nothing leaves your machine.\n\
                  `stacklint explain POLICY` tells what a finding means; `stacklint init` writes a configuration to adapt."
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    /// When to colour the output
    #[arg(long, global = true, value_enum, default_value_t = ColorChoice::Auto, value_name = "WHEN")]
    pub color: ColorChoice,
}

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Check files and folders and report what is wrong in them
    Check(Box<CheckArgs>),
    /// Mend what can be mended: every fix is tried first, and comments and formatting stay
    Fix(Box<FixArgs>),
    /// Explain a policy; with an address, why it does or does not hold there
    Explain(ExplainArgs),
    /// List all policies
    Policies(PoliciesArgs),
    /// Work on policies of your own
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Print the resource graph that policies are held against
    Graph(GraphArgs),
    /// Print what a Helm chart or a kustomization renders to; no other program is needed
    Render(Box<RenderArgs>),
    /// Join the reports of several runs, such as those of `check --shard`, into one
    Merge(MergeArgs),
    /// Write a commented stacklint.toml to adapt
    Init(InitArgs),
    /// Serve an editor over standard input and output (Language Server Protocol)
    Lsp(LspArgs),
    /// Review pull requests: what a change introduces, said once and in the right line
    #[cfg(feature = "bot")]
    #[command(subcommand)]
    Bot(crate::bot::args::BotCommand),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
}

#[derive(Args, Debug, Default)]
pub struct CheckArgs {
    /// Files and folders to check [default: the working directory]
    pub paths: Vec<PathBuf>,
    /// How to write the report
    #[arg(long, short, value_name = "FORMAT", default_value = "pretty", value_parser = formats())]
    pub format: String,
    /// Write the report to a file instead of the terminal
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub selection: SelectionArgs,
    #[command(flatten)]
    pub terraform: TerraformArgs,
    /// Check once for each --var-file, and say of a finding with which of them it occurs
    #[arg(long, requires = "var_file", help_heading = "Terraform")]
    pub matrix: bool,
    /// Do not honour ignore comments and annotations in the files
    #[arg(long, help_heading = "Suppression")]
    pub no_inline_ignores: bool,
    /// Report only findings that are not in this file
    #[arg(long, value_name = "FILE", help_heading = "Suppression")]
    pub baseline: Option<PathBuf>,
    /// Write all findings to the file of --baseline, as accepted
    #[arg(long, requires = "baseline", help_heading = "Suppression")]
    pub write_baseline: bool,
    /// Show findings that were ignored, too
    #[arg(long, help_heading = "Suppression")]
    pub show_ignored: bool,
    /// Report only findings that were introduced since a commit, also those in files that did not change: a branch such
    /// as `origin/main` (then since this work left it), a tag, an id, or `HEAD` for what is not committed yet
    ///
    /// The commit is read from git's objects; the work tree is not touched and nothing is fetched. The exit code speaks
    /// of the introduced findings alone; those that are fixed are listed and the unchanged ones counted.
    #[arg(long, value_name = "REF", conflicts_with = "write_baseline", help_heading = "Suppression")]
    pub since: Option<String>,
    /// With --since, also list the findings that were there before (pretty, json; sarif as `unchanged` and `absent`)
    #[arg(long, requires = "since", help_heading = "Suppression")]
    pub show_unchanged: bool,
    /// Report one of N parts, counted from 1, so that N runs share the work: `--shard 2/8`. `stacklint merge` joins them
    ///
    /// Where there are several repositories below the paths, each run reads and checks only its share of them, each
    /// repository by itself (json and sarif). A single repository is read as a whole by every run, since a finding may depend on
    /// any file, and the findings are divided by folder. The same files are divided the same way each time.
    #[arg(long, value_name = "I/N", value_parser = Shard::parse, conflicts_with = "write_baseline")]
    pub shard: Option<Shard>,
    /// Exit with 1 only for findings of this severity or worse; milder ones are still shown
    #[arg(long, value_name = "SEVERITY", value_parser = severity)]
    pub fail_on: Option<Severity>,
    /// Exit with 3 if a part of the input could not be read
    #[arg(long)]
    pub strict: bool,
    /// What to do where a policy depends on a value that is not known
    #[arg(long, value_enum, value_name = "MODE")]
    pub unknown: Option<Unknown>,
    /// Sets runs over the same commit apart in SARIF, such as the name of an environment
    #[arg(long, value_name = "NAME")]
    pub category: Option<String>,
    /// Do not try fixes, which saves a second look at what they change
    #[arg(long)]
    pub no_fixes: bool,
    /// Print how long each step took
    #[arg(long, hide = true)]
    pub timings: bool,
}

/// Which of how many parts, from `--shard 2/8`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shard {
    /// Counted from 1.
    pub index: usize,
    pub count: usize,
}

impl Shard {
    fn parse(text: &str) -> Result<Shard, String> {
        let (index, count) = text.split_once('/').ok_or("two numbers with a slash between them, such as 2/8")?;
        let number = |text: &str| text.trim().parse::<usize>().map_err(|_| format!("`{text}` is no number"));
        let shard = Shard { index: number(index)?, count: number(count)? };
        match shard {
            Shard { count: 0, .. } => Err("there must be at least one part".to_owned()),
            Shard { count, .. } if count > MOST_SHARDS => Err(format!("there may be at most {MOST_SHARDS} parts")),
            Shard { index: 0, .. } => Err("parts are counted from 1".to_owned()),
            Shard { index, count } if index > count => Err(format!("there are only {count} parts")),
            shard => Ok(shard),
        }
    }
}

/// More parts than this are a mistake.
const MOST_SHARDS: usize = 100_000;

#[derive(Args, Debug)]
pub struct MergeArgs {
    /// Reports in JSON, or in SARIF, not both; `-` reads one from standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Write the report to a file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Exit with 1 only for findings of this severity or worse
    #[arg(long, value_name = "SEVERITY", value_parser = severity)]
    pub fail_on: Option<Severity>,
}

#[derive(Args, Debug, Default)]
pub struct FixArgs {
    /// Files and folders to mend [default: the working directory]
    pub paths: Vec<PathBuf>,
    /// Make fixes that may change the behaviour of what is deployed, too
    #[arg(long = "unsafe")]
    pub unsafe_fixes: bool,
    /// Print what would be changed instead of writing it; exit with 1 if there is something
    #[arg(long)]
    pub diff: bool,
    #[command(flatten)]
    pub selection: SelectionArgs,
    #[command(flatten)]
    pub terraform: TerraformArgs,
}

#[derive(Args, Debug, Default)]
pub struct SelectionArgs {
    /// Run only these policies: names or globs, categories, `severity:high`, `tag:pss-baseline`, or other tools' ids such
    /// as `checkov:CKV_AWS_20` or `hadolint:*`
    #[arg(long, value_name = "SEL", value_delimiter = ',', help_heading = "Policies")]
    pub select: Vec<String>,
    /// Do not run these policies
    #[arg(long, value_name = "SEL", value_delimiter = ',', help_heading = "Policies")]
    pub ignore: Vec<String>,
    /// Report nothing milder than this: info, low, medium, high or critical
    #[arg(long, value_name = "SEVERITY", value_parser = severity, help_heading = "Policies")]
    pub min_severity: Option<Severity>,
    /// Use this configuration instead of the stacklint.toml found here or further up
    #[arg(long, value_name = "FILE", conflicts_with = "no_config", help_heading = "Policies")]
    pub config: Option<PathBuf>,
    /// Use no configuration
    #[arg(long, help_heading = "Policies")]
    pub no_config: bool,
}

#[derive(Args, Debug, Default, Clone)]
pub struct TerraformArgs {
    /// A file of Terraform variables; may be given several times
    #[arg(long, value_name = "FILE", help_heading = "Terraform")]
    pub var_file: Vec<PathBuf>,
    /// A Terraform variable; may be given several times
    #[arg(long, value_name = "NAME=VALUE", help_heading = "Terraform")]
    pub var: Vec<String>,
    /// The Terraform workspace
    #[arg(long, value_name = "NAME", help_heading = "Terraform")]
    pub workspace: Option<String>,
}

#[derive(Args, Debug)]
pub struct LspArgs {
    /// Talk over standard input and output, as it does in any case; many editors insist on saying so
    #[arg(long)]
    pub stdio: bool,
}

#[derive(Args, Debug)]
pub struct ExplainArgs {
    /// The policy's name, or another tool's id for it
    pub policy: String,
    /// The address of a resource: `aws_s3_bucket.logs`, `Deployment/web/api`
    pub address: Option<String>,
    /// Where to look for it [default: the working directory]
    pub paths: Vec<PathBuf>,
    #[command(flatten)]
    pub selection: SelectionArgs,
    #[command(flatten)]
    pub terraform: TerraformArgs,
}

#[derive(Args, Debug)]
pub struct PoliciesArgs {
    /// How to write the list
    #[arg(long, short, value_enum, default_value_t = ListFormat::Table)]
    pub format: ListFormat,
    #[command(flatten)]
    pub selection: SelectionArgs,
}

#[derive(Subcommand, Debug)]
pub enum PolicyCommand {
    /// Run the examples of policies as tests
    Test {
        /// A folder with policies [default: those in the program and those of the configuration]
        folder: Option<PathBuf>,
        #[command(flatten)]
        selection: SelectionArgs,
    },
}

#[derive(Args, Debug)]
pub struct GraphArgs {
    /// The folder or file to read [default: the working directory]
    pub path: Option<PathBuf>,
    /// How to write the graph
    #[arg(long, short, value_enum, default_value_t = GraphFormat::Json)]
    pub format: GraphFormat,
    /// With the values of every resource
    #[arg(long)]
    pub values: bool,
    /// With the nodes that views derive
    #[arg(long)]
    pub views: bool,
    #[command(flatten)]
    pub terraform: TerraformArgs,
}

#[derive(Args, Debug)]
pub struct RenderArgs {
    /// The folder of the chart or kustomization
    pub folder: PathBuf,
    /// How to write the objects
    #[arg(long, short, value_enum, default_value_t = RenderFormat::Yaml)]
    pub format: RenderFormat,
    /// With the place that each value came from
    #[arg(long)]
    pub origins: bool,
    /// The name of the release
    #[arg(long, value_name = "NAME", default_value = "release-name")]
    pub release: String,
    /// The namespace of the release
    #[arg(long, short, value_name = "NAME", default_value = "default")]
    pub namespace: String,
    /// A file of values, over the chart's own; may be given several times
    #[arg(long, value_name = "FILE")]
    pub values: Vec<String>,
    /// A value, such as a.b=1,c={x,y}; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// A value that is text whatever it looks like
    #[arg(long, value_name = "KEY=VALUE")]
    pub set_string: Vec<String>,
    /// A value in JSON
    #[arg(long, value_name = "KEY=JSON")]
    pub set_json: Vec<String>,
    /// A value that is the text of a file
    #[arg(long, value_name = "KEY=FILE")]
    pub set_file: Vec<String>,
    /// The version of Kubernetes that the chart sees
    #[arg(long, value_name = "VERSION")]
    pub kube_version: Option<String>,
    /// An API version that the chart finds in addition
    #[arg(long, value_name = "API")]
    pub api_versions: Vec<String>,
    /// Leave hooks out
    #[arg(long)]
    pub no_hooks: bool,
    /// Leave hooks that test out
    #[arg(long)]
    pub skip_tests: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum RenderFormat {
    Yaml,
    Json,
}

#[derive(Args, Debug)]
pub struct InitArgs {
    /// Replace a file that is there
    #[arg(long)]
    pub force: bool,
}

#[derive(Args, Debug)]
pub struct CompletionsArgs {
    /// The shell
    pub shell: clap_complete::Shell,
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    Always,
    Never,
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unknown {
    /// Count them
    Silent,
    /// List them
    Warn,
    /// List them and exit with 1
    Fail,
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum ListFormat {
    Table,
    Json,
    Markdown,
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum GraphFormat {
    Json,
    Dot,
    Mermaid,
}

fn severity(word: &str) -> Result<Severity, String> {
    Severity::parse(word).ok_or_else(|| "one of info, low, medium, high, critical".to_owned())
}

/// The names of the reporters, each with its line of help.
fn formats() -> clap::builder::PossibleValuesParser {
    crate::report::REPORTERS
        .iter()
        .map(|r| clap::builder::PossibleValue::new(r.name).help(r.about))
        .collect::<Vec<_>>()
        .into()
}
