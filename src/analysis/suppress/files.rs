//! `.trivyignore` and `.trivyignore.yaml`.

use super::{Ignore, Matcher, Reach, Target};
use crate::analysis::Date;
use crate::base::{FileId, Span};
use crate::syntax::yaml;
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use std::sync::Arc;

/// Reads an ignore file. What cannot be read silences nothing.
pub(super) fn read(path: &str, text: &Arc<str>, add: &mut dyn FnMut(Ignore)) {
    if path.ends_with(".yaml") || path.ends_with(".yml") {
        structured(text, add);
    } else {
        lines(text, add);
    }
}

fn ignore(id: &str, until: Option<Date>, paths: Option<GlobSet>, reason: &str) -> Ignore {
    Ignore {
        span: Span::NONE,
        targets: vec![Target { matcher: Matcher::Alias { peer: "trivy", id: id.to_owned() }, span: Span::NONE }],
        reach: Reach::Everywhere(paths),
        reason: reason.to_owned(),
        until: until.map(|day| (day, Span::NONE)),
        attributes: Vec::new(),
        workspace: None,
        own: false,
        malformed: None,
        own_line: true,
    }
}

/// `ID exp:2027-01-31`, one a line; `#` begins a comment.
fn lines(text: &str, add: &mut dyn FnMut(Ignore)) {
    for line in text.lines() {
        let (code, comment) = line.split_once('#').unwrap_or((line, ""));
        let mut words = code.split_whitespace();
        let Some(id) = words.next() else { continue };
        let until = words.find_map(|w| w.strip_prefix("exp:")).and_then(Date::parse);
        add(ignore(id, until, None, comment.trim()));
    }
}

/// `misconfigurations: [{id, paths, expired_at, statement}]`.
fn structured(text: &Arc<str>, add: &mut dyn FnMut(Ignore)) {
    let tree = yaml::parse(FileId::NONE, text.clone());
    let Some(root) = tree.root() else { return };
    let Some(list) = root.get("misconfigurations") else { return };
    for item in list.items() {
        let Some(id) = item.get("id").and_then(|n| n.text()) else { continue };
        let until = item.get("expired_at").and_then(|n| n.text()).and_then(Date::parse);
        let statement = item.get("statement").and_then(|n| n.text()).unwrap_or("");
        let paths = item.get("paths").map(|paths| {
            let mut set = GlobSetBuilder::new();
            for glob in paths.items().filter_map(|n| n.text()) {
                for pattern in [glob.to_owned(), format!("{}/**", glob.trim_end_matches('/'))] {
                    if let Ok(glob) = GlobBuilder::new(&pattern).literal_separator(true).build() {
                        set.add(glob);
                    }
                }
            }
            set.build().unwrap_or_default()
        });
        add(ignore(id, until, paths, statement));
    }
}
