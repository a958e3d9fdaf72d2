//! Money: whole billionths of a US dollar.
//!
//! Must never be a float, and must never round a cost down.

use std::fmt;
use std::iter::Sum;
use std::ops::Add;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An amount in billionths of a US dollar.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct NanoUsd(pub u64);

impl NanoUsd {
    /// No money.
    pub const ZERO: Self = Self(0);

    /// Returns `n` times the amount, or the largest amount there is.
    #[must_use]
    pub const fn times(self, n: u32) -> Self {
        Self(self.0.saturating_mul(n as u64))
    }
}

impl Add for NanoUsd {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sum for NanoUsd {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for NanoUsd {
    /// Dollars with six decimals, rounded up, so that nothing that costs shows as free.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micro = self.0.div_ceil(1000);
        f.pad(&format!("${}.{:06}", micro / 1_000_000, micro % 1_000_000))
    }
}

/// An amount written as a decimal number of dollars, exactly: `2`, `0.05`, `0.000000001`.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^[0-9]{1,9}(\\.[0-9]{1,9})?$"))]
pub struct Usd(pub NanoUsd);

/// A text that is no amount.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an amount in dollars: digits, with up to nine after a point, as `0.50`")]
pub struct UsdError(String);

impl FromStr for Usd {
    type Err = UsdError;

    fn from_str(text: &str) -> Result<Self, UsdError> {
        let fail = || UsdError(text.chars().take(40).collect());
        let digits = |part: &str| (1..=9).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
        if !digits(whole) || !digits(part) {
            return Err(fail());
        }
        let nanos = |text: &str| text.parse::<u64>().map_err(|_| fail());
        Ok(Self(NanoUsd(nanos(whole)? * 1_000_000_000 + nanos(&format!("{part:0<9}"))?)))
    }
}

impl TryFrom<String> for Usd {
    type Error = UsdError;

    fn try_from(text: String) -> Result<Self, UsdError> {
        text.parse()
    }
}

impl From<Usd> for String {
    fn from(amount: Usd) -> Self {
        amount.to_string()
    }
}

impl fmt::Display for Usd {
    /// All the digits there are, and at least two after the point.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = format!("{:09}", self.0.0 % 1_000_000_000);
        let kept = part.trim_end_matches('0').len().max(2);
        write!(f, "{}.{}", self.0.0 / 1_000_000_000, &part[..kept])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_are_read_and_written_exactly() {
        for (text, nanos, shown) in [
            ("0", 0, "0.00"),
            ("2", 2_000_000_000, "2.00"),
            ("0.05", 50_000_000, "0.05"),
            ("1.5", 1_500_000_000, "1.50"),
            ("0.000000001", 1, "0.000000001"),
            ("999999999.999999999", 999_999_999_999_999_999, "999999999.999999999"),
        ] {
            let amount: Usd = text.parse().unwrap();
            assert_eq!((amount.0, amount.to_string().as_str()), (NanoUsd(nanos), shown));
            assert_eq!(shown.parse::<Usd>().unwrap(), amount);
        }
        for bad in ["", ".", "1.", ".5", "-1", "+1", "1e3", "1,5", "0.0000000001", "9999999999", "$1", "1 "] {
            assert!(bad.parse::<Usd>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn amounts_are_shown_in_dollars_and_never_overflow() {
        assert_eq!(NanoUsd::ZERO.to_string(), "$0.000000");
        assert_eq!(NanoUsd(1).to_string(), "$0.000001");
        assert_eq!(NanoUsd(1_234_567_000).to_string(), "$1.234567");
        assert_eq!(NanoUsd(u64::MAX) + NanoUsd(1), NanoUsd(u64::MAX));
        assert_eq!(NanoUsd(u64::MAX).times(2), NanoUsd(u64::MAX));
    }
}
