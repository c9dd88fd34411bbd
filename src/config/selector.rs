//! How users name policies: `--select`, `--ignore`, ignore comments and the tables of `stacklint.toml`.

use crate::diagnostic::{Category, Rule, Severity};

/// The peers whose ids policies carry as aliases, as they stand before the colon.
pub const PEERS: [&str; 9] =
    ["checkov", "trivy", "tfsec", "kics", "hadolint", "kube-linter", "kube-score", "polaris", "terrascan"];

/// A policy name or glob, a category, `severity:high`, `tag:pss-restricted`, or a peer's id such as `checkov:CKV_AWS_20`
/// or `hadolint:*`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Selector {
    text: String,
    what: What,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum What {
    Name(String),
    Category(Category),
    Severity(Severity),
    Tag(String),
    /// The peer, lower case (`*` for any), and a glob on the id.
    Alias(String, String),
}

/// A selector that means nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SelectorError {
    /// What is wrong with it.
    pub message: String,
    /// What to write instead.
    pub help: String,
}

impl std::fmt::Display for SelectorError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.message)
    }
}

impl Selector {
    /// Reads a selector.
    ///
    /// # Errors
    ///
    /// Where the word before a colon is unknown, or a category or severity does not exist.
    pub fn parse(text: &str) -> Result<Selector, SelectorError> {
        let text = text.trim();
        let fail = |message: String, help: String| Err(SelectorError { message, help });
        if text.is_empty() {
            return fail(
                "a selector is empty".into(),
                "name a policy, a category, `severity:high`, or a peer's id such as `checkov:CKV_AWS_20`".into(),
            );
        }
        let what = match text.split_once(':') {
            Some(("severity", word)) => match Severity::parse(word) {
                Some(severity) => What::Severity(severity),
                None => {
                    let words: Vec<&str> = Severity::ALL.iter().map(|s| s.as_str()).collect();
                    return fail(format!("there is no severity `{word}`"), format!("one of {}", words.join(", ")));
                }
            },
            Some(("category", word)) => match Category::parse(word) {
                Some(category) => What::Category(category),
                None => {
                    let words: Vec<&str> = Category::ALL.iter().map(|s| s.as_str()).collect();
                    return fail(format!("there is no category `{word}`"), format!("one of {}", words.join(", ")));
                }
            },
            Some(("tag", word)) => What::Tag(word.to_owned()),
            Some((peer, id)) => {
                let peer = peer.to_ascii_lowercase();
                if !PEERS.contains(&peer.as_str()) {
                    let near = nearest(&peer, PEERS.iter().copied().chain(["severity", "category", "tag"]));
                    let help = match near {
                        Some(near) => format!("did you mean `{near}:{id}`?"),
                        None => {
                            format!("before the colon stands severity, category, tag, or one of {}", PEERS.join(", "))
                        }
                    };
                    return fail(format!("`{peer}:` is not known"), help);
                }
                What::Alias(peer, id.to_owned())
            }
            None => match Category::parse(text) {
                Some(category) => What::Category(category),
                // No policy has a capital or an underscore in its name, but most peers' ids do.
                None if text.contains(|c: char| c.is_ascii_uppercase() || c == '_') => {
                    What::Alias("*".into(), text.to_owned())
                }
                None => What::Name(text.to_owned()),
            },
        };
        Ok(Selector { text: text.to_owned(), what })
    }

    /// The policy of exactly this name.
    pub fn name(name: &str) -> Selector {
        Selector { text: name.to_owned(), what: What::Name(name.to_owned()) }
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a policy is meant.
    pub fn matches(&self, rule: &Rule) -> bool {
        self.matches_parts(&rule.name, rule.category, rule.severity, &rule.tags, &rule.aliases)
    }

    /// The same where only the index of a policy is at hand.
    pub fn matches_parts(
        &self,
        name: &str,
        category: Category,
        severity: Severity,
        tags: &[String],
        aliases: &[String],
    ) -> bool {
        match &self.what {
            What::Name(pattern) => glob(pattern, name),
            What::Category(wanted) => category == *wanted,
            What::Severity(wanted) => severity == *wanted,
            What::Tag(pattern) => tags.iter().any(|t| glob(pattern, t)),
            What::Alias(peer, pattern) => aliases.iter().any(|a| alias_matches(a, peer, pattern)),
        }
    }

    /// Whether it names one policy rather than a group: then an answer "there is none" is a mistake of the user's.
    pub fn is_exact(&self) -> bool {
        match &self.what {
            What::Name(p) | What::Tag(p) | What::Alias(_, p) => !p.contains(['*', '?']),
            What::Category(_) | What::Severity(_) => false,
        }
    }

    /// The same selector with the peer of a bare id spelled out as any.
    pub fn canonical(&self) -> String {
        match &self.what {
            What::Alias(peer, id) if peer == "*" => format!("*:{id}"),
            _ => self.text.clone(),
        }
    }
}

/// Whether an alias such as `checkov:CKV_AWS_20` is of this peer (`*`: any) and its id matches the glob, whatever the case.
pub fn alias_matches(alias: &str, peer: &str, pattern: &str) -> bool {
    alias
        .split_once(':')
        .is_some_and(|(p, id)| (peer == "*" || p.eq_ignore_ascii_case(peer)) && glob_ignore_case(pattern, id))
}

/// Whether a text matches a pattern in which `*` stands for any text and `?` for one character.
pub fn glob(pattern: &str, text: &str) -> bool {
    glob_by(pattern, text, |a, b| a == b)
}

/// The same for ASCII letters of either case.
pub fn glob_ignore_case(pattern: &str, text: &str) -> bool {
    glob_by(pattern, text, |a, b| a.eq_ignore_ascii_case(&b))
}

fn glob_by(pattern: &str, text: &str, same: impl Fn(u8, u8) -> bool) -> bool {
    // The classic two-pointer match: on a mismatch, let the last `*` take one character more.
    let (p, t) = (pattern.as_bytes(), text.as_bytes());
    let (mut i, mut j) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while j < t.len() {
        match p.get(i) {
            Some(b'*') => {
                star = Some((i, j));
                i += 1;
            }
            Some(&c) if c == b'?' || same(c, t[j]) => {
                i += 1;
                j += 1;
            }
            _ => match star {
                Some((si, sj)) => {
                    i = si + 1;
                    j = sj + 1;
                    star = Some((si, sj + 1));
                }
                None => return false,
            },
        }
    }
    p[i..].iter().all(|&c| c == b'*')
}

/// The candidate that a mistyped word most likely meant.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).clamp(1, 5);
    candidates
        .into_iter()
        .map(|c| (distance(word, c), c))
        .filter(|(d, _)| *d <= limit)
        .min_by_key(|(d, _)| *d)
        .map(|(_, c)| c)
}

/// The number of single-character edits between two words (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &cb) in b.iter().enumerate() {
            let cost = diagonal + usize::from(ca != cb);
            diagonal = row[j + 1];
            row[j + 1] = cost.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn rule(name: &str, aliases: &[&str]) -> Rule {
        Rule {
            name: name.into(),
            title: "Title".into(),
            severity: Severity::High,
            category: Category::Network,
            why: String::new(),
            remediation: String::new(),
            references: Vec::new(),
            aliases: aliases.iter().map(|&a| a.into()).collect(),
            tags: vec!["pss-baseline".into()],
            implied_by: Vec::new(),
            url: String::new(),
        }
    }

    #[test]
    fn selectors_name_policies_in_every_way() {
        let rule = rule("aws-s3-public", &["checkov:CKV_AWS_20", "trivy:AVD-AWS-0092"]);
        for (selector, expected) in [
            ("aws-s3-public", true),
            ("aws-s3-*", true),
            ("*", true),
            ("aws-s3", false),
            ("network", true),
            ("category:network", true),
            ("access", false),
            ("severity:high", true),
            ("severity:low", false),
            ("tag:pss-*", true),
            ("checkov:CKV_AWS_20", true),
            ("checkov:CKV_AWS_*", true),
            ("checkov:ckv_aws_20", true),
            ("Trivy:avd-aws-0092", true),
            ("checkov:CKV_AWS_2", false),
            ("kics:*", false),
            ("CKV_AWS_20", true),
        ] {
            assert_eq!(Selector::parse(selector).unwrap().matches(&rule), expected, "{selector}");
        }
    }

    #[test]
    fn a_mistyped_selector_is_told_what_was_meant() {
        assert_eq!(Selector::parse("chekov:CKV_1").unwrap_err().help, "did you mean `checkov:CKV_1`?");
        assert_eq!(Selector::parse("severity:hih").unwrap_err().message, "there is no severity `hih`");
        assert!(Selector::parse("  ").is_err());
        assert_eq!(nearest("min-severty", ["select", "min-severity"]), Some("min-severity"));
        assert_eq!(nearest("zzz", ["select", "ignore"]), None);
    }

    #[test]
    fn globs_backtrack() {
        assert!(glob("a*b*c", "aXbYbZc"));
        assert!(!glob("a*b*c", "aXbYbZ"));
        assert!(glob("*", ""));
        assert!(glob("a?c", "abc") && !glob("a?c", "ac"));
    }
}
