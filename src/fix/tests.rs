//! Edits, each with the text before and after.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test stops at the first surprise")]

use super::plan::Planner;
use super::{Candidate, apply, choose};
use crate::base::{FileId, Files, Span};
use crate::diagnostic::{Edit, Fix, Safety};
use crate::graph::{Data, How, Map, Origin, ResourceId, Value};
use crate::policy::fix::{FixRequest, FixTarget};
use pretty_assertions::assert_eq;

/// A workspace of one or more files, and places in them by their text.
struct Case {
    files: Files,
}

impl Case {
    fn new(files: &[(&str, &str)]) -> Case {
        let mut table = Files::default();
        for (path, text) in files {
            table.set(path, (*text).into());
        }
        Case { files: table }
    }

    /// The span of the first `needle` in the first file that holds it.
    fn span(&self, needle: &str) -> Span {
        self.files
            .iter()
            .find_map(|f| f.text.find(needle).map(|i| Span::new(f.id, i..i + needle.len())))
            .unwrap_or_else(|| panic!("{needle:?} is nowhere"))
    }

    fn string(&self, text: &str, needle: &str) -> Value {
        Value::string(text, self.span(needle))
    }

    fn container(&self, needle: &str) -> Value {
        Value::map(Map::new(None), self.span(needle))
    }

    fn insert(&self, container: Value, head: Option<&str>, names: &[&str], blocks: usize, new: Value) -> FixTarget {
        FixTarget::InsertValue {
            container,
            head: head.map(|h| self.span(h)),
            names: names.iter().map(ToString::to_string).collect(),
            blocks,
            new,
        }
    }

    fn plan(&self, actions: Vec<FixTarget>) -> Option<Fix> {
        Planner::new(&self.files).plan(&FixRequest {
            policy: "p".into(),
            resource: ResourceId(0),
            title: "t".into(),
            safety: Safety::Safe,
            actions,
        })
    }

    /// The first changed file after the actions.
    fn run(&self, actions: Vec<FixTarget>) -> String {
        let fix = self.plan(actions).unwrap_or_else(|| panic!("there is no fix"));
        let changed = apply(&self.files, [&fix]);
        changed.first().unwrap_or_else(|| panic!("nothing changed")).after.to_string()
    }
}

fn bool(b: bool) -> Value {
    Value::bool(b, Span::NONE)
}

fn string(s: &str) -> Value {
    Value::string(s, Span::NONE)
}

#[test]
fn hcl_values_are_replaced_where_they_stand() {
    let case = Case::new(&[("a.tf", "resource \"a\" \"b\" {\n  acl = \"public\" # why\n}\n")]);
    let set = |new| vec![FixTarget::SetValue { old: case.string("public", "\"public\""), key: None, new }];
    assert_eq!(case.run(set(string("private"))), "resource \"a\" \"b\" {\n  acl = \"private\" # why\n}\n");
    assert_eq!(case.run(set(bool(true))), "resource \"a\" \"b\" {\n  acl = true # why\n}\n");
}

#[test]
fn a_value_is_mended_where_it_is_written() {
    let case =
        Case::new(&[("main.tf", "resource \"a\" \"b\" {\n  acl = var.acl\n}\n"), ("x.tfvars", "acl = \"public\"\n")]);
    let literal = Origin::literal(case.span("\"public\""));
    let variable = Origin::derived(case.span("acl = \"public\""), How::Variable, vec![literal]);
    let old = Value {
        data: Data::String("public".into()),
        origin: Origin::derived(case.span("var.acl"), How::Variable, vec![variable]),
    };
    let action = FixTarget::SetValue { old: old.clone(), key: None, new: string("private") };
    let fix = case.plan(vec![action]).unwrap();
    assert_eq!(fix.safety, Safety::Safe);
    assert_eq!(apply(&case.files, [&fix])[0].after.to_string(), "acl = \"private\"\n");

    // Where no literal is to be found the expression goes, and that is not safe.
    let computed = Value { origin: Origin::literal(case.span("var.acl")), ..old };
    let fix = case.plan(vec![FixTarget::SetValue { old: computed, key: None, new: string("private") }]).unwrap();
    assert_eq!(fix.safety, Safety::Unsafe);
    assert_eq!(apply(&case.files, [&fix])[0].after.to_string(), "resource \"a\" \"b\" {\n  acl = \"private\"\n}\n");
}

#[test]
fn hcl_attributes_are_inserted_in_line_with_their_neighbours() {
    #[track_caller]
    fn check(before: &str, names: &[&str], blocks: usize, after: &str) {
        let case = Case::new(&[("a.tf", before)]);
        let whole = before.trim_end();
        let action = case.insert(case.container(whole), None, names, blocks, bool(true));
        assert_eq!(case.run(vec![action]), after);
    }
    // Shorter than its neighbours, longer than they are, and among lines that nobody aligned.
    check(
        "resource \"a\" \"b\" {\n  bucket = \"x\"\n  acl    = \"y\" # z\n\n  tags {\n  }\n}\n",
        &["lock"],
        0,
        "resource \"a\" \"b\" {\n  bucket = \"x\"\n  acl    = \"y\" # z\n  lock   = true\n\n  tags {\n  }\n}\n",
    );
    check(
        "resource \"a\" \"b\" {\n  # first\n  a  = 1\n\n  id = 2\n  b  = 3\n}\n",
        &["encrypted"],
        0,
        "resource \"a\" \"b\" {\n  # first\n  a  = 1\n\n  id        = 2\n  b         = 3\n  encrypted = true\n}\n",
    );
    check(
        "resource \"a\" \"b\" {\n  a = 1\n  bcd = 3\n}\n",
        &["e"],
        0,
        "resource \"a\" \"b\" {\n  a = 1\n  bcd = 3\n  e = true\n}\n",
    );
    // Behind a value of several lines a new alignment begins.
    check(
        "resource \"a\" \"b\" {\n  name = 1\n  tags = {\n    a = 1\n  }\n}\n",
        &["encrypted"],
        0,
        "resource \"a\" \"b\" {\n  name = 1\n  tags = {\n    a = 1\n  }\n  encrypted = true\n}\n",
    );
    // Empty blocks are opened, in whatever form they stand.
    check("resource \"a\" \"b\" {}\n", &["e"], 0, "resource \"a\" \"b\" {\n  e = true\n}\n");
    check("resource \"a\" \"b\" {\n}\n", &["e"], 0, "resource \"a\" \"b\" {\n  e = true\n}\n");
    check("resource \"a\" \"b\" { name = 1 }\n", &["e"], 0, "resource \"a\" \"b\" {\n  name = 1\n  e    = true\n}\n");
    check(
        "resource \"a\" \"b\" {\n  t {\n  }\n}\n",
        &["e"],
        0,
        "resource \"a\" \"b\" {\n  e = true\n\n  t {\n  }\n}\n",
    );
    // Nested blocks come last, objects like attributes.
    check(
        "resource \"a\" \"b\" {\n  a = 1\n}\n",
        &["rule", "apply", "e"],
        2,
        "resource \"a\" \"b\" {\n  a = 1\n\n  rule {\n    apply {\n      e = true\n    }\n  }\n}\n",
    );
    check(
        "resource \"a\" \"b\" {\n  a = 1\n}\n",
        &["rule", "e"],
        0,
        "resource \"a\" \"b\" {\n  a = 1\n  rule = {\n    e = true\n  }\n}\n",
    );
    // An attribute that is null gets a value; line ends stay what they are.
    check("resource \"a\" \"b\" {\n  e = null\n}\n", &["e"], 0, "resource \"a\" \"b\" {\n  e = true\n}\n");
    check(
        "resource \"a\" \"b\" {\r\n  a = 1\r\n}\r\n",
        &["r", "e"],
        1,
        "resource \"a\" \"b\" {\r\n  a = 1\r\n\r\n  r {\r\n    e = true\r\n  }\r\n}\r\n",
    );
}

#[test]
fn hcl_objects_take_new_members_in_their_own_style() {
    #[track_caller]
    fn check(object: &str, after: &str) {
        let case = Case::new(&[("a.tf", &format!("x \"y\" {{\n  tags = {object}\n}}\n"))]);
        let action = case.insert(case.container(object), None, &["env"], 0, string("prod"));
        assert_eq!(case.run(vec![action]), format!("x \"y\" {{\n  tags = {after}\n}}\n"));
    }
    check("{}", "{\n    env = \"prod\"\n  }");
    check("{ a = 1 }", "{ a = 1, env = \"prod\" }");
    check("{\n    a     = 1\n    owner = 2\n  }", "{\n    a     = 1\n    owner = 2\n    env   = \"prod\"\n  }");
    check("{\n    \"a\" : 1, # c\n  }", "{\n    \"a\" : 1, # c\n    \"env\": \"prod\",\n  }");
}

#[test]
fn hcl_things_are_removed_with_their_lines() {
    #[track_caller]
    fn check(before: &str, needle: &str, after: &str) {
        let case = Case::new(&[("a.tf", before)]);
        let value = Value::string("x", case.span(needle));
        let container = Value::default();
        assert_eq!(case.run(vec![FixTarget::Remove { value, key: None, container }]), after);
    }
    check(
        "r \"a\" {\n  # of b\n  b = 1\n  c = 2 # of c\n  d = 3\n}\n",
        "2",
        "r \"a\" {\n  # of b\n  b = 1\n  d = 3\n}\n",
    );
    // What stood in line with something wider moves together.
    check("r \"a\" {\n  b    = 1\n  wide = 2\n  cc   = 3\n}\n", "2", "r \"a\" {\n  b  = 1\n  cc = 3\n}\n");
    check("r \"a\" {\n  b   = 1\n  cc  = 2\n  ddd = 3\n}\n", "1", "r \"a\" {\n  cc  = 2\n  ddd = 3\n}\n");
    check(
        "r \"a\" {\n  b = 1\n\n  t {\n    x = 2\n  }\n\n  u {\n  }\n}\n",
        "t {\n    x = 2\n  }",
        "r \"a\" {\n  b = 1\n\n  u {\n  }\n}\n",
    );
    check("r \"a\" {\n  l = [\"x\", \"y\", \"z\"]\n}\n", "\"y\"", "r \"a\" {\n  l = [\"x\", \"z\"]\n}\n");
    check("r \"a\" {\n  l = [\"x\", \"y\"]\n}\n", "\"y\"", "r \"a\" {\n  l = [\"x\"]\n}\n");
    check(
        "r \"a\" {\n  l = [\n    \"x\",\n    \"y\", # no\n  ]\n}\n",
        "\"y\"",
        "r \"a\" {\n  l = [\n    \"x\",\n  ]\n}\n",
    );
    check("r \"a\" { b = 1 }\n", "1", "r \"a\" { }\n");
}

#[test]
fn a_part_of_a_text_is_rewritten() {
    let case = Case::new(&[("a.tf", "r \"a\" {\n  url = \"http://x/y\"\n}\n")]);
    let value = case.string("http://x/y", "\"http://x/y\"");
    let rewrite = |value, range, text: &str| vec![FixTarget::Rewrite { value, range, text: text.into() }];
    assert_eq!(case.run(rewrite(value, 0..4, "https")), "r \"a\" {\n  url = \"https://x/y\"\n}\n");

    // The words of a RUN stand apart in the source; the part is found where it stands alone.
    let docker = Case::new(&[("Dockerfile", "FROM a\nRUN apt-get \\\n    install curl\n")]);
    let value = Value::string("apt-get     install curl", docker.span("apt-get \\\n    install curl"));
    assert_eq!(
        docker.run(rewrite(value.clone(), 12..19, "install -y")),
        "FROM a\nRUN apt-get \\\n    install -y curl\n"
    );
    assert!(docker.plan(rewrite(value, 7..8, "  ")).is_none(), "a space stands there more than once");
}

#[test]
fn yaml_keys_are_inserted_at_the_indentation_of_their_mapping() {
    #[track_caller]
    fn check(before: &str, container: &str, names: &[&str], new: Value, after: &str) {
        let case = Case::new(&[("a.yaml", before)]);
        let action = case.insert(case.container(container), None, names, 0, new);
        assert_eq!(case.run(vec![action]), after);
    }
    let pod = "spec:\n  containers:\n    - name: web # the shop\n      image: x:1 # pin\n    - name: b\n";
    check(
        pod,
        "name: web # the shop\n      image: x:1",
        &["securityContext", "runAsNonRoot"],
        bool(true),
        "spec:\n  containers:\n    - name: web # the shop\n      image: x:1 # pin\n      securityContext:\n        runAsNonRoot: true\n    - name: b\n",
    );
    let drop = Value::list(vec![string("ALL")], Span::NONE);
    check(
        "a:\n  b: 1\nc: 2",
        "b: 1",
        &["caps", "drop"],
        drop.clone(),
        "a:\n  b: 1\n  caps:\n    drop:\n      - ALL\nc: 2",
    );
    // Flow style, empty maps, keys without a value, JSON, Windows.
    check("a: {b: 1}\n", "{b: 1}", &["c"], string("yes"), "a: {b: 1, c: \"yes\"}\n");
    check("a: {}\n", "{}", &["c"], drop, "a: {c: [\"ALL\"]}\n");
    check("s:\n  a: 1\n  b:\n", "a: 1\n  b:", &["b", "c"], bool(false), "s:\n  a: 1\n  b:\n    c: false\n");
    check(
        "s:\r\n  a: 1\r\nt: 2\r\n",
        "a: 1",
        &["b", "c"],
        bool(false),
        "s:\r\n  a: 1\r\n  b:\r\n    c: false\r\nt: 2\r\n",
    );
    let case = Case::new(&[("a.json", "{\n  \"a\": {\n    \"b\": 1\n  }\n}\n")]);
    let action = case.insert(case.container("{\n    \"b\": 1\n  }"), None, &["c", "d"], 0, string("x"));
    assert_eq!(case.run(vec![action]), "{\n  \"a\": {\n    \"b\": 1,\n    \"c\": {\"d\": \"x\"}\n  }\n}\n");
}

#[test]
fn several_keys_of_one_new_map_stand_in_one_map() {
    let case = Case::new(&[("a.yaml", "a: 1\n")]);
    let at = || case.container("a: 1");
    let actions = vec![
        case.insert(at(), None, &["s", "x"], 0, bool(true)),
        case.insert(at(), None, &["s", "q"], 0, bool(false)),
        case.insert(at(), None, &["z"], 0, Value::int(3, Span::NONE)),
    ];
    assert_eq!(case.run(actions), "a: 1\ns:\n  x: true\n  q: false\nz: 3\n");
}

#[test]
fn yaml_scalars_keep_their_quotes() {
    #[track_caller]
    fn check(written: &str, old: Value, new: Value, after: &str) {
        let case = Case::new(&[("a.yaml", &format!("a: {written} # c\n"))]);
        let old = Value { origin: Origin::literal(case.span(written)), ..old };
        assert_eq!(case.run(vec![FixTarget::SetValue { old, key: None, new }]), format!("a: {after} # c\n"));
    }
    check("true", bool(true), bool(false), "false");
    check("'x'", string("x"), string("it's"), "'it''s'");
    check("\"x\"", string("x"), string("y"), "\"y\"");
    check("x", string("x"), string("yes"), "\"yes\"");
    check("x", string("x"), string("latest"), "latest");
    check("\"1\"", string("1"), Value::int(2, Span::NONE), "2");
}

#[test]
fn yaml_entries_are_removed() {
    #[track_caller]
    fn check(before: &str, key: &str, value: &str, after: Option<&str>) {
        let case = Case::new(&[("a.yaml", before)]);
        let action = FixTarget::Remove {
            value: case.string("x", value),
            key: Some(case.span(key)),
            container: Value::default(),
        };
        let fix = case.plan(vec![action]);
        let text = fix.map(|f| apply(&case.files, [&f])[0].after.to_string());
        assert_eq!(text.as_deref(), after);
    }
    check("s:\n  # of it\n  p: true\n  q: 1\n", "p", "true", Some("s:\n  # of it\n  q: 1\n"));
    check("s:\n  - p: true\n    q: 1\n", "p", "true", Some("s:\n  - q: 1\n"));
    check("s: {p: true, q: 1}\n", "p", "true", Some("s: {q: 1}\n"));
    // The last one leaves an empty mapping; not where a comment would then be said of nothing.
    check("s:\n  p: true # why\nt: 1\n", "p", "true", Some("s: {} # why\nt: 1\n"));
    check("- p:\n    q: 1\n- x\n", "q", "1", Some("- p: {}\n- x\n"));
    check("s:\n  # of it\n  p: true\n", "p", "true", None);
    let case = Case::new(&[("a.yaml", "l:\n  - a\n  - b # no\n  - c\n")]);
    let action = FixTarget::Remove { value: case.string("b", "b"), key: None, container: Value::default() };
    assert_eq!(case.run(vec![action]), "l:\n  - a\n  - c\n");
}

#[test]
fn dockerfile_instructions_are_added_and_removed() {
    let text = "FROM a\nRUN x && \\\n  y\nCMD z";
    let case = Case::new(&[("Dockerfile", text)]);
    let line = |beside: &str, before, text: &str| {
        vec![FixTarget::InsertLine { beside: case.span(beside), before, text: text.into() }]
    };
    assert_eq!(case.run(line("CMD z", true, "USER 1000")), "FROM a\nRUN x && \\\n  y\nUSER 1000\nCMD z");
    assert_eq!(case.run(line("CMD z", false, "USER 1000")), "FROM a\nRUN x && \\\n  y\nCMD z\nUSER 1000");
    assert_eq!(case.run(line("RUN x && \\\n  y", false, "USER 1")), "FROM a\nRUN x && \\\n  y\nUSER 1\nCMD z");
    let remove = |needle: &str| {
        vec![FixTarget::Remove { value: case.string("", needle), key: None, container: Value::default() }]
    };
    assert_eq!(case.run(remove("RUN x && \\\n  y")), "FROM a\nCMD z");
    assert_eq!(case.run(remove("&&")), "FROM a\nRUN x \\\n  y\nCMD z");
}

#[test]
fn json_inside_a_heredoc_is_edited_in_place() {
    let text = "r \"a\" {\n  p = <<EOF\n{\"Effect\": \"Allow\", \"Action\": \"*\"}\nEOF\n}\n";
    let case = Case::new(&[("a.tf", text)]);
    let set = FixTarget::SetValue { old: case.string("*", "\"*\""), key: None, new: string("s3:Get") };
    assert_eq!(case.run(vec![set]), text.replace("\"*\"", "\"s3:Get\""));
    let object = "{\"Effect\": \"Allow\", \"Action\": \"*\"}";
    let add = case.insert(case.container(object), None, &["Sid"], 0, string("x"));
    assert_eq!(case.run(vec![add]), text.replace("\"*\"}", "\"*\", \"Sid\": \"x\"}"));
}

#[test]
fn fixes_that_stand_in_each_others_way_wait() {
    let fix = |start: usize, end: usize, text: &str| Candidate {
        findings: vec![0],
        fix: Fix {
            title: String::new(),
            safety: Safety::Safe,
            edits: vec![Edit { span: Span::new(FileId(0), start..end), text: text.into() }],
        },
    };
    let (chosen, others) = choose(vec![fix(0, 2, "a"), fix(1, 3, "b"), fix(4, 4, "c"), fix(4, 4, "d"), fix(6, 7, "e")]);
    let texts = |list: &[Candidate]| list.iter().map(|c| c.fix.edits[0].text.clone()).collect::<String>();
    assert_eq!((texts(&chosen), texts(&others)), ("ace".to_owned(), "bd".to_owned()));
}
