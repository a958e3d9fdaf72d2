//! The `orch` program: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    orch::cli::main()
}
