//! Words in, request out, exit code out.

pub mod commands;
