//! Terraform's functions: one table, and what is common to all calls (cty's `function` package): the number of
//! arguments, their conversion, null, unknown and marked arguments, and where the result comes from.

mod collections;
mod encoding;
mod files;
pub(super) mod format;
mod hash;
mod json;
mod network;
mod numeric;
mod regexes;
mod rsa;
mod sets;
mod signatures;
mod strings;
mod tfvars;
mod time;
mod values;
mod yaml;

use super::expr::{Evaluator, Vars};
use super::{Datum, EvalError, EvalResult, Marks, Type, Val, convert};
use crate::base::Span;
use crate::graph::{CauseKind, How, Origin};
use crate::syntax::hcl::tree::{Call, Expr};
pub use signatures::names;
use signatures::{Flags, Signature};
use std::sync::Arc;

/// Why a function failed.
#[derive(Debug)]
pub struct FnError {
    /// The argument at fault, where it is one.
    pub arg: Option<usize>,
    /// What is wrong.
    pub message: String,
    /// The kind of reason: an error, unless a limit was reached or something is not to be had here.
    pub kind: CauseKind,
}

/// What a function gives.
pub type FnResult = Result<Val, FnError>;

/// An error of the call as a whole.
pub fn fail<T>(message: impl Into<String>) -> Result<T, FnError> {
    Err(FnError { arg: None, message: message.into(), kind: CauseKind::Error })
}

/// An error of one argument.
pub fn fail_arg<T>(arg: usize, message: impl Into<String>) -> Result<T, FnError> {
    Err(FnError { arg: Some(arg), message: message.into(), kind: CauseKind::Error })
}

/// A result that cannot be known here; the call is no error.
pub fn fail_unknown<T>(kind: CauseKind, message: impl Into<String>) -> Result<T, FnError> {
    Err(FnError { arg: None, message: message.into(), kind })
}

/// A call as its function sees it: arguments of the types of their parameters.
pub struct FnCall<'a, 's> {
    /// The evaluation under way.
    pub evaluator: &'a Evaluator<'s>,
    /// The arguments.
    pub args: &'a [Val],
    /// The place of the call.
    pub span: Span,
    /// The functions's name.
    pub name: &'static str,
}

impl<'a> FnCall<'a, '_> {
    /// An argument; null where there are not so many.
    pub fn arg(&self, i: usize) -> &'a Val {
        static NULL: std::sync::LazyLock<Val> = std::sync::LazyLock::new(Val::null);
        self.args.get(i).unwrap_or(&NULL)
    }

    /// The text of a string argument.
    pub fn text(&self, i: usize) -> &'a str {
        self.arg(i).as_str().unwrap_or_default()
    }

    /// A number argument as a whole number of 64 bits, as Go's `gocty` converts it.
    pub fn int(&self, i: usize) -> Result<i64, FnError> {
        match self.arg(i).as_number().and_then(crate::graph::Number::to_i64) {
            Some(n) => Ok(n),
            None => fail_arg(i, "a whole number of 64 bits is required"),
        }
    }

    /// A result that is unknown because an argument is.
    pub fn unknown(&self, ty: Type) -> Val {
        let why = self.args.iter().find(|a| !a.is_wholly_known()).unwrap_or_else(|| self.arg(0));
        let mut val = super::expr::result_unknown(ty, why, Span::NONE);
        val.origin = Origin::literal(Span::NONE);
        val.marks = Marks::NONE;
        val
    }

    /// Counts elements that are about to be made.
    pub fn spend(&self, elements: usize) -> Result<(), FnError> {
        self.evaluator.spend(elements, self.span).map_err(|e| FnError { arg: None, message: e.message, kind: e.kind })
    }

    /// Refuses strings that become too long.
    pub fn check_length(&self, bytes: usize) -> Result<(), FnError> {
        let result = self.evaluator.check_length(bytes, self.span);
        result.map_err(|e| FnError { arg: None, message: e.message, kind: e.kind })
    }
}

/// The value of a call.
pub fn call(evaluator: &Evaluator<'_>, call: &Call, span: Span, vars: Option<&Vars<'_>>) -> EvalResult {
    let name = call.name.text.strip_prefix("core::").unwrap_or(&call.name.text);
    let own = name.strip_prefix("provider::terraform::");
    if name.contains("::") && own.is_none() {
        return provider_function(evaluator, call, span, vars);
    }
    match name {
        "try" => return try_(evaluator, &call.args, span, vars),
        "can" => return can(evaluator, &call.args, span, vars),
        "templatestring" if !call.expand => return files::template_string(evaluator, &call.args, span, vars),
        _ => {}
    }
    let signature = match own {
        Some(own) => signatures::find_own(own),
        None => signatures::find(name),
    };
    let Some(signature) = signature else {
        return Err(EvalError::new(format!("there is no function {name:?}"), call.name.span));
    };
    let mut args = Vec::with_capacity(call.args.len());
    for arg in &call.args {
        // The type of a call whose arguments are errors is not known.
        args.push(evaluator.expr(arg, vars).map_err(|e| e.typed(Type::Any))?);
    }
    if call.expand
        && let Some(last) = args.pop()
    {
        let place = call.args.last().map_or(span, |a| a.span);
        if let Some(unknown) = expand(last, &mut args, place)? {
            let mut val = super::expr::result_unknown(Type::Any, &unknown, span);
            for arg in &args {
                val = val.inherit(arg);
            }
            return Ok(val);
        }
    }
    run(evaluator, signature, &args, call, span)
}

/// Appends the members of an expanded argument; gives it back where it is unknown.
fn expand(last: Val, args: &mut Vec<Val>, span: Span) -> Result<Option<Val>, Box<EvalError>> {
    if last.is_null() {
        return Err(EvalError::new("the expanded argument must not be null", span));
    }
    if let Some(unknown) = last.as_unknown() {
        return match unknown.ty {
            Type::Any | Type::List(_) | Type::Set(_) | Type::Tuple(_) => Ok(Some(last)),
            _ => Err(EvalError::new("the expanded argument must be a list, set or tuple", span)),
        };
    }
    let Some(items) = last.items() else {
        return Err(EvalError::new("the expanded argument must be a list, set or tuple", span));
    };
    args.extend(items.iter().map(|item| item.clone().inherit(&last)));
    Ok(None)
}

fn run(evaluator: &Evaluator<'_>, signature: &'static Signature, given: &[Val], call: &Call, span: Span) -> EvalResult {
    let name = signature.name;
    let place = |i: usize| call.args.get(i).or(call.args.last()).map_or(span, |a: &Expr| a.span);
    let least = signature.params.len();
    if given.len() < least {
        let missing = signature.params.get(given.len()).map_or("", |p| p.name);
        return Err(EvalError::new(format!("{name} needs an argument {missing:?}"), span));
    }
    if given.len() > least && signature.rest.is_none() {
        return Err(EvalError::new(format!("{name} takes only {least} arguments"), place(least)));
    }
    let mut marks = Marks::NONE;
    let mut args: Vec<Val> = Vec::with_capacity(given.len());
    let mut open = false;
    let mut unknown = false;
    for (i, val) in given.iter().enumerate() {
        let Some(param) = signature.params.get(i).or(signature.rest.as_ref()) else { break };
        let wrong = |message: String| EvalError::new(format!("{name}: {:?}: {message}", param.name), place(i));
        let mut val = match param.ty.get() {
            Type::Any => val.clone(),
            ty => convert(val, ty).map_err(wrong)?,
        };
        if !param.flags.has(Flags::MARKED) {
            let (plain, found) = val.unmarked_deep();
            marks = marks.with(found);
            val = plain;
        } else if !signature.picks {
            marks = marks.with(val.marks);
        }
        if val.is_null() && !param.flags.has(Flags::NULL) {
            return Err(wrong("the argument must not be null".to_owned()));
        }
        match &val.datum {
            Datum::Null(Type::Any) if !param.flags.has(Flags::DYNAMIC) => open = true,
            Datum::Unknown(u) if u.ty.is_any() && !param.flags.has(Flags::DYNAMIC) => open = true,
            Datum::Unknown(_) if !param.flags.has(Flags::UNKNOWN) => unknown = true,
            // Which attributes it has only the provider's schema says.
            Datum::Object(table) if table.rest.is_some() && !param.flags.has(Flags::UNKNOWN) => open = true,
            _ => {}
        }
        args.push(val);
    }
    for arg in &args {
        evaluator.charge_text(arg, span)?;
    }
    let fn_call = FnCall { evaluator, args: &args, span, name };
    let result = if open || unknown {
        let ty = if open && signature.result.get().is_any() { Type::Any } else { signature.result.get().clone() };
        let ty = if open { Type::Any } else { ty };
        Ok(fn_call.unknown(ty).not_null())
    } else {
        (signature.run)(&fn_call)
    };
    let mut val = match result {
        Ok(val) => val,
        Err(error) => match error.kind {
            CauseKind::Error => {
                let at = error.arg.map_or(span, place);
                return Err(
                    EvalError::new(format!("{name}: {}", error.message), at).typed(signature.result.get().clone())
                );
            }
            CauseKind::Limit => return Err(EvalError::limit(error.message, span)),
            kind => {
                let mut val = Val::unknown(kind, error.message, span);
                if !signature.result.get().is_any() {
                    val = Val::unknown_of(
                        signature.result.get().clone(),
                        val.as_unknown().map_or_else(super::access::sample_cause, |u| u.cause.clone()),
                    );
                }
                val.origin = Origin::literal(Span::NONE);
                val.not_null()
            }
        },
    };
    evaluator.charge_text(&val, span)?;
    val.marks = val.marks.with(marks);
    let picks = signature.picks;
    let scalar = !val.is_known() || (val.items().is_none() && val.table().is_none());
    for arg in &args {
        if scalar && !picks {
            val.refs.add(&arg.deep_refs());
        } else {
            val.refs.add(&arg.refs);
        }
    }
    Ok(set_origin(val, given, span))
}

/// Says of the result, and of members that were made by the function, that they come from this call.
fn set_origin(mut val: Val, args: &[Val], span: Span) -> Val {
    if !val.origin.span.is_none() {
        return val.derived_at(span, How::Function);
    }
    let how = std::mem::replace(&mut val.origin.how, How::Function);
    let how = if matches!(how, How::Literal) { How::Function } else { how };
    let from: Arc<[Origin]> = args.iter().map(|a| a.origin.clone()).collect();
    val.origin = Origin { span, how, sensitive: false, from: (!from.is_empty()).then_some(from) };
    let origin = Origin { how: How::Function, ..val.origin.clone() };
    fill_origins(&mut val, &origin);
    val
}

fn fill_origins(val: &mut Val, origin: &Origin) {
    if val.children().all(|c| !c.origin.span.is_none()) {
        return;
    }
    let fill = |child: &mut Val| {
        if child.origin.span.is_none() {
            child.origin = origin.clone();
            fill_origins(child, origin);
        }
    };
    match &mut val.datum {
        Datum::List(seq) | Datum::Set(seq) => Arc::make_mut(seq).items.iter_mut().for_each(fill),
        Datum::Tuple(items) => Arc::make_mut(items).iter_mut().for_each(fill),
        Datum::Map(t) | Datum::Object(t) => Arc::make_mut(t).entries.iter_mut().for_each(|m| fill(&mut m.val)),
        _ => {}
    }
}

/// `provider::name::function(…)`: only the provider knows.
fn provider_function(evaluator: &Evaluator<'_>, call: &Call, span: Span, vars: Option<&Vars<'_>>) -> EvalResult {
    if !call.name.text.starts_with("provider::") {
        return Err(EvalError::reference(format!("there is no function {:?}", call.name.text), call.name.span));
    }
    let message = format!("{} is a provider's own function, which is not run here", call.name.text);
    let mut val = Val::unknown(CauseKind::Unsupported, message, span);
    for arg in &call.args {
        let arg = evaluator.expr(arg, vars)?;
        val.marks = val.marks.with(arg.deep_marks());
        val.refs.add(&arg.deep_refs());
    }
    Ok(val)
}

/// `try(…)`: the first argument that is no error.
fn try_(evaluator: &Evaluator<'_>, args: &[Expr], span: Span, vars: Option<&Vars<'_>>) -> EvalResult {
    if args.is_empty() {
        return Err(EvalError::new("try needs at least one argument", span));
    }
    let mut last = None;
    for (i, arg) in args.iter().enumerate() {
        match evaluator.expr(arg, vars) {
            // What is not wholly known may still turn out to be an error.
            Ok(val) if !val.is_wholly_known() => {
                check_references(evaluator, args.get(i + 1..).unwrap_or_default(), vars)?;
                let mut unknown = super::expr::result_unknown(Type::Any, &val, span);
                unknown.marks = val.deep_marks();
                return Ok(unknown);
            }
            Ok(val) => {
                check_references(evaluator, args.get(i + 1..).unwrap_or_default(), vars)?;
                return Ok(val.derived_at(span, How::Function));
            }
            Err(error) if error.fatal => return Err(error),
            Err(error) => last = Some(error),
        }
    }
    let reason = last.map_or_else(String::new, |e| e.message);
    Err(EvalError::new(format!("no argument of try can be evaluated: {reason}"), span))
}

/// A reference that is not declared is an error wherever it stands, also in an argument that is not needed.
fn check_references(evaluator: &Evaluator<'_>, args: &[Expr], vars: Option<&Vars<'_>>) -> Result<(), Box<EvalError>> {
    for arg in args {
        if let Err(error) = evaluator.expr(arg, vars)
            && error.fatal
        {
            return Err(error);
        }
    }
    Ok(())
}

/// `can(…)`: whether the argument is no error.
fn can(evaluator: &Evaluator<'_>, args: &[Expr], span: Span, vars: Option<&Vars<'_>>) -> EvalResult {
    let [arg] = args else {
        return Err(EvalError::new("can takes one argument", span));
    };
    let (result, from, marks) = match evaluator.expr(arg, vars) {
        Ok(val) if !val.is_wholly_known() => {
            return Ok(super::expr::result_unknown(Type::Bool, &val, span));
        }
        Ok(val) => (true, vec![val.origin.clone()], val.marks),
        Err(error) if error.fatal => return Err(error),
        Err(_) => (false, Vec::new(), Marks::NONE),
    };
    let mut val = Val::bool(result).marked(marks);
    val.origin = Origin::derived(span, How::Function, from);
    Ok(val)
}
