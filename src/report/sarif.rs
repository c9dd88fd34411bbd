//! SARIF 2.1.0 (OASIS), as GitHub code scanning reads it.
//!
//! GitHub tells alerts apart by the rule and `partialFingerprints.primaryLocationLineHash`, and looks at no other
//! fingerprint. So that key carries the structural fingerprint too: an alert stays the same one when its lines move
//! or its file is renamed. GitHub refuses files beyond certain sizes; what is cut for that reason is said in a
//! notification.

use super::place::{Place, place, rooted};
use super::text::{Secrets, one_line, uri_path};
use super::{HOME, RenderOptions, TOOL, VERSION, json, related, troubles, unique_fingerprints, wire};
use crate::analysis::{Report, Suppression, SuppressionKind};
use crate::base::{ColumnEncoding, FastMap, Span};
use crate::diagnostic::{Category, Diagnostic, Fix, Label, Rule, Severity};
use serde_json::{Map, Value, json};
use std::io::{self, Write};
use std::sync::Arc;

/// GitHub takes no more results in one run.
pub(super) const MAX_RESULTS: usize = 25_000;
/// GitHub shows no more related places of a result.
const MAX_RELATED: usize = 100;
/// Related places that the message links to.
const MAX_LINKS: usize = 5;
/// GitHub keeps no more tags of a rule.
const MAX_TAGS: usize = 10;
/// GitHub's limit for `fullDescription`, in characters.
const MAX_DESCRIPTION: usize = 1024;
/// Lines of source in an excerpt.
const MAX_SNIPPET_LINES: u32 = 10;

/// What every part needs.
struct Cx<'a> {
    report: &'a Report,
    options: &'a RenderOptions,
    secrets: Secrets,
}

impl Cx<'_> {
    fn artifact(&self, path: &str) -> Value {
        let path = rooted(&self.options.repository_prefix, path);
        if path.starts_with('/') {
            return json!({ "uri": format!("file://{}", uri_path(&path)) });
        }
        json!({ "uri": uri_path(&path), "uriBaseId": "%SRCROOT%" })
    }

    fn region(&self, place: &Place<'_>) -> Value {
        json!({
            "startLine": place.start.line,
            "startColumn": place.start.column,
            "endLine": place.end.line,
            "endColumn": place.end.column,
        })
    }

    /// A location with its words; `None` where the span stands in no file.
    fn location(&self, span: Span, message: &str, snippet: bool) -> Option<Value> {
        let place = place(self.report, span, ColumnEncoding::Utf16)?;
        let mut region = self.region(&place);
        if snippet && place.end.line - place.start.line < MAX_SNIPPET_LINES {
            let text = self.secrets.text(place.file, place.span.range());
            if !text.is_empty() {
                region["snippet"] = json!({ "text": text });
            }
        }
        let mut location = json!({
            "physicalLocation": { "artifactLocation": self.artifact(&place.file.path), "region": region }
        });
        if !message.is_empty() {
            location["message"] = json!({ "text": message });
        }
        Some(location)
    }

    fn labels<'b>(&self, labels: impl Iterator<Item = &'b Label>) -> Vec<Value> {
        labels.filter_map(|l| self.location(l.span, &l.message, false)).take(MAX_RELATED).collect()
    }

    fn flow(&self, d: &Diagnostic) -> Option<Value> {
        if d.trace.is_empty() {
            return None;
        }
        // A flow runs forward: from where the value is written to where it does harm.
        let end = if d.primary.message.is_empty() { &d.message } else { &d.primary.message };
        let steps: Vec<Value> = d
            .trace
            .iter()
            .rev()
            .filter_map(|l| self.location(l.span, &l.message, true))
            .chain(self.location(d.primary.span, end, true))
            .enumerate()
            .map(|(i, location)| json!({ "location": location, "executionOrder": i + 1 }))
            .collect();
        (steps.len() > 1).then(|| json!({ "threadFlows": [{ "locations": steps }] }))
    }

    fn fix(&self, fix: &Fix) -> Option<Value> {
        let mut changes: Vec<(Arc<str>, Vec<Value>)> = Vec::new();
        for edit in &fix.edits {
            let place = place(self.report, edit.span, ColumnEncoding::Utf16)?;
            let mut region = self.region(&place);
            // A region of no width is an insertion; the end of a deletion must not fall back to the line before.
            let end = place.file.lines().position(&place.file.text, edit.span.end, ColumnEncoding::Utf16);
            region["endLine"] = json!(end.line);
            region["endColumn"] = json!(end.column);
            let replacement = json!({ "deletedRegion": region, "insertedContent": { "text": edit.text } });
            match changes.iter_mut().find(|(path, _)| *path == place.file.path) {
                Some((_, list)) => list.push(replacement),
                None => changes.push((place.file.path.clone(), vec![replacement])),
            }
        }
        let changes: Vec<Value> = changes
            .into_iter()
            .map(|(path, list)| json!({ "artifactLocation": self.artifact(&path), "replacements": list }))
            .collect();
        (!changes.is_empty()).then(|| json!({ "description": { "text": fix.title }, "artifactChanges": changes }))
    }

    fn result(&self, d: &Diagnostic, fingerprint: &str, rule_index: usize, by: Option<&Suppression>) -> Value {
        let state = self.report.since.as_ref().map(|_| "new");
        self.result_in(d, fingerprint, rule_index, by, state)
    }

    /// `state`: the result's `baselineState`, where the run is held against an earlier one.
    fn result_in(
        &self,
        d: &Diagnostic,
        fingerprint: &str,
        rule_index: usize,
        by: Option<&Suppression>,
        state: Option<&str>,
    ) -> Value {
        let mut result = Map::new();
        result.insert("ruleId".into(), json!(d.rule.name));
        result.insert("ruleIndex".into(), json!(rule_index));
        result.insert("level".into(), json!(level(d.severity)));
        if let Some(state) = state {
            result.insert("baselineState".into(), json!(state));
        }
        result.insert("message".into(), json!({ "text": d.message }));
        // GitHub refuses a result without a location: what stands in no file is put at the start of its resource's.
        let anchor = [Some(d.primary.span), d.subject.as_ref().map(|s| s.span)];
        let mut location = anchor.into_iter().flatten().find_map(|s| self.location(s, "", true));
        if let (Some(location), Some(subject)) = (&mut location, &d.subject) {
            location["logicalLocations"] = json!([{
                "name": &*subject.address, "fullyQualifiedName": &*subject.address, "kind": "resource"
            }]);
        }
        result.insert("locations".into(), location.map_or_else(|| json!([]), |l| json!([l])));
        let mut related = self.labels(related(d));
        related.extend(d.callers.iter().filter_map(|s| self.location(*s, "the module is called here", false)));
        if !related.is_empty() {
            related.truncate(MAX_RELATED);
            for (id, location) in related.iter_mut().enumerate() {
                location["id"] = json!(id + 1);
                if location.get("message").is_none() {
                    location["message"] = json!({ "text": "takes part in this finding" });
                }
            }
            // GitHub shows a related place only where the message links to it by its id.
            let links: Vec<String> = related
                .iter()
                .take(MAX_LINKS)
                .filter_map(|l| Some(format!("[{}]({})", link_text(l["message"]["text"].as_str()?), l["id"])))
                .collect();
            result.insert("message".into(), json!({ "text": format!("{}\nSee {}.", d.message, links.join(", ")) }));
            result.insert("relatedLocations".into(), related.into());
        }
        if let Some(flow) = self.flow(d) {
            result.insert("codeFlows".into(), json!([flow]));
        }
        if let Some(fix) = d.fix.as_ref().and_then(|f| self.fix(f)) {
            result.insert("fixes".into(), json!([fix]));
        }
        result.insert(
            "partialFingerprints".into(),
            json!({ "primaryLocationLineHash": fingerprint, "stacklint/v1": d.fingerprint }),
        );
        if let Some(by) = by {
            let kind = if by.kind == SuppressionKind::InSource { "inSource" } else { "external" };
            let mut suppression = json!({ "kind": kind, "status": "accepted" });
            if !by.reason.is_empty() {
                suppression["justification"] = json!(by.reason);
            }
            if let Some(location) = self.location(by.span, "", false) {
                suppression["location"] = location;
            }
            result.insert("suppressions".into(), json!([suppression]));
        }
        let mut properties = json!({ "severity": d.severity.as_str() });
        if !d.occurrences.is_empty() {
            properties["occurrences"] = d.occurrences.iter().map(|o| json!(&*o.address)).collect();
        }
        result.insert("properties".into(), properties);
        result.into()
    }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

/// GitHub's number for a severity: above 9.0 critical, from 7.0 high, from 4.0 medium, above 0 low. Only what is about
/// security gets one, since GitHub makes a security alert of every rule that has it.
fn security_severity(severity: Severity, category: Category) -> Option<&'static str> {
    if matches!(category, Category::Reliability | Category::Hygiene) {
        return None;
    }
    match severity {
        Severity::Critical => Some("9.5"),
        Severity::High => Some("8.0"),
        Severity::Medium => Some("5.5"),
        Severity::Low => Some("3.0"),
        Severity::Info => None,
    }
}

/// The words of a link in a message, in which brackets and backslashes are escaped (SARIF 2.1.0, 3.11.6).
fn link_text(words: &str) -> String {
    one_line(words).replace('\\', "\\\\").replace('[', "\\[").replace(']', "\\]")
}

fn clip(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    text.chars().take(limit - 1).chain(['…']).collect()
}

/// `AwsS3BucketPublicAcl`: SARIF wants rule names in Pascal case.
fn pascal(name: &str) -> String {
    name.split(|c: char| !c.is_alphanumeric())
        .flat_map(|word| {
            let mut chars = word.chars();
            chars.next().into_iter().flat_map(char::to_uppercase).chain(chars).collect::<Vec<char>>()
        })
        .collect()
}

fn rule(rule: &Rule) -> Value {
    let mut text = format!("{}\n\n{}", rule.why.trim(), rule.remediation.trim());
    let mut markdown = format!("{}\n\n**What to do**\n\n{}\n", rule.why.trim(), rule.remediation.trim());
    let links: Vec<&String> = rule.references.iter().collect();
    if !links.is_empty() {
        text.push_str("\n\nReferences:");
        markdown.push_str("\n**References**\n");
        for link in links {
            text.push_str(&format!("\n- {link}"));
            markdown.push_str(&format!("\n- <{link}>"));
        }
        markdown.push('\n');
    }
    let security = security_severity(rule.severity, rule.category);
    // The category comes first, since GitHub keeps ten tags; its own word for what goes to the security view as well.
    let tags: Vec<&str> = security
        .map(|_| "security")
        .into_iter()
        .chain([rule.category.as_str()])
        .chain(rule.tags.iter().map(String::as_str))
        .chain(rule.aliases.iter().map(String::as_str))
        .take(MAX_TAGS)
        .collect();
    let mut properties = json!({ "tags": tags, "precision": "high", "problem.severity": match rule.severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "recommendation",
    } });
    if let Some(number) = security {
        properties["security-severity"] = json!(number);
    }
    let why = one_line(&rule.why);
    let mut value = json!({
        "id": rule.name,
        "name": pascal(&rule.name),
        "shortDescription": { "text": clip(&one_line(&rule.title), MAX_DESCRIPTION) },
        "fullDescription": { "text": clip(if why.is_empty() { &rule.title } else { &why }, MAX_DESCRIPTION) },
        "help": { "text": text.trim(), "markdown": markdown.trim() },
        "defaultConfiguration": { "level": level(rule.severity) },
        "properties": properties,
    });
    if !rule.url.is_empty() {
        value["helpUri"] = json!(rule.url);
    }
    value
}

/// Writes one run.
pub fn render(report: &Report, options: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    let suppressed = if options.show_suppressed { report.suppressed.as_slice() } else { &[] };
    let all = report.diagnostics.iter().chain(suppressed.iter().map(|s| &s.diagnostic));
    let since = report.since.as_deref();
    let before = since.filter(|_| options.show_unchanged);
    let (unchanged, fixed) = before.map_or((&[][..], &[][..]), |s| (s.unchanged.as_slice(), s.fixed()));
    let all = all.chain(unchanged).chain(fixed);
    let secrets = Secrets::of_report(report);
    let cx = Cx { report, options, secrets };

    let mut rules: Vec<Value> = Vec::new();
    let mut index: FastMap<&str, usize> = FastMap::default();
    for d in all {
        index.entry(&d.rule.name).or_insert_with(|| {
            rules.push(rule(&d.rule));
            rules.len() - 1
        });
    }

    // The worst survive where GitHub would refuse all of them.
    let fingerprints = unique_fingerprints(&report.diagnostics);
    let mut order: Vec<usize> = (0..report.diagnostics.len()).collect();
    let mut notifications = notifications(&cx);
    if order.len() > MAX_RESULTS {
        order.sort_by_key(|&i| std::cmp::Reverse(report.diagnostics[i].severity));
        order.truncate(MAX_RESULTS);
        order.sort_unstable();
        notifications.push(json!({
            "level": "warning",
            "message": { "text": format!(
                "{} findings are more than GitHub takes in one run; the {MAX_RESULTS} worst are here.",
                report.diagnostics.len()
            ) }
        }));
    }

    let driver =
        json!({ "name": TOOL, "informationUri": HOME, "version": VERSION, "semanticVersion": VERSION, "rules": rules });
    let category = options.category.as_deref().unwrap_or(TOOL).trim_end_matches('/');
    let invocation = json!({
        "executionSuccessful": report.failures.is_empty(),
        "toolExecutionNotifications": notifications,
    });

    out.write_all(b"{\"$schema\": \"https://json.schemastore.org/sarif-2.1.0.json\", \"version\": \"2.1.0\", \"runs\": [{\n\"tool\": ")?;
    wire::write(&json!({ "driver": driver }), out)?;
    out.write_all(b",\n\"automationDetails\": ")?;
    wire::write(&json!({ "id": format!("{category}/") }), out)?;
    out.write_all(b",\n\"columnKind\": \"utf16CodeUnits\",\n\"originalUriBaseIds\": ")?;
    wire::write(&json!({ "%SRCROOT%": { "description": { "text": "The root of the repository." } } }), out)?;
    out.write_all(b",\n\"invocations\": ")?;
    wire::write(&json!([invocation]), out)?;
    out.write_all(b",\n\"results\": ")?;
    let number = |d: &Diagnostic| index.get(d.rule.name.as_str()).copied().unwrap_or(0);
    let shown = order.iter().filter_map(|&i| {
        let d = report.diagnostics.get(i)?;
        Some(cx.result(d, fingerprints.get(i)?, number(d), None))
    });
    let hidden = suppressed
        .iter()
        .take(MAX_RESULTS.saturating_sub(order.len()))
        .map(|s| cx.result(&s.diagnostic, &s.diagnostic.fingerprint, number(&s.diagnostic), Some(&s.by)));
    let room = MAX_RESULTS.saturating_sub(order.len());
    let unchanged =
        unchanged.iter().take(room).map(|d| cx.result_in(d, &d.fingerprint, number(d), None, Some("unchanged")));
    // What is gone stands in the files of before.
    let past = before.map(|s| Cx { report: &s.base, options, secrets: Secrets::of(s.secrets_before.iter().copied()) });
    let absent = past.iter().flat_map(|cx| {
        let results = fixed.iter().take(room).map(|d| cx.result_in(d, &d.fingerprint, number(d), None, Some("absent")));
        results.collect::<Vec<_>>()
    });
    wire::write_lines(shown.chain(hidden).chain(unchanged).chain(absent).take(MAX_RESULTS), out)?;
    if let Some(since) = since {
        out.write_all(b",\n\"properties\": ")?;
        wire::write(
            &json!({ "since": {
                "ref": since.reference,
                "commit": since.commit,
                "introduced": report.diagnostics.len(),
                "fixed": since.fixed().len(),
                "unchanged": since.unchanged.len(),
            } }),
            out,
        )?;
    }
    out.write_all(b"\n}]}\n")
}

/// What could not be read, as notifications of the run.
fn notifications(cx: &Cx<'_>) -> Vec<Value> {
    let mut all: Vec<Value> = troubles(cx.report)
        .iter()
        .map(|t| {
            let mut text = t.message.clone().into_owned();
            if let Some(help) = t.help {
                text.push_str(&format!(" ({help})"));
            }
            let mut value = json!({
                "level": if t.internal { "error" } else { "warning" },
                "message": { "text": text },
            });
            let location = match (t.span.and_then(|s| cx.location(s, "", false)), t.path) {
                (Some(location), _) => Some(location),
                (None, Some(path)) => Some(json!({ "physicalLocation": { "artifactLocation": cx.artifact(path) } })),
                (None, None) => None,
            };
            if let Some(location) = location {
                value["locations"] = json!([location]);
            }
            value
        })
        .collect();
    if !cx.report.unknowns.is_empty() {
        let mut causes: Vec<&str> = cx.report.unknowns.iter().map(|u| json::cause_word(u.cause)).collect();
        causes.sort_unstable();
        causes.dedup();
        all.push(json!({
            "level": "note",
            "message": { "text": format!(
                "{} answers are unknown, for values that are not known ({}).", cx.report.unknowns.len(), causes.join(", ")
            ) }
        }));
    }
    all
}
