//! Processes that are told what to say, for tests of what is above.
//!
//! Must never start anything.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::{Captured, Command, Outcome, ProcessError, Processes, Sandbox};
use crate::artifact::types::verification::{Ended, Measure, MeasureState, Protection};

type Script = dyn FnMut(&Command) -> Outcome + Send;

/// Answers from a script and remembers what it was asked.
pub struct FakeProcesses {
    script: Mutex<Box<Script>>,
    calls: Mutex<Vec<Command>>,
    protection: Protection,
}

impl FakeProcesses {
    /// Returns processes that answer with `script`.
    pub fn new(script: impl FnMut(&Command) -> Outcome + Send + 'static) -> Self {
        Self { script: Mutex::new(Box::new(script)), calls: Mutex::default(), protection: all_enforced() }
    }

    /// Returns processes that give these outcomes in order, and cannot start anything after the last.
    pub fn in_order(outcomes: impl IntoIterator<Item = Outcome>) -> Self {
        let mut outcomes: VecDeque<_> = outcomes.into_iter().collect();
        let none = || Ended::NotStarted { why: "the script has no outcome left".into() };
        Self::new(move |_| outcomes.pop_front().unwrap_or_else(|| outcome(none(), "", "")))
    }

    /// Returns the same with another protection, which outcomes then carry too.
    #[must_use]
    pub fn protected_by(mut self, protection: Protection) -> Self {
        self.protection = protection;
        self
    }

    /// Returns every command that was asked for, in order.
    pub fn calls(&self) -> Vec<Command> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Processes for FakeProcesses {
    fn run(&self, command: &Command) -> Result<Outcome, ProcessError> {
        let protection = self.protection(&command.sandbox)?;
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push(command.clone());
        let mut script = self.script.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Outcome { protection, ..script(command) })
    }

    fn protection(&self, sandbox: &Sandbox) -> Result<Protection, ProcessError> {
        super::protection::accept(self.protection.clone(), sandbox)
    }
}

impl fmt::Debug for FakeProcesses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeProcesses").field("protection", &self.protection).finish_non_exhaustive()
    }
}

/// Returns an outcome for a script: how it ended and what it printed.
pub fn outcome(ended: Ended, stdout: &str, stderr: &str) -> Outcome {
    let captured = |text: &str| Captured { text: text.into(), bytes: text.len() as u64 };
    Outcome {
        ended,
        stdout: captured(stdout),
        stderr: captured(stderr),
        protection: all_enforced(),
        violations: Vec::new(),
        duration: Duration::ZERO,
    }
}

/// Returns a protection with every measure in force.
pub fn all_enforced() -> Protection {
    let measure = Measure { state: MeasureState::Enforced, by: "fake".into() };
    Protection::uniform(measure)
}
