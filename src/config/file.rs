//! The configuration file as typed data.

use super::{Selector, nearest};
use crate::diagnostic::{Rule, Severity};
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use toml::Spanned;

/// The configuration of a run. [`Config::default`] is that of a run without a file.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The policies that run; empty: all that are on by default.
    pub select: Vec<Selector>,
    /// The policies that do not run.
    pub ignore: Vec<Selector>,
    /// Findings below this are not shown.
    pub min_severity: Option<Severity>,
    /// Findings from this on make the exit code 1; below it they are only shown.
    pub fail_on: Option<Severity>,
    /// What to do about answers that depend on unknown values.
    pub unknown: UnknownMode,
    /// Severities in place of the policies' own; the last that matches counts, which is the most exact one.
    pub severity: Vec<(Selector, Severity)>,
    /// Parameters by policy and name.
    pub params: BTreeMap<String, BTreeMap<String, serde_json::Value>>,
    /// Folders with policies of the user's own, relative to the file.
    pub policy_dirs: Vec<String>,
    /// Files that are not looked at, relative to the file, in the syntax of `.gitignore`.
    pub exclude: Vec<String>,
    /// Policies that do not run on some paths.
    pub per_path: Vec<PathRule>,
    /// Terraform variable files, relative to the file.
    pub var_files: Vec<String>,
    /// Terraform variables.
    pub vars: Vec<(String, String)>,
    /// The Terraform workspace.
    pub workspace: Option<String>,
    /// The Kubernetes version to judge API versions by.
    pub kubernetes_version: Option<String>,
    /// The way from the file's folder to the working directory, such as `infra/prod`; empty where they are the same.
    pub below: String,
    /// The text and path of the file and where in it each policy is named, for errors found later.
    source: Option<Arc<Source>>,
}

#[derive(Debug)]
struct Source {
    path: String,
    text: String,
    /// Words that name policies, with their places.
    named: Vec<(String, Range<usize>)>,
}

/// Silences policies on some paths.
#[derive(Clone, Debug)]
pub struct PathRule {
    /// The paths, relative to the file.
    pub paths: GlobSet,
    /// The policies.
    pub ignore: Vec<Selector>,
    /// Why.
    pub reason: String,
    /// Where it stands in the file.
    pub place: Range<usize>,
}

/// What to do about answers that depend on unknown values.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UnknownMode {
    /// Count them in the summary.
    #[default]
    Silent,
    /// List them.
    Warn,
    /// List them and let the run fail.
    Fail,
}

/// What is wrong with a configuration, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConfigError {
    /// The path of the file.
    pub path: String,
    /// Its text.
    pub text: String,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
    /// The place.
    pub span: Option<Range<usize>>,
}

impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ConfigError {}

impl miette::Diagnostic for ConfigError {
    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        self.help.as_ref().map(|h| Box::new(h) as Box<dyn std::fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        self.span.as_ref().map(|_| self as &dyn miette::SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = miette::LabeledSpan> + '_>> {
        let span = self.span.clone()?;
        Some(Box::new(std::iter::once(miette::LabeledSpan::new(None, span.start, span.len()))))
    }
}

impl miette::SourceCode for ConfigError {
    fn read_span<'a>(
        &'a self,
        span: &miette::SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn miette::SpanContents<'a> + 'a>, miette::MietteError> {
        let inner = self.text.read_span(span, before, after)?;
        Ok(Box::new(miette::MietteSpanContents::new_named(
            self.path.clone(),
            inner.data(),
            *inner.span(),
            inner.line(),
            inner.column(),
            inner.line_count(),
        )))
    }
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct Raw {
    select: Vec<Spanned<String>>,
    ignore: Vec<Spanned<String>>,
    #[serde(alias = "min_severity")]
    min_severity: Option<Severity>,
    #[serde(alias = "fail_on")]
    fail_on: Option<Severity>,
    unknown: UnknownMode,
    severity: BTreeMap<Spanned<String>, Severity>,
    params: BTreeMap<Spanned<String>, BTreeMap<String, serde_json::Value>>,
    #[serde(alias = "policy_dirs")]
    policy_dirs: Vec<String>,
    exclude: Vec<Spanned<String>>,
    #[serde(alias = "per_path")]
    per_path: Vec<Spanned<RawPathRule>>,
    terraform: RawTerraform,
    kubernetes: RawKubernetes,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawPathRule {
    paths: Vec<Spanned<String>>,
    ignore: Vec<Spanned<String>>,
    #[serde(default)]
    reason: String,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct RawTerraform {
    #[serde(alias = "var_files")]
    var_files: Vec<String>,
    vars: BTreeMap<String, serde_json::Value>,
    workspace: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct RawKubernetes {
    version: Option<String>,
}

impl Config {
    /// Reads a configuration. `path` is for messages.
    ///
    /// # Errors
    ///
    /// Where the text is no TOML, a key is unknown, or a value is not of its kind; with the place in the text.
    pub fn parse(path: &str, text: &str) -> Result<Config, ConfigError> {
        let fail = |message: String, help: Option<String>, span: Option<Range<usize>>| ConfigError {
            path: path.to_owned(),
            text: text.to_owned(),
            message,
            help,
            span,
        };
        let raw: Raw = toml::from_str(text).map_err(|e| {
            let (message, help) = improve(e.message());
            fail(message, help, e.span())
        })?;
        let mut named = Vec::new();
        let mut selectors = |list: &[Spanned<String>]| -> Result<Vec<Selector>, ConfigError> {
            list.iter()
                .map(|s| {
                    named.push((s.get_ref().clone(), s.span()));
                    Selector::parse(s.get_ref()).map_err(|e| fail(e.message, Some(e.help), Some(s.span())))
                })
                .collect()
        };
        let globs = |list: &[Spanned<String>]| -> Result<GlobSet, ConfigError> {
            let mut set = GlobSetBuilder::new();
            for glob in list {
                let compiled =
                    path_glob(glob.get_ref()).map_err(|e| fail(e.kind().to_string(), None, Some(glob.span())))?;
                for glob in compiled {
                    set.add(glob);
                }
            }
            set.build().map_err(|e| fail(e.to_string(), None, None))
        };
        let mut config = Config {
            select: selectors(&raw.select)?,
            ignore: selectors(&raw.ignore)?,
            min_severity: raw.min_severity,
            fail_on: raw.fail_on,
            unknown: raw.unknown,
            policy_dirs: raw.policy_dirs,
            exclude: raw.exclude.iter().map(|e| e.get_ref().clone()).collect(),
            var_files: raw.terraform.var_files,
            vars: raw.terraform.vars.into_iter().map(|(k, v)| (k, variable_text(v))).collect(),
            workspace: raw.terraform.workspace,
            kubernetes_version: raw.kubernetes.version,
            ..Config::default()
        };
        for rule in &raw.per_path {
            let place = rule.span();
            let rule = rule.get_ref();
            config.per_path.push(PathRule {
                paths: globs(&rule.paths)?,
                ignore: selectors(&rule.ignore)?,
                reason: rule.reason.clone(),
                place,
            });
        }
        for (selector, severity) in &raw.severity {
            let one = selectors(std::slice::from_ref(selector))?;
            config.severity.extend(one.into_iter().map(|s| (s, *severity)));
        }
        // A policy named by itself counts more than a group it belongs to.
        config.severity.sort_by_key(|(selector, _)| selector.is_exact());
        for (policy, values) in raw.params {
            named.push((policy.get_ref().clone(), policy.span()));
            config.params.insert(policy.into_inner(), values);
        }
        config.source = Some(Arc::new(Source { path: path.to_owned(), text: text.to_owned(), named }));
        Ok(config)
    }

    /// An error about a word of the file that names a policy, for what only shows once the policies are known.
    pub fn error_at(&self, word: &str, message: String, help: Option<String>) -> ConfigError {
        let source = self.source.as_deref();
        ConfigError {
            path: source.map(|s| s.path.clone()).unwrap_or_default(),
            text: source.map(|s| s.text.clone()).unwrap_or_default(),
            message,
            help,
            span: source.and_then(|s| s.named.iter().find(|(w, _)| w == word)).map(|(_, span)| span.clone()),
        }
    }

    /// Whether a rule that is on by default is wanted.
    pub fn wants(&self, rule: &Rule) -> bool {
        !self.ignore.iter().any(|s| s.matches(rule))
            && (self.select.is_empty() || self.select.iter().any(|s| s.matches(rule)))
    }

    /// The severity of a policy's findings.
    pub fn severity_of(&self, rule: &Rule) -> Severity {
        self.severity.iter().rev().find(|(s, _)| s.matches(rule)).map_or(rule.severity, |(_, severity)| *severity)
    }
}

/// A glob on paths as users mean it: without a slash it is a name at any depth, a folder's name means all in it.
fn path_glob(pattern: &str) -> Result<Vec<globset::Glob>, globset::Error> {
    let anchored = pattern.trim_start_matches("./").trim_end_matches('/');
    let base = match anchored.strip_prefix('/') {
        Some(rest) => rest.to_owned(),
        None if anchored.contains('/') => anchored.to_owned(),
        None => format!("**/{anchored}"),
    };
    let build = |p: &str| GlobBuilder::new(p).literal_separator(true).build();
    Ok(vec![build(&base)?, build(&format!("{base}/**"))?])
}

/// A variable's value as it would stand after `--var name=`.
fn variable_text(value: serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    }
}

/// Turns serde's "unknown field" into a question.
fn improve(message: &str) -> (String, Option<String>) {
    let Some(rest) = message.strip_prefix("unknown field `") else {
        return (message.to_owned(), None);
    };
    let Some((field, expected)) = rest.split_once('`') else {
        return (message.to_owned(), None);
    };
    // serde lists aliases beside the names; the hyphenated spelling is the documented one.
    let known: Vec<&str> = expected.split('`').skip(1).step_by(2).filter(|k| !k.contains('_')).collect();
    let help = match nearest(field, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known here: {}", known.join(", ")),
    };
    (format!("there is no setting `{field}`"), Some(help))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::config::test_rule;

    fn error(text: &str) -> (String, Option<String>, Option<String>) {
        let e = Config::parse("stacklint.toml", text).unwrap_err();
        (e.message, e.help, e.span.and_then(|s| text.get(s)).map(str::to_owned))
    }

    #[test]
    fn everything_can_be_said() {
        let config = Config::parse(
            "stacklint.toml",
            r#"
            select = ["*", "tag:pss-restricted"]
            ignore = ["checkov:CKV_AWS_1*"]
            min-severity = "low"
            fail-on = "medium"
            unknown = "warn"
            policy_dirs = ["our-policies"]
            exclude = ["vendor/"]
            [severity]
            "aws-s3-*" = "low"
            aws-s3-public = "critical"
            [params.image-registry]
            allowed = ["ghcr.io"]
            [[per-path]]
            paths = ["tests", "*.test.tf"]
            ignore = ["*"]
            reason = "fixtures"
            [terraform]
            var-files = ["prod.tfvars"]
            workspace = "prod"
            vars = { size = 3, region = "eu" }
            [kubernetes]
            version = "1.33"
            "#,
        )
        .unwrap();
        let rule = test_rule("aws-s3-public", &["checkov:CKV_AWS_20"]);
        assert!(config.wants(&rule));
        assert!(!config.wants(&test_rule("x", &["checkov:CKV_AWS_19"])));
        assert_eq!(config.severity_of(&rule), Severity::Critical);
        assert_eq!(config.severity_of(&test_rule("aws-s3-other", &[])), Severity::Low);
        let paths = &config.per_path[0].paths;
        for (path, expected) in
            [("tests/a.tf", true), ("x/tests/b/c.tf", true), ("a/b.test.tf", true), ("contests/a.tf", false)]
        {
            assert_eq!(paths.is_match(path), expected, "{path}");
        }
        assert_eq!(config.vars, [("region".to_owned(), "eu".to_owned()), ("size".to_owned(), "3".to_owned())]);
        assert_eq!(config.fail_on, Some(Severity::Medium));
    }

    #[test]
    fn errors_point_into_the_file() {
        assert_eq!(
            error("min-severty = 'low'"),
            (
                "there is no setting `min-severty`".into(),
                Some("did you mean `min-severity`?".into()),
                Some("min-severty".into())
            )
        );
        assert_eq!(
            error("select = ['a', 'severity:bad']"),
            (
                "there is no severity `bad`".into(),
                Some("one of info, low, medium, high, critical".into()),
                Some("'severity:bad'".into())
            )
        );
        assert_eq!(error("min-severity = 'bad'").2, Some("'bad'".into()));
        assert_eq!(error("[[per-path]]\npaths = ['a[']\nignore = []").2, Some("'a['".into()));
        assert!(error("select = [").2.is_some());
    }
}
