//! The kinds of artifact files and the one file name each stage gives them.
//!
//! Must never hold two kinds of one name, nor two slots of one path: files of parallel jobs merge without conflict.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::id::{Round, StageId};
use super::version::SchemaVersion;

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, ($major:literal, $minor:literal);)+) => {
        /// The kind of an artifact file; JSON kinds carry it in their envelope.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "kebab-case")]
        pub enum ArtifactKind { $($(#[$doc])* $variant,)+ }

        impl ArtifactKind {
            /// Every kind, in the order of the pipeline.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Returns the name used in files and on the command line.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// Returns the schema version this program writes.
            pub const fn version(self) -> SchemaVersion {
                match self { $(Self::$variant => SchemaVersion::new($major, $minor),)+ }
            }
        }
    };
}

kinds! {
    /// What is asked, by whom, on which base.
    Task = "task", (1, 3);
    /// How it will be done: steps, files in scope, criteria, risks.
    Plan = "plan", (1, 0);
    /// The acceptance tests, written before the change.
    TestSet = "test-set", (1, 0);
    /// What the commands and tests said in a clean copy.
    Verification = "verification", (1, 0);
    /// The edits, with digests before and after.
    ChangeSet = "change-set", (1, 0);
    /// The document that policy rules judge.
    PolicyInput = "policy-input", (1, 1);
    /// What policy decided, and why.
    Verdict = "verdict", (1, 0);
    /// The branch, its commits and the pull request.
    PullRequest = "pull-request", (1, 0);
    /// What a forge told of when it started a workflow.
    Event = "event", (1, 0);
    /// A person's approval, bound to what was approved.
    Approval = "approval", (1, 0);
    /// What reviewers and checks said of a pull request.
    Review = "review", (1, 0);
    /// Whether a pull request was let merge by itself, and why not.
    AutoMerge = "auto-merge", (1, 0);
    /// All that is known of a release, with where it comes from.
    ReleaseEvidence = "release-evidence", (1, 1);
    /// What follows from it: promote, hold, deny or rollback.
    ReleaseDecision = "release-decision", (1, 0);
    /// What was done on the forge because a release gate said promote.
    Promotion = "promotion", (1, 0);
    /// What was done because it said rollback.
    Rollback = "rollback", (1, 1);
    /// How the repository's own command to go back ended.
    RollbackRun = "rollback-run", (1, 0);
    /// What one stage read and wrote, by digest.
    Manifest = "manifest", (1, 0);
    /// A patch that `git apply` takes (not JSON).
    Patch = "patch", (1, 0);
    /// Text for people: a pull-request body (not JSON).
    Text = "text", (1, 0);
    /// What commands printed, capped and neutralised (not JSON).
    Log = "log", (1, 0);
    /// The events of a stage, one JSON object a line.
    Journal = "journal", (1, 0);
    /// Test results for other tools (JUnit XML).
    Junit = "junit", (1, 0);
    /// What was reserved and spent for a stage, one chained JSON object a line.
    Ledger = "ledger", (1, 0);
    /// The model exchanges of a stage, one JSON object a line.
    Cassette = "cassette", (1, 0);
    /// What the rest of the world told a stage (clock, commands, forge), one JSON object a line.
    Tape = "tape", (1, 0);
    /// Which providers a stage found unusable (JSON, no envelope).
    Breaker = "breaker", (1, 0);
    /// What was said in a debate, one JSON object a line.
    Messages = "messages", (1, 0);
    /// What a person needs to decide where the debate could not.
    Escalation = "escalation", (1, 0);
    /// The modules of a repository and what they have to do with each other; of no stage.
    Graph = "graph", (1, 0);
}

impl ArtifactKind {
    /// Tells whether files of this kind are enveloped JSON.
    pub const fn is_json(self) -> bool {
        !matches!(
            self,
            Self::Patch
                | Self::Text
                | Self::Log
                | Self::Journal
                | Self::Junit
                | Self::Ledger
                | Self::Cassette
                | Self::Tape
                | Self::Breaker
                | Self::Messages
        )
    }
}

/// A name that is no artifact kind.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not an artifact kind")]
pub struct UnknownKind(pub String);

impl FromStr for ArtifactKind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|k| k.as_str() == text).ok_or_else(|| UnknownKind(text.to_owned()))
    }
}

impl fmt::Display for ArtifactKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One file that a stage writes: its path in the run folder and its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Slot {
    /// The path in the run folder, `/` between parts; later rounds put `rounds/<n>/` before it.
    pub path: &'static str,
    /// The kind of the file.
    pub kind: ArtifactKind,
    /// True for files that hold times or raw output: sealed by the manifest, but no part of any stage key.
    pub record: bool,
}

impl Slot {
    const fn data(path: &'static str, kind: ArtifactKind) -> Self {
        Self { path, kind, record: false }
    }

    const fn record(path: &'static str, kind: ArtifactKind) -> Self {
        Self { path, kind, record: true }
    }
}

/// A file of a stage that the runner writes, not the stage: one of each kind per stage and round, sealed as a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StageFile {
    /// The events.
    Journal,
    /// The money.
    Ledger,
    /// The model exchanges.
    Cassette,
    /// What the rest of the world told.
    Tape,
    /// Which providers were found unusable.
    Breaker,
}

impl StageFile {
    /// Every one.
    pub const ALL: &'static [Self] =
        &[Self::Journal, Self::Ledger, Self::Cassette, Self::Tape, Self::Breaker];

    const fn parts(self) -> (&'static str, &'static str, ArtifactKind) {
        match self {
            Self::Journal => ("events", "jsonl", ArtifactKind::Journal),
            Self::Ledger => ("ledger", "jsonl", ArtifactKind::Ledger),
            Self::Cassette => ("cassette", "jsonl", ArtifactKind::Cassette),
            Self::Tape => ("tape", "jsonl", ArtifactKind::Tape),
            Self::Breaker => ("breaker", "json", ArtifactKind::Breaker),
        }
    }

    /// Returns the kind of the file.
    pub const fn kind(self) -> ArtifactKind {
        self.parts().2
    }

    /// Returns the path of the file of a stage in a round.
    pub fn path(self, stage: StageId, round: Round) -> String {
        let (folder, ending, _) = self.parts();
        round.path(&format!("{folder}/{stage}.{ending}"))
    }

    /// Returns which file of which stage a path without its round is, as `ledger/plan.jsonl`.
    pub fn of(path: &str) -> Option<(Self, StageId)> {
        let (folder, name) = path.split_once('/')?;
        let file = Self::ALL.iter().copied().find(|file| file.parts().0 == folder)?;
        let stage = name.strip_suffix(file.parts().1)?.strip_suffix('.')?.parse().ok()?;
        Some((file, stage))
    }

    /// Tells whether the file is written while the stage runs and outlives an attempt that was killed.
    pub const fn outlives_a_kill(self) -> bool {
        matches!(self, Self::Ledger | Self::Cassette)
    }
}

/// Every slot there is.
pub mod slot {
    use super::{ArtifactKind as K, Slot};

    /// The task.
    pub const TASK: Slot = Slot::data("task.json", K::Task);
    /// The plan.
    pub const PLAN: Slot = Slot::data("plan.json", K::Plan);
    /// The acceptance tests.
    pub const TESTS: Slot = Slot::data("tests.json", K::TestSet);
    /// The tests on the base: they must fail.
    pub const RED: Slot = Slot::data("build-test/red.json", K::Verification);
    /// What the red phase printed.
    pub const RED_LOG: Slot = Slot::record("build-test/red.log", K::Log);
    /// The edits.
    pub const EDITS: Slot = Slot::data("edits.json", K::ChangeSet);
    /// Tests and edits as one patch against the base.
    pub const PATCH: Slot = Slot::data("change.patch", K::Patch);
    /// Base, tests and edits together: all must pass.
    pub const GREEN: Slot = Slot::data("build-test/report.json", K::Verification);
    /// What the green phase printed.
    pub const GREEN_LOG: Slot = Slot::record("build-test/report.log", K::Log);
    /// The green phase as JUnit XML.
    pub const GREEN_JUNIT: Slot = Slot::record("build-test/report.junit.xml", K::Junit);
    /// The document the rules judged.
    pub const POLICY_INPUT: Slot = Slot::data("policy/input.json", K::PolicyInput);
    /// The verdict.
    pub const VERDICT: Slot = Slot::data("policy/verdict.json", K::Verdict);
    /// The pull request.
    pub const PULL_REQUEST: Slot = Slot::data("pr.json", K::PullRequest);
    /// The pull request's text.
    pub const PULL_REQUEST_TEXT: Slot = Slot::data("pr.md", K::Text);

    /// The event that started the run.
    pub const EVENT: Slot = Slot::data("event.json", K::Event);
    /// A person's approval.
    pub const APPROVAL: Slot = Slot::data("approval.json", K::Approval);
    /// What a person is to look at before approving.
    pub const APPROVAL_TEXT: Slot = Slot::data("approval.md", K::Text);
    /// What reviewers and checks said.
    pub const REVIEW: Slot = Slot::data("review.json", K::Review);
    /// The findings of reviews, as the request of another round.
    pub const REVIEW_TASK: Slot = Slot::data("review-task.md", K::Text);
    /// Whether the pull request was let merge by itself.
    pub const AUTO_MERGE: Slot = Slot::data("auto-merge.json", K::AutoMerge);

    /// All that is known of a release.
    pub const RELEASE_EVIDENCE: Slot = Slot::data("release/evidence.json", K::ReleaseEvidence);
    /// What follows from it.
    pub const RELEASE_DECISION: Slot = Slot::data("release/decision.json", K::ReleaseDecision);

    /// What was done because the gate said promote.
    pub const PROMOTION: Slot = Slot::data("release/promotion.json", K::Promotion);
    /// What was done because the gate said rollback.
    pub const ROLLBACK: Slot = Slot::data("release/rollback.json", K::Rollback);
    /// The text of the revert pull request.
    pub const REVERT_TEXT: Slot = Slot::data("release/revert.md", K::Text);
    /// How the repository's own command to go back ended.
    pub const ROLLBACK_RUN: Slot = Slot::data("release/rollback-command.json", K::RollbackRun);
    /// What it printed.
    pub const ROLLBACK_LOG: Slot = Slot::record("release/rollback-command.log", K::Log);

    /// What was said on the way to the plan.
    pub const PLAN_MESSAGES: Slot = Slot::data("messages/plan.jsonl", K::Messages);
    /// What a person needs where no plan was agreed on.
    pub const PLAN_ESCALATION: Slot = Slot::data("escalation/plan.json", K::Escalation);
    /// What was said on the way to the edits.
    pub const EDITS_MESSAGES: Slot = Slot::data("messages/generate.jsonl", K::Messages);
    /// What a person needs where no edits were agreed on.
    pub const EDITS_ESCALATION: Slot = Slot::data("escalation/generate.json", K::Escalation);

    /// All of them, in the order of the pipeline.
    pub const ALL: &[Slot] = &[
        TASK,
        PLAN,
        PLAN_MESSAGES,
        PLAN_ESCALATION,
        EDITS_MESSAGES,
        EDITS_ESCALATION,
        TESTS,
        RED,
        RED_LOG,
        EDITS,
        PATCH,
        GREEN,
        GREEN_LOG,
        GREEN_JUNIT,
        POLICY_INPUT,
        VERDICT,
        PULL_REQUEST,
        PULL_REQUEST_TEXT,
        EVENT,
        APPROVAL,
        APPROVAL_TEXT,
        REVIEW,
        REVIEW_TASK,
        AUTO_MERGE,
        RELEASE_EVIDENCE,
        RELEASE_DECISION,
        PROMOTION,
        ROLLBACK,
        REVERT_TEXT,
        ROLLBACK_RUN,
        ROLLBACK_LOG,
    ];
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_and_paths_are_unique() {
        let names: BTreeSet<_> = ArtifactKind::ALL.iter().map(|k| k.as_str()).collect();
        assert_eq!(names.len(), ArtifactKind::ALL.len());
        let paths: BTreeSet<_> = slot::ALL.iter().map(|s| s.path).collect();
        assert_eq!(paths.len(), slot::ALL.len());
        assert!(slot::ALL.iter().all(|s| s.path.split('/').all(|part| !part.starts_with('.'))));
    }

    #[test]
    fn stage_files_are_found_by_their_path() {
        for file in StageFile::ALL {
            let path = file.path(StageId::TestWrite, Round::FIRST);
            assert_eq!(StageFile::of(&path), Some((*file, StageId::TestWrite)), "{path}");
        }
        for odd in ["ledger/plan.json", "ledger/none.jsonl", "ledger", "x/plan.jsonl", "ledger/planjsonl"] {
            assert_eq!(StageFile::of(odd), None, "{odd}");
        }
    }

    #[test]
    fn serde_names_are_the_display_names() {
        for kind in ArtifactKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
            assert_eq!(kind.as_str().parse::<ArtifactKind>().unwrap(), *kind);
        }
    }
}
