//! The verify stages.
