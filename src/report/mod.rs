//! A run rendered from its artifacts, any time later.
