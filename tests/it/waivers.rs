//! What lets a team live with policy: waivers, a baseline, days, bundles of an organisation, hooks.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, as tests, panic where they must not go on"
)]

mod alone;
mod bundles;
mod commands;
mod hooks;
mod lists;
