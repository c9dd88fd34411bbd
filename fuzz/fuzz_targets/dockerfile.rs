//! Dockerfiles with the shell inside them: no panic, and every error lies inside the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stacklint::base::FileId;
use stacklint::syntax::dockerfile;

fuzz_target!(|text: &str| {
    let parsed = dockerfile::parse(FileId(0), text);
    for error in &parsed.errors {
        assert!(text.get(error.span.range()).is_some(), "{error:?}");
    }
});
