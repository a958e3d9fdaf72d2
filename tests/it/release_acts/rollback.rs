//! The way back: digests restored, the harmful deployment marked, the branch put back.

use orch::artifact::types::promotion::{Act, ActKind};
use orch::artifact::types::pull_request::Outcome;
use orch::artifact::types::release::ReleaseOutcome;
use orch::config::{Command, Reverts};
use orch::diagnostic::Class;
use orch::engine::revert::Revert;
use orch::stage::StageResult;
use serde_json::json;

use super::{Scene, digests};
use crate::support::github::Fault;

/// Production runs the judged commit, after the good one.
pub fn bad() -> Scene {
    let scene = Scene::new(ReleaseOutcome::Rollback);
    scene.deployed("production", &scene.good, &digests("good"), "inactive");
    scene.deployed("production", &scene.subject, &digests("new"), "success");
    scene
}

fn kinds(acts: &[Act]) -> Vec<(ActKind, Outcome)> {
    acts.iter().map(|act| (act.kind, act.outcome)).collect()
}

#[test]
fn a_release_that_does_harm_is_taken_back_whole() {
    let mut scene = bad();
    scene.config.rollback.commands = vec![Command(vec!["deploy/rollback".into(), "--now".into()])];
    let rollback = scene.rollback();
    assert_eq!(
        kinds(&rollback.acts),
        [
            (ActKind::Deployment, Outcome::Created),
            (ActKind::TakeBack, Outcome::Updated),
            (ActKind::Revert, Outcome::Created)
        ]
    );
    let state = scene.hub.state();
    // The newest good deployment names the former digests.
    let restored = state.deployments.last().unwrap();
    assert_eq!(
        (&restored["sha"], &restored["payload"]["artifacts"], &restored["environment"]),
        (&json!(scene.good), &json!(digests("good")), &json!("production"))
    );
    assert_eq!(restored["payload"]["orch"]["cause"], "rollback");
    assert_eq!(state.newest_status(1002).as_deref(), Some("success"));
    assert_eq!(state.newest_status(1001).as_deref(), Some("failure"), "inactive would count as once good");
    // The branch gets exactly the last good tree back, by a pull request.
    let revert = rollback.revert.unwrap();
    let good_tree = state.commits[scene.good.as_str()].tree.clone();
    assert_eq!((revert.exact, revert.tree.as_str()), (true, good_tree.as_str()));
    assert_eq!(state.commits[revert.commit.as_str()].tree, good_tree);
    assert_eq!(state.commits[revert.commit.as_str()].parents, [scene.subject.to_string()]);
    let paths: Vec<&str> = revert.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["src/main.txt", "src/new.txt"]);
    assert!(revert.files[1].after.is_none() && revert.conflicts.is_empty() && revert.also.is_empty());
    assert_eq!(state.branches["main"], scene.subject.to_string(), "nobody's branch moved");
    let pull = &state.pulls[0];
    assert_eq!((pull.base.as_str(), pull.draft, state.pulls.len()), ("main", false, 1));
    assert!(pull.body.contains("exactly that of the last good release"), "{}", pull.body);
    assert!(pull.body.contains(digests("good")[0].digest.as_str()) && !pull.body.contains("<b>"));
    // The repository's own command is written down, on the files of the last good release, and not run here.
    let command = rollback.command.unwrap();
    assert_eq!((command.commit.clone(), command.tree.as_str()), (scene.good.clone(), good_tree.as_str()));
    assert_eq!(command.commands, [["deploy/rollback", "--now"]]);
    drop(state);
    scene.keeps_to_the_documents();

    // Again nothing is written.
    scene.hub.arm([]);
    let again = scene.rollback();
    assert!(again.acts.iter().all(|act| act.outcome == Outcome::Unchanged), "{:?}", again.acts);
    assert!(again.revert.unwrap().exact);
    assert_eq!(scene.hub.writes(), Vec::<String>::new());
}

#[test]
fn a_revert_is_left_to_a_run_unless_a_run_could_not_make_it() {
    let mut scene = bad();
    scene.config.rollback.revert = Reverts::Run;
    let rollback = scene.rollback();
    assert_eq!(
        kinds(&rollback.acts),
        [(ActKind::Deployment, Outcome::Created), (ActKind::TakeBack, Outcome::Updated)]
    );
    let asked = Revert::read(rollback.request.as_deref().unwrap()).unwrap();
    assert_eq!((&asked.bad, &asked.good, &asked.release), (&scene.subject, &scene.good, &super::run_id()));
    assert_eq!(asked.decision, rollback.decision);
    assert!(rollback.revert.is_none() && scene.hub.state().pulls.is_empty());
    // Again it asks for the same, and writes nothing.
    scene.hub.arm([]);
    assert_eq!(scene.rollback().request, rollback.request);
    assert!(scene.hub.writes().is_empty(), "{:?}", scene.hub.writes());
    // A branch that holds another change than the one that goes back is for people, whoever made it.
    {
        let mut state = scene.hub.state();
        let (branch, head) = (Revert::branch(&scene.subject, &scene.good), state.branches["main"].clone());
        state.branches.insert(branch.clone(), head);
        state.push_by_person(&branch, "x", "x\n", "revert\n\nOrch-Run: revert-x\nOrch-Link: sha256:x\n");
    }
    let (rollback, finished) = scene.try_rollback().unwrap();
    assert_eq!((rollback.acts[2].outcome, rollback.request), (Outcome::Conflict, None));
    assert!(matches!(finished.result, StageResult::Stopped { class: Class::NeedsApproval, .. }));
    // What a run would refuse is proposed at once; and nothing at all where nothing is asked for.
    let mut scene = bad();
    scene.config.rollback.revert = Reverts::Run;
    scene.hub.state().push_by_person("main", "src/main.txt", "main, faster, mended\n", "mend");
    let rollback = scene.rollback();
    assert!(rollback.request.is_none() && rollback.revert.unwrap().conflicts == ["src/main.txt"]);
    let mut scene = bad();
    scene.config.rollback.revert = Reverts::None;
    let rollback = scene.rollback();
    assert!(rollback.request.is_none() && rollback.revert.is_none() && rollback.acts.len() == 2);
}

#[test]
fn the_gate_asked_anew_takes_nothing_back_twice() {
    let mut scene = bad();
    scene.rollback();
    scene.again(|evidence| evidence.terms.measures_minutes += 1);
    scene.hub.arm([]);
    let again = scene.rollback();
    assert!(again.acts.iter().all(|act| act.outcome == Outcome::Unchanged), "{:?}", again.acts);
    assert!(scene.hub.writes().is_empty(), "{:?}", scene.hub.writes());
    let state = scene.hub.state();
    assert_eq!((state.deployments.len(), state.pulls.len()), (3, 1));
}

#[test]
fn later_work_elsewhere_stays() {
    let scene = bad();
    let later = scene.hub.state().push_by_person("main", "docs/x.md", "x\n", "docs");
    let rollback = scene.rollback();
    let revert = rollback.revert.unwrap();
    assert!(!revert.exact && revert.conflicts.is_empty());
    assert_eq!(revert.base.as_str(), later);
    let state = scene.hub.state();
    let commit = revert.commit.as_str();
    assert_eq!(state.text(commit, "src/main.txt").as_deref(), Some("main\n"));
    assert_eq!(state.text(commit, "docs/x.md").as_deref(), Some("x\n"));
    assert_eq!(state.text(commit, "src/new.txt"), None);
    assert!(!state.pulls[0].draft && state.pulls[0].body.contains("later work stays"));
}

#[test]
fn where_later_commits_changed_the_same_files_the_newest_good_tree_is_proposed() {
    let scene = bad();
    let later = scene.hub.state().push_by_person("main", "src/main.txt", "main, faster, mended\n", "mend");
    let last = scene.hub.state().push_by_person("main", "docs/x.md", "x\n", "docs");
    let (rollback, finished) = scene.try_rollback().unwrap();
    assert!(matches!(finished.result, StageResult::Done), "it is a proposal: {finished:?}");
    let revert = rollback.revert.unwrap();
    assert_eq!(revert.conflicts, ["src/main.txt"]);
    assert_eq!(
        revert.also.iter().map(orch::artifact::id::CommitId::as_str).collect::<Vec<_>>(),
        [&last, &later]
    );
    assert!(revert.exact);
    let state = scene.hub.state();
    assert_eq!(state.text(revert.commit.as_str(), "docs/x.md"), None);
    let pull = &state.pulls[0];
    assert!(pull.draft && pull.body.contains("Later commits changed the same files"), "{}", pull.body);
    assert!(pull.body.contains(&later) && pull.body.contains(&last));
    assert!(rollback.acts[2].why.as_ref().unwrap().contains("as a draft"));
    drop(state);
    scene.keeps_to_the_documents();
}

#[test]
fn an_environment_that_runs_something_else_is_left_alone() {
    let scene = bad();
    let newer = scene.hub.state().push_by_person("main", "z", "z\n", "z").parse().unwrap();
    scene.deployed("production", &newer, &digests("newer"), "success");
    scene.hub.arm([]);
    let (rollback, finished) = scene.try_rollback().unwrap();
    assert_eq!(kinds(&rollback.acts), [(ActKind::Deployment, Outcome::Conflict)]);
    assert!(matches!(finished.result, StageResult::Stopped { class: Class::NeedsApproval, .. }));
    assert!(scene.hub.writes().is_empty());
    // One that failed does not run there.
    let scene = bad();
    let newer = scene.hub.state().push_by_person("main", "z", "z\n", "z").parse().unwrap();
    scene.deployed("production", &newer, &digests("newer"), "failure");
    assert_eq!(scene.rollback().acts[0].outcome, Outcome::Created);
}

#[test]
fn what_people_did_with_the_revert_stays() {
    for (word, merged, outcome) in
        [("closed", false, Outcome::Declined), ("closed", true, Outcome::Unchanged)]
    {
        let scene = bad();
        scene.rollback();
        {
            let mut state = scene.hub.state();
            state.pulls[0].state = word;
            state.pulls[0].merged = merged;
        }
        scene.hub.arm([]);
        assert_eq!(scene.rollback().acts[2].outcome, outcome);
        assert!(scene.hub.writes().is_empty());
    }
    // Somebody else's branch of that name.
    let scene = bad();
    let branch = scene.rollback().revert.unwrap().branch;
    {
        let mut state = scene.hub.state();
        state.pulls.clear();
        state.push_by_person(&branch, "mine", "x\n", "mine");
    }
    scene.hub.arm([]);
    let rollback = scene.rollback();
    assert_eq!((rollback.acts[2].outcome, rollback.revert), (Outcome::Conflict, None));
    assert!(scene.hub.writes().is_empty());
}

#[test]
fn a_branch_that_cannot_be_put_back_keeps_nothing_from_being_restored() {
    // The change was never on the branch: a canary before its merge.
    let scene = bad();
    let good = scene.good.to_string();
    scene.hub.state().branches.insert("main".into(), good);
    let rollback = scene.rollback();
    assert_eq!(rollback.acts[2].outcome, Outcome::Unchanged);
    assert!(rollback.revert.is_none() && scene.hub.state().pulls.is_empty());
    // A token that may not: the digests are restored, and the reason is told.
    let scene = bad();
    scene.rollback();
    let at = scene.hub.seen().iter().position(|seen| seen.path.ends_with("/git/trees")).unwrap() + 1;
    let scene = bad();
    let no = json!({ "message": "Resource not accessible by integration" });
    scene.hub.arm([(at, Fault::Refuse(403, vec![], no))]);
    let (rollback, finished) = scene.try_rollback().unwrap();
    assert_eq!(rollback.acts[0].outcome, Outcome::Created);
    assert_eq!(rollback.acts[2].outcome, Outcome::Conflict);
    assert!(rollback.warnings[0].help.as_ref().unwrap().contains("contents: write"));
    assert!(matches!(finished.result, StageResult::Stopped { class: Class::NeedsApproval, .. }));
    // A tree that is told cut is not half read.
    let scene = bad();
    scene.hub.state().truncate_trees = true;
    let (rollback, _) = scene.try_rollback().unwrap();
    assert!(rollback.warnings[0].what.contains("too many entries"), "{:?}", rollback.warnings);
    assert_eq!(scene.states(&scene.good.clone()), ["inactive", "success"], "restored before");
    assert!(scene.hub.state().pulls.is_empty());
    scene.hub.state().truncate_trees = false;
    scene.rollback();
    assert_eq!(scene.hub.state().deployments.len(), 3, "and not twice");
}

#[test]
fn digests_that_nobody_kept_are_told_of() {
    let mut scene = bad();
    scene.again(|evidence| evidence.facts.last_good.as_mut().unwrap().artifacts.clear());
    let rollback = scene.rollback();
    assert!(rollback.warnings[0].what.contains("nobody kept the digests"), "{:?}", rollback.warnings);
}
