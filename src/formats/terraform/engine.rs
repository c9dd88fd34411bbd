//! Evaluates a root module and everything it calls.
//!
//! The unit of evaluation is a [`Node`]: a variable, local, output, resource or call of one module instance. A node is
//! evaluated once, after all that it refers to; the order is found with a stack of our own, so that chains of any
//! length cost no machine stack, and a cycle is seen as a node that is met again while it waits.

use super::body::{Bodies, EvalBody};
use super::eval::{self, EvalError, Marks, Type, Val};
use super::expand::{Expansion, Key};
use super::inputs::RootValues;
use super::module::{Call, Declared, Dep, Module};
use super::registry::{self, Place, StandIn};
use super::scope::ModuleScope;
use super::sources::Sources;
use crate::base::{FastMap, FastSet, FileId, Span};
use crate::formats::{LedgerEntry, LowerContext};
use crate::graph::{Cause, CauseKind, How, Origin};
use crate::syntax::hcl::tree::{Expr, ExprKind, Text};
use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

/// How many instances of resources, and of modules, one root module may have.
pub const MAX_RESOURCES: usize = 20_000;
/// How many module instances one root module may have.
pub const MAX_MODULES: usize = 4_000;
/// How many parts a value may have, and how deep they may nest.
const MAX_PARTS: usize = 200_000;
const MAX_VALUE_DEPTH: usize = 200;
/// How many parts all values of one root module may have together; a string counts by its length. Ordinary
/// configurations stay far below (the largest of a public collection of 800 files needs 11,000); beyond it, what is
/// computed is unknown.
const MAX_TOTAL: usize = 3_000_000;
/// What an evaluation costs beside the parts of its value.
const EVALUATION: usize = 3;
/// How many steps are taken through the origins of one value to see whether they are too many.
const MAX_ORIGIN_STEPS: usize = 100_000;
/// How many origins, and how many one behind the other, a value keeps.
const MAX_ORIGINS: usize = 200;
const MAX_ORIGIN_DEPTH: usize = 64;
/// How deep module calls may nest.
const MAX_MODULE_DEPTH: usize = 500;

/// One instance of a module: the root, or what one instance of a call makes.
pub struct Instance<'a> {
    /// Its declarations.
    pub module: Rc<Module<'a>>,
    /// What stands before the addresses of its resources: `module.a[0].`, empty for the root.
    pub path: Arc<str>,
    /// The names of the calls that lead here, as `.terraform/modules/modules.json` keys them: `a.b`.
    pub key_path: Arc<str>,
    /// The calls' places, outermost first.
    pub callers: Arc<[Span]>,
    /// Who called it.
    pub site: Option<Site>,
    /// The values.
    pub variables: Vec<Option<Variable>>,
    /// The values of the locals.
    pub locals: Vec<Option<Val>>,
    /// The values of the outputs.
    pub outputs: Vec<Option<Val>>,
    /// The resources with their instances.
    pub resources: Vec<Option<EvalResource>>,
    /// The calls with the instances they make.
    pub calls: Vec<Option<EvalCall>>,
    /// Whether all of its outputs are evaluated.
    whole: bool,
}

/// The call that made a module instance.
#[derive(Clone, Debug)]
pub struct Site {
    /// The instance that calls.
    pub parent: u32,
    /// The index of the call there.
    pub call: u32,
    /// Which instance of the call.
    pub key: Key,
    /// `each.value` of the call's instance.
    pub each: Val,
}

/// A variable's value.
pub struct Variable {
    /// The value as the module sees it.
    pub val: Val,
    /// The value as it was given, before its conversion.
    pub given: Option<Val>,
    /// Where it came from.
    pub how: How,
}

/// A resource's instances.
pub struct EvalResource {
    /// How many there are and how they are named.
    pub expansion: Expansion,
    /// The body of each, in the order of the keys.
    pub bodies: Vec<EvalBody>,
    /// The value that a reference to the resource has, made when there is one.
    pub val: OnceCell<Val>,
}

/// A call's instances.
pub struct EvalCall {
    /// How many there are and how they are named.
    pub expansion: Expansion,
    /// The module instance of each, in the order of the keys; none where the module is missing.
    pub children: Vec<u32>,
    /// Why there is no module.
    pub missing: Option<Arc<Cause>>,
}

/// What is evaluated once.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Node {
    instance: u32,
    what: What,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum What {
    Variable(u32),
    Local(u32),
    Output(u32),
    Resource(u32),
    /// The expansion of a call; its outputs are nodes of their own.
    Call(u32),
}

/// Everything about one root module.
pub struct Engine<'a> {
    /// What may be read.
    pub cx: &'a LowerContext<'a>,
    /// Where modules are.
    pub sources: &'a Sources,
    /// The folder of the root module.
    pub root_dir: Arc<str>,
    /// The module instances; the first one is the root.
    pub instances: Vec<Instance<'a>>,
    /// What could not be evaluated.
    pub ledger: RefCell<Vec<LedgerEntry>>,
    noted: RefCell<FastSet<(Span, String)>>,
    modules: FastMap<Arc<str>, Rc<Module<'a>>>,
    root_values: RootValues,
    resources: usize,
    /// How many parts values may still have.
    pub budget: Cell<usize>,
    exhausted: OnceCell<Val>,
}

impl<'a> Engine<'a> {
    /// Evaluates the module in `root_dir`.
    pub fn run(
        cx: &'a LowerContext<'a>,
        sources: &'a Sources,
        root_dir: Arc<str>,
        root_values: RootValues,
    ) -> Engine<'a> {
        let mut engine = Engine {
            cx,
            sources,
            root_dir: root_dir.clone(),
            instances: Vec::new(),
            ledger: RefCell::default(),
            noted: RefCell::default(),
            modules: FastMap::default(),
            root_values,
            resources: 0,
            budget: Cell::new(MAX_TOTAL),
            exhausted: OnceCell::new(),
        };
        let module = engine.module(&root_dir);
        engine.add_instance(module, "".into(), "".into(), Arc::from([]), None);
        // Instances are added while calls are expanded.
        let mut next = 0;
        while next < engine.instances.len() {
            let instance = next as u32;
            let count = |n: usize| 0..n as u32;
            let module = engine.instances[next].module.clone();
            for i in count(module.variables.len()) {
                engine.force(Node { instance, what: What::Variable(i) });
            }
            // Once all room is used up, only locals that something else needs are looked at.
            for i in count(module.locals.len()) {
                if engine.budget.get() == 0 {
                    engine.exhausted(module.locals[i as usize].attribute.value.span);
                    break;
                }
                engine.force(Node { instance, what: What::Local(i) });
            }
            for i in count(module.resources.len()) {
                engine.force(Node { instance, what: What::Resource(i) });
            }
            for i in count(module.calls.len()) {
                engine.force(Node { instance, what: What::Call(i) });
            }
            for i in count(module.outputs.len()) {
                engine.force(Node { instance, what: What::Output(i) });
            }
            next += 1;
        }
        engine
    }

    /// Enters something into the ledger, once.
    pub fn note(&self, span: Span, kind: CauseKind, message: String) {
        // That the module behind a stand-in is not here is in the ledger already.
        if span.file == FileId::EMBEDDED {
            return;
        }
        if self.noted.borrow_mut().insert((span, message.clone())) {
            self.ledger.borrow_mut().push(LedgerEntry { span, kind, message });
        }
    }

    fn module(&mut self, dir: &Arc<str>) -> Rc<Module<'a>> {
        if let Some(module) = self.modules.get(dir) {
            return module.clone();
        }
        let files = self.sources.files(dir);
        let module = Rc::new(Module::new(dir, files, self.cx));
        for problem in &module.problems {
            self.note(problem.span, problem.kind, problem.message.clone());
        }
        self.modules.insert(dir.clone(), module.clone());
        module
    }

    fn add_instance(
        &mut self,
        module: Rc<Module<'a>>,
        path: Arc<str>,
        key_path: Arc<str>,
        callers: Arc<[Span]>,
        site: Option<Site>,
    ) -> u32 {
        fn empty<T>(n: usize) -> Vec<Option<T>> {
            std::iter::repeat_with(|| None).take(n).collect()
        }
        let instance = Instance {
            path,
            key_path,
            callers,
            site,
            variables: empty(module.variables.len()),
            locals: empty(module.locals.len()),
            outputs: empty(module.outputs.len()),
            resources: empty(module.resources.len()),
            calls: empty(module.calls.len()),
            whole: module.outputs.is_empty(),
            module,
        };
        self.instances.push(instance);
        (self.instances.len() - 1) as u32
    }

    // --- order ---

    fn is_done(&self, node: Node) -> bool {
        let instance = &self.instances[node.instance as usize];
        match node.what {
            What::Variable(i) => instance.variables[i as usize].is_some(),
            What::Local(i) => instance.locals[i as usize].is_some(),
            What::Output(i) => instance.outputs[i as usize].is_some(),
            What::Resource(i) => instance.resources[i as usize].is_some(),
            What::Call(i) => instance.calls[i as usize].is_some(),
        }
    }

    /// Evaluates a node and, before it, what it needs.
    fn force(&mut self, node: Node) {
        if self.is_done(node) {
            return;
        }
        let mut stack = vec![node];
        let mut waiting: FastSet<Node> = FastSet::default();
        let mut needed = Vec::new();
        while let Some(&top) = stack.last() {
            if self.is_done(top) {
                waiting.remove(&top);
                stack.pop();
                continue;
            }
            waiting.insert(top);
            self.needs(top, &mut needed);
            let before = stack.len();
            for need in needed.drain(..) {
                if self.is_done(need) {
                    continue;
                }
                if waiting.contains(&need) {
                    self.note_cycle(&stack[..before], &waiting, need);
                } else {
                    stack.push(need);
                }
            }
            if stack.len() == before {
                self.compute(top);
                waiting.remove(&top);
                stack.pop();
            }
        }
    }

    /// What has to be evaluated before a node, as far as that can be said by now.
    fn needs(&mut self, node: Node, needed: &mut Vec<Node>) {
        let index = node.instance as usize;
        let module = self.instances[index].module.clone();
        match node.what {
            What::Local(i) => self.expand_deps(node.instance, &module.locals[i as usize].deps, needed),
            What::Output(i) => self.expand_deps(node.instance, &module.outputs[i as usize].deps, needed),
            What::Resource(i) => self.expand_deps(node.instance, &module.resources[i as usize].deps, needed),
            What::Call(i) => self.expand_deps(node.instance, &module.calls[i as usize].deps, needed),
            What::Variable(i) => {
                let Some(site) = self.instances[index].site.clone() else { return };
                let parent = self.instances[site.parent as usize].module.clone();
                let name = &module.variables[i as usize].name;
                if let Some((_, deps)) = parent.calls[site.call as usize].arguments.get(name) {
                    self.expand_deps(site.parent, deps, needed);
                }
            }
        }
    }

    fn expand_deps(&mut self, instance: u32, deps: &[Dep], needed: &mut Vec<Node>) {
        for dep in deps {
            let what = match dep {
                Dep::Variable(i) => What::Variable(*i),
                Dep::Local(i) => What::Local(*i),
                Dep::Resource(i) => What::Resource(*i),
                Dep::Output(call, name) => {
                    self.child_outputs(instance, *call, Some(name), needed);
                    continue;
                }
                Dep::Call(call) => {
                    self.child_outputs(instance, *call, None, needed);
                    continue;
                }
            };
            needed.push(Node { instance, what });
        }
    }

    fn child_outputs(&mut self, instance: u32, call: u32, name: Option<&Text>, needed: &mut Vec<Node>) {
        let Some(expanded) = &self.instances[instance as usize].calls[call as usize] else {
            needed.push(Node { instance, what: What::Call(call) });
            return;
        };
        for child in expanded.children.clone() {
            let target = &self.instances[child as usize];
            if target.whole {
                continue;
            }
            match name {
                Some(name) => {
                    let output = target.module.output(name);
                    needed.extend(output.map(|i| Node { instance: child, what: What::Output(i) }));
                }
                None => {
                    let before = needed.len();
                    for (i, output) in target.outputs.iter().enumerate() {
                        if output.is_none() {
                            needed.push(Node { instance: child, what: What::Output(i as u32) });
                        }
                    }
                    if needed.len() == before {
                        self.instances[child as usize].whole = true;
                    }
                }
            }
        }
    }

    fn name_of(&self, node: Node) -> (String, Span) {
        let instance = &self.instances[node.instance as usize];
        let module = &instance.module;
        let (name, span) = match node.what {
            What::Variable(i) => {
                let variable = &module.variables[i as usize];
                (format!("var.{}", variable.name), variable.body.block.head)
            }
            What::Local(i) => {
                let attribute = module.locals[i as usize].attribute;
                (format!("local.{}", attribute.name.text), attribute.name.span)
            }
            What::Output(i) => {
                let output = &module.outputs[i as usize];
                (format!("output.{}", output.name), output.body.block.head)
            }
            What::Resource(i) => {
                let resource = &module.resources[i as usize];
                (resource.address.to_string(), resource.body.block.head)
            }
            What::Call(i) => {
                let call = &module.calls[i as usize];
                (format!("module.{}", call.name), call.body.block.head)
            }
        };
        (format!("{}{name}", instance.path), span)
    }

    fn note_cycle(&self, stack: &[Node], waiting: &FastSet<Node>, again: Node) {
        let from = stack.iter().position(|&n| n == again).unwrap_or(0);
        // The stack also holds nodes that nobody has looked at yet; only those in progress make up the cycle.
        let way = stack[from..].iter().filter(|n| waiting.contains(n));
        let names: Vec<String> = way.take(8).map(|&n| self.name_of(n).0).collect();
        let (name, span) = self.name_of(again);
        let way = if names.len() > 1 { format!(" ({} → {name})", names.join(" → ")) } else { String::new() };
        self.note(span, CauseKind::Error, format!("`{name}` refers to itself{way}"));
    }

    // --- evaluation ---

    fn compute(&mut self, node: Node) {
        let index = node.instance as usize;
        match node.what {
            What::Variable(i) => {
                let variable = self.variable(node.instance, i);
                self.instances[index].variables[i as usize] = Some(variable);
            }
            What::Local(i) => {
                let module = self.instances[index].module.clone();
                let val = self.eval(&module.locals[i as usize].attribute.value, &self.scope(node.instance));
                self.instances[index].locals[i as usize] = Some(val);
            }
            What::Output(i) => {
                let module = self.instances[index].module.clone();
                let body = &module.outputs[i as usize].body;
                let mut val = match body.value("value") {
                    Some(expr) => self.eval(expr, &self.scope(node.instance)),
                    None => Val::unknown(CauseKind::Error, "the output has no value", body.block.head),
                };
                if self.flag(body.value("sensitive")) {
                    val = val.marked(Marks::SENSITIVE);
                }
                self.instances[index].outputs[i as usize] = Some(val);
            }
            What::Resource(i) => {
                let resource = self.resource(node.instance, i);
                self.instances[index].resources[i as usize] = Some(resource);
            }
            What::Call(i) => {
                let call = self.call(node.instance, i);
                self.instances[index].calls[i as usize] = Some(call);
            }
        }
    }

    /// A scope in which an instance's expressions are evaluated.
    pub fn scope(&self, instance: u32) -> ModuleScope<'_, 'a> {
        ModuleScope::new(self, instance)
    }

    /// The value of an expression; what is wrong with it is entered into the ledger.
    pub fn eval(&self, expr: &Expr, scope: &ModuleScope<'_, '_>) -> Val {
        let literal = matches!(
            expr.kind,
            ExprKind::Null | ExprKind::Bool(_) | ExprKind::String(_) | ExprKind::Number(_) | ExprKind::Error(_)
        );
        if self.budget.get() == 0 && !literal {
            return self.exhausted(expr.span);
        }
        let val = self.value_of(expr, scope);
        match expr.span.file {
            FileId::EMBEDDED => self.at_call(val, expr, scope.instance()),
            _ => val,
        }
    }

    /// A value of a stand-in, moved to the call: everything that comes from an argument stands there, all else at the
    /// call's head.
    fn at_call(&self, mut val: Val, expr: &Expr, instance: u32) -> Val {
        let Some(place) = self.place(instance) else { return val };
        let here = &self.instances[instance as usize];
        if registry::outside(&val.origin).is_none() {
            // A choice between two words of the stand-in comes from the argument that decides it.
            let given = |root: &str, name: &str| match root {
                "var" => here.variable(here.module.variable(name)?)?.given.clone(),
                "local" => here.locals.get(here.module.local(name)? as usize)?.clone(),
                _ => None,
            };
            if let Some(from) = registry::deciding(expr, &given) {
                val.origin = from;
            }
        }
        place.moved(val)
    }

    /// Where the values of a stand-in's instance stand.
    pub fn place(&self, instance: u32) -> Option<Place> {
        let here = &self.instances[instance as usize];
        let site = here.site.as_ref().filter(|_| here.module.stand_in)?;
        Some(Place::of(&self.instances[site.parent as usize].module.calls[site.call as usize]))
    }

    fn value_of(&self, expr: &Expr, scope: &ModuleScope<'_, '_>) -> Val {
        match (eval::try_eval(expr, scope), scope.doubt()) {
            (Ok(val), _) => self.bounded(val, expr.span),
            // Perhaps it is never evaluated: `count` may turn out to be zero.
            (Err(error), Some(cause)) if error.kind == CauseKind::Error && !error.fatal => {
                let mut val = Val::unknown_of(Type::Any, cause.clone());
                val.origin = Origin::literal(expr.span);
                val
            }
            (Err(error), _) => self.failed(error, expr.span),
        }
    }

    /// The value, or an unknown in its place where it grew beyond all use: locals that double each other would
    /// otherwise fill the memory, and ones that wrap each other the stack.
    fn bounded(&self, mut val: Val, span: Span) -> Val {
        let mut room = MAX_PARTS;
        let fits = fits(&val, 0, &mut room);
        let mut parts = EVALUATION + MAX_PARTS - room;
        if fits && any_long(&val, &mut { MAX_ORIGIN_STEPS }) {
            parts *= 8;
            shorten_origins(&mut val);
        }
        self.budget.set(self.budget.get().saturating_sub(parts));
        if !fits {
            let message = "the value is too large or too deep and is left out";
            return self.failed(EvalError::limit(message, span), span);
        }
        val
    }

    /// What stands for a value once all room is used up. The ledger says so once.
    fn exhausted(&self, span: Span) -> Val {
        let val = self.exhausted.get_or_init(|| {
            let message = "the values of this configuration grow beyond all use; from here on they are left out";
            self.note(span, CauseKind::Limit, message.to_owned());
            let cause = Cause { kind: CauseKind::Limit, message: message.to_owned(), span };
            Val::unknown_of(Type::Any, Arc::new(cause))
        });
        let mut val = val.clone();
        val.origin = Origin::literal(span);
        val
    }

    /// The unknown that stands for an error. An error that only hands on the cause of another one is no news.
    #[expect(clippy::boxed_local, reason = "errors of evaluation travel in a box")]
    pub fn failed(&self, error: Box<EvalError>, span: Span) -> Val {
        if error.cause.is_none() {
            self.note(error.span, error.kind, error.message.clone());
        }
        let mut val = Val::unknown_of(Type::Any, error.into_cause());
        val.origin = Origin::literal(span);
        val
    }

    /// A literal `true`.
    fn flag(&self, expr: Option<&Expr>) -> bool {
        expr.is_some_and(|e| eval::eval(e, &eval::Empty).as_bool() == Some(true))
    }

    fn variable(&self, instance: u32, index: u32) -> Variable {
        let here = &self.instances[instance as usize];
        let declared = &here.module.variables[index as usize];
        let ty = here.module.variable_type(index, self);
        let (given, how) = match &here.site {
            Some(site) => {
                let parent = &self.instances[site.parent as usize];
                let argument = parent.module.calls[site.call as usize].arguments.get(&declared.name);
                let call = &parent.module.calls[site.call as usize];
                let given = match argument {
                    Some((attribute, _)) => {
                        let scope = self.scope(site.parent).with_each(&site.key, &site.each);
                        Some(self.eval(&attribute.value, &scope))
                    }
                    None if here.module.stand_in && &*declared.name == registry::VERSION => {
                        registry::version(call).map(Val::count)
                    }
                    None => None,
                };
                (given, How::ModuleArgument)
            }
            None => (self.root_values.get(&declared.name, ty, self), How::Variable),
        };
        let default = declared.body.value("default");
        let nullable =
            declared.body.value("nullable").is_none_or(|e| eval::eval(e, &eval::Empty).as_bool() != Some(false));
        let (val, how) = match (&given, default) {
            (Some(val), Some(default)) if val.is_null() && !nullable => (self.default(default), How::Default),
            (Some(val), _) => (val.clone(), how),
            (None, Some(default)) => (self.default(default), How::Default),
            (None, None) => (self.missing(instance, declared, ty), how),
        };
        let mut val = match eval::convert(&val, ty) {
            Ok(val) => val,
            Err(message) => {
                let span = val.origin.span;
                let message = format!("the value of variable `{}` does not fit its type: {message}", declared.name);
                self.failed(EvalError::new(message, span).typed(ty.plain()), span)
            }
        };
        if self.flag(declared.body.value("sensitive")) {
            val = val.marked(Marks::SENSITIVE);
        }
        if self.flag(declared.body.value("ephemeral")) {
            val = val.marked(Marks::EPHEMERAL);
        }
        Variable { val, given, how }
    }

    fn default(&self, expr: &Expr) -> Val {
        match eval::try_eval(expr, &eval::Empty) {
            Ok(val) => val,
            Err(error) => self.failed(error, expr.span),
        }
    }

    /// What a variable without a value stands for.
    fn missing(&self, instance: u32, declared: &Declared<'_>, ty: &Type) -> Val {
        let here = &self.instances[instance as usize];
        let message = match &here.site {
            Some(site) => {
                let caller = &self.instances[site.parent as usize].module.calls[site.call as usize];
                match here.module.stand_in {
                    true => format!("module `{}` is not here", caller.name),
                    false => format!("the call of module `{}` does not set `{}`", caller.name, declared.name),
                }
            }
            None => format!("variable `{}` has no value", declared.name),
        };
        let cause = Cause { kind: CauseKind::Input, message, span: declared.body.block.head };
        let val = Val::unknown_of(ty.plain(), Arc::new(cause));
        let nullable =
            declared.body.value("nullable").is_some_and(|e| eval::eval(e, &eval::Empty).as_bool() == Some(false));
        if nullable { val.not_null() } else { val }
    }

    fn resource(&mut self, instance: u32, index: u32) -> EvalResource {
        let module = self.instances[instance as usize].module.clone();
        let declared = &module.resources[index as usize];
        let expansion = Expansion::of(self, instance, &declared.body);
        let room = MAX_RESOURCES.saturating_sub(self.resources);
        let expansion = expansion.at_most(room, self, declared.body.block.head, "resources");
        self.resources += expansion.keys.len();
        let bodies = expansion
            .keys
            .iter()
            .map(|(key, each)| {
                let scope = self.scope(instance).with_each(key, each);
                Bodies { engine: self }.resource(declared, &scope, expansion.given.as_ref())
            })
            .collect();
        EvalResource { expansion, bodies, val: OnceCell::new() }
    }

    fn call(&mut self, instance: u32, index: u32) -> EvalCall {
        let module = self.instances[instance as usize].module.clone();
        let call = &module.calls[index as usize];
        let mut expansion = Expansion::of(self, instance, &call.body);
        let target = match self.source(instance, call) {
            Ok(Target::Folder(dir)) => self.module(&dir),
            Ok(Target::StandIn(known)) => self.stand_in(known),
            Err(cause) => return EvalCall { expansion, children: Vec::new(), missing: Some(cause) },
        };
        let room = MAX_MODULES.saturating_sub(self.instances.len());
        expansion = expansion.at_most(room, self, call.body.block.head, "modules");
        let here = &self.instances[instance as usize];
        // What a stand-in makes stands at the call itself.
        let own = (!target.stand_in).then_some(call.body.block.span);
        let callers: Arc<[Span]> = here.callers.iter().copied().chain(own).collect();
        let path = here.path.clone();
        let key_path: Arc<str> = child_key(&here.key_path, &call.name).into();
        if !target.stand_in {
            self.check_arguments(call, &target);
        }
        let children = expansion
            .keys
            .clone()
            .into_iter()
            .map(|(key, each)| {
                let path = format!("{path}module.{}{key}.", call.name).into();
                let site = Site { parent: instance, call: index, key, each };
                self.add_instance(target.clone(), path, key_path.clone(), callers.clone(), Some(site))
            })
            .collect();
        EvalCall { expansion, children, missing: None }
    }

    /// Reports arguments that the module does not have.
    fn check_arguments(&self, call: &Call<'_>, target: &Module<'_>) {
        let mut unknown: Vec<_> = call.arguments.iter().filter(|(name, _)| target.variable(name).is_none()).collect();
        unknown.sort_by_key(|(_, (attribute, _))| attribute.name.span);
        for (name, (attribute, _)) in unknown {
            let message = format!("module `{}` has no variable `{name}`", call.name);
            self.note(attribute.name.span, CauseKind::Error, message);
        }
    }

    fn stand_in(&mut self, known: &'static StandIn) -> Rc<Module<'a>> {
        let key: Arc<str> = known.source.into();
        let module = self.modules.entry(key);
        module.or_insert_with(|| Rc::new(Module::stand_in(known.source, known.file()))).clone()
    }

    /// What is called: a folder with a module, or a public module of which only the inputs are known.
    fn source(&self, instance: u32, call: &Call<'_>) -> Result<Target, Arc<Cause>> {
        let here = &self.instances[instance as usize];
        let fail = |kind, message: String, span| {
            self.note(span, kind, message.clone());
            Err(Arc::new(Cause { kind, message, span }))
        };
        let head = call.body.block.head;
        let Some(source) = call.body.value("source") else {
            return fail(CauseKind::Error, format!("module `{}` has no source", call.name), head);
        };
        let span = source.span;
        let Some(text) = source.as_str() else {
            return fail(CauseKind::Unsupported, "the source of a module must be plain text".to_owned(), span);
        };
        let Some(dir) = self.sources.resolve(&here.module.dir, &child_key(&here.key_path, &call.name), text) else {
            let name = &call.name;
            if text.starts_with('.') {
                let message = format!("module `{name}` is not here: there is no module in `{text}`");
                return fail(CauseKind::Missing, message, span);
            }
            let message = format!("module `{name}` is not here: `terraform init` would fetch `{text}`");
            let Some(known) = registry::find(text) else {
                return fail(CauseKind::Missing, message, span);
            };
            let message = format!("{message}; what it makes is judged by its published inputs");
            self.note(span, CauseKind::Missing, message);
            return Ok(Target::StandIn(known));
        };
        let mut at = Some(instance);
        let mut depth = 0;
        while let Some(i) = at {
            let caller = &self.instances[i as usize];
            if caller.module.dir == dir {
                return fail(CauseKind::Limit, format!("module `{}` calls itself", call.name), span);
            }
            depth += 1;
            at = caller.site.as_ref().map(|s| s.parent);
        }
        if depth > MAX_MODULE_DEPTH || self.instances.len() > MAX_MODULES {
            return fail(
                CauseKind::Limit,
                format!("module `{}` is left out: there are too many modules", call.name),
                span,
            );
        }
        Ok(Target::Folder(dir))
    }
}

/// What a call's source leads to.
enum Target {
    /// A folder of the workspace.
    Folder(Arc<str>),
    /// A public module that is not here.
    StandIn(&'static StandIn),
}

fn child_key(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

impl Instance<'_> {
    /// A variable's value, or why there is none yet.
    pub fn variable(&self, index: u32) -> Option<&Variable> {
        self.variables.get(index as usize)?.as_ref()
    }
}

/// The error of a value that is asked for while it waits for the asker.
pub fn cycle(name: &str, span: Span) -> Val {
    Val::unknown(CauseKind::Error, format!("`{name}` refers to itself"), span)
}

/// Whether a value is of bearable size.
fn fits(val: &Val, depth: usize, room: &mut usize) -> bool {
    let size = 1 + val.as_str().map_or(0, |text| text.len() / 64);
    if depth > MAX_VALUE_DEPTH || *room < size {
        *room = room.saturating_sub(size);
        return false;
    }
    *room -= size;
    val.children().all(|child| fits(child, depth + 1, room))
}

/// Whether the history of a value, or of one of its parts, has become too long. What cannot be said within `steps`
/// is taken for short: values of such a size soon use up all room.
fn any_long(val: &Val, steps: &mut usize) -> bool {
    let mut room = MAX_ORIGINS;
    let long = is_long(&val.origin, 0, &mut room);
    *steps = steps.saturating_sub(1 + MAX_ORIGINS - room);
    long || (*steps > 0 && val.children().any(|child| any_long(child, steps)))
}

fn is_long(origin: &Origin, depth: usize, room: &mut usize) -> bool {
    if depth > MAX_ORIGIN_DEPTH || *room == 0 {
        return true;
    }
    *room -= 1;
    if let How::Encoded(value) = &origin.how
        && is_long(&value.origin, depth + 1, room)
    {
        return true;
    }
    origin.from.iter().flat_map(|from| from.iter()).any(|parent| is_long(parent, depth + 1, room))
}

/// Cuts the history of a value, and of its parts, where it has become too long.
fn shorten_origins(val: &mut Val) {
    let mut short = val.map_children(&mut |child| {
        let mut child = child.clone();
        shorten_origins(&mut child);
        child
    });
    if is_long(&val.origin, 0, &mut { MAX_ORIGINS }) {
        short.origin = Origin { sensitive: val.origin.sensitive, ..Origin::literal(val.origin.span) };
    }
    *val = short;
}
