//! From the tree to resources: stages and what they inherit, instructions and what they stand in.

use super::fields::Fields;
use super::image;
use super::instructions::{self, Spot};
use super::lineage::Lineage;
use super::run::Shell;
use super::scope::{Scope, Variable};
use crate::base::{FastMap, SourceFile, Span};
use crate::formats::{LedgerEntry, LocalEdge, Lowered};
use crate::graph::{CauseKind, Resource, Value};
use crate::syntax::Comment;
use crate::syntax::dockerfile::{Arguments, Dockerfile, Instruction, Keyword, Word};
use std::sync::Arc;

/// What instructions leave behind for those after them, and stages for those built on them.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) scope: Scope,
    pub(super) user: Option<Value>,
    pub(super) workdir: Option<Value>,
    pub(super) shell: Shell,
    pub(super) shell_set: bool,
    pub(super) entrypoint: Option<Value>,
    pub(super) cmd: Option<Value>,
    pub(super) healthcheck: Option<Value>,
    pub(super) stopsignal: Option<Value>,
    pub(super) ports: Vec<Value>,
    pub(super) volumes: Vec<Value>,
    pub(super) labels: Vec<(Arc<str>, Value)>,
    pub(super) onbuild_workdir: Option<Value>,
    /// Package managers whose lists an earlier RUN brought up to date without installing anything, and where.
    pub(super) updates: Vec<(&'static str, Span)>,
    /// Where COPY and ADD put files, without what makes a path absolute or relative.
    pub(super) copied: Vec<(String, Span)>,
}

impl State {
    fn new(escape: char, open: bool) -> State {
        State {
            scope: Scope { variables: FastMap::default(), open, escape },
            user: None,
            workdir: None,
            shell: Shell { words: Vec::new() },
            shell_set: false,
            entrypoint: None,
            cmd: None,
            healthcheck: None,
            stopsignal: None,
            ports: Vec::new(),
            volumes: Vec::new(),
            labels: Vec::new(),
            onbuild_workdir: None,
            updates: Vec::new(),
            copied: Vec::new(),
        }
    }
}

/// A stage in the making.
pub(super) struct Stage {
    pub(super) index: usize,
    /// The name as it is written.
    pub(super) name: Option<Word>,
    /// `builder`, or the index.
    pub(super) label: Arc<str>,
    pub(super) is_final: bool,
    /// Whether a later stage is built on it or copies from it.
    pub(super) used: bool,
    /// Whether its layers are in the image: it is the last stage, or the last stage is built on it.
    pub(super) shipped: bool,
    /// The stage it is built on.
    pub(super) base: Option<usize>,
    resource: usize,
    from: Instruction,
    state: State,
    span: Span,
    commands: Vec<Value>,
    copies: Vec<(usize, Span)>,
    counts: FastMap<&'static str, usize>,
}

/// How many commands of different names a stage is said to run. Every RUN lists those before it; builds use some dozens.
const MAX_COMMANDS: usize = 256;

/// The nearest instructions of the same kind in the same stage, and which of its kind an instruction is, from 1.
#[derive(Clone, Copy, Debug, Default)]
struct Neighbours {
    earlier: Option<usize>,
    later: Option<usize>,
    ordinal: usize,
    /// How many instructions of one kind follow each other from here on, where they could be one; 0 inside such a series.
    series: usize,
}

/// Finds the neighbours of every instruction in one pass.
fn neighbours(instructions: &[Instruction]) -> Vec<Neighbours> {
    let mut out: Vec<Neighbours> = Vec::with_capacity(instructions.len());
    let mut last: FastMap<Keyword, (usize, usize)> = FastMap::default();
    for (i, instruction) in instructions.iter().enumerate() {
        if instruction.keyword == Keyword::From {
            last.clear();
        }
        let before = last.get(&instruction.keyword).copied();
        if let Some(slot) = before.and_then(|(earlier, _)| out.get_mut(earlier)) {
            slot.later = Some(i);
        }
        let ordinal = before.map_or(1, |(_, n)| n + 1);
        out.push(Neighbours { earlier: before.map(|(e, _)| e), later: None, ordinal, series: 1 });
        last.insert(instruction.keyword, (i, ordinal));
    }
    let mut first = 0;
    for (i, pair) in instructions.windows(2).enumerate() {
        if let [one, next] = pair
            && could_be_one(one, next)
        {
            if let Some(slot) = out.get_mut(i + 1) {
                slot.series = 0;
            }
            if let Some(slot) = out.get_mut(first) {
                slot.series += 1;
            }
        } else {
            first = i + 1;
        }
    }
    out
}

/// Whether two instructions that follow each other could be one: the same kind and flags, and the same destination.
fn could_be_one(one: &Instruction, next: &Instruction) -> bool {
    let flags = |i: &Instruction| -> Vec<(String, Option<String>)> {
        i.flags.iter().map(|f| (f.name.clone(), f.value.as_ref().map(|v| v.text.clone()))).collect()
    };
    if one.keyword != next.keyword || flags(one) != flags(next) {
        return false;
    }
    match (&one.arguments, &next.arguments) {
        (Arguments::Words(a) | Arguments::Json(a), Arguments::Words(b) | Arguments::Json(b)) => match one.keyword {
            Keyword::Copy | Keyword::Add => a.last().map(|w| &w.text) == b.last().map(|w| &w.text),
            keyword => keyword == Keyword::Run,
        },
        _ => one.keyword == Keyword::Run,
    }
}

/// Where a later RUN of the same stage unpacks an archive that is copied here: the archive's name and the place.
fn unpacked_later(
    instructions: &[Instruction],
    position: usize,
    source: &str,
) -> Option<(String, std::ops::Range<usize>)> {
    let copy = instructions.get(position)?;
    let (Arguments::Words(words) | Arguments::Json(words)) = &copy.arguments else { return None };
    let (destination, sources) = words.split_last()?;
    let base = |text: &str| text.trim_matches(['"', '\'']).rsplit(['/', '\\']).next().unwrap_or("").to_owned();
    let mut names: Vec<String> =
        sources.iter().map(|w| base(&w.text)).filter(|n| instructions::is_archive(&n.to_ascii_lowercase())).collect();
    if names.is_empty() {
        return None;
    }
    let target = base(&destination.text);
    if instructions::is_archive(&target.to_ascii_lowercase()) {
        names.push(target);
    }
    let rest = instructions.iter().skip(position + 1).take_while(|i| i.keyword != Keyword::From);
    for run in rest.filter(|i| i.keyword == Keyword::Run && names.iter().any(|n| i.text.as_str().contains(n.as_str())))
    {
        let (calls, _) = crate::syntax::shell::calls(&crate::syntax::shell::parse(&run.text), source);
        for call in calls.iter().filter(|c| instructions::unpacks(c)) {
            if let Some((word, text)) = call.words.iter().zip(&call.texts).find(|(_, t)| names.contains(&base(t))) {
                return Some((base(text), word.span.clone()));
            }
        }
    }
    None
}

/// The whole file in the making.
struct Lowering<'a> {
    file: &'a SourceFile,
    tree: &'a Dockerfile,
    neighbours: Vec<Neighbours>,
    lineage: Lineage,
    resources: Vec<Option<Resource>>,
    edges: Vec<LocalEdge>,
    stages: Vec<Stage>,
    /// ARGs before the first FROM.
    global: Scope,
    /// What instructions without any FROM see.
    outside: State,
    outside_counts: FastMap<&'static str, usize>,
    outside_commands: Vec<Value>,
    total_stages: usize,
    /// The shell that a comment declares for stages to come.
    declared_shell: Option<Word>,
    /// The first command that a stage has no room for.
    cut_short: Option<Span>,
}

/// Lowers one file.
pub(super) fn file(file: &SourceFile, comments: &[Comment], tree: &Dockerfile, lowered: &mut Lowered) {
    let total_stages = tree.instructions.iter().filter(|i| i.keyword == Keyword::From).count();
    let mut lowering = Lowering {
        file,
        tree,
        neighbours: neighbours(&tree.instructions),
        lineage: Lineage::of(&tree.instructions),
        resources: vec![None],
        edges: Vec::new(),
        stages: Vec::new(),
        global: Scope { variables: FastMap::default(), open: true, escape: tree.escape },
        outside: State::new(tree.escape, true),
        outside_counts: FastMap::default(),
        outside_commands: Vec::new(),
        total_stages,
        declared_shell: None,
        cut_short: None,
    };
    let mut shells = declared_shells(file, comments).into_iter().peekable();
    for (i, instruction) in tree.instructions.iter().enumerate() {
        while let Some(shell) = shells.next_if(|w| w.span.start < instruction.span.start) {
            lowering.declare_shell(shell);
        }
        if instruction.keyword == Keyword::From {
            lowering.open_stage(i, instruction);
        } else {
            lowering.instruction(i, instruction);
        }
    }
    lowering.close_stages();
    lowering.whole_file(comments);
    if let Some(span) = lowering.cut_short {
        let message = format!("only the first {MAX_COMMANDS} commands of different names of a stage are listed");
        lowered.ledger.push(LedgerEntry { span, kind: CauseKind::Limit, message });
    }
    let base = lowered.resources.len();
    let shift = |i: u32| u32::try_from(base).unwrap_or(0) + i;
    lowered.resources.extend(lowering.resources.into_iter().flatten().map(Arc::new));
    lowered.edges.extend(lowering.edges.into_iter().map(|e| LocalEdge { from: shift(e.from), to: shift(e.to), ..e }));
}

/// What comments say of the shell that runs the following instructions: `# hadolint shell=powershell`. Such a comment is for base
/// images whose shell cannot be told from the file.
fn declared_shells(file: &SourceFile, comments: &[Comment]) -> Vec<Word> {
    let declared = |comment: &Comment| {
        let (before, after) = file.slice(comment.span).split_once("shell=")?;
        let words = before.trim_start_matches(['#', ' ', '\t']);
        if !words.starts_with("hadolint") && !words.starts_with("stacklint") {
            return None;
        }
        let name = after.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '#')).next()?;
        (!name.is_empty()).then(|| Word { text: name.to_owned(), span: comment.span })
    };
    comments.iter().filter_map(declared).collect()
}

fn index(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

impl Lowering<'_> {
    fn resource(&self, kind: &str, address: String, name: &str, span: Span, head: Span, body: Value) -> Resource {
        Resource {
            kind: kind.into(),
            address: address.into(),
            name: name.into(),
            unit: self.file.path.clone(),
            span,
            head,
            body,
            callers: Arc::from([]),
            parent: None,
        }
    }

    fn declare_shell(&mut self, shell: Word) {
        let state = self.stages.last_mut().map_or(&mut self.outside, |s| &mut s.state);
        state.shell = Shell { words: vec![shell.clone()] };
        self.declared_shell = Some(shell);
    }

    fn edge(&mut self, from: usize, to: usize, via: &str, span: Span) {
        self.edges.push(LocalEdge { from: index(from), to: index(to), via: via.into(), span });
    }

    /// The stage of a name or, for COPY, of an index; only those before `before` can be meant.
    fn find_stage(&self, name: &str, before: usize, by_index: bool) -> Option<usize> {
        let by_name = self
            .stages
            .iter()
            .take(before)
            .rev()
            .find(|s| s.name.as_ref().is_some_and(|n| n.text.eq_ignore_ascii_case(name)));
        by_name
            .map(|s| s.index)
            .or_else(|| by_index.then(|| name.parse::<usize>().ok()).flatten().filter(|&i| i < before))
    }

    fn open_stage(&mut self, position: usize, instruction: &Instruction) {
        let Arguments::From { image, name } = &instruction.arguments else { return };
        let number = self.stages.len();
        let holed = self.global.with_holes(&image.text);
        let base = self.find_stage(&holed, number, false);
        let state = match base.and_then(|b| self.stages.get(b)) {
            Some(stage) => State { ports: stage.state.ports.clone(), ..stage.state.clone() },
            None => {
                let mut state = State::new(self.tree.escape, holed != "scratch");
                if is_windows(&holed) {
                    let span = image.span;
                    let word = |text: &str| Word { text: text.to_owned(), span };
                    state.shell = Shell { words: vec![word("cmd"), word("/S"), word("/C")] };
                }
                if let Some(shell) = &self.declared_shell {
                    state.shell = Shell { words: vec![shell.clone()] };
                }
                state
            }
        };
        let label: Arc<str> = name.as_ref().map_or_else(|| number.to_string().into(), |n| n.text.as_str().into());
        let used = self.lineage.is_used(position, number, name.as_ref().map(|n| n.text.as_str()));
        let resource = self.resources.len();
        self.resources.push(None);
        self.stages.push(Stage {
            index: number,
            name: name.clone(),
            label,
            is_final: number + 1 == self.total_stages,
            used,
            shipped: self.lineage.is_shipped(number),
            base,
            resource,
            from: instruction.clone(),
            state,
            span: instruction.span,
            commands: Vec::new(),
            copies: Vec::new(),
            counts: FastMap::default(),
        });
        // The instruction itself.
        let mut body = Fields::new(instruction.span, instruction.keyword_span);
        self.base_fields(&mut body, number, image, name.as_ref(), instruction);
        instructions::common(&mut body, instruction, &self.spot(position, Keyword::From, false));
        let address = format!("{}:{}/FROM", self.file.path, self.stages.get(number).map_or("", |s| &s.label));
        let made = self.resource("FROM", address, "FROM", instruction.span, instruction.keyword_span, body.build());
        self.resources.push(Some(made));
        let own = self.resources.len() - 1;
        self.edge(own, resource, "part-of", instruction.keyword_span);
        self.edge(resource, 0, "part-of", instruction.keyword_span);
        if let Some(base) = base.and_then(|b| self.stages.get(b)).map(|s| s.resource) {
            self.edge(resource, base, "based-on", image.span);
        }
    }

    fn base_fields(
        &self,
        body: &mut Fields,
        number: usize,
        image: &Word,
        name: Option<&Word>,
        instruction: &Instruction,
    ) {
        let holed = self.global.with_holes(&image.text);
        let stage = self.stages.get(number);
        body.text("image_text", &image.text, image.span);
        body.set("image", self.global.value(image));
        let base = stage.and_then(|s| s.base).and_then(|b| self.stages.get(b));
        if let Some(base) = base {
            body.text("based_on", &base.label, image.span);
        }
        let scratch = base.is_none() && holed == "scratch";
        body.flag("scratch", scratch);
        if base.is_none() && !scratch {
            image_fields(body, &holed, image.span, &self.global);
        }
        if let Some(name) = name {
            body.text("alias", &name.text, name.span);
            let earlier = self.stages.iter().take(number).filter_map(|s| s.name.as_ref());
            if let Some(taken) = earlier.into_iter().find(|n| n.text.eq_ignore_ascii_case(&name.text)) {
                body.text("alias_taken", &taken.text, taken.span);
            }
        }
        if let Some(platform) = instruction.flags.iter().find(|f| f.name == "platform").and_then(|f| f.value.as_ref()) {
            body.set("platform", self.global.value(platform));
            body.text("platform_text", &platform.text, platform.span);
        }
        body.flag("final", stage.is_some_and(|s| s.is_final));
    }

    /// What surrounds an instruction.
    fn spot(&self, position: usize, keyword: Keyword, onbuild: bool) -> Spot<'_> {
        let stage = self.stages.last();
        let neighbours = self.neighbours.get(position).copied().unwrap_or_default();
        let at = |i: usize| self.tree.instructions.get(i);
        Spot {
            state: stage.map_or(&self.outside, |s| &s.state),
            stage,
            earlier: neighbours.earlier.and_then(at),
            later: neighbours.later.and_then(at),
            ordinal: neighbours.ordinal,
            series: neighbours.series,
            unpacked: (keyword == Keyword::Copy && !onbuild)
                .then(|| unpacked_later(&self.tree.instructions, position, &self.file.text))
                .flatten(),
            previous: position.checked_sub(1).and_then(at),
            before_from: stage.is_none() && keyword != Keyword::From,
            onbuild,
            commands: stage.map_or(&self.outside_commands, |s| &s.commands),
            source: &self.file.text,
            file: self.file.id,
            has_stages: self.total_stages > 0,
        }
    }

    fn instruction(&mut self, position: usize, instruction: &Instruction) {
        self.one(position, instruction, instruction, false);
        if let Arguments::Onbuild(inner) = &instruction.arguments {
            let mut inner = (**inner).clone();
            inner.heredocs.clone_from(&instruction.heredocs);
            self.one(position, &inner, instruction, true);
        }
    }

    fn one(&mut self, position: usize, instruction: &Instruction, outer: &Instruction, onbuild: bool) {
        let keyword = instruction.keyword.as_str();
        let mut body = Fields::new(instruction.span, instruction.keyword_span);
        let mut effect = instructions::Effect::default();
        {
            let spot = self.spot(position, outer.keyword, onbuild);
            instructions::describe(&mut body, instruction, &spot, &mut effect);
            instructions::common(&mut body, instruction, &spot);
        }
        // `--from` names a stage, and the mounts of RUN do.
        let number = self.stages.len();
        for flag in &instruction.flags {
            let Some(value) = &flag.value else { continue };
            let named = match (flag.name.as_str(), instruction.keyword) {
                ("from", Keyword::Copy | Keyword::Add) => Some(value.text.as_str()),
                ("mount", Keyword::Run) => value.text.split(',').find_map(|p| p.strip_prefix("from=")),
                _ => None,
            };
            let Some(named) = named else { continue };
            let kind = self.base_kind(named, number);
            if flag.name == "from" {
                body.set(
                    "from",
                    from_value(value, kind, self.find_stage(named, number, true).and_then(|s| self.stages.get(s))),
                );
            }
            if kind == "stage"
                && let Some(source) = self.find_stage(named, number.saturating_sub(1), true)
                && let Some(stage) = self.stages.last_mut()
            {
                stage.copies.push((source, value.span));
            }
        }
        let count = match self.stages.last_mut() {
            Some(stage) => stage.counts.entry(keyword).or_default(),
            None => self.outside_counts.entry(keyword).or_default(),
        };
        let ordinal = *count;
        *count += 1;
        let place = self.stages.last().map_or_else(String::new, |s| format!(":{}", s.label));
        let address = format!("{}{place}/{keyword}[{ordinal}]", self.file.path);
        let made = self.resource(keyword, address, keyword, instruction.span, instruction.keyword_span, body.build());
        self.resources.push(Some(made));
        let own = self.resources.len() - 1;
        let parent = self.stages.last().map_or(0, |s| s.resource);
        self.edge(own, parent, "part-of", instruction.keyword_span);
        self.apply(instruction, effect, onbuild);
    }

    /// What `--from` names: `stage`, `own`, `later`, `image`, `unknown`.
    fn base_kind(&self, named: &str, stages_so_far: usize) -> &'static str {
        let own = stages_so_far.checked_sub(1);
        if named.contains('$') {
            return "variable";
        }
        if let Ok(number) = named.parse::<usize>() {
            return match own {
                Some(own) if number == own => "own",
                Some(own) if number < own => "stage",
                _ if number < self.total_stages => "later",
                _ => "unknown",
            };
        }
        if self.find_stage(named, own.unwrap_or(0), false).is_some() {
            return "stage";
        }
        if self.stages.last().and_then(|s| s.name.as_ref()).is_some_and(|n| n.text.eq_ignore_ascii_case(named)) {
            return "own";
        }
        let later = self.tree.instructions.iter().any(
            |i| matches!(&i.arguments, Arguments::From { name: Some(n), .. } if n.text.eq_ignore_ascii_case(named)),
        );
        if later {
            return "later";
        }
        if named.contains([':', '/', '@']) { "image" } else { "unknown" }
    }

    fn apply(&mut self, instruction: &Instruction, effect: instructions::Effect, onbuild: bool) {
        if self.stages.is_empty() && instruction.keyword == Keyword::Arg && !onbuild {
            for (name, variable) in &effect.variables {
                self.global.set(name, variable.clone());
            }
        }
        let has_stages = self.total_stages > 0;
        let global = &self.global;
        let (state, commands, span) = match self.stages.last_mut() {
            Some(stage) => (&mut stage.state, &mut stage.commands, Some(&mut stage.span)),
            None => (&mut self.outside, &mut self.outside_commands, None),
        };
        if let Some(span) = span {
            *span = span.to(instruction.span);
        }
        for value in effect.commands {
            if commands.iter().any(|c| c == &value) {
                continue;
            }
            if commands.len() < MAX_COMMANDS {
                commands.push(value);
            } else if self.cut_short.is_none() {
                self.cut_short = Some(value.span());
            }
        }
        // ARGs before the first FROM reach no stage unless it declares them again.
        if onbuild {
            if instruction.keyword == Keyword::Workdir {
                state.onbuild_workdir = effect.workdir;
            }
            return;
        }
        for (name, mut variable) in effect.variables {
            if !variable.env
                && variable.value.is_none()
                && has_stages
                && let Some(outer) = global.variables.get(name.as_str())
            {
                variable = Variable { env: false, ..outer.clone() };
            }
            state.scope.set(&name, variable);
        }
        let State {
            user,
            workdir,
            shell,
            shell_set,
            entrypoint,
            cmd,
            healthcheck,
            stopsignal,
            ports,
            volumes,
            labels,
            updates,
            copied,
            ..
        } = state;
        if effect.user.is_some() {
            *user = effect.user;
        }
        if effect.workdir.is_some() {
            *workdir = effect.workdir;
        }
        if let Some(words) = effect.shell {
            *shell = Shell { words };
            *shell_set = true;
        }
        if effect.entrypoint.is_some() {
            *entrypoint = effect.entrypoint;
            // An ENTRYPOINT makes a CMD of the base image void. (Dockerfile reference, "CMD and ENTRYPOINT".)
        }
        if effect.cmd.is_some() {
            *cmd = effect.cmd;
        }
        if effect.healthcheck.is_some() {
            *healthcheck = effect.healthcheck;
        }
        if effect.stopsignal.is_some() {
            *stopsignal = effect.stopsignal;
        }
        updates.extend(effect.updates);
        copied.extend(effect.copied);
        ports.extend(effect.ports);
        volumes.extend(effect.volumes);
        for (key, value) in effect.labels {
            labels.retain(|(k, _)| *k != key);
            labels.push((key, value));
        }
    }

    fn close_stages(&mut self) {
        let mut made = Vec::new();
        // Whether a stage built on this one has a health check: then this one needs none of its own.
        let mut derived: Vec<Option<Value>> = vec![None; self.stages.len()];
        for stage in self.stages.iter().rev() {
            let own = stage.state.healthcheck.clone().or_else(|| derived.get(stage.index).cloned().flatten());
            if let (Some(base), Some(own)) = (stage.base, own)
                && let Some(slot) = derived.get_mut(base)
            {
                *slot = Some(own);
            }
        }
        for stage in &self.stages {
            let Arguments::From { image, name } = &stage.from.arguments else { continue };
            let head = stage.from.line_span;
            let mut body = Fields::new(stage.span, head);
            self.base_fields(&mut body, stage.index, image, name.as_ref(), &stage.from);
            if let Some(name) = name {
                body.text("name", &name.text, name.span);
            }
            body.number("index", stage.index);
            body.flag("used", stage.used || stage.is_final);
            body.flag("shipped", stage.shipped);
            let state = &stage.state;
            body.maybe("user", state.user.clone());
            body.maybe("workdir", state.workdir.clone());
            body.list("shell", instructions::shell_values(&state.shell));
            body.flag("shell_set", state.shell_set);
            body.maybe("entrypoint", state.entrypoint.clone());
            body.maybe("cmd", state.cmd.clone());
            body.maybe("healthcheck", state.healthcheck.clone());
            body.maybe("derived_healthcheck", derived.get(stage.index).cloned().flatten());
            body.maybe("stopsignal", state.stopsignal.clone());
            body.list("ports", state.ports.clone());
            body.list("volumes", state.volumes.clone());
            let mut labels = Fields::new(head, head);
            for (key, value) in &state.labels {
                labels.set(key, value.clone());
            }
            body.set("labels", labels.build());
            let mut environment = Fields::new(head, head);
            let mut names: Vec<_> = state.scope.variables.iter().filter(|(_, v)| v.env).collect();
            names.sort_by_key(|(_, v)| v.span.start);
            for (name, variable) in names {
                environment.add(
                    name,
                    match &variable.value {
                        Some(value) => Value::string(value.clone(), variable.span),
                        None => state.scope.unknown(name, variable.span),
                    },
                );
            }
            body.set("environment", environment.build());
            body.list("commands", stage.commands.clone());
            let label = stage.label.clone();
            let address = format!("{}:{label}", self.file.path);
            made.push((stage.resource, self.resource("stage", address, &label, stage.span, head, body.build())));
        }
        let copies: Vec<(usize, usize, Span)> = self
            .stages
            .iter()
            .flat_map(|s| s.copies.iter().map(|&(to, span)| (s.resource, to, span)))
            .filter_map(|(from, to, span)| Some((from, self.stages.get(to)?.resource, span)))
            .collect();
        for (from, to, span) in copies {
            self.edge(from, to, "copies-from", span);
        }
        for (at, resource) in made {
            if let Some(slot) = self.resources.get_mut(at) {
                *slot = Some(resource);
            }
        }
    }

    fn whole_file(&mut self, comments: &[Comment]) {
        let whole = Span::new(self.file.id, 0..self.file.text.len());
        let head = self.tree.instructions.first().map_or(whole.start_point(), |i| i.keyword_span);
        let mut body = Fields::new(whole, head);
        body.text("path", &self.file.path, head);
        let mut directives = Fields::new(head, head);
        for directive in &self.tree.directives {
            directives.text(&directive.name, &directive.value, directive.value_span);
        }
        body.set("directives", directives.build());
        body.list(
            "stages",
            self.stages
                .iter()
                .map(|s| Value::string(s.label.clone(), s.name.as_ref().map_or(s.from.keyword_span, |n| n.span)))
                .collect(),
        );
        let keywords = self.tree.instructions.iter().map(|i| Value::string(i.keyword.as_str(), i.keyword_span));
        body.list("instructions", keywords.collect());
        let texts = comments.iter().map(|c| Value::string(self.file.slice(c.span), c.span));
        body.list("comments", texts.collect());
        let name = self.file.path.rsplit('/').next().unwrap_or("").to_owned();
        let made = self.resource("Dockerfile", self.file.path.to_string(), &name, whole, head, body.build());
        if let Some(slot) = self.resources.first_mut() {
            *slot = Some(made);
        }
    }
}

/// The parts of an image reference as fields.
fn image_fields(body: &mut Fields, holed: &str, span: Span, scope: &Scope) {
    let reference = image::parse(holed);
    if let Some(registry) = &reference.registry {
        body.set("registry", scope.holed(registry, span));
    }
    body.set("repository", scope.holed(&reference.repository, span));
    let name = reference.repository.rsplit('/').next().unwrap_or("");
    body.set("image_name", scope.holed(name, span));
    let unknown = |scope: &Scope| scope.holed(&image::HOLE.to_string(), span);
    match &reference.tag {
        Some(tag) => body.set("tag", scope.holed(tag, span)),
        None if reference.open => body.set("tag", unknown(scope)),
        None => body,
    };
    match &reference.digest {
        Some(digest) => body.set("digest", scope.holed(digest, span)),
        None if reference.open => body.set("digest", unknown(scope)),
        None => body,
    };
}

/// Base images of Windows run `cmd /S /C`.
fn is_windows(image: &str) -> bool {
    let image = image.to_ascii_lowercase();
    ["windowsservercore", "nanoserver", "windows/server", "microsoft/windows", "mcr.microsoft.com/windows"]
        .iter()
        .any(|part| image.contains(part))
        || image.contains("-nanoserver")
}

fn from_value(value: &Word, kind: &str, stage: Option<&Stage>) -> Value {
    let mut f = Fields::new(value.span, value.span);
    f.text("text", &value.text, value.span);
    f.text("kind", kind, value.span);
    f.flag("by_index", value.text.bytes().all(|b| b.is_ascii_digit()));
    if let Some(stage) = stage {
        f.text("stage", &stage.label, stage.name.as_ref().map_or(stage.from.keyword_span, |n| n.span));
    }
    f.build()
}
