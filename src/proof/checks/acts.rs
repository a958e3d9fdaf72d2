//! What was done after a release decision: for the very commit, digests, environment and way back that were decided.
//!
//! What the forge answered then, as numbers and addresses, is the word of the machine that asked: a signature stands for it.

use crate::artifact::id::{CommitId, StageId, TreeId};
use crate::artifact::kind::slot;
use crate::artifact::types::promotion::{Act, ActKind, Promotion};
use crate::artifact::types::release::{ReleaseDecision, ReleaseOutcome};
use crate::artifact::types::rollback::{Rollback, RollbackRun};
use crate::attest::opened::Lacking;
use crate::diagnostic::Class;
use crate::engine::revert::Revert as RevertRequest;
use crate::proof::case::Case;
use crate::proof::outcome::Outcome;

pub(super) fn look(case: &Case<'_>) -> Outcome {
    let decision: ReleaseDecision = match case.opened.body(slot::RELEASE_DECISION) {
        Ok(decision) => decision,
        Err(lacking) => return lacking.into(),
    };
    let mut done = Vec::new();
    let mut problems = Vec::new();
    match there(case.opened.body::<Promotion>(slot::PROMOTION)) {
        Err(outcome) => return outcome,
        Ok(None) => {}
        Ok(Some(promotion)) => {
            done.push("a promotion");
            problems.extend(promoted(case, &decision, &promotion));
            problems.extend(ended(case, StageId::Promote, &promotion.acts));
        }
    }
    match there(case.opened.body::<Rollback>(slot::ROLLBACK)) {
        Err(outcome) => return outcome,
        Ok(None) => {}
        Ok(Some(rollback)) => {
            done.push("a rollback");
            problems.extend(taken_back(case, &decision, &rollback));
            problems.extend(ended(case, StageId::Rollback, &rollback.acts));
            match there(case.opened.body::<RollbackRun>(slot::ROLLBACK_RUN)) {
                Err(outcome) => return outcome,
                Ok(run) => problems.extend(run.and_then(|run| carried_out(case, &rollback, &run))),
            }
        }
    }
    if done.is_empty() {
        return Outcome::not_measured("nothing was done on the decision yet");
    }
    Outcome::of(problems, || format!("{} of what was decided", done.join(" and ")))
}

/// What no stage wrote is nothing that was done.
fn there<T>(found: Result<T, Lacking>) -> Result<Option<T>, Outcome> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(Lacking::Unwritten(_)) => Ok(None),
        Err(lacking) => Err(lacking.into()),
    }
}

fn unlike<const N: usize>(what: &str, parts: [(&str, bool); N]) -> Vec<String> {
    let other = parts.into_iter().filter(|(_, same)| !same);
    other.map(|(part, _)| format!("{what} names another {part} than was decided")).collect()
}

fn promoted(case: &Case<'_>, decision: &ReleaseDecision, promotion: &Promotion) -> Vec<String> {
    let mut problems = unlike(
        "`release/promotion.json`",
        [
            ("outcome", decision.outcome == ReleaseOutcome::Promote),
            ("commit or digests", promotion.subject == decision.subject),
            ("environment", promotion.environment == decision.environment),
            ("decision", case.opened.digest(slot::RELEASE_DECISION) == Some(&promotion.decision)),
            ("evidence", case.opened.digest(slot::RELEASE_EVIDENCE) == Some(&promotion.evidence)),
        ],
    );
    problems.extend(acts(&promotion.acts, |act| act.commit == decision.subject.commit));
    problems
}

fn taken_back(case: &Case<'_>, decision: &ReleaseDecision, rollback: &Rollback) -> Vec<String> {
    let good = &rollback.last_good.commit;
    let mut problems = unlike(
        "`release/rollback.json`",
        [
            ("outcome", decision.outcome == ReleaseOutcome::Rollback),
            ("commit or digests", rollback.subject == decision.subject),
            ("environment", rollback.environment == decision.environment),
            ("release to go back to", decision.last_good.as_ref() == Some(&rollback.last_good)),
            ("decision", case.opened.digest(slot::RELEASE_DECISION) == Some(&rollback.decision)),
            ("evidence", case.opened.digest(slot::RELEASE_EVIDENCE) == Some(&rollback.evidence)),
            (
                "commit for its commands",
                rollback.command.as_ref().is_none_or(|command| &command.commit == good),
            ),
        ],
    );
    problems.extend(acts(&rollback.acts, |act| match act.kind {
        ActKind::Deployment => &act.commit == good,
        _ => act.commit == decision.subject.commit,
    }));
    if let (Some(repository), Some(command)) = (case.repository, &rollback.command)
        && let Ok(known) = repository.commit_named(good.as_str())
        && known.tree != command.tree
    {
        problems
            .push("`release/rollback.json` runs its commands on another tree than that of its commit".into());
    }
    problems.extend(put_back(case, good, rollback));
    problems.extend(left_to_a_run(case, rollback));
    problems
}

/// What a run is asked that puts the branch back names the very release, decision, commits and trees.
fn left_to_a_run(case: &Case<'_>, rollback: &Rollback) -> Vec<String> {
    let Some(request) = &rollback.request else { return Vec::new() };
    let what = "the request in `release/rollback.json`";
    let Some(asked) = RevertRequest::read(request) else {
        return vec![format!("{what} is none for the way back")];
    };
    let (bad, good) = (&rollback.subject, &rollback.last_good.commit);
    let tree_of = |commit: &CommitId| {
        case.repository
            .and_then(|repository| repository.commit_named(commit.as_str()).ok())
            .map(|known| known.tree)
    };
    let is = |tree: &TreeId, known: Option<TreeId>| known.is_none_or(|known| known == *tree);
    unlike(
        what,
        [
            ("form", asked.request() == *request),
            ("commit", asked.bad == bad.commit && asked.good == *good),
            ("tree", bad.tree.as_ref().is_none_or(|tree| *tree == asked.bad_tree)),
            ("tree", is(&asked.bad_tree, tree_of(&bad.commit)) && is(&asked.good_tree, tree_of(good))),
            ("release", asked.release == *case.opened.run),
            ("decision", asked.decision == rollback.decision),
        ],
    )
}

/// Where this clone has the revert, it is a commit on the branch as it was, with the very tree that was read back then.
fn put_back(case: &Case<'_>, good: &CommitId, rollback: &Rollback) -> Vec<String> {
    let (Some(repository), Some(revert)) = (case.repository, &rollback.revert) else { return Vec::new() };
    let Ok(commit) = repository.commit_named(revert.commit.as_str()) else { return Vec::new() };
    let exact = repository.commit_named(good.as_str()).map(|known| known.tree == revert.tree);
    unlike(
        "the revert of `release/rollback.json`",
        [
            ("tree", commit.tree == revert.tree),
            ("parent", commit.parents == [revert.base.clone()]),
            (
                "tree than the last good one, which it should be",
                exact.map_or(true, |exact| exact == revert.exact),
            ),
        ],
    )
}

/// A stage that left something for a person to look at ended so, and no other did.
fn ended(case: &Case<'_>, stage: StageId, acts: &[Act]) -> Option<String> {
    let open = acts.iter().any(Act::is_conflict);
    let wanted = if open { Class::NeedsApproval.exit_code() } else { 0 };
    let exit = case.opened.last(stage).map(|manifest| manifest.link.exit);
    (exit != Some(wanted)).then(|| format!("`{stage}` ended otherwise than its acts say"))
}

fn acts(acts: &[Act], fits: impl Fn(&Act) -> bool) -> Vec<String> {
    let other = acts.iter().filter(|act| !fits(act));
    other
        .map(|act| format!("the act `{}` is about another commit than was decided", act.kind.as_str()))
        .collect()
}

/// The commands that ran are those that were written down, as far as they were run.
fn carried_out(case: &Case<'_>, rollback: &Rollback, run: &RollbackRun) -> Option<String> {
    let same = rollback.command.as_ref() == Some(&run.command)
        && case.opened.digest(slot::ROLLBACK) == Some(&run.rollback)
        && run.ended.len() <= run.command.commands.len();
    (!same).then(|| {
        "`release/rollback-command.json` is of other commands than the rollback wrote down".to_owned()
    })
}
