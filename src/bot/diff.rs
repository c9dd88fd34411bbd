//! Which lines of the new side a platform lets one comment on: the hunks of the difference it shows.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// The difference between the merge base and the head of a change, by the path of the new side.
#[derive(Clone, Debug, Default)]
pub struct Diff {
    files: BTreeMap<String, FileDiff>,
}

/// One file of it.
#[derive(Clone, Debug, Default)]
pub struct FileDiff {
    /// The path on the old side; the same as the new one but for a renamed file.
    pub old_path: String,
    /// The parts that are shown, in order. Empty where the platform shows none: a binary file, a pure rename, or a
    /// difference beyond its limits.
    pub hunks: Vec<Hunk>,
}

/// One part of a file's difference: neighbouring lines of the new side, each with its line on the old side.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hunk {
    /// The first line on the new side, from 1.
    pub start: u32,
    /// For each line of the new side its number on the old side; `None` for a line that was added.
    pub lines: Vec<Option<u32>>,
}

impl Hunk {
    /// The last line on the new side; before the first one where nothing is left there.
    pub fn end(&self) -> u32 {
        self.start + u32::try_from(self.lines.len()).unwrap_or(0).saturating_sub(1)
    }

    /// Whether all these lines are shown.
    pub fn covers(&self, lines: &RangeInclusive<u32>) -> bool {
        !self.lines.is_empty() && self.start <= *lines.start() && *lines.end() <= self.end()
    }

    /// The line on the old side, for a line that is the same on both.
    pub fn old_line(&self, new: u32) -> Option<u32> {
        *self.lines.get(usize::try_from(new.checked_sub(self.start)?).ok()?)?
    }
}

impl Diff {
    /// Takes a file in. `patch` is what platforms give: hunks without the header lines of a file.
    pub fn add(&mut self, path: &str, old_path: &str, patch: &str) {
        self.files.insert(path.to_owned(), FileDiff { old_path: old_path.to_owned(), hunks: parse(patch) });
    }

    /// A file by its new path.
    pub fn file(&self, path: &str) -> Option<&FileDiff> {
        self.files.get(path)
    }

    /// The hunk that shows all these lines of a file.
    pub fn hunk(&self, path: &str, lines: &RangeInclusive<u32>) -> Option<&Hunk> {
        self.file(path)?.hunks.iter().find(|h| h.covers(lines))
    }

    /// The first of these lines that is shown.
    pub fn first_shown(&self, path: &str, lines: &RangeInclusive<u32>) -> Option<u32> {
        let hunks = &self.file(path)?.hunks;
        hunks
            .iter()
            .filter(|h| !h.lines.is_empty() && h.start <= *lines.end() && *lines.start() <= h.end())
            .map(|h| h.start.max(*lines.start()))
            .min()
    }
}

/// The hunks of a unified difference. What is no hunk is skipped, and a hunk whose header lies about its length ends
/// where the next begins: the text comes from outside.
fn parse(patch: &str) -> Vec<Hunk> {
    let mut hunks: Vec<Hunk> = Vec::new();
    let (mut old, mut old_left, mut new_left) = (0_u32, 0_u32, 0_u32);
    for line in patch.split('\n') {
        if old_left == 0 && new_left == 0 {
            if let Some(((old_start, old_count), (new_start, new_count))) = header(line) {
                (old, old_left, new_left) = (old_start, old_count, new_count);
                hunks.push(Hunk { start: new_start, lines: Vec::new() });
            }
            continue;
        }
        let Some(hunk) = hunks.last_mut() else { continue };
        match line.as_bytes().first() {
            Some(b'+') => {
                hunk.lines.push(None);
                new_left = new_left.saturating_sub(1);
            }
            Some(b'-') => {
                old = old.saturating_add(1);
                old_left = old_left.saturating_sub(1);
            }
            // "\ No newline at end of file" belongs to the line before.
            Some(b'\\') => {}
            // Some tools strip the blank of an empty context line.
            _ => {
                hunk.lines.push(Some(old));
                old = old.saturating_add(1);
                old_left = old_left.saturating_sub(1);
                new_left = new_left.saturating_sub(1);
            }
        }
    }
    hunks
}

/// `@@ -1,2 +3,4 @@` as start and count of both sides; a count that is not given is one.
fn header(line: &str) -> Option<((u32, u32), (u32, u32))> {
    let (ranges, _) = line.strip_prefix("@@ -")?.split_once(" @@")?;
    let (old, new) = ranges.split_once(" +")?;
    let side = |text: &str| {
        let (start, count) = text.split_once(',').unwrap_or((text, "1"));
        Some((start.parse().ok()?, count.parse().ok()?))
    };
    Some((side(old)?, side(new)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(patch: &str, expected: &[(u32, &[Option<u32>])]) {
        let hunks: Vec<(u32, Vec<Option<u32>>)> = parse(patch).into_iter().map(|h| (h.start, h.lines)).collect();
        let expected: Vec<_> = expected.iter().map(|(s, l)| (*s, l.to_vec())).collect();
        assert_eq!(hunks, expected, "{patch}");
    }

    #[test]
    fn hunks_know_the_lines_of_both_sides() {
        check("@@ -1,2 +1,3 @@ head\n a\n+b\n c", &[(1, &[Some(1), None, Some(2)])]);
        check("@@ -0,0 +1 @@\n+only\n\\ No newline at end of file", &[(1, &[None])]);
        check("@@ -1 +1 @@\n-a\n+b\n@@ -10,2 +10,2 @@\n x\n-y\n+z", &[(1, &[None]), (10, &[Some(10), None])]);
        // A removed line that looks like a header of a file, and an added one that looks like a hunk's.
        check("@@ -1,1 +1,1 @@\n--- a/x\n+@@ -5 +5 @@", &[(1, &[None])]);
        check("@@ -3,2 +2,0 @@\n-a\n-b", &[(2, &[])]);
        check("Binary files differ", &[]);
        check("@@ -9999999999999 +1 @@\n+a", &[]);
        check("@@ -1,9 +1,9 @@\n a", &[(1, &[Some(1)])]);
    }

    #[test]
    fn lines_are_looked_up() {
        let mut diff = Diff::default();
        diff.add("a.tf", "old.tf", "@@ -4,2 +5,3 @@\n a\n+b\n c\n@@ -20 +21,2 @@\n x\n+y");
        assert!(diff.hunk("a.tf", &(5..=7)).is_some());
        assert!(diff.hunk("a.tf", &(7..=21)).is_none());
        assert!(diff.hunk("b.tf", &(5..=5)).is_none());
        assert_eq!(diff.first_shown("a.tf", &(1..=30)), Some(5));
        assert_eq!(diff.first_shown("a.tf", &(8..=30)), Some(21));
        assert_eq!(diff.first_shown("a.tf", &(8..=20)), None);
        let hunk = diff.hunk("a.tf", &(5..=5)).and_then(|h| h.old_line(7));
        assert_eq!(hunk, Some(5));
        assert_eq!(diff.file("a.tf").map(|f| f.old_path.as_str()), Some("old.tf"));
    }
}
