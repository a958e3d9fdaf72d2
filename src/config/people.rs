//! The config of what people do: who may ask for a change, who may approve one, who reviews it.
//!
//! Must never depend on the machine, as every valid config.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::artifact::id::Slug;

/// The least permission in a repository that counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Permitted {
    /// Write, maintain or admin.
    #[default]
    Write,
    /// Maintain or admin.
    Maintain,
    /// Admin.
    Admin,
}

impl Permitted {
    /// Returns the word of the config.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::Maintain => "maintain",
            Self::Admin => "admin",
        }
    }
}

/// Who may ask for a change, and by what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Intake {
    /// The least permission of who asks.
    pub allow: Permitted,
    /// Numbers of the accounts of programs that may ask.
    pub bots: Vec<u64>,
    /// Labels that start a change.
    pub labels: Vec<String>,
    /// Tenants that dispatches may speak for; empty: any.
    pub tenants: Vec<Slug>,
    /// The request that a schedule starts; empty: none.
    pub scheduled: String,
}

impl Default for Intake {
    fn default() -> Self {
        Self {
            allow: Permitted::Write,
            bots: Vec::new(),
            labels: vec!["orch".into()],
            tenants: Vec::new(),
            scheduled: String::new(),
        }
    }
}

/// Who may approve a change, and for how long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Approve {
    /// The least permission of who approves.
    pub allow: Permitted,
    /// How long an approval holds.
    pub ttl_hours: u64,
    /// The deployment environment whose approval counts; empty: none does.
    pub environment: String,
}

impl Default for Approve {
    fn default() -> Self {
        Self { allow: Permitted::Write, ttl_hours: 72, environment: String::new() }
    }
}

/// Who reviews a change, and what is enough.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Review {
    /// The programs that are asked.
    pub reviewers: Vec<ReviewProgram>,
    /// How many must have answered: programs that were asked, and people who approved.
    pub answers: u32,
    /// How many people must have approved.
    pub approvals: u32,
    /// Checks that must be green, as `app:name`.
    pub checks: Vec<String>,
    /// How long to wait for answers.
    pub wait_minutes: u64,
    /// How often findings may become another round.
    pub rounds: u32,
}

impl Default for Review {
    fn default() -> Self {
        Self {
            reviewers: vec![ReviewProgram::Copilot, ReviewProgram::Coderabbit],
            answers: 1,
            approvals: 0,
            checks: Vec::new(),
            wait_minutes: 20,
            rounds: 2,
        }
    }
}

/// A program that reviews pull requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReviewProgram {
    /// GitHub Copilot code review.
    Copilot,
    /// CodeRabbit.
    Coderabbit,
}

impl ReviewProgram {
    /// Every one.
    pub const ALL: &'static [Self] = &[Self::Copilot, Self::Coderabbit];

    /// Returns the word of the config.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Copilot => "copilot",
            Self::Coderabbit => "coderabbit",
        }
    }
}

impl std::str::FromStr for ReviewProgram {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.iter().copied().find(|program| program.as_str() == text).ok_or(())
    }
}
