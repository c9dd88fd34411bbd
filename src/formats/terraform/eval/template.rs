//! Strings that are put together from parts.

use super::expr::{Evaluator, Vars, elements_of, result_unknown};
use super::partial::Draft;
use super::{Datum, EvalError, EvalResult, Marks, Refs, Type, Val, convert, nfc, ops};
use crate::base::Span;
use crate::graph::{How, Origin};
use crate::syntax::hcl::tree::{ForPart, IfPart, Part, Template};
use std::sync::Arc;
use unicode_segmentation::UnicodeSegmentation;

/// A template's text as far as it is rendered.
#[derive(Default)]
struct Rendered {
    text: String,
    /// The first part that is unknown.
    unknown: Option<Val>,
    /// The text after the last part that is unknown.
    tail: String,
    marks: Marks,
    refs: Refs,
    from: Vec<Origin>,
    /// The document that it may be.
    draft: Option<Draft>,
}

/// How many bytes of known text before an unknown part are remembered.
const MAX_PREFIX: usize = 128;

/// Evaluation of templates.
pub(super) trait Templates {
    fn template(&self, template: &Template, span: Span, vars: Option<&Vars<'_>>) -> EvalResult;
}

impl Templates for Evaluator<'_> {
    fn template(&self, template: &Template, span: Span, vars: Option<&Vars<'_>>) -> EvalResult {
        if template.passthrough
            && let [Part::Interpolation(inner)] = template.parts.as_slice()
        {
            return self.expr(inner, vars);
        }
        let draft = match template.parts.first() {
            Some(Part::Literal(text, _)) => Draft::of(text, span),
            _ => None,
        };
        let mut out = Rendered { draft, ..Rendered::default() };
        self.parts(&template.parts, &mut out, span, vars).map_err(|e| e.typed(Type::String))?;
        let val = out.finish(span);
        self.charge_text(&val, span)?;
        Ok(val)
    }
}

impl Evaluator<'_> {
    fn parts(
        &self,
        parts: &[Part],
        out: &mut Rendered,
        span: Span,
        vars: Option<&Vars<'_>>,
    ) -> Result<(), Box<EvalError>> {
        for part in parts {
            match part {
                Part::Literal(text, span) => {
                    if let Some(draft) = &mut out.draft {
                        draft.literal(text, *span, self.scope.source(*span));
                    }
                    out.push(text);
                }
                Part::Interpolation(expr) => {
                    let val = self.expr(expr, vars)?;
                    out.include(&val, expr.span)?;
                }
                Part::If(part) => self.if_part(part, out, vars)?,
                Part::For(part) => self.for_part(part, out, vars)?,
            }
            self.check_length(out.text.len(), span)?;
        }
        Ok(())
    }

    fn if_part(&self, part: &IfPart, out: &mut Rendered, vars: Option<&Vars<'_>>) -> Result<(), Box<EvalError>> {
        let condition = self.expr(&part.condition, vars)?;
        let chosen = ops::condition(&condition, part.condition.span)?;
        out.note(&condition);
        let branch = |parts: &[Part]| {
            let mut rendered = Rendered::default();
            self.parts(parts, &mut rendered, part.span, vars).map(|()| rendered)
        };
        let (then, otherwise) = (branch(&part.then), branch(&part.otherwise));
        for side in [&then, &otherwise] {
            if let Err(error) = side
                && error.fatal
            {
                return Err(error.clone());
            }
        }
        match chosen {
            Some(true) => out.append(then?, part.span),
            Some(false) => out.append(otherwise?, part.span),
            None => {
                if let Some(draft) = &mut out.draft {
                    draft.hole(&condition, part.span);
                }
                for side in [then, otherwise].into_iter().flatten() {
                    out.marks = out.marks.with(side.marks);
                    out.refs.add(&side.refs);
                }
                out.leave_open(&condition);
            }
        }
        Ok(())
    }

    fn for_part(&self, part: &ForPart, out: &mut Rendered, vars: Option<&Vars<'_>>) -> Result<(), Box<EvalError>> {
        let collection = self.expr(&part.collection, vars)?;
        out.note(&collection);
        let Some(elements) = elements_of(&collection, part.collection.span)? else {
            if let Some(draft) = &mut out.draft {
                draft.hole(&collection, part.span);
            }
            out.leave_open(&collection);
            return Ok(());
        };
        for (key, val) in elements {
            self.spend(1, part.span)?;
            let key_vars = part.key.as_ref().map(|k| Vars { name: &k.text, val: key, outer: vars });
            let inner = Vars { name: &part.value.text, val, outer: key_vars.as_ref().or(vars) };
            self.parts(&part.body, out, part.span, Some(&inner))?;
        }
        Ok(())
    }
}

impl Rendered {
    fn push(&mut self, text: &str) {
        match self.unknown {
            None => self.text.push_str(text),
            Some(_) if self.tail.len() <= MAX_PREFIX => self.tail.push_str(text),
            // What is cut off at its beginning is still what the text ends with.
            Some(_) => {
                self.tail.push_str(text);
                let mut cut = self.tail.len() - self.tail.len().min(MAX_PREFIX);
                while !self.tail.is_char_boundary(cut) {
                    cut += 1;
                }
                self.tail.drain(..cut);
            }
        }
    }

    /// Takes in a part that is not known.
    fn leave_open(&mut self, val: &Val) {
        self.tail.clear();
        if self.unknown.is_none() {
            self.unknown = Some(val.clone());
        }
    }

    fn note(&mut self, val: &Val) {
        self.marks = self.marks.with(val.marks);
        self.refs.add(&val.refs);
    }

    fn append(&mut self, other: Rendered, span: Span) {
        if let Some(draft) = &mut self.draft {
            match &other.unknown {
                Some(unknown) => draft.hole(unknown, span),
                None => draft.known(&other.text, span),
            }
        }
        self.push(&other.text);
        self.marks = self.marks.with(other.marks);
        self.refs.add(&other.refs);
        self.from.extend(other.from);
        if let Some(unknown) = &other.unknown {
            self.leave_open(unknown);
            self.tail = other.tail;
        }
    }

    fn include(&mut self, val: &Val, span: Span) -> Result<(), Box<EvalError>> {
        self.note(val);
        if val.is_null() {
            return Err(EvalError::new("null cannot be included in a string", span));
        }
        if !val.is_known() {
            if let Some(unknown) = val.as_unknown()
                && self.unknown.is_none()
                && let Some(prefix) = &unknown.prefix
            {
                self.text.push_str(prefix);
            }
            if let Some(draft) = &mut self.draft {
                draft.hole(val, span);
            }
            self.leave_open(val);
            return Ok(());
        }
        self.from.push(val.origin.clone());
        let text = match &val.datum {
            Datum::String(text) => text.clone(),
            Datum::Bool(_) | Datum::Number(_) => {
                let text = convert(val, &Type::String).map_err(|e| EvalError::new(e, span))?;
                text.as_str().unwrap_or_default().into()
            }
            _ => {
                let message = format!("a {} cannot be included in a string", val.ty().kind_name());
                return Err(EvalError::new(message, span));
            }
        };
        if let Some(draft) = &mut self.draft {
            draft.known(&text, span);
        }
        self.push(&text);
        Ok(())
    }

    fn finish(self, span: Span) -> Val {
        let Some(why) = self.unknown else {
            let origin = Origin::derived(span, How::Function, self.from);
            let datum = Datum::String(nfc(self.text.into()));
            return Val { datum, origin, marks: self.marks, refs: self.refs };
        };
        let mut val = result_unknown(Type::String, &why, span).not_null();
        if let Some(prefix) = safe_prefix(&self.text) {
            val = val.refined(|u| u.prefix = Some(prefix));
        }
        if !self.tail.is_empty() {
            val = val.refined(|u| u.tail = Some(self.tail.as_str().into()));
        }
        val.marks = self.marks;
        val.refs.add(&self.refs);
        if let Some(document) = self.draft.and_then(Draft::finish) {
            val.origin.how = How::Encoded(Arc::new(document));
        }
        val
    }
}

/// What a string certainly begins with that begins with `text` and goes on with something unknown: the last character
/// is left out where it could combine with what follows (cty's `SafeKnownPrefix`).
pub(super) fn safe_prefix(text: &str) -> Option<Arc<str>> {
    let mut end = text.len().min(MAX_PREFIX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = text.get(..end)?;
    let whole = text.ends_with(|c: char| {
        matches!(
            c,
            '-' | '_'
                | ':'
                | ';'
                | '/'
                | '\\'
                | ','
                | '.'
                | '('
                | ')'
                | '{'
                | '}'
                | '|'
                | '?'
                | '!'
                | '~'
                | ' '
                | '\t'
                | '@'
                | '#'
                | '$'
                | '%'
                | '^'
                | '&'
                | '*'
                | '+'
                | '"'
                | '\''
        )
    });
    let kept = if whole {
        text
    } else {
        let last = text.grapheme_indices(true).next_back()?.0;
        &text[..last]
    };
    if kept.is_empty() { None } else { Some(nfc(kept.into())) }
}
