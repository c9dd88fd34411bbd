//! Escapes for XML 1.0.

use super::text::{is_control, picture};

/// Text for an attribute in double quotes. Line breaks are kept as character references, since a parser would turn
/// them into spaces; characters that XML 1.0 cannot hold become visible ones.
pub fn attribute(text: &str) -> String {
    escape(text, true)
}

/// Text between tags.
pub fn content(text: &str) -> String {
    escape(text, false)
}

fn escape(text: &str, attribute: bool) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' if attribute => out.push_str("&quot;"),
            '\n' | '\t' if attribute => out.push_str(if c == '\n' { "&#10;" } else { "&#9;" }),
            '\n' | '\t' => out.push(c),
            c if is_control(c) || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push(picture(c)),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_hold_is_replaced() {
        assert_eq!(attribute("a<b>&\"c\"\n\x1b\u{ffff}"), "a&lt;b&gt;&amp;&quot;c&quot;&#10;␛\u{fffd}");
        assert_eq!(content("]]>\t\"\n"), "]]&gt;\t\"\n");
    }
}
