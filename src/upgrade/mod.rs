//! Upgrades: another model, prompt, set of rules or template, tried over recorded runs before it becomes the default.
//!
//! Must never make a candidate the default that was not judged, and must never write a file of the repository but those the
//! proposal names.
//!
//! # Layout
//!
//! - `types`: proposal, evaluation, decision and switch; `files`: where they lie, and what each is bound to
//! - `candidate`: which files a kind of upgrade may change
//! - `measure`: what a run came to, and two of them beside each other
//! - `judge`: the rules in `upgrades/upgrade.rego` over an evaluation
//! - `switch`: the files of the candidate put in place, and put back
//! - `at`: the repository as it was at the commit of a run

pub mod at;
pub mod candidate;
mod error;
pub mod files;
pub mod judge;
pub mod measure;
pub mod switch;
pub mod types;

pub use error::UpgradeError;
