//! Holds our HCL parser against hcl-edit, the parser of hcl-rs: on what both accept they must see the same blocks, labels,
//! attributes and spans.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may stop at the first surprise")]

use hcl_edit::Span as _;
use hcl_edit::structure::{Body, Structure};
use pretty_assertions::assert_eq;
use proptest::prelude::*;
use stacklint::base::FileId;
use stacklint::syntax::hcl::{self, tree};

/// The shape of a body: one line an attribute or block, with the text that each attribute's value spans.
fn theirs(body: &Body, text: &str, depth: usize, out: &mut String) {
    for item in body {
        let indent = "  ".repeat(depth);
        match item {
            Structure::Attribute(a) => {
                let value = &text[a.value.span().unwrap()];
                out.push_str(&format!("{indent}{} = {}\n", a.key.as_str(), value.trim()));
            }
            Structure::Block(b) => {
                let labels: Vec<&str> = b.labels.iter().map(|l| l.as_str()).collect();
                out.push_str(&format!("{indent}{} {labels:?}\n", b.ident.as_str()));
                theirs(&b.body, text, depth + 1, out);
            }
        }
    }
}

fn ours(body: &tree::Body, text: &str, depth: usize, out: &mut String) {
    for item in &body.items {
        let indent = "  ".repeat(depth);
        match item {
            tree::Item::Attribute(a) => {
                let value = &text[a.value.span.range()];
                out.push_str(&format!("{indent}{} = {}\n", a.name.text, value.trim()));
            }
            tree::Item::Block(b) => {
                let labels: Vec<&str> = b.labels.iter().map(|l| &*l.text).collect();
                out.push_str(&format!("{indent}{} {labels:?}\n", b.kind.text));
                ours(&b.body, text, depth + 1, out);
            }
        }
    }
}

/// Compares where hcl-edit accepts the text; whether it did.
fn agree(text: &str) -> bool {
    let Ok(body) = hcl_edit::parser::parse_body(text) else { return false };
    let parsed = hcl::parse(text, FileId(0));
    assert!(parsed.errors.is_empty(), "hcl-edit accepts this, we say {:?}:\n{text}", parsed.errors);
    let (mut want, mut got) = (String::new(), String::new());
    theirs(&body, text, 0, &mut want);
    ours(&parsed.file.body, text, 0, &mut got);
    assert_eq!(got, want, "in:\n{text}");
    true
}

fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "[a-z][a-z0-9_]{0,5}",
        "-?[0-9]{1,4}(\\.[0-9]{1,3})?",
        "\"[a-z ./-]{0,8}\"",
        Just("true".to_owned()),
        Just("null".to_owned()),
        "\"[a-z]{0,3}\\$\\{[a-z]{1,3}\\.[a-z]{1,3}\\}[a-z]{0,3}\"",
    ];
    leaf.prop_recursive(4, 40, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|v| format!("[{}]", v.join(", "))),
            prop::collection::vec(("[a-z]{1,4}", inner.clone()), 0..3).prop_map(|v| {
                // hcl-edit refuses a key that stands twice; Terraform takes the last.
                let items: Vec<String> = v.into_iter().enumerate().map(|(i, (k, e))| format!("{k}{i} = {e}")).collect();
                format!("{{ {} }}", items.join(", "))
            }),
            (inner.clone(), inner.clone(), "==|\\+|-|\\*|&&|\\|\\|").prop_map(|(a, b, op)| format!("({a} {op} {b})")),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
            ("[a-z]{2,6}", prop::collection::vec(inner.clone(), 0..3))
                .prop_map(|(f, a)| format!("{f}({})", a.join(", "))),
            ("[a-z]{1,4}", inner.clone()).prop_map(|(v, e)| format!("[for {v}x in {e} : {v}x]")),
            "[a-z]{1,4}".prop_flat_map(move |v| inner.clone().prop_map(move |e| format!("{v}[{e}].name[*].id"))),
        ]
    })
}

fn body(depth: u32) -> BoxedStrategy<String> {
    let attribute = ("[a-z]{2,8}", expression()).prop_map(|(k, e)| format!("{k}_{} = {e}\n", k.len()));
    if depth == 0 {
        return prop::collection::vec(attribute, 0..3).prop_map(dedup).boxed();
    }
    let block = ("[a-z]{2,8}", prop::collection::vec("[a-z_]{1,6}", 0..3), body(depth - 1)).prop_map(
        |(kind, labels, inner)| {
            let labels: String = labels.iter().map(|l| format!(" \"{l}\"")).collect();
            format!("{kind}{labels} {{\n{inner}}}\n")
        },
    );
    (prop::collection::vec(attribute, 0..3), prop::collection::vec(block, 0..3))
        .prop_map(|(a, b)| dedup(a) + "# a comment\n" + &b.concat())
        .boxed()
}

/// An attribute may stand only once in a body.
fn dedup(mut attributes: Vec<String>) -> String {
    attributes.sort();
    attributes.dedup_by_key(|a| a.split(' ').next().unwrap().to_owned());
    attributes.concat()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn random_bodies_read_the_same(text in body(2)) {
        prop_assert!(agree(&text), "hcl-edit refuses what the generator makes:\n{}", text);
    }
}

#[test]
fn the_projects_own_stack_reads_the_same() {
    for path in ["main.tf", "variables.tf", "terraform.tfvars", "modules/database/main.tf"] {
        let full = format!("{}/testdata/shop/infra/{path}", env!("CARGO_MANIFEST_DIR"));
        assert!(agree(&std::fs::read_to_string(full).unwrap()), "{path}");
    }
}
