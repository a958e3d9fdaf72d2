//! Events as plain lines, for logs.

use std::io::Write;
use std::sync::{Mutex, PoisonError};

use crate::diagnostic::text::{plain, wall_time};
use crate::telemetry::{Event, Events};

/// Writes one plain line per event.
pub struct PlainLines {
    out: Mutex<Box<dyn Write + Send>>,
}

impl PlainLines {
    /// Writes to `out`.
    pub fn new(out: Box<dyn Write + Send>) -> Self {
        Self { out: Mutex::new(out) }
    }
}

impl Events for PlainLines {
    fn emit(&self, event: &Event) {
        let line = line(event);
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    }
}

/// Returns the line of an event.
fn line(event: &Event) -> String {
    let round = |r: &crate::artifact::id::Round| {
        if r.get() > 1 { format!(" (round {r})") } else { String::new() }
    };
    match event {
        Event::RunStarted { run, folder, .. } => format!("run {run}, files in {}", plain(folder)),
        Event::StageStarted { stage, round: r } => format!("{stage}{}: started", round(r)),
        Event::StageReused { stage, round: r } => {
            format!("{stage}{}: reused, nothing it depends on has changed", round(r))
        }
        Event::StageSkipped { stage, why } => format!("{stage}: left out, {}", plain(why)),
        Event::StageNote { stage, message, .. } => format!("{stage}: {}", plain(message)),
        Event::CommandStarted { argv, .. } => format!("  $ {}", plain(&shell_words::join(argv))),
        Event::CommandFinished { ended, duration_ms, .. } => {
            format!("    {} after {}", plain(ended), wall_time(*duration_ms))
        }
        Event::StageFinished { stage, round: r, exit, why, duration_ms } => {
            let how = match (exit, why) {
                (0, _) => "done".to_owned(),
                (exit, Some(why)) => format!("exit {exit}, {}", plain(why)),
                (exit, None) => format!("exit {exit}"),
            };
            format!("{stage}{}: {how} ({})", round(r), wall_time(*duration_ms))
        }
    }
}
