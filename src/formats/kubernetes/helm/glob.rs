//! File patterns, as Helm uses them for `.Files.Glob` and in `.helmignore`.

use regex::Regex;

/// Compiles a pattern. `*` and `?` do not match `/`. With `rich`, `**` matches everything and `{a,b}` alternatives.
pub fn compile(pattern: &str, rich: bool) -> Option<Regex> {
    let mut out = String::from("^(?s:");
    let mut chars = pattern.chars().peekable();
    let mut braces = 0usize;
    while let Some(c) = chars.next() {
        match c {
            '*' if rich && chars.peek() == Some(&'*') => {
                chars.next();
                out.push_str(".*");
            }
            '*' => out.push_str("[^/]*"),
            '?' => out.push_str("[^/]"),
            '\\' => out.push_str(&regex::escape(&chars.next()?.to_string())),
            '[' => {
                out.push('[');
                if let Some('^' | '!') = chars.peek() {
                    chars.next();
                    out.push('^');
                }
                let mut closed = false;
                while let Some(c) = chars.next() {
                    match c {
                        ']' => {
                            closed = true;
                            break;
                        }
                        '\\' => out.push_str(&regex::escape(&chars.next()?.to_string())),
                        '-' => out.push('-'),
                        c => out.push_str(&regex::escape(&c.to_string())),
                    }
                }
                if !closed {
                    return None;
                }
                out.push(']');
            }
            '{' if rich => {
                braces += 1;
                out.push_str("(?:");
            }
            '}' if rich && braces > 0 => {
                braces -= 1;
                out.push(')');
            }
            ',' if rich && braces > 0 => out.push('|'),
            c => out.push_str(&regex::escape(&c.to_string())),
        }
    }
    if braces > 0 {
        return None;
    }
    out.push_str(")$");
    Regex::new(&out).ok()
}
