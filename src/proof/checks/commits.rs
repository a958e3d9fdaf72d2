//! Tests and edits, applied to the base once more, give the commits that are in the repository.

use crate::artifact::chain::split_round;
use crate::artifact::digest::Digest;
use crate::artifact::id::{CommitId, StageId, TreeId};
use crate::artifact::kind::slot;
use crate::artifact::types::approval::Approval;
use crate::artifact::types::pull_request::PullRequest;
use crate::attest::opened::Lacking;
use crate::diagnostic::Failure as _;
use crate::ports::vcs::{BranchDraft, BranchTip, VcsError};
use crate::proof::case::{Case, Repository};
use crate::proof::outcome::Outcome;
use crate::stage::StageError;
use crate::stage::pr::{Draft, Evidence, LINK_TRAILER, RUN_TRAILER, SPEC, again};

use super::approval::used_at;
use super::bindings::{EVIDENCE, one_line};

pub(super) fn look(case: &Case<'_>) -> Outcome {
    let request = match case.pull_request() {
        Ok(request) => request,
        Err(Lacking::Unwritten(_)) => {
            return Outcome::needed("the run wrote no commit: its `pr` stage is not finished");
        }
        Err(lacking) => return lacking.into(),
    };
    let Some(repository) = case.repository else {
        return Outcome::needed("there is no repository to look for the commits in");
    };
    let mut problems = Vec::new();
    for commit in &request.commits {
        match repository.commit_named(commit.id.as_str()) {
            Ok(found) if found.tree == commit.tree => {}
            Ok(_) => problems.push(format!("the commit {} has another tree than `pr.json` says", commit.id)),
            Err(VcsError::MissingObject { .. }) => {
                return Outcome::needed(format!(
                    "the commit {} is not in this clone; fetch it first",
                    commit.id
                ));
            }
            Err(error) => return Outcome::needed(error.to_string()),
        }
        match repository.commit_says(&commit.id) {
            Ok(says) => trailers(case, &request, &says, &mut problems),
            Err(error) => problems.push(error.to_string()),
        }
    }
    if !problems.is_empty() {
        return Outcome::Failed { problems };
    }
    match made_again(case, repository, &request) {
        Ok(None) => {
            let ids: Vec<String> = request.commits.iter().map(|c| c.id.as_str()[..12].to_owned()).collect();
            Outcome::held(format!("{} on {}", ids.join(", "), request.branch))
        }
        Ok(Some(problem)) => Outcome::failed(problem),
        Err(outcome) => outcome,
    }
}

/// The commits name the run, its files and its chain.
fn trailers(case: &Case<'_>, request: &PullRequest, says: &BranchTip, problems: &mut Vec<String>) {
    let provenance = &request.provenance;
    let link = case.opened.find(slot::VERDICT.path).map(|(manifest, _)| manifest.link_digest.to_string());
    let wanted = [
        (RUN_TRAILER, Some(case.opened.run.to_string())),
        ("Orch-Task", Some(provenance.task.to_string())),
        ("Orch-Tests", Some(provenance.tests.to_string())),
        ("Orch-Edits", Some(provenance.edits.to_string())),
        ("Orch-Report", Some(provenance.report.to_string())),
        ("Orch-Verdict", Some(provenance.verdict.to_string())),
        // Commits of earlier versions have none.
        (LINK_TRAILER, says.trailers.get(LINK_TRAILER).and(link)),
    ];
    for (name, value) in wanted {
        if value.is_some() && says.trailers.get(name) != value.as_ref() {
            problems.push(format!("the commit {} names another {name}", says.commit));
        }
    }
    let files = [
        (slot::TASK, &provenance.task),
        (slot::TESTS, &provenance.tests),
        (slot::EDITS, &provenance.edits),
        (slot::GREEN, &provenance.report),
        (slot::VERDICT, &provenance.verdict),
    ];
    for (slot, digest) in files {
        if case.opened.digest(slot) != Some(digest) {
            let shown = split_round(slot.path).1;
            problems.push(format!("the commit {} was made from another `{shown}`", says.commit));
        }
    }
}

/// Makes the commits once more, in memory; returns what differs.
fn made_again(
    case: &Case<'_>,
    repository: &dyn Repository,
    request: &PullRequest,
) -> Result<Option<String>, Outcome> {
    let lacking = |lacking| match lacking {
        Lacking::NotKept(why) => Outcome::not_measured(format!(
            "the commits are here and name the files of this run; {why}, so they were not made again"
        )),
        lacking => Outcome::from(lacking),
    };
    let inputs = case.opened.inputs(EVIDENCE).map_err(lacking)?;
    let config = case.config(StageId::Pr).map_err(lacking)?;
    let failed = |error: StageError| Outcome::failed(one_line(&error));
    let evidence = Evidence::load(&inputs).map_err(failed)?;
    let draft = Draft::decide(case.opened.run, &config.pr, &evidence).map_err(failed)?;
    if !draft.names.contains(&request.branch) {
        return Ok(Some("the branch has another name than the config gives it".into()));
    }
    let made = repository.foresee(&BranchDraft {
        branch: request.branch.clone(),
        base: draft.base.clone(),
        commits: draft.commits.clone(),
        author: draft.author.clone(),
        expected: None,
    });
    let made = made.map_err(|error| match error {
        VcsError::MissingObject { .. } => Outcome::needed(error.to_string()),
        error => Outcome::failed(format!("tests and edits do not fit the base: {error}{}", help(&error))),
    })?;
    let recorded: Vec<_> = request.commits.iter().map(|c| (c.id.clone(), c.tree.clone())).collect();
    if made == recorded {
        return text_again(case, request, &draft, &evidence, &made, &config.pr.remote).map_err(failed);
    }
    let trees = made.iter().map(|(_, tree)| tree).eq(recorded.iter().map(|(_, tree)| tree));
    if trees && request.hosted.is_some() {
        // A forge that makes the commits puts its own committer, time and signature into them.
        return Ok(None);
    }
    Ok(Some(if trees {
        "the files are those of tests and edits, but message, author or parent of a commit are not".into()
    } else {
        "tests and edits on the base give other files than the commits hold".into()
    }))
}

/// Makes `pr.json` and `pr.md` once more; returns what differs.
fn text_again(
    case: &Case<'_>,
    request: &PullRequest,
    draft: &Draft,
    evidence: &Evidence,
    commits: &[(CommitId, TreeId)],
    remote: &str,
) -> Result<Option<String>, StageError> {
    let approval: Option<Approval> = case.opened.body(slot::APPROVAL).ok();
    let approval = approval.and_then(|approval| used_at(case, &approval).map(|at| (approval, at)));
    let (made, body) = again(case.opened.run, draft, evidence, approval, commits, request)?;
    let same_text = case.opened.digest(slot::PULL_REQUEST_TEXT) == Some(&Digest::of(&body));
    if request.remote.as_deref().is_some_and(|found| found != remote) {
        return Ok(Some("`pr.json` names another remote than the config".into()));
    }
    if case.opened.last(StageId::Pr).is_some_and(|m| m.link.stage_version != SPEC.version) {
        return Ok(None);
    }
    Ok(match (made == *request, same_text) {
        (true, true) => None,
        (false, _) => Some("`pr.json` is not what these files make".into()),
        (true, false) => Some("`pr.md` is not what these files make".into()),
    })
}

fn help(error: &VcsError) -> String {
    error.help().map_or_else(String::new, |help| format!(" ({help})"))
}
