//! How roles talk until code finds that they agree, or that they will not: typed messages, resolved evidence, exit rules.
//!
//! Must never do anything itself: an event comes in, what to do next goes out. Must never count voices, and must never let
//! a model's word end a debate but by the rules.

pub mod citation;
pub mod convergence;
mod machine;
mod says;

pub use citation::{Refused, Resolved, Resolver};
pub use convergence::{Change, ExitRule, Standing, prefer};
pub use machine::{Critique, Debate, End, Event, Limits, Speaker, Step, Submission};
pub use says::{
    Answered, Said, answer_schema, claim_schema, read_answers, read_claims, read_risks, risk_schema,
};

#[cfg(test)]
pub(crate) use says::tests::any_json;
