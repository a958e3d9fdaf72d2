//! Model providers: one suite of canned replies for every adapter, and third-party stand-ins on request.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test may fail anywhere, its helpers too")]

mod canned;
mod programs;
mod server;
mod vendors;
mod wires;
