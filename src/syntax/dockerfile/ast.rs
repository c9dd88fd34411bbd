//! What a Dockerfile is made of. All ranges are byte ranges of the file.

use crate::base::Span;
use crate::syntax::shell::MappedText;

/// A Dockerfile, as far as it could be read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dockerfile {
    /// Parser directives at the top: `# syntax=`, `# escape=`, `# check=`.
    pub directives: Vec<Directive>,
    /// The instructions, in order.
    pub instructions: Vec<Instruction>,
    /// The escape character: `\`, or `` ` `` where the `escape` directive says so.
    pub escape: char,
}

/// A parser directive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    /// Its name in lower case.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Where the value stands.
    pub value_span: Span,
    /// The whole comment.
    pub span: Span,
}

/// The instructions that there are.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[expect(missing_docs, reason = "the words explain themselves")]
pub enum Keyword {
    Add,
    Arg,
    Cmd,
    Copy,
    Entrypoint,
    Env,
    Expose,
    From,
    Healthcheck,
    Label,
    Maintainer,
    Onbuild,
    Run,
    Shell,
    Stopsignal,
    User,
    Volume,
    Workdir,
}

impl Keyword {
    /// Every instruction with its word.
    pub const ALL: [(&'static str, Keyword); 18] = [
        ("ADD", Keyword::Add),
        ("ARG", Keyword::Arg),
        ("CMD", Keyword::Cmd),
        ("COPY", Keyword::Copy),
        ("ENTRYPOINT", Keyword::Entrypoint),
        ("ENV", Keyword::Env),
        ("EXPOSE", Keyword::Expose),
        ("FROM", Keyword::From),
        ("HEALTHCHECK", Keyword::Healthcheck),
        ("LABEL", Keyword::Label),
        ("MAINTAINER", Keyword::Maintainer),
        ("ONBUILD", Keyword::Onbuild),
        ("RUN", Keyword::Run),
        ("SHELL", Keyword::Shell),
        ("STOPSIGNAL", Keyword::Stopsignal),
        ("USER", Keyword::User),
        ("VOLUME", Keyword::Volume),
        ("WORKDIR", Keyword::Workdir),
    ];

    /// The word, in upper case.
    pub fn as_str(self) -> &'static str {
        Keyword::ALL.iter().find(|(_, k)| *k == self).map_or("", |(word, _)| word)
    }

    /// The instruction of a word, by any case.
    pub fn parse(word: &str) -> Option<Keyword> {
        Keyword::ALL.iter().find(|(w, _)| w.eq_ignore_ascii_case(word)).map(|(_, k)| *k)
    }
}

/// An instruction.
#[derive(Clone, Debug, PartialEq)]
pub struct Instruction {
    /// Which one.
    pub keyword: Keyword,
    /// Where its word stands.
    pub keyword_span: Span,
    /// From the word to the last sign; here-documents included.
    pub span: Span,
    /// The same without here-documents.
    pub line_span: Span,
    /// `--name=value` before the arguments.
    pub flags: Vec<Flag>,
    /// All that follows the flags, continuation lines joined, comments left out.
    pub text: MappedText,
    /// The arguments by the instruction's own grammar.
    pub arguments: Arguments,
    /// Here-documents, in order.
    pub heredocs: Vec<Heredoc>,
}

/// `--name=value`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flag {
    /// The name without the dashes.
    pub name: String,
    /// Where the dashes and the name stand.
    pub name_span: Span,
    /// The value, where there is a `=`.
    pub value: Option<Word>,
    /// The whole.
    pub span: Span,
}

/// A word as it is written, with quotes, escapes and variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// The text as it is written; for an element of a JSON array, what it says.
    pub text: String,
    /// Where it stands.
    pub span: Span,
}

/// Arguments by the instruction's grammar.
#[derive(Clone, Debug, PartialEq)]
pub enum Arguments {
    /// A JSON array: `["a", "b"]`.
    Json(Vec<Word>),
    /// The rest of the line as text for a shell (RUN, CMD, ENTRYPOINT), or as one value (USER, WORKDIR, MAINTAINER, STOPSIGNAL).
    Text,
    /// Words (COPY, ADD, EXPOSE, VOLUME).
    Words(Vec<Word>),
    /// `name=value` pairs (ENV, LABEL, ARG).
    Pairs {
        /// The pairs.
        pairs: Vec<Pair>,
        /// Whether it is the old form `ENV name value`.
        legacy: bool,
    },
    /// FROM.
    From {
        /// The image.
        image: Word,
        /// The stage's name after `AS`.
        name: Option<Word>,
    },
    /// HEALTHCHECK: `NONE`, or a command in one of the two forms.
    Healthcheck {
        /// The word `NONE` or `CMD`.
        kind: Word,
        /// The command's words where it is a JSON array.
        json: Option<Vec<Word>>,
        /// The command's text.
        command: MappedText,
    },
    /// ONBUILD: the instruction it triggers.
    Onbuild(Box<Instruction>),
    /// Nothing, or nothing that could be read.
    None,
}

/// `name=value`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The name as it is written.
    pub name: Word,
    /// The value as it is written; `None` for an ARG without a default.
    pub value: Option<Word>,
}

/// A here-document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heredoc {
    /// Its end word without quotes.
    pub name: String,
    /// Where `<<NAME` stands.
    pub start_span: Span,
    /// Whether variables in it are expanded: its end word is not quoted.
    pub expand: bool,
    /// Whether tabs at the beginning of lines go: `<<-`.
    pub chomp: bool,
    /// The text, without the end word.
    pub body: MappedText,
    /// From the body's first byte to the end word's last.
    pub span: Span,
}
