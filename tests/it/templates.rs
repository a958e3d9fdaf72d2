//! The template engine and its templates.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "helpers of tests"
)]

mod render;
mod requests;
mod run;
mod stages;
mod support;
