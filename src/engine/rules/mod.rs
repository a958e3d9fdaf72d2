//! What every proposal is checked for, whoever made it: the rules of plans, test sets and edits.
//!
//! Must never mend a proposal: it holds, or it is told what does not.

mod edits;
mod files;
mod plan;
mod tests;

use crate::ports::vcs::VcsError;

pub use edits::edits;
pub use files::files;
pub use plan::{TYPES, plan};
pub use tests::tests;

/// Reads a file of the base.
pub type Base<'a> = dyn Fn(&str) -> Result<Option<Vec<u8>>, VcsError> + 'a;

/// Why a proposal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// It breaks a rule.
    #[error("{0}")]
    Broken(String),
    /// The base could not be read.
    #[error(transparent)]
    Vcs(#[from] VcsError),
}

fn broken(what: impl Into<String>) -> RuleError {
    RuleError::Broken(what.into())
}
