//! Recorded runs that a command looks back on: run folders, and runs kept below a ref of the repository.
//!
//! Must never leave a run out silently: a name that fits none is an error.

use super::CommandError;
use super::args::Global;
use super::error::UsageError;
use super::session::{self, FoundRun};
use crate::artifact::id::RunId;
use crate::artifact::store::{ArtifactStore, MemoryStore};
use crate::attest::OpenRun;
use crate::ports::vcs::GitRepository;
use crate::proof::keep;

/// A recorded run.
pub struct Recorded {
    /// What it is called in tables: its id, with the state for one that was kept.
    pub name: String,
    /// Where it was found.
    pub source: String,
    /// The run.
    pub run: RunId,
    /// Its files.
    pub store: Box<dyn ArtifactStore>,
    /// True when only its small files were kept.
    pub kept: bool,
}

impl Recorded {
    fn folder(found: FoundRun) -> Self {
        Self {
            name: found.run.to_string(),
            source: found.folder.display().to_string(),
            run: found.run,
            store: Box::new(found.store),
            kept: false,
        }
    }

    fn state(run: &RunId, state: &str, at: &str, store: MemoryStore) -> Self {
        Self {
            name: format!("{run}/{state}"),
            source: at.to_owned(),
            run: run.clone(),
            store: Box::new(store),
            kept: true,
        }
    }

    /// Opens the run; what its files say is checked against its manifests.
    pub fn open(&self) -> Result<OpenRun<'_>, CommandError> {
        Ok(OpenRun::open(&self.run, self.store.as_ref(), self.kept)?)
    }
}

/// Finds runs by folder, id or the start of an id, first among run folders, then among those kept below a ref.
pub fn named(
    global: &Global,
    names: &[String],
    repository: &GitRepository,
    at: &str,
) -> Result<Vec<Recorded>, CommandError> {
    let mut runs = Vec::new();
    for name in names {
        match session::find_run(global, Some(name)) {
            Ok(found) => runs.push(Recorded::folder(found)),
            Err(error) => {
                let fits = |kept: &keep::KeptRun| {
                    let whole = format!("{}/{}", kept.run, kept.state);
                    kept.run.as_str().starts_with(name.as_str()) || whole.starts_with(name.as_str())
                };
                let found: Vec<_> = keep::kept(repository, at)?.into_iter().filter(fits).collect();
                if found.is_empty() {
                    return Err(error);
                }
                runs.extend(states(repository, at, &found)?);
            }
        }
    }
    Ok(runs)
}

/// Returns every run folder, then every kept state that no run folder is in.
pub fn all(global: &Global, repository: &GitRepository, at: &str) -> Result<Vec<Recorded>, CommandError> {
    let mut runs = Vec::new();
    for run in session::runs(global)? {
        runs.push(Recorded::folder(session::find_run(global, Some(run.as_str()))?));
    }
    let mut here = Vec::new();
    for run in &runs {
        here.push((run.run.clone(), run.open()?.state().short().to_owned()));
    }
    let others: Vec<_> = keep::kept(repository, at)?
        .into_iter()
        .filter(|kept| !here.contains(&(kept.run.clone(), kept.state.clone())))
        .collect();
    runs.extend(states(repository, at, &others)?);
    Ok(runs)
}

fn states(
    repository: &GitRepository,
    at: &str,
    wanted: &[keep::KeptRun],
) -> Result<Vec<Recorded>, CommandError> {
    let mut runs: Vec<&RunId> = wanted.iter().map(|kept| &kept.run).collect();
    runs.sort();
    runs.dedup();
    let mut found = Vec::new();
    for run in runs {
        for (state, store) in keep::states_of(repository, at, run)? {
            if wanted.iter().any(|kept| &kept.run == run && kept.state == state) {
                found.push(Recorded::state(run, &state, at, store));
            }
        }
    }
    Ok(found)
}

/// Says that runs are to be named.
pub fn nothing_named() -> UsageError {
    UsageError {
        what: "no run is named".into(),
        help: "Name runs (`orch artifacts list`, `orch runs list`), or give --all.".into(),
    }
}
