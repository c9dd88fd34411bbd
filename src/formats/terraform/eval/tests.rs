//! Tests of the evaluator: an expression and what Terraform gives for it.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::base::{FastMap, FileId};
use crate::graph::{Cause, CauseKind, How};
use crate::syntax::hcl;
use crate::syntax::hcl::tree::StepKind;
use proptest::prelude::*;

/// `local.x` for what is given, `res.x` for a resource of which only the name is known, and files.
#[derive(Default)]
struct Fixture {
    locals: FastMap<&'static str, Val>,
    files: FastMap<&'static str, &'static str>,
}

impl Scope for Fixture {
    fn resolve(&self, root: &str, steps: &[Step], span: Span) -> Result<Resolved, Box<EvalError>> {
        let name = match steps.first().map(|s| &s.kind) {
            Some(StepKind::Attr(name)) => &**name,
            _ => return Err(EvalError::reference("a name is missing", span)),
        };
        match root {
            "local" => match self.locals.get(name) {
                Some(val) => Ok(Resolved { val: val.clone(), steps: 1, how: How::Local }),
                None => Err(EvalError::reference("no such local", span)),
            },
            "res" => {
                let cause = Arc::new(Cause { kind: CauseKind::Computed, message: "known after apply".into(), span });
                let id = Val::unknown_of(Type::String, cause.clone()).not_null();
                let list = Val::unknown_of(Type::list(Type::String), cause.clone());
                let any = Val::unknown_of(Type::Any, cause);
                let member = |key: &str, val| Member { key: key.into(), key_span: Span::NONE, val };
                let mut val = Val::object(vec![member("id", id), member("list", list), member("any", any)]);
                val.refs = Refs::one(format!("res.{name}"), span);
                Ok(Resolved { val, steps: 1, how: How::Literal })
            }
            _ => Err(EvalError::reference("undeclared", span)),
        }
    }

    fn read(&self, path: &str) -> FileRead {
        if path.contains("..") {
            return FileRead::Unknown("outside".into());
        }
        match self.files.get(path) {
            Some(text) => FileRead::Found(Arc::new(SourceFile::new(FileId(7), path.into(), (*text).into()))),
            None => FileRead::Missing,
        }
    }

    fn list(&self, dir: &str) -> Option<Vec<Arc<str>>> {
        let prefix = if dir == "." { String::new() } else { format!("{dir}/") };
        Some(self.files.keys().filter_map(|f| f.strip_prefix(&*prefix)).map(Arc::from).collect())
    }
}

fn parse(text: &str) -> hcl::tree::Expr {
    hcl::parse_expression(text, FileId(0)).unwrap_or_else(|e| panic!("{text}: {e:?}"))
}

/// The value as text in which types show: `[list]`, `(tuple)`, `<set>`, `{map}`, `{|object|}`; `?` for unknown, `!` for an
/// error.
fn show(val: &Val) -> String {
    let members = |vals: &[Val]| vals.iter().map(show).collect::<Vec<_>>().join(",");
    let table =
        |t: &Table| t.entries.iter().map(|m| format!("{}={}", m.key, show(&m.val))).collect::<Vec<_>>().join(",");
    match &val.datum {
        Datum::Null(_) => "null".into(),
        Datum::Unknown(u) if u.cause.kind == CauseKind::Error => "!".into(),
        Datum::Unknown(u) if u.cause.kind == CauseKind::Limit => "limit".into(),
        Datum::Unknown(_) => "?".into(),
        Datum::Bool(b) => b.to_string(),
        Datum::Number(n) => n.to_string(),
        Datum::String(s) => format!("{s:?}"),
        Datum::List(seq) => format!("[{}]", members(&seq.items)),
        Datum::Set(seq) => format!("<{}>", members(&seq.items)),
        Datum::Tuple(items) => format!("({})", members(items)),
        Datum::Map(t) => format!("{{{}}}", table(t)),
        Datum::Object(t) => format!("{{|{}|}}", table(t)),
    }
}

fn check_in(scope: &Fixture, cases: &[(&str, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(text, want)| {
            let got = show(&eval(&parse(text), scope));
            (got != *want).then(|| format!("{text}\n  gives {got}\n  wanted {want}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn check(cases: &[(&str, &str)]) {
    check_in(&Fixture::default(), cases);
}

#[test]
fn operators() {
    check(&[
        ("2 + 3 * 4", "14"),
        ("\"7\" - 2", "5"),
        ("7 % 0", "7"),
        ("-7 % 4", "-3"),
        ("9 / 2", "4.5"),
        ("0 / 0", "!"),
        ("4 < \"10\"", "true"),
        ("\"x\" < 1", "!"),
        ("!false && true", "true"),
        ("true || null", "!"),
        ("\"true\" && true", "true"),
        ("3 == \"3\"", "false"),
        ("[1] == tolist([1])", "false"),
        ("{x = 1} == {x = 1.0}", "true"),
        ("null == tostring(null)", "true"),
        ("null + 1", "!"),
        ("max(8 / 0, 3) == 1 / 0", "true"),
    ]);
}

#[test]
fn conditionals_have_one_type() {
    check(&[
        ("true ? 8 : \"b\"", "\"8\""),
        ("true ? {p = 1} : {q = \"r\"}", "{p=\"1\"}"),
        ("true ? {p = 1} : {p = 2}", "{|p=1|}"),
        ("false ? [1] : [\"x\", \"y\"]", "[\"x\",\"y\"]"),
        ("true ? [3] : [\"x\"]", "(\"3\")"),
        ("true ? true : 1", "!"),
        ("true ? null : 5", "null"),
        ("true ? \"ok\" : [][0]", "\"ok\""),
        ("false ? \"ok\" : [][0]", "!"),
        ("true ? 1 : local.undeclared", "!"),
        ("null ? 1 : 2", "!"),
    ]);
}

#[test]
fn for_expressions_and_splats() {
    check(&[
        ("[for i, v in [\"p\", \"q\"] : \"${i}${v}\"]", "(\"0p\",\"1q\")"),
        ("{for k, v in {p = 1, q = 2} : v => k if v > 1}", "{|2=\"q\"|}"),
        ("{for v in [\"a\", \"b\", \"a\"] : v => upper(v)...}", "{|a=(\"A\",\"A\"),b=(\"B\")|}"),
        ("{for v in [1, 1] : v => v}", "!"),
        ("[for v in null : v]", "!"),
        ("[for v in toset([3, 1, 2]) : v]", "(1,2,3)"),
        ("[{n = 1}, {n = 2}][*].n", "(1,2)"),
        ("[{n = [1, 2]}, {n = [3, 4]}].*.n[0]", "(1,2)"),
        ("[{n = [1, 2]}, {n = [3, 4]}][*].n[0]", "(1,3)"),
        ("null[*]", "()"),
        ("\"s\"[*]", "(\"s\")"),
        ("tolist(null)[*]", "!"),
        ("tolist([{n = 1}])[*].n", "[1]"),
    ]);
}

#[test]
fn templates() {
    check(&[
        ("\"a${1 + 1}b\"", "\"a2b\""),
        ("\"${[1, 2]}\"", "(1,2)"),
        ("\"x${[1]}\"", "!"),
        ("\"x${null}\"", "!"),
        ("\"%{ if 2 > 1 }yes%{ else }${null}%{ endif }\"", "\"yes\""),
        ("\"%{ for k, v in {b = 1, a = 2} }${k}${v} %{ endfor }\"", "\"a2 b1 \""),
        ("\"e${\"\\u0301\"}\" == \"\\u00e9\"", "true"),
        ("<<-EOT\n    one\n      two\n    EOT\n", "\"one\\n  two\\n\""),
    ]);
}

#[test]
fn unknowns_spread_no_further_than_they_must() {
    check(&[
        ("res.a.id", "?"),
        ("[1, res.a.id]", "(1,?)"),
        ("length([res.a.id, 2])", "2"),
        ("\"${res.a.id}\" == null", "false"),
        ("res.a.any == null", "?"),
        ("startswith(\"role-${res.a.id}\", \"role-\")", "true"),
        ("startswith(\"role-${res.a.id}\", \"user\")", "false"),
        ("res.a.id == 5", "false"),
        ("res.a.id == \"x\"", "?"),
        ("res.a.id == \"x\" || true", "?"),
        ("{(res.a.id) = 1}", "?"),
        ("merge({p = 1}, {q = res.a.id})", "{|p=1,q=?|}"),
        ("res.a.any ? {p = 1} : {p = 2}", "?"),
        ("lookup({p = 1}, \"p\", res.a.id)", "1"),
        ("coalesce(null, res.a.id, \"x\")", "?"),
        ("concat([\"p\"], [res.a.id])", "(\"p\",?)"),
        ("concat([\"p\"], res.a.list)", "?"),
        ("jsonencode({p = res.a.id})", "?"),
        ("try(res.a.id, \"x\")", "?"),
        ("can(res.a.any.b)", "?"),
        ("provider::aws::arn_parse(\"x\")", "?"),
        ("timestamp()", "?"),
        ("res.a.list[*].x", "!"),
        ("basename(abspath(\"p/q\"))", "\"q\""),
    ]);
}

#[test]
fn errors_are_data() {
    check(&[
        ("try([][0], {}.x, \"last\")", "\"last\""),
        ("try(local.undeclared, \"x\")", "!"),
        ("try(nosuchfunction(), 3)", "3"),
        ("can(tonumber(\"ten\"))", "false"),
        ("can(nosuchfunction())", "false"),
        ("[1, nosuchfunction()]", "!"),
        ("upper()", "!"),
        ("upper(\"a\", \"b\")", "!"),
        ("upper(null)", "!"),
        ("max([1, 5, 3]...)", "5"),
        ("max(null...)", "!"),
    ]);
}

#[test]
fn an_error_says_where_and_why() {
    let expr = parse("{a = [1, 2][5]}");
    let error = try_eval(&expr, &Empty).unwrap_err();
    assert_eq!((error.span.start, error.span.end), (11, 14));
    assert!(error.message.contains('5') && error.message.contains('2'), "{}", error.message);
}

#[test]
fn collection_functions() {
    check(&[
        ("chunklist([1, 2, 3], 2)", "[[1,2],[3]]"),
        ("compact([\"a\", \"\", null])", "[\"a\"]"),
        ("distinct([\"b\", \"a\", \"b\"])", "[\"b\",\"a\"]"),
        ("element([\"a\", \"b\"], 5)", "\"b\""),
        ("element(tolist([\"a\", \"b\"]), -1)", "\"b\""),
        ("flatten([[1, [2]], [], 3])", "(1,2,3)"),
        ("index([\"a\", \"b\"], \"b\")", "1"),
        ("keys({b = 1, a = 2})", "(\"a\",\"b\")"),
        ("values(tomap({b = 1, a = 2}))", "[2,1]"),
        ("lookup(tomap({a = \"x\"}), \"b\", 4)", "\"4\""),
        ("lookup({a = 1}, \"b\")", "!"),
        ("matchkeys([\"p\", \"q\"], [\"1\", \"2\"], [2])", "[\"q\"]"),
        ("merge({a = 1}, null, {a = \"z\"})", "{|a=\"z\"|}"),
        ("one(toset([7]))", "7"),
        ("one([1, 2])", "!"),
        ("range(5, 0, -2)", "[5,3,1]"),
        ("reverse([1, \"a\"])", "(\"a\",1)"),
        ("setproduct([\"a\", \"b\"], [1])", "[(\"a\",1),(\"b\",1)]"),
        ("setsubtract([\"a\", \"b\"], [\"b\"])", "<\"a\">"),
        ("setunion([10], [9, 100])", "<9,10,100>"),
        ("slice([1, 2, 3], 1, 3)", "(2,3)"),
        ("slice([1], 0, 2)", "!"),
        ("sort([\"b\", 10, \"a\"])", "[\"10\",\"a\",\"b\"]"),
        ("sum([0.1, 0.2, \"3\"])", "3.3"),
        ("transpose({a = [\"x\", \"y\"], b = [\"y\"]})", "{x=[\"a\"],y=[\"a\",\"b\"]}"),
        ("zipmap([\"a\", \"b\"], [1, true])", "{|a=1,b=true|}"),
        ("alltrue([])", "true"),
        ("anytrue([false, \"true\"])", "true"),
        ("coalescelist([], [0])", "(0)"),
        ("contains([1, 2], \"1\")", "false"),
        ("toset([{n = 10}, {n = 9}, {n = -1}])", "<{|n=-1|},{|n=10|},{|n=9|}>"),
    ]);
}

#[test]
fn string_functions() {
    check(&[
        ("chomp(\"a\\r\\n\\n\")", "\"a\""),
        ("format(\"%-4s|%03d|%.1f|%v\", \"ab\", 7, 0.25, true)", "\"ab  |007|0.2|true\""),
        ("format(\"%v %s\", 1000000, 1000000)", "\"1e+06 1000000\""),
        ("format(\"%s\")", "!"),
        ("formatlist(\"%s:%d\", [\"p\", \"q\"], 1)", "[\"p:1\",\"q:1\"]"),
        ("indent(2, \"a\\nb\")", "\"a\\n  b\""),
        ("join(\"-\", [\"a\"], [1, true])", "\"a-1-true\""),
        ("regex(\"(?P<k>\\\\w+)=(?P<v>\\\\d+)\", \"x=12\")", "{|k=\"x\",v=\"12\"|}"),
        ("regex(\"(a)(b)?\", \"a\")", "(\"a\",null)"),
        ("regexall(\"[0-9]\", \"a1b2\")", "[\"1\",\"2\"]"),
        ("regex(\"\\\\p{L}+\", \"123éàü\")", "\"éàü\""),
        ("regex(\"\\\\x{41}{2}\", \"BAAA\")", "\"AA\""),
        ("regex(\"{a}\", \"{a}\")", "\"{a}\""),
        ("regex(\"a**\", \"a\")", "!"),
        ("replace(\"a.b.c\", \"/[.](.)/\", \"<$1>\")", "\"a<b><c>\""),
        ("split(\",\", \"a,,b\")", "[\"a\",\"\",\"b\"]"),
        ("strrev(\"ab\\u0301c\")", "\"cb\\u{301}a\""),
        ("substr(\"hello\", -3, 2)", "\"ll\""),
        ("title(\"two words\")", "\"Two Words\""),
        ("upper(\"straße\")", "\"STRAßE\""),
        ("trim(\"--a-\", \"-\")", "\"a\""),
        ("trimsuffix(\"aaa\", \"a\")", "\"aa\""),
        ("trimspace(\" \\ta\\n\")", "\"a\""),
    ]);
}

#[test]
fn encodings_and_hashes() {
    check(&[
        ("base64decode(base64encode(\"é\"))", "\"é\""),
        ("base64decode(\"*\")", "!"),
        ("jsonencode({b = [1, null], a = \"<\"})", "\"{\\\"a\\\":\\\"\\\\u003c\\\",\\\"b\\\":[1,null]}\""),
        ("jsondecode(\"{\\\"a\\\": [1.50, \\\"\\\\u00e9\\\"]}\")", "{|a=(1.5,\"é\")|}"),
        ("jsondecode(\"[1,]\")", "!"),
        ("yamldecode(\"a: yes\\nb: 0x10\\nc: 1_0\\n\")", "{|a=true,b=16,c=\"1_0\"|}"),
        ("yamldecode(\"2024-2-3\")", "\"2024-02-03T00:00:00Z\""),
        (
            "yamlencode({k = [{a = 1, b = []}], s = \"x\\ny\"})",
            "\"\\\"k\\\":\\n- \\\"a\\\": 1\\n  \\\"b\\\": []\\n\\\"s\\\": |-\\n  x\\n  y\\n\"",
        ),
        ("csvdecode(\"a,b\\n1,\\\"x,\\\"\\\"y\\\"\\n\")", "[{|a=\"1\",b=\"x,\\\"y\"|}]"),
        ("urlencode(\"a b&é\")", "\"a+b%26%C3%A9\""),
        ("textencodebase64(\"é\", \"UTF-16LE\")", "\"6QA=\""),
        ("md5(\"abc\")", "\"900150983cd24fb0d6963f7d28e17f72\""),
        ("sha1(\"abc\")", "\"a9993e364706816aba3e25717850c26c9cd0d89d\""),
        ("base64sha256(\"\")", "\"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\""),
        ("uuidv5(\"dns\", \"www.example.com\")", "\"2ed6657d-e927-568b-95e1-2665a8aea6a2\""),
        ("bcrypt(\"x\")", "?"),
    ]);
}

#[test]
fn networks_and_times() {
    check(&[
        ("cidrhost(\"10.1.0.0/16\", -2)", "\"10.1.255.254\""),
        ("cidrhost(\"10.1.0.0/30\", 4)", "!"),
        ("cidrnetmask(\"10.0.0.0/20\")", "\"255.255.240.0\""),
        ("cidrsubnet(\"fd00:1::/48\", 16, 10)", "\"fd00:1:0:a::/64\""),
        ("cidrsubnets(\"10.0.0.0/20\", 4, 2)", "[\"10.0.0.0/24\",\"10.0.4.0/22\"]"),
        ("formatdate(\"EEE D MMM YYYY hh:mm ZZZ\", \"2024-02-29T08:05:00+01:00\")", "\"Thu 29 Feb 2024 08:05 +0100\""),
        ("formatdate(\"YYYY\", \"2023-02-29T00:00:00Z\")", "!"),
        ("timeadd(\"2024-02-28T23:00:00Z\", \"90m\")", "\"2024-02-29T00:30:00Z\""),
        ("timecmp(\"2024-01-01T00:00:00Z\", \"2024-01-01T01:00:00+01:00\")", "0"),
    ]);
}

#[test]
fn files_and_templates_from_files() {
    let mut scope = Fixture::default();
    scope.files.insert("a.txt", "héllo\n");
    scope.files.insert("d/b.json", "{\"k\": 1}");
    scope.files.insert("t.tftpl", "%{ for n in names ~}\n${n};%{ endfor }");
    scope.files.insert("loop.tftpl", "${templatefile(\"loop.tftpl\", {})}");
    check_in(
        &scope,
        &[
            ("file(\"a.txt\")", "\"héllo\\n\""),
            ("file(\"b.txt\")", "!"),
            ("file(\"../b.txt\")", "?"),
            ("try(file(\"b.txt\"), \"none\")", "\"none\""),
            ("fileexists(\"d/b.json\")", "true"),
            ("jsondecode(file(\"d/b.json\")).k", "1"),
            ("filemd5(\"a.txt\") == md5(file(\"a.txt\"))", "true"),
            ("fileset(\".\", \"**/*.{txt,json}\")", "<\"a.txt\",\"d/b.json\">"),
            ("fileset(\"d\", \"[a-b].*\")", "<\"b.json\">"),
            ("templatefile(\"t.tftpl\", {names = [\"p\", \"q\"]})", "\"p;q;\""),
            ("templatefile(\"t.tftpl\", {})", "!"),
            ("templatefile(\"loop.tftpl\", {})", "!"),
            ("dirname(\"a/b/c\")", "\"a/b\""),
        ],
    );
}

#[test]
fn types_convert_and_fill_in_defaults() {
    let ty = |text: &str| parse_type(&parse(text)).unwrap();
    let convert_to = |text: &str, to: &str| match convert(&eval(&parse(text), &Empty), &ty(to)) {
        Ok(val) => show(&val),
        Err(_) => "!".to_owned(),
    };
    for (text, to, want) in [
        ("[1, true]", "list(string)", "[\"1\",\"true\"]"),
        ("[\"a\", \"a\"]", "set(string)", "<\"a\">"),
        ("{a = 1}", "map(string)", "{a=\"1\"}"),
        ("{a = 1, z = 2}", "object({a = number})", "{|a=1|}"),
        ("{}", "object({a = number})", "!"),
        ("{}", "object({a = optional(number)})", "{|a=null|}"),
        ("{b = null}", "object({a = optional(number, 5), b = optional(string, \"x\")})", "{|a=5,b=\"x\"|}"),
        ("[{}]", "list(object({a = optional(object({b = optional(bool, true)}), {})}))", "[{|a={|b=true|}|}]"),
        ("[1, \"x\"]", "tuple([string, string])", "(\"1\",\"x\")"),
        ("[1]", "tuple([string, string])", "!"),
        ("[[1], [\"x\"]]", "list(any)", "[(\"1\"),(\"x\")]"),
        ("\"yes\"", "bool", "!"),
        ("null", "list(string)", "null"),
    ] {
        assert_eq!(convert_to(text, to), want, "{text} to {to}");
    }
    for bad in ["text", "list", "\"text\"", "optional(string)", "list(string, string)", "object([])", "1"] {
        assert!(parse_type(&parse(bad)).is_err() || bad == "list", "{bad}");
    }
}

#[test]
fn marks_follow_the_value() {
    check(&[
        ("issensitive(\"x-${sensitive(\"a\")}\")", "true"),
        ("issensitive(nonsensitive(sensitive(\"a\")))", "false"),
        ("issensitive([sensitive(\"a\")])", "false"),
        ("issensitive(jsonencode([sensitive(\"a\")]))", "true"),
        ("issensitive(length([sensitive(\"a\")]))", "false"),
        ("issensitive(sensitive({a = 1}).a)", "true"),
        ("issensitive(sensitive(true) ? 1 : 2)", "true"),
    ]);
    let secret = eval(&parse("{a = sensitive(\"s\"), b = 1}"), &Empty).to_value();
    assert!(secret.get("a").unwrap().origin.sensitive && !secret.get("b").unwrap().origin.sensitive);
}

#[test]
fn values_know_where_they_come_from() {
    let mut scope = Fixture::default();
    let written = Span::new(FileId(3), 10..15);
    let mut local = Val::string("abc");
    local.origin = crate::graph::Origin::literal(written);
    scope.locals.insert("x", local);
    let val = eval(&parse("upper(local.x)"), &scope).to_value();
    assert_eq!(val.as_str(), Some("ABC"));
    assert_eq!(val.span(), Span::new(FileId(0), 0..14));
    assert!(val.origin.chain().iter().any(|o| o.span == written));
    let val = eval(&parse("jsonencode({a = [local.x]})"), &scope).to_value();
    let How::Encoded(inner) = &val.origin.how else { panic!("{:?}", val.origin.how) };
    assert_eq!(inner.get("a").unwrap().as_list().unwrap()[0].as_str(), Some("abc"));
    let refs = eval(&parse("{a = \"x-${res.one.id}\", b = [lower(res.two.id)]}"), &scope);
    let mut found = Vec::new();
    refs.for_each_ref(&mut |path, one| found.push(format!("{}:{}", path.join("."), one.target)));
    assert_eq!(found, ["a:res.one", "b:res.two"]);
}

#[test]
fn limits_end_what_would_not_end() {
    let nested = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    assert_eq!(show(&eval(&parse(&format!("length({nested})")), &Empty)), "1");
    check(&[
        ("length([for a in range(1000) : [for b in range(1000) : b]])", "limit"),
        ("try([for a in range(1000) : [for b in range(1000) : b]], 1)", "limit"),
        ("setproduct(range(1000), range(1000))", "limit"),
        ("format(\"%999999999d\", 1)", "limit"),
        (
            "length(join(\"\", [for a in range(1000) : join(\"\", [for b in range(200) : format(\"%100s\", b)])]))",
            "limit",
        ),
        ("range(2000)", "!"),
        ("pow(10, 300) * pow(10, 300) > 0", "true"),
    ]);
}

/// Values that JSON can hold.
fn json_value() -> impl Strategy<Value = Val> {
    let leaf = prop_oneof![
        Just(Val::null()),
        any::<bool>().prop_map(Val::bool),
        any::<i64>().prop_map(Val::number),
        (-1e9f64..1e9).prop_map(|f| Val::number(crate::graph::Number::from(f))),
        ".{0,8}".prop_map(Val::string),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Val::tuple),
            prop::collection::vec(("[a-z]{1,3}", inner), 0..4).prop_map(|entries| {
                let member = |(key, val): (String, Val)| Member { key: key.into(), key_span: Span::NONE, val };
                Val::object(entries.into_iter().map(member).collect())
            }),
        ]
    })
}

fn with_local(val: &Val, text: &str) -> Val {
    let mut scope = Fixture::default();
    scope.locals.insert("x", val.clone());
    eval(&parse(text), &scope)
}

/// Expressions of all forms, most of them wrong in some way.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        (-3i64..40).prop_map(|n| n.to_string()),
        Just("0.5".to_owned()),
        Just("\"a\"".to_owned()),
        Just("\"10.0.0.0/16\"".to_owned()),
        Just("\"2024-01-01T00:00:00Z\"".to_owned()),
        Just("\"[%s(é\"".to_owned()),
        Just("[]".to_owned()),
        Just("{}".to_owned()),
        Just("res.r.id".to_owned()),
        Just("res.r.list".to_owned()),
        Just("res.r.any".to_owned()),
        Just("sensitive(\"s\")".to_owned()),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        let pair = (inner.clone(), inner.clone());
        let args = prop::collection::vec(inner.clone(), 0..4);
        let name = prop::sample::select(functions::names());
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|v| format!("[{}]", v.join(", "))),
            pair.clone().prop_map(|(a, b)| format!("{{a = {a}, b = {b}}}")),
            (pair.clone(), prop::sample::select(vec!["+", "/", "%", "==", "<", "&&"]))
                .prop_map(|((a, b), op)| format!("({a} {op} {b})")),
            (inner.clone(), pair.clone()).prop_map(|(c, (a, b))| format!("({c} ? {a} : {b})")),
            pair.clone().prop_map(|(a, b)| format!("[for k, v in {a} : {{x = v, y = {b}}} if k != {b}]")),
            inner.clone().prop_map(|a| format!("{{for v in {a} : v => v...}}")),
            inner.clone().prop_map(|a| format!("({a})[*].a")),
            pair.prop_map(|(a, b)| format!("({a})[{b}]")),
            inner.clone().prop_map(|a| format!("\"x${{{a}}}%{{ for v in {a} }}${{v}}%{{ endfor }}\"")),
            (name.clone(), args.clone()).prop_map(|(f, v)| format!("{f}({})", v.join(", "))),
            (name, args).prop_map(|(f, v)| format!("{f}([{}]...)", v.join(", "))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn json_comes_back(val in json_value()) {
        let back = with_local(&val, "jsondecode(jsonencode(local.x))");
        prop_assert_eq!(show(&back), show(&val));
    }

    #[test]
    fn yaml_comes_back(val in json_value()) {
        let back = with_local(&val, "yamldecode(yamlencode(local.x))");
        prop_assert_eq!(show(&back), show(&val));
    }

    #[test]
    fn conversion_to_its_own_type_changes_nothing(val in json_value()) {
        let same = convert(&val, &val.ty()).unwrap();
        prop_assert_eq!(show(&same), show(&val));
    }

    #[test]
    fn a_common_type_suits_all(vals in prop::collection::vec(json_value(), 1..4)) {
        let types: Vec<Type> = vals.iter().map(Val::ty).collect();
        // Nulls of no type leave the common type open; then the values themselves decide.
        if let Some(common) = unify(&types).filter(|common| !common.has_any()) {
            for ty in &types {
                prop_assert!(ty.converts_to(&common), "{:?} to {:?}", ty, common);
            }
        }
    }

    #[test]
    fn strings_survive_base64(text in ".{0,40}") {
        let back = with_local(&Val::string(text.clone()), "base64decode(base64encode(local.x)) == local.x");
        prop_assert_eq!(show(&back), "true");
    }

    #[test]
    fn anything_ends_without_panic(text in expression()) {
        if let Ok(expr) = hcl::parse_expression(&text, FileId(0)) {
            let scope = Fixture::default();
            let once = show(&eval(&expr, &scope));
            prop_assert_eq!(once, show(&eval(&expr, &scope)));
        }
    }

    #[test]
    fn what_is_known_stays_when_unknowns_become_known(text in expression()) {
        // Where a value is known although parts of it are not, it must not depend on them.
        let with = text.replace("res.r.id", "\"a\"").replace("res.r.list", "tolist([\"a\"])").replace("res.r.any", "\"a\"");
        if let (Ok(expr), Ok(other)) = (hcl::parse_expression(&text, FileId(0)), hcl::parse_expression(&with, FileId(0))) {
            let scope = Fixture::default();
            let (before, after) = (eval(&expr, &scope), eval(&other, &scope));
            let (before, after) = (show(&before), show(&after));
            if !before.contains(['?', '!']) && !after.contains('!') && !after.contains('?') {
                prop_assert_eq!(before, after, "{} / {}", text, with);
            }
        }
    }
}

#[test]
fn the_edges_of_functions_are_terraforms() {
    check(&[
        ("pow(10, 64)", "10000000000000002000000000000000000000000000000000000000000000000"),
        ("log(5 / (1e21 / 2.5), 3) < -41.7149514722126", "true"),
        ("pow(1e-7, 1.5)", "?"),
        ("pow(9, 0.5)", "3"),
        ("slice([1], 0, -1)", "!"),
        ("formatdate(\"YYYY''MM 'a''b'\", \"1969-07-20T20:17:40Z\")", "\"1969'07 a'b\""),
        ("true ? [1] : element([1], -1) < 2", "!"),
        ("true ? 10 : (null ? \"a\" : null)", "\"10\""),
        ("true ? {a = 1} : {for v in [[]] : \"x${v}\" => v}", "{a=1}"),
        ("cidrsubnets(\"0.0.0.0/8\", 2)", "!"),
        ("cidrsubnets(\"0.0.0.0/8\")", "[]"),
        ("alltrue(setproduct([], [1]))", "!"),
        ("substr(\"abc\", -1, 0)", r#""c""#),
        ("substr(\"abc\", 1, 0)", r#""""#),
        (
            "setproduct(toset([\"b\", \"a\"]), [\"y\", \"x\"])",
            "<(\"a\",\"x\"),(\"a\",\"y\"),(\"b\",\"x\"),(\"b\",\"y\")>",
        ),
        ("cidrsubnet(\"192.168.0.0/30\", 0, -256)", "!"),
        ("textdecodebase64(\"YWJj\", \"UTF-16LE\")", "!"),
        ("textdecodebase64(\"YWJj\", \"UTF8\")", "!"),
        ("true ? 1 : {for v in [1, 2] : \"k\" => v}", "!"),
        ("{for v in [] : v => v if 1 + v}", "!"),
        ("false ? [false, {}, jsondecode(\"1\")] : [\"a\", \"b\"]", "!"),
    ]);
}

#[test]
fn values_are_written_in_terraforms_language() {
    check(&[
        ("provider::terraform::encode_expr([1, \"a\", [true, null]])", r#""[1, \"a\", [true, null]]""#),
        (
            "provider::terraform::encode_tfvars({a = 1, longer = 2, m = {x = {y = 1}, zz = {}}})",
            r#""a      = 1\nlonger = 2\nm = {\n  x = {\n    y = 1\n  }\n  zz = {}\n}\n""#,
        ),
        ("provider::terraform::encode_expr({\"b c\" = \"$${x}\\n\"})", r#""{\n  \"b c\" = \"$${x}\\n\"\n}""#),
        ("provider::terraform::decode_tfvars(\"a = 1 + 2\\nb = [true]\\n\")", "{|a=3,b=(true)|}"),
        ("provider::terraform::decode_tfvars(\"a {}\")", "!"),
        ("provider::terraform::encode_tfvars([1])", "!"),
        ("provider::terraform::encode_tfvars({\"a b\" = 1})", "!"),
        ("provider::terraform::nothing(1)", "!"),
    ]);
}
