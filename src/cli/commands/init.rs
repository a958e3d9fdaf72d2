//! `orch init`: a first `orch.yml` with what was found in this repository.

use std::path::Path;

use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::cli::CommandError;
use crate::cli::args::Global;
use crate::cli::output::Output;
use crate::cli::session;
use crate::config::init::draft;
use crate::ports::vcs::{GitRepository, HookFolder};

/// Write an orch.yml with what was found in this repository
///
/// Looks at the files, proposes the commands with the reason for each, and writes them with comments. It runs nothing and
/// overwrites nothing.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Print the file instead of writing it
    #[arg(long, conflicts_with = "hooks")]
    print: bool,
    /// Write git hooks instead: the policy stage before each commit and each push; `remove` takes them away
    #[arg(long, value_enum, value_name = "WHAT", num_args = 0..=1, require_equals = true, default_missing_value = "write")]
    hooks: Option<HooksWhat>,
}

/// What to do with the hooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum HooksWhat {
    /// Write them; a hook of somebody else stays as it is.
    Write,
    /// Take away those that are of orch.
    Remove,
    /// Print them, to be added to other hooks by hand.
    Print,
}

#[derive(Serialize)]
struct Document<'a> {
    path: &'a Path,
    written: bool,
    text: &'a str,
}

/// Writes the file, or prints it.
pub fn run(args: &InitArgs, global: &Global, output: &Output) -> Result<u8, CommandError> {
    if let Some(what) = args.hooks {
        return hooks(what, global, output);
    }
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

fn hooks(what: HooksWhat, global: &Global, output: &Output) -> Result<u8, CommandError> {
    if what == HooksWhat::Print {
        let scripts: std::collections::BTreeMap<_, _> = HookFolder::scripts().into_iter().collect();
        output.show(&scripts, |out| {
            scripts.iter().try_for_each(|(name, script)| writeln!(out, "## {name}\n\n{script}"))
        })?;
        return Ok(0);
    }
    let folder = GitRepository::open(session::folder(global)?)?.hook_folder()?;
    let done = if what == HooksWhat::Write { folder.write()? } else { folder.remove()? };
    output.show(&done, |out| {
        for hook in &done {
            let told = match hook.done {
                "unchanged" => "is as it should be",
                "written" => "written",
                "removed" => "removed",
                "absent" => "is not there",
                _ => "is not of orch and stays",
            };
            writeln!(out, "{}: {told}", hook.path.display())?;
        }
        if what == HooksWhat::Write {
            writeln!(out, "Once without them: git commit --no-verify, git push --no-verify.")?;
        }
        Ok(())
    })?;
    Ok(0)
}
