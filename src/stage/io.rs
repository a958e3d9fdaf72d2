//! What goes into a stage and what comes out: values, never files.

use std::collections::BTreeMap;

use crate::artifact::digest::Digest;
use crate::artifact::envelope::{Artifact, Envelope, EnvelopeError};
use crate::artifact::kind::Slot;

use super::StageError;

/// A file of the run, checked against the manifest that vouches for it.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The path in the run folder.
    pub path: String,
    /// The digest of its bytes.
    pub digest: Digest,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// The files a stage reads, by slot path.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    files: BTreeMap<&'static str, Loaded>,
    links: BTreeMap<&'static str, Digest>,
}

impl Inputs {
    /// Adds a file.
    pub fn insert(&mut self, slot: Slot, loaded: Loaded) {
        self.files.insert(slot.path, loaded);
    }

    /// Notes the digest of the manifest's link that vouches for a file.
    pub fn vouch(&mut self, slot: Slot, link: Digest) {
        self.links.insert(slot.path, link);
    }

    /// Returns the digest of the manifest's link that vouches for a file, where the runner read it.
    pub fn link(&self, slot: Slot) -> Option<&Digest> {
        self.links.get(slot.path)
    }

    /// Returns the files, by path.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Loaded)> {
        self.files.iter().map(|(path, loaded)| (*path, loaded))
    }

    /// Returns the body of a required JSON file.
    pub fn get<T: Artifact>(&self, slot: Slot) -> Result<T, StageError> {
        self.find(slot)?.ok_or_else(|| StageError::MissingInput { path: slot.path.into() })
    }

    /// Returns the body of a JSON file if the run has it.
    pub fn find<T: Artifact>(&self, slot: Slot) -> Result<Option<T>, StageError> {
        let Some(file) = self.files.get(slot.path) else { return Ok(None) };
        match Envelope::<T>::from_bytes(&file.bytes) {
            Ok(envelope) => Ok(Some(envelope.body)),
            Err(source) => Err(StageError::BadArtifact { path: file.path.clone(), source }),
        }
    }

    /// Returns a file as it is.
    pub fn file(&self, slot: Slot) -> Result<&Loaded, StageError> {
        self.files.get(slot.path).ok_or_else(|| StageError::MissingInput { path: slot.path.into() })
    }
}

/// One output: a JSON body that the runner will envelope, or bytes.
#[derive(Clone, Debug)]
pub enum Output {
    /// The body of a JSON artifact.
    Body(serde_json::Value),
    /// The bytes of any other file.
    Bytes(Vec<u8>),
}

/// The files a stage writes, by slot path.
#[derive(Clone, Debug, Default)]
pub struct Outputs {
    files: BTreeMap<&'static str, (Slot, Output)>,
}

impl Outputs {
    /// Adds a JSON artifact.
    pub fn put<T: Artifact>(&mut self, slot: Slot, body: &T) -> Result<(), StageError> {
        debug_assert_eq!(slot.kind, T::KIND, "slot and type disagree");
        let body = serde_json::to_value(body).map_err(|source| StageError::BadArtifact {
            path: slot.path.into(),
            source: EnvelopeError::Unreadable { kind: T::KIND, source },
        })?;
        self.files.insert(slot.path, (slot, Output::Body(body)));
        Ok(())
    }

    /// Adds a file that is not JSON.
    pub fn put_bytes(&mut self, slot: Slot, bytes: impl Into<Vec<u8>>) {
        self.files.insert(slot.path, (slot, Output::Bytes(bytes.into())));
    }

    /// Returns the files, by path.
    pub fn iter(&self) -> impl Iterator<Item = &(Slot, Output)> {
        self.files.values()
    }
}

/// A stage that came to an end: its files and its documented exit code.
#[derive(Clone, Debug)]
pub struct Finished {
    /// The files.
    pub outputs: Outputs,
    /// How it ended; the files are kept either way.
    pub result: StageResult,
}

/// How a stage ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StageResult {
    /// As hoped.
    Done,
    /// With a result that stops or turns the pipeline: tests failed, denied, needs approval.
    Stopped {
        /// Which documented outcome.
        class: crate::diagnostic::Class,
        /// One line that tells why.
        why: String,
    },
}

impl Finished {
    /// A stage that ended as hoped.
    pub fn done(outputs: Outputs) -> Self {
        Self { outputs, result: StageResult::Done }
    }

    /// A stage whose result stops or turns the pipeline.
    pub fn stopped(outputs: Outputs, class: crate::diagnostic::Class, why: impl Into<String>) -> Self {
        Self { outputs, result: StageResult::Stopped { class, why: why.into() } }
    }
}
