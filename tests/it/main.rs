//! Behaviour of `orch` as a user meets it, one module per area.

mod artifacts;
mod config;
mod doctor;
mod faults;
mod generated;
mod init;
mod paths;
mod pipeline;
mod policy;
mod pr;
mod process;
mod repositories;
mod support;
mod templates;
mod tidy;
mod vcs;
mod verify;
