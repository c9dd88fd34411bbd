//! How the language server feels: `cargo bench --bench lsp`.
//!
//! A client opens a workspace over real standard input and output, types, and measures from each keystroke to the
//! diagnostics of that very version of the text. The workspace is the folder that `STACKLINT_BENCH_WORKSPACE` names, else the
//! Terraform archive of `STACKLINT_CORPORA` (default: `../shared/corpora`), else a thousand files made here. Nothing on
//! disk is changed.
//!
//! `STACKLINT_BENCH_EDITS` (default 10000) says after how many edits the memory is measured for the last time. The program
//! fails where a bar is not held, unless `STACKLINT_BENCH_REPORT_ONLY` is set: a busy machine measures its other work as well.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark prints and may stop at the first surprise"
)]

use serde_json::{Value, json};
use stacklint::analysis::{CancelToken, Change, Scope, Settings, Workspace};
use stacklint::policy::{Choice, PolicySet};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Keystrokes that are timed one by one.
const TIMED: usize = 500;
/// How many files are edited, spread evenly over the workspace.
const EDITED: usize = 25;

/// What must hold on a machine with two cores that does nothing else.
const MEDIAN: Duration = Duration::from_millis(10);
const SLOWEST_PERCENT: Duration = Duration::from_millis(40);
const OPEN: Duration = Duration::from_secs(1);
const MEMORY: usize = 250 << 20;

fn main() {
    let folder = workspace();
    let texts = texts(&folder);
    println!("workspace: {} files of text below {}", texts.len(), folder.display());
    steps(&texts);
    let edited = choose(&texts);
    let began = Instant::now();
    let mut client = Client::start(&folder);
    let (first, text) = edited.first().unwrap();
    client.open(first, text);
    let shook = began.elapsed();
    client.wait(first, 1);
    let open = began.elapsed();
    println!("open: {open:.1?} from the start of the process to the first diagnostics (handshake after {shook:.1?})");
    for (path, text) in &edited[1..] {
        client.open(path, text);
        client.wait(path, 1);
    }
    let mut typist = Typist::new(&edited);
    let mut times: Vec<Duration> = Vec::new();
    let mut slow: Vec<(Duration, String)> = Vec::new();
    let mut memory = vec![(0, client.memory())];
    let most: usize = std::env::var("STACKLINT_BENCH_EDITS").ok().and_then(|n| n.parse().ok()).unwrap_or(10_000);
    for n in 1..=most.max(TIMED) {
        let (path, version, change) = typist.next();
        let began = Instant::now();
        client.change(&path, version, &change);
        client.wait(&path, version);
        let took = began.elapsed();
        if n <= TIMED {
            times.push(took);
            slow.push((took, path));
        }
        if n == TIMED || n == most / 10 || n == most / 2 || n == most {
            memory.push((n, client.memory()));
        }
    }
    for path in typist.paths() {
        assert_eq!(client.text(path), typist.text(path), "the server's text of {path} is the client's");
    }
    times.sort_unstable();
    let (median, late) = (times[times.len() / 2], times[times.len() * 99 / 100]);
    println!(
        "keystroke to diagnostics over {TIMED}: median {median:.2?}, 99th percentile {late:.2?}, longest {:.2?}",
        times[times.len() - 1]
    );
    slow.sort();
    for (took, path) in slow.iter().rev().take(5) {
        println!("  {took:.2?} {path}");
    }
    for (edits, bytes) in &memory {
        println!("memory after {edits} edits: {:.1} MB", *bytes as f64 / f64::from(1 << 20));
    }
    client.stop();
    let (early, last) = (memory[1].1, memory[memory.len() - 1].1);
    let mut missed = String::new();
    let mut hold = |what: &str, held: bool| {
        if !held {
            let _ = write!(missed, " {what}");
        }
    };
    hold("median", median <= MEDIAN);
    hold("99th percentile", late <= SLOWEST_PERCENT);
    hold("open", open <= OPEN);
    hold("memory", last <= MEMORY);
    hold("flat memory", last <= early + early / 5 + (16 << 20));
    if missed.is_empty() {
        println!("every bar is held");
    } else {
        println!("not held:{missed}");
        if std::env::var_os("STACKLINT_BENCH_REPORT_ONLY").is_none() {
            std::process::exit(1);
        }
    }
}

/// Where the time of a keystroke goes inside the analysis: the median of each step, in this process.
fn steps(texts: &[(String, String)]) {
    let mut workspace = Workspace::default();
    let set = texts.iter().map(|(p, t)| (p.clone(), Arc::from(t.as_str()))).collect();
    let policies = PolicySet::builtin();
    let chosen = policies.choose(&Choice::default()).unwrap();
    let settings = Settings { policies: Arc::new(policies), chosen: Arc::new(chosen), ..Settings::default() };
    workspace.apply(Change { settings: Some(settings), set, ..Change::default() });
    let began = Instant::now();
    let _ = workspace.snapshot().check(&Scope::All, &CancelToken::default());
    println!("cold check in this process: {:.1?}", began.elapsed());
    let mut typist = Typist::new(&choose(texts));
    let mut laps: BTreeMap<usize, (&str, Vec<Duration>)> = BTreeMap::new();
    for _ in 0..TIMED {
        let (path, ..) = typist.next();
        let text: Arc<str> = typist.text(&path).into();
        workspace.apply(Change { overlays: vec![(path, Some(text))], ..Change::default() });
        let Ok(report) = workspace.snapshot().check(&Scope::All, &CancelToken::default()) else { continue };
        for (i, (step, took)) in report.timings.steps.iter().enumerate() {
            laps.entry(i).or_insert((step, Vec::new())).1.push(*took);
        }
    }
    print!("median of each step:");
    for (step, mut times) in laps.into_values() {
        times.sort_unstable();
        print!(" {step} {:.2?}", times[times.len() / 2]);
    }
    println!();
}

fn workspace() -> PathBuf {
    if let Some(folder) = std::env::var_os("STACKLINT_BENCH_WORKSPACE") {
        return PathBuf::from(folder).canonicalize().unwrap();
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let archives = std::env::var_os("STACKLINT_CORPORA").map_or_else(|| root.join("../shared/corpora"), PathBuf::from);
    let archive = archives.join("terraform-fabric.tar.gz");
    let folder = root.join("target/corpora");
    if !archive.exists() {
        return made(&folder.join("thousand"));
    }
    let folder = folder.join("terraform-fabric");
    if !folder.exists() {
        std::fs::create_dir_all(&folder).unwrap();
        let done = Command::new("tar").arg("xzf").arg(&archive).arg("-C").arg(&folder).status().unwrap();
        assert!(done.success(), "tar could not unpack {}", archive.display());
    }
    folder.canonicalize().unwrap()
}

/// A workspace of a thousand files: root modules that call two shared ones, each with variables and its own resources.
fn made(folder: &Path) -> PathBuf {
    let write = |path: String, text: String| {
        let full = folder.join(path);
        std::fs::create_dir_all(full.parent().unwrap()).unwrap();
        std::fs::write(full, text).unwrap();
    };
    for name in ["bucket", "network"] {
        write(
            format!("modules/{name}/variables.tf"),
            "variable \"name\" {}\nvariable \"open\" { default = [\"10.0.0.0/8\"] }\n".to_owned(),
        );
        write(format!("modules/{name}/main.tf"), "resource \"aws_s3_bucket\" \"b\" {\n  bucket = var.name\n}\nresource \"aws_security_group\" \"g\" {\n  description = \"made\"\n  ingress {\n    description = \"ssh\"\n    from_port = 22\n    to_port = 22\n    protocol = \"tcp\"\n    cidr_blocks = var.open\n  }\n}\n".to_owned());
    }
    for i in 0..200 {
        let at = format!("stacks/s{i:03}");
        let mut main = String::new();
        for (j, name) in ["bucket", "network"].iter().enumerate() {
            let _ =
                writeln!(main, "module \"m{j}\" {{\n  source = \"../../modules/{name}\"\n  name   = local.name\n}}");
        }
        write(format!("{at}/main.tf"), main);
        write(
            format!("{at}/variables.tf"),
            format!("variable \"env\" {{\n  default = \"e{i}\"\n}}\nvariable \"size\" {{\n  default = 3\n}}\n"),
        );
        write(format!("{at}/locals.tf"), "locals {\n  name = \"${var.env}-app\"\n  tags = { for k in [\"a\", \"b\", \"c\"] : k => \"${local.name}-${k}\" }\n}\n".to_owned());
        write(format!("{at}/data.tf"), "resource \"aws_db_instance\" \"db\" {\n  count             = var.size\n  identifier        = \"${local.name}-${count.index}\"\n  storage_encrypted = false\n  tags              = local.tags\n}\n".to_owned());
        write(
            format!("{at}/deploy.yaml"),
            format!(
                "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: app{i}\n  namespace: n{i}\nspec:\n  selector:\n    matchLabels: {{app: a{i}}}\n  template:\n    metadata:\n      labels: {{app: a{i}}}\n    spec:\n      containers:\n        - name: web\n          image: web:{i}\n"
            ),
        );
    }
    folder.canonicalize().unwrap()
}

/// Every text file below a folder by its path, sorted.
fn texts(folder: &Path) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut todo = vec![folder.to_path_buf()];
    while let Some(at) = todo.pop() {
        for entry in std::fs::read_dir(&at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                todo.push(path);
            } else if let Ok(text) = std::fs::read_to_string(&path) {
                files.push((path.strip_prefix(folder).unwrap().to_string_lossy().replace('\\', "/"), text));
            }
        }
    }
    files.sort();
    files
}

/// The files that are edited: spread over the sorted list, so that modules, their callers and variables all occur.
fn choose(texts: &[(String, String)]) -> Vec<(String, String)> {
    let wanted = |p: &str| [".tf", ".yaml", ".yml", "Dockerfile"].iter().any(|e| p.ends_with(e));
    let files: Vec<_> = texts.iter().filter(|(p, _)| wanted(p)).collect();
    let step = (files.len() / EDITED).max(1);
    files.into_iter().step_by(step).take(EDITED).cloned().collect()
}

/// Types, one key at a time: a line in one file, then in the next; what was typed is taken back now and then, so that the
/// texts do not grow without end.
struct Typist {
    files: Vec<(String, Vec<char>, i32)>,
    file: usize,
    /// What is left to type in this file, and where: the offset counts characters.
    keys: Vec<char>,
    at: usize,
    /// How many characters are to be taken back before it goes on.
    back: usize,
    round: usize,
}

/// Lines as one writes them, with the broken states in between.
const LINES: [&str; 5] = [
    "\nlocals {\n  typed = \"a line\"\n}\n",
    "# a note with \u{fc} and \u{1f600}\n",
    "\nvariable \"typed\" {\n  default = [1, 2]\n}\n",
    "\n\n",
    "\nresource \"aws_s3_bucket\" \"typed\" {\n  acl = \"public-read\"\n}\n",
];

impl Typist {
    fn new(files: &[(String, String)]) -> Typist {
        let files = files.iter().map(|(p, t)| (p.clone(), t.chars().collect(), 1)).collect();
        Typist { files, file: 0, keys: Vec::new(), at: 0, back: 0, round: 0 }
    }

    fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|(p, ..)| p.as_str())
    }

    fn text(&self, path: &str) -> String {
        self.files.iter().find(|(p, ..)| p == path).unwrap().1.iter().collect()
    }

    /// The next keystroke: the file, its new version and the change.
    fn next(&mut self) -> (String, i32, Value) {
        if self.keys.is_empty() && self.back == 0 {
            self.round += 1;
            self.file = (self.file + 1) % self.files.len();
            let line = LINES[self.round % LINES.len()];
            self.keys = line.chars().rev().collect();
            // After a line that ends a block at the outermost level, where there is one.
            let text = &self.files[self.file].1;
            let ends: Vec<usize> = (2..text.len())
                .filter(|&i| text[i - 2] == '\n' && text[i - 1] == '}' && text[i] == '\n')
                .map(|i| i + 1)
                .collect();
            self.at = ends.get(self.round * 7 % ends.len().max(1)).copied().unwrap_or(text.len());
        }
        let (path, text, version) = &mut self.files[self.file];
        *version += 1;
        let place = |at: usize| {
            let before = &text[..at];
            let line = before.iter().filter(|c| **c == '\n').count();
            let start = before.iter().rposition(|c| *c == '\n').map_or(0, |i| i + 1);
            json!({"line": line, "character": before[start..].iter().map(|c| c.len_utf16()).sum::<usize>()})
        };
        let change = if let Some(key) = self.keys.pop() {
            let here = place(self.at);
            text.insert(self.at, key);
            self.at += 1;
            if self.keys.is_empty() {
                self.back = LINES[self.round % LINES.len()].chars().count();
            }
            json!({"range": {"start": here, "end": here}, "text": key.to_string()})
        } else {
            let (start, end) = (place(self.at - 1), place(self.at));
            text.remove(self.at - 1);
            self.at -= 1;
            self.back -= 1;
            json!({"range": {"start": start, "end": end}, "text": ""})
        };
        (path.clone(), *version, change)
    }
}

/// A client of a server in a process of its own.
struct Client {
    server: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    root: String,
    asked: i32,
}

impl Client {
    fn start(folder: &Path) -> Client {
        let mut server = Command::new(env!("CARGO_BIN_EXE_stacklint"))
            .arg("lsp")
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (input, output) = (server.stdin.take().unwrap(), BufReader::new(server.stdout.take().unwrap()));
        let root = format!("file://{}", folder.display());
        let mut client = Client { server, input, output, root, asked: 0 };
        let folders = json!([{"uri": client.root, "name": "workspace"}]);
        client.ask("initialize", json!({"capabilities": {}, "workspaceFolders": folders}));
        client.tell("initialized", json!({}));
        client
    }

    fn uri(&self, path: &str) -> String {
        format!("{}/{path}", self.root)
    }

    fn write(&mut self, message: &Value) {
        let text = message.to_string();
        write!(self.input, "Content-Length: {}\r\n\r\n{text}", text.len()).unwrap();
        self.input.flush().unwrap();
    }

    fn read(&mut self) -> Value {
        let mut length = 0;
        loop {
            let mut line = String::new();
            assert!(self.output.read_line(&mut line).unwrap() > 0, "the server is gone");
            if line == "\r\n" {
                break;
            }
            if let Some(n) = line.strip_prefix("Content-Length: ") {
                length = n.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        self.output.read_exact(&mut body).unwrap();
        serde_json::from_slice(&body).unwrap()
    }

    fn tell(&mut self, method: &str, params: Value) {
        self.write(&json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }

    fn ask(&mut self, method: &str, params: Value) -> Value {
        self.asked += 1;
        let id = self.asked;
        self.write(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        loop {
            let message = self.read();
            if message["id"] == id && message["method"].is_null() {
                return message["result"].clone();
            }
        }
    }

    fn open(&mut self, path: &str, text: &str) {
        let item = json!({"uri": self.uri(path), "languageId": "terraform", "version": 1, "text": text});
        self.tell("textDocument/didOpen", json!({"textDocument": item}));
    }

    fn change(&mut self, path: &str, version: i32, change: &Value) {
        let document = json!({"uri": self.uri(path), "version": version});
        self.tell("textDocument/didChange", json!({"textDocument": document, "contentChanges": [change]}));
    }

    /// Waits for the diagnostics of this version of a file.
    fn wait(&mut self, path: &str, version: i32) {
        let uri = self.uri(path);
        loop {
            let message = self.read();
            if message["method"] == "textDocument/publishDiagnostics"
                && message["params"]["uri"] == uri.as_str()
                && message["params"]["version"] == version
            {
                return;
            }
        }
    }

    fn text(&mut self, path: &str) -> String {
        let uri = self.uri(path);
        self.ask("stacklint/text", json!({"uri": uri})).as_str().unwrap_or_default().to_owned()
    }

    /// The memory of the server in bytes; 0 where the system does not say.
    fn memory(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.server.id())).unwrap_or_default();
        let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"));
        line.and_then(|l| l.trim().strip_suffix(" kB")).and_then(|n| n.trim().parse::<usize>().ok()).unwrap_or(0) * 1024
    }

    fn stop(mut self) {
        self.ask("shutdown", Value::Null);
        self.tell("exit", Value::Null);
        assert!(self.server.wait().unwrap().success(), "the server ends in peace");
    }
}
