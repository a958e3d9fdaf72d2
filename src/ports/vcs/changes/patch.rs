//! A patch that was given as text, applied onto a tree in memory.
//!
//! Must never take a patch for applied that does not fit, and must never write.

use std::collections::BTreeMap;

use crate::artifact::id::TreeId;
use crate::diagnostic::{Class, Failure};
use crate::edit::unified::{FilePatch, PatchFault, parse};

use super::super::{EntryKind, VcsError};
use super::{Delta, LARGEST, Side, Unread, VcsChanges};

/// A patch larger than this is not read.
pub const LARGEST_PATCH: u64 = LARGEST;

/// Why a patch has no changes to judge.
#[derive(Debug, thiserror::Error)]
pub enum PatchError {
    /// It is no patch, or does not fit.
    #[error(transparent)]
    Fault(#[from] PatchFault),
    /// It holds no change.
    #[error("the patch holds no change")]
    Empty,
    /// It is too large.
    #[error("the patch has more than {} bytes", LARGEST_PATCH)]
    Large,
    /// The repository could not be read.
    #[error(transparent)]
    Vcs(#[from] VcsError),
}

impl Failure for PatchError {
    fn class(&self) -> Class {
        match self {
            Self::Vcs(error) => error.class(),
            _ => Class::Usage,
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Vcs(error) => return error.help(),
            Self::Large => "Split it; generated and vendored files are better left out.".into(),
            Self::Empty => {
                "Give it a patch, as `git diff --binary HEAD | orch stage policy --stdin` does; nothing at all is not taken for harmless.".into()
            }
            Self::Fault(_) => {
                "Give a patch that `git apply` takes onto HEAD as it is, made by `git diff --src-prefix=a/ --dst-prefix=b/`.".into()
            }
        })
    }
}

const LINK: u32 = 0o120_000;
const SUBMODULE: u32 = 0o160_000;

/// Files as the patch has left them so far; `None` is gone.
type Now = BTreeMap<Vec<u8>, Option<Side>>;

/// Returns what a patch changes on a tree; no tree is an empty one.
pub fn of_patch(vcs: &dyn VcsChanges, tree: Option<&TreeId>, text: &[u8]) -> Result<Vec<Delta>, PatchError> {
    if text.len() as u64 > LARGEST_PATCH {
        return Err(PatchError::Large);
    }
    let files = parse(text)?;
    if files.is_empty() {
        return Err(PatchError::Empty);
    }
    let mut start: BTreeMap<Vec<u8>, Option<Side>> = BTreeMap::new();
    let mut now = Now::new();
    for file in &files {
        for path in [&file.old, &file.new].into_iter().flatten() {
            if !start.contains_key(path) {
                let side = tree.map(|tree| vcs.side(tree, path)).transpose()?.flatten();
                start.insert(path.clone(), side.clone());
                now.insert(path.clone(), side);
            }
        }
        one(file, &mut now)?;
    }
    let delta = |(path, before): (Vec<u8>, Option<Side>)| {
        let after = now.remove(&path).flatten();
        Delta { path, before, after }
    };
    Ok(start.into_iter().map(delta).filter(|delta| !delta.is_none()).collect())
}

/// Carries out the change of one file.
fn one(file: &FilePatch<'_>, now: &mut Now) -> Result<(), PatchFault> {
    let fault = |why: String| PatchFault { line: file.line, why };
    let shown = |path: &[u8]| String::from_utf8_lossy(path).into_owned();
    let old = match &file.old {
        None => None,
        Some(path) => match now.get(path).cloned().flatten() {
            Some(side) => Some(side),
            None => return Err(fault(format!("changes `{}`, which is not there", shown(path)))),
        },
    };
    if let Some(path) = &file.new
        && file.old.as_ref() != Some(path)
        && now.get(path).is_some_and(Option::is_some)
    {
        return Err(fault(format!("makes `{}`, which is there already", shown(path))));
    }
    let content = match old.as_ref().map(|side| &side.content) {
        _ if file.binary => Err(Unread::Failed("its content is binary in the patch".into())),
        Some(Err(unread)) => Err(unread.clone()),
        Some(Ok(bytes)) => Ok(file.apply(bytes)?),
        None => Ok(file.apply(b"")?),
    };
    if let (Some(path), false) = (&file.old, file.copy) {
        now.insert(path.clone(), None);
    }
    if let Some(path) = &file.new {
        let kind = match file.new_mode.map(|mode| (mode & 0o170_000, mode & 0o111 != 0)) {
            None => old.map_or(EntryKind::File, |side| side.kind),
            Some((LINK, _)) => EntryKind::Link,
            Some((SUBMODULE, _)) => EntryKind::Submodule,
            Some((_, true)) => EntryKind::Executable,
            Some((_, false)) => EntryKind::File,
        };
        let content =
            if kind == EntryKind::Submodule { Err(Unread::Submodule { commit: None }) } else { content };
        now.insert(path.clone(), Some(Side { kind, content }));
    }
    Ok(())
}
