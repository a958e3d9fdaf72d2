//! What went wrong or was found, in a form a person can act on.
//!
//! Must never print, and must never know a stage, a port or the store.

mod class;
mod code;
mod exit;
pub mod explain;
mod problem;
pub mod redact;
pub mod text;

pub use class::{Class, Failure};
pub use code::{Code, CodeError};
pub use exit::{EXIT_CODES, ExitCode};
pub use problem::{Place, Problem};
