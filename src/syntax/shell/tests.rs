#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use pretty_assertions::assert_eq;

/// The commands of a script, one a line: wrappers, then the words in brackets; every word must stand where it says.
fn check(text: &str, expected: &str) {
    let mapped = MappedText::from_source(0, text);
    let script = parse(&mapped);
    let (calls, _) = calls(&script, text);
    let mut out = Vec::new();
    for call in &calls {
        for word in &call.words {
            assert!(text.get(word.span.clone()).is_some_and(|t| !t.is_empty()), "{word:?} in {text:?}");
        }
        let wrappers: String = call.wrappers.iter().map(|w| format!("{}>", w.name)).collect();
        let assignments: String = call
            .assignments
            .iter()
            .map(|a| format!("{}={} ", a.name, a.value.iter().map(|w| w.text(text)).collect::<Vec<_>>().join(",")))
            .collect();
        out.push(format!("{wrappers}{assignments}[{}]", call.texts.join("][")));
    }
    for problem in &script.problems {
        out.push(format!("{:?} at {:?}", problem.kind, text.get(problem.span.clone()).unwrap_or("?")));
    }
    assert_eq!(out.join("\n"), expected, "{text}");
}

#[test]
fn lists_pipelines_and_quotes() {
    check(
        "apt-get update && apt-get install -y 'a b' \"c $D\" | tee x; rm -rf /x &",
        "[apt-get][update]\n[apt-get][install][-y][a b][c $D]\n[tee][x]\n[rm][-rf][/x]",
    );
    check("A=1 B='x y' cmd --k=\"v\" 2>&1 >/dev/null", "A=1 B=x y [cmd][--k=v]");
    check("echo a\\ b \\\n  c # comment && not", "[echo][a b][c]");
    check("echo a#b '#' \"`id -u`\"", "[id][-u]\n[echo][a#b][#][`id -u`]");
}

#[test]
fn compound_commands() {
    check("if [ -f x ]; then a; elif b; then c; else d; fi && e", "[[][-f][x][]]\n[a]\n[b]\n[c]\n[d]\n[e]");
    check("for i in a b; do echo $i; done", "[echo][$i]");
    check("while read l; do x; done < f; until y; do z; done", "[read][l]\n[x]\n[y]\n[z]");
    check("case \"$a\" in x|y) b ;; *) c;; esac; d", "[b]\n[c]\n[d]");
    check("case a in (x) b;; esac", "[b]");
    check("f() { a; }; function g { b; }; f", "[a]\n[b]\n[f]");
    check("(cd /x && { a; b; }) || exit 1", "[cd][/x]\n[a]\n[b]\n[exit][1]");
    check("((i++)); x=$((1 + (2*3))) y", "x=$((1 + (2*3))) [y]");
    check("[[ $a == b* && ( -f c || $d < e ) ]] && f", "[[[][$a][==][b*][&&][(][-f][c][||][$d][<][e][)][]]]\n[f]");
    check("a=(b c) d[1]=e; for ((i=0;i<3;i++)); do x; done", "a=b,c d=e []\n[x]");
    check("! grep -q x f", "[grep][-q][x][f]");
}

#[test]
fn substitutions_are_read_in_place() {
    check(
        "x=$(curl -s \"$(echo u)\" | jq -r .v) && wget ${u:-http://x/}/$x",
        "[echo][u]\n[curl][-s][$(echo u)]\n[jq][-r][.v]\nx=$(curl -s \"$(echo u)\" | jq -r .v) []\n[wget][${u:-http://x/}/$x]",
    );
    check("diff <(a b) >(c)", "[a][b]\n[c]\n[diff][<(a b)][>(c)]");
    check("echo `a \\`b\\` c`", "[b]\n[a][`b\\`][c]\n[echo][`a \\`b\\` c`]");
}

#[test]
fn what_only_runs_another_command_is_taken_off() {
    check("sudo -E -u root apt-get install x", "sudo>[apt-get][install][x]");
    check("env -u A B=c DEBIAN_FRONTEND=noninteractive apt-get update", "env>[apt-get][update]");
    check("/bin/sh -c 'cd /x && make \"$A\"'", "[/bin/sh][-c][cd /x && make \"$A\"]\nsh>[cd][/x]\nsh>[make][$A]");
    check("su - u -c \"pip install x\"", "[su][-][u][-c][pip install x]\nsu>[pip][install][x]");
    check("find . -print0 | xargs -0 -n 1 rm -f", "[find][.][-print0]\nxargs>[rm][-f]");
    check("command -v curl", "[command][-v][curl]");
    check("sudo", "[sudo]");
}

#[test]
fn here_documents() {
    check("cat <<EOF > f && x\na $b\nEOF\ny", "[cat]\n[x]\n[y]");
    check("cat <<-'A' <<B\n\tone\n\tA\ntwo\nB\nz", "[cat]\n[z]");
    let text = "cat <<-'A' <<B\n\tone\n\tA\ntwo\nB\nz";
    let script = parse(&MappedText::from_source(0, text));
    let here: Vec<_> =
        script.lists[0].pipelines[0].1.commands[0].redirects.iter().map(|r| r.here.clone().unwrap()).collect();
    assert_eq!((here[0].as_str(), here[0].range(0..3)), ("one\n", 16..19));
    assert_eq!(here[1].as_str(), "two\n");
    check("cat <<EOF\nx", "[cat]\nHereDocument at \"<<EOF\"");
}

#[test]
fn broken_scripts_give_what_can_be_read() {
    check("a 'b", "[a][b]\nSingleQuote at \"'\"");
    check("a \"b c", "[a][b c]\nDoubleQuote at \"\\\"\"");
    check("if a; then b", "[a]\n[b]\nUnfinished at \"if\"");
    check("a; fi; b", "[a]\n[b]\nUnexpected at \"fi\"");
    check("(a; b", "[a]\n[b]\nUnclosed at \"(\"");
    check("a ) b", "[a]\n[b]\nUnexpected at \")\"");
    check("a && && b", "[a]\n[b]\nUnexpected at \"&&\"");
    check(
        "${a",
        "[${a]
Unclosed at \"${\"",
    );
    check("", "");
    check("done", "Unexpected at \"done\"");
}

#[test]
fn deep_nesting_ends() {
    for open in ["(", "$(", "{ ", "if ", "\"$(", "`", "${", "case x in (", "<(", "$((", "[[ ", "[", "a=(", "f() "] {
        let text = open.repeat(3_000);
        let script = parse(&MappedText::from_source(0, &text));
        let _ = calls(&script, &text);
    }
    check("$( ( x ) )", "[x]\n[$( ( x ) )]");
}
