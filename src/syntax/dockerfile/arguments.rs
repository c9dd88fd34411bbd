//! Each instruction's own grammar.

use super::ast::{Arguments, Flag, Heredoc, Instruction, Keyword, Pair, Word};
use super::words;
use crate::base::{FileId, Span};
use crate::diagnostic::SyntaxError;
use crate::syntax::shell::MappedText;

/// How deep ONBUILD may stand in ONBUILD; BuildKit refuses the first already.
const ONBUILD_LIMIT: u32 = 4;

/// Reads logical lines.
pub(super) struct Reader<'a> {
    pub(super) file: FileId,
    pub(super) escape: char,
    pub(super) errors: &'a mut Vec<SyntaxError>,
}

impl Reader<'_> {
    /// The instruction on a line; `None` where its first word is no instruction.
    pub(super) fn instruction(&mut self, line: &MappedText, heredocs: Vec<Heredoc>, depth: u32) -> Option<Instruction> {
        let text = line.as_str();
        let head = text.find(char::is_whitespace).unwrap_or(text.len());
        let keyword_span = self.span(line, 0..head);
        let word = text.get(..head).unwrap_or("");
        let Some(keyword) = Keyword::parse(word) else {
            self.unknown(word, keyword_span);
            return None;
        };
        let mut body = line.slice(head..text.len()).trimmed();
        let flags = self.flags(&mut body, keyword);
        let line_span = self.span(line, 0..text.len());
        let span = heredocs.iter().fold(line_span, |s, h| s.to(h.span));
        let arguments = self.arguments(keyword, keyword_span, &body, depth);
        Some(Instruction { keyword, keyword_span, span, line_span, flags, text: body, arguments, heredocs })
    }

    fn span(&self, text: &MappedText, range: std::ops::Range<usize>) -> Span {
        Span::new(self.file, text.range(range))
    }

    fn error(&mut self, span: Span, message: impl Into<String>, help: &str) {
        self.errors.push(SyntaxError::new(span, message).with_help(help));
    }

    fn unknown(&mut self, word: &str, span: Span) {
        let shown: String = word.chars().take(40).collect();
        let near = Keyword::ALL
            .iter()
            .map(|(known, _)| (distance(&word.to_ascii_uppercase(), known), known))
            .min()
            .filter(|(d, _)| *d <= 2 && word.len() > 2);
        let help = match near {
            Some((_, known)) => format!("did you mean `{known}`?"),
            None => "a line begins with an instruction such as FROM, RUN or COPY; \
                     where it belongs to the line above, that one must end in the escape character"
                .to_owned(),
        };
        self.errors.push(SyntaxError::new(span, format!("unknown instruction `{shown}`")).with_help(help));
    }

    /// Takes the flags off the front of the arguments.
    fn flags(&mut self, body: &mut MappedText, keyword: Keyword) -> Vec<Flag> {
        let takes_flags = matches!(
            keyword,
            Keyword::Add | Keyword::Copy | Keyword::From | Keyword::Run | Keyword::Healthcheck | Keyword::Onbuild
        );
        if !takes_flags || !body.as_str().starts_with("--") {
            return Vec::new();
        }
        let (ranges, end) = words::flags(body.as_str(), self.escape);
        let mut found = Vec::with_capacity(ranges.len());
        for range in ranges {
            let text = body.as_str().get(range.clone()).unwrap_or("");
            let name_end = text.find('=').unwrap_or(text.len());
            let value =
                text.get(name_end + 1..).map(|_| words::word(self.file, body, range.start + name_end + 1..range.end));
            found.push(Flag {
                name: text.get(2..name_end).unwrap_or("").to_owned(),
                name_span: self.span(body, range.start..range.start + name_end),
                value,
                span: self.span(body, range),
            });
        }
        *body = body.slice(end..body.as_str().len()).trimmed();
        found
    }

    fn arguments(&mut self, keyword: Keyword, keyword_span: Span, body: &MappedText, depth: u32) -> Arguments {
        if body.is_empty() {
            // CMD and ENTRYPOINT without arguments undo what the base image says.
            if !matches!(keyword, Keyword::Cmd | Keyword::Entrypoint) {
                self.error(
                    keyword_span,
                    format!("`{}` has no arguments", keyword.as_str()),
                    "see the Dockerfile reference for its forms",
                );
            }
            return Arguments::None;
        }
        match keyword {
            Keyword::Run | Keyword::Cmd | Keyword::Entrypoint => {
                words::json_array(self.file, body).map_or(Arguments::Text, Arguments::Json)
            }
            Keyword::Shell => match words::json_array(self.file, body) {
                Some(items) if !items.is_empty() => Arguments::Json(items),
                _ => {
                    let span = self.span(body, 0..body.as_str().len());
                    self.error(
                        span,
                        "`SHELL` takes a JSON array",
                        "write it as in SHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"]",
                    );
                    Arguments::Text
                }
            },
            Keyword::Add | Keyword::Copy => {
                let json = words::json_array(self.file, body);
                let is_json = json.is_some();
                let items = json.unwrap_or_else(|| words::plain_words(self.file, body));
                if items.len() < 2 {
                    let span = self.span(body, 0..body.as_str().len());
                    let message = format!("`{}` needs a source and a destination", keyword.as_str());
                    self.error(span, message, "put the destination after the last source");
                }
                if is_json { Arguments::Json(items) } else { Arguments::Words(items) }
            }
            Keyword::Volume => match words::json_array(self.file, body) {
                Some(items) => Arguments::Json(items),
                None => Arguments::Words(words::plain_words(self.file, body)),
            },
            Keyword::Expose => Arguments::Words(words::plain_words(self.file, body)),
            Keyword::User | Keyword::Workdir | Keyword::Stopsignal | Keyword::Maintainer => Arguments::Text,
            Keyword::Env | Keyword::Label | Keyword::Arg => self.pairs(keyword, body),
            Keyword::From => self.from(body),
            Keyword::Healthcheck => self.healthcheck(body),
            Keyword::Onbuild => self.onbuild(body, depth),
        }
    }

    fn pairs(&mut self, keyword: Keyword, body: &MappedText) -> Arguments {
        let text = body.as_str();
        let ranges = words::split(text, self.escape);
        let first = ranges.first().cloned().unwrap_or(0..0);
        if keyword != Keyword::Arg && !text.get(first.clone()).unwrap_or("").contains('=') {
            // `ENV name the rest is the value`
            let name = words::word(self.file, body, first.clone());
            let rest = text.get(first.end..).unwrap_or("");
            let value_start = first.end + (rest.len() - rest.trim_start().len());
            if value_start >= text.len() {
                let message = format!("`{}` needs a name and a value", keyword.as_str());
                self.error(name.span, message, "write it as name=value");
                return Arguments::Pairs { pairs: vec![Pair { name, value: None }], legacy: true };
            }
            let value = words::word(self.file, body, value_start..text.len());
            return Arguments::Pairs { pairs: vec![Pair { name, value: Some(value) }], legacy: true };
        }
        let mut pairs = Vec::with_capacity(ranges.len());
        for range in ranges {
            let piece = text.get(range.clone()).unwrap_or("");
            match piece.find('=') {
                Some(sign) => pairs.push(Pair {
                    name: words::word(self.file, body, range.start..range.start + sign),
                    value: Some(words::word(self.file, body, range.start + sign + 1..range.end)),
                }),
                None if keyword == Keyword::Arg => {
                    pairs.push(Pair { name: words::word(self.file, body, range), value: None });
                }
                None => {
                    let span = self.span(body, range);
                    self.error(
                        span,
                        format!("`{piece}` has no `=`"),
                        "write each as name=value; quote a value with spaces",
                    );
                }
            }
        }
        Arguments::Pairs { pairs, legacy: false }
    }

    fn from(&mut self, body: &MappedText) -> Arguments {
        let items = words::plain_words(self.file, body);
        let mut items = items.into_iter();
        let Some(image) = items.next() else { return Arguments::None };
        let rest: Vec<Word> = items.collect();
        let name = match rest.as_slice() {
            [] => None,
            [word, name] if word.text.eq_ignore_ascii_case("as") => Some(name.clone()),
            [first, .., last] | [first @ last] => {
                let span = first.span.to(last.span);
                self.error(
                    span,
                    "`FROM` takes an image, then perhaps `AS` and a name",
                    "write it as FROM image:tag AS name",
                );
                rest.iter().position(|w| w.text.eq_ignore_ascii_case("as")).and_then(|i| rest.get(i + 1)).cloned()
            }
        };
        if let Some(name) = &name
            && !is_stage_name(&name.text)
        {
            self.error(
                name.span,
                format!("`{}` cannot be the name of a stage", name.text),
                "a name begins with a letter; letters, digits, `-`, `_` and `.` follow",
            );
        }
        Arguments::From { image, name }
    }

    fn healthcheck(&mut self, body: &MappedText) -> Arguments {
        let text = body.as_str();
        let head = text.find(char::is_whitespace).unwrap_or(text.len());
        let kind = words::word(self.file, body, 0..head);
        let command = body.slice(head..text.len()).trimmed();
        let known = match kind.text.to_ascii_uppercase().as_str() {
            "NONE" => command.is_empty(),
            "CMD" => !command.is_empty(),
            _ => false,
        };
        if !known {
            let span = self.span(body, 0..text.len());
            self.error(
                span,
                "`HEALTHCHECK` takes `NONE`, or `CMD` and a command",
                "write it as HEALTHCHECK CMD command",
            );
        }
        let json = words::json_array(self.file, &command);
        Arguments::Healthcheck { kind, json, command }
    }

    fn onbuild(&mut self, body: &MappedText, depth: u32) -> Arguments {
        if depth >= ONBUILD_LIMIT {
            let span = self.span(body, 0..body.as_str().len());
            self.error(span, "`ONBUILD` stands in itself too often", "one ONBUILD triggers one instruction");
            return Arguments::None;
        }
        match self.instruction(body, Vec::new(), depth + 1) {
            Some(inner) => Arguments::Onbuild(Box::new(inner)),
            None => Arguments::None,
        }
    }
}

/// BuildKit's pattern for names of stages, by any case; a name with a variable in it is left to the build.
fn is_stage_name(name: &str) -> bool {
    name.contains('$')
        || (name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')))
}

/// Levenshtein's distance, for short words.
fn distance(a: &str, b: &str) -> usize {
    if a.len() > 16 {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = i;
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
        let mut left = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let Some(above) = row.get(j + 1).copied() else { break };
            let best = (diagonal + usize::from(x != y)).min(above + 1).min(left + 1);
            diagonal = above;
            left = best;
            if let Some(cell) = row.get_mut(j + 1) {
                *cell = best;
            }
        }
    }
    row.last().copied().unwrap_or(usize::MAX)
}
