//! Calls to a platform's API: JSON over HTTPS, with its limits respected and its answers bounded.

use super::log::Log;
use super::secret::Secret;
use serde_json::Value;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use ureq::http;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// The largest answer that is read.
const MAX_ANSWER: u64 = 64 * 1024 * 1024;
/// How often a call is made at most.
const MOST_ATTEMPTS: u32 = 6;
/// Pages that are read of a list: ten thousand entries.
const MOST_PAGES: usize = 100;
/// Entries of a page.
pub const PER_PAGE: usize = 100;
/// So many calls that change something are made at once; then GitHub asks for a second between two.
const EAGER_WRITES: u32 = 10;

/// What went wrong in talking to a platform.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ForgeError {
    /// It said no.
    Refused {
        /// The status.
        status: u16,
        /// What was asked, such as `POST /repos/o/r/check-runs`.
        what: String,
        /// Its words.
        message: String,
    },
    /// It asks to come back later than the bot is willing to wait.
    Busy {
        /// What was asked.
        what: String,
        /// How long it asks to wait.
        wait: Duration,
    },
    /// It could not be reached, or broke. What was asked may have been done.
    Broken {
        /// What was asked.
        what: String,
        /// What is known.
        message: String,
    },
    /// It answered something that makes no sense.
    Unexpected(String),
}

impl ForgeError {
    /// Whether it said no with this status.
    pub fn is(&self, wanted: u16) -> bool {
        matches!(self, ForgeError::Refused { status, .. } if *status == wanted)
    }
}

impl std::fmt::Display for ForgeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ForgeError::Refused { status, what, message } => {
                write!(f, "`{what}` was refused with status {status}: {message}")?;
                match status {
                    401 => write!(f, ". The token is wrong or has expired"),
                    403 => write!(f, ". The token may not do this; docs/bot.md lists the permissions that are needed"),
                    404 => write!(f, ". It does not exist, or the token may not see it"),
                    _ => Ok(()),
                }
            }
            ForgeError::Busy { what, wait } => {
                write!(f, "`{what}` is limited for another {} seconds; try again then", wait.as_secs())
            }
            ForgeError::Broken { what, message } => write!(f, "`{what}` did not work: {message}"),
            ForgeError::Unexpected(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for ForgeError {}

/// The time, and waiting for it to pass: tests have their own.
pub trait Clock: Send + Sync {
    /// Seconds since 1970.
    fn now(&self) -> u64;
    /// Waits.
    fn sleep(&self, time: Duration);
}

/// The clock of the system.
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs())
    }

    fn sleep(&self, time: Duration) {
        std::thread::sleep(time);
    }
}

/// A connection to one API.
#[derive(Clone)]
pub struct Client {
    agent: ureq::Agent,
    base: String,
    headers: Vec<(&'static str, Secret)>,
    clock: Arc<dyn Clock>,
    patience: Duration,
    writes: Arc<std::sync::atomic::AtomicU32>,
    log: Log,
}

/// What came back.
pub struct Answer {
    /// The body; null where there was none.
    pub body: Value,
    /// The address of the next page.
    next: Option<String>,
}

/// The transport that all clients of a process share.
///
/// # Errors
/// A sentence where the certificates of `authorities` (PEM) cannot be read.
pub fn agent(authorities: Option<&str>) -> Result<ureq::Agent, String> {
    let mut tls = TlsConfig::builder();
    if let Some(pem) = authorities {
        let certificates: Result<Vec<Certificate<'static>>, ureq::Error> = ureq::tls::parse_pem(pem.as_bytes())
            .filter_map(|item| match item {
                Ok(ureq::tls::PemItem::Certificate(c)) => Some(Ok(c)),
                Ok(_) => None,
                Err(e) => Some(Err(e)),
            })
            .collect();
        let certificates = certificates.map_err(|e| format!("the certificates cannot be read: {e}"))?;
        if certificates.is_empty() {
            return Err("the file of certificates holds none; it must be PEM".to_owned());
        }
        tls = tls.root_certs(RootCerts::new_with_certs(&certificates));
    }
    Ok(ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_connect(Some(Duration::from_secs(20)))
        .timeout_global(Some(Duration::from_secs(90)))
        .max_redirects(3)
        .redirect_auth_headers(ureq::config::RedirectAuthHeaders::SameHost)
        .user_agent(concat!("stacklint/", env!("CARGO_PKG_VERSION")))
        .tls_config(tls.build())
        .build()
        .into())
}

impl Client {
    /// A connection. `patience` bounds how long one call waits for a limit to pass.
    pub fn new(agent: ureq::Agent, base: &str, clock: Arc<dyn Clock>, patience: Duration, log: Log) -> Client {
        let base = base.trim_end_matches('/').to_owned();
        Client { agent, base, headers: Vec::new(), clock, patience, writes: Arc::default(), log }
    }

    /// The same with a header on every call.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: Secret) -> Client {
        self.headers.push((name, value));
        self
    }

    /// Seconds since 1970.
    pub fn now(&self) -> u64 {
        self.clock.now()
    }

    /// Asks for something.
    ///
    /// # Errors
    /// [`ForgeError`]
    pub fn get(&self, path: &str) -> Result<Value, ForgeError> {
        Ok(self.call("GET", path, None)?.body)
    }

    /// Changes something.
    ///
    /// # Errors
    /// [`ForgeError`]
    pub fn send(&self, method: &str, path: &str, body: &Value) -> Result<Value, ForgeError> {
        Ok(self.call(method, path, Some(body).filter(|b| !b.is_null()))?.body)
    }

    /// All entries of a list, page by page. Where the list is an object, `field` names the array in it.
    ///
    /// # Errors
    /// [`ForgeError`]
    pub fn list(&self, path: &str, field: Option<&str>) -> Result<Vec<Value>, ForgeError> {
        let mut all = Vec::new();
        let mark = if path.contains('?') { '&' } else { '?' };
        for page in 1..=MOST_PAGES {
            let answer = self.call("GET", &format!("{path}{mark}per_page={PER_PAGE}&page={page}"), None)?;
            let items = match field {
                Some(field) => answer.body.get(field).cloned().unwrap_or_default(),
                None => answer.body,
            };
            let Value::Array(items) = items else {
                return Err(ForgeError::Unexpected(format!("`GET {path}` gave no list")));
            };
            let full = items.len() >= PER_PAGE;
            all.extend(items);
            // The header says whether more follows; where a proxy swallowed it, a full page does.
            if answer.next.is_none() && !full {
                return Ok(all);
            }
        }
        self.log.warn("a list has more pages than are read", &[("path", path)]);
        Ok(all)
    }

    /// Makes a call, waiting and trying again where that is right.
    fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Answer, ForgeError> {
        // Queries may hold what a log need not see, and say little.
        let what = format!("{method} {}", path.split('?').next().unwrap_or(path));
        let reads = method == "GET" || body.is_some_and(is_query);
        if !reads && self.writes.fetch_add(1, std::sync::atomic::Ordering::Relaxed) >= EAGER_WRITES {
            self.clock.sleep(Duration::from_secs(1));
        }
        let mut waited = Duration::ZERO;
        for attempt in 1..=MOST_ATTEMPTS {
            let last = attempt == MOST_ATTEMPTS;
            let failed = match self.once(method, path, body, &what) {
                Ok(Outcome::Done(answer)) => return Ok(answer),
                Ok(Outcome::Refused(error)) => return Err(error),
                Ok(Outcome::Limited(wait)) => {
                    let wait = wait.unwrap_or(Duration::from_secs(30 << attempt.min(5)));
                    if last || waited + wait > self.patience {
                        return Err(ForgeError::Busy { what, wait });
                    }
                    self.log.warn(
                        "the platform limits our calls; waiting",
                        &[("call", &what), ("seconds", &wait.as_secs().to_string())],
                    );
                    waited += wait;
                    self.clock.sleep(wait);
                    continue;
                }
                Ok(Outcome::Broken(message)) | Err(message) => message,
            };
            // What creates something may have created it: only a new look at the platform tells.
            if last || (!reads && method == "POST") {
                return Err(ForgeError::Broken { what, message: failed });
            }
            self.clock.sleep(Duration::from_secs(1 << attempt));
        }
        Err(ForgeError::Unexpected(format!("`{what}` was not tried")))
    }

    fn once(&self, method: &str, path: &str, body: Option<&Value>, what: &str) -> Result<Outcome, String> {
        let address = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.base) };
        let mut request = http::Request::builder().method(method).uri(address);
        for (name, value) in &self.headers {
            let mut value =
                http::HeaderValue::from_str(value.expose()).map_err(|_| format!("the header {name} is no text"))?;
            value.set_sensitive(true);
            request = request.header(*name, value);
        }
        // The errors of the transport name addresses and causes; they never show headers.
        let transport = |e: ureq::Error| self.log.redact(&e.to_string());
        let mut response = match body {
            Some(body) => {
                let request = request
                    .header("content-type", "application/json")
                    .body(body.to_string())
                    .map_err(|e| format!("the address makes no sense: {e}"))?;
                self.agent.run(request).map_err(transport)?
            }
            None => {
                let request = request.body(()).map_err(|e| format!("the address makes no sense: {e}"))?;
                self.agent.run(request).map_err(transport)?
            }
        };
        let status = response.status().as_u16();
        let header = |name: &str| response.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
        let limit = limit(status, &header, self.clock.now());
        let next =
            header("link").and_then(|l| next_page(&l)).or_else(|| header("x-next-page").filter(|p| !p.is_empty()));
        let bytes = response.body_mut().with_config().limit(MAX_ANSWER).read_to_vec().map_err(transport)?;
        let json: Value =
            if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap_or_default() };
        let words = message(&json);
        if let Some(wait) = limit {
            return Ok(Outcome::Limited(wait));
        }
        match status {
            200..=299 if json.is_null() && !bytes.is_empty() => Err("the answer is no JSON".to_owned()),
            200..=299 => Ok(Outcome::Done(Answer { body: json, next })),
            // GitHub's secondary limits do not always come with a header.
            403 if words.contains("rate limit") => Ok(Outcome::Limited(None)),
            500.. => Ok(Outcome::Broken(format!("status {status}: {words}"))),
            _ => Ok(Outcome::Refused(ForgeError::Refused {
                status,
                what: what.to_owned(),
                message: self.log.redact(&words),
            })),
        }
    }
}

enum Outcome {
    Done(Answer),
    Refused(ForgeError),
    Limited(Option<Duration>),
    Broken(String),
}

fn is_query(body: &Value) -> bool {
    body.get("query").and_then(Value::as_str).is_some_and(|q| q.trim_start().starts_with("query"))
}

/// Whether an answer asks to wait, and how long.
fn limit(status: u16, header: &dyn Fn(&str) -> Option<String>, now: u64) -> Option<Option<Duration>> {
    if status != 403 && status != 429 {
        return None;
    }
    if let Some(seconds) = header("retry-after").and_then(|s| s.trim().parse().ok()) {
        return Some(Some(Duration::from_secs(seconds)));
    }
    let spent = |name: &str| header(name).is_some_and(|n| n.trim() == "0");
    if spent("x-ratelimit-remaining") || spent("ratelimit-remaining") {
        let reset = header("x-ratelimit-reset").or_else(|| header("ratelimit-reset"));
        let reset: Option<u64> = reset.and_then(|s| s.trim().parse().ok());
        return Some(reset.map(|at| Duration::from_secs(at.saturating_sub(now) + 1)));
    }
    (status == 429).then_some(None)
}

/// The address behind `rel="next"`.
fn next_page(link: &str) -> Option<String> {
    link.split(',').find_map(|part| {
        let (address, rest) = part.trim().strip_prefix('<')?.split_once('>')?;
        rest.contains("rel=\"next\"").then(|| address.to_owned())
    })
}

/// What an error says: `message` and `errors` as GitHub and GitLab send them, in one line of bounded length.
fn message(json: &Value) -> String {
    let mut words = Vec::new();
    for field in ["message", "error", "errors"] {
        match json.get(field) {
            None | Some(Value::Null) => {}
            Some(Value::String(s)) => words.push(s.clone()),
            Some(other) => words.push(other.to_string()),
        }
    }
    let words = if words.is_empty() { "no words".to_owned() } else { words.join(": ") };
    super::words::plain(&words, 500)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_say_how_long_to_wait() {
        let check = |status, headers: &[(&str, &str)], expected: Option<Option<u64>>| {
            let header = |name: &str| headers.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
            let got = limit(status, &header, 1_000).map(|w| w.map(|w| w.as_secs()));
            assert_eq!(got, expected, "{status} {headers:?}");
        };
        check(403, &[("retry-after", "7")], Some(Some(7)));
        check(403, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1060")], Some(Some(61)));
        check(403, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "5")], Some(Some(1)));
        check(403, &[("x-ratelimit-remaining", "12")], None);
        check(429, &[], Some(None));
        check(200, &[("retry-after", "7")], None);
    }

    #[test]
    fn the_next_page_is_found() {
        let link = "<https://api/x?page=1>; rel=\"prev\", <https://api/x?page=3>; rel=\"next\"";
        assert_eq!(next_page(link).as_deref(), Some("https://api/x?page=3"));
        assert_eq!(next_page("<https://api/x?page=1>; rel=\"last\""), None);
    }
}
