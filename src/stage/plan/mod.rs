//! `plan`: a task becomes a plan.
