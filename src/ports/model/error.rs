//! Why a call gave no answer, told apart by what there is to do about it.
//!
//! Must never hold a credential or a whole reply: messages are one short line, made harmless.

use std::time::Duration;

use crate::diagnostic::{Class, Failure};

/// Why a call gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// A rate limit: the same call succeeds later.
    #[error("the rate limit is reached ({code})")]
    Wait {
        /// How long the server wants one to wait.
        after: Option<Duration>,
        /// The server's word for it.
        code: String,
    },
    /// The server is overloaded or broken: another try, or another provider.
    #[error("the server is overloaded or broken ({status}: {code})")]
    Overloaded {
        /// The HTTP status.
        status: u16,
        /// How long the server wants one to wait.
        after: Option<Duration>,
        /// The server's word for it.
        code: String,
    },
    /// Money is used up at the provider; waiting does not help.
    #[error("the provider's spending limit or balance is used up ({code})")]
    Spend {
        /// The server's word for it.
        code: String,
    },
    /// The credential is missing, wrong or has no right to this.
    #[error("the credential is not accepted ({code})")]
    Auth {
        /// The server's word for it.
        code: String,
    },
    /// The request is wrong.
    #[error("the request was refused ({code}): {message}")]
    BadRequest {
        /// The server's word for it.
        code: String,
        /// What the server said, one line.
        message: String,
    },
    /// The prompt is too large for the model.
    #[error("the prompt is too large: {message}")]
    TooLarge {
        /// What was said, one line.
        message: String,
    },
    /// The model, or a filter before it, refused; this was billed.
    #[error("the model refused to answer ({why})")]
    Refused {
        /// The provider's word for it.
        why: String,
    },
    /// The output limit was reached before the answer ended; this was billed.
    #[error("the answer was cut off at the output limit ({why})")]
    Truncated {
        /// The provider's word for it.
        why: String,
    },
    /// No answer in time.
    #[error("there was no answer within {} s", .within.as_secs_f32())]
    Timeout {
        /// How long was waited.
        within: Duration,
        /// True when the request had been sent, so that it may be billed.
        maybe_billed: bool,
    },
    /// The connection broke after the request had been sent; this may be billed.
    #[error("the reply broke off: {why}")]
    Cut {
        /// Where and how.
        why: String,
    },
    /// The reply is not what the wire format says.
    #[error("the reply cannot be read: {what}")]
    Shape {
        /// What is wrong, where.
        what: String,
    },
    /// Nothing was sent: no route, no name, refused, no such program.
    #[error("the provider cannot be reached: {why}")]
    Offline {
        /// Why.
        why: String,
    },
    /// A setting cannot be said on this wire: nothing was sent.
    #[error("{what}")]
    Unsupported {
        /// What cannot be said, to whom.
        what: String,
    },
}

impl CallError {
    /// Tells whether the same call may succeed later, at this or another provider.
    pub const fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Wait { .. }
                | Self::Overloaded { .. }
                | Self::Timeout { .. }
                | Self::Cut { .. }
                | Self::Offline { .. }
        )
    }

    /// Tells whether the provider may bill the call although it gave no usable answer.
    pub const fn may_be_billed(&self) -> bool {
        matches!(
            self,
            Self::Refused { .. }
                | Self::Truncated { .. }
                | Self::Timeout { maybe_billed: true, .. }
                | Self::Cut { .. }
                | Self::Shape { .. }
        )
    }

    /// Returns the word used in records: `wait`, `overloaded`, `spend`, ...
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Wait { .. } => "wait",
            Self::Overloaded { .. } => "overloaded",
            Self::Spend { .. } => "spend",
            Self::Auth { .. } => "auth",
            Self::BadRequest { .. } => "bad-request",
            Self::TooLarge { .. } => "too-large",
            Self::Refused { .. } => "refused",
            Self::Truncated { .. } => "truncated",
            Self::Timeout { .. } => "timeout",
            Self::Cut { .. } => "cut",
            Self::Shape { .. } => "shape",
            Self::Offline { .. } => "offline",
            Self::Unsupported { .. } => "unsupported",
        }
    }
}

impl Failure for CallError {
    fn class(&self) -> Class {
        match self {
            Self::Wait { .. }
            | Self::Overloaded { .. }
            | Self::Timeout { .. }
            | Self::Cut { .. }
            | Self::Offline { .. }
            | Self::Shape { .. } => Class::Temporary,
            Self::Spend { .. } => Class::Exhausted,
            Self::Auth { .. }
            | Self::BadRequest { .. }
            | Self::TooLarge { .. }
            | Self::Unsupported { .. } => Class::Usage,
            Self::Refused { .. } | Self::Truncated { .. } => Class::NotConverged,
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Wait { .. } | Self::Overloaded { .. } => {
                "Run again later, or add another model to the route in models.toml.".into()
            }
            Self::Timeout { .. } | Self::Cut { .. } => {
                "Run again; the record keeps what was paid for.".into()
            }
            Self::Spend { .. } => {
                "Add credit or raise the limit at the provider, or add another provider to the route.".into()
            }
            Self::Auth { .. } => {
                "Check the credential that `orch providers` names for it, and its rights.".into()
            }
            Self::BadRequest { .. } | Self::Unsupported { .. } => {
                "Check the model and its settings in models.toml.".into()
            }
            Self::TooLarge { .. } => {
                "Use a model with a larger context, or lower the context ceilings.".into()
            }
            Self::Refused { .. } => "A person has to look at the request; another model may take it.".into(),
            Self::Truncated { .. } => "Raise the step's output limit, or ask for less.".into(),
            Self::Shape { .. } => "Check that the endpoint speaks the format models.toml says.".into(),
            Self::Offline { .. } => {
                "Check the address, the network and the proxy; `orch providers ping NAME` tries it.".into()
            }
        })
    }
}
