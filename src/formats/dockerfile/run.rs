//! RUN, and whatever else runs a command: what it runs, with which options, what it installs and what stays in the layer.

use super::fields::Fields;
use super::image::HOLE;
use super::packages::{self, PackageCommand};
use super::scope::Scope;
use super::script::{self, Facts};
use crate::base::{FastMap, FileId, Span};
use crate::graph::{CauseKind, Value};
use crate::syntax::dockerfile::{Instruction, Word};
use crate::syntax::shell::{self, Call, Connector, MappedText, Part, PartKind, Script};
use std::cell::RefCell;

/// How long a working directory may be: Linux knows no longer paths (`PATH_MAX`).
const PATH_LIMIT: usize = 4096;

/// The shells that scripts are written for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ShellKind {
    /// `sh`, `dash`, `ash`: POSIX.
    Posix,
    /// `bash`, `zsh`, `ksh`.
    Bash,
    /// PowerShell and `cmd`.
    Windows,
    /// Something else, such as an interpreter.
    Other,
}

/// The shell that runs the shell form.
#[derive(Clone, Debug)]
pub(super) struct Shell {
    /// Its words, such as `/bin/bash`, `-o`, `pipefail`, `-c`.
    pub(super) words: Vec<Word>,
}

impl Shell {
    /// The name of the program, without folders and `.exe`.
    pub(super) fn name(&self) -> String {
        let program = self.words.first().map_or("/bin/sh", |w| w.text.as_str());
        let name = program.rsplit(['/', '\\']).next().unwrap_or(program).to_ascii_lowercase();
        name.strip_suffix(".exe").map_or_else(|| name.clone(), str::to_owned)
    }

    /// What kind it is.
    pub(super) fn kind(&self) -> ShellKind {
        match self.name().as_str() {
            "sh" | "dash" | "ash" | "busybox" => ShellKind::Posix,
            "bash" | "zsh" | "ksh" | "mksh" => ShellKind::Bash,
            "powershell" | "pwsh" | "cmd" => ShellKind::Windows,
            _ => ShellKind::Other,
        }
    }

    /// Whether the first command that fails ends the script.
    fn errexit(&self) -> bool {
        self.words.iter().skip(1).any(|w| {
            let text = w.text.as_str();
            text == "errexit"
                || (text.starts_with('-')
                    && !text.starts_with("--")
                    && text.len() < 8
                    && text.contains('e')
                    && self.kind() != ShellKind::Windows)
        })
    }

    /// Whether a pipe fails if any command in it does.
    pub(super) fn pipefail(&self) -> bool {
        self.words.windows(2).any(|w| {
            matches!(w, [option, value] if value.text == "pipefail" && option.text.starts_with('-') && option.text.ends_with('o'))
        }) || self.words.iter().any(|w| w.text.contains("-o pipefail"))
    }
}

/// A `--mount` of RUN.
#[derive(Clone, Debug, Default)]
pub(super) struct Mount {
    pub(super) kind: String,
    pub(super) target: String,
}

/// What a command needs to know of where it stands.
pub(super) struct RunContext<'a> {
    pub(super) file: FileId,
    pub(super) source: &'a str,
    pub(super) scope: &'a Scope,
    pub(super) shell: &'a Shell,
    pub(super) mounts: &'a [Mount],
    /// Package managers whose lists an earlier RUN brought up to date, and where.
    pub(super) updates: &'a [(&'static str, Span)],
}

/// A command line, read.
pub(super) struct Body {
    pub(super) script: Script,
    pub(super) calls: Vec<Call>,
    problems: Vec<shell::Problem>,
    /// Whether a shell reads it.
    shell_form: bool,
}

impl Body {
    /// The body of RUN and the like in the shell form: the line, or the here-document it consists of.
    pub(super) fn shell(
        instruction_text: &MappedText,
        instruction: &Instruction,
        source: &str,
        kind: ShellKind,
    ) -> Body {
        if matches!(kind, ShellKind::Windows | ShellKind::Other) {
            return Body { script: Script::default(), calls: Vec::new(), problems: Vec::new(), shell_form: true };
        }
        let mut text = MappedText::new();
        match instruction.heredocs.as_slice() {
            // `RUN <<EOF` alone: the here-document is the script, unless its first line names an interpreter.
            [only] if is_lone_heredoc(instruction_text.as_str()) => {
                let first = only.body.as_str().lines().next().unwrap_or("");
                if first.starts_with("#!") && !names_a_shell(first) {
                    return Body {
                        script: Script::default(),
                        calls: Vec::new(),
                        problems: Vec::new(),
                        shell_form: true,
                    };
                }
                text.append(&only.body);
            }
            heredocs => {
                text.append(instruction_text);
                for heredoc in heredocs {
                    // The shell reads them again, behind the line that opens them.
                    let end = heredoc.span.end as usize;
                    text.push(end, "\n");
                    text.append(&heredoc.body);
                    text.push(end.saturating_sub(heredoc.name.len()), &heredoc.name);
                }
            }
        }
        let script = shell::parse(&text);
        let (calls, nested) = shell::calls(&script, source);
        let mut problems = script.problems.clone();
        problems.extend(nested);
        Body { script, calls, problems, shell_form: true }
    }

    /// A command in the exec form.
    ///
    /// A first word such as that of `["sudo yum", "install"]` is no program's name; what its author meant is read.
    pub(super) fn exec(words: &[Word], source: &str) -> Body {
        if words.first().is_some_and(|w| w.text.starts_with("sudo ")) {
            let mut text = MappedText::new();
            for word in words {
                text.push(word.span.start as usize, &word.text);
                text.push(word.span.end as usize, " ");
            }
            let script = shell::parse(&text);
            let (calls, problems) = shell::calls(&script, source);
            return Body { script: Script::default(), calls, problems, shell_form: false };
        }
        let words = words
            .iter()
            .map(|w| {
                let range = w.span.range();
                let mut text = MappedText::new();
                text.push(range.start, &w.text);
                let part = Part { kind: PartKind::SingleQuoted(text), span: range.clone() };
                shell::Word { parts: vec![part], span: range }
            })
            .collect();
        let (calls, problems) = shell::calls(&shell::exec(words), source);
        Body { script: Script::default(), calls, problems, shell_form: false }
    }
}

/// Whether a line is nothing but one here-document's beginning.
fn is_lone_heredoc(text: &str) -> bool {
    let text = text.trim();
    text.starts_with("<<") && !text.contains(char::is_whitespace)
}

fn names_a_shell(line: &str) -> bool {
    ["/sh", "/bash", "/ash", "/dash", " sh", " bash", "/zsh", "/ksh"].iter().any(|s| line.contains(s))
}

/// Everything that policies see of a command line. Returns the package managers that it brings up to date without installing
/// anything afterwards.
pub(super) fn describe(fields: &mut Fields, body: &Body, cx: &RunContext<'_>) -> Vec<(&'static str, Span)> {
    let span_of = |range: &std::ops::Range<usize>| Span::new(cx.file, range.clone());
    let assigned = assignments(body, cx);
    let resolver = Resolver { cx, assigned: &assigned };
    let parsed: Vec<Option<PackageCommand>> = body.calls.iter().map(|c| resolver.package_command(c)).collect();
    let mut commands = Vec::with_capacity(body.calls.len());
    let mut cwd = String::new();
    let mut cwds = Vec::with_capacity(body.calls.len());
    for call in &body.calls {
        cwds.push(cwd.clone());
        if call.name == "cd"
            && let Some(to) = call.texts.get(1)
        {
            cwd = if to.starts_with('/') { to.clone() } else { format!("{cwd}/{to}") };
            if cwd.len() > PATH_LIMIT {
                cwd.clear();
            }
        }
    }
    let cleaning = Cleaning { body, cleans: last_cleans(&parsed), cwds: &cwds, cx, removals: RefCell::default() };
    let others = OtherActions::of(&parsed, |i| body.calls.get(i).map_or(Span::NONE, |c| span_of(&c.span)));
    for (i, call) in body.calls.iter().enumerate() {
        let span = span_of(&call.span);
        let head = call.words.first().map_or(span, |w| span_of(&w.span));
        let mut f = Fields::new(span, head);
        f.text("name", &call.name, head);
        f.text("text", cx.source.get(call.span.clone()).unwrap_or(""), span);
        let values: Vec<Value> = call
            .words
            .iter()
            .zip(&call.texts)
            .skip(1)
            .map(|(w, t)| Value::string(t.as_str(), span_of(&w.span)))
            .collect();
        let options =
            values.iter().filter(|v| v.as_str().is_some_and(|t| t.len() > 1 && t.starts_with('-'))).cloned().collect();
        let operands =
            values.iter().filter(|v| v.as_str().is_some_and(|t| t.len() < 2 || !t.starts_with('-'))).cloned().collect();
        f.list("args", values);
        f.list("options", options);
        f.list("operands", operands);
        f.list("shapes", call.words.iter().skip(1).map(|w| Value::string(shape(w), span_of(&w.span))).collect());
        f.list(
            "sources",
            call.words
                .iter()
                .map(|w| Value::string(cx.source.get(w.span.clone()).unwrap_or(""), span_of(&w.span)))
                .collect(),
        );
        f.list("wrappers", call.wrappers.iter().map(|w| Value::string(w.name.as_str(), span_of(&w.span))).collect());
        let between =
            call.wrappers.iter().flat_map(|w| w.arguments.iter().map(|a| Value::string(a.as_str(), span_of(&w.span))));
        f.list("wrapper_args", between.collect());
        let feeds = |c: &&Call| c.place.pipeline == call.place.pipeline && c.place.position + 1 == call.place.position;
        let before = (call.place.position > 0).then(|| body.calls.iter().take(i).rev().find(feeds)).flatten();
        if let Some(before) = before {
            f.text("feeds_from", &before.name, before.words.first().map_or(head, |w| span_of(&w.span)));
        }
        f.flag("last", i + 1 == body.calls.len());
        let mut sets = Vec::new();
        for a in &call.assignments {
            let mut set = Fields::new(span_of(&a.span), span_of(&a.name_span));
            set.text("name", &a.name, span_of(&a.name_span));
            let text: Vec<String> = a.value.iter().map(|w| w.text(cx.source)).collect();
            let place = a.value.first().map_or(span_of(&a.span), |w| span_of(&w.span));
            set.text("value", &text.join(" "), place);
            set.text("source", cx.source.get(a.span.clone()).unwrap_or(""), span_of(&a.span));
            sets.push(set.build());
        }
        f.list("assignments", sets);
        let redirects = call.redirects.iter().map(|r| {
            let mut f = Fields::new(span_of(&r.span), span_of(&r.span));
            f.text("operator", r.operator, span_of(&r.span));
            if let Some(target) = &r.target {
                f.text("target", &target.text(cx.source), span_of(&target.span));
            }
            f.build()
        });
        f.list("redirects", redirects.collect());
        f.number("pipeline_position", call.place.position);
        f.number("pipeline_length", call.place.pipeline_length);
        f.text("before", connector(call.place.before), head);
        f.text("after", connector(call.place.after), head);
        f.flag("condition", call.place.condition);
        f.flag("subshell", call.place.subshell);
        f.flag("substitution", call.place.substitution);
        f.flag("nested", call.place.nested);
        f.flag("function", call.place.function);
        f.flag("background", call.place.background);
        if let Some(Some(package)) = parsed.get(i) {
            f.set("package", package_value(i, call, package, &resolver, &cleaning, &others));
        }
        commands.push(f.build());
    }
    fields.list("commands", commands);
    fields.list("assignments", assignment_values(body, cx));
    fields.list("problems", script::problems(&body.problems, cx.file));
    fields.flag("shell_form", body.shell_form);
    let sets_errexit = |c: &Call| {
        c.name == "set"
            && c.texts
                .iter()
                .skip(1)
                .any(|t| t == "errexit" || (t.starts_with('-') && !t.starts_with("--") && t.contains('e')))
    };
    fields.flag("errexit", cx.shell.errexit() || body.calls.iter().any(sets_errexit));
    if body.shell_form {
        let facts = Facts::collect(&body.script, cx.source, cx.file, cx.scope, cx.shell.pipefail());
        fields.list("pipes", facts.pipes);
        fields.list("expansions", facts.expansions);
        fields.list("patterns", facts.patterns);
        fields.list("branches", facts.branches);
        fields.list("loops", facts.loops);
        fields.list("strings", facts.strings);
    }
    let lone = parsed.iter().enumerate().filter_map(|(i, package)| {
        let package = package.as_ref().filter(|p| p.action == "update")?;
        let mut after = parsed.iter().skip(i + 1).flatten();
        if after.any(|p| lists_of(p.manager) == lists_of(package.manager) && p.action != "clean") {
            return None;
        }
        Some((lists_of(package.manager), span_of(&body.calls.get(i)?.span)))
    });
    lone.collect()
}

/// The managers that share their lists of packages.
fn lists_of(manager: &'static str) -> &'static str {
    if matches!(manager, "apt" | "aptitude") { "apt-get" } else { manager }
}

fn connector(connector: Connector) -> &'static str {
    match connector {
        Connector::Start => "",
        Connector::And => "&&",
        Connector::Or => "||",
    }
}

/// What a word is made of, in words: `literal double variable`.
fn shape(word: &shell::Word) -> String {
    let names: Vec<&str> = word
        .parts
        .iter()
        .map(|p| match &p.kind {
            PartKind::Literal(_) => "literal",
            PartKind::Escaped(_) => "escaped",
            PartKind::SingleQuoted(_) => "single",
            PartKind::DoubleQuoted(_) => "double",
            PartKind::Variable(_) => "variable",
            PartKind::Substitution { .. } => "command",
            PartKind::Arithmetic(_) => "arithmetic",
            PartKind::Process(_) => "process",
            PartKind::Glob(_) => "glob",
        })
        .collect();
    names.join(" ")
}

/// Every assignment that a script makes, also by `export` and `env`: name, value, and the command it is for.
fn assignment_values(body: &Body, cx: &RunContext<'_>) -> Vec<Value> {
    let span_of = |range: &std::ops::Range<usize>| Span::new(cx.file, range.clone());
    let mut out = Vec::new();
    let mut push = |name: &str, value: &str, span: Span, at: Span, command: &str| {
        let mut f = Fields::new(span, span);
        f.text("name", name, span);
        f.text("value", value, at);
        f.text("command", command, span);
        out.push(f.build());
    };
    for call in &body.calls {
        for a in &call.assignments {
            let text: Vec<String> = a.value.iter().map(|w| w.text(cx.source)).collect();
            let at = a.value.first().map_or(span_of(&a.span), |w| span_of(&w.span));
            push(&a.name, &text.join(" "), span_of(&a.span), at, &call.name);
        }
        if matches!(call.name.as_str(), "export" | "declare" | "typeset" | "readonly" | "local" | "env" | "setx") {
            for (word, text) in call.words.iter().zip(&call.texts).skip(1) {
                if let Some((name, value)) = text.split_once('=') {
                    push(name, value, span_of(&word.span), span_of(&word.span), &call.name);
                }
            }
        }
    }
    // What `env NAME=value command` sets stands in no call's words any more: it is between the wrapper and the name.
    for call in &body.calls {
        for wrapper in call.wrappers.iter().filter(|w| matches!(w.name.as_str(), "env" | "sudo" | "doas")) {
            let end = call.words.first().map_or(wrapper.span.end, |w| w.span.start);
            let between = cx.source.get(wrapper.span.end..end).unwrap_or("");
            let text = MappedText::from_source(wrapper.span.end, between);
            let (calls, _) = shell::calls(&shell::parse(&text), cx.source);
            for found in calls.iter().flat_map(|c| &c.assignments) {
                let value: Vec<String> = found.value.iter().map(|w| w.text(cx.source)).collect();
                push(&found.name, &value.join(" "), span_of(&found.span), span_of(&found.span), &call.name);
            }
        }
    }
    out
}

/// Variables that the script itself sets, to text that is known or not.
fn assignments(body: &Body, cx: &RunContext<'_>) -> FastMap<String, Option<String>> {
    let mut out: FastMap<String, Option<String>> = FastMap::default();
    let mut set = |name: &str, value: Option<String>| {
        let value = if out.contains_key(name) { None } else { value };
        out.insert(name.to_owned(), value);
    };
    for call in &body.calls {
        if call.words.is_empty() {
            for a in &call.assignments {
                let value = match a.value.as_slice() {
                    [] => Some(String::new()),
                    [only] if !a.array && !a.append => only.literal(),
                    _ => None,
                };
                set(&a.name, value);
            }
        } else if matches!(call.name.as_str(), "export" | "read" | "local" | "declare" | "readonly") {
            for word in call.words.iter().skip(1) {
                let text = word.text(cx.source);
                let name = text.split('=').next().unwrap_or("").to_owned();
                let value = word.literal().and_then(|t| t.split_once('=').map(|(_, v)| v.to_owned()));
                set(&name, value);
            }
        }
    }
    for name in loop_variables(&body.script.lists, 0) {
        out.insert(name, None);
    }
    out
}

fn loop_variables(lists: &[shell::AndOr], depth: u32) -> Vec<String> {
    use shell::CommandKind;
    let mut out = Vec::new();
    if depth > 64 {
        return out;
    }
    for command in lists.iter().flat_map(|l| &l.pipelines).flat_map(|(_, p)| &p.commands) {
        match &command.kind {
            CommandKind::For { variable, body, .. } => {
                out.push(variable.clone());
                out.extend(loop_variables(body, depth + 1));
            }
            CommandKind::Subshell(l) | CommandKind::Group(l) => out.extend(loop_variables(l, depth + 1)),
            CommandKind::If { branches, otherwise } => {
                for (_, body) in branches {
                    out.extend(loop_variables(body, depth + 1));
                }
                out.extend(loop_variables(otherwise, depth + 1));
            }
            CommandKind::Loop { body, .. } => out.extend(loop_variables(body, depth + 1)),
            _ => {}
        }
    }
    out
}

/// Fills variables into words.
struct Resolver<'a> {
    cx: &'a RunContext<'a>,
    assigned: &'a FastMap<String, Option<String>>,
}

impl Resolver<'_> {
    fn variable(&self, name: &str) -> Option<String> {
        if let Some(value) = self.assigned.get(name) {
            return value.clone();
        }
        self.cx.scope.variables.get(name).and_then(|v| v.value.as_deref()).map(str::to_owned)
    }

    /// A word's text with variables filled in and [`HOLE`]s, split where the shell would split it.
    fn words(&self, word: &shell::Word) -> Vec<String> {
        let mut out = vec![String::new()];
        self.parts(&word.parts, false, &mut out);
        out
    }

    fn parts(&self, parts: &[Part], quoted: bool, out: &mut Vec<String>) {
        let push = |out: &mut Vec<String>, text: &str| {
            if let Some(last) = out.last_mut() {
                last.push_str(text);
            }
        };
        for part in parts {
            match &part.kind {
                PartKind::Literal(text) | PartKind::Glob(text) => push(out, text),
                PartKind::Escaped(c) => push(out, c.encode_utf8(&mut [0; 4])),
                PartKind::SingleQuoted(text) => push(out, text.as_str()),
                PartKind::DoubleQuoted(inner) => self.parts(inner, true, out),
                PartKind::Variable(variable) if variable.operator.is_empty() && !variable.length => {
                    match self.variable(&variable.name) {
                        Some(value) if quoted => push(out, &value),
                        Some(value) => {
                            for (i, piece) in value.split_whitespace().enumerate() {
                                if i > 0 {
                                    out.push(String::new());
                                }
                                push(out, piece);
                            }
                        }
                        None => push(out, &HOLE.to_string()),
                    }
                }
                _ => push(out, &HOLE.to_string()),
            }
        }
    }

    fn package_command(&self, call: &Call) -> Option<PackageCommand> {
        // Most commands are no package managers: ask by the name before anything is copied.
        packages::parse(&call.name, &call.texts)?;
        let mut texts = Vec::with_capacity(call.texts.len());
        let mut owners = Vec::with_capacity(call.texts.len());
        for (i, word) in call.words.iter().enumerate() {
            for text in self.words(word) {
                texts.push(text);
                owners.push(i);
            }
        }
        let mut command = packages::parse(&call.name, &texts)?;
        for item in &mut command.items {
            item.word = owners.get(item.word).copied().unwrap_or(0);
        }
        command.items.retain(|i| !i.name.is_empty());
        Some(command)
    }
}

fn package_value(
    index: usize,
    call: &Call,
    package: &PackageCommand,
    resolver: &Resolver<'_>,
    cleaning: &Cleaning<'_>,
    others: &OtherActions,
) -> Value {
    let cx = resolver.cx;
    let span = Span::new(cx.file, call.span.clone());
    let head = call.words.first().map_or(span, |w| Span::new(cx.file, w.span.clone()));
    let mut f = Fields::new(span, head);
    f.text("manager", package.manager, head);
    let action_span = call
        .words
        .iter()
        .zip(&call.texts)
        .skip(1)
        .find(|(_, t)| !t.starts_with('-'))
        .map_or(head, |(w, _)| Span::new(cx.file, w.span.clone()));
    f.text("action", &package.action, action_span);
    f.flag("assume_yes", package.assume_yes);
    f.flag("from_file", package.from_file);
    f.text("cache", cleaning.cache(index, package), head);
    if package.manager.starts_with("apt") {
        f.text("lists", cleaning.apt_lists(index), head);
    }
    if let Some((manager, span)) =
        cx.updates.iter().rev().find(|(m, _)| *m == lists_of(package.manager) && !others.fresh(index))
    {
        f.text("updated_before", manager, *span);
    }
    f.list("earlier", others.earlier.get(index).cloned().unwrap_or_default());
    f.list("later", others.later.get(index).cloned().unwrap_or_default());
    let items = package.items.iter().map(|item| {
        let span = call.words.get(item.word).map_or(head, |w| Span::new(cx.file, w.span.clone()));
        let mut f = Fields::new(span, span);
        f.set("name", cx.scope.holed(&item.name, span));
        if let Some(version) = &item.version {
            f.set("version", cx.scope.holed(version, span));
        }
        f.text("source", item.source, span);
        // A name that is not known may bring its version with it.
        let open = item.version.is_none() && item.name.contains(HOLE) && item.source != "file";
        if open {
            f.set("pinned", Value::unknown(CauseKind::Input, "which package this is depends on a variable", span));
        } else {
            f.set("pinned", Value::bool(item.pinned, span));
        }
        f.text("text", cx.source.get(span.range()).unwrap_or(""), span);
        f.build()
    });
    f.list("items", items.collect());
    f.build()
}

/// What the same package manager does before and behind each command of a script. What it does many times is said once, so
/// that the lists do not grow with the square of the script.
#[derive(Default)]
struct OtherActions {
    earlier: Vec<Vec<Value>>,
    later: Vec<Vec<Value>>,
    fresh: Vec<bool>,
}

impl OtherActions {
    fn of(parsed: &[Option<PackageCommand>], span: impl Fn(usize) -> Span) -> OtherActions {
        let mut others = OtherActions::default();
        if parsed.iter().all(Option::is_none) {
            return others;
        }
        let mut updated: Vec<&'static str> = Vec::new();
        for package in parsed {
            let lists = package.as_ref().map(|p| (lists_of(p.manager), p.action == "update"));
            others.fresh.push(lists.is_some_and(|(lists, _)| updated.contains(&lists)));
            updated
                .extend(lists.filter(|&(lists, update)| update && !updated.contains(&lists)).map(|(lists, _)| lists));
        }
        let pass = |order: &mut dyn Iterator<Item = usize>| {
            let mut seen: FastMap<&'static str, Vec<Value>> = FastMap::default();
            let mut out = vec![Vec::new(); parsed.len()];
            for i in order {
                let (Some(Some(package)), Some(slot)) = (parsed.get(i), out.get_mut(i)) else { continue };
                let actions = seen.entry(package.manager).or_default();
                slot.clone_from(actions);
                if !actions.iter().any(|a| a.as_str() == Some(&package.action)) {
                    actions.push(Value::string(package.action.as_str(), span(i)));
                }
            }
            out
        };
        others.earlier = pass(&mut (0..parsed.len()));
        others.later = pass(&mut (0..parsed.len()).rev());
        others
    }

    /// Whether an earlier command of the script brought the lists of packages up to date.
    fn fresh(&self, index: usize) -> bool {
        self.fresh.get(index).copied().unwrap_or(false)
    }
}

/// The last command of its kind that cleans a package manager's cache.
struct Clean {
    manager: &'static str,
    /// Whether it removes the lists of packages too.
    dist: bool,
    at: usize,
}

fn last_cleans(parsed: &[Option<PackageCommand>]) -> Vec<Clean> {
    let mut cleans: Vec<Clean> = Vec::new();
    for (at, package) in parsed.iter().enumerate() {
        let Some(package) = package else { continue };
        let dist = package.action == "dist-clean";
        if !dist && package.action != "clean" {
            continue;
        }
        match cleans.iter_mut().find(|c| c.manager == package.manager && c.dist == dist) {
            Some(clean) => clean.at = at,
            None => cleans.push(Clean { manager: package.manager, dist, at }),
        }
    }
    cleans
}

/// What becomes of the caches that package managers fill.
struct Cleaning<'a> {
    body: &'a Body,
    cleans: Vec<Clean>,
    cwds: &'a [String],
    cx: &'a RunContext<'a>,
    /// The last command that removes a folder, by folder.
    removals: RefCell<FastMap<String, Option<usize>>>,
}

impl Cleaning<'_> {
    /// `off`, `mount`, `removed` or `kept`.
    fn cache(&self, index: usize, package: &PackageCommand) -> &'static str {
        if package.cache_off || self.switched_off(index, package) {
            return "off";
        }
        let folders: &[&str] = match package.manager {
            "apt-get" | "apt" | "aptitude" => &["/var/cache/apt"],
            "apk" => &["/var/cache/apk", "/etc/apk/cache"],
            "yum" => &["/var/cache/yum"],
            "dnf" | "dnf5" => &["/var/cache/dnf", "/var/cache/libdnf5", "/var/cache/yum"],
            "microdnf" => &["/var/cache/dnf", "/var/cache/libdnf5", "/var/cache/yum"],
            "tdnf" => &["/var/cache/tdnf"],
            "zypper" => &["/var/cache/zypp"],
            "pacman" => &["/var/cache/pacman"],
            "pip" => &["~/.cache/pip", "~/.cache"],
            "npm" => &["~/.npm"],
            "yarn" => &["/usr/local/share/.cache/yarn", "~/.cache/yarn", "~/.yarn", "/usr/local/share/.cache"],
            "go" => &["~/.cache/go-build", "/go/pkg/mod"],
            "cargo" => &["/usr/local/cargo/registry"],
            _ => &[],
        };
        if folders.iter().any(|f| self.mounted(f)) {
            return "mount";
        }
        let cleaned = self.cleans.iter().any(|clean| {
            let same = clean.manager == package.manager
                || matches!(
                    (package.manager, clean.manager),
                    ("apt" | "aptitude", "apt-get") | ("dnf", "microdnf") | ("dnf5", "dnf") | ("dnf", "dnf5")
                );
            same && clean.at > index
        });
        if cleaned || folders.iter().any(|f| self.removed(index, f)) { "removed" } else { "kept" }
    }

    /// What becomes of the lists of packages: `mount`, `removed` or `kept`.
    fn apt_lists(&self, index: usize) -> &'static str {
        if self.mounted("/var/lib/apt/lists") {
            return "mount";
        }
        let cleaned = self.cleans.iter().any(|clean| clean.dist && clean.at > index);
        if cleaned || self.removed(index, "/var/lib/apt/lists") { "removed" } else { "kept" }
    }

    /// pip reads its options from the environment too. (pip documentation, "Environment variables".)
    fn switched_off(&self, index: usize, package: &PackageCommand) -> bool {
        let name = match package.manager {
            "pip" => "PIP_NO_CACHE_DIR",
            _ => return false,
        };
        let on = |value: &str| !matches!(value.to_ascii_lowercase().as_str(), "" | "0" | "false" | "off" | "no");
        if self.cx.scope.variables.get(name).is_some_and(|v| v.value.as_deref().is_none_or(on)) {
            return true;
        }
        self.body.calls.iter().take(index + 1).enumerate().any(|(i, call)| {
            let before = (i == index || call.words.is_empty())
                && call
                    .assignments
                    .iter()
                    .any(|a| a.name == name && a.value.first().is_none_or(|w| on(&w.text(self.cx.source))));
            before
                || (call.name == "export"
                    && call.texts.iter().any(|t| t.split_once('=').is_some_and(|(n, v)| n == name && on(v))))
        })
    }

    /// Whether a cache or tmpfs mount covers a folder: then nothing of it stays in the layer.
    fn mounted(&self, folder: &str) -> bool {
        self.cx.mounts.iter().any(|m| {
            matches!(m.kind.as_str(), "cache" | "tmpfs")
                && (covers(&m.target, folder)
                    || (folder.starts_with("~/") && m.target.ends_with(folder.get(1..).unwrap_or("?"))))
        })
    }

    /// Whether a later command removes a folder or what is in it.
    fn removed(&self, index: usize, folder: &str) -> bool {
        let known = self.removals.borrow().get(folder).copied();
        let last = known.unwrap_or_else(|| {
            let last = self.last_removal(folder);
            self.removals.borrow_mut().insert(folder.to_owned(), last);
            last
        });
        last.is_some_and(|last| last > index)
    }

    fn last_removal(&self, folder: &str) -> Option<usize> {
        self.body.calls.iter().enumerate().rposition(|(i, call)| {
            let removes = call.name == "rm" || (call.name == "find" && call.texts.iter().any(|t| t == "-delete"));
            removes
                && call.texts.iter().skip(1).filter(|t| !t.starts_with('-')).any(|t| {
                    let cwd = self.cwds.get(i).map_or("", String::as_str);
                    let path = if t.starts_with('/') || t.starts_with('~') || cwd.is_empty() {
                        t.clone()
                    } else {
                        format!("{cwd}/{t}")
                    };
                    let home = path.replace("/root/", "~/").replace("$HOME/", "~/").replace("${HOME}/", "~/");
                    removes_folder(&path, folder) || removes_folder(&home, folder)
                })
        })
    }
}

/// Whether `target` is `folder` or one above or below it that stands for it.
fn covers(target: &str, folder: &str) -> bool {
    let target = target.trim_end_matches('/');
    target == folder
        || (!target.is_empty() && folder.starts_with(&format!("{target}/")))
        || target.starts_with(&format!("{folder}/"))
}

/// Whether removing `path` empties `folder`: the folder, one above it, everything in it, or a pattern that matches it.
fn removes_folder(path: &str, folder: &str) -> bool {
    let path = path.trim_end_matches('/');
    if path == folder || (!path.is_empty() && folder.starts_with(&format!("{path}/"))) {
        return true;
    }
    if let Some(rest) = path.strip_prefix(folder) {
        // `/var/cache/yum/*`, `/var/lib/apt/lists/*.*`, `/var/cache/yum*`
        return rest.starts_with("/*") || rest == "*" || rest.starts_with("/{") || rest.starts_with("/?");
    }
    // `/var/lib/{apt,dpkg,cache,log}/`, `/var/cache/*`, `/var/cache/{yum,dnf}`
    match path.split_once(['*', '{']) {
        Some((before, after)) if folder.starts_with(before) && before.len() > 1 => {
            let part = folder.get(before.len()..).unwrap_or("").split('/').next().unwrap_or("");
            after.is_empty() || after.starts_with('/') || after.split(['}', ',']).any(|p| p == part)
        }
        _ => false,
    }
}
