//! Policies: whatever stands in a policy's file, compiling it ends without a panic, and every error has a place.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stacklint::base::Files;
use stacklint::policy::PolicySet;

fuzz_target!(|text: &str| {
    let mut files = Files::default();
    files.set("p.yaml", text.into());
    files.set("views/v.yaml", text.into());
    files.set("conditions/c.yaml", text.into());
    let (_, errors) = PolicySet::from_files(&files, "");
    for error in &errors {
        assert!(error.span.is_none() || text.get(error.span.range()).is_some(), "{error:?}");
    }
});
