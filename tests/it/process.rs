//! The sandbox: what repository code may do.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "tests start neighbours, plant variables, and say loudly what they skip"
)]

mod honest;
mod hostile;
mod support;
