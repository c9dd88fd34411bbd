//! Which policies run, how severe their findings are, and with which parameters.

use super::set::{Entry, PolicySet};
use super::words::{glob_matches, nearest};
use crate::base::FastMap;
use crate::diagnostic::{Category, Severity};
use crate::graph::Value;

/// What names policies on the command line and in the configuration: a policy's name or a glob on it, a category,
/// `severity:high`, `tag:pss-restricted`, or a peer's id such as `checkov:CKV_AWS_*`; `all` is every policy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Selector {
    /// A name, or a glob on names.
    Name(String),
    /// All of a category.
    Category(Category),
    /// All of a severity.
    Severity(Severity),
    /// All with a tag; may be a glob.
    Tag(String),
    /// All with a peer's id; may be a glob. Ids compare without regard to case.
    Alias(String),
}

impl Selector {
    /// Reads a selector. The error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Selector, String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("a selector is empty".to_owned());
        }
        if let Some(category) = Category::parse(text) {
            return Ok(Selector::Category(category));
        }
        match text.split_once(':') {
            Some(("severity", word)) => Severity::parse(word)
                .map(Selector::Severity)
                .ok_or_else(|| format!("`{word}` is no severity; there are critical, high, medium, low and info")),
            Some(("category", word)) => Category::parse(word).map(Selector::Category).ok_or_else(|| {
                let all: Vec<&str> = Category::ALL.iter().map(|c| c.as_str()).collect();
                format!("`{word}` is no category; there are {}", all.join(", "))
            }),
            Some(("tag", tag)) => Ok(Selector::Tag(tag.to_owned())),
            Some((_, _)) => Ok(Selector::Alias(text.to_ascii_lowercase())),
            None if text == "all" => Ok(Selector::Name("*".to_owned())),
            None => Ok(Selector::Name(text.to_owned())),
        }
    }

    /// Whether it names this policy.
    pub fn matches(&self, entry: &Entry) -> bool {
        let index = &entry.index;
        match self {
            Selector::Name(glob) => glob_matches(glob, &index.name),
            Selector::Category(category) => index.category == *category,
            Selector::Severity(severity) => index.severity == *severity,
            Selector::Tag(glob) => index.tags.iter().any(|t| glob_matches(glob, t)),
            Selector::Alias(glob) => {
                let pattern = glob.contains(['*', '?']);
                let asked =
                    |alias: &String| !pattern || !index.on_request.iter().any(|a| a.eq_ignore_ascii_case(alias));
                index.aliases.iter().any(|a| asked(a) && alias_matches(glob, a))
            }
        }
    }
}

/// Whether an alias of a policy is meant by a selector. An alias may itself end in a star.
fn alias_matches(glob: &str, alias: &str) -> bool {
    let alias = alias.to_ascii_lowercase();
    glob == alias || glob_matches(glob, &alias) || (alias.contains('*') && glob_matches(&alias, glob))
}

/// What the user wants. Everything is in the words of the command line and `stacklint.toml`.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// Only these; empty: every policy that is on by default.
    pub select: Vec<String>,
    /// These as well, though they may be off by default.
    pub extend: Vec<String>,
    /// Not these.
    pub ignore: Vec<String>,
    /// Nothing milder than this, after overrides.
    pub min_severity: Option<Severity>,
    /// Severities for what a selector names; the last one that applies wins.
    pub severity: Vec<(String, Severity)>,
    /// Parameters: a policy's name or glob, the parameter, its value.
    pub params: Vec<(String, String, Value)>,
}

/// The outcome of a [`Choice`] over a [`PolicySet`].
#[derive(Clone, Debug, Default)]
pub struct Chosen {
    /// The policies by number, ascending, with the severity of their findings.
    pub policies: Vec<(u32, Severity)>,
    /// Parameters that were set, by the policy's number and their names.
    pub params: FastMap<u32, FastMap<String, Value>>,
    /// What in the choice names nothing, in words: a warning, not a failure.
    pub warnings: Vec<String>,
}

impl PolicySet {
    /// Chooses policies. An error says which selector cannot be read.
    pub fn choose(&self, choice: &Choice) -> Result<Chosen, String> {
        let parse = |texts: &[String]| texts.iter().map(|t| Selector::parse(t)).collect::<Result<Vec<_>, _>>();
        let (select, extend, ignore) = (parse(&choice.select)?, parse(&choice.extend)?, parse(&choice.ignore)?);
        let overrides = choice
            .severity
            .iter()
            .map(|(text, severity)| Selector::parse(text).map(|s| (s, *severity)))
            .collect::<Result<Vec<_>, _>>()?;
        let mut chosen = Chosen::default();
        for (i, entry) in self.entries().iter().enumerate() {
            let wanted = if select.is_empty() { entry.index.enabled } else { select.iter().any(|s| s.matches(entry)) };
            let wanted =
                (wanted || extend.iter().any(|s| s.matches(entry))) && !ignore.iter().any(|s| s.matches(entry));
            let severity = overrides.iter().rev().find(|(s, _)| s.matches(entry)).map_or(entry.severity(), |(_, s)| *s);
            if wanted && choice.min_severity.is_none_or(|least| severity >= least) {
                chosen.policies.push((u32::try_from(i).unwrap_or(u32::MAX), severity));
            }
        }
        let words = choice.select.iter().chain(&choice.extend).chain(&choice.ignore);
        for (word, selector) in words.zip(select.iter().chain(&extend).chain(&ignore)) {
            if !self.entries().iter().any(|e| selector.matches(e)) {
                chosen.warnings.push(match selector {
                    Selector::Name(name) => match nearest(name, self.entries().iter().map(Entry::name)) {
                        Some(near) => format!("no policy is named `{name}`; did you mean `{near}`?"),
                        None => format!("no policy is named `{name}`"),
                    },
                    _ => format!("no policy answers to `{word}`"),
                });
            }
        }
        for (glob, name, value) in &choice.params {
            self.set_param(&mut chosen, glob, name, value);
        }
        Ok(chosen)
    }

    fn set_param(&self, chosen: &mut Chosen, glob: &str, name: &str, value: &Value) {
        let mut found = false;
        for (i, entry) in self.entries().iter().enumerate().filter(|(_, e)| glob_matches(glob, e.name())) {
            let Some(compiled) = entry.policy() else { continue };
            let Some(param) = compiled.policy.params.iter().find(|p| p.name == name) else { continue };
            found = true;
            if super::evaluate::type_of(value) == Some(param.kind) {
                let number = u32::try_from(i).unwrap_or(u32::MAX);
                chosen.params.entry(number).or_default().insert(name.to_owned(), value.clone());
            } else {
                chosen.warnings.push(format!(
                    "parameter `{name}` of `{}` takes a {}; its default is used",
                    entry.name(),
                    param.kind.as_str()
                ));
            }
        }
        if !found {
            chosen.warnings.push(format!("no policy `{glob}` has a parameter `{name}`"));
        }
    }

    /// Every policy that a selector names, for ignore comments and the like.
    pub fn matching<'a>(&'a self, selector: &'a Selector) -> impl Iterator<Item = &'a Entry> {
        self.entries().iter().filter(move |e| selector.matches(e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_are_read() {
        assert_eq!(Selector::parse("network"), Ok(Selector::Category(Category::Network)));
        assert_eq!(Selector::parse("severity:high"), Ok(Selector::Severity(Severity::High)));
        assert_eq!(Selector::parse("tag:pss-*"), Ok(Selector::Tag("pss-*".into())));
        assert_eq!(Selector::parse("checkov:CKV_AWS_*"), Ok(Selector::Alias("checkov:ckv_aws_*".into())));
        assert!(Selector::parse("severity:hi").is_err());
        assert!(alias_matches("checkov:ckv_aws_*", "checkov:CKV_AWS_20"));
        assert!(alias_matches("kics:passwords-and-secrets/abc", "kics:passwords-and-secrets/*"));
    }
}
