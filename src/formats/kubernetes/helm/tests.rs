#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::{Options, render};
use crate::formats::kubernetes::testing::{Disk, outcome};
use crate::graph::Data;
use serde_json::json;

const CHART: (&str, &str) = ("c/Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\n");

fn options() -> Options {
    Options { release: "rel".into(), namespace: "ns".into(), ..Options::default() }
}

/// What `v` becomes in an object whose template is `v: TEMPLATE`.
fn check(values: &str, template: &str, expected: serde_json::Value) {
    let body = format!("kind: O\nv: {template}\n");
    let disk = Disk::new(&[CHART, ("c/values.yaml", values), ("c/templates/o.yaml", &body)]);
    let got = outcome(&disk.render(|f| render("c", f, &options())));
    assert_eq!(got, Ok(json!([{"kind": "O", "v": expected}])), "{template}");
}

fn check_error(values: &str, template: &str, message: &str, place: &str) {
    let body = format!("kind: O\nv: {template}\n");
    let disk = Disk::new(&[CHART, ("c/values.yaml", values), ("c/templates/o.yaml", &body)]);
    let rendered = disk.render(|f| render("c", f, &options()));
    let error = rendered.errors.first().unwrap_or_else(|| panic!("{template} renders"));
    assert!(error.message.contains(message), "{template}: {}", error.message);
    assert_eq!(disk.place(error.span), place, "{template}");
}

#[test]
fn values_are_go_values() {
    check("num: 1000000", "{{ .Values.num | quote }}", json!("1e+06"));
    check("num: 1000000", "{{ .Values.num | int | quote }}", json!("1000000"));
    check("a: {b: [1, two]}", "{{ .Values.a | quote }}", json!("map[b:[1 two]]"));
    check("", "{{ .Values.nope | quote }}x{{ .Values.nope }}", json!("x"));
    check("on: yes", "{{ index .Values \"true\" }}", json!(true));
    check("s: text", "{{ (.Values.x).y.z | default .Values.s | upper }}", json!("TEXT"));
    check_error(
        "num: 1",
        "{{ eq .Values.num 1 }}",
        "incompatible types",
        "c/templates/o.yaml:2 {{ eq .Values.num 1 }}",
    );
    check_error("", "{{ .Values.a.b }}", "nil pointer", "c/templates/o.yaml:2 .Values.a.b");
    check_error("", "{{ nope 1 }}", "not defined", "c/templates/o.yaml:2 nope");
    check_error(
        "",
        "{{ required \"give it\" .Values.x }}",
        "give it",
        "c/templates/o.yaml:2 {{ required \"give it\" .Values.x }}",
    );
}

#[test]
fn recursion_ends() {
    check_error(
        "",
        "{{ define \"r\" }}{{ include \"r\" . }}{{ end }}{{ include \"r\" . }}",
        "",
        "c/templates/o.yaml:2 {{ include \"r\" . }}",
    );
    check_error("", "{{ repeat 100000000 \"x\" }}", "too long", "c/templates/o.yaml:2 {{ repeat 100000000 \"x\" }}");
    check_error(
        "",
        "{{ range until 100000000 }}{{ end }}",
        "too long",
        "c/templates/o.yaml:2 {{ range until 100000000 }}",
    );
}

#[test]
fn rendered_values_know_the_template_and_the_key() {
    let disk = Disk::new(&[
        CHART,
        ("c/values.yaml", "image: {repo: nginx, tag: \"1.25\"}\nsc:\n  privileged: true\nhost: true\n"),
        ("c/templates/_h.tpl", "{{ define \"labels\" -}}\napp: web\ntier: {{ .Release.Name }}\n{{- end }}\n"),
        (
            "c/templates/o.yaml",
            "kind: Pod\nmetadata:\n  labels:\n    {{- include \"labels\" . | nindent 4 }}\nspec:\n  image: \"{{ .Values.image.repo }}:{{ .Values.image.tag }}\"\n  {{- if .Values.host }}\n  hostNetwork: true\n  {{- end }}\n  sc:\n    {{- toYaml .Values.sc | nindent 4 }}\n",
        ),
    ]);
    let rendered = disk.render(|f| render("c", f, &options()));
    assert_eq!(rendered.errors, []);
    let body = &rendered.objects[0].body;
    let at = |path: &[&str]| disk.origins(body.at(path).unwrap());
    assert_eq!(at(&["kind"]), ["c/templates/o.yaml:1 Pod"]);
    assert_eq!(
        at(&["spec", "image"]),
        [
            "c/templates/o.yaml:6 \"{{ .Values.image.repo }}:{{ .Values.image.tag }}\"",
            "c/values.yaml:1 nginx",
            "c/values.yaml:1 \"1.25\""
        ]
    );
    assert_eq!(at(&["spec", "hostNetwork"]), ["c/templates/o.yaml:8 true", "c/values.yaml:4 true"]);
    assert_eq!(
        at(&["spec", "sc", "privileged"]),
        ["c/templates/o.yaml:11 {{- toYaml .Values.sc | nindent 4 }}", "c/values.yaml:3 true"]
    );
    assert_eq!(at(&["metadata", "labels", "app"]), ["c/templates/_h.tpl:2 web"]);
}

#[test]
fn what_is_made_anew_is_unknown() {
    let disk = Disk::new(&[
        CHART,
        (
            "c/templates/o.yaml",
            "kind: Secret\ndata: {p: {{ randAlphaNum 8 | b64enc }}}\nlength: {{ randAlpha 3 | len }}\n",
        ),
    ]);
    let rendered = disk.render(|f| render("c", f, &options()));
    let body = &rendered.objects[0].body;
    assert!(matches!(body.at(&["data", "p"]).unwrap().data, Data::Unknown(_)));
    assert_eq!(body.get("length").unwrap().to_json(), json!(3));
    assert!(rendered.warnings.iter().any(|w| w.message.contains("randAlphaNum")));
}

#[test]
fn types_of_arguments_are_held_as_go_holds_them() {
    check_error(
        "{}",
        "{{ until (add 1 2) | toJson }}",
        "wrong type for value; expected int; got int64",
        "c/templates/o.yaml:2 (add 1 2)",
    );
    check_error("{}", "{{ round 1.5 \"1\" }}", "expected int", "c/templates/o.yaml:2 \"1\"");
    check_error(
        "m: {}",
        "{{ merge .Values.none .Values.m | toJson }}",
        "got interface {}",
        "c/templates/o.yaml:2 .Values.none",
    );
    check("m: {a: 1}", "{{ merge (.Values.none) .Values.m | toJson }}", json!({"a": 1}));
    check("{}", "{{ urlquery 1 2 \"a\" nil }}", json!("1+2a%3Cno+value%3E"));
    check("{}", "{{ toToml 1.0 }}", json!(1));
    check("{}", "{{ mulf -1 0 }}", json!(0));
}

#[test]
fn a_template_cannot_run_away() {
    let check_limit = |template: &str, message: &str| {
        let body = format!("{template}kind: O\nv: {{{{ $x | len }}}}\n");
        let disk = Disk::new(&[CHART, ("c/templates/o.yaml", &body)]);
        let rendered = disk.render(|f| render("c", f, &options()));
        let error = rendered.errors.first().unwrap_or_else(|| panic!("{template} renders"));
        assert!(error.message.contains(message), "{template}: {}", error.message);
    };
    let long = "runs for too long";
    check_limit(r#"{{ $x := "aa" }}{{ range until 60 }}{{ $x = printf "%s%s" $x $x }}{{ end }}"#, long);
    check_limit(r"{{ $x := list 1 }}{{ range until 60 }}{{ $x = concat $x $x }}{{ end }}", "too long");
    // Lists in lists: small to hold, endless to write, copy or compare.
    let shared = r"{{ $x := list 1 }}{{ range until 60 }}{{ $x = list $x $x }}{{ end }}";
    for walk in [
        "toJson $x",
        "toYaml $x",
        "printf \"%v\" $x",
        "deepCopy (dict \"a\" $x)",
        "deepEqual $x (reverse $x)",
        "has 1 $x",
    ] {
        check_limit(&format!("{shared}{{{{ $x = {walk} | toString }}}}"), long);
    }
    check_limit(&format!(r#"{shared}{{{{ $d := dict }}}}{{{{ $_ := set $d "x" $x }}}}"#), long);
    check_limit(r#"{{ $x := dict }}{{ $_ := set $x "me" $x }}{{ $x = deepCopy $x }}"#, "cannot hold itself");
    let twice: String = (0..60)
        .map(|i| {
            format!(
                r#"{{{{ define "x{i}" }}}}{{{{ include "x{n}" . }}}}{{{{ include "x{n}" . }}}}{{{{ end }}}}"#,
                n = i + 1
            )
        })
        .collect();
    check_limit(&format!(r#"{twice}{{{{ define "x60" }}}}y{{{{ end }}}}{{{{ $x := include "x0" . }}}}"#), long);
    check_limit(
        r"{{ $x := 1 }}{{ range until 10000 }}{{ range until 10000 }}{{ $x = add $x 1 }}{{ end }}{{ end }}",
        long,
    );
}

#[test]
fn subcharts_get_their_values() {
    let disk = Disk::new(&[
        (
            "c/Chart.yaml",
            "apiVersion: v2\nname: c\nversion: 1.0.0\ndependencies:\n- {name: s, version: 1.x, condition: s.on, alias: t}\n",
        ),
        ("c/values.yaml", "global: {g: 1}\nt: {a: parent}\n"),
        ("c/charts/s/Chart.yaml", "apiVersion: v2\nname: s\nversion: 1.2.0\n"),
        ("c/charts/s/values.yaml", "a: child\nb: child\n"),
        ("c/charts/s/templates/o.yaml", "kind: O\nname: {{ .Chart.Name }}\nv: {{ .Values | toJson }}\n"),
    ]);
    let got = outcome(&disk.render(|f| render("c", f, &options())));
    assert_eq!(got, Ok(json!([{"kind": "O", "name": "t", "v": {"a": "parent", "b": "child", "global": {"g": 1}}}])));
}

#[test]
fn flags_set_values() {
    let disk = Disk::new(&[
        CHART,
        ("c/values.yaml", "a: {x: 1}\n"),
        ("c/templates/o.yaml", "kind: O\nv: {{ .Values | toJson }}\n"),
    ]);
    let options = Options {
        set: vec!["a.y=2,l[1]=z,a.x=null,c={1,b}".into()],
        set_string: vec!["s=1".into()],
        set_json: vec!["j={\"k\":[1,null]}".into()],
        ..options()
    };
    let got = outcome(&disk.render(|f| render("c", f, &options)));
    let v = json!({"a": {"y": 2}, "l": [null, "z"], "c": [1, "b"], "s": "1", "j": {"k": [1, null]}});
    assert_eq!(got, Ok(json!([{"kind": "O", "v": v}])));
}

#[test]
fn a_lenient_rendering_goes_on_and_says_so() {
    let disk = Disk::new(&[
        CHART,
        ("c/templates/a.yaml", "kind: A\nv: {{ required \"x\" .Values.x }}\n"),
        ("c/templates/b.yaml", "kind: B\nv: {{ .Values.a.b.c }}\n"),
        ("c/templates/c.yaml", "kind: C\n"),
    ]);
    let rendered = disk.render(|f| render("c", f, &Options { lenient: true, ..options() }));
    let kinds: Vec<_> =
        rendered.objects.iter().map(|o| o.body.get("kind").unwrap().as_str().unwrap().to_owned()).collect();
    assert_eq!(kinds, ["A", "C"]);
    assert_eq!(rendered.errors.len(), 1);
    assert_eq!(disk.place(rendered.errors[0].span), "c/templates/b.yaml:2 .Values.a.b.c");
}
