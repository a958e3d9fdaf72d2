//! What the earlier stages left, checked to belong together.
//!
//! Must never let through a change other than the one that was tested and judged.

use crate::artifact::digest::Digest;
use crate::artifact::envelope::{Artifact, Envelope, FileRef};
use crate::artifact::kind::{Slot, slot};
use crate::artifact::types::change_set::{ChangeSet, TestSet};
use crate::artifact::types::plan::Plan;
use crate::artifact::types::pull_request::Provenance;
use crate::artifact::types::task::Task;
use crate::artifact::types::verdict::{Decision, Verdict};
use crate::artifact::types::verification::{Phase, Verification, VerificationOutcome};
use crate::diagnostic::Class;
use crate::stage::{Inputs, StageError};

/// Everything a pull request is made from.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// What was asked.
    pub task: Task,
    /// How it was to be done.
    pub plan: Plan,
    /// The tests.
    pub tests: TestSet,
    /// The tests on the base.
    pub red: Verification,
    /// The edits.
    pub edits: ChangeSet,
    /// Everything with the edits.
    pub green: Verification,
    /// What policy decided.
    pub verdict: Verdict,
    /// The digests of the files.
    pub provenance: Provenance,
    /// The digest of the manifest's link that vouches for the verdict, where it is known.
    pub link: Option<Digest>,
}

impl Evidence {
    /// Loads the inputs and checks that they are one chain with a good end.
    pub fn load(inputs: &Inputs) -> Result<Self, StageError> {
        check_chain(inputs)?;
        let digest = |slot| inputs.file(slot).map(|file| file.digest.clone());
        let evidence = Self {
            task: inputs.get(slot::TASK)?,
            plan: inputs.get(slot::PLAN)?,
            tests: inputs.get(slot::TESTS)?,
            red: inputs.get(slot::RED)?,
            edits: inputs.get(slot::EDITS)?,
            green: inputs.get(slot::GREEN)?,
            verdict: inputs.get(slot::VERDICT)?,
            provenance: Provenance {
                task: digest(slot::TASK)?,
                tests: digest(slot::TESTS)?,
                edits: digest(slot::EDITS)?,
                report: digest(slot::GREEN)?,
                verdict: digest(slot::VERDICT)?,
            },
            link: inputs.link(slot::VERDICT).cloned(),
        };
        evidence.check_verdict()?;
        evidence.check_phases()?;
        evidence.check_frozen()?;
        Ok(evidence)
    }

    fn check_verdict(&self) -> Result<(), StageError> {
        let verdict = &self.verdict;
        let asked = verdict.findings.iter().map(|f| f.effect.decision()).max().unwrap_or(Decision::Allow);
        if verdict.decision < asked {
            return Err(denied("the verdict is milder than its own findings"));
        }
        if verdict.decision == Decision::Deny {
            let first = verdict.findings.iter().find(|f| f.effect.decision() == Decision::Deny);
            let why = first.map_or_else(String::new, |f| format!(" ({})", f.code));
            let what = format!("policy denies the change{why}");
            let help =
                "Read the findings in policy/verdict.json, change what they name and run again.".into();
            return Err(StageError::Refused { class: Class::Denied, what, help });
        }
        Ok(())
    }

    fn check_phases(&self) -> Result<(), StageError> {
        let commit = &self.task.base.commit;
        for (report, phase, name) in [(&self.red, Phase::Red, "red"), (&self.green, Phase::Green, "green")] {
            if report.phase != phase || &report.base != commit {
                return Err(denied(&format!("the {name} report is of another phase or base")));
            }
            let exempt = report.outcome == VerificationOutcome::Exempt && self.tests.exempt.is_some();
            if report.outcome != VerificationOutcome::Passed && !exempt {
                return Err(StageError::Refused {
                    class: Class::TestsFailed,
                    what: format!("the {name} phase did not pass"),
                    help: "Read its report and log in build-test, then run again.".into(),
                });
            }
        }
        if self.tests.base_tree != self.task.base.tree {
            return Err(denied("the tests were written for another base"));
        }
        Ok(())
    }

    fn check_frozen(&self) -> Result<(), StageError> {
        let frozen = |edit: &&crate::artifact::types::change_set::FileChange| {
            self.tests.files.iter().any(|test| test.path == edit.path)
        };
        match self.edits.files.iter().find(frozen) {
            Some(edit) => Err(denied(&format!("the edits change the frozen test `{}`", edit.path))),
            None if self.edits.files.is_empty() && self.tests.files.is_empty() => Err(StageError::Refused {
                class: Class::Nothing,
                what: "the change holds no file".into(),
                help: "There is nothing to make a branch of.".into(),
            }),
            None => Ok(()),
        }
    }
}

fn denied(what: &str) -> StageError {
    StageError::Refused {
        class: Class::Denied,
        what: what.to_owned(),
        help: "Run `orch artifacts verify` on the run; start it again if a file was changed.".into(),
    }
}

/// Checks that each file was made from the very files that lie here.
fn check_chain(inputs: &Inputs) -> Result<(), StageError> {
    made_from::<TestSet>(inputs, slot::TESTS, &[slot::TASK, slot::PLAN])?;
    made_from::<Verification>(inputs, slot::RED, &[slot::TESTS])?;
    made_from::<ChangeSet>(inputs, slot::EDITS, &[slot::PLAN, slot::TESTS])?;
    made_from::<Verification>(inputs, slot::GREEN, &[slot::TESTS, slot::EDITS])?;
    let judged = &[slot::TASK, slot::PLAN, slot::TESTS, slot::RED, slot::EDITS, slot::GREEN];
    made_from::<Verdict>(inputs, slot::VERDICT, judged)
}

/// Checks that the file of `slot` says it was made from the files of `sources` as they are now.
pub(in crate::stage) fn made_from<T: Artifact>(
    inputs: &Inputs,
    slot: Slot,
    sources: &[Slot],
) -> Result<(), StageError> {
    let file = inputs.file(slot)?;
    if Digest::of(&file.bytes) != file.digest {
        return Err(denied(&format!("`{}` is not the file its digest names", file.path)));
    }
    let envelope = Envelope::<T>::from_bytes(&file.bytes)
        .map_err(|source| StageError::BadArtifact { path: file.path.clone(), source })?;
    for source in sources {
        let source = inputs.file(*source)?;
        let known = envelope.inputs.iter().find(|made_from: &&FileRef| made_from.path == source.path);
        if known.is_none_or(|made_from| made_from.digest != source.digest) {
            return Err(denied(&format!("`{}` was not made from this `{}`", file.path, source.path)));
        }
    }
    Ok(())
}
