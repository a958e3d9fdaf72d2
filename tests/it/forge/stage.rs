//! What the stage does on GitHub, run after run.

use orch::artifact::types::pull_request::{CiStart, Outcome};
use orch::artifact::types::task::{Base, Follows};
use orch::artifact::types::verdict::{Decision, Effect, Finding};
use orch::config::AutoMerge;
use orch::diagnostic::{Class, Failure as _};
use orch::stage::StageResult;
use serde_json::json;

use super::{BRANCH, Scene};
use crate::support::create;

#[test]
fn a_judged_change_becomes_one_pull_request_with_all_that_goes_with_it() {
    let scene = Scene::new();
    let (request, hosted) = scene.run();
    assert_eq!((hosted.outcome, hosted.number, hosted.signed), (Outcome::Created, Some(7), true));
    assert_eq!((hosted.ci, hosted.warnings.as_slice()), (CiStart::ByItself, &[][..]));
    assert_eq!(request.branch, BRANCH);
    assert_eq!(request.commits.len(), 2);
    assert_eq!(request.commits[0].subject, "test(health): cover \"add a /health endpoint\"");

    let state = scene.hub.state();
    let head = state.branches[BRANCH].clone();
    assert_eq!(hosted.head.as_ref().map(ToString::to_string), Some(head.clone()));
    assert_eq!(state.text(&head, "src/health.txt").as_deref(), Some("up\n"));
    assert_eq!(state.text(&head, "tests/health.txt").as_deref(), Some("test\n"));
    let pull = &state.pulls[0];
    assert_eq!(
        (pull.title.as_str(), pull.base.as_str(), pull.draft),
        (request.title.as_str(), "main", false)
    );
    assert_eq!(
        (pull.labels.as_slice(), pull.assignees.as_slice()),
        (&["orch".to_owned(), "small".into()][..], &["octocat".to_owned()][..])
    );
    assert_eq!(pull.reviewers, ["reviewer"]);
    assert!(
        pull.body.contains("## Test evidence") && pull.body.contains("<!-- orch task=sha256"),
        "{}",
        pull.body
    );
    assert_eq!(state.checks.len(), 1);
    assert_eq!(
        (&state.checks[0]["name"], &state.checks[0]["conclusion"]),
        (&json!("orch / policy"), &json!("success"))
    );
    drop(state);
    assert!(scene.still_holds(&request));
    scene.keeps_to_the_documents();
}

#[test]
fn again_nothing_is_written() {
    let scene = Scene::new();
    let (first, _) = scene.run();
    scene.hub.arm([]);
    let (second, hosted) = scene.run();
    assert_eq!(hosted.outcome, Outcome::Unchanged);
    assert_eq!(scene.hub.writes(), Vec::<String>::new());
    assert_eq!((first.commits, first.body), (second.commits, second.body));
    scene.keeps_to_the_documents();
}

#[test]
fn a_persons_commit_stays_and_another_change_does_not_go_over_it() {
    let mut scene = Scene::new();
    let (request, _) = scene.run();
    let human = scene.hub.state().push_by_person(BRANCH, "notes.txt", "mine\n", "add my notes");
    assert!(!scene.still_holds(&request));
    scene.hub.arm([]);
    let (request, hosted) = scene.run();
    assert_eq!((hosted.outcome, request.commits.len()), (Outcome::Unchanged, 2));
    assert_eq!(hosted.head.map(|head| head.to_string()), Some(human.clone()));
    // The check is about a commit, and this is another one.
    assert_eq!(scene.hub.writes(), ["POST /repos/acme/app/check-runs"]);

    scene.world.edits.files[0] = create("src/health.txt", "better\n");
    scene.hub.arm([]);
    let (request, _, finished) = scene.try_run().unwrap();
    assert_eq!(request.hosted.unwrap().outcome, Outcome::Conflict);
    assert!(
        matches!(finished.result, StageResult::Stopped { class: Class::NeedsApproval, .. }),
        "{finished:?}"
    );
    assert_eq!(scene.hub.writes(), Vec::<String>::new());
    assert_eq!(scene.hub.state().branches[BRANCH], human);

    // A branch of somebody else's is not touched at all.
    let other = Scene::new();
    let main = other.hub.state().branches["main"].clone();
    other.hub.state().branches.insert(BRANCH.into(), main);
    let theirs = other.hub.state().push_by_person(BRANCH, "x", "x\n", "feat: mine");
    let (request, _, _) = other.try_run().unwrap();
    assert_eq!(request.hosted.unwrap().outcome, Outcome::Conflict);
    assert_eq!(other.hub.state().branches[BRANCH], theirs);
    assert!(other.hub.writes().is_empty() && other.hub.state().pulls.is_empty());
    scene.keeps_to_the_documents();
}

#[test]
fn a_commit_that_only_claims_to_be_ours_is_not() {
    let scene = Scene::new();
    let (request, _) = scene.run();
    let task = request.provenance.task.to_string();
    let amended = format!("feat: mine\n\nOrch-Run: x\nOrch-Task: {task}");
    let human = scene.hub.state().push_by_person(BRANCH, "notes.txt", "mine\n", &amended);
    let (request, hosted) = scene.run();
    assert_eq!((request.commits.len(), hosted.head.unwrap().to_string()), (2, human));
}

#[test]
fn a_closed_pull_request_stays_closed() {
    let scene = Scene::new();
    let (request, _) = scene.run();
    scene.hub.state().pulls[0].state = "closed";
    assert!(!scene.still_holds(&request));
    for delete in [false, true] {
        if delete {
            scene.hub.state().branches.remove(BRANCH);
        }
        scene.hub.arm([]);
        let (request, _, finished) = scene.try_run().unwrap();
        assert_eq!(request.hosted.as_ref().unwrap().outcome, Outcome::Declined);
        assert!(
            matches!(finished.result, StageResult::Stopped { class: Class::Nothing, .. }),
            "{finished:?}"
        );
        assert_eq!(scene.hub.writes(), Vec::<String>::new());
        assert!(scene.still_holds(&request));
    }
    let state = scene.hub.state();
    assert_eq!((state.pulls.len(), state.pulls[0].state), (1, "closed"));
}

#[test]
fn a_branch_without_its_pull_request_is_repaired() {
    let scene = Scene::new();
    scene.run();
    scene.hub.state().pulls.clear();
    let (_, hosted) = scene.run();
    assert_eq!((hosted.outcome, scene.hub.state().pulls.len()), (Outcome::Repaired, 1));
    scene.keeps_to_the_documents();
}

#[test]
fn another_change_of_the_same_task_is_added_and_nothing_is_forced() {
    let mut scene = Scene::new();
    let (first, _) = scene.run();
    scene.world.edits.files = vec![create("run.sh", "#!/bin/sh\n"), create("src/other.txt", "new\n")];
    scene.world.edits.files[0].mode = orch::artifact::types::change_set::FileMode::Executable;
    scene.hub.arm([]);
    let (second, hosted) = scene.run();
    assert_eq!(hosted.outcome, Outcome::Updated);
    assert_eq!(second.commits[..2], first.commits[..]);
    assert_eq!(second.commits.len(), 3);
    let state = scene.hub.state();
    let head = state.branches[BRANCH].clone();
    assert_eq!(state.text(&head, "src/health.txt"), None);
    assert_eq!(state.text(&head, "src/main.txt").as_deref(), Some("main\n"));
    assert_eq!(state.files_of(&head)["run.sh"].mode, "100755");
    assert!(state.pulls[0].body.contains("src/other.txt"));
    drop(state);
    let writes = scene.hub.writes();
    assert!(
        writes.iter().any(|w| w.starts_with("PATCH /repos/acme/app/git/refs/heads%2Ffeat")),
        "{writes:?}"
    );
    for seen in
        scene.hub.seen().iter().filter(|seen| seen.method == "PATCH" && seen.path.contains("/git/refs/"))
    {
        assert_eq!(seen.body["force"], json!(false));
    }
    scene.keeps_to_the_documents();
}

#[test]
fn words_of_a_person_are_kept() {
    let mut scene = Scene::new();
    scene.run();
    scene.hub.state().pulls[0].body.insert_str(0, "Please look at the second file.\n\n");
    scene.world.edits.files[0] = create("src/health.txt", "better\n");
    let (_, hosted) = scene.run();
    assert_eq!(hosted.warnings.len(), 1, "{hosted:?}");
    assert!(hosted.warnings[0].what.contains("a person changed the text"));
    assert!(scene.hub.state().pulls[0].body.starts_with("Please look"));
    // Line ends are GitHub's, not a person's.
    let other = Scene::new();
    other.run();
    let mut state = other.hub.state();
    state.pulls[0].body = state.pulls[0].body.replace('\n', "\r\n");
    drop(state);
    other.hub.arm([]);
    assert_eq!(other.run().1.outcome, Outcome::Unchanged);
}

#[test]
fn what_waits_for_approval_is_a_draft_with_a_check_that_does_not_pass() {
    let mut scene = Scene::new();
    scene.world.verdict.decision = Decision::NeedsApproval;
    scene.world.verdict.findings = (1..=120).map(finding).collect();
    let (request, _) = scene.run();
    assert!(request.draft && scene.hub.state().pulls[0].draft);
    let check = scene.hub.state().checks[0].clone();
    assert_eq!(check["conclusion"], json!("action_required"));
    assert_eq!(check["output"]["annotations_count"], json!(120));
    let notes = scene
        .hub
        .seen()
        .into_iter()
        .filter_map(|seen| seen.body["output"]["annotations"].as_array().map(Vec::len));
    assert_eq!(notes.collect::<Vec<_>>(), [50, 50, 20]);
    // Approved: the same pull request is ready.
    scene.world.verdict.decision = Decision::Allow;
    scene.world.verdict.findings.clear();
    let (request, hosted) = scene.run();
    assert_eq!((request.draft, hosted.outcome), (false, Outcome::Updated));
    assert!(!scene.hub.state().pulls[0].draft);
    scene.keeps_to_the_documents();
}

fn finding(line: u32) -> Finding {
    Finding {
        code: "paths/protected".into(),
        effect: Effect::RequireApproval,
        severity: orch::artifact::types::verdict::Severity::Medium,
        message: "it is protected @everyone".into(),
        help: "Ask.".into(),
        path: Some("src/main.txt".into()),
        line: Some(line),
        column: None,
        end_line: None,
        end_column: None,
        evidence: None,
        fingerprint: line.to_string(),
    }
}

#[test]
fn a_token_that_is_no_apps_sets_a_status_and_what_fails_besides_is_told() {
    let mut scene = Scene::new();
    scene.hub.state().app = false;
    scene.hub.state().login = "octocat".into();
    scene.config.pr.assignees = vec!["nobody".into()];
    scene.config.pr.reviewers = vec!["stranger".into()];
    let (_, hosted) = scene.run();
    let state = scene.hub.state();
    assert_eq!(state.statuses[0]["context"], json!("orch / policy"));
    assert_eq!(state.statuses[0]["state"], json!("success"));
    drop(state);
    let told: Vec<_> = hosted.warnings.iter().map(|warning| warning.what.as_str()).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("did not assign `nobody`") && told[1].contains("collaborators"), "{told:?}");
    scene.hub.arm([]);
    scene.run();
    assert!(!scene.hub.writes().iter().any(|write| write.contains("/statuses/")), "{:?}", scene.hub.writes());
    scene.keeps_to_the_documents();
}

#[test]
fn without_graphql_the_commits_are_made_from_objects() {
    let scene = Scene::new();
    scene.hub.state().graphql = false;
    let (request, hosted) = scene.run();
    assert_eq!((hosted.outcome, request.commits.len(), hosted.signed), (Outcome::Created, 2, true));
    scene.hub.arm([]);
    assert_eq!(scene.run().1.outcome, Outcome::Unchanged);
    scene.keeps_to_the_documents();
}

#[test]
fn a_workflows_token_is_told_what_it_cannot_do() {
    let mut scene = Scene::new();
    scene.hub.state().login = "github-actions[bot]".into();
    let (_, hosted) = scene.run();
    assert_eq!(hosted.ci, CiStart::AfterApproval);
    assert!(scene.hub.state().pulls[0].body.contains("Approve workflows to run"));
    scene.world.edits.files[0] = create(".github/workflows/ci.yml", "on: push\n");
    scene.hub.arm([]);
    let error = scene.try_run().unwrap_err();
    assert!(error.to_string().contains("`.github/workflows/ci.yml`"), "{error}");
    assert!(error.help().unwrap().contains("`workflows: write`"));
    assert!(scene.hub.writes().is_empty());
}

#[test]
fn findings_go_to_the_security_page_where_the_config_says_so() {
    let mut scene = Scene::new();
    scene.world.verdict.decision = Decision::NeedsApproval;
    scene.world.verdict.findings = vec![finding(1)];
    scene.run();
    assert!(scene.hub.state().sarifs.is_empty());
    scene.config.pr.sarif = true;
    let (request, hosted) = scene.run();
    assert!(hosted.warnings.is_empty(), "{hosted:?}");
    let sarif = scene.hub.state().sarifs[0].clone();
    assert_eq!(sarif["ref"], json!(format!("refs/heads/{BRANCH}")));
    assert_eq!(sarif["commit_sha"], json!(request.commits.last().unwrap().id));
    assert!(sarif["sarif"].as_str().unwrap().starts_with("H4sI"), "gzip, then base64");
    scene.keeps_to_the_documents();
}

/// What reviewers found is mended where they found it: on the same branch, in the same pull request.
#[test]
fn what_is_mended_goes_into_the_same_pull_request() {
    let mut scene = Scene::new();
    let (request, hosted) = scene.run();
    // The branch as somebody has it who checked it out: the same tree, in a commit that is here too.
    let (tree, message) = {
        let state = scene.hub.state();
        let record = &state.commits[&state.branches[BRANCH]];
        (record.tree.clone(), record.message.clone())
    };
    let files =
        [("tests/health.txt", "test\n"), ("src/health.txt", "up\n"), ("src/main.txt", "main, health\n")];
    let (head, here) = scene.commit_here(&files, &message);
    assert_eq!(here, tree);
    let record = {
        let mut state = scene.hub.state();
        let mut record = state.commits[&state.branches[BRANCH]].clone();
        record.parents = vec![scene.world.task.base.commit.to_string()];
        state.commits.insert(head.clone(), record.clone());
        state.branches.insert(BRANCH.into(), head.clone());
        record
    };
    let base = Base { commit: head.parse().unwrap(), tree: record.tree.parse().unwrap(), branch: None };
    let text = scene.hub.state().pulls[0].body.clone();
    scene.world = crate::pr::World::new(&base);
    scene.world.tests.files = vec![create("tests/mended.txt", "test\n")];
    scene.world.tests.expected[0].path = "tests/mended.txt".parse().unwrap();
    scene.world.edits.files = vec![create("src/mended.txt", "mended\n")];
    scene.world.task.follows = Some(Follows {
        branch: request.branch.clone(),
        head: head.parse().unwrap(),
        target: Some("main".into()),
        number: hosted.number,
    });
    scene.hub.arm([]);
    let (mended, again) = scene.run();
    assert_eq!((again.number, mended.branch.as_str()), (hosted.number, BRANCH));
    assert_eq!(
        (again.outcome, mended.commits.len(), mended.target.as_deref()),
        (Outcome::Updated, 2, Some("main"))
    );
    assert!(again.warnings.is_empty(), "{again:?}");
    {
        let state = scene.hub.state();
        let tip = state.branches[BRANCH].clone();
        assert_eq!((state.pulls.len(), state.history(&tip).contains(&head)), (1, true));
        assert_eq!(state.text(&tip, "src/mended.txt").as_deref(), Some("mended\n"));
        assert_eq!(state.pulls[0].body, text);
    }
    scene.hub.arm([]);
    assert_eq!(scene.run().1.outcome, Outcome::Unchanged);
    assert!(scene.hub.writes().is_empty(), "{:?}", scene.hub.writes());
    // A person closed it: it is not opened again, and no other one is.
    scene.hub.state().pulls[0].state = "closed";
    assert_eq!(scene.run().1.outcome, Outcome::Declined);
    assert_eq!(scene.hub.state().pulls.len(), 1);
    scene.keeps_to_the_documents();
}

/// The review gate comes after the pull request: nothing merges before it has spoken.
#[test]
fn the_stage_that_opens_a_pull_request_lets_none_merge() {
    let mut scene = Scene::new();
    scene.config.pr.auto_merge = AutoMerge::Squash;
    scene.run();
    assert_eq!(scene.hub.state().pulls[0].auto_merge, None);
    assert!(!scene.hub.writes().iter().any(|write| write.contains("AutoMerge") || write.contains("/merge")));
}

#[test]
fn a_base_that_is_not_there_and_an_archive_are_refused_first() {
    let scene = Scene::new();
    let main = scene.hub.state().branches["main"].clone();
    scene.hub.state().commits.remove(&main);
    assert!(scene.try_run().unwrap_err().to_string().contains("is not on acme/app"));
    let scene = Scene::new();
    scene.hub.state().archived = true;
    assert!(scene.try_run().unwrap_err().to_string().contains("archived"));
    assert!(scene.hub.writes().is_empty());
}

#[test]
fn a_text_that_is_too_long_is_cut_and_keeps_its_footer() {
    let mut scene = Scene::new();
    scene.world.plan.criteria = (0..40)
        .map(|n| orch::artifact::types::plan::Criterion { id: format!("c{n}"), text: "<@x> ".repeat(400) })
        .collect();
    scene.run();
    let body = scene.hub.state().pulls[0].body.clone();
    assert!(body.chars().count() <= 65_536, "{}", body.chars().count());
    assert!(body.contains("The rest is too long") && body.contains("verdict-digest:"));
    assert_eq!(scene.run().1.outcome, Outcome::Unchanged);
}
