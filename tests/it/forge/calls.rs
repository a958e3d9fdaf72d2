//! Every call of the port against a GitHub with a memory.

use orch::artifact::id::CommitId;
use orch::ports::forge::github::{Addresses, AppSource, DOCUMENTS, FakePace, GitHub, TokenSource};
use orch::ports::forge::{
    Access, Annotation, AnnotationLevel, CheckDraft, CommitOnBranch, Conclusion, ForgeError, ForgeRead,
    ForgeWrite, IssueNumber, MergeDraft, MergeMethod, NewCommit, NewEntry, NewPull, NewTree, PullEdit,
    PullNumber, PullState, Reaction, ReviewState, Reviewers, SarifUpload, StatusDraft, StatusState,
    TokenKind,
};
use orch::ports::secret::Secret;
use serde_json::json;

use super::{Scene, TOKEN};
use crate::support::github::Fault;

fn main_of(scene: &Scene) -> CommitId {
    scene.hub.state().branches["main"].parse().unwrap()
}

/// Makes a branch with a commit and a pull request of it.
fn opened(scene: &Scene) -> (PullNumber, CommitId) {
    let forge = scene.github();
    let base = main_of(scene);
    forge.create_branch("feat/x", &base).unwrap();
    let commit = CommitOnBranch {
        branch: "feat/x".into(),
        expected: base,
        headline: "feat: x".into(),
        body: "Why.".into(),
        additions: vec![("a b/ä.txt".into(), b"\0x".to_vec())],
        deletions: vec!["README.md".into()],
    };
    let head = forge.commit_on_branch(&commit).unwrap();
    assert!(matches!(forge.commit_on_branch(&commit), Err(ForgeError::Conflict { .. })));
    let new = NewPull {
        title: "T".into(),
        body: "B".into(),
        head: "feat/x".into(),
        base: "main".into(),
        draft: true,
    };
    let pull = forge.open_pull(&new).unwrap();
    assert!(matches!(forge.open_pull(&new), Err(ForgeError::Conflict { .. })));
    (pull.number, head)
}

#[test]
fn branches_commits_and_objects() {
    let scene = Scene::new();
    let (forge, base) = (scene.github(), main_of(&scene));
    assert_eq!(forge.branch_head("none").unwrap(), None);
    let (_, head) = opened(&scene);
    assert!(matches!(forge.create_branch("feat/x", &base), Err(ForgeError::Conflict { .. })));
    assert_eq!(forge.branch_head("feat/x").unwrap(), Some(head.clone()));
    assert_eq!(forge.content("a b/ä.txt", "feat/x").unwrap().as_deref(), Some(&b"\0x"[..]));
    assert_eq!(forge.content("README.md", head.as_str()).unwrap(), None);
    let commit = forge.commit(&head).unwrap();
    assert_eq!((commit.message.as_str(), commit.verified), ("feat: x\n\nWhy.", true));
    let compared = forge.compare("main", "feat/x").unwrap();
    assert_eq!((compared.ahead_by, compared.behind_by, compared.commits.len()), (1, 0, 1));
    assert_eq!(compared.files.iter().map(|f| f.status.as_str()).collect::<Vec<_>>(), ["removed", "added"]);

    let blob = forge.create_blob(b"#!/bin/sh\n").unwrap();
    let entries = vec![NewEntry { path: "run".into(), mode: "100755".into(), blob: Some(blob) }];
    let tree = forge.create_tree(&NewTree { base: commit.tree, entries }).unwrap();
    let message = "feat: run".to_owned();
    let made = forge.create_commit(&NewCommit { message, tree, parents: vec![head.clone()] }).unwrap();
    forge.advance_branch("feat/x", &made).unwrap();
    assert!(matches!(forge.advance_branch("feat/x", &head), Err(ForgeError::Conflict { .. })));
    forge.delete_branch("feat/x").unwrap();
    scene.keeps_to_the_documents();
}

#[test]
fn pull_requests_and_what_goes_with_them() {
    let scene = Scene::new();
    let forge = scene.github();
    let (number, head) = opened(&scene);
    let pull = forge.pull(number).unwrap();
    assert_eq!((pull.state, pull.draft, &pull.head_commit), (PullState::Open, true, &head));
    assert_eq!(forge.pulls_of("feat/x").unwrap().len(), 1);
    assert_eq!(forge.pulls_of("feat").unwrap().len(), 0);
    assert_eq!(forge.pull_files(number).unwrap().len(), 2);
    let edit = PullEdit { title: Some("U".into()), ..PullEdit::default() };
    assert_eq!(forge.edit_pull(number, &edit).unwrap().title, "U");
    forge.set_draft(&pull.node, false).unwrap();
    forge.set_draft(&pull.node, true).unwrap();
    forge.set_draft(&pull.node, false).unwrap();
    forge.add_labels(number.issue(), &["l".into()]).unwrap();
    assert_eq!(forge.add_assignees(number.issue(), &["octocat".into(), "nobody".into()]).unwrap().len(), 1);
    forge.request_reviewers(number, &Reviewers { people: vec!["reviewer".into()], teams: vec![] }).unwrap();
    forge.request_copilot(number).unwrap();
    let pull = forge.pull(number).unwrap();
    assert_eq!((pull.labels.len(), pull.assignees.len(), pull.reviewers.len(), pull.draft), (1, 1, 1, false));
    scene.hub.state().reviews =
        vec![json!({ "state": "CHANGES_REQUESTED", "commit_id": head }), json!({ "state": "NEWER" })];
    let reviews = forge.reviews(number).unwrap();
    assert_eq!((reviews.len(), reviews[0].state), (1, ReviewState::ChangesRequested));
    let merge = |expected: &CommitId| MergeDraft {
        node: pull.node.clone(),
        method: MergeMethod::Squash,
        expected: expected.clone(),
    };
    let other = main_of(&scene);
    assert!(matches!(forge.enable_auto_merge(&merge(&other)), Err(ForgeError::Conflict { .. })));
    forge.enable_auto_merge(&merge(&head)).unwrap();
    assert!(forge.pull(number).unwrap().auto_merge);
    forge.disable_auto_merge(&pull.node).unwrap();
    assert!(matches!(forge.merge(number, &merge(&other)), Err(ForgeError::Conflict { .. })));
    forge.merge(number, &merge(&head)).unwrap();
    assert_eq!(forge.pull(number).unwrap().state, PullState::Merged);
    assert!(matches!(forge.pull(PullNumber(999)), Err(ForgeError::NotFound { .. })));
    scene.keeps_to_the_documents();
}

#[test]
fn people_issues_comments_and_rules() {
    let scene = Scene::new();
    let forge = scene.github();
    assert_eq!(forge.repository().unwrap().slug.to_string(), "acme/app");
    assert_eq!(forge.identity().unwrap().kind, TokenKind::App);
    assert_eq!(forge.access(&"octocat".parse().unwrap()).unwrap(), Access::Maintain);
    assert_eq!(forge.access(&"reviewer".parse().unwrap()).unwrap(), Access::Read);
    assert_eq!(forge.access(&"evil[bot]".parse().unwrap()).unwrap(), Access::None);
    assert!(!forge.issue(IssueNumber(3)).unwrap().is_pull);
    let first = forge.add_comment(IssueNumber(3), "one").unwrap();
    let second = forge.add_comment(IssueNumber(3), "two").unwrap();
    let edited = forge.edit_comment(first.id, "other").unwrap();
    assert!(!edited.stood_at(second.created_at) && second.stood_at(second.created_at));
    assert_eq!(forge.comments(IssueNumber(3), None).unwrap().len(), 2);
    assert_eq!(forge.comments(IssueNumber(3), Some(first.created_at)).unwrap().len(), 1);
    assert_eq!(forge.comment(first.id).unwrap().body, "other");
    forge.react(first.id, Reaction::Eyes).unwrap();
    assert_eq!(forge.environments().unwrap().len(), 1);
    assert!(forge.branch_rules("main").unwrap().checks.is_empty());
    let thread = |n: u32| {
        json!({
            "id": format!("T{n}"), "isResolved": n == 1, "isOutdated": false, "path": "a", "line": n,
            "comments": { "nodes": [{ "body": "x", "createdAt": "2026-11-21T10:00:00Z", "author": { "__typename": "Bot", "login": "coderabbitai" }, "originalCommit": null }] },
        })
    };
    scene.hub.state().threads = (1..=5).map(thread).collect();
    let threads = forge.review_threads(PullNumber(7)).unwrap();
    assert_eq!((threads.len(), threads[0].resolved, threads[4].line), (5, true, Some(5)));
    assert!(threads[0].comments[0].bot);
    scene.keeps_to_the_documents();
}

#[test]
fn checks_statuses_and_findings() {
    let scene = Scene::new();
    let (forge, commit) = (scene.github(), main_of(&scene));
    let note = |line| Annotation {
        path: "src/main.txt".into(),
        start_line: line,
        end_line: line,
        level: AnnotationLevel::Warning,
        title: "t".into(),
        message: "m".into(),
    };
    let mut check = CheckDraft {
        name: "orch / review-gate".into(),
        commit: commit.clone(),
        external_id: "e1".into(),
        conclusion: None,
        title: "At work".into(),
        summary: "s".into(),
        annotations: (1..=101).map(note).collect(),
    };
    let id = forge.create_check(&check).unwrap();
    let run = |forge: &GitHub| forge.check_runs(&commit).unwrap().remove(0);
    assert_eq!((run(&forge).conclusion, run(&forge).external_id.as_deref()), (None, Some("e1")));
    check.conclusion = Some(Conclusion::Failure);
    check.annotations.clear();
    forge.update_check(id, &check).unwrap();
    assert_eq!((run(&forge).conclusion, run(&forge).id), (Some(Conclusion::Failure), id));
    assert_eq!(scene.hub.state().checks[0]["output"]["annotations_count"], json!(101));
    for state in [StatusState::Pending, StatusState::Success] {
        forge
            .set_status(&StatusDraft {
                commit: commit.clone(),
                context: "c".into(),
                state,
                description: "d".repeat(300),
            })
            .unwrap();
    }
    let statuses = forge.statuses(&commit).unwrap();
    assert_eq!((statuses.len(), statuses[0].state), (1, StatusState::Success));
    let sarif = br#"{"version":"2.1.0","runs":[]}"#.to_vec();
    forge.upload_sarif(&SarifUpload { commit, reference: "refs/heads/main".into(), sarif }).unwrap();
    assert!(scene.hub.state().sarifs[0]["sarif"].as_str().unwrap().starts_with("H4sI"), "gzip, then base64");
    scene.keeps_to_the_documents();
}

#[test]
fn errors_say_what_is_missing_and_where() {
    let scene = Scene::new();
    let forge = scene.github();
    let refuse = |status, headers: Vec<(&'static str, String)>, message: &str| {
        scene.hub.arm([(1, Fault::Refuse(status, headers, json!({ "message": message })))]);
    };
    let new =
        NewPull { title: "T".into(), body: "B".into(), head: "x".into(), base: "main".into(), draft: false };
    for (status, header, message, wanted) in [
        (
            403,
            "",
            "GitHub Actions is not permitted to create or approve pull requests.",
            "Allow GitHub Actions to create and approve",
        ),
        (
            403,
            "pull_requests=write; contents=read",
            "Resource not accessible by integration",
            "pull_requests=write",
        ),
        (403, "", "Resource not accessible by personal access token", "pull-requests: write"),
        (404, "", "Not Found", "pull-requests: write"),
        (401, "", "Bad credentials", "Make a new token"),
        (403, "", "Repository was archived so is read-only.", "un-archive"),
    ] {
        let headers = if header.is_empty() {
            vec![]
        } else {
            vec![("x-accepted-github-permissions", header.to_owned())]
        };
        refuse(status, headers, message);
        let error = forge.open_pull(&new).unwrap_err();
        let help = orch::diagnostic::Failure::help(&error).unwrap();
        assert!(help.contains(wanted), "{message}: {help}");
        assert!(!format!("{error:?} {error} {help}").contains(TOKEN));
        assert_eq!(scene.hub.seen().len(), 1, "{message}: sent once");
    }
    // A word that means a rate limit that nobody waits for.
    refuse(
        403,
        vec![("x-ratelimit-remaining", "0".into()), ("x-ratelimit-reset", "1800009999".into())],
        "API rate limit exceeded",
    );
    match forge.repository().unwrap_err() {
        ForgeError::RateLimited { secondary: false, until: Some(until), .. } => {
            assert!(until.starts_with("2027-01-15T10:46"), "{until}");
        }
        other => panic!("{other:?}"),
    }
    // An echo of the token is masked by what learned it, and is never part of a request's own errors.
    refuse(302, vec![("location", "https://evil.example/x".into())], "Found");
    assert!(forge.repository().unwrap_err().to_string().contains("another host"));
    refuse(301, vec![("location", "/repos/acme/app".into())], "Moved Permanently");
    assert!(forge.repository().is_ok());
}

#[test]
fn an_app_gets_a_token_for_this_repository_alone_and_a_bad_key_is_named() {
    let scene = Scene::new();
    let at = || Addresses {
        rest: scene.hub.url().parse().unwrap(),
        graphql: format!("{}/graphql", scene.hub.url()).parse().unwrap(),
    };
    for (key, why) in [
        ("nonsense", "is no PEM text"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "is no RSA private key"),
        ("-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----", "is no RSA key"),
    ] {
        let source = TokenSource::App(AppSource::new("12345".into(), Secret::new(key.into()), None));
        let forge = GitHub::new("acme/app".parse().unwrap(), at(), source, Box::new(FakePace::default()));
        let error = forge.repository().unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
        assert!(!error.to_string().contains("AAAA"));
    }
    assert!(scene.hub.seen().is_empty());
}

#[test]
fn every_document_is_valid_against_githubs_schema() {
    let schema =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/github/schema.graphql"))
            .unwrap();
    let schema = apollo_compiler::Schema::parse_and_validate(schema, "schema.graphql").unwrap();
    assert_eq!(DOCUMENTS.len(), 7);
    for (name, text) in DOCUMENTS {
        let document = apollo_compiler::ExecutableDocument::parse_and_validate(&schema, *text, *name);
        assert!(document.unwrap().operations.get(Some(name)).is_ok(), "{name}");
    }
}

#[test]
fn runs_of_workflows_are_read_ended_and_run_again() {
    use orch::ports::forge::{RunsRead as _, RunsWrite as _};
    let scene = Scene::new();
    let forge = scene.github();
    scene.hub.state().artifacts =
        vec![json!({ "id": 9, "name": "orch-x-plan-r1-a1" }), json!({ "id": 10, "name": "x" })];
    let run = forge.workflow_run(30_433_642).unwrap();
    assert!(run.path.starts_with(".github/workflows/") && !run.path.contains('@'), "{run:?}");
    assert!(!forge.workflow_runs("orch.yml").unwrap().is_empty());
    assert!(!forge.run_jobs(run.id).unwrap().is_empty());
    assert_eq!(forge.run_artifacts(run.id).unwrap().len(), 2);
    let named = forge.artifacts_named("orch-x-plan-r1-a1").unwrap();
    assert_eq!((named.len(), named[0].id), (1, 9));
    assert!(named[0].run.is_some());
    forge.cancel_run(run.id).unwrap();
    forge.rerun_job(399_444_496).unwrap();
    scene.keeps_to_the_documents();
}
