//! The same port against emulate, a GitHub API somebody else wrote: `tests/stand-ins/run emulate`.
//!
//! It has no GraphQL, so commits are made from objects; its commit ids are not git's, and a head does not follow its branch.

use orch::ports::forge::github::{Addresses, AppSource, GitHub, SystemPace, TokenSource};
use orch::ports::forge::{
    Access, Annotation, AnnotationLevel, CheckDraft, CommitOnBranch, Conclusion, ForgeError, ForgeRead, ForgeWrite,
    NewCommit, NewEntry, NewPull, NewTree, PullEdit, PullState, Reviewers, TokenKind,
};
use orch::ports::secret::Secret;

fn open(token: TokenSource) -> GitHub {
    let url = std::env::var("ORCH_STAND_IN_EMULATE").unwrap_or_else(|_| panic!("run tests/stand-ins/run emulate"));
    let at = Addresses { rest: url.parse().unwrap(), graphql: format!("{url}/graphql").parse().unwrap() };
    GitHub::new("acme/app".parse().unwrap(), at, token, Box::new(SystemPace::new()))
}

fn app() -> TokenSource {
    let key = std::fs::read_to_string(std::env::var("ORCH_STAND_IN_EMULATE_KEY").unwrap()).unwrap();
    TokenSource::App(AppSource::new("12345".into(), Secret::new(key), None))
}

#[test]
#[ignore = "needs the stand-in"]
fn an_app_writes_a_branch_a_pull_request_and_a_check() {
    let forge = open(app());
    assert_eq!(forge.identity().unwrap().kind, TokenKind::App);
    let repository = forge.repository().unwrap();
    let base = forge.branch_head(&repository.default_branch).unwrap().unwrap();
    forge.create_branch("feat/x", &base).unwrap();
    assert!(matches!(forge.create_branch("feat/x", &base), Err(ForgeError::Conflict { .. })));
    let draft = CommitOnBranch {
        branch: "feat/x".into(),
        expected: base.clone(),
        headline: "feat: x".into(),
        body: String::new(),
        additions: vec![],
        deletions: vec![],
    };
    assert!(matches!(forge.commit_on_branch(&draft), Err(ForgeError::Unsupported { .. })));
    let blob = forge.create_blob(b"#!/bin/sh\n").unwrap();
    let tree = forge.commit(&base).unwrap().tree;
    let entries = vec![NewEntry { path: "run".into(), mode: "100755".into(), blob: Some(blob) }];
    let tree = forge.create_tree(&NewTree { base: tree, entries }).unwrap();
    let commit = NewCommit { message: "feat: run".into(), tree: tree.clone(), parents: vec![base] };
    let head = forge.create_commit(&commit).unwrap();
    forge.advance_branch("feat/x", &head).unwrap();
    assert_eq!(forge.commit(&head).unwrap().tree, tree);

    let new = NewPull {
        title: "feat: x".into(),
        body: "Text.".into(),
        head: "feat/x".into(),
        base: repository.default_branch,
        draft: true,
    };
    let pull = forge.open_pull(&new).unwrap();
    assert_eq!((pull.state, pull.draft), (PullState::Open, true));
    assert_eq!(forge.pulls_of("feat/x").unwrap().len(), 1);
    let edit = PullEdit { body: Some("Other.".into()), ..PullEdit::default() };
    assert_eq!(forge.edit_pull(pull.number, &edit).unwrap().body, "Other.");
    forge.add_labels(pull.number.issue(), &["orch".into()]).unwrap();
    forge.request_reviewers(pull.number, &Reviewers { people: vec!["reviewer".into()], teams: vec![] }).unwrap();
    assert_eq!(forge.pull(pull.number).unwrap().labels, ["orch"]);
    let note = Annotation {
        path: "run".into(),
        start_line: 1,
        end_line: 1,
        level: AnnotationLevel::Notice,
        title: "t".into(),
        message: "m".into(),
    };
    let check = CheckDraft {
        name: "orch / policy".into(),
        commit: head.clone(),
        external_id: "e".into(),
        conclusion: Some(Conclusion::Success),
        title: "t".into(),
        summary: "s".into(),
        annotations: vec![note; 60],
    };
    forge.create_check(&check).unwrap();
    assert_eq!(forge.check_runs(&head).unwrap()[0].conclusion, Some(Conclusion::Success));
}

#[test]
#[ignore = "needs the stand-in"]
fn a_person_may_look_and_another_key_is_refused() {
    let person = TokenSource::Given { token: Secret::new("ghp_standin".into()), of_workflow: false };
    let forge = open(person);
    assert_eq!(forge.identity().unwrap().kind, TokenKind::Person);
    assert!(forge.access(&"octocat".parse().unwrap()).unwrap() >= Access::None);
    let missing = "0123456789012345678901234567890123456789".parse().unwrap();
    assert!(forge.commit(&missing).is_err());
}
