//! HCL, natively and from JSON: no panic, and every error lies inside the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stacklint::base::FileId;
use stacklint::syntax::hcl;

fuzz_target!(|text: &str| {
    let parsed = hcl::parse(text, FileId(0));
    let (_, json) = hcl::parse_json(text, FileId(0), hcl::JsonFile::Configuration, hcl::no_blocks);
    for error in parsed.errors.iter().chain(&json) {
        assert!(text.get(error.span.range()).is_some(), "{error:?}");
    }
    for comment in &parsed.comments {
        assert!(text.get(comment.span.range()).is_some(), "{comment:?}");
    }
    let _ = hcl::parse_expression(text, FileId(0));
    let _ = hcl::parse_template(text, FileId(0));
});
