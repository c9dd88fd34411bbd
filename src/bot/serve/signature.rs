//! Whether a webhook comes from the platform: HMAC-SHA256 over the body, compared in constant time.

use crate::bot::secret::Secret;
use ring::hmac;

/// The keys that webhooks may be signed with: the present one, and while it is replaced, the one before.
pub struct Keys(Vec<hmac::Key>);

impl Keys {
    /// One key a line.
    pub fn new(secret: &Secret) -> Keys {
        let lines = secret.expose().lines().map(str::trim).filter(|l| !l.is_empty());
        Keys(lines.map(|l| hmac::Key::new(hmac::HMAC_SHA256, l.as_bytes())).collect())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the value of `X-Hub-Signature-256` belongs to this body.
    pub fn verify(&self, header: &str, body: &[u8]) -> bool {
        let Some(digits) = header.strip_prefix("sha256=") else { return false };
        let Ok(tag) = data_encoding::HEXLOWER.decode(digits.as_bytes()) else { return false };
        // Every key is tried, so that the time does not tell which one it was.
        self.0.iter().fold(false, |found, key| hmac::verify(key, body, &tag).is_ok() | found)
    }
}

/// What the platform would send: for tests and for those who try out a server.
pub fn sign(secret: &str, body: &[u8]) -> String {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), body);
    format!("sha256={}", data_encoding::HEXLOWER.encode(tag.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_signature_is_accepted() {
        let keys = Keys::new(&Secret::new("new\nold\n"));
        // The example of GitHub's documentation on validating deliveries.
        let example = Keys::new(&Secret::new("It's a Secret to Everybody"));
        let documented = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        assert!(example.verify(documented, b"Hello, World!"));
        assert!(keys.verify(&sign("new", b"x"), b"x") && keys.verify(&sign("old", b"x"), b"x"));
        for bad in ["", "sha256=", "sha1=00", &sign("other", b"x"), &sign("new", b"y"), &sign("new", b"x")[..70]] {
            assert!(!keys.verify(bad, b"x"), "{bad}");
        }
        assert!(Keys::new(&Secret::new("\n")).is_empty());
    }
}
