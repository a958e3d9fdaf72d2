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

/// Returns the memory this process uses; 0 where the system does not tell.
pub fn used() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    let pages = pages.as_deref().and_then(|text| text.split_whitespace().nth(1)?.parse::<u64>().ok());
    pages.unwrap_or_default() * 4096
}
