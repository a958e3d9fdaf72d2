//! The release gate: its traps with their mended twins, mutants of a good release, and the stage from end to end.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test may fail anywhere, its helpers too"
)]

pub mod good;
mod mutants;
mod own;
mod stage;
mod traps;
