//! Every port and engine at once, all of them forbidden: what a stage does not declare it must not touch.
#![expect(clippy::panic, reason = "panicking is what it is for")]

use std::path::Path;

use orch::artifact::id::{CommitId, TreeId};
use orch::artifact::types::change_set::{ChangeSet, TestSet};
use orch::artifact::types::manifest::Material;
use orch::artifact::types::plan::Plan;
use orch::artifact::types::task::{Base, Task};
use orch::artifact::types::verification::{Protection, Verification};
use orch::engine::{Engine, EngineError, Proposed, View};
use orch::ports::process::{Command, Outcome, ProcessError, Processes, Sandbox};
use orch::ports::vcs::{
    BranchDraft, BranchTip, CommitOutcome, ExportReport, TreeEntry, VcsError, VcsRead, VcsWrite,
};
use orch::ports::workspace::{CleanCopy, WorkspaceError, Workspaces};

/// Panics whatever it is asked.
#[derive(Clone, Copy, Debug)]
pub struct Forbidden;

impl VcsRead for Forbidden {
    fn head(&self) -> Result<Base, VcsError> {
        panic!("the stage read the repository")
    }
    fn entries(&self, _: &TreeId) -> Result<std::sync::Arc<[TreeEntry]>, VcsError> {
        panic!("the stage read the repository")
    }
    fn file(&self, _: &TreeId, _: &str) -> Result<Option<Vec<u8>>, VcsError> {
        panic!("the stage read the repository")
    }
    fn export(&self, _: &TreeId, _: &Path) -> Result<ExportReport, VcsError> {
        panic!("the stage read the repository")
    }
}

impl VcsWrite for Forbidden {
    fn trees(&self, _: &BranchDraft) -> Result<Vec<TreeId>, VcsError> {
        panic!("the stage asked for trees")
    }
    fn commit(&self, _: &BranchDraft) -> Result<CommitOutcome, VcsError> {
        panic!("the stage wrote to the repository")
    }
    fn branch(&self, _: &str) -> Result<Option<BranchTip>, VcsError> {
        panic!("the stage asked for a branch")
    }
    fn remote_branch(&self, _: &str, _: &str) -> Result<Option<CommitId>, VcsError> {
        panic!("the stage asked a remote")
    }
    fn remote_tip(&self, _: &str, _: &str) -> Result<Option<BranchTip>, VcsError> {
        panic!("the stage asked a remote")
    }
    fn push(&self, _: &str, _: &str, _: Option<&CommitId>) -> Result<(), VcsError> {
        panic!("the stage pushed")
    }
    fn remote_url(&self, _: &str) -> Result<Option<String>, VcsError> {
        panic!("the stage asked for a remote")
    }
}

impl Workspaces for Forbidden {
    fn clean_copy(&self, _: &TreeId) -> Result<Box<dyn CleanCopy>, WorkspaceError> {
        panic!("the stage made a clean copy")
    }
}

impl Processes for Forbidden {
    fn run(&self, _: &Command) -> Result<Outcome, ProcessError> {
        panic!("the stage ran a command")
    }
    fn protection(&self, _: &Sandbox) -> Result<Protection, ProcessError> {
        panic!("the stage asked for a sandbox")
    }
}

impl Engine for Forbidden {
    fn name(&self) -> &'static str {
        "forbidden"
    }
    fn materials(&self) -> Result<Vec<Material>, EngineError> {
        panic!("the stage asked an engine")
    }
    fn plan(&self, _: &View<'_>, _: &Task) -> Result<Proposed<Plan>, EngineError> {
        panic!("the stage asked an engine")
    }
    fn tests(&self, _: &View<'_>, _: &Task, _: &Plan) -> Result<TestSet, EngineError> {
        panic!("the stage asked an engine")
    }
    fn edits(
        &self,
        _: &View<'_>,
        _: &Task,
        _: &Plan,
        _: &TestSet,
        _: Option<&Verification>,
    ) -> Result<Proposed<ChangeSet>, EngineError> {
        panic!("the stage asked an engine")
    }
}
