//! Random schedules of calls, time-outs, kills, re-runs and raises against the arithmetic and the files.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{Ledger, Reservation, ReserveError, RunLedgers, Worst};
use crate::artifact::digest::Digest;
use crate::artifact::id::{Round, StageId};
use crate::artifact::kind::StageFile;
use crate::artifact::money::NanoUsd;
use crate::artifact::store::{ArtifactStore as _, MemoryStore};
use crate::artifact::types::exchange::Usage;
use crate::artifact::types::ledger::{Ceiling, LedgerLimits, Totals};

/// One thing that happens.
#[derive(Clone, Debug)]
enum Event {
    /// A call begins that may cost so much.
    Begin { worst: u64, tokens: u64, sliced: bool },
    /// One of the calls under way ends: so many percent of its worst case are billed.
    End { which: usize, percent: u64, how: How },
    /// The process is killed, and what was written last is torn by so many bytes.
    Kill { torn: usize },
    /// The stage is finished.
    Close,
    /// The next stage, or the next round, begins.
    Next { stage: usize, round: u32 },
    /// A finished stage is moved to `attempts/`; a kill stops that after so many steps.
    Rerun { stage: usize, steps: usize },
    /// The ceiling is another from the next opening on.
    Limit { cost: u64, tokens: u64 },
    /// A part is set aside for a subtask, or given back.
    Split { cost: u64 },
    /// The disk is full for so many writes to come.
    Full { after: u32 },
}

#[derive(Clone, Copy, Debug)]
enum How {
    Settled,
    TimedOut,
    NotBilled,
}

fn event() -> impl Strategy<Value = Event> {
    let how = prop_oneof![4 => Just(How::Settled), 1 => Just(How::TimedOut), 1 => Just(How::NotBilled)];
    prop_oneof![
        8 => (0_u64..400, 0_u64..400, any::<bool>())
            .prop_map(|(worst, tokens, sliced)| Event::Begin { worst, tokens, sliced }),
        8 => (any::<usize>(), 0_u64..=100, how).prop_map(|(which, percent, how)| Event::End { which, percent, how }),
        2 => (0_usize..200).prop_map(|torn| Event::Kill { torn }),
        2 => Just(Event::Close),
        2 => (0_usize..3, 1_u32..3).prop_map(|(stage, round)| Event::Next { stage, round }),
        2 => (0_usize..3, 0_usize..3).prop_map(|(stage, steps)| Event::Rerun { stage, steps }),
        1 => (0_u64..3000, 0_u64..3000).prop_map(|(cost, tokens)| Event::Limit { cost, tokens }),
        1 => (0_u64..500).prop_map(|cost| Event::Split { cost }),
        1 => (0_u32..3).prop_map(|after| Event::Full { after }),
    ]
}

const STAGES: [StageId; 3] = [StageId::Plan, StageId::TestWrite, StageId::Generate];

/// The world outside of the files.
struct World<'a> {
    store: &'a MemoryStore,
    limits: LedgerLimits,
    place: (StageId, Round),
    ledger: Option<Ledger<'a>>,
    under_way: BTreeMap<u64, Worst>,
    /// What the provider really billed.
    billed: Totals,
    attempts: u32,
    sliced: bool,
}

impl<'a> World<'a> {
    fn ledger(&mut self) -> &mut Ledger<'a> {
        if self.ledger.is_none() {
            self.store.fail_after(None);
            self.ledger = Some(Ledger::open(self.store, self.place, self.limits).unwrap());
        }
        self.ledger.as_mut().unwrap()
    }

    /// What was under way when the process died is billed: nobody waited for the answer.
    fn die(&mut self) {
        for worst in std::mem::take(&mut self.under_way).into_values() {
            self.bill(worst, 100);
        }
        (self.ledger, self.sliced) = (None, false);
        self.store.fail_after(None);
    }

    fn bill(&mut self, worst: Worst, percent: u64) {
        self.billed.nano_usd = self.billed.nano_usd + NanoUsd(worst.cost.unwrap().0 * percent / 100);
        self.billed.tokens += worst.tokens * percent / 100;
    }

    fn begin(&mut self, worst: u64, tokens: u64, slice: Option<&str>) {
        let worst = Worst { cost: Some(NanoUsd(worst)), tokens };
        let exchange = Digest::of(b"x");
        let wanted = Reservation {
            exchange: &exchange,
            provider: "p",
            model: "m",
            role: "r",
            step: "s",
            worst,
            price: None,
            slice,
        };
        match self.ledger().reserve(&wanted) {
            Ok(id) => drop(self.under_way.insert(id, worst)),
            Err(ReserveError::Exhausted(_)) => {}
            Err(ReserveError::Ledger(_)) => self.store.fail_after(None),
        }
    }

    fn end(&mut self, which: usize, percent: u64, how: How) {
        let Some(id) = self.under_way.keys().nth(which % self.under_way.len().max(1)).copied() else {
            return;
        };
        let Some(worst) = self.under_way.remove(&id) else { return };
        if !matches!(how, How::NotBilled) {
            self.bill(worst, percent);
        }
        let written = match how {
            How::Settled => {
                let usage = Usage { input: worst.tokens * percent / 100, ..Usage::default() };
                let cost = NanoUsd(worst.cost.unwrap().0 * percent / 100);
                self.ledger().settle(id, usage, Some(cost), false, 1)
            }
            How::TimedOut => self.ledger().keep(id, "timeout", 1),
            How::NotBilled => self.ledger().release(id, "wait", 1),
        };
        if written.is_err() {
            self.store.fail_after(None);
        }
    }

    fn kill(&mut self, torn: usize) {
        let path = StageFile::Ledger.path(self.place.0, self.place.1);
        let open = self.ledger.is_some();
        self.die();
        let Some(bytes) = self.store.read(&path).unwrap().filter(|_| open && torn > 0) else { return };
        // A kill tears only a line that was being written: what it speaks of has not happened.
        let mut bytes = bytes;
        let half =
            b"{\"entry\":{\"cost_nano_usd\":1,\"entry\":\"settle\",\"estimated\":true,\"id\":1,\"took_ms\":1";
        bytes.extend_from_slice(&half[..torn.min(half.len())]);
        self.store.write(&path, &bytes).unwrap();
    }

    fn rerun(&mut self, stage: usize, steps: usize) {
        self.die();
        let paths: Vec<String> = [1, 2]
            .into_iter()
            .map(|round| StageFile::Ledger.path(STAGES[stage], Round::new(round).unwrap()))
            .filter(|path| self.store.read(path).unwrap().is_some_and(|b| b.ends_with(b"\n")))
            .collect();
        self.attempts += 1;
        self.store.preserve(&paths, &format!("attempts/{}", self.attempts)).unwrap();
        for path in paths.iter().take(steps) {
            self.store.remove(path).unwrap();
        }
    }

    fn take(&mut self, event: &Event) {
        match *event {
            Event::Begin { worst, tokens, sliced } => {
                let slice = (sliced && self.sliced).then_some("part");
                self.begin(worst, tokens, slice);
            }
            Event::End { which, percent, how } => self.end(which, percent, how),
            Event::Kill { torn } => self.kill(torn),
            Event::Close => {
                if self.under_way.is_empty() && self.ledger.is_some() {
                    if self.ledger().close().is_err() {
                        self.store.fail_after(None);
                    }
                    self.die();
                }
            }
            Event::Next { stage, round } => {
                self.die();
                self.place = (STAGES[stage], Round::new(round).unwrap());
            }
            Event::Rerun { stage, steps } => self.rerun(stage, steps),
            Event::Limit { cost, tokens } => {
                self.die();
                let run =
                    Ceiling { max_nano_usd: Some(NanoUsd(cost)), max_tokens: Some(tokens), ttl_ms: None };
                self.limits.run = run;
            }
            Event::Split { cost } => {
                if self.sliced {
                    let _ = self.ledger().give_back("part");
                    self.sliced = false;
                } else {
                    self.sliced = self.ledger().allot("part", Some(NanoUsd(cost)), Some(cost)).is_ok();
                }
                self.store.fail_after(None);
            }
            Event::Full { after } => self.store.fail_after(Some(after)),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn spent_and_reserved_never_pass_the_ceiling_and_never_fall_below_what_was_billed(
        events in proptest::collection::vec(event(), 0..80),
    ) {
        let store = MemoryStore::default();
        let run = Ceiling { max_nano_usd: Some(NanoUsd(1500)), max_tokens: Some(1500), ttl_ms: None };
        let mut world = World {
            store: &store,
            limits: LedgerLimits { run, ..LedgerLimits::default() },
            place: (StageId::Plan, Round::FIRST),
            ledger: None,
            under_way: BTreeMap::new(),
            billed: Totals::default(),
            attempts: 0,
            sliced: false,
        };
        let mut highest = (1500, 1500);
        for event in &events {
            world.take(event);
            // A ceiling that is lowered below what is spent lets nothing more begin.
            let ceiling = world.limits.run;
            highest.0 = highest.0.max(ceiling.max_nano_usd.unwrap().0);
            highest.1 = highest.1.max(ceiling.max_tokens.unwrap());
            let files = RunLedgers::read(&store).unwrap().spent();
            prop_assert!(files.nano_usd >= world.billed.nano_usd, "{files:?} {:?}", world.billed);
            prop_assert!(files.tokens >= world.billed.tokens, "{files:?} {:?}", world.billed);
            prop_assert!(files.nano_usd.0 <= highest.0 && files.tokens <= highest.1, "{files:?}");
            if let Some(ledger) = &world.ledger {
                let all = ledger.budget().spent() + ledger.budget().reserved();
                prop_assert!(all.nano_usd >= files.nano_usd || store.list().unwrap().is_empty());
                prop_assert!(all.nano_usd.0 <= highest.0 && all.tokens <= highest.1, "{all:?}");
            }
        }
    }
}
