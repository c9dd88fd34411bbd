//! Files, paths and templates. Files are read through the [`Scope`] alone.

use super::{FnCall, FnError, FnResult, fail, fail_arg, fail_unknown, hash};
use crate::base::{FileId, SourceFile, Span};
use crate::formats::golang::clean_path;
use crate::formats::terraform::eval::expr::{Evaluator, Vars};
use crate::formats::terraform::eval::val::Table;
use crate::formats::terraform::eval::{
    Datum, EvalError, EvalResult, FileRead, Marks, Resolved, Scope, Type, Val, sets,
};
use crate::graph::{Cause, CauseKind, How, Origin};
use crate::syntax::hcl;
use crate::syntax::hcl::tree::{Expr, ExprKind, Step};
use std::sync::Arc;

fn read(call: &FnCall<'_, '_>) -> Result<Arc<SourceFile>, FnError> {
    let path = call.text(0);
    match call.evaluator.scope.read(path) {
        FileRead::Found(file) => Ok(file),
        FileRead::Missing if path.starts_with('~') => fail_unknown(CauseKind::External, "a file in the home directory"),
        FileRead::Missing => fail_arg(0, format!("there is no file {path:?}")),
        FileRead::Unknown(reason) => fail_unknown(CauseKind::Missing, reason),
    }
}

/// Text that stands in a file, with its place there.
fn text_of(file: &SourceFile) -> Val {
    let mut val = Val::string(file.text.clone());
    val.origin = Origin::literal(Span::new(file.id, 0..file.text.len()));
    val
}

pub fn file(call: &FnCall<'_, '_>) -> FnResult {
    Ok(text_of(&*read(call)?))
}

pub fn fileexists(call: &FnCall<'_, '_>) -> FnResult {
    match call.evaluator.scope.read(call.text(0)) {
        FileRead::Found(_) => Ok(Val::bool(true)),
        FileRead::Missing if !call.text(0).starts_with('~') => Ok(Val::bool(false)),
        FileRead::Missing => fail_unknown(CauseKind::External, "a file in the home directory"),
        FileRead::Unknown(reason) => fail_unknown(CauseKind::Missing, reason),
    }
}

fn hashed(call: &FnCall<'_, '_>) -> FnResult {
    let file = read(call)?;
    let name = match call.name.strip_prefix("file") {
        Some("base64sha256") => "base64sha256",
        Some("base64sha512") => "base64sha512",
        Some(name) => name,
        None => call.name,
    };
    Ok(Val::string(hash::hash(name, file.text.as_bytes())))
}

pub fn filebase64(call: &FnCall<'_, '_>) -> FnResult {
    let file = read(call)?;
    let mut val = Val::string(hash::hash("base64", file.text.as_bytes()));
    val.origin.how = How::Encoded(Arc::new(text_of(&file).to_value()));
    Ok(val)
}

pub fn filebase64sha256(call: &FnCall<'_, '_>) -> FnResult {
    hashed(call)
}

pub fn filebase64sha512(call: &FnCall<'_, '_>) -> FnResult {
    hashed(call)
}

pub fn filemd5(call: &FnCall<'_, '_>) -> FnResult {
    hashed(call)
}

pub fn filesha1(call: &FnCall<'_, '_>) -> FnResult {
    hashed(call)
}

pub fn filesha256(call: &FnCall<'_, '_>) -> FnResult {
    hashed(call)
}

pub fn filesha512(call: &FnCall<'_, '_>) -> FnResult {
    hashed(call)
}

/// A path of the machine on which Terraform runs, of which the end is known.
fn machine_path(call: &FnCall<'_, '_>, message: &str, end: &str) -> FnResult {
    let cause = Cause { kind: CauseKind::External, message: message.to_owned(), span: call.span };
    let end = clean_path(&format!("/{end}"));
    let known = (end != "/").then(|| Arc::from(end));
    let mut val = Val::unknown_of(Type::String, Arc::new(cause)).not_null();
    val.origin = Origin::literal(Span::NONE);
    Ok(val.refined(|u| {
        u.prefix = Some("/".into());
        u.suffix = known;
    }))
}

pub fn basename(call: &FnCall<'_, '_>) -> FnResult {
    let path = match call.arg(0).as_unknown() {
        None => call.text(0),
        Some(unknown) => match &unknown.suffix {
            Some(end) => end,
            None => return Ok(call.unknown(Type::String).not_null()),
        },
    };
    let trimmed = path.trim_end_matches('/');
    Ok(Val::string(match (path.is_empty(), trimmed.is_empty()) {
        (true, _) => ".",
        (false, true) => "/",
        _ => trimmed.rsplit('/').next().unwrap_or(trimmed),
    }))
}

pub fn dirname(call: &FnCall<'_, '_>) -> FnResult {
    let path = call.text(0);
    let end = path.rfind('/').map_or(0, |i| i + 1);
    Ok(Val::string(clean_path(&path[..end])))
}

pub fn abspath(call: &FnCall<'_, '_>) -> FnResult {
    let path = call.text(0);
    if path.starts_with('/') {
        return Ok(Val::string(clean_path(path)));
    }
    // Where the path leads upwards, its end depends on the folder as well.
    let end = clean_path(path);
    machine_path(call, "the folder in which Terraform runs", if end.starts_with("..") { "" } else { &end })
}

pub fn pathexpand(call: &FnCall<'_, '_>) -> FnResult {
    let path = call.text(0);
    match path.strip_prefix('~') {
        None => Ok(Val::string(path)),
        Some(rest) if rest.is_empty() || rest.starts_with('/') => {
            machine_path(call, "the home directory of whoever runs Terraform", rest)
        }
        Some(_) => fail("the home directory of another user cannot be found"),
    }
}

pub fn fileset(call: &FnCall<'_, '_>) -> FnResult {
    let (dir, pattern) = (call.text(0), call.text(1));
    let pattern = clean_path(pattern);
    if pattern.starts_with("../") || pattern == ".." {
        return fail_unknown(CauseKind::Unsupported, "a pattern that leads out of its folder");
    }
    let mut patterns = Vec::new();
    if !expand_braces(&pattern, &mut patterns) {
        return fail(format!("the pattern {pattern:?} cannot be read"));
    }
    let compiled: Option<Vec<Vec<Vec<Piece>>>> =
        patterns.iter().map(|p| p.split('/').map(pieces).collect::<Option<Vec<_>>>()).collect();
    let Some(compiled) = compiled else {
        return fail(format!("the pattern {pattern:?} cannot be read"));
    };
    let Some(files) = call.evaluator.scope.list(dir) else {
        return fail_unknown(CauseKind::Missing, format!("the folder {dir:?} lies outside of the workspace"));
    };
    let mut found: Vec<Val> = Vec::new();
    for path in files {
        call.spend(1)?;
        let parts: Vec<&str> = path.split('/').collect();
        if compiled.iter().any(|pattern| matches_path(pattern, &parts)) {
            found.push(Val::string(path.clone()));
        }
    }
    sets::normalize(&mut found);
    Ok(Val::new(Datum::Set(Arc::new(crate::formats::terraform::eval::Seq { elem: Type::String, items: found }))))
}

/// A sign of a pattern.
enum Piece {
    /// `*`.
    Star,
    /// `**` as a whole part of the path.
    Parts,
    /// `?`.
    Any,
    /// A character.
    Char(char),
    /// `[a-z]`, `[^a]`.
    Class(bool, Vec<(char, char)>),
}

/// `None` where the pattern is malformed.
fn pieces(part: &str) -> Option<Vec<Piece>> {
    if part == "**" {
        return Some(vec![Piece::Parts]);
    }
    let mut out = Vec::new();
    let mut chars = part.chars().peekable();
    while let Some(c) = chars.next() {
        out.push(match c {
            '*' => Piece::Star,
            '?' => Piece::Any,
            '\\' => Piece::Char(chars.next()?),
            '[' => {
                let negated = chars.next_if_eq(&'^').is_some();
                let mut ranges = Vec::new();
                loop {
                    let mut low = chars.next()?;
                    if low == ']' {
                        if ranges.is_empty() {
                            return None;
                        }
                        break;
                    }
                    if low == '-' {
                        return None;
                    }
                    if low == '\\' {
                        low = chars.next()?;
                    }
                    let mut high = low;
                    if chars.next_if_eq(&'-').is_some() {
                        high = chars.next()?;
                        if high == ']' || high == '-' {
                            return None;
                        }
                        if high == '\\' {
                            high = chars.next()?;
                        }
                    }
                    ranges.push((low, high));
                }
                Piece::Class(negated, ranges)
            }
            c => Piece::Char(c),
        });
    }
    Some(out)
}

/// Writes out `{a,b}`. Gives `false` where the pattern is malformed or too wide.
fn expand_braces(pattern: &str, out: &mut Vec<String>) -> bool {
    let mut depth = 0usize;
    let mut open = None;
    let mut commas = Vec::new();
    let mut escaped = false;
    for (i, c) in pattern.char_indices() {
        if std::mem::take(&mut escaped) {
            continue;
        }
        match c {
            '\\' => escaped = true,
            '{' => {
                depth += 1;
                if depth == 1 {
                    open = Some(i);
                    commas.push(i);
                }
            }
            ',' if depth == 1 => commas.push(i),
            '}' if depth == 1 => {
                commas.push(i);
                let Some(start) = open else { return false };
                for pair in commas.windows(2) {
                    let whole = format!("{}{}{}", &pattern[..start], &pattern[pair[0] + 1..pair[1]], &pattern[i + 1..]);
                    if out.len() > 1000 || !expand_braces(&whole, out) {
                        return false;
                    }
                }
                return true;
            }
            '}' if depth > 1 => depth -= 1,
            _ => {}
        }
    }
    out.push(pattern.to_owned());
    depth == 0
}

fn matches_path(pattern: &[Vec<Piece>], path: &[&str]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((first, rest)), _) if matches!(first.as_slice(), [Piece::Parts]) => {
            // Nothing, or one part of the path and again.
            matches_path(rest, path) || path.split_first().is_some_and(|(_, below)| matches_path(pattern, below))
        }
        (Some((first, rest)), Some((part, below))) => {
            let chars: Vec<char> = part.chars().collect();
            matches_part(first, &chars) && matches_path(rest, below)
        }
        _ => false,
    }
}

fn matches_part(pattern: &[Piece], text: &[char]) -> bool {
    // The usual two pointers: on a mismatch go back to the last star and let it take one more.
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        let fits = match pattern.get(p) {
            Some(Piece::Star | Piece::Parts) => {
                star = Some((p, t));
                p += 1;
                continue;
            }
            Some(Piece::Any) => true,
            Some(Piece::Char(c)) => *c == text[t],
            Some(Piece::Class(negated, ranges)) => ranges.iter().any(|&(l, h)| (l..=h).contains(&text[t])) != *negated,
            None => false,
        };
        match (fits, star) {
            (true, _) => (p, t) = (p + 1, t + 1),
            (false, Some((at, from))) => {
                star = Some((at, from + 1));
                (p, t) = (at + 1, from + 1);
            }
            (false, None) => return false,
        }
    }
    pattern.get(p..).unwrap_or_default().iter().all(|piece| matches!(piece, Piece::Star | Piece::Parts))
}

/// The scope of a template: the variables it is given, and nothing else.
struct TemplateScope<'a> {
    vars: &'a Table,
    outer: &'a dyn Scope,
}

impl Scope for TemplateScope<'_> {
    fn resolve(&self, root: &str, _: &[Step], span: Span) -> Result<Resolved, Box<EvalError>> {
        match self.vars.get(root) {
            Some(val) => Ok(Resolved { val: val.clone(), steps: 0, how: How::Variable }),
            None => Err(EvalError::reference(format!("the template is given no variable {root:?}"), span)),
        }
    }

    fn read(&self, path: &str) -> FileRead {
        self.outer.read(path)
    }

    fn list(&self, dir: &str) -> Option<Vec<Arc<str>>> {
        self.outer.list(dir)
    }

    fn budget(&self) -> Option<&std::cell::Cell<usize>> {
        self.outer.budget()
    }
}

/// Whether a name can be a variable's.
fn is_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && chars.all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

/// Renders a template; an error in it is an error of the call.
fn render(evaluator: &Evaluator<'_>, text: &str, file: FileId, vars: &Val) -> FnResult {
    if evaluator.rendering > 0 {
        return fail("a template cannot render another template");
    }
    let empty = Table::default();
    let table = match vars.table() {
        Some(table) => table,
        None => &empty,
    };
    if let Some(bad) = table.entries.iter().find(|m| !is_name(&m.key)) {
        return fail_arg(1, format!("{:?} cannot be the name of a variable", bad.key));
    }
    let expr = match hcl::parse_template(text, file) {
        Ok(expr) => expr,
        Err(errors) => {
            let message = errors.first().map_or_else(String::new, |e| e.message.clone());
            return fail(format!("the template cannot be read: {message}"));
        }
    };
    let scope = TemplateScope { vars: table, outer: evaluator.scope };
    let nested = evaluator.nested(&scope);
    let result = nested.expr(&expr, None);
    evaluator.absorb(&nested);
    match result {
        Ok(val) => Ok(val),
        Err(error) => Err(FnError { arg: None, message: error.message, kind: error.kind }),
    }
}

pub fn templatefile(call: &FnCall<'_, '_>) -> FnResult {
    let vars = call.arg(1);
    match &vars.datum {
        Datum::Map(_) | Datum::Object(_) => {}
        Datum::Unknown(unknown) if matches!(unknown.ty, Type::Any | Type::Map(_) | Type::Object(_)) => {
            return Ok(call.unknown(Type::Any));
        }
        _ => return fail_arg(1, "the variables must be a map or object"),
    }
    let file = read(call)?;
    let text = file.text.strip_prefix('\u{feff}').unwrap_or(&file.text);
    let mut val = render(call.evaluator, text, file.id, vars)?;
    if !matches!(val.origin.how, How::Encoded(_)) {
        val.origin.how = How::Rendered;
    }
    Ok(val)
}

/// `templatestring(reference, variables)`: the template is a value elsewhere, not written in place.
pub fn template_string(evaluator: &Evaluator<'_>, args: &[Expr], span: Span, vars: Option<&Vars<'_>>) -> EvalResult {
    let [template, given] = args else {
        return Err(EvalError::new("templatestring takes a template and its variables", span));
    };
    if !matches!(template.unparenthesized().kind, ExprKind::Traversal(_) | ExprKind::Variable(_)) {
        return Err(EvalError::new("the template must be a reference to a string", template.span));
    }
    let text = evaluator.expr(template, vars)?;
    let given = evaluator.expr(given, vars)?;
    let wrong = |message: &str, at: &Expr| EvalError::new(format!("templatestring: {message}"), at.span);
    let text = crate::formats::terraform::eval::convert(&text, &Type::String).map_err(|e| wrong(&e, template))?;
    if text.is_null() {
        return Err(wrong("the template must not be null", template));
    }
    let marks = text.marks.with(given.deep_marks());
    let finish = |mut val: Val, marks: Marks| {
        val.refs.add(&text.refs);
        val.refs.add(&given.deep_refs());
        val.marks = val.marks.with(marks);
        val.derived_at(span, How::Rendered)
    };
    let why = match (&text.datum, &given.datum) {
        (Datum::Unknown(_), _) => &text,
        (_, Datum::Unknown(unknown)) if matches!(unknown.ty, Type::Any | Type::Map(_) | Type::Object(_)) => &given,
        (_, Datum::Map(_) | Datum::Object(_)) => {
            let source = text.as_str().unwrap_or_default();
            let (plain, _) = given.unmarked_deep();
            return match render(evaluator, source, FileId::NONE, &plain) {
                Ok(val) => match crate::formats::terraform::eval::convert(&val, &Type::String) {
                    Ok(val) => Ok(finish(val, marks)),
                    Err(reason) => Err(EvalError::new(format!("the template does not give a string: {reason}"), span)),
                },
                Err(error) if error.kind == CauseKind::Error => Err(EvalError::new(error.message, span)),
                Err(error) => Err(EvalError::limit(error.message, span)),
            };
        }
        _ => return Err(EvalError::new("the variables of a template must be a map or object", span)),
    };
    Ok(finish(crate::formats::terraform::eval::expr::result_unknown(Type::String, why, span), marks))
}
