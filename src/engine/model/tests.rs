//! `test-write` with models: the Test-writer works from the plan and the base, and never sees the change.
//!
//! Must never be handed edits, and must never write a file the plan does not name as a test.

use serde_json::Value;

use crate::agent::context::{Cut, Piece, TreeSource};
use crate::agent::role::TEST_WRITER;
use crate::artifact::types::change_set::TestSet;
use crate::artifact::types::plan::{FileRole, Plan};
use crate::artifact::types::task::Task;
use crate::diagnostic::text::count;
use crate::engine::rules;
use crate::engine::{EngineError, View};

use super::desk::{Desk, Outcome, Question};
use super::draft::{Draft, EditError};
use super::{ModelEngine, context, reply, schema};

const STEP: &str = "tests.write";

/// Proposes acceptance tests; a set that breaks a rule is sent back once.
pub(super) fn tests(
    engine: &ModelEngine,
    view: &View<'_>,
    task: &Task,
    plan: &Plan,
) -> Result<TestSet, EngineError> {
    let source = TreeSource::of(view.vcs, view.tree)?.at(&task.base.commit).telling(view.note);
    let desk = Desk { engine, view, source: &source };
    let mut pieces = context::request(task, &source, engine.setup.notes.as_ref())?;
    pieces.push(context::plan(plan));
    pieces.extend(context::planned(plan, FileRole::Test, &source)?);
    pieces.extend(context::overview(task, &source, context::FITTING)?.pieces);
    let allowed = || plan.files.iter().filter(|file| file.role == FileRole::Test).map(|file| &file.path);
    let empty = Draft::new(&source, allowed(), []);
    let read = |answer: &Value| written(answer, &empty, view);
    let mut fault: Option<String> = None;
    for _ in 0..2 {
        let faults = fault.iter().map(|why| Piece::new("faults of an earlier answer", why, 9, Cut::Head));
        let question = Question {
            role: engine.cast().role(TEST_WRITER)?,
            step: STEP,
            context: &pieces,
            material: faults.collect(),
            schema: schema::tests(),
            avoid: None,
        };
        let reply = desk.ask(question, &read)?;
        let set = match reply.said {
            Outcome::Answer(Ok(set)) => set,
            Outcome::Answer(Err(what)) => return Err(EngineError::HardStop { role: reply.by.role, what }),
            Outcome::CannotBeDone(why) => return Err(EngineError::CannotBeDone { why }),
            Outcome::Stopped(_, why) => {
                return Err(EngineError::Unusable { role: reply.by.role, step: STEP.into(), why });
            }
        };
        match rules::tests(&set, plan, view.tree, &|path| view.vcs.file(view.tree, path)) {
            Ok(()) => {
                (view.note)(format!(
                    "{} ({}) writes {}",
                    reply.by.role,
                    reply.by.model.as_deref().unwrap_or("nobody"),
                    count(set.expected.len(), "test")
                ));
                return Ok(set);
            }
            Err(rules::RuleError::Broken(what)) => fault = Some(what),
            Err(rules::RuleError::Vcs(error)) => return Err(error.into()),
        }
    }
    let why = fault.unwrap_or_default();
    Err(EngineError::Unusable { role: TEST_WRITER.into(), step: STEP.into(), why })
}

/// Reads an answer; the inner error is a hard stop.
fn written(answer: &Value, empty: &Draft<'_>, view: &View<'_>) -> Result<Result<TestSet, String>, String> {
    let written = reply::tests(answer)?;
    let mut draft = empty.clone();
    match draft.apply(&written.files) {
        Ok(()) => {}
        Err(EditError::Forbidden(what)) => return Ok(Err(what)),
        Err(EditError::Wrong(why)) => return Err(why),
        Err(EditError::Vcs(error)) => return Err(error.to_string()),
    }
    Ok(Ok(TestSet {
        base_tree: view.tree.clone(),
        files: draft.changes().map_err(|error| error.to_string())?,
        expected: written.expected,
        uncovered: written.uncovered,
        exempt: written.exempt.filter(|why| !why.is_empty()),
    }))
}
