//! Checks configuration files against Rego policies, by conftest's conventions.
//!
//! Must never let what failed be taken for what passed: a rule that did not answer is a failure with its name, a file that
//! cannot be read or parsed ends the check.

pub mod answer;
pub mod check;
pub mod data;
pub mod files;
pub mod input;
pub mod outcome;
pub mod pool;
pub mod render;
pub mod suite;
