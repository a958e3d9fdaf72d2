//! Events as JSON, one object a line.

use std::io::Write;
use std::sync::{Mutex, PoisonError};

use crate::telemetry::{Event, Events};

/// Writes every event as one line of JSON.
pub struct JsonLines {
    out: Mutex<Box<dyn Write + Send>>,
}

impl JsonLines {
    /// Writes to `out`.
    pub fn new(out: Box<dyn Write + Send>) -> Self {
        Self { out: Mutex::new(out) }
    }
}

impl Events for JsonLines {
    fn emit(&self, event: &Event) {
        let Ok(mut line) = serde_json::to_vec(event) else { return };
        line.push(b'\n');
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        // A listener that has gone away changes nothing for the run.
        let _ = out.write_all(&line).and_then(|()| out.flush());
    }
}
