//! The values that a root module's variables are given: variable files and the command line.

use super::engine::Engine;
use super::eval::{self, Type, Val};
use super::{TerraformFile, paths};
use crate::base::{FastMap, FileId, Span};
use crate::formats::{LedgerEntry, LowerContext, Options, Unit};
use crate::graph::{CauseKind, Value};
use crate::syntax::hcl::{self, JsonFile, tree::File};

/// Values by the variable's name.
#[derive(Debug, Default)]
pub struct RootValues {
    values: FastMap<String, Given>,
    /// What could not be read.
    pub problems: Vec<LedgerEntry>,
}

#[derive(Debug)]
enum Given {
    Value(Val),
    /// `--var name=text`: the variable's type decides whether the text is an expression.
    Text(String),
}

impl RootValues {
    /// Reads the variable files of the root module in `dir` in Terraform's order (`terraform.tfvars`,
    /// `terraform.tfvars.json`, `*.auto.tfvars` and `*.auto.tfvars.json` by name), then those of the options, then
    /// single values; later ones win.
    pub fn load(dir: &str, unit: &Unit, cx: &LowerContext<'_>, options: &Options) -> RootValues {
        let mut given = RootValues::default();
        let mut files: Vec<(u8, &str, FileId)> = unit
            .files
            .iter()
            .filter_map(|id| {
                let path = &*cx.inputs.get(id)?.file.path;
                let name = paths::file_name(path);
                let rank = match name {
                    _ if paths::parent(path) != dir => return None,
                    "terraform.tfvars" => 0,
                    "terraform.tfvars.json" => 1,
                    _ if is_auto(name) => 2,
                    _ => return None,
                };
                Some((rank, name, *id))
            })
            .collect();
        files.sort_unstable();
        for (_, _, id) in files {
            if let Some(TerraformFile::Variables(file)) = cx.tree(id) {
                given.add(file);
            }
        }
        for path in &options.var_files {
            let path = paths::join("", path);
            let Some(source) = (cx.read)(&path) else {
                let message = format!("the variable file `{path}` is not here");
                given.problems.push(LedgerEntry { span: Span::NONE, kind: CauseKind::Missing, message });
                continue;
            };
            if path.ends_with(".json") {
                given.add(&hcl::parse_json(&source.text, source.id, JsonFile::Variables, hcl::no_blocks).0);
            } else {
                given.add(&hcl::parse(&source.text, source.id).file);
            }
        }
        for (name, text) in &options.vars {
            given.values.insert(name.clone(), Given::Text(text.clone()));
        }
        given
    }

    /// Takes in the values that a plan was made with.
    pub fn add_planned(&mut self, values: Vec<(String, Value)>) {
        self.values.extend(values.into_iter().map(|(name, value)| (name, Given::Value(Val::from_value(&value)))));
    }

    fn add(&mut self, file: &File) {
        for attribute in file.body.attributes() {
            let val = eval::eval(&attribute.value, &eval::Empty);
            self.values.insert(attribute.name.text.to_string(), Given::Value(val));
        }
    }

    /// The value given to a variable of this type.
    pub fn get(&self, name: &str, ty: &Type, engine: &Engine<'_>) -> Option<Val> {
        match self.values.get(name)? {
            Given::Value(val) => Some(val.clone()),
            Given::Text(text) if ty.is_primitive() || ty.is_any() => Some(Val::string(text.as_str())),
            Given::Text(text) => Some(match hcl::parse_expression(text, FileId::NONE) {
                Ok(expr) => {
                    let mut val = eval::eval(&expr, &eval::Empty);
                    val.origin.span = Span::NONE;
                    val
                }
                Err(errors) => {
                    let reason = errors.first().map_or("", |e| e.message.as_str());
                    let message = format!("the value given for variable `{name}` cannot be read: {reason}");
                    engine.note(Span::NONE, CauseKind::Error, message.clone());
                    Val::unknown(CauseKind::Error, message, Span::NONE)
                }
            }),
        }
    }
}

/// Whether Terraform loads a file of this name by itself.
fn is_auto(name: &str) -> bool {
    name.ends_with(".auto.tfvars") || name.ends_with(".auto.tfvars.json")
}
