//! Times: RFC 3339 timestamps, Terraform's date formats, Go's durations.

use super::{FnCall, FnError, FnResult, fail_arg, fail_unknown};
use crate::formats::golang::{DAYS, MONTHS};
use crate::formats::terraform::eval::Val;
use crate::graph::CauseKind;

/// A moment and the zone it is written in.
#[derive(Clone, Copy)]
struct Time {
    /// Seconds since 1970 in UTC.
    seconds: i64,
    nanos: u32,
    /// Seconds east of UTC.
    offset: i64,
    /// Whether the zone was written `Z`.
    utc: bool,
}

struct Civil {
    year: i64,
    month: u32,
    day: u32,
    hour: u32,
    minute: u32,
    second: u32,
    weekday: usize,
}

/// Days since 1970 of a date, in the proleptic Gregorian calendar.
fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let m = i64::from(month);
    let doy = (153 * (m + if m > 2 { -3 } else { 9 }) + 2) / 5 + i64::from(day) - 1;
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    era * 146_097 + doe - 719_468
}

fn days_in_month(year: i64, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl Time {
    /// RFC 3339, as strict as Terraform.
    fn parse(text: &str) -> Result<Time, String> {
        let wrong = |what: &str| format!("{text:?} is no RFC 3339 timestamp: {what}");
        let bytes = text.as_bytes();
        let digits = |from: usize, count: usize, what: &str| -> Result<u32, String> {
            let part = text.get(from..from + count).filter(|p| p.bytes().all(|b| b.is_ascii_digit()));
            part.and_then(|p| p.parse().ok()).ok_or_else(|| wrong(what))
        };
        let sign = |at: usize, c: u8, what: &str| if bytes.get(at) == Some(&c) { Ok(()) } else { Err(wrong(what)) };
        let year = i64::from(digits(0, 4, "the year")?);
        sign(4, b'-', "a dash after the year")?;
        let month = digits(5, 2, "the month")?;
        sign(7, b'-', "a dash after the month")?;
        let day = digits(8, 2, "the day")?;
        sign(10, b'T', "a T before the time")?;
        let hour = digits(11, 2, "the hour")?;
        sign(13, b':', "a colon after the hour")?;
        let minute = digits(14, 2, "the minute")?;
        sign(16, b':', "a colon after the minute")?;
        let second = digits(17, 2, "the second")?;
        if !(1..=12).contains(&month) || day < 1 || day > days_in_month(year, month) {
            return Err(wrong("there is no such day"));
        }
        if hour > 23 || minute > 59 || second > 59 {
            return Err(wrong("there is no such time"));
        }
        let mut at = 19;
        let mut nanos = 0;
        if matches!(bytes.get(at), Some(b'.' | b',')) {
            let end = (at + 1..bytes.len()).find(|&i| !bytes[i].is_ascii_digit()).unwrap_or(bytes.len());
            let fraction = text.get(at + 1..end).unwrap_or_default();
            if fraction.is_empty() {
                return Err(wrong("digits after the point"));
            }
            let padded: String = fraction.chars().chain(std::iter::repeat('0')).take(9).collect();
            nanos = padded.parse().unwrap_or(0);
            at = end;
        }
        let rest = text.get(at..).unwrap_or_default();
        let (offset, utc) = match rest.as_bytes() {
            b"Z" => (0, true),
            [s @ (b'+' | b'-'), _, _, b':', _, _] => {
                let (h, m) = (digits(at + 1, 2, "the zone")?, digits(at + 4, 2, "the zone")?);
                if h > 24 || m > 60 {
                    return Err(wrong("there is no such zone"));
                }
                let offset = i64::from(h) * 3600 + i64::from(m) * 60;
                (if *s == b'-' { -offset } else { offset }, false)
            }
            _ => return Err(wrong("the zone, Z or +hh:mm")),
        };
        let days = days_from_civil(year, month, day);
        let clock = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
        Ok(Time { seconds: days * 86_400 + clock - offset, nanos, offset, utc })
    }

    fn civil(&self) -> Civil {
        let local = self.seconds + self.offset;
        let (days, clock) = (local.div_euclid(86_400), local.rem_euclid(86_400));
        let z = days + 719_468;
        let era = z.div_euclid(146_097);
        let doe = z.rem_euclid(146_097);
        let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let month = if mp < 10 { mp + 3 } else { mp - 9 };
        let small = |n: i64| u32::try_from(n).unwrap_or(0);
        Civil {
            year: yoe + era * 400 + i64::from(month <= 2),
            month: small(month),
            day: small(doy - (153 * mp + 2) / 5 + 1),
            hour: small(clock / 3600),
            minute: small(clock / 60 % 60),
            second: small(clock % 60),
            weekday: usize::try_from((days + 4).rem_euclid(7)).unwrap_or(0),
        }
    }

    /// The zone as `+hh:mm`, with or without the colon.
    fn zone(&self, colon: &str) -> String {
        let minutes = self.offset.abs() / 60;
        format!("{}{:02}{colon}{:02}", if self.offset < 0 { '-' } else { '+' }, minutes / 60, minutes % 60)
    }
}

fn argument(call: &FnCall<'_, '_>, i: usize) -> Result<Time, FnError> {
    Time::parse(call.text(i)).or_else(|e| fail_arg(i, e))
}

pub fn formatdate(call: &FnCall<'_, '_>) -> FnResult {
    let time = argument(call, 1)?;
    let civil = time.civil();
    let format = call.text(0);
    let mut out = String::new();
    let mut rest = format;
    while let Some(c) = rest.chars().next() {
        // Two quotes are one, also where no quoted text has begun.
        if let Some(after) = rest.strip_prefix("''") {
            out.push('\'');
            rest = after;
            continue;
        }
        if c == '\'' {
            rest = quoted(&rest[1..], &mut out)?;
            continue;
        }
        let len = rest.len() - rest.trim_start_matches(c).len();
        let (token, after) = rest.split_at(len);
        rest = after;
        if !c.is_ascii_alphabetic() {
            out.push_str(token);
            continue;
        }
        let month = MONTHS.get(civil.month.saturating_sub(1) as usize).copied().unwrap_or_default();
        let day = DAYS.get(civil.weekday).copied().unwrap_or_default();
        let twelve = if civil.hour % 12 == 0 { 12 } else { civil.hour % 12 };
        let half = if civil.hour < 12 { "AM" } else { "PM" };
        let text = match token {
            "YYYY" => format!("{:04}", civil.year),
            "YY" => format!("{:02}", civil.year % 100),
            "MMMM" => month.to_owned(),
            "MMM" => month[..3].to_owned(),
            "MM" => format!("{:02}", civil.month),
            "M" => civil.month.to_string(),
            "DD" => format!("{:02}", civil.day),
            "D" => civil.day.to_string(),
            "EEEE" => day.to_owned(),
            "EEE" => day[..3].to_owned(),
            "hh" => format!("{:02}", civil.hour),
            "h" => civil.hour.to_string(),
            "HH" => format!("{twelve:02}"),
            "H" => twelve.to_string(),
            "AA" => half.to_owned(),
            "aa" => half.to_ascii_lowercase(),
            "mm" => format!("{:02}", civil.minute),
            "m" => civil.minute.to_string(),
            "ss" => format!("{:02}", civil.second),
            "s" => civil.second.to_string(),
            "ZZZZZ" => time.zone(":"),
            "ZZZZ" => time.zone(""),
            "ZZZ" if time.offset == 0 => "UTC".to_owned(),
            "ZZZ" => time.zone(""),
            "Z" if time.offset == 0 => "Z".to_owned(),
            "Z" => time.zone(":"),
            _ => {
                return fail_arg(0, format!("{token:?} has no meaning in a date format; text stands in single quotes"));
            }
        };
        out.push_str(&text);
    }
    Ok(Val::string(out))
}

/// Text in single quotes, in which two of them stand for one.
fn quoted<'t>(text: &'t str, out: &mut String) -> Result<&'t str, FnError> {
    let mut rest = text;
    loop {
        let Some(end) = rest.find('\'') else {
            return fail_arg(0, "a single quote is not closed");
        };
        out.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('\'') {
            Some(after) => {
                out.push('\'');
                rest = after;
            }
            None => return Ok(rest),
        }
    }
}

/// A duration as Go writes it, such as `-1h30m` or `1.5s`, in nanoseconds.
fn duration(text: &str) -> Option<i128> {
    let (negative, mut rest) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total: i128 = 0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') || whole.len() > 18 {
            return None;
        }
        let unit_end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        let scale: i128 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return None,
        };
        let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        total = total.checked_add(whole.checked_mul(scale)?)?;
        let mut unit_part = scale;
        let mut part: i128 = 0;
        for digit in fraction.bytes().take(18) {
            part = part * 10 + i128::from(digit - b'0');
            unit_part *= 10;
        }
        if unit_part > scale {
            total = total.checked_add(part * scale / (unit_part / scale))?;
        }
        rest = after;
    }
    // Go's durations have 64 bits.
    if total > i128::from(i64::MAX) + i128::from(negative) {
        return None;
    }
    Some(if negative { -total } else { total })
}

pub fn timeadd(call: &FnCall<'_, '_>) -> FnResult {
    let time = argument(call, 0)?;
    let Some(add) = duration(call.text(1)) else {
        return fail_arg(1, format!("{:?} is no duration such as 1h30m", call.text(1)));
    };
    let nanos = i128::from(time.seconds) * 1_000_000_000 + i128::from(time.nanos) + add;
    let seconds = i64::try_from(nanos.div_euclid(1_000_000_000)).unwrap_or(0);
    let nanos = u32::try_from(nanos.rem_euclid(1_000_000_000)).unwrap_or(0);
    let moved = Time { seconds, nanos, ..time };
    let c = moved.civil();
    let zone = if moved.utc || moved.offset == 0 { "Z".to_owned() } else { moved.zone(":") };
    let date = format!("{:04}-{:02}-{:02}", c.year, c.month, c.day);
    Ok(Val::string(format!("{date}T{:02}:{:02}:{:02}{zone}", c.hour, c.minute, c.second)))
}

pub fn timecmp(call: &FnCall<'_, '_>) -> FnResult {
    let (a, b) = (argument(call, 0)?, argument(call, 1)?);
    Ok(Val::number(match (a.seconds, a.nanos).cmp(&(b.seconds, b.nanos)) {
        std::cmp::Ordering::Less => -1,
        std::cmp::Ordering::Equal => 0,
        std::cmp::Ordering::Greater => 1,
    }))
}

pub fn timestamp(_: &FnCall<'_, '_>) -> FnResult {
    fail_unknown(CauseKind::External, "the time of the apply")
}

pub fn plantimestamp(_: &FnCall<'_, '_>) -> FnResult {
    fail_unknown(CauseKind::External, "the time of the plan")
}
