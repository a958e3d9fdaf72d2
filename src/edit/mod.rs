//! File changes: checked against a tree, applied to a folder, shown as a patch.

pub mod patch;
