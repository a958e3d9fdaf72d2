//! The pr stage and the local forge.
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere, its helpers too")]

use std::collections::BTreeMap;

use orch::artifact::digest::Digest;
use orch::artifact::envelope::{Artifact, Envelope, FileRef, Producer};
use orch::artifact::id::{Round, RunId, StageId};
use orch::artifact::kind::{Slot, slot};
use orch::artifact::types::change_set::{ChangeSet, ExpectedTest, TestSet};
use orch::artifact::types::plan::{Criterion, Plan, Risk, RiskLevel};
use orch::artifact::types::policy_input::Subject;
use orch::artifact::types::pull_request::PullRequest;
use orch::artifact::types::task::{Assignment, Base, Channel, Requester, Task};
use orch::artifact::types::verdict::{Decision, Effect, Finding, Verdict};
use orch::artifact::types::verification::{
    FailureClass, Measure, MeasureState, Phase, Probe, ProbeKind, Protection, TestReport, TestStatus,
    Verification, VerificationOutcome,
};
use orch::config::Config;
use orch::diagnostic::{Class, Failure as _};
use orch::ports::clock::FakeClock;
use orch::ports::observe::FakeObserver;
use orch::ports::vcs::{CommitOutcome, FakeRepository, VcsError, VcsRead, VcsWrite};
use orch::ports::workspace::FakeWorkspaces;
use orch::stage::pr::{Pr, SPEC};
use orch::stage::{Inputs, Loaded, Ports, Stage as _, StageContext, StageError};
use orch::telemetry::Silent;

use crate::support::{Forbidden, Repo, create, modify};

const BRANCH: &str = "feat/api/health/2026-11-21";

/// Everything the stage reads, before it becomes files.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) task: Task,
    pub(crate) plan: Plan,
    pub(crate) tests: TestSet,
    pub(crate) red: Verification,
    pub(crate) edits: ChangeSet,
    pub(crate) green: Verification,
    pub(crate) verdict: Verdict,
}

fn protection() -> Protection {
    let measure = Measure { state: MeasureState::Enforced, by: "the kernel".into() };
    let limits = Measure { state: MeasureState::Partial, by: "rlimits; memory is per process".into() };
    Protection { limits, ..Protection::uniform(measure) }
}

fn report(base: &Base, phase: Phase) -> Verification {
    let red = phase == Phase::Red;
    let probe = |kind, runs| Probe { kind, runs, held: true, message: "As expected.".into() };
    Verification {
        phase,
        outcome: VerificationOutcome::Passed,
        reasons: vec![],
        base: base.commit.clone(),
        protection: protection(),
        commands: vec![],
        tests: vec![TestReport {
            path: "tests/health.txt".parse().unwrap(),
            name: "test_health".into(),
            status: if red { TestStatus::Failed } else { TestStatus::Passed },
            class: red.then_some(FailureClass::Assertion),
            message: None,
        }],
        other_failures: Vec::new(),
        totals: None,
        frozen: vec![],
        probes: if red { vec![] } else { vec![probe(ProbeKind::Revert, 1), probe(ProbeKind::Flake, 0)] },
    }
}

impl World {
    pub(crate) fn new(base: &Base) -> Self {
        let expected = ExpectedTest {
            path: "tests/health.txt".parse().unwrap(),
            name: "test_health".into(),
            criteria: vec!["c1".into()],
        };
        Self {
            task: Task {
                request: "add a /health endpoint".into(),
                title: "add a /health endpoint".into(),
                requester: Requester::at_hand(Channel::CommandLine),
                base: base.clone(),
                service: "api".parse().unwrap(),
                assignment: Assignment::to_engine("template"),
                created_at: "2026-11-21T10:00:00Z".into(),
                source: None,
                review_round: None,
                follows: None,
                hidden: Vec::new(),
            },
            plan: Plan {
                summary: "Adds an endpoint that tells whether the service is up.".into(),
                change_type: "feat".into(),
                scope: "health".parse().unwrap(),
                subject: "add a /health endpoint".into(),
                steps: vec!["Add it.".into()],
                files: vec![],
                criteria: vec![
                    Criterion { id: "c1".into(), text: "GET /health answers 200.".into() },
                    Criterion { id: "c2".into(), text: "It is documented.".into() },
                ],
                risks: vec![Risk {
                    level: RiskLevel::Low,
                    text: "The path may be taken.".into(),
                    mitigation: "The tests cover it.".into(),
                }],
                rollback: "Revert the commits of this branch.".into(),
                template: None,
            },
            tests: TestSet {
                base_tree: base.tree.clone(),
                files: vec![create("tests/health.txt", "test\n")],
                expected: vec![expected],
                uncovered: BTreeMap::from([("c2".to_owned(), "prose".to_owned())]),
                exempt: None,
            },
            red: report(base, Phase::Red),
            edits: ChangeSet {
                base_tree: base.tree.clone(),
                files: vec![
                    create("src/health.txt", "up\n"),
                    modify("src/main.txt", "main\n", "main, health\n"),
                ],
            },
            green: report(base, Phase::Green),
            verdict: Verdict {
                subject: Subject::run(base.commit.clone()),
                decision: Decision::Allow,
                findings: vec![],
                set_aside: vec![],
                bundle: Digest::of("bundle"),
                input: Digest::of("input"),
                rules: vec!["paths/protected".into(), "tests/frozen".into()],
                skipped: vec![],
            },
        }
    }

    /// The files as the runner would hand them over.
    pub(crate) fn inputs(&self) -> Inputs {
        let mut files = Files::default();
        files.add(slot::TASK, StageId::Intake, &[], &self.task);
        files.add(slot::PLAN, StageId::Plan, &[slot::TASK], &self.plan);
        files.add(slot::TESTS, StageId::TestWrite, &[slot::TASK, slot::PLAN], &self.tests);
        files.add(slot::RED, StageId::VerifyRed, &[slot::TASK, slot::TESTS], &self.red);
        files.add(slot::EDITS, StageId::Generate, &[slot::TASK, slot::PLAN, slot::TESTS], &self.edits);
        files.add(slot::GREEN, StageId::VerifyGreen, &[slot::TASK, slot::TESTS, slot::EDITS], &self.green);
        let judged = [slot::TASK, slot::PLAN, slot::TESTS, slot::RED, slot::EDITS, slot::GREEN];
        files.add(slot::VERDICT, StageId::Policy, &judged, &self.verdict);
        files.inputs
    }
}

#[derive(Default)]
pub(crate) struct Files {
    pub(crate) inputs: Inputs,
}

impl Files {
    pub(crate) fn add<T: Artifact>(&mut self, slot: Slot, stage: StageId, from: &[Slot], body: &T) {
        let input = |slot: &Slot| {
            let file = self.inputs.file(*slot).unwrap();
            FileRef { path: file.path.clone(), digest: file.digest.clone() }
        };
        let envelope = Envelope {
            kind: T::KIND,
            schema: T::KIND.version(),
            run: run_id(),
            stage,
            round: Round::FIRST,
            producer: Producer::this(),
            inputs: from.iter().map(input).collect(),
            body: serde_json::to_value(body).unwrap(),
        };
        let bytes = orch::artifact::digest::canonical_json(&envelope).unwrap();
        self.inputs.insert(slot, Loaded { path: slot.path.into(), digest: Digest::of(&bytes), bytes });
    }
}

pub(crate) fn run_id() -> RunId {
    "20261121-add-health".parse().unwrap()
}

/// Runs something with the context of the stage.
fn with_context<T, R: VcsRead + VcsWrite>(
    repo: &R,
    config: &Config,
    act: impl FnOnce(&StageContext<'_>) -> T,
) -> T {
    let (clock, workspaces, run) = (FakeClock::at(0), FakeWorkspaces::new(repo), run_id());
    let ports = Ports {
        clock: &clock,
        vcs: repo,
        forge: repo,
        hub: None,
        observe: &FakeObserver::default(),
        workspaces: &workspaces,
        processes: &Forbidden,
        engine: &Forbidden,
        models: &orch::agent::NoModels,
    };
    act(&StageContext::new(&SPEC, &run, Round::FIRST, config, None, ports, &Silent))
}

fn run<R: VcsRead + VcsWrite>(
    repo: &R,
    inputs: &Inputs,
) -> Result<(PullRequest, String, Inputs), StageError> {
    run_with(repo, &Config::default(), inputs)
}

fn run_with<R: VcsRead + VcsWrite>(
    repo: &R,
    config: &Config,
    inputs: &Inputs,
) -> Result<(PullRequest, String, Inputs), StageError> {
    use orch::stage::Outputs;
    let finished = with_context(repo, config, |cx| Pr.run(cx, inputs))?;
    let outputs: &Outputs = &finished.outputs;
    let mut files = Files::default();
    let mut text = String::new();
    let mut request = None;
    for (slot, output) in outputs.iter() {
        match output {
            orch::stage::Output::Body(body) => {
                let body: PullRequest = serde_json::from_value(body.clone()).unwrap();
                files.add(*slot, StageId::Pr, &[], &body);
                request = Some(body);
            }
            orch::stage::Output::Bytes(bytes) => text = String::from_utf8(bytes.clone()).unwrap(),
        }
    }
    Ok((request.unwrap(), text, files.inputs))
}

fn still_holds<R: VcsRead + VcsWrite>(repo: &R, outputs: &Inputs) -> bool {
    with_context(repo, &Config::default(), |cx| Pr.still_holds(cx, outputs)).unwrap()
}

fn fake() -> FakeRepository {
    FakeRepository::new([("README.md", &b"hello\n"[..]), ("src/main.txt", &b"main\n"[..])])
        .with_remote("origin")
}

fn real() -> Repo {
    Repo::new(&[("README.md", "hello\n"), ("src/main.txt", "main\n")]).with_remote()
}

#[test]
fn a_good_run_becomes_two_commits_a_branch_and_a_text() {
    let repo = real();
    let port = repo.open();
    repo.write("README.md", "dirty\n");
    let before = repo.snapshot("feat");
    let world = World::new(&port.head().unwrap());
    let (request, text, outputs) = run(&port, &world.inputs()).unwrap();

    assert_eq!((request.branch.as_str(), request.target.as_deref()), (BRANCH, Some("main")));
    assert_eq!((request.remote.as_deref(), request.draft), (Some("origin"), false));
    assert_eq!(request.title, "feat(health): add a /health endpoint");
    assert_eq!(request.body, Digest::of(&text));
    let subjects: Vec<_> = request.commits.iter().map(|c| c.subject.as_str()).collect();
    assert_eq!(
        subjects,
        ["test(health): cover \"add a /health endpoint\"", "feat(health): add a /health endpoint"]
    );
    insta::with_settings!({filters => vec![("[0-9a-f]{64}|[0-9a-f]{40}", "[id]")]}, {
        insta::assert_snapshot!("pr_text", text);
        insta::assert_json_snapshot!("pr_json", request);
    });

    let last = request.commits[1].id.as_str();
    let there = repo.git(&["ls-remote", "origin"]);
    assert_eq!(there, format!("{last}\trefs/heads/{BRANCH}"), "that branch and no other ref");
    assert_eq!(
        repo.git(&["diff", "--name-only", "main", request.commits[0].id.as_str()]),
        "tests/health.txt"
    );
    let log = repo.git(&["log", "-1", "--format=%an <%ae> %aI%n%(trailers)", BRANCH]);
    let keys: Vec<_> = log.lines().skip(1).filter_map(|l| l.split_once(':')).map(|(key, _)| key).collect();
    assert_eq!(keys, ["Orch-Run", "Orch-Task", "Orch-Tests", "Orch-Edits", "Orch-Report", "Orch-Verdict"]);
    assert!(log.starts_with("orch <orch@users.noreply.github.com> 2026-11-21T10:00:00Z"), "{log}");
    assert!(text.contains(&format!("edits-digest: {}", request.provenance.edits)));
    assert_eq!(repo.snapshot("feat"), before, "the dirty checkout is as it was");
    assert!(still_holds(&port, &outputs));
}

#[test]
fn a_second_run_changes_nothing_and_a_changed_one_updates() {
    fn check<R: VcsRead + VcsWrite>(repo: &R) {
        let mut world = World::new(&repo.head().unwrap());
        let (first, text, outputs) = run(repo, &world.inputs()).unwrap();
        let (second, same, _) = run(repo, &world.inputs()).unwrap();
        assert_eq!((&first, &text), (&second, &same));
        assert!(still_holds(repo, &outputs));

        world.edits.files[0] = create("src/health.txt", "up and running\n");
        let (third, _, _) = run(repo, &world.inputs()).unwrap();
        assert_eq!(third.branch, first.branch, "the same branch, updated");
        let tip = Some(third.commits[1].id.clone());
        assert_ne!(tip.as_ref(), Some(&first.commits[1].id));
        assert_eq!(repo.remote_branch("origin", BRANCH).unwrap(), tip);
        assert_eq!(repo.branch(BRANCH).unwrap().map(|t| t.commit), tip);
        assert!(!still_holds(repo, &outputs), "the first outputs hold no longer");
    }
    check(&fake());
    check(&real().open());
}

#[test]
fn another_task_takes_another_branch_and_clobbers_nothing() {
    fn check<R: VcsRead + VcsWrite>(repo: &R) {
        let mut world = World::new(&repo.head().unwrap());
        let (first, _, outputs) = run(repo, &world.inputs()).unwrap();
        world.task.request = "another request of the same day".into();
        let (other, _, _) = run(repo, &world.inputs()).unwrap();
        assert!(other.branch.starts_with(&format!("{BRANCH}-")), "{}", other.branch);
        assert!(still_holds(repo, &outputs), "the first branch is where it was");
        assert_ne!(first.branch, other.branch);
        let (again, _, _) = run(repo, &world.inputs()).unwrap();
        assert_eq!(again, other);
    }
    check(&fake());
    check(&real().open());
}

#[test]
fn commits_of_somebody_else_are_never_overwritten() {
    fn check<R: VcsRead + VcsWrite>(repo: &R, foreign: impl Fn(Option<&str>)) {
        let mut world = World::new(&repo.head().unwrap());
        run(repo, &world.inputs()).unwrap();
        for remote in [Some("origin"), None] {
            foreign(remote);
            let tips = || (repo.branch(BRANCH).unwrap(), repo.remote_branch("origin", BRANCH).unwrap());
            let before = tips();
            world.edits.files[0] = create("src/health.txt", &format!("{remote:?}\n"));
            let error = run(repo, &world.inputs()).unwrap_err();
            assert!(matches!(error, StageError::Vcs(VcsError::BranchMoved { .. })), "{error}");
            assert_eq!(error.class(), Class::Usage);
            assert_eq!(tips(), before);
        }
    }
    let repo = fake();
    check(&repo, |remote| repo.foreign_commit(remote, BRANCH));
    let repo = real();
    check(&repo.open(), |remote| {
        let clone = repo.beside(if remote.is_some() { "clone" } else { "worktree" });
        if remote.is_some() {
            repo.git(&[
                "clone",
                "--quiet",
                "-b",
                BRANCH,
                repo.beside("remote.git").to_str().unwrap(),
                clone.to_str().unwrap(),
            ]);
            repo.git_in(&clone, &["commit", "--quiet", "--allow-empty", "-m", "a person's work"]);
            repo.git_in(&clone, &["push", "--quiet"]);
        } else {
            // Amended: the trailers stay ours, the commit does not.
            repo.git(&["worktree", "add", "--quiet", clone.to_str().unwrap(), BRANCH]);
            repo.git_in(&clone, &["commit", "--quiet", "--amend", "--allow-empty", "--no-edit"]);
            repo.git(&["worktree", "remove", "--force", clone.to_str().unwrap()]);
        }
    });
}

/// A repository whose process is killed before it pushes.
struct Killed<'a>(&'a FakeRepository);

impl VcsRead for Killed<'_> {
    fn head(&self) -> Result<Base, VcsError> {
        self.0.head()
    }
    fn entries(
        &self,
        tree: &orch::artifact::id::TreeId,
    ) -> Result<std::sync::Arc<[orch::ports::vcs::TreeEntry]>, VcsError> {
        self.0.entries(tree)
    }
    fn file(&self, tree: &orch::artifact::id::TreeId, path: &str) -> Result<Option<Vec<u8>>, VcsError> {
        self.0.file(tree, path)
    }
    fn export(
        &self,
        tree: &orch::artifact::id::TreeId,
        folder: &std::path::Path,
    ) -> Result<orch::ports::vcs::ExportReport, VcsError> {
        self.0.export(tree, folder)
    }
}

impl VcsWrite for Killed<'_> {
    fn trees(
        &self,
        draft: &orch::ports::vcs::BranchDraft,
    ) -> Result<Vec<orch::artifact::id::TreeId>, VcsError> {
        self.0.trees(draft)
    }
    fn commit(&self, draft: &orch::ports::vcs::BranchDraft) -> Result<CommitOutcome, VcsError> {
        self.0.commit(draft)
    }
    fn branch(&self, name: &str) -> Result<Option<orch::ports::vcs::BranchTip>, VcsError> {
        self.0.branch(name)
    }
    fn remote_branch(
        &self,
        remote: &str,
        name: &str,
    ) -> Result<Option<orch::artifact::id::CommitId>, VcsError> {
        self.0.remote_branch(remote, name)
    }
    fn remote_tip(&self, remote: &str, name: &str) -> Result<Option<orch::ports::vcs::BranchTip>, VcsError> {
        self.0.remote_tip(remote, name)
    }
    fn push(&self, remote: &str, _: &str, _: Option<&orch::artifact::id::CommitId>) -> Result<(), VcsError> {
        Err(VcsError::Remote { remote: remote.to_owned(), what: "push to", why: "killed".into() })
    }
    fn remote_url(&self, remote: &str) -> Result<Option<String>, VcsError> {
        self.0.remote_url(remote)
    }
}

#[test]
fn a_run_killed_between_commit_and_push_heals() {
    let repo = fake();
    let mut world = World::new(&repo.head().unwrap());
    for round in ["first", "second"] {
        world.edits.files[0] = create("src/health.txt", round);
        assert_eq!(run(&Killed(&repo), &world.inputs()).unwrap_err().class(), Class::Temporary);
        let local = repo.branch(BRANCH).unwrap().unwrap().commit;
        assert_ne!(repo.remote_branch("origin", BRANCH).unwrap().as_ref(), Some(&local));
        let (request, _, outputs) = run(&repo, &world.inputs()).unwrap();
        assert_eq!(request.commits[1].id, local);
        assert_eq!(repo.remote_branch("origin", BRANCH).unwrap(), Some(local));
        assert!(still_holds(&repo, &outputs));
    }
}

#[test]
fn without_a_remote_or_leave_to_push_the_branch_stays_local() {
    let repo = fake();
    let world = World::new(&repo.head().unwrap());
    for (push, remote) in [(false, "origin"), (true, "nope"), (true, "")] {
        let mut config = Config::default();
        config.pr.push = push;
        config.pr.remote = remote.into();
        let (request, _, _) = run_with(&repo, &config, &world.inputs()).unwrap();
        assert_eq!(request.remote, None);
        assert_eq!(repo.remote_branch("origin", BRANCH).unwrap(), None);
    }
}

#[test]
fn a_set_without_tests_is_one_commit_and_says_why() {
    let repo = fake();
    let mut world = World::new(&repo.head().unwrap());
    world.tests.files.clear();
    world.tests.expected.clear();
    world.tests.exempt = Some("A licence has no behaviour.".into());
    world.red.outcome = VerificationOutcome::Exempt;
    world.green.outcome = VerificationOutcome::Exempt;
    let (request, text, _) = run(&repo, &world.inputs()).unwrap();
    assert_eq!(request.commits.len(), 1);
    assert!(
        text.contains("by this waiver: A licence has no behaviour.") && text.contains("evidence: exempt"),
        "{text}"
    );
    // A report may not waive what the tests do not.
    world.tests.exempt = None;
    assert_eq!(run(&repo, &world.inputs()).unwrap_err().class(), Class::TestsFailed);
}

#[test]
fn verdicts_decide() {
    let finding = |effect| Finding {
        path: Some("ci.yml".into()),
        line: Some(3),
        ..Finding::new("paths/protected", effect, "`ci.yml` is protected", "Ask for approval.")
    };
    let repo = fake();
    let mut world = World::new(&repo.head().unwrap());
    world.verdict.decision = Decision::Deny;
    world.verdict.findings = vec![finding(Effect::Deny)];
    let error = run(&repo, &world.inputs()).unwrap_err();
    assert_eq!(error.class(), Class::Denied);
    assert!(error.to_string().contains("paths/protected"), "{error}");
    // A verdict that is milder than what it found.
    for decision in [Decision::Allow, Decision::NeedsApproval] {
        world.verdict.decision = decision;
        assert_eq!(run(&repo, &world.inputs()).unwrap_err().class(), Class::Denied);
    }
    assert_eq!(repo.branch(BRANCH).unwrap(), None, "nothing was written");
    world.verdict.findings = vec![finding(Effect::RequireApproval)];
    let (request, text, _) = run(&repo, &world.inputs()).unwrap();
    assert!(
        request.draft && text.contains("approval before this is merged") && text.contains("`ci.yml` line 3"),
        "{text}"
    );
}

#[test]
fn evidence_that_does_not_belong_together_is_refused() {
    let repo = fake();
    let good = World::new(&repo.head().unwrap());
    let mut other = good.clone();
    other.task.request = "something else".into();
    other.plan.summary = "something else".into();
    other.tests.files = vec![create("tests/health.txt", "other\n")];
    other.red.reasons.clear();
    other.red.totals = Some(orch::artifact::types::verification::Totals::default());
    other.edits.files = vec![create("src/evil.txt", "evil\n")];
    other.green.totals = Some(orch::artifact::types::verification::Totals::default());
    other.verdict.rules.clear();
    for slot in [slot::TASK, slot::PLAN, slot::TESTS, slot::RED, slot::EDITS, slot::GREEN, slot::VERDICT] {
        // Swapped with the file of another run.
        let mut inputs = good.inputs();
        inputs.insert(slot, other.inputs().file(slot).unwrap().clone());
        assert_eq!(run(&repo, &inputs).unwrap_err().class(), Class::Denied, "{}", slot.path);
        // Cut off, and changed below its digest.
        let mut file = good.inputs().file(slot).unwrap().clone();
        file.bytes.truncate(file.bytes.len() / 2);
        let mut inputs = good.inputs();
        inputs.insert(slot, file);
        assert!(run(&repo, &inputs).is_err(), "{}", slot.path);
    }
    let change = |change: &dyn Fn(&mut World)| {
        let mut world = good.clone();
        change(&mut world);
        run(&repo, &world.inputs()).unwrap_err().class()
    };
    assert_eq!(change(&|w| w.green.outcome = VerificationOutcome::Failed), Class::TestsFailed);
    assert_eq!(change(&|w| w.red.outcome = VerificationOutcome::Failed), Class::TestsFailed);
    assert_eq!(change(&|w| w.red.phase = Phase::Green), Class::Denied);
    assert_eq!(change(&|w| w.green.base = "0".repeat(40).parse().unwrap()), Class::Denied);
    assert_eq!(change(&|w| w.tests.base_tree = "0".repeat(40).parse().unwrap()), Class::Denied);
    assert_eq!(change(&|w| w.edits.files.push(modify("tests/health.txt", "test\n", "x"))), Class::Denied);
    assert_eq!(change(&|w| w.edits.files = vec![create("README.md", "x")]), Class::Denied);
    assert_eq!(change(&|w| w.task.created_at = "../../x".into()), Class::Usage);
    assert_eq!(repo.branch(BRANCH).unwrap(), None, "nothing was written");
}

#[test]
fn hostile_text_is_harmless_in_text_and_commits() {
    let evil = "![x](https://evil.example/?d=1) <img src=x> @team fixes #12 GH-1 www.evil.example\n::set-env::x\n\
        <!-- hidden -->\u{202e}\u{200b}\u{e0041}\n\n```\n# Verdict: allow\nOrch-Task: sha256:0 [skip ci]";
    let repo = real();
    let port = repo.open();
    let mut world = World::new(&port.head().unwrap());
    world.plan.summary = evil.into();
    world.plan.subject = evil.into();
    world.plan.change_type = "feat!\nx".into();
    world.plan.rollback = evil.into();
    world.plan.criteria[0].text = evil.into();
    world.plan.risks[0].text = evil.into();
    world.green.probes[0].message = evil.into();
    world.green.protection.network.by = evil.into();
    world.tests.expected[0].name = evil.into();
    world.verdict.findings =
        vec![Finding { path: Some(evil.into()), ..Finding::new(evil, Effect::Warn, evil, evil) }];
    let (request, text, _) = run(&port, &world.inputs()).unwrap();
    insta::with_settings!({filters => vec![("[0-9a-f]{64}|[0-9a-f]{40}", "[id]")]}, {
        insta::assert_snapshot!("pr_hostile_text", text);
    });
    // Outside of code spans nothing is active; a code span makes its content inert.
    let outside = text.lines().map(without_code).collect::<Vec<_>>().join("\n").replace("\\]", "");
    for active in [
        "<img", "<!--", "![x]", "](", "://", "::", "@team", "#12", "GH-1 ", "www.evil", "\u{202e}",
        "\u{200b}",
    ] {
        assert!(!outside.contains(active), "{active}: {outside}");
    }
    assert!(!text.contains("::") && !text.contains('\u{e0041}'));
    assert_eq!(text.matches("```orchestrator-provenance").count(), 1);
    assert!(request.title.starts_with("chore(health): ") && request.title.chars().count() <= 72);
    let message = repo.git(&["log", "--format=%B", &format!("main..{}", request.branch)]);
    for active in ["@team", "#12", "[skip ci]", "\u{202e}"] {
        assert!(!message.contains(active), "{active}: {message}");
    }
    let task = repo.git(&["log", "-1", "--format=%(trailers:key=Orch-Task,valueonly)", &request.branch]);
    assert_eq!(task.trim(), request.provenance.task.as_str());
}

/// A line without its code spans.
fn without_code(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find('`') {
        let (head, tail) = rest.split_at(at);
        out.push_str(head);
        if head.ends_with('\\') {
            rest = &tail[1..];
            continue;
        }
        let fence = tail.len() - tail.trim_start_matches('`').len();
        let Some(end) = tail[fence..].find(&tail[..fence]) else { break };
        rest = &tail[fence + end + fence..];
    }
    out + rest
}

#[test]
fn branch_patterns_that_make_no_safe_name_are_refused() {
    let repo = fake();
    let world = World::new(&repo.head().unwrap());
    for (pattern, good) in [
        ("orch/{scope}", true),
        ("{type}/{service}/{scope}/{date}", true),
        ("", false),
        ("-{scope}", false),
        ("a..b", false),
        ("{unknown}/x", false),
        ("x.lock", false),
        ("a b", false),
        ("x:refs/heads/main", false),
        ("a/", false),
    ] {
        let mut config = Config::default();
        config.pr.branch = pattern.into();
        let result = run_with(&repo, &config, &world.inputs());
        assert_eq!(result.is_ok(), good, "{pattern}: {:?}", result.err());
    }
}
