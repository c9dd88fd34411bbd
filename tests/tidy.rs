//! Holds the source to the house rules: imports point down only, files stay readable, the disk is read in one place.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may stop at the first surprise")]

use std::path::{Path, PathBuf};

/// Who may import whom. A module may always import itself; `*` is everything.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("diagnostic", &["base"]),
    ("syntax", &["base", "diagnostic"]),
    ("graph", &["base", "diagnostic"]),
    ("providers", &["base"]),
    ("formats", &["base", "diagnostic", "graph", "syntax", "providers"]),
    // The one exception of the house: the compiler of policies reads YAML through the one YAML parser.
    ("policy", &["base", "diagnostic", "graph", "providers", "syntax::yaml"]),
    ("config", &["base", "diagnostic"]),
    ("analysis", &["base", "diagnostic", "graph", "syntax", "formats", "policy", "config"]),
    ("load", &["base", "diagnostic", "formats", "config", "policy", "analysis"]),
    ("fix", &["base", "diagnostic", "graph", "syntax", "formats", "policy", "analysis"]),
    ("report", &["base", "diagnostic", "graph", "analysis"]),
    ("cli", &["*"]),
    ("lsp", &["*"]),
    ("bot", &["*"]),
];

/// No file may outgrow one head.
const MOST_LINES: usize = 900;

/// A source file: the module it belongs to, its path below `src`, its text.
struct Source {
    module: String,
    path: PathBuf,
    text: String,
}

fn sources() -> Vec<Source> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    walk(&src, &mut found);
    found.sort();
    found
        .into_iter()
        .map(|full| {
            let path = full.strip_prefix(&src).unwrap().to_path_buf();
            let first = path.components().next().unwrap().as_os_str().to_str().unwrap();
            let module = first.trim_end_matches(".rs").to_owned();
            Source { module, text: std::fs::read_to_string(&full).unwrap(), path }
        })
        .collect()
}

/// What stands behind each `crate::` of a text; a braced list gives each of its members.
fn imports(text: &str) -> Vec<String> {
    let code: String = text.lines().filter(|l| !l.trim_start().starts_with("//")).map(|l| format!("{l}\n")).collect();
    let mut found = Vec::new();
    for (i, _) in code.match_indices("crate::") {
        if code[..i].ends_with('$') {
            continue;
        }
        let rest = &code[i + "crate::".len()..];
        let Some(list) = rest.strip_prefix('{') else {
            found.push(rest.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | ':')).collect());
            continue;
        };
        let (mut depth, mut item) = (1, String::new());
        for c in list.chars() {
            depth += i32::from(c == '{') - i32::from(c == '}');
            if depth == 0 || (depth == 1 && c == ',') {
                found.push(std::mem::take(&mut item).trim().to_owned());
                if depth == 0 {
                    break;
                }
            } else {
                item.push(c);
            }
        }
    }
    found.retain(|f: &String| !f.is_empty());
    found
}

fn within(import: &str, module: &str) -> bool {
    module == "*" || import == module || import.starts_with(&format!("{module}::"))
}

#[test]
fn imports_point_down_only() {
    let mut wrong = Vec::new();
    for source in sources() {
        if matches!(source.module.as_str(), "main" | "lib") {
            continue;
        }
        let Some((_, allowed)) = MAY_IMPORT.iter().find(|(m, _)| *m == source.module) else {
            wrong.push(format!("{}: the module `{}` has no row in the table", source.path.display(), source.module));
            continue;
        };
        for import in imports(&source.text) {
            if !within(&import, &source.module) && !allowed.iter().any(|a| within(&import, a)) {
                wrong.push(format!("{}: `{}` may not import `crate::{import}`", source.path.display(), source.module));
            }
        }
    }
    assert!(wrong.is_empty(), "imports must point down:\n{}", wrong.join("\n"));
}

#[test]
fn files_stay_at_a_size_one_can_hold_in_the_head() {
    let long: Vec<String> = sources()
        .into_iter()
        .map(|s| (s.path, s.text.lines().count()))
        .filter(|(_, lines)| *lines > MOST_LINES)
        .map(|(path, lines)| format!("{}: {lines} lines", path.display()))
        .collect();
    assert!(long.is_empty(), "split these:\n{}", long.join("\n"));
}

#[test]
fn every_module_says_what_it_is_for() {
    let silent: Vec<String> = sources()
        .into_iter()
        .filter(|s| !s.text.trim_start().starts_with("//!") && !s.path.ends_with("tests.rs"))
        .map(|s| s.path.display().to_string())
        .collect();
    assert!(silent.is_empty(), "open these with a `//!` line:\n{}", silent.join("\n"));
}

#[test]
fn only_load_and_fix_touch_the_disk() {
    let mut wrong = Vec::new();
    for source in sources().into_iter().filter(|s| !matches!(s.module.as_str(), "load" | "fix")) {
        if source.path.ends_with("tests.rs") {
            continue;
        }
        let code = source.text.lines().enumerate().take_while(|(_, l)| !l.contains("#[cfg(test)]"));
        for (i, line) in code.filter(|(_, l)| !l.trim_start().starts_with("//")) {
            if ["std::fs", "File::open", "tokio::fs"].iter().any(|w| line.contains(w)) {
                wrong.push(format!("{}:{}: {}", source.path.display(), i + 1, line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "only `load` and `fix` touch the disk:\n{}", wrong.join("\n"));
}
