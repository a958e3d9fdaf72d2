//! File changes: checked against a tree, applied to a folder, shown as a patch.
//!
//! Must never write before every change of a list was checked, and must never follow a link.

pub mod anchor;
pub mod apply;
mod base85;
pub mod disk;
pub mod fit;
pub mod fix;
mod fold;
pub mod format;
pub mod guard;
pub mod hunk;
pub mod journal;
pub mod lines;
pub mod locate;
pub mod merge;
mod pairs;
pub mod patch;
pub mod plan;
pub mod revise;
pub mod text;
pub mod unified;

pub use guard::{Kind, Names, Place, Refusal, check};
