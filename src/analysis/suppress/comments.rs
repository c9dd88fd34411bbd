//! Ignore comments of every form, from the text of a comment.

use super::{Ignore, Matcher, Reach, Target};
use crate::analysis::Date;
use crate::base::{SourceFile, Span};
use crate::config::Selector;
use crate::syntax::Comment;

/// Reads the directives in a comment; most comments hold none.
pub(super) fn read(file: &SourceFile, format: &str, comment: &Comment, out: &mut Vec<Ignore>) {
    let text = file.slice(comment.span);
    if !["ignore", "skip", "-scan", "stacklint:"].iter().any(|word| text.contains(word)) {
        return;
    }
    let reader = Reader { file, format, comment, text };
    reader.own(out);
    reader.checkov(out);
    for prefix in ["trivy:ignore:", "tfsec:ignore:"] {
        reader.trivy(prefix, out);
    }
    reader.terrascan(out);
    reader.kics(out);
    if format == "dockerfile" {
        reader.hadolint(out);
    }
}

struct Reader<'a> {
    file: &'a SourceFile,
    format: &'a str,
    comment: &'a Comment,
    text: &'a str,
}

impl<'a> Reader<'a> {
    /// The place of a part of the comment's text.
    fn span(&self, part: &str) -> Span {
        let offset = (part.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
        let start = self.comment.span.start as usize + offset;
        Span::new(self.comment.span.file, start..start + part.len())
    }

    fn ignore(&self, targets: Vec<Target>, reach: Reach, reason: &str) -> Ignore {
        Ignore {
            span: self.comment.span,
            targets,
            reach,
            reason: reason.trim().trim_end_matches("*/").trim_end().to_owned(),
            until: None,
            attributes: Vec::new(),
            workspace: None,
            own: false,
            malformed: None,
            own_line: self.comment.own_line,
        }
    }

    fn aliases(&self, peer: &'static str, ids: &'a str) -> Vec<Target> {
        ids.split(',')
            .map(str::trim)
            .filter(|id| !id.is_empty())
            .map(|id| Target { matcher: Matcher::Alias { peer, id: id.to_owned() }, span: self.span(id) })
            .collect()
    }

    /// The comment without its signs and the white space around it.
    fn body(&self) -> &'a str {
        self.text.trim_start_matches(['#', '/', '*', ';']).trim_end_matches("*/").trim()
    }

    /// `# stacklint: ignore[name, other-name] reason until=2027-01-31`; `ignore-file[…]` for the whole file.
    fn own(&self, out: &mut Vec<Ignore>) {
        for (at, word) in self.text.match_indices("stacklint:") {
            let rest = &self.text[at + word.len()..];
            let directive = rest.trim_start();
            let verb: &str = directive.split(|c: char| c == '[' || c.is_whitespace()).next().unwrap_or("");
            let reach = match verb {
                "ignore" => Reach::Place,
                "ignore-file" => Reach::File,
                // Prose may mention the program; what looks like a directive is held to be one.
                _ if verb.starts_with("ignore") || verb.starts_with("disable") => {
                    self.malformed(verb, &format!("`{verb}` is no directive; write `ignore[policy-name]`"), out);
                    continue;
                }
                _ => continue,
            };
            let after = directive[verb.len()..].trim_start();
            let Some((list, tail)) = after.strip_prefix('[').and_then(|a| a.split_once(']')) else {
                self.malformed(verb, "name the policies to ignore in brackets: `ignore[policy-name]`", out);
                continue;
            };
            let mut ignore = self.ignore(Vec::new(), reach, "");
            ignore.own = true;
            for name in list.split(',').map(str::trim).filter(|n| !n.is_empty()) {
                match Selector::parse(name) {
                    Ok(selector) => {
                        ignore.targets.push(Target { matcher: Matcher::Selector(selector), span: self.span(name) })
                    }
                    Err(error) => {
                        ignore.malformed = Some((self.span(name), format!("{error}: {}", error.help)));
                    }
                }
            }
            if ignore.targets.is_empty() && ignore.malformed.is_none() {
                ignore.malformed =
                    Some((self.span(verb), "no policy is named; write `ignore[policy-name]`".to_owned()));
            }
            let tail = tail.split("stacklint:").next().unwrap_or("");
            let mut reason: Vec<&str> = Vec::new();
            for part in tail.trim_end_matches("*/").split_whitespace() {
                match part.strip_prefix("until=") {
                    Some(date) => match Date::parse(date) {
                        Some(day) => ignore.until = Some((day, self.span(part))),
                        None => {
                            let message = format!("`{date}` is no date; write `until=2027-01-31`");
                            ignore.malformed = Some((self.span(date), message));
                        }
                    },
                    None => reason.push(part),
                }
            }
            ignore.reason = reason.join(" ");
            out.push(ignore);
        }
    }

    fn malformed(&self, part: &str, message: &str, out: &mut Vec<Ignore>) {
        let mut ignore = self.ignore(Vec::new(), Reach::Place, "");
        ignore.own = true;
        ignore.malformed = Some((self.span(part), message.to_owned()));
        out.push(ignore);
    }

    /// `checkov:skip=ID,ID:reason`, also `bridgecrew:` and `cortex:`, inside the block; anywhere in a Dockerfile.
    fn checkov(&self, out: &mut Vec<Ignore>) {
        for prefix in ["checkov:skip=", "bridgecrew:skip=", "cortex:skip="] {
            for (at, _) in self.text.match_indices(prefix) {
                let rest = self.text[at + prefix.len()..].trim_start();
                let end = rest
                    .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ',' | '*')))
                    .unwrap_or(rest.len());
                let (ids, reason) = rest.split_at(end);
                let reason = reason.trim_start_matches([':', ' ']);
                let (secrets, others): (Vec<Target>, Vec<Target>) = self
                    .aliases("checkov", ids)
                    .into_iter()
                    .partition(|t| matches!(&t.matcher, Matcher::Alias { id, .. } if id.starts_with("CKV_SECRET")));
                if !secrets.is_empty() {
                    out.push(self.ignore(secrets, Reach::Around, reason));
                }
                if !others.is_empty() {
                    let reach = if self.format == "dockerfile" { Reach::File } else { Reach::Inside };
                    out.push(self.ignore(others, reach, reason));
                }
            }
        }
    }

    /// `trivy:ignore:ID[attr=val,a.b=val]:exp:2027-01-31:ws:NAME`, several separated by spaces.
    fn trivy(&self, prefix: &str, out: &mut Vec<Ignore>) {
        for (at, _) in self.text.match_indices(prefix) {
            let rest = &self.text[at + prefix.len()..];
            let end = rest.find(|c: char| c == '[' || c == ':' || c.is_whitespace()).unwrap_or(rest.len());
            let (id, mut rest) = rest.split_at(end);
            if id.is_empty() {
                continue;
            }
            let matcher = Matcher::Alias { peer: "trivy", id: id.to_owned() };
            let mut ignore = self.ignore(vec![Target { matcher, span: self.span(id) }], Reach::Place, "");
            if let Some((list, tail)) = rest.strip_prefix('[').and_then(|r| r.split_once(']')) {
                ignore.attributes = list
                    .split(',')
                    .filter_map(|pair| pair.split_once('='))
                    .map(|(name, value)| (name.trim().to_owned(), value.trim().trim_matches('"').to_owned()))
                    .collect();
                rest = tail;
            }
            let options = rest.split(char::is_whitespace).next().unwrap_or("");
            let mut parts = options.split(':').skip(1);
            while let (Some(name), Some(value)) = (parts.next(), parts.next()) {
                match name {
                    "exp" => ignore.until = Date::parse(value).map(|day| (day, self.span(value))),
                    "ws" => ignore.workspace = Some(value.to_owned()),
                    _ => {}
                }
            }
            ignore.reason = rest[options.len()..].trim().trim_end_matches("*/").trim_end().to_owned();
            if ignore.reason.starts_with("trivy:") || ignore.reason.starts_with("tfsec:") {
                ignore.reason.clear();
            }
            out.push(ignore);
        }
    }

    /// `ts:skip=ID reason` inside the block.
    fn terrascan(&self, out: &mut Vec<Ignore>) {
        for (at, prefix) in self.text.match_indices("ts:skip=") {
            let rest = self.text[at + prefix.len()..].trim_start();
            let (ids, reason) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            out.push(self.ignore(self.aliases("terrascan", ids), Reach::Inside, reason));
        }
    }

    /// `kics-scan ignore`, `enable=`, `disable=` before anything else in the file; `ignore-line` and `ignore-block`.
    fn kics(&self, out: &mut Vec<Ignore>) {
        let body = self.body();
        let Some(rest) = body.strip_prefix("kics-scan").or_else(|| body.strip_prefix("dd-iac-scan")) else { return };
        let rest = rest.trim();
        let all_but = |ids: &'a str| {
            let ids: Vec<String> = ids.split(',').map(|id| id.trim().to_owned()).filter(|id| !id.is_empty()).collect();
            vec![Target { matcher: Matcher::AllBut { peer: "kics", ids }, span: self.span(rest) }]
        };
        let ignore = if rest == "ignore-line" {
            self.ignore(all_but(""), Reach::Line, "")
        } else if rest == "ignore-block" {
            self.ignore(all_but(""), Reach::NextBlock, "")
        } else if !self.is_head() {
            return;
        } else if rest == "ignore" {
            self.ignore(all_but(""), Reach::File, "")
        } else if let Some(ids) = rest.strip_prefix("disable=") {
            self.ignore(self.aliases("kics", ids), Reach::File, "")
        } else if let Some(ids) = rest.strip_prefix("enable=") {
            self.ignore(all_but(ids), Reach::File, "")
        } else {
            return;
        };
        out.push(ignore);
    }

    /// Whether nothing but comments and empty lines stands before this comment.
    fn is_head(&self) -> bool {
        let before = self.file.text.get(..self.comment.span.start as usize).unwrap_or("");
        before.lines().all(|line| {
            let line = line.trim_start_matches('\u{feff}').trim();
            line.is_empty() || line == "---" || line.starts_with(['#', ';']) || line.starts_with("//")
        })
    }

    /// `hadolint ignore=DL3001,SC1081` before an instruction, `stage ignore=` before a stage, `global ignore=`.
    fn hadolint(&self, out: &mut Vec<Ignore>) {
        let Some(rest) = self.body().strip_prefix("hadolint") else { return };
        let rest = rest.trim_start();
        let (scope, rest) = match rest.split_once(char::is_whitespace) {
            Some((word @ ("global" | "stage"), rest)) => (word, rest.trim_start()),
            _ => ("", rest),
        };
        let Some(list) = rest.strip_prefix("ignore").map(str::trim_start).and_then(|r| r.strip_prefix('=')) else {
            return;
        };
        let (ids, reason) = list.split_once('#').unwrap_or((list, ""));
        // After the ids a reason may follow without a sign.
        let end =
            ids.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, ',' | ' ' | '\t'))).unwrap_or(ids.len());
        let targets: Vec<Target> = ids[..end]
            .split([',', ' ', '\t'])
            .filter(|id| !id.is_empty())
            .map(|id| Target { matcher: Matcher::Alias { peer: "hadolint", id: id.to_owned() }, span: self.span(id) })
            .collect();
        let reach = match scope {
            "global" => Reach::File,
            "stage" => Reach::Part(self.stage()),
            _ => Reach::NextBlock,
        };
        if !targets.is_empty() {
            out.push(self.ignore(targets, reach, reason));
        }
    }

    /// From this comment to the end of the stage that begins after it.
    fn stage(&self) -> Span {
        let start = self.comment.span.start as usize;
        let mut at = start;
        let mut stages = 0;
        for line in self.file.text.get(start..).unwrap_or("").split_inclusive('\n') {
            let word = line.split_whitespace().next().unwrap_or("");
            if word.eq_ignore_ascii_case("FROM") {
                stages += 1;
                if stages == 2 {
                    break;
                }
            }
            at += line.len();
        }
        Span::new(self.comment.span.file, start..at)
    }
}
