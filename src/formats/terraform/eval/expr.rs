//! The expressions themselves.

use super::template::Templates;
use super::val::{Member, Table};
use super::{Datum, EvalError, EvalResult, Marks, Scope, Type, Val, access, convert, functions, nfc, ops, unify};
use crate::base::Span;
use crate::graph::{CauseKind, How, Number, Origin};
use crate::syntax::hcl::tree::{
    Call, Conditional, Expr, ExprKind, For, ObjectItem, ObjectKey, Step, StepKind, Traversal,
};
use std::cell::Cell;
use std::sync::Arc;

/// How deep expressions may nest, across all the evaluations that are under way on a thread.
const MAX_DEPTH: u32 = 400;
/// How many elements one evaluation may make.
const MAX_ELEMENTS: usize = 250_000;
/// How long a string may become, in bytes.
const MAX_STRING: usize = 4 << 20;
/// How many bytes of text that is made count as one part of a value.
const BYTES_A_PART: usize = 32;

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// The value of an expression; an unknown of [`CauseKind::Error`] where it has none.
pub fn eval(expr: &Expr, scope: &dyn Scope) -> Val {
    match try_eval(expr, scope) {
        Ok(val) => val,
        Err(error) => {
            let mut val = Val::unknown_of(Type::Any, error.into_cause());
            val.origin = Origin::literal(expr.span);
            val
        }
    }
}

/// The value of an expression, or why it has none.
pub fn try_eval(expr: &Expr, scope: &dyn Scope) -> EvalResult {
    // Most attributes are literals.
    match &expr.kind {
        ExprKind::Bool(b) => Ok(Val::at(Datum::Bool(*b), expr.span)),
        ExprKind::String(text) => Ok(Val::at(Datum::String(nfc(text.clone())), expr.span)),
        _ => Evaluator::new(scope).expr(expr, None),
    }
}

/// A variable of a for expression or of a template, on top of those around it.
pub struct Vars<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its value.
    pub val: Val,
    /// Those around it.
    pub outer: Option<&'a Vars<'a>>,
}

/// One evaluation under way.
pub struct Evaluator<'s> {
    /// What is referred to.
    pub scope: &'s dyn Scope,
    elements: Cell<usize>,
    /// Templates that are being rendered: how deep, so that one that renders itself ends.
    pub(super) rendering: u32,
}

impl<'s> Evaluator<'s> {
    /// An evaluation in a scope, with its whole budget.
    pub fn new(scope: &'s dyn Scope) -> Evaluator<'s> {
        Evaluator { scope, elements: Cell::new(0), rendering: 0 }
    }

    /// An evaluation inside this one, of a template's own scope; it uses up the same budget.
    pub(super) fn nested<'b>(&self, scope: &'b dyn Scope) -> Evaluator<'b> {
        Evaluator { scope, elements: Cell::new(self.elements.get()), rendering: self.rendering + 1 }
    }

    /// Takes over what a nested evaluation used up.
    pub(super) fn absorb(&self, nested: &Evaluator<'_>) {
        self.elements.set(nested.elements.get());
    }

    /// Counts elements that are about to be made.
    pub fn spend(&self, elements: usize, span: Span) -> Result<(), Box<EvalError>> {
        let spent = self.elements.get().saturating_add(elements);
        if spent > MAX_ELEMENTS {
            return Err(EvalError::limit(format!("the expression makes more than {MAX_ELEMENTS} elements"), span));
        }
        self.elements.set(spent);
        self.charge(elements, span)
    }

    /// Refuses strings that become too long.
    pub fn check_length(&self, bytes: usize, span: Span) -> Result<(), Box<EvalError>> {
        if bytes > MAX_STRING {
            return Err(EvalError::limit(format!("a string becomes longer than {} MiB", MAX_STRING >> 20), span));
        }
        Ok(())
    }

    /// Counts the text of a string that is made or read.
    pub fn charge_text(&self, val: &Val, span: Span) -> Result<(), Box<EvalError>> {
        match val.as_str().map_or(0, str::len) / BYTES_A_PART {
            0 => Ok(()),
            parts => self.charge(parts, span),
        }
    }

    /// Takes parts from what the scope has left.
    fn charge(&self, parts: usize, span: Span) -> Result<(), Box<EvalError>> {
        let Some(budget) = self.scope.budget() else { return Ok(()) };
        match budget.get().checked_sub(parts) {
            Some(left) => {
                budget.set(left);
                Ok(())
            }
            None => {
                budget.set(0);
                Err(EvalError::limit("there is no room left for what this makes", span))
            }
        }
    }

    /// The value of an expression among the variables of the for expressions around it.
    pub fn expr(&self, expr: &Expr, vars: Option<&Vars<'_>>) -> EvalResult {
        match &expr.kind {
            ExprKind::Null => Ok(Val::at(Datum::Null(Type::Any), expr.span)),
            ExprKind::Bool(b) => Ok(Val::at(Datum::Bool(*b), expr.span)),
            ExprKind::String(text) => Ok(Val::at(Datum::String(nfc(text.clone())), expr.span)),
            ExprKind::Number(text) => number(text, expr.span),
            ExprKind::Error(reason) => Err(EvalError::reference(&**reason, expr.span)),
            _ => {
                let depth = DEPTH.get();
                if depth >= MAX_DEPTH {
                    return Err(EvalError::limit(format!("expressions nest more than {MAX_DEPTH} deep"), expr.span));
                }
                DEPTH.set(depth + 1);
                let result = self.compound(expr, vars);
                DEPTH.set(depth);
                result
            }
        }
    }

    fn compound(&self, expr: &Expr, vars: Option<&Vars<'_>>) -> EvalResult {
        match &expr.kind {
            ExprKind::Parens(inner) => self.expr(inner, vars),
            ExprKind::Template(template) => self.template(template, expr.span, vars),
            ExprKind::Tuple(items) => {
                self.spend(items.len(), expr.span)?;
                let mut values = Vec::with_capacity(items.len());
                let mut failed = None;
                for item in items {
                    values.push(self.member(item, &mut failed, vars)?);
                }
                let tuple = Val::at(Datum::Tuple(Arc::new(values)), expr.span);
                match failed {
                    Some(error) => Err(error.typed(tuple.ty())),
                    None => Ok(tuple),
                }
            }
            ExprKind::Object(items) => self.object(items, expr.span, vars),
            ExprKind::For(f) => {
                let mut ty = Type::Any;
                self.for_expr(f, expr.span, vars, &mut ty).map_err(|e| e.typed(ty))
            }
            ExprKind::Conditional(conditional) => self.conditional(conditional, expr.span, vars),
            ExprKind::Unary(op, operand) => {
                let val = self.expr(operand, vars)?;
                ops::unary(*op, &val, expr.span)
            }
            ExprKind::Binary(binary) => {
                // Whatever is wrong with the operands, the type of the result is the operator's.
                let typed = |e: Box<EvalError>| e.typed(ops::result_type(binary.op));
                let left = self.expr(&binary.left, vars).map_err(typed)?;
                let right = self.expr(&binary.right, vars).map_err(typed)?;
                ops::binary(binary.op, &left, &right, expr.span)
            }
            ExprKind::Call(call) => self.call(call, expr.span, vars),
            ExprKind::Variable(name) => self.reference(name, expr.span, &[], expr.span, vars),
            ExprKind::Traversal(traversal) => {
                self.traversal(traversal, expr.span, vars).map_err(|e| e.typed(Type::Any))
            }
            _ => Err(EvalError::new("this expression has no value", expr.span)),
        }
    }

    /// A member of a tuple or object. Where it fails, an unknown of its type stands for it, so that the type of the
    /// whole is known all the same: the branch of a conditional that is not taken has a type even if it is an error.
    fn member(&self, expr: &Expr, failed: &mut Option<Box<EvalError>>, vars: Option<&Vars<'_>>) -> EvalResult {
        match self.expr(expr, vars) {
            Err(error) if !error.fatal => {
                let val = Val::unknown_of(error.ty.clone(), access::sample_cause());
                failed.get_or_insert(error);
                Ok(val)
            }
            result => result,
        }
    }

    fn object(&self, items: &[ObjectItem], span: Span, vars: Option<&Vars<'_>>) -> EvalResult {
        self.spend(items.len(), span)?;
        let mut entries = Vec::with_capacity(items.len());
        let mut marks = Marks::NONE;
        let mut unknown = None;
        let mut failed = None;
        for item in items {
            let (key, key_span) = match &item.key {
                ObjectKey::Name(name) => (Some(name.text.clone()), name.span),
                ObjectKey::Expr(key) => {
                    if matches!(&key.kind, ExprKind::Traversal(t) if matches!(t.base.kind, ExprKind::Variable(_))) {
                        return Err(EvalError::reference("ambiguous key: put it in parentheses or quotes", key.span));
                    }
                    let untyped = |e: Box<EvalError>| e.typed(Type::Any);
                    let val = self.expr(key, vars).map_err(untyped)?;
                    let text = key_text(&val, key.span)?;
                    marks = marks.with(val.marks);
                    if text.is_none() {
                        unknown.get_or_insert(val);
                    }
                    (text, key.span)
                }
            };
            let val = self.member(&item.value, &mut failed, vars)?;
            if let Some(key) = key {
                entries.push(Member { key: nfc(key), key_span, val });
            }
        }
        if let Some(error) = failed {
            let ty = if unknown.is_some() { Type::Any } else { Val::object(entries).ty() };
            return Err(error.typed(ty));
        }
        if let Some(key) = unknown {
            return Ok(result_unknown(Type::Any, &key, span).marked(marks));
        }
        let mut val = Val::at(Datum::Object(Arc::new(Table::new(Type::Any, entries))), span);
        val.marks = marks;
        Ok(val)
    }

    /// The value of a for expression; `failed_type` is the type of one that has none.
    fn for_expr(&self, f: &For, span: Span, vars: Option<&Vars<'_>>, failed_type: &mut Type) -> EvalResult {
        let collection = self.expr(&f.collection, vars)?;
        let mut marks = collection.marks;
        let mut refs = collection.refs.clone();
        let Some(elements) = elements_of(&collection, f.collection.span)? else {
            return Ok(result_unknown(Type::Any, &collection, span));
        };
        if let Some(condition) = &f.condition {
            self.check_condition(f, condition, vars)?;
        }
        let mut unknown: Option<Val> = None;
        let mut failed: Option<Box<EvalError>> = None;
        let mut items: Vec<Val> = Vec::new();
        let mut entries: Vec<Member> = Vec::new();
        let mut groups: Vec<(Member, Vec<Val>)> = Vec::new();
        let mut seen: crate::base::FastMap<Arc<str>, usize> = crate::base::FastMap::default();
        for (key, val) in elements {
            self.spend(1, span)?;
            let key_vars =
                f.key_var.as_ref().map(|k| Vars { name: &k.text, val: key.inherit(&collection), outer: vars });
            let outer = key_vars.as_ref().or(vars);
            let inner = Vars { name: &f.value_var.text, val, outer };
            let inner = Some(&inner);
            if let Some(condition) = &f.condition {
                let include = self.expr(condition, inner)?;
                marks = marks.with(include.marks);
                match ops::condition(&include, condition.span)? {
                    Some(true) => {}
                    Some(false) => continue,
                    None => {
                        unknown.get_or_insert(include);
                        continue;
                    }
                }
            }
            let Some(key_expr) = &f.key else {
                items.push(self.member(&f.value, &mut failed, inner)?);
                continue;
            };
            let key = self.expr(key_expr, inner).and_then(|key| Ok((key_text(&key, key_expr.span)?, key)));
            let (text, key) = match key {
                Err(error) if !error.fatal => {
                    failed.get_or_insert(error);
                    continue;
                }
                key => key?,
            };
            marks = marks.with(key.marks);
            refs.add(&key.refs);
            let Some(text) = text else {
                unknown.get_or_insert(key);
                continue;
            };
            let val = self.member(&f.value, &mut failed, inner)?;
            let member = Member { key: text.clone(), key_span: key.origin.span, val };
            match seen.get(&text) {
                None => {
                    seen.insert(text, if f.grouped { groups.len() } else { entries.len() });
                    if f.grouped {
                        let first = member.val.clone();
                        groups.push((member, vec![first]));
                    } else {
                        entries.push(member);
                    }
                }
                Some(&at) if f.grouped => {
                    if let Some((_, values)) = groups.get_mut(at) {
                        values.push(member.val);
                    }
                }
                Some(_) => {
                    let message = format!(
                        "two members of the for expression have the key {text:?}; `...` after the value would group them"
                    );
                    failed.get_or_insert_with(|| EvalError::new(message, key_expr.span));
                }
            }
        }
        if let Some(error) = failed {
            // What the untaken branch of a conditional would be is known all the same.
            if unknown.is_none() {
                *failed_type = match f.key {
                    None => Val::tuple(items).ty(),
                    Some(_) if f.grouped => Type::Any,
                    Some(_) => Val::object(entries).ty(),
                };
            }
            return Err(error);
        }
        if let Some(why) = unknown {
            let mut val = result_unknown(Type::Any, &why, span).marked(marks);
            val.refs.add(&refs);
            return Ok(val);
        }
        let datum = if f.key.is_none() {
            Datum::Tuple(Arc::new(items))
        } else {
            let grouped = groups.into_iter().map(|(member, values)| {
                let origin = member.val.origin.clone();
                let mut val = Val::tuple(values);
                val.origin = origin;
                Member { val, ..member }
            });
            entries.extend(grouped);
            Datum::Object(Arc::new(Table::new(Type::Any, entries)))
        };
        let origin = Origin::derived(span, How::Function, [collection.origin.clone()]);
        Ok(Val { datum, origin, marks, refs })
    }

    /// Terraform evaluates a condition once before it looks at any element, so that a wrong one is an error also where
    /// there is nothing to iterate over.
    fn check_condition(&self, f: &For, condition: &Expr, vars: Option<&Vars<'_>>) -> Result<(), Box<EvalError>> {
        let sample = || Val::unknown_of(Type::Any, access::sample_cause());
        let key = f.key_var.as_ref().map(|k| Vars { name: &k.text, val: sample(), outer: vars });
        let inner = Vars { name: &f.value_var.text, val: sample(), outer: key.as_ref().or(vars) };
        let include = self.expr(condition, Some(&inner))?;
        ops::condition(&include, condition.span).map(|_| ())
    }

    fn conditional(&self, c: &Conditional, span: Span, vars: Option<&Vars<'_>>) -> EvalResult {
        // Both branches are evaluated, for the type of the result; an error counts only in the branch that is taken.
        let condition = self.expr(&c.condition, vars);
        let then = self.expr(&c.then, vars);
        let otherwise = self.expr(&c.otherwise, vars);
        let branch_type = |branch: &EvalResult| match branch {
            Ok(val) => Ok(val.ty()),
            Err(error) if error.fatal => Err(error.clone()),
            Err(error) => Ok(error.ty.clone()),
        };
        let (then_type, otherwise_type) = (branch_type(&then)?, branch_type(&otherwise)?);
        let is_plain_null = |branch: &EvalResult| branch.as_ref().is_ok_and(|v| v.is_null() && v.ty().is_any());
        let ty = if is_plain_null(&then) {
            otherwise_type
        } else if is_plain_null(&otherwise) || then_type == otherwise_type {
            then_type
        } else {
            let pair = [then_type, otherwise_type];
            unify(&pair).ok_or_else(|| {
                let message = format!(
                    "the branches of a conditional must have consistent types; they are {} and {}",
                    pair[0], pair[1]
                );
                EvalError::new(message, span)
            })?
        };
        let condition = condition.map_err(|e| e.typed(ty.clone()))?;
        let chosen = ops::condition(&condition, c.condition.span).map_err(|e| e.typed(ty.clone()))?;
        let Some(chosen) = chosen else {
            let mut val = result_unknown(ty.clone(), &condition, span);
            if let (Ok(a), Ok(b)) = (&then, &otherwise) {
                val.refs.add(&a.deep_refs());
                val.refs.add(&b.deep_refs());
                val.marks = val.marks.with(a.marks).with(b.marks);
                if a.is_null() && b.is_null() {
                    val.datum = Datum::Null(ty);
                } else {
                    val = ops::refine_either(val, a, b);
                }
            }
            return Ok(val);
        };
        let (val, expr) = if chosen { (then?, &c.then) } else { (otherwise?, &c.otherwise) };
        let val = if val.is_null() || !val.is_known() || !matches_type(&val, &ty) {
            convert(&val, &ty)
                .map_err(|e| EvalError::new(format!("inconsistent types of a conditional: {e}"), expr.span))?
        } else {
            val
        };
        Ok(val.marked(condition.marks))
    }

    fn traversal(&self, traversal: &Traversal, span: Span, vars: Option<&Vars<'_>>) -> EvalResult {
        if let ExprKind::Variable(name) = &traversal.base.kind {
            return self.reference(name, traversal.base.span, &traversal.steps, span, vars);
        }
        let base = self.expr(&traversal.base, vars)?;
        let val = self.steps(base.clone(), &traversal.steps, traversal.base.span, vars)?;
        Ok(val)
    }

    /// The value of a name and the steps after it.
    fn reference(
        &self,
        name: &str,
        name_span: Span,
        steps: &[Step],
        span: Span,
        vars: Option<&Vars<'_>>,
    ) -> EvalResult {
        let mut at = vars;
        while let Some(var) = at {
            if var.name == name {
                return self.steps(var.val.clone(), steps, name_span, vars);
            }
            at = var.outer;
        }
        let resolved = self.scope.resolve(name, steps, name_span)?;
        let rest = steps.get(resolved.steps..).unwrap_or_default();
        // Whoever refers to a value that is an error is an error too.
        if let Some(unknown) = resolved.val.as_unknown()
            && matches!(unknown.cause.kind, CauseKind::Error)
        {
            return Err(EvalError::of_cause(&unknown.cause));
        }
        let taken =
            steps.get(..resolved.steps).and_then(<[Step]>::last).map_or(name_span, |last| name_span.to(last.span));
        let val = self.steps(resolved.val, rest, taken, vars)?;
        if let Some(unknown) = val.as_unknown()
            && matches!(unknown.cause.kind, CauseKind::Error)
        {
            return Err(EvalError::of_cause(&unknown.cause));
        }
        Ok(val.derived_at(span, resolved.how))
    }

    /// The value after steps.
    fn steps(&self, mut val: Val, steps: &[Step], base: Span, vars: Option<&Vars<'_>>) -> EvalResult {
        let mut so_far = base;
        for step in steps {
            let here = so_far.to(step.span);
            val = match &step.kind {
                StepKind::Attr(name) => access::attribute(&val, name, step.span)?,
                StepKind::Index(key) => {
                    let key = self.expr(key, vars)?;
                    access::index(&val, &key, step.span)?
                }
                StepKind::Splat { each, .. } => self.splat(&val, each, here, vars)?,
            };
            so_far = here;
        }
        Ok(val)
    }

    fn splat(&self, source: &Val, each: &[Step], span: Span, vars: Option<&Vars<'_>>) -> EvalResult {
        let ty = source.ty();
        let sequence = matches!(ty, Type::Tuple(_) | Type::List(_) | Type::Set(_));
        let finish = |datum: Datum| {
            let origin = Origin::derived(span, How::Function, [source.origin.clone()]);
            Val { datum, origin, marks: source.marks, refs: source.refs.clone() }
        };
        if source.is_null() {
            if sequence {
                return Err(EvalError::new("a splat cannot be applied to a null list, set or tuple", span));
            }
            return Ok(finish(Datum::Tuple(Arc::default())));
        }
        if !sequence {
            if !source.is_known() {
                return Ok(result_unknown(Type::Any, source, span));
            }
            let item = self.steps(source.clone(), each, span, vars)?;
            return Ok(finish(Datum::Tuple(Arc::new(vec![item]))));
        }
        let result_elem = |elem: &Type| {
            let sample = Val::unknown_of(elem.clone(), crate::formats::terraform::eval::access::sample_cause());
            self.steps(sample, each, span, vars).map(|v| v.ty())
        };
        if let Some(unknown) = source.as_unknown() {
            let (min, max) = (unknown.min_len, unknown.max_len);
            let ty = match &ty {
                Type::List(elem) | Type::Set(elem) => Type::list(result_elem(elem)?),
                _ => Type::Any,
            };
            let val = result_unknown(ty, source, span).not_null();
            return Ok(val.refined(|u| (u.min_len, u.max_len) = (min, max)));
        }
        let items = source.items().unwrap_or_default();
        self.spend(items.len(), span)?;
        let mut values = Vec::with_capacity(items.len());
        for item in items {
            values.push(self.steps(item.clone(), each, span, vars)?);
        }
        Ok(finish(match &ty {
            Type::List(elem) | Type::Set(elem) => {
                let elem = match values.iter().map(Val::ty).find(|t| !t.is_any()) {
                    Some(ty) => ty,
                    None => result_elem(elem)?,
                };
                Datum::List(Arc::new(super::Seq { elem, items: values }))
            }
            _ => Datum::Tuple(Arc::new(values)),
        }))
    }

    fn call(&self, call: &Call, span: Span, vars: Option<&Vars<'_>>) -> EvalResult {
        functions::call(self, call, span, vars)
    }
}

fn number(text: &str, span: Span) -> EvalResult {
    match Number::parse(text) {
        Some(n) => Ok(Val::at(Datum::Number(n), span)),
        None => Err(EvalError::limit(format!("the number {text} is too large or too small"), span)),
    }
}

/// The key of an object's member: `None` where it is unknown.
fn key_text(key: &Val, span: Span) -> Result<Option<Arc<str>>, Box<EvalError>> {
    if key.is_null() {
        return Err(EvalError::new("a key must not be null", span));
    }
    let text = convert(key, &Type::String).map_err(|e| EvalError::new(format!("a key must be a string: {e}"), span))?;
    Ok(match text.datum {
        Datum::String(s) => Some(s),
        _ => None,
    })
}

/// What a for expression iterates over, as keys and values; `None` where it is unknown.
pub(super) fn elements_of(collection: &Val, span: Span) -> Result<Option<Vec<(Val, Val)>>, Box<EvalError>> {
    if collection.is_null() {
        return Err(EvalError::new("a null value cannot be iterated over", span));
    }
    if let Some(unknown) = collection.as_unknown() {
        if unknown.ty.is_primitive() {
            return Err(EvalError::new(format!("a {} cannot be iterated over", unknown.ty), span));
        }
        return Ok(None);
    }
    let inherits = collection.marks != Marks::NONE || !collection.refs.is_empty();
    let take = |val: &Val| if inherits { val.clone().inherit(collection) } else { val.clone() };
    Ok(Some(match &collection.datum {
        Datum::List(seq) => indexed(&seq.items, take),
        Datum::Tuple(items) => indexed(items, take),
        Datum::Set(seq) => seq.items.iter().map(|v| (take(v), take(v))).collect(),
        Datum::Object(table) if table.rest.is_some() => return Ok(None),
        Datum::Map(table) | Datum::Object(table) => {
            let pair = |m: &Member| (Val::at(Datum::String(m.key.clone()), m.key_span), take(&m.val));
            table.entries.iter().map(pair).collect()
        }
        _ => {
            return Err(EvalError::new(format!("a {} cannot be iterated over", collection.ty().kind_name()), span));
        }
    }))
}

fn indexed(items: &[Val], take: impl Fn(&Val) -> Val) -> Vec<(Val, Val)> {
    let pair = |(i, v): (usize, &Val)| {
        let mut key = Val::count(i);
        key.origin = Origin::literal(v.origin.span);
        (key, take(v))
    };
    items.iter().enumerate().map(pair).collect()
}

/// An unknown made at `span` because `why` is unknown.
pub(super) fn result_unknown(ty: Type, why: &Val, span: Span) -> Val {
    let cause = match why.find_unknown() {
        Some(unknown) => unknown.cause.clone(),
        None => access::sample_cause(),
    };
    let mut val = Val::unknown_of(ty, cause);
    val.origin = Origin::derived(span, How::Function, [why.origin.clone()]);
    val.marks = why.marks;
    val.refs = why.deep_refs();
    val
}

/// Whether a known value is of the type already, without building its type.
fn matches_type(val: &Val, ty: &Type) -> bool {
    match (&val.datum, ty) {
        (Datum::Bool(_), Type::Bool) | (Datum::Number(_), Type::Number) | (Datum::String(_), Type::String) => true,
        (_, Type::Any) => true,
        _ => val.ty() == *ty,
    }
}
