//! Whether a person has approved what policy lets through with a person's approval only.
//!
//! Must never take an approval of something else, or one whose time is over, for one.

use jiff::Timestamp;

use crate::artifact::digest::Digest;
use crate::artifact::id::RunId;
use crate::artifact::types::approval::Approval;
use crate::artifact::types::verdict::Decision;
use crate::diagnostic::Class;
use crate::stage::StageError;
use crate::stage::approve::bound;

use super::evidence::Evidence;

/// How the change stands with people.
#[derive(Clone, Debug)]
pub(in crate::stage) enum Consent {
    /// Policy allows it as it is.
    NotNeeded,
    /// A person has to approve this digest.
    Wanted {
        /// The digest to give.
        digest: Digest,
        /// Why the approval that is there is none, to be read after "the approval".
        void: Option<String>,
    },
    /// A person approved.
    Given(Box<Approval>),
}

impl Consent {
    /// Decides from the verdict and the approval that is there.
    pub(in crate::stage) fn decide(
        run: &RunId,
        evidence: &Evidence,
        approval: Option<Approval>,
        now: impl FnOnce() -> Timestamp,
    ) -> Result<Self, StageError> {
        if evidence.verdict.decision == Decision::Allow {
            return Ok(Self::NotNeeded);
        }
        let bound = bound(run, evidence);
        let digest = bound.digest().map_err(|source| StageError::Refused {
            class: Class::Internal,
            what: format!("what is to be approved has no canonical form: {source}"),
            help: "This is a fault of orch; please report it.".into(),
        })?;
        let Some(approval) = approval else { return Ok(Self::Wanted { digest, void: None }) };
        Ok(match approval.covers(&bound, now()) {
            Ok(()) => Self::Given(Box::new(approval)),
            Err(void) => Self::Wanted { digest, void: Some(void.to_string()) },
        })
    }

    /// Tells whether the pull request stays a draft.
    pub(in crate::stage) const fn is_wanted(&self) -> bool {
        matches!(self, Self::Wanted { .. })
    }
}
