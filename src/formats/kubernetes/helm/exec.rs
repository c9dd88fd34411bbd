//! Executes templates as Go's `text/template` does, and notes where each byte of the output came from.

use super::builtins;
use super::format::to_output;
use super::functions::{self, Function};
use super::origin::{Builder, Means, Place, Places, Text};
use super::value::{Data, IntType, MapRef, Object, Value};
use crate::base::{FastMap, FileId, Span};
use crate::syntax::gotemplate::{self, At, Branch, Command, List, Node, Number, Operand, OperandKind, Pipe};
use std::rc::Rc;
use std::sync::Arc;

/// How deep templates may include one another. Go allows a thousand levels of one name; a real chart stays below thirty.
const MAX_DEPTH: usize = 600;
/// How much one rendering may do: a step is a node executed, a function called, a member of a list or thirty-two bytes of
/// text made. The largest public charts take some hundred thousand; unit tests, which are not optimized, come to the end sooner.
const MAX_STEPS: usize = if cfg!(test) { 200_000 } else { 4_000_000 };
/// The steps that a template costs which another includes.
const INCLUDE_STEPS: usize = 8;
/// How many bytes one rendering may put out.
pub const MAX_OUTPUT: usize = 64 << 20;

/// Why rendering stopped.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The innermost place; none where it is not known yet.
    pub span: Span,
    /// What went wrong.
    pub message: String,
    /// The actions through which execution came there, innermost first.
    pub trace: Vec<Span>,
}

impl Failure {
    /// A failure whose place the executor adds.
    pub fn new(message: impl Into<String>) -> Failure {
        Failure { span: Span::NONE, message: message.into(), trace: Vec::new() }
    }
}

impl From<String> for Failure {
    fn from(message: String) -> Failure {
        Failure::new(message)
    }
}

impl From<&str> for Failure {
    fn from(message: &str) -> Failure {
        Failure::new(message)
    }
}

/// The result of a step of execution.
pub type Executed<T> = Result<T, Failure>;

/// The text that templates were parsed from.
#[derive(Debug)]
pub struct Source {
    /// The name by which Helm knows it: `chart/templates/x.yaml`.
    pub name: Rc<str>,
    /// The text with its places; for a file without pieces.
    pub text: Text,
    /// The file; none for a text that `tpl` was given.
    pub file: FileId,
    /// Where the text that `tpl` was given came from.
    pub own: Place,
}

/// A named template.
#[derive(Clone, Debug)]
pub struct Template {
    /// What it was parsed from.
    pub source: Rc<Source>,
    /// Its nodes.
    pub body: Arc<List>,
}

/// All that one rendering shares.
pub struct Engine {
    /// Every place.
    pub places: Places,
    /// Every named template.
    pub templates: FastMap<Rc<str>, Template>,
    /// What could not be known, with the place: random values, the time.
    pub notes: Vec<(Span, String)>,
    /// Take values that the user must give as unknown ones, and go on.
    pub lenient: bool,
    depth: usize,
    steps: usize,
    written: usize,
    /// The action that is being executed, for notes of functions.
    pub current: Span,
    /// What decided that the nodes at hand are rendered.
    control: Place,
    includes: FastMap<Rc<str>, u32>,
}

/// What a node did to the flow.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    Next,
    Break,
    Continue,
}

/// The state of one template's execution.
struct State<'o> {
    source: Rc<Source>,
    variables: Vec<(Arc<str>, Value)>,
    out: &'o mut Builder,
}

impl Default for Engine {
    fn default() -> Engine {
        Engine {
            places: Places::default(),
            templates: FastMap::default(),
            notes: Vec::new(),
            lenient: false,
            depth: 0,
            steps: 0,
            written: 0,
            current: Span::NONE,
            control: 0,
            includes: FastMap::default(),
        }
    }
}

impl Source {
    fn span(&self, at: At) -> Span {
        if self.file == FileId::NONE { Span::NONE } else { Span { file: self.file, start: at.start, end: at.end } }
    }

    /// Where a part of the source came from; 0 for a file.
    fn place(&self, at: At, places: &Places) -> Place {
        if self.file != FileId::NONE {
            return 0;
        }
        places.of_text(&self.text.slice(at.range()), self.own)
    }
}

impl Engine {
    /// Parses a source and adds its templates. A definition that exists is replaced, unless the new one is empty.
    pub fn parse(&mut self, source: &Rc<Source>) -> Executed<()> {
        let tree = gotemplate::parse(&source.text.s, &|name| functions::lookup(name).is_some())
            .map_err(|e| Failure { span: source.span(e.at), message: e.message, trace: Vec::new() })?;
        for define in &tree.defines {
            let name: Rc<str> = (&*define.name).into();
            if define.body.is_empty(&source.text.s) && self.templates.contains_key(&name) {
                continue;
            }
            self.templates.insert(name, Template { source: source.clone(), body: define.body.clone() });
        }
        if !(tree.root.is_empty(&source.text.s) && self.templates.contains_key(&source.name)) {
            self.templates.insert(source.name.clone(), Template { source: source.clone(), body: tree.root });
        }
        Ok(())
    }

    /// Executes a template with this dot.
    pub fn execute(&mut self, name: &str, dot: &Value) -> Executed<Text> {
        let Some(template) = self.templates.get(name).cloned() else {
            return Err(Failure::new(format!("template: no template {name:?} associated with template \"gotpl\"")));
        };
        let mut out = Builder::default();
        self.execute_into(&template, dot.clone(), &mut out)?;
        Ok(out.finish())
    }

    /// `include`: executes a template and gives its output as text.
    pub fn include(&mut self, name: &str, dot: &Value) -> Executed<Text> {
        let key: Rc<str> = name.into();
        let count = self.includes.entry(key.clone()).or_default();
        *count += 1;
        if *count > 1000 {
            return Err(Failure::new(format!("rendering template has a nested reference name: {name}")));
        }
        let result = self.execute(name, dot);
        if let Some(count) = self.includes.get_mut(&key) {
            *count -= 1;
        }
        result
    }

    /// `tpl`: executes a text as a template. Definitions in it are forgotten afterwards.
    pub fn tpl(&mut self, text: &Text, own: Place, dot: &Value) -> Executed<Text> {
        let name: Rc<str> = match dot.as_map().and_then(|m| m.get("Template")).as_ref().and_then(Value::as_map) {
            Some(template) => template.get("Name").and_then(|n| n.as_str().map(Into::into)).unwrap_or("tpl".into()),
            None => "tpl".into(),
        };
        let source = Rc::new(Source { name: name.clone(), text: text.clone(), file: FileId::NONE, own });
        let saved = self.templates.clone();
        let result = self.parse(&source).and_then(|()| {
            // An empty text leaves the file's own template in place, which must not run again.
            let is_ours = self.templates.get(&name).is_some_and(|t| Rc::ptr_eq(&t.source, &source));
            if is_ours { self.execute(&name, dot) } else { Ok(Text::from("")) }
        });
        self.templates = saved;
        result.map(|text| {
            if text.s.contains("<no value>") { text.with_string(text.s.replace("<no value>", "")) } else { text }
        })
    }

    /// Makes the engine fit for the next template after one has failed.
    pub fn recover(&mut self) {
        self.depth = 0;
        self.control = 0;
        self.current = Span::NONE;
        self.includes.clear();
    }

    /// Notes that something is not known before the chart is installed.
    pub fn unknown(&mut self, what: &str) -> Place {
        let place = self.places.add(self.current, Means::Unknown, &[]);
        self.notes.push((self.current, what.to_owned()));
        place
    }

    fn execute_into(&mut self, template: &Template, dot: Value, out: &mut Builder) -> Executed<()> {
        self.spend(INCLUDE_STEPS)?;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            self.depth -= 1;
            return Err(Failure::new(format!("exceeded maximum template depth ({MAX_DEPTH})")));
        }
        let outer = std::mem::take(&mut self.control);
        let mut state = State { source: template.source.clone(), variables: vec![("$".into(), dot.clone())], out };
        let result = self.walk(&mut state, &dot, &template.body);
        self.control = outer;
        self.depth -= 1;
        result.map(|_| ())
    }

    fn walk(&mut self, state: &mut State<'_>, dot: &Value, list: &List) -> Executed<Flow> {
        for node in &list.nodes {
            self.spend(1)?;
            let flow = self.node(state, dot, node)?;
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    fn node(&mut self, state: &mut State<'_>, dot: &Value, node: &Node) -> Executed<Flow> {
        match node {
            Node::Text(at) => {
                self.grow(at.range().len())?;
                if state.source.file == FileId::NONE {
                    let (text, own) = (state.source.text.clone(), state.source.own);
                    state.out.push_text(&text, at.range(), own);
                } else {
                    let from: &[Place] = if self.control == 0 { &[] } else { &[self.control] };
                    let place = self.places.add(state.source.span(*at), Means::Copied, from);
                    state.out.push(state.source.text.s.get(at.range()).unwrap_or(""), place);
                }
                Ok(Flow::Next)
            }
            Node::Comment(_) => Ok(Flow::Next),
            Node::Break(_) => Ok(Flow::Break),
            Node::Continue(_) => Ok(Flow::Continue),
            Node::Action(at, pipe) => {
                let span = state.source.span(*at);
                let outer = self.enter(span);
                let value = self.pipeline(state, dot, pipe).map_err(|e| self.located(e, span))?;
                if pipe.declared.is_empty() {
                    self.write(state, *at, &value)?;
                }
                self.current = outer;
                Ok(Flow::Next)
            }
            Node::If(branch) | Node::With(branch) => {
                let with = matches!(node, Node::With(_));
                let span = state.source.span(branch.at);
                let scope = state.variables.len();
                let outer = self.enter(span);
                let value = self.pipeline(state, dot, &branch.pipe).map_err(|e| self.located(e, span))?;
                self.current = outer;
                let control = self.decided(state, branch, &value);
                let outer_control = std::mem::replace(&mut self.control, control);
                let flow = if value.truth() {
                    self.walk(state, if with { &value } else { dot }, &branch.body)
                } else if let Some(otherwise) = &branch.otherwise {
                    self.walk(state, dot, otherwise)
                } else {
                    Ok(Flow::Next)
                };
                self.control = outer_control;
                state.variables.truncate(scope);
                flow
            }
            Node::Range(branch) => {
                self.range(state, dot, branch)?;
                Ok(Flow::Next)
            }
            Node::Template { at, name, pipe } => {
                let span = state.source.span(*at);
                let outer = self.enter(span);
                let value = match pipe {
                    Some(pipe) => self.pipeline(state, dot, pipe).map_err(|e| self.located(e, span))?,
                    None => Data::Missing.into(),
                };
                let Some(template) = self.templates.get(&**name).cloned() else {
                    return Err(self.located(Failure::new(format!("template {name:?} not defined")), span));
                };
                self.execute_into(&template, value, state.out).map_err(|e| self.located(e, span))?;
                self.current = outer;
                Ok(Flow::Next)
            }
        }
    }

    fn enter(&mut self, span: Span) -> Span {
        let outer = self.current;
        if !span.is_none() {
            self.current = span;
        }
        outer
    }

    /// Gives a failure its place, or notes that it came through here.
    fn located(&self, mut failure: Failure, span: Span) -> Failure {
        if span.is_none() {
            return failure;
        }
        if failure.span.is_none() {
            failure.span = span;
        } else if failure.trace.len() < 16 && failure.span != span {
            failure.trace.push(span);
        }
        failure
    }

    /// The place of a condition's value, where the body is short enough for the condition to be about its text and not
    /// about the manifest as a whole.
    fn decided(&self, state: &State<'_>, branch: &Branch, value: &Value) -> Place {
        let body = state.source.text.s.get(branch.whole.range()).unwrap_or("");
        let lines = body.bytes().take(2000).filter(|&b| b == b'\n').count();
        if body.len() >= 2000 || lines > 8 {
            return self.control;
        }
        let place = self.place_of(value);
        if place == 0 { self.control } else { place }
    }

    /// Counts steps.
    fn spend(&mut self, steps: usize) -> Executed<()> {
        self.steps = self.steps.saturating_add(steps);
        if self.steps > MAX_STEPS { Err(Failure::new("the template runs for too long")) } else { Ok(()) }
    }

    fn grow(&mut self, bytes: usize) -> Executed<()> {
        self.written += bytes;
        if self.written > MAX_OUTPUT {
            return Err(Failure::new(format!("the chart renders to more than {} MB", MAX_OUTPUT >> 20)));
        }
        Ok(())
    }

    /// Where a value came from, its pieces included.
    pub fn place_of(&self, value: &Value) -> Place {
        match &value.data {
            Data::String(text) => self.places.of_text(text, value.place),
            _ => value.place,
        }
    }

    fn write(&mut self, state: &mut State<'_>, at: At, value: &Value) -> Executed<()> {
        let owned;
        let (text, own) = match &value.data {
            Data::String(text) => (text, value.place),
            _ => {
                owned = Text::from(to_output(value)?);
                (&owned, value.place)
            }
        };
        self.grow(text.s.len())?;
        let span = state.source.span(at);
        let dynamic = if span.is_none() { state.source.place(at, &self.places) } else { 0 };
        let wrap = |place: Place| -> Place {
            if span.is_none() {
                return self.places.combine([place, dynamic]);
            }
            if place == 0 {
                return self.places.action(span, &[]);
            }
            match self.places.get(place).means {
                Means::Copied | Means::Action => place,
                _ => self.places.action(span, &[place]),
            }
        };
        match &text.pieces {
            None => {
                let place = wrap(own);
                state.out.push(&text.s, place);
            }
            Some(pieces) => {
                let mut start = 0usize;
                for piece in pieces.iter() {
                    let end = piece.end as usize;
                    let inner = if piece.place == 0 { own } else { piece.place };
                    let place = wrap(inner);
                    if place == inner {
                        state.out.push_text(text, start..end, own);
                    } else {
                        state.out.push(text.s.get(start..end).unwrap_or(""), place);
                    }
                    start = end;
                }
            }
        }
        Ok(())
    }

    fn range(&mut self, state: &mut State<'_>, dot: &Value, branch: &Branch) -> Executed<()> {
        let span = state.source.span(branch.at);
        let scope = state.variables.len();
        let outer = self.enter(span);
        // The variables of a range are set for each turn, not by the pipeline.
        let value = self.commands(state, dot, &branch.pipe).map_err(|e| self.located(e, span))?;
        let turns = self.turns(&value).map_err(|e| self.located(e, span))?;
        self.current = outer;
        let control = self.decided(state, branch, &value);
        let outer_control = std::mem::replace(&mut self.control, control);
        let mut result = Ok(());
        if turns.is_empty() {
            if let Some(otherwise) = &branch.otherwise {
                result = self.walk(state, dot, otherwise).map(|_| ());
            }
        } else {
            for (key, item) in turns {
                let turn_scope = state.variables.len();
                match branch.pipe.declared.as_slice() {
                    [] => {}
                    [(one, _)] => {
                        // Over a number, the one variable takes the number, which is the item as well.
                        self.bind(state, one, item.clone(), branch.pipe.assigns);
                    }
                    [(first, _), (second, _), ..] => {
                        self.bind(state, first, key.clone(), branch.pipe.assigns);
                        self.bind(state, second, item.clone(), branch.pipe.assigns);
                    }
                }
                match self.walk(state, &item, &branch.body) {
                    Ok(Flow::Break) => {
                        state.variables.truncate(turn_scope);
                        break;
                    }
                    Ok(_) => state.variables.truncate(turn_scope),
                    Err(e) => {
                        result = Err(e);
                        break;
                    }
                }
            }
        }
        self.control = outer_control;
        state.variables.truncate(scope);
        result
    }

    fn bind(&self, state: &mut State<'_>, name: &Arc<str>, value: Value, assigns: bool) {
        if assigns && let Some((_, slot)) = state.variables.iter_mut().rev().find(|(n, _)| n == name) {
            *slot = value;
            return;
        }
        state.variables.push((name.clone(), value));
    }

    /// What a range runs over, as keys and items.
    fn turns(&self, value: &Value) -> Executed<Vec<(Value, Value)>> {
        let numbered = |items: &[Value]| {
            items
                .iter()
                .enumerate()
                .map(|(i, v)| (Value::int(i64::try_from(i).unwrap_or(0)), v.clone().at(value.place)))
                .collect()
        };
        Ok(match &value.data {
            Data::Missing | Data::Nil => Vec::new(),
            Data::List(items, _) => numbered(items),
            Data::Map(map) => map
                .entries()
                .into_iter()
                .map(|(key, item)| {
                    let key = Value::from(&*key).at(item.place);
                    (key, item)
                })
                .collect(),
            Data::Int(n, kind) => {
                if *n > 1_000_000 {
                    return Err(Failure::new(format!("range over {n} is too long")));
                }
                (0..*n).map(|i| (Data::Int(i, *kind).into(), Data::Int(i, *kind).into())).collect()
            }
            Data::Object(object) => match &**object {
                Object::Files(files) => files
                    .iter()
                    .map(|(name, file)| (Value::from(&**name), functions::bytes_value(&file.text).at(file.place)))
                    .collect(),
                Object::ApiVersions(versions) => {
                    let items: Vec<Value> = versions.iter().map(|v| Value::from(&**v)).collect();
                    numbered(&items)
                }
                _ => return Err(Failure::new(format!("range can't iterate over {}", to_output(value)?))),
            },
            _ => return Err(Failure::new(format!("range can't iterate over {}", to_output(value)?))),
        })
    }

    /// Evaluates a pipeline and sets its variables.
    fn pipeline(&mut self, state: &mut State<'_>, dot: &Value, pipe: &Pipe) -> Executed<Value> {
        let value = self.commands(state, dot, pipe)?;
        for (name, _) in &pipe.declared {
            self.bind(state, name, value.clone(), pipe.assigns);
        }
        Ok(value)
    }

    fn commands(&mut self, state: &mut State<'_>, dot: &Value, pipe: &Pipe) -> Executed<Value> {
        let mut last: Option<Value> = None;
        for command in &pipe.commands {
            let mut value = self.command(state, dot, command, last.take())?;
            // The value of an empty interface loses it: nil becomes no value, whose fields may be asked for.
            if matches!(value.data, Data::Nil) {
                value.data = Data::Missing;
            }
            last = Some(value);
        }
        Ok(last.unwrap_or_else(Value::nil))
    }

    fn command(
        &mut self,
        state: &mut State<'_>,
        dot: &Value,
        command: &Command,
        last: Option<Value>,
    ) -> Executed<Value> {
        let Some((first, arguments)) = command.arguments.split_first() else {
            return Ok(Value::nil());
        };
        if let OperandKind::Function(name) = &first.kind {
            return self.call(state, dot, name, arguments, last);
        }
        let takes_arguments =
            matches!(first.kind, OperandKind::Field(_) | OperandKind::Variable(..) | OperandKind::Chain(..));
        if !takes_arguments && (!arguments.is_empty() || last.is_some()) {
            return Err(self.at(state, first.at, "can't give argument to non-function"));
        }
        match &first.kind {
            OperandKind::Nil => Err(self.at(state, first.at, "nil is not a command")),
            OperandKind::Field(fields) => self.fields(state, dot, dot.clone(), fields, first.at, arguments, last),
            OperandKind::Variable(name, fields) => {
                let value = self.variable(state, name);
                if fields.is_empty() {
                    if !arguments.is_empty() || last.is_some() {
                        return Err(self.at(state, first.at, "can't give argument to non-function"));
                    }
                    return Ok(value);
                }
                self.fields(state, dot, value, fields, first.at, arguments, last)
            }
            OperandKind::Chain(inner, fields) => {
                let value = self.operand(state, dot, inner, 'a')?;
                self.fields(state, dot, value, fields, first.at, arguments, last)
            }
            _ => self.operand(state, dot, first, 'a'),
        }
    }

    fn at(&self, state: &State<'_>, at: At, message: impl Into<String>) -> Failure {
        Failure { span: state.source.span(at), message: message.into(), trace: Vec::new() }
    }

    fn variable(&self, state: &State<'_>, name: &str) -> Value {
        state.variables.iter().rev().find(|(n, _)| &**n == name).map_or_else(Value::nil, |(_, v)| v.clone())
    }

    /// `.a.b.c` of a value; arguments belong to the last name, which must then be a method.
    #[expect(clippy::too_many_arguments, reason = "the parts of one operand")]
    fn fields(
        &mut self,
        state: &mut State<'_>,
        dot: &Value,
        mut value: Value,
        fields: &[Arc<str>],
        at: At,
        arguments: &[Operand],
        last: Option<Value>,
    ) -> Executed<Value> {
        let Some((method, path)) = fields.split_last() else { return Ok(value) };
        for field in path {
            value = builtins::field(&value, field, &[]).map_err(|m| self.at(state, at, m))?;
        }
        let mut given = Vec::new();
        for argument in arguments {
            given.push(self.operand(state, dot, argument, 'a')?);
        }
        given.extend(last);
        let mut result = builtins::field(&value, method, &given).map_err(|m| self.at(state, at, m))?;
        if result.place == 0 && !result.is_nil() && result.as_map().is_none() {
            result.place = value.place;
        }
        Ok(result)
    }

    /// Evaluates an operand for a parameter of this type.
    fn operand(&mut self, state: &mut State<'_>, dot: &Value, operand: &Operand, wanted: char) -> Executed<Value> {
        let value = match &operand.kind {
            OperandKind::Dot => dot.clone(),
            OperandKind::Nil => match wanted {
                'a' | 'm' | 'l' => Data::Missing.into(),
                _ => return Err(self.at(state, operand.at, "cannot assign nil to this argument")),
            },
            OperandKind::Bool(b) => (*b).into(),
            OperandKind::Number(number) => {
                return number_for(number, wanted).map_err(|m| self.at(state, operand.at, m));
            }
            OperandKind::Text(text) => Value::from(&**text),
            OperandKind::Field(fields) => self.fields(state, dot, dot.clone(), fields, operand.at, &[], None)?,
            OperandKind::Variable(name, fields) => {
                let value = self.variable(state, name);
                self.fields(state, dot, value, fields, operand.at, &[], None)?
            }
            OperandKind::Function(name) => self.call(state, dot, name, &[], None)?,
            OperandKind::Pipe(pipe) => self.pipeline(state, dot, pipe)?,
            OperandKind::Chain(inner, fields) => {
                let value = self.operand(state, dot, inner, 'a')?;
                self.fields(state, dot, value, fields, operand.at, &[], None)?
            }
        };
        fits(value, wanted).map_err(|m| self.at(state, operand.at, m))
    }

    fn call(
        &mut self,
        state: &mut State<'_>,
        dot: &Value,
        name: &str,
        arguments: &[Operand],
        last: Option<Value>,
    ) -> Executed<Value> {
        if matches!(name, "and" | "or") {
            return self.short_circuit(state, dot, name == "and", arguments, last);
        }
        let Some(Function { signature, run }) = functions::lookup(name) else {
            return Err(Failure::new(format!("function {name:?} not defined")));
        };
        let (fixed, variadic) = parameters(signature);
        let count = arguments.len() + usize::from(last.is_some());
        if count < fixed.len() || (variadic.is_none() && count > fixed.len()) {
            let wanted = if variadic.is_some() { "at least " } else { "" };
            let message = format!("wrong number of args for {name}: want {wanted}{} got {count}", fixed.len());
            return Err(Failure::new(message));
        }
        let wanted = |i: usize| fixed.get(i).copied().or(variadic).unwrap_or(b'a').into();
        let mut given = Vec::with_capacity(count);
        for (i, argument) in arguments.iter().enumerate() {
            given.push(self.operand(state, dot, argument, wanted(i))?);
        }
        if let Some(last) = last {
            given.push(fits(last, wanted(arguments.len()))?);
        }
        if !functions::looks_at_the_surface(name) {
            let mut steps = MAX_STEPS.saturating_sub(self.steps);
            // What is set is searched for the dictionary that it is set in; the dictionary is not walked through.
            let walked = if name == "set" { given.get(2..) } else { given.get(..) };
            walked.unwrap_or_default().iter().try_for_each(|value| value.weigh(&mut steps))?;
            self.steps = MAX_STEPS - steps;
        }
        let mut value = run(self, &given).map_err(|mut e| {
            if e.span.is_none() {
                e.message = format!("error calling {name}: {}", e.message);
            }
            e
        })?;
        self.spend(1 + value.size())?;
        if value.place == 0 && !matches!(value.data, Data::Map(_)) && value.as_text().is_none_or(|t| t.pieces.is_none())
        {
            let place = self.places.combine(given.iter().map(|v| self.place_of(v)));
            if place != 0 {
                if let Data::List(items, _) = &mut value.data
                    && let Some(items) = Rc::get_mut(items)
                {
                    for item in items.iter_mut().filter(|i| i.place == 0) {
                        item.place = place;
                    }
                }
                value.place = place;
            }
        }
        // A test or a measure of a stand-in holds for whatever comes in its place.
        let measures = matches!(value.data, Data::Bool(_) | Data::Int(..)) || matches!(name, "kindOf" | "typeOf");
        if measures && name != "randInt" && self.places.is_unknown(value.place) {
            value.place = 0;
        }
        Ok(value)
    }

    /// `and` and `or` evaluate only as many arguments as they need.
    fn short_circuit(
        &mut self,
        state: &mut State<'_>,
        dot: &Value,
        and: bool,
        arguments: &[Operand],
        last: Option<Value>,
    ) -> Executed<Value> {
        let mut value = Value::nil();
        if arguments.is_empty() && last.is_none() {
            return Err(Failure::new(format!(
                "wrong number of args for {}: want at least 1 got 0",
                if and { "and" } else { "or" }
            )));
        }
        let mut seen: Vec<Place> = Vec::new();
        for argument in arguments {
            value = self.operand(state, dot, argument, 'a')?;
            seen.push(self.place_of(&value));
            if value.truth() != and {
                return Ok(self.joined(value, &seen));
            }
        }
        if let Some(last) = last {
            seen.push(self.place_of(&last));
            value = last;
        }
        Ok(self.joined(value, &seen))
    }

    fn joined(&self, value: Value, seen: &[Place]) -> Value {
        if value.place != 0 || value.as_text().is_some_and(|t| t.pieces.is_some()) {
            return value;
        }
        let place = self.places.combine(seen.iter().copied());
        value.at(place)
    }
}

/// The fixed parameters of a signature and the type of further ones.
fn parameters(signature: &'static str) -> (&'static [u8], Option<u8>) {
    match signature.as_bytes() {
        [fixed @ .., last, b'*'] => (fixed, Some(*last)),
        fixed => (fixed, None),
    }
}

/// A number literal for a parameter of this type.
fn number_for(number: &Number, wanted: char) -> Result<Value, String> {
    match wanted {
        'i' => number.int.map(Value::int).ok_or_else(|| format!("expected integer; found {}", number.text)),
        'f' => number.float.map(Value::from).ok_or_else(|| format!("expected float; found {}", number.text)),
        's' => Err(format!("expected string; found {}", number.text)),
        'b' => Err(format!("expected bool; found {}", number.text)),
        'm' | 'l' => Err(format!("can't handle {} for this argument", number.text)),
        _ => {
            if number.written_as_float {
                return number.float.map(Value::from).ok_or_else(|| format!("bad number {}", number.text));
            }
            if number.text.starts_with('\'') {
                return Ok(Data::Int(number.int.unwrap_or(0), IntType::Int32).into());
            }
            number.int.map(Value::int).ok_or_else(|| format!("{} overflows int", number.text))
        }
    }
}

/// Whether Go's reflection would pass the value to a parameter of this type.
fn fits(value: Value, wanted: char) -> Result<Value, String> {
    let expected = match (wanted, &value.data) {
        ('a', _)
        | ('s', Data::String(_))
        | ('i', Data::Int(_, IntType::Int))
        | ('f', Data::Float(_))
        | ('b', Data::Bool(_))
        | ('l', Data::List(_, super::value::Members::Any))
        | ('m', Data::Map(MapRef { members: super::value::Members::Any, .. })) => return Ok(value),
        // Of what a field holds, nil is an empty interface, which is no map and no list; of what a pipeline makes, nil has no type and fits.
        ('m', Data::Missing) => {
            // A nil map may be read and must not be written; an empty one that nobody keeps is the same to a reader.
            return Ok(Value { data: Data::Map(MapRef::default()), place: value.place });
        }
        ('l', Data::Missing) => return Ok(Value { place: value.place, ..Vec::new().into() }),
        ('s', _) => "string",
        ('i', _) => "int",
        ('f', _) => "float64",
        ('b', _) => "bool",
        ('l', _) => "[]interface {}",
        _ => "map[string]interface {}",
    };
    Err(match value.data {
        Data::Missing => format!("invalid value; expected {expected}"),
        Data::Nil => format!("wrong type for value; expected {expected}; got interface {{}}"),
        _ => format!("wrong type for value; expected {expected}; got {}", value.type_name()),
    })
}
