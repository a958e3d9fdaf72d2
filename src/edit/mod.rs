//! File changes: checked against a tree, applied to a folder, shown as a patch.
//!
//! Must never write before every change of a list was checked, and must never follow a link.

pub mod apply;
mod base85;
pub mod fix;
mod fold;
pub mod guard;
pub mod lines;
pub mod patch;
pub mod unified;

pub use guard::{Kind, Names, Place, Refusal, check};
