//! The index: which files a request concerns, what defines and uses a name, what depends on what.
//!
//! Must never trust what it finds in its own cache, and must never look at a commit newer than the one it is asked about.
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "scores are approximate, and files, chunks and words are numbered by 32 bits: memory ends first"
)]

pub mod corpus;
pub mod graph;
pub mod invert;
mod keep;
pub mod kind;
mod lines;
pub mod meaning;
mod open;
pub mod over;
pub mod past;
mod port;
pub mod rank;
pub mod segment;
pub mod sketch;
pub mod store;
pub mod words;

pub use open::{Found, Index, IndexError, MAX_COMMITS, Part, Told};
pub use port::Indexed;

#[cfg(test)]
mod tests;
