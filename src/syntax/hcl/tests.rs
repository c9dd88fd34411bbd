#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::tree::*;
use super::*;
use pretty_assertions::assert_eq;
use std::fmt::Write;

/// An expression as nested prefix forms.
fn show(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Null => "null".into(),
        ExprKind::Bool(b) => b.to_string(),
        ExprKind::Number(n) => n.to_string(),
        ExprKind::String(s) => format!("{s:?}"),
        ExprKind::Template(t) => {
            let wrap = if t.passthrough { "wrap" } else { "tmpl" };
            format!("({wrap} {})", parts(&t.parts))
        }
        ExprKind::Tuple(items) => format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(" ")),
        ExprKind::Object(items) => {
            let items: Vec<String> = items
                .iter()
                .map(|i| match &i.key {
                    ObjectKey::Name(n) => format!("{}={}", n.text, show(&i.value)),
                    ObjectKey::Expr(e) => format!("<{}>={}", show(e), show(&i.value)),
                })
                .collect();
            format!("{{{}}}", items.join(" "))
        }
        ExprKind::For(f) => {
            let mut out = String::from("(for ");
            if let Some(k) = &f.key_var {
                write!(out, "{},", k.text).unwrap();
            }
            write!(out, "{} {}", f.value_var.text, show(&f.collection)).unwrap();
            if let Some(k) = &f.key {
                write!(out, " {} =>", show(k)).unwrap();
            }
            write!(out, " {}{}", show(&f.value), if f.grouped { "..." } else { "" }).unwrap();
            if let Some(c) = &f.condition {
                write!(out, " if {}", show(c)).unwrap();
            }
            out + ")"
        }
        ExprKind::Conditional(c) => format!("(? {} {} {})", show(&c.condition), show(&c.then), show(&c.otherwise)),
        ExprKind::Unary(op, e) => format!("({op:?} {})", show(e)),
        ExprKind::Binary(b) => format!("({:?} {} {})", b.op, show(&b.left), show(&b.right)),
        ExprKind::Call(c) => {
            let args: Vec<String> = c.args.iter().map(show).collect();
            format!("({} {}{})", c.name.text, args.join(" "), if c.expand { "..." } else { "" })
        }
        ExprKind::Variable(v) => v.to_string(),
        ExprKind::Traversal(t) => format!("{}{}", show(&t.base), steps(&t.steps)),
        ExprKind::Parens(e) => format!("(paren {})", show(e)),
        ExprKind::Error(_) => "ERROR".into(),
    }
}

fn steps(steps: &[Step]) -> String {
    steps
        .iter()
        .map(|s| match &s.kind {
            StepKind::Attr(a) => format!(".{a}"),
            StepKind::Index(e) => format!("[{}]", show(e)),
            StepKind::Splat { full: true, each } => format!("[*]<{}>", self::steps(each)),
            StepKind::Splat { full: false, each } => format!(".*<{}>", self::steps(each)),
        })
        .collect()
}

fn parts(parts: &[Part]) -> String {
    let shown: Vec<String> = parts
        .iter()
        .map(|p| match p {
            Part::Literal(t, _) => format!("{t:?}"),
            Part::Interpolation(e) => show(e),
            Part::If(i) => {
                format!("(if {} then {} else {})", show(&i.condition), self::parts(&i.then), self::parts(&i.otherwise))
            }
            Part::For(f) => format!("(for {} in {} do {})", f.value.text, show(&f.collection), self::parts(&f.body)),
        })
        .collect();
    shown.join(" ")
}

fn body(body: &Body) -> String {
    let items: Vec<String> = body
        .items
        .iter()
        .map(|i| match i {
            Item::Attribute(a) => format!("{}={}", a.name.text, show(&a.value)),
            Item::Block(b) => {
                let labels: String = b.labels.iter().map(|l| format!(" {}", l.text)).collect();
                format!("{}{labels} {{ {} }}", b.kind.text, self::body(&b.body))
            }
        })
        .collect();
    items.join("; ")
}

#[track_caller]
fn check_expr(text: &str, expected: &str) {
    let parsed = parse(&format!("x = {text}\n"), FileId(0));
    assert_eq!(parsed.errors, [], "{text}");
    assert_eq!(show(&parsed.file.body.attribute("x").unwrap().value), expected, "{text}");
}

/// The tree of a text, then each error as the text of its span and its message.
#[track_caller]
fn check_broken(text: &str, expected: &str, errors: &[(&str, &str)]) {
    let parsed = parse(text, FileId(0));
    assert_eq!(body(&parsed.file.body), expected);
    let found: Vec<(&str, &str)> = parsed.errors.iter().map(|e| (&text[e.span.range()], e.message.as_str())).collect();
    assert_eq!(found, errors);
}

#[test]
fn operators_bind_as_in_hcl() {
    check_expr("1 + 2 * 3 - 4", "(Subtract (Add 1 (Multiply 2 3)) 4)");
    check_expr("-a.b + !c[0]", "(Add (Negate a.b) (Not c[0]))");
    check_expr("a || b && c == d < e", "(Or a (And b (Equal c (Less d e))))");
    check_expr("a ? b : c ? d : e", "(? a b (? c d e))");
    check_expr("a-1 - 1", "(Subtract a-1 1)");
    check_expr("(\n  a ?\n  b :\n  c\n)", "(paren (? a b c))");
    check_expr("1.5e-3 % 2", "(Modulo 1.5e-3 2)");
}

#[test]
fn steps_and_splats() {
    check_expr("a.b[c].0.d", "a.b[c][0].d");
    check_expr("a.*.b[0].c", "a.*<.b>[0].c");
    check_expr("a[*].b[0].c", "a[*]<.b[0].c>");
    check_expr("a[*].b[*].c", "a[*]<.b[*]<.c>>");
    check_expr("f(a, b...)[0]", "(f a b...)[0]");
    check_expr("provider::aws::arn_parse(a,)", "(provider::aws::arn_parse a)");
    check_expr("[for k, v in m : \"${k}\" if v > 0]", "(for k,v m (wrap k) if (Greater v 0))");
    check_expr("{for v in m : v => 1...}", "(for v m v => 1...)");
}

#[test]
fn objects_and_lists() {
    check_expr("{ a = 1, \"b.c\" : 2\n (d) = 3\n null = 4 }", "{a=1 <\"b.c\">=2 <(paren d)>=3 null=4}");
    check_expr("[\n  1, # one\n  2,\n]", "[1 2]");
    check_expr("{\n a = { b = [\n 1 ] } /* x */\n\n}", "{a={b=[1]}}");
}

#[test]
fn quoted_templates() {
    check_expr(r#""a\n\"\u00e9\\$${x}%%{y}$5 100%""#, r#""a\n\"é\\${x}%{y}$5 100%""#);
    check_expr(r#""${a}""#, "(wrap a)");
    check_expr(r#""${a}-${"b${c}"}""#, r#"(tmpl a "-" (tmpl "b" c))"#);
    check_expr(r#""x  ${~ a ~}  y""#, r#"(tmpl "x" a "y")"#);
    check_expr(r#""%{ if a }b%{ else }c%{ endif }""#, r#"(tmpl (if a then "b" else "c"))"#);
    check_expr(r#""%{ for x in a ~} ${x}, %{ endfor }""#, r#"(tmpl (for x in a do "" x ", "))"#);
    check_expr(r#""${a ~} ""#, r#"(tmpl a "")"#);
}

#[test]
fn heredocs() {
    check_expr("<<EOT\na\n  ${b}\nEOT", r#"(tmpl "a\n  " b "\n")"#);
    check_expr("<<-EOT\n    a\n\n      b\n    EOT", r#""a\n\n  b\n""#);
    check_expr(
        "<<-EOT\n    ${a}\n  %{ if b ~}\n    c\n  %{ endif ~}\n  EOT",
        "(tmpl \"  \" a \"\\n\" (if b then \"    c\\n\" else ) \"\")",
    );
    check_expr("[<<A\nx\nA\n, <<B\n${f(<<C\ny\nC\n)}\nB\n]", r#"["x\n" (tmpl (f "y\n") "\n")]"#);
    check_expr("<<EOT\r\na\r\nEOT", r#""a\r\n""#);
    // A line that only contains the marker among other text does not end it.
    check_expr("<<EOT\nEOT x\n${1} EOT\nEOT", r#"(tmpl "EOT x\n" 1 " EOT\n")"#);
}

#[test]
fn what_terraform_accepts_is_no_error() {
    check_broken("\u{feff}a = 1\r\nb {\r\n}\r\n", "a=1; b {  }", &[]);
    check_broken("b \"x\" y { c = 1 }", "b x y { c=1 }", &[]);
    check_broken("a = 1 # c\n// d\n/* e */ b = 2", "a=1; b=2", &[]);
}

#[test]
fn a_broken_expression_costs_itself_alone() {
    check_broken(
        "a = 1 +\nb = [1, 2\nc = 3\nd { e = \"x\n f = 2\n}\ng = 4\n",
        "a=ERROR; b=ERROR; c=3; d { e=ERROR; f=2 }; g=4",
        &[
            ("", "expected a value, found the end of the line"),
            ("c", "expected `,` or `]`, found `c`"),
            ("\"x", "this string is not closed on its line"),
        ],
    );
    check_broken("a = 1 2\nb = 3", "a=ERROR; b=3", &[("2", "expected the end of the line, found `2`")]);
    check_broken("a = <<EOT\nx\nb = 1\n", "a=ERROR; b=1", &[("<<EOT", "this heredoc has no closing `EOT`")]);
    check_broken("a = 1\na = 2\n", "a=1", &[("a", "`a` is already set in this block")]);
    check_broken("\"a\" = 1\nb = 2", "b=2", &[("\"", "expected an argument or a block, found `\"`")]);
}

#[test]
fn an_unclosed_block_leaves_the_others_intact() {
    check_broken(
        "resource \"a\" \"b\" {\n  x = 1\n  n {\n    y = 2\n\nresource \"c\" \"d\" {\n  z = 1\n}\n",
        "resource a b { x=1; n { y=2 } }; resource c d { z=1 }",
        &[
            ("{", "the `resource` block that opens here is never closed"),
            ("{", "the `n` block that opens here is never closed"),
        ],
    );
    check_broken(
        "resource \"a\" \"b\" {\n  n {\n    y = 2\n}\n\nresource \"c\" \"d\" {}\n",
        "resource a b { n { y=2 } }; resource c d {  }",
        &[("{", "the `n` block that opens here is never closed")],
    );
    check_broken("a {\n}\n}\nb = 1\n", "a {  }; b=1", &[("}", "this brace closes nothing")]);
}

#[test]
fn nesting_is_bounded() {
    for (open, close) in [("[", "]"), ("(", ")"), ("{a=", "}"), ("\"${", "}\""), ("-", ""), ("f(", ")"), ("a[", "]")] {
        let text = format!("x = {}1{}\ny = 2\n", open.repeat(10_000), close.repeat(10_000));
        let parsed = parse(&text, FileId(0));
        assert_eq!(body(&parsed.file.body), "x=ERROR; y=2", "{open}");
        assert!(parsed.errors.iter().any(|e| e.message.contains("deeper than")), "{open} {:?}", parsed.errors);
    }
    let chain = format!("x = 1{}\ny = 2\n", " + 1".repeat(10_000));
    assert_eq!(body(&parse(&chain, FileId(0)).file.body), "x=ERROR; y=2");
    let blocks = format!("{}\n{}\n", "a {\n".repeat(10_000), "}\n".repeat(10_000));
    assert!(!parse(&blocks, FileId(0)).errors.is_empty());
    let conditionals = format!("x = {}1\n", "true ? 1 : ".repeat(10_000));
    assert_eq!(body(&parse(&conditionals, FileId(0)).file.body), "x=ERROR");
    let json = format!("{{\"locals\": {{\"a\": {}1{}}}}}", "[".repeat(10_000), "]".repeat(10_000));
    assert!(!parse_json(&json, FileId(0), JsonFile::Configuration, no_blocks).1.is_empty());
}

#[test]
fn spans_are_exact() {
    let text = "resource \"a\" \"b\" {\n  x = f(1) # c\n}\n";
    let parsed = parse(text, FileId(0));
    let block = parsed.file.body.blocks().next().unwrap();
    assert_eq!(&text[block.head.range()], "resource \"a\" \"b\"");
    assert_eq!(&text[block.span.range()], text.trim_end());
    assert_eq!(&text[block.labels[1].span.range()], "\"b\"");
    let x = block.body.attribute("x").unwrap();
    assert_eq!(&text[x.span.range()], "x = f(1)");
    assert_eq!(&text[x.value.span.range()], "f(1)");
    assert_eq!(&text[parsed.comments[0].span.range()], "# c");
    assert!(!parsed.comments[0].own_line);
}

#[test]
fn json_syntax_gives_the_same_tree() {
    let text = r#"{
  "//": "a comment",
  "variable": {"v": {"type": "list(string)", "default": ["${x}"]}},
  "resource": [{"aws_x": {"y": {
    "name": "é\n${var.v[0]}", "n": -1, "tags": {"${a}": true}, "depends_on": ["aws_z.w"],
    "rule": [{"a": 1}], "lifecycle": {"ignore_changes": ["tags"]}
  }}}],
  "locals": {"l": null}
}"#;
    let (file, errors) = parse_json(text, FileId(0), JsonFile::Configuration, no_blocks);
    assert_eq!(errors, []);
    let expected = "variable v { type=(list string); default=[\"${x}\"] }; \
        resource aws_x y { name=(tmpl \"é\\n\" var.v[0]); n=(Negate 1); tags={<(wrap a)>=true}; depends_on=[aws_z.w]; \
        rule=[{<\"a\">=1}]; lifecycle { ignore_changes=[tags] } }; locals { l=null }";
    // A variable's default is evaluated without a scope, which makes its strings literal.
    assert_eq!(body(&file.body), expected);
    let resource = file.body.blocks().nth(1).unwrap();
    let name = &resource.body.attribute("name").unwrap().value;
    let ExprKind::Template(template) = &name.kind else { panic!() };
    let Part::Interpolation(reference) = &template.parts[1] else { panic!() };
    assert_eq!(&text[reference.span.range()], "var.v[0]");

    let (file, errors) = parse_json(r#"{"a": "${x}", "b": [1, 2"#, FileId(0), JsonFile::Variables, no_blocks);
    assert_eq!(body(&file.body), "a=\"${x}\"; b=[1 2]");
    assert_eq!(errors.len(), 1);
}

#[test]
fn template_files_trim_by_lines() {
    let expr = parse_template("a %{ for x in y ~}\n  ${x}\n%{ endfor ~}\nend $5", FileId(0)).unwrap();
    assert_eq!(show(&expr), r#"(tmpl "a " (for x in y do "  " x "\n") "end $5")"#);
}

#[test]
fn places_of_errors_never_cut_a_character_in_two() {
    let text = format!("a = {}\u{4a2}\n", "(".repeat(400));
    for error in parse(&text, FileId(0)).errors {
        assert!(text.get(error.span.range()).is_some(), "{error:?}");
    }
}
