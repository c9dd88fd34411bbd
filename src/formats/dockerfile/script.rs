//! What a shell script says beyond its commands: pipes, expansions and whether they are quoted, patterns, lists of the
//! form `a && b || c`, and what a shell would refuse.

use super::fields::Fields;
use super::scope::Scope;
use crate::base::{FastMap, FileId, Span};
use crate::graph::Value;
use crate::syntax::dockerfile::Known;
use crate::syntax::shell::{
    AndOr, Command, CommandKind, Connector, Part, PartKind, Pipeline, Problem, ProblemKind, Script, Simple, Variable,
    Word,
};
use std::ops::Range;

/// How deep words in words are walked; the parser's own limit keeps them within it.
const DEPTH_LIMIT: u32 = 64;

/// Commands whose arguments are assignments: their values are not split.
const DECLARATIONS: [&str; 5] = ["export", "local", "declare", "readonly", "typeset"];

/// Where an expansion stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Context {
    Command,
    Argument,
    Declaration,
    Assignment,
    Redirect,
    Test,
    Case,
    For,
    HereDocument,
}

impl Context {
    fn as_str(self) -> &'static str {
        match self {
            Context::Command => "command",
            Context::Argument => "argument",
            Context::Declaration => "declaration",
            Context::Assignment => "assignment",
            Context::Redirect => "redirect",
            Context::Test => "test",
            Context::Case => "case",
            Context::For => "for",
            Context::HereDocument => "here-document",
        }
    }
}

/// What is known of a variable that the script sets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Assigned {
    /// Only ever to text without white space and patterns.
    Plain,
    /// To something else.
    Other,
}

/// Collects the facts.
pub(super) struct Facts<'a> {
    source: &'a str,
    file: FileId,
    scope: &'a Scope,
    assigned: FastMap<String, Assigned>,
    pipefail: bool,
    depth: u32,
    pub(super) pipes: Vec<Value>,
    pub(super) expansions: Vec<Value>,
    pub(super) patterns: Vec<Value>,
    pub(super) branches: Vec<Value>,
    pub(super) loops: Vec<Value>,
    pub(super) strings: Vec<Value>,
}

impl<'a> Facts<'a> {
    /// The facts of a script under a shell that has `pipefail` on or off.
    pub(super) fn collect(
        script: &Script,
        source: &'a str,
        file: FileId,
        scope: &'a Scope,
        pipefail: bool,
    ) -> Facts<'a> {
        let mut facts = Facts {
            source,
            file,
            scope,
            assigned: FastMap::default(),
            pipefail,
            depth: 0,
            pipes: Vec::new(),
            expansions: Vec::new(),
            patterns: Vec::new(),
            branches: Vec::new(),
            loops: Vec::new(),
            strings: Vec::new(),
        };
        facts.lists(&script.lists);
        facts
    }

    /// Whether the script sets a variable, so that what ENV says of it does not count.
    fn span(&self, range: &Range<usize>) -> Span {
        Span::new(self.file, range.clone())
    }

    fn slice(&self, range: &Range<usize>) -> &'a str {
        self.source.get(range.clone()).unwrap_or("")
    }

    fn lists(&mut self, lists: &[AndOr]) {
        if self.depth >= DEPTH_LIMIT {
            return;
        }
        self.depth += 1;
        for list in lists {
            self.list(list);
        }
        self.depth -= 1;
    }

    fn list(&mut self, list: &AndOr) {
        // `a && b || c`: `c` runs when `b` fails, too.
        if let [.., (_, _), (Connector::And, middle), (Connector::Or, last)] = list.pipelines.as_slice()
            && list.pipelines.iter().filter(|(c, _)| *c == Connector::Or).count() == 1
        {
            let span = self.span(&list.span);
            let mut fields = Fields::new(span, self.span(&last.span));
            fields.text("then", &command_name(middle, self.source), self.span(&middle.span));
            fields.text("otherwise", &command_name(last, self.source), self.span(&last.span));
            let first = list.pipelines.first().map_or_else(String::new, |(_, p)| command_name(p, self.source));
            fields.text("condition", &first, span);
            self.branches.push(fields.build());
        }
        for (_, pipeline) in &list.pipelines {
            self.pipeline(pipeline);
        }
    }

    fn pipeline(&mut self, pipeline: &Pipeline) {
        if let Some(pipe) = pipeline.pipes.first() {
            let mut fields = Fields::new(self.span(&pipeline.span), self.span(pipe));
            let names = pipeline
                .commands
                .iter()
                .map(|c| Value::string(simple_name(c, self.source), self.span(&c.span)))
                .collect();
            fields.list("commands", names);
            fields.flag("pipefail", self.pipefail);
            fields.text("text", self.slice(&pipeline.span), self.span(pipe));
            self.pipes.push(fields.build());
        }
        for command in &pipeline.commands {
            self.command(command);
        }
    }

    fn command(&mut self, command: &Command) {
        for redirect in &command.redirects {
            if let Some(word) = &redirect.target
                && !redirect.operator.starts_with("<<")
            {
                self.word(word, Context::Redirect, "");
            }
            if let Some(word) = redirect.target.as_ref().filter(|_| redirect.operator == "<<<") {
                self.word(word, Context::HereDocument, "");
            }
        }
        match &command.kind {
            CommandKind::Simple(simple) => self.simple(simple),
            CommandKind::Subshell(lists) | CommandKind::Group(lists) => self.lists(lists),
            CommandKind::If { branches, otherwise } => {
                for (condition, body) in branches {
                    self.lists(condition);
                    self.lists(body);
                }
                self.lists(otherwise);
            }
            CommandKind::Loop { condition, body } => {
                self.lists(condition);
                self.lists(body);
            }
            CommandKind::For { variable, words, body } => {
                let mut fields = Fields::new(self.span(&command.span), self.span(&command.span));
                fields.text("variable", variable, self.span(&command.span));
                fields.list(
                    "words",
                    words.iter().map(|w| Value::string(self.slice(&w.span), self.span(&w.span))).collect(),
                );
                self.loops.push(fields.build());
                let plain = words.iter().all(|w| self.is_plain(w));
                self.assign(variable, if plain { Assigned::Plain } else { Assigned::Other });
                for word in words {
                    self.word(word, Context::For, "");
                }
                self.lists(body);
            }
            CommandKind::Case { subject, arms } => {
                if let Some(word) = subject {
                    self.word(word, Context::Case, "");
                }
                for (_, body) in arms {
                    self.lists(body);
                }
            }
            CommandKind::Arithmetic(_) => {}
            CommandKind::Function { body, .. } => self.command(body),
        }
    }

    fn simple(&mut self, simple: &Simple) {
        for assignment in &simple.assignments {
            for word in &assignment.value {
                self.word(word, Context::Assignment, "");
            }
            // Before a command an assignment holds for that command alone.
            if simple.words.is_empty() {
                let plain = !assignment.array && assignment.value.iter().all(|w| self.is_plain(w));
                self.assign(&assignment.name, if plain { Assigned::Plain } else { Assigned::Other });
            }
        }
        let Some((first, rest)) = simple.words.split_first() else { return };
        let name = first.text(self.source);
        self.word(first, Context::Command, &name);
        if name == "set" {
            self.set_options(rest);
        }
        let declaration = DECLARATIONS.contains(&name.as_str());
        let context = match name.as_str() {
            "[[" => Context::Test,
            _ if declaration => Context::Declaration,
            _ => Context::Argument,
        };
        for word in rest {
            if declaration && let Some((variable, plain)) = self.declared(word) {
                self.assign(&variable, if plain { Assigned::Plain } else { Assigned::Other });
            }
            self.word(word, context, &name);
        }
        if matches!(name.as_str(), "read" | "getopts" | "mapfile") {
            for word in rest {
                if let Some(variable) = word.literal().filter(|t| !t.starts_with('-')) {
                    self.assign(&variable, Assigned::Other);
                }
            }
        }
    }

    /// `NAME=value` as an argument of `export`: the name, and whether the value is plain.
    fn declared(&self, word: &Word) -> Option<(String, bool)> {
        let Some(Part { kind: PartKind::Literal(text), .. }) = word.parts.first() else { return None };
        let (name, value) = text.split_once('=')?;
        let rest = Word { parts: word.parts.get(1..).unwrap_or(&[]).to_vec(), span: word.span.clone() };
        Some((name.to_owned(), plain_text(value) && self.is_plain(&rest)))
    }

    fn set_options(&mut self, words: &[Word]) {
        let texts: Vec<String> = words.iter().map(|w| w.text(self.source)).collect();
        for (i, text) in texts.iter().enumerate() {
            // `-euo pipefail` and `-o pipefail`; `+o pipefail` switches it off.
            if text == "pipefail"
                && let Some(before) = i.checked_sub(1).and_then(|i| texts.get(i))
                && before.ends_with('o')
            {
                self.pipefail = before.starts_with('-');
            }
        }
    }

    fn assign(&mut self, name: &str, how: Assigned) {
        let slot = self.assigned.entry(name.to_owned()).or_insert(how);
        if how == Assigned::Other {
            *slot = Assigned::Other;
        }
    }

    /// Whether a word can only be text without white space and patterns.
    fn is_plain(&self, word: &Word) -> bool {
        word.parts.iter().all(|p| self.part_is_plain(p, 0))
    }

    fn part_is_plain(&self, part: &Part, depth: u32) -> bool {
        match &part.kind {
            PartKind::Literal(text) => plain_text(text),
            PartKind::Escaped(c) => plain_text(c.encode_utf8(&mut [0; 4])),
            PartKind::SingleQuoted(text) => plain_text(text.as_str()),
            PartKind::DoubleQuoted(inner) => depth < 4 && inner.iter().all(|p| self.part_is_plain(p, depth + 1)),
            PartKind::Variable(variable) => self.variable_is_plain(variable),
            PartKind::Arithmetic(_) => true,
            PartKind::Substitution { .. } | PartKind::Process(_) | PartKind::Glob(_) => false,
        }
    }

    fn variable_is_plain(&self, variable: &Variable) -> bool {
        if variable.length || matches!(variable.name.as_str(), "?" | "#" | "$" | "!" | "-") {
            return true;
        }
        match self.assigned.get(&variable.name) {
            Some(how) => *how == Assigned::Plain,
            None => match self.scope.variables.get(variable.name.as_str()) {
                Some(set) => set.value.as_deref().is_none_or(plain_text),
                None => false,
            },
        }
    }

    /// Who sets a variable.
    fn origin(&self, variable: &Variable) -> &'static str {
        if variable.name.bytes().all(|b| !b.is_ascii_alphanumeric() && b != b'_') {
            return "special";
        }
        if self.assigned.contains_key(&variable.name) {
            return "script";
        }
        match self.scope.variables.get(variable.name.as_str()) {
            Some(set) if set.env => "env",
            Some(_) => "arg",
            None if self.scope.known(&variable.name) == Known::Unset => "unset",
            None => "unset",
        }
    }

    fn word(&mut self, word: &Word, context: Context, command: &str) {
        for part in &word.parts {
            self.part(part, false, context, command, word);
        }
    }

    fn part(&mut self, part: &Part, quoted: bool, context: Context, command: &str, word: &Word) {
        let span = self.span(&part.span);
        match &part.kind {
            PartKind::DoubleQuoted(inner) => {
                for part in inner {
                    self.part(part, true, context, command, word);
                }
            }
            PartKind::Variable(variable) => {
                let mut fields = self.expansion("variable", part, quoted, context, command);
                fields.text("name", &variable.name, span);
                fields.text("set_by", self.origin(variable), span);
                fields.flag("plain", self.variable_is_plain(variable));
                fields.flag("index_without_braces", variable.index_without_braces);
                if !variable.operator.is_empty() {
                    fields.text("operator", &variable.operator, span);
                }
                self.expansions.push(fields.build());
            }
            PartKind::Substitution { script, backticks } => {
                let mut fields = self.expansion("command", part, quoted, context, command);
                fields.flag("backticks", *backticks);
                let names = script
                    .lists
                    .iter()
                    .flat_map(|l| &l.pipelines)
                    .flat_map(|(_, p)| &p.commands)
                    .map(|c| Value::string(simple_name(c, self.source), self.span(&c.span)))
                    .collect();
                fields.list("commands", names);
                self.expansions.push(fields.build());
                self.lists(&script.lists);
            }
            PartKind::Process(script) => self.lists(&script.lists),
            PartKind::SingleQuoted(text) if text.as_str().contains(['$', '`']) => {
                let mut fields = Fields::new(span, span);
                fields.text("text", text.as_str(), span);
                fields.text("command", command, span);
                fields.text("context", context.as_str(), span);
                self.strings.push(fields.build());
            }
            PartKind::Glob(text) => {
                let mut fields = Fields::new(span, span);
                fields.text("text", text, span);
                fields.text("word", self.slice(&word.span), self.span(&word.span));
                fields.text("command", command, span);
                fields.text("context", context.as_str(), span);
                self.patterns.push(fields.build());
            }
            _ => {}
        }
    }

    fn expansion(&self, kind: &str, part: &Part, quoted: bool, context: Context, command: &str) -> Fields {
        let span = self.span(&part.span);
        let mut fields = Fields::new(span, span);
        fields.text("kind", kind, span);
        fields.text("text", self.slice(&part.span), span);
        fields.flag("quoted", quoted);
        fields.text("context", context.as_str(), span);
        fields.text("command", command, span);
        fields
    }
}

fn plain_text(text: &str) -> bool {
    !text.contains(|c: char| c.is_whitespace() || matches!(c, '*' | '?' | '['))
}

fn simple_name(command: &Command, source: &str) -> String {
    match &command.kind {
        CommandKind::Simple(simple) => {
            let text = simple.words.first().map_or_else(String::new, |w| w.text(source));
            text.rsplit('/').next().unwrap_or("").to_owned()
        }
        _ => String::new(),
    }
}

fn command_name(pipeline: &Pipeline, source: &str) -> String {
    pipeline.commands.first().map_or_else(String::new, |c| simple_name(c, source))
}

/// What a shell would refuse, as values.
pub(super) fn problems(problems: &[Problem], file: FileId) -> Vec<Value> {
    problems
        .iter()
        .map(|p| {
            let kind = match p.kind {
                ProblemKind::SingleQuote => "single-quote",
                ProblemKind::DoubleQuote => "double-quote",
                ProblemKind::Backtick => "backtick",
                ProblemKind::Unclosed => "unclosed",
                ProblemKind::Unfinished => "unfinished",
                ProblemKind::Unexpected => "unexpected",
                ProblemKind::HereDocument => "here-document",
                ProblemKind::TooDeep => "too-deep",
            };
            Value::string(kind, Span::new(file, p.span.clone()))
        })
        .collect()
}
