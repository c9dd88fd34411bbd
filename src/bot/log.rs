//! What the bot says of itself: one line an event, for people or for programs, and never a secret.

use super::secret::Secret;
use crate::report::one_line;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// What stands in place of a secret.
const REDACTED: &str = "(redacted)";
/// Shorter values are not searched for: they would hit words.
const SHORTEST: usize = 8;

/// Where lines go, and what must not be in them.
#[derive(Clone)]
pub struct Log {
    inner: Arc<Inner>,
}

struct Inner {
    json: bool,
    out: Mutex<Box<dyn Write + Send>>,
    secrets: Mutex<Vec<Secret>>,
}

/// How much a line matters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Level {
    /// As it should be.
    Info,
    /// Somebody may want to look.
    Warn,
    /// Something was not done.
    Error,
}

impl Log {
    /// One that writes to standard error.
    pub fn stderr(json: bool) -> Log {
        Log::to(json, Box::new(std::io::stderr()))
    }

    /// One that writes somewhere else.
    pub fn to(json: bool, out: Box<dyn Write + Send>) -> Log {
        Log { inner: Arc::new(Inner { json, out: Mutex::new(out), secrets: Mutex::default() }) }
    }

    /// Makes sure that a value never appears. Secrets do not reach the log by design; this holds where the design fails, such as
    /// in the words of another program.
    pub fn hide(&self, secret: &Secret) {
        let mut secrets = self.inner.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        if secret.expose().len() >= SHORTEST && !secrets.iter().any(|s| s.expose() == secret.expose()) {
            // Tokens live for an hour; older ones are worth nothing.
            if secrets.len() >= 1_000 {
                secrets.remove(3);
            }
            secrets.push(secret.clone());
        }
    }

    /// Has the words of panics go through here: they may hold anything.
    pub fn take_panics(&self) {
        let log = self.clone();
        std::panic::set_hook(Box::new(move |info| {
            // A step of the analysis that breaks stands in the report.
            if !crate::analysis::is_guarded() {
                log.error("a step broke; this is a fault of stacklint", &[("panic", &info.to_string())]);
            }
        }));
    }

    /// Text without the secrets that are known.
    pub fn redact(&self, text: &str) -> String {
        let secrets = self.inner.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = text.to_owned();
        for secret in secrets.iter() {
            // A key has many lines; any of them gives part of it away.
            for part in secret.expose().lines().filter(|l| l.len() >= SHORTEST && !l.starts_with("-----")) {
                if text.contains(part) {
                    text = text.replace(part, REDACTED);
                }
            }
        }
        text
    }

    /// As it should be.
    pub fn info(&self, message: &str, fields: &[(&str, &str)]) {
        self.write(Level::Info, message, fields);
    }

    /// Somebody may want to look.
    pub fn warn(&self, message: &str, fields: &[(&str, &str)]) {
        self.write(Level::Warn, message, fields);
    }

    /// Something was not done.
    pub fn error(&self, message: &str, fields: &[(&str, &str)]) {
        self.write(Level::Error, message, fields);
    }

    fn write(&self, level: Level, message: &str, fields: &[(&str, &str)]) {
        let word = match level {
            Level::Info => "info",
            Level::Warn => "warn",
            Level::Error => "error",
        };
        let line = if self.inner.json {
            let mut line = serde_json::Map::new();
            line.insert("time".to_owned(), now().into());
            line.insert("level".to_owned(), word.into());
            line.insert("message".to_owned(), self.redact(message).into());
            for (name, value) in fields {
                line.insert((*name).to_owned(), self.redact(value).into());
            }
            serde_json::Value::Object(line).to_string()
        } else {
            let fields: String = fields.iter().map(|(n, v)| format!(" {n}={}", one_line(&self.redact(v)))).collect();
            let head = if level == Level::Info { String::new() } else { format!("{word}: ") };
            format!("{head}{}{fields}", one_line(&self.redact(message)))
        };
        let mut out = self.inner.out.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = writeln!(out, "{line}");
        let _ = out.flush();
    }
}

/// Now, in UTC, as RFC 3339 writes it.
pub fn now() -> String {
    rfc3339(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs()))
}

/// A number of seconds since 1970 as RFC 3339 writes it.
pub fn rfc3339(seconds: u64) -> String {
    let day = crate::analysis::Date::from_unix(seconds);
    let of_day = seconds % 86_400;
    format!("{day}T{:02}:{:02}:{:02}Z", of_day / 3_600, of_day / 60 % 60, of_day % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn secrets_are_replaced_wherever_they_stand() {
        for json in [false, true] {
            let sink = Sink::default();
            let log = Log::to(json, Box::new(sink.clone()));
            log.hide(&Secret::new("ghs_abcdefgh"));
            log.hide(&Secret::new("-----BEGIN KEY-----\nMIIEowIBAAKC\nAQEAzzzzzzzz\n-----END KEY-----"));
            log.hide(&Secret::new("a"));
            log.warn("git said ghs_abcdefgh", &[("key", "xAQEAzzzzzzzzx"), ("line", "a\n\x1b[31mb")]);
            let text = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
            assert!(!text.contains("ghs_") && !text.contains("AQEA") && !text.contains('\x1b'), "{text}");
            assert!(text.contains("git said (redacted)") && text.lines().count() == 1, "{text}");
        }
    }

    #[test]
    fn times_are_rfc_3339() {
        assert_eq!(rfc3339(1_709_209_845), "2024-02-29T12:30:45Z");
    }
}
