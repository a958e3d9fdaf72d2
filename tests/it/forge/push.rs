//! Changes that the API does not take: git pushes them, to git's own server behind a token.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use orch::artifact::types::change_set::FileMode;
use orch::artifact::types::pull_request::{Hosted, Outcome, PullRequest};
use orch::diagnostic::{Class, Failure as _};
use orch::ports::forge::github::GitHub;
use orch::ports::vcs::GitRepository;
use orch::stage::pr::Pr;
use orch::stage::{Output, Stage as _, StageError};

use super::{BRANCH, Scene, TOKEN, github};
use crate::support::create;
use crate::support::git_http::{Fate, GitHttp};

/// A scene whose branches are those of a git server, and whose change has more files than the API takes.
struct Pushed {
    scene: Scene,
    git: GitHttp,
}

impl Pushed {
    fn new() -> Self {
        let mut scene = Scene::new();
        scene.world.edits.files = many("1\n");
        let root = scene.repo.beside("served");
        std::fs::create_dir_all(root.join("acme")).unwrap();
        let bare = root.join("acme/app.git").display().to_string();
        scene.repo.git(&["clone", "-q", "--bare", ".", &bare]);
        scene.repo.git(&["--git-dir", &bare, "config", "http.receivepack", "true"]);
        let shared = scene.hub.shared();
        let git = GitHttp::start(&root, TOKEN, move |repository| shared.take_refs(repository));
        // What a checkout and a person leave in the config: none of it may be used.
        for (key, value) in [
            (format!("http.{}/.extraheader", git.url()), "AUTHORIZATION: basic d3Jvbmc6d3Jvbmc=".to_owned()),
            ("credential.helper".into(), "!echo username=x; echo password=wrong".into()),
            (format!("credential.{}.helper", git.url()), "!echo username=x; echo password=wrong".into()),
            ("url.http://127.0.0.1:9/.insteadOf".into(), format!("{}/", git.url())),
            ("url.http://127.0.0.1:9/.pushInsteadOf".into(), format!("{}/", git.url())),
        ] {
            scene.repo.git(&["config", "--local", &key, &value]);
        }
        Self { scene, git }
    }

    fn github(&self, clone: &GitRepository) -> GitHub {
        github(&self.scene.hub).pushing_from(clone.clone(), self.git.url().parse().unwrap())
    }

    fn try_run_in(&self, clone: &GitRepository) -> Result<PullRequest, StageError> {
        let finished = self.scene.with(&self.github(clone), |cx| Pr.run(cx, &self.scene.world.inputs()))?;
        let body = finished.outputs.iter().find_map(|(_, output)| match output {
            Output::Body(body) => Some(body.clone()),
            Output::Bytes(_) => None,
        });
        Ok(serde_json::from_value(body.unwrap()).unwrap())
    }

    fn try_run(&self) -> Result<PullRequest, StageError> {
        self.try_run_in(&self.scene.port)
    }

    #[track_caller]
    fn run(&self) -> (PullRequest, Hosted) {
        let request = self.try_run().unwrap();
        let hosted = request.hosted.clone().unwrap();
        (request, hosted)
    }
}

/// More files than blobs are made for, one of them executable, so that no call takes them.
fn many(text: &str) -> Vec<orch::artifact::types::change_set::FileChange> {
    let mut files: Vec<_> = (0..201).map(|n| create(&format!("data/{n:03}.txt"), text)).collect();
    files[0].mode = FileMode::Executable;
    files
}

fn holds(folder: &Path, text: &str) -> bool {
    crate::env::files_below(folder)
        .values()
        .any(|bytes| bytes.windows(text.len()).any(|window| window == text.as_bytes()))
}

#[test]
fn what_the_api_does_not_take_is_pushed_once_and_said_to_be_unsigned() {
    let place = Pushed::new();
    let (request, hosted) = place.run();
    assert_eq!((hosted.outcome, hosted.number, hosted.signed), (Outcome::Created, Some(7), false));
    assert_eq!(hosted.warnings.len(), 1, "{hosted:?}");
    assert!(hosted.warnings[0].what.contains("does not show them as verified"), "{hosted:?}");
    assert!(!hosted.warnings[0].again);
    assert_eq!(request.commits.len(), 2);
    {
        let state = place.scene.hub.state();
        let head = state.branches[BRANCH].clone();
        assert_eq!(hosted.head.as_ref().map(ToString::to_string), Some(head.clone()));
        assert_eq!(state.history(&head).len(), 3);
        assert_eq!(state.files_of(&head)["data/000.txt"].mode, "100755");
        assert_eq!(state.text(&head, "data/200.txt").as_deref(), Some("1\n"));
        assert!(state.commits[&head].message.contains("Orch-Task: sha256:"));
    }
    // No commit, tree or blob went through the API, and no ref is left here.
    assert!(!place.scene.hub.writes().iter().any(|write| write.contains("/git/")));
    assert_eq!(place.scene.repo.git(&["for-each-ref", "--format=%(refname)"]).trim(), "refs/heads/main");
    // The token is said to the server in a header, and is in no address and no file.
    assert!(place.git.seen().iter().all(|head| !head.contains(TOKEN)));
    assert!(!holds(&place.scene.repo.root(), TOKEN));

    place.scene.hub.arm([]);
    let asked = place.git.seen().len();
    assert_eq!(place.run().1.outcome, Outcome::Unchanged);
    assert_eq!((place.scene.hub.writes(), place.git.seen().len()), (Vec::new(), asked));
    place.scene.hub.state().pulls.clear();
    assert_eq!(place.run().1.outcome, Outcome::Repaired);
    assert_eq!(place.scene.hub.state().pulls.len(), 1);
    place.scene.keeps_to_the_documents();
}

#[test]
fn another_change_is_put_on_top_from_a_clone_that_has_not_seen_the_first() {
    let mut place = Pushed::new();
    let (first, _) = place.run();
    place.scene.world.edits.files = many("2\n");
    place.scene.world.edits.files.pop();
    place.scene.world.edits.files.push(create("data/other.txt", "2\n"));
    // As a runner has it: one commit deep.
    let clone = place.scene.repo.beside("shallow");
    let served = format!("file://{}", place.scene.repo.beside("served/acme/app.git").display());
    place.scene.repo.git(&[
        "clone",
        "-q",
        "--depth=1",
        "--branch=main",
        &served,
        &clone.display().to_string(),
    ]);
    let clone = GitRepository::open(&clone).unwrap();
    let second = place.try_run_in(&clone).unwrap();
    let hosted = second.hosted.clone().unwrap();
    assert_eq!((hosted.outcome, second.commits.len()), (Outcome::Updated, 3));
    assert_eq!(second.commits[..2], first.commits[..]);
    let state = place.scene.hub.state();
    let head = state.branches[BRANCH].clone();
    assert_eq!(
        state.text(&head, "data/200.txt"),
        None,
        "what the first change brought and this does not is gone"
    );
    assert_eq!(state.text(&head, "data/other.txt").as_deref(), Some("2\n"));
}

#[test]
fn somebody_who_pushes_in_between_wins() {
    let place = Pushed::new();
    let theirs = place.scene.commit_here(&[("x", "x\n")], "feat: mine").0;
    let bare = place.scene.repo.beside("served/acme/app.git").display().to_string();
    place.scene.repo.git(&["push", "-q", &bare, &format!("{theirs}:refs/heads/theirs")]);
    place.git.let_it(Fate::Overtaken(BRANCH.into(), theirs.clone()));
    let request = place.try_run().unwrap();
    assert_eq!(request.hosted.unwrap().outcome, Outcome::Conflict);
    let state = place.scene.hub.state();
    assert_eq!((state.branches[BRANCH].as_str(), state.pulls.len()), (theirs.as_str(), 0));
}

#[test]
fn a_push_whose_answer_is_lost_is_looked_up_by_the_next_run() {
    let place = Pushed::new();
    place.git.let_it(Fate::Lost);
    let error = place.try_run().unwrap_err();
    assert_eq!(error.class(), Class::Temporary, "{error}");
    assert!(error.to_string().contains("not known whether"), "{error}");
    place.git.let_it(Fate::Done);
    let asked = place.git.seen().len();
    assert_eq!(place.run().1.outcome, Outcome::Repaired);
    assert_eq!((place.git.seen().len(), place.scene.hub.state().pulls.len()), (asked, 1));
    // A half-done branch without a commit is gone on with.
    let place = Pushed::new();
    let base = place.scene.world.task.base.commit.to_string();
    let remote = place.scene.repo.beside("served/acme/app.git").display().to_string();
    place.scene.repo.git(&["push", "-q", &remote, &format!("{base}:refs/heads/{BRANCH}")]);
    place.scene.hub.state().branches.insert(BRANCH.into(), base);
    assert_eq!(place.run().1.outcome, Outcome::Repaired);
}

#[test]
fn a_token_that_git_is_not_let_in_with_is_told() {
    let place = Pushed::new();
    let other = GitHttp::start(&place.scene.repo.beside("served"), "another", |_| {});
    let hub = github(&place.scene.hub).pushing_from(place.scene.port.clone(), other.url().parse().unwrap());
    let error = place.scene.with(&hub, |cx| Pr.run(cx, &place.scene.world.inputs())).unwrap_err();
    assert_eq!(error.class(), Class::Usage, "{error}");
    assert!(
        error.to_string().contains("does not take the token") && !error.to_string().contains(TOKEN),
        "{error}"
    );
    // Without a clone it is said, and nothing is half done.
    let error = place.scene.try_run().unwrap_err();
    assert!(error.to_string().contains("no clone"), "{error}");
    assert!(!place.scene.hub.state().branches.contains_key(BRANCH));
}

/// Each call hangs in turn, before or after it was done: the run ends in time, and the next one ends in the same pull request.
#[test]
fn a_call_that_hangs_ends_in_time_and_the_next_run_ends_in_the_same_single_pull_request() {
    let clean = Scene::new();
    clean.run();
    let calls = clean.hub.seen().len();
    let limit = Duration::from_millis(400);
    let cases: Vec<(usize, bool)> = (1..=calls).flat_map(|call| [(call, false), (call, true)]).collect();
    let left = Arc::new(std::sync::Mutex::new(cases));
    let unknown = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                loop {
                    let Some((call, done)) = left.lock().unwrap().pop() else { return };
                    let scene = Scene::new();
                    scene.hub.arm([(call, crate::support::github::Fault::Hang { done })]);
                    let hasty = scene.github().answered_within(limit);
                    let started = std::time::Instant::now();
                    let first = scene.with(&hasty, |cx| Pr.run(cx, &scene.world.inputs()));
                    assert!(started.elapsed() < Duration::from_secs(25), "call {call} was waited for");
                    if let Err(error) = first {
                        assert!(error.to_string().contains("0.4 seconds"), "{error}");
                        assert_eq!(error.class(), Class::Temporary, "{error}");
                        unknown.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    }
                    scene.hub.arm([]);
                    let (_, hosted) = scene.run();
                    assert_eq!(hosted.number, Some(7), "call {call}, done: {done}");
                    super::faults::is_whole(&scene, &format!("hanging call {call}, done: {done}"));
                }
            });
        }
    });
    // The writes that make something new are not sent again.
    assert!(unknown.into_inner() >= 6);
}
