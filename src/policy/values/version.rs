//! Versions, compared number by number, and ranges of them.

use std::cmp::Ordering;

/// A version: its numbers, and whether something such as `-rc1` follows that makes it earlier than the same without.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Version {
    numbers: Vec<u64>,
    pre_release: bool,
}

impl Version {
    /// Reads the leading numbers of a text: `1.29`, `v1.29.3-eks-1`, `postgres14` is none, `5.7.mysql_aurora.2.07` is 5.7.
    pub fn parse(text: &str) -> Option<Version> {
        let text = text.trim();
        let text = text.strip_prefix(['v', 'V', '=']).unwrap_or(text);
        let mut numbers = Vec::new();
        let mut rest = text;
        loop {
            let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            if digits == 0 {
                break;
            }
            numbers.push(rest.get(..digits)?.parse().ok()?);
            rest = rest.get(digits..)?;
            match rest.strip_prefix(['.', '_']) {
                Some(after) if after.starts_with(|c: char| c.is_ascii_digit()) => rest = after,
                _ => break,
            }
        }
        let word = rest.trim_start_matches(['-', '.', '~', '_']).to_ascii_lowercase();
        let pre_release =
            ["alpha", "beta", "rc", "pre", "dev", "snapshot", "preview"].iter().any(|w| word.starts_with(w));
        (!numbers.is_empty()).then_some(Version { numbers, pre_release })
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Version) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Version) -> Ordering {
        for i in 0..self.numbers.len().max(other.numbers.len()) {
            let [a, b] = [self, other].map(|v| v.numbers.get(i).copied().unwrap_or(0));
            if a != b {
                return a.cmp(&b);
            }
        }
        other.pre_release.cmp(&self.pre_release)
    }
}

/// A range: alternatives joined by `||`, each a list of bounds joined by commas or spaces.
#[derive(Clone, PartialEq, Debug)]
pub struct Range {
    alternatives: Vec<Vec<(Bound, Version)>>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Bound {
    Less,
    AtMost,
    Greater,
    AtLeast,
    Equal,
    Not,
}

impl Range {
    /// Reads a range such as `>=1.2, <1.30` or `<11.22 || >=12, <12.17`. The error says what cannot be read.
    pub fn parse(text: &str) -> Result<Range, String> {
        let mut alternatives = Vec::new();
        for part in text.split("||") {
            let mut bounds = Vec::new();
            let mut rest = part.trim();
            while !rest.is_empty() {
                let sign = rest.len() - rest.trim_start_matches(['<', '>', '=', '!']).len();
                let (sign, after) = rest.split_at(sign);
                let bound = match sign {
                    "<" => Bound::Less,
                    "<=" => Bound::AtMost,
                    ">" => Bound::Greater,
                    ">=" => Bound::AtLeast,
                    "" | "=" | "==" => Bound::Equal,
                    "!=" => Bound::Not,
                    _ => return Err(format!("`{sign}` is no comparison; there are < <= > >= = !=")),
                };
                let after = after.trim_start();
                let end = after.find([',', ' ']).unwrap_or(after.len());
                let (word, tail) = after.split_at(end);
                let version = Version::parse(word).ok_or_else(|| format!("`{word}` is no version"))?;
                bounds.push((bound, version));
                rest = tail.trim_start_matches([',', ' ']);
            }
            if bounds.is_empty() {
                return Err("a version range is empty; write it like \">=1.2, <1.30\"".to_owned());
            }
            alternatives.push(bounds);
        }
        Ok(Range { alternatives })
    }

    /// Whether a version lies in the range.
    pub fn contains(&self, version: &Version) -> bool {
        self.alternatives.iter().any(|bounds| {
            bounds.iter().all(|(bound, other)| {
                let order = version.cmp(other);
                match bound {
                    Bound::Less => order == Ordering::Less,
                    Bound::AtMost => order != Ordering::Greater,
                    Bound::Greater => order == Ordering::Greater,
                    Bound::AtLeast => order != Ordering::Less,
                    Bound::Equal => order == Ordering::Equal,
                    Bound::Not => order != Ordering::Equal,
                }
            })
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[test]
    fn versions_lie_in_ranges() {
        for (version, range, expected) in [
            ("1.29", "<1.30", true),
            ("1.30", "<1.30", false),
            ("1.9", "<1.30", true),
            ("v1.29.3-eks-abc", ">=1.29, <1.30", true),
            ("1.30.0-rc1", "<1.30", true),
            ("1.30.0-eks", "<1.30", false),
            ("5.7.mysql_aurora.2.07", ">=5.7 <5.8", true),
            ("5.7", "=5.7.0", true),
            ("TLS1.2", ">=1", false),
            ("12.18", "<11.22 || >=12, <12.17", false),
            ("12.16", "<11.22 || >=12, <12.17", true),
            ("1_2", ">=1.2", true),
        ] {
            let found = Version::parse(version).is_some_and(|v| Range::parse(range).unwrap().contains(&v));
            assert_eq!(found, expected, "{version} in {range}");
        }
    }

    #[test]
    fn ranges_that_cannot_be_read() {
        for text in ["", ">=", "><1", ">=x", "1 ||"] {
            assert!(Range::parse(text).is_err(), "{text}");
        }
    }
}
