//! The repository's own commands to go back: where they run, with what, and how they end.

use orch::artifact::id::StageId;
use orch::artifact::kind::slot;
use orch::artifact::types::rollback::{Rollback, RollbackRun};
use orch::artifact::types::verification::Ended;
use orch::config::Command as Words;
use orch::diagnostic::{Class, Failure as _};
use orch::ports::process::{FakeProcesses, Network, outcome};
use orch::stage::rollback_command::{RollbackCommandStage, SPEC};
use orch::stage::spec::Power;
use orch::stage::{Inputs, Output, StageResult};

use super::rollback::bad;
use super::{Scene, body, digests, put_as, run_id};

fn words(text: &str) -> Words {
    Words(text.split(' ').map(str::to_owned).collect())
}

/// A scene whose rollback is done, with the files the stage reads.
fn ready(commands: &[&str]) -> (Scene, Rollback, Inputs) {
    let mut scene = bad().cloned();
    scene.config.rollback.commands = commands.iter().map(|text| words(text)).collect();
    let rollback = scene.rollback();
    let mut inputs = Inputs::default();
    put_as(&mut inputs, slot::ROLLBACK, &rollback, StageId::Rollback, &run_id());
    (scene, rollback, inputs)
}

fn ended(code: i32) -> orch::ports::process::Outcome {
    outcome(Ended::Exited { code }, "went back\n::set-output name=x::y\n", "")
}

#[test]
fn commands_run_on_the_last_good_files_without_token_or_network() {
    assert_eq!(SPEC.powers(), [Power::Exec]);
    let (scene, rollback, inputs) = ready(&["deploy/back --now", "deploy/check"]);
    let processes = FakeProcesses::in_order([ended(0), ended(0)]);
    let finished = scene.try_with(&RollbackCommandStage, &inputs, &processes).unwrap();
    assert_eq!(finished.result, StageResult::Done);
    let calls = processes.calls();
    assert_eq!(
        calls.iter().map(|call| call.argv.join(" ")).collect::<Vec<_>>(),
        ["deploy/back --now", "deploy/check"]
    );
    for call in &calls {
        assert_eq!(call.sandbox.network, Network::Off);
        let of = |name: &str| call.env.get(name).map(String::as_str);
        assert_eq!(of("ORCH_ENVIRONMENT"), Some("production"));
        assert_eq!(of("ORCH_COMMIT"), Some(scene.good.as_str()));
        assert_eq!(of("ORCH_FROM_COMMIT"), Some(scene.subject.as_str()));
        let artifact = &digests("good")[0];
        assert_eq!(of("ORCH_ARTIFACTS"), Some(format!("{} {}\n", artifact.name, artifact.digest).as_str()));
        assert!(!call.env.keys().any(|name| name.contains("TOKEN")), "{:?}", call.env);
    }
    let run: RollbackRun = body(&finished, slot::ROLLBACK_RUN);
    assert_eq!((run.ended.len(), Some(run.command)), (2, rollback.command));
    let log = finished.outputs.iter().find(|(slot, _)| *slot == slot::ROLLBACK_LOG).unwrap();
    assert!(matches!(&log.1, Output::Bytes(bytes) if String::from_utf8_lossy(bytes).contains("went back")));
}

#[test]
fn the_first_that_fails_is_the_last() {
    let (mut scene, _, inputs) = ready(&["deploy/back", "deploy/check"]);
    scene.config.rollback.network = true;
    scene.config.rollback.env = vec!["DEPLOY_TOKEN".into()];
    let processes = FakeProcesses::in_order([ended(3), ended(0)]);
    let finished = scene.try_with(&RollbackCommandStage, &inputs, &processes).unwrap();
    let StageResult::Stopped { class, why } = &finished.result else { panic!("it is called good") };
    assert_eq!((class.exit_code(), processes.calls().len()), (6, 1));
    assert!(why.contains("`deploy/back`"), "{why}");
    assert_eq!(processes.calls()[0].sandbox.network, Network::Full, "where the config says so");
    assert_eq!(
        processes.calls()[0].sandbox.credentials,
        ["DEPLOY_TOKEN"],
        "by name; no value is in a file of the run"
    );
    let run: RollbackRun = body(&finished, slot::ROLLBACK_RUN);
    assert_eq!(run.ended, [Ended::Exited { code: 3 }]);
}

#[test]
fn nothing_runs_where_nothing_is_named_or_restored() {
    let (scene, rollback, inputs) = ready(&[]);
    assert_eq!(rollback.command, None);
    let processes = FakeProcesses::in_order([]);
    let error = scene.try_with(&RollbackCommandStage, &inputs, &processes).unwrap_err();
    assert_eq!((error.class(), processes.calls().len()), (Class::Nothing, 0));
    // The environment runs something else: its record was left alone, and so is what runs there.
    let mut scene = bad();
    scene.config.rollback.commands = vec![words("deploy/back")];
    let newer = scene.hub.state().push_by_person("main", "z", "z\n", "z").parse().unwrap();
    scene.deployed("production", &newer, &digests("newer"), "success");
    assert_eq!(scene.rollback().command, None);
}
