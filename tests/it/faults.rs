//! Kills and tampering.
