//! What a module declares, put together from its files: overrides merged, names indexed, references resolved.

use super::engine::Engine;
use super::eval::{Type, parse_type};
use super::refs::{self, Reference};
use super::{TerraformFile, paths};
use crate::base::{FastMap, FileId, Span};
use crate::formats::{LedgerEntry, LowerContext};
use crate::graph::CauseKind;
use crate::syntax::hcl::tree::{Attribute, Block, Expr, File, Item, Text};
use std::cell::OnceCell;
use std::sync::Arc;

/// A module's declarations. Borrowed from the trees of its files.
#[derive(Debug, Default)]
pub struct Module<'a> {
    /// Its folder, relative to the working directory.
    pub dir: Arc<str>,
    /// `variable` blocks.
    pub variables: Vec<Declared<'a>>,
    /// The members of all `locals` blocks.
    pub locals: Vec<Local<'a>>,
    /// `output` blocks.
    pub outputs: Vec<Declared<'a>>,
    /// `resource`, `data` and `ephemeral` blocks.
    pub resources: Vec<ResourceDecl<'a>>,
    /// `module` blocks.
    pub calls: Vec<Call<'a>>,
    /// `provider` blocks.
    pub providers: Vec<Merged<'a>>,
    /// `terraform` blocks.
    pub settings: Vec<Merged<'a>>,
    /// `locals` blocks as they stand.
    pub locals_blocks: Vec<&'a Block>,
    types: Vec<OnceCell<Type>>,
    /// What is wrong with the declarations.
    pub problems: Vec<LedgerEntry>,
    /// Whether it stands for a public module that is not here.
    pub stand_in: bool,
    variable_names: FastMap<Text, u32>,
    local_names: FastMap<Text, u32>,
    output_names: FastMap<Text, u32>,
    resource_names: FastMap<(Text, Text), u32>,
    call_names: FastMap<Text, u32>,
}

/// A block with the overrides that apply to it.
#[derive(Debug)]
pub struct Merged<'a> {
    /// The block itself, for its spans.
    pub block: &'a Block,
    /// Its members, overridden ones replaced.
    pub items: Vec<&'a Item>,
}

/// A variable or output.
#[derive(Debug)]
pub struct Declared<'a> {
    /// Its name.
    pub name: Text,
    /// Its block.
    pub body: Merged<'a>,
    /// What has to be evaluated before it.
    pub deps: Vec<Dep>,
}

/// A local value.
#[derive(Debug)]
pub struct Local<'a> {
    /// Its name and expression.
    pub attribute: &'a Attribute,
    /// What has to be evaluated before it.
    pub deps: Vec<Dep>,
}

/// A managed resource, data source or ephemeral resource.
#[derive(Debug)]
pub struct ResourceDecl<'a> {
    /// `aws_x`, `data.aws_x` or `ephemeral.aws_x`.
    pub kind: Text,
    /// Its name.
    pub name: Text,
    /// Its address within the module: `aws_x.b`.
    pub address: Arc<str>,
    /// Its block.
    pub body: Merged<'a>,
    /// What has to be evaluated before it.
    pub deps: Vec<Dep>,
}

/// A module call.
#[derive(Debug)]
pub struct Call<'a> {
    /// Its name.
    pub name: Text,
    /// Its block.
    pub body: Merged<'a>,
    /// What has to be evaluated before it can be expanded: what `count` and `for_each` refer to.
    pub deps: Vec<Dep>,
    /// What each argument refers to.
    pub arguments: FastMap<Text, (&'a Attribute, Vec<Dep>)>,
}

/// Something that has to be evaluated first, by its index in the module.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Dep {
    /// A variable.
    Variable(u32),
    /// A local.
    Local(u32),
    /// A resource with all its instances.
    Resource(u32),
    /// A call with one of its outputs.
    Output(u32, Text),
    /// A call with all of its outputs.
    Call(u32),
}

impl<'a> Merged<'a> {
    fn new(block: &'a Block) -> Merged<'a> {
        Merged { block, items: block.body.items.iter().collect() }
    }

    /// The attribute of a name.
    pub fn attribute(&self, name: &str) -> Option<&'a Attribute> {
        self.items.iter().find_map(|item| match item {
            Item::Attribute(attribute) if &*attribute.name.text == name => Some(attribute),
            _ => None,
        })
    }

    /// The value of the attribute of a name.
    pub fn value(&self, name: &str) -> Option<&'a Expr> {
        self.attribute(name).map(|a| &a.value)
    }

    /// The nested blocks.
    pub fn blocks(&self) -> impl Iterator<Item = &'a Block> {
        self.items.iter().filter_map(|item| match item {
            Item::Block(block) => Some(block),
            Item::Attribute(_) => None,
        })
    }

    /// Lays the members of an override block over these: attributes replace attributes of their name, blocks replace
    /// all blocks of their type, and `lifecycle` adds up.
    fn override_with(&mut self, other: &'a Block) {
        self.items.retain(|item| match item {
            Item::Attribute(attribute) => other.body.attribute(&attribute.name.text).is_none(),
            Item::Block(block) => {
                let kind = block_type(block);
                kind == "lifecycle" || !other.body.blocks().any(|b| block_type(b) == kind)
            }
        });
        self.items.extend(other.body.items.iter());
    }
}

impl ResourceDecl<'_> {
    /// Whether it is `terraform_data`, whose attributes are known without a provider.
    pub fn is_builtin(&self) -> bool {
        &*self.kind == "terraform_data"
    }
}

/// The type of block that a block makes: a dynamic block's label.
fn block_type(block: &Block) -> &str {
    match block.label(0) {
        Some(label) if &*block.kind.text == "dynamic" => label,
        _ => &block.kind.text,
    }
}

/// Whether a file of this name only overrides what others declare.
fn is_override(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name);
    stem == "override" || stem.ends_with("_override")
}

impl<'a> Module<'a> {
    /// Puts a module together from its files, in the order of their names.
    pub fn new(dir: &str, files: &[FileId], cx: &'a LowerContext<'_>) -> Module<'a> {
        let mut named: Vec<(&str, &'a TerraformFile)> = files
            .iter()
            .filter_map(|&id| {
                let input = cx.inputs.get(&id)?;
                Some((paths::file_name(&input.file.path), cx.tree::<TerraformFile>(id)?))
            })
            .collect();
        named.sort_by_key(|&(name, _)| name);
        // OpenTofu leaves out `x.tf` where there is an `x.tofu`.
        let twins: Vec<String> = named
            .iter()
            .filter_map(|(name, _)| {
                let stem = name.strip_suffix(".tofu").map(|s| format!("{s}.tf"));
                stem.or_else(|| name.strip_suffix(".tofu.json").map(|s| format!("{s}.tf.json")))
            })
            .collect();
        named.retain(|(name, _)| !twins.iter().any(|twin| twin == name));
        let mut module = Module { dir: dir.into(), ..Module::default() };
        for over in [false, true] {
            for (name, file) in &named {
                if let TerraformFile::Configuration(tree) = file
                    && is_override(name) == over
                {
                    for block in tree.body.blocks() {
                        module.declare(block, over);
                    }
                }
            }
        }
        module.resolve();
        module
    }

    /// The module that a file of the program declares in place of a public one.
    pub fn stand_in(source: &str, file: &'a File) -> Module<'a> {
        let mut module = Module { dir: source.into(), stand_in: true, ..Module::default() };
        for block in file.body.blocks() {
            module.declare(block, false);
        }
        module.resolve();
        module
    }

    fn problem(&mut self, span: Span, message: String) {
        self.problems.push(LedgerEntry { span, kind: CauseKind::Error, message });
    }

    fn declare(&mut self, block: &'a Block, over: bool) {
        let label = |i: usize| block.label(i).cloned();
        match (&*block.kind.text, label(0), label(1)) {
            ("variable", Some(name), _) => {
                declare_named(&mut self.variables, &mut self.variable_names, &mut self.problems, name, block, over);
            }
            ("output", Some(name), _) => {
                declare_named(&mut self.outputs, &mut self.output_names, &mut self.problems, name, block, over);
            }
            ("locals", ..) => {
                self.locals_blocks.push(block);
                for attribute in block.body.attributes() {
                    self.declare_local(attribute, over);
                }
            }
            ("resource" | "data" | "ephemeral", Some(kind), Some(name)) => {
                let kind = match &*block.kind.text {
                    "resource" => kind,
                    mode => format!("{mode}.{kind}").into(),
                };
                self.declare_resource(kind, name, block, over);
            }
            ("module", Some(name), _) => match (self.call_names.get(&name), over) {
                (Some(&i), true) => self.calls[i as usize].body.override_with(block),
                (Some(_), false) => self.problem(block.head, format!("module `{name}` is declared twice")),
                (None, _) => {
                    self.call_names.insert(name.clone(), index(self.calls.len()));
                    let (body, arguments) = (Merged::new(block), FastMap::default());
                    self.calls.push(Call { name, body, deps: Vec::new(), arguments });
                }
            },
            ("provider", Some(_), _) => {
                let alias = |b: &Block| b.body.attribute("alias").and_then(|a| a.value.as_str().map(str::to_owned));
                let same = |p: &&mut Merged<'_>| p.block.label(0) == block.label(0) && alias(p.block) == alias(block);
                match self.providers.iter_mut().find(same) {
                    Some(provider) if over => provider.override_with(block),
                    _ => self.providers.push(Merged::new(block)),
                }
            }
            ("terraform", ..) => match self.settings.first_mut() {
                Some(settings) if over => settings.override_with(block),
                _ => self.settings.push(Merged::new(block)),
            },
            ("check", ..) => {
                for data in block.body.blocks_of("data") {
                    if let (Some(kind), Some(name)) = (data.label(0), data.label(1)) {
                        self.declare_resource(format!("data.{kind}").into(), name.clone(), data, over);
                    }
                }
            }
            ("moved" | "import" | "removed", ..) => {}
            ("variable" | "output" | "resource" | "data" | "ephemeral" | "module" | "provider", ..) => {
                self.problem(block.head, format!("this `{}` block lacks a label", block.kind.text));
            }
            _ => {}
        }
    }

    fn declare_local(&mut self, attribute: &'a Attribute, over: bool) {
        let name = &attribute.name.text;
        let local = Local { attribute, deps: Vec::new() };
        match self.local_names.get(name) {
            Some(&i) if over => self.locals[i as usize] = local,
            Some(_) => self.problem(attribute.name.span, format!("local `{name}` is declared twice")),
            None => {
                self.local_names.insert(name.clone(), index(self.locals.len()));
                self.locals.push(local);
            }
        }
    }

    fn declare_resource(&mut self, kind: Text, name: Text, block: &'a Block, over: bool) {
        let key = (kind.clone(), name.clone());
        match self.resource_names.get(&key) {
            Some(&i) if over => self.resources[i as usize].body.override_with(block),
            Some(_) => self.problem(block.head, format!("`{kind}.{name}` is declared twice")),
            None => {
                self.resource_names.insert(key, index(self.resources.len()));
                let address = format!("{kind}.{name}").into();
                self.resources.push(ResourceDecl { kind, name, address, body: Merged::new(block), deps: Vec::new() });
            }
        }
    }

    /// The type of a variable; any type where none is declared.
    pub fn variable_type(&self, index: u32, engine: &Engine<'_>) -> &Type {
        static ANY: Type = Type::Any;
        let (Some(slot), Some(declared)) = (self.types.get(index as usize), self.variables.get(index as usize)) else {
            return &ANY;
        };
        slot.get_or_init(|| match declared.body.value("type").map(parse_type) {
            None => Type::Any,
            Some(Ok(ty)) => ty,
            Some(Err(error)) => {
                engine.note(error.span, error.kind, error.message.clone());
                Type::Any
            }
        })
    }

    /// The index of a variable.
    pub fn variable(&self, name: &str) -> Option<u32> {
        self.variable_names.get(name).copied()
    }

    /// The index of a local.
    pub fn local(&self, name: &str) -> Option<u32> {
        self.local_names.get(name).copied()
    }

    /// The index of an output.
    pub fn output(&self, name: &str) -> Option<u32> {
        self.output_names.get(name).copied()
    }

    /// The index of a resource by its kind (`aws_x`, `data.aws_x`) and name.
    pub fn resource(&self, kind: &Text, name: &Text) -> Option<u32> {
        self.resource_names.get(&(kind.clone(), name.clone())).copied()
    }

    /// The index of a call.
    pub fn call(&self, name: &str) -> Option<u32> {
        self.call_names.get(name).copied()
    }

    /// Looks up what every declaration refers to.
    fn resolve(&mut self) {
        self.types = self.variables.iter().map(|_| OnceCell::new()).collect();
        let mut found = Vec::new();
        let locals: Vec<Vec<Dep>> = self
            .locals
            .iter()
            .map(|local| {
                refs::collect(&local.attribute.value, &mut found);
                self.deps(&mut found)
            })
            .collect();
        let outputs: Vec<Vec<Dep>> = self
            .outputs
            .iter()
            .map(|output| {
                refs::collect_items(output.body.items.iter().copied(), &mut found);
                self.deps(&mut found)
            })
            .collect();
        let resources: Vec<Vec<Dep>> = self
            .resources
            .iter()
            .map(|resource| {
                for item in &resource.body.items {
                    match item {
                        Item::Attribute(a) if matches!(&*a.name.text, "depends_on" | "provider") => {}
                        Item::Attribute(a) => refs::collect(&a.value, &mut found),
                        // Its conditions and `self` references are evaluated after the resource.
                        Item::Block(b) if matches!(&*b.kind.text, "lifecycle" | "connection" | "provisioner") => {}
                        Item::Block(b) => refs::collect_items(&b.body.items, &mut found),
                    }
                }
                self.deps(&mut found)
            })
            .collect();
        let calls: Vec<(Vec<Dep>, FastMap<Text, (&'a Attribute, Vec<Dep>)>)> = self
            .calls
            .iter()
            .map(|call| {
                let mut expansion = Vec::new();
                let mut arguments = FastMap::default();
                for item in &call.body.items {
                    let Item::Attribute(attribute) = item else { continue };
                    match &*attribute.name.text {
                        "count" | "for_each" => refs::collect(&attribute.value, &mut expansion),
                        "source" | "version" | "providers" | "depends_on" => {}
                        name => {
                            refs::collect(&attribute.value, &mut found);
                            arguments.insert(name.into(), (attribute, self.deps(&mut found)));
                        }
                    }
                }
                (self.deps(&mut expansion), arguments)
            })
            .collect();
        let set = |target: &mut Vec<Dep>, deps| *target = deps;
        self.locals.iter_mut().zip(locals).for_each(|(l, deps)| set(&mut l.deps, deps));
        self.outputs.iter_mut().zip(outputs).for_each(|(o, deps)| set(&mut o.deps, deps));
        self.resources.iter_mut().zip(resources).for_each(|(r, deps)| set(&mut r.deps, deps));
        for (call, (deps, arguments)) in self.calls.iter_mut().zip(calls) {
            (call.deps, call.arguments) = (deps, arguments);
        }
    }

    /// The declarations behind references, each once; what is not declared is left out.
    fn deps(&self, found: &mut Vec<Reference>) -> Vec<Dep> {
        let mut deps: Vec<Dep> = Vec::new();
        for reference in found.drain(..) {
            let dep = match reference {
                Reference::Variable(name) => self.variable(&name).map(Dep::Variable),
                Reference::Local(name) => self.local(&name).map(Dep::Local),
                Reference::Resource(kind, name) => self.resource(&kind, &name).map(Dep::Resource),
                Reference::Module(name, Some(output)) => self.call(&name).map(|call| Dep::Output(call, output)),
                Reference::Module(name, None) => self.call(&name).map(Dep::Call),
            };
            if let Some(dep) = dep
                && !deps.contains(&dep)
            {
                deps.push(dep);
            }
        }
        deps
    }
}

fn declare_named<'a>(
    all: &mut Vec<Declared<'a>>,
    names: &mut FastMap<Text, u32>,
    problems: &mut Vec<LedgerEntry>,
    name: Text,
    block: &'a Block,
    over: bool,
) {
    match names.get(&name) {
        Some(&i) if over => all[i as usize].body.override_with(block),
        Some(_) => {
            let message = format!("{} `{name}` is declared twice", block.kind.text);
            problems.push(LedgerEntry { span: block.head, kind: CauseKind::Error, message });
        }
        None => {
            names.insert(name.clone(), index(all.len()));
            all.push(Declared { name, body: Merged::new(block), deps: Vec::new() });
        }
    }
}

fn index(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
