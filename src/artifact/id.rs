//! Typed names: runs, stages, rounds, commits.
//!
//! Must never be built from a string that was not checked.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::checked::checked_text;

/// A name that does not have the form it must have.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{text}` is not {what}")]
pub struct IdError {
    text: String,
    what: &'static str,
}

impl IdError {
    const fn of(text: String, what: &'static str) -> Self {
        Self { text, what }
    }
}

fn is_slug(text: &str, max: usize) -> bool {
    (1..=max).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

fn is_object_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

checked_text!(
    IdError,
    /// The id of a run, also the name of its folder: lower-case letters, digits and inner hyphens, up to 100.
    RunId, "a run id (lower-case letters, digits and inner hyphens, up to 100)", "^[a-z0-9]([a-z0-9-]{0,98}[a-z0-9])?$",
    |t| is_slug(t, 100)
);
checked_text!(
    IdError,
    /// The name of a service, a scope or a template: lower-case letters, digits and inner hyphens, up to 60.
    Slug, "a name (lower-case letters, digits and inner hyphens, up to 60)", "^[a-z0-9]([a-z0-9-]{0,58}[a-z0-9])?$",
    |t| is_slug(t, 60)
);
checked_text!(
    IdError,
    /// The id of a git commit, 40 (SHA-1) or 64 (SHA-256) lower-case hex digits.
    CommitId, "a commit id", "^([0-9a-f]{40}|[0-9a-f]{64})$", is_object_id
);
checked_text!(
    IdError,
    /// The id of a git tree, 40 (SHA-1) or 64 (SHA-256) lower-case hex digits.
    TreeId, "a tree id", "^([0-9a-f]{40}|[0-9a-f]{64})$", is_object_id
);

impl Slug {
    /// Makes a name of any text: letters and digits kept in lower case, the rest folded to hyphens; `fallback` if nothing is left.
    ///
    /// `fallback` must be a slug itself; it is folded in the same way, and `x` is used where that leaves nothing.
    pub fn fold(text: &str, max: usize, fallback: &str) -> Self {
        let fold = |text: &str| {
            let mut slug = String::new();
            for c in text.chars() {
                if c.is_ascii_alphanumeric() {
                    slug.push(c.to_ascii_lowercase());
                } else if !slug.is_empty() && !slug.ends_with('-') {
                    slug.push('-');
                }
                if slug.len() >= max.min(60) {
                    break;
                }
            }
            slug.trim_end_matches('-').to_owned()
        };
        let slug = Some(fold(text)).filter(|s| !s.is_empty()).unwrap_or_else(|| fold(fallback));
        Self(if slug.is_empty() { "x".to_owned() } else { slug })
    }
}

macro_rules! stage_ids {
    ($($(#[$doc:meta])* $variant:ident = $name:literal;)+) => {
        /// The id of a stage.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "kebab-case")]
        pub enum StageId { $($(#[$doc])* $variant,)+ }

        impl StageId {
            /// Every stage id, in pipeline order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Returns the name used in files and on the command line.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }
    };
}

stage_ids! {
    /// A request becomes a task.
    Intake = "intake";
    /// A task becomes a plan.
    Plan = "plan";
    /// The acceptance tests are written.
    TestWrite = "test-write";
    /// The new tests must fail on the base.
    VerifyRed = "verify-red";
    /// The edits are made.
    Generate = "generate";
    /// Everything must pass with the edits.
    VerifyGreen = "verify-green";
    /// The change set is judged.
    Policy = "policy";
    /// A person approves the change.
    Approve = "approve";
    /// Branch, commits and pull request.
    Pr = "pr";
    /// Reviewers and checks are heard.
    ReviewGate = "review-gate";
    /// The pull request is let merge by itself.
    AutoMerge = "auto-merge";
    /// Evidence about a release is collected and judged.
    ReleaseGate = "release-gate";
    /// What the gate let through is put on the forge.
    Promote = "promote";
    /// What did harm is taken back.
    Rollback = "rollback";
    /// The repository's own command to go back is run.
    RollbackCommand = "rollback-command";
}

impl FromStr for StageId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::ALL
            .iter()
            .copied()
            .find(|s| s.as_str() == text)
            .ok_or_else(|| IdError { text: text.to_owned(), what: "a stage" })
    }
}

impl fmt::Display for StageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The round of a repair loop, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Round(#[schemars(range(min = 1))] u32);

impl Round {
    /// The first round, and the round of every stage outside a loop.
    pub const FIRST: Self = Self(1);

    /// Returns round `n`, or `None` for 0.
    pub const fn new(n: u32) -> Option<Self> {
        if n == 0 { None } else { Some(Self(n)) }
    }

    /// Returns the round after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// Returns the number, from 1.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Returns the path of a file of this round: round 1 as it is, later ones below `rounds/<n>/`.
    pub fn path(self, base: &str) -> String {
        if self == Self::FIRST { base.to_owned() } else { format!("rounds/{}/{base}", self.0) }
    }
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_folded() {
        assert_eq!(Slug::fold("Add a /health endpoint!", 40, "x").as_str(), "add-a-health-endpoint");
        assert_eq!(Slug::fold("日本", 40, "change").as_str(), "change");
        assert_eq!(Slug::fold("--", 40, "").as_str(), "x");
        assert!("a-b".parse::<RunId>().is_ok());
        for bad in ["", "-a", "a-", "A", "a/b", "..", "a b"] {
            assert!(bad.parse::<RunId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn serde_names_are_the_display_names() {
        for stage in StageId::ALL {
            assert_eq!(serde_json::to_value(stage).unwrap(), stage.as_str());
        }
    }
}
