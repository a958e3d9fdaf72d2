//! What is present, what is missing, what that means and what to do.
//!
//! Must never change anything, and must never call a protection present that was not tried.

mod check;
mod look;
mod programs;
pub mod render;

use std::path::Path;

pub use check::{Check, Report, State};
pub use look::look;

use crate::config::env::Environment;
use crate::config::{ConfigError, Loaded};
use crate::diagnostic::Failure;
use crate::engine::Engine;
use crate::ports::process::Processes;
use crate::ports::vcs::{VcsError, VcsRead};

/// What the doctor looks at; all of it is made by the caller, so that a test can make it too.
#[derive(Clone, Copy)]
pub struct Patient<'a> {
    /// The root of the repository, or the folder where one was looked for.
    pub root: &'a Path,
    /// The environment.
    pub environment: &'a Environment,
    /// The config, or why there is none.
    pub config: Result<&'a Loaded, &'a ConfigError>,
    /// The repository, or why there is none.
    pub vcs: Result<&'a dyn VcsRead, &'a VcsError>,
    /// Who runs repository code.
    pub processes: &'a dyn Processes,
    /// Who writes changes, or why nobody can.
    pub engine: Result<&'a dyn Engine, &'a dyn Failure>,
    /// The folder for run folders where it is not the config's.
    pub artifacts: Option<&'a Path>,
}
