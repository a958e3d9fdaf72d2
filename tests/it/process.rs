//! The sandbox: what repository code may do.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests start neighbours and plant variables"
)]

mod honest;
mod hostile;
mod support;
