//! Thousands of random edits: the server's text stays the client's, and its findings those of a fresh start.

use crate::client::{Client, folder};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

/// A small generator of our own (xorshift): the same edits every time.
struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % (below.max(1) as u64)).unwrap()
    }

    fn one_of<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.next(of.len())]
    }
}

const FILES: [(&str, &str); 9] = [
    (
        "main.tf",
        "resource \"aws_security_group\" \"ssh\" {\n  description = \"\u{1f512} ssh\"\n  ingress {\n    description = \"ssh\"\n    from_port   = 22\n    to_port     = 22\n    protocol    = \"tcp\"\n    cidr_blocks = var.open\n  }\n}\n\nmodule \"store\" {\n  source = \"./modules/store\"\n  acl    = var.acl\n}\n",
    ),
    (
        "variables.tf",
        "variable \"open\" {\r\n  type    = list(string)\r\n  default = [\"10.0.0.0/8\"]\r\n}\r\n\r\nvariable \"acl\" {\r\n  default = \"private\" # \u{fc}ber \u{1d11e}\r\n}\r\n",
    ),
    ("terraform.tfvars", "acl = \"public-read\"\n"),
    (
        "modules/store/main.tf",
        "variable \"acl\" {}\n\nresource \"aws_s3_bucket\" \"b\" {\n  bucket = \"b\"\n}\n\nresource \"aws_s3_bucket_acl\" \"b\" {\n  bucket = aws_s3_bucket.b.id\n  acl    = var.acl\n}\n",
    ),
    ("app/Dockerfile", "FROM debian:latest AS build\nRUN apt-get update && \\\n    apt-get install curl\nCOPY . /\n"),
    (
        "deploy.yaml",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: app\nspec:\n  selector:\n    matchLabels: {app: a}\n  template:\n    metadata:\n      labels: {app: a}\n    spec:\n      containers:\n        - name: web # \u{1f600}\n          image: web:latest\n          securityContext:\n            privileged: true\n",
    ),
    ("chart/Chart.yaml", "apiVersion: v2\nname: chart\nversion: 1.0.0\n"),
    ("chart/values.yaml", "image: nginx\nprivileged: true\n"),
    (
        "chart/templates/pod.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ .Release.Name }}\nspec:\n  containers:\n    - name: a\n      image: {{ .Values.image | quote }}\n      securityContext:\n        privileged: {{ .Values.privileged }}\n",
    ),
];

/// What is typed or pasted.
const PIECES: [&str; 34] = [
    "x",
    "\"",
    "{",
    "}",
    "\n",
    "\r\n",
    "\r",
    "\t",
    "  ",
    "\u{1d11e}",
    "\u{e9}",
    "\u{1f469}\u{200d}\u{1f4bb}",
    "e\u{301}",
    " = ",
    ": ",
    "- ",
    "[",
    "]",
    "# note\n",
    "${",
    "{{ ",
    " }}",
    "%{ if ",
    "0.0.0.0/0",
    "resource \"aws_s3_bucket\" \"b\" {\r\n  acl = \"public-read\"\r\n}\r\n",
    "var.open",
    "<<EOF\n",
    "EOF\n",
    "count = 2\n",
    "# stacklint: ignore[aws-s3-bucket-public-acl] \u{fc}\n",
    "---\n",
    "&a ",
    "*a",
    "RUN sudo curl http://example.org | sh\n",
];

/// What a client asks while one types. The answers are not looked at: they must merely come.
const QUESTIONS: [&str; 8] = [
    "textDocument/hover",
    "textDocument/definition",
    "textDocument/completion",
    "textDocument/documentSymbol",
    "textDocument/codeLens",
    "textDocument/diagnostic",
    "textDocument/codeAction",
    "stacklint/graph",
];

/// What columns count.
#[derive(Clone, Copy)]
enum Encoding {
    Utf8,
    Utf16,
    Utf32,
}

impl Encoding {
    fn name(self) -> &'static str {
        match self {
            Encoding::Utf8 => "utf-8",
            Encoding::Utf16 => "utf-16",
            Encoding::Utf32 => "utf-32",
        }
    }

    fn units(self, text: &str) -> usize {
        match self {
            Encoding::Utf8 => text.len(),
            Encoding::Utf16 => text.encode_utf16().count(),
            Encoding::Utf32 => text.chars().count(),
        }
    }

    /// The protocol's name of a place: a line ends with `\n`, `\r\n` or `\r`.
    fn position(self, text: &str, offset: usize) -> Value {
        let bytes = text.as_bytes();
        let ends = |i: &usize| bytes[*i] == b'\n' || (bytes[*i] == b'\r' && bytes.get(i + 1) != Some(&b'\n'));
        let (mut line, mut start) = (0, 0);
        for end in (0..offset).filter(ends) {
            (line, start) = (line + 1, end + 1);
        }
        json!({"line": line, "character": self.units(&text[start..offset])})
    }
}

/// A file as the client has it.
struct Document {
    path: &'static str,
    original: &'static str,
    disk: String,
    text: String,
    version: i32,
    is_open: bool,
    /// What takes each edit back: where, how much to remove, what to put there.
    undo: Vec<(usize, usize, String)>,
}

impl Document {
    /// A place that the protocol can name: between characters, and not inside of a line's end.
    fn place(&self, random: &mut Random) -> usize {
        let mut at = random.next(self.text.len() + 1);
        while !self.text.is_char_boundary(at) || self.is_inside_line_end(at) {
            at -= 1;
        }
        at
    }

    fn is_inside_line_end(&self, at: usize) -> bool {
        self.text[..at].ends_with('\r') && self.text[at..].starts_with('\n')
    }

    /// A random place, and one a little further on.
    fn range(&self, random: &mut Random, most: usize) -> (usize, usize) {
        let start = self.place(random);
        let mut end = (start + random.next(most)).min(self.text.len());
        while !self.text.is_char_boundary(end) || self.is_inside_line_end(end) {
            end += 1;
        }
        (start, end)
    }

    /// Replaces a part and says so in the protocol's words.
    fn edit(&mut self, (start, end): (usize, usize), with: &str, encoding: Encoding) -> Value {
        let range = json!({"start": encoding.position(&self.text, start), "end": encoding.position(&self.text, end)});
        self.undo.push((start, with.len(), self.text[start..end].to_owned()));
        self.text.replace_range(start..end, with);
        json!({"range": range, "text": with})
    }

    /// Takes the last edit back; `None` where there is none, or where its ends cannot be named any more.
    fn take_back(&mut self, encoding: Encoding) -> Option<Value> {
        let (start, length, before) = self.undo.pop()?;
        if self.is_inside_line_end(start) || self.is_inside_line_end(start + length) {
            self.undo.clear();
            return None;
        }
        let change = self.edit((start, start + length), &before, encoding);
        self.undo.pop();
        Some(change)
    }
}

/// One step of a person at work: the changes of one notification; empty where there was nothing to do.
fn step(document: &mut Document, other: &str, random: &mut Random, encoding: Encoding) -> Vec<Value> {
    match random.next(40) {
        // All of it at once, as a formatter or a merge does it.
        0 => {
            document.text = document.original.to_owned();
            document.undo.clear();
            vec![json!({"text": document.text})]
        }
        1..10 => {
            let range = document.range(random, 9);
            vec![document.edit(range, "", encoding)]
        }
        10 => {
            let range = document.range(random, 200);
            vec![document.edit(range, "", encoding)]
        }
        // Paste lines of another file.
        11..14 => {
            let lines: Vec<&str> = other.split_inclusive('\n').collect();
            let first = random.next(lines.len());
            let pasted: String = lines.into_iter().skip(first).take(4).collect();
            let range = document.range(random, 5);
            vec![document.edit(range, &pasted, encoding)]
        }
        14..20 => {
            let times = 1 + random.next(4);
            (0..times).map_while(|_| document.take_back(encoding)).collect()
        }
        // Two cursors: the second change counts from the text after the first.
        20..23 => (0..2)
            .map(|_| {
                let range = document.range(random, 3);
                document.edit(range, random.one_of(&PIECES), encoding)
            })
            .collect(),
        // Behind the end of a line is the end of the line.
        23 => {
            let at = document.place(random);
            let end = document.text[at..].find(['\r', '\n']).map_or(document.text.len(), |i| at + i);
            let mut change = document.edit((end, end), "!", encoding);
            for place in ["start", "end"] {
                let column = change["range"][place]["character"].as_u64().unwrap();
                change["range"][place]["character"] = json!(column + 1000);
            }
            vec![change]
        }
        _ => {
            let at = document.place(random);
            vec![document.edit((at, at), random.one_of(&PIECES), encoding)]
        }
    }
}

/// Opens, closes or saves a file, or asks something.
fn aside(client: &mut Client, document: &mut Document, random: &mut Random, encoding: Encoding) {
    match random.next(4) {
        0 if document.is_open => {
            client.close(document.path);
            document.is_open = false;
            document.text.clone_from(&document.disk);
            document.undo.clear();
        }
        1 if document.is_open => {
            client.write(document.path, &document.text);
            document.disk.clone_from(&document.text);
            let uri = client.uri(document.path);
            client.tell("textDocument/didSave", json!({"textDocument": {"uri": uri}}));
            client.tell("workspace/didChangeWatchedFiles", json!({"changes": [{"uri": uri, "type": 2}]}));
        }
        _ => {
            let place = encoding.position(&document.text, document.place(random));
            let uri = client.uri(document.path);
            let params = json!({
                "textDocument": {"uri": uri}, "position": place, "range": {"start": place, "end": place},
                "context": {"diagnostics": []},
            });
            client.send(random.one_of(&QUESTIONS), params);
        }
    }
}

fn replay(encoding: Encoding, edits: usize, seed: u64) {
    let mut random = Random(seed);
    let root = folder(&format!("replay-{}", encoding.name()), &FILES);
    let capabilities = json!({"general": {"positionEncodings": [encoding.name()]}});
    let mut client = Client::over(root.clone(), &[""], capabilities.clone(), Value::Null);
    let mut documents: Vec<Document> = FILES
        .iter()
        .map(|&(path, text)| Document {
            path,
            original: text,
            disk: text.to_owned(),
            text: text.to_owned(),
            version: 0,
            is_open: false,
            undo: Vec::new(),
        })
        .collect();
    let mut findings = 0;
    for n in 1..=edits {
        let other = documents[random.next(FILES.len())].text.clone();
        let document = &mut documents[random.next(FILES.len())];
        document.version += 1;
        if !document.is_open {
            let item = json!({
                "uri": client.uri(document.path), "languageId": "any", "version": document.version, "text": document.text,
            });
            client.tell("textDocument/didOpen", json!({"textDocument": item}));
            document.is_open = true;
        }
        let changes = step(document, &other, &mut random, encoding);
        if !changes.is_empty() {
            let name = json!({"uri": client.uri(document.path), "version": document.version});
            client.tell("textDocument/didChange", json!({"textDocument": name, "contentChanges": changes}));
        }
        if random.next(60) == 0 {
            aside(&mut client, document, &mut random, encoding);
        }
        if n % (edits / 4) != 0 {
            continue;
        }
        for document in documents.iter_mut().filter(|d| d.is_open) {
            let uri = client.uri(document.path);
            assert_eq!(client.ask("stacklint/text", json!({"uri": uri})), json!(document.text), "after {n} edits");
            client.write(document.path, &document.text);
            document.disk.clone_from(&document.text);
            client.tell("workspace/didChangeWatchedFiles", json!({"changes": [{"uri": uri, "type": 2}]}));
        }
        let warm = client.everything();
        let mut fresh = Client::over(root.clone(), &[""], capabilities.clone(), Value::Null).keep_folder();
        assert_eq!(warm, fresh.everything(), "after {n} edits");
        findings += warm.values().map(|found| found.as_array().unwrap().len()).sum::<usize>();
    }
    assert!(findings > 40, "the edits leave something to find: {findings}");
}

// Ten thousand and more, in what each of the three encodings counts.

#[test]
fn random_edits_counted_in_utf_8() {
    replay(Encoding::Utf8, 3_400, 0x9e37_79b9_7f4a_7c15);
}

#[test]
fn random_edits_counted_in_utf_16() {
    replay(Encoding::Utf16, 3_400, 0xc2b2_ae3d_27d4_eb4f);
}

#[test]
fn random_edits_counted_in_utf_32() {
    replay(Encoding::Utf32, 3_400, 0x1656_67b1_9e37_79f9);
}
