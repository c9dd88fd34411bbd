//! The server: who is let in, what is remembered, what survives.

use crate::fake::{Fake, Pull, TOKEN};
use crate::git::Work;
use crate::{Folder, entries};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const SECRET: &str = "PlantedWebhookSecret0123456789";
const KEY: &str = include_str!("app-key.pem");
/// How long anything may take before a test gives up; no test measures time.
const PATIENCE: Duration = Duration::from_secs(300);

/// A running server.
struct Server {
    child: Child,
    port: u16,
    log: Arc<Mutex<String>>,
    reader: Option<std::thread::JoinHandle<()>>,
    /// What waited in the queue at the start.
    waiting: u64,
}

impl Server {
    fn start(fake: &Fake, folder: &Path, more: &[&str]) -> Server {
        std::fs::write(folder.join("app.pem"), KEY).unwrap();
        std::fs::write(folder.join("webhook"), format!("{SECRET}\nPlantedOlderSecret\n")).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_stacklint"))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .current_dir(folder)
            .args(["bot", "serve", "--listen", "127.0.0.1:0", "--state", "state", "--app-id", "12345", "--log", "json"])
            .args(["--private-key", "app.pem", "--webhook-secret", "webhook"])
            .args(["--api-url", &fake.api(), "--graphql-url", &fake.graphql(), "--git-url", &fake.git()])
            .args(more)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let log = Arc::new(Mutex::new(String::new()));
        let first = loop {
            let line = lines.next().expect("the server starts").unwrap();
            log.lock().unwrap().push_str(&format!("{line}\n"));
            let line: Value = serde_json::from_str(&line).unwrap();
            if line["message"] == "listening" {
                break line;
            }
        };
        let sink = log.clone();
        let reader = std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                sink.lock().unwrap().push_str(&format!("{line}\n"));
            }
        });
        let port = first["address"].as_str().unwrap().rsplit(':').next().unwrap().parse().unwrap();
        let waiting = first["waiting"].as_str().unwrap().parse().unwrap();
        Server { child, port, log, reader: Some(reader), waiting }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// A number of `/metrics`.
    fn metric(&self, name: &str) -> u64 {
        number(&self.metrics(), name)
    }

    fn metrics(&self) -> String {
        request(&mut self.connect(), "GET", "/metrics", &[], b"").1
    }

    /// Jobs that wait or run, out of one answer: between two a job may go from one to the other.
    fn queued(&self) -> u64 {
        let text = self.metrics();
        number(&text, "stacklint_bot_queue_jobs{state=\"waiting\"}")
            + number(&text, "stacklint_bot_queue_jobs{state=\"running\"}")
    }

    fn deliver(&self, event: &str, id: &str, body: &[u8]) -> (u16, String) {
        deliver(&mut self.connect(), event, id, body, &sign(SECRET, body))
    }

    fn kill(mut self) -> String {
        self.child.kill().unwrap();
        self.end()
    }

    /// Waits for the end and gives the log, in which no secret may be.
    fn end(&mut self) -> String {
        self.child.wait().unwrap();
        self.reader.take().unwrap().join().unwrap();
        let log = self.log.lock().unwrap().clone();
        let key: Vec<&str> = KEY.lines().filter(|l| !l.starts_with("---")).collect();
        for secret in ["Planted", "eyJ", "eC1hY2Nlc3M"].iter().chain(&key) {
            assert!(!log.contains(secret), "{secret} in {log}");
        }
        log
    }

    fn terminate(mut self) -> String {
        Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        self.end()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn sign(secret: &str, body: &[u8]) -> String {
    stacklint::bot::serve::signature::sign(secret, body)
}

fn deliver(stream: &mut TcpStream, event: &str, id: &str, body: &[u8], signature: &str) -> (u16, String) {
    let headers = [
        ("content-type", "application/json"),
        ("x-github-event", event),
        ("x-github-delivery", id),
        ("x-hub-signature-256", signature),
    ];
    request(stream, "POST", "/webhook", &headers, body)
}

fn request(stream: &mut TcpStream, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> (u16, String) {
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: bot\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    let sent = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
    // A server that turns a body away may close before it is sent; the answer is there all the same.
    let _ = sent;
    response(stream)
}

/// Reads an answer; status 0 where the connection was closed without one.
fn response(stream: &mut TcpStream) -> (u16, String) {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        if let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
            let length =
                head.lines().find_map(|l| l.strip_prefix("content-length: ")?.parse::<usize>().ok()).unwrap_or(0);
            if bytes.len() >= end + 4 + length {
                let status = head.split(' ').nth(1).unwrap().parse().unwrap();
                return (status, String::from_utf8_lossy(&bytes[end + 4..end + 4 + length]).into_owned());
            }
        }
        match stream.read(&mut buffer) {
            Ok(0) => return (0, "closed".to_owned()),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return (0, format!("{error:?}")),
            Ok(n) => bytes.extend_from_slice(&buffer[..n]),
        }
    }
}

fn event(action: &str, repository: &str, number: u64, commit: u64) -> Vec<u8> {
    let pull = json!({ "number": number, "state": "open", "head": { "sha": format!("{commit:040x}") } });
    json!({
        "action": action,
        "repository": { "id": 9, "full_name": repository },
        "installation": { "id": 5 },
        "pull_request": pull,
    })
    .to_string()
    .into_bytes()
}

/// A fake that knows the App.
fn app(folder: &Folder) -> Fake {
    let fake = Fake::start(&folder.0);
    fake.state().app_key = Some(public_key());
    fake.state().tokens.remove(TOKEN);
    fake
}

/// The public half of the App's key, as ring makes it.
fn public_key() -> Vec<u8> {
    use base64::Engine as _;
    use ring::signature::KeyPair as _;
    let base64: String = KEY.lines().filter(|l| !l.starts_with("---")).collect();
    let der = base64::engine::general_purpose::STANDARD.decode(base64).unwrap();
    ring::signature::RsaKeyPair::from_der(&der).unwrap().public_key().as_ref().to_vec()
}

/// The value of a metric in what the server says of itself.
fn number(text: &str, name: &str) -> u64 {
    let line = text.lines().find(|l| l.strip_prefix(name).is_some_and(|rest| rest.starts_with(' ')));
    line.and_then(|l| l.rsplit(' ').next()).and_then(|n| n.parse().ok()).unwrap_or_else(|| panic!("{name} in {text}"))
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn only_what_the_platform_signed_is_let_in() {
    let folder = Folder::new("door");
    let fake = app(&folder);
    fake.state().refuse_app = true;
    let server = Server::start(&fake, &folder.0, &["--head-seconds", "3", "--body-seconds", "3"]);
    let body = event("opened", "octo/shop", 1, 1);
    let good = sign(SECRET, &body);
    let check = |what: &str, expected: u16, headers: &[(&str, &str)], body: &[u8]| {
        let mut all = BTreeMap::from([
            ("content-type", "application/json"),
            ("x-github-event", "pull_request"),
            ("x-github-delivery", "1-2-3"),
            ("x-hub-signature-256", good.as_str()),
        ]);
        all.extend(headers.iter().copied());
        let all: Vec<(&str, &str)> = all.into_iter().filter(|(_, v)| !v.is_empty()).collect();
        let (status, words) = request(&mut server.connect(), "POST", "/webhook", &all, body);
        assert_eq!(status, expected, "{what}: {words}");
    };
    check("no signature", 401, &[("x-hub-signature-256", "")], &body);
    check("another secret", 401, &[("x-hub-signature-256", &sign("guess", &body))], &body);
    check("another body", 401, &[], &event("opened", "octo/shop", 2, 1));
    check("an old kind of signature", 401, &[("x-hub-signature-256", "sha1=00")], &body);
    check("a wrong signature on what is no JSON", 401, &[], b"{");
    check("no JSON", 400, &[("x-hub-signature-256", &sign(SECRET, b"{"))], b"{");
    check("no object", 400, &[("x-hub-signature-256", &sign(SECRET, b"[]"))], b"[]");
    let deep = "[".repeat(200_000);
    check("too deep", 400, &[("x-hub-signature-256", &sign(SECRET, deep.as_bytes()))], deep.as_bytes());
    check("a form", 415, &[("content-type", "application/x-www-form-urlencoded")], &body);
    check("no event", 400, &[("x-github-event", "")], &body);
    check("an id with a line break's escape", 400, &[("x-github-delivery", "a%0ab")], &body);
    check("the first time", 202, &[], &body);
    check("the same delivery", 200, &[], &body);
    check("the same body under another id", 200, &[("x-github-delivery", "9-9-9")], &body);
    check(
        "a key that is being replaced",
        202,
        &[
            ("x-github-delivery", "7"),
            ("x-hub-signature-256", &sign("PlantedOlderSecret", &event("opened", "octo/shop", 3, 1))),
        ],
        &event("opened", "octo/shop", 3, 1),
    );
    assert_eq!(server.queued(), 2);

    // 26 MB that are announced are not even read.
    let mut stream = server.connect();
    let head = format!(
        "POST /webhook HTTP/1.1\r\nhost: bot\r\ncontent-type: application/json\r\nx-github-event: push\r\n\
         x-github-delivery: 4\r\nx-hub-signature-256: {good}\r\ncontent-length: {}\r\n\r\n",
        26 * 1024 * 1024
    );
    stream.write_all(head.as_bytes()).unwrap();
    assert_eq!(response(&mut stream).0, 413);
    // Chunks without an end have no length.
    let mut stream = server.connect();
    stream.write_all(b"POST /webhook HTTP/1.1\r\nhost: bot\r\ntransfer-encoding: chunked\r\n\r\n").unwrap();
    assert_eq!(response(&mut stream).0, 411);
    // Who sends its head drop by drop is cut off; who does so with the body is told.
    let mut stream = server.connect();
    stream.write_all(b"POST /webhook HTTP/1.1\r\nhost: ").unwrap();
    assert!(matches!(response(&mut stream).0, 0 | 408));
    let mut stream = server.connect();
    let head = format!(
        "POST /webhook HTTP/1.1\r\nhost: bot\r\ncontent-type: application/json\r\nx-github-event: push\r\n\
         x-github-delivery: 5\r\nx-hub-signature-256: {good}\r\ncontent-length: 1000\r\n\r\n{{"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let (status, words) = response(&mut stream);
    assert_eq!(status, 408, "{words}");
    for (path, expected) in [("/healthz", 200), ("/metrics", 200), ("/", 404), ("/webhook", 405)] {
        assert_eq!(request(&mut server.connect(), "GET", path, &[], b"").0, expected, "{path}");
    }
    let log = server.terminate();
    assert!(log.contains("wrong signature") && log.contains("stopped"), "{log}");
}

#[test]
fn a_burst_of_ten_thousand_deliveries_loses_nothing() {
    const SENDERS: usize = 16;
    const EACH: usize = 625;
    const PULLS: usize = 500;
    let folder = Folder::new("burst");
    let fake = app(&folder);
    // Jobs wait: the App's key is refused, as it is until an operator mends it.
    fake.state().refuse_app = true;
    let server = Server::start(&fake, &folder.0, &["--workers", "1"]);
    let statuses: BTreeMap<u16, usize> = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..SENDERS)
            .map(|sender| {
                let server = &server;
                scope.spawn(move || {
                    let mut statuses: BTreeMap<u16, usize> = BTreeMap::new();
                    let mut stream = server.connect();
                    for n in 0..EACH {
                        let n = sender * EACH + n;
                        let repository = format!("octo/r{}", n % 50);
                        let body = event("synchronize", &repository, (n % PULLS) as u64, n as u64);
                        loop {
                            let got =
                                deliver(&mut stream, "pull_request", &format!("id-{n}"), &body, &sign(SECRET, &body));
                            *statuses.entry(got.0).or_default() += 1;
                            // What is refused for want of room is sent again, as an operator has the platform do.
                            match got.0 {
                                503 => std::thread::sleep(Duration::from_millis(20)),
                                0 => stream = server.connect(),
                                _ => break,
                            }
                        }
                    }
                    statuses
                })
            })
            .collect();
        let mut all = BTreeMap::new();
        for sender in senders {
            for (status, n) in sender.join().unwrap() {
                *all.entry(status).or_default() += n;
            }
        }
        all
    });
    assert_eq!(statuses, BTreeMap::from([(202, SENDERS * EACH)]));
    let there = server.queued();
    assert_eq!(there, PULLS as u64);
    if let Ok(status) = std::fs::read_to_string(format!("/proc/{}/status", server.child.id())) {
        let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap().trim().to_owned();
        let kilobytes: u64 = line.trim_end_matches(" kB").parse().unwrap();
        assert!(kilobytes < 250 * 1024, "{line}");
        println!("burst: {line} at most");
    }
    server.kill();
    let server = Server::start(&fake, &folder.0, &["--workers", "1"]);
    assert_eq!(server.waiting, PULLS as u64, "what was accepted is there after a kill");
    let (status, words) = server.deliver("pull_request", "id-7", &event("synchronize", "octo/r7", 7, 7));
    assert_eq!((status, words.contains("here before")), (200, true), "{words}");
    server.terminate();
}

#[test]
fn every_job_is_done_once_whatever_kills_the_server() {
    const REPOSITORIES: u64 = 10;
    const PULLS: u64 = 20;
    let folder = Folder::new("kill");
    let bad = "resource \"aws_s3_bucket\" \"b\" {\n  bucket = \"b\"\n  acl    = \"public-read\"\n}\n";
    let fake = app(&folder);
    for r in 0..REPOSITORIES {
        let name = format!("octo/r{r}");
        let work = Work::new(&folder.0, &name);
        work.write("stacklint.toml", "select = [\"aws-s3-bucket-public-acl\"]\n");
        // Repositories differ in their commits.
        work.write("README.md", &name);
        work.push("main");
        work.write("main.tf", bad);
        work.push("feature");
        for number in 1..=PULLS {
            let pull = Pull { head: "feature".into(), base: "main".into(), ..Pull::default() };
            fake.state().pulls.insert((name.clone(), number), pull);
        }
    }
    // The first wait for the platform: all 200 are queued before anything is done.
    fake.state().hold = true;
    let server = Server::start(&fake, &folder.0, &["--workers", "2"]);
    let mut stream = server.connect();
    for n in 0..REPOSITORIES * PULLS {
        let body = event("opened", &format!("octo/r{}", n % REPOSITORIES), n / REPOSITORIES + 1, n);
        let got = deliver(&mut stream, "pull_request", &format!("id-{n}"), &body, &sign(SECRET, &body));
        assert_eq!(got.0, 202, "{}", got.1);
    }
    server.kill();
    fake.state().hold = false;
    let reviews = |fake: &Fake| fake.state().pulls.values().filter(|p| p.reviews > 0).count() as u64;
    let mut server = Server::start(&fake, &folder.0, &["--workers", "2"]);
    assert_eq!(server.waiting, REPOSITORIES * PULLS);
    // Killed again and again in the midst of the work.
    for round in 1..=4 {
        wait_until("jobs are done", || reviews(&fake) >= round * 12);
        server.kill();
        server = Server::start(&fake, &folder.0, &["--workers", "2"]);
    }
    wait_until("all jobs are done", || server.queued() == 0);
    let log = server.terminate();
    let state = fake.state();
    for (key, pull) in &state.pulls {
        let ours = pull.notes.len();
        assert_eq!((pull.reviews, pull.comments.len(), ours), (1, 1, 1), "{key:?}\n{log}");
    }
    // One check for each pull request; those of one repository have the same head, so the same check stands for all of them.
    let mut checks: BTreeMap<&str, usize> = BTreeMap::new();
    for check in &state.checks {
        assert_eq!(check.status, "completed");
        *checks.entry(&check.sha).or_default() += 1;
    }
    assert!(checks.values().all(|n| *n == 1), "{checks:?}");
    assert_eq!(entries(&folder.0.join("state/jobs")), Vec::<String>::new(), "folders of jobs are left");
}

#[test]
fn a_job_in_hand_is_returned_when_the_server_stops() {
    let folder = Folder::new("stop");
    let fake = app(&folder);
    let work = Work::new(&folder.0, "octo/shop");
    work.push("main");
    work.write("main.tf", "resource \"aws_s3_bucket\" \"b\" {\n  acl = \"public-read\"\n}\n");
    work.push("feature");
    let pull = Pull { head: "feature".into(), base: "main".into(), ..Pull::default() };
    fake.state().pulls.insert(("octo/shop".into(), 1), pull);
    // The platform asks the review to wait for longer than anybody will.
    let limit = crate::fake::How::Limit { seconds: 45 };
    fake.state().faults.push(crate::fake::Fault { method: "GET", path: "/repos/octo/shop/pulls/1", how: limit });
    let server = Server::start(&fake, &folder.0, &["--grace-seconds", "0"]);
    assert_eq!(server.deliver("pull_request", "1", &event("opened", "octo/shop", 1, 1)).0, 202);
    wait_until("the job waits", || server.log.lock().unwrap().contains("limits our calls"));
    let log = server.terminate();
    assert!(log.contains("job returned"), "{log}");
    let server = Server::start(&fake, &folder.0, &[]);
    assert_eq!(server.waiting, 1);
    wait_until("it is done", || fake.state().pulls.values().all(|p| p.reviews == 1));
    // A pull request that was closed is not looked at any more, and a new name of the App is none of its business.
    assert_eq!(server.deliver("pull_request", "2", &event("closed", "octo/shop", 1, 2)).0, 202);
    server.terminate();
    assert_eq!(entries(&folder.0.join("state/jobs")), Vec::<String>::new());
}

#[test]
fn a_job_that_takes_too_long_is_ended() {
    let folder = Folder::new("slow");
    let fake = app(&folder);
    let work = Work::new(&folder.0, "octo/shop");
    work.push("main");
    work.push("feature");
    let pull = Pull { head: "feature".into(), base: "main".into(), ..Pull::default() };
    fake.state().pulls.insert(("octo/shop".into(), 1), pull);
    let how = crate::fake::How::Limit { seconds: 45 };
    fake.state().faults.push(crate::fake::Fault { method: "GET", path: "/repos/octo/shop/pulls/1", how });
    let server = Server::start(&fake, &folder.0, &["--job-seconds", "1"]);
    assert_eq!(server.deliver("pull_request", "1", &event("opened", "octo/shop", 1, 1)).0, 202);
    wait_until("it is given up", || server.metric("stacklint_bot_jobs_total{result=\"given-up\"}") == 1);
    wait_until("it is out of the queue", || server.queued() == 0);
    let log = server.terminate();
    assert!(log.contains("it took longer than 1 seconds"), "{log}");
    assert_eq!(entries(&folder.0.join("state/jobs")), Vec::<String>::new());
}

#[test]
fn what_is_set_up_wrong_is_said_without_the_secret() {
    let folder = Folder::new("setup");
    let run = |key: &str, secret: &str, more: &[&str]| {
        std::fs::write(folder.0.join("key"), key).unwrap();
        std::fs::write(folder.0.join("secret"), secret).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_stacklint"))
            .current_dir(&folder.0)
            .args([
                "bot",
                "serve",
                "--state",
                "state",
                "--app-id",
                "1",
                "--private-key",
                "key",
                "--webhook-secret",
                "secret",
            ])
            .args(more)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(!text.contains("Planted") && !text.contains("MIIE"), "{text}");
        assert_eq!(output.status.code(), Some(2), "{text}");
        text
    };
    assert!(run("PlantedNoKey", "PlantedSecret", &[]).contains("no RSA key in PEM"));
    let half: String = KEY.lines().take(5).collect::<Vec<_>>().join("\n");
    assert!(run(&half, "PlantedSecret", &[]).contains("no RSA key in PEM"));
    assert!(run(KEY, "\n", &[]).contains("secret is empty"));
    assert!(run(KEY, "PlantedSecret", &["--listen", "nowhere"]).contains("cannot listen"));
}

#[test]
fn the_example_of_a_deployment_has_no_findings() {
    let output = Command::new(env!("CARGO_BIN_EXE_stacklint"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["check", "--no-config", "examples/bot"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("2 files"), "{text}");
}
