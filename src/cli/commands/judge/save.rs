//! The document and the verdict, kept as artifacts.
//!
//! Must never leave half a file: each is written beside, then renamed.

use std::path::Path;

use super::Unwritable;
use crate::artifact::digest::Digest;
use crate::artifact::envelope::{Artifact, Envelope, EnvelopeError, FileRef, Producer};
use crate::artifact::id::{IdError, Round, RunId, StageId};
use crate::artifact::kind::slot;
use crate::artifact::store::{ArtifactStore as _, DirStore};
use crate::artifact::types::policy_input::PolicyInput;
use crate::artifact::types::verdict::Verdict;
use crate::cli::CommandError;
use crate::cli::error::UsageError;

/// Writes both files below a folder.
pub(super) fn save(folder: &Path, input: &PolicyInput, verdict: &Verdict) -> Result<(), CommandError> {
    let run: RunId = format!("{}-{}", verdict.subject.kind.as_str(), verdict.input.short()).parse().map_err(
        |error: IdError| UsageError {
            what: error.to_string(),
            help: "This is a fault of orch; please report it.".into(),
        },
    )?;
    let store = DirStore::new(folder);
    let bytes = envelope(&run, Vec::new(), input).to_bytes().map_err(unwritable)?;
    let read = FileRef { path: slot::POLICY_INPUT.path.into(), digest: Digest::of(&bytes) };
    let judged = envelope(&run, vec![read], verdict).to_bytes().map_err(unwritable)?;
    store.write(slot::POLICY_INPUT.path, &bytes)?;
    store.write(slot::VERDICT.path, &judged)?;
    Ok(())
}

fn unwritable(error: EnvelopeError) -> Unwritable {
    Unwritable(Box::new(error))
}

fn envelope<T: Artifact + Clone>(run: &RunId, inputs: Vec<FileRef>, body: &T) -> Envelope<T> {
    Envelope {
        kind: T::KIND,
        schema: T::KIND.version(),
        run: run.clone(),
        stage: StageId::Policy,
        round: Round::FIRST,
        producer: Producer::this(),
        inputs,
        body: body.clone(),
    }
}
