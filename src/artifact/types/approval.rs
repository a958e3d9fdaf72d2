//! `approval.json`: a person's approval, bound to what was approved.
//!
//! It holds for these digests and until its end, and for nothing else. Must never be made by a program.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::task::Requester;
use crate::artifact::digest::{CanonicalError, Digest};
use crate::artifact::envelope::Artifact;
use crate::artifact::id::{CommitId, RunId};
use crate::artifact::kind::ArtifactKind;

/// A person's approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// The digest the person gave: that of `bound`.
    pub digest: Digest,
    /// What was approved.
    pub bound: Bound,
    /// Who approved, and how.
    pub by: Requester,
    /// The payload of the event with the command, where it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<Digest>,
    /// The findings that needed a person, by code and fingerprint.
    pub findings: Vec<Approved>,
    /// When it was given, RFC 3339 in UTC with whole seconds.
    pub approved_at: String,
    /// When it ends, in the same form.
    pub expires_at: String,
}

/// What an approval is bound to: another digest in any of these is another change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bound {
    /// The run.
    pub run: RunId,
    /// The commit the change starts from.
    pub base: CommitId,
    /// `task.json`.
    pub task: Digest,
    /// `tests.json`.
    pub tests: Digest,
    /// The last `edits.json`.
    pub edits: Digest,
    /// All rules and data that judged.
    pub bundle: Digest,
    /// `policy/verdict.json`.
    pub verdict: Digest,
}

/// A finding that needed a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Approved {
    /// The code of the rule.
    pub code: String,
    /// The finding's fingerprint.
    pub fingerprint: String,
}

/// Why an approval does not cover a change, to be read after "the approval".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Void {
    /// Its own parts disagree.
    #[error("contradicts itself")]
    Broken,
    /// Something it is bound to is another.
    #[error("is for another {0}")]
    Other(&'static str),
    /// It is from later than now.
    #[error("is from the future")]
    Early,
    /// Its time is over.
    #[error("has expired")]
    Expired,
}

impl Bound {
    /// Returns the digest that a person gives: over the canonical JSON of all parts.
    pub fn digest(&self) -> Result<Digest, CanonicalError> {
        Digest::of_json(self)
    }
}

impl Approval {
    /// Tells whether the approval covers what is there now.
    pub fn covers(&self, now_bound: &Bound, now: Timestamp) -> Result<(), Void> {
        let Self { bound, .. } = self;
        let same = [
            ("run", bound.run == now_bound.run),
            ("base", bound.base == now_bound.base),
            ("task", bound.task == now_bound.task),
            ("test set", bound.tests == now_bound.tests),
            ("change set", bound.edits == now_bound.edits),
            ("policy bundle", bound.bundle == now_bound.bundle),
            ("verdict", bound.verdict == now_bound.verdict),
        ];
        if let Some((what, _)) = same.iter().find(|(_, same)| !same) {
            return Err(Void::Other(what));
        }
        if bound.digest().ok().as_ref() != Some(&self.digest) {
            return Err(Void::Broken);
        }
        let time = |text: &str| text.parse::<Timestamp>().map_err(|_| Void::Broken);
        let (from, to) = (time(&self.approved_at)?, time(&self.expires_at)?);
        match () {
            () if to <= from => Err(Void::Broken),
            () if now < from => Err(Void::Early),
            () if now >= to => Err(Void::Expired),
            () => Ok(()),
        }
    }
}

impl Artifact for Approval {
    const KIND: ArtifactKind = ArtifactKind::Approval;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::types::task::Channel;

    fn bound() -> Bound {
        Bound {
            run: "r".parse().unwrap(),
            base: "a".repeat(40).parse().unwrap(),
            task: Digest::of("task"),
            tests: Digest::of("tests"),
            edits: Digest::of("edits"),
            bundle: Digest::of("bundle"),
            verdict: Digest::of("verdict"),
        }
    }

    fn approval() -> Approval {
        Approval {
            digest: bound().digest().unwrap(),
            bound: bound(),
            by: Requester::at_hand(Channel::CommandLine),
            event: None,
            findings: Vec::new(),
            approved_at: "2026-11-27T12:00:00Z".into(),
            expires_at: "2026-11-28T12:00:00Z".into(),
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn it_holds_for_its_time() {
        let approval = approval();
        for (now, wanted) in [
            ("2026-11-27T11:59:59Z", Err(Void::Early)),
            ("2026-11-27T12:00:00Z", Ok(())),
            ("2026-11-28T11:59:59Z", Ok(())),
            ("2026-11-28T12:00:00Z", Err(Void::Expired)),
            ("2036-11-28T12:00:00Z", Err(Void::Expired)),
        ] {
            assert_eq!(approval.covers(&bound(), at(now)), wanted, "{now}");
        }
    }

    type Change = fn(&mut Bound, Digest);

    #[test]
    fn any_other_part_makes_it_void() {
        let now = at("2026-11-27T13:00:00Z");
        let other = Digest::of("other");
        let changes: [(&str, Change); 5] = [
            ("task", |b, d| b.task = d),
            ("test set", |b, d| b.tests = d),
            ("change set", |b, d| b.edits = d),
            ("policy bundle", |b, d| b.bundle = d),
            ("verdict", |b, d| b.verdict = d),
        ];
        for (what, change) in changes {
            let mut there = bound();
            change(&mut there, other.clone());
            assert_eq!(approval().covers(&there, now), Err(Void::Other(what)));
            // And the approval cannot be bent to fit: its digest is over what it is bound to.
            let mut bent = approval();
            change(&mut bent.bound, other.clone());
            assert_eq!(bent.covers(&there, now), Err(Void::Broken), "{what}");
        }
        let mut there = bound();
        there.run = "s".parse().unwrap();
        assert_eq!(approval().covers(&there, now), Err(Void::Other("run")));
        let mut there = bound();
        there.base = "b".repeat(40).parse().unwrap();
        assert_eq!(approval().covers(&there, now), Err(Void::Other("base")));
    }

    #[test]
    fn times_that_make_no_sense_cover_nothing() {
        let now = at("2026-11-27T13:00:00Z");
        for (from, to) in [("", "2026-11-28T12:00:00Z"), ("2026-11-27T12:00:00Z", "never")] {
            let bent = Approval { approved_at: from.into(), expires_at: to.into(), ..approval() };
            assert_eq!(bent.covers(&bound(), now), Err(Void::Broken));
        }
        let bent = Approval { expires_at: approval().approved_at, ..approval() };
        assert_eq!(bent.covers(&bound(), now), Err(Void::Broken));
    }
}
