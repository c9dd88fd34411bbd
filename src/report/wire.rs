//! JSON on the wire: as `serde_json` writes it, and every control character escaped.

use super::text::is_control;
use serde::Serialize;
use serde_json::ser::Formatter;
use std::io::{self, Write};

/// Writes compact JSON. `serde_json` itself escapes only what JSON demands (the C0 controls); a terminal obeys the C1
/// controls as well, and a reader is misled by marks of direction, so these are written as `\u009b` too.
struct Escaping;

impl Formatter for Escaping {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        // All of them but DEL lie beyond ASCII: the usual fragment is written at once.
        if fragment.is_ascii() && !fragment.contains('\x7f') {
            return out.write_all(fragment.as_bytes());
        }
        let mut from = 0;
        for (i, c) in fragment.char_indices().filter(|(_, c)| is_control(*c)) {
            out.write_all(&fragment.as_bytes()[from..i])?;
            write!(out, "\\u{:04x}", u32::from(c))?;
            from = i + c.len_utf8();
        }
        out.write_all(&fragment.as_bytes()[from..])
    }
}

/// Writes one value.
pub fn write(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    value.serialize(&mut serde_json::Serializer::with_formatter(out, Escaping)).map_err(io::Error::from)
}

/// Writes an array with one element a line, so that `grep` and `diff` are of use.
pub fn write_lines<T: Serialize>(items: impl Iterator<Item = T>, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(b"[")?;
    let mut any = false;
    for item in items {
        out.write_all(if any { b",\n" } else { b"\n" })?;
        write(&item, out)?;
        any = true;
    }
    out.write_all(if any { b"\n]" } else { b"]" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped_and_come_back() {
        let text = "a\x1b[31m\u{9b}2J\u{202e}ü\x7f\"\\";
        let mut out = Vec::new();
        write(&text, &mut out).unwrap_or_default();
        let out = String::from_utf8(out).unwrap_or_default();
        assert_eq!(out, "\"a\\u001b[31m\\u009b2J\\u202eü\\u007f\\\"\\\\\"");
        assert_eq!(serde_json::from_str::<String>(&out).ok().as_deref(), Some(text));
    }
}
