//! One line per stage, in pipeline order.

use super::Stage;
use crate::artifact::id::StageId;

/// Every stage, in pipeline order.
pub static STAGES: &[&dyn Stage] = &[
    &super::intake::Intake,
    &super::plan::PlanStage,
    &super::test_write::TestWrite,
    &super::verify::VerifyRed,
    &super::generate::Generate,
    &super::verify::VerifyGreen,
    &super::policy::PolicyStage,
    &super::approve::ApproveStage,
    &super::pr::Pr,
    &super::review_gate::ReviewGate,
    &super::auto_merge::AutoMergeStage,
    &super::release_gate::ReleaseGate,
    &super::promote::PromoteStage,
    &super::rollback::RollbackStage,
    &super::rollback_command::RollbackCommandStage,
];

/// Returns a stage by its id.
pub fn stage(id: StageId) -> Option<&'static dyn Stage> {
    STAGES.iter().copied().find(|s| s.spec().id == id)
}
