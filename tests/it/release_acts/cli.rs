//! A release from its gate to its end, through the program, against a GitHub with a memory; then replayed without one.

use std::fs;
use std::path::{Path, PathBuf};

use orch::artifact::digest::Digest;
use orch::artifact::id::CommitId;
use orch::ports::vcs::{GitRepository, VcsRead as _};
use serde_json::{Value, json};

use super::{NOW, digests, merged, orch_example, orch_status};
use crate::env::{Said, TestEnv, said};
use crate::forge::TOKEN;
use crate::support::github::{FakeGitHub, Fault, State};

pub const CONFIG: &str = "
service: shop
pr: { forge: github }
promote: { acts: [deployment, release] }
rollback: { revert: propose, commands: [[sh, deploy/back.sh]] }
release:
  environments:
    production:
      checks: [github-actions:build]
      proven: false
      reviewed: false
      approvals: 0
      tested: release-inputs/tested.txt
      measures: [release-inputs/measures.json]
      canary:
        errors: { better: lower, tolerance: 0.005, min_samples: 100 }
      rollback: { plan: docs/rollback.md, rehearsed_days: 0 }
";

pub const FILES: &[(&str, &str)] = &[
    ("orch.yml", CONFIG),
    ("src/main.txt", "main\n"),
    ("docs/rollback.md", "Deploy the digests of the last good release.\n"),
    ("deploy/back.sh", "echo \"$ORCH_ENVIRONMENT $ORCH_COMMIT\"; printf '%s' \"$ORCH_ARTIFACTS\"\n"),
    (".gitignore", "release-inputs/\nartifacts/\n"),
];

/// A service whose last good release runs in production, and a commit that is to follow it.
pub struct Service {
    pub env: TestEnv,
    pub root: PathBuf,
    pub hub: FakeGitHub,
    pub good: CommitId,
    pub subject: CommitId,
}

impl Service {
    pub fn new() -> Self {
        Self::with(CONFIG)
    }

    /// One whose branch is put back by a run.
    pub fn by_run() -> Self {
        Self::with(&CONFIG.replace("revert: propose, ", ""))
    }

    fn with(config: &str) -> Self {
        let env = TestEnv::new();
        let mut files = FILES.to_vec();
        files[0] = ("orch.yml", config);
        let root = env.repository("shop", &files);
        let port = GitRepository::open(&root).unwrap();
        let mut state = State::of(&port, "acme/app");
        let good = port.head().unwrap();
        fs::write(root.join("src/main.txt"), "main, faster\n").unwrap();
        env.git(&root, &["commit", "-qam", "faster"]);
        let subject = GitRepository::open(&root).unwrap().head().unwrap();
        state.take(&GitRepository::open(&root).unwrap(), &[good.commit.as_str()]);
        let service =
            Self { env, root, hub: FakeGitHub::start(state), good: good.commit, subject: subject.commit };
        seed(&mut service.hub.state(), &service.good, &service.subject);
        service
    }

    /// The same checkout, run folder and forge once more, each as it is now.
    fn again(&self) -> Self {
        let env = TestEnv::new();
        let root = env.path("shop");
        copied(&self.root, &root);
        let hub = FakeGitHub::start(self.hub.state().clone());
        Self { env, root, hub, good: self.good.clone(), subject: self.subject.clone() }
    }

    /// The environment runs the commit already.
    pub fn deployed(&self) {
        runs(&mut self.hub.state(), &self.subject);
    }

    /// What earlier jobs hand over: digests of what was tested, and numbers of canary and last good release.
    pub fn inputs(&self, at: i64, canary: (&str, u64), good: (&str, u64)) {
        inputs(&self.root.join("release-inputs"), at, (&self.subject, canary), (&self.good, good));
    }

    pub fn orch(&self, at: i64, args: &[&str]) -> Said {
        let mut command = self.env.orch_command(&self.root, args);
        command.env("SOURCE_DATE_EPOCH", at.to_string());
        command.env("GITHUB_REPOSITORY", "acme/app").env("GITHUB_API_URL", self.hub.url());
        command.env("ORCH_FORGE_TOKEN", TOKEN);
        let said = said(command);
        assert!(!said.stdout.contains(TOKEN) && !said.stderr.contains(TOKEN));
        said
    }

    pub fn gate(&self, at: i64, more: &[&str]) -> Said {
        let artifact = format!("ghcr.io/acme/app={}", digests("new")[0].digest);
        let words =
            [&["stage", "release-gate", "--to", "production", "--artifact", &artifact], more].concat();
        self.orch(at, &words)
    }

    fn body(&self, file: &str) -> Value {
        let folder = self.folder();
        let bytes = fs::read(folder.join(file)).unwrap();
        serde_json::from_slice::<Value>(&bytes).unwrap()["body"].clone()
    }

    pub fn folder(&self) -> PathBuf {
        self.root.join("artifacts").join(format!("release-production-{}", &self.subject.as_str()[..12]))
    }
}

/// What an earlier promotion and the build left on the forge.
pub fn seed(state: &mut State, good: &CommitId, subject: &CommitId) {
    let orch = json!({ "cause": "promotion", "run": "earlier", "decision": Digest::of("earlier") });
    let deployment = json!({
        "id": 1000, "sha": good, "ref": good, "environment": "production", "task": "deploy",
        "description": "", "payload": { "orch": orch, "artifacts": digests("good") }, "creator": null,
        "created_at": "2026-11-17T10:00:00Z",
    });
    let status = json!({ "id": 1, "state": "success", "description": "", "creator": null,
        "created_at": "2026-11-17T10:00:01Z" });
    let mut check = merged(
        "POST",
        "/repos/{owner}/{repo}/check-runs",
        &json!({ "id": 4, "name": "build",
        "head_sha": subject, "status": "completed", "conclusion": "success", "pull_requests": [] }),
    );
    check["app"]["id"] = json!(15368);
    check["app"]["slug"] = json!("github-actions");
    state.deployments.push(orch_example(&deployment));
    state.deployment_statuses.push((1000, orch_status(&status)));
    state.checks.push(check);
}

/// The environment runs the commit already.
pub fn runs(state: &mut State, subject: &CommitId) {
    let mut runs = state.deployments[0].clone();
    (runs["id"], runs["sha"]) = (json!(1001), json!(subject));
    runs["payload"]["artifacts"] = json!(digests("new"));
    state.deployments.push(runs);
    let status = json!({ "id": 2, "state": "success", "description": "", "creator": null });
    state.deployment_statuses.push((1001, orch_status(&status)));
}

/// What earlier jobs hand over: digests of what was tested, and numbers of canary and last good release.
pub fn inputs(
    folder: &Path,
    at: i64,
    (subject, canary): (&CommitId, (&str, u64)),
    (good, last): (&CommitId, (&str, u64)),
) {
    fs::create_dir_all(folder).unwrap();
    let hex = digests("new")[0].digest.as_str().trim_start_matches("sha256:").to_owned();
    fs::write(folder.join("tested.txt"), format!("{hex}  ghcr.io/acme/app\n")).unwrap();
    let at = jiff::Timestamp::from_second(at).unwrap().to_string();
    let measure = |of: &str, commit: &CommitId, (value, samples): (&str, u64)| {
        json!({ "name": "errors", "of": of, "value": value, "samples": samples, "statistic": "ratio",
            "commit": commit, "at": at })
    };
    let all = json!({ "measures": [measure("canary", subject, canary), measure("last-good", good, last)] });
    fs::write(folder.join("measures.json"), all.to_string()).unwrap();
}

fn outcomes(body: &Value) -> Vec<String> {
    let acts = body["acts"].as_array().unwrap();
    let word =
        |act: &Value| format!("{} {}", act["kind"].as_str().unwrap(), act["outcome"].as_str().unwrap());
    acts.iter().map(word).collect()
}

fn copied(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copied(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

fn kept(folder: &Path) -> bool {
    folder.join("attempts").is_dir()
}

#[test]
fn a_release_is_promoted_goes_bad_and_is_taken_back_with_its_evidence_whole() {
    let service = Service::new();
    // Good: promoted.
    service.inputs(NOW - 60, ("0.010", 4000), ("0.010", 4000));
    service.gate(NOW, &["--deployed"]).exits(0);
    service.orch(NOW + 30, &["stage", "promote"]).exits(0);
    let promotion = service.body("release/promotion.json");
    assert_eq!(outcomes(&promotion), ["tag created", "deployment created", "release created"]);
    assert_eq!(service.hub.state().newest_status(1001).as_deref(), Some("success"));
    assert_eq!(promotion["subject"]["artifacts"], json!(digests("new")));
    service.orch(NOW + 60, &["artifacts", "verify"]).exits(0);
    service.orch(NOW + 60, &["stage", "rollback"]).exits(78).says("the release gate says promote");

    // Its canary is worse than the last good release: rolled back.
    let later = NOW + 1800;
    service.inputs(later - 60, ("0.040", 4000), ("0.010", 4000));
    service.gate(later, &["--deployed"]).exits(3).says("rollback");
    assert!(kept(&service.folder()), "what was promoted before stays on record");
    service.orch(later + 30, &["stage", "promote"]).exits(3).says("the release gate says rollback");
    service.orch(later + 30, &["stage", "rollback"]).exits(0);
    let rollback = service.body("release/rollback.json");
    assert_eq!(outcomes(&rollback), ["deployment created", "take-back updated", "revert created"]);
    {
        let state = service.hub.state();
        let restored = state.deployments.last().unwrap();
        assert_eq!(
            (&restored["sha"], &restored["payload"]["artifacts"]),
            (&json!(service.good), &json!(digests("good")))
        );
        assert_eq!(state.newest_status(1001).as_deref(), Some("failure"));
        assert_eq!(state.newest_status(1002).as_deref(), Some("success"));
        assert_eq!(state.pulls.len(), 1);
        assert!(state.pulls[0].body.contains("errors: ratio 0.04"), "{}", state.pulls[0].body);
    }
    assert_eq!(rollback["revert"]["exact"], true, "{rollback}");
    // The repository's own command runs on the last good files, with no token at all.
    let mut command = service.env.orch_command(&service.root, &["stage", "rollback-command"]);
    command.env("SOURCE_DATE_EPOCH", (later + 60).to_string());
    said(command).exits(0);
    let log = fs::read_to_string(service.folder().join("release/rollback-command.log")).unwrap();
    assert!(log.contains(&format!("production {}", service.good)), "{log}");
    assert!(log.contains(digests("good")[0].digest.as_str()), "{log}");

    // Again: the same, and nothing is written.
    service.hub.arm([]);
    service.gate(later + 90, &["--deployed"]).exits(3);
    service.orch(later + 120, &["stage", "rollback"]).exits(0);
    assert!(service.hub.writes().is_empty(), "{:?}", service.hub.writes());

    // The evidence is whole, and says the same without a network.
    service.orch(later + 150, &["artifacts", "verify"]).exits(0);
    let replay = service.env.orch(&service.root, &["replay"]).exits(0);
    assert!(
        replay.stdout.contains("release/rollback.json") || replay.stdout.contains("equal"),
        "{}",
        replay.stdout
    );
    let found = service.hub.violations();
    assert!(found.is_empty(), "{found:#?}");
}

/// The program dies after each write, and what it wrote to the run folder is what a dead program leaves: nothing.
#[test]
fn a_program_that_dies_after_any_write_is_run_again_and_ends_in_the_same_state() {
    let ready = |stage: &str| {
        let service = Service::new();
        let canary = if stage == "promote" { "0.010" } else { "0.040" };
        service.inputs(NOW - 60, (canary, 4000), ("0.010", 4000));
        if stage == "rollback" {
            service.deployed();
        }
        let exit = if stage == "promote" { 0 } else { 3 };
        service.gate(NOW, &["--deployed"]).exits(exit);
        service.hub.arm([]);
        service
    };
    for stage in ["promote", "rollback"] {
        let judged = ready(stage);
        let service = judged.again();
        service.orch(NOW + 30, &["stage", stage]).exits(0);
        let wanted = super::faults::left(&service.hub);
        let seen = service.hub.seen();
        let writes: Vec<usize> = (1..=seen.len())
            .filter(|call| seen[call - 1].method != "GET" && seen[call - 1].path != "/graphql")
            .collect();
        assert!(writes.len() >= 5, "{writes:?}");
        for call in writes {
            let service = judged.again();
            service.hub.arm([(call, Fault::Die)]);
            service.orch(NOW + 30, &["stage", stage]).exits(75);
            assert!(!service.folder().join(format!("manifest/{stage}.json")).exists());
            service.hub.arm([]);
            service.orch(NOW + 60, &["stage", stage]).exits(0);
            assert_eq!(super::faults::left(&service.hub), wanted, "{stage} after call {call}");
        }
    }
}

#[test]
fn numbers_that_conclude_nothing_hold_and_nothing_follows() {
    for (canary, good) in [(("0.040", 99), ("0.010", 4000)), (("0.040", 4000), ("0.010", 99))] {
        let service = Service::new();
        service.inputs(NOW - 60, canary, good);
        service.gate(NOW, &["--deployed"]).exits(75).says("hold");
        service.hub.arm([]);
        for stage in ["promote", "rollback"] {
            service.orch(NOW + 30, &["stage", stage]).exits(75).says("the release gate says hold");
        }
        assert!(service.hub.writes().is_empty());
    }
    // No numbers at all.
    let service = Service::new();
    service.gate(NOW, &["--deployed"]).exits(75);
    service.orch(NOW + 30, &["stage", "rollback"]).exits(75);
}

#[test]
fn a_decision_that_was_written_by_hand_is_not_acted_on() {
    let service = Service::new();
    service.inputs(NOW - 60, ("0.040", 4000), ("0.010", 4000));
    service.gate(NOW, &["--deployed"]).exits(3);
    let path = service.folder().join("release/decision.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("\"outcome\":\"rollback\"", "\"outcome\":\"promote\"")).unwrap();
    service.hub.arm([]);
    service.orch(NOW + 30, &["stage", "promote"]).exits(3);
    assert!(service.hub.writes().is_empty());
}
