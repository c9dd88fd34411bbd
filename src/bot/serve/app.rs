//! Speaking as a GitHub App: the App's own token, and from it the tokens of its installations.

use crate::bot::http::{Client, ForgeError};
use crate::bot::log::Log;
use crate::bot::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use zeroize::Zeroizing;

/// Seconds before its end at which a token is not given to a job any more, which may take a while.
const MARGIN: u64 = 1_200;
/// Tokens that are kept.
const MOST_TOKENS: usize = 1_000;

/// An App and its private key.
pub struct App {
    id: String,
    key: RsaKeyPair,
    api: Client,
    tokens: Mutex<BTreeMap<(u64, u64), (Secret, u64)>>,
    log: Log,
}

impl App {
    /// An App by its id (or client id) and its private key in PEM, as GitHub hands it out.
    ///
    /// # Errors
    /// A sentence where the key cannot be read. It never shows a part of the key.
    pub fn new(id: &str, pem: &Secret, api: Client, log: Log) -> Result<App, String> {
        Ok(App { id: id.to_owned(), key: key(pem)?, api, tokens: Mutex::default(), log })
    }

    /// The App's own token, good for nine minutes.
    ///
    /// # Errors
    /// A sentence where the key cannot sign.
    pub fn jwt(&self, now: u64) -> Result<Secret, String> {
        // A minute back, since clocks differ; GitHub allows ten minutes ahead.
        let claims = json!({ "iat": now.saturating_sub(60), "exp": now + 540, "iss": self.id });
        let head = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","typ":"JWT"}"#);
        let text = format!("{head}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key
            .sign(&RSA_PKCS1_SHA256, &ring::rand::SystemRandom::new(), text.as_bytes(), &mut signature)
            .map_err(|_| "the App's key could not sign".to_owned())?;
        Ok(Secret::new(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))))
    }

    fn api(&self) -> Result<Client, ForgeError> {
        let jwt = self.jwt(self.api.now()).map_err(ForgeError::Unexpected)?;
        self.log.hide(&jwt);
        Ok(self
            .api
            .clone()
            .with_header("authorization", Secret::new(format!("Bearer {}", jwt.expose())))
            .with_header("accept", Secret::new("application/vnd.github+json"))
            .with_header("x-github-api-version", Secret::new("2022-11-28")))
    }

    /// The account that comments of the App come from.
    ///
    /// # Errors
    /// [`ForgeError`]
    pub fn login(&self) -> Result<String, ForgeError> {
        let app = self.api()?.get("/app")?;
        match app.get("slug").and_then(Value::as_str) {
            Some(slug) => Ok(format!("{slug}[bot]")),
            None => Err(ForgeError::Unexpected("the platform does not say what the App is called".to_owned())),
        }
    }

    /// A token for one repository that can do what a review needs and nothing else.
    ///
    /// # Errors
    /// [`ForgeError`]
    pub fn token(&self, installation: u64, repository: u64) -> Result<Secret, ForgeError> {
        let now = self.api.now();
        let key = (installation, repository);
        {
            let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
            tokens.retain(|_, (_, end)| *end > now + MARGIN);
            if let Some((token, _)) = tokens.get(&key) {
                return Ok(token.clone());
            }
        }
        let body = json!({
            "repository_ids": [repository],
            "permissions": { "contents": "read", "metadata": "read", "pull_requests": "write", "checks": "write" },
        });
        let answer = self.api()?.send("POST", &format!("/app/installations/{installation}/access_tokens"), &body)?;
        let Some(token) = answer.get("token").and_then(Value::as_str).filter(|t| !t.is_empty()) else {
            return Err(ForgeError::Unexpected("the platform gave no token for the installation".to_owned()));
        };
        let token = Secret::new(token);
        self.log.hide(&token);
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        if tokens.len() >= MOST_TOKENS {
            tokens.clear();
        }
        // GitHub's tokens of installations live for an hour.
        tokens.insert(key, (token.clone(), now + 3600));
        Ok(token)
    }

    /// Forgets the tokens of an installation.
    pub fn forget(&self, installation: u64) {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner).retain(|(i, _), _| *i != installation);
    }
}

/// The key of a PEM: PKCS#1, as GitHub gives it, or PKCS#8.
fn key(pem: &Secret) -> Result<RsaKeyPair, String> {
    let wrong = || "the App's private key is no RSA key in PEM; take the file that GitHub gave you as it is".to_owned();
    let mut lines = pem.expose().lines().map(str::trim).skip_while(|l| !l.starts_with("-----BEGIN "));
    let begin = lines.next().ok_or_else(wrong)?;
    let base64: Zeroizing<String> = Zeroizing::new(lines.take_while(|l| !l.starts_with("-----")).collect());
    let der = Zeroizing::new(STANDARD.decode(base64.as_bytes()).map_err(|_| wrong())?);
    let key = match begin {
        "-----BEGIN RSA PRIVATE KEY-----" => RsaKeyPair::from_der(&der),
        "-----BEGIN PRIVATE KEY-----" => RsaKeyPair::from_pkcs8(&der),
        _ => return Err(wrong()),
    };
    key.map_err(|_| wrong())
}
