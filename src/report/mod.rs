//! A run rendered from its artifacts, any time later.
//!
//! Must never look at anything but the run folder: the same folder gives the same report on any machine.

mod discussion;
mod model;
pub mod release;
pub mod render;

pub use crate::verdicts as verdict;
pub use discussion::{Discussion, Speaker};
pub use model::{Report, ReportError, ReportedStage, ReportedTest};
