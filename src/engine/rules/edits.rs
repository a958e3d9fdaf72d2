//! The rules of edits: within the plan, on the base, and never a frozen test.
//!
//! Must never tell a file from another one by the case of its letters: some file systems do not either.

use std::collections::BTreeSet;

use crate::artifact::id::TreeId;
use crate::artifact::types::change_set::{ChangeSet, TestSet};
use crate::artifact::types::plan::{FileRole, Plan};

use super::{Base, RuleError, broken, files};

/// Checks the edits against plan, tests and base.
pub fn edits(
    changes: &ChangeSet,
    plan: &Plan,
    tests: &TestSet,
    tree: &TreeId,
    base: &Base<'_>,
) -> Result<(), RuleError> {
    if &changes.base_tree != tree {
        return Err(broken("the edits were made on another tree than the task's"));
    }
    if changes.files.is_empty() {
        return Err(broken("the engine proposes no edit at all"));
    }
    let frozen: BTreeSet<String> = tests.files.iter().map(|f| f.path.as_str().to_lowercase()).collect();
    if let Some(file) = changes.files.iter().find(|f| frozen.contains(&f.path.as_str().to_lowercase())) {
        return Err(broken(format!("`{}` is a frozen test file", file.path)));
    }
    files(&changes.files, FileRole::Change, plan, base)
}
