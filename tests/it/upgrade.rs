//! Upgrades: a candidate beside the default over recorded runs, a decision, the switch and the way back.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail anywhere, its helpers too")]

mod prompts;
mod switches;
mod world;

use crate::env::TestEnv;

/// The rules that decide have tests of their own, and are held to them as anybody's rules are.
#[test]
fn the_rules_of_upgrades_pass_their_tests() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/upgrades");
    let env = TestEnv::new();
    let root = env.path("home");
    env.orch(&root, &["policy", "test", folder]).exits(0).says("0 failed");
}
