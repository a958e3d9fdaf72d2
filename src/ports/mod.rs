//! The outside world, as capabilities that are handed to whoever may use them.
//!
//! One folder per effect: `mod.rs` is the trait, then the real one, then the fake; both pass the same conformance suite.
//! Must never be reached around: starting programs, reading the clock or the environment anywhere else does not lint.

pub mod clock;
pub mod credential;
pub mod forge;
pub mod model;
pub mod observe;
pub mod process;
pub mod secret;
pub mod tape;
pub mod vcs;
pub mod workspace;
