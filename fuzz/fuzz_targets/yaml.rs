//! YAML: no panic, and every node and error lies inside the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stacklint::base::FileId;
use stacklint::syntax::yaml;

fuzz_target!(|text: &str| {
    let tree = yaml::parse(FileId(0), text.into());
    for error in &tree.errors {
        assert!(text.get(error.span.range()).is_some(), "{error:?}");
    }
    for root in tree.roots() {
        assert!(text.get(root.span().range()).is_some());
    }
});
