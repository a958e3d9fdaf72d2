//! Models that answer from the record of the run that is replayed.
//!
//! Each stage gets the limits its ledger was opened with, and what an attempt that was stopped had left, as it was when the
//! stage went on. Must never reach a provider: a question the record has no answer to is an error.

use std::collections::BTreeMap;

use crate::agent::gateway::{Gateway, GatewayConfig, Mode, PriceFn, Records};
use crate::agent::route::Routes;
use crate::agent::{CallFailure, CallSite, Models, StageCalls};
use crate::artifact::chain::split_round;
use crate::artifact::id::{Round, StageId};
use crate::artifact::kind::StageFile;
use crate::artifact::store::{ArtifactStore, StoreError};
use crate::artifact::types::exchange::Exchange;
use crate::artifact::types::ledger::{LedgerEntry, LedgerLimits, LedgerLine};
use crate::diagnostic::Failure as _;
use crate::diagnostic::redact::redact;
use crate::ports::clock::Clock;

/// A stage of a round.
type Place = (StageId, Round);

/// What the record of one stage holds.
#[derive(Default)]
struct Recorded {
    limits: LedgerLimits,
    /// The ledger of the attempts before the last one; empty where there was one only.
    earlier_ledger: Vec<u8>,
    /// Their exchanges.
    earlier_exchanges: Vec<u8>,
    /// What the last attempt was answered.
    records: Records,
    /// When its first call was made.
    began: Option<String>,
}

/// The records of a run, stage by stage.
pub struct RecordedRun {
    stages: BTreeMap<Place, Recorded>,
    nothing: Recorded,
}

impl RecordedRun {
    /// Reads the records of a run.
    pub fn read(store: &dyn ArtifactStore) -> Result<Self, CallFailure> {
        let mut stages = BTreeMap::new();
        for path in store.list().map_err(|error| unreadable(&error))? {
            let (round, base) = split_round(&path);
            if let Some((StageFile::Ledger, stage)) = StageFile::of(base) {
                let read =
                    |path: &str| store.read(path).map(Option::unwrap_or_default).map_err(|e| unreadable(&e));
                let exchanges = read(&StageFile::Cassette.path(stage, round))?;
                stages.insert((stage, round), recorded((stage, round), &read(&path)?, &exchanges)?);
            }
        }
        Ok(Self { stages, nothing: Recorded::default() })
    }

    /// Returns when the first call of the run was made, RFC 3339; `None`: none was.
    pub fn began(&self) -> Option<&str> {
        self.stages.values().filter_map(|stage| stage.began.as_deref()).min()
    }
}

/// Answers from the record of a run.
pub struct RecordedModels<'a> {
    run: &'a RecordedRun,
    gateways: BTreeMap<Place, Gateway<'a>>,
    nothing: Gateway<'a>,
}

impl<'a> RecordedModels<'a> {
    /// Returns the models of a run; `routes` names them as the run named them, without credentials.
    pub fn new(
        run: &'a RecordedRun,
        routes: &'a dyn Routes,
        clock: &'a dyn Clock,
        price_of: PriceFn<'a>,
    ) -> Self {
        let gateway = |recorded: &'a Recorded| {
            Gateway::new(GatewayConfig {
                limits: recorded.limits,
                stages: BTreeMap::new(),
                mode: Mode::Replay(&recorded.records),
                routes,
                clock,
                redact: &redact,
                price_of,
                sleep: &|_| (),
            })
        };
        let gateways = run.stages.iter().map(|(place, recorded)| (*place, gateway(recorded))).collect();
        Self { run, gateways, nothing: gateway(&run.nothing) }
    }
}

/// Splits ledger and cassette where the last attempt began.
fn recorded(place: Place, ledger: &[u8], cassette: &[u8]) -> Result<Recorded, CallFailure> {
    let mut found = Recorded::default();
    let (mut begin, mut at, mut last_id, mut ids_before) = (0, 0, 0, 0);
    for line in ledger.split_inclusive(|byte| *byte == b'\n') {
        match serde_json::from_slice::<LedgerLine>(line).map(|line| line.entry) {
            Ok(LedgerEntry::Open { limits, .. }) => {
                (found.limits, begin, ids_before) = (limits, at, last_id);
            }
            Ok(LedgerEntry::Reserve { id, .. }) => last_id = id,
            _ => {}
        }
        at += line.len();
    }
    found.earlier_ledger = ledger[..begin].to_vec();
    let mut later = Vec::new();
    for line in cassette.split_inclusive(|byte| *byte == b'\n') {
        let exchange = serde_json::from_slice::<Exchange>(line).ok();
        let attempt = exchange.as_ref().and_then(|exchange| exchange.attempts.first());
        found.began = found.began.or_else(|| attempt.map(|attempt| attempt.started_at.clone()));
        if exchange.is_some_and(|exchange| exchange.reservation <= ids_before) {
            found.earlier_exchanges.extend(line);
        } else {
            later.extend(line);
        }
    }
    found.records = Records::new([(place, later)])?;
    Ok(found)
}

fn unreadable(error: &StoreError) -> CallFailure {
    CallFailure {
        class: error.class(),
        what: error.to_string(),
        help: error.help().unwrap_or_else(|| "Look at the run folder.".into()),
    }
}

impl Models for RecordedModels<'_> {
    fn open<'a>(&'a self, site: CallSite<'a>) -> Result<Box<dyn StageCalls + 'a>, CallFailure> {
        let place = (site.stage, site.round);
        let recorded = self.run.stages.get(&place).unwrap_or(&self.run.nothing);
        for (file, bytes) in [
            (StageFile::Ledger, &recorded.earlier_ledger),
            (StageFile::Cassette, &recorded.earlier_exchanges),
        ] {
            if !bytes.is_empty() {
                let path = file.path(site.stage, site.round);
                site.store.write(&path, bytes).map_err(|error| unreadable(&error))?;
            }
        }
        self.gateways.get(&place).unwrap_or(&self.nothing).open(site)
    }
}
