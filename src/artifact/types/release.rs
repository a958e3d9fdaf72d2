//! `release/evidence.json` and `release/decision.json`: what is known of a release, and what follows from it.
//!
//! The evidence is all the judge looks at, its clock and its terms included, so the same file gives the same decision
//! years later. Must never hold a float, and must never show what was not measured as a zero.

pub mod decision;
pub mod evidence;
pub mod facts;
pub mod millionths;
pub mod request;
pub mod terms;

pub use decision::{Control, ControlOutcome, ControlState, NotAsked, ReleaseDecision, ReleaseOutcome};
pub use evidence::{FactName, Facts, OwnRules, ReleaseEvidence, SourceOutcome, SourceRecord};
pub use facts::{
    ApprovalGiven, ApprovalHow, ArtifactDigest, ArtifactsSeen, Asker, BudgetSeen, ChangeRun, CheckSeen,
    CheckSort, CheckState, DeltaSeen, DeploymentSeen, DeploymentState, FreezeSeen, LastGood, Licence,
    LicenceState, Measure, MeasureOf, PhaseSeen, ProofCheck, ProofResult, ProofSeen, PullSeen, RehearsalSeen,
    ReleaseCommit, ReleaseSeen, ReviewSeen, RollbackSeen, RunApproval, SbomSeen, TestsSeen, VerdictSeen,
    WaiverSeen,
};
pub use millionths::Millionths;
pub use request::{ReleaseRequest, ReleaseSubject};
pub use terms::{
    Better, BudgetTerm, CanaryTerm, DeltaTerm, LicenceTerm, RequiredCheck, RollbackTerm, SloTerm, SoakTerm,
    Terms,
};
