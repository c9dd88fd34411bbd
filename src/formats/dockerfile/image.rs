//! Image references: `registry:port/path/name:tag@digest`. (Distribution specification, "Pulling manifests"; Docker's
//! reference grammar: the first part is a registry if it has a dot or a colon, or is `localhost`.)

/// Stands for a part of a text that is not known.
pub(super) const HOLE: char = '\u{e000}';

/// An image reference in parts. A part may hold [`HOLE`]s.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Reference {
    /// The registry's host and port, where one is written.
    pub(super) registry: Option<String>,
    /// The repository without the registry: `library/debian` is written `debian`.
    pub(super) repository: String,
    /// The tag.
    pub(super) tag: Option<String>,
    /// The digest, such as `sha256:…`.
    pub(super) digest: Option<String>,
    /// Whether the text ends in a part that is not known and may hold a tag or digest.
    pub(super) open: bool,
}

/// Takes a reference apart.
pub(super) fn parse(text: &str) -> Reference {
    let (rest, digest) = match text.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest.to_owned())),
        None => (text, None),
    };
    let last = rest.rfind('/').map_or(0, |n| n + 1);
    let (name, tag) = match rest.get(last..).and_then(|l| l.rfind(':')) {
        Some(colon) => (rest.get(..last + colon).unwrap_or(""), rest.get(last + colon + 1..).map(str::to_owned)),
        None => (rest, None),
    };
    let open = digest.is_none() && tag.is_none() && name.ends_with(HOLE);
    let (registry, repository) = match name.split_once('/') {
        Some((host, rest)) if host.contains(['.', ':', HOLE]) || host == "localhost" => (Some(host.to_owned()), rest),
        _ => (None, name),
    };
    Reference { registry, repository: repository.to_owned(), tag, digest, open }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_come_apart() {
        let check = |text: &str, registry: Option<&str>, repository: &str, tag: Option<&str>, digest: Option<&str>| {
            let got = parse(text);
            assert_eq!(
                (got.registry.as_deref(), got.repository.as_str(), got.tag.as_deref(), got.digest.as_deref()),
                (registry, repository, tag, digest),
                "{text}"
            );
        };
        check("debian", None, "debian", None, None);
        check("a/b:1@sha256:x", None, "a/b", Some("1"), Some("sha256:x"));
        check("localhost:5000/a", Some("localhost:5000"), "a", None, None);
        check("ghcr.io/a/b:v1", Some("ghcr.io"), "a/b", Some("v1"), None);
        assert!(parse(&format!("a/{HOLE}")).open);
        assert!(!parse(&format!("a:{HOLE}")).open);
    }
}
