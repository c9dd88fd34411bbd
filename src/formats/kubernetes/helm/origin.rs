//! Where rendered text came from: an arena of places, and text that remembers the place of every byte.
//!
//! A [`Text`] is a string cut into pieces, each with a [`Place`] of the arena. Functions that move text about (indent,
//! quote, trim, include, `toYaml`) keep the pieces, so that what comes out of a pipeline still knows the line of the
//! helper template or the key in `values.yaml` that each byte stems from.

use crate::base::Span;
use std::cell::RefCell;
use std::rc::Rc;

/// A place, as an index into [`Places`]; 0 is no place. The highest bit marks places of copied text.
pub type Place = u32;

/// The bit that marks a place of [`Means::Copied`].
const COPIED: Place = 1 << 31;

/// How text or a value came to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Means {
    /// Text of a template, copied: the bytes of the piece are those of the span.
    Copied,
    /// The output of an action.
    Action,
    /// A value of a values file or a chart's metadata.
    Value,
    /// Something that is made anew on each run, such as a random password or the time.
    Unknown,
    /// Several places together.
    Several,
}

/// What is known of a place.
#[derive(Clone, Debug)]
pub struct PlaceData {
    /// Where it is.
    pub span: Span,
    /// How it came to be.
    pub means: Means,
    /// What it was made from.
    pub from: Rc<[Place]>,
}

/// How many parents of one place are kept.
const MAX_PARENTS: usize = 8;

/// All places of one rendering.
#[derive(Debug)]
pub struct Places {
    all: RefCell<Vec<PlaceData>>,
    last: RefCell<Option<(Span, Vec<Place>, Place)>>,
}

impl Default for Places {
    fn default() -> Places {
        let none = PlaceData { span: Span::NONE, means: Means::Several, from: Rc::new([]) };
        Places { all: RefCell::new(vec![none]), last: RefCell::new(None) }
    }
}

impl Places {
    /// Notes a place.
    pub fn add(&self, span: Span, means: Means, from: &[Place]) -> Place {
        let mut all = self.all.borrow_mut();
        let place = Place::try_from(all.len()).unwrap_or(0);
        all.push(PlaceData { span, means, from: from.into() });
        if means == Means::Copied { place | COPIED } else { place }
    }

    /// The output of an action made from some places; the same question twice in a row gives the same place.
    pub fn action(&self, span: Span, from: &[Place]) -> Place {
        if let Some((s, f, place)) = &*self.last.borrow()
            && *s == span
            && f == from
        {
            return *place;
        }
        let place = self.add(span, Means::Action, from);
        *self.last.borrow_mut() = Some((span, from.to_vec(), place));
        place
    }

    /// What is known of a place.
    pub fn get(&self, place: Place) -> PlaceData {
        let all = self.all.borrow();
        all.get((place & !COPIED) as usize).or_else(|| all.first()).cloned().unwrap_or(PlaceData {
            span: Span::NONE,
            means: Means::Several,
            from: Rc::new([]),
        })
    }

    /// Whether something of a place is not known.
    pub fn is_unknown(&self, place: Place) -> bool {
        let mut open = vec![place];
        for _ in 0..64 {
            let Some(next) = open.pop().filter(|p| *p != 0) else { return false };
            let data = self.get(next);
            if data.means == Means::Unknown {
                return true;
            }
            open.extend(data.from.iter());
        }
        false
    }

    /// Several places as one.
    pub fn combine(&self, places: impl IntoIterator<Item = Place>) -> Place {
        let mut kept: Vec<Place> = Vec::new();
        for place in places {
            if place != 0 && !kept.contains(&place) && kept.len() < MAX_PARENTS {
                kept.push(place);
            }
        }
        match kept.as_slice() {
            [] => 0,
            [one] => *one,
            many => {
                let span = self.get(many.first().copied().unwrap_or(0)).span;
                self.add(span, Means::Several, many)
            }
        }
    }

    /// The place of a whole text: one place for all its pieces, together with what the value itself came from.
    pub fn of_text(&self, text: &Text, own: Place) -> Place {
        match &text.pieces {
            None => own,
            Some(pieces) => self.combine(pieces.iter().map(|p| p.place).chain([own])),
        }
    }
}

/// A piece of a text: it ends before `end` and begins where the piece before it ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Piece {
    /// One past its last byte in the text.
    pub end: u32,
    /// Where it came from.
    pub place: Place,
    /// How many bytes into the place's span it begins; meaningful for [`Means::Copied`].
    pub skip: u32,
}

/// A string whose pieces know their places. Without pieces, the value's own place holds for all of it.
#[derive(Clone, Debug)]
pub struct Text {
    /// The string.
    pub s: Rc<str>,
    /// Its pieces, in order and without gaps.
    pub pieces: Option<Rc<[Piece]>>,
}

impl From<&str> for Text {
    fn from(s: &str) -> Text {
        Text { s: s.into(), pieces: None }
    }
}

impl From<String> for Text {
    fn from(s: String) -> Text {
        Text { s: s.into(), pieces: None }
    }
}

impl Text {
    /// A part of the text that keeps its places.
    pub fn slice(&self, range: std::ops::Range<usize>) -> Text {
        if self.pieces.is_none() {
            return Text { s: self.s.get(range).unwrap_or("").into(), pieces: None };
        }
        let mut builder = Builder::default();
        builder.push_text(self, range, 0);
        builder.finish()
    }

    /// Another string of the same length in the same places, such as the text in upper case.
    pub fn with_string(&self, s: String) -> Text {
        let pieces = if s.len() == self.s.len() { self.pieces.clone() } else { None };
        Text { s: s.into(), pieces }
    }
}

/// Text under construction.
#[derive(Debug, Default)]
pub struct Builder {
    /// What stands so far.
    pub s: String,
    pieces: Vec<Piece>,
}

impl Builder {
    /// Adds a string of one place.
    pub fn push(&mut self, s: &str, place: Place) {
        self.push_piece(s, place, 0);
    }

    fn push_piece(&mut self, s: &str, place: Place, skip: u32) {
        if s.is_empty() {
            return;
        }
        self.s.push_str(s);
        let end = u32::try_from(self.s.len()).unwrap_or(u32::MAX);
        // Pieces of template text are never joined: their bytes map to the span one by one.
        if skip == 0
            && let Some(last) = self.pieces.last_mut()
            && last.place == place
            && last.skip == 0
            && place & COPIED == 0
        {
            last.end = end;
            return;
        }
        self.pieces.push(Piece { end, place, skip });
    }

    /// Adds a part of a text with its places; `own` is the place of a text without pieces.
    pub fn push_text(&mut self, text: &Text, range: std::ops::Range<usize>, own: Place) {
        let Some(pieces) = &text.pieces else {
            self.push(text.s.get(range).unwrap_or(""), own);
            return;
        };
        let first = pieces.partition_point(|piece| piece.end as usize <= range.start);
        let before = first.checked_sub(1).and_then(|i| pieces.get(i));
        let mut start = before.map_or(0, |piece| piece.end as usize);
        for piece in pieces.iter().skip(first) {
            let end = piece.end as usize;
            let (a, b) = (start.max(range.start), end.min(range.end));
            if a < b {
                let skip = piece.skip + u32::try_from(a - start).unwrap_or(0);
                let place = if piece.place == 0 { own } else { piece.place };
                self.push_piece(text.s.get(a..b).unwrap_or(""), place, skip);
            }
            start = end;
            if start >= range.end {
                break;
            }
        }
    }

    /// Adds a whole text.
    pub fn push_all(&mut self, text: &Text, own: Place) {
        self.push_text(text, 0..text.s.len(), own);
    }

    /// Done.
    pub fn finish(self) -> Text {
        let pieces = if self.pieces.iter().all(|p| p.place == 0) { None } else { Some(self.pieces.into()) };
        Text { s: self.s.into(), pieces }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_keep_their_places() {
        let mut builder = Builder::default();
        builder.push("abc", 1);
        builder.push("def", 2);
        let text = builder.finish();
        let part = text.slice(2..5);
        assert_eq!(&*part.s, "cde");
        let pieces: Vec<(u32, Place, u32)> =
            part.pieces.iter().flat_map(|p| p.iter().map(|p| (p.end, p.place, p.skip))).collect();
        assert_eq!(pieces, [(1, 1, 2), (3, 2, 0)]);
    }
}
