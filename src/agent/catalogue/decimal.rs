//! Prices as decimal text, read exactly.
//!
//! Must never round, and must never pass through a float.

use crate::artifact::money::NanoUsd;

/// The largest price that is taken, in dollars per million tokens: a thousand times what any model costs.
const MOST_DOLLARS: u64 = 100_000;

/// Reads dollars, as `0.10`, exactly into billionths of a dollar.
pub fn dollars(text: &str) -> Result<NanoUsd, &'static str> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if text.starts_with('-') {
        return Err("is negative");
    }
    if !digits(whole) || !digits(part) {
        return Err("is no decimal number of dollars, as \"0.10\"");
    }
    if part.len() > 9 {
        return Err("is finer than a billionth of a dollar");
    }
    let whole: u64 =
        whole.parse().ok().filter(|n| *n <= MOST_DOLLARS).ok_or("is more than any model costs")?;
    let nano: u64 = format!("{part:0<9}").parse().map_err(|_| "is no decimal number of dollars")?;
    Ok(NanoUsd(whole * 1_000_000_000 + nano))
}

/// Writes a price as the shortest decimal text that reads back the same.
pub fn text(price: NanoUsd) -> String {
    let (whole, nano) = (price.0 / 1_000_000_000, price.0 % 1_000_000_000);
    let part = format!("{nano:09}");
    let part = part.trim_end_matches('0');
    format!("{whole}.{part:0<2}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn prices_are_read_exactly_or_not_at_all() {
        for (written, nano) in [
            ("0.10", 100_000_000),
            ("0.1", 100_000_000),
            ("2", 2_000_000_000),
            ("0", 0),
            ("0.000000001", 1),
            ("12.50", 12_500_000_000),
            ("100000", 100_000_000_000_000),
        ] {
            assert_eq!(dollars(written), Ok(NanoUsd(nano)), "{written}");
        }
        for written in [
            "",
            ".",
            "1.",
            ".5",
            "-1",
            "-0",
            "+1",
            "1e3",
            "0.0000000001",
            "1,5",
            "100001",
            "NaN",
            "1.2.3",
            " 1",
            "٣",
        ] {
            assert!(dollars(written).is_err(), "{written}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(nano in 0_u64..=100_000_999_999_999) {
            prop_assert_eq!(dollars(&text(NanoUsd(nano))), Ok(NanoUsd(nano)));
        }

        #[test]
        fn no_text_panics(written in ".{0,40}") {
            let _ = dollars(&written);
        }
    }
}
