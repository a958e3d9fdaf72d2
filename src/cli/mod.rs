//! Words in, request out, exit code out.
//!
//! Must never do work of its own: it parses, calls the library, prints, and maps the outcome to an exit code.

mod action;
mod args;
mod assign;
mod commands;
mod desk;
mod error;
mod event;
mod guide;
mod history;
mod hub;
pub mod models;
mod observer;
mod output;
mod outputs;
mod reference;
mod release;
mod rules;
mod session;
mod step_summary;
mod verdict;

use std::process::ExitCode;

pub use args::{Cli, Format};
pub use error::CommandError;

use crate::config::env::{Environment, snapshot};
use crate::ports::credential::{Surroundings, take_in};
use crate::ports::process::{harden_self, sandbox_stage};
use output::Output;

/// Runs the program: the only thing `main` calls.
pub fn main() -> ExitCode {
    // The sandbox starts this very program again as its helper, before anything else is looked at.
    if let Some(code) = std::env::args_os().nth(1).and_then(|word| sandbox_stage(&word)) {
        return code;
    }
    let environment = Environment::of_process();
    take_in(snapshot(), Surroundings { actions: environment.is_github(), event: environment.github_event() });
    let hardened = harden_self();
    let cli = match guide::parse(commands::lint::rephrase(std::env::args_os())) {
        Ok(cli) => cli,
        Err(error) => {
            if error.use_stderr() {
                output::usage_error(&error);
            }
            output::parser_says(&error);
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let output = Output::new(&cli.global);
    let done = hardened.map_err(CommandError::from).and_then(|()| commands::dispatch(cli, &output));
    match done {
        Ok(exit) => ExitCode::from(exit),
        Err(error) => {
            output.error(&error);
            ExitCode::from(error.exit_code())
        }
    }
}
