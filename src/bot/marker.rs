//! What the bot hides in its comments to know them again: an HTML comment that no reader sees.
//!
//! A marker counts only in a comment that the bot's own account wrote; anybody can type one.

use super::digest;

/// What a comment of ours is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Marker {
    /// The one summary of a change.
    Summary,
    /// A finding in its line.
    Finding {
        /// The finding's fingerprint.
        fingerprint: String,
        /// What became of it.
        state: State,
    },
    /// The answer to a wish to ignore a finding.
    Answer {
        /// The identity of the comment that it answers.
        to: String,
    },
    /// The words above the comments of one review.
    Review,
}

/// What became of a finding's comment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// The finding is there.
    Open,
    /// It is gone.
    Gone,
    /// It is there, but no longer in this line.
    Moved,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            State::Open => "open",
            State::Gone => "gone",
            State::Moved => "moved",
        }
    }
}

impl Marker {
    /// A body with the marker behind it. The marker holds a digest of the body, so that a later run sees whether it would say the
    /// same without trusting the platform to give the text back byte for byte.
    pub fn sign(&self, body: &str) -> String {
        let body = body.trim_end();
        let what = match self {
            Marker::Summary => "summary".to_owned(),
            Marker::Finding { fingerprint, state } => format!("finding {} {}", clean(fingerprint), state.word()),
            Marker::Answer { to } => format!("answer {}", clean(to)),
            Marker::Review => "review".to_owned(),
        };
        format!("{body}\n\n<!-- stacklint:1 {what} {} -->", digest(&[body]))
    }

    /// The last marker of a body, and the digest in it.
    pub fn find(body: &str) -> Option<(Marker, String)> {
        let (_, rest) = body.rsplit_once("<!-- stacklint:1 ")?;
        let (words, _) = rest.split_once(" -->")?;
        let mut words = words.split(' ');
        let mut next = || words.next().filter(|w| !w.is_empty() && clean(w) == *w);
        let marker = match next()? {
            "summary" => Marker::Summary,
            "review" => Marker::Review,
            "answer" => Marker::Answer { to: next()?.to_owned() },
            "finding" => {
                let fingerprint = next()?.to_owned();
                let state = match next()? {
                    "open" => State::Open,
                    "gone" => State::Gone,
                    "moved" => State::Moved,
                    _ => return None,
                };
                Marker::Finding { fingerprint, state }
            }
            _ => return None,
        };
        Some((marker, next()?.to_owned()))
    }
}

/// The digest in a signed body.
pub fn digest_of(signed: &str) -> Option<String> {
    Marker::find(signed).map(|(_, digest)| digest)
}

/// Only what cannot end the HTML comment or be taken for two words.
fn clean(word: &str) -> String {
    word.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, ':' | '_' | '/' | '.')).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_come_back() {
        for marker in [
            Marker::Summary,
            Marker::Review,
            Marker::Answer { to: "12/34".into() },
            Marker::Finding { fingerprint: "0123abcd:2".into(), state: State::Gone },
        ] {
            let body = marker.sign("words\n");
            assert!(body.starts_with("words\n\n<!-- "), "{body}");
            // Platforms may change line ends and trim.
            let stored = body.replace('\n', "\r\n") + "\r\n";
            let found = Marker::find(&stored);
            assert_eq!(found.as_ref().map(|(m, _)| m), Some(&marker));
            assert_eq!(found.map(|(_, d)| d), digest_of(&marker.sign("words")));
        }
        assert_ne!(digest_of(&Marker::Summary.sign("a")), digest_of(&Marker::Summary.sign("b")));
    }

    #[test]
    fn what_is_no_marker_is_none() {
        for body in
            ["", "<!-- stacklint:1 -->", "<!-- stacklint:1 finding x open", "<!-- stacklint:1 finding a b c -->"]
        {
            assert_eq!(Marker::find(body), None, "{body}");
        }
        // A fingerprint can neither end the comment nor add a word.
        let marker = Marker::Finding { fingerprint: "a --> b".into(), state: State::Open };
        let body = marker.sign("x");
        assert_eq!(body.matches("-->").count(), 1, "{body}");
        assert!(matches!(Marker::find(&body), Some((Marker::Finding { fingerprint, .. }, _)) if fingerprint == "ab"));
        // The last one counts: what is quoted above ours does not.
        let body = Marker::Summary.sign(&Marker::Review.sign("x"));
        assert_eq!(Marker::find(&body).map(|(m, _)| m), Some(Marker::Summary));
    }
}
