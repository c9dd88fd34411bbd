#![allow(clippy::unwrap_used)]

use super::*;
use crate::base::FileId;

fn parse(text: &str) -> Tree {
    super::parse(FileId(0), text.into())
}

/// A node as JSON with the source of each scalar, to compare a whole tree in one line.
fn show(node: Node<'_>) -> String {
    match node.kind() {
        NodeKind::Missing => "?".into(),
        NodeKind::Scalar => format!("{:?}", node.text().unwrap()),
        NodeKind::Sequence => format!("[{}]", node.items().map(show).collect::<Vec<_>>().join(",")),
        NodeKind::Mapping => {
            let pairs = node.pairs().map(|(k, v)| format!("{}:{}", k.text().unwrap_or("?"), show(v)));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(","))
        }
    }
}

fn check(text: &str, expected: &str) {
    let tree = parse(text);
    let shown: Vec<String> = tree.roots().map(show).collect();
    assert_eq!(shown.join(" "), expected, "{text:?} {:?}", tree.errors);
}

/// The tree, and `start..end message` of each error.
fn check_errors(text: &str, expected: &str, errors: &[(&str, &str)]) {
    check(text, expected);
    let tree = parse(text);
    let found: Vec<(&str, &str)> =
        tree.errors.iter().map(|e| (text.get(e.span.range()).unwrap(), e.message.as_str())).collect();
    assert_eq!(found, errors, "{text:?}");
    assert!(tree.errors.iter().all(|e| e.help.is_some()));
}

#[test]
fn documents_collections_and_scalars() {
    check("a: 1\nb: [x, {c: 'd'}]\n", r#"{a:"1",b:["x",{c:"d"}]}"#);
    check("--- 1\n---\n---\n- 2\n...\n# end\n", r#""1" "" ["2"]"#);
    check("", "");
    check("# only a comment\n", "");
    check("a: |\n  x\n  y\nb: >-\n  x\n  y\n", r#"{a:"x\ny\n",b:"x y"}"#);
    check("a: |\n  x", r#"{a:"x"}"#);
    check("{\"a\": \"\\u00e9\\n\", \"b\": [1, null]}", r#"{a:"é\n",b:["1","null"]}"#);
    check("a:\n- b\n- c\nd:\n", r#"{a:["b","c"],d:""}"#);
    check("\u{feff}a: b\r\nc: d\r\n", r#"{a:"b",c:"d"}"#);
    check("? [x]\n: y\n", r#"{?:"y"}"#);
}

#[test]
fn every_node_knows_its_span() {
    let text =
        "# h\na:  &x 'q'  # c\nb:\n  c: |-\n    lit\n    eral\n\nd: [1, 2]\ne:\nf: *x\ng: !t {}\nh: !!str |2\n   x\n";
    let tree = parse(text);
    let root = tree.root().unwrap();
    let raw: Vec<(&str, &str)> = root.pairs().map(|(k, v)| (k.raw(), v.raw())).collect();
    assert_eq!(
        raw,
        [
            ("a", "'q'"),
            ("b", "c: |-\n    lit\n    eral"),
            ("d", "[1, 2]"),
            ("e", ""),
            ("f", "*x"),
            ("g", "{}"),
            ("h", "|2\n   x"),
        ]
    );
    assert_eq!(root.at(&["b", "c"]).unwrap().raw(), "|-\n    lit\n    eral");
    assert_eq!(root.get("e").unwrap().span().start as usize, text.find("e:").unwrap() + 2);
    assert_eq!(root.get("a").unwrap().anchor(), Some("x"));
    let alias = root.get("f").unwrap();
    assert_eq!((alias.text(), alias.is_alias(), alias.target().raw()), (Some("q"), true, "'q'"));
    assert_eq!(root.get("g").unwrap().tag(), Some("!t"));
    assert_eq!(root.get("h").unwrap().text(), Some(" x\n"));
    let comments: Vec<(&str, bool)> = tree.comments.iter().map(|c| (&text[c.span.range()], c.own_line)).collect();
    assert_eq!(comments, [("# h", true), ("# c", false)]);
}

#[test]
fn a_scalar_means_what_its_reader_says() {
    use Schema::{Kubernetes, Yaml12};
    let of = |text: &str, schema| {
        let tree = parse(text);
        match tree.root().unwrap().scalar(schema).unwrap() {
            Scalar::Float(n, _) => format!("{n}f"),
            other => format!("{other:?}"),
        }
    };
    for (text, kubernetes, yaml12) in [
        ("yes", "Bool(true)", "String(\"yes\")"),
        ("Off", "Bool(false)", "String(\"Off\")"),
        ("true", "Bool(true)", "Bool(true)"),
        ("tRue", "String(\"tRue\")", "String(\"tRue\")"),
        ("\"yes\"", "String(\"yes\")", "String(\"yes\")"),
        ("!!str 1", "String(\"1\")", "String(\"1\")"),
        ("~", "Null", "Null"),
        ("0644", "Int(420)", "Int(420)"),
        ("0o17", "Int(15)", "Int(15)"),
        ("0x1F", "Int(31)", "Int(31)"),
        ("1_000", "Int(1000)", "Int(1000)"),
        ("+5", "Int(5)", "Int(5)"),
        ("-", "[]", "[]"),
        ("12:30", "String(\"12:30\")", "String(\"12:30\")"),
        ("2001-01-01", "String(\"2001-01-01\")", "String(\"2001-01-01\")"),
        ("08", "8f", "8f"),
        ("1.50", "1.5f", "1.5f"),
        (".5e3", "500f", "500f"),
        ("1e6", "1000000f", "1000000f"),
        ("1.2.3", "String(\"1.2.3\")", "String(\"1.2.3\")"),
        ("1e", "String(\"1e\")", "String(\"1e\")"),
        ("9223372036854775807", "Int(9223372036854775807)", "Int(9223372036854775807)"),
        ("18446744073709551615", "18446744073709552000f", "18446744073709552000f"),
        ("-.inf", "-inff", "-inff"),
        (".", "String(\".\")", "String(\".\")"),
    ] {
        if kubernetes == "[]" {
            assert!(parse(text).root().unwrap().is_sequence());
            continue;
        }
        assert_eq!((of(text, Kubernetes).as_str(), of(text, Yaml12).as_str()), (kubernetes, yaml12), "{text}");
    }
    let tree = parse("y: 1\n8080: 2\n");
    let keys: Vec<String> =
        tree.root().unwrap().pairs().map(|(k, _)| k.key_text(Kubernetes).unwrap().into_owned()).collect();
    assert_eq!(keys, ["true", "8080"]);
}

#[test]
fn merge_keys_and_duplicates() {
    let text = "base: &b {x: 1, y: 2}\nm:\n  <<: *b\n  y: 3\n  z: 4\nn: {<<: [{x: 9}, *b], w: 0}\nx: 1\nx: 2\n";
    let tree = parse(text);
    let root = tree.root().unwrap();
    let entries = |name: &str| -> Vec<(String, String)> {
        let node = root.get(name).unwrap();
        node.entries().into_iter().map(|(k, v)| (k.text().unwrap().into(), v.text().unwrap().into())).collect()
    };
    let own = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
    };
    assert_eq!(entries("m"), own(&[("y", "3"), ("z", "4"), ("x", "1")]));
    assert_eq!(entries("n"), own(&[("w", "0"), ("x", "9"), ("y", "2")]));
    assert_eq!(root.at(&["m", "x"]).unwrap().text(), Some("1"));
    assert_eq!(root.at(&["n", "x"]).unwrap().text(), Some("9"));
    assert_eq!(root.get("x").unwrap().text(), Some("2"), "the last wins");
    assert_eq!(tree.duplicates.len(), 1);
    assert_eq!(
        (&*tree.duplicates[0].key, tree.duplicates[0].first.start as usize),
        ("x", text.find("\nx: 1").unwrap() + 1)
    );
    assert!(tree.errors.is_empty());
    let many: String = (0..40).map(|i| format!("k{}: {i}\n", i % 30)).collect();
    assert_eq!(parse(&many).duplicates.len(), 10);
    assert_eq!(parse(&many).root().unwrap().entries().len(), 30);
}

#[test]
fn errors_are_exact_and_the_rest_is_kept() {
    let gap = "a key of the mapping was expected here";
    check_errors("a: 1\n\tb: 2\nc: 3\n", r#"{a:"1",c:"3"}"#, &[("\t", "a tab cannot indent YAML")]);
    check_errors("a: [1, 2\nb: 3\n---\nc: 4\n", r#"{b:"3",a:?} {c:"4"}"#, &[("[", "`[` is never closed")]);
    check_errors("a: 'x\nb: 3\n", r#"{b:"3",a:?}"#, &[("'", "this quote is never closed")]);
    check_errors("a: 1\nimage\nb: 2\n", r#"{a:"1",b:"2",image:?}"#, &[("image", "this line has no `:` after its key")]);
    check_errors(
        "a:\n  image\n  b: 2\nc: 3\n",
        r#"{a:{b:"2",image:?},c:"3"}"#,
        &[(":", "a `:` that starts a value cannot stand here")],
    );
    check_errors("a: b: c\nd: 1\n", r#"{d:"1",a:?}"#, &[(":", "a `:` that starts a value cannot stand here")]);
    check_errors("a:\n  b: 1\n c: 2\nd: 3\n", r#"{a:{b:"1"},d:"3"}"#, &[("c:", gap)]);
    check_errors("a: *no\nb: 1\n", r#"{a:?,b:"1"}"#, &[("*no", "no anchor `&no` stands before this alias")]);
    check_errors("a: @x\nb: 1\n", r#"{b:"1",a:?}"#, &[("@x", "a value cannot start like this without quotes")]);
    let tree = parse("a: 1\n---\nb: [\n---\nc: 1\n");
    assert_eq!(tree.documents.iter().map(|d| d.broken).collect::<Vec<_>>(), [false, true, false]);
}

#[test]
fn templates_say_that_they_are_templates() {
    let tree = parse("a: {{ .Values.x }}\nb: 1\n{{- if .y }}\nc: 2\n{{- end }}\n");
    assert!(!tree.errors.is_empty());
    assert!(tree.errors[0].help.as_deref().unwrap().contains("template"));
    assert_eq!(tree.root().unwrap().get("c").and_then(Node::text), Some("2"));
}

#[test]
fn bombs_and_cycles_are_bounded() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for i in 1..30 {
        let previous = vec![format!("*a{}", i - 1); 10].join(", ");
        bomb.push_str(&format!("a{i}: &a{i} [{previous}]\n"));
    }
    fn size(node: Node<'_>) -> u64 {
        1 + node.items().map(size).sum::<u64>() + node.pairs().map(|(_, v)| size(v)).sum::<u64>()
    }
    let tree = parse(&bomb);
    assert!(tree.errors[0].message.contains("stand for more than"));
    assert!(size(tree.root().unwrap()) <= ALIAS_BUDGET + tree.len() as u64);

    let cycle = parse("a: &a [1, *a]\n");
    assert_eq!(cycle.errors.len(), 1);
    assert_eq!(show(cycle.root().unwrap()), r#"{a:["1",?]}"#);

    fn depth(node: Node<'_>) -> u32 {
        1 + node.items().map(depth).max().unwrap_or(0).max(node.pairs().map(|(_, v)| depth(v)).max().unwrap_or(0))
    }
    let deep: String = (0..20)
        .map(|i| {
            let inner = if i == 0 { "x".into() } else { format!("*d{}", i - 1) };
            format!("d{i}: &d{i} {}{inner}{}\n", "[".repeat(100), "]".repeat(100))
        })
        .collect();
    let tree = parse(&deep);
    assert!(tree.errors.iter().any(|e| e.message.contains("deeper")));
    assert!(depth(tree.root().unwrap()) <= DEPTH_LIMIT + 1);

    for open in ["[", "{a: ", "- ", "? "] {
        let tree = parse(&open.repeat(10_000));
        assert!(!tree.errors.is_empty(), "{open}");
    }
}

#[test]
fn spans_never_split_a_character() {
    fn walk(node: Node<'_>, text: &str) {
        assert!(text.get(node.span().range()).is_some(), "{node:?} of {text:?}");
        node.items().for_each(|item| walk(item, text));
        node.pairs().for_each(|(key, value)| [key, value].into_iter().for_each(|n| walk(n, text)));
    }
    for text in [
        "{{ .x }}- +\n   \n \n|+\n  \u{2028} \n {\n",
        "|\n  \u{2028}\n",
        "é: 'é\n",
        "a: [é\n b: 1\n",
        "\u{feff}é: é é: é\n",
    ] {
        let tree = parse(text);
        tree.roots().for_each(|root| walk(root, text));
        assert!(tree.errors.iter().all(|e| text.get(e.span.range()).is_some()), "{text:?}");
    }
}
