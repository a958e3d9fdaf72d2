//! What the evaluation of one policy may take, and how it is held to that.
//!
//! Must never let what hangs or grows be taken for what is content: a rule that met a limit has a fault.

use std::time::Duration;

/// What an evaluation may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The time of one rule over one input.
    pub rule: Duration,
    /// The size of one input.
    pub input_bytes: usize,
    /// The memory of the whole process.
    pub memory_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { rule: Duration::from_secs(10), input_bytes: 64 << 20, memory_bytes: 4 << 30 }
    }
}

/// Room for deep but finite rules; only what is used is taken.
pub const STACK_BYTES: usize = 256 << 20;
