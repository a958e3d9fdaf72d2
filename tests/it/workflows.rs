//! Workflows of GitHub: linted, compiled, handed over between jobs, and what programs of others say of them.
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere, its helpers too")]

mod action;
#[cfg(unix)]
mod attempts;
mod comments;
mod place;
#[cfg(unix)]
mod releases;
mod reviews;
mod rounds;
mod third_party;
mod whole;

use std::fs;
use std::path::{Path, PathBuf};

use orch::compile::{Origin, compile, shipped};
use orch::lint::{Files, lint};
use orch::pipeline::CHANGE;

use crate::env::{TestEnv, files_below, is_raw_output, run_folder};

const REQUEST: &str = "add a /health endpoint";
const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn workflows() -> Files {
    files_below(&root().join(".github/workflows"))
        .into_iter()
        .map(|(name, bytes)| (format!(".github/workflows/{name}"), bytes))
        .collect()
}

#[test]
fn compiled_workflows_are_what_their_definitions_say() {
    TestEnv::new().orch(root(), &["compile", "--check"]).exits(0);
    for file in shipped(&Origin::Own).unwrap() {
        assert_eq!(
            fs::read_to_string(root().join(".github/workflows").join(&file.name)).unwrap(),
            file.text,
            "{}",
            file.name
        );
    }
}

#[test]
fn our_own_workflows_and_action_are_quiet() {
    let said = TestEnv::new().orch(root(), &["lint"]).exits(0);
    assert!(said.stdout.starts_with("nothing found"), "{}", said.stdout);
}

/// Law 4, for jobs: the check that finds two powers finds none here, and finds one that is put in.
#[test]
fn no_job_of_a_shipped_workflow_holds_two_powers() {
    let two = |files: &Files| -> usize {
        lint(files, None).findings.iter().filter(|found| found.code == "lint/two-powers").count()
    };
    let files = workflows();
    assert!(files.len() >= 5);
    assert_eq!(two(&files), 0);
    let change = String::from_utf8(files[".github/workflows/change.yml"].clone()).unwrap();
    for (old, new) in [
        // A key where code of the repository runs, and where is written; a right to write where code runs, and where a model is asked.
        (
            "          stage: verify-red\n",
            "          stage: verify-red\n        env:\n          OPENAI_API_KEY: ${{ secrets.OPENAI_API_KEY }}\n          X: y\n",
        ),
        ("          stage: pr\n", "          stage: pr\n          key: ${{ secrets.ANTHROPIC_API_KEY }}\n"),
        (
            "    runs-on: ${{ inputs.runner }}\n    timeout-minutes: 30\n    permissions:\n",
            "    runs-on: ${{ inputs.runner }}\n    timeout-minutes: 30\n    permissions:\n      issues: write\n",
        ),
        ("    name: plan\n", "    name: plan\n    env:\n      T: ${{ secrets.DEPLOY_TOKEN }}\n"),
    ] {
        assert!(change.contains(old), "{old}");
        let changed: Files =
            [(".github/workflows/change.yml".to_owned(), change.replacen(old, new, 1).into_bytes())].into();
        assert_eq!(two(&changed), 1, "{new}");
    }
}

#[test]
fn a_definition_with_an_unknown_stage_is_refused() {
    let env = TestEnv::new();
    let root = env.repository(
        "r",
        &[("w.yml", "pipeline: release\nversion: 1\nsummary: x\nsteps:\n  - stage: ship-it\n")],
    );
    env.orch(&root, &["compile", "w.yml"]).exits(2).says("ship-it");
    assert!(!root.join(".github").exists());
    for (ci, why) in [
        ("ci: {rounds: 9}", "rounds"),
        ("ci: {timeout_minutes: {pr: 3}}", "none of its stages"),
        ("ci: {fan_in: 1}", "unknown field"),
    ] {
        let text = format!("pipeline: x\nversion: 1\nsummary: x\n{ci}\nsteps:\n  - stage: intake\n");
        fs::write(root.join("w.yml"), text).unwrap();
        env.orch(&root, &["compile", "w.yml"]).exits(2).says(why);
    }
}

#[test]
fn a_repository_compiles_a_definition_of_its_own() {
    let env = TestEnv::new();
    let own = CHANGE[..CHANGE.find("  # 4 is").unwrap()]
        .replace(", approve: 10, pr: 10, review-gate: 40, auto-merge: 10", "");
    let root = env.repository("r", &[(".orch/workflows/change.yml", &own)]);
    let pin = format!("--pin={COMMIT}");
    env.orch(&root, &["compile", ".orch/workflows/change.yml", &pin]).exits(2).says("asks for proof");
    fs::write(root.join(".orch/workflows/change.yml"), own.replace("  proof: true\n", "")).unwrap();
    env.orch(&root, &["compile", ".orch/workflows/change.yml", &pin]).exits(0);
    env.orch(&root, &["compile", ".orch/workflows/change.yml", &pin, "--check"]).exits(0);
    let text = fs::read_to_string(root.join(".github/workflows/change.yml")).unwrap();
    assert!(!text.contains("contents: write") && text.contains(&format!("orchestrator-action@{COMMIT}")));
    env.orch(&root, &["lint"]).exits(0);
    env.orch(&root, &["compile", ".orch/workflows/change.yml", "--check"]).exits(2).says("change.yml");
    env.orch(&root, &["compile", "--pin", "a b"]).exits(2);
}

#[test]
fn a_setting_of_the_definition_is_in_the_workflow() {
    let text = CHANGE
        .replace("rounds: 3", "rounds: 1\n  environments: { pr: orch-approve }")
        .replace("pr: 10", "pr: 7");
    let files = compile("change.yml", &text, &Origin::Own).unwrap();
    let workflow = &files[0].text;
    assert!(workflow.contains("    environment: orch-approve\n"));
    assert!(workflow.contains("    timeout-minutes: 7\n"));
    assert!(workflow.contains("  generate-1:") && !workflow.contains("  generate-2:"));
}

#[test]
fn init_writes_a_caller_once() {
    let env = TestEnv::new();
    let root = env.service("service");
    env.orch(&root, &["init", "--github"]).exits(0).says("pin it");
    env.orch(&root, &["init", "--github"]).exits(2).says("is there already");
    fs::remove_file(root.join(".github/workflows/orch.yml")).unwrap();
    env.orch(&root, &["init", &format!("--github={COMMIT}")]).exits(0);
    let text = fs::read_to_string(root.join(".github/workflows/orch.yml")).unwrap();
    // Twelve lines are enough, the comment at the top among them.
    assert_eq!(text.lines().count(), 12, "{text}");
    assert!(text.contains("\nname: orch\nrun-name: orch ") && text.contains("\npermissions: {}\n"));
    let value: serde_yaml::Value = serde_yaml::from_str(&text).unwrap();
    let on: Vec<_> = value["on"].as_mapping().unwrap().keys().filter_map(|key| key.as_str()).collect();
    assert_eq!(on, ["issues", "issue_comment", "workflow_dispatch"]);
    let shown = fs::read_to_string(self::root().join("docs/how-to/use-on-github.md")).unwrap();
    let below: Vec<&str> = text.lines().skip(1).take(5).collect();
    assert!(shown.contains(&below.join("\n")), "the page shows another caller");
    env.orch(&root, &["lint"]).exits(0);
    env.orch(&root, &["init", "--github=a b"]).exits(2);
    for caller in orch::compile::caller::templates(COMMIT) {
        let files: Files = [(format!("{}.yml", caller.name), caller.text.clone().into_bytes())].into();
        let outcome = lint(&files, None);
        assert_eq!((outcome.findings, outcome.unreadable), (Vec::new(), Vec::new()), "{}", caller.text);
    }
}

#[test]
fn lint_speaks_every_form() {
    let env = TestEnv::new();
    let root = env.repository(
        "r",
        &[(
            ".github/workflows/a.yml",
            "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - uses: o/r@main\n",
        )],
    );
    env.orch(&root, &["lint"]).exits(3).says("[lint/timeout]").says("--> .github/workflows/a.yml:3:3");
    let json = env.orch(&root, &["lint", "--format", "json"]).exits(3).json();
    assert_eq!(json["files"], 1);
    assert_eq!(json["findings"][0]["path"], ".github/workflows/a.yml");
    let sarif = env.orch(&root, &["lint", "--as", "sarif"]).exits(3).json();
    let schema: serde_json::Value = serde_json::from_slice(
        &fs::read(self::root().join("tests/fixtures/sarif/sarif-schema-2.1.0.json")).unwrap(),
    )
    .unwrap();
    assert!(jsonschema::validator_for(&schema).unwrap().is_valid(&sarif));
    assert_eq!(sarif["runs"][0]["automationDetails"]["id"], "orch/lint/");
    assert_eq!(env.orch(&root, &["lint", "--format", "sarif"]).exits(3).json(), sarif);
    assert_eq!(env.orch(&root, &["lint", ".", "--format=sarif"]).exits(3).json(), sarif);
    env.orch(&root, &["lint", "--as", "github"]).exits(3).says("::error file=.github/workflows/a.yml,line=6");
    env.orch(&root, &["lint", "--severity", "critical"]).exits(0);
    env.orch(&root, &["explain", "lint/timeout"]).exits(0).says("six hours");
    fs::write(root.join(".github/workflows/b.yml"), "on: [").unwrap();
    env.orch(&root, &["lint"]).exits(2).says("b.yml` cannot be read");
    env.orch(&root, &["lint", "none.yml"]).exits(2).says("there is no file");
}

/// Moves what one job hands on to where the next one looks, and starts that one from nothing.
fn hand_over(env: &TestEnv, root: &Path, stage: &str, parts: &Path) {
    let part = parts.join(format!("orch-x-{stage}-r1-a1"));
    env.orch(root, &["artifacts", "part", stage, "--into", &part.display().to_string()]).exits(0);
    fs::remove_dir_all(root.join("artifacts")).unwrap();
}

#[test]
fn stages_hand_over_parts_and_end_as_one_run() {
    let env = TestEnv::new();
    let (whole, root) = two_services(&env);
    env.orch(&whole, &["run", REQUEST]).exits(0);
    let parts = env.path("parts");
    let stages = ["intake", "plan", "test-write", "verify-red", "generate", "verify-green", "policy", "pr"];
    for (at, stage) in stages.into_iter().enumerate() {
        if at > 0 {
            env.orch(&root, &["artifacts", "merge", &parts.display().to_string()]).exits(0);
        }
        let args: &[&str] = if at == 0 { &["stage", "intake", "--task", REQUEST] } else { &["stage", stage] };
        env.orch(&root, args).exits(0);
        hand_over(&env, &root, stage, &parts);
    }
    env.orch(&root, &["artifacts", "merge", &parts.display().to_string()]).exits(0);
    env.orch(&root, &["artifacts", "verify"]).exits(0);
    let made = files_below(&run_folder(&root));
    for (path, bytes) in files_below(&run_folder(&whole)) {
        let volatile = path.starts_with("manifest/") || path.starts_with("events/") || is_raw_output(&path);
        assert!(made.contains_key(&path), "{path} was not handed over");
        assert!(volatile || made[&path] == bytes, "{path}");
    }
}

fn two_services(env: &TestEnv) -> (PathBuf, PathBuf) {
    let whole = env.service("service");
    let other = env.service("other");
    for root in [&whole, &other] {
        fs::write(root.join("orch.yml"), "service: service\n").unwrap();
        env.git(root, &["add", "-A"]);
        env.git(root, &["commit", "-q", "-m", "config"]);
    }
    (whole, other)
}

#[test]
fn a_job_hands_over_no_file_of_another_stage() {
    let env = TestEnv::new();
    let root = env.service("service");
    env.orch(&root, &["run", REQUEST, "--until", "verify-red"]).exits(0);
    let parts = env.path("parts");
    for stage in ["intake", "plan", "test-write", "verify-red"] {
        let part = parts.join(stage);
        env.orch(&root, &["artifacts", "part", stage, "--into", &part.display().to_string()]).exits(0);
    }
    let run = run_folder(&root).file_name().unwrap().to_string_lossy().into_owned();
    let merge = || {
        env.orch(
            &root,
            &[
                "artifacts",
                "merge",
                &parts.display().to_string(),
                "--artifacts",
                &env.path("merged").display().to_string(),
            ],
        )
    };
    merge().exits(0);
    // The job that ran code of the repository brings a plan of its own.
    let forged = parts.join("verify-red").join(&run).join("plan.json");
    fs::copy(parts.join("plan").join(&run).join("plan.json"), &forged).unwrap();
    merge().exits(3).says("verify-red");
    fs::remove_file(&forged).unwrap();
    // A second plan, under a name of its own.
    let twin = parts.join("x-plan").join(&run);
    fs::create_dir_all(&twin).unwrap();
    fs::write(twin.join("plan.json"), "{}").unwrap();
    merge().exits(3).says("both bring the stage plan");
    env.orch(&root, &["artifacts", "part", "policy", "--into", "p"]).exits(2).says("no file of policy");
}

#[test]
fn a_stage_tells_a_runner_what_came_of_it() {
    let env = TestEnv::new();
    let root = env.service("service");
    let file = env.path("outputs");
    let run = |args: &[&str]| {
        let mut command = env.orch_command(&root, args);
        command.env("GITHUB_ACTIONS", "true").env("GITHUB_OUTPUT", &file);
        command.output().unwrap().status.code().unwrap()
    };
    assert_eq!(run(&["stage", "intake", "--task", "migrate the database to Postgres"]), 0);
    assert_eq!(run(&["stage", "plan"]), 78);
    let text = fs::read_to_string(&file).unwrap();
    for (name, value) in [("exit", "78"), ("cost-usd", "0.000000")] {
        let block = text.split(&format!("{name}<<")).last().unwrap();
        assert_eq!(block.lines().nth(1), Some(value), "{text}");
        // The delimiter is no guess and no part of the value.
        assert_eq!(block.lines().next(), block.lines().nth(2), "{text}");
    }
    assert!(text.contains("reason<<end-"), "{text}");
}

#[test]
fn jobs_without_a_key_serve_a_run_of_models() {
    let env = TestEnv::new();
    let root = env.service("service");
    let engine = |args: &[&str], later: bool| {
        let mut command = env.orch_command(&root, args);
        if later {
            command.env("ORCH_MODELS", "later");
        }
        assert!(command.output().unwrap().status.success());
        let task = fs::read(run_folder(&root).join("task.json")).unwrap();
        let task: serde_json::Value = serde_json::from_slice(&task).unwrap();
        let folder = run_folder(&root);
        fs::remove_dir_all(folder).unwrap();
        task["body"]["assignment"]["engine"].as_str().unwrap().to_owned()
    };
    let plain = engine(&["stage", "intake", "--task", REQUEST], false);
    assert_ne!(engine(&["stage", "intake", "--task", REQUEST], true), plain);
    assert_eq!(engine(&["stage", "intake", "--task", REQUEST, "--engine", "template"], true), plain);
    // The job of a stage that asks no model is not held up by the key it does not have.
    env.orch(&root, &["stage", "intake", "--task", REQUEST, "--model", "anthropic/claude-sonnet-5-5"])
        .exits(0);
    let said = env.orch(&root, &["stage", "verify-red"]);
    assert!(said.exit != 0 && said.stderr.contains("plan.json"), "{}", said.stderr);
}
