//! The `orch` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    let stage = std::env::args_os().nth(1).and_then(|word| orch::ports::process::sandbox_stage(&word));
    stage.unwrap_or(ExitCode::SUCCESS)
}
