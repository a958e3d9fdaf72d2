//! Who does a request, with which models, and what it may cost: flags, then the task's own words, then the config.
//!
//! Must never raise a limit nobody raised: what was said with the request holds until the command line says otherwise.

use clap::Args;

use crate::artifact::money::Usd;
use crate::artifact::types::task::{AssignedBudget, Assignment};
use crate::config::EngineChoice;

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
