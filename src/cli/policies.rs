//! `stacklint policies`.

use super::Ending;
use super::args::{ListFormat, PoliciesArgs};
use super::session::{Problem, Session};
use super::terminal::Terminal;
use crate::analysis::built_in_rules;
use crate::diagnostic::Rule;
use crate::policy::PolicySet;
use serde_json::{Value as Json, json};
use std::io::Write;
use std::sync::Arc;

/// A rule with what the list shows beside it.
pub struct Listed {
    pub rule: Arc<Rule>,
    pub enabled: bool,
    pub resource: Vec<String>,
    pub params: Vec<Json>,
}

pub fn run(args: &PoliciesArgs, terminal: &Terminal) -> Result<Ending, Problem> {
    let session = Session::new(&args.selection)?;
    let listed: Vec<Listed> = all(&session.policies(terminal)?)
        .into_iter()
        .filter(|l| session.config.wants(&l.rule))
        .filter(|l| session.config.min_severity.is_none_or(|least| l.rule.severity >= least))
        .collect();
    let text = match args.format {
        ListFormat::Json => {
            let list: Vec<Json> = listed.iter().map(as_json).collect();
            serde_json::to_string_pretty(&list)? + "\n"
        }
        ListFormat::Table => as_table(&listed),
        ListFormat::Markdown => as_markdown(&listed),
    };
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(Ending::Clean)
}

/// Every rule there is, by name.
pub fn all(set: &PolicySet) -> Vec<Listed> {
    let mut listed: Vec<Listed> = set
        .entries()
        .iter()
        .filter_map(|entry| {
            let compiled = entry.policy()?;
            Some(Listed {
                rule: compiled.rule.clone(),
                enabled: compiled.policy.enabled,
                resource: compiled.policy.resource.clone(),
                params: compiled
                    .policy
                    .params
                    .iter()
                    .map(|p| {
                        json!({
                            "name": p.name,
                            "type": p.kind.as_str(),
                            "default": crate::policy::literal_value(&p.default).to_json(),
                            "description": p.description,
                        })
                    })
                    .collect(),
            })
        })
        .collect();
    listed.extend(built_in_rules().into_iter().map(|rule| Listed {
        rule,
        enabled: true,
        resource: Vec::new(),
        params: Vec::new(),
    }));
    listed.sort_by(|a, b| a.rule.name.cmp(&b.rule.name));
    listed
}

fn as_json(listed: &Listed) -> Json {
    let rule = &listed.rule;
    json!({
        "name": rule.name,
        "title": rule.title,
        "severity": rule.severity.as_str(),
        "category": rule.category.as_str(),
        "enabled": listed.enabled,
        "resource": listed.resource,
        "why": rule.why,
        "remediation": rule.remediation,
        "references": rule.references,
        "aliases": rule.aliases,
        "tags": rule.tags,
        "params": listed.params,
        "url": rule.url,
    })
}

fn as_table(listed: &[Listed]) -> String {
    let width = listed.iter().map(|l| l.rule.name.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for Listed { rule, enabled, .. } in listed {
        let off = if *enabled { "" } else { " (off)" };
        text.push_str(&format!(
            "{:width$}  {:8}  {:12}  {}{off}\n",
            rule.name,
            rule.severity,
            rule.category,
            crate::report::one_line(&rule.title)
        ));
    }
    text
}

fn as_markdown(listed: &[Listed]) -> String {
    let cell = |text: &str| crate::report::one_line(text).replace('|', "\\|");
    let mut text = String::from("| policy | severity | category | what it finds | ids elsewhere |\n|-|-|-|-|-|\n");
    for Listed { rule, enabled, .. } in listed {
        let off = if *enabled { "" } else { " (off by default)" };
        text.push_str(&format!(
            "| `{}`{off} | {} | {} | {} | {} |\n",
            rule.name,
            rule.severity,
            rule.category,
            cell(&rule.title),
            cell(&rule.aliases.join(", "))
        ));
    }
    text
}
