#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use pretty_assertions::assert_eq;

/// One line an instruction (keyword, flags, arguments), here-documents and errors below; every place must slice to its text.
fn check(text: &str, expected: &str) {
    let parsed = parse(FileId(0), text);
    let slice = |span: Span| text.get(span.range()).expect("a span inside the file");
    let mut out = Vec::new();
    for directive in &parsed.file.directives {
        assert_eq!(slice(directive.value_span), directive.value);
        out.push(format!("# {}={}", directive.name, directive.value));
    }
    for instruction in &parsed.file.instructions {
        assert!(slice(instruction.keyword_span).eq_ignore_ascii_case(instruction.keyword.as_str()));
        out.push(show(instruction, text));
    }
    for error in &parsed.errors {
        out.push(format!("error {:?}: {}", slice(error.span), error.message));
    }
    assert_eq!(out.join("\n"), expected, "{text}");
}

fn show(instruction: &Instruction, text: &str) -> String {
    let slice = |span: Span| text.get(span.range()).expect("a span inside the file");
    let mut line = instruction.keyword.as_str().to_owned();
    for flag in &instruction.flags {
        assert_eq!(slice(flag.name_span), format!("--{}", flag.name));
        line += &format!(" --{}={:?}", flag.name, flag.value.as_ref().map(|v| slice(v.span)));
    }
    let words = |items: &[Word]| items.iter().map(|w| format!(" <{}>", slice(w.span))).collect::<String>();
    line += &match &instruction.arguments {
        Arguments::Json(items) => format!(" json{}", words(items)),
        Arguments::Words(items) => words(items),
        Arguments::Text => format!(" {:?}", instruction.text.as_str()),
        Arguments::Pairs { pairs, legacy } => {
            let mut all = if *legacy { " legacy".to_owned() } else { String::new() };
            for pair in pairs {
                all += &format!(" {}=>{:?}", slice(pair.name.span), pair.value.as_ref().map(|v| slice(v.span)));
            }
            all
        }
        Arguments::From { image, name } => {
            format!(" <{}> as {:?}", slice(image.span), name.as_ref().map(|n| slice(n.span)))
        }
        Arguments::Healthcheck { kind, json, command } => {
            format!(
                " {} {:?} {}",
                slice(kind.span),
                command.as_str(),
                json.as_ref().map_or(String::new(), |j| words(j))
            )
        }
        Arguments::Onbuild(inner) => format!(" -> {}", show(inner, text)),
        Arguments::None => String::new(),
    };
    for heredoc in &instruction.heredocs {
        line += &format!("\n  <<{} expand={} {:?}", heredoc.name, heredoc.expand, heredoc.body.as_str());
    }
    line
}

#[test]
fn instructions_and_their_arguments() {
    check(
        "FROM --platform=linux/amd64 alpine:3.20 AS base\nrun apk add x\nCOPY --from=base --chown=a:b a b /c/\nADD [\"a b\", \"/d\"]\nENV A=1 B=\"x y\" C=z\\ z\nENV OLD the rest\nARG V=1 W\nEXPOSE 80/tcp 443\nUSER a\nCMD [\"a\", \"b\"]\nENTRYPOINT a b\nHEALTHCHECK --interval=5s CMD curl x\nHEALTHCHECK NONE\nONBUILD RUN a\nLABEL \"a b\"=c\nSHELL [\"/bin/bash\", \"-c\"]\nVOLUME /a /b\nSTOPSIGNAL 9\nMAINTAINER me\nWORKDIR \"/a b\"",
        "FROM --platform=Some(\"linux/amd64\") <alpine:3.20> as Some(\"base\")\nRUN \"apk add x\"\nCOPY --from=Some(\"base\") --chown=Some(\"a:b\") <a> <b> </c/>\nADD json <a b> </d>\nENV A=>Some(\"1\") B=>Some(\"\\\"x y\\\"\") C=>Some(\"z\\\\ z\")\nENV legacy OLD=>Some(\"the rest\")\nARG V=>Some(\"1\") W=>None\nEXPOSE <80/tcp> <443>\nUSER \"a\"\nCMD json <a> <b>\nENTRYPOINT \"a b\"\nHEALTHCHECK --interval=Some(\"5s\") CMD \"curl x\" \nHEALTHCHECK NONE \"\" \nONBUILD -> RUN \"a\"\nLABEL \"a b\"=>Some(\"c\")\nSHELL json </bin/bash> <-c>\nVOLUME </a> </b>\nSTOPSIGNAL \"9\"\nMAINTAINER \"me\"\nWORKDIR \"\\\"/a b\\\"\"",
    );
}

#[test]
fn lines_are_joined_without_comments_and_empty_lines() {
    check(
        "FROM a\nRUN a \\\n  # note\n\n  && b \\  \n\t&& c\n # end\nCMD x \\",
        "FROM <a> as None\nRUN \"a   && b \\t&& c\"\nCMD \"x\"",
    );
    let parsed = parse(FileId(0), "RUN a \\\n  # note\n && b\n # end");
    assert_eq!(parsed.comments.len(), 2);
    check("\u{feff}FROM a\r\nRUN a \\\r\n  b\r\n", "FROM <a> as None\nRUN \"a   b\"");
    check("RUN echo \\\\\nRUN b", "RUN \"echo \\\\\\\\\"\nRUN \"b\"");
}

#[test]
fn directives() {
    check(
        "# syntax=docker/dockerfile:1\n# escape=`\n# check=skip=all\nFROM a\nCOPY a `\n b c:\\x\\",
        "# syntax=docker/dockerfile:1\n# escape=`\n# check=skip=all\nFROM <a> as None\nCOPY <a> <b> <c:\\x\\>",
    );
    check("# a comment\n# escape=`\nRUN a `\nRUN b", "RUN \"a `\"\nRUN \"b\"");
    check(
        "# escape=x\n# escape=\\",
        "# escape=x\nerror \"x\": `x` cannot be the escape character\nerror \"# escape=\\\\\": the parser directive `escape` is given twice",
    );
}

#[test]
fn here_documents() {
    check(
        "RUN <<EOF\na\n  b $c\nEOF\nCOPY <<-\"x\" <<y /d/\n\tone\n\tx\ntwo\ny\nRUN cat <<EOF | tee f\n# no comment\nEOF\nUSER a",
        "RUN \"<<EOF\"\n  <<EOF expand=true \"a\\n  b $c\\n\"\nCOPY <<<-\"x\"> <<<y> </d/>\n  <<x expand=false \"one\\n\"\n  <<y expand=true \"two\\n\"\nRUN \"cat <<EOF | tee f\"\n  <<EOF expand=true \"# no comment\\n\"\nUSER \"a\"",
    );
    check(
        "RUN <<EOF\na",
        "RUN \"<<EOF\"\n  <<EOF expand=true \"a\"\nerror \"<<EOF\": the here-document `EOF` has no end",
    );
    check(
        "RUN x <<<y && a<<b\nENV A <<EOF\nUSER b",
        "RUN \"x <<<y && a<<b\"\nENV legacy A=>Some(\"<<EOF\")\nUSER \"b\"",
    );
    check("ONBUILD RUN <<E\na\nE\nUSER b", "ONBUILD -> RUN \"<<E\"\n  <<E expand=true \"a\\n\"\nUSER \"b\"");
}

#[test]
fn what_is_no_instruction_is_an_error_and_the_next_is_read() {
    check("FROM a\nRUNN x\nUSER b", "FROM <a> as None\nUSER \"b\"\nerror \"RUNN\": unknown instruction `RUNN`");
    check(
        "FROM a b\nENV\nENV a=b c\nCOPY x\nSHELL bash\nHEALTHCHECK x\nONBUILD FOO\nUSER c",
        "FROM <a> as None\nENV\nENV a=>Some(\"b\")\nCOPY <x>\nSHELL \"bash\"\nHEALTHCHECK x \"\" \nONBUILD\nUSER \"c\"\nerror \"b\": `FROM` takes an image, then perhaps `AS` and a name\nerror \"ENV\": `ENV` has no arguments\nerror \"c\": `c` has no `=`\nerror \"x\": `COPY` needs a source and a destination\nerror \"bash\": `SHELL` takes a JSON array\nerror \"x\": `HEALTHCHECK` takes `NONE`, or `CMD` and a command\nerror \"FOO\": unknown instruction `FOO`",
    );
    check("FROM a AS 1x\nCMD", "FROM <a> as Some(\"1x\")\nCMD\nerror \"1x\": `1x` cannot be the name of a stage");
    check("CMD [\"a\", b]\nCMD [ \"a\\\"\" , \"\u{fc}\" ]", "CMD \"[\\\"a\\\", b]\"\nCMD json <a\\\"> <\u{fc}>");
}

#[test]
fn variables_expand_as_in_buildkit() {
    let lookup = |name: &str| match name {
        "a" => Known::Value("1".to_owned()),
        "e" => Known::Value(String::new()),
        "u" => Known::Unknown,
        _ => Known::Unset,
    };
    let check = |word: &str, expected: &str| {
        let got = expand(word, '\\', &lookup);
        let unknown: String = got.unknown.iter().map(|n| format!(" ?{n}")).collect();
        assert_eq!(format!("{}{unknown}", got.text), expected, "{word}");
    };
    check("x$a-${a}y", "x1-1y");
    check("\\$a '$a' \"$a\" \\\\", "$a $a 1 \\");
    check("${n:-d$a}${a:-x}${e-x}${e:-x}", "d11x");
    check("${a:+x}${n:+x}${n+y}", "x");
    check("${u:-d}$u", " ?u");
    check("${n:-${u}}", " ?u");
    check("${a", "1");
    check("$ ${} $-", "$ ${} $-");
    let read: Vec<_> = variables("a$b'$c'\"${d:-$e}\"\\$f", '\\');
    assert_eq!(read, [("b".to_owned(), 1..3), ("d".to_owned(), 8..16), ("e".to_owned(), 13..15)]);
    let read: Vec<_> = variables("${a:-${b}}x", '\\');
    assert_eq!(read, [("a".to_owned(), 0..10), ("b".to_owned(), 5..9)]);
}

#[test]
fn values_end_where_linux_ends_them() {
    let long = "x".repeat(100 << 10);
    let lookup = |_: &str| Known::Value(long.clone());
    let out = expand("$a$b", '\\', &lookup);
    assert_eq!((out.text.len(), out.unknown), (100 << 10, vec!["b".to_owned()]));
}
