//! `test-write`: the acceptance tests are written, before the change and apart from it.
//!
//! Must never let a criterion go without a test or a reason, and must never touch a file of the change.

use std::collections::{BTreeMap, BTreeSet};

use crate::artifact::id::{StageId, TreeId};
use crate::artifact::kind::slot;
use crate::artifact::types::change_set::TestSet;
use crate::artifact::types::manifest::Material;
use crate::artifact::types::plan::{FileRole, Plan};
use crate::artifact::types::task::Task;
use crate::diagnostic::text::count;
use crate::engine::View;

use super::proposal::{Base, check_files, check_paths, refused};
use super::spec::{EffectKind, Input, Permission, StageSpec};
use super::{Finished, Inputs, Outputs, Stage, StageContext, StageError};

/// What the stage declares.
pub static SPEC: StageSpec = StageSpec {
    id: StageId::TestWrite,
    version: 1,
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
        let view = View { calls: cx.calls()?, note: &note, vcs: cx.vcs()?, tree: &task.base.tree };
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
    if &tests.base_tree != tree {
        return Err(refused("the tests were made on another tree than the task's"));
    }
    check_files(&tests.files, FileRole::Test, plan, base)?;
    check_expected(tests)?;
    check_criteria(tests, plan)
}

fn check_expected(tests: &TestSet) -> Result<(), StageError> {
    match (&tests.exempt, tests.expected.is_empty()) {
        (Some(why), _) if why.trim().is_empty() => {
            return Err(refused("the tests are waived without a reason"));
        }
        (Some(_), false) => return Err(refused("the tests are waived, and there are some")),
        (None, true) => return Err(refused("there is no test that must fail first, and no reason why not")),
        _ => {}
    }
    let mut contents = BTreeMap::new();
    for file in &tests.files {
        let bytes = file.bytes().map_err(|error| refused(error.to_string()))?.unwrap_or_default();
        contents.insert(&file.path, String::from_utf8_lossy(&bytes).into_owned());
    }
    let mut seen = BTreeSet::new();
    for test in &tests.expected {
        let (path, name) = (&test.path, &test.name);
        let text = contents
            .get(path)
            .ok_or_else(|| refused(format!("the test `{name}` is in `{path}`, which is not written")))?;
        if name.trim().is_empty() || !text.contains(name.as_str()) {
            return Err(refused(format!("`{path}` has no test `{name}`")));
        }
        if !seen.insert((path, name)) {
            return Err(refused(format!("the test `{name}` of `{path}` is named twice")));
        }
        if test.criteria.is_empty() {
            return Err(refused(format!("the test `{name}` covers no criterion")));
        }
    }
    Ok(())
}

fn check_criteria(tests: &TestSet, plan: &Plan) -> Result<(), StageError> {
    let known: BTreeSet<&str> = plan.criteria.iter().map(|c| c.id.as_str()).collect();
    let covered: BTreeSet<&str> =
        tests.expected.iter().flat_map(|t| &t.criteria).map(String::as_str).collect();
    let reasoned: BTreeSet<&str> = tests.uncovered.keys().map(String::as_str).collect();
    if let Some(id) = covered.union(&reasoned).find(|id| !known.contains(*id)) {
        return Err(refused(format!("the plan has no criterion `{id}`")));
    }
    if let Some(id) = covered.intersection(&reasoned).next() {
        return Err(refused(format!("the criterion `{id}` is said to be covered and not to be")));
    }
    if let Some(id) = known.iter().find(|id| !covered.contains(*id) && !reasoned.contains(*id)) {
        return Err(refused(format!("the criterion `{id}` has neither a test nor a reason why not")));
    }
    match tests.uncovered.iter().find(|(_, why)| why.trim().is_empty()) {
        Some((id, _)) => Err(refused(format!("the criterion `{id}` has an empty reason"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
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
