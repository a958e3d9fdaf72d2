//! Prices: what a row of `models.toml` says, and what a call costs by it.
//!
//! Must never use a float, round a cost down, or take a missing rate for zero.

use std::collections::BTreeMap;

use crate::artifact::money::NanoUsd;

/// One dated row of prices of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceRow {
    /// Its name in records: the model and the first day it holds, as `claude-sonnet-5-5@2026-10-07`.
    pub id: String,
    /// The rates.
    pub rates: Rates,
    /// Other rates for the whole request where its prompt is longer than a threshold.
    pub long: Option<LongPrompt>,
    /// What a service tier costs, in percent of the rates, by the provider's word, as `flex` = 50.
    pub tiers: BTreeMap<String, u32>,
}

/// Rates, each in billionths of a US dollar per million tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// Input that is in no cache.
    pub input: NanoUsd,
    /// Input read from a cache.
    pub cache_read: NanoUsd,
    /// Input written to the short-lived cache; absent: the model has none.
    pub cache_write_short: Option<NanoUsd>,
    /// Input written to the long-lived cache; absent: the model has none.
    pub cache_write_long: Option<NanoUsd>,
    /// Output, reasoning included.
    pub output: NanoUsd,
}

/// Rates of long prompts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LongPrompt {
    /// The rates hold where the whole prompt, cached or not, has more tokens than this.
    pub threshold: u64,
    /// The rates.
    pub rates: Rates,
}
