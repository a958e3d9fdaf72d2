//! The most calls a stage can make, as data.
//!
//! Must never be less than what can happen: `tests/it/debate.rs` compares it with what was asked.

use crate::agent::PlannedCall;
use crate::agent::debate::Limits;
use crate::agent::prompt::STANDING;
use crate::agent::role::{ARCHITECT, BUILDER, TEST_WRITER};
use crate::artifact::id::StageId;
use crate::ports::model::ReplySchema;

use super::desk::{MAX_ASKS, MAX_EXTRA};
use super::{ModelEngine, schema};

/// Room for the lines that say what was left out.
const MAX_TOLD: u64 = 2048;

/// Returns the most calls of a stage.
pub(super) fn calls(engine: &ModelEngine, stage: StageId) -> Vec<PlannedCall> {
    let call = |role: &str, step: &str, form: &ReplySchema, questions: u32| {
        planned(engine, role, step, form, questions)
    };
    let critics = |author: &str, step: &'static str, questions: u32| -> Vec<PlannedCall> {
        let mut names: Vec<&str> = vec![author];
        names.extend(engine.setup.critics.iter().map(String::as_str));
        let form = schema::critique();
        names.into_iter().filter_map(|role| planned(engine, role, step, &form, questions)).collect()
    };
    let (plan, change) = (Limits::PLAN, Limits::CHANGE);
    let mut calls = Vec::new();
    match stage {
        StageId::Plan => {
            calls.extend(call(ARCHITECT, "plan.propose", &schema::plan(), 1));
            calls.extend(call(ARCHITECT, "plan.revise", &schema::plan(), plan.repairs));
            calls.extend(critics(BUILDER, "plan.critique", 1));
        }
        StageId::TestWrite => {
            calls.extend(call(TEST_WRITER, "tests.write", &schema::tests(), 2));
        }
        StageId::Generate => {
            calls.extend(call(BUILDER, "generate.implement", &schema::edits(engine.setup.edits), 1));
            calls.extend(call(
                BUILDER,
                "generate.repair",
                &schema::edits(engine.setup.edits),
                change.repairs,
            ));
            calls.extend(critics(ARCHITECT, "generate.critique", change.repairs + 1));
        }
        _ => {}
    }
    calls
}

/// Returns the calls of a number of questions; a step that was asked as another one is never larger than it.
fn planned(
    engine: &ModelEngine,
    role: &str,
    step: &str,
    form: &ReplySchema,
    questions: u32,
) -> Option<PlannedCall> {
    let who = engine.cast.role(role).ok()?;
    let prompt = engine.prompts.of(step).ok()?;
    let standing = engine.prompts.of(STANDING).ok()?;
    let form = form.schema.to_string().len() + engine.form().map_or(0, str::len);
    let words = standing.text.len() + who.prompt.len() + who.rubric_text().len() + prompt.text.len();
    let tokens = u64::from(prompt.context_tokens) + u64::from(prompt.prompt_tokens);
    Some(PlannedCall {
        role: role.to_owned(),
        step: step.to_owned(),
        max_input_bytes: tokens * 4 + (words + form) as u64 + MAX_TOLD + MAX_EXTRA,
        max_output: who.max_output,
        times: questions * MAX_ASKS,
    })
}
