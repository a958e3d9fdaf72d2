//! Talking to models under contract: budgets, records, roles, debates; decisions by code.
//!
//! Must never touch the world: calls go through [`Calls`], which the stage runner makes, and files through the store it
//! was given. Must never let a model decide what runs next, what counts as agreed, or what is paid.

pub mod budget;
pub mod catalogue;
pub mod context;
pub mod debate;
pub mod fence;
pub mod gateway;
pub mod planned;
pub mod price;
pub mod prompt;
pub mod role;
pub mod route;

use serde_json::Value;

use crate::artifact::digest::Digest;
use crate::artifact::id::{Round, RunId, StageId};
use crate::artifact::kind::StageFile;
use crate::artifact::money::NanoUsd;
use crate::artifact::store::ArtifactStore;
use crate::diagnostic::{Class, Failure};
use crate::ports::model::ReplySchema;

pub use planned::PlannedCall;

/// Makes governed calls: reserved before, settled after, recorded, retried and routed by code.
pub trait Calls: Send + Sync {
    /// Asks one question and returns the validated answer.
    fn ask(&self, ask: &Ask) -> Result<Answer, CallFailure>;

    /// Asks several independent questions at once; answers come in the order of the questions.
    fn ask_all(&self, asks: &[Ask]) -> Vec<Result<Answer, CallFailure>> {
        asks.iter().map(|ask| self.ask(ask)).collect()
    }

    /// Sets parts of what is left aside for subtasks, in the order of the parts; each may spend its own part alone, and
    /// what it leaves comes back when it is dropped.
    fn split(&self, parts: &[Part]) -> Result<Vec<Box<dyn Calls + '_>>, CallFailure> {
        let named: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
        Err(CallFailure {
            class: Class::Usage,
            what: format!("there is no budget to be split for {}", named.join(", ")),
            help: "Use an engine that calls models.".into(),
        })
    }
}

/// A part of a budget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its name, unique among those that are open.
    pub name: String,
    /// The money; absent: all that is left, where there is a limit.
    pub max_cost: Option<NanoUsd>,
    /// The tokens; absent: all that is left, where there is a limit.
    pub max_tokens: Option<u64>,
}

/// Opens the calls of a stage; the port the runner holds.
pub trait Models: Send + Sync {
    /// Opens ledger and record of a stage and returns the way to make calls in it.
    fn open<'a>(&'a self, site: CallSite<'a>) -> Result<Box<dyn StageCalls + 'a>, CallFailure>;
}

/// Where calls are made from.
#[derive(Clone, Copy)]
pub struct CallSite<'a> {
    /// The run folder: ledger and record grow in it while the stage runs.
    pub store: &'a dyn ArtifactStore,
    /// The run.
    pub run: &'a RunId,
    /// The stage.
    pub stage: StageId,
    /// The round.
    pub round: Round,
    /// Tells the listeners something, one short line; called from the stage's own thread only.
    pub note: &'a (dyn Fn(String) + Sync),
}

/// The calls of one stage, to be closed when it has finished.
pub trait StageCalls: Calls {
    /// Closes the ledger and returns the files the runner seals; files without content are left out.
    fn close(&self) -> Result<Vec<(StageFile, Vec<u8>)>, CallFailure>;
}

/// No models at all: for engines that call none.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoModels;

impl Models for NoModels {
    fn open<'a>(&'a self, _site: CallSite<'a>) -> Result<Box<dyn StageCalls + 'a>, CallFailure> {
        Ok(Box::new(Self))
    }
}

impl StageCalls for NoModels {
    fn close(&self) -> Result<Vec<(StageFile, Vec<u8>)>, CallFailure> {
        Ok(Vec::new())
    }
}

impl Calls for NoModels {
    fn ask(&self, ask: &Ask) -> Result<Answer, CallFailure> {
        Err(CallFailure {
            class: Class::Usage,
            what: format!("no model may be called for `{}`", ask.step),
            help: "Use an engine that calls models; `orch providers` tells which are usable.".into(),
        })
    }
}

/// One question of a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The role that asks, as `architect`: its route says which models may answer.
    pub role: String,
    /// The step, as `plan.propose`, for records and `orch cost`.
    pub step: String,
    /// The instructions.
    pub system: String,
    /// The stable part of the user text, first.
    pub context: String,
    /// The rest of the user text.
    pub prompt: String,
    /// What the answer must look like.
    pub schema: ReplySchema,
    /// The most output tokens.
    pub max_output: u32,
    /// A model, named as in [`Answer::model`], whose family comes last in the route: who judges a text should not be of
    /// the family that wrote it.
    pub avoid: Option<String>,
}

/// An answer that fits its schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The answer.
    pub value: Value,
    /// Who gave it, as `anthropic/claude-sonnet-5-5`.
    pub model: String,
    /// What it cost; absent: the price is not known.
    pub cost: Option<NanoUsd>,
    /// The key of the exchange in the record.
    pub exchange: Digest,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct CallFailure {
    /// Who must act.
    pub class: Class,
    /// What failed, on what.
    pub what: String,
    /// What to do next.
    pub help: String,
}

impl Failure for CallFailure {
    fn class(&self) -> Class {
        self.class
    }

    fn help(&self) -> Option<String> {
        Some(self.help.clone())
    }
}
