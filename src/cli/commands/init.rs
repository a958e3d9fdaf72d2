//! `orch init`: a first `orch.yml` with what was found in this repository.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::cli::CommandError;
use crate::cli::args::Global;
use crate::cli::error::{IoError, UsageError};
use crate::cli::output::Output;
use crate::cli::session;
use crate::compile::caller;
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
    /// Write a workflow for GitHub instead: a labelled issue becomes a pull request; the commit or tag of orch's workflows
    #[arg(long, value_name = "REF", num_args = 0..=1, require_equals = true, default_missing_value = "", conflicts_with = "hooks")]
    github: Option<String>,
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
    if let Some(reference) = &args.github {
        return github(reference, args.print, global, output);
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

/// Writes the caller; what is there already stays.
fn github(reference: &str, print: bool, global: &Global, output: &Output) -> Result<u8, CommandError> {
    let word = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if !reference.is_empty() && !reference.chars().all(word) {
        return Err(UsageError {
            what: format!("`{reference}` is no commit and no tag"),
            help: "Name the full commit of a release of orch, or nothing.".into(),
        }
        .into());
    }
    let reference = if reference.is_empty() { caller::reference() } else { reference.to_owned() };
    let text = caller::first(&reference);
    let path = Path::new(".github/workflows/orch.yml");
    if !print {
        let file = session::root(global)?.join(path);
        let fail = |source| IoError { what: format!("write {}", file.display()), source };
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder).map_err(fail)?;
        }
        let made = fs::OpenOptions::new().write(true).create_new(true).open(&file);
        match made {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                return Err(UsageError {
                    what: format!("{} is there already", path.display()),
                    help:
                        "Nothing was overwritten; `orch init --github --print` shows what would be written."
                            .into(),
                }
                .into());
            }
            made => made.and_then(|mut file| file.write_all(text.as_bytes())).map_err(fail)?,
        }
        if !reference.starts_with(|c: char| c.is_ascii_hexdigit()) || reference.len() < 40 {
            output.note("the workflow names a tag, which can be moved; pin it: orch init --github=<full commit of the release>");
        }
    }
    let document = Document { path, written: !print, text: &text };
    output.show(&document, |out| {
        if print {
            return out.write_all(text.as_bytes());
        }
        writeln!(
            out,
            "{} written. Add the label `orch` and the secret ANTHROPIC_API_KEY, then label an issue.",
            path.display()
        )
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
