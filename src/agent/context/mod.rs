//! What a model is shown: pieces in a fixed order under a ceiling, and what it may ask for besides.
//!
//! Must never drop anything without saying so, and must never depend on anything but its arguments: the same pieces give
//! the same text, so providers' caches hit and a run can be repeated. Must never write project memory.

mod assemble;
mod cite;
pub mod pack;
mod request;
mod retrieve;
mod scan;
mod source;

pub use assemble::{Assembled, Cut, Piece, assemble, fenced_tokens, left_out_text, tokens};
pub use cite::{Cite, OffLines, check_lines};
pub use request::{ContextRequest, MAX_REQUESTS};
pub use retrieve::{Found, Lookup, MAX_FOUND_BYTES, Retriever, numbered, ranked_paths, whole_file, words};
pub use scan::by_words;
pub use source::{Source, TreeSource};

/// The most bytes of project memory that are read.
pub const MAX_NOTES: usize = 32 * 1024;
