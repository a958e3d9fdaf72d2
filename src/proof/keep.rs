//! A run's small files, kept with the repository below a ref of their own, so that a commit can be looked into years later.
//!
//! Kept are manifests, the verdict, both reports, the task, the approval, the pull request, of a release what was known, decided
//! and done, and the signed statements; no log, no record, no source. Each state of a run has a folder of its own: `<run>/<state>/`. Must never change what was kept.

use crate::artifact::chain::{is_statement, manifest_of, split_round};
use crate::artifact::id::RunId;
use crate::artifact::kind::slot;
use crate::artifact::store::{ArtifactStore, MemoryStore, StoreError};
use crate::attest::{Bundle, OpenRun};
use crate::ports::vcs::{Added, Signature, VcsError, VcsRecords};

/// Files of a run that are kept, besides manifests and statements.
const KEPT: &[&str] = &[
    slot::TASK.path,
    slot::RED.path,
    slot::GREEN.path,
    slot::VERDICT.path,
    slot::APPROVAL.path,
    slot::PULL_REQUEST.path,
    slot::RELEASE_EVIDENCE.path,
    slot::RELEASE_DECISION.path,
    slot::PROMOTION.path,
    slot::ROLLBACK.path,
    slot::REVERT_TEXT.path,
    slot::ROLLBACK_RUN.path,
];

/// A run that is kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct KeptRun {
    /// The run.
    pub run: RunId,
    /// Which state of it: the digest of its manifests' seals, shortened.
    pub state: String,
    /// How many files.
    pub files: usize,
}

/// Why a run is not kept.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// The run folder cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The ref cannot be read or written.
    #[error(transparent)]
    Vcs(#[from] VcsError),
    /// The run is not what it was.
    #[error("the run is not kept: {0}")]
    Broken(String),
}

impl crate::diagnostic::Failure for KeepError {
    fn class(&self) -> crate::diagnostic::Class {
        match self {
            Self::Store(error) => error.class(),
            Self::Vcs(error) => error.class(),
            Self::Broken(_) => crate::diagnostic::Class::Denied,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Store(error) => error.help(),
            Self::Vcs(error) => error.help(),
            Self::Broken(_) => Some("`orch artifacts verify` names what is wrong.".into()),
        }
    }
}

fn is_kept(path: &str, document: bool) -> bool {
    let slot = split_round(path).1;
    let kept = KEPT.contains(&slot) || (document && slot == slot::POLICY_INPUT.path);
    kept || manifest_of(path).is_some() || is_statement(path)
}

/// Tells whether two certificates are of the same workflow's word: a job that is run again signs it anew, with other bytes.
fn same_word(kept: &[u8], new: &[u8]) -> bool {
    let read = |bytes: &[u8]| {
        let bundle = Bundle::parse("", bytes).ok().filter(Bundle::has_certificate)?;
        bundle.statement("").ok()
    };
    match (read(kept), read(new)) {
        (Some(kept), Some(new)) => kept == new,
        _ => false,
    }
}

/// Keeps a run; the same run again adds nothing, and statements signed since are added.
///
/// With `document`, what rules judged is kept too, added lines of the change included: later rules can judge it again.
pub fn keep(
    records: &dyn VcsRecords,
    at: &str,
    run: &OpenRun<'_>,
    author: &Signature,
    document: bool,
) -> Result<Added, KeepError> {
    if let Some(first) = run.chain.breaks.first() {
        return Err(KeepError::Broken(first.to_string()));
    }
    if run.chain.manifests.is_empty() {
        return Err(KeepError::Broken("no stage of it is finished".into()));
    }
    let state = run.state();
    let mut files = Vec::new();
    for path in run.store.list()?.into_iter().filter(|path| is_kept(path, document)) {
        let bytes = run.store.read(&path)?.unwrap_or_default();
        let place = format!("{}/{}/{path}", run.run, state.short());
        if is_statement(&path) && records.record(at, &place)?.is_some_and(|kept| same_word(&kept, &bytes)) {
            continue;
        }
        files.push((place, bytes));
    }
    let message = format!("chore: keep the run {}\n\nOrch-Run: {}\nOrch-State: {state}\n", run.run, run.run);
    Ok(records.add_records(at, &files, &message, author)?)
}

/// Returns what is kept, by run and state.
pub fn kept(records: &dyn VcsRecords, at: &str) -> Result<Vec<KeptRun>, VcsError> {
    let mut found: Vec<KeptRun> = Vec::new();
    for path in records.record_paths(at)? {
        let mut parts = path.splitn(3, '/');
        let (Some(run), Some(state), Some(_)) = (parts.next(), parts.next(), parts.next()) else { continue };
        let Ok(run) = run.parse::<RunId>() else { continue };
        match found.iter_mut().find(|kept| kept.run == run && kept.state == state) {
            Some(kept) => kept.files += 1,
            None => found.push(KeptRun { run, state: state.to_owned(), files: 1 }),
        }
    }
    Ok(found)
}

/// Returns the files of every kept state of a run.
pub fn states_of(
    records: &dyn VcsRecords,
    at: &str,
    run: &RunId,
) -> Result<Vec<(String, MemoryStore)>, KeepError> {
    let prefix = format!("{run}/");
    let mut states: Vec<(String, MemoryStore)> = Vec::new();
    for path in records.record_paths(at)? {
        let Some((state, file)) = path.strip_prefix(&prefix).and_then(|rest| rest.split_once('/')) else {
            continue;
        };
        let bytes = records.record(at, &path)?.unwrap_or_default();
        if states.iter().all(|(name, _)| name != state) {
            states.push((state.to_owned(), MemoryStore::default()));
        }
        if let Some((_, store)) = states.iter().find(|(name, _)| name == state) {
            store.write(file, &bytes)?;
        }
    }
    Ok(states)
}
