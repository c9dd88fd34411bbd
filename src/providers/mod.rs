//! What Terraform's providers know of their resources: names and nesting. A policy that names a kind or an attribute which no
//! version of the provider has could never fire; this table finds such dead paths. In Terraform's JSON syntax nothing but this
//! table tells a nested block from an object.
//!
//! The table is `testdata/providers/providers.txt.gz` (its README describes the form). It is unpacked when it is first asked: when
//! a policy is checked, or a `.tf.json` file read.

use crate::base::FastMap;
use std::io::Read;
use std::sync::OnceLock;

static PACKED: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/providers/providers.txt.gz"));

/// What Terraform itself understands in every resource, module call or data source.
const META_ARGUMENTS: [&str; 9] =
    ["count", "for_each", "depends_on", "provider", "providers", "lifecycle", "provisioner", "connection", "timeouts"];

/// What the providers say about a path into a kind.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Known {
    /// It exists.
    Yes,
    /// An older major version had it; the version it was last seen in.
    Until(String),
    /// It exists, but only the provider sets it: in a configuration it is never written.
    ReadOnly,
    /// The table has nothing of this provider.
    OtherProvider,
    /// The provider has no such kind; the most similar one it has.
    NoKind(Option<String>),
    /// The kind has no such name at this step; the most similar name that it has there.
    NoName {
        /// The name that leads nowhere.
        name: String,
        /// The most similar name.
        similar: Option<String>,
    },
}

/// The names inside a kind or block, read from the table's text on demand.
#[derive(Clone, Copy)]
struct Inside<'a> {
    text: &'a str,
}

/// One name of a kind or block.
#[derive(Clone, Copy)]
struct Item<'a> {
    name: &'a str,
    /// The inside of a block; `None` for an attribute.
    inside: Option<Inside<'a>>,
    /// The letter of an attribute's type.
    letter: char,
    read_only: bool,
    last_seen: Option<&'a str>,
}

impl<'a> Inside<'a> {
    /// Whether any name is acceptable here.
    fn open(self) -> bool {
        self.text.starts_with('*')
    }

    fn recursive(self) -> bool {
        self.text == "^"
    }

    fn items(self) -> impl Iterator<Item = Item<'a>> {
        let mut rest = self.text.trim_start_matches('*');
        std::iter::from_fn(move || {
            rest = rest.trim_start();
            if rest.is_empty() {
                return None;
            }
            let end = rest.find([':', '{'])?;
            let name = &rest[..end];
            if rest.as_bytes().get(end) == Some(&b'{') {
                let close = end + matching_brace(&rest[end..])?;
                let tail_end = rest[close + 1..].find(' ').map_or(rest.len(), |i| close + 1 + i);
                let last_seen = rest[close + 1..tail_end].strip_prefix('~');
                let inside = Some(Inside { text: &rest[end + 1..close] });
                rest = &rest[tail_end..];
                Some(Item { name, inside, letter: 'd', read_only: false, last_seen })
            } else {
                let tail_end = rest.find(' ').unwrap_or(rest.len());
                let tail = &rest[end + 1..tail_end];
                rest = &rest[tail_end..];
                Some(Item {
                    name,
                    inside: None,
                    letter: tail.chars().next().unwrap_or('d'),
                    read_only: tail.contains('!'),
                    last_seen: tail.split_once('~').map(|(_, v)| v),
                })
            }
        })
    }

    fn find(self, name: &str) -> Option<Item<'a>> {
        self.items().find(|i| i.name == name)
    }
}

/// The offset of the brace that closes the one `text` starts with.
fn matching_brace(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    for (i, b) in text.bytes().enumerate() {
        match b {
            b'{' => depth += 1,
            b'}' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(i);
                }
            }
            _ => {}
        }
    }
    None
}

/// The table, by kind.
struct Table {
    kinds: FastMap<&'static str, Kind>,
}

struct Kind {
    inside: Inside<'static>,
    last_seen: Option<&'static str>,
}

fn table() -> &'static Table {
    static TEXT: OnceLock<String> = OnceLock::new();
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        let text = TEXT.get_or_init(|| {
            let mut text = String::new();
            // The table is part of the program: if it cannot be unpacked, nothing is known, and a test says so.
            let _ = flate2::read::GzDecoder::new(PACKED).read_to_string(&mut text);
            text
        });
        let mut kinds = FastMap::default();
        for line in text.lines() {
            let (head, rest) = line.split_once(' ').unwrap_or((line, ""));
            let (kind, last_seen) = head.split_once('~').map_or((head, None), |(k, v)| (k, Some(v)));
            kinds.insert(kind, Kind { inside: Inside { text: rest }, last_seen });
        }
        Table { kinds }
    })
}

/// The provider that a kind belongs to: `aws` of `aws_s3_bucket` and of `data.aws_iam_policy_document`.
fn provider_of(kind: &str) -> Option<&str> {
    let bare = kind.strip_prefix("data.").unwrap_or(kind);
    if let Some(provider) = bare.strip_prefix("provider.") {
        return Some(provider);
    }
    bare.split_once('_').map(|(provider, _)| provider)
}

/// Looks a path up: `names` are the names of its steps without indices.
pub fn look_up(kind: &str, names: &[&str]) -> Known {
    let table = table();
    let provider = match provider_of(kind) {
        Some(p) if table.kinds.contains_key(&*format!("provider.{p}")) => p,
        _ => return Known::OtherProvider,
    };
    let Some(entry) = table.kinds.get(kind) else {
        let prefix = kind.split(provider).next().unwrap_or("");
        let same = table.kinds.keys().filter(|k| k.starts_with(prefix) && provider_of(k) == Some(provider)).copied();
        return Known::NoKind(similar(kind, same));
    };
    if names.first().is_some_and(|n| META_ARGUMENTS.contains(n)) {
        return Known::Yes;
    }
    let mut last_seen = entry.last_seen;
    let mut enclosing: Vec<(&str, Inside<'_>)> = Vec::new();
    let mut here = entry.inside;
    for (i, name) in names.iter().enumerate() {
        let Some(item) = here.find(name) else {
            if here.open() {
                break;
            }
            return Known::NoName { name: (*name).to_owned(), similar: similar(name, here.items().map(|i| i.name)) };
        };
        last_seen = last_seen.or(item.last_seen);
        let Some(inside) = item.inside else {
            let more = names.get(i + 1);
            return match (item.letter, more) {
                ('s' | 'n' | 'b', Some(next)) => Known::NoName { name: (*next).to_owned(), similar: None },
                _ if item.read_only && more.is_none() => Known::ReadOnly,
                _ => break_off(last_seen),
            };
        };
        here = if inside.recursive() {
            enclosing.iter().rev().find(|(n, _)| n == name).map_or(inside, |(_, inside)| *inside)
        } else {
            inside
        };
        enclosing.push((item.name, here));
    }
    break_off(last_seen)
}

/// Whether a name of a kind, or of a block in it, is a nested block; `path` are the blocks around it, outermost first.
pub fn is_block(kind: &str, path: &[&str], name: &str) -> bool {
    let Some(entry) = table().kinds.get(kind) else { return false };
    let mut here = entry.inside;
    let mut enclosing: Vec<(&str, Inside<'_>)> = Vec::new();
    for step in path.iter().copied().chain([name]) {
        let Some(inside) = here.find(step).and_then(|item| item.inside) else { return false };
        here = if inside.recursive() {
            enclosing.iter().rev().find(|(n, _)| *n == step).map_or(inside, |(_, inside)| *inside)
        } else {
            inside
        };
        enclosing.push((step, here));
    }
    true
}

fn break_off(last_seen: Option<&str>) -> Known {
    last_seen.map_or(Known::Yes, |v| Known::Until(v.to_owned()))
}

/// Every kind whose name fits a matcher, for policies that name kinds by a glob.
pub fn kinds(mut fits: impl FnMut(&str) -> bool) -> Vec<&'static str> {
    let mut found: Vec<&str> = table().kinds.keys().copied().filter(|k| fits(k)).collect();
    found.sort_unstable();
    found
}

/// The candidate nearest to `word`, where one is near enough to be what was meant.
pub fn similar<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<String> {
    candidates
        .map(|c| (edit_distance(word, c), c))
        .filter(|(d, _)| *d <= word.len().max(3) / 3)
        .min()
        .map(|(_, c)| c.to_owned())
}

/// The number of insertions, deletions and replacements between two words (Levenshtein).
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let next = (diagonal + usize::from(ca != *cb)).min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = row[j + 1];
            row[j + 1] = next;
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: &str, path: &str, expected: Known) {
        let names: Vec<&str> = path.split('.').filter(|n| !n.is_empty()).collect();
        assert_eq!(look_up(kind, &names), expected, "{kind} {path}");
    }

    #[test]
    fn names_that_providers_have_are_found_and_others_are_not() {
        check("aws_s3_bucket", "acl", Known::Yes);
        check("aws_s3_bucket", "arn", Known::ReadOnly);
        check("aws_s3_bucket", "lifecycle.prevent_destroy", Known::Yes);
        check("aws_s3_bucket", "tags.anything", Known::Yes);
        check("aws_s3_bucket", "acl.deeper", Known::NoName { name: "deeper".into(), similar: None });
        check("aws_s3_bucket", "bukcet", Known::NoName { name: "bukcet".into(), similar: Some("bucket".into()) });
        check("aws_s3_buckett", "acl", Known::NoKind(Some("aws_s3_bucket".into())));
        check("data.aws_iam_policy_document", "statement.principals.identifiers", Known::Yes);
        check("provider.aws", "access_key", Known::Yes);
        check("module", "source", Known::OtherProvider);
        check("alicloud_oss_bucket", "acl", Known::OtherProvider);
    }

    #[test]
    fn older_versions_are_known_with_their_number() {
        assert!(
            matches!(look_up("aws_api_gateway_deployment", &["stage_name"]), Known::Until(v) if v.starts_with('5'))
        );
    }

    #[test]
    fn blocks_are_told_from_attributes() {
        for (kind, path, name, expected) in [
            ("aws_security_group", &[][..], "ingress", true),
            ("aws_security_group", &[], "tags", false),
            ("aws_security_group", &["ingress"], "cidr_blocks", false),
            ("data.aws_iam_policy_document", &["statement"], "condition", true),
            ("provider.aws", &[], "default_tags", true),
            ("aws_nothing", &[], "ingress", false),
        ] {
            assert_eq!(is_block(kind, path, name), expected, "{kind} {path:?} {name}");
        }
    }

    #[test]
    fn globs_over_kinds_find_them() {
        assert!(kinds(|k| k.starts_with("azurerm_storage_")).contains(&"azurerm_storage_account"));
    }
}
