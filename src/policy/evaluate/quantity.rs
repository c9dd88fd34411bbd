//! Quantities of Kubernetes: a number with a suffix that says by how much to multiply it.

use crate::graph::{Data, Number, Value};

/// The number that a quantity means: `250m` is 0.25, `1Ki` is 1024, `1e3` is 1000. A number stays what it is. `None` for what is no quantity.
/// Grammar: <https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/>
pub fn number(value: &Value) -> Option<Number> {
    match &value.data {
        Data::Number(number) => Some(number.clone()),
        Data::String(text) => Number::from_f64(parse(text)?),
        _ => None,
    }
}

fn parse(text: &str) -> Option<f64> {
    let text = text.trim();
    let end = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '+' | '-'))).unwrap_or(text.len());
    let (digits, suffix) = text.split_at(end);
    if !digits.contains(|c: char| c.is_ascii_digit()) {
        return None;
    }
    // Division by a power of ten is rounded once, multiplication by its inverse twice.
    let power: i32 = match suffix {
        "n" => -9,
        "u" => -6,
        "m" => -3,
        "" => 0,
        "k" => 3,
        "M" => 6,
        "G" => 9,
        "T" => 12,
        "P" => 15,
        "E" => 18,
        _ => {
            let number: f64 = digits.parse().ok()?;
            if let Some(index) = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"].iter().position(|s| *s == suffix) {
                return Some(number * 1024f64.powi(i32::try_from(index).ok()? + 1));
            }
            let exponent = suffix.strip_prefix(['e', 'E'])?;
            return exponent.parse::<i16>().ok().and_then(|_| text.parse().ok()).filter(|n: &f64| n.is_finite());
        }
    };
    let number: f64 = digits.parse().ok()?;
    Some(if power < 0 { number / 10f64.powi(-power) } else { number * 10f64.powi(power) })
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn suffixes() {
        for (text, number) in [
            ("1", Some(1.0)),
            ("250m", Some(0.25)),
            ("100m", Some(0.1)),
            ("0.1", Some(0.1)),
            ("1000m", Some(1.0)),
            ("0.25Gi", Some(268_435_456.0)),
            ("256Mi", Some(268_435_456.0)),
            ("2k", Some(2000.0)),
            ("1E", Some(1e18)),
            ("1e3", Some(1000.0)),
            ("12E2", Some(1200.0)),
            ("-5Gi", Some(-5_368_709_120.0)),
            ("1.5", Some(1.5)),
            ("Gi", None),
            ("1Gb", None),
            ("1e", None),
            ("much", None),
            ("", None),
            ("1-2", None),
        ] {
            assert_eq!(parse(text), number, "{text}");
        }
    }
}
