//! Versions and ranges of versions, as Helm's library reads them: `v1.2` is a version, `^1.2 || ~2` a range.

use super::super::exec::{Executed, Failure};
use super::super::value::{Object, Value};
use super::{Row, text};
use semver::{BuildMetadata, Prerelease, Version};
use std::cmp::Ordering;

/// The table of this file.
pub const ROWS: &[Row] = &[
    ("semver", "s", |_, a| {
        let version = parse(text(a, 0)).ok_or_else(|| Failure::new("invalid semantic version"))?;
        Ok(Object::Semver { version, original: text(a, 0).into() }.into())
    }),
    ("semverCompare", "ss", |_, a| compare(text(a, 0), text(a, 1))),
];

fn compare(range: &str, version: &str) -> Executed<Value> {
    let constraint = Range::parse(range).ok_or_else(|| Failure::new(format!("improper constraint: {range}")))?;
    let version = parse(version).ok_or_else(|| Failure::new("invalid semantic version"))?;
    Ok(constraint.allows(&version).into())
}

/// A version whose minor and patch numbers may be missing and which may begin with `v`.
pub fn parse(text: &str) -> Option<Version> {
    let body = text.strip_prefix('v').unwrap_or(text);
    let (core, build) = match body.split_once('+') {
        Some((core, build)) => (core, BuildMetadata::new(build).ok().filter(|b| !b.is_empty())?),
        None => (body, BuildMetadata::EMPTY),
    };
    let (core, pre) = match core.split_once('-') {
        Some((core, pre)) => (core, Prerelease::new(pre).ok().filter(|p| !p.is_empty())?),
        None => (core, Prerelease::EMPTY),
    };
    let mut numbers = [0u64; 3];
    for (count, part) in core.split('.').enumerate() {
        if part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        *numbers.get_mut(count)? = part.parse().ok()?;
    }
    let [major, minor, patch] = numbers;
    Some(Version { major, minor, patch, pre, build })
}

/// Alternatives of conditions that must hold together.
#[derive(Debug)]
pub struct Range(Vec<Vec<Condition>>);

#[derive(Debug)]
struct Condition {
    operator: Operator,
    version: Version,
    minor_dirty: bool,
    dirty: bool,
    patch_dirty: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Operator {
    TildeOrEqual,
    NotEqual,
    Greater,
    Less,
    GreaterEqual,
    LessEqual,
    Tilde,
    Caret,
}

impl Range {
    /// A range such as `>=1.2 <2 || ^3`.
    pub fn parse(text: &str) -> Option<Range> {
        let text = rewrite_hyphens(text);
        text.split("||").map(conditions).collect::<Option<Vec<_>>>().map(Range)
    }

    /// Whether a version lies in it. A prerelease does only where the condition names one.
    pub fn allows(&self, version: &Version) -> bool {
        self.0.iter().any(|all| all.iter().all(|c| c.allows(version)))
    }
}

/// `1.2 - 1.4` means `>=1.2 <=1.4`.
fn rewrite_hyphens(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut out: Vec<String> = Vec::new();
    let mut i = 0;
    while let Some(word) = words.get(i) {
        if words.get(i + 1) == Some(&"-")
            && let Some(end) = words.get(i + 2)
        {
            out.push(format!(">={word}"));
            out.push(format!("<={end}"));
            i += 3;
        } else {
            out.push((*word).to_owned());
            i += 1;
        }
    }
    out.join(" ")
}

fn conditions(text: &str) -> Option<Vec<Condition>> {
    let mut all = Vec::new();
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        rest = rest.trim_start_matches([' ', ',', '\t']);
        let signs = rest.find(|c: char| !"=!<>~^".contains(c)).unwrap_or(rest.len());
        let (sign, after) = rest.split_at(signs);
        let after = after.trim_start();
        let end = after.find(|c: char| c == ' ' || c == ',' || "=!<>~^".contains(c)).unwrap_or(after.len());
        let (version, tail) = after.split_at(end);
        all.push(condition(sign, version)?);
        rest = tail.trim();
    }
    Some(all)
}

fn condition(sign: &str, text: &str) -> Option<Condition> {
    let operator = match sign {
        "" | "=" => Operator::TildeOrEqual,
        "!=" => Operator::NotEqual,
        ">" => Operator::Greater,
        "<" => Operator::Less,
        ">=" | "=>" => Operator::GreaterEqual,
        "<=" | "=<" => Operator::LessEqual,
        "~" | "~>" => Operator::Tilde,
        "^" => Operator::Caret,
        _ => return None,
    };
    let is_wild = |s: &str| matches!(s, "x" | "X" | "*");
    let body = text.strip_prefix('v').unwrap_or(text);
    let core_end = body.find(['-', '+']).unwrap_or(body.len());
    let (core, suffix) = body.split_at(core_end);
    let parts: Vec<&str> = core.split('.').collect();
    if parts.len() > 3 || body.is_empty() {
        return None;
    }
    let part = |i: usize| parts.get(i).copied();
    let (mut minor_dirty, mut patch_dirty, mut dirty) = (false, false, false);
    let version = if part(0).is_some_and(is_wild) {
        dirty = true;
        // Everything, as `>=0.0.0`.
        minor_dirty = true;
        return Some(Condition {
            operator: if operator == Operator::TildeOrEqual
                || operator == Operator::Tilde
                || operator == Operator::Caret
            {
                Operator::GreaterEqual
            } else {
                operator
            },
            version: Version::new(0, 0, 0),
            minor_dirty,
            dirty,
            patch_dirty: false,
        });
    } else if part(1).is_none_or(is_wild) {
        (minor_dirty, dirty) = (true, true);
        format!("{}.0.0{suffix}", part(0)?)
    } else if part(2).is_none_or(is_wild) {
        (patch_dirty, dirty) = (true, true);
        format!("{}.{}.0{suffix}", part(0)?, part(1)?)
    } else {
        body.to_owned()
    };
    Some(Condition { operator, version: parse(&version)?, minor_dirty, dirty, patch_dirty })
}

impl Condition {
    fn allows(&self, v: &Version) -> bool {
        let c = &self.version;
        // A prerelease is meant only by a condition that names a prerelease.
        let hidden = !v.pre.is_empty() && c.pre.is_empty();
        let order = v.cmp_precedence(c);
        match self.operator {
            Operator::NotEqual => {
                if hidden {
                    return false;
                }
                if self.dirty {
                    if c.major != v.major {
                        return true;
                    }
                    if c.minor != v.minor && !self.minor_dirty {
                        return true;
                    }
                    if self.minor_dirty {
                        return false;
                    }
                    if c.patch != v.patch && !self.patch_dirty {
                        return true;
                    }
                    if self.patch_dirty {
                        return false;
                    }
                }
                order != Ordering::Equal
            }
            Operator::Greater => {
                if hidden {
                    return false;
                }
                if !self.dirty {
                    return order == Ordering::Greater;
                }
                if v.major != c.major {
                    return v.major > c.major;
                }
                !self.minor_dirty && v.minor > c.minor
            }
            Operator::Less => !hidden && order == Ordering::Less,
            Operator::GreaterEqual => !hidden && order != Ordering::Less,
            Operator::LessEqual => {
                if hidden {
                    return false;
                }
                if !self.dirty {
                    return order != Ordering::Greater;
                }
                if v.major != c.major {
                    return v.major < c.major;
                }
                self.minor_dirty || v.minor <= c.minor
            }
            Operator::Tilde => self.tilde(v, hidden, order),
            Operator::TildeOrEqual => {
                if hidden {
                    return false;
                }
                if self.dirty { self.tilde(v, hidden, order) } else { order == Ordering::Equal }
            }
            Operator::Caret => {
                if hidden || order == Ordering::Less {
                    return false;
                }
                if c.major > 0 || self.minor_dirty {
                    return v.major == c.major;
                }
                if v.major > 0 {
                    return false;
                }
                if c.minor > 0 || self.patch_dirty {
                    return v.minor == c.minor;
                }
                if v.minor > 0 {
                    return false;
                }
                v.patch == c.patch
            }
        }
    }

    fn tilde(&self, v: &Version, hidden: bool, order: Ordering) -> bool {
        if hidden || order == Ordering::Less {
            return false;
        }
        let c = &self.version;
        if c.major == 0 && c.minor == 0 && c.patch == 0 && !self.minor_dirty && !self.patch_dirty {
            return true;
        }
        v.major == c.major && (v.minor == c.minor || self.minor_dirty)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn check(range: &str, allowed: &[&str], refused: &[&str]) {
        let parsed = Range::parse(range).unwrap();
        for v in allowed {
            assert!(parsed.allows(&parse(v).unwrap()), "{range} must allow {v}");
        }
        for v in refused {
            assert!(!parsed.allows(&parse(v).unwrap()), "{range} must refuse {v}");
        }
    }

    #[test]
    fn ranges() {
        check("^1.2.0", &["1.2.3", "v1.9"], &["2.0.0", "1.1.9", "1.3.0-rc.1"]);
        check("~1.2.0", &["1.2.3"], &["1.3.0"]);
        check("~1", &["1.9.0"], &["2.0.0"]);
        check(">=1.2.0 <2.0.0", &["1.2.3"], &["2.0.0"]);
        check(">=1.2, <1.5", &["1.4.9"], &["1.5.0"]);
        check("1.2.x", &["1.2.9"], &["1.3.0"]);
        check("*", &["9.9.9"], &["1.0.0-rc1"]);
        check("1.2 - 1.4", &["1.4.9", "1.2.0"], &["1.5.0"]);
        check(">=1.2.3-0", &["1.3.0-rc.1", "1.2.3"], &["1.2.2"]);
        check("^0.2.3", &["0.2.9"], &["0.3.0"]);
        check("!=1.2.x", &["1.3.0"], &["1.2.7"]);
        check(">1.2", &["1.3.0"], &["1.2.5"]);
        check("1.0.0 || 1.2.3", &["1.2.3"], &["1.0.1"]);
        assert!(Range::parse("nope").is_none());
    }
}
