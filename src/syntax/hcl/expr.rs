//! Expressions, by HCL's grammar and precedence.

use super::parser::{MAX_HEIGHT, Parse, Parser};
use super::tree::{
    Binary, BinaryOp, Call, Conditional, Expr, ExprKind, For, Ident, ObjectItem, ObjectKey, Step, StepKind, Traversal,
    UnaryOp,
};

impl<'t> Parser<'t> {
    /// An expression; leading white space is skipped, what follows it is left.
    pub fn expression(&mut self) -> Parse<Expr> {
        self.skip();
        let start = self.pos;
        self.deeper(start)?;
        let outer = std::mem::take(&mut self.height);
        let expr = self.conditional(start);
        self.height = outer.max(self.height + 1);
        self.depth -= 1;
        expr
    }

    fn conditional(&mut self, start: usize) -> Parse<Expr> {
        let condition = self.binary(0)?;
        let end = self.pos;
        self.skip();
        if self.peek() != b'?' {
            self.pos = end;
            return Ok(condition);
        }
        let mark = self.pos;
        self.pos += 1;
        let then = self.expression()?;
        self.skip();
        if self.peek() != b':' {
            return self.fail(
                mark,
                mark + 1,
                "this conditional has no `:` with the value for false",
                "write `condition ? value : other`; over several lines only inside parentheses",
            );
        }
        self.pos += 1;
        let otherwise = self.expression()?;
        let kind = ExprKind::Conditional(Box::new(Conditional { condition, then, otherwise }));
        Ok(self.node(kind, start))
    }

    /// The binary operator that stands here, with its precedence and length.
    fn operator(&self) -> Option<(BinaryOp, u8, usize)> {
        let next = self.peek_at(1);
        Some(match self.peek() {
            b'|' if next == b'|' => (BinaryOp::Or, 1, 2),
            b'&' if next == b'&' => (BinaryOp::And, 2, 2),
            b'=' if next == b'=' => (BinaryOp::Equal, 3, 2),
            b'!' if next == b'=' => (BinaryOp::NotEqual, 3, 2),
            b'<' if next == b'=' => (BinaryOp::LessEqual, 4, 2),
            b'>' if next == b'=' => (BinaryOp::GreaterEqual, 4, 2),
            b'<' => (BinaryOp::Less, 4, 1),
            b'>' => (BinaryOp::Greater, 4, 1),
            b'+' => (BinaryOp::Add, 5, 1),
            b'-' => (BinaryOp::Subtract, 5, 1),
            b'*' => (BinaryOp::Multiply, 6, 1),
            b'/' => (BinaryOp::Divide, 6, 1),
            b'%' => (BinaryOp::Modulo, 6, 1),
            _ => return None,
        })
    }

    /// Operators that bind tighter than `above`, left-associative.
    fn binary(&mut self, above: u8) -> Parse<Expr> {
        self.skip();
        let start = self.pos;
        let mut left = self.postfix()?;
        loop {
            let end = self.pos;
            self.skip();
            let Some((op, precedence, length)) = self.operator().filter(|&(_, p, _)| p > above) else {
                self.pos = end;
                return Ok(left);
            };
            let sign = self.pos;
            self.pos += length;
            let right = self.binary(precedence)?;
            self.height += 1;
            if self.height > MAX_HEIGHT {
                let message = format!("this expression chains more than {MAX_HEIGHT} operators and is left out");
                return self.fail(sign, sign + length, message, "split it with locals");
            }
            left = self.node(ExprKind::Binary(Box::new(Binary { op, left, right })), start);
        }
    }

    fn node(&self, kind: ExprKind, start: usize) -> Expr {
        Expr { kind, span: self.span(start, self.pos) }
    }

    /// A term with the steps that follow it.
    fn postfix(&mut self) -> Parse<Expr> {
        self.skip();
        let start = self.pos;
        let base = self.term()?;
        let steps = self.steps()?;
        if steps.is_empty() {
            return Ok(base);
        }
        Ok(self.node(ExprKind::Traversal(Box::new(Traversal { base, steps })), start))
    }

    fn steps(&mut self) -> Parse<Vec<Step>> {
        let mut steps = Vec::new();
        loop {
            let end = self.pos;
            self.skip();
            let start = self.pos;
            let kind = match self.peek() {
                b'.' if !self.starts_with("...") => {
                    self.pos += 1;
                    self.skip();
                    if self.peek() == b'*' {
                        self.pos += 1;
                        let each = self.attribute_steps()?;
                        StepKind::Splat { full: false, each }
                    } else {
                        self.attribute_step()?
                    }
                }
                b'[' => {
                    self.pos += 1;
                    let newlines = std::mem::replace(&mut self.newlines, false);
                    self.skip();
                    if self.peek() == b'*' {
                        self.pos += 1;
                        self.skip();
                        if !self.eat("]") {
                            return self.expected("`]`", "a splat is written `[*]`");
                        }
                        self.newlines = newlines;
                        self.deeper(start)?;
                        let each = self.steps()?;
                        self.depth -= 1;
                        StepKind::Splat { full: true, each }
                    } else {
                        let key = self.expression()?;
                        self.skip();
                        if !self.eat("]") {
                            return self.expected("`]`", "close the index");
                        }
                        self.newlines = newlines;
                        StepKind::Index(key)
                    }
                }
                _ => {
                    self.pos = end;
                    return Ok(steps);
                }
            };
            steps.push(Step { kind, span: self.span(start, self.pos) });
        }
    }

    /// What follows a dot: a name, or a number as Terraform 0.11 wrote an index.
    fn attribute_step(&mut self) -> Parse<StepKind> {
        if let Some(name) = self.name() {
            return Ok(StepKind::Attr(name.text));
        }
        let start = self.pos;
        while self.peek().is_ascii_digit() {
            self.pos += 1;
        }
        if self.pos == start {
            return self.expected("a name after the dot", "write the name of an attribute, or `[…]` for an index");
        }
        let digits = self.text.get(start..self.pos).unwrap_or("");
        let kind = ExprKind::Number(self.intern(digits));
        Ok(StepKind::Index(self.node(kind, start)))
    }

    /// The attribute steps that a `.*` applies to each element.
    fn attribute_steps(&mut self) -> Parse<Vec<Step>> {
        let mut steps = Vec::new();
        loop {
            let end = self.pos;
            self.skip();
            if self.peek() != b'.' || self.starts_with("...") {
                self.pos = end;
                return Ok(steps);
            }
            let start = self.pos;
            self.pos += 1;
            self.skip();
            if self.peek() == b'*' {
                let help = "use `[*]` for the inner splat";
                return self.fail(self.pos, self.pos + 1, "a `.*` cannot stand inside another one", help);
            }
            let kind = self.attribute_step()?;
            steps.push(Step { kind, span: self.span(start, self.pos) });
        }
    }

    fn term(&mut self) -> Parse<Expr> {
        let start = self.pos;
        match self.peek() {
            b'"' => self.quoted(),
            b'<' if self.peek_at(1) == b'<' => self.heredoc(),
            b'(' => {
                self.pos += 1;
                let newlines = std::mem::replace(&mut self.newlines, false);
                let inner = self.expression()?;
                self.skip();
                if !self.eat(")") {
                    return self.expected("`)`", "close the parenthesis");
                }
                self.newlines = newlines;
                Ok(self.node(ExprKind::Parens(Box::new(inner)), start))
            }
            b'[' => self.tuple(),
            b'{' => self.object(),
            sign @ (b'-' | b'!') => {
                self.pos += 1;
                self.deeper(start)?;
                let operand = self.postfix();
                self.depth -= 1;
                self.height += 1;
                let op = if sign == b'-' { UnaryOp::Negate } else { UnaryOp::Not };
                Ok(self.node(ExprKind::Unary(op, Box::new(operand?)), start))
            }
            b'0'..=b'9' => Ok(self.number()),
            _ if self.at_name() => self.named(),
            _ => self.expected("a value", "write a value or an expression here"),
        }
    }

    fn number(&mut self) -> Expr {
        let start = self.pos;
        let digits = |p: &mut Self| {
            while p.peek().is_ascii_digit() {
                p.pos += 1;
            }
        };
        digits(self);
        if self.peek() == b'.' && self.peek_at(1).is_ascii_digit() {
            self.pos += 1;
            digits(self);
        }
        if matches!(self.peek(), b'e' | b'E') {
            let sign = usize::from(matches!(self.peek_at(1), b'+' | b'-'));
            if self.peek_at(1 + sign).is_ascii_digit() {
                self.pos += 1 + sign;
                digits(self);
            }
        }
        let text = self.text.get(start..self.pos).unwrap_or("");
        let kind = ExprKind::Number(self.intern(text));
        self.node(kind, start)
    }

    /// A name: a literal word, a function call or a variable.
    fn named(&mut self) -> Parse<Expr> {
        let start = self.pos;
        let Some(name) = self.name() else {
            return self.expected("a name", "");
        };
        let end = self.pos;
        self.skip();
        if self.peek() == b'(' || self.starts_with("::") {
            return self.call(start, end);
        }
        self.pos = end;
        let kind = match &*name.text {
            "true" => ExprKind::Bool(true),
            "false" => ExprKind::Bool(false),
            "null" => ExprKind::Null,
            _ => ExprKind::Variable(name.text),
        };
        Ok(self.node(kind, start))
    }

    fn call(&mut self, start: usize, mut end: usize) -> Parse<Expr> {
        while self.eat("::") {
            self.skip();
            if self.name().is_none() {
                return self.expected("a function's name after `::`", "");
            }
            end = self.pos;
            self.skip();
        }
        let text = self.text.get(start..end).unwrap_or("");
        let text = if text.contains([' ', '\t', '\n']) {
            text.split_whitespace().collect::<String>().into()
        } else {
            self.intern(text)
        };
        let name = Ident { text, span: self.span(start, end) };
        if !self.eat("(") {
            return self.expected("`(`", "a function's name is followed by its arguments in parentheses");
        }
        let newlines = std::mem::replace(&mut self.newlines, false);
        let mut args = Vec::new();
        let mut expand = false;
        loop {
            self.skip();
            if self.eat(")") {
                break;
            }
            if expand || (!args.is_empty() && !self.eat(",")) {
                let what = if expand { "`)`" } else { "`,` or `)`" };
                return self.expected(what, "separate arguments with commas and close the call with `)`");
            }
            self.skip();
            if !args.is_empty() && self.eat(")") {
                break;
            }
            args.push(self.expression()?);
            self.skip();
            expand = self.eat("...");
        }
        self.newlines = newlines;
        Ok(self.node(ExprKind::Call(Box::new(Call { name, args, expand })), start))
    }

    fn tuple(&mut self) -> Parse<Expr> {
        let start = self.pos;
        self.pos += 1;
        let newlines = std::mem::replace(&mut self.newlines, false);
        self.skip();
        if self.peek_name() == "for" {
            let expr = self.for_expression(start, false)?;
            self.newlines = newlines;
            return Ok(expr);
        }
        let mut items = Vec::new();
        loop {
            self.skip();
            if self.eat("]") {
                break;
            }
            items.push(self.expression()?);
            self.skip();
            if self.eat("]") {
                break;
            }
            if self.at_end() {
                return self.fail(start, start + 1, "this list is never closed", "close it with `]`");
            }
            if !self.eat(",") {
                return self.expected("`,` or `]`", "separate the members of a list with commas");
            }
        }
        self.newlines = newlines;
        Ok(self.node(ExprKind::Tuple(items), start))
    }

    fn object(&mut self) -> Parse<Expr> {
        let start = self.pos;
        self.pos += 1;
        let newlines = std::mem::replace(&mut self.newlines, false);
        let inside = self.pos;
        self.skip();
        if self.peek_name() == "for" {
            let expr = self.for_expression(start, true)?;
            self.newlines = newlines;
            return Ok(expr);
        }
        self.pos = inside;
        let mut items = Vec::new();
        loop {
            self.newlines = true;
            self.skip_lines();
            if self.eat("}") {
                break;
            }
            if self.at_end() {
                return self.fail(start, start + 1, "this object is never closed", "close it with `}`");
            }
            let key = self.object_key()?;
            self.skip();
            let assigns = (self.peek() == b'=' && self.peek_at(1) != b'=') || self.peek() == b':';
            if !assigns {
                let help = "write `name = value`; a name with dots or spaces is quoted";
                return self.expected("`=`", help);
            }
            self.pos += 1;
            let value = self.expression()?;
            items.push(ObjectItem { key, value });
            self.skip();
            if self.eat("}") {
                break;
            }
            if self.at_end() {
                return self.fail(start, start + 1, "this object is never closed", "close it with `}`");
            }
            if self.peek() != b'\n' && !self.eat(",") {
                return self.expected("a comma, a line break or `}`", "separate the members of an object");
            }
        }
        self.newlines = newlines;
        Ok(self.node(ExprKind::Object(items), start))
    }

    fn object_key(&mut self) -> Parse<ObjectKey> {
        let start = self.pos;
        let key = self.expression()?;
        Ok(match &key.kind {
            ExprKind::Variable(_) | ExprKind::Bool(_) | ExprKind::Null => {
                let text = self.text.get(start..self.pos).unwrap_or("");
                ObjectKey::Name(Ident { text: self.intern(text), span: key.span })
            }
            ExprKind::Traversal(t) if matches!(t.base.kind, ExprKind::Variable(_)) => {
                let help = "put it in parentheses for its value, or in quotes for its text";
                return self.fail(start, self.pos, "a key with dots is ambiguous", help);
            }
            _ => ObjectKey::Expr(key),
        })
    }

    /// A for expression from its `for` on; `start` is its bracket.
    fn for_expression(&mut self, start: usize, object: bool) -> Parse<Expr> {
        self.pos += "for".len();
        let (key_var, value_var) = self.for_variables()?;
        let collection = self.expression()?;
        self.skip();
        if !self.eat(":") {
            return self.expected("`:`", "write `for name in collection : value`");
        }
        let mut value = self.expression()?;
        let mut key = None;
        self.skip();
        if self.eat("=>") {
            key = Some(std::mem::replace(&mut value, self.expression()?));
            self.skip();
        }
        let dots = self.pos;
        let grouped = self.eat("...");
        self.skip();
        let mut condition = None;
        if self.peek_name() == "if" {
            self.pos += "if".len();
            condition = Some(self.expression()?);
            self.skip();
        }
        if !self.eat(if object { "}" } else { "]" }) {
            return self.expected(if object { "`}`" } else { "`]`" }, "close the for expression");
        }
        match &key {
            Some(_) if !object => {
                return self.fail(start, self.pos, "a list is made without keys", "use braces to make an object");
            }
            None if object => {
                return self.fail(start, self.pos, "an object needs a key for each value", "write `key => value`");
            }
            None if grouped => {
                return self.fail(dots, dots + 3, "only an object's values can be grouped", "remove `...`");
            }
            _ => {}
        }
        let parts = For { key_var, value_var, collection, key, value, grouped, condition };
        Ok(self.node(ExprKind::For(Box::new(parts)), start))
    }

    /// `k, v in` of a for expression or directive.
    pub fn for_variables(&mut self) -> Parse<(Option<Ident>, Ident)> {
        const HELP: &str = "write `for name in collection` or `for key, value in collection`";
        self.skip();
        let Some(first) = self.name() else {
            return self.expected("a variable's name after `for`", HELP);
        };
        self.skip();
        let mut names = (None, first);
        if self.eat(",") {
            self.skip();
            let Some(second) = self.name() else {
                return self.expected("a second variable's name after the comma", HELP);
            };
            names = (Some(names.1), second);
            self.skip();
        }
        if self.peek_name() != "in" {
            return self.expected("`in`", HELP);
        }
        self.pos += "in".len();
        Ok(names)
    }
}
