//! The real observer of a session: files of the checkout, a metrics server, the repository and its run folders.
//!
//! Must never do more than hand on.

use std::fs;
use std::path::PathBuf;

use crate::artifact::id::{CommitId, RunId};
use crate::artifact::path::RepoPath;
use crate::artifact::store::{ArtifactStore, DirStore};
use crate::artifact::types::release::ChangeRun;
use crate::attest::{OpenRun, PublicKey};
use crate::ports::observe::{CommitSeen, DiskFiles, Observe, Point, Prometheus, Question, Seen, Unseen};
use crate::ports::vcs::{GitRepository, RECORDS};
use crate::proof::{Case, behind, keep};

/// The real observer.
pub struct Observer {
    files: DiskFiles,
    metrics: Prometheus,
    repository: GitRepository,
    artifacts: PathBuf,
    keys: Vec<String>,
}

impl Observer {
    /// Returns the observer of a checkout; `keys` are files with public keys below its root.
    pub fn new(
        repository: GitRepository,
        artifacts: PathBuf,
        metrics: Prometheus,
        keys: Vec<String>,
    ) -> Self {
        let files = DiskFiles::new(repository.root().to_owned());
        Self { files, metrics, repository, artifacts, keys }
    }

    fn keys(&self) -> Seen<Vec<PublicKey>> {
        let one = |path: &String| {
            let at: RepoPath =
                path.parse().map_err(|error| Unseen::new(format!("the key `{path}`: {error}")))?;
            let bytes =
                self.files.read(&at)?.ok_or_else(|| Unseen::new(format!("there is no key `{path}`")))?;
            PublicKey::from_pem(&String::from_utf8_lossy(&bytes), path)
                .map_err(|error| Unseen::new(error.to_string()))
        };
        self.keys.iter().map(one).collect()
    }

    fn prove(&self, run: &RunId, store: &dyn ArtifactStore, kept: bool) -> Seen<ChangeRun> {
        let keys = self.keys()?;
        let opened = OpenRun::open(run, store, kept).map_err(|error| Unseen::new(error.to_string()))?;
        Ok(behind::change_run(&Case { opened, repository: Some(&self.repository), head: None, keys: &keys }))
    }
}

impl Observe for Observer {
    fn file(&self, path: &RepoPath) -> Seen<Option<Vec<u8>>> {
        self.files.read(path)
    }

    fn points(&self, question: &Question) -> Seen<Vec<Point>> {
        self.metrics.points(question)
    }

    fn commits(&self, since: Option<&CommitId>, until: &CommitId) -> Seen<Vec<CommitSeen>> {
        behind::commits(&self.repository, since, until)
    }

    fn is_on_branch(&self, commit: &CommitId, branch: &str) -> Seen<bool> {
        behind::is_on_branch(&self.repository, commit, branch)
    }

    fn change(&self, run: &RunId) -> Seen<Option<ChangeRun>> {
        let folder = self.artifacts.join(run.as_str());
        if fs::symlink_metadata(&folder).is_ok_and(|found| found.is_dir()) {
            return self.prove(run, &DirStore::new(&folder), false).map(Some);
        }
        let states = keep::states_of(&self.repository, RECORDS, run)
            .map_err(|error| Unseen::new(error.to_string()))?;
        states.last().map(|(_, store)| self.prove(run, store, true)).transpose()
    }
}
