//! Whether a text looks like a credential.
//!
//! Two ways lead to yes: the text has the form of a known kind of key, with whatever check that form allows; or its name says that it is a
//! credential and the text is not one of the many things that stand in a credential's place: a placeholder, a
//! variable, a path, the address of a secret in a store.

mod forms;

pub use forms::known_key;

/// The longest text that is looked at.
const LONGEST: usize = 100_000;

/// Whether the text under this name (empty where it has none) looks like a credential.
pub fn is_secret(name: &str, text: &str) -> bool {
    has_key(text) || is_named_secret(name, text)
}

/// Whether a key or token of a known form stands in the text, or a script in it gives one to a variable.
pub fn has_key(text: &str) -> bool {
    let text = text.trim();
    (4..=LONGEST).contains(&text.len()) && (known_key(text) || text.contains('=') && assigns_key(text))
}

/// Whether the name says that the text is a credential, and the text can be one. `NAME=value` brings its own name.
pub fn is_named_secret(name: &str, text: &str) -> bool {
    let text = text.trim();
    if !(4..=LONGEST).contains(&text.len()) {
        return false;
    }
    match assignment(text) {
        Some((name, value)) if !text.contains('\n') => is_named(name, value),
        _ => is_named(name, text),
    }
}

fn is_named(name: &str, text: &str) -> bool {
    text.len() >= 4 && is_credential_name(name) && is_plausible_credential(name, text)
}

/// Whether a line of a script gives a variable that is called a credential something that only a machine makes.
fn assigns_key(text: &str) -> bool {
    text.lines()
        .filter_map(assignment)
        .any(|(name, value)| is_credential_name(name) && !is_placeholder(value) && looks_random(value))
}

/// `NAME=value`, perhaps behind `export`; the value without its quotes.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    let line = line.strip_prefix("export ").unwrap_or(line);
    let (name, value) = line.split_once('=')?;
    let variable = !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    variable.then(|| (name, value.trim_matches(['"', '\''])))
}

/// Words in a name that say that a credential stands there.
const CREDENTIAL_WORDS: [&str; 24] = [
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "secretkey",
    "privatekey",
    "credential",
    "credentials",
    "authkey",
    "signingkey",
    "encryptionkey",
    "clientsecret",
    "connectionstring",
    "sharedkey",
    "accountkey",
    "masterkey",
    "sshkey",
    "licensekey",
    "pass",
    "bearer",
];

/// Words behind a credential's word that say that something about it stands there, not the credential itself.
const ABOUT_WORDS: [&str; 52] = [
    "name",
    "id",
    "ids",
    "arn",
    "arns",
    "path",
    "file",
    "policy",
    "length",
    "enabled",
    "version",
    "type",
    "ref",
    "refs",
    "url",
    "uri",
    "endpoint",
    "rotation",
    "expiry",
    "expiration",
    "ttl",
    "age",
    "algorithm",
    "alias",
    "role",
    "manager",
    "store",
    "store_ref",
    "keyref",
    "region",
    "lifetime",
    "duration",
    "format",
    "mode",
    "required",
    "env",
    "var",
    "variable",
    "selector",
    "provider",
    "prefix",
    "location",
    "encryption",
    "names",
    "spec",
    "usage",
    "size",
    "count",
    "period",
    "days",
    "identifier",
    "identifiers",
];

/// Whether a name says that its value is a credential.
pub fn is_credential_name(name: &str) -> bool {
    let words = name_words(name);
    let joined: String = words.concat();
    let last_credential = words.iter().enumerate().rev().find(|(i, word)| {
        CREDENTIAL_WORDS.contains(&word.as_str())
            || (*i > 0
                && words
                    .get(i - 1)
                    .is_some_and(|before| CREDENTIAL_WORDS.contains(&format!("{before}{word}").as_str())))
    });
    match last_credential {
        Some((index, _)) => !words.iter().skip(index + 1).any(|w| ABOUT_WORDS.contains(&w.as_str())),
        None => CREDENTIAL_WORDS.iter().filter(|w| w.len() > 4).any(|w| joined.ends_with(w)),
    }
}

/// The words of a name in lower case: `dbPassword`, `DB_PASSWORD` and `db-password` all have two.
fn name_words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut lower_before = false;
    let mut start = true;
    for c in name.chars() {
        if !c.is_alphanumeric() {
            start = true;
            lower_before = false;
            continue;
        }
        if start || (c.is_uppercase() && lower_before) {
            words.push(String::new());
        }
        start = false;
        lower_before = c.is_lowercase() || c.is_numeric();
        if let Some(word) = words.last_mut() {
            word.extend(c.to_lowercase());
        }
    }
    words
}

/// Whether a text can be a credential, given that its name says so.
fn is_plausible_credential(name: &str, text: &str) -> bool {
    if is_placeholder(text) || is_address_of_secret(text) {
        return false;
    }
    let name = name.to_ascii_lowercase();
    // People choose passwords; machines make keys and tokens.
    let chosen = ["pass", "pwd"].iter().any(|w| name.contains(w));
    if text.contains(char::is_whitespace) {
        return chosen && !is_sentence(text);
    }
    if chosen {
        return text.len() >= 4 && !is_word_about(text);
    }
    looks_random(text) || looks_typed(text) || (text.len() >= 8 && has_mixed_classes(text) && !is_word_about(text))
}

/// Text for people, about a credential: several words, or one that speaks of credentials.
fn is_sentence(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    text.split_whitespace().count() > 2 || text.contains('\n') || CREDENTIAL_WORDS.iter().any(|w| lower.contains(w))
}

/// A token as somebody makes one up: letters and a good many digits in one word.
fn looks_typed(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    text.len() >= 10 && digits >= 4 && digits < text.len() && text.chars().all(|c| c.is_ascii_alphanumeric())
}

/// What stands in the place of a credential.
fn is_placeholder(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let wrapped =
        [("${", "}"), ("{{", "}}"), ("<", ">"), ("$(", ")"), ("%", "%"), ("[", "]"), ("#{", "}"), ("__", "__")];
    wrapped.iter().any(|(open, close)| text.starts_with(open) && text.ends_with(close))
        || text.contains("${")
        || text.contains("{{")
        || text.starts_with('$')
        || is_dummy(text)
        || [
            "null",
            "none",
            "true",
            "false",
            "undefined",
            "unset",
            "default",
            "empty",
            "required",
            "optional",
            "enabled",
            "disabled",
            "never",
            "always",
            "managed",
            "generated",
            "(sensitive value)",
            "redacted",
            "todo",
            "tbd",
            "n/a",
        ]
        .contains(&lower.as_str())
}

/// Words and patterns that people write where a credential will be.
fn is_dummy(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let mut distinct: Vec<char> = lower.chars().filter(|c| c.is_alphanumeric()).collect();
    distinct.sort_unstable();
    distinct.dedup();
    distinct.len() <= 2
        || [
            "example",
            "changeme",
            "change-me",
            "change_me",
            "placeholder",
            "replaceme",
            "replace-me",
            "replace_me",
            "dummy",
            "your-",
            "your_",
            "yourpassword",
            "insert-",
            "insert_",
            "xxxx",
            "fake",
            "redacted",
            "<your",
            "sample",
        ]
        .iter()
        .any(|w| lower.contains(w))
}

/// The address of a secret in a store, a path, an ARN: where a secret is, not what it is.
fn is_address_of_secret(text: &str) -> bool {
    text.starts_with("arn:")
        || text.starts_with(['/', '.', '~'])
        || [
            "projects/",
            "secret/",
            "secrets/",
            "vault:",
            "ssm:",
            "ref+",
            "op://",
            "keyvault:",
            "@Microsoft.KeyVault",
            "sm://",
            "gcp:///",
            "file:",
            "data.",
            "var.",
            "local.",
            "module.",
            "aws_",
            "azurerm_",
            "google_",
            "random_",
            "http://",
            "https://",
        ]
        .iter()
        .any(|p| text.starts_with(p))
        || text.contains("secretsmanager")
        || text.ends_with(".pem")
        || text.ends_with(".key")
        || text.ends_with(".json")
}

/// Text that names a credential rather than being one: `db-password`, `my_secret_name`.
fn is_word_about(text: &str) -> bool {
    let lettered = text.chars().all(|c| c.is_ascii_lowercase() || matches!(c, '-' | '_' | '.' | '/'));
    lettered
        && text.contains(['-', '_', '.', '/'])
        && text.split(['-', '_', '.', '/']).any(|w| {
            CREDENTIAL_WORDS.contains(&w)
                || ["key", "auth", "name", "ref", "db", "database", "credentials"].contains(&w)
        })
}

/// Long, of many different characters, in no language's order.
fn looks_random(text: &str) -> bool {
    if text.len() < 16 || text.contains(char::is_whitespace) {
        return false;
    }
    let hex = text.chars().all(|c| c.is_ascii_hexdigit());
    let least = if hex { 3.0 } else { 3.5 };
    let digits = text.chars().filter(char::is_ascii_digit).count();
    entropy(text) >= least && (hex || digits > 0 || entropy(text) > 4.2)
}

/// At least three of lower case, upper case, digits and other signs.
fn has_mixed_classes(text: &str) -> bool {
    let classes: [fn(&char) -> bool; 4] =
        [char::is_ascii_lowercase, char::is_ascii_uppercase, char::is_ascii_digit, |c| !c.is_ascii_alphanumeric()];
    classes.iter().filter(|class| text.chars().any(|c| class(&c))).count() >= 3
}

/// Shannon's entropy in bits for each character.
fn entropy(text: &str) -> f64 {
    let mut counts = [0_u32; 256];
    let bytes = text.as_bytes();
    for b in bytes {
        if let Some(count) = counts.get_mut(usize::from(*b)) {
            *count += 1;
        }
    }
    let total = bytes.len().max(1);
    #[expect(clippy::cast_precision_loss, reason = "texts are short")]
    let total = total as f64;
    counts
        .iter()
        .filter(|c| **c > 0)
        .map(|c| {
            let p = f64::from(*c) / total;
            -p * p.log2()
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys are put together here so that no scanner takes this file for a leak.
    fn key(parts: &[&str]) -> String {
        parts.concat()
    }

    #[test]
    fn known_kinds_of_key_need_no_name() {
        for text in [
            key(&["AKIA", "Q3EGVXWZ7HPLM4TN"]),
            key(&["export AWS_ACCESS_KEY_ID=AKIA", "Q3EGVXWZ7HPLM4TN\n"]),
            key(&["ghp_", "a8Kd02mfLq93nZxT5cVb7Yw1Re6Uo4Pi2Ssg"]),
            key(&["AIza", "SyD4f8kLm2Qw9Xe7Rt5Yu3Io1Pa6Sd0Fg_h"]),
            key(&["xoxb-", "123456789012-abcdefGHIJKLmnop"]),
            key(&["postgres://app:", "s3cr3t-Pa55@db.internal:5432/x"]),
        ] {
            assert!(is_secret("", &text), "{text}");
        }
    }

    #[test]
    fn a_name_is_needed_for_what_has_no_known_form() {
        let random = key(&["kJ8s", "Lq2nVx7Wm4Zp9TgB"]);
        assert!(is_secret("api_key", &random));
        assert!(is_secret("clientSecret", &random));
        assert!(is_secret("DB_PASSWORD", "hunter2!"));
        assert!(is_secret("master_password", "foobarbaz"));
        assert!(!is_secret("customer_master_key_spec", "RSA_2048"));
        assert!(!is_secret("description", &random));
        assert!(!is_secret("bucket", &random));
    }

    #[test]
    fn assignments_bring_their_own_name() {
        let script = key(&["#!/bin/sh\nexport AWS_SECRET_ACCESS_KEY=wJ7x3kq9ZbT2", "mN8vR4yL6pQ1sD5fG0hXaCeUiOtB\n"]);
        assert!(has_key(&script));
        assert!(!has_key("#!/bin/sh\nexport AWS_SECRET_ACCESS_KEY=$(fetch)\n"));
        assert!(!has_key("#!/bin/sh\nCHECKSUM=wJ7x3kq9ZbT2mN8vR4yL6pQ1sD5fG0hX\n"));
        assert!(is_named_secret("", "POSTGRES_PASSWORD=horse7"));
        assert!(!is_named_secret("", "POSTGRES_USER=horse7"));
    }

    #[test]
    fn a_sentence_about_a_password_is_none() {
        assert!(is_named_secret("password", "horse battery"));
        assert!(!is_named_secret("password", "The password of the user"));
        assert!(!is_named_secret("password", "Enter password"));
    }

    #[test]
    fn what_stands_in_the_place_of_a_credential_is_none() {
        for (name, text) in [
            ("password", "${var.db_password}"),
            ("password", "CHANGEME"),
            ("password", "<your-password>"),
            ("password", "xxxxxxxx"),
            ("password", "$DB_PASSWORD"),
            ("secret_arn", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf"),
            ("secret", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf"),
            ("secret_name", "prod-db-secret-2024-Ab"),
            ("password_file", "/run/secrets/db"),
            ("token", "/var/run/secrets/token"),
            ("password_length", "32"),
            ("secret", "projects/p/secrets/s/versions/1"),
            ("secretKeyRef", "db-credentials"),
            ("token_type", "Bearer123Abc"),
            ("api_key", "data.vault_generic_secret.x"),
            ("password", "{{ .Values.password }}"),
            ("access_key", "AKIAXXXXXXXXXXXXXXXX"),
            ("client_secret", "db-password"),
            ("password", "null"),
        ] {
            assert!(!is_secret(name, text), "{name} = {text}");
        }
    }

    #[test]
    fn names_of_credentials() {
        for (name, expected) in [
            ("password", true),
            ("db_password", true),
            ("dbPassword", true),
            ("api_key", true),
            ("API-KEY", true),
            ("aws_secret_access_key", true),
            ("ssh_key", true),
            ("secret_id", false),
            ("password_policy", false),
            ("passwordLength", false),
            ("compass", false),
            ("bypass_rules", false),
            ("tokens_per_minute", false),
            ("kms_key_id", false),
        ] {
            assert_eq!(is_credential_name(name), expected, "{name}");
        }
    }

    #[test]
    fn a_private_key_holds_key_material() {
        let body = "MIIEowIBAAKCAQEA7bq98Xyzzk3Jq0v1Lx2FwGd8sYtHn5pQrUe4Zc6WmKo9Ai+/";
        let text =
            |body: &str| key(&["-----BEGIN RSA PRIVATE", " KEY-----\n", body, "\n-----END RSA PRIVATE", " KEY-----\n"]);
        assert!(is_secret("", &text(body)));
        assert!(!is_secret("", &text("...")));
        assert!(!is_secret(
            "",
            "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA7bq98Xyzzk3Jq0v1Lx2F"
        ));
    }
}
