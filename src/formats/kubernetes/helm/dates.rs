//! Times and durations. The current time is not known: it is the epoch, marked as unknown.

use super::exec::{Engine, Executed, Failure};
use super::functions::Row;
use super::value::{Data, IntType, Object, Value};
use crate::formats::golang::{DAYS, MONTHS};
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp, Zoned};

/// The table of this file.
pub const ROWS: &[Row] = &[
    ("now", "", |e, _| Ok(now(e))),
    ("date", "sa", |e, a| date(e, a, None, 1)),
    ("dateInZone", "sas", |e, a| date(e, a, Some(2), 1)),
    ("date_in_zone", "sas", |e, a| date(e, a, Some(2), 1)),
    ("htmlDate", "a", |e, a| {
        let time = time_of(e, a.first());
        Ok(Value::from(format_time(&time, "2006-01-02")))
    }),
    ("htmlDateInZone", "as", |e, a| {
        let time = in_zone(time_of(e, a.first()), a.get(1).and_then(Value::as_str));
        Ok(Value::from(format_time(&time, "2006-01-02")))
    }),
    ("dateModify", "sa", |_, a| modify(a, false)),
    ("date_modify", "sa", |_, a| modify(a, false)),
    ("mustDateModify", "sa", |_, a| modify(a, true)),
    ("must_date_modify", "sa", |_, a| modify(a, true)),
    ("toDate", "ss", |_, a| {
        let (layout, text) =
            (a.first().and_then(Value::as_str).unwrap_or(""), a.get(1).and_then(Value::as_str).unwrap_or(""));
        Ok(Object::Time(parse_time(layout, text).unwrap_or_else(zero_time)).into())
    }),
    ("mustToDate", "ss", |_, a| {
        let (layout, text) =
            (a.first().and_then(Value::as_str).unwrap_or(""), a.get(1).and_then(Value::as_str).unwrap_or(""));
        let time = parse_time(layout, text)
            .ok_or_else(|| Failure::new(format!("parsing time {text:?} as {layout:?}: cannot parse")))?;
        Ok(Object::Time(time).into())
    }),
    ("unixEpoch", "a", |e, a| {
        let time = time_of(e, a.first());
        Ok(time.timestamp().as_second().to_string().into())
    }),
    ("ago", "a", |e, a| {
        let place = e.unknown("ago depends on the time of the installation");
        let _ = a;
        Ok(Value::from("0s").at(place))
    }),
    ("duration", "a", |_, a| {
        let seconds = match a.first().map(|v| &v.data) {
            Some(Data::String(text)) => text.s.parse().unwrap_or(0),
            // A plain int is none of the types that sprig knows.
            Some(Data::Int(n, IntType::Int64)) => *n,
            _ => 0,
        };
        Ok(format_duration(seconds.saturating_mul(1_000_000_000)).into())
    }),
    ("durationRound", "a", |_, a| {
        let nanos = match a.first().map(|v| &v.data) {
            Some(Data::String(text)) => parse_duration(&text.s).unwrap_or(0),
            Some(Data::Int(n, _)) => *n,
            _ => 0,
        };
        Ok(round_duration(nanos).into())
    }),
];

fn now(engine: &mut Engine) -> Value {
    let place = engine.unknown("the time of the installation is not known");
    Value::from(Object::Time(Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC))).at(place)
}

fn zero_time() -> Zoned {
    DateTime::constant(1, 1, 1, 0, 0, 0, 0)
        .to_zoned(TimeZone::UTC)
        .unwrap_or_else(|_| Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC))
}

/// The time of an argument: a time, or seconds since the epoch; anything else is now.
fn time_of(engine: &mut Engine, value: Option<&Value>) -> Zoned {
    match value.map(|v| &v.data) {
        Some(Data::Object(object)) => {
            if let Object::Time(time) = &**object {
                return time.clone();
            }
        }
        Some(Data::Int(n, _)) => {
            if let Ok(time) = Timestamp::from_second(*n) {
                return time.to_zoned(TimeZone::UTC);
            }
        }
        _ => {}
    }
    let _ = engine.unknown("the time of the installation is not known");
    Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC)
}

fn in_zone(time: Zoned, zone: Option<&str>) -> Zoned {
    let zone = match zone {
        None | Some("" | "UTC" | "Local") => TimeZone::UTC,
        Some(name) => TimeZone::get(name).unwrap_or(TimeZone::UTC),
    };
    time.with_time_zone(zone)
}

fn date(engine: &mut Engine, a: &[Value], zone: Option<usize>, at: usize) -> Executed<Value> {
    let layout = a.first().and_then(Value::as_str).unwrap_or("").to_owned();
    let time = time_of(engine, a.get(at));
    let zone = zone.and_then(|i| a.get(i)).and_then(Value::as_str);
    Ok(Value::from(format_time(&in_zone(time, zone), &layout)))
}

fn modify(a: &[Value], must: bool) -> Executed<Value> {
    let text = a.first().and_then(Value::as_str).unwrap_or("");
    let value = a.get(1).cloned().unwrap_or_else(Value::nil);
    let Data::Object(object) = &value.data else {
        return Err(format!("wrong type for value; expected time.Time; got {}", value.type_name()).into());
    };
    let Object::Time(time) = &**object else {
        return Err(format!("wrong type for value; expected time.Time; got {}", value.type_name()).into());
    };
    match parse_duration(text) {
        None if must => Err(format!("time: invalid duration {text:?}").into()),
        None => Ok(value.clone()),
        Some(nanos) => {
            let moved = time.checked_add(SignedDuration::from_nanos(nanos)).map_err(|e| Failure::new(e.to_string()))?;
            Ok(Value { place: value.place, ..Object::Time(moved).into() })
        }
    }
}

/// The methods of a time that templates call.
pub fn time_method(time: &Zoned, name: &str, arguments: &[Value]) -> Option<Value> {
    let number = |n: i64| Some(Value::int(n));
    match (name, arguments) {
        ("Year", []) => number(time.year().into()),
        ("Month", []) => Some(MONTHS.get(usize::try_from(time.month()).ok()? - 1).copied()?.into()),
        ("Day", []) => number(time.day().into()),
        ("Hour", []) => number(time.hour().into()),
        ("Minute", []) => number(time.minute().into()),
        ("Second", []) => number(time.second().into()),
        ("YearDay", []) => number(time.day_of_year().into()),
        ("Weekday", []) => Some(weekday(time).into()),
        ("Unix", []) => Some(Value::int64(time.timestamp().as_second())),
        ("UnixNano", []) => Some(Value::int64(i64::try_from(time.timestamp().as_nanosecond()).unwrap_or(0))),
        ("UnixMilli", []) => Some(Value::int64(time.timestamp().as_millisecond())),
        ("UTC", []) => Some(Object::Time(time.with_time_zone(TimeZone::UTC)).into()),
        ("Format", [layout]) => Some(format_time(time, layout.as_str()?).into()),
        ("String", []) => Some(format_time(time, "2006-01-02 15:04:05 -0700 MST").into()),
        ("IsZero", []) => Some((time.year() == 1 && time.day_of_year() == 1).into()),
        ("AddDate", [y, m, d]) => {
            let n = |v: &Value| if let Data::Int(n, _) = v.data { n } else { 0 };
            let span = jiff::Span::new().try_years(n(y)).ok()?.try_months(n(m)).ok()?.try_days(n(d)).ok()?;
            Some(Object::Time(time.checked_add(span).ok()?).into())
        }
        _ => None,
    }
}

fn weekday(time: &Zoned) -> &'static str {
    let i = usize::try_from(time.weekday().to_sunday_zero_offset()).unwrap_or(0);
    DAYS.get(i).copied().unwrap_or("Sunday")
}

fn short(name: &str) -> &str {
    name.get(..3).unwrap_or(name)
}

/// The elements of Go's layouts, longest first where one begins another.
const ELEMENTS: &[&str] = &[
    "January",
    "Jan",
    "Monday",
    "Mon",
    "MST",
    "2006",
    "-07:00:00",
    "-07:00",
    "-070000",
    "-0700",
    "-07",
    "Z07:00:00",
    "Z07:00",
    "Z070000",
    "Z0700",
    "Z07",
    "002",
    "01",
    "02",
    "03",
    "04",
    "05",
    "06",
    "15",
    "__2",
    "_2",
    "PM",
    "pm",
    "1",
    "2",
    "3",
    "4",
    "5",
];

/// A time in a layout of Go's.
pub fn format_time(time: &Zoned, layout: &str) -> String {
    let mut out = String::new();
    let mut rest = layout;
    while !rest.is_empty() {
        if let Some((fraction, after, drops)) = fraction(rest, out.ends_with(|c: char| c.is_ascii_digit())) {
            let digits = format!("{:09}", time.subsec_nanosecond());
            let digits = digits.get(..fraction.min(9)).unwrap_or("");
            let kept = if drops { digits.trim_end_matches('0') } else { digits };
            if !kept.is_empty() {
                out.push_str(rest.get(..1).unwrap_or("."));
                out.push_str(kept);
            }
            rest = after;
            continue;
        }
        let element = ELEMENTS.iter().find(|e| {
            rest.starts_with(**e)
                // "Jan" and "Mon" stand alone, not inside of a longer word such as "Month".
                && !(matches!(**e, "Jan" | "Mon") && rest.get(3..).and_then(|r| r.chars().next()).is_some_and(|c| c.is_ascii_lowercase()))
        });
        let Some(&element) = element else {
            let Some(c) = rest.chars().next() else { break };
            out.push(c);
            rest = rest.get(c.len_utf8()..).unwrap_or("");
            continue;
        };
        rest = rest.get(element.len()..).unwrap_or("");
        let month = MONTHS.get(usize::try_from(time.month()).unwrap_or(1) - 1).copied().unwrap_or("January");
        let hour12 = match time.hour() % 12 {
            0 => 12,
            h => h,
        };
        out.push_str(&match element {
            "January" => month.to_owned(),
            "Jan" => short(month).to_owned(),
            "Monday" => weekday(time).to_owned(),
            "Mon" => short(weekday(time)).to_owned(),
            "MST" => zone_name(time),
            "2006" => format!("{:04}", time.year()),
            "06" => format!("{:02}", time.year() % 100),
            "01" => format!("{:02}", time.month()),
            "1" => time.month().to_string(),
            "02" => format!("{:02}", time.day()),
            "_2" => format!("{:2}", time.day()),
            "2" => time.day().to_string(),
            "002" => format!("{:03}", time.day_of_year()),
            "__2" => format!("{:3}", time.day_of_year()),
            "15" => format!("{:02}", time.hour()),
            "03" => format!("{hour12:02}"),
            "3" => hour12.to_string(),
            "04" => format!("{:02}", time.minute()),
            "4" => time.minute().to_string(),
            "05" => format!("{:02}", time.second()),
            "5" => time.second().to_string(),
            "PM" => if time.hour() >= 12 { "PM" } else { "AM" }.to_owned(),
            "pm" => if time.hour() >= 12 { "pm" } else { "am" }.to_owned(),
            zone => zone_offset(time.offset(), zone),
        });
    }
    out
}

/// `.000` and `.999` after seconds: the number of digits, the rest of the layout, and whether final zeros are dropped.
fn fraction(rest: &str, after_digit: bool) -> Option<(usize, &str, bool)> {
    if !after_digit || !rest.starts_with(['.', ',']) {
        return None;
    }
    let body = rest.get(1..)?;
    let digit = body.chars().next().filter(|c| matches!(c, '0' | '9'))?;
    let count = body.chars().take_while(|c| *c == digit).count();
    let after = body.get(count..)?;
    (!after.starts_with(|c: char| c.is_ascii_digit())).then_some((count, after, digit == '9'))
}

fn zone_name(time: &Zoned) -> String {
    if time.offset() == Offset::UTC {
        return "UTC".to_owned();
    }
    time.time_zone().to_offset_info(time.timestamp()).abbreviation().to_owned()
}

fn zone_offset(offset: Offset, element: &str) -> String {
    let seconds = offset.seconds();
    if seconds == 0 && element.starts_with('Z') {
        return "Z".to_owned();
    }
    let sign = if seconds < 0 { '-' } else { '+' };
    let (h, m, s) = (seconds.abs() / 3600, seconds.abs() / 60 % 60, seconds.abs() % 60);
    match element.get(1..).unwrap_or("") {
        "07:00:00" => format!("{sign}{h:02}:{m:02}:{s:02}"),
        "07:00" => format!("{sign}{h:02}:{m:02}"),
        "070000" => format!("{sign}{h:02}{m:02}{s:02}"),
        "0700" => format!("{sign}{h:02}{m:02}"),
        _ => format!("{sign}{h:02}"),
    }
}

/// A time read by a layout of Go's.
fn parse_time(layout: &str, text: &str) -> Option<Zoned> {
    let (mut year, mut month, mut day, mut hour, mut minute, mut second, mut nanos) =
        (0i16, 1i8, 1i8, 0i8, 0i8, 0i8, 0i32);
    let mut pm = None;
    let mut offset = Offset::UTC;
    let (mut rest, mut value) = (layout, text);
    let take = |value: &mut &str, least: usize, most: usize| -> Option<i64> {
        let digits = value.bytes().take(most).take_while(u8::is_ascii_digit).count();
        if digits < least {
            return None;
        }
        let n = value.get(..digits)?.parse().ok()?;
        *value = value.get(digits..)?;
        Some(n)
    };
    while !rest.is_empty() {
        if let Some((_, after, _)) = fraction(rest, true) {
            rest = after;
            if let Some(body) = value.strip_prefix(['.', ',']) {
                let digits = body.bytes().take_while(u8::is_ascii_digit).count();
                nanos = format!("{:0<9}", body.get(..digits.min(9))?).parse().ok()?;
                value = body.get(digits..)?;
            }
            continue;
        }
        let Some(&element) = ELEMENTS.iter().find(|e| rest.starts_with(**e)) else {
            let c = rest.chars().next()?;
            value = value.strip_prefix(c)?;
            rest = rest.get(c.len_utf8()..)?;
            continue;
        };
        rest = rest.get(element.len()..)?;
        match element {
            "2006" => year = i16::try_from(take(&mut value, 4, 4)?).ok()?,
            "06" => {
                let n = i16::try_from(take(&mut value, 2, 2)?).ok()?;
                year = if n >= 69 { 1900 + n } else { 2000 + n };
            }
            "01" | "1" => month = i8::try_from(take(&mut value, element.len(), 2)?).ok()?,
            "02" | "2" | "_2" => {
                value = value.trim_start_matches(' ');
                day = i8::try_from(take(&mut value, if element == "02" { 2 } else { 1 }, 2)?).ok()?;
            }
            "15" | "03" | "3" => hour = i8::try_from(take(&mut value, if element == "3" { 1 } else { 2 }, 2)?).ok()?,
            "04" | "4" => minute = i8::try_from(take(&mut value, element.len(), 2)?).ok()?,
            "05" | "5" => {
                second = i8::try_from(take(&mut value, element.len(), 2)?).ok()?;
                // A fraction may follow even where the layout has none.
                if let Some(body) = value.strip_prefix('.').filter(|b| b.starts_with(|c: char| c.is_ascii_digit()))
                    && !rest.starts_with('.')
                {
                    let digits = body.bytes().take_while(u8::is_ascii_digit).count();
                    nanos = format!("{:0<9}", body.get(..digits.min(9))?).parse().ok()?;
                    value = body.get(digits..)?;
                }
            }
            "PM" | "pm" => {
                pm = Some(value.get(..2)?.eq_ignore_ascii_case("pm"));
                value = value.get(2..)?;
            }
            "January" | "Jan" => {
                let i = MONTHS.iter().position(|m| value.starts_with(if element == "Jan" { short(m) } else { m }))?;
                value = value.get(if element == "Jan" { 3 } else { MONTHS.get(i)?.len() }..)?;
                month = i8::try_from(i + 1).ok()?;
            }
            "Monday" | "Mon" => {
                let i = DAYS.iter().position(|d| value.starts_with(if element == "Mon" { short(d) } else { d }))?;
                value = value.get(if element == "Mon" { 3 } else { DAYS.get(i)?.len() }..)?;
            }
            "MST" => {
                let length = value.bytes().take_while(u8::is_ascii_uppercase).count();
                if length < 3 {
                    return None;
                }
                value = value.get(length..)?;
            }
            "002" | "__2" => return None,
            zone => {
                if let Some(after) = value.strip_prefix('Z').filter(|_| zone.starts_with('Z')) {
                    value = after;
                } else {
                    let sign = match value.chars().next()? {
                        '-' => -1,
                        '+' => 1,
                        _ => return None,
                    };
                    value = value.get(1..)?;
                    let hours = i32::try_from(take(&mut value, 2, 2)?).ok()?;
                    let mut minutes = 0;
                    if zone.contains("07:00") {
                        value = value.strip_prefix(':')?;
                    }
                    if zone.contains("00") {
                        minutes = i32::try_from(take(&mut value, 2, 2)?).ok()?;
                    }
                    offset = Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()?;
                }
            }
        }
    }
    if !value.is_empty() {
        return None;
    }
    match pm {
        Some(true) if hour < 12 => hour += 12,
        Some(false) if hour == 12 => hour = 0,
        _ => {}
    }
    let date = DateTime::new(year, month, day, hour, minute, second, nanos).ok()?;
    offset.to_timestamp(date).ok().map(|t| t.to_zoned(TimeZone::fixed(offset)))
}

/// Nanoseconds of a text such as `1h30m`, `-1.5h`, `300ms`.
pub fn parse_duration(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.strip_prefix(['-', '+']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total = 0f64;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let number: f64 = rest.get(..digits)?.parse().ok()?;
        rest = rest.get(digits..)?;
        let unit = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        total += number
            * match rest.get(..unit)? {
                "ns" => 1.0,
                "us" | "µs" | "μs" => 1e3,
                "ms" => 1e6,
                "s" => 1e9,
                "m" => 6e10,
                "h" => 3.6e12,
                _ => return None,
            };
        rest = rest.get(unit..)?;
    }
    #[expect(clippy::cast_possible_truncation, reason = "a saturating conversion")]
    let nanos = total.round() as i64;
    Some(if negative { -nanos } else { nanos })
}

/// A duration as Go prints it: `1h2m3.5s`.
pub fn format_duration(nanos: i64) -> String {
    if nanos == 0 {
        return "0s".to_owned();
    }
    let sign = if nanos < 0 { "-" } else { "" };
    let n = nanos.unsigned_abs();
    let part = |n: u64, unit: u64, name: &str| {
        let digits = unit.to_string().len() - 1;
        let fraction = format!("{:0digits$}", n % unit);
        let fraction = fraction.trim_end_matches('0');
        let point = if fraction.is_empty() || unit == 1 { String::new() } else { format!(".{fraction}") };
        format!("{}{point}{name}", n / unit)
    };
    if n < 1_000 {
        return format!("{sign}{n}ns");
    }
    if n < 1_000_000 {
        return format!("{sign}{}", part(n, 1_000, "µs"));
    }
    if n < 1_000_000_000 {
        return format!("{sign}{}", part(n, 1_000_000, "ms"));
    }
    let seconds = n / 1_000_000_000;
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    let rest = part(n - (hours * 3600 + minutes * 60) * 1_000_000_000, 1_000_000_000, "s");
    match (hours, minutes) {
        (0, 0) => format!("{sign}{rest}"),
        (0, m) => format!("{sign}{m}m{rest}"),
        (h, m) => format!("{sign}{h}h{m}m{rest}"),
    }
}

/// A duration in its largest unit: `2y`, `3mo`, `4d`, `5h`, `6m`, `7s`.
fn round_duration(nanos: i64) -> String {
    let (sign, n) = (if nanos < 0 { "-" } else { "" }, nanos.unsigned_abs());
    let second = 1_000_000_000u64;
    let units = [
        (365 * 24 * 3600 * second, "y"),
        (30 * 24 * 3600 * second, "mo"),
        (24 * 3600 * second, "d"),
        (3600 * second, "h"),
        (60 * second, "m"),
        (second, "s"),
    ];
    match units.iter().find(|(unit, _)| n > *unit) {
        Some((unit, name)) => format!("{sign}{}{name}", n / unit),
        None => "0s".to_owned(),
    }
}
