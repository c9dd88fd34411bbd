//! Fixes and reports as users meet them: the real program, files on disk, every format.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may stop at the first surprise")]

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

const CONFIG: &str = "policy-dirs = [\"rules\"]\nselect = [\"thing-*\"]\n";

/// One policy for each way of mending; `thing-rude` makes a fix that breaks another policy.
const POLICIES: &[(&str, &str, &str)] = &[
    ("thing-public", "{path: $.input, equals: public}", "{set: $.input, to: private, safety: unsafe}"),
    (
        "thing-absent",
        "{path: $.triggers_replace, missing: true}",
        "{set: $.triggers_replace, to: always, safety: safe}",
    ),
    ("thing-rude", "{path: $.input, equals: rude}", "{set: $.input, to: public, safety: safe}"),
];

struct Folder(PathBuf);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Folder {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("stacklint-fix-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let folder = Folder(std::env::temp_dir().canonicalize().unwrap().join(name));
        folder.write("stacklint.toml", CONFIG);
        for (name, deny, fix) in POLICIES {
            let text = format!(
                "name: {name}\ntitle: A title\nseverity: high\ncategory: hygiene\nresource: [terraform_data]\ndeny: {deny}\n\
                 message: '`{{resource}}` is wrong'\nwhy: It is.\nremediation: Change it.\nfix: {fix}\n\
                 references: ['https://example.org']\nexamples:\n  bad: [{{terraform: ''}}]\n  good: [{{terraform: ''}}]\n"
            );
            folder.write(&format!("rules/{name}.yaml"), &text);
        }
        for (path, text) in files {
            folder.write(path, text);
        }
        folder
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.0.join(path)).unwrap()
    }

    /// Exit code, standard output and standard error.
    fn run(&self, args: &[&str]) -> (i32, String, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_stacklint"))
            .current_dir(&self.0)
            .args(args)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

const MAIN: &str = "# kept\nresource \"terraform_data\" \"a\" {\n  input = var.mode # who\n}\n";
const VARS: &str = "mode = \"public\" # prod\n";
const DECLARED: &str = "variable \"mode\" {\n  type = string\n}\n";

fn project() -> Folder {
    Folder::new(&[("main.tf", MAIN), ("variables.tf", DECLARED), ("terraform.tfvars", VARS)])
}

#[test]
fn safe_fixes_are_made_and_unsafe_ones_on_request() {
    let folder = project();
    let (code, out, err) = folder.run(&["fix"]);
    assert_eq!((code, out.as_str()), (0, ""), "{err}");
    assert!(err.contains("1 finding mended in 1 file") && err.contains("--unsafe"), "{err}");
    let mended = "# kept\nresource \"terraform_data\" \"a\" {\n  input            = var.mode # who\n  triggers_replace = \"always\"\n}\n";
    assert_eq!(folder.read("main.tf"), mended);
    assert_eq!(folder.read("terraform.tfvars"), VARS);
    // The value is mended where it is written.
    assert_eq!(folder.run(&["fix", "--unsafe"]).0, 0);
    assert_eq!(folder.read("main.tf"), mended);
    assert_eq!(folder.read("terraform.tfvars"), "mode = \"private\" # prod\n");
    assert_eq!(folder.run(&["check"]).0, 0);
    let (code, _, err) = folder.run(&["fix", "--unsafe"]);
    assert!(code == 0 && err.contains("nothing was mended"), "{err}");
}

#[test]
fn a_difference_is_shown_and_nothing_written() {
    let folder = project();
    let (code, out, _) = folder.run(&["fix", "--diff", "--unsafe"]);
    assert_eq!(code, 1);
    assert_eq!(folder.read("main.tf"), MAIN);
    assert!(out.contains("--- a/terraform.tfvars\n+++ b/terraform.tfvars\n"), "{out}");
    assert!(out.contains("-mode = \"public\" # prod\n+mode = \"private\" # prod\n"), "{out}");
    assert!(out.contains("+  triggers_replace = \"always\"\n"), "{out}");
}

#[test]
fn a_fix_that_does_harm_is_not_made() {
    let rude = "resource \"terraform_data\" \"a\" {\n  input            = \"rude\"\n  triggers_replace = \"x\"\n}\n";
    let folder = Folder::new(&[("main.tf", rude)]);
    let (_, _, err) = folder.run(&["fix", "--unsafe"]);
    assert!(err.contains("nothing was mended; 1 is left"), "{err}");
    assert_eq!(folder.read("main.tf"), rude);
    let json: serde_json::Value = serde_json::from_str(&folder.run(&["check", "-f", "json"]).1).unwrap();
    assert_eq!(json["findings"][0]["fix"], serde_json::Value::Null);
}

#[test]
fn line_ends_stay_and_files_that_were_not_asked_for_are_left_alone() {
    let call = "module \"m\" {\n  source = \"../shared\"\n}\n";
    let shared = "resource \"terraform_data\" \"c\" {\n}\n";
    let folder = Folder::new(&[("live/main.tf", call), ("shared/main.tf", shared)]);
    folder.write("live/own.tf", "resource \"terraform_data\" \"b\" {\r\n  input = 1\r\n}\r\n");
    assert_eq!(folder.run(&["fix", "live"]).0, 0);
    assert_eq!(
        folder.read("live/own.tf"),
        "resource \"terraform_data\" \"b\" {\r\n  input            = 1\r\n  triggers_replace = \"always\"\r\n}\r\n"
    );
    assert_eq!(folder.read("shared/main.tf"), shared);
}

#[test]
fn json_offers_the_fix_with_its_edits() {
    let folder = project();
    let (_, out, _) = folder.run(&["check", "-f", "json"]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    let finding = json["findings"].as_array().unwrap().iter().find(|f| f["policy"] == "thing-public").unwrap();
    let fix = &finding["fix"];
    assert_eq!(fix["safety"], "unsafe");
    let edit = &fix["edits"][0];
    assert_eq!((edit["file"].as_str(), edit["text"].as_str()), (Some("terraform.tfvars"), Some("\"private\"")));
    let range = edit["start"]["offset"].as_u64().unwrap() as usize..edit["end"]["offset"].as_u64().unwrap() as usize;
    assert_eq!(&VARS[range], "\"public\"");
}

/// Whether each tag that is opened is closed, in order.
fn is_well_formed(xml: &str) -> bool {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = xml.split_once("?>").map_or(xml, |(_, rest)| rest);
    while let Some((_, tag)) = rest.split_once('<') {
        let Some((tag, after)) = tag.split_once('>') else { return false };
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            if open.pop() != Some(name) {
                return false;
            }
        } else if !tag.ends_with('/') {
            open.push(tag.split_whitespace().next().unwrap_or(""));
        }
    }
    open.is_empty()
}

#[test]
fn every_format_can_be_read_and_goes_to_a_file() {
    let folder = project();
    folder.write("broken.tf", "resource \"terraform_data\" \"x\" {\n  input = \n}\n");
    for format in ["json", "sarif", "gitlab", "rdjson"] {
        let (code, out, err) = folder.run(&["check", "-f", format]);
        assert_eq!(code, 1, "{err}");
        assert!(serde_json::from_str::<serde_json::Value>(&out).is_ok(), "{format}: {out}");
    }
    for format in ["junit", "checkstyle"] {
        let (code, out, _) = folder.run(&["check", "-f", format]);
        assert!(code == 1 && is_well_formed(&out), "{format}: {out}");
    }
    let github = folder.run(&["check", "-f", "github"]).1;
    assert!(github.contains("\n::error file=main.tf,line=3,endLine=3,col=11,"), "{github}");
    assert!(folder.run(&["check", "-f", "markdown"]).1.starts_with("### stacklint: "));

    let (code, out, _) = folder.run(&["check", "-f", "sarif", "--output", "out.sarif"]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(folder.read("out.sarif").contains("\"version\": \"2.1.0\""));
}

#[test]
fn colours_are_for_those_who_want_them() {
    let folder = project();
    let plain = folder.run(&["check"]).1;
    assert!(!plain.contains('\u{1b}'), "{plain}");
    assert!(folder.run(&["check", "--color", "always"]).1.contains("\u{1b}["));
    // A file that is written is never coloured.
    folder.run(&["check", "--color", "always", "--output", "report.txt"]);
    assert!(!folder.read("report.txt").contains('\u{1b}'));
}
