//! The ledgers of a run as they lie in its folder: chained, checked, each counted once.
//!
//! Must never take an edited, shortened or missing ledger for a smaller sum: what does not add up is refused.

use std::collections::{BTreeMap, BTreeSet};

use super::ledger::LedgerError;
use super::state::{Worst, kept};
use crate::artifact::chain::split_round;
use crate::artifact::digest::Digest;
use crate::artifact::id::{Round, StageId};
use crate::artifact::kind::StageFile;
use crate::artifact::store::ArtifactStore;
use crate::artifact::types::ledger::{Head, LedgerEntry, LedgerLine, Totals};

/// Every ledger of a run, each once: a copy that another one goes on from is left out.
#[derive(Clone, Debug, Default)]
pub struct RunLedgers {
    /// The ledgers, sorted by path.
    pub ledgers: Vec<ReadLedger>,
}

/// One ledger.
#[derive(Clone, Debug)]
pub struct ReadLedger {
    /// Where it lies.
    pub path: String,
    /// Its stage.
    pub stage: StageId,
    /// Its round.
    pub round: Round,
    /// The attempt it was moved to; absent: it is the newest of its stage and round.
    pub attempt: Option<u32>,
    /// Its lines.
    pub lines: Vec<LedgerLine>,
    /// The digests of the lines.
    pub digests: Vec<Digest>,
    /// How many bytes the whole lines have; more than that is what a kill left of a line.
    pub whole: usize,
    /// What it holds as spent; reservations that were never settled are.
    pub spent: Totals,
    /// The part of `spent` that is reservations nobody settled.
    pub unsettled: Totals,
    /// The last number of a reservation.
    pub last_id: u64,
}

impl RunLedgers {
    /// Reads and checks every ledger of a run, those of earlier attempts included.
    pub fn read(store: &dyn ArtifactStore) -> Result<Self, LedgerError> {
        let mut found = Vec::new();
        for path in store.list()? {
            let Some((attempt, stage, round)) = place_of(&path) else { continue };
            let bytes = store.read(&path)?.unwrap_or_default();
            let ledger = ReadLedger::parse(&path, attempt, (stage, round), &bytes)?;
            if !ledger.lines.is_empty() || attempt.is_none() {
                found.push(ledger);
            }
        }
        let all = Self { ledgers: distinct(found) };
        all.check_heads()?;
        Ok(all)
    }

    /// Returns what all ledgers hold as spent.
    pub fn spent(&self) -> Totals {
        self.ledgers.iter().map(|l| l.spent).fold(Totals::default(), |a, b| a + b)
    }

    /// Returns the last line of every ledger, sorted.
    pub fn heads(&self) -> Vec<Head> {
        let head = |ledger: &ReadLedger| {
            let digest = ledger.digests.last()?.clone();
            Some(Head { path: ledger.path.clone(), seq: ledger.lines.len() as u64, digest })
        };
        self.ledgers.iter().filter_map(head).collect()
    }

    /// Checks that every line a ledger was opened after is still there, wherever its file is now.
    fn check_heads(&self) -> Result<(), LedgerError> {
        let known: BTreeSet<&Digest> = self.ledgers.iter().flat_map(|l| &l.digests).collect();
        for ledger in &self.ledgers {
            for line in &ledger.lines {
                let LedgerEntry::Open { heads, .. } = &line.entry else { continue };
                if let Some(gone) = heads.iter().find(|head| !known.contains(&head.digest)) {
                    return Err(LedgerError::Broken {
                        path: gone.path.clone(),
                        why: format!(
                            "lacks the line {} ({}) that `{}` was opened after: it was changed, shortened or removed",
                            gone.seq,
                            gone.digest.short(),
                            ledger.path
                        ),
                    });
                }
            }
        }
        Ok(())
    }
}

impl ReadLedger {
    /// Parses and checks one file; an unfinished last line is left out, and in `attempts/` it is refused.
    pub fn parse(
        path: &str,
        attempt: Option<u32>,
        (stage, round): (StageId, Round),
        bytes: &[u8],
    ) -> Result<Self, LedgerError> {
        let broken = |why: String| LedgerError::Broken { path: path.to_owned(), why };
        let whole = bytes.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        if whole < bytes.len() && attempt.is_some() {
            return Err(broken("ends in the middle of a line".into()));
        }
        let mut tally = Tally::default();
        let (mut lines, mut digests) = (Vec::new(), Vec::<Digest>::new());
        for (at, text) in bytes[..whole].split_inclusive(|b| *b == b'\n').enumerate() {
            let number = at + 1;
            let text = text.strip_suffix(b"\n").unwrap_or(text);
            let line: LedgerLine = serde_json::from_slice(text)
                .map_err(|error| broken(format!("has a line {number} that is none of a ledger: {error}")))?;
            let prev = match (digests.last(), &line.entry) {
                (Some(last), _) => last.clone(),
                (None, LedgerEntry::Open { heads, .. }) => Digest::of_json(heads)
                    .map_err(|error| broken(format!("names heads that have no canonical form: {error}")))?,
                (None, _) => return Err(broken("does not begin with an opening".into())),
            };
            if line.prev != prev || line.seq != number as u64 {
                return Err(broken(format!("is not chained at line {number}: it was changed")));
            }
            if let LedgerEntry::Open { stage: s, round: r, .. } = &line.entry
                && (*s, *r) != (stage, round)
            {
                return Err(broken(format!("is the ledger of `{s}` in round {r}")));
            }
            tally
                .take(&line.entry)
                .map_err(|why| broken(format!("does not add up at line {number}: {why}")))?;
            digests.push(Digest::of(text));
            lines.push(line);
        }
        let unsettled = tally.unsettled();
        Ok(Self {
            path: path.to_owned(),
            stage,
            round,
            attempt,
            lines,
            digests,
            whole,
            spent: tally.spent + unsettled,
            unsettled: tally.lost + unsettled,
            last_id: tally.last_id,
        })
    }

    /// Returns how often it was opened.
    pub fn openings(&self) -> u32 {
        let opened = self.lines.iter().filter(|l| matches!(l.entry, LedgerEntry::Open { .. }));
        u32::try_from(opened.count()).unwrap_or(u32::MAX)
    }
}

/// Adds up the entries of one file.
#[derive(Default)]
struct Tally {
    spent: Totals,
    lost: Totals,
    open: BTreeMap<u64, Worst>,
    last_id: u64,
}

impl Tally {
    fn take(&mut self, entry: &LedgerEntry) -> Result<(), String> {
        match entry {
            LedgerEntry::Open { .. } => {
                // What a stopped attempt had reserved may be billed.
                let lost = self.unsettled();
                self.open.clear();
                self.lost = self.lost + lost;
                self.spent = self.spent + lost;
            }
            LedgerEntry::Reserve { id, worst_nano_usd, worst_tokens, .. } => {
                if *id <= self.last_id {
                    return Err(format!("the reservation {id} is there twice"));
                }
                self.last_id = *id;
                self.open.insert(*id, Worst { cost: *worst_nano_usd, tokens: *worst_tokens });
            }
            LedgerEntry::Settle { id, usage, cost_nano_usd, took_ms, .. } => {
                self.end(*id)?;
                self.spent = self.spent
                    + Totals {
                        nano_usd: cost_nano_usd.unwrap_or_default(),
                        tokens: usage.total(),
                        took_ms: *took_ms,
                        calls: 1,
                        unknown: u64::from(cost_nano_usd.is_none()),
                        ..Totals::default()
                    };
            }
            LedgerEntry::Keep { id, took_ms, .. } => {
                let worst = self.end(*id)?;
                self.spent = self.spent + kept(worst, *took_ms);
            }
            LedgerEntry::Release { id, took_ms, .. } => {
                self.end(*id)?;
                self.spent = self.spent + Totals { took_ms: *took_ms, ..Totals::default() };
            }
            LedgerEntry::Close { spent } => {
                if *spent != self.spent + self.unsettled() {
                    return Err("the closing sum is another".into());
                }
            }
            LedgerEntry::Reuse { .. } | LedgerEntry::Allot { .. } | LedgerEntry::Return { .. } => {}
        }
        Ok(())
    }

    fn end(&mut self, id: u64) -> Result<Worst, String> {
        self.open.remove(&id).ok_or_else(|| format!("there is no open reservation {id}"))
    }

    fn unsettled(&self) -> Totals {
        self.open.values().map(|worst| kept(*worst, 0)).fold(Totals::default(), |a, b| a + b)
    }
}

/// Returns the attempt, stage and round of a ledger's path; `None` for every other file.
fn place_of(path: &str) -> Option<(Option<u32>, StageId, Round)> {
    let moved = path.strip_prefix("attempts/").and_then(|rest| rest.split_once('/'));
    let (attempt, rest) = match moved {
        Some((number, rest)) => (Some(number.parse().ok()?), rest),
        None => (None, path),
    };
    let (round, base) = split_round(rest);
    match StageFile::of(base)? {
        (StageFile::Ledger, stage) => Some((attempt, stage, round)),
        _ => None,
    }
}

/// Leaves out each ledger that another one of the same stage and round goes on from.
///
/// Moving a stage to `attempts/` copies before it removes: after a kill in between both are there.
fn distinct(found: Vec<ReadLedger>) -> Vec<ReadLedger> {
    let begins = |a: &ReadLedger, b: &ReadLedger| b.digests.starts_with(&a.digests);
    let twice = |at: usize| {
        let this: &ReadLedger = &found[at];
        found.iter().enumerate().any(|(other_at, other)| {
            other_at != at
                && (other.stage, other.round) == (this.stage, this.round)
                && begins(this, other)
                // Of two that are the same, the first stays.
                && (other.digests.len() > this.digests.len() || other_at < at)
        })
    };
    let keep: Vec<bool> = (0..found.len()).map(|at| !twice(at)).collect();
    found.into_iter().zip(keep).filter_map(|(ledger, keep)| keep.then_some(ledger)).collect()
}
