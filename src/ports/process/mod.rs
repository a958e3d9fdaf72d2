//! Running repository code: one command at a time, in a sandbox, with limits.
//!
//! Must never hand a child the parent's environment, descriptors or privileges, and must never report a protection
//! that was not in force.

mod capture;
#[cfg(target_os = "linux")]
mod census;
pub mod conformance;
mod environment;
#[cfg(target_os = "linux")]
mod facts;
mod fake;
#[cfg(target_os = "linux")]
mod helper;
mod job;
#[cfg(target_os = "linux")]
mod landlock;
#[cfg_attr(not(target_os = "linux"), path = "portable.rs")]
mod launch;
#[cfg(target_os = "linux")]
mod limits;
#[cfg(target_os = "linux")]
mod machine;
#[cfg(target_os = "linux")]
mod namespace;
mod neutral;
#[cfg(unix)]
mod pipe;
mod private;
mod protection;
#[cfg(target_os = "linux")]
mod seccomp;
#[cfg(target_os = "linux")]
mod spec;
mod system;
mod toolchain;
mod watch;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::artifact::types::verification::{Ended, Protection};
use crate::diagnostic::{Class, Failure};

pub use fake::{FakeProcesses, all_enforced, outcome};
pub use launch::sandbox_stage;
pub use system::{Capabilities, SystemProcesses, harden_self};

/// Runs commands of the repository.
pub trait Processes: Send + Sync {
    /// Runs one command to its end and returns what happened.
    ///
    /// A command that fails, is stopped or cannot be found is an outcome; an error means that the sandbox itself
    /// could not be set up.
    fn run(&self, command: &Command) -> Result<Outcome, ProcessError>;

    /// Returns the protection a command with these settings would get, without running anything of the repository.
    fn protection(&self, sandbox: &Sandbox) -> Result<Protection, ProcessError>;
}

/// A command to run.
#[derive(Clone, Debug)]
pub struct Command {
    /// The words; never given to a shell.
    pub argv: Vec<String>,
    /// The working directory, also the folder the command may write to.
    pub cwd: PathBuf,
    /// Variables set besides the scrubbed base environment.
    pub env: BTreeMap<String, String>,
    /// The sandbox to run in.
    pub sandbox: Sandbox,
}

/// What a sandboxed command may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sandbox {
    /// True: no run without file, network and privilege protection. False: run with what the system gives.
    pub required: bool,
    /// What it may reach.
    pub network: Network,
    /// Folders and files it may read besides system and tool-chain folders.
    pub read: Vec<PathBuf>,
    /// Folders it may write besides its working directory (caches, for instance).
    pub write: Vec<PathBuf>,
    /// Names of variables passed on from the parent's environment.
    pub pass_env: Vec<String>,
    /// Names of variables with credentials that this one command is handed; their values are masked in what it prints.
    pub credentials: Vec<String>,
    /// The limits.
    pub limits: Limits,
}

/// What a command may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// Loopback at the most.
    Off,
    /// Everything; only for commands the config names.
    Full,
}

/// The limits of one command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Wall time.
    pub wall: Duration,
    /// Output kept, bytes, for each of stdout and stderr; the rest is counted and dropped.
    pub output_kept: u64,
    /// Output printed, bytes, both together; more stops the command.
    pub output_total: u64,
    /// Disk taken below the writable folders, bytes.
    pub disk: u64,
    /// One file's size, bytes.
    pub file: u64,
    /// Processes at once.
    pub processes: u64,
    /// Memory of all its processes together, bytes.
    pub memory: u64,
    /// Open files of one process.
    pub open_files: u64,
}

impl Default for Limits {
    fn default() -> Self {
        const MIB: u64 = 1024 * 1024;
        Self {
            wall: Duration::from_mins(10),
            output_kept: MIB,
            output_total: 64 * MIB,
            disk: 4096 * MIB,
            file: 2048 * MIB,
            processes: 512,
            memory: 4096 * MIB,
            open_files: 1024,
        }
    }
}

/// What happened to a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// How it ended.
    pub ended: Ended,
    /// What it printed.
    pub stdout: Captured,
    /// What it printed as errors.
    pub stderr: Captured,
    /// The protection that was in force.
    pub protection: Protection,
    /// What it tried and was not allowed, where that can be seen.
    pub violations: Vec<String>,
    /// How long it took.
    pub duration: Duration,
}

/// Output: the first and last part, valid UTF-8, control characters and workflow commands neutralised.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Captured {
    /// The kept text, with a line that tells what was left out in the middle.
    pub text: String,
    /// How many bytes were printed.
    pub bytes: u64,
}

/// The sandbox could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// A protection that is required cannot be had here.
    #[error("the sandbox cannot be had on this machine: {missing}")]
    Unprotected {
        /// What is missing and why.
        missing: String,
    },
    /// The machine refused something that has nothing to do with the command.
    #[error("cannot {what}")]
    System {
        /// What was tried, on what.
        what: String,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
}

impl Failure for ProcessError {
    fn class(&self) -> Class {
        match self {
            Self::Unprotected { .. } => Class::Denied,
            Self::System { .. } => Class::Internal,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Unprotected { .. } => Some(
                "Run `orch doctor` to see what this machine can enforce, or set `sandbox.required: false` in orch.yml \
                 to run without it; the verdict will say so."
                    .into(),
            ),
            Self::System { .. } => None,
        }
    }
}
