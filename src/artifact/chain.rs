//! The chain of a run: every manifest, every file it vouches for, every link to its parents, re-hashed.
//!
//! Must never trust a file because of its name: a file counts only when a manifest vouches for its bytes.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::digest::{Digest, canonical_json};
use super::envelope::{Envelope, FileRef, Producer};
use super::id::{Round, RunId, StageId};
use super::kind::{ArtifactKind, StageFile, slot};
use super::store::{ArtifactStore, StoreError};
use super::types::manifest::{Manifest, OutputRef};
use super::version::SchemaVersion;

/// Where statements about a run lie: signed by themselves, so no manifest vouches for them.
pub const STATEMENTS: &str = "attest/";

/// A run as its manifests tell it, with everything that is wrong.
#[derive(Debug, Default)]
pub struct Chain {
    /// The manifests that could be read, in pipeline order.
    pub manifests: Vec<Envelope<Manifest>>,
    /// What is wrong, the earliest stage first.
    pub breaks: Vec<Break>,
    /// Files of known names that no manifest vouches for: what an unfinished stage left.
    pub leftovers: Vec<String>,
    /// The numbers of earlier attempts kept below `attempts/`.
    pub attempts: BTreeSet<u32>,
    /// Files that manifests vouch for and that are not here, where only a part of the run was kept.
    pub absent: Vec<String>,
}

/// One broken link.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("`{path}` {why}")]
pub struct Break {
    /// The round and stage the file belongs to; what no stage owns comes last.
    order: (u32, usize),
    /// The file.
    pub path: String,
    /// What is wrong with it, to be read after the path.
    pub why: String,
}

impl Break {
    /// A file that changed between two looks.
    pub fn changed_while_read(path: &str) -> Self {
        Self { order: (0, 0), path: path.into(), why: "changed while it was read".into() }
    }
}

/// The envelope without its body.
#[derive(Deserialize)]
struct Head {
    kind: ArtifactKind,
    schema: SchemaVersion,
    run: RunId,
    stage: StageId,
    round: Round,
    producer: Producer,
    inputs: Vec<FileRef>,
}

impl Chain {
    /// Reads and re-hashes a whole run; an unreadable folder is an error, a wrong file is a break.
    pub fn read(store: &dyn ArtifactStore, run: &RunId) -> Result<Self, StoreError> {
        Self::read_as(store, run, false)
    }

    /// Reads a run of which only a part was kept: a file that is gone is noted in `absent`, one that differs is a break.
    pub fn read_kept(store: &dyn ArtifactStore, run: &RunId) -> Result<Self, StoreError> {
        Self::read_as(store, run, true)
    }

    fn read_as(store: &dyn ArtifactStore, run: &RunId, partial: bool) -> Result<Self, StoreError> {
        let mut reader = Reader { store, run, partial, chain: Self::default(), vouched: BTreeMap::new() };
        reader.read()?;
        let mut chain = reader.chain;
        chain.breaks.sort_unstable();
        Ok(chain)
    }

    /// Returns the manifest of a stage in a round.
    pub fn manifest(&self, stage: StageId, round: Round) -> Option<&Manifest> {
        self.bodies().find(|m| m.link.stage == stage && m.link.round == round)
    }

    /// Returns the newest manifest that vouches for a slot in a round up to `newest`, with the file.
    pub fn newest(&self, path: &str, newest: Round) -> Option<(&Manifest, &OutputRef)> {
        (1..=newest.get()).rev().filter_map(Round::new).find_map(|round| self.file(path, round))
    }

    /// Returns the manifest that vouches for a slot in just that round, with the file.
    pub fn file(&self, path: &str, round: Round) -> Option<(&Manifest, &OutputRef)> {
        let path = round.path(path);
        self.bodies().find_map(|m| m.link.outputs.iter().find(|o| o.path == path).map(|o| (m, o)))
    }

    /// Returns the bodies of the manifests, in pipeline order.
    pub fn bodies(&self) -> impl Iterator<Item = &Manifest> {
        self.manifests.iter().map(|m| &m.body)
    }

    /// Returns the last round any stage finished.
    pub fn last_round(&self) -> Round {
        self.bodies().map(|m| m.link.round).max().unwrap_or(Round::FIRST)
    }
}

struct Reader<'a> {
    store: &'a dyn ArtifactStore,
    run: &'a RunId,
    partial: bool,
    chain: Chain,
    /// Every file some manifest vouches for, with its digest.
    vouched: BTreeMap<String, Digest>,
}

impl Reader<'_> {
    fn read(&mut self) -> Result<(), StoreError> {
        let files = self.store.list()?;
        for path in files.iter().filter(|p| manifest_of(p).is_some()) {
            self.read_manifest(path)?;
        }
        self.chain.manifests.sort_by_key(|m| (m.body.link.round, m.body.link.stage));
        let manifests = self.chain.manifests.clone();
        for manifest in &manifests {
            self.check_files(manifest)?;
        }
        for manifest in &manifests {
            self.check_links(&manifest.body);
        }
        self.sort_rest(&files);
        Ok(())
    }

    fn broken(&mut self, owner: Option<(StageId, Round)>, path: &str, why: impl Into<String>) {
        let order = owner.map_or((u32::MAX, usize::MAX), |(stage, round)| (round.get(), stage as usize));
        self.chain.breaks.push(Break { order, path: path.into(), why: why.into() });
    }

    fn read_manifest(&mut self, path: &str) -> Result<(), StoreError> {
        let Some((stage, round)) = manifest_of(path) else { return Ok(()) };
        let owner = Some((stage, round));
        let Some(bytes) = self.store.read(path)? else { return Ok(()) };
        let envelope = match Envelope::<Manifest>::from_bytes(&bytes) {
            Ok(envelope) => envelope,
            Err(error) => {
                let why = std::iter::successors(Some(&error as &dyn std::error::Error), |e| e.source())
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join(": ");
                self.broken(owner, path, format!("is no readable manifest: {why}"));
                return Ok(());
            }
        };
        let link = &envelope.body.link;
        if &envelope.run != self.run {
            self.broken(owner, path, format!("belongs to the run `{}`", envelope.run));
        } else if (envelope.stage, envelope.round) != (stage, round)
            || (link.stage, link.round) != (stage, round)
        {
            self.broken(owner, path, format!("is the manifest of `{}` in round {}", link.stage, link.round));
        } else if !envelope.body.is_intact() || envelope.inputs != link.inputs {
            self.broken(owner, path, "was changed after it was sealed");
        } else if is_of_another_schema(envelope.kind, envelope.schema, &envelope.producer) {
            self.broken(owner, path, "has a schema version that its producer does not write");
        } else {
            for file in envelope.body.files() {
                self.vouched.insert(file.path.clone(), file.digest.clone());
            }
            self.chain.manifests.push(envelope);
        }
        Ok(())
    }

    fn check_files(&mut self, manifest: &Envelope<Manifest>) -> Result<(), StoreError> {
        let link = &manifest.body.link;
        for file in manifest.body.files() {
            if self.partial && self.store.read(&file.path)?.is_none() {
                self.chain.absent.push(file.path.clone());
                continue;
            }
            if let Some(why) = self.check_file(manifest, file)? {
                self.broken(Some((link.stage, link.round)), &file.path, why);
            }
        }
        Ok(())
    }

    /// Returns what is wrong with one file.
    fn check_file(
        &self,
        manifest: &Envelope<Manifest>,
        file: &OutputRef,
    ) -> Result<Option<String>, StoreError> {
        let Some(bytes) = self.store.read(&file.path)? else {
            return Ok(Some("is missing".into()));
        };
        if bytes.len() as u64 != file.bytes {
            return Ok(Some(format!("has {} bytes, its manifest says {}", bytes.len(), file.bytes)));
        }
        let digest = Digest::of(&bytes);
        if digest != file.digest {
            return Ok(Some(format!(
                "has the digest {}, its manifest says {}",
                digest.short(),
                file.digest.short()
            )));
        }
        if !file.kind.is_json() {
            return Ok(None);
        }
        let canonical =
            serde_json::from_slice::<serde_json::Value>(&bytes).ok().and_then(|v| canonical_json(&v).ok());
        if canonical.as_deref() != Some(&bytes) {
            return Ok(Some("is not canonical JSON".into()));
        }
        let Ok(head) = serde_json::from_slice::<Head>(&bytes) else {
            return Ok(Some("has no readable envelope".into()));
        };
        let link = &manifest.body.link;
        Ok(if head.kind != file.kind {
            Some(format!("is a `{}`, its manifest says `{}`", head.kind, file.kind))
        } else if let Err(error) = head.kind.version().check_reads(head.schema) {
            Some(format!("cannot be read: {error}"))
        } else if &head.run != self.run {
            Some(format!("belongs to the run `{}`", head.run))
        } else if (head.stage, head.round) != (link.stage, link.round) {
            Some(format!("was written by `{}` in round {}", head.stage, head.round))
        } else if head.inputs != link.inputs {
            Some("names other inputs than its manifest".into())
        } else if head.producer != manifest.producer {
            Some("names another producer than its manifest".into())
        } else if is_of_another_schema(head.kind, head.schema, &head.producer) {
            Some("has a schema version that its producer does not write".into())
        } else {
            None
        })
    }

    /// Checks that every input is vouched for by an earlier manifest, and that every parent is the one it was.
    fn check_links(&mut self, manifest: &Manifest) {
        let link = &manifest.link;
        let owner = Some((link.stage, link.round));
        let own = Manifest::path(link.stage, link.round);
        for input in &link.inputs {
            match self.vouched.get(&input.path).cloned() {
                Some(digest) if digest == input.digest => {}
                Some(_) => {
                    self.broken(owner, &input.path, format!("is not the file that `{}` read", link.stage));
                }
                None => self.broken(
                    owner,
                    &input.path,
                    format!("was read by `{}`, but no manifest vouches for it", link.stage),
                ),
            }
        }
        for parent in &link.parents {
            let found = self
                .chain
                .manifests
                .iter()
                .map(|m| &m.body)
                .find(|m| Manifest::path(m.link.stage, m.link.round) == parent.manifest);
            match found.map(|m| m.link_digest == parent.link) {
                Some(true) => {}
                Some(false) => self.broken(
                    owner,
                    &parent.manifest,
                    format!("is not the manifest `{own}` was chained to"),
                ),
                None => self.broken(
                    owner,
                    &parent.manifest,
                    format!("is missing or broken; `{own}` is chained to it"),
                ),
            }
        }
    }

    /// Sorts the files no manifest vouches for: leftovers, earlier attempts, strangers.
    fn sort_rest(&mut self, files: &[String]) {
        for path in files {
            if self.vouched.contains_key(path) || manifest_of(path).is_some() || is_statement(path) {
                continue;
            }
            if let Some(number) = attempt_of(path) {
                self.chain.attempts.insert(number);
            } else if is_known(path) {
                self.chain.leftovers.push(path.clone());
            } else {
                self.broken(None, path, "is in the run folder, but no stage writes a file of that name");
            }
        }
    }
}

/// Returns the round and the rest of a path: `rounds/2/edits.json` is round 2 of `edits.json`.
pub fn split_round(path: &str) -> (Round, &str) {
    let rest = path.strip_prefix("rounds/").and_then(|rest| rest.split_once('/'));
    rest.and_then(|(n, rest)| {
        let round = n.parse().ok().and_then(Round::new).filter(|r| *r > Round::FIRST)?;
        (round.get().to_string() == n).then_some((round, rest))
    })
    .unwrap_or((Round::FIRST, path))
}

/// Returns the stage and round of a manifest's path.
pub fn manifest_of(path: &str) -> Option<(StageId, Round)> {
    let (round, rest) = split_round(path);
    let stage = rest.strip_prefix("manifest/")?.strip_suffix(".json")?.parse().ok()?;
    Some((stage, round))
}

/// Tells whether a file is a statement about the run: `attest/<name>.json`.
pub fn is_statement(path: &str) -> bool {
    let name = path.strip_prefix(STATEMENTS).and_then(|name| name.strip_suffix(".json"));
    name.is_some_and(|name| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    })
}

/// Tells whether a file names a schema version that its producer, where it is this very program, does not write.
fn is_of_another_schema(kind: ArtifactKind, schema: SchemaVersion, producer: &Producer) -> bool {
    producer == &Producer::this() && schema != kind.version()
}

fn attempt_of(path: &str) -> Option<u32> {
    path.strip_prefix("attempts/")?.split_once('/')?.0.parse().ok()
}

fn is_known(path: &str) -> bool {
    let (_, rest) = split_round(path);
    slot::ALL.iter().any(|s| s.path == rest) || StageFile::of(rest).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_are_part_of_the_path() {
        assert_eq!(split_round("edits.json"), (Round::FIRST, "edits.json"));
        assert_eq!(split_round("rounds/2/edits.json"), (Round::new(2).unwrap(), "edits.json"));
        for odd in
            ["rounds/1/edits.json", "rounds/0/edits.json", "rounds/02/edits.json", "rounds/x/edits.json"]
        {
            assert_eq!(split_round(odd), (Round::FIRST, odd));
        }
        assert_eq!(
            manifest_of("rounds/3/manifest/generate.json"),
            Some((StageId::Generate, Round::new(3).unwrap()))
        );
        assert_eq!(manifest_of("manifest/nothing.json"), None);
    }
}
