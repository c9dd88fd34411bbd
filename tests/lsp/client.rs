//! A client of the server, with a folder of its own.

use lsp_server::{Connection, Message, Notification, Request, RequestId, Response};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long anything may take before the test gives up; no test measures time.
const PATIENCE: Duration = Duration::from_secs(60);

/// A client with a folder of its own.
pub struct Client {
    connection: Connection,
    server: Option<std::thread::JoinHandle<()>>,
    /// The folder; the test that made it removes it.
    pub folder: PathBuf,
    next: i32,
    /// The last diagnostics of each file that has some, by file name.
    pub diagnostics: BTreeMap<String, Vec<Value>>,
    /// How often diagnostics were published.
    pub published: usize,
    /// The server's requests and notifications, but for published diagnostics, in their order.
    pub heard: Vec<(String, Value)>,
    keeps_folder: bool,
}

/// A new folder with files in it.
pub fn folder(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("stacklint-lsp-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let folder = folder.canonicalize().unwrap();
    // So that nothing above it is looked at.
    std::fs::create_dir_all(folder.join(".git")).unwrap();
    for (path, text) in files {
        let full = folder.join(path);
        std::fs::create_dir_all(full.parent().unwrap()).unwrap();
        std::fs::write(full, text).unwrap();
    }
    folder
}

impl Client {
    /// A client whose workspace is one new folder.
    pub fn start(name: &str, files: &[(&str, &str)], capabilities: Value, options: Value) -> Client {
        Client::over(folder(name, files), &[""], capabilities, options)
    }

    /// A client whose workspace is some folders below an existing one.
    pub fn over(folder: PathBuf, roots: &[&str], capabilities: Value, options: Value) -> Client {
        let (connection, theirs) = Connection::memory();
        let server = std::thread::spawn(move || stacklint::lsp::serve(&theirs).unwrap());
        let mut client = Client {
            connection,
            server: Some(server),
            folder,
            next: 0,
            diagnostics: BTreeMap::new(),
            published: 0,
            heard: Vec::new(),
            keeps_folder: false,
        };
        let folders: Vec<Value> = roots.iter().map(|r| json!({"uri": client.uri(r), "name": r})).collect();
        let answer = client.ask(
            "initialize",
            json!({"capabilities": capabilities, "workspaceFolders": folders, "initializationOptions": options}),
        );
        assert_eq!(answer["serverInfo"]["name"], "stacklint");
        client.heard.push(("initialize".to_owned(), answer));
        client.tell("initialized", json!({}));
        client
    }

    /// Leaves the folder to others.
    pub fn keep_folder(mut self) -> Client {
        self.keeps_folder = true;
        self
    }

    /// What the server said it can do.
    pub fn capabilities(&self) -> Value {
        self.heard.iter().find(|(method, _)| method == "initialize").unwrap().1["capabilities"].clone()
    }

    /// The name of a file or folder below the workspace's.
    pub fn uri(&self, path: &str) -> String {
        let full = if path.is_empty() { self.folder.clone() } else { self.folder.join(path) };
        format!("file://{}", full.display())
    }

    /// Sends a notification.
    pub fn tell(&self, method: &str, params: Value) {
        self.connection.sender.send(Message::Notification(Notification::new(method.to_owned(), params))).unwrap();
    }

    /// Sends a request without waiting for its answer.
    pub fn send(&mut self, method: &str, params: Value) -> RequestId {
        self.next += 1;
        let id = RequestId::from(self.next);
        self.connection.sender.send(Message::Request(Request::new(id.clone(), method.to_owned(), params))).unwrap();
        id
    }

    /// The answer to a request that was sent.
    pub fn answer_to(&mut self, id: &RequestId) -> Response {
        loop {
            if let Message::Response(response) = self.receive()
                && response.id == *id
            {
                return response;
            }
        }
    }

    /// The raw answer to a request.
    pub fn answer(&mut self, method: &str, params: Value) -> Response {
        let id = self.send(method, params);
        self.answer_to(&id)
    }

    /// The result of a request; null where it was refused.
    pub fn ask(&mut self, method: &str, params: Value) -> Value {
        let response = self.answer(method, params);
        serde_json::to_value(&response).unwrap()["result"].clone()
    }

    /// Takes the next message in.
    pub fn receive(&mut self) -> Message {
        let message = self.connection.receiver.recv_timeout(PATIENCE).expect("the server went silent");
        match &message {
            Message::Notification(n) if n.method == "textDocument/publishDiagnostics" => {
                let uri = n.params["uri"].as_str().unwrap();
                let name = Path::new(uri).file_name().unwrap().to_str().unwrap().to_owned();
                let found = n.params["diagnostics"].as_array().unwrap().clone();
                self.published += 1;
                if found.is_empty() {
                    self.diagnostics.remove(&name);
                } else {
                    self.diagnostics.insert(name, found);
                }
            }
            Message::Notification(n) => {
                assert!(!n.params.to_string().contains("broke"), "the server broke: {}", n.params);
                self.heard.push((n.method.clone(), n.params.clone()));
            }
            Message::Request(r) => {
                self.heard.push((r.method.clone(), r.params.clone()));
                // A client answers every request.
                let done = Response::new_ok(r.id.clone(), Value::Null);
                self.connection.sender.send(Message::Response(done)).unwrap();
            }
            Message::Response(_) => {}
        }
        message
    }

    /// Waits until the server has sent a message of this method, and takes it out of those that were heard.
    pub fn hear(&mut self, method: &str) -> Value {
        loop {
            if let Some(at) = self.heard.iter().position(|(heard, _)| heard == method) {
                return self.heard.remove(at).1;
            }
            self.receive();
        }
    }

    /// Opens a file in the editor.
    pub fn open(&self, path: &str, text: &str) {
        let item = json!({"uri": self.uri(path), "languageId": "terraform", "version": 1, "text": text});
        self.tell("textDocument/didOpen", json!({"textDocument": item}));
    }

    /// Replaces the text of an open file.
    pub fn replace(&self, path: &str, version: i32, text: &str) {
        let document = json!({"uri": self.uri(path), "version": version});
        self.tell("textDocument/didChange", json!({"textDocument": document, "contentChanges": [{"text": text}]}));
    }

    /// Closes a file in the editor.
    pub fn close(&self, path: &str) {
        self.tell("textDocument/didClose", json!({"textDocument": {"uri": self.uri(path)}}));
    }

    /// Writes a file to the disk.
    pub fn write(&self, path: &str, text: &str) {
        std::fs::write(self.folder.join(path), text).unwrap();
    }

    /// Waits until a file's diagnostics satisfy `wanted`.
    pub fn until(&mut self, file: &str, wanted: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        loop {
            let now = self.diagnostics.get(file).cloned().unwrap_or_default();
            if wanted(&now) {
                return now;
            }
            self.receive();
        }
    }

    /// A place in a file, as most requests take it.
    pub fn at(&self, path: &str, line: u32, character: u32) -> Value {
        json!({"textDocument": {"uri": self.uri(path)}, "position": {"line": line, "character": character}})
    }

    /// The diagnostics of the whole workspace, by file, as the server has them this moment.
    pub fn everything(&mut self) -> BTreeMap<String, Value> {
        let report = self.ask("workspace/diagnostic", json!({"previousResultIds": []}));
        let items = report["items"].as_array().unwrap();
        items.iter().map(|i| (i["uri"].as_str().unwrap().to_owned(), i["items"].clone())).collect()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        self.ask("shutdown", Value::Null);
        self.tell("exit", Value::Null);
        self.server.take().unwrap().join().unwrap();
        if !self.keeps_folder {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}
