//! `orch init`: a first `orch.yml` with what was found in this repository.

use std::path::Path;

use clap::Args;
use serde::Serialize;

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

#[derive(Serialize)]
struct Document<'a> {
    path: &'a Path,
    written: bool,
    text: &'a str,
}

/// Writes the file, or prints it.
pub fn run(args: &InitArgs, global: &Global, output: &Output) -> Result<u8, CommandError> {
    let draft = draft(&session::folder(global)?);
    if !args.print {
        draft.write()?;
    }
    let document = Document { path: &draft.path, written: !args.print, text: &draft.text };
    output.show(&document, |out| {
        if args.print { out.write_all(draft.text.as_bytes()) } else { draft.explain(out) }
    })?;
    Ok(0)
}
