//! Load, run, check, commit, emit: the only code that knows both the store and a stage.
//!
//! Must never run a stage on files no manifest vouches for, and must never commit what was not declared.

mod archive;
mod error;
mod key;

use std::borrow::Cow;
use std::collections::BTreeSet;

pub use error::RunError;
pub use key::{key_of, key_with};

use super::io::{Output, StageResult};
use super::journal::Journal;
use super::spec::{EffectKind, StageSpec};
use super::{Finished, Inputs, Loaded, Ports, Request, Stage, StageContext, StageError};
use crate::agent::{CallSite, NoModels, StageCalls};
use crate::artifact::chain::{Break, Chain};
use crate::artifact::digest::{CanonicalError, Digest};
use crate::artifact::envelope::{Envelope, FileRef, Producer};
use crate::artifact::id::{Round, RunId, StageId};
use crate::artifact::kind::{ArtifactKind, StageFile};
use crate::artifact::store::ArtifactStore;
use crate::artifact::types::manifest::{Link, Manifest, Material, OutputRef, ParentRef, Timing};
use crate::artifact::types::tape::{FORM, Header, TapedRequest};
use crate::config::Config;
use crate::diagnostic::Class;
use crate::diagnostic::redact::{holds_learned, redact, redact_bytes};
use crate::ports::tape::Recorder;
use crate::telemetry::{Event, Events};
use key::{Asked, KeyParts};

/// Runs stages of one run.
pub struct Runner<'a> {
    /// The run folder.
    pub store: &'a dyn ArtifactStore,
    /// The run.
    pub run: &'a RunId,
    /// The valid config.
    pub config: &'a Config,
    /// Every port.
    pub ports: Ports<'a>,
    /// Who listens.
    pub events: &'a dyn Events,
}

/// Which files a stage sees and writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The round the stage writes in.
    pub round: Round,
    /// The newest round it reads from.
    pub horizon: Round,
}

/// A stage that came to an end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageRun {
    /// The stage.
    pub stage: StageId,
    /// The round.
    pub round: Round,
    /// Its documented exit code.
    pub exit: u8,
    /// Why it stopped the pipeline, if it did.
    pub reason: Option<String>,
    /// True when a finished stage was used again.
    pub reused: bool,
}

/// A stage with everything it needs, before it is decided whether it has to run.
struct Prepared {
    inputs: Inputs,
    refs: Vec<FileRef>,
    parents: Vec<ParentRef>,
    materials: Vec<Material>,
    key: Digest,
}

/// A stage that came to its end, before its files are written.
struct Ended {
    finished: Finished,
    kept: Vec<(StageFile, Vec<u8>)>,
    timing: Timing,
}

/// What the runner notes while a stage runs.
struct Records<'a> {
    journal: &'a Journal<'a>,
    tape: &'a Recorder<'a>,
}

impl Runner<'_> {
    /// Returns the chain of the run, refusing a broken one.
    pub fn chain(&self) -> Result<Chain, RunError> {
        let chain = Chain::read(self.store, self.run)?;
        match chain.breaks.first() {
            None => Ok(chain),
            Some(first) => Err(RunError::Broken { first: first.clone(), more: chain.breaks.len() - 1 }),
        }
    }

    /// Runs a stage, or finds it finished and uses it again.
    pub fn run(
        &self,
        stage: &dyn Stage,
        at: Position,
        request: Option<&Request>,
    ) -> Result<StageRun, RunError> {
        let spec = stage.spec();
        let chain = self.chain()?;
        let tape = Recorder::new(self.ports.world(), &self.header(spec, at, request));
        let ports = self.ports.through(&tape);
        let journal = Journal::new(self.events, ports.clock);
        let context =
            |ports| StageContext::new(spec, self.run, at.round, self.config, request, ports, &journal);
        let cx = context(ports);
        let failed = |source| RunError::Stage { stage: spec.id, round: at.round, source };
        let prepared = self.prepare(&chain, stage, at, &cx)?;
        // Whether a finished stage still holds is asked past the tape: it is no part of the work.
        if let Some(done) = self.reusable(&chain, stage, &prepared.key, &context(self.ports))? {
            self.events.emit(&Event::StageReused { stage: spec.id, round: at.round });
            return Ok(done);
        }
        self.archive(&chain, spec.id, at.round)?;
        journal.emit(&Event::StageStarted { stage: spec.id, round: at.round });
        let started = (ports.clock.now(), ports.clock.elapsed());
        let note = |message| journal.emit(&Event::StageNote { stage: spec.id, round: at.round, message });
        let calls = self.calls(spec, at.round, &note).map_err(failed)?;
        let cx = cx.with_calls(calls.as_ref());
        let finished = stage.run(&cx, &prepared.inputs).map_err(failed)?;
        declared(spec, &finished).map_err(failed)?;
        let kept = calls.close().map_err(|error| failed(StageError::Call(error)))?;
        let duration = ports.clock.elapsed().saturating_sub(started.1);
        let timing = Timing {
            started_at: started.0.to_string(),
            duration_ms: u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
        };
        let ended = Ended { finished, kept, timing };
        self.commit(stage, at.round, prepared, ended, &Records { journal: &journal, tape: &tape })
    }

    /// Returns the first line of a stage's tape: what it is started with, besides the files it reads.
    fn header(&self, spec: &StageSpec, at: Position, request: Option<&Request>) -> Header {
        let request = request.filter(|_| spec.takes_request());
        Header {
            tape: FORM,
            orch: Producer::this().version,
            stage: spec.id,
            stage_version: spec.version,
            round: at.round,
            horizon: at.horizon,
            config: self.config.slice(spec.config),
            request: request.map(|r| TapedRequest {
                text: r.text.clone(),
                channel: r.channel,
                event: r.event.clone(),
                after: r.after.clone(),
                assignment: r.assignment.clone(),
            }),
        }
    }

    /// Opens ledger and record of a stage that may call models.
    fn calls<'b>(
        &'b self,
        spec: &StageSpec,
        round: Round,
        note: &'b (dyn Fn(String) + Sync),
    ) -> Result<Box<dyn StageCalls + 'b>, StageError> {
        if !spec.effects.contains(&EffectKind::Model) {
            return Ok(Box::new(NoModels));
        }
        let site = CallSite { store: self.store, run: self.run, stage: spec.id, round, note };
        Ok(self.ports.models.open(site)?)
    }

    /// Forgets a finished stage and everything that followed from it; the files are kept below `attempts/`.
    pub fn forget(&self, stage: StageId, round: Round) -> Result<(), RunError> {
        let chain = self.chain()?;
        self.archive(&chain, stage, round)
    }

    fn prepare(
        &self,
        chain: &Chain,
        stage: &dyn Stage,
        at: Position,
        cx: &StageContext<'_>,
    ) -> Result<Prepared, RunError> {
        let spec = stage.spec();
        let failed = |source| RunError::Stage { stage: spec.id, round: at.round, source };
        let (mut inputs, mut refs, mut parents) = (Inputs::default(), Vec::new(), BTreeSet::new());
        for input in spec.inputs {
            let path = input.slot.path;
            let found = if input.previous_round {
                Round::new(at.round.get() - 1).and_then(|before| chain.file(path, before))
            } else {
                chain.newest(path, at.horizon)
            };
            let Some((manifest, file)) = found else {
                if input.required {
                    return Err(failed(StageError::MissingInput { path: path.into() }));
                }
                continue;
            };
            let loaded = self.load(chain, file)?;
            refs.push(FileRef { path: loaded.path.clone(), digest: loaded.digest.clone() });
            parents.insert(ParentRef {
                manifest: Manifest::path(manifest.link.stage, manifest.link.round),
                link: manifest.link_digest.clone(),
            });
            inputs.insert(input.slot, loaded);
            inputs.vouch(input.slot, manifest.link_digest.clone());
        }
        refs.sort_unstable();
        let materials = stage.materials(cx).map_err(failed)?;
        let key = Digest::of_json(&KeyParts {
            run: self.run,
            stage: spec.id,
            version: spec.version,
            round: at.round,
            config: self.config.slice(spec.config),
            inputs: inputs.iter().map(|(slot, file)| (slot, &file.digest)).collect(),
            materials: &materials,
            request: cx.request.filter(|_| spec.takes_request()).map(Asked::from),
        })
        .map_err(|source| RunError::Canonical { stage: spec.id, source })?;
        Ok(Prepared { inputs, refs, parents: parents.into_iter().collect(), materials, key })
    }

    /// Reads a file and checks it once more: the chain was read a moment ago.
    fn load(&self, chain: &Chain, file: &OutputRef) -> Result<Loaded, RunError> {
        let bytes = self.store.read(&file.path)?.unwrap_or_default();
        let digest = Digest::of(&bytes);
        if digest != file.digest {
            let first = Break::changed_while_read(&file.path);
            return Err(RunError::Broken { first, more: chain.breaks.len() });
        }
        Ok(Loaded { path: file.path.clone(), digest, bytes })
    }

    /// Returns the finished stage when nothing it depends on has changed.
    ///
    /// A command stage that failed is tried again, since the machine may have been mended, unless later work rests on it.
    fn reusable(
        &self,
        chain: &Chain,
        stage: &dyn Stage,
        key: &Digest,
        cx: &StageContext<'_>,
    ) -> Result<Option<StageRun>, RunError> {
        let spec = stage.spec();
        let Some(manifest) = chain.manifest(spec.id, cx.round) else { return Ok(None) };
        let link = &manifest.link;
        let own = Manifest::path(link.stage, link.round);
        let rested_on = || chain.bodies().any(|m| m.link.parents.iter().any(|p| p.manifest == own));
        let retry = link.exit != 0 && spec.effects.contains(&EffectKind::Process) && !rested_on();
        // Without an event, the finished intake stands: there is nothing it could be compared with.
        let stands = spec.inputs.is_empty() && cx.request.is_none();
        if (&link.key != key && !stands) || retry {
            return Ok(None);
        }
        let mut outputs = Inputs::default();
        for file in &link.outputs {
            if let Some(slot) =
                spec.outputs.iter().chain(spec.may_write).find(|s| link.round.path(s.path) == file.path)
            {
                outputs.insert(*slot, self.load(chain, file)?);
            }
        }
        let holds = stage.still_holds(cx, &outputs).map_err(|source| RunError::Stage {
            stage: spec.id,
            round: cx.round,
            source,
        })?;
        Ok(holds.then(|| StageRun {
            stage: spec.id,
            round: link.round,
            exit: link.exit,
            reason: link.reason.clone(),
            reused: true,
        }))
    }

    /// Writes the outputs, then the records, and the manifest last: with it the stage is done.
    fn commit(
        &self,
        stage: &dyn Stage,
        round: Round,
        prepared: Prepared,
        ended: Ended,
        of: &Records<'_>,
    ) -> Result<StageRun, RunError> {
        let Ended { finished, kept, timing } = ended;
        let spec = stage.spec();
        let canonical = |source| RunError::Canonical { stage: spec.id, source };
        let (exit, reason) = match finished.result {
            StageResult::Done => (0, None),
            StageResult::Stopped { class, why } => (class.exit_code(), Some(redact(&why).into_owned())),
        };
        let mut ready = Vec::new();
        for (slot, output) in finished.outputs.iter() {
            let bytes = match output {
                Output::Bytes(bytes) => bytes.clone(),
                Output::Body(body) => {
                    self.envelope(spec.id, round, slot.kind, &prepared.refs, body).map_err(canonical)?
                }
            };
            let path = round.path(slot.path);
            // A record tells what was printed and may be masked; the meaning of an output would change.
            if !slot.record && holds_learned(&bytes) {
                return Err(RunError::Stage { stage: spec.id, round, source: holds_secret(&path) });
            }
            ready.push((path, slot, bytes));
        }
        let (mut outputs, mut records) = (Vec::new(), Vec::new());
        for (path, slot, bytes) in ready {
            let bytes = if slot.record { redact_bytes(&bytes) } else { Cow::Borrowed(&*bytes) };
            let file = self.place(&path, slot.kind, &bytes)?;
            if slot.record { records.push(file) } else { outputs.push(file) }
        }
        let last = Event::StageFinished {
            stage: spec.id,
            round,
            exit,
            why: reason.clone(),
            duration_ms: timing.duration_ms,
        };
        of.journal.keep(&last);
        // The tape is taken last: the journal's lines are times, and times are on the tape.
        let journal = (StageFile::Journal, of.journal.bytes());
        let tape = (StageFile::Tape, of.tape.bytes());
        for (file, bytes) in kept.into_iter().chain([journal, tape]) {
            records.push(self.place(&file.path(spec.id, round), file.kind(), &redact_bytes(&bytes))?);
        }
        let link = Link {
            stage: spec.id,
            stage_version: spec.version,
            round,
            key: prepared.key,
            exit,
            reason: reason.clone(),
            parents: prepared.parents,
            inputs: prepared.refs.clone(),
            materials: prepared.materials,
            outputs,
        };
        let manifest = Manifest::seal(link, records, timing).map_err(canonical)?;
        let body = serde_json::to_value(&manifest).map_err(|e| canonical(CanonicalError::from(e)))?;
        let bytes = self
            .envelope(spec.id, round, ArtifactKind::Manifest, &prepared.refs, &body)
            .map_err(canonical)?;
        self.store.write(&Manifest::path(spec.id, round), &bytes)?;
        self.events.emit(&last);
        Ok(StageRun { stage: spec.id, round, exit, reason, reused: false })
    }

    fn envelope(
        &self,
        stage: StageId,
        round: Round,
        kind: ArtifactKind,
        inputs: &[FileRef],
        body: &serde_json::Value,
    ) -> Result<Vec<u8>, CanonicalError> {
        crate::artifact::digest::canonical_json(&Envelope {
            kind,
            schema: kind.version(),
            run: self.run.clone(),
            stage,
            round,
            producer: Producer::this(),
            inputs: inputs.to_vec(),
            body,
        })
    }

    fn place(&self, path: &str, kind: ArtifactKind, bytes: &[u8]) -> Result<OutputRef, RunError> {
        self.store.write(path, bytes)?;
        Ok(OutputRef { path: path.into(), kind, digest: Digest::of(bytes), bytes: bytes.len() as u64 })
    }
}

fn holds_secret(path: &str) -> StageError {
    StageError::Refused {
        class: Class::Denied,
        what: format!("`{path}` would hold a credential of this run, so nothing was written"),
        help: "Take the credential out of the request, the repository and the templates, then make a new one: it was seen."
            .into(),
    }
}

/// Checks that a stage wrote just what it declared.
fn declared(spec: &StageSpec, finished: &Finished) -> Result<(), StageError> {
    let written: BTreeSet<_> = finished.outputs.iter().map(|(slot, _)| slot.path).collect();
    let slots = spec.outputs;
    // Who could not agree may have nothing to show but why.
    let escalated = matches!(finished.result, StageResult::Stopped { .. })
        && finished.outputs.iter().any(|(slot, _)| slot.kind == ArtifactKind::Escalation);
    let missing = slots.iter().find(|s| !written.contains(s.path));
    if let Some(slot) = missing.filter(|_| !escalated) {
        return Err(StageError::Outputs { slot: *slot, why: "did not write" });
    }
    match finished.outputs.iter().find(|(slot, _)| !slots.contains(slot) && !spec.may_write.contains(slot)) {
        Some((slot, _)) => Err(StageError::Outputs { slot: *slot, why: "wrote, undeclared," }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::kind::slot;
    use crate::stage::Outputs;
    use crate::stage::generate::SPEC;

    #[test]
    fn only_who_stops_with_an_escalation_may_have_nothing_to_show() {
        let with = |slots: &[crate::artifact::kind::Slot]| {
            let mut outputs = Outputs::default();
            for slot in slots {
                outputs.put_bytes(*slot, "x");
            }
            outputs
        };
        let (escalated, bare) = (with(&[slot::EDITS_ESCALATION]), with(&[slot::EDITS_MESSAGES]));
        let stopped = |outputs| Finished::stopped(outputs, Class::NotConverged, "why");
        assert!(declared(&SPEC, &stopped(escalated.clone())).is_ok());
        assert!(declared(&SPEC, &Finished::done(escalated)).is_err());
        assert!(declared(&SPEC, &stopped(bare)).is_err());
        assert!(declared(&SPEC, &stopped(with(&[slot::EDITS_ESCALATION, slot::PLAN]))).is_err());
    }
}
