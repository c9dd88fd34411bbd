//! Tokens to a tree.

use super::lex::{Kind, Token, lex};
use super::{At, Branch, Command, Define, List, Node, Operand, OperandKind, ParseError, Pipe, Tree, literal};
use std::sync::Arc;

/// How deep control structures and parentheses may nest.
const MAX_DEPTH: usize = 100;

/// Parses a source. `is_function` says which names are functions: an unknown one is an error, as in Go.
pub fn parse(source: &str, is_function: &dyn Fn(&str) -> bool) -> Result<Tree, ParseError> {
    let tokens = lex(source)?;
    let mut parser = Parser {
        source,
        tokens,
        position: 0,
        is_function,
        variables: vec!["$".into()],
        defines: Vec::new(),
        range_depth: 0,
        depth: 0,
    };
    let mut root = List::default();
    loop {
        match parser.peek().kind {
            Kind::End => break,
            Kind::Open => {
                if parser.keyword_follows("define") {
                    parser.define()?;
                    continue;
                }
                match parser.text_or_action()? {
                    Step::Node(node) => root.nodes.push(node),
                    Step::End(at) => return fail(at, "unexpected {{end}}"),
                    Step::Else(at) => return fail(at, "unexpected {{else}}"),
                }
            }
            _ => {
                if let Step::Node(node) = parser.text_or_action()? {
                    root.nodes.push(node);
                }
            }
        }
    }
    Ok(Tree { root: Arc::new(root), defines: parser.defines })
}

fn fail<T>(at: At, message: impl Into<String>) -> Result<T, ParseError> {
    Err(ParseError { at, message: message.into() })
}

/// What the next piece is.
enum Step {
    Node(Node),
    /// `{{ end }}`
    End(At),
    /// `{{ else`, with the position after the keyword.
    Else(At),
}

struct Parser<'a> {
    source: &'a str,
    tokens: Vec<Token>,
    position: usize,
    is_function: &'a dyn Fn(&str) -> bool,
    variables: Vec<Arc<str>>,
    defines: Vec<Define>,
    range_depth: usize,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Token {
        self.tokens
            .get(self.position)
            .copied()
            .unwrap_or(Token { kind: Kind::End, at: At::new(self.source.len(), self.source.len()) })
    }

    fn next(&mut self) -> Token {
        let token = self.peek();
        self.position += 1;
        token
    }

    fn skip_space(&mut self) {
        while self.peek().kind == Kind::Space {
            self.position += 1;
        }
    }

    fn next_non_space(&mut self) -> Token {
        self.skip_space();
        self.next()
    }

    fn peek_non_space(&mut self) -> Token {
        self.skip_space();
        self.peek()
    }

    fn text(&self, token: Token) -> &str {
        self.source.get(token.at.range()).unwrap_or("")
    }

    fn unexpected<T>(&self, token: Token, context: &str) -> Result<T, ParseError> {
        if token.kind == Kind::End {
            return fail(token.at, "unexpected EOF");
        }
        fail(token.at, format!("unexpected {:?} in {context}", self.text(token)))
    }

    /// Whether an opening delimiter stands here, followed by this keyword.
    fn keyword_follows(&self, keyword: &str) -> bool {
        let mut i = self.position + 1;
        while self.tokens.get(i).is_some_and(|t| t.kind == Kind::Space) {
            i += 1;
        }
        self.tokens.get(i).is_some_and(|t| t.kind == Kind::Keyword && self.text(*t) == keyword)
    }

    fn close(&mut self, context: &str) -> Result<At, ParseError> {
        let token = self.next_non_space();
        if token.kind == Kind::Close { Ok(token.at) } else { self.unexpected(token, context) }
    }

    fn deeper(&mut self, at: At) -> Result<(), ParseError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH { fail(at, "nested too deeply") } else { Ok(()) }
    }

    fn define(&mut self) -> Result<(), ParseError> {
        let open = self.next();
        self.next_non_space();
        let name_token = self.next_non_space();
        let name = self.template_name(name_token, "define clause")?;
        let end = self.close("define clause")?;
        let at = open.at.to(end);
        let outer = std::mem::replace(&mut self.variables, vec!["$".into()]);
        let outer_range = std::mem::take(&mut self.range_depth);
        let (body, step) = self.item_list(at)?;
        if let Step::Else(at) = step {
            return fail(at, "unexpected {{else}} in define clause");
        }
        self.variables = outer;
        self.range_depth = outer_range;
        self.defines.push(Define { name, at, body: Arc::new(body) });
        Ok(())
    }

    fn template_name(&self, token: Token, context: &str) -> Result<Arc<str>, ParseError> {
        if token.kind != Kind::String {
            return self.unexpected(token, context);
        }
        match literal::string(self.text(token)) {
            Some(name) => Ok(name),
            None => fail(token.at, "invalid string literal"),
        }
    }

    /// Nodes up to `end` or `else`.
    fn item_list(&mut self, opened: At) -> Result<(List, Step), ParseError> {
        self.deeper(opened)?;
        let mut list = List::default();
        loop {
            if self.peek().kind == Kind::End {
                return fail(opened, "unexpected EOF: this has no {{end}}");
            }
            match self.text_or_action()? {
                Step::Node(node) => list.nodes.push(node),
                step => {
                    self.depth -= 1;
                    return Ok((list, step));
                }
            }
        }
    }

    fn text_or_action(&mut self) -> Result<Step, ParseError> {
        let token = self.next();
        match token.kind {
            Kind::Text => Ok(Step::Node(Node::Text(token.at))),
            Kind::Comment => Ok(Step::Node(Node::Comment(token.at))),
            Kind::Open => self.action(token.at),
            _ => self.unexpected(token, "input"),
        }
    }

    fn action(&mut self, open: At) -> Result<Step, ParseError> {
        let token = self.peek_non_space();
        if token.kind == Kind::Keyword {
            let word = self.text(token).to_owned();
            self.next();
            return match word.as_str() {
                "block" => self.block(open).map(Step::Node),
                "break" | "continue" => {
                    let end = self.close(&word)?;
                    let at = open.to(end);
                    if self.range_depth == 0 {
                        return fail(at, format!("{{{{{word}}}}} outside {{{{range}}}}"));
                    }
                    Ok(Step::Node(if word == "break" { Node::Break(at) } else { Node::Continue(at) }))
                }
                "else" => Ok(Step::Else(open.to(token.at))),
                "end" => {
                    let end = self.close("end")?;
                    Ok(Step::End(open.to(end)))
                }
                "if" => Ok(Step::Node(Node::If(self.control(open, "if", false)?))),
                "range" => Ok(Step::Node(Node::Range(self.control(open, "range", true)?))),
                "with" => Ok(Step::Node(Node::With(self.control(open, "with", false)?))),
                "template" => {
                    let name_token = self.next_non_space();
                    let name = self.template_name(name_token, "template clause")?;
                    let pipe = if self.peek_non_space().kind == Kind::Close {
                        None
                    } else {
                        Some(self.pipeline("template clause", Kind::Close, false)?)
                    };
                    let end = self.close("template clause")?;
                    Ok(Step::Node(Node::Template { at: open.to(end), name, pipe }))
                }
                _ => fail(token.at, "unexpected {{define}}"),
            };
        }
        let pipe = self.pipeline("command", Kind::Close, false)?;
        let end = self.close("command")?;
        Ok(Step::Node(Node::Action(open.to(end), pipe)))
    }

    fn block(&mut self, open: At) -> Result<Node, ParseError> {
        let name_token = self.next_non_space();
        let name = self.template_name(name_token, "block clause")?;
        let pipe = self.pipeline("block clause", Kind::Close, false)?;
        let end = self.close("block clause")?;
        let at = open.to(end);
        let outer = std::mem::replace(&mut self.variables, vec!["$".into()]);
        let outer_range = std::mem::take(&mut self.range_depth);
        let (body, step) = self.item_list(at)?;
        if let Step::Else(at) = step {
            return fail(at, "unexpected {{else}} in block clause");
        }
        self.variables = outer;
        self.range_depth = outer_range;
        self.defines.push(Define { name: name.clone(), at, body: Arc::new(body) });
        Ok(Node::Template { at, name, pipe: Some(pipe) })
    }

    fn control(&mut self, open: At, context: &str, range: bool) -> Result<Branch, ParseError> {
        let scope = self.variables.len();
        let pipe = self.pipeline(context, Kind::Close, range)?;
        let close = self.close(context)?;
        let at = open.to(close);
        self.range_depth += usize::from(range);
        let (body, step) = self.item_list(at)?;
        self.range_depth -= usize::from(range);
        let mut branch = Branch { at, whole: at, pipe, body, otherwise: None };
        match step {
            Step::End(end) => branch.whole = at.to(end),
            Step::Else(else_at) => {
                let follows = self.peek_non_space();
                let word = self.text(follows);
                if follows.kind == Kind::Keyword && (word == context && (context == "if" || context == "with")) {
                    // `{{ else if }}` is a nested structure that shares the `{{ end }}`.
                    self.next();
                    self.deeper(else_at)?;
                    let nested = self.control(else_at, context, false)?;
                    self.depth -= 1;
                    branch.whole = at.to(nested.whole);
                    let node = if context == "if" { Node::If(nested) } else { Node::With(nested) };
                    branch.otherwise = Some(List { nodes: vec![node] });
                } else {
                    let close = self.close("else")?;
                    let (otherwise, step) = self.item_list(else_at.to(close))?;
                    match step {
                        Step::End(end) => branch.whole = at.to(end),
                        Step::Else(at) | Step::Node(Node::Text(at)) => return fail(at, "expected end; found {{else}}"),
                        Step::Node(_) => {}
                    }
                    branch.otherwise = Some(otherwise);
                }
            }
            Step::Node(_) => {}
        }
        self.variables.truncate(scope);
        Ok(branch)
    }

    fn pipeline(&mut self, context: &str, end: Kind, range: bool) -> Result<Pipe, ParseError> {
        let first = self.peek_non_space();
        let mut pipe = Pipe { at: first.at, declared: Vec::new(), assigns: false, commands: Vec::new() };
        self.declarations(&mut pipe, context, range)?;
        loop {
            let token = self.peek_non_space();
            match token.kind {
                kind if kind == end => {
                    if pipe.commands.is_empty() {
                        return fail(token.at, format!("missing value for {context}"));
                    }
                    for command in pipe.commands.iter().skip(1) {
                        if let Some(operand) = command.arguments.first()
                            && matches!(
                                operand.kind,
                                OperandKind::Bool(_)
                                    | OperandKind::Dot
                                    | OperandKind::Nil
                                    | OperandKind::Number(_)
                                    | OperandKind::Text(_)
                            )
                        {
                            return fail(operand.at, "non executable command in a later stage of the pipeline");
                        }
                    }
                    return Ok(pipe);
                }
                Kind::Bool
                | Kind::Character
                | Kind::Dot
                | Kind::Field
                | Kind::Identifier
                | Kind::Number
                | Kind::Nil
                | Kind::String
                | Kind::Variable
                | Kind::LeftParen => {
                    let command = self.command()?;
                    pipe.at = pipe.at.to(command.at);
                    pipe.commands.push(command);
                }
                _ => return self.unexpected(token, context),
            }
        }
    }

    fn declarations(&mut self, pipe: &mut Pipe, context: &str, range: bool) -> Result<(), ParseError> {
        loop {
            let variable = self.peek_non_space();
            if variable.kind != Kind::Variable {
                return Ok(());
            }
            let back = self.position;
            self.next();
            let sign = self.peek_non_space();
            let name: Arc<str> = self.text(variable).into();
            match sign.kind {
                Kind::Declare | Kind::Assign => {
                    self.next();
                    self.skip_space();
                    pipe.assigns = sign.kind == Kind::Assign;
                    pipe.declared.push((name.clone(), variable.at));
                    if pipe.assigns {
                        for (name, at) in &pipe.declared {
                            if !self.variables.contains(name) {
                                return fail(*at, format!("undefined variable {name:?}"));
                            }
                        }
                    } else {
                        self.variables.extend(pipe.declared.iter().map(|(n, _)| n.clone()));
                    }
                    return Ok(());
                }
                Kind::Comma if range && pipe.declared.is_empty() => {
                    self.next();
                    pipe.declared.push((name, variable.at));
                    let second = self.peek_non_space();
                    if second.kind != Kind::Variable {
                        return fail(second.at, "range can only initialize variables");
                    }
                }
                Kind::Comma if range => return fail(sign.at, format!("too many declarations in {context}")),
                _ => {
                    if !pipe.declared.is_empty() {
                        return self.unexpected(sign, context);
                    }
                    self.position = back;
                    return Ok(());
                }
            }
        }
    }

    fn command(&mut self) -> Result<Command, ParseError> {
        let mut arguments: Vec<Operand> = Vec::new();
        let start = self.peek_non_space().at;
        loop {
            self.skip_space();
            if let Some(operand) = self.operand()? {
                arguments.push(operand);
            }
            let token = self.peek();
            match token.kind {
                Kind::Space => {
                    self.next();
                }
                Kind::Close | Kind::RightParen => break,
                Kind::Pipe => {
                    self.next();
                    let follows = self.peek_non_space();
                    if matches!(follows.kind, Kind::Close | Kind::RightParen) {
                        return fail(follows.at, "missing value for command");
                    }
                    break;
                }
                _ => return self.unexpected(token, "operand"),
            }
        }
        let Some(last) = arguments.last() else {
            return fail(start, "empty command");
        };
        Ok(Command { at: start.to(last.at), arguments })
    }

    fn operand(&mut self) -> Result<Option<Operand>, ParseError> {
        let Some(mut operand) = self.term()? else { return Ok(None) };
        let mut fields: Vec<Arc<str>> = Vec::new();
        let mut end = operand.at;
        while self.peek().kind == Kind::Field {
            let token = self.next();
            fields.push(self.text(token).get(1..).unwrap_or("").into());
            end = token.at;
        }
        if fields.is_empty() {
            return Ok(Some(operand));
        }
        let at = operand.at.to(end);
        match &mut operand.kind {
            OperandKind::Field(own) | OperandKind::Variable(_, own) => own.append(&mut fields),
            OperandKind::Bool(_)
            | OperandKind::Text(_)
            | OperandKind::Number(_)
            | OperandKind::Nil
            | OperandKind::Dot => {
                return fail(end, "unexpected . after term");
            }
            _ => {
                return Ok(Some(Operand { at, kind: OperandKind::Chain(Box::new(operand), fields) }));
            }
        }
        operand.at = at;
        Ok(Some(operand))
    }

    fn term(&mut self) -> Result<Option<Operand>, ParseError> {
        let token = self.peek();
        let text = self.text(token);
        let kind = match token.kind {
            Kind::Identifier => {
                if !(self.is_function)(text) {
                    return fail(token.at, format!("function {text:?} not defined"));
                }
                OperandKind::Function(text.into())
            }
            Kind::Dot => OperandKind::Dot,
            Kind::Nil => OperandKind::Nil,
            Kind::Bool => OperandKind::Bool(text == "true"),
            Kind::Field => OperandKind::Field(vec![text.get(1..).unwrap_or("").into()]),
            Kind::Variable => {
                let name: Arc<str> = text.into();
                if !self.variables.contains(&name) {
                    return fail(token.at, format!("undefined variable {text:?}"));
                }
                OperandKind::Variable(name, Vec::new())
            }
            Kind::Number | Kind::Character => match literal::number(text) {
                Some(number) => OperandKind::Number(number),
                None => return fail(token.at, format!("illegal number syntax: {text:?}")),
            },
            Kind::String => match literal::string(text) {
                Some(text) => OperandKind::Text(text),
                None => return fail(token.at, "invalid string literal"),
            },
            Kind::LeftParen => {
                self.next();
                self.deeper(token.at)?;
                let pipe = self.pipeline("parenthesized pipeline", Kind::RightParen, false)?;
                self.depth -= 1;
                let close = self.next_non_space();
                return Ok(Some(Operand { at: token.at.to(close.at), kind: OperandKind::Pipe(Box::new(pipe)) }));
            }
            _ => return Ok(None),
        };
        self.next();
        Ok(Some(Operand { at: token.at, kind }))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn check_text(source: &str, expected: &[&str]) {
        let tree = parse(source, &|_| true).unwrap();
        let texts: Vec<&str> = tree
            .root
            .nodes
            .iter()
            .filter_map(|n| if let Node::Text(at) = n { source.get(at.range()) } else { None })
            .collect();
        assert_eq!(texts, expected, "{source}");
    }

    fn check_error(source: &str, place: &str, message: &str) {
        let error = parse(source, &|f| f != "env").unwrap_err();
        assert!(error.message.contains(message), "{source}: {}", error.message);
        assert_eq!(source.get(error.at.range()).unwrap(), place, "{source}: {}", error.message);
    }

    #[test]
    fn trim_markers_shorten_the_text() {
        check_text("a \n{{- .x }} b", &["a", " b"]);
        check_text("a {{ .x -}}\n b", &["a ", "b"]);
        check_text("a {{- /* c */ -}} b", &["a", "b"]);
        check_text("{{- 3 -}} x", &["x"]);
        check_text("a {{-3}} b", &["a ", " b"]);
    }

    #[test]
    fn errors_have_their_place() {
        check_error("a: {{ .x", "{{", "unclosed action");
        check_error("{{ env \"A\" }}", "env", "not defined");
        check_error("{{ end }}", "{{ end }}", "unexpected {{end}}");
        check_error("{{ if .a }}x", "{{ if .a }}", "no {{end}}");
        check_error("{{ $x }}", "$x", "undefined variable");
        check_error("{{ \"a }}", "\"", "unterminated");
        check_error("{{ break }}", "{{ break }}", "outside");
        check_error("{{ (.a }}", "}", "unclosed left paren");
        check_error("{{ .a | }}", "}}", "missing value");
        check_error("{{/* x", "{{", "unclosed comment");
        check_error("{{ 1.a }}", "1.a", "bad number");
    }

    #[test]
    fn operands_and_structures() {
        let source = "{{ $x, $y := 1 }}";
        assert!(parse(source, &|_| true).is_err());
        let source =
            "{{ range $i, $v := .l }}{{ if $v }}{{ else if $i }}{{ continue }}{{ else }}{{ break }}{{ end }}{{ end }}";
        assert!(parse(source, &|_| true).is_ok());
        let source = "{{ with .a }}x{{ else with .b }}y{{ else }}z{{ end }}{{ block \"n\" . }}b{{ end }}{{ define \"d\" }}{{ end }}";
        let tree = parse(source, &|_| true).unwrap();
        assert_eq!(tree.defines.len(), 2);
        let source = "{{ (index .a 0).b.c | f \"x\" `y` 'c' -1.5e3 nil true $ $.x }}";
        let tree = parse(source, &|_| true).unwrap();
        let Some(Node::Action(_, pipe)) = tree.root.nodes.first() else { unreachable!() };
        assert_eq!(pipe.commands.len(), 2);
        assert_eq!(pipe.commands[1].arguments.len(), 9);
        assert!(parse(&"{{ if . }}".repeat(5000), &|_| true).is_err());
        assert!(parse(&format!("{{{{ {} }}}}", "(".repeat(5000)), &|_| true).is_err());
    }
}
