//! Numbers as Terraform has them: 512-bit binary floats, with whole numbers kept small.

use dashu_float::{DBig, FBig, round::mode::HalfEven};
use std::cmp::Ordering;
use std::str::FromStr;
use std::sync::Arc;

/// The precision of Terraform's numbers, in bits.
pub const PRECISION: usize = 512;

/// A binary float rounded half to even, as Go's `big.Float` does.
pub type Big = FBig<HalfEven, 2>;

/// A number. Whole numbers that fit in 64 bits take no allocation.
#[derive(Clone, Debug)]
pub enum Number {
    /// A whole number.
    Int(i64),
    /// Any other number.
    Big(Arc<Big>),
}

impl Number {
    /// The number of a decimal literal such as `12`, `0.1` or `1e6`.
    pub fn parse(text: &str) -> Option<Number> {
        if let Ok(n) = text.parse::<i64>() {
            return Some(Number::Int(n));
        }
        let exponent = text.split(['e', 'E']).nth(1).and_then(|e| e.parse::<i64>().ok()).unwrap_or(0);
        if exponent.abs() > 10_000 {
            return None;
        }
        let decimal = DBig::from_str(text).ok()?;
        let binary = decimal.with_base_and_precision::<2>(PRECISION).value();
        Some(Number::from_big(binary.with_rounding::<HalfEven>()))
    }

    /// A number of a float, as an [`Number::Int`] where it is whole and fits.
    pub fn from_big(big: Big) -> Number {
        if let Ok(n) = i64::try_from(big.clone()) {
            return Number::Int(n);
        }
        Number::Big(Arc::new(big.with_precision(PRECISION).value()))
    }

    /// The number as a float of full precision.
    pub fn to_big(&self) -> Big {
        match self {
            Number::Int(n) => Big::from(*n).with_precision(PRECISION).value(),
            Number::Big(b) => (**b).clone(),
        }
    }

    /// The whole number, where it is one and fits.
    pub fn to_i64(&self) -> Option<i64> {
        match self {
            Number::Int(n) => Some(*n),
            Number::Big(_) => None,
        }
    }

    /// The nearest 64-bit float.
    pub fn to_f64(&self) -> f64 {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "the nearest float is what is asked for")]
            Number::Int(n) => *n as f64,
            Number::Big(b) => b.to_f64().value(),
        }
    }

    /// As a JSON number.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Number::Int(n) => (*n).into(),
            Number::Big(_) => serde_json::Number::from_f64(self.to_f64()).map_or(serde_json::Value::Null, Into::into),
        }
    }
}

impl From<i64> for Number {
    fn from(n: i64) -> Number {
        Number::Int(n)
    }
}

impl From<f64> for Number {
    fn from(n: f64) -> Number {
        Big::try_from(n).map_or(Number::Int(0), Number::from_big)
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Number) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Number {}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Number) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Number) -> Ordering {
        match (self, other) {
            (Number::Int(a), Number::Int(b)) => a.cmp(b),
            _ => self.to_big().cmp(&other.to_big()),
        }
    }
}

/// Prints as Terraform converts a number to a string: no exponent, as many digits as the value needs.
impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Number::Int(n) => write!(f, "{n}"),
            Number::Big(b) => {
                let decimal = (**b).clone().with_base_and_precision::<10>(PRECISION * 3 / 10).value();
                write!(f, "{decimal}")
            }
        }
    }
}
