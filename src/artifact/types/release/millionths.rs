//! A measured number, exact: an integer of millionths.
//!
//! Must never pass through a float, and must never round a number that is too large into one that fits.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A number times a million, as `1500` for 0.0015; exact in JSON and in Rego.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Millionths(pub i64);

/// A text that is no number that can be kept exactly enough.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a finite decimal number between -9000000000 and 9000000000")]
pub struct NotANumber(pub String);

/// What is exact in every JSON reader.
const MOST: i64 = 9_000_000_000_000_000;
/// More digits than any measure has.
const MAX_TEXT: usize = 64;

impl FromStr for Millionths {
    type Err = NotANumber;

    /// Reads a decimal, with or without an exponent; digits past the sixth are rounded, a half away from zero.
    fn from_str(text: &str) -> Result<Self, NotANumber> {
        let refuse = || NotANumber(text.chars().take(MAX_TEXT).collect());
        if text.is_empty() || text.len() > MAX_TEXT || !text.is_ascii() {
            return Err(refuse());
        }
        let (negative, digits) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().map_err(|_| refuse())?),
            None => (digits, 0),
        };
        let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{part}");
        if all.is_empty() || !all.bytes().all(|byte| byte.is_ascii_digit()) || exponent.abs() > 60 {
            return Err(refuse());
        }
        let point = i64::try_from(whole.len()).map_err(|_| refuse())? + i64::from(exponent) + 6;
        let value = scaled(all.trim_end_matches('0'), point).filter(|value| *value <= i128::from(MOST));
        let value = value.and_then(|value| i64::try_from(value).ok()).ok_or_else(refuse)?;
        Ok(Self(if negative { -value } else { value }))
    }
}

/// Returns the digits as a number with its point at `point`, rounded.
fn scaled(digits: &str, point: i64) -> Option<i128> {
    let mut value: i128 = 0;
    let mut rest = None;
    for (at, digit) in digits.bytes().enumerate() {
        if i64::try_from(at).ok()? >= point {
            rest = Some((at, digit));
            break;
        }
        value = value.checked_mul(10)?.checked_add(i128::from(digit - b'0'))?;
    }
    match rest {
        // Only the digit right after the last kept one decides.
        Some((at, digit)) if i64::try_from(at).ok()? == point && digit >= b'5' => value.checked_add(1),
        Some(_) => Some(value),
        None => {
            let missing = u32::try_from(point - i64::try_from(digits.len()).ok()?).ok()?;
            if value == 0 { Some(0) } else { value.checked_mul(10_i128.checked_pow(missing)?) }
        }
    }
}

impl fmt::Display for Millionths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, value) = (if self.0 < 0 { "-" } else { "" }, self.0.unsigned_abs());
        let (whole, part) = (value / 1_000_000, value % 1_000_000);
        if part == 0 {
            return f.pad(&format!("{sign}{whole}"));
        }
        f.pad(format!("{sign}{whole}.{part:06}").trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_read_exactly_and_shown_as_they_are() {
        for (text, value, shown) in [
            ("0", 0, "0"),
            ("0.0015", 1500, "0.0015"),
            ("1e-3", 1000, "0.001"),
            ("1.5E2", 150_000_000, "150"),
            ("-2.25", -2_250_000, "-2.25"),
            ("+7", 7_000_000, "7"),
            ("0.0000005", 1, "0.000001"),
            ("0.00000049", 0, "0"),
            ("0.00000005", 0, "0"),
            ("99.95", 99_950_000, "99.95"),
            ("9000000000", MOST, "9000000000"),
            ("0e50", 0, "0"),
            (".5", 500_000, "0.5"),
            ("1000", 1_000_000_000, "1000"),
        ] {
            let read: Millionths = text.parse().unwrap();
            assert_eq!((read.0, read.to_string().as_str()), (value, shown), "{text}");
        }
    }

    #[test]
    fn what_is_no_finite_number_is_refused() {
        for text in [
            "",
            "NaN",
            "+Inf",
            "-Inf",
            "1,5",
            "0x1",
            "1e",
            "e1",
            ".",
            "9000000001",
            "1e40",
            "1e99",
            "१",
            "--1",
        ] {
            assert!(text.parse::<Millionths>().is_err(), "{text}");
        }
    }
}
