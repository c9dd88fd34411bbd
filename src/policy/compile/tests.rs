//! What the compiler says of mistakes, and that it never falls over.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at the first surprise")]

use super::*;
use proptest::prelude::*;

const SOUND: &str = "name: p
title: t
severity: low
category: hygiene
resource: thing
for_each: $.r
deny: {path: $.a, equals: 1}
message: m
why: w
remediation: r
references: [https://example.org]
examples: {bad: [{dockerfile: x}], good: [{dockerfile: x}]}
";

fn folder(files: &[(&str, &str)]) -> Output {
    let mut set = Files::default();
    for (path, text) in files {
        set.set(path, (*text).into());
    }
    compile(&set, "", &Library::default())
}

/// Each error as `marked text: message (help)`.
fn errors(text: &str) -> Vec<String> {
    folder(&[("p.yaml", text)])
        .errors
        .iter()
        .map(|e| {
            let help = e.help.as_ref().map_or_else(String::new, |h| format!(" ({h})"));
            format!("{}: {}{help}", text.get(e.span.range()).unwrap_or("?"), e.message)
        })
        .collect()
}

/// Replaces the condition of the sound policy.
fn deny(condition: &str) -> Vec<String> {
    errors(&SOUND.replace("{path: $.a, equals: 1}", condition))
}

#[test]
fn a_sound_policy_has_no_errors() {
    assert_eq!(errors(SOUND), [""; 0]);
}

#[test]
fn mistakes_are_named_at_their_place_with_what_was_meant() {
    for (condition, expected) in [
        ("{path: $.a, equal: 1}", "equal: there is no condition `equal` (did you mean `equals`?)"),
        ("{path: $.a, exists: maybe}", "maybe: `exists` must be true or false, not text"),
        ("{path: $.a, in: x}", "x: `in` takes a list, not text (or one of {param: …}, {path: …}, {data: …})"),
        ("{path: $.a}", "$.a: no test stands beside this path (for example `equals: true` or `exists: true`)"),
        ("{equals: 1}", "equals: `equals` tests nothing: there is no `path` beside it (add `path: $.…`)"),
        (
            "{some: true}",
            "some: `some` belongs to nothing here (it stands beside `for_each`, or inside `related` or `resources`)",
        ),
        (
            "{path: $.a, matches: '(x'}",
            "'(x': the regular expression `(x` cannot be read: unclosed group (the syntax is RE2's: no look-around, no back-references)",
        ),
        ("{path: $.a, version: '>x'}", "'>x': `>x`: `x` is no version"),
        ("{path: $.a, cidr: {within: 10.0.0.0/40}}", "10.0.0.0/40: `10.0.0.0/40`: no address and no block"),
        ("{path: $.a, equals: {param: x}}", "x: the policy has no parameter `x` (declare it under `params`)"),
        ("{path: $.a, in: {data: x}}", "x: there is no table `x` (it would be the file data/x.yaml)"),
        ("{use: x}", "x: there is no condition `x` (it would be the file conditions/x.yaml)"),
        (
            "{path: $.a, equals: $.b}",
            "$.b: this compares with the text of a path (to compare with what a path selects write {path: $.b}; for the text itself {value: \"$.b\"})",
        ),
        (
            "{for_each: $.r, path: $.a, some: true}",
            ": `path` and `for_each` stand in one mapping (put the test and the `for_each` into an `all`)",
        ),
        ("{related: {kind: x, direktion: in}}", "direktion: `related` has no `direktion` (did you mean `direction`?)"),
        ("{path: $.a, quantifier: most, equals: 1}", "most: `most` is no quantifier (there are some, every, none)"),
        ("[]", "[]: a list of conditions has no parts"),
    ] {
        assert_eq!(deny(condition), [expected], "{condition}");
    }
}

#[test]
fn mistakes_in_paths_are_named_at_the_sign() {
    for (path, expected) in [
        ("a.b", "a: a path starts with `$` (the resource) or `@` (the node of a `for_each`)"),
        ("$.", "$.: expected a name; one with other signs is written ['like this']"),
        ("'$.a[x]'", "x: expected `*`, an index, a name in quotes, or a filter (`?…`)"),
        ("'$.a[0'", "'$.a[0': expected `]` after what stands in brackets"),
        (
            "$.a.jsn()",
            "jsn(: there is no function `jsn`: there are json, keys, quantity and split; did you mean `json`?",
        ),
        (
            "'@nobody.a'",
            "@nobody: nothing is named `nobody` here; `as:` beside a `for_each` or in a `related` gives a name",
        ),
        ("'$.a[?@.b = 1]'", "=: equality is written `==`"),
        ("'$.a[?1 == 1]'", "1 == 1: two constants are compared"),
        ("$.a b", "b: ` b` does not continue a path"),
    ] {
        let found = deny(&format!("{{path: {path}, equals: 1}}"));
        assert_eq!(found.len(), 1, "{path}: {found:?}");
        let said = found[0].split_once(": ").unwrap().1;
        assert_eq!(said, expected.split_once(": ").unwrap().1, "{path}");
    }
    let text = SOUND.replace("for_each: $.r\n", "").replace("path: $.a", "path: '@.a'");
    assert!(errors(&text)[0].contains("there is none here"));
}

#[test]
fn fields_are_checked() {
    for (from, to, expected) in [
        ("severity: low", "severity: lov", "lov: `lov` is no severity (did you mean `low`?)"),
        ("title: t\n", "", ": the policy has no `title`"),
        ("message: m", "mesage: m", "mesage: a policy has no `mesage` (did you mean `message`?)"),
        ("name: p", "name: q", "q: the name is not that of the file, `p` (name the file q.yaml, or the policy p)"),
        (
            "message: m",
            "message: 'a {vlaue}'",
            "vlaue: nothing fills in `{vlaue}` (there are {resource}, {kind}, {name}, {value}, {related}, {param.name} and paths such as {$.name})",
        ),
        (
            "message: m",
            "message: m\naliases: {checkhov: x}",
            "checkhov: `checkhov` is none of the tools whose ids are known (did you mean `checkov`?)",
        ),
        (
            "message: m",
            "message: m\nfix: {set: $.a, to: 1}",
            ": the fix does not say how safe it is (`safety: safe` changes nothing that a running system could miss; anything else is `safety: unsafe`)",
        ),
        ("message: m", "message: m\nmessage: n", "message: `message` stands twice"),
        (
            "bad: [{dockerfile: x}]",
            "bad: [{lines: [1]}]",
            ": the example has no text (there are `terraform`, `kubernetes`, `dockerfile` and `files`)",
        ),
    ] {
        let found = errors(&SOUND.replace(from, to));
        assert!(found.iter().any(|e| e == expected), "{to}: {found:?}");
    }
    assert!(errors("a: [").iter().all(|e| !e.is_empty()) && !errors("a: [").is_empty());
    assert_eq!(errors(""), ["?: the file is empty"].map(|e| e.replace('?', "")));
}

#[test]
fn shared_conditions_and_tables() {
    let uses = SOUND.replace("{path: $.a, equals: 1}", "{all: [{use: c}, {path: $.a, in: {data: t.x}}]}");
    let files =
        [("p.yaml", uses.as_str()), ("conditions/c.yaml", "{path: $.b, equals: 2}"), ("data/t.yaml", "x: [1, 2]")];
    let output = folder(&files);
    assert_eq!(output.errors, []);
    assert_eq!(output.policies.len(), 1);
    let circle = [("p.yaml", uses.as_str()), ("conditions/c.yaml", "{use: c}"), ("data/t.yaml", "x: [1]")];
    assert!(folder(&circle).errors.iter().any(|e| e.message == "the condition `c` uses itself"));
    let none = [("p.yaml", uses.as_str()), ("conditions/c.yaml", "true"), ("data/t.yaml", "y: [1]")];
    assert_eq!(folder(&none).errors[0].message, "the table `t` has no entry `x`");
}

#[test]
fn views_stand_behind_those_that_they_are_made_from() {
    let view = |name: &str, from: &str| format!("view: {name}\ndoc: d\nfrom: [{{resource: {from}, spread: $}}]");
    let (a, b) = (view("a", "b"), view("b", "thing"));
    let output = folder(&[("views/a.yaml", &a), ("views/b.yaml", &b)]);
    assert_eq!(output.errors, []);
    assert_eq!(output.library.views.iter().map(|v| v.name.as_str()).collect::<Vec<_>>(), ["b", "a"]);
    let circle = folder(&[("views/a.yaml", &a), ("views/b.yaml", &view("b", "a"))]);
    assert!(circle.errors[0].message.contains("made from each other"));
}

#[test]
fn deep_nesting_is_an_error() {
    let deep = format!("{}true{}", "{not: ".repeat(200), "}".repeat(200));
    assert!(deny(&deep).iter().any(|e| e.contains("nest")), "{:?}", deny(&deep));
    let path = format!("{{path: '$.a[?{}@.b{}]', equals: 1}}", "(".repeat(500), ")".repeat(500));
    assert!(deny(&path).iter().any(|e| e.contains("nest")));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever stands in a file, compiling it ends, with errors or without, and never with a panic.
    #[test]
    fn no_text_makes_the_compiler_fall_over(
        at in 0..SOUND.len(),
        length in 0_usize..40,
        words in prop::collection::vec(
            prop::sample::select(vec![
                "{", "}", "[", "]", ":", ", ", "\n", "- ", "'", "\"", "$", "@", ".", "..", "[?", "==", "&&", "(", ")", "path: ", "$.a",
                "equals: ", "in: ", "related: ", "kind: ", "for_each: ", "some: ", "not: ", "all: ", "ports: ", "cidr: ", "param", "data: ",
                "message: ", "{x", "&a ", "*a", "<<: ", "length: ", "version: ", "matches: ", "\\", "é", "1", "-1", "~", "true", "|\n  ",
            ]),
            0..12,
        ),
    ) {
        let end = (at + length).min(SOUND.len());
        let text = format!("{}{}{}", &SOUND[..at], words.concat(), &SOUND[end..]);
        let output = folder(&[("p.yaml", &text)]);
        prop_assert!(output.policies.len() <= 1);
        for error in &output.errors {
            prop_assert!(error.span.range().end <= text.len() || error.span.is_none(), "{error:?}");
        }
    }

    /// A path is read or refused, and what is read can be written down again as it was.
    #[test]
    fn no_text_makes_the_path_reader_fall_over(text in "[$@.\\[\\]?*'a-c0-9()&|!=<> ,:-]{0,40}") {
        let shared = Shared::default();
        let mut cx = Context::new(&shared);
        cx.nodes = true;
        if let Some(path) = cx.path_text(&text, |_| Span::NONE) {
            prop_assert_eq!(path.text, text);
        }
    }
}
