//! orch run from end to end.
