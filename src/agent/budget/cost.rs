//! What a call costs, and what it can cost at most, by a row of prices.
//!
//! Must never use a float, round down, or take a missing rate for zero: what a row does not say is charged at its dearest.

use std::cmp::max;

use crate::agent::price::{PriceRow, Rates};
use crate::artifact::money::NanoUsd;
use crate::artifact::types::exchange::Usage;

/// Rates are per so many tokens.
const PER: u128 = 1_000_000;

/// Words providers use for the tier everybody gets.
const STANDARD: &[&str] = &["", "default", "standard", "auto", "on_demand", "unspecified"];

impl Rates {
    /// Returns the dearest rate of input.
    pub fn dearest_input(&self) -> NanoUsd {
        [Some(self.input), Some(self.cache_read), self.cache_write_short, self.cache_write_long]
            .into_iter()
            .flatten()
            .max()
            .unwrap_or(self.input)
    }

    /// Returns the sum of tokens by rates, before it is divided.
    fn sum(&self, usage: &Usage) -> u128 {
        let dearest = self.dearest_input();
        let short = self.cache_write_short.unwrap_or(dearest);
        let long = self.cache_write_long.unwrap_or(dearest);
        [
            (usage.input, self.input),
            (usage.cache_read, self.cache_read),
            (usage.cache_write_short, short),
            (usage.cache_write_long, long),
            (usage.output, self.output),
        ]
        .into_iter()
        .map(|(tokens, rate)| u128::from(tokens).saturating_mul(u128::from(rate.0)))
        .fold(0, u128::saturating_add)
    }
}

impl PriceRow {
    /// Returns what was used costs, rounded up; `tier` is the provider's word in the reply.
    pub fn cost(&self, usage: &Usage, tier: Option<&str>) -> NanoUsd {
        let rates = self.rates_for(usage.prompt());
        whole(rates.sum(usage), self.percent(tier.unwrap_or_default()))
    }

    /// Returns the most a request can cost; `tier` is the one that is asked for.
    ///
    /// Input counts at the dearest rate there is for it, since it may be written to a cache.
    pub fn worst_case(&self, input: u64, output: u64, tier: Option<&str>) -> NanoUsd {
        let of = |rates: &Rates| {
            let input = u128::from(input).saturating_mul(u128::from(rates.dearest_input().0));
            input.saturating_add(u128::from(output).saturating_mul(u128::from(rates.output.0)))
        };
        let mut sum = of(&self.rates);
        if let Some(long) = &self.long
            && input > long.threshold
        {
            sum = max(sum, of(&long.rates));
        }
        whole(sum, max(100, self.percent(tier.unwrap_or_default())))
    }

    fn rates_for(&self, prompt: u64) -> &Rates {
        match &self.long {
            Some(long) if prompt > long.threshold => &long.rates,
            _ => &self.rates,
        }
    }

    /// Returns what a tier costs in percent; a word the row does not know costs what the dearest tier does.
    fn percent(&self, tier: &str) -> u32 {
        match self.tiers.get(tier) {
            Some(percent) => *percent,
            None if STANDARD.contains(&tier) => 100,
            None => self.tiers.values().copied().fold(100, max),
        }
    }
}

/// Divides and rounds up; the largest amount there is where it does not fit.
fn whole(sum: u128, percent: u32) -> NanoUsd {
    let nano = sum.saturating_mul(u128::from(percent)).div_ceil(PER * 100);
    NanoUsd(u64::try_from(nano).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::agent::price::LongPrompt;

    fn rates(input: u64, output: u64) -> Rates {
        Rates {
            input: NanoUsd(input),
            cache_read: NanoUsd(input / 20),
            cache_write_short: Some(NanoUsd(input * 5 / 4)),
            cache_write_long: Some(NanoUsd(input * 2)),
            output: NanoUsd(output),
        }
    }

    fn row() -> PriceRow {
        PriceRow {
            id: "m@2026-01-01".into(),
            rates: rates(2_000_000_000, 10_000_000_000),
            long: Some(LongPrompt { threshold: 1000, rates: rates(4_000_000_000, 15_000_000_000) }),
            tiers: [("flex".to_owned(), 50), ("priority".to_owned(), 200)].into(),
        }
    }

    #[test]
    fn costs_are_whole_and_rounded_up() {
        let usage = |input, cache_read, output| Usage { input, cache_read, output, ..Usage::default() };
        for (usage, tier, wanted) in [
            (usage(0, 0, 0), None, 0),
            (usage(1, 0, 0), None, 2000),
            (usage(1000, 0, 100), None, 3_000_000),
            // One token more, cached or not, and the whole request has the other rates.
            (usage(1000, 1, 100), None, 4_000_000 + 200 + 1_500_000),
            (usage(1, 0, 0), Some("flex"), 1000),
            (usage(1, 0, 0), Some("standard"), 2000),
            (usage(1, 0, 0), Some("priority"), 4000),
            (usage(1, 0, 0), Some("some-new-tier"), 4000),
            (usage(u64::MAX, 0, u64::MAX), None, u64::MAX),
        ] {
            assert_eq!(row().cost(&usage, tier), NanoUsd(wanted), "{usage:?} {tier:?}");
        }
        let cheap = PriceRow { rates: rates(1, 1), long: None, tiers: [].into(), id: String::new() };
        assert_eq!(cheap.cost(&usage(1, 0, 0), None), NanoUsd(1), "nothing that costs is free");
    }

    #[test]
    fn a_missing_rate_is_not_zero() {
        let mut row = row();
        row.long = None;
        row.rates.cache_write_long = None;
        let usage = Usage { cache_write_long: 1000, ..Usage::default() };
        assert_eq!(row.cost(&usage, None), NanoUsd(2_500_000));
    }

    proptest! {
        #[test]
        fn no_split_of_the_tokens_costs_more_than_the_worst_case(
            parts in proptest::array::uniform4(0_u64..1500), output in 0_u64..5000, slack in 0_u64..3,
        ) {
            let [input, cache_read, cache_write_short, cache_write_long] = parts;
            let usage = Usage { input, cache_read, cache_write_short, cache_write_long, output, reasoning: 0 };
            let worst = row().worst_case(usage.prompt() + slack, output + slack, None);
            prop_assert!(row().cost(&usage, None) <= worst);
            prop_assert!(row().cost(&usage, Some("flex")) <= worst);
        }
    }
}
