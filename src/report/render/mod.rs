//! Renderers: one file each, all reading the same frozen model.
//!
//! Must never decide anything, and must never print what a terminal or Markdown would take for its own.

mod diff;
mod human;
mod json;
mod markdown;
mod summary;

pub use diff::diff;
pub use human::human;
pub use json::json;
pub use markdown::markdown;
pub use summary::summary;

use crate::artifact::types::verdict::{Decision, Effect};
use crate::artifact::types::verification::TestStatus;
use crate::diagnostic::text::{plain, wall_time};

const fn status(status: TestStatus) -> &'static str {
    match status {
        TestStatus::Passed => "green",
        TestStatus::Failed => "red",
        TestStatus::Skipped => "skipped",
        TestStatus::NotSeen => "not seen",
    }
}

const fn decision(decision: Decision) -> &'static str {
    match decision {
        Decision::Allow => "allow",
        Decision::NeedsApproval => "needs approval",
        Decision::Deny => "deny",
    }
}

const fn effect(effect: Effect) -> &'static str {
    match effect {
        Effect::Warn => "warn",
        Effect::RequireApproval => "needs approval",
        Effect::Deny => "deny",
    }
}
