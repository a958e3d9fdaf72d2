//! orch doctor.
