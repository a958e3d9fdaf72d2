//! `orch completions`: completions for the common shells.

use clap::{Args, CommandFactory as _};
use clap_complete::{Shell, generate};

use crate::cli::output::Output;
use crate::cli::{Cli, CommandError};

/// Print completions for a shell, to be put where it looks for them
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the completions.
pub fn run(args: &CompletionsArgs, output: &Output) -> Result<u8, CommandError> {
    let mut text = Vec::new();
    generate(args.shell, &mut Cli::command(), "orch", &mut text);
    output.print(|out| out.write_all(&text)).map(|()| 0)
}
