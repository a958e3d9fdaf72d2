//! Model providers: one suite of canned replies for every adapter, and third-party stand-ins on request.

mod canned;
mod programs;
mod server;
mod vendors;
mod wires;
