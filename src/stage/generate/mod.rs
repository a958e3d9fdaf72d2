//! `generate`: the edits are made.
//!
//! Must never let an edit touch a frozen test, or a file the plan does not name.

use crate::agent::context::TreeSource;
use crate::artifact::id::{Round, StageId, TreeId};
use crate::artifact::kind::slot;
use crate::artifact::types::change_set::{ChangeSet, FileChange, FileMode, TestSet};
use crate::artifact::types::manifest::Material;
use crate::artifact::types::plan::Plan;
use crate::artifact::types::task::Task;
use crate::artifact::types::verification::{Verification, VerificationOutcome};
use crate::diagnostic::Class;
use crate::diagnostic::text::count;
use crate::edit::patch::{self, Before};
use crate::engine::View;
use crate::engine::rules::{self, Base};

use super::proposal::{by_rule, check_paths, discussed, refused};
use super::spec::{EffectKind, Input, Permission, StageSpec};
use super::{Finished, Inputs, Outputs, Stage, StageContext, StageError};

/// What the stage declares.
pub static SPEC: StageSpec = StageSpec {
    id: StageId::Generate,
    version: 3,
    summary: "Makes the edits",
    about: "Asks the engine for edits that make the failing tests pass; in later rounds with the report and \
            the edits of the round before. It refuses files the plan does not name, the frozen tests, paths the config forbids, and edits made \
            on another base. The patch beside the edits shows tests and edits together, for `git apply`.",
    inputs: &[
        Input::required(slot::TASK),
        Input::required(slot::PLAN),
        Input::required(slot::TESTS),
        Input::required(slot::RED),
        Input::feedback(slot::GREEN),
        Input::feedback(slot::EDITS),
    ],
    outputs: &[slot::EDITS, slot::PATCH],
    may_write: &[slot::EDITS_MESSAGES, slot::EDITS_ESCALATION],
    effects: &[EffectKind::RepositoryRead, EffectKind::Model],
    config: &["engine", "models", "templates", "paths"],
    permissions: &[Permission::ContentsRead],
    exits: &[3, 5, 6, 7, 78],
};

/// The stage.
pub struct Generate;

impl Stage for Generate {
    fn spec(&self) -> &'static StageSpec {
        &SPEC
    }

    fn materials(&self, cx: &StageContext<'_>) -> Result<Vec<Material>, StageError> {
        Ok(cx.engine()?.materials()?)
    }

    fn run(&self, cx: &StageContext<'_>, inputs: &Inputs) -> Result<Finished, StageError> {
        let task: Task = inputs.get(slot::TASK)?;
        let plan: Plan = inputs.get(slot::PLAN)?;
        let tests: TestSet = inputs.get(slot::TESTS)?;
        let red: Verification = inputs.get(slot::RED)?;
        check_red(&red)?;
        let feedback: Option<Verification> = inputs.find(slot::GREEN)?;
        check_round(cx.round, feedback.as_ref())?;
        let note = |line| cx.note(line);
        let earlier: Option<ChangeSet> = inputs.find(slot::EDITS)?;
        let view = View {
            calls: cx.calls()?,
            note: &note,
            vcs: cx.vcs()?,
            tree: &task.base.tree,
            earlier: earlier.as_ref(),
        };
        let proposed = cx.engine()?.edits(&view, &task, &plan, &tests, feedback.as_ref())?;
        let Some(edits) = &proposed.value else {
            return discussed(&proposed, slot::EDITS_MESSAGES, slot::EDITS_ESCALATION, Outputs::default());
        };
        let base = |path: &str| view.vcs.file(view.tree, path);
        check(edits, &plan, &tests, view.tree, &base)?;
        check_paths(&edits.files, &cx.config.paths)?;
        let source = TreeSource::of(view.vcs, view.tree)?;
        let mode = |path: &str| source.mode(path);
        let patch = patch_of(&tests.files, &edits.files, &base, &mode)?;
        cx.note(count(edits.files.len(), "file"));
        let mut outputs = Outputs::default();
        outputs.put(slot::EDITS, edits)?;
        outputs.put_bytes(slot::PATCH, patch);
        discussed(&proposed, slot::EDITS_MESSAGES, slot::EDITS_ESCALATION, outputs)
    }
}

/// Edits are made for tests that were seen to fail, and for nothing else.
fn check_red(red: &Verification) -> Result<(), StageError> {
    if red.outcome != VerificationOutcome::Failed {
        return Ok(());
    }
    Err(StageError::Refused {
        class: Class::TestsFailed,
        what: "the red phase did not show that the tests fail for the missing behaviour".into(),
        help: "Read `build-test/red.json`; it has the reasons.".into(),
    })
}

/// A later round answers a report; without one it would only repeat itself.
fn check_round(round: Round, feedback: Option<&Verification>) -> Result<(), StageError> {
    if round == Round::FIRST || feedback.is_some() {
        return Ok(());
    }
    Err(StageError::MissingInput { path: slot::GREEN.path.into() })
}

/// Checks the edits against plan, tests and base; the pure part of the stage.
pub fn check(
    edits: &ChangeSet,
    plan: &Plan,
    tests: &TestSet,
    tree: &TreeId,
    base: &Base<'_>,
) -> Result<(), StageError> {
    rules::edits(edits, plan, tests, tree, base).map_err(by_rule)
}

/// Returns tests and edits as one patch against the base, whose modes `mode` tells.
fn patch_of(
    tests: &[FileChange],
    edits: &[FileChange],
    base: &Base<'_>,
    mode: &dyn Fn(&str) -> FileMode,
) -> Result<Vec<u8>, StageError> {
    let mut files: Vec<&FileChange> = tests.iter().chain(edits).collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let mut changes = Vec::with_capacity(files.len());
    for file in files {
        let path = file.path.as_str();
        changes.push((file, base(path)?.map(|bytes| Before { bytes, mode: mode(path) })));
    }
    patch::render_from(&changes).map_err(|error| refused(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::proposal::tests::{base, plan, write};

    fn tree() -> TreeId {
        "b".repeat(40).parse().unwrap()
    }

    fn frozen() -> TestSet {
        TestSet {
            base_tree: tree(),
            files: vec![write("tests/test_x.py", None, "x")],
            expected: vec![],
            uncovered: std::collections::BTreeMap::new(),
            exempt: None,
        }
    }

    #[test]
    fn sound_edits_pass_and_every_fault_is_refused() {
        let edits = |files: Vec<FileChange>| ChangeSet { base_tree: tree(), files };
        let verdict = |edits: &ChangeSet| check(edits, &plan(), &frozen(), &tree(), &base);
        verdict(&edits(vec![write("new.py", None, "n"), write("old.py", Some("old"), "o")])).unwrap();
        for (files, why) in [
            (vec![], "no edit"),
            (vec![write("tests/test_x.py", None, "y")], "frozen test file"),
            (vec![write("Tests/Test_X.py", None, "y")], "frozen test file"),
            (vec![write("third.py", None, "y")], "not planned"),
            (vec![write("old.py", Some("other"), "y")], "another version"),
            (vec![write("old.py", Some("old"), "a"), write("old.py", Some("old"), "b")], "sorted"),
        ] {
            let error = verdict(&edits(files)).unwrap_err().to_string();
            assert!(error.contains(why), "{error} / {why}");
        }
        let moved =
            ChangeSet { base_tree: "c".repeat(40).parse().unwrap(), files: vec![write("new.py", None, "n")] };
        assert!(verdict(&moved).unwrap_err().to_string().contains("another tree"));
    }

    #[test]
    fn later_rounds_need_a_report() {
        assert!(check_round(Round::FIRST, None).is_ok());
        assert!(check_round(Round::FIRST.next(), None).is_err());
    }

    #[test]
    fn the_patch_shows_tests_and_edits() {
        let patch_over = |mode| {
            let edits = [write("old.py", Some("old"), "older\n")];
            let patch = patch_of(&frozen().files, &edits, &base, &|_| mode).unwrap();
            String::from_utf8(patch).unwrap()
        };
        let text = patch_over(FileMode::Regular);
        assert!(!text.contains("old mode"), "{text}");
        let moded = patch_over(FileMode::Executable);
        assert!(moded.contains("old mode 100755\nnew mode 100644\n"), "{moded}");
        assert!(
            text.contains("b/tests/test_x.py") && text.contains("-old") && text.contains("+older"),
            "{text}"
        );
    }
}
