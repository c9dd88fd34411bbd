//! The forms that keys and tokens have, after the documentation of those who issue them.

use super::{entropy, is_dummy, is_placeholder};

/// Whether a known kind of key stands somewhere in the text.
///
/// Every string of a workspace comes by here, so what a form cannot do without (its length, one byte) is asked first.
pub fn known_key(text: &str) -> bool {
    let long = text.len() >= 44;
    if long && text.contains("-----BEGIN ") {
        return private_key(text);
    }
    text.len() >= SHORTEST_WORD && words(text).any(known_word)
        || text.contains(':') && text.split("://").skip(1).any(|rest| password_in_url(rest) || teams_webhook(rest))
        || long && text.contains('=') && azure_connection_string(text)
        || long && text.contains(':') && putty_key(text)
}

/// No known form of key is shorter.
const SHORTEST_WORD: usize = 16;

/// The runs of characters that keys are made of.
fn words(text: &str) -> impl Iterator<Item = &str> {
    // All these are ASCII, so every byte of another character ends a word as well, and the pieces between are text.
    let part = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'/' | b'+' | b'~');
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = bytes.get(at..)?;
            let start = at + rest.iter().position(|b| part(*b))?;
            let rest = bytes.get(start..)?;
            let length = rest.iter().position(|b| !part(*b)).unwrap_or(rest.len());
            at = start + length;
            if length >= SHORTEST_WORD {
                return text.get(start..at);
            }
        }
    })
}

/// A form of key: what it begins with, what follows, and how long that is.
struct Form {
    prefix: &'static str,
    alphabet: Alphabet,
    least: usize,
    most: usize,
}

#[derive(Clone, Copy)]
enum Alphabet {
    /// `A-Z2-7`, and the other digits, which AWS has in old keys.
    UpperDigits,
    /// Letters and digits.
    Alphanumeric,
    /// Letters, digits, `_` and `-`.
    Url,
    /// Hexadecimal digits.
    Hex,
    /// Hexadecimal digits and `-`.
    Uuid,
}

impl Alphabet {
    fn has(self, c: char) -> bool {
        match self {
            Alphabet::UpperDigits => c.is_ascii_uppercase() || c.is_ascii_digit(),
            Alphabet::Alphanumeric => c.is_ascii_alphanumeric(),
            Alphabet::Url => c.is_ascii_alphanumeric() || matches!(c, '_' | '-'),
            Alphabet::Hex => c.is_ascii_hexdigit(),
            Alphabet::Uuid => c.is_ascii_hexdigit() || c == '-',
        }
    }
}

const fn form(prefix: &'static str, alphabet: Alphabet, least: usize, most: usize) -> Form {
    Form { prefix, alphabet, least, most }
}

/// The forms of keys, after the documentation of their issuers.
const FORMS: &[Form] = &[
    // AWS access key ids: "IAM identifiers", unique prefixes.
    form("AKIA", Alphabet::UpperDigits, 16, 16),
    form("ASIA", Alphabet::UpperDigits, 16, 16),
    form("ABIA", Alphabet::UpperDigits, 16, 16),
    form("ACCA", Alphabet::UpperDigits, 16, 16),
    form("ASCA", Alphabet::UpperDigits, 16, 16),
    form("amzn.mws.", Alphabet::Uuid, 36, 36),
    // Google API keys.
    form("AIza", Alphabet::Url, 35, 35),
    form("GOCSPX-", Alphabet::Url, 28, 28),
    form("ya29.", Alphabet::Url, 30, 2048),
    // GitHub tokens: classic, OAuth, app, refresh, fine-grained.
    form("ghp_", Alphabet::Alphanumeric, 36, 255),
    form("gho_", Alphabet::Alphanumeric, 36, 255),
    form("ghu_", Alphabet::Alphanumeric, 36, 255),
    form("ghs_", Alphabet::Alphanumeric, 36, 255),
    form("ghr_", Alphabet::Alphanumeric, 36, 255),
    form("github_pat_", Alphabet::Url, 60, 255),
    form("glpat-", Alphabet::Url, 20, 64),
    form("gldt-", Alphabet::Url, 20, 64),
    // Slack.
    form("xoxb-", Alphabet::Url, 20, 255),
    form("xoxp-", Alphabet::Url, 20, 255),
    form("xoxa-", Alphabet::Url, 20, 255),
    form("xoxr-", Alphabet::Url, 20, 255),
    form("xapp-", Alphabet::Url, 20, 255),
    // Payment, mail, chat, packages.
    form("sk_live_", Alphabet::Alphanumeric, 16, 255),
    form("rk_live_", Alphabet::Alphanumeric, 16, 255),
    form("sq0csp-", Alphabet::Url, 43, 43),
    form("sq0atp-", Alphabet::Url, 22, 22),
    // Facebook's tokens for the Graph API begin with the encoded number of the app.
    form("EAACEdEose0cBA", Alphabet::Alphanumeric, 10, 255),
    form("SG.", Alphabet::Url, 22, 22),
    form("npm_", Alphabet::Alphanumeric, 36, 36),
    form("pypi-", Alphabet::Url, 80, 400),
    form("dop_v1_", Alphabet::Hex, 64, 64),
    form("shpat_", Alphabet::Hex, 32, 32),
    form("sk-ant-", Alphabet::Url, 40, 255),
    form("sk-proj-", Alphabet::Url, 40, 255),
    form("hf_", Alphabet::Alphanumeric, 34, 34),
    form("hvs.", Alphabet::Url, 24, 255),
    form("dapi", Alphabet::Hex, 32, 32),
    form("glsa_", Alphabet::Url, 32, 64),
    form("NRAK-", Alphabet::UpperDigits, 27, 27),
    form("key-", Alphabet::Hex, 32, 32),
];

fn known_word(word: &str) -> bool {
    let first = word.as_bytes().first();
    for form in FORMS.iter().filter(|f| f.prefix.as_bytes().first() == first) {
        let Some(rest) = word.strip_prefix(form.prefix) else { continue };
        let length = rest.chars().take_while(|c| form.alphabet.has(*c)).count();
        let ends = rest.get(length..).is_none_or(|tail| !tail.starts_with(|c: char| c.is_ascii_alphanumeric()));
        if length >= form.least && length <= form.most && ends && !is_dummy(rest) {
            return true;
        }
    }
    jwt(word) || slack_hook(word) || mailchimp_key(word) || twilio_key(word)
}

/// 32 hexadecimal digits and the data centre: `…-us12`.
fn mailchimp_key(word: &str) -> bool {
    let Some((key, centre)) = word.rsplit_once("-us") else { return false };
    key.len() == 32
        && key.chars().all(|c| Alphabet::Hex.has(c))
        && matches!(centre.len(), 1 | 2)
        && centre.chars().all(|c| c.is_ascii_digit())
        && !is_dummy(key)
}

/// `SK` and 32 hexadecimal digits in lower case.
fn twilio_key(word: &str) -> bool {
    let Some(key) = word.strip_prefix("SK") else { return false };
    key.len() == 32 && key.chars().all(|c| c.is_ascii_digit() || matches!(c, 'a'..='f')) && !is_dummy(key)
}

/// The address of an incoming webhook of Microsoft Teams, which is all that one needs to post there.
fn teams_webhook(rest: &str) -> bool {
    let address = rest.split([' ', '"', '\'', '\n']).next().unwrap_or("");
    address.split('/').next().is_some_and(|host| host.ends_with(".webhook.office.com") || host == "outlook.office.com")
        && address.contains("/IncomingWebhook/")
        && address.len() > 120
}

/// PuTTY's file format keeps the private part behind a line that counts its lines.
fn putty_key(text: &str) -> bool {
    text.split_once("PuTTY-User-Key-File-")
        .and_then(|(_, rest)| rest.split_once("Private-Lines:"))
        .is_some_and(|(_, private)| private.len() >= 40 && entropy(private) > 3.5)
}

/// A JSON web token: a header that decodes to an algorithm, a body and a signature.
fn jwt(word: &str) -> bool {
    if !word.starts_with("eyJ") {
        return false;
    }
    let mut parts = word.split('.');
    let (Some(header), Some(body), Some(signature)) = (parts.next(), parts.next(), parts.next()) else { return false };
    body.starts_with("eyJ") && signature.len() >= 20 && decode_base64(header).is_some_and(|h| h.contains("\"alg\""))
}

fn slack_hook(word: &str) -> bool {
    word.len() > 60 && word.find("hooks.slack.com/services/T").is_some_and(|at| word.len() - at > 60)
}

/// A private key that holds more than a placeholder.
fn private_key(text: &str) -> bool {
    text.split("-----BEGIN ").skip(1).any(|part| {
        let Some((label, rest)) = part.split_once("-----") else { return false };
        if !label.trim_end().ends_with("PRIVATE KEY") && !label.contains("PRIVATE KEY BLOCK") {
            return false;
        }
        let body = rest.split("-----END").next().unwrap_or("");
        let material = body.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=')).count();
        material >= 40 && entropy(body) > 3.5
    })
}

/// `user:password@` behind a scheme.
fn password_in_url(rest: &str) -> bool {
    let authority = rest.split(['/', '?', '#', ' ', '"', '\'', '\n']).next().unwrap_or("");
    let Some((user_info, _)) = authority.rsplit_once('@') else { return false };
    let Some((user, password)) = user_info.split_once(':') else { return false };
    !user.contains(['$', '{', '<']) && password.len() >= 4 && !is_placeholder(password)
}

/// `AccountKey=…` and `SharedAccessKey=…` with 256 or 512 bits in base 64.
fn azure_connection_string(text: &str) -> bool {
    ["AccountKey=", "SharedAccessKey=", "sharedaccesskey=", "accountkey="].iter().any(|sign| {
        text.split(sign).skip(1).any(|rest| {
            let key = rest.split([';', '"', '\'', ' ']).next().unwrap_or("");
            matches!(key.len(), 44 | 88) && key.ends_with('=') && entropy(key) > 3.5
        })
    })
}

/// Base 64, in either alphabet, to text.
fn decode_base64(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut held) = (0_u32, 0);
    for c in text.trim_end_matches('=').bytes() {
        let six = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(six);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from((bits >> held) & 0xff).ok()?);
        }
    }
    String::from_utf8(bytes).ok()
}
