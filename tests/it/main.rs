//! Behaviour of `orch` as a user meets it, one module per area.
#![expect(clippy::disallowed_methods, reason = "tests start programs and read the environment themselves")]

mod artifacts;
mod config;
mod cost;
mod debate;
mod dependencies;
mod doctor;
mod env;
mod fastapi;
mod faults;
mod generated;
mod hostile;
mod init;
mod interrupted;
mod model_runs;
mod model_secrets;
mod models;
mod output;
mod paths;
mod pipeline;
mod policy;
mod policy_check;
mod pr;
mod process;
mod providers;
mod replay;
mod repositories;
mod scan;
mod secrets;
mod support;
mod templates;
mod tidy;
mod vcs;
mod verify;
mod waivers;
mod wire_runs;
