//! The record of exchanges: the file of the stage in hand, and where answers that were paid for are found again.
//!
//! Must never find an exchange of another run, nor one whose reply is not what it was.

use std::collections::HashMap;
use std::ops::Range;

use serde::Deserialize;

use super::failure;
use crate::agent::CallFailure;
use crate::artifact::chain::split_round;
use crate::artifact::digest::{Digest, canonical_json};
use crate::artifact::id::{Round, StageId};
use crate::artifact::kind::StageFile;
use crate::artifact::store::ArtifactStore;
use crate::artifact::types::exchange::Exchange;

/// The record of the stage in hand, and an index over those of the whole run.
pub(super) struct Cassette<'a> {
    store: &'a dyn ArtifactStore,
    path: String,
    /// The files; the first one is the stage's own.
    files: Vec<Vec<u8>>,
    /// Where exchanges that were answered lie, by their keys.
    answered: HashMap<Digest, Vec<(usize, Range<usize>)>>,
    lines: u64,
    unsure: bool,
}

/// What the index needs of a line.
#[derive(Deserialize)]
struct Line {
    key: Digest,
    attempts: Vec<Outcome>,
}

#[derive(Deserialize)]
struct Outcome {
    outcome: String,
}

impl<'a> Cassette<'a> {
    /// Opens the record of a stage and reads the others of the run, earlier attempts left out.
    ///
    /// Where the stage's ledger is new, its record is a copy that moving the stage to `attempts/` left, and goes.
    pub(super) fn open(
        store: &'a dyn ArtifactStore,
        (stage, round): (StageId, Round),
        new_ledger: bool,
    ) -> Result<Self, CallFailure> {
        let path = StageFile::Cassette.path(stage, round);
        let mut this = Self {
            store,
            files: vec![Vec::new()],
            answered: HashMap::new(),
            lines: 0,
            unsure: false,
            path: path.clone(),
        };
        let listed = store.list().map_err(|e| failure::from(&e))?;
        this.files[0] = this.take_up(&listed, new_ledger)?;
        this.lines = this.index(0, &path)?;
        for other in listed {
            let is_cassette = matches!(StageFile::of(split_round(&other).1), Some((StageFile::Cassette, _)));
            if is_cassette && other != path {
                this.files.push(store.read(&other).map_err(|e| failure::from(&e))?.unwrap_or_default());
                this.index(this.files.len() - 1, &other)?;
            }
        }
        Ok(this)
    }

    /// Reads the stage's own record, without what a kill left of a line.
    fn take_up(&self, listed: &[String], new_ledger: bool) -> Result<Vec<u8>, CallFailure> {
        let store = self.store;
        let Some(mut bytes) = store.read(&self.path).map_err(|e| failure::from(&e))? else {
            return Ok(Vec::new());
        };
        if new_ledger && !bytes.is_empty() {
            let moved = |path: &&String| {
                path.strip_prefix("attempts/")
                    .and_then(|p| p.split_once('/'))
                    .is_some_and(|p| p.1 == self.path)
            };
            for copy in listed.iter().filter(moved) {
                if store.read(copy).map_err(|e| failure::from(&e))?.as_ref() == Some(&bytes) {
                    store.remove(&self.path).map_err(|e| failure::from(&e))?;
                    return Ok(Vec::new());
                }
            }
            return Err(failure::broken(&self.path, "holds calls that no ledger knows: its ledger is gone"));
        }
        let whole = bytes.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        if whole < bytes.len() {
            bytes.truncate(whole);
            store.write(&self.path, &bytes).map_err(|e| failure::from(&e))?;
        }
        Ok(bytes)
    }

    /// Adds a file to the index and returns how many lines it has.
    fn index(&mut self, file: usize, path: &str) -> Result<u64, CallFailure> {
        let (mut start, mut lines) = (0, 0);
        for text in self.files[file].split_inclusive(|b| *b == b'\n') {
            let range = start..start + text.len();
            start = range.end;
            lines += 1;
            let line: Line = serde_json::from_slice(text).map_err(|error| {
                failure::broken(path, &format!("has a line {lines} that is no exchange: {error}"))
            })?;
            if line.attempts.last().is_some_and(|last| last.outcome == "ok") {
                self.answered.entry(line.key).or_default().push((file, range));
            }
        }
        Ok(lines)
    }

    /// Tells whether nothing can be found.
    pub(super) fn is_empty(&self) -> bool {
        self.answered.is_empty()
    }

    /// Returns the answered exchanges of a key, oldest first; those whose reply is not what it was are left out.
    pub(super) fn find(&self, key: &Digest) -> impl Iterator<Item = Exchange> {
        self.answered.get(key).into_iter().flatten().filter_map(|(file, range)| {
            let exchange: Exchange = serde_json::from_slice(self.files[*file].get(range.clone())?).ok()?;
            let reply = exchange.reply.as_ref()?;
            (Digest::of(reply.body.to_bytes()?) == reply.digest).then_some(exchange)
        })
    }

    /// Returns the place of the next exchange.
    pub(super) const fn next_seq(&self) -> u64 {
        self.lines + 1
    }

    /// Adds an exchange to the stage's record.
    pub(super) fn append(&mut self, exchange: &Exchange) -> Result<(), CallFailure> {
        let mut line = canonical_json(exchange)
            .map_err(|e| failure::fault(format!("an exchange cannot be written: {e}")))?;
        line.push(b'\n');
        if self.unsure {
            self.store.write(&self.path, &self.files[0]).map_err(|e| failure::from(&e))?;
            self.unsure = false;
        }
        if let Err(error) = self.store.append(&self.path, &line) {
            self.unsure = true;
            return Err(failure::from(&error));
        }
        let start = self.files[0].len();
        self.files[0].extend_from_slice(&line);
        self.lines += 1;
        if exchange.attempts.last().is_some_and(|last| last.outcome == "ok") {
            self.answered.entry(exchange.key.clone()).or_default().push((0, start..self.files[0].len()));
        }
        Ok(())
    }

    /// Returns the bytes of the stage's record; `None` when it is empty.
    pub(super) fn bytes(&self) -> Option<Vec<u8>> {
        Some(self.files[0].clone()).filter(|bytes| !bytes.is_empty())
    }
}
