//! `plan`: a task becomes a plan.
//!
//! Must never pass on a plan that contradicts itself or the base.

use crate::artifact::id::StageId;
use crate::artifact::kind::slot;
use crate::artifact::types::manifest::Material;
use crate::artifact::types::plan::Plan;
use crate::artifact::types::task::Task;
use crate::engine::{View, rules};

use super::proposal::{by_rule, discussed};
use super::spec::{EffectKind, Input, Permission, StageSpec};
use super::{Finished, Inputs, Outputs, Stage, StageContext, StageError};

/// What the stage declares.
pub static SPEC: StageSpec = StageSpec {
    id: StageId::Plan,
    version: 2,
    summary: "Turns a task into a plan",
    about: "Asks the engine for steps, files in scope, acceptance criteria, risks and a way back. It refuses a plan \
            that contradicts itself or the base. When the engine has nothing that fits the request, or the base has \
            it already, the run ends with exit code 78 and nothing is written.",
    inputs: &[Input::required(slot::TASK)],
    outputs: &[slot::PLAN],
    may_write: &[slot::PLAN_MESSAGES, slot::PLAN_ESCALATION],
    effects: &[EffectKind::RepositoryRead, EffectKind::Model],
    config: &["engine", "models", "templates"],
    permissions: &[Permission::ContentsRead],
    exits: &[3, 5, 7, 78],
};

/// The stage.
pub struct PlanStage;

impl Stage for PlanStage {
    fn spec(&self) -> &'static StageSpec {
        &SPEC
    }

    fn materials(&self, cx: &StageContext<'_>) -> Result<Vec<Material>, StageError> {
        Ok(cx.engine()?.materials()?)
    }

    fn run(&self, cx: &StageContext<'_>, inputs: &Inputs) -> Result<Finished, StageError> {
        let task: Task = inputs.get(slot::TASK)?;
        let note = |line| cx.note(line);
        let view =
            View { calls: cx.calls()?, note: &note, vcs: cx.vcs()?, tree: &task.base.tree, earlier: None };
        let proposed = cx.engine()?.plan(&view, &task)?;
        let Some(plan) = &proposed.value else {
            return discussed(&proposed, slot::PLAN_MESSAGES, slot::PLAN_ESCALATION, Outputs::default());
        };
        let have = view.vcs.entries(view.tree)?;
        check(plan, |path| have.binary_search_by(|e| e.path.as_slice().cmp(path.as_bytes())).is_ok())?;
        if let Some(used) = &plan.template {
            cx.note(format!("template {}, variant {}", used.name, used.variant));
        }
        let mut outputs = Outputs::default();
        outputs.put(slot::PLAN, plan)?;
        discussed(&proposed, slot::PLAN_MESSAGES, slot::PLAN_ESCALATION, outputs)
    }
}

/// Checks a plan; `exists` tells whether the base has a path.
pub fn check(plan: &Plan, exists: impl Fn(&str) -> bool) -> Result<(), StageError> {
    rules::plan(plan, exists).map_err(by_rule)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::proposal::tests::plan as sound;

    type Fault = fn(&mut Plan);

    #[test]
    fn contradictions_are_refused() {
        let good = || Plan { steps: vec!["do".into()], rollback: "undo".into(), ..sound() };
        let exists = |path: &str| path == "old.py";
        check(&good(), exists).unwrap();
        let cases: Vec<(Fault, &str)> = vec![
            (|p| p.change_type = "feature".into(), "type"),
            (|p| p.subject = "a\nb".into(), "subject"),
            (|p| p.subject = " ".into(), "subject"),
            (|p| p.subject = "x".repeat(101), "subject"),
            (|p| p.files.clear(), "no files"),
            (|p| p.steps.clear(), "no files, no steps"),
            (|p| p.rollback.clear(), "undo"),
            (|p| p.files.reverse(), "sorted"),
            (|p| p.files.insert(0, p.files[0].clone()), "sorted"),
            (|p| p.files[0].exists = true, "no such file"),
            (|p| p.files[1].exists = false, "the base has it"),
            (|p| p.criteria[1].id = "c1".into(), "twice"),
        ];
        for (change, why) in cases {
            let mut plan = good();
            change(&mut plan);
            let error = check(&plan, exists).unwrap_err().to_string();
            assert!(error.contains(why), "{error} / {why}");
        }
    }
}
