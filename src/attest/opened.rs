//! A run, read once: its chain, and the newest file of each slot that a manifest vouches for.
//!
//! Must never hand out bytes whose digest is another than the manifest says.

use crate::artifact::chain::{Chain, is_statement};
use crate::artifact::digest::Digest;
use crate::artifact::envelope::{Artifact, Envelope};
use crate::artifact::id::{Round, RunId, StageId};
use crate::artifact::kind::{Slot, StageFile, slot};
use crate::artifact::store::{ArtifactStore, StoreError};
use crate::artifact::types::manifest::{Manifest, OutputRef};
use crate::artifact::types::tape::Header;
use crate::stage::{Inputs, Loaded};

/// A run, read once.
pub struct OpenRun<'a> {
    /// The run.
    pub run: &'a RunId,
    /// Its files.
    pub store: &'a dyn ArtifactStore,
    /// What its manifests tell.
    pub chain: Chain,
    /// True when only the small files of the run were kept.
    pub kept: bool,
}

/// Why a file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lacking {
    /// No finished stage wrote it.
    Unwritten(String),
    /// A manifest vouches for it, and it was not kept.
    NotKept(String),
    /// It is there and not what it should be.
    Wrong(String),
}

impl std::fmt::Display for Lacking {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (Self::Unwritten(why) | Self::NotKept(why) | Self::Wrong(why)) = self;
        f.write_str(why)
    }
}

impl<'a> OpenRun<'a> {
    /// Reads a run; with `kept`, files may be missing.
    pub fn open(run: &'a RunId, store: &'a dyn ArtifactStore, kept: bool) -> Result<Self, StoreError> {
        let chain = if kept { Chain::read_kept(store, run)? } else { Chain::read(store, run)? };
        Ok(Self { run, store, chain, kept })
    }

    /// Returns the newest file at a path, with the manifest that vouches for it.
    pub fn find(&self, path: &str) -> Option<(&Manifest, &OutputRef)> {
        self.chain.newest(path, self.chain.last_round())
    }

    /// Returns the digest of the newest file at a path, as its manifest says.
    pub fn digest(&self, slot: Slot) -> Option<&Digest> {
        self.find(slot.path).map(|(_, file)| &file.digest)
    }

    /// Returns the newest file at a path.
    pub fn loaded(&self, slot: Slot) -> Result<Loaded, Lacking> {
        let path = slot.path;
        let Some((_, file)) = self.find(path) else {
            return Err(Lacking::Unwritten(format!("the run has no `{path}`")));
        };
        let bytes = match self.store.read(&file.path) {
            Err(error) => return Err(Lacking::Wrong(error.to_string())),
            Ok(None) if self.kept => {
                return Err(Lacking::NotKept(format!("`{}` was not kept", file.path)));
            }
            Ok(None) => return Err(Lacking::Wrong(format!("`{}` is missing", file.path))),
            Ok(Some(bytes)) => bytes,
        };
        if Digest::of(&bytes) != file.digest {
            return Err(Lacking::Wrong(format!("`{}` is not what its manifest says", file.path)));
        }
        Ok(Loaded { path: file.path.clone(), digest: file.digest.clone(), bytes })
    }

    /// Returns the envelope of the newest file at a path.
    pub fn envelope<T: Artifact>(&self, slot: Slot) -> Result<Envelope<T>, Lacking> {
        let loaded = self.loaded(slot)?;
        Envelope::from_bytes(&loaded.bytes)
            .map_err(|error| Lacking::Wrong(format!("`{}`: {error}", loaded.path)))
    }

    /// Returns the body of the newest file at a path.
    pub fn body<T: Artifact>(&self, slot: Slot) -> Result<T, Lacking> {
        self.envelope(slot).map(|envelope| envelope.body)
    }

    /// Returns files as a stage gets them.
    pub fn inputs(&self, slots: &[Slot]) -> Result<Inputs, Lacking> {
        let mut inputs = Inputs::default();
        for slot in slots {
            inputs.insert(*slot, self.loaded(*slot)?);
            if let Some((manifest, _)) = self.find(slot.path) {
                inputs.vouch(*slot, manifest.link_digest.clone());
            }
        }
        Ok(inputs)
    }

    /// Returns what a finished stage was started with, as the first line of its tape says.
    pub fn header(&self, stage: StageId, round: Round) -> Result<Header, Lacking> {
        let path = StageFile::Tape.path(stage, round);
        let sealed = |m: &Manifest| m.records.iter().any(|record| record.path == path);
        if !self.chain.manifest(stage, round).is_some_and(sealed) {
            return Err(Lacking::Unwritten(format!("the run has no `{path}`")));
        }
        let bytes = match self.store.read(&path) {
            Err(error) => return Err(Lacking::Wrong(error.to_string())),
            Ok(None) if self.kept => return Err(Lacking::NotKept(format!("`{path}` was not kept"))),
            Ok(None) => return Err(Lacking::Wrong(format!("`{path}` is missing"))),
            Ok(Some(bytes)) => bytes,
        };
        let first = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
        serde_json::from_slice(first)
            .map_err(|error| Lacking::Wrong(format!("`{path}` has no readable header: {error}")))
    }

    /// Tells whether the run is no change but the way of a release.
    pub fn is_release(&self) -> bool {
        self.last(StageId::ReleaseGate).is_some() && self.last(StageId::Intake).is_none()
    }

    /// Returns the manifest of a stage in its last round.
    pub fn last(&self, stage: StageId) -> Option<&Manifest> {
        self.chain.bodies().filter(|m| m.link.stage == stage).max_by_key(|m| m.link.round)
    }

    /// Returns the files with statements about the run, by path.
    pub fn statements(&self) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        let paths = self.store.list()?.into_iter().filter(|path| is_statement(path));
        paths.map(|path| Ok((path.clone(), self.store.read(&path)?.unwrap_or_default()))).collect()
    }

    /// Returns the digest of the run as it stands: over the seals of all manifests.
    pub fn state(&self) -> Digest {
        let seals: Vec<&str> = self.chain.bodies().map(|m| m.seal.as_str()).collect();
        Digest::of(seals.join("\n"))
    }

    /// Tells whether a pull request was written.
    pub fn has_pull_request(&self) -> bool {
        self.find(slot::PULL_REQUEST.path).is_some()
    }
}
