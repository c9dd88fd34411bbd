//! `stacklint explain`.

use super::Ending;
use super::args::ExplainArgs;
use super::policies::{Listed, all};
use super::session::{Problem, Session};
use super::terminal::Terminal;
use crate::analysis::CancelToken;
use crate::base::{ColumnEncoding, Files, Span};
use crate::config::{Selector, nearest};
use crate::load::{self, Request};
use crate::policy::evaluate::Truth;
use crate::policy::explain::{Proof, explain};
use crate::report::{one_line, wrap};
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
    if let Some(address) = &args.address {
        prove(args, address, &session, &found, terminal, &mut text)?;
    }
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(Ending::Clean)
}

/// Shows of a resource why each policy says of it what it says.
fn prove(
    args: &ExplainArgs,
    address: &str,
    session: &Session,
    listed: &[&Listed],
    terminal: &Terminal,
    out: &mut String,
) -> Result<(), Problem> {
    let settings = session.settings(session.policies(terminal)?, &args.terraform, terminal)?;
    let request = Request {
        working_directory: session.working_directory.clone(),
        paths: args.paths.clone(),
        exclude: session.exclude()?,
    };
    let workspace = load::open(&request, settings)?;
    let built =
        workspace.snapshot().build(&CancelToken::new()).map_err(|cancelled| Problem::usage(cancelled.to_string()))?;
    if built.graph.at_address(address).is_empty() {
        let near = nearest(address, built.graph.resources.iter().map(|r| &*r.address));
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`stacklint graph` lists all resources with their addresses".to_owned(),
        };
        return Err(Problem::Usage(format!("there is no resource at `{address}`"), Some(help)));
    }
    let settings = workspace.settings();
    for policy in listed {
        let name = &policy.rule.name;
        let Some(answers) = explain(&built.graph, &settings.policies, &settings.chosen, &built.files, name, address)
        else {
            continue;
        };
        if answers.is_empty() {
            out.push_str(&format!("\n`{name}` judges nothing at `{address}`\n"));
        }
        for answer in answers {
            let verdict = match answer.truth {
                Truth::True => "a finding",
                Truth::False => "no finding",
                Truth::Unknown => "not known",
            };
            out.push_str(&format!("\n{} {}: {verdict}\n", one_line(&answer.subject), place(&built.files, answer.span)));
            for (title, proof) in [("where", &answer.guard), ("deny", &answer.deny)] {
                if let Some(proof) = proof {
                    out.push_str(&format!("  {title}\n"));
                    tree(proof, &built.files, 2, out);
                }
            }
        }
    }
    Ok(())
}

/// A clause, what it looked at, and the clauses inside it.
fn tree(proof: &Proof, files: &Files, depth: usize, out: &mut String) {
    let indent = "  ".repeat(depth.min(40));
    let mark = match proof.truth {
        Truth::True => "yes",
        Truth::False => "no ",
        Truth::Unknown => "?  ",
    };
    out.push_str(&format!("{indent}{mark} {}\n", one_line(&proof.clause)));
    for fact in &proof.facts {
        out.push_str(&format!("{indent}      {} {}\n", place(files, fact.span), one_line(&fact.text)));
    }
    for part in &proof.parts {
        tree(part, files, depth + 1, out);
    }
}

/// Path, line and column; nothing for what stands in no file.
fn place(files: &Files, span: Span) -> String {
    files.get(span.file).map_or(String::new(), |file| {
        let at = file.lines().position(&file.text, span.start, ColumnEncoding::Chars);
        format!("{}:{}:{}", file.path, at.line, at.column)
    })
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
