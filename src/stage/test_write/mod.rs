//! `test-write`: the acceptance tests are written, before the change and apart from it.
//!
//! Must never let a criterion go without a test or a reason, and must never touch a file of the change.

use crate::artifact::id::{StageId, TreeId};
use crate::artifact::kind::slot;
use crate::artifact::types::change_set::TestSet;
use crate::artifact::types::manifest::Material;
use crate::artifact::types::plan::Plan;
use crate::artifact::types::task::Task;
use crate::diagnostic::text::count;
use crate::engine::View;
use crate::engine::rules::{self, Base};

use super::proposal::{by_rule, check_paths};
use super::spec::{EffectKind, Input, Permission, StageSpec};
use super::{Finished, Inputs, Outputs, Stage, StageContext, StageError};

/// What the stage declares.
pub static SPEC: StageSpec = StageSpec {
    id: StageId::TestWrite,
    version: 2,
    summary: "Writes the acceptance tests",
    about: "Asks the engine for tests of the plan's criteria, as a change set of their own that no later stage may \
            change. It refuses files the plan does not name as tests, tests that are not in their file, and criteria \
            with neither a test nor a reason.",
    inputs: &[Input::required(slot::TASK), Input::required(slot::PLAN)],
    outputs: &[slot::TESTS],
    may_write: &[],
    effects: &[EffectKind::RepositoryRead, EffectKind::Model],
    config: &["engine", "models", "templates", "paths"],
    permissions: &[Permission::ContentsRead],
    exits: &[3, 5, 7, 78],
};

/// The stage.
pub struct TestWrite;

impl Stage for TestWrite {
    fn spec(&self) -> &'static StageSpec {
        &SPEC
    }

    fn materials(&self, cx: &StageContext<'_>) -> Result<Vec<Material>, StageError> {
        Ok(cx.engine()?.materials()?)
    }

    fn run(&self, cx: &StageContext<'_>, inputs: &Inputs) -> Result<Finished, StageError> {
        let task: Task = inputs.get(slot::TASK)?;
        let plan: Plan = inputs.get(slot::PLAN)?;
        let note = |line| cx.note(line);
        let view =
            View { calls: cx.calls()?, note: &note, vcs: cx.vcs()?, tree: &task.base.tree, earlier: None };
        let tests = cx.engine()?.tests(&view, &task, &plan)?;
        check(&tests, &plan, view.tree, &|path| view.vcs.file(view.tree, path))?;
        check_paths(&tests.files, &cx.config.paths)?;
        match &tests.exempt {
            Some(why) => cx.note(format!("no tests: {why}")),
            None => cx.note(format!(
                "{} in {}",
                count(tests.expected.len(), "test"),
                count(tests.files.len(), "file")
            )),
        }
        let mut outputs = Outputs::default();
        outputs.put(slot::TESTS, &tests)?;
        Ok(Finished::done(outputs))
    }
}

/// Checks a test set against the plan and the base; the pure part of the stage.
pub fn check(tests: &TestSet, plan: &Plan, tree: &TreeId, base: &Base<'_>) -> Result<(), StageError> {
    rules::tests(tests, plan, tree, base).map_err(by_rule)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::artifact::types::change_set::{ExpectedTest, FileChange};
    use crate::stage::proposal::tests::{base, plan, write};

    fn sound() -> TestSet {
        let test = |name: &str, id: &str| ExpectedTest {
            path: "tests/test_x.py".parse().unwrap(),
            name: name.into(),
            criteria: vec![id.into()],
        };
        TestSet {
            base_tree: "b".repeat(40).parse().unwrap(),
            files: vec![write("tests/test_x.py", None, "def test_a(): ...\ndef test_b(): ...\n")],
            expected: vec![test("test_a", "c1"), test("test_b", "c2")],
            uncovered: BTreeMap::new(),
            exempt: None,
        }
    }

    fn verdict(tests: &TestSet) -> Result<(), StageError> {
        check(tests, &plan(), &"b".repeat(40).parse().unwrap(), &base)
    }

    type Fault = Box<dyn Fn(&mut TestSet)>;

    #[test]
    fn sound_sets_pass_and_every_fault_is_refused() {
        verdict(&sound()).unwrap();
        let foreign = |path: &str| -> FileChange { write(path, None, "x") };
        let cases: Vec<(Fault, &str)> = vec![
            (Box::new(|t| t.base_tree = "c".repeat(40).parse().unwrap()), "another tree"),
            (Box::new(move |t| t.files.insert(0, foreign("new.py"))), "not planned as a test file"),
            (Box::new(|t| t.files.push(t.files[0].clone())), "sorted"),
            (Box::new(|t| t.files.clear()), "not written"),
            (Box::new(|t| t.files[0].before = Some(crate::artifact::digest::Digest::of("x"))), "operation"),
            (Box::new(|t| t.expected[0].name = "test_z".into()), "has no test"),
            (Box::new(|t| t.expected[0].name = String::new()), "has no test"),
            (Box::new(|t| t.expected[1] = t.expected[0].clone()), "twice"),
            (Box::new(|t| t.expected[0].criteria.clear()), "no criterion"),
            (Box::new(|t| t.expected[0].criteria = vec!["c9".into()]), "no criterion `c9`"),
            (Box::new(|t| drop(t.expected.pop())), "neither a test nor a reason"),
            (Box::new(|t| t.expected.clear()), "no test that must fail"),
            (Box::new(|t| t.exempt = Some("docs".into())), "there are some"),
            (Box::new(|t| drop(t.uncovered.insert("c1".into(), "x".into()))), "covered and not"),
            (
                Box::new(|t| {
                    t.expected.pop();
                    t.uncovered.insert("c2".into(), " ".into());
                }),
                "empty reason",
            ),
        ];
        for (change, why) in cases {
            let mut tests = sound();
            change(&mut tests);
            let error = verdict(&tests).unwrap_err().to_string();
            assert!(error.contains(why), "{error} / {why}");
        }
    }

    #[test]
    fn waived_tests_need_a_reason_for_every_criterion() {
        let reasons = ["c1", "c2"].map(|id| (id.to_owned(), "text only".to_owned()));
        let waived = TestSet {
            files: vec![],
            expected: vec![],
            uncovered: reasons.into_iter().collect(),
            exempt: Some("text only".into()),
            ..sound()
        };
        verdict(&waived).unwrap();
        assert!(verdict(&TestSet { exempt: Some(" ".into()), ..waived.clone() }).is_err());
        assert!(verdict(&TestSet { uncovered: BTreeMap::new(), ..waived }).is_err());
    }
}
