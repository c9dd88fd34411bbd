//! `stacklint explain`.

use super::Ending;
use super::args::ExplainArgs;
use super::policies::{Listed, all};
use super::session::{Problem, Session};
use super::terminal::Terminal;
use crate::config::{Selector, nearest};
use crate::report::wrap;
use std::io::Write;

pub fn run(args: &ExplainArgs, terminal: &Terminal) -> Result<Ending, Problem> {
    let session = Session::new(&args.selection)?;
    let listed = all(&session.policies(terminal)?);
    let found = find(&listed, &args.policy)?;
    let mut text = String::new();
    for policy in &found {
        if !text.is_empty() {
            text.push('\n');
        }
        describe(policy, terminal, &mut text);
    }
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(Ending::Clean)
}

/// The policies that a name or id means.
fn find<'a>(listed: &'a [Listed], wanted: &str) -> Result<Vec<&'a Listed>, Problem> {
    let selector = Selector::parse(wanted).map_err(|e| Problem::Usage(e.message, Some(e.help)))?;
    let found: Vec<&Listed> = listed.iter().filter(|l| selector.matches(&l.rule)).collect();
    if found.is_empty() {
        let near = nearest(wanted, listed.iter().map(|l| l.rule.name.as_str()));
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`stacklint policies` lists all of them".to_owned(),
        };
        return Err(Problem::Usage(format!("no policy answers to `{wanted}`"), Some(help)));
    }
    Ok(found)
}

fn describe(listed: &Listed, terminal: &Terminal, out: &mut String) {
    let rule = &listed.rule;
    let paint = |code: &str, text: &str| {
        if terminal.color { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    };
    out.push_str(&format!(
        "{} ({}, {}{})\n{}\n",
        paint("1", &rule.name),
        rule.severity,
        rule.category,
        if listed.enabled { "" } else { ", off by default" },
        rule.title
    ));
    let mut section = |title: &str, body: &str| {
        if !body.trim().is_empty() {
            out.push_str(&format!("\n{}\n", paint("1", title)));
            for line in wrap(body, terminal.width.saturating_sub(2)) {
                out.push_str(&format!("  {line}\n"));
            }
        }
    };
    section("Why", &rule.why);
    section("What to do", &rule.remediation);
    let params: Vec<String> = listed
        .params
        .iter()
        .map(|p| {
            let text = |name: &str| p.get(name).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
            let default = p.get("default").map(ToString::to_string).unwrap_or_default();
            format!("{} ({}, default {default}): {}", text("name"), text("type"), text("description"))
        })
        .collect();
    section("Parameters", &params.join("\n"));
    section("Judges", &listed.resource.join(", "));
    section("Tags", &rule.tags.join(", "));
    section("Elsewhere", &rule.aliases.join(", "));
    section("Read more", &rule.references.join("\n"));
}
