//! `ledger/<stage>.jsonl`: what was reserved, spent, kept and given back in a stage, one chained JSON object a line.
//!
//! Must never hold a time of day: a ledger made again from the record of its run is the same, byte for byte.

use std::ops::Add;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::exchange::Usage;
use crate::artifact::digest::Digest;
use crate::artifact::id::{Round, StageId};
use crate::artifact::money::NanoUsd;

/// One line of a ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LedgerLine {
    /// Its place in the file, from 1.
    pub seq: u64,
    /// The digest of the line before it, without its line end; of the first line: of the canonical JSON of the heads it
    /// names.
    pub prev: Digest,
    /// What happened.
    pub entry: LedgerEntry,
}

/// What happened to the money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "entry", deny_unknown_fields)]
pub enum LedgerEntry {
    /// The stage began, or went on after it was stopped: what was reserved before and not settled is spent.
    Open {
        /// The stage.
        stage: StageId,
        /// The round.
        round: Round,
        /// How often this file was opened, from 1.
        attempt: u32,
        /// The limits in force.
        limits: LedgerLimits,
        /// What every other ledger of the run holds as spent.
        earlier: Totals,
        /// The last lines of every other ledger of the run.
        heads: Vec<Head>,
        /// What a kill left of a line, now removed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        torn: Option<Torn>,
    },
    /// The worst case of a call is put aside; the call comes after this line.
    Reserve {
        /// The number of the reservation, from 1 in each file.
        id: u64,
        /// The key of the exchange.
        exchange: Digest,
        /// The provider.
        provider: String,
        /// The model.
        model: String,
        /// The role that asks.
        role: String,
        /// The step.
        step: String,
        /// The worst case; absent: the price is not known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        worst_nano_usd: Option<NanoUsd>,
        /// The worst case in tokens.
        worst_tokens: u64,
        /// The row of prices.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        price: Option<String>,
        /// The partition it is taken from; absent: what is not partitioned.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        slice: Option<String>,
    },
    /// A call was paid.
    Settle {
        /// The reservation.
        id: u64,
        /// What was used.
        usage: Usage,
        /// What it cost; absent: not known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cost_nano_usd: Option<NanoUsd>,
        /// True when usage and cost were taken at their worst because the provider did not tell.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        estimated: bool,
        /// How long it took, waiting included, milliseconds.
        took_ms: u64,
    },
    /// Nobody knows whether a call is billed: its whole reservation is spent.
    Keep {
        /// The reservation.
        id: u64,
        /// Why, as `timeout`.
        why: String,
        /// How long it took, waiting included, milliseconds.
        took_ms: u64,
    },
    /// A call is certainly not billed: its reservation is free again.
    Release {
        /// The reservation.
        id: u64,
        /// Why, as `wait`.
        why: String,
        /// How long it took, waiting included, milliseconds.
        took_ms: u64,
    },
    /// A question was answered from an exchange of this run: nothing was paid.
    Reuse {
        /// The key of the exchange.
        exchange: Digest,
        /// The role that asks.
        role: String,
        /// The step.
        step: String,
    },
    /// A part of what is left was set aside for a subtask.
    Allot {
        /// The name of the partition.
        slice: String,
        /// The money; absent: without limit.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_nano_usd: Option<NanoUsd>,
        /// The tokens; absent: without limit.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_tokens: Option<u64>,
    },
    /// What a subtask left of its partition came back.
    Return {
        /// The name of the partition.
        slice: String,
        /// What it spent.
        spent: Totals,
    },
    /// The stage came to its end.
    Close {
        /// What this file holds as spent.
        spent: Totals,
    },
}

/// What was spent, in every measure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Totals {
    /// Money, kept reservations included.
    pub nano_usd: NanoUsd,
    /// The part of it that nobody knows to be billed: kept reservations.
    pub kept_nano_usd: NanoUsd,
    /// Tokens, kept reservations included.
    pub tokens: u64,
    /// The time of the calls, waiting included, milliseconds.
    pub took_ms: u64,
    /// The calls that were or may be billed.
    pub calls: u64,
    /// Those of them of which nobody knows the cost.
    pub unknown: u64,
}

impl Add for Totals {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            nano_usd: self.nano_usd + other.nano_usd,
            kept_nano_usd: self.kept_nano_usd + other.kept_nano_usd,
            tokens: self.tokens.saturating_add(other.tokens),
            took_ms: self.took_ms.saturating_add(other.took_ms),
            calls: self.calls.saturating_add(other.calls),
            unknown: self.unknown.saturating_add(other.unknown),
        }
    }
}

/// The limits that were in force; those absent did not limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LedgerLimits {
    /// Those of the run.
    pub run: Ceiling,
    /// Those of the stage.
    pub stage: Ceiling,
    /// True when models without a known price may be called.
    pub allow_unknown_cost: bool,
}

/// How much may be used; what is absent is not limited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ceiling {
    /// Money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_nano_usd: Option<NanoUsd>,
    /// Tokens, input and output together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u64>,
    /// Time, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_ms: Option<u64>,
}

/// The last line of a ledger when another one was opened.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The file, as it was called then.
    pub path: String,
    /// The line.
    pub seq: u64,
    /// Its digest.
    pub digest: Digest,
}

/// What a kill left of a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Torn {
    /// How many bytes there were.
    pub bytes: u64,
    /// Their digest.
    pub digest: Digest,
}
