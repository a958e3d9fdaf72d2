//! Why a forge did not do what was asked, each cause told apart.
//!
//! Must never hold a token or a header of a request; what the forge said is cut and made one plain line.

use serde::{Deserialize, Serialize};

use crate::diagnostic::{Class, Failure};

/// Why a forge did not do what was asked. `what` says what was tried, as `open the pull request`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case", tag = "error")]
pub enum ForgeError {
    /// There is no token, so nothing was asked.
    #[error("there is no token to {what}")]
    NoToken {
        /// What was tried.
        what: String,
    },
    /// The forge does not know the token (401).
    #[error("the forge does not take the token, so it did not {what}: {why}")]
    Unauthorised {
        /// What was tried.
        what: String,
        /// What the forge said.
        why: String,
    },
    /// The token may not do it (403, and 404 on a write).
    #[error("the token may not {what}: {why}")]
    Forbidden {
        /// What was tried.
        what: String,
        /// What the forge said.
        why: String,
        /// The permission or setting that is missing, and where it is set; one sentence.
        missing: String,
    },
    /// There is no such thing, or the token may not know of it (404 on a read).
    #[error("there is nothing to {what}")]
    NotFound {
        /// What was tried.
        what: String,
    },
    /// It is there already, or is not what it was expected to be (409; 422 of such a kind). Nothing was changed.
    #[error("could not {what}, it is not as expected: {why}")]
    Conflict {
        /// What was tried.
        what: String,
        /// What the forge said.
        why: String,
    },
    /// The forge refuses the request as it is (400, 422). Never sent again.
    #[error("the forge refuses to {what}: {why}")]
    Invalid {
        /// What was tried.
        what: String,
        /// What the forge said.
        why: String,
    },
    /// A limit of requests is reached, and the deadline does not allow to wait for it. Nothing was done.
    #[error("the forge's {} rate limit is reached, so it did not {what}", if *secondary { "secondary" } else { "primary" })]
    RateLimited {
        /// What was tried.
        what: String,
        /// True: too fast (a short wait); false: the hour's requests are used up.
        secondary: bool,
        /// When it may be tried again, RFC 3339; absent where the forge did not say.
        until: Option<String>,
    },
    /// The forge or the way to it failed, and nothing was done (5xx on a read, no connection).
    #[error("could not {what} now: {why}")]
    Temporary {
        /// What was tried.
        what: String,
        /// What happened.
        why: String,
    },
    /// A write was sent and no answer came (time-out, 5xx, connection lost): it may have been done.
    #[error("it is not known whether the forge did {what}: {why}")]
    Unknown {
        /// What was tried.
        what: String,
        /// What happened.
        why: String,
    },
    /// This forge, or this version of it, cannot do it at all.
    #[error("this forge cannot {what}: {why}")]
    Unsupported {
        /// What was tried.
        what: String,
        /// What it lacks.
        why: String,
    },
    /// The answer is not what the forge's documentation says.
    #[error("the forge's answer cannot be read ({what}): {why}")]
    Broken {
        /// What was tried.
        what: String,
        /// What is wrong.
        why: String,
    },
}

impl ForgeError {
    /// Returns whether there is no such thing.
    pub const fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }

    /// Returns whether another try may work without anybody doing anything.
    pub const fn is_temporary(&self) -> bool {
        matches!(self, Self::RateLimited { .. } | Self::Temporary { .. } | Self::Unknown { .. })
    }

    /// Returns `None` where there is no such thing.
    pub fn optional<T>(result: Result<T, Self>) -> Result<Option<T>, Self> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(Self::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Failure for ForgeError {
    fn class(&self) -> Class {
        match self {
            Self::NoToken { .. }
            | Self::Unauthorised { .. }
            | Self::Forbidden { .. }
            | Self::NotFound { .. }
            | Self::Invalid { .. }
            | Self::Unsupported { .. } => Class::Usage,
            Self::Conflict { .. }
            | Self::RateLimited { .. }
            | Self::Temporary { .. }
            | Self::Unknown { .. } => Class::Temporary,
            Self::Broken { .. } => Class::Internal,
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::NoToken { .. } => {
                "Set ORCH_FORGE_TOKEN or GITHUB_TOKEN; in a workflow: `GITHUB_TOKEN: ${{ github.token }}` in `env` of the step."
                    .into()
            }
            Self::Unauthorised { .. } => {
                "Make a new token: an App's lives for an hour, a workflow's for its job; then set ORCH_FORGE_TOKEN or GITHUB_TOKEN."
                    .into()
            }
            Self::Forbidden { missing, .. } => missing.clone(),
            Self::NotFound { .. } => {
                "Look at the name; a forge also says so of a private repository that the token may not read.".into()
            }
            Self::Conflict { .. } => "Run again: what is there now is read first.".into(),
            Self::Invalid { .. } => "Read what the forge said; sending the same again cannot help.".into(),
            Self::RateLimited { until: Some(until), .. } => format!("Run again after {until}; what is done is kept."),
            Self::RateLimited { .. } => "Run again in a few minutes; what is done is kept.".into(),
            Self::Temporary { .. } => "Run again; see githubstatus.com if it stays.".into(),
            Self::Unknown { .. } => "Run again: it is looked up before anything is written.".into(),
            Self::Unsupported { .. } => "Use a newer version of the forge, or switch the feature off in orch.yml.".into(),
            Self::Broken { .. } => "Check GITHUB_API_URL; please report it if that is right.".into(),
        })
    }
}
