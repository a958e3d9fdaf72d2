//! Mutants of good evidence.
