//! Upgrades: a candidate beside the default over recorded runs, a decision, the switch and the way back.
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere, its helpers too")]

mod prompts;
mod switches;
mod world;
