//! The pr stage and the local forge.
