//! Public modules that `terraform init` has not fetched: what their published inputs make.
//!
//! A file in `registry/` stands in for such a module. It is written as a module is, with the inputs that matter to
//! policies and the resources they reach, and it is evaluated as a module is; so a call's arguments arrive in the
//! attributes they set, and every policy about those resources sees them. Three rules keep it honest:
//!
//! - A variable without a default is unknown where the call does not set it. So is `var.unmapped`, which stands where
//!   the module computes something that is not followed here.
//! - `var.version` is the major version that the call asks for, unknown where it leaves that open. Defaults that
//!   differ between versions are chosen by it.
//! - Nothing of a stand-in has a place of its own: what comes from an argument stands at that argument, the rest at the
//!   head of the call.

use super::eval::{Datum, Refs, Val};
use super::module::Call;
use crate::base::{FileId, Span};
use crate::graph::{Cause, Data, Entry, How, Map, Origin, Value};
use crate::syntax::hcl;
use crate::syntax::hcl::tree::{Expr, ExprKind, File, Step, StepKind};
use std::sync::{Arc, OnceLock};

/// The variable of a stand-in that holds the major version. No module can have an input of this name.
pub const VERSION: &str = "version";

/// What stands for a public module.
pub struct StandIn {
    /// Its address in the registry: `namespace/name/provider`, and the folder within it after `//`.
    pub source: &'static str,
    text: &'static str,
    file: OnceLock<File>,
}

macro_rules! stand_ins {
    ($($source:literal: $file:literal,)*) => {
        [$(StandIn { source: $source, text: include_str!(concat!("registry/", $file)), file: OnceLock::new() }),*]
    };
}

static STAND_INS: [StandIn; 20] = stand_ins! {
    "Azure/aks/azurerm": "azure-aks.tf",
    "terraform-aws-modules/alb/aws": "aws-alb.tf",
    "terraform-aws-modules/autoscaling/aws": "aws-autoscaling.tf",
    "terraform-aws-modules/dynamodb-table/aws": "aws-dynamodb-table.tf",
    "terraform-aws-modules/ec2-instance/aws": "aws-ec2-instance.tf",
    "terraform-aws-modules/ecr/aws": "aws-ecr.tf",
    "terraform-aws-modules/eks/aws": "aws-eks.tf",
    "terraform-aws-modules/elb/aws": "aws-elb.tf",
    "terraform-aws-modules/iam/aws//modules/iam-account": "aws-iam-account.tf",
    "terraform-aws-modules/iam/aws//modules/iam-policy": "aws-iam-policy.tf",
    "terraform-aws-modules/kms/aws": "aws-kms.tf",
    "terraform-aws-modules/lambda/aws": "aws-lambda.tf",
    "terraform-aws-modules/rds/aws": "aws-rds.tf",
    "terraform-aws-modules/s3-bucket/aws": "aws-s3-bucket.tf",
    "terraform-aws-modules/security-group/aws": "aws-security-group.tf",
    "terraform-aws-modules/sns/aws": "aws-sns.tf",
    "terraform-aws-modules/sqs/aws": "aws-sqs.tf",
    "terraform-aws-modules/vpc/aws": "aws-vpc.tf",
    "terraform-google-modules/cloud-storage/google//modules/simple_bucket": "google-simple-bucket.tf",
    "terraform-google-modules/network/google": "google-network.tf",
};

impl StandIn {
    /// Its tree, parsed once.
    pub fn file(&self) -> &File {
        self.file.get_or_init(|| hcl::parse(self.text, FileId::EMBEDDED).file)
    }
}

/// What stands for the module that a `source` names, in the registry or in the Git repository that the registry
/// publishes it from.
pub fn find(source: &str) -> Option<&'static StandIn> {
    let address = address(source)?;
    STAND_INS.iter().find(|known| known.source == address)
}

/// A source as `namespace/name/provider`, with `//folder` where it names one.
fn address(source: &str) -> Option<String> {
    let source = source.split_once('?').map_or(source, |(path, _)| path);
    let source = source.strip_prefix("git::").unwrap_or(source);
    let source = ["https://", "ssh://git@", "git@"].iter().find_map(|p| source.strip_prefix(p)).unwrap_or(source);
    let (path, folder) = source.split_once("//").map_or((source, None), |(path, folder)| (path, Some(folder)));
    let path =
        path.strip_prefix("registry.terraform.io/").or(path.strip_prefix("registry.opentofu.org/")).unwrap_or(path);
    let bare = match ["github.com/", "github.com:"].iter().find_map(|host| path.strip_prefix(host)) {
        // Repositories are named `terraform-<provider>-<name>`.
        Some(repository) => {
            let (namespace, name) = repository.trim_end_matches(".git").split_once('/')?;
            let (provider, name) = name.strip_prefix("terraform-")?.split_once('-')?;
            format!("{namespace}/{name}/{provider}")
        }
        None => path.to_owned(),
    };
    Some(match folder {
        Some(folder) => format!("{bare}//{}", folder.trim_matches('/')),
        None => bare,
    })
}

/// The major version that a call asks for; `None` where several would do.
pub fn version(call: &Call<'_>) -> Option<usize> {
    let constraint = match call.body.value("version") {
        Some(expr) => expr.as_str()?,
        None => {
            let (_, query) = call.body.value("source")?.as_str()?.split_once('?')?;
            query.split('&').find_map(|pair| pair.strip_prefix("ref="))?
        }
    };
    constraint.split(',').find_map(|part| {
        let part = part.trim();
        // `~> 3.0` and `~> 3.1.2` stay within 3; `~> 3` and `>= 3.0` do not.
        let (exact, number) = match part.strip_prefix("~>") {
            Some(rest) => (rest.contains('.'), rest),
            None if part.starts_with(['<', '>', '!']) => (false, part),
            None => (true, part.trim_start_matches('=')),
        };
        let number = number.trim().trim_start_matches('v');
        let major = number.split('.').next()?;
        (exact && number.contains('.')).then(|| major.parse().ok())?
    })
}

/// The nearest origin that does not stand in a stand-in.
pub fn outside(origin: &Origin) -> Option<&Origin> {
    fn search(origin: &Origin, depth: usize) -> Option<&Origin> {
        match origin.span.file {
            FileId::EMBEDDED | FileId::NONE if depth < 64 => {
                origin.from.iter().flat_map(|from| from.iter()).find_map(|parent| search(parent, depth + 1))
            }
            FileId::EMBEDDED | FileId::NONE => None,
            _ => Some(origin),
        }
    }
    search(origin, 0)
}

/// The origin of what an expression of a stand-in depends on: of the first reference whose steps all lead to something
/// that was given, else of the first that was given at all.
pub fn deciding(expr: &Expr, given: &dyn Fn(&str, &str) -> Option<Val>) -> Option<Origin> {
    let mut whole = None;
    let mut part = None;
    references(expr, &mut |root, name, steps| {
        let Some(mut val) = given(root, name) else { return };
        let mut reached = true;
        for step in steps {
            let key = match &step.kind {
                StepKind::Attr(name) => Some(&**name),
                StepKind::Index(key) => key.as_str(),
                StepKind::Splat { .. } => None,
            };
            match key.and_then(|key| val.table()?.get(key).cloned()) {
                Some(inner) => val = inner,
                None => {
                    reached = false;
                    break;
                }
            }
        }
        let slot = if reached { &mut whole } else { &mut part };
        if slot.is_none() {
            *slot = outside(&val.origin).cloned();
        }
    });
    whole.or(part)
}

/// Calls `found` with the root, the name and the further steps of each reference in an expression of a stand-in.
fn references(expr: &Expr, found: &mut dyn FnMut(&str, &str, &[Step])) {
    match &expr.kind {
        ExprKind::Traversal(t) => match (&t.base.kind, t.steps.split_first()) {
            (ExprKind::Variable(root), Some((Step { kind: StepKind::Attr(name), .. }, steps))) => {
                found(root, name, steps)
            }
            _ => references(&t.base, found),
        },
        ExprKind::Parens(inner) | ExprKind::Unary(_, inner) => references(inner, found),
        ExprKind::Conditional(c) => [&c.condition, &c.then, &c.otherwise].iter().for_each(|e| references(e, found)),
        ExprKind::Binary(b) => [&b.left, &b.right].iter().for_each(|e| references(e, found)),
        ExprKind::Call(call) => call.args.iter().for_each(|arg| references(arg, found)),
        ExprKind::Tuple(items) => items.iter().for_each(|item| references(item, found)),
        ExprKind::Object(items) => items.iter().for_each(|item| references(&item.value, found)),
        ExprKind::For(f) => references(&f.collection, found),
        _ => {}
    }
}

/// The call that a stand-in's values are shown at.
pub struct Place {
    /// The call's header.
    pub head: Span,
    /// The whole call.
    pub span: Span,
    /// Each argument's name and value.
    arguments: Vec<(Span, Span)>,
}

impl Place {
    /// The place of a call.
    pub fn of(call: &Call<'_>) -> Place {
        let arguments = call.arguments.values().map(|(a, _)| (a.name.span, a.value.span)).collect();
        Place { head: call.body.block.head, span: call.body.block.span, arguments }
    }

    /// The value with every place in it moved out of the stand-in.
    pub fn moved(&self, val: Val) -> Val {
        let mut moved = val.map_children(&mut |child| self.moved(child.clone()));
        moved.origin = self.origin(&val.origin);
        if let Datum::Unknown(unknown) = &moved.datum
            && is_inside(unknown.cause.span)
        {
            let mut unknown = (**unknown).clone();
            unknown.cause = self.cause(&unknown.cause);
            moved.datum = Datum::Unknown(Arc::new(unknown));
        }
        if let Datum::Object(table) = &mut moved.datum
            && let Some(rest) = &table.rest
            && is_inside(rest.cause.span)
        {
            let mut rest = (**rest).clone();
            rest.cause = self.cause(&rest.cause);
            Arc::make_mut(table).rest = Some(Arc::new(rest));
        }
        let mut refs = Refs::default();
        for one in moved.refs.iter() {
            let span = if is_inside(one.span) { moved.origin.span } else { one.span };
            refs.add(&Refs::one(one.target.clone(), span));
        }
        moved.refs = refs;
        moved
    }

    fn origin(&self, origin: &Origin) -> Origin {
        match outside(origin) {
            Some(outside) => outside.clone(),
            None => Origin { span: self.head, how: How::Default, sensitive: origin.sensitive, from: None },
        }
    }

    fn cause(&self, cause: &Arc<Cause>) -> Arc<Cause> {
        match is_inside(cause.span) {
            true => Arc::new(Cause { span: self.head, ..(**cause).clone() }),
            false => cause.clone(),
        }
    }

    /// The body of a resource with its blocks and names moved as well; it stands at the call itself.
    pub fn resource(&self, value: Value) -> Value {
        let mut value = self.body(value);
        value.origin.span = self.span;
        if let Data::Map(map) = &mut value.data {
            Arc::make_mut(map).head = Some(self.head);
        }
        value
    }

    /// A block is where the first argument that reaches it is.
    fn body(&self, value: Value) -> Value {
        let Value { data, mut origin } = value;
        let inside = is_inside(origin.span);
        let data = match data {
            Data::List(items) => {
                let items: Vec<Value> = items.iter().map(|item| self.body(item.clone())).collect();
                if inside && let Some(first) = items.first() {
                    origin.span = first.origin.span;
                }
                Data::List(Arc::new(items))
            }
            Data::Map(map) => {
                let mut entries: Vec<Entry> = map.entries.clone();
                for entry in &mut entries {
                    entry.value = self.body(entry.value.clone());
                    if is_inside(entry.key_span) {
                        entry.key_span = self.argument(entry.value.origin.span).map_or(self.head, |(name, _)| name);
                    }
                }
                let mut head = map.head;
                if inside {
                    let reached = entries.iter().find_map(|entry| self.argument(entry.value.origin.span));
                    let (name, value) = reached.unwrap_or((self.head, self.head));
                    origin.span = name.to(value);
                    head = head.map(|_| name);
                }
                Data::Map(Arc::new(Map { entries, head }))
            }
            Data::Unknown(cause) => Data::Unknown(self.cause(&cause)),
            other => other,
        };
        if is_inside(origin.span) {
            origin.span = self.head;
        }
        Value { data, origin }
    }

    /// The argument that a place belongs to.
    fn argument(&self, span: Span) -> Option<(Span, Span)> {
        self.arguments.iter().find(|(_, value)| value.contains(span)).copied()
    }
}

fn is_inside(span: Span) -> bool {
    span.file == FileId::EMBEDDED
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_lead_to_one_address() {
        for (source, expected) in [
            ("terraform-aws-modules/vpc/aws", "terraform-aws-modules/vpc/aws"),
            ("registry.terraform.io/terraform-aws-modules/vpc/aws", "terraform-aws-modules/vpc/aws"),
            ("terraform-aws-modules/iam/aws//modules/iam-policy", "terraform-aws-modules/iam/aws//modules/iam-policy"),
            (
                "git::https://github.com/terraform-aws-modules/terraform-aws-s3-bucket.git?ref=v3.7.0",
                "terraform-aws-modules/s3-bucket/aws",
            ),
            ("github.com/terraform-aws-modules/terraform-aws-rds", "terraform-aws-modules/rds/aws"),
            ("git@github.com:terraform-aws-modules/terraform-aws-kms.git", "terraform-aws-modules/kms/aws"),
            (
                "git::ssh://git@github.com/terraform-aws-modules/terraform-aws-iam.git//modules/iam-policy",
                "terraform-aws-modules/iam/aws//modules/iam-policy",
            ),
        ] {
            assert_eq!(address(source).as_deref(), Some(expected), "{source}");
        }
        assert!(find("someone/else/aws").is_none());
    }

    #[test]
    fn stand_ins_parse_and_declare_what_they_use() {
        for known in &STAND_INS {
            let parsed = hcl::parse(known.text, FileId::EMBEDDED);
            assert!(parsed.errors.is_empty(), "{}: {:?}", known.source, parsed.errors);
            let module = super::super::module::Module::stand_in(known.source, known.file());
            assert!(module.problems.is_empty(), "{}: {:?}", known.source, module.problems);
            assert!(!module.resources.is_empty(), "{}", known.source);
            let mut names = Vec::new();
            for block in known.file().body.blocks() {
                super::super::refs::collect_items(&block.body.items, &mut names);
            }
            for name in names {
                let declared = match &name {
                    super::super::refs::Reference::Variable(v) => module.variable(v).is_some(),
                    super::super::refs::Reference::Local(l) => module.local(l).is_some(),
                    // A variable of a for expression, the iterator of a dynamic block.
                    super::super::refs::Reference::Resource(kind, name)
                        if &**name == "value" || !kind.contains('_') =>
                    {
                        true
                    }
                    super::super::refs::Reference::Resource(kind, name) => module.resource(kind, name).is_some(),
                    super::super::refs::Reference::Module(..) => false,
                };
                assert!(declared, "{}: {name:?} is not declared", known.source);
            }
        }
        assert!(STAND_INS.is_sorted_by(|a, b| a.source < b.source));
    }
}
