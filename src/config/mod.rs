//! `orch.yml`: what was written, checked, with defaults filled in.
//!
//! Must never be read twice in a run, and must never hold a secret.

mod acts;
pub(crate) mod check;
mod check_release;
mod command;
pub mod detect;
pub mod env;
mod error;
pub mod init;
pub mod keys;
pub mod load;
mod pack;
mod people;
mod raw;
mod reference;
mod release;
mod sandbox;
pub mod starter;
mod upgrade;
mod valid;
mod walk;

pub use acts::{GoBack, Promote, PromoteAct, PromotedState, Reverts};
pub use error::ConfigError;
pub use load::{FILE_NAME, Loaded, load, parse};
pub use people::{Approve, Intake, Permitted, Review, ReviewProgram};
pub use reference::{config_reference, env_reference};
pub use release::{BudgetQuery, CanaryQueries, Freeze, Query, Release, ReleaseEnvironment, Statistic};
pub use upgrade::Upgrade;
pub use valid::{
    Artifacts, Author, AutoMerge, Budget, Command, Commands, Config, EngineChoice, FilePack, ForgeChoice,
    GitPack, Level, Models, Pack, Paths, Policy, Pr, Sandbox, SandboxLimits, StageBudgets, StageLimits,
    Templates, Verify,
};

/// The documented defaults, as a file a person can start from.
pub const DEFAULT_YML: &str = include_str!("default.yml");
