//! The laws of docs/ARCHITECTURE.md that can be tests.
