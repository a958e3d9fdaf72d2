//! `--fix`: what of a verdict can be mended by itself, shown or done.
//!
//! Must never change a file but by the plan that was shown, and must never say that anything is mended: it is judged again.

use std::fs;

use clap::ValueEnum;

use super::subject::Asked;
use crate::artifact::id::TreeId;
use crate::artifact::types::change_set::FileMode;
use crate::artifact::types::policy_input::SubjectKind;
use crate::artifact::types::verdict::Verdict;
use crate::cli::CommandError;
use crate::cli::args::Format;
use crate::cli::error::{IoError, UsageError};
use crate::cli::output::Output;
use crate::edit::apply::{ApplyError, apply};
use crate::edit::fix::{Files, plan};
use crate::ports::vcs::{EntryKind, GitRepository, VcsChanges as _, WorkFile};

/// What `--fix` is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Fixing {
    /// Show what would be done
    Show,
    /// Do it
    Apply,
}

/// Refuses subjects of which the files here say nothing.
pub(super) fn check(asked: &Asked) -> Result<(), UsageError> {
    match asked {
        Asked::Staged | Asked::Work => Ok(()),
        Asked::Diff(_) | Asked::PullRequest | Asked::Tree | Asked::Patch => Err(UsageError {
            what: "--fix mends what is staged or in the working tree".into(),
            help: "Use it with --staged or --work.".into(),
        }),
    }
}

/// Shows the fixes, and makes them where that was asked for.
pub(super) fn run(
    how: Fixing,
    verdict: &Verdict,
    vcs: &GitRepository,
    base: &TreeId,
    output: &Output,
) -> Result<(), CommandError> {
    let plan = plan(verdict, &Working { vcs, base });
    let done = how == Fixing::Apply;
    if done {
        let changes = plan
            .changes()
            .map_err(|error| UsageError { what: error.to_string(), help: "Mend this one by hand.".into() })?;
        let modes: Vec<_> = changes
            .iter()
            .map(|change| vcs.root().join(change.path.as_str()))
            .filter_map(|path| fs::symlink_metadata(&path).ok().map(|about| (path, about.permissions())))
            .collect();
        apply(vcs.root(), &changes).map_err(refused)?;
        for (path, mode) in modes {
            // A file nobody else may read stays one.
            fs::set_permissions(&path, mode)
                .map_err(|source| IoError { what: format!("set the mode of {}", path.display()), source })?;
        }
        vcs.unstage(&plan.unstage)?;
    }
    if output.format == Format::Human && !verdict.findings.is_empty() {
        output.print(|out| {
            writeln!(out)?;
            plan.show(done, out)
        })?;
    }
    if done && !plan.is_empty() {
        let add = if verdict.subject.kind == SubjectKind::Staged { ", add what changed" } else { "" };
        output.note(&format!("look at the changes{add}, and judge again"));
    }
    Ok(())
}

fn refused(error: ApplyError) -> UsageError {
    UsageError { what: error.to_string(), help: "Nothing was changed. Mend this one by hand.".into() }
}

/// The files of the working tree.
struct Working<'a> {
    vcs: &'a GitRepository,
    base: &'a TreeId,
}

impl Files for Working<'_> {
    fn read(&self, path: &str) -> Option<(Vec<u8>, FileMode)> {
        let about = fs::symlink_metadata(self.vcs.root().join(path)).ok().filter(fs::Metadata::is_file)?;
        let file = WorkFile { path: path.into(), kind: EntryKind::File, unread: None };
        let mut bytes = Vec::new();
        self.vcs.read_working(&file, &mut bytes).ok().filter(|there| *there)?;
        Some((bytes, mode(&about)))
    }

    fn is_committed(&self, path: &str) -> bool {
        // What cannot be told counts as committed: then nothing is done about it.
        !matches!(self.vcs.side(self.base, path.as_bytes()), Ok(None))
    }
}

#[cfg(unix)]
fn mode(about: &fs::Metadata) -> FileMode {
    use std::os::unix::fs::PermissionsExt as _;
    if about.permissions().mode() & 0o111 == 0 { FileMode::Regular } else { FileMode::Executable }
}

#[cfg(not(unix))]
fn mode(_about: &fs::Metadata) -> FileMode {
    FileMode::Regular
}
