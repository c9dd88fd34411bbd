//! Ports and ranges of ports.

/// The lowest and the highest port, both included.
pub type Range = (u32, u32);

/// Every port.
pub const ALL: Range = (0, 65_535);

/// Reads `22`, `20-25`, `20:25`, `*`, `all`, `any`, `-1`, or a list of those with commas between. `None` where a part of it is none of these.
pub fn parse(text: &str) -> Option<Vec<Range>> {
    text.split(',').map(|part| one(part.trim())).collect()
}

fn one(text: &str) -> Option<Range> {
    if matches!(text, "*" | "-1") || text.eq_ignore_ascii_case("all") || text.eq_ignore_ascii_case("any") {
        return Some(ALL);
    }
    if let Ok(port) = text.parse() {
        return Some((port, port));
    }
    let (low, high) = text.split_once(['-', ':', '/'])?;
    let high = high.trim();
    let low = low.trim().parse().ok()?;
    // Docker writes `80/tcp`: a protocol is no upper end.
    match high.parse() {
        Ok(high) => Some((low, high)),
        Err(_) if high.chars().all(|c| c.is_ascii_alphabetic()) && text.contains('/') => Some((low, low)),
        Err(_) => None,
    }
}

/// Whether two ranges share a port.
pub fn overlap(a: Range, b: Range) -> bool {
    a.0 <= b.1 && b.0 <= a.1
}

/// Whether a range is every port; 0 and 1 both count as the first.
pub fn is_all(range: Range) -> bool {
    range.0 <= 1 && range.1 >= ALL.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_read() {
        for (text, expected) in [
            ("22", Some(vec![(22, 22)])),
            ("20-25", Some(vec![(20, 25)])),
            (" 20 - 25 , 80", Some(vec![(20, 25), (80, 80)])),
            ("*", Some(vec![ALL])),
            ("Any", Some(vec![ALL])),
            ("-1", Some(vec![ALL])),
            ("80/tcp", Some(vec![(80, 80)])),
            ("8000:8100", Some(vec![(8000, 8100)])),
            ("http", None),
            ("", None),
            ("80,http", None),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
        assert!(overlap((20, 25), (22, 22)) && !overlap((20, 25), (26, 30)));
        assert!(is_all((0, 65535)) && is_all((1, 65535)) && !is_all((2, 65535)));
    }
}
