//! The central idea: a stage reads artifact files and writes artifact files.
//!
//! A stage never opens the store and never reaches the world except through the ports its spec names.

mod act;
mod context;
mod error;
mod io;
mod journal;
mod proposal;
pub mod registry;
pub mod runner;
pub mod spec;

pub mod approve;
pub mod auto_merge;
pub mod generate;
pub mod intake;
pub mod plan;
pub mod policy;
pub mod pr;
pub mod promote;
pub mod release_gate;
pub mod review_gate;
pub mod rollback;
pub mod rollback_command;
pub mod test_write;
pub mod verify;

pub use context::{Ports, Request, StageContext};
pub use error::StageError;
pub use io::{Finished, Inputs, Loaded, Output, Outputs, StageResult};

use crate::artifact::types::manifest::Material;
use spec::StageSpec;

/// A stage of the pipeline.
pub trait Stage: Send + Sync {
    /// Returns what the stage declares.
    fn spec(&self) -> &'static StageSpec;

    /// Returns what the outputs depend on besides inputs and config (templates, policy bundle); part of the stage key.
    fn materials(&self, _cx: &StageContext<'_>) -> Result<Vec<Material>, StageError> {
        Ok(Vec::new())
    }

    /// Does the work: inputs in, outputs out, nothing else.
    fn run(&self, cx: &StageContext<'_>, inputs: &Inputs) -> Result<Finished, StageError>;

    /// Tells whether the world still is as the finished outputs say; asked before a finished stage is reused.
    fn still_holds(&self, _cx: &StageContext<'_>, _outputs: &Inputs) -> Result<bool, StageError> {
        Ok(true)
    }
}
