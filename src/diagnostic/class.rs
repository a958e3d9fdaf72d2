//! Who must act on an error, and what to do next.

use std::error::Error;

/// The class of an outcome; `cli::exit` maps it to the documented exit codes, and nothing else does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// A fault of this program or of the machine below it.
    Internal,
    /// Wrong words, wrong config, or a repository that cannot be used as it is.
    Usage,
    /// Policy says no, or a protection was violated.
    Denied,
    /// A person has to approve.
    NeedsApproval,
    /// Money or time is used up.
    Exhausted,
    /// Tests failed, or do not prove what they must prove.
    TestsFailed,
    /// The rounds ended without agreement or without green tests.
    NotConverged,
    /// Try again later; nothing is wrong with the request.
    Temporary,
    /// There is nothing to do.
    Nothing,
}

/// An error that tells its class and what to do next.
///
/// `Display` says what failed and on what, as a lower-case fragment without a full stop, and never prints its source:
/// the chain is walked once, by the command line.
pub trait Failure: Error + Send + Sync + 'static {
    /// Returns who must act.
    fn class(&self) -> Class;

    /// Returns what to do next, as one sentence, where there is something to do.
    fn help(&self) -> Option<String> {
        None
    }
}
