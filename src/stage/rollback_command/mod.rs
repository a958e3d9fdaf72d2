//! `rollback-command`: the repository's own commands to go back, run without any token.
//!
//! Must never run files of the release that did harm, hold a token, or call an end good that is not.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use crate::artifact::id::StageId;
use crate::artifact::kind::slot;
use crate::artifact::types::rollback::{Rollback, RollbackRun};
use crate::artifact::types::verification::CommandRole;
use crate::diagnostic::Class;
use crate::ports::process::{Command, Outcome};
use crate::telemetry::Event;

use super::spec::{EffectKind, Input, Permission, StageSpec};
use super::verify::{ended as told, portable};
use super::{Finished, Inputs, Outputs, Stage, StageContext, StageError};

/// The digests that are restored, as the command finds them: one `name digest` a line.
const DIGESTS: &str = "ORCH_ARTIFACTS";

/// What the stage declares.
pub static SPEC: StageSpec = StageSpec {
    id: StageId::RollbackCommand,
    version: 1,
    summary: "Runs the repository's own commands to go back, in a clean copy of the last good release",
    about: "The commands are code of the repository, so the job that runs them has no token of the forge and no key of a model; \
            variables that `rollback.env` names, with credentials to deploy, are handed to them alone. They are those that \
            release/rollback.json names, run in order in a clean copy of the last good commit, with ORCH_ENVIRONMENT, \
            ORCH_COMMIT, ORCH_FROM_COMMIT and ORCH_ARTIFACTS. Without network unless `rollback.network` allows it. A command \
            that fails is exit code 6: the record of the forge says what should run, and the environment may not.",
    inputs: &[Input::required(slot::ROLLBACK)],
    outputs: &[slot::ROLLBACK_RUN, slot::ROLLBACK_LOG],
    may_write: &[],
    effects: &[EffectKind::Process],
    config: &["rollback", "sandbox"],
    permissions: &[Permission::ContentsRead],
    exits: &[6, 78],
};

/// The stage.
#[derive(Clone, Copy, Debug, Default)]
pub struct RollbackCommandStage;

impl Stage for RollbackCommandStage {
    fn spec(&self) -> &'static StageSpec {
        &SPEC
    }

    fn run(&self, cx: &StageContext<'_>, inputs: &Inputs) -> Result<Finished, StageError> {
        let rollback: Rollback = inputs.get(slot::ROLLBACK)?;
        let Some(command) = rollback.command.clone() else {
            return Err(StageError::Refused {
                class: Class::Nothing,
                what: "`rollback.commands` names no command".into(),
                help: "Nothing has to be done: the record of the forge is what is deployed from.".into(),
            });
        };
        let copy = cx.workspaces()?.clean_copy(&command.tree)?;
        let root = copy.root().to_path_buf();
        let (mut ended, mut violations, mut log) = (Vec::new(), Vec::new(), String::new());
        for argv in &command.commands {
            let outcome = run_one(cx, argv, &root, &rollback)?;
            write_log(&mut log, argv, &root, &outcome);
            violations.extend(outcome.violations.iter().map(|text| portable(text, &root)));
            let good = outcome.ended.ok();
            ended.push(outcome.ended);
            if !good {
                break;
            }
        }
        let bad = ended.iter().zip(&command.commands).find(|(ended, _)| !ended.ok());
        let why = bad.map(|(how, argv)| format!("`{}` {}", argv.join(" "), told(how)));
        let rollback = inputs.file(slot::ROLLBACK)?.digest.clone();
        let mut outputs = Outputs::default();
        outputs.put(slot::ROLLBACK_RUN, &RollbackRun { command, rollback, ended, violations })?;
        outputs.put_bytes(slot::ROLLBACK_LOG, log);
        Ok(match why {
            None => Finished::done(outputs),
            Some(why) => Finished::stopped(outputs, Class::TestsFailed, why),
        })
    }
}

/// Runs one command to its end.
fn run_one(
    cx: &StageContext<'_>,
    argv: &[String],
    root: &Path,
    rollback: &Rollback,
) -> Result<Outcome, StageError> {
    let sandbox = &cx.config.sandbox;
    let mut sandbox =
        if cx.config.rollback.network { sandbox.with_full_network() } else { sandbox.for_commands() };
    sandbox.credentials.clone_from(&cx.config.rollback.env);
    let ask = Command { argv: argv.to_vec(), cwd: root.to_path_buf(), env: variables(rollback), sandbox };
    let (role, argv) = (CommandRole::Setup, ask.argv.clone());
    cx.emit(&Event::CommandStarted { role, argv: argv.clone() });
    let outcome = cx.processes()?.run(&ask)?;
    let duration_ms = u64::try_from(outcome.duration.as_millis()).unwrap_or(u64::MAX);
    let ended = told(&outcome.ended);
    cx.emit(&Event::CommandFinished { role, argv, ended, duration_ms });
    Ok(outcome)
}

fn variables(rollback: &Rollback) -> BTreeMap<String, String> {
    let mut digests = String::new();
    for artifact in &rollback.last_good.artifacts {
        let _ = writeln!(digests, "{} {}", artifact.name, artifact.digest);
    }
    [
        ("ORCH_ENVIRONMENT", rollback.environment.to_string()),
        ("ORCH_COMMIT", rollback.last_good.commit.to_string()),
        ("ORCH_FROM_COMMIT", rollback.subject.commit.to_string()),
        (DIGESTS, digests),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

fn write_log(log: &mut String, argv: &[String], root: &Path, outcome: &Outcome) {
    let _ = writeln!(log, "==> {}\n    {}", shell_words::join(argv), told(&outcome.ended));
    for (name, text) in [("stdout", &outcome.stdout.text), ("stderr", &outcome.stderr.text)] {
        if !text.trim().is_empty() {
            let _ = writeln!(log, "--- {name}\n{}", portable(text.trim_end(), root));
        }
    }
}
