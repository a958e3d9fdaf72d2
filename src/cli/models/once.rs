//! One call outside of a run: its ledger lives as long as it does.
//!
//! Must never send before the most that it can cost is reserved under the ceiling.

use std::time::Duration;

use serde_json::Value;

use crate::agent::budget::{Ledger, Reservation, ReserveError, Worst};
use crate::agent::price::PriceRow;
use crate::artifact::id::{Round, StageId};
use crate::artifact::money::NanoUsd;
use crate::artifact::store::MemoryStore;
use crate::artifact::types::ledger::{Ceiling, LedgerLimits};
use crate::cli::CommandError;
use crate::cli::error::UsageError;
use crate::ports::clock::Clock;
use crate::ports::model::{Prepared, Provider, RawReply, Usage};

/// What is asked of whom, and what it may cost.
pub struct Once<'a> {
    /// Who is asked.
    pub provider: &'a dyn Provider,
    /// For which model.
    pub model: &'a str,
    /// What is sent.
    pub prepared: &'a Prepared,
    /// What asks, as `ping`.
    pub role: &'a str,
    /// The step it asks for, as `providers.ping`.
    pub step: &'a str,
    /// The price.
    pub price: Option<&'a PriceRow>,
    /// The service tier that is asked for.
    pub tier: Option<&'a str>,
    /// The most tokens in and out.
    pub most: (u64, u64),
    /// The ceiling; absent: none.
    pub ceiling: Option<NanoUsd>,
    /// Whether the price may be unknown.
    pub allow_unknown_cost: bool,
    /// The longest it may take.
    pub timeout: Duration,
}

/// What came.
pub struct Answered<T> {
    /// What was read of the reply.
    pub read: T,
    /// How long it took.
    pub took_ms: u64,
    /// The lines of the ledger of this call.
    pub ledger: Vec<Value>,
}

/// What a reply says of its use.
pub struct Used {
    /// Tokens; absent: not told, so the most that was reserved stands.
    pub usage: Option<Usage>,
    /// What that costs; absent: not known.
    pub cost: Option<NanoUsd>,
}

impl Once<'_> {
    /// Makes the call and settles it by what `read` makes of the reply.
    pub fn call<T>(
        &self,
        clock: &dyn Clock,
        read: impl FnOnce(&RawReply) -> Result<(T, Used), CommandError>,
    ) -> Result<Answered<T>, CommandError> {
        let key = self.prepared.key().map_err(|error| UsageError {
            what: format!("the request has no canonical form: {error}"),
            help: "Check `extra` of the provider in models.toml.".into(),
        })?;
        let store = MemoryStore::default();
        let limits = LedgerLimits {
            run: Ceiling { max_nano_usd: self.ceiling, ..Ceiling::default() },
            stage: Ceiling::default(),
            allow_unknown_cost: self.allow_unknown_cost,
        };
        let mut ledger = Ledger::open(&store, (StageId::Plan, Round::FIRST), limits)?;
        let (input, output) = self.most;
        let worst = Worst {
            cost: self.price.map(|price| price.worst_case(input, output, self.tier)),
            tokens: input.saturating_add(output),
        };
        let reservation = Reservation {
            exchange: &key,
            provider: self.provider.name(),
            model: self.model,
            role: self.role,
            step: self.step,
            worst,
            price: self.price.map(|price| price.id.as_str()),
            slice: None,
        };
        let id = ledger.reserve(&reservation).map_err(|error| match error {
            ReserveError::Exhausted(error) => CommandError::from(error),
            ReserveError::Ledger(error) => error.into(),
        })?;
        let start = clock.elapsed();
        let reply = self.provider.send(self.prepared, self.timeout)?;
        let took_ms = u64::try_from(clock.elapsed().saturating_sub(start).as_millis()).unwrap_or(u64::MAX);
        let (read, used) = read(&reply)?;
        match used.usage {
            Some(usage) => ledger.settle(id, usage, used.cost, false, took_ms)?,
            None => ledger.keep(id, "no usage told", took_ms)?,
        }
        let lines = ledger.bytes().split(|b| *b == b'\n');
        let lines = lines.filter_map(|line| serde_json::from_slice(line).ok()).collect();
        Ok(Answered { read, took_ms, ledger: lines })
    }
}
