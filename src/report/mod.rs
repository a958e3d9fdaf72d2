//! A run rendered from its artifacts, any time later.
//!
//! Must never look at anything but the run folder: the same folder gives the same report on any machine.

mod model;
pub mod render;

pub use model::{Report, ReportError, ReportedStage, ReportedTest};
