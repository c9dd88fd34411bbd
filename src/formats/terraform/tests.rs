#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::base::{FastMap, Files, Span};
use crate::graph::{CauseKind, How, Resource, Value};
use pretty_assertions::assert_eq;
use std::fmt::Write;

/// The lowered units of some files, with the files.
struct World {
    files: Files,
    units: Vec<(Unit, Lowered)>,
}

fn world(texts: &[(&str, &str)]) -> World {
    world_with(texts, &Options::default())
}

fn world_with(texts: &[(&str, &str)], options: &Options) -> World {
    let mut files = Files::default();
    for (path, text) in texts {
        files.set(path, (*text).into());
    }
    let inputs: Vec<Input> = files
        .iter()
        .filter(|f| Terraform.claims(&f.path, &f.text))
        .map(|f| Input { file: f.clone(), parsed: Arc::new(Terraform.parse(f)) })
        .collect();
    let by_id: FastMap<_, _> = inputs.iter().map(|i| (i.file.id, i.clone())).collect();
    let read = |path: &str| files.by_path(path).cloned();
    let list = |dir: &str| {
        let mut found: Vec<Arc<str>> = files.iter().map(|f| f.path.clone()).collect();
        found.retain(|p| dir.is_empty() || p.starts_with(&format!("{dir}/")));
        found.sort();
        found
    };
    let cx = LowerContext { inputs: &by_id, options, read: &read, list: &list };
    let units = Terraform.units(&inputs, options);
    let units = units.into_iter().map(|unit| (unit.clone(), Terraform.lower(&unit, &cx))).collect();
    World { files, units }
}

impl World {
    #[track_caller]
    fn only(&self) -> &Lowered {
        assert_eq!(self.units.len(), 1, "{:?}", self.units.iter().map(|(u, _)| &u.name).collect::<Vec<_>>());
        &self.units[0].1
    }

    #[track_caller]
    fn resource(&self, address: &str) -> &Resource {
        let all = &self.only().resources;
        let found = all.iter().find(|r| &*r.address == address);
        found.unwrap_or_else(|| panic!("no {address} in {:?}", all.iter().map(|r| &r.address).collect::<Vec<_>>()))
    }

    fn text(&self, span: Span) -> &str {
        self.files.slice(span)
    }

    fn edges(&self) -> String {
        let lowered = self.only();
        let mut lines: Vec<String> = lowered
            .edges
            .iter()
            .map(|e| {
                let name = |i: u32| &lowered.resources[i as usize].address;
                format!("{} -{}-> {}", name(e.from), e.via, name(e.to))
            })
            .collect();
        lines.sort();
        lines.dedup();
        lines.join("\n")
    }

    fn ledger(&self) -> String {
        let mut out = String::new();
        for entry in &self.only().ledger {
            writeln!(out, "{:?} `{}`: {}", entry.kind, self.text(entry.span), entry.message).unwrap();
        }
        out
    }
}

/// The resources of the only unit as JSON lines, without variables, outputs and the like.
#[track_caller]
fn check(texts: &[(&str, &str)], expected: &[(&str, &str)]) {
    let world = world(texts);
    let found: Vec<(String, String)> = world
        .only()
        .resources
        .iter()
        .filter(|r| !matches!(&*r.kind, "variable" | "output" | "locals" | "terraform" | "module"))
        .map(|r| (r.address.to_string(), r.body.to_json_as_configured().to_string()))
        .collect();
    let found: Vec<(&str, &str)> = found.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    assert_eq!(found, expected);
}

#[test]
fn values_come_through_variables_locals_and_modules() {
    let world = world(&[
        ("main.tf", "variable \"acl\" {}\nmodule \"m\" {\n  source = \"./m\"\n  acl    = var.acl\n}\n"),
        ("terraform.tfvars", "acl = \"public\"\n"),
        (
            "m/main.tf",
            "variable \"acl\" {}\nlocals { a = var.acl }\nresource \"aws_s3_bucket\" \"b\" {\n  acl = local.a\n}\n",
        ),
    ]);
    let bucket = world.resource("module.m.aws_s3_bucket.b");
    let acl = bucket.body.get("acl").unwrap();
    assert_eq!(acl.as_str(), Some("public"));
    let way: Vec<&str> = std::iter::once(&acl.origin).chain(acl.origin.chain()).map(|o| world.text(o.span)).collect();
    assert_eq!(way, ["local.a", "var.acl", "var.acl", "\"public\""]);
    assert_eq!(bucket.callers.len(), 1);
    assert_eq!(world.text(bucket.head), "resource \"aws_s3_bucket\" \"b\"");
    assert!(matches!(acl.origin.how, How::Local));
}

#[test]
fn instances_have_terraforms_addresses() {
    check(
        &[
            (
                "main.tf",
                "module \"a\" {\n  source = \"./m\"\n  count = 2\n  n = count.index\n}\n\
                 module \"b\" {\n  source = \"./m\"\n  for_each = { \"x\\\"y\" = 5 }\n  n = each.value\n}\n",
            ),
            (
                "m/main.tf",
                "variable \"n\" {}\nresource \"r\" \"x\" {\n  for_each = toset([\"k\"])\n  v = \"${each.key}${var.n}\"\n}\n",
            ),
        ],
        &[
            ("module.a[0].r.x[\"k\"]", r#"{"for_each":["k"],"v":"k0"}"#),
            ("module.a[1].r.x[\"k\"]", r#"{"for_each":["k"],"v":"k1"}"#),
            ("module.b[\"x\\\"y\"].r.x[\"k\"]", r#"{"for_each":["k"],"v":"k5"}"#),
        ],
    );
}

#[test]
fn what_is_unknown_says_why() {
    let world = world(&[(
        "main.tf",
        "variable \"n\" { type = number }\nresource \"a\" \"x\" {\n  count = var.n\n  v = count.index\n}\n\
         resource \"b\" \"y\" {\n  v = a.x[0].id\n  dynamic \"d\" {\n    for_each = var.n\n    content { k = d.value }\n  }\n}\n",
    )]);
    let cause = |value: &Value| {
        let cause = value.as_unknown().unwrap();
        (cause.kind, cause.message.clone(), world.text(cause.span).to_owned())
    };
    let input = (CauseKind::Input, "variable `n` has no value".to_owned(), "variable \"n\"".to_owned());
    assert_eq!(cause(world.resource("a.x").body.get("v").unwrap()), input);
    let y = &world.resource("b.y").body;
    assert_eq!(cause(y.get("v").unwrap()), input);
    let blocks = y.get("d").unwrap().as_list().unwrap();
    assert_eq!(cause(blocks[0].get("k").unwrap()), input);
    assert_eq!(world.edges(), "b.y -v-> a.x");
}

#[test]
fn references_draw_edges_through_everything() {
    let world = world(&[
        (
            "main.tf",
            "provider \"aws\" {}\nresource \"aws_kms_key\" \"k\" {}\nlocals { key = aws_kms_key.k.arn }\n\
             module \"m\" {\n  source = \"./m\"\n  key = local.key\n}\n\
             resource \"aws_sns_topic\" \"t\" {\n  name = \"t-${module.m.bucket}\"\n  depends_on = [module.m]\n}\n",
        ),
        (
            "m/main.tf",
            "variable \"key\" {}\nresource \"aws_s3_bucket\" \"b\" {\n  count = 1\n  rule {\n    default {\n      key = var.key\n    }\n  }\n}\n\
             output \"bucket\" { value = aws_s3_bucket.b[0].id }\n",
        ),
    ]);
    assert_eq!(
        world.edges(),
        "aws_kms_key.k -provider-> provider.aws\n\
         aws_sns_topic.t -depends_on-> module.m\n\
         aws_sns_topic.t -name-> module.m.aws_s3_bucket.b[0]\n\
         aws_sns_topic.t -provider-> provider.aws\n\
         locals -key-> aws_kms_key.k\n\
         module.m -key-> aws_kms_key.k\n\
         module.m.aws_s3_bucket.b[0] -provider-> provider.aws\n\
         module.m.aws_s3_bucket.b[0] -rule.default.key-> aws_kms_key.k\n\
         module.m.output.bucket -value-> module.m.aws_s3_bucket.b[0]"
    );
}

#[test]
fn configured_attributes_of_resources_are_values() {
    check(
        &[(
            "main.tf",
            "resource \"a\" \"x\" {\n  name = \"n\"\n  b { c = 1 }\n}\n\
             resource \"b\" \"y\" {\n  v = [a.x.name, a.x.b[0].c, [for k, v in { one = a.x } : v.name]]\n}\n",
        )],
        &[("a.x", r#"{"name":"n","b":[{"c":1}]}"#), ("b.y", r#"{"v":["n",1,["n"]]}"#)],
    );
}

#[test]
fn dynamic_blocks_expand_at_their_content() {
    let world = world(&[(
        "main.tf",
        "resource \"a\" \"x\" {\n  dynamic \"rule\" {\n    for_each = [22, 80]\n    iterator = it\n    content {\n      port = it.value\n      n = it.key\n    }\n  }\n  rule { port = 1 }\n}\n",
    )]);
    let rules = world.resource("a.x").body.get("rule").unwrap();
    assert_eq!(rules.to_json().to_string(), r#"[{"port":22,"n":0},{"port":80,"n":1},{"port":1}]"#);
    let head = rules.as_list().unwrap()[0].as_map().unwrap().head.unwrap();
    assert_eq!(world.text(head), "content");
}

#[test]
fn policy_documents_are_put_together() {
    let world = world(&[(
        "main.tf",
        "resource \"aws_s3_bucket\" \"b\" {}\n\
         data \"aws_iam_policy_document\" \"base\" {\n  statement {\n    sid = \"S\"\n    actions = [\"s3:*\"]\n    resources = [\"*\"]\n  }\n}\n\
         data \"aws_iam_policy_document\" \"d\" {\n  source_policy_documents = [data.aws_iam_policy_document.base.json]\n  statement {\n    effect = \"Deny\"\n    actions = [\"a:x\", \"a:y\"]\n    resources = [aws_s3_bucket.b.arn]\n    principals {\n      type = \"AWS\"\n      identifiers = [\"*\"]\n    }\n    condition {\n      test = \"Bool\"\n      variable = \"aws:SecureTransport\"\n      values = [\"false\"]\n    }\n  }\n}\n\
         resource \"aws_s3_bucket_policy\" \"p\" {\n  policy = data.aws_iam_policy_document.d.json\n}\n\
         resource \"aws_iam_policy\" \"q\" {\n  policy = data.aws_iam_policy_document.base.json\n}\n",
    )]);
    let known = world.resource("aws_iam_policy.q").body.get("policy").unwrap();
    let json: serde_json::Value = serde_json::from_str(known.as_str().unwrap()).unwrap();
    let statement = r#"{"Sid":"S","Effect":"Allow","Action":"s3:*","Resource":"*"}"#;
    assert_eq!(json.to_string(), format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#));
    let unknown = world.resource("aws_s3_bucket_policy.p").body.get("policy").unwrap();
    assert!(unknown.as_unknown().is_some());
    let document = encoded(unknown).to_json().to_string();
    assert_eq!(
        document,
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{statement},{{"Effect":"Deny","Action":["a:y","a:x"],"Resource":{{"$unknown":"`aws_s3_bucket.b.arn` is known only after apply"}},"Principal":{{"AWS":"*"}},"Condition":{{"Bool":{{"aws:SecureTransport":"false"}}}}}}]}}"#
        )
    );
    assert!(world.edges().contains("aws_s3_bucket_policy.p -policy-> aws_s3_bucket.b\n"), "{}", world.edges());
}

#[test]
fn roots_are_what_nobody_calls() {
    let names = |texts: &[(&str, &str)]| -> Vec<String> {
        world(texts).units.iter().map(|(u, _)| u.name.to_string()).collect()
    };
    let call = |to: &str| format!("module \"m\" {{ source = \"{to}\" }}\n");
    assert_eq!(names(&[("a/x.tf", &call("../b")), ("b/x.tf", ""), ("c/x.tf", "")]), ["a", "c"]);
    assert_eq!(names(&[("a/x.tf", &call("../b")), ("b/x.tf", &call("../a"))]), ["a"]);
    assert_eq!(names(&[("x.tf", &call("./"))]), ["."]);
    let manifest =
        r#"{"Modules":[{"Key":"","Source":"","Dir":"."},{"Key":"m","Source":"x/y/z","Dir":".terraform/modules/m"}]}"#;
    let world = world(&[
        ("x.tf", &call("x/y/z")),
        (".terraform/modules/modules.json", manifest),
        (".terraform/modules/m/main.tf", "resource \"a\" \"b\" {}\n"),
    ]);
    world.resource("module.m.a.b");
}

#[test]
fn what_cannot_be_evaluated_ends_in_the_ledger() {
    let ledger = |text: &str| world(&[("main.tf", text)]).ledger();
    assert_eq!(
        ledger("module \"m\" { source = \"hashicorp/x/y\" }\n"),
        "Missing `\"hashicorp/x/y\"`: module `m` is not here: `terraform init` would fetch `hashicorp/x/y`\n"
    );
    assert_eq!(ledger("module \"m\" { source = \"./\" }\n"), "Limit `\"./\"`: module `m` calls itself\n");
    assert_eq!(
        ledger("locals {\n  a = local.b\n  b = local.a\n}\n"),
        "Error `a`: `local.a` refers to itself (local.a → local.b → local.a)\n"
    );
    assert_eq!(
        ledger("resource \"a\" \"b\" { count = 1000000 }\n"),
        "Limit `1000000`: of 1000000 instances only the first 1000 are looked at\n"
    );
    assert_eq!(
        ledger("resource \"a\" \"b\" { x = local.nope }\nresource \"a\" \"b\" {}\n"),
        "Error `resource \"a\" \"b\"`: `a.b` is declared twice\nError `local`: local `nope` is not declared\n"
    );
}

#[test]
fn long_chains_are_evaluated() {
    let mut texts: Vec<(String, String)> = (0..200)
        .map(|i| {
            let text = format!(
                "variable \"v\" {{}}\nmodule \"n\" {{\n  source = \"../m{}\"\n  v = var.v\n}}\noutput \"o\" {{ value = module.n.o }}\n",
                i + 1
            );
            (format!("m{i}/main.tf"), text)
        })
        .collect();
    texts.push(("m200/main.tf".into(), "variable \"v\" {}\noutput \"o\" { value = var.v }\n".into()));
    texts.push(("m0/terraform.tfvars".into(), "v = 7\n".into()));
    let texts: Vec<(&str, &str)> = texts.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    let world = world(&texts);
    assert_eq!(world.only().output("o").unwrap().to_json().to_string(), "7");

    let mut locals = String::from("locals {\n  l0 = 1\n");
    for i in 1..5_000 {
        writeln!(locals, "  l{i} = local.l{}", i - 1).unwrap();
    }
    locals.push_str("}\noutput \"o\" { value = local.l4999 }\n");
    let world = self::world(&[("main.tf", &locals)]);
    assert_eq!(world.only().output("o").unwrap().to_json().to_string(), "1");
}

#[test]
fn values_do_not_grow_without_bounds() {
    let chain = |step: &dyn Fn(usize) -> String, n: usize| {
        let mut text = String::from("locals {\n  l0 = \"x\"\n");
        for i in 1..n {
            writeln!(text, "  l{i} = {}", step(i - 1)).unwrap();
        }
        text.push_str("}\n");
        text
    };
    for (text, expected) in [
        (chain(&|i| format!("[local.l{i}, local.l{i}]"), 30), "too large or too deep"),
        (chain(&|i| format!("{{ a = local.l{i} }}"), 3_000), "too large or too deep"),
        (chain(&|i| format!("\"${{local.l{i}}}${{local.l{i}}}\""), 60), "longer than"),
        (chain(&|i| format!("yamlencode(local.l{i})"), 300), ""),
        (chain(&|i| format!("try(local.l{i}, 1)"), 3_000), ""),
    ] {
        let world = world(&[("main.tf", &text)]);
        assert!(world.ledger().contains(expected), "{expected}: {}", world.ledger());
    }
}

#[test]
fn what_may_not_exist_is_not_wrong() {
    let world = world(&[(
        "main.tf",
        "variable \"on\" {}\nvariable \"c\" { default = null }\nresource \"a\" \"b\" {\n  count = var.on && var.c != null ? 1 : 0\n  x = var.c.name\n}\n",
    )]);
    let x = world.resource("a.b").body.get("x").unwrap();
    assert_eq!(x.as_unknown().unwrap().kind, CauseKind::Input);
    assert_eq!(world.ledger(), "");
}

#[test]
fn blocks_may_have_computed_attributes() {
    check(
        &[(
            "main.tf",
            "resource \"a\" \"x\" {\n  b { c = 1 }\n}\nresource \"b\" \"y\" {\n  v = try(a.x.b[0].uri, null)\n  w = try([for x in [a.x] : x.b[0].uri][0], null)\n}\n",
        )],
        &[
            ("a.x", r#"{"b":[{"c":1}]}"#),
            (
                "b.y",
                r#"{"v":{"$unknown":"`a.x.b.uri` is known only after apply"},"w":{"$unknown":"`a.x.uri` is known only after apply"}}"#,
            ),
        ],
    );
}

#[test]
fn a_branch_that_is_not_taken_may_fail_deep_inside() {
    let world = world(&[(
        "main.tf",
        "variable \"c\" { default = null }\nlocals {\n  a = var.c == null ? {} : { k = [\"s:${var.c.name}\"] }\n  b = var.c == null ? [\"x\"] : [for v in var.c.list : upper(v)]\n}\noutput \"o\" { value = [local.a, local.b] }\n",
    )]);
    assert_eq!(world.only().output("o").unwrap().to_json().to_string(), r#"[{},["x"]]"#);
    assert_eq!(world.ledger(), "");
}

#[test]
fn options_give_values() {
    let options = Options {
        var_files: vec!["env/prod.tfvars".to_owned()],
        vars: vec![("c".to_owned(), "[3]".to_owned()), ("d".to_owned(), "[x]".to_owned())],
        workspace: Some("prod".to_owned()),
        kubernetes_version: None,
    };
    let world = world_with(
        &[
            (
                "main.tf",
                "variable \"a\" { default = 0 }\nvariable \"b\" { default = 0 }\nvariable \"c\" { type = list(number) }\nvariable \"d\" {}\n\
                 output \"o\" { value = [var.a, var.b, var.c, var.d, terraform.workspace] }\n",
            ),
            ("z.auto.tfvars", "a = 1\nb = 1\n"),
            ("env/prod.tfvars", "b = 2\n"),
        ],
        &options,
    );
    assert_eq!(world.only().output("o").unwrap().to_json().to_string(), r#"[1,2,[3],"[x]","prod"]"#);
}

#[test]
fn labels_nest_and_names_are_text() {
    check(
        &[(
            "main.tf",
            "resource \"a\" \"b\" {\n  provider = aws.west\n  depends_on = [c.d]\n  lifecycle { ignore_changes = [tags, x[0]] }\n  provisioner \"local-exec\" { command = self.name }\n  name = \"n\"\n}\n",
        )],
        &[(
            "a.b",
            r#"{"provider":"aws.west","depends_on":["c.d"],"lifecycle":[{"ignore_changes":["tags","x[0]"]}],"provisioner":[{"local-exec":[{"command":"n"}]}],"name":"n"}"#,
        )],
    );
}

const PLAN: &str = r#"{"format_version":"1.2","terraform_version":"1.11.4","variables":{"acl":{"value":"public"}},
"planned_values":{"root_module":{"resources":[{"address":"aws_s3_bucket.b","mode":"managed","type":"aws_s3_bucket","name":"b",
"values":{"acl":"public","tags":null,"logging":[],"password":"pw"},"sensitive_values":{"password":true}}]}},
"resource_changes":[{"address":"aws_s3_bucket.b","change":{"actions":["create"],"after_unknown":{"arn":true}}}]}"#;

#[test]
fn plans_by_themselves() {
    let world = world(&[("plan.json", PLAN)]);
    let bucket = world.resource("aws_s3_bucket.b");
    let body = bucket.body.to_json_as_configured().to_string();
    assert_eq!(
        body,
        r#"{"acl":"public","logging":[],"password":"(sensitive)","arn":{"$unknown":"`arn` is known only after apply"}}"#
    );
    assert_eq!(world.text(bucket.head), "\"aws_s3_bucket.b\"");
    assert_eq!(world.text(bucket.body.get("acl").unwrap().span()), "\"public\"");
}

#[test]
fn plans_beside_their_configuration() {
    let world = world(&[
        ("plan.json", PLAN),
        (
            "main.tf",
            "variable \"acl\" {}\nresource \"aws_s3_bucket\" \"b\" {\n  acl = var.acl\n  force_destroy = true\n}\n",
        ),
    ]);
    let bucket = world.resource("aws_s3_bucket.b");
    assert_eq!(world.text(bucket.head), "resource \"aws_s3_bucket\" \"b\"");
    let acl = bucket.body.get("acl").unwrap();
    assert_eq!((acl.as_str(), world.text(acl.span())), (Some("public"), "var.acl"));
    assert!(bucket.body.get("logging").is_none());
    assert_eq!(bucket.body.get("force_destroy").unwrap().as_bool(), Some(true));
}

/// What both syntaxes make of the same configuration, without places.
#[track_caller]
fn check_styles(native: &str, json: &str) {
    let bodies = |world: &World| -> Vec<(String, String)> {
        let resources = world.only().resources.iter();
        resources.map(|r| (r.address.to_string(), r.body.to_json_as_configured().to_string())).collect()
    };
    let (native, json) = (world(&[("main.tf", native)]), world(&[("main.tf.json", json)]));
    assert_eq!(bodies(&json), bodies(&native));
    assert_eq!((json.ledger(), native.ledger()), (String::new(), String::new()));
}

#[test]
fn json_syntax_makes_the_same_resources() {
    check_styles(
        "resource \"aws_security_group\" \"g\" {\n  ingress {\n    from_port = 22\n    cidr_blocks = [\"0.0.0.0/0\"]\n  }\n  tags = { ingress = \"x\" }\n}\n",
        r#"{"resource": {"aws_security_group": {"g": {"ingress": {"from_port": 22, "cidr_blocks": ["0.0.0.0/0"]}, "tags": {"ingress": "x"}}}}}"#,
    );
    check_styles(
        "resource \"aws_s3_bucket\" \"b\" {\n  lifecycle_rule {\n    enabled = true\n    transition { days = 1 }\n    transition { days = 2 }\n  }\n  lifecycle { prevent_destroy = true }\n}\n",
        r#"{"resource": [{"aws_s3_bucket": {"b": [{"lifecycle_rule": {"enabled": true, "transition": [{"days": 1}, {"days": 2}]}, "lifecycle": {"prevent_destroy": true}}]}}]}"#,
    );
    check_styles(
        "resource \"aws_security_group\" \"g\" {\n  dynamic \"ingress\" {\n    for_each = [22, 80]\n    content { from_port = ingress.value }\n  }\n}\n",
        r#"{"resource": {"aws_security_group": {"g": {"dynamic": {"ingress": {"for_each": [22, 80], "content": {"from_port": "${ingress.value}"}}}}}}}"#,
    );
    check_styles(
        "resource \"aws_s3_bucket\" \"b\" {\n  dynamic \"lifecycle_rule\" {\n    for_each = [1]\n    content {\n      dynamic \"transition\" {\n        for_each = [7]\n        content { days = transition.value }\n      }\n    }\n  }\n}\n",
        r#"{"resource": {"aws_s3_bucket": {"b": {"dynamic": {"lifecycle_rule": {"for_each": [1], "content": {"dynamic": [{"transition": {"for_each": [7], "content": {"days": "${transition.value}"}}}]}}}}}}}"#,
    );
    check_styles(
        "data \"aws_iam_policy_document\" \"d\" {\n  statement {\n    actions = [\"s3:*\"]\n    principals {\n      type = \"*\"\n      identifiers = [\"*\"]\n    }\n  }\n}\n",
        r#"{"data": {"aws_iam_policy_document": {"d": {"statement": {"actions": ["s3:*"], "principals": {"type": "*", "identifiers": ["*"]}}}}}}"#,
    );
    check_styles(
        "provider \"aws\" {\n  region = \"r\"\n  default_tags { tags = { a = 1 } }\n}\n",
        r#"{"provider": {"aws": {"region": "r", "default_tags": {"tags": {"a": 1}}}}}"#,
    );
    // What no provider in the table has stays as it is written.
    check_styles(
        "resource \"other_thing\" \"t\" {\n  x = { y = 1 }\n}\n",
        r#"{"resource": {"other_thing": {"t": {"x": {"y": 1}}}}}"#,
    );
    // An expression in place of a block is none.
    check_styles(
        "locals { l = [] }\nresource \"aws_security_group\" \"g\" {\n  ingress = local.l\n}\n",
        r#"{"locals": {"l": []}, "resource": {"aws_security_group": {"g": {"ingress": "${local.l}"}}}}"#,
    );
}

#[test]
fn public_modules_are_judged_by_their_inputs() {
    let text = "variable \"open\" { default = false }\nmodule \"b\" {\n  source  = \"terraform-aws-modules/s3-bucket/aws\"\n  version = \"~> 3.7\"\n  bucket  = \"n\"\n  acl     = \"public-read\"\n  versioning = {\n    enabled = var.open\n  }\n}\nresource \"x\" \"y\" {\n  id    = module.b.s3_bucket_id\n  other = module.b.something\n}\n";
    let world = world(&[("main.tf", text)]);
    assert_eq!(
        world.ledger(),
        "Missing `\"terraform-aws-modules/s3-bucket/aws\"`: module `b` is not here: `terraform init` would fetch `terraform-aws-modules/s3-bucket/aws`; what it makes is judged by its published inputs\n"
    );
    let place = |address: &str, path: &[&str]| {
        let resource = world.resource(address);
        let mut value = resource.body.clone();
        for step in path {
            value = match step.parse::<usize>() {
                Ok(i) => value.as_list().unwrap()[i].clone(),
                Err(_) => value.get(step).unwrap().clone(),
            };
        }
        format!("{} at {}", value.to_json(), world.text(value.span()))
    };
    assert_eq!(place("module.b.aws_s3_bucket_acl.this[0]", &["acl"]), "\"public-read\" at \"public-read\"");
    let status = ["versioning_configuration", "0", "status"];
    assert_eq!(place("module.b.aws_s3_bucket_versioning.this[0]", &status), "\"Suspended\" at var.open");
    let block = "module.b.aws_s3_bucket_public_access_block.this[0]";
    assert_eq!(place(block, &["block_public_acls"]), "false at module \"b\"");
    let resource = world.resource(block);
    assert_eq!(world.text(resource.head), "module \"b\"");
    assert!(resource.callers.is_empty());
    assert!(world.only().resources.iter().all(|r| !r.address.contains("server_side")));
    assert!(world.only().resources.iter().all(|r| &*r.kind != "variable" || &*r.address == "var.open"));
    assert_eq!(world.resource("x.y").body.get("other").unwrap().as_unknown().unwrap().kind, CauseKind::Missing);
    assert!(world.edges().contains("x.y -id-> module.b.aws_s3_bucket.this[0]"), "{}", world.edges());
    for resource in &world.only().resources {
        assert!(world.files.get(resource.span.file).is_some(), "{}", resource.address);
        every_place(&resource.body, &mut |span| {
            assert!(span.is_none() || world.files.get(span.file).is_some(), "{}", resource.address);
        });
    }
}

/// Calls `f` with the places of a value and of all in it.
fn every_place(value: &Value, f: &mut dyn FnMut(Span)) {
    use crate::graph::Data;
    f(value.origin.span);
    value.origin.chain().iter().for_each(|o| f(o.span));
    match &value.data {
        Data::List(items) => items.iter().for_each(|item| every_place(item, f)),
        Data::Map(map) => {
            map.head.into_iter().for_each(&mut *f);
            for entry in &map.entries {
                f(entry.key_span);
                every_place(&entry.value, f);
            }
        }
        Data::Unknown(cause) => f(cause.span),
        _ => {}
    }
}

#[test]
fn versions_of_public_modules_decide_defaults() {
    let open = |version: &str| {
        let text = format!("module \"b\" {{\n  source = \"terraform-aws-modules/s3-bucket/aws\"\n{version}}}\n");
        let world = world(&[("main.tf", &text)]);
        let resource = world.resource("module.b.aws_s3_bucket_public_access_block.this[0]");
        resource.body.get("block_public_acls").unwrap().as_bool()
    };
    assert_eq!(open("version = \"3.7.0\"\n"), Some(false));
    assert_eq!(open("version = \"~> 4.1\"\n"), Some(true));
    assert_eq!(open("version = \"~> 4.1.2, != 4.1.5\"\n"), Some(true));
    assert_eq!(open("version = \">= 3.0\"\n"), None);
    assert_eq!(open(""), None);
    assert_eq!(open("block_public_acls = true\n"), Some(true));
}

#[test]
fn fetched_modules_win_over_stand_ins() {
    let world = world(&[
        ("main.tf", "module \"b\" {\n  source = \"terraform-aws-modules/s3-bucket/aws\"\n}\n"),
        (
            ".terraform/modules/modules.json",
            r#"{"Modules":[{"Key":"","Dir":"."},{"Key":"b","Dir":".terraform/modules/b"}]}"#,
        ),
        (".terraform/modules/b/main.tf", "resource \"real\" \"one\" {}\n"),
    ]);
    assert_eq!(world.ledger(), "");
    world.resource("module.b.real.one");
    assert_eq!(world.only().resources.len(), 2);
}

#[test]
fn configurations_that_grow_without_end_are_cut_short() {
    let mut chain = String::from("locals {\n  l0 = \"x: '''\"\n");
    for i in 1..3_000 {
        writeln!(chain, "  l{i} = yamlencode(local.l{})", i - 1).unwrap();
    }
    chain.push_str("}\n");
    let lists = format!("locals {{\n  l = {}1{}\n}}\n", "[".repeat(100_000), "]".repeat(100_000));
    let mut heavy = String::from("locals {\n");
    for i in 0..400 {
        writeln!(heavy, "  l{i} = length([for a in range(1000) : [for b in range(200) : a]])").unwrap();
    }
    heavy.push_str("}\n");
    for (text, expected) in [
        (&*chain, "grow beyond all use"),
        (&*heavy, "grow beyond all use"),
        (&*lists, ""),
        ("resource \"r\" \"x\" { count = 1000000 }\n", "of 1000000 instances only the first 1000"),
        ("locals {\n  a = local.b\n  b = local.a\n}\n", "refers to itself"),
        ("module \"m\" { source = \"./\" }\n", "calls itself"),
    ] {
        let world = world(&[("main.tf", text)]);
        let first = world.ledger().lines().next().unwrap_or_default().to_owned();
        assert!(world.ledger().contains(expected), "{expected}: {first}");
    }
}

#[test]
fn references_are_held_against_what_cannot_exist() {
    let world = world(&[(
        "main.tf",
        "resource \"terraform_data\" \"u\" { input = \"x\" }\noutput \"a\" { value = can(terraform_data.u.id.foo) }\noutput \"b\" { value = try(terraform_data.u.nothing, 1) }\noutput \"c\" { value = terraform_data.u.output == [\"x\"] }\n",
    )]);
    let outputs = world.only().outputs.clone().unwrap();
    let shown: Vec<String> = outputs.entries.iter().map(|e| e.value.to_json().to_string()).collect();
    assert!(shown[0].contains("$unknown") && shown[1].contains("$unknown"), "{shown:?}");
    assert_eq!(shown[2], "false");
}

/// What a text was encoded from.
fn encoded(value: &Value) -> &Value {
    match &value.origin.how {
        How::Encoded(inner) => inner,
        how => panic!("nothing is encoded: {how:?}"),
    }
}

#[test]
fn documents_with_unknown_parts_are_known_otherwise() {
    let world = world(&[(
        "main.tf",
        "resource \"aws_sqs_queue\" \"q\" {}\nlocals {\n  doc = jsonencode({ Statement = [{ Effect = \"Allow\", Resource = aws_sqs_queue.q.arn }] })\n}\nresource \"p\" \"local\" {\n  policy = local.doc\n}\nresource \"p\" \"heredoc\" {\n  policy = <<-EOT\n    {\n      \"Statement\": [{\n        \"Principal\": \"*\",\n        \"Resource\": \"${aws_sqs_queue.q.arn}/x\",\n        \"Condition\": {\"Is\": {\"${aws_sqs_queue.q.name}:sub\": ${jsonencode([aws_sqs_queue.q.id, 1])}}}\n      }, ${aws_sqs_queue.q.more}]\n    }\n  EOT\n}\nresource \"p\" \"broken\" {\n  policy = \"{${aws_sqs_queue.q.arn}\"\n}\n",
    )]);
    let policy = |address: &str| world.resource(address).body.get("policy").unwrap().clone();
    let local = policy("p.local");
    assert_eq!(
        encoded(&local).to_json().to_string(),
        r#"{"Statement":[{"Effect":"Allow","Resource":{"$unknown":"`aws_sqs_queue.q.arn` is known only after apply"}}]}"#
    );
    let heredoc = policy("p.heredoc");
    assert!(heredoc.as_unknown().is_some());
    let document = encoded(&heredoc);
    assert_eq!(
        document.to_json().to_string(),
        r#"{"Statement":[{"Principal":"*","Resource":{"$unknown":"`aws_sqs_queue.q.arn` is known only after apply"},"Condition":{"Is":{"${…}:sub":[{"$unknown":"`aws_sqs_queue.q.id` is known only after apply"},1]}}},{"$unknown":"`aws_sqs_queue.q.more` is known only after apply"}]}"#
    );
    let statement = &document.get("Statement").unwrap().as_list().unwrap()[0];
    assert_eq!(world.text(statement.get("Principal").unwrap().span()), "\"*\"");
    assert_eq!(world.text(statement.get("Resource").unwrap().span()), "\"${aws_sqs_queue.q.arn}/x\"");
    assert!(!matches!(policy("p.broken").origin.how, How::Encoded(_)));
}

#[test]
fn blocks_that_change_nothing_are_tolerated() {
    check(
        &[(
            "main.tf",
            "terraform {\n  required_version = \">= 1.5\"\n}\nmoved {\n  from = a.old\n  to = a.x\n}\nimport {\n  to = a.x\n  id = \"i\"\n}\nremoved {\n  from = a.gone\n  lifecycle { destroy = false }\n}\n\
             check \"health\" {\n  data \"http\" \"probe\" { url = a.x.url }\n  assert {\n    condition = data.http.probe.status_code == 200\n    error_message = \"down\"\n  }\n}\n\
             variable \"token\" {\n  ephemeral = true\n  default = \"t\"\n}\nephemeral \"aws_secret\" \"s\" { name = \"n\" }\nresource \"a\" \"x\" {\n  url = \"u\"\n  secret_wo = ephemeral.aws_secret.s.value\n}\n",
        )],
        &[
            ("data.http.probe", r#"{"url":"u"}"#),
            ("ephemeral.aws_secret.s", r#"{"name":"n"}"#),
            (
                "a.x",
                r#"{"url":"u","secret_wo":{"$unknown":"`ephemeral.aws_secret.s.value` is known only after apply"}}"#,
            ),
        ],
    );
}

#[test]
fn overrides_and_opentofu_files() {
    let world = world(&[
        (
            "main.tf",
            "resource \"a\" \"x\" {\n  k = 1\n  l = 1\n  b { c = 1 }\n}\nlocals { v = 1 }\nvariable \"w\" { default = 1 }\noutput \"o\" { value = [local.v, var.w] }\n",
        ),
        ("override.tf", "resource \"a\" \"x\" {\n  k = 2\n  b { c = 2 }\n}\nlocals { v = 2 }\n"),
        ("z_override.tf.json", r#"{"variable": {"w": {"default": 3}}, "resource": {"a": {"x": {"k": 3}}}}"#),
        ("other.tf", "resource \"a\" \"lost\" {}\n"),
        ("other.tofu", "resource \"a\" \"tofu\" {}\n"),
    ]);
    let x = world.resource("a.x");
    assert_eq!(x.body.to_json_as_configured().to_string(), r#"{"l":1,"b":[{"c":2}],"k":3}"#);
    assert_eq!(world.only().output("o").unwrap().to_json().to_string(), "[2,3]");
    world.resource("a.tofu");
    assert!(world.only().resources.iter().all(|r| &*r.address != "a.lost"));
    assert_eq!(world.ledger(), "");
}

const PLAN_OF_MODULES: &str = r#"{"format_version":"1.2","terraform_version":"1.11.4",
"planned_values":{"root_module":{"child_modules":[{"address":"module.m[\"a\"]","resources":[
{"address":"module.m[\"a\"].aws_db_instance.d[0]","mode":"managed","type":"aws_db_instance","name":"d","index":0,
"values":{"password":"hunter2","storage_encrypted":false,"tags":{"k":"v"}},"sensitive_values":{"password":true,"tags":{}}}]}]}},
"resource_changes":[{"address":"module.m[\"a\"].aws_db_instance.d[0]","change":{"actions":["create"],"after_unknown":{"arn":true,"tags":{}}}}]}"#;

#[test]
fn plans_reach_into_modules_and_show_no_secret() {
    let module = "variable \"p\" {\n  sensitive = true\n}\nresource \"aws_db_instance\" \"d\" {\n  count = 1\n  password = var.p\n  storage_encrypted = var.p == \"\"\n  tags = { k = \"v\" }\n}\n";
    let world = world(&[
        ("plan.json", PLAN_OF_MODULES),
        (
            "main.tf",
            "variable \"p\" {}\nmodule \"m\" {\n  source = \"./m\"\n  for_each = toset([\"a\"])\n  p = var.p\n}\n",
        ),
        ("m/main.tf", module),
    ]);
    let instance = world.resource("module.m[\"a\"].aws_db_instance.d[0]");
    assert_eq!(world.text(instance.head), "resource \"aws_db_instance\" \"d\"");
    let encrypted = instance.body.get("storage_encrypted").unwrap();
    assert_eq!((encrypted.as_bool(), world.text(encrypted.span())), (Some(false), "var.p == \"\""));
    assert!(matches!(encrypted.origin.how, How::Planned), "{:?}", encrypted.origin.how);
    let password = instance.body.get("password").unwrap();
    assert!(password.origin.sensitive);
    assert_eq!(world.text(password.span()), "var.p");
    let shown = instance.body.to_json().to_string();
    assert!(!shown.contains("hunter2"), "{shown}");
    assert_eq!(instance.callers.len(), 1);
    assert_eq!(world.only().resources.iter().filter(|r| &*r.kind == "aws_db_instance").count(), 1);
}

#[test]
fn modules_that_nobody_calls_are_evaluated_with_unknown_inputs() {
    let world = world(&[(
        "modules/x/main.tf",
        "variable \"acl\" { type = string }\nvariable \"on\" {\n  type = bool\n  default = true\n}\nresource \"a\" \"x\" {\n  acl = var.acl\n  on = var.on\n}\n",
    )]);
    let x = world.resource("a.x");
    assert_eq!(x.body.get("acl").unwrap().as_unknown().unwrap().kind, CauseKind::Input);
    assert_eq!(x.body.get("on").unwrap().as_bool(), Some(true));
}

#[test]
fn what_is_not_declared_leaves_the_rest_known() {
    let world = world(&[(
        "main.tf",
        "resource \"p\" \"p\" {\n  policy = <<EOT\n{\"Principal\": \"*\", \"Resource\": \"${aws_sqs_queue.q.arn}\", \"Account\": \"${var.account}\"}\nEOT\n  list = [local.nope, 1]\n  tried = try(module.nope.x, 1)\n}\n",
    )]);
    let body = &world.resource("p.p").body;
    assert_eq!(
        encoded(body.get("policy").unwrap()).to_json().to_string(),
        r#"{"Principal":"*","Resource":{"$unknown":"`aws_sqs_queue.q` is not declared"},"Account":{"$unknown":"variable `account` is not declared"}}"#
    );
    assert_eq!(body.get("list").unwrap().to_json().to_string(), r#"[{"$unknown":"local `nope` is not declared"},1]"#);
    assert!(body.get("tried").unwrap().as_unknown().is_some());
    assert_eq!(
        world.ledger(),
        "Undeclared `aws_sqs_queue`: `aws_sqs_queue.q` is not declared\nError `var`: variable `account` is not declared\nError `local`: local `nope` is not declared\nError `module`: module `nope` is not declared\n"
    );
}

#[test]
fn ends_of_texts_are_known() {
    let world = world(&[(
        "main.tf",
        "variable \"x\" {}\nlocals { url = \"http://${var.x}/${var.x}/index\" }\nresource \"p\" \"p\" {\n  a = local.url\n  b = \"${var.x}-end\"\n  c = \"${var.x}\"\n  d = \"%{ if var.x }a%{ else }b%{ endif }: z\"\n  e = jsonencode([\"s-${var.x}\"])\n}\n",
    )]);
    let ends = |name: &str| match &world.resource("p.p").body.get(name).unwrap().origin.how {
        How::Partial(ends) => Some(format!("{}…{}", ends.start, ends.end)),
        _ => None,
    };
    assert_eq!(ends("a").as_deref(), Some("http://…/index"));
    assert_eq!(ends("b").as_deref(), Some("…-end"));
    assert_eq!(ends("c"), None);
    assert_eq!(ends("d").as_deref(), Some("…: z"));
    let document = encoded(world.resource("p.p").body.get("e").unwrap());
    assert!(matches!(&document.as_list().unwrap()[0].origin.how, How::Partial(_)));
}

#[test]
fn folders_beside_the_working_directory_have_files_too() {
    let world = world(&[
        (
            "../w/root/main.tf",
            "module \"m\" { source = \"../mod\" }\noutput \"o\" {\n  value = [file(\"d/a.txt\"), fileset(\"d\", \"*\"), module.m.o, try(file(\"../../x\"), 1)]\n}\n",
        ),
        ("../w/root/d/a.txt", "text"),
        ("../w/mod/main.tf", "output \"o\" { value = fileset(path.module, \"*.md\") }\n"),
        ("../w/mod/b.md", "text"),
    ]);
    assert_eq!(
        world.only().output("o").unwrap().to_json().to_string(),
        r#"["text",["a.txt"],["b.md"],{"$unknown":"`../x` lies outside of the workspace"}]"#
    );
}

#[test]
fn names_draw_edges() {
    let world = world(&[
        (
            "main.tf",
            "locals { n = \"logs\" }\nvariable \"x\" {}\n\
             resource \"aws_s3_bucket\" \"a\" { bucket = \"data\" }\n\
             resource \"aws_s3_bucket\" \"b\" { bucket = local.n }\n\
             resource \"aws_s3_bucket\" \"c\" { bucket = var.x }\n\
             resource \"aws_s3_bucket_acl\" \"a\" { bucket = \"data\" }\n\
             resource \"aws_s3_bucket_logging\" \"a\" {\n  bucket = aws_s3_bucket.a.id\n  target_bucket = local.n\n}\n\
             resource \"aws_s3_bucket_acl\" \"c\" { bucket = var.x }\n\
             resource \"aws_s3_bucket_acl\" \"d\" { bucket = \"elsewhere\" }\n\
             module \"m\" {\n  source = \"./m\"\n  name = \"app\"\n}\n\
             resource \"aws_iam_role\" \"r\" { name = \"app\" }\n",
        ),
        ("m/main.tf", "variable \"name\" {}\nresource \"aws_iam_role_policy\" \"p\" { role = var.name }\n"),
    ]);
    let edges = world.edges();
    let drawn: Vec<&str> = edges.lines().filter(|line| line.contains("aws_") && !line.contains("-name->")).collect();
    assert_eq!(
        drawn,
        [
            "aws_s3_bucket_acl.a -bucket-> aws_s3_bucket.a",
            "aws_s3_bucket_logging.a -bucket-> aws_s3_bucket.a",
            "aws_s3_bucket_logging.a -target_bucket-> aws_s3_bucket.b",
            "module.m.aws_iam_role_policy.p -role-> aws_iam_role.r",
        ]
    );
}
