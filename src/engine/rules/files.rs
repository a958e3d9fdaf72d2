//! The rules of changed files: planned in their role, whole, sorted, and made on this base.
//!
//! Must never trust a digest it did not compute itself.

use std::collections::BTreeSet;

use crate::artifact::digest::Digest;
use crate::artifact::types::change_set::{FileChange, FileOp};
use crate::artifact::types::plan::{FileRole, Plan};

use super::{Base, RuleError, broken};

/// Checks that files are sorted, each there once, planned in the role, whole, and made on this base.
pub fn files(changes: &[FileChange], role: FileRole, plan: &Plan, base: &Base<'_>) -> Result<(), RuleError> {
    let planned: BTreeSet<_> = plan.files.iter().filter(|f| f.role == role).map(|f| &f.path).collect();
    if let Some(pair) = changes.windows(2).find(|w| w[0].path >= w[1].path) {
        return Err(broken(format!(
            "the files are not sorted, each once: `{}` is out of place",
            pair[1].path
        )));
    }
    for file in changes {
        let path = &file.path;
        if !planned.contains(path) {
            let role = match role {
                FileRole::Test => "a test file",
                FileRole::Change => "part of the change",
            };
            return Err(broken(format!("`{path}` is not planned as {role}")));
        }
        file.bytes().map_err(|error| broken(error.to_string()))?;
        let have = base(path.as_str())?.map(Digest::of);
        if have != file.before {
            let why = match (file.op, &have) {
                (FileOp::Create, Some(_)) => "would be created, but the base has it",
                (_, None) => "would be changed, but the base has no such file",
                _ => "was made on another version of the file than the base has",
            };
            return Err(broken(format!("`{path}` {why}")));
        }
    }
    Ok(())
}
