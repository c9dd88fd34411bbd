//! From byte offsets to lines and columns and back.

/// A place as people count it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Position {
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1, in the units that were asked for.
    pub column: u32,
}

/// What a column counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ColumnEncoding {
    /// Bytes (LSP `utf-8`, rdjson).
    Utf8,
    /// UTF-16 code units (LSP's default).
    Utf16,
    /// Unicode characters (LSP `utf-32`; our JSON and the terminal).
    Chars,
}

/// Where the lines of a text begin. `\n`, `\r\n` and a lone `\r` all end a line, as the LSP has it.
#[derive(Clone, Debug, Default)]
pub struct LineIndex {
    /// The byte offset of each line's first byte; the first entry is 0.
    starts: Vec<u32>,
    /// Whether the text is pure ASCII: then all three encodings agree and no text needs to be read.
    ascii: bool,
}

impl LineIndex {
    /// Reads the text once.
    pub fn new(text: &str) -> LineIndex {
        let bytes = text.as_bytes();
        let mut starts = vec![0];
        for (i, &b) in bytes.iter().enumerate() {
            if b == b'\n' || (b == b'\r' && bytes.get(i + 1) != Some(&b'\n')) {
                starts.push(u32::try_from(i + 1).unwrap_or(u32::MAX));
            }
        }
        LineIndex { starts, ascii: text.is_ascii() }
    }

    /// The number of lines; a text that ends in a line break has an empty last line.
    pub fn line_count(&self) -> u32 {
        u32::try_from(self.starts.len()).unwrap_or(u32::MAX)
    }

    /// The line of a byte offset, from 1.
    pub fn line(&self, offset: u32) -> u32 {
        u32::try_from(self.starts.partition_point(|&s| s <= offset)).unwrap_or(u32::MAX).max(1)
    }

    /// The byte offset of a line's first byte (lines from 1); the last line's for a line beyond the end.
    pub fn line_start(&self, line: u32) -> u32 {
        let i = (line.max(1) as usize - 1).min(self.starts.len().saturating_sub(1));
        self.starts.get(i).copied().unwrap_or(0)
    }

    /// The byte range of a line without its line break.
    pub fn line_range(&self, text: &str, line: u32) -> std::ops::Range<usize> {
        let start = self.line_start(line) as usize;
        let end = self.starts.get(line.max(1) as usize).map_or(text.len(), |&s| s as usize).min(text.len());
        let body = text.get(start..end).unwrap_or("");
        start..start + body.trim_end_matches(['\n', '\r']).len()
    }

    /// Line and column of a byte offset. An offset inside a character counts as that character's start.
    pub fn position(&self, text: &str, offset: u32, encoding: ColumnEncoding) -> Position {
        let offset = offset.min(u32::try_from(text.len()).unwrap_or(u32::MAX));
        let line = self.line(offset);
        let start = self.line_start(line);
        let column = if self.ascii || encoding == ColumnEncoding::Utf8 {
            offset - start
        } else {
            let mut end = offset as usize;
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            let before = text.get(start as usize..end).unwrap_or("");
            let units = match encoding {
                ColumnEncoding::Utf16 => before.encode_utf16().count(),
                _ => before.chars().count(),
            };
            u32::try_from(units).unwrap_or(u32::MAX)
        };
        Position { line, column: column + 1 }
    }

    /// The byte offset of a position; beyond the line's end it is the line's end.
    pub fn offset(&self, text: &str, position: Position, encoding: ColumnEncoding) -> u32 {
        if position.line > self.line_count() {
            return u32::try_from(text.len()).unwrap_or(u32::MAX);
        }
        let range = self.line_range(text, position.line);
        let line = text.get(range.clone()).unwrap_or("");
        let wanted = position.column.max(1) as usize - 1;
        let within = match encoding {
            ColumnEncoding::Utf8 => {
                let mut w = wanted.min(line.len());
                while !line.is_char_boundary(w) {
                    w -= 1;
                }
                w
            }
            ColumnEncoding::Chars => line.char_indices().nth(wanted).map_or(line.len(), |(i, _)| i),
            ColumnEncoding::Utf16 => {
                let mut units = 0;
                line.char_indices()
                    .find(|(_, c)| {
                        let here = units >= wanted;
                        units += c.len_utf16();
                        here
                    })
                    .map_or(line.len(), |(i, _)| i)
            }
        };
        u32::try_from(range.start + within).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_go_there_and_back_in_every_encoding() {
        let text = "a\r\nbü𝄞c\rd\n";
        let index = LineIndex::new(text);
        assert_eq!(index.line_count(), 4);
        for encoding in [ColumnEncoding::Utf8, ColumnEncoding::Utf16, ColumnEncoding::Chars] {
            for (offset, c) in text.char_indices().filter(|(_, c)| !matches!(c, '\r' | '\n')) {
                let offset = u32::try_from(offset).unwrap_or(0);
                let position = index.position(text, offset, encoding);
                assert_eq!(index.offset(text, position, encoding), offset, "{c:?} {encoding:?} {position:?}");
            }
        }
        assert_eq!(index.position(text, 10, ColumnEncoding::Utf16), Position { line: 2, column: 5 });
        assert_eq!(index.position(text, 10, ColumnEncoding::Chars), Position { line: 2, column: 4 });
    }
}
