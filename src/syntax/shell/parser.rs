//! The grammar above words: lists, pipelines, compound commands, redirections.

use super::ast::{
    AndOr, Assignment, Command, CommandKind, Connector, Pipeline, Problem, ProblemKind, Redirect, Script, Simple, Word,
};
use super::mapped::MappedText;
use std::ops::Range;

/// How deep commands and substitutions may nest.
const DEPTH_LIMIT: u32 = 48;

/// Redirection operators, longest first.
const REDIRECTS: [&str; 12] = ["&>>", "<<<", "<<-", "&>", "<<", "<&", "<>", ">>", ">&", ">|", "<", ">"];

/// How far the end of `$(( … ))` and `${…}` is looked for, in bytes.
pub(super) const EXPRESSION_LIMIT: usize = 8192;

/// Where a list ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    /// At the end of the text.
    End,
    /// At this closing sign.
    Close(u8),
    /// At one of these reserved words.
    Words(&'static [&'static str]),
    /// At `;;` or `esac`.
    Arm,
}

/// Reads one text; substitutions inside it are read in place.
pub(super) struct Parser<'a> {
    pub(super) source: &'a MappedText,
    pub(super) text: &'a str,
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
    pub(super) depth: u32,
    pub(super) problems: Vec<Problem>,
    comments: Vec<Range<usize>>,
    /// The line break after which here-documents stand, and where they end.
    here: Option<(usize, usize)>,
    /// Whether no line follows: no here-document can stand there.
    last_line: bool,
}

impl<'a> Parser<'a> {
    pub(super) fn new(source: &'a MappedText, depth: u32) -> Parser<'a> {
        let text = source.as_str();
        Parser {
            source,
            text,
            bytes: text.as_bytes(),
            at: 0,
            depth,
            problems: Vec::new(),
            comments: Vec::new(),
            here: None,
            last_line: false,
        }
    }

    /// The whole text.
    pub(super) fn script(mut self) -> Script {
        let lists = self.list(Until::End);
        Script { lists, problems: self.problems, comments: self.comments }
    }

    /// The inside of `$( … )`; the opening sign has been read.
    pub(super) fn substitution(&mut self, opened: usize) -> Script {
        let lists = self.list(Until::Close(b')'));
        self.close(b')', opened);
        Script { lists, problems: Vec::new(), comments: Vec::new() }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    pub(super) fn peek_at(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    pub(super) fn looking_at(&self, sign: &str) -> bool {
        self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(sign.as_bytes()))
    }

    pub(super) fn span(&self, start: usize) -> Range<usize> {
        self.source.range(start..self.at.max(start))
    }

    pub(super) fn problem(&mut self, kind: ProblemKind, range: Range<usize>) {
        let span = self.source.range(range);
        self.problems.push(Problem { span, kind });
    }

    /// Goes one level deeper, or says that it is too deep.
    pub(super) fn enter(&mut self) -> bool {
        if self.depth >= DEPTH_LIMIT {
            if !self.problems.iter().any(|p| p.kind == ProblemKind::TooDeep) {
                self.problem(ProblemKind::TooDeep, self.at..self.at + 1);
            }
            return false;
        }
        self.depth += 1;
        true
    }

    pub(super) fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// Skips white space, joined lines and a comment.
    fn blanks(&mut self) {
        loop {
            match self.peek() {
                Some(b' ' | b'\t' | b'\r') => self.at += 1,
                Some(b'\\') if self.peek_at(1) == Some(b'\n') => self.at += 2,
                Some(b'\\') if self.peek_at(1) == Some(b'\r') && self.peek_at(2) == Some(b'\n') => self.at += 3,
                Some(b'#')
                    if self.at == 0 || self.bytes.get(self.at - 1).is_none_or(|b| b" \t\r\n;&|()".contains(b)) =>
                {
                    let start = self.at;
                    let rest = self.bytes.get(start..).unwrap_or(&[]);
                    self.at += rest.iter().position(|&b| b == b'\n').unwrap_or(rest.len());
                    self.comments.push(self.source.range(start..self.at));
                }
                _ => return,
            }
        }
    }

    /// Skips a line break and the here-documents after it.
    fn line_break(&mut self) {
        match self.here {
            Some((line_break, end)) if line_break == self.at => {
                self.here = None;
                self.at = end;
            }
            _ => self.at += 1,
        }
    }

    /// Skips white space and line breaks.
    fn space(&mut self) {
        loop {
            self.blanks();
            if self.peek() == Some(b'\n') { self.line_break() } else { return }
        }
    }

    /// The unquoted word of reserved-word shape that stands here.
    fn bare_word(&self) -> &'a str {
        let rest = self.bytes.get(self.at..).unwrap_or(&[]);
        let end = rest.iter().position(|b| b" \t\r\n;&|()<>".contains(b)).unwrap_or(rest.len());
        self.text.get(self.at..self.at + end).unwrap_or("")
    }

    fn ends(&self, until: Until) -> bool {
        match until {
            Until::End => self.peek().is_none(),
            Until::Close(b'}') => self.peek().is_none() || self.bare_word() == "}" || self.peek() == Some(b')'),
            Until::Close(sign) => self.peek().is_none_or(|b| b == sign),
            Until::Words(words) => self.peek().is_none() || words.contains(&self.bare_word()),
            Until::Arm => {
                self.peek().is_none() || self.looking_at(";;") || self.looking_at(";&") || self.bare_word() == "esac"
            }
        }
    }

    fn close(&mut self, sign: u8, opened: usize) {
        if self.peek() == Some(sign) {
            self.at += 1;
        } else {
            self.problem(ProblemKind::Unclosed, opened..opened + 1);
        }
    }

    /// Reads a reserved word that must stand here.
    fn expect_word(&mut self, word: &str, opened: usize) {
        self.space();
        if self.bare_word() == word {
            self.at += word.len();
        } else {
            let end = opened
                + self.text.get(opened..).map_or(0, |t| t.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(t.len()));
            self.problem(ProblemKind::Unfinished, opened..end);
        }
    }

    fn list(&mut self, until: Until) -> Vec<AndOr> {
        let mut lists = Vec::new();
        if !self.enter() {
            self.at = self.bytes.len();
            return lists;
        }
        loop {
            self.space();
            if self.ends(until) {
                break;
            }
            let before = self.at;
            if let Some(mut list) = self.and_or() {
                self.blanks();
                if self.peek() == Some(b'&') && self.peek_at(1) != Some(b'&') {
                    self.at += 1;
                    list.background = true;
                }
                lists.push(list);
            }
            self.blanks();
            if self.ends(until) {
                break;
            }
            match self.peek() {
                Some(b';') => self.at += 1,
                Some(b'\n') => self.line_break(),
                _ => {}
            }
            if self.at == before {
                // Something no command can begin with. Where an outer list waits for it, leave it to that one.
                if until != Until::End && (self.peek() == Some(b')') || self.reserved_end()) {
                    break;
                }
                let width = self.text.get(before..).and_then(|t| t.chars().next()).map_or(1, char::len_utf8);
                let end = before + if self.reserved_end() { self.bare_word().len() } else { width };
                self.problem(ProblemKind::Unexpected, before..end);
                self.at = end;
            }
        }
        self.leave();
        lists
    }

    /// Whether a reserved word stands here that only ends or continues a compound command.
    fn reserved_end(&self) -> bool {
        matches!(self.bare_word(), "then" | "else" | "elif" | "fi" | "do" | "done" | "esac" | "}")
    }

    fn and_or(&mut self) -> Option<AndOr> {
        let start = self.at;
        let mut pipelines = vec![(Connector::Start, self.pipeline()?)];
        let mut end = self.at;
        loop {
            self.blanks();
            let connector = if self.looking_at("&&") {
                Connector::And
            } else if self.looking_at("||") {
                Connector::Or
            } else {
                break;
            };
            let sign = self.at;
            self.at += 2;
            self.space();
            match self.pipeline() {
                Some(pipeline) => pipelines.push((connector, pipeline)),
                None => self.problem(ProblemKind::Unexpected, sign..sign + 2),
            }
            end = self.at;
        }
        let span = self.source.range(start..end);
        Some(AndOr { pipelines, background: false, span })
    }

    fn pipeline(&mut self) -> Option<Pipeline> {
        let start = self.at;
        let mut negated = false;
        while self.bare_word() == "!" {
            negated = !negated;
            self.at += 1;
            self.blanks();
        }
        let mut commands = vec![self.command()?];
        let mut pipes = Vec::new();
        let mut end = self.at;
        loop {
            self.blanks();
            if self.peek() != Some(b'|') || self.peek_at(1) == Some(b'|') {
                break;
            }
            let sign = self.at;
            self.at += if self.peek_at(1) == Some(b'&') { 2 } else { 1 };
            pipes.push(self.span(sign));
            self.space();
            match self.command() {
                Some(command) => commands.push(command),
                None => self.problem(ProblemKind::Unexpected, sign..sign + 1),
            }
            end = self.at;
        }
        let span = self.source.range(start..end);
        Some(Pipeline { negated, commands, pipes, span })
    }

    fn command(&mut self) -> Option<Command> {
        let start = self.at;
        if !self.enter() {
            self.at = self.bytes.len();
            return None;
        }
        let compound = self.compound();
        self.leave();
        match compound {
            Some(kind) => {
                let mut redirects = Vec::new();
                let mut end = self.at;
                loop {
                    self.blanks();
                    match self.redirect() {
                        Some(redirect) => redirects.push(redirect),
                        None => break,
                    }
                    end = self.at;
                }
                self.at = end;
                Some(Command { kind, redirects, span: self.source.range(start..end) })
            }
            None => self.simple(),
        }
    }

    fn compound(&mut self) -> Option<CommandKind> {
        let start = self.at;
        if self.looking_at("((")
            && let Some(end) = self.arithmetic_end(self.at + 2)
        {
            let text = self.text.get(self.at + 2..end).unwrap_or("").to_owned();
            self.at = end + 2;
            return Some(CommandKind::Arithmetic(text));
        }
        if self.peek() == Some(b'(') {
            self.at += 1;
            let lists = self.list(Until::Close(b')'));
            self.close(b')', start);
            return Some(CommandKind::Subshell(lists));
        }
        match self.bare_word() {
            "{" => {
                self.at += 1;
                let lists = self.list(Until::Close(b'}'));
                self.close(b'}', start);
                Some(CommandKind::Group(lists))
            }
            "if" => Some(self.conditional(start)),
            "while" | "until" => {
                self.at += 5;
                let condition = self.list(Until::Words(&["do"]));
                let body = self.do_body(start);
                Some(CommandKind::Loop { condition, body })
            }
            word @ ("for" | "select") => {
                self.at += word.len();
                Some(self.for_loop(start))
            }
            "case" => Some(self.case(start)),
            "function" => {
                self.at += 8;
                self.blanks();
                let name = self.bare_word().to_owned();
                self.at += name.len();
                self.blanks();
                if self.peek() == Some(b'(') {
                    self.at += 1;
                    self.blanks();
                    self.close(b')', start);
                }
                self.function_body(name)
            }
            word if is_function_name(word) => {
                let after = self.text.get(self.at + word.len()..).unwrap_or("");
                let inner = after.trim_start_matches([' ', '\t']).strip_prefix('(')?.trim_start_matches([' ', '\t']);
                let rest = inner.strip_prefix(')')?;
                self.at = self.bytes.len() - rest.len();
                self.function_body(word.to_owned())
            }
            _ => None,
        }
    }

    fn function_body(&mut self, name: String) -> Option<CommandKind> {
        self.space();
        let body = self.command()?;
        Some(CommandKind::Function { name, body: Box::new(body) })
    }

    fn conditional(&mut self, start: usize) -> CommandKind {
        let mut branches = Vec::new();
        let mut otherwise = Vec::new();
        self.at += 2;
        loop {
            let condition = self.list(Until::Words(&["then", "fi"]));
            self.expect_word("then", start);
            let body = self.list(Until::Words(&["elif", "else", "fi"]));
            branches.push((condition, body));
            match self.bare_word() {
                "elif" => self.at += 4,
                "else" => {
                    self.at += 4;
                    otherwise = self.list(Until::Words(&["fi"]));
                    break;
                }
                _ => break,
            }
        }
        self.expect_word("fi", start);
        CommandKind::If { branches, otherwise }
    }

    fn do_body(&mut self, start: usize) -> Vec<AndOr> {
        self.expect_word("do", start);
        let body = self.list(Until::Words(&["done"]));
        self.expect_word("done", start);
        body
    }

    fn for_loop(&mut self, start: usize) -> CommandKind {
        self.blanks();
        let mut variable = String::new();
        let mut words = Vec::new();
        if self.looking_at("((")
            && let Some(end) = self.arithmetic_end(self.at + 2)
        {
            self.at = end + 2;
        } else {
            self.bare_word().clone_into(&mut variable);
            self.at += variable.len();
            self.space();
            if self.bare_word() == "in" {
                self.at += 2;
                loop {
                    self.blanks();
                    match self.word() {
                        Some(word) => words.push(word),
                        None => break,
                    }
                }
            }
        }
        self.blanks();
        if self.peek() == Some(b';') {
            self.at += 1;
        }
        let body = self.do_body(start);
        CommandKind::For { variable, words, body }
    }

    fn case(&mut self, start: usize) -> CommandKind {
        self.at += 4;
        self.blanks();
        let subject = self.word();
        self.expect_word("in", start);
        let mut arms = Vec::new();
        loop {
            self.space();
            if self.peek().is_none() || self.bare_word() == "esac" {
                break;
            }
            let before = self.at;
            if self.peek() == Some(b'(') {
                self.at += 1;
            }
            let mut patterns = Vec::new();
            loop {
                self.blanks();
                match self.word() {
                    Some(word) => patterns.push(word),
                    None => break,
                }
                self.blanks();
                if self.peek() != Some(b'|') {
                    break;
                }
                self.at += 1;
            }
            self.blanks();
            if self.peek() == Some(b')') {
                self.at += 1;
            }
            let body = self.list(Until::Arm);
            for sign in [";;&", ";;", ";&"] {
                if self.looking_at(sign) {
                    self.at += sign.len();
                    break;
                }
            }
            arms.push((patterns, body));
            if self.at == before {
                break;
            }
        }
        self.expect_word("esac", start);
        CommandKind::Case { subject, arms }
    }

    /// Where `))` closes an arithmetic expression that begins at `from`; `None` where it is no such expression.
    pub(super) fn arithmetic_end(&self, from: usize) -> Option<usize> {
        let mut open = 0_u32;
        let mut i = from;
        loop {
            match *self.bytes.get(i)? {
                b'(' => open += 1,
                b')' if open > 0 => open -= 1,
                b')' => return (self.bytes.get(i + 1) == Some(&b')')).then_some(i),
                _ if i - from > EXPRESSION_LIMIT => return None,
                _ => {}
            }
            i += 1;
        }
    }

    fn simple(&mut self) -> Option<Command> {
        let start = self.at;
        if self.reserved_end() {
            return None;
        }
        let mut simple = Simple::default();
        let mut redirects = Vec::new();
        let mut end = start;
        loop {
            self.blanks();
            if simple.words.first().is_some_and(|w| is_sign(w, "[[")) {
                match self.test_word() {
                    Some(word) => {
                        let last = is_sign(&word, "]]");
                        simple.words.push(word);
                        if last {
                            end = self.at;
                            break;
                        }
                    }
                    None => break,
                }
            } else if let Some(redirect) = self.redirect() {
                redirects.push(redirect);
            } else if simple.words.is_empty()
                && let Some(assignment) = self.assignment()
            {
                simple.assignments.push(assignment);
            } else {
                match self.word() {
                    Some(word) => simple.words.push(word),
                    None => break,
                }
            }
            end = self.at;
        }
        self.at = end;
        (end > start).then(|| Command {
            kind: CommandKind::Simple(simple),
            redirects,
            span: self.source.range(start..end),
        })
    }

    /// A word inside `[[ … ]]`, where `<`, `>`, `(`, `)`, `&&` and `||` are words too.
    fn test_word(&mut self) -> Option<Word> {
        self.space();
        let start = self.at;
        for sign in ["&&", "||", "<", ">", "(", ")", "|"] {
            if self.looking_at(sign) {
                self.at += sign.len();
                return Some(super::word::literal_word(sign, self.span(start)));
            }
        }
        self.word()
    }

    fn assignment(&mut self) -> Option<Assignment> {
        let start = self.at;
        let rest = self.bytes.get(start..)?;
        let letters = rest.iter().position(|b| !(b.is_ascii_alphanumeric() || *b == b'_')).unwrap_or(rest.len());
        if letters == 0 || rest.first().is_some_and(u8::is_ascii_digit) {
            return None;
        }
        let mut sign = letters;
        if rest.get(sign) == Some(&b'[') {
            let close = rest.iter().position(|b| b"]\n \t".contains(b))?;
            if rest.get(close) != Some(&b']') {
                return None;
            }
            sign = close + 1;
        }
        let append = rest.get(sign) == Some(&b'+');
        if append {
            sign += 1;
        }
        if rest.get(sign) != Some(&b'=') {
            return None;
        }
        let name = self.text.get(start..start + letters)?.to_owned();
        let name_span = self.source.range(start..start + letters);
        self.at = start + sign + 1;
        let array = self.peek() == Some(b'(');
        let mut value = Vec::new();
        if array {
            let opened = self.at;
            self.at += 1;
            loop {
                self.space();
                match self.word() {
                    Some(word) => value.push(word),
                    None => break,
                }
            }
            self.close(b')', opened);
        } else {
            value.extend(self.word());
        }
        Some(Assignment { name, name_span, value, array, append, span: self.span(start) })
    }

    fn redirect(&mut self) -> Option<Redirect> {
        let start = self.at;
        let rest = self.bytes.get(start..)?;
        let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        let operator = REDIRECTS.iter().find(|r| {
            // A number belongs to the redirection only where the sign follows at once; `&>` takes none.
            rest.get(digits..).is_some_and(|r2| r2.starts_with(r.as_bytes())) && (digits == 0 || !r.starts_with('&'))
        })?;
        if matches!(*operator, "<" | ">") && rest.get(digits + 1) == Some(&b'(') {
            return None;
        }
        let descriptor = self.text.get(start..start + digits)?.to_owned();
        self.at = start + digits + operator.len();
        self.blanks();
        let target = self.word();
        let span = self.span(start);
        let mut here = None;
        if matches!(*operator, "<<" | "<<-")
            && let Some(end_word) = &target
        {
            here = self.here_document(&end_word.text(self.text), *operator == "<<-", start);
        }
        Some(Redirect { operator, descriptor, target, here, span })
    }

    /// Finds a here-document's text; it is skipped when the line break before it is reached.
    fn here_document(&mut self, end_word: &str, strip_tabs: bool, opened: usize) -> Option<MappedText> {
        let (line_break, mut at) = match self.here {
            Some((line_break, end)) => (line_break, end),
            None => {
                if self.last_line {
                    return None;
                }
                let Some(n) = self.text.get(self.at..)?.find('\n') else {
                    self.last_line = true;
                    return None;
                };
                let line_break = self.at + n;
                (line_break, line_break + 1)
            }
        };
        let mut body = MappedText::new();
        let mut closed = false;
        while let Some(rest) = self.text.get(at..).filter(|r| !r.is_empty()) {
            let length = rest.find('\n').map_or(rest.len(), |n| n + 1);
            let line = rest.get(..length).unwrap_or("");
            let content = if strip_tabs { line.trim_start_matches('\t') } else { line };
            let from = at + (line.len() - content.len());
            at += length;
            if content.trim_end_matches(['\n', '\r']) == end_word {
                closed = true;
                break;
            }
            body.append(&self.source.slice(from..at));
        }
        if !closed {
            self.problem(ProblemKind::HereDocument, opened..self.at);
        }
        self.here = Some((line_break, at));
        Some(body)
    }
}

fn is_function_name(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.:".contains(&b))
}

fn is_sign(word: &Word, sign: &str) -> bool {
    matches!(word.parts.as_slice(), [part] if matches!(&part.kind, super::PartKind::Literal(t) if t == sign))
}
