//! Paths: JSONPath (RFC 9535) with the liberties that the policy language takes.
//!
//! A filter is compiled to an ordinary condition with the candidate as `@`, so that it compares as all tests do and
//! answers unknown where it cannot know.

use super::Context;
use super::reader::part;
use crate::base::Span;
use crate::policy::model::{
    Check, Comparison, Condition, Literal, Operand, Path, Quantified, Quantifier, Root, Step, Test,
};
use crate::policy::words::nearest;
use crate::syntax::yaml::Node;

/// Where something is wrong in a path, and what.
struct Wrong {
    at: std::ops::Range<usize>,
    message: String,
}

type Parsed<T> = Result<T, Wrong>;

impl Context<'_, '_> {
    /// The path that a scalar holds.
    pub fn path(&mut self, node: Node<'_>, what: &str) -> Option<Path> {
        let text = self.text(node, what)?;
        self.path_text(text, |range| part(node, range))
    }

    /// A path out of a text; `place` says where a part of the text stands.
    pub fn path_text(&mut self, text: &str, place: impl Fn(std::ops::Range<usize>) -> Span) -> Option<Path> {
        let mut reader = Reader { text, at: 0, place: &place, cx: self, filters: 0 };
        match reader.whole() {
            Ok(path) => Some(path),
            Err(wrong) => {
                let span = place(wrong.at);
                self.error(span, wrong.message);
                None
            }
        }
    }
}

struct Reader<'a, 'c, 's, 't> {
    text: &'a str,
    at: usize,
    place: &'a dyn Fn(std::ops::Range<usize>) -> Span,
    cx: &'c mut Context<'s, 't>,
    /// How many filters are open: inside one, `@` is the candidate.
    filters: usize,
}

impl<'a> Reader<'a, '_, '_, '_> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn eat(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn wrong<T>(&self, message: impl Into<String>) -> Parsed<T> {
        self.wrong_from(self.at, message)
    }

    fn wrong_from<T>(&self, start: usize, message: impl Into<String>) -> Parsed<T> {
        // At least one character, whole: places never cut a character in two.
        let next = self.text.get(start..).and_then(|t| t.chars().next()).map_or(1, char::len_utf8);
        Err(Wrong { at: start..self.at.max(start + next), message: message.into() })
    }

    fn expect(&mut self, token: &str, after: &str) -> Parsed<()> {
        if self.eat(token) { Ok(()) } else { self.wrong(format!("expected `{token}` after {after}")) }
    }

    fn whole(&mut self) -> Parsed<Path> {
        let path = self.path()?;
        if self.at < self.text.len() {
            return self.wrong(format!("`{}` does not continue a path", self.rest()));
        }
        Ok(path)
    }

    fn path(&mut self) -> Parsed<Path> {
        let start = self.at;
        let root = if self.eat("$") {
            Root::Resource
        } else if self.eat("@") {
            let name = self.identifier();
            match name {
                "" => {
                    if !self.cx.nodes && self.filters == 0 {
                        return self.wrong_from(
                            start,
                            "`@` is the node of a `for_each`, and there is none here; `$` is the resource",
                        );
                    }
                    Root::Node
                }
                "root" => Root::Judged,
                name => {
                    if !self.cx.lenient_names && !self.cx.names.iter().any(|n| n == name) {
                        let hint = match nearest(name, self.cx.names.iter().map(String::as_str)) {
                            Some(near) => format!("; did you mean `@{near}`?"),
                            None => "; `as:` beside a `for_each` or in a `related` gives a name".to_owned(),
                        };
                        return self.wrong_from(start, format!("nothing is named `{name}` here{hint}"));
                    }
                    Root::Named(name.to_owned())
                }
            }
        } else {
            return self.wrong("a path starts with `$` (the resource) or `@` (the node of a `for_each`)");
        };
        let mut steps = Vec::new();
        loop {
            if self.eat("..") {
                steps.push(Step::Descend);
                match self.peek() {
                    Some('[') => {}
                    Some('*') => {
                        self.at += 1;
                        steps.push(Step::All);
                    }
                    _ => steps.push(Step::Name(self.name()?.to_owned())),
                }
            } else if self.eat(".") {
                if self.eat("*") {
                    steps.push(Step::All);
                    continue;
                }
                let start = self.at;
                let name = self.name()?;
                if self.eat("(") {
                    steps.push(self.function(name, start)?);
                } else {
                    steps.push(Step::Name(name.to_owned()));
                }
            } else if self.peek() == Some('[') {
                steps.push(self.bracket()?);
            } else {
                break;
            }
            if steps.len() > 64 {
                return self.wrong("a path of more than 64 steps");
            }
        }
        Ok(Path { root, steps, text: self.text.get(start..self.at).unwrap_or("").to_owned() })
    }

    /// Letters, digits, `_` and inner `-`.
    fn identifier(&mut self) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).unwrap_or(rest.len());
        let name = rest.get(..end).unwrap_or("").trim_end_matches('-');
        self.at += name.len();
        name
    }

    fn name(&mut self) -> Parsed<&'a str> {
        let name = self.identifier();
        if name.is_empty() {
            return self.wrong("expected a name; one with other signs is written ['like this']");
        }
        Ok(name)
    }

    fn function(&mut self, name: &str, start: usize) -> Parsed<Step> {
        let step = match name {
            "json" => Step::Json,
            "keys" => Step::Keys,
            "quantity" => Step::Quantity,
            "split" => {
                let Some(separator) = self.quoted()? else {
                    return self.wrong("`split` takes the separator in quotes: .split(',')");
                };
                let mut part = None;
                if self.eat(",") {
                    self.space();
                    let digits = self.identifier();
                    match digits.parse() {
                        Ok(place) => part = Some(place),
                        Err(_) => return self.wrong("the part of `split` is a number from 0 on: .split('.', 1)"),
                    }
                }
                Step::Split(separator, part)
            }
            _ => {
                let hint = nearest(name, ["json", "keys", "quantity", "split"].into_iter());
                let hint = hint.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
                return self.wrong_from(
                    start,
                    format!("there is no function `{name}`: there are json, keys, quantity and split{hint}"),
                );
            }
        };
        self.expect(")", "the function's arguments")?;
        Ok(step)
    }

    fn bracket(&mut self) -> Parsed<Step> {
        self.at += 1;
        self.space();
        let step = if self.eat("*") {
            Step::All
        } else if self.eat("?") {
            if self.filters >= 8 {
                return self.wrong("filters nest too deep");
            }
            self.filters += 1;
            let condition = self.or();
            self.filters -= 1;
            Step::Filter(Box::new(condition?))
        } else if let Some(first) = self.quoted()? {
            let mut names = vec![first];
            loop {
                self.space();
                if !self.eat(",") {
                    break;
                }
                self.space();
                match self.quoted()? {
                    Some(name) => names.push(name),
                    None => return self.wrong("expected another name in quotes"),
                }
            }
            match names.len() {
                1 => Step::Name(names.pop().unwrap_or_default()),
                _ => Step::Names(names),
            }
        } else {
            self.index()?
        };
        self.space();
        self.expect("]", "what stands in brackets")?;
        Ok(step)
    }

    fn index(&mut self) -> Parsed<Step> {
        let first = self.integer()?;
        self.space();
        if !self.eat(":") {
            return match first {
                Some(index) => Ok(Step::Index(index)),
                None => self.wrong("expected `*`, an index, a name in quotes, or a filter (`?…`)"),
            };
        }
        self.space();
        let end = self.integer()?;
        self.space();
        let by = if self.eat(":") {
            self.space();
            self.integer()?.unwrap_or(1)
        } else {
            1
        };
        if by < 1 {
            return self.wrong("a slice goes forwards: its step must be at least 1");
        }
        Ok(Step::Slice(first, end, by))
    }

    fn integer(&mut self) -> Parsed<Option<i64>> {
        let start = self.at;
        self.eat("-");
        let digits = self.rest().len() - self.rest().trim_start_matches(|c: char| c.is_ascii_digit()).len();
        self.at += digits;
        let text = self.text.get(start..self.at).unwrap_or("");
        if text.is_empty() {
            return Ok(None);
        }
        text.parse().map(Some).or_else(|_| self.wrong_from(start, format!("`{text}` is no index")))
    }

    /// A string in single or double quotes, with `\` before a quote or a backslash.
    fn quoted(&mut self) -> Parsed<Option<String>> {
        let Some(quote @ ('\'' | '"')) = self.peek() else { return Ok(None) };
        let start = self.at;
        self.at += 1;
        let mut text = String::new();
        loop {
            let Some(c) = self.peek() else { return self.wrong_from(start, "the quote is not closed") };
            self.at += c.len_utf8();
            if c == quote {
                return Ok(Some(text));
            }
            if c == '\\' {
                let Some(escaped) = self.peek() else { return self.wrong_from(start, "the quote is not closed") };
                // Backslashes of regular expressions need no doubling.
                if !matches!(escaped, '\'' | '"' | '\\') {
                    text.push('\\');
                }
                self.at += escaped.len_utf8();
                text.push(escaped);
                continue;
            }
            text.push(c);
        }
    }

    fn or(&mut self) -> Parsed<Condition> {
        let mut parts = vec![self.and()?];
        loop {
            self.space();
            if !self.eat("||") {
                break;
            }
            parts.push(self.and()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Condition::Any(parts) })
    }

    fn and(&mut self) -> Parsed<Condition> {
        let mut parts = vec![self.not()?];
        loop {
            self.space();
            if !self.eat("&&") {
                break;
            }
            parts.push(self.not()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Condition::All(parts) })
    }

    fn not(&mut self) -> Parsed<Condition> {
        self.space();
        let mut negated = false;
        while self.rest().starts_with('!') && !self.rest().starts_with("!=") {
            self.at += 1;
            negated = !negated;
            self.space();
        }
        let condition = if self.eat("(") {
            self.cx.depth += 1;
            if self.cx.depth > super::DEEPEST {
                return self.wrong("parentheses nest too deep");
            }
            let inner = self.or()?;
            self.cx.depth -= 1;
            self.space();
            self.expect(")", "what stands in parentheses")?;
            inner
        } else {
            self.comparison()?
        };
        Ok(if negated { Condition::Not(Box::new(condition)) } else { condition })
    }

    fn comparison(&mut self) -> Parsed<Condition> {
        let start = self.at;
        let left = self.comparable()?;
        if let Side::Condition(condition) = left {
            return Ok(*condition);
        }
        self.space();
        let sign = ["==", "!=", "<=", ">=", "<", ">", "="].into_iter().find(|sign| self.rest().starts_with(sign));
        let Some(sign) = sign else {
            return match left {
                Side::Path(path) => Ok(test(path, Check::Exists(true))),
                _ => self.wrong_from(start, "this is no condition: compare it with something"),
            };
        };
        if sign == "=" {
            return self.wrong("equality is written `==`");
        }
        self.at += sign.len();
        self.space();
        let right = self.comparable()?;
        match (left, right) {
            (Side::Literal(_), Side::Literal(_)) => self.wrong_from(start, "two constants are compared"),
            (Side::Literal(literal), right) => {
                let flipped = match sign {
                    "<" => ">",
                    "<=" => ">=",
                    ">" => "<",
                    ">=" => "<=",
                    other => other,
                };
                self.relation(right, flipped, Side::Literal(literal), start)
            }
            (left, right) => self.relation(left, sign, right, start),
        }
    }

    fn relation(&mut self, left: Side, sign: &str, right: Side, start: usize) -> Parsed<Condition> {
        let operand = match right {
            Side::Literal(literal) => Operand::Literal(self.cx.pooled(literal, (self.place)(start..self.at))),
            Side::Path(path) => Operand::Path(path),
            _ => {
                return self.wrong_from(start, "a function can only stand on the left of a comparison with a constant");
            }
        };
        let check = |operand| match sign {
            "==" | "!=" => Check::Equals(operand, true),
            "<" => Check::Number(Comparison::Less, operand),
            "<=" => Check::Number(Comparison::AtMost, operand),
            ">" => Check::Number(Comparison::Greater, operand),
            _ => Check::Number(Comparison::AtLeast, operand),
        };
        let condition = match left {
            Side::Path(path) => test(path, check(operand)),
            Side::Length(path) => test(path, Check::Length(vec![check(operand)])),
            Side::Count(path) => {
                let Operand::Literal(index) = operand else {
                    return self.wrong_from(start, "`count` is compared with a whole number");
                };
                let Some(Literal::Int(n)) = self.cx.pool.literals.get(usize::from(index)) else {
                    return self.wrong_from(start, "`count` is compared with a whole number");
                };
                let n = u32::try_from(*n).unwrap_or(0);
                let (at_least, at_most) = match sign {
                    "==" | "!=" => (Some(n), Some(n)),
                    "<" => (None, Some(n.saturating_sub(1))),
                    "<=" => (None, Some(n)),
                    ">" => (Some(n.saturating_add(1)), None),
                    _ => (Some(n), None),
                };
                let quantified = Quantified {
                    quantifier: Quantifier::Some,
                    at_least,
                    at_most,
                    condition: Condition::Constant(true),
                };
                Condition::ForEach { path, name: None, quantified: Box::new(quantified) }
            }
            Side::Literal(_) | Side::Condition(_) => return self.wrong_from(start, "two constants are compared"),
        };
        // As in RFC 9535, what is absent is not equal to anything that is there.
        Ok(if sign == "!=" { Condition::Not(Box::new(condition)) } else { condition })
    }

    fn comparable(&mut self) -> Parsed<Side> {
        self.space();
        let start = self.at;
        match self.peek() {
            Some('$' | '@') => return Ok(Side::Path(self.path()?)),
            Some('\'' | '"') => return Ok(Side::Literal(Literal::String(self.quoted()?.unwrap_or_default()))),
            _ => {}
        }
        let rest = self.rest();
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+' | '.')))
            .unwrap_or(rest.len());
        let word = rest.get(..end).unwrap_or("");
        self.at += end;
        match word {
            "true" => return Ok(Side::Literal(Literal::Bool(true))),
            "false" => return Ok(Side::Literal(Literal::Bool(false))),
            "null" => return Ok(Side::Literal(Literal::Null)),
            _ => {}
        }
        if let Ok(n) = word.parse::<i64>() {
            return Ok(Side::Literal(Literal::Int(n)));
        }
        if let Some(f) = word.parse::<f64>().ok().filter(|f| f.is_finite()) {
            return Ok(Side::Literal(Literal::Float(f)));
        }
        if !self.eat("(") {
            return self.wrong_from(start, "expected a path, a constant or a function");
        }
        self.space();
        if !matches!(self.peek(), Some('$' | '@')) {
            return self.wrong("expected a path");
        }
        let path = self.path()?;
        self.space();
        let side = match word {
            "length" => Side::Length(path),
            "count" => Side::Count(path),
            "value" => Side::Path(path),
            "match" | "search" => {
                self.expect(",", "the first argument")?;
                self.space();
                let Some(pattern) = self.quoted()? else { return self.wrong("expected a pattern in quotes") };
                let pattern = if word == "match" { format!("^(?:{pattern})$") } else { pattern };
                let index = self.cx.pattern(&pattern, (self.place)(start..self.at));
                Side::Condition(Box::new(test(path, Check::Matches(vec![index], true))))
            }
            _ => {
                let message =
                    format!("there is no function `{word}`: there are length, count, match, search and value");
                return self.wrong_from(start, message);
            }
        };
        self.space();
        self.expect(")", "the function's arguments")?;
        Ok(side)
    }
}

/// A side of a comparison in a filter.
enum Side {
    Literal(Literal),
    Path(Path),
    Length(Path),
    Count(Path),
    Condition(Box<Condition>),
}

fn test(path: Path, check: Check) -> Condition {
    Condition::Test(Test { path, checks: vec![check], default: None, quantifier: Quantifier::Some, ignore_case: false })
}
