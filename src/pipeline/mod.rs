//! The pipeline as data: order, rounds and conditions.
//!
//! Must never hold a local-only notion: the definition is the one source for `orch run` and for CI workflows.

mod definition;
mod plan;
mod walk;

pub use definition::{CHANGE, LoopBody, LoopStep, Pipeline, PipelineError, StageStep, Step, When};
pub use plan::{PlannedStage, Prices, RunPlan, plan};
pub use walk::{Bounds, Walk, walk};
