//! `orch.yml`: what was written, checked, with defaults filled in.
//!
//! Must never be read twice in a run, and must never hold a secret.

mod valid;

pub use valid::{
    Artifacts, Author, Command, Commands, Config, EngineChoice, Level, Paths, Policy, Pr, Sandbox,
    SandboxLimits, Templates, Verify,
};
