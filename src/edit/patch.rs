//! Changes as one unified diff.

use crate::artifact::types::change_set::{ChangeError, FileChange};
use crate::diagnostic::{Class, Failure};

/// Why a patch cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum PatchError {
    /// A change contradicts itself.
    #[error(transparent)]
    Change(#[from] ChangeError),
}

impl Failure for PatchError {
    fn class(&self) -> Class {
        Class::Denied
    }
}

/// Returns the patch of changes, each with the content before.
pub fn render(changes: &[(&FileChange, Option<Vec<u8>>)]) -> Result<Vec<u8>, PatchError> {
    let mut out = String::new();
    for (change, before) in changes {
        let text = |bytes: Option<Vec<u8>>| String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned();
        let (old, new) = (text(before.clone()), text(change.bytes()?));
        let path = &change.path;
        let from = if before.is_some() { format!("a/{path}") } else { "/dev/null".into() };
        let diff = similar::TextDiff::from_lines(&old, &new);
        out.push_str(&diff.unified_diff().header(&from, &format!("b/{path}")).to_string());
    }
    Ok(out.into_bytes())
}
