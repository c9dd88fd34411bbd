//! The report that every reporter is tested with: three formats, spans over one and several lines, an insertion point,
//! text that is not ASCII, a secret, a value that came a long way, several occurrences, fixes, hostile text, errors.

#![allow(clippy::panic, reason = "a sample that does not fit its text is a mistake in the test")]

use crate::analysis::{
    Failure, FileEntry, FileState, Ledger, LedgerEntry, Report, Stats, Suppressed, Suppression, SuppressionKind,
    Timings, UnknownResult, Unknowns,
};
use crate::base::{FileId, Files, Span};
use crate::diagnostic::{
    Category, Diagnostic, Edit, Fix, Label, Occurrence, Rule, Safety, Severity, Subject, SyntaxError,
};
use crate::graph::CauseKind;
use std::sync::Arc;
use std::time::Duration;

const MAIN: &str = r#"resource "aws_s3_bucket" "uploads" {
  bucket = "größe-${var.stage}"
	acl    = var.acl
}

resource "aws_db_instance" "orders" {
  engine   = "postgres"
  password = "hunter2-Tr0ub4dor"
}

resource "aws_security_group" "web" {
  ingress {
    from_port   = 22
    cidr_blocks = ["0.0.0.0/0"]
  }
}
"#;

const TFVARS: &str = "stage = \"prod\"\n\n# who may read\nacl = \"public-read\"\n";
const VARIABLES: &str = "variable \"acl\" {\n  type = string\n}\n";
const DEPLOYMENT: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: shop\nspec:\n  template:\n    spec:\n      containers:\n        - name: web\n          image: shop:latest\n";
const DOCKERFILE: &str = "FROM debian:12\nRUN apt-get update && \\\n    apt-get install curl \x1b[31m\nUSER root\n";
const BROKEN: &str = "resource \"aws_s3_bucket\" \"b\" {\n  acl = \n}\n";

/// The span of `needle` in a file.
fn find(files: &Files, id: FileId, needle: &str) -> Span {
    let text = &files.get(id).unwrap_or_else(|| panic!("no file")).text;
    let start = text.find(needle).unwrap_or_else(|| panic!("{needle:?} is not in {text:?}"));
    Span::new(id, start..start + needle.len())
}

fn rule(name: &str, severity: Severity, category: Category, title: &str, aliases: &[&str]) -> Arc<Rule> {
    Arc::new(Rule {
        name: name.into(),
        title: title.into(),
        severity,
        category,
        why: format!("{title}. Whoever finds it can use it."),
        remediation: "Say what you mean:\n\n```hcl\nacl = \"private\"\n```".into(),
        references: vec!["https://docs.example.com/a_(b)".into()],
        aliases: aliases.iter().map(ToString::to_string).collect(),
        tags: vec!["cis".into()],
        implied_by: Vec::new(),
        url: format!("https://stacklint.example/policies/{name}"),
    })
}

fn diagnostic(rule: Arc<Rule>, message: &str, primary: Label, subject: Option<Subject>) -> Diagnostic {
    let fingerprint = format!("{:016x}", crate::base::content_hash(message.as_bytes()));
    Diagnostic {
        severity: rule.severity,
        rule,
        message: message.into(),
        primary,
        related: Vec::new(),
        trace: Vec::new(),
        subject,
        callers: Arc::new([]),
        fix: None,
        fingerprint,
        occurrences: Vec::new(),
        redacted: Vec::new(),
    }
}

/// The sample.
pub fn report() -> Report {
    let mut files = Files::default();
    let main = files.set("infra/main.tf", MAIN.into());
    let tfvars = files.set("infra/terraform.tfvars", TFVARS.into());
    let variables = files.set("infra/variables.tf", VARIABLES.into());
    let manifest = files.set("k8s/shop web.yaml", DEPLOYMENT.into());
    let docker = files.set("Dockerfile", DOCKERFILE.into());
    let broken = files.set("infra/broken.tf", BROKEN.into());
    let subject = |address: &str, kind: &str, span| Some(Subject { address: address.into(), kind: kind.into(), span });

    let mut install = diagnostic(
        rule(
            "dockerfile-apt-get-yes",
            Severity::Low,
            Category::Hygiene,
            "apt-get install asks questions",
            &["hadolint:DL3014"],
        ),
        "`apt-get install` without `-y` waits for an answer <nobody> gives, 100% of the time",
        Label::new(
            find(&files, docker, "apt-get update && \\\n    apt-get install curl \x1b[31m"),
            "this \x1b[31mcommand",
        ),
        subject("Dockerfile:0", "FROM", Span::new(docker, 0..DOCKERFILE.len())),
    );
    let insertion = find(&files, docker, "install ");
    install.fix = Some(Fix {
        title: "Add `-y`".into(),
        safety: Safety::Safe,
        edits: vec![Edit { span: insertion.end_point(), text: "-y ".into() }],
    });

    let mut public = diagnostic(
        rule(
            "aws-s3-bucket-public-acl",
            Severity::Critical,
            Category::Access,
            "S3 bucket is readable by anyone",
            &["checkov:CKV_AWS_20", "trivy:AVD-AWS-0092"],
        ),
        "`aws_s3_bucket.uploads` grants `public-read`: anyone can list and read its objects",
        Label::new(find(&files, main, "var.acl"), "is `public-read`"),
        subject(
            "aws_s3_bucket.uploads",
            "aws_s3_bucket",
            find(&files, main, &MAIN[..MAIN.find("\n}").unwrap_or(0) + 2]),
        ),
    );
    public.trace = vec![
        Label::new(find(&files, variables, "variable \"acl\""), "from variable `acl`"),
        Label::new(find(&files, tfvars, "\"public-read\""), "set here"),
    ];
    public.related = vec![Label::new(find(&files, main, "\"größe-${var.stage}\""), "this bucket")];
    public.occurrences = vec![Occurrence {
        address: "module.copy[\"ü\"].aws_s3_bucket.uploads".into(),
        fingerprint: "95d76af21700653d".into(),
        callers: Arc::new([]),
        trace: Vec::new(),
    }];
    public.fix = Some(Fix {
        title: "Set `acl` to `private`".into(),
        safety: Safety::Unsafe,
        edits: vec![Edit { span: find(&files, tfvars, "\"public-read\""), text: "\"private\"".into() }],
    });

    let mut secret = diagnostic(
        rule("aws-db-password-literal", Severity::High, Category::Secrets, "A password stands in the source", &[]),
        "`aws_db_instance.orders` has its password in the source",
        Label::new(find(&files, main, "\"hunter2-Tr0ub4dor\""), ""),
        subject(
            "aws_db_instance.orders",
            "aws_db_instance",
            find(&files, main, "resource \"aws_db_instance\" \"orders\""),
        ),
    );
    secret.redacted = vec![secret.primary.span];

    let mut open = diagnostic(
        rule(
            "ssh-open-to-internet",
            Severity::High,
            Category::Network,
            "SSH is open to the internet",
            &["checkov:CKV_AWS_24"],
        ),
        "`aws_security_group.web` lets anyone reach port 22",
        Label::new(find(&files, main, "\"0.0.0.0/0\""), "the whole internet"),
        subject(
            "aws_security_group.web",
            "aws_security_group",
            find(&files, main, "resource \"aws_security_group\" \"web\""),
        ),
    );
    open.related = vec![
        Label::new(find(&files, main, "22"), "SSH"),
        Label::new(
            find(&files, main, "ingress {\n    from_port   = 22\n    cidr_blocks = [\"0.0.0.0/0\"]\n  }"),
            "this rule",
        ),
    ];
    open.callers = Arc::new([find(&files, variables, "variable \"acl\"")]);

    let mut limits = diagnostic(
        rule(
            "kubernetes-resource-limits",
            Severity::Medium,
            Category::Reliability,
            "A container has no memory limit",
            &["kube-linter:unset-memory-requirements"],
        ),
        "container `web` has no memory limit: it can take the node's memory",
        Label::new(find(&files, manifest, "name: web").start_point(), "`resources.limits.memory` belongs here"),
        subject("Deployment/default/shop", "Deployment", Span::new(manifest, 0..DEPLOYMENT.len())),
    );
    limits.related = vec![Label::new(find(&files, manifest, DEPLOYMENT), "")];

    let suppressed = diagnostic(
        rule("dockerfile-last-user-root", Severity::Medium, Category::Access, "The container runs as root", &[]),
        "the final stage runs as `root`",
        Label::new(find(&files, docker, "USER root"), ""),
        None,
    );
    let unknown = UnknownResult {
        rule: limits.rule.clone(),
        severity: Severity::Medium,
        address: "aws_s3_bucket.uploads".into(),
        kind: "aws_s3_bucket".into(),
        span: find(&files, main, "resource \"aws_s3_bucket\" \"uploads\""),
        cause: CauseKind::Input,
        message: "variable `acl` has no value".into(),
        cause_span: find(&files, variables, "variable \"acl\""),
    };
    let error = SyntaxError::new(find(&files, broken, "= \n").end_point(), "expected an expression after `=`")
        .with_help("Write a value, or remove the line.");
    let entry = |path: &str, format, state, reason: &str| FileEntry {
        path: path.into(),
        file: files.by_path(path).map(|f| f.id),
        format,
        state,
        reason: reason.into(),
    };
    let ledger = Ledger {
        files: vec![
            entry("Dockerfile", Some("dockerfile"), FileState::Checked, ""),
            entry("infra/broken.tf", Some("terraform"), FileState::Partly, "1 error"),
            entry("infra/huge.tf", Some("terraform"), FileState::Unread, "larger than 10 MB"),
            entry("infra/main.tf", Some("terraform"), FileState::Checked, ""),
            entry("infra/variables.tf", Some("terraform"), FileState::Checked, ""),
            entry("k8s/shop web.yaml", Some("kubernetes"), FileState::Checked, ""),
            entry("notes.txt", None, FileState::Skipped, "no format claims it"),
        ],
        entries: vec![
            LedgerEntry {
                span: find(&files, broken, "acl = "),
                kind: CauseKind::Error,
                message: "`acl` is unknown".into(),
            },
            LedgerEntry { span: find(&files, main, "var.stage"), kind: CauseKind::Limit, message: "cut short".into() },
        ],
    };
    let rules = [&install, &public, &secret, &open, &limits].map(|d| d.rule.clone()).to_vec();
    Report {
        fixes: Default::default(),
        graph: Default::default(),
        diagnostics: vec![install, public, secret, open, limits],
        suppressed: vec![Suppressed {
            diagnostic: suppressed,
            by: Suppression {
                kind: SuppressionKind::InSource,
                span: find(&files, docker, "FROM debian:12"),
                reason: "a build image".into(),
            },
        }],
        unknowns: Unknowns::new(vec![unknown.into()], &files),
        errors: vec![error],
        failures: vec![Failure {
            step: "lower",
            subject: "infra/variables.tf".into(),
            message: "index out of range".into(),
        }],
        ledger,
        rules,
        since: None,
        stats: Stats { files: 5, bytes: 900, resources: 5, edges: 2, policies: 6, evaluations: 9, not_known: 2 },
        timings: Timings { steps: vec![("check", Duration::from_millis(12))] },
        files,
    }
}
