//! Which providers are not asked for a while.
//!
//! Must never close a door for ever: after the cool-down one call may try it.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::agent::CallFailure;
use crate::artifact::chain::split_round;
use crate::artifact::kind::StageFile;
use crate::artifact::store::ArtifactStore;
use crate::artifact::types::breaker::{BreakerFile, DoorState};
use crate::ports::model::CallError;

/// So many failures in a row, and a provider is given up.
const FAILURES: u32 = 3;
/// After so many seconds it is tried again.
const COOL_DOWN_S: i64 = 300;

/// The doors of a run as a stage sees them.
#[derive(Debug, Default)]
pub(super) struct Doors {
    states: BreakerFile,
    touched: BTreeSet<String>,
}

impl Doors {
    /// Reads what the stages before found out; of two that know a provider, the one that saw it last is believed.
    pub(super) fn read(store: &dyn ArtifactStore) -> Result<Self, CallFailure> {
        let mut states = BreakerFile::new();
        for path in store.list().map_err(|e| super::failure::from(&e))? {
            if !matches!(StageFile::of(split_round(&path).1), Some((StageFile::Breaker, _))) {
                continue;
            }
            let bytes = store.read(&path).map_err(|e| super::failure::from(&e))?.unwrap_or_default();
            let file: BreakerFile = serde_json::from_slice(&bytes)
                .map_err(|error| super::failure::broken(&path, &format!("cannot be read: {error}")))?;
            for (name, state) in file {
                let newer = states.get(&name).is_none_or(|known| known.seen_at <= state.seen_at);
                if newer {
                    states.insert(name, state);
                }
            }
        }
        Ok(Self { states, touched: BTreeSet::new() })
    }

    /// Returns why a provider is not asked now; `None` when it may be.
    pub(super) fn closed(&self, provider: &str, now: Timestamp) -> Option<&DoorState> {
        let state = self.states.get(provider)?;
        let opened: Timestamp = state.opened_at.as_ref()?.parse().ok()?;
        (now.as_second().saturating_sub(opened.as_second()) < COOL_DOWN_S).then_some(state)
    }

    /// Takes the outcome of an attempt in; `None` is an answer, `said` the error as it stands in the record.
    pub(super) fn saw(&mut self, provider: &str, error: Option<&CallError>, said: &str, at: &str) {
        let state = self.states.entry(provider.to_owned()).or_default();
        let Some(error) = error else {
            // A provider that never failed needs no line.
            if state.failures == 0 && state.seen_at.is_empty() {
                self.states.remove(provider);
                return;
            }
            *state = DoorState { seen_at: at.to_owned(), ..DoorState::default() };
            self.touched.insert(provider.to_owned());
            return;
        };
        let at_once = matches!(error, CallError::Spend { .. } | CallError::Auth { .. });
        let counts = matches!(
            error,
            CallError::Overloaded { .. }
                | CallError::Timeout { .. }
                | CallError::Cut { .. }
                | CallError::Offline { .. }
        );
        if !at_once && !counts {
            if state.seen_at.is_empty() {
                self.states.remove(provider);
            }
            return;
        }
        state.failures = state.failures.saturating_add(1);
        if at_once || state.failures >= FAILURES {
            state.opened_at = Some(at.to_owned());
        }
        at.clone_into(&mut state.seen_at);
        error.kind().clone_into(&mut state.reason);
        said.clone_into(&mut state.message);
        self.touched.insert(provider.to_owned());
    }

    /// Returns what this stage found out.
    pub(super) fn file(&self) -> Option<Vec<u8>> {
        let own: BreakerFile = self
            .states
            .iter()
            .filter(|(name, _)| self.touched.contains(*name))
            .map(|(name, state)| (name.clone(), state.clone()))
            .collect();
        if own.is_empty() { None } else { crate::artifact::digest::canonical_json(&own).ok() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::id::{Round, StageId};
    use crate::artifact::store::MemoryStore;

    const AT: &str = "2026-01-01T00:00:00Z";

    fn at(seconds: i64) -> Timestamp {
        AT.parse::<Timestamp>().unwrap() + jiff::SignedDuration::from_secs(seconds)
    }

    #[test]
    fn three_failures_in_a_row_or_one_of_money_close_a_door_for_a_while() {
        let down = CallError::Overloaded { status: 529, after: None, code: "overloaded".into() };
        let mut doors = Doors::default();
        doors.saw("a", Some(&down), "", AT);
        doors.saw("a", Some(&down), "", AT);
        doors.saw("a", None, "", AT);
        doors.saw("a", Some(&down), "", AT);
        doors.saw("a", Some(&down), "", AT);
        assert!(doors.closed("a", at(0)).is_none());
        doors.saw("a", Some(&down), "", AT);
        assert_eq!(doors.closed("a", at(1)).unwrap().reason, "overloaded");
        assert!(doors.closed("a", at(300)).is_none(), "half open");
        doors.saw("a", Some(&down), "", &at(300).to_string());
        assert!(doors.closed("a", at(301)).is_some(), "one failure closes it again");
        doors.saw("b", Some(&CallError::Spend { code: "x".into() }), "", AT);
        assert!(doors.closed("b", at(0)).is_some());
        doors.saw("c", None, "", AT);
        doors.saw("c", Some(&CallError::Wait { after: None, code: "x".into() }), "", AT);
        let store = MemoryStore::default();
        store.write(&StageFile::Breaker.path(StageId::Plan, Round::FIRST), &doors.file().unwrap()).unwrap();
        let next = Doors::read(&store).unwrap();
        assert!(next.closed("a", at(301)).is_some() && next.closed("b", at(0)).is_some());
        assert_eq!(next.states.len(), 2);
        assert!(next.file().is_none());
    }

    #[test]
    fn a_later_stage_that_reached_it_opens_the_door() {
        let store = MemoryStore::default();
        let mut doors = Doors::default();
        doors.saw("a", Some(&CallError::Auth { code: "x".into() }), "", AT);
        store.write(&StageFile::Breaker.path(StageId::Plan, Round::FIRST), &doors.file().unwrap()).unwrap();
        let mut later = Doors::read(&store).unwrap();
        later.saw("a", None, "", &at(400).to_string());
        store
            .write(&StageFile::Breaker.path(StageId::Generate, Round::FIRST), &later.file().unwrap())
            .unwrap();
        assert!(Doors::read(&store).unwrap().closed("a", at(1)).is_none());
        store.write(&StageFile::Breaker.path(StageId::Plan, Round::FIRST), b"{").unwrap();
        assert!(Doors::read(&store).is_err());
    }
}
