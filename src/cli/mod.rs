//! Words in, request out, exit code out.
//!
//! Must never do work of its own: it parses, calls the library, prints, and maps the outcome to an exit code.

mod args;
mod commands;
mod error;
mod output;
mod session;

use std::process::ExitCode;

use clap::Parser as _;

pub use args::{Cli, Format};
pub use error::CommandError;

use output::Output;

/// Runs the program: the only thing `main` calls.
pub fn main() -> ExitCode {
    if let Some(code) = crate::ports::process::helper_main() {
        return code;
    }
    crate::ports::process::harden_self();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let output = Output::new(&cli.global);
    match commands::dispatch(cli, &output) {
        Ok(exit) => ExitCode::from(exit),
        Err(error) => {
            output.error(&error);
            ExitCode::from(error.exit_code())
        }
    }
}
