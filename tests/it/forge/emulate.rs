//! The same port against emulate, a GitHub API somebody else wrote: `tests/stand-ins/run emulate`.
//!
//! It has no GraphQL, so commits are made from objects; its commit ids are not git's, and a head does not follow its branch.

use std::sync::atomic::{AtomicUsize, Ordering};

use orch::artifact::id::{CommitId, Round};
use orch::artifact::types::pull_request::{Hosted, Outcome, PullRequest};
use orch::artifact::types::verdict::{Effect, Finding, Severity};
use orch::config::{Config, ForgeChoice};
use orch::ports::clock::FakeClock;
use orch::ports::forge::github::{Addresses, AppSource, GitHub, SystemPace, TokenSource};
use orch::ports::forge::{
    Access, Annotation, AnnotationLevel, CheckDraft, CommitOnBranch, Conclusion, ForgeError, ForgeRead,
    ForgeWrite, NewCommit, NewEntry, NewPull, NewTree, PullEdit, PullState, Reviewers, TokenKind,
};
use orch::ports::observe::FakeObserver;
use orch::ports::secret::Secret;
use orch::ports::vcs::{GitRepository, VcsRead as _};
use orch::ports::workspace::FakeWorkspaces;
use orch::stage::pr::{Pr, SPEC};
use orch::stage::{Output, Ports, Stage as _, StageContext, StageError};
use orch::telemetry::Silent;

use super::BRANCH;
use super::between::{Between, Fault};
use crate::env::{TestEnv, run_folder};
use crate::intake_events::fixture;
use crate::pr::{World, run_id};
use crate::support::{Forbidden, Repo};

fn open(token: TokenSource) -> GitHub {
    let url =
        std::env::var("ORCH_STAND_IN_EMULATE").unwrap_or_else(|_| panic!("run tests/stand-ins/run emulate"));
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
    forge
        .request_reviewers(pull.number, &Reviewers { people: vec!["reviewer".into()], teams: vec![] })
        .unwrap();
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

/// A repository on emulate with its twin here, and the proxy between.
struct Stand {
    _repo: Repo,
    port: GitRepository,
    between: Between,
    name: String,
    /// The last commit of `main`, by emulate's name.
    main: CommitId,
    world: World,
    config: Config,
}

impl Stand {
    /// Takes a repository that no other check has: emulate forgets nothing.
    fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(1);
        let name = format!("case-{:03}", NEXT.fetch_add(1, Ordering::Relaxed));
        let repo = Repo::new(&[("README.md", &format!("# {name}\n"))]);
        let port = repo.open();
        let base = port.head().unwrap();
        let url = std::env::var("ORCH_STAND_IN_EMULATE")
            .unwrap_or_else(|_| panic!("run tests/stand-ins/run emulate"));
        let between = Between::start(url.trim_start_matches("http://"));
        let mut world = World::new(&base);
        world.edits.files.truncate(1);
        world.verdict.findings = vec![finding()];
        let mut config = Config::default();
        config.pr.forge = ForgeChoice::Github;
        config.pr.labels = vec!["orch".into()];
        config.pr.reviewers = vec!["reviewer".into()];
        let nobody = "0".repeat(40).parse().unwrap();
        let mut stand = Self { _repo: repo, port, between, name, main: nobody, world, config };
        let there = stand.github().branch_head("main").unwrap().unwrap();
        stand.main = there.clone();
        assert_eq!(stand.github().commit(&there).unwrap().tree, base.tree, "the same tree on both sides");
        stand.between.name(base.commit.as_str(), there.as_str());
        stand.between.arm([]);
        stand
    }

    fn github(&self) -> GitHub {
        let at = Addresses {
            rest: self.between.url().parse().unwrap(),
            graphql: format!("{}/graphql", self.between.url()).parse().unwrap(),
        };
        let slug = format!("acme/{}", self.name).parse().unwrap();
        GitHub::new(slug, at, app(), Box::new(SystemPace::new()))
    }

    fn try_run(&self) -> Result<(PullRequest, Hosted), StageError> {
        let github = self.github();
        let (clock, workspaces, run) = (FakeClock::at(0), FakeWorkspaces::new(&self.port), run_id());
        let ports = Ports {
            clock: &clock,
            vcs: &self.port,
            forge: &self.port,
            hub: Some(&github),
            observe: &FakeObserver::default(),
            workspaces: &workspaces,
            processes: &Forbidden,
            engine: &Forbidden,
            models: &orch::agent::NoModels,
        };
        let cx = StageContext::new(&SPEC, &run, Round::FIRST, &self.config, None, ports, &Silent);
        let finished = Pr.run(&cx, &self.world.inputs())?;
        let body = finished.outputs.iter().find_map(|(_, output)| match output {
            Output::Body(body) => Some(body.clone()),
            Output::Bytes(_) => None,
        });
        let request: PullRequest = serde_json::from_value(body.unwrap()).unwrap();
        let hosted = request.hosted.clone().unwrap();
        Ok((request, hosted))
    }

    #[track_caller]
    fn run(&self) -> (PullRequest, Hosted) {
        self.between.arm([]);
        self.try_run().unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }

    /// What has to be there in the end, whatever happened on the way.
    fn is_whole(&self, case: &str) {
        let forge = self.github();
        let pulls = forge.pulls_of(BRANCH).unwrap();
        assert_eq!(pulls.len(), 1, "{case}");
        let pull = &pulls[0];
        assert!(pull.state == PullState::Open && !pull.draft, "{case}");
        assert_eq!((pull.labels.as_slice(), pull.reviewers.len()), (&["orch".to_owned()][..], 1), "{case}");
        assert!(
            pull.body.contains("verdict-digest:") && pull.body.contains("<!-- orch task="),
            "{case}: {}",
            pull.body
        );
        let head = forge.branch_head(BRANCH).unwrap().unwrap();
        let base = self.world.task.base.commit.as_str();
        let compared = forge.compare(base, head.as_str()).unwrap();
        assert_eq!(compared.commits.len(), 2, "{case}: the tests, then the change");
        assert_eq!(forge.content("src/health.txt", BRANCH).unwrap().as_deref(), Some(&b"up\n"[..]), "{case}");
        assert!(forge.check_runs(&head).unwrap().iter().any(|run| run.name == "orch / policy"), "{case}");
    }
}

fn finding() -> Finding {
    Finding {
        code: "content/todo".into(),
        effect: Effect::Warn,
        severity: Severity::Low,
        message: "something is left".into(),
        help: "Look at it.".into(),
        path: Some("src/health.txt".into()),
        line: Some(1),
        column: None,
        end_line: None,
        end_column: None,
        evidence: None,
        fingerprint: "1".into(),
    }
}

#[test]
#[ignore = "needs the stand-in"]
fn a_change_becomes_one_pull_request_and_people_are_respected() {
    let stand = Stand::new();
    let (request, hosted) = stand.run();
    assert_eq!((hosted.outcome, request.commits.len()), (Outcome::Created, 2));
    let writes = stand.between.writes();
    assert_eq!(writes.iter().filter(|write| *write == "CommitOnBranch").count(), 2, "{writes:?}");
    let check = stand
        .between
        .seen()
        .into_iter()
        .find(|(ask, _)| ask.ends_with("/check-runs") && ask.starts_with("POST"))
        .unwrap()
        .1;
    assert_eq!(check["output"]["annotations"].as_array().unwrap().len(), 1);
    stand.is_whole("created");

    assert_eq!(stand.run().1.outcome, Outcome::Unchanged);
    assert_eq!(stand.between.writes(), Vec::<String>::new());

    // Somebody adds a commit: it stays, and nothing is written over it.
    let forge = stand.github();
    let head = forge.branch_head(BRANCH).unwrap().unwrap();
    let blob = forge.create_blob(b"by hand\n").unwrap();
    let entries = vec![NewEntry { path: "by-hand.txt".into(), mode: "100644".into(), blob: Some(blob) }];
    let tree = forge.create_tree(&NewTree { base: forge.commit(&head).unwrap().tree, entries }).unwrap();
    let commit = NewCommit { message: "fix: by hand".into(), tree, parents: vec![head] };
    let by_hand = forge.create_commit(&commit).unwrap();
    forge.advance_branch(BRANCH, &by_hand).unwrap();
    assert_eq!(stand.run().1.outcome, Outcome::Unchanged);
    assert_eq!(stand.github().branch_head(BRANCH).unwrap(), Some(by_hand.clone()));
    // Another change is a person's to decide then.
    let mut other = stand;
    other.world.edits.files[0] = crate::support::create("src/health.txt", "better\n");
    assert_eq!(other.run().1.outcome, Outcome::Conflict);
    assert_eq!(other.github().branch_head(BRANCH).unwrap(), Some(by_hand));
}

#[test]
#[ignore = "needs the stand-in"]
fn what_a_person_closed_stays_closed_and_what_a_kill_left_is_repaired() {
    let stand = Stand::new();
    let (_, hosted) = stand.run();
    let number = hosted.number.unwrap();
    let path = format!("/repos/acme/{}/pulls/{number}", stand.name);
    stand.between.ask("PATCH", &path, &serde_json::json!({ "state": "closed" }));
    let (_, hosted) = stand.run();
    assert_eq!((hosted.outcome, hosted.number), (Outcome::Declined, Some(number)));
    assert_eq!(stand.between.writes(), Vec::<String>::new());

    let stand = Stand::new();
    stand.run();
    let at = stand
        .between
        .seen()
        .iter()
        .position(|(ask, _)| ask.starts_with("POST") && ask.ends_with("/pulls"))
        .unwrap();
    let stand = Stand::new();
    stand.between.arm([(at + 1, Fault::Refuse(500))]);
    assert!(stand.try_run().is_err());
    assert!(
        stand.github().branch_head(BRANCH).unwrap().is_some()
            && stand.github().pulls_of(BRANCH).unwrap().is_empty()
    );
    assert_eq!(stand.run().1.outcome, Outcome::Repaired);
    stand.is_whole("repaired");
}

#[test]
#[ignore = "needs the stand-in"]
fn whatever_call_fails_the_next_run_ends_in_the_same_single_pull_request() {
    let clean = Stand::new();
    clean.run();
    let calls = clean.between.seen().len();
    assert!(calls > 12, "{calls}");
    let mut failed = 0;
    for fault in
        [403, 404, 409, 422, 429, 500].map(Fault::Refuse).into_iter().chain([Fault::Lose, Fault::Die])
    {
        for call in 1..=calls {
            let stand = Stand::new();
            stand.between.arm([(call, fault.clone())]);
            failed += usize::from(stand.try_run().is_err());
            let case = format!("{fault:?} at call {call} of {calls}");
            stand.run();
            stand.is_whole(&case);
        }
    }
    assert!(failed > calls * 2, "{failed}");
}

/// The program itself, from an issue to the pull request, killed after each of its calls to the forge.
#[cfg(unix)]
#[test]
#[ignore = "needs the stand-in"]
fn an_issue_becomes_a_pull_request_though_the_program_is_killed_after_any_call() {
    let calls = from_an_issue(None);
    assert!(calls > 12, "{calls}");
    for call in 1..=calls {
        from_an_issue(Some(call));
    }
}

/// Runs all of it, killed after one call of `orch stage pr`; returns how many calls that makes.
#[cfg(unix)]
fn from_an_issue(killed_after: Option<usize>) -> usize {
    let stand = Stand::new();
    let env = TestEnv::new();
    let readme = format!("# {}\n", stand.name);
    let root = env.repository("shop", &[("README.md", &readme)]);
    let base = env.git(&root, &["rev-parse", "HEAD"]).trim().to_owned();
    // The config is no part of the commit, so that the tree is emulate's.
    let config = env.path("orch.yml");
    std::fs::write(
        &config,
        "service: shop\npr:\n  forge: github\n  labels: [orch]\n  reviewers: [reviewer]\n",
    )
    .unwrap();
    stand.between.name(&base, stand.main.as_str());
    let mut event = fixture("ordinary-label.issues");
    event["repository"]["full_name"] = format!("acme/{}", stand.name).into();
    let issue = serde_json::json!({ "title": event["issue"]["title"], "body": event["issue"]["body"] });
    let made = stand.between.ask("POST", &format!("/repos/acme/{}/issues", stand.name), &issue);
    event["issue"]["number"] = made["number"].clone();
    let path = env.path("event.json");
    std::fs::write(&path, event.to_string()).unwrap();
    let command = |args: &[&str]| {
        let mut command = env.orch_command(&root, args);
        command.arg("--config").arg(&config);
        command
            .env("GITHUB_ACTIONS", "true")
            .env("CI", "true")
            .env("GITHUB_REPOSITORY", format!("acme/{}", stand.name));
        command.env("GITHUB_EVENT_NAME", "issues").env("GITHUB_EVENT_PATH", &path).env("GITHUB_RUN_ID", "77");
        command
            .env("GITHUB_API_URL", stand.between.url())
            .env("GITHUB_GRAPHQL_URL", format!("{}/graphql", stand.between.url()));
        command.env("ORCH_FORGE_APP_ID", "12345").env(
            "ORCH_FORGE_APP_KEY",
            std::fs::read_to_string(std::env::var("ORCH_STAND_IN_EMULATE_KEY").unwrap()).unwrap(),
        );
        command
    };
    crate::env::said(command(&["stage", "intake"])).exits(0);
    let folder = run_folder(&root).display().to_string();
    crate::env::said(command(&["run", "--from-artifacts", &folder, "--until", "policy"])).exits(0);
    stand.between.arm(killed_after.map(|call| (call, Fault::Die)));
    let mut first = command(&["stage", "pr"]);
    match killed_after {
        None => {
            crate::env::said(first).exits(0);
        }
        Some(call) => {
            let mut child = first.spawn().unwrap();
            let until = std::time::Instant::now() + std::time::Duration::from_mins(1);
            while stand.between.seen().len() < call && std::time::Instant::now() < until {
                std::thread::sleep(std::time::Duration::from_millis(2));
            }
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
    let calls = stand.between.seen().len();
    stand.between.arm([]);
    crate::env::said(command(&["stage", "pr"])).exits(0);
    let case = format!("killed after {killed_after:?}");
    let forge = stand.github();
    let request: serde_json::Value =
        serde_json::from_slice(&std::fs::read(run_folder(&root).join("pr.json")).unwrap()).unwrap();
    let branch = request["body"]["branch"].as_str().unwrap();
    let pulls = forge.pulls_of(branch).unwrap();
    assert_eq!(pulls.len(), 1, "{case}");
    assert_eq!(
        (pulls[0].labels.as_slice(), pulls[0].reviewers.len()),
        (&["orch".to_owned()][..], 1),
        "{case}"
    );
    assert!(forge.content("LICENSE", branch).unwrap().is_some(), "{case}");
    let head = forge.branch_head(branch).unwrap().unwrap();
    assert!(forge.check_runs(&head).unwrap().iter().any(|run| run.name == "orch / policy"), "{case}");
    // Once more: nothing is written.
    stand.between.arm([]);
    crate::env::said(command(&["run", "--from-artifacts", &folder, "--from", "pr"])).exits(0);
    assert_eq!(stand.between.writes(), Vec::<String>::new(), "{case}");
    crate::env::said(command(&["artifacts", "verify"])).exits(0);
    calls
}
