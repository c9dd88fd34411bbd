//! What Go's standard library does, as Terraform, Helm and Kustomize show it.

use std::fmt::Write as _;

/// The months in English.
pub const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// The days of the week in English, from Sunday.
pub const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// Adds text in double quotes. What every notation escapes alike is done here; `escape` answers for any other character
/// with what shall stand for it, or nothing where it stands for itself.
pub fn push_quoted(out: &mut String, text: &str, escape: impl Fn(char, &mut String) -> bool) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c => {
                if !escape(c, out) {
                    out.push(c);
                }
            }
        }
    }
    out.push('"');
}

/// Adds text as `encoding/json` quotes it; `html` says whether `<`, `>` and `&` are escaped, which is Go's default.
pub fn push_json(out: &mut String, text: &str, html: bool) {
    push_quoted(out, text, |c, out| match c {
        '\u{8}' => push(out, "\\b"),
        '\u{c}' => push(out, "\\f"),
        '<' | '>' | '&' if html => push_unicode(out, c),
        '\u{0}'..='\u{1f}' | '\u{2028}' | '\u{2029}' => push_unicode(out, c),
        _ => false,
    });
}

/// Adds text as `strconv.Quote` and the verb `%q` do: what cannot be printed is escaped.
pub fn push_go(out: &mut String, text: &str) {
    push_quoted(out, text, |c, out| match c {
        '\u{7}' => push(out, "\\a"),
        '\u{8}' => push(out, "\\b"),
        '\u{c}' => push(out, "\\f"),
        '\u{b}' => push(out, "\\v"),
        '\u{0}'..='\u{1f}' | '\u{7f}' => push(out, &format!("\\x{:02x}", u32::from(c))),
        c if is_printable(c) => false,
        c if u32::from(c) > 0xffff => push(out, &format!("\\U{:08x}", u32::from(c))),
        c => push_unicode(out, c),
    });
}

/// `unicode.IsPrint`, as far as the standard library here knows the categories: no controls, no white space but the space,
/// none of the usual format characters.
pub fn is_printable(c: char) -> bool {
    let format = matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}');
    c == ' ' || !(c.is_control() || c.is_whitespace() || format)
}

/// Adds an escape; the answer that it is one.
pub fn push(out: &mut String, escape: &str) -> bool {
    out.push_str(escape);
    true
}

/// Adds `\u` and four hexadecimal digits.
pub fn push_unicode(out: &mut String, c: char) -> bool {
    // Writing to a string cannot fail.
    let _ = write!(out, "\\u{:04x}", u32::from(c));
    true
}

/// The shortest path of the same meaning: `path.Clean`.
pub fn clean_path(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => match parts.last() {
                Some(&last) if last != ".." => {
                    parts.pop();
                }
                _ if rooted => {}
                _ => parts.push(".."),
            },
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned() {
        for (path, expected) in
            [("", "."), ("a//b/./c/..", "a/b"), ("/../a", "/a"), ("../../a", "../../a"), ("a/../..", ".."), ("/", "/")]
        {
            assert_eq!(clean_path(path), expected, "{path}");
        }
    }

    #[test]
    fn text_is_quoted_as_in_json() {
        let quoted = |text: &str, html: bool| {
            let mut out = String::new();
            push_json(&mut out, text, html);
            out
        };
        assert_eq!(quoted("a\"b\\\n\t\u{1}<\u{2028}", true), r#""a\"b\\\n\t\u0001\u003c\u2028""#);
        assert_eq!(quoted("<&>", false), "\"<&>\"");
    }

    #[test]
    fn text_is_quoted_as_in_go() {
        let mut out = String::new();
        push_go(&mut out, "é\u{7}\u{1}\u{a0}\u{feff}😀");
        assert_eq!(out, "\"é\\a\\x01\\u00a0\\ufeff😀\"");
    }
}
