//! The ledger of a stage while it runs: every line is in the file before what it speaks of happens.
//!
//! Must never lose money to a kill, a full disk or an edited file: what is not settled in the file is spent.

use super::read::{ReadLedger, RunLedgers};
use super::state::{Budget, Exhausted, Worst};
use crate::artifact::digest::{CanonicalError, Digest, canonical_json};
use crate::artifact::id::{Round, StageId};
use crate::artifact::kind::StageFile;
use crate::artifact::money::NanoUsd;
use crate::artifact::store::{ArtifactStore, StoreError};
use crate::artifact::types::exchange::Usage;
use crate::artifact::types::ledger::{Head, LedgerEntry, LedgerLimits, LedgerLine, Torn, Totals};
use crate::diagnostic::{Class, Failure};

/// A ledger that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// It is not what it was.
    #[error("the ledger `{path}` {why}")]
    Broken {
        /// The file.
        path: String,
        /// What is wrong, to be read after the path.
        why: String,
    },
    /// The run folder cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A line has no canonical form: a fault of this program.
    #[error("a line of the ledger cannot be written")]
    Canonical(#[from] CanonicalError),
}

impl Failure for LedgerError {
    fn class(&self) -> Class {
        match self {
            Self::Broken { .. } => Class::Denied,
            Self::Store(error) => error.class(),
            Self::Canonical(_) => Class::Internal,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Broken { .. } => Some(
                "Put the file back as it was: without it nobody knows what is spent; or remove the run folder to start \
                 again."
                    .into(),
            ),
            Self::Store(error) => error.help(),
            Self::Canonical(_) => Some("This is a fault of orch; please report it.".into()),
        }
    }
}

/// Why nothing was reserved; the call must not be made.
#[derive(Debug, thiserror::Error)]
pub enum ReserveError {
    /// It does not fit.
    #[error(transparent)]
    Exhausted(#[from] Exhausted),
    /// It cannot be written down.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// What is reserved, for whom.
#[derive(Clone, Debug)]
pub struct Reservation<'a> {
    /// The key of the exchange.
    pub exchange: &'a Digest,
    /// The provider.
    pub provider: &'a str,
    /// The model.
    pub model: &'a str,
    /// The role that asks.
    pub role: &'a str,
    /// The step.
    pub step: &'a str,
    /// The worst case.
    pub worst: Worst,
    /// The row of prices.
    pub price: Option<&'a str>,
    /// The partition.
    pub slice: Option<&'a str>,
}

/// The ledger of a stage while it runs.
pub struct Ledger<'a> {
    store: &'a dyn ArtifactStore,
    path: String,
    bytes: Vec<u8>,
    seq: u64,
    prev: Option<Digest>,
    opening: Option<LedgerEntry>,
    heads: Vec<Head>,
    /// True when the file may hold less or more than `bytes`.
    unsure: bool,
    budget: Budget,
}

impl<'a> Ledger<'a> {
    /// Opens the ledger of a stage: reads and checks every ledger of the run, and goes on with a file a kill left.
    ///
    /// A new file is made with its first line; a stage that makes no call has none.
    pub fn open(
        store: &'a dyn ArtifactStore,
        (stage, round): (StageId, Round),
        limits: LedgerLimits,
    ) -> Result<Self, LedgerError> {
        let path = StageFile::Ledger.path(stage, round);
        let all = RunLedgers::read(store)?;
        let (own, others): (Vec<ReadLedger>, Vec<ReadLedger>) =
            all.ledgers.into_iter().partition(|ledger| ledger.path == path);
        let others = RunLedgers { ledgers: others };
        let of_stage = others.ledgers.iter().filter(|l| l.stage == stage).map(|l| l.spent);
        let stage_before = of_stage.fold(Totals::default(), |a, b| a + b);
        let own = own.into_iter().next();
        if own.is_none() {
            // All of it stands in `attempts/`: a kill came between copying the finished stage there and removing it here.
            store.remove(&path)?;
        }
        let (spent, last_id, attempt) =
            own.as_ref().map_or((Totals::default(), 0, 1), |l| (l.spent, l.last_id, l.openings() + 1));
        let heads = others.heads();
        let mut ledger = Self {
            store,
            bytes: Vec::new(),
            seq: own.as_ref().map_or(0, |l| l.lines.len() as u64),
            prev: own.as_ref().and_then(|l| l.digests.last().cloned()),
            opening: None,
            heads: heads.clone(),
            unsure: false,
            budget: Budget::new(limits, others.spent(), stage_before, spent, last_id),
            path,
        };
        let torn = own.map(|own| ledger.take_up(&own)).transpose()?.flatten();
        let begun = ledger.seq > 0 || torn.is_some();
        let earlier = others.spent();
        ledger.opening = Some(LedgerEntry::Open { stage, round, attempt, limits, earlier, heads, torn });
        if begun {
            ledger.begin()?;
        }
        Ok(ledger)
    }

    /// Takes the whole lines of a file up, and cuts off what a kill left of one.
    fn take_up(&mut self, own: &ReadLedger) -> Result<Option<Torn>, LedgerError> {
        let mut bytes = self.store.read(&self.path)?.unwrap_or_default();
        let rest = bytes.split_off(own.whole.min(bytes.len()));
        self.bytes = bytes;
        if rest.is_empty() {
            return Ok(None);
        }
        self.store.write(&self.path, &self.bytes)?;
        Ok(Some(Torn { bytes: rest.len() as u64, digest: Digest::of(&rest) }))
    }

    /// Tells whether nothing of it is in the file.
    pub const fn is_new(&self) -> bool {
        self.seq == 0
    }

    /// Returns the budget.
    pub const fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Returns the bytes as they are in the file.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Writes the opening, if it is not written yet.
    fn begin(&mut self) -> Result<(), LedgerError> {
        let Some(opening) = self.opening.clone() else { return Ok(()) };
        self.write(opening)?;
        self.opening = None;
        Ok(())
    }

    fn append(&mut self, entry: LedgerEntry) -> Result<(), LedgerError> {
        self.begin()?;
        self.write(entry)
    }

    /// Adds one line to the file; on failure the line counts as not written.
    fn write(&mut self, entry: LedgerEntry) -> Result<(), LedgerError> {
        let prev = match &self.prev {
            Some(prev) => prev.clone(),
            None => Digest::of_json(&self.heads)?,
        };
        let mut line = canonical_json(&LedgerLine { seq: self.seq + 1, prev, entry })?;
        let digest = Digest::of(&line);
        line.push(b'\n');
        if self.unsure {
            // An append that failed may have left a part of its line.
            self.store.write(&self.path, &self.bytes)?;
            self.unsure = false;
        }
        if let Err(error) = self.store.append(&self.path, &line) {
            self.unsure = true;
            return Err(error.into());
        }
        self.bytes.extend_from_slice(&line);
        self.seq += 1;
        self.prev = Some(digest);
        Ok(())
    }

    /// Reserves the worst case of a call and writes it down; after that the call may be made.
    pub fn reserve(&mut self, wanted: &Reservation<'_>) -> Result<u64, ReserveError> {
        let id = self.budget.reserve(wanted.worst, wanted.slice)?;
        let written = self.append(LedgerEntry::Reserve {
            id,
            exchange: wanted.exchange.clone(),
            provider: wanted.provider.into(),
            model: wanted.model.into(),
            role: wanted.role.into(),
            step: wanted.step.into(),
            worst_nano_usd: wanted.worst.cost,
            worst_tokens: wanted.worst.tokens,
            price: wanted.price.map(str::to_owned),
            slice: wanted.slice.map(str::to_owned),
        });
        written.map(|()| id).map_err(|error| {
            self.budget.release(id, 0);
            error.into()
        })
    }

    /// Settles a reservation; where that cannot be written down, the whole reservation is spent.
    pub fn settle(
        &mut self,
        id: u64,
        usage: Usage,
        cost: Option<NanoUsd>,
        estimated: bool,
        took_ms: u64,
    ) -> Result<(), LedgerError> {
        let written = self.append(LedgerEntry::Settle { id, usage, cost_nano_usd: cost, estimated, took_ms });
        match written {
            Ok(()) => self.budget.settle(id, usage.total(), cost, took_ms),
            // As a reader of the file will see it: not settled.
            Err(_) => self.budget.keep(id, 0),
        }
        written
    }

    /// Counts a whole reservation as spent: the call may be billed.
    pub fn keep(&mut self, id: u64, why: &str, took_ms: u64) -> Result<(), LedgerError> {
        let written = self.append(LedgerEntry::Keep { id, why: why.into(), took_ms });
        self.budget.keep(id, if written.is_ok() { took_ms } else { 0 });
        written
    }

    /// Frees a reservation: the call is certainly not billed.
    pub fn release(&mut self, id: u64, why: &str, took_ms: u64) -> Result<(), LedgerError> {
        let written = self.append(LedgerEntry::Release { id, why: why.into(), took_ms });
        match written {
            Ok(()) => self.budget.release(id, took_ms),
            // As a reader of the file will see it: not settled.
            Err(_) => self.budget.keep(id, 0),
        }
        written
    }

    /// Notes that an exchange of this run answered a question.
    pub fn reuse(&mut self, exchange: &Digest, role: &str, step: &str) -> Result<(), LedgerError> {
        let (exchange, role, step) = (exchange.clone(), role.to_owned(), step.to_owned());
        self.append(LedgerEntry::Reuse { exchange, role, step })
    }

    /// Sets a part aside for a subtask; what is absent is all that is left, where there is a limit.
    pub fn allot(
        &mut self,
        slice: &str,
        cost: Option<NanoUsd>,
        tokens: Option<u64>,
    ) -> Result<(), ReserveError> {
        let (max_nano_usd, max_tokens) = self.budget.allot(slice, cost, tokens)?;
        let written = self.append(LedgerEntry::Allot { slice: slice.into(), max_nano_usd, max_tokens });
        if written.is_err() {
            self.budget.give_back(slice);
        }
        Ok(written?)
    }

    /// Ends a partition: what is left of it can be spent by others.
    pub fn give_back(&mut self, slice: &str) -> Result<(), LedgerError> {
        let spent = self.budget.give_back(slice);
        self.append(LedgerEntry::Return { slice: slice.into(), spent })
    }

    /// Closes the ledger and returns its bytes; `None` when nothing was ever written.
    pub fn close(&mut self) -> Result<Option<Vec<u8>>, LedgerError> {
        if self.seq == 0 {
            return Ok(None);
        }
        let spent = self.budget.own() + self.budget.reserved();
        self.append(LedgerEntry::Close { spent })?;
        Ok(Some(self.bytes.clone()))
    }
}
