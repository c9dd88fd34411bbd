//! What the names in a module's expressions stand for.

use super::body::EvalBody;
use super::engine::{self, Engine, EvalCall, EvalResource, Instance};
use super::eval::{EvalError, FileRead, Member, Refs, Resolved, Scope, Type, Val};
use super::expand::{Key, Mode};
use super::module::ResourceDecl;
use super::{paths, refs};
use crate::base::Span;
use crate::graph::{Cause, CauseKind, How};
use crate::syntax::hcl::tree::{Step, StepKind, Text};
use std::cell::Cell;
use std::sync::Arc;

/// A module instance's names, with those that hold for one resource, call or dynamic block alone.
#[derive(Clone)]
pub struct ModuleScope<'e, 'a> {
    engine: &'e Engine<'a>,
    instance: u32,
    each: Option<(Key, Val)>,
    /// The iterators of the dynamic blocks around, innermost last.
    iterators: Vec<(Text, Val)>,
    self_val: Option<Val>,
    uncertain: Option<Arc<Cause>>,
}

type Found = Result<Resolved, Box<EvalError>>;

impl<'e, 'a> ModuleScope<'e, 'a> {
    /// The names of a module instance.
    pub fn new(engine: &'e Engine<'a>, instance: u32) -> ModuleScope<'e, 'a> {
        ModuleScope { engine, instance, each: None, iterators: Vec::new(), self_val: None, uncertain: None }
    }

    /// The module instance.
    pub fn instance(&self) -> u32 {
        self.instance
    }

    /// With `each` or `count` of an instance of a resource or call.
    #[must_use]
    pub fn with_each(mut self, key: &Key, value: &Val) -> Self {
        self.each = Some((key.clone(), value.clone()));
        match (key, value.as_unknown()) {
            (Key::Any, Some(unknown)) => self.uncertain(unknown.cause.clone()),
            _ => self,
        }
    }

    /// With the iterator of a dynamic block.
    #[must_use]
    pub fn with_iterator(&self, name: Text, key: Val, value: Val) -> Self {
        let mut scope = self.clone();
        let member = |name: &str, val: Val| Member { key: name.into(), key_span: Span::NONE, val };
        scope.iterators.push((name, Val::object(vec![member("key", key), member("value", value)])));
        scope
    }

    /// For something of which it is not known whether it exists at all.
    #[must_use]
    pub fn uncertain(mut self, cause: Arc<Cause>) -> Self {
        self.uncertain.get_or_insert(cause);
        self
    }

    /// Why it is not known whether what is evaluated exists.
    pub fn doubt(&self) -> Option<&Arc<Cause>> {
        self.uncertain.as_ref()
    }

    /// With `self`.
    #[must_use]
    pub fn with_self(mut self, val: Val) -> Self {
        self.self_val = Some(val);
        self
    }

    fn here(&self) -> &'e Instance<'a> {
        &self.engine.instances[self.instance as usize]
    }

    /// What stands for a name that is not declared. Terraform would stop here; a linter often sees a part of a
    /// configuration, and what does not depend on that name is known all the same.
    fn undeclared(&self, kind: CauseKind, message: String, steps: usize, span: Span) -> Resolved {
        let noted = if kind == CauseKind::Missing { CauseKind::Error } else { kind };
        self.engine.note(span, noted, message.clone());
        Resolved { val: Val::unknown(kind, message, span), steps, how: How::Literal }
    }

    /// Whether a path leads out of the workspace. What is checked may itself lie beside the working directory; then
    /// its modules' folders are inside.
    fn is_outside(&self, path: &str) -> bool {
        let below =
            |folder: &str| path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        path.starts_with("..")
            && !below(&self.engine.root_dir)
            && !self.engine.instances.iter().any(|instance| below(&instance.module.dir))
    }

    fn variable(&self, name: &str, span: Span) -> Found {
        let here = self.here();
        let Some(index) = here.module.variable(name) else {
            return Ok(self.undeclared(CauseKind::Missing, format!("variable `{name}` is not declared"), 1, span));
        };
        Ok(match here.variable(index) {
            Some(variable) => Resolved { val: variable.val.clone(), steps: 1, how: variable.how.clone() },
            None => Resolved { val: engine::cycle(&format!("var.{name}"), span), steps: 1, how: How::Variable },
        })
    }

    fn local(&self, name: &str, span: Span) -> Found {
        let here = self.here();
        let Some(index) = here.module.local(name) else {
            return Ok(self.undeclared(CauseKind::Missing, format!("local `{name}` is not declared"), 1, span));
        };
        let val = here.locals.get(index as usize).cloned().flatten();
        let val = val.unwrap_or_else(|| engine::cycle(&format!("local.{name}"), span));
        Ok(Resolved { val, steps: 1, how: How::Local })
    }

    fn module(&self, name: &Text, steps: &[Step], span: Span) -> Found {
        let here = self.here();
        let Some(index) = here.module.call(name) else {
            return Ok(self.undeclared(CauseKind::Missing, format!("module `{name}` is not declared"), 1, span));
        };
        let how = How::Function;
        let address: Arc<str> = format!("{}module.{name}", here.path).into();
        let Some(call) = here.calls.get(index as usize).and_then(Option::as_ref) else {
            return Ok(Resolved { val: engine::cycle(&address, span), steps: 1, how });
        };
        if let Some(cause) = &call.missing {
            let mut val = Val::unknown_of(Type::Any, cause.clone());
            val.refs = Refs::one(address, span);
            return Ok(Resolved { val, steps: 1, how });
        }
        let wanted = match refs::reference(&"module".into(), steps) {
            Some(refs::Reference::Module(_, output)) => output,
            _ => None,
        };
        // The common case needs no object.
        if let (Mode::Single, Some(output), [child]) = (call.expansion.mode, &wanted, call.children.as_slice()) {
            let val = self.output(*child, output, span)?;
            return Ok(Resolved { val, steps: 2, how });
        }
        Ok(Resolved { val: self.call_value(call, wanted.as_ref(), span)?, steps: 1, how })
    }

    fn output(&self, child: u32, name: &Text, span: Span) -> Result<Val, Box<EvalError>> {
        let child = &self.engine.instances[child as usize];
        let Some(index) = child.module.output(name) else {
            if child.module.stand_in {
                let message = format!("`{}{name}` is an output of a module that is not here", child.path);
                let mut val = Val::unknown(CauseKind::Missing, message, span);
                val.refs = Refs::one(child.path.trim_end_matches('.'), span);
                return Ok(val);
            }
            return Err(EvalError::reference(format!("the module has no output `{name}`"), span));
        };
        let val = child.outputs.get(index as usize).cloned().flatten();
        Ok(val.unwrap_or_else(|| engine::cycle(&format!("{}output.{name}", child.path), span)))
    }

    /// The value of a call with the outputs that are wanted: all of them, or one.
    fn call_value(&self, call: &EvalCall, wanted: Option<&Text>, span: Span) -> Result<Val, Box<EvalError>> {
        if let Some(cause) = &call.expansion.unknown {
            let mut val = Val::unknown_of(Type::Any, cause.clone());
            for &child in &call.children {
                let child = &self.engine.instances[child as usize];
                child.outputs.iter().flatten().for_each(|v| val.refs.add(&v.deep_refs()));
            }
            return Ok(val);
        }
        let mut objects = Vec::with_capacity(call.children.len());
        for &child in &call.children {
            let names: Vec<Text> = match wanted {
                Some(name) => vec![name.clone()],
                None => {
                    let module = &self.engine.instances[child as usize].module;
                    module.outputs.iter().map(|o| o.name.clone()).collect()
                }
            };
            let mut members = Vec::with_capacity(names.len());
            for key in names {
                let val = self.output(child, &key, span)?;
                members.push(Member { key, key_span: Span::NONE, val });
            }
            let object = Val::object(members);
            let child = &self.engine.instances[child as usize];
            objects.push(if child.module.stand_in {
                let message = format!("`{}` is a module that is not here", child.path.trim_end_matches('.'));
                object.open(Arc::new(Cause { kind: CauseKind::Missing, message, span }))
            } else {
                object
            });
        }
        Ok(keyed(call.expansion.mode, call.expansion.keys.iter().map(|(key, _)| key), objects))
    }

    fn resource(&self, kind: &Text, name: &Text, steps: &[Step], named: usize, span: Span) -> Found {
        let here = self.here();
        let Some(index) = here.module.resource(kind, name) else {
            return Ok(self.undeclared(CauseKind::Undeclared, format!("`{kind}.{name}` is not declared"), named, span));
        };
        let declared = &here.module.resources[index as usize];
        let address: Arc<str> = format!("{}{}", here.path, declared.address).into();
        let how = How::Function;
        check_steps(declared, steps.get(named..).unwrap_or_default())?;
        let Some(resource) = here.resources.get(index as usize).and_then(Option::as_ref) else {
            return Ok(Resolved { val: engine::cycle(&address, span), steps: named, how });
        };
        // The common case needs no object.
        if let (Mode::Single, [body], Some(Step { kind: StepKind::Attr(attr), .. })) =
            (resource.expansion.mode, resource.bodies.as_slice(), steps.get(named))
        {
            let rest = (!declared.is_builtin()).then(|| computed_cause(declared, &format!("{address}.{attr}"), span));
            let mut val = match body.attribute_val(attr, rest.as_ref()) {
                Some(val) => val,
                None => computed(declared, body, &address, attr, span),
            };
            val.refs.add(&Refs::one(address, span));
            return Ok(Resolved { val, steps: named + 1, how });
        }
        let val = resource.val.get_or_init(|| resource_value(declared, resource, &here.path)).clone();
        Ok(Resolved { val, steps: named, how })
    }

    fn each(&self, name: &str, span: Span) -> Found {
        let wrong = |message: &str| Err(EvalError::reference(message, span));
        let Some((key, value)) = &self.each else {
            return wrong("`each` and `count` exist only where `for_each` and `count` are given");
        };
        let val = match (key, name) {
            (Key::Name(name), "each.key") => Val::string(name.clone()),
            (Key::Name(_) | Key::Any, "each.value") => value.clone(),
            (Key::Index(index), "count.index") => Val::count(*index),
            (Key::Any, "each.key" | "count.index") => {
                let ty = if name == "each.key" { Type::String } else { Type::Number };
                match value.as_unknown() {
                    Some(unknown) => Val::unknown_of(ty, unknown.cause.clone()).not_null(),
                    None => Val::unknown(CauseKind::Input, format!("`{name}` is not known"), span),
                }
            }
            _ => return wrong(&format!("there is no `{name}` here")),
        };
        Ok(Resolved { val, steps: 1, how: How::Local })
    }

    fn path(&self, name: &str, span: Span) -> Found {
        let root = &self.engine.root_dir;
        let val = match name {
            "module" => Val::string(paths::relative(root, &self.here().module.dir)),
            "root" => Val::string("."),
            "cwd" => Val::unknown_of(
                Type::String,
                Arc::new(Cause {
                    kind: CauseKind::External,
                    message: "the folder in which Terraform runs".to_owned(),
                    span,
                }),
            )
            .not_null(),
            _ => return Err(EvalError::reference(format!("there is no `path.{name}`"), span)),
        };
        Ok(Resolved { val, steps: 1, how: How::Literal })
    }

    fn terraform(&self, name: &str, span: Span) -> Found {
        let val = match name {
            "workspace" => Val::string(self.engine.cx.options.workspace.as_deref().unwrap_or("default")),
            "applying" => Val::bool(false),
            _ => return Err(EvalError::reference(format!("there is no `terraform.{name}`"), span)),
        };
        Ok(Resolved { val, steps: 1, how: How::Literal })
    }
}

/// The values of instances as a reference to all of them has them.
fn keyed<'k>(mode: Mode, keys: impl Iterator<Item = &'k Key>, mut vals: Vec<Val>) -> Val {
    match mode {
        Mode::Single => vals.pop().unwrap_or_else(Val::null),
        Mode::Count => Val::tuple(vals),
        Mode::ForEach => {
            let member = |(key, val): (&Key, Val)| match key {
                Key::Name(name) => Some(Member { key: name.clone(), key_span: Span::NONE, val }),
                _ => None,
            };
            Val::object(keys.zip(vals).filter_map(member).collect())
        }
    }
}

/// Refuses attributes that cannot exist whatever the provider is: Terraform holds references against the schema before
/// it evaluates anything, so that `try` and `can` do not catch it.
fn check_steps(declared: &ResourceDecl<'_>, steps: &[Step]) -> Result<(), Box<EvalError>> {
    let steps = match steps.first().map(|s| &s.kind) {
        Some(StepKind::Index(_)) => steps.get(1..).unwrap_or_default(),
        _ => steps,
    };
    let Some(Step { kind: StepKind::Attr(attr), span }) = steps.first() else { return Ok(()) };
    if declared.is_builtin() && !BUILTIN_ATTRIBUTES.contains(&&**attr) {
        return Err(EvalError::reference(format!("`{}` has no attribute `{attr}`", declared.kind), *span));
    }
    match steps.get(1) {
        Some(deeper) if &**attr == "id" && !matches!(deeper.kind, StepKind::Splat { .. }) => {
            Err(EvalError::reference("`id` is text, which has no attributes", deeper.span))
        }
        _ => Ok(()),
    }
}

/// The attributes of `terraform_data`.
const BUILTIN_ATTRIBUTES: [&str; 4] = ["id", "input", "output", "triggers_replace"];

/// An attribute that the configuration does not set.
fn computed(declared: &ResourceDecl<'_>, body: &EvalBody, address: &str, attr: &str, span: Span) -> Val {
    if declared.is_builtin() && matches!(attr, "input" | "triggers_replace") {
        return Val::null();
    }
    let ty = match attr {
        "id" => Type::String,
        // What comes out is of the type of what goes in.
        "output" if declared.is_builtin() => match body.attribute_val("input", None) {
            None => return Val::null(),
            Some(input) => {
                let cause = computed_cause(declared, &format!("{address}.{attr}"), span);
                return Val::unknown_of(input.ty(), cause);
            }
        },
        _ => Type::Any,
    };
    Val::unknown_of(ty, computed_cause(declared, &format!("{address}.{attr}"), span)).not_null()
}

/// Why what the configuration does not say about a resource is not known.
fn computed_cause(declared: &ResourceDecl<'_>, what: &str, span: Span) -> Arc<Cause> {
    let (kind, when) = if declared.kind.starts_with("data.") {
        (CauseKind::External, "is read when the plan is made")
    } else {
        (CauseKind::Computed, "is known only after apply")
    };
    Arc::new(Cause { kind, message: format!("`{what}` {when}"), span })
}

/// The value of a reference to a whole resource with all its instances.
pub fn resource_value(declared: &ResourceDecl<'_>, resource: &EvalResource, path: &str) -> Val {
    let base = format!("{path}{}", declared.address);
    if let Some(cause) = &resource.expansion.unknown {
        let mut val = Val::unknown_of(Type::Any, cause.clone());
        val.refs = Refs::one(base, Span::NONE);
        return val;
    }
    let keys = || resource.expansion.keys.iter().map(|(key, _)| key);
    let vals = keys()
        .zip(&resource.bodies)
        .map(|(key, body)| {
            let address = format!("{base}{key}");
            let head = declared.body.block.head;
            let rest = (!declared.is_builtin()).then(|| computed_cause(declared, &address, head));
            let mut val = body.to_val(rest.as_ref());
            val.origin.span = head;
            if declared.is_builtin() {
                for attr in BUILTIN_ATTRIBUTES {
                    val = with_attribute(val, attr, || computed(declared, body, &address, attr, head));
                }
            }
            val.refs = Refs::one(address, Span::NONE);
            val
        })
        .collect();
    keyed(resource.expansion.mode, keys(), vals)
}

/// The object with an attribute, where it lacks it.
fn with_attribute(val: Val, name: &str, make: impl FnOnce() -> Val) -> Val {
    let super::eval::Datum::Object(table) = &val.datum else { return val };
    if table.get(name).is_some() {
        return val;
    }
    let mut members = table.entries.clone();
    members.push(Member { key: name.into(), key_span: Span::NONE, val: make() });
    let mut object = Val::object(members);
    object.origin = val.origin;
    object
}

impl Scope for ModuleScope<'_, '_> {
    fn source(&self, span: Span) -> Option<&str> {
        self.engine.cx.inputs.get(&span.file).map(|input| input.file.slice(span))
    }

    fn budget(&self) -> Option<&Cell<usize>> {
        Some(&self.engine.budget)
    }

    fn resolve(&self, root: &str, steps: &[Step], span: Span) -> Found {
        let attr = |index: usize| match steps.get(index).map(|s| &s.kind) {
            Some(StepKind::Attr(name)) => Some(name),
            _ => None,
        };
        if let Some((_, val)) = self.iterators.iter().rev().find(|(name, _)| &**name == root) {
            return Ok(Resolved { val: val.clone(), steps: 0, how: How::Local });
        }
        let incomplete = || {
            let message = format!("`{root}` by itself is no value; write for example `{root}.name`");
            EvalError::reference(message, span)
        };
        if root == "self" {
            return match &self.self_val {
                Some(val) => Ok(Resolved { val: val.clone(), steps: 0, how: How::Local }),
                None => Err(EvalError::reference("there is no `self` here", span)),
            };
        }
        let first = attr(0).ok_or_else(incomplete)?;
        match root {
            "var" => self.variable(first, span),
            "local" => self.local(first, span),
            "module" => self.module(first, steps, span),
            "each" | "count" => self.each(&format!("{root}.{first}"), span),
            "path" => self.path(first, span),
            "terraform" | "tofu" => self.terraform(first, span),
            "data" | "ephemeral" => {
                let name = attr(1).ok_or_else(incomplete)?;
                self.resource(&format!("{root}.{first}").into(), name, steps, 2, span)
            }
            "resource" => self.resource(first, attr(1).ok_or_else(incomplete)?, steps, 2, span),
            _ => self.resource(&root.into(), first, steps, 1, span),
        }
    }

    fn read(&self, path: &str) -> FileRead {
        if path.starts_with('/') || path.starts_with('~') {
            return FileRead::Unknown(format!("`{path}` lies outside of the workspace"));
        }
        let path = paths::join(&self.engine.root_dir, path);
        match (self.engine.cx.read)(&path) {
            Some(file) => FileRead::Found(file),
            None if self.is_outside(&path) => FileRead::Unknown(format!("`{path}` lies outside of the workspace")),
            None => FileRead::Missing,
        }
    }

    fn list(&self, dir: &str) -> Option<Vec<Arc<str>>> {
        if dir.starts_with('/') || dir.starts_with('~') {
            return None;
        }
        let dir = paths::join(&self.engine.root_dir, dir);
        if self.is_outside(&dir) {
            return None;
        }
        let prefix = if dir.is_empty() { String::new() } else { format!("{dir}/") };
        let files = (self.engine.cx.list)(&dir);
        Some(files.iter().filter_map(|f| f.strip_prefix(&*prefix)).map(Arc::from).collect())
    }
}
