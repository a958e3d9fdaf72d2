//! What is behind a release: its commits, and what the files of a change run say, checked.
//!
//! Must never take what a trailer says for more than a name: whether the run made the commit, its own evidence shows.

use std::collections::{BTreeSet, VecDeque};

use super::case::{Case, Repository};
use super::checks::used_at;
use super::outcome::{Outcome, Overall};
use super::prove;
use crate::artifact::id::{CommitId, RunId};
use crate::artifact::kind::{Slot, slot};
use crate::artifact::types::approval::Approval;
use crate::artifact::types::event::{Account, AccountKind};
use crate::artifact::types::pull_request::PullRequest;
use crate::artifact::types::release::{
    Asker, ChangeRun, PhaseSeen, ProofCheck, ProofResult, ProofSeen, ReviewSeen, RunApproval, TestsSeen,
    VerdictSeen,
};
use crate::artifact::types::review::Review;
use crate::artifact::types::task::Task;
use crate::artifact::types::verdict::Verdict;
use crate::artifact::types::verification::{TestStatus, Totals, Verification};
use crate::attest::{Bundle, CHANGE};
use crate::ports::observe::{CommitSeen, MAX_COMMITS, Seen, Unseen};
use crate::ports::vcs::{CommitRef, VcsError};
use crate::stage::approve::bound;
use crate::stage::pr::{Evidence, RUN_TRAILER};

/// Returns a commit and all before it that `since` does not have, newest first.
pub fn commits(
    repository: &dyn Repository,
    since: Option<&CommitId>,
    until: &CommitId,
) -> Seen<Vec<CommitSeen>> {
    let unseen = |error: VcsError| Unseen::new(error.to_string());
    let is_before = |commit: &CommitId| match since {
        None => Ok(false),
        Some(since) if since == commit => Ok(true),
        Some(since) => {
            repository.merge_base(since, commit).map(|base| base.is_some_and(|base| &base.commit == commit))
        }
    };
    if let Some(since) = since
        && repository.merge_base(since, until).map_err(unseen)?.is_none_or(|base| &base.commit != since)
    {
        let why = format!(
            "the last good release {since} is not before {until}: the history was rewritten, or goes back"
        );
        return Err(Unseen::new(why));
    }
    let (mut seen, mut known) = (Vec::new(), BTreeSet::new());
    let mut open = VecDeque::from([until.clone()]);
    while let Some(next) = open.pop_front() {
        if !known.insert(next.clone()) || is_before(&next).map_err(unseen)? {
            continue;
        }
        if seen.len() == MAX_COMMITS {
            return Err(Unseen::new(format!("the release brings more than {MAX_COMMITS} commits")));
        }
        let commit = repository.commit_named(next.as_str()).map_err(unseen)?;
        seen.push(told(repository, &commit).map_err(unseen)?);
        open.extend(commit.parents);
        // Without a last good release all of the past would be new; the commit itself is what is judged.
        if since.is_none() {
            break;
        }
    }
    Ok(seen)
}

fn told(repository: &dyn Repository, commit: &CommitRef) -> Result<CommitSeen, VcsError> {
    let said = repository.commit_says(&commit.commit)?;
    let mut joins = false;
    if commit.parents.len() > 1 {
        for parent in &commit.parents {
            joins |= repository.commit_named(parent.as_str())?.tree == commit.tree;
        }
    }
    Ok(CommitSeen {
        id: commit.commit.clone(),
        tree: commit.tree.clone(),
        parents: commit.parents.clone(),
        run: said.trailers.get(RUN_TRAILER).and_then(|run| run.parse().ok()),
        joins,
    })
}

/// Tells whether a commit is on a branch of this clone or of one of its remotes.
pub fn is_on_branch(repository: &dyn Repository, commit: &CommitId, branch: &str) -> Seen<bool> {
    let names = [format!("refs/remotes/origin/{branch}"), format!("refs/heads/{branch}")];
    // The remote's word counts where there is one: a branch of this clone is anything its owner likes.
    let Some(head) = names.iter().find_map(|name| repository.commit_named(name).ok()) else {
        return Err(Unseen::new(format!("this clone has no branch `{branch}`")));
    };
    let base = repository.merge_base(&head.commit, commit).map_err(|error| Unseen::new(error.to_string()))?;
    Ok(base.is_some_and(|base| &base.commit == commit))
}

/// Returns what the files of a run say, checked.
pub fn change_run(case: &Case<'_>) -> ChangeRun {
    let proof = prove(case, "");
    let checks = proof.checks.iter().map(|check| {
        let (result, why) = said(&check.outcome);
        ProofCheck { name: check.name.to_owned(), result, why }
    });
    let request: Option<PullRequest> = case.pull_request().ok();
    let task: Option<Task> = case.opened.body(slot::TASK).ok();
    ChangeRun {
        run: RunId::clone(case.opened.run),
        head: case.own_head(),
        commits: Vec::new(),
        requester: task.and_then(|task| task.requester.account).as_ref().map(asker),
        proof: ProofSeen {
            result: match proof.result {
                Overall::Held => ProofResult::Held,
                Overall::Failed => ProofResult::Failed,
                Overall::NotMeasured => ProofResult::NotMeasured,
            },
            checks: checks.collect(),
            signed_by: signed_by(case),
        },
        verdict: verdict(case),
        bound_verdict: request.map(|request| request.provenance.verdict),
        approval: approval(case),
        review: case
            .opened
            .body::<Review>(slot::REVIEW)
            .ok()
            .map(|review| ReviewSeen { outcome: review.outcome, head: review.head }),
        tests: tests(case),
    }
}

fn said(outcome: &Outcome) -> (ProofResult, String) {
    match outcome {
        Outcome::Held { what } => (ProofResult::Held, what.clone()),
        Outcome::Failed { problems } => (ProofResult::Failed, problems.first().cloned().unwrap_or_default()),
        Outcome::NotMeasured { why, needed: true } => (ProofResult::NotMeasured, why.clone()),
        Outcome::NotMeasured { why, needed: false } => (ProofResult::NotNeeded, why.clone()),
    }
}

fn asker(account: &Account) -> Asker {
    Asker { id: account.id, login: account.login.to_string(), bot: account.kind != AccountKind::Person }
}

/// Returns the trusted key that signed the run's own statement; whether it says the right things, a check of its own tells.
fn signed_by(case: &Case<'_>) -> Option<String> {
    let files = case.opened.statements().ok()?;
    let own = files.into_iter().find(|(path, _)| *path == CHANGE.path())?;
    let bundle = Bundle::parse(&own.0, &own.1).ok()?;
    bundle.signer(case.keys).map(crate::attest::PublicKey::id)
}

fn verdict(case: &Case<'_>) -> Option<VerdictSeen> {
    let verdict: Verdict = case.opened.body(slot::VERDICT).ok()?;
    let digest = case.opened.digest(slot::VERDICT)?.clone();
    Some(VerdictSeen { decision: verdict.decision, digest, bundle: verdict.bundle })
}

fn approval(case: &Case<'_>) -> Option<RunApproval> {
    let approval: Approval = case.opened.body(slot::APPROVAL).ok()?;
    let inputs = case.opened.inputs(&[
        slot::TASK,
        slot::PLAN,
        slot::TESTS,
        slot::RED,
        slot::EDITS,
        slot::GREEN,
        slot::VERDICT,
    ]);
    let covered =
        match (inputs.ok().and_then(|inputs| Evidence::load(&inputs).ok()), used_at(case, &approval)) {
            (Some(evidence), Some(at)) => {
                approval.covers(&bound(case.opened.run, &evidence), at).map_err(|void| void.to_string())
            }
            _ => Err("cannot be held against the files of the run".to_owned()),
        };
    Some(RunApproval {
        by: approval.by.account.as_ref().map(asker),
        verdict: approval.bound.verdict,
        covered: covered.is_ok(),
        why: covered.err().unwrap_or_default(),
    })
}

fn tests(case: &Case<'_>) -> Option<TestsSeen> {
    let (red, green) = (phase(case, slot::RED), phase(case, slot::GREEN));
    (red.is_some() || green.is_some()).then_some(TestsSeen { red, green })
}

fn phase(case: &Case<'_>, of: Slot) -> Option<PhaseSeen> {
    let seen: Verification = case.opened.body(of).ok()?;
    let Totals { passed, failed, skipped } = seen.totals.unwrap_or_else(|| of_expected(&seen));
    Some(PhaseSeen {
        outcome: seen.outcome,
        passed,
        failed,
        skipped,
        digest: case.opened.digest(of)?.clone(),
    })
}

/// Where the output of the runner was not understood, only what is known of the expected tests counts.
fn of_expected(seen: &Verification) -> Totals {
    let with =
        |status: &[TestStatus]| seen.tests.iter().filter(|test| status.contains(&test.status)).count() as u64;
    Totals {
        passed: with(&[TestStatus::Passed]),
        failed: with(&[TestStatus::Failed]),
        skipped: with(&[TestStatus::Skipped, TestStatus::NotSeen]),
    }
}
