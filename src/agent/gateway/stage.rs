//! The calls of one stage: several questions go on side by side, and everything they write down is in order.
//!
//! Must never write a line from a thread of a call: calls are sent side by side, and absorbed in the order of the questions.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::breaker::Doors;
use super::cassette::Cassette;
use super::job::{Job, Sent, Step};
use super::{Gateway, GatewayConfig, Mode, failure};
use crate::agent::budget::{Ledger, ReserveError};
use crate::agent::{Answer, Ask, CallFailure, CallSite, Calls, Part, StageCalls};
use crate::artifact::digest::Digest;
use crate::artifact::kind::StageFile;

/// So many calls are under way at once.
const SIDE_BY_SIDE: usize = 8;

/// The calls of one stage.
pub(super) struct StageGateway<'a> {
    pub(super) gateway: &'a Gateway<'a>,
    pub(super) site: CallSite<'a>,
    pub(super) started: Duration,
    state: Mutex<State<'a>>,
}

/// What grows while a stage runs.
pub(super) struct State<'a> {
    pub(super) ledger: Ledger<'a>,
    pub(super) cassette: Cassette<'a>,
    pub(super) doors: Doors,
    /// How many exchanges of a key with a provider were replayed.
    pub(super) replayed: HashMap<(Digest, String), usize>,
}

impl<'a> StageGateway<'a> {
    pub(super) fn open(gateway: &'a Gateway<'a>, site: CallSite<'a>) -> Result<Self, CallFailure> {
        let place = (site.stage, site.round);
        let limits = gateway.limits(site.stage);
        let ledger = Ledger::open(site.store, place, limits).map_err(|e| failure::from(&e))?;
        let cassette = Cassette::open(site.store, place, ledger.is_new())?;
        let doors = Doors::read(site.store)?;
        let state = State { ledger, cassette, doors, replayed: HashMap::new() };
        let started = gateway.config.clock.elapsed();
        Ok(Self { gateway, site, started, state: Mutex::new(state) })
    }

    pub(super) fn config(&self) -> &GatewayConfig<'a> {
        &self.gateway.config
    }

    fn state(&self) -> MutexGuard<'_, State<'a>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns how long the stage has worked; in a replay, no time passes but that of the record.
    pub(super) fn worked(&self) -> Duration {
        match self.config().mode {
            Mode::Replay(_) => Duration::ZERO,
            _ => self.config().clock.elapsed().saturating_sub(self.started),
        }
    }

    /// Sets parts of what is left aside, one for each name; what is absent is all that is left.
    ///
    /// Each part can be spent through its subtask alone; what it leaves comes back when the subtask is dropped.
    fn partition(&self, parts: &[Part]) -> Result<Vec<Box<dyn Calls + '_>>, CallFailure> {
        let mut subtasks: Vec<Box<dyn Calls + '_>> = Vec::new();
        for Part { name, max_cost, max_tokens } in parts {
            let allotted = self.state().ledger.allot(name, *max_cost, *max_tokens);
            allotted.map_err(|error| match error {
                ReserveError::Exhausted(error) => failure::from(&error),
                ReserveError::Ledger(error) => failure::from(&error),
            })?;
            subtasks.push(Box::new(Subtask { stage: self, name: name.clone() }));
        }
        Ok(subtasks)
    }

    /// Answers questions side by side: reserve in order, send at once, absorb in order, until none is left.
    fn answer(&self, asks: &[Ask], slice: Option<&str>) -> Vec<Result<Answer, CallFailure>> {
        let mut jobs: Vec<Job> = asks.iter().map(|ask| Job::new(self, ask, slice)).collect();
        let mut done: BTreeMap<usize, Result<Answer, CallFailure>> = BTreeMap::new();
        let mut waiting: Vec<usize> = (0..jobs.len()).collect();
        while !waiting.is_empty() {
            let mut state = self.state();
            let mut under_way = Vec::new();
            let mut later = Vec::new();
            let mut keys = Vec::new();
            for at in std::mem::take(&mut waiting) {
                if under_way.len() == SIDE_BY_SIDE {
                    later.push(at);
                    continue;
                }
                match jobs[at].prepare(self, &mut state, &keys) {
                    Step::Done(result) => {
                        done.insert(at, result);
                    }
                    Step::Wait => later.push(at),
                    Step::Send { key } => {
                        keys.push(key);
                        under_way.push(at);
                    }
                }
            }
            drop(state);
            let sent = send(self, &jobs, &under_way);
            let mut state = self.state();
            waiting.clone_from(&under_way);
            for (at, sent) in under_way.into_iter().zip(sent) {
                if let Some(result) = jobs[at].absorb(self, &mut state, sent) {
                    waiting.retain(|other| *other != at);
                    done.insert(at, result);
                }
            }
            waiting.extend(later);
            waiting.sort_unstable();
        }
        done.into_values().collect()
    }
}

/// Sends what is prepared, side by side, and returns what came in the order of the questions.
fn send(stage: &StageGateway<'_>, jobs: &[Job], under_way: &[usize]) -> Vec<Option<Sent>> {
    let config = stage.config();
    if let [only] = under_way {
        return vec![jobs[*only].send(config)];
    }
    std::thread::scope(|scope| {
        let threads: Vec<_> = under_way.iter().map(|at| scope.spawn(|| jobs[*at].send(config))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or_default()).collect()
    })
}

impl Calls for StageGateway<'_> {
    fn ask(&self, ask: &Ask) -> Result<Answer, CallFailure> {
        let mut answers = self.answer(std::slice::from_ref(ask), None);
        answers.pop().unwrap_or_else(|| Err(failure::fault("a question has no answer and no error".into())))
    }

    fn ask_all(&self, asks: &[Ask]) -> Vec<Result<Answer, CallFailure>> {
        self.answer(asks, None)
    }

    fn split(&self, parts: &[Part]) -> Result<Vec<Box<dyn Calls + '_>>, CallFailure> {
        self.partition(parts)
    }
}

impl StageCalls for StageGateway<'_> {
    fn close(&self) -> Result<Vec<(StageFile, Vec<u8>)>, CallFailure> {
        let mut state = self.state();
        let mut files = Vec::new();
        if let Some(bytes) = state.ledger.close().map_err(|e| failure::from(&e))? {
            files.push((StageFile::Ledger, bytes));
        }
        if let Some(bytes) = state.cassette.bytes() {
            files.push((StageFile::Cassette, bytes));
        }
        if let Some(bytes) = state.doors.file() {
            files.push((StageFile::Breaker, bytes));
        }
        Ok(files)
    }
}

/// A part of a stage with a budget of its own.
struct Subtask<'s, 'a> {
    stage: &'s StageGateway<'a>,
    name: String,
}

impl Calls for Subtask<'_, '_> {
    fn ask(&self, ask: &Ask) -> Result<Answer, CallFailure> {
        let mut answers = self.stage.answer(std::slice::from_ref(ask), Some(&self.name));
        answers.pop().unwrap_or_else(|| Err(failure::fault("a question has no answer and no error".into())))
    }

    fn ask_all(&self, asks: &[Ask]) -> Vec<Result<Answer, CallFailure>> {
        self.stage.answer(asks, Some(&self.name))
    }
}

impl Drop for Subtask<'_, '_> {
    fn drop(&mut self) {
        // Where the line cannot be written the money is free all the same: no line of a ledger takes it away.
        let _ = self.stage.state().ledger.give_back(&self.name);
    }
}
