//! The calls a stage may make, as data, so that a dry run can price them.
//!
//! Must never leave out a call that can happen: a ceiling is checked against the sum.

/// Calls of one kind a stage may make at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedCall {
    /// The role that asks: its route says whose prices count.
    pub role: String,
    /// The step, as `plan.propose`.
    pub step: String,
    /// The most bytes of one request's texts and schema.
    pub max_input_bytes: u64,
    /// The most output tokens of one request.
    pub max_output: u32,
    /// How often at most.
    pub times: u32,
}
