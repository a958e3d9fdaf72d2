//! The events of one stage, kept for its journal file and passed on to everybody else.
//!
//! Must never hold back an event: the journal listens, nothing more. Must never keep a secret.

use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use crate::ports::clock::Clock;
use crate::telemetry::{Event, Events};

/// Keeps and passes on the events of one stage.
pub(super) struct Journal<'a> {
    next: &'a dyn Events,
    clock: &'a dyn Clock,
    lines: Mutex<Vec<u8>>,
}

#[derive(Serialize)]
struct Line<'a> {
    /// RFC 3339, whole seconds.
    at: String,
    #[serde(flatten)]
    event: &'a Event,
}

impl<'a> Journal<'a> {
    pub(super) fn new(next: &'a dyn Events, clock: &'a dyn Clock) -> Self {
        Self { next, clock, lines: Mutex::new(Vec::new()) }
    }

    /// Keeps an event without passing it on.
    pub(super) fn keep(&self, event: &Event) {
        let line = Line { at: self.clock.now().to_string(), event: &event.masked() };
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if serde_json::to_writer(&mut *lines, &line).is_ok() {
            lines.push(b'\n');
        }
    }

    /// Returns the journal so far, one JSON object a line.
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Events for Journal<'_> {
    fn emit(&self, event: &Event) {
        self.keep(event);
        self.next.emit(event);
    }
}
