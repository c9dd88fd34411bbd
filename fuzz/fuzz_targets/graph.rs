//! Files to a report, the whole way. A line `=== name` begins a file; what stands before the first one is `main.tf`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stacklint::analysis::{CancelToken, Change, Scope, Workspace};

fuzz_target!(|text: &str| {
    let mut files: Vec<(String, String)> = vec![("main.tf".to_owned(), String::new())];
    for line in text.split_inclusive('\n') {
        match line.strip_prefix("=== ") {
            Some(name) if files.len() < 6 => {
                let name: String = name.trim().chars().filter(|c| c.is_alphanumeric() || "./-_".contains(*c)).take(40).collect();
                files.push((name, String::new()));
            }
            _ => files.last_mut().into_iter().for_each(|f| f.1.push_str(line)),
        }
    }
    let mut workspace = Workspace::default();
    let set = files.into_iter().map(|(name, text)| (name, text.into())).collect();
    workspace.apply(Change { set, ..Change::default() });
    let report = workspace.snapshot().check(&Scope::All, &CancelToken::default()).expect("nobody cancels");
    assert!(report.failures.is_empty(), "{:?}", report.failures);
    for found in &report.diagnostics {
        let file = report.files.get(found.primary.span.file).expect("a finding stands in a file");
        assert!(file.text.get(found.primary.span.range()).is_some(), "{found:?}");
    }
});
