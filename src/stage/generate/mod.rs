//! `generate`: the edits are made.
