//! The bodies of the JSON artifacts, one file each.
//!
//! Must never read or write anything: these are values.

pub mod approval;
pub mod auto_merge;
pub mod breaker;
pub mod change_set;
pub mod debate;
pub mod event;
pub mod exchange;
pub mod graph;
pub mod ledger;
pub mod manifest;
pub mod plan;
pub mod policy_input;
pub mod promotion;
pub mod pull_request;
pub mod release;
pub mod review;
pub mod rollback;
pub mod tape;
pub mod task;
pub mod verdict;
pub mod verification;
