//! The single facts of a release: what somebody said, and of what.
//!
//! Must never hold a text of others that was not cleaned and cut, nor a number that is no integer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::millionths::Millionths;
use crate::artifact::digest::Digest;
use crate::artifact::id::{CommitId, RunId, Slug, TreeId};
use crate::artifact::types::event::Standing;
use crate::artifact::types::review::ReviewOutcome;
use crate::artifact::types::verdict::Decision;
use crate::artifact::types::verification::VerificationOutcome;

macro_rules! facts {
    ($($(#[$doc:meta])* struct $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)+ })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name { $($(#[$field_doc])* pub $field: $type,)+ }
    )+};
}

macro_rules! words {
    ($($(#[$doc:meta])* enum $name:ident { $($(#[$variant_doc:meta])* $variant:ident,)+ })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "kebab-case")]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }
    )+};
}

facts! {
    /// A thing that is promoted, by digest.
    struct ArtifactDigest {
        /// Its name, as `orch-x86_64.tar.gz` or `ghcr.io/acme/shop`.
        name: String,
        /// Its digest.
        digest: Digest,
    }

    /// An account that asked, wrote or approved.
    struct Asker {
        /// Its number on the forge.
        id: u64,
        /// Its login.
        login: String,
        /// Whether it is a program.
        bot: bool,
    }

    /// The release to go back to.
    struct LastGood {
        /// The commit.
        commit: CommitId,
        /// What was promoted with it, sorted by name; empty: nobody kept the digests.
        artifacts: Vec<ArtifactDigest>,
        /// Its tag.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tag: Option<String>,
    }

    /// A commit of a release.
    struct ReleaseCommit {
        /// The commit.
        commit: CommitId,
        /// Its tree.
        tree: TreeId,
        /// The run that its trailer names; whether that is true, the run's own evidence says.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        run: Option<RunId>,
        /// Whether it only joins others: a merge with just what one of its parents has.
        joins: bool,
    }

    /// A change run behind a release.
    struct ChangeRun {
        /// The run.
        run: RunId,
        /// The last commit the run wrote; absent: it wrote none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        head: Option<CommitId>,
        /// The commits of the release that belong to it.
        commits: Vec<CommitId>,
        /// The account that asked for it; absent for a command line and a schedule.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        requester: Option<Asker>,
        /// What `orch verify` says of it.
        proof: ProofSeen,
        /// What policy said; absent: no verdict is there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        verdict: Option<VerdictSeen>,
        /// The verdict that the pull request names, by digest.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bound_verdict: Option<Digest>,
        /// The approval of what policy did not let through by itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        approval: Option<RunApproval>,
        /// What the review gate said; absent: it did not run.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        review: Option<ReviewSeen>,
        /// What the tests said; absent: nobody ran them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tests: Option<TestsSeen>,
    }

    /// What `orch verify` says of a run.
    struct ProofSeen {
        /// What it comes to.
        result: ProofResult,
        /// Every check.
        checks: Vec<ProofCheck>,
        /// The key that signed the run's statement, where it is trusted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signed_by: Option<String>,
    }

    /// A check of `orch verify`.
    struct ProofCheck {
        /// Its name.
        name: String,
        /// What it says.
        result: ProofResult,
        /// Why, one line.
        why: String,
    }

    /// A verdict of policy.
    struct VerdictSeen {
        /// The decision.
        decision: Decision,
        /// The digest of `policy/verdict.json`.
        digest: Digest,
        /// The digest over all rules and data that judged.
        bundle: Digest,
    }

    /// A person's approval of a change run.
    struct RunApproval {
        /// Who; absent for somebody at a command line.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Asker>,
        /// The verdict it is bound to.
        verdict: Digest,
        /// Whether it covered the run when the pull request was made: everything it is bound to, and its time.
        covered: bool,
        /// Why it did not, one line; empty where it did.
        why: String,
    }

    /// What the review gate said.
    struct ReviewSeen {
        /// What came out.
        outcome: ReviewOutcome,
        /// The commit it looked at.
        head: CommitId,
    }

    /// What the tests of a run said.
    struct TestsSeen {
        /// The new tests on the base: they had to fail.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        red: Option<PhaseSeen>,
        /// Everything with the edits: it had to pass.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        green: Option<PhaseSeen>,
    }

    /// One phase of verification.
    struct PhaseSeen {
        /// What came out.
        outcome: VerificationOutcome,
        /// Tests that passed.
        passed: u64,
        /// Tests that failed.
        failed: u64,
        /// Tests that were skipped or not seen.
        skipped: u64,
        /// The digest of the file.
        digest: Digest,
    }

    /// A check or a status at the commit.
    struct CheckSeen {
        /// Its name; any app may use any name.
        name: String,
        /// The short name of the app that made it; absent where the forge does not tell.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        app: Option<String>,
        /// The number of that app.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        app_id: Option<u64>,
        /// The commit it is about.
        commit: CommitId,
        /// Whether it is a check run or a status.
        sort: CheckSort,
        /// How it stands.
        state: CheckState,
    }

    /// A pull request that a release is made of.
    struct PullSeen {
        /// Its number.
        number: u64,
        /// Who opened it; absent for a deleted account.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        author: Option<Asker>,
        /// Others who wrote commits of it.
        writers: Vec<Asker>,
        /// Its last commit: what reviews are about.
        head: CommitId,
        /// The commits of the release that it brought.
        commits: Vec<CommitId>,
        /// What people and programs said of it: the newest word of each account that is more than a comment.
        approvals: Vec<ApprovalGiven>,
    }

    /// What somebody said of a pull request.
    struct ApprovalGiven {
        /// Who.
        by: Asker,
        /// What the account may do in the repository, as the forge says.
        standing: Standing,
        /// What was said.
        how: ApprovalHow,
        /// The commit it is about; absent where it is gone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        commit: Option<CommitId>,
        /// When, RFC 3339.
        at: String,
        /// The same in seconds since 1970.
        at_seconds: i64,
    }

    /// A deployment of the commit.
    struct DeploymentSeen {
        /// Its number on the forge.
        id: u64,
        /// The environment.
        environment: String,
        /// The commit.
        commit: CommitId,
        /// How it stands.
        state: DeploymentState,
        /// Since when, RFC 3339.
        at: String,
        /// The same in seconds since 1970.
        at_seconds: i64,
    }

    /// A release on the forge.
    struct ReleaseSeen {
        /// Its tag.
        tag: String,
        /// Its commit; absent where the forge does not tell.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        commit: Option<CommitId>,
        /// Whether it is a draft.
        draft: bool,
        /// Whether it is a pre-release.
        prerelease: bool,
    }

    /// Digests of what was tested.
    struct ArtifactsSeen {
        /// The commit they were built from, as their file says.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        commit: Option<CommitId>,
        /// Each, sorted by name.
        artifacts: Vec<ArtifactDigest>,
    }

    /// A measure.
    struct Measure {
        /// Its name, as in the config.
        name: String,
        /// Of what.
        of: MeasureOf,
        /// The number.
        value: Millionths,
        /// How many samples are behind it.
        samples: u64,
        /// What the number is: as `mean`, `p99`, `ratio`.
        statistic: String,
        /// Of a ratio: how many of the samples are events; with both sides' numbers, chance is told from harm.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        events: Option<u64>,
        /// The commit it was measured on; absent where the source does not tell.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        commit: Option<CommitId>,
        /// When its window ended, RFC 3339.
        at: String,
        /// The same in seconds since 1970.
        at_seconds: i64,
        /// The file or the query.
        source: String,
    }

    /// What is left of the error budget.
    struct BudgetSeen {
        /// The part that is left; below 0 where more was used than there was.
        remaining: Millionths,
        /// The days of its window.
        window_days: u64,
        /// When it was measured, RFC 3339.
        at: String,
        /// The same in seconds since 1970.
        at_seconds: i64,
        /// The file or the query.
        source: String,
    }

    /// A time without releases.
    struct FreezeSeen {
        /// Its name; a waiver names it.
        name: String,
        /// From when, RFC 3339.
        from: String,
        /// The same in seconds since 1970.
        from_seconds: i64,
        /// Until when, not included.
        to: String,
        /// The same in seconds since 1970.
        to_seconds: i64,
        /// The environments it is for; empty: all.
        environments: Vec<Slug>,
        /// Why, one line.
        reason: String,
    }

    /// What changed from the last good release to this one.
    struct DeltaSeen {
        /// Its name, as in the config.
        name: String,
        /// Before.
        before: Millionths,
        /// Now.
        after: Millionths,
        /// The file.
        source: String,
    }

    /// The plan to go back.
    struct RollbackSeen {
        /// The file of the released commit.
        plan: String,
        /// The digest of the file; absent: it is not there, or empty.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        digest: Option<Digest>,
        /// When it was tried, newest last.
        rehearsals: Vec<RehearsalSeen>,
    }

    /// A plan that was tried.
    struct RehearsalSeen {
        /// The digest of the plan that was tried.
        plan: Digest,
        /// When, RFC 3339.
        at: String,
        /// The same in seconds since 1970.
        at_seconds: i64,
        /// Whether it worked.
        worked: bool,
        /// Where.
        environment: Slug,
        /// Who tried it.
        by: String,
    }

    /// The list of components.
    struct SbomSeen {
        /// Its form, as `CycloneDX 1.6`.
        form: String,
        /// The digest of the file.
        digest: Digest,
        /// What it is about, where it says so.
        about: Vec<ArtifactDigest>,
        /// How many components it lists.
        components: u64,
        /// Their licences, with how many components have each, sorted.
        licences: Vec<Licence>,
    }

    /// A licence of components.
    struct Licence {
        /// The expression, as the file has it; empty where it says none.
        expression: String,
        /// Whether it can be read.
        state: LicenceState,
        /// The ways to keep to it, each with the ids it needs; whoever receives it chooses one.
        choices: Vec<Vec<String>>,
        /// How many components have it.
        components: u64,
        /// One of them.
        example: String,
    }

    /// A waiver that speaks of releases.
    struct WaiverSeen {
        /// The control, as `release/checks`.
        control: String,
        /// The environment it is for; absent: all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        environment: Option<Slug>,
        /// The commit it is for; absent: any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        commit: Option<CommitId>,
        /// What of the control it is for, as the name of a check, a measure or a freeze; absent: all of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scope: Option<String>,
        /// Why.
        reason: String,
        /// Who answers for it.
        owner: String,
        /// The last day it holds.
        expires: String,
        /// The end of that day in seconds since 1970, UTC.
        expires_seconds: i64,
    }
}

words! {
    /// What `orch verify` or one of its checks says.
    enum ProofResult {
        /// It held.
        Held,
        /// It failed.
        Failed,
        /// It was not measured, and is needed.
        NotMeasured,
        /// It was not measured, and is not needed.
        NotNeeded,
    }

    /// Whether something at a commit is a check run or a status.
    enum CheckSort {
        /// A check run, made by an app.
        CheckRun,
        /// A status, set by any token with the right.
        Status,
    }

    /// How a check stands.
    enum CheckState {
        /// Green.
        Success,
        /// Red, however it is called: failed, timed out, cancelled, asking for action, stale, never started.
        Red,
        /// Neither; not green.
        Neutral,
        /// Not run; not green.
        Skipped,
        /// Not finished.
        Running,
    }

    /// What somebody said of a pull request.
    enum ApprovalHow {
        /// Approved it.
        Approved,
        /// Wants it changed.
        ChangesRequested,
        /// Approved it once; somebody took that back.
        Dismissed,
    }

    /// How a deployment stands.
    enum DeploymentState {
        /// It runs.
        Success,
        /// It did once, and another one took its place.
        Inactive,
        /// It failed.
        Failed,
        /// It is not finished.
        Running,
    }

    /// Of what a measure is.
    enum MeasureOf {
        /// The new release, on a part of the traffic.
        Canary,
        /// The last good release, at the same time.
        LastGood,
        /// The whole service.
        Service,
    }

    /// Whether a licence expression can be read.
    enum LicenceState {
        /// It can.
        Known,
        /// It cannot, or names what is no licence.
        Unknown,
        /// There is none.
        Absent,
    }
}
