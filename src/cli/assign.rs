//! Who does a request, with which models, and what it may cost: flags, then the task's own words, then the config.
//!
//! Must never raise a limit nobody raised: what was said with the request holds until the command line says otherwise.

use std::collections::BTreeMap;

use clap::Args;

use crate::artifact::id::StageId;
use crate::artifact::money::Usd;
use crate::artifact::types::ledger::{Ceiling, LedgerLimits};
use crate::artifact::types::task::{AssignedBudget, Assignment};
use crate::config::{Config, EngineChoice};

/// Flags of every command that may call models.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Models and money")]
pub struct AssignArgs {
    /// Who writes the change, instead of `engine` in orch.yml
    #[arg(long, value_enum, value_name = "ENGINE")]
    pub engine: Option<EngineChoice>,
    /// Use this model for every role, as anthropic/claude-sonnet-5-5, instead of the routes
    #[arg(long, value_name = "PROVIDER/MODEL")]
    pub model: Option<String>,
    /// Spend at most this many dollars on models in the whole run
    #[arg(long, value_name = "USD")]
    pub max_cost_usd: Option<Usd>,
    /// Use at most this many tokens in the whole run, input and output together
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub max_tokens: Option<u64>,
    /// Let the stages that call models work at most this long, all together
    #[arg(long, value_name = "MINUTES", value_parser = clap::value_parser!(u64).range(1..=10_080))]
    pub ttl_minutes: Option<u64>,
    /// Answer a call from the run's record where it is there, else make and record it; this is the default
    #[arg(long, group = "mode")]
    pub record: bool,
    /// Make every call anew, even one the record has
    #[arg(long, group = "mode")]
    pub live: bool,
    /// Make no call: answer from the record of this run, its id or folder; a call that is not there is an error
    #[arg(long, group = "mode", value_name = "RUN")]
    pub replay: Option<String>,
}

impl AssignArgs {
    /// Returns what was said with the request, to an engine that was chosen.
    pub fn assignment(&self, engine: &str) -> Assignment {
        let budget = (self.max_cost_usd.is_some() || self.max_tokens.is_some())
            .then_some(AssignedBudget { max_cost_usd: self.max_cost_usd, max_tokens: self.max_tokens });
        Assignment {
            model: self.model.clone(),
            budget,
            ttl_ms: self.ttl_minutes.map(|minutes| minutes * 60_000),
            ..Assignment::to_engine(engine)
        }
    }
}

/// What a run may use, and its stages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The limits of the run, and those of a stage that has none of its own.
    pub limits: LedgerLimits,
    /// The limits of stages that have their own.
    pub stages: BTreeMap<StageId, Ceiling>,
}

impl Terms {
    /// Returns the terms of a run: what the command line says, else what was said with the request, else the config.
    pub fn of(args: &AssignArgs, task: Option<&Assignment>, config: &Config) -> Self {
        let (asked, budget) = (task.and_then(|task| task.budget).unwrap_or_default(), &config.budget);
        let minutes = |minutes: u64| minutes.saturating_mul(60_000);
        let run = Ceiling {
            max_nano_usd: Some(args.max_cost_usd.or(asked.max_cost_usd).unwrap_or(budget.max_cost_usd).0),
            max_tokens: Some(args.max_tokens.or(asked.max_tokens).unwrap_or(budget.max_tokens)),
            ttl_ms: Some(
                args.ttl_minutes
                    .map(minutes)
                    .or(task.and_then(|task| task.ttl_ms))
                    .unwrap_or(minutes(budget.ttl_minutes)),
            ),
        };
        let mut stages = BTreeMap::new();
        for stage in [StageId::Plan, StageId::TestWrite, StageId::Generate] {
            let own = task.and_then(|task| task.stages.get(&stage));
            let (asked, limits) =
                (own.and_then(|own| own.budget).unwrap_or_default(), budget.stages.of(stage));
            stages.insert(
                stage,
                Ceiling {
                    max_nano_usd: asked.max_cost_usd.or(limits.max_cost_usd).map(|usd| usd.0),
                    max_tokens: asked.max_tokens.or(limits.max_tokens),
                    ttl_ms: own.and_then(|own| own.ttl_ms).or(limits.ttl_minutes.map(minutes)),
                },
            );
        }
        let limits =
            LedgerLimits { run, allow_unknown_cost: budget.allow_unknown_cost, ..Default::default() };
        Self { limits, stages }
    }
}
