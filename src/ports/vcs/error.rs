//! What can go wrong with a repository.

use crate::diagnostic::{Class, Failure};
use crate::edit::Refusal;

/// What can go wrong with a repository.
#[derive(Debug, thiserror::Error)]
pub enum VcsError {
    /// No repository at or above the folder.
    #[error("{folder} is not in a git repository")]
    NotARepository {
        /// The folder.
        folder: String,
    },
    /// A bare repository where a checkout is needed.
    #[error("{folder} is a bare repository; orch needs a checkout")]
    Bare {
        /// The folder.
        folder: String,
    },
    /// No commit yet on the branch that is checked out.
    #[error("the repository in {folder} has no commit yet on {branch}")]
    NoCommit {
        /// The folder.
        folder: String,
        /// The branch HEAD names.
        branch: String,
    },
    /// A repository that is there but cannot be opened: an object format, an owner, a config.
    #[error("the repository in {folder} cannot be used: {why}")]
    Unusable {
        /// The folder.
        folder: String,
        /// What is in the way.
        why: String,
        /// What to do next.
        help: &'static str,
    },
    /// An object that should be there is not (a shallow or partial clone, or damage).
    #[error("the repository lacks {what}")]
    MissingObject {
        /// Which object, and what it is for.
        what: String,
    },
    /// A change that does not fit the tree it is applied to.
    #[error("cannot change `{path}`: it {why}")]
    Conflict {
        /// The file.
        path: String,
        /// The reason, to be read after `it`.
        why: String,
    },
    /// The branch is not where it was when it was read, or holds commits that are not ours.
    #[error("the branch `{branch}` {why}")]
    BranchMoved {
        /// The branch.
        branch: String,
        /// The reason, to be read after the name.
        why: String,
    },
    /// A ref that runs cannot be kept below, or what is kept there.
    #[error("the ref `{at}` {why}")]
    Records {
        /// The ref.
        at: String,
        /// The reason, to be read after the name.
        why: String,
        /// What to do next.
        help: &'static str,
    },
    /// The remote refused or could not be reached.
    #[error("cannot {what} the remote `{remote}`: {why}")]
    Remote {
        /// The remote.
        remote: String,
        /// What was tried, as `push to`.
        what: &'static str,
        /// What git said, one line.
        why: String,
    },
    /// There is no index to ask which files a text concerns.
    #[error("there is no index: {why}")]
    Index {
        /// Why, with every cause.
        why: String,
    },
    /// Anything else, with its place.
    #[error("cannot {what}")]
    Git {
        /// What was tried, on what.
        what: String,
        /// Why it failed.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Failure for VcsError {
    fn class(&self) -> Class {
        match self {
            Self::NotARepository { .. }
            | Self::Bare { .. }
            | Self::NoCommit { .. }
            | Self::Unusable { .. }
            | Self::MissingObject { .. }
            | Self::Records { .. }
            | Self::Index { .. }
            | Self::BranchMoved { .. } => Class::Usage,
            Self::Conflict { .. } => Class::Denied,
            Self::Remote { .. } => Class::Temporary,
            Self::Git { .. } => Class::Internal,
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::NotARepository { .. } => {
                "Go to a checkout, or make one with `git init` and a first commit.".into()
            }
            Self::Bare { .. } => "Clone it and run orch in the clone.".into(),
            Self::NoCommit { .. } => {
                "Check out a branch that has commits, or make a first one (`git commit --allow-empty -m init` will do).".into()
            }
            Self::Unusable { help, .. } | Self::Records { help, .. } => (*help).into(),
            Self::MissingObject { .. } => {
                "Fetch it (`git fetch --unshallow` or `git fetch --refetch`), then run again.".into()
            }
            Self::Conflict { .. } => "Commit or rename the file that is in the way, then run again.".into(),
            Self::BranchMoved { .. } => {
                "Merge or delete that branch, or set another `pr.branch` in orch.yml, then run again.".into()
            }
            Self::Remote { .. } => {
                "Check the remote and your access to it, then run again: the branch is ready.".into()
            }
            Self::Index { .. } => {
                "`orch index` makes it anew and says what is wrong; stages go on without it.".into()
            }
            Self::Git { .. } => {
                "`git fsck` tells whether the repository is damaged; check the rights of its .git folder too.".into()
            }
        })
    }
}

impl From<Refusal> for VcsError {
    fn from(refusal: Refusal) -> Self {
        Self::Conflict { path: refusal.path, why: refusal.why }
    }
}
