//! The pipeline as data: order, rounds and conditions.
//!
//! Must never hold a local-only notion: the definition is the one source for `orch run` and for CI workflows.

mod definition;
pub mod earlier;
pub mod parts;
mod plan;
mod walk;

pub use definition::{
    CHANGE, Ci, IndexOf, IndexStep, LoopBody, LoopStep, Pipeline, PipelineError, Place, SHIPPED, StageStep,
    Step, Subject, When,
};
pub use plan::{PlannedStage, Prices, RunPlan, plan};
pub use walk::{Bounds, Walk, walk};
