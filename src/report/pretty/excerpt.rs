//! The lines of source around some labels, made fit for a terminal, in the form that miette draws.
//!
//! miette asks a source for the text around a span. What it gets here is no file but only the lines that are to be
//! seen, of one or several files, one after the other in an address space of their own: with tabs expanded, control
//! characters made visible, secrets hidden, and long lines cut around what matters. So miette never reads through a
//! whole file, and nothing that stands in a file can reach the terminal as it is.

use crate::analysis::Report;
use crate::base::{ColumnEncoding, FastMap, FileId, SourceFile, Span};
use crate::report::place::place;
use crate::report::text::{REDACTED, Secrets, is_control, picture, width, wrap};
use miette::{LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};
use std::ops::Range;
use unicode_width::UnicodeWidthChar;

/// A span over more lines than this is shown by its first line alone.
const MAX_LABEL_LINES: u32 = 6;
/// Lines between two labels that are still shown as one piece.
const MAX_GAP: u32 = 2;
/// Of a longer line only this many bytes before and behind its label are looked at.
const MAX_LINE_BYTES: usize = 2048;
/// The distance between tab stops.
const TAB: usize = 4;
/// A label that has fewer columns left than this is written below the excerpt instead.
const MIN_LABEL_COLUMNS: usize = 24;

/// A label that is wanted.
pub struct Want {
    /// The place.
    pub span: Span,
    /// The words; may be empty.
    pub message: String,
    /// Whether it is the place the finding is about.
    pub primary: bool,
}

/// How to draw.
pub struct Layout {
    /// Lines of context around each label.
    pub context: u32,
    /// The columns of the terminal.
    pub columns: usize,
    /// Whether other characters than ASCII may be drawn.
    pub unicode: bool,
}

/// Some consecutive lines of a file.
struct Chunk {
    /// The file's path.
    name: String,
    /// Where it begins in the address space of the excerpt.
    base: usize,
    /// What is shown, each line with its line break.
    text: String,
    /// The number of its first line, from 0.
    first: usize,
    /// How many lines it has.
    lines: usize,
}

/// What miette draws.
pub struct Excerpt {
    chunks: Vec<Chunk>,
    /// Line and column, from 0, of the start of each label.
    points: FastMap<usize, (usize, usize)>,
    /// The labels in the address space of the excerpt.
    pub labels: Vec<LabeledSpan>,
    /// The words of labels that found no room, with their lines.
    pub below: Vec<(u32, String)>,
}

/// A label with its lines.
struct Found<'a> {
    want: &'a Want,
    file: &'a SourceFile,
    span: Span,
    first: u32,
    last: u32,
    message: String,
}

/// A line as it is shown, with the way from the file's offsets to those of the shown text.
struct Shown {
    text: String,
    /// The file's offset and the offset in `text` of each character, and of the end.
    map: Vec<(usize, usize)>,
}

impl Shown {
    fn offset(&self, original: usize) -> usize {
        let i = self.map.partition_point(|(o, _)| *o < original);
        self.map.get(i).or(self.map.last()).map_or(0, |(_, shown)| *shown)
    }
}

impl Excerpt {
    /// The excerpt for some labels; those that stand in no file are left out.
    pub fn new(report: &Report, secrets: &Secrets, wants: &[Want], layout: &Layout) -> Excerpt {
        let mut found: Vec<Found<'_>> = wants.iter().filter_map(|want| locate(report, want)).collect();
        give_words(&mut found);
        let mut excerpt =
            Excerpt { chunks: Vec::new(), points: FastMap::default(), labels: Vec::new(), below: Vec::new() };
        for (file, lines) in pieces(&found, layout.context) {
            excerpt.add(file, lines, &found, secrets, layout);
        }
        excerpt
    }

    /// Whether there is nothing to be seen.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    fn add(&mut self, file: &SourceFile, lines: Range<u32>, found: &[Found<'_>], secrets: &Secrets, layout: &Layout) {
        let here: Vec<&Found<'_>> = found.iter().filter(|f| f.file.id == file.id && lines.contains(&f.first)).collect();
        let base = self.chunks.last().map_or(0, |c| c.base + c.text.len() + 1);
        let gutter = lines.end.to_string().len() + 4;
        let arrows = here.iter().filter(|f| f.last > f.first).count();
        let margin = gutter + if arrows > 0 { arrows + 3 } else { 0 };
        let columns = layout.columns.saturating_sub(margin).max(20);

        let mut text = String::new();
        let mut shown: Vec<(Shown, usize, Range<usize>)> = Vec::new();
        for number in lines.clone() {
            let range = file.lines().line_range(&file.text, number);
            let focus = here
                .iter()
                .filter(|f| f.first == number)
                .max_by_key(|f| f.want.primary)
                .map(|f| f.span.start as usize..(f.span.end as usize).min(range.end));
            let line = show(file, range.clone(), focus, secrets, columns, layout.unicode);
            let start = base + text.len();
            text.push_str(&line.text);
            text.push('\n');
            shown.push((line, start, range));
        }
        let resolve = |line: u32, original: usize| {
            let index = line.saturating_sub(lines.start) as usize;
            shown.get(index).map_or(base, |(shown, start, _)| start + shown.offset(original))
        };
        for f in here {
            let start = resolve(f.first, f.span.start as usize);
            let end = resolve(f.last, f.span.end as usize).max(start);
            let at = f.file.lines().position(&f.file.text, f.span.start, ColumnEncoding::Chars);
            self.points.insert(start, (at.line as usize - 1, at.column as usize - 1));
            let label = self.place_label(f, &shown, lines.start, start, end, margin, layout);
            self.labels.push(if f.want.primary {
                LabeledSpan::new_primary_with_span(label, (start, end - start))
            } else {
                LabeledSpan::new_with_span(label, (start, end - start))
            });
        }
        self.chunks.push(Chunk {
            name: super::super::one_line(&file.path).into_owned(),
            base,
            text,
            first: lines.start as usize - 1,
            lines: lines.len(),
        });
    }

    /// The words of a label, broken into lines that fit beside its place; where too little room is left, below.
    #[expect(clippy::too_many_arguments, reason = "each is one plain number of the drawing")]
    fn place_label(
        &mut self,
        f: &Found<'_>,
        shown: &[(Shown, usize, Range<usize>)],
        first_line: u32,
        start: usize,
        end: usize,
        margin: usize,
        layout: &Layout,
    ) -> Option<String> {
        if f.message.is_empty() {
            return None;
        }
        let before = if f.last > f.first {
            0
        } else {
            let index = f.first.saturating_sub(first_line) as usize;
            shown.get(index).map_or(0, |(line, at, _)| {
                let cut = |o: usize| width(line.text.get(..o.saturating_sub(*at)).unwrap_or(""));
                usize::midpoint(cut(start), cut(end))
            })
        };
        let room = layout.columns.saturating_sub(margin + before + 5);
        if room < MIN_LABEL_COLUMNS && width(&f.message) > room {
            self.below.push((f.first, f.message.clone()));
            return None;
        }
        Some(wrap(&f.message, room).join("\n"))
    }
}

/// On a line where some labels have words and others have none, miette draws lines from those without that lead nowhere:
/// the primary one gets a word, the others go.
fn give_words(found: &mut Vec<Found<'_>>) {
    let line = |f: &Found<'_>| (f.first == f.last).then_some((f.file.id, f.first));
    let worded: Vec<_> = found.iter().filter(|f| !f.message.is_empty()).filter_map(line).collect();
    found.retain_mut(|f| {
        if f.message.is_empty() && line(f).is_some_and(|at| worded.contains(&at)) {
            f.message = "here".to_owned();
            return f.want.primary;
        }
        true
    });
}

/// A label's lines; a span over many lines is cut to its first.
fn locate<'a>(report: &'a Report, want: &'a Want) -> Option<Found<'a>> {
    let at = place(report, want.span, ColumnEncoding::Utf8)?;
    let (mut span, mut last) = (want.span, at.end.line);
    let mut message = super::super::one_line(&want.message).into_owned();
    let line_end = |line| at.file.lines().line_range(&at.file.text, line).end;
    if last - at.start.line >= MAX_LABEL_LINES {
        let more = format!("and {} more lines", last - at.start.line);
        message = if message.is_empty() { more } else { format!("{message} ({more})") };
        last = at.start.line;
    }
    // A label must end within its last line, whose line break is not shown.
    span.end = span.end.min(u32::try_from(line_end(last)).unwrap_or(u32::MAX)).max(span.start);
    Some(Found { want, file: at.file, span, first: at.start.line, last, message })
}

/// The pieces of files to be shown: in the order of the labels, those that nearly touch made one.
fn pieces<'a>(found: &[Found<'a>], context: u32) -> Vec<(&'a SourceFile, Range<u32>)> {
    let mut files: Vec<(FileId, &'a SourceFile)> = Vec::new();
    for f in found {
        if !files.iter().any(|(id, _)| *id == f.file.id) {
            files.push((f.file.id, f.file));
        }
    }
    let mut all = Vec::new();
    for (id, file) in files {
        let mut ranges: Vec<(Range<u32>, usize)> = found
            .iter()
            .enumerate()
            .filter(|(_, f)| f.file.id == id)
            .map(|(i, f)| {
                let last = last_line(file);
                (f.first.saturating_sub(context).max(1)..(f.last + context).min(last).max(f.last) + 1, i)
            })
            .collect();
        ranges.sort_by_key(|(r, _)| r.start);
        let mut merged: Vec<(Range<u32>, usize)> = Vec::new();
        for (range, i) in ranges {
            match merged.last_mut() {
                Some((last, first)) if range.start <= last.end + MAX_GAP => {
                    last.end = last.end.max(range.end);
                    *first = (*first).min(i);
                }
                _ => merged.push((range, i)),
            }
        }
        all.extend(merged.into_iter().map(|(range, i)| (i, file, range)));
    }
    all.sort_by_key(|(i, ..)| *i);
    all.into_iter().map(|(_, file, range)| (file, range)).collect()
}

/// The number of the last line that has a character, or of the first.
fn last_line(file: &SourceFile) -> u32 {
    let n = file.lines().line_count();
    let empty_end = n > 1 && file.lines().line_start(n) as usize == file.text.len();
    if empty_end { n - 1 } else { n }
}

/// A character as it is shown.
struct Cell {
    /// Its offset in the file.
    at: usize,
    text: CellText,
    columns: usize,
}

enum CellText {
    Char(char),
    Spaces,
    Secret,
}

/// A line made fit to be shown in `columns`, cut around `focus`.
fn show(
    file: &SourceFile,
    range: Range<usize>,
    focus: Option<Range<usize>>,
    secrets: &Secrets,
    columns: usize,
    unicode: bool,
) -> Shown {
    let full = range.clone();
    let range = if range.len() <= 2 * MAX_LINE_BYTES {
        range
    } else {
        let middle = focus.as_ref().map_or(range.start, |f| f.start).clamp(range.start, range.end);
        let boundary = |mut i: usize| {
            while !file.text.is_char_boundary(i) {
                i -= 1;
            }
            i
        };
        boundary(middle.saturating_sub(MAX_LINE_BYTES).max(range.start))
            ..boundary((middle + MAX_LINE_BYTES).min(range.end))
    };
    let cells = cells(file, range.clone(), &secrets.within(file, range.clone()), unicode);
    let total: usize = cells.iter().map(|c| c.columns).sum();
    let (dots, dots_width) = if unicode { ("…", 1) } else { ("...", 3) };

    // Where the window begins: at the line's start if the focus is seen from there, else a little before the focus.
    let mut skip = 0;
    if total > columns
        && let Some(focus) = &focus
    {
        let column_of = |offset: usize| cells.iter().take_while(|c| c.at < offset).map(|c| c.columns).sum::<usize>();
        let (start, end) = (column_of(focus.start), column_of(focus.end));
        let room = columns.saturating_sub(2 * dots_width);
        if end > room {
            let lead = room.saturating_sub(end - start).min(room / 3);
            skip = start.saturating_sub(lead);
        }
    }
    let cut_left = skip > 0 || range.start > full.start;
    let mut shown = Shown { text: String::new(), map: Vec::with_capacity(cells.len() + 1) };
    if cut_left {
        shown.text.push_str(dots);
    }
    let room = columns.saturating_sub(if cut_left { dots_width } else { 0 });
    let fits = total.saturating_sub(skip) <= room && range.end == full.end;
    let room = if fits { room } else { room.saturating_sub(dots_width) };
    let (mut passed, mut used, mut cut_right) = (0, 0, false);
    for cell in &cells {
        if passed < skip {
            passed += cell.columns;
            continue;
        }
        if used + cell.columns > room {
            cut_right = true;
            break;
        }
        used += cell.columns;
        shown.map.push((cell.at, shown.text.len()));
        match cell.text {
            CellText::Char(c) => shown.text.push(c),
            CellText::Spaces => shown.text.extend(std::iter::repeat_n(' ', cell.columns)),
            CellText::Secret => shown.text.push_str(REDACTED),
        }
    }
    shown.map.push((range.end, shown.text.len()));
    if cut_right || range.end < full.end {
        shown.text.push_str(dots);
    }
    shown
}

fn cells(file: &SourceFile, range: Range<usize>, hidden: &[Range<usize>], unicode: bool) -> Vec<Cell> {
    let text = file.text.get(range.clone()).unwrap_or("");
    let mut cells = Vec::with_capacity(text.len());
    let mut column = 0;
    let mut hidden = hidden.iter().peekable();
    for (i, c) in text.char_indices() {
        let at = range.start + i;
        while hidden.next_if(|h| h.end <= at).is_some() {}
        let cell = match hidden.peek() {
            Some(h) if h.contains(&at) => {
                // One cell for the whole secret: its length is nobody's business.
                if at == h.start.max(range.start) {
                    Cell { at, text: CellText::Secret, columns: REDACTED.len() }
                } else {
                    continue;
                }
            }
            _ if c == '\t' => Cell { at, text: CellText::Spaces, columns: TAB - column % TAB },
            _ => {
                let c = if !is_control(c) {
                    c
                } else if unicode {
                    picture(c)
                } else {
                    '?'
                };
                // Marks that combine with their neighbour take no column of their own.
                Cell { at, text: CellText::Char(c), columns: c.width().unwrap_or(0) }
            }
        };
        column += cell.columns;
        cells.push(cell);
    }
    cells
}

impl SourceCode for Excerpt {
    /// With context lines: the whole piece the span stands in. Without: the place of the span in its file.
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let chunk = self
            .chunks
            .iter()
            .find(|c| c.base <= span.offset() && span.offset() + span.len() <= c.base + c.text.len())
            .ok_or(MietteError::OutOfBounds)?;
        if before + after == 0 {
            let (line, column) = self.points.get(&span.offset()).copied().unwrap_or((chunk.first, 0));
            let start = span.offset() - chunk.base;
            let data = chunk.text.as_bytes().get(start..start + span.len()).unwrap_or_default();
            return Ok(Box::new(MietteSpanContents::new_named(chunk.name.clone(), data, *span, line, column, 1)));
        }
        let whole = SourceSpan::from((chunk.base, chunk.text.len()));
        Ok(Box::new(MietteSpanContents::new_named(
            chunk.name.clone(),
            chunk.text.as_bytes(),
            whole,
            chunk.first,
            0,
            chunk.lines,
        )))
    }
}
