//! Text that was put together from pieces of a file, and the way back to the file.
//!
//! A `RUN` body reaches the shell without its continuation lines and the comments between them; the argument of
//! `sh -c '…'` without its quotes. The parser reads the result, the spans must point into the file.

use std::ops::Range;

/// A text whose bytes each come from a known place of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MappedText {
    text: String,
    /// Where a run of bytes begins, here and in the file; within a run the two advance together.
    runs: Vec<(u32, u32)>,
}

fn small(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

impl MappedText {
    /// An empty text.
    pub fn new() -> MappedText {
        MappedText::default()
    }

    /// A text that stands in the file as it is, at `source`.
    pub fn from_source(source: usize, text: &str) -> MappedText {
        let mut mapped = MappedText::new();
        mapped.push(source, text);
        mapped
    }

    /// Appends what stands at `source` in the file.
    pub fn push(&mut self, source: usize, text: &str) {
        if text.is_empty() {
            return;
        }
        let (at, source) = (small(self.text.len()), small(source));
        let goes_on = self.runs.last().is_some_and(|&(a, s)| s + (at - a) == source);
        if !goes_on {
            self.runs.push((at, source));
        }
        self.text.push_str(text);
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Where the byte at `at` stands in the file; past the end, where the last byte ends.
    pub fn start(&self, at: usize) -> usize {
        if at >= self.text.len() && at > 0 {
            return self.end(self.text.len());
        }
        let at = small(at);
        let i = self.runs.partition_point(|&(a, _)| a <= at);
        match i.checked_sub(1).and_then(|i| self.runs.get(i)) {
            Some(&(a, s)) => (s + (at - a)) as usize,
            None => 0,
        }
    }

    /// One past the place of the byte before `at`: where a range that ends at `at` ends in the file.
    pub fn end(&self, at: usize) -> usize {
        match at.min(self.text.len()) {
            0 => self.runs.first().map_or(0, |&(_, s)| s as usize),
            at => {
                let before = small(at - 1);
                let i = self.runs.partition_point(|&(a, _)| a <= before);
                match i.checked_sub(1).and_then(|i| self.runs.get(i)) {
                    Some(&(a, s)) => (s + (before - a)) as usize + 1,
                    None => 0,
                }
            }
        }
    }

    /// The range of the file that a range of the text covers.
    pub fn range(&self, range: Range<usize>) -> Range<usize> {
        let start = self.start(range.start);
        start..if range.is_empty() { start } else { self.end(range.end).max(start) }
    }

    /// A part of the text with its places; empty where the range does not fit.
    pub fn slice(&self, range: Range<usize>) -> MappedText {
        let mut part = MappedText::new();
        if self.text.get(range.clone()).is_none() {
            return part;
        }
        let mut at = range.start;
        let mut i = self.runs.partition_point(|&(a, _)| a as usize <= at).saturating_sub(1);
        while at < range.end {
            let until = self.runs.get(i + 1).map_or(range.end, |&(a, _)| (a as usize).min(range.end));
            part.push(self.start(at), self.text.get(at..until).unwrap_or(""));
            at = until;
            i += 1;
        }
        part
    }

    /// Appends another text with its places.
    pub fn append(&mut self, other: &MappedText) {
        for (i, &(a, s)) in other.runs.iter().enumerate() {
            let end = other.runs.get(i + 1).map_or(other.text.len(), |&(a, _)| a as usize);
            self.push(s as usize, other.text.get(a as usize..end).unwrap_or(""));
        }
    }

    /// The text without white space around it.
    pub fn trimmed(&self) -> MappedText {
        let start = self.text.len() - self.text.trim_start().len();
        let end = start + self.text.trim().len();
        self.slice(start..end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_lead_back_across_what_was_left_out() {
        let mut text = MappedText::new();
        text.push(4, "abc ");
        text.push(20, "  def");
        assert_eq!(text.as_str(), "abc   def");
        assert_eq!(text.range(0..3), 4..7);
        assert_eq!(text.range(6..9), 22..25);
        assert_eq!(text.range(2..7), 6..23);
        assert_eq!(text.end(4), 8, "an end does not jump over the gap");
        let part = text.slice(1..8);
        assert_eq!((part.as_str(), part.range(0..7)), ("bc   de", 5..24));
        assert_eq!(text.trimmed().range(0..3), 4..7);
    }
}
