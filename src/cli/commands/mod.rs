//! The commands, one file each: an args struct and one function.
//!
//! Must never hold what a stage or the runner does: words in, a call, words out.

pub mod doctor;
pub mod init;
