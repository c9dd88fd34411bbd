//! Any sequence of edits over several files gives, with the policies of the binary, the report of a cold run.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use pretty_assertions::assert_eq;
use proptest::prelude::*;
use stacklint::analysis::{CancelToken, Change, Report, Scope, Settings, Workspace};
use stacklint::base::Span;
use stacklint::policy::{Choice, PolicySet};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, LazyLock};

/// Files that refer to each other in every way there is, each with some other texts that it may take.
const FILES: [(&str, &[&str]); 17] = [
    (
        "main.tf",
        &[
            "module \"site\" {\n  source = \"./modules/bucket\"\n  acl    = var.acl\n  tags   = local.tags\n}\n\nmodule \"logs\" {\n  source = \"./modules/bucket\"\n  acl    = \"log-delivery-write\"\n}\n\nresource \"aws_instance\" \"web\" {\n  ami                    = \"ami-1\"\n  vpc_security_group_ids = [aws_security_group.web.id]\n  user_data              = file(\"boot.sh\")\n}\n",
            "module \"site\" {\n  count  = 2\n  source = \"./modules/bucket\"\n  acl    = var.acls[count.index]\n}\n",
            "module \"site\" {\n  source = \"./modules/none\"\n}\n",
        ],
    ),
    (
        "network.tf",
        &[
            "resource \"aws_security_group\" \"web\" {\n  description = \"web\"\n  dynamic \"ingress\" {\n    for_each = var.ports\n    content {\n      description = \"in\"\n      from_port   = ingress.value\n      to_port     = ingress.value\n      protocol    = \"tcp\"\n      cidr_blocks = var.open\n    }\n  }\n}\n",
            "resource \"aws_security_group\" \"web\" {\n  # stacklint: ignore[aws-security-group-no-description] short-lived\n}\n",
        ],
    ),
    (
        "variables.tf",
        &[
            "variable \"acl\" { default = \"private\" }\nvariable \"acls\" { default = [\"private\", \"public-read\"] }\nvariable \"ports\" { default = [22, 443] }\nvariable \"open\" { default = [\"10.0.0.0/8\"] }\nlocals {\n  tags = { team = \"a\" }\n}\n",
            "variable \"acl\" {}\nvariable \"acls\" {}\nvariable \"ports\" { default = [] }\nvariable \"open\" { default = [\"0.0.0.0/0\"] }\nlocals {\n  tags = {}\n}\n",
        ],
    ),
    ("terraform.tfvars", &["acl = \"public-read\"\n", "open = [\"0.0.0.0/0\", \"::/0\"]\nports = [3389]\n", "acl =\n"]),
    ("prod.auto.tfvars", &["ports = [22]\n", "acls = [\"public-read-write\", \"private\"]\n"]),
    (
        "modules/bucket/main.tf",
        &[
            "variable \"acl\" {}\nvariable \"tags\" { default = {} }\n\nresource \"aws_s3_bucket\" \"this\" {\n  bucket = \"b-${var.acl}\"\n  tags   = var.tags\n}\n\nresource \"aws_s3_bucket_acl\" \"this\" {\n  bucket = aws_s3_bucket.this.id\n  acl    = var.acl\n}\n\noutput \"arn\" { value = aws_s3_bucket.this.arn }\n",
            "variable \"acl\" {}\nresource \"aws_s3_bucket\" \"this\" {\n  for_each = toset([\"a\", \"b\"])\n  bucket   = each.key\n  acl      = var.acl\n}\n",
        ],
    ),
    ("boot.sh", &["export AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYabcdefgh12\n", "echo hello\n"]),
    (
        "app/Dockerfile",
        &[
            "FROM golang:latest AS build\nRUN apt-get install -y curl\nCOPY . /src\n\nFROM scratch\nCOPY --from=build /src/app /app\nEXPOSE 8080\n",
            "FROM debian:bookworm\nUSER root\nRUN sudo true && \\\n    cd /tmp\n",
            "FROM debian:bookworm\nUSER 1000\nHEALTHCHECK CMD true\n",
        ],
    ),
    (
        "deploy/app.yaml",
        &[
            "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: app\n  labels: {app: app}\nspec:\n  replicas: 2\n  selector:\n    matchLabels: {app: app}\n  template:\n    metadata:\n      labels: {app: app}\n    spec:\n      serviceAccountName: app\n      containers:\n        - name: app\n          image: app:latest\n          securityContext: {privileged: true}\n",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: app\nspec:\n  selector:\n    matchLabels: {app: other}\n  template:\n    metadata:\n      labels: {app: app}\n    spec:\n      containers:\n        - name: app\n          image: registry.example/app:1.0\n",
        ],
    ),
    (
        "deploy/service.yaml",
        &[
            "apiVersion: v1\nkind: Service\nmetadata:\n  name: app\nspec:\n  type: LoadBalancer\n  selector: {app: app}\n  ports: [{port: 80, targetPort: 8080}]\n---\napiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: app\n",
            "apiVersion: v1\nkind: Service\nmetadata:\n  name: app\nspec:\n  selector: {app: nobody}\n",
        ],
    ),
    (
        "deploy/kustomization.yaml",
        &[
            "resources: [app.yaml, service.yaml]\nnamespace: prod\npatches:\n  - path: patch.yaml\n",
            "resources: [app.yaml]\nimages:\n  - name: app\n    newTag: \"2.0\"\n",
        ],
    ),
    (
        "deploy/patch.yaml",
        &[
            "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: app\nspec:\n  template:\n    spec:\n      hostNetwork: true\n",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: app\nspec:\n  replicas: 3\n",
        ],
    ),
    ("chart/Chart.yaml", &["apiVersion: v2\nname: chart\nversion: 1.0.0\n", "apiVersion: v2\nname: other\n"]),
    ("chart/values.yaml", &["image: nginx\nprivileged: true\n", "image: nginx:1.27\nhost: true\n"]),
    (
        "chart/templates/pod.yaml",
        &[
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ include \"name\" . }}\nspec:\n  hostPID: {{ .Values.host | default false }}\n  containers:\n    - name: a\n      image: {{ .Values.image | quote }}\n      securityContext:\n        privileged: {{ .Values.privileged }}\n",
            "{{- if .Values.host }}\napiVersion: v1\nkind: Pod\nmetadata:\n  name: x\nspec:\n  containers: []\n{{- end }}\n",
        ],
    ),
    (
        "chart/templates/_helpers.tpl",
        &[
            "{{- define \"name\" -}}\n{{ .Chart.Name }}-{{ .Release.Name }}\n{{- end -}}\n",
            "{{- define \"other\" -}}\n",
        ],
    ),
    (
        "compose.yaml",
        &[
            "services:\n  web:\n    build: ./app\n    privileged: true\n    ports: [\"22:22\"]\n",
            "services:\n  web:\n    image: app:latest\n",
        ],
    ),
];

/// What is typed into a text at random.
const PIECES: [&str; 14] = [
    "\"",
    "{",
    "}",
    "\n",
    "  ",
    "#",
    "x = 1\n",
    "var.open",
    "- a\n",
    ": ",
    "{{ ",
    "# stacklint: ignore[aws-*] because\n",
    "\u{1d11e}",
    "0.0.0.0/0",
];

#[derive(Clone, Debug)]
enum Step {
    /// The disk has one of the texts.
    Set(usize, usize),
    Remove(usize),
    /// An editor has one of the texts.
    Open(usize, usize),
    Close(usize),
    /// Something is typed in an editor, at a part of the text in thousandths, and so many characters are removed.
    Type(usize, usize, usize, usize),
    Check,
}

fn step() -> impl Strategy<Value = Step> {
    let file = 0..FILES.len();
    prop_oneof![
        2 => (file.clone(), 0..3usize).prop_map(|(f, t)| Step::Set(f, t)),
        1 => file.clone().prop_map(Step::Remove),
        2 => (file.clone(), 0..3usize).prop_map(|(f, t)| Step::Open(f, t)),
        1 => file.clone().prop_map(Step::Close),
        4 => (file, 0..1000usize, 0..PIECES.len(), 0..6usize).prop_map(|(f, at, p, n)| Step::Type(f, at, p, n)),
        4 => Just(Step::Check),
    ]
}

fn text(file: usize, which: usize) -> &'static str {
    let texts = FILES[file].1;
    texts[which % texts.len()]
}

fn typed(text: &str, at: usize, piece: &str, removed: usize) -> String {
    let chars: Vec<char> = text.chars().collect();
    let at = chars.len() * at / 1000;
    let (before, after) = chars.split_at(at);
    before.iter().copied().chain(piece.chars()).chain(after.iter().copied().skip(removed)).collect()
}

static SETTINGS: LazyLock<Settings> = LazyLock::new(|| {
    let policies = PolicySet::builtin();
    // Those that are off by default as well.
    let choice = Choice { select: vec!["all".to_owned()], ..Choice::default() };
    let chosen = policies.choose(&choice).unwrap();
    Settings { policies: Arc::new(policies), chosen: Arc::new(chosen), ..Settings::default() }
});

fn workspace(files: &BTreeMap<&str, String>) -> Workspace {
    let mut workspace = Workspace::new(SETTINGS.clone());
    let set = files.iter().map(|(path, text)| ((*path).to_owned(), Arc::from(text.as_str()))).collect();
    workspace.apply(Change { set, ..Change::default() });
    workspace
}

fn check(workspace: &Workspace) -> Report {
    workspace.snapshot().check(&Scope::All, &CancelToken::new()).unwrap()
}

/// Everything that a report says, with paths in place of the numbers of files.
fn said(report: &Report) -> String {
    let mut out = String::new();
    let at = |span: Span| match report.files.get(span.file) {
        Some(file) => format!("{}:{}-{}", file.path, span.start, span.end),
        None => "nowhere".to_owned(),
    };
    for d in &report.diagnostics {
        let _ = write!(out, "{} {} {} {:?} {}", at(d.primary.span), d.rule.name, d.severity, d.message, d.fingerprint);
        for label in d.trace.iter().chain(&d.related) {
            let _ = write!(out, " <- {} {:?}", at(label.span), label.message);
        }
        for occurrence in &d.occurrences {
            let _ = write!(out, " + {}", occurrence.address);
        }
        let _ = writeln!(out, " {:?}", d.callers.iter().map(|c| at(*c)).collect::<Vec<_>>());
    }
    for (index, fix) in &report.fixes {
        let _ = writeln!(out, "fix {index} {:?}", fix.resource);
    }
    for s in &report.suppressed {
        let place = at(s.diagnostic.primary.span);
        let _ = writeln!(out, "{place} {} silenced by {:?} {}", s.diagnostic.rule.name, s.by.kind, at(s.by.span));
    }
    for u in &report.unknowns {
        let _ = writeln!(out, "{} {} {}? {} {}", at(u.span), u.rule.name, u.address, u.message, at(u.cause_span));
    }
    for e in &report.errors {
        let _ = writeln!(out, "{} error {}", at(e.span), e.message);
    }
    for f in &report.ledger.files {
        let _ = writeln!(out, "{} {} {}", f.path, f.state.as_str(), f.reason);
    }
    for e in &report.ledger.entries {
        let _ = writeln!(out, "{} {:?} {}", at(e.span), e.kind, e.message);
    }
    for r in &report.graph.resources {
        let _ = writeln!(out, "{} {} {}", at(r.span), r.address, r.body.to_json());
    }
    let name = |id| &report.graph.get(id).address;
    for e in &report.graph.edges {
        let _ = writeln!(out, "{} -> {} {} {}", name(e.from), name(e.to), e.via, at(e.span));
    }
    let rules: Vec<&str> = report.rules.iter().map(|r| r.name.as_str()).collect();
    let _ = writeln!(out, "{rules:?} {:?}", report.stats);
    out
}

/// The folder of the first difference, so that a failure can be read.
fn compare(warm: &Report, cold: &Report) {
    assert!(warm.failures.is_empty(), "nothing breaks: {:?}", warm.failures);
    let (warm, cold) = (said(warm), said(cold));
    if warm != cold {
        let only =
            |a: &str, b: &str| a.lines().filter(|l| !b.lines().any(|o| o == *l)).take(8).collect::<Vec<_>>().join("\n");
        assert_eq!(only(&warm, &cold), only(&cold, &warm), "remembered on the left, from a cold run on the right");
        assert_eq!(warm, cold);
    }
}

fn run(steps: Vec<Step>) {
    let mut disk: BTreeMap<&str, String> = FILES.iter().map(|(path, texts)| (*path, texts[0].to_owned())).collect();
    let mut editors: BTreeMap<&str, String> = BTreeMap::new();
    let mut workspace = workspace(&disk);
    let now = |disk: &BTreeMap<&'static str, String>, editors: &BTreeMap<&'static str, String>| {
        let mut all = disk.clone();
        all.extend(editors.clone());
        all
    };
    for step in steps.into_iter().chain([Step::Check]) {
        let mut change = Change::default();
        match step {
            Step::Set(f, t) => {
                disk.insert(FILES[f].0, text(f, t).to_owned());
                change.set.push((FILES[f].0.into(), text(f, t).into()));
            }
            Step::Remove(f) => {
                disk.remove(FILES[f].0);
                change.removed.push(FILES[f].0.into());
            }
            Step::Open(f, t) => {
                editors.insert(FILES[f].0, text(f, t).to_owned());
                change.overlays.push((FILES[f].0.into(), Some(text(f, t).into())));
            }
            Step::Close(f) => {
                editors.remove(FILES[f].0);
                change.overlays.push((FILES[f].0.into(), None));
            }
            Step::Type(f, at, piece, removed) => {
                let path = FILES[f].0;
                let before = editors.get(path).or(disk.get(path)).map_or("", String::as_str);
                let after = typed(before, at, PIECES[piece], removed);
                change.overlays.push((path.into(), Some(after.as_str().into())));
                editors.insert(path, after);
            }
            Step::Check => compare(&check(&workspace), &check(&self::workspace(&now(&disk, &editors)))),
        }
        workspace.apply(change);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn what_is_remembered_is_what_a_cold_run_finds(steps in prop::collection::vec(step(), 1..24)) {
        run(steps);
    }
}

#[test]
fn there_is_something_to_find_in_each_kind_of_file() {
    let files = FILES.iter().map(|(path, texts)| (*path, texts[0].to_owned())).collect();
    let report = check(&workspace(&files));
    for path in
        ["main.tf", "network.tf", "terraform.tfvars", "app/Dockerfile", "deploy/app.yaml", "chart/templates/pod.yaml"]
    {
        let touches = |span: Span| report.path(span) == path;
        let found = report.diagnostics.iter().any(|d| {
            touches(d.primary.span) || d.trace.iter().any(|l| touches(l.span)) || d.callers.iter().any(|c| touches(*c))
        });
        assert!(found, "nothing is found in {path}");
    }
    assert!(report.graph.edges.len() > 4, "{} edges", report.graph.edges.len());
}
