//! orch init.
