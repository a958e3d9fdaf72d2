//! The stage from end to end.
