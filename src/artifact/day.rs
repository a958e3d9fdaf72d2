//! A day of the calendar, as waivers, baselines and rules name it.
//!
//! Must never take a text that only looks like a day: `2026-02-30` is none.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use jiff::{Span, ToSpan as _};
use serde::{Deserialize, Serialize};

/// A day, written `2026-12-31`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Day(Date);

/// A text that is no day.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no day; a day is written `2026-12-31`")]
pub struct DayError(String);

impl Day {
    /// Returns the day some days later; the last day there is where the calendar ends.
    #[must_use]
    pub fn plus_days(self, days: i32) -> Self {
        self.plus(days.days())
    }

    /// Returns the same day of the next year.
    #[must_use]
    pub fn plus_year(self) -> Self {
        self.plus(1.year())
    }

    fn plus(self, span: Span) -> Self {
        Self(self.0.saturating_add(span))
    }
}

impl FromStr for Day {
    type Err = DayError;

    fn from_str(text: &str) -> Result<Self, DayError> {
        let bytes = text.as_bytes();
        let form = bytes.len() == 10
            && bytes
                .iter()
                .enumerate()
                .all(|(at, byte)| if at == 4 || at == 7 { *byte == b'-' } else { byte.is_ascii_digit() });
        let date = if form { text.parse().ok() } else { None };
        date.map(Self).ok_or_else(|| DayError(text.chars().take(40).collect()))
    }
}

impl TryFrom<String> for Day {
    type Error = DayError;

    fn try_from(text: String) -> Result<Self, DayError> {
        text.parse()
    }
}

impl From<Day> for String {
    fn from(day: Day) -> Self {
        day.to_string()
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_days() {
        for good in ["2026-12-31", "2028-02-29", "0001-01-01"] {
            assert_eq!(good.parse::<Day>().unwrap().to_string(), good);
        }
        for bad in [
            "",
            "2026-02-30",
            "2026-2-3",
            "20261231",
            "2026-12-31T00:00",
            "tomorrow",
            "-026-12-31",
            "2026/12/31",
        ] {
            assert!(bad.parse::<Day>().is_err(), "{bad}");
        }
        let day: Day = "2028-02-29".parse().unwrap();
        assert_eq!(day.plus_days(-59).to_string(), "2028-01-01");
        assert_eq!(day.plus_year().to_string(), "2029-02-28");
        assert_eq!("9999-12-31".parse::<Day>().unwrap().plus_year().to_string(), "9999-12-31");
    }
}
