//! What the bot writes: bodies of comments in Markdown, titles and summaries.
//!
//! Whatever comes from the repository (messages, names, paths, the words of a policy that the repository brings) is escaped: it makes
//! no markup, mentions nobody and ends no block of code.

use super::finding::{Finding, Place, Suggestion};
use crate::report::markdown::{block, code, escape, link, mark};
use crate::report::one_line;

/// Steps that are listed before the rest is counted.
const MOST_STEPS: usize = 12;
/// Characters of one of the repository's own texts.
const MOST_TEXT: usize = 4_000;

/// What platforms differ in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flavor {
    /// A suggestion replaces the lines of its comment.
    GitHub,
    /// A suggestion says how many lines above and below its comment's line it replaces.
    GitLab,
}

/// `path:line`.
pub fn spot(place: &Place) -> String {
    code(&format!("{}:{}", place.path, place.start))
}

/// A policy's own words. They are Markdown, of which lines, code and fences stay; the rest is escaped, since a policy may come from the
/// change itself.
pub fn prose(text: &str) -> String {
    let text: String = text.chars().take(MOST_TEXT).collect();
    let mut out = String::new();
    let mut fence: Option<(String, String)> = None;
    for line in text.trim().lines() {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            match fence.take() {
                Some((language, body)) => out.push_str(&block(&body, &language)),
                None => {
                    let word = language.chars().take_while(char::is_ascii_alphanumeric).collect();
                    fence = Some((word, String::new()));
                }
            }
            continue;
        }
        if let Some((_, body)) = &mut fence {
            body.push_str(line);
            body.push('\n');
            continue;
        }
        let body = line.trim_start();
        let (bullet, body) = body.strip_prefix("- ").map_or(("", body), |rest| ("- ", rest));
        out.push_str(bullet);
        out.push_str(&escape(body));
        out.push('\n');
    }
    if let Some((language, body)) = fence {
        out.push_str(&block(&body, &language));
    }
    out.trim_end().to_owned()
}

/// The head of a finding: how bad, what, which policy.
pub fn headline(f: &Finding) -> String {
    format!("{} **{}** {} ({})", mark(f.severity), f.severity, escape(&f.message), link(&code(&f.policy), &f.url))
}

/// The body of a comment on a line. `here` is the line that it stands in; where the finding is elsewhere, the comment says so.
pub fn comment(f: &Finding, here: &Place, suggestion: Option<&Suggestion>, flavor: Flavor) -> String {
    let mut out = headline(f);
    out.push_str("\n\n");
    if let Some(place) = f.place.as_ref().filter(|p| p.path != here.path || p.start < here.start || here.end < p.start)
    {
        out.push_str(&format!("Found in {}; what is changed here causes it.\n\n", spot(place)));
    }
    out.push_str(&path(f));
    out.push_str(&format!("{}\n\n", prose(&f.why)));
    if !f.remediation.trim().is_empty() {
        out.push_str(&format!("{}\n\n", prose(&f.remediation)));
    }
    if let Some(s) = suggestion {
        out.push_str(&format!("{}, as was tried and found to help:\n\n{}\n", escape(&s.title), suggested(s, flavor)));
    }
    out.push_str("<sub>To accept it, reply `stacklint ignore: reason`.</sub>");
    out
}

/// The block that a platform offers to commit.
fn suggested(s: &Suggestion, flavor: Flavor) -> String {
    let words = match flavor {
        Flavor::GitHub => "suggestion".to_owned(),
        Flavor::GitLab => format!("suggestion:-{}+0", s.place.end.saturating_sub(s.place.start)),
    };
    fenced(&s.text, &words)
}

/// The answer to a wish: a suggestion that grants it.
pub fn ignore_lines(s: &Suggestion, flavor: Flavor) -> String {
    format!("This ignores the finding, with the reason given:\n\n{}", suggested(s, flavor))
}

/// The answer where the comment belongs into lines that are not shown here.
pub fn ignore_comment(comment: &str, place: &Place) -> String {
    format!("To ignore the finding, write this above the line {}:\n\n{}", spot(place), fenced(comment, ""))
}

/// The answer where the file has no comments.
pub fn ignore_in_configuration(policy: &str, path: &str, reason: &str) -> String {
    // A string of TOML's is one of JSON's but for DEL, which `plain` texts do not have.
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let lines = format!(
        "[[per-path]]\npaths = [{}]\nignore = [{}]\nreason = {}\n",
        quoted(path),
        quoted(policy),
        quoted(reason)
    );
    format!(
        "The file has no comments. To ignore the finding, write this into `stacklint.toml`:\n\n{}",
        fenced(&lines, "toml")
    )
}

/// The answer to somebody else.
pub const MAY_NOT_IGNORE: &str = "Somebody who may write to this repository has to ask for this; nothing was changed.";

/// A block whose text is taken as it is: a suggestion that showed anything but the very bytes would write it into the file.
fn fenced(text: &str, info: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    format!("{fence}{info}\n{text}{end}{fence}\n")
}

/// The way of the value and whom else it concerns.
fn path(f: &Finding) -> String {
    let mut out = String::new();
    for step in f.steps.iter().take(MOST_STEPS) {
        out.push_str(&format!("- {} {}\n", spot(&step.place), escape(&step.words)));
    }
    if f.steps.len() > MOST_STEPS {
        out.push_str(&format!("- and {} more places\n", f.steps.len() - MOST_STEPS));
    }
    if !f.also.is_empty() {
        let names: Vec<String> = f.also.iter().take(MOST_STEPS).map(|a| code(a)).collect();
        let more = f.also.len().saturating_sub(MOST_STEPS);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        out.push_str(&format!("- Also in {}{more}\n", names.join(", ")));
    }
    if !out.is_empty() {
        out.push('\n');
    }
    out
}

/// A comment whose finding is gone, or no longer stands in its line.
pub fn retired(f: &Retired<'_>) -> String {
    let head = match f.why {
        Why::Gone => format!("✅ **Gone** since {}", short(f.head)),
        Why::Ignored => format!("🔕 **Ignored** since {}", short(f.head)),
        Why::Moved => {
            format!("↪ **Moved**: since {} it is no longer in this line; the summary names its place", short(f.head))
        }
    };
    format!("{head}\n\n<details><summary>What it was</summary>\n\n{}\n\n</details>", f.old)
}

/// What [`retired`] wants to know.
pub struct Retired<'a> {
    /// The commit.
    pub head: &'a str,
    /// What became of the finding.
    pub why: Why,
    /// The body so far, without its marker and without a suggestion.
    pub old: &'a str,
}

/// Why a comment has done its duty.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    /// The finding is gone.
    Gone,
    /// It is there, and silenced in the repository.
    Ignored,
    /// It is there, but elsewhere.
    Moved,
}

/// A commit as people write it.
pub fn short(commit: &str) -> String {
    code(&commit.chars().filter(char::is_ascii_alphanumeric).take(9).collect::<String>())
}

/// The first lines of an old body: what a comment that is retired still has to show. Suggestions go, since one could still be
/// applied to a line that has changed.
pub fn remains(body: &str) -> String {
    let body = body.split("<!-- stacklint:").next().unwrap_or("").replace("\r\n", "\n");
    let headline = body.lines().find(|l| l.contains("**")).unwrap_or("");
    headline.trim().to_owned()
}

/// One line of a list.
pub fn bullet(f: &Finding) -> String {
    let place = f.place.as_ref().map(|p| format!("{} ", spot(p))).unwrap_or_default();
    format!(
        "- {} **{}** {place}{} ({})\n",
        mark(f.severity),
        f.severity,
        escape(&f.message),
        link(&code(&f.policy), &f.url)
    )
}

/// A finding in the summary, with what a comment in its line would say.
pub fn entry(f: &Finding) -> String {
    let body = format!("{}{}\n\n{}", path(f), prose(&f.why), prose(&f.remediation));
    let mut out = bullet(f);
    out.push_str("  <details><summary>Why, and what to do</summary>\n\n");
    for line in body.trim().lines() {
        out.push_str(if line.is_empty() { "" } else { "  " });
        out.push_str(line);
        out.push('\n');
    }
    out.push_str("\n  </details>\n");
    out
}

/// Text without markup, for annotations and titles.
pub fn plain(text: &str, most: usize) -> String {
    let text = one_line(text);
    if text.chars().count() <= most {
        return text.into_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// `1 finding`, `2 findings`.
pub fn count(n: usize, one: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Step;
    use super::*;
    use crate::diagnostic::Severity;

    fn sample() -> Finding {
        Finding {
            fingerprint: "f1".into(),
            policy: "image-latest".into(),
            severity: Severity::High,
            title: "Image without a version".into(),
            message: "`evil` <img src=x> @team #1 ![x](y)".into(),
            why: "Nobody knows.\n```hcl\na = 1\n```\n@everyone <b>".into(),
            remediation: "- Name `a`".into(),
            url: "https://stacklint.dev/policies/image-latest".into(),
            place: Some(Place { path: "a`b.tf".into(), start: 3, end: 3, columns: None }),
            steps: vec![Step {
                place: Place { path: "v.tf".into(), start: 9, end: 9, columns: None },
                words: "variable @x".into(),
            }],
            also: vec!["x".into()],
            suggestion: None,
        }
    }

    #[test]
    fn what_comes_from_the_repository_makes_no_markup() {
        let f = sample();
        let here = Place { path: "v.tf".into(), start: 9, end: 9, columns: None };
        let s = Suggestion { place: here.clone(), text: "a = <<X\n```\n@me\nX\n".into(), title: "Set *a*".into() };
        let body = comment(&f, &here, Some(&s), Flavor::GitHub);
        for bad in ["<img", "<b>", "@team", "@everyone", "@x", "#1", "![x]"] {
            assert!(!body.contains(bad), "{bad} in {body}");
        }
        assert!(body.contains("Found in ``a`b.tf:3``"), "{body}");
        assert!(body.contains("\n````suggestion\na = <<X\n```\n@me\nX\n````\n"), "{body}");
        assert!(body.contains("```hcl\na = 1\n```"), "{body}");
    }

    #[test]
    fn an_empty_suggestion_takes_the_lines_away() {
        assert_eq!(fenced("", "suggestion"), "```suggestion\n```\n");
        assert_eq!(fenced("\n", "suggestion"), "```suggestion\n\n```\n");
    }

    #[test]
    fn what_is_retired_keeps_its_headline_alone() {
        let f = sample();
        let here = Place { path: "v.tf".into(), start: 9, end: 9, columns: None };
        let body = comment(&f, &here, None, Flavor::GitHub);
        assert_eq!(remains(&body), headline(&f));
        let once = retired(&Retired { head: "0123456789abcdef", why: Why::Gone, old: &remains(&body) });
        assert!(once.starts_with("✅ **Gone** since `012345678`\n"), "{once}");
    }

    #[test]
    fn plain_text_is_cut() {
        assert_eq!(plain("a\nb", 10), "a b");
        assert_eq!(plain("abcdef", 4), "abc…");
    }
}
