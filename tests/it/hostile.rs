//! Hostile commands, templates, repositories and inputs through the command line.
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere, its helpers too")]

mod commands;
mod inputs;
mod repositories;
mod tampering;
mod templates;
