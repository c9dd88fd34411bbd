//! Markdown for a comment on a pull request or for a job's summary, as GitHub and GitLab render it.
//!
//! Whatever comes from scanned files is escaped: it can neither make markup nor mention people. A comment has a size
//! limit; the worst findings come first, and what found no room is counted.

use super::place::place;
use super::text::{Secrets, truncate, visible};
use super::{RenderOptions, TOOL, by_severity, count, related, troubles};
use crate::analysis::Report;
use crate::base::ColumnEncoding;
use crate::diagnostic::{Diagnostic, Severity};
use std::io::{self, Write};

/// Characters of a line of source that are shown.
const SOURCE_COLUMNS: usize = 160;
/// Findings that are named as fixed.
const MAX_FIXED: usize = 30;
/// Room that is kept for the closing lines.
const RESERVE: usize = 600;

/// A coloured mark, for those who skim.
pub fn mark(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "🟣",
        Severity::High => "🔴",
        Severity::Medium => "🟠",
        Severity::Low => "🟡",
        Severity::Info => "🔵",
    }
}

/// Plain text as Markdown that shows just this text. Pairs of backticks are kept as code, since messages use them.
pub fn escape(text: &str) -> String {
    let text = super::one_line(text);
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = &*text;
    while let Some(open) = rest.find('`') {
        let after = &rest[open + 1..];
        let Some(close) = after.find('`').filter(|n| *n > 0) else {
            plain(&rest[..open], &mut out);
            out.push_str("\\`");
            rest = after;
            continue;
        };
        plain(&rest[..open], &mut out);
        out.push_str(&code(&after[..close]));
        rest = &after[close + 1..];
    }
    plain(rest, &mut out);
    out
}

/// Text outside of code: every sign that Markdown, HTML or a platform's own references read is escaped.
fn plain(text: &str, out: &mut String) {
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // An invisible joiner keeps `@name`, `#1` and bare addresses from becoming mentions and links.
            '@' | '#' => {
                out.push(c);
                out.push('\u{2060}');
            }
            // `:name:` is a picture, `scheme://` a link.
            ':' if chars.peek().is_some_and(|next| !next.is_whitespace()) => out.push_str("&#58;"),
            '\\' | '*' | '_' | '{' | '}' | '[' | ']' | '|' | '~' | '!' | '$' | '`' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
}

/// Text as inline code, whatever backticks it holds.
pub fn code(text: &str) -> String {
    let text = super::one_line(text);
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') || text.is_empty() { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// Text as a block of code, whatever fences it holds.
pub fn block(text: &str, language: &str) -> String {
    let text = visible(text);
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}\n", text.trim_end_matches('\n'))
}

/// A link whose address cannot end it early; the bare words where it is none.
pub fn link(words: &str, url: &str) -> String {
    if !url.starts_with("https://") && !url.starts_with("http://") {
        return words.to_owned();
    }
    let url: String = url
        .chars()
        .filter(|c| !c.is_whitespace() && !c.is_control())
        .map(|c| match c {
            '(' => "%28".to_owned(),
            ')' => "%29".to_owned(),
            '<' => "%3C".to_owned(),
            '>' => "%3E".to_owned(),
            c => c.to_string(),
        })
        .collect();
    format!("[{words}]({url})")
}

fn finding(report: &Report, secrets: &Secrets, d: &Diagnostic) -> String {
    let mut out = String::new();
    let at = place(report, d.primary.span, ColumnEncoding::Chars);
    let shown = match &at {
        Some(p) => code(&format!("{}:{}", p.file.path, p.start.line)),
        None => "no place".to_owned(),
    };
    out.push_str(&format!(
        "- {} **{}** {shown} {} ({})\n",
        mark(d.severity),
        d.severity,
        escape(&d.message),
        link(&code(&d.rule.name), &d.rule.url)
    ));
    let mut body = String::new();
    if let Some(p) = &at {
        let lines = p.file.lines();
        let range = lines.line_range(&p.file.text, p.start.line);
        let text = secrets.text(p.file, range);
        if !text.trim().is_empty() {
            body.push_str(&block(&truncate(text.trim(), SOURCE_COLUMNS), ""));
            body.push('\n');
        }
    }
    for step in &d.trace {
        if let Some(p) = place(report, step.span, ColumnEncoding::Chars) {
            body.push_str(&format!(
                "← {} at {}\n\n",
                escape(&step.message),
                code(&format!("{}:{}", p.file.path, p.start.line))
            ));
        }
    }
    for label in related(d) {
        if let Some(p) = place(report, label.span, ColumnEncoding::Chars) {
            body.push_str(&format!(
                "See {} {}\n\n",
                code(&format!("{}:{}", p.file.path, p.start.line)),
                escape(&label.message)
            ));
        }
    }
    if !d.occurrences.is_empty() {
        let others: Vec<String> = d.occurrences.iter().take(10).map(|o| code(&o.address)).collect();
        let more = d.occurrences.len().saturating_sub(10);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        body.push_str(&format!("Also in {}{more}\n\n", others.join(", ")));
    }
    // Why and remediation are the policy's own words, written as Markdown.
    body.push_str(&format!("{}\n\n{}\n", d.rule.why.trim(), d.rule.remediation.trim()));
    out.push_str("  <details><summary>Why, and what to do</summary>\n\n");
    for line in body.trim().lines() {
        out.push_str(if line.is_empty() { "" } else { "  " });
        out.push_str(line);
        out.push('\n');
    }
    out.push_str("\n  </details>\n");
    out
}

/// What became of the findings of before, with those that are fixed.
fn since(report: &Report) -> String {
    let Some(since) = &report.since else { return String::new() };
    let mut text = format!("Since {}: {}\n\n", code(&since.reference), super::since_words(report).join(" · "));
    if !since.fixed().is_empty() {
        text.push_str("<details><summary>Fixed</summary>\n\n");
        for d in since.fixed().iter().take(MAX_FIXED) {
            let at = place(&since.base, d.primary.span, ColumnEncoding::Chars)
                .map(|p| code(&format!("{}:{}", p.file.path, p.start.line)) + " ")
                .unwrap_or_default();
            text.push_str(&format!("- {} {at}{} ({})\n", mark(d.severity), escape(&d.message), code(&d.rule.name)));
        }
        if since.fixed().len() > MAX_FIXED {
            text.push_str(&format!("- and {} more\n", since.fixed().len() - MAX_FIXED));
        }
        text.push_str("\n</details>\n\n");
    }
    text
}

/// Writes the comment.
pub fn render(report: &Report, options: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    let secrets = Secrets::of_report(report);
    let total = report.diagnostics.len();
    let new = report.since.as_ref().map(|_| "new ").unwrap_or_default();
    let mut text = if total == 0 {
        format!("### {TOOL}: no {new}findings ✅\n\n")
    } else {
        let parts: Vec<String> =
            by_severity(&report.diagnostics).iter().map(|(s, n)| format!("{} {n} {s}", mark(*s))).collect();
        format!("### {TOOL}: {}\n\n{}\n\n", count(total, &format!("{new}finding")), parts.join(" · "))
    };
    text.push_str(&since(report));
    let mut used = text.chars().count();
    let mut order: Vec<&Diagnostic> = report.diagnostics.iter().collect();
    order.sort_by_key(|d| std::cmp::Reverse(d.severity));

    let troubles = troubles(report);
    let mut trouble_text = String::new();
    for (i, t) in troubles.iter().enumerate() {
        let line = t
            .span
            .and_then(|s| place(report, s, ColumnEncoding::Chars))
            .map_or_else(String::new, |p| format!(":{}", p.start.line));
        let path = t.path.map(|p| code(&format!("{p}{line}")) + " ").unwrap_or_default();
        let entry = format!("- {path}{}\n", escape(&t.message));
        if i >= 20 || trouble_text.len() + entry.len() > options.markdown_limit / 4 {
            trouble_text.push_str(&format!("- and {} more\n", troubles.len() - i));
            break;
        }
        trouble_text.push_str(&entry);
    }
    let room = options.markdown_limit.saturating_sub(RESERVE + trouble_text.chars().count());
    for (i, d) in order.iter().enumerate() {
        let entry = finding(report, &secrets, d);
        let length = entry.chars().count();
        if used + length > room {
            text.push_str(&format!("\n… and {} that found no room here.\n", count(total - i, "finding")));
            break;
        }
        used += length;
        text.push_str(&entry);
    }
    if !trouble_text.is_empty() {
        text.push_str(&format!("\n#### Not read, so not checked\n\n{trouble_text}"));
    }
    let s = &report.stats;
    let mut foot = vec![count(s.files, "file"), count(s.resources, "resource"), format!("{} policies", s.policies)];
    if !report.unknowns.is_empty() {
        foot.push(format!("{} unknown", report.unknowns.len()));
    }
    let ignored = report.ignored();
    if ignored > 0 {
        foot.push(format!("{ignored} ignored"));
    }
    let implied = report.suppressed.len() - ignored;
    if implied > 0 {
        foot.push(format!("{implied} said by another finding"));
    }
    text.push_str(&format!("\n<sub>{}</sub>\n", foot.join(" · ")));
    out.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn scanned_text_makes_no_markup() {
        assert_eq!(escape("`a` is *b* <img> @me #12"), "`a` is \\*b\\* &lt;img&gt; @\u{2060}me #\u{2060}12");
        assert_eq!(escape("odd ` tick"), "odd \\` tick");
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(block("```\n", ""), "````\n```\n````\n");
        assert_eq!(link("x", "javascript:alert(1)"), "x");
        assert_eq!(link("x", "https://a/(b)"), "[x](https://a/%28b%29)");
    }

    #[test]
    fn a_comment_keeps_to_its_limit() {
        let mut report = sample::report();
        let one = report.diagnostics.clone();
        report.diagnostics = one.iter().cycle().take(500).cloned().collect();
        let options = RenderOptions { markdown_limit: 5_000, ..RenderOptions::default() };
        let mut out = Vec::new();
        render(&report, &options, &mut out).unwrap_or_default();
        let text = String::from_utf8(out).unwrap_or_default();
        assert!(text.chars().count() <= 5_000, "{}", text.chars().count());
        assert!(text.contains("findings that found no room here"), "{text}");
    }
}
