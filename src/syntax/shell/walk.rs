//! Every command a script runs, in order, wherever it stands: behind `sudo`, in a subshell, in `$( … )`, in `sh -c '…'`.

use super::ast::{AndOr, Assignment, Command, CommandKind, Connector, Part, PartKind, Redirect, Script, Word};
use std::ops::Range;

/// How deep `sh -c "sh -c …"` is followed.
const NESTED_LIMIT: u32 = 4;

/// A command that a script runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The command's name without the folders before it; what is expanded stands as it is written.
    pub name: String,
    /// The name and the arguments.
    pub words: Vec<Word>,
    /// The text of each word, quotes removed.
    pub texts: Vec<String>,
    /// Assignments before it.
    pub assignments: Vec<Assignment>,
    /// Redirections.
    pub redirects: Vec<Redirect>,
    /// What it was unwrapped from, outermost first.
    pub wrappers: Vec<Wrapper>,
    /// From the first word (or assignment) to the last.
    pub span: Range<usize>,
    /// Where it stands among the others.
    pub place: Place,
}

/// A command that only runs another one: `sudo`, `env`, `xargs`, `sh -c`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrapper {
    /// Its name.
    pub name: String,
    /// Where its name stands.
    pub span: Range<usize>,
    /// What stands between its name and the command it runs.
    pub arguments: Vec<String>,
}

/// Where a command stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The number of its pipeline in the script.
    pub pipeline: usize,
    /// Its position in the pipeline, from 0.
    pub position: usize,
    /// How many commands the pipeline has.
    pub pipeline_length: usize,
    /// The operator before its pipeline.
    pub before: Connector,
    /// The operator after its pipeline; `Start` where none follows.
    pub after: Connector,
    /// Whether its result decides an `if`, `while` or `until`, or `!` turns it round.
    pub condition: bool,
    /// Whether it runs in `( … )`.
    pub subshell: bool,
    /// Whether it runs in `$( … )` or backticks.
    pub substitution: bool,
    /// Whether it stands in the argument of `sh -c` and the like.
    pub nested: bool,
    /// Whether it stands in a function's body.
    pub function: bool,
    /// Whether the list it stands in goes on in the background.
    pub background: bool,
}

#[derive(Clone, Copy, Default)]
struct Context {
    condition: bool,
    subshell: bool,
    substitution: bool,
    nested: u32,
    function: bool,
    background: bool,
    /// A compound command in a pipeline passes its place on to what is in it.
    pipe: Option<(usize, usize)>,
}

struct Walker<'a> {
    source: &'a str,
    calls: Vec<Call>,
    pipelines: usize,
    problems: Vec<super::Problem>,
}

/// Every command of a script. `source` is the text of the file that the script's ranges point into. What is wrong with the
/// scripts found in arguments is returned too.
pub fn calls(script: &Script, source: &str) -> (Vec<Call>, Vec<super::Problem>) {
    let mut walker = Walker { source, calls: Vec::new(), pipelines: 0, problems: Vec::new() };
    walker.lists(&script.lists, Context::default());
    (walker.calls, walker.problems)
}

impl Walker<'_> {
    fn lists(&mut self, lists: &[AndOr], context: Context) {
        for list in lists {
            for (i, (before, pipeline)) in list.pipelines.iter().enumerate() {
                let after = list.pipelines.get(i + 1).map_or(Connector::Start, |(c, _)| *c);
                let number = self.pipelines;
                self.pipelines += 1;
                let length = pipeline.commands.len();
                for (position, command) in pipeline.commands.iter().enumerate() {
                    let mut inner = context;
                    inner.condition |= pipeline.negated;
                    inner.background |= list.background;
                    if length > 1 {
                        inner.pipe = Some((position, length));
                    }
                    let (position, pipeline_length) = inner.pipe.unwrap_or((0, 1));
                    let place = Place {
                        pipeline: number,
                        position,
                        pipeline_length,
                        before: *before,
                        after,
                        condition: inner.condition,
                        subshell: inner.subshell,
                        substitution: inner.substitution,
                        nested: inner.nested > 0,
                        function: inner.function,
                        background: inner.background,
                    };
                    self.command(command, inner, place);
                }
            }
        }
    }

    fn command(&mut self, command: &Command, context: Context, place: Place) {
        for redirect in &command.redirects {
            if let Some(word) = &redirect.target {
                self.word(word, context);
            }
        }
        let plain = Context { condition: false, ..context };
        let condition = Context { condition: true, ..context };
        match &command.kind {
            CommandKind::Simple(simple) => {
                for assignment in &simple.assignments {
                    for word in &assignment.value {
                        self.word(word, context);
                    }
                }
                for word in &simple.words {
                    self.word(word, context);
                }
                if !simple.words.is_empty() || !simple.assignments.is_empty() {
                    self.call(command, &simple.words, &simple.assignments, context, place);
                }
            }
            CommandKind::Subshell(lists) => self.lists(lists, Context { subshell: true, ..context }),
            CommandKind::Group(lists) => self.lists(lists, context),
            CommandKind::If { branches, otherwise } => {
                for (test, body) in branches {
                    self.lists(test, condition);
                    self.lists(body, plain);
                }
                self.lists(otherwise, plain);
            }
            CommandKind::Loop { condition: test, body } => {
                self.lists(test, condition);
                self.lists(body, plain);
            }
            CommandKind::For { words, body, .. } => {
                for word in words {
                    self.word(word, context);
                }
                self.lists(body, plain);
            }
            CommandKind::Case { subject, arms } => {
                if let Some(word) = subject {
                    self.word(word, context);
                }
                for (_, body) in arms {
                    self.lists(body, plain);
                }
            }
            CommandKind::Arithmetic(_) => {}
            CommandKind::Function { body, .. } => {
                self.command(body, Context { function: true, ..plain }, Place { function: true, ..place });
            }
        }
    }

    fn word(&mut self, word: &Word, context: Context) {
        self.parts(&word.parts, context);
    }

    fn parts(&mut self, parts: &[Part], context: Context) {
        for part in parts {
            match &part.kind {
                PartKind::DoubleQuoted(inner) => self.parts(inner, context),
                PartKind::Substitution { script, .. } | PartKind::Process(script) => {
                    self.lists(&script.lists, Context { substitution: true, condition: false, pipe: None, ..context });
                }
                _ => {}
            }
        }
    }

    fn call(&mut self, command: &Command, words: &[Word], assignments: &[Assignment], context: Context, place: Place) {
        let mut texts: Vec<String> = words.iter().map(|w| w.text(self.source)).collect();
        let mut words = words.to_vec();
        let mut wrappers = Vec::new();
        let mut scripts = Vec::new();
        while let Some(name) = texts.first().map(|t| base_name(t).to_owned()) {
            if let Some(script) = script_argument(&name, &texts) {
                scripts.extend(words.get(script).map(|w| (w.mapped(self.source), name.clone())));
                break;
            }
            let Some(skip) = wrapped_at(&name, &texts) else { break };
            if skip >= texts.len() {
                break;
            }
            let span = words.first().map_or(0..0, |w| w.span.clone());
            let arguments = texts.drain(..skip).skip(1).collect();
            wrappers.push(Wrapper { name, span, arguments });
            words.drain(..skip);
        }
        let first = assignments.first().map(|a| a.span.start).or_else(|| words.first().map(|w| w.span.start));
        let last = words.last().map(|w| w.span.end).or_else(|| assignments.last().map(|a| a.span.end));
        let span = match (first, last) {
            (Some(first), Some(last)) if first <= last => first..last,
            _ => command.span.clone(),
        };
        let outer = words.first().map_or_else(|| span.clone(), |w| w.span.clone());
        let inherited = wrappers.clone();
        self.calls.push(Call {
            name: texts.first().map_or_else(String::new, |t| base_name(t).to_owned()),
            words,
            texts,
            assignments: assignments.to_vec(),
            redirects: command.redirects.clone(),
            wrappers,
            span,
            place,
        });
        for (text, name) in scripts {
            if context.nested >= NESTED_LIMIT {
                continue;
            }
            let script = super::parse(&text);
            let from = self.calls.len();
            let nested = Context { nested: context.nested + 1, condition: false, pipe: None, ..context };
            self.lists(&script.lists, nested);
            self.problems.extend(script.problems);
            for call in self.calls.iter_mut().skip(from) {
                let mut outer_wrappers = inherited.clone();
                outer_wrappers.push(Wrapper { name: name.clone(), span: outer.clone(), arguments: Vec::new() });
                outer_wrappers.append(&mut call.wrappers);
                call.wrappers = outer_wrappers;
            }
        }
    }
}

/// The last part of a path: `apt-get` of `/usr/bin/apt-get`.
fn base_name(text: &str) -> &str {
    match text.rsplit_once('/') {
        Some((_, name)) if !name.is_empty() && !text.contains("://") => name,
        _ => text,
    }
}

/// The argument that a shell reads as a script: of `sh -c`, `bash -lc`, `su user -c`, `eval`.
fn script_argument(name: &str, texts: &[String]) -> Option<usize> {
    match name {
        "sh" | "bash" | "dash" | "ash" | "zsh" | "ksh" | "su" | "runuser" => {
            let option = texts.iter().skip(1).position(|t| {
                t == "--command" || (t.starts_with('-') && !t.starts_with("--") && t.ends_with('c') && !t.contains('='))
            })?;
            // Options may stand between `-c` and the script.
            let after = option + 2;
            let script = texts.iter().skip(after).position(|t| !t.starts_with('-'))?;
            Some(after + script)
        }
        "eval" if texts.len() == 2 => Some(1),
        _ => None,
    }
}

/// Where the command begins that this one runs; `None` where it runs none.
fn wrapped_at(name: &str, texts: &[String]) -> Option<usize> {
    // Each with the options that take the next word, and how many words follow the options.
    let (with_value, operands, assignments): (&[&str], usize, bool) = match name {
        "sudo" | "doas" => (
            &[
                "-u", "-g", "-h", "-p", "-C", "-r", "-t", "-T", "-U", "-D", "-R", "--user", "--group", "--host",
                "--prompt", "--chdir",
            ],
            0,
            true,
        ),
        "env" => (&["-u", "-C", "-S", "--unset", "--chdir"], 0, true),
        "exec" => (&["-a"], 0, false),
        "command" | "builtin" | "nohup" | "setsid" | "busybox" | "eatmydata" | "fakeroot" | "then" => (&[], 0, false),
        "time" => (&["-f", "-o", "--format", "--output"], 0, false),
        "nice" => (&["-n", "--adjustment"], 0, false),
        "ionice" => (&["-c", "-n", "-p", "--class", "--classdata"], 0, false),
        "stdbuf" => (&["-i", "-o", "-e"], 0, false),
        "timeout" => (&["-k", "-s", "--kill-after", "--signal"], 1, false),
        "gosu" | "su-exec" | "setpriv" if texts.len() > 2 => (&[], 1, false),
        "chroot" => (&[], 1, false),
        "xargs" => {
            (&["-n", "-P", "-I", "-L", "-d", "-s", "-a", "-E", "--max-args", "--max-procs", "--delimiter"], 0, false)
        }
        _ => return None,
    };
    // `command -v` only asks.
    if matches!(name, "command") && texts.get(1).is_some_and(|t| matches!(t.as_str(), "-v" | "-V")) {
        return None;
    }
    let mut i = 1;
    while let Some(text) = texts.get(i) {
        if text == "--" {
            i += 1;
            break;
        }
        if with_value.contains(&text.as_str()) {
            i += 2;
        } else if text.starts_with('-') && text.len() > 1 {
            i += 1;
        } else {
            break;
        }
    }
    if assignments {
        while texts.get(i).is_some_and(|t| is_assignment(t)) {
            i += 1;
        }
    }
    Some(i + operands)
}

fn is_assignment(text: &str) -> bool {
    text.split_once('=').is_some_and(|(name, _)| {
        name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    })
}
