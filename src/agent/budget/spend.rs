//! Where the money of a run went, by its ledgers and its record.
//!
//! Must never show an unknown cost as none, or money that may be spent as free.

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;

use super::ledger::LedgerError;
use super::read::{ReadLedger, RunLedgers};
use super::state::{Worst, kept};
use crate::artifact::chain::split_round;
use crate::artifact::kind::StageFile;
use crate::artifact::money::NanoUsd;
use crate::artifact::store::ArtifactStore;
use crate::artifact::types::exchange::Exchange;
use crate::artifact::types::ledger::{LedgerEntry, Totals};

/// So many dear prompts are told.
const DEAREST: usize = 3;

/// Where the money of a run went.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Spend {
    /// Everything.
    pub total: Part,
    /// By stage; later rounds and earlier attempts are in it.
    pub stages: BTreeMap<String, Part>,
    /// By role.
    pub roles: BTreeMap<String, Part>,
    /// By step.
    pub steps: BTreeMap<String, Part>,
    /// By provider and model.
    pub models: BTreeMap<String, Part>,
    /// How many questions were answered from the run's own record.
    pub reused: u64,
    /// The dearest prompts, dearest first.
    pub dearest: Vec<Dear>,
}

/// A part of what was spent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Part {
    /// All that counts against the limits, kept and unsettled reservations included.
    pub nano_usd: NanoUsd,
    /// The part of it of calls that may be billed, as after a time-out.
    pub kept_nano_usd: NanoUsd,
    /// The part of it that was reserved and never settled: a kill came, or the call is under way.
    pub reserved_nano_usd: NanoUsd,
    /// Tokens, in the same way.
    pub tokens: u64,
    /// How many calls.
    pub calls: u64,
    /// How many of them have no known cost.
    pub unknown_cost_calls: u64,
}

/// A dear prompt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Dear {
    /// The file of its record.
    pub cassette: String,
    /// The exchange in it.
    pub exchange: u64,
    /// The role.
    pub role: String,
    /// The step.
    pub step: String,
    /// The provider and model.
    pub model: String,
    /// The first line of the text that differs from call to call.
    pub first_line: String,
    /// Tokens.
    pub tokens: u64,
    /// What it cost; absent: not known.
    pub nano_usd: Option<NanoUsd>,
}

impl Part {
    fn add(&mut self, spent: Totals, reserved: bool) {
        self.nano_usd = self.nano_usd + spent.nano_usd;
        let of = if reserved { &mut self.reserved_nano_usd } else { &mut self.kept_nano_usd };
        *of = *of + spent.kept_nano_usd;
        self.tokens = self.tokens.saturating_add(spent.tokens);
        self.calls = self.calls.saturating_add(spent.calls);
        self.unknown_cost_calls = self.unknown_cost_calls.saturating_add(spent.unknown);
    }
}

/// Whom a reservation belongs to.
struct Owner {
    role: String,
    step: String,
    model: String,
    worst: Worst,
}

impl Spend {
    /// Reads the ledgers and the record of a run; a ledger that is not what it was is refused.
    pub fn read(store: &dyn ArtifactStore) -> Result<Self, LedgerError> {
        let mut spend = Self::default();
        for ledger in RunLedgers::read(store)?.ledgers {
            spend.take(&ledger);
        }
        spend.dearest = dearest(store)?;
        Ok(spend)
    }

    fn take(&mut self, ledger: &ReadLedger) {
        let mut open: BTreeMap<u64, Owner> = BTreeMap::new();
        let stage = ledger.stage.as_str();
        for line in &ledger.lines {
            match &line.entry {
                LedgerEntry::Open { .. } => self.lost(stage, &mut open),
                LedgerEntry::Reserve {
                    id,
                    role,
                    step,
                    provider,
                    model,
                    worst_nano_usd,
                    worst_tokens,
                    ..
                } => {
                    let worst = Worst { cost: *worst_nano_usd, tokens: *worst_tokens };
                    let (role, step) = (role.clone(), step.clone());
                    open.insert(*id, Owner { role, step, model: format!("{provider}/{model}"), worst });
                }
                LedgerEntry::Settle { id, usage, cost_nano_usd, took_ms, .. } => {
                    if let Some(owner) = open.remove(id) {
                        let spent = Totals {
                            nano_usd: cost_nano_usd.unwrap_or_default(),
                            kept_nano_usd: NanoUsd::ZERO,
                            tokens: usage.total(),
                            took_ms: *took_ms,
                            calls: 1,
                            unknown: u64::from(cost_nano_usd.is_none()),
                        };
                        self.add(stage, &owner, spent, false);
                    }
                }
                LedgerEntry::Keep { id, .. } => {
                    if let Some(owner) = open.remove(id) {
                        self.add(stage, &owner, kept(owner.worst, 0), false);
                    }
                }
                LedgerEntry::Release { id, .. } => drop(open.remove(id)),
                LedgerEntry::Reuse { .. } => self.reused += 1,
                LedgerEntry::Allot { .. } | LedgerEntry::Return { .. } | LedgerEntry::Close { .. } => {}
            }
        }
        self.lost(stage, &mut open);
    }

    fn lost(&mut self, stage: &str, open: &mut BTreeMap<u64, Owner>) {
        for owner in std::mem::take(open).into_values() {
            self.add(stage, &owner, kept(owner.worst, 0), true);
        }
    }

    fn add(&mut self, stage: &str, owner: &Owner, spent: Totals, reserved: bool) {
        self.total.add(spent, reserved);
        for (by, name) in [
            (&mut self.stages, stage),
            (&mut self.roles, owner.role.as_str()),
            (&mut self.steps, owner.step.as_str()),
            (&mut self.models, owner.model.as_str()),
        ] {
            by.entry(name.to_owned()).or_default().add(spent, reserved);
        }
    }
}

/// Returns the dearest prompts of all records, earlier attempts included, each once.
fn dearest(store: &dyn ArtifactStore) -> Result<Vec<Dear>, LedgerError> {
    let mut all: Vec<Dear> = Vec::new();
    let mut seen = HashSet::new();
    for path in store.list()? {
        let moved = path.strip_prefix("attempts/").and_then(|p| p.split_once('/')).map(|p| p.1);
        let base = split_round(moved.unwrap_or(&path)).1;
        if !matches!(StageFile::of(base), Some((StageFile::Cassette, _))) {
            continue;
        }
        let bytes = store.read(&path)?.unwrap_or_default();
        let whole = bytes.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        for (at, line) in bytes[..whole].split(|b| *b == b'\n').enumerate().filter(|(_, l)| !l.is_empty()) {
            let exchange: Exchange = serde_json::from_slice(line).map_err(|error| LedgerError::Broken {
                path: path.clone(),
                why: format!("belongs to a record whose line {} is no exchange: {error}", at + 1),
            })?;
            if exchange.usage.is_some() && seen.insert(crate::artifact::digest::Digest::of(line)) {
                all.push(dear(&path, &exchange));
            }
        }
        // An unknown cost may be any: those come by their tokens, after the known ones.
        all.sort_by_key(|dear| std::cmp::Reverse((dear.nano_usd, dear.tokens)));
        all.truncate(DEAREST);
    }
    Ok(all)
}

fn dear(path: &str, exchange: &Exchange) -> Dear {
    Dear {
        cassette: path.to_owned(),
        exchange: exchange.seq,
        role: exchange.role.clone(),
        step: exchange.step.clone(),
        model: format!("{}/{}", exchange.provider, exchange.model),
        first_line: last_text(&exchange.request.body)
            .and_then(|text| text.lines().map(str::trim).find(|line| !line.is_empty()))
            .map(|line| line.chars().take(100).collect())
            .unwrap_or_default(),
        tokens: exchange.usage.map_or(0, |usage| usage.total()),
        nano_usd: exchange.cost_nano_usd,
    }
}

/// Returns the user text that differs from call to call: the last text of what the formats call messages, input or contents.
fn last_text(body: &serde_json::Value) -> Option<&str> {
    use serde_json::Value;

    fn last(value: &Value) -> Option<&str> {
        match value {
            Value::String(text) => Some(text),
            Value::Array(items) => items.iter().rev().find_map(last),
            Value::Object(map) => {
                ["prompt", "text", "content", "parts"].iter().find_map(|k| last(map.get(*k)?))
            }
            _ => None,
        }
    }
    ["prompt", "messages", "input", "contents", "request"].iter().find_map(|key| last(body.get(*key)?))
}
