#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::base::{FileId, Files};
use crate::formats::LowerContext;
use pretty_assertions::assert_eq;
use serde_json::json;

/// What a Dockerfile lowers to.
fn lower(text: &str) -> Lowered {
    let mut files = Files::default();
    let id = files.set("app/Dockerfile", text.into());
    let file = files.get(id).unwrap().clone();
    let parsed = Arc::new(Dockerfile.parse(&file));
    let input = Input { file, parsed };
    let options = Options::default();
    let units = Dockerfile.units(std::slice::from_ref(&input), &options);
    let inputs = std::iter::once((id, input)).collect();
    let cx = LowerContext { inputs: &inputs, options: &options, read: &|_| None, list: &|_| Vec::new() };
    let lowered = Dockerfile.lower(&units[0], &cx);
    for resource in &lowered.resources {
        assert!(text.get(resource.span.range()).is_some() && text.get(resource.head.range()).is_some());
        assert_eq!(resource.span.file, FileId(0));
    }
    lowered
}

/// A field of the n-th resource of a kind, as JSON; `null` where it is absent.
fn field(text: &str, kind: &str, nth: usize, path: &[&str]) -> serde_json::Value {
    let lowered = lower(text);
    let resource = lowered.resources.iter().filter(|r| &*r.kind == kind).nth(nth).expect("such a resource");
    let mut value = &resource.body;
    for step in path {
        let next = match step.parse::<usize>() {
            Ok(n) => value.as_list().and_then(|l| l.get(n)),
            Err(_) => value.get(step),
        };
        match next {
            Some(next) => value = next,
            None => return serde_json::Value::Null,
        }
    }
    value.to_json()
}

#[test]
fn stages_inherit_what_their_base_says() {
    let text = "ARG V=3.20\nFROM alpine:${V} AS Base\nUSER 1000\nWORKDIR /app\nSHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"]\nENV A=1\nFROM base\nRUN echo $A | cat\nFROM scratch\nCOPY --from=1 /a /b";
    assert_eq!(field(text, "stage", 0, &["image"]), json!("alpine:3.20"));
    assert_eq!(field(text, "stage", 0, &["tag"]), json!("3.20"));
    assert_eq!(field(text, "stage", 1, &["user"]), json!("1000"));
    assert_eq!(field(text, "stage", 1, &["based_on"]), json!("Base"));
    assert_eq!(field(text, "stage", 1, &["environment"]), json!({"A": "1"}));
    assert_eq!(field(text, "stage", 2, &["user"]), json!(null));
    assert_eq!(field(text, "stage", 2, &["scratch"]), json!(true));
    assert_eq!(field(text, "stage", 2, &["final"]), json!(true));
    assert_eq!(field(text, "stage", 1, &["used"]), json!(true));
    assert_eq!(field(text, "RUN", 0, &["context", "workdir"]), json!("/app"));
    assert_eq!(field(text, "RUN", 0, &["pipes", "0", "pipefail"]), json!(true));
    let lowered = lower(text);
    let edge = |e: &crate::formats::LocalEdge| {
        let address = |i: u32| lowered.resources[i as usize].address.to_string();
        format!("{} {} {}", address(e.from), e.via, address(e.to))
    };
    let edges: Vec<String> = lowered.edges.iter().map(edge).filter(|e| !e.contains("part-of")).collect();
    assert_eq!(
        edges,
        ["app/Dockerfile:1 based-on app/Dockerfile:Base", "app/Dockerfile:2 copies-from app/Dockerfile:1"]
    );
}

#[test]
fn what_a_variable_is_decides_what_is_known() {
    let unknown = |v: &serde_json::Value| v.get("$unknown").is_some();
    assert!(unknown(&field("ARG V\nFROM a:$V", "FROM", 0, &["tag"])));
    assert_eq!(field("ARG V\nFROM a:$V", "FROM", 0, &["repository"]), json!("a"));
    assert!(unknown(&field("FROM a\nUSER $U", "USER", 0, &["user"])), "the base image may set it");
    assert_eq!(field("FROM scratch\nUSER x$U", "USER", 0, &["user"]), json!("x"));
    assert_eq!(field("ARG U=a\nFROM scratch\nARG U\nUSER $U:b", "USER", 0, &["user"]), json!("a"));
    assert_eq!(field("ARG U=a\nFROM scratch\nUSER x$U", "USER", 0, &["user"]), json!("x"), "not declared in the stage");
    assert_eq!(field("FROM a\nENV P=/x\nWORKDIR $P/y", "WORKDIR", 0, &["absolute"]), json!(true));
    assert_eq!(field("FROM a\nENV U=a\nARG U=b\nUSER $U", "USER", 0, &["user"]), json!("a"), "ENV wins over ARG");
    assert_eq!(field("ENV A=1 B=$A", "ENV", 0, &["variables", "1", "siblings", "0", "name"]), json!("A"));
}

#[test]
fn commands_of_run() {
    let text = "FROM a\nENV V=1.2\nRUN P='x y' && apt-get update && sudo apt-get install -y foo=$V $P \"$Q\" && cd /var/lib && rm -rf apt/lists/*";
    let package = |i: &str, path: &[&str]| {
        let mut whole = vec!["commands", i, "package"];
        whole.extend(path);
        field(text, "RUN", 0, &whole)
    };
    assert_eq!(package("1", &["action"]), json!("update"));
    assert_eq!(package("1", &["lists"]), json!("removed"));
    assert_eq!(package("1", &["later"]), json!(["install"]));
    assert_eq!(package("2", &["items", "0", "version"]), json!("1.2"));
    assert_eq!(package("2", &["items", "1", "name"]), json!("x"));
    assert_eq!(package("2", &["items", "2", "pinned"]), json!(false));
    assert!(package("2", &["items", "3", "pinned"]).get("$unknown").is_some());
    assert_eq!(field(text, "RUN", 0, &["commands", "2", "wrappers"]), json!(["sudo"]));
    let exec = "FROM a\nRUN [\"apk\", \"add\", \"--no-cache\", \"x\"]\nRUN --mount=type=cache,target=/root/.cache/pip pip install x\nRUN <<EOF\nyum install y\nyum clean all\nEOF";
    assert_eq!(field(exec, "RUN", 0, &["commands", "0", "package", "cache"]), json!("off"));
    assert_eq!(field(exec, "RUN", 1, &["commands", "0", "package", "cache"]), json!("mount"));
    assert_eq!(field(exec, "RUN", 2, &["commands", "0", "package", "cache"]), json!("removed"));
    assert_eq!(field("SHELL [\"pwsh\"]\nRUN a | b", "RUN", 0, &["pipes"]), json!([]));
    assert_eq!(field("RUN set -eo pipefail; a | b", "RUN", 0, &["pipes", "0", "pipefail"]), json!(true));
    assert_eq!(field("RUN env A=1 b", "RUN", 0, &["assignments", "0", "name"]), json!("A"));
}

#[test]
fn expansions_say_whether_they_are_split() {
    let text = "ARG A\nRUN x=1; y=$(c); echo $A $x $y \"$z\" && for i in a b; do rm $i; done";
    let seen = |i: &str, key: &str| field(text, "RUN", 0, &["expansions", i, key]);
    let plain: Vec<_> = ["1", "2", "3"].iter().map(|i| (seen(i, "name"), seen(i, "plain"))).collect();
    assert_eq!(plain, [(json!("A"), json!(true)), (json!("x"), json!(true)), (json!("y"), json!(false))]);
    assert_eq!(seen("0", "context"), json!("assignment"));
    assert_eq!((seen("4", "quoted"), seen("4", "set_by")), (json!(true), json!("unset")));
    assert_eq!((seen("5", "name"), seen("5", "plain")), (json!("i"), json!(true)));
}

#[test]
fn onbuild_triggers_are_instructions_too() {
    let text = "FROM a\nONBUILD WORKDIR /x\nONBUILD COPY a b\nUSER c";
    assert_eq!(field(text, "ONBUILD", 1, &["trigger"]), json!("COPY"));
    assert_eq!(field(text, "COPY", 0, &["onbuild"]), json!(true));
    assert_eq!(field(text, "COPY", 0, &["context", "workdir"]), json!("/x"));
    assert_eq!(field(text, "USER", 0, &["context", "workdir"]), json!(null));
}

#[test]
fn files_that_are_claimed() {
    for path in
        ["Dockerfile", "a/Dockerfile.prod", "x/app.Dockerfile", "app.dockerfile", "Containerfile", "Containerfile.dev"]
    {
        assert!(Dockerfile.claims(path, ""), "{path}");
    }
    for path in ["Dockerfile.dockerignore", "a/dockerfiles/x", "Dockerfile.md", "MyDockerfile"] {
        assert!(!Dockerfile.claims(path, ""), "{path}");
    }
}

#[test]
fn the_shell_decides_how_a_script_is_read() {
    assert_eq!(field("# hadolint shell=powershell\nFROM a\nRUN a | b", "RUN", 0, &["pipes"]), json!([]));
    assert_eq!(
        field("FROM mcr.microsoft.com/windows/servercore:1\nRUN a | b", "RUN", 0, &["context", "shell_kind"]),
        json!("windows")
    );
    let text =
        "FROM a AS b\nSHELL [\"/bin/bash\", \"-eo\", \"pipefail\", \"-c\"]\nFROM b\nRUN a | c\nFROM a\nRUN a | c";
    assert_eq!(field(text, "RUN", 0, &["pipes", "0", "pipefail"]), json!(true));
    assert_eq!(field(text, "RUN", 0, &["errexit"]), json!(true));
    assert_eq!(field(text, "RUN", 1, &["pipes", "0", "pipefail"]), json!(false));
}

#[test]
fn what_instructions_know_of_each_other() {
    let text = "FROM a AS x\nCOPY a.tgz /t/\nRUN tar xzf /t/a.tgz\nRUN apt-get update\nRUN apt-get install b\nCMD c\nCMD d\nFROM e\nCOPY --from=x f g\nCOPY --from=z f g";
    assert_eq!(field(text, "COPY", 0, &["unpacked_later"]), json!("a.tgz"));
    assert_eq!(field(text, "RUN", 0, &["series"]), json!(3));
    assert_eq!(field(text, "RUN", 1, &["series"]), json!(0));
    assert_eq!(field(text, "RUN", 2, &["commands", "0", "package", "updated_before"]), json!("apt-get"));
    assert_eq!(field(text, "CMD", 1, &["earlier"]), json!("CMD"));
    assert_eq!(field(text, "CMD", 0, &["later"]), json!("CMD"));
    assert_eq!(field(text, "stage", 0, &["shipped"]), json!(false));
    assert_eq!(field(text, "stage", 0, &["used"]), json!(true));
    assert_eq!(field(text, "COPY", 1, &["from", "kind"]), json!("stage"));
    assert_eq!(field(text, "COPY", 2, &["from", "kind"]), json!("unknown"));
    assert_eq!(field("ENV A=x\nCOPY . .\nENV K=./k.json", "ENV", 1, &["variables", "0", "copied_to"]), json!(""));
}

#[test]
fn broken_and_hostile_files_end() {
    for text in [
        "FROM",
        "FROM \nRUN",
        "COPY",
        "ENV",
        "ONBUILD",
        "ONBUILD ONBUILD ONBUILD ONBUILD ONBUILD RUN x",
        "RUN <<E",
        "\u{feff}",
        "SHELL",
        "HEALTHCHECK",
        "ARG",
        "EXPOSE $",
        "USER :",
        "FROM a AS\nCOPY --from= a b",
        "RUN [\"\"]",
        "ADD [] []",
    ] {
        lower(text);
    }
    let many = "RUN a | b && c\nENV A=$A\n".repeat(2_000);
    assert!(lower(&many).resources.len() > 4_000);
}

#[test]
fn a_stage_of_too_many_commands_is_said_to_be_cut_short() {
    let messages = |commands: usize| -> Vec<String> {
        let runs: String = (0..commands).map(|i| format!("RUN c{i}\n")).collect();
        lower(&format!("FROM alpine:3.20\n{runs}")).ledger.into_iter().map(|entry| entry.message).collect()
    };
    assert_eq!(messages(256), Vec::<String>::new());
    assert_eq!(messages(300), ["only the first 256 commands of different names of a stage are listed"]);
}
