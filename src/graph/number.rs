//! Numbers as Terraform has them: binary floats of up to 512 bits, computed and printed exactly as Go's `big.Float`
//! does (rounding half to even), with whole numbers kept small.
//!
//! A number remembers its precision, because Terraform's functions compute some numbers in 64 or 53 bits and the
//! result of a division is as precise as its most precise operand. The sign of zero is kept, as in Go.

use dashu_int::{UBig, ops::BitTest};
use std::cmp::Ordering;
use std::sync::Arc;

/// The precision of a number that was written in a source file, in bits.
pub const PRECISION: u32 = 512;

/// The largest binary exponent, either way, of a number that is kept. What lies beyond is refused by the operation.
const MAX_EXPONENT: i64 = 40_000;

/// A number. Whole numbers that fit in 64 bits take no allocation.
#[derive(Clone, Debug)]
pub enum Number {
    /// A whole number, of full precision.
    Int(i64),
    /// Any other number: a fraction, a large number, minus zero, or a whole number of less than full precision.
    Big(Arc<Float>),
}

/// A binary float: `mantissa × 2^exponent`, negated where `negative`. The mantissa is odd or zero; an infinite number
/// has the mantissa one.
#[derive(Clone, Debug)]
pub struct Float {
    infinite: bool,
    negative: bool,
    mantissa: UBig,
    exponent: i64,
    precision: u32,
}

impl Float {
    /// Rounds `mantissa × 2^exponent` half to even; `sticky` says that bits below the mantissa were cut off.
    /// `None` where the result is too large or too small to keep.
    fn rounded(negative: bool, mut mantissa: UBig, mut exponent: i64, precision: u32, sticky: bool) -> Option<Float> {
        if mantissa.is_zero() {
            return Some(Float { infinite: false, negative, mantissa, exponent: 0, precision });
        }
        let excess = mantissa.bit_len().saturating_sub(precision as usize);
        if excess > 0 {
            let half = mantissa.bit(excess - 1);
            let below = sticky || mantissa.trailing_zeros().is_some_and(|z| z < excess - 1);
            mantissa >>= excess;
            exponent += i64::try_from(excess).ok()?;
            if half && (below || mantissa.bit(0)) {
                mantissa += UBig::ONE;
            }
        }
        let zeros = mantissa.trailing_zeros().unwrap_or(0);
        mantissa >>= zeros;
        exponent += i64::try_from(zeros).ok()?;
        let top = exponent + i64::try_from(mantissa.bit_len()).ok()?;
        (top.abs() <= MAX_EXPONENT).then_some(Float { infinite: false, negative, mantissa, exponent, precision })
    }

    fn infinity(negative: bool) -> Float {
        Float { infinite: true, negative, mantissa: UBig::ONE, exponent: 0, precision: PRECISION }
    }

    fn from_int(n: i64, precision: u32) -> Float {
        let mantissa = UBig::from(n.unsigned_abs());
        let zeros = mantissa.trailing_zeros().unwrap_or(0);
        #[expect(clippy::cast_possible_wrap, reason = "at most 63")]
        Float { infinite: false, negative: n < 0, mantissa: mantissa >> zeros, exponent: zeros as i64, precision }
    }

    /// The position above the highest bit: the value is in `[2^(top-1), 2^top)`.
    fn top(&self) -> i64 {
        self.exponent + i64::try_from(self.mantissa.bit_len()).unwrap_or(0)
    }

    /// The mantissa with respect to a lower exponent.
    fn aligned(&self, exponent: i64) -> UBig {
        &self.mantissa << usize::try_from(self.exponent - exponent).unwrap_or(0)
    }

    fn cmp_magnitude(&self, other: &Float) -> Ordering {
        if self.infinite || other.infinite {
            return self.infinite.cmp(&other.infinite);
        }
        match (self.mantissa.is_zero(), other.mantissa.is_zero()) {
            (true, true) => return Ordering::Equal,
            (true, false) => return Ordering::Less,
            (false, true) => return Ordering::Greater,
            (false, false) => {}
        }
        self.top().cmp(&other.top()).then_with(|| {
            let low = self.exponent.min(other.exponent);
            self.aligned(low).cmp(&other.aligned(low))
        })
    }

    /// The whole part, truncated toward zero, without its sign.
    fn whole(&self) -> UBig {
        match usize::try_from(self.exponent) {
            Ok(shift) => &self.mantissa << shift,
            Err(_) => &self.mantissa >> usize::try_from(-self.exponent).unwrap_or(usize::MAX),
        }
    }

    fn is_whole(&self) -> bool {
        !self.infinite && (self.mantissa.is_zero() || self.exponent >= 0)
    }
}

/// The decimal digits of a magnitude: `0.d₁d₂d₃… × 10^point`, without zeros at the end. Empty for zero.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Decimal {
    /// The digits, as ASCII.
    pub digits: Vec<u8>,
    /// How many digits stand before the decimal point; negative for zeros right after it.
    pub point: i64,
}

impl Decimal {
    /// `mantissa × 2^exponent`, exactly.
    fn exact(mantissa: &UBig, exponent: i64) -> Decimal {
        if mantissa.is_zero() {
            return Decimal::default();
        }
        let (text, shift) = match usize::try_from(exponent) {
            Ok(up) => ((mantissa << up).to_string(), 0),
            Err(_) => {
                let down = usize::try_from(-exponent).unwrap_or(0);
                ((mantissa * UBig::from(5u8).pow(down)).to_string(), -exponent)
            }
        };
        let mut digits = text.into_bytes();
        let point = i64::try_from(digits.len()).unwrap_or(0) - shift;
        let kept = digits.iter().rposition(|&d| d != b'0').map_or(0, |i| i + 1);
        digits.truncate(kept);
        Decimal { digits, point }
    }

    fn at(&self, i: usize) -> u8 {
        self.digits.get(i).copied().unwrap_or(b'0')
    }

    fn cut(&mut self, n: usize, up: bool) {
        if n >= self.digits.len() {
            return;
        }
        self.digits.truncate(n);
        if up {
            while let Some(last) = self.digits.pop() {
                if last < b'9' {
                    self.digits.push(last + 1);
                    return;
                }
            }
            self.digits.push(b'1');
            self.point += 1;
            return;
        }
        let kept = self.digits.iter().rposition(|&d| d != b'0').map_or(0, |i| i + 1);
        self.digits.truncate(kept);
        if self.digits.is_empty() {
            self.point = 0;
        }
    }

    /// Keeps `n` digits, rounding half to even.
    pub fn round(&mut self, n: usize) {
        if n >= self.digits.len() {
            return;
        }
        let half = self.digits[n] == b'5' && n + 1 == self.digits.len();
        let up = if half { n > 0 && (self.digits[n - 1] - b'0') % 2 == 1 } else { self.digits[n] >= b'5' };
        self.cut(n, up);
    }

    /// Without an exponent, with `places` digits after the decimal point.
    pub fn fixed(&self, places: usize) -> String {
        let mut out = String::new();
        match usize::try_from(self.point) {
            Ok(point) if point > 0 => (0..point).for_each(|i| out.push(self.at(i) as char)),
            _ => out.push('0'),
        }
        if places > 0 {
            out.push('.');
            for i in 0..i64::try_from(places).unwrap_or(0) {
                let digit = usize::try_from(self.point + i).map_or(b'0', |i| self.at(i));
                out.push(digit as char);
            }
        }
        out
    }

    /// With an exponent of at least two digits and `places` digits after the decimal point.
    pub fn scientific(&self, places: usize, e: char) -> String {
        let mut out = String::from(self.at(0) as char);
        if places > 0 {
            out.push('.');
            (1..=places).for_each(|i| out.push(self.at(i) as char));
        }
        let exponent = if self.digits.is_empty() { 0 } else { self.point - 1 };
        out.push(e);
        out.push(if exponent < 0 { '-' } else { '+' });
        out.push_str(&format!("{:02}", exponent.abs()));
        out
    }

    /// How many digits after the point show the value wholly, without an exponent.
    pub fn places(&self) -> usize {
        usize::try_from(i64::try_from(self.digits.len()).unwrap_or(0) - self.point).unwrap_or(0)
    }
}

impl Number {
    /// The number of a decimal literal such as `12`, `-0.1` or `1e6`. `None` where it is no number, or one too large
    /// or too small to keep.
    pub fn parse(text: &str) -> Option<Number> {
        if text.len() < 19
            && text.as_bytes().last().is_some_and(u8::is_ascii_digit)
            && !text.starts_with(['-', '+'])
            && let Ok(n) = text.parse::<i64>()
        {
            return Some(Number::Int(n));
        }
        let (negative, rest) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let (body, exponent) = match rest.split_once(['e', 'E']) {
            Some((body, e)) => {
                let digits = e.strip_prefix(['-', '+']).unwrap_or(e);
                if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
                    return None;
                }
                (body, e.parse::<i64>().ok()?)
            }
            None => (rest, 0),
        };
        let (whole, fraction) = body.split_once('.').unwrap_or((body, ""));
        if whole.len() + fraction.len() == 0
            || whole.len() + fraction.len() > 20_000
            || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit())
        {
            return None;
        }
        let all = if fraction.is_empty() { whole.to_owned() } else { format!("{whole}{fraction}") };
        let mantissa = UBig::from_str_radix(&all, 10).ok()?;
        let tens = exponent.checked_sub(i64::try_from(fraction.len()).ok()?)?;
        if mantissa.is_zero() {
            let zero = Float { infinite: false, negative, mantissa, exponent: 0, precision: PRECISION };
            return Some(Number::from_float(zero));
        }
        let power = usize::try_from(tens.unsigned_abs()).ok().filter(|&p| p <= 12_000)?;
        let float = if tens >= 0 {
            Float::rounded(negative, mantissa * UBig::from(5u8).pow(power), tens, PRECISION, false)?
        } else {
            quotient(negative, &mantissa, 0, &UBig::from(5u8).pow(power), -tens, PRECISION)?
        };
        Some(Number::from_float(float))
    }

    /// A whole number as Terraform's functions return it: of 64 bits of precision, which shows only in what a
    /// division of two such numbers gives.
    pub fn machine(n: i64) -> Number {
        Number::Big(Arc::new(Float::from_int(n, 64)))
    }

    /// A number of a whole number of any size in decimal or another base up to 36, as `parseint` reads it.
    pub fn from_digits(text: &str, base: u32) -> Option<Number> {
        let (negative, digits) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        if digits.is_empty() || digits.len() > 10_000 || !digits.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return None;
        }
        let mantissa = UBig::from_str_radix(digits, base).ok()?;
        let precision = u32::try_from(mantissa.bit_len()).ok()?.clamp(64, PRECISION);
        Some(Number::from_float(Float::rounded(negative, mantissa, 0, precision, false)?))
    }

    /// A 64-bit float as Terraform's functions return it, with its 53 bits of precision. `None` for infinities and
    /// for what is no number.
    pub fn from_f64(f: f64) -> Option<Number> {
        if !f.is_finite() {
            return None;
        }
        let bits = f.to_bits();
        let raw = i64::try_from((bits >> 52) & 0x7ff).ok()?;
        let fraction = bits & ((1 << 52) - 1);
        let (mantissa, exponent) = if raw == 0 { (fraction, -1074) } else { (fraction | 1 << 52, raw - 1075) };
        let float = Float::rounded(f.is_sign_negative(), UBig::from(mantissa), exponent, 53, false)?;
        Some(Number::Big(Arc::new(float)))
    }

    /// Zero with a sign.
    fn zero(negative: bool, precision: u32) -> Number {
        Number::from_float(Float { infinite: false, negative, mantissa: UBig::ZERO, exponent: 0, precision })
    }

    fn from_float(float: Float) -> Number {
        if float.precision == PRECISION
            && !float.infinite
            && float.exponent >= 0
            && float.top() <= 63
            && !(float.negative && float.mantissa.is_zero())
            && let Ok(n) = i64::try_from(float.whole())
        {
            return Number::Int(if float.negative { -n } else { n });
        }
        Number::Big(Arc::new(float))
    }

    fn float(&self) -> std::borrow::Cow<'_, Float> {
        match self {
            Number::Int(n) => std::borrow::Cow::Owned(Float::from_int(*n, PRECISION)),
            Number::Big(b) => std::borrow::Cow::Borrowed(b),
        }
    }

    /// The whole number, where it is one and fits.
    pub fn to_i64(&self) -> Option<i64> {
        match self {
            Number::Int(n) => Some(*n),
            Number::Big(f) if f.is_whole() && f.top() <= 64 => {
                let n = i128::try_from(f.whole()).ok()?;
                i64::try_from(if f.negative { -n } else { n }).ok()
            }
            Number::Big(_) => None,
        }
    }

    /// The nearest 64-bit float; infinite where it is too large for one.
    pub fn to_f64(&self) -> f64 {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "the nearest float is what is asked for")]
            Number::Int(n) => *n as f64,
            Number::Big(f) => {
                if f.infinite {
                    return if f.negative { f64::NEG_INFINITY } else { f64::INFINITY };
                }
                let top = f.top();
                // Numbers below 2^-1021 have fewer than 53 bits in a 64-bit float.
                let bits = u32::try_from((top + 1074).clamp(0, 53)).unwrap_or(0);
                let magnitude = if f.mantissa.is_zero() || (bits == 0 && top < -1074) {
                    0.0
                } else if bits == 0 {
                    // Between a half and one times the smallest float: a tie goes to the even zero.
                    if f.mantissa.is_one() { 0.0 } else { f64::from_bits(1) }
                } else {
                    Float::rounded(false, f.mantissa.clone(), f.exponent, bits, false).map_or(f64::INFINITY, |r| {
                        let mantissa = u64::try_from(&r.mantissa).unwrap_or(0);
                        #[expect(clippy::cast_precision_loss, reason = "at most 53 bits")]
                        let mut value = mantissa as f64;
                        let mut exponent = r.exponent;
                        if r.top() > 1024 {
                            return f64::INFINITY;
                        }
                        while exponent > 0 {
                            let step = exponent.min(1000);
                            value *= 2f64.powi(i32::try_from(step).unwrap_or(0));
                            exponent -= step;
                        }
                        while exponent < 0 {
                            let step = (-exponent).min(1000);
                            value /= 2f64.powi(i32::try_from(step).unwrap_or(0));
                            exponent += step;
                        }
                        value
                    })
                };
                if f.negative { -magnitude } else { magnitude }
            }
        }
    }

    /// As a JSON number: exact where 64 bits hold it, otherwise the nearest 64-bit float; beyond those as text,
    /// and infinity as null.
    pub fn to_json(&self) -> serde_json::Value {
        if let Some(n) = self.to_i64() {
            return n.into();
        }
        match serde_json::Number::from_f64(self.to_f64()) {
            Some(number) => number.into(),
            None if self.is_infinite() => serde_json::Value::Null,
            None => self.to_string().into(),
        }
    }

    /// Whether it is negative; minus zero is.
    pub fn is_negative(&self) -> bool {
        match self {
            Number::Int(n) => *n < 0,
            Number::Big(f) => f.negative,
        }
    }

    /// Whether it is zero, of either sign.
    pub fn is_zero(&self) -> bool {
        match self {
            Number::Int(n) => *n == 0,
            Number::Big(f) => f.mantissa.is_zero(),
        }
    }

    /// The infinite number of a sign, as Terraform has it for `1/0`.
    pub fn infinity(negative: bool) -> Number {
        Number::Big(Arc::new(Float::infinity(negative)))
    }

    /// Whether it is infinite.
    pub fn is_infinite(&self) -> bool {
        matches!(self, Number::Big(f) if f.infinite)
    }

    /// Whether it has no fraction. An infinite number is not whole.
    pub fn is_whole(&self) -> bool {
        match self {
            Number::Int(_) => true,
            Number::Big(f) => f.is_whole(),
        }
    }

    /// The sum. `None` where it is too large or too small to keep, as for the other operations.
    pub fn add(&self, other: &Number) -> Option<Number> {
        if let (Number::Int(a), Number::Int(b)) = (self, other)
            && let Some(sum) = a.checked_add(*b)
        {
            return Some(Number::Int(sum));
        }
        let (a, b) = (self.float(), other.float());
        if a.infinite || b.infinite {
            // Opposite infinities have no sum.
            let clash = a.infinite && b.infinite && a.negative != b.negative;
            return (!clash).then(|| Number::infinity(if a.infinite { a.negative } else { b.negative }));
        }
        let precision = a.precision.max(b.precision);
        if a.mantissa.is_zero() && b.mantissa.is_zero() {
            let negative = a.negative && b.negative;
            return Some(Number::zero(negative, precision));
        }
        let low = if a.mantissa.is_zero() {
            b.exponent
        } else if b.mantissa.is_zero() {
            a.exponent
        } else {
            a.exponent.min(b.exponent)
        };
        let (x, y) = (a.aligned(low), b.aligned(low));
        let (negative, mantissa) = if a.negative == b.negative {
            (a.negative, x + y)
        } else {
            match x.cmp(&y) {
                Ordering::Greater => (a.negative, x - y),
                Ordering::Less => (b.negative, y - x),
                Ordering::Equal => (false, UBig::ZERO),
            }
        };
        Some(Number::from_float(Float::rounded(negative, mantissa, low, precision, false)?))
    }

    /// The difference.
    pub fn sub(&self, other: &Number) -> Option<Number> {
        if let (Number::Int(a), Number::Int(b)) = (self, other)
            && let Some(difference) = a.checked_sub(*b)
        {
            return Some(Number::Int(difference));
        }
        self.add(&other.neg())
    }

    /// The product.
    pub fn mul(&self, other: &Number) -> Option<Number> {
        if let (Number::Int(a), Number::Int(b)) = (self, other)
            && *a != 0
            && *b != 0
            && let Some(product) = a.checked_mul(*b)
        {
            return Some(Number::Int(product));
        }
        let (a, b) = (self.float(), other.float());
        let negative = a.negative != b.negative;
        if a.infinite || b.infinite {
            return (!a.mantissa.is_zero() && !b.mantissa.is_zero()).then(|| Number::infinity(negative));
        }
        let exact = Float::rounded(negative, &a.mantissa * &b.mantissa, a.exponent + b.exponent, PRECISION, false)?;
        // As precise as the operands, or as much more as the product needs.
        let needed = u32::try_from(exact.mantissa.bit_len()).ok()?;
        Some(Number::from_float(Float { precision: a.precision.max(b.precision).max(needed), ..exact }))
    }

    /// The quotient. A division by zero gives an infinite number; `None` where it has no value, as `0/0`.
    pub fn div(&self, other: &Number) -> Option<Number> {
        if let (Number::Int(a), Number::Int(b)) = (self, other)
            && *a != 0
            && *b != 0
            && a.checked_rem(*b) == Some(0)
        {
            return a.checked_div(*b).map(Number::Int);
        }
        let (a, b) = (self.float(), other.float());
        let precision = a.precision.max(b.precision);
        let negative = a.negative != b.negative;
        if a.infinite || b.mantissa.is_zero() {
            return (!b.infinite && !a.mantissa.is_zero()).then(|| Number::infinity(negative));
        }
        if b.infinite {
            return Some(Number::zero(negative, precision));
        }
        Some(Number::from_float(quotient(negative, &a.mantissa, a.exponent, &b.mantissa, b.exponent, precision)?))
    }

    /// The remainder, of the sign of `self`; `self` where `other` is zero, as Terraform has it.
    pub fn rem(&self, other: &Number) -> Option<Number> {
        if let (Number::Int(a), Number::Int(b)) = (self, other)
            && *b != 0
        {
            return a.checked_rem(*b).map(Number::Int);
        }
        if other.is_zero() {
            return Some(self.clone());
        }
        if self.is_infinite() || other.is_infinite() {
            return self.mul(other);
        }
        self.sub(&other.mul(&self.div(other)?.truncate())?)
    }

    /// The number with the other sign; minus zero is kept apart from zero.
    pub fn neg(&self) -> Number {
        match self {
            Number::Int(n) if *n != 0 && *n != i64::MIN => Number::Int(-n),
            _ => {
                let float = self.float().into_owned();
                Number::from_float(Float { negative: !float.negative, ..float })
            }
        }
    }

    /// The magnitude.
    pub fn abs(&self) -> Number {
        if self.is_negative() { self.neg() } else { self.clone() }
    }

    /// The whole part, toward zero.
    pub fn truncate(&self) -> Number {
        match self {
            Number::Int(_) => self.clone(),
            Number::Big(f) if f.infinite || f.is_whole() => self.clone(),
            Number::Big(f) => {
                let whole = Float::rounded(f.negative, f.whole(), 0, PRECISION, false);
                Number::from_float(whole.unwrap_or_else(|| Float::from_int(0, PRECISION)))
            }
        }
    }

    /// The whole number below, or this one.
    pub fn floor(&self) -> Option<Number> {
        let truncated = self.truncate();
        if self.is_negative() && !self.is_whole() { truncated.sub(&Number::Int(1)) } else { Some(truncated) }
    }

    /// The whole number above, or this one.
    pub fn ceil(&self) -> Option<Number> {
        let truncated = self.truncate();
        if !self.is_negative() && !self.is_whole() { truncated.add(&Number::Int(1)) } else { Some(truncated) }
    }

    /// The digits of the magnitude, all of them.
    pub fn decimal(&self) -> Decimal {
        let float = self.float();
        Decimal::exact(&float.mantissa, float.exponent)
    }

    /// The fewest digits of the magnitude that name this number among those of its precision.
    pub fn shortest(&self) -> Decimal {
        let float = self.float();
        let mut decimal = Decimal::exact(&float.mantissa, float.exponent);
        if decimal.digits.is_empty() {
            return decimal;
        }
        let precision = i64::from(float.precision);
        if float.is_whole() && float.top() <= precision {
            return decimal;
        }
        // Half a unit in the last place on either side, as whole numbers.
        let exponent = float.top() - (precision + 1);
        let mantissa = float.aligned(exponent);
        let inclusive = !mantissa.bit(1);
        let lower = Decimal::exact(&(&mantissa - UBig::ONE), exponent);
        let upper = Decimal::exact(&(&mantissa + UBig::ONE), exponent);
        for i in 0..decimal.digits.len() {
            let (l, m, u) = (lower.at(i), decimal.digits[i], upper.at(i));
            let down = l != m || (inclusive && i + 1 == lower.digits.len());
            let up = m != u && (inclusive || m + 1 < u || i + 1 < upper.digits.len());
            match (down, up) {
                (true, true) => decimal.round(i + 1),
                (true, false) => decimal.cut(i + 1, false),
                (false, true) => decimal.cut(i + 1, true),
                (false, false) => continue,
            }
            break;
        }
        decimal
    }

    /// The magnitude of a whole number in base 2, 8 or 16.
    pub fn to_radix(&self, base: u8) -> String {
        self.float().whole().in_radix(base).to_string()
    }
}

/// `a × 2^ae / (b × 2^be)`, rounded once.
fn quotient(negative: bool, a: &UBig, ae: i64, b: &UBig, be: i64, precision: u32) -> Option<Float> {
    if a.is_zero() {
        return Some(Float { infinite: false, negative, mantissa: UBig::ZERO, exponent: 0, precision });
    }
    // Enough bits that the quotient has at least two more than are kept.
    let shift = (precision as usize + 2 + b.bit_len()).saturating_sub(a.bit_len());
    let (q, r) = dashu_int::ops::DivRem::div_rem(a << shift, b);
    Float::rounded(negative, q, ae - be - i64::try_from(shift).ok()?, precision, !r.is_zero())
}

impl From<i64> for Number {
    fn from(n: i64) -> Number {
        Number::Int(n)
    }
}

/// Whole floats that fit become whole numbers; what is not finite becomes zero.
impl From<f64> for Number {
    fn from(f: f64) -> Number {
        let number = Number::from_f64(f).unwrap_or(Number::Int(0));
        number.to_i64().map_or(number, Number::Int)
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
        if let (Number::Int(a), Number::Int(b)) = (self, other) {
            return a.cmp(b);
        }
        let (a, b) = (self.float(), other.float());
        let sign = |f: &Float| i8::from(!f.mantissa.is_zero()) * if f.negative { -1 } else { 1 };
        sign(&a).cmp(&sign(&b)).then_with(|| {
            let magnitude = a.cmp_magnitude(&b);
            if a.negative { magnitude.reverse() } else { magnitude }
        })
    }
}

/// Prints as Terraform converts a number to a string: no exponent, as many digits as the value needs.
impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Number::Int(n) => write!(f, "{n}"),
            Number::Big(float) => {
                if float.infinite {
                    return f.write_str(if float.negative { "-Inf" } else { "+Inf" });
                }
                if float.negative {
                    f.write_str("-")?;
                }
                let decimal = self.shortest();
                f.write_str(&decimal.fixed(decimal.places()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn n(text: &str) -> Number {
        Number::parse(text).unwrap()
    }

    #[test]
    fn prints_what_was_written() {
        for text in
            ["0", "1", "-1", "0.1", "123.456", "-0", "9223372036854775808", "0.000001", "1000000000000000000000000"]
        {
            assert_eq!(n(text).to_string(), text);
        }
        for (text, printed) in [("1e3", "1000"), ("1.50", "1.5"), ("2.5E-1", "0.25"), ("00.10", "0.1"), ("1e0", "1")] {
            assert_eq!(n(text).to_string(), printed);
        }
        for text in ["", "-", "1e", "e1", "0x10", "1_000", "inf", "NaN", "1.2.3", " 1", "1e99999999"] {
            assert!(Number::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn computes_in_512_bits() {
        assert_eq!(n("0.1").add(&n("0.2")).unwrap(), n("0.3"));
        let third = n("1").div(&n("3")).unwrap().to_string();
        assert!(third.starts_with("0.3333") && third.ends_with("3335") && third.len() == 157, "{third}");
        assert_eq!(Number::machine(2).div(&Number::machine(3)).unwrap().to_string(), "0.6666666666666666667");
        assert_eq!(n("5").rem(&n("0")).unwrap(), n("5"));
        assert_eq!(n("-5").rem(&n("3")).unwrap(), n("-2"));
        assert_eq!(n("5").rem(&n("-3.5")).unwrap(), n("1.5"));
        assert!(n("5.5").rem(&n("0.3")).unwrap().to_string().ends_with("99999988"));
        assert_eq!(n("9223372036854775807").add(&n("1")).unwrap().to_string(), "9223372036854775808");
        assert!(n("0").div(&n("0")).is_none());
    }

    #[test]
    fn keeps_the_sign_of_zero() {
        assert_eq!(n("0").neg().to_string(), "-0");
        assert_eq!(n("0").neg(), n("0"));
        assert_eq!(n("0").neg().neg().to_string(), "0");
        assert_eq!(n("-1").mul(&n("0")).unwrap().to_string(), "-0");
    }

    #[test]
    fn reaches_infinity() {
        let (plus, minus) = (n("1").div(&n("0")).unwrap(), n("-1").div(&n("0")).unwrap());
        assert_eq!((plus.to_string(), minus.to_string()), ("+Inf".to_owned(), "-Inf".to_owned()));
        assert!(plus > n("1e300") && minus < n("-1e300") && plus == n("2").div(&n("0")).unwrap());
        assert!(plus.add(&minus).is_none() && plus.mul(&n("0")).is_none() && plus.div(&plus).is_none());
        assert!(n("5").div(&plus).unwrap().is_zero());
        assert_eq!(plus.to_json(), serde_json::Value::Null);
    }

    #[test]
    fn rounds_to_whole_numbers() {
        for (text, floor, ceil) in [("1.5", "1", "2"), ("-1.5", "-2", "-1"), ("3", "3", "3"), ("-0.5", "-1", "-0")] {
            assert_eq!(n(text).floor().unwrap().to_string(), floor);
            assert_eq!(n(text).ceil().unwrap().to_string(), ceil);
        }
    }

    #[test]
    fn goes_through_floats() {
        for f in [0.1, 1e300, 5e-324, -2.5, 1.0 / 3.0, f64::MAX, f64::MIN_POSITIVE, 3e-310] {
            let number = Number::from_f64(f).unwrap();
            assert_eq!(number.to_f64().to_bits(), f.to_bits());
            assert_eq!(number.to_string().parse::<f64>().unwrap().to_bits(), f.to_bits());
            assert_eq!(n(&number.to_string()).to_f64().to_bits(), f.to_bits());
        }
        assert_eq!(Number::from_f64(0.1).unwrap().to_string(), "0.1");
        assert!(n("1e400").to_f64().is_infinite());
    }

    #[test]
    fn orders_by_value() {
        let mut numbers = [n("10"), n("-1"), n("0.5"), n("1e30"), n("-1e30"), n("9")];
        numbers.sort();
        let shown: Vec<String> = numbers.iter().map(ToString::to_string).collect();
        assert_eq!(shown.join(" "), format!("-1{0} -1 0.5 9 10 1{0}", "0".repeat(30)));
    }

    #[test]
    fn writes_in_other_forms() {
        let mut d = n("2.5").decimal();
        d.round(1);
        assert_eq!(d.fixed(0), "2");
        assert_eq!(n("1234.5").decimal().scientific(4, 'e'), "1.2345e+03");
        assert_eq!(n("255").to_radix(16), "ff");
        assert_eq!(Number::from_digits("-ff", 16).unwrap().to_string(), "-255");
    }
}
