//! `orch init`: a first `orch.yml` with what was found in this repository.

use clap::Args;

use crate::cli::CommandError;
use crate::cli::args::Global;
use crate::cli::output::Output;
use crate::cli::session;
use crate::config::init::draft;

/// Write an orch.yml with what was found in this repository
///
/// Looks at the files, proposes the commands with the reason for each, and writes them with comments. It runs nothing and
/// overwrites nothing.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Print the file instead of writing it
    #[arg(long)]
    print: bool,
}

/// Writes the file, or prints it.
pub fn run(args: &InitArgs, global: &Global, output: &Output) -> Result<u8, CommandError> {
    let draft = draft(&session::folder(global)?);
    if args.print {
        output.print(|out| out.write_all(draft.text.as_bytes()))?;
    } else {
        draft.write()?;
        output.print(|out| draft.explain(out))?;
    }
    Ok(0)
}
