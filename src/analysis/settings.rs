//! What holds for a whole run.

use super::Baseline;
use crate::config::Config;
use crate::formats::{FORMATS, Format, Options};
use crate::policy::{Chosen, PolicySet};
use std::sync::Arc;

/// Policies, options and the means of suppression.
#[derive(Clone)]
pub struct Settings {
    /// The formats that are asked.
    pub formats: &'static [&'static dyn Format],
    /// How formats evaluate.
    pub options: Options,
    /// Every policy there is.
    pub policies: Arc<PolicySet>,
    /// Those that run, with their severities and parameters.
    pub chosen: Arc<Chosen>,
    /// Severities and ignores by path.
    pub config: Arc<Config>,
    /// Whether ignore comments and annotations are honoured.
    pub inline_ignores: bool,
    /// `.trivyignore` and its kin: path and text.
    pub ignore_files: Vec<(String, Arc<str>)>,
    /// Findings that are known and accepted.
    pub baseline: Option<Arc<Baseline>>,
    /// The day by which ignores expire; without it none does.
    pub today: Option<Date>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            formats: FORMATS,
            options: Options::default(),
            policies: Arc::default(),
            chosen: Arc::default(),
            config: Arc::default(),
            inline_ignores: true,
            ignore_files: Vec::new(),
            baseline: None,
            today: None,
        }
    }
}

/// A day of the Gregorian calendar. Ordered by time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Date {
    /// The year.
    pub year: u16,
    /// The month, from 1.
    pub month: u8,
    /// The day, from 1.
    pub day: u8,
}

impl Date {
    /// Reads `2027-01-31`.
    pub fn parse(text: &str) -> Option<Date> {
        let mut parts = text.splitn(3, '-');
        let mut part =
            |digits: usize| parts.next().filter(|p| p.len() == digits && p.bytes().all(|b| b.is_ascii_digit()));
        let date = Date { year: part(4)?.parse().ok()?, month: part(2)?.parse().ok()?, day: part(2)?.parse().ok()? };
        ((1..=12).contains(&date.month) && (1..=31).contains(&date.day)).then_some(date)
    }

    /// The day, in UTC, of a number of seconds since 1970.
    pub fn from_unix(seconds: u64) -> Date {
        // Howard Hinnant's civil_from_days: years begin in March, so that the leap day is a year's last.
        let days = seconds / 86_400 + 719_468;
        let era = days / 146_097;
        let of_era = days % 146_097;
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * of_year + 2) / 153;
        let day = of_year - (153 * shifted + 2) / 5 + 1;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        let year = year_of_era + era * 400 + u64::from(month <= 2);
        Date {
            year: u16::try_from(year).unwrap_or(u16::MAX),
            month: u8::try_from(month).unwrap_or(12),
            day: u8::try_from(day).unwrap_or(31),
        }
    }
}

impl std::fmt::Display for Date {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_through_leap_years() {
        for (seconds, expected) in [
            (0, "1970-01-01"),
            (951_782_400, "2000-02-29"),
            (1_709_164_800, "2024-02-29"),
            (1_735_689_599, "2024-12-31"),
            (4_107_542_400, "2100-03-01"),
        ] {
            assert_eq!(Date::from_unix(seconds).to_string(), expected);
        }
        assert!(Date::parse("2027-01-31") < Date::parse("2027-02-01"));
        assert_eq!(Date::parse("2027-13-01"), None);
        assert_eq!(Date::parse("2027-1-1"), None);
    }
}
