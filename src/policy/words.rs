//! Words: globs on names, and the word that somebody who mistyped one may have meant.

/// Whether a text matches a glob, in which `*` is any text and `?` any character.
pub fn glob_matches(glob: &str, text: &str) -> bool {
    let (glob, text) = (glob.as_bytes(), text.as_bytes());
    let (mut g, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(&byte) = text.get(t) {
        match glob.get(g) {
            Some(b'*') => {
                star = Some((g, t));
                g += 1;
            }
            Some(&b) if b == byte || b == b'?' => {
                g += 1;
                t += 1;
            }
            _ => match star {
                Some((back, at)) => {
                    star = Some((back, at + 1));
                    g = back + 1;
                    t = at + 1;
                }
                None => return false,
            },
        }
    }
    glob.get(g..).is_some_and(|rest| rest.iter().all(|&b| b == b'*'))
}

/// The candidate that looks most like a word, where one is near enough to be meant.
pub fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .map(|c| (distance(word, c), c))
        .filter(|(d, c)| *d <= 1 + word.len().max(c.len()) / 4)
        .min()
        .map(|(_, c)| c)
}

/// The number of single-character edits between two words.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(64).enumerate() {
        let mut corner = i;
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
        for (j, y) in b.iter().enumerate() {
            let (left, above) = (row.get(j).copied().unwrap_or(0), row.get(j + 1).copied().unwrap_or(0));
            let best = (corner + usize::from(x != *y)).min(left + 1).min(above + 1);
            corner = above;
            if let Some(cell) = row.get_mut(j + 1) {
                *cell = best;
            }
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        for (glob, text, expected) in [
            ("aws_*", "aws_s3_bucket", true),
            ("*_bucket", "aws_s3_bucket", true),
            ("aws_*_bucket", "aws_s3_bucket", true),
            ("aws_??_bucket", "aws_s3_bucket", true),
            ("aws_?_bucket", "aws_s3_bucket", false),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("a*b*c", "axxbxxbc", true),
            ("a*b*c", "axxbxxb", false),
        ] {
            assert_eq!(glob_matches(glob, text), expected, "{glob} {text}");
        }
    }

    #[test]
    fn the_nearest_word_is_offered_only_where_it_is_near() {
        assert_eq!(nearest("equal", ["equals", "exists"].into_iter()), Some("equals"));
        assert_eq!(nearest("xyzzy", ["equals", "exists"].into_iter()), None);
    }
}
