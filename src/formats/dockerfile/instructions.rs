//! The fields of each instruction, and what it changes for those after it.

use super::fields::Fields;
use super::image::HOLE;
use super::lower::{Stage, State};
use super::run::{self, Body, Mount, RunContext, Shell, ShellKind};
use super::scope::Variable;
use crate::base::{FileId, Span};
use crate::graph::{CauseKind, Value};
use crate::syntax::dockerfile::{Arguments, Instruction, Keyword, Pair, Word, variables};
use std::sync::Arc;

/// What surrounds an instruction.
pub(super) struct Spot<'a> {
    pub(super) state: &'a State,
    pub(super) stage: Option<&'a Stage>,
    /// The instruction of the same kind before it in its stage, and the one after it.
    pub(super) earlier: Option<&'a Instruction>,
    pub(super) later: Option<&'a Instruction>,
    /// Which of its kind it is in its stage, from 1.
    pub(super) ordinal: usize,
    /// See `series` in `docs/formats.md`.
    pub(super) series: usize,
    /// The archive that is copied here and unpacked later, and where.
    pub(super) unpacked: Option<(String, std::ops::Range<usize>)>,
    /// The instruction before it in the file.
    pub(super) previous: Option<&'a Instruction>,
    /// Whether no FROM stands before it.
    pub(super) before_from: bool,
    /// Whether ONBUILD triggers it.
    pub(super) onbuild: bool,
    /// Names of the commands that run before it in its stage.
    pub(super) commands: &'a [Value],
    pub(super) source: &'a str,
    pub(super) file: FileId,
    pub(super) has_stages: bool,
}

/// What an instruction changes.
#[derive(Default)]
pub(super) struct Effect {
    pub(super) variables: Vec<(String, Variable)>,
    pub(super) user: Option<Value>,
    pub(super) workdir: Option<Value>,
    pub(super) shell: Option<Vec<Word>>,
    pub(super) entrypoint: Option<Value>,
    pub(super) cmd: Option<Value>,
    pub(super) healthcheck: Option<Value>,
    pub(super) stopsignal: Option<Value>,
    pub(super) ports: Vec<Value>,
    pub(super) volumes: Vec<Value>,
    pub(super) labels: Vec<(Arc<str>, Value)>,
    pub(super) commands: Vec<Value>,
    pub(super) updates: Vec<(&'static str, Span)>,
    pub(super) copied: Vec<(String, Span)>,
}

/// The fields that every instruction has.
pub(super) fn common(body: &mut Fields, instruction: &Instruction, spot: &Spot<'_>) {
    let head = instruction.keyword_span;
    let written = spot.source.get(head.range()).unwrap_or("");
    body.text("instruction", instruction.keyword.as_str(), head);
    body.text("keyword", written, head);
    let whole = argument_word(instruction);
    body.text("text", &whole.text, whole.span);
    let mut flags = Fields::new(head, head);
    for flag in &instruction.flags {
        match &flag.value {
            Some(value) => flags.text(&flag.name, &value.text, flag.span),
            None => flags.set(&flag.name, Value::bool(true, flag.span)),
        };
    }
    body.set("flags", flags.build());
    body.flag("onbuild", spot.onbuild);
    body.flag("before_from", spot.before_from && spot.has_stages);
    body.flag("without_from", !spot.has_stages);
    body.number("ordinal", spot.ordinal);
    body.number("series", spot.series);
    if let Some((name, range)) = &spot.unpacked {
        body.text("unpacked_later", name, Span::new(spot.file, range.clone()));
    }
    if let Some(earlier) = spot.earlier {
        body.text("earlier", earlier.keyword.as_str(), earlier.keyword_span);
    }
    if let Some(later) = spot.later {
        body.text("later", later.keyword.as_str(), later.keyword_span);
    }
    if let Some(previous) = spot.previous {
        let mut f = Fields::new(previous.keyword_span, previous.keyword_span);
        f.text("instruction", previous.keyword.as_str(), previous.keyword_span);
        f.flag("same_flags", flag_texts(previous) == flag_texts(instruction));
        f.flag("multiple_commands", several_commands(previous, spot.source));
        body.set("previous", f.build());
    }
    if let Some(stage) = spot.stage {
        let place = stage.name.as_ref().map_or(head, |n| n.span);
        let mut f = Fields::new(place, place);
        f.text("label", &stage.label, place);
        f.number("index", stage.index);
        f.flag("final", stage.is_final);
        f.flag("used", stage.used || stage.is_final);
        f.flag("shipped", stage.shipped);
        body.set("stage", f.build());
    }
    let state = spot.state;
    let mut context = Fields::new(head, head);
    context.maybe("user", state.user.clone());
    let workdir = state.workdir.clone().or_else(|| if spot.onbuild { state.onbuild_workdir.clone() } else { None });
    context.maybe("workdir", workdir);
    context.list("shell", shell_values(&state.shell));
    context.flag("shell_set", state.shell_set);
    context.text("shell_kind", kind_name(state.shell.kind()), head);
    context.flag("pipefail", state.shell.pipefail());
    body.set("context", context.build());
}

fn kind_name(kind: ShellKind) -> &'static str {
    match kind {
        ShellKind::Posix => "posix",
        ShellKind::Bash => "bash",
        ShellKind::Windows => "windows",
        ShellKind::Other => "other",
    }
}

/// A shell's words as values.
pub(super) fn shell_values(shell: &Shell) -> Vec<Value> {
    shell.words.iter().map(|w| Value::string(w.text.as_str(), w.span)).collect()
}

fn flag_texts(instruction: &Instruction) -> Vec<(&str, Option<&str>)> {
    instruction.flags.iter().map(|f| (f.name.as_str(), f.value.as_ref().map(|v| v.text.as_str()))).collect()
}

/// Whether a RUN runs more than one command, also in pipes and substitutions.
fn several_commands(instruction: &Instruction, source: &str) -> bool {
    if !instruction.heredocs.is_empty() {
        return true;
    }
    if !matches!(instruction.arguments, Arguments::Text) {
        return false;
    }
    let (calls, _) = crate::syntax::shell::calls(&crate::syntax::shell::parse(&instruction.text), source);
    calls.iter().filter(|c| !c.place.nested).count() > 1
}

/// The fields that are an instruction's own.
pub(super) fn describe(body: &mut Fields, instruction: &Instruction, spot: &Spot<'_>, effect: &mut Effect) {
    let whole = argument_word(instruction);
    let scope = &spot.state.scope;
    match instruction.keyword {
        Keyword::Run => run_fields(body, instruction, spot, effect),
        Keyword::Cmd | Keyword::Entrypoint => {
            let value = command_fields(body, &instruction.text, &instruction.arguments, instruction, spot, effect);
            if instruction.keyword == Keyword::Cmd {
                effect.cmd = Some(value);
            } else {
                effect.entrypoint = Some(value);
            }
        }
        Keyword::Healthcheck => healthcheck(body, instruction, spot, effect),
        Keyword::User => {
            user(body, &whole, spot);
            effect.user = Some(scope.value(&whole));
        }
        Keyword::Workdir => {
            let value = scope.value(&whole);
            body.set("path", value.clone());
            body.set("absolute", absolute(&whole, spot));
            effect.workdir = Some(value);
        }
        Keyword::Copy | Keyword::Add => copy(body, instruction, spot, effect),
        Keyword::Expose => expose(body, instruction, spot, effect),
        Keyword::Env | Keyword::Arg | Keyword::Label => pairs(body, instruction, spot, effect),
        Keyword::Shell => {
            if let Arguments::Json(words) = &instruction.arguments {
                let shell = Shell { words: words.clone() };
                body.list("shell", shell_values(&shell));
                body.text("program", &shell.name(), words.first().map_or(instruction.keyword_span, |w| w.span));
                body.text("kind", kind_name(shell.kind()), instruction.keyword_span);
                body.flag("pipefail", shell.pipefail());
                effect.shell = Some(words.clone());
            }
        }
        Keyword::Volume => {
            let words = words_of(instruction);
            let paths: Vec<Value> = words.iter().map(|w| scope.value(w)).collect();
            body.list("paths", paths.clone());
            effect.volumes = paths;
        }
        Keyword::Stopsignal => {
            let value = scope.value(&whole);
            body.set("signal", value.clone());
            effect.stopsignal = Some(value);
        }
        Keyword::Maintainer => {
            body.text("name", &whole.text, whole.span);
        }
        Keyword::Onbuild => {
            if let Arguments::Onbuild(inner) = &instruction.arguments {
                body.text("trigger", inner.keyword.as_str(), inner.keyword_span);
            }
        }
        Keyword::From => {}
    }
}

/// All arguments as one word.
fn argument_word(instruction: &Instruction) -> Word {
    let text = instruction.text.as_str();
    let span = if text.is_empty() {
        instruction.keyword_span
    } else {
        Span::new(instruction.span.file, instruction.text.range(0..text.len()))
    };
    Word { text: text.to_owned(), span }
}

fn words_of(instruction: &Instruction) -> &[Word] {
    match &instruction.arguments {
        Arguments::Words(words) | Arguments::Json(words) => words,
        _ => &[],
    }
}

fn mounts(instruction: &Instruction) -> (Vec<Mount>, Vec<Value>) {
    let mut found = Vec::new();
    let mut values = Vec::new();
    for flag in instruction.flags.iter().filter(|f| f.name == "mount") {
        let Some(value) = &flag.value else { continue };
        let mut mount = Mount { kind: "bind".to_owned(), target: String::new() };
        let mut f = Fields::new(value.span, flag.name_span);
        for part in value.text.split(',') {
            let (key, text) = part.split_once('=').unwrap_or((part, "true"));
            let text = text.trim_matches(['"', '\'']);
            match key.to_ascii_lowercase().as_str() {
                "type" => text.clone_into(&mut mount.kind),
                "target" | "dst" | "destination" => text.clone_into(&mut mount.target),
                _ => {}
            }
            f.text(key, text, value.span);
        }
        f.text("type", &mount.kind, value.span);
        f.text("target", &mount.target, value.span);
        values.push(f.build());
        found.push(mount);
    }
    (found, values)
}

fn run_fields(body: &mut Fields, instruction: &Instruction, spot: &Spot<'_>, effect: &mut Effect) {
    let (mounts, values) = mounts(instruction);
    body.list("mounts", values);
    body.flag("multiple_commands", several_commands(instruction, spot.source));
    body.flag("heredoc", !instruction.heredocs.is_empty());
    let earlier = spot.commands.to_vec();
    body.list("earlier_commands", earlier);
    commands(body, &instruction.text, &instruction.arguments, instruction, spot, &mounts, effect);
}

/// Describes what a command line runs; the effect takes the names of its commands.
fn commands(
    body: &mut Fields,
    text: &crate::syntax::shell::MappedText,
    arguments: &Arguments,
    instruction: &Instruction,
    spot: &Spot<'_>,
    mounts: &[Mount],
    effect: &mut Effect,
) {
    let state = spot.state;
    let read = match arguments {
        Arguments::Json(words) => Body::exec(words, spot.source),
        _ => Body::shell(text, instruction, spot.source, state.shell.kind()),
    };
    body.text("form", if matches!(arguments, Arguments::Json(_)) { "exec" } else { "shell" }, instruction.keyword_span);
    let cx = RunContext {
        file: spot.file,
        source: spot.source,
        scope: &state.scope,
        shell: &state.shell,
        mounts,
        updates: &state.updates,
    };
    effect.updates = run::describe(body, &read, &cx);
    for call in read.calls.iter().filter(|c| !c.name.is_empty()) {
        let at = call.words.first().map_or(instruction.keyword_span, |w| Span::new(spot.file, w.span.clone()));
        let value = Value::string(call.name.as_str(), at);
        if !effect.commands.contains(&value) {
            effect.commands.push(value);
        }
    }
}

/// CMD, ENTRYPOINT and the command of HEALTHCHECK; the value is the list of words, or the text.
fn command_fields(
    body: &mut Fields,
    text: &crate::syntax::shell::MappedText,
    arguments: &Arguments,
    instruction: &Instruction,
    spot: &Spot<'_>,
    effect: &mut Effect,
) -> Value {
    commands(body, text, arguments, instruction, spot, &[], effect);
    // These run in the container, not in the build: they count as no tools of the stage.
    effect.commands.clear();
    effect.updates.clear();
    let span = Span::new(spot.file, text.range(0..text.as_str().len()));
    let span = if text.is_empty() { instruction.keyword_span } else { span };
    match arguments {
        Arguments::Json(words) => {
            Value::list(words.iter().map(|w| Value::string(w.text.as_str(), w.span)).collect(), span)
        }
        _ => Value::string(text.as_str(), span),
    }
}

fn healthcheck(body: &mut Fields, instruction: &Instruction, spot: &Spot<'_>, effect: &mut Effect) {
    let Arguments::Healthcheck { kind, json, command } = &instruction.arguments else { return };
    let disabled = kind.text.eq_ignore_ascii_case("none");
    body.set("disabled", Value::bool(disabled, kind.span));
    if disabled {
        effect.healthcheck = Some(Value::string("NONE", kind.span));
        return;
    }
    let arguments = json.clone().map_or(Arguments::Text, Arguments::Json);
    effect.healthcheck = Some(command_fields(body, command, &arguments, instruction, spot, effect));
}

fn user(body: &mut Fields, whole: &Word, spot: &Spot<'_>) {
    let scope = &spot.state.scope;
    let holed = scope.with_holes(&whole.text);
    let (user, group) = match holed.split_once(':') {
        Some((user, group)) => (user.to_owned(), Some(group.to_owned())),
        None => (holed.clone(), None),
    };
    body.set("user", scope.holed(&user, whole.span));
    if let Some(group) = group {
        body.set("group", scope.holed(&group, whole.span));
    }
    body.set(
        "numeric",
        known_unless_holed(&user, !user.is_empty() && user.bytes().all(|b| b.is_ascii_digit()), whole.span),
    );
}

fn known_unless_holed(text: &str, value: bool, span: Span) -> Value {
    if text.contains(HOLE) {
        Value::unknown(CauseKind::Input, "it depends on a build argument without a default", span)
    } else {
        Value::bool(value, span)
    }
}

/// Whether a path is absolute, also in Windows' way; unknown where it begins with a variable without a known value.
fn absolute(word: &Word, spot: &Spot<'_>) -> Value {
    let raw = word.text.trim_matches(['"', '\'']);
    let text = spot.state.scope.with_holes(&word.text);
    if text.starts_with(HOLE) {
        return known_unless_holed(&text, false, word.span);
    }
    let drive = |t: &str| {
        let b = t.as_bytes();
        b.first().is_some_and(u8::is_ascii_alphabetic) && b.get(1) == Some(&b':')
    };
    Value::bool(text.starts_with('/') || raw.starts_with('\\') || drive(raw) || drive(&text), word.span)
}

fn copy(body: &mut Fields, instruction: &Instruction, spot: &Spot<'_>, effect: &mut Effect) {
    let scope = &spot.state.scope;
    let words = words_of(instruction);
    let Some((destination, sources)) = words.split_last() else { return };
    let sources = sources
        .iter()
        .map(|word| {
            let holed = scope.with_holes(&word.text);
            let mut f = Fields::new(word.span, word.span);
            f.set("path", scope.value(word));
            f.text("text", &word.text, word.span);
            let lower = holed.to_ascii_lowercase();
            let git = lower.starts_with("git@")
                || lower.starts_with("git://")
                || lower.split(['#', '?']).next().is_some_and(|t| t.contains("://") && t.ends_with(".git"));
            f.flag(
                "remote",
                lower.starts_with("http://") || lower.starts_with("https://") || lower.starts_with("ftp://"),
            );
            f.flag("git", git);
            f.flag("heredoc", word.text.starts_with("<<"));
            f.set("archive", archive(&holed, destination, word));
            f.build()
        })
        .collect();
    body.list("sources", sources);
    body.set("destination", scope.value(destination));
    body.text("destination_text", &destination.text, destination.span);
    body.set("destination_absolute", absolute(destination, spot));
    let holed = scope.with_holes(&destination.text);
    if !instruction.flags.iter().any(|f| f.name == "from") && !holed.contains(HOLE) {
        effect.copied.push((bare_path(&holed).to_owned(), destination.span));
    }
    body.list("destination_reads", reads(destination, scope.escape));
    let folder = holed.ends_with('/')
        || destination.text.trim_matches(['"', '\'']).ends_with('\\')
        || holed == "."
        || holed.ends_with("/.");
    body.set(
        "destination_folder",
        known_unless_holed(if holed.ends_with(HOLE) { &holed } else { "" }, folder, destination.span),
    );
    for (flag, field) in [("chown", "chown"), ("chmod", "chmod")] {
        if let Some(value) = instruction.flags.iter().find(|f| f.name == flag).and_then(|f| f.value.as_ref()) {
            body.set(field, scope.value(value));
        }
    }
    body.flag("link", instruction.flags.iter().any(|f| f.name == "link"));
}

/// Whether a source is an archive; unknown where its name ends in something that is not known, unless the destination names a file.
fn archive(holed: &str, destination: &Word, word: &Word) -> Value {
    let lower = holed.to_ascii_lowercase();
    let target = destination.text.trim_matches(['"', '\'']).rsplit('/').next().unwrap_or("");
    let names_a_file =
        target.contains('.') && target != "." && target != ".." && !target.contains('$') && !is_archive(target);
    if holed.ends_with(HOLE) && !names_a_file {
        return known_unless_holed(holed, false, word.span);
    }
    Value::bool(is_archive(&lower), word.span)
}

/// A path without what makes it absolute or relative, and without a slash at its end.
fn bare_path(path: &str) -> &str {
    path.trim_start_matches(['.', '/']).trim_end_matches('/')
}

/// Whether a command unpacks an archive.
pub(super) fn unpacks(call: &crate::syntax::shell::Call) -> bool {
    let options = || call.texts.iter().skip(1);
    match call.name.as_str() {
        "tar" | "bsdtar" => {
            // The first word may be a bundle of letters without a dash: `tar xzf`.
            options().any(|t| matches!(t.as_str(), "--extract" | "--get"))
                || options().any(|t| t.starts_with('-') && !t.starts_with("--") && t.contains('x'))
                || options().next().is_some_and(|t| !t.starts_with('-') && t.contains('x') && t.len() < 8)
        }
        "gzip" | "bzip2" | "xz" | "zstd" | "lzma" => options().any(|t| {
            matches!(t.as_str(), "--decompress" | "--uncompress")
                || (t.starts_with('-') && !t.starts_with("--") && t.contains('d'))
        }),
        "unzip" | "gunzip" | "bunzip2" | "unlzma" | "unxz" | "unzstd" | "uncompress" | "zcat" => true,
        _ => false,
    }
}

/// What ADD unpacks: tar archives, plain or compressed. (Dockerfile reference, "ADD".)
pub(super) fn is_archive(path: &str) -> bool {
    [
        ".tar", ".gz", ".bz2", ".xz", ".zst", ".tgz", ".tbz", ".tbz2", ".txz", ".tzst", ".lzma", ".tlz", ".z", ".taz",
        ".lz", ".tz2",
    ]
    .iter()
    .any(|e| path.len() > e.len() && path.ends_with(e))
}

fn expose(body: &mut Fields, instruction: &Instruction, spot: &Spot<'_>, effect: &mut Effect) {
    let scope = &spot.state.scope;
    let mut entries = Vec::new();
    let mut ports = Vec::new();
    for word in words_of(instruction) {
        let holed = scope.with_holes(&word.text);
        for (i, piece) in holed.split_whitespace().enumerate() {
            let (range, protocol) = piece.split_once('/').unwrap_or((piece, "tcp"));
            let (from, to) = range.split_once('-').unwrap_or((range, range));
            let mut f = Fields::new(word.span, word.span);
            f.text("text", if i == 0 { &word.text } else { piece }, word.span);
            let number = |t: &str| match t.parse::<i64>() {
                Ok(n) => Some(Value::int(n, word.span)),
                Err(_) if t.contains(HOLE) => Some(scope.holed(t, word.span)),
                Err(_) => None,
            };
            f.maybe("from", number(from));
            f.maybe("to", number(to));
            f.set("port", scope.holed(range, word.span));
            f.text("protocol", protocol, word.span);
            entries.push(f.build());
            ports.push(scope.holed(range, word.span));
        }
    }
    body.list("ports", ports.clone());
    body.list("entries", entries);
    effect.ports = ports;
}

fn pairs(body: &mut Fields, instruction: &Instruction, spot: &Spot<'_>, effect: &mut Effect) {
    let Arguments::Pairs { pairs, legacy } = &instruction.arguments else { return };
    let scope = &spot.state.scope;
    body.flag("legacy", *legacy);
    let head = instruction.keyword_span;
    let mut values = Fields::new(instruction.span, head);
    let mut list = Vec::new();
    for (i, pair) in pairs.iter().enumerate() {
        let name = scope.with_holes(&pair.name.text);
        let whole = pair.value.as_ref().map_or(pair.name.span, |v| pair.name.span.to(v.span));
        let mut f = Fields::new(whole, pair.name.span);
        f.text("name", &name, pair.name.span);
        f.text("name_text", &pair.name.text, pair.name.span);
        if let Some(word) = &pair.value {
            // The old form takes the rest of the line as it is, quotes removed.
            let value = scope.value(word);
            f.text("text", &word.text, word.span);
            f.set("value", value.clone());
            f.list("reads", reads(word, scope.escape));
            f.list("siblings", siblings(i, pair, pairs, spot));
            if let Some(path) = value.as_str().filter(|v| v.contains(['/', '.'])) {
                let bare = bare_path(path);
                let inside = |folder: &str| {
                    folder.is_empty() || bare == folder || bare.strip_prefix(folder).is_some_and(|r| r.starts_with('/'))
                };
                if let Some((folder, span)) = spot.state.copied.iter().find(|(folder, _)| inside(folder)) {
                    f.text("copied_to", folder, *span);
                }
            }
            values.set(&name, value.clone());
            match instruction.keyword {
                Keyword::Label => effect.labels.push((name.as_str().into(), value)),
                keyword => {
                    let variable = Variable {
                        value: value.as_str().map(Into::into),
                        env: keyword == Keyword::Env,
                        span: word.span,
                    };
                    effect.variables.push((name.clone(), variable));
                }
            }
        } else if instruction.keyword == Keyword::Arg {
            // `ARG name value` declares two arguments, whatever its author thought.
            if let Some(next) = pairs.get(i + 1).filter(|p| p.value.is_none()) {
                f.text("next", &next.name.text, next.name.span);
            }
            effect.variables.push((name.clone(), Variable { value: None, env: false, span: pair.name.span }));
        }
        list.push(f.build());
    }
    let (items, map) =
        if instruction.keyword == Keyword::Label { ("labels", "values") } else { ("variables", "values") };
    body.list(items, list);
    body.set(map, values.build());
}

/// The variables that a word reads.
fn reads(word: &Word, escape: char) -> Vec<Value> {
    variables(&word.text, escape).into_iter().map(|(name, range)| Value::string(name, within(word, range))).collect()
}

/// A range of a word's text as a place; the whole word where it does not stand in one piece.
fn within(word: &Word, range: std::ops::Range<usize>) -> Span {
    let length = usize::try_from(word.span.end - word.span.start).unwrap_or(0);
    if length != word.text.len() {
        return word.span;
    }
    let start = word.span.start as usize;
    Span::new(word.span.file, start + range.start..start + range.end)
}

/// What a value reads that another pair of the same instruction sets: it gets the value from before the instruction.
fn siblings(own: usize, pair: &Pair, pairs: &[Pair], spot: &Spot<'_>) -> Vec<Value> {
    let Some(word) = &pair.value else { return Vec::new() };
    variables(&word.text, spot.state.scope.escape)
        .into_iter()
        .filter_map(|(name, range)| {
            let other = pairs.iter().enumerate().find(|(i, p)| *i != own && p.name.text == name)?.1;
            let span = within(word, range);
            let mut f = Fields::new(span, span);
            f.text("name", &name, span);
            f.flag("defined_before", spot.state.scope.variables.contains_key(name.as_str()));
            f.text("set_by", &other.name.text, other.name.span);
            Some(f.build())
        })
        .collect()
}
