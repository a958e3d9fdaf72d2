//! What a stage declares: inputs, outputs, effects, powers, token permissions.
//!
//! Must never hold behaviour: the runner enforces it, help, docs and workflows are made from it.

use std::fmt;

use serde::Serialize;

use crate::artifact::id::StageId;
use crate::artifact::kind::Slot;

/// What a stage declares.
#[derive(Debug)]
pub struct StageSpec {
    /// The stage.
    pub id: StageId,
    /// The version of its behaviour; part of the stage key, so raise it when outputs change for the same inputs.
    pub version: u32,
    /// One sentence for help and tables.
    pub summary: &'static str,
    /// A paragraph for `--explain`: what it proves, what it refuses.
    pub about: &'static str,
    /// The files it reads.
    pub inputs: &'static [Input],
    /// The files it writes; all of them, every time it finishes.
    pub outputs: &'static [Slot],
    /// The files it writes only where there is something to tell.
    pub may_write: &'static [Slot],
    /// What it does to the world.
    pub effects: &'static [EffectKind],
    /// The top-level config keys that change what it writes.
    pub config: &'static [&'static str],
    /// The GitHub token permissions its job needs.
    pub permissions: &'static [Permission],
    /// The exit codes it may end with besides 0, 1, 2 and 75.
    pub exits: &'static [u8],
}

/// A file a stage reads.
#[derive(Clone, Copy, Debug)]
pub struct Input {
    /// Which file.
    pub slot: Slot,
    /// Whether the stage cannot run without it.
    pub required: bool,
    /// True: the file of the round before this one (a report that sends work back); false: the newest.
    pub previous_round: bool,
}

impl Input {
    /// A file the stage cannot run without.
    pub const fn required(slot: Slot) -> Self {
        Self { slot, required: true, previous_round: false }
    }

    /// A file that may be absent.
    pub const fn optional(slot: Slot) -> Self {
        Self { slot, required: false, previous_round: false }
    }

    /// A file of the round before, absent in the first.
    pub const fn feedback(slot: Slot) -> Self {
        Self { slot, required: false, previous_round: true }
    }
}

/// What a stage does to the world; it is handed the ports of these and no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EffectKind {
    /// Reads the repository.
    RepositoryRead,
    /// Asks an engine for a change; may call models.
    Model,
    /// Runs commands of the repository in clean copies.
    Process,
    /// Looks at issues, pull requests, reviews and checks of the forge.
    ForgeRead,
    /// Looks at files of earlier steps, a metrics server and change runs.
    Observe,
    /// Writes a branch, pushes, opens a pull request.
    ForgeWrite,
}

impl EffectKind {
    /// Returns the dangerous power the effect carries, if it does.
    pub const fn power(self) -> Option<Power> {
        match self {
            Self::RepositoryRead | Self::ForgeRead | Self::Observe => None,
            Self::Model => Some(Power::Key),
            Self::Process => Some(Power::Exec),
            Self::ForgeWrite => Some(Power::Write),
        }
    }

    /// Returns the name used in files and tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RepositoryRead => "repository-read",
            Self::Model => "model",
            Self::Process => "process",
            Self::ForgeRead => "forge-read",
            Self::Observe => "observe",
            Self::ForgeWrite => "forge-write",
        }
    }
}

/// The three dangerous powers; no stage holds two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Power {
    /// May hold a model key.
    Key,
    /// Runs repository code.
    Exec,
    /// Holds a write token.
    Write,
}

impl Power {
    /// Returns the name used in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Exec => "exec",
            Self::Write => "write",
        }
    }
}

impl fmt::Display for Power {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A GitHub token permission, as it stands in a workflow file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Permission {
    /// `contents: read`
    #[serde(rename = "contents: read")]
    ContentsRead,
    /// `contents: write`
    #[serde(rename = "contents: write")]
    ContentsWrite,
    /// `pull-requests: read`
    #[serde(rename = "pull-requests: read")]
    PullRequestsRead,
    /// `pull-requests: write`
    #[serde(rename = "pull-requests: write")]
    PullRequestsWrite,
    /// `issues: read`
    #[serde(rename = "issues: read")]
    IssuesRead,
    /// `issues: write`
    #[serde(rename = "issues: write")]
    IssuesWrite,
    /// `checks: read`
    #[serde(rename = "checks: read")]
    ChecksRead,
    /// `checks: write`
    #[serde(rename = "checks: write")]
    ChecksWrite,
    /// `statuses: read`
    #[serde(rename = "statuses: read")]
    StatusesRead,
    /// `statuses: write`
    #[serde(rename = "statuses: write")]
    StatusesWrite,
    /// `security-events: write`
    #[serde(rename = "security-events: write")]
    SecurityEventsWrite,
    /// `deployments: read`
    #[serde(rename = "deployments: read")]
    DeploymentsRead,
    /// `deployments: write`
    #[serde(rename = "deployments: write")]
    DeploymentsWrite,
    /// `actions: read`
    #[serde(rename = "actions: read")]
    ActionsRead,
}

impl Permission {
    /// Returns the line of a workflow file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ContentsRead => "contents: read",
            Self::ContentsWrite => "contents: write",
            Self::PullRequestsRead => "pull-requests: read",
            Self::PullRequestsWrite => "pull-requests: write",
            Self::IssuesRead => "issues: read",
            Self::IssuesWrite => "issues: write",
            Self::ChecksRead => "checks: read",
            Self::ChecksWrite => "checks: write",
            Self::StatusesRead => "statuses: read",
            Self::StatusesWrite => "statuses: write",
            Self::SecurityEventsWrite => "security-events: write",
            Self::DeploymentsRead => "deployments: read",
            Self::DeploymentsWrite => "deployments: write",
            Self::ActionsRead => "actions: read",
        }
    }
}

impl StageSpec {
    /// Tells whether the stage takes what somebody said (a request, an approval) besides its files.
    pub fn takes_request(&self) -> bool {
        matches!(self.id, StageId::Intake | StageId::Approve | StageId::ReleaseGate)
    }

    /// Returns the dangerous power of the stage; `None` where it has none.
    ///
    /// A stage with two does not pass the tests (`tests/it/tidy.rs`).
    pub fn powers(&self) -> Vec<Power> {
        let mut powers: Vec<_> = self.effects.iter().filter_map(|e| e.power()).collect();
        powers.sort_unstable();
        powers.dedup();
        powers
    }
}
