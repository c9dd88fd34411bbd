//! Values that must not be seen: they have no `Display`, their `Debug` says nothing, and their memory is wiped.

use zeroize::Zeroizing;

/// A token, a key or a password.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Hides a value.
    pub fn new(value: impl Into<String>) -> Secret {
        Secret(Zeroizing::new(value.into()))
    }

    /// The value. Whoever calls this answers for where it goes.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing to hide.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(secret)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_printed() {
        #[derive(Debug)]
        #[expect(dead_code, reason = "only its form is looked at")]
        struct Around(Secret);
        let shown = format!("{:?} {:#?}", Secret::new("hunter2"), Around(Secret::new("hunter2")));
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
