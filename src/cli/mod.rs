//! The command line: arguments to settings, a workspace to a report, a report to an exit code. No analysis here.

mod args;
mod check;
mod examples;
mod explain;
mod fix;
mod graph;
mod init;
mod merge;
mod policies;
mod render;
mod session;
mod shard;
mod since;
mod terminal;

pub(crate) use args::{ColorChoice, SelectionArgs, TerraformArgs};
pub(crate) use session::{Problem, Session};
pub(crate) use terminal::Terminal;

use args::{Cli, Command, PolicyCommand};
use clap::{CommandFactory, Parser};
use std::io::Write;
use std::process::ExitCode;

/// How a run ended. The numbers are a contract with scripts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Ending {
    /// Nothing at or above the threshold.
    Clean = 0,
    /// Findings.
    Findings = 1,
    /// The arguments or the configuration are wrong.
    Usage = 2,
    /// A part of the input could not be read, and `--strict` was given.
    Unread = 3,
}

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    let default_hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        // A step that breaks is shown with the report; anything else is for the one who mends it.
        if !crate::analysis::is_guarded() {
            default_hook(info);
        }
    }));
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors; both print themselves to the right stream.
            let ending = if error.use_stderr() { Ending::Usage } else { Ending::Clean };
            let _ = error.print();
            return ExitCode::from(ending as u8);
        }
    };
    let terminal = Terminal::new(cli.color);
    let code = match run(&cli.command, &terminal) {
        Ok(code) => code,
        // Whoever read our output has seen enough.
        Err(Problem::Io(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => Ending::Clean as u8,
        Err(problem) => {
            terminal.complain(&problem);
            Ending::Usage as u8
        }
    };
    ExitCode::from(code)
}

/// The exit code. The bot has one more than the others, for what should be tried again later.
fn run(command: &Command, terminal: &Terminal) -> Result<u8, Problem> {
    let ending = match command {
        #[cfg(feature = "bot")]
        Command::Bot(command) => return crate::bot::run(command),
        Command::Check(args) => check::run(args, terminal),
        Command::Fix(args) => fix::run(args, terminal),
        Command::Explain(args) => explain::run(args, terminal),
        Command::Policies(args) => policies::run(args, terminal),
        Command::Policy(PolicyCommand::Test { folder, selection }) => {
            examples::run(folder.as_deref(), selection, terminal)
        }
        Command::Graph(args) => graph::run(args, terminal),
        Command::Render(args) => render::run(args),
        Command::Merge(args) => merge::run(args),
        Command::Init(args) => init::run(args),
        Command::Lsp(_) => match crate::lsp::run_stdio() {
            Ok(()) => Ok(Ending::Clean),
            Err(error) => Err(Problem::usage(format!("the editor broke the protocol: {error}"))),
        },
        Command::Completions(args) => {
            let mut out = Vec::new();
            clap_complete::generate(args.shell, &mut Cli::command(), "stacklint", &mut out);
            std::io::stdout().write_all(&out)?;
            Ok(Ending::Clean)
        }
    };
    ending.map(|e| e as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    /// The arguments of each `stacklint …` in a text, up to whatever the shell does with it.
    fn command_lines(text: &str) -> Vec<Vec<String>> {
        let starts = text.lines().flat_map(|line| line.match_indices("stacklint ").map(move |(i, _)| (line, i)));
        let is_command = |(line, i): &(&str, usize)| {
            let before = line[..*i].trim_end();
            let verbs = ["check", "merge", "explain", "graph", "policies", "fix", "render", "lsp", "init"];
            let verb = line[i + "stacklint ".len()..].split([' ', '`']).next().unwrap_or_default();
            verbs.contains(&verb) && (before.is_empty() || before.ends_with([':', '-', '`', '|', '&', ';', '"']))
        };
        let lines = starts.filter(is_command).map(|(line, i)| words(&line[i..]));
        // A command that is only mentioned has no arguments.
        lines.filter(|words| words != &["stacklint", "merge"]).collect()
    }

    /// Words as a shell splits them; variables become something that fits.
    fn words(line: &str) -> Vec<String> {
        let mut words = vec![String::new()];
        let mut quote = None;
        for c in line.chars() {
            match (quote, c) {
                (None, '|' | '#' | ';' | '`') => break,
                (None, '"' | '\'') => quote = Some(c),
                (Some(q), c) if q == c => quote = None,
                (None, ' ') => words.push(String::new()),
                (_, c) => words.last_mut().into_iter().for_each(|w| w.push(c)),
            }
        }
        words.retain(|w| !w.is_empty() && w != "$@" && w != "$STACKLINT_ARGS");
        for i in 1..words.len() {
            match words[i - 1].as_str() {
                "--shard" => "1/4".clone_into(&mut words[i]),
                "--format" if words[i] == "FORMAT" => "json".clone_into(&mut words[i]),
                _ => {}
            }
        }
        words
    }

    /// Documentation and templates keep to the command line that there is.
    #[test]
    fn what_is_documented_can_be_typed() {
        let texts = [
            ("docs/ci.md", include_str!("../../docs/ci.md"), 10),
            ("docs/output-formats.md", include_str!("../../docs/output-formats.md"), 2),
            ("README.md", include_str!("../../README.md"), 8),
            (".pre-commit-hooks.yaml", include_str!("../../.pre-commit-hooks.yaml"), 3),
            ("gitlab", include_str!("../../integrations/gitlab/stacklint.gitlab-ci.yml"), 2),
            ("circleci", include_str!("../../integrations/circleci/config.yml"), 2),
            ("kubernetes", include_str!("../../integrations/kubernetes/scan-job.yaml"), 1),
        ];
        for (name, text, least) in texts {
            let lines = command_lines(text);
            assert!(lines.len() >= least, "{name}: {lines:?}");
            for line in lines {
                let parsed = Cli::try_parse_from(&line);
                assert!(
                    parsed.is_ok(),
                    "{name}: {line:?}: {}",
                    parsed.err().map(|e| e.to_string()).unwrap_or_default()
                );
            }
        }
    }
}
