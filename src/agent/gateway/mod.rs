//! The one way to a model: reserved, sent, retried, recorded, validated; answered from a record where there is one.
//!
//! Must never send what was not reserved in a file, record what was not redacted, or let a model choose what comes next.

mod answer;
mod breaker;
mod cassette;
mod failure;
mod job;
mod plan;
mod records;
mod retry;
mod stage;
#[cfg(test)]
mod tests;
mod wire;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

pub use plan::worst_case;
pub use records::Records;

use super::price::PriceRow;
use super::route::Routes;
use super::{CallFailure, CallSite, Models, StageCalls};
use crate::artifact::id::StageId;
use crate::artifact::types::ledger::{Ceiling, LedgerLimits};
use crate::ports::clock::Clock;
use stage::StageGateway;

/// Takes secrets out of a text.
pub type RedactFn<'a> = &'a (dyn for<'t> Fn(&'t str) -> Cow<'t, str> + Sync);

/// Tells the prices of a provider's model today.
pub type PriceFn<'a> = &'a (dyn Fn(&str, &str) -> Option<PriceRow> + Sync);

/// Waits.
pub type SleepFn<'a> = &'a (dyn Fn(Duration) + Sync);

/// Where answers come from.
#[derive(Clone, Copy)]
pub enum Mode<'a> {
    /// From this run's own record where the same question was answered, else from the model.
    Record,
    /// Always from the model; recorded all the same.
    Live,
    /// From the record of another run, and from nowhere else.
    Replay(&'a Records),
}

/// What a gateway needs.
#[derive(Clone)]
pub struct GatewayConfig<'a> {
    /// The limits of the run, and those of a stage that has none of its own.
    pub limits: LedgerLimits,
    /// The limits of stages that have their own.
    pub stages: BTreeMap<StageId, Ceiling>,
    /// Where answers come from.
    pub mode: Mode<'a>,
    /// Who may answer.
    pub routes: &'a dyn Routes,
    /// The time; the real one, since calls take real time (in a replay it is not asked).
    pub clock: &'a dyn Clock,
    /// Takes secrets out of prompts before they are sent, and out of replies before they are recorded and read.
    pub redact: RedactFn<'a>,
    /// Prices by the model that answered, where it is another than the one that was asked.
    pub price_of: PriceFn<'a>,
    /// How to wait.
    pub sleep: SleepFn<'a>,
}

/// Opens the calls of stages.
pub struct Gateway<'a> {
    config: GatewayConfig<'a>,
    schemas: answer::Schemas,
}

impl<'a> Gateway<'a> {
    /// Returns a gateway.
    pub fn new(config: GatewayConfig<'a>) -> Self {
        Self { config, schemas: answer::Schemas::default() }
    }

    /// Returns the limits of a stage within its run.
    fn limits(&self, stage: StageId) -> LedgerLimits {
        let own = self.config.stages.get(&stage).copied();
        LedgerLimits { stage: own.unwrap_or(self.config.limits.stage), ..self.config.limits }
    }
}

impl fmt::Debug for Gateway<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway").field("limits", &self.config.limits).finish_non_exhaustive()
    }
}

impl Models for Gateway<'_> {
    fn open<'a>(&'a self, site: CallSite<'a>) -> Result<Box<dyn StageCalls + 'a>, CallFailure> {
        Ok(Box::new(StageGateway::open(self, site)?))
    }
}
